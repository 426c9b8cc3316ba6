/*
 * What the unit saw: rows of (source-id, PASID), as dmar.h tells them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0208
#define PASID   0x155
#define DOMAIN  11
#define IOVA    0x7fff000ull
#define TARGET  0x4567000ull

static Space space;

static void given_space_of(uint16_t domain, uint64_t target)
{
    space = given_space(domain, 3);
    map(&space, IOVA, target, PAGE, RW);
}

static void given_device(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    given_space_of(DOMAIN, TARGET);
    given_pasid(DEV, PASID, &space);
}

static DmarPasidStats seen[8];
static unsigned rows;

static void keep_row(const DmarPasidStats *row, void *data)
{
    ck_assert_uint_lt(rows, G_N_ELEMENTS(seen));
    seen[rows++] = *row;
}

static void see(void)
{
    rows = 0;
    dmar_foreach_pasid(m.dmar, keep_row, NULL);
}

START_TEST(the_unit_counts_what_every_pasid_did)
{
    given_device(&widest);
    given_rid(DEV, &space);
    write_reaches(DEV, PASID, IOVA, TARGET);
    write_reaches(DEV, PASID, IOVA, TARGET);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    see();
    ck_assert_uint_eq(rows, 2);
    ck_assert_uint_eq(seen[0].pasid, RID_PASID);
    ck_assert(!seen[0].with_pasid && seen[1].with_pasid);
    ck_assert_uint_eq(seen[1].source_id, DEV);
    ck_assert_uint_eq(seen[1].pasid, PASID);
    ck_assert_uint_eq(seen[1].domain, DOMAIN);
    ck_assert_uint_eq(seen[1].pgtt, PGTT_SECOND_STAGE);
    ck_assert_uint_eq(seen[1].root, space.root);
    ck_assert_uint_eq(seen[1].entry_fetches, 1);
    ck_assert_uint_eq(seen[1].translations, 2);
    ck_assert_uint_eq(seen[1].walks, 1);
    ck_assert_uint_eq(seen[1].faults, 1);
    uint64_t before = seen[1].invalidations;
    execute(pasid_cache_pasid(DOMAIN, PASID));
    see();
    ck_assert_uint_eq(seen[1].invalidations, before + 1);
}
END_TEST

START_TEST(who_was_refused_is_seen_too)
{
    given_scalable(&widest);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
    see();
    ck_assert_uint_eq(rows, 1);
    ck_assert_uint_eq(seen[0].pasid, PASID);
    ck_assert(seen[0].with_pasid);
    ck_assert_uint_eq(seen[0].faults, 1);
    ck_assert_uint_eq(seen[0].translations, 0);
    write_faults(DEV + 1, NO_PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
    see();
    ck_assert_uint_eq(rows, 2);
    ck_assert(!seen[1].with_pasid);
}
END_TEST

/* It asked no PASID entry. */
START_TEST(a_translated_request_is_counted_for_no_pasid)
{
    given_device(&widest);
    request_reaches((DmarRequest) {
        .source_id = DEV, .pasid = NO_PASID, .addr = 0xabcd1234,
        .access = DMAR_WRITE, .type = DMAR_TRANSLATED }, 0xabcd1234);
    see();
    ck_assert_uint_eq(rows, 1);
    ck_assert_uint_eq(seen[0].source_id, DEV);
    ck_assert_uint_eq(seen[0].pasid, NO_PASID);
    ck_assert(!seen[0].with_pasid);
    ck_assert_uint_eq(seen[0].translations, 1);
    ck_assert_uint_eq(seen[0].entry_fetches, 0);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_TRANSLATED].pasid, NO_PASID);
}
END_TEST

START_TEST(an_invalidation_counts_for_whom_it_names)
{
    static const struct {
        Descriptor d;
        unsigned counts;
    } orders[] = {
        { {{ 7 | 1 << 4 | DOMAIN << 16 | (uint64_t)PASID << 32 }}, 1 },
        { {{ 7 | 1 << 4 | DOMAIN << 16 | (uint64_t)(PASID + 1) << 32 }}, 0 },
        { {{ 7 | 1 << 4 | (DOMAIN + 1) << 16 | (uint64_t)PASID << 32 }}, 0 },
        { {{ 7 | DOMAIN << 16 }}, 1 },
        { {{ 7 | (DOMAIN + 1) << 16 }}, 0 },
        { {{ 2 | 2 << 4 | DOMAIN << 16 }}, 1 },
        { {{ 2 | 2 << 4 | (DOMAIN + 1) << 16 }}, 0 },
        { {{ 2 | 3 << 4 | DOMAIN << 16 }}, 1 },
        { {{ 6 | 2 << 4 | DOMAIN << 16 | (uint64_t)PASID << 32 }}, 1 },
        { {{ 6 | 2 << 4 | DOMAIN << 16 | (uint64_t)(PASID + 1) << 32 }}, 0 },
    };
    given_device(&widest);
    write_reaches(DEV, PASID, IOVA, TARGET);
    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++) {
        see();
        uint64_t before = seen[0].invalidations;
        execute(orders[i].d);
        see();
        ck_assert_uint_eq(rows, 1);
        ck_assert_msg(seen[0].invalidations == before + orders[i].counts,
                      "order %u", i);
    }
}
END_TEST

START_TEST(what_was_seen_is_told_in_order)
{
    static const struct {
        uint16_t sid;
        uint32_t pasid;
    } order[] = {
        { DEV, 0x7ff }, { DEV + 1, PASID }, { DEV, PASID }, { DEV + 1, 3 },
        { DEV, PASID + 1 },
    };
    given_device(&widest);
    given_context(DEV + 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        given_pasid(order[i].sid, order[i].pasid, &space);
        write_reaches(order[i].sid, order[i].pasid, IOVA, TARGET);
    }
    see();
    ck_assert_uint_eq(rows, G_N_ELEMENTS(order));
    for (unsigned i = 1; i < rows; i++) {
        uint64_t before = (uint64_t)seen[i - 1].source_id << 32 | seen[i - 1].pasid;
        ck_assert_uint_lt(before, (uint64_t)seen[i].source_id << 32 | seen[i].pasid);
    }
    dmar_reset(m.dmar);
    see();
    ck_assert_uint_eq(rows, 0);
}
END_TEST

START_TEST(a_legacy_function_is_seen_without_a_pasid)
{
    given_legacy(&widest);
    given_space_of(DOMAIN, TARGET);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    see();
    ck_assert_uint_eq(rows, 1);
    ck_assert_uint_eq(seen[0].pasid, DMAR_NO_PASID);
    ck_assert_uint_eq(seen[0].domain, DOMAIN);
    ck_assert(!seen[0].with_pasid);
}
END_TEST

/* DEV's PASID is of @domain from now on. */
static void moves_to(uint16_t domain)
{
    given_space_of(domain, TARGET);
    given_pasid(DEV, PASID, &space);
    execute(pasid_cache_global());
    execute(iotlb_global());
    write_reaches(DEV, PASID, IOVA, TARGET);
}

START_TEST(what_concerned_a_row_before_it_moved_stays_counted)
{
    given_device(&widest);
    write_reaches(DEV, PASID, IOVA, TARGET);
    for (unsigned moves = 1; moves < 5; moves++) {
        execute(iotlb_domain(DOMAIN + moves - 1));
        execute(p_iotlb_pasid(DOMAIN + moves - 1, PASID));
        moves_to(DOMAIN + moves);
        execute(iotlb_domain(DOMAIN + moves - 1));
        execute(p_iotlb_pasid(DOMAIN + moves - 1, PASID));
        see();
        ck_assert_uint_eq(seen[0].domain, DOMAIN + moves);
        ck_assert_uint_eq(seen[0].invalidations, 2 * moves);
    }
}
END_TEST

START_TEST(rows_of_one_domain_are_counted_each_from_its_beginning)
{
    given_device(&widest);
    write_reaches(DEV, PASID, IOVA, TARGET);
    execute(iotlb_domain(DOMAIN));
    given_context(DEV + 1);
    given_pasid(DEV + 1, PASID, &space);
    write_reaches(DEV + 1, PASID, IOVA, TARGET);
    execute(iotlb_domain(DOMAIN));
    execute(p_iotlb_pasid(DOMAIN, PASID));
    see();
    ck_assert_uint_eq(seen[0].invalidations, 3);
    ck_assert_uint_eq(seen[1].invalidations, 2);
    moves_to(DOMAIN + 1);
    execute(iotlb_domain(DOMAIN));
    see();
    ck_assert_uint_eq(seen[0].invalidations, 3);
    ck_assert_uint_eq(seen[1].invalidations, 3);
}
END_TEST

static Suite *stats(void)
{
    Suite *s = suite_create("stats");
    TCase *t = tests_of(s, "rows");
    tcase_add_test(t, the_unit_counts_what_every_pasid_did);
    tcase_add_test(t, who_was_refused_is_seen_too);
    tcase_add_test(t, a_translated_request_is_counted_for_no_pasid);
    tcase_add_test(t, an_invalidation_counts_for_whom_it_names);
    tcase_add_test(t, what_was_seen_is_told_in_order);
    tcase_add_test(t, a_legacy_function_is_seen_without_a_pasid);
    tcase_add_test(t, what_concerned_a_row_before_it_moved_stays_counted);
    tcase_add_test(t, rows_of_one_domain_are_counted_each_from_its_beginning);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(stats(), argc, argv);
}
