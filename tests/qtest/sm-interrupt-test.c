/*
 * Interrupt remapping by intel-iommu-sm: edu's MSIs, as the local APIC gets
 * them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-interrupt.h"

#define INDEX           5u
#define VECTOR          0x51
#define OTHER_VECTOR    0x63
#define AS_IS_VECTOR    0x72

/* Fault reasons [VT-d 5.1.4.1]. */
enum {
    IR_REQUEST_RESERVED = 0x20,
    IR_INDEX_BEYOND = 0x21,
    IR_NOT_PRESENT = 0x22,
    IR_ENTRY_ACCESS = 0x23,
    IR_ENTRY_RESERVED = 0x24,
    IR_COMPATIBILITY_BLOCKED = 0x25,
    IR_SOURCE_INVALID = 0x26,
    IR_POSTED_ACCESS = 0x27,
    IR_POSTED_RESERVED = 0x28,
    IR_BAD_ACCESS = 0x29,
};

static void ir_open(IrBed *ir, const char *props, uint64_t irta_flags)
{
    sm_bed_open(&ir->bed, props, "");
    ir_start(ir, irta_flags);
}

/* Of an interrupt, the index stands where the address would, in its bits
 * 63:48; 0 if the request has none. */
static void assert_blocked_at(IrBed *ir, uint8_t reason, unsigned index)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&ir->bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, ir->bed.edu.f.sid);
    g_assert_cmphex(fault.page, ==, (uint64_t)index << 48);
    g_assert_false(fault.with_pasid);
    g_assert_false(requested(&ir->bed, VECTOR));
    g_assert_false(requested(&ir->bed, AS_IS_VECTOR));
}

static void assert_blocked(IrBed *ir, uint8_t reason)
{
    assert_blocked_at(ir, reason, INDEX);
}

static void drop_entry(IrBed *ir, unsigned index)
{
    sm_invalidate(&ir->bed.sm, (uint64_t)index << 32 | 1 << 4 | 4, 0);
}

/* ---- Messages ------------------------------------------------------------ */

static void test_as_is_while_off(void)
{
    IrBed ir;

    sm_bed_open(&ir.bed, "", "");
    raise_msi(&ir, AS_IS_ADDR, AS_IS_VECTOR);
    g_assert_true(requested(&ir.bed, AS_IS_VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_as_is_without_capability(void)
{
    IrBed ir;

    sm_bed_open(&ir.bed, "intremap=off", "");
    raise_msi(&ir, AS_IS_ADDR, AS_IS_VECTOR);
    g_assert_true(requested(&ir.bed, AS_IS_VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_as_is_while_translating(void)
{
    IrBed ir;

    sm_bed_open(&ir.bed, "", "");
    sm_start(&ir.bed.sm);
    raise_msi(&ir, AS_IS_ADDR, AS_IS_VECTOR);
    g_assert_true(requested(&ir.bed, AS_IS_VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_remapped(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_remapped_while_translating(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    sm_writeq(&ir.bed.sm, SM_REG_RTADDR, ir.bed.sm.root | SM_RTADDR_SCALABLE);
    sm_command(&ir.bed.sm, SM_GCMD_SRTP);
    sm_command(&ir.bed.sm, SM_GCMD_TE);
    entry_set(&ir, INDEX, VECTOR);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

/* With SHV, the data is added to the index. */
static void test_subhandle(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX + 3, VECTOR);
    raise_msi(&ir, remappable(INDEX) | 1 << 3, 3);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_destination(const void *data)
{
    bool x2apic = data;
    IrBed ir;

    /* A destination of 32 bits, or of 8 bits in 47:40: not our APIC 0. */
    ir_open(&ir, "eim=on", x2apic ? IRTA_EIME : 0);
    entry_set(&ir, INDEX, VECTOR);
    qtest_writel(ir.bed.qts, ir.table + INDEX * 16 + 4,
                 x2apic ? 0x07 : 0x0700);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_false(requested(&ir.bed, VECTOR));
    entry_set(&ir, INDEX, VECTOR);
    drop_entry(&ir, INDEX);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_stale_entry(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    raise_msi(&ir, remappable(INDEX), 0);
    entry_set(&ir, INDEX, OTHER_VECTOR);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_false(requested(&ir.bed, OTHER_VECTOR));
    drop_entry(&ir, INDEX + 1);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_false(requested(&ir.bed, OTHER_VECTOR));
    drop_entry(&ir, INDEX);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, OTHER_VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_not_present(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_NOT_PRESENT);
    sm_bed_close(&ir.bed);
}

static void test_beyond_table(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    raise_msi(&ir, remappable(256), 0);
    assert_blocked_at(&ir, IR_INDEX_BEYOND, 256);
    sm_bed_close(&ir.bed);
}

static void irta_set(IrBed *ir, uint64_t table)
{
    sm_writeq(&ir->bed.sm, REG_IRTA, table | IRTA_256);
    sm_command(&ir->bed.sm, GCMD_SIRTP);
    sm_invalidate(&ir->bed.sm, 4, 0);
}

static void test_table_nowhere(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    irta_set(&ir, 0x80000000);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_ENTRY_ACCESS);
    irta_set(&ir, ir.table);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_entry_reserved(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    qtest_writeq(ir.bed.qts, ir.table + INDEX * 16 + 8, 1ull << 63);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_ENTRY_RESERVED);
    sm_bed_close(&ir.bed);
}

static void test_source(void)
{
    const uint64_t exact = 1ull << 18;  /* SVT 1, SQ 0 */
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    qtest_writeq(ir.bed.qts, ir.table + INDEX * 16 + 8,
                 exact | (ir.bed.edu.f.sid + 8));
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_SOURCE_INVALID);
    qtest_writeq(ir.bed.qts, ir.table + INDEX * 16 + 8,
                 exact | ir.bed.edu.f.sid);
    drop_entry(&ir, INDEX);
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_compatibility(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    raise_msi(&ir, AS_IS_ADDR, AS_IS_VECTOR);
    assert_blocked_at(&ir, IR_COMPATIBILITY_BLOCKED, 0);
    sm_command(&ir.bed.sm, GCMD_CFI);
    raise_msi(&ir, AS_IS_ADDR, AS_IS_VECTOR);
    g_assert_true(requested(&ir.bed, AS_IS_VECTOR));
    sm_bed_close(&ir.bed);
}

/* ---- The IOAPIC ---------------------------------------------------------- */

#define IOAPIC          0xfec00000ull
#define IOAPIC_PATH     "/machine/q35/ioapic"
#define IOAPIC_PIN      20
#define IOAPIC_SID      0xff00

/* Only @sid may use the entry. */
static void entry_verify(IrBed *ir, unsigned index, uint16_t sid)
{
    qtest_writeq(ir->bed.qts, ir->table + index * 16 + 8, 1 << 18 | sid);
}

static void ioapic_write(IrBed *ir, unsigned reg, uint32_t value)
{
    qtest_writel(ir->bed.qts, IOAPIC, reg);
    qtest_writel(ir->bed.qts, IOAPIC + 0x10, value);
}

#define RTE_LEVEL       (1u << 15)

/* The pin asks for entry @index; @trigger is 0 (edge) or RTE_LEVEL. */
static void ioapic_raise_by(IrBed *ir, unsigned index, uint32_t trigger)
{
    ioapic_write(ir, 0x11 + 2 * IOAPIC_PIN, index << 17 | 1 << 16);
    ioapic_write(ir, 0x10 + 2 * IOAPIC_PIN, VECTOR | trigger);
    qtest_set_irq_in(ir->bed.qts, IOAPIC_PATH, "unnamed-gpio-in", IOAPIC_PIN,
                     1);
    qtest_set_irq_in(ir->bed.qts, IOAPIC_PATH, "unnamed-gpio-in", IOAPIC_PIN,
                     0);
}

static void ioapic_raise(IrBed *ir, unsigned index)
{
    ioapic_raise_by(ir, index, 0);
}

static void test_ioapic(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    ioapic_raise(&ir, INDEX);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_ioapic_for_a_device(void)
{
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    entry_verify(&ir, INDEX, ir.bed.edu.f.sid);
    ioapic_raise(&ir, INDEX);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

static void test_ioapic_verified(void)
{
    IrBed ir;
    SmFault fault;

    ir_open(&ir, "verify-ioapic=on", 0);
    entry_set(&ir, INDEX, VECTOR);
    entry_verify(&ir, INDEX, ir.bed.edu.f.sid);
    ioapic_raise(&ir, INDEX);
    g_assert_false(requested(&ir.bed, VECTOR));
    g_assert_true(sm_fault_take(&ir.bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, IR_SOURCE_INVALID);
    g_assert_cmphex(fault.sid, ==, IOAPIC_SID);

    entry_verify(&ir, INDEX, IOAPIC_SID);
    drop_entry(&ir, INDEX);
    ioapic_raise(&ir, INDEX);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

/* ---- Posting ------------------------------------------------------------- */

#define NOTIFICATION    0xa5
#define PID_CONTROL     32
#define PID_ON          1u
#define PID_SN          2u
#define IRTE_URG        (1u << 14)
#define IRTE_IM         (1u << 15)

/* Whoever uses the entry posts VECTOR at @addr. */
static void posted_entry_set(IrBed *ir, uint64_t addr, uint64_t flags)
{
    uint64_t entry = ir->table + INDEX * 16;

    qtest_writeq(ir->bed.qts, entry + 8, addr >> 32 << 32);
    qtest_writeq(ir->bed.qts, entry, addr << 32 | VECTOR << 16 | IRTE_IM |
                 flags | 1);
}

/* Its reader is at the APIC @destination.  Answers with where it is. */
static uint64_t descriptor_new(IrBed *ir, unsigned destination, uint32_t flags)
{
    uint64_t addr = sm_page(&ir->bed.sm) + 0x1c0;

    qtest_writel(ir->bed.qts, addr + PID_CONTROL, NOTIFICATION << 16 | flags);
    qtest_writel(ir->bed.qts, addr + PID_CONTROL + 4, destination);
    return addr;
}

static uint32_t control_of(IrBed *ir, uint64_t descriptor)
{
    return qtest_readl(ir->bed.qts, descriptor + PID_CONTROL);
}

/* VECTOR is recorded, and not delivered as it is. */
static void assert_posted(IrBed *ir, uint64_t descriptor)
{
    g_assert_cmphex(qtest_readq(ir->bed.qts, descriptor + VECTOR / 64 * 8), ==,
                    1ull << VECTOR % 64);
    g_assert_false(requested(&ir->bed, VECTOR));
}

typedef struct Posting {
    const char *name;
    uint64_t irta_flags;
    unsigned destination;
    uint32_t control;
    uint64_t entry;
    bool on, notified;
} Posting;

static const Posting postings[] = {
    { "notified", 0, 0, 0, 0, true, true },
    { "notified-by-x2apic-id", IRTA_EIME, 0, 0, 0, true, true },
    { "notified-elsewhere", 0, 7 << 8, 0, 0, true, false },
    { "notified-elsewhere-by-x2apic-id", IRTA_EIME, 7, 0, 0, true, false },
    { "suppressed", 0, 0, PID_SN, 0, false, false },
    { "suppressed-but-urgent", 0, 0, PID_SN, IRTE_URG, true, true },
    { "notified-before", 0, 0, PID_ON, IRTE_URG, true, false },
};

static void test_posted(const void *data)
{
    const Posting *p = data;
    uint64_t descriptor;
    IrBed ir;

    ir_open(&ir, "eim=on", p->irta_flags);
    descriptor = descriptor_new(&ir, p->destination, p->control);
    posted_entry_set(&ir, descriptor, p->entry);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_posted(&ir, descriptor);
    g_assert_cmphex(control_of(&ir, descriptor), ==,
                    NOTIFICATION << 16 | (p->control & PID_SN) | p->on);
    g_assert_cmpint(requested(&ir.bed, NOTIFICATION), ==, p->notified);
    sm_bed_close(&ir.bed);
}

/* Level-triggered or not, it is posted and notified as an edge. */
static void test_posted_by_the_ioapic(const void *data)
{
    uint32_t trigger = GPOINTER_TO_UINT(data);
    uint64_t descriptor;
    IrBed ir;

    ir_open(&ir, "", 0);
    descriptor = descriptor_new(&ir, 0, 0);
    posted_entry_set(&ir, descriptor, 0);
    ioapic_raise_by(&ir, INDEX, trigger);
    assert_posted(&ir, descriptor);
    g_assert_true(requested(&ir.bed, NOTIFICATION));
    sm_bed_close(&ir.bed);
}

/* Neither what is not there, nor a device: the unit itself. */
static void test_posted_outside_memory(void)
{
    static const uint64_t places[] = { 1ull << 35, SM_UNIT_BASE + 0x40 };
    unsigned i;
    IrBed ir;

    ir_open(&ir, "", 0);
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        posted_entry_set(&ir, places[i], 0);
        raise_msi(&ir, remappable(INDEX), 0);
        assert_blocked(&ir, IR_POSTED_ACCESS);
    }
    sm_bed_close(&ir.bed);
}

static void test_posted_reserved(void)
{
    uint64_t descriptor;
    IrBed ir;

    ir_open(&ir, "", 0);
    descriptor = descriptor_new(&ir, 0, 1u << 2);
    posted_entry_set(&ir, descriptor, 0);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_POSTED_RESERVED);
    g_assert_cmphex(control_of(&ir, descriptor), ==,
                    NOTIFICATION << 16 | 1u << 2);
    sm_bed_close(&ir.bed);
}

static void test_posted_without_capability(void)
{
    IrBed ir;

    ir_open(&ir, "pi=off", 0);
    posted_entry_set(&ir, descriptor_new(&ir, 0, 0), 0);
    raise_msi(&ir, remappable(INDEX), 0);
    assert_blocked(&ir, IR_ENTRY_RESERVED);
    sm_bed_close(&ir.bed);
}

/* ---- Messages by DMA ----------------------------------------------------- */

/* A message may have what the register of an MSI has no room for. */
static void store_message(IrBed *ir, uint64_t addr, uint32_t data)
{
    qtest_writel(ir->bed.qts, sm_bed_page(0), data);
    edu_copy(&ir->bed.edu, sm_bed_page(0), addr, 4);
}

static void test_request_reserved(void)
{
    uint64_t with_subhandle = remappable(INDEX - 3) | 1 << 3;
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    store_message(&ir, with_subhandle, 1 << 16 | 3);
    assert_blocked_at(&ir, IR_REQUEST_RESERVED, INDEX - 3);
    store_message(&ir, with_subhandle, 3);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

typedef struct Access {
    const char *path;
    void (*make)(Edu *edu, uint64_t addr, uint64_t len);
    uint64_t len;
} Access;

static const Access bad_accesses[] = {
    { "/sm/interrupt/bad-access/read", edu_load, 4 },
    { "/sm/interrupt/bad-access/short-write", edu_store, 2 },
    { "/sm/interrupt/bad-access/long-write", edu_store, 8 },
};

static void test_bad_access(const void *data)
{
    const Access *access = data;
    IrBed ir;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, VECTOR);
    access->make(&ir.bed.edu, remappable(INDEX), access->len);
    assert_blocked_at(&ir, IR_BAD_ACCESS, 0);
    store_message(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

/* ---- What is no interrupt ------------------------------------------------ */

/* A device's ordinary DMA is no interrupt just because of where it goes. */
static void test_dma_to_interrupt_range(void)
{
    IrBed ir;
    SmFault fault;

    ir_open(&ir, "", 0);
    entry_set(&ir, INDEX, 0);
    edu_store(&ir.bed.edu, remappable(INDEX), 64);
    g_assert_true(sm_fault_take(&ir.bed.sm, &fault));
    while (sm_fault_take(&ir.bed.sm, &fault)) {
    }
    sm_writel(&ir.bed.sm, SM_REG_FSTS, SM_FSTS_PFO);
    g_assert_false(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/interrupt/as-is-while-off", test_as_is_while_off);
    qtest_add_func("/sm/interrupt/as-is-without-capability",
                   test_as_is_without_capability);
    qtest_add_func("/sm/interrupt/as-is-while-translating",
                   test_as_is_while_translating);
    qtest_add_func("/sm/interrupt/remapped", test_remapped);
    qtest_add_func("/sm/interrupt/remapped-while-translating",
                   test_remapped_while_translating);
    qtest_add_func("/sm/interrupt/subhandle-is-added", test_subhandle);
    qtest_add_data_func("/sm/interrupt/xapic-destination", NULL,
                        test_destination);
    qtest_add_data_func("/sm/interrupt/x2apic-destination",
                        GUINT_TO_POINTER(1), test_destination);
    qtest_add_func("/sm/interrupt/entry-stays-until-invalidated",
                   test_stale_entry);
    qtest_add_func("/sm/interrupt/entry-not-present", test_not_present);
    qtest_add_func("/sm/interrupt/index-beyond-table", test_beyond_table);
    qtest_add_func("/sm/interrupt/table-nowhere", test_table_nowhere);
    qtest_add_func("/sm/interrupt/reserved-bit-in-entry",
                   test_entry_reserved);
    qtest_add_func("/sm/interrupt/source-is-verified", test_source);
    qtest_add_func("/sm/interrupt/compatibility-form-needs-leave",
                   test_compatibility);
    qtest_add_func("/sm/interrupt/ioapic-is-remapped", test_ioapic);
    qtest_add_func("/sm/interrupt/ioapic-speaks-for-a-device",
                   test_ioapic_for_a_device);
    qtest_add_func("/sm/interrupt/ioapic-is-verified-on-request",
                   test_ioapic_verified);
    for (i = 0; i < G_N_ELEMENTS(postings); i++) {
        g_autofree char *path = g_strdup_printf("/sm/interrupt/posted/%s",
                                                postings[i].name);

        qtest_add_data_func(path, &postings[i], test_posted);
    }
    qtest_add_data_func("/sm/interrupt/posted/by-the-ioapic", NULL,
                        test_posted_by_the_ioapic);
    qtest_add_data_func("/sm/interrupt/posted/by-the-ioapic-s-level",
                        GUINT_TO_POINTER(RTE_LEVEL), test_posted_by_the_ioapic);
    qtest_add_func("/sm/interrupt/posted/outside-memory",
                   test_posted_outside_memory);
    qtest_add_func("/sm/interrupt/posted/reserved-bit-in-descriptor",
                   test_posted_reserved);
    qtest_add_func("/sm/interrupt/posted/needs-the-capability",
                   test_posted_without_capability);
    qtest_add_func("/sm/interrupt/reserved-bit-in-request",
                   test_request_reserved);
    for (i = 0; i < G_N_ELEMENTS(bad_accesses); i++) {
        qtest_add_data_func(bad_accesses[i].path, &bad_accesses[i],
                            test_bad_access);
    }
    qtest_add_func("/sm/interrupt/dma-is-no-interrupt",
                   test_dma_to_interrupt_range);
    return g_test_run();
}
