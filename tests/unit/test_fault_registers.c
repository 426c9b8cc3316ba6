/*
 * The fault recording registers and the fault event, bit by bit [VT-d 7.2.1,
 * 7.3, 11.4.7]: every field of a record for every kind of request, clearing in
 * any order, and when the event is sent.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#define DEV         0x0508
#define PASID       0x77
#define MSI_ADDR    0x89abcdef12345674ull
#define MSI_DATA    0x4031
#define F           BIT_AT(63)

/* Nothing is in its root table: every request faults (39h). */
static void given_records(unsigned records)
{
    DmarConfig config = widest;
    config.fault_records = records;
    given_scalable(&config);
}

static void fault_at(uint64_t addr)
{
    dma(DMAR_WRITE, DEV, PASID, addr);
}

static bool pending(unsigned n)
{
    return reg(fault_record_at(n) + 8) & F;
}

static void clear_record(unsigned n)
{
    set_reg32(fault_record_at(n) + 12, BIT_AT(31));
}

static unsigned first_index(void)
{
    return field_get(reg32(FSTS_REG), FSTS_FRI);
}

static bool status(uint32_t bit)
{
    return reg32(FSTS_REG) & bit;
}

/* ---- Fields [VT-d 11.4.7.6] ---------------------------------------------- */

typedef struct Kind {
    DmarAddressType type;
    DmarAccess access;
    unsigned t1, t2, at;
    bool reads;
} Kind;

static const Kind kinds[] = {
    { DMAR_UNTRANSLATED, DMAR_WRITE, 0, 0, 0, false },
    { DMAR_UNTRANSLATED, DMAR_READ, 1, 0, 0, true },
    { DMAR_UNTRANSLATED, DMAR_READ_ZERO_LENGTH, 1, 0, 0, true },
    { DMAR_UNTRANSLATED, DMAR_ATOMIC, 1, 1, 0, false },
    { DMAR_TRANSLATION_REQUEST, DMAR_READ, 1, 0, 1, true },
    { DMAR_TRANSLATION_REQUEST, DMAR_WRITE, 1, 0, 1, true },
    { DMAR_TRANSLATED, DMAR_WRITE, 0, 0, 2, false },
    { DMAR_TRANSLATED, DMAR_READ, 1, 0, 2, true },
    { DMAR_TRANSLATED, DMAR_ATOMIC, 1, 1, 2, false },
    { DMAR_PAGE_REQUEST, DMAR_READ, 0, 1, 0, false },
    { DMAR_PAGE_REQUEST, DMAR_WRITE, 0, 1, 0, false },
};
enum { KINDS = G_N_ELEMENTS(kinds) };

static uint64_t high_of(const Kind *k, const DmarRequest *request)
{
    bool with_pasid = request->pasid != NO_PASID;
    uint64_t high = F | (uint64_t)FAULT_ROOT_NOT_PRESENT << 32 | DEV |
        (uint64_t)k->t1 << 62 | (uint64_t)k->t2 << 28 | (uint64_t)k->at << 60;
    if (with_pasid) {
        high |= (uint64_t)request->pasid << 40 | BIT_AT(31);
        high |= request->privileged ? BIT_AT(29) : 0;
        high |= request->execute && k->reads ? BIT_AT(30) : 0;
    }
    return high;
}

START_TEST(every_field_of_a_record_is_the_request_s)
{
    const Kind *k = &kinds[_i / 8];
    DmarRequest request = {
        .source_id = DEV, .pasid = _i & 1 ? PASID : NO_PASID,
        .addr = 0x12345678, .type = k->type, .access = k->access,
        .privileged = _i & 2, .execute = _i & 4,
    };
    given_records(8);
    ask(request);
    ck_assert_uint_eq(reg(fault_record_at(0)), 0x12345000);
    ck_assert_uint_eq(reg(fault_record_at(0) + 8), high_of(k, &request));
    fault_left(FAULT_ROOT_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(every_bit_of_a_source_id_is_recorded)
{
    given_records(8);
    for (unsigned bit = 0; bit < 16; bit++) {
        dma(DMAR_WRITE, 1u << bit, NO_PASID, 0);
        fault_left(FAULT_ROOT_NOT_PRESENT, 1u << bit);
    }
}
END_TEST

START_TEST(every_bit_of_a_pasid_is_recorded)
{
    given_records(8);
    for (unsigned bit = 0; bit <= 20; bit++) {
        uint32_t pasid = (1u << bit) & 0xfffff;         /* at last, none */
        dma(DMAR_WRITE, DEV, pasid, 0);
        Fault fault = take_fault();
        ck_assert(fault.recorded && fault.with_pasid);
        ck_assert_uint_eq(fault.pasid, pasid);
    }
}
END_TEST

/* Those above the widest table are reserved, those below 12 too. */
START_TEST(every_bit_of_an_address_is_recorded)
{
    static const unsigned widths[] = { 39, 48, 57 };
    DmarConfig config = widest;
    config.aw_bits = widths[_i];
    config.host_width = 39;
    config.first_stage_5level = config.first_stage_5level && _i == 2;
    given_scalable(&config);
    for (unsigned bit = 0; bit < 64; bit++) {
        bool kept = bit >= 12 && bit < widths[_i];
        dma(DMAR_WRITE, DEV, NO_PASID, BIT_AT(bit));
        Fault fault = take_fault();
        ck_assert(fault.recorded);
        ck_assert_uint_eq(fault.addr, kept ? BIT_AT(bit) : 0);
    }
}
END_TEST

START_TEST(an_interrupt_s_record_holds_its_index_and_nothing_of_a_dma)
{
    DmarInterruptRequest request = { .source_id = DEV, .size = 4,
                                     .addr = 0xfee00010 | 0x1234 << 5,
                                     .is_write = true };
    DmarInterrupt out;
    given_records(8);
    command(GCMD_IRE);
    dmar_remap_interrupt(m.dmar, &request, &out);
    ck_assert_uint_eq(reg(fault_record_at(0)), 0x1234ull << 48);
    ck_assert_uint_eq(reg(fault_record_at(0) + 8),
                      F | (uint64_t)FAULT_IR_INDEX_BEYOND << 32 | DEV);
    fault_left(FAULT_IR_INDEX_BEYOND, DEV);
}
END_TEST

/* ---- Clearing ------------------------------------------------------------ */

/* The @i-th of the orders of four. */
static void order_of_four(int i, unsigned order[4])
{
    unsigned left[] = { 0, 1, 2, 3 };
    for (int n = 4; n > 0; n--) {
        unsigned pick = i % n;
        i /= n;
        order[4 - n] = left[pick];
        memmove(&left[pick], &left[pick + 1], (3 - pick) * sizeof(left[0]));
    }
}

/* By the dword or the quadword that holds F. */
static void clear_record_by(unsigned n, unsigned size)
{
    uint64_t at = fault_record_at(n);
    if (size == 8) {
        set_reg(at + 8, F);
    } else {
        set_reg32(at + 12, BIT_AT(31));
    }
}

START_TEST(records_may_be_cleared_in_any_order)
{
    unsigned order[4];
    order_of_four(_i / 2, order);
    given_records(4);
    for (unsigned n = 0; n < 4; n++) {
        fault_at((n + 1) * PAGE);
    }
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(status(FSTS_PPF));
        ck_assert_uint_eq(first_index(), 0);
        clear_record_by(order[i], _i % 2 ? 8 : 4);
        for (unsigned k = 0; k < 4; k++) {
            ck_assert_int_eq(pending(order[k]), k > i);
            ck_assert_uint_eq(reg(fault_record_at(order[k])), (order[k] + 1) * PAGE);
        }
    }
    ck_assert(!status(FSTS_PPF));
}
END_TEST

START_TEST(a_record_is_cleared_by_one_and_by_nothing_else)
{
    given_records(4);
    fault_at(PAGE);
    uint64_t at = fault_record_at(0), high = reg(at + 8);
    set_reg(at + 8, ~F);
    set_reg(at + 8, 0);
    set_reg32(at + 12, 0);
    set_reg32(at + 8, ~0u);
    set_reg(at, ~0ull);
    ck_assert_uint_eq(reg(at + 8), high);
    set_reg(at + 8, ~0ull);
    ck_assert_uint_eq(reg(at + 8), high & ~F);
    set_reg(at + 8, ~0ull);                     /* once more: nothing */
    ck_assert_uint_eq(reg(at + 8), high & ~F);
}
END_TEST

START_TEST(clearing_what_is_clear_leaves_the_others)
{
    given_records(4);
    fault_at(PAGE);
    for (unsigned n = 1; n < 4; n++) {
        clear_record(n);
    }
    ck_assert(status(FSTS_PPF));
    fault_left(FAULT_ROOT_NOT_PRESENT, DEV);
}
END_TEST

/* ---- The fault index ----------------------------------------------------- */

START_TEST(a_free_record_behind_the_index_waits_for_its_turn)
{
    given_records(4);
    for (unsigned n = 0; n < 3; n++) {
        fault_at((n + 1) * PAGE);
    }
    clear_record(1);
    clear_record(0);
    static const unsigned next[] = { 3, 0, 1 };
    for (unsigned i = 0; i < 3; i++) {
        fault_at((i + 0x10) * PAGE);
        ck_assert(pending(next[i]));
        ck_assert_uint_eq(reg(fault_record_at(next[i])), (i + 0x10) * PAGE);
        ck_assert_uint_eq(first_index(), 0);    /* of when PPF came up */
    }
    ck_assert(!status(FSTS_PFO));
    fault_at(0x20 * PAGE);                      /* record 2 was never taken */
    ck_assert(status(FSTS_PFO));
    for (unsigned n = 0; n < 4; n++) {
        clear_record(n);
    }
    set_reg32(FSTS_REG, FSTS_PFO);
}
END_TEST

START_TEST(a_pending_record_at_the_index_overflows_though_others_are_free)
{
    given_records(4);
    for (unsigned n = 0; n < 4; n++) {
        fault_at((n + 1) * PAGE);
    }
    clear_record(1);
    clear_record(2);
    clear_record(3);
    fault_at(0x10 * PAGE);
    ck_assert(status(FSTS_PFO));
    ck_assert(!pending(1) && !pending(2) && !pending(3));
    clear_record(0);
    set_reg32(FSTS_REG, FSTS_PFO);
    fault_at(0x11 * PAGE);
    ck_assert_uint_eq(first_index(), 0);
    ck_assert_uint_eq(take_fault().addr, 0x11 * PAGE);
}
END_TEST

START_TEST(recording_goes_on_at_the_index_after_an_overflow)
{
    given_records(4);
    fault_at(PAGE);
    take_fault();
    for (unsigned n = 0; n < 5; n++) {          /* the last is lost */
        fault_at((n + 1) * PAGE);
    }
    ck_assert(status(FSTS_PFO));
    for (unsigned n = 0; n < 4; n++) {
        take_fault();
    }
    set_reg32(FSTS_REG, FSTS_PFO);
    fault_at(0x10 * PAGE);
    ck_assert_uint_eq(first_index(), 1);
    ck_assert_uint_eq(take_fault().addr, 0x10 * PAGE);
}
END_TEST

START_TEST(overflow_does_not_come_back_by_itself)
{
    given_records(1);
    fault_at(PAGE);
    fault_at(2 * PAGE);
    set_reg32(FSTS_REG, FSTS_PFO);
    ck_assert(!status(FSTS_PFO));
    fault_at(3 * PAGE);                         /* the record still stands */
    ck_assert(status(FSTS_PFO));
    take_fault();
    ck_assert(status(FSTS_PFO));
    set_reg32(FSTS_REG, FSTS_PFO);
}
END_TEST

START_TEST(eight_bytes_reach_the_fault_status)
{
    given_records(1);
    fault_at(PAGE);
    fault_at(2 * PAGE);
    set_reg(FSTS_REG - 4, FSTS_PFO);            /* the other half */
    ck_assert(status(FSTS_PFO));
    set_reg(FSTS_REG - 4, FSTS_PFO << 32);
    ck_assert(!status(FSTS_PFO));
    take_fault();
}
END_TEST

/* ---- The event [VT-d 7.3] ------------------------------------------------ */

static void set_message(uint64_t addr, uint32_t data)
{
    set_reg32(FEDATA_REG, data);
    set_reg32(FEADDR_REG, (uint32_t)addr);
    set_reg32(FEUADDR_REG, addr >> 32);
}

static void given_event(unsigned records, bool masked)
{
    given_records(records);
    set_message(MSI_ADDR, MSI_DATA);
    set_reg32(FECTL_REG, masked ? EVENT_CTL_IM : 0);
}

static bool waiting(void)
{
    return reg32(FECTL_REG) & EVENT_CTL_IP;
}

static void queue_error(void)
{
    submit((Descriptor) {{ 0 }});
    ck_assert(status(FSTS_IQE));
}

START_TEST(every_bit_of_a_message_is_sent)
{
    given_event(1, false);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t addr = BIT_AT(bit);
        set_message(addr, 1u << bit % 16);
        fault_at(0);
        message_sent(addr & ~3ull, 1u << bit % 16);
        take_fault();
    }
}
END_TEST

START_TEST(what_stands_keeps_a_queue_error_quiet)
{
    given_event(4, false);
    fault_at(PAGE);
    message_sent(MSI_ADDR, MSI_DATA);
    queue_error();
    no_message_left();
    take_fault();
    ck_assert(!status(FSTS_PPF));
    fault_at(2 * PAGE);                         /* now it is IQE that stands */
    no_message_left();
    set_reg32(FSTS_REG, FSTS_IQE);              /* ... and is met again */
    no_message_left();
    take_fault();
    fault_at(3 * PAGE);
    no_message_left();
    take_fault();
    queue_stops_with(IQEI_TYPE);
    fault_at(4 * PAGE);
    message_sent(MSI_ADDR, MSI_DATA);
    take_fault();
}
END_TEST

START_TEST(a_status_that_is_taken_and_comes_back_sends_another)
{
    given_event(4, false);
    for (unsigned i = 0; i < 20; i++) {
        fault_at(i * PAGE);
        message_sent(MSI_ADDR, MSI_DATA);
        ck_assert(!waiting());
        take_fault();
    }
}
END_TEST

START_TEST(what_comes_while_a_message_waits_adds_none)
{
    given_event(2, true);
    fault_at(PAGE);
    ck_assert(waiting());
    fault_at(2 * PAGE);
    fault_at(3 * PAGE);                         /* overflows */
    queue_error();
    ck_assert(waiting());
    set_reg32(FECTL_REG, 0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert(!waiting());
    set_reg32(FECTL_REG, EVENT_CTL_IM);
    set_reg32(FECTL_REG, 0);
    no_message_left();
    take_fault();
    take_fault();
    set_reg32(FSTS_REG, FSTS_PFO);
    queue_stops_with(IQEI_TYPE);
}
END_TEST

/* Three statuses, taken in each of the six orders. */
START_TEST(a_message_waits_until_every_status_is_taken)
{
    static const uint8_t orders[][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
    };
    given_event(1, true);
    fault_at(PAGE);
    fault_at(2 * PAGE);
    queue_error();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(waiting());
        switch (orders[_i][i]) {
        case 0:
            clear_record(0);
            break;
        case 1:
            set_reg32(FSTS_REG, FSTS_PFO);
            break;
        case 2:
            set_reg32(FSTS_REG, FSTS_IQE);
            write_descriptor(reg(IQH_REG) >> 5, wait_fence());
            set_reg32(FSTS_REG, FSTS_IQE);
            break;
        }
    }
    ck_assert(!waiting());
    set_reg32(FECTL_REG, 0);
    no_message_left();
}
END_TEST

START_TEST(a_message_is_what_the_registers_say_when_it_goes)
{
    given_event(1, true);
    fault_at(PAGE);
    set_message(0x1fee01000, 0x77);
    set_reg32(FECTL_REG, 0);
    message_sent(0x1fee01000, 0x77);
    take_fault();
}
END_TEST

START_TEST(a_mask_that_comes_too_late_changes_nothing)
{
    given_event(1, false);
    fault_at(PAGE);
    set_reg32(FECTL_REG, EVENT_CTL_IM);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert(!waiting());
    take_fault();
    fault_at(2 * PAGE);
    no_message_left();
    ck_assert(waiting());
    take_fault();
}
END_TEST

START_TEST(reset_forgets_a_message_that_waits)
{
    given_event(1, true);
    fault_at(PAGE);
    dmar_reset(m.dmar);
    ck_assert_uint_eq(reg32(FECTL_REG), EVENT_CTL_IM);
    set_reg32(FECTL_REG, 0);
    no_message_left();
}
END_TEST

static Suite *fault_registers(void)
{
    Suite *s = suite_create("fault registers");
    TCase *t = tests_of(s, "fields");
    tcase_add_loop_test(t, every_field_of_a_record_is_the_request_s, 0,
                        KINDS * 8);
    tcase_add_test(t, every_bit_of_a_source_id_is_recorded);
    tcase_add_test(t, every_bit_of_a_pasid_is_recorded);
    tcase_add_loop_test(t, every_bit_of_an_address_is_recorded, 0, 3);
    tcase_add_test(t, an_interrupt_s_record_holds_its_index_and_nothing_of_a_dma);

    t = tests_of(s, "clearing");
    tcase_add_loop_test(t, records_may_be_cleared_in_any_order, 0, 48);
    tcase_add_test(t, a_record_is_cleared_by_one_and_by_nothing_else);
    tcase_add_test(t, clearing_what_is_clear_leaves_the_others);

    t = tests_of(s, "index");
    tcase_add_test(t, a_free_record_behind_the_index_waits_for_its_turn);
    tcase_add_test(t,
                   a_pending_record_at_the_index_overflows_though_others_are_free);
    tcase_add_test(t, recording_goes_on_at_the_index_after_an_overflow);
    tcase_add_test(t, overflow_does_not_come_back_by_itself);
    tcase_add_test(t, eight_bytes_reach_the_fault_status);

    t = tests_of(s, "event");
    tcase_add_test(t, every_bit_of_a_message_is_sent);
    tcase_add_test(t, what_stands_keeps_a_queue_error_quiet);
    tcase_add_test(t, a_status_that_is_taken_and_comes_back_sends_another);
    tcase_add_test(t, what_comes_while_a_message_waits_adds_none);
    tcase_add_loop_test(t, a_message_waits_until_every_status_is_taken, 0, 6);
    tcase_add_test(t, a_message_is_what_the_registers_say_when_it_goes);
    tcase_add_test(t, a_mask_that_comes_too_late_changes_nothing);
    tcase_add_test(t, reset_forgets_a_message_that_waits);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(fault_registers(), argc, argv);
}
