/*
 * The model: from a requester to its translation, and from there to an answer
 * (chapters 3, 4, 7 and 9 of the specification, read aloud).
 *
 * An entry is an array of bytes; bits() takes it apart one bit at a time with
 * the bit numbers of the specification's tables.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "model_path.h"

#include <assert.h>
#include <string.h>

#include "model_cache.h"

/* ---- Formats --------------------------------------------------------------------- */

uint64_t bits(const ModelEntry *entry, unsigned high, unsigned low)
{
    uint64_t value = 0;
    for (unsigned bit = high + 1; bit-- > low; ) {
        value = value * 2 + (entry->byte[bit / 8] >> bit % 8 & 1);
    }
    return value;
}

bool bit(const ModelEntry *entry, unsigned which)
{
    return bits(entry, which, which);
}

/* Are all bits @high .. @low zero?  An empty range is. */
bool zero(const ModelEntry *entry, unsigned high, unsigned low)
{
    for (unsigned b = low; b <= high; b++) {
        if (bit(entry, b)) {
            return false;
        }
    }
    return true;
}

/* An address held in bits 63:12 of an entry. */
uint64_t pointer(const ModelEntry *entry, unsigned base)
{
    return bits(entry, base + 63, base + 12) * 4096;
}

bool fetch(const Path *p, uint64_t addr, unsigned bytes, ModelEntry *out)
{
    return p->unit->read(addr, out->byte, bytes);
}

bool beyond(uint64_t addr, unsigned width)
{
    return width < 64 && addr / 2 >= (uint64_t)1 << (width - 1);
}

bool is_interrupt(uint64_t first, uint64_t last)
{
    return last >= 4276092928u && first <= 4277141503u;   /* FEE00000..FEEFFFFF */
}

/* ---- Freedom --------------------------------------------------------------------- */

unsigned choose(Path *p, unsigned n)
{
    ModelChoices *c = p->choices;
    if (n <= 1) {
        return 0;
    }
    if (c->next == c->known) {
        assert(c->known < MODEL_CHOICES && n < 256);
        c->taken[c->known] = 0;
        c->of[c->known++] = n;
    }
    return c->taken[c->next++];
}

bool model_another(ModelChoices *c)
{
    c->known = c->next;
    while (c->known > 0 && ++c->taken[c->known - 1] == c->of[c->known - 1]) {
        c->known--;
    }
    return c->known > 0;
}

void owe(Path *p, unsigned code)
{
    for (unsigned i = 0; i < p->owed; i++) {
        if (p->owe[i] == code) {
            return;
        }
    }
    assert(p->owed < MODEL_OWED);
    p->owe[p->owed++] = code;
}

/* ---- Legacy mode [3.4.2, 9.1, 9.3] -------------------------------------------------- */

static bool legacy_root(Path *p, uint64_t *contexts)
{
    ModelEntry e;
    unsigned code = 0;
    if (!fetch(p, p->unit->root_table + p->request->source / 256 * 16, 16, &e)) {
        code = 0x8;
    } else if (!bit(&e, 0)) {
        code = 0x1;
    } else if (!zero(&e, 11, 1) || !zero(&e, 63, p->unit->host_width) ||
               !zero(&e, 127, 64)) {
        code = 0xa;
    }
    if (code) {
        owe(p, code);
        return false;
    }
    *contexts = pointer(&e, 0);
    return true;
}

static bool width_known(const Path *p, unsigned aw)
{
    return p->unit->second_stage && aw >= 1 && aw <= 3 &&
        30 + 9 * aw <= p->unit->guest_width &&
        30 + 9 * aw >= p->unit->least_width;
}

static bool legacy_reserved(const Path *p, const ModelEntry *e)
{
    bool passes = bits(e, 3, 2) == 2;
    return !zero(e, 11, 4) || bit(e, 71) ||
        (!passes && !zero(e, 63, p->unit->host_width)) ||
        !zero(e, 127, 72 + p->unit->domain_width);
}

/* A type, and a width that goes with it?  A unit without second stage has no
 * width that pass-through could name: it may take any, or none. */
static bool legacy_valid(Path *p, const ModelEntry *e)
{
    unsigned type = bits(e, 3, 2), aw = bits(e, 66, 64);
    if (type == 3 || (type == 1 && !p->unit->device_tlb) ||
        (type == 2 && !p->unit->pass_through)) {
        return false;
    }
    if (type == 2 && !p->unit->second_stage) {
        return choose(p, 2);
    }
    return width_known(p, aw);
}

/* Returns whether the entry may be remembered [6.2.2]. */
static bool legacy_context(Path *p, const ModelEntry *e)
{
    if (!bit(e, 0)) {
        owe(p, 0x2);
        return false;
    }
    if (legacy_reserved(p, e)) {
        owe(p, 0xb);
    }
    if (!legacy_valid(p, e)) {
        owe(p, 0x3);
    }
    if (p->owed) {
        return false;
    }
    unsigned type = bits(e, 3, 2);
    if (p->request->type != MODEL_UT && type != 1) {
        owe(p, 0xd);
    }
    p->type = type == 2 ? PASS_THROUGH : SECOND_STAGE;
    p->width = 30 + 9 * bits(e, 66, 64);
    p->second_table = pointer(e, 0);
    p->domain = bits(e, 87, 72);
    return true;
}

/* ---- Scalable mode: context entries [3.4.3, 9.2, 9.4] ------------------------------- */

static bool scalable_root(Path *p, uint64_t *contexts)
{
    ModelEntry e;
    unsigned code = 0;
    unsigned half = p->request->source % 256 >= 128 ? 64 : 0;
    if (!fetch(p, p->unit->root_table + p->request->source / 256 * 16, 16, &e)) {
        code = 0x38;
    } else if (!bit(&e, half)) {
        code = 0x39;
    } else if (!zero(&e, half + 11, half + 1) ||
               !zero(&e, half + 63, half + p->unit->host_width)) {
        code = 0x3a;
    }
    if (code) {
        owe(p, code);
        return false;
    }
    *contexts = pointer(&e, half);
    return true;
}

static bool context_reserved(const Path *p, const ModelEntry *e)
{
    const ModelUnit *u = p->unit;
    return (bit(e, 2) && !u->device_tlb) ||
        (bit(e, 3) && u->pasid_width == 0) ||
        (bit(e, 4) && !u->page_requests) || !zero(e, 8, 5) ||
        !zero(e, 63, u->host_width) ||
        (!zero(e, 83, 64) && !u->rid_pasid) ||
        (bit(e, 84) && !u->rid_privilege) || !zero(e, 255, 85);
}

static uint64_t directory_end(const ModelEntry *context)
{
    return 64u << (bits(context, 11, 9) + 7);
}

/* Of several reasons to refuse a PASID the specification prefers none. */
static void pasid_gates(Path *p, const ModelEntry *context)
{
    unsigned pasid = p->request->pasid;
    bool asks_page = p->request->type == MODEL_PR;
    if (p->request->type == MODEL_TD) {
        owe(p, 0x49);
    } else if (!bit(context, 3)) {
        owe(p, 0x45);
    }
    if (pasid >> p->unit->pasid_width && !asks_page) {
        owe(p, 0x89);
    }
    if (pasid >= directory_end(context)) {
        owe(p, 0x46);
    }
    /* Is the 0 of a unit without RID_PASID a value of that field? */
    if (pasid == bits(context, 83, 64) && (p->unit->rid_pasid || choose(p, 2))) {
        owe(p, 0x48);
    }
}

/* Returns whether the entry may be remembered. */
static bool scalable_context(Path *p, const ModelEntry *e)
{
    if (!bit(e, 0)) {
        owe(p, 0x41);
        return false;
    }
    if (context_reserved(p, e)) {
        owe(p, 0x42);
    }
    if ((bit(e, 4) && !bit(e, 2)) || bits(e, 83, 64) >= directory_end(e)) {
        owe(p, 0x43);
    }
    if (p->owed) {
        return false;
    }
    bool asks_page = p->request->type == MODEL_PR;
    if (p->request->type != MODEL_UT && !asks_page && !bit(e, 2)) {
        owe(p, 0x44);
    }
    if (asks_page && !bit(e, 4)) {
        owe(p, 0x47);
    }
    if (p->request->has_pasid) {
        pasid_gates(p, e);
    }
    p->pasid = p->request->has_pasid ? p->request->pasid : bits(e, 83, 64);
    p->privileged = p->request->has_pasid ? p->request->privileged : bit(e, 84);
    return true;
}

/* As @held, but with no entry and of domain 0. */
static ModelHeld of_nothing(const ModelHeld *held, bool hide)
{
    return (ModelHeld) {
        .cache = held->cache, .source = held->source, .pasid = held->pasid,
        .hide = hide,
    };
}

static void owe_again(Path *p, const ModelHeld *fault)
{
    p->hide = p->hide || fault->hide;
    for (unsigned i = 0; i < fault->faults; i++) {
        owe(p, fault->fault[i]);
    }
}

/* A context entry, from memory or from the cache; false: owed.  What faulted
 * is remembered in caching mode, of no domain [6.2.2]. */
static bool context(Path *p, ModelEntry *e)
{
    unsigned source = p->request->source;
    unsigned bytes = p->legacy ? 16 : 32;
    uint64_t contexts = 0;
    ModelHeld held = { .cache = MODEL_CONTEXT, .source = source };
    Path fresh = *p;
    bool found = p->legacy ? legacy_root(&fresh, &contexts)
                           : scalable_root(&fresh, &contexts);
    if (found) {
        unsigned index = p->legacy ? source % 256 : source % 128;
        found = fetch(p, contexts + index * bytes, bytes, &held.entry);
        if (!found) {
            owe(&fresh, p->legacy ? 0x9 : 0x40);
        }
    }
    const ModelHeld *old = recall_entry(p, &held, found);
    if (old && old->faults) {
        owe_again(p, old);
        return false;
    }
    if (!old && !found) {
        *p = fresh;
        fill_fault(p, of_nothing(&held, false));
        return false;
    }
    *e = old ? old->entry : held.entry;
    p->hide = p->hide || bit(e, 1);
    bool sound = p->legacy ? legacy_context(p, e) : scalable_context(p, e);
    held.domain = p->domain;
    if (sound && !old) {
        fill(p, &held);
    }
    if (!sound && !old) {
        fill_fault(p, of_nothing(&held, bit(e, 1)));
    }
    return p->owed == 0;
}

/* ---- Scalable mode: PASID-table entries [9.5, 9.6] ----------------------------------- */

static bool directory(Path *p, uint64_t addr, uint64_t *table)
{
    ModelEntry e;
    if (!fetch(p, addr, 8, &e)) {
        owe(p, 0x50);
        return false;
    }
    p->hide = p->hide || bit(&e, 1);
    if (!bit(&e, 0)) {
        owe(p, 0x51);
    } else if (!zero(&e, 11, 2) || !zero(&e, 63, p->unit->host_width)) {
        owe(p, 0x52);
    }
    *table = pointer(&e, 0);
    return p->owed == 0;
}

/* Fields of what the unit has not.  AW and a pointer without second stage are
 * reserved by the letter, but Linux fills in AW: either is taken. */
static bool feature_reserved(Path *p, const ModelEntry *e)
{
    const ModelUnit *u = p->unit;
    bool second = !u->second_stage && !zero(e, 63, 12);
    if (!u->second_stage && !zero(e, 4, 2)) {
        second = choose(p, 2) || second;
    }
    return second || (bit(e, 9) && !u->second_dirty) ||
        (bit(e, 87) && !u->coherent_walk) ||
        (bit(e, 88) && !u->snoop_control) ||
        (bit(e, 128) && !u->supervisor) ||
        (!u->first_stage && !(zero(e, 132, 130) && zero(e, 191, 140))) ||
        (bit(e, 135) && !u->extended_accessed);
}

static bool pasid_entry_reserved(Path *p, const ModelEntry *e)
{
    const ModelUnit *u = p->unit;
    bool never = bit(e, 5) || !zero(e, 11, 10) || !zero(e, 63, u->host_width) ||
        !zero(e, 79, 64 + u->domain_width) || !zero(e, 86, 80) ||
        !zero(e, 127, 89) || bit(e, 129) || !zero(e, 139, 136) ||
        !zero(e, 191, 128 + u->host_width) || !zero(e, 511, 192);
    return never || feature_reserved(p, e);
}

static bool type_known(const Path *p, unsigned type)
{
    return (type == FIRST_STAGE && p->unit->first_stage) ||
        (type == SECOND_STAGE && p->unit->second_stage) ||
        (type == NESTED && p->unit->nested) ||
        (type == PASS_THROUGH && p->unit->pass_through);
}

/* The 5Bh conditions.  Whether a paging mode that is not there matters to an
 * entry that uses none is not said. */
static bool pasid_entry_valid(Path *p, const ModelEntry *e)
{
    unsigned type = bits(e, 8, 6), mode = bits(e, 131, 130);
    bool mode_known = mode == 0 || (mode == 1 && p->unit->five_levels);
    bool first = type == FIRST_STAGE || type == NESTED;
    bool second = type == SECOND_STAGE || type == NESTED;
    if (!type_known(p, type) || (second && !width_known(p, bits(e, 4, 2))) ||
        (first && !mode_known)) {
        return false;
    }
    if (type == NESTED && guest_beyond(p, pointer(e, 128))) {
        return false;
    }
    return first || mode_known || choose(p, 2);
}

static void take_pasid_entry(Path *p, const ModelEntry *e)
{
    p->type = bits(e, 8, 6);
    p->width = 30 + 9 * bits(e, 4, 2);
    p->second_table = pointer(e, 0);
    p->domain = bits(e, 79, 64);
    p->first_table = pointer(e, 128);
    p->first_levels = 4 + bits(e, 131, 130);
    p->track = bit(e, 9);
    p->snooped = bit(e, 87);
    p->page_snoop = bit(e, 88);
    p->supervisor = bit(e, 128);
    p->protect = bit(e, 132);
    p->extended = bit(e, 135);
}

/* Returns whether the entry may be remembered [6.2.3]. */
static bool pasid_entry(Path *p, const ModelEntry *e)
{
    if (!bit(e, 0)) {
        owe(p, 0x59);
        return false;
    }
    take_pasid_entry(p, e);
    if (pasid_entry_reserved(p, e)) {
        owe(p, 0x5a);
    }
    if (!pasid_entry_valid(p, e)) {
        owe(p, 0x5b);
    }
    if (p->owed) {
        return false;
    }
    if (p->request->type == MODEL_PR) {
        return true;
    }
    if (p->request->has_pasid && p->request->execute) {
        owe(p, 0x5c);           /* of version 8, 34h before */
    }
    if (p->privileged && !p->supervisor) {
        owe(p, 0x5d);
    }
    return true;
}

static bool translation(Path *p, const ModelEntry *context)
{
    uint64_t table = 0;
    ModelHeld held = { .cache = MODEL_PASID, .source = p->request->source,
                       .pasid = p->pasid };
    Path fresh = *p;
    fresh.hide = false;
    bool found = directory(&fresh, pointer(context, 0) + p->pasid / 64 * 8, &table);
    if (found) {
        found = fetch(p, table + p->pasid % 64 * 64, 64, &held.entry);
        if (!found) {
            owe(&fresh, 0x58);
        }
    }
    held.hide = fresh.hide;
    fresh.hide = fresh.hide || p->hide;
    const ModelHeld *old = recall_entry(p, &held, found);
    if (old && old->faults) {
        owe_again(p, old);
        return false;
    }
    if (!old && !found) {
        *p = fresh;
        fill_fault(p, of_nothing(&held, held.hide));
        return false;
    }
    const ModelHeld *used = old ? old : &held;
    p->hide = p->hide || used->hide || bit(&used->entry, 1);
    bool sound = pasid_entry(p, &used->entry);
    held.domain = p->domain;
    if (sound && !old) {
        fill(p, &held);
    }
    if (!sound && !old) {
        fill_fault(p, of_nothing(&held, held.hide || bit(&held.entry, 1)));
    }
    return p->owed == 0;
}

/* ---- Completion and recording [7.1.3] ----------------------------------------------------- */

static bool among(unsigned code, const uint8_t *codes, unsigned n)
{
    return memchr(codes, code, n) != NULL;
}

/* What a translation request is answered: unsupported, abort, or success that
 * grants nothing. */
static char ats_answer(unsigned code)
{
    static const uint8_t unsupported[] = {
        0x1, 0x2, 0xd, 0x31, 0x33, 0x34, 0x39, 0x41, 0x44, 0x45, 0x46, 0x48,
        0x89,
    };
    static const uint8_t nothing[] = {
        0x4, 0x5, 0x6, 0x51, 0x59, 0x5c, 0x5d, 0x70, 0x71, 0x72, 0x73, 0x74,
        0x75, 0x76, 0x77, 0x79, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x90, 0x91,
    };
    return among(code, unsupported, sizeof(unsupported)) ? 'u'
         : among(code, nothing, sizeof(nothing)) ? 's' : 'a';
}

/* Faults that FPD cannot hide: those met before an FPD could be read. */
static bool unqualified(unsigned code)
{
    static const uint8_t codes[] = {
        0x1, 0x8, 0x9, 0xa, 0x30, 0x31, 0x32, 0x33, 0x34, 0x38, 0x39, 0x3a, 0x40, 0x50,
        0x58,
    };
    return among(code, codes, sizeof(codes));
}

/* What was to be set of a request that failed may be set, or may not. */
static void fail(Path *p)
{
    ModelAnswer *a = p->answer;
    unsigned code = p->owe[choose(p, p->owed)];
    a->read = a->write = a->special = false;
    a->reason = code;
    a->completion = p->request->type == MODEL_TR ? ats_answer(code)
                  : p->request->type == MODEL_PR ? 'i' : 'u';
    a->recorded = (a->completion != 's' || code == 0x91) &&
        !(p->hide && !unqualified(code)) && p->request->kind != MODEL_PROBE;
    for (unsigned i = 0; i < a->updates; i++) {
        a->update[i].may |= a->update[i].must;
        a->update[i].must = 0;
    }
}

/* Conditions S.1 and S.2: the message writes of a device that asks for a
 * translation of everything. */
static bool is_special(const ModelRequest *request)
{
    return request->type == MODEL_TR && !request->has_pasid &&
        is_interrupt(request->addr, request->addr);
}

static void special(Path *p)
{
    bool no_write = p->unit->no_write_flag && p->request->no_write;
    p->answer->special = p->answer->write = !no_write;
}

/* A page may answer before any table is asked; one that asks for translations
 * has to be allowed to, so at least its context entry is looked at.  Its
 * PASID-table entry may be looked at, too, and remembered, whatever it says. */
static void resolve_and_walk(Path *p)
{
    ModelEntry e;
    if (p->request->type == MODEL_UT && answered_by_page(p)) {
        return;
    }
    if (!context(p, &e)) {
        return;
    }
    bool asks = p->request->type == MODEL_TR && !is_special(p->request);
    Path aside = *p;
    if (asks && answered_by_page(p)) {
        if (!p->legacy) {
            translation(&aside, &e);
        }
        return;
    }
    if (!p->legacy && p->request->type != MODEL_TD && !translation(p, &e)) {
        return;
    }
    if (asks && !p->legacy && answered_by_page(p)) {
        return;
    }
    if (p->request->type == MODEL_PR) {
        p->answer->pasid = p->pasid;
        p->answer->domain = p->domain;
        p->answer->type = p->type;
    } else if (is_special(p->request)) {
        special(p);
    } else {
        go_through(p);
    }
}

static void by_table_mode(Path *p)
{
    unsigned mode = p->unit->table_mode;
    bool asks_page = p->request->type == MODEL_PR;
    if (p->unit->version >= 8 && p->request->has_pasid && p->request->execute &&
        !asks_page) {
        owe(p, 0x34);
    }
    if (mode == 3 && p->unit->abort_dma) {
        owe(p, 0x33);
    } else if (mode >= 2 || (mode == 1 && !p->unit->scalable)) {
        owe(p, 0x30);
    } else if (mode == 0 && asks_page) {
        owe(p, 0x32);
    } else if (mode == 0 && p->request->has_pasid) {
        owe(p, 0x31);
    } else if (p->owed == 0) {
        resolve_and_walk(p);
    }
}

void model_translate(const ModelUnit *unit, const ModelRequest *request,
                     ModelChoices *choices, ModelAnswer *answer)
{
    Path p = { .unit = unit, .request = request, .choices = choices,
               .legacy = unit->table_mode == 0, .answer = answer };
    choices->next = 0;
    answer->completion = 's';
    answer->reason = answer->updates = answer->fills = 0;
    answer->recorded = answer->special = answer->snoop = false;
    answer->read = answer->write = false;
    answer->addr = answer->size = 0;
    by_table_mode(&p);
    if (p.owed) {
        fail(&p);
    }
}
