/*
 * adi: a PCI Express function with Assignable Device Interfaces.
 *
 * An endpoint that copies, fills, compares and checksums memory.  It has many
 * ADIs, each a page of registers that can be handed to a user program, and
 * each with a PASID of its own that tags all of its DMA; and a queue of the
 * function itself, whose DMA carries no PASID.  docs/adi-device.rst is its
 * programming manual, include/hw/misc/adi_regs.h its registers.
 *
 * This file is the function: configuration space, BARs and their decoding,
 * the parent driver's control blocks, reset and migration.  Accesses are of
 * four or eight bytes, naturally aligned; any other reads zero and does
 * nothing, and so does one where there is no register.
 *
 * Capabilities: PCI Express, MSI-X, PASID (20 bits, no execute, no
 * privileged), Scalable IOV DVSEC, function level reset; ATS and page requests
 * if asked for.  Not there: power management, INTx.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/pci/msix.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "system/system.h"
#include "adi.h"
#include "trace.h"

#define ADI_DEFAULT_ADIS    16

/* ---- BAR 0: the function's registers and control blocks ------------------ */

static uint64_t adi_capabilities(const AdiState *s)
{
    return s->adis |
           (uint64_t)ADI_RING_ORDER_MAX << ctz64(ADI_CAP_RING_ORDER_MAX) |
           (uint64_t)ADI_LEN_ORDER_MAX << ctz64(ADI_CAP_LEN_ORDER_MAX) |
           (uint64_t)ADI_PASID_BITS << ctz64(ADI_CAP_PASID_BITS) |
           (uint64_t)adi_work_opcodes() << ctz64(ADI_CAP_OPCODES);
}

static uint32_t adi_active_queues(const AdiState *s)
{
    uint32_t active = 0;
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        active += adi_queue_busy(&s->queues[i]);
    }
    return active;
}

static uint32_t adi_function_read(AdiState *s, hwaddr offset)
{
    AdiQueue *q = adi_function_queue(s);

    switch (offset) {
    case ADI_REG_ID:
        return ADI_ID_MAGIC;
    case ADI_REG_VERSION:
        return ADI_VERSION;
    case ADI_REG_CAP:
        return extract64(adi_capabilities(s), 0, 32);
    case ADI_REG_CAP + 4:
        return extract64(adi_capabilities(s), 32, 32);
    case ADI_REG_FUNC_CTRL:
        return q->enabled ? ADI_FUNC_CTRL_ENABLE : 0;
    case ADI_REG_FUNC_STATE:
        return adi_queue_state(q);
    case ADI_REG_ACTIVE:
        return adi_active_queues(s);
    default:
        return 0;
    }
}

/* Writing what is already there changes nothing, nor abandons any work. */
static void adi_set_enabled(AdiQueue *q, bool enable)
{
    if (enable && !q->enabled) {
        adi_queue_enable(q);
    } else if (!enable && q->enabled) {
        adi_queue_disable(q);
    }
}

static void adi_function_write(AdiState *s, hwaddr offset, uint32_t value)
{
    AdiQueue *q = adi_function_queue(s);

    switch (offset) {
    case ADI_REG_FUNC_CTRL:
        adi_set_enabled(q, value & ADI_FUNC_CTRL_ENABLE);
        break;
    case ADI_REG_FUNC_CMD:
        adi_queue_command(q, value);
        break;
    }
}

static uint32_t adi_block_read(AdiQueue *q, hwaddr offset)
{
    switch (offset) {
    case ADI_CTL_CTRL:
        return (q->enabled ? ADI_CTL_CTRL_ENABLE : 0) |
               (q->pasid_enabled ? ADI_CTL_CTRL_PASID_ENABLE : 0);
    case ADI_CTL_PASID:
        return q->pasid;
    case ADI_CTL_STATE:
        return adi_queue_state(q);
    case ADI_CTL_ERROR:
        return q->first_error;
    case ADI_CTL_ERROR_ADDR:
        return extract64(q->first_error_addr, 0, 32);
    case ADI_CTL_ERROR_ADDR + 4:
        return extract64(q->first_error_addr, 32, 32);
    case ADI_CTL_DONE:
        return extract64(q->completed, 0, 32);
    case ADI_CTL_DONE + 4:
        return extract64(q->completed, 32, 32);
    case ADI_CTL_BYTES:
        return extract64(q->bytes, 0, 32);
    case ADI_CTL_BYTES + 4:
        return extract64(q->bytes, 32, 32);
    default:
        return 0;
    }
}

/* Whose memory an ADI reaches is settled while it is disabled. */
static void adi_block_write_ctrl(AdiQueue *q, uint32_t value)
{
    bool enable = value & ADI_CTL_CTRL_ENABLE;

    if (!q->enabled || !enable) {
        q->pasid_enabled = value & ADI_CTL_CTRL_PASID_ENABLE;
    }
    adi_set_enabled(q, enable);
}

static void adi_block_write(AdiQueue *q, hwaddr offset, uint32_t value)
{
    switch (offset) {
    case ADI_CTL_CTRL:
        adi_block_write_ctrl(q, value);
        break;
    case ADI_CTL_PASID:
        if (!q->enabled) {
            q->pasid = value & MAKE_64BIT_MASK(0, ADI_PASID_BITS);
        }
        break;
    case ADI_CTL_CMD:
        adi_queue_command(q, value);
        break;
    }
}

/* ---- Decoding ------------------------------------------------------------ */

/* A 32-bit register somewhere: in one of the three kinds of register files. */
typedef struct AdiPlace {
    enum { ADI_NOWHERE, ADI_FUNCTION, ADI_BLOCK, ADI_PAGE } kind;
    AdiQueue *q;
    hwaddr offset;
} AdiPlace;

static AdiPlace adi_place_control(AdiState *s, hwaddr addr)
{
    uint64_t n;

    if (addr < ADI_FUNC_QUEUE) {
        return (AdiPlace) { ADI_FUNCTION, NULL, addr };
    }
    if (addr < ADI_CTL_BASE) {
        return (AdiPlace) { ADI_PAGE, adi_function_queue(s),
                            addr - ADI_FUNC_QUEUE };
    }
    n = (addr - ADI_CTL_BASE) / ADI_CTL_STRIDE;
    if (n >= s->adis) {
        return (AdiPlace) { ADI_NOWHERE };
    }
    return (AdiPlace) { ADI_BLOCK, &s->queues[n], addr % ADI_CTL_STRIDE };
}

static AdiPlace adi_place_pages(AdiState *s, hwaddr addr)
{
    uint64_t n = addr / ADI_PAGE_SIZE;

    if (n >= s->adis) {
        return (AdiPlace) { ADI_NOWHERE };
    }
    return (AdiPlace) { ADI_PAGE, &s->queues[n], addr % ADI_PAGE_SIZE };
}

static uint32_t adi_read(AdiState *s, AdiPlace place)
{
    switch (place.kind) {
    case ADI_FUNCTION:
        return adi_function_read(s, place.offset);
    case ADI_BLOCK:
        return adi_block_read(place.q, place.offset);
    case ADI_PAGE:
        return adi_queue_read(place.q, place.offset);
    default:
        return 0;
    }
}

static void adi_write(AdiState *s, AdiPlace place, uint32_t value)
{
    switch (place.kind) {
    case ADI_FUNCTION:
        adi_function_write(s, place.offset, value);
        break;
    case ADI_BLOCK:
        adi_block_write(place.q, place.offset, value);
        break;
    case ADI_PAGE:
        adi_queue_write(place.q, place.offset, value);
        break;
    default:
        break;
    }
}

typedef AdiPlace AdiPlaceFn(AdiState *s, hwaddr addr);

static bool adi_access_allowed(hwaddr addr, unsigned size)
{
    return (size == 4 || size == 8) && addr % size == 0;
}

static uint64_t adi_bar_read(AdiState *s, hwaddr addr, unsigned size,
                             AdiPlaceFn *place)
{
    uint64_t value;

    if (!adi_access_allowed(addr, size)) {
        return 0;
    }
    value = adi_read(s, place(s, addr));
    if (size == 8) {
        value |= (uint64_t)adi_read(s, place(s, addr + 4)) << 32;
    }
    return value;
}

static void adi_bar_write(AdiState *s, hwaddr addr, uint64_t value,
                          unsigned size, AdiPlaceFn *place)
{
    if (!adi_access_allowed(addr, size)) {
        return;
    }
    adi_write(s, place(s, addr), value);
    if (size == 8) {
        adi_write(s, place(s, addr + 4), value >> 32);
    }
}

static uint64_t adi_control_read(void *opaque, hwaddr addr, unsigned size)
{
    return adi_bar_read(opaque, addr, size, adi_place_control);
}

static void adi_control_write(void *opaque, hwaddr addr, uint64_t value,
                              unsigned size)
{
    adi_bar_write(opaque, addr, value, size, adi_place_control);
}

static uint64_t adi_pages_read(void *opaque, hwaddr addr, unsigned size)
{
    return adi_bar_read(opaque, addr, size, adi_place_pages);
}

static void adi_pages_write(void *opaque, hwaddr addr, uint64_t value,
                            unsigned size)
{
    adi_bar_write(opaque, addr, value, size, adi_place_pages);
}

/* Every access reaches adi_access_allowed(), which says what becomes of it. */
#define ADI_ACCESS_ANY { 1, 8, true }

static const MemoryRegionOps adi_control_ops = {
    .read = adi_control_read,
    .write = adi_control_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = ADI_ACCESS_ANY,
    .impl = ADI_ACCESS_ANY,
};

static const MemoryRegionOps adi_pages_ops = {
    .read = adi_pages_read,
    .write = adi_pages_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = ADI_ACCESS_ANY,
    .impl = ADI_ACCESS_ANY,
};

/* ---- Configuration space ------------------------------------------------- */

static void adi_add_pasid(PCIDevice *pdev)
{
    uint16_t pos = ADI_PASID_OFFSET;

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PASID, 1, pos,
                        PCI_EXT_CAP_PASID_SIZEOF);
    pci_set_word(pdev->config + pos + PCI_PASID_CAP,
                 ADI_PASID_BITS << ctz32(PCI_PASID_CAP_WIDTH));
    pci_set_word(pdev->wmask + pos + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
}

static void adi_reset_pasid(PCIDevice *pdev)
{
    pci_set_word(pdev->config + ADI_PASID_OFFSET + PCI_PASID_CTRL, 0);
}

/* Pages of 4 KiB are supported and used; no interrupt message storage. */
static void adi_add_siov(PCIDevice *pdev)
{
    uint8_t *cap = pdev->config + ADI_DVSEC_OFFSET;

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_DVSEC, 1, ADI_DVSEC_OFFSET,
                        ADI_SIOV_DVSEC_LEN);
    pci_set_long(cap + PCI_DVSEC_HEADER1,
                 ADI_SIOV_DVSEC_VENDOR | ADI_SIOV_DVSEC_LEN << 20);
    pci_set_word(cap + PCI_DVSEC_HEADER2, ADI_SIOV_DVSEC_ID);
    pci_set_long(cap + ADI_SIOV_PAGE_SIZES, 1);
    pci_set_long(cap + ADI_SIOV_PAGE_SIZE, 1);
}

static bool adi_add_capabilities(PCIDevice *pdev, Error **errp)
{
    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "adi: no room for the PCI Express capability");
        return false;
    }
    pcie_cap_flr_init(pdev);
    adi_add_pasid(pdev);
    adi_add_siov(pdev);
    if (ADI(pdev)->ats) {
        adi_atc_add_capability(ADI(pdev));
    }
    if (ADI(pdev)->pri) {
        adi_pri_add_capability(ADI(pdev));
    }
    return true;
}

static void adi_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                             int len)
{
    AdiState *s = ADI(pdev);
    bool pri_was_enabled = adi_pri_enabled(s);

    pci_default_write_config(pdev, addr, val, len);
    adi_atc_config_written(s);
    adi_pri_config_written(s, pri_was_enabled);
    pcie_cap_flr_write_config(pdev, addr, val, len);
}

/* ---- Life ---------------------------------------------------------------- */

static void adi_init_queues(AdiState *s)
{
    uint32_t i;

    s->nr_queues = s->adis + 1;
    s->queues = g_new0(AdiQueue, s->nr_queues);
    for (i = 0; i < s->nr_queues; i++) {
        s->queues[i].adi = s;
        s->queues[i].page.group = ADI_NO_GROUP;
        s->queues[i].index = i < s->adis ? i : ADI_INDEX_FUNCTION;
    }
}

static bool adi_init_msix(AdiState *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    uint32_t i;

    if (msix_init_exclusive_bar(pdev, s->nr_queues, ADI_BAR_MSIX, errp) < 0) {
        return false;
    }
    for (i = 0; i < s->nr_queues; i++) {
        msix_vector_use(pdev, i);
    }
    return true;
}

static void adi_init_bars(AdiState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    Object *obj = OBJECT(s);

    memory_region_init_io(&s->control, obj, &adi_control_ops, s,
                          "adi-control", ADI_BAR0_SIZE);
    memory_region_init_io(&s->pages, obj, &adi_pages_ops, s, "adi-pages",
                          (uint64_t)pow2ceil(s->adis) * ADI_PAGE_SIZE);
    pci_register_bar(pdev, ADI_BAR_CONTROL, PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &s->control);
    pci_register_bar(pdev, ADI_BAR_PAGES,
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->pages);
}

/* IOMMUs may come after the device on a command line: look when all is there */
static void adi_machine_done(Notifier *notifier, void *data)
{
    bool several = false;

    if (!object_resolve_path_type("", TYPE_PASID_IOMMU, &several) && !several) {
        warn_report("adi: no IOMMU of this machine understands PASIDs, so DMA "
                    "of ADIs will fail as unsupported requests; "
                    "add -device intel-iommu-sm");
    }
}

static bool adi_check_properties(AdiState *s, Error **errp)
{
    if (s->adis < 1 || s->adis > ADI_MAX_ADIS) {
        error_setg(errp, "adi: property 'adis' is the number of ADIs, "
                   "1 to %d, not %" PRIu32, ADI_MAX_ADIS, s->adis);
        return false;
    }
    if (!pci_bus_is_express(pci_get_bus(PCI_DEVICE(s)))) {
        error_setg(errp, "adi: PASIDs need a PCI Express bus; use "
                   "-machine q35 and its bus pcie.0, or a pcie-root-port");
        return false;
    }
    if (s->pri && !s->ats) {
        error_setg(errp, "adi: pri=on needs ats=on");
        return false;
    }
    return true;
}

static void adi_realize(PCIDevice *pdev, Error **errp)
{
    AdiState *s = ADI(pdev);

    if (!adi_check_properties(s, errp) || !adi_add_capabilities(pdev, errp)) {
        return;
    }
    adi_init_queues(s);
    adi_init_bars(s);
    if (!adi_init_msix(s, errp)) {
        pcie_cap_exit(pdev);
        return;
    }
    adi_sched_init(s);
    s->machine_done.notify = adi_machine_done;
    qemu_add_machine_init_done_notifier(&s->machine_done);
}

static void adi_reset_queues(AdiState *s)
{
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        adi_queue_reset(&s->queues[i]);
    }
}

/* A turn may be under way beneath us: queues are freed in adi_finalize(). */
static void adi_exit(PCIDevice *pdev)
{
    AdiState *s = ADI(pdev);

    qemu_remove_machine_init_done_notifier(&s->machine_done);
    adi_reset_queues(s);
    adi_sched_stop(s);
    msix_uninit_exclusive_bar(pdev);
    pcie_cap_exit(pdev);
}

static void adi_finalize(Object *obj)
{
    g_free(ADI(obj)->queues);
}

static void adi_reset_hold(Object *obj, ResetType type)
{
    AdiState *s = ADI(obj);

    trace_adi_reset(s->adis);
    adi_reset_queues(s);
    adi_reset_pasid(PCI_DEVICE(s));
    adi_atc_reset(s);
    adi_pri_reset(s);
}

/* ---- Migration ----------------------------------------------------------- */

static const VMStateDescription adi_vmstate_queue = {
    .name = "adi/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(enabled, AdiQueue),
        VMSTATE_BOOL(pasid_enabled, AdiQueue),
        VMSTATE_UINT32(pasid, AdiQueue),
        VMSTATE_BOOL(draining, AdiQueue),
        VMSTATE_BOOL(refused, AdiQueue),
        VMSTATE_UINT32(first_error, AdiQueue),
        VMSTATE_UINT64(first_error_addr, AdiQueue),
        VMSTATE_UINT64(completed, AdiQueue),
        VMSTATE_UINT64(bytes, AdiQueue),
        VMSTATE_UINT64(ring_base, AdiQueue),
        VMSTATE_UINT32(ring_order, AdiQueue),
        VMSTATE_UINT32(ctrl, AdiQueue),
        VMSTATE_UINT32(tail, AdiQueue),
        VMSTATE_UINT32(head, AdiQueue),
        VMSTATE_UINT32(error, AdiQueue),
        VMSTATE_UINT64(error_addr, AdiQueue),
        VMSTATE_BOOL(head_failed, AdiQueue),
        VMSTATE_BOOL(work.valid, AdiQueue),
        VMSTATE_UINT8_ARRAY(work.wire, AdiQueue, 64),
        VMSTATE_UINT32(work.done, AdiQueue),
        VMSTATE_UINT32(work.crc, AdiQueue),
        VMSTATE_END_OF_LIST()
    },
};

static int adi_post_load(void *opaque, int version_id)
{
    AdiState *s = opaque;
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        AdiQueue *q = &s->queues[i];

        adi_work_decode(&q->work);
        if (!adi_queue_sane(q)) {
            error_report("adi: queue %" PRIu32 " of the migration stream "
                         "contradicts itself", i);
            return -EINVAL;
        }
        adi_sched_kick(q);
    }
    return 0;
}

static const VMStateDescription adi_vmstate = {
    .name = TYPE_ADI,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = adi_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, AdiState),
        VMSTATE_MSIX(parent_obj, AdiState),
        VMSTATE_UINT32_EQUAL(nr_queues, AdiState,
                             "adi: both sides need the same number of adis"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(queues, AdiState, nr_queues,
                                             adi_vmstate_queue, AdiQueue),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- Messages of the IOMMU ----------------------------------------------- */

static void adi_invalidate(PasidDevice *dev, const PasidInvalidation *what)
{
    adi_atc_invalidate(ADI(dev), what);
}

static void adi_page_response(PasidDevice *dev,
                              const PasidPageResponse *response)
{
    adi_pri_response(ADI(dev), response);
}

/* ---- Type ---------------------------------------------------------------- */

static const Property adi_properties[] = {
    DEFINE_PROP_UINT32("adis", AdiState, adis, ADI_DEFAULT_ADIS),
    DEFINE_PROP_BOOL("ats", AdiState, ats, false),
    DEFINE_PROP_BOOL("pri", AdiState, pri, false),
};

static void adi_class_init(ObjectClass *class, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(class);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);
    ResettableClass *rc = RESETTABLE_CLASS(class);

    pc->realize = adi_realize;
    pc->exit = adi_exit;
    pc->config_write = adi_config_write;
    pc->vendor_id = ADI_VENDOR_ID;
    pc->device_id = ADI_DEVICE_ID;
    pc->class_id = ADI_CLASS;
    pc->revision = ADI_VERSION;
    rc->phases.hold = adi_reset_hold;
    dc->desc = "PCI Express function with Assignable Device Interfaces";
    dc->vmsd = &adi_vmstate;
    device_class_set_props(dc, adi_properties);
    object_class_property_set_description(class, "adis",
        "how many Assignable Device Interfaces, 1 to 1023");
    object_class_property_set_description(class, "ats",
        "address translation services: the function keeps translations");
    object_class_property_set_description(class, "pri",
        "page request interface: a DMA waits for a page that is missing");
    PASID_DEVICE_CLASS(class)->invalidate = adi_invalidate;
    PASID_DEVICE_CLASS(class)->page_response = adi_page_response;
    adi_stats_class_init(class);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo adi_types[] = {
    {
        .name = TYPE_ADI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(AdiState),
        .instance_finalize = adi_finalize,
        .class_init = adi_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_PASID_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(adi_types)
