/*
 * Source-id -> context: root and context entries of legacy and of scalable
 * mode, through the context-cache [VT-d 3.4.2, 3.4.3, 9.1 .. 9.4].
 *
 * Entries are checked here and nowhere else: present, reserved bits, values.
 * One that fails a check is not cached but in caching mode, where what failed
 * is kept with its reason and domain-id 0 [VT-d 6.2.2].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "resolve.h"

/* ---- Legacy mode --------------------------------------------------------- */

static uint8_t legacy_root(Resolution *r, uint64_t *context_table)
{
    Dmar *dmar = r->dmar;
    RootEntry entry;
    uint64_t addr = (dmar->root_latched & RTADDR_RTA) +
                    sizeof(entry) * (r->request->source_id >> 8);

    if (!dmar_read_words(dmar, addr, entry.word, 2)) {
        return FAULT_LEGACY_ROOT_ACCESS;
    }
    if (!(entry.word[0] & ROOT_P)) {
        return FAULT_LEGACY_ROOT_NOT_PRESENT;
    }
    if ((entry.word[0] & ~(ROOT_P | dmar_pointer_mask(dmar, ROOT_CTP))) ||
        entry.word[1]) {
        return FAULT_LEGACY_ROOT_RESERVED;
    }
    *context_table = entry.word[0] & ROOT_CTP;
    return FAULT_NONE;
}

static bool legacy_context_reserved(const Dmar *dmar,
                                    const LegacyContextEntry *e)
{
    uint64_t pointer = LCTX0_SSPTPTR;

    if (field_get(e->word[0], LCTX0_TT) != TT_PASS_THROUGH) {
        pointer = dmar_pointer_mask(dmar, LCTX0_SSPTPTR);
    }
    return (e->word[0] & ~(LCTX0_P | LCTX0_FPD | LCTX0_TT | pointer)) ||
           (e->word[1] & ~(LCTX1_AW | LCTX1_IGNORED |
                           dmar_domain_mask(dmar, LCTX1_DID)));
}

static bool legacy_context_supported(const Dmar *dmar,
                                     const LegacyContextEntry *e)
{
    if (!dmar_caps_aw_supported(dmar, field_get(e->word[1], LCTX1_AW))) {
        return false;
    }
    switch (field_get(e->word[0], LCTX0_TT)) {
    case TT_SECOND_STAGE:
        return true;
    case TT_DEVICE_TLB:
        return dmar_has(dmar, ECAP_DT);
    case TT_PASS_THROUGH:
        return dmar_has(dmar, ECAP_PT);
    default:
        return false;
    }
}

static void decode_legacy_context(const Resolution *r,
                                  const LegacyContextEntry *e, DmarContext *out)
{
    unsigned type = field_get(e->word[0], LCTX0_TT);

    *out = (DmarContext) {
        .source_id = r->request->source_id,
        .legacy = true,
        .fpd = e->word[0] & LCTX0_FPD,
        .device_tlb = type == TT_DEVICE_TLB,
        .binding = {
            .source_id = r->request->source_id,
            .pasid = DMAR_NO_PASID,
            .domain = field_get(e->word[1], LCTX1_DID),
            .pgtt = type == TT_PASS_THROUGH ? PGTT_PASS_THROUGH
                                            : PGTT_SECOND_STAGE,
            .root[DMAR_SECOND_STAGE] = {
                .addr = e->word[0] & LCTX0_SSPTPTR,
                .levels = AW_LEVELS(field_get(e->word[1], LCTX1_AW)),
            },
            .legacy = true,
            .fpd = e->word[0] & LCTX0_FPD,
        },
    };
}

static uint8_t read_legacy_context(Resolution *r, DmarContext *out)
{
    LegacyContextEntry entry;
    uint64_t table;
    uint8_t reason = legacy_root(r, &table);

    if (reason) {
        return reason;
    }
    table += sizeof(entry) * (r->request->source_id & 0xff);
    if (!dmar_read_words(r->dmar, table, entry.word, 2)) {
        return FAULT_LEGACY_CONTEXT_ACCESS;
    }
    r->fpd |= entry.word[0] & LCTX0_FPD;
    if (!(entry.word[0] & LCTX0_P)) {
        return FAULT_LEGACY_CONTEXT_NOT_PRESENT;
    }
    if (legacy_context_reserved(r->dmar, &entry)) {
        return FAULT_LEGACY_CONTEXT_RESERVED;
    }
    if (!legacy_context_supported(r->dmar, &entry)) {
        return FAULT_LEGACY_CONTEXT_INVALID;
    }
    decode_legacy_context(r, &entry, out);
    dmar_report(r->dmar, DMAR_EVENT_CONTEXT, out->source_id, DMAR_NO_PASID,
                table, entry.word[0], entry.word[1]);
    dmar_stats_entry(r->dmar->stats, &out->binding, false);
    return FAULT_NONE;
}

/* ---- Scalable mode: root and context ------------------------------------- */

static uint8_t scalable_root(Resolution *r, uint64_t *context_table)
{
    Dmar *dmar = r->dmar;
    uint16_t sid = r->request->source_id;
    bool upper = sid & 0x80;
    uint64_t addr = (dmar->root_latched & RTADDR_RTA) +
                    sizeof(RootEntry) * (sid >> 8) + (upper ? 8 : 0);
    uint64_t half;

    if (!dmar_read_words(dmar, addr, &half, 1)) {
        return FAULT_ROOT_ACCESS;
    }
    if (!(half & ROOT_P)) {
        return FAULT_ROOT_NOT_PRESENT;
    }
    if (half & ~(ROOT_P | dmar_pointer_mask(dmar, ROOT_CTP))) {
        return FAULT_ROOT_RESERVED;
    }
    *context_table = half & ROOT_CTP;
    return FAULT_NONE;
}

static bool scalable_context_reserved(const Dmar *dmar,
                                      const ScalableContextEntry *e)
{
    uint64_t word0 = SCTX0_P | SCTX0_FPD | SCTX0_PDTS |
                     dmar_pointer_mask(dmar, SCTX0_PASIDDIRPTR);
    uint64_t word1 = 0;

    word0 |= dmar_has(dmar, ECAP_DT) ? SCTX0_DTE : 0;
    word0 |= dmar_has(dmar, ECAP_PASID) ? SCTX0_PASIDE : 0;
    word0 |= dmar_has(dmar, ECAP_PRS) ? SCTX0_PRE : 0;
    word1 |= dmar_has(dmar, ECAP_RPS) ? SCTX1_RID_PASID : 0;
    word1 |= dmar_has(dmar, ECAP_RPRIVS) ? SCTX1_RID_PRIV : 0;
    return (e->word[0] & ~word0) || (e->word[1] & ~word1) ||
           e->word[2] || e->word[3];
}

/* [VT-d 7.1.3, SCT.4] */
static bool scalable_context_invalid(const DmarContext *context)
{
    return (context->page_requests && !context->device_tlb) ||
           dmar_beyond_directory(context->rid_pasid, context->pdts);
}

static void decode_scalable_context(const Resolution *r,
                                    const ScalableContextEntry *e,
                                    DmarContext *out)
{
    *out = (DmarContext) {
        .source_id = r->request->source_id,
        .fpd = e->word[0] & SCTX0_FPD,
        .device_tlb = e->word[0] & SCTX0_DTE,
        .page_requests = e->word[0] & SCTX0_PRE,
        .pasid_enabled = e->word[0] & SCTX0_PASIDE,
        .rid_privileged = e->word[1] & SCTX1_RID_PRIV,
        .pdts = field_get(e->word[0], SCTX0_PDTS),
        .rid_pasid = field_get(e->word[1], SCTX1_RID_PASID),
        .directory = e->word[0] & SCTX0_PASIDDIRPTR,
    };
}

static uint8_t read_scalable_context(Resolution *r, DmarContext *out)
{
    ScalableContextEntry entry;
    uint64_t addr;
    uint8_t reason = scalable_root(r, &addr);

    if (reason) {
        return reason;
    }
    addr += sizeof(entry) * (r->request->source_id & 0x7f);
    if (!dmar_read_words(r->dmar, addr, entry.word, 4)) {
        return FAULT_CONTEXT_ACCESS;
    }
    r->fpd |= entry.word[0] & SCTX0_FPD;
    if (!(entry.word[0] & SCTX0_P)) {
        return FAULT_CONTEXT_NOT_PRESENT;
    }
    if (scalable_context_reserved(r->dmar, &entry)) {
        return FAULT_CONTEXT_RESERVED;
    }
    decode_scalable_context(r, &entry, out);
    if (scalable_context_invalid(out)) {
        return FAULT_CONTEXT_INVALID;
    }
    dmar_report(r->dmar, DMAR_EVENT_CONTEXT, out->source_id, DMAR_NO_PASID,
                addr, entry.word[0], entry.word[1]);
    return FAULT_NONE;
}

/* ---- Through the cache --------------------------------------------------- */

static uint8_t fetch_context(Resolution *r, bool legacy, DmarContext *out)
{
    uint8_t reason = legacy ? read_legacy_context(r, out)
                            : read_scalable_context(r, out);

    if (reason) {
        *out = (DmarContext) {
            .source_id = r->request->source_id, .fault = reason,
            .legacy = legacy, .fpd = r->fpd,
        };
    }
    if (dmar_resolution_keeps(r, reason)) {
        dmar_cache_add_context(r->dmar->caches, out);
    }
    return reason;
}

uint8_t dmar_context_find(Resolution *r, bool legacy, const DmarContext **out)
{
    const DmarContext *cached =
        dmar_cache_find_context(r->dmar->caches, r->request->source_id);

    dmar_perf_count(r->dmar, PERF_CONTEXT_LOOKUP, 0);
    if (cached && cached->legacy == legacy) {
        dmar_perf_count(r->dmar, PERF_CONTEXT_HIT, 0);
        *out = cached;
        r->fpd |= cached->fpd;
        return cached->fault;
    }
    *out = &r->fetched;
    return fetch_context(r, legacy, &r->fetched);
}
