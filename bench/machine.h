/*
 * A machine for benchmarks of the engine alone: the engine, and RAM that costs
 * nothing until it is used.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "dmar.h"
#include "host.h"
#include "tables.h"

#define BENCH_SID       0x0208

extern Dmar *bench_dmar;
extern BenchMemory bench_memory;
extern unsigned bench_machines;      /* switched on so far */

/* A unit with all that drivers use, in scalable mode, translating. */
void bench_power_on(void);
void bench_power_off(void);

/* Bytes of its RAM that take memory of ours. */
uint64_t bench_memory_resident(void);

/* How a request reaches the engine. */
typedef enum BenchWay { BENCH_BY_HANDLE, BENCH_BY_CALL, BENCH_WAYS } BenchWay;

extern const char *const bench_way_names[BENCH_WAYS];

/* Where a device's requests go in. */
typedef struct BenchPort {
    uint16_t sid;
    DmarHandle *handle;         /* NULL: each request is a dmar_translate() */
} BenchPort;

/* The one of @sid, of which the lower half counts; there until power off. */
BenchPort *bench_port(BenchWay way, uint16_t sid);

/* True if it may; of 4 KiB. */
bool bench_reads(BenchPort *port, uint32_t pasid, uint64_t iova);

/* A command, followed by a wait with status. */
void bench_order(BenchOrder order, uint16_t domain, uint32_t pasid,
                 uint64_t iova);

#endif /* BENCH_MACHINE_H */
