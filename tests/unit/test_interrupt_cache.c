/*
 * The interrupt entry cache [VT-d 6.4, 6.5.2.8, 6.7]: what stays, and what
 * makes it go.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_interrupts.h"

START_TEST(a_changed_entry_is_seen_after_invalidation)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
    given_entry(INDEX, VECTOR + 1, 1);
    is_delivered(INDEX, VECTOR);
    execute(interrupt_index(INDEX + 1, 0));
    is_delivered(INDEX, VECTOR);
    execute(iotlb_global());
    is_delivered(INDEX, VECTOR);
    execute(_i ? interrupt_index(INDEX, 0) : interrupt_global());
    is_delivered(INDEX, VECTOR + 1);
}
END_TEST

START_TEST(an_index_mask_drops_exactly_its_entries)
{
    enum { ENTRIES = 64 };
    given_xapic();
    for (unsigned i = 0; i < ENTRIES; i++) {
        given_entry(i, 1, 1);
        is_delivered(i, 1);
        given_entry(i, 2, 1);
    }
    unsigned count = 1u << _i, first = count == ENTRIES ? 0 : count;
    execute(interrupt_index(first, _i));
    for (unsigned i = 0; i < ENTRIES; i++) {
        is_delivered(i, i >= first && i < first + count ? 2 : 1);
    }
}
END_TEST

START_TEST(what_becomes_present_is_seen_at_once)
{
    given_xapic();
    is_blocked(INDEX, FAULT_IR_ENTRY_NOT_PRESENT);
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
}
END_TEST

START_TEST(the_table_changes_only_by_command)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
    m.remap_table = new_pages(256);
    given_entry(INDEX, VECTOR + 1, 1);
    set_reg(IRTA_REG, m.remap_table | 15);
    execute(interrupt_global());
    is_delivered(INDEX, VECTOR);
    command(GCMD_SIRTP);
    execute(interrupt_global());
    is_delivered(INDEX, VECTOR + 1);
}
END_TEST

static void given_xapic_that_forgets(bool forgets)
{
    DmarConfig config = widest;
    config.interrupt_root_invalidates = forgets;
    given_table(&config, 15, false);
}

/* [VT-d 6.7]: with ESIRTPS software need not invalidate. */
START_TEST(a_new_table_is_used_at_once_if_the_unit_says_so)
{
    bool forgets = _i;
    given_xapic_that_forgets(forgets);
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
    m.remap_table = new_pages(256);
    given_entry(INDEX, VECTOR + 1, 1);
    set_reg(IRTA_REG, m.remap_table | 15);
    is_delivered(INDEX, VECTOR);
    command(GCMD_SIRTP);
    is_delivered(INDEX, forgets ? VECTOR + 1 : VECTOR);
    execute(interrupt_global());
    is_delivered(INDEX, VECTOR + 1);
}
END_TEST

START_TEST(switching_off_forgets_entries_if_the_unit_says_so)
{
    bool forgets = _i;
    given_xapic_that_forgets(forgets);
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
    given_entry(INDEX, VECTOR + 1, 1);
    command_off(GCMD_IRE);
    command(GCMD_IRE);
    is_delivered(INDEX, forgets ? VECTOR + 1 : VECTOR);
    execute(interrupt_global());
    is_delivered(INDEX, VECTOR + 1);
}
END_TEST

START_TEST(switching_on_forgets_nothing)
{
    given_xapic_that_forgets(true);
    given_entry(INDEX, VECTOR, 1);
    is_delivered(INDEX, VECTOR);
    m.dropped_ranges = 0;
    command(GCMD_CFI);
    command_off(GCMD_CFI);
    command(GCMD_IRE);
    ck_assert_uint_eq(m.dropped_ranges, 0);
}
END_TEST

START_TEST(the_host_is_told_what_a_new_table_drops)
{
    bool forgets = _i;
    given_xapic_that_forgets(forgets);
    m.dropped_ranges = 0;
    command(GCMD_SIRTP);
    ck_assert_uint_eq(m.dropped_ranges, forgets ? 1 : 0);
    command_off(GCMD_IRE);
    ck_assert_uint_eq(m.dropped_ranges, forgets ? 2 : 0);
    if (forgets) {
        ck_assert_uint_eq(m.dropped_first, 0);
        ck_assert_uint_eq(m.dropped_last, 0xffff);
    }
}
END_TEST

START_TEST(a_new_interrupt_table_leaves_translations_alone)
{
    DmarConfig config = widest;
    config.interrupt_root_invalidates = true;
    given_scalable(&config);
    given_context(DEV);
    Space space = given_space(1, 4);
    given_rid(DEV, &space);
    map(&space, 0x1000, 0x5000, PAGE, RW);
    write_reaches(DEV, NO_PASID, 0x1000, 0x5000);
    unmap(&space, 0x1000);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    command_off(GCMD_IRE);
    write_reaches(DEV, NO_PASID, 0x1000, 0x5000);
}
END_TEST

/* What an entry had to be in one mode is not asked again in the other. */
START_TEST(a_cached_entry_outlives_a_change_of_mode)
{
    given_table(&widest, 15, true);
    given_entry(INDEX, VECTOR, 0x12345678);
    is_delivered(INDEX, VECTOR);
    set_reg(IRTA_REG, m.remap_table | 15);
    command(GCMD_SIRTP);
    is_delivered(INDEX, VECTOR);
    execute(interrupt_global());
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
}
END_TEST

START_TEST(the_host_is_told_which_entries_were_dropped)
{
    given_xapic();
    m.dropped_ranges = 0;
    execute(interrupt_index(0x1237, 4));
    ck_assert_uint_eq(m.dropped_ranges, 1);
    ck_assert_uint_eq(m.dropped_first, 0x1230);
    ck_assert_uint_eq(m.dropped_last, 0x123f);
    execute(interrupt_global());
    ck_assert_uint_eq(m.dropped_first, 0);
    ck_assert_uint_eq(m.dropped_last, 0xffff);
}
END_TEST

START_TEST(the_host_is_told_when_remapping_is_switched)
{
    power_on(&widest);
    unsigned before = m.remapping_changes;
    command(GCMD_IRE);
    ck_assert(m.interrupts_on && !m.dma_on);
    ck_assert_uint_eq(m.remapping_changes, before + 1);
    command(GCMD_TE);
    ck_assert(m.interrupts_on && m.dma_on);
    command_off(GCMD_IRE);
    ck_assert(!m.interrupts_on && m.dma_on);
    command_off(GCMD_TE);
    ck_assert(!m.interrupts_on && !m.dma_on);
}
END_TEST

static Suite *interrupt_cache(void)
{
    Suite *s = suite_create("interrupt cache");
    TCase *t = tests_of(s, "cache");
    tcase_add_loop_test(t, a_changed_entry_is_seen_after_invalidation, 0, 2);
    tcase_add_loop_test(t, an_index_mask_drops_exactly_its_entries, 0, 7);
    tcase_add_test(t, what_becomes_present_is_seen_at_once);
    tcase_add_test(t, the_table_changes_only_by_command);
    tcase_add_loop_test(t, a_new_table_is_used_at_once_if_the_unit_says_so, 0, 2);
    tcase_add_loop_test(t, switching_off_forgets_entries_if_the_unit_says_so, 0,
                        2);
    tcase_add_test(t, switching_on_forgets_nothing);
    tcase_add_loop_test(t, the_host_is_told_what_a_new_table_drops, 0, 2);
    tcase_add_test(t, a_new_interrupt_table_leaves_translations_alone);
    tcase_add_test(t, a_cached_entry_outlives_a_change_of_mode);
    tcase_add_test(t, the_host_is_told_which_entries_were_dropped);
    tcase_add_test(t, the_host_is_told_when_remapping_is_switched);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(interrupt_cache(), argc, argv);
}
