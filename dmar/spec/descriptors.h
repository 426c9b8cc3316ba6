/*
 * Descriptors of the invalidation queue [VT-d 6.5.2, 7.6.1].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_DESCRIPTORS_H
#define DMAR_SPEC_DESCRIPTORS_H

#include "field.h"

/* Word 0 and 1 of a 128-bit descriptor, words 0 to 3 of a 256-bit one. */
typedef struct InvDescriptor { uint64_t word[4]; } InvDescriptor;

#define INV0_TYPE_LOW           BITS(3, 0)
#define INV0_TYPE_HIGH          BITS(11, 9)
#define INV0_TYPE               (INV0_TYPE_LOW | INV0_TYPE_HIGH)
#define INV0_G                  BITS(5, 4)

enum {
    INV_CONTEXT = 1,            /* [VT-d 6.5.2.1] */
    INV_IOTLB = 2,              /* [VT-d 6.5.2.3] */
    INV_DEVICE_TLB = 3,         /* [VT-d 6.5.2.5] */
    INV_INTERRUPT = 4,          /* [VT-d 6.5.2.8] */
    INV_WAIT = 5,               /* [VT-d 6.5.2.9] */
    INV_PASID_IOTLB = 6,        /* [VT-d 6.5.2.4] */
    INV_PASID_CACHE = 7,        /* [VT-d 6.5.2.2] */
    INV_PASID_DEVICE_TLB = 8,   /* [VT-d 6.5.2.6] */
    INV_PAGE_RESPONSE = 9,      /* [VT-d 7.6.1] */
};

/* Granularities. */
enum { G_GLOBAL = 1, G_DOMAIN = 2, G_DEVICE = 3 };              /* context */
enum { G_IOTLB_GLOBAL = 1, G_IOTLB_DOMAIN = 2, G_IOTLB_PAGE = 3 };
enum { G_PIOTLB_PASID = 2, G_PIOTLB_PAGE = 3 };
enum { G_PC_DOMAIN = 0, G_PC_PASID = 1, G_PC_GLOBAL = 3 };
enum { G_IEC_GLOBAL = 0, G_IEC_INDEX = 1 };

#define CC0_DID                 BITS(31, 16)
#define CC0_SID                 BITS(47, 32)
#define CC0_FM                  BITS(49, 48)

#define IOTLB0_DW               BIT_AT(6)
#define IOTLB0_DR               BIT_AT(7)
#define IOTLB0_DID              BITS(31, 16)
#define IOTLB1_AM               BITS(5, 0)
#define IOTLB1_IH               BIT_AT(6)
#define IOTLB1_ADDR             BITS(63, 12)

#define DEVTLB0_PFSID_LOW       BITS(15, 12)
#define DEVTLB0_MIP             BITS(20, 16)
#define DEVTLB0_SID             BITS(47, 32)
#define DEVTLB0_PFSID_HIGH      BITS(63, 52)
#define DEVTLB1_S               BIT_AT(0)
#define DEVTLB1_ADDR            BITS(63, 12)

#define IEC0_G                  BIT_AT(4)
#define IEC0_IM                 BITS(31, 27)
#define IEC0_IIDX               BITS(47, 32)

#define WAIT0_IF                BIT_AT(4)
#define WAIT0_SW                BIT_AT(5)
#define WAIT0_FN                BIT_AT(6)
#define WAIT0_PD                BIT_AT(7)
#define WAIT0_DATA              BITS(63, 32)
#define WAIT1_ADDR              BITS(63, 2)

#define PIOTLB0_DID             BITS(31, 16)
#define PIOTLB0_PASID           BITS(51, 32)

#define PC0_DID                 BITS(31, 16)
#define PC0_PASID               BITS(51, 32)

#define PDEVTLB0_MIP            BITS(8, 4)
#define PDEVTLB0_PFSID_LOW      BITS(15, 12)
#define PDEVTLB0_SID            BITS(31, 16)
#define PDEVTLB0_PASID          BITS(51, 32)
#define PDEVTLB0_PFSID_HIGH     BITS(63, 52)
#define PDEVTLB1_GI             BIT_AT(0)
#define PDEVTLB1_S              BIT_AT(11)
#define PDEVTLB1_ADDR           BITS(63, 12)

_Static_assert(sizeof(InvDescriptor) == 32, "descriptor");

#endif /* DMAR_SPEC_DESCRIPTORS_H */
