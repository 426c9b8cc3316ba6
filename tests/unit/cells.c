/*
 * Cells of the test of threads, see cells.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cells.h"

#include <inttypes.h>

#define TARGETS     0x100000000ull
#define OF_A_CELL   (64 * MIB)      /* targets of one do not meet another's */
#define ADDRESS     0x000ffffffffff000ull

Cell cells[MOST_CELLS];
unsigned cell_count;
Space spaces[SPACES];
bool legacy;

void add_cell(Cell cell)
{
    ck_assert_uint_lt(cell_count, MOST_CELLS);
    cell.base = TARGETS + (cell_count + 1) * OF_A_CELL;
    cells[cell_count] = cell;
    cell.kind->write(&cells[cell_count], 0);
    cell_count++;
}

static bool is_absent(unsigned state)
{
    return state % 4 == 3;
}

uint64_t target_of(const Cell *cell, unsigned state)
{
    return cell->base + state * PAGE;
}

/* ---- Requests ------------------------------------------------------------------- */

/* A read, a write, or the question of a device with a cache of its own. */
static Answer ask_page(const Cell *cell, unsigned salt)
{
    uint64_t offset = salt % PAGE;
    DmarAccess access = salt % 2 ? DMAR_READ : DMAR_WRITE;
    bool device = !legacy && salt % 3 == 0;
    DmarTranslation t = device ? ats(DEV, cell->pasid, cell->iova + offset)
                        : dma(access, DEV, cell->pasid, cell->iova + offset);
    bool granted = t.completion == DMAR_SUCCESS && (t.read || t.write);
    return (Answer) {
        .where = granted ? t.addr - offset : REFUSED | t.reason,
        .writes = granted && (device ? t.write : access == DMAR_WRITE),
    };
}

/* ---- A page of the second stage --------------------------------------------------- */

static void write_page(const Cell *cell, unsigned state)
{
    poke(cell->entry, is_absent(state) ? 0 : target_of(cell, state) | RW);
}

static void invalidate_page(const Cell *cell, unsigned state)
{
    switch (state % 3) {
    case 0: submit(iotlb_page(cell->domain, cell->iova, 0, ONLY_LEAVES)); break;
    case 1: submit(iotlb_domain(cell->domain)); break;
    case 2: submit(iotlb_global()); break;
    }
}

static bool page_allows(const Cell *cell, unsigned state, uint64_t where)
{
    return is_absent(state) ? where == (REFUSED | FAULT_SS_NOT_PRESENT)
                            : where == target_of(cell, state);
}

static bool legacy_page_allows(const Cell *cell, unsigned state, uint64_t where)
{
    return is_absent(state) ? where == (REFUSED | FAULT_LEGACY_READ_DENIED) ||
                              where == (REFUSED | FAULT_LEGACY_WRITE_DENIED)
                            : where == target_of(cell, state);
}

const CellKind page_kind = {
    "page", write_page, invalidate_page, page_allows, ask_page,
};

const CellKind marked_page_kind = {
    "marked page", write_page, invalidate_page, page_allows, ask_page,
    .accessed = BIT_AT(8), .dirty = BIT_AT(9),
};

const CellKind legacy_page_kind = {
    "legacy page", write_page, invalidate_page, legacy_page_allows, ask_page,
};

/* ---- A page of the first stage ------------------------------------------------------ */

static void write_first_stage(const Cell *cell, unsigned state)
{
    uint64_t entry = target_of(cell, state) | PRESENT | USER_RW;
    poke(cell->entry, is_absent(state) ? 0 : entry);
}

static void invalidate_first_stage(const Cell *cell, unsigned state)
{
    uint16_t domain = cell->domain;
    switch (state % 5) {
    case 0: submit(p_iotlb_page(domain, cell->pasid, cell->iova, 0, ONLY_LEAVES));
        break;
    case 1: submit(p_iotlb_pasid(domain, cell->pasid)); break;
    case 2: submit(p_iotlb_page(domain, cell->pasid, cell->iova & -(8 * PAGE), 3,
                                NON_LEAVES_TOO));
        break;
    case 3: submit(iotlb_domain(domain)); break;
    case 4: submit(iotlb_global()); break;
    }
}

static bool first_stage_allows(const Cell *cell, unsigned state, uint64_t where)
{
    return is_absent(state) ? where == (REFUSED | FAULT_FS_NOT_PRESENT)
                            : where == target_of(cell, state);
}

const CellKind first_stage_kind = {
    "first stage", write_first_stage, invalidate_first_stage,
    first_stage_allows, ask_page, .accessed = BIT_AT(5), .dirty = BIT_AT(6),
};

/* Nested: every target is a guest's page, which the second stage maps to itself. */
const CellKind nested_first_kind = {
    "nested, first stage", write_first_stage, invalidate_first_stage,
    first_stage_allows, ask_page, .accessed = BIT_AT(5), .dirty = BIT_AT(6),
};

/* ---- Nested, the second stage changes ------------------------------------------------ */

static void invalidate_nested_second(const Cell *cell, unsigned state)
{
    switch (state % 3) {
    case 0: submit(iotlb_page(cell->domain, cell->guest, 0, ONLY_LEAVES)); break;
    case 1: submit(iotlb_domain(cell->domain)); break;
    case 2: submit(iotlb_global()); break;
    }
}

/* A page that comes while the first stage's dirty bit is not set is there too
 * late to be written. */
static bool nested_second_allows(const Cell *cell, unsigned state, uint64_t where)
{
    return page_allows(cell, state, where) ||
           (is_absent(state) && where == (REFUSED | FAULT_WRITE_DENIED));
}

const CellKind nested_second_kind = {
    "nested, second stage", write_page, invalidate_nested_second,
    nested_second_allows, ask_page, .accessed = BIT_AT(8), .dirty = BIT_AT(9),
};

/* ---- A PASID entry, or in legacy mode a context entry -------------------------------- */

/* As software has to: a present entry becomes absent before it is another. */
static bool is_unbound(unsigned state)
{
    return state % 2 == 1;
}

static unsigned space_of(unsigned state)
{
    return state / 2 % SPACES;
}

static uint64_t space_target(unsigned space)
{
    return TARGETS + space * PAGE;
}

void given_spaces(unsigned levels)
{
    cell_count = 0;
    for (unsigned i = 0; i < SPACES; i++) {
        spaces[i] = given_space(DOMAIN + 1 + i, levels);
        map(&spaces[i], IOVA, space_target(i), PAGE, RW);
    }
}

static void write_binding(const Cell *cell, unsigned state)
{
    const Space *to = &spaces[space_of(state)];
    if (is_unbound(state)) {
        poke(cell->entry, peek(cell->entry) & ~1ull);
    } else if (legacy) {
        given_legacy_context(DEV, 0, to);
    } else {
        given_pasid(DEV, cell->pasid, to);
    }
}

/* Nothing was cached of an absent entry. */
static void invalidate_binding(const Cell *cell, unsigned state)
{
    uint16_t domain = spaces[space_of(state)].domain;
    if (is_unbound(state)) {
        submit(legacy ? context_device(domain, DEV, 0)
                      : pasid_cache_pasid(domain, cell->pasid));
        submit(iotlb_domain(domain));
    }
}

#define QUEUED  1

static bool binding_allows(const Cell *cell, unsigned state, uint64_t where)
{
    uint8_t reason = legacy ? FAULT_LEGACY_CONTEXT_NOT_PRESENT
                            : FAULT_PASID_ENTRY_NOT_PRESENT;
    return is_unbound(state)
           ? where == (REFUSED | reason)
           : where == QUEUED || where == space_target(space_of(state));
}

bool request_page(uint32_t pasid, uint64_t addr)
{
    DmarPageRequest request = {
        .source_id = DEV, .pasid = pasid, .addr = addr, .read = true,
        .group = 0x155, .last = true,
    };
    DmarPageResponse response = { .code = DMAR_PAGE_SUCCESS };
    dmar_page_request(m.dmar, &request, &response);
    return response.code == DMAR_PAGE_SUCCESS;
}

static Answer ask_binding(const Cell *cell, unsigned salt)
{
    if (!legacy && salt % 5 == 0) {
        return (Answer) { request_page(cell->pasid, cell->iova) ? QUEUED
                          : REFUSED | FAULT_PASID_ENTRY_NOT_PRESENT };
    }
    return ask_page(cell, salt);
}

const CellKind binding_kind = {
    "binding", write_binding, invalidate_binding, binding_allows, ask_binding,
};

/* ---- An interrupt entry --------------------------------------------------------- */

static void write_interrupt(const Cell *cell, unsigned state)
{
    poke(cell->entry, is_absent(state) ? 0 : (uint64_t)state << 32 | 1);
}

static void invalidate_interrupt(const Cell *cell, unsigned state)
{
    submit(state % 2 ? interrupt_index(INDEX, 0) : interrupt_global());
}

static bool interrupt_allows(const Cell *cell, unsigned state, uint64_t where)
{
    return is_absent(state) ? where == (REFUSED | FAULT_IR_ENTRY_NOT_PRESENT)
                            : where == state;
}

static Answer ask_interrupt(const Cell *cell, unsigned salt)
{
    DmarInterruptRequest request = {
        .source_id = DEV, .addr = 0xfee00010 | INDEX << 5, .size = 4,
        .is_write = true,
    };
    DmarInterrupt out;
    DmarInterruptVerdict verdict = dmar_remap_interrupt(m.dmar, &request, &out);
    return (Answer) { verdict == DMAR_INTERRUPT_REMAPPED ? out.destination
                                                         : REFUSED | out.reason };
}

const CellKind interrupt_kind = {
    "interrupt", write_interrupt, invalidate_interrupt, interrupt_allows,
    ask_interrupt,
};

/* ---- Marks ----------------------------------------------------------------------- */

/* Every state has a target of its own: an entry that leads there still is the
 * one that answered. */
char *check_marks(const Cell *cell, const Answer *answer)
{
    uint64_t entry = peek(cell->entry);
    uint64_t due = cell->kind->accessed | (answer->writes ? cell->kind->dirty : 0);

    if ((answer->where & REFUSED) || (entry & ADDRESS) != answer->where ||
        (entry & due) == due) {
        return NULL;
    }
    return g_strdup_printf("cell %td (%s): entry %" PRIx64 " lacks bits of %"
                           PRIx64, cell - cells, cell->kind->name, entry, due);
}
