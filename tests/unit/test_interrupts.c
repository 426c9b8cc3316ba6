/*
 * Interrupt remapping [VT-d 5.1, 9.9]: messages in both formats, the entry
 * they name, and who may send them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_interrupts.h"

/* ---- Delivery [VT-d 5.1.2] ----------------------------------------------- */

START_TEST(an_entry_says_what_is_delivered)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 0x5a);
    is_delivered(INDEX, VECTOR);
    ck_assert_uint_eq(delivered.destination, 0x5a);
    ck_assert_uint_eq(delivered.delivery_mode, 0);
    ck_assert(!delivered.logical && !delivered.level && !delivered.redirection_hint);
}
END_TEST

START_TEST(every_vector_is_delivered)
{
    given_xapic();
    for (unsigned vector = 0; vector < 256; vector++) {
        given_entry(vector, vector, 1);
        is_delivered(vector, vector);
    }
}
END_TEST

START_TEST(every_delivery_mode_is_told)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX), peek(entry_at(INDEX)) | (uint64_t)_i << 5);
    is_delivered(INDEX, VECTOR);
    ck_assert_uint_eq(delivered.delivery_mode, _i);
}
END_TEST

START_TEST(destination_mode_hint_and_trigger_are_told)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX), peek(entry_at(INDEX)) | (uint64_t)_i << 2);
    is_delivered(INDEX, VECTOR);
    ck_assert_int_eq(delivered.logical, _i & 1);
    ck_assert_int_eq(delivered.redirection_hint, _i >> 1 & 1);
    ck_assert_int_eq(delivered.level, _i >> 2 & 1);
}
END_TEST

START_TEST(x2apic_mode_has_wide_destinations)
{
    given_table(&widest, 7, true);
    given_entry(1, VECTOR, 0x89abcdef);
    is_delivered(1, VECTOR);
    ck_assert_uint_eq(delivered.destination, 0x89abcdef);
}
END_TEST

START_TEST(x2apic_mode_needs_the_ability)
{
    DmarConfig config = widest;
    config.x2apic = false;
    given_table(&config, 7, true);
    poke(entry_at(1), (uint64_t)0x77 << 40 | VECTOR << 16 | 1);
    is_delivered(1, VECTOR);
    ck_assert_uint_eq(delivered.destination, 0x77);
    ck_assert(!(reg(IRTA_REG) & IRTA_EIME));
}
END_TEST

START_TEST(every_index_has_its_own_entry)
{
    static const unsigned indices[] = { 0, 1, 0x7fff, 0x8000, 0x8001, 0xffff };
    given_xapic();
    for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
        given_entry(indices[i], 0x30 + i, 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
        is_delivered(indices[i], 0x30 + i);
    }
}
END_TEST

START_TEST(a_subhandle_is_added_to_the_handle)
{
    given_xapic();
    given_entry(INDEX + 5, VECTOR, 1);
    uint64_t addr = message_addr(INDEX) | BIT_AT(3);
    ck_assert_int_eq(interrupt_at(DEV, addr, 5), DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(delivered.vector, VECTOR);
}
END_TEST

/* However the index is split [VT-d 5.1.5]. */
START_TEST(handle_and_subhandle_make_up_the_index)
{
    given_xapic();
    for (unsigned index = 1; index <= 0x10000; index *= 2) {
        given_entry(index - 1, index % 251, 1);
        for (unsigned sub = 1; sub <= index; sub *= 2) {
            uint64_t addr = message_addr(index - sub) | BIT_AT(3);
            ck_assert_int_eq(interrupt_at(DEV, addr, sub - 1),
                             DMAR_INTERRUPT_REMAPPED);
            ck_assert_uint_eq(delivered.vector, index % 251);
        }
    }
}
END_TEST

START_TEST(the_low_bits_of_an_address_mean_nothing)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    ck_assert_int_eq(interrupt_at(DEV, message_addr(INDEX) | _i, 0),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(delivered.vector, VECTOR);
}
END_TEST

START_TEST(without_a_subhandle_the_data_means_nothing)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    ck_assert_int_eq(interrupt_at(DEV, message_addr(INDEX), 0xffffffff),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(delivered.vector, VECTOR);
}
END_TEST

/* ---- Faults [VT-d 5.1.4.1] ----------------------------------------------- */

START_TEST(reserved_data_bits_beside_a_subhandle_are_refused)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    for (unsigned bit = 16; bit < 32; bit++) {
        blocked(interrupt_at(DEV, message_addr(INDEX) | BIT_AT(3), 1u << bit),
                FAULT_IR_REQUEST_RESERVED);
        fault_left(FAULT_IR_REQUEST_RESERVED, DEV);
    }
}
END_TEST

START_TEST(an_index_beyond_the_table_is_refused)
{
    unsigned entries = 2u << _i;
    given_table(&widest, _i, false);
    given_entry(entries - 1, VECTOR, 1);
    is_delivered(entries - 1, VECTOR);
    if (entries < 0x10000) {
        is_blocked(entries, FAULT_IR_INDEX_BEYOND);
        is_blocked(0xffff, FAULT_IR_INDEX_BEYOND);
    }
}
END_TEST

START_TEST(a_subhandle_may_not_lead_beyond_the_table)
{
    given_xapic();
    blocked(interrupt_at(DEV, message_addr(0xffff) | BIT_AT(3), 1),
            FAULT_IR_INDEX_BEYOND);
    fault_left(FAULT_IR_INDEX_BEYOND, DEV);
}
END_TEST

START_TEST(a_table_beyond_the_host_s_addresses_has_no_index)
{
    given_xapic();
    for (unsigned bit = widest.host_width; bit < 64; bit++) {
        set_reg(IRTA_REG, m.remap_table | BIT_AT(bit) | 15);
        command(GCMD_SIRTP);
        is_blocked(0, FAULT_IR_INDEX_BEYOND);
    }
}
END_TEST

START_TEST(a_table_may_not_lead_beyond_the_host_s_addresses)
{
    given_xapic();
    set_reg(IRTA_REG, (BIT_AT(widest.host_width) - PAGE) | 15);
    command(GCMD_SIRTP);
    is_blocked(255, FAULT_IR_ENTRY_ACCESS);
    is_blocked(256, FAULT_IR_INDEX_BEYOND);
    set_reg(IRTA_REG, -PAGE | 15);              /* ... nor around the end */
    command(GCMD_SIRTP);
    is_blocked(300, FAULT_IR_INDEX_BEYOND);
}
END_TEST

START_TEST(an_absent_entry_may_hold_anything_else)
{
    given_xapic();
    poke(entry_at(INDEX), ~3ull);
    poke(entry_at(INDEX) + 8, ~0ull);
    is_blocked(INDEX, FAULT_IR_ENTRY_NOT_PRESENT);
}
END_TEST

START_TEST(a_table_where_nothing_answers_faults)
{
    given_xapic();
    set_reg(IRTA_REG, NOWHERE | 15);
    command(GCMD_SIRTP);
    is_blocked(INDEX, FAULT_IR_ENTRY_ACCESS);
}
END_TEST

START_TEST(an_entry_that_could_not_be_read_is_read_again)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    fail_access(1);
    is_blocked(INDEX, FAULT_IR_ENTRY_ACCESS);
    fail_access(0);
    is_delivered(INDEX, VECTOR);
}
END_TEST

/* Bit 15 asks for posting and makes the entry another. */
static bool entry_bit_reserved(unsigned bit, bool x2apic)
{
    return (bit >= 12 && bit <= 14) || (bit >= 24 && bit <= 31) ||
        (!x2apic && ((bit >= 32 && bit <= 39) || (bit >= 48 && bit <= 63))) ||
        bit >= 84;
}

START_TEST(every_reserved_bit_of_an_entry_is_checked)
{
    bool x2apic = _i;
    given_table(&widest, 9, x2apic);
    given_entry(INDEX, VECTOR, 1);
    for (unsigned bit = 1; bit < 128; bit++) {
        if (entry_bit_reserved(bit, x2apic)) {
            flip(entry_at(INDEX), bit);
            is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
            flip(entry_at(INDEX), bit);
        }
    }
    is_delivered(INDEX, VECTOR);
}
END_TEST

START_TEST(software_s_own_bits_do_no_harm)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    flip(entry_at(INDEX), _i);
    is_delivered(INDEX, VECTOR);
}
END_TEST

/* What is refused before an entry is there to say so cannot be hidden. */
START_TEST(no_entry_hides_what_does_not_concern_it)
{
    given_table(&widest, 7, false);
    for (unsigned i = 0; i < 256; i++) {
        given_entry(i, VECTOR, 1);
        flip(entry_at(i), 1);
    }
    blocked(interrupt_at(DEV, message_addr(0) | BIT_AT(3), 1 << 16),
            FAULT_IR_REQUEST_RESERVED);
    fault_left(FAULT_IR_REQUEST_RESERVED, DEV);
    is_blocked(256, FAULT_IR_INDEX_BEYOND);
    fail_access(1);
    is_blocked(0, FAULT_IR_ENTRY_ACCESS);
    blocked(interrupt_at(DEV, 0xfee00000, VECTOR), FAULT_IR_COMPATIBILITY_BLOCKED);
    fault_left(FAULT_IR_COMPATIBILITY_BLOCKED, DEV);
}
END_TEST

START_TEST(a_cached_entry_hides_its_faults_by_fpd)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    flip(entry_at(INDEX), 1);
    poke(entry_at(INDEX) + 8, DEV | 1 << 18);
    is_delivered(INDEX, VECTOR);
    blocked(interrupt_at(DEV + 1, message_addr(INDEX), 0),
            FAULT_IR_SOURCE_INVALID);
    no_fault_left();
}
END_TEST

START_TEST(an_entry_hides_its_faults_by_fpd)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    flip(entry_at(INDEX), 1);
    flip(entry_at(INDEX), 12);
    blocked(interrupt(INDEX), FAULT_IR_ENTRY_RESERVED);
    flip(entry_at(INDEX), 12);
    flip(entry_at(INDEX), 0);
    blocked(interrupt(INDEX), FAULT_IR_ENTRY_NOT_PRESENT);
    flip(entry_at(INDEX), 0);
    poke(entry_at(INDEX) + 8, 0x1234 | 1 << 18);
    blocked(interrupt(INDEX), FAULT_IR_SOURCE_INVALID);
    no_fault_left();
}
END_TEST

/* ---- Who may send ------------------------------------------------------------------- */

START_TEST(a_source_is_compared_as_its_qualifier_says)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, DEV | (uint64_t)_i << 16 | 1 << 18);
    is_sent_by(DEV, true);
    for (unsigned bit = 0; bit < 16; bit++) {
        is_sent_by(DEV ^ 1u << bit, ignored[_i] >> bit & 1);
    }
}
END_TEST

START_TEST(a_source_may_be_any_of_a_range_of_buses)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, 0x1020 | 2 << 18);
    is_sent_by(0x0fff, false);
    is_sent_by(0x1000, true);
    is_sent_by(0x18ab, true);
    is_sent_by(0x20ff, true);
    is_sent_by(0x2100, false);
}
END_TEST

START_TEST(a_source_that_is_not_validated_may_be_anyone)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, 0x1234);
    is_sent_by(DEV, true);
    is_sent_by(0xffff, true);
}
END_TEST

START_TEST(the_reserved_validation_is_refused)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, DEV | (uint64_t)_i << 16 | 3 << 18);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
}
END_TEST

START_TEST(the_qualifier_counts_for_exact_sources_only)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, 0x1020 | (uint64_t)_i << 16 | 2 << 18);
    is_sent_by(0x1000, true);
    is_sent_by(0x2100, false);
    poke(entry_at(INDEX + 1), peek(entry_at(INDEX)));
    poke(entry_at(INDEX + 1) + 8, 0x1020 | (uint64_t)_i << 16);
    ck_assert_int_eq(interrupt(INDEX + 1), DMAR_INTERRUPT_REMAPPED);
}
END_TEST

START_TEST(a_range_of_buses_that_ends_before_it_starts_is_empty)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, 0x2010 | 2 << 18);
    for (unsigned bus = 0; bus < 256; bus += 8) {
        is_sent_by(bus << 8, false);
    }
}
END_TEST

/* [VT-d 5.1.4]: first the source, then the rest of the entry. */
START_TEST(a_source_is_judged_before_the_format)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, DEV | 1 << 18);
    flip(entry_at(INDEX), 24);
    is_sent_by(DEV + 1, false);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
}
END_TEST

START_TEST(an_entry_that_refused_its_first_source_is_not_cached)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, (DEV + 1) | 1 << 18);
    is_sent_by(DEV, false);
    poke(entry_at(INDEX) + 8, DEV | 1 << 18);
    is_sent_by(DEV, true);
}
END_TEST

START_TEST(an_entry_with_a_reserved_bit_is_not_cached)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    flip(entry_at(INDEX), 24);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
    flip(entry_at(INDEX), 24);
    is_delivered(INDEX, VECTOR);
}
END_TEST

START_TEST(a_cached_entry_is_validated_too)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, DEV | 1 << 18);
    is_sent_by(DEV, true);
    is_sent_by(DEV + 1, false);
}
END_TEST

START_TEST(a_source_that_is_a_guess_is_not_validated)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX) + 8, (DEV ^ 0xff) | 1 << 18);
    is_sent_by(DEV, false);
    DmarInterruptRequest request = { .source_id = DEV, .size = 4,
                                     .addr = message_addr(INDEX),
                                     .is_write = true, .source_unknown = true };
    ck_assert_int_eq(dmar_remap_interrupt(m.dmar, &request, &delivered),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(delivered.vector, VECTOR);
}
END_TEST

/* ---- Compatibility format [VT-d 5.1.2.1] --------------------------------- */

#define COMPATIBLE  0xfee01000ull

START_TEST(messages_pass_while_remapping_is_off)
{
    power_on(&widest);
    ck_assert_int_eq(interrupt_at(DEV, COMPATIBLE, 0x31), DMAR_INTERRUPT_AS_IS);
    ck_assert_int_eq(interrupt(INDEX), DMAR_INTERRUPT_AS_IS);
}
END_TEST

START_TEST(messages_pass_while_only_dma_is_remapped)
{
    given_scalable(&widest);
    ck_assert_int_eq(interrupt_at(DEV, COMPATIBLE, 0x31), DMAR_INTERRUPT_AS_IS);
    ck_assert_int_eq(interrupt(INDEX), DMAR_INTERRUPT_AS_IS);
}
END_TEST

START_TEST(compatible_messages_pass_only_if_software_says_so)
{
    given_xapic();
    blocked(interrupt_at(DEV, COMPATIBLE, 0x31), FAULT_IR_COMPATIBILITY_BLOCKED);
    fault_left(FAULT_IR_COMPATIBILITY_BLOCKED, DEV);
    command(GCMD_CFI);
    ck_assert_int_eq(interrupt_at(DEV, COMPATIBLE, 0x31), DMAR_INTERRUPT_AS_IS);
    command_off(GCMD_CFI);
    blocked(interrupt_at(DEV, COMPATIBLE, 0x31), FAULT_IR_COMPATIBILITY_BLOCKED);
    fault_left(FAULT_IR_COMPATIBILITY_BLOCKED, DEV);
}
END_TEST

START_TEST(x2apic_mode_has_no_compatible_messages)
{
    given_table(&widest, 9, true);
    command(GCMD_CFI);
    blocked(interrupt_at(DEV, COMPATIBLE, 0x31), FAULT_IR_COMPATIBILITY_BLOCKED);
    fault_left(FAULT_IR_COMPATIBILITY_BLOCKED, DEV);
}
END_TEST

static const struct {
    unsigned size;
    bool is_write;
} no_messages[] = {
    { 0, true }, { 1, true }, { 2, true }, { 3, true }, { 8, true }, { 64, true },
    { 1, false }, { 2, false }, { 4, false }, { 8, false }, { 64, false },
};

static DmarInterruptVerdict no_message(int i)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010,
                                     .size = no_messages[i].size,
                                     .is_write = no_messages[i].is_write };
    return dmar_remap_interrupt(m.dmar, &request, &delivered);
}

START_TEST(what_is_no_message_is_refused)
{
    given_xapic();
    blocked(no_message(_i), FAULT_IR_BAD_ACCESS);
    fault_left(FAULT_IR_BAD_ACCESS, DEV);
}
END_TEST

START_TEST(what_is_no_message_is_refused_while_only_dma_is_remapped)
{
    given_scalable(&widest);
    blocked(no_message(_i), FAULT_IR_BAD_ACCESS);
    fault_left(FAULT_IR_BAD_ACCESS, DEV);
}
END_TEST

START_TEST(what_is_no_message_passes_while_nothing_is_remapped)
{
    power_on(&widest);
    ck_assert_int_eq(no_message(_i), DMAR_INTERRUPT_AS_IS);
}
END_TEST

START_TEST(a_zero_length_read_is_harmless)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010 };
    given_xapic();
    ck_assert_int_ne(dmar_remap_interrupt(m.dmar, &request, &delivered),
                     DMAR_INTERRUPT_BLOCKED);
    no_fault_left();
}
END_TEST

START_TEST(a_unit_without_remapping_lets_messages_pass)
{
    DmarConfig config = widest;
    without_interrupt_remapping(&config);
    power_on(&config);
    set_reg32(GCMD_REG, GCMD_IRE);
    ck_assert(!(reg32(GSTS_REG) & GCMD_IRE));
    set_reg(IRTA_REG, ~0ull);
    ck_assert_uint_eq(reg(IRTA_REG), 0);
    ck_assert_int_eq(interrupt(INDEX), DMAR_INTERRUPT_AS_IS);
}
END_TEST

static Suite *interrupts(void)
{
    Suite *s = suite_create("interrupts");
    TCase *t = tests_of(s, "delivery");
    tcase_add_test(t, an_entry_says_what_is_delivered);
    tcase_add_test(t, every_vector_is_delivered);
    tcase_add_loop_test(t, every_delivery_mode_is_told, 0, 8);
    tcase_add_loop_test(t, destination_mode_hint_and_trigger_are_told, 0, 8);
    tcase_add_test(t, x2apic_mode_has_wide_destinations);
    tcase_add_test(t, x2apic_mode_needs_the_ability);
    tcase_add_test(t, every_index_has_its_own_entry);
    tcase_add_test(t, a_subhandle_is_added_to_the_handle);
    tcase_add_test(t, handle_and_subhandle_make_up_the_index);
    tcase_add_loop_test(t, the_low_bits_of_an_address_mean_nothing, 0, 4);
    tcase_add_test(t, without_a_subhandle_the_data_means_nothing);

    t = tests_of(s, "faults");
    tcase_add_test(t, reserved_data_bits_beside_a_subhandle_are_refused);
    tcase_add_loop_test(t, an_index_beyond_the_table_is_refused, 0, 16);
    tcase_add_test(t, a_subhandle_may_not_lead_beyond_the_table);
    tcase_add_test(t, a_table_beyond_the_host_s_addresses_has_no_index);
    tcase_add_test(t, a_table_may_not_lead_beyond_the_host_s_addresses);
    tcase_add_test(t, an_absent_entry_may_hold_anything_else);
    tcase_add_test(t, a_table_where_nothing_answers_faults);
    tcase_add_test(t, an_entry_that_could_not_be_read_is_read_again);
    tcase_add_loop_test(t, every_reserved_bit_of_an_entry_is_checked, 0, 2);
    tcase_add_loop_test(t, software_s_own_bits_do_no_harm, 8, 12);
    tcase_add_test(t, no_entry_hides_what_does_not_concern_it);
    tcase_add_test(t, an_entry_hides_its_faults_by_fpd);
    tcase_add_test(t, a_cached_entry_hides_its_faults_by_fpd);

    t = tests_of(s, "sources");
    tcase_add_loop_test(t, a_source_is_compared_as_its_qualifier_says, 0, 4);
    tcase_add_test(t, a_source_may_be_any_of_a_range_of_buses);
    tcase_add_test(t, a_source_that_is_not_validated_may_be_anyone);
    tcase_add_test(t, a_source_that_is_a_guess_is_not_validated);
    tcase_add_loop_test(t, the_reserved_validation_is_refused, 0, 4);
    tcase_add_loop_test(t, the_qualifier_counts_for_exact_sources_only, 0, 4);
    tcase_add_test(t, a_range_of_buses_that_ends_before_it_starts_is_empty);
    tcase_add_test(t, a_source_is_judged_before_the_format);
    tcase_add_test(t, an_entry_that_refused_its_first_source_is_not_cached);
    tcase_add_test(t, an_entry_with_a_reserved_bit_is_not_cached);
    tcase_add_test(t, a_cached_entry_is_validated_too);

    t = tests_of(s, "formats");
    tcase_add_test(t, messages_pass_while_remapping_is_off);
    tcase_add_test(t, messages_pass_while_only_dma_is_remapped);
    tcase_add_test(t, compatible_messages_pass_only_if_software_says_so);
    tcase_add_test(t, x2apic_mode_has_no_compatible_messages);
    tcase_add_loop_test(t, what_is_no_message_is_refused, 0,
                        G_N_ELEMENTS(no_messages));
    tcase_add_loop_test(t, what_is_no_message_is_refused_while_only_dma_is_remapped,
                        0, G_N_ELEMENTS(no_messages));
    tcase_add_loop_test(t, what_is_no_message_passes_while_nothing_is_remapped, 0,
                        G_N_ELEMENTS(no_messages));
    tcase_add_test(t, a_zero_length_read_is_harmless);
    tcase_add_test(t, a_unit_without_remapping_lets_messages_pass);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(interrupts(), argc, argv);
}
