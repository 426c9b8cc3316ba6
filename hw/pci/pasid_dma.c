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
 * What does not change while a device is there is looked for once, at its first
 * request: where its registers are that are asked each time, and who its IOMMU
 * is.  That is a requester; it is forgotten when the device is unrealized.
 *
 * Locks: requests take none; a requester is found under RCU, by a table that
 * forgets those that meet, behind which there is one, with a lock, that does
 * not.  The IOMMU's translate() locks itself, and the memory API takes the BQL
 * when a translated address is a device's.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/pci/dma_ram.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "qemu/lockable.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"

/* ---- Requesters ----------------------------------------------------------- */

typedef struct PasidRequester {
    struct rcu_head rcu;
    PCIDevice *dev;
    const uint8_t *pasid_control;   /* of its PASID capability, or NULL */
    const uint8_t *bus_number;      /* where the guest says it */
    uint8_t root_bus_number;        /* there, of a root bus */
    PasidIommu *iommu;              /* NULL: none that understands PASIDs */
    PasidIommuClass *iommu_class;
    void *port;                     /* the IOMMU's own, of this device */
} PasidRequester;

static const uint8_t *pasid_dma_find_control(PCIDevice *dev)
{
    uint16_t cap = pci_is_express(dev) ?
        pcie_find_capability(dev, PCI_EXT_CAP_ID_PASID) : 0;

    return cap ? dev->config + cap + PCI_PASID_CTRL : NULL;
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

static void pasid_dma_describe(PCIDevice *dev, PasidRequester *r)
{
    PCIBus *bus = pci_get_bus(dev);

    *r = (PasidRequester) {
        .dev = dev,
        .pasid_control = pasid_dma_find_control(dev),
        .root_bus_number = pci_bus_is_root(bus) ? pci_bus_num(bus) : 0,
        .iommu = pasid_dma_find_iommu(dev),
    };
    r->bus_number = pci_bus_is_root(bus) ? &r->root_bus_number :
                    bus->parent_dev->config + PCI_SECONDARY_BUS;
    if (r->iommu) {
        r->iommu_class = PASID_IOMMU_GET_CLASS(r->iommu);
        r->port = r->iommu_class->port(r->iommu, dev);
    }
}

#define PASID_DMA_NEAR 256

static struct {
    QemuMutex lock;
    GHashTable *of_device;      /* PCIDevice -> PasidRequester; NULL: no IOMMU */
    PasidRequester *near[PASID_DMA_NEAR];
    DeviceListener listener;
} pasid_requesters;

static PasidRequester **pasid_dma_near(const PCIDevice *dev)
{
    uintptr_t at = (uintptr_t)dev / sizeof(void *);

    return &pasid_requesters.near[(at ^ at >> 8 ^ at >> 16) % PASID_DMA_NEAR];
}

static PasidRequester *pasid_dma_look_up(PCIDevice *dev)
{
    PasidRequester *r;

    QEMU_LOCK_GUARD(&pasid_requesters.lock);
    r = g_hash_table_lookup(pasid_requesters.of_device, dev);
    if (!r) {
        r = g_new(PasidRequester, 1);
        pasid_dma_describe(dev, r);
        g_hash_table_insert(pasid_requesters.of_device, dev, r);
    }
    qatomic_rcu_set(pasid_dma_near(dev), r);
    return r;
}

/* Within a read-side critical section.  NULL: no IOMMU understands PASIDs, or
 * the device has gone, and would be remembered for good. */
static inline const PasidRequester *pasid_dma_requester(PCIDevice *dev)
{
    PasidRequester *r = qatomic_rcu_read(pasid_dma_near(dev));

    if (likely(r && r->dev == dev)) {
        return r;
    }
    return pasid_requesters.of_device && qdev_is_realized(&dev->qdev)
           ? pasid_dma_look_up(dev) : NULL;
}

static void pasid_dma_forget(DeviceListener *listener, DeviceState *dev)
{
    PCIDevice *pci = (PCIDevice *)object_dynamic_cast(OBJECT(dev),
                                                      TYPE_PCI_DEVICE);
    PasidRequester *r;

    QEMU_LOCK_GUARD(&pasid_requesters.lock);
    r = pci ? g_hash_table_lookup(pasid_requesters.of_device, pci) : NULL;
    if (!r) {
        return;
    }
    g_hash_table_remove(pasid_requesters.of_device, pci);
    if (*pasid_dma_near(pci) == r) {
        qatomic_set(pasid_dma_near(pci), NULL);
    }
    g_free_rcu(r, rcu);
}

void pasid_dma_init(void)
{
    if (!pasid_requesters.of_device) {
        qemu_mutex_init(&pasid_requesters.lock);
        pasid_requesters.listener.unrealize = pasid_dma_forget;
        device_listener_register(&pasid_requesters.listener);
        pasid_requesters.of_device = g_hash_table_new(NULL, NULL);
        dma_ram_init();
    }
}

static inline uint16_t pasid_dma_source_id(const PasidRequester *r)
{
    return PCI_BUILD_BDF(*r->bus_number, r->dev->devfn);
}

/* ---- Requests ------------------------------------------------------------- */

static inline bool pasid_dma_may_master(const PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static inline bool pasid_dma_enabled(const uint8_t *control)
{
    return control && pci_get_word(control) & PCI_PASID_CTRL_ENABLE;
}

/* May the device tag a request with it? */
static inline PasidDmaStatus pasid_dma_check_pasid(const uint8_t *control,
                                                   uint32_t pasid)
{
    if (pasid == PASID_DMA_NO_PASID) {
        return PASID_DMA_OK;
    }
    if (!pasid_dma_enabled(control)) {
        return PASID_DMA_PASID_DISABLED;
    }
    return pasid >> PASID_DMA_PASID_BITS ? PASID_DMA_UNSUPPORTED_REQUEST
                                         : PASID_DMA_OK;
}

/* What a request passes before it reaches the IOMMU. */
static PasidDmaStatus pasid_dma_check(PCIDevice *dev, const uint8_t *control,
                                      uint32_t pasid)
{
    PasidDmaStatus status = pasid_dma_check_pasid(control, pasid);

    return status == PASID_DMA_PASID_DISABLED ? status :
           !pasid_dma_may_master(dev) ? PASID_DMA_NO_BUS_MASTER : status;
}

static PasidDmaStatus pasid_dma_ask(PCIDevice *dev, uint32_t pasid,
                                    uint64_t addr, PasidIommuAccess access,
                                    PasidDmaTranslation *out)
{
    const PasidRequester *r = pasid_dma_requester(dev);
    PasidDmaStatus status =
        pasid_dma_check(dev, r ? r->pasid_control : pasid_dma_find_control(dev),
                        pasid);

    if (status != PASID_DMA_OK) {
        return status;
    }
    return !r || !r->iommu ? PASID_DMA_UNSUPPORTED_REQUEST :
        r->iommu_class->translate(r->port, pasid_dma_source_id(r), pasid, addr,
                                  access, out);
}

/* ---- Moving data ---------------------------------------------------------- */

static inline bool pasid_dma_is_write(PasidIommuAccess access)
{
    return access == PASID_IOMMU_WRITE ||
           access == PASID_IOMMU_WRITE_TRANSLATED;
}

/* False: it is no plain RAM.  A read does not pass a write before it. */
static inline bool pasid_dma_move_ram(uint64_t addr, void *buf, uint64_t len,
                                      bool is_write)
{
    const DmaRamSection *ram = dma_ram_find(addr, len);

    if (unlikely(!ram)) {
        return false;
    }
    if (is_write) {
        memcpy(ram->host + (addr - ram->base), buf, len);
        dma_ram_written(ram, addr, len);
        smp_mb();
    } else {
        smp_rmb();
        memcpy(buf, ram->host + (addr - ram->base), len);
    }
    return true;
}

static PasidDmaStatus pasid_dma_move(PCIDevice *dev, uint64_t addr, void *buf,
                                     uint64_t len, bool is_write)
{
    MemTxAttrs attrs = { 0 };

    if (pasid_dma_move_ram(addr, buf, len, is_write)) {
        return PASID_DMA_OK;
    }
    attrs.requester_id = pci_get_bdf(dev);
    return address_space_rw(&address_space_memory, addr, attrs, buf, len,
                            is_write) == MEMTX_OK
           ? PASID_DMA_OK : PASID_DMA_NO_MEMORY;
}

/* Move what lies in the page that holds @addr; *@len: at most, then how much. */
static PasidDmaStatus pasid_dma_page(PCIDevice *dev, uint32_t pasid,
                                     uint64_t addr, void *buf, uint64_t *len,
                                     PasidIommuAccess access)
{
    PasidDmaTranslation page;
    PasidDmaStatus status = pasid_dma_ask(dev, pasid, addr, access, &page);
    uint64_t offset;

    if (status != PASID_DMA_OK) {
        return status;
    }
    offset = addr & (page.size - 1);
    *len = MIN(*len, page.size - offset);
    return pasid_dma_move(dev, page.addr + offset, buf, *len,
                          pasid_dma_is_write(access));
}

static PasidDmaResult pasid_dma_pages(PCIDevice *dev, uint32_t pasid,
                                      uint64_t addr, void *buf, uint64_t len,
                                      PasidIommuAccess access)
{
    PasidDmaResult result = { .status = PASID_DMA_OK };

    RCU_READ_LOCK_GUARD();
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

/* Most requests: of one page, which is RAM, and was asked about before.  False:
 * this is none of them, and nothing has happened. */
static inline bool pasid_dma_quickly(PCIDevice *dev, uint32_t pasid,
                                     uint64_t addr, void *buf, uint64_t len,
                                     bool is_write)
{
    const PasidRequester *r;
    PasidDmaPlace place;

    RCU_READ_LOCK_GUARD();
    r = pasid_dma_requester(dev);
    if (unlikely(!r || !r->iommu || pasid >> PASID_DMA_PASID_BITS ||
                 !pasid_dma_enabled(r->pasid_control) ||
                 !pasid_dma_may_master(dev))) {
        return false;
    }
    place = r->iommu_class->place(r->port, pasid_dma_source_id(r), pasid, addr,
                                  is_write);
    return len - 1 < place.bytes &&
           pasid_dma_move_ram(place.addr, buf, len, is_write);
}

static inline PasidDmaResult pasid_dma_rw(PCIDevice *dev, uint32_t pasid,
                                          uint64_t addr, void *buf,
                                          uint64_t len, bool is_write)
{
    if (likely(pasid_dma_quickly(dev, pasid, addr, buf, len, is_write))) {
        return (PasidDmaResult) { .status = PASID_DMA_OK, .done = len };
    }
    return pasid_dma_pages(dev, pasid, addr, buf, len,
                           is_write ? PASID_IOMMU_WRITE : PASID_IOMMU_READ);
}

PasidDmaResult pasid_dma_read(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                              void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, pasid, addr, buf, len, false);
}

PasidDmaResult pasid_dma_write(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                               const void *buf, uint64_t len)
{
    return pasid_dma_rw(dev, pasid, addr, (void *)buf, len, true);
}

PasidDmaResult pasid_dma_translate(PCIDevice *dev, uint32_t pasid,
                                   uint64_t addr, PasidDmaIntent intent,
                                   PasidDmaTranslation *out)
{
    PasidIommuAccess access = intent == PASID_DMA_NO_WRITE ?
        PASID_IOMMU_TRANSLATE_NO_WRITE : PASID_IOMMU_TRANSLATE;
    PasidDmaResult result = { 0 };

    RCU_READ_LOCK_GUARD();
    *out = (PasidDmaTranslation) { 0 };
    result.status = pasid_dma_ask(dev, pasid, addr, access, out);
    if (result.status != PASID_DMA_OK) {
        result.fault_addr = addr;
    }
    return result;
}

PasidDmaResult pasid_dma_read_translated(PCIDevice *dev, uint64_t addr,
                                         void *buf, uint64_t len)
{
    return pasid_dma_pages(dev, PASID_DMA_NO_PASID, addr, buf, len,
                           PASID_IOMMU_READ_TRANSLATED);
}

PasidDmaResult pasid_dma_write_translated(PCIDevice *dev, uint64_t addr,
                                          const void *buf, uint64_t len)
{
    return pasid_dma_pages(dev, PASID_DMA_NO_PASID, addr, (void *)buf, len,
                           PASID_IOMMU_WRITE_TRANSLATED);
}

/* ---- Page requests and invalidations ------------------------------------- */

/* A message that nobody on the way up understands is as one that failed. */
PasidPageStatus pasid_dma_page_request(PCIDevice *dev,
                                       const PasidPageRequest *request)
{
    const PasidRequester *r;

    RCU_READ_LOCK_GUARD();
    r = pasid_dma_requester(dev);
    if (!r || !r->iommu || !r->iommu_class->page_request ||
        pasid_dma_check_pasid(r->pasid_control, request->pasid) != PASID_DMA_OK) {
        return PASID_PAGE_FAILURE;
    }
    return r->iommu_class->page_request(r->iommu, pasid_dma_source_id(r),
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
