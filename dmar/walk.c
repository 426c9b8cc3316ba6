/*
 * The page walk: tables of one stage from the root, or from what the
 * paging-structure caches know, to the leaf that maps an address
 * [VT-d 3.5 .. 3.7].
 *
 * What bits mean, a stage (walk.h) says: some for all walks of a unit, some of
 * what a binding asks for.  Where entries of a nested first stage are is
 * nested.c's to say.
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

/* A stage, as this walk goes by it. */
typedef struct Rules {
    const DmarStage *stage;
    const DmarWalkReasons *reasons;
    uint64_t accessed, dirty;   /* bits to set, if the walk marks */
    uint64_t dirty_if_written;  /* all of them set: a write has nothing to set */
    const uint64_t (*reserved)[2];      /* by level, and whether it is a leaf */
    unsigned levels;
    bool behind;                /* the second stage says where entries are */
} Rules;

/* One entry on the way. */
typedef struct Step {
    unsigned level;
    uint64_t where;             /* as the table that holds it is addressed */
    uint64_t addr;              /* in memory */
    uint64_t entry;
    uint8_t rights;             /* of all entries up to this one */
    bool leaf;
} Step;

void dmar_walk_init(Dmar *dmar)
{
    static const DmarStage *const stages[] = { &dmar_first_stage,
                                               &dmar_second_stage };

    for (size_t i = 0; i < G_N_ELEMENTS(stages); i++) {
        for (unsigned level = 1; level <= DMAR_MOST_LEVELS; level++) {
            for (unsigned leaf = 0; leaf < 2; leaf++) {
                dmar->reserved[stages[i]->id][level][leaf] =
                    ~stages[i]->allowed(dmar, level, leaf);
            }
        }
    }
}

static Rules rules_of(const DmarWalk *walk, const DmarStage *stage)
{
    uint64_t dirty = stage->dirty(walk->binding);

    return (Rules) {
        .stage = stage,
        .reasons = stage->reasons(walk->binding),
        .accessed = walk->marks ? stage->accessed(walk->binding) : 0,
        .dirty = walk->marks && walk->writes ? dirty : 0,
        .dirty_if_written = dirty,
        .reserved = walk->dmar->reserved[stage->id],
        .levels = walk->binding->root[stage->id].levels,
        .behind = dmar_is_behind(walk, stage),
    };
}

static unsigned index_at(uint64_t addr, unsigned level)
{
    return (addr >> LEVEL_SHIFT(level)) & low_bits(LEVEL_BITS);
}

static void map_leaf(const Rules *rules, const Step *step, DmarMapping *out)
{
    uint64_t dirty = rules->dirty_if_written;

    *out = (DmarMapping) {
        .output = step->entry & PAGING_ADDR & ~low_bits(LEVEL_SHIFT(step->level)),
        .shift = LEVEL_SHIFT(step->level),
        .rights = step->rights,
        .dirty = (step->entry & dirty) == dirty,
        .snoop = rules->stage->id == DMAR_SECOND_STAGE && (step->entry & SS_SNP),
    };
}

/* ---- Bits of entries ------------------------------------------------------- */

static uint8_t find_bits_due(DmarWalk *walk, const Rules *rules,
                             const Step *step, uint64_t addr, uint64_t *due)
{
    bool granted = false;
    DmarMapping leaf;
    uint8_t reason = FAULT_NONE;

    if (step->leaf && (step->entry & rules->dirty) != rules->dirty) {
        map_leaf(rules, step, &leaf);
        reason = dmar_ask_to_write(walk, rules->stage, &leaf, addr, &granted);
    }
    *due = rules->accessed | (granted ? rules->dirty : 0);
    return reason;
}

static uint8_t locate(const DmarWalk *walk, const Rules *rules, const Step *step,
                      bool updates, uint64_t *addr)
{
    *addr = step->where;
    return rules->behind
           ? dmar_locate_entry(walk, step->level, step->where, updates, addr)
           : FAULT_NONE;
}

/* Set what is @due; @step->entry is what is in memory then.  True: somebody
 * else changed the entry meanwhile. */
static uint8_t set_bits(DmarWalk *walk, const Rules *rules, Step *step,
                        uint64_t due, bool *lost)
{
    uint64_t found = step->entry;
    uint64_t addr;
    uint8_t reason;

    if (!walk->binding->walk_snooped) {
        return rules->reasons->unsnooped;
    }
    reason = locate(walk, rules, step, true, &addr);
    if (reason) {
        return reason;
    }
    if (!walk->dmar->host.compare_exchange(walk->dmar->opaque, addr, &found,
                                           step->entry | due)) {
        return rules->reasons->not_updated;
    }
    *lost = found != step->entry;
    if (!*lost) {
        dmar_perf_count(walk->dmar, PERF_UPDATES, 0);
    }
    step->entry = *lost ? found : step->entry | due;
    return FAULT_NONE;
}

/* ---- One entry -------------------------------------------------------------- */

static inline uint8_t read_entry(DmarWalk *walk, const Rules *rules, Step *step)
{
    uint8_t reason = locate(walk, rules, step, false, &step->addr);

    if (reason) {
        return reason;
    }
    if (!dmar_read_words(walk->dmar, step->addr, &step->entry, 1)) {
        return step->level == rules->levels ? rules->reasons->top_unreadable
                                            : rules->reasons->unreadable;
    }
    dmar_report(walk->dmar, DMAR_EVENT_WALK, walk->binding->source_id,
                walk->binding->pasid, step->addr, step->entry, step->level);
    return FAULT_NONE;
}

/* @rights: of the entries above. */
static inline uint8_t check_entry(const DmarWalk *walk, const Rules *rules,
                                  Step *step, uint8_t rights)
{
    step->rights = rights & rules->stage->rights[step->entry & 7];
    step->leaf = dmar_is_leaf(step->entry, step->level);
    if (!(step->entry & rules->stage->present) ||
        !(step->rights & RIGHTS_SECOND)) {
        return rules->reasons->absent;
    }
    if (step->entry & rules->reserved[step->level][step->leaf]) {
        return rules->reasons->reserved;
    }
    return rules->behind ? dmar_check_guest_address(walk, step->entry)
                         : FAULT_NONE;
}

/* An entry that has bits to be set, and may be changed meanwhile. */
static uint8_t mark_entry(DmarWalk *walk, const Rules *rules, Step *step,
                          uint64_t addr, uint8_t rights)
{
    for (unsigned races = 0; ; races++) {
        bool lost = false;
        uint64_t due;
        uint8_t reason = find_bits_due(walk, rules, step, addr, &due);

        if (reason || (step->entry & due) == due) {
            return reason;
        }
        reason = set_bits(walk, rules, step, due, &lost);
        if (!lost) {
            return reason;
        }
        if (races == MOST_RACES) {
            return rules->reasons->not_updated;
        }
        reason = check_entry(walk, rules, step, rights);
        if (reason) {
            return reason;
        }
    }
}

static inline uint8_t use_entry(DmarWalk *walk, const Rules *rules, Step *step,
                                uint64_t addr)
{
    uint8_t rights = step->rights;
    uint64_t wanted = rules->accessed;
    uint8_t reason = read_entry(walk, rules, step);

    reason = reason ? reason : check_entry(walk, rules, step, rights);
    if (reason) {
        return reason;
    }
    wanted |= step->leaf ? rules->dirty : 0;
    return (step->entry & wanted) == wanted
           ? FAULT_NONE : mark_entry(walk, rules, step, addr, rights);
}

/* ---- The walk --------------------------------------------------------------- */

/* A table of level n is known by the entry of level n + 1 that refers to it. */
static void count_lookup(const DmarWalk *walk, const Rules *rules,
                         const DmarTable *known, const unsigned *level)
{
    bool first = rules->stage->id == DMAR_FIRST_STAGE;

    dmar_perf_count(walk->dmar, first ? PERF_FIRST_STAGE_LOOKUP
                                      : PERF_SECOND_STAGE_LOOKUP, 0);
    if (known) {
        dmar_perf_count(walk->dmar, first ? PERF_FIRST_STAGE_HIT
                                          : PERF_SECOND_STAGE_HIT, *level);
    }
}

/* Where to begin: the lowest table that is known. */
static DmarTable first_table(const DmarWalk *walk, const Rules *rules,
                             uint64_t addr, unsigned *level)
{
    DmarStageId id = rules->stage->id;
    const DmarTable *known = dmar_iotlb_find_table(walk->dmar->iotlb,
                                                   walk->binding, id, addr,
                                                   rules->levels, level);

    count_lookup(walk, rules, known, level);
    if (known) {
        return *known;
    }
    *level = rules->levels;
    return (DmarTable) { walk->binding->root[id].addr, RIGHTS_ALL };
}

static void remember_table(DmarWalk *walk, const Rules *rules, unsigned level,
                           uint64_t addr, const DmarTable *table)
{
    if (walk->marks) {
        dmar_iotlb_add_table(walk->dmar->iotlb, walk->binding, rules->stage->id,
                             addr, level, table);
    }
}

uint8_t dmar_walk_stage(DmarWalk *walk, const DmarStage *stage, uint64_t addr,
                        DmarMapping *out)
{
    const Rules rules = rules_of(walk, stage);
    unsigned level;
    DmarTable table = first_table(walk, &rules, addr, &level);

    for (; ; level--) {
        Step step = { .level = level, .rights = table.rights,
                      .where = table.addr + 8 * index_at(addr, level) };
        uint8_t reason = use_entry(walk, &rules, &step, addr);

        if (reason) {
            return reason;
        }
        if (step.leaf) {
            map_leaf(&rules, &step, out);
            return FAULT_NONE;
        }
        table = (DmarTable) { step.entry & PAGING_ADDR, step.rights };
        remember_table(walk, &rules, level, addr, &table);
    }
}
