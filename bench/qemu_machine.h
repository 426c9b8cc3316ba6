/*
 * A machine for benchmarks through QEMU: one of the configurations that are
 * compared, with a dma-bench in it and tables for that.
 *
 * Needs QTEST_QEMU_BINARY.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_QEMU_MACHINE_H
#define BENCH_QEMU_MACHINE_H

#include "tests/qtest/q35.h"
#include "hw/misc/dma_bench_regs.h"
#include "counts.h"
#include "tables.h"

#define BENCH_MIB       (1024ull * 1024)
#define BENCH_RAM_MIB   512

/* Physical addresses. */
#define BENCH_TABLES    (16 * BENCH_MIB)
#define BENCH_TABLES_SIZE (32 * BENCH_MIB)
#define BENCH_DATA      (256 * BENCH_MIB)
#define BENCH_DATA_PAGES 65536ull

/* What the device sees, if it is translated: pages in a row, of which those
 * beyond BENCH_DATA_PAGES lead to the same data again; one page in each 2 MiB;
 * and a table of 512 pages of which none is mapped. */
#define BENCH_DENSE     0x2000000000ull
#define BENCH_DENSE_PAGES (1ull << 20)
#define BENCH_SPARSE    0x3000000000ull
#define BENCH_SPARSE_STRIDE (2 * BENCH_MIB)
#define BENCH_SPARSE_PAGES 1024ull
#define BENCH_EMPTY     0x4000000000ull
#define BENCH_EMPTY_PAGES 512ull

#define BENCH_DOMAIN_ID 7
#define BENCH_NO_DOMAIN 8       /* of which nothing is cached */
#define BENCH_FIRST_PASID 64    /* the first of ... */
#define BENCH_PASIDS    1024    /* those that lead to the same tables */

/* How commands and tables look. */
typedef enum BenchUnit {
    BENCH_NO_UNIT, BENCH_LEGACY, BENCH_SCALABLE
} BenchUnit;

typedef struct BenchConfiguration {
    const char *name;
    const char *args;           /* of QEMU */
    const char *properties;     /* of dma-bench */
    BenchUnit unit;
    BenchKind kind;
    bool by_pasid;              /* reads with PASID are possible */
    bool upstream;
} BenchConfiguration;

typedef struct BenchMachine {
    const BenchConfiguration *is;
    Q35Function f;
    uint64_t bar;
    BenchMemory memory;
    BenchSpace space;
    uint64_t leaf;              /* of BENCH_EMPTY */
    BenchCounts counts;
} BenchMachine;

/* With @pages of those at BENCH_DENSE mapped. */
void bench_machine_start(BenchMachine *m, const BenchConfiguration *is,
                         uint64_t pages);
void bench_machine_stop(BenchMachine *m);

/* Addresses are translated. */
bool bench_machine_maps(const BenchMachine *m);

void bench_set(BenchMachine *m, enum dma_bench_reg reg, uint64_t value);
uint64_t bench_get(BenchMachine *m, enum dma_bench_reg reg);

/* The command that the device will give. */
void bench_set_order(BenchMachine *m, BenchOrder order, bool by_pasid,
                     uint64_t iova);

/* That of a preparation. */
void bench_set_preparation(BenchMachine *m, BenchOrder order, uint16_t domain);

#endif /* BENCH_QEMU_MACHINE_H */
