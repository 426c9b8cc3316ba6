/*
 * Protected memory regions [VT-d 11.4.8].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0100
#define PASID   9
#define LOW     0x30000000ull
#define HIGH    0x240000000ull

static DmarConfig config;

/* One region of 1 MiB below 4 GiB and one above. */
static void given_regions(void)
{
    set_reg32(PLMBASE_REG, LOW);
    set_reg32(PLMLIMIT_REG, LOW);
    set_reg(PHMBASE_REG, HIGH);
    set_reg(PHMLIMIT_REG, HIGH);
}

static void protect(bool on)
{
    set_reg32(PMEN_REG, on ? PMEN_EPM : 0);
    ck_assert_uint_eq(reg32(PMEN_REG) & PMEN_PRS, on);
}

static void given_unit(void)
{
    config = widest;
    config.protected_memory = true;
    power_on(&config);
    given_regions();
}

static void passes(DmarAccess access, uint64_t addr)
{
    DmarTranslation t = dma(access, DEV, NO_PASID, addr);
    ck_assert_msg(t.completion == DMAR_SUCCESS && t.addr == addr, "%lx", addr);
}

static void refused(DmarAccess access, uint32_t pasid, uint64_t addr)
{
    DmarTranslation t = dma(access, DEV, pasid, addr);
    ck_assert_msg(t.completion == DMAR_UNSUPPORTED_REQUEST && t.reason == 0 &&
                  !t.read && !t.write, "%lx", addr);
}

START_TEST(nothing_is_protected_until_software_says_so)
{
    given_unit();
    passes(DMAR_READ, LOW);
    protect(true);
    refused(DMAR_READ, NO_PASID, LOW);
    protect(false);
    passes(DMAR_WRITE, LOW);
}
END_TEST

START_TEST(a_region_begins_at_its_base_and_ends_at_its_limit)
{
    uint64_t base = _i ? HIGH : LOW;
    given_unit();
    protect(true);
    passes(DMAR_WRITE, base - 1);
    refused(DMAR_READ, NO_PASID, base);
    refused(DMAR_WRITE, NO_PASID, base);
    refused(DMAR_ATOMIC, NO_PASID, base + MIB - 1);
    passes(DMAR_WRITE, base + MIB);
}
END_TEST

START_TEST(a_limit_below_its_base_protects_nothing)
{
    given_unit();
    set_reg32(PLMLIMIT_REG, LOW - MIB);
    set_reg(PHMLIMIT_REG, HIGH - MIB);
    protect(true);
    passes(DMAR_WRITE, LOW);
    passes(DMAR_WRITE, LOW - MIB);
    passes(DMAR_WRITE, HIGH);
}
END_TEST

/* Software finds the alignment by writing ones. */
START_TEST(the_low_bits_of_bases_and_limits_do_not_exist)
{
    given_unit();
    set_reg32(PLMBASE_REG, ~0u);
    set_reg32(PLMLIMIT_REG, ~0u);
    set_reg(PHMBASE_REG, ~0ull);
    set_reg(PHMLIMIT_REG, ~0ull);
    ck_assert_uint_eq(reg32(PLMBASE_REG), 0xfff00000);
    ck_assert_uint_eq(reg32(PLMLIMIT_REG), 0xfff00000);
    ck_assert_uint_eq(reg(PHMBASE_REG) & low_bits(46), 0x3ffffff00000);
    ck_assert_uint_eq(reg(PHMLIMIT_REG) & low_bits(46), 0x3ffffff00000);
}
END_TEST

START_TEST(a_unit_without_them_has_no_such_registers)
{
    static const unsigned offsets[] = { PMEN_REG, PLMBASE_REG, PLMLIMIT_REG,
                                        PHMBASE_REG, PHMLIMIT_REG };
    power_on(&widest);
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        set_reg32(offsets[i], ~0u);
        ck_assert_uint_eq(reg32(offsets[i]), 0);
    }
    passes(DMAR_WRITE, ~0xfffull);
}
END_TEST

/* The page that leads there is sound; not even a fault is recorded. */
START_TEST(tables_lead_around_no_region)
{
    config = widest;
    config.protected_memory = true;
    given_scalable(&config);
    given_regions();
    given_context(DEV);
    Space space = given_space(4, 4);
    map(&space, 0x1000, LOW + 0x5000, PAGE, RW);
    map(&space, 0x2000, LOW - PAGE, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    both_reach(DEV, PASID, 0x1000, LOW + 0x5000);
    protect(true);
    refused(DMAR_READ, PASID, 0x1000);
    refused(DMAR_WRITE, NO_PASID, 0x1000);
    both_reach(DEV, PASID, 0x2000, LOW - PAGE);
    protect(false);
    both_reach(DEV, PASID, 0x1000, LOW + 0x5000);
}
END_TEST

START_TEST(an_answer_never_covers_a_region)
{
    config = widest;
    config.protected_memory = true;
    given_scalable(&config);
    given_regions();
    given_context(DEV);
    given_pass_through(DEV, PASID, 3);
    protect(true);
    static const uint64_t addrs[] = { LOW - 1, LOW + MIB, HIGH - 1, HIGH + MIB };
    for (unsigned i = 0; i < G_N_ELEMENTS(addrs); i++) {
        DmarTranslation t = dma(DMAR_READ, DEV, PASID, addrs[i]);
        uint64_t first = t.addr & -t.size, last = first + (t.size - 1);
        ck_assert(t.completion == DMAR_SUCCESS && t.size >= MIB);
        ck_assert(last < LOW || first >= LOW + MIB);
        ck_assert(last < HIGH || first >= HIGH + MIB);
    }
}
END_TEST

/* It learns of the page; what it then sends is refused. */
START_TEST(a_device_that_knows_an_address_does_not_reach_it_either)
{
    config = widest;
    config.protected_memory = true;
    given_scalable(&config);
    given_regions();
    given_context(DEV);
    protect(true);
    DmarRequest r = { .source_id = DEV, .pasid = NO_PASID, .addr = HIGH,
                      .access = DMAR_WRITE, .type = DMAR_TRANSLATED };
    ck_assert_int_eq(ask(r).completion, DMAR_UNSUPPORTED_REQUEST);
    r.addr = HIGH + MIB;
    ck_assert_int_eq(ask(r).completion, DMAR_SUCCESS);
}
END_TEST

START_TEST(the_host_is_told_that_dma_has_to_be_asked_about)
{
    given_unit();
    ck_assert(!m.dma_on);
    protect(true);
    ck_assert(m.dma_on);
    protect(false);
    ck_assert(!m.dma_on);
}
END_TEST

START_TEST(reset_ends_protection)
{
    given_unit();
    protect(true);
    dmar_reset(m.dmar);
    ck_assert_uint_eq(reg32(PMEN_REG), 0);
    passes(DMAR_WRITE, LOW);
    ck_assert(!m.dma_on);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("protected");
    TCase *t = tests_of(s, "regions");
    tcase_add_test(t, nothing_is_protected_until_software_says_so);
    tcase_add_loop_test(t, a_region_begins_at_its_base_and_ends_at_its_limit, 0,
                        2);
    tcase_add_test(t, a_limit_below_its_base_protects_nothing);
    tcase_add_test(t, the_low_bits_of_bases_and_limits_do_not_exist);
    tcase_add_test(t, a_unit_without_them_has_no_such_registers);
    tcase_add_test(t, tables_lead_around_no_region);
    tcase_add_test(t, an_answer_never_covers_a_region);
    tcase_add_test(t, a_device_that_knows_an_address_does_not_reach_it_either);
    tcase_add_test(t, the_host_is_told_that_dma_has_to_be_asked_about);
    tcase_add_test(t, reset_ends_protection);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(suite(), argc, argv);
}
