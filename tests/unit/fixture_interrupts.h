/*
 * Interrupts in unit tests: software's table of entries, requests of a device,
 * and claims about what became of them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FIXTURE_INTERRUPTS_H
#define TESTS_UNIT_FIXTURE_INTERRUPTS_H

#include "fixture.h"

#define DEV         0x0a18
#define INDEX       0x123
#define VECTOR      0x4d

extern DmarInterrupt delivered;     /* what the last request led to */

/* A unit that remaps interrupts by a table of 2^(@order + 1) entries. */
void given_table(const DmarConfig *config, unsigned order, bool x2apic);
void given_xapic(void);             /* ... of the widest, with every index */

uint64_t entry_at(unsigned index);
/* A fixed interrupt to the APIC @destination; xAPIC mode keeps 8 bits. */
void given_entry(unsigned index, uint8_t vector, uint32_t destination);

/* Requests: a DWORD written by @sid, or by DEV in remappable format. */
uint64_t message_addr(unsigned index);
DmarInterruptVerdict interrupt_at(uint16_t sid, uint64_t addr, uint32_t data);
DmarInterruptVerdict interrupt(unsigned index);

void is_delivered(unsigned index, uint8_t vector);
void blocked(DmarInterruptVerdict verdict, uint8_t reason);
/* Blocked and recorded with the index it had. */
void is_blocked(unsigned index, uint8_t reason);
/* Whether @sid may send INDEX. */
void is_sent_by(uint16_t sid, bool allowed);

#endif /* TESTS_UNIT_FIXTURE_INTERRUPTS_H */
