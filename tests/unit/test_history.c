/*
 * Random histories: software writes tables, invalidates caches and switches
 * root tables in any order, devices make requests in between.
 *
 * The checker keeps what each cache may hold: what requests brought in and no
 * invalidation has taken out since.  An answer is legal if it follows from
 * memory and what the caches may hold, whichever of it they do; no other is.
 * Of the ways that lead to the answer given, what each would have brought in
 * may be held from then on.
 *
 * The seed is fixed, and printed with what came before a disagreement.
 * HISTORY_ROUNDS in the environment asks for more histories, HISTORY_FIRST for
 * others.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chance.h"
#include "compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS      150
#define STEPS       400
#define TARGETS     16
#define REMEMBERED  60

static ModelCaches caches;
static GQueue *story;           /* the last steps, in words */
static uint64_t roots[2];

static void G_GNUC_PRINTF(1, 2) tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_queue_push_tail(story, g_strdup_vprintf(format, args));
    va_end(args);
    if (story->length > REMEMBERED) {
        g_free(g_queue_pop_head(story));
    }
}

static void print_story(void)
{
    for (GList *l = story->head; l; l = l->next) {
        fprintf(stderr, "# %s\n", (char *)l->data);
    }
}

/* ---- Requests ------------------------------------------------------------------------ */

/* Requests come back to the same few places, so that caches are used. */
static DmarRequest target[TARGETS];

static void choose_targets(void)
{
    for (unsigned i = 0; i < TARGETS; i++) {
        do {
            target[i] = random_request();
        } while (target[i].type == DMAR_TRANSLATED);
        target[i].addr &= -PAGE;
        if (i % 4) {
            target[i].addr = target[i & ~3u].addr;
        }
        if (i % 2) {
            target[i].source_id = target[i - 1].source_id;
            target[i].pasid = target[i - 1].pasid;
        }
    }
}

static DmarRequest next_request(void)
{
    DmarRequest r = random_request(), t = target[below(TARGETS)];
    bool interrupt = r.type == DMAR_UNTRANSLATED && r.pasid == NO_PASID &&
        t.addr >> 20 == 0xfee;
    if (r.type == DMAR_TRANSLATED || interrupt || once_in(20)) {
        return r;
    }
    r.source_id = t.source_id;
    r.pasid = t.pasid;
    r.addr = t.addr + below(PAGE);
    r.privileged = r.privileged && r.pasid != NO_PASID;
    r.execute = r.execute && r.pasid != NO_PASID;
    if (r.type == DMAR_UNTRANSLATED && r.pasid == NO_PASID && r.addr >> 20 == 0xfee) {
        r.addr = 0;
    }
    return r;
}

/* All ways to the answer that was given, and what they bring in. */
static bool follow(const DmarRequest *r, const DmarTranslation *t,
                   const Fault *fault, ModelCaches *brought)
{
    static ModelAnswer answer;
    ModelRequest mr = as_model_request(r);
    ModelChoices choices = { 0 };
    bool legal = false;
    do {
        model_translate(&unit, &mr, &choices, &answer);
        if (agree(r, t, fault, &answer)) {
            legal = true;
            for (unsigned i = 0; i < answer.fills; i++) {
                model_hold(brought, &answer.fill[i]);
            }
        }
    } while (model_another(&choices));
    return legal;
}

static void print_caches(void)
{
    for (unsigned i = 0; i < caches.count; i++) {
        const ModelHeld *h = &caches.held[i];
        uint64_t word[8];
        memcpy(word, &h->entry, sizeof(word));
        fprintf(stderr, "# held %d sid %04x p%d %x did %x type %d hide %d "
                "faults %d %02x level %d %" PRIx64 "+%" PRIx64 " -> %" PRIx64 " r%dw%du%d sw%d d%d "
                "sre%d wpe%d entry %" PRIx64 " %" PRIx64 " %" PRIx64 "\n",
                h->cache, h->source, h->with_pasid, h->pasid, h->domain,
                h->type, h->hide, h->faults, h->fault[0], h->level, h->input,
                h->span, h->output, h->read, h->write, h->user,
                h->second_write, h->dirty, h->supervisor, h->protect, word[0],
                word[1], word[2]);
    }
}

static void print_answers(const DmarRequest *r, const DmarTranslation *t,
                          const Fault *fault)
{
    static ModelAnswer answer;
    ModelRequest mr = as_model_request(r);
    ModelChoices choices = { 0 };
    do {
        model_translate(&unit, &mr, &choices, &answer);
        g_autofree char *what = describe(r, t, fault, &answer);
        fprintf(stderr, "# legal: %s\n", strstr(what, "model:"));
    } while (model_another(&choices));
}

/* What a page request makes the caches forget goes by where it came through:
 * if that is not known for certain, nothing has to have gone. */
static void forget_requested(const DmarRequest *r, const ModelAnswer *ways,
                             unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        if (ways[i].type != ways[0].type || ways[i].domain != ways[0].domain ||
            ways[i].pasid != ways[0].pasid) {
            return;
        }
    }
    if (count && ways[0].completion == 's') {
        model_forget_requested_page(&caches, ways[0].type, ways[0].domain,
                                    ways[0].pasid, r->addr);
    }
}

static void request_page(unsigned seed, const DmarRequest *r)
{
    static ModelAnswer ways[64], answer;
    unsigned count = 0;
    ModelRequest mr = as_model_request(r);
    ModelChoices choices = { 0 };
    note_memory();
    PageOutcome o = ask_for_page(r, once_in(2));
    do {
        model_translate(&unit, &mr, &choices, &answer);
        if (page_agrees(r, &o, &answer)) {
            ck_assert_uint_lt(count, G_N_ELEMENTS(ways));
            ways[count++] = answer;
        }
    } while (model_another(&choices));
    if (!count) {
        g_autofree char *what = describe_page(r, &o, &answer);
        print_story();
        print_caches();
        ck_abort_msg("seed %u: %s", seed, what);
    }
    tell("page request sid %04x pasid %x addr %" PRIx64 ": %d %02x",
         r->source_id, r->pasid, r->addr, o.queued, o.fault.reason);
    forget_requested(r, ways, count);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned n = 0; n < ways[i].fills; n++) {
            model_hold(&caches, &ways[i].fill[n]);
        }
    }
}

static unsigned requests;           /* that were compared */

static void make_request(unsigned seed)
{
    static ModelCaches brought;
    DmarRequest r = next_request();
    requests++;
    if (wants_page(&r)) {
        request_page(seed, &r);
        return;
    }
    note_memory();
    DmarTranslation t = ask(r);
    Fault fault = take_fault();
    brought.count = 0;
    if (!follow(&r, &t, &fault, &brought)) {
        ModelRequest mr = as_model_request(&r);
        ModelAnswer answer;
        model_translate(&unit, &mr, &(ModelChoices) { 0 }, &answer);
        g_autofree char *what = describe(&r, &t, &fault, &answer);
        print_story();
        print_caches();
        print_answers(&r, &t, &fault);
        ck_abort_msg("seed %u: %s", seed, what);
    }
    tell("request sid %04x pasid %x addr %" PRIx64 " access %d type %d: %d %02x %"
         PRIx64, r.source_id, r.pasid, r.addr, r.access, r.type, t.completion,
         t.reason, t.addr);
    for (unsigned i = 0; i < brought.count; i++) {
        model_hold(&caches, &brought.held[i]);
    }
}

/* ---- Software writes tables -------------------------------------------------------------- */

static uint16_t some_sid(void)
{
    return once_in(2) ? sids[below(sid_count)] : target[below(TARGETS)].source_id;
}

static void write_word(const char *what, uint64_t addr, uint64_t value)
{
    tell("write %s %" PRIx64 ": %" PRIx64 " -> %" PRIx64, what, addr, peek(addr),
         value);
    poke(addr, value);
}

/* Another target, other rights, nothing, or back to not being used. */
static uint64_t changed_entry(uint64_t old, uint64_t anew)
{
    switch (below(5)) {
    case 0: return old ^ 1 << below(3);
    case 1: return old & ~0x760ull;
    case 2: return once_in(2) ? 0 : old ^ BIT_AT(below(64));
    default: return anew;
    }
}

static void write_paging(void)
{
    unsigned level = 1 + below(TOP_LEVEL);
    bool first = once_in(2);
    uint64_t addr = target[below(TARGETS)].addr;
    uint64_t table = first ? first_table[level] : second_table[level];
    uint64_t at = table + (addr >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
    uint64_t anew = first ? random_first_entry(level) : random_second_entry(level);
    write_word(first ? "first-stage" : "second-stage", at,
               changed_entry(peek(at), anew));
}

/* A PASID-table entry, a directory entry or a context entry; @followed if the
 * verbs of the fixture go where it points. */
static uint64_t some_entry_of(uint16_t sid, bool *followed)
{
    *followed = false;
    if (unit.table_mode == TTM_LEGACY) {
        return legacy_context_at(sid);
    }
    uint64_t context = context_entry_at(sid);
    uint32_t pasid = once_in(2) ? pasids[2 + below(pasid_count - 2)]
                                : target[below(TARGETS)].pasid;
    if (pasid == NO_PASID) {
        pasid = peek(context + 8) & 0xfffff;
    }
    *followed = true;
    if (once_in(3) || pasid >= 1u << (PDTS_DEFAULT + 13)) {
        return context;
    }
    uint64_t entry = pasid_entry_at(sid, pasid);
    *followed = once_in(6);
    return *followed ? directory_entry_at(sid, pasid) : entry;
}

static void flip_entry_bit(void)
{
    static const uint8_t likely[] = { 0, 0, 1, 2, 3, 6, 7, 8, 9, 64, 65, 72, 87,
                                      88, 128, 132, 135, 140 };
    bool followed;
    uint64_t at = some_entry_of(sids[below(sid_count)], &followed);
    unsigned which = once_in(20) ? below(128)
                                 : likely[below(G_N_ELEMENTS(likely))];
    if (followed && which % 64 >= 9 && which % 64 < 52) {
        return;
    }
    which %= unit.table_mode == TTM_LEGACY ? 128 : 192;
    at += which / 64 * 8;
    write_word("entry", at, peek(at) ^ BIT_AT(which % 64));
}

static void rewrite_entry(void)
{
    uint16_t sid = sids[below(sid_count)];
    if (unit.table_mode == TTM_LEGACY) {
        make_legacy_context(sid);
        tell("rewrite context of %04x", sid);
        return;
    }
    uint32_t pasid = pasids[2 + below(pasid_count - 2)];
    if (pasid < 1u << (PDTS_DEFAULT + 13)) {
        make_pasid(sid, pasid);
        uint64_t at = pasid_entry_at(sid, pasid);
        tell("rewrite PASID entry of %04x %x: %" PRIx64 " %" PRIx64 " %" PRIx64,
             sid, pasid, peek(at), peek(at + 8), peek(at + 16));
    }
}

static void write_root_entry(void)
{
    uint64_t at = root_entry_at(sids[below(sid_count)]) + (once_in(2) ? 8 : 0);
    if (peek(at)) {
        write_word("root", at, peek(at) ^ 1);
    }
}

static void write_table(void)
{
    switch (below(8)) {
    case 0: case 1: case 2: case 3: write_paging(); break;
    case 4: case 5: flip_entry_bit(); break;
    case 6: rewrite_entry(); break;
    default: write_root_entry(); break;
    }
}

/* ---- Software invalidates ---------------------------------------------------------------- */

static bool by_registers;       /* of legacy mode, the queue being off */

/* The same by register: the fields are those of the descriptors [6.5.1]. */
static void order(Descriptor d)
{
    uint64_t granularity = d.word[0] >> 4 & 3, domain = d.word[0] >> 16 & 0xffff;
    if (!by_registers) {
        execute(d);
        return;
    }
    if ((d.word[0] & 0xf) == 1) {
        set_reg(CCMD_REG, BIT_AT(63) | granularity << 61 | domain |
                (d.word[0] >> 48 & 3) << 32 | (d.word[0] >> 32 & 0xffff) << 16);
        ck_assert(!(reg(CCMD_REG) & BIT_AT(63)));
    } else {
        set_reg(iotlb_reg() - 8, d.word[1]);
        set_reg(iotlb_reg(), BIT_AT(63) | granularity << 60 | domain << 32);
        ck_assert(!(reg(iotlb_reg()) & BIT_AT(63)));
    }
}

static void invalidate_everything(void)
{
    order(context_global());
    if (unit.table_mode == TTM_SCALABLE) {
        order(pasid_cache_global());
    }
    order(iotlb_global());
    caches.count = 0;
    tell("everything forgotten");
}

static unsigned domain_bits(unsigned domain)
{
    return domain & ((1u << m.config.domain_bits) - 1);
}

static void invalidate_contexts(ModelInvalidation *i)
{
    static const uint8_t ignored[] = { 0, 4, 6, 7 };
    unsigned mask = below(4);
    bool legacy = unit.table_mode == TTM_LEGACY;
    i->ignored = ignored[mask];
    switch (below(4)) {
    case 0:
        i->scope = MODEL_GLOBAL;
        order(context_global());
        break;
    case 1:
        i->scope = MODEL_DOMAIN;
        order(context_domain(i->domain));
        break;
    default:
        i->scope = MODEL_DEVICE;
        order(context_device(i->domain, i->source, mask));
        break;
    }
    model_forget_contexts(&caches, legacy, i);
    tell("contexts: scope %d did %x sid %04x ignoring %x", i->scope, i->domain,
         i->source, i->ignored);
}

static void invalidate_pasids(ModelInvalidation *i)
{
    switch (below(4)) {
    case 0:
        i->scope = MODEL_GLOBAL;
        order(pasid_cache_global());
        break;
    case 1:
        i->scope = MODEL_DOMAIN;
        order(pasid_cache_domain(i->domain));
        break;
    default:
        i->scope = MODEL_PASID_OF_DOMAIN;
        order(pasid_cache_pasid(i->domain, i->pasid));
        break;
    }
    model_forget_pasids(&caches, i);
    tell("PASID entries: scope %d did %x pasid %x", i->scope, i->domain, i->pasid);
}

static void choose_range(ModelInvalidation *i, uint64_t addr, unsigned am)
{
    uint64_t inside = (BIT_AT(12) << am) - 1;
    i->scope = MODEL_PAGES;
    i->first = addr & ~inside;
    i->last = addr | inside;
    i->leaves_only = once_in(2);
}

/* Bits of an address that no second stage has do not count. */
static void invalidate_pages(ModelInvalidation *i, uint64_t addr)
{
    unsigned am = once_in(2) ? 0 : 9 * below(3);
    switch (below(6)) {
    case 0:
        i->scope = MODEL_GLOBAL;
        order(iotlb_global());
        break;
    case 1:
        i->scope = MODEL_DOMAIN;
        order(iotlb_domain(i->domain));
        break;
    default:
        choose_range(i, addr & (BIT_AT(m.config.aw_bits) - 1), am);
        order(iotlb_page(i->domain, addr & -PAGE, am,
                           i->leaves_only ? ONLY_LEAVES : NON_LEAVES_TOO));
        break;
    }
    model_forget_pages(&caches, i);
    tell("pages: scope %d did %x %" PRIx64 " am %u ih %d", i->scope, i->domain,
         i->first, am, i->leaves_only);
}

static void invalidate_pages_of_pasid(ModelInvalidation *i, uint64_t addr)
{
    unsigned am = once_in(2) ? 0 : 9 * below(5);
    if (once_in(4)) {
        i->scope = MODEL_PASID_OF_DOMAIN;
        order(p_iotlb_pasid(i->domain, i->pasid));
    } else {
        choose_range(i, addr, am);
        order(p_iotlb_page(i->domain, i->pasid, addr & -PAGE, am,
                             i->leaves_only ? ONLY_LEAVES : NON_LEAVES_TOO));
    }
    model_forget_pages_of_pasid(&caches, i);
    tell("pages of PASID: scope %d did %x pasid %x %" PRIx64 " am %u ih %d",
         i->scope, i->domain, i->pasid, i->first, am, i->leaves_only);
}

static void invalidate(void)
{
    DmarRequest t = target[below(TARGETS)];
    ModelInvalidation i = {
        .domain = domain_bits(below(5)), .source = some_sid(),
        .pasid = t.pasid == NO_PASID || once_in(3)
            ? pasids[2 + below(pasid_count - 2)] : t.pasid,
    };
    bool scalable = unit.table_mode == TTM_SCALABLE;
    switch (below(scalable ? 6 : 3)) {
    case 0: invalidate_contexts(&i); break;
    case 1: case 2: invalidate_pages(&i, t.addr); break;
    case 3: invalidate_pasids(&i); break;
    default: invalidate_pages_of_pasid(&i, t.addr); break;
    }
}

/* ---- Software switches the root table ------------------------------------------------------ */

/* With ESRTPS all caches start anew, without it they stay [6.6]; they do not
 * when a unit that has scalable mode is switched off [11.4.4.1]. */
static void switch_root(void)
{
    bool off = once_in(4);
    if (off) {
        command_off(GCMD_TE);
    }
    unit.root_table = roots[below(2)];
    set_root(unit.root_table, unit.table_mode);
    if (off) {
        command(GCMD_TE);
    }
    if (m.config.root_invalidates || (off && m.config.scalable)) {
        caches.count = 0;
    }
    tell("root %" PRIx64 "%s", unit.root_table, off ? ", switched off before" : "");
}

/* Another root table, with some other contexts. */
static void make_second_root(void)
{
    roots[0] = roots[1] = m.root;
    m.root = roots[1] = new_page();
    for (unsigned i = 0; i < sid_count; i++) {
        if (unit.table_mode == TTM_LEGACY) {
            make_legacy_context(sids[i]);
        } else {
            make_context(sids[i]);
        }
    }
    m.root = roots[0];
}

/* ---- Histories --------------------------------------------------------------------------------- */

static void step(unsigned seed)
{
    unsigned what = below(100);
    if (caches.count > MODEL_HELD - 100) {
        invalidate_everything();
    } else if (what < 70) {
        make_request(seed);
    } else if (what < 84) {
        write_table();
    } else if (what < 98) {
        invalidate();
    } else {
        switch_root();
    }
}

static void live(unsigned seed)
{
    begin();
    given_dice(seed);
    few_domains = true;
    DmarConfig config = random_config();
    config.caching_mode = once_in(3);
    make_machine(&config);
    make_second_root();
    m.by_handle = once_in(2);
    story = g_queue_new();
    caches.count = 0;
    unit.caches = &caches;
    choose_targets();
    by_registers = unit.table_mode == TTM_LEGACY && unit.version < 6 && once_in(2);
    if (by_registers) {
        command_off(GCMD_QIE);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        step(seed);
    }
    g_queue_free_full(story, g_free);
    end();
}

START_TEST(the_engine_answers_from_what_it_may_remember)
{
    unsigned rounds = from_environment("HISTORY_ROUNDS", ROUNDS);
    unsigned first = from_environment("HISTORY_FIRST", 0);
    for (unsigned i = 0; i < rounds; i++) {
        live(first + 10000000 * _i + i);
    }
    tally(requests, rounds);
}
END_TEST

static Suite *history(void)
{
    Suite *s = suite_create("history");
    TCase *t = tcase_create("history");
    tcase_set_timeout(t, 0);
    tcase_add_loop_test(t, the_engine_answers_from_what_it_may_remember, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(history(), argc, argv);
}
