/*
 * Caching mode [VT-d 6.1]: what faulted is cached, and stays until it is
 * invalidated; without, what was repaired is used at once.
 *
 * Contexts and PASID entries that faulted have domain-id 0, pages that the
 * second stage refused have their own [VT-d 6.2.2, 6.2.3, 6.2.4.1].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0710
#define OTHER_DEV   0x0711
#define PASID       0x31
#define OTHER_PASID 0x32
#define DOMAIN      0x15
#define OTHER_DOMAIN 0x16
#define IOVA        0x2345000ull
#define TARGET      0x11111000ull
#define LEVELS      3

typedef enum Mode { WITHOUT, WITH } Mode;

static Space space, first;

static void given_unit(Mode mode)
{
    DmarConfig config = widest;
    config.caching_mode = mode == WITH;
    given_scalable(&config);
    given_context(DEV);
    space = given_space(DOMAIN, LEVELS);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
}

static void given_legacy_unit(Mode mode)
{
    DmarConfig config = widest;
    config.caching_mode = mode == WITH;
    given_legacy(&config);
    space = given_space(DOMAIN, LEVELS);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
}

/* ---- Every entry on the way ------------------------------------------------- */

typedef enum Place { ROOT, CONTEXT, DIRECTORY, PASID_ENTRY, TABLE, LEAF } Place;

static uint64_t entry_at(Place place)
{
    switch (place) {
    case ROOT: return root_entry_at(DEV);
    case CONTEXT: return context_entry_at(DEV);
    case DIRECTORY: return directory_entry_at(DEV, PASID);
    case PASID_ENTRY: return pasid_entry_at(DEV, PASID);
    case TABLE: return paging_entry_at(&space, IOVA, 2);
    default: return paging_entry_at(&space, IOVA, 1);
    }
}

/* What makes each forget that it was absent or wrong, and what does not. */
static Descriptor order_for(Place place, bool enough, unsigned i)
{
    const Descriptor context[2][4] = {
        { wait_fence(), context_device(DOMAIN, OTHER_DEV, 0),
          pasid_cache_global(), iotlb_global() },
        { context_global(), context_domain(OTHER_DOMAIN),
          context_device(OTHER_DOMAIN, DEV, 0),
          context_device(0, OTHER_DEV, 3) },
    };
    const Descriptor pasid[2][6] = {
        { context_global(), pasid_cache_domain(DOMAIN),
          pasid_cache_pasid(DOMAIN, PASID), pasid_cache_pasid(0, OTHER_PASID),
          iotlb_global(), p_iotlb_pasid(0, PASID) },
        { pasid_cache_global(), pasid_cache_domain(0),
          pasid_cache_pasid(0, PASID), pasid_cache_global(),
          pasid_cache_domain(0), pasid_cache_pasid(0, PASID) },
    };
    const Descriptor page[2][6] = {
        { context_global(), pasid_cache_global(), iotlb_domain(0),
          iotlb_page(DOMAIN, IOVA + PAGE, 0, NON_LEAVES_TOO),
          p_iotlb_pasid(DOMAIN, OTHER_PASID),
          p_iotlb_page(DOMAIN, PASID, IOVA, 0, NON_LEAVES_TOO) },
        { iotlb_global(), iotlb_domain(DOMAIN),
          iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO),
          iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES),
          iotlb_page(DOMAIN, IOVA - PAGE, 2, ONLY_LEAVES),
          p_iotlb_pasid(DOMAIN, PASID) },
    };
    return place <= CONTEXT ? context[enough][i % 4]
         : place <= PASID_ENTRY ? pasid[enough][i] : page[enough][i];
}

static const struct {
    Place place;
    uint64_t changed;           /* bits of its first word */
    uint8_t reason;
} faults[] = {
    { ROOT, 1, FAULT_ROOT_NOT_PRESENT },
    { ROOT, 2, FAULT_ROOT_RESERVED },
    { CONTEXT, 1, FAULT_CONTEXT_NOT_PRESENT },
    { CONTEXT, BIT_AT(5), FAULT_CONTEXT_RESERVED },
    { DIRECTORY, 1, FAULT_DIRECTORY_NOT_PRESENT },
    { DIRECTORY, 4, FAULT_DIRECTORY_RESERVED },
    { PASID_ENTRY, 1, FAULT_PASID_ENTRY_NOT_PRESENT },
    { PASID_ENTRY, BIT_AT(8), FAULT_PASID_ENTRY_INVALID },
    { TABLE, RW, FAULT_SS_NOT_PRESENT },
    { TABLE, BIT_AT(51), FAULT_SS_RESERVED },
    { LEAF, RW, FAULT_SS_NOT_PRESENT },
    { LEAF, BIT_AT(50), FAULT_SS_RESERVED },
};

/* The entry was wrong when it was used, and is not any more. */
static void given_repaired(unsigned i)
{
    uint64_t at = entry_at(faults[i].place), good = peek(at);
    poke(at, good ^ faults[i].changed);
    write_faults(DEV, PASID, IOVA, faults[i].reason);
    poke(at, good);
}

START_TEST(without_it_what_was_repaired_is_used_at_once)
{
    given_unit(WITHOUT);
    given_repaired(_i);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(what_was_repaired_faults_until_it_is_invalidated)
{
    given_unit(WITH);
    for (unsigned order = 0; order < 6; order++) {
        forget_everything();
        given_repaired(_i);
        write_faults(DEV, PASID, IOVA, faults[_i].reason);
        execute(order_for(faults[_i].place, true, order));
        both_reach(DEV, PASID, IOVA, TARGET);
    }
}
END_TEST

START_TEST(what_was_repaired_faults_after_another_invalidation)
{
    given_unit(WITH);
    given_repaired(_i);
    for (unsigned order = 0; order < 6; order++) {
        execute(order_for(faults[_i].place, false, order));
        write_faults(DEV, PASID, IOVA, faults[_i].reason);
        read_faults(DEV, PASID, IOVA, faults[_i].reason);
    }
}
END_TEST

START_TEST(a_cached_fault_is_of_its_requester_only)
{
    given_unit(WITH);
    given_pasid(DEV, OTHER_PASID, &space);
    given_context(OTHER_DEV);
    given_pasid(OTHER_DEV, PASID, &space);
    given_repaired(_i);
    both_reach(OTHER_DEV, PASID, IOVA, TARGET);
    if (faults[_i].place >= DIRECTORY) {
        both_reach(DEV, OTHER_PASID, IOVA, TARGET);
    }
}
END_TEST

START_TEST(a_probe_leaves_no_fault_behind)
{
    given_unit(WITH);
    uint64_t at = entry_at(faults[_i].place), good = peek(at);
    poke(at, good ^ faults[_i].changed);
    ck_assert_uint_eq(dma(DMAR_PROBE, DEV, PASID, IOVA).reason,
                      faults[_i].reason);
    poke(at, good);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_translation_request_meets_cached_faults)
{
    given_unit(WITH);
    poke(paging_entry_at(&space, IOVA, 1), 0);
    ats_grants_nothing(DEV, PASID, IOVA);
    map(&space, IOVA, TARGET, PAGE, RW);
    ats_grants_nothing(DEV, PASID, IOVA);
    execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    ats_grants(DEV, PASID, IOVA, TARGET, RW);
}
END_TEST

/* ---- FPD ----------------------------------------------------------------------- */

/* FPD of the same entry or of one above it, as it was when the fault was. */
static const struct {
    Place place;
    unsigned bit;
} hiding[] = {
    { CONTEXT, 1 }, { DIRECTORY, 1 }, { PASID_ENTRY, 1 },
};

START_TEST(a_cached_fault_stays_hidden)
{
    given_unit(WITH);
    for (unsigned i = 2; i < G_N_ELEMENTS(faults); i++) {
        if (faults[i].place < hiding[_i].place) {
            continue;
        }
        forget_everything();
        uint64_t at = entry_at(faults[i].place);
        flip(entry_at(hiding[_i].place), hiding[_i].bit);
        poke(at, peek(at) ^ faults[i].changed);
        write_refused_silently(DEV, PASID, IOVA, faults[i].reason);
        poke(at, peek(at) ^ faults[i].changed);
        write_refused_silently(DEV, PASID, IOVA, faults[i].reason);
        flip(entry_at(hiding[_i].place), hiding[_i].bit);
        write_refused_silently(DEV, PASID, IOVA, faults[i].reason);
        forget_everything();
        both_reach(DEV, PASID, IOVA, TARGET);
    }
}
END_TEST

START_TEST(a_cached_fault_stays_visible)
{
    given_unit(WITH);
    given_repaired(_i);
    flip(entry_at(PASID_ENTRY), 1);
    write_faults(DEV, PASID, IOVA, faults[_i].reason);
}
END_TEST

/* ---- Rights -------------------------------------------------------------------------- */

START_TEST(a_right_that_was_given_is_not_had_before_invalidation)
{
    given_unit(_i);
    map(&space, IOVA, TARGET, PAGE, R);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    map(&space, IOVA, TARGET, PAGE, RW);
    if (_i == WITH) {
        write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
        execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    }
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(an_output_that_was_refused_is_refused_until_invalidation)
{
    given_unit(_i);
    map(&space, IOVA, 0xfee00000, PAGE, RW);
    write_faults(DEV, PASID, IOVA, FAULT_INTERRUPT_RANGE);
    map(&space, IOVA, TARGET, PAGE, RW);
    if (_i == WITH) {
        write_faults(DEV, PASID, IOVA, FAULT_INTERRUPT_RANGE);
        execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    }
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

/* The PASID entry is read anew, but the page is known to lead nowhere. */
START_TEST(a_table_in_no_memory_is_remembered_though_its_pointer_is_repaired)
{
    given_unit(WITH);
    const Descriptor enough[] = {
        iotlb_global(), iotlb_domain(DOMAIN),
        iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO),
        iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES), p_iotlb_pasid(DOMAIN, PASID),
    };
    uint64_t good = peek(pasid_entry_at(DEV, PASID));
    poke(pasid_entry_at(DEV, PASID), (good & 0xfff) | NOWHERE);
    write_faults(DEV, PASID, IOVA, FAULT_SS_TOP_ACCESS);
    poke(pasid_entry_at(DEV, PASID), good);
    execute(pasid_cache_pasid(DOMAIN, PASID));
    write_faults(DEV, PASID, IOVA, FAULT_SS_TOP_ACCESS);
    write_faults(DEV, PASID, IOVA, FAULT_SS_TOP_ACCESS);
    execute(enough[_i]);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

/* No page-selective invalidation could name it. */
START_TEST(an_address_beyond_the_tables_is_not_cached)
{
    const uint64_t beyond = BIT_AT(40);
    given_unit(WITH);
    write_faults(DEV, PASID, beyond, FAULT_SS_ADDRESS_BEYOND);
    space = given_space(DOMAIN, 4);
    map(&space, beyond, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    execute(pasid_cache_pasid(DOMAIN, PASID));
    both_reach(DEV, PASID, beyond, TARGET);
}
END_TEST

/* ---- The first stage ------------------------------------------------------------------- */

static DmarConfig with_nesting(void)
{
    DmarConfig config = widest;
    config.caching_mode = true;
    config.first_stage = config.nested = true;
    return config;
}

/* A first stage that maps IOVA to TARGET, nested in one that maps it to itself
 * or alone. */
static void given_first_stage_unit(bool nested)
{
    DmarConfig config = with_nesting();
    given_scalable(&config);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    first = nested ? given_nested(&space, 4) : given_first_stage(DOMAIN, 4);
    if (nested) {
        map(&space, TARGET, TARGET, PAGE, RW);
    }
    map_fs(&first, IOVA, TARGET, PAGE, USER_RW);
    given_pasid(DEV, PASID, &first);
}

START_TEST(a_fault_of_the_first_stage_is_not_cached)
{
    given_first_stage_unit(_i);
    uint64_t at = paging_entry_at(&first, IOVA, 1), good = peek(at);
    poke(at, 0);
    write_faults(DEV, PASID, IOVA, FAULT_FS_NOT_PRESENT);
    poke(at, good);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_right_that_the_first_stage_gives_is_had_at_once)
{
    given_first_stage_unit(_i);
    map_fs(&first, IOVA, TARGET, PAGE, USER);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    map_fs(&first, IOVA, TARGET, PAGE, USER_RW);
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_fault_of_the_second_stage_is_cached_when_nested)
{
    given_first_stage_unit(true);
    unmap(&space, TARGET);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    map(&space, TARGET, TARGET, PAGE, RW);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    execute(iotlb_page(DOMAIN, TARGET, 0, ONLY_LEAVES));
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

/* ---- Legacy mode ------------------------------------------------------------------------- */

START_TEST(a_legacy_context_that_faulted_has_domain_0)
{
    const Descriptor enough[] = {
        context_global(), context_domain(0), context_device(0, DEV, 0),
    };
    const Descriptor not_enough[] = {
        context_domain(DOMAIN), context_device(DOMAIN, DEV, 0),
        context_device(0, OTHER_DEV, 0), iotlb_global(),
    };
    given_legacy_unit(WITH);
    uint64_t good = peek(legacy_context_at(DEV));
    poke(legacy_context_at(DEV), 0);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
    poke(legacy_context_at(DEV), good);
    for (unsigned i = 0; i < G_N_ELEMENTS(not_enough); i++) {
        execute(not_enough[i]);
        write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
    }
    execute(enough[_i]);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_legacy_root_entry_that_faulted_is_cached_for_the_device)
{
    given_legacy_unit(WITH);
    flip(root_entry_at(DEV), 0);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_NOT_PRESENT);
    flip(root_entry_at(DEV), 0);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_NOT_PRESENT);
    execute(context_device(0, DEV, 0));
    both_reach(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_legacy_page_that_was_absent_is_cached)
{
    given_legacy_unit(_i);
    unmap(&space, IOVA);
    read_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_READ_DENIED);
    map(&space, IOVA, TARGET, PAGE, RW);
    if (_i == WITH) {
        write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_WRITE_DENIED);
        read_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_READ_DENIED);
        execute(iotlb_domain(0));
        read_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_READ_DENIED);
        execute(iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES));
    }
    both_reach(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_legacy_address_beyond_the_tables_is_not_cached)
{
    const uint64_t beyond = BIT_AT(40);
    given_legacy_unit(WITH);
    write_faults(DEV, NO_PASID, beyond, FAULT_LEGACY_ADDRESS_BEYOND);
    space = given_space(DOMAIN, 4);
    map(&space, beyond, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    execute(context_device(DOMAIN, DEV, 0));
    both_reach(DEV, NO_PASID, beyond, TARGET);
}
END_TEST

static Suite *caching_mode(void)
{
    const int count = G_N_ELEMENTS(faults);
    Suite *s = suite_create("caching mode");
    TCase *t = tests_of(s, "entries");
    tcase_add_loop_test(t, without_it_what_was_repaired_is_used_at_once,
                        0, count);
    tcase_add_loop_test(t, what_was_repaired_faults_until_it_is_invalidated,
                        0, count);
    tcase_add_loop_test(t, what_was_repaired_faults_after_another_invalidation,
                        0, count);
    tcase_add_loop_test(t, a_cached_fault_is_of_its_requester_only, 2, count);
    tcase_add_loop_test(t, a_probe_leaves_no_fault_behind, 0, count);
    tcase_add_test(t, a_translation_request_meets_cached_faults);

    t = tests_of(s, "FPD");
    tcase_add_loop_test(t, a_cached_fault_stays_hidden, 0,
                        G_N_ELEMENTS(hiding));
    tcase_add_loop_test(t, a_cached_fault_stays_visible, 4, count);

    t = tests_of(s, "rights");
    tcase_add_loop_test(t, a_right_that_was_given_is_not_had_before_invalidation,
                        WITHOUT, WITH + 1);
    tcase_add_loop_test(t,
        an_output_that_was_refused_is_refused_until_invalidation,
        WITHOUT, WITH + 1);
    tcase_add_loop_test(t,
        a_table_in_no_memory_is_remembered_though_its_pointer_is_repaired, 0, 5);
    tcase_add_test(t, an_address_beyond_the_tables_is_not_cached);

    t = tests_of(s, "first stage");
    tcase_add_loop_test(t, a_fault_of_the_first_stage_is_not_cached, 0, 2);
    tcase_add_loop_test(t, a_right_that_the_first_stage_gives_is_had_at_once,
                        0, 2);
    tcase_add_test(t, a_fault_of_the_second_stage_is_cached_when_nested);

    t = tests_of(s, "legacy mode");
    tcase_add_loop_test(t, a_legacy_context_that_faulted_has_domain_0, 0, 3);
    tcase_add_test(t, a_legacy_root_entry_that_faulted_is_cached_for_the_device);
    tcase_add_loop_test(t, a_legacy_page_that_was_absent_is_cached,
                        WITHOUT, WITH + 1);
    tcase_add_test(t, a_legacy_address_beyond_the_tables_is_not_cached);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(caching_mode(), argc, argv);
}
