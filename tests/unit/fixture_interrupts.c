/*
 * Interrupts of the unit tests' machine: the table, requests and claims.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_interrupts.h"

DmarInterrupt delivered;

void given_table(const DmarConfig *config, unsigned order, bool x2apic)
{
    power_on(config);
    given_queue(32);
    unsigned bytes = (2u << order) * 16;
    m.remap_table = new_pages((bytes + PAGE - 1) / PAGE);
    set_reg(IRTA_REG, m.remap_table | (x2apic ? IRTA_EIME : 0) | order);
    command(GCMD_SIRTP);
    execute(interrupt_global());
    command(GCMD_IRE);
}

uint64_t entry_at(unsigned index)
{
    return m.remap_table + 16 * index;
}

void given_entry(unsigned index, uint8_t vector, uint32_t destination)
{
    bool x2apic = reg(IRTA_REG) & IRTA_EIME;
    poke(entry_at(index) + 8, 0);
    poke(entry_at(index), (uint64_t)destination << (x2apic ? 32 : 40) |
         (uint64_t)vector << 16 | 1);
}

void given_xapic(void)
{
    given_table(&widest, 15, false);
}

uint64_t message_addr(unsigned index)
{
    return 0xfee00000 | BIT_AT(4) | (uint64_t)(index & 0x7fff) << 5 |
        (uint64_t)(index >> 15) << 2;
}

DmarInterruptVerdict interrupt_at(uint16_t sid, uint64_t addr, uint32_t data)
{
    DmarInterruptRequest request = { .source_id = sid, .addr = addr,
                                     .data = data, .size = 4,
                                     .is_write = true };
    return dmar_remap_interrupt(m.dmar, &request, &delivered);
}

DmarInterruptVerdict interrupt(unsigned index)
{
    return interrupt_at(DEV, message_addr(index), 0);
}

void is_delivered(unsigned index, uint8_t vector)
{
    ck_assert_int_eq(interrupt(index), DMAR_INTERRUPT_REMAPPED);
    ck_assert_uint_eq(delivered.vector, vector);
}

void blocked(DmarInterruptVerdict verdict, uint8_t reason)
{
    ck_assert_int_eq(verdict, DMAR_INTERRUPT_BLOCKED);
    ck_assert_uint_eq(delivered.reason, reason);
}

void is_blocked(unsigned index, uint8_t reason)
{
    blocked(interrupt(index), reason);
    Fault fault = take_fault();
    ck_assert(fault.recorded);
    ck_assert_uint_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.sid, DEV);
    ck_assert(!fault.with_pasid);
    ck_assert_uint_eq(fault.addr, (uint64_t)index << 48);
}

void is_sent_by(uint16_t sid, bool allowed)
{
    DmarInterruptVerdict verdict = interrupt_at(sid, message_addr(INDEX), 0);
    if (allowed) {
        ck_assert_int_eq(verdict, DMAR_INTERRUPT_REMAPPED);
    } else {
        blocked(verdict, FAULT_IR_SOURCE_INVALID);
        fault_left(FAULT_IR_SOURCE_INVALID, sid);
    }
}
