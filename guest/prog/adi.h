/*
 * A user's way to an ADI: mediated device, VFIO group and container, memory,
 * queue.  The programs are written in these verbs.  A function that can fail
 * returns a negative errno; `must()` turns that into the program's end, for
 * programs that have no use for the failure.
 *
 *   mdev_create() .. mdev_remove()      the administrator's part, through sysfs
 *   space_open()                        a container: one I/O address space
 *   space_join()                        an mdev's group joins it
 *   space_map(), space_unmap()          memory at an iova
 *   adi_open()                          the mdev's device: page, interrupt
 *   adi_start()                         ring and completion records
 *   adi_submit(), adi_wait()            descriptors and what became of them
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GUEST_PROG_ADI_H
#define GUEST_PROG_ADI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/misc/adi_regs.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* @value, unless it is a negative errno: then the program ends and says @what failed. */
int64_t must(int64_t value, const char *what);

/* ---- Mediated devices ------------------------------------------------------ */

#define UUID_LEN 36

struct mdev {
	char uuid[UUID_LEN + 1];
	char parent[64];                /* 0000:00:05.0 */
	int group;                      /* number of its VFIO group */
};

/* @type: adi-aux or adi-host; @parent: NULL for the first that offers it. */
int mdev_create(struct mdev *mdev, const char *type, const char *parent);
/* Take one that was created before. */
int mdev_existing(struct mdev *mdev, const char *uuid);
int mdev_remove(const struct mdev *mdev);

/* ---- I/O address spaces ------------------------------------------------------ */

struct space {
	int container;
	bool ready;                     /* its IOMMU type has been set */
};

int space_open(struct space *space);
void space_close(struct space *space);
/* The group's file. */
int space_join(struct space *space, const struct mdev *mdev);
/* Refused while the group's device is open; closes the file otherwise. */
int space_leave(int group);
int space_map(struct space *space, uint64_t iova, void *memory, size_t size);
/* Bytes that were unmapped. */
int64_t space_unmap(struct space *space, uint64_t iova, size_t size);
/* Page-aligned zeroed memory; NULL when there is none. */
void *memory_get(size_t size);

/* ---- ADIs ------------------------------------------------------------------- */

/* What an ADI's ring and completion records take at their iova. */
#define ADI_RING_ORDER 8u
#define ADI_RING_ENTRIES (1u << ADI_RING_ORDER)
#define ADI_RING_SPACE (64 * KIB)

enum adi_interrupts { ADI_POLL, ADI_INTERRUPT };

struct adi {
	int device, irq, request;       /* files; irq: -1 when polling */
	volatile uint8_t *page;         /* NULL: registers through pread, pwrite */
	uint8_t *ring_memory;
	volatile struct adi_desc *ring;
	volatile struct adi_completion *completions;
	uint32_t tail;
	uint64_t ring_iova;
};

int adi_open(struct adi *adi, const struct mdev *mdev, int group);
/* Map the ring at @ring_iova of @space and start the queue. */
int adi_start(struct adi *adi, struct space *space, uint64_t ring_iova,
	      enum adi_interrupts interrupts);
void adi_close(struct adi *adi);
int adi_reset(struct adi *adi);
/* Out of the error state; the ring starts from its beginning. */
void adi_restart(struct adi *adi);

uint32_t adi_read32(struct adi *adi, unsigned int offset);
uint64_t adi_read64(struct adi *adi, unsigned int offset);
void adi_write32(struct adi *adi, unsigned int offset, uint32_t value);
void adi_write64(struct adi *adi, unsigned int offset, uint64_t value);

/* Put @desc into the ring, with a completion record, and ring the bell; its index. */
int adi_submit(struct adi *adi, const struct adi_desc *desc);
/*
 * Wait until @index has completed: 0, or -ETIMEDOUT, or -EIO when the queue
 * stopped before; then @out says what the queue's error registers do.
 */
int adi_wait(struct adi *adi, uint32_t index, int ms, struct adi_completion *out);
/* Submit one descriptor and wait for it. */
int adi_do(struct adi *adi, const struct adi_desc *desc, struct adi_completion *out);
int adi_copy(struct adi *adi, uint64_t dst, uint64_t src, uint32_t len,
	     struct adi_completion *out);

/* "done bytes=4096 result=0x0", or "failed error=write why=unsupported-request addr=0x... bytes=0". */
const char *completion_text(const struct adi_completion *completion);
const char *state_name(uint32_t status);

/* ---- Odds and ends ------------------------------------------------------------ */

void pattern_fill(void *memory, size_t len, uint32_t seed);
/* The first byte that is not as pattern_fill() left it, or -1. */
int64_t pattern_check(const void *memory, size_t len, uint32_t seed);
uint32_t crc32c(uint32_t seed, const void *data, size_t len);
void sleep_ms(int ms);
uint64_t now_ms(void);
/* Print a line at once, for who reads along. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One owner of one ADI in a space of its own: what most programs need. */
struct owner {
	struct mdev mdev;
	struct space space;
	struct adi adi;
	int group;
	uint8_t *memory;
	uint64_t iova;
	size_t size;
};

#define OWNER_RING_IOVA (16 * MIB)
#define OWNER_IOVA      (32 * MIB)

void owner_start(struct owner *owner, const char *type, size_t size,
		 enum adi_interrupts interrupts);
void owner_end(struct owner *owner);

typedef int program_main(int argc, char *argv[]);
program_main copy_main, wild_main, unmap_main, hold_main, many_main, churn_main;
program_main twin_main, shell_main, ask_main, sva_main, bench_main;

#endif /* GUEST_PROG_ADI_H */
