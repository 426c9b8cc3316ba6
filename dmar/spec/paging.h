/*
 * Paging entries [VT-d 9.7 First-Stage Paging Entries, 9.8 Second-Stage Paging
 * Entries].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_PAGING_H
#define DMAR_SPEC_PAGING_H

#include "field.h"

#define PAGE_SHIFT_4K           12
#define LEVEL_BITS              9
#define LEVEL_SHIFT(level)      (PAGE_SHIFT_4K + LEVEL_BITS * ((level) - 1))

/* Where entries of both stages have the address of what they refer to. */
#define PAGING_ADDR             BITS(51, 12)

#define FS_P                    BIT_AT(0)
#define FS_RW                   BIT_AT(1)
#define FS_US                   BIT_AT(2)
#define FS_PWT                  BIT_AT(3)
#define FS_PCD                  BIT_AT(4)
#define FS_A                    BIT_AT(5)
#define FS_D                    BIT_AT(6)       /* leaf */
#define FS_PS                   BIT_AT(7)       /* levels 2 and 3; PAT in 1 */
#define FS_IGNORED_LOW          (BITS(9, 8) | BIT_AT(11))
#define FS_EA                   BIT_AT(10)
#define FS_PAT_LARGE            BIT_AT(12)      /* leaf of levels 2 and 3 */
#define FS_IGNORED_HIGH         BITS(63, 52)

#define SS_R                    BIT_AT(0)
#define SS_W                    BIT_AT(1)
#define SS_X_IGNORED            BIT_AT(2)
#define SS_EMT                  BITS(5, 3)      /* leaf */
#define SS_IPAT                 BIT_AT(6)       /* leaf */
#define SS_PS                   BIT_AT(7)       /* levels 2 and 3 */
#define SS_A                    BIT_AT(8)
#define SS_D                    BIT_AT(9)       /* leaf */
#define SS_IGNORED_10           BIT_AT(10)
#define SS_SNP                  BIT_AT(11)      /* leaf, if SC */
#define SS_IGNORED_HIGH         (BITS(61, 52) | BIT_AT(63))

#endif /* DMAR_SPEC_PAGING_H */
