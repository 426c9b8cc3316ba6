/*
 * (Context, PASID) -> binding: PASID directory and PASID table entries, through
 * the PASID-cache [VT-d 3.4.3, 9.5, 9.6].
 *
 * Checks and caching mode as in context.c [VT-d 6.2.3].  AW is accepted where
 * there is no second stage, though it is reserved there: Linux writes it.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "resolve.h"

/* ---- The directory ------------------------------------------------------- */

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
    if (entry & ~(PDIR_P | PDIR_FPD |
                  dmar_pointer_mask(r->dmar, PDIR_SMPTBLPTR))) {
        return FAULT_DIRECTORY_RESERVED;
    }
    *table = entry & PDIR_SMPTBLPTR;
    return FAULT_NONE;
}

/* ---- The entry ----------------------------------------------------------- */

/* What the second stage, and what the first, adds to the fields of an entry;
 * pointers are checked whatever the entry's type [VT-d 9.6]. */
static uint64_t second_stage_fields(const Dmar *dmar)
{
    uint64_t fields = PASID0_AW;

    if (dmar_has(dmar, ECAP_SSTS)) {
        fields |= dmar_pointer_mask(dmar, PASID0_SSPTPTR);
        fields |= dmar_has(dmar, ECAP_SSADS) ? PASID0_SSADE : 0;
    }
    return fields;
}

static uint64_t first_stage_fields(const Dmar *dmar)
{
    uint64_t fields = PASID2_IGNORED;

    if (dmar_has(dmar, ECAP_FSTS)) {
        fields |= PASID2_FSPM | PASID2_WPE |
                  dmar_pointer_mask(dmar, PASID2_FSPTPTR);
    }
    fields |= dmar_has(dmar, ECAP_SRS) ? PASID2_SRE : 0;
    return fields | (dmar_has(dmar, ECAP_EAFS) ? PASID2_EAFE : 0);
}

static bool pasid_entry_reserved(const Dmar *dmar, const PasidEntry *e)
{
    uint64_t word0 = PASID0_P | PASID0_FPD | PASID0_PGTT |
                     second_stage_fields(dmar);
    uint64_t word1 = dmar_domain_mask(dmar, PASID1_DID);
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
    dmar_stats_entry(r->dmar->stats, out, dmar_has_pasid(r->request));
    return FAULT_NONE;
}

/* ---- Through the cache --------------------------------------------------- */

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
    if (dmar_resolution_keeps(r, reason)) {
        dmar_cache_add_binding(r->dmar->caches, out);
    }
    r->fpd |= context_fpd;
    return reason;
}

uint8_t dmar_pasid_find(Resolution *r, const DmarContext *context,
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
