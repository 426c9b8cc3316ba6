/*
 * Handles: what was answered is answered again, and no longer than the IOTLB
 * might.  The history, model and thread suites go through handles as well.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "counters.h"
#include "fixture_claims.h"

#define DEV     0x0310
#define DOMAIN  7
#define PASID   0x123
#define IOVA    0x5000000ull
#define OLD     0x33333000ull
#define NEW     0x44444000ull
#define SLOTS   65536ull            /* pages that share none, at most */

static Space space;

static void given_device_of(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, OLD, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    m.by_handle = true;
}

static void given_device(void)
{
    given_device_of(&widest);
}

START_TEST(what_was_answered_is_answered_without_looking)
{
    uint32_t pasid = _i ? PASID : NO_PASID;
    given_device();
    write_reaches(DEV, pasid, IOVA + 8, OLD + 8);
    m.accesses = 0;
    unsigned events = m.events[DMAR_EVENT_TRANSLATED];
    for (unsigned i = 0; i < 10; i++) {
        both_reach(DEV, pasid, IOVA + 16 * i, OLD + 16 * i);
    }
    ck_assert_uint_eq(m.accesses, 0);
    ck_assert_uint_eq(m.events[DMAR_EVENT_TRANSLATED], events);
}
END_TEST

static unsigned answered_by_engine(void)
{
    return m.events[DMAR_EVENT_TRANSLATED];
}

static void read_pages(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        read_reaches(DEV, PASID, IOVA + i * PAGE, OLD + i * PAGE);
    }
}

static unsigned rows;
static DmarPasidStats seen;

static void see_row(const DmarPasidStats *row, void *data)
{
    rows++;
    seen = *row;
}

/* Read again and again, they find room; the IOTLB might not have had it.  What
 * slots have counted is not lost when they make room, or move. */
START_TEST(a_handle_grows_with_what_is_in_use)
{
    given_device();
    for (uint64_t i = 1; i < 5000; i++) {
        map(&space, IOVA + i * PAGE, OLD + i * PAGE, PAGE, RW);
    }
    for (unsigned round = 0; round < 8; round++) {
        read_pages(5000);
    }
    unsigned before = answered_by_engine();
    read_pages(5000);
    ck_assert_uint_eq(answered_by_engine(), before);
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(seen.translations, 9 * 5000);
}
END_TEST

/* Two pages of one slot, which answer a few times before they make room. */
START_TEST(what_makes_room_was_counted)
{
    given_device();
    map(&space, IOVA + SLOTS * PAGE, NEW, PAGE, RW);
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned n = 0; n < 5; n++) {
            read_reaches(DEV, PASID, IOVA, OLD);
        }
        read_reaches(DEV, PASID, IOVA + SLOTS * PAGE, NEW);
        if (_i) {
            execute(iotlb_domain(DOMAIN));
        }
    }
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(seen.translations, 10 * 6);
}
END_TEST

/* A table grows by pages that all want one slot, while others are void. */
START_TEST(what_is_void_was_counted)
{
    given_device();
    for (uint64_t i = 0; i < 50; i++) {
        map(&space, IOVA + i * PAGE, OLD + i * PAGE, PAGE, RW);
        map(&space, IOVA + i * SLOTS * PAGE, OLD, PAGE, RW);
    }
    for (uint64_t i = 0; i < 2 * 50; i++) {
        read_reaches(DEV, PASID, IOVA + i / 2 * PAGE, OLD + i / 2 * PAGE);
    }
    execute(iotlb_domain(DOMAIN));
    for (uint64_t i = 0; i < 50; i++) {
        read_reaches(DEV, PASID, IOVA + i * SLOTS * PAGE, OLD);
    }
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(seen.translations, 3 * 50);
}
END_TEST

/* One page of each, at the same address. */
START_TEST(pasids_of_one_slot_do_not_mix)
{
    given_device();
    Space of[200];
    for (unsigned i = 0; i < 200; i++) {
        of[i] = given_space(DOMAIN + 1 + i, 4);
        map(&of[i], IOVA, NEW + i * PAGE, PAGE, RW);
        given_pasid(DEV, PASID + 1 + i, &of[i]);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++) {
            both_reach(DEV, PASID + 1 + i, IOVA, NEW + i * PAGE);
        }
    }
}
END_TEST

/* A piece of 2 MiB at a time. */
START_TEST(a_large_page_is_answered_as_a_whole)
{
    given_device();
    map(&space, HUGE, 2 * HUGE, _i ? HUGE : LARGE, RW);
    read_reaches(DEV, PASID, HUGE + 5 * PAGE, 2 * HUGE + 5 * PAGE);
    unsigned before = answered_by_engine();
    for (uint64_t at = 0; at < LARGE; at += PAGE) {
        both_reach(DEV, PASID, HUGE + at + 7, 2 * HUGE + at + 7);
    }
    ck_assert_uint_eq(answered_by_engine(), before);
}
END_TEST

static DmarPlace place(DmarAccess access, uint64_t addr)
{
    return dmar_handle_place(the_handle(), DEV, PASID, addr, access);
}

START_TEST(a_place_is_known_when_it_was_answered)
{
    given_device();
    ck_assert_uint_eq(place(DMAR_READ, IOVA).bytes, 0);
    ck_assert_uint_eq(answered_by_engine(), 0);
    write_reaches(DEV, PASID, IOVA, OLD);
    for (unsigned write = 0; write < 2; write++) {
        DmarPlace known = place(write ? DMAR_WRITE : DMAR_READ, IOVA + 0x123);
        ck_assert_uint_eq(known.addr, OLD + 0x123);
        ck_assert_uint_eq(known.bytes, PAGE - 0x123);
    }
    ck_assert_uint_eq(place(DMAR_ATOMIC, IOVA).bytes, 0);
    ck_assert_uint_eq(place(DMAR_READ, IOVA + PAGE).bytes, 0);
    execute(iotlb_domain(DOMAIN));
    ck_assert_uint_eq(place(DMAR_READ, IOVA).bytes, 0);
}
END_TEST

START_TEST(a_place_is_known_for_what_may_be_done_there)
{
    given_device();
    map(&space, IOVA, OLD, PAGE, 1);
    read_reaches(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(place(DMAR_READ, IOVA).addr, OLD);
    ck_assert_uint_eq(place(DMAR_WRITE, IOVA).bytes, 0);
}
END_TEST

START_TEST(a_place_of_a_large_page_ends_with_its_piece)
{
    given_device();
    map(&space, HUGE, 2 * HUGE, HUGE, RW);
    read_reaches(DEV, PASID, HUGE + LARGE, 2 * HUGE + LARGE);
    DmarPlace known = place(DMAR_WRITE, HUGE + LARGE + 0x5678);
    ck_assert_uint_eq(known.addr, 2 * HUGE + LARGE + 0x5678);
    ck_assert_uint_eq(known.bytes, LARGE - 0x5678);
}
END_TEST

START_TEST(what_is_answered_again_is_counted)
{
    given_device();
    for (unsigned i = 0; i < 10; i++) {
        write_reaches(DEV, _i ? PASID : NO_PASID, IOVA, OLD);
    }
    rows = 0;
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(rows, 1);
    ck_assert_uint_eq(seen.pasid, _i ? PASID : RID_PASID);
    ck_assert_int_eq(seen.with_pasid, _i);
    ck_assert_uint_eq(seen.translations, 10);
    ck_assert_uint_eq(seen.walks, 1);
}
END_TEST

/* ---- Threads --------------------------------------------------------------- */

enum { MOST_THREADS = 100, READS = 1000 };

static unsigned running, refused;

/* All of them are there at the same time: more than have numbers. */
static gpointer read_all_the_time(gpointer number)
{
    __atomic_sub_fetch(&running, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
        g_thread_yield();
    }
    for (unsigned i = 0; i < READS; i++) {
        DmarTranslation t = dma(DMAR_READ, DEV, PASID, IOVA + i);
        if (t.completion != DMAR_SUCCESS || t.addr != OLD + i) {
            __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
        }
    }
    return number;
}

static void run_threads(unsigned count)
{
    GThread *threads[MOST_THREADS];
    running = count;
    for (unsigned i = 0; i < count; i++) {
        threads[i] = g_thread_new("read", read_all_the_time, NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        g_thread_join(threads[i]);
    }
}

START_TEST(what_each_thread_is_answered_is_counted)
{
    static const unsigned counts[] = { 1, 2, 63, 64, MOST_THREADS };
    given_device();
    uint64_t expected = 0;
    for (unsigned round = 0; round < 3; round++) {
        run_threads(counts[_i]);
        expected += counts[_i] * READS;
        rows = 0;
        dmar_foreach_pasid(m.dmar, see_row, NULL);
        ck_assert_uint_eq(rows, 1);
        ck_assert_uint_eq(seen.translations, expected);
        ck_assert_uint_eq(seen.walks, 1);
    }
    ck_assert_uint_eq(refused, 0);
    drop_handles();
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(seen.translations, expected);
}
END_TEST

static DmarPasidStats row_of_source[2];

static void see_row_of_source(const DmarPasidStats *row, void *data)
{
    row_of_source[row->source_id != DEV] = *row;
}

/* Whose page it was is who is counted. */
START_TEST(answers_are_counted_for_the_source_id_that_was_given_them)
{
    given_device();
    given_context(DEV + 0x100);
    given_rid(DEV + 0x100, &space);
    map(&space, IOVA + PAGE, NEW, PAGE, RW);
    for (unsigned i = 0; i < 4; i++) {
        read_reaches(DEV, NO_PASID, IOVA, OLD);
        for (unsigned n = 0; n < 3; n++) {
            read_reaches(DEV + 0x100, NO_PASID, IOVA + PAGE, NEW);
        }
    }
    dmar_foreach_pasid(m.dmar, see_row_of_source, NULL);
    ck_assert_uint_eq(row_of_source[0].translations, 4);
    ck_assert_uint_eq(row_of_source[1].translations, 12);
}
END_TEST

START_TEST(a_reset_leaves_nothing_to_be_counted)
{
    given_device();
    both_reach(DEV, NO_PASID, IOVA, OLD);
    dmar_reset(m.dmar);
    rows = 0;
    dmar_foreach_pasid(m.dmar, see_row, NULL);
    ck_assert_uint_eq(rows, 0);
}
END_TEST

/* Everything by which the IOTLB may forget the page. */
static Descriptor order(unsigned i)
{
    switch (i) {
    case 0: return iotlb_global();
    case 1: return iotlb_domain(DOMAIN);
    case 2: return iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES);
    case 3: return iotlb_page(DOMAIN, IOVA + PAGE, 2, NON_LEAVES_TOO);
    default: return p_iotlb_pasid(DOMAIN, PASID);
    }
}

START_TEST(an_answer_is_given_again_until_it_is_invalidated)
{
    given_device();
    both_reach(DEV, PASID, IOVA, OLD);
    map(&space, IOVA, NEW, PAGE, RW);
    both_reach(DEV, PASID, IOVA, OLD);
    unsigned before = answered_by_engine();
    execute(wait_fence());
    execute(iotlb_domain(DOMAIN + 1));
    execute(iotlb_page(DOMAIN - 1, IOVA, 0, NON_LEAVES_TOO));
    execute(p_iotlb_pasid(DOMAIN + 2, PASID));
    both_reach(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(answered_by_engine(), before);
    execute(order(_i));
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(with_translation_off_nothing_of_before_is_answered)
{
    given_device();
    both_reach(DEV, NO_PASID, IOVA, OLD);
    if (_i) {
        dmar_reset(m.dmar);
    } else {
        command_off(GCMD_TE);
    }
    both_reach(DEV, NO_PASID, IOVA, IOVA);
    both_reach(DEV, NO_PASID, OLD, OLD);
}
END_TEST

START_TEST(protected_memory_is_protected_at_once)
{
    DmarConfig config = widest;
    config.protected_memory = true;
    given_device_of(&config);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    set_reg32(PLMBASE_REG, OLD & -MIB);
    set_reg32(PLMLIMIT_REG, OLD & -MIB);
    set_reg32(PMEN_REG, PMEN_EPM);
    ck_assert_int_eq(dma(DMAR_READ, DEV, NO_PASID, IOVA).completion,
                     DMAR_UNSUPPORTED_REQUEST);
}
END_TEST

/* A bus was given another number. */
START_TEST(an_answer_is_for_the_source_id_that_was_given_it)
{
    given_device();
    Space other = given_space(DOMAIN + 1, 4);
    map(&other, IOVA, NEW, PAGE, RW);
    given_context(DEV + 0x100);
    given_rid(DEV + 0x100, &other);
    for (unsigned i = 0; i < 3; i++) {
        both_reach(DEV, NO_PASID, IOVA, OLD);
        both_reach(DEV + 0x100, NO_PASID, IOVA, NEW);
    }
    write_faults(DEV + 0x200, NO_PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(pages_of_one_slot_do_not_mix)
{
    given_device();
    map(&space, IOVA + SLOTS * PAGE, NEW, PAGE, RW);
    for (unsigned i = 0; i < 3; i++) {
        both_reach(DEV, PASID, IOVA, OLD);
        both_reach(DEV, PASID, IOVA + SLOTS * PAGE, NEW);
    }
}
END_TEST

START_TEST(each_piece_of_a_large_page_leads_to_its_own)
{
    given_device();
    map(&space, HUGE, 2 * HUGE, LARGE, RW);
    for (unsigned n = 0; n < 2; n++) {
        for (uint64_t at = 0; at < LARGE; at += 37 * PAGE) {
            DmarTranslation t = dma(DMAR_READ, DEV, PASID, HUGE + at + 5);
            ck_assert_uint_eq(t.addr, 2 * HUGE + at + 5);
            ck_assert_uint_eq(t.size, LARGE);
        }
    }
}
END_TEST

START_TEST(a_right_that_is_missing_is_missed_again)
{
    given_device();
    map(&space, IOVA, OLD, PAGE, _i ? 2 : 1);
    execute(iotlb_global());
    for (unsigned n = 0; n < 3; n++) {
        if (_i) {
            write_reaches(DEV, PASID, IOVA, OLD);
            read_faults(DEV, PASID, IOVA, FAULT_READ_DENIED);
        } else {
            read_reaches(DEV, PASID, IOVA, OLD);
            write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
        }
    }
}
END_TEST

/* A read marks the page as accessed only. */
START_TEST(the_first_write_sets_the_dirty_bit)
{
    given_device();
    given_options(DEV, PASID, WITH_SSADE | WITH_PWSNP);
    forget_everything();
    uint64_t entry = paging_entry_at(&space, IOVA, 1);
    for (unsigned n = 0; n < 3; n++) {
        read_reaches(DEV, PASID, IOVA, OLD);
    }
    ck_assert_uint_eq(peek(entry) & (BIT_AT(8) | BIT_AT(9)), BIT_AT(8));
    write_reaches(DEV, PASID, IOVA, OLD);
    ck_assert(peek(entry) & BIT_AT(9));
}
END_TEST

/* Counter 0 counts lookups in the IOTLB. */
START_TEST(counters_of_the_hardware_see_every_request)
{
    given_device();
    both_reach(DEV, PASID, IOVA, OLD);
    set_reg(PERFCNTRCFG_REG(0), 3ull << 8 | BIT_AT(32));
    set_reg32(ECMD_REG + 4, 0);
    set_reg32(ECMD_REG, ECMD_ENABLE_COUNTER);
    for (unsigned i = 0; i < 10; i++) {
        read_reaches(DEV, PASID, IOVA, OLD);
    }
    ck_assert_uint_eq(reg(PERFCNTR_REG(0)), 10);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("handles");
    TCase *t = tests_of(s, "again");
    tcase_add_loop_test(t, what_was_answered_is_answered_without_looking, 0, 2);
    tcase_add_loop_test(t, what_is_answered_again_is_counted, 0, 2);
    tcase_add_loop_test(t, what_each_thread_is_answered_is_counted, 0, 5);
    tcase_add_test(t, answers_are_counted_for_the_source_id_that_was_given_them);
    tcase_add_test(t, a_reset_leaves_nothing_to_be_counted);
    tcase_add_test(t, pages_of_one_slot_do_not_mix);
    tcase_add_test(t, each_piece_of_a_large_page_leads_to_its_own);
    tcase_add_loop_test(t, a_large_page_is_answered_as_a_whole, 0, 2);
    tcase_add_test(t, a_handle_grows_with_what_is_in_use);
    tcase_add_loop_test(t, what_makes_room_was_counted, 0, 2);
    tcase_add_test(t, what_is_void_was_counted);
    tcase_add_test(t, pasids_of_one_slot_do_not_mix);

    t = tests_of(s, "places");
    tcase_add_test(t, a_place_is_known_when_it_was_answered);
    tcase_add_test(t, a_place_is_known_for_what_may_be_done_there);
    tcase_add_test(t, a_place_of_a_large_page_ends_with_its_piece);

    t = tests_of(s, "not again");
    tcase_add_loop_test(t, an_answer_is_given_again_until_it_is_invalidated, 0, 5);
    tcase_add_loop_test(t, with_translation_off_nothing_of_before_is_answered, 0,
                        2);
    tcase_add_test(t, protected_memory_is_protected_at_once);
    tcase_add_test(t, an_answer_is_for_the_source_id_that_was_given_it);
    tcase_add_loop_test(t, a_right_that_is_missing_is_missed_again, 0, 2);
    tcase_add_test(t, the_first_write_sets_the_dirty_bit);
    tcase_add_test(t, counters_of_the_hardware_see_every_request);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(suite(), argc, argv);
}
