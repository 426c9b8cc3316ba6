/*
 * Inside the model: answers out of what caches may hold [6.2].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MODEL_CACHE_H
#define TESTS_UNIT_MODEL_CACHE_H

#include "model_path.h"

/* A context or PASID-table entry that is used instead of @fresh (as memory has
 * it if @found); NULL: none is. */
const ModelHeld *recall_entry(Path *p, const ModelHeld *fresh, bool found);

/* Answer from a page of the IOTLB; false: walk. */
bool answered_by_page(Path *p);

/* Where a walk to @addr is: at the table of @level with these rights. */
typedef struct Walk {
    unsigned level;
    uint64_t table;
    bool read, write, user;
} Walk;

/* Start a walk further down, if a cache may hold the table there. */
void skip_ahead(Path *p, ModelCache cache, uint64_t addr, Walk *walk);

#endif /* TESTS_UNIT_MODEL_CACHE_H */
