/*
 * The invalidations that software owes the unit after each kind of change to
 * its tables [VT-d 6.5.3.3, Table 28], row by row and each both ways: with all
 * of a row's invalidations the new translation is used; without them, without
 * any one of them, or with narrower ones, the old one still is.
 *
 * So a driver that forgets one sees here what hardware would show it.  What a
 * device's own cache has to forget is the device's matter, and not here; the
 * refresh suite has the rows that show in another way.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spaces.h"

/* ---- Changes -------------------------------------------------------------------------- */

/* Point the entry at @addr to a copy of what it points to, made by hand. */
static uint64_t copy_behind(uint64_t addr)
{
    uint64_t old = peek(addr) & ~0xfffull & (BIT_AT(46) - 1), copy = new_page();
    for (unsigned i = 0; i < PAGE; i += 8) {
        poke(copy + i, peek(old + i));
    }
    poke(addr, peek(addr) - old + copy);
    return copy;
}

static void change_second(void)
{
    copy_behind(paging_entry_at(&second, IOVA, 2));
    map(&second, IOVA, NEW, PAGE, RW);
}

static void change_second_leaf(void)
{
    map(&second, IOVA, NEW, PAGE, RW);
}

static void change_second_root(void)
{
    second = given_space(DOMAIN, second.levels);
    map(&second, IOVA, NEW, PAGE, RW);
}

/* Another second stage for a PASID whose domain-id stays. */
static void reuse_domain(void)
{
    change_second_root();
    write_pasid(PASID, PGTT_SECOND_STAGE, DOMAIN);
}

static void change_root(void)
{
    copy_behind(root_entry_at(DEV));
    copy_behind(context_entry_at(DEV));
    copy_behind(directory_entry_at(DEV, PASID));
    reuse_domain();
}

static void change_context(void)
{
    copy_behind(context_entry_at(DEV));
    copy_behind(directory_entry_at(DEV, PASID));
    reuse_domain();
}

static void change_directory(void)
{
    copy_behind(directory_entry_at(DEV, PASID));
    reuse_domain();
}

static void change_root_pointer(void)
{
    uint64_t root = new_page();
    for (unsigned i = 0; i < PAGE; i += 8) {
        poke(root + i, peek(m.root + i));
    }
    m.root = root;
    change_root();
    set_root(root, TTM_SCALABLE);
}

static void take_pasid(void)
{
    given_no_pasid(DEV, PASID);
}

static void change_first_root(void)
{
    first = given_space(0, 4);
    map_first(IOVA, NEW, PAGE, USER_RW);
    poke(pasid_entry_at(DEV, PASID) + 16, first.root);
}

static void change_first_leaf(void)
{
    map_first(IOVA, NEW, PAGE, USER_RW);
}

static void change_first(void)
{
    copy_behind(first_entry_at(IOVA, 2));
    map_first(IOVA, NEW, PAGE, USER_RW);
}

static void change_nested_leaf(void)
{
    map(&second, GUEST, NEW, PAGE, RW);
}

static void change_nested(void)
{
    copy_behind(paging_entry_at(&second, GUEST, 2));
    map(&second, GUEST, NEW, PAGE, RW);
}

/* A large page becomes a table of small ones. */
static void split_second(void)
{
    poke(paging_entry_at(&second, IOVA, 2), 0);
    map(&second, IOVA, NEW, PAGE, RW);
}

static void change_legacy_context(void)
{
    change_second_root();
    given_legacy_context(DEV, 0, &second);
}

static void change_legacy_root(void)
{
    copy_behind(root_entry_at(DEV));
    change_legacy_context();
}

/* ---- Invalidations --------------------------------------------------------------------- */

static void cc_global(void) { execute(context_global()); }
static void cc_domain(void) { execute(context_domain(DOMAIN)); }
static void cc_device(void) { execute(context_device(DOMAIN, DEV, 0)); }
static void cc_other(void) { execute(context_device(DOMAIN, DEV + 1, 0)); }
static void cc_other_domain(void) { execute(context_domain(OTHER)); }
static void pc_global(void) { execute(pasid_cache_global()); }
static void pc_domain(void) { execute(pasid_cache_domain(DOMAIN)); }
static void pc_pasid(void) { execute(pasid_cache_pasid(DOMAIN, PASID)); }
static void pc_other(void) { execute(pasid_cache_pasid(DOMAIN, PASID + 1)); }
static void pc_other_domain(void) { execute(pasid_cache_domain(OTHER)); }
static void tlb_global(void) { execute(iotlb_global()); }
static void tlb_domain(void) { execute(iotlb_domain(DOMAIN)); }
static void tlb_other(void) { execute(iotlb_domain(OTHER)); }
static void p_pasid(void) { execute(p_iotlb_pasid(DOMAIN, PASID)); }
static void p_other(void) { execute(p_iotlb_pasid(DOMAIN, PASID + 1)); }
static void p_other_domain(void) { execute(p_iotlb_pasid(OTHER, PASID)); }

static void tlb_page(void)
{
    execute(iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO));
}

static void tlb_leaf(void)
{
    execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
}

static void tlb_large(void)
{
    execute(iotlb_page(DOMAIN, IOVA & -LARGE, 9, NON_LEAVES_TOO));
}

static void tlb_guest_page(void)
{
    execute(iotlb_page(DOMAIN, GUEST, 0, NON_LEAVES_TOO));
}

static void tlb_guest_leaf(void)
{
    execute(iotlb_page(DOMAIN, GUEST, 0, ONLY_LEAVES));
}

static void tlb_next_page(void)
{
    execute(iotlb_page(DOMAIN, IOVA + PAGE, 0, ONLY_LEAVES));
}

static void tlb_next_large(void)
{
    execute(iotlb_page(DOMAIN, IOVA + LARGE, 0, NON_LEAVES_TOO));
}

static void p_page(void)
{
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO));
}

static void p_leaf(void)
{
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, ONLY_LEAVES));
}

static void p_next_page(void)
{
    execute(p_iotlb_page(DOMAIN, PASID, IOVA + PAGE, 0, ONLY_LEAVES));
}

static void p_next_large(void)
{
    execute(p_iotlb_page(DOMAIN, PASID, IOVA + LARGE, 0, NON_LEAVES_TOO));
}

/* ---- The rows ----------------------------------------------------------------------------- */

typedef void Step(void);

typedef struct Row {
    const char *name;
    Step *given, *change;
    uint32_t pasid;             /* of the device's requests */
    uint64_t at, old, new;      /* @new 0: refused, for this reason: */
    uint8_t refusal;
    Step *required[4];          /* in this order */
    Step *narrow[6];            /* do not do, all together */
} Row;

#define SCALABLE    .pasid = PASID, .at = IOVA, .old = OLD, .new = NEW
#define LEGACY      .pasid = NO_PASID, .at = IOVA, .old = OLD, .new = NEW

static const Row rows[] = {
    { "root entry", given_second, change_root, SCALABLE,
      .required = { cc_global, pc_global, tlb_global },
      .narrow = { cc_other, pc_other_domain, tlb_other } },
    { "context entry", given_second, change_context, SCALABLE,
      .required = { cc_device, pc_domain, tlb_domain },
      .narrow = { cc_other, pc_other_domain, tlb_other } },
    { "directory entry", given_second, change_directory, SCALABLE,
      .required = { pc_pasid, tlb_domain },
      .narrow = { cc_global, pc_other, tlb_domain } },
    { "first-stage PASID taken", given_first, take_pasid, .pasid = PASID,
      .at = IOVA, .old = OLD, .refusal = FAULT_PASID_ENTRY_NOT_PRESENT,
      .required = { pc_pasid, p_pasid },
      .narrow = { pc_other, p_other, p_other_domain, p_next_page, tlb_other } },
    { "pass-through PASID taken", given_through, take_pasid, .pasid = PASID,
      .at = IOVA, .old = IOVA, .refusal = FAULT_PASID_ENTRY_NOT_PRESENT,
      .required = { pc_pasid, p_pasid },
      .narrow = { pc_pasid, p_page, p_other, p_other_domain } },
    { "second-stage PASID taken", given_second, take_pasid, .pasid = PASID,
      .at = IOVA, .old = OLD, .refusal = FAULT_PASID_ENTRY_NOT_PRESENT,
      .required = { pc_pasid, tlb_domain },
      .narrow = { pc_pasid, p_page, p_other, tlb_next_page, tlb_other } },
    { "nested PASID taken", given_both_stages, take_pasid, .pasid = PASID,
      .at = IOVA, .old = OLD, .refusal = FAULT_PASID_ENTRY_NOT_PRESENT,
      .required = { pc_pasid, tlb_domain },
      .narrow = { pc_pasid, p_other, p_next_page, tlb_other } },
    { "first stage of a PASID", given_first, change_first_root, SCALABLE,
      .required = { pc_pasid, p_pasid },
      .narrow = { pc_pasid, p_leaf, p_other, p_other_domain } },
    { "domain-id used again", given_second, reuse_domain, SCALABLE,
      .required = { pc_domain, tlb_domain },
      .narrow = { pc_domain, p_pasid, tlb_leaf, tlb_other } },
    { "first-stage leaf", given_first, change_first_leaf, SCALABLE,
      .required = { p_leaf },
      .narrow = { p_next_page, p_other, p_other_domain, tlb_other } },
    { "first-stage table", given_first, change_first, SCALABLE,
      .required = { p_page },
      .narrow = { p_leaf, p_next_large, p_other, p_other_domain } },
    { "second-stage leaf", given_second, change_second_leaf, SCALABLE,
      .required = { tlb_leaf },
      .narrow = { tlb_next_page, tlb_next_large, tlb_other, p_page } },
    { "second-stage table", given_second, change_second, SCALABLE,
      .required = { tlb_page },
      .narrow = { tlb_leaf, tlb_next_large, tlb_other, p_pasid } },
    { "second-stage leaf, nested", given_both_stages, change_nested_leaf, SCALABLE,
      .required = { tlb_guest_leaf },
      .narrow = { tlb_other, p_other, p_next_page } },
    { "second-stage table, nested", given_both_stages, change_nested, SCALABLE,
      .required = { tlb_guest_page },
      .narrow = { tlb_guest_leaf, tlb_next_large, p_pasid, p_page } },
    { "size of a page", given_second_large, split_second, .pasid = PASID,
      .at = IOVA & -LARGE, .old = OLD, .refusal = FAULT_SS_NOT_PRESENT,
      .required = { tlb_large },
      .narrow = { tlb_next_large, tlb_other, p_page } },
    { "root table", given_second, change_root_pointer, SCALABLE,
      .required = { cc_global, pc_global, tlb_global },
      .narrow = { cc_other, pc_other_domain, tlb_other } },
    { "legacy root entry", given_legacy_device, change_legacy_root, LEGACY,
      .required = { cc_global, tlb_global },
      .narrow = { cc_other, cc_other_domain, tlb_global } },
    { "legacy context entry", given_legacy_device, change_legacy_context, LEGACY,
      .required = { cc_device, tlb_domain },
      .narrow = { cc_device, tlb_leaf, tlb_other } },
    { "legacy domain-id used again", given_legacy_device, change_legacy_context,
      LEGACY, .required = { cc_domain, tlb_domain },
      .narrow = { cc_other_domain, tlb_domain } },
    { "legacy leaf", given_legacy_device, change_second_leaf, LEGACY,
      .required = { tlb_leaf },
      .narrow = { cc_global, tlb_next_page, tlb_other } },
    { "legacy table", given_legacy_device, change_second, LEGACY,
      .required = { tlb_page },
      .narrow = { cc_global, tlb_leaf, tlb_next_large, tlb_other } },
};

static void is_old(const Row *row)
{
    both_reach(DEV, row->pasid, row->at, row->old);
}

static void is_new(const Row *row)
{
    if (row->new) {
        both_reach(DEV, row->pasid, row->at, row->new);
    } else {
        read_faults(DEV, row->pasid, row->at, row->refusal);
    }
}

static void given(const Row *row)
{
    row->given();
    is_old(row);
    row->change();
}

static void all(Step *const *steps, unsigned most, int but)
{
    for (unsigned i = 0; i < most && steps[i]; i++) {
        if ((int)i != but) {
            steps[i]();
        }
    }
}

#define ALL(steps, but)     all(steps, G_N_ELEMENTS(steps), but)

START_TEST(without_an_invalidation_the_old_one_is_used)
{
    given(&rows[_i]);
    is_old(&rows[_i]);
}
END_TEST

START_TEST(with_what_is_required_the_new_one_is_used)
{
    given(&rows[_i]);
    ALL(rows[_i].required, -1);
    is_new(&rows[_i]);
}
END_TEST

START_TEST(each_that_is_required_is_needed)
{
    const Row *row = &rows[_i / 4];
    if (!row->required[_i % 4]) {
        return;
    }
    given(row);
    ALL(row->required, _i % 4);
    is_old(row);
}
END_TEST

START_TEST(narrower_ones_are_not_enough)
{
    given(&rows[_i]);
    ALL(rows[_i].narrow, -1);
    is_old(&rows[_i]);
}
END_TEST

/* ---- Every level ---------------------------------------------------------------------------- */

#define BESIDE  (2 * NEW)       /* where another page leads */

/* A page that shares the tables above @level - 1 with the one at IOVA. */
static uint64_t beside(unsigned level)
{
    return IOVA ^ BIT_AT(12 + 9 * (level - 2));
}

START_TEST(a_second_stage_table_is_remembered_for_all_that_it_covers)
{
    uint64_t other = beside(_i);
    given_second();
    map(&second, other, BESIDE, PAGE, RW);
    both_reach(DEV, PASID, IOVA, OLD);
    for (unsigned level = _i; level >= 2; level--) {
        copy_behind(paging_entry_at(&second, other, level));
    }
    map(&second, other, NEW, PAGE, RW);
    both_reach(DEV, PASID, other, BESIDE);
    execute(iotlb_page(DOMAIN, other, 0, ONLY_LEAVES));
    both_reach(DEV, PASID, other, BESIDE);
    execute(iotlb_page(DOMAIN, other, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID, other, NEW);
}
END_TEST

START_TEST(a_first_stage_table_is_remembered_for_all_that_it_covers)
{
    uint64_t other = beside(_i);
    given_first();
    map_first(other, BESIDE, PAGE, USER_RW);
    both_reach(DEV, PASID, IOVA, OLD);
    for (unsigned level = _i; level >= 2; level--) {
        copy_behind(first_entry_at(other, level));
    }
    map_first(other, NEW, PAGE, USER_RW);
    both_reach(DEV, PASID, other, BESIDE);
    execute(p_iotlb_page(DOMAIN, PASID, other, 0, ONLY_LEAVES));
    both_reach(DEV, PASID, other, BESIDE);
    execute(p_iotlb_page(DOMAIN, PASID, other, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID, other, NEW);
}
END_TEST

/* ---- Who shares tables ----------------------------------------------------------------- */

START_TEST(each_domain_that_uses_a_table_is_invalidated)
{
    given_second();
    write_pasid(PASID + 1, PGTT_SECOND_STAGE, OTHER);
    both_reach(DEV, PASID, IOVA, OLD);
    both_reach(DEV, PASID + 1, IOVA, OLD);
    change_second();
    execute(iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID, IOVA, NEW);
    both_reach(DEV, PASID + 1, IOVA, OLD);
    execute(iotlb_page(OTHER, IOVA, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID + 1, IOVA, NEW);
}
END_TEST

START_TEST(each_pasid_that_uses_a_table_is_invalidated)
{
    given_first();
    write_pasid(PASID + 1, PGTT_FIRST_STAGE, DOMAIN);
    both_reach(DEV, PASID, IOVA, OLD);
    both_reach(DEV, PASID + 1, IOVA, OLD);
    change_first();
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID, IOVA, NEW);
    both_reach(DEV, PASID + 1, IOVA, OLD);
    execute(p_iotlb_page(DOMAIN, PASID + 1, IOVA, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID + 1, IOVA, NEW);
}
END_TEST

START_TEST(one_invalidation_serves_all_functions_of_a_domain)
{
    given_second();
    given_context(DEV + 1);
    poke(context_entry_at(DEV + 1), peek(context_entry_at(DEV)));
    both_reach(DEV, PASID, IOVA, OLD);
    both_reach(DEV + 1, PASID, IOVA, OLD);
    change_second();
    both_reach(DEV + 1, PASID, IOVA, OLD);
    execute(iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO));
    both_reach(DEV, PASID, IOVA, NEW);
    both_reach(DEV + 1, PASID, IOVA, NEW);
}
END_TEST

/* What requests without PASID bring in goes by RID_PASID. */
START_TEST(requests_without_pasid_are_invalidated_by_rid_pasid)
{
    given_first();
    write_pasid(RID_PASID, PGTT_FIRST_STAGE, DOMAIN);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    change_first_leaf();
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, ONLY_LEAVES));
    both_reach(DEV, NO_PASID, IOVA, OLD);
    execute(p_iotlb_page(DOMAIN, RID_PASID, IOVA, 0, ONLY_LEAVES));
    both_reach(DEV, NO_PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_new_root_table_needs_nothing_with_esrtps)
{
    DmarConfig config = full;
    config.root_invalidates = true;
    given_unit(&config);
    map_and_bind_second();
    both_reach(DEV, PASID, IOVA, OLD);
    change_root_pointer();
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

static Suite *required(void)
{
    Suite *s = suite_create("required");
    TCase *t = tests_of(s, "rows");
    unsigned count = G_N_ELEMENTS(rows);
    tcase_add_loop_test(t, without_an_invalidation_the_old_one_is_used, 0, count);
    tcase_add_loop_test(t, with_what_is_required_the_new_one_is_used, 0, count);
    tcase_add_loop_test(t, each_that_is_required_is_needed, 0, 4 * count);
    tcase_add_loop_test(t, narrower_ones_are_not_enough, 0, count);
    tcase_add_test(t, a_new_root_table_needs_nothing_with_esrtps);

    t = tests_of(s, "levels");
    tcase_add_loop_test(t,
        a_second_stage_table_is_remembered_for_all_that_it_covers, 2, 5);
    tcase_add_loop_test(t,
        a_first_stage_table_is_remembered_for_all_that_it_covers, 2, 5);

    t = tests_of(s, "sharing");
    tcase_add_test(t, each_domain_that_uses_a_table_is_invalidated);
    tcase_add_test(t, each_pasid_that_uses_a_table_is_invalidated);
    tcase_add_test(t, one_invalidation_serves_all_functions_of_a_domain);
    tcase_add_test(t, requests_without_pasid_are_invalidated_by_rid_pasid);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(required(), argc, argv);
}
