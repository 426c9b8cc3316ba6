/*
 * Interrupt posting [VT-d 5.2, 9.10, 9.11]: what is recorded in a descriptor
 * and when its reader is notified, what is refused, and what happens when
 * others write the descriptor at the same time.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_interrupts.h"

#include <string.h>

#define NV          0xe2
#define NDST        0x5a
#define ON          BIT_AT(0)
#define SN          BIT_AT(1)
#define URG         BIT_AT(14)
#define FPD         BIT_AT(1)
#define CONTROL     32              /* where the word of control is */

static uint64_t descriptor;

static void given_posting(bool x2apic)
{
    given_table(&widest, 9, x2apic);
    descriptor = new_page() + 0x340;
    poke(descriptor + CONTROL, (uint64_t)NDST << (x2apic ? 32 : 40) | NV << 16);
}

static void given_posted_at(unsigned index, uint8_t vector, uint64_t flags,
                            uint64_t addr)
{
    poke(entry_at(index) + 8, addr >> 32 << 32);
    poke(entry_at(index), addr << 32 | (uint64_t)vector << 16 | BIT_AT(15) |
         flags | 1);
}

static void given_posted(unsigned index, uint8_t vector, uint64_t flags)
{
    given_posted_at(index, vector, flags, descriptor);
}

static bool requested(uint8_t vector)
{
    return peek(descriptor + vector / 64 * 8) >> vector % 64 & 1;
}

static void set_control(uint64_t bits)
{
    uint64_t kept = peek(descriptor + CONTROL) & ~(ON | SN);
    poke(descriptor + CONTROL, kept | bits);
}

static bool outstanding(void)
{
    return peek(descriptor + CONTROL) & ON;
}

/* Posted, and the reader told in the one way that there is. */
static void notifies(unsigned index, uint8_t vector, uint32_t destination)
{
    ck_assert_int_eq(interrupt(index), DMAR_INTERRUPT_NOTIFY);
    ck_assert_uint_eq(delivered.vector, vector);
    ck_assert_uint_eq(delivered.destination, destination);
    ck_assert_uint_eq(delivered.delivery_mode, 0);
    ck_assert(!delivered.logical && !delivered.level);
    ck_assert(!delivered.redirection_hint);
    ck_assert_uint_eq(delivered.reason, 0);
    ck_assert(outstanding());
}

static void posts_silently(unsigned index)
{
    static const DmarInterrupt nothing;
    ck_assert_int_eq(interrupt(index), DMAR_INTERRUPT_POSTED);
    ck_assert_mem_eq(&delivered, &nothing, sizeof(nothing));
}

/* ---- Posting [VT-d 5.2.3] ------------------------------------------------ */

START_TEST(an_interrupt_is_recorded_and_its_reader_notified)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    notifies(INDEX, NV, NDST);
    ck_assert(requested(VECTOR));
}
END_TEST

START_TEST(every_vector_has_its_bit_and_nothing_else_changes)
{
    uint64_t before[24], after[24];
    given_posting(false);
    for (unsigned vector = 0; vector < 256; vector++) {
        given_posted(vector, vector, 0);
        for (unsigned i = 0; i < 24; i++) {
            before[i] = peek(descriptor - 64 + i * 8);
        }
        notifies(vector, NV, NDST);
        before[8 + vector / 64] |= BIT_AT(vector % 64);
        before[12] |= ON;
        for (unsigned i = 0; i < 24; i++) {
            after[i] = peek(descriptor - 64 + i * 8);
        }
        ck_assert_mem_eq(before, after, sizeof(before));
        set_control(0);
    }
}
END_TEST

START_TEST(a_request_that_stands_is_posted_again)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    notifies(INDEX, NV, NDST);
    set_control(0);
    notifies(INDEX, NV, NDST);
    ck_assert(requested(VECTOR));
}
END_TEST

/* The eight cases of X = ((ON == 0) & (URG | (SN == 0))). */
START_TEST(a_notification_depends_on_what_stands_and_on_urgency)
{
    static const struct {
        uint64_t control, urgent;
        bool due;
    } cases[] = {
        { 0, 0, true },       { 0, URG, true },
        { SN, 0, false },     { SN, URG, true },
        { ON, 0, false },     { ON, URG, false },
        { ON | SN, 0, false }, { ON | SN, URG, false },
    };
    given_posting(false);
    given_posted(INDEX, VECTOR, cases[_i].urgent);
    set_control(cases[_i].control);
    uint64_t control = peek(descriptor + CONTROL);
    if (cases[_i].due) {
        notifies(INDEX, NV, NDST);
        control |= ON;
    } else {
        posts_silently(INDEX);
    }
    ck_assert(requested(VECTOR));
    ck_assert_uint_eq(peek(descriptor + CONTROL), control);
}
END_TEST

START_TEST(readers_are_notified_once_until_they_clear_it)
{
    given_posting(false);
    for (unsigned i = 0; i < 8; i++) {
        given_posted(i, 0x20 * i, 0);
    }
    notifies(0, NV, NDST);
    for (unsigned i = 1; i < 7; i++) {
        posts_silently(i);
        ck_assert(requested(0x20 * i));
    }
    set_control(0);
    notifies(7, NV, NDST);
}
END_TEST

START_TEST(a_descriptor_names_the_notification_s_vector)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    for (unsigned nv = 0; nv < 256; nv++) {
        poke(descriptor + CONTROL, (uint64_t)NDST << 40 | nv << 16);
        notifies(INDEX, nv, NDST);
    }
}
END_TEST

START_TEST(a_descriptor_names_the_notification_s_destination)
{
    bool x2apic = _i;
    given_posting(x2apic);
    given_posted(INDEX, VECTOR, 0);
    for (unsigned bit = 0; bit < (x2apic ? 32 : 8); bit++) {
        poke(descriptor + CONTROL, BIT_AT(bit + (x2apic ? 32 : 40)) | NV << 16);
        notifies(INDEX, NV, 1u << bit);
    }
}
END_TEST

START_TEST(a_descriptor_may_be_in_any_cache_line)
{
    given_posting(false);
    uint64_t page = descriptor & ~0xfffull, control = peek(descriptor + CONTROL);
    poke(descriptor + CONTROL, 0);
    for (unsigned i = 0; i < PAGE / 64; i++) {
        descriptor = page + i * 64;
        poke(descriptor + CONTROL, control);
        given_posted(i, VECTOR, 0);
        notifies(i, NV, NDST);
        ck_assert(requested(VECTOR));
    }
}
END_TEST

START_TEST(several_entries_may_share_a_descriptor)
{
    given_posting(false);
    given_posted(1, 0x31, 0);
    given_posted(2, 0x32, 0);
    given_posted(3, 0x31, URG);
    notifies(1, NV, NDST);
    posts_silently(2);
    posts_silently(3);
    ck_assert_uint_eq(peek(descriptor), 3ull << 0x31);
}
END_TEST

START_TEST(posted_and_remapped_entries_live_side_by_side)
{
    given_posting(false);
    given_posted(1, 0x31, 0);
    given_entry(2, 0x32, 1);
    notifies(1, NV, NDST);
    is_delivered(2, 0x32);
    ck_assert(!requested(0x32));
}
END_TEST

START_TEST(the_host_is_told_what_was_posted)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    notifies(INDEX, NV, NDST);
    posts_silently(INDEX);
    ck_assert_uint_eq(m.events[DMAR_EVENT_POSTED], 2);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_POSTED].addr, descriptor);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_POSTED].value, VECTOR);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_POSTED].detail, 0);
}
END_TEST

/* ---- What is refused [VT-d 5.1.4.1] -------------------------------------- */

static void nothing_is_posted(void)
{
    ck_assert(!requested(VECTOR));
    ck_assert(!outstanding());
}

/* A unit with 46-bit addresses. */
static bool entry_bit_reserved(unsigned bit)
{
    return (bit >= 2 && bit <= 7) || bit == 12 || bit == 13 ||
        (bit >= 24 && bit <= 37) || (bit >= 84 && bit <= 95) || bit >= 110;
}

START_TEST(every_reserved_bit_of_a_posted_entry_is_checked)
{
    given_posting(_i);
    given_posted(INDEX, VECTOR, 0);
    for (unsigned bit = 0; bit < 128; bit++) {
        if (entry_bit_reserved(bit)) {
            flip(entry_at(INDEX), bit);
            is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
            nothing_is_posted();
            flip(entry_at(INDEX), bit);
        }
    }
    notifies(INDEX, NV, NDST);
}
END_TEST

START_TEST(software_s_own_bits_do_no_harm)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, BIT_AT(_i));
    notifies(INDEX, NV, NDST);
}
END_TEST

START_TEST(posting_needs_the_ability)
{
    DmarConfig config = widest;
    config.posted_interrupts = false;
    given_table(&config, 9, false);
    given_entry(INDEX, VECTOR, 1);
    poke(entry_at(INDEX), peek(entry_at(INDEX)) | (uint64_t)_i << 14);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
}
END_TEST

START_TEST(a_remapped_interrupt_is_never_urgent)
{
    given_posting(false);
    given_entry(INDEX, VECTOR, 1);
    flip(entry_at(INDEX), 14);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
}
END_TEST

static bool descriptor_bit_reserved(unsigned bit, bool x2apic)
{
    return (bit >= 258 && bit <= 271) || (bit >= 280 && bit <= 287) ||
        (!x2apic && ((bit >= 288 && bit <= 295) || (bit >= 304 && bit <= 319))) ||
        bit >= 320;
}

START_TEST(every_reserved_bit_of_a_descriptor_is_checked)
{
    bool x2apic = _i;
    given_posting(x2apic);
    given_posted(INDEX, VECTOR, 0);
    for (unsigned bit = 0; bit < 512; bit++) {
        if (descriptor_bit_reserved(bit, x2apic)) {
            flip(descriptor, bit);
            is_blocked(INDEX, FAULT_IR_POSTED_RESERVED);
            nothing_is_posted();
            flip(descriptor, bit);
        }
    }
    notifies(INDEX, NV, NDST);
}
END_TEST

START_TEST(a_descriptor_s_other_bits_may_be_anything)
{
    bool x2apic = _i;
    given_posting(x2apic);
    given_posted(INDEX, VECTOR, 0);
    for (unsigned bit = 0; bit < 512; bit++) {
        if (!descriptor_bit_reserved(bit, x2apic)) {
            flip(descriptor, bit);
            ck_assert_int_ne(interrupt(INDEX), DMAR_INTERRUPT_BLOCKED);
        }
    }
}
END_TEST

START_TEST(a_descriptor_where_nothing_answers_faults)
{
    given_posting(false);
    given_posted_at(INDEX, VECTOR, 0, NOWHERE);
    is_blocked(INDEX, FAULT_IR_POSTED_ACCESS);
}
END_TEST

START_TEST(a_descriptor_s_address_is_not_cut)
{
    given_posting(false);
    for (unsigned bit = 32; bit < widest.host_width; bit++) {
        given_posted_at(INDEX, VECTOR, 0, descriptor | BIT_AT(bit));
        is_blocked(INDEX, FAULT_IR_POSTED_ACCESS);
        nothing_is_posted();
    }
}
END_TEST

/* The entry, the descriptor, the bit, the word of control. */
START_TEST(whatever_cannot_be_accessed_is_told)
{
    uint8_t reason = _i == 1 ? FAULT_IR_ENTRY_ACCESS : FAULT_IR_POSTED_ACCESS;
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    fail_access(_i);
    is_blocked(INDEX, reason);
    ck_assert(!outstanding());
    fail_access(0);
    notifies(INDEX, NV, NDST);
    ck_assert_uint_eq(m.accesses, 4);       /* and so nothing was cached */
}
END_TEST

START_TEST(an_entry_hides_its_descriptor_s_faults_by_fpd)
{
    given_posting(false);
    given_posted_at(1, VECTOR, FPD, NOWHERE);
    blocked(interrupt(1), FAULT_IR_POSTED_ACCESS);
    given_posted(2, VECTOR, FPD);
    flip(descriptor, 511);
    blocked(interrupt(2), FAULT_IR_POSTED_RESERVED);
    given_posted(3, VECTOR, FPD | BIT_AT(2));
    blocked(interrupt(3), FAULT_IR_ENTRY_RESERVED);
    no_fault_left();
}
END_TEST

START_TEST(a_posted_interrupt_s_source_is_validated)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    poke(entry_at(INDEX) + 8, peek(entry_at(INDEX) + 8) | 1 << 18 | (DEV + 1));
    is_blocked(INDEX, FAULT_IR_SOURCE_INVALID);
    nothing_is_posted();
    poke(entry_at(INDEX) + 8, peek(entry_at(INDEX) + 8) ^ 1);
    notifies(INDEX, NV, NDST);
}
END_TEST

START_TEST(a_posted_entry_has_no_reserved_validation)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    poke(entry_at(INDEX) + 8, 3 << 18 | DEV);
    is_blocked(INDEX, FAULT_IR_ENTRY_RESERVED);
    nothing_is_posted();
}
END_TEST

/* ---- Caching [VT-d 6.4] -------------------------------------------------- */

START_TEST(a_posted_entry_stays_until_it_is_invalidated)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    notifies(INDEX, NV, NDST);
    given_posted(INDEX, VECTOR + 1, 0);
    set_control(SN);
    posts_silently(INDEX);
    ck_assert(!requested(VECTOR + 1));
    given_entry(INDEX, VECTOR, 1);
    posts_silently(INDEX);
    execute(interrupt_index(INDEX, 0));
    is_delivered(INDEX, VECTOR);
    given_posted(INDEX, VECTOR + 1, URG);
    is_delivered(INDEX, VECTOR);
    execute(interrupt_global());
    notifies(INDEX, NV, NDST);
    ck_assert(requested(VECTOR + 1));
}
END_TEST

START_TEST(a_descriptor_is_read_anew_for_every_interrupt)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    notifies(INDEX, NV, NDST);
    poke(descriptor + CONTROL, 0x11ull << 40 | 0x77 << 16);
    notifies(INDEX, 0x77, 0x11);
    flip(descriptor, 511);
    is_blocked(INDEX, FAULT_IR_POSTED_RESERVED);
}
END_TEST

START_TEST(an_entry_whose_descriptor_faulted_is_not_cached)
{
    given_posting(false);
    given_posted_at(INDEX, VECTOR, 0, NOWHERE);
    is_blocked(INDEX, FAULT_IR_POSTED_ACCESS);
    given_posted(INDEX, VECTOR, 0);
    flip(descriptor, 511);
    is_blocked(INDEX, FAULT_IR_POSTED_RESERVED);
    flip(descriptor, 511);
    given_posted(INDEX, VECTOR + 1, 0);
    notifies(INDEX, NV, NDST);
    ck_assert(requested(VECTOR + 1) && !requested(VECTOR));
}
END_TEST

/* ---- Others write the descriptor, too ------------------------------------ */

START_TEST(a_bit_is_set_beside_those_that_others_set)
{
    given_posting(false);
    given_posted(INDEX, 0, 0);
    m.lose_exchanges = _i;
    m.intruding_bits = 0xf0;
    notifies(INDEX, NV, NDST);
    ck_assert_uint_eq(m.lose_exchanges, 0);
    ck_assert_uint_eq(peek(descriptor), _i % 2 ? 0xf1 : 1);
}
END_TEST

static uint64_t rival_control;      /* what the rival makes of the control */

/* Only the word of control is fought for. */
static uint64_t rival(uint64_t addr, uint64_t found)
{
    if (addr != descriptor + CONTROL) {
        m.lose_exchanges++;
        return found;
    }
    return rival_control;
}

static void given_rival(uint64_t control)
{
    given_posted(INDEX, VECTOR, 0);
    m.intruder = rival;
    m.lose_exchanges = 1;
    rival_control = (uint64_t)NDST << 40 | NV << 16 | control;
}

START_TEST(a_rival_that_notifies_first_is_enough)
{
    given_posting(false);
    given_rival(ON);
    posts_silently(INDEX);
    ck_assert(requested(VECTOR) && outstanding());
}
END_TEST

START_TEST(a_reader_that_takes_the_notification_meanwhile_gets_another)
{
    given_posting(false);
    set_control(ON);
    given_rival(0);
    notifies(INDEX, NV, NDST);
    ck_assert(requested(VECTOR));
}
END_TEST

START_TEST(a_reader_that_wants_silence_meanwhile_gets_it)
{
    given_posting(false);
    given_rival(SN);
    posts_silently(INDEX);
    ck_assert_uint_eq(peek(descriptor + CONTROL), rival_control);
}
END_TEST

START_TEST(a_reader_that_moves_meanwhile_is_notified_where_it_is)
{
    given_posting(false);
    given_rival(0);
    rival_control = 0x33ull << 40 | 0x44 << 16;
    notifies(INDEX, 0x44, 0x33);
}
END_TEST

START_TEST(a_descriptor_that_is_spoilt_meanwhile_faults)
{
    given_posting(false);
    given_rival(BIT_AT(2));
    is_blocked(INDEX, FAULT_IR_POSTED_RESERVED);
    ck_assert(!outstanding());
}
END_TEST

/* A reader takes everything there is: first ON, then the requests. */
static uint64_t harvest(uint64_t addr, uint64_t found)
{
    set_control(0);
    poke(descriptor + VECTOR / 64 * 8, 0);
    return peek(addr);
}

/* Whenever it comes: what it did not take, it is notified of. */
START_TEST(no_request_is_left_without_a_notification)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    set_control(_i & 1 ? ON : 0);
    poke(descriptor + VECTOR / 64 * 8, _i & 2 ? 1 : 0);
    m.intruder = harvest;
    m.lose_exchanges = _i >> 2;
    ck_assert_int_ne(interrupt(INDEX), DMAR_INTERRUPT_BLOCKED);
    ck_assert(!requested(VECTOR) || outstanding());
}
END_TEST

static uint64_t wear_down(uint64_t addr, uint64_t found)
{
    bool control = addr == descriptor + CONTROL;
    m.lose_exchanges++;
    return found ^ (control ? BIT_AT(16) : BIT_AT(63));
}

static uint64_t wear_down_control(uint64_t addr, uint64_t found)
{
    m.lose_exchanges++;
    return found ^ (addr == descriptor + CONTROL ? BIT_AT(16) : 0);
}

START_TEST(a_fight_that_never_ends_is_given_up)
{
    given_posting(false);
    given_posted(INDEX, VECTOR, 0);
    m.intruder = _i ? wear_down_control : wear_down;
    m.lose_exchanges = 1;
    is_blocked(INDEX, FAULT_IR_POSTED_ACCESS);
    ck_assert(!outstanding());
    m.lose_exchanges = 0;
    notifies(INDEX, peek(descriptor + CONTROL) >> 16 & 0xff, NDST);
}
END_TEST

static Suite *posting(void)
{
    Suite *s = suite_create("posting");
    TCase *t = tests_of(s, "posting");
    tcase_add_test(t, an_interrupt_is_recorded_and_its_reader_notified);
    tcase_add_test(t, every_vector_has_its_bit_and_nothing_else_changes);
    tcase_add_test(t, a_request_that_stands_is_posted_again);
    tcase_add_loop_test(t, a_notification_depends_on_what_stands_and_on_urgency,
                        0, 8);
    tcase_add_test(t, readers_are_notified_once_until_they_clear_it);
    tcase_add_test(t, a_descriptor_names_the_notification_s_vector);
    tcase_add_loop_test(t, a_descriptor_names_the_notification_s_destination, 0,
                        2);
    tcase_add_test(t, a_descriptor_may_be_in_any_cache_line);
    tcase_add_test(t, several_entries_may_share_a_descriptor);
    tcase_add_test(t, posted_and_remapped_entries_live_side_by_side);
    tcase_add_test(t, the_host_is_told_what_was_posted);

    t = tests_of(s, "refused");
    tcase_add_loop_test(t, every_reserved_bit_of_a_posted_entry_is_checked, 0, 2);
    tcase_add_loop_test(t, software_s_own_bits_do_no_harm, 8, 12);
    tcase_add_loop_test(t, posting_needs_the_ability, 1, 4);
    tcase_add_test(t, a_remapped_interrupt_is_never_urgent);
    tcase_add_loop_test(t, every_reserved_bit_of_a_descriptor_is_checked, 0, 2);
    tcase_add_loop_test(t, a_descriptor_s_other_bits_may_be_anything, 0, 2);
    tcase_add_test(t, a_descriptor_where_nothing_answers_faults);
    tcase_add_test(t, a_descriptor_s_address_is_not_cut);
    tcase_add_loop_test(t, whatever_cannot_be_accessed_is_told, 1, 5);
    tcase_add_test(t, an_entry_hides_its_descriptor_s_faults_by_fpd);
    tcase_add_test(t, a_posted_interrupt_s_source_is_validated);
    tcase_add_test(t, a_posted_entry_has_no_reserved_validation);

    t = tests_of(s, "cache");
    tcase_add_test(t, a_posted_entry_stays_until_it_is_invalidated);
    tcase_add_test(t, a_descriptor_is_read_anew_for_every_interrupt);
    tcase_add_test(t, an_entry_whose_descriptor_faulted_is_not_cached);

    t = tests_of(s, "rivals");
    tcase_add_loop_test(t, a_bit_is_set_beside_those_that_others_set, 0, 100);
    tcase_add_test(t, a_rival_that_notifies_first_is_enough);
    tcase_add_test(t, a_reader_that_takes_the_notification_meanwhile_gets_another);
    tcase_add_test(t, a_reader_that_wants_silence_meanwhile_gets_it);
    tcase_add_test(t, a_reader_that_moves_meanwhile_is_notified_where_it_is);
    tcase_add_test(t, a_descriptor_that_is_spoilt_meanwhile_faults);
    tcase_add_loop_test(t, no_request_is_left_without_a_notification, 0, 24);
    tcase_add_loop_test(t, a_fight_that_never_ends_is_given_up, 0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(posting(), argc, argv);
}
