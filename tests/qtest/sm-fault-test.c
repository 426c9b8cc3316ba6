/*
 * What intel-iommu-sm refuses of edu's DMA, and how it says so: reasons,
 * records, overflow, interrupt.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

#define IOVA            SM_BED_IOVA
#define DOMAIN          SM_BED_DOMAIN
#define RID_PASID       SM_BED_RID_PASID

/* Fault reasons [VT-d 7.1.3]. */
enum {
    ROOT_ACCESS = 0x38,
    ROOT_NOT_PRESENT = 0x39,
    CONTEXT_NOT_PRESENT = 0x41,
    CONTEXT_RESERVED = 0x42,
    PASID_ENTRY_NOT_PRESENT = 0x59,
    SS_NOT_PRESENT = 0x79,
    WRITE_DENIED = 0x85,
    READ_DENIED = 0x86,
};

static void test_unmapped(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    edu_load(&bed.edu, IOVA + 2 * SM_PAGE, 4);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, IOVA + 2 * SM_PAGE, true);
    edu_store(&bed.edu, IOVA - SM_PAGE, 4);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, IOVA - SM_PAGE, false);
    sm_bed_close(&bed);
}

static void test_read_only(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");

    sm_map(&bed.sm, &map, IOVA + 4 * SM_PAGE, sm_bed_blank(&bed, 4), 1, SM_R);
    edu_load(&bed.edu, IOVA + 4 * SM_PAGE, 8);
    sm_assert_no_fault(&bed.sm);
    edu_load(&bed.edu, IOVA, 8);
    edu_store(&bed.edu, IOVA + 4 * SM_PAGE, 4);
    sm_bed_assert_blank(&bed, 4);
    sm_bed_assert_fault(&bed, WRITE_DENIED, IOVA + 4 * SM_PAGE, false);
    sm_bed_close(&bed);
}

static void test_write_only(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");

    sm_map(&bed.sm, &map, IOVA + 4 * SM_PAGE, sm_bed_blank(&bed, 4), 1, SM_W);
    sm_bed_fill(&bed, 0);
    edu_copy(&bed.edu, IOVA, IOVA + 4 * SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 4, 0);
    edu_load(&bed.edu, IOVA + 4 * SM_PAGE, 4);
    sm_bed_assert_fault(&bed, READ_DENIED, IOVA + 4 * SM_PAGE, true);
    sm_bed_close(&bed);
}

static void test_no_root(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, ROOT_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

static void test_no_context(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_context_addr(&bed.sm, bed.edu.f.sid);
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, CONTEXT_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

static void test_context_reserved(void)
{
    SmBed bed;
    uint64_t entry;

    sm_bed_open(&bed, "", "");
    sm_bed_use_map(&bed, sm_map_new(&bed.sm, 4));
    entry = sm_context_addr(&bed.sm, bed.edu.f.sid);
    qtest_writeq(bed.qts, entry + 24, 1ull << 63);
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, CONTEXT_RESERVED, IOVA, true);
    sm_bed_close(&bed);
}

static void test_no_pasid_entry(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_context_set(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_pasid_addr(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, PASID_ENTRY_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

static void test_fpd(void)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "", "");
    map = sm_map_new(&bed.sm, 4);
    sm_context_set(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_pasid_set(&bed.sm, bed.edu.f.sid, RID_PASID,
                 &(SmPasid) { SM_SECOND_STAGE, DOMAIN, map,
                              .no_faults = true });
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_close(&bed);         /* no fault was recorded */
}

static void test_root_over_registers(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    bed.sm.root = SM_UNIT_BASE;
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, ROOT_ACCESS, IOVA, true);
    sm_bed_close(&bed);
}

static void test_root_nowhere(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    bed.sm.root = 0x7ffff000;
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, ROOT_ACCESS, IOVA, true);
    sm_bed_close(&bed);
}

static void test_overflow(void)
{
    SmBed bed;
    uint32_t status;

    sm_bed_open_mapped(&bed, "fault-records=1");
    edu_load(&bed.edu, 0, 4);
    edu_load(&bed.edu, 16 * SM_PAGE, 4);
    status = sm_readl(&bed.sm, SM_REG_FSTS);
    g_assert_cmphex(status & SM_FSTS_PFO, ==, SM_FSTS_PFO);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    sm_writel(&bed.sm, SM_REG_FSTS, SM_FSTS_PFO);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & 3, ==, 0);
    edu_load(&bed.edu, 32 * SM_PAGE, 4);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 32 * SM_PAGE, true);
    sm_bed_close(&bed);
}

/* However many pieces the access was made in. */
static void test_one_record_for_one_dma(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    edu_load(&bed.edu, 0, SM_PAGE);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    edu_load(&bed.edu, 0, SM_PAGE);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    sm_bed_close(&bed);         /* neither another nor an overflow */
}

static void test_records_in_order(void)
{
    SmBed bed;
    unsigned i;

    sm_bed_open_mapped(&bed, "fault-records=4");
    for (i = 0; i < 4; i++) {
        edu_load(&bed.edu, i * SM_PAGE, 4);
    }
    for (i = 0; i < 4; i++) {
        sm_bed_assert_fault(&bed, SS_NOT_PRESENT, i * SM_PAGE, true);
    }
    sm_bed_close(&bed);
}

static void test_fault_interrupt(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_capture(&bed, SM_REG_FEDATA, 0x4321);
    sm_writel(&bed.sm, SM_REG_FECTL, 0);
    edu_load(&bed.edu, 0, 4);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x4321);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    sm_bed_close(&bed);
}

static void test_fault_interrupt_masked(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_capture(&bed, SM_REG_FEDATA, 0x4321);
    edu_load(&bed.edu, 0, 4);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FECTL), ==, 0xc0000000);
    sm_writel(&bed.sm, SM_REG_FECTL, 0);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x4321);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FECTL), ==, 0);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    sm_bed_close(&bed);
}

/* The message goes where memory is, or nowhere: not back into the unit. */
static void test_message_to_registers(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_writel(&bed.sm, SM_REG_FEDATA, 0);
    sm_writel(&bed.sm, SM_REG_FEADDR, SM_UNIT_BASE + SM_REG_GCMD);
    sm_writel(&bed.sm, SM_REG_FECTL, 0);
    edu_load(&bed.edu, 0, 4);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_GSTS) & SM_GCMD_TE, !=, 0);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/fault/unmapped", test_unmapped);
    qtest_add_func("/sm/fault/write-to-read-only", test_read_only);
    qtest_add_func("/sm/fault/read-of-write-only", test_write_only);
    qtest_add_func("/sm/fault/no-root-entry", test_no_root);
    qtest_add_func("/sm/fault/no-context-entry", test_no_context);
    qtest_add_func("/sm/fault/reserved-bit-in-context", test_context_reserved);
    qtest_add_func("/sm/fault/no-pasid-entry", test_no_pasid_entry);
    qtest_add_func("/sm/fault/fpd-silences", test_fpd);
    qtest_add_func("/sm/fault/root-table-over-registers",
                   test_root_over_registers);
    qtest_add_func("/sm/fault/root-table-in-no-memory", test_root_nowhere);
    qtest_add_func("/sm/fault/overflow-is-told", test_overflow);
    qtest_add_func("/sm/fault/one-record-for-one-dma",
                   test_one_record_for_one_dma);
    qtest_add_func("/sm/fault/records-in-order", test_records_in_order);
    qtest_add_func("/sm/fault/interrupts", test_fault_interrupt);
    qtest_add_func("/sm/fault/masked-interrupt-waits",
                   test_fault_interrupt_masked);
    qtest_add_func("/sm/fault/message-to-registers-goes-nowhere",
                   test_message_to_registers);
    return g_test_run();
}
