/*
 * Interrupt remapping [VT-d 5.1, 9.9]: messages in both formats, the entry
 * they name, who may send them, and the cache of entries.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0a18
#define INDEX       0x123
#define VECTOR      0x4d

static DmarInterrupt out;

static void given_table(const DmarConfig *config, unsigned order, bool x2apic)
{
    power_on(config);
    given_queue(32);
    unsigned bytes = (2u << order) * 16;
    m.remap_table = new_pages((bytes + PAGE - 1) / PAGE);
    set_reg(IRTA_REG, m.remap_table | (x2apic ? IRTA_EIME : 0) | order);
    command(GCMD_SIRTP);
    execute(interrupt_global());
    command(GCMD_IRE);
}

static uint64_t entry_at(unsigned index)
{
    return m.remap_table + 16 * index;
}

/* A fixed interrupt to the APIC @destination; xAPIC mode keeps 8 bits. */
static void given_entry(unsigned index, uint8_t vector, uint32_t destination)
{
    bool x2apic = reg(IRTA_REG) & IRTA_EIME;
    poke(entry_at(index) + 8, 0);
    poke(entry_at(index), (uint64_t)destination << (x2apic ? 32 : 40) |
         (uint64_t)vector << 16 | 1);
}

static void given_xapic(void)
{
    given_table(&widest, 15, false);
}

static uint64_t message_addr(unsigned index)
{
    return 0xfee00000 | BIT_AT(4) | (uint64_t)(index & 0x7fff) << 5 |
        (uint64_t)(index >> 15) << 2;
}

static DmarInterruptVerdict interrupt_at(uint16_t sid, uint64_t addr, uint32_t data)
{
    DmarInterruptRequest request = { .source_id = sid, .addr = addr,
                                     .data = data, .size = 4,
                                     .is_write = true };
    return dmar_remap_interrupt(m.dmar, &request, &out);
}

static DmarInterruptVerdict interrupt(unsigned index)
{
    return interrupt_at(DEV, message_addr(index), 0);
}

static void is_delivered(unsigned index, uint8_t vector)
{
    ck_assert_int_eq(interrupt(index), DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(out.vector, vector);
}

static void blocked(DmarInterruptVerdict verdict, uint8_t reason)
{
    ck_assert_int_eq(verdict, DMAR_INTERRUPT_BLOCKED);
    ck_assert_uint_eq(out.reason, reason);
}

/* Blocked and recorded with the index it had. */
static void is_blocked(unsigned index, uint8_t reason)
{
    blocked(interrupt(index), reason);
    Fault fault = take_fault();
    ck_assert(fault.recorded);
    ck_assert_uint_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.sid, DEV);
    ck_assert(!fault.with_pasid);
    ck_assert_uint_eq(fault.addr, (uint64_t)index << 48);
}

/* ---- Delivery [VT-d 5.1.2] ----------------------------------------------- */

START_TEST(an_entry_says_what_is_delivered)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 0x5a);
    is_delivered(INDEX, VECTOR);
    ck_assert_uint_eq(out.destination, 0x5a);
    ck_assert_uint_eq(out.delivery_mode, 0);
    ck_assert(!out.logical && !out.level && !out.redirection_hint);
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
    ck_assert_uint_eq(out.delivery_mode, _i);
}
END_TEST

START_TEST(destination_mode_hint_and_trigger_are_told)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX), peek(entry_at(INDEX)) | (uint64_t)_i << 2);
    is_delivered(INDEX, VECTOR);
    ck_assert_int_eq(out.logical, _i & 1);
    ck_assert_int_eq(out.redirection_hint, _i >> 1 & 1);
    ck_assert_int_eq(out.level, _i >> 2 & 1);
}
END_TEST

START_TEST(x2apic_mode_has_wide_destinations)
{
    given_table(&widest, 7, true);
    given_entry(1, VECTOR, 0x89abcdef);
    is_delivered(1, VECTOR);
    ck_assert_uint_eq(out.destination, 0x89abcdef);
}
END_TEST

START_TEST(x2apic_mode_needs_the_ability)
{
    DmarConfig config = widest;
    config.x2apic = false;
    given_table(&config, 7, true);
    poke(entry_at(1), (uint64_t)0x77 << 40 | VECTOR << 16 | 1);
    is_delivered(1, VECTOR);
    ck_assert_uint_eq(out.destination, 0x77);
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
    ck_assert_uint_eq(out.vector, VECTOR);
}
END_TEST

START_TEST(without_a_subhandle_the_data_means_nothing)
{
    given_xapic();
    given_entry(INDEX, VECTOR, 1);
    ck_assert_int_eq(interrupt_at(DEV, message_addr(INDEX), 0xffffffff),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(out.vector, VECTOR);
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

/* Bit 15 asks for posting, which is not reported (CAP.PI). */
static bool entry_bit_reserved(unsigned bit, bool x2apic)
{
    return (bit >= 12 && bit <= 15) || (bit >= 24 && bit <= 31) ||
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

static void is_sent_by(uint16_t sid, bool allowed)
{
    DmarInterruptVerdict verdict = interrupt_at(sid, message_addr(INDEX), 0);
    if (allowed) {
        ck_assert_int_eq(verdict, DMAR_INTERRUPT_REMAPPED);
    } else {
        blocked(verdict, FAULT_IR_SOURCE_INVALID);
        fault_left(FAULT_IR_SOURCE_INVALID, sid);
    }
}

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
    ck_assert_int_eq(dmar_remap_interrupt(m.dmar, &request, &out),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(out.vector, VECTOR);
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

START_TEST(what_is_no_message_is_refused)
{
    static const struct {
        unsigned size;
        bool is_write;
    } bad[] = { { 1, true }, { 2, true }, { 8, true }, { 4, false }, { 64, false } };
    given_xapic();
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010,
                                     .size = bad[_i].size,
                                     .is_write = bad[_i].is_write };
    blocked(dmar_remap_interrupt(m.dmar, &request, &out), FAULT_IR_BAD_ACCESS);
    fault_left(FAULT_IR_BAD_ACCESS, DEV);
}
END_TEST

START_TEST(a_zero_length_read_is_harmless)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010 };
    given_xapic();
    ck_assert_int_ne(dmar_remap_interrupt(m.dmar, &request, &out),
                     DMAR_INTERRUPT_BLOCKED);
    no_fault_left();
}
END_TEST

START_TEST(a_unit_without_remapping_lets_messages_pass)
{
    DmarConfig config = widest;
    config.interrupt_remapping = config.x2apic = false;
    power_on(&config);
    set_reg32(GCMD_REG, GCMD_IRE);
    ck_assert(!(reg32(GSTS_REG) & GCMD_IRE));
    set_reg(IRTA_REG, ~0ull);
    ck_assert_uint_eq(reg(IRTA_REG), 0);
    ck_assert_int_eq(interrupt(INDEX), DMAR_INTERRUPT_AS_IS);
}
END_TEST

/* ---- The cache [VT-d 6.5.2.8, 6.7] --------------------------------------- */

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
    tcase_add_test(t, without_a_subhandle_the_data_means_nothing);

    t = tests_of(s, "faults");
    tcase_add_test(t, reserved_data_bits_beside_a_subhandle_are_refused);
    tcase_add_loop_test(t, an_index_beyond_the_table_is_refused, 0, 16);
    tcase_add_test(t, a_subhandle_may_not_lead_beyond_the_table);
    tcase_add_test(t, an_absent_entry_may_hold_anything_else);
    tcase_add_test(t, a_table_where_nothing_answers_faults);
    tcase_add_test(t, an_entry_that_could_not_be_read_is_read_again);
    tcase_add_loop_test(t, every_reserved_bit_of_an_entry_is_checked, 0, 2);
    tcase_add_loop_test(t, software_s_own_bits_do_no_harm, 8, 12);
    tcase_add_test(t, an_entry_hides_its_faults_by_fpd);

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
    tcase_add_loop_test(t, what_is_no_message_is_refused, 0, 5);
    tcase_add_test(t, a_zero_length_read_is_harmless);
    tcase_add_test(t, a_unit_without_remapping_lets_messages_pass);

    t = tests_of(s, "cache");
    tcase_add_loop_test(t, a_changed_entry_is_seen_after_invalidation, 0, 2);
    tcase_add_loop_test(t, an_index_mask_drops_exactly_its_entries, 0, 7);
    tcase_add_test(t, what_becomes_present_is_seen_at_once);
    tcase_add_test(t, the_table_changes_only_by_command);
    tcase_add_test(t, the_host_is_told_which_entries_were_dropped);
    tcase_add_test(t, the_host_is_told_when_remapping_is_switched);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(interrupts(), argc, argv);
}
