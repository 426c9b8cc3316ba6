/*
 * Interrupt remapping, as a test sets it up: a table of 256 entries for the
 * unit of a bed, and the MSIs of the bed's edu, as the local APIC gets them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_SM_INTERRUPT_H
#define TESTS_QTEST_SM_INTERRUPT_H

#include "sm-bed.h"

#define REG_IRTA        0x0b8
#define GCMD_CFI        (1u << 23)
#define GCMD_SIRTP      (1u << 24)
#define GCMD_IRE        (1u << 25)
#define IRTA_EIME       (1ull << 11)
#define IRTA_256        7               /* 2^(7 + 1) entries */
#define AS_IS_ADDR      0xfee00000ull

typedef struct IrBed {
    SmBed bed;
    uint64_t table;
} IrBed;

/* An entry that any source may use. */
static inline void entry_set(IrBed *ir, unsigned index, uint8_t vector)
{
    qtest_writeq(ir->bed.qts, ir->table + index * 16 + 8, 0);
    qtest_writeq(ir->bed.qts, ir->table + index * 16,
                 (uint64_t)vector << 16 | 1);
}

/* The address of an MSI in remappable form. */
static inline uint64_t remappable(unsigned index)
{
    return AS_IS_ADDR | (index & 0x7fff) << 5 | 1 << 4 | (index >> 15) << 2;
}

/* The bed is open. */
static inline void ir_start(IrBed *ir, uint64_t irta_flags)
{
    ir->table = sm_page(&ir->bed.sm);
    sm_writeq(&ir->bed.sm, SM_REG_IQA, ir->bed.sm.queue | SM_IQA_WIDE);
    sm_command(&ir->bed.sm, SM_GCMD_QIE);
    sm_writeq(&ir->bed.sm, REG_IRTA, ir->table | irta_flags | IRTA_256);
    sm_command(&ir->bed.sm, GCMD_SIRTP);
    sm_command(&ir->bed.sm, GCMD_IRE);
}

/* Does the local APIC of that id hold a request for @vector? */
static inline bool requested_at(QTestState *qts, unsigned id, uint8_t vector)
{
    g_autofree char *info = qtest_hmp(qts, "info lapic %u", id);
    g_autofree char *wanted = g_strdup_printf(" %u ", vector);
    char *irr = strstr(info, "IRR");

    g_assert_nonnull(irr);
    irr[strcspn(irr, "\r\n")] = 0;
    return strstr(irr, wanted);
}

static inline bool requested(SmBed *bed, uint8_t vector)
{
    return requested_at(bed->qts, 0, vector);
}

static inline void raise_msi(IrBed *ir, uint64_t addr, uint16_t data)
{
    edu_msi_set(&ir->bed.edu, addr, data);
    edu_interrupt(&ir->bed.edu);
}

#endif /* TESTS_QTEST_SM_INTERRUPT_H */
