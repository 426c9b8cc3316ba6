/*
 * Saving and loading a unit's state: what software can see survives, what is
 * cached does not, and a state that does not fit is refused.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#define DEV     0x0b20
#define PASID   0x99
#define DOMAIN  4
#define IOVA    0x8000ull
#define OLD     0x33333000ull
#define NEW     0x44444000ull

static Space space;
static DmarState state;

static void given_device(void)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, OLD, PAGE, RW);
    given_pasid(DEV, PASID, &space);
}

/* The machine goes on with another unit, of @config, in the place of its own. */
static bool migrate_to(const DmarConfig *config, GError **error)
{
    dmar_save(m.dmar, &state);
    power_on(config);
    return dmar_load(m.dmar, &state, error);
}

static void migrate(void)
{
    g_autoptr(GError) error = NULL;
    bool loaded = migrate_to(&m.config, &error);
    ck_assert_msg(loaded, "%s", error ? error->message : "?");
}

START_TEST(translation_goes_on)
{
    given_device();
    both_reach(DEV, PASID, IOVA, OLD);
    migrate();
    both_reach(DEV, PASID, IOVA, OLD);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(the_queue_goes_on_where_it_was)
{
    given_device();
    uint64_t head = reg(IQH_REG);
    ck_assert_uint_ne(head, 0);
    migrate();
    ck_assert_uint_eq(reg(IQH_REG), head);
    uint64_t status = new_page();
    execute(wait_status(status, 5));
    ck_assert_uint_eq(peek32(status), 5);
}
END_TEST

START_TEST(a_stopped_queue_stays_stopped)
{
    given_device();
    submit((Descriptor) {{ 0 }});
    migrate();
    uint64_t head = reg(IQH_REG);
    submit(wait_fence());
    ck_assert_uint_eq(reg(IQH_REG), head);
    queue_stops_with(IQEI_TYPE);
    executed();
}
END_TEST

START_TEST(every_register_survives)
{
    given_device();
    set_reg(FECTL_REG, 0x1234ull << 32);
    set_reg(FEADDR_REG, 0x5fee00000);
    set_reg(IRTA_REG, 0x7000 | IRTA_EIME | 7);
    uint8_t before[DMAR_MMIO_SIZE], after[DMAR_MMIO_SIZE];
    for (unsigned at = 0; at < DMAR_MMIO_SIZE; at += 4) {
        uint32_t value = reg32(at);
        memcpy(before + at, &value, 4);
    }
    migrate();
    for (unsigned at = 0; at < DMAR_MMIO_SIZE; at += 4) {
        uint32_t value = reg32(at);
        memcpy(after + at, &value, 4);
    }
    ck_assert_mem_eq(before, after, DMAR_MMIO_SIZE);
}
END_TEST

START_TEST(pending_faults_survive)
{
    given_device();
    dma(DMAR_WRITE, DEV, PASID, IOVA + PAGE);
    dma(DMAR_WRITE, DEV, PASID, IOVA + 2 * PAGE);
    take_fault();
    migrate();
    Fault fault = take_fault();
    ck_assert_uint_eq(fault.addr, IOVA + 2 * PAGE);
    dma(DMAR_WRITE, DEV, PASID, IOVA + 3 * PAGE);
    ck_assert_uint_eq(field_get(reg32(FSTS_REG), FSTS_FRI), 2);
    fault_left(FAULT_SS_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(a_table_pointer_that_was_not_latched_is_not_used)
{
    given_device();
    uint64_t old = m.root;
    set_reg(RTADDR_REG, NOWHERE | TTM_SCALABLE << 10);
    migrate();
    both_reach(DEV, PASID, IOVA, OLD);
    ck_assert_uint_eq(reg(RTADDR_REG), NOWHERE | TTM_SCALABLE << 10);
    m.root = old;
}
END_TEST

START_TEST(a_table_of_interrupts_that_was_latched_is_used)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010,
                                     .size = 4, .is_write = true };
    DmarInterrupt out;
    given_device();
    uint64_t table = new_page();
    poke(table, 0x42 << 16 | 1);
    set_reg(IRTA_REG, table | 3);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    set_reg(IRTA_REG, NOWHERE);
    migrate();
    ck_assert_int_eq(dmar_remap_interrupt(m.dmar, &request, &out),
                     DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(out.vector, 0x42);
}
END_TEST

START_TEST(caches_do_not_survive)
{
    given_device();
    both_reach(DEV, PASID, IOVA, OLD);
    map(&space, IOVA, NEW, PAGE, RW);
    both_reach(DEV, PASID, IOVA, OLD);
    migrate();
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(loading_empties_the_caches_of_the_unit)
{
    given_device();
    both_reach(DEV, PASID, IOVA, OLD);
    map(&space, IOVA, NEW, PAGE, RW);
    dmar_save(m.dmar, &state);
    ck_assert(dmar_load(m.dmar, &state, NULL));
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(the_host_is_told_what_is_switched_on)
{
    given_device();
    m.dma_on = m.interrupts_on = false;
    migrate();
    ck_assert(m.dma_on && !m.interrupts_on);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------- */

static void is_refused(GError *error)
{
    ck_assert(g_error_matches(error, DMAR_ERROR, DMAR_ERROR_STATE));
    ck_assert_uint_gt(strlen(error->message), 10);
    /* The unit is as it was: out of reset. */
    ck_assert_uint_eq(reg32(GSTS_REG), 0);
    both_reach(DEV, NO_PASID, IOVA, IOVA);
}

START_TEST(a_unit_with_other_abilities_refuses_the_state)
{
    g_autoptr(GError) error = NULL;
    given_device();
    ck_assert(!migrate_to(&variants[_i].config, &error));
    is_refused(error);
}
END_TEST

/* What capability registers do not tell, too. */
START_TEST(a_unit_of_another_version_or_host_width_refuses_the_state)
{
    g_autoptr(GError) error = NULL;
    given_device();
    DmarConfig config = widest;
    if (_i) {
        config.version = 6;
    } else {
        config.host_width--;
    }
    ck_assert(!migrate_to(&config, &error));
    is_refused(error);
}
END_TEST

START_TEST(a_fault_index_beyond_the_records_is_refused)
{
    g_autoptr(GError) error = NULL;
    given_device();
    dmar_save(m.dmar, &state);
    dmar_reset(m.dmar);
    state.next_fault_record = m.config.fault_records;
    ck_assert(!dmar_load(m.dmar, &state, &error));
    is_refused(error);
}
END_TEST

/* A stream from a hostile source: whatever it holds, the unit stays sane. */
START_TEST(a_state_of_garbage_does_no_harm)
{
    given_device();
    dmar_save(m.dmar, &state);
    GRand *dice = g_rand_new_with_seed(_i);
    for (unsigned at = 0x18; at < DMAR_MMIO_SIZE; at++) {
        state.registers[at] = g_rand_int(dice);
    }
    state.root_latched ^= g_rand_int(dice);
    state.irta_latched = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
    state.next_fault_record = g_rand_int_range(dice, 0, m.config.fault_records);
    g_rand_free(dice);
    (void)dmar_load(m.dmar, &state, NULL);
    for (unsigned i = 0; i < 40; i++) {
        dma(DMAR_WRITE, DEV + i, i % 2 ? PASID : NO_PASID, IOVA + i * PAGE);
        set_reg(IQT_REG, i * 0x20);
        set_reg32(FSTS_REG, ~0u);
    }
    dmar_reset(m.dmar);
    m.first_message = m.messages = 0;
}
END_TEST

static Suite *migration(void)
{
    Suite *s = suite_create("migration");
    TCase *t = tests_of(s, "survives");
    tcase_add_test(t, translation_goes_on);
    tcase_add_test(t, the_queue_goes_on_where_it_was);
    tcase_add_test(t, a_stopped_queue_stays_stopped);
    tcase_add_test(t, every_register_survives);
    tcase_add_test(t, pending_faults_survive);
    tcase_add_test(t, a_table_pointer_that_was_not_latched_is_not_used);
    tcase_add_test(t, a_table_of_interrupts_that_was_latched_is_used);
    tcase_add_test(t, the_host_is_told_what_is_switched_on);

    t = tests_of(s, "does not survive");
    tcase_add_test(t, caches_do_not_survive);
    tcase_add_test(t, loading_empties_the_caches_of_the_unit);

    t = tests_of(s, "refused");
    tcase_add_loop_test(t, a_unit_with_other_abilities_refuses_the_state, 0,
                        variant_count);
    tcase_add_loop_test(t,
        a_unit_of_another_version_or_host_width_refuses_the_state, 0, 2);
    tcase_add_test(t, a_fault_index_beyond_the_records_is_refused);
    tcase_add_loop_test(t, a_state_of_garbage_does_no_harm, 0, 20);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(migration(), argc, argv);
}
