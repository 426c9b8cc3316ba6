/*
 * What the programs that time something share.
 *
 * Each times a number of parts and prints the least that an operation took in
 * one of them: what disturbs the host for a moment is left out.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GUEST_PROG_BENCH_H
#define GUEST_PROG_BENCH_H

#include <time.h>

#define BENCH_PARTS 5

static inline double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline double least(const double parts[BENCH_PARTS])
{
	double found = parts[0];

	for (int n = 1; n < BENCH_PARTS; n++)
		if (parts[n] < found)
			found = parts[n];
	return found;
}

#endif /* GUEST_PROG_BENCH_H */
