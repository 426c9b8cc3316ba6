/*
 * Performance monitoring [VT-d 10, 11.4.13] and enhanced commands
 * [VT-d 11.4.14]: registers, events, commands.
 *
 * What the specification leaves to the implementation is here as well: where
 * counters and their configuration are, and how wide a counter is.  Counters
 * are at least a KiB apart and aligned to that, so that more than two do not
 * fit in the first page: configuration has the second page, counters the third
 * and fourth.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_PERFMON_H
#define DMAR_SPEC_PERFMON_H

#include "field.h"

/* [VT-d 11.4.13.2] Capability */
#define PERFCAP_REG             0x300
#define PERFCAP_NCNTR           BITS(15, 0)
#define PERFCAP_CW              BITS(22, 16)    /* bits of a counter */
#define PERFCAP_EGCNT           BITS(28, 24)
#define PERFCAP_RIDFS           BIT_AT(32)
#define PERFCAP_DIDFS           BIT_AT(33)
#define PERFCAP_PASIDFS         BIT_AT(34)
#define PERFCAP_ATFS            BIT_AT(35)
#define PERFCAP_PTLFS           BIT_AT(36)
#define PERFCAP_CWE             BIT_AT(48)
#define PERFCAP_GFS             BIT_AT(49)
#define PERFCAP_IOS             BIT_AT(50)
#define PERFCAP_PCCS            BIT_AT(51)
#define PERFCAP_CS              BITS(54, 52)    /* 2^(10 + CS) bytes */

/* [VT-d 11.4.13.3 .. 11.4.13.6] Where the others are */
#define PERFCFGOFF_REG          0x310
#define PERFFRZOFF_REG          0x314
#define PERFOVFOFF_REG          0x318
#define PERFCNTROFF_REG         0x31c

/* [VT-d 11.4.13.7, 11.4.13.8] Interrupt; its message as of any event */
#define PERFINTRSTS_REG         0x324
#define PERFINTRSTS_PIS         BIT_AT(0)
#define PERFINTRCTL_REG         0x328
#define PERFINTRDATA_REG        0x32c
#define PERFINTRADDR_REG        0x330
#define PERFINTRUADDR_REG       0x334

/* [VT-d 11.4.13.14] Events there are, by group */
#define PERFEVNTCAP_REG(g)      (0x380 + 8u * (g))
#define PERFEVNTCAP_ES          BITS(27, 0)
#define PERF_GROUPS             5

/* [VT-d 11.4.13.12, 11.4.13.13] Freeze and overflow: a bit for each counter */
#define PERFFRZSTS_REG          0x480
#define PERFOVFSTS_REG          0x488

/* [VT-d 11.4.13.15] Configuration of counter @n */
#define PERFCNTRCFG_STRIDE      0x100u
#define PERFCNTRCFG_REG(n)      (0x1000 + PERFCNTRCFG_STRIDE * (n))
#define PERFCNTRCFG_EN          BIT_AT(0)
#define PERFCNTRCFG_IO          BIT_AT(1)
#define PERFCNTRCFG_GFO         BIT_AT(2)
#define PERFCNTRCFG_EGI         BITS(11, 8)
#define PERFCNTRCFG_ES          BITS(59, 32)

/* [VT-d 11.4.13.16 .. 11.4.13.20] Its filters */
#define PERFCNTR_RIDFLTR_REG(n)     (PERFCNTRCFG_REG(n) + 0x08)
#define PERFCNTR_DIDFLTR_REG(n)     (PERFCNTRCFG_REG(n) + 0x0c)
#define PERFCNTR_PASIDFLTR_REG(n)   (PERFCNTRCFG_REG(n) + 0x10)
#define PERFCNTR_ATFLTR_REG(n)      (PERFCNTRCFG_REG(n) + 0x14)
#define PERFCNTR_PTLFLTR_REG(n)     (PERFCNTRCFG_REG(n) + 0x18)
#define PERFCNTR_FLTR_EN        BIT_AT(31)
#define PERFCNTR_ATFLTR_AT      BITS(2, 0)      /* bit: AT of a request */
#define PERFCNTR_PTLFLTR_PTL    BITS(4, 0)      /* bit: level - 1 */

/* [VT-d 11.4.13.23] Its value */
#define PERFCNTR_CS             0
#define PERFCNTR_STRIDE         (0x400u << PERFCNTR_CS)
#define PERFCNTR_REG(n)         (0x2000 + PERFCNTR_STRIDE * (n))
#define PERFCNTR_CW             48
#define PERFCNTR_CNTR           BITS(PERFCNTR_CW - 1, 0)

/* [VT-d 10.7] Events that the unit can count: group and bit. */
#define PERF_EVENT(group, bit)  ((group) << 5 | (bit))
#define PERF_EVENT_GROUP(event) ((event) >> 5)
#define PERF_EVENT_BIT(event)   BIT_AT((event) & 31)
typedef enum PerfEvent {
    PERF_REQUESTS = PERF_EVENT(0, 1),
    PERF_MEMORY_READS = PERF_EVENT(1, 0),
    PERF_UPDATES = PERF_EVENT(1, 3),            /* of accessed, dirty bits */
    PERF_PAGE_REQUEST_QUEUED = PERF_EVENT(1, 6),
    PERF_PAGE_REQUEST_OVERFLOW = PERF_EVENT(1, 7),  /* answered for want of room */
    PERF_CONTEXT_LOOKUP = PERF_EVENT(2, 0),
    PERF_CONTEXT_HIT = PERF_EVENT(2, 1),
    PERF_PASID_LOOKUP = PERF_EVENT(2, 2),
    PERF_PASID_HIT = PERF_EVENT(2, 3),
    PERF_SECOND_STAGE_LOOKUP = PERF_EVENT(2, 4),
    PERF_SECOND_STAGE_HIT = PERF_EVENT(2, 5),
    PERF_FIRST_STAGE_LOOKUP = PERF_EVENT(2, 6),
    PERF_FIRST_STAGE_HIT = PERF_EVENT(2, 7),
    PERF_IOTLB_LOOKUP = PERF_EVENT(3, 0),
    PERF_IOTLB_HIT = PERF_EVENT(3, 1),
    PERF_INTERRUPT_LOOKUP = PERF_EVENT(4, 0),
    PERF_INTERRUPT_HIT_REMAPPED = PERF_EVENT(4, 1),
    PERF_INTERRUPT_HIT_POSTED = PERF_EVENT(4, 2),
} PerfEvent;

/* [VT-d 11.4.14] Enhanced commands */
#define ECMD_REG                0x400
#define ECMD_CMD                BITS(7, 0)
#define ECMD_OA                 BITS(63, 16)
#define ECEO_REG                0x408
#define ECRSP_REG               0x410
#define ECRSP_IP                BIT_AT(0)
#define ECRSP_SC                BITS(7, 1)
#define ECCAP_REG(command)      (0x430 + (command) / 64 * 8u)
#define ECCAP_BIT(command)      BIT_AT((command) % 64)
enum {
    ECMD_ENABLE_COUNTER = 240,          /* operand A: which */
    ECMD_DISABLE_COUNTER = 241,         /* operand A: which */
    ECMD_RESET_CONFIGURATION = 242,
    ECMD_RESET_VALUES = 243,
    ECMD_FREEZE = 244,
    ECMD_UNFREEZE = 245,
};
enum {
    ECMD_SUCCESS = 0,
    ECMD_UNDEFINED = 1,
    ECMD_COUNTER_REFUSED = 16,          /* of enable and disable */
};

#endif /* DMAR_SPEC_PERFMON_H */
