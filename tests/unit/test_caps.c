/*
 * What a configuration advertises [VT-d 11.4.2, 11.4.3], and which
 * configurations are refused because no hardware may have them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

static void advertises(const DmarConfig *config, uint64_t offset, uint64_t field,
                       uint64_t value)
{
    power_on(config);
    ck_assert_uint_eq(field_get(reg(offset), field), value);
}

#define FEWEST .aw_bits = 39, .host_width = 39, .domain_bits = 16
#define LEAST  FEWEST, .fault_records = 1

/* One ability each, and the bits that say so. */
static const struct {
    DmarConfig config;
    uint64_t offset, field;
} abilities[] = {
    { { LEAST, .scalable = true }, ECAP_REG, ECAP_SMTS },
    { { LEAST, .scalable = true }, ECAP_REG, ECAP_SSTS },
    { { LEAST, .scalable = true }, ECAP_REG, ECAP_RPS },
    { { LEAST, .scalable = true }, ECAP_REG, ECAP_SMPWCS },
    { { LEAST, .scalable = true, .first_stage = true }, ECAP_REG, ECAP_FSTS },
    { { LEAST, .scalable = true, .first_stage = true,
        .first_stage_5level = true }, CAP_REG, CAP_FS5LP },
    { { LEAST, .scalable = true, .first_stage = true, .first_stage_1g = true },
      CAP_REG, CAP_FS1GP },
    { { LEAST, .scalable = true, .first_stage = true,
        .extended_accessed = true }, ECAP_REG, ECAP_EAFS },
    { { LEAST, .scalable = true, .first_stage = true, .nested = true },
      ECAP_REG, ECAP_NEST },
    { { LEAST, .scalable = true, .supervisor = true }, ECAP_REG, ECAP_SRS },
    { { LEAST, .scalable = true, .supervisor = true, .rid_privilege = true },
      ECAP_REG, ECAP_RPRIVS },
    { { LEAST, .scalable = true, .second_stage_dirty = true }, ECAP_REG,
      ECAP_SSADS },
    { { LEAST, .scalable = true, .pasid_bits = 20 }, ECAP_REG, ECAP_PASID },
    { { LEAST, .abort_dma = true }, ECAP_REG, ECAP_ADMS },
    { { LEAST, .root_invalidates = true }, CAP_REG, CAP_ESRTPS },
    { { LEAST, .protected_memory = true }, CAP_REG, CAP_PLMR },
    { { LEAST, .protected_memory = true }, CAP_REG, CAP_PHMR },
    { { LEAST, .device_tlb = true, .no_write_flag = true }, ECAP_REG,
      ECAP_NWFS },
    { { LEAST, .device_tlb = true, .device_tlb_throttle = true }, ECAP_REG,
      ECAP_DIT },
    { { LEAST, .scalable = true, .device_tlb = true, .page_requests = true },
      ECAP_REG, ECAP_PRS },
    { { LEAST, .scalable = true, .device_tlb = true, .page_requests = true },
      ECAP_REG, ECAP_PDS },
    { { LEAST, .scalable = true, .device_tlb = true, .page_requests = true,
        .stop_markers = true }, ECAP_REG, ECAP_SMS },
    { { LEAST, .interrupt_remapping = true, .posted_interrupts = true },
      CAP_REG, CAP_PI },
    { { LEAST, .interrupt_remapping = true, .interrupt_root_invalidates = true },
      CAP_REG, CAP_ESIRTPS },
    { { LEAST, .pass_through = true }, ECAP_REG, ECAP_PT },
    { { LEAST, .snoop_control = true }, ECAP_REG, ECAP_SC },
    { { LEAST, .caching_mode = true }, CAP_REG, CAP_CM },
    { { LEAST, .device_tlb = true }, ECAP_REG, ECAP_DT },
    { { LEAST, .interrupt_remapping = true }, ECAP_REG, ECAP_IR },
    { { LEAST, .interrupt_remapping = true, .x2apic = true }, ECAP_REG,
      ECAP_EIM },
};

START_TEST(an_ability_is_advertised)
{
    advertises(&abilities[_i].config, abilities[_i].offset, abilities[_i].field,
               1);
}
END_TEST

START_TEST(an_ability_that_is_missing_is_not_advertised)
{
    DmarConfig least = { LEAST };
    advertises(&least, abilities[_i].offset, abilities[_i].field, 0);
}
END_TEST

START_TEST(every_unit_has_queued_invalidation)
{
    DmarConfig least = { LEAST };
    advertises(&least, ECAP_REG, ECAP_QI, 1);
}
END_TEST

/* Memory types, virtual commands, write buffers... */
static const struct {
    uint64_t offset, field;
} never[] = {
    { ECAP_REG, ECAP_ERS }, { ECAP_REG, BIT_AT(24) }, { ECAP_REG, ECAP_MTS },
    { ECAP_REG, ECAP_VCS }, { CAP_REG, CAP_RWBF },
    { CAP_REG, BIT_AT(3) },
};

START_TEST(what_the_unit_cannot_do_is_never_advertised)
{
    advertises(&widest, never[_i].offset, never[_i].field, 0);
}
END_TEST

START_TEST(reserved_capability_bits_are_zero)
{
    power_on(&widest);
    uint64_t cap = reg(CAP_REG), ecap = reg(ECAP_REG);
    ck_assert_uint_eq(cap & (BITS(15, 13) | BIT_AT(23) | BIT_AT(38) |
                             BITS(58, 57)), 0);
    ck_assert_uint_eq(ecap & (BIT_AT(5) | BITS(19, 18) | BIT_AT(32) |
                              BIT_AT(54) | BIT_AT(63)), 0);
}
END_TEST

START_TEST(widths_are_advertised)
{
    static const unsigned widths[] = { 39, 48, 57 };
    DmarConfig config = widest;
    config.aw_bits = widths[_i];
    config.host_width = 39;
    power_on(&config);
    uint64_t cap = reg(CAP_REG);
    ck_assert_uint_eq(field_get(cap, CAP_MGAW), widths[_i] - 1);
    ck_assert(field_get(cap, CAP_SAGAW) & 1u << (_i + 1));
    ck_assert_uint_lt(field_get(cap, CAP_SAGAW), 1u << (_i + 2));
    ck_assert(!(field_get(cap, CAP_SAGAW) & 1));
}
END_TEST

/* From the narrowest to the widest. */
START_TEST(narrow_widths_may_be_missing)
{
    static const struct {
        uint8_t least, widest;
        unsigned sagaw;
    } rows[] = {
        { 0, 39, 2 }, { 39, 39, 2 }, { 39, 48, 6 }, { 48, 48, 4 }, { 0, 57, 14 },
        { 39, 57, 14 }, { 48, 57, 12 }, { 57, 57, 8 },
    };
    DmarConfig config = widest;
    config.host_width = 39;
    config.aw_bits = rows[_i].widest;
    config.min_aw_bits = rows[_i].least;
    power_on(&config);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_SAGAW), rows[_i].sagaw);
}
END_TEST

START_TEST(an_address_mask_is_as_wide_as_is_asked)
{
    DmarConfig config = widest;
    config.max_address_mask = _i;
    power_on(&config);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_MAMV), _i);
}
END_TEST

START_TEST(large_pages_are_advertised)
{
    advertises(&widest, CAP_REG, CAP_SSLPS, 3);
    ck_assert_uint_ge(field_get(reg(CAP_REG), CAP_MAMV), 18);
    ck_assert(reg(CAP_REG) & CAP_PSI);
}
END_TEST

START_TEST(fault_records_are_advertised)
{
    DmarConfig config = widest;
    config.fault_records = _i;
    advertises(&config, CAP_REG, CAP_NFR, _i - 1);
    ck_assert_uint_le(fault_record_at(_i), DMAR_MMIO_SIZE);
}
END_TEST

START_TEST(pasid_bits_are_advertised)
{
    DmarConfig config = widest;
    config.pasid_bits = _i;
    advertises(&config, ECAP_REG, ECAP_PSS, _i - 1);
}
END_TEST

START_TEST(domain_bits_are_advertised)
{
    DmarConfig config = widest;
    config.domain_bits = 4 + 2 * _i;
    advertises(&config, CAP_REG, CAP_ND, _i);
}
END_TEST

START_TEST(register_blocks_do_not_overlap)
{
    power_on(&widest);
    ck_assert_uint_ge(iotlb_reg() - 8, 0xf0);
    ck_assert(fault_record_at(0) >= iotlb_reg() + 8 ||
              fault_record_at(widest.fault_records) <= iotlb_reg() - 8);
    ck_assert_uint_ge(fault_record_at(0), 0xc0);
}
END_TEST

/* [VT-d 11.4.1]: from major version 6 on, registers invalidate nothing, and
 * from 8 on, execute requests have a reason of their own. */
START_TEST(the_version_promises_what_the_unit_does)
{
    power_on(&widest);
    ck_assert_uint_ge(field_get(reg32(VER_REG), VER_MAX), 1);
    ck_assert_uint_lt(field_get(reg32(VER_REG), VER_MAX), 6);
}
END_TEST

/* From major version 2 on, every IOTLB invalidation drains. */
START_TEST(draining_is_advertised)
{
    power_on(&widest);
    ck_assert(reg(CAP_REG) & CAP_DWD);
    ck_assert(reg(CAP_REG) & CAP_DRD);
    ck_assert(reg(CAP_REG) & CAP_ZLR);
}
END_TEST

START_TEST(a_scalable_unit_needs_no_write_buffer_flush)
{
    advertises(&dmar_config_default, CAP_REG, CAP_RWBF, 0);
    ck_assert(reg(ECAP_REG) & ECAP_SMTS);
    ck_assert_uint_eq(field_get(reg(ECAP_REG), ECAP_PSS), 19);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------- */


/* ... and @words of the message say why. */
static void is_refused(const DmarConfig *config, const char *words)
{
    g_autoptr(GError) error = NULL;
    DmarHost host = { 0 };
    Dmar *dmar = dmar_new(config, &host, NULL, &error);
    ck_assert_msg(!dmar, "is not refused: %s", words);
    ck_assert(g_error_matches(error, DMAR_ERROR, DMAR_ERROR_CONFIG));
    ck_assert_msg(strstr(error->message, words) != NULL,
                  "\"%s\" does not say \"%s\"", error->message, words);
}

START_TEST(an_odd_width_is_refused)
{
    for (unsigned bits = 0; bits < 256; bits++) {
        DmarConfig config = widest;
        config.aw_bits = bits;
        config.host_width = 39;
        if (bits != 39 && bits != 48 && bits != 57) {
            is_refused(&config, "address width must be 39, 48 or 57 bits");
        }
    }
}
END_TEST

START_TEST(a_least_width_that_is_none_or_too_wide_is_refused)
{
    for (unsigned bits = 1; bits < 256; bits++) {
        DmarConfig config = widest;
        config.aw_bits = 48;
        config.min_aw_bits = bits;
        if (bits != 39 && bits != 48) {
            is_refused(&config, bits == 57 ? "must not exceed the widest"
                                           : "39, 48 or 57");
        }
    }
}
END_TEST

START_TEST(an_address_mask_that_names_no_large_page_is_refused)
{
    for (unsigned bits = 1; bits < 256; bits++) {
        DmarConfig config = widest;
        config.max_address_mask = bits;
        if (bits < 18 || bits > 52) {
            is_refused(&config, "18 to 52 bits");
        }
    }
}
END_TEST

START_TEST(a_host_width_that_no_host_has_is_refused)
{
    for (unsigned bits = 0; bits < 256; bits++) {
        DmarConfig config = widest;
        config.host_width = bits;
        if (bits < 36 || bits > 52) {
            is_refused(&config, "host address width must be 36 to 52 bits");
        }
    }
}
END_TEST

START_TEST(a_pasid_width_that_does_not_exist_is_refused)
{
    for (unsigned bits = 1; bits < 256; bits++) {
        DmarConfig config = widest;
        config.pasid_bits = bits;
        if (bits < 7 || bits > 20) {
            is_refused(&config, "PASIDs are 7 to 20 bits wide");
        }
    }
}
END_TEST

START_TEST(a_domain_width_that_does_not_exist_is_refused)
{
    for (unsigned bits = 0; bits < 256; bits++) {
        DmarConfig config = widest;
        config.domain_bits = bits;
        if (bits < 4 || bits > 16 || bits % 2) {
            is_refused(&config, "domain-ids are 4, 6, 8, 10, 12, 14 or 16 bits");
        }
    }
}
END_TEST

/* What no hardware has: the rest of the configuration is sound. */
static const struct {
    DmarConfig config;
    const char *words;
} impossible[] = {
    { { .aw_bits = 39, .host_width = 40, .domain_bits = 16, .fault_records = 1 },
      "must not exceed the second-stage address width" },
    { { .aw_bits = 48, .host_width = 52, .domain_bits = 16, .fault_records = 1 },
      "must not exceed the second-stage address width" },
    { { FEWEST, .fault_records = 0 }, "1 to 64 fault records" },
    { { FEWEST, .fault_records = DMAR_MAX_FAULT_RECORDS + 1 },
      "1 to 64 fault records" },
    { { FEWEST, .fault_records = 256 }, "1 to 64 fault records" },
    { { FEWEST, .fault_records = UINT16_MAX }, "1 to 64 fault records" },
    { { LEAST, .perf_counters = DMAR_MAX_PERF_COUNTERS + 1 },
      "up to 8 performance counters" },
    { { LEAST, .perf_counters = UINT8_MAX }, "up to 8 performance counters" },
    { { LEAST, .pasid_bits = 20 }, "PASIDs need scalable mode" },
    { { LEAST, .scalable = true, .no_second_stage = true },
      "a first stage, a second stage or both" },
    { { LEAST, .no_second_stage = true },
      "a first stage, a second stage or both" },
    { { LEAST, .scalable = true, .version = 9 }, "major version is 1 to 8" },
    { { LEAST, .scalable = true, .version = UINT8_MAX },
      "major version is 1 to 8" },
    { { LEAST, .scalable = true, .no_drain = true }, "drain requests" },
    { { LEAST, .version = 2, .no_drain = true }, "drain requests" },
    { { LEAST, .version = 6 }, "SAGAW is 0 where SSTS is" },
    { { LEAST, .version = 7 }, "SAGAW is 0 where SSTS is" },
    { { LEAST, .version = 8 }, "SAGAW is 0 where SSTS is" },
};

START_TEST(what_no_hardware_has_is_refused)
{
    is_refused(&impossible[_i].config, impossible[_i].words);
}
END_TEST

/* [VT-d 11.4.2, SAGAW] */
START_TEST(any_version_may_have_scalable_mode_and_those_below_6_may_lack_it)
{
    DmarConfig config = { LEAST, .version = _i, .scalable = true };
    advertises(&config, CAP_REG, CAP_SAGAW, 2);
    ck_assert_uint_eq(reg32(VER_REG), (unsigned)_i << 4);
    config.scalable = false;
    if (_i < 6) {
        advertises(&config, CAP_REG, CAP_SAGAW, 2);
    }
}
END_TEST

#define WITHOUT(feature, need)  "(" feature ") cannot be had without " need

/* A feature without what it needs. */
static const struct {
    DmarConfig config;
    const char *words;
} orphans[] = {
    { { LEAST, .x2apic = true }, WITHOUT("eim", "interrupt remapping") },
    { { LEAST, .posted_interrupts = true },
      WITHOUT("pi", "interrupt remapping") },
    { { LEAST, .interrupt_root_invalidates = true },
      WITHOUT("esirtps", "interrupt remapping") },
    { { LEAST, .first_stage = true }, WITHOUT("fs", "scalable mode") },
    { { LEAST, .scalable = true, .first_stage_5level = true },
      WITHOUT("fs5lp", "first-stage translation") },
    { { LEAST, .scalable = true, .first_stage_1g = true },
      WITHOUT("fs1gp", "first-stage translation") },
    { { LEAST, .scalable = true, .extended_accessed = true },
      WITHOUT("eafs", "first-stage translation") },
    { { LEAST, .scalable = true, .first_stage = true, .extended_accessed = true,
        .incoherent_walk = true }, WITHOUT("eafs", "coherent page walks") },
    { { LEAST, .scalable = true, .nested = true },
      WITHOUT("nest", "first-stage translation") },
    { { LEAST, .scalable = true, .nested = true, .first_stage = true,
        .no_second_stage = true }, WITHOUT("nest", "second-stage translation") },
    { { LEAST, .supervisor = true }, WITHOUT("srs", "scalable mode") },
    { { LEAST, .scalable = true, .rid_privilege = true },
      WITHOUT("rid-priv", "requests with supervisor privilege") },
    { { LEAST, .second_stage_dirty = true },
      WITHOUT("ssads", "scalable mode") },
    { { LEAST, .scalable = true, .first_stage = true, .no_second_stage = true,
        .second_stage_dirty = true },
      WITHOUT("ssads", "second-stage translation") },
    { { LEAST, .scalable = true, .second_stage_dirty = true,
        .incoherent_walk = true }, WITHOUT("ssads", "coherent page walks") },
    { { LEAST, .no_write_flag = true }, WITHOUT("nwfs", "device TLBs") },
    { { LEAST, .device_tlb_throttle = true }, WITHOUT("dit", "device TLBs") },
    { { LEAST, .scalable = true, .page_requests = true },
      WITHOUT("pri", "device TLBs") },
    { { LEAST, .device_tlb = true, .page_requests = true },
      WITHOUT("pri", "scalable mode") },
    { { LEAST, .scalable = true, .device_tlb = true, .stop_markers = true },
      WITHOUT("sms", "page requests") },
};

START_TEST(a_feature_without_what_it_needs_is_refused)
{
    is_refused(&orphans[_i].config, orphans[_i].words);
}
END_TEST

START_TEST(a_unit_without_second_stage_has_no_widths_for_it)
{
    DmarConfig config = { LEAST, .scalable = true, .first_stage = true,
                          .no_second_stage = true };
    power_on(&config);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_SAGAW), 0);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_SSLPS), 0);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_MGAW), 38);
    ck_assert(!(reg(ECAP_REG) & ECAP_SSTS));
    ck_assert(reg(ECAP_REG) & ECAP_FSTS);
}
END_TEST

START_TEST(what_usual_units_have_can_be_missing)
{
    DmarConfig config = { LEAST, .scalable = true, .no_large_pages = true,
                          .no_rid_pasid = true, .incoherent_walk = true };
    power_on(&config);
    ck_assert_uint_eq(field_get(reg(CAP_REG), CAP_SSLPS), 0);
    ck_assert(!(reg(ECAP_REG) & (ECAP_RPS | ECAP_SMPWCS)));
}
END_TEST

static Suite *caps(void)
{
    Suite *s = suite_create("caps");
    TCase *t = tests_of(s, "advertised");
    tcase_add_loop_test(t, an_ability_is_advertised, 0, G_N_ELEMENTS(abilities));
    tcase_add_loop_test(t, an_ability_that_is_missing_is_not_advertised, 0,
                        G_N_ELEMENTS(abilities));
    tcase_add_test(t, every_unit_has_queued_invalidation);
    tcase_add_loop_test(t, what_the_unit_cannot_do_is_never_advertised, 0,
                        G_N_ELEMENTS(never));
    tcase_add_test(t, reserved_capability_bits_are_zero);
    tcase_add_loop_test(t, widths_are_advertised, 0, 3);
    tcase_add_loop_test(t, narrow_widths_may_be_missing, 0, 8);
    tcase_add_loop_test(t, an_address_mask_is_as_wide_as_is_asked, 18, 53);
    tcase_add_test(t, large_pages_are_advertised);
    tcase_add_loop_test(t, fault_records_are_advertised, 1,
                        DMAR_MAX_FAULT_RECORDS + 1);
    tcase_add_loop_test(t, pasid_bits_are_advertised, 7, 21);
    tcase_add_loop_test(t, domain_bits_are_advertised, 0, 7);
    tcase_add_test(t, register_blocks_do_not_overlap);
    tcase_add_test(t, the_version_promises_what_the_unit_does);
    tcase_add_test(t, draining_is_advertised);
    tcase_add_test(t, a_scalable_unit_needs_no_write_buffer_flush);
    tcase_add_test(t, a_unit_without_second_stage_has_no_widths_for_it);
    tcase_add_test(t, what_usual_units_have_can_be_missing);

    t = tests_of(s, "refused");
    tcase_add_test(t, an_odd_width_is_refused);
    tcase_add_test(t, a_least_width_that_is_none_or_too_wide_is_refused);
    tcase_add_test(t, an_address_mask_that_names_no_large_page_is_refused);
    tcase_add_test(t, a_host_width_that_no_host_has_is_refused);
    tcase_add_test(t, a_pasid_width_that_does_not_exist_is_refused);
    tcase_add_test(t, a_domain_width_that_does_not_exist_is_refused);
    tcase_add_loop_test(t, what_no_hardware_has_is_refused, 0,
                        G_N_ELEMENTS(impossible));
    tcase_add_loop_test(t,
        any_version_may_have_scalable_mode_and_those_below_6_may_lack_it, 1, 9);
    tcase_add_loop_test(t, a_feature_without_what_it_needs_is_refused, 0,
                        G_N_ELEMENTS(orphans));
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(caps(), argc, argv);
}
