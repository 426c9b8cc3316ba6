/*
 * The model: chapters 3, 7 and 9 of the specification, read aloud.
 *
 * An entry is an array of bytes; bits() takes it apart one bit at a time with
 * the bit numbers of the specification's tables.  Every step returns a fault
 * code or 0.  Where the specification leaves an order open, the comment says
 * which one is taken.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "model.h"

typedef struct Entry {
    uint8_t byte[64];
} Entry;

/* Everything that a translation gathers on its way. */
typedef struct Path {
    const ModelUnit *unit;
    const ModelRequest *request;
    bool hide;                  /* some FPD was 1 */
    bool ats_allowed;
    bool passes;                /* no table is walked */
    bool page_snoop;            /* PGSNP */
    unsigned width;             /* AGAW in bits */
    uint64_t table;             /* second-stage root */
    ModelAnswer answer;
} Path;

static uint64_t bits(const Entry *entry, unsigned high, unsigned low)
{
    uint64_t value = 0;
    for (unsigned bit = high + 1; bit-- > low; ) {
        value = value * 2 + (entry->byte[bit / 8] >> bit % 8 & 1);
    }
    return value;
}

static bool bit(const Entry *entry, unsigned which)
{
    return bits(entry, which, which);
}

/* Are all bits @high .. @low zero?  An empty range is. */
static bool zero(const Entry *entry, unsigned high, unsigned low)
{
    for (unsigned b = low; b <= high; b++) {
        if (bit(entry, b)) {
            return false;
        }
    }
    return true;
}

static bool fetch(const Path *p, uint64_t addr, unsigned bytes, Entry *out)
{
    return p->unit->read(addr, out->byte, bytes);
}

/* An address held in bits 63:12 of an entry. */
static uint64_t pointer(const Entry *entry, unsigned base)
{
    return bits(entry, base + 63, base + 12) * 4096;
}

static bool beyond(uint64_t addr, unsigned width)
{
    return width < 64 && addr / 2 >= (uint64_t)1 << (width - 1);
}

static bool is_interrupt(uint64_t first, uint64_t last)
{
    return last >= 4276092928u && first <= 4277141503u;   /* FEE00000..FEEFFFFF */
}

/* ---- The second stage [3.7, 9.8] --------------------------------------------- */

static bool paging_reserved(const Path *p, const Entry *e, unsigned level, bool leaf)
{
    bool fine = zero(e, 51, p->unit->host_width) && !bit(e, 62);
    if (level >= 4) {
        fine = fine && !bit(e, 7);
    }
    if (!leaf) {
        return !(fine && !bit(e, 11));
    }
    if (!p->unit->snoop_control) {
        fine = fine && !bit(e, 11);
    }
    if (level == 3) {
        fine = fine && zero(e, 29, 12);
    }
    if (level == 2) {
        fine = fine && zero(e, 20, 12);
    }
    return !fine;
}

/* In legacy mode what is not there is what one has no right to. */
static unsigned nothing_there(const Path *p)
{
    if (p->unit->table_mode == 1) {
        return 0x79;
    }
    return p->request->kind == MODEL_WRITE ? 0x5 : 0x6;
}

static unsigned walk(Path *p)
{
    bool legacy = p->unit->table_mode == 0;
    uint64_t table = p->table;
    bool may_read = true, may_write = true;
    unsigned top = (p->width - 12) / 9;
    for (unsigned level = top; level >= 1; level--) {
        Entry e;
        uint64_t span = 4096;
        for (unsigned i = 1; i < level; i++) {
            span *= 512;
        }
        uint64_t index = p->request->addr / span % 512;
        if (!fetch(p, table + index * 8, 8, &e)) {
            if (legacy) {
                return level == top ? 0x3 : 0x7;
            }
            return level == top ? 0x7b : 0x78;
        }
        bool r = bit(&e, 0), w = bit(&e, 1);
        if (!r && !w) {
            return nothing_there(p);
        }
        may_read = may_read && r;
        may_write = may_write && w;
        if (!may_read && !may_write) {
            return nothing_there(p);
        }
        bool leaf = level == 1 || (level <= 3 && bit(&e, 7));
        if (paging_reserved(p, &e, level, leaf)) {
            return legacy ? 0xc : 0x7a;
        }
        if (leaf) {
            uint64_t page = bits(&e, 51, 12) * 4096 / span * span;
            p->answer.addr = page + p->request->addr % span;
            p->answer.size = span;
            p->answer.read = may_read;
            p->answer.write = may_write;
            p->answer.snoop = bit(&e, 11) || p->page_snoop;
            return 0;
        }
        table = bits(&e, 51, 12) * 4096;
    }
    return 0;
}

/* ---- From a table or none to an answer ------------------------------------------ */

static unsigned pass(Path *p)
{
    bool legacy = p->unit->table_mode == 0;
    if (beyond(p->request->addr, p->unit->host_width)) {
        return legacy ? 0x4 : 0x83;
    }
    p->answer.addr = p->request->addr;
    p->answer.size = 0;
    p->answer.read = p->answer.write = true;
    p->answer.snoop = p->page_snoop;
    return 0;
}

static unsigned rights(const Path *p)
{
    bool legacy = p->unit->table_mode == 0;
    ModelKind kind = p->request->kind;
    if (p->request->type != MODEL_UT) {
        return 0;
    }
    if ((kind == MODEL_WRITE || kind == MODEL_ATOMIC) && !p->answer.write) {
        return legacy ? 0x5 : 0x85;
    }
    if ((kind == MODEL_READ || kind == MODEL_ATOMIC) && !p->answer.read) {
        return legacy ? 0x6 : 0x86;
    }
    return 0;
}

/* Untranslated requests by their address, translation requests by the range
 * of the answer unless they pass through. */
static unsigned interrupt_range(const Path *p)
{
    uint64_t first = p->answer.addr, last = first;
    if (p->request->type == MODEL_TR) {
        if (p->answer.size == 0) {
            return 0;
        }
        first = first / p->answer.size * p->answer.size;
        last = first + p->answer.size - 1;
    }
    if (!is_interrupt(first, last)) {
        return 0;
    }
    return p->unit->table_mode == 0 ? 0xe : 0x87;
}

static unsigned go_through(Path *p)
{
    bool legacy = p->unit->table_mode == 0;
    unsigned code;
    if (p->request->type == MODEL_TD || p->passes) {
        code = pass(p);
    } else if (beyond(p->request->addr, p->width) ||
               beyond(p->request->addr, p->unit->guest_width)) {
        code = legacy ? 0x4 : 0x84;
    } else {
        code = walk(p);
    }
    if (code == 0) {
        code = rights(p);
    }
    return code ? code : interrupt_range(p);
}

static bool width_known(const Path *p, unsigned aw)
{
    return aw >= 1 && aw <= 3 && 30 + 9 * aw <= p->unit->guest_width;
}

/* ---- Legacy mode [3.4.2, 9.1, 9.3] --------------------------------------------------- */

static unsigned legacy_root(Path *p, uint64_t *contexts)
{
    Entry e;
    if (!fetch(p, p->unit->root_table + p->request->source / 256 * 16, 16, &e)) {
        return 0x8;
    }
    if (!bit(&e, 0)) {
        return 0x1;
    }
    if (!zero(&e, 11, 1) || !zero(&e, 63, p->unit->host_width) ||
        !zero(&e, 127, 64)) {
        return 0xa;
    }
    *contexts = pointer(&e, 0);
    return 0;
}

static bool legacy_context_reserved(const Path *p, const Entry *e)
{
    bool passes = bits(e, 3, 2) == 2;
    return !zero(e, 11, 4) || bit(e, 71) ||
        (!passes && !zero(e, 63, p->unit->host_width)) ||
        !zero(e, 127, 72 + p->unit->domain_width);
}

static unsigned legacy_context(Path *p, uint64_t contexts)
{
    Entry e;
    if (!fetch(p, contexts + p->request->source % 256 * 16, 16, &e)) {
        return 0x9;
    }
    p->hide = p->hide || bit(&e, 1);
    if (!bit(&e, 0)) {
        return 0x2;
    }
    if (legacy_context_reserved(p, &e)) {
        return 0xb;
    }
    unsigned type = bits(&e, 3, 2), aw = bits(&e, 66, 64);
    bool type_known = type == 0 || (type == 1 && p->unit->device_tlb) ||
        (type == 2 && p->unit->pass_through);
    if (!width_known(p, aw) || !type_known) {
        return 0x3;
    }
    if (p->request->type != MODEL_UT && type != 1) {
        return 0xd;
    }
    p->passes = type == 2;
    p->width = 30 + 9 * aw;
    p->table = pointer(&e, 0);
    return 0;
}

static unsigned legacy(Path *p)
{
    uint64_t contexts = 0;
    if (p->request->has_pasid) {
        return 0x31;
    }
    unsigned code = legacy_root(p, &contexts);
    return code ? code : legacy_context(p, contexts);
}

/* ---- Scalable mode [3.4.3, 9.2, 9.4 to 9.6] ---------------------------------------------- */

static unsigned scalable_root(Path *p, uint64_t *contexts)
{
    Entry e;
    unsigned half = p->request->source % 256 >= 128 ? 64 : 0;
    if (!fetch(p, p->unit->root_table + p->request->source / 256 * 16, 16, &e)) {
        return 0x38;
    }
    if (!bit(&e, half)) {
        return 0x39;
    }
    if (!zero(&e, half + 11, half + 1) ||
        !zero(&e, half + 63, half + p->unit->host_width)) {
        return 0x3a;
    }
    *contexts = pointer(&e, half);
    return 0;
}

static bool context_reserved(const Path *p, const Entry *e)
{
    return (bit(e, 2) && !p->unit->device_tlb) ||
        (bit(e, 3) && p->unit->pasid_width == 0) || !zero(e, 8, 4) ||
        !zero(e, 63, p->unit->host_width) || !zero(e, 255, 84);
}

/* A PASID that is both too wide for the unit and beyond the directory is
 * taken to be too wide. */
static unsigned pasid_gate(const Path *p, const Entry *context)
{
    unsigned pasid = p->request->pasid;
    if (p->request->type == MODEL_TD) {
        return 0x49;
    }
    if (!bit(context, 3)) {
        return 0x45;
    }
    if (pasid >= 1u << p->unit->pasid_width) {
        return 0x89;
    }
    if (pasid >= 64u << (bits(context, 11, 9) + 7)) {
        return 0x46;
    }
    return pasid == bits(context, 83, 64) ? 0x48 : 0;
}

static unsigned scalable_context(Path *p, uint64_t contexts, Entry *e)
{
    if (!fetch(p, contexts + p->request->source % 128 * 32, 32, e)) {
        return 0x40;
    }
    p->hide = p->hide || bit(e, 1);
    if (!bit(e, 0)) {
        return 0x41;
    }
    if (context_reserved(p, e)) {
        return 0x42;
    }
    if (bits(e, 83, 64) >= 64u << (bits(e, 11, 9) + 7)) {
        return 0x43;
    }
    if (p->request->type != MODEL_UT && !bit(e, 2)) {
        return 0x44;
    }
    return p->request->has_pasid ? pasid_gate(p, e) : 0;
}

static unsigned directory(Path *p, uint64_t addr, uint64_t *table)
{
    Entry e;
    if (!fetch(p, addr, 8, &e)) {
        return 0x50;
    }
    p->hide = p->hide || bit(&e, 1);
    if (!bit(&e, 0)) {
        return 0x51;
    }
    if (!zero(&e, 11, 2) || !zero(&e, 63, p->unit->host_width)) {
        return 0x52;
    }
    *table = pointer(&e, 0);
    return 0;
}

/* A unit with second stage and pass-through only: no first stage, memory
 * types, supervisor requests, accessed and dirty bits. */
static bool pasid_entry_reserved(const Path *p, const Entry *e)
{
    return bit(e, 5) || !zero(e, 11, 9) ||
        !zero(e, 63, p->unit->host_width) ||
        !zero(e, 79, 64 + p->unit->domain_width) || !zero(e, 86, 80) ||
        (bit(e, 88) && !p->unit->snoop_control) || !zero(e, 132, 89) ||
        !zero(e, 511, 135);
}

static unsigned pasid_entry(Path *p, uint64_t addr)
{
    Entry e;
    if (!fetch(p, addr, 64, &e)) {
        return 0x58;
    }
    p->hide = p->hide || bit(&e, 1);
    if (!bit(&e, 0)) {
        return 0x59;
    }
    if (pasid_entry_reserved(p, &e)) {
        return 0x5a;
    }
    unsigned type = bits(&e, 8, 6), aw = bits(&e, 4, 2);
    bool known = (type == 2 && width_known(p, aw)) ||
        (type == 4 && p->unit->pass_through);
    if (!known) {
        return 0x5b;
    }
    p->passes = type == 4;
    p->width = 30 + 9 * aw;
    p->table = pointer(&e, 0);
    p->page_snoop = bit(&e, 88);
    return 0;
}

static unsigned attributes(const Path *p)
{
    if (p->request->has_pasid && p->request->execute) {
        return 0x5c;
    }
    return p->request->has_pasid && p->request->privileged ? 0x5d : 0;
}

static unsigned scalable(Path *p)
{
    Entry context;
    uint64_t contexts = 0, table = 0;
    unsigned code = scalable_root(p, &contexts);
    if (code == 0) {
        code = scalable_context(p, contexts, &context);
    }
    if (code || p->request->type == MODEL_TD) {
        return code;
    }
    unsigned pasid = p->request->has_pasid ? p->request->pasid
                                           : bits(&context, 83, 64);
    code = directory(p, pointer(&context, 0) + pasid / 64 * 8, &table);
    if (code == 0) {
        code = pasid_entry(p, table + pasid % 64 * 64);
    }
    return code ? code : attributes(p);
}

/* ---- Completion and recording [7.1.3] ------------------------------------------------------- */

/* What a translation request is answered: unsupported, abort, or success that
 * grants nothing and is no fault. */
static char ats_answer(unsigned code)
{
    static const uint8_t unsupported[] = {
        0x1, 0x2, 0xd, 0x31, 0x39, 0x41, 0x44, 0x45, 0x46, 0x48, 0x89,
    };
    static const uint8_t nothing[] = {
        0x4, 0x5, 0x6, 0x51, 0x59, 0x5c, 0x5d, 0x79, 0x83, 0x84, 0x85, 0x86,
    };
    for (unsigned i = 0; i < sizeof(unsupported); i++) {
        if (unsupported[i] == code) {
            return 'u';
        }
    }
    for (unsigned i = 0; i < sizeof(nothing); i++) {
        if (nothing[i] == code) {
            return 's';
        }
    }
    return 'a';
}

/* Faults that FPD cannot hide: those met before an FPD could be read. */
static bool unqualified(unsigned code)
{
    static const uint8_t codes[] = {
        0x1, 0x8, 0x9, 0xa, 0x30, 0x31, 0x38, 0x39, 0x3a, 0x40, 0x50, 0x58,
    };
    for (unsigned i = 0; i < sizeof(codes); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static ModelAnswer fail(const Path *p, unsigned code)
{
    ModelAnswer answer = { .reason = code };
    answer.completion = p->request->type == MODEL_TR ? ats_answer(code) : 'u';
    answer.recorded = answer.completion != 's' && !(p->hide && !unqualified(code));
    return answer;
}

static bool mode_known(const ModelUnit *unit)
{
    return unit->table_mode == 0 || (unit->table_mode == 1 && unit->scalable);
}

/* Condition S.1; the no-write flag is not supported. */
static bool is_special(const ModelRequest *request)
{
    return request->type == MODEL_TR && !request->has_pasid &&
        is_interrupt(request->addr, request->addr);
}

static ModelAnswer special(void)
{
    return (ModelAnswer) { .completion = 's', .write = true, .special = true };
}

ModelAnswer model_translate(const ModelUnit *unit, const ModelRequest *request)
{
    Path p = { .unit = unit, .request = request };
    unsigned code = 0x30;
    if (mode_known(unit)) {
        code = unit->table_mode == 0 ? legacy(&p) : scalable(&p);
        if (code == 0 && is_special(request)) {
            return special();
        }
        code = code ? code : go_through(&p);
    }
    if (code) {
        return fail(&p, code);
    }
    p.answer.completion = 's';
    return p.answer;
}
