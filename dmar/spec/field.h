/*
 * Fields of words: a mask says where a field is, field_get() and field_make()
 * do the shifting.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_FIELD_H
#define DMAR_SPEC_FIELD_H

#include <stdint.h>

/* Bits @hi down to @lo, both inclusive. */
#define BITS(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
#define BIT_AT(n)    (UINT64_C(1) << (n))

static inline uint64_t field_get(uint64_t word, uint64_t mask)
{
    return (word & mask) / (mask & -mask);
}

static inline uint64_t field_make(uint64_t value, uint64_t mask)
{
    return (value * (mask & -mask)) & mask;
}

static inline uint64_t field_set(uint64_t word, uint64_t mask, uint64_t value)
{
    return (word & ~mask) | field_make(value, mask);
}

/* The lowest @width bits. */
static inline uint64_t low_bits(unsigned width)
{
    return width >= 64 ? ~UINT64_C(0) : BIT_AT(width) - 1;
}

#endif /* DMAR_SPEC_FIELD_H */
