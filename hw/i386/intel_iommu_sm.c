/*
 * intel-iommu-sm: an Intel VT-d remapping unit with scalable mode, for q35.
 *
 * This file is glue.  What the unit does is decided in dmar/; here it gets its
 * place in the machine: a register page, an address space for each PCI function
 * and for the IOAPIC, a way to memory and to the interrupt controllers, reset,
 * migration and observation.
 *
 * Locks.  Register accesses, reset, migration and the creation of address
 * spaces hold the BQL.  Translations come from any thread, with or without it.
 * The engine calls back with its own lock held, so a callback here may not
 * enter the engine, and may not take the BQL, whose holder may be waiting for
 * the engine.  Hence:
 *   - tables are read and written in RAM only, which needs no BQL;
 *   - what rebuilds memory regions, or asks for interrupts to be remapped anew,
 *     is noted in SmDeferred and done by sm_catch_up() when the engine has
 *     returned;
 *   - an interrupt of the unit itself goes out at once under the BQL, otherwise
 *     from a bottom half.
 *
 * Refused: shadowing of the guest's tables (MAP notifiers), hence assignment of
 * the simulator's own host devices; more than one unit; a bus that bypasses
 * the unit, for which its DMAR table has no words.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/boards.h"
#include "hw/i386/apic_internal.h"
#include "hw/i386/pc.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "hw/qdev-properties.h"
#include "kvm/kvm_i386.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "system/kvm.h"
#include "system/system.h"
#include "trace.h"

#include "intel_iommu_sm_internal.h"

#define SM_INTERRUPT_BASE   0xfee00000ull
#define SM_INTERRUPT_SIZE   0x00100000ull
#define SM_PAGE_MASK        0xfffull
#define SM_DOMAIN_BITS      16
#define SM_PASID_BITS_AUTO  UINT8_MAX
#define SM_HOST_WIDTH_MIN   36
#define SM_HOST_WIDTH_MAX   52

#define TYPE_SM_MEMORY_REGION "intel-iommu-sm-memory-region"

/*
 * The memory of one requester.  Under @root lie, lowest first: all of the
 * system's memory either as it is (@direct) or through the unit (@translated),
 * and the interrupt address range.  @bus is NULL for the IOAPIC.
 */
struct SmAddressSpace {
    SmIommu *iommu;
    PCIBus *bus;
    uint8_t devfn;
    AddressSpace as;
    MemoryRegion root;
    MemoryRegion direct;
    IOMMUMemoryRegion translated;
    MemoryRegion interrupts;
    QLIST_ENTRY(SmAddressSpace) notified;
};

/* The bus number is the guest's to change: compute this for each request. */
static uint16_t sm_source_id(const SmAddressSpace *space)
{
    uint8_t bus = space->bus ? pci_bus_num(space->bus) :
                               Q35_PSEUDO_BUS_PLATFORM;

    return PCI_BUILD_BDF(bus, space->devfn);
}

/* ---- The engine's host: memory ------------------------------------------- */

static bool sm_is_ram(uint64_t addr, hwaddr *len, bool is_write,
                      MemTxAttrs attrs)
{
    hwaddr offset;
    MemoryRegion *mr = address_space_translate(&address_space_memory, addr,
                                               &offset, len, is_write, attrs);

    return memory_access_is_direct(mr, is_write, attrs);
}

static bool sm_host_access(uint64_t addr, void *buf, size_t len, bool is_write)
{
    const MemTxAttrs attrs = { .memory = 1 };
    size_t done = 0;

    RCU_READ_LOCK_GUARD();
    while (done < len) {
        hwaddr chunk = len - done;

        if (addr + done < addr ||
            !sm_is_ram(addr + done, &chunk, is_write, attrs) ||
            address_space_rw(&address_space_memory, addr + done, attrs,
                             (uint8_t *)buf + done, chunk,
                             is_write) != MEMTX_OK) {
            return false;
        }
        done += chunk;
    }
    return true;
}

static bool sm_host_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    return sm_host_access(addr, buf, len, false);
}

static bool sm_host_write(void *opaque, uint64_t addr, const void *buf,
                          size_t len)
{
    return sm_host_access(addr, (void *)buf, len, true);
}

/* ---- The engine's host: interrupts --------------------------------------- */

static void sm_deliver(MSIMessage msg)
{
    apic_get_class(NULL)->send_msi(&msg);
}

/* A message of the unit itself: to the APICs, or plainly to memory. */
static void sm_deliver_own(MSIMessage msg)
{
    if ((uint32_t)msg.address >= SM_INTERRUPT_BASE &&
        (uint32_t)msg.address - SM_INTERRUPT_BASE < SM_INTERRUPT_SIZE) {
        sm_deliver(msg);
    } else {
        uint32_t data = cpu_to_le32(msg.data);

        sm_host_access(msg.address, &data, sizeof(data), true);
    }
}

static void sm_deliver_queued(void *opaque)
{
    SmIommu *s = opaque;
    g_autoptr(GArray) queue = NULL;

    WITH_QEMU_LOCK_GUARD(&s->msi_lock) {
        queue = s->msi_queue;
        s->msi_queue = g_array_new(false, false, sizeof(MSIMessage));
    }
    for (guint i = 0; i < queue->len; i++) {
        sm_deliver_own(g_array_index(queue, MSIMessage, i));
    }
}

static void sm_host_send_msi(void *opaque, uint64_t addr, uint32_t data)
{
    SmIommu *s = opaque;
    MSIMessage msg = { .address = addr, .data = data };

    if (bql_locked()) {
        sm_deliver_own(msg);
        return;
    }
    WITH_QEMU_LOCK_GUARD(&s->msi_lock) {
        g_array_append_val(s->msi_queue, msg);
    }
    qemu_bh_schedule(s->msi_bh);
}

/* ---- The engine's host: what it wants others to know --------------------- */

static void sm_host_remapping_changed(void *opaque, bool dma, bool interrupts)
{
    SmIommu *s = opaque;

    s->dma_remapping = dma;
    s->deferred.remapping = true;
}

static void sm_host_interrupts_dropped(void *opaque, uint16_t first,
                                       uint16_t last)
{
    SmDeferred *d = &((SmIommu *)opaque)->deferred;

    d->every_interrupt = d->interrupts || !is_power_of_2(last - first + 1);
    d->interrupts = true;
    d->first_interrupt = first;
    d->last_interrupt = last;
}

static void sm_host_device_tlb(void *opaque,
                               const DmarDeviceTlbInvalidation *what)
{
    SmIommu *s = opaque;
    SmAddressSpace *space;
    IOMMUTLBEvent event = {
        .type = IOMMU_NOTIFIER_DEVIOTLB_UNMAP,
        .entry = {
            .target_as = &address_space_memory,
            .iova = what->size ? what->addr & ~(what->size - 1) : 0,
            .addr_mask = what->size - 1,
            .perm = IOMMU_NONE,
        },
    };

    if (what->pasid != DMAR_NO_PASID && !what->every_pasid) {
        return;
    }
    QLIST_FOREACH(space, &s->notified, notified) {
        if (sm_source_id(space) == what->source_id) {
            memory_region_notify_iommu(&space->translated, 0, event);
        }
    }
}

static void sm_host_event(void *opaque, const DmarEvent *e)
{
    const char *name;

    switch (e->kind) {
    case DMAR_EVENT_REGISTER_WRITE:
        name = dmar_register_name(e->addr);
        trace_sm_register_write(name ? name : "none", e->addr, e->value);
        break;
    case DMAR_EVENT_COMMAND:
        trace_sm_command(e->addr, e->value);
        break;
    case DMAR_EVENT_CONTEXT:
        trace_sm_context(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_PASID_ENTRY:
        trace_sm_pasid_entry(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_WALK:
        trace_sm_walk(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_TRANSLATED:
        trace_sm_translated(e->source_id, e->pasid, e->addr, e->value,
                            e->detail);
        break;
    case DMAR_EVENT_FAULT:
        trace_sm_fault(e->source_id, e->pasid, e->addr, e->detail,
                       dmar_fault_name(e->detail), e->value);
        break;
    case DMAR_EVENT_DESCRIPTOR:
        trace_sm_descriptor(e->addr, e->value, e->detail);
        break;
    case DMAR_EVENT_QUEUE_ERROR:
        trace_sm_queue_error(e->addr, e->detail);
        break;
    case DMAR_EVENT_INTERRUPT:
        trace_sm_interrupt(e->source_id, e->addr, e->value);
        break;
    case DMAR_EVENT_MSI:
        trace_sm_msi(e->addr, e->value);
        break;
    default:
        break;
    }
}

static const DmarHost sm_host = {
    .read = sm_host_read,
    .write = sm_host_write,
    .send_msi = sm_host_send_msi,
    .remapping_changed = sm_host_remapping_changed,
    .interrupts_dropped = sm_host_interrupts_dropped,
    .device_tlb = sm_host_device_tlb,
    .event = sm_host_event,
};

/* ---- DMA without PASID: the memory API asks ------------------------------ */

static DmarAccess sm_access(IOMMUAccessFlags flag)
{
    return flag == IOMMU_NONE ? DMAR_PROBE :
           flag & IOMMU_WO ? DMAR_WRITE : DMAR_READ;
}

/*
 * A large page may lie around the interrupt address range, which is not
 * translated.  The memory API does not look for a hole in an answer.
 */
static uint64_t sm_mask_outside_interrupts(uint64_t addr, uint64_t mask)
{
    while (mask > SM_PAGE_MASK &&
           (addr & ~mask) < SM_INTERRUPT_BASE + SM_INTERRUPT_SIZE &&
           (addr | mask) >= SM_INTERRUPT_BASE) {
        mask >>= 1;
    }
    return mask;
}

static IOMMUTLBEntry sm_region_translate(IOMMUMemoryRegion *mr, hwaddr addr,
                                         IOMMUAccessFlags flag, int index)
{
    SmAddressSpace *space = container_of(mr, SmAddressSpace, translated);
    DmarRequest request = {
        .source_id = sm_source_id(space),
        .pasid = DMAR_NO_PASID,
        .addr = addr,
        .access = sm_access(flag),
        .type = DMAR_UNTRANSLATED,
    };
    IOMMUTLBEntry entry = {
        .target_as = &address_space_memory,
        .iova = addr & ~SM_PAGE_MASK,
        .addr_mask = SM_PAGE_MASK,
        .perm = IOMMU_NONE,
    };
    DmarTranslation answer;

    dmar_translate(space->iommu->dmar, &request, &answer);
    if (answer.completion == DMAR_SUCCESS) {
        entry.addr_mask = sm_mask_outside_interrupts(addr, answer.size - 1);
        entry.iova = addr & ~entry.addr_mask;
        entry.translated_addr = answer.addr & ~entry.addr_mask;
        entry.perm = IOMMU_ACCESS_FLAG(answer.read, answer.write);
    }
    return entry;
}

static int sm_region_notify_flag_changed(IOMMUMemoryRegion *mr,
                                         IOMMUNotifierFlag old,
                                         IOMMUNotifierFlag new, Error **errp)
{
    SmAddressSpace *space = container_of(mr, SmAddressSpace, translated);
    SmIommu *s = space->iommu;

    if (new & IOMMU_NOTIFIER_IOTLB_EVENTS) {
        error_setg(errp, "%s: " TYPE_INTEL_IOMMU_SM " does not follow changes "
                   "of the guest's tables, which this device's back end needs",
                   memory_region_name(&space->root));
        return -ENOTSUP;
    }
    if (new && !s->config.device_tlb) {
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

/* Only a MAP notifier could want this, and those are refused. */
static void sm_region_replay(IOMMUMemoryRegion *mr, IOMMUNotifier *n)
{
}

/* ---- DMA with PASID ------------------------------------------------------ */

static PasidDmaStatus sm_pasid_translate(PasidIommu *iommu, uint16_t sid,
                                         uint32_t pasid, uint64_t addr,
                                         PasidIommuAccess access,
                                         PasidDmaTranslation *out)
{
    static const PasidDmaStatus status[] = {
        [DMAR_SUCCESS] = PASID_DMA_OK,
        [DMAR_UNSUPPORTED_REQUEST] = PASID_DMA_UNSUPPORTED_REQUEST,
        [DMAR_COMPLETER_ABORT] = PASID_DMA_COMPLETER_ABORT,
    };
    bool asks = access == PASID_IOMMU_TRANSLATE ||
                access == PASID_IOMMU_TRANSLATE_NO_WRITE;
    DmarRequest request = {
        .source_id = sid,
        .pasid = pasid,
        .addr = addr,
        .access = access == PASID_IOMMU_WRITE ? DMAR_WRITE : DMAR_READ,
        .type = asks ? DMAR_TRANSLATION_REQUEST : DMAR_UNTRANSLATED,
        .no_write = access == PASID_IOMMU_TRANSLATE_NO_WRITE,
    };
    DmarTranslation answer;

    dmar_translate(INTEL_IOMMU_SM(iommu)->dmar, &request, &answer);
    *out = (PasidDmaTranslation) {
        .addr = answer.addr & ~(answer.size - 1),
        .size = answer.size,
        .read = answer.read,
        .write = answer.write,
    };
    return status[answer.completion];
}

/* ---- Interrupts of devices ----------------------------------------------- */

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

/* False: blocked, @out is untouched. */
static bool sm_remap(SmIommu *s, const DmarInterruptRequest *request,
                     MSIMessage *out)
{
    DmarInterrupt irq;

    switch (dmar_remap_interrupt(s->dmar, request, &irq)) {
    case DMAR_INTERRUPT_AS_IS:
        *out = (MSIMessage) { .address = request->addr,
                              .data = request->data };
        return true;
    case DMAR_INTERRUPT_REMAPPED:
        *out = sm_remapped_message(&irq, request->addr);
        return true;
    default:
        return false;
    }
}

static MemTxResult sm_interrupt_write(void *opaque, hwaddr addr,
                                      uint64_t value, unsigned size,
                                      MemTxAttrs attrs)
{
    SmAddressSpace *space = opaque;
    DmarInterruptRequest request = {
        .source_id = sm_source_id(space),
        .addr = SM_INTERRUPT_BASE + addr,
        .data = value,
        .size = size,
        .is_write = true,
    };
    MSIMessage msg;

    if (!sm_remap(space->iommu, &request, &msg)) {
        return MEMTX_ERROR;
    }
    sm_deliver(msg);
    return MEMTX_OK;
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
    return sm_remap(space->iommu, &request, &ignored) ? MEMTX_OK : MEMTX_ERROR;
}

static const MemoryRegionOps sm_interrupt_ops = {
    .read_with_attrs = sm_interrupt_read,
    .write_with_attrs = sm_interrupt_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* For interrupts that an accelerator routes; it does not name the IOAPIC. */
static int sm_int_remap(X86IOMMUState *iommu, MSIMessage *src, MSIMessage *dst,
                        uint16_t sid)
{
    DmarInterruptRequest request = {
        .source_id = sid != X86_IOMMU_SID_INVALID ? sid :
            PCI_BUILD_BDF(Q35_PSEUDO_BUS_PLATFORM, Q35_PSEUDO_DEVFN_IOAPIC),
        .addr = src->address,
        .data = src->data,
        .size = sizeof(src->data),
        .is_write = true,
    };

    return sm_remap(INTEL_IOMMU_SM(iommu), &request, dst) ? 0 : -EINVAL;
}

/* ---- Address spaces ------------------------------------------------------ */

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

static SmAddressSpace *sm_space_new(SmIommu *s, PCIBus *bus, uint8_t devfn,
                                    const char *name)
{
    SmAddressSpace *space = g_new0(SmAddressSpace, 1);
    MemoryRegion *system = get_system_memory();

    space->iommu = s;
    space->bus = bus;
    space->devfn = devfn;

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
    SmAddressSpace **spaces = g_hash_table_lookup(s->buses, bus);

    if (!spaces) {
        spaces = g_new0(SmAddressSpace *, PCI_DEVFN_MAX);
        g_hash_table_insert(s->buses, bus, spaces);
    }
    return spaces;
}

static AddressSpace *sm_get_address_space(PCIBus *bus, void *opaque, int devfn)
{
    SmAddressSpace **spaces = sm_spaces_of_bus(opaque, bus);

    if (!spaces[devfn]) {
        g_autofree char *name = g_strdup_printf("sm-%02x.%x", PCI_SLOT(devfn),
                                                PCI_FUNC(devfn));

        spaces[devfn] = sm_space_new(opaque, bus, devfn, name);
    }
    return &spaces[devfn]->as;
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

static void sm_switch_all(SmIommu *s)
{
    GHashTableIter iter;
    gpointer value;

    memory_region_transaction_begin();
    sm_space_switch(s->ioapic);
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
}

/* What the engine could not have done while it was locked. */
static void sm_catch_up(SmIommu *s)
{
    SmDeferred todo = s->deferred;

    s->deferred = (SmDeferred) { 0 };
    if (todo.remapping) {
        sm_switch_all(s);
    }
    if (todo.interrupts) {
        x86_iommu_iec_notify_all(X86_IOMMU_DEVICE(s), todo.every_interrupt,
                                 todo.first_interrupt,
                                 ctz32(todo.last_interrupt -
                                       todo.first_interrupt + 1));
    }
}

/* ---- Registers ----------------------------------------------------------- */

static uint64_t sm_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    SmIommu *s = opaque;

    return dmar_reg_read(s->dmar, addr, size);
}

static void sm_mmio_write(void *opaque, hwaddr addr, uint64_t value,
                          unsigned size)
{
    SmIommu *s = opaque;

    dmar_reg_write(s->dmar, addr, size, value);
    sm_catch_up(s);
}

/* The engine knows which accesses are none. */
static const MemoryRegionOps sm_mmio_ops = {
    .read = sm_mmio_read,
    .write = sm_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- What it saw --------------------------------------------------------- */

static void sm_append_pasid_row(const DmarPasidStats *row, void *data)
{
    QDict *object = qdict_new();
    g_autofree char *source = g_strdup_printf("%02x:%02x.%x",
                                              PCI_BUS_NUM(row->source_id),
                                              PCI_SLOT(row->source_id),
                                              PCI_FUNC(row->source_id));

    qdict_put_str(object, "source_id", source);
    if (row->pasid == DMAR_NO_PASID) {
        qdict_put_null(object, "pasid");
    } else {
        qdict_put_int(object, "pasid", row->pasid);
    }
    qdict_put_bool(object, "with_pasid", row->with_pasid);
    qdict_put_int(object, "domain", row->domain);
    qdict_put_int(object, "pgtt", row->pgtt);
    qdict_put_obj(object, "root", QOBJECT(qnum_from_uint(row->root)));
    qdict_put_int(object, "entry_fetches", row->entry_fetches);
    qdict_put_int(object, "translations", row->translations);
    qdict_put_int(object, "walks", row->walks);
    qdict_put_int(object, "faults", row->faults);
    qdict_put_int(object, "invalidations", row->invalidations);
    qlist_append(data, object);
}

static char *sm_to_json(QObject *object)
{
    return g_string_free(qobject_to_json(object), false);
}

static char *sm_get_pasid_stats(Object *obj, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);
    g_autoptr(QList) rows = qlist_new();

    if (s->dmar) {
        dmar_foreach_pasid(s->dmar, sm_append_pasid_row, rows);
    }
    return sm_to_json(QOBJECT(rows));
}

static char *sm_get_invalidation_stats(Object *obj, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);
    uint64_t counts[DMAR_DESCRIPTOR_TYPES] = { 0 };
    g_autoptr(QDict) object = qdict_new();

    if (s->dmar) {
        dmar_descriptor_counts(s->dmar, counts);
    }
    qdict_put_int(object, "faults", counts[0]);
    for (unsigned type = 1; type < DMAR_DESCRIPTOR_TYPES; type++) {
        if (counts[type]) {
            qdict_put_int(object, dmar_descriptor_name(type), counts[type]);
        }
    }
    return sm_to_json(QOBJECT(object));
}

/* ---- Reset and migration ------------------------------------------------- */

/* In the last phase, when no device does DMA any more. */
static void sm_reset_exit(Object *obj, ResetType type)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);

    dmar_reset(s->dmar);
    sm_catch_up(s);
}

static int sm_pre_save(void *opaque)
{
    SmIommu *s = opaque;

    dmar_save(s->dmar, &s->saved);
    return 0;
}

static int sm_post_load(void *opaque, int version)
{
    SmIommu *s = opaque;
    g_autoptr(GError) error = NULL;

    if (!dmar_load(s->dmar, &s->saved, &error)) {
        error_report(TYPE_INTEL_IOMMU_SM ": %s", error->message);
        return -EINVAL;
    }
    sm_catch_up(s);
    return 0;
}

static const VMStateDescription sm_vmstate = {
    .name = TYPE_INTEL_IOMMU_SM,
    .version_id = 1,
    .minimum_version_id = 1,
    .priority = MIG_PRI_IOMMU,
    .pre_save = sm_pre_save,
    .post_load = sm_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(saved.registers, SmIommu, DMAR_MMIO_SIZE),
        VMSTATE_UINT64(saved.root_latched, SmIommu),
        VMSTATE_UINT64(saved.irta_latched, SmIommu),
        VMSTATE_UINT32(saved.next_fault_record, SmIommu),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- Creation ------------------------------------------------------------ */

static uint8_t sm_host_width(const SmIommu *s)
{
    uint32_t cpu = X86_CPU(first_cpu)->phys_bits;

    return CLAMP(MIN(cpu, s->config.aw_bits), SM_HOST_WIDTH_MIN,
                 SM_HOST_WIDTH_MAX);
}

/* EIM only says what the interrupt table may hold: automatic as upstream. */
static bool sm_decide_eim(SmIommu *s, Error **errp)
{
    bool remaps = x86_iommu_ir_supported(X86_IOMMU_DEVICE(s));

    if (s->eim == ON_OFF_AUTO_AUTO) {
        s->eim = remaps && kvm_irqchip_in_kernel() ? ON_OFF_AUTO_ON
                                                   : ON_OFF_AUTO_OFF;
    }
    if (s->eim == ON_OFF_AUTO_ON && !remaps) {
        error_setg(errp, "eim=on needs intremap=on");
        return false;
    }
    if (s->eim == ON_OFF_AUTO_ON && kvm_irqchip_is_split() &&
        !kvm_enable_x2apic()) {
        error_setg(errp, "eim=on needs KVM's X2APIC_API, which this host "
                   "does not have; use eim=off");
        return false;
    }
    return true;
}

static bool sm_decide_config(SmIommu *s, Error **errp)
{
    X86IOMMUState *x86 = X86_IOMMU_DEVICE(s);
    DmarConfig *config = &s->config;

    if (!sm_decide_eim(s, errp)) {
        return false;
    }
    if (config->pasid_bits == SM_PASID_BITS_AUTO) {
        config->pasid_bits = config->scalable ? PASID_DMA_PASID_BITS : 0;
    }
    config->host_width = sm_host_width(s);
    config->domain_bits = SM_DOMAIN_BITS;
    config->pass_through = x86->pt_supported;
    config->device_tlb = x86->dt_supported;
    config->interrupt_remapping = x86_iommu_ir_supported(x86);
    config->x2apic = s->eim == ON_OFF_AUTO_ON;
    return true;
}

static bool sm_check_bus(PCIBus *bus, Error **errp)
{
    if (!pci_bus_is_express(bus)) {
        error_setg(errp, TYPE_INTEL_IOMMU_SM " needs a PCI Express root bus: "
                   "use -M q35");
        return false;
    }
    if (pci_bus_bypass_iommu(bus)) {
        error_setg(errp, TYPE_INTEL_IOMMU_SM " serves the whole root bus: it "
                   "cannot be used with default-bus-bypass-iommu=on");
        return false;
    }
    return true;
}

static bool sm_create_engine(SmIommu *s, Error **errp)
{
    g_autoptr(GError) error = NULL;

    s->dmar = dmar_new(&s->config, &sm_host, s, &error);
    if (!s->dmar) {
        error_setg(errp, TYPE_INTEL_IOMMU_SM ": %s", error->message);
        return false;
    }
    return true;
}

static void sm_realize(DeviceState *dev, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(dev);
    X86MachineState *machine = X86_MACHINE(qdev_get_machine());
    PCIBus *bus = PC_MACHINE(machine)->pcibus;

    if (!sm_check_bus(bus, errp) || !sm_decide_config(s, errp) ||
        !sm_create_engine(s, errp)) {
        return;
    }
    qemu_mutex_init(&s->msi_lock);
    s->msi_queue = g_array_new(false, false, sizeof(MSIMessage));
    s->msi_bh = qemu_bh_new(sm_deliver_queued, s);
    s->buses = g_hash_table_new(NULL, NULL);
    QLIST_INIT(&s->notified);

    memory_region_init_io(&s->mmio, OBJECT(s), &sm_mmio_ops, s,
                          TYPE_INTEL_IOMMU_SM, DMAR_MMIO_SIZE);
    memory_region_add_subregion(get_system_memory(), SM_MMIO_BASE, &s->mmio);

    s->ioapic = sm_space_new(s, NULL, Q35_PSEUDO_DEVFN_IOAPIC, "sm-ioapic");
    machine->ioapic_as = &s->ioapic->as;
    pci_setup_iommu(bus, &sm_iommu_ops, s);
}

static const Property sm_properties[] = {
    DEFINE_PROP_UINT8("aw-bits", SmIommu, config.aw_bits, 48),
    DEFINE_PROP_UINT8("pasid-bits", SmIommu, config.pasid_bits,
                      SM_PASID_BITS_AUTO),
    DEFINE_PROP_BOOL("scalable", SmIommu, config.scalable, true),
    DEFINE_PROP_UINT16("fault-records", SmIommu, config.fault_records, 8),
    DEFINE_PROP_BOOL("caching-mode", SmIommu, config.caching_mode, false),
    DEFINE_PROP_BOOL("snoop-control", SmIommu, config.snoop_control, true),
    DEFINE_PROP_ON_OFF_AUTO("eim", SmIommu, eim, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_BOOL("satc", SmIommu, satc, true),
};

static void sm_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Intel VT-d remapping unit with scalable mode";
    dc->hotpluggable = false;
    dc->vmsd = &sm_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, sm_properties);
    RESETTABLE_CLASS(klass)->phases.exit = sm_reset_exit;
    X86_IOMMU_DEVICE_CLASS(klass)->realize = sm_realize;
    X86_IOMMU_DEVICE_CLASS(klass)->int_remap = sm_int_remap;
    PASID_IOMMU_CLASS(klass)->translate = sm_pasid_translate;

    object_class_property_add_str(klass, "pasid-stats", sm_get_pasid_stats,
                                  NULL);
    object_class_property_set_description(klass, "pasid-stats",
        "JSON: what was seen of each (source-id, PASID) since reset");
    object_class_property_add_str(klass, "invalidation-stats",
                                  sm_get_invalidation_stats, NULL);
    object_class_property_set_description(klass, "invalidation-stats",
        "JSON: invalidation descriptors by type, and faults, since reset");
}

static void sm_region_class_init(ObjectClass *klass, void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(klass);

    imrc->translate = sm_region_translate;
    imrc->notify_flag_changed = sm_region_notify_flag_changed;
    imrc->replay = sm_region_replay;
}

static const TypeInfo sm_types[] = {
    {
        .name = TYPE_INTEL_IOMMU_SM,
        .parent = TYPE_X86_IOMMU_DEVICE,
        .instance_size = sizeof(SmIommu),
        .class_init = sm_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_PASID_IOMMU }, { } },
    }, {
        .name = TYPE_SM_MEMORY_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = sm_region_class_init,
    },
};

DEFINE_TYPES(sm_types)
