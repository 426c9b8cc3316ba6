/*
 * The engine's answer and the model's: do they agree?
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_COMPARE_H
#define TESTS_UNIT_COMPARE_H

#include "fixture.h"
#include "model.h"

/* Note the memory as it is, before a request: the model looks at this. */
void note_memory(void);
bool noted_read(uint64_t addr, void *buf, size_t len);
bool noted_writable(uint64_t addr);

ModelRequest as_model_request(const DmarRequest *r);

/* Does the engine's answer with the fault it recorded, and what it did to
 * memory since, agree with this answer? */
bool agree(const DmarRequest *r, const DmarTranslation *t, const Fault *fault,
           const ModelAnswer *a);

/* What became of a page request, last of its group or not. */
typedef struct PageOutcome {
    bool last, answered, queued;
    unsigned code;
    Fault fault;
} PageOutcome;

PageOutcome ask_for_page(const DmarRequest *r, bool last);
bool page_agrees(const DmarRequest *r, const PageOutcome *o, const ModelAnswer *a);
char *describe_page(const DmarRequest *r, const PageOutcome *o,
                    const ModelAnswer *a);

char *describe(const DmarRequest *r, const DmarTranslation *t,
               const Fault *fault, const ModelAnswer *a);

#endif /* TESTS_UNIT_COMPARE_H */
