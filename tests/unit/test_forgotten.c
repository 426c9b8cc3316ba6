/*
 * What a host that keeps translations of its own is told of invalidations, and
 * how it finds out whom they concern.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0310
#define DOMAIN  7
#define PASID   0x123
#define IOVA    0x5000000ull

#define ALL     .pasid = NO_PASID, .last = UINT64_MAX

static Descriptor order(unsigned i)
{
    switch (i) {
    case 0: return iotlb_global();
    case 1: return iotlb_domain(DOMAIN);
    case 2: return iotlb_page(DOMAIN, IOVA + 5 * PAGE, 2, ONLY_LEAVES);
    case 3: return p_iotlb_pasid(DOMAIN, PASID);
    case 4: return p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO);
    case 5: return context_global();
    case 6: return context_device(DOMAIN, DEV, 0);
    case 7: return pasid_cache_global();
    case 8: return pasid_cache_domain(DOMAIN);
    default: return pasid_cache_pasid(DOMAIN, PASID);
    }
}

static const DmarForgotten told[] = {
    { .every_domain = true, ALL },
    { .domain = DOMAIN, ALL },
    { .domain = DOMAIN, .pasid = NO_PASID, .first = IOVA + 4 * PAGE,
      .last = IOVA + 8 * PAGE - 1 },
    { .domain = DOMAIN, .pasid = PASID, .last = UINT64_MAX },
    { .domain = DOMAIN, .pasid = PASID, .first = IOVA, .last = IOVA + PAGE - 1 },
    { .every_domain = true, ALL },
    { .every_domain = true, ALL },
    { .every_domain = true, ALL },
    { .every_domain = true, ALL },
    { .every_domain = true, ALL },
};

START_TEST(each_invalidation_is_told_with_what_it_names)
{
    const DmarForgotten *want = &told[_i];

    given_scalable(&widest);
    m.forgotten_tellings = 0;
    execute(order(_i));
    ck_assert_uint_eq(m.forgotten_tellings, 1);
    ck_assert_int_eq(m.forgotten.every_domain, want->every_domain);
    if (!want->every_domain) {
        ck_assert_uint_eq(m.forgotten.domain, want->domain);
    }
    ck_assert_uint_eq(m.forgotten.pasid, want->pasid);
    ck_assert_uint_eq(m.forgotten.first, want->first);
    ck_assert_uint_eq(m.forgotten.last, want->last);
}
END_TEST

START_TEST(what_is_refused_is_not_told)
{
    given_scalable(&widest);
    m.forgotten_tellings = 0;
    submit(iotlb_page(DOMAIN, IOVA, 63, ONLY_LEAVES));
    queue_stops_with(3);
    ck_assert_uint_eq(m.forgotten_tellings, 0);
}
END_TEST

START_TEST(switching_translation_off_is_told)
{
    given_scalable(&widest);
    m.forgotten_tellings = 0;
    command_off(GCMD_TE);
    ck_assert_uint_ge(m.forgotten_tellings, 1);
    ck_assert(m.forgotten.every_domain);
}
END_TEST

/* ---- Whom it concerns ------------------------------------------------------- */

static void given_keeper(const DmarConfig *config)
{
    Space space;

    given_scalable(config);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    given_rid(DEV, &space);
    m.keeper = DEV;
}

static void concerns(Descriptor order, uint64_t first, uint64_t last)
{
    execute(order);
    ck_assert(m.keeper_concerned);
    ck_assert_uint_eq(m.keeper_first, first);
    ck_assert_uint_eq(m.keeper_last, last);
}

static void concerns_not(Descriptor order)
{
    execute(order);
    ck_assert(!m.keeper_concerned);
}

START_TEST(a_requester_is_concerned_by_its_own_domain)
{
    given_keeper(&widest);
    concerns(iotlb_domain(DOMAIN), 0, UINT64_MAX);
    concerns_not(iotlb_domain(DOMAIN + 1));
    concerns(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES), IOVA, IOVA + PAGE - 1);
    concerns_not(iotlb_page(DOMAIN + 1, IOVA, 0, ONLY_LEAVES));
    concerns(iotlb_global(), 0, UINT64_MAX);
}
END_TEST

START_TEST(a_requester_is_concerned_by_its_rid_pasid)
{
    given_keeper(&widest);
    concerns(p_iotlb_pasid(DOMAIN, RID_PASID), 0, UINT64_MAX);
    concerns_not(p_iotlb_pasid(DOMAIN, PASID));
    concerns_not(p_iotlb_pasid(DOMAIN + 1, RID_PASID));
    concerns(p_iotlb_page(DOMAIN, RID_PASID, IOVA, 0, ONLY_LEAVES), IOVA,
             IOVA + PAGE - 1);
}
END_TEST

START_TEST(every_requester_is_concerned_by_new_bindings)
{
    given_keeper(&widest);
    concerns(context_device(DOMAIN + 1, DEV + 1, 0), 0, UINT64_MAX);
    concerns(pasid_cache_pasid(DOMAIN + 1, PASID), 0, UINT64_MAX);
}
END_TEST

START_TEST(a_nested_requester_loses_all_of_a_second_stage_page)
{
    DmarConfig config = widest;

    config.first_stage = true;
    config.nested = true;
    given_keeper(&config);
    /* PGTT 011b; what its first stage is does not matter here. */
    poke(pasid_entry_at(DEV, RID_PASID),
         (peek(pasid_entry_at(DEV, RID_PASID)) & ~(7ull << 6)) | 3 << 6);
    poke(pasid_entry_at(DEV, RID_PASID) + 16, new_page());
    forget_everything();
    concerns(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES), 0, UINT64_MAX);
    concerns(p_iotlb_page(DOMAIN, RID_PASID, IOVA, 0, ONLY_LEAVES), IOVA,
             IOVA + PAGE - 1);
}
END_TEST

START_TEST(a_legacy_requester_is_concerned_by_its_domain)
{
    Space space;

    given_legacy(&widest);
    space = given_space(DOMAIN, 4);
    given_legacy_context(DEV, 0, &space);
    m.keeper = DEV;
    concerns(iotlb_domain(DOMAIN), 0, UINT64_MAX);
    concerns_not(iotlb_domain(DOMAIN + 1));
}
END_TEST

START_TEST(who_is_refused_is_not_concerned_and_leaves_no_fault)
{
    given_scalable(&widest);
    m.keeper = DEV;
    concerns_not(iotlb_domain(DOMAIN));
    no_fault_left();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("forgotten");
    TCase *t = tests_of(suite, "told");

    tcase_add_loop_test(t, each_invalidation_is_told_with_what_it_names, 0,
                        G_N_ELEMENTS(told));
    tcase_add_test(t, what_is_refused_is_not_told);
    tcase_add_test(t, switching_translation_off_is_told);

    t = tests_of(suite, "concerned");
    tcase_add_test(t, a_requester_is_concerned_by_its_own_domain);
    tcase_add_test(t, a_requester_is_concerned_by_its_rid_pasid);
    tcase_add_test(t, every_requester_is_concerned_by_new_bindings);
    tcase_add_test(t, a_nested_requester_loses_all_of_a_second_stage_page);
    tcase_add_test(t, a_legacy_requester_is_concerned_by_its_domain);
    tcase_add_test(t, who_is_refused_is_not_concerned_and_leaves_no_fault);
    return run_suite(suite, argc, argv);
}
