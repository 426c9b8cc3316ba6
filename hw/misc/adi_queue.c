/*
 * A queue of the adi device: its registers, states and commands.
 *
 * Two parties hold the reins.  The parent driver enables a queue, drains it
 * and resets it through the control block.  The owner - perhaps a user program
 * that maps the ADI's page - says where its ring is, rings the doorbell and
 * clears errors.  What the owner can say never changes whose memory the ADI
 * reaches, and never outlives a reset by the parent.
 *
 *   DISABLED --enable--> IDLE <--> BUSY --error--> ERROR --clear--> IDLE, BUSY
 *                          any --drain--> DRAINED --resume--> IDLE, BUSY
 *                          any --disable--> DISABLED
 *
 * A drain is remembered beneath an error: cleared, the queue is DRAINED.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/units.h"
#include "hw/pci/msix.h"
#include "adi.h"
#include "trace.h"

#define ADI_Q_CTRL_LASTING (ADI_Q_CTRL_START | ADI_Q_CTRL_IRQ)

static bool adi_queue_started(const AdiQueue *q)
{
    return q->ctrl & ADI_Q_CTRL_START;
}

static uint32_t adi_queue_entries(const AdiQueue *q)
{
    return 1u << q->ring_order;
}

static bool adi_queue_has_work(const AdiQueue *q)
{
    return adi_queue_started(q) && (q->work.valid || q->head != q->tail);
}

/* ---- State --------------------------------------------------------------- */

static enum adi_state adi_queue_plain_state(const AdiQueue *q)
{
    if (!q->enabled) {
        return ADI_STATE_DISABLED;
    }
    if (q->error) {
        return ADI_STATE_ERROR;
    }
    if (q->draining && !q->work.valid) {
        return ADI_STATE_DRAINED;
    }
    return adi_queue_has_work(q) ? ADI_STATE_BUSY : ADI_STATE_IDLE;
}

static bool adi_queue_command_busy(const AdiQueue *q)
{
    return q->draining && q->work.valid;
}

uint32_t adi_queue_state(const AdiQueue *q)
{
    return adi_queue_plain_state(q) |
           (adi_queue_command_busy(q) ? ADI_STATE_CMD_BUSY : 0) |
           (q->refused ? ADI_STATE_CMD_REFUSED : 0);
}

bool adi_queue_busy(const AdiQueue *q)
{
    return adi_queue_plain_state(q) == ADI_STATE_BUSY;
}

bool adi_queue_runnable(const AdiQueue *q)
{
    return adi_queue_busy(q) && q->page.state != ADI_PAGE_WAITING;
}

uint32_t adi_queue_pasid(const AdiQueue *q)
{
    return q->index == ADI_INDEX_FUNCTION ? PASID_DMA_NO_PASID : q->pasid;
}

static void adi_queue_trace(const AdiQueue *q)
{
    trace_adi_state(q->index, adi_queue_state(q), q->head, q->tail);
}

/* ---- Errors -------------------------------------------------------------- */

static void adi_queue_abandon_work(AdiQueue *q)
{
    q->work = (AdiWork) { };
    adi_pri_cancel(q);
    q->epoch++;
}

static void adi_queue_set_error(AdiQueue *q, enum adi_error error,
                                uint64_t addr)
{
    adi_queue_abandon_work(q);
    q->error = error | q->head << 16;
    q->error_addr = addr;
    if (!q->first_error) {
        q->first_error = q->error;
        q->first_error_addr = addr;
    }
    adi_queue_trace(q);
    adi_queue_interrupt(q);
}

void adi_queue_fail(AdiQueue *q, enum adi_error error, uint64_t addr)
{
    q->head_failed = true;
    adi_queue_set_error(q, error, addr);
}

static void adi_queue_clear_error(AdiQueue *q)
{
    if (q->head_failed) {
        adi_queue_advance(q);
    }
    q->error = 0;
    q->error_addr = 0;
}

void adi_queue_advance(AdiQueue *q)
{
    q->head = (q->head + 1) & (adi_queue_entries(q) - 1);
    q->head_failed = false;
}

void adi_queue_interrupt(AdiQueue *q)
{
    PCIDevice *pdev = PCI_DEVICE(q->adi);
    unsigned vector = q->index == ADI_INDEX_FUNCTION
                      ? ADI_VECTOR_FUNCTION : ADI_VECTOR_ADI(q->index);

    if ((q->ctrl & ADI_Q_CTRL_IRQ) && msix_enabled(pdev)) {
        msix_notify(pdev, vector);
    }
}

/* ---- The owner's registers ----------------------------------------------- */

static bool adi_queue_ring_fits(const AdiQueue *q)
{
    uint64_t size;

    if (q->ring_order < ADI_RING_ORDER_MIN ||
        q->ring_order > ADI_RING_ORDER_MAX ||
        q->ring_base % sizeof(struct adi_desc)) {
        return false;
    }
    size = adi_queue_entries(q) * sizeof(struct adi_desc);
    return q->ring_base <= UINT64_MAX - (size - 1);
}

static void adi_queue_start(AdiQueue *q)
{
    q->head = 0;
    q->tail = 0;
    q->head_failed = false;
    if (adi_queue_ring_fits(q)) {
        q->ctrl |= ADI_Q_CTRL_START;
    } else if (!q->error) {
        adi_queue_set_error(q, ADI_ERR_RING, q->ring_base);
    }
}

/* Stopped by its owner: head and tail stay for it to read. */
static void adi_queue_stop(AdiQueue *q)
{
    q->ctrl &= ~ADI_Q_CTRL_START;
    q->head_failed = false;
    adi_queue_abandon_work(q);
}

static void adi_queue_write_ctrl(AdiQueue *q, uint32_t value)
{
    bool was_started = adi_queue_started(q);

    q->ctrl = (value & ADI_Q_CTRL_IRQ) | (q->ctrl & ADI_Q_CTRL_START);
    if (value & ADI_Q_CTRL_CLEAR_ERROR) {
        adi_queue_clear_error(q);
    }
    if (was_started && !(value & ADI_Q_CTRL_START)) {
        adi_queue_stop(q);
    } else if (!was_started && (value & ADI_Q_CTRL_START)) {
        adi_queue_start(q);
    }
}

static void adi_queue_write_tail(AdiQueue *q, uint32_t value)
{
    if (!adi_queue_started(q)) {
        return;
    }
    if (value < adi_queue_entries(q)) {
        q->tail = value;
    } else if (!q->error) {
        adi_queue_set_error(q, ADI_ERR_RING, 0);
    }
}

static void adi_queue_write_ring(AdiQueue *q, hwaddr offset, uint32_t value)
{
    if (adi_queue_started(q)) {
        return;
    }
    switch (offset) {
    case ADI_Q_RING_BASE:
        q->ring_base = deposit64(q->ring_base, 0, 32, value);
        break;
    case ADI_Q_RING_BASE + 4:
        q->ring_base = deposit64(q->ring_base, 32, 32, value);
        break;
    case ADI_Q_RING_ORDER:
        q->ring_order = value;
        break;
    }
}

void adi_queue_write(AdiQueue *q, hwaddr offset, uint32_t value)
{
    trace_adi_queue_write(q->index, offset, value);
    if (!q->enabled) {
        return;
    }
    switch (offset) {
    case ADI_Q_CTRL:
        adi_queue_write_ctrl(q, value);
        break;
    case ADI_Q_TAIL:
        adi_queue_write_tail(q, value);
        break;
    default:
        adi_queue_write_ring(q, offset, value);
        break;
    }
    adi_sched_kick(q);
}

uint32_t adi_queue_read(AdiQueue *q, hwaddr offset)
{
    switch (offset) {
    case ADI_Q_RING_BASE:
        return extract64(q->ring_base, 0, 32);
    case ADI_Q_RING_BASE + 4:
        return extract64(q->ring_base, 32, 32);
    case ADI_Q_RING_ORDER:
        return q->ring_order;
    case ADI_Q_CTRL:
        return q->ctrl;
    case ADI_Q_TAIL:
        return q->tail;
    case ADI_Q_HEAD:
        return q->head;
    case ADI_Q_STATUS:
        return adi_queue_state(q) & ADI_STATE_MASK;
    case ADI_Q_ERROR:
        return q->error;
    case ADI_Q_ERROR_ADDR:
        return extract64(q->error_addr, 0, 32);
    case ADI_Q_ERROR_ADDR + 4:
        return extract64(q->error_addr, 32, 32);
    case ADI_Q_INDEX:
        return q->index;
    default:
        return 0;
    }
}

/* ---- The parent driver's ------------------------------------------------- */

/* The page as the next owner finds it. */
static void adi_queue_clear_page(AdiQueue *q)
{
    adi_queue_abandon_work(q);
    q->ring_base = 0;
    q->ring_order = 0;
    q->ctrl = 0;
    q->tail = 0;
    q->head = 0;
    q->error = 0;
    q->error_addr = 0;
    q->head_failed = false;
    q->draining = false;
}

static void adi_queue_clear_counts(AdiQueue *q)
{
    q->first_error = 0;
    q->first_error_addr = 0;
    q->completed = 0;
    q->bytes = 0;
}

void adi_queue_enable(AdiQueue *q)
{
    q->enabled = true;
    adi_queue_trace(q);
}

void adi_queue_disable(AdiQueue *q)
{
    adi_queue_clear_page(q);
    q->enabled = false;
    adi_queue_trace(q);
}

static bool adi_queue_drain(AdiQueue *q)
{
    if (!q->enabled || adi_queue_command_busy(q)) {
        return false;
    }
    q->draining = true;
    return true;
}

static bool adi_queue_resume(AdiQueue *q)
{
    if (!q->draining || adi_queue_command_busy(q)) {
        return false;
    }
    q->draining = false;
    return true;
}

static bool adi_queue_clear(AdiQueue *q)
{
    adi_queue_clear_page(q);
    adi_queue_clear_counts(q);
    return true;
}

void adi_queue_command(AdiQueue *q, uint32_t command)
{
    bool accepted = false;

    switch (command) {
    case ADI_CMD_DRAIN:
        accepted = adi_queue_drain(q);
        break;
    case ADI_CMD_RESET:
        accepted = adi_queue_clear(q);
        break;
    case ADI_CMD_RESUME:
        accepted = adi_queue_resume(q);
        break;
    }
    q->refused = !accepted;
    trace_adi_cmd(q->index, command, accepted);
    adi_queue_trace(q);
    adi_sched_kick(q);
}

void adi_queue_reset(AdiQueue *q)
{
    adi_queue_disable(q);
    adi_queue_clear_counts(q);
    q->pasid_enabled = false;
    q->pasid = 0;
    q->refused = false;
}

bool adi_queue_sane(const AdiQueue *q)
{
    if (q->pasid >> ADI_PASID_BITS || (q->ctrl & ~ADI_Q_CTRL_LASTING)) {
        return false;
    }
    if (!adi_queue_started(q)) {
        return !q->work.valid && !q->head_failed;
    }
    if (q->work.valid && (adi_work_check(&q->work.desc) ||
                          q->work.done > q->work.desc.len)) {
        return false;
    }
    return q->enabled && adi_queue_ring_fits(q) &&
           q->head < adi_queue_entries(q) && q->tail < adi_queue_entries(q);
}
