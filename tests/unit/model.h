/*
 * A second opinion on DMA remapping, written straight from the specification
 * and as plainly as it can be: one bit at a time, sharing nothing with the
 * engine.  The model suite compares the two on random tables, the history
 * suite on random histories of tables, invalidations and requests.
 *
 * The specification leaves hardware some freedom: which of several faults of
 * one request to tell, whether a fault waits for what follows it, and what to
 * remember of tables that changed since.  The model asks for each such choice;
 * going through all of them gives every answer that is legal.
 *
 *     ModelChoices choices = { 0 };
 *     do {
 *         answer = model_translate(&unit, &request, &choices);
 *     } while (model_another(&choices));
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ModelEntry {
    uint8_t byte[64];
} ModelEntry;

/* ---- What caches may hold [6.2] ----------------------------------------------- */

typedef enum ModelCache {
    MODEL_CONTEXT,              /* context entries */
    MODEL_PASID,                /* PASID-table entries */
    MODEL_FIRST,                /* first-stage (and nested) tables */
    MODEL_SECOND,               /* second-stage tables */
    MODEL_PAGE,                 /* the IOTLB */
} ModelCache;

#define MODEL_FAULTS    8

/* An entry of one of the caches, with all the tags that any of them needs. */
typedef struct ModelHeld {
    ModelCache cache;
    unsigned source;
    bool with_pasid;            /* of the request that brought it */
    unsigned pasid, domain, type;   /* type: PGTT */
    ModelEntry entry;           /* context and PASID-table entries, as read */
    bool hide;                  /* an FPD of the way to it */
    unsigned level;             /* of the entry that led to the table */
    uint64_t input, span;       /* the addresses that it is for */
    uint64_t output;            /* table, or where @input leads */
    bool read, write, user;     /* rights that were gathered */
    /* Of pages: */
    uint64_t size;              /* of the page, or what is left of it above */
    bool second_write;          /* the second stage's right, of nested pages */
    bool dirty;                 /* nothing is to be set for a write */
    bool snoop, privileged, supervisor, protect;
    /* In caching mode: what was wrong; then there is no entry, page or right. */
    unsigned faults;
    uint8_t fault[MODEL_FAULTS];
} ModelHeld;

#define MODEL_HELD      512

typedef struct ModelCaches {
    unsigned count;
    ModelHeld held[MODEL_HELD];
} ModelCaches;

/* Put @held there unless it is. */
void model_hold(ModelCaches *caches, const ModelHeld *held);

/*
 * What an invalidation takes out for certain [6.5.2.1 to 6.5.2.4].  Hardware
 * may take out more; what it may still hold is what stays here.
 */
typedef enum ModelScope {
    MODEL_GLOBAL, MODEL_DOMAIN, MODEL_DEVICE, MODEL_PASID_OF_DOMAIN,
    MODEL_PAGES,
} ModelScope;

typedef struct ModelInvalidation {
    ModelScope scope;
    unsigned domain, pasid;
    unsigned source, ignored;   /* bits of the source-id that do not matter */
    uint64_t first, last;       /* addresses */
    bool leaves_only;           /* IH */
} ModelInvalidation;

void model_forget_contexts(ModelCaches *c, bool legacy, const ModelInvalidation *i);
void model_forget_pasids(ModelCaches *c, const ModelInvalidation *i);
void model_forget_pages(ModelCaches *c, const ModelInvalidation *i);
void model_forget_requested_page(ModelCaches *c, unsigned type, unsigned domain,
                                 unsigned pasid, uint64_t addr);
void model_forget_pages_of_pasid(ModelCaches *c, const ModelInvalidation *i);

/* ---- The unit and a request ------------------------------------------------------ */

typedef struct ModelUnit {
    uint64_t root_table;        /* address */
    unsigned table_mode;        /* TTM: 0 legacy, 1 scalable, 3 abort */
    unsigned guest_width;       /* MGAW: widest second-stage input, in bits */
    unsigned least_width;       /* the narrowest, of SAGAW */
    unsigned host_width;        /* HAW */
    unsigned pasid_width;       /* 0: no PASIDs */
    unsigned domain_width;
    unsigned version;           /* major */
    bool scalable, abort_dma;
    bool first_stage, five_levels, first_1g, extended_accessed;
    bool second_stage, large_pages, second_dirty;
    bool nested, pass_through;
    bool supervisor, rid_pasid, rid_privilege;
    bool coherent_walk, snoop_control;
    bool device_tlb, no_write_flag, page_requests;
    bool caching_mode;          /* what faulted may be remembered */
    /* Read physical memory; false if nothing answers. */
    bool (*read)(uint64_t addr, void *buf, size_t len);
    bool (*writable)(uint64_t addr);
    const ModelCaches *caches;  /* what they may hold; NULL: nothing */
} ModelUnit;

/* A probe is the host's question what a request might do: no request. */
typedef enum ModelKind {
    MODEL_READ, MODEL_WRITE, MODEL_ATOMIC, MODEL_ZLR, MODEL_PROBE,
} ModelKind;
/* Untranslated, translation and translated requests, page requests. */
typedef enum ModelType {
    MODEL_UT = 0, MODEL_TR = 1, MODEL_TD = 2, MODEL_PR = 3,
} ModelType;

typedef struct ModelRequest {
    unsigned source;
    bool has_pasid;
    unsigned pasid;
    uint64_t addr;
    ModelKind kind;             /* not of translation requests */
    ModelType type;
    bool privileged, execute, no_write;
} ModelRequest;

/* ---- The answer ------------------------------------------------------------------- */

/* Bits of a paging entry that the request sets: certainly, or perhaps. */
typedef struct ModelUpdate {
    uint64_t addr;
    uint64_t must, may;
} ModelUpdate;

#define MODEL_UPDATES   64
#define MODEL_FILLS     64

typedef struct ModelAnswer {
    char completion;            /* 's'uccess, 'u'nsupported, 'a'bort, 'i'nvalid */
    unsigned reason;            /* fault code, 0 if none */
    bool recorded;
    bool read, write;           /* with success */
    bool snoop;                 /* forced; with success */
    bool special;               /* success that may be used untranslated only */
    uint64_t addr;
    uint64_t size;              /* 0: passed through */
    unsigned updates;
    ModelUpdate update[MODEL_UPDATES];
    /* Of a page request: whose pages are forgotten [6.5.3.1]. */
    unsigned pasid, domain, type;
    unsigned fills;             /* what caches may hold after it */
    ModelHeld fill[MODEL_FILLS];
} ModelAnswer;

#define MODEL_CHOICES   128

typedef struct ModelChoices {
    unsigned next, known;
    uint8_t taken[MODEL_CHOICES], of[MODEL_CHOICES];
} ModelChoices;

/* Does the answer have another choice?  Then the next run takes it. */
bool model_another(ModelChoices *choices);

void model_translate(const ModelUnit *unit, const ModelRequest *request,
                     ModelChoices *choices, ModelAnswer *answer);

#endif /* TESTS_UNIT_MODEL_H */
