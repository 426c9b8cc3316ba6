/*
 * The story of a request: resolve, look up, walk, check, answer
 * [VT-d 3.4 .. 3.9, 4.2.3, 7.1.3].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* ---- Small questions ------------------------------------------------------ */

static bool in_interrupt_range(uint64_t first, uint64_t last)
{
    return first <= INTERRUPT_RANGE_LAST && last >= INTERRUPT_RANGE_BASE;
}

static bool wants_write(const DmarRequest *request)
{
    return request->access == DMAR_WRITE || request->access == DMAR_ATOMIC;
}

static bool wants_read(const DmarRequest *request)
{
    return request->access == DMAR_READ || request->access == DMAR_ATOMIC;
}

/* A zero-length read needs some permission only [VT-d 3.14, CAP.ZLR]. */
static uint8_t check_rights(const DmarRequest *request, bool legacy,
                            const DmarMapping *mapping)
{
    if (request->type == DMAR_TRANSLATION_REQUEST) {
        return FAULT_NONE;      /* answered with the rights there are */
    }
    if (wants_write(request) && !mapping->write) {
        return legacy ? FAULT_LEGACY_WRITE_DENIED : FAULT_WRITE_DENIED;
    }
    if (wants_read(request) && !mapping->read) {
        return legacy ? FAULT_LEGACY_READ_DENIED : FAULT_READ_DENIED;
    }
    return FAULT_NONE;
}

/* In legacy mode an absent page is a missing permission: of which kind, the
 * request decides. */
static uint8_t legacy_absent(const DmarRequest *request, uint8_t reason)
{
    return reason == FAULT_LEGACY_READ_DENIED && wants_write(request)
           ? FAULT_LEGACY_WRITE_DENIED : reason;
}

/* ---- Pass-through --------------------------------------------------------- */

/*
 * One page is all that the answer promises, so that one which cuts the
 * interrupt range or the end of memory never needs to be split.
 */
static uint8_t pass_through(Dmar *dmar, const DmarRequest *request,
                            const DmarBinding *binding, DmarMapping *out)
{
    if (request->addr & dmar_beyond_host(dmar)) {
        return binding->legacy ? FAULT_LEGACY_ADDRESS_BEYOND
                               : FAULT_ADDRESS_BEYOND_HOST;
    }
    *out = (DmarMapping) {
        .output = request->addr & ~low_bits(PAGE_SHIFT_4K),
        .shift = PAGE_SHIFT_4K,
        .read = true,
        .write = true,
    };
    return FAULT_NONE;
}

/* ---- Second stage --------------------------------------------------------- */

static uint8_t second_stage(Dmar *dmar, const DmarRequest *request,
                            const DmarBinding *binding, DmarMapping *out,
                            DmarOutcome *how)
{
    unsigned bits = dmar_caps_input_bits(dmar, LEVEL_SHIFT(binding->levels + 1));
    uint8_t reason;

    if (request->addr & ~low_bits(bits)) {
        return binding->legacy ? FAULT_LEGACY_ADDRESS_BEYOND
                               : FAULT_SS_ADDRESS_BEYOND;
    }
    if (dmar_cache_find_mapping(dmar->caches, binding, request->addr, out)) {
        *how = DMAR_HIT;
        return FAULT_NONE;
    }
    *how = DMAR_WALKED;
    reason = dmar_walk(dmar, binding, request->addr, out);
    if (!reason) {
        dmar_cache_add_mapping(dmar->caches, binding, request->addr, out);
    }
    return binding->legacy ? legacy_absent(request, reason) : reason;
}

/* Of a translation the whole page must stay clear of the interrupt range, of
 * an access the address itself [VT-d 3.15]; pages that devices learn of by
 * pass-through are theirs to avoid. */
static uint8_t check_output(const DmarRequest *request,
                            const DmarBinding *binding,
                            const DmarMapping *mapping)
{
    uint64_t inside = low_bits(mapping->shift);
    uint64_t first = mapping->output | (request->addr & inside);
    uint64_t last = first;

    if (request->type == DMAR_TRANSLATION_REQUEST) {
        if (binding->pgtt == PGTT_PASS_THROUGH) {
            return FAULT_NONE;
        }
        first = mapping->output;
        last = mapping->output | inside;
    }
    if (!in_interrupt_range(first, last)) {
        return FAULT_NONE;
    }
    return binding->legacy ? FAULT_LEGACY_INTERRUPT_RANGE
                           : FAULT_INTERRUPT_RANGE;
}

static uint8_t map(Dmar *dmar, const DmarRequest *request,
                   const DmarBinding *binding, DmarMapping *mapping,
                   DmarOutcome *how)
{
    uint8_t reason = binding->pgtt == PGTT_PASS_THROUGH
        ? pass_through(dmar, request, binding, mapping)
        : second_stage(dmar, request, binding, mapping, how);

    reason = reason ? reason : check_rights(request, binding->legacy, mapping);
    return reason ? reason : check_output(request, binding, mapping);
}

/* ---- Answers -------------------------------------------------------------- */

static void answer_success(const DmarRequest *request,
                           const DmarBinding *binding,
                           const DmarMapping *mapping, DmarTranslation *out)
{
    uint64_t inside = low_bits(mapping->shift);

    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .read = mapping->read,
        .write = mapping->write,
        .no_snoop_forced = binding->no_snoop_forced || mapping->snoop,
        .addr = mapping->output | (request->addr & inside),
        .size = inside + 1,
    };
}

static void answer_fault(Dmar *dmar, const DmarRequest *request, uint8_t reason,
                         bool fpd, DmarTranslation *out)
{
    *out = (DmarTranslation) {
        .completion = dmar_fault_answer(reason, request->type),
        .reason = reason,
        .addr = request->addr,
        .size = BIT_AT(PAGE_SHIFT_4K),
    };
    if (request->access == DMAR_PROBE ||
        (fpd && dmar_fault_qualified(reason))) {
        return;
    }
    if (dmar_fault_recorded(reason, request->type)) {
        dmar_fault_record(dmar, request, reason);
    }
}

/* Translation off: requests reach memory as they are, their PASID ignored
 * [VT-d 3.1]; there is nobody to answer a device's translation requests
 * [VT-d 4.2.3, 4.2.5]. */
static void answer_untranslated(const DmarRequest *request, DmarTranslation *out)
{
    bool plain = request->type == DMAR_UNTRANSLATED;

    *out = (DmarTranslation) {
        .completion = plain ? DMAR_SUCCESS : DMAR_UNSUPPORTED_REQUEST,
        .read = plain,
        .write = plain,
        .addr = request->addr,
        .size = BIT_AT(PAGE_SHIFT_4K),
    };
}

static bool asks_for_interrupt_range(const DmarRequest *request)
{
    return request->type == DMAR_TRANSLATION_REQUEST &&
           request->pasid == DMAR_NO_PASID &&
           in_interrupt_range(request->addr, request->addr);
}

/* A device that may ask at all is told to send its interrupts untranslated,
 * and no page is looked for [VT-d 3.15, 4.2.3, 7.1.3 condition S.1].  The
 * no-write flag is ignored: ECAP.NWFS is clear. */
static void answer_interrupt_range(const DmarRequest *request,
                                   DmarTranslation *out)
{
    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .write = true,
        .untranslated_only = true,
        .addr = request->addr,
        .size = BIT_AT(PAGE_SHIFT_4K),
    };
}

static void translate(Dmar *dmar, const DmarRequest *request,
                      DmarTranslation *out)
{
    DmarBinding binding = { .pasid = request->pasid };
    DmarMapping mapping;
    DmarOutcome how = DMAR_HIT;
    bool fpd;
    uint8_t reason = dmar_resolve(dmar, request, &binding, &fpd);

    if (!reason && asks_for_interrupt_range(request)) {
        answer_interrupt_range(request, out);
        return;
    }
    reason = reason ? reason : map(dmar, request, &binding, &mapping, &how);
    if (reason) {
        answer_fault(dmar, request, reason, fpd, out);
    } else {
        answer_success(request, &binding, &mapping, out);
        dmar_report(dmar, DMAR_EVENT_TRANSLATED, request->source_id,
                    binding.pasid, request->addr, out->addr, out->size);
    }
    if (request->access != DMAR_PROBE) {
        dmar_stats_request(dmar->stats, request->source_id, binding.pasid,
                           request->pasid != DMAR_NO_PASID,
                           reason ? DMAR_REFUSED : how);
    }
}

void dmar_translate(Dmar *dmar, const DmarRequest *request, DmarTranslation *out)
{
    g_mutex_lock(&dmar->lock);
    if (!dmar_status(dmar, GCMD_TE)) {
        answer_untranslated(request, out);
    } else {
        translate(dmar, request, out);
    }
    g_mutex_unlock(&dmar->lock);
}
