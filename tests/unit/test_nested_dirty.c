/*
 * Accessed and dirty bits of nested translation [VT-d 3.8.1, 4.2.3.1]: set in
 * both stages where they must be and nowhere else.  One stage alone is in
 * test_dirty.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "marks.h"

#define GUEST   (9 * HUGE + 4 * LARGE + 7 * PAGE)

static Space second;

static void given_nesting(unsigned options)
{
    given_device(&widest);
    second = given_space(DOMAIN, 4);
    space = given_nested(&second, 4);
    map_fs(&space, IOVA, GUEST, PAGE, USER_RW);
    map(&second, GUEST, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_options(DEV, PASID, options);
}

/* ---- Nested [VT-d 3.8.1] ------------------------------------------------------------------- */

static uint64_t second_at(uint64_t guest, unsigned level)
{
    return paging_entry_at(&second, guest, level);
}

/* Every entry of the second stage that leads to @guest is marked accessed. */
static bool second_accessed(uint64_t guest)
{
    for (unsigned level = 1; level <= second.levels; level++) {
        if (!(peek(second_at(guest, level)) & SS_A)) {
            return false;
        }
    }
    return true;
}

static uint64_t guest_table(unsigned level)
{
    return GUEST_TABLES + entry_at(level);
}

START_TEST(a_nested_read_marks_both_stages_accessed)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    read_reaches(DEV, PASID, IOVA, TARGET);
    for (unsigned level = 1; level <= 4; level++) {
        ck_assert(peek(entry_at(level)) & FS_A);
        ck_assert(second_accessed(guest_table(level)));
    }
    ck_assert(second_accessed(GUEST));
    ck_assert(!(peek(entry_at(1)) & FS_D));
    ck_assert(!(peek(second_at(GUEST, 1)) & SS_D));
}
END_TEST

START_TEST(a_nested_write_marks_the_page_dirty_in_both_stages)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    read_reaches(DEV, PASID, IOVA, TARGET);
    remember();
    write_reaches(DEV, PASID, IOVA, TARGET);
    gained(entry_at(1), FS_D);
    gained(second_at(GUEST, 1), SS_D);
    nothing_else_changed();
    write_reaches(DEV, PASID, IOVA, TARGET);
    nothing_else_changed();
}
END_TEST

START_TEST(a_table_is_dirty_in_the_second_stage_when_its_entries_are_marked)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    read_reaches(DEV, PASID, IOVA, TARGET);
    for (unsigned level = 1; level <= 4; level++) {
        ck_assert(peek(second_at(guest_table(level), 1)) & SS_D);
    }
}
END_TEST

START_TEST(a_table_that_is_only_read_is_not_dirty_in_the_second_stage)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    for (unsigned level = 1; level <= 4; level++) {
        poke(entry_at(level), peek(entry_at(level)) | FS_A);
    }
    read_reaches(DEV, PASID, IOVA, TARGET);
    for (unsigned level = 1; level <= 4; level++) {
        ck_assert(second_accessed(guest_table(level)));
        ck_assert(!(peek(second_at(guest_table(level), 1)) & SS_D));
    }
}
END_TEST

START_TEST(without_ssade_nesting_marks_the_first_stage_only)
{
    given_nesting(WITH_PWSNP);
    remember();
    write_reaches(DEV, PASID, IOVA, TARGET);
    leaf_level = 1;
    way_gained(FS_A, FS_D);
    nothing_else_changed();
}
END_TEST

START_TEST(what_the_second_stage_refuses_is_dirty_in_neither)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    map(&second, GUEST, TARGET, PAGE, R);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    read_reaches(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    ck_assert(!(peek(entry_at(1)) & FS_D));
    ck_assert(!(peek(second_at(GUEST, 1)) & SS_D));
    poke(second_at(GUEST, 1), 0);
    forget();
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    ck_assert(!(peek(entry_at(1)) & FS_D));
}
END_TEST

START_TEST(a_nested_atomic_that_cannot_read_is_dirty_in_neither)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    map(&second, GUEST, TARGET, PAGE, W);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = DMAR_ATOMIC };
    request_faults(request, FAULT_READ_DENIED);
    ck_assert(!(peek(entry_at(1)) & FS_D));
    ck_assert(!(peek(second_at(GUEST, 1)) & SS_D));
}
END_TEST

START_TEST(what_the_first_stage_refuses_is_dirty_in_neither)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    map_fs(&space, IOVA, GUEST, PAGE, USER);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    read_reaches(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    ck_assert(!(peek(entry_at(1)) & FS_D));
    ck_assert(!(peek(second_at(GUEST, 1)) & SS_D));
}
END_TEST

START_TEST(a_nested_probe_marks_nothing)
{
    given_nesting(WITH_PWSNP | WITH_SSADE | WITH_EAFE);
    remember();
    DmarTranslation t = dma(DMAR_PROBE, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert(t.read && t.write);
    nothing_else_changed();
    ck_assert_uint_eq(m.exchanges, 0);
}
END_TEST

static uint64_t allow_writing_meanwhile(uint64_t addr, uint64_t found)
{
    map(&second, GUEST, TARGET, PAGE, RW);
    return found;
}

START_TEST(a_page_that_may_be_written_too_late_is_not_written_unmarked)
{
    given_nesting(WITH_PWSNP);
    for (unsigned level = 2; level <= 4; level++) {
        poke(entry_at(level), peek(entry_at(level)) | FS_A);
    }
    map(&second, GUEST, TARGET, PAGE, R);
    m.lose_exchanges = 1;
    m.intruder = allow_writing_meanwhile;
    DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
    if (t.completion != DMAR_SUCCESS) {
        fault_left(FAULT_WRITE_DENIED, DEV);
    } else {
        ck_assert(peek(entry_at(1)) & FS_D);
    }
    write_reaches(DEV, PASID, IOVA, TARGET);
    ck_assert(peek(entry_at(1)) & FS_D);
}
END_TEST

/* ---- Translation requests [VT-d 4.2.3.1] ----------------------------------------------------- */

START_TEST(a_nested_translation_request_marks_both_stages)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    DmarTranslation t = ask_for(true);
    ck_assert(t.read && !t.write);
    ck_assert(!(peek(entry_at(1)) & FS_D));
    ck_assert(!(peek(second_at(GUEST, 1)) & SS_D));
    t = ask_for(false);
    ck_assert(t.read && t.write);
    ck_assert(peek(entry_at(1)) & FS_D);
    ck_assert(peek(second_at(GUEST, 1)) & SS_D);
}
END_TEST

START_TEST(a_write_only_page_of_a_nested_translation_is_marked_dirty)
{
    given_nesting(WITH_PWSNP | WITH_SSADE);
    map(&second, GUEST, TARGET, PAGE, W);
    DmarTranslation t = ask_for(false);
    ck_assert(!t.read && t.write);
    ck_assert(peek(entry_at(1)) & FS_D);
    ck_assert(peek(second_at(GUEST, 1)) & SS_D);
}
END_TEST

static Suite *nested_dirty_suite(void)
{
    Suite *s = suite_create("nested_dirty");
    TCase *t = tests_of(s, "nested");
    tcase_add_test(t, a_nested_read_marks_both_stages_accessed);
    tcase_add_test(t, a_nested_write_marks_the_page_dirty_in_both_stages);
    tcase_add_test(
        t, a_table_is_dirty_in_the_second_stage_when_its_entries_are_marked);
    tcase_add_test(t,
                   a_table_that_is_only_read_is_not_dirty_in_the_second_stage);
    tcase_add_test(t, without_ssade_nesting_marks_the_first_stage_only);
    tcase_add_test(t, what_the_second_stage_refuses_is_dirty_in_neither);
    tcase_add_test(t, a_nested_atomic_that_cannot_read_is_dirty_in_neither);
    tcase_add_test(t, what_the_first_stage_refuses_is_dirty_in_neither);
    tcase_add_test(t, a_nested_probe_marks_nothing);
    tcase_add_test(t,
                   a_page_that_may_be_written_too_late_is_not_written_unmarked);

    t = tests_of(s, "translation requests");
    tcase_add_test(t, a_nested_translation_request_marks_both_stages);
    tcase_add_test(t, a_write_only_page_of_a_nested_translation_is_marked_dirty);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(nested_dirty_suite(), argc, argv);
}
