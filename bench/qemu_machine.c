/*
 * See qemu_machine.h.
 *
 * Tables are made in an array and put into the guest's memory at once; after
 * that only the device touches them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu_machine.h"

#include "spec/field.h"
#include "spec/registers.h"

#define UNIT            0xfed90000ull
#define SID             Q35_SID(0, 4, 0)
#define RING_ORDER      4               /* 2^4 pages */
#define CHUNK           (64 * 1024)     /* of what goes through the socket */

/* ---- The device -------------------------------------------------------------- */

void bench_set(BenchMachine *m, enum dma_bench_reg reg, uint64_t value)
{
    qtest_writeq(m->f.qts, m->bar + reg * 8, value);
}

uint64_t bench_get(BenchMachine *m, enum dma_bench_reg reg)
{
    return qtest_readq(m->f.qts, m->bar + reg * 8);
}

static void open_device(BenchMachine *m)
{
    uint64_t next = Q35_MMIO;
    unsigned pasid = q35_extended_capability(&m->f, PCI_EXT_CAP_ID_PASID);

    g_assert_cmphex(q35_config_readl(&m->f, PCI_VENDOR_ID), ==,
                    DMA_BENCH_DEVICE_ID << 16 | DMA_BENCH_VENDOR_ID);
    m->bar = q35_bar_place(&m->f, DMA_BENCH_BAR, &next);
    q35_command_set(&m->f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    q35_config_writew(&m->f, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    g_assert_cmphex(bench_get(m, DMA_BENCH_ID), ==, DMA_BENCH_MAGIC);
}

/* ---- Tables -------------------------------------------------------------------- */

bool bench_machine_maps(const BenchMachine *m)
{
    return m->is->unit != BENCH_NO_UNIT && m->is->kind != BENCH_PASS_THROUGH;
}

static void map_all(BenchMachine *m, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        bench_map(&m->space, BENCH_DENSE + i * BENCH_PAGE,
                  BENCH_DATA + i % BENCH_DATA_PAGES * BENCH_PAGE);
    }
    for (uint64_t i = 0; i < BENCH_SPARSE_PAGES; i++) {
        bench_map(&m->space, BENCH_SPARSE + i * BENCH_SPARSE_STRIDE,
                  BENCH_DATA + i * BENCH_PAGE);
    }
    m->leaf = bench_leaf(&m->space, BENCH_EMPTY);
}

static void bind_all(BenchMachine *m)
{
    if (m->is->unit == BENCH_LEGACY) {
        bench_bind_legacy(SID, &m->space);
        return;
    }
    bench_bind(SID, BENCH_RID_PASID, &m->space);
    for (unsigned i = 0; i < BENCH_PASIDS; i++) {
        bench_bind(SID, BENCH_FIRST_PASID + i, &m->space);
    }
}

static void upload(BenchMachine *m)
{
    uint64_t end = m->memory.next;

    for (uint64_t at = BENCH_TABLES; at < end; at += CHUNK) {
        qtest_bufwrite(m->f.qts, at, m->memory.at + (at - BENCH_TABLES),
                       MIN(CHUNK, end - at));
    }
}

/* ---- The unit -------------------------------------------------------------------- */

static void command(BenchMachine *m, uint32_t bits)
{
    QTestState *qts = m->f.qts;
    uint32_t on = qtest_readl(qts, UNIT + GSTS_REG) & (GCMD_QIE | GCMD_TE);

    qtest_writel(qts, UNIT + GCMD_REG, on | bits);
    g_assert_cmphex(qtest_readl(qts, UNIT + GSTS_REG) & bits, ==, bits);
}

static void start_unit(BenchMachine *m, uint64_t ring)
{
    bool scalable = m->is->unit == BENCH_SCALABLE;
    QTestState *qts = m->f.qts;

    qtest_writeq(qts, UNIT + IQT_REG, 0);
    qtest_writeq(qts, UNIT + IQA_REG,
                 ring | (scalable ? IQA_DW : 0) | RING_ORDER);
    command(m, GCMD_QIE);
    qtest_writeq(qts, UNIT + RTADDR_REG,
                 m->memory.root_table |
                 (scalable ? field_make(TTM_SCALABLE, RTADDR_TTM) : 0));
    command(m, GCMD_SRTP);
    command(m, GCMD_TE);
}

static void give_ring(BenchMachine *m, uint64_t ring, uint64_t status)
{
    BenchDescriptor wait = bench_wait(status);

    bench_set(m, DMA_BENCH_RING, ring);
    bench_set(m, DMA_BENCH_RING_SIZE, BENCH_PAGE << RING_ORDER);
    bench_set(m, DMA_BENCH_DESCRIPTOR_SIZE,
              m->is->unit == BENCH_LEGACY ? 16 : 32);
    bench_set(m, DMA_BENCH_DOORBELL, UNIT + IQT_REG);
    bench_set(m, DMA_BENCH_STATUS, status);
    bench_set(m, DMA_BENCH_WAIT0, wait.word0);
    bench_set(m, DMA_BENCH_WAIT1, wait.word1);
    bench_set(m, DMA_BENCH_LEAF, m->leaf ? m->leaf : status);
    bench_set(m, DMA_BENCH_LEAF_VALUE, bench_leaf_value(&m->space, BENCH_DATA));
}

void bench_set_order(BenchMachine *m, BenchOrder order, bool by_pasid,
                     uint64_t iova)
{
    const BenchWhat what = {
        .sid = SID,
        .domain = BENCH_DOMAIN_ID,
        .pasid = by_pasid ? BENCH_FIRST_PASID : BENCH_RID_PASID,
        .iova = iova,
    };
    BenchDescriptor descriptor = bench_descriptor(order, &what);

    bench_set(m, DMA_BENCH_ORDER0, descriptor.word0);
    bench_set(m, DMA_BENCH_ORDER1, descriptor.word1);
    bench_set(m, DMA_BENCH_ORDER_STEP,
              order == BENCH_PAGE_OF_DOMAIN || order == BENCH_PAGE_OF_PASID
              ? BENCH_PAGE : 0);
}

void bench_set_preparation(BenchMachine *m, BenchOrder order, uint16_t domain)
{
    BenchDescriptor descriptor = bench_descriptor(order, &(BenchWhat) {
        .domain = domain });

    bench_set(m, DMA_BENCH_PREPARE0, descriptor.word0);
    bench_set(m, DMA_BENCH_PREPARE1, descriptor.word1);
}

/* ---- Life -------------------------------------------------------------------------- */

static void start_qemu(BenchMachine *m)
{
    g_autofree char *args =
        g_strdup_printf("%s -device dma-bench,addr=4.0%s", m->is->args,
                        m->is->properties);

    m->f = (Q35Function) { q35_start_with_ram(BENCH_RAM_MIB, args), SID };
    m->counts.pid = qtest_pid(m->f.qts);
    /* Memory that was never written would be the same page of zeroes. */
    qtest_memset(m->f.qts, BENCH_DATA, 0x5a, BENCH_DATA_PAGES * BENCH_PAGE);
}

void bench_machine_start(BenchMachine *m, const BenchConfiguration *is,
                         uint64_t pages)
{
    g_autofree uint8_t *tables = g_malloc0(BENCH_TABLES_SIZE);
    uint64_t ring, status;

    *m = (BenchMachine) { .is = is };
    start_qemu(m);
    open_device(m);
    bench_memory_init(&m->memory, tables, BENCH_TABLES, BENCH_TABLES_SIZE);
    ring = bench_pages(&m->memory, 1 << RING_ORDER);
    status = bench_pages(&m->memory, 1);
    m->space = bench_space(&m->memory, is->kind, BENCH_DOMAIN_ID);
    if (bench_machine_maps(m)) {
        map_all(m, pages);
    }
    if (is->unit != BENCH_NO_UNIT) {
        bind_all(m);
        upload(m);
        start_unit(m, ring);
    }
    give_ring(m, ring, status);
    m->memory.at = NULL;
}

void bench_machine_stop(BenchMachine *m)
{
    qtest_quit(m->f.qts);
}
