/*
 * The PASID-cache when it is full [VT-d 6.2.3]: room for one more entry is made
 * by dropping one, so that a machine with more PASIDs than the cache holds is
 * slower by those and no others.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0710
#define OTHER_DEV   0x0711
#define DOMAIN      0x15
#define IOVA        0x2345000ull
#define TARGET      0x11111000ull

#define ROOM        (1u << 16)      /* of the cache */
#define OF_EACH     (1u << 16)      /* PASIDs of one device */
#define PDTS        3               /* ... for as many */

static Space space;
static uint64_t entries;            /* that stand for those of every 64 PASIDs */

static void given_many_pasids(uint16_t sid)
{
    given_context_of_size(sid, PDTS, OF_EACH - 1);
    for (uint32_t pasid = 0; pasid < OF_EACH; pasid += 64) {
        poke(directory_entry_at(sid, pasid), entries | 1);
    }
}

static void given_machine(void)
{
    given_scalable(&widest);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, TARGET, PAGE, RW);
    entries = new_page();
    given_many_pasids(DEV);
    given_many_pasids(OTHER_DEV);
    for (uint32_t pasid = 0; pasid < 64; pasid++) {
        given_pasid(DEV, pasid, &space);
    }
}

/* The @n-th of all bindings; RID_PASID is the last of each device. */
static bool answers(unsigned n)
{
    uint16_t sid = n < OF_EACH - 1 ? DEV : OTHER_DEV;
    uint32_t pasid = n % (OF_EACH - 1);
    return dma(DMAR_WRITE, sid, pasid, IOVA).completion == DMAR_SUCCESS;
}

static void bind(unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++) {
        ck_assert(answers(n));
    }
}

/* Nothing but the PASID-cache knows of them. */
static void clear_entries(void)
{
    for (uint32_t pasid = 0; pasid < 64; pasid++) {
        given_no_pasid(DEV, pasid);
    }
    execute(iotlb_global());
}

static unsigned count_answers(unsigned bound)
{
    unsigned count = 0;
    for (unsigned n = 0; n < bound; n++) {
        count += answers(n);
    }
    for (unsigned i = 0; i < m.config.fault_records; i++) {
        set_reg32(fault_record_at(i) + 12, BIT_AT(31));
    }
    set_reg32(FSTS_REG, FSTS_PFO);
    return count;
}

/* One that just fits, one too many, and some more. */
START_TEST(a_full_cache_gives_up_an_entry_for_each_that_comes)
{
    static const unsigned too_many[] = { 0, 1, 2, 100 };
    unsigned bound = ROOM + too_many[_i];
    given_machine();
    bind(0, bound);
    clear_entries();
    ck_assert_uint_eq(count_answers(bound), ROOM);
}
END_TEST

START_TEST(a_cache_that_is_not_full_gives_up_nothing)
{
    given_machine();
    bind(0, ROOM - 1);
    clear_entries();
    ck_assert_uint_eq(count_answers(ROOM + 1), ROOM - 1);
}
END_TEST

START_TEST(what_came_last_is_kept)
{
    given_machine();
    bind(0, ROOM + 8);
    clear_entries();
    ck_assert(answers(ROOM + 7));
}
END_TEST

START_TEST(a_full_cache_is_emptied_by_invalidation)
{
    given_machine();
    bind(0, ROOM + 1);
    clear_entries();
    execute(_i ? pasid_cache_global() : pasid_cache_domain(DOMAIN));
    ck_assert_uint_eq(count_answers(ROOM + 1), 0);
}
END_TEST

static Suite *pasid_cache(void)
{
    Suite *s = suite_create("PASID-cache");
    TCase *t = tests_of(s, "full");
    tcase_add_loop_test(t, a_full_cache_gives_up_an_entry_for_each_that_comes, 0,
                        4);
    tcase_add_test(t, a_cache_that_is_not_full_gives_up_nothing);
    tcase_add_test(t, what_came_last_is_kept);
    tcase_add_loop_test(t, a_full_cache_is_emptied_by_invalidation, 0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(pasid_cache(), argc, argv);
}
