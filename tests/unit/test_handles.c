/*
 * Handles: what was answered is answered again, and no longer than the IOTLB
 * might.  The history, model and thread suites go through handles as well.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "counters.h"

#define DEV     0x0310
#define DOMAIN  7
#define PASID   0x123
#define IOVA    0x5000000ull
#define OLD     0x33333000ull
#define NEW     0x44444000ull
#define SLOTS   4096ull             /* pages that share none */

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

static unsigned rows;
static DmarPasidStats seen;

static void see_row(const DmarPasidStats *row, void *data)
{
    rows++;
    seen = *row;
}

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
    execute(wait_fence());
    execute(iotlb_domain(DOMAIN + 1));
    both_reach(DEV, PASID, IOVA, OLD);
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
    tcase_add_test(t, answers_are_counted_for_the_source_id_that_was_given_them);
    tcase_add_test(t, a_reset_leaves_nothing_to_be_counted);
    tcase_add_test(t, pages_of_one_slot_do_not_mix);
    tcase_add_test(t, each_piece_of_a_large_page_leads_to_its_own);

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
