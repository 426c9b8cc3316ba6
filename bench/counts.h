/*
 * Instructions that callgrind has counted in a process.
 *
 * The process runs under valgrind with --callgrind-out-file=FOLDER/%p and both
 * --dump-before=FUNCTION and --dump-after=FUNCTION, so that each call of the
 * function leaves two files, FOLDER/PID.1, FOLDER/PID.2 and so on: of what was
 * executed since the last, and of the call.  The environment's BENCH_COUNTS
 * names the folder.
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

/* What was counted in the next call, which has returned. */
uint64_t bench_counts_next(BenchCounts *counts);

#endif /* BENCH_COUNTS_H */
