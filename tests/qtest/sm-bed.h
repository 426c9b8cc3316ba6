/*
 * A test bed: q35 with an intel-iommu-sm and an edu at 00:02.0, and tables.
 *
 *     SmBed bed;
 *
 *     sm_bed_open(&bed, "aw-bits=39", "");
 *     ...
 *     sm_bed_close(&bed);
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_SM_BED_H
#define TESTS_QTEST_SM_BED_H

#include "edu-drive.h"
#include "sm-tables.h"

#define MiB             (1024ull * 1024)
#define SM_BED_TABLES   (16 * MiB)
#define SM_BED_DATA     (32 * MiB)      /* where tests put what devices move */
#define SM_BED_CAPTURE  (48 * MiB)      /* where the unit's messages land */
#define SM_BED_EDU      Q35_SID(0, 2, 0)

/* What edu's requests are translated with. */
#define SM_BED_IOVA     0x12345000ull
#define SM_BED_DOMAIN   7
#define SM_BED_RID_PASID 9

typedef struct SmBed {
    QTestState *qts;
    Sm sm;
    Edu edu;
    uint64_t next_bar;
} SmBed;

/* Neither a device nor an interrupt message has been here: */
#define SM_BED_BLANK    0xb1a2b1a2b1a2b1a2ull

static inline void sm_bed_open(SmBed *bed, const char *props, const char *more)
{
    g_autofree char *args = g_strdup_printf(
        "-device intel-iommu-sm,id=iommu0,%s " EDU_DEVICE ",addr=2.0 %s",
        *props ? props : "pt=on", more);

    bed->qts = q35_start(args);
    bed->next_bar = Q35_MMIO;
    sm_init(&bed->sm, bed->qts, SM_BED_TABLES, 8 * MiB);
    edu_open(&bed->edu, bed->qts, SM_BED_EDU, &bed->next_bar);
}

static inline void sm_bed_close(SmBed *bed)
{
    sm_assert_no_fault(&bed->sm);
    qtest_quit(bed->qts);
}

/* Page @n of the data, with a pattern of its own, or blank. */
static inline uint64_t sm_bed_page(unsigned n)
{
    return SM_BED_DATA + n * SM_PAGE;
}

static inline uint64_t sm_bed_pattern(unsigned n)
{
    return 0x1111111111111111ull * (n + 1);
}

static inline uint64_t sm_bed_fill(SmBed *bed, unsigned n)
{
    qtest_writeq(bed->qts, sm_bed_page(n), sm_bed_pattern(n));
    return sm_bed_page(n);
}

static inline uint64_t sm_bed_blank(SmBed *bed, unsigned n)
{
    qtest_writeq(bed->qts, sm_bed_page(n), SM_BED_BLANK);
    return sm_bed_page(n);
}

#define sm_bed_assert_pattern(bed, n, of) \
    g_assert_cmphex(qtest_readq((bed)->qts, sm_bed_page(n)), ==, \
                    sm_bed_pattern(of))
#define sm_bed_assert_blank(bed, n) \
    g_assert_cmphex(qtest_readq((bed)->qts, sm_bed_page(n)), ==, SM_BED_BLANK)

/* edu's requests are translated by @map. */
static inline void sm_bed_use_map(SmBed *bed, SmMap map)
{
    sm_context_set(&bed->sm, bed->edu.f.sid, SM_BED_RID_PASID);
    sm_pasid_set(&bed->sm, bed->edu.f.sid, SM_BED_RID_PASID,
                 &(SmPasid) { SM_SECOND_STAGE, SM_BED_DOMAIN, map });
}

/* The common start: SM_BED_IOVA leads to data pages 0 and 1, in 4-level tables. */
static inline SmMap sm_bed_open_mapped(SmBed *bed, const char *props)
{
    SmMap map;

    sm_bed_open(bed, props, "");
    map = sm_map_new(&bed->sm, 4);
    sm_map(&bed->sm, &map, SM_BED_IOVA, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(bed, map);
    sm_start(&bed->sm);
    return map;
}

/* edu copies page 0 to page 1 by way of @iova, which leads to the two. */
static inline void sm_bed_assert_copies(SmBed *bed, uint64_t iova)
{
    sm_bed_fill(bed, 0);
    sm_bed_blank(bed, 1);
    edu_copy(&bed->edu, iova, iova + SM_PAGE, 8);
    sm_bed_assert_pattern(bed, 1, 0);
}

/* The next record is this one. */
static inline void sm_bed_assert_fault(SmBed *bed, uint8_t reason,
                                       uint64_t page, bool is_read)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&bed->sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, bed->edu.f.sid);
    g_assert_cmphex(fault.page, ==, page);
    g_assert_cmpint(fault.is_read, ==, is_read);
    g_assert_false(fault.with_pasid);
}

/* Messages of the unit go to memory, where a test can see them. */
static inline void sm_bed_capture(SmBed *bed, unsigned data_reg, uint32_t data)
{
    qtest_writel(bed->qts, SM_BED_CAPTURE, 0);
    sm_writel(&bed->sm, data_reg, data);
    sm_writel(&bed->sm, data_reg + 4, SM_BED_CAPTURE);
}

/* Takes the message, so that the next can be seen. */
static inline uint32_t sm_bed_captured(SmBed *bed)
{
    uint32_t data = qtest_readl(bed->qts, SM_BED_CAPTURE);

    qtest_writel(bed->qts, SM_BED_CAPTURE, 0);
    return data;
}

#endif /* TESTS_QTEST_SM_BED_H */
