/*
 * Answers to translation requests [VT-d 4.2.3]: rights, size,
 * N, G, U and PRIV, for every type of translation.  What is refused is in
 * test_reasons.c, accessed and dirty bits are in test_dirty.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0240
#define PASID   0x71
#define DOMAIN  43
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE + 0x18)
#define GUEST   (9 * HUGE + 4 * LARGE + 7 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)

static const uint64_t sizes[] = { PAGE, LARGE, HUGE };

static Space space, second;

static void given_device(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
}

static void bind(const Space *s)
{
    given_pasid(DEV, PASID, s);
    given_rid(DEV, s);
}

static void given_second_stage(uint64_t size, unsigned rights)
{
    given_device(&widest);
    second = given_space(DOMAIN, 4);
    map(&second, IOVA & -size, TARGET & -size, size, rights);
    bind(&second);
}

static void given_first(uint64_t size, uint64_t bits)
{
    given_device(&widest);
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA & -size, TARGET & -size, size, bits);
    bind(&space);
}

static void given_both(uint64_t bits, unsigned rights)
{
    given_device(&widest);
    second = given_space(DOMAIN, 4);
    space = given_nested(&second, 4);
    map_fs(&space, IOVA & -PAGE, GUEST, PAGE, bits);
    map(&second, GUEST, TARGET, PAGE, rights);
    bind(&space);
}

static void options(unsigned options)
{
    given_options(DEV, PASID, options);
    given_options(DEV, RID_PASID, options);
    forget_everything();
}

static DmarRequest request(uint32_t pasid)
{
    return (DmarRequest) { .source_id = DEV, .pasid = pasid, .addr = IOVA,
                           .type = DMAR_TRANSLATION_REQUEST };
}

static void grants(DmarRequest r, unsigned rights, uint64_t addr, uint64_t size)
{
    DmarTranslation t = ask(r);
    ck_assert_msg(t.completion == DMAR_SUCCESS, "reason %02x", t.reason);
    ck_assert_int_eq(t.read, !!(rights & R));
    ck_assert_int_eq(t.write, !!(rights & W));
    ck_assert_uint_eq(t.addr, addr);
    ck_assert_uint_eq(t.size, size);
    ck_assert(!t.untranslated_only && !t.global);
    ck_assert_int_eq(t.privileged, r.pasid != NO_PASID && r.privileged);
    no_fault_left();
}

/* ---- Pages and sizes ------------------------------------------------------------- */

START_TEST(a_second_stage_answers_with_its_page)
{
    uint64_t size = sizes[_i], pa = (TARGET & -size) | (IOVA & (size - 1));
    given_second_stage(size, RW);
    grants(request(PASID), RW, pa, size);
    grants(request(NO_PASID), RW, pa, size);
    grants(request(PASID), RW, pa, size);           /* cached by now */
}
END_TEST

START_TEST(a_first_stage_answers_with_its_page)
{
    uint64_t size = sizes[_i], pa = (TARGET & -size) | (IOVA & (size - 1));
    given_first(size, USER_RW);
    grants(request(PASID), RW, pa, size);
    grants(request(NO_PASID), RW, pa, size);
}
END_TEST

START_TEST(nested_stages_answer_with_the_page_of_both)
{
    given_both(USER_RW, RW);
    grants(request(PASID), RW, TARGET | (IOVA & 0xfff), PAGE);
    map(&second, GUEST & -LARGE, TARGET & -LARGE, LARGE, RW);
    map_fs(&space, IOVA & -LARGE, GUEST & -LARGE, LARGE, USER_RW);
    forget_everything();
    grants(request(PASID), RW, (TARGET & -LARGE) | (IOVA & (LARGE - 1)), LARGE);
}
END_TEST

START_TEST(pass_through_answers_with_the_largest_page)
{
    static const struct {
        bool no_large, first_stage, first_stage_1g;
        uint64_t size;
    } units[] = {
        { false, false, false, HUGE }, { true, false, false, PAGE },
        { true, true, false, LARGE }, { true, true, true, HUGE },
    };
    DmarConfig config = plain;
    config.device_tlb = true;
    config.no_large_pages = units[_i].no_large;
    config.first_stage = units[_i].first_stage;
    config.first_stage_1g = units[_i].first_stage_1g;
    given_device(&config);
    given_pass_through(DEV, PASID, DOMAIN);
    grants(request(PASID), RW, IOVA, units[_i].size);
}
END_TEST

START_TEST(legacy_mode_answers_with_its_page)
{
    uint64_t size = sizes[_i], pa = (TARGET & -size) | (IOVA & (size - 1));
    given_legacy(&widest);
    second = given_space(DOMAIN, 4);
    map(&second, IOVA & -size, TARGET & -size, size, RW);
    given_legacy_context(DEV, TT_DEVICE_TLB, &second);
    grants(request(NO_PASID), RW, pa, size);
}
END_TEST

/* ---- Rights ------------------------------------------------------------------------ */

static void try_flags(unsigned rights, uint64_t pa)
{
    for (unsigned no_write = 0; no_write <= 1; no_write++) {
        DmarRequest r = request(PASID);
        r.no_write = no_write;
        grants(r, no_write ? rights & ~W : rights, pa, PAGE);
        grants(r, no_write ? rights & ~W : rights, pa, PAGE);
    }
}

START_TEST(the_rights_are_those_of_the_second_stage)
{
    given_second_stage(PAGE, _i);
    try_flags(_i, TARGET | (IOVA & 0xfff));
}
END_TEST

START_TEST(the_rights_are_those_that_both_stages_grant)
{
    uint64_t bits = USER | (_i / 4 ? WRITABLE : 0);
    unsigned rights = _i % 4;
    given_both(bits, rights);
    if (rights) {
        try_flags(bits & WRITABLE ? rights : rights & ~W,
                  TARGET | (IOVA & 0xfff));
    } else {
        request_granted_nothing(request(PASID), FAULT_SS_NOT_PRESENT);
    }
}
END_TEST

START_TEST(a_user_is_granted_a_users_pages)
{
    given_first(PAGE, USER);
    grants(request(PASID), R, TARGET | (IOVA & 0xfff), PAGE);
    map_fs(&space, IOVA & -PAGE, TARGET, PAGE, WRITABLE);
    forget_everything();
    request_granted_nothing(request(PASID), FAULT_PRIVILEGE_VIOLATION);
    request_granted_nothing(request(NO_PASID), FAULT_PRIVILEGE_VIOLATION);
}
END_TEST

START_TEST(a_supervisor_is_granted_what_wpe_leaves)
{
    DmarRequest r = request(PASID);
    r.privileged = true;
    given_first(PAGE, _i & 1 ? WRITABLE : 0);
    options(WITH_PWSNP | WITH_SRE | (_i & 2 ? WITH_WPE : 0));
    bool writes = (_i & 1) || !(_i & 2);
    grants(r, writes ? RW : R, TARGET | (IOVA & 0xfff), PAGE);
}
END_TEST

START_TEST(a_supervisor_without_leave_is_granted_nothing_and_told_so)
{
    DmarRequest r = request(PASID);
    r.privileged = true;
    given_first(PAGE, USER_RW);
    request_granted_nothing(r, FAULT_SUPERVISOR_BLOCKED);
    ck_assert(ask(r).privileged);
    grants(request(PASID), RW, TARGET | (IOVA & 0xfff), PAGE);
    request_granted_nothing(r, FAULT_SUPERVISOR_BLOCKED);   /* cached by now */
}
END_TEST

START_TEST(a_unit_without_supervisors_grants_them_nothing)
{
    DmarConfig config = widest;
    config.supervisor = config.rid_privilege = false;
    DmarRequest r = request(PASID);
    r.privileged = true;
    given_device(&config);
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA & -PAGE, TARGET, PAGE, USER_RW);
    bind(&space);
    request_granted_nothing(r, FAULT_SUPERVISOR_BLOCKED);
    ck_assert(ask(r).privileged);
}
END_TEST

START_TEST(rid_priv_grants_a_supervisors_rights_but_does_not_say_so)
{
    given_first(PAGE, 0);
    flip(context_entry_at(DEV), 84);
    request_granted_nothing(request(NO_PASID), FAULT_SUPERVISOR_BLOCKED);
    options(WITH_PWSNP | WITH_SRE);
    grants(request(NO_PASID), RW, TARGET | (IOVA & 0xfff), PAGE);
    request_granted_nothing(request(PASID), FAULT_PRIVILEGE_VIOLATION);
    options(WITH_PWSNP | WITH_SRE | WITH_WPE);
    grants(request(NO_PASID), R, TARGET | (IOVA & 0xfff), PAGE);
}
END_TEST

START_TEST(the_privilege_of_a_request_without_pasid_is_not_its_own)
{
    DmarRequest r = request(NO_PASID);
    r.privileged = r.execute = true;        /* there is no such field */
    given_first(PAGE, USER_RW);
    grants(r, RW, TARGET | (IOVA & 0xfff), PAGE);
}
END_TEST

/* ---- N [VT-d 4.2.3] --------------------------------------------------------------- */

static void n_is(bool expected)
{
    ck_assert_int_eq(ask(request(PASID)).no_snoop_forced, expected);
    ck_assert_int_eq(ask(request(PASID)).no_snoop_forced, expected);
    ck_assert_int_eq(ask(request(NO_PASID)).no_snoop_forced, expected);
}

START_TEST(n_is_pgsnp_of_a_first_stage)
{
    given_first(PAGE, USER_RW);
    flip(paging_entry_at(&space, IOVA, 1), 11);     /* ignored */
    n_is(false);
    options(WITH_PWSNP | WITH_PGSNP);
    n_is(true);
}
END_TEST

START_TEST(n_is_pgsnp_of_pass_through)
{
    given_device(&widest);
    given_pass_through(DEV, PASID, DOMAIN);
    given_pass_through(DEV, RID_PASID, DOMAIN);
    n_is(false);
    options(WITH_PGSNP);
    n_is(true);
}
END_TEST

START_TEST(n_is_pgsnp_or_snp_of_a_second_stage_leaf)
{
    if (_i & 4) {
        given_both(USER_RW, RW);
    } else {
        given_second_stage(PAGE, RW);
    }
    options(WITH_PWSNP | (_i & 1 ? WITH_PGSNP : 0));
    if (_i & 2) {
        flip(paging_entry_at(&second, _i & 4 ? GUEST : IOVA, 1), 11);
    }
    n_is(_i & 3);
}
END_TEST

START_TEST(n_is_snp_in_legacy_mode)
{
    given_legacy(&widest);
    second = given_space(DOMAIN, 4);
    map(&second, IOVA & -PAGE, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_DEVICE_TLB, &second);
    ck_assert(!ask(request(NO_PASID)).no_snoop_forced);
    flip(paging_entry_at(&second, IOVA, 1), 11);
    execute(iotlb_global());
    ck_assert(ask(request(NO_PASID)).no_snoop_forced);
}
END_TEST

/* ---- G [VT-d 4.1.2, 4.2.3] -------------------------------------------------------- */

#define OTHER_PASID 0x72

/* Though a first-stage leaf says that it is: other PASIDs have other pages. */
START_TEST(no_answer_is_for_every_pasid)
{
    uint64_t size = sizes[_i / 2];
    uint64_t pa = (TARGET & -size) | (IOVA & (size - 1));
    given_first(size, USER_RW | (_i % 2 ? BIT_AT(8) : 0));
    Space other = given_first_stage(DOMAIN, 4);
    map_fs(&other, IOVA & -size, GUEST & -size, size, USER_RW | BIT_AT(8));
    given_pasid(DEV, OTHER_PASID, &other);
    grants(request(PASID), RW, pa, size);
    grants(request(OTHER_PASID), RW, (GUEST & -size) | (IOVA & (size - 1)), size);
    grants(request(PASID), RW, pa, size);
    execute(p_iotlb_pasid(DOMAIN, OTHER_PASID));
    m.accesses = 0;
    grants(request(PASID), RW, pa, size);           /* is cached still */
    ck_assert_uint_eq(m.accesses, 0);
}
END_TEST

/* ---- The interrupt range [VT-d 3.15, 7.1.3 S.1, S.2, SGN.8] ---------------------------- */

START_TEST(a_device_is_told_to_send_interrupts_untranslated)
{
    static const uint64_t ends[] = { 0xfee00000, 0xfeefffff };
    DmarRequest r = request(NO_PASID);
    given_second_stage(PAGE, RW);
    r.addr = ends[_i];
    DmarTranslation t = ask(r);
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert(!t.read && t.write && t.untranslated_only && !t.global);
    ck_assert_uint_eq(t.size, PAGE);
    r.no_write = true;
    request_granted_nothing(r, FAULT_NONE);
}
END_TEST

START_TEST(beside_the_interrupt_range_pages_are_translated)
{
    static const uint64_t beside[] = { 0xfedfffff, 0xfef00000 };
    DmarRequest r = request(NO_PASID);
    given_second_stage(PAGE, RW);
    r.addr = beside[_i];
    request_granted_nothing(r, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_page_that_touches_the_interrupt_range_is_not_given_away)
{
    uint64_t size = sizes[_i];
    given_second_stage(PAGE, RW);
    map(&second, 0x80000000, 0xfee00000 & -size, size, RW);
    DmarRequest r = request(PASID);
    r.addr = 0x80000000 + size - PAGE;
    request_fails(r, DMAR_COMPLETER_ABORT, FAULT_INTERRUPT_RANGE);
    r.pasid = NO_PASID;
    request_fails(r, DMAR_COMPLETER_ABORT, FAULT_INTERRUPT_RANGE);
}
END_TEST

START_TEST(pages_of_pass_through_may_touch_the_interrupt_range)
{
    given_device(&widest);
    given_pass_through(DEV, PASID, DOMAIN);
    DmarRequest r = request(PASID);
    r.addr = 0xfee00000;
    grants(r, RW, 0xfee00000, HUGE);
}
END_TEST

/* ---- What others leave in the cache ----------------------------------------------------- */

START_TEST(an_answer_is_as_good_as_a_translation)
{
    given_second_stage(PAGE, RW);
    grants(request(PASID), RW, TARGET | (IOVA & 0xfff), PAGE);
    m.accesses = 0;
    both_reach(DEV, PASID, IOVA, TARGET | (IOVA & 0xfff));
    ck_assert_uint_eq(m.accesses, 0);
}
END_TEST

START_TEST(what_is_not_granted_is_not_kept)
{
    given_second_stage(PAGE, 0);
    request_granted_nothing(request(PASID), FAULT_SS_NOT_PRESENT);
    map(&second, IOVA & -PAGE, TARGET, PAGE, RW);
    grants(request(PASID), RW, TARGET | (IOVA & 0xfff), PAGE);
}
END_TEST

static Suite *translation_requests(void)
{
    Suite *s = suite_create("ats");
    TCase *t = tests_of(s, "pages");
    tcase_add_loop_test(t, a_second_stage_answers_with_its_page, 0, 3);
    tcase_add_loop_test(t, a_first_stage_answers_with_its_page, 0, 3);
    tcase_add_test(t, nested_stages_answer_with_the_page_of_both);
    tcase_add_loop_test(t, pass_through_answers_with_the_largest_page, 0, 4);
    tcase_add_loop_test(t, legacy_mode_answers_with_its_page, 0, 3);

    t = tests_of(s, "rights");
    tcase_add_loop_test(t, the_rights_are_those_of_the_second_stage, R, RW + 1);
    tcase_add_loop_test(t, the_rights_are_those_that_both_stages_grant, 0, 8);
    tcase_add_test(t, a_user_is_granted_a_users_pages);
    tcase_add_loop_test(t, a_supervisor_is_granted_what_wpe_leaves, 0, 4);
    tcase_add_test(t, a_supervisor_without_leave_is_granted_nothing_and_told_so);
    tcase_add_test(t, a_unit_without_supervisors_grants_them_nothing);
    tcase_add_test(t, rid_priv_grants_a_supervisors_rights_but_does_not_say_so);
    tcase_add_test(t, the_privilege_of_a_request_without_pasid_is_not_its_own);

    t = tests_of(s, "N");
    tcase_add_test(t, n_is_pgsnp_of_a_first_stage);
    tcase_add_test(t, n_is_pgsnp_of_pass_through);
    tcase_add_loop_test(t, n_is_pgsnp_or_snp_of_a_second_stage_leaf, 0, 8);
    tcase_add_test(t, n_is_snp_in_legacy_mode);

    t = tests_of(s, "G");
    tcase_add_loop_test(t, no_answer_is_for_every_pasid, 0, 6);

    t = tests_of(s, "interrupt range");
    tcase_add_loop_test(t, a_device_is_told_to_send_interrupts_untranslated, 0, 2);
    tcase_add_loop_test(t, beside_the_interrupt_range_pages_are_translated, 0, 2);
    tcase_add_loop_test(
        t, a_page_that_touches_the_interrupt_range_is_not_given_away, 0, 3);
    tcase_add_test(t, pages_of_pass_through_may_touch_the_interrupt_range);

    t = tests_of(s, "cache");
    tcase_add_test(t, an_answer_is_as_good_as_a_translation);
    tcase_add_test(t, what_is_not_granted_is_not_kept);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(translation_requests(), argc, argv);
}
