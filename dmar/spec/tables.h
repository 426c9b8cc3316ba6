/*
 * Root, context and PASID tables [VT-d 9.1 .. 9.6]: entries and their fields.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_TABLES_H
#define DMAR_SPEC_TABLES_H

#include "field.h"

/* [VT-d 9.1 Root Entry, 9.2 Scalable-mode Root Entry]: one a bus.  In legacy
 * mode word 0 alone is used; in scalable mode word 0 serves devices 0 to 15,
 * word 1 devices 16 to 31. */
typedef struct RootEntry { uint64_t word[2]; } RootEntry;
#define ROOT_P                  BIT_AT(0)
#define ROOT_CTP                BITS(63, 12)

/* [VT-d 9.3 Context Entry]: legacy mode, one a function. */
typedef struct LegacyContextEntry { uint64_t word[2]; } LegacyContextEntry;
#define LCTX0_P                 BIT_AT(0)
#define LCTX0_FPD               BIT_AT(1)
#define LCTX0_TT                BITS(3, 2)
#define LCTX0_SSPTPTR           BITS(63, 12)
#define LCTX1_AW                BITS(2, 0)
#define LCTX1_IGNORED           BITS(6, 3)
#define LCTX1_DID               BITS(23, 8)
enum { TT_SECOND_STAGE = 0, TT_DEVICE_TLB = 1, TT_PASS_THROUGH = 2 };

/* [VT-d 9.4 Scalable-Mode Context-Entry]: 128 a page, by devfn bits 6:0. */
typedef struct ScalableContextEntry { uint64_t word[4]; } ScalableContextEntry;
#define SCTX0_P                 BIT_AT(0)
#define SCTX0_FPD               BIT_AT(1)
#define SCTX0_DTE               BIT_AT(2)
#define SCTX0_PASIDE            BIT_AT(3)
#define SCTX0_PRE               BIT_AT(4)
#define SCTX0_PDTS              BITS(11, 9)     /* 2^(PDTS + 7) entries */
#define SCTX0_PASIDDIRPTR       BITS(63, 12)
#define SCTX1_RID_PASID         BITS(19, 0)
#define SCTX1_RID_PRIV          BIT_AT(20)

/* [VT-d 9.5 Scalable-Mode PASID Directory Entry]: by PASID bits 19:6. */
#define PDIR_P                  BIT_AT(0)
#define PDIR_FPD                BIT_AT(1)
#define PDIR_SMPTBLPTR          BITS(63, 12)

/* [VT-d 9.6 Scalable-Mode PASID Table Entry]: by PASID bits 5:0. */
typedef struct PasidEntry { uint64_t word[8]; } PasidEntry;
#define PASID0_P                BIT_AT(0)
#define PASID0_FPD              BIT_AT(1)
#define PASID0_AW               BITS(4, 2)
#define PASID0_PGTT             BITS(8, 6)
#define PASID0_SSADE            BIT_AT(9)
#define PASID0_SSPTPTR          BITS(63, 12)
#define PASID1_DID              BITS(15, 0)
#define PASID1_PWSNP            BIT_AT(23)
#define PASID1_PGSNP            BIT_AT(24)
#define PASID2_SRE              BIT_AT(0)
#define PASID2_FSPM             BITS(3, 2)
#define PASID2_WPE              BIT_AT(4)
#define PASID2_IGNORED          BITS(6, 5)
#define PASID2_EAFE             BIT_AT(7)
#define PASID2_FSPTPTR          BITS(63, 12)
enum {
    PGTT_FIRST_STAGE = 1,
    PGTT_SECOND_STAGE = 2,
    PGTT_NESTED = 3,
    PGTT_PASS_THROUGH = 4,
};

enum { FSPM_4LEVEL = 0, FSPM_5LEVEL = 1 };

/* AW of a context or PASID entry: 1, 2, 3 for 39, 48, 57 bits. */
#define AW_LEVELS(aw)           ((aw) + 2)
#define AW_BITS(aw)             (30 + 9 * (aw))

_Static_assert(sizeof(RootEntry) == 16, "root entry");
_Static_assert(sizeof(LegacyContextEntry) == 16, "context entry");
_Static_assert(sizeof(ScalableContextEntry) == 32, "scalable context entry");
_Static_assert(sizeof(PasidEntry) == 64, "PASID entry");

#endif /* DMAR_SPEC_TABLES_H */
