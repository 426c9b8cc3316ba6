/*
 * Instructions that callgrind has counted in a process.
 *
 * The process runs under valgrind with --callgrind-out-file=FOLDER/%p and a
 * --dump-after=FUNCTION, so that each return from the function leaves a file
 * with what was counted since the last: FOLDER/PID.1, FOLDER/PID.2 ...  The
 * environment's BENCH_COUNTS names the folder.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_COUNTS_H
#define BENCH_COUNTS_H

#include <glib.h>
#include <stdint.h>

typedef struct BenchCounts {
    int pid;
    unsigned taken;             /* files that were read */
} BenchCounts;

/* What the next file says, which is there: the function has returned. */
uint64_t bench_counts_next(BenchCounts *counts);

#endif /* BENCH_COUNTS_H */
