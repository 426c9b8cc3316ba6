/*
 * Device-TLB invalidations on their way [VT-d 4.3, 6.5.2.11, 6.5.2.12].
 *
 * A request is sent with an ITag, which is in use until the device has answered
 * or the host says that it took too long.  A wait descriptor completes when
 * all requests between the wait before it and itself have been answered; so a
 * wait that has nothing to wait for completes before one ahead of it that has.
 * A fence completes when all that is ahead of it has [VT-d 7.10].  A time-out
 * aborts the waits that have not completed.
 *
 * The rest of the engine sees of this that the queue does not get on: no ITag
 * is free, no wait can be kept, or a wait with a fence has not completed.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* ---- Questions of the queue ------------------------------------------------ */

bool dmar_in_flight_full(const Dmar *dmar)
{
    return dmar->in_flight.itags == UINT32_MAX;
}

bool dmar_in_flight_waits_full(const Dmar *dmar)
{
    return dmar->in_flight.waits == DMAR_MOST_WAITS;
}

/* The fence keeps back what follows, so it is in the last wait. */
bool dmar_in_flight_fenced(const Dmar *dmar)
{
    const DmarInFlight *f = &dmar->in_flight;

    return f->waits && (f->wait[f->waits - 1].word[0] & WAIT0_FN);
}

static bool group_in_flight(const DmarInFlight *f, uint32_t group)
{
    for (uint32_t left = f->itags; left; left &= left - 1) {
        if (f->request[__builtin_ctz(left)].group == group) {
            return true;
        }
    }
    return false;
}

/* ---- Requests -------------------------------------------------------------- */

static void report(Dmar *dmar, uint16_t source_id, unsigned itag,
                   DmarDeviceTlbStep step)
{
    dmar_report(dmar, DMAR_EVENT_DEVICE_TLB, source_id, DMAR_NO_PASID, itag, step,
                0);
}

static bool send(Dmar *dmar, unsigned itag, const DmarDeviceTlbInvalidation *what)
{
    report(dmar, what->source_id, itag, DMAR_DEVICE_TLB_SENT);
    return !dmar->host.device_tlb ||
           dmar->host.device_tlb(dmar->opaque, itag, what);
}

/* An ITag has to be free. */
void dmar_in_flight_send(Dmar *dmar, const DmarDeviceTlbInvalidation *what)
{
    DmarInFlight *f = &dmar->in_flight;
    unsigned itag = 0;

    while (f->itags & BIT_AT(itag)) {
        itag++;
    }
    g_assert(itag < DMAR_ITAGS);
    if (!send(dmar, itag, what)) {
        f->itags |= BIT_AT(itag);
        f->request[itag] = (DmarInFlightRequest) {
            .source_id = what->source_id, .group = f->group,
        };
    }
}

/* ---- Waits ----------------------------------------------------------------- */

/* @ahead: waits ahead of it that have not completed.  Behind a fence nothing is
 * sent. */
static bool is_due(const DmarInFlight *f, const DmarInFlightWait *wait,
                   unsigned ahead)
{
    return wait->word[0] & WAIT0_FN ? !f->itags && !ahead
                                    : !group_in_flight(f, wait->group);
}

/* False: @d is kept until what is ahead of it is done. */
bool dmar_in_flight_passes(Dmar *dmar, const InvDescriptor *d)
{
    DmarInFlight *f = &dmar->in_flight;
    const DmarInFlightWait wait = {
        .word = { d->word[0], d->word[1] }, .group = f->group++,
    };

    if (is_due(f, &wait, f->waits)) {
        return true;
    }
    g_assert(!dmar_in_flight_waits_full(dmar));
    f->wait[f->waits++] = wait;
    return false;
}

static void complete_waits(Dmar *dmar)
{
    DmarInFlight *f = &dmar->in_flight;
    unsigned kept = 0;

    for (unsigned i = 0; i < f->waits; i++) {
        DmarInFlightWait wait = f->wait[i];

        if (is_due(f, &wait, kept)) {
            dmar_descriptor_complete_wait(dmar, wait.word);
        } else {
            f->wait[kept++] = wait;
        }
    }
    f->waits = kept;
}

void dmar_in_flight_abort_waits(Dmar *dmar)
{
    dmar->in_flight.waits = 0;
}

/* ---- What becomes of requests ------------------------------------------------ */

/* An error that stood already keeps its source [VT-d 11.4.9.9]. */
static void raise_error(Dmar *dmar, uint32_t status, uint64_t field,
                        uint16_t source_id)
{
    if (!(dmar_get32(dmar, FSTS_REG) & status)) {
        dmar_set64(dmar, IQERCD_REG,
                   field_set(dmar_get64(dmar, IQERCD_REG), field, source_id));
    }
    dmar_fault_status_set(dmar, status);
}

static bool is_valid(const DmarInFlight *f, unsigned itag, uint16_t source_id)
{
    return (f->itags & BIT_AT(itag)) && f->request[itag].source_id == source_id;
}

/* A device may answer with several messages; each says how many. */
static void count_answer(Dmar *dmar, unsigned itag, unsigned expected)
{
    DmarInFlight *f = &dmar->in_flight;

    f->request[itag].answers++;
    if (f->request[itag].answers == expected) {
        f->itags &= ~BIT_AT(itag);
        report(dmar, f->request[itag].source_id, itag,
               DMAR_DEVICE_TLB_COMPLETED);
    }
}

/* Valid ITags first, then those that are not. */
static void answered(Dmar *dmar, uint16_t source_id, uint32_t itags,
                     unsigned count)
{
    unsigned expected = count % DMAR_MOST_ANSWERS ? count % DMAR_MOST_ANSWERS
                                                  : DMAR_MOST_ANSWERS;
    uint32_t invalid = 0;

    for (unsigned itag = 0; itag < DMAR_ITAGS; itag++) {
        if (!(itags & BIT_AT(itag))) {
            continue;
        }
        if (is_valid(&dmar->in_flight, itag, source_id)) {
            count_answer(dmar, itag, expected);
        } else {
            invalid |= BIT_AT(itag);
        }
    }
    if (invalid) {
        report(dmar, source_id, invalid, DMAR_DEVICE_TLB_INVALID);
        raise_error(dmar, FSTS_ICE, IQERCD_ICESID, source_id);
    }
}

/* With remapping off, the message is an unsupported request [VT-d 4.2.1]. */
void dmar_device_tlb_completed(Dmar *dmar, uint16_t source_id, uint32_t itags,
                               unsigned count)
{
    g_mutex_lock(&dmar->lock);
    if (dmar_status(dmar, GCMD_TE)) {
        answered(dmar, source_id, itags, count);
        complete_waits(dmar);
        dmar_queue_run(dmar);
    }
    g_mutex_unlock(&dmar->lock);
}

static void time_out(Dmar *dmar, unsigned itag)
{
    DmarInFlight *f = &dmar->in_flight;
    uint16_t source_id = f->request[itag].source_id;

    f->itags &= ~BIT_AT(itag);
    report(dmar, source_id, itag, DMAR_DEVICE_TLB_TIMED_OUT);
    dmar_in_flight_abort_waits(dmar);
    raise_error(dmar, FSTS_ITE, IQERCD_ITESID, source_id);
}

void dmar_device_tlb_timed_out(Dmar *dmar, unsigned itag)
{
    g_mutex_lock(&dmar->lock);
    if (itag < DMAR_ITAGS && (dmar->in_flight.itags & BIT_AT(itag))) {
        time_out(dmar, itag);
    }
    g_mutex_unlock(&dmar->lock);
}

/* ---- State ------------------------------------------------------------------ */

bool dmar_in_flight_valid(const DmarInFlight *f)
{
    return f->waits <= DMAR_MOST_WAITS;
}
