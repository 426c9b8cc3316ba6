/*
 * PASID directory and table [VT-d 9.5, 9.6]: which entry a PASID selects, and
 * what an entry must look like.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0208
#define PASID   0x155
#define DOMAIN  11
#define IOVA    0x7fff000ull
#define TARGET  0x4567000ull

static Space space;

static void given_space_of(uint16_t domain, uint64_t target)
{
    space = given_space(domain, 3);
    map(&space, IOVA, target, PAGE, RW);
}

static void given_device(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, PASID, &space);
}

/* ---- Which entry ------------------------------------------------------------ */

START_TEST(every_pasid_has_its_own_entry)
{
    static const uint32_t pasids[] = { 0, 1, 0x3f, 0x41, 0x7f, 0x80, 0xfff,
                                       0x1000, 0x7fff };
    given_scalable(&widest);
    given_context(DEV);
    for (unsigned i = 0; i < G_N_ELEMENTS(pasids); i++) {
        given_space_of(i + 1, TARGET + i * PAGE);
        given_pasid(DEV, pasids[i], &space);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(pasids); i++) {
        both_reach(DEV, pasids[i], IOVA, TARGET + i * PAGE);
    }
    write_faults(DEV, 2, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
    write_faults(DEV, 0x2000, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
}
END_TEST

START_TEST(a_pasid_belongs_to_its_function)
{
    given_device(&widest);
    given_context(DEV + 1);
    Space other = given_space(DOMAIN + 1, 3);
    map(&other, IOVA, TARGET + PAGE, PAGE, RW);
    given_pasid(DEV + 1, PASID, &other);
    write_reaches(DEV, PASID, IOVA, TARGET);
    write_reaches(DEV + 1, PASID, IOVA, TARGET + PAGE);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(the_directory_ends_where_pdts_says)
{
    uint32_t last = (1u << (_i + 13)) - 1;
    given_scalable(&widest);
    given_context_of_size(DEV, _i, RID_PASID);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, last, &space);
    write_reaches(DEV, last, IOVA, TARGET);
    if (last < 0xfffff) {
        write_faults(DEV, last + 1, IOVA, FAULT_PASID_BEYOND_DIRECTORY);
        write_faults(DEV, 0xfffff, IOVA, FAULT_PASID_BEYOND_DIRECTORY);
    }
}
END_TEST

START_TEST(pasids_end_where_the_unit_says)
{
    DmarConfig config = widest;
    config.pasid_bits = _i;
    uint32_t last = (1u << _i) - 1;
    given_scalable(&config);
    given_context_of_size(DEV, 7, RID_PASID);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, last, &space);
    write_reaches(DEV, last, IOVA, TARGET);
    if (_i < 20) {
        given_pasid(DEV, last + 1, &space);
        write_faults(DEV, last + 1, IOVA, FAULT_PASID_BEYOND_WIDTH);
    }
}
END_TEST

/* ---- RID_PASID ----------------------------------------------------------------- */

START_TEST(requests_without_pasid_use_rid_pasid)
{
    static const uint32_t chosen[] = { 0, 1, 0x3f, 0x40, 0x7fff };
    given_scalable(&widest);
    given_context_of_size(DEV, PDTS_DEFAULT, chosen[_i]);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, chosen[_i], &space);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    write_faults(DEV, NO_PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(rid_pasid_may_not_be_used_explicitly)
{
    given_device(&widest);
    given_rid(DEV, &space);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    write_faults(DEV, RID_PASID, IOVA, FAULT_PASID_IS_RID_PASID);
}
END_TEST

START_TEST(rid_pasid_must_lie_in_the_directory)
{
    given_scalable(&widest);
    given_context_of_size(DEV, 0, 1u << 13);
    write_faults(DEV, NO_PASID, IOVA, FAULT_CONTEXT_INVALID);
    write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_INVALID);
}
END_TEST

START_TEST(a_space_may_be_bound_by_pasid_and_by_source_id_at_once)
{
    given_device(&widest);
    given_rid(DEV, &space);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    write_reaches(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, NO_PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

/* ---- Directory entries ------------------------------------------------------------ */

START_TEST(a_directory_where_nothing_answers_faults)
{
    given_device(&widest);
    uint64_t entry = context_entry_at(DEV);
    poke(entry, (peek(entry) & 0xfff) | NOWHERE);
    write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_ACCESS);
}
END_TEST

START_TEST(an_absent_directory_entry_may_hold_anything_else)
{
    given_device(&widest);
    poke(directory_entry_at(DEV, PASID), ~3ull);
    write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
}
END_TEST

START_TEST(every_reserved_bit_of_a_directory_entry_is_checked)
{
    given_device(&variants[_i].config);
    uint64_t entry = directory_entry_at(DEV, PASID);
    for (unsigned bit = 2; bit < 64; bit++) {
        if (bit <= 11 || bit >= m.config.host_width) {
            flip(entry, bit);
            write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_RESERVED);
            flip(entry, bit);
            forget_everything();    /* caching mode */
        }
    }
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_directory_entry_hides_faults_behind_it_by_fpd)
{
    given_device(&widest);
    uint64_t entry = directory_entry_at(DEV, PASID);
    flip(entry, 1);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    execute(pasid_cache_global());
    flip(entry, 2);
    write_refused_silently(DEV, PASID, IOVA, FAULT_DIRECTORY_RESERVED);
    flip(entry, 2);
    flip(entry, 0);
    write_refused_silently(DEV, PASID, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
    poke(entry, NOWHERE | 3);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_ACCESS);
}
END_TEST

/* ---- Table entries ----------------------------------------------------------------- */

START_TEST(a_pasid_table_where_nothing_answers_faults)
{
    given_device(&widest);
    poke(directory_entry_at(DEV, PASID), NOWHERE | 1);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_ACCESS);
}
END_TEST

START_TEST(an_absent_table_entry_may_hold_anything_else)
{
    given_device(&widest);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    for (unsigned word = 0; word < 8; word++) {
        poke(entry + 8 * word, ~0ull);
    }
    poke(entry, ~3ull);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
}
END_TEST

/* Fields of a PASID-table entry, and the ability without which they are
 * reserved; all else is. */
static const struct {
    unsigned last, first;
    size_t needs;                       /* of DmarConfig; 0: nothing */
} pasid_fields[] = {
    { 4, 0 }, { 8, 6 }, { 9, 9, offsetof(DmarConfig, second_stage_dirty) },
    { 63, 12 }, { 79, 64 }, { 87, 87 },
    { 88, 88, offsetof(DmarConfig, snoop_control) },
    { 128, 128, offsetof(DmarConfig, supervisor) },
    { 132, 130, offsetof(DmarConfig, first_stage) }, { 134, 133 },
    { 135, 135, offsetof(DmarConfig, extended_accessed) },
    { 191, 140, offsetof(DmarConfig, first_stage) },
};

static bool in_pasid_field(unsigned bit)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(pasid_fields); i++) {
        if (bit >= pasid_fields[i].first && bit <= pasid_fields[i].last) {
            size_t needs = pasid_fields[i].needs;
            return !needs || *((const bool *)&m.config + needs);
        }
    }
    return false;
}

static bool pasid_bit_reserved(unsigned bit)
{
    const DmarConfig *c = &m.config;
    bool pointer = (bit >= 12 && bit < 64) || (bit >= 140 && bit < 192);
    if (pointer && bit % 64 >= c->host_width) {
        return true;
    }
    if (bit >= 64 && bit < 80 && bit - 64u >= c->domain_bits) {
        return true;
    }
    return !in_pasid_field(bit) || (bit == 87 && c->incoherent_walk);
}

START_TEST(every_reserved_bit_of_a_table_entry_is_checked)
{
    given_device(&variants[_i].config);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    for (unsigned bit = 9; bit < 512; bit++) {
        if (pasid_bit_reserved(bit)) {
            flip(entry, bit);
            write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_RESERVED);
            flip(entry, bit);
            forget_everything();    /* caching mode */
        }
    }
    flip(entry, 5);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_RESERVED);
    flip(entry, 5);
    forget_everything();
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(bits_that_are_not_reserved_do_no_harm)
{
    static const unsigned bits[] = { 87, 133, 134 };
    given_device(&widest);
    flip(pasid_entry_at(DEV, PASID), bits[_i]);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(pgsnp_forces_snooping)
{
    given_device(&widest);
    ck_assert(!dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    flip(pasid_entry_at(DEV, PASID), 88);
    execute(pasid_cache_global());
    execute(iotlb_global());
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
}
END_TEST

START_TEST(only_advertised_translation_types_are_taken)
{
    given_device(&plain);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, (peek(entry) & ~(7ull << 6)) | (uint64_t)_i << 6);
    if (_i == PGTT_SECOND_STAGE) {
        write_reaches(DEV, PASID, IOVA, TARGET);
    } else if (_i == PGTT_PASS_THROUGH) {
        write_reaches(DEV, PASID, IOVA, IOVA);
    } else {
        write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
    }
}
END_TEST

/* ---- Abilities and fields [VT-d 9.6] ------------------------------------------------- */

static void set_entry_field(unsigned word, uint64_t mask, uint64_t value)
{
    uint64_t entry = pasid_entry_at(DEV, PASID) + 8 * word;
    poke(entry, (peek(entry) & ~mask) | (value * (mask & -mask)));
    execute(pasid_cache_global());
    execute(iotlb_global());
}

static void given_first(const DmarConfig *config, unsigned levels)
{
    given_scalable(config);
    given_context(DEV);
    space = given_first_stage(DOMAIN, levels);
    map_fs(&space, IOVA, TARGET, PAGE, USER_RW);
    given_pasid(DEV, PASID, &space);
}

START_TEST(a_type_needs_its_ability)
{
    static const struct {
        size_t lacking;
        bool value;
        unsigned type;
    } rows[] = {
        { offsetof(DmarConfig, first_stage), false, PGTT_FIRST_STAGE },
        { offsetof(DmarConfig, no_second_stage), true, PGTT_SECOND_STAGE },
        { offsetof(DmarConfig, nested), false, PGTT_NESTED },
        { offsetof(DmarConfig, pass_through), false, PGTT_PASS_THROUGH },
    };
    DmarConfig config = plain;
    config.first_stage = config.nested = true;
    config.nested = rows[_i].type == PGTT_NESTED;
    *((bool *)&config + rows[_i].lacking) = rows[_i].value;
    given_scalable(&config);
    given_context(DEV);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, rows[_i].type << 6 | 1 << 2 | 1);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
}
END_TEST

START_TEST(a_second_stage_is_as_deep_as_the_unit_allows)
{
    static const unsigned widths[] = { 39, 48, 57 };
    DmarConfig config = widest;
    config.aw_bits = widths[_i];
    config.host_width = 39;
    given_device(&config);
    for (unsigned aw = 0; aw < 8; aw++) {
        set_entry_field(0, 7 << 2, aw);
        DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
        bool there = aw >= 1 && aw <= _i + 1u;
        ck_assert_int_eq(t.reason != FAULT_PASID_ENTRY_INVALID, there);
        take_fault();
    }
}
END_TEST

START_TEST(a_first_stage_is_as_deep_as_the_unit_allows)
{
    DmarConfig config = widest;
    config.first_stage_5level = _i;
    given_first(&config, 4);
    both_reach(DEV, PASID, IOVA, TARGET);
    for (unsigned mode = 1; mode < 4; mode++) {
        set_entry_field(2, 3 << 2, mode);
        if (mode == 1 && _i) {      /* the table is walked as if of 5 levels */
            write_faults(DEV, PASID, BIT_AT(47) - 1, FAULT_FS_NOT_PRESENT);
        } else {
            write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
        }
    }
}
END_TEST

START_TEST(what_the_second_stage_needs_does_not_count_in_a_first)
{
    given_first(&widest, 4);
    for (unsigned aw = 0; aw < 8; aw++) {
        set_entry_field(0, 7 << 2, aw);
        both_reach(DEV, PASID, IOVA, TARGET);
    }
    set_entry_field(0, BITS(45, 12), NOWHERE >> 12);
    set_entry_field(0, BIT_AT(9), 1);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(what_the_first_stage_needs_does_not_count_in_a_second)
{
    given_device(&widest);
    given_options(DEV, PASID, WITH_WPE | WITH_EAFE | WITH_SRE);
    set_entry_field(2, BITS(45, 12), BITS(33, 0));
    both_reach(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(pass_through_needs_no_table)
{
    given_device(&widest);
    given_pass_through(DEV, PASID, DOMAIN);
    for (unsigned aw = 0; aw < 8; aw++) {
        set_entry_field(0, 7 << 2, aw);
        write_reaches(DEV, PASID, IOVA, IOVA);
    }
    given_options(DEV, PASID, WITH_SSADE | WITH_WPE | WITH_EAFE);
    set_entry_field(2, BITS(45, 12), BITS(33, 0));
    write_reaches(DEV, PASID, IOVA, IOVA);
}
END_TEST

START_TEST(without_a_second_stage_its_fields_are_reserved)
{
    DmarConfig config = plain;
    config.first_stage = config.no_second_stage = true;
    given_first(&config, 4);
    both_reach(DEV, PASID, IOVA, TARGET);
    for (unsigned bit = 9; bit < 64; bit++) {
        set_entry_field(0, BIT_AT(bit), 1);
        write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_RESERVED);
        set_entry_field(0, BIT_AT(bit), 0);
    }
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(without_rid_pasid_0_stands_for_requests_without_pasid)
{
    DmarConfig config = widest;
    config.no_rid_pasid = true;
    given_scalable(&config);
    given_context_of_size(DEV, PDTS_DEFAULT, 0);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, 0, &space);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    for (unsigned bit = 64; bit < 84; bit++) {
        flip(context_entry_at(DEV), bit);
        execute(context_global());
        execute(iotlb_global());
        write_faults(DEV, NO_PASID, IOVA, FAULT_CONTEXT_RESERVED);
        flip(context_entry_at(DEV), bit);
    }
}
END_TEST

START_TEST(rid_priv_makes_supervisors_of_requests_without_pasid)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA, TARGET, PAGE, 0);      /* a supervisor's, read-only */
    given_rid(DEV, &space);
    given_options(DEV, RID_PASID, WITH_PWSNP | (_i & 1 ? WITH_SRE : 0) |
                  (_i & 2 ? WITH_WPE : 0));
    read_faults(DEV, NO_PASID, IOVA, FAULT_PRIVILEGE_VIOLATION);
    flip(context_entry_at(DEV), 84);
    execute(context_global());
    execute(pasid_cache_global());
    execute(iotlb_global());
    if (!(_i & 1)) {
        read_faults(DEV, NO_PASID, IOVA, FAULT_SUPERVISOR_BLOCKED);
    } else if (_i & 2) {
        read_reaches(DEV, NO_PASID, IOVA, TARGET);
        write_faults(DEV, NO_PASID, IOVA, FAULT_WRITE_DENIED);
    } else {
        both_reach(DEV, NO_PASID, IOVA, TARGET);
    }
}
END_TEST

START_TEST(page_requests_need_device_tlbs_in_a_context_entry)
{
    given_device(&widest);
    for (unsigned bits = 0; bits < 4; bits++) {
        uint64_t entry = context_entry_at(DEV);
        bool dte = bits & 1, pre = bits & 2;
        poke(entry, (peek(entry) & ~(BIT_AT(2) | BIT_AT(4))) |
             (dte ? BIT_AT(2) : 0) | (pre ? BIT_AT(4) : 0));
        forget_everything();
        if (pre && !dte) {
            write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_INVALID);
        } else {
            write_reaches(DEV, PASID, IOVA, TARGET);
        }
    }
}
END_TEST

START_TEST(a_table_entry_hides_its_faults_by_fpd)
{
    given_device(&widest);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    flip(entry, 1);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    execute(pasid_cache_global());
    flip(entry, 5);
    write_refused_silently(DEV, PASID, IOVA, FAULT_PASID_ENTRY_RESERVED);
    flip(entry, 5);
    flip(entry, 0);
    write_refused_silently(DEV, PASID, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
}
END_TEST

START_TEST(fpd_of_one_pasid_does_not_hide_another)
{
    given_device(&widest);
    flip(pasid_entry_at(DEV, PASID), 1);
    given_pasid(DEV, PASID + 1, &space);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID + 1, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(fpd_survives_in_the_caches)
{
    given_device(&widest);
    flip(pasid_entry_at(DEV, PASID), 1);
    map(&space, IOVA, TARGET, PAGE, R);
    read_reaches(DEV, PASID, IOVA, TARGET);     /* all is cached now */
    write_refused_silently(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
}
END_TEST

/* Nobody invalidated the PASID-cache, but the FPD was not in it. */
START_TEST(the_fpd_of_a_context_is_not_kept_with_its_pasids)
{
    given_device(&widest);
    flip(context_entry_at(DEV), 1);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    flip(context_entry_at(DEV), 1);
    execute(context_device(0, DEV, 0));
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_page_keeps_the_fpd_under_which_it_came_in)
{
    given_device(&widest);
    map(&space, IOVA, TARGET, PAGE, R);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    flip(context_entry_at(DEV), 1);
    execute(context_device(0, DEV, 0));
    read_reaches(DEV, PASID, IOVA, TARGET);
    write_refused_silently(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
}
END_TEST

START_TEST(rid_priv_of_a_context_is_not_kept_with_its_pasids)
{
    DmarConfig config = widest;
    config.supervisor = config.rid_privilege = true;
    given_device(&config);
    given_rid(DEV, &space);
    read_reaches(DEV, NO_PASID, IOVA, TARGET);
    flip(context_entry_at(DEV), 84);
    execute(context_device(0, DEV, 0));
    read_faults(DEV, NO_PASID, IOVA + PAGE, FAULT_SUPERVISOR_BLOCKED);
}
END_TEST

/* ---- What a request asks for ---------------------------------------------------------- */

static DmarTranslation ask_with(bool privileged, bool execute)
{
    return ask((DmarRequest) { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                               .access = DMAR_READ, .privileged = privileged,
                               .execute = execute });
}

START_TEST(a_supervisor_request_is_refused)
{
    given_device(&widest);
    DmarTranslation t = ask_with(true, false);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    Fault fault = take_fault();
    ck_assert_uint_eq(fault.reason, FAULT_SUPERVISOR_BLOCKED);
    ck_assert(fault.privileged && !fault.execute);
}
END_TEST

START_TEST(an_execute_request_is_refused)
{
    given_device(&widest);
    DmarTranslation t = ask_with(false, true);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    Fault fault = take_fault();
    ck_assert_uint_le(field_get(reg32(VER_REG), VER_MAX), 7);
    ck_assert_uint_eq(fault.reason, FAULT_EXECUTE_BLOCKED);
    ck_assert(fault.execute && !fault.privileged);
}
END_TEST

START_TEST(a_cached_translation_does_not_let_a_supervisor_in)
{
    given_device(&widest);
    read_reaches(DEV, PASID, IOVA, TARGET);
    ck_assert_int_eq(ask_with(true, false).completion, DMAR_UNSUPPORTED_REQUEST);
    fault_left(FAULT_SUPERVISOR_BLOCKED, DEV);
}
END_TEST

static Suite *pasid(void)
{
    Suite *s = suite_create("pasid");
    TCase *t = tests_of(s, "selection");
    tcase_add_test(t, every_pasid_has_its_own_entry);
    tcase_add_test(t, a_pasid_belongs_to_its_function);
    tcase_add_loop_test(t, the_directory_ends_where_pdts_says, 0, 8);
    tcase_add_loop_test(t, pasids_end_where_the_unit_says, 7, 21);

    t = tests_of(s, "RID_PASID");
    tcase_add_loop_test(t, requests_without_pasid_use_rid_pasid, 0, 5);
    tcase_add_test(t, rid_pasid_may_not_be_used_explicitly);
    tcase_add_test(t, rid_pasid_must_lie_in_the_directory);
    tcase_add_test(t, a_space_may_be_bound_by_pasid_and_by_source_id_at_once);

    t = tests_of(s, "directory");
    tcase_add_test(t, a_directory_where_nothing_answers_faults);
    tcase_add_test(t, an_absent_directory_entry_may_hold_anything_else);
    tcase_add_loop_test(t, every_reserved_bit_of_a_directory_entry_is_checked,
                        0, variant_count);
    tcase_add_test(t, a_directory_entry_hides_faults_behind_it_by_fpd);

    t = tests_of(s, "table");
    tcase_add_test(t, a_pasid_table_where_nothing_answers_faults);
    tcase_add_test(t, an_absent_table_entry_may_hold_anything_else);
    tcase_add_loop_test(t, every_reserved_bit_of_a_table_entry_is_checked, 0,
                        variant_count);
    tcase_add_loop_test(t, bits_that_are_not_reserved_do_no_harm, 0, 3);
    tcase_add_test(t, pgsnp_forces_snooping);
    tcase_add_loop_test(t, a_type_needs_its_ability, 0, 4);
    tcase_add_loop_test(t, a_second_stage_is_as_deep_as_the_unit_allows, 0, 3);
    tcase_add_loop_test(t, a_first_stage_is_as_deep_as_the_unit_allows, 0, 2);
    tcase_add_test(t, what_the_second_stage_needs_does_not_count_in_a_first);
    tcase_add_test(t, what_the_first_stage_needs_does_not_count_in_a_second);
    tcase_add_test(t, pass_through_needs_no_table);
    tcase_add_test(t, without_a_second_stage_its_fields_are_reserved);
    tcase_add_test(t, without_rid_pasid_0_stands_for_requests_without_pasid);
    tcase_add_loop_test(t, rid_priv_makes_supervisors_of_requests_without_pasid,
                        0, 4);
    tcase_add_test(t, page_requests_need_device_tlbs_in_a_context_entry);
    tcase_add_loop_test(t, only_advertised_translation_types_are_taken, 0, 8);
    tcase_add_test(t, a_table_entry_hides_its_faults_by_fpd);
    tcase_add_test(t, fpd_of_one_pasid_does_not_hide_another);
    tcase_add_test(t, fpd_survives_in_the_caches);
    tcase_add_test(t, the_fpd_of_a_context_is_not_kept_with_its_pasids);
    tcase_add_test(t, a_page_keeps_the_fpd_under_which_it_came_in);
    tcase_add_test(t, rid_priv_of_a_context_is_not_kept_with_its_pasids);

    t = tests_of(s, "requests");
    tcase_add_test(t, a_supervisor_request_is_refused);
    tcase_add_test(t, an_execute_request_is_refused);
    tcase_add_test(t, a_cached_translation_does_not_let_a_supervisor_in);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(pasid(), argc, argv);
}
