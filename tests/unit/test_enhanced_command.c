/*
 * Enhanced commands [VT-d 11.4.14]: which there are, what each does to the
 * counters, and how it answers.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include "counters.h"

#define FIRST_COMMAND   0xf0
#define LAST_COMMAND    0xf5

/* Events of group 3: lookups and hits in the IOTLB. */
static void given_configuration(unsigned n)
{
    set_reg(config_at(n), configuration(3, LOOKUP));
}

static bool is_enabled(unsigned n)
{
    return reg(config_at(n)) & 1;
}

static uint64_t response(void)
{
    return reg(ECRSP_REG);
}

/* ---- Which there are ------------------------------------------------------------ */

START_TEST(the_commands_that_there_are_are_advertised)
{
    power_on(&widest);
    for (unsigned at = 0x430; at < 0x448; at += 8) {
        ck_assert_uint_eq(reg(at), 0);
    }
    ck_assert_uint_eq(reg(0x448), BITS(53, 48));
}
END_TEST

START_TEST(a_command_is_undefined_unless_it_is_advertised)
{
    power_on(&widest);
    for (unsigned number = 0; number < 256; number++) {
        bool defined = number >= FIRST_COMMAND && number <= LAST_COMMAND;
        given_configuration(0);
        set_reg(ECMD_REG, number);
        ck_assert_msg((response() == ECMD_UNDEFINED << 1) == !defined,
                      "command %u: %lx", number, response());
        ck_assert_msg(is_enabled(0) == (number == ECMD_ENABLE_COUNTER),
                      "command %u", number);
        enhanced(ECMD_RESET_CONFIGURATION, 0);
    }
}
END_TEST

START_TEST(commands_need_their_ability)
{
    DmarConfig config = widest;
    config.perf_counters = 0;
    power_on(&config);
    set_reg(ECMD_REG, ECMD_FREEZE);
    set_reg(ECEO_REG, ~0ull);
    for (unsigned at = 0x400; at < 0x460; at += 8) {
        ck_assert_uint_eq(reg(at), 0);
    }
    ck_assert(!(reg(CAP_REG) & CAP_ECMDS));
}
END_TEST

/* ---- How software gives them ------------------------------------------------------ */

START_TEST(halves_are_written_operand_first)
{
    power_on(&widest);
    given_configuration(3);
    set_reg32(ECMD_REG + 4, 0);
    ck_assert_uint_eq(response(), 0);
    ck_assert(!is_enabled(3));
    set_reg32(ECMD_REG, ECMD_ENABLE_COUNTER | 3 << 16);
    ck_assert_uint_eq(response(), ECMD_SUCCESS);
    ck_assert(is_enabled(3));
}
END_TEST

/* The upper half is part of the counter's number. */
START_TEST(the_whole_operand_counts)
{
    power_on(&widest);
    given_configuration(0);
    set_reg32(ECMD_REG + 4, 1);
    set_reg32(ECMD_REG, ECMD_ENABLE_COUNTER);
    ck_assert_uint_eq(response(), ECMD_COUNTER_REFUSED << 1);
    ck_assert(!is_enabled(0));
}
END_TEST

START_TEST(an_operand_alone_is_no_command)
{
    power_on(&widest);
    set_reg(ECMD_REG, 0x55);
    ck_assert_uint_eq(response(), ECMD_UNDEFINED << 1);
    given_configuration(0);
    set_reg(ECMD_REG, ECMD_ENABLE_COUNTER);
    set_reg32(ECMD_REG + 4, 7);
    set_reg(ECEO_REG, 0x1234);
    ck_assert_uint_eq(response(), ECMD_SUCCESS);
}
END_TEST

START_TEST(a_response_is_of_the_last_command)
{
    power_on(&widest);
    set_reg(ECMD_REG, 0x55);
    ck_assert_uint_eq(response(), ECMD_UNDEFINED << 1);
    set_reg(ECMD_REG, ECMD_FREEZE);
    ck_assert_uint_eq(response(), ECMD_SUCCESS);
    set_reg(ECRSP_REG, ~0ull);
    ck_assert_uint_eq(response(), ECMD_SUCCESS);
}
END_TEST

START_TEST(a_command_is_reported_with_its_status)
{
    power_on(&widest);
    enhanced(ECMD_DISABLE_COUNTER, 0x1234);
    const DmarEvent *event = &m.last_event[DMAR_EVENT_ENHANCED_COMMAND];
    ck_assert_uint_eq(m.events[DMAR_EVENT_ENHANCED_COMMAND], 1);
    ck_assert_uint_eq(event->addr, ECMD_DISABLE_COUNTER);
    ck_assert_uint_eq(event->value, 0x1234);
    ck_assert_uint_eq(event->detail, ECMD_COUNTER_REFUSED);
}
END_TEST

/* ---- Enable and disable ------------------------------------------------------------- */

START_TEST(every_counter_is_enabled_and_disabled_alone)
{
    power_on(&widest);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        given_configuration(n);
    }
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, _i), ECMD_SUCCESS);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        ck_assert_int_eq(is_enabled(n), (int)n == _i);
    }
    ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, _i), ECMD_SUCCESS);
    ck_assert(!is_enabled(_i));
}
END_TEST

START_TEST(there_are_as_many_counters_as_configured)
{
    DmarConfig config = widest;
    config.perf_counters = _i;
    power_on(&config);
    for (unsigned n = 0; n < 2 * DMAR_MAX_PERF_COUNTERS; n++) {
        unsigned status = (int)n < _i ? ECMD_SUCCESS : ECMD_COUNTER_REFUSED;
        given_configuration(n);
        ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, n), status);
        ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, n), status);
    }
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, BIT_AT(32)),
                      ECMD_COUNTER_REFUSED);
    ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, BIT_AT(47)),
                      ECMD_COUNTER_REFUSED);
}
END_TEST

START_TEST(what_is_as_asked_already_is_no_error)
{
    power_on(&widest);
    given_configuration(0);
    ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, 0), ECMD_SUCCESS);
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, 0), ECMD_SUCCESS);
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, 0), ECMD_SUCCESS);
    ck_assert(is_enabled(0));
}
END_TEST

/* [VT-d 10.5] */
static void is_refused(uint64_t config)
{
    set_reg(config_at(0), config);
    ck_assert_msg(enhanced(ECMD_ENABLE_COUNTER, 0) == ECMD_COUNTER_REFUSED,
                  "%lx", config);
    ck_assert(!is_enabled(0));
}

START_TEST(a_counter_without_an_event_is_refused)
{
    power_on(&widest);
    is_refused(0);
    is_refused(configuration(3, 0));
}
END_TEST

START_TEST(a_group_that_is_not_there_is_refused)
{
    power_on(&widest);
    for (unsigned group = 5; group < 16; group++) {
        is_refused(configuration(group, 1));
    }
}
END_TEST

START_TEST(an_event_that_is_not_there_is_refused)
{
    power_on(&widest);
    for (unsigned bit = 0; bit < 28; bit++) {
        if (!(reg(events_at(_i)) & BIT_AT(bit))) {
            is_refused(configuration(_i, BIT_AT(bit)));
            is_refused(configuration(_i, BIT_AT(bit) | reg(events_at(_i))));
        }
    }
}
END_TEST

START_TEST(every_event_that_is_there_is_accepted)
{
    power_on(&widest);
    for (unsigned bit = 0; bit < 28; bit++) {
        if (reg(events_at(_i)) & BIT_AT(bit)) {
            set_reg(config_at(0), configuration(_i, BIT_AT(bit)));
            ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, 0), ECMD_SUCCESS);
            ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, 0), ECMD_SUCCESS);
        }
    }
    set_reg(config_at(0), configuration(_i, reg(events_at(_i))));
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, 0), ECMD_SUCCESS);
}
END_TEST

/* Which filters an event takes [VT-d 10.7]; the others are refused. */
static const struct {
    const char *name;
    unsigned group, bit;
    bool by_type, by_level;
} filterable[] = {
    { "requests", 0, 1, true, false },
    { "memory reads", 1, 0, false, false },
    { "context lookups", 2, 0, false, false },
    { "context hits", 2, 1, false, false },
    { "PASID lookups", 2, 2, false, false },
    { "PASID hits", 2, 3, false, false },
    { "second-stage lookups", 2, 4, false, false },
    { "second-stage hits", 2, 5, false, true },
    { "first-stage lookups", 2, 6, false, false },
    { "first-stage hits", 2, 7, false, true },
    { "updates", 1, 3, false, false },
    { "IOTLB lookups", 3, 0, false, false },
    { "IOTLB hits", 3, 1, false, true },
    { "interrupt lookups", 4, 0, false, false },
    { "interrupt hits", 4, 1, false, false },
    { "posted interrupt hits", 4, 2, false, false },
};

static bool takes(unsigned filter)
{
    set_reg32(filter, BIT_AT(31) | 1);
    bool taken = enhanced(ECMD_ENABLE_COUNTER, 0) == ECMD_SUCCESS;
    enhanced(ECMD_DISABLE_COUNTER, 0);
    set_reg32(filter, 1);
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, 0), ECMD_SUCCESS);
    enhanced(ECMD_DISABLE_COUNTER, 0);
    return taken;
}

START_TEST(an_event_takes_its_filters_only)
{
    DmarConfig config = widest;
    config.first_stage = true;
    power_on(&config);
    set_reg(config_at(0), configuration(filterable[_i].group,
                                        BIT_AT(filterable[_i].bit)));
    ck_assert_msg(takes(type_filter_at(0)) == filterable[_i].by_type, "%s",
                  filterable[_i].name);
    ck_assert_msg(takes(level_filter_at(0)) == filterable[_i].by_level, "%s",
                  filterable[_i].name);
}
END_TEST

START_TEST(several_events_take_no_filter)
{
    power_on(&widest);
    set_reg(config_at(0), configuration(3, LOOKUP | HIT));
    ck_assert(!takes(level_filter_at(0)));
    ck_assert(!takes(type_filter_at(0)));
}
END_TEST

/* ---- All counters -------------------------------------------------------------------- */

START_TEST(freezing_and_unfreezing_concern_all_counters_that_there_are)
{
    DmarConfig config = widest;
    config.perf_counters = _i;
    power_on(&config);
    ck_assert_uint_eq(reg(freeze_at()), 0);
    ck_assert_uint_eq(enhanced(ECMD_FREEZE, 0), ECMD_SUCCESS);
    ck_assert_uint_eq(reg(freeze_at()), BIT_AT(_i) - 1);
    set_reg(freeze_at(), 0);
    ck_assert_uint_eq(reg(freeze_at()), BIT_AT(_i) - 1);
    ck_assert_uint_eq(enhanced(ECMD_UNFREEZE, 0), ECMD_SUCCESS);
    ck_assert_uint_eq(reg(freeze_at()), 0);
    set_reg(freeze_at(), ~0ull);
    ck_assert_uint_eq(reg(freeze_at()), 0);
}
END_TEST

START_TEST(a_counter_that_is_disabled_is_frozen_no_more)
{
    power_on(&widest);
    enhanced(ECMD_FREEZE, 0);
    ck_assert_uint_eq(enhanced(ECMD_DISABLE_COUNTER, _i), ECMD_SUCCESS);
    ck_assert_uint_eq(reg(freeze_at()), 0xff & ~BIT_AT(_i));
}
END_TEST

START_TEST(configuration_is_reset_and_values_stay)
{
    power_on(&widest);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        set_reg(config_at(n), configuration(3, HIT) | ON_OVERFLOW_FREEZE);
        set_reg32(level_filter_at(n), BIT_AT(31) | 7);
        set_reg32(type_filter_at(n), 7);
        set_reg(counter_at(n), 0x100 + n);
        ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, n), ECMD_SUCCESS);
    }
    enhanced(ECMD_FREEZE, 0);
    ck_assert_uint_eq(enhanced(ECMD_RESET_CONFIGURATION, 0), ECMD_SUCCESS);
    ck_assert_uint_eq(reg(freeze_at()), 0);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        ck_assert_uint_eq(reg(config_at(n)), 0);
        ck_assert_uint_eq(reg32(level_filter_at(n)), 0);
        ck_assert_uint_eq(reg32(type_filter_at(n)), 0);
        ck_assert_uint_eq(reg(counter_at(n)), 0x100 + n);
    }
}
END_TEST

START_TEST(values_are_reset_and_configuration_stays)
{
    power_on(&widest);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        given_configuration(n);
        set_reg(counter_at(n), 0x100 + n);
        enhanced(ECMD_ENABLE_COUNTER, n);
    }
    ck_assert_uint_eq(enhanced(ECMD_RESET_VALUES, 0), ECMD_SUCCESS);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        ck_assert_uint_eq(reg(counter_at(n)), 0);
        ck_assert_uint_eq(reg(config_at(n)), configuration(3, LOOKUP) | 1);
    }
}
END_TEST

static Suite *enhanced_commands(void)
{
    Suite *s = suite_create("enhanced_command");
    int counters = widest.perf_counters;
    TCase *t = tests_of(s, "interface");
    tcase_add_test(t, the_commands_that_there_are_are_advertised);
    tcase_add_test(t, a_command_is_undefined_unless_it_is_advertised);
    tcase_add_test(t, commands_need_their_ability);
    tcase_add_test(t, halves_are_written_operand_first);
    tcase_add_test(t, the_whole_operand_counts);
    tcase_add_test(t, an_operand_alone_is_no_command);
    tcase_add_test(t, a_response_is_of_the_last_command);
    tcase_add_test(t, a_command_is_reported_with_its_status);

    t = tests_of(s, "enable and disable");
    tcase_add_loop_test(t, every_counter_is_enabled_and_disabled_alone, 0,
                        counters);
    tcase_add_loop_test(t, there_are_as_many_counters_as_configured, 1,
                        DMAR_MAX_PERF_COUNTERS + 1);
    tcase_add_test(t, what_is_as_asked_already_is_no_error);
    tcase_add_test(t, a_counter_without_an_event_is_refused);
    tcase_add_test(t, a_group_that_is_not_there_is_refused);
    tcase_add_loop_test(t, an_event_that_is_not_there_is_refused, 0, 5);
    tcase_add_loop_test(t, every_event_that_is_there_is_accepted, 0, 5);
    tcase_add_loop_test(t, an_event_takes_its_filters_only, 0,
                        G_N_ELEMENTS(filterable));
    tcase_add_test(t, several_events_take_no_filter);

    t = tests_of(s, "all counters");
    tcase_add_loop_test(t, freezing_and_unfreezing_concern_all_counters_that_there_are,
                        1, DMAR_MAX_PERF_COUNTERS + 1);
    tcase_add_loop_test(t, a_counter_that_is_disabled_is_frozen_no_more, 0,
                        counters);
    tcase_add_test(t, configuration_is_reset_and_values_stay);
    tcase_add_test(t, values_are_reset_and_configuration_stays);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(enhanced_commands(), argc, argv);
}
