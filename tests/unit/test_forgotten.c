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

/* Requests are answered otherwise from then on. */
static void everything_is_told(void)
{
    ck_assert_uint_ge(m.forgotten_tellings, 1);
    ck_assert(m.forgotten.every_domain && m.keeper_concerned);
    m.forgotten_tellings = 0;
}

START_TEST(switching_translation_is_told)
{
    DmarConfig config = widest;
    config.scalable = _i;
    if (!_i) {
        config = (DmarConfig) { .aw_bits = 48, .host_width = 46,
                                .domain_bits = 16, .fault_records = 1 };
    }
    _i ? given_scalable(&config) : given_legacy(&config);
    m.forgotten_tellings = 0;
    command_off(GCMD_TE);
    everything_is_told();
    command(GCMD_TE);
    everything_is_told();
}
END_TEST

START_TEST(switching_protected_memory_is_told)
{
    DmarConfig config = widest;
    config.protected_memory = true;
    given_scalable(&config);
    m.forgotten_tellings = 0;
    set_reg32(PMEN_REG, PMEN_EPM);
    everything_is_told();
    set_reg32(PMEN_REG, 0);
    everything_is_told();
}
END_TEST

START_TEST(a_reset_is_told)
{
    given_scalable(&widest);
    m.forgotten_tellings = 0;
    dmar_reset(m.dmar);
    everything_is_told();
}
END_TEST

/* ---- Whom it concerns ------------------------------------------------------- */

static Space space;

/* DEV keeps the translation of IOVA. */
static void keeps(uint64_t target)
{
    write_reaches(DEV, NO_PASID, IOVA, target);
}

static void given_keeper(void)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, 0x9000, PAGE, RW);
    given_rid(DEV, &space);
    m.keeper = DEV;
    keeps(0x9000);
}

static void is_told(uint64_t first, uint64_t last)
{
    ck_assert(m.keeper_concerned);
    ck_assert_uint_eq(m.keeper_first, first);
    ck_assert_uint_eq(m.keeper_last, last);
}

static void concerns(Descriptor order, uint64_t first, uint64_t last)
{
    keeps(0x9000);
    execute(order);
    is_told(first, last);
}

static void concerns_not(Descriptor order)
{
    keeps(0x9000);
    execute(order);
    ck_assert(!m.keeper_concerned);
}

START_TEST(a_requester_is_concerned_by_its_own_domain)
{
    given_keeper();
    concerns(iotlb_domain(DOMAIN), 0, UINT64_MAX);
    concerns_not(iotlb_domain(DOMAIN + 1));
    concerns(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES), IOVA, IOVA + PAGE - 1);
    concerns_not(iotlb_page(DOMAIN + 1, IOVA, 0, ONLY_LEAVES));
    concerns(iotlb_global(), 0, UINT64_MAX);
}
END_TEST

START_TEST(a_requester_is_concerned_by_its_rid_pasid)
{
    given_keeper();
    concerns(p_iotlb_pasid(DOMAIN, RID_PASID), 0, UINT64_MAX);
    concerns_not(p_iotlb_pasid(DOMAIN, PASID));
    concerns_not(p_iotlb_pasid(DOMAIN + 1, RID_PASID));
    concerns(p_iotlb_page(DOMAIN, RID_PASID, IOVA, 0, ONLY_LEAVES), IOVA,
             IOVA + PAGE - 1);
}
END_TEST

START_TEST(every_requester_is_concerned_by_new_bindings)
{
    given_keeper();
    concerns(context_device(DOMAIN + 1, DEV + 1, 0), 0, UINT64_MAX);
    concerns(pasid_cache_pasid(DOMAIN + 1, PASID), 0, UINT64_MAX);
}
END_TEST

START_TEST(who_has_forgotten_everything_has_nothing_to_forget)
{
    given_keeper();
    execute(_i ? iotlb_domain(DOMAIN) : pasid_cache_global());
    execute(iotlb_domain(DOMAIN));
    ck_assert(!m.keeper_concerned);
    execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    ck_assert(!m.keeper_concerned);
}
END_TEST

/* How software takes an entry away [VT-d 6.5.3.3]: between the two commands the
 * IOTLB still answers, and that answer is kept. */
START_TEST(what_was_kept_while_a_binding_went_is_forgotten_with_its_domain)
{
    given_keeper();
    given_no_pasid(DEV, RID_PASID);
    execute(pasid_cache_pasid(DOMAIN, RID_PASID));
    keeps(0x9000);
    execute(_i ? iotlb_domain(DOMAIN) : p_iotlb_pasid(DOMAIN, RID_PASID));
    is_told(0, UINT64_MAX);
    write_faults(DEV, NO_PASID, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
}
END_TEST

START_TEST(what_was_kept_while_a_binding_changed_is_forgotten_with_its_domain)
{
    given_keeper();
    Space other = given_space(DOMAIN + 1, 4);
    map(&other, IOVA + PAGE, 0xb000, PAGE, RW);
    given_rid(DEV, &other);
    execute(pasid_cache_pasid(DOMAIN, RID_PASID));
    keeps(0x9000);
    write_reaches(DEV, NO_PASID, IOVA + PAGE, 0xb000);
    execute(iotlb_domain(_i ? DOMAIN : DOMAIN + 1));
    is_told(0, UINT64_MAX);
}
END_TEST

/* ---- Requesters with a first stage -------------------------------------------- */

static Space second;

static void given_first_stage_keeper(bool nested, unsigned levels, uint64_t iova)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_first_stage(DOMAIN, levels);
    if (nested) {
        second = given_space(DOMAIN, 4);
        map(&second, 0x9000, 0x9000, PAGE, RW);
        space = given_nested(&second, levels);
    }
    map_fs(&space, iova, 0x9000, PAGE, USER_RW);
    given_rid(DEV, &space);
    m.keeper = DEV;
    ck_assert_int_eq(dma(DMAR_READ, DEV, NO_PASID, iova).completion, DMAR_SUCCESS);
}

START_TEST(a_requester_with_a_first_stage_loses_all_of_a_second_stage_page)
{
    given_first_stage_keeper(_i, 4, IOVA);
    execute(p_iotlb_page(DOMAIN, RID_PASID, IOVA, 0, ONLY_LEAVES));
    is_told(IOVA, IOVA + PAGE - 1);
    execute(iotlb_page(DOMAIN, 77 * PAGE, 0, ONLY_LEAVES));
    is_told(0, UINT64_MAX);
}
END_TEST

/* Software may leave out the sign of an address [VT-d 6.2.1, Table 18]. */
START_TEST(a_page_is_named_with_as_many_bits_as_are_translated)
{
    unsigned bits = _i ? 57 : 48;
    uint64_t page = -BIT_AT(bits - 1), named = page & (BIT_AT(bits) - 1);
    given_first_stage_keeper(false, _i ? 5 : 4, page);
    execute(p_iotlb_page(DOMAIN, RID_PASID, named, 0, ONLY_LEAVES));
    is_told(page, page + PAGE - 1);
    execute(p_iotlb_pasid(DOMAIN, RID_PASID));
    is_told(0, UINT64_MAX);
}
END_TEST

START_TEST(a_legacy_requester_is_concerned_by_its_domain)
{
    given_legacy(&widest);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, 0x9000, PAGE, RW);
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
    execute(iotlb_domain(DOMAIN));
    ck_assert(!m.keeper_concerned);
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
    tcase_add_loop_test(t, switching_translation_is_told, 0, 2);
    tcase_add_test(t, switching_protected_memory_is_told);
    tcase_add_test(t, a_reset_is_told);

    t = tests_of(suite, "concerned");
    tcase_add_test(t, a_requester_is_concerned_by_its_own_domain);
    tcase_add_test(t, a_requester_is_concerned_by_its_rid_pasid);
    tcase_add_test(t, every_requester_is_concerned_by_new_bindings);
    tcase_add_loop_test(t, who_has_forgotten_everything_has_nothing_to_forget, 0,
                        2);
    tcase_add_loop_test(t,
        what_was_kept_while_a_binding_went_is_forgotten_with_its_domain, 0, 2);
    tcase_add_loop_test(t,
        what_was_kept_while_a_binding_changed_is_forgotten_with_its_domain, 0, 2);
    tcase_add_loop_test(t,
        a_requester_with_a_first_stage_loses_all_of_a_second_stage_page, 0, 2);
    tcase_add_loop_test(t, a_page_is_named_with_as_many_bits_as_are_translated, 0,
                        2);
    tcase_add_test(t, a_legacy_requester_is_concerned_by_its_domain);
    tcase_add_test(t, who_is_refused_is_not_concerned_and_leaves_no_fault);
    return run_suite(suite, argc, argv);
}
