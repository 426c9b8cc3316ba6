/*
 * Programs with one purpose each.  They exit 0 when what they claim was seen.
 *
 *   adi-copy [TYPE [ROUNDS]]    moves data and checks it (TYPE: adi-aux, adi-host)
 *   adi-wild [TYPE]             an access outside of the mapping must fail
 *   adi-unmap [TYPE]            an access to memory that was unmapped must fail
 *   adi-hold [TYPE]             works until it is killed
 *   adi-many N [ROUNDS]         N processes own an ADI each, all at the same iova
 *   adi-churn [ROUNDS]          maps and unmaps under one ADI's load, with another
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "adi.h"

static const char *type_argument(int argc, char *argv[])
{
	const char *type = argc > 1 ? argv[1] : "adi-aux";

	if (strcmp(type, "adi-aux") && strcmp(type, "adi-host"))
		die("usage: %s [adi-aux|adi-host] ..., not '%s'", argv[0], type);
	return type;
}

static long number_argument(int argc, char *argv[], int n, long otherwise)
{
	char *end;
	long value = argc > n ? strtol(argv[n], &end, 0) : otherwise;

	if (argc > n && (*end || value < 1))
		die("%s: '%s' is not a positive number", argv[0], argv[n]);
	return value;
}

static void expect_done(const char *what, const struct adi_completion *c)
{
	if (c->status != ADI_COMPLETION_DONE)
		die("%s: %s", what, completion_text(c));
}

static void expect_failed(const char *what, const struct adi_completion *c, uint64_t addr)
{
	if (c->status != ADI_COMPLETION_FAILED || c->fault_addr != addr)
		die("%s: expected a failure at 0x%llx, got: %s", what,
		    (unsigned long long)addr, completion_text(c));
}

/* Copy the first half of the memory to the second; both must then be the pattern. */
static void copy_round(struct owner *owner, uint32_t seed)
{
	size_t half = owner->size / 2;
	struct adi_completion c;

	pattern_fill(owner->memory, half, seed);
	must(adi_copy(&owner->adi, owner->iova + half, owner->iova, half, &c), "copy");
	expect_done("copy", &c);
	if (pattern_check(owner->memory + half, half, seed) >= 0)
		die("copy: byte %lld differs", (long long)pattern_check(owner->memory + half, half, seed));
}

static void crc_round(struct owner *owner)
{
	size_t half = owner->size / 2;
	struct adi_desc desc = { .opcode = ADI_OP_CRC32C, .len = half, .src = owner->iova };
	struct adi_completion c;

	must(adi_do(&owner->adi, &desc, &c), "crc");
	expect_done("crc", &c);
	if (c.result != crc32c(0, owner->memory, half))
		die("crc: the ADI says 0x%llx, the processor 0x%x", (unsigned long long)c.result,
		    crc32c(0, owner->memory, half));
}

int copy_main(int argc, char *argv[])
{
	const char *type = type_argument(argc, argv);
	long rounds = number_argument(argc, argv, 2, 8);
	struct owner owner;

	owner_start(&owner, type, 128 * KIB, ADI_INTERRUPT);
	for (long n = 0; n < rounds; n++)
		copy_round(&owner, 1000 * getpid() + n);
	crc_round(&owner);
	say("%s: %ld copies of 64 KiB, every byte right, CRC-32C right", type, rounds);
	owner_end(&owner);
	return 0;
}

int wild_main(int argc, char *argv[])
{
	struct owner owner;
	struct adi_completion c;

	owner_start(&owner, type_argument(argc, argv), 64 * KIB, ADI_POLL);
	uint64_t outside = owner.iova + owner.size;
	must(adi_copy(&owner.adi, outside, owner.iova, 64, &c), "copy");
	expect_failed("write outside", &c, outside);
	say("write to 0x%llx: %s", (unsigned long long)outside, completion_text(&c));
	if (adi_read32(&owner.adi, ADI_Q_STATUS) != ADI_STATE_ERROR)
		die("the queue goes on after a fault");
	adi_restart(&owner.adi);
	copy_round(&owner, 1);
	say("after the error was cleared: copies again");
	owner_end(&owner);
	return 0;
}

int unmap_main(int argc, char *argv[])
{
	struct owner owner;
	struct adi_completion c;

	owner_start(&owner, type_argument(argc, argv), 64 * KIB, ADI_POLL);
	copy_round(&owner, 1);
	must(space_unmap(&owner.space, owner.iova, owner.size), "unmap");
	must(adi_copy(&owner.adi, owner.iova + owner.size / 2, owner.iova, 4096, &c), "copy");
	expect_failed("read of unmapped memory", &c, owner.iova);
	say("after the unmap: %s", completion_text(&c));
	owner_end(&owner);
	return 0;
}

int hold_main(int argc, char *argv[])
{
	struct owner owner;
	struct adi_completion c;
	struct adi_desc desc = { .opcode = ADI_OP_COPY, .len = 512 * KIB };
	int index;

	owner_start(&owner, type_argument(argc, argv), 1 * MIB, ADI_POLL);
	desc.src = owner.iova;
	desc.dst = owner.iova + desc.len;
	say("uuid %s pid %d: busy", owner.mdev.uuid, getpid());
	for (;;) {
		for (int n = 0; n < 64; n++)
			index = must(adi_submit(&owner.adi, &desc), "submit");
		must(adi_wait(&owner.adi, index, 60000, &c), "wait");
		expect_done("copy", &c);
	}
}

/* ---- adi-many ------------------------------------------------------------------ */

/* All have an ADI before one works: that is what @ready and @go are for. */
static void many_child(int n, long rounds, int ready, int go)
{
	struct owner owner;
	char byte;

	owner_start(&owner, "adi-aux", 32 * KIB, ADI_POLL);
	must(write(ready, "r", 1), "tell the parent");
	must(read(go, &byte, 1), "hear the parent");
	for (long round = 0; round < rounds; round++)
		copy_round(&owner, (n << 16) + round);
	owner_end(&owner);
	exit(0);
}

int many_main(int argc, char *argv[])
{
	long count = number_argument(argc, argv, 1, 4), rounds = number_argument(argc, argv, 2, 20);
	int ready[2], go[2], status, bad = 0, started = 0;
	char byte;

	if (pipe(ready) || pipe(go))
		die("pipe: %s", strerror(errno));
	for (long n = 0; n < count; n++)
		if (!fork()) {
			close(ready[0]);
			close(go[1]);
			many_child(n, rounds, ready[1], go[0]);
		}
	close(ready[1]);
	while (started < count && read(ready[0], &byte, 1) == 1)
		started++;
	close(go[1]);
	while (wait(&status) > 0)
		bad += status != 0;
	say("%d of %ld processes owned an ADI at once, %d failed", started, count, bad);
	return bad || started < count;
}

/* ---- adi-churn ----------------------------------------------------------------- */

static volatile bool load_ends;

/* Work without pause, and check it, in the space that is being changed. */
static void *load_run(void *argument)
{
	struct owner *owner = argument;
	uint32_t seed = 0;

	while (!load_ends)
		copy_round(owner, ++seed);
	return (void *)(uintptr_t)seed;
}

/*
 * Fresh memory at the same iova each time: an ADI that still reached the
 * memory of the round before would leave the new memory as it was.
 */
static void churn_round(struct owner *owner, struct adi *adi, uint64_t iova, size_t size,
			uint32_t value)
{
	struct adi_desc fill = { .opcode = ADI_OP_FILL, .len = size, .dst = iova,
				 .operand = value * 0x100000001ull };
	uint32_t *memory = memory_get(size);
	struct adi_completion c;

	must(memory ? 0 : -ENOMEM, "get memory");
	must(space_map(&owner->space, iova, memory, size), "map");
	must(adi_do(adi, &fill, &c), "fill");
	expect_done("fill of fresh memory", &c);
	for (size_t n = 0; n < size / 4; n++)
		if (memory[n] != value)
			die("fresh memory: word %zu was not written", n);
	if (must(space_unmap(&owner->space, iova, size), "unmap") != (int64_t)size)
		die("unmap: not all of it");
	must(adi_do(adi, &fill, &c), "fill");
	expect_failed("write to unmapped memory", &c, iova);
	adi_restart(adi);
	munmap(memory, size);
}

int churn_main(int argc, char *argv[])
{
	long rounds = number_argument(argc, argv, 1, 100);
	struct owner owner;
	struct mdev second;
	struct adi adi;
	pthread_t load;
	void *worked;

	owner_start(&owner, "adi-aux", 64 * KIB, ADI_POLL);
	must(mdev_create(&second, "adi-aux", NULL), "create a second device");
	int group = must(space_join(&owner.space, &second), "join");
	must(adi_open(&adi, &second, group), "open");
	must(adi_start(&adi, &owner.space, OWNER_RING_IOVA / 2, ADI_POLL), "start");
	pthread_create(&load, NULL, load_run, &owner);
	for (long n = 0; n < rounds; n++)
		churn_round(&owner, &adi, 64 * MIB, (n % 4 ? 8 : 1024) * KIB, n + 1);
	load_ends = true;
	pthread_join(load, &worked);
	say("%ld maps and unmaps while another ADI made %lu checked copies", rounds,
	    (unsigned long)(uintptr_t)worked);
	adi_close(&adi);
	close(group);
	must(mdev_remove(&second), "remove");
	owner_end(&owner);
	return 0;
}
