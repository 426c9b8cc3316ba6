/*
 * The engine against the model (model.h) on random tables and requests.
 *
 * Tables are mostly well formed, so that walks get far; a share of their bits
 * is then flipped.  The seed is fixed, and printed with a disagreement; each
 * seed makes one machine.  MODEL_ROUNDS in the environment asks for more.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"

#define ROUNDS      60
#define REQUESTS    120
#define TOP_LEVEL   5

static const uint16_t sids[] = { 0x0000, 0x0081, 0x01ff, 0x0110 };
static const uint32_t pasids[] = { NO_PASID, NO_PASID, 0, 1, 0x3f, 0x40, 0x41,
                                   0x1fff, 0x2000, 0x7fff, 0xfffff };
#define RID_PASIDS  6           /* any of pasids[2] and on may be RID_PASID */
static const unsigned indices[] = { 0, 1, 2, 511 };

static ModelUnit unit;
static GRand *dice;

static unsigned below(unsigned end)
{
    return g_rand_int_range(dice, 0, end);
}

static bool once_in(unsigned n)
{
    return below(n) == 0;
}

static uint64_t any64(void)
{
    return (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
}

static bool model_read(uint64_t addr, void *buf, size_t len)
{
    if (addr < RAM_BASE || addr - RAM_BASE > RAM_SIZE - len) {
        return false;
    }
    memcpy(buf, m.ram + (addr - RAM_BASE), len);
    return true;
}

/* ---- A random machine ---------------------------------------------------------- */

static uint64_t random_page(uint64_t size)
{
    if (once_in(12)) {
        return 0xfee00000 & -size;
    }
    return any64() & (BIT_AT(m.config.host_width) - 1) & -size;
}

static unsigned random_rights(void)
{
    return once_in(6) ? below(4) : RW;
}

/* Tables of one level are shared by what points to them. */
static uint64_t paging_table[TOP_LEVEL + 1];

static uint64_t random_paging_entry(unsigned level)
{
    uint64_t rights = random_rights();
    if (level == 1) {
        return random_page(PAGE) | rights;
    }
    if (level <= 3 && once_in(4)) {
        return random_page(PAGE << 9 * (level - 1)) | rights | BIT_AT(7);
    }
    return paging_table[level - 1] | rights;
}

static void make_paging_tables(void)
{
    for (unsigned level = 1; level <= TOP_LEVEL; level++) {
        paging_table[level] = new_page();
        for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
            poke(paging_table[level] + 8 * indices[i],
                 once_in(16) ? 0 : random_paging_entry(level));
        }
    }
}

static Space random_space(void)
{
    unsigned levels = 3 + below(3);
    unsigned most = (m.config.aw_bits - 12) / 9;
    if (levels > most && !once_in(8)) {
        levels = most;
    }
    return (Space) { paging_table[levels], levels,
                     below(1u << MIN(m.config.domain_bits, 15)) };
}

static void make_pasid(uint16_t sid, uint32_t pasid, unsigned pdts)
{
    if (pasid >= 1u << (pdts + 13) || once_in(8)) {
        return;
    }
    if (once_in(5)) {
        given_pass_through(sid, pasid, 3);
    } else {
        Space space = random_space();
        given_pasid(sid, pasid, &space);
    }
}

static void make_scalable_tables(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        unsigned pdts = once_in(3) ? below(3) : 2;
        given_context_of_size(sids[i], pdts, pasids[2 + below(RID_PASIDS)]);
        for (unsigned p = 2; p < G_N_ELEMENTS(pasids); p++) {
            make_pasid(sids[i], pasids[p], pdts);
        }
    }
}

static void make_legacy_tables(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        Space space = random_space();
        given_legacy_context(sids[i], below(3), &space);
    }
}

typedef struct Damage {
    uint64_t addr;
    unsigned bit;
} Damage;

/* Flip a bit of a random word that is in use; flip() it again to repair. */
static Damage damage(void)
{
    uint64_t words = (m.next_page - RAM_BASE) / 8;
    Damage d;
    do {
        d.addr = RAM_BASE + 8 * (any64() % words);
        d.bit = below(64);
    } while (!peek(d.addr) || (d.addr >= m.queue && d.addr < m.queue + PAGE));
    flip(d.addr, d.bit);
    return d;
}

static void make_machine(void)
{
    const DmarConfig *widths = &variants[below(variant_count)].config;
    DmarConfig config = plain;
    config.aw_bits = widths->aw_bits;
    config.host_width = widths->host_width;
    config.pasid_bits = widths->pasid_bits;
    config.domain_bits = widths->domain_bits;
    config.device_tlb = once_in(2);
    config.pass_through = !once_in(4);
    config.snoop_control = once_in(2);
    config.fault_records = 4;
    unit.table_mode = once_in(4) ? TTM_LEGACY : TTM_SCALABLE;
    if (unit.table_mode == TTM_LEGACY) {
        given_legacy(&config);
        make_paging_tables();
        make_legacy_tables();
    } else {
        given_scalable(&config);
        make_paging_tables();
        make_scalable_tables();
    }
    unit.root_table = m.root;
    unit.guest_width = config.aw_bits;
    unit.host_width = config.host_width;
    unit.pasid_width = config.pasid_bits;
    unit.domain_width = config.domain_bits;
    unit.scalable = config.scalable;
    unit.pass_through = config.pass_through;
    unit.snoop_control = config.snoop_control;
    unit.device_tlb = config.device_tlb;
    unit.read = model_read;
}

/* ---- A random request -------------------------------------------------------------- */

static uint64_t random_addr(void)
{
    uint64_t addr = below(PAGE);
    for (unsigned level = 1; level <= TOP_LEVEL; level++) {
        if (level < 4 || once_in(6)) {
            addr |= (uint64_t)indices[below(4)] << (12 + 9 * (level - 1));
        }
    }
    if (once_in(16)) {
        addr |= BIT_AT(36 + below(28));
    }
    return once_in(30) ? 0xfee00000 + below(256) * PAGE : addr;
}

/* Interrupt requests take another road than DMA. */
static bool is_interrupt(const DmarRequest *r)
{
    return r->pasid == NO_PASID && r->type == DMAR_UNTRANSLATED &&
        r->addr >= 0xfee00000 && r->addr <= 0xfeefffff;
}

static DmarRequest random_request(void)
{
    static const DmarAccess accesses[] = { DMAR_READ, DMAR_WRITE, DMAR_WRITE,
                                           DMAR_READ_ZERO_LENGTH, DMAR_ATOMIC };
    static const DmarAddressType types[] = {
        DMAR_UNTRANSLATED, DMAR_UNTRANSLATED, DMAR_UNTRANSLATED,
        DMAR_UNTRANSLATED, DMAR_UNTRANSLATED, DMAR_UNTRANSLATED,
        DMAR_TRANSLATION_REQUEST, DMAR_TRANSLATED,
    };
    DmarRequest r = {
        .source_id = once_in(20) ? any64() : sids[below(G_N_ELEMENTS(sids))],
        .pasid = pasids[below(G_N_ELEMENTS(pasids))],
        .addr = random_addr(),
        .access = accesses[below(G_N_ELEMENTS(accesses))],
        .type = types[below(G_N_ELEMENTS(types))],
    };
    if (unit.table_mode == TTM_LEGACY && !once_in(10)) {
        r.pasid = NO_PASID;
    }
    if (is_interrupt(&r)) {
        r.addr = 0;
    }
    r.privileged = r.pasid != NO_PASID && once_in(12);
    r.execute = r.pasid != NO_PASID && r.access == DMAR_READ && once_in(12);
    return r;
}

static ModelRequest as_model_request(const DmarRequest *r)
{
    static const ModelKind kinds[] = {
        [DMAR_READ] = MODEL_READ, [DMAR_WRITE] = MODEL_WRITE,
        [DMAR_READ_ZERO_LENGTH] = MODEL_ZLR, [DMAR_ATOMIC] = MODEL_ATOMIC,
    };
    return (ModelRequest) {
        .source = r->source_id, .has_pasid = r->pasid != NO_PASID,
        .pasid = r->pasid, .addr = r->addr, .kind = kinds[r->access],
        .type = (ModelType)r->type, .privileged = r->privileged,
        .execute = r->execute,
    };
}

/* ---- Comparison ----------------------------------------------------------------------- */

static char completion_of(const DmarTranslation *t)
{
    return t->completion == DMAR_SUCCESS ? 's'
         : t->completion == DMAR_UNSUPPORTED_REQUEST ? 'u' : 'a';
}

/* An atomic without any right may be told either reason. */
static bool same_reason(const DmarRequest *r, unsigned engine, unsigned model)
{
    bool either = r->access == DMAR_ATOMIC &&
        (engine == 0x5 || engine == 0x6) && (model == 0x5 || model == 0x6);
    return engine == model || either;
}

static bool touches_interrupts(uint64_t addr, uint64_t size)
{
    uint64_t first = addr & -size;
    return first <= 0xfeefffff && first + (size - 1) >= 0xfee00000;
}

/* Of a page with the interrupt range in it, on either side, an untranslated
 * request may be told of a piece only. */
static bool same_size(const DmarRequest *r, const DmarTranslation *t,
                      const ModelAnswer *a)
{
    bool piece = r->type == DMAR_UNTRANSLATED && t->size < a->size &&
        (touches_interrupts(r->addr, a->size) || touches_interrupts(a->addr, a->size));
    return a->size == 0 || t->size == a->size || piece;
}

static bool agree(const DmarRequest *r, const DmarTranslation *t,
                  const ModelAnswer *a)
{
    if (completion_of(t) != a->completion || !same_reason(r, t->reason, a->reason)) {
        return false;
    }
    if (t->completion != DMAR_SUCCESS || a->reason) {
        return true;
    }
    if (a->special) {
        return t->untranslated_only && !t->read && t->write;
    }
    return !t->untranslated_only && t->addr == a->addr && t->read == a->read && t->write == a->write &&
        same_size(r, t, a) &&
        (r->type != DMAR_UNTRANSLATED || t->no_snoop_forced == a->snoop);
}

static void compare(unsigned seed, const DmarRequest *r)
{
    ModelRequest mr = as_model_request(r);
    ModelAnswer a = model_translate(&unit, &mr);
    DmarTranslation t = ask(*r);
    Fault fault = take_fault();
    ck_assert_msg(agree(r, &t, &a) && fault.recorded == a.recorded &&
                  (!fault.recorded || (fault.reason == t.reason &&
                                       fault.sid == r->source_id)),
        "seed %u: sid %04x pasid %x addr %lx access %d type %d: engine %c %02x "
        "recorded %d %lx size %lx r%d w%d n%d; model %c %02x recorded %d %lx "
        "size %lx r%d w%d n%d", seed, r->source_id, r->pasid, r->addr, r->access,
        r->type, completion_of(&t), t.reason, fault.recorded, t.addr, t.size,
        t.read, t.write, t.no_snoop_forced, a.completion, a.reason, a.recorded,
        a.addr, a.size, a.read, a.write, a.snoop);
}

static void compare_requests(unsigned seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        DmarRequest r = random_request();
        compare(seed, &r);
    }
}

/* Damage may give one domain-id to two tables, whose entries the caches may
 * then mix: a model without caches has nothing to say about that. */
static void compare_forgetting(unsigned seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        DmarRequest r = random_request();
        forget_everything();
        compare(seed, &r);
    }
}

static unsigned rounds(void)
{
    const char *asked = getenv("MODEL_ROUNDS");
    return asked ? atoi(asked) : ROUNDS;
}

static void run(unsigned seed, unsigned damages)
{
    begin();
    dice = g_rand_new_with_seed(seed);
    make_machine();
    compare_requests(seed, REQUESTS);
    for (unsigned i = 0; i < damages; i++) {
        Damage first = damage(), second = damage();
        compare_forgetting(seed, REQUESTS / 6);
        flip(first.addr, first.bit);
        flip(second.addr, second.bit);
    }
    g_rand_free(dice);
    end();
}

/* What share of requests gets how far: a check of the test itself. */
static void count_answers(unsigned seed, unsigned seen[256])
{
    begin();
    dice = g_rand_new_with_seed(seed);
    make_machine();
    for (unsigned i = 0; i < 200; i++) {
        if (i % 20 == 0) {
            damage();
        }
        DmarRequest r = random_request();
        ModelRequest mr = as_model_request(&r);
        seen[model_translate(&unit, &mr).reason]++;
    }
    g_rand_free(dice);
    end();
}

START_TEST(random_tables_reach_every_kind_of_answer)
{
    static const uint8_t wanted[] = {
        0x2, 0x3, 0x4, 0x5, 0x6, 0xd, 0xe, 0x31, 0x39, 0x41, 0x44, 0x46, 0x48,
        0x49, 0x51, 0x59, 0x5b, 0x5c, 0x5d, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86,
        0x87, 0x89,
    };
    unsigned seen[256] = { 0 };
    for (unsigned seed = 1; seed <= 60; seed++) {
        count_answers(seed, seen);
    }
    for (unsigned i = 0; i < sizeof(wanted); i++) {
        ck_assert_msg(seen[wanted[i]], "never: %02x", wanted[i]);
    }
    ck_assert_uint_gt(seen[0], 60 * 200 / 8);
}
END_TEST

START_TEST(the_engine_agrees_on_sound_tables)
{
    for (unsigned i = 0; i < rounds(); i++) {
        run(1000 * _i + i, 0);
    }
}
END_TEST

START_TEST(the_engine_agrees_on_damaged_tables)
{
    for (unsigned i = 0; i < rounds(); i++) {
        run(100000 + 1000 * _i + i, 12);
    }
}
END_TEST

static Suite *model(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 600);
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
