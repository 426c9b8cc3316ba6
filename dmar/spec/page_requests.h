/*
 * The page request queue's descriptors [VT-d 7.4.1.1], and the invalidation
 * queue's descriptor that answers them [VT-d 7.6.1].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_PAGE_REQUESTS_H
#define DMAR_SPEC_PAGE_REQUESTS_H

#include "field.h"

/* [VT-d 7.4.1.1 Page Request Descriptor]: written by hardware. */
typedef struct PageRequestDescriptor {
    uint64_t word[4];
} PageRequestDescriptor;

#define PREQ0_TYPE              BITS(7, 0)
#define PREQ0_PP                BIT_AT(8)
#define PREQ0_RID               BITS(31, 16)
#define PREQ0_PASID             BITS(51, 32)
#define PREQ0_EXR               BIT_AT(52)
#define PREQ0_PMR               BIT_AT(53)
#define PREQ1_RDR               BIT_AT(0)
#define PREQ1_WRR               BIT_AT(1)
#define PREQ1_LPIG              BIT_AT(2)
#define PREQ1_PRGI              BITS(11, 3)
#define PREQ1_ADDR              BITS(63, 12)
enum { PREQ_TYPE_PAGE = 1 };

/* [VT-d 7.6.1 Page Group Response Descriptor]: written by software. */
#define PRESP0_PP               BIT_AT(4)
#define PRESP0_RC               BITS(15, 12)
#define PRESP0_RID              BITS(31, 16)
#define PRESP0_PASID            BITS(51, 32)
#define PRESP1_IGNORED          BIT_AT(2)
#define PRESP1_PRGI             BITS(11, 3)

_Static_assert(sizeof(PageRequestDescriptor) == 32, "page request descriptor");

#endif /* DMAR_SPEC_PAGE_REQUESTS_H */
