/*
 * Interrupt messages and interrupt-remapping table entries
 * [VT-d 5.1.2, 9.9 IRTE for Remapped Interrupts].
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

typedef struct InterruptEntry { uint64_t word[2]; } InterruptEntry;
#define IRTE0_P                 BIT_AT(0)
#define IRTE0_FPD               BIT_AT(1)
#define IRTE0_DM                BIT_AT(2)
#define IRTE0_RH                BIT_AT(3)
#define IRTE0_TM                BIT_AT(4)
#define IRTE0_DLM               BITS(7, 5)
#define IRTE0_AVAIL             BITS(11, 8)
#define IRTE0_IM                BIT_AT(15)      /* posted; needs PI */
#define IRTE0_VECTOR            BITS(23, 16)
#define IRTE0_DST_X2APIC        BITS(63, 32)
#define IRTE0_DST_XAPIC         BITS(47, 40)
#define IRTE1_SID               BITS(15, 0)
#define IRTE1_SQ                BITS(17, 16)
#define IRTE1_SVT               BITS(19, 18)
enum { SVT_NONE = 0, SVT_SOURCE = 1, SVT_BUS_RANGE = 2, SVT_RESERVED = 3 };

_Static_assert(sizeof(InterruptEntry) == 16, "interrupt entry");

#endif /* DMAR_SPEC_INTERRUPTS_H */
