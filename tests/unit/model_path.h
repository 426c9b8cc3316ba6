/*
 * Inside the model: what a translation gathers on its way.
 *
 * A step that meets a fault owes it and stops; one whose fault may wait for
 * what follows (a right that is missing, a bit that cannot be set) owes it and
 * goes on.  In the end hardware tells one of those it owes.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MODEL_PATH_H
#define TESTS_UNIT_MODEL_PATH_H

#include "model.h"

#define MODEL_OWED  32

typedef enum Translation {
    FIRST_STAGE = 1, SECOND_STAGE = 2, NESTED = 3, PASS_THROUGH = 4,
} Translation;

typedef struct Path {
    const ModelUnit *unit;
    const ModelRequest *request;
    ModelChoices *choices;
    bool legacy;
    bool hide;                  /* some FPD was 1 */
    unsigned owed;              /* faults to choose from */
    uint8_t owe[MODEL_OWED];
    bool unmarked;              /* a probe left an entry as it was */
    /* What the tables say of the requester. */
    unsigned pasid, domain;
    bool privileged;
    Translation type;
    unsigned width;             /* AGAW in bits */
    uint64_t second_table;
    uint64_t first_table;
    unsigned first_levels;
    bool protect;               /* WPE */
    bool supervisor;            /* SRE */
    bool extended;              /* EAFE */
    bool track;                 /* SSADE */
    bool snooped;               /* page walks are */
    bool page_snoop;            /* PGSNP */
    ModelAnswer *answer;
} Path;

/* Where a second-stage walk lands, and how. */
typedef struct Landing {
    uint64_t addr, size;
    bool read, write, snoop;
    uint64_t leaf_at, leaf;     /* the last entry; 0: a cache answered */
} Landing;

/* ---- Formats: bits by their numbers in the specification's tables ----------------- */

uint64_t bits(const ModelEntry *entry, unsigned high, unsigned low);
bool bit(const ModelEntry *entry, unsigned which);
bool zero(const ModelEntry *entry, unsigned high, unsigned low);
uint64_t pointer(const ModelEntry *entry, unsigned base);
bool fetch(const Path *p, uint64_t addr, unsigned bytes, ModelEntry *out);
bool beyond(uint64_t addr, unsigned width);
bool is_interrupt(uint64_t first, uint64_t last);

/* ---- Freedom ------------------------------------------------------------------------ */

unsigned choose(Path *p, unsigned n);
void owe(Path *p, unsigned code);
void fill(Path *p, const ModelHeld *held);

/* In caching mode: @held is of something that faulted for what is owed. */
void fill_fault(Path *p, ModelHeld held);

/* ---- The stages (model_walk.c) ------------------------------------------------------- */

bool guest_beyond(const Path *p, uint64_t addr);
void go_through(Path *p);

#endif /* TESTS_UNIT_MODEL_PATH_H */
