/*
 * Performance counters of intel-iommu-sm: registers and commands by MMIO, a
 * counted DMA, the message of an overflow, reset.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

/* Registers [VT-d 11.4.13, 11.4.14]. */
enum {
    PERFCAP = 0x300,
    PERFCFGOFF = 0x310,
    PERFOVFOFF = 0x318,
    PERFCNTROFF = 0x31c,
    PERFINTRSTS = 0x324,
    PERFINTRCTL = 0x328,
    PERFINTRDATA = 0x32c,
    ECMD = 0x400,
    ECRSP = 0x410,
};

enum { ENABLE = 0xf0, DISABLE = 0xf1 };

#define IOTLB_LOOKUP    (1ull << 32 | 3 << 8)
#define INTERRUPT       2
#define MESSAGE         0x1234

static uint64_t perf_readq(SmBed *bed, uint64_t offset)
{
    return qtest_readq(bed->qts, SM_UNIT_BASE + offset);
}

static void perf_writeq(SmBed *bed, uint64_t offset, uint64_t value)
{
    qtest_writeq(bed->qts, SM_UNIT_BASE + offset, value);
}

static uint64_t config_at(SmBed *bed, unsigned n)
{
    return sm_readl(&bed->sm, PERFCFGOFF) + 0x100 * n;
}

static uint64_t counter_at(SmBed *bed, unsigned n)
{
    unsigned stride = 0x400 << (perf_readq(bed, PERFCAP) >> 52 & 7);

    return sm_readl(&bed->sm, PERFCNTROFF) + stride * n;
}

static void command(SmBed *bed, unsigned number, unsigned n)
{
    perf_writeq(bed, ECMD, n << 16 | number);
    g_assert_cmphex(perf_readq(bed, ECRSP), ==, 0);
}

static void test_counted(void)
{
    SmBed bed;
    unsigned last;
    uint64_t first;

    sm_bed_open_mapped(&bed, "");
    last = (perf_readq(&bed, PERFCAP) & 0xffff) - 1;
    g_assert_cmpuint(last, ==, 7);
    perf_writeq(&bed, config_at(&bed, last), IOTLB_LOOKUP);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    g_assert_cmpuint(perf_readq(&bed, counter_at(&bed, last)), ==, 0);
    command(&bed, ENABLE, last);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    first = perf_readq(&bed, counter_at(&bed, last));
    g_assert_cmpuint(first, >=, 2);         /* a load and a store */
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    g_assert_cmpuint(perf_readq(&bed, counter_at(&bed, last)), ==, 2 * first);
    command(&bed, DISABLE, last);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    g_assert_cmpuint(perf_readq(&bed, counter_at(&bed, last)), ==, 2 * first);
    sm_bed_close(&bed);
}

static void test_overflow(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_capture(&bed, PERFINTRDATA, MESSAGE);
    sm_writel(&bed.sm, PERFINTRCTL, 0);
    perf_writeq(&bed, config_at(&bed, 0), IOTLB_LOOKUP | INTERRUPT);
    perf_writeq(&bed, counter_at(&bed, 0), -1);
    command(&bed, ENABLE, 0);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    g_assert_cmphex(sm_bed_captured(&bed), ==, MESSAGE);
    g_assert_cmphex(sm_readl(&bed.sm, PERFINTRSTS), ==, 1);
    g_assert_cmphex(perf_readq(&bed, sm_readl(&bed.sm, PERFOVFOFF)), ==, 1);
    sm_bed_close(&bed);
}

static void test_reset(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    perf_writeq(&bed, config_at(&bed, 3), IOTLB_LOOKUP);
    perf_writeq(&bed, counter_at(&bed, 3), 5);
    command(&bed, ENABLE, 3);
    qtest_system_reset(bed.qts);
    g_assert_cmphex(perf_readq(&bed, config_at(&bed, 3)), ==, 0);
    g_assert_cmphex(perf_readq(&bed, counter_at(&bed, 3)), ==, 0);
    sm_bed_close(&bed);
}

static void test_none(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "perf-counters=0");
    g_assert_cmphex(perf_readq(&bed, SM_REG_CAP) >> 61 & 1, ==, 0);
    g_assert_cmphex(perf_readq(&bed, SM_REG_ECAP) >> 51 & 1, ==, 0);
    g_assert_cmphex(perf_readq(&bed, PERFCAP), ==, 0);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    sm_bed_close(&bed);
}

static void test_few(void)
{
    SmBed bed;

    sm_bed_open(&bed, "perf-counters=2", "");
    g_assert_cmpuint(perf_readq(&bed, PERFCAP) & 0xffff, ==, 2);
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/perf/lookups-of-a-dma-are-counted", test_counted);
    qtest_add_func("/sm/perf/an-overflow-sends-its-message", test_overflow);
    qtest_add_func("/sm/perf/reset-takes-the-counters-back", test_reset);
    qtest_add_func("/sm/perf/counters-can-be-left-out", test_none);
    qtest_add_func("/sm/perf/their-number-is-a-property", test_few);
    return g_test_run();
}
