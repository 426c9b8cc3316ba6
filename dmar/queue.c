/*
 * The invalidation queue [VT-d 6.5.2 Queued Invalidation Interface].
 *
 * States: off; running (QIES set, no IQE and no ITE): descriptors from head to
 * tail are executed whenever the tail is written; held up by device-TLB
 * invalidations in flight (in_flight.c), with descriptors left that are
 * executed when a device has answered; stopped by an error, with the head at
 * the descriptor at fault, or after a time-out at the next one, until software
 * clears the error in FSTS [VT-d 6.5.2.11].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

enum { NARROW = 16, WIDE = 32 };        /* bytes of a descriptor */

typedef struct Queue {
    uint64_t base;
    uint64_t size;              /* bytes */
    uint64_t head, tail;        /* bytes */
    unsigned width;
} Queue;

/* A head that is left from narrower descriptors loses its bit 4
 * [VT-d 11.4.9.1]. */
static void read_queue(const Dmar *dmar, Queue *q)
{
    uint64_t iqa = dmar_get64(dmar, IQA_REG);
    unsigned width = iqa & IQA_DW ? WIDE : NARROW;

    *q = (Queue) {
        .base = iqa & IQA_IQA,
        .size = BIT_AT(PAGE_SHIFT_4K + field_get(iqa, IQA_QS)),
        .head = dmar_get64(dmar, IQH_REG) & ~(uint64_t)(width - 1),
        .tail = dmar_get64(dmar, IQT_REG),
        .width = width,
    };
}

static bool is_running(const Dmar *dmar)
{
    return dmar_status(dmar, GCMD_QIE) &&
           !(dmar_get32(dmar, FSTS_REG) & (FSTS_IQE | FSTS_ITE)) &&
           !dmar_in_flight_fenced(dmar);
}

static void stop(Dmar *dmar, const Queue *q, unsigned why)
{
    dmar_report(dmar, DMAR_EVENT_QUEUE_ERROR, 0, DMAR_NO_PASID,
                q->head / q->width, 0, why);
    dmar_set64(dmar, IQERCD_REG,
               field_set(dmar_get64(dmar, IQERCD_REG), IQERCD_IQEI, why));
    dmar_fault_status_set(dmar, FSTS_IQE);
}

static unsigned check_tail(const Queue *q)
{
    if (q->tail % q->width) {
        return IQEI_TAIL_ALIGN;
    }
    return q->tail >= q->size || q->head >= q->size ? IQEI_TAIL : IQEI_NONE;
}

/* Which modes there are, and the widths they allow [VT-d 6.5.2.11, Table 26;
 * 11.4.9.9]. */
static unsigned check_mode(const Dmar *dmar, const Queue *q)
{
    static const struct {
        uint64_t needs;
        bool narrow;
    } modes[] = {
        [TTM_LEGACY] = { 0, true },
        [TTM_SCALABLE] = { ECAP_SMTS, false },
        [TTM_ABORT] = { ECAP_ADMS, false },
    };
    unsigned mode = dmar_mode(dmar);

    if (mode == TTM_RESERVED ||
        (modes[mode].needs && !dmar_has(dmar, modes[mode].needs))) {
        return IQEI_TTM;
    }
    if (q->width == WIDE) {
        return dmar_has(dmar, ECAP_SMTS | ECAP_ADMS) ? IQEI_NONE : IQEI_WIDTH;
    }
    return modes[mode].narrow ? IQEI_NONE : IQEI_WIDTH;
}

static unsigned fetch(Dmar *dmar, const Queue *q, InvDescriptor *d)
{
    *d = (InvDescriptor) { { 0 } };
    return dmar_read_words(dmar, q->base + q->head, d->word, q->width / 8)
           ? IQEI_NONE : IQEI_FETCH;
}

static unsigned execute(Dmar *dmar, const Queue *q, const InvDescriptor *d)
{
    dmar_report(dmar, DMAR_EVENT_DESCRIPTOR, 0, DMAR_NO_PASID,
                q->head / q->width, d->word[0], d->word[1]);
    return dmar_descriptor_execute(dmar, d, q->width == WIDE);
}

static void advance(Dmar *dmar, Queue *q)
{
    q->head = (q->head + q->width) % q->size;
    dmar_set64(dmar, IQH_REG, q->head);
}

/* One descriptor; false: there is none, or it has to wait, or stops the queue. */
static bool step(Dmar *dmar, Queue *q)
{
    InvDescriptor d;
    unsigned why;

    if (q->head == q->tail || !is_running(dmar)) {
        return false;
    }
    why = check_mode(dmar, q);
    why = why ? why : fetch(dmar, q, &d);
    if (!why && dmar_descriptor_deferred(dmar, &d)) {
        return false;
    }
    why = why ? why : execute(dmar, q, &d);
    if (why) {
        stop(dmar, q, why);
        return false;
    }
    advance(dmar, q);
    return true;
}

/* Tail and size are what they were to begin with: a descriptor cannot change
 * them, so this ends. */
void dmar_queue_run(Dmar *dmar)
{
    Queue q;
    unsigned why;

    if (!is_running(dmar)) {
        return;
    }
    read_queue(dmar, &q);
    why = check_tail(&q);
    if (why) {
        stop(dmar, &q, why);
        return;
    }
    while (step(dmar, &q)) {
    }
}

void dmar_queue_enable(Dmar *dmar)
{
    dmar_set64(dmar, IQH_REG, 0);
    dmar_queue_run(dmar);
}

/* [VT-d 11.4.9.1]: the head reads zero while the queue is off.  Software should
 * have let every wait complete. */
void dmar_queue_disable(Dmar *dmar)
{
    dmar_in_flight_abort_waits(dmar);
    dmar_set64(dmar, IQH_REG, 0);
}
