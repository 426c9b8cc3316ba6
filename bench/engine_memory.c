/*
 * What the engine keeps in memory: for a translation that it has cached, for a
 * PASID and a device in use, and for a million PASIDs.
 *
 * It is what becomes resident of the process while they come into use, less
 * what does of the array that is the guest's memory, where the tables are.
 * Each is measured in a process of its own, so that nothing is there before.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define DOMAIN      7
#define PASID       0x21
#define BASE        0x2000000000ull
#define TARGET      0x40000000ull
#define MIB         (1024.0 * 1024)

/* What comes into use, from number @first to @end, and whether it is told what
 * one takes or all of them. */
typedef struct Use {
    const char *row, *by;
    void (*use)(uint64_t first, uint64_t end);
    bool each;
} Use;

/* ---- What takes memory ----------------------------------------------------------- */

static void read_once(uint16_t sid, uint32_t pasid, uint64_t iova)
{
    if (!bench_reads(bench_port(bench_way, sid), pasid, iova)) {
        fprintf(stderr, "bench-engine: a request was refused\n");
        _exit(1);
    }
}

static BenchSpace space;

static void use_translations(uint64_t first, uint64_t end)
{
    if (!first) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        bench_bind(BENCH_SID, PASID, &space);
    }
    for (uint64_t i = first; i < end; i++) {
        bench_map(&space, BASE + i * BENCH_PAGE, TARGET);
        read_once(BENCH_SID, PASID, BASE + i * BENCH_PAGE);
    }
}

static void use_pasids(uint64_t first, uint64_t end)
{
    if (!first) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        bench_map(&space, BASE, TARGET);
    }
    for (uint64_t i = first; i < end; i++) {
        bench_bind(BENCH_SID, 1 + i, &space);
        read_once(BENCH_SID, 1 + i, BASE);
    }
}

static void use_devices(uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN + i);
        bench_map(&space, BASE, TARGET);
        bench_bind(BENCH_SID + i, PASID, &space);
        read_once(BENCH_SID + i, PASID, BASE);
    }
}

/* ---- Measuring ---------------------------------------------------------------------- */

/* As page tables say: the numbers in statm are late by some pages. */
static double resident(void)
{
    g_autofree char *rollup = NULL;
    const char *rss;

    if (!g_file_get_contents("/proc/self/smaps_rollup", &rollup, NULL, NULL) ||
        !(rss = strstr(rollup, "\nRss:"))) {
        g_error("/proc/self/smaps_rollup: cannot be read");
    }
    return 1024.0 * strtoul(rss + strlen("\nRss:"), NULL, 10);
}

static double of_the_engine(void)
{
    return resident() - bench_memory_resident();
}

/* Of all: since the unit is there.  Of one: since half of them were in use, so
 * that what the first one takes beside itself is not counted. */
static double growth(const Use *what, uint64_t n)
{
    uint64_t half = what->each ? n / 2 : 0;
    double before, after;

    before = of_the_engine();
    bench_power_on();
    if (half) {
        what->use(0, half);
        before = of_the_engine();
    }
    what->use(half, n);
    after = of_the_engine();
    bench_power_off();
    return after - before;
}

static void print_growth(const Use *what, uint64_t n)
{
    double bytes = growth(what, n);
    double value = what->each ? bytes / (n - n / 2) : bytes / MIB;

    bench_print(what->row, what->by, n, bench_way_names[bench_way],
                what->each ? "bytes" : "MiB", &value, 1);
}

static void in_a_process(const Use *what, uint64_t n)
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    g_assert(child >= 0);
    if (!child) {
        print_growth(what, n);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status) {
        exit(1);
    }
}

static void measure(const Use *what, const uint64_t *numbers, unsigned count)
{
    for (unsigned i = 0; bench_wanted(what->row) && i < count; i++) {
        for (bench_way = 0; bench_way < BENCH_WAYS; bench_way++) {
            in_a_process(what, numbers[i]);
        }
    }
}

void bench_engine_memory(void)
{
    static const Use translation = { "memory, a cached translation", "pages",
                                     use_translations, true };
    static const Use pasid = { "memory, a PASID in use", "PASIDs", use_pasids,
                               true };
    static const Use device = { "memory, a device in use", "devices",
                                use_devices, true };
    static const Use pasids = { "memory, all PASIDs in use", "PASIDs",
                                use_pasids, false };

    measure(&translation, (uint64_t[]) { 4096, 16384 }, 2);
    measure(&pasid, (uint64_t[]) { 4096, 16384 }, 2);
    measure(&device, (uint64_t[]) { 64, 256 }, 2);
    measure(&pasids, (uint64_t[]) { 1, 1000, 100000, 1000000 }, 4);
}
