/*
 * Device-TLB invalidations that take their time [VT-d 4.3, 6.5.2.11, 6.5.2.12]:
 * ITags, waits and fences, answers that are wrong, and time-outs.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0608
#define OTHER_DEV   0x0710
#define PASID       0x31
#define MSI_ADDR    0xfee01000ull
#define MSI_DATA    0x0052
#define IVT         0x4000ull

static uint64_t status;             /* a page for waits to write to */

/* Devices answer when the test says so. */
static void given_slow_devices(void)
{
    given_scalable(&widest);
    status = new_page();
    m.device_tlb_silent = true;
}

static Descriptor wait_for(unsigned n)
{
    return wait_status(status + 4 * n, n + 1);
}

static Descriptor fenced(Descriptor d)
{
    d.word[0] |= BIT_AT(6);
    return d;
}

static bool has_completed(unsigned n)
{
    return peek32(status + 4 * n) == n + 1;
}

static void answer(uint16_t sid, unsigned itag)
{
    dmar_device_tlb_completed(m.dmar, sid, 1u << itag, 1);
}

static unsigned last_itag(void)
{
    ck_assert_uint_gt(m.device_tlbs, 0);
    return m.device_tlb_itag[m.device_tlbs - 1];
}

/* The ITag that it is sent with. */
static unsigned invalidate(uint16_t sid)
{
    unsigned sent = m.device_tlbs;
    submit(device_tlb(sid, IVT, false));
    ck_assert_uint_eq(m.device_tlbs, sent + 1);
    return last_itag();
}

static void given_fault_event(void)
{
    set_reg32(FEDATA_REG, MSI_DATA);
    set_reg32(FEADDR_REG, MSI_ADDR);
    set_reg32(FECTL_REG, 0);
}

static unsigned error_source(uint64_t field)
{
    return field_get(reg(IQERCD_REG), field);
}

/* Claim: this error stands, of this device; it is cleared. */
static void error_left(uint32_t bit, uint64_t field, uint16_t sid)
{
    ck_assert_uint_eq(reg32(FSTS_REG) & 0xff, bit);
    ck_assert_uint_eq(error_source(field), sid);
    set_reg32(FSTS_REG, bit);
    ck_assert_uint_eq(reg32(FSTS_REG) & bit, 0);
}

/* ---- Waits and fences [VT-d 6.5.2.12] ------------------------------------ */

START_TEST(a_wait_completes_when_the_device_has_answered)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    executed();                     /* fetched, that is */
    ck_assert(!has_completed(0));
    answer(DEV, itag);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_pasid_based_invalidation_takes_its_time_too)
{
    given_slow_devices();
    submit(p_device_tlb(DEV, PASID, IVT, false));
    submit(wait_for(0));
    ck_assert(!has_completed(0));
    answer(DEV, last_itag());
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_wait_needs_every_answer_since_the_wait_before)
{
    given_slow_devices();
    unsigned itag[2] = { invalidate(DEV), invalidate(OTHER_DEV) };
    const uint16_t sid[2] = { DEV, OTHER_DEV };
    submit(wait_for(0));
    answer(sid[_i], itag[_i]);
    ck_assert(!has_completed(0));
    answer(sid[!_i], itag[!_i]);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_wait_does_not_need_what_comes_after_it)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    unsigned later = invalidate(OTHER_DEV);
    answer(DEV, itag);
    ck_assert(has_completed(0));
    submit(wait_for(1));
    ck_assert(!has_completed(1));
    answer(OTHER_DEV, later);
    ck_assert(has_completed(1));
}
END_TEST

START_TEST(without_a_fence_later_descriptors_are_executed)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    execute(iotlb_global());
    execute(wait_for(1));
    ck_assert(has_completed(1));
    ck_assert(!has_completed(0));
    answer(DEV, itag);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_wait_may_complete_before_one_ahead_of_it)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    unsigned later = invalidate(OTHER_DEV);
    submit(wait_for(1));
    answer(OTHER_DEV, later);
    ck_assert(has_completed(1));
    ck_assert(!has_completed(0));
    answer(DEV, itag);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_fence_keeps_back_what_follows)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(fenced(wait_for(0)));
    uint64_t head = reg(IQH_REG);
    ck_assert_uint_eq(head, reg(IQT_REG));
    submit(wait_for(1));
    submit(device_tlb(OTHER_DEV, IVT, false));
    ck_assert_uint_eq(reg(IQH_REG), head);
    ck_assert(!has_completed(1));
    ck_assert_uint_eq(m.device_tlbs, 1);
    answer(DEV, itag);
    executed();
    ck_assert(has_completed(0) && has_completed(1));
    ck_assert_uint_eq(m.device_tlbs, 2);
}
END_TEST

START_TEST(a_fence_keeps_nothing_back_that_it_need_not)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    answer(DEV, itag);
    execute(fenced(wait_for(1)));
    execute(wait_for(2));
    ck_assert(has_completed(1) && has_completed(2));
}
END_TEST

/* [VT-d 7.10]: all that is ahead of it, not what is since the last wait. */
START_TEST(a_fence_waits_for_the_waits_ahead_of_it)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    unsigned later = _i ? invalidate(OTHER_DEV) : 0;
    submit(fenced(wait_for(1)));
    submit(wait_for(2));
    if (_i) {
        answer(OTHER_DEV, later);
    }
    ck_assert(!has_completed(0) && !has_completed(1) && !has_completed(2));
    answer(DEV, itag);
    executed();
    ck_assert(has_completed(0) && has_completed(1) && has_completed(2));
}
END_TEST

START_TEST(a_completion_interrupt_comes_with_the_answer)
{
    given_slow_devices();
    set_reg32(IEDATA_REG, MSI_DATA);
    set_reg32(IEADDR_REG, MSI_ADDR);
    set_reg32(IECTL_REG, 0);
    unsigned itag = invalidate(DEV);
    submit(wait_interrupt());
    no_message_left();
    ck_assert_uint_eq(reg32(ICS_REG), 0);
    answer(DEV, itag);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(reg32(ICS_REG), ICS_IWC);
}
END_TEST

START_TEST(other_invalidations_need_no_answer)
{
    given_slow_devices();
    invalidate(DEV);
    execute(wait_for(0));           /* the request is of its group */
    execute(context_global());
    execute(pasid_cache_global());
    execute(iotlb_global());
    execute(interrupt_global());
    execute(wait_for(1));
    ck_assert(has_completed(1));
}
END_TEST

/* ---- ITags [VT-d 4.3] ---------------------------------------------------- */

/* All ITags are in use, by DEV. */
static void given_no_free_itag(void)
{
    uint32_t seen = 0;
    given_slow_devices();
    for (unsigned i = 0; i < DMAR_ITAGS; i++) {
        unsigned itag = invalidate(DEV);
        ck_assert(!(seen & 1u << itag));
        seen |= 1u << itag;
    }
    ck_assert_uint_eq(seen, UINT32_MAX);
}

START_TEST(an_invalidation_waits_for_a_free_itag)
{
    given_no_free_itag();
    uint64_t head = reg(IQH_REG);
    submit(_i ? p_device_tlb(OTHER_DEV, PASID, IVT, false)
              : device_tlb(OTHER_DEV, IVT, false));
    submit(wait_for(0));
    ck_assert_uint_eq(reg(IQH_REG), head);
    ck_assert_uint_eq(m.device_tlbs, DMAR_ITAGS);
    answer(DEV, 17);
    executed();
    ck_assert_uint_eq(m.device_tlbs, DMAR_ITAGS + 1);
    ck_assert_uint_eq(last_itag(), 17);
    ck_assert_uint_eq(m.device_tlb[DMAR_ITAGS].source_id, OTHER_DEV);
}
END_TEST

START_TEST(what_needs_no_itag_does_not_wait_for_one)
{
    given_no_free_itag();
    execute(iotlb_global());
    execute(wait_for(0));
    ck_assert(!has_completed(0));
    dmar_device_tlb_completed(m.dmar, DEV, UINT32_MAX, 1);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(an_invalidation_that_is_done_at_once_needs_no_itag_for_long)
{
    given_slow_devices();
    m.device_tlb_silent = false;
    for (unsigned i = 0; i < 2 * DMAR_ITAGS - 1; i++) {
        execute(device_tlb(DEV, IVT, false));
    }
    execute(wait_for(0));
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(one_answer_may_be_for_several_itags)
{
    given_slow_devices();
    unsigned a = invalidate(DEV), b = invalidate(DEV), c = invalidate(DEV);
    submit(wait_for(0));
    dmar_device_tlb_completed(m.dmar, DEV, 1u << a | 1u << c, 1);
    ck_assert(!has_completed(0));
    answer(DEV, b);
    ck_assert(has_completed(0));
}
END_TEST

/* 0 stands for 8. */
START_TEST(an_invalidation_is_complete_with_as_many_answers_as_they_say)
{
    unsigned count = _i ? _i : 8;
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    for (unsigned i = 0; i < count; i++) {
        ck_assert(!has_completed(0));
        dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, _i);
    }
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(answers_that_disagree_on_their_number_complete_nothing)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 2);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 1);
    ck_assert(!has_completed(0));
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 3);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(an_itag_that_is_used_again_counts_anew)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 2);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 2);
    ck_assert_uint_eq(invalidate(OTHER_DEV), itag);
    submit(wait_for(0));
    dmar_device_tlb_completed(m.dmar, OTHER_DEV, 1u << itag, 2);
    ck_assert(!has_completed(0));
    dmar_device_tlb_completed(m.dmar, OTHER_DEV, 1u << itag, 2);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(there_is_room_for_so_many_waits)
{
    given_slow_devices();
    for (unsigned i = 0; i < DMAR_MOST_WAITS; i++) {
        invalidate(DEV);
        submit(wait_for(i));
    }
    uint64_t head = reg(IQH_REG);
    ck_assert_uint_eq(head, reg(IQT_REG));
    submit(wait_for(DMAR_MOST_WAITS));
    ck_assert_uint_eq(reg(IQH_REG), head);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << 5, 1);
    executed();
    ck_assert(has_completed(5) && has_completed(DMAR_MOST_WAITS));
    ck_assert(!has_completed(4) && !has_completed(6));
    dmar_device_tlb_completed(m.dmar, DEV, ~(1u << 5), 1);
    for (unsigned i = 0; i < DMAR_MOST_WAITS; i++) {
        ck_assert(has_completed(i));
    }
}
END_TEST

/* ---- Answers that are wrong [VT-d 4.3, 6.5.2.11] ------------------------- */

START_TEST(an_answer_that_nobody_waits_for_is_an_error)
{
    given_slow_devices();
    given_fault_event();
    unsigned itag = invalidate(DEV);
    answer(_i == 1 ? OTHER_DEV : DEV, _i == 0 ? itag + 1 : itag);
    if (_i == 2) {
        no_message_left();
        answer(DEV, itag);          /* a second time */
    }
    message_sent(MSI_ADDR, MSI_DATA);
    error_left(FSTS_ICE, IQERCD_ICESID, _i == 1 ? OTHER_DEV : DEV);
}
END_TEST

START_TEST(a_wrong_answer_does_not_stop_the_queue)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    answer(OTHER_DEV, itag);
    execute(wait_for(1));
    ck_assert(has_completed(1) && !has_completed(0));
    answer(DEV, itag);
    ck_assert(has_completed(0));
    error_left(FSTS_ICE, IQERCD_ICESID, OTHER_DEV);
}
END_TEST

START_TEST(valid_itags_of_an_answer_count_whatever_the_others_are)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    dmar_device_tlb_completed(m.dmar, DEV, UINT32_MAX, 1);
    ck_assert(has_completed(0));
    ck_assert_uint_eq(invalidate(DEV), itag);
    error_left(FSTS_ICE, IQERCD_ICESID, DEV);
}
END_TEST

START_TEST(the_first_wrong_answer_is_told)
{
    given_slow_devices();
    answer(OTHER_DEV, 0);
    answer(DEV, 0);
    error_left(FSTS_ICE, IQERCD_ICESID, OTHER_DEV);
    answer(DEV, 0);
    error_left(FSTS_ICE, IQERCD_ICESID, DEV);
}
END_TEST

START_TEST(with_translation_off_an_answer_is_not_heard)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    command_off(GCMD_TE);
    answer(DEV, itag);
    answer(OTHER_DEV, itag);
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
    ck_assert(!has_completed(0));
    command(GCMD_TE);
    answer(DEV, itag);
    ck_assert(has_completed(0));
}
END_TEST

/* ---- Time-outs [VT-d 6.5.2.11] ------------------------------------------- */

START_TEST(a_time_out_is_told_and_stops_the_queue)
{
    given_slow_devices();
    given_fault_event();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    uint64_t head = reg(IQH_REG);
    dmar_device_tlb_timed_out(m.dmar, itag);
    message_sent(MSI_ADDR, MSI_DATA);
    submit(wait_for(1));
    ck_assert_uint_eq(reg(IQH_REG), head);
    ck_assert(!has_completed(1));
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    executed();
    ck_assert(has_completed(1));
    ck_assert(!has_completed(0));
    no_message_left();
}
END_TEST

START_TEST(a_time_out_aborts_every_wait)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    unsigned later = invalidate(OTHER_DEV);
    submit(fenced(wait_for(1)));
    submit(wait_for(2));
    dmar_device_tlb_timed_out(m.dmar, itag);
    answer(OTHER_DEV, later);
    ck_assert(!has_completed(0) && !has_completed(1) && !has_completed(2));
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    executed();
    ck_assert(!has_completed(0) && !has_completed(1));
    ck_assert(has_completed(2));
}
END_TEST

START_TEST(answers_count_while_the_error_stands)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV), other = invalidate(OTHER_DEV);
    dmar_device_tlb_timed_out(m.dmar, itag);
    submit(wait_for(0));
    ck_assert(!has_completed(0));
    answer(OTHER_DEV, other);
    ck_assert_uint_eq(reg32(FSTS_REG) & 0xff, FSTS_ITE);
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(an_invalidation_that_did_not_time_out_is_waited_for)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV), other = invalidate(OTHER_DEV);
    dmar_device_tlb_timed_out(m.dmar, itag);
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    submit(wait_for(0));
    ck_assert(!has_completed(0));
    answer(OTHER_DEV, other);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_late_answer_is_a_wrong_one)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    dmar_device_tlb_timed_out(m.dmar, itag);
    answer(DEV, itag);
    ck_assert_uint_eq(reg32(FSTS_REG) & 0xff, FSTS_ITE | FSTS_ICE);
    ck_assert_uint_eq(error_source(IQERCD_ICESID), DEV);
    ck_assert_uint_eq(error_source(IQERCD_ITESID), DEV);
    set_reg32(FSTS_REG, FSTS_ICE);
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    ck_assert_uint_eq(invalidate(DEV), itag);
}
END_TEST

START_TEST(the_first_time_out_is_told)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV), other = invalidate(OTHER_DEV);
    dmar_device_tlb_timed_out(m.dmar, other);
    dmar_device_tlb_timed_out(m.dmar, itag);
    error_left(FSTS_ITE, IQERCD_ITESID, OTHER_DEV);
    ck_assert_uint_eq(invalidate(DEV), itag);
    ck_assert_uint_eq(invalidate(DEV), other);
}
END_TEST

START_TEST(an_itag_that_is_not_in_use_cannot_time_out)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    answer(DEV, itag);
    dmar_device_tlb_timed_out(m.dmar, itag);
    dmar_device_tlb_timed_out(m.dmar, DMAR_ITAGS);
    dmar_device_tlb_timed_out(m.dmar, UINT_MAX);
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
}
END_TEST

START_TEST(a_time_out_while_an_invalidation_waits_for_an_itag)
{
    given_no_free_itag();
    submit(device_tlb(OTHER_DEV, IVT, false));
    uint64_t head = reg(IQH_REG);
    dmar_device_tlb_timed_out(m.dmar, 3);
    ck_assert_uint_eq(reg(IQH_REG), head);
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    executed();
    ck_assert_uint_eq(last_itag(), 3);
}
END_TEST

/* As a driver does: invalidate again, once the wait was aborted. */
START_TEST(after_a_time_out_an_invalidation_may_be_tried_again)
{
    given_slow_devices();
    submit(device_tlb(DEV, IVT, false));
    submit(wait_for(0));
    dmar_device_tlb_timed_out(m.dmar, last_itag());
    error_left(FSTS_ITE, IQERCD_ITESID, DEV);
    m.device_tlb_silent = false;
    execute(device_tlb(DEV, IVT, false));
    execute(wait_for(0));
    ck_assert(has_completed(0));
}
END_TEST

/* ---- Errors, switching off, reset, migration ------------------------------- */

START_TEST(a_bad_descriptor_lets_waits_ahead_of_it_complete)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(wait_for(0));
    submit((Descriptor) {{ 0 }});
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    answer(DEV, itag);
    ck_assert(has_completed(0));
    queue_stops_with(IQEI_TYPE);
    executed();
}
END_TEST

START_TEST(a_queue_that_is_switched_off_forgets_its_waits)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(fenced(wait_for(0)));
    command_off(GCMD_QIE);
    set_reg(IQT_REG, 0);
    command(GCMD_QIE);
    execute(wait_for(1));
    ck_assert(has_completed(1));
    answer(DEV, itag);
    ck_assert(!has_completed(0));
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
}
END_TEST

START_TEST(a_queue_that_is_off_is_not_run_by_an_answer)
{
    given_no_free_itag();
    submit(device_tlb(OTHER_DEV, IVT, false));
    command_off(GCMD_QIE);
    answer(DEV, 0);
    ck_assert_uint_eq(m.device_tlbs, DMAR_ITAGS);
    ck_assert_uint_eq(reg(IQH_REG), 0);
}
END_TEST

START_TEST(reset_forgets_what_is_in_flight)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV);
    submit(fenced(wait_for(0)));
    dmar_reset(m.dmar);
    dmar_device_tlb_timed_out(m.dmar, itag);
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
    given_queue(32);
    set_root(m.root, TTM_SCALABLE);
    execute(wait_for(1));
    ck_assert_uint_eq(invalidate(DEV), itag);
}
END_TEST

static DmarState state;

static bool migrate(void)
{
    power_on(&widest);
    return dmar_load(m.dmar, &state, NULL);
}

START_TEST(what_is_in_flight_migrates)
{
    given_slow_devices();
    unsigned itag = invalidate(DEV), other = invalidate(OTHER_DEV);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 2);
    submit(wait_for(0));
    dmar_save(m.dmar, &state);
    ck_assert(migrate());
    ck_assert_uint_ne(invalidate(DEV), itag);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << itag, 2);
    ck_assert(!has_completed(0));
    answer(OTHER_DEV, other);
    ck_assert(has_completed(0));
}
END_TEST

START_TEST(a_state_with_more_waits_than_there_can_be_is_refused)
{
    given_slow_devices();
    dmar_save(m.dmar, &state);
    state.in_flight.waits = DMAR_MOST_WAITS + 1;
    ck_assert(!migrate());
    state.in_flight.waits = 0;
    ck_assert(migrate());
}
END_TEST

static Suite *in_flight(void)
{
    Suite *s = suite_create("in flight");
    TCase *t = tests_of(s, "waits and fences");
    tcase_add_test(t, a_wait_completes_when_the_device_has_answered);
    tcase_add_test(t, a_pasid_based_invalidation_takes_its_time_too);
    tcase_add_loop_test(t, a_wait_needs_every_answer_since_the_wait_before,
                        0, 2);
    tcase_add_test(t, a_wait_does_not_need_what_comes_after_it);
    tcase_add_test(t, without_a_fence_later_descriptors_are_executed);
    tcase_add_test(t, a_wait_may_complete_before_one_ahead_of_it);
    tcase_add_test(t, a_fence_keeps_back_what_follows);
    tcase_add_test(t, a_fence_keeps_nothing_back_that_it_need_not);
    tcase_add_loop_test(t, a_fence_waits_for_the_waits_ahead_of_it, 0, 2);
    tcase_add_test(t, a_completion_interrupt_comes_with_the_answer);
    tcase_add_test(t, other_invalidations_need_no_answer);

    t = tests_of(s, "ITags");
    tcase_add_loop_test(t, an_invalidation_waits_for_a_free_itag, 0, 2);
    tcase_add_test(t, what_needs_no_itag_does_not_wait_for_one);
    tcase_add_test(t,
        an_invalidation_that_is_done_at_once_needs_no_itag_for_long);
    tcase_add_test(t, one_answer_may_be_for_several_itags);
    tcase_add_loop_test(t,
        an_invalidation_is_complete_with_as_many_answers_as_they_say, 0, 8);
    tcase_add_test(t, answers_that_disagree_on_their_number_complete_nothing);
    tcase_add_test(t, an_itag_that_is_used_again_counts_anew);
    tcase_add_test(t, there_is_room_for_so_many_waits);

    t = tests_of(s, "wrong answers");
    tcase_add_loop_test(t, an_answer_that_nobody_waits_for_is_an_error, 0, 3);
    tcase_add_test(t, a_wrong_answer_does_not_stop_the_queue);
    tcase_add_test(t, valid_itags_of_an_answer_count_whatever_the_others_are);
    tcase_add_test(t, the_first_wrong_answer_is_told);
    tcase_add_test(t, with_translation_off_an_answer_is_not_heard);

    t = tests_of(s, "time-outs");
    tcase_add_test(t, a_time_out_is_told_and_stops_the_queue);
    tcase_add_test(t, a_time_out_aborts_every_wait);
    tcase_add_test(t, answers_count_while_the_error_stands);
    tcase_add_test(t, an_invalidation_that_did_not_time_out_is_waited_for);
    tcase_add_test(t, a_late_answer_is_a_wrong_one);
    tcase_add_test(t, the_first_time_out_is_told);
    tcase_add_test(t, an_itag_that_is_not_in_use_cannot_time_out);
    tcase_add_test(t, a_time_out_while_an_invalidation_waits_for_an_itag);
    tcase_add_test(t, after_a_time_out_an_invalidation_may_be_tried_again);

    t = tests_of(s, "ends");
    tcase_add_test(t, a_bad_descriptor_lets_waits_ahead_of_it_complete);
    tcase_add_test(t, a_queue_that_is_switched_off_forgets_its_waits);
    tcase_add_test(t, a_queue_that_is_off_is_not_run_by_an_answer);
    tcase_add_test(t, reset_forgets_what_is_in_flight);
    tcase_add_test(t, what_is_in_flight_migrates);
    tcase_add_test(t, a_state_with_more_waits_than_there_can_be_is_refused);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(in_flight(), argc, argv);
}
