/*
 * intel-iommu-sm: the address spaces of requesters.
 *
 * Each PCI function, and the IOAPIC, sees memory through a space of its own.
 * DMA in it is translated by the engine once software has turned that on;
 * writes to the interrupt address range become interrupts, remapped or not.
 * Requests with PASID come through TYPE_PASID_IOMMU instead.
 *
 * Spaces are made and switched under the BQL; requests come from any thread.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/i386/x86.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "qapi/error.h"
#include "qemu/lockable.h"
#include "system/dma.h"
#include "trace.h"

#include "intel_iommu_sm_internal.h"

#define SM_PAGE_MASK        0xfffull

#define TYPE_SM_MEMORY_REGION "intel-iommu-sm-memory-region"

/*
 * The memory of one requester.  Under @root lie, lowest first: all of the
 * system's memory either as it is (@direct) or through the unit (@translated),
 * and the interrupt address range.
 */
struct SmAddressSpace {
    SmIommu *iommu;
    DmarHandle *handle;
    const uint8_t *bus_number;  /* where the guest says it */
    uint8_t fixed_bus_number;   /* there, of a root bus */
    uint8_t devfn;
    bool ioapic;
    AddressSpace as;
    MemoryRegion root;
    MemoryRegion direct;
    IOMMUMemoryRegion translated;
    MemoryRegion interrupts;
    QLIST_ENTRY(SmAddressSpace) notified;
};

/* The bus number is the guest's to change: ask for each request. */
static uint16_t sm_source_id(const SmAddressSpace *space)
{
    return PCI_BUILD_BDF(*space->bus_number, space->devfn);
}

/* ---- DMA without PASID: the memory API asks ------------------------------- */

static DmarAccess sm_access(IOMMUAccessFlags flag)
{
    return flag == IOMMU_NONE ? DMAR_PROBE :
           flag & IOMMU_WO ? DMAR_WRITE : DMAR_READ;
}

/* A handle tells no events: not while somebody wants them. */
static inline bool sm_is_watched(void)
{
    return trace_event_get_state_backends(TRACE_SM_TRANSLATED);
}

static G_NO_INLINE void sm_translate_watched(const SmAddressSpace *space,
                                             uint16_t sid, uint32_t pasid,
                                             uint64_t addr, DmarAccess access,
                                             DmarTranslation *out)
{
    DmarRequest request = {
        .source_id = sid, .pasid = pasid, .addr = addr, .access = access,
        .type = DMAR_UNTRANSLATED,
    };

    dmar_translate(space->iommu->dmar, &request, out);
}

static inline void sm_space_translate(const SmAddressSpace *space, uint16_t sid,
                                      uint32_t pasid, uint64_t addr,
                                      DmarAccess access, DmarTranslation *out)
{
    if (unlikely(sm_is_watched())) {
        sm_translate_watched(space, sid, pasid, addr, access, out);
    } else {
        dmar_handle_translate(space->handle, sid, pasid, addr, access, out);
    }
}

static IOMMUTLBEntry sm_region_translate(IOMMUMemoryRegion *mr, hwaddr addr,
                                         IOMMUAccessFlags flag, int index)
{
    const SmAddressSpace *space = container_of(mr, SmAddressSpace, translated);
    DmarTranslation answer;
    uint64_t inside;

    sm_space_translate(space, sm_source_id(space), DMAR_NO_PASID, addr,
                       sm_access(flag), &answer);
    if (unlikely(answer.completion != DMAR_SUCCESS)) {
        return (IOMMUTLBEntry) {
            .target_as = &address_space_memory,
            .iova = addr & ~SM_PAGE_MASK,
            .addr_mask = SM_PAGE_MASK,
            .perm = IOMMU_NONE,
        };
    }
    inside = answer.size - 1;
    return (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .iova = addr & ~inside,
        .translated_addr = answer.addr & ~inside,
        .addr_mask = inside,
        .perm = IOMMU_ACCESS_FLAG(answer.read, answer.write),
    };
}

/* ---- Those who keep translations ------------------------------------------ */

/*
 * Back ends of devices that keep translations of their own: as a device TLB,
 * which software invalidates by name, or unseen (IOMMU_NOTIFIER_UNMAP), as if
 * they were in the IOTLB.  Nobody is told of what was added (MAP): he would
 * have to be told the guest's tables.
 */
static int sm_region_notify_flag_changed(IOMMUMemoryRegion *mr,
                                         IOMMUNotifierFlag old,
                                         IOMMUNotifierFlag new, Error **errp)
{
    SmAddressSpace *space = container_of(mr, SmAddressSpace, translated);
    SmIommu *s = space->iommu;

    if (new & IOMMU_NOTIFIER_MAP) {
        error_setg(errp, "%s: " TYPE_INTEL_IOMMU_SM " does not follow changes "
                   "of the guest's tables, which this device's back end needs",
                   memory_region_name(&space->root));
        return -ENOTSUP;
    }
    if (new & IOMMU_NOTIFIER_DEVIOTLB_EVENTS && !s->config.device_tlb) {
        error_setg(errp, "%s: the device needs " TYPE_INTEL_IOMMU_SM
                   " with device-iotlb=on", memory_region_name(&space->root));
        return -ENOTSUP;
    }
    if (old == IOMMU_NOTIFIER_NONE && new != IOMMU_NOTIFIER_NONE) {
        QLIST_INSERT_HEAD(&s->notified, space, notified);
    } else if (old != IOMMU_NOTIFIER_NONE && new == IOMMU_NOTIFIER_NONE) {
        QLIST_REMOVE(space, notified);
    }
    return 0;
}

static IOMMUTLBEvent sm_gone(IOMMUNotifierFlag type, uint64_t addr,
                             uint64_t mask)
{
    return (IOMMUTLBEvent) {
        .type = type,
        .entry = {
            .target_as = &address_space_memory,
            .iova = addr,
            .addr_mask = mask,
            .perm = IOMMU_NONE,
        },
    };
}

/* A device-TLB invalidation; the memory API crops what it says. */
static void sm_space_drop(SmAddressSpace *space,
                          const DmarDeviceTlbInvalidation *what)
{
    IOMMUTLBEvent event = sm_gone(IOMMU_NOTIFIER_DEVIOTLB_UNMAP, what->addr,
                                  what->size - 1);
    IOMMUNotifier *n;

    IOMMU_NOTIFIER_FOREACH(n, &space->translated) {
        if (n->notifier_flags & event.type) {
            memory_region_notify_iommu_one(n, &event);
        }
    }
}

static void sm_tell_device(SmIommu *s, const DmarDeviceTlbInvalidation *what)
{
    PasidInvalidation invalidation = {
        .pasid = what->pasid,
        .every_pasid = what->every_pasid,
        .addr = what->addr,
        .last = what->addr + (what->size - 1),
    };

    pasid_dma_invalidate(sm_device_of_source(s, what->source_id),
                         &invalidation);
}

void sm_spaces_drop(SmIommu *s, const DmarDeviceTlbInvalidation *what)
{
    SmAddressSpace *space;

    sm_tell_device(s, what);
    if (what->pasid != DMAR_NO_PASID && !what->every_pasid) {
        return;
    }
    QLIST_FOREACH(space, &s->notified, notified) {
        if (sm_source_id(space) == what->source_id) {
            sm_space_drop(space, what);
        }
    }
}

/* Those who keep translations unseen: in pieces, within what they look at. */
static void sm_forget_range(IOMMUNotifier *n, uint64_t first, uint64_t last)
{
    bool more;

    first = MAX(first, n->start);
    last = MIN(last, n->end);
    more = first <= last;
    while (more) {
        uint64_t mask = dma_aligned_pow2_mask(first, last, 64);
        IOMMUTLBEvent event = sm_gone(IOMMU_NOTIFIER_UNMAP, first, mask);

        memory_region_notify_iommu_one(n, &event);
        more = mask < last - first;
        first += mask + 1;
    }
}

static void sm_space_forget(SmAddressSpace *space, uint64_t first, uint64_t last)
{
    IOMMUNotifier *n;

    IOMMU_NOTIFIER_FOREACH(n, &space->translated) {
        if (n->notifier_flags & IOMMU_NOTIFIER_UNMAP) {
            sm_forget_range(n, first, last);
        }
    }
}

/* Software had translations dropped. */
void sm_spaces_forget(void *opaque, const DmarForgotten *what)
{
    SmIommu *s = opaque;
    SmAddressSpace *space;
    uint64_t first, last;

    QLIST_FOREACH(space, &s->notified, notified) {
        if (dmar_forgotten_by(s->dmar, what, sm_source_id(space), &first,
                              &last)) {
            sm_space_forget(space, first, last);
        }
    }
}

/* Only who asks for MAP could want this, and is refused. */
static void sm_region_replay(IOMMUMemoryRegion *mr, IOMMUNotifier *n)
{
}

/* ---- DMA with PASID ------------------------------------------------------- */

/* The kinds of request, in the engine's terms. */
static const struct {
    DmarAccess access;
    DmarAddressType type;
    bool no_write;
} sm_pasid_requests[] = {
    [PASID_IOMMU_READ] = { DMAR_READ, DMAR_UNTRANSLATED },
    [PASID_IOMMU_WRITE] = { DMAR_WRITE, DMAR_UNTRANSLATED },
    [PASID_IOMMU_TRANSLATE] = { DMAR_READ, DMAR_TRANSLATION_REQUEST },
    [PASID_IOMMU_TRANSLATE_NO_WRITE] = {
        DMAR_READ, DMAR_TRANSLATION_REQUEST, .no_write = true },
    [PASID_IOMMU_READ_TRANSLATED] = { DMAR_READ, DMAR_TRANSLATED },
    [PASID_IOMMU_WRITE_TRANSLATED] = { DMAR_WRITE, DMAR_TRANSLATED },
};

QEMU_BUILD_BUG_ON(PASID_DMA_NO_PASID != DMAR_NO_PASID);

PasidDmaPlace sm_pasid_place(void *port, uint16_t sid, uint32_t pasid,
                             uint64_t addr, bool is_write)
{
    const SmAddressSpace *space = port;
    DmarPlace place = { 0 };

    if (likely(!sm_is_watched())) {
        place = dmar_handle_place(space->handle, sid, pasid, addr,
                                  is_write ? DMAR_WRITE : DMAR_READ);
    }
    return (PasidDmaPlace) { place.addr, place.bytes };
}

PasidDmaStatus sm_pasid_translate(void *port, uint16_t sid, uint32_t pasid,
                                  uint64_t addr, PasidIommuAccess access,
                                  PasidDmaTranslation *out)
{
    static const PasidDmaStatus status[] = {
        [DMAR_SUCCESS] = PASID_DMA_OK,
        [DMAR_UNSUPPORTED_REQUEST] = PASID_DMA_UNSUPPORTED_REQUEST,
        [DMAR_COMPLETER_ABORT] = PASID_DMA_COMPLETER_ABORT,
    };
    const SmAddressSpace *space = port;
    DmarRequest request = {
        .source_id = sid,
        .pasid = pasid,
        .addr = addr,
        .access = sm_pasid_requests[access].access,
        .type = sm_pasid_requests[access].type,
        .no_write = sm_pasid_requests[access].no_write,
    };
    DmarTranslation answer;

    if (request.type == DMAR_UNTRANSLATED) {
        sm_space_translate(space, sid, pasid, addr, request.access, &answer);
    } else {
        dmar_translate(space->iommu->dmar, &request, &answer);
    }
    *out = (PasidDmaTranslation) {
        .addr = answer.addr & ~(answer.size - 1),
        .size = answer.size,
        .read = answer.read,
        .write = answer.write,
        .untranslated = answer.untranslated_only,
    };
    return status[answer.completion];
}

PasidPageStatus sm_pasid_page_request(PasidIommu *iommu, uint16_t sid,
                                      const PasidPageRequest *request)
{
    DmarPageRequest page = {
        .source_id = sid,
        .pasid = request->pasid,
        .addr = request->addr,
        .read = request->read,
        .write = request->write,
        .group = request->group,
        .last = request->last,
    };
    DmarPageResponse response;

    return dmar_page_request(INTEL_IOMMU_SM(iommu)->dmar, &page, &response)
           ? response.code : PASID_PAGE_PENDING;
}

void sm_pasid_page_response(void *opaque, const DmarPageResponse *response)
{
    PasidPageResponse message = {
        .pasid = response->pasid,
        .group = response->group,
        .status = response->code,
    };

    pasid_dma_page_response(sm_device_of_source(opaque, response->source_id),
                            &message);
}

/* ---- Interrupts of devices ------------------------------------------------ */

/*
 * The IOAPIC has a source-id of its own, which the DMAR table gives.  Its
 * interrupts are those of other devices, though, and software that was made
 * for QEMU's own units, which do not know the IOAPIC's, names the device's in
 * an entry.  So that of the IOAPIC is verified only if verify-ioapic=on.
 */
static MSIMessage sm_remapped_message(const DmarInterrupt *irq, uint64_t addr)
{
    X86IOMMUIrq fields = {
        .trigger_mode = irq->level,
        .vector = irq->vector,
        .delivery_mode = irq->delivery_mode,
        .dest = irq->destination,
        .dest_mode = irq->logical,
        .redir_hint = irq->redirection_hint,
        .msi_addr_last_bits = addr & 3,
    };
    MSIMessage msg;

    x86_iommu_irq_to_msi_message(&fields, &msg);
    return msg;
}

typedef enum SmInterrupt {
    SM_INTERRUPT_BLOCKED,
    SM_INTERRUPT_SILENT,        /* all is done: posted, without notification */
    SM_INTERRUPT_MESSAGE,       /* there is a message to deliver */
} SmInterrupt;

/* @out is written if there is a message. */
static SmInterrupt sm_remap(SmIommu *s, const DmarInterruptRequest *request,
                            MSIMessage *out)
{
    DmarInterrupt irq;

    switch (dmar_remap_interrupt(s->dmar, request, &irq)) {
    case DMAR_INTERRUPT_AS_IS:
        *out = (MSIMessage) { .address = request->addr,
                              .data = request->data };
        return SM_INTERRUPT_MESSAGE;
    case DMAR_INTERRUPT_REMAPPED:
    case DMAR_INTERRUPT_NOTIFY:
        *out = sm_remapped_message(&irq, request->addr);
        return SM_INTERRUPT_MESSAGE;
    case DMAR_INTERRUPT_POSTED:
        return SM_INTERRUPT_SILENT;
    case DMAR_INTERRUPT_BLOCKED:
        break;
    }
    return SM_INTERRUPT_BLOCKED;
}

static MemTxResult sm_interrupt_write(void *opaque, hwaddr addr,
                                      uint64_t value, unsigned size,
                                      MemTxAttrs attrs)
{
    SmAddressSpace *space = opaque;
    DmarInterruptRequest request = {
        .source_id = sm_source_id(space),
        .source_unknown = space->ioapic && !space->iommu->verify_ioapic,
        .addr = SM_INTERRUPT_BASE + addr,
        .data = value,
        .size = size,
        .is_write = true,
    };
    MSIMessage msg;

    switch (sm_remap(space->iommu, &request, &msg)) {
    case SM_INTERRUPT_MESSAGE:
        sm_deliver(msg);
        return MEMTX_OK;
    case SM_INTERRUPT_SILENT:
        return MEMTX_OK;
    case SM_INTERRUPT_BLOCKED:
        break;
    }
    return MEMTX_ERROR;
}

static MemTxResult sm_interrupt_read(void *opaque, hwaddr addr,
                                     uint64_t *value, unsigned size,
                                     MemTxAttrs attrs)
{
    SmAddressSpace *space = opaque;
    DmarInterruptRequest request = {
        .source_id = sm_source_id(space),
        .addr = SM_INTERRUPT_BASE + addr,
        .size = size,
    };
    MSIMessage ignored;

    *value = 0;
    return sm_remap(space->iommu, &request, &ignored) == SM_INTERRUPT_BLOCKED
           ? MEMTX_ERROR : MEMTX_OK;
}

static const MemoryRegionOps sm_interrupt_ops = {
    .read_with_attrs = sm_interrupt_read,
    .write_with_attrs = sm_interrupt_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/*
 * For interrupts that an accelerator routes.  It asks the first unit for all of
 * the machine's, and does not name the IOAPIC.  It asks when it makes a route,
 * not for each interrupt, and so cannot post: with such an accelerator the unit
 * has no posted entries (sm_decide_pi()).
 */
int sm_int_remap(X86IOMMUState *iommu, MSIMessage *src, MSIMessage *dst,
                 uint16_t sid)
{
    bool ioapic = sid == X86_IOMMU_SID_INVALID;
    SmIommu *s = ioapic ? INTEL_IOMMU_SM(iommu) : sm_unit_of_source(sid);
    DmarInterruptRequest request = {
        .source_id = ioapic ? sm_source_id(s->ioapic) : sid,
        .source_unknown = ioapic && !s->verify_ioapic,
        .addr = src->address,
        .data = src->data,
        .size = sizeof(src->data),
        .is_write = true,
    };

    return sm_remap(s, &request, dst) == SM_INTERRUPT_MESSAGE ? 0 : -EINVAL;
}

/* ---- Address spaces ------------------------------------------------------- */

/* Off first: the two must never be seen on top of each other. */
static void sm_space_switch(SmAddressSpace *space)
{
    MemoryRegion *translated = MEMORY_REGION(&space->translated);
    bool translate = space->iommu->dma_remapping;

    trace_sm_switch_address_space(memory_region_name(&space->root), translate);
    memory_region_transaction_begin();
    memory_region_set_enabled(translate ? &space->direct : translated, false);
    memory_region_set_enabled(translate ? translated : &space->direct, true);
    memory_region_transaction_commit();
}

static SmAddressSpace *sm_space_new(SmIommu *s, uint8_t devfn, const char *name)
{
    SmAddressSpace *space = g_new0(SmAddressSpace, 1);
    MemoryRegion *system = get_system_memory();

    space->iommu = s;
    space->devfn = devfn;
    space->bus_number = &space->fixed_bus_number;
    space->handle = dmar_handle_new(s->dmar);

    memory_region_init(&space->root, OBJECT(s), name, UINT64_MAX);
    memory_region_init_alias(&space->direct, OBJECT(s), "sm-direct", system, 0,
                             memory_region_size(system));
    memory_region_init_iommu(&space->translated, sizeof(space->translated),
                             TYPE_SM_MEMORY_REGION, OBJECT(s), "sm-translated",
                             UINT64_MAX);
    memory_region_init_io(&space->interrupts, OBJECT(s), &sm_interrupt_ops,
                          space, "sm-interrupts", SM_INTERRUPT_SIZE);
    /* A register write may make a device raise an interrupt. */
    space->interrupts.disable_reentrancy_guard = true;

    memory_region_add_subregion_overlap(&space->root, 0, &space->direct, 0);
    memory_region_add_subregion_overlap(&space->root, 0,
                                        MEMORY_REGION(&space->translated), 0);
    memory_region_add_subregion_overlap(&space->root, SM_INTERRUPT_BASE,
                                        &space->interrupts, 1);
    sm_space_switch(space);
    address_space_init(&space->as, &space->root, name);
    return space;
}

/* The spaces of a bus, by device and function; made when first asked for. */
static SmAddressSpace **sm_spaces_of_bus(SmIommu *s, PCIBus *bus)
{
    SmAddressSpace **spaces;

    QEMU_LOCK_GUARD(&s->buses_lock);
    spaces = g_hash_table_lookup(s->buses, bus);
    if (!spaces) {
        spaces = g_new0(SmAddressSpace *, PCI_DEVFN_MAX);
        g_hash_table_insert(s->buses, bus, spaces);
    }
    return spaces;
}

/* Under the BQL, unless the device has had one since it was realized. */
static SmAddressSpace *sm_space_of(SmIommu *s, PCIBus *bus, int devfn)
{
    SmAddressSpace **spaces = sm_spaces_of_bus(s, bus);

    if (!spaces[devfn]) {
        g_autofree char *name = g_strdup_printf("sm-%s-%02x.%x",
                                                bus->qbus.name, PCI_SLOT(devfn),
                                                PCI_FUNC(devfn));

        spaces[devfn] = sm_space_new(s, devfn, name);
    }
    return spaces[devfn];
}

/* A bus may be another one that lies where the old one did. */
static void sm_space_enter(SmAddressSpace *space, PCIBus *bus)
{
    if (pci_bus_is_root(bus)) {
        space->fixed_bus_number = pci_bus_num(bus);
    } else {
        space->bus_number = bus->parent_dev->config + PCI_SECONDARY_BUS;
    }
}

/* Each device asks when it comes. */
static AddressSpace *sm_get_address_space(PCIBus *bus, void *opaque, int devfn)
{
    PCIDevice *dev = bus->devices[devfn];
    SmIommu *s = dev ? sm_unit_of_device(dev) : opaque;
    SmAddressSpace *space = sm_space_of(s, bus, devfn);

    sm_space_enter(space, bus);
    return &space->as;
}

void *sm_pasid_port(PasidIommu *iommu, PCIDevice *dev)
{
    return sm_space_of(INTEL_IOMMU_SM(iommu), pci_get_bus(dev), dev->devfn);
}

static bool sm_set_iommu_device(PCIBus *bus, void *opaque, int devfn,
                                HostIOMMUDevice *hiod, Error **errp)
{
    error_setg(errp, TYPE_INTEL_IOMMU_SM " does not support devices of the "
               "host: it would have to follow changes of the guest's tables");
    return false;
}

static const PCIIOMMUOps sm_iommu_ops = {
    .get_address_space = sm_get_address_space,
    .set_iommu_device = sm_set_iommu_device,
};

/* What was answered before is not true any more, of a device's TLB either:
 * a unit that does not translate answers no translation requests. */
static void sm_keepers_forget(SmIommu *s)
{
    SmAddressSpace *space;
    IOMMUNotifier *n;

    QLIST_FOREACH(space, &s->notified, notified) {
        IOMMU_NOTIFIER_FOREACH(n, &space->translated) {
            IOMMUTLBEvent event =
                sm_gone(n->notifier_flags & IOMMU_NOTIFIER_UNMAP ?
                        IOMMU_NOTIFIER_UNMAP : IOMMU_NOTIFIER_DEVIOTLB_UNMAP,
                        n->start, n->end - n->start);

            memory_region_notify_iommu_one(n, &event);
        }
    }
}

/* Who keeps translations watches a region while it is there: tell those that
 * do before, and those that do after. */
void sm_spaces_switch(SmIommu *s)
{
    GHashTableIter iter;
    gpointer value;

    sm_keepers_forget(s);
    memory_region_transaction_begin();
    if (s->ioapic) {
        sm_space_switch(s->ioapic);
    }
    g_hash_table_iter_init(&iter, s->buses);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SmAddressSpace **spaces = value;

        for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
            if (spaces[devfn]) {
                sm_space_switch(spaces[devfn]);
            }
        }
    }
    memory_region_transaction_commit();
    sm_keepers_forget(s);
}

void sm_spaces_init(SmIommu *s)
{
    qemu_mutex_init(&s->buses_lock);
    s->buses = g_hash_table_new(NULL, NULL);
    QLIST_INIT(&s->notified);
    if (sm_serves_rest(s)) {
        s->ioapic = sm_space_new(s, Q35_PSEUDO_DEVFN_IOAPIC, "sm-ioapic");
        s->ioapic->ioapic = true;
        s->ioapic->fixed_bus_number = Q35_PSEUDO_BUS_PLATFORM;
        X86_MACHINE(qdev_get_machine())->ioapic_as = &s->ioapic->as;
    }
    pci_setup_iommu(s->bus, &sm_iommu_ops, s);
}

static void sm_region_class_init(ObjectClass *klass, void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(klass);

    imrc->translate = sm_region_translate;
    imrc->notify_flag_changed = sm_region_notify_flag_changed;
    imrc->replay = sm_region_replay;
}

static const TypeInfo sm_space_types[] = {
    {
        .name = TYPE_SM_MEMORY_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = sm_region_class_init,
    },
};

DEFINE_TYPES(sm_space_types)
