/*
 * Inside the model: answers out of what caches may hold [6.2].
 *
 * A cache may hold an entry and may use it; it may have dropped it at any
 * time.  So each of these is a choice.  An entry that says what memory says
 * makes no difference and is no choice.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "model_cache.h"

#include <assert.h>
#include <string.h>

#include "model_walk.h"

static bool same(const ModelHeld *a, const ModelHeld *b)
{
    return a->cache == b->cache && a->source == b->source &&
        a->with_pasid == b->with_pasid && a->pasid == b->pasid &&
        a->domain == b->domain && a->type == b->type && a->hide == b->hide &&
        a->level == b->level && a->input == b->input && a->span == b->span &&
        a->output == b->output && a->read == b->read && a->write == b->write &&
        a->user == b->user && a->size == b->size &&
        a->second_write == b->second_write && a->dirty == b->dirty &&
        a->snoop == b->snoop && a->privileged == b->privileged &&
        a->supervisor == b->supervisor && a->protect == b->protect &&
        !memcmp(&a->entry, &b->entry, sizeof(a->entry)) &&
        a->faults == b->faults && !memcmp(a->fault, b->fault, a->faults);
}

void model_hold(ModelCaches *caches, const ModelHeld *held)
{
    for (unsigned i = 0; i < caches->count; i++) {
        if (same(&caches->held[i], held)) {
            return;
        }
    }
    assert(caches->count < MODEL_HELD);
    caches->held[caches->count++] = *held;
}

/* Nobody remembers if there are no caches, and a probe is no request. */
void fill(Path *p, const ModelHeld *held)
{
    ModelAnswer *a = p->answer;
    if (!p->unit->caches || p->request->kind == MODEL_PROBE) {
        return;
    }
    assert(a->fills < MODEL_FILLS);
    a->fill[a->fills++] = *held;
}

void fill_fault(Path *p, ModelHeld held)
{
    if (!p->unit->caching_mode || !p->owed) {
        return;
    }
    assert(p->owed <= MODEL_FAULTS);
    held.faults = p->owed;
    memcpy(held.fault, p->owe, p->owed);
    fill(p, &held);
}

#define CANDIDATES  64

typedef struct Candidates {
    unsigned count;
    const ModelHeld *held[CANDIDATES];
} Candidates;

static void add(Candidates *c, const ModelHeld *held)
{
    assert(c->count < CANDIDATES);
    c->held[c->count++] = held;
}

static const ModelHeld *one_or_none(Path *p, const Candidates *c)
{
    unsigned which = choose(p, c->count + 1);
    return which ? c->held[which - 1] : NULL;
}

/* ---- Context and PASID-table entries ------------------------------------------------ */

const ModelHeld *recall_entry(Path *p, const ModelHeld *fresh, bool found)
{
    const ModelCaches *caches = p->unit->caches;
    Candidates c = { 0 };
    for (unsigned i = 0; caches && i < caches->count; i++) {
        const ModelHeld *h = &caches->held[i];
        bool fits = h->cache == fresh->cache && h->source == fresh->source &&
            h->pasid == fresh->pasid;
        bool equal = found && !h->faults && h->hide == fresh->hide &&
            !memcmp(&h->entry, &fresh->entry, sizeof(h->entry));
        if (fits && !equal) {
            add(&c, h);
        }
    }
    return one_or_none(p, &c);
}

/* ---- Paging structures ------------------------------------------------------------------ */

static bool is_for(const Path *p, const ModelHeld *h, ModelCache cache,
                   uint64_t addr, const Walk *walk)
{
    return h->cache == cache && h->domain == p->domain &&
        (cache == MODEL_SECOND || h->pasid == p->pasid) &&
        h->level <= walk->level && addr - h->input < h->span;
}

/* Would a second-stage walk get there by itself, setting nothing? */
static bool makes_no_difference(const Path *p, const ModelHeld *h, uint64_t addr)
{
    uint64_t table = p->second_table;
    bool read = true, write = true;
    for (unsigned level = (p->width - 12) / 9; level >= h->level; level--) {
        ModelEntry e;
        if (!fetch(p, table + (addr >> (9 * level + 3)) % 512 * 8, 8, &e) ||
            (level <= 3 && bit(&e, 7)) || second_reserved(p, &e, level, false) ||
            (p->track && !bit(&e, 8))) {
            return false;
        }
        table = bits(&e, 51, 12) * 4096;
        read = read && bit(&e, 0);
        write = write && bit(&e, 1);
    }
    return table == h->output && read == h->read && write == h->write;
}

void skip_ahead(Path *p, ModelCache cache, uint64_t addr, Walk *walk)
{
    const ModelCaches *caches = p->unit->caches;
    Candidates c = { 0 };
    for (unsigned i = 0; caches && i < caches->count; i++) {
        const ModelHeld *h = &caches->held[i];
        if (is_for(p, h, cache, addr, walk) &&
            !(cache == MODEL_SECOND && makes_no_difference(p, h, addr))) {
            add(&c, h);
        }
    }
    const ModelHeld *h = one_or_none(p, &c);
    if (h) {
        *walk = (Walk) { h->level - 1, h->output, h->read, h->write, h->user };
    }
}

/* ---- Pages ------------------------------------------------------------------------------- */

static bool page_is_for(const Path *p, const ModelHeld *h)
{
    const ModelRequest *r = p->request;
    bool requester = h->cache == MODEL_PAGE && h->source == r->source &&
        r->addr - h->input < h->span;
    if (!r->has_pasid) {
        return requester && !h->with_pasid;
    }
    /* Entries of requests without PASID may serve those with it [6.2.1]. */
    return requester && h->pasid == r->pasid;
}

/* What a page cannot answer: a dirty bit is not set yet. */
static bool page_serves(const Path *p, const ModelHeld *h)
{
    const ModelRequest *r = p->request;
    bool privileged = r->has_pasid ? r->privileged : h->privileged;
    bool first = privileged ? !h->protect || h->write : h->user && h->write;
    bool writes = r->type == MODEL_TR
        ? !(r->no_write && p->unit->no_write_flag)
        : r->kind == MODEL_WRITE || r->kind == MODEL_ATOMIC;
    return h->dirty || !writes || !first || !h->second_write;
}

static void owe_fault(Path *p, const ModelHeld *h)
{
    for (unsigned i = 0; i < h->faults; i++) {
        if (p->legacy && (h->fault[i] == 5 || h->fault[i] == 6)) {
            owe_nothing_there(p);
        } else {
            owe(p, h->fault[i]);
        }
    }
}

/* Refusals by attributes that are kept with the page. */
static void owe_attributes(Path *p, const ModelHeld *h)
{
    const ModelRequest *r = p->request;
    if (r->has_pasid && r->execute) {
        owe(p, 0x5c);
    }
    if (r->has_pasid && r->privileged && !h->supervisor) {
        owe(p, 0x5d);
    }
}

bool answered_by_page(Path *p)
{
    const ModelCaches *caches = p->unit->caches;
    Candidates c = { 0 };
    for (unsigned i = 0; caches && i < caches->count; i++) {
        const ModelHeld *h = &caches->held[i];
        if (page_is_for(p, h) && page_serves(p, h)) {
            add(&c, h);
        }
    }
    const ModelHeld *h = one_or_none(p, &c);
    if (!h) {
        return false;
    }
    Mapping m = { .addr = h->output + (p->request->addr - h->input),
                  .size = h->size, .first_write = h->write, .user = h->user,
                  .second = { .read = h->read, .write = h->second_write,
                              .snoop = h->snoop } };
    p->type = h->type;
    p->hide = p->hide || h->hide;
    p->protect = h->protect;
    p->privileged = p->request->has_pasid ? p->request->privileged
                                          : h->privileged;
    owe_attributes(p, h);
    if (!p->owed) {
        owe_fault(p, h);
    }
    if (p->owed) {
        return true;
    }
    if (!m.user && !p->privileged) {
        owe(p, 0x81);
    }
    p->track = p->page_snoop = false;
    p->pasid = h->pasid;
    p->domain = h->domain;
    unsigned fills = p->answer->fills;
    answer_with(p, &m);
    p->answer->fills = fills;           /* it is held already */
    return true;
}
