/*
 * Interrupt messages, interrupt-remapping table entries and posted interrupt
 * descriptors [VT-d 5.1.2, 9.9 IRTE for Remapped Interrupts, 9.10 IRTE for
 * Posted Interrupts, 9.11 Posted Interrupt Descriptor].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_INTERRUPTS_H
#define DMAR_SPEC_INTERRUPTS_H

#include "field.h"

#define INTERRUPT_RANGE_BASE    UINT64_C(0xfee00000)
#define INTERRUPT_RANGE_LAST    UINT64_C(0xfeefffff)

/* The address of a message in remappable format [VT-d 5.1.2.2]. */
#define MSI_ADDR_HANDLE_15      BIT_AT(2)
#define MSI_ADDR_SHV            BIT_AT(3)
#define MSI_ADDR_REMAPPABLE     BIT_AT(4)
#define MSI_ADDR_HANDLE         BITS(19, 5)
#define MSI_DATA_SUBHANDLE      BITS(15, 0)
#define MSI_DATA_RESERVED       BITS(31, 16)

/* An entry: what both of its forms have, then that of a remapped interrupt,
 * then that of a posted one. */
typedef struct InterruptEntry { uint64_t word[2]; } InterruptEntry;
#define IRTE0_P                 BIT_AT(0)
#define IRTE0_FPD               BIT_AT(1)
#define IRTE0_AVAIL             BITS(11, 8)
#define IRTE0_IM                BIT_AT(15)      /* posted; needs PI */
#define IRTE0_VECTOR            BITS(23, 16)
#define IRTE1_SID               BITS(15, 0)
#define IRTE1_SQ                BITS(17, 16)
#define IRTE1_SVT               BITS(19, 18)

#define IRTE0_DM                BIT_AT(2)
#define IRTE0_RH                BIT_AT(3)
#define IRTE0_TM                BIT_AT(4)
#define IRTE0_DLM               BITS(7, 5)
#define IRTE0_DST_X2APIC        BITS(63, 32)
#define IRTE0_DST_XAPIC         BITS(47, 40)

#define IRTE0_URG               BIT_AT(14)
#define IRTE0_PDAL              BITS(63, 38)    /* descriptor's address 31:6 */
#define IRTE1_PDAH              BITS(63, 32)    /* ... and 63:32 */
#define PDAL_SHIFT              6
#define PDAH_SHIFT              32

enum { SVT_NONE = 0, SVT_SOURCE = 1, SVT_BUS_RANGE = 2, SVT_RESERVED = 3 };

/* A bit for each vector in words 0 to 3, then a word of control; the rest is
 * reserved. */
typedef struct PostedDescriptor { uint64_t word[8]; } PostedDescriptor;
#define PID_CONTROL             4
#define PID4_ON                 BIT_AT(0)       /* notification outstanding */
#define PID4_SN                 BIT_AT(1)       /* notification suppressed */
#define PID4_NV                 BITS(23, 16)
#define PID4_NDST_X2APIC        BITS(63, 32)
#define PID4_NDST_XAPIC         BITS(47, 40)

_Static_assert(sizeof(PostedDescriptor) == 64, "posted interrupt descriptor");
_Static_assert(sizeof(InterruptEntry) == 16, "interrupt entry");

#endif /* DMAR_SPEC_INTERRUPTS_H */
