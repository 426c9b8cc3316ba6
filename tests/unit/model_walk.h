/*
 * Inside the model: from a page to an answer.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MODEL_WALK_H
#define TESTS_UNIT_MODEL_WALK_H

#include "model_path.h"

/* What an address is mapped to; a stage that there is not grants everything. */
typedef struct Mapping {
    uint64_t addr, size;
    uint64_t first_at, first_leaf;      /* its entry; 0: none */
    Landing first_page;                 /* where that entry is */
    bool first_write, user;
    Landing second;
} Mapping;

bool second_reserved(const Path *p, const ModelEntry *e, unsigned level, bool leaf);

/* In legacy mode what is not there is what one has no right to. */
void owe_nothing_there(Path *p);

/* Check the rights, mark the page dirty, and answer. */
void answer_with(Path *p, Mapping *m);

#endif /* TESTS_UNIT_MODEL_WALK_H */
