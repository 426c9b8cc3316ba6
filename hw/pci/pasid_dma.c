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

/* May the device tag a request with it? */
static PasidDmaStatus pasid_dma_check_pasid(PCIDevice *dev, uint32_t pasid)
{
    if (pasid == PASID_DMA_NO_PASID) {
        return PASID_DMA_OK;
    }
    if (!pasid_dma_enabled(dev)) {
        return PASID_DMA_PASID_DISABLED;
    }
    return pasid >> PASID_DMA_PASID_BITS ? PASID_DMA_UNSUPPORTED_REQUEST
                                         : PASID_DMA_OK;
}

/* Everything a request of one page passes before it reaches memory. */
static PasidDmaStatus pasid_dma_ask(PCIDevice *dev, uint32_t pasid,
                                    uint64_t addr, PasidIommuAccess access,
                                    PasidDmaTranslation *out)
{
    PasidDmaStatus status = pasid_dma_check_pasid(dev, pasid);
    PasidIommu *iommu;

    if (status == PASID_DMA_PASID_DISABLED) {
        return status;
    }
    if (!pasid_dma_may_master(dev)) {
        return PASID_DMA_NO_BUS_MASTER;
    }
    if (status != PASID_DMA_OK) {
        return status;
    }
    iommu = pasid_dma_find_iommu(dev);
    if (!iommu) {
        return PASID_DMA_UNSUPPORTED_REQUEST;
    }
    return PASID_IOMMU_GET_CLASS(iommu)->translate(iommu, pci_get_bdf(dev),
                                                   pasid, addr, access, out);
}

static bool pasid_dma_is_write(PasidIommuAccess access)
{
    return access == PASID_IOMMU_WRITE ||
           access == PASID_IOMMU_WRITE_TRANSLATED;
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
                            buf, *len, pasid_dma_is_write(access)) == MEMTX_OK
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

PasidDmaResult pasid_dma_read_translated(PCIDevice *dev, uint64_t addr,
                                         void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, PASID_DMA_NO_PASID, addr, buf, len,
                        PASID_IOMMU_READ_TRANSLATED);
}

PasidDmaResult pasid_dma_write_translated(PCIDevice *dev, uint64_t addr,
                                          const void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, PASID_DMA_NO_PASID, addr, (void *)buf, len,
                        PASID_IOMMU_WRITE_TRANSLATED);
}

/* ---- Page requests and invalidations ------------------------------------- */

/* A message that nobody on the way up understands is as one that failed. */
PasidPageStatus pasid_dma_page_request(PCIDevice *dev,
                                       const PasidPageRequest *request)
{
    PasidIommu *iommu = pasid_dma_find_iommu(dev);

    if (pasid_dma_check_pasid(dev, request->pasid) != PASID_DMA_OK ||
        !iommu || !PASID_IOMMU_GET_CLASS(iommu)->page_request) {
        return PASID_PAGE_FAILURE;
    }
    return PASID_IOMMU_GET_CLASS(iommu)->page_request(iommu, pci_get_bdf(dev),
                                                      request);
}

static PasidDevice *pasid_dma_listener(PCIDevice *dev)
{
    return (PasidDevice *)object_dynamic_cast(OBJECT(dev), TYPE_PASID_DEVICE);
}

void pasid_dma_invalidate(PCIDevice *dev, const PasidInvalidation *what)
{
    PasidDevice *listener = pasid_dma_listener(dev);

    if (listener) {
        PASID_DEVICE_GET_CLASS(listener)->invalidate(listener, what);
    }
}

void pasid_dma_page_response(PCIDevice *dev, const PasidPageResponse *response)
{
    PasidDevice *listener = pasid_dma_listener(dev);

    if (listener) {
        PASID_DEVICE_GET_CLASS(listener)->page_response(listener, response);
    }
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
    static const TypeInfo infos[] = {
        {
            .name = TYPE_PASID_IOMMU,
            .parent = TYPE_INTERFACE,
            .class_size = sizeof(PasidIommuClass),
        },
        {
            .name = TYPE_PASID_DEVICE,
            .parent = TYPE_INTERFACE,
            .class_size = sizeof(PasidDeviceClass),
        },
    };

    type_register_static_array(infos, ARRAY_SIZE(infos));
}

type_init(pasid_dma_register_types)
