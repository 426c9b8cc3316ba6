/*
 *   adi-twin [ROUNDS [SEED]]
 *
 * An adi-aux and an adi-host, each in a container of its own with the same
 * mappings and the same memory, are given the same random descriptors, good and
 * bad.  Their completion records, registers and memory must be the same: the
 * parent driver's queue behaves as the hardware's.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "adi.h"

#define TWIN_IOVA	(32 * MIB)
#define TWIN_SIZE	(2 * MIB)
#define HOLE_START	(1 * MIB)
#define HOLE_END	(1 * MIB + 64 * KIB)
#define READONLY_END	(1 * MIB + 512 * KIB)
#define RING_IOVA	(16 * MIB)
#define RECORDS_IOVA	(RING_IOVA + 32 * KIB)

struct twin {
	struct mdev mdev;
	struct space space;
	struct adi adi;
	int group;
	uint8_t *memory;
	uint8_t *ring;
	uint32_t tail;
};

static uint64_t random_state;

static uint32_t chance(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % below;
}

static void map(struct twin *t, uint64_t start, uint64_t end, int flags)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m), .flags = flags,
		.vaddr = (uintptr_t)(t->memory + start),
		.iova = TWIN_IOVA + start, .size = end - start,
	};

	must(ioctl(t->space.container, VFIO_IOMMU_MAP_DMA, &m) ? -errno : 0, "map");
}

static void twin_start(struct twin *t, const char *type)
{
	int rw = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

	must(mdev_create(&t->mdev, type, NULL), type);
	must(space_open(&t->space), "container");
	t->group = must(space_join(&t->space, &t->mdev), "join");
	t->memory = memory_get(TWIN_SIZE);
	pattern_fill(t->memory, TWIN_SIZE, 7);
	map(t, 0, HOLE_START, rw);
	map(t, HOLE_END, READONLY_END, VFIO_DMA_MAP_FLAG_READ);
	map(t, READONLY_END, TWIN_SIZE, rw);
	t->ring = memory_get(64 * KIB);
	must(space_map(&t->space, RING_IOVA, t->ring, 64 * KIB), "map ring");
	must(adi_open(&t->adi, &t->mdev, t->group), "open");
	adi_write64(&t->adi, ADI_Q_RING_BASE, RING_IOVA);
	adi_write32(&t->adi, ADI_Q_RING_ORDER, 6);
	adi_write32(&t->adi, ADI_Q_CTRL, ADI_Q_CTRL_START);
}

static void twin_end(struct twin *t)
{
	adi_close(&t->adi);
	close(t->group);
	space_close(&t->space);
	must(mdev_remove(&t->mdev), "remove");
}

static uint32_t some_length(void)
{
	switch (chance(8)) {
	case 0: return chance(2) ? 0 : (1 << 20) + 1 + chance(100);
	case 1: return 1 + chance(16);
	case 2: return 4096 * (1 + chance(20));
	case 3: return 1 + chance(300000);
	default: return 1 + chance(20000);
	}
}

static uint64_t some_address(uint32_t len)
{
	uint64_t edges[] = { 0, HOLE_START, HOLE_END, READONLY_END, TWIN_SIZE };

	switch (chance(6)) {
	case 0: return TWIN_IOVA + edges[chance(5)] - chance(len + 1);
	case 1: return TWIN_IOVA + HOLE_START - 4096 * (uint64_t)chance(40);
	case 2: return chance(50) ? TWIN_IOVA + 4096 * chance(200) : -(uint64_t)chance(9000);
	default: return TWIN_IOVA + chance(800000);
	}
}

static void some_descriptor(struct adi_desc *d, uint32_t slot)
{
	memset(d, 0, sizeof(*d));
	d->opcode = chance(40) ? chance(5) : chance(256);
	d->flags = ADI_DESC_COMPLETION | (chance(4) ? 0 : ADI_DESC_FENCE) | (chance(4) ? 0 : ADI_DESC_IRQ);
	if (!chance(60))
		d->flags |= 0x40;
	d->len = d->opcode == ADI_OP_NOP && chance(5) ? 0 : some_length();
	d->src = some_address(d->len);
	d->dst = some_address(d->len);
	if (d->opcode == ADI_OP_COMPARE && !chance(3))
		d->dst = d->src;
	d->operand = random_state;
	d->completion = RECORDS_IOVA + slot * sizeof(struct adi_completion);
	if (!chance(40))
		d->completion += 8;
	if (!chance(40))
		d->completion = TWIN_IOVA + HOLE_START;
	if (!chance(60))
		d->reserved1[chance(3)] = 1;
}

static void twin_run(struct twin *t, const struct adi_desc *d)
{
	uint64_t end = now_ms() + 20000;
	uint32_t status;

	memset(t->ring + 32 * KIB, 0, 64 * sizeof(struct adi_completion));
	memcpy(t->ring + t->tail * sizeof(*d), d, sizeof(*d));
	t->tail = (t->tail + 1) % 64;
	__sync_synchronize();
	adi_write32(&t->adi, ADI_Q_TAIL, t->tail);
	do {
		status = adi_read32(&t->adi, ADI_Q_STATUS);
		if (now_ms() > end)
			die("no end to it");
	} while (status == ADI_STATE_BUSY);
}

static void differ(const char *what, uint64_t round, const struct adi_desc *d, uint64_t aux, uint64_t host)
{
	die("adi-twin: round %llu: %s: aux 0x%llx host 0x%llx; opcode %u flags %#x len %u src %#llx dst %#llx completion %#llx",
	    (unsigned long long)round, what, (unsigned long long)aux, (unsigned long long)host, d->opcode, d->flags,
	    d->len, (unsigned long long)d->src, (unsigned long long)d->dst, (unsigned long long)d->completion);
}

static uint64_t twins_compare(struct twin *a, struct twin *b, const struct adi_desc *d, uint64_t round)
{
	static const struct { const char *name; unsigned int offset; } registers[] = {
		{ "tail and head", ADI_Q_TAIL }, { "status and error", ADI_Q_STATUS },
		{ "error address", ADI_Q_ERROR_ADDR }, { "order and control", ADI_Q_RING_ORDER },
		{ "ring", ADI_Q_RING_BASE },
	};
	const uint8_t *ra = a->ring + 32 * KIB, *rb = b->ring + 32 * KIB;

	for (size_t n = 0; n < sizeof(registers) / sizeof(registers[0]); n++) {
		uint64_t va = adi_read64(&a->adi, registers[n].offset);
		uint64_t vb = adi_read64(&b->adi, registers[n].offset);

		if (va != vb)
			differ(registers[n].name, round, d, va, vb);
	}
	for (size_t n = 0; n < 64 * sizeof(struct adi_completion); n += 8)
		if (memcmp(ra + n, rb + n, 8))
			differ("record", round, d, *(uint64_t *)(ra + n), *(uint64_t *)(rb + n));
	if (memcmp(a->memory, b->memory, TWIN_SIZE))
		for (size_t n = 0; n < TWIN_SIZE; n++)
			if (a->memory[n] != b->memory[n])
				differ("memory", round, d, n, a->memory[n] << 8 | b->memory[n]);
	return adi_read32(&a->adi, ADI_Q_ERROR) & 0xff;
}

int twin_main(int argc, char *argv[])
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 500, round, errors[16] = { 0 }, error;
	struct twin aux = { 0 }, host = { 0 };
	struct adi_desc d;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	twin_start(&aux, "adi-aux");
	twin_start(&host, "adi-host");
	for (round = 0; round < rounds; round++) {
		some_descriptor(&d, aux.tail);
		twin_run(&aux, &d);
		twin_run(&host, &d);
		error = twins_compare(&aux, &host, &d, round);
		errors[error & 15]++;
		if (error) {
			adi_write32(&aux.adi, ADI_Q_CTRL, ADI_Q_CTRL_START | ADI_Q_CTRL_CLEAR_ERROR);
			adi_write32(&host.adi, ADI_Q_CTRL, ADI_Q_CTRL_START | ADI_Q_CTRL_CLEAR_ERROR);
		}
	}
	printf("adi-twin: %llu descriptors, the same on both;", (unsigned long long)rounds);
	for (int n = 0; n < 16; n++)
		if (errors[n])
			printf(" %s%d: %llu", n ? "error " : "done ", n, (unsigned long long)errors[n]);
	printf("\n");
	twin_end(&aux);
	twin_end(&host);
	return 0;
}
