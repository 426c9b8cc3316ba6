/*
 * The page walk: tables of one stage from the root, or from what the
 * paging-structure caches know, to the leaf that maps an address
 * [VT-d 3.5 .. 3.7].
 *
 * The walker knows no bit: a stage (walk.h) answers its questions about an
 * entry.  Where entries of a nested first stage are is nested.c's to say.
 *
 * Accessed and dirty bits are set by compare-exchange, in every entry that the
 * walk uses [VT-d 3.6.2, 3.7.2].  Who loses the race looks at the entry as if
 * it had just been read.  Software that keeps winning is answered, after a
 * while, as if the update had failed.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk.h"

enum { MOST_RACES = 64 };

/* One entry on the way. */
typedef struct Step {
    unsigned level;
    uint64_t where;             /* as the table that holds it is addressed */
    uint64_t addr;              /* in memory */
    uint64_t entry;
    uint8_t rights;             /* of all entries up to this one */
    bool leaf;
} Step;

static unsigned index_at(uint64_t addr, unsigned level)
{
    return (addr >> LEVEL_SHIFT(level)) & low_bits(LEVEL_BITS);
}

static void map_leaf(const DmarWalk *walk, const DmarStage *stage,
                     const Step *step, DmarMapping *out)
{
    uint64_t dirty = stage->dirty(walk->binding);

    *out = (DmarMapping) {
        .output = step->entry & PAGING_ADDR & ~low_bits(LEVEL_SHIFT(step->level)),
        .shift = LEVEL_SHIFT(step->level),
        .rights = step->rights,
        .dirty = (step->entry & dirty) == dirty,
        .snoop = stage->id == DMAR_SECOND_STAGE && (step->entry & SS_SNP),
    };
}

/* ---- Bits of entries ------------------------------------------------------- */

static uint8_t find_bits_due(DmarWalk *walk, const DmarStage *stage,
                             const Step *step, uint64_t addr, uint64_t *due)
{
    uint64_t dirty = stage->dirty(walk->binding);
    bool granted = false;
    DmarMapping leaf;
    uint8_t reason = FAULT_NONE;

    if (step->leaf && walk->writes && (step->entry & dirty) != dirty) {
        map_leaf(walk, stage, step, &leaf);
        reason = dmar_ask_to_write(walk, stage, &leaf, addr, &granted);
    }
    *due = stage->accessed(walk->binding) | (granted ? dirty : 0);
    return reason;
}

/* Set what is @due; @step->entry is what is in memory then.  True: somebody
 * else changed the entry meanwhile. */
static uint8_t set_bits(DmarWalk *walk, const DmarStage *stage, Step *step,
                        uint64_t due, bool *lost)
{
    const DmarWalkReasons *reasons = stage->reasons(walk->binding);
    uint64_t found = step->entry;
    uint64_t addr;
    uint8_t reason;

    if (!walk->binding->walk_snooped) {
        return reasons->unsnooped;
    }
    reason = dmar_locate_entry(walk, stage, step->level, step->where, true, &addr);
    if (reason) {
        return reason;
    }
    if (!walk->dmar->host.compare_exchange(walk->dmar->opaque, addr, &found,
                                           step->entry | due)) {
        return reasons->not_updated;
    }
    *lost = found != step->entry;
    if (!*lost) {
        dmar_perf_count(walk->dmar, PERF_UPDATES, 0);
    }
    step->entry = *lost ? found : step->entry | due;
    return FAULT_NONE;
}

/* ---- One entry -------------------------------------------------------------- */

static uint8_t read_entry(DmarWalk *walk, const DmarStage *stage, Step *step)
{
    const DmarWalkReasons *reasons = stage->reasons(walk->binding);
    bool top = step->level == walk->binding->root[stage->id].levels;
    uint8_t reason = dmar_locate_entry(walk, stage, step->level, step->where,
                                       false, &step->addr);

    if (reason) {
        return reason;
    }
    if (!dmar_read_words(walk->dmar, step->addr, &step->entry, 1)) {
        return top ? reasons->top_unreadable : reasons->unreadable;
    }
    dmar_report(walk->dmar, DMAR_EVENT_WALK, walk->binding->source_id,
                walk->binding->pasid, step->addr, step->entry, step->level);
    return FAULT_NONE;
}

/* @rights: of the entries above. */
static uint8_t check_entry(DmarWalk *walk, const DmarStage *stage, Step *step,
                           uint8_t rights)
{
    const DmarWalkReasons *reasons = stage->reasons(walk->binding);

    step->rights = rights & stage->rights(step->entry);
    step->leaf = stage->is_leaf(step->entry, step->level);
    if (!stage->is_present(step->entry) || !(step->rights & RIGHTS_SECOND)) {
        return reasons->absent;
    }
    if (stage->reserved(walk->dmar, step->entry, step->level)) {
        return reasons->reserved;
    }
    return dmar_check_guest_address(walk, stage, step->entry);
}

static uint8_t use_entry(DmarWalk *walk, const DmarStage *stage, Step *step,
                         uint64_t addr)
{
    uint8_t rights = step->rights;
    uint8_t reason = read_entry(walk, stage, step);

    for (unsigned races = 0; !reason; races++) {
        bool lost = false;
        uint64_t due;

        reason = check_entry(walk, stage, step, rights);
        if (reason || !walk->marks) {
            break;
        }
        reason = find_bits_due(walk, stage, step, addr, &due);
        if (reason || (step->entry & due) == due) {
            break;
        }
        reason = set_bits(walk, stage, step, due, &lost);
        if (!lost) {
            break;
        }
        if (races == MOST_RACES) {
            reason = stage->reasons(walk->binding)->not_updated;
        }
    }
    return reason;
}

/* ---- The walk --------------------------------------------------------------- */

/* A table of level n is known by the entry of level n + 1 that refers to it. */
static void count_lookup(const DmarWalk *walk, const DmarStage *stage,
                         const DmarTable *known, const unsigned *level)
{
    bool first = stage->id == DMAR_FIRST_STAGE;

    dmar_perf_count(walk->dmar, first ? PERF_FIRST_STAGE_LOOKUP
                                      : PERF_SECOND_STAGE_LOOKUP, 0);
    if (known) {
        dmar_perf_count(walk->dmar, first ? PERF_FIRST_STAGE_HIT
                                          : PERF_SECOND_STAGE_HIT, *level);
    }
}

/* Where to begin: the lowest table that is known. */
static DmarTable first_table(const DmarWalk *walk, const DmarStage *stage,
                             uint64_t addr, unsigned *level)
{
    const DmarRoot *root = &walk->binding->root[stage->id];
    const DmarTable *known = dmar_iotlb_find_table(walk->dmar->iotlb,
                                                   walk->binding, stage->id,
                                                   addr, root->levels, level);

    count_lookup(walk, stage, known, level);
    if (known) {
        return *known;
    }
    *level = root->levels;
    return (DmarTable) { root->addr, RIGHTS_ALL };
}

static void remember_table(DmarWalk *walk, const DmarStage *stage,
                           const Step *step, uint64_t addr)
{
    DmarTable table = { step->entry & PAGING_ADDR, step->rights };

    if (walk->marks) {
        dmar_iotlb_add_table(walk->dmar->iotlb, walk->binding, stage->id, addr,
                             step->level, &table);
    }
}

uint8_t dmar_walk_stage(DmarWalk *walk, const DmarStage *stage, uint64_t addr,
                        DmarMapping *out)
{
    unsigned level;
    DmarTable table = first_table(walk, stage, addr, &level);

    for (; ; level--) {
        Step step = { .level = level, .rights = table.rights,
                      .where = table.addr + 8 * index_at(addr, level) };
        uint8_t reason = use_entry(walk, stage, &step, addr);

        if (reason) {
            return reason;
        }
        if (step.leaf) {
            map_leaf(walk, stage, &step, out);
            return FAULT_NONE;
        }
        remember_table(walk, stage, &step, addr);
        table = (DmarTable) { step.entry & PAGING_ADDR, step.rights };
    }
}
