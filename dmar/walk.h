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
    bool (*is_present)(uint64_t entry);
    bool (*is_leaf)(uint64_t entry, unsigned level);
    /* Bits set that have to be zero. */
    uint64_t (*reserved)(const Dmar *dmar, uint64_t entry, unsigned level);
    uint8_t (*rights)(uint64_t entry);
    /* Bits to set in every entry used, and in the leaf of a write. */
    uint64_t (*accessed)(const DmarBinding *binding);
    uint64_t (*dirty)(const DmarBinding *binding);
    const DmarWalkReasons *(*reasons)(const DmarBinding *binding);
} DmarStage;

extern const DmarStage dmar_first_stage;
extern const DmarStage dmar_second_stage;

/* Walk the tables of one stage. */
uint8_t dmar_walk_stage(DmarWalk *walk, const DmarStage *stage, uint64_t addr,
                        DmarMapping *out);

/* nested.c: where an entry of the first stage is in memory.  @updates: to set
 * bits of it. */
uint8_t dmar_locate_entry(DmarWalk *walk, const DmarStage *stage,
                          unsigned level, uint64_t addr, bool updates,
                          uint64_t *out);
/* Whether what a first-stage entry refers to is an address of the guest. */
uint8_t dmar_check_guest_address(const DmarWalk *walk, const DmarStage *stage,
                                 uint64_t entry);
/* Whether this request, which writes, is granted the page that @leaf of one
 * stage leads to: only then is a dirty bit due. */
uint8_t dmar_ask_to_write(DmarWalk *walk, const DmarStage *stage,
                          const DmarMapping *leaf, uint64_t addr, bool *granted);

static inline bool dmar_is_large_level(unsigned level)
{
    return level == 2 || level == 3;
}

#endif /* DMAR_WALK_H */
