/*
 * The engine's answer and the model's: do they agree?
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compare.h"

#include <inttypes.h>
#include <string.h>

/* ---- Memory ----------------------------------------------------------------------- */

/* RAM as it was before the request, whatever the request changed. */
bool noted_read(uint64_t addr, void *buf, size_t len)
{
    if (addr < RAM_BASE || addr - RAM_BASE > RAM_SIZE - len) {
        return false;
    }
    memcpy(buf, m.ram + (addr - RAM_BASE), len);
    for (unsigned i = m.changes; i-- > 0; ) {
        uint64_t offset = m.change[i].addr - addr;
        if (offset < len) {
            uint64_t old = GUINT64_TO_LE(m.change[i].old);
            memcpy((uint8_t *)buf + offset, &old, 8);
        }
    }
    return true;
}

bool noted_writable(uint64_t addr)
{
    return addr >= RAM_BASE && addr < RAM_BASE + RAM_SIZE &&
        (addr < m.rom || addr >= m.rom_end);
}

void note_memory(void)
{
    m.changes = 0;
}

static const ModelUpdate *update_of(const ModelAnswer *a, uint64_t addr)
{
    for (unsigned i = 0; i < a->updates; i++) {
        if (a->update[i].addr == addr) {
            return &a->update[i];
        }
    }
    return NULL;
}

static uint64_t noted_at(uint64_t addr)
{
    for (unsigned i = 0; i < m.changes; i++) {
        if (m.change[i].addr == addr) {
            return m.change[i].old;
        }
    }
    return peek(addr);
}

/* Every bit that must be set is, and no other but those that may. */
static bool memory_agrees(const ModelAnswer *a)
{
    for (unsigned i = 0; i < a->updates; i++) {
        if (a->update[i].must & ~peek(a->update[i].addr)) {
            return false;
        }
    }
    for (unsigned i = 0; i < m.changes; i++) {
        uint64_t addr = m.change[i].addr;
        uint64_t changed = noted_at(addr) ^ peek(addr);
        const ModelUpdate *u = update_of(a, addr);
        if (changed && (!u || changed & ~(u->must | u->may))) {
            return false;
        }
    }
    return true;
}

/* ---- Answers ----------------------------------------------------------------------- */

ModelRequest as_model_request(const DmarRequest *r)
{
    static const ModelKind kinds[] = {
        [DMAR_READ] = MODEL_READ, [DMAR_WRITE] = MODEL_WRITE,
        [DMAR_READ_ZERO_LENGTH] = MODEL_ZLR, [DMAR_ATOMIC] = MODEL_ATOMIC,
        [DMAR_PROBE] = MODEL_PROBE,
    };
    return (ModelRequest) {
        .source = r->source_id, .has_pasid = r->pasid != NO_PASID,
        .pasid = r->pasid, .addr = r->addr, .kind = kinds[r->access],
        .type = (ModelType)r->type, .privileged = r->privileged,
        .execute = r->execute, .no_write = r->no_write,
    };
}

static char completion_of(const DmarTranslation *t)
{
    return t->completion == DMAR_SUCCESS ? 's'
         : t->completion == DMAR_UNSUPPORTED_REQUEST ? 'u' : 'a';
}

/* What a translation request may not do is not told to anybody. */
static bool reasons_agree(const DmarTranslation *t, const ModelAnswer *a)
{
    static const uint8_t untold[] = { 0, 0x5, 0x6, 0x85, 0x86 };
    bool told = !memchr(untold, t->reason, sizeof(untold)) ||
        !memchr(untold, a->reason, sizeof(untold));
    return t->reason == a->reason || (a->completion == 's' && !told);
}

/* The fields of a PASID, which a unit without PASIDs has not [11.4.7.6]. */
static bool recorded_pasid_agrees(const DmarRequest *r, const Fault *f)
{
    bool with = r->pasid != NO_PASID && m.config.pasid_bits;
    if (!with) {
        return !f->with_pasid;
    }
    bool reads = r->type != DMAR_TRANSLATION_REQUEST && f->type == 2;
    return f->with_pasid && f->pasid == r->pasid &&
        f->privileged == r->privileged && (!reads || f->execute == r->execute);
}

static bool record_agrees(const DmarRequest *r, const DmarTranslation *t,
                          const Fault *f, const ModelAnswer *a)
{
    static const unsigned types[] = {
        [DMAR_READ] = 2, [DMAR_WRITE] = 0, [DMAR_READ_ZERO_LENGTH] = 2,
        [DMAR_ATOMIC] = 3,
    };
    if (!f->recorded || !a->recorded) {
        return f->recorded == a->recorded;
    }
    return f->reason == t->reason && f->sid == r->source_id &&
        recorded_pasid_agrees(r, f) &&
        f->addr == (r->addr & -PAGE & (BIT_AT(m.config.aw_bits) - 1)) &&
        f->at == (m.config.device_tlb ? r->type : 0) &&
        (r->type == DMAR_TRANSLATION_REQUEST || f->type == types[r->access]);
}

static bool touches_interrupts(uint64_t addr, uint64_t size)
{
    uint64_t first = addr & -size;
    return first <= 0xfeefffff && first + (size - 1) >= 0xfee00000;
}

/* Is anything in the @size bytes around that is answered differently? */
static bool meets_interrupts(const DmarRequest *r, uint64_t output, uint64_t size)
{
    return r->type == DMAR_UNTRANSLATED &&
        (touches_interrupts(output, size) ||
         (r->pasid == NO_PASID && touches_interrupts(r->addr, size)));
}

/* Of a page with the interrupt range in it, on either side, an untranslated
 * request is told of a piece without.  What passes through has any size. */
static bool sizes_agree(const DmarRequest *r, const DmarTranslation *t,
                        const ModelAnswer *a)
{
    bool piece = r->type == DMAR_UNTRANSLATED && t->size < a->size &&
        (touches_interrupts(a->addr, a->size) ||
         touches_interrupts(r->addr, a->size));
    return (a->size == 0 || t->size == a->size || piece) &&
        !meets_interrupts(r, a->addr, t->size);
}

static bool pages_agree(const DmarRequest *r, const DmarTranslation *t,
                        const ModelAnswer *a)
{
    bool snoop = t->no_snoop_forced == a->snoop ||
        r->type == DMAR_TRANSLATED;
    return t->addr == a->addr && t->read == a->read && t->write == a->write &&
        snoop && !t->untranslated_only && sizes_agree(r, t, a) &&
        (r->type != DMAR_TRANSLATION_REQUEST ||
         t->privileged == (r->pasid != NO_PASID && r->privileged));
}

static bool answers_agree(const DmarRequest *r, const DmarTranslation *t,
                          const ModelAnswer *a)
{
    if (completion_of(t) != a->completion || !reasons_agree(t, a)) {
        return false;
    }
    if (a->completion != 's') {
        return true;
    }
    if (a->special) {
        return t->untranslated_only && !t->read && t->write;
    }
    if (!a->read && !a->write) {
        return !t->read && !t->write && !t->untranslated_only;
    }
    return pages_agree(r, t, a);
}

bool agree(const DmarRequest *r, const DmarTranslation *t, const Fault *fault,
           const ModelAnswer *a)
{
    return answers_agree(r, t, a) && record_agrees(r, t, fault, a) &&
        memory_agrees(a);
}

static void describe_memory(GString *s, const ModelAnswer *a)
{
    for (unsigned i = 0; i < m.changes; i++) {
        uint64_t addr = m.change[i].addr;
        g_string_append_printf(s, "\n  %" PRIx64 ": %" PRIx64 " -> %" PRIx64,
                               addr, noted_at(addr), peek(addr));
    }
    for (unsigned i = 0; i < a->updates; i++) {
        g_string_append_printf(s, "\n  model: %" PRIx64 " must %" PRIx64
                               " may %" PRIx64, a->update[i].addr,
                               a->update[i].must, a->update[i].may);
    }
}

char *describe(const DmarRequest *r, const DmarTranslation *t,
               const Fault *fault, const ModelAnswer *a)
{
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "sid %04x pasid %x addr %" PRIx64 " access %d "
        "type %d nw%d pr%d er%d\n  engine: %c %02x recorded %d, %" PRIx64
        " size %" PRIx64 " r%d w%d n%d u%d\n  model:  %c %02x recorded %d, %"
        PRIx64 " size %" PRIx64 " r%d w%d n%d u%d",
        r->source_id, r->pasid, r->addr, r->access, r->type, r->no_write,
        r->privileged, r->execute, completion_of(t), t->reason,
        fault->recorded, t->addr, t->size, t->read, t->write,
        t->no_snoop_forced, t->untranslated_only, a->completion, a->reason,
        a->recorded, a->addr, a->size, a->read, a->write, a->snoop, a->special);
    if (fault->recorded) {
        g_string_append_printf(s, "\n  record: %02x sid %04x pp%d pasid %x pr%d "
            "ex%d type %u at %u", fault->reason, fault->sid, fault->with_pasid,
            fault->pasid, fault->privileged, fault->execute, fault->type,
            fault->at);
    }
    describe_memory(s, a);
    return g_string_free(s, FALSE);
}

/* ---- Page requests ------------------------------------------------------------------- */

/* The queue is emptied each time. */
PageOutcome ask_for_page(const DmarRequest *r, bool last)
{
    DmarPageResponse response = { 0 };
    DmarPageRequest request = {
        .source_id = r->source_id, .pasid = r->pasid, .addr = r->addr & -PAGE,
        .read = true, .write = r->access == DMAR_WRITE,
        .execute = r->execute, .privileged = r->privileged, .last = last,
    };
    uint64_t tail = reg(PQT_REG);
    PageOutcome o = { .last = last };
    o.answered = dmar_page_request(m.dmar, &request, &response);
    o.code = response.code;
    o.queued = reg(PQT_REG) != tail;
    o.fault = take_fault();
    set_reg(PQH_REG, reg(PQT_REG));
    set_reg32(PRS_REG, 3);
    return o;
}

bool page_agrees(const DmarRequest *r, const PageOutcome *o, const ModelAnswer *a)
{
    const Fault *f = &o->fault;
    bool invalid = a->completion == 'i';
    if (o->queued == invalid || o->answered != (invalid && o->last) ||
        (o->answered && o->code != DMAR_PAGE_INVALID) ||
        f->recorded != a->recorded) {
        return false;
    }
    return !f->recorded || (f->reason == a->reason && f->sid == r->source_id &&
        f->type == 1 && recorded_pasid_agrees(r, f) &&
        f->addr == (r->addr & -PAGE & (BIT_AT(m.config.aw_bits) - 1)));
}

char *describe_page(const DmarRequest *r, const PageOutcome *o,
                    const ModelAnswer *a)
{
    const Fault *f = &o->fault;
    return g_strdup_printf("page request sid %04x pasid %x addr %" PRIx64
        " last %d\n  engine: answered %d queued %d code %u recorded %d %02x type "
        "%u pp%d %x\n  model: %c %02x recorded %d", r->source_id, r->pasid,
        r->addr, o->last, o->answered, o->queued, o->code, f->recorded, f->reason,
        f->type, f->with_pasid, f->pasid, a->completion, a->reason, a->recorded);
}
