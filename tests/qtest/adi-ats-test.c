/*
 * An adi with ATS behind intel-iommu-sm: translations are kept until they are
 * invalidated, and no longer.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-ats.h"
#include "sm-interrupt.h"

/* ---- Translations that are kept ------------------------------------------ */

#define OLD_PAGE    (BENCH_A + 8 * SM_PAGE)
#define NEW_PAGE    (BENCH_A + 9 * SM_PAGE)

/* SRC is OLD_PAGE, with seed 1, and the ADI knows; then it is NEW_PAGE, seed 2,
 * and the unit has forgotten all. */
static void page_has_moved(Owner *o)
{
    Ground *g = o->g;

    bench_scribble(&g->b, OLD_PAGE, SM_PAGE, 1);
    bench_scribble(&g->b, NEW_PAGE, SM_PAGE, 2);
    owner_map_page(o, SRC, OLD_PAGE, SM_RW);
    sm_invalidate_all(&g->sm);
    adi_run(&o->q, &copy_page);
    bench_assert_bytes(&g->b, memory_of(o, DST), SM_PAGE, 1, 0);
    owner_map_page(o, SRC, NEW_PAGE, SM_RW);
    sm_invalidate_all(&g->sm);
}

/* A copy of SRC finds what has this @seed. */
static void assert_finds(Owner *o, uint32_t seed)
{
    adi_run(&o->q, &copy_page);
    bench_assert_bytes(&o->g->b, memory_of(o, DST), SM_PAGE, seed, 0);
}

static void forget_page(Owner *o)
{
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID, o->pasid, SRC);
}

static void forget_pasid(Owner *o)
{
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID, o->pasid, SM_EVERYTHING);
}

static void forget_range(Owner *o)
{
    /* 2^3 pages: the lowest zero of the page number is its bit 2. */
    sm_invalidate(&o->g->sm, 8 | BENCH_SID << 16 | (uint64_t)o->pasid << 32,
                  (SRC & ~0x7fffull) | 0x3000 | 1 << 11);
}

static void forget_every_pasid(Owner *o)
{
    sm_invalidate_device_pasids(&o->g->sm, BENCH_SID, SRC);
}

static void forget_everything(Owner *o)
{
    sm_invalidate_device(&o->g->sm, BENCH_SID, SM_EVERYTHING);
}

static void turn_ats_off_and_on(Owner *o)
{
    adi_ats_set(&o->g->b.adi, false);
    adi_ats_set(&o->g->b.adi, true);
}

static void forget_nothing(Owner *o)
{
}

static void forget_other_page(Owner *o)
{
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID, o->pasid, SRC + SM_PAGE);
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID, o->pasid, SRC - SM_PAGE);
}

static void forget_other_pasid(Owner *o)
{
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID, o->pasid + 1,
                               SM_EVERYTHING);
}

static void forget_page_without_pasid(Owner *o)
{
    sm_invalidate_device(&o->g->sm, BENCH_SID, SRC);
}

static void forget_other_device(Owner *o)
{
    sm_invalidate_device_pasid(&o->g->sm, BENCH_SID + 8, o->pasid,
                               SM_EVERYTHING);
    sm_invalidate_device(&o->g->sm, BENCH_SID + 8, SM_EVERYTHING);
}

typedef struct Forgetting {
    const char *name;
    void (*forget)(Owner *o);
    bool enough;
} Forgetting;

static const Forgetting forgettings[] = {
    { "page", forget_page, true },
    { "pasid", forget_pasid, true },
    { "range", forget_range, true },
    { "every-pasid", forget_every_pasid, true },
    { "everything", forget_everything, true },
    { "ats-off-and-on", turn_ats_off_and_on, true },
    { "nothing", forget_nothing, false },
    { "other-page", forget_other_page, false },
    { "other-pasid", forget_other_pasid, false },
    { "page-without-pasid", forget_page_without_pasid, false },
    { "other-device", forget_other_device, false },
};

static void test_forgetting(const void *data)
{
    const Forgetting *f = data;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    page_has_moved(&o);
    assert_finds(&o, 1);
    f->forget(&o);
    assert_finds(&o, f->enough ? 2 : 1);
    g_assert_cmpint(stat_of(&g, "hits"), >, 0);
    ground_stop(&g);
}

/* What the function keeps is its own, and so are its invalidations. */
static void test_function_keeps(void)
{
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    bench_assert_function_works(&g.b);
    bench_assert_function_works(&g.b);
    g_assert_cmpint(stat_of(&g, "hits"), >, 0);
    owner_assert_works(&o);
    sm_invalidate_device(&g.sm, BENCH_SID, BENCH_A);
    bench_assert_function_works(&g.b);
    ground_stop(&g);
}

/* More pages than the cache has places for. */
static void test_many_pages(void)
{
    Ground g;
    Owner o;
    unsigned i;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    sm_map(&g.sm, &o.map, OUTSIDE, BENCH_A, 200, SM_RW);
    bench_scribble(&g.b, BENCH_A, 100 * SM_PAGE, 1);
    for (i = 0; i < 3; i++) {
        struct adi_completion record = adi_run(&o.q, &(struct adi_desc) {
            .opcode = ADI_OP_COPY, .len = 100 * SM_PAGE,
            .src = OUTSIDE, .dst = OUTSIDE + 100 * SM_PAGE,
        });

        bench_assert_done(&record, 100 * SM_PAGE);
    }
    bench_assert_bytes(&g.b, BENCH_A + 100 * SM_PAGE, 100 * SM_PAGE, 1, 0);
    g_assert_cmpint(stat_of(&g, "entries"), ==, 64);
    ground_stop(&g);
}

/* Large pages are one translation each. */
static void test_large_pages(void)
{
    struct adi_completion record;
    Ground g;
    Owner o;
    int64_t before;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    owner_assert_works(&o);
    before = stat_of(&g, "translation-requests");
    record = adi_run(&o.q, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = MIB, .src = LARGE_SRC, .dst = LARGE_DST,
    });
    bench_assert_done(&record, MIB);
    g_assert_cmpint(stat_of(&g, "translation-requests"), ==, before + 2);
    ground_stop(&g);
}

/* Its message is an interrupt: the unit says that it goes untranslated, and
 * that is what the function keeps. */
static void test_interrupt_range(void)
{
    const struct adi_desc message = {
        .opcode = ADI_OP_FILL, .len = 4, .dst = AS_IS_ADDR, .operand = 0x51,
    };
    int64_t before;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    bench_assert_function_works(&g.b);
    before = stat_of(&g, "translation-requests");
    adi_run(&g.b.fq, &message);
    g_assert_true(requested_at(g.b.qts, 0, 0x51));
    adi_run(&g.b.fq, &message);
    g_assert_cmpint(stat_of(&g, "translation-requests"), ==, before + 1);
    ground_stop(&g);
}

/* ---- ATS that is not to be had ------------------------------------------- */

/* The context entry refuses translation requests: untranslated ones work. */
static void test_refused(void)
{
    uint64_t entry;
    SmFault fault = { 0 };
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    entry = sm_context_addr(&g.sm, BENCH_SID);
    qtest_writeq(g.b.qts, entry, qtest_readq(g.b.qts, entry) & ~0x14ull);
    sm_invalidate_all(&g.sm);
    owner_assert_works(&o);
    g_assert_true(sm_fault_take(&g.sm, &fault));
    g_assert_cmphex(fault.reason, ==, 0x44);
    owner_assert_works(&o);
    bench_assert_function_works(&g.b);
    g_assert_cmpint(stat_of(&g, "translation-requests"), ==, 1);
    ground_stop(&g);
}

/* A device that keeps what it may not use: translated requests are refused. */
static void test_translated_refused(void)
{
    uint64_t entry;
    SmFault fault = { 0 };
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    owner_assert_works(&o);
    entry = sm_context_addr(&g.sm, BENCH_SID);
    qtest_writeq(g.b.qts, entry, qtest_readq(g.b.qts, entry) & ~0x14ull);
    sm_invalidate_all(&g.sm);
    adi_post(&o.q, &copy_page);
    adi_wait_error(&o.q, ADI_ERR_FETCH, 1);
    g_assert_true(sm_fault_take(&g.sm, &fault));
    g_assert_cmphex(fault.reason, ==, 0x44);
    g_assert_false(fault.with_pasid);
    while (sm_fault_take(&g.sm, &fault)) {
        g_assert_cmphex(fault.reason, ==, 0x44);
    }
    ground_stop(&g);
}

static void test_ats_off(void)
{
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    adi_ats_set(&g.b.adi, false);
    owner_assert_works(&o);
    owner_unmap(&o, SRC);
    sm_invalidate_all(&g.sm);
    adi_post(&o.q, &copy_page);
    adi_wait_error(&o.q, ADI_ERR_READ, 1);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, o.pasid, SRC, true);
    assert_not_asked(&g);
    g_assert_cmpint(stat_of(&g, "translation-requests"), ==, 0);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_ats_tests(void)
{
    unsigned i;

    BENCH_ADD_CASES("ats/forget-", forgettings, test_forgetting, "%s", name);
    qtest_add_func("/adi/ats/function-keeps-its-own", test_function_keeps);
    qtest_add_func("/adi/ats/more-pages-than-places", test_many_pages);
    qtest_add_func("/adi/ats/large-page-is-one-translation", test_large_pages);
    qtest_add_func("/adi/ats/interrupt-range-goes-untranslated",
                   test_interrupt_range);
    qtest_add_func("/adi/ats/refused-goes-untranslated", test_refused);
    qtest_add_func("/adi/ats/translated-request-may-be-refused",
                   test_translated_refused);
    qtest_add_func("/adi/ats/off-goes-untranslated", test_ats_off);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_ats_tests();
    return g_test_run();
}
