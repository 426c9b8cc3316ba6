/*
 * The engine against the model (model.h) on random tables and requests.
 *
 * The seed is fixed, and printed with a disagreement.  MODEL_ROUNDS in the
 * environment asks for more machines, MODEL_FIRST for others.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chance.h"
#include "compare.h"

#define ROUNDS      40
#define REQUESTS    120

static unsigned requests;           /* that were compared */

static void compare(unsigned seed, const DmarRequest *r)
{
    ModelRequest mr = as_model_request(r);
    ModelChoices choices = { 0 };
    ModelAnswer answer;
    note_memory();
    m.lose_exchanges = once_in(6) ? 1 + below(3) : 0;
    m.intruding_bits = BIT_AT(55);      /* software's own, of either stage */
    DmarTranslation t = ask(*r);
    m.lose_exchanges = 0;
    Fault fault = take_fault();
    do {
        model_translate(&unit, &mr, &choices, &answer);
        if (agree(r, &t, &fault, &answer)) {
            return;
        }
    } while (model_another(&choices));
    model_translate(&unit, &mr, &(ModelChoices) { 0 }, &answer);
    g_autofree char *what = describe(r, &t, &fault, &answer);
    ck_abort_msg("seed %u: %s", seed, what);
}

static void compare_page(unsigned seed, const DmarRequest *r)
{
    ModelRequest mr = as_model_request(r);
    ModelChoices choices = { 0 };
    ModelAnswer answer;
    note_memory();
    PageOutcome o = ask_for_page(r, once_in(2));
    do {
        model_translate(&unit, &mr, &choices, &answer);
        if (page_agrees(r, &o, &answer)) {
            return;
        }
    } while (model_another(&choices));
    g_autofree char *what = describe_page(r, &o, &answer);
    ck_abort_msg("seed %u: %s", seed, what);
}

static void compare_one(unsigned seed)
{
    DmarRequest r = random_request();
    requests++;
    if (wants_page(&r)) {
        compare_page(seed, &r);
    } else {
        compare(seed, &r);
    }
}

static void compare_requests(unsigned seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        compare_one(seed);
    }
}

/* Damage may give one domain-id to two tables, whose entries the caches may
 * then mix: a model without caches has nothing to say about that. */
static void compare_forgetting(unsigned seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (unit.table_mode <= TTM_SCALABLE) {
            forget_everything();
        }
        compare_one(seed);
    }
}

static void begin_with(unsigned seed)
{
    begin();
    given_dice(seed);
    DmarConfig config = random_config();
    make_machine(&config);
    if (config.root_invalidates && once_in(12)) {
        switch_mode(2 + below(2));
    }
}

static void run(unsigned seed, unsigned damages)
{
    begin_with(seed);
    compare_requests(seed, REQUESTS);
    for (unsigned i = 0; i < damages; i++) {
        Damage first = damage(), second = damage();
        compare_forgetting(seed, REQUESTS / 6);
        flip(first.addr, first.bit);
        flip(second.addr, second.bit);
    }
    end();
}

/* What share of requests gets how far: a check of the test itself. */
static void count_answers(unsigned seed, unsigned seen[256])
{
    begin_with(seed);
    for (unsigned i = 0; i < 200; i++) {
        if (i % 20 == 0) {
            damage();
            note_memory();
        }
        DmarRequest r = random_request();
        wants_page(&r);
        ModelRequest mr = as_model_request(&r);
        ModelChoices choices = { 0 };
        ModelAnswer answer;
        model_translate(&unit, &mr, &choices, &answer);
        seen[answer.reason]++;
    }
    end();
}

enum { WORLDS = 600 };

START_TEST(random_tables_reach_every_kind_of_answer)
{
    static const uint8_t wanted[] = {
        0x2, 0x3, 0x4, 0x5, 0x6, 0xd, 0xe, 0x30, 0x31, 0x32, 0x33, 0x34, 0x39, 0x41, 0x42,
        0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x51, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x71,
        0x72, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7a, 0x7c, 0x7d, 0x80, 0x81, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x89, 0x90, 0x91,
    };
    unsigned seen[256] = { 0 };
    for (unsigned seed = 1; seed <= WORLDS; seed++) {
        count_answers(seed, seen);
    }
    for (unsigned i = 0; i < sizeof(wanted); i++) {
        ck_assert_msg(seen[wanted[i]], "never: %02x", wanted[i]);
    }
    ck_assert_uint_gt(seen[0], WORLDS * 200 / 5);
}
END_TEST

START_TEST(the_engine_agrees_on_sound_tables)
{
    unsigned rounds = from_environment("MODEL_ROUNDS", ROUNDS);
    unsigned first = from_environment("MODEL_FIRST", 0);
    for (unsigned i = 0; i < rounds; i++) {
        run(first + 10000000 * _i + i, 0);
    }
    tally(requests, 0);
}
END_TEST

START_TEST(the_engine_agrees_on_damaged_tables)
{
    unsigned rounds = from_environment("MODEL_ROUNDS", ROUNDS);
    unsigned first = from_environment("MODEL_FIRST", 0);
    for (unsigned i = 0; i < rounds; i++) {
        run(first + 100000000 + 10000000 * _i + i, 12);
    }
    tally(requests, 0);
}
END_TEST

static Suite *model(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, random_tables_reach_every_kind_of_answer);
    tcase_add_loop_test(t, the_engine_agrees_on_sound_tables, 0, 4);
    tcase_add_loop_test(t, the_engine_agrees_on_damaged_tables, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(model(), argc, argv);
}
