/*
 * intel-iommu-sm in legacy mode: firmware and kernels without scalable mode.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

#define IOVA            0x12345000ull
#define DOMAIN          7

/* Fault reasons [VT-d 7.1.3]. */
enum {
    LEGACY_ROOT_NOT_PRESENT = 0x01,
    LEGACY_CONTEXT_NOT_PRESENT = 0x02,
    LEGACY_WRITE_DENIED = 0x05,
    LEGACY_READ_DENIED = 0x06,
};

enum { LEGACY_TRANSLATE = 0, LEGACY_PASS_THROUGH = 2 };

static uint64_t legacy_context_addr(SmBed *bed)
{
    uint16_t sid = bed->edu.f.sid;

    return sm_table_below(&bed->sm, bed->sm.root + (sid >> 8) * 16, 1) +
           (sid & 0xff) * 16;
}

static void legacy_context_set(SmBed *bed, unsigned type, const SmMap *map)
{
    uint64_t entry = legacy_context_addr(bed);

    qtest_writeq(bed->qts, entry + 8, (map ? map->levels - 2 : 2) |
                 (uint64_t)DOMAIN << 8);
    qtest_writeq(bed->qts, entry, (map ? map->root : 0) | type << 2 | 1);
}

static void legacy_start(SmBed *bed)
{
    sm_writeq(&bed->sm, SM_REG_RTADDR, bed->sm.root);
    sm_command(&bed->sm, SM_GCMD_SRTP);
    sm_command(&bed->sm, SM_GCMD_TE);
}

static SmMap open_legacy(SmBed *bed, const char *props, unsigned levels)
{
    SmMap map;

    sm_bed_open(bed, props, "");
    map = sm_map_new(&bed->sm, levels);
    sm_map(&bed->sm, &map, IOVA, sm_bed_page(0), 2, SM_RW);
    legacy_context_set(bed, LEGACY_TRANSLATE, &map);
    legacy_start(bed);
    return map;
}

static void test_legacy_levels(const void *data)
{
    unsigned levels = GPOINTER_TO_UINT(data);
    SmBed bed;

    open_legacy(&bed, "aw-bits=57", levels);
    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_close(&bed);
}

static void test_legacy_only_unit(void)
{
    SmBed bed;

    open_legacy(&bed, "scalable=off", 4);
    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_close(&bed);
}

static void test_legacy_pass_through(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    legacy_context_set(&bed, LEGACY_PASS_THROUGH, NULL);
    legacy_start(&bed);
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

static void test_legacy_faults(void)
{
    SmBed bed;
    SmMap map = open_legacy(&bed, "", 4);

    sm_map(&bed.sm, &map, IOVA + 4 * SM_PAGE, sm_bed_page(4), 1, SM_R);
    edu_store(&bed.edu, IOVA + 4 * SM_PAGE, 4);
    sm_bed_assert_fault(&bed, LEGACY_WRITE_DENIED, IOVA + 4 * SM_PAGE, false);
    edu_load(&bed.edu, IOVA + 8 * SM_PAGE, 4);
    sm_bed_assert_fault(&bed, LEGACY_READ_DENIED, IOVA + 8 * SM_PAGE, true);
    sm_bed_close(&bed);
}

static void test_legacy_no_context(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    legacy_start(&bed);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, LEGACY_ROOT_NOT_PRESENT, IOVA, true);
    legacy_context_addr(&bed);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, LEGACY_CONTEXT_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

/* Register-based commands: bit 63 starts one and is clear when it is done. */
enum { REG_CCMD = 0x028 };

static unsigned iotlb_reg(SmBed *bed)
{
    return (sm_readq(&bed->sm, SM_REG_ECAP) >> 8 & 0x3ff) * 16 + 8;
}

static void test_legacy_register_invalidation(void)
{
    const uint64_t start = 1ull << 63, domain = (uint64_t)DOMAIN << 32;
    SmBed bed;
    SmMap map = open_legacy(&bed, "", 4);
    unsigned iotlb = iotlb_reg(&bed);

    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_fill(&bed, 5);
    sm_map(&bed.sm, &map, IOVA, sm_bed_page(5), 1, SM_RW);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 0);

    sm_writeq(&bed.sm, iotlb - 8, IOVA);
    sm_writeq(&bed.sm, iotlb, start | 3ull << 60 | domain);
    g_assert_cmphex(sm_readq(&bed.sm, iotlb) & start, ==, 0);
    g_assert_cmphex(sm_readq(&bed.sm, iotlb) >> 57 & 3, !=, 0);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 5);
    sm_bed_close(&bed);
}

static void test_legacy_context_command(void)
{
    const uint64_t start = 1ull << 63;
    SmBed bed;

    open_legacy(&bed, "", 4);
    sm_bed_assert_copies(&bed, IOVA);
    qtest_writeq(bed.qts, legacy_context_addr(&bed), 0);
    sm_bed_assert_copies(&bed, IOVA);

    sm_writeq(&bed.sm, REG_CCMD, start | 1ull << 61);
    g_assert_cmphex(sm_readq(&bed.sm, REG_CCMD) & start, ==, 0);
    g_assert_cmphex(sm_readq(&bed.sm, REG_CCMD) >> 59 & 3, ==, 1);
    sm_writeq(&bed.sm, iotlb_reg(&bed), start | 1ull << 60);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, LEGACY_CONTEXT_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("/sm/legacy/3-levels", GUINT_TO_POINTER(3),
                        test_legacy_levels);
    qtest_add_data_func("/sm/legacy/4-levels", GUINT_TO_POINTER(4),
                        test_legacy_levels);
    qtest_add_data_func("/sm/legacy/5-levels", GUINT_TO_POINTER(5),
                        test_legacy_levels);
    qtest_add_func("/sm/legacy/unit-without-scalable-mode",
                   test_legacy_only_unit);
    qtest_add_func("/sm/legacy/pass-through", test_legacy_pass_through);
    qtest_add_func("/sm/legacy/faults-have-legacy-reasons",
                   test_legacy_faults);
    qtest_add_func("/sm/legacy/no-context-entry", test_legacy_no_context);
    qtest_add_func("/sm/legacy/iotlb-register-invalidates",
                   test_legacy_register_invalidation);
    qtest_add_func("/sm/legacy/context-command-invalidates",
                   test_legacy_context_command);
    return g_test_run();
}
