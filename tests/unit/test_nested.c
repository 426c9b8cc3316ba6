/*
 * Nested translation [VT-d 3.8]: pages of every size in pages of every size,
 * and what the second stage may refuse to the first: its tables, bits of its
 * entries, and the page it ends at.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0220
#define PASID   0x3c5
#define DOMAIN  29
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE + 0x234)
#define GUEST   (9 * HUGE + 4 * LARGE + 7 * PAGE)       /* where IOVA leads */
#define TARGET  (13 * HUGE + 8 * LARGE + 3 * PAGE)      /* where GUEST leads */

static const uint64_t sizes[] = { PAGE, LARGE, HUGE };

static Space second, space;

static void given_stages(const DmarConfig *config, unsigned first_levels,
                         unsigned second_levels)
{
    given_scalable(config);
    given_context(DEV);
    second = given_space(DOMAIN, second_levels);
    space = given_nested(&second, first_levels);
    given_pasid(DEV, PASID, &space);
}

static void map_both(uint64_t first_size, uint64_t bits, uint64_t second_size,
                     unsigned rights)
{
    map_fs(&space, IOVA & -first_size, GUEST & -first_size, first_size, bits);
    /* Of the larger page, the piece that holds the address. */
    uint64_t guest = (GUEST & -first_size) | (IOVA & (first_size - 1));
    map(&second, guest & -second_size, TARGET & -second_size, second_size,
        rights);
}

/* Pages of 4 KiB in both, 4 levels in both, everything allowed. */
static void given_nesting(const DmarConfig *config)
{
    given_stages(config, 4, 4);
    map_both(PAGE, USER_RW, PAGE, RW);
}

static void forget(void)
{
    execute(iotlb_domain(DOMAIN));
}

static void pasid_options(unsigned options)
{
    given_options(DEV, PASID, options);
    execute(pasid_cache_pasid(DOMAIN, PASID));
    forget();
}

static uint64_t target_in(uint64_t first_size, uint64_t second_size)
{
    uint64_t guest = (GUEST & -first_size) | (IOVA & (first_size - 1));
    return (TARGET & -second_size) | (guest & (second_size - 1));
}

#define HERE    target_in(PAGE, PAGE)

/* ---- Pages ------------------------------------------------------------------ */

static void try_sizes(uint64_t first, uint64_t in)
{
    given_stages(&widest, 4, 4);
    map_both(first, USER_RW, in, RW);
    both_reach(DEV, PASID, IOVA, target_in(first, in));
    uint64_t piece = MIN(first, in);
    ck_assert_uint_eq(dma(DMAR_READ, DEV, PASID, IOVA).size, piece);
    uint64_t base = IOVA & -piece, to = target_in(first, in) & -piece;
    both_reach(DEV, PASID, base, to);
    both_reach(DEV, PASID, base + piece - 1, to + piece - 1);
}

START_TEST(pages_of_every_size_nest_in_pages_of_every_size)
{
    try_sizes(sizes[_i / 3], sizes[_i % 3]);
}
END_TEST

START_TEST(what_lies_beyond_the_smaller_page_is_looked_up_anew)
{
    given_stages(&widest, 4, 4);
    map_both(LARGE, USER_RW, PAGE, RW);
    write_reaches(DEV, PASID, IOVA, target_in(LARGE, PAGE));
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, IOVA + LARGE, FAULT_FS_NOT_PRESENT);
    uint64_t guest = (GUEST & -LARGE) | (IOVA & (LARGE - 1) & -PAGE);
    map(&second, guest + PAGE, TARGET, PAGE, RW);
    write_reaches(DEV, PASID, IOVA + PAGE, TARGET + (IOVA & 0xfff));
}
END_TEST

START_TEST(every_depth_nests_in_every_depth)
{
    given_stages(&widest, 4 + _i / 3, 3 + _i % 3);
    map_both(PAGE, USER_RW, PAGE, RW);
    both_reach(DEV, PASID, IOVA, HERE);
    read_faults(DEV, PASID, IOVA + PAGE, FAULT_FS_NOT_PRESENT);
    given_rid(DEV, &space);
    both_reach(DEV, NO_PASID, IOVA, HERE);
}
END_TEST

START_TEST(canonical_addresses_nest)
{
    given_stages(&widest, 4 + _i, 3);
    uint64_t high = -BIT_AT(47 + 9 * _i);
    map_fs(&space, high, GUEST, PAGE, USER_RW);
    map(&second, GUEST, TARGET, PAGE, RW);
    both_reach(DEV, PASID, high, TARGET);
    write_faults(DEV, PASID, high - 1, FAULT_FS_NOT_CANONICAL);
    write_faults(DEV, PASID, BIT_AT(47 + 9 * _i), FAULT_FS_NOT_CANONICAL);
}
END_TEST

START_TEST(nesting_needs_the_ability)
{
    DmarConfig config = widest;
    config.nested = false;
    given_nesting(&config);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
}
END_TEST

/* ---- Limits ------------------------------------------------------------------- */

START_TEST(an_entry_may_not_refer_beyond_the_second_stage)
{
    uint64_t size = sizes[_i / 2];
    given_stages(&widest, 4 + _i % 2, 3);
    map_both(size, USER_RW, PAGE, RW);
    for (unsigned level = level_of(size); level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level), old = peek(entry);
        for (unsigned bit = 39; bit < 46; bit++) {
            poke(entry, old | BIT_AT(bit));
            write_faults(DEV, PASID, IOVA, FAULT_FS_ADDRESS_BEYOND);
            forget();
        }
        poke(entry, old | BIT_AT(46));
        write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
        poke(entry, old);
        forget();
    }
    write_reaches(DEV, PASID, IOVA, target_in(size, PAGE));
}
END_TEST

START_TEST(the_last_guest_page_is_within_the_second_stage)
{
    given_stages(&widest, 4, 3);
    map_fs(&space, IOVA & -PAGE, BIT_AT(39) - PAGE, PAGE, USER_RW);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    map(&second, BIT_AT(39) - PAGE, TARGET, PAGE, RW);
    write_reaches(DEV, PASID, IOVA, TARGET + (IOVA & 0xfff));
}
END_TEST

START_TEST(the_width_of_the_unit_limits_a_deeper_second_stage)
{
    DmarConfig config = widest;
    config.aw_bits = 48;
    config.host_width = 48;
    given_stages(&config, 4, 4);
    map_both(PAGE, USER_RW, PAGE, RW);
    uint64_t entry = paging_entry_at(&space, IOVA, 1);
    poke(entry, peek(entry) | BIT_AT(47));
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    poke(entry, peek(entry) | BIT_AT(48));
    write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
}
END_TEST

START_TEST(the_first_stage_begins_within_the_second)
{
    given_stages(&widest, 4, 3 + _i);
    uint64_t word = pasid_entry_at(DEV, PASID) + 16, old = peek(word);
    for (unsigned bit = 39; bit < 46; bit++) {
        bool within = bit < 39 + 9 * (unsigned)_i;
        poke(word, old | BIT_AT(bit));
        write_faults(DEV, PASID, IOVA, within ? FAULT_SS_NOT_PRESENT
                                              : FAULT_PASID_ENTRY_INVALID);
        execute(pasid_cache_global());
    }
}
END_TEST

/* ---- What the second stage lacks ------------------------------------------------- */

START_TEST(a_table_that_the_second_stage_does_not_map_faults)
{
    given_nesting(&widest);
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t table = paging_entry_at(&space, IOVA, level);
        uint64_t leaf = second_entry_at(&space, table, 1), old = peek(leaf);
        poke(leaf, 0);
        write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
        poke(leaf, old | BIT_AT(62));
        write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
        poke(leaf, NOWHERE | RW);
        write_faults(DEV, PASID, IOVA, level == 4 ? FAULT_FS_TOP_ACCESS
                                                  : FAULT_FS_ACCESS);
        poke(leaf, old);
        forget();
    }
    write_reaches(DEV, PASID, IOVA, HERE);
}
END_TEST

START_TEST(a_page_that_the_second_stage_does_not_map_faults)
{
    given_nesting(&widest);
    /* Higher up, the tables are mapped by the same entries. */
    for (unsigned level = 1; level <= 2; level++) {
        uint64_t entry = paging_entry_at(&second, GUEST, level), old = peek(entry);
        poke(entry, 0);
        write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
        poke(entry, old | BIT_AT(62));
        write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
        poke(entry, old);
        forget();
    }
    poke(paging_entry_at(&second, GUEST, 2), NOWHERE | RW);
    write_faults(DEV, PASID, IOVA, FAULT_SS_ACCESS);
}
END_TEST

START_TEST(a_second_stage_where_nothing_answers_faults)
{
    given_nesting(&widest);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, (peek(entry) & 0xfff) | NOWHERE);
    write_faults(DEV, PASID, IOVA, FAULT_SS_TOP_ACCESS);
}
END_TEST

START_TEST(reserved_bits_of_the_first_stage_are_checked_under_nesting)
{
    given_nesting(&widest);
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        for (unsigned bit = 46; bit < 52; bit++) {
            flip(entry, bit);
            write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
            flip(entry, bit);
            forget();
        }
    }
    flip(paging_entry_at(&space, IOVA, 4), 7);
    write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
}
END_TEST

/* ---- Rights to tables [VT-d 3.8.1] ------------------------------------------------- */

/* Sets in the entries of all levels what the engine would set. */
static void preset(uint64_t bits)
{
    for (unsigned level = 1; level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        poke(entry, peek(entry) | bits);
    }
}

static void table_rights(unsigned level, unsigned rights)
{
    uint64_t leaf = second_entry_at(&space, paging_entry_at(&space, IOVA, level),
                                    1);
    poke(leaf, (peek(leaf) & ~3ull) | rights);
}

static uint8_t read_denied(unsigned level)
{
    return level == space.levels ? FAULT_FS_TOP_READ_DENIED : FAULT_FS_READ_DENIED;
}

START_TEST(a_table_must_be_readable_in_the_second_stage)
{
    given_stages(&widest, 4 + _i, 4);
    map_both(PAGE, USER_RW, PAGE, RW);
    preset(BIT_AT(5) | BIT_AT(6));
    for (unsigned level = 1; level <= space.levels; level++) {
        table_rights(level, W);
        write_faults(DEV, PASID, IOVA, read_denied(level));
        read_faults(DEV, PASID, IOVA, read_denied(level));
        table_rights(level, RW);
        forget();
    }
    write_reaches(DEV, PASID, IOVA, HERE);
}
END_TEST

START_TEST(an_entry_is_updated_only_where_the_second_stage_allows_writing)
{
    given_stages(&widest, 4 + _i, 4);
    map_both(PAGE, USER_RW, PAGE, RW);
    for (unsigned level = 1; level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        poke(entry, peek(entry) & ~(BIT_AT(5) | BIT_AT(6)));
        table_rights(level, R);
        read_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_DENIED);
        ck_assert(!(peek(entry) & BIT_AT(5)));
        poke(entry, peek(entry) | BIT_AT(5));
        read_reaches(DEV, PASID, IOVA, HERE);       /* nothing to update */
        table_rights(level, RW);
        forget();
    }
}
END_TEST

START_TEST(a_dirty_bit_needs_a_table_that_may_be_written)
{
    given_nesting(&widest);
    preset(BIT_AT(5));
    table_rights(1, R);
    read_reaches(DEV, PASID, IOVA, HERE);
    write_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_DENIED);
    ck_assert(!(peek(paging_entry_at(&space, IOVA, 1)) & BIT_AT(6)));
    preset(BIT_AT(6));
    write_reaches(DEV, PASID, IOVA, HERE);
}
END_TEST

START_TEST(an_extended_accessed_bit_needs_a_table_that_may_be_written)
{
    given_nesting(&widest);
    preset(BIT_AT(5) | BIT_AT(6));
    table_rights(2, R);
    read_reaches(DEV, PASID, IOVA, HERE);
    pasid_options(WITH_PWSNP | WITH_EAFE);
    read_faults(DEV, PASID, IOVA, FAULT_FS_UPDATE_DENIED);
    preset(BIT_AT(10));
    read_reaches(DEV, PASID, IOVA, HERE);
}
END_TEST

START_TEST(with_ssade_reading_a_table_needs_both_rights)
{
    given_stages(&widest, 4 + _i, 4);
    map_both(PAGE, USER_RW, PAGE, RW);
    preset(BIT_AT(5) | BIT_AT(6));
    for (unsigned level = 1; level <= space.levels; level++) {
        table_rights(level, R);
        pasid_options(WITH_PWSNP);
        read_reaches(DEV, PASID, IOVA, HERE);
        pasid_options(WITH_PWSNP | WITH_SSADE);
        read_faults(DEV, PASID, IOVA, read_denied(level));
        table_rights(level, RW);
        read_reaches(DEV, PASID, IOVA, HERE);
    }
}
END_TEST

START_TEST(rights_to_a_table_are_those_of_all_second_stage_entries)
{
    given_nesting(&widest);
    preset(BIT_AT(5) | BIT_AT(6));
    uint64_t table = paging_entry_at(&space, IOVA, 1);
    for (unsigned level = 2; level <= 4; level++) {
        uint64_t entry = second_entry_at(&space, table, level);
        poke(entry, peek(entry) & ~(uint64_t)R);
        read_faults(DEV, PASID, IOVA, FAULT_FS_TOP_READ_DENIED);
        poke(entry, peek(entry) | R);
        forget();
    }
}
END_TEST

/* ---- Rights to the page --------------------------------------------------------------- */

static uint8_t refused_with(uint64_t bits, unsigned rights, DmarAccess access)
{
    bool reads = access == DMAR_READ || access == DMAR_ATOMIC;
    bool writes = access == DMAR_WRITE || access == DMAR_ATOMIC;
    if (!(bits & USER)) {
        return FAULT_PRIVILEGE_VIOLATION;
    }
    if (writes && !(bits & WRITABLE)) {
        return FAULT_WRITE_DENIED;
    }
    if (!rights) {
        return FAULT_SS_NOT_PRESENT;
    }
    if (writes && !(rights & W)) {
        return FAULT_WRITE_DENIED;
    }
    return reads && !(rights & R) ? FAULT_READ_DENIED : FAULT_NONE;
}

static void try_access(uint64_t bits, unsigned rights, DmarAccess access)
{
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = access };
    uint8_t reason = refused_with(bits, rights, access);
    if (reason) {
        request_faults(request, reason);
    } else {
        request_reaches(request, HERE);
        request_reaches(request, HERE);
    }
}

START_TEST(a_page_is_as_free_as_both_stages_make_it)
{
    static const DmarAccess accesses[] = {
        DMAR_READ, DMAR_WRITE, DMAR_ATOMIC, DMAR_READ_ZERO_LENGTH,
    };
    given_nesting(&widest);
    for (uint64_t bits = 0; bits <= USER_RW; bits += WRITABLE) {
        for (unsigned rights = 0; rights <= RW; rights++) {
            map_both(PAGE, bits, PAGE, rights);
            for (unsigned i = 0; i < G_N_ELEMENTS(accesses); i++) {
                try_access(bits, rights, accesses[i]);
                try_access(bits, rights, accesses[i ^ _i]);
                forget();
            }
        }
    }
}
END_TEST

START_TEST(a_page_whose_entries_grant_nothing_together_is_absent)
{
    given_nesting(&widest);
    uint64_t entry = paging_entry_at(&second, GUEST, 2);
    poke(entry, (peek(entry) & ~3ull) | R);
    map(&second, GUEST, TARGET, PAGE, W);
    read_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_supervisor_has_no_more_rights_in_the_second_stage)
{
    given_nesting(&widest);
    pasid_options(WITH_PWSNP | WITH_SRE);
    map_both(PAGE, 0, PAGE, R);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .privileged = true, .access = DMAR_READ };
    request_reaches(request, HERE);
    request.access = DMAR_WRITE;
    request_faults(request, FAULT_WRITE_DENIED);
    map(&second, GUEST, TARGET, PAGE, RW);
    forget();
    request_reaches(request, HERE);
}
END_TEST

START_TEST(what_the_first_stage_refuses_is_not_asked_of_the_second)
{
    given_nesting(&widest);
    map_both(PAGE, USER, PAGE, 0);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    read_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    map_both(PAGE, WRITABLE, PAGE, 0);
    read_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
}
END_TEST

START_TEST(a_nested_page_does_not_reach_the_interrupt_range)
{
    given_nesting(&widest);
    map(&second, GUEST, 0xfee01000, PAGE, RW);
    write_faults(DEV, PASID, IOVA, FAULT_INTERRUPT_RANGE);
    /* A guest-physical address is as good as any. */
    map_fs(&space, IOVA & -PAGE, 0xfee00000, PAGE, USER_RW);
    map(&second, 0xfee00000, TARGET, PAGE, RW);
    forget();
    write_reaches(DEV, PASID, IOVA, TARGET + (IOVA & 0xfff));
}
END_TEST

START_TEST(the_leaf_of_the_second_stage_forces_snooping)
{
    given_nesting(&widest);
    ck_assert(!dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    flip(paging_entry_at(&second, GUEST, 1), 11);
    forget();
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    flip(paging_entry_at(&second, GUEST, 1), 11);
    pasid_options(WITH_PWSNP | WITH_PGSNP);
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
}
END_TEST

/* ---- Failures ----------------------------------------------------------------------- */

static bool may_fail_so(uint8_t reason, bool ssade)
{
    switch (reason) {
    case FAULT_ROOT_ACCESS:
    case FAULT_CONTEXT_ACCESS:
    case FAULT_DIRECTORY_ACCESS:
    case FAULT_PASID_ENTRY_ACCESS:
    case FAULT_FS_ACCESS:
    case FAULT_FS_TOP_ACCESS:
    case FAULT_FS_UPDATE_FAILED:
    case FAULT_SS_ACCESS:
    case FAULT_SS_TOP_ACCESS:
        return true;
    case FAULT_SS_UPDATE_FAILED:
        return ssade;
    default:
        return false;
    }
}

static void want_bits_anew(void)
{
    for (unsigned level = 1; level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        poke(entry, peek(entry) & ~(BIT_AT(5) | BIT_AT(6)));
        for (unsigned inner = 1; inner <= second.levels; inner++) {
            uint64_t leaf = second_entry_at(&space, entry, inner);
            poke(leaf, peek(leaf) & ~(BIT_AT(8) | BIT_AT(9)));
        }
    }
    uint64_t leaf = paging_entry_at(&second, GUEST, 1);
    poke(leaf, peek(leaf) & ~(BIT_AT(8) | BIT_AT(9)));
    forget_everything();
}

/* At least two accesses a level of the first stage, and what locates them. */
START_TEST(every_memory_access_of_a_nested_walk_may_fail)
{
    bool ssade = _i, done = false;
    bool met[256] = { false };
    unsigned n;
    given_nesting(&widest);
    given_options(DEV, PASID, WITH_PWSNP | (ssade ? WITH_SSADE : 0));
    for (n = 1; !done; n++) {
        want_bits_anew();
        fail_access(n);
        DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
        done = m.accesses < n;
        if (done) {
            ck_assert_int_eq(t.completion, DMAR_SUCCESS);
            ck_assert_uint_eq(t.addr, HERE);
        } else {
            ck_assert_uint_eq(m.accesses, n);
            ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
            ck_assert_msg(may_fail_so(t.reason, ssade), "%u: %02x", n, t.reason);
            met[t.reason] = true;
            fault_left(t.reason, DEV);
        }
    }
    ck_assert_uint_gt(n, 4 + 2 * 4 + 4);
    for (unsigned reason = 0; reason < 256; reason++) {
        ck_assert_msg(met[reason] == may_fail_so(reason, ssade), "%02x", reason);
    }
}
END_TEST

static Suite *nested(void)
{
    Suite *s = suite_create("nested");
    TCase *t = tests_of(s, "pages");
    tcase_add_loop_test(t, pages_of_every_size_nest_in_pages_of_every_size, 0, 9);
    tcase_add_test(t, what_lies_beyond_the_smaller_page_is_looked_up_anew);
    tcase_add_loop_test(t, every_depth_nests_in_every_depth, 0, 6);
    tcase_add_loop_test(t, canonical_addresses_nest, 0, 2);
    tcase_add_test(t, nesting_needs_the_ability);

    t = tests_of(s, "limits");
    tcase_add_loop_test(t, an_entry_may_not_refer_beyond_the_second_stage, 0, 6);
    tcase_add_test(t, the_last_guest_page_is_within_the_second_stage);
    tcase_add_test(t, the_width_of_the_unit_limits_a_deeper_second_stage);
    tcase_add_loop_test(t, the_first_stage_begins_within_the_second, 0, 2);

    t = tests_of(s, "what is missing");
    tcase_add_test(t, a_table_that_the_second_stage_does_not_map_faults);
    tcase_add_test(t, a_page_that_the_second_stage_does_not_map_faults);
    tcase_add_test(t, a_second_stage_where_nothing_answers_faults);
    tcase_add_test(t, reserved_bits_of_the_first_stage_are_checked_under_nesting);

    t = tests_of(s, "tables");
    tcase_add_loop_test(t, a_table_must_be_readable_in_the_second_stage, 0, 2);
    tcase_add_loop_test(
        t, an_entry_is_updated_only_where_the_second_stage_allows_writing, 0, 2);
    tcase_add_test(t, a_dirty_bit_needs_a_table_that_may_be_written);
    tcase_add_test(t, an_extended_accessed_bit_needs_a_table_that_may_be_written);
    tcase_add_loop_test(t, with_ssade_reading_a_table_needs_both_rights, 0, 2);
    tcase_add_test(t, rights_to_a_table_are_those_of_all_second_stage_entries);

    t = tests_of(s, "rights");
    tcase_add_loop_test(t, a_page_is_as_free_as_both_stages_make_it, 0, 4);
    tcase_add_test(t, a_page_whose_entries_grant_nothing_together_is_absent);
    tcase_add_test(t, a_supervisor_has_no_more_rights_in_the_second_stage);
    tcase_add_test(t, what_the_first_stage_refuses_is_not_asked_of_the_second);
    tcase_add_test(t, a_nested_page_does_not_reach_the_interrupt_range);
    tcase_add_test(t, the_leaf_of_the_second_stage_forces_snooping);

    t = tests_of(s, "failures");
    tcase_add_loop_test(t, every_memory_access_of_a_nested_walk_may_fail, 0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(nested(), argc, argv);
}
