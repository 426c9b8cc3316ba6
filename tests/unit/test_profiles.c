/*
 * Configurations with a name, and features by name [VT-d 11.4.2, 11.4.3].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <inttypes.h>
#include <string.h>

static unsigned profiles(void)
{
    return dmar_profile_count();
}

START_TEST(every_profile_is_a_unit_that_can_be)
{
    for (unsigned i = 0; i < profiles(); i++) {
        power_on(dmar_profile(dmar_profile_name(i)));
        ck_assert_uint_gt(strlen(dmar_profile_about(i)), 5);
    }
}
END_TEST

START_TEST(a_profile_that_does_not_exist_is_none)
{
    ck_assert_ptr_null(dmar_profile("no such machine"));
    ck_assert_ptr_null(dmar_profile(""));
}
END_TEST

/* What processors report, and the fields in which this unit may differ: where
 * registers are, memory types. */
static const struct {
    const char *name;
    uint64_t version, cap, ecap, other_cap, other_ecap;
} real[] = {
    { "skx", 0x10, 0x08d2078c106f0466, 0xf020df,
      CAP_FRO, ECAP_IRO },
    { "spr", 0x60, 0x19ed008c40780c66, 0x3ee9e86f050df,
      CAP_FRO,
      ECAP_IRO | ECAP_MTS | ECAP_PASID | ECAP_PRS },
};

START_TEST(a_profile_reports_what_the_processor_reports)
{
    power_on(dmar_profile(real[_i].name));
    ck_assert_uint_eq(reg32(VER_REG), real[_i].version);
    ck_assert_uint_eq((reg(CAP_REG) ^ real[_i].cap) & ~real[_i].other_cap, 0);
    ck_assert_uint_eq((reg(ECAP_REG) ^ real[_i].ecap) & ~real[_i].other_ecap, 0);
}
END_TEST

/* Ours, which guests are told of by name: they do not change by accident. */
static const struct {
    const char *name;
    uint64_t version, cap, ecap;
} ours[] = {
    { "full", 0x50, 0x39d2078c806f0606, 0x41bef9ea4f00fdf },
    { "full57", 0x50, 0x39d2078c80780e06, 0x41bef9ea4f00fdf },
    { "first-stage", 0x50, 0x11d20780806f0006, 0x38d9820f00fdf },
    { "second-stage", 0x50, 0xd2078c806f0606, 0x3499800f00fdf },
    { "legacy", 0x50, 0xd2078c806f0606, 0xf00fdf },
    { "skx", 0x10, 0x8d2078c806f0466, 0xf00fdf },
    { "spr", 0x60, 0x19ed008c80780c66, 0x3ef9ea4f00fdf },
};

START_TEST(a_profile_stays_what_it_is)
{
    power_on(dmar_profile(ours[_i].name));
    ck_assert_msg(reg32(VER_REG) == ours[_i].version &&
                  reg(CAP_REG) == ours[_i].cap && reg(ECAP_REG) == ours[_i].ecap,
                  "%s: version %#x cap %#" PRIx64 " ecap %#" PRIx64,
                  ours[_i].name, reg32(VER_REG), reg(CAP_REG), reg(ECAP_REG));
}
END_TEST

START_TEST(every_feature_can_be_set_and_unset_by_name)
{
    for (unsigned i = 0; i < dmar_feature_count(); i++) {
        const char *name = dmar_feature_name(i);
        DmarConfig config = *dmar_profile("full57");
        for (unsigned on = 0; on < 2; on++) {
            dmar_feature_set(&config, name, on);
            ck_assert_msg(dmar_feature_get(&config, name) == on, "%s", name);
        }
        ck_assert_uint_gt(strlen(dmar_feature_about(i)), 5);
    }
}
END_TEST

START_TEST(a_feature_is_possible_where_its_needs_are_met)
{
    DmarConfig config = *dmar_profile("full");
    ck_assert(dmar_feature_possible(&config, "nest"));
    dmar_feature_set(&config, "ss", false);
    ck_assert(!dmar_feature_possible(&config, "nest"));
    ck_assert(dmar_feature_possible(&config, "eafs"));
    dmar_feature_set(&config, "smpwc", false);
    ck_assert(!dmar_feature_possible(&config, "eafs"));
    ck_assert(dmar_feature_possible(&config, "pt"));
}
END_TEST

/* So that a walk down the list leaves out all that lacks something. */
START_TEST(a_feature_comes_after_what_it_needs)
{
    DmarConfig none = { .no_second_stage = true, .no_large_pages = true,
                        .incoherent_walk = true, .no_rid_pasid = true };
    for (unsigned i = 0; i < dmar_feature_count(); i++) {
        ck_assert_msg(dmar_feature_possible(&none, dmar_feature_name(i)), "%s",
                      dmar_feature_name(i));
        dmar_feature_set(&none, dmar_feature_name(i), true);
    }
}
END_TEST

START_TEST(an_old_unit_may_be_unable_to_drain)
{
    DmarConfig config = widest;
    config.version = 1;
    config.no_drain = true;
    power_on(&config);
    ck_assert_uint_eq(reg32(VER_REG), 0x10);
    uint64_t cap = reg(CAP_REG);
    config.no_drain = false;
    power_on(&config);
    ck_assert_uint_eq(cap, reg(CAP_REG) & ~(CAP_DRD | CAP_DWD));
}
END_TEST

/* [VT-d 6.5.1]: from version 6 on there is the queue alone. */
START_TEST(invalidation_by_register_ends_with_version_5)
{
    DmarConfig config = widest;
    config.version = _i;
    power_on(&config);
    set_root(new_page(), TTM_LEGACY);
    set_reg(iotlb_reg(), IOTLB_IVT | BIT_AT(60));
    set_reg(CCMD_REG, CCMD_ICC | BIT_AT(61));
    unsigned done = _i < 6 ? 1 : 0;
    ck_assert_uint_eq(field_get(reg(iotlb_reg()), IOTLB_IAIG), done);
    ck_assert_uint_eq(field_get(reg(CCMD_REG), CCMD_CAIG), done);
    ck_assert(!(reg(iotlb_reg()) & IOTLB_IVT) && !(reg(CCMD_REG) & CCMD_ICC));
}
END_TEST

/* [VT-d 7.1.3, RTA.5, SPT.5] */
START_TEST(an_execute_request_is_unknown_from_version_8_on)
{
    DmarConfig config = widest;
    config.version = _i;
    given_scalable(&config);
    given_context(0x100);
    Space space = given_space(3, 4);
    given_pasid(0x100, 5, &space);
    DmarTranslation t = ask((DmarRequest) {
        .source_id = 0x100, .pasid = 5, .addr = PAGE, .access = DMAR_READ,
        .execute = true });
    uint8_t reason = _i < 8 ? FAULT_EXECUTE_BLOCKED : FAULT_EXECUTE_UNKNOWN;
    ck_assert_uint_eq(t.reason, reason);
    fault_left(reason, 0x100);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("profiles");
    TCase *t = tests_of(s, "profiles");
    tcase_add_test(t, every_profile_is_a_unit_that_can_be);
    tcase_add_test(t, a_profile_that_does_not_exist_is_none);
    tcase_add_loop_test(t, a_profile_reports_what_the_processor_reports, 0,
                        G_N_ELEMENTS(real));
    tcase_add_loop_test(t, a_profile_stays_what_it_is, 0, G_N_ELEMENTS(ours));

    t = tests_of(s, "features");
    tcase_add_test(t, every_feature_can_be_set_and_unset_by_name);
    tcase_add_test(t, a_feature_is_possible_where_its_needs_are_met);
    tcase_add_test(t, a_feature_comes_after_what_it_needs);

    t = tests_of(s, "versions");
    tcase_add_test(t, an_old_unit_may_be_unable_to_drain);
    tcase_add_loop_test(t, invalidation_by_register_ends_with_version_5, 1, 9);
    tcase_add_loop_test(t, an_execute_request_is_unknown_from_version_8_on, 6, 9);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(suite(), argc, argv);
}
