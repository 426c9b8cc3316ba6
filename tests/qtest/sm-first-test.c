/*
 * DMA through a first stage, alone and nested in a second: edu by its
 * source-id, ADIs by their PASIDs; accessed and dirty bits in guest memory.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "adi-sm.h"
#include "sm-bed.h"

#define RID_PASID       SM_BED_RID_PASID
#define DOMAIN          SM_BED_DOMAIN

typedef struct Stages {
    const char *path;
    unsigned first, second;     /* levels; no second: not nested */
    uint64_t iova;
} Stages;

static const char *props_of(const Stages *s)
{
    return s->second == 5 ? "aw-bits=57" : "aw-bits=48";
}

static SmFirst first_new(Sm *sm, const Stages *s)
{
    return s->second
           ? sm_first_new_nested(sm, s->first, sm_map_new(sm, s->second))
           : sm_first_new(sm, s->first);
}

/* @pages from @iova on lead to memory at @addr, by one stage or by two. */
static void map_through(Sm *sm, const SmFirst *first, uint64_t iova,
                        uint64_t addr, uint64_t pages)
{
    bool nested = first->below.levels;

    sm_first_map(sm, first, iova, nested ? addr + SM_GUEST : addr, pages,
                 SM_FS_USER_RW);
    if (nested) {
        sm_map(sm, &first->below, addr + SM_GUEST, addr, pages, SM_RW);
    }
}

static SmPasid entry_of(const SmFirst *first, uint16_t domain)
{
    return (SmPasid) {
        .pgtt = first->below.levels ? SM_NESTED : SM_FIRST_STAGE,
        .domain = domain, .map = first->below, .first = *first,
    };
}

/* ---- Accessed and dirty bits --------------------------------------------- */

#define MARKS   (SM_FS_ACCESSED | SM_FS_DIRTY | SM_FS_EXTENDED)

static uint64_t first_marks(Sm *sm, const SmFirst *first, uint64_t iova,
                            unsigned level)
{
    return qtest_readq(sm->qts, sm_first_entry_addr(sm, first, iova, level)) &
           MARKS;
}

static uint64_t second_marks(Sm *sm, const SmFirst *first, uint64_t guest)
{
    return qtest_readq(sm->qts,
                       sm_map_entry_addr(sm, &first->below, guest, 1)) &
           (SM_SS_ACCESSED | SM_SS_DIRTY);
}

/* The leaf has the bits @leaf, entries above it the same without D. */
static void assert_marks(Sm *sm, const SmFirst *first, uint64_t iova,
                         uint64_t leaf)
{
    unsigned level;

    g_assert_cmphex(first_marks(sm, first, iova, 1), ==, leaf);
    for (level = 2; level <= first->levels; level++) {
        g_assert_cmphex(first_marks(sm, first, iova, level), ==,
                        leaf & ~(uint64_t)SM_FS_DIRTY);
    }
}

/* ---- Without PASID ------------------------------------------------------- */

static void use_first(SmBed *bed, const SmPasid *what)
{
    sm_context_set(&bed->sm, bed->edu.f.sid, RID_PASID);
    sm_pasid_set(&bed->sm, bed->edu.f.sid, RID_PASID, what);
}

/* @iova leads to data pages 0 and 1. */
static SmFirst open_first(SmBed *bed, const Stages *s)
{
    SmFirst first;
    SmPasid entry;

    sm_bed_open(bed, props_of(s), "");
    first = first_new(&bed->sm, s);
    map_through(&bed->sm, &first, s->iova, sm_bed_page(0), 2);
    entry = entry_of(&first, DOMAIN);
    use_first(bed, &entry);
    sm_start(&bed->sm);
    return first;
}

static void test_edu(const void *data)
{
    const Stages *s = data;
    uint64_t next = s->iova + SM_PAGE;
    SmBed bed;
    SmFirst first = open_first(&bed, s);

    sm_bed_fill(&bed, 0);
    sm_bed_blank(&bed, 1);
    edu_load(&bed.edu, s->iova, 8);
    assert_marks(&bed.sm, &first, s->iova, SM_FS_ACCESSED);
    g_assert_cmphex(first_marks(&bed.sm, &first, next, 1), ==, 0);
    edu_store(&bed.edu, next, 8);
    sm_bed_assert_pattern(&bed, 1, 0);
    assert_marks(&bed.sm, &first, next, SM_FS_ACCESSED | SM_FS_DIRTY);
    assert_marks(&bed.sm, &first, s->iova, SM_FS_ACCESSED);
    sm_bed_close(&bed);
}

static const Stages plain = { .first = 4, .iova = SM_BED_IOVA };
static const Stages nested = { .first = 4, .second = 4, .iova = SM_BED_IOVA };

static void test_large_page(void)
{
    SmBed bed;
    SmFirst first = open_first(&bed, &plain);
    uint64_t iova = SM_BED_IOVA & ~(2 * MiB - 1);
    uint64_t leaf = sm_first_entry_addr(&bed.sm, &first, iova, 2);

    sm_first_map_large(&bed.sm, &first, iova, SM_BED_DATA, 2, SM_FS_USER_RW);
    sm_bed_assert_copies(&bed, iova);
    g_assert_cmphex(qtest_readq(bed.qts, leaf) & MARKS, ==,
                    SM_FS_ACCESSED | SM_FS_DIRTY);
    sm_bed_close(&bed);
}

static void test_extended_accessed(void)
{
    SmBed bed;
    SmFirst first = open_first(&bed, &plain);
    SmPasid entry = entry_of(&first, DOMAIN);

    entry.extended = true;
    use_first(&bed, &entry);
    sm_invalidate_all(&bed.sm);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    assert_marks(&bed.sm, &first, SM_BED_IOVA,
                 SM_FS_ACCESSED | SM_FS_EXTENDED);
    sm_bed_close(&bed);
}

/* Nested, the second stage has bits of its own; the first stage's tables are
 * pages of it that are written. */
static void test_nested_dirty(void)
{
    const uint64_t both = SM_SS_ACCESSED | SM_SS_DIRTY;
    uint64_t leaf;
    SmBed bed;
    SmFirst first = open_first(&bed, &nested);
    SmPasid entry = entry_of(&first, DOMAIN);

    entry.dirty = true;
    use_first(&bed, &entry);
    sm_invalidate_all(&bed.sm);
    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    assert_marks(&bed.sm, &first, SM_BED_IOVA, SM_FS_ACCESSED);
    g_assert_cmphex(second_marks(&bed.sm, &first, sm_bed_page(0) + SM_GUEST),
                    ==, SM_SS_ACCESSED);
    g_assert_cmphex(second_marks(&bed.sm, &first, sm_bed_page(1) + SM_GUEST),
                    ==, both);
    leaf = sm_first_entry_addr(&bed.sm, &first, SM_BED_IOVA, 1);
    g_assert_cmphex(second_marks(&bed.sm, &first, leaf + SM_GUEST), ==, both);
    sm_bed_close(&bed);
}

/* ---- What is cached ------------------------------------------------------ */

typedef struct Forgetting {
    const char *path;
    const Stages *stages;
    void (*forget)(SmBed *bed);
    bool enough;
} Forgetting;

static void forget_page(SmBed *bed)
{
    sm_invalidate_pasid_page(&bed->sm, DOMAIN, RID_PASID, SM_BED_IOVA);
}

static void forget_other_page(SmBed *bed)
{
    sm_invalidate_pasid_page(&bed->sm, DOMAIN, RID_PASID,
                             SM_BED_IOVA + SM_PAGE);
}

static void forget_pasid(SmBed *bed)
{
    sm_invalidate_pasid_pages(&bed->sm, DOMAIN, RID_PASID);
}

static void forget_other_pasid(SmBed *bed)
{
    sm_invalidate_pasid_pages(&bed->sm, DOMAIN, RID_PASID + 1);
}

static void forget_domain(SmBed *bed)
{
    sm_invalidate_domain(&bed->sm, DOMAIN);
}

/* SM_BED_IOVA moves from page 0 to page 5. */
static void test_forgetting(const void *data)
{
    const Forgetting *f = data;
    SmBed bed;
    SmFirst first = open_first(&bed, f->stages);

    sm_bed_assert_copies(&bed, SM_BED_IOVA);
    sm_bed_fill(&bed, 5);
    map_through(&bed.sm, &first, SM_BED_IOVA, sm_bed_page(5), 1);
    f->forget(&bed);
    edu_copy(&bed.edu, SM_BED_IOVA, SM_BED_IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, f->enough ? 5 : 0);
    sm_bed_close(&bed);
}

static const Forgetting forgettings[] = {
    { "/sm/first/forget/page", &plain, forget_page, true },
    { "/sm/first/forget/pasid", &plain, forget_pasid, true },
    { "/sm/first/forget/other-page", &plain, forget_other_page, false },
    { "/sm/first/forget/other-pasid", &plain, forget_other_pasid, false },
    { "/sm/first/forget/nested-page", &nested, forget_page, true },
    { "/sm/first/forget/nested-domain", &nested, forget_domain, true },
    { "/sm/first/forget/nested-other-pasid", &nested, forget_other_pasid,
      false },
};

/* ---- With PASID ---------------------------------------------------------- */

/* As owner_start(), with tables of @s. */
static SmFirst owner_start_first(Owner *o, Ground *g, unsigned n,
                                 uint32_t pasid, const Stages *s)
{
    SmFirst first = first_new(&g->sm, s);
    SmPasid entry = entry_of(&first, 16 + n);

    *o = (Owner) {
        .g = g, .n = n, .pasid = pasid, .domain = 16 + n,
        .mem = BENCH_ADIS + n * 4 * LARGE,
    };
    map_through(&g->sm, &first, IOVA, o->mem, SMALL_PAGES);
    sm_pasid_set(&g->sm, BENCH_SID, pasid, &entry);
    adi_give(&g->b.adi, n, pasid);
    adi_q_open_order(&o->q, &g->b.adi, n, IOVA, o->mem, RING_ORDER);
    return first;
}

/* Each has addresses of its own, though they are the same. */
static void test_adi(const void *data)
{
    const Stages *s = data;
    SmFirst first;
    Owner one, two;
    Ground g;

    if (!ground_possible()) {
        return;
    }
    ground_start(&g, 4);
    first = owner_start_first(&one, &g, 0, 5, s);
    owner_start_first(&two, &g, 1, 0xfffff, s);
    g_assert_cmphex(first_marks(&g.sm, &first, SRC, 1), ==, 0);
    owner_scribble(&two, 2);
    owner_assert_works(&one);
    assert_marks(&g.sm, &first, SRC, SM_FS_ACCESSED);
    assert_marks(&g.sm, &first, DST, SM_FS_ACCESSED | SM_FS_DIRTY);
    g_assert_cmphex(first_marks(&g.sm, &first, OUTSIDE - SM_PAGE, 1), ==, 0);
    bench_assert_bytes(&g.b, two.mem + SRC_OFFSET, SM_PAGE, 2, 0);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

/* As high as user space reaches, and as low as a kernel does. */
static const Stages edu_stages[] = {
    { "/sm/first/4-levels", 4, 0, (1ull << 47) - 2 * SM_PAGE },
    { "/sm/first/4-levels-upper-half", 4, 0, -1ull << 47 },
    { "/sm/first/5-levels", 5, 0, (1ull << 56) - 2 * SM_PAGE },
    { "/sm/first/5-levels-upper-half", 5, 0, -1ull << 56 },
    { "/sm/first/nested-in-3-levels", 4, 3, (1ull << 47) - 2 * SM_PAGE },
    { "/sm/first/nested-in-4-levels", 4, 4, (1ull << 47) - 2 * SM_PAGE },
    { "/sm/first/nested-5-in-4-levels", 5, 4, (1ull << 56) - 2 * SM_PAGE },
    { "/sm/first/nested-5-in-5-levels", 5, 5, -1ull << 56 },
};

static const Stages adi_stages[] = {
    { "/sm/first/adi/4-levels", 4, 0 },
    { "/sm/first/adi/5-levels", 5, 0 },
    { "/sm/first/adi/nested", 4, 4 },
};

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < G_N_ELEMENTS(edu_stages); i++) {
        qtest_add_data_func(edu_stages[i].path, &edu_stages[i], test_edu);
    }
    qtest_add_func("/sm/first/2m-page-is-contiguous", test_large_page);
    qtest_add_func("/sm/first/extended-accessed", test_extended_accessed);
    qtest_add_func("/sm/first/nested-marks-both-stages", test_nested_dirty);
    for (i = 0; i < G_N_ELEMENTS(forgettings); i++) {
        qtest_add_data_func(forgettings[i].path, &forgettings[i],
                            test_forgetting);
    }
    for (i = 0; i < G_N_ELEMENTS(adi_stages); i++) {
        qtest_add_data_func(adi_stages[i].path, &adi_stages[i], test_adi);
    }
    return g_test_run();
}
