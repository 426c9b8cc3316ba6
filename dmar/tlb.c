/*
 * An associative store of translations, see tlb.h.
 *
 * Every entry is in four lists: of its key's bucket, for lookups; of its
 * domain and page's bucket, so that dropping a page touches only entries that
 * can be meant; of its domain and type's bucket; and of all entries by age, so
 * that the oldest gives way when there is no room, and no other does.  Lists
 * begin with what came last.  Room that was freed is chained through the last
 * kind; room that was never used costs no memory.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "spec/field.h"
#include "tlb.h"

enum { NONE = 0, MAX_SHIFT = 64, TYPES = 8 };

typedef enum ListKind { BY_KEY, BY_PAGE, BY_TYPE, BY_AGE, LISTS } ListKind;

typedef struct Link {
    uint32_t next, prev;
} Link;

typedef struct Entry {
    uint8_t shift;
    uint64_t who;
    uint64_t page;              /* input address >> shift */
    DmarTlbTags tags;
    Link link[LISTS];
} Entry;

struct DmarTlb {
    unsigned capacity;
    size_t payload;
    uint32_t used;              /* entries */
    uint32_t fresh;             /* the first that was never used */
    uint32_t free;              /* chain of freed room, or NONE */
    uint32_t oldest;            /* end of the list by age, or NONE */
    Entry *entries;             /* from 1 on */
    uint8_t *payloads;
    uint32_t buckets;           /* of all kinds but the last, a power of two */
    uint32_t *heads[LISTS];
    uint32_t *lengths;          /* of the lists by type */
    unsigned of_shift[MAX_SHIFT];
    uint64_t examined;
};

/* ---- Lists --------------------------------------------------------------- */

static uint32_t hash(uint64_t a, uint64_t b, unsigned c)
{
    uint64_t h = (a + UINT64_C(0x9e3779b97f4a7c15) * (c + 1)) ^
                 b * UINT64_C(0xff51afd7ed558ccd);

    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h >> 32;
}

static uint32_t bucket_of_type(const DmarTlb *tlb, uint16_t domain, uint8_t type)
{
    return hash(domain, type, 0) & (tlb->buckets - 1);
}

static uint32_t *head_of(const DmarTlb *tlb, const Entry *e, ListKind kind)
{
    uint32_t mask = tlb->buckets - 1;

    switch (kind) {
    case BY_KEY:
        return &tlb->heads[kind][hash(e->who, e->page, e->shift) & mask];
    case BY_PAGE:
        return &tlb->heads[kind][hash(e->tags.domain, e->page, e->shift) & mask];
    case BY_TYPE:
        return &tlb->heads[kind][bucket_of_type(tlb, e->tags.domain,
                                                e->tags.type)];
    default:
        return tlb->heads[kind];
    }
}

static void link_in(DmarTlb *tlb, uint32_t i, ListKind kind)
{
    Entry *e = &tlb->entries[i];
    uint32_t *head = head_of(tlb, e, kind);

    e->link[kind] = (Link) { .next = *head, .prev = NONE };
    if (*head != NONE) {
        tlb->entries[*head].link[kind].prev = i;
    } else if (kind == BY_AGE) {
        tlb->oldest = i;
    }
    *head = i;
}

static void link_out(DmarTlb *tlb, uint32_t i, ListKind kind)
{
    Entry *e = &tlb->entries[i];
    Link link = e->link[kind];

    if (link.prev == NONE) {
        *head_of(tlb, e, kind) = link.next;
    } else {
        tlb->entries[link.prev].link[kind].next = link.next;
    }
    if (link.next != NONE) {
        tlb->entries[link.next].link[kind].prev = link.prev;
    } else if (kind == BY_AGE) {
        tlb->oldest = link.prev;
    }
}

static void set_free(DmarTlb *tlb, uint32_t i)
{
    tlb->entries[i].link[BY_AGE].next = tlb->free;
    tlb->free = i;
}

static void count_entry(DmarTlb *tlb, const Entry *e, int more)
{
    tlb->used += more;
    tlb->of_shift[e->shift] += more;
    tlb->lengths[bucket_of_type(tlb, e->tags.domain, e->tags.type)] += more;
}

static void drop_entry(DmarTlb *tlb, uint32_t i)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        link_out(tlb, i, kind);
    }
    count_entry(tlb, &tlb->entries[i], -1);
    set_free(tlb, i);
}

/* ---- Life ---------------------------------------------------------------- */

static size_t heads_of(const DmarTlb *tlb, ListKind kind)
{
    return kind == BY_AGE ? 1 : tlb->buckets;
}

static void forget_lists(DmarTlb *tlb)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        memset(tlb->heads[kind], 0, heads_of(tlb, kind) * sizeof(uint32_t));
    }
    memset(tlb->lengths, 0, tlb->buckets * sizeof(uint32_t));
    memset(tlb->of_shift, 0, sizeof(tlb->of_shift));
    tlb->oldest = tlb->free = NONE;
    tlb->used = 0;
    tlb->fresh = 1;
}

/* One by one where these are few. */
void dmar_tlb_drop_all(DmarTlb *tlb)
{
    if (tlb->used > tlb->capacity / 16) {
        forget_lists(tlb);
        return;
    }
    while (tlb->oldest != NONE) {
        drop_entry(tlb, tlb->oldest);
    }
}

DmarTlb *dmar_tlb_new(unsigned capacity, size_t payload)
{
    DmarTlb *tlb = g_new0(DmarTlb, 1);

    g_assert((capacity & (capacity - 1)) == 0);
    tlb->capacity = capacity;
    tlb->payload = payload;
    tlb->entries = g_new0(Entry, capacity + 1);
    tlb->payloads = g_malloc0_n(capacity + 1, payload);
    tlb->buckets = capacity;
    tlb->fresh = 1;
    for (unsigned kind = 0; kind < LISTS; kind++) {
        tlb->heads[kind] = g_new0(uint32_t, heads_of(tlb, kind));
    }
    tlb->lengths = g_new0(uint32_t, tlb->buckets);
    return tlb;
}

void dmar_tlb_free(DmarTlb *tlb)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        g_free(tlb->heads[kind]);
    }
    g_free(tlb->lengths);
    g_free(tlb->entries);
    g_free(tlb->payloads);
    g_free(tlb);
}

/* ---- Finding and adding -------------------------------------------------- */

static void *payload_at(const DmarTlb *tlb, uint32_t i)
{
    return tlb->payloads + i * tlb->payload;
}

static uint32_t find(const DmarTlb *tlb, uint64_t who, uint64_t page,
                     unsigned shift)
{
    Entry key = { .who = who, .page = page, .shift = shift };
    uint32_t i = *head_of(tlb, &key, BY_KEY);

    while (i != NONE) {
        const Entry *e = &tlb->entries[i];

        if (e->page == page && e->who == who && e->shift == shift) {
            return i;
        }
        i = e->link[BY_KEY].next;
    }
    return NONE;
}

const void *dmar_tlb_find(const DmarTlb *tlb, uint64_t who, uint64_t addr,
                          unsigned shift)
{
    uint32_t i;

    if (!tlb->of_shift[shift]) {
        return NULL;
    }
    i = find(tlb, who, addr >> shift, shift);
    return i == NONE ? NULL : payload_at(tlb, i);
}

/* Freed room first: it is warm. */
static uint32_t take_room(DmarTlb *tlb)
{
    uint32_t i;

    if (tlb->free == NONE && tlb->fresh <= tlb->capacity) {
        return tlb->fresh++;
    }
    if (tlb->free == NONE) {
        drop_entry(tlb, tlb->oldest);
    }
    i = tlb->free;
    tlb->free = tlb->entries[i].link[BY_AGE].next;
    return i;
}

void *dmar_tlb_add(DmarTlb *tlb, uint64_t who, uint64_t addr, unsigned shift,
                   DmarTlbTags tags)
{
    uint32_t i = find(tlb, who, addr >> shift, shift);

    if (i != NONE) {
        drop_entry(tlb, i);
    }
    i = take_room(tlb);
    tlb->entries[i] = (Entry) {
        .shift = shift, .who = who, .page = addr >> shift, .tags = tags,
    };
    for (unsigned kind = 0; kind < LISTS; kind++) {
        link_in(tlb, i, kind);
    }
    count_entry(tlb, &tlb->entries[i], 1);
    return payload_at(tlb, i);
}

/* ---- Dropping ------------------------------------------------------------ */

static bool selected(const Entry *e, const DmarTlbSelection *s)
{
    uint64_t first = e->page << e->shift;
    uint64_t last = first | low_bits(e->shift);

    return e->tags.domain == s->domain &&
           (!s->by_pasid || e->tags.pasid == s->pasid) &&
           (s->types & BIT_AT(e->tags.type)) &&
           (!s->by_range || (first <= s->last && last >= s->first));
}

static void drop_from_list(DmarTlb *tlb, uint32_t i, ListKind kind,
                           const DmarTlbSelection *s)
{
    while (i != NONE) {
        uint32_t next = tlb->entries[i].link[kind].next;

        tlb->examined++;
        if (selected(&tlb->entries[i], s)) {
            drop_entry(tlb, i);
        }
        i = next;
    }
}

/* How many entries the lists of a domain's types hold. */
static uint64_t length_of_types(const DmarTlb *tlb, const DmarTlbSelection *s)
{
    uint64_t length = 0;

    for (unsigned type = 0; type < TYPES; type++) {
        if (s->types & BIT_AT(type)) {
            length += tlb->lengths[bucket_of_type(tlb, s->domain, type)];
        }
    }
    return length;
}

static void drop_from_types(DmarTlb *tlb, const DmarTlbSelection *s)
{
    for (unsigned type = 0; type < TYPES; type++) {
        if (s->types & BIT_AT(type)) {
            uint32_t bucket = bucket_of_type(tlb, s->domain, type);

            drop_from_list(tlb, tlb->heads[BY_TYPE][bucket], BY_TYPE, s);
        }
    }
}

static void drop_pages(DmarTlb *tlb, const DmarTlbSelection *s, unsigned shift)
{
    for (uint64_t page = s->first >> shift; page <= s->last >> shift; page++) {
        Entry key = { .page = page, .shift = shift, .tags = { s->domain } };

        drop_from_list(tlb, *head_of(tlb, &key, BY_PAGE), BY_PAGE, s);
    }
}

/* Page by page, or entry by entry where the range has more pages than the
 * domain has entries. */
static void drop_range(DmarTlb *tlb, const DmarTlbSelection *s)
{
    uint64_t entries = length_of_types(tlb, s);

    for (unsigned shift = 0; shift < MAX_SHIFT; shift++) {
        if (!tlb->of_shift[shift]) {
            continue;
        }
        if ((s->last >> shift) - (s->first >> shift) >= entries) {
            drop_from_types(tlb, s);
            return;
        }
        drop_pages(tlb, s, shift);
    }
}

void dmar_tlb_drop(DmarTlb *tlb, const DmarTlbSelection *s)
{
    if (s->by_range) {
        drop_range(tlb, s);
    } else {
        drop_from_types(tlb, s);
    }
}

uint64_t dmar_tlb_examined(const DmarTlb *tlb)
{
    return tlb->examined;
}
