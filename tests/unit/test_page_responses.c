/*
 * What follows a page request [VT-d 6.5.3.1, 7.6 .. 7.8, 7.10]: what the caches
 * forget, the response descriptor, and draining.  Requests themselves are in
 * test_page_requests.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "requester.h"

#define OTHER_PASID 0x23456
#define OTHER_DOMAIN 0x22
#define OLD         0x31111000ull
#define NEW         0x32222000ull

/* ---- What the caches forget [VT-d 6.5.3.1, Table 27] ----------------------- */

/* A first stage of one path of tables, at @root, to @pa. */
static void map_first_stage(uint64_t root, uint64_t iova, uint64_t pa)
{
    uint64_t table = root;
    for (unsigned level = 4; level > 1; level--) {
        uint64_t entry = table + (iova >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
        if (!peek(entry)) {
            poke(entry, new_page() | 0x27);
        }
        table = peek(entry) & ~0xfffull;
    }
    poke(table + (iova >> 12 & 0x1ff) * 8, pa | 0x67);
}

static uint64_t given_first_stage_pasid(uint32_t pasid, uint16_t domain)
{
    uint64_t root = new_page(), entry = pasid_entry_at(DEV, pasid);
    poke(entry, PGTT_FIRST_STAGE << 6 | 1);
    poke(entry + 8, domain);
    poke(entry + 16, root);
    return root;
}

/* Those who keep translations outside of the unit forget the same. */
static void keepers_are_told(uint32_t pasid, uint64_t first, uint64_t last)
{
    ck_assert(!m.forgotten.every_domain);
    ck_assert_uint_eq(m.forgotten.domain, DOMAIN);
    ck_assert_uint_eq(m.forgotten.pasid, pasid);
    ck_assert_uint_eq(m.forgotten.first, first);
    ck_assert_uint_eq(m.forgotten.last, last);
}

START_TEST(in_a_first_stage_the_page_of_the_pasid_is_forgotten)
{
    given_machine();
    uint64_t root = given_first_stage_pasid(PASID, DOMAIN);
    uint64_t other = given_first_stage_pasid(OTHER_PASID, DOMAIN);
    uint64_t root_of[] = { root, root, other };
    uint32_t pasid_of[] = { PASID, PASID, OTHER_PASID };
    uint64_t at[] = { IOVA, IOVA + PAGE, IOVA };
    for (unsigned i = 0; i < 3; i++) {
        map_first_stage(root_of[i], at[i], OLD);
        read_reaches(DEV, pasid_of[i], at[i], OLD);
        map_first_stage(root_of[i], at[i], NEW);
        read_reaches(DEV, pasid_of[i], at[i], OLD);
    }
    is_queued(wanted);
    keepers_are_told(PASID, IOVA, IOVA + PAGE - 1);
    read_reaches(DEV, PASID, IOVA, NEW);
    read_reaches(DEV, PASID, IOVA + PAGE, OLD);
    read_reaches(DEV, OTHER_PASID, IOVA, OLD);
}
END_TEST

START_TEST(in_a_second_stage_the_page_of_the_domain_is_forgotten)
{
    given_machine();
    given_pasid(DEV, OTHER_PASID, &space);
    for (unsigned i = 0; i < 2; i++) {
        map(&space, IOVA + i * PAGE, OLD, PAGE, RW);
        read_reaches(DEV, PASID, IOVA + i * PAGE, OLD);
        read_reaches(DEV, OTHER_PASID, IOVA + i * PAGE, OLD);
        map(&space, IOVA + i * PAGE, NEW, PAGE, RW);
    }
    is_queued(wanted);
    keepers_are_told(NO_PASID, IOVA, IOVA + PAGE - 1);
    read_reaches(DEV, PASID, IOVA, NEW);
    read_reaches(DEV, OTHER_PASID, IOVA, NEW);
    read_reaches(DEV, PASID, IOVA + PAGE, OLD);
}
END_TEST

START_TEST(nested_the_whole_domain_is_forgotten)
{
    given_machine();
    uint64_t root = given_first_stage_pasid(PASID, DOMAIN);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    for (uint64_t at = RAM_BASE; at < m.next_page + 16 * PAGE; at += PAGE) {
        map(&space, at, at, PAGE, RW);
    }
    map(&space, OLD, OLD, PAGE, RW);
    map(&space, NEW, NEW, PAGE, RW);
    poke(entry, space.root | PGTT_NESTED << 6 | 2 << 2 | 1);
    given_pasid(DEV, OTHER_PASID, &space);
    map(&space, IOVA + LARGE, OLD, PAGE, RW);
    read_reaches(DEV, OTHER_PASID, IOVA + LARGE, OLD);
    map(&space, IOVA + LARGE, NEW, PAGE, RW);
    for (unsigned i = 0; i < 2; i++) {
        map_first_stage(root, IOVA + i * PAGE, OLD);
        read_reaches(DEV, PASID, IOVA + i * PAGE, OLD);
        map_first_stage(root, IOVA + i * PAGE, NEW);
        read_reaches(DEV, PASID, IOVA + i * PAGE, OLD);
    }
    is_queued(wanted);
    keepers_are_told(NO_PASID, 0, UINT64_MAX);
    read_reaches(DEV, PASID, IOVA, NEW);
    read_reaches(DEV, PASID, IOVA + PAGE, NEW);
    read_reaches(DEV, OTHER_PASID, IOVA + LARGE, NEW);
}
END_TEST

START_TEST(the_page_before_stays)
{
    given_machine();
    map(&space, IOVA - PAGE, OLD, PAGE, RW);
    read_reaches(DEV, PASID, IOVA - PAGE, OLD);
    map(&space, IOVA - PAGE, NEW, PAGE, RW);
    is_queued(wanted);
    read_reaches(DEV, PASID, IOVA - PAGE, OLD);
}
END_TEST

/* The page's own table is another one now. */
START_TEST(tables_that_lead_to_the_page_are_forgotten)
{
    given_machine();
    map(&space, IOVA, OLD, PAGE, RW);
    map(&space, IOVA + PAGE, OLD, PAGE, RW);
    read_reaches(DEV, PASID, IOVA + PAGE, OLD);
    poke(paging_entry_at(&space, IOVA, 2), new_page() | RW);
    map(&space, IOVA, NEW, PAGE, RW);
    is_queued(wanted);
    read_reaches(DEV, PASID, IOVA, NEW);
}
END_TEST

static Space other;

/* A request finds (PASID, DOMAIN); pages of the others stay. */
START_TEST(another_domain_keeps_its_page)
{
    given_machine();
    other = given_space(OTHER_DOMAIN, 4);
    given_pasid(DEV, OTHER_PASID, &other);
    map(&other, IOVA, OLD, PAGE, RW);
    read_reaches(DEV, OTHER_PASID, IOVA, OLD);
    map(&other, IOVA, NEW, PAGE, RW);
    given_pass_through(DEV, PASID, DOMAIN);
    is_queued(wanted);
    read_reaches(DEV, OTHER_PASID, IOVA, OLD);
}
END_TEST

/* Passing through, the entry of the page goes: the PASID's entry, which a
 * driver changed without a word, is asked again. */
START_TEST(passing_through_the_page_is_forgotten)
{
    given_machine();
    given_pass_through(DEV, PASID, DOMAIN);
    read_reaches(DEV, PASID, OLD, OLD);
    map(&space, OLD, NEW, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    execute(pasid_cache_global());
    read_reaches(DEV, PASID, OLD, OLD);
    given_pass_through(DEV, PASID, DOMAIN);
    DmarPageRequest request = wanted;
    request.addr = OLD;
    is_queued(request);
    given_pasid(DEV, PASID, &space);
    execute(pasid_cache_global());
    read_reaches(DEV, PASID, OLD, NEW);
}
END_TEST

START_TEST(without_pasid_the_page_of_rid_pasid_is_forgotten)
{
    given_machine();
    map(&space, IOVA, OLD, PAGE, RW);
    read_reaches(DEV, NO_PASID, IOVA, OLD);
    map(&space, IOVA, NEW, PAGE, RW);
    is_queued(without_pasid());
    read_reaches(DEV, NO_PASID, IOVA, NEW);
}
END_TEST

static void lost(unsigned how)
{
    switch (how) {
    case 0:
        is_answered(wanted, DMAR_PAGE_SUCCESS);
        break;
    case 1:
        set_reg(PQH_REG, 64);
        is_queued(stop_marker());
        break;
    }
}

START_TEST(a_request_that_is_lost_makes_nothing_be_forgotten)
{
    given_machine();
    given_full_queue();
    map(&space, IOVA, OLD, PAGE, RW);
    read_reaches(DEV, PASID, IOVA, OLD);
    map(&space, IOVA, NEW, PAGE, RW);
    lost(_i);
    read_reaches(DEV, PASID, IOVA, OLD);
}
END_TEST

/* ---- Responses [VT-d 7.6.1] ------------------------------------------------ */

static void responded(uint16_t sid, uint32_t pasid, unsigned group,
                      unsigned code)
{
    ck_assert_uint_eq(m.page_responses, 1);
    ck_assert_uint_eq(m.page_response[0].source_id, sid);
    ck_assert_uint_eq(m.page_response[0].pasid, pasid);
    ck_assert_uint_eq(m.page_response[0].group, group);
    ck_assert_uint_eq(m.page_response[0].code, code);
    m.page_responses = 0;
}

START_TEST(a_response_reaches_the_device)
{
    given_machine();
    execute(page_response(DEV, PASID, GROUP, _i));
    responded(DEV, PASID, GROUP, _i);
}
END_TEST

START_TEST(a_response_may_be_without_pasid)
{
    Descriptor d = page_response(DEV, NO_PASID, GROUP, DMAR_PAGE_SUCCESS);
    given_machine();
    execute(d);
    responded(DEV, NO_PASID, GROUP, DMAR_PAGE_SUCCESS);
    d.word[0] |= (uint64_t)PASID << 32;         /* ignored without PP */
    execute(d);
    responded(DEV, NO_PASID, GROUP, DMAR_PAGE_SUCCESS);
}
END_TEST

START_TEST(bit_66_of_a_response_is_ignored)
{
    Descriptor d = page_response(DEV, PASID, 0x1ff, DMAR_PAGE_INVALID);
    given_machine();
    d.word[1] |= 1 << 2;
    execute(d);
    responded(DEV, PASID, 0x1ff, DMAR_PAGE_INVALID);
}
END_TEST

static bool reserved_in_response(unsigned bit)
{
    return (bit > 4 && bit < 9) || bit == 52 || (bit > 52 && bit < 66) ||
           bit > 75;
}

START_TEST(reserved_bits_of_a_response_are_checked)
{
    Descriptor d = page_response(DEV, PASID, GROUP, DMAR_PAGE_SUCCESS);
    if (!reserved_in_response(_i)) {
        return;
    }
    given_machine();
    d.word[_i / 64] ^= BIT_AT(_i % 64);
    submit(d);
    queue_stops_with(IQEI_RESERVED);
    ck_assert_uint_eq(m.page_responses, 0);
}
END_TEST

START_TEST(a_unit_without_page_requests_knows_no_response)
{
    DmarConfig config = unit;
    config.page_requests = config.stop_markers = false;
    given_scalable(&config);
    submit(page_response(DEV, PASID, GROUP, DMAR_PAGE_SUCCESS));
    queue_stops_with(IQEI_TYPE);
}
END_TEST

START_TEST(a_narrow_queue_knows_no_response)
{
    power_on(&unit);
    given_queue(16);
    submit(page_response(DEV, PASID, GROUP, DMAR_PAGE_SUCCESS));
    queue_stops_with(IQEI_TYPE);
}
END_TEST

/* ---- Draining [VT-d 7.7, 7.8, 7.10] ---------------------------------------- */

START_TEST(a_drain_comes_after_requests_and_responses)
{
    given_machine();
    uint64_t status = new_page();
    unsigned index = reg(IQT_REG) / 32;
    is_queued(wanted);
    write_descriptor(index, wait_fence());
    write_descriptor(index + 1, page_response(DEV, PASID, GROUP, 0));
    write_descriptor(index + 2, p_iotlb_pasid(DOMAIN, PASID));
    write_descriptor(index + 3, p_device_tlb(DEV, PASID, ~0ull >> 1 & ~0xfffull,
                                             true));
    write_descriptor(index + 4, wait_drain(status, 1));
    set_reg(IQT_REG, (index + 5) * 32);
    executed();
    ck_assert_uint_eq(peek32(status), 1);
    ck_assert_uint_eq(tail(), 1);
    ck_assert_uint_eq(m.device_tlbs, 1);
    responded(DEV, PASID, GROUP, 0);
}
END_TEST

START_TEST(a_unit_without_drain_knows_none)
{
    DmarConfig config = unit;
    config.page_requests = config.stop_markers = false;
    given_scalable(&config);
    submit(wait_drain(new_page(), 1));
    queue_stops_with(IQEI_RESERVED);
}
END_TEST

static Suite *page_responses(void)
{
    Suite *s = suite_create("page_responses");
    TCase *t = tests_of(s, "caches");
    tcase_add_test(t, in_a_first_stage_the_page_of_the_pasid_is_forgotten);
    tcase_add_test(t, in_a_second_stage_the_page_of_the_domain_is_forgotten);
    tcase_add_test(t, nested_the_whole_domain_is_forgotten);
    tcase_add_test(t, the_page_before_stays);
    tcase_add_test(t, tables_that_lead_to_the_page_are_forgotten);
    tcase_add_test(t, another_domain_keeps_its_page);
    tcase_add_test(t, passing_through_the_page_is_forgotten);
    tcase_add_test(t, without_pasid_the_page_of_rid_pasid_is_forgotten);
    tcase_add_loop_test(t, a_request_that_is_lost_makes_nothing_be_forgotten, 0,
                        2);

    t = tests_of(s, "responses");
    tcase_add_loop_test(t, a_response_reaches_the_device, 0, 16);
    tcase_add_test(t, a_response_may_be_without_pasid);
    tcase_add_test(t, bit_66_of_a_response_is_ignored);
    tcase_add_loop_test(t, reserved_bits_of_a_response_are_checked, 0, 256);
    tcase_add_test(t, a_unit_without_page_requests_knows_no_response);
    tcase_add_test(t, a_narrow_queue_knows_no_response);
    tcase_add_test(t, a_drain_comes_after_requests_and_responses);
    tcase_add_test(t, a_unit_without_drain_knows_none);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(page_responses(), argc, argv);
}
