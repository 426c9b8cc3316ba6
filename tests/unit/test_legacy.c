/*
 * Legacy mode [VT-d 3.4.2, 9.1, 9.3]: one table a function, no PASIDs.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0418
#define DOMAIN  21
#define IOVA    0x5000000ull
#define TARGET  0x9876000ull

static Space space;

static void given_device(const DmarConfig *config, unsigned tt)
{
    given_legacy(config);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_legacy_context(DEV, tt, &space);
}

static void forget_contexts(void)
{
    execute(context_global());
    execute(iotlb_global());
}

START_TEST(a_request_reaches_memory)
{
    given_device(&variants[_i].config, TT_SECOND_STAGE);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    both_reach(DEV, NO_PASID, IOVA + 0xabc, TARGET + 0xabc);
    write_faults(DEV, NO_PASID, IOVA + PAGE, FAULT_LEGACY_WRITE_DENIED);
    read_faults(DEV, NO_PASID, IOVA + PAGE, FAULT_LEGACY_READ_DENIED);
}
END_TEST

START_TEST(every_depth_and_page_size_works)
{
    static const uint64_t sizes[] = { PAGE, LARGE, HUGE };
    unsigned levels = 3 + _i / 3;
    uint64_t size = sizes[_i % 3];
    given_legacy(&widest);
    space = given_space(DOMAIN, levels);
    map(&space, 2 * HUGE, 5 * HUGE, size, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    both_reach(DEV, NO_PASID, 2 * HUGE + size - 1, 5 * HUGE + size - 1);
    write_faults(DEV, NO_PASID, 2 * HUGE + size, FAULT_LEGACY_WRITE_DENIED);
    ck_assert_uint_eq(dma(DMAR_READ, DEV, NO_PASID, 2 * HUGE).size, size);
}
END_TEST

START_TEST(every_function_has_its_own_context)
{
    static const uint16_t sids[] = { 0x0000, 0x007f, 0x0080, 0x00ff, 0xff00,
                                     0xffff };
    given_legacy(&widest);
    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        space = given_space(i + 1, 3);
        map(&space, IOVA, TARGET + i * PAGE, PAGE, RW);
        given_legacy_context(sids[i], TT_SECOND_STAGE, &space);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        both_reach(sids[i], NO_PASID, IOVA, TARGET + i * PAGE);
    }
    write_faults(0x0001, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
    write_faults(0x0100, NO_PASID, IOVA, FAULT_LEGACY_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(a_request_with_pasid_is_refused)
{
    given_device(&widest, TT_SECOND_STAGE);
    write_faults(DEV, 5, IOVA, FAULT_PASID_IN_LEGACY_MODE);
    flip(legacy_context_at(DEV), 1);
    write_faults(DEV, 5, IOVA, FAULT_PASID_IN_LEGACY_MODE);
}
END_TEST

START_TEST(legacy_mode_works_with_a_wide_queue_too)
{
    power_on(&widest);
    given_queue(32);
    set_root(new_page(), TTM_LEGACY);
    command(GCMD_TE);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

/* ---- Root and context entries ------------------------------------------------- */

START_TEST(every_reserved_bit_of_a_root_entry_is_checked)
{
    given_device(&variants[_i].config, TT_SECOND_STAGE);
    uint64_t entry = root_entry_at(DEV);
    for (unsigned bit = 1; bit < 128; bit++) {
        if (bit < 12 || bit >= m.config.host_width) {
            flip(entry, bit);
            write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_RESERVED);
            flip(entry, bit);
            forget_everything();    /* caching mode */
        }
    }
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

static bool context_bit_reserved(unsigned bit)
{
    if (bit < 64) {
        return (bit >= 4 && bit <= 11) || bit >= m.config.host_width;
    }
    return bit == 71 || bit >= 72u + m.config.domain_bits;
}

START_TEST(every_reserved_bit_of_a_context_entry_is_checked)
{
    given_device(&variants[_i].config, TT_SECOND_STAGE);
    uint64_t entry = legacy_context_at(DEV);
    for (unsigned bit = 4; bit < 128; bit++) {
        if (context_bit_reserved(bit)) {
            flip(entry, bit);
            write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_RESERVED);
            flip(entry, bit);
            forget_everything();    /* caching mode */
        }
    }
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(ignored_bits_of_a_context_entry_do_no_harm)
{
    given_device(&widest, TT_SECOND_STAGE);
    flip(legacy_context_at(DEV), _i);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(an_absent_entry_may_hold_anything_else)
{
    given_device(&widest, TT_SECOND_STAGE);
    poke(legacy_context_at(DEV), ~3ull);
    poke(legacy_context_at(DEV) + 8, ~0ull);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
    poke(root_entry_at(DEV), ~1ull);
    poke(root_entry_at(DEV) + 8, ~0ull);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(a_width_that_is_not_supported_is_refused)
{
    static const unsigned widths[] = { 0, 2, 3, 4, 5, 6, 7 };
    DmarConfig config = widest;
    config.aw_bits = config.host_width = 39;
    given_device(&config, TT_SECOND_STAGE);
    uint64_t entry = legacy_context_at(DEV);
    poke(entry + 8, (peek(entry + 8) & ~7ull) | widths[_i]);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_INVALID);
}
END_TEST

START_TEST(the_reserved_translation_type_is_refused)
{
    given_device(&widest, 3);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_INVALID);
}
END_TEST

START_TEST(a_translation_type_needs_its_ability)
{
    DmarConfig config = plain;
    config.pass_through = false;
    given_device(&config, _i ? TT_PASS_THROUGH : TT_DEVICE_TLB);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_INVALID);
}
END_TEST

START_TEST(tables_where_nothing_answers_fault)
{
    given_device(&widest, TT_SECOND_STAGE);
    uint64_t pde = paging_entry_at(&space, IOVA, 2), old = peek(pde);
    poke(pde, NOWHERE | RW);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_PAGING_ACCESS);
    poke(pde, old);
    forget_contexts();
    uint64_t entry = legacy_context_at(DEV);
    poke(entry, NOWHERE | 1);
    DmarTranslation t = dma(DMAR_WRITE, DEV, NO_PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    ck_assert_msg(t.reason == FAULT_LEGACY_CONTEXT_INVALID ||
                  t.reason == FAULT_LEGACY_PAGING_ACCESS, "top: %x", t.reason);
    fault_left(t.reason, DEV);
    forget_contexts();
    poke(root_entry_at(DEV), NOWHERE | 1);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_ACCESS);
    set_root(NOWHERE, TTM_LEGACY);
    forget_contexts();
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_ACCESS);
}
END_TEST

START_TEST(fpd_hides_faults)
{
    given_device(&widest, TT_SECOND_STAGE);
    uint64_t entry = legacy_context_at(DEV);
    flip(entry, 1);
    write_refused_silently(DEV, NO_PASID, IOVA + PAGE, FAULT_LEGACY_WRITE_DENIED);
    forget_contexts();
    flip(entry, 4);
    write_refused_silently(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_RESERVED);
    flip(entry, 0);
    write_refused_silently(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
}
END_TEST

/* ---- Paging entries ---------------------------------------------------------------- */

START_TEST(reserved_bits_of_paging_entries_are_checked)
{
    DmarConfig config = widest;
    config.snoop_control = false;
    given_device(&config, TT_SECOND_STAGE);
    uint64_t leaf = paging_entry_at(&space, IOVA, 1);
    flip(leaf, 62);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_PAGING_RESERVED);
    flip(leaf, 62);
    flip(leaf, 11);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_PAGING_RESERVED);
    flip(leaf, 11);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(rights_are_what_every_level_grants)
{
    given_device(&widest, TT_SECOND_STAGE);
    map(&space, IOVA, TARGET, PAGE, _i);
    if (_i & R) {
        read_reaches(DEV, NO_PASID, IOVA, TARGET);
    } else {
        read_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_READ_DENIED);
    }
    if (_i & W) {
        write_reaches(DEV, NO_PASID, IOVA, TARGET);
    } else {
        write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_WRITE_DENIED);
    }
}
END_TEST

START_TEST(addresses_end_where_the_table_ends)
{
    unsigned bits = 12 + 9 * _i;
    given_legacy(&widest);
    space = given_space(DOMAIN, _i);
    map(&space, BIT_AT(bits) - PAGE, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    write_reaches(DEV, NO_PASID, BIT_AT(bits) - 1, TARGET + PAGE - 1);
    write_faults(DEV, NO_PASID, BIT_AT(bits), FAULT_LEGACY_ADDRESS_BEYOND);
}
END_TEST

START_TEST(a_page_in_the_interrupt_range_is_refused)
{
    given_device(&widest, TT_SECOND_STAGE);
    map(&space, IOVA, 0xfee01000, PAGE, RW);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_INTERRUPT_RANGE);
}
END_TEST

/* ---- Pass-through and device TLBs ------------------------------------------------------ */

/* Pass-through wants the largest width that the unit has. */
static void given_pass_through_device(void)
{
    given_legacy(&widest);
    Space none = { 0, 5, DOMAIN };
    given_legacy_context(DEV, TT_PASS_THROUGH, &none);
}

START_TEST(pass_through_changes_nothing)
{
    given_pass_through_device();
    both_reach(DEV, NO_PASID, 0x123456789abull, 0x123456789abull);
    write_faults(DEV, NO_PASID, BIT_AT(widest.host_width),
                 FAULT_LEGACY_ADDRESS_BEYOND);
}
END_TEST

static void translated(uint64_t addr, DmarCompletion completion, uint8_t reason)
{
    DmarTranslation t = ask((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = addr,
        .access = DMAR_READ, .type = DMAR_TRANSLATED });
    ck_assert_int_eq(t.completion, completion);
    ck_assert_uint_eq(t.reason, reason);
    if (reason) {
        fault_left(reason, DEV);
    } else {
        ck_assert_uint_eq(t.addr, addr);
    }
}

START_TEST(device_tlb_requests_need_their_translation_type)
{
    if (_i == TT_PASS_THROUGH) {
        given_pass_through_device();
    } else {
        given_device(&widest, _i);
    }
    ats_fails(DEV, NO_PASID, IOVA, DMAR_UNSUPPORTED_REQUEST,
              FAULT_LEGACY_TYPE_BLOCKED);
    translated(TARGET, DMAR_UNSUPPORTED_REQUEST, FAULT_LEGACY_TYPE_BLOCKED);
}
END_TEST

START_TEST(a_device_tlb_is_answered)
{
    given_device(&widest, TT_DEVICE_TLB);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    ats_grants(DEV, NO_PASID, IOVA, TARGET, RW);
    ats_grants_nothing(DEV, NO_PASID, BIT_AT(60));
    translated(TARGET, DMAR_SUCCESS, 0);
    translated(BIT_AT(60), DMAR_UNSUPPORTED_REQUEST, FAULT_LEGACY_ADDRESS_BEYOND);
    translated(0xfee00000, DMAR_UNSUPPORTED_REQUEST,
               FAULT_LEGACY_INTERRUPT_RANGE);
}
END_TEST

START_TEST(a_device_tlb_is_told_the_rights)
{
    given_device(&widest, TT_DEVICE_TLB);
    map(&space, IOVA, TARGET, PAGE, R);
    ats_grants(DEV, NO_PASID, IOVA, TARGET, R);
    unmap(&space, IOVA);
    execute(iotlb_global());
    ats_grants_nothing(DEV, NO_PASID, IOVA);
}
END_TEST

START_TEST(every_memory_access_of_a_walk_may_fail)
{
    given_device(&widest, TT_SECOND_STAGE);
    for (unsigned n = 1; ; n++) {
        fail_access(n);
        DmarTranslation t = dma(DMAR_WRITE, DEV, NO_PASID, IOVA);
        bool failed = m.accesses >= n;
        fail_access(0);
        if (!failed) {
            ck_assert_uint_gt(n, 5);        /* root, context, three levels */
            break;
        }
        ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
        fault_left(t.reason, DEV);
        write_reaches(DEV, NO_PASID, IOVA, TARGET);
        forget_contexts();
    }
}
END_TEST

static Suite *legacy(void)
{
    Suite *s = suite_create("legacy");
    TCase *t = tests_of(s, "requests");
    tcase_add_loop_test(t, a_request_reaches_memory, 0, variant_count);
    tcase_add_loop_test(t, every_depth_and_page_size_works, 0, 9);
    tcase_add_test(t, every_function_has_its_own_context);
    tcase_add_test(t, a_request_with_pasid_is_refused);
    tcase_add_test(t, legacy_mode_works_with_a_wide_queue_too);

    t = tests_of(s, "entries");
    tcase_add_loop_test(t, every_reserved_bit_of_a_root_entry_is_checked, 0,
                        variant_count);
    tcase_add_loop_test(t, every_reserved_bit_of_a_context_entry_is_checked, 0,
                        variant_count);
    tcase_add_loop_test(t, ignored_bits_of_a_context_entry_do_no_harm, 67, 71);
    tcase_add_test(t, an_absent_entry_may_hold_anything_else);
    tcase_add_loop_test(t, a_width_that_is_not_supported_is_refused, 0, 7);
    tcase_add_test(t, the_reserved_translation_type_is_refused);
    tcase_add_loop_test(t, a_translation_type_needs_its_ability, 0, 2);
    tcase_add_test(t, tables_where_nothing_answers_fault);
    tcase_add_test(t, fpd_hides_faults);

    t = tests_of(s, "paging");
    tcase_add_test(t, reserved_bits_of_paging_entries_are_checked);
    tcase_add_loop_test(t, rights_are_what_every_level_grants, 0, 4);
    tcase_add_loop_test(t, addresses_end_where_the_table_ends, 3, 6);
    tcase_add_test(t, a_page_in_the_interrupt_range_is_refused);

    t = tests_of(s, "pass-through and device TLBs");
    tcase_add_test(t, pass_through_changes_nothing);
    tcase_add_test(t, device_tlb_requests_need_their_translation_type);
    tcase_add_loop_test(t, device_tlb_requests_need_their_translation_type, 2, 3);
    tcase_add_test(t, a_device_tlb_is_answered);
    tcase_add_test(t, a_device_tlb_is_told_the_rights);

    t = tests_of(s, "access errors");
    tcase_add_test(t, every_memory_access_of_a_walk_may_fail);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(legacy(), argc, argv);
}
