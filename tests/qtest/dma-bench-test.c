/*
 * dma-bench: what it counts as failed, and what it refuses.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/misc/dma_bench_regs.h"
#include "q35.h"
#include "sm-tables.h"

#define MIB             (1024 * 1024ull)
#define TABLES          (16 * MIB)
#define SCRATCH         (32 * MIB)      /* a page each for ring, status, leaf */
#define DATA            (64 * MIB)
#define IOVA            0x12345000ull
#define SID             Q35_SID(0, 4, 0)
#define DOMAIN          7
#define PASID           64
#define RID_PASID       9

typedef struct Place {
    Q35Function f;
    uint64_t bar;
    Sm sm;
} Place;

static void set(Place *p, enum dma_bench_reg reg, uint64_t value)
{
    qtest_writeq(p->f.qts, p->bar + reg * 8, value);
}

static uint64_t get(Place *p, enum dma_bench_reg reg)
{
    return qtest_readq(p->f.qts, p->bar + reg * 8);
}

static uint64_t failures_of(Place *p, enum dma_bench_op op)
{
    set(p, DMA_BENCH_RUN, op);
    return get(p, DMA_BENCH_FAILED);
}

/* A program of ten reads of 64 bytes, one round, in two pages at @base. */
static void set_program(Place *p, uint64_t base)
{
    const struct {
        enum dma_bench_reg reg;
        uint64_t value;
    } program[] = {
        { DMA_BENCH_ROUNDS, 1 }, { DMA_BENCH_COUNT, 10 },
        { DMA_BENCH_LENGTH, 64 }, { DMA_BENCH_BASE, base },
        { DMA_BENCH_STRIDE, SM_PAGE }, { DMA_BENCH_PAGES, 2 },
        { DMA_BENCH_PASID, PASID }, { DMA_BENCH_PASIDS, 1 },
        { DMA_BENCH_RING, SCRATCH }, { DMA_BENCH_RING_SIZE, SM_PAGE },
        { DMA_BENCH_DESCRIPTOR_SIZE, 32 },
        { DMA_BENCH_STATUS, SCRATCH + SM_PAGE },
        { DMA_BENCH_LEAF, SCRATCH + 2 * SM_PAGE },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(program); i++) {
        set(p, program[i].reg, program[i].value);
    }
}

static void open_place(Place *p, const char *args, uint64_t base)
{
    uint64_t next = Q35_MMIO;

    p->f = (Q35Function) { q35_start(args), SID };
    p->bar = q35_bar_place(&p->f, DMA_BENCH_BAR, &next);
    q35_command_set(&p->f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    g_assert_cmphex(get(p, DMA_BENCH_ID), ==, DMA_BENCH_MAGIC);
    set_program(p, base);
}

/* Behind a unit, with the first of the two pages mapped. */
static void open_translated(Place *p)
{
    unsigned pasid;
    SmMap map;

    open_place(p, "-device intel-iommu-sm -device dma-bench,addr=4.0", IOVA);
    pasid = q35_extended_capability(&p->f, PCI_EXT_CAP_ID_PASID);
    q35_config_writew(&p->f, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    sm_init(&p->sm, p->f.qts, TABLES, 8 * MIB);
    map = sm_map_new(&p->sm, 4);
    sm_map(&p->sm, &map, IOVA, DATA, 1, SM_R);
    sm_context_set(&p->sm, SID, RID_PASID);
    sm_pasid_set(&p->sm, SID, RID_PASID, &(SmPasid) {
        SM_SECOND_STAGE, DOMAIN, map, .no_faults = true });
    sm_pasid_set(&p->sm, SID, PASID, &(SmPasid) {
        SM_SECOND_STAGE, DOMAIN, map, .no_faults = true });
    sm_start(&p->sm);
}

static void close_place(Place *p)
{
    qtest_quit(p->f.qts);
}

static bool there_is_a_unit(void)
{
    if (qtest_has_device("intel-iommu-sm")) {
        return true;
    }
    g_test_skip("no intel-iommu-sm in this build");
    return false;
}

/* ---- Reads ------------------------------------------------------------------ */

static void test_memory(const void *args)
{
    Place p;

    open_place(&p, args, DATA);
    g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_READ), ==, 0);
    set(&p, DMA_BENCH_THREADS, 2);
    g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_READ), ==, 0);
    g_assert_cmpuint(get(&p, DMA_BENCH_ELAPSED), >, 0);
    close_place(&p);
}

static void test_translated(void)
{
    Place p;

    if (!there_is_a_unit()) {
        return;
    }
    open_translated(&p);
    for (unsigned with = 0; with < 2; with++) {
        set(&p, DMA_BENCH_CONTROL, with ? DMA_BENCH_WITH_PASID : 0);
        set(&p, DMA_BENCH_PAGES, 1);
        g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_READ), ==, 0);
        set(&p, DMA_BENCH_PAGES, 2);
        g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_READ), ==, 5);
        set(&p, DMA_BENCH_THREADS, 3);
        g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_READ), ==, 15);
        set(&p, DMA_BENCH_THREADS, 0);
    }
    sm_assert_no_fault(&p.sm);
    close_place(&p);
}

/* ---- Commands --------------------------------------------------------------- */

/* Its ring is the unit's, which software has not used. */
static void test_orders(void)
{
    Place p;

    if (!there_is_a_unit()) {
        return;
    }
    open_translated(&p);
    set(&p, DMA_BENCH_RING, p.sm.queue);
    set(&p, DMA_BENCH_DOORBELL, p.sm.unit + SM_REG_IQT);
    set(&p, DMA_BENCH_ORDER0, 1 << 4 | 2);
    set(&p, DMA_BENCH_WAIT0, 1 << 5 | 5);
    set(&p, DMA_BENCH_WAIT1, SCRATCH + SM_PAGE);
    set(&p, DMA_BENCH_COUNT, 100);
    g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_ORDER), ==, 0);
    g_assert_cmphex(get(&p, DMA_BENCH_TAIL), ==, 200 * 32 % SM_PAGE);
    set(&p, DMA_BENCH_WAIT1, SCRATCH);
    g_assert_cmpuint(failures_of(&p, DMA_BENCH_OP_ORDER), ==, 100);
    sm_assert_no_fault(&p.sm);
    close_place(&p);
}

/* ---- Refused ------------------------------------------------------------------ */

static void test_refused(void)
{
    static const struct {
        enum dma_bench_reg reg;
        uint64_t bad, good;
    } registers[] = {
        { DMA_BENCH_LENGTH, 0, 64 }, { DMA_BENCH_LENGTH, 8192, 64 },
        { DMA_BENCH_LENGTH, 65, 64 }, { DMA_BENCH_PAGES, 0, 2 },
        { DMA_BENCH_FIRST, 2, 0 }, { DMA_BENCH_PASIDS, 3, 1 },
        { DMA_BENCH_THREADS, DMA_BENCH_MAX_THREADS + 1, 0 },
        { DMA_BENCH_DESCRIPTOR_SIZE, 64, 32 },
        { DMA_BENCH_RING_SIZE, 0, SM_PAGE },
        { DMA_BENCH_RING_SIZE, 16, SM_PAGE },
        { DMA_BENCH_RING_SIZE, 1ull << 40, SM_PAGE },
        { DMA_BENCH_TAIL, SM_PAGE, 0 }, { DMA_BENCH_TAIL, 16, 0 },
    };
    Place p;

    open_place(&p, "-device dma-bench,addr=4.0", DATA);
    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        set(&p, registers[i].reg, registers[i].bad);
        g_assert_cmphex(failures_of(&p, DMA_BENCH_OP_READ), ==,
                        DMA_BENCH_NOT_RUN);
        set(&p, registers[i].reg, registers[i].good);
        g_assert_cmphex(failures_of(&p, DMA_BENCH_OP_READ), ==, 0);
    }
    g_assert_cmphex(failures_of(&p, 0), ==, DMA_BENCH_NOT_RUN);
    g_assert_cmphex(failures_of(&p, DMA_BENCH_OP_NOTHING + 1), ==,
                    DMA_BENCH_NOT_RUN);
    close_place(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!qtest_has_device("dma-bench")) {
        return g_test_run();
    }
    qtest_add_data_func("/dma-bench/memory", "-device dma-bench,addr=4.0",
                        test_memory);
    qtest_add_data_func("/dma-bench/noop",
                        "-device dma-bench,addr=4.0,noop-iommu=on", test_memory);
    qtest_add_func("/dma-bench/translated", test_translated);
    qtest_add_func("/dma-bench/orders", test_orders);
    qtest_add_func("/dma-bench/refused", test_refused);
    return g_test_run();
}
