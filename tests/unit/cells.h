/*
 * Cells: entries of tables that software rewrites while devices use them.
 *
 * A cell goes through numbered states, and each state has an answer of its own,
 * so that an answer tells which state it came from.  What is rewritten is a
 * paging entry of either stage, alone or nested, a PASID-table or context entry,
 * an interrupt entry; who asks is a DMA, a translation request, a page request
 * or an interrupt.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CELLS_H
#define TESTS_UNIT_CELLS_H

#include "fixture.h"

#define DEV         0x0a18
#define SWITCHED    0x22        /* its PASID entry is what changes */
#define INDEX       5           /* of the interrupt that changes */
#define DOMAIN      7
#define IOVA        0x40000000ull
#define SPACES      3           /* that an entry is switched among */

typedef struct Cell Cell;

/* What was answered, and to what. */
typedef struct Answer {
    uint64_t where;             /* or why not: REFUSED and the reason */
    bool writes;                /* a right to write was granted or used */
} Answer;

#define REFUSED     (1ull << 63)

typedef struct CellKind {
    const char *name;
    void (*write)(const Cell *cell, unsigned state);
    void (*invalidate)(const Cell *cell, unsigned state);
    /* Does this answer come from this state? */
    bool (*allows)(const Cell *cell, unsigned state, uint64_t where);
    Answer (*ask)(const Cell *cell, unsigned salt);
    /* Bits of the entry that an answer leaves set, and a right to write. */
    uint64_t accessed, dirty;
} CellKind;

struct Cell {
    const CellKind *kind;
    uint32_t pasid;
    uint16_t domain;
    uint64_t iova;
    uint64_t entry;
    uint64_t base;              /* its answers begin here */
    uint64_t guest;             /* nested: page of the first stage */
    unsigned written, settled;  /* numbers of states; atomic */
};

#define MOST_CELLS  16

extern Cell cells[MOST_CELLS];
extern unsigned cell_count;
extern Space spaces[SPACES];        /* of bindings */
extern bool legacy;

extern const CellKind page_kind;            /* second stage, without bits */
extern const CellKind marked_page_kind;     /* ... with accessed and dirty bits */
extern const CellKind legacy_page_kind;
extern const CellKind first_stage_kind;
extern const CellKind nested_first_kind;    /* the first stage's leaf changes */
extern const CellKind nested_second_kind;   /* ... and the second's */
extern const CellKind binding_kind;         /* PASID entry; legacy: context entry */
extern const CellKind interrupt_kind;

/* Add @cell, in state 0. */
void add_cell(Cell cell);

/* A page request of @pasid: REFUSED, or not. */
bool request_page(uint32_t pasid, uint64_t addr);

/* No cell yet; spaces that bindings are switched among. */
void given_spaces(unsigned levels);

/* Where software's state @state of a page leads to. */
uint64_t target_of(const Cell *cell, unsigned state);

/* What is wrong with what an answer left in its entry, or NULL. */
char *check_marks(const Cell *cell, const Answer *answer);

#endif /* TESTS_UNIT_CELLS_H */
