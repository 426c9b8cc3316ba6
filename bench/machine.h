/*
 * A machine for benchmarks: the engine, RAM that costs nothing until it is
 * used, and software's side of it, as short as it can be.
 *
 * Nothing here checks or remembers what the engine does; that is what unit
 * tests are for.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "dmar.h"
#include "host.h"

#define BENCH_SID       0x0208
#define BENCH_RID_PASID 0
#define BENCH_PAGE      4096ull

/* How addresses are translated. */
typedef enum BenchKind {
    BENCH_SECOND, BENCH_FIRST, BENCH_NESTED, BENCH_PASS_THROUGH, BENCH_KINDS
} BenchKind;

extern const char *const bench_kind_names[BENCH_KINDS];

/* Tables of 4 levels; nested ones have a second stage that maps 1:1. */
typedef struct BenchSpace {
    BenchKind kind;
    uint16_t domain;
    uint64_t first, second;     /* roots */
} BenchSpace;

extern Dmar *bench_dmar;
extern unsigned bench_machines;      /* switched on so far */

/* A unit with all that drivers use, in scalable mode, translating. */
void bench_power_on(void);
void bench_power_off(void);

BenchSpace bench_space(BenchKind kind, uint16_t domain);
void bench_map(const BenchSpace *space, uint64_t iova, uint64_t addr);
void bench_unmap(const BenchSpace *space, uint64_t iova);
void bench_bind(uint16_t sid, uint32_t pasid, const BenchSpace *space);

/* True if it may; of 4 KiB. */
bool bench_reads(uint16_t sid, uint32_t pasid, uint64_t iova);

/* Descriptors, each followed by a wait with status. */
typedef enum BenchOrder {
    BENCH_PAGE_OF_DOMAIN, BENCH_PAGE_OF_PASID, BENCH_PASID, BENCH_DOMAIN,
    BENCH_GLOBAL, BENCH_CONTEXT, BENCH_ORDERS
} BenchOrder;

extern const char *const bench_order_names[BENCH_ORDERS];
void bench_order(BenchOrder order, uint16_t domain, uint32_t pasid,
                 uint64_t iova);

#endif /* BENCH_MACHINE_H */
