/*
 * One turn of a queue of the adi device.
 *
 * A turn fetches the descriptor at head unless one is in progress, moves at
 * most ADI_CHUNK bytes for it, and completes it when nothing is left.  The
 * descriptor is copied once and checked in the copy; guest memory is never
 * asked twice for the same thing.
 *
 * All DMA of a queue - ring, data, completion record - goes through
 * adi_dma(): with the ADI's PASID, or, for the function's own queue, without.
 * An ADI whose PASID is not enabled does no DMA at all.  With ATS the address
 * is translated first; if the page is missing and is asked for, the turn ends
 * where it is, and a later one begins with what was not done yet.
 *
 * A DMA may end in any device's registers, this one's configuration space
 * included, so the queue may have been reset when it returns.  The turn then
 * is abandoned: it touches neither the queue nor guest memory any more.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/crc32c.h"
#include "qemu/units.h"
#include "hw/pci/pasid_dma.h"
#include "adi.h"
#include "trace.h"

QEMU_BUILD_BUG_ON(sizeof(struct adi_desc) != 64);
QEMU_BUILD_BUG_ON(sizeof(struct adi_completion) != 32);

#define ADI_DMA_PAGE 4096ull

typedef struct AdiTurn {
    AdiQueue *q;
    uint64_t epoch;             /* the queue's, when the turn began */
    bool abandoned;
    bool waiting;               /* for a page: no more DMA in this turn */
    bool finished;              /* nothing is left to do for the descriptor */
    uint64_t result;

    /* The failure with the lowest address, if error. */
    enum adi_error error;
    enum adi_why why;
    uint64_t addr;
} AdiTurn;

/* ---- DMA ----------------------------------------------------------------- */

static bool adi_is_bus_master(PCIDevice *pdev)
{
    return pci_get_word(pdev->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

/* Without PASID: the bus only says whether it worked. */
static PasidDmaResult adi_dma_function(PCIDevice *pdev, DMADirection dir,
                                       uint64_t addr, void *buf, uint64_t len)
{
    if (!adi_is_bus_master(pdev)) {
        return (PasidDmaResult) { PASID_DMA_NO_BUS_MASTER, 0, addr };
    }
    if (pci_dma_rw(pdev, addr, buf, len, dir,
                   MEMTXATTRS_UNSPECIFIED) != MEMTX_OK) {
        return (PasidDmaResult) { PASID_DMA_UNSUPPORTED_REQUEST, 0, addr };
    }
    return (PasidDmaResult) { PASID_DMA_OK, len };
}

static PasidDmaResult adi_dma_untranslated(AdiQueue *q, DMADirection dir,
                                           uint64_t addr, void *buf,
                                           uint64_t len)
{
    PCIDevice *pdev = PCI_DEVICE(q->adi);

    if (q->index == ADI_INDEX_FUNCTION) {
        return adi_dma_function(pdev, dir, addr, buf, len);
    }
    return dir == DMA_DIRECTION_TO_DEVICE
           ? pasid_dma_read(pdev, q->pasid, addr, buf, len)
           : pasid_dma_write(pdev, q->pasid, addr, buf, len);
}

static PasidDmaResult adi_dma_translated(AdiQueue *q, DMADirection dir,
                                         uint64_t addr, void *buf, uint64_t len)
{
    PCIDevice *pdev = PCI_DEVICE(q->adi);

    return dir == DMA_DIRECTION_TO_DEVICE
           ? pasid_dma_read_translated(pdev, addr, buf, len)
           : pasid_dma_write_translated(pdev, addr, buf, len);
}

static PasidDmaResult adi_dma_missing(AdiQueue *q, DMADirection dir,
                                      uint64_t addr, bool *waiting)
{
    *waiting = adi_pri_ask(q, dir, addr);
    return (PasidDmaResult) { PASID_DMA_UNSUPPORTED_REQUEST, 0, addr };
}

/* By way of the translation cache; an error names the address asked for. */
static PasidDmaResult adi_dma_cached(AdiQueue *q, DMADirection dir,
                                     uint64_t addr, void *buf, uint64_t len,
                                     bool *waiting)
{
    PasidDmaResult r = { PASID_DMA_OK };
    uint64_t at = 0;

    switch (adi_atc_translate(q, dir, addr, &at, &r.status)) {
    case ADI_ATC_TRANSLATED:
        r = adi_dma_translated(q, dir, at, buf, len);
        break;
    case ADI_ATC_UNTRANSLATED:
        r = adi_dma_untranslated(q, dir, addr, buf, len);
        break;
    case ADI_ATC_NO_RIGHT:
        r = adi_dma_missing(q, dir, addr, waiting);
        break;
    case ADI_ATC_FAILED:
        break;
    }
    r.fault_addr = addr;
    return r;
}

/* Within one page. */
static PasidDmaResult adi_dma_page(AdiQueue *q, DMADirection dir,
                                   uint64_t addr, void *buf, uint64_t len,
                                   bool *waiting)
{
    if (q->index != ADI_INDEX_FUNCTION && !q->pasid_enabled) {
        return (PasidDmaResult) { PASID_DMA_PASID_DISABLED, 0, addr };
    }
    return adi_atc_enabled(q->adi)
           ? adi_dma_cached(q, dir, addr, buf, len, waiting)
           : adi_dma_untranslated(q, dir, addr, buf, len);
}

/*
 * Page by page, to learn where it failed, and because a page that is a
 * device's may have ended the queue's work or even the device.
 */
static PasidDmaResult adi_dma(AdiQueue *q, DMADirection dir, uint64_t addr,
                              void *buf, uint64_t len, bool *waiting)
{
    PasidDmaResult r = { PASID_DMA_OK };
    uint64_t epoch = q->epoch;
    uint64_t done = 0;

    while (done < len && r.status == PASID_DMA_OK && q->epoch == epoch) {
        uint64_t at = addr + done;
        uint64_t n = MIN(len - done, ADI_DMA_PAGE - at % ADI_DMA_PAGE);

        r = adi_dma_page(q, dir, at, buf + done, n, waiting);
        done += r.done;
    }
    r.done = done;
    return r;
}

static enum adi_error adi_error_of(PasidDmaStatus status, enum adi_error what)
{
    switch (status) {
    case PASID_DMA_PASID_DISABLED:
        return ADI_ERR_PASID_DISABLED;
    case PASID_DMA_NO_BUS_MASTER:
        return ADI_ERR_NO_BUS_MASTER;
    default:
        return what;
    }
}

static enum adi_why adi_why_of(PasidDmaStatus status)
{
    switch (status) {
    case PASID_DMA_UNSUPPORTED_REQUEST:
        return ADI_WHY_UNSUPPORTED_REQUEST;
    case PASID_DMA_COMPLETER_ABORT:
        return ADI_WHY_COMPLETER_ABORT;
    case PASID_DMA_NO_MEMORY:
        return ADI_WHY_MEMORY;
    default:
        return ADI_WHY_NONE;
    }
}

/*
 * Move bytes for the turn and return how many.  If they are fewer than @len
 * the turn has failed, with error @what, or waits, or was abandoned.
 */
static uint64_t adi_turn_dma(AdiTurn *t, DMADirection dir, uint64_t addr,
                             void *buf, uint64_t len, enum adi_error what)
{
    PasidDmaResult r;

    if (t->waiting) {
        return 0;
    }
    r = adi_dma(t->q, dir, addr, buf, len, &t->waiting);
    if (t->q->epoch != t->epoch) {
        t->abandoned = true;
        return 0;
    }
    if (r.status != PASID_DMA_OK && !t->waiting) {
        t->error = adi_error_of(r.status, what);
        t->why = adi_why_of(r.status);
        t->addr = r.fault_addr;
        trace_adi_dma_error(t->q->index, t->q->pasid, t->error, t->why,
                            t->addr);
    }
    return r.done;
}

static uint64_t adi_turn_read(AdiTurn *t, uint64_t addr, void *buf,
                              uint64_t len, enum adi_error what)
{
    return adi_turn_dma(t, DMA_DIRECTION_TO_DEVICE, addr, buf, len, what);
}

static uint64_t adi_turn_write(AdiTurn *t, uint64_t addr, const void *buf,
                               uint64_t len, enum adi_error what)
{
    return adi_turn_dma(t, DMA_DIRECTION_FROM_DEVICE, addr, (void *)buf, len,
                        what);
}

/* Nothing more can be done for the descriptor in this turn. */
static bool adi_turn_over(const AdiTurn *t)
{
    return t->error || t->abandoned || t->waiting;
}

/* ---- Operations: the next @n bytes of the descriptor --------------------- */

static void adi_chunk_copy(AdiTurn *t, uint32_t n)
{
    AdiWork *w = &t->q->work;
    uint8_t *buf = t->q->adi->buffer[0];
    uint64_t got = adi_turn_read(t, w->desc.src + w->done, buf, n,
                                 ADI_ERR_READ);

    if (got) {
        w->done += adi_turn_write(t, w->desc.dst + w->done, buf, got,
                                  ADI_ERR_WRITE);
    }
}

/* The pattern goes on where the last chunk ended. */
static void adi_chunk_fill(AdiTurn *t, uint32_t n)
{
    AdiWork *w = &t->q->work;
    uint8_t *buf = t->q->adi->buffer[0];
    uint32_t i;

    for (i = 0; i < n; i++) {
        buf[i] = w->desc.operand >> ((w->done + i) % 8 * 8);
    }
    w->done += adi_turn_write(t, w->desc.dst + w->done, buf, n, ADI_ERR_WRITE);
}

static uint64_t adi_equal_bytes(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    uint64_t i = 0;

    if (!memcmp(a, b, n)) {
        return n;
    }
    while (a[i] == b[i]) {
        i++;
    }
    return i;
}

/* A difference before the address that failed is an answer, not a failure. */
static void adi_chunk_compare(AdiTurn *t, uint32_t n)
{
    AdiWork *w = &t->q->work;
    uint8_t *src = t->q->adi->buffer[0], *dst = t->q->adi->buffer[1];
    uint64_t got, equal;

    got = adi_turn_read(t, w->desc.src + w->done, src, n, ADI_ERR_READ);
    if (got) {
        got = adi_turn_read(t, w->desc.dst + w->done, dst, got, ADI_ERR_READ);
    }
    equal = adi_equal_bytes(src, dst, got);
    w->done += equal;
    if (equal < got) {
        t->error = ADI_ERR_NONE;
        t->why = ADI_WHY_NONE;
        t->addr = 0;
        t->finished = true;
        t->result = 1 + w->done;
    }
}

static void adi_chunk_crc32c(AdiTurn *t, uint32_t n)
{
    AdiWork *w = &t->q->work;
    uint8_t *buf = t->q->adi->buffer[0];
    uint64_t got = adi_turn_read(t, w->desc.src + w->done, buf, n,
                                 ADI_ERR_READ);

    if (got) {
        w->crc = crc32c(~w->crc, buf, got);
        w->done += got;
    }
    t->result = w->crc;
}

/* A no-op has no bytes to move. */
static const struct AdiOperation {
    void (*chunk)(AdiTurn *t, uint32_t n);
    bool uses_src, uses_dst, disjoint;
} adi_operations[] = {
    [ADI_OP_NOP] = { NULL },
    [ADI_OP_COPY] = { adi_chunk_copy, true, true, true },
    [ADI_OP_FILL] = { adi_chunk_fill, false, true },
    [ADI_OP_COMPARE] = { adi_chunk_compare, true, true },
    [ADI_OP_CRC32C] = { adi_chunk_crc32c, true, false },
};

uint16_t adi_work_opcodes(void)
{
    return MAKE_64BIT_MASK(0, ARRAY_SIZE(adi_operations));
}

/* ---- Descriptors --------------------------------------------------------- */

static bool adi_desc_reserved_clear(const struct adi_desc *desc)
{
    return !(desc->flags & ~ADI_DESC_FLAGS) && !desc->reserved0 &&
           !desc->reserved1[0] && !desc->reserved1[1] && !desc->reserved1[2];
}

static bool adi_desc_has_record(const struct adi_desc *desc)
{
    return (desc->flags & ADI_DESC_COMPLETION) &&
           desc->completion % sizeof(struct adi_completion) == 0;
}

static bool adi_range_wraps(uint64_t start, uint32_t len)
{
    return start + (len - 1) < start;
}

static bool adi_ranges_overlap(uint64_t a, uint64_t b, uint32_t len)
{
    return a - b < len || b - a < len;
}

enum adi_error adi_work_check(const struct adi_desc *desc)
{
    const struct AdiOperation *op;

    if (desc->opcode >= ARRAY_SIZE(adi_operations)) {
        return ADI_ERR_OPCODE;
    }
    op = &adi_operations[desc->opcode];
    if (!adi_desc_reserved_clear(desc) ||
        ((desc->flags & ADI_DESC_COMPLETION) && !adi_desc_has_record(desc))) {
        return ADI_ERR_FIELD;
    }
    if (!op->chunk) {
        return desc->len ? ADI_ERR_FIELD : ADI_ERR_NONE;
    }
    if (!desc->len || desc->len > 1u << ADI_LEN_ORDER_MAX ||
        (op->uses_src && adi_range_wraps(desc->src, desc->len)) ||
        (op->uses_dst && adi_range_wraps(desc->dst, desc->len)) ||
        (op->disjoint && adi_ranges_overlap(desc->src, desc->dst, desc->len))) {
        return ADI_ERR_FIELD;
    }
    return ADI_ERR_NONE;
}

void adi_work_decode(AdiWork *w)
{
    struct adi_desc *desc = &w->desc;

    memcpy(desc, w->wire, sizeof(*desc));
    le16_to_cpus(&desc->reserved0);
    le32_to_cpus(&desc->len);
    le64_to_cpus((uint64_t *)&desc->completion);
    le64_to_cpus((uint64_t *)&desc->src);
    le64_to_cpus((uint64_t *)&desc->dst);
    le64_to_cpus((uint64_t *)&desc->operand);
}

static void adi_turn_fetch(AdiTurn *t)
{
    AdiQueue *q = t->q;
    uint64_t addr = q->ring_base + q->head * sizeof(struct adi_desc);
    AdiWork w = { .valid = true };

    if (adi_turn_read(t, addr, w.wire, sizeof(w.wire),
                      ADI_ERR_FETCH) < sizeof(w.wire)) {
        return;
    }
    adi_work_decode(&w);
    w.crc = w.desc.operand;
    q->work = w;
    trace_adi_desc_start(q->index, q->head, w.desc.opcode, w.desc.src,
                         w.desc.dst, w.desc.len);
    t->error = adi_work_check(&w.desc);
}

/* ---- Completion ---------------------------------------------------------- */

/* The status byte comes last: who reads it finds the rest in place. */
static bool adi_turn_write_record(AdiTurn *t, uint64_t addr,
                                  const struct adi_completion *record)
{
    const uint8_t *bytes = (const uint8_t *)record;
    size_t rest = sizeof(*record) - 1;

    if (adi_turn_write(t, addr + 1, bytes + 1, rest,
                       ADI_ERR_COMPLETION) < rest) {
        return false;
    }
    smp_wmb();
    return adi_turn_write(t, addr, bytes, 1, ADI_ERR_COMPLETION) == 1;
}

static void adi_turn_report(AdiTurn *t, enum adi_completion_status status)
{
    AdiQueue *q = t->q;
    uint64_t addr = q->work.desc.completion;
    struct adi_completion record = {
        .status = status,
        .error = t->error,
        .why = t->why,
        .bytes = cpu_to_le32(q->work.done),
        .result = cpu_to_le64(t->result),
        .fault_addr = cpu_to_le64(t->addr),
        .index = cpu_to_le32(q->head),
    };

    if (!adi_turn_write_record(t, addr, &record)) {
        t->addr = addr;
    }
}

static void adi_turn_succeed(AdiTurn *t)
{
    AdiQueue *q = t->q;
    uint8_t flags = q->work.desc.flags;

    if (flags & ADI_DESC_COMPLETION) {
        adi_turn_report(t, ADI_COMPLETION_DONE);
        if (adi_turn_over(t)) {
            return;
        }
    }
    trace_adi_desc_done(q->index, q->head, q->work.done, t->result);
    q->completed++;
    q->bytes += q->work.done;
    q->work = (AdiWork) { };
    adi_pri_cancel(q);
    adi_queue_advance(q);
    if (flags & ADI_DESC_IRQ) {
        adi_queue_interrupt(q);
    }
}

/* A failure that would hit the record as well. */
static bool adi_error_is_total(enum adi_error error)
{
    return error == ADI_ERR_PASID_DISABLED || error == ADI_ERR_NO_BUS_MASTER;
}

static void adi_turn_fail(AdiTurn *t)
{
    AdiQueue *q = t->q;
    AdiTurn first = *t;

    if (q->work.valid && adi_desc_has_record(&q->work.desc) &&
        t->error != ADI_ERR_COMPLETION && !adi_error_is_total(t->error)) {
        t->result = 0;
        adi_turn_report(t, ADI_COMPLETION_FAILED);
    }
    if (t->waiting) {
        /* For the record's page: the failure is found anew. */
        q->work = (AdiWork) { };
        return;
    }
    if (!t->abandoned) {
        adi_queue_fail(q, first.error, first.addr);
    }
}

/* ---- A turn -------------------------------------------------------------- */

static void adi_turn_step(AdiTurn *t)
{
    AdiWork *w = &t->q->work;
    uint32_t n = MIN(w->desc.len - w->done, ADI_CHUNK);

    t->result = w->desc.opcode == ADI_OP_CRC32C ? w->crc : 0;
    if (n) {
        adi_operations[w->desc.opcode].chunk(t, n);
    }
    if (w->done == w->desc.len) {
        t->finished = true;
    }
}

uint32_t adi_work_turn(AdiQueue *q)
{
    AdiTurn t = { .q = q, .epoch = q->epoch };
    uint32_t before = 0, moved = 0;

    if (q->work.valid) {
        before = q->work.done;
    } else {
        adi_turn_fetch(&t);
    }
    if (!adi_turn_over(&t)) {
        adi_turn_step(&t);
        moved = q->work.done - before;
    }
    if (!adi_turn_over(&t) && t.finished) {
        adi_turn_succeed(&t);
    }
    if (t.error && !t.abandoned) {
        adi_turn_fail(&t);
    }
    return t.abandoned || t.waiting ? ADI_CHUNK : moved;
}
