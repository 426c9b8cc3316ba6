/*
 * Fault recording and the fault event [VT-d 7.2, 7.3, 11.4.7].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0508
#define PASID       0x77
#define DOMAIN      5
#define MSI_ADDR    0x1fee00000ull
#define MSI_DATA    0x4031

static Space space;

static void given_device(unsigned records)
{
    DmarConfig config = widest;
    config.fault_records = records;
    given_scalable(&config);
    given_context(DEV);
    space = given_space(DOMAIN, 3);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
}

static void given_fault_event(void)
{
    set_reg32(FEDATA_REG, MSI_DATA);
    set_reg32(FEADDR_REG, (uint32_t)MSI_ADDR);
    set_reg32(FEUADDR_REG, MSI_ADDR >> 32);
    set_reg32(FECTL_REG, 0);
}

static void fault_at(uint64_t addr)
{
    DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, addr);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
}

static bool pending(unsigned n)
{
    return reg(fault_record_at(n) + 8) & FRCD1_F;
}

static void clear_record(unsigned n)
{
    set_reg32(fault_record_at(n) + 12, BIT_AT(31));
}

static unsigned first_index(void)
{
    return field_get(reg32(FSTS_REG), FSTS_FRI);
}

/* ---- What a record says [VT-d 11.4.7.6] ---------------------------------- */

START_TEST(a_record_names_the_request)
{
    given_device(8);
    dma(DMAR_WRITE, DEV, PASID, 0x123456789);
    Fault fault = take_fault();
    ck_assert_uint_eq(fault.reason, FAULT_SS_NOT_PRESENT);
    ck_assert_uint_eq(fault.sid, DEV);
    ck_assert_uint_eq(fault.pasid, PASID);
    ck_assert_uint_eq(fault.addr, 0x123456000);
    ck_assert(fault.with_pasid && !fault.privileged && !fault.execute);
}
END_TEST

START_TEST(rid_pasid_does_not_appear_in_a_record)
{
    given_device(8);
    dma(DMAR_WRITE, DEV, NO_PASID, 0x1000);
    uint64_t high = reg(fault_record_at(0) + 8);
    ck_assert(!(high & FRCD1_PP));
    ck_assert_uint_eq(field_get(high, FRCD1_PV), 0);
    fault_left(FAULT_SS_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(a_unit_without_pasids_records_none)
{
    DmarConfig config = widest;
    config.pasid_bits = 0;
    given_scalable(&config);
    dma(DMAR_WRITE, DEV, PASID, 0x1000);
    uint64_t high = reg(fault_record_at(0) + 8);
    ck_assert_uint_eq(high & (FRCD1_PP | FRCD1_PV), 0);
    fault_left(FAULT_ROOT_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(a_record_tells_the_kind_of_request)
{
    static const struct {
        DmarAccess access;
        unsigned type;
    } kinds[] = {
        { DMAR_WRITE, 0 }, { DMAR_READ, 2 }, { DMAR_READ_ZERO_LENGTH, 2 },
        { DMAR_ATOMIC, 3 },
    };
    given_device(8);
    dma(kinds[_i].access, DEV, PASID, 0x1000);
    ck_assert_uint_eq(take_fault().type, kinds[_i].type);
}
END_TEST

START_TEST(a_record_tells_the_address_type)
{
    given_device(8);
    flip(pasid_entry_at(DEV, PASID), 5);
    ck_assert_int_eq(ats(DEV, PASID, 0x1000).completion, DMAR_COMPLETER_ABORT);
    ck_assert_uint_eq(take_fault().at, DMAR_TRANSLATION_REQUEST);
}
END_TEST

START_TEST(the_address_type_needs_device_tlbs)
{
    given_scalable(&plain);
    ats(DEV, NO_PASID, 0x1000);
    Fault fault = take_fault();
    ck_assert(fault.recorded);
    ck_assert_uint_eq(fault.at, 0);
}
END_TEST

START_TEST(only_the_fault_flag_of_a_record_can_be_written)
{
    given_device(8);
    fault_at(0x5000);
    uint64_t at = fault_record_at(0), low = reg(at), high = reg(at + 8);
    set_reg(at, ~0ull);
    set_reg32(at + 8, ~0u);
    set_reg32(at + 12, (uint32_t)~BIT_AT(31));
    ck_assert_uint_eq(reg(at), low);
    ck_assert_uint_eq(reg(at + 8), high);
    set_reg(at + 8, BIT_AT(63));
    ck_assert_uint_eq(reg(at + 8), high & ~BIT_AT(63));
    no_fault_left();
}
END_TEST

START_TEST(there_are_no_records_beyond_the_last)
{
    given_device(_i);
    for (unsigned n = _i; n < _i + 4u; n++) {
        set_reg(fault_record_at(n), ~0ull);
        set_reg(fault_record_at(n) + 8, ~0ull);
        ck_assert_uint_eq(reg(fault_record_at(n)), 0);
        ck_assert_uint_eq(reg(fault_record_at(n) + 8), 0);
    }
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_NFR), _i - 1);
}
END_TEST

/* ---- Several records [VT-d 7.2.1] ---------------------------------------- */

START_TEST(records_fill_one_after_the_other)
{
    given_device(_i);
    for (int n = 0; n < _i; n++) {
        fault_at(n * PAGE);
        ck_assert(pending(n));
        ck_assert_uint_eq(first_index(), 0);
    }
    for (int n = 0; n < _i; n++) {
        ck_assert_uint_eq(take_fault().addr, n * PAGE);
    }
    ck_assert(!(reg32(FSTS_REG) & FSTS_PPF));
}
END_TEST

START_TEST(a_fault_without_room_is_lost_and_says_so)
{
    given_device(_i);
    for (int n = 0; n <= _i; n++) {
        ck_assert(!(reg32(FSTS_REG) & FSTS_PFO));
        fault_at(n * PAGE);
    }
    ck_assert(reg32(FSTS_REG) & FSTS_PFO);
    ck_assert_uint_eq(reg(fault_record_at(0)), 0);      /* not overwritten */
    for (int n = 0; n < _i; n++) {
        ck_assert_uint_eq(take_fault().addr, n * PAGE);
    }
    set_reg32(FSTS_REG, FSTS_PFO);
}
END_TEST

START_TEST(nothing_is_recorded_while_overflow_stands)
{
    given_device(1);
    fault_at(0);
    fault_at(PAGE);
    clear_record(0);
    fault_at(2 * PAGE);
    ck_assert(!(reg32(FSTS_REG) & FSTS_PPF));
    set_reg32(FSTS_REG, FSTS_PFO);
    fault_at(3 * PAGE);
    ck_assert_uint_eq(take_fault().addr, 3 * PAGE);
}
END_TEST

START_TEST(records_are_used_around_the_end)
{
    given_device(4);
    for (unsigned n = 0; n < 11; n++) {
        fault_at(n * PAGE);
        ck_assert_uint_eq(first_index(), n % 4);
        ck_assert_uint_eq(take_fault().addr, n * PAGE);
    }
}
END_TEST

START_TEST(the_first_record_is_named_until_all_are_clear)
{
    given_device(4);
    fault_at(0);
    fault_at(PAGE);
    clear_record(0);
    ck_assert(reg32(FSTS_REG) & FSTS_PPF);
    clear_record(1);
    ck_assert(!(reg32(FSTS_REG) & FSTS_PPF));
    fault_at(2 * PAGE);
    ck_assert_uint_eq(first_index(), 2);
    fault_left(FAULT_SS_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(records_start_anew_when_nothing_is_remapped)
{
    given_device(4);
    fault_at(0);
    take_fault();
    command_off(GCMD_TE);
    command(GCMD_TE);
    fault_at(PAGE);
    ck_assert_uint_eq(first_index(), 0);
    ck_assert_uint_eq(take_fault().addr, PAGE);
}
END_TEST

START_TEST(records_go_on_while_interrupts_are_remapped)
{
    given_device(4);
    command(GCMD_IRE);
    fault_at(0);
    take_fault();
    command_off(GCMD_TE);
    command(GCMD_TE);
    fault_at(PAGE);
    ck_assert_uint_eq(first_index(), 1);
    take_fault();
    command_off(GCMD_IRE);
    fault_at(2 * PAGE);
    ck_assert_uint_eq(first_index(), 2);
    take_fault();
}
END_TEST

START_TEST(records_start_anew_after_reset)
{
    given_device(4);
    fault_at(0);
    fault_at(PAGE);
    dmar_reset(m.dmar);
    command(GCMD_TE);
    dma(DMAR_WRITE, DEV, NO_PASID, 0);
    ck_assert_uint_eq(first_index(), 0);
    fault_left(FAULT_LEGACY_ROOT_ACCESS, DEV);
}
END_TEST

/* A host makes one large access of many small ones: they fault alike. */
START_TEST(a_fault_that_repeats_the_last_is_recorded_once)
{
    given_device(_i);
    for (unsigned i = 0; i < 100; i++) {
        fault_at(0x5000 + 8 * i);
    }
    ck_assert(!(reg32(FSTS_REG) & FSTS_PFO));
    ck_assert_uint_eq(take_fault().addr, 0x5000);
    no_fault_left();
    fault_at(0x5000);
    ck_assert_uint_eq(take_fault().addr, 0x5000);
}
END_TEST

START_TEST(a_fault_that_differs_in_anything_is_recorded)
{
    given_device(8);
    given_pasid(DEV, PASID + 1, &space);
    given_context(DEV + 1);
    given_pasid(DEV + 1, PASID, &space);
    dma(DMAR_WRITE, DEV, PASID, 0x5000);
    dma(DMAR_READ, DEV, PASID, 0x5000);
    dma(DMAR_READ, DEV, PASID, 0x6000);
    dma(DMAR_READ, DEV, PASID + 1, 0x6000);
    dma(DMAR_READ, DEV + 1, PASID, 0x6000);
    dma(DMAR_READ, DEV + 1, NO_PASID, 0x6000);
    for (unsigned n = 0; n < 6; n++) {
        ck_assert(pending(n));
        take_fault();
    }
    no_fault_left();
}
END_TEST

/* ---- The event [VT-d 7.3, 5.1.6] ----------------------------------------- */

START_TEST(a_fault_sends_a_message)
{
    given_device(8);
    given_fault_event();
    fault_at(0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert(!(reg32(FECTL_REG) & EVENT_CTL_IP));
    take_fault();
}
END_TEST

START_TEST(faults_send_one_message_until_all_are_cleared)
{
    given_device(2);
    given_fault_event();
    fault_at(0);
    message_sent(MSI_ADDR, MSI_DATA);
    fault_at(PAGE);
    fault_at(2 * PAGE);                     /* overflow */
    no_message_left();
    take_fault();
    take_fault();
    set_reg32(FSTS_REG, FSTS_PFO);
    fault_at(3 * PAGE);
    message_sent(MSI_ADDR, MSI_DATA);
    take_fault();
}
END_TEST

START_TEST(overflow_that_stands_alone_keeps_the_event_quiet)
{
    given_device(1);
    given_fault_event();
    fault_at(0);
    message_sent(MSI_ADDR, MSI_DATA);
    fault_at(PAGE);
    take_fault();
    submit((Descriptor) {{ 0 }});           /* a queue error meanwhile */
    no_message_left();
    set_reg32(FSTS_REG, FSTS_PFO);
    queue_stops_with(IQEI_TYPE);
}
END_TEST

START_TEST(a_masked_message_waits_for_the_mask)
{
    given_device(8);
    given_fault_event();
    set_reg32(FECTL_REG, EVENT_CTL_IM);
    fault_at(0);
    no_message_left();
    ck_assert(reg32(FECTL_REG) & EVENT_CTL_IP);
    set_reg32(FECTL_REG, 0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert(!(reg32(FECTL_REG) & EVENT_CTL_IP));
    take_fault();
}
END_TEST

START_TEST(a_masked_message_is_forgotten_when_its_fault_is_cleared)
{
    given_device(8);
    fault_at(0);
    ck_assert(reg32(FECTL_REG) & EVENT_CTL_IP);
    take_fault();
    ck_assert(!(reg32(FECTL_REG) & EVENT_CTL_IP));
    given_fault_event();
    no_message_left();
}
END_TEST

START_TEST(software_cannot_set_a_pending_message)
{
    given_device(8);
    given_fault_event();
    set_reg32(FECTL_REG, EVENT_CTL_IP);
    no_message_left();
    ck_assert_uint_eq(reg32(FECTL_REG), 0);
}
END_TEST

START_TEST(a_queue_error_sends_a_message)
{
    given_device(8);
    given_fault_event();
    submit((Descriptor) {{ 0 }});
    message_sent(MSI_ADDR, MSI_DATA);
    queue_stops_with(IQEI_TYPE);
}
END_TEST

START_TEST(status_bits_that_software_does_not_clear_stay)
{
    given_device(8);
    fault_at(0);
    set_reg32(FSTS_REG, ~0u & ~(FSTS_PFO | FSTS_IQE));
    ck_assert(reg32(FSTS_REG) & FSTS_PPF);      /* follows the records only */
    fault_left(FAULT_SS_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(a_refused_request_is_counted_in_the_descriptor_counts)
{
    uint64_t counts[DMAR_DESCRIPTOR_TYPES];
    given_device(8);
    dmar_descriptor_counts(m.dmar, counts);
    uint64_t before = counts[0];
    fault_at(0);
    take_fault();
    dmar_descriptor_counts(m.dmar, counts);
    ck_assert_uint_eq(counts[0], before + 1);
}
END_TEST

/* ---- What the host is told ------------------------------------------------------- */

START_TEST(the_host_is_told_of_a_fault_and_whether_it_was_recorded)
{
    given_device(1);
    fault_at(0x5000);
    const DmarEvent *e = &m.last_event[DMAR_EVENT_FAULT];
    ck_assert_uint_eq(m.events[DMAR_EVENT_FAULT], 1);
    ck_assert_uint_eq(e->source_id, DEV);
    ck_assert_uint_eq(e->pasid, PASID);
    ck_assert_uint_eq(e->addr, 0x5000);
    ck_assert_uint_eq(e->detail, FAULT_SS_NOT_PRESENT);
    ck_assert_uint_eq(e->value, 1);
    fault_at(0x6000);                           /* overflows */
    ck_assert_uint_eq(m.events[DMAR_EVENT_FAULT], 2);
    ck_assert_uint_eq(e->value, 0);
    take_fault();
    set_reg32(FSTS_REG, FSTS_PFO);
}
END_TEST

START_TEST(the_host_is_told_the_steps_of_a_translation)
{
    given_device(8);
    map(&space, 0x7000, 0x12000, PAGE, RW);
    write_reaches(DEV, PASID, 0x7008, 0x12008);
    const DmarEvent *context = &m.last_event[DMAR_EVENT_CONTEXT];
    ck_assert_uint_eq(m.events[DMAR_EVENT_CONTEXT], 1);
    ck_assert_uint_eq(context->source_id, DEV);
    ck_assert_uint_eq(context->pasid, NO_PASID);
    ck_assert_uint_eq(context->addr, context_entry_at(DEV));
    ck_assert_uint_eq(context->value, peek(context_entry_at(DEV)));
    ck_assert_uint_eq(context->detail, peek(context_entry_at(DEV) + 8));
    ck_assert_uint_eq(m.events[DMAR_EVENT_PASID_ENTRY], 1);
    ck_assert_uint_eq(m.events[DMAR_EVENT_WALK], 3);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_WALK].value, 0x12000 | RW);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_WALK].addr,
                      paging_entry_at(&space, 0x7000, 1));
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_TRANSLATED].addr, 0x7008);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_TRANSLATED].value, 0x12008);
    write_reaches(DEV, PASID, 0x7008, 0x12008);
    ck_assert_uint_eq(m.events[DMAR_EVENT_WALK], 3);    /* from the cache */
    ck_assert_uint_eq(m.events[DMAR_EVENT_TRANSLATED], 2);
}
END_TEST

START_TEST(the_host_is_told_of_a_context_of_legacy_mode)
{
    const DmarEvent *context = &m.last_event[DMAR_EVENT_CONTEXT];
    given_legacy(&widest);
    Space legacy = given_space(DOMAIN, 4);
    map(&legacy, 0x7000, 0x12000, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &legacy);
    write_reaches(DEV, NO_PASID, 0x7008, 0x12008);
    ck_assert_uint_eq(m.events[DMAR_EVENT_CONTEXT], 1);
    ck_assert_uint_eq(context->source_id, DEV);
    ck_assert_uint_eq(context->pasid, NO_PASID);
    ck_assert_uint_eq(context->addr, legacy_context_at(DEV));
    ck_assert_uint_eq(context->value, peek(legacy_context_at(DEV)));
    ck_assert_uint_eq(context->detail, peek(legacy_context_at(DEV) + 8));
}
END_TEST

START_TEST(the_host_is_told_what_the_queue_does)
{
    given_device(8);
    unsigned before = m.events[DMAR_EVENT_DESCRIPTOR];
    submit(wait_fence());
    submit((Descriptor) {{ 0x7f, 1 }});
    ck_assert_uint_eq(m.events[DMAR_EVENT_DESCRIPTOR], before + 2);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_DESCRIPTOR].value, 0x7f);
    ck_assert_uint_eq(m.events[DMAR_EVENT_QUEUE_ERROR], 1);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_QUEUE_ERROR].detail, IQEI_TYPE);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_QUEUE_ERROR].addr,
                      reg(IQH_REG) >> 5);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_QUEUE_ERROR].source_id, 0);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_QUEUE_ERROR].pasid, NO_PASID);
    queue_stops_with(IQEI_TYPE);
}
END_TEST

START_TEST(the_host_is_told_of_commands_and_messages)
{
    power_on(&widest);
    given_fault_event();
    command(GCMD_TE);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_COMMAND].addr, GCMD_TE);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_COMMAND].value, 1);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_REGISTER_WRITE].addr, GCMD_REG);
    dma(DMAR_READ, DEV, NO_PASID, 0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_MSI].addr, MSI_ADDR);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_MSI].value, MSI_DATA);
    fault_left(FAULT_LEGACY_ROOT_ACCESS, DEV);
}
END_TEST

static Suite *faults(void)
{
    Suite *s = suite_create("faults");
    TCase *t = tests_of(s, "record");
    tcase_add_test(t, a_record_names_the_request);
    tcase_add_test(t, rid_pasid_does_not_appear_in_a_record);
    tcase_add_test(t, a_unit_without_pasids_records_none);
    tcase_add_loop_test(t, a_record_tells_the_kind_of_request, 0, 4);
    tcase_add_test(t, a_record_tells_the_address_type);
    tcase_add_test(t, the_address_type_needs_device_tlbs);
    tcase_add_test(t, only_the_fault_flag_of_a_record_can_be_written);
    tcase_add_loop_test(t, there_are_no_records_beyond_the_last, 1, 5);

    t = tests_of(s, "records");
    tcase_add_loop_test(t, records_fill_one_after_the_other, 1, 5);
    tcase_add_loop_test(t, a_fault_without_room_is_lost_and_says_so, 1, 5);
    tcase_add_test(t, nothing_is_recorded_while_overflow_stands);
    tcase_add_test(t, records_are_used_around_the_end);
    tcase_add_test(t, the_first_record_is_named_until_all_are_clear);
    tcase_add_test(t, records_go_on_while_interrupts_are_remapped);
    tcase_add_test(t, records_start_anew_after_reset);
    tcase_add_test(t, records_start_anew_when_nothing_is_remapped);

    tcase_add_loop_test(t, a_fault_that_repeats_the_last_is_recorded_once, 1, 4);
    tcase_add_test(t, a_fault_that_differs_in_anything_is_recorded);

    t = tests_of(s, "event");
    tcase_add_test(t, a_fault_sends_a_message);
    tcase_add_test(t, faults_send_one_message_until_all_are_cleared);
    tcase_add_test(t, overflow_that_stands_alone_keeps_the_event_quiet);
    tcase_add_test(t, a_masked_message_waits_for_the_mask);
    tcase_add_test(t, a_masked_message_is_forgotten_when_its_fault_is_cleared);
    tcase_add_test(t, software_cannot_set_a_pending_message);
    tcase_add_test(t, a_queue_error_sends_a_message);
    tcase_add_test(t, status_bits_that_software_does_not_clear_stay);
    tcase_add_test(t, a_refused_request_is_counted_in_the_descriptor_counts);

    t = tests_of(s, "told");
    tcase_add_test(t, the_host_is_told_of_a_fault_and_whether_it_was_recorded);
    tcase_add_test(t, the_host_is_told_the_steps_of_a_translation);
    tcase_add_test(t, the_host_is_told_of_a_context_of_legacy_mode);
    tcase_add_test(t, the_host_is_told_what_the_queue_does);
    tcase_add_test(t, the_host_is_told_of_commands_and_messages);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(faults(), argc, argv);
}
