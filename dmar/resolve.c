/*
 * (source-id, PASID) -> binding: which tables translate a request
 * [VT-d 3.4 Mapping Devices to Domains].
 *
 * Reads root, context, PASID directory and PASID table entries, through the
 * context-cache and the PASID-cache, and makes of them the plain DmarBinding
 * that the walker takes.  Entries are checked here and nowhere else: present,
 * reserved bits, values, and whether this kind of request may pass.  Entries
 * that fail a check are not cached but in caching mode, where what failed is
 * kept with its reason and domain-id 0 [VT-d 6.2.2, 6.2.3].
 *
 * AW is accepted where there is no second stage, though it is reserved there:
 * Linux writes it.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* What every step needs; @fpd gathers the FPD bits met so far. */
typedef struct Resolution {
    Dmar *dmar;
    const DmarRequest *request;
    bool fpd;
} Resolution;

static bool with_pasid(const Resolution *r)
{
    return r->request->pasid != DMAR_NO_PASID;
}

/* A probe is no DMA: what it meets is not kept. */
static bool leaves_traces(const Resolution *r)
{
    return r->request->access != DMAR_PROBE ||
           r->request->type != DMAR_UNTRANSLATED;
}

static bool is_kept(const Resolution *r, uint8_t reason)
{
    return leaves_traces(r) && (!reason || (r->dmar->cap & CAP_CM));
}

/* Domain-ids are as wide as CAP.ND says; the rest is reserved. */
static uint64_t domain_mask(const Dmar *dmar, uint64_t field)
{
    return field_make(low_bits(dmar->config.domain_bits), field);
}

static uint64_t pointer_mask(const Dmar *dmar, uint64_t field)
{
    return field & ~dmar_beyond_host(dmar);
}

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
    if ((entry.word[0] & ~(ROOT_P | pointer_mask(dmar, ROOT_CTP))) ||
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
        pointer = pointer_mask(dmar, LCTX0_SSPTPTR);
    }
    return (e->word[0] & ~(LCTX0_P | LCTX0_FPD | LCTX0_TT | pointer)) ||
           (e->word[1] & ~(LCTX1_AW | LCTX1_IGNORED |
                           domain_mask(dmar, LCTX1_DID)));
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
    if (half & ~(ROOT_P | pointer_mask(dmar, ROOT_CTP))) {
        return FAULT_ROOT_RESERVED;
    }
    *context_table = half & ROOT_CTP;
    return FAULT_NONE;
}

static bool scalable_context_reserved(const Dmar *dmar,
                                      const ScalableContextEntry *e)
{
    uint64_t word0 = SCTX0_P | SCTX0_FPD | SCTX0_PDTS |
                     pointer_mask(dmar, SCTX0_PASIDDIRPTR);
    uint64_t word1 = 0;

    word0 |= dmar_has(dmar, ECAP_DT) ? SCTX0_DTE : 0;
    word0 |= dmar_has(dmar, ECAP_PASID) ? SCTX0_PASIDE : 0;
    word0 |= dmar_has(dmar, ECAP_PRS) ? SCTX0_PRE : 0;
    word1 |= dmar_has(dmar, ECAP_RPS) ? SCTX1_RID_PASID : 0;
    word1 |= dmar_has(dmar, ECAP_RPRIVS) ? SCTX1_RID_PRIV : 0;
    return (e->word[0] & ~word0) || (e->word[1] & ~word1) ||
           e->word[2] || e->word[3];
}

/* A directory of 2^(PDTS + 7) entries, each of 64 PASIDs. */
static bool beyond_directory(uint32_t pasid, unsigned pdts)
{
    return pasid >> (pdts + 13);
}

/* [VT-d 7.1.3, SCT.4] */
static bool scalable_context_invalid(const DmarContext *context)
{
    return (context->page_requests && !context->device_tlb) ||
           beyond_directory(context->rid_pasid, context->pdts);
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
    if (is_kept(r, reason)) {
        dmar_cache_add_context(r->dmar->caches, out);
    }
    return reason;
}

static uint8_t find_context(Resolution *r, bool legacy, DmarContext *out)
{
    const DmarContext *cached =
        dmar_cache_find_context(r->dmar->caches, r->request->source_id);

    dmar_perf_count(r->dmar, PERF_CONTEXT_LOOKUP, 0);
    if (cached && cached->legacy == legacy) {
        dmar_perf_count(r->dmar, PERF_CONTEXT_HIT, 0);
        *out = *cached;
        r->fpd |= out->fpd;
        return out->fault;
    }
    return fetch_context(r, legacy, out);
}

/* ---- Scalable mode: PASID directory and table ---------------------------- */

static uint8_t read_directory(Resolution *r, const DmarContext *context,
                              uint32_t pasid, uint64_t *table)
{
    uint64_t addr = context->directory + 8 * (uint64_t)(pasid >> 6);
    uint64_t entry;

    if (!dmar_read_words(r->dmar, addr, &entry, 1)) {
        return FAULT_DIRECTORY_ACCESS;
    }
    r->fpd |= entry & PDIR_FPD;
    if (!(entry & PDIR_P)) {
        return FAULT_DIRECTORY_NOT_PRESENT;
    }
    if (entry & ~(PDIR_P | PDIR_FPD | pointer_mask(r->dmar, PDIR_SMPTBLPTR))) {
        return FAULT_DIRECTORY_RESERVED;
    }
    *table = entry & PDIR_SMPTBLPTR;
    return FAULT_NONE;
}

/* What the second stage, and what the first, adds to the fields of an entry;
 * pointers are checked whatever the entry's type [VT-d 9.6]. */
static uint64_t second_stage_fields(const Dmar *dmar)
{
    uint64_t fields = PASID0_AW;

    if (dmar_has(dmar, ECAP_SSTS)) {
        fields |= pointer_mask(dmar, PASID0_SSPTPTR);
        fields |= dmar_has(dmar, ECAP_SSADS) ? PASID0_SSADE : 0;
    }
    return fields;
}

static uint64_t first_stage_fields(const Dmar *dmar)
{
    uint64_t fields = PASID2_IGNORED;

    if (dmar_has(dmar, ECAP_FSTS)) {
        fields |= PASID2_FSPM | PASID2_WPE | pointer_mask(dmar, PASID2_FSPTPTR);
    }
    fields |= dmar_has(dmar, ECAP_SRS) ? PASID2_SRE : 0;
    return fields | (dmar_has(dmar, ECAP_EAFS) ? PASID2_EAFE : 0);
}

static bool pasid_entry_reserved(const Dmar *dmar, const PasidEntry *e)
{
    uint64_t word0 = PASID0_P | PASID0_FPD | PASID0_PGTT |
                     second_stage_fields(dmar);
    uint64_t word1 = domain_mask(dmar, PASID1_DID);
    uint64_t rest = e->word[3] | e->word[4] | e->word[5] | e->word[6] |
                    e->word[7];

    word1 |= dmar_has(dmar, ECAP_SMPWCS) ? PASID1_PWSNP : 0;
    word1 |= dmar_has(dmar, ECAP_SC) ? PASID1_PGSNP : 0;
    return (e->word[0] & ~word0) || (e->word[1] & ~word1) ||
           (e->word[2] & ~first_stage_fields(dmar)) || rest;
}

static bool second_stage_supported(const Dmar *dmar, const PasidEntry *e)
{
    return dmar_has(dmar, ECAP_SSTS) &&
           dmar_caps_aw_supported(dmar, field_get(e->word[0], PASID0_AW));
}

static bool first_stage_supported(const Dmar *dmar, const PasidEntry *e)
{
    unsigned mode = field_get(e->word[2], PASID2_FSPM);

    return dmar_has(dmar, ECAP_FSTS) &&
           (mode == FSPM_4LEVEL ||
            (mode == FSPM_5LEVEL && (dmar->cap & CAP_FS5LP)));
}

/* Nested, the first stage's root is an address of the second [SPT.4.4]. */
static bool nested_supported(const Dmar *dmar, const PasidEntry *e)
{
    unsigned bits = dmar_caps_input_bits(dmar,
                        AW_BITS(field_get(e->word[0], PASID0_AW)));

    return dmar_has(dmar, ECAP_NEST) && first_stage_supported(dmar, e) &&
           second_stage_supported(dmar, e) &&
           !(e->word[2] & PASID2_FSPTPTR & ~low_bits(bits));
}

static bool pasid_entry_supported(const Dmar *dmar, const PasidEntry *e)
{
    switch (field_get(e->word[0], PASID0_PGTT)) {
    case PGTT_FIRST_STAGE:
        return first_stage_supported(dmar, e);
    case PGTT_SECOND_STAGE:
        return second_stage_supported(dmar, e);
    case PGTT_NESTED:
        return nested_supported(dmar, e);
    case PGTT_PASS_THROUGH:
        return dmar_has(dmar, ECAP_PT);
    default:
        return false;
    }
}

static void decode_pasid_entry(const Resolution *r, const DmarContext *context,
                               uint32_t pasid, const PasidEntry *e,
                               DmarBinding *out)
{
    *out = (DmarBinding) {
        .source_id = context->source_id,
        .pasid = pasid,
        .domain = field_get(e->word[1], PASID1_DID),
        .pgtt = field_get(e->word[0], PASID0_PGTT),
        .root[DMAR_FIRST_STAGE] = {
            .addr = e->word[2] & PASID2_FSPTPTR,
            .levels = 4 + field_get(e->word[2], PASID2_FSPM),
        },
        .root[DMAR_SECOND_STAGE] = {
            .addr = e->word[0] & PASID0_SSPTPTR,
            .levels = AW_LEVELS(field_get(e->word[0], PASID0_AW)),
        },
        .no_snoop_forced = e->word[1] & PASID1_PGSNP,
        .walk_snooped = e->word[1] & PASID1_PWSNP,
        .second_stage_dirty = e->word[0] & PASID0_SSADE,
        .extended_accessed = e->word[2] & PASID2_EAFE,
        .write_protect = e->word[2] & PASID2_WPE,
        .supervisor = e->word[2] & PASID2_SRE,
        .fpd = r->fpd,
    };
}

static uint8_t read_pasid_entry(Resolution *r, const DmarContext *context,
                                uint32_t pasid, DmarBinding *out)
{
    PasidEntry entry;
    uint64_t addr;
    uint8_t reason = read_directory(r, context, pasid, &addr);

    if (reason) {
        return reason;
    }
    addr += sizeof(entry) * (pasid & 0x3f);
    if (!dmar_read_words(r->dmar, addr, entry.word, 8)) {
        return FAULT_PASID_ENTRY_ACCESS;
    }
    r->fpd |= entry.word[0] & PASID0_FPD;
    if (!(entry.word[0] & PASID0_P)) {
        return FAULT_PASID_ENTRY_NOT_PRESENT;
    }
    if (pasid_entry_reserved(r->dmar, &entry)) {
        return FAULT_PASID_ENTRY_RESERVED;
    }
    if (!pasid_entry_supported(r->dmar, &entry)) {
        return FAULT_PASID_ENTRY_INVALID;
    }
    decode_pasid_entry(r, context, pasid, &entry, out);
    dmar_report(r->dmar, DMAR_EVENT_PASID_ENTRY, out->source_id, pasid, addr,
                entry.word[0], entry.word[1]);
    dmar_stats_entry(r->dmar->stats, out, with_pasid(r));
    return FAULT_NONE;
}

/* What the context entry says is not kept with the PASID entry: its FPD is
 * asked anew. */
static uint8_t fetch_binding(Resolution *r, const DmarContext *context,
                             uint32_t pasid, DmarBinding *out)
{
    bool context_fpd = r->fpd;
    uint8_t reason;

    r->fpd = false;
    reason = read_pasid_entry(r, context, pasid, out);
    if (reason) {
        *out = (DmarBinding) {
            .source_id = context->source_id, .fault = reason,
            .pasid = pasid, .fpd = r->fpd,
        };
    }
    if (is_kept(r, reason)) {
        dmar_cache_add_binding(r->dmar->caches, out);
    }
    r->fpd |= context_fpd;
    return reason;
}

static uint8_t find_binding(Resolution *r, const DmarContext *context,
                            uint32_t pasid, DmarBinding *out)
{
    const DmarBinding *cached =
        dmar_cache_find_binding(r->dmar->caches, context->source_id, pasid);

    dmar_perf_count(r->dmar, PERF_PASID_LOOKUP, 0);
    if (cached) {
        dmar_perf_count(r->dmar, PERF_PASID_HIT, 0);
        *out = *cached;
        r->fpd |= out->fpd;
        return out->fault;
    }
    return fetch_binding(r, context, pasid, out);
}

/* ---- May this kind of request pass? -------------------------------------- */

static uint8_t gate_pasid(const Resolution *r, const DmarContext *context)
{
    uint32_t pasid = r->request->pasid;

    if (r->request->type == DMAR_TRANSLATED) {
        return FAULT_TRANSLATED_WITH_PASID;
    }
    if (!context->pasid_enabled) {
        return FAULT_PASID_BLOCKED;
    }
    if (pasid > low_bits(r->dmar->config.pasid_bits) &&
        r->request->type != DMAR_PAGE_REQUEST) {
        return FAULT_PASID_BEYOND_WIDTH;
    }
    if (beyond_directory(pasid, context->pdts)) {
        return FAULT_PASID_BEYOND_DIRECTORY;
    }
    return pasid == context->rid_pasid ? FAULT_PASID_IS_RID_PASID : FAULT_NONE;
}

static uint8_t gate_type(const Resolution *r, const DmarContext *context)
{
    switch (r->request->type) {
    case DMAR_TRANSLATION_REQUEST:
    case DMAR_TRANSLATED:
        if (!context->device_tlb) {
            return context->legacy ? FAULT_LEGACY_TYPE_BLOCKED
                                   : FAULT_ATS_BLOCKED;
        }
        return FAULT_NONE;
    case DMAR_PAGE_REQUEST:
        return context->page_requests ? FAULT_NONE : FAULT_PAGE_REQUEST_BLOCKED;
    default:
        return FAULT_NONE;
    }
}

static uint8_t gate(const Resolution *r, const DmarContext *context)
{
    uint8_t reason = gate_type(r, context);

    return !reason && with_pasid(r) ? gate_pasid(r, context) : reason;
}

/* Of a request with PASID the request says so, else the context entry does. */
bool dmar_resolve_privilege(const DmarRequest *request,
                            const DmarBinding *binding)
{
    return request->pasid == DMAR_NO_PASID ? binding->rid_privileged
                                           : request->privileged;
}

/* Attributes that need the PASID entry's consent; nothing allows execution
 * (ERS is clear) [VT-d 7.1.3, SPT.5, SPT.6]. */
uint8_t dmar_resolve_attributes(const DmarRequest *request,
                                const DmarBinding *binding)
{
    if (request->execute && request->pasid != DMAR_NO_PASID) {
        return FAULT_EXECUTE_BLOCKED;
    }
    return dmar_resolve_privilege(request, binding) && !binding->supervisor
           ? FAULT_SUPERVISOR_BLOCKED : FAULT_NONE;
}

/* A translated request bypasses the tables [VT-d 4.2.5]; what is left to
 * check is what pass-through checks. */
static void bind_translated(const DmarContext *context, DmarBinding *out)
{
    *out = (DmarBinding) {
        .source_id = context->source_id,
        .pasid = DMAR_NO_PASID,
        .pgtt = PGTT_PASS_THROUGH,
        .legacy = context->legacy,
        .fpd = context->fpd,
    };
}

static uint8_t resolve_legacy(Resolution *r, DmarBinding *out)
{
    DmarContext context;
    uint8_t reason = find_context(r, true, &context);

    reason = reason ? reason : gate(r, &context);
    if (!reason) {
        *out = context.binding;
        if (r->request->type == DMAR_TRANSLATED) {
            bind_translated(&context, out);
        }
    }
    return reason;
}

static uint8_t resolve_scalable(Resolution *r, DmarBinding *out)
{
    DmarContext context;
    uint8_t reason = find_context(r, false, &context);

    reason = reason ? reason : gate(r, &context);
    if (reason) {
        return reason;
    }
    if (r->request->type == DMAR_TRANSLATED) {
        bind_translated(&context, out);
        return FAULT_NONE;
    }
    out->pasid = with_pasid(r) ? r->request->pasid : context.rid_pasid;
    reason = find_binding(r, &context, out->pasid, out);
    out->rid_privileged = context.rid_privileged;
    return reason;
}

/* Units of version 8 and later know no requests to execute. */
static bool executes_in_vain(const Dmar *dmar, const DmarRequest *request)
{
    return request->execute && request->pasid != DMAR_NO_PASID &&
           dmar_caps_version(&dmar->config) >= 8;
}

static uint8_t refused_by_mode(const Dmar *dmar, const DmarRequest *request)
{
    switch (dmar_mode(dmar)) {
    case TTM_LEGACY:
        if (request->type == DMAR_PAGE_REQUEST) {
            return FAULT_PAGE_REQUEST_IN_LEGACY_MODE;
        }
        return request->pasid != DMAR_NO_PASID ? FAULT_PASID_IN_LEGACY_MODE
                                               : FAULT_NONE;
    case TTM_SCALABLE:
        return dmar_has(dmar, ECAP_SMTS) ? FAULT_NONE : FAULT_TTM_INVALID;
    case TTM_ABORT:
        return dmar_has(dmar, ECAP_ADMS) ? FAULT_ABORT_DMA_MODE
                                         : FAULT_TTM_INVALID;
    default:
        return FAULT_TTM_INVALID;
    }
}

/* What is refused before any table is asked [VT-d 7.1.3, RTA]. */
uint8_t dmar_resolve_mode(const Dmar *dmar, const DmarRequest *request)
{
    uint8_t reason = refused_by_mode(dmar, request);

    return !reason && executes_in_vain(dmar, request) ? FAULT_EXECUTE_UNKNOWN
                                                      : reason;
}

uint8_t dmar_resolve(Dmar *dmar, const DmarRequest *request,
                     DmarBinding *binding, bool *fpd)
{
    Resolution r = { .dmar = dmar, .request = request };
    uint8_t reason = dmar_mode(dmar) == TTM_LEGACY
                     ? resolve_legacy(&r, binding)
                     : resolve_scalable(&r, binding);

    *fpd = binding->fpd = r.fpd;
    return reason;
}
