/*
 * One stage or two: what a binding's type makes of the walker
 * [VT-d 3.6 .. 3.8].
 *
 * Nested, every address of the first stage, of its tables and of the page it
 * ends at, is translated by the second.  The tables' entries need to be
 * readable there, and writable as well where the second stage keeps accessed
 * and dirty bits or where a bit of the entry is to be set [VT-d 3.8.1].
 *
 * Rights: the second stage grants reading and writing; the first grants
 * according to who asks [VT-d 3.6.1].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk.h"

/* ---- Rights ----------------------------------------------------------------- */

static bool first_stage_grants(const DmarMapping *mapping, bool privileged)
{
    return privileged || (mapping->rights & RIGHT_USER);
}

static bool first_stage_grants_write(const DmarBinding *binding,
                                     const DmarMapping *mapping, bool privileged)
{
    if (privileged && !binding->write_protect) {
        return true;
    }
    return first_stage_grants(mapping, privileged) &&
           (mapping->rights & RIGHT_WRITABLE);
}

bool dmar_may_read(const DmarMapping *mapping, bool privileged)
{
    return first_stage_grants(mapping, privileged) &&
           (mapping->rights & RIGHT_READ);
}

bool dmar_may_write(const DmarBinding *binding, const DmarMapping *mapping,
                    bool privileged)
{
    return first_stage_grants_write(binding, mapping, privileged) &&
           (mapping->rights & RIGHT_WRITE);
}

/* ---- Addresses -------------------------------------------------------------- */

static bool is_nested(const DmarBinding *binding)
{
    return binding->pgtt == PGTT_NESTED;
}

static unsigned second_stage_bits(const DmarWalk *walk)
{
    unsigned levels = walk->binding->root[DMAR_SECOND_STAGE].levels;

    return dmar_caps_input_bits(walk->dmar, LEVEL_SHIFT(levels + 1));
}

/* Bits 63 down to the highest that is translated are all alike [VT-d 3.6]. */
static bool is_canonical(const DmarWalk *walk, uint64_t addr)
{
    unsigned levels = walk->binding->root[DMAR_FIRST_STAGE].levels;
    uint64_t above = addr >> (LEVEL_SHIFT(levels + 1) - 1);

    return above == 0 || above == ~UINT64_C(0) >> (LEVEL_SHIFT(levels + 1) - 1);
}

uint8_t dmar_check_guest_address(const DmarWalk *walk, uint64_t entry)
{
    return entry & PAGING_ADDR & ~low_bits(second_stage_bits(walk))
           ? FAULT_FS_ADDRESS_BEYOND : FAULT_NONE;
}

/* ---- Nesting ---------------------------------------------------------------- */

/* The second stage of something that belongs to the first. */
static uint8_t walk_second(const DmarWalk *walk, uint64_t addr, bool writes,
                           bool marks, DmarMapping *out)
{
    DmarWalk inner = *walk;

    inner.writes = writes;
    inner.marks = walk->marks && marks;
    return dmar_walk_stage(&inner, &dmar_second_stage, addr, out);
}

static uint8_t missing_right(const DmarWalk *walk, unsigned level, bool updates)
{
    if (updates) {
        return FAULT_FS_UPDATE_DENIED;
    }
    return level == walk->binding->root[DMAR_FIRST_STAGE].levels
           ? FAULT_FS_TOP_READ_DENIED : FAULT_FS_READ_DENIED;
}

uint8_t dmar_locate_entry(const DmarWalk *walk, unsigned level, uint64_t addr,
                          bool updates, uint64_t *out)
{
    bool writable = updates || walk->binding->second_stage_dirty;
    uint8_t needed = writable ? RIGHTS_SECOND : RIGHT_READ;
    DmarMapping page;
    uint8_t reason = walk_second(walk, addr, updates, true, &page);

    if (reason) {
        return reason;
    }
    *out = page.output | (addr & low_bits(page.shift));
    return (page.rights & needed) == needed ? FAULT_NONE
                                            : missing_right(walk, level, updates);
}

/* The page of the second stage that a page of the first one, or a part of it,
 * leads to; @out is the part that is one piece in both. */
static void combine(const DmarMapping *first, const DmarMapping *second,
                    uint64_t guest, DmarMapping *out)
{
    uint8_t shift = MIN(first->shift, second->shift);
    uint64_t output = second->output | (guest & low_bits(second->shift));

    *out = (DmarMapping) {
        .output = output & ~low_bits(shift),
        .shift = shift,
        .rights = first->rights & second->rights,
        .dirty = first->dirty && second->dirty,
        .snoop = second->snoop,
    };
}

static uint64_t guest_address(const DmarMapping *first, uint64_t addr)
{
    return first->output | (addr & low_bits(first->shift));
}

static bool second_stage_grants(const DmarWalk *walk, const DmarMapping *page)
{
    uint8_t needed = walk->must_read ? RIGHTS_SECOND : RIGHT_WRITE;

    return (page->rights & needed) == needed;
}

/* A write that is refused leaves no dirty bit, neither here nor there; nested,
 * the second stage is asked before the first is told. */
uint8_t dmar_ask_to_write(DmarWalk *walk, const DmarStage *stage,
                          const DmarMapping *leaf, uint64_t addr, bool *granted)
{
    DmarMapping page = *leaf;
    uint8_t reason = FAULT_NONE;

    *granted = false;
    if (stage->id == DMAR_FIRST_STAGE) {
        if (!first_stage_grants_write(walk->binding, leaf, walk->privileged)) {
            return FAULT_NONE;
        }
        if (is_nested(walk->binding)) {
            reason = walk_second(walk, guest_address(leaf, addr), false, false,
                                 &page);
        }
    }
    *granted = !reason && second_stage_grants(walk, &page);
    return reason;
}

/* What the first stage refuses is refused before the second is asked
 * [VT-d 7.1.3]. */
static bool first_stage_refuses(const DmarWalk *walk, const DmarMapping *first)
{
    return !first_stage_grants(first, walk->privileged) ||
           (walk->must_write &&
            !first_stage_grants_write(walk->binding, first, walk->privileged));
}

/* Where the first stage's dirty bit is clear still, the second refused when it
 * was asked; what it grants by now comes too late. */
static uint8_t walk_nested(DmarWalk *walk, uint64_t addr, DmarMapping *out)
{
    DmarMapping first, second;
    uint8_t reason = dmar_walk_stage(walk, &dmar_first_stage, addr, &first);
    bool writes;

    if (reason || first_stage_refuses(walk, &first)) {
        *out = first;
        return reason;
    }
    writes = walk->writes &&
             first_stage_grants_write(walk->binding, &first, walk->privileged);
    reason = walk_second(walk, guest_address(&first, addr),
                         writes && first.dirty, true, &second);
    if (reason) {
        return reason;
    }
    combine(&first, &second, guest_address(&first, addr), out);
    if (writes && walk->marks && !first.dirty &&
        second_stage_grants(walk, &second)) {
        out->rights &= ~RIGHT_WRITE;
    }
    return FAULT_NONE;
}

/* ---- The walk --------------------------------------------------------------- */

static uint8_t address_beyond(const DmarBinding *binding)
{
    return binding->legacy ? FAULT_LEGACY_ADDRESS_BEYOND
                           : FAULT_SS_ADDRESS_BEYOND;
}

uint8_t dmar_walk(DmarWalk *walk, uint64_t addr, DmarMapping *out)
{
    if (walk->binding->pgtt == PGTT_SECOND_STAGE) {
        return addr & ~low_bits(second_stage_bits(walk))
               ? address_beyond(walk->binding)
               : dmar_walk_stage(walk, &dmar_second_stage, addr, out);
    }
    if (!is_canonical(walk, addr)) {
        return FAULT_FS_NOT_CANONICAL;
    }
    return is_nested(walk->binding)
           ? walk_nested(walk, addr, out)
           : dmar_walk_stage(walk, &dmar_first_stage, addr, out);
}
