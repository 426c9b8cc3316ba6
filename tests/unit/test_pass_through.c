/*
 * Pass-through [VT-d 3.9]: addresses come out as they went in, as far as the
 * host's address width, and never as interrupts.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0300
#define PASID   0x21
#define DOMAIN  3

static void given_device(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    given_pass_through(DEV, PASID, DOMAIN);
    given_pass_through(DEV, RID_PASID, DOMAIN);
}

START_TEST(addresses_come_out_as_they_went_in)
{
    static const uint64_t addrs[] = { 0, 1, 0xfffff123, 0xfedfffff, 0xfef00000,
                                      0x100000000, BIT_AT(46) - 1 };
    given_device(&widest);
    for (unsigned i = 0; i < G_N_ELEMENTS(addrs); i++) {
        both_reach(DEV, PASID, addrs[i], addrs[i]);
        both_reach(DEV, NO_PASID, addrs[i], addrs[i]);
    }
}
END_TEST

static void addresses_have(unsigned bits)
{
    write_reaches(DEV, PASID, BIT_AT(bits) - 1, BIT_AT(bits) - 1);
    for (unsigned bit = bits; bit < 64; bit++) {
        write_faults(DEV, PASID, BIT_AT(bit), FAULT_ADDRESS_BEYOND_HOST);
        write_faults(DEV, NO_PASID, BIT_AT(bit), FAULT_ADDRESS_BEYOND_HOST);
    }
}

START_TEST(addresses_end_where_the_host_ends)
{
    DmarConfig config = widest;
    config.host_width = _i;
    given_device(&config);
    addresses_have(_i);
}
END_TEST

START_TEST(addresses_have_48_bits_if_nothing_is_said)
{
    given_device(&dmar_config_default);
    addresses_have(48);
}
END_TEST

START_TEST(pass_through_needs_the_ability)
{
    DmarConfig config = widest;
    config.pass_through = false;
    given_device(&config);
    write_faults(DEV, PASID, 0x1000, FAULT_PASID_ENTRY_INVALID);
    ck_assert(!(reg(ECAP_REG) & ECAP_PT));
}
END_TEST

START_TEST(a_request_with_pasid_does_not_become_an_interrupt)
{
    given_device(&widest);
    write_faults(DEV, PASID, 0xfee00000, FAULT_INTERRUPT_RANGE);
    read_faults(DEV, PASID, 0xfeeffff0, FAULT_INTERRUPT_RANGE);
}
END_TEST

START_TEST(the_width_of_a_table_that_is_not_walked_is_ignored)
{
    given_device(&widest);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, peek(entry) | (uint64_t)_i << 2);
    write_reaches(DEV, PASID, BIT_AT(45), BIT_AT(45));
}
END_TEST

START_TEST(the_pointer_to_a_table_that_is_not_walked_is_ignored)
{
    given_device(&widest);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, peek(entry) | NOWHERE);
    write_reaches(DEV, PASID, BIT_AT(45), BIT_AT(45));
}
END_TEST

START_TEST(a_translation_request_is_answered_with_the_same_address)
{
    given_device(&widest);
    ats_grants(DEV, PASID, 0x12345000, 0x12345000, RW);
    ats_grants(DEV, NO_PASID, 0x12345000, 0x12345000, RW);
    ats_grants_nothing(DEV, PASID, BIT_AT(50));
}
END_TEST

START_TEST(an_answer_never_covers_the_interrupt_range)
{
    given_device(&widest);
    static const uint64_t addrs[] = { 0x1000, 0xfedff000, 0xfef00000,
                                      0xf0000000 };
    for (unsigned i = 0; i < G_N_ELEMENTS(addrs); i++) {
        DmarTranslation t = dma(DMAR_READ, DEV, PASID, addrs[i]);
        ck_assert_int_eq(t.completion, DMAR_SUCCESS);
        uint64_t first = addrs[i] & -t.size, last = first + (t.size - 1);
        ck_assert_msg(last < 0xfee00000 || first > 0xfeefffff,
                      "%lx: the answer holds for %lx..%lx", addrs[i], first,
                      last);
    }
}
END_TEST

START_TEST(an_answer_never_reaches_beyond_the_host)
{
    given_device(&widest);
    uint64_t addr = BIT_AT(46) - PAGE;
    DmarTranslation t = dma(DMAR_READ, DEV, PASID, addr);
    ck_assert_uint_le((addr & -t.size) + (t.size - 1), BIT_AT(46) - 1);
}
END_TEST

static Suite *pass_through(void)
{
    Suite *s = suite_create("pass_through");
    TCase *t = tests_of(s, "pass-through");
    tcase_add_test(t, addresses_come_out_as_they_went_in);
    tcase_add_loop_test(t, addresses_end_where_the_host_ends, 36, 53);
    tcase_add_test(t, addresses_have_48_bits_if_nothing_is_said);
    tcase_add_test(t, pass_through_needs_the_ability);
    tcase_add_test(t, a_request_with_pasid_does_not_become_an_interrupt);
    tcase_add_loop_test(t, the_width_of_a_table_that_is_not_walked_is_ignored, 0,
                        8);
    tcase_add_test(t, the_pointer_to_a_table_that_is_not_walked_is_ignored);
    tcase_add_test(t, a_translation_request_is_answered_with_the_same_address);
    tcase_add_test(t, an_answer_never_covers_the_interrupt_range);
    tcase_add_test(t, an_answer_never_reaches_beyond_the_host);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(pass_through(), argc, argv);
}
