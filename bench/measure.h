/*
 * How the engine's operations are measured and what is printed of them.
 *
 * One line a measurement, fields separated by tabs: row, what the parameter
 * counts, parameter, configuration, unit, and a value for each repetition.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "machine.h"

#define BENCH_MOST      15      /* repetitions */

/* From the command line. */
typedef struct BenchOptions {
    bool counting;              /* --count: instructions, not time */
    unsigned repetitions;
    unsigned long scale;        /* --quick: fewer operations */
    char **words;               /* of the names of rows that are wanted */
    int word_count;
} BenchOptions;

extern BenchOptions bench_options;

void bench_options_read(int argc, char **argv);

/*
 * Something to measure: @count operations, after a preparation that is not.
 * The preparation makes the state anew that operations leave, as often as it is
 * asked; what needs to be made only once a machine, bench_fresh() tells.
 */
typedef struct BenchWork {
    void (*prepare)(uint64_t parameter);
    void (*run)(uint64_t parameter, unsigned long count);
    unsigned long count;
    unsigned long counted;      /* operations of which instructions are counted;
                                   0: none are */
    const char *by;             /* what the parameter counts */
    bool both_ways;             /* by a handle, too, not dmar_translate() alone */
} BenchWork;

/* One parameter of a row, on a machine of its own. */
void bench_measure(const char *row, const BenchWork *work, uint64_t parameter);

/* How requests are to go now. */
extern BenchWay bench_way;

/* True the first time that it is asked on a machine. */
bool bench_fresh(void);

bool bench_wanted(const char *row);
void bench_print(const char *row, const char *by, uint64_t parameter,
                 const char *configuration, const char *unit,
                 const double *values, unsigned count);

#endif /* BENCH_MEASURE_H */
