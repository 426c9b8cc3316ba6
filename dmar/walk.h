/*
 * What the page walker asks of a stage: questions about one entry, and the
 * reasons of what can go wrong.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_WALK_H
#define DMAR_WALK_H

#include "unit.h"

typedef struct DmarWalkReasons {
    uint8_t top_unreadable;     /* the entry that root refers to */
    uint8_t unreadable;         /* any other */
    uint8_t absent;
    uint8_t reserved;
    uint8_t unsnooped;          /* a bit has to be set, and cannot be */
    uint8_t not_updated;        /* setting it failed */
} DmarWalkReasons;

typedef struct DmarStage {
    DmarStageId id;
    uint64_t present;           /* any of these bits */
    uint8_t rights[8];          /* by the lowest three bits of an entry */
    /* Bits that may be set in an entry of this level. */
    uint64_t (*allowed)(const Dmar *dmar, unsigned level, bool leaf);
    /* Bits to set in every entry used, and in the leaf of a write. */
    uint64_t (*accessed)(const DmarBinding *binding);
    uint64_t (*dirty)(const DmarBinding *binding);
    const DmarWalkReasons *(*reasons)(const DmarBinding *binding);
} DmarStage;

extern const DmarStage dmar_first_stage;
extern const DmarStage dmar_second_stage;

_Static_assert(FS_PS == SS_PS, "the same bit in both stages");

/* Walk the tables of one stage. */
uint8_t dmar_walk_stage(DmarWalk *walk, const DmarStage *stage, uint64_t addr,
                        DmarMapping *out);

/* nested.c, of a first stage that is nested: where an entry is in memory, @updates:
 * to set bits of it; and whether what it refers to is an address of the guest. */
uint8_t dmar_locate_entry(const DmarWalk *walk, unsigned level, uint64_t addr,
                          bool updates, uint64_t *out);
uint8_t dmar_check_guest_address(const DmarWalk *walk, uint64_t entry);
/* Whether this request, which writes, is granted the page that @leaf of one
 * stage leads to: only then is a dirty bit due. */
uint8_t dmar_ask_to_write(DmarWalk *walk, const DmarStage *stage,
                          const DmarMapping *leaf, uint64_t addr, bool *granted);

/* A page, not a table: of the last level, or large (PS is the same bit in both
 * stages). */
static inline bool dmar_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || ((level == 2 || level == 3) && (entry & SS_PS));
}

/* Whether addresses of @stage's tables are the second stage's to translate. */
static inline bool dmar_is_behind(const DmarWalk *walk, const DmarStage *stage)
{
    return stage->id == DMAR_FIRST_STAGE && walk->binding->pgtt == PGTT_NESTED;
}

#endif /* DMAR_WALK_H */
