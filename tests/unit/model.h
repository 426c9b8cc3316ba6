/*
 * A second opinion on DMA remapping, written straight from the specification
 * and as plainly as it can be: no caches, one bit at a time, sharing nothing
 * with the engine.  The model suite compares the two on random tables.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ModelUnit {
    uint64_t root_table;        /* address */
    unsigned table_mode;        /* TTM: 0 legacy, 1 scalable */
    unsigned guest_width;       /* widest second-stage input, in bits */
    unsigned host_width;
    unsigned pasid_width;       /* 0: no PASIDs */
    unsigned domain_width;
    bool scalable, pass_through, snoop_control, device_tlb;
    /* Read physical memory; false if nothing answers. */
    bool (*read)(uint64_t addr, void *buf, size_t len);
} ModelUnit;

typedef enum ModelKind { MODEL_READ, MODEL_WRITE, MODEL_ATOMIC, MODEL_ZLR } ModelKind;
typedef enum ModelType { MODEL_UT = 0, MODEL_TR = 1, MODEL_TD = 2 } ModelType;

typedef struct ModelRequest {
    unsigned source;
    bool has_pasid;
    unsigned pasid;
    uint64_t addr;
    ModelKind kind;
    ModelType type;
    bool privileged, execute;
} ModelRequest;

typedef struct ModelAnswer {
    char completion;            /* 's'uccess, 'u'nsupported, 'a'bort */
    unsigned reason;            /* fault code, 0 if none */
    bool recorded;
    bool read, write;           /* with success */
    bool snoop;                 /* forced; with success */
    bool special;               /* success that may be used untranslated only */
    uint64_t addr;
    uint64_t size;              /* 0: passed through */
} ModelAnswer;

ModelAnswer model_translate(const ModelUnit *unit, const ModelRequest *request);

#endif /* TESTS_UNIT_MODEL_H */
