/*
 * Interrupt remapping [VT-d 5.1].
 *
 * A write of four bytes to the interrupt address range is an interrupt
 * request: in remappable format it names an entry of the interrupt-remapping
 * table, which says what to deliver and from whom it may come; in
 * compatibility format it passes or is blocked.  What an entry in posted form
 * asks for is in posting.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* A request on its way: the entry it names, and what was met with it. */
typedef struct Remap {
    Dmar *dmar;
    const DmarInterruptRequest *request;
    unsigned index;
    InterruptEntry entry;
    bool cached;                /* and so its format was found good before */
    bool fpd;
    DmarInterruptVerdict verdict;
} Remap;

/* [VT-d 5.1.2.2]: handle, plus the subhandle from the data if SHV. */
static uint8_t find_index(Remap *r)
{
    uint64_t addr = r->request->addr;

    r->index = field_get(addr, MSI_ADDR_HANDLE) |
               field_get(addr, MSI_ADDR_HANDLE_15) << 15;
    if (addr & MSI_ADDR_SHV) {
        if (r->request->data & MSI_DATA_RESERVED) {
            return FAULT_IR_REQUEST_RESERVED;
        }
        r->index += field_get(r->request->data, MSI_DATA_SUBHANDLE);
    }
    if (r->index >> (field_get(r->dmar->irta_latched, IRTA_S) + 1)) {
        return FAULT_IR_INDEX_BEYOND;
    }
    return FAULT_NONE;
}

static bool is_posted(const Remap *r)
{
    return r->entry.word[0] & IRTE0_IM && r->dmar->cap & CAP_PI;
}

static bool remapped_reserved(const Dmar *dmar, const InterruptEntry *e)
{
    uint64_t word0 = IRTE0_P | IRTE0_FPD | IRTE0_DM | IRTE0_RH | IRTE0_TM |
                     IRTE0_DLM | IRTE0_AVAIL | IRTE0_VECTOR;

    word0 |= dmar_in_x2apic_mode(dmar) ? IRTE0_DST_X2APIC : IRTE0_DST_XAPIC;
    return (e->word[0] & ~word0) ||
           (e->word[1] & ~(IRTE1_SID | IRTE1_SQ | IRTE1_SVT));
}

/* A table that leads beyond the host's addresses is as one that ends there:
 * hardware calls both an index beyond [VT-d 5.1.4.1, 21h]. */
static uint8_t read_entry(Remap *r)
{
    uint64_t table = r->dmar->irta_latched & IRTA_IRTA;
    uint64_t addr = table + sizeof(r->entry) * r->index;

    if ((table | addr) & dmar_beyond_host(r->dmar)) {
        return FAULT_IR_INDEX_BEYOND;
    }
    if (!dmar_read_words(r->dmar, addr, r->entry.word, 2)) {
        return FAULT_IR_ENTRY_ACCESS;
    }
    r->fpd = r->entry.word[0] & IRTE0_FPD;
    return r->entry.word[0] & IRTE0_P ? FAULT_NONE : FAULT_IR_ENTRY_NOT_PRESENT;
}

static uint8_t find_entry(Remap *r)
{
    const InterruptEntry *cached =
        dmar_cache_find_interrupt(r->dmar->caches, r->index);

    dmar_perf_count(r->dmar, PERF_INTERRUPT_LOOKUP, 0);
    if (!cached) {
        return read_entry(r);
    }
    r->entry = *cached;
    r->fpd = r->entry.word[0] & IRTE0_FPD;
    r->cached = true;
    dmar_perf_count(r->dmar, is_posted(r) ? PERF_INTERRUPT_HIT_POSTED
                                          : PERF_INTERRUPT_HIT_REMAPPED, 0);
    return FAULT_NONE;
}

/* [VT-d 9.9, SVT and SQ]: SQ says which function bits not to compare. */
static uint8_t validate_source(const Remap *r)
{
    static const uint8_t uncompared[] = { 0, 4, 6, 7 };
    uint64_t word1 = r->entry.word[1];
    uint16_t sid = field_get(word1, IRTE1_SID);
    uint16_t ignored = uncompared[field_get(word1, IRTE1_SQ)];
    unsigned bus = r->request->source_id >> 8;
    bool valid = true;

    if (r->request->source_unknown) {
        return FAULT_NONE;
    }
    switch (field_get(word1, IRTE1_SVT)) {
    case SVT_SOURCE:
        valid = !((sid ^ r->request->source_id) & ~ignored);
        break;
    case SVT_BUS_RANGE:
        valid = bus >= sid >> 8 && bus <= (sid & 0xff);
        break;
    }
    return valid ? FAULT_NONE : FAULT_IR_SOURCE_INVALID;
}

static bool format_reserved(const Remap *r)
{
    return field_get(r->entry.word[1], IRTE1_SVT) == SVT_RESERVED ||
           (is_posted(r) ? dmar_posting_reserved(r->dmar, &r->entry)
                         : remapped_reserved(r->dmar, &r->entry));
}

static uint8_t check_format(const Remap *r)
{
    return !r->cached && format_reserved(r) ? FAULT_IR_ENTRY_RESERVED
                                            : FAULT_NONE;
}

static void decode_entry(const Dmar *dmar, const InterruptEntry *e,
                         DmarInterrupt *out)
{
    uint64_t field = dmar_in_x2apic_mode(dmar) ? IRTE0_DST_X2APIC : IRTE0_DST_XAPIC;

    *out = (DmarInterrupt) {
        .vector = field_get(e->word[0], IRTE0_VECTOR),
        .delivery_mode = field_get(e->word[0], IRTE0_DLM),
        .logical = e->word[0] & IRTE0_DM,
        .redirection_hint = e->word[0] & IRTE0_RH,
        .level = e->word[0] & IRTE0_TM,
        .destination = field_get(e->word[0], field),
    };
}

static uint8_t carry_out(Remap *r, DmarInterrupt *out)
{
    dmar_report(r->dmar, DMAR_EVENT_INTERRUPT, r->request->source_id,
                DMAR_NO_PASID, r->index, r->entry.word[0], r->entry.word[1]);
    if (is_posted(r)) {
        return dmar_posting_post(r->dmar, &r->entry, &r->verdict, out);
    }
    decode_entry(r->dmar, &r->entry, out);
    r->verdict = DMAR_INTERRUPT_REMAPPED;
    return FAULT_NONE;
}

/* In the order of [VT-d 5.1.4 Interrupt-Remapping Hardware Operation]; only an
 * entry that led to no fault is cached [VT-d 6.4 Interrupt Entry Cache]. */
static uint8_t remap(Remap *r, DmarInterrupt *out)
{
    uint8_t reason = find_index(r);

    reason = reason ? reason : find_entry(r);
    reason = reason ? reason : validate_source(r);
    reason = reason ? reason : check_format(r);
    reason = reason ? reason : carry_out(r, out);
    if (!reason && !r->cached) {
        dmar_cache_add_interrupt(r->dmar->caches, r->index, &r->entry);
    }
    return reason;
}

static DmarInterruptVerdict block(Remap *r, uint8_t reason, DmarInterrupt *out)
{
    *out = (DmarInterrupt) { .reason = reason };
    if (!(r->fpd && dmar_fault_qualified(reason))) {
        dmar_fault_record_interrupt(r->dmar, r->request->source_id, r->index,
                                    reason);
    }
    return DMAR_INTERRUPT_BLOCKED;
}

/* [VT-d 5.1.2.1]: x2APIC mode has no compatibility format. */
static bool compatibility_passes(const Dmar *dmar)
{
    return !dmar_in_x2apic_mode(dmar) && dmar_status(dmar, GCMD_CFI);
}

static DmarInterruptVerdict judge(Remap *r, DmarInterrupt *out)
{
    uint8_t reason;

    if (!dmar_status(r->dmar, GCMD_IRE | GCMD_TE)) {
        return DMAR_INTERRUPT_AS_IS;
    }
    if (!r->request->is_write || r->request->size != 4) {
        return block(r, FAULT_IR_BAD_ACCESS, out);
    }
    if (!dmar_status(r->dmar, GCMD_IRE)) {
        return DMAR_INTERRUPT_AS_IS;
    }
    if (!(r->request->addr & MSI_ADDR_REMAPPABLE)) {
        return compatibility_passes(r->dmar)
               ? DMAR_INTERRUPT_AS_IS
               : block(r, FAULT_IR_COMPATIBILITY_BLOCKED, out);
    }
    reason = remap(r, out);
    return reason ? block(r, reason, out) : r->verdict;
}

DmarInterruptVerdict dmar_remap_interrupt(Dmar *dmar,
                                          const DmarInterruptRequest *request,
                                          DmarInterrupt *out)
{
    Remap r = { .dmar = dmar, .request = request };
    DmarInterruptVerdict verdict;

    *out = (DmarInterrupt) { 0 };
    if (!request->is_write && request->size == 0) {
        return DMAR_INTERRUPT_AS_IS;
    }
    g_mutex_lock(&dmar->lock);
    verdict = judge(&r, out);
    g_mutex_unlock(&dmar->lock);
    return verdict;
}
