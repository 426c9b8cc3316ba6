/*
 * Interrupt remapping by intel-iommu-sm: edu's MSIs, as the local APIC gets
 * them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

#define REG_IRTA        0x0b8
#define GCMD_CFI        (1u << 23)
#define GCMD_SIRTP      (1u << 24)
#define GCMD_IRE        (1u << 25)
#define IRTA_EIME       (1ull << 11)
#define IRTA_256        7               /* 2^(7 + 1) entries */

#define INDEX           5u
#define VECTOR          0x51
#define OTHER_VECTOR    0x63
#define AS_IS_VECTOR    0x72
#define AS_IS_ADDR      0xfee00000ull

/* Fault reasons [VT-d 5.1.4.1]. */
enum {
    IR_REQUEST_RESERVED = 0x20,
    IR_INDEX_BEYOND = 0x21,
    IR_NOT_PRESENT = 0x22,
    IR_ENTRY_RESERVED = 0x24,
    IR_COMPATIBILITY_BLOCKED = 0x25,
    IR_SOURCE_INVALID = 0x26,
};

typedef struct IrBed {
    SmBed bed;
    uint64_t table;
} IrBed;

/* An entry that any source may use. */
static void entry_set(IrBed *ir, unsigned index, uint8_t vector)
{
    qtest_writeq(ir->bed.qts, ir->table + index * 16 + 8, 0);
    qtest_writeq(ir->bed.qts, ir->table + index * 16,
                 (uint64_t)vector << 16 | 1);
}

/* The address of an MSI in remappable form. */
static uint64_t remappable(unsigned index)
{
    return AS_IS_ADDR | (index & 0x7fff) << 5 | 1 << 4 | (index >> 15) << 2;
}

static void ir_open(IrBed *ir, const char *props, uint64_t irta_flags)
{
    sm_bed_open(&ir->bed, props, "");
    ir->table = sm_page(&ir->bed.sm);
    sm_writeq(&ir->bed.sm, SM_REG_IQA, ir->bed.sm.queue | SM_IQA_WIDE);
    sm_command(&ir->bed.sm, SM_GCMD_QIE);
    sm_writeq(&ir->bed.sm, REG_IRTA, ir->table | irta_flags | IRTA_256);
    sm_command(&ir->bed.sm, GCMD_SIRTP);
    sm_command(&ir->bed.sm, GCMD_IRE);
}

/* Does the local APIC hold a request for @vector? */
static bool requested(SmBed *bed, uint8_t vector)
{
    g_autofree char *info = qtest_hmp(bed->qts, "info lapic 0");
    g_autofree char *wanted = g_strdup_printf(" %u ", vector);
    char *irr = strstr(info, "IRR");

    g_assert_nonnull(irr);
    irr[strcspn(irr, "\r\n")] = 0;
    return strstr(irr, wanted);
}

static void raise_msi(IrBed *ir, uint64_t addr, uint16_t data)
{
    edu_msi_set(&ir->bed.edu, addr, data);
    edu_interrupt(&ir->bed.edu);
}

/* Of an interrupt, the index stands where the address would. */
static void assert_blocked(IrBed *ir, uint8_t reason)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&ir->bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, ir->bed.edu.f.sid);
    g_assert_false(requested(&ir->bed, VECTOR));
    g_assert_false(requested(&ir->bed, AS_IS_VECTOR));
}

static void drop_entry(IrBed *ir, unsigned index)
{
    sm_invalidate(&ir->bed.sm, (uint64_t)index << 32 | 1 << 4 | 4, 0);
}

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
    assert_blocked(&ir, IR_INDEX_BEYOND);
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
    assert_blocked(&ir, IR_COMPATIBILITY_BLOCKED);
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

/* The pin, edge-triggered, asks for entry @index. */
static void ioapic_raise(IrBed *ir, unsigned index)
{
    ioapic_write(ir, 0x11 + 2 * IOAPIC_PIN, index << 17 | 1 << 16);
    ioapic_write(ir, 0x10 + 2 * IOAPIC_PIN, VECTOR);
    qtest_set_irq_in(ir->bed.qts, IOAPIC_PATH, "unnamed-gpio-in", IOAPIC_PIN,
                     1);
    qtest_set_irq_in(ir->bed.qts, IOAPIC_PATH, "unnamed-gpio-in", IOAPIC_PIN,
                     0);
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
    qtest_add_func("/sm/interrupt/dma-is-no-interrupt",
                   test_dma_to_interrupt_range);
    return g_test_run();
}
