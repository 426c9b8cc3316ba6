/*
 * An associative store of translations: what the IOTLB and the
 * paging-structure caches are made of [VT-d 6.2.1].
 *
 * An entry is looked up by a key (who asks, which page) and dropped by its
 * tags (domain, PASID, type of translation, page).  The two differ: software
 * invalidates by tags that no lookup compares.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_TLB_H
#define DMAR_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct DmarTlb DmarTlb;

typedef struct DmarTlbTags {
    uint16_t domain;
    uint32_t pasid;
    uint8_t type;               /* the user's to define, below 8 */
} DmarTlbTags;

/* What to drop: all that has the tags named and lies in the range. */
typedef struct DmarTlbSelection {
    uint16_t domain;
    bool by_pasid;
    uint32_t pasid;
    uint8_t types;              /* a bit for each type meant */
    bool by_range;
    uint64_t first, last;       /* input addresses, inclusive */
} DmarTlbSelection;

/* @capacity entries, each with @payload bytes of the user's. */
DmarTlb *dmar_tlb_new(unsigned capacity, size_t payload);
void dmar_tlb_free(DmarTlb *tlb);

/* The payload of the page of 2^@shift bytes around @addr, or NULL. */
const void *dmar_tlb_find(const DmarTlb *tlb, uint64_t who, uint64_t addr,
                          unsigned shift);

/* Room for a payload, which the caller fills in; an entry with this key is
 * replaced by a new one, and when all room is taken, the oldest entry is. */
void *dmar_tlb_add(DmarTlb *tlb, uint64_t who, uint64_t addr, unsigned shift,
                   DmarTlbTags tags);

void dmar_tlb_drop_all(DmarTlb *tlb);
void dmar_tlb_drop(DmarTlb *tlb, const DmarTlbSelection *selection);

/* How many entries dropping has looked at so far: what it costs. */
uint64_t dmar_tlb_examined(const DmarTlb *tlb);

#endif /* DMAR_TLB_H */
