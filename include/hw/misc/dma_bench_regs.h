/*
 * The registers of dma-bench, a device that measures DMA from inside.
 *
 * BAR 0 is a page of 64-bit registers; an access of any other size or place
 * reads zero and does nothing.  Software fills in the registers of a program,
 * writes an enum dma_bench_op to DMA_BENCH_RUN, and reads the results: the
 * write returns when the program has ended.  A program is
 *
 *     ROUNDS times: what CONTROL wants prepared, then, timed, COUNT operations
 *
 * Reads are of LENGTH bytes (a power of two up to 4096) in one of PAGES pages,
 * those at BASE + n * STRIDE: page after page from FIRST on, or random ones.
 * In its page, a read begins at n * LENGTH modulo 4096, so that the pages do
 * not all fall into the same lines of the host's caches.
 *
 * A command is ORDER0, ORDER1 + n * ORDER_STEP, then WAIT0 and WAIT1 with a
 * number in WAIT0's upper half, at RING + TAIL; the new TAIL is written to
 * the address in DOORBELL.  It has succeeded if the number is then found at
 * STATUS.  Words of a descriptor beyond two are zero.  That of a
 * preparation is PREPARE0, PREPARE1 instead.
 *
 * RING, STATUS and LEAF must be in RAM, and so must be what reads lead to.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DMA_BENCH_REGS_H
#define HW_MISC_DMA_BENCH_REGS_H

#define DMA_BENCH_VENDOR_ID     0x1b36  /* Red Hat, Inc. (QEMU) */
#define DMA_BENCH_DEVICE_ID     0x00ae
#define DMA_BENCH_BAR           0
#define DMA_BENCH_BAR_SIZE      4096u
#define DMA_BENCH_MAGIC         0x31484342414d44ull     /* "DMABCH1" */
#define DMA_BENCH_PAGE          4096u
#define DMA_BENCH_MAX_THREADS   16u
#define DMA_BENCH_NOT_RUN       (~0ull)                 /* in FAILED */

/* The registers' numbers; a register is at eight times its number. */
enum dma_bench_reg {
    DMA_BENCH_ID,               /* RO: DMA_BENCH_MAGIC */
    DMA_BENCH_RUN,              /* WO: enum dma_bench_op */

    /* Results, RO: of all rounds, of the timed operations only. */
    DMA_BENCH_ELAPSED,          /* nanoseconds, less what the clock takes */
    DMA_BENCH_FAILED,           /* operations, or DMA_BENCH_NOT_RUN */

    /* The program, RW. */
    DMA_BENCH_CONTROL,
    DMA_BENCH_ROUNDS,
    DMA_BENCH_COUNT,
    DMA_BENCH_THREADS,          /* 0: who writes RUN; n: n new ones, reads only */

    DMA_BENCH_LENGTH,
    DMA_BENCH_BASE,
    DMA_BENCH_STRIDE,
    DMA_BENCH_PAGES,
    DMA_BENCH_FIRST,            /* page that operations begin with */
    DMA_BENCH_PASID,
    DMA_BENCH_PASIDS,           /* a power of two: page n is read by PASID + n */

    DMA_BENCH_RING,
    DMA_BENCH_RING_SIZE,        /* bytes, a power of two */
    DMA_BENCH_DESCRIPTOR_SIZE,  /* bytes: 16 or 32 */
    DMA_BENCH_TAIL,             /* moves on */
    DMA_BENCH_DOORBELL,
    DMA_BENCH_STATUS,
    DMA_BENCH_ORDER0,
    DMA_BENCH_ORDER1,
    DMA_BENCH_ORDER_STEP,
    DMA_BENCH_PREPARE0,
    DMA_BENCH_PREPARE1,
    DMA_BENCH_WAIT0,
    DMA_BENCH_WAIT1,

    DMA_BENCH_LEAF,             /* the page-table entry of page 0 */
    DMA_BENCH_LEAF_VALUE,       /* what maps page n, less n * 4096 */

    DMA_BENCH_REGS
};

/* DMA_BENCH_CONTROL */
#define DMA_BENCH_WITH_PASID    (1ull << 0)     /* reads go by PASID */
#define DMA_BENCH_RANDOM        (1ull << 1)
#define DMA_BENCH_PREPARE_READ  (1ull << 2)     /* read every page once, then ... */
#define DMA_BENCH_PREPARE_ORDER (1ull << 3)     /* give the command PREPARE */

enum dma_bench_op {
    DMA_BENCH_OP_READ = 1,
    DMA_BENCH_OP_ORDER,         /* a command */
    DMA_BENCH_OP_CYCLE,         /* map page n, read it, unmap it, a command */
    DMA_BENCH_OP_NOTHING,       /* choose a page */
};

#endif /* HW_MISC_DMA_BENCH_REGS_H */
