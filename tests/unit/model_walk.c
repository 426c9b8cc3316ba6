/*
 * The model's walks: first stage, second stage, and one within the other
 * [3.6 to 3.9, 9.7, 9.8].
 *
 * Accessed bits are set of every entry that a translation uses, dirty bits of
 * the leaf that a permitted write reaches.  The specification does not say
 * when on the way they are set, so a bit that cannot be set is a fault that
 * may wait.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "model_walk.h"

#include <assert.h>
#include <string.h>

#include "model_cache.h"

#define FIRST_ACCESSED  0x20u
#define FIRST_DIRTY     0x40u
#define FIRST_EXTENDED  0x400u
#define SECOND_ACCESSED 0x100u
#define SECOND_DIRTY    0x200u

bool guest_beyond(const Path *p, uint64_t addr)
{
    return beyond(addr, p->width) || beyond(addr, p->unit->guest_width);
}

static uint64_t span_of(unsigned level)
{
    uint64_t span = 4096;
    while (--level > 0) {
        span *= 512;
    }
    return span;
}

/* ---- Accessed and dirty bits [3.6.2, 3.7.2] --------------------------------------- */

static ModelUpdate *update_of(Path *p, uint64_t addr)
{
    ModelAnswer *a = p->answer;
    for (unsigned i = 0; i < a->updates; i++) {
        if (a->update[i].addr == addr) {
            return &a->update[i];
        }
    }
    assert(a->updates < MODEL_UPDATES);
    a->update[a->updates] = (ModelUpdate) { .addr = addr };
    return &a->update[a->updates++];
}

static bool can_set(const Path *p, uint64_t addr)
{
    return p->snooped && p->unit->writable(addr);
}

/* A probe marks nothing, and so leaves nothing in the caches either. */
static bool leaves_unmarked(Path *p)
{
    p->unmarked = p->unmarked || p->request->kind == MODEL_PROBE;
    return p->unmarked;
}

static void set_second(Path *p, uint64_t at, uint64_t value, uint64_t wanted)
{
    if (!p->track || !(wanted & ~value) || leaves_unmarked(p)) {
        return;
    }
    if (!p->snooped) {
        owe(p, 0x7c);
    } else if (!p->unit->writable(at)) {
        owe(p, 0x7d);
    } else {
        update_of(p, at)->must |= wanted & ~value;
    }
}

/* Reading a first-stage entry may count as a write of its page, as it does for
 * a processor; what that sets is not wrong [3.8.1]. */
static void perhaps_dirty(Path *p, const Landing *page)
{
    uint64_t missing = SECOND_DIRTY & ~page->leaf;
    if (!p->track || !page->leaf_at || !missing ||
        p->request->kind == MODEL_PROBE) {
        return;
    }
    if (can_set(p, page->leaf_at)) {
        update_of(p, page->leaf_at)->may |= missing;
    } else if (choose(p, 2)) {
        set_second(p, page->leaf_at, page->leaf, SECOND_DIRTY);
    }
}

/* A first-stage entry at @at, in a page that the second stage leads to if the
 * two are nested: setting its bits is a write there. */
static void set_first(Path *p, uint64_t at, uint64_t value, uint64_t wanted,
                      const Landing *page)
{
    if (!(wanted & ~value) || leaves_unmarked(p)) {
        return;
    }
    if (p->type == NESTED && !page->write) {
        owe(p, 0x77);
    }
    if (!p->snooped) {
        owe(p, 0x90);
    } else if (!p->unit->writable(at)) {
        owe(p, 0x91);
    } else {
        update_of(p, at)->must |= wanted & ~value;
    }
    if (p->type == NESTED && page->leaf_at) {
        set_second(p, page->leaf_at, page->leaf, SECOND_DIRTY);
    }
}

/* ---- The second stage [3.7, 9.8] ----------------------------------------------------- */

bool second_reserved(const Path *p, const ModelEntry *e, unsigned level, bool leaf)
{
    bool fine = zero(e, 51, p->unit->host_width) && !bit(e, 62);
    if (level >= 4 || (level >= 2 && !p->unit->large_pages)) {
        fine = fine && !bit(e, 7);
    }
    if (!leaf || !p->unit->snoop_control) {
        fine = fine && !bit(e, 11);
    }
    if (leaf && level == 3) {
        fine = fine && zero(e, 29, 12);
    }
    if (leaf && level == 2) {
        fine = fine && zero(e, 20, 12);
    }
    return !fine;
}

void owe_nothing_there(Path *p)
{
    if (!p->legacy) {
        owe(p, 0x79);
        return;
    }
    if (p->request->kind == MODEL_WRITE || p->request->kind == MODEL_ATOMIC) {
        owe(p, 0x5);
    }
    if (p->request->kind != MODEL_WRITE) {
        owe(p, 0x6);
    }
}

/* Of an entry that cannot be used, or not be marked as used, nothing is; whom
 * it lets pass is kept with it [6.2.5.1]. */
static void remember_table(Path *p, ModelCache cache, uint64_t addr,
                           const Walk *walk)
{
    uint64_t span = span_of(walk->level + 1);
    if (p->unmarked) {
        return;
    }
    for (unsigned i = 0; i < p->owed; i++) {
        if (p->owe[i] != 0x81) {
            return;
        }
    }
    fill(p, &(ModelHeld) {
        .cache = cache, .domain = p->domain, .level = walk->level + 1,
        .pasid = cache == MODEL_FIRST ? p->pasid : 0,
        .input = addr / span * span, .span = span, .output = walk->table,
        .read = walk->read, .write = walk->write, .user = walk->user,
    });
}

static void land(Landing *out, uint64_t addr, const ModelEntry *e, uint64_t at,
                 const Walk *walk)
{
    uint64_t span = span_of(walk->level);
    out->addr = bits(e, 51, 12) * 4096 / span * span + addr % span;
    out->size = span;
    out->read = walk->read;
    out->write = walk->write;
    out->snoop = bit(e, 11);
    out->leaf_at = at;
    out->leaf = bits(e, 63, 0);
}

/* The entry for @addr, checked; false: owed. */
static bool second_entry(Path *p, uint64_t addr, Walk *walk, bool top,
                         uint64_t *at, ModelEntry *e)
{
    *at = walk->table + addr / span_of(walk->level) % 512 * 8;
    if (!fetch(p, *at, 8, e)) {
        owe(p, p->legacy ? (top ? 0x3 : 0x7) : (top ? 0x7b : 0x78));
        return false;
    }
    if (!bit(e, 0) && !bit(e, 1)) {
        owe_nothing_there(p);
        return false;
    }
    walk->read = walk->read && bit(e, 0);
    walk->write = walk->write && bit(e, 1);
    /* Found out now or at the end of the walk? */
    if (!walk->read && !walk->write) {
        owe_nothing_there(p);
    }
    bool leaf = walk->level == 1 || (walk->level <= 3 && bit(e, 7));
    if (second_reserved(p, e, walk->level, leaf)) {
        owe(p, p->legacy ? 0xc : 0x7a);
        return false;
    }
    set_second(p, *at, bits(e, 63, 0), SECOND_ACCESSED);
    return true;
}

static bool second_stage(Path *p, uint64_t addr, Landing *out)
{
    unsigned top = (p->width - 12) / 9;
    Walk walk = { top, p->second_table, true, true, true };
    skip_ahead(p, MODEL_SECOND, addr, &walk);
    for (;;) {
        ModelEntry e;
        uint64_t at;
        if (!second_entry(p, addr, &walk, walk.level == top, &at, &e)) {
            return false;
        }
        if (walk.level == 1 || (walk.level <= 3 && bit(&e, 7))) {
            land(out, addr, &e, at, &walk);
            return walk.read || walk.write;
        }
        walk.table = bits(&e, 51, 12) * 4096;
        walk.level--;
        remember_table(p, MODEL_SECOND, addr, &walk);
    }
}

/* ---- From a page to an answer ---------------------------------------------------------- */

static bool may_read(const Path *p, const Mapping *m)
{
    return (p->privileged || m->user) && m->second.read;
}

static bool may_write(const Path *p, const Mapping *m)
{
    bool first = p->privileged ? !p->protect || m->first_write
                               : m->user && m->first_write;
    return first && m->second.write;
}

static bool page_is_dirty(const Path *p, const Mapping *m)
{
    return (!m->first_at || m->first_leaf & FIRST_DIRTY) &&
        (!p->track || !m->second.leaf_at || m->second.leaf & SECOND_DIRTY);
}

static void set_dirty(Path *p, Mapping *m)
{
    if (m->first_at) {
        set_first(p, m->first_at, m->first_leaf, FIRST_ACCESSED | FIRST_DIRTY |
                  (p->extended ? FIRST_EXTENDED : 0), &m->first_page);
        m->first_leaf |= FIRST_DIRTY;
    }
    if (m->second.leaf_at) {
        set_second(p, m->second.leaf_at, m->second.leaf,
                   SECOND_ACCESSED | SECOND_DIRTY);
        m->second.leaf |= SECOND_DIRTY;
    }
}

/* A request without the right may have brought in the page if what faults is
 * remembered, but not of what the first stage has a part in [6.2.4.1]. */
static bool page_is_remembered(const Path *p)
{
    static const uint8_t rights[] = { 0x5, 0x6, 0xe, 0x85, 0x86, 0x87 };
    bool faults_too = p->unit->caching_mode && p->type == SECOND_STAGE;
    for (unsigned i = 0; i < p->owed; i++) {
        if (!faults_too || !memchr(rights, p->owe[i], sizeof(rights))) {
            return false;
        }
    }
    return !p->unmarked && p->request->type != MODEL_TD;
}

static void remember_page(Path *p, const Mapping *m)
{
    uint64_t base = p->request->addr / m->size * m->size;
    if (!page_is_remembered(p)) {
        return;
    }
    fill(p, &(ModelHeld) {
        .cache = MODEL_PAGE, .source = p->request->source,
        .with_pasid = p->request->has_pasid, .pasid = p->pasid,
        .domain = p->domain, .type = p->type, .hide = p->hide,
        .input = base, .span = m->size, .size = m->size,
        .output = m->addr - (p->request->addr - base),
        .read = m->second.read, .write = m->first_write, .user = m->user,
        .second_write = m->second.write, .dirty = page_is_dirty(p, m),
        .snoop = m->second.snoop || p->page_snoop, .privileged = p->privileged,
        .supervisor = p->supervisor, .protect = p->protect,
    });
}

/* Untranslated requests by their address, translation requests by the range
 * of the answer unless they pass through. */
static void interrupt_range(Path *p, const Mapping *m)
{
    uint64_t first = m->addr, last = m->addr;
    if (p->request->type == MODEL_TR) {
        if (p->type == PASS_THROUGH) {
            return;
        }
        first = m->addr / m->size * m->size;
        last = first + m->size - 1;
    }
    if (is_interrupt(first, last)) {
        owe(p, p->legacy ? 0xe : 0x87);
    }
}

static void untranslated_rights(Path *p, Mapping *m)
{
    ModelKind kind = p->request->kind;
    bool writes = kind == MODEL_WRITE || kind == MODEL_ATOMIC;
    bool reads = kind == MODEL_READ || kind == MODEL_ATOMIC;
    bool r = may_read(p, m), w = may_write(p, m);
    if (writes && !w) {
        owe(p, p->legacy ? 0x5 : 0x85);
    }
    if (reads && !m->second.read) {
        owe(p, p->legacy ? 0x6 : 0x86);
    }
    /* A page that one stage makes write-only and the other read-only: is it
     * a write-only page that a zero-length read may touch? */
    if (kind == MODEL_ZLR && !m->second.read && !w && choose(p, 2)) {
        owe(p, 0x86);
    }
    if (writes && w) {
        set_dirty(p, m);
    }
    p->answer->read = r;
    p->answer->write = w;
}

/* A translation that grants nothing may leave the tables as they were, and so
 * need not meet what would have been in the way. */
static void grant_nothing(Path *p)
{
    ModelAnswer *a = p->answer;
    if (p->owed && choose(p, 2)) {
        return;
    }
    p->owed = 0;
    for (unsigned i = 0; i < a->updates; i++) {
        a->update[i].may |= a->update[i].must;
        a->update[i].must = 0;
    }
}

static void translation_rights(Path *p, Mapping *m)
{
    bool no_write = p->unit->no_write_flag && p->request->no_write;
    p->answer->read = may_read(p, m);
    p->answer->write = may_write(p, m) && !no_write;
    if (p->answer->write) {
        set_dirty(p, m);
    }
}

void answer_with(Path *p, Mapping *m)
{
    ModelAnswer *a = p->answer;
    a->addr = m->addr;
    a->size = p->type == PASS_THROUGH ? 0 : m->size;
    a->snoop = m->second.snoop || p->page_snoop;
    if (p->request->type == MODEL_TR) {
        translation_rights(p, m);
    } else {
        untranslated_rights(p, m);
    }
    interrupt_range(p, m);
    if (p->request->type == MODEL_TR && !a->read && !a->write) {
        grant_nothing(p);
    }
    remember_page(p, m);
}

/* ---- The first stage [3.6, 9.7], perhaps nested [3.8] ------------------------------------ */

static bool canonical(const Path *p)
{
    unsigned sign = p->first_levels == 5 ? 56 : 47;
    uint64_t upper = p->request->addr >> sign;
    return upper == 0 || upper == UINT64_MAX >> sign;
}

static bool first_reserved(const Path *p, const ModelEntry *e, unsigned level,
                           bool leaf)
{
    bool fine = zero(e, 51, p->unit->host_width);
    if (level >= 4 || (level == 3 && !p->unit->first_1g)) {
        fine = fine && !bit(e, 7);
    }
    if (leaf && level == 3) {
        fine = fine && zero(e, 29, 13);
    }
    if (leaf && level == 2) {
        fine = fine && zero(e, 20, 13);
    }
    return !fine;
}

/* Where the entry at @at is in memory.  Reads of tables whose second stage is
 * tracked need both rights [3.8.1]. */
static bool reach_first_entry(Path *p, bool top, uint64_t *at, Landing *page)
{
    if (p->type != NESTED) {
        return true;
    }
    if (!second_stage(p, *at, page)) {
        return false;
    }
    if (!page->read || (p->track && !page->write)) {
        owe(p, top ? 0x75 : 0x76);
        return false;
    }
    perhaps_dirty(p, page);
    *at = page->addr;
    return true;
}

/* The entry for the address, checked; false: owed. */
static bool first_entry(Path *p, Walk *walk, uint64_t *at, ModelEntry *e,
                        Landing *page)
{
    bool top = walk->level == p->first_levels;
    *at = walk->table + p->request->addr / span_of(walk->level) % 512 * 8;
    if (!reach_first_entry(p, top, at, page)) {
        return false;
    }
    if (!fetch(p, *at, 8, e)) {
        owe(p, top ? 0x73 : 0x70);
        return false;
    }
    if (!bit(e, 0)) {
        owe(p, 0x71);
        return false;
    }
    if (!bit(e, 2) && !p->privileged) {
        owe(p, 0x81);
    }
    bool leaf = walk->level == 1 || (walk->level <= 3 && bit(e, 7));
    bool reserved = first_reserved(p, e, walk->level, leaf);
    if (reserved) {
        owe(p, 0x72);
    }
    bool far = p->type == NESTED && guest_beyond(p, bits(e, 51, 12) * 4096);
    if (far) {
        owe(p, 0x74);
    }
    return !reserved && !far;
}

static void use_first_entry(Path *p, Walk *walk, uint64_t at,
                            const ModelEntry *e, const Landing *page)
{
    set_first(p, at, bits(e, 63, 0),
              FIRST_ACCESSED | (p->extended ? FIRST_EXTENDED : 0), page);
    walk->user = walk->user && bit(e, 2);
    walk->write = walk->write && bit(e, 1);
}

static bool first_stage(Path *p, Mapping *m)
{
    Walk walk = { p->first_levels, p->first_table, true, true, true };
    if (!canonical(p)) {
        owe(p, 0x80);
        return false;
    }
    skip_ahead(p, MODEL_FIRST, p->request->addr, &walk);
    if (!walk.user && !p->privileged) {
        owe(p, 0x81);
    }
    for (;;) {
        ModelEntry e;
        uint64_t at, span = span_of(walk.level);
        m->first_page = (Landing) { .read = true, .write = true };
        if (!first_entry(p, &walk, &at, &e, &m->first_page)) {
            return false;
        }
        use_first_entry(p, &walk, at, &e, &m->first_page);
        if (walk.level == 1 || (walk.level <= 3 && bit(&e, 7))) {
            m->addr = bits(&e, 51, 12) * 4096 / span * span +
                p->request->addr % span;
            m->size = span;
            m->first_at = at;
            m->first_leaf = bits(&e, 63, 0);
            m->first_write = walk.write;
            m->user = walk.user;
            return true;
        }
        walk.table = bits(&e, 51, 12) * 4096;
        walk.level--;
        remember_table(p, MODEL_FIRST, p->request->addr, &walk);
    }
}

static bool writes(const ModelRequest *r)
{
    return r->type != MODEL_TR &&
        (r->kind == MODEL_WRITE || r->kind == MODEL_ATOMIC);
}

/* Rights of the first stage may be checked before the second is walked. */
static bool nested(Path *p, Mapping *m)
{
    if (!first_stage(p, m)) {
        return false;
    }
    if (writes(p->request) && !may_write(p, m)) {
        owe(p, 0x85);
    }
    if (!second_stage(p, m->addr, &m->second)) {
        return false;
    }
    m->addr = m->second.addr;
    m->size = m->second.size < m->size ? m->second.size : m->size;
    return true;
}

/* ---- Which of them ------------------------------------------------------------------------ */

#define HUGE_PAGE   (1u << 30)

static bool pass(Path *p, Mapping *m)
{
    if (beyond(p->request->addr, p->unit->host_width)) {
        owe(p, p->legacy ? 0x4 : 0x83);
        return false;
    }
    m->addr = p->request->addr;
    m->size = HUGE_PAGE;
    return true;
}

static bool only_second(Path *p, Mapping *m)
{
    if (guest_beyond(p, p->request->addr)) {
        owe(p, p->legacy ? 0x4 : 0x84);
        return false;
    }
    if (!second_stage(p, p->request->addr, &m->second)) {
        return false;
    }
    m->addr = m->second.addr;
    m->size = m->second.size;
    return true;
}

/* What the second stage refused may be remembered, for its page [6.2.4.1]. */
static void remember_fault(Path *p)
{
    static const uint8_t second[] = { 0x3, 0x5, 0x6, 0x7, 0xc, 0x78, 0x79, 0x7a,
                                      0x7b, 0x7c, 0x7d };
    Path of_second = *p;
    of_second.owed = 0;
    for (unsigned i = 0; i < p->owed; i++) {
        if (memchr(second, p->owe[i], sizeof(second))) {
            owe(&of_second, p->owe[i]);
        }
    }
    fill_fault(&of_second, (ModelHeld) {
        .cache = MODEL_PAGE, .source = p->request->source,
        .with_pasid = p->request->has_pasid, .pasid = p->pasid,
        .domain = p->domain, .type = p->type, .hide = p->hide,
        .input = p->request->addr / 4096 * 4096, .span = 4096, .size = 4096,
        .dirty = true, .privileged = p->privileged,
        .supervisor = p->supervisor, .protect = p->protect,
    });
}

void go_through(Path *p)
{
    Mapping m = { .first_write = true, .user = true,
                  .second = { .read = true, .write = true } };
    bool through;
    if (p->request->type == MODEL_TD) {
        p->type = PASS_THROUGH;
    }
    switch (p->type) {
    case FIRST_STAGE: through = first_stage(p, &m); break;
    case SECOND_STAGE: through = only_second(p, &m); break;
    case NESTED: through = nested(p, &m); break;
    default: through = pass(p, &m); break;
    }
    if (through) {
        answer_with(p, &m);
    } else if (p->type == SECOND_STAGE || p->type == NESTED) {
        remember_fault(p);
    }
}
