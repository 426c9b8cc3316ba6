/*
 * Scalable mode's root and context entries [VT-d 9.2, 9.4] and what gates a
 * request before its PASID is looked at.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0110
#define PASID   0x55
#define DOMAIN  9
#define IOVA    0x40000000ull
#define TARGET  0x12345000ull

static Space space;

/* A device whose requests with PASID, and without, reach TARGET. */
static void given_device(const DmarConfig *config, uint16_t sid)
{
    given_scalable(config);
    given_context(sid);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_pasid(sid, PASID, &space);
    given_rid(sid, &space);
}

static void forget_contexts(void)
{
    execute(context_global());
    execute(pasid_cache_global());
    execute(iotlb_global());
}

START_TEST(a_request_with_pasid_and_one_without_reach_memory)
{
    given_device(&variants[_i].config, DEV);
    both_reach(DEV, PASID, IOVA, TARGET);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(every_function_has_its_own_context)
{
    static const uint16_t sids[] = { 0x0000, 0x007f, 0x0080, 0x00ff, 0x7f00,
                                     0xff7f, 0xff80, 0xffff };
    given_device(&widest, sids[_i]);
    both_reach(sids[_i], PASID, IOVA, TARGET);
    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        if (sids[i] >> 8 != sids[_i] >> 8) {
            write_faults(sids[i], PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
        }
    }
    write_faults(sids[_i] ^ 1, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
    write_faults(sids[_i] ^ 0x80, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

/* ---- Modes [VT-d 3.4, 11.4.5] -------------------------------------------- */

START_TEST(nothing_is_translated_before_it_is_enabled)
{
    power_on(&widest);
    both_reach(DEV, NO_PASID, IOVA, IOVA);
    both_reach(DEV, PASID, IOVA, IOVA);
}
END_TEST

START_TEST(nothing_is_translated_after_it_is_disabled)
{
    given_device(&widest, DEV);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    command_off(GCMD_TE);
    both_reach(DEV, NO_PASID, IOVA, IOVA);
}
END_TEST

START_TEST(translation_requests_are_refused_while_it_is_disabled)
{
    power_on(&widest);
    DmarTranslation t = ats(DEV, NO_PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    t = ask((DmarRequest) { .source_id = DEV, .pasid = NO_PASID, .addr = IOVA,
                            .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
}
END_TEST

START_TEST(a_reserved_table_mode_blocks_every_request)
{
    given_device(&plain, DEV);
    set_root(m.root, _i);
    write_faults(DEV, PASID, IOVA, FAULT_TTM_INVALID);
    write_faults(DEV, NO_PASID, IOVA, FAULT_TTM_INVALID);
    set_root(m.root, TTM_SCALABLE);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(scalable_mode_needs_the_ability)
{
    DmarConfig config = plain;
    config.scalable = false;
    config.pasid_bits = 0;
    given_legacy(&config);
    set_root(m.root, TTM_SCALABLE);
    write_faults(DEV, NO_PASID, IOVA, FAULT_TTM_INVALID);
    set_root(m.root, TTM_LEGACY);
}
END_TEST

START_TEST(the_root_table_changes_only_by_command)
{
    given_device(&widest, DEV);
    write_reaches(DEV, PASID, IOVA, TARGET);
    uint64_t old = reg(RTADDR_REG), other = new_page();
    set_reg(RTADDR_REG, other | TTM_SCALABLE << 10);
    forget_contexts();
    write_reaches(DEV, PASID, IOVA, TARGET);
    ck_assert_uint_eq(reg(RTADDR_REG), other | TTM_SCALABLE << 10);
    command(GCMD_SRTP);
    forget_contexts();
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
    set_reg(RTADDR_REG, old);
    command(GCMD_SRTP);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(bits_of_the_root_address_above_the_host_width_reach_nothing)
{
    given_device(&widest, DEV);
    set_reg(RTADDR_REG, m.root | TTM_SCALABLE << 10 | BIT_AT(50));
    command(GCMD_SRTP);
    forget_contexts();
    DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
    if (t.completion != DMAR_SUCCESS) {
        fault_left(FAULT_ROOT_ACCESS, DEV);
    } else {
        /* Hardware may implement only as many bits as the host has. */
        ck_assert_uint_eq(t.addr, TARGET);
    }
}
END_TEST

/* ---- Root entries ------------------------------------------------------------- */

START_TEST(a_root_table_where_nothing_answers_faults)
{
    given_device(&widest, DEV);
    set_root(NOWHERE, TTM_SCALABLE);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_ACCESS);
    write_faults(DEV, NO_PASID, IOVA, FAULT_ROOT_ACCESS);
}
END_TEST

START_TEST(each_half_of_a_root_entry_is_checked_alone)
{
    uint16_t sid = _i ? 0x01f0 : 0x0170;
    given_device(&widest, sid);
    unsigned used = _i ? 64 : 0, unused = 64 - used;
    for (unsigned bit = 0; bit < 64; bit++) {
        bool reserved = (bit >= 1 && bit <= 11) || bit >= widest.host_width;
        uint64_t entry = root_entry_at(sid);
        if (reserved) {
            flip(entry, used + bit);
            write_faults(sid, PASID, IOVA, FAULT_ROOT_RESERVED);
            flip(entry, used + bit);
        }
        flip(entry, unused + bit);
        flip(entry, unused);
        write_reaches(sid, PASID, IOVA, TARGET);
        forget_contexts();
        flip(entry, unused);
        flip(entry, unused + bit);
    }
}
END_TEST

START_TEST(an_absent_root_entry_may_hold_anything_else)
{
    given_device(&widest, DEV);
    poke(root_entry_at(DEV), ~1ull);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(root_faults_are_never_hidden)
{
    given_device(&widest, DEV);
    uint64_t old = peek(root_entry_at(DEV));
    flip(context_entry_at(DEV), 1);
    poke(root_entry_at(DEV), old & ~1ull);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

/* ---- Context entries ------------------------------------------------------------ */

START_TEST(a_context_table_where_nothing_answers_faults)
{
    given_device(&widest, DEV);
    poke(root_entry_at(DEV), NOWHERE | 1);
    write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_ACCESS);
}
END_TEST

START_TEST(an_absent_context_entry_may_hold_anything_else)
{
    given_device(&widest, DEV);
    for (unsigned word = 0; word < 4; word++) {
        poke(context_entry_at(DEV) + 8 * word, ~0ull);
    }
    poke(context_entry_at(DEV), ~3ull);         /* neither P nor FPD */
    write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
}
END_TEST

/* Reserved bits of a context entry, as the unit's abilities make them. */
static bool context_bit_reserved(unsigned bit)
{
    const DmarConfig *c = &m.config;
    if (bit < 64) {
        return (bit == 2 && !c->device_tlb) || (bit == 3 && !c->pasid_bits) ||
            (bit == 4 && !c->page_requests) || (bit >= 5 && bit <= 8) ||
            bit >= c->host_width;
    }
    return (bit == 84 && !c->rid_privilege) || bit > 84 ||
        (bit < 84 && c->no_rid_pasid);
}

START_TEST(every_reserved_bit_of_a_context_entry_is_checked)
{
    given_device(&variants[_i].config, DEV);
    uint64_t entry = context_entry_at(DEV);
    for (unsigned bit = 0; bit < 256; bit++) {
        if (context_bit_reserved(bit)) {
            flip(entry, bit);
            write_faults(DEV, NO_PASID, IOVA, FAULT_CONTEXT_RESERVED);
            write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_RESERVED);
            flip(entry, bit);
            forget_everything();    /* caching mode */
        }
    }
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(pasids_need_the_ability)
{
    DmarConfig config = widest;
    config.pasid_bits = 0;
    given_device(&config, DEV);
    write_faults(DEV, NO_PASID, IOVA, FAULT_CONTEXT_RESERVED);  /* PASIDE */
    flip(context_entry_at(DEV), 3);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(requests_with_pasid_need_paside)
{
    given_device(&widest, DEV);
    flip(context_entry_at(DEV), 3);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_BLOCKED);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(device_tlb_requests_need_dte)
{
    given_device(&widest, DEV);
    ats_grants(DEV, PASID, IOVA, TARGET, RW);
    flip(context_entry_at(DEV), 2);
    forget_contexts();
    ats_fails(DEV, PASID, IOVA, DMAR_UNSUPPORTED_REQUEST, FAULT_ATS_BLOCKED);
    ats_fails(DEV, NO_PASID, IOVA, DMAR_UNSUPPORTED_REQUEST, FAULT_ATS_BLOCKED);
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = TARGET,
        .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    fault_left(FAULT_ATS_BLOCKED, DEV);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_context_entry_hides_its_faults_by_fpd)
{
    given_device(&widest, DEV);
    uint64_t entry = context_entry_at(DEV);
    flip(entry, 1);
    write_refused_silently(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    flip(entry, 8);
    execute(context_global());
    write_refused_silently(DEV, PASID, IOVA, FAULT_CONTEXT_RESERVED);
    flip(entry, 8);
    flip(entry, 0);
    execute(context_global());
    write_refused_silently(DEV, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
}
END_TEST

/* ---- Device-TLB requests [VT-d 3.1, 4.2.3, 4.2.5, 3.15] ------------------ */

START_TEST(a_translated_request_passes_unchanged)
{
    given_device(&widest, DEV);
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = 0xabcd1234,
        .access = DMAR_WRITE, .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.addr, 0xabcd1234);
}
END_TEST

static void translated_faults(uint64_t addr, uint8_t reason)
{
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = addr,
        .access = DMAR_WRITE, .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    ck_assert_uint_eq(t.reason, reason);
    Fault fault = take_fault();
    ck_assert_uint_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.at, DMAR_TRANSLATED);
}

START_TEST(a_translated_request_stays_inside_the_host)
{
    given_device(&widest, DEV);
    translated_faults(BIT_AT(widest.host_width), FAULT_ADDRESS_BEYOND_HOST);
}
END_TEST

START_TEST(a_translated_request_may_not_send_interrupts)
{
    given_device(&widest, DEV);
    translated_faults(0xfee01000, FAULT_INTERRUPT_RANGE);
}
END_TEST

START_TEST(a_translation_request_grants_what_is_mapped)
{
    given_device(&widest, DEV);
    for (unsigned rights = R; rights <= RW; rights++) {
        map(&space, IOVA + rights * PAGE, TARGET + PAGE, PAGE, rights);
        ats_grants(DEV, PASID, IOVA + rights * PAGE, TARGET + PAGE, rights);
        ats_grants(DEV, NO_PASID, IOVA + rights * PAGE, TARGET + PAGE, rights);
    }
}
END_TEST

START_TEST(a_translation_request_for_nothing_is_no_fault)
{
    given_device(&widest, DEV);
    ats_grants_nothing(DEV, PASID, IOVA + PAGE);
    ats_grants_nothing(DEV, PASID, BIT_AT(60));
    ats_grants_nothing(DEV, PASID + 1, IOVA);           /* 59h */
    ats_grants_nothing(DEV, PASID + 0x40, IOVA);        /* 51h */
}
END_TEST

static void ats_aborts(uint8_t reason)
{
    ats_fails(DEV, PASID, IOVA, DMAR_COMPLETER_ABORT, reason);
    forget_contexts();
}

START_TEST(a_translation_request_that_meets_bad_tables_is_aborted)
{
    given_device(&widest, DEV);
    poke(paging_entry_at(&space, IOVA, 1), TARGET | RW | BIT_AT(62));
    ats_aborts(FAULT_SS_RESERVED);
    flip(pasid_entry_at(DEV, PASID), 5);
    ats_aborts(FAULT_PASID_ENTRY_RESERVED);
    flip(directory_entry_at(DEV, PASID), 2);
    ats_aborts(FAULT_DIRECTORY_RESERVED);
    flip(context_entry_at(DEV), 100);
    ats_aborts(FAULT_CONTEXT_RESERVED);
    flip(root_entry_at(DEV), 2);
    ats_aborts(FAULT_ROOT_RESERVED);
    poke(root_entry_at(DEV), 0);
    ats_fails(DEV, PASID, IOVA, DMAR_UNSUPPORTED_REQUEST,
              FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(a_translated_request_may_not_carry_a_pasid)
{
    given_device(&widest, DEV);
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = PASID, .addr = TARGET,
        .access = DMAR_WRITE, .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    if (t.reason) {         /* older hardware refuses without a record */
        fault_left(FAULT_TRANSLATED_WITH_PASID, DEV);
    }
}
END_TEST

START_TEST(a_translation_request_may_not_reach_the_interrupt_range)
{
    given_device(&widest, DEV);
    map(&space, IOVA + PAGE, 0xfee00000, PAGE, RW);
    ats_fails(DEV, PASID, IOVA + PAGE, DMAR_COMPLETER_ABORT,
              FAULT_INTERRUPT_RANGE);
}
END_TEST

/* Condition S.1 of [VT-d 7.1.3]; the no-write flag is not supported. */
START_TEST(a_translation_request_for_the_interrupt_range_is_answered)
{
    DmarConfig config = widest;
    config.no_write_flag = false;
    given_device(&config, DEV);
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = _i ? 0xfee00000 : 0xfeefffff,
        .no_write = _i, .type = DMAR_TRANSLATION_REQUEST });
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert(t.write && !t.read && t.untranslated_only);
}
END_TEST

START_TEST(only_who_may_ask_is_answered_in_the_interrupt_range)
{
    given_device(&widest, DEV);
    ats_fails(DEV + 1, NO_PASID, 0xfee00000, DMAR_UNSUPPORTED_REQUEST,
              FAULT_CONTEXT_NOT_PRESENT);
    flip(context_entry_at(DEV), 2);
    ats_fails(DEV, NO_PASID, 0xfee00000, DMAR_UNSUPPORTED_REQUEST,
              FAULT_ATS_BLOCKED);
}
END_TEST

/* RID_PRIV makes it a supervisor's, and SRE is clear: condition SPT.6. */
START_TEST(a_supervisor_without_leave_is_told_nothing_of_the_interrupt_range)
{
    DmarConfig config = widest;
    config.supervisor = config.rid_privilege = true;
    given_device(&config, DEV);
    given_rid(DEV, &space);
    flip(context_entry_at(DEV), 84);
    ats_grants_nothing(DEV, NO_PASID, 0xfee00000);
}
END_TEST

START_TEST(a_translation_request_with_pasid_has_no_interrupt_range)
{
    given_device(&widest, DEV);
    map(&space, 0xfee00000, TARGET, PAGE, RW);
    ats_grants(DEV, PASID, 0xfee00000, TARGET, RW);
}
END_TEST

/* ---- Access errors ------------------------------------------------------------------ */

START_TEST(every_memory_access_of_a_walk_may_fail)
{
    static const uint8_t order[] = {
        FAULT_ROOT_ACCESS, FAULT_CONTEXT_ACCESS, FAULT_DIRECTORY_ACCESS,
        FAULT_PASID_ENTRY_ACCESS, FAULT_SS_TOP_ACCESS, FAULT_SS_ACCESS,
    };
    uint32_t pasid = _i ? NO_PASID : PASID;
    given_device(&widest, DEV);
    unsigned at = 0;
    for (unsigned n = 1; ; n++) {
        fail_access(n);
        DmarTranslation t = dma(DMAR_WRITE, DEV, pasid, IOVA);
        bool failed = m.accesses >= n;
        fail_access(0);
        if (!failed) {
            ck_assert_int_eq(t.completion, DMAR_SUCCESS);
            break;
        }
        at += at + 1 < G_N_ELEMENTS(order) && t.reason == order[at + 1];
        ck_assert_uint_eq(t.reason, order[at]);
        fault_left(t.reason, DEV);
        write_reaches(DEV, pasid, IOVA, TARGET);    /* nothing bad was kept */
        forget_contexts();
    }
    ck_assert_uint_eq(at, G_N_ELEMENTS(order) - 1);
}
END_TEST

static Suite *scalable(void)
{
    Suite *s = suite_create("scalable");
    TCase *t = tests_of(s, "requests");
    tcase_add_loop_test(t, a_request_with_pasid_and_one_without_reach_memory, 0,
                        variant_count);
    tcase_add_loop_test(t, every_function_has_its_own_context, 0, 8);

    t = tests_of(s, "modes");
    tcase_add_test(t, nothing_is_translated_before_it_is_enabled);
    tcase_add_test(t, nothing_is_translated_after_it_is_disabled);
    tcase_add_test(t, translation_requests_are_refused_while_it_is_disabled);
    tcase_add_loop_test(t, a_reserved_table_mode_blocks_every_request, 2, 4);
    tcase_add_test(t, scalable_mode_needs_the_ability);
    tcase_add_test(t, the_root_table_changes_only_by_command);
    tcase_add_test(t, bits_of_the_root_address_above_the_host_width_reach_nothing);

    t = tests_of(s, "root entries");
    tcase_add_test(t, a_root_table_where_nothing_answers_faults);
    tcase_add_loop_test(t, each_half_of_a_root_entry_is_checked_alone, 0, 2);
    tcase_add_test(t, an_absent_root_entry_may_hold_anything_else);
    tcase_add_test(t, root_faults_are_never_hidden);

    t = tests_of(s, "context entries");
    tcase_add_test(t, a_context_table_where_nothing_answers_faults);
    tcase_add_test(t, an_absent_context_entry_may_hold_anything_else);
    tcase_add_loop_test(t, every_reserved_bit_of_a_context_entry_is_checked, 0,
                        variant_count);
    tcase_add_test(t, pasids_need_the_ability);
    tcase_add_test(t, requests_with_pasid_need_paside);
    tcase_add_test(t, device_tlb_requests_need_dte);
    tcase_add_test(t, a_context_entry_hides_its_faults_by_fpd);

    t = tests_of(s, "device TLBs");
    tcase_add_test(t, a_translated_request_passes_unchanged);
    tcase_add_test(t, a_translated_request_stays_inside_the_host);
    tcase_add_test(t, a_translated_request_may_not_send_interrupts);
    tcase_add_test(t, a_translated_request_may_not_carry_a_pasid);
    tcase_add_test(t, a_translation_request_grants_what_is_mapped);
    tcase_add_test(t, a_translation_request_for_nothing_is_no_fault);
    tcase_add_test(t, a_translation_request_that_meets_bad_tables_is_aborted);
    tcase_add_test(t, a_translation_request_may_not_reach_the_interrupt_range);
    tcase_add_loop_test(t,
        a_translation_request_for_the_interrupt_range_is_answered, 0, 2);
    tcase_add_test(t, only_who_may_ask_is_answered_in_the_interrupt_range);
    tcase_add_test(t,
        a_supervisor_without_leave_is_told_nothing_of_the_interrupt_range);
    tcase_add_test(t, a_translation_request_with_pasid_has_no_interrupt_range);

    t = tests_of(s, "access errors");
    tcase_add_loop_test(t, every_memory_access_of_a_walk_may_fail, 0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(scalable(), argc, argv);
}
