/*
 * The story of a request: look up, resolve, walk, check, answer
 * [VT-d 3.4 .. 3.9, 4.2.3, 7.1.3].
 *
 * An untranslated request that the IOTLB knows asks no table and no other
 * cache.  A translation request asks the context entry, too, which says
 * whether the device may have translations; a translated one asks nothing else.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* A request on its way: what is known of it, and how. */
typedef struct Journey {
    Dmar *dmar;
    const DmarRequest *request;
    DmarEntry entry;
    bool fpd;
    DmarOutcome how;
} Journey;

/* ---- Small questions ------------------------------------------------------ */

static bool in_interrupt_range(uint64_t first, uint64_t last)
{
    return first <= INTERRUPT_RANGE_LAST && last >= INTERRUPT_RANGE_BASE;
}

static bool asks_translation(const DmarRequest *request)
{
    return request->type == DMAR_TRANSLATION_REQUEST;
}

static bool wants_write(const DmarRequest *request)
{
    return request->access == DMAR_WRITE || request->access == DMAR_ATOMIC;
}

static bool must_write(const DmarRequest *request)
{
    return !asks_translation(request) && wants_write(request);
}

static bool must_read(const DmarRequest *request)
{
    return !asks_translation(request) && (request->access == DMAR_READ ||
                                          request->access == DMAR_ATOMIC);
}

/* A translation request does not write, but the device may with its answer,
 * unless the request says that it will not [VT-d 4.2.3.1]. */
static bool may_come_to_write(const Dmar *dmar, const DmarRequest *request)
{
    if (asks_translation(request)) {
        return !(request->no_write && dmar_has(dmar, ECAP_NWFS));
    }
    return must_write(request);
}

static bool is_probe(const DmarRequest *request)
{
    return request->access == DMAR_PROBE && !asks_translation(request);
}

static bool asks_for_interrupt_range(const DmarRequest *request)
{
    return asks_translation(request) && request->pasid == DMAR_NO_PASID &&
           in_interrupt_range(request->addr, request->addr);
}

static bool is_privileged(const Journey *j)
{
    return dmar_resolve_privilege(j->request, &j->entry.binding);
}

/* ---- Checks of a translation ---------------------------------------------- */

/* A user's request to a supervisor's page is refused as such
 * [VT-d 7.1.3, SGN.2]. */
static uint8_t check_privilege(const Journey *j)
{
    return is_privileged(j) || (j->entry.mapping.rights & RIGHT_USER)
           ? FAULT_NONE : FAULT_PRIVILEGE_VIOLATION;
}

/* A zero-length read needs some permission only [VT-d 3.14, CAP.ZLR]; a
 * translation request is answered with the rights there are. */
static uint8_t check_rights(const Journey *j)
{
    const DmarBinding *binding = &j->entry.binding;
    const DmarMapping *mapping = &j->entry.mapping;

    if (must_write(j->request) &&
        !dmar_may_write(binding, mapping, is_privileged(j))) {
        return binding->legacy ? FAULT_LEGACY_WRITE_DENIED : FAULT_WRITE_DENIED;
    }
    if (must_read(j->request) && !dmar_may_read(mapping, is_privileged(j))) {
        return binding->legacy ? FAULT_LEGACY_READ_DENIED : FAULT_READ_DENIED;
    }
    return FAULT_NONE;
}

/* Of a translation the whole page must stay clear of the interrupt range, of
 * an access the address itself [VT-d 3.15]; pages that devices learn of by
 * pass-through are theirs to avoid. */
static uint8_t check_output(const Journey *j)
{
    const DmarBinding *binding = &j->entry.binding;
    const DmarMapping *mapping = &j->entry.mapping;
    uint64_t inside = low_bits(mapping->shift);
    uint64_t first = mapping->output | (j->request->addr & inside);
    uint64_t last = first;

    if (asks_translation(j->request)) {
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

/* In legacy mode an absent page is a missing permission: of which kind, the
 * request decides. */
static uint8_t fault_of_walk(const Journey *j)
{
    return j->entry.fault == FAULT_LEGACY_READ_DENIED && wants_write(j->request)
           ? FAULT_LEGACY_WRITE_DENIED : j->entry.fault;
}

static uint8_t check(const Journey *j)
{
    uint8_t reason = fault_of_walk(j);

    reason = reason ? reason : check_privilege(j);
    reason = reason ? reason : check_rights(j);
    return reason ? reason : check_output(j);
}

/* ---- The ways of translating ----------------------------------------------- */

/* The largest page that the unit knows [VT-d 4.2.3, ADDR]. */
static uint8_t largest_shift(const Dmar *dmar)
{
    return dmar->cap & (CAP_SSLPS_1G | CAP_FS1GP) ? LEVEL_SHIFT(3)
         : dmar->cap & CAP_SSLPS_2M || dmar_has(dmar, ECAP_FSTS) ? LEVEL_SHIFT(2)
         : PAGE_SHIFT_4K;
}

static uint8_t pass_through(const Dmar *dmar, const DmarRequest *request,
                            DmarEntry *entry)
{
    uint8_t shift = largest_shift(dmar);

    if (request->addr & dmar_beyond_host(dmar)) {
        return entry->binding.legacy ? FAULT_LEGACY_ADDRESS_BEYOND
                                     : FAULT_ADDRESS_BEYOND_HOST;
    }
    entry->mapping = (DmarMapping) {
        .output = request->addr & ~low_bits(shift),
        .shift = shift,
        .rights = RIGHTS_ALL,
        .dirty = true,
    };
    return FAULT_NONE;
}

static uint8_t walk(Journey *j)
{
    DmarWalk w = {
        .dmar = j->dmar,
        .binding = &j->entry.binding,
        .privileged = is_privileged(j),
        .writes = may_come_to_write(j->dmar, j->request),
        .must_read = must_read(j->request),
        .must_write = must_write(j->request),
        .marks = !is_probe(j->request),
    };

    return dmar_walk(&w, j->request->addr, &j->entry.mapping);
}

/* ---- The IOTLB -------------------------------------------------------------- */

/* What a read brought in may have a dirty bit yet to be set. */
static bool serves(const Journey *j, const DmarEntry *entry)
{
    bool privileged = dmar_resolve_privilege(j->request, &entry->binding);

    return entry->mapping.dirty || !may_come_to_write(j->dmar, j->request) ||
           !dmar_may_write(&entry->binding, &entry->mapping, privileged);
}

static bool look_up(Journey *j)
{
    const DmarEntry *entry = dmar_iotlb_find(j->dmar->iotlb, j->request);
    bool legacy = dmar_mode(j->dmar) == TTM_LEGACY;

    dmar_perf_count(j->dmar, PERF_IOTLB_LOOKUP, 0);
    if (!entry || entry->binding.legacy != legacy || !serves(j, entry)) {
        return false;
    }
    dmar_perf_count(j->dmar, PERF_IOTLB_HIT,
                    (entry->mapping.shift - PAGE_SHIFT_4K) / LEVEL_BITS);
    j->entry = *entry;
    j->fpd |= entry->binding.fpd;
    j->how = DMAR_HIT;
    return true;
}

static bool is_second_stage_fault(const DmarBinding *binding, uint8_t reason)
{
    return binding->legacy ? reason != FAULT_LEGACY_ADDRESS_BEYOND
                           : reason >= FAULT_SS_ACCESS &&
                             reason <= FAULT_SS_TOP_ACCESS;
}

/* In caching mode what the second stage has refused is kept; what the first had
 * a part in is not [VT-d 6.2.4.1]. */
static bool keeps_fault(const Journey *j)
{
    const DmarEntry *entry = &j->entry;

    return j->dmar->cap & CAP_CM &&
           (entry->fault ? is_second_stage_fault(&entry->binding, entry->fault)
                         : entry->binding.pgtt == PGTT_SECOND_STAGE);
}

static void remember(Journey *j, uint8_t reason)
{
    if (is_probe(j->request) || (reason && !keeps_fault(j))) {
        return;
    }
    if (j->entry.fault) {
        j->entry.mapping = (DmarMapping) { .shift = PAGE_SHIFT_4K,
                                           .dirty = true };
    }
    dmar_iotlb_add(j->dmar->iotlb, j->request, &j->entry);
}

/* ---- Requests by their type ------------------------------------------------ */

static uint8_t use_cached(const Journey *j)
{
    uint8_t reason = dmar_resolve_attributes(j->request, &j->entry.binding);

    return reason ? reason : check(j);
}

static uint8_t compute(Journey *j)
{
    uint8_t reason = dmar_resolve_attributes(j->request, &j->entry.binding);

    if (reason) {
        return reason;
    }
    j->how = DMAR_WALKED;
    j->entry.fault = j->entry.binding.pgtt == PGTT_PASS_THROUGH
                     ? pass_through(j->dmar, j->request, &j->entry) : walk(j);
    reason = check(j);
    remember(j, reason);
    return reason;
}

static uint8_t translate_untranslated(Journey *j)
{
    uint8_t reason;

    if (look_up(j)) {
        return use_cached(j);
    }
    reason = dmar_resolve(j->dmar, j->request, &j->entry.binding, &j->fpd);
    return reason ? reason : compute(j);
}

/* Of the interrupt range no page is looked for; who may not ask is not told. */
static uint8_t translate_for_device(Journey *j)
{
    uint8_t reason = dmar_resolve(j->dmar, j->request, &j->entry.binding, &j->fpd);

    if (reason) {
        return reason;
    }
    if (asks_for_interrupt_range(j->request)) {
        return dmar_resolve_attributes(j->request, &j->entry.binding);
    }
    return look_up(j) ? use_cached(j) : compute(j);
}

/* Only the address is left to check [VT-d 4.2.5]. */
static uint8_t pass_translated(Journey *j)
{
    uint8_t reason = dmar_resolve(j->dmar, j->request, &j->entry.binding, &j->fpd);

    reason = reason ? reason : pass_through(j->dmar, j->request, &j->entry);
    return reason ? reason : check_output(j);
}

/* ---- Answers -------------------------------------------------------------- */

/* A request that says its address itself may be answered for no more than the
 * piece of a page that is all memory on both sides [VT-d 3.15]. */
static uint64_t piece_of_memory(const Journey *j)
{
    const DmarMapping *mapping = &j->entry.mapping;
    uint64_t addr = j->request->addr;
    uint64_t output = mapping->output | (addr & low_bits(mapping->shift));
    uint64_t inside = low_bits(mapping->shift);

    while (!asks_translation(j->request) && inside > low_bits(PAGE_SHIFT_4K) &&
           (in_interrupt_range(addr & ~inside, addr | inside) ||
            in_interrupt_range(output & ~inside, output | inside))) {
        inside >>= 1;
    }
    return inside;
}

static void answer_success(const Journey *j, DmarTranslation *out)
{
    const DmarBinding *binding = &j->entry.binding;
    const DmarMapping *mapping = &j->entry.mapping;
    uint64_t inside = low_bits(mapping->shift);
    bool read = dmar_may_read(mapping, is_privileged(j));
    bool write = dmar_may_write(binding, mapping, is_privileged(j));

    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .read = read,
        .write = write && (!asks_translation(j->request) ||
                           may_come_to_write(j->dmar, j->request)),
        .no_snoop_forced = binding->no_snoop_forced || mapping->snoop,
        .addr = mapping->output | (j->request->addr & inside),
        .size = piece_of_memory(j) + 1,
    };
}

static void answer_fault(const Journey *j, uint8_t reason, DmarTranslation *out)
{
    const DmarRequest *request = j->request;

    *out = (DmarTranslation) {
        .completion = dmar_fault_answer(reason, request->type),
        .reason = reason,
        .addr = request->addr,
        .size = BIT_AT(PAGE_SHIFT_4K),
    };
    if (is_probe(request) || (j->fpd && dmar_fault_qualified(reason))) {
        return;
    }
    if (dmar_fault_recorded(reason, request->type)) {
        dmar_fault_record(j->dmar, request, reason);
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

/* A device that may ask at all is told to send its interrupts untranslated,
 * unless it will not write
 * [VT-d 3.15, 4.2.3, 7.1.3 conditions S.1, S.2]. */
static void answer_interrupt_range(const Dmar *dmar, const DmarRequest *request,
                                   DmarTranslation *out)
{
    bool writes = may_come_to_write(dmar, request);

    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .write = writes,
        .untranslated_only = writes,
        .addr = request->addr,
        .size = BIT_AT(PAGE_SHIFT_4K),
    };
}

/* ---- The story -------------------------------------------------------------- */

static uint8_t travel(Journey *j)
{
    uint8_t reason = dmar_resolve_mode(j->dmar, j->request);

    if (reason) {
        return reason;
    }
    switch (j->request->type) {
    case DMAR_TRANSLATION_REQUEST:
        return translate_for_device(j);
    case DMAR_TRANSLATED:
        return pass_translated(j);
    default:
        return translate_untranslated(j);
    }
}

static void count(const Journey *j, uint8_t reason)
{
    if (!is_probe(j->request)) {
        dmar_stats_request(j->dmar->stats, j->request->source_id,
                           j->entry.binding.pasid,
                           j->request->pasid != DMAR_NO_PASID,
                           reason ? DMAR_REFUSED : j->how);
    }
}

/* Who asks without PASID may keep the answer; a device that keeps translations
 * of its own asks for them, and is told by name. */
static void note_keeper(const Journey *j)
{
    if (j->request->type == DMAR_UNTRANSLATED &&
        j->request->pasid == DMAR_NO_PASID) {
        dmar_keeper_answered(j->dmar, j->request->source_id, &j->entry.binding);
    }
}

static DmarKept what_may_be_kept(const Journey *j)
{
    return (DmarKept) {
        .valid = !is_probe(j->request),
        .dirty = j->entry.mapping.dirty,
        .domain = j->entry.binding.domain,
        .pasid = j->entry.binding.pasid,
    };
}

static void translate(Dmar *dmar, const DmarRequest *request,
                      DmarTranslation *out, DmarKept *kept)
{
    Journey j = { .dmar = dmar, .request = request,
                  .entry.binding.pasid = request->pasid };
    uint8_t reason;

    if (!is_probe(request)) {
        dmar_perf_count(dmar, PERF_REQUESTS, request->type);
    }
    reason = travel(&j);
    if (!reason && asks_for_interrupt_range(request)) {
        answer_interrupt_range(dmar, request, out);
        return;
    }
    if (reason) {
        answer_fault(&j, reason, out);
    } else {
        answer_success(&j, out);
        note_keeper(&j);
        *kept = what_may_be_kept(&j);
        dmar_report(dmar, DMAR_EVENT_TRANSLATED, request->source_id,
                    j.entry.binding.pasid, request->addr, out->addr, out->size);
    }
    out->privileged = asks_translation(request) &&
                      request->pasid != DMAR_NO_PASID && request->privileged;
    count(&j, reason);
}

void dmar_translate_locked(Dmar *dmar, const DmarRequest *request,
                           DmarTranslation *out, DmarKept *kept)
{
    if (!dmar_status(dmar, GCMD_TE)) {
        answer_untranslated(request, out);
    } else {
        translate(dmar, request, out, kept);
    }
    dmar_protect(dmar, request, out);
    if (out->completion != DMAR_SUCCESS) {
        *kept = (DmarKept) { 0 };
    }
}

void dmar_translate(Dmar *dmar, const DmarRequest *request, DmarTranslation *out)
{
    DmarKept kept = { 0 };

    g_mutex_lock(&dmar->lock);
    dmar_translate_locked(dmar, request, out, &kept);
    g_mutex_unlock(&dmar->lock);
}
