/*
 * adi-bench: how long copies of 4 KiB by ADIs take, each ADI in a mediated
 * device, container and domain of its own, all of them in one process.
 *
 *   adi-bench WAY ADIS COUNT
 *
 *   WAY         turn: one copy after the other, by one ADI after the other;
 *               together: all ADIs have eight copies in their rings;
 *               map: as turn, memory is mapped before each copy and unmapped after
 *   COUNT       copies of all ADIs together, in a part
 *
 * Prints microseconds a copy in the best part (bench.h).  Who waits looks at
 * the completion record all the time: nobody sleeps.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "adi.h"
#include "bench.h"

#define BYTES 4096ull
#define TOGETHER 8              /* descriptors of a ring */
#define FRESH_IOVA (64 * MIB)
#define MOST_ADIS 1000
#define FILES 8                 /* of an ADI, at most */

static struct owner *owners;
static long adis;

static int submit(struct owner *owner, uint64_t src)
{
	struct adi_desc copy = {
		.opcode = ADI_OP_COPY, .len = BYTES, .src = src, .dst = owner->iova + BYTES,
	};

	return must(adi_submit(&owner->adi, &copy), "submit");
}

static void wait_for(struct owner *owner, int index)
{
	volatile struct adi_completion *record = &owner->adi.completions[index];
	struct adi_completion c;

	for (long spins = 0; record->status == ADI_COMPLETION_PENDING && spins < 100000; spins++)
		;
	must(adi_wait(&owner->adi, index, 10000, &c), "wait");
	if (c.status != ADI_COMPLETION_DONE)
		die("copy: %s", completion_text(&c));
}

static void in_turn(long count)
{
	for (long n = 0; n < count; n++) {
		struct owner *owner = &owners[n % adis];

		wait_for(owner, submit(owner, owner->iova));
	}
}

static void together(long count)
{
	int last[MOST_ADIS];

	for (long n = 0; n < count; n += TOGETHER * adis) {
		for (int each = 0; each < TOGETHER; each++)
			for (long a = 0; a < adis; a++)
				last[a] = submit(&owners[a], owners[a].iova);
		for (long a = 0; a < adis; a++)
			wait_for(&owners[a], last[a]);
	}
}

static void mapped(long count)
{
	for (long n = 0; n < count; n++) {
		struct owner *owner = &owners[n % adis];

		must(space_map(&owner->space, FRESH_IOVA, owner->memory, BYTES), "map");
		wait_for(owner, submit(owner, FRESH_IOVA));
		must(space_unmap(&owner->space, FRESH_IOVA, BYTES), "unmap");
	}
}

static const struct way {
	const char *name;
	void (*run)(long count);
} ways[] = {
	{ "turn", in_turn }, { "together", together }, { "map", mapped },
};

static const struct way *way_find(const char *name)
{
	for (size_t n = 0; n < sizeof(ways) / sizeof(ways[0]); n++)
		if (!strcmp(ways[n].name, name))
			return &ways[n];
	die("adi-bench: '%s' is not turn, together or map", name);
}

/* Microseconds a copy. */
static double measure(const struct way *way, long count)
{
	double parts[BENCH_PARTS];

	way->run(TOGETHER * adis);
	for (int n = 0; n < BENCH_PARTS; n++) {
		double start = now_us();

		way->run(count);
		parts[n] = (now_us() - start) / count;
	}
	return least(parts);
}

static void files_allow(long count)
{
	struct rlimit limit = { count, count };

	must(setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0, "allow so many files");
}

int bench_main(int argc, char *argv[])
{
	long count = argc == 4 ? atol(argv[3]) : 0, round;

	adis = argc == 4 ? atol(argv[2]) : 0;
	if (adis < 1 || adis > MOST_ADIS || count < 1)
		die("usage: adi-bench turn|together|map ADIS COUNT, at most %d ADIs", MOST_ADIS);
	const struct way *way = way_find(argv[1]);

	round = TOGETHER * adis;
	count = (count + round - 1) / round * round;
	files_allow(64 + FILES * adis);
	owners = calloc(adis, sizeof(*owners));
	must(owners ? 0 : -ENOMEM, "get memory");
	for (long a = 0; a < adis; a++)
		owner_start(&owners[a], "adi-aux", 2 * BYTES, ADI_POLL);
	say("%.2f", measure(way, count));
	for (long a = 0; a < adis; a++)
		owner_end(&owners[a]);
	return 0;
}
