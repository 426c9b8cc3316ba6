/*
 * ADIs and their owners behind intel-iommu-sm, for qtests.
 *
 * Bare metal: the tables are written by the test (sm-tables.h).  Owners sit at
 * the same I/O virtual address with memory of their own; the function itself
 * passes through.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_ADI_SM_H
#define TESTS_QTEST_ADI_SM_H

#include "adi-bench.h"
#include "sm-tables.h"

/*
 * What an owner's address space holds: small pages for ring, records and
 * data, and above them two large ones for long copies.
 */
#define IOVA            0x40000000ull
#define SMALL_PAGES     104u
#define LARGE           (2 * MIB)
#define LARGE_SRC       (IOVA + LARGE)
#define LARGE_DST       (IOVA + 2 * LARGE)
#define RING_ORDER      12u             /* 0x40000 bytes, records 0x20000 */
#define SRC_OFFSET      0x60000u        /* in the small pages */
#define DST_OFFSET      0x64000u
#define SRC             (IOVA + SRC_OFFSET)
#define DST             (IOVA + DST_OFFSET)
#define OUTSIDE         (IOVA + SMALL_PAGES * SM_PAGE)

#define TABLES          (128 * MIB)
#define TABLES_SIZE     (96 * MIB)

#define RID_DOMAIN      1

/* Fault reasons [VT-d 7.1.3]. */
#define FAULT_PASID_NOT_PRESENT 0x59
#define FAULT_SS_NOT_PRESENT    0x79
#define FAULT_NO_WRITE          0x85

typedef struct Ground {
    Bench b;
    Sm sm;
} Ground;

/* An ADI, its PASID and its memory: 6 MiB at @mem. */
typedef struct Owner {
    Ground *g;
    unsigned n;
    uint32_t pasid;
    uint16_t domain;
    uint64_t mem;
    SmMap map;
    AdiQ q;
} Owner;

/* ---- Fixture ------------------------------------------------------------- */

/* The function itself is not translated: its PASID 0 passes through. */
static inline void ground_tables(Ground *g, uint16_t sid)
{
    sm_init(&g->sm, g->b.qts, TABLES, TABLES_SIZE);
    sm_context_set(&g->sm, sid, 0);
    sm_pasid_set(&g->sm, sid, 0, &(SmPasid) { SM_PASS_THROUGH, RID_DOMAIN });
    sm_start(&g->sm);
}

static inline bool ground_possible(void)
{
    if (qtest_has_device("intel-iommu-sm")) {
        return true;
    }
    g_test_skip("no intel-iommu-sm in this binary");
    return false;
}

static inline void ground_start(Ground *g, unsigned adis)
{
    g_autofree char *args = g_strdup_printf("-device intel-iommu-sm "
                                            "-device adi,id=adi,adis=%u,"
                                            "addr=0x4", adis);

    g->b.qts = q35_start(args);
    ground_tables(g, BENCH_SID);
    adi_open(&g->b.adi, g->b.qts, BENCH_SID);
    adi_q_open(&g->b.fq, &g->b.adi, ADI_FUNCTION, BENCH_FUNCTION,
               BENCH_FUNCTION);
}

/* Each test ends with it. */
static inline void ground_stop(Ground *g)
{
    sm_assert_no_fault(&g->sm);
    bench_stop(&g->b);
}

static inline void owner_map(Owner *o)
{
    Sm *sm = &o->g->sm;

    o->map = sm_map_new(sm, 4);
    sm_map(sm, &o->map, IOVA, o->mem, SMALL_PAGES, SM_RW);
    sm_map_large(sm, &o->map, LARGE_SRC, o->mem + LARGE, 2, SM_RW);
    sm_map_large(sm, &o->map, LARGE_DST, o->mem + 2 * LARGE, 2, SM_RW);
    sm_pasid_set(sm, o->g->b.adi.f.sid, o->pasid, &(SmPasid) {
        SM_SECOND_STAGE, o->domain, o->map,
    });
}

/* ADI @n gets PASID @pasid and memory of its own, and starts. */
static inline void owner_start(Owner *o, Ground *g, unsigned n, uint32_t pasid)
{
    *o = (Owner) {
        .g = g, .n = n, .pasid = pasid, .domain = 16 + n,
        .mem = BENCH_ADIS + n * 4 * LARGE,
    };
    owner_map(o);
    adi_give(&g->b.adi, n, pasid);
    adi_q_open_order(&o->q, &g->b.adi, n, IOVA, o->mem, RING_ORDER);
}

static inline void owner_scribble(Owner *o, uint32_t seed)
{
    bench_scribble(&o->g->b, o->mem + SRC_OFFSET, SM_PAGE, seed);
}

/* The page at SRC copied to DST, within the owner's memory. */
static const struct adi_desc copy_page = {
    .opcode = ADI_OP_COPY, .len = SM_PAGE, .src = SRC, .dst = DST,
};

static inline void owner_assert_works(Owner *o)
{
    struct adi_completion record;

    owner_scribble(o, o->pasid);
    record = adi_run(&o->q, &copy_page);
    bench_assert_done(&record, SM_PAGE);
    bench_assert_bytes(&o->g->b, o->mem + DST_OFFSET, SM_PAGE, o->pasid, 0);
}

/* As many copies of 1 MiB as the ring holds. */
static inline void owner_load(Owner *o)
{
    bench_load(&o->q, LARGE_SRC, LARGE_DST);
}

static inline uint32_t owner_state(Owner *o)
{
    return adi_readl(&o->g->b.adi, adi_state_reg(o->n));
}

/* Nothing is written to the destination of owner_load() any more. */
static inline void owner_assert_no_dma(Owner *o)
{
    qtest_memset(o->g->b.qts, o->mem + 2 * LARGE, 0x5a, MIB);
    g_usleep(20000);
    g_assert_cmphex(qtest_readq(o->g->b.qts, o->mem + 2 * LARGE), ==,
                    0x5a5a5a5a5a5a5a5aull);
    g_assert_cmphex(qtest_readq(o->g->b.qts, o->mem + 2 * LARGE + MIB - 8), ==,
                    0x5a5a5a5a5a5a5a5aull);
}

static inline void assert_fault(Ground *g, uint8_t reason, uint32_t pasid,
                         uint64_t page, bool is_read)
{
    SmFault fault = { 0 };

    g_assert_true(sm_fault_take(&g->sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, g->b.adi.f.sid);
    g_assert_true(fault.with_pasid);
    g_assert_cmphex(fault.pasid, ==, pasid);
    g_assert_cmphex(fault.page, ==, page);
    g_assert_cmpint(fault.is_read, ==, is_read);
}

/* Two owners, both at IOVA, PASIDs 5 and 0xfffff. */
static inline bool two_owners(Ground *g, Owner *one, Owner *two)
{
    if (!ground_possible()) {
        return false;
    }
    ground_start(g, 4);
    owner_start(one, g, 0, 5);
    owner_start(two, g, 1, 0xfffff);
    return true;
}

static inline void assert_others_work(Ground *g, Owner *neighbour)
{
    owner_assert_works(neighbour);
    bench_assert_function_works(&g->b);
}

#endif /* TESTS_QTEST_ADI_SM_H */
