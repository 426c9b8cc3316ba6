/*
 * What the files of the associative store share: its structures, and how a list
 * is found (tlb.c adds to them, tlb_drop.c drops).
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_TLB_STORE_H
#define DMAR_TLB_STORE_H

#include <glib.h>

#include "spec/field.h"
#include "tlb.h"

enum {
    NONE = 0, MAX_SHIFT = 64, TYPES = 8,
};

/* Lists of entries, then of groups, then of scopes. */
typedef enum ListKind {
    BY_KEY, BY_PAGE, BY_GROUP, BY_AGE, ENTRY_LISTS,
    GROUP_BUCKET = ENTRY_LISTS, GROUPS_BESIDE, SCOPE_BUCKET, SCOPES_BESIDE,
} ListKind;

typedef struct Link {
    uint32_t next, prev;
} Link;

/* Nothing is in a bucket of another epoch. */
typedef struct Bucket {
    uint32_t epoch, first;
} Bucket;

/* One cache line. */
typedef struct Entry {
    uint64_t who;
    uint64_t page;              /* input address >> shift */
    uint32_t group;
    uint8_t shift;
    uint32_t key_bucket, page_bucket;
    Link link[ENTRY_LISTS];
} Entry;

G_STATIC_ASSERT(sizeof(Entry) == 64);

/* Groups and scopes alike: a set, its place in a bucket and in a list of its
 * kind, and what it holds. */
typedef struct Set {
    uint16_t domain;
    uint8_t type;
    bool dead;
    uint32_t pasid;             /* of groups */
    uint32_t scope;             /* of groups */
    uint32_t count;             /* entries */
    uint32_t first;             /* entries of a group, groups of a scope */
    Link bucket;
    Link beside;                /* groups of a scope; sets that are dead */
} Set;

typedef struct Room {
    uint32_t fresh;             /* the first that was never used */
    uint32_t free;              /* chain of what was freed, or NONE */
} Room;

struct DmarTlb {
    unsigned capacity;
    size_t payload;
    uint32_t epoch;
    uint32_t oldest, newest;
    uint32_t dead_groups, dead_scopes;
    Room entry_room, group_room, scope_room;
    Entry *entries;             /* these arrays begin with 1 */
    void *entry_memory;
    Set *groups, *scopes;
    uint32_t recent_group;      /* what was added last went there */
    uint8_t *payloads;
    uint32_t mask;              /* of buckets */
    Bucket *by_key, *by_page, *by_group, *by_scope;
    unsigned of_shift[MAX_SHIFT];
    unsigned of_type[TYPES];
    uint64_t shifts;            /* a bit for each that any entry has */
    unsigned types;
    uint64_t examined;
};

/* ---- Buckets -------------------------------------------------------------- */

static inline uint32_t hash(uint64_t a, uint64_t b, unsigned c)
{
    uint64_t h = (a + UINT64_C(0x9e3779b97f4a7c15) * (c + 1)) ^
                 b * UINT64_C(0xff51afd7ed558ccd);

    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h >> 32;
}

static inline uint32_t key_bucket(const DmarTlb *tlb, uint64_t who, uint64_t page,
                           unsigned shift)
{
    return hash(who, page, shift) & tlb->mask;
}

static inline uint32_t page_bucket(const DmarTlb *tlb, uint16_t domain, uint64_t page,
                            unsigned shift)
{
    return hash(domain, page, shift) & tlb->mask;
}

static inline uint32_t first_in(const DmarTlb *tlb, const Bucket *bucket)
{
    return bucket->epoch == tlb->epoch ? bucket->first : NONE;
}

/* ---- Sets ------------------------------------------------------------------ */

static inline const Set *group_of(const DmarTlb *tlb, const Entry *e)
{
    return &tlb->groups[e->group];
}

static inline bool is_dead(const DmarTlb *tlb, const Entry *e)
{
    const Set *group = group_of(tlb, e);

    return group->dead || tlb->scopes[group->scope].dead;
}

/* NONE: nothing is there. */
uint32_t dmar_tlb_find_scope(const DmarTlb *tlb, uint16_t domain, uint8_t type);
uint32_t dmar_tlb_find_group(const DmarTlb *tlb, uint32_t scope, uint32_t pasid);

/* What is in them is found no more, and gives its room to what comes next. */
void dmar_tlb_kill_scope(DmarTlb *tlb, uint32_t scope);
void dmar_tlb_kill_group(DmarTlb *tlb, uint32_t group);
void dmar_tlb_drop_entry(DmarTlb *tlb, uint32_t entry);

#endif /* DMAR_TLB_STORE_H */
