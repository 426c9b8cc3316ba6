/*
 * Accessed and dirty bits in unit tests: a device that walks tables, and claims
 * about what was marked in them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MARKS_H
#define TESTS_UNIT_MARKS_H

#include "fixture.h"

#define DEV     0x0228
#define PASID   0x4d1
#define DOMAIN  31
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)

#define FS_A    BIT_AT(5)
#define FS_D    BIT_AT(6)
#define FS_EA   BIT_AT(10)
#define SS_A    BIT_AT(8)
#define SS_D    BIT_AT(9)

extern Space space;                 /* where PASID finds IOVA */
extern unsigned leaf_level;         /* ... in a leaf of this level */

void given_device(const DmarConfig *config);
void forget(void);

/* A translation request. */
DmarTranslation ask_for(bool no_write);

static inline uint64_t entry_at(unsigned level)
{
    return paging_entry_at(&space, IOVA, level);
}

void remember(void);                /* all that is in RAM */

/* Claim: these bits appeared in this word since; then they are forgotten. */
void gained(uint64_t addr, uint64_t bits);
void nothing_else_changed(void);
/* Every entry on the way gained the accessed bit, the leaf @bits besides. */
void way_gained(uint64_t accessed_bits, uint64_t leaf_bits);

#endif /* TESTS_UNIT_MARKS_H */
