/*
 * Accessed, extended-accessed and dirty bits of either stage [VT-d 3.6.2, 3.7.2,
 * 3.10, 4.2.3.1]: set where they must be and nowhere else, by compare-exchange,
 * against software that is faster.  Both stages together are in
 * test_nested_dirty.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "marks.h"

#define IGNORED BIT_AT(52)      /* by every entry of both stages */

/* Each shape a mapping can have; the first six are first-stage. */
static const struct {
    bool first_stage;
    unsigned levels;
    uint64_t size;
} shapes[] = {
    { true, 4, PAGE }, { true, 4, LARGE }, { true, 4, HUGE },
    { true, 5, PAGE }, { true, 5, LARGE }, { true, 5, HUGE },
    { false, 3, PAGE }, { false, 3, LARGE }, { false, 3, HUGE },
    { false, 4, PAGE }, { false, 4, LARGE }, { false, 4, HUGE },
    { false, 5, PAGE }, { false, 5, LARGE }, { false, 5, HUGE },
};

static uint64_t accessed(const Space *s)
{
    return s->first_stage ? FS_A : SS_A;
}

static uint64_t dirty(const Space *s)
{
    return s->first_stage ? FS_D : SS_D;
}

static uint64_t allowing_all(const Space *s)
{
    return s->first_stage ? USER_RW : RW;
}

static void map_any(const Space *s, uint64_t iova, uint64_t pa, uint64_t size,
                    uint64_t bits)
{
    if (s->first_stage) {
        map_fs(s, iova, pa, size, bits);
    } else {
        map(s, iova, pa, size, bits);
    }
}

static void pasid_options(unsigned options)
{
    given_options(DEV, PASID, options);
    execute(pasid_cache_pasid(DOMAIN, PASID));
    execute(iotlb_domain(DOMAIN));
}

static void given_shape(int shape)
{
    uint64_t size = shapes[shape].size;
    given_device(&widest);
    space = shapes[shape].first_stage
        ? given_first_stage(DOMAIN, shapes[shape].levels)
        : given_space(DOMAIN, shapes[shape].levels);
    map_any(&space, IOVA & -size, TARGET & -size, size, allowing_all(&space));
    given_pasid(DEV, PASID, &space);
    given_options(DEV, PASID, WITH_PWSNP | WITH_SSADE);
}

static uint64_t target_of(int shape)
{
    uint64_t size = shapes[shape].size;
    return (TARGET & -size) | (IOVA & (size - 1));
}

static void given(int shape)
{
    given_shape(shape);
    leaf_level = level_of(shapes[shape].size);
    remember();
}

/* ---- One stage -------------------------------------------------------------------- */

START_TEST(a_read_marks_every_entry_accessed_and_none_dirty)
{
    given(_i);
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(accessed(&space), 0);
    nothing_else_changed();
}
END_TEST

START_TEST(a_write_marks_the_leaf_dirty_in_the_same_exchange)
{
    given(_i);
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(accessed(&space), dirty(&space));
    nothing_else_changed();
    ck_assert_uint_eq(m.exchanges, space.levels - leaf_level + 1);
}
END_TEST

START_TEST(an_atomic_writes)
{
    given(_i);
    dma(DMAR_ATOMIC, DEV, PASID, IOVA);
    way_gained(accessed(&space), dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(a_zero_length_read_does_not_write)
{
    given(_i);
    dma(DMAR_READ_ZERO_LENGTH, DEV, PASID, IOVA);
    way_gained(accessed(&space), 0);
    nothing_else_changed();
}
END_TEST

START_TEST(a_write_after_a_read_marks_the_page_dirty)
{
    given(_i);
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    remember();
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    gained(entry_at(leaf_level), dirty(&space));
    nothing_else_changed();
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert_uint_eq(m.exchanges, 1);
}
END_TEST

START_TEST(a_page_brought_in_by_a_write_is_written_without_a_walk)
{
    given(_i);
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    m.accesses = 0;
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert_uint_eq(m.accesses, 0);
}
END_TEST

START_TEST(bits_that_are_set_are_not_set_again)
{
    given(_i);
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        poke(entry_at(level), peek(entry_at(level)) | accessed(&space));
    }
    poke(entry_at(leaf_level), peek(entry_at(leaf_level)) | dirty(&space));
    remember();
    both_reach(DEV, PASID, IOVA, target_of(_i));
    nothing_else_changed();
    ck_assert_uint_eq(m.exchanges, 0);
}
END_TEST

START_TEST(a_write_to_a_page_that_is_dirty_already_needs_no_walk)
{
    given(_i);
    poke(entry_at(leaf_level), peek(entry_at(leaf_level)) | dirty(&space));
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    m.accesses = 0;
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert_uint_eq(m.accesses, 0);
}
END_TEST

START_TEST(a_bit_that_software_clears_is_set_again_after_an_invalidation)
{
    given(_i);
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    uint64_t leaf = entry_at(leaf_level);
    poke(leaf, peek(leaf) & ~dirty(&space));
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert(!(peek(leaf) & dirty(&space)));       /* cached as set */
    forget();
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert(peek(leaf) & dirty(&space));
}
END_TEST

START_TEST(a_write_that_is_refused_leaves_no_dirty_bit)
{
    given(_i);
    /* Read-only by each entry in turn. */
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        flip(entry_at(level), 1);
        write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
        read_reaches(DEV, PASID, IOVA, target_of(_i));
        write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
        ck_assert(!(peek(entry_at(leaf_level)) & dirty(&space)));
        flip(entry_at(level), 1);
        forget();
    }
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert(peek(entry_at(leaf_level)) & dirty(&space));
}
END_TEST

START_TEST(a_probe_marks_nothing_and_records_nothing)
{
    given(_i);
    DmarTranslation t = dma(DMAR_PROBE, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.addr, target_of(_i));
    ck_assert(t.read && t.write);
    t = dma(DMAR_PROBE, DEV, PASID, IOVA + 2 * HUGE);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    ck_assert_uint_eq(m.exchanges, 0);
    nothing_else_changed();
}
END_TEST

START_TEST(what_a_probe_learnt_marks_nothing_later)
{
    given(_i);
    dma(DMAR_PROBE, DEV, PASID, IOVA);
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(accessed(&space), dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(entries_beside_the_way_are_left_alone)
{
    given(_i);
    uint64_t size = shapes[_i].size;
    map_any(&space, (IOVA & -size) + size, TARGET & -size, size,
            allowing_all(&space));
    remember();
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(accessed(&space), dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(a_fault_half_way_marks_nothing_below_it)
{
    given(_i);
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        uint64_t entry = entry_at(level), old = peek(entry);
        poke(entry, 0);
        dma(DMAR_WRITE, DEV, PASID, IOVA);
        ck_assert_uint_eq(peek(entry), 0);
        poke(entry, old);
        fault_left(space.first_stage ? FAULT_FS_NOT_PRESENT
                                     : FAULT_SS_NOT_PRESENT, DEV);
        forget();
    }
    ck_assert(!(peek(entry_at(leaf_level)) & accessed(&space)));
}
END_TEST

/* ---- The second stage's own ----------------------------------------------------------- */

START_TEST(without_ssade_a_second_stage_is_only_read)
{
    given(_i);
    given_options(DEV, PASID, WITH_PWSNP);
    remember();
    both_reach(DEV, PASID, IOVA, target_of(_i));
    nothing_else_changed();
    ck_assert_uint_eq(m.exchanges, 0);
}
END_TEST

START_TEST(legacy_mode_only_reads_its_tables)
{
    given_legacy(&widest);
    space = given_space(DOMAIN, shapes[_i].levels);
    uint64_t size = shapes[_i].size;
    map(&space, IOVA & -size, TARGET & -size, size, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    remember();
    both_reach(DEV, NO_PASID, IOVA, target_of(_i));
    nothing_else_changed();
}
END_TEST

START_TEST(an_atomic_to_a_page_that_cannot_be_read_leaves_no_dirty_bit)
{
    given(_i);
    map(&space, IOVA & -shapes[_i].size, TARGET & -shapes[_i].size,
        shapes[_i].size, W);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = DMAR_ATOMIC };
    request_faults(request, FAULT_READ_DENIED);
    ck_assert(!(peek(entry_at(leaf_level)) & SS_D));
    request.access = DMAR_WRITE;
    request_reaches(request, target_of(_i));
    ck_assert(peek(entry_at(leaf_level)) & SS_D);
    request.access = DMAR_ATOMIC;
    request_faults(request, FAULT_READ_DENIED);
}
END_TEST

/* ---- The first stage's own --------------------------------------------------------------- */

static DmarTranslation privileged_write(void)
{
    return ask((DmarRequest) { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                               .access = DMAR_WRITE, .privileged = true });
}

START_TEST(eafe_sets_the_extended_accessed_bit_as_well)
{
    given(_i);
    given_options(DEV, PASID, WITH_PWSNP | WITH_EAFE);
    remember();
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(FS_A | FS_EA, FS_D);
    nothing_else_changed();
    ck_assert_uint_eq(m.exchanges, space.levels - leaf_level + 1);
}
END_TEST

START_TEST(eafe_finds_entries_that_others_accessed)
{
    given(_i);
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    pasid_options(WITH_PWSNP | WITH_EAFE);
    remember();
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(FS_EA, 0);
    nothing_else_changed();
}
END_TEST

START_TEST(a_users_write_to_a_supervisors_page_leaves_no_dirty_bit)
{
    given(_i);
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        flip(entry_at(level), 2);
        write_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
        flip(entry_at(level), 2);
        forget();
    }
    ck_assert(!(peek(entry_at(leaf_level)) & FS_D));
}
END_TEST

START_TEST(a_supervisors_write_to_a_read_only_page_marks_it_unless_protected)
{
    given(_i);
    flip(entry_at(leaf_level), 1);
    pasid_options(WITH_PWSNP | WITH_SRE | WITH_WPE);
    ck_assert_uint_eq(privileged_write().reason, FAULT_WRITE_DENIED);
    fault_left(FAULT_WRITE_DENIED, DEV);
    ck_assert(!(peek(entry_at(leaf_level)) & FS_D));
    pasid_options(WITH_PWSNP | WITH_SRE);
    ck_assert_int_eq(privileged_write().completion, DMAR_SUCCESS);
    ck_assert(peek(entry_at(leaf_level)) & FS_D);
}
END_TEST

/* ---- Walks that nobody snoops [VT-d 3.10] ------------------------------------------------- */

static uint8_t unsnooped(void)
{
    return space.first_stage ? FAULT_FS_UPDATE_UNSNOOPED
                             : FAULT_SS_UPDATE_UNSNOOPED;
}

START_TEST(a_walk_that_is_not_snooped_sets_no_bit)
{
    given(_i);
    given_options(DEV, PASID, WITH_SSADE);      /* no PWSNP */
    remember();
    for (unsigned level = space.levels; level >= leaf_level; level--) {
        read_faults(DEV, PASID, IOVA, unsnooped());
        nothing_else_changed();
        poke(entry_at(level), peek(entry_at(level)) | accessed(&space));
        remember();
    }
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    write_faults(DEV, PASID, IOVA, unsnooped());
    nothing_else_changed();
    poke(entry_at(leaf_level), peek(entry_at(leaf_level)) | dirty(&space));
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert_uint_eq(m.exchanges, 0);
}
END_TEST

START_TEST(a_unit_that_snoops_no_walk_sets_no_bit)
{
    DmarConfig config = widest;
    config.incoherent_walk = true;
    config.extended_accessed = config.second_stage_dirty = false;
    given_device(&config);
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA, TARGET, PAGE, USER_RW);
    given_pasid(DEV, PASID, &space);
    write_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_UNSNOOPED);
    for (unsigned level = 1; level <= 4; level++) {
        poke(entry_at(level), peek(entry_at(level)) | FS_A);
    }
    read_reaches(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_UNSNOOPED);
    poke(entry_at(1), peek(entry_at(1)) | FS_D);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(eafe_without_snooping_needs_the_bit_set)
{
    given(_i);
    read_reaches(DEV, PASID, IOVA, target_of(_i));
    pasid_options(WITH_EAFE);
    read_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_UNSNOOPED);
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        poke(entry_at(level), peek(entry_at(level)) | FS_EA);
    }
    read_reaches(DEV, PASID, IOVA, target_of(_i));
}
END_TEST

/* ---- Races --------------------------------------------------------------------------------- */

static unsigned intrusion_level;
static uint64_t intrusion;

/* Software replaces the entry of one level by something else. */
static uint64_t intrude(uint64_t addr, uint64_t found)
{
    return addr == entry_at(intrusion_level) ? intrusion : found;
}

static void given_intruder(unsigned level, uint64_t entry)
{
    intrusion_level = level;
    intrusion = entry;
    m.lose_exchanges = UINT32_MAX;
    m.intruder = intrude;
}

static uint64_t take_note(uint64_t addr, uint64_t found)
{
    return found | IGNORED;
}

/* Once for each entry: who comes again finds it as it was. */
START_TEST(who_loses_a_race_sets_the_bits_of_the_new_entry)
{
    given(_i);
    m.lose_exchanges = UINT32_MAX;
    m.intruder = take_note;
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    way_gained(accessed(&space) | IGNORED, dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(an_entry_that_became_absent_meanwhile_is_absent)
{
    given(_i);
    for (unsigned level = space.levels; level >= leaf_level; level--) {
        uint64_t entry = entry_at(level), old = peek(entry);
        given_intruder(level, 0);
        write_faults(DEV, PASID, IOVA, space.first_stage
                     ? FAULT_FS_NOT_PRESENT : FAULT_SS_NOT_PRESENT);
        ck_assert_uint_eq(peek(entry), 0);
        poke(entry, old);
        forget();
    }
}
END_TEST

START_TEST(an_entry_that_became_reserved_meanwhile_is_reserved)
{
    given(_i);
    for (unsigned level = space.levels; level >= leaf_level; level--) {
        uint64_t entry = entry_at(level), old = peek(entry);
        given_intruder(level, old | BIT_AT(51));
        write_faults(DEV, PASID, IOVA, space.first_stage ? FAULT_FS_RESERVED
                                                         : FAULT_SS_RESERVED);
        ck_assert_uint_eq(peek(entry), old | BIT_AT(51));
        poke(entry, old);
        forget();
    }
}
END_TEST

START_TEST(a_page_that_moved_meanwhile_is_where_it_is)
{
    given(_i);
    uint64_t leaf = entry_at(leaf_level);
    given_intruder(leaf_level, peek(leaf) ^ HUGE);
    write_reaches(DEV, PASID, IOVA, target_of(_i) ^ HUGE);
    ck_assert(peek(leaf) & dirty(&space));
}
END_TEST

START_TEST(a_page_that_became_read_only_meanwhile_is_not_written)
{
    given(_i);
    uint64_t leaf = entry_at(leaf_level);
    given_intruder(leaf_level, peek(leaf) & ~BIT_AT(1));
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    ck_assert(!(peek(leaf) & dirty(&space)));
}
END_TEST

START_TEST(a_page_that_became_a_table_meanwhile_is_walked)
{
    given(_i);
    if (leaf_level == 1) {
        return;
    }
    uint64_t table = new_page();
    uint64_t below = table + (IOVA >> (12 + 9 * (leaf_level - 2)) & 0x1ff) * 8;
    uint64_t page_size = leaf_level > 2 ? BIT_AT(7) : 0;
    poke(below, (TARGET & -HUGE) | page_size | PRESENT | allowing_all(&space));
    given_intruder(leaf_level, table | PRESENT | allowing_all(&space));
    write_reaches(DEV, PASID, IOVA, (TARGET & -HUGE) |
                  (IOVA & (BIT_AT(12 + 9 * (leaf_level - 2)) - 1)));
    ck_assert(peek(below) & dirty(&space));
}
END_TEST

START_TEST(who_sets_the_bits_first_saves_the_work)
{
    given(_i);
    uint64_t leaf = entry_at(leaf_level);
    given_intruder(leaf_level, peek(leaf) | accessed(&space) | dirty(&space));
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert_uint_eq(m.exchanges, space.levels - leaf_level);
}
END_TEST

START_TEST(who_always_loses_is_answered_that_the_update_failed)
{
    given(_i);
    m.lose_exchanges = UINT32_MAX;
    m.intruding_bits = IGNORED;
    m.accesses = 0;
    write_faults(DEV, PASID, IOVA, space.first_stage ? FAULT_FS_UPDATE_FAILED
                                                     : FAULT_SS_UPDATE_FAILED);
    ck_assert_uint_lt(m.accesses, 1000);
    m.lose_exchanges = 0;
    write_reaches(DEV, PASID, IOVA, target_of(_i));
}
END_TEST

START_TEST(a_few_lost_races_are_no_failure)
{
    given(_i);
    m.lose_exchanges = 30;
    m.intruding_bits = IGNORED;
    write_reaches(DEV, PASID, IOVA, target_of(_i));
    ck_assert(peek(entry_at(leaf_level)) & dirty(&space));
}
END_TEST

START_TEST(every_exchange_may_fail)
{
    given(_i);
    /* Root, context, directory and PASID entry; then each level is read. */
    for (unsigned n = 0; n <= space.levels - leaf_level; n++) {
        forget_everything();
        fail_access(4 + n + 2);
        write_faults(DEV, PASID, IOVA, space.first_stage
                     ? FAULT_FS_UPDATE_FAILED : FAULT_SS_UPDATE_FAILED);
        fail_access(0);
        /* The next round fails one level further down. */
        poke(entry_at(space.levels - n),
             peek(entry_at(space.levels - n)) | accessed(&space));
    }
}
END_TEST

/* ---- Translation requests [VT-d 4.2.3.1] ----------------------------------------------------- */

START_TEST(a_translation_request_marks_what_the_device_may_write)
{
    given(_i);
    ck_assert(ask_for(false).write);
    way_gained(accessed(&space), dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(a_translation_request_that_will_not_write_marks_no_page_dirty)
{
    given(_i);
    DmarTranslation t = ask_for(true);
    ck_assert(t.read && !t.write);
    way_gained(accessed(&space), 0);
    nothing_else_changed();
    ck_assert(ask_for(false).write);
    gained(entry_at(leaf_level), dirty(&space));
    nothing_else_changed();
}
END_TEST

START_TEST(a_translation_without_write_permission_marks_no_page_dirty)
{
    given(_i);
    flip(entry_at(leaf_level), 1);
    DmarTranslation t = ask_for(false);
    ck_assert(t.read && !t.write);
    ck_assert(!(peek(entry_at(leaf_level)) & dirty(&space)));
}
END_TEST

START_TEST(where_the_no_write_flag_is_unknown_a_translation_request_writes)
{
    DmarConfig config = widest;
    config.no_write_flag = false;
    given_device(&config);
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA, TARGET, PAGE, USER_RW);
    given_pasid(DEV, PASID, &space);
    ck_assert(ask_for(true).write);
    ck_assert(peek(entry_at(1)) & FS_D);
}
END_TEST

static Suite *dirty_suite(void)
{
    const int first = 6, all = G_N_ELEMENTS(shapes);
    Suite *s = suite_create("dirty");
    TCase *t = tests_of(s, "one stage");
    tcase_add_loop_test(t, a_read_marks_every_entry_accessed_and_none_dirty, 0,
                        all);
    tcase_add_loop_test(t, a_write_marks_the_leaf_dirty_in_the_same_exchange, 0,
                        all);
    tcase_add_loop_test(t, an_atomic_writes, 0, all);
    tcase_add_loop_test(t, a_zero_length_read_does_not_write, 0, all);
    tcase_add_loop_test(t, a_write_after_a_read_marks_the_page_dirty, 0, all);
    tcase_add_loop_test(t, a_page_brought_in_by_a_write_is_written_without_a_walk,
                        0, all);
    tcase_add_loop_test(t, bits_that_are_set_are_not_set_again, 0, all);
    tcase_add_loop_test(
        t, a_write_to_a_page_that_is_dirty_already_needs_no_walk, 0, all);
    tcase_add_loop_test(
        t, a_bit_that_software_clears_is_set_again_after_an_invalidation, 0, all);
    tcase_add_loop_test(t, a_write_that_is_refused_leaves_no_dirty_bit, 0, all);
    tcase_add_loop_test(t, a_probe_marks_nothing_and_records_nothing, 0, all);
    tcase_add_loop_test(t, what_a_probe_learnt_marks_nothing_later, 0, all);
    tcase_add_loop_test(t, entries_beside_the_way_are_left_alone, 0, all);
    tcase_add_loop_test(t, a_fault_half_way_marks_nothing_below_it, 0, all);

    t = tests_of(s, "second stage");
    tcase_add_loop_test(t, without_ssade_a_second_stage_is_only_read, first, all);
    tcase_add_loop_test(t, legacy_mode_only_reads_its_tables, first, all);
    tcase_add_loop_test(
        t, an_atomic_to_a_page_that_cannot_be_read_leaves_no_dirty_bit, first,
        all);

    t = tests_of(s, "first stage");
    tcase_add_loop_test(t, eafe_sets_the_extended_accessed_bit_as_well, 0, first);
    tcase_add_loop_test(t, eafe_finds_entries_that_others_accessed, 0, first);
    tcase_add_loop_test(
        t, a_users_write_to_a_supervisors_page_leaves_no_dirty_bit, 0, first);
    tcase_add_loop_test(
        t, a_supervisors_write_to_a_read_only_page_marks_it_unless_protected, 0,
        first);

    t = tests_of(s, "not snooped");
    tcase_add_loop_test(t, a_walk_that_is_not_snooped_sets_no_bit, 0, all);
    tcase_add_test(t, a_unit_that_snoops_no_walk_sets_no_bit);
    tcase_add_loop_test(t, eafe_without_snooping_needs_the_bit_set, 0, first);

    t = tests_of(s, "races");
    tcase_add_loop_test(t, who_loses_a_race_sets_the_bits_of_the_new_entry, 0,
                        all);
    tcase_add_loop_test(t, an_entry_that_became_absent_meanwhile_is_absent, 0,
                        all);
    tcase_add_loop_test(t, an_entry_that_became_reserved_meanwhile_is_reserved, 0,
                        all);
    tcase_add_loop_test(t, a_page_that_moved_meanwhile_is_where_it_is, 0, all);
    tcase_add_loop_test(t, a_page_that_became_read_only_meanwhile_is_not_written,
                        0, all);
    tcase_add_loop_test(t, a_page_that_became_a_table_meanwhile_is_walked, 0, all);
    tcase_add_loop_test(t, who_sets_the_bits_first_saves_the_work, 0, all);
    tcase_add_loop_test(
        t, who_always_loses_is_answered_that_the_update_failed, 0, all);
    tcase_add_loop_test(t, a_few_lost_races_are_no_failure, 0, all);
    tcase_add_loop_test(t, every_exchange_may_fail, 0, all);

    t = tests_of(s, "translation requests");
    tcase_add_loop_test(
        t, a_translation_request_marks_what_the_device_may_write, 0, all);
    tcase_add_loop_test(
        t, a_translation_request_that_will_not_write_marks_no_page_dirty, 0, all);
    tcase_add_loop_test(
        t, a_translation_without_write_permission_marks_no_page_dirty, 0, all);
    tcase_add_test(
        t, where_the_no_write_flag_is_unknown_a_translation_request_writes);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(dirty_suite(), argc, argv);
}
