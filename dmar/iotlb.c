/*
 * IOTLB and paging-structure caches [VT-d 6.2.4, 6.2.5]: who finds what in
 * them, and what each invalidation takes out [VT-d 6.5.2.3, 6.5.2.4].
 *
 * The IOTLB is looked up by source-id, by whether there is a PASID and which,
 * and by address [VT-d 6.2.1]: a hit asks neither context nor PASID entry.
 * So all that an answer depends on is kept with it, and a driver that changes
 * an entry and forgets the IOTLB goes on with the old one, as on hardware.
 *
 * The paging-structure caches hold what refers to the next table: of the
 * first stage by domain, PASID and address, of the second by domain and
 * address.  Under nesting, tables of the first stage are remembered by their
 * guest-physical address; where that leads is asked anew.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tlb.h"
#include "unit.h"

enum { IOTLB_ENTRIES = 1 << 14, PAGING_ENTRIES = 1 << 12 };

/* Sizes a page can have: 4 KiB, 2 MiB, 1 GiB. */
static const uint8_t page_shifts[] = { 12, 21, 30 };

/* Types of translations: PGTT, and others for first stages of 5 levels, whose
 * input addresses are wider. */
enum { WITH_5_LEVELS = 4 };

#define EVERY_TYPE      0xff
#define OF_4_LEVELS     (BIT_AT(PGTT_FIRST_STAGE) | BIT_AT(PGTT_NESTED))
#define OF_5_LEVELS     (OF_4_LEVELS << WITH_5_LEVELS)
#define NESTED_OR_FIRST (OF_4_LEVELS | OF_5_LEVELS)
#define NEITHER         (EVERY_TYPE & ~NESTED_OR_FIRST)

struct DmarIotlb {
    DmarTlb *pages;             /* DmarEntry */
    DmarTlb *tables[2];         /* DmarTable, by stage */
};

DmarIotlb *dmar_iotlb_new(void)
{
    DmarIotlb *iotlb = g_new0(DmarIotlb, 1);

    iotlb->pages = dmar_tlb_new(IOTLB_ENTRIES, sizeof(DmarEntry));
    for (unsigned i = 0; i < G_N_ELEMENTS(iotlb->tables); i++) {
        iotlb->tables[i] = dmar_tlb_new(PAGING_ENTRIES, sizeof(DmarTable));
    }
    return iotlb;
}

void dmar_iotlb_free(DmarIotlb *iotlb)
{
    dmar_tlb_free(iotlb->pages);
    for (unsigned i = 0; i < G_N_ELEMENTS(iotlb->tables); i++) {
        dmar_tlb_free(iotlb->tables[i]);
    }
    g_free(iotlb);
}

/* ---- Pages ---------------------------------------------------------------- */

static uint64_t requester(uint16_t source_id, uint32_t pasid)
{
    return (uint64_t)source_id << 32 | pasid;
}

static uint8_t type_of(const DmarBinding *binding)
{
    bool first = BIT_AT(binding->pgtt) & OF_4_LEVELS;

    return first && binding->root[DMAR_FIRST_STAGE].levels == 5
           ? binding->pgtt + WITH_5_LEVELS : binding->pgtt;
}

static DmarTlbTags tags_of(const DmarBinding *binding)
{
    return (DmarTlbTags) { .domain = binding->domain, .pasid = binding->pasid,
                           .type = type_of(binding) };
}

const DmarEntry *dmar_iotlb_find(const DmarIotlb *iotlb,
                                 const DmarRequest *request)
{
    uint64_t who = requester(request->source_id, request->pasid);

    for (unsigned i = 0; i < G_N_ELEMENTS(page_shifts); i++) {
        const DmarEntry *entry = dmar_tlb_find(iotlb->pages, who, request->addr,
                                               page_shifts[i]);
        if (entry) {
            return entry;
        }
    }
    return NULL;
}

void dmar_iotlb_add(DmarIotlb *iotlb, const DmarRequest *request,
                    const DmarEntry *entry)
{
    DmarEntry *room = dmar_tlb_add(iotlb->pages,
                                   requester(request->source_id, request->pasid),
                                   request->addr, entry->mapping.shift,
                                   tags_of(&entry->binding));

    *room = *entry;
}

/* ---- Tables --------------------------------------------------------------- */

static uint64_t owner(const DmarBinding *binding, DmarStageId stage)
{
    return stage == DMAR_FIRST_STAGE
           ? (uint64_t)binding->domain << 32 | binding->pasid : binding->domain;
}

/* The lowest table on the way to @addr that is known, and its level. */
const DmarTable *dmar_iotlb_find_table(const DmarIotlb *iotlb,
                                       const DmarBinding *binding,
                                       DmarStageId stage, uint64_t addr,
                                       unsigned levels, unsigned *level)
{
    uint64_t who = owner(binding, stage);

    for (unsigned above = 2; above <= levels; above++) {
        const DmarTable *table = dmar_tlb_find(iotlb->tables[stage], who, addr,
                                               LEVEL_SHIFT(above));
        if (table) {
            *level = above - 1;
            return table;
        }
    }
    return NULL;
}

/* @level is that of the entry which refers to @table. */
void dmar_iotlb_add_table(DmarIotlb *iotlb, const DmarBinding *binding,
                          DmarStageId stage, uint64_t addr, unsigned level,
                          const DmarTable *table)
{
    DmarTable *room = dmar_tlb_add(iotlb->tables[stage], owner(binding, stage),
                                   addr, LEVEL_SHIFT(level), tags_of(binding));

    *room = *table;
}

/* ---- Invalidation --------------------------------------------------------- */

void dmar_iotlb_drop_all(DmarIotlb *iotlb)
{
    dmar_tlb_drop_all(iotlb->pages);
    dmar_tlb_drop_all(iotlb->tables[DMAR_FIRST_STAGE]);
    dmar_tlb_drop_all(iotlb->tables[DMAR_SECOND_STAGE]);
}

void dmar_iotlb_drop_domain(DmarIotlb *iotlb, uint16_t domain)
{
    DmarTlbSelection s = { .domain = domain, .types = EVERY_TYPE };

    dmar_tlb_drop(iotlb->pages, &s);
    dmar_tlb_drop(iotlb->tables[DMAR_FIRST_STAGE], &s);
    dmar_tlb_drop(iotlb->tables[DMAR_SECOND_STAGE], &s);
}

/* Nobody knows which first-stage addresses lead to a second-stage range: all
 * that a first stage has part in goes [VT-d 6.5.2.3, Table 23]. */
void dmar_iotlb_drop_range(DmarIotlb *iotlb, uint16_t domain,
                           const DmarRange *range)
{
    DmarTlbSelection whole = { .domain = domain, .types = NESTED_OR_FIRST };
    DmarTlbSelection part = { .domain = domain, .types = NEITHER,
                              .by_range = true, .first = range->first,
                              .last = range->last };

    dmar_tlb_drop(iotlb->pages, &part);
    dmar_tlb_drop(iotlb->pages, &whole);
    whole.types = EVERY_TYPE;
    dmar_tlb_drop(iotlb->tables[DMAR_FIRST_STAGE], &whole);
    if (!range->leaves_only) {
        part.types = EVERY_TYPE;
        dmar_tlb_drop(iotlb->tables[DMAR_SECOND_STAGE], &part);
    }
}

void dmar_iotlb_drop_pasid(DmarIotlb *iotlb, uint16_t domain, uint32_t pasid)
{
    DmarTlbSelection s = { .domain = domain, .types = EVERY_TYPE,
                           .by_pasid = true, .pasid = pasid };

    dmar_tlb_drop(iotlb->pages, &s);
    dmar_tlb_drop(iotlb->tables[DMAR_FIRST_STAGE], &s);
}

/* Entries are tagged with no more address bits than their tables translate
 * [VT-d 6.2.1, Table 18]. */
static void drop_first_stage_range(DmarIotlb *iotlb, DmarTlbSelection s,
                                   const DmarRange *range, unsigned bits)
{
    s.by_range = true;
    s.first = dmar_canonical(range->first, bits);
    s.last = dmar_canonical(range->last, bits);
    dmar_tlb_drop(iotlb->pages, &s);
    if (!range->leaves_only) {
        dmar_tlb_drop(iotlb->tables[DMAR_FIRST_STAGE], &s);
    }
}

/* Second-stage and pass-through mappings are not its business
 * [VT-d 6.5.2.4, Table 24]. */
void dmar_iotlb_drop_pasid_range(DmarIotlb *iotlb, uint16_t domain,
                                 uint32_t pasid, const DmarRange *range)
{
    DmarTlbSelection s = { .domain = domain, .types = OF_4_LEVELS,
                           .by_pasid = true, .pasid = pasid };

    drop_first_stage_range(iotlb, s, range, LEVEL_SHIFT(5));
    s.types = OF_5_LEVELS;
    drop_first_stage_range(iotlb, s, range, LEVEL_SHIFT(6));
}
