/*
 * See measure.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counts.h"

BenchOptions bench_options = { .repetitions = 9, .scale = 1 };
BenchWay bench_way;

static BenchCounts counts;

/* ---- Options ---------------------------------------------------------------- */

static void read_option(const char *name)
{
    if (!strcmp(name, "--quick")) {
        bench_options.scale = 10;
        bench_options.repetitions = 3;
    } else if (!strcmp(name, "--count")) {
        bench_options.counting = true;
        bench_options.repetitions = 2;
        counts.pid = getpid();
    } else {
        g_error("no option %s", name);
    }
}

void bench_options_read(int argc, char **argv)
{
    int i = 1;

    while (i < argc && !strncmp(argv[i], "--", 2)) {
        read_option(argv[i++]);
    }
    bench_options.words = argv + i;
    bench_options.word_count = argc - i;
}

bool bench_wanted(const char *row)
{
    for (int i = 0; i < bench_options.word_count; i++) {
        if (strstr(row, bench_options.words[i])) {
            return true;
        }
    }
    return bench_options.word_count == 0;
}

/* ---- Printing ----------------------------------------------------------------- */

void bench_print(const char *row, const char *by, uint64_t parameter,
                 const char *configuration, const char *unit,
                 const double *values, unsigned count)
{
    printf("%s\t%s\t%" PRIu64 "\t%s\t%s", row, by, parameter, configuration,
           unit);
    for (unsigned i = 0; i < count; i++) {
        printf("\t%.2f", values[i]);
    }
    printf("\n");
    fflush(stdout);
}

/* ---- Measuring ---------------------------------------------------------------- */

bool bench_fresh(void)
{
    static unsigned last;
    bool fresh = last != bench_machines;

    last = bench_machines;
    return fresh;
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* What it takes to look at the clock twice. */
static uint64_t clock_cost(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < 100; i++) {
        uint64_t start = now();

        least = MIN(least, now() - start);
    }
    return least;
}

/* A function of its own: its end is the end of what callgrind counts. */
static G_GNUC_NO_INLINE uint64_t bench_timed(const BenchWork *work,
                                             uint64_t parameter,
                                             unsigned long count)
{
    uint64_t start = now();

    work->run(parameter, count);
    return now() - start;
}

/* Of an operation: nanoseconds, or instructions. */
static double once(const BenchWork *work, uint64_t parameter)
{
    unsigned long count = bench_options.counting ? work->counted :
        MAX(work->count / bench_options.scale, 1);
    uint64_t clock = clock_cost(), value;

    if (work->prepare) {
        work->prepare(parameter);
    }
    value = bench_timed(work, parameter, count);
    value = bench_options.counting ? bench_counts_next(&counts)
                                   : value - MIN(clock, value);
    return (double)value / count;
}

/* The first repetition warms up, and does not count. */
void bench_measure(const char *row, const BenchWork *work, uint64_t parameter)
{
    const BenchWay first = work->both_ways ? 0 : BENCH_BY_CALL;
    double values[BENCH_WAYS][BENCH_MOST];

    if (!bench_wanted(row) || (bench_options.counting && !work->counted)) {
        return;
    }
    bench_power_on();
    for (int i = -1; i < (int)bench_options.repetitions; i++) {
        for (bench_way = first; bench_way < BENCH_WAYS; bench_way++) {
            values[bench_way][MAX(i, 0)] = once(work, parameter);
        }
    }
    for (BenchWay way = first; way < BENCH_WAYS; way++) {
        bench_print(row, work->by, parameter,
                    work->both_ways ? bench_way_names[way] : "engine",
                    bench_options.counting ? "instructions" : "ns", values[way],
                    bench_options.repetitions);
    }
    bench_power_off();
}
