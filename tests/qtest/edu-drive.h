/*
 * Driving edu from a qtest: a device whose DMA carries no PASID.
 *
 * It has a buffer of a page, which it loads from memory and stores to memory.
 * It does not tell whether that worked: look at memory, and at the unit's
 * fault records.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_EDU_DRIVE_H
#define TESTS_QTEST_EDU_DRIVE_H

#include "q35.h"

/* All 64 bits of an address count. */
#define EDU_DEVICE      "-device edu,dma_mask=0xffffffffffffffff"
#define EDU_BUFFER      0x40000
#define EDU_BAR         0

enum {
    EDU_REG_RAISE   = 0x60,
    EDU_REG_ACK     = 0x64,
    EDU_REG_SRC     = 0x80,
    EDU_REG_DST     = 0x88,
    EDU_REG_COUNT   = 0x90,
    EDU_REG_COMMAND = 0x98,

    EDU_COMMAND_RUN = 1,
    EDU_COMMAND_STORE = 2,

    EDU_DMA_NS = 110 * 1000 * 1000,     /* its DMA takes 100 ms */
};

typedef struct Edu {
    Q35Function f;
    uint64_t bar;
} Edu;

static inline void edu_open(Edu *edu, QTestState *qts, uint16_t sid,
                            uint64_t *next)
{
    *edu = (Edu) { .f = { .qts = qts, .sid = sid } };
    g_assert_cmphex(q35_config_readl(&edu->f, PCI_VENDOR_ID), ==, 0x11e81234);
    edu->bar = q35_bar_place(&edu->f, EDU_BAR, next);
    q35_command_set(&edu->f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline void edu_dma(Edu *edu, uint64_t src, uint64_t dst, uint64_t len,
                           unsigned direction)
{
    QTestState *qts = edu->f.qts;

    qtest_writeq(qts, edu->bar + EDU_REG_SRC, src);
    qtest_writeq(qts, edu->bar + EDU_REG_DST, dst);
    qtest_writeq(qts, edu->bar + EDU_REG_COUNT, len);
    qtest_writeq(qts, edu->bar + EDU_REG_COMMAND, direction | EDU_COMMAND_RUN);
    qtest_clock_step(qts, EDU_DMA_NS);
    g_assert_cmpuint(qtest_readq(qts, edu->bar + EDU_REG_COMMAND) &
                     EDU_COMMAND_RUN, ==, 0);
}

/* Memory to its buffer, and back. */
static inline void edu_load(Edu *edu, uint64_t from, uint64_t len)
{
    edu_dma(edu, from, EDU_BUFFER, len, 0);
}

static inline void edu_store(Edu *edu, uint64_t to, uint64_t len)
{
    edu_dma(edu, EDU_BUFFER, to, len, EDU_COMMAND_STORE);
}

static inline void edu_copy(Edu *edu, uint64_t from, uint64_t to, uint64_t len)
{
    edu_load(edu, from, len);
    edu_store(edu, to, len);
}

/* Its interrupts become writes of @data to @addr. */
static inline void edu_msi_set(Edu *edu, uint64_t addr, uint16_t data)
{
    unsigned pos = q35_capability(&edu->f, PCI_CAP_ID_MSI);

    q35_config_writel(&edu->f, pos + PCI_MSI_ADDRESS_LO, addr);
    q35_config_writel(&edu->f, pos + PCI_MSI_ADDRESS_HI, addr >> 32);
    q35_config_writew(&edu->f, pos + PCI_MSI_DATA_64, data);
    q35_config_writew(&edu->f, pos + PCI_MSI_FLAGS,
                      PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_64BIT);
}

static inline void edu_interrupt(Edu *edu)
{
    qtest_writel(edu->f.qts, edu->bar + EDU_REG_RAISE, 1);
    qtest_writel(edu->f.qts, edu->bar + EDU_REG_ACK, 1);
}

#endif /* TESTS_QTEST_EDU_DRIVE_H */
