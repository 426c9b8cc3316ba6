/*
 * intel-iommu-sm: an Intel VT-d remapping unit with scalable mode, for q35.
 *
 * This file is glue.  What the unit does is decided in dmar/; here it gets its
 * place in the machine: a register page, an address space for each PCI function
 * and for the IOAPIC, a way to memory and to the interrupt controllers, reset,
 * migration and observation.
 *
 * Its files: this one is the device itself; intel_iommu_sm_config.c makes its
 * configuration of properties, intel_iommu_sm_host.c is what the engine asks
 * for, intel_iommu_sm_scope.c which of several units serves whom,
 * intel_iommu_sm_space.c what requesters see, intel_iommu_sm_ats.c invalidations
 * of device TLBs, and intel_iommu_sm_acpi.c what firmware tells.
 *
 * Locks.  Register accesses, reset, migration and the creation of address
 * spaces hold the BQL.  Translations come from any thread, with or without it.
 *
 * Refused: shadowing of the guest's tables (MAP notifiers), hence assignment of
 * the simulator's own host devices; a bus that bypasses the units, for which
 * the DMAR table has no words.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"

#include "intel_iommu_sm_internal.h"

/* What the engine could not have done while it was locked. */
void sm_catch_up(SmIommu *s)
{
    SmDeferred todo = s->deferred;

    s->deferred = (SmDeferred) { 0 };
    if (todo.remapping) {
        sm_spaces_switch(s);
    }
    if (todo.interrupts) {
        /* Whoever routes interrupts of any unit asks the machine's. */
        x86_iommu_iec_notify_all(x86_iommu_get_default(), todo.every_interrupt,
                                 todo.first_interrupt,
                                 ctz32(todo.last_interrupt -
                                       todo.first_interrupt + 1));
    }
}

/* ---- Registers ------------------------------------------------------------ */

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

/* ---- What it saw ---------------------------------------------------------- */

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

/* ---- Reset and migration -------------------------------------------------- */

/* In the last phase, when no device does DMA any more. */
static void sm_reset_exit(Object *obj, ResetType type)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);

    dmar_reset(s->dmar);
    sm_ats_reset(s);
    sm_catch_up(s);
}

static int sm_pre_save(void *opaque)
{
    SmIommu *s = opaque;

    dmar_save(s->dmar, &s->saved);
    return 0;
}

/* The subsection may be missing. */
static int sm_pre_load(void *opaque)
{
    SmIommu *s = opaque;

    s->saved.in_flight = (DmarInFlight) { 0 };
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
    sm_ats_load(s, &s->saved.in_flight);
    sm_catch_up(s);
    return 0;
}

static bool sm_in_flight_needed(void *opaque)
{
    const DmarInFlight *f = &((SmIommu *)opaque)->saved.in_flight;

    return f->itags || f->waits;
}

static const VMStateDescription sm_vmstate_request = {
    .name = TYPE_INTEL_IOMMU_SM "/in-flight/request",
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(source_id, DmarInFlightRequest),
        VMSTATE_UINT8(answers, DmarInFlightRequest),
        VMSTATE_UINT32(group, DmarInFlightRequest),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription sm_vmstate_wait = {
    .name = TYPE_INTEL_IOMMU_SM "/in-flight/wait",
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_ARRAY(word, DmarInFlightWait, 2),
        VMSTATE_UINT32(group, DmarInFlightWait),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription sm_vmstate_in_flight = {
    .name = TYPE_INTEL_IOMMU_SM "/in-flight",
    .needed = sm_in_flight_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(saved.in_flight.itags, SmIommu),
        VMSTATE_STRUCT_ARRAY(saved.in_flight.request, SmIommu, DMAR_ITAGS, 0,
                             sm_vmstate_request, DmarInFlightRequest),
        VMSTATE_UINT32(saved.in_flight.waits, SmIommu),
        VMSTATE_STRUCT_ARRAY(saved.in_flight.wait, SmIommu, DMAR_MOST_WAITS, 0,
                             sm_vmstate_wait, DmarInFlightWait),
        VMSTATE_UINT32(saved.in_flight.group, SmIommu),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription sm_vmstate = {
    .name = TYPE_INTEL_IOMMU_SM,
    .version_id = 2,
    .minimum_version_id = 2,
    .priority = MIG_PRI_IOMMU,
    .pre_save = sm_pre_save,
    .pre_load = sm_pre_load,
    .post_load = sm_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(saved.host_width, SmIommu),
        VMSTATE_UINT8_ARRAY(saved.registers, SmIommu, DMAR_MMIO_SIZE),
        VMSTATE_UINT64(saved.root_latched, SmIommu),
        VMSTATE_UINT64(saved.irta_latched, SmIommu),
        VMSTATE_UINT32(saved.next_fault_record, SmIommu),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &sm_vmstate_in_flight,
        NULL
    },
};

/* ---- Creation ------------------------------------------------------------- */

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

uint64_t sm_mmio_base(const SmIommu *s)
{
    return SM_MMIO_BASE + s->number * DMAR_MMIO_SIZE;
}

static void sm_realize(DeviceState *dev, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(dev);

    if (!sm_decide_config(s, errp) || !sm_create_engine(s, errp) ||
        !sm_scope_init(s, errp)) {
        return;
    }
    pasid_dma_init();
    sm_host_init(s);
    sm_spaces_init(s);
    memory_region_init_io(&s->mmio, OBJECT(s), &sm_mmio_ops, s,
                          TYPE_INTEL_IOMMU_SM, dmar_mmio_size(&s->config));
    memory_region_add_subregion(get_system_memory(), sm_mmio_base(s), &s->mmio);
}

static const Property sm_properties[] = {
    DEFINE_PROP_STRING("profile", SmIommu, profile),
    DEFINE_PROP_LINK("primary-bus", SmIommu, bus, TYPE_PCI_BUS, PCIBus *),
    DEFINE_PROP_UINT8("aw-bits", SmIommu, numbers.aw_bits, SM_AUTO),
    DEFINE_PROP_UINT8("min-aw-bits", SmIommu, numbers.min_aw_bits, SM_AUTO),
    DEFINE_PROP_UINT8("mamv", SmIommu, numbers.mamv, SM_AUTO),
    DEFINE_PROP_UINT8("pasid-bits", SmIommu, numbers.pasid_bits, SM_AUTO),
    DEFINE_PROP_UINT8("nd", SmIommu, numbers.nd, SM_AUTO),
    DEFINE_PROP_UINT8("version", SmIommu, numbers.version, SM_AUTO),
    DEFINE_PROP_UINT16("fault-records", SmIommu, numbers.fault_records,
                       SM_AUTO16),
    DEFINE_PROP_UINT8("perf-counters", SmIommu, numbers.perf_counters, SM_AUTO),
    DEFINE_PROP_ON_OFF_AUTO("dma-drain", SmIommu, dma_drain, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_UINT32("device-tlb-timeout", SmIommu, device_tlb_timeout, 1000),
    DEFINE_PROP_BOOL("satc", SmIommu, satc, true),
    DEFINE_PROP_BOOL("verify-ioapic", SmIommu, verify_ioapic, false),
};

static void sm_instance_init(Object *obj)
{
    sm_ats_init(INTEL_IOMMU_SM(obj));
}

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
    PASID_IOMMU_CLASS(klass)->port = sm_pasid_port;
    PASID_IOMMU_CLASS(klass)->place = sm_pasid_place;
    PASID_IOMMU_CLASS(klass)->translate = sm_pasid_translate;
    PASID_IOMMU_CLASS(klass)->page_request = sm_pasid_page_request;

    sm_config_class_init(klass);
    sm_ats_class_init(klass);
    object_class_property_add_str(klass, "pasid-stats", sm_get_pasid_stats,
                                  NULL);
    object_class_property_set_description(klass, "pasid-stats",
        "JSON: what was seen of each (source-id, PASID) since reset");
    object_class_property_add_str(klass, "invalidation-stats",
                                  sm_get_invalidation_stats, NULL);
    object_class_property_set_description(klass, "invalidation-stats",
        "JSON: invalidation descriptors by type, and faults, since reset");
}

static const TypeInfo sm_types[] = {
    {
        .name = TYPE_INTEL_IOMMU_SM,
        .parent = TYPE_X86_IOMMU_DEVICE,
        .instance_size = sizeof(SmIommu),
        .instance_init = sm_instance_init,
        .class_init = sm_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_PASID_IOMMU }, { } },
    },
};

DEFINE_TYPES(sm_types)
