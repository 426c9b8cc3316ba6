/*
 * Driving an adi from a qtest: what its parent driver and the owners of its
 * ADIs would do.
 *
 *     adi_open(&adi, qts, Q35_SID(0, 4, 0));
 *     adi_give(&adi, 3, pasid);
 *     adi_q_open(&q, &adi, 3, iova, mem);
 *     adi_post(&q, &(struct adi_desc) { .opcode = ADI_OP_NOP });
 *     adi_wait_done(&q);
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_ADI_DRIVE_H
#define TESTS_QTEST_ADI_DRIVE_H

#include "hw/misc/adi_regs.h"
#include "q35.h"

#define ADI_TIMEOUT_US  (30 * G_USEC_PER_SEC)
#define ADI_FUNCTION    UINT32_MAX      /* instead of an ADI's number */

typedef struct Adi {
    Q35Function f;
    uint64_t control, pages, msix;      /* where its BARs are */
} Adi;

/*
 * A queue with its memory: ring, completion records and room for data, in
 * this order, at @mem in guest memory, which the device sees at @iova.
 */
typedef struct AdiQ {
    Adi *adi;
    uint64_t regs;
    uint64_t iova, mem;
    unsigned order;
    unsigned tail;
} AdiQ;

/* ---- The function -------------------------------------------------------- */

/* Place its BARs; let it decode, master the bus, tag with PASIDs, interrupt. */
static inline void adi_open(Adi *adi, QTestState *qts, uint16_t sid)
{
    uint64_t next = Q35_MMIO;
    unsigned pos;

    *adi = (Adi) { .f = { .qts = qts, .sid = sid } };
    g_assert_cmphex(q35_config_readl(&adi->f, PCI_VENDOR_ID), ==,
                    ADI_DEVICE_ID << 16 | ADI_VENDOR_ID);
    adi->control = q35_bar_place(&adi->f, ADI_BAR_CONTROL, &next);
    adi->pages = q35_bar_place(&adi->f, ADI_BAR_PAGES, &next);
    adi->msix = q35_bar_place(&adi->f, ADI_BAR_MSIX, &next);
    q35_command_set(&adi->f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pos = q35_extended_capability(&adi->f, PCI_EXT_CAP_ID_PASID);
    q35_config_writew(&adi->f, pos + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    pos = q35_capability(&adi->f, PCI_CAP_ID_MSIX);
    q35_config_writew(&adi->f, pos + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

static inline void adi_pasid_disable(Adi *adi)
{
    unsigned pos = q35_extended_capability(&adi->f, PCI_EXT_CAP_ID_PASID);

    q35_config_writew(&adi->f, pos + PCI_PASID_CTRL, 0);
}

/* Let it keep translations; it must have been made with ats=on. */
static inline void adi_ats_set(Adi *adi, bool on)
{
    unsigned pos = q35_extended_capability(&adi->f, PCI_EXT_CAP_ID_ATS);

    g_assert_cmpuint(pos, !=, 0);
    q35_config_writew(&adi->f, pos + PCI_ATS_CTRL,
                      on ? PCI_ATS_CTRL_ENABLE : 0);
}

static inline uint16_t adi_pri_status(Adi *adi)
{
    unsigned pos = q35_extended_capability(&adi->f, PCI_EXT_CAP_ID_PRI);

    return q35_config_readw(&adi->f, pos + PCI_PRI_STATUS);
}

/* Let it have @requests page requests without a response; 0: none, off. */
static inline void adi_pri_set(Adi *adi, unsigned requests)
{
    unsigned pos = q35_extended_capability(&adi->f, PCI_EXT_CAP_ID_PRI);

    g_assert_cmpuint(pos, !=, 0);
    if (requests) {
        q35_config_writel(&adi->f, pos + PCI_PRI_ALLOC_REQ, requests);
    }
    q35_config_writew(&adi->f, pos + PCI_PRI_CTRL,
                      requests ? PCI_PRI_CTRL_ENABLE : 0);
}

static inline uint32_t adi_readl(Adi *adi, uint64_t offset)
{
    return qtest_readl(adi->f.qts, adi->control + offset);
}

static inline uint64_t adi_readq(Adi *adi, uint64_t offset)
{
    return qtest_readq(adi->f.qts, adi->control + offset);
}

static inline void adi_writel(Adi *adi, uint64_t offset, uint32_t value)
{
    qtest_writel(adi->f.qts, adi->control + offset, value);
}

/* Interrupts of @vector become writes of @data to guest memory at @addr. */
static inline void adi_vector_set(Adi *adi, unsigned vector, uint64_t addr,
                                  uint32_t data)
{
    uint64_t entry = adi->msix + vector * PCI_MSIX_ENTRY_SIZE;

    qtest_writel(adi->f.qts, entry + PCI_MSIX_ENTRY_LOWER_ADDR, addr);
    qtest_writel(adi->f.qts, entry + PCI_MSIX_ENTRY_UPPER_ADDR, addr >> 32);
    qtest_writel(adi->f.qts, entry + PCI_MSIX_ENTRY_DATA, data);
    qtest_writel(adi->f.qts, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
}

/* ---- The parent driver --------------------------------------------------- */

/* Give ADI @n the PASID, clean, and enable it. */
static inline void adi_give(Adi *adi, unsigned n, uint32_t pasid)
{
    adi_writel(adi, ADI_CTL(n) + ADI_CTL_CTRL, 0);
    adi_writel(adi, ADI_CTL(n) + ADI_CTL_CMD, ADI_CMD_RESET);
    adi_writel(adi, ADI_CTL(n) + ADI_CTL_PASID, pasid);
    adi_writel(adi, ADI_CTL(n) + ADI_CTL_CTRL,
               ADI_CTL_CTRL_ENABLE | ADI_CTL_CTRL_PASID_ENABLE);
}

static inline uint64_t adi_state_reg(unsigned n)
{
    return n == ADI_FUNCTION ? ADI_REG_FUNC_STATE : ADI_CTL(n) + ADI_CTL_STATE;
}

static inline void adi_command(Adi *adi, unsigned n, enum adi_cmd command)
{
    adi_writel(adi, n == ADI_FUNCTION ? ADI_REG_FUNC_CMD
                                      : ADI_CTL(n) + ADI_CTL_CMD, command);
}

static inline void adi_command_wait(Adi *adi, unsigned n)
{
    int64_t end = g_get_monotonic_time() + ADI_TIMEOUT_US;

    while (adi_readl(adi, adi_state_reg(n)) & ADI_STATE_CMD_BUSY) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

/* ---- The owner of a queue ------------------------------------------------ */

static inline uint32_t adi_q_readl(AdiQ *q, uint64_t offset)
{
    return qtest_readl(q->adi->f.qts, q->regs + offset);
}

static inline uint64_t adi_q_readq(AdiQ *q, uint64_t offset)
{
    return qtest_readq(q->adi->f.qts, q->regs + offset);
}

static inline void adi_q_writel(AdiQ *q, uint64_t offset, uint32_t value)
{
    qtest_writel(q->adi->f.qts, q->regs + offset, value);
}

static inline void adi_q_writeq(AdiQ *q, uint64_t offset, uint64_t value)
{
    qtest_writeq(q->adi->f.qts, q->regs + offset, value);
}

static inline unsigned adi_q_entries(const AdiQ *q)
{
    return 1u << q->order;
}

static inline uint64_t adi_page_up(uint64_t n)
{
    return (n + ADI_PAGE_SIZE - 1) & ~(uint64_t)(ADI_PAGE_SIZE - 1);
}

/* Offsets, from iova or mem, of records and of the room for data. */
static inline uint64_t adi_q_records(const AdiQ *q)
{
    return adi_page_up(adi_q_entries(q) * sizeof(struct adi_desc));
}

static inline uint64_t adi_q_data(const AdiQ *q)
{
    return adi_q_records(q) +
           adi_page_up(adi_q_entries(q) * sizeof(struct adi_completion));
}

/* Start (again): head and tail are 0 afterwards. */
static inline void adi_q_start(AdiQ *q)
{
    q->tail = 0;
    adi_q_writel(q, ADI_Q_CTRL, 0);
    adi_q_writeq(q, ADI_Q_RING_BASE, q->iova);
    adi_q_writel(q, ADI_Q_RING_ORDER, q->order);
    adi_q_writel(q, ADI_Q_CTRL, ADI_Q_CTRL_START | ADI_Q_CTRL_IRQ);
}

static inline void adi_q_open_order(AdiQ *q, Adi *adi, unsigned n,
                                    uint64_t iova, uint64_t mem, unsigned order)
{
    *q = (AdiQ) {
        .adi = adi,
        .regs = n == ADI_FUNCTION ? adi->control + ADI_FUNC_QUEUE
                                  : adi->pages + (uint64_t)n * ADI_PAGE_SIZE,
        .iova = iova,
        .mem = mem,
        .order = order,
    };
    if (n == ADI_FUNCTION) {
        adi_writel(adi, ADI_REG_FUNC_CTRL, ADI_FUNC_CTRL_ENABLE);
    }
    adi_q_start(q);
}

/* With a ring of 64 entries: data begins at offset 0x2000. */
static inline void adi_q_open(AdiQ *q, Adi *adi, unsigned n, uint64_t iova,
                              uint64_t mem)
{
    adi_q_open_order(q, adi, n, iova, mem, 6);
}

/* Put a descriptor on the ring; the device is not told yet.  Its index. */
static inline unsigned adi_put(AdiQ *q, const struct adi_desc *desc)
{
    unsigned index = q->tail;

    qtest_memwrite(q->adi->f.qts, q->mem + index * sizeof(*desc), desc,
                   sizeof(*desc));
    q->tail = (index + 1) % adi_q_entries(q);
    return index;
}

static inline void adi_ring_doorbell(AdiQ *q)
{
    adi_q_writel(q, ADI_Q_TAIL, q->tail);
}

/* The same with a completion record of its own, and the doorbell. */
static inline unsigned adi_post(AdiQ *q, const struct adi_desc *desc)
{
    uint64_t record = adi_q_records(q) +
                      q->tail * sizeof(struct adi_completion);
    struct adi_desc with_record = *desc;
    unsigned index;

    with_record.flags |= ADI_DESC_COMPLETION;
    with_record.completion = q->iova + record;
    qtest_memset(q->adi->f.qts, q->mem + record, 0,
                 sizeof(struct adi_completion));
    index = adi_put(q, &with_record);
    adi_ring_doorbell(q);
    return index;
}

static inline struct adi_completion adi_record(AdiQ *q, unsigned index)
{
    struct adi_completion record;

    qtest_memread(q->adi->f.qts,
                  q->mem + adi_q_records(q) + index * sizeof(record),
                  &record, sizeof(record));
    return record;
}

/* Until it is neither busy nor anything else than @state. */
static inline void adi_wait_state(AdiQ *q, enum adi_state state)
{
    int64_t end = g_get_monotonic_time() + ADI_TIMEOUT_US;
    uint32_t status;

    while ((status = adi_q_readl(q, ADI_Q_STATUS)) == ADI_STATE_BUSY) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    g_assert_cmpuint(status, ==, state);
}

/* Until all that was posted is done; none failed. */
static inline void adi_wait_done(AdiQ *q)
{
    adi_wait_state(q, ADI_STATE_IDLE);
    g_assert_cmphex(adi_q_readl(q, ADI_Q_ERROR), ==, 0);
}

/* Until it stops with @error, at the descriptor of @index. */
static inline void adi_wait_error(AdiQ *q, enum adi_error error,
                                  unsigned index)
{
    adi_wait_state(q, ADI_STATE_ERROR);
    g_assert_cmphex(adi_q_readl(q, ADI_Q_ERROR), ==, index << 16 | error);
}

static inline void adi_clear_error(AdiQ *q)
{
    adi_q_writel(q, ADI_Q_CTRL, ADI_Q_CTRL_START | ADI_Q_CTRL_IRQ |
                                ADI_Q_CTRL_CLEAR_ERROR);
}

/* Post one descriptor and wait for its record. */
static inline struct adi_completion adi_run(AdiQ *q,
                                            const struct adi_desc *desc)
{
    unsigned index = adi_post(q, desc);

    adi_wait_done(q);
    return adi_record(q, index);
}

#endif /* TESTS_QTEST_ADI_DRIVE_H */
