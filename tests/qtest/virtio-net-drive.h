/*
 * Driving a virtio-net card from a qtest, with addresses that are not those of
 * memory.
 *
 *     VirtioNet net;
 *
 *     virtio_net_open(&net, f, &next_bar, &memory);
 *     head = virtio_net_post(&net, VIRTIO_NET_TX, pieces, n);
 *     len = virtio_net_take(&net, VIRTIO_NET_TX, head);
 *
 * The driver's memory is a window of VIRTIO_NET_PAGES pages that the device
 * sees at one address, in order, and that lie in memory wherever they do.  The
 * first six are the rings, the rest is for buffers.  The test maps them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_VIRTIO_NET_DRIVE_H
#define TESTS_QTEST_VIRTIO_NET_DRIVE_H

#include "q35.h"

#define VIRTIO_NET_PAGE     4096ull
#define VIRTIO_NET_PAGES    64
#define VIRTIO_NET_BUFFERS  6           /* pages from here on */
#define VIRTIO_NET_RING     64          /* entries */
#define VIRTIO_NET_FEATURES 3           /* of bits 63:32: VIRTIO 1, IOMMU */
#define VIRTIO_NET_TIMEOUT  (10 * G_USEC_PER_SEC)

enum { VIRTIO_NET_RX = 0, VIRTIO_NET_TX = 1 };

typedef struct VirtioNetMemory {
    uint64_t iova;
    uint64_t at[VIRTIO_NET_PAGES];
} VirtioNetMemory;

/* A buffer, or a part of one. */
typedef struct VirtioNetPiece {
    uint64_t iova;
    uint32_t len;
} VirtioNetPiece;

typedef struct VirtioNetQueue {
    uint64_t desc, avail, used, notify;
    uint16_t next;                      /* descriptor */
    uint16_t posted, taken;
} VirtioNetQueue;

typedef struct VirtioNet {
    Q35Function f;
    VirtioNetMemory *memory;
    uint64_t common, isr;
    VirtioNetQueue queue[2];
} VirtioNet;

/* Offsets in the common configuration. */
enum {
    VIRTIO_FEATURE_SELECT = 8,
    VIRTIO_FEATURE = 12,
    VIRTIO_STATUS = 20,
    VIRTIO_QUEUE_SELECT = 22,
    VIRTIO_QUEUE_SIZE = 24,
    VIRTIO_QUEUE_ENABLE = 28,
    VIRTIO_QUEUE_NOTIFY = 30,
    VIRTIO_QUEUE_DESC = 32,
    VIRTIO_QUEUE_AVAIL = 40,
    VIRTIO_QUEUE_USED = 48,
};

/* Bits of the status. */
enum {
    VIRTIO_ACKNOWLEDGE = 1, VIRTIO_DRIVER = 2, VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
};

/* Kinds of configuration, as capabilities name them. */
enum { VIRTIO_CAP_COMMON = 1, VIRTIO_CAP_NOTIFY = 2, VIRTIO_CAP_ISR = 3 };

enum { VIRTIO_DESC_NEXT = 1, VIRTIO_DESC_WRITE = 2 };

/* ---- Memory -------------------------------------------------------------- */

static inline uint64_t virtio_net_at(const VirtioNet *net, uint64_t iova)
{
    uint64_t inside = iova - net->memory->iova;

    g_assert_cmphex(inside, <, VIRTIO_NET_PAGES * VIRTIO_NET_PAGE);
    return net->memory->at[inside / VIRTIO_NET_PAGE] +
           inside % VIRTIO_NET_PAGE;
}

/* Of @len bytes from @iova on, those in its page. */
static inline uint32_t virtio_net_in_page(uint64_t iova, uint32_t len)
{
    return MIN(len, VIRTIO_NET_PAGE - iova % VIRTIO_NET_PAGE);
}

static inline void virtio_net_put(const VirtioNet *net, uint64_t iova,
                                  const uint8_t *buf, uint32_t len)
{
    for (uint32_t n; len; len -= n, iova += n, buf += n) {
        n = virtio_net_in_page(iova, len);
        qtest_memwrite(net->f.qts, virtio_net_at(net, iova), buf, n);
    }
}

static inline void virtio_net_get(const VirtioNet *net, uint64_t iova,
                                  uint8_t *buf, uint32_t len)
{
    for (uint32_t n; len; len -= n, iova += n, buf += n) {
        n = virtio_net_in_page(iova, len);
        qtest_memread(net->f.qts, virtio_net_at(net, iova), buf, n);
    }
}

/* ---- Starting ------------------------------------------------------------ */

static inline unsigned virtio_net_capability(const Q35Function *f, uint8_t kind)
{
    unsigned pos = q35_config_readb(f, PCI_CAPABILITY_LIST);

    while (q35_config_readb(f, pos) != PCI_CAP_ID_VNDR ||
           q35_config_readb(f, pos + 3) != kind) {
        pos = q35_config_readb(f, pos + 1);
        g_assert_cmpuint(pos, !=, 0);
    }
    return pos;
}

static inline uint64_t virtio_net_part(const Q35Function *f, uint64_t bar,
                                       uint8_t kind)
{
    return bar + q35_config_readl(f, virtio_net_capability(f, kind) + 8);
}

/* All parts are in the BAR of the first. */
static inline uint64_t virtio_net_bar(const Q35Function *f, uint64_t *next_bar)
{
    unsigned pos = virtio_net_capability(f, VIRTIO_CAP_COMMON);
    uint64_t bar = q35_bar_place(f, q35_config_readb(f, pos + 4), next_bar);

    q35_command_set(f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return bar;
}

static inline void virtio_net_queue_open(VirtioNet *net, unsigned index,
                                         uint64_t notify, uint32_t step)
{
    QTestState *qts = net->f.qts;
    VirtioNetQueue *q = &net->queue[index];
    uint64_t rings = net->memory->iova + index * 3 * VIRTIO_NET_PAGE;

    *q = (VirtioNetQueue) { rings, rings + VIRTIO_NET_PAGE,
                            rings + 2 * VIRTIO_NET_PAGE };
    qtest_writew(qts, net->common + VIRTIO_QUEUE_SELECT, index);
    qtest_writew(qts, net->common + VIRTIO_QUEUE_SIZE, VIRTIO_NET_RING);
    qtest_writeq(qts, net->common + VIRTIO_QUEUE_DESC, q->desc);
    qtest_writeq(qts, net->common + VIRTIO_QUEUE_AVAIL, q->avail);
    qtest_writeq(qts, net->common + VIRTIO_QUEUE_USED, q->used);
    q->notify = notify + step * qtest_readw(qts, net->common +
                                                 VIRTIO_QUEUE_NOTIFY);
    qtest_writew(qts, net->common + VIRTIO_QUEUE_ENABLE, 1);
}

static inline void virtio_net_set_status(VirtioNet *net, uint8_t more)
{
    uint8_t status = qtest_readb(net->f.qts, net->common + VIRTIO_STATUS);

    qtest_writeb(net->f.qts, net->common + VIRTIO_STATUS, status | more);
}

static inline void virtio_net_open(VirtioNet *net, const Q35Function *f,
                                   uint64_t *next_bar, VirtioNetMemory *memory)
{
    uint64_t bar = virtio_net_bar(f, next_bar);
    uint64_t notify = virtio_net_part(f, bar, VIRTIO_CAP_NOTIFY);
    uint32_t step = q35_config_readl(
        f, virtio_net_capability(f, VIRTIO_CAP_NOTIFY) + 16);

    *net = (VirtioNet) {
        .f = *f,
        .memory = memory,
        .common = virtio_net_part(f, bar, VIRTIO_CAP_COMMON),
        .isr = virtio_net_part(f, bar, VIRTIO_CAP_ISR),
    };
    virtio_net_set_status(net, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    qtest_writel(f->qts, net->common + VIRTIO_FEATURE_SELECT, 1);
    qtest_writel(f->qts, net->common + VIRTIO_FEATURE, VIRTIO_NET_FEATURES);
    virtio_net_set_status(net, VIRTIO_FEATURES_OK);
    virtio_net_queue_open(net, VIRTIO_NET_RX, notify, step);
    virtio_net_queue_open(net, VIRTIO_NET_TX, notify, step);
    virtio_net_set_status(net, VIRTIO_DRIVER_OK);
}

/* ---- Buffers ------------------------------------------------------------- */

static inline void virtio_net_describe(VirtioNet *net, VirtioNetQueue *q,
                                       const VirtioNetPiece *piece,
                                       uint16_t flags)
{
    QTestState *qts = net->f.qts;
    uint64_t desc = virtio_net_at(net, q->desc + q->next * 16);

    q->next = (q->next + 1) % VIRTIO_NET_RING;
    qtest_writeq(qts, desc, piece->iova);
    qtest_writel(qts, desc + 8, piece->len);
    qtest_writew(qts, desc + 12, flags);
    qtest_writew(qts, desc + 14, q->next);
}

/* Without telling the device; its first descriptor. */
static inline uint16_t virtio_net_add(VirtioNet *net, unsigned index,
                                      const VirtioNetPiece *pieces, unsigned n)
{
    VirtioNetQueue *q = &net->queue[index];
    uint16_t flags = index == VIRTIO_NET_RX ? VIRTIO_DESC_WRITE : 0;
    uint16_t head = q->next;

    for (unsigned i = 0; i < n; i++) {
        virtio_net_describe(net, q, &pieces[i],
                            flags | (i + 1 < n ? VIRTIO_DESC_NEXT : 0));
    }
    qtest_writew(net->f.qts,
                 virtio_net_at(net, q->avail + 4 +
                                    q->posted % VIRTIO_NET_RING * 2), head);
    q->posted++;
    qtest_writew(net->f.qts, virtio_net_at(net, q->avail + 2), q->posted);
    return head;
}

static inline void virtio_net_kick(VirtioNet *net, unsigned index)
{
    qtest_writew(net->f.qts, net->queue[index].notify, index);
}

static inline uint16_t virtio_net_post(VirtioNet *net, unsigned index,
                                       const VirtioNetPiece *pieces, unsigned n)
{
    uint16_t head = virtio_net_add(net, index, pieces, n);

    virtio_net_kick(net, index);
    return head;
}

/* Has the device returned one that was not taken yet? */
static inline bool virtio_net_is_done(VirtioNet *net, unsigned index)
{
    const VirtioNetQueue *q = &net->queue[index];

    return qtest_readw(net->f.qts, virtio_net_at(net, q->used + 2)) != q->taken;
}

/* Wait for the next, which is @head; how much of it was written. */
static inline uint32_t virtio_net_take(VirtioNet *net, unsigned index,
                                       uint16_t head)
{
    VirtioNetQueue *q = &net->queue[index];
    int64_t end = g_get_monotonic_time() + VIRTIO_NET_TIMEOUT;
    uint64_t element = virtio_net_at(net, q->used + 4 +
                                          q->taken % VIRTIO_NET_RING * 8);

    while (!virtio_net_is_done(net, index)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    q->taken++;
    g_assert_cmpuint(qtest_readl(net->f.qts, element), ==, head);
    return qtest_readl(net->f.qts, element + 4);
}

/* Wait for an interrupt, as a pin shows it. */
static inline void virtio_net_await_interrupt(VirtioNet *net)
{
    int64_t end = g_get_monotonic_time() + VIRTIO_NET_TIMEOUT;

    while (!(qtest_readb(net->f.qts, net->isr) & 1)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

#endif /* TESTS_QTEST_VIRTIO_NET_DRIVE_H */
