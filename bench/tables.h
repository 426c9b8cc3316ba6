/*
 * Software's side of a remapping unit: tables and descriptors, as short as
 * they can be, in memory that is an array.
 *
 * Nothing here checks what it writes; that is what tests are for.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include <glib.h>
#include <stdint.h>

#define BENCH_PAGE      4096ull
#define BENCH_RID_PASID 0
#define BENCH_IDENTITY  (64ull << 30)   /* what nested tables map 1:1 */

/* Memory that tables are taken from, zeroed: address @base is @at. */
typedef struct BenchMemory {
    uint8_t *at;
    uint64_t base, end, next;
    uint64_t root_table;
} BenchMemory;

void bench_memory_init(BenchMemory *m, uint8_t *at, uint64_t base,
                       uint64_t size);
uint64_t bench_pages(BenchMemory *m, unsigned count);

/* How addresses are translated. */
typedef enum BenchKind {
    BENCH_SECOND, BENCH_FIRST, BENCH_NESTED, BENCH_PASS_THROUGH, BENCH_KINDS
} BenchKind;

extern const char *const bench_kind_names[BENCH_KINDS];

/* Tables of 4 levels; nested ones have a second stage that maps 1:1. */
typedef struct BenchSpace {
    BenchMemory *memory;
    BenchKind kind;
    uint16_t domain;
    uint64_t first, second;     /* roots */
} BenchSpace;

BenchSpace bench_space(BenchMemory *m, BenchKind kind, uint16_t domain);
void bench_map(const BenchSpace *space, uint64_t iova, uint64_t addr);
void bench_unmap(const BenchSpace *space, uint64_t iova);

/* The entry that maps @iova, and what it holds if it leads to @addr. */
uint64_t bench_leaf(const BenchSpace *space, uint64_t iova);
uint64_t bench_leaf_value(const BenchSpace *space, uint64_t addr);

/* A PASID of a function in scalable mode; a function in legacy mode. */
void bench_bind(uint16_t sid, uint32_t pasid, const BenchSpace *space);
void bench_bind_legacy(uint16_t sid, const BenchSpace *space);

/* What commands are about, and their first two words. */
typedef enum BenchOrder {
    BENCH_PAGE_OF_DOMAIN, BENCH_PAGE_OF_PASID, BENCH_PASID, BENCH_DOMAIN,
    BENCH_GLOBAL, BENCH_CONTEXT, BENCH_ORDERS
} BenchOrder;

extern const char *const bench_order_names[BENCH_ORDERS];

typedef struct BenchDescriptor {
    uint64_t word0, word1;
} BenchDescriptor;

typedef struct BenchWhat {
    uint16_t sid, domain;
    uint32_t pasid;
    uint64_t iova;
} BenchWhat;

BenchDescriptor bench_descriptor(BenchOrder order, const BenchWhat *what);

/* Writes a status of 32 bits, which is to be put into word 0's upper half. */
BenchDescriptor bench_wait(uint64_t status);

#endif /* BENCH_TABLES_H */
