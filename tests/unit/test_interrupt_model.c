/*
 * Interrupts compared with a model: a slow one, written from the
 * specification [VT-d 5.1.4, 5.2.3, 9.9, 9.10, 9.11] with arithmetic of its
 * own.
 *
 * A test is a world: a unit of some ability, a table, descriptors, and a
 * history of writes to them, invalidations and requests.  The engine may
 * answer from what an entry is, or from what it was when a request was last
 * answered by it and nobody invalidated it since; from nothing else.
 * INTERRUPT_ROUNDS in the environment asks for more worlds, INTERRUPT_FIRST for
 * others.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_interrupts.h"

#include <string.h>

#define WORLDS          150
#define STEPS           400
#define INDICES         64          /* in use; tables may be smaller */
#define DESCRIPTORS     3
#define SOURCES         4

/* ---- The model ----------------------------------------------------------- */

typedef struct Words {
    uint64_t w[8];
} Words;

typedef struct Answer {
    DmarInterruptVerdict verdict;
    DmarInterrupt irq;
    bool fpd;
    bool posts;                 /* ... and leaves this at the descriptor: */
    uint64_t descriptor;
    Words after;
} Answer;

static struct {
    DmarConfig config;
    uint64_t irta;              /* as of the last SIRTP */
    bool remaps, dma, compatible;
    bool cached[INDICES];       /* may be; and then it is this: */
    Words cache[INDICES];
    uint64_t descriptor[DESCRIPTORS];
    uint16_t source[SOURCES];
} world;

static bool bit(const Words *x, unsigned n)
{
    return x->w[n / 64] >> n % 64 & 1;
}

static uint64_t bits(const Words *x, unsigned high, unsigned low)
{
    uint64_t value = 0;
    for (unsigned n = low; n <= high; n++) {
        value |= (uint64_t)bit(x, n) << (n - low);
    }
    return value;
}

static bool eime(void)
{
    return world.irta >> 11 & 1 && world.config.x2apic;
}

static bool in_ram(uint64_t addr, unsigned bytes)
{
    return addr >= RAM_BASE && addr + bytes <= RAM_BASE + RAM_SIZE;
}

static Words words_at(uint64_t addr, unsigned count)
{
    Words x = { { 0 } };
    for (unsigned i = 0; i < count; i++) {
        x.w[i] = peek(addr + 8 * i);
    }
    return x;
}

static bool source_wrong(const Words *e, uint16_t source)
{
    static const unsigned compared[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    unsigned sid = bits(e, 79, 64), mask = compared[bits(e, 81, 80)];
    switch (bits(e, 83, 82)) {
    case 1:
        return (source & mask) != (sid & mask);
    case 2:
        return source / 256 < sid / 256 || source / 256 > sid % 256;
    default:
        return false;
    }
}

static bool remapped_wrong(const Words *e)
{
    bool narrow = !eime() && (bits(e, 63, 48) || bits(e, 39, 32));
    return bits(e, 15, 12) || bits(e, 31, 24) || narrow || bits(e, 127, 84);
}

static bool posted_wrong(const Words *e)
{
    uint64_t address = bits(e, 127, 96) << 32;
    return bits(e, 7, 2) || bits(e, 13, 12) || bits(e, 37, 24) ||
        bits(e, 95, 84) || address >> world.config.host_width;
}

static bool descriptor_wrong(const Words *d)
{
    bool narrow = !eime() && (bits(d, 319, 304) || bits(d, 295, 288));
    return bits(d, 271, 258) || bits(d, 287, 280) || narrow ||
        bits(d, 383, 320) || d->w[6] || d->w[7];
}

static void blocks(Answer *a, uint8_t reason)
{
    a->verdict = DMAR_INTERRUPT_BLOCKED;
    a->irq = (DmarInterrupt) { .reason = reason };
}

static void post(const Words *e, Answer *a)
{
    uint64_t address = bits(e, 127, 96) << 32 | bits(e, 63, 38) << 6;
    if (!in_ram(address, 64)) {
        blocks(a, 0x27);
        return;
    }
    Words d = words_at(address, 8);
    if (descriptor_wrong(&d)) {
        blocks(a, 0x28);
        return;
    }
    bool x = !bit(&d, 256) && (bit(e, 14) || !bit(&d, 257));
    unsigned vector = bits(e, 23, 16);
    d.w[vector / 64] |= 1ull << vector % 64;
    d.w[4] |= x;
    a->posts = true;
    a->descriptor = address;
    a->after = d;
    a->verdict = x ? DMAR_INTERRUPT_NOTIFY : DMAR_INTERRUPT_POSTED;
    if (x) {
        a->irq.vector = bits(&d, 279, 272);
        a->irq.destination = eime() ? bits(&d, 319, 288) : bits(&d, 303, 296);
    }
}

static void deliver(const Words *e, Answer *a)
{
    a->verdict = DMAR_INTERRUPT_REMAPPED;
    a->irq.vector = bits(e, 23, 16);
    a->irq.logical = bit(e, 2);
    a->irq.redirection_hint = bit(e, 3);
    a->irq.level = bit(e, 4);
    a->irq.delivery_mode = bits(e, 7, 5);
    a->irq.destination = eime() ? bits(e, 63, 32) : bits(e, 47, 40);
}

/* What @e does with a request of @source; its format counts if it is @fresh. */
static Answer by_entry(const Words *e, uint16_t source, bool fresh)
{
    Answer a = { .fpd = bit(e, 1) };
    bool posted = bit(e, 15) && world.config.posted_interrupts;
    if (!bit(e, 0)) {
        blocks(&a, 0x22);
    } else if (source_wrong(e, source)) {
        blocks(&a, 0x26);
    } else if (fresh && (bits(e, 83, 82) == 3 ||
                         (posted ? posted_wrong(e) : remapped_wrong(e)))) {
        blocks(&a, 0x24);
    } else if (posted) {
        post(e, &a);
    } else {
        deliver(e, &a);
    }
    return a;
}

/* Decided before any entry is asked for; else the index is told. */
static bool decided(const DmarInterruptRequest *q, Answer *a, unsigned *index)
{
    *a = (Answer) { .verdict = DMAR_INTERRUPT_AS_IS };
    bool subhandle = q->addr & 8;
    *index = (q->addr / 32 & 0x7fff) + (q->addr & 4 ? 0x8000 : 0) +
        (subhandle ? q->data & 0xffff : 0);
    if ((q->size == 0 && !q->is_write) || (!world.remaps && !world.dma)) {
        return true;
    }
    if (q->size != 4 || !q->is_write) {
        blocks(a, 0x29);
    } else if (!world.remaps) {
        return true;
    } else if (!(q->addr & 16)) {
        if (eime() || !world.compatible) {
            blocks(a, 0x25);
        }
    } else if (subhandle && q->data >> 16) {
        blocks(a, 0x20);
    } else if (*index >= 2u << (world.irta & 15)) {
        blocks(a, 0x21);
    } else {
        return false;
    }
    return true;
}

static uint64_t address_of(unsigned index)
{
    return (world.irta & ~0xfffull) + 16 * index;
}

static Answer by_memory(const DmarInterruptRequest *q, unsigned index)
{
    uint64_t at = address_of(index);
    Answer a = { 0 };
    if (at >> world.config.host_width) {
        blocks(&a, 0x21);
    } else if (!in_ram(at, 16)) {
        blocks(&a, 0x23);
    } else {
        Words e = words_at(at, 2);
        a = by_entry(&e, q->source_id, true);
    }
    return a;
}

/* ---- The comparison ------------------------------------------------------ */

static bool qualified(uint8_t reason)
{
    return reason == 0x22 || reason == 0x24 || reason == 0x26 ||
        reason == 0x27 || reason == 0x28;
}

static bool recorded_rightly(const Answer *a, const Fault *fault,
                             uint16_t source, unsigned index)
{
    uint8_t reason = a->irq.reason;
    bool undefined = reason == 0x20 || reason == 0x25 || reason == 0x29;
    if (!reason || (a->fpd && qualified(reason))) {
        return !fault->recorded;
    }
    return fault->recorded && fault->reason == reason && fault->sid == source &&
        (undefined || fault->addr == (uint64_t)index << 48);
}

static bool agrees(const Answer *a, DmarInterruptVerdict verdict,
                   const Fault *fault, const DmarInterruptRequest *q,
                   unsigned index)
{
    if (a->posts) {
        Words d = words_at(a->descriptor, 8);
        if (memcmp(&d, &a->after, sizeof(d))) {
            return false;
        }
    }
    return a->verdict == verdict && !memcmp(&a->irq, &delivered, sizeof(delivered)) &&
        recorded_rightly(a, fault, q->source_id, index);
}

static void remember(unsigned index, const Answer *a)
{
    if (index < INDICES && a->verdict != DMAR_INTERRUPT_BLOCKED) {
        world.cached[index] = true;
        world.cache[index] = words_at(address_of(index), 2);
    }
}

static void request_agrees(const DmarInterruptRequest *q, int seed, unsigned step)
{
    unsigned index;
    Answer answers[2];
    bool done = decided(q, &answers[0], &index);
    bool cached = !done && index < INDICES && world.cached[index];
    if (!done) {
        answers[0] = by_memory(q, index);
        answers[1] = answers[0];
    }
    if (cached) {
        answers[1] = by_entry(&world.cache[index], q->source_id, false);
    }
    DmarInterruptVerdict verdict = dmar_remap_interrupt(m.dmar, q, &delivered);
    Fault fault = take_fault();
    bool now = agrees(&answers[0], verdict, &fault, q, index);
    bool then = cached && agrees(&answers[1], verdict, &fault, q, index);
    ck_assert_msg(now || then, "seed %d step %u: sid %04x addr %x data %x size %u"
                  " write %d: engine %d %02x, model %d %02x or %d %02x", seed, step,
                  q->source_id, (unsigned)q->addr, q->data, q->size, q->is_write,
                  verdict, delivered.reason, answers[0].verdict,
                  answers[0].irq.reason, done ? -1 : (int)answers[1].verdict,
                  done ? 0 : answers[1].irq.reason);
    if (now && !done && !cached) {
        remember(index, &answers[0]);
    }
}

/* ---- Random worlds ------------------------------------------------------- */

static GRand *dice;

static unsigned below(unsigned n)
{
    return g_rand_int_range(dice, 0, n);
}

static bool once_in(unsigned n)
{
    return below(n) == 0;
}

static uint64_t random64(void)
{
    return (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
}

static void maybe_spoil(uint64_t addr, unsigned words)
{
    while (once_in(5)) {
        flip(addr, below(words * 64));
    }
}

static void write_descriptor_at(uint64_t addr)
{
    for (unsigned i = 0; i < 8; i++) {
        poke(addr + 8 * i, i < 4 ? random64() & random64() : 0);
    }
    uint64_t destination = eime() ? g_rand_int(dice) : below(256) << 8;
    poke(addr + 32, destination << 32 | below(256) << 16 | below(4));
    maybe_spoil(addr, 8);
}

static void write_entry(unsigned index)
{
    uint64_t at = m.remap_table + 16 * index;
    uint64_t pid = world.descriptor[below(DESCRIPTORS)];
    uint64_t destination = eime() ? g_rand_int(dice) : below(256) << 8;
    uint64_t common = below(16) << 8 | below(256) << 16 | once_in(4) << 1 | 1;
    uint64_t source = world.source[below(SOURCES)] | (uint64_t)below(4) << 16 |
        (once_in(2) ? 0 : (uint64_t)below(3) << 18);
    if (once_in(20)) {
        pid = random64() >> below(64) & ~63ull;
    }
    if (once_in(2)) {
        poke(at, pid << 32 | 1 << 15 | once_in(3) << 14 | common);
        poke(at + 8, pid >> 32 << 32 | source);
    } else {
        poke(at, destination << 32 | below(64) << 2 | common);
        poke(at + 8, source);
    }
    maybe_spoil(at, 2);
}

static void set_table(void)
{
    unsigned size = once_in(3) ? below(16) : 5;
    uint64_t far = once_in(8) ? BIT_AT(20 + below(44)) : 0;
    uint64_t irta = (m.remap_table ^ far) | size | (once_in(2) ? BIT_AT(11) : 0);
    set_reg(IRTA_REG, irta);
    command(GCMD_SIRTP);
    world.irta = irta;
}

static void invalidate(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count && i < INDICES; i++) {
        world.cached[i] = false;
    }
}

static void change_state(void)
{
    bool *states[] = { &world.remaps, &world.dma, &world.compatible };
    static const uint32_t commands[] = { GCMD_IRE, GCMD_TE, GCMD_CFI };
    unsigned i = below(3);
    *states[i] = once_in(2);
    (*states[i] ? command : command_off)(commands[i]);
}

static unsigned requests;           /* that were compared */

static void random_request(int seed, unsigned step)
{
    requests++;
    unsigned index = once_in(20) ? below(0x10000) : below(INDICES);
    unsigned sub = once_in(3) ? below(index + 1) : 0;
    bool shv = sub || once_in(4);
    unsigned handle = index - sub;
    DmarInterruptRequest q = {
        .source_id = world.source[below(SOURCES)] ^ (once_in(4) ? below(8) : 0),
        .addr = 0xfee00000 | below(4) | shv << 3 | !once_in(20) << 4 |
            (handle & 0x7fff) << 5 | handle >> 15 << 2,
        .data = sub | (once_in(30) ? g_rand_int(dice) : 0),
        .size = once_in(40) ? below(10) : 4,
        .is_write = !once_in(40),
    };
    request_agrees(&q, seed, step);
}

static void act(int seed, unsigned step)
{
    unsigned index = below(INDICES), order = below(4);
    switch (below(12)) {
    case 0:
    case 1:
        write_entry(index);
        break;
    case 2:
        write_descriptor_at(world.descriptor[below(DESCRIPTORS)]);
        break;
    case 3:
        index &= -1u << order;
        execute(interrupt_index(index, order));
        invalidate(index, 1u << order);
        break;
    case 4:
        if (once_in(8)) {
            set_table();
            execute(interrupt_global());
            invalidate(0, INDICES);
        } else if (once_in(4)) {
            change_state();
        }
        break;
    default:
        random_request(seed, step);
    }
}

static void given_world(int seed)
{
    static const unsigned widths[] = { 36, 40, 46, 52 };
    dice = g_rand_new_with_seed(seed);
    memset(&world, 0, sizeof(world));
    world.config = widest;
    world.config.host_width = widths[below(4)];
    world.config.x2apic = !once_in(4);
    world.config.posted_interrupts = !once_in(4);
    power_on(&world.config);
    given_queue(32);
    m.remap_table = new_pages(256);
    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        world.descriptor[i] = new_page() + 64 * below(64);
    }
    for (unsigned i = 0; i < SOURCES; i++) {
        world.source[i] = g_rand_int(dice);
    }
    set_table();
    execute(interrupt_global());
    command(GCMD_IRE);
    world.remaps = true;
    for (unsigned i = 0; i < INDICES; i++) {
        write_entry(i);
    }
}

START_TEST(every_history_is_one_that_the_model_allows)
{
    given_world(_i);
    for (unsigned step = 0; step < STEPS; step++) {
        act(_i, step);
    }
    g_rand_free(dice);
    tally(requests, 1);
}
END_TEST

static Suite *interrupt_model(void)
{
    Suite *s = suite_create("interrupt model");
    TCase *t = tests_of(s, "histories");
    unsigned worlds = from_environment("INTERRUPT_ROUNDS", WORLDS);
    unsigned first = from_environment("INTERRUPT_FIRST", 0);
    tcase_add_loop_test(t, every_history_is_one_that_the_model_allows, first,
                        first + worlds);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(interrupt_model(), argc, argv);
}
