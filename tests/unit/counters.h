/*
 * Performance counters as software finds them [VT-d 11.4.13.1]: by the offsets
 * that the unit tells, and what it writes there.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_COUNTERS_H
#define TESTS_UNIT_COUNTERS_H

#include "fixture.h"

#include "spec/perfmon.h"

/* Events of group 3, and of others that come in pairs. */
#define LOOKUP  1u
#define HIT     2u

#define ON_OVERFLOW_INTERRUPT   2u
#define ON_OVERFLOW_FREEZE      4u

static inline uint64_t config_at(unsigned n)
{
    return reg32(0x310) + 0x100 * n;
}

static inline uint64_t type_filter_at(unsigned n)
{
    return config_at(n) + 0x14;
}

static inline uint64_t level_filter_at(unsigned n)
{
    return config_at(n) + 0x18;
}

static inline uint64_t counter_at(unsigned n)
{
    return reg32(0x31c) + (n << (10 + (reg(0x300) >> 52 & 7)));
}

static inline uint64_t freeze_at(void)
{
    return reg32(0x314);
}

static inline uint64_t overflow_at(void)
{
    return reg32(0x318);
}

static inline uint64_t events_at(unsigned group)
{
    return 0x380 + 8 * group;
}

static inline uint64_t configuration(unsigned group, uint64_t events)
{
    return events << 32 | group << 8;
}

/* Give an enhanced command, and return its status. */
static inline unsigned enhanced(unsigned number, uint64_t operand)
{
    set_reg(0x408, 0);
    set_reg(0x400, operand << 16 | number);
    uint64_t response = reg(0x410);
    ck_assert_uint_eq(response & ~0xfeull, 0);
    return response >> 1;
}

#endif /* TESTS_UNIT_COUNTERS_H */
