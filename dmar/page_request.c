/*
 * Page requests of devices: from the message to the queue in memory
 * [VT-d 7.4 Recoverable Fault Reporting, 7.5, 11.4.11].
 *
 * A request finds its PASID entry like any other, is written to the queue, and
 * software is told.  What cannot be written is lost, and a device that waits
 * for a response gets it at once [VT-d 7.4.1, Table 31].  The responses of
 * software come through the invalidation queue [VT-d 7.6.1].
 *
 * States of the queue: empty (head is tail), filling, full (one entry free),
 * overflowed (PRO): nothing is queued until software clears PRO.
 *
 * The architecture is silent on three things.  A queue where no memory answers
 * takes no request, and its tail stays.  A unit that does not translate, or
 * has no page requests, refuses them and records nothing.  A request that both
 * faults and meets an overflow counts as a fault.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

enum { ENTRY = sizeof(PageRequestDescriptor) };

typedef struct Queue {
    uint64_t base;
    uint64_t size;              /* bytes */
    uint64_t head, tail;        /* bytes */
} Queue;

/* What became of a request. */
typedef enum Outcome { QUEUED, OVERFLOWED, REFUSED } Outcome;

static bool is_stop_marker(const DmarPageRequest *request)
{
    return !request->read && !request->write;
}

/* ---- The event [VT-d 7.5] -------------------------------------------------- */

static void set_status(Dmar *dmar, uint64_t bit)
{
    uint32_t before = dmar_get32(dmar, PRS_REG);

    dmar_set32(dmar, PRS_REG, before | (uint32_t)bit);
    if (!before) {
        dmar_event_raise(dmar, PECTL_REG);
    }
}

void dmar_page_status_written(Dmar *dmar)
{
    if (!dmar_get32(dmar, PRS_REG)) {
        dmar_event_withdraw(dmar, PECTL_REG);
    }
}

/* ---- The tables ------------------------------------------------------------ */

static uint8_t resolve(Dmar *dmar, const DmarRequest *request,
                       DmarBinding *binding, bool *fpd)
{
    uint8_t reason = dmar_resolve_mode(dmar, request);

    return reason ? reason : dmar_resolve(dmar, request, binding, fpd);
}

/* Is there a PASID entry for it?  If not, that is a fault, except of a stop
 * marker, which goes silently [VT-d 11.4.3, SMS]. */
static bool tables_agree(Dmar *dmar, const DmarPageRequest *request,
                         DmarBinding *binding)
{
    DmarRequest asked = {
        .source_id = request->source_id,
        .pasid = request->pasid,
        .addr = request->addr,
        .type = DMAR_PAGE_REQUEST,
        .privileged = request->privileged,
    };
    bool fpd = false;
    uint8_t reason = resolve(dmar, &asked, binding, &fpd);

    if (reason && !is_stop_marker(request) &&
        !(fpd && dmar_fault_qualified(reason))) {
        dmar_fault_record(dmar, &asked, reason);
    }
    return !reason;
}

static void tell_keepers(Dmar *dmar, const DmarBinding *binding,
                         const DmarRange *page)
{
    bool whole = binding->pgtt == PGTT_NESTED;

    dmar_keepers_forget(dmar, &(DmarForgotten) {
        .domain = binding->domain,
        .pasid = binding->pgtt == PGTT_FIRST_STAGE ? binding->pasid
                                                   : DMAR_NO_PASID,
        .first = whole ? 0 : page->first,
        .last = whole ? UINT64_MAX : page->last,
    });
}

/* What the caches say of the page is what the device could not use
 * [VT-d 6.5.3.1, Table 27]. */
static void forget_page(Dmar *dmar, const DmarBinding *binding, uint64_t addr)
{
    DmarRange page = dmar_invalidate_range(addr, 0, false);

    tell_keepers(dmar, binding, &page);
    switch (binding->pgtt) {
    case PGTT_FIRST_STAGE:
        dmar_iotlb_drop_pasid_range(dmar->iotlb, binding->domain,
                                    binding->pasid, &page);
        break;
    case PGTT_NESTED:
        dmar_iotlb_drop_domain(dmar->iotlb, binding->domain);
        break;
    default:
        dmar_iotlb_drop_range(dmar->iotlb, binding->domain, &page);
        break;
    }
}

/* ---- The queue ------------------------------------------------------------- */

/* Software may have put head and tail beyond the end: they wrap. */
static Queue read_queue(const Dmar *dmar)
{
    uint64_t pqa = dmar_get64(dmar, PQA_REG);
    uint64_t size = BIT_AT(PAGE_SHIFT_4K + field_get(pqa, PQA_PQS));

    return (Queue) {
        .base = pqa & PQA_PQA,
        .size = size,
        .head = dmar_get64(dmar, PQH_REG) & PQ_POINTER & (size - 1),
        .tail = dmar_get64(dmar, PQT_REG) & PQ_POINTER & (size - 1),
    };
}

static uint64_t after(const Queue *q, uint64_t offset)
{
    return (offset + ENTRY) & (q->size - 1);
}

static uint64_t who_and_how(const DmarPageRequest *request)
{
    uint64_t word = field_make(PREQ_TYPE_PAGE, PREQ0_TYPE) |
                    field_make(request->source_id, PREQ0_RID);

    if (request->pasid == DMAR_NO_PASID) {
        return word;
    }
    word |= PREQ0_PP | field_make(request->pasid, PREQ0_PASID);
    word |= request->execute && request->read ? PREQ0_EXR : 0;
    return word | (request->privileged ? PREQ0_PMR : 0);
}

static uint64_t what(const DmarPageRequest *request)
{
    return (request->read ? PREQ1_RDR : 0) | (request->write ? PREQ1_WRR : 0) |
           (request->last ? PREQ1_LPIG : 0) |
           field_make(request->group, PREQ1_PRGI) |
           (request->addr & PREQ1_ADDR);
}

static bool write_entry(Dmar *dmar, const Queue *q,
                        const DmarPageRequest *request)
{
    PageRequestDescriptor d = { {
        GUINT64_TO_LE(who_and_how(request)), GUINT64_TO_LE(what(request)), 0, 0,
    } };

    return dmar->host.write(dmar->opaque, q->base + q->tail, &d, sizeof(d));
}

static Outcome append(Dmar *dmar, const DmarPageRequest *request)
{
    Queue q = read_queue(dmar);

    if (!write_entry(dmar, &q, request)) {
        return REFUSED;
    }
    dmar_set64(dmar, PQT_REG, after(&q, q.tail));
    set_status(dmar, PRS_PPR);
    dmar_perf_count(dmar, PERF_PAGE_REQUEST_QUEUED, 0);
    return QUEUED;
}

static bool has_room(const Dmar *dmar)
{
    Queue q = read_queue(dmar);

    return !(dmar_get32(dmar, PRS_REG) & PRS_PRO) &&
           after(&q, q.tail) != q.head;
}

/* ---- The story ------------------------------------------------------------- */

static Outcome take(Dmar *dmar, const DmarPageRequest *request)
{
    DmarBinding binding;

    if (!dmar_has(dmar, ECAP_PRS) || !dmar_status(dmar, GCMD_TE) ||
        !tables_agree(dmar, request, &binding)) {
        return REFUSED;
    }
    if (!has_room(dmar)) {
        if (!is_stop_marker(request)) {
            set_status(dmar, PRS_PRO);
        }
        return OVERFLOWED;
    }
    if (!is_stop_marker(request)) {
        forget_page(dmar, &binding, request->addr);
    }
    return append(dmar, request);
}

/* Does the device wait for a response? */
static bool expects_answer(const DmarPageRequest *request)
{
    return request->last && !is_stop_marker(request);
}

/* Lost for want of room, a request is as good as served: the device asks
 * again [VT-d 7.4.1, Table 31]. */
static DmarPageResponse answer(const DmarPageRequest *request, Outcome outcome)
{
    return (DmarPageResponse) {
        .source_id = request->source_id,
        .pasid = request->pasid,
        .group = request->group,
        .code = outcome == REFUSED ? DMAR_PAGE_INVALID : DMAR_PAGE_SUCCESS,
    };
}

bool dmar_page_request(Dmar *dmar, const DmarPageRequest *request,
                       DmarPageResponse *out)
{
    Outcome outcome;

    g_mutex_lock(&dmar->lock);
    outcome = take(dmar, request);
    if (outcome == OVERFLOWED && expects_answer(request)) {
        dmar_perf_count(dmar, PERF_PAGE_REQUEST_OVERFLOW, 0);
    }
    dmar_report(dmar, DMAR_EVENT_PAGE_REQUEST, request->source_id,
                request->pasid, request->addr, what(request),
                outcome == QUEUED);
    g_mutex_unlock(&dmar->lock);
    if (outcome == QUEUED || !expects_answer(request)) {
        return false;
    }
    *out = answer(request, outcome);
    return true;
}

void dmar_page_respond(Dmar *dmar, const DmarPageResponse *response)
{
    dmar_report(dmar, DMAR_EVENT_PAGE_RESPONSE, response->source_id,
                response->pasid, 0, response->group, response->code);
    if (dmar->host.page_response) {
        dmar->host.page_response(dmar->opaque, response);
    }
}
