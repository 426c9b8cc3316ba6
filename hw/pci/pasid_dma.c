/*
 * PASID-tagged DMA: finds the IOMMU for a device and moves data through it.
 *
 * A request is checked where hardware checks it: first by the device itself
 * (PASID enabled, bus mastering on), then on the way up (a conventional PCI bus
 * carries no PASID, a bus that bypasses the IOMMU ends nowhere), then by the
 * IOMMU.  What the IOMMU allows is done on the system's address space, so that
 * the result is that of a real access: a translation that leads to no memory
 * is told apart from one that was refused.
 *
 * No state of its own and no locks: the IOMMU's translate() locks itself, and
 * the memory API takes the BQL when a translated address is a device's.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"

static bool pasid_dma_enabled(PCIDevice *dev)
{
    uint16_t cap = pci_is_express(dev) ?
        pcie_find_capability(dev, PCI_EXT_CAP_ID_PASID) : 0;

    return cap && pci_get_word(dev->config + cap + PCI_PASID_CTRL) &
                  PCI_PASID_CTRL_ENABLE;
}

static bool pasid_dma_may_master(PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

/*
 * The IOMMU in the way of @dev's requests, if it understands PASIDs.  The
 * opaque of every IOMMU of the machines that we are built for is its QOM
 * object.
 */
static PasidIommu *pasid_dma_find_iommu(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    if (pci_bus_bypass_iommu(bus)) {
        return NULL;
    }
    while (bus && !bus->iommu_ops) {
        if (!pci_bus_is_express(bus) || !bus->parent_dev) {
            return NULL;
        }
        bus = pci_get_bus(bus->parent_dev);
    }
    if (!bus || !pci_bus_is_express(bus)) {
        return NULL;
    }
    return (PasidIommu *)object_dynamic_cast(bus->iommu_opaque,
                                             TYPE_PASID_IOMMU);
}

/* Everything a request of one page passes before it reaches memory. */
static PasidDmaStatus pasid_dma_ask(PCIDevice *dev, uint32_t pasid,
                                    uint64_t addr, PasidIommuAccess access,
                                    PasidDmaTranslation *out)
{
    PasidIommu *iommu;

    if (!pasid_dma_enabled(dev)) {
        return PASID_DMA_PASID_DISABLED;
    }
    if (!pasid_dma_may_master(dev)) {
        return PASID_DMA_NO_BUS_MASTER;
    }
    if (pasid >> PASID_DMA_PASID_BITS) {
        return PASID_DMA_UNSUPPORTED_REQUEST;
    }
    iommu = pasid_dma_find_iommu(dev);
    if (!iommu) {
        return PASID_DMA_UNSUPPORTED_REQUEST;
    }
    return PASID_IOMMU_GET_CLASS(iommu)->translate(iommu, pci_get_bdf(dev),
                                                   pasid, addr, access, out);
}

/* Move what lies in the page that holds @addr; *@len: at most, then how much. */
static PasidDmaStatus pasid_dma_page(PCIDevice *dev, uint32_t pasid,
                                     uint64_t addr, void *buf, uint64_t *len,
                                     PasidIommuAccess access)
{
    MemTxAttrs attrs = { .requester_id = pci_get_bdf(dev) };
    PasidDmaTranslation page = { 0 };
    PasidDmaStatus status = pasid_dma_ask(dev, pasid, addr, access, &page);
    uint64_t offset;

    if (status != PASID_DMA_OK) {
        return status;
    }
    offset = addr & (page.size - 1);
    *len = MIN(*len - 1, page.size - 1 - offset) + 1;
    return address_space_rw(&address_space_memory, page.addr + offset, attrs,
                            buf, *len, access == PASID_IOMMU_WRITE) == MEMTX_OK
           ? PASID_DMA_OK : PASID_DMA_NO_MEMORY;
}

static PasidDmaResult pasid_dma_rw(PCIDevice *dev, uint32_t pasid,
                                   uint64_t addr, void *buf, uint64_t len,
                                   PasidIommuAccess access)
{
    PasidDmaResult result = { .status = PASID_DMA_OK };

    while (result.done < len) {
        uint64_t chunk = len - result.done;

        result.status = pasid_dma_page(dev, pasid, addr + result.done,
                                       (uint8_t *)buf + result.done, &chunk,
                                       access);
        if (result.status != PASID_DMA_OK) {
            result.fault_addr = addr + result.done;
            break;
        }
        result.done += chunk;
    }
    return result;
}

PasidDmaResult pasid_dma_read(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                              void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, pasid, addr, buf, len, PASID_IOMMU_READ);
}

PasidDmaResult pasid_dma_write(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                               const void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, pasid, addr, (void *)buf, len, PASID_IOMMU_WRITE);
}

PasidDmaResult pasid_dma_translate(PCIDevice *dev, uint32_t pasid,
                                   uint64_t addr, PasidDmaIntent intent,
                                   PasidDmaTranslation *out)
{
    PasidIommuAccess access = intent == PASID_DMA_NO_WRITE ?
        PASID_IOMMU_TRANSLATE_NO_WRITE : PASID_IOMMU_TRANSLATE;
    PasidDmaResult result = {
        .status = pasid_dma_ask(dev, pasid, addr, access, out),
    };

    if (result.status != PASID_DMA_OK) {
        result.fault_addr = addr;
    }
    return result;
}

const char *pasid_dma_status_name(PasidDmaStatus status)
{
    static const char *const names[] = {
        [PASID_DMA_OK] = "success",
        [PASID_DMA_UNSUPPORTED_REQUEST] = "unsupported request",
        [PASID_DMA_COMPLETER_ABORT] = "completer abort",
        [PASID_DMA_NO_MEMORY] = "no memory at the translated address",
        [PASID_DMA_PASID_DISABLED] = "PASID not enabled",
        [PASID_DMA_NO_BUS_MASTER] = "bus mastering off",
    };

    return status < ARRAY_SIZE(names) ? names[status] : "?";
}

static void pasid_dma_register_types(void)
{
    static const TypeInfo info = {
        .name = TYPE_PASID_IOMMU,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(PasidIommuClass),
    };

    type_register_static(&info);
}

type_init(pasid_dma_register_types)
