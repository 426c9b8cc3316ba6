/*
 * First-stage translation [VT-d 3.6, 9.7]: every depth, every page size, every
 * entry's reserved bits, canonical addresses, and who may do what.  Accessed
 * and dirty bits are test_dirty.c's, nesting test_nested.c's.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0218
#define PASID   0x2a1
#define DOMAIN  23
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)

/* Each shape a mapping can have. */
static const struct {
    unsigned levels;
    uint64_t size;
} shapes[] = {
    { 4, PAGE }, { 4, LARGE }, { 4, HUGE },
    { 5, PAGE }, { 5, LARGE }, { 5, HUGE },
};

static Space space;

static void given_levels(const DmarConfig *config, unsigned levels)
{
    given_scalable(config);
    given_context(DEV);
    space = given_first_stage(DOMAIN, levels);
    given_pasid(DEV, PASID, &space);
}

static void given_mapping_of(const DmarConfig *config, int shape)
{
    uint64_t size = shapes[shape].size;
    given_levels(config, shapes[shape].levels);
    map_fs(&space, IOVA & -size, TARGET & -size, size, USER_RW);
}

static void given_mapping(int shape)
{
    given_mapping_of(&widest, shape);
}

static void forget(void)
{
    execute(p_iotlb_pasid(DOMAIN, PASID));
}

static uint64_t target_in(int shape)
{
    uint64_t size = shapes[shape].size;
    return (TARGET & -size) | (IOVA & (size - 1));
}

/* ---- Pages ------------------------------------------------------------------ */

START_TEST(every_byte_of_a_page_reaches_its_page)
{
    uint64_t size = shapes[_i].size, iova = IOVA & -size, pa = TARGET & -size;
    given_mapping(_i);
    const uint64_t inside[] = { 0, 1, PAGE - 1, size / 2, size - 1 };
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        both_reach(DEV, PASID, iova + inside[i], pa + inside[i]);
    }
}
END_TEST

START_TEST(the_neighbours_of_a_page_are_not_mapped)
{
    uint64_t size = shapes[_i].size, iova = IOVA & -size;
    given_mapping(_i);
    write_reaches(DEV, PASID, iova, TARGET & -size);
    write_faults(DEV, PASID, iova + size, FAULT_FS_NOT_PRESENT);
    write_faults(DEV, PASID, iova - 1, FAULT_FS_NOT_PRESENT);
}
END_TEST

START_TEST(the_answer_holds_for_the_whole_page)
{
    given_mapping(_i);
    DmarTranslation t = dma(DMAR_READ, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.size, shapes[_i].size);
    ck_assert(t.read && t.write && !t.no_snoop_forced);
}
END_TEST

START_TEST(requests_without_pasid_walk_a_first_stage_too)
{
    given_mapping(_i);
    given_rid(DEV, &space);
    both_reach(DEV, NO_PASID, IOVA, target_in(_i));
    write_faults(DEV, NO_PASID, IOVA - HUGE, FAULT_FS_NOT_PRESENT);
}
END_TEST

START_TEST(pages_of_1_gib_need_the_ability)
{
    DmarConfig config = widest;
    config.first_stage_1g = false;
    given_mapping_of(&config, _i);
    if (shapes[_i].size == HUGE) {
        write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
    } else {
        write_reaches(DEV, PASID, IOVA, target_in(_i));
    }
}
END_TEST

START_TEST(large_second_stage_pages_are_not_needed_for_large_first_stage_ones)
{
    DmarConfig config = widest;
    config.no_large_pages = true;
    given_mapping_of(&config, _i);
    write_reaches(DEV, PASID, IOVA, target_in(_i));
}
END_TEST

START_TEST(a_unit_may_have_a_first_stage_alone)
{
    static const DmarConfig alone = {
        .aw_bits = 57, .host_width = 46, .pasid_bits = 20, .domain_bits = 16,
        .fault_records = 8, .scalable = true, .first_stage = true,
        .first_stage_5level = true, .first_stage_1g = true,
        .no_second_stage = true,
    };
    given_mapping_of(&alone, _i);
    both_reach(DEV, PASID, IOVA, target_in(_i));
}
END_TEST

START_TEST(a_page_may_lie_anywhere_in_the_hosts_addresses)
{
    uint64_t size = shapes[_i].size;
    given_mapping(_i);
    for (unsigned bit = __builtin_ctzll(size); bit < 46; bit++) {
        map_fs(&space, IOVA & -size, BIT_AT(bit), size, USER_RW);
        write_reaches(DEV, PASID, IOVA, BIT_AT(bit) + (IOVA & (size - 1)));
        forget();
    }
}
END_TEST

/* ---- Entries ------------------------------------------------------------------ */

START_TEST(an_absent_entry_of_any_level_faults)
{
    given_mapping(_i);
    for (unsigned level = level_of(shapes[_i].size); level <= space.levels;
         level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        uint64_t old = peek(entry);
        poke(entry, ~1ull);                 /* all else may be set */
        write_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
        read_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
        poke(entry, old);
        write_reaches(DEV, PASID, IOVA, target_in(_i));
        forget();
    }
}
END_TEST

START_TEST(a_table_where_nothing_answers_faults)
{
    given_mapping(_i);
    for (unsigned level = level_of(shapes[_i].size) + 1; level <= space.levels;
         level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        uint64_t old = peek(entry);
        poke(entry, NOWHERE | 7);
        write_faults(DEV, PASID, IOVA, FAULT_FS_ACCESS);
        poke(entry, old);
        forget();
    }
    space.root = NOWHERE;
    given_pasid(DEV, PASID, &space);
    execute(pasid_cache_global());
    write_faults(DEV, PASID, IOVA, FAULT_FS_TOP_ACCESS);
}
END_TEST

/* [VT-d 3.6, 9.7]: what is neither a field nor ignored. */
static bool is_reserved(unsigned bit, unsigned level, bool leaf)
{
    if (bit < 12 || bit > 51) {
        return bit == 7 && level > 3;
    }
    if (bit >= m.config.host_width) {
        return true;
    }
    return leaf && bit > 12 && bit < 12 + 9 * (level - 1);
}

/* Bits that change what the entry means, without being reserved. */
static bool has_a_meaning(unsigned bit, unsigned level, bool leaf)
{
    bool address = bit >= 12 && bit < m.config.host_width;
    bool page_size = bit == 7 && (level == 2 || level == 3);
    bool pat = bit == 12 && leaf && level > 1;
    return (address && !pat) || page_size;
}

static void sweep_reserved_bits(int shape, unsigned level)
{
    uint64_t entry = paging_entry_at(&space, IOVA, level);
    uint64_t old = peek(entry);
    bool leaf = level == level_of(shapes[shape].size);
    for (unsigned bit = 3; bit < 64; bit++) {
        if (is_reserved(bit, level, leaf)) {
            poke(entry, old | BIT_AT(bit));
            write_faults(DEV, PASID, IOVA, FAULT_FS_RESERVED);
        } else if (!has_a_meaning(bit, level, leaf)) {
            poke(entry, old ^ BIT_AT(bit));
            write_reaches(DEV, PASID, IOVA, target_in(shape));
        }
        forget();
        poke(entry, old);
    }
}

static void sweep_mapping(int shape, unsigned host_width)
{
    DmarConfig config = widest;
    config.host_width = host_width;
    given_mapping_of(&config, shape);
    for (unsigned level = level_of(shapes[shape].size); level <= space.levels;
         level++) {
        sweep_reserved_bits(shape, level);
    }
}

START_TEST(every_reserved_bit_is_checked_and_no_other)
{
    sweep_mapping(_i, 46);
}
END_TEST

START_TEST(every_reserved_bit_of_a_narrow_host_is_checked)
{
    sweep_mapping(_i, 39);
}
END_TEST

START_TEST(a_wide_host_reserves_no_address_bit)
{
    sweep_mapping(_i, 52);
}
END_TEST

START_TEST(an_absent_entry_is_no_reserved_one)
{
    given_mapping(_i);
    uint64_t entry = paging_entry_at(&space, IOVA, level_of(shapes[_i].size));
    poke(entry, (peek(entry) & ~1ull) | BIT_AT(51));
    write_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
}
END_TEST

/* Alone in its table, the entry of an index serves that index and no other. */
static void sweep_table(unsigned level)
{
    unsigned shift = 12 + 9 * (level - 1);
    uint64_t table = paging_entry_at(&space, IOVA, level) & -PAGE;
    uint64_t base = IOVA & ~(0x1ffull << shift);
    uint64_t entry = peek(paging_entry_at(&space, IOVA, level));
    unsigned sign = 12 + 9 * space.levels - 1;
    poke(paging_entry_at(&space, IOVA, level), 0);
    for (unsigned i = 0; i < 512; i++) {
        uint64_t iova = base | (uint64_t)i << shift;
        uint64_t other = base | (uint64_t)(i ^ 1) << shift;
        iova |= -(iova >> sign & 1) << sign;
        other |= -(other >> sign & 1) << sign;
        poke(table + i * 8, entry);
        read_reaches(DEV, PASID, iova, TARGET);
        read_faults(DEV, PASID, other, FAULT_FS_NOT_PRESENT);
        poke(table + i * 8, 0);
        forget();
    }
}

START_TEST(every_index_of_every_table_selects_its_entry)
{
    unsigned levels = _i < 4 ? 4 : 5, level = _i < 4 ? _i + 1 : _i - 3;
    given_levels(&widest, levels);
    map_fs(&space, IOVA, TARGET, PAGE, USER_RW);
    sweep_table(level);
}
END_TEST

START_TEST(a_first_stage_knows_no_readable_or_writable_of_its_own)
{
    given_mapping(0);
    map_fs(&space, IOVA, TARGET, PAGE, USER);
    read_reaches(DEV, PASID, IOVA, TARGET);
    DmarTranslation t = dma(DMAR_READ, DEV, PASID, IOVA);
    ck_assert(t.read && !t.write);
}
END_TEST

/* ---- Addresses [VT-d 3.6] ------------------------------------------------------ */

START_TEST(addresses_up_to_the_canonical_boundaries_are_translated)
{
    unsigned bits = 12 + 9 * _i;
    uint64_t half = BIT_AT(bits - 1);
    const uint64_t inside[] = { 0, half - PAGE, -half, -PAGE };
    given_levels(&widest, _i);
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        map_fs(&space, inside[i], TARGET + i * PAGE, PAGE, USER_RW);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        both_reach(DEV, PASID, inside[i] + 0xfff, TARGET + i * PAGE + 0xfff);
    }
}
END_TEST

START_TEST(addresses_beyond_the_canonical_boundaries_fault)
{
    unsigned bits = 12 + 9 * _i;
    uint64_t half = BIT_AT(bits - 1);
    const uint64_t outside[] = { half, -half - 1, -half - PAGE, BIT_AT(63),
                                 ~BIT_AT(63), BIT_AT(63) - 1 };
    given_levels(&widest, _i);
    map_fs(&space, 0, TARGET, PAGE, USER_RW);
    for (unsigned i = 0; i < G_N_ELEMENTS(outside); i++) {
        write_faults(DEV, PASID, outside[i], FAULT_FS_NOT_CANONICAL);
        read_faults(DEV, PASID, outside[i], FAULT_FS_NOT_CANONICAL);
    }
}
END_TEST

START_TEST(every_bit_above_the_translated_ones_is_compared)
{
    unsigned bits = 12 + 9 * _i;
    given_levels(&widest, _i);
    map_fs(&space, 0, TARGET, PAGE, USER_RW);
    map_fs(&space, -PAGE, TARGET + PAGE, PAGE, USER_RW);
    both_reach(DEV, PASID, 0, TARGET);
    both_reach(DEV, PASID, -PAGE, TARGET + PAGE);
    for (unsigned bit = bits - 1; bit < 64; bit++) {
        write_faults(DEV, PASID, BIT_AT(bit), FAULT_FS_NOT_CANONICAL);
        write_faults(DEV, PASID, ~BIT_AT(bit), FAULT_FS_NOT_CANONICAL);
    }
}
END_TEST

START_TEST(the_second_stage_width_does_not_limit_a_first_stage)
{
    DmarConfig config = widest;
    config.aw_bits = config.host_width = 39;
    given_levels(&config, 4);
    map_fs(&space, BIT_AT(46), TARGET, PAGE, USER_RW);
    map_fs(&space, -BIT_AT(47), TARGET + PAGE, PAGE, USER_RW);
    write_reaches(DEV, PASID, BIT_AT(46), TARGET);
    write_reaches(DEV, PASID, -BIT_AT(47), TARGET + PAGE);
}
END_TEST

/* ---- Rights [VT-d 3.6.1] --------------------------------------------------------- */

typedef struct Who {
    bool privileged, sre, wpe;
} Who;

static uint8_t refused_with(Who who, uint64_t bits, DmarAccess access)
{
    bool writes = access == DMAR_WRITE || access == DMAR_ATOMIC;
    if (who.privileged && !who.sre) {
        return FAULT_SUPERVISOR_BLOCKED;
    }
    if (!who.privileged && !(bits & USER)) {
        return FAULT_PRIVILEGE_VIOLATION;
    }
    if (writes && !(bits & WRITABLE) && (!who.privileged || who.wpe)) {
        return FAULT_WRITE_DENIED;
    }
    return FAULT_NONE;
}

static void try_access(Who who, uint64_t bits, DmarAccess access)
{
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = access, .privileged = who.privileged };
    uint8_t reason = refused_with(who, bits, access);
    if (reason) {
        request_faults(request, reason);
    } else {
        request_reaches(request, target_in(0));
    }
}

static void try_accesses(Who who, uint64_t bits)
{
    static const DmarAccess accesses[] = {
        DMAR_READ, DMAR_WRITE, DMAR_ATOMIC, DMAR_READ_ZERO_LENGTH,
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(accesses); i++) {
        try_access(who, bits, accesses[i]);     /* from the tables */
        try_access(who, bits, DMAR_READ);
        try_access(who, bits, accesses[i]);     /* from the IOTLB, if it can be */
        forget();
    }
}

static void given_who(Who who)
{
    given_options(DEV, PASID, WITH_PWSNP | (who.sre ? WITH_SRE : 0) |
                  (who.wpe ? WITH_WPE : 0));
    execute(pasid_cache_pasid(DOMAIN, PASID));
    forget();
}

/* @bits are those of one entry; all others allow everything. */
static void try_everybody(uint64_t bits)
{
    for (unsigned i = 0; i < 8; i++) {
        Who who = { .privileged = i & 1, .sre = i & 2, .wpe = i & 4 };
        given_who(who);
        try_accesses(who, bits);
    }
}

START_TEST(the_rights_of_every_entry_count_for_everybody)
{
    given_levels(&widest, _i);
    map_fs(&space, IOVA, target_in(0), PAGE, USER_RW);
    for (unsigned level = 1; level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level), old = peek(entry);
        for (uint64_t bits = 0; bits <= USER_RW; bits += WRITABLE) {
            poke(entry, (old & ~(uint64_t)USER_RW) | bits);
            try_everybody(bits);
        }
        poke(entry, old);
    }
}
END_TEST

START_TEST(rights_are_those_that_all_entries_grant)
{
    given_mapping(0);
    given_options(DEV, PASID, WITH_PWSNP | WITH_SRE | WITH_WPE);
    flip(paging_entry_at(&space, IOVA, 3), 1);      /* read-only */
    flip(paging_entry_at(&space, IOVA, 2), 2);      /* a supervisor's */
    write_faults(DEV, PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = DMAR_WRITE, .privileged = true };
    request_faults(request, FAULT_WRITE_DENIED);
    request.access = DMAR_READ;
    request_reaches(request, target_in(0));
    DmarTranslation t = ask(request);
    ck_assert(t.read && !t.write);
}
END_TEST

START_TEST(an_absent_entry_below_a_supervisors_is_absent)
{
    given_mapping(0);
    flip(paging_entry_at(&space, IOVA, 4), 2);
    poke(paging_entry_at(&space, IOVA, 1), 0);
    read_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
}
END_TEST

START_TEST(a_zero_length_read_needs_the_right_privilege)
{
    given_mapping(0);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = DMAR_READ_ZERO_LENGTH };
    request_reaches(request, target_in(0));
    map_fs(&space, IOVA, target_in(0), PAGE, WRITABLE);
    forget();
    request_faults(request, FAULT_PRIVILEGE_VIOLATION);
}
END_TEST

START_TEST(no_entry_allows_execution)
{
    given_mapping(0);
    DmarRequest request = { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                            .access = DMAR_READ, .execute = true };
    request_faults(request, FAULT_EXECUTE_BLOCKED);
    read_reaches(DEV, PASID, IOVA, target_in(0));
    request_faults(request, FAULT_EXECUTE_BLOCKED);     /* cached by now */
}
END_TEST

/* ---- Output ------------------------------------------------------------------------ */

START_TEST(no_request_reaches_the_interrupt_range)
{
    given_mapping(_i);
    uint64_t size = shapes[_i].size, iova = IOVA & -size;
    map_fs(&space, iova, 0xfee00000 & -size, size, USER_RW);
    uint64_t first = iova + (0xfee00000 & (size - 1));
    write_faults(DEV, PASID, first, FAULT_INTERRUPT_RANGE);
    read_faults(DEV, PASID, first + PAGE - 1, FAULT_INTERRUPT_RANGE);
    if (size > PAGE) {
        write_faults(DEV, PASID, first + 0xfffff, FAULT_INTERRUPT_RANGE);
        write_reaches(DEV, PASID, first + 0x100000, 0xfef00000);
    }
    if (size == HUGE) {
        write_reaches(DEV, PASID, first - 1, 0xfedfffff);
    }
}
END_TEST

START_TEST(pgsnp_forces_snooping)
{
    given_mapping(_i);
    ck_assert(!dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    given_options(DEV, PASID, WITH_PWSNP | WITH_PGSNP);
    execute(pasid_cache_global());
    forget();
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
}
END_TEST

/* ---- Failures --------------------------------------------------------------------- */

/* What is read in turn: root, context, directory, PASID entry, each level,
 * and each level's accessed bit, set before the next is read. */
START_TEST(every_memory_access_of_a_walk_may_fail)
{
    given_levels(&widest, _i);
    map_fs(&space, IOVA, target_in(0), PAGE, USER_RW);
    uint8_t expected[16] = { 0, FAULT_ROOT_ACCESS, FAULT_CONTEXT_ACCESS,
                             FAULT_DIRECTORY_ACCESS, FAULT_PASID_ENTRY_ACCESS };
    for (unsigned level = 0; level < space.levels; level++) {
        expected[5 + 2 * level] = level ? FAULT_FS_ACCESS : FAULT_FS_TOP_ACCESS;
        expected[6 + 2 * level] = FAULT_FS_UPDATE_FAILED;
    }
    for (unsigned n = 1; n <= 4 + 2 * space.levels; n++) {
        /* Accessed bits are wanted anew. */
        for (unsigned level = 1; level <= space.levels; level++) {
            uint64_t entry = paging_entry_at(&space, IOVA, level);
            poke(entry, peek(entry) & ~(BIT_AT(5) | BIT_AT(6)));
        }
        forget_everything();
        fail_access(n);
        write_faults(DEV, PASID, IOVA, expected[n]);
        ck_assert_uint_eq(m.accesses, n);
    }
    fail_access(0);
    write_reaches(DEV, PASID, IOVA, target_in(0));
}
END_TEST

static Suite *first_stage(void)
{
    const int all = G_N_ELEMENTS(shapes);
    Suite *s = suite_create("first stage");
    TCase *t = tests_of(s, "pages");
    tcase_add_loop_test(t, every_byte_of_a_page_reaches_its_page, 0, all);
    tcase_add_loop_test(t, the_neighbours_of_a_page_are_not_mapped, 0, all);
    tcase_add_loop_test(t, the_answer_holds_for_the_whole_page, 0, all);
    tcase_add_loop_test(t, requests_without_pasid_walk_a_first_stage_too, 0, all);
    tcase_add_loop_test(t, pages_of_1_gib_need_the_ability, 0, all);
    tcase_add_loop_test(
        t, large_second_stage_pages_are_not_needed_for_large_first_stage_ones,
        0, all);
    tcase_add_loop_test(t, a_unit_may_have_a_first_stage_alone, 0, all);
    tcase_add_loop_test(t, a_page_may_lie_anywhere_in_the_hosts_addresses, 0,
                        all);

    t = tests_of(s, "entries");
    tcase_add_loop_test(t, an_absent_entry_of_any_level_faults, 0, all);
    tcase_add_loop_test(t, a_table_where_nothing_answers_faults, 0, all);
    tcase_add_loop_test(t, every_reserved_bit_is_checked_and_no_other, 0, all);
    tcase_add_loop_test(t, every_reserved_bit_of_a_narrow_host_is_checked, 0,
                        all);
    tcase_add_loop_test(t, a_wide_host_reserves_no_address_bit, 0, all);
    tcase_add_loop_test(t, an_absent_entry_is_no_reserved_one, 0, all);
    tcase_add_loop_test(t, every_index_of_every_table_selects_its_entry, 0, 9);
    tcase_add_test(t, a_first_stage_knows_no_readable_or_writable_of_its_own);

    t = tests_of(s, "addresses");
    tcase_add_loop_test(
        t, addresses_up_to_the_canonical_boundaries_are_translated, 4, 6);
    tcase_add_loop_test(t, addresses_beyond_the_canonical_boundaries_fault, 4, 6);
    tcase_add_loop_test(t, every_bit_above_the_translated_ones_is_compared, 4, 6);
    tcase_add_test(t, the_second_stage_width_does_not_limit_a_first_stage);

    t = tests_of(s, "rights");
    tcase_add_loop_test(t, the_rights_of_every_entry_count_for_everybody, 4, 6);
    tcase_add_test(t, rights_are_those_that_all_entries_grant);
    tcase_add_test(t, an_absent_entry_below_a_supervisors_is_absent);
    tcase_add_test(t, a_zero_length_read_needs_the_right_privilege);
    tcase_add_test(t, no_entry_allows_execution);

    t = tests_of(s, "output");
    tcase_add_loop_test(t, no_request_reaches_the_interrupt_range, 0, all);
    tcase_add_loop_test(t, pgsnp_forces_snooping, 0, all);

    t = tests_of(s, "failures");
    tcase_add_loop_test(t, every_memory_access_of_a_walk_may_fail, 4, 6);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(first_stage(), argc, argv);
}
