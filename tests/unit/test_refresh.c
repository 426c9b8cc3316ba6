/*
 * Changes that show in another way than by where a page is: what marks used
 * pages, who may do what, and what becomes present [VT-d 6.1, 6.5.3.3].  As in
 * the required suite, each is shown with its invalidation and without.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spaces.h"

#define SECOND_ACCESSED BIT_AT(8)
#define SECOND_DIRTY    BIT_AT(9)

/* ---- Marks ---------------------------------------------------------------------------- */

/* SSADE from 0 to 1: bits are set of what is walked anew. */
static void begin_tracking(void)
{
    given_second();
    both_reach(DEV, PASID, IOVA, OLD);
    flip(pasid_entry_at(DEV, PASID), 9);
}

static uint64_t marks(unsigned level)
{
    return peek(paging_entry_at(&second, IOVA, level)) &
        (SECOND_ACCESSED | SECOND_DIRTY);
}

START_TEST(tracking_begins_when_pasid_and_pages_are_invalidated)
{
    begin_tracking();
    execute(pasid_cache_pasid(DOMAIN, PASID));
    execute(iotlb_domain(DOMAIN));
    write_reaches(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(marks(1), SECOND_ACCESSED | SECOND_DIRTY);
    for (unsigned level = 2; level <= 4; level++) {
        ck_assert_uint_eq(marks(level), SECOND_ACCESSED);
    }
}
END_TEST

START_TEST(tracking_does_not_begin_by_half)
{
    begin_tracking();
    execute(_i ? pasid_cache_pasid(DOMAIN, PASID) : iotlb_domain(DOMAIN));
    write_reaches(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(marks(1), 0);
}
END_TEST

START_TEST(tracking_leaves_tables_out_that_a_cache_still_knows)
{
    begin_tracking();
    execute(pasid_cache_pasid(DOMAIN, PASID));
    execute(p_iotlb_pasid(DOMAIN, PASID));
    write_reaches(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(marks(1), SECOND_ACCESSED | SECOND_DIRTY);
    ck_assert_uint_eq(marks(2), 0);
}
END_TEST

/* Bits that software clears are set again by who walks again: of the leaf, of
 * the table, of neither. */
static void cleared(uint64_t leaf, uint64_t table, uint64_t accessed, uint64_t dirty)
{
    write_reaches(DEV, PASID, IOVA, OLD);
    poke(leaf, peek(leaf) & ~(accessed | dirty));
    poke(table, peek(table) & ~accessed);
}

static void marked(uint64_t leaf, uint64_t table, uint64_t accessed, uint64_t dirty,
                   bool leaf_is, bool table_is)
{
    write_reaches(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(peek(leaf) & (accessed | dirty),
                      leaf_is ? accessed | dirty : 0);
    ck_assert_uint_eq(peek(table) & accessed, table_is ? accessed : 0);
}

START_TEST(a_cleared_bit_of_a_first_stage_is_set_again_after_invalidation)
{
    given_first();
    uint64_t leaf = first_entry_at(IOVA, 1), table = first_entry_at(IOVA, 2);
    cleared(leaf, table, ACCESSED, DIRTY);
    marked(leaf, table, ACCESSED, DIRTY, false, false);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA + PAGE, 0, ONLY_LEAVES));
    marked(leaf, table, ACCESSED, DIRTY, false, false);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, ONLY_LEAVES));
    marked(leaf, table, ACCESSED, DIRTY, true, false);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO));
    marked(leaf, table, ACCESSED, DIRTY, true, true);
}
END_TEST

START_TEST(a_cleared_bit_of_a_second_stage_is_set_again_after_invalidation)
{
    given_second();
    flip(pasid_entry_at(DEV, PASID), 9);
    uint64_t leaf = paging_entry_at(&second, IOVA, 1);
    uint64_t table = paging_entry_at(&second, IOVA, 2);
    cleared(leaf, table, SECOND_ACCESSED, SECOND_DIRTY);
    marked(leaf, table, SECOND_ACCESSED, SECOND_DIRTY, false, false);
    execute(iotlb_page(DOMAIN, IOVA + PAGE, 0, ONLY_LEAVES));
    marked(leaf, table, SECOND_ACCESSED, SECOND_DIRTY, false, false);
    execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    marked(leaf, table, SECOND_ACCESSED, SECOND_DIRTY, true, false);
    execute(iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO));
    marked(leaf, table, SECOND_ACCESSED, SECOND_DIRTY, true, true);
}
END_TEST

/* ---- Rights ---------------------------------------------------------------------------- */

/* A device that cannot ask for the page has to wait for the invalidation. */
START_TEST(a_first_stage_right_is_there_after_invalidation)
{
    given_first();
    map_first(IOVA, OLD, PAGE, USER_RW & ~2ull);
    read_reaches(DEV, PASID, IOVA, OLD);
    map_first(IOVA, OLD, PAGE, USER_RW);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA + PAGE, 0, ONLY_LEAVES));
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, ONLY_LEAVES));
    write_reaches(DEV, PASID, IOVA, OLD);
}
END_TEST

/* A table is cached with whom it lets pass. */
START_TEST(a_first_stage_table_lets_users_pass_after_invalidation)
{
    given_first();
    flip(first_entry_at(IOVA, 2), 2);
    write_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
    flip(first_entry_at(IOVA, 2), 2);
    write_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, ONLY_LEAVES));
    write_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
    execute(p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO));
    write_reaches(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_second_stage_right_is_there_after_invalidation)
{
    given_second();
    map(&second, IOVA, OLD, PAGE, R);
    read_reaches(DEV, PASID, IOVA, OLD);
    map(&second, IOVA, OLD, PAGE, RW);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    execute(iotlb_page(DOMAIN, IOVA + PAGE, 0, ONLY_LEAVES));
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    write_reaches(DEV, PASID, IOVA, OLD);
}
END_TEST

/* DTE is in the context entry. */
START_TEST(translation_requests_are_allowed_after_invalidation)
{
    given_second();
    flip(context_entry_at(DEV), 2);
    read_reaches(DEV, PASID, IOVA, OLD);
    flip(context_entry_at(DEV), 2);
    ats_fails(DEV, PASID, IOVA, DMAR_UNSUPPORTED_REQUEST, FAULT_ATS_BLOCKED);
    execute(context_device(0, DEV + 1, 0));
    ats_fails(DEV, PASID, IOVA, DMAR_UNSUPPORTED_REQUEST, FAULT_ATS_BLOCKED);
    execute(context_device(0, DEV, 0));
    ats_grants(DEV, PASID, IOVA, OLD, RW);
}
END_TEST

START_TEST(translation_requests_are_refused_after_invalidation)
{
    given_second();
    ats_grants(DEV, PASID, IOVA, OLD, RW);
    flip(context_entry_at(DEV), 2);
    ats_grants(DEV, PASID, IOVA, OLD, RW);
    execute(context_device(0, DEV, 0));
    ats_fails(DEV, PASID, IOVA, DMAR_UNSUPPORTED_REQUEST, FAULT_ATS_BLOCKED);
}
END_TEST

/* ---- Presence ---------------------------------------------------------------------------- */

static uint64_t entry_of_the_way(unsigned which)
{
    switch (which) {
    case 0: return root_entry_at(DEV);
    case 1: return context_entry_at(DEV);
    case 2: return directory_entry_at(DEV, PASID);
    case 3: return pasid_entry_at(DEV, PASID);
    default: return paging_entry_at(&second, IOVA, 8 - which);
    }
}

/* What is absent may be cached in caching mode only, and then needs the
 * invalidations of a change. */
START_TEST(what_becomes_present_is_used)
{
    DmarConfig config = full;
    config.caching_mode = _i >= 8;
    given_unit(&config);
    map_and_bind_second();
    uint64_t entry = entry_of_the_way(_i % 8), value = peek(entry);
    poke(entry, 0);
    DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    fault_left(t.reason, DEV);
    poke(entry, value);
    if (config.caching_mode) {
        forget_everything();
    }
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_first_stage_entry_that_becomes_present_needs_nothing_at_all)
{
    DmarConfig config = full;
    config.caching_mode = _i >= 4;
    given_unit(&config);
    map_first(IOVA, OLD, PAGE, USER_RW);
    write_pasid(PASID, PGTT_FIRST_STAGE, DOMAIN);
    uint64_t entry = first_entry_at(IOVA, 1 + _i % 4), value = peek(entry);
    poke(entry, 0);
    write_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
    poke(entry, value);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

static Suite *refresh(void)
{
    Suite *s = suite_create("refresh");
    TCase *t = tests_of(s, "marks");
    tcase_add_test(t, tracking_begins_when_pasid_and_pages_are_invalidated);
    tcase_add_loop_test(t, tracking_does_not_begin_by_half, 0, 2);
    tcase_add_test(t, tracking_leaves_tables_out_that_a_cache_still_knows);
    tcase_add_test(t,
        a_cleared_bit_of_a_first_stage_is_set_again_after_invalidation);
    tcase_add_test(t,
        a_cleared_bit_of_a_second_stage_is_set_again_after_invalidation);

    t = tests_of(s, "rights");
    tcase_add_test(t, a_first_stage_right_is_there_after_invalidation);
    tcase_add_test(t, a_first_stage_table_lets_users_pass_after_invalidation);
    tcase_add_test(t, a_second_stage_right_is_there_after_invalidation);
    tcase_add_test(t, translation_requests_are_allowed_after_invalidation);
    tcase_add_test(t, translation_requests_are_refused_after_invalidation);

    t = tests_of(s, "presence");
    tcase_add_loop_test(t, what_becomes_present_is_used, 0, 16);
    tcase_add_loop_test(t,
        a_first_stage_entry_that_becomes_present_needs_nothing_at_all, 0, 8);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(refresh(), argc, argv);
}
