/*
 * Turns: which queue of the adi device works next.
 *
 * A register write never does a queue's work; it puts the queue on a list and
 * schedules a bottom half.  The bottom half gives every queue on the list one
 * turn after the other, a bounded slice of turns at a time, so that no queue
 * waits longer than one turn of each of the others, and the main loop is not
 * held up by an adi that never runs dry.  Between slices the device pauses for
 * a moment, in which a vCPU that waits for the big lock gets it.
 *
 * A stopped virtual machine sees no DMA: queues stay on the list until it runs.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "block/aio.h"
#include "system/runstate.h"
#include "adi.h"

#define ADI_SLICE_TURNS     64
#define ADI_SLICE_BYTES     (256 * KiB)
#define ADI_PAUSE_NS        (20 * SCALE_US)

static void adi_sched_append(AdiQueue *q)
{
    q->listed = true;
    QTAILQ_INSERT_TAIL(&q->adi->ready, q, next);
}

static AdiQueue *adi_sched_take(AdiState *s)
{
    AdiQueue *q = QTAILQ_FIRST(&s->ready);

    if (q) {
        QTAILQ_REMOVE(&s->ready, q, next);
        q->listed = false;
    }
    return q;
}

/* To the end of the list again, if there is more to do. */
static void adi_sched_put_back(AdiQueue *q)
{
    if (!q->listed && adi_queue_runnable(q)) {
        adi_sched_append(q);
    }
}

static void adi_sched_slice(AdiState *s)
{
    uint32_t bytes = 0;
    AdiQueue *q;
    int turns;

    for (turns = 0; turns < ADI_SLICE_TURNS && bytes < ADI_SLICE_BYTES;
         turns++) {
        q = adi_sched_take(s);
        if (!q) {
            return;
        }
        if (adi_queue_runnable(q)) {
            bytes += adi_work_turn(q);
        }
        adi_sched_put_back(q);
    }
}

static void adi_sched_unref(void *opaque)
{
    object_unref(OBJECT(opaque));
}

/*
 * A DMA of this slice may have unplugged the device: it is kept alive until
 * the bottom half, which QEMU looks at afterwards, is over.  One that runs an
 * event loop must not lead back to here: the buffers are in use.
 */
static void adi_sched_bh(void *opaque)
{
    AdiState *s = opaque;

    if (s->in_slice || !runstate_is_running()) {
        return;
    }
    object_ref(OBJECT(s));
    s->in_slice = true;
    adi_sched_slice(s);
    s->in_slice = false;
    if (!s->bh) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), adi_sched_unref, s);
        return;
    }
    if (!QTAILQ_EMPTY(&s->ready)) {
        timer_mod_ns(s->pause, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                               ADI_PAUSE_NS);
    }
    object_unref(OBJECT(s));
}

static void adi_sched_pause_over(void *opaque)
{
    AdiState *s = opaque;

    qemu_bh_schedule(s->bh);
}

static void adi_sched_vm_state(void *opaque, bool running, RunState state)
{
    AdiState *s = opaque;

    if (running && !QTAILQ_EMPTY(&s->ready)) {
        qemu_bh_schedule(s->bh);
    }
}

void adi_sched_kick(AdiQueue *q)
{
    AdiState *s = q->adi;

    if (q->listed || !adi_queue_runnable(q) || !s->bh) {
        return;
    }
    adi_sched_append(q);
    if (!timer_pending(s->pause)) {
        qemu_bh_schedule(s->bh);
    }
}

void adi_sched_init(AdiState *s)
{
    DeviceState *dev = DEVICE(s);

    QTAILQ_INIT(&s->ready);
    s->bh = qemu_bh_new_guarded(adi_sched_bh, s, &dev->mem_reentrancy_guard);
    s->pause = timer_new_ns(QEMU_CLOCK_REALTIME, adi_sched_pause_over, s);
    s->vm_state = qdev_add_vm_change_state_handler(dev, adi_sched_vm_state, s);
}

void adi_sched_stop(AdiState *s)
{
    qemu_del_vm_change_state_handler(s->vm_state);
    timer_free(s->pause);
    qemu_bh_delete(s->bh);
    s->pause = NULL;
    s->bh = NULL;
    while (adi_sched_take(s)) {
        ;
    }
}
