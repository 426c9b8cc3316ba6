/*
 * The invalidation queue with a device that does not answer: time-outs, answers
 * that come late, and how software gets the queue going again.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

#define SILENT          "device-tlb-silent=00:02.0"
#define MS              1000000ull

enum {
    REG_ICS     = 0x09c,
    REG_IECTL   = 0x0a0,
    REG_IEDATA  = 0x0a4,
    REG_IQERCD  = 0x0b0,

    FSTS_ITE    = 1u << 6,
};

static void put_device_tlb(SmBed *bed)
{
    sm_queue_put(&bed->sm, (uint64_t)bed->edu.f.sid << 32 | 3, 0x1000);
}

static void put_wait_interrupt(SmBed *bed)
{
    sm_queue_put(&bed->sm, 1 << 4 | 5, 0);
}

static void put_wait_status(SmBed *bed, uint32_t value)
{
    sm_queue_put(&bed->sm, (uint64_t)value << 32 | 1 << 5 | 5,
                 bed->sm.wait_status);
}

static uint32_t status(SmBed *bed)
{
    return qtest_readl(bed->qts, bed->sm.wait_status);
}

static void set_silent(SmBed *bed, const char *who)
{
    qtest_qmp_assert_success(bed->qts,
        "{ 'execute': 'qom-set', 'arguments': {"
        "  'path': '/machine/peripheral/iommu0',"
        "  'property': 'device-tlb-silent', 'value': %s } }", who);
}

static uint32_t errors(SmBed *bed)
{
    return sm_readl(&bed->sm, SM_REG_FSTS) & 0xff;
}

/* With an invalidation in flight and a wait behind it. */
static void open_with_pending(SmBed *bed, const char *props)
{
    sm_bed_open(bed, props, "");
    sm_start(&bed->sm);
    put_device_tlb(bed);
    put_wait_status(bed, 0x77);
    g_assert_cmphex(status(bed), ==, 0);
}

static void test_devices_answer_at_once(void)
{
    SmBed bed;

    sm_bed_open(&bed, "ats=on", "");
    sm_start(&bed.sm);
    put_device_tlb(&bed);
    put_wait_status(&bed, 0x77);
    g_assert_cmphex(status(&bed), ==, 0x77);
    qtest_clock_step(bed.qts, 5000 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    sm_bed_close(&bed);
}

static void test_time_out(void)
{
    SmBed bed;
    uint64_t head;

    open_with_pending(&bed, "ats=on,device-tlb-timeout=200," SILENT);
    sm_bed_capture(&bed, SM_REG_FEDATA, 0x1ee7);
    sm_writel(&bed.sm, SM_REG_FECTL, 0);
    qtest_clock_step(bed.qts, 199 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    qtest_clock_step(bed.qts, 1 * MS);
    g_assert_cmphex(errors(&bed), ==, FSTS_ITE);
    g_assert_cmphex(sm_readq(&bed.sm, REG_IQERCD) >> 32 & 0xffff, ==,
                    bed.edu.f.sid);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x1ee7);

    /* Nothing is fetched until the error is cleared. */
    head = sm_readq(&bed.sm, SM_REG_IQH);
    put_wait_status(&bed, 0x88);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==, head);
    sm_writel(&bed.sm, SM_REG_FSTS, FSTS_ITE);
    g_assert_cmphex(errors(&bed), ==, 0);
    g_assert_cmphex(status(&bed), ==, 0x88);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==,
                    sm_readq(&bed.sm, SM_REG_IQT));
    sm_bed_close(&bed);
}

/* As Linux does: clear the error, invalidate again. */
static void test_retry(void)
{
    SmBed bed;

    open_with_pending(&bed, "ats=on,device-tlb-timeout=200," SILENT);
    qtest_clock_step(bed.qts, 200 * MS);
    sm_writel(&bed.sm, SM_REG_FSTS, FSTS_ITE);
    g_assert_cmphex(status(&bed), ==, 0);
    set_silent(&bed, "");
    put_device_tlb(&bed);
    put_wait_status(&bed, 0x77);
    g_assert_cmphex(status(&bed), ==, 0x77);
    qtest_clock_step(bed.qts, 5000 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    sm_bed_close(&bed);
}

static void test_late_answer(void)
{
    SmBed bed;

    open_with_pending(&bed, "ats=on," SILENT);
    sm_bed_capture(&bed, REG_IEDATA, 0x55aa);
    sm_writel(&bed.sm, REG_IECTL, 0);
    put_device_tlb(&bed);
    put_wait_interrupt(&bed);
    qtest_clock_step(bed.qts, 999 * MS);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0);
    set_silent(&bed, "00:1f.0");
    g_assert_cmphex(status(&bed), ==, 0x77);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x55aa);
    g_assert_cmphex(sm_readl(&bed.sm, REG_ICS), ==, 1);
    qtest_clock_step(bed.qts, 5000 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    sm_bed_close(&bed);
}

static void test_no_time_out(void)
{
    SmBed bed;

    open_with_pending(&bed, "ats=on,device-tlb-timeout=0," SILENT);
    qtest_clock_step(bed.qts, 3600000 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    g_assert_cmphex(status(&bed), ==, 0);
    sm_bed_close(&bed);
}

static void test_reset(void)
{
    SmBed bed;

    open_with_pending(&bed, "ats=on," SILENT);
    qtest_system_reset(bed.qts);
    qtest_clock_step(bed.qts, 5000 * MS);
    g_assert_cmphex(errors(&bed), ==, 0);
    sm_bed_close(&bed);
}

/* More than there are ITags: the rest goes out as they are answered. */
static void test_many(void)
{
    SmBed bed;
    unsigned i;

    sm_bed_open(&bed, "ats=on," SILENT, "");
    sm_start(&bed.sm);
    for (i = 0; i < 40; i++) {
        put_device_tlb(&bed);
    }
    put_wait_status(&bed, 0x77);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==, 32 * 32);
    set_silent(&bed, "");
    g_assert_cmphex(status(&bed), ==, 0x77);
    g_assert_cmphex(errors(&bed), ==, 0);
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm-queue/devices-answer-at-once",
                   test_devices_answer_at_once);
    qtest_add_func("/sm-queue/time-out", test_time_out);
    qtest_add_func("/sm-queue/retry", test_retry);
    qtest_add_func("/sm-queue/late-answer", test_late_answer);
    qtest_add_func("/sm-queue/no-time-out", test_no_time_out);
    qtest_add_func("/sm-queue/reset", test_reset);
    qtest_add_func("/sm-queue/many", test_many);
    return g_test_run();
}
