/*
 * bench-io: how long reads or writes of 4 KiB take, at random places of a disk.
 *
 *   bench-io DEVICE read|write AT-ONCE COUNT
 *
 * AT-ONCE threads share the COUNT operations of a part, each has one under way.
 * They pass the page cache, so that each operation's memory is mapped for the
 * device and unmapped.  Prints microseconds an operation, of all threads
 * together, in the best part (bench.h).
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "bench.h"

#define BLOCK 4096
#define MOST_THREADS 64

enum direction { READ, WRITE };

static int disk;
static uint64_t blocks;
static enum direction direction;

struct work {
	uint64_t seed;
	long count;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-io: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void *work_do(void *argument)
{
	struct work *work = argument;
	void *memory = aligned_alloc(BLOCK, BLOCK);

	if (!memory)
		die("memory");
	memset(memory, 1, BLOCK);
	for (long n = 0; n < work->count; n++) {
		off_t where = random_next(&work->seed) % blocks * BLOCK;
		ssize_t done = direction == READ ? pread(disk, memory, BLOCK, where)
						 : pwrite(disk, memory, BLOCK, where);

		if (done != BLOCK)
			die("disk");
	}
	free(memory);
	return NULL;
}

/* Microseconds an operation. */
static double run(int threads, long count)
{
	pthread_t thread[MOST_THREADS];
	struct work work[MOST_THREADS];
	double start = now_us();

	for (int n = 0; n < threads; n++) {
		work[n] = (struct work){ .seed = n + 1, .count = count / threads };
		if (pthread_create(&thread[n], NULL, work_do, &work[n]))
			die("thread");
	}
	for (int n = 0; n < threads; n++)
		pthread_join(thread[n], NULL);
	return (now_us() - start) / (count / threads * threads);
}

int main(int argc, char *argv[])
{
	int threads = argc == 5 ? atoi(argv[3]) : 0;
	long count = argc == 5 ? atol(argv[4]) : 0;
	double parts[BENCH_PARTS];
	uint64_t bytes;

	if (threads < 1 || threads > MOST_THREADS || count < threads) {
		fputs("usage: bench-io DEVICE read|write AT-ONCE COUNT\n", stderr);
		return 2;
	}
	direction = strcmp(argv[2], "write") ? READ : WRITE;
	disk = open(argv[1], (direction == READ ? O_RDONLY : O_RDWR) | O_DIRECT);
	if (disk < 0 || ioctl(disk, BLKGETSIZE64, &bytes))
		die(argv[1]);
	blocks = bytes / BLOCK;
	run(threads, count / 2 + threads);
	for (int n = 0; n < BENCH_PARTS; n++)
		parts[n] = run(threads, count);
	printf("%.2f\n", least(parts));
	return 0;
}
