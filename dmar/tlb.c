/*
 * An associative store of translations, see tlb.h.
 *
 * Every entry is in four lists: of its key's bucket, for lookups; of its
 * domain and page's bucket, so that dropping a page touches only entries that
 * can be meant; of its domain; and of all entries by age, so that the oldest
 * gives way when there is no room, and no other does.  Lists begin with what
 * came last.  Room that is free is chained through the last kind.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "spec/field.h"
#include "tlb.h"

enum { NONE = UINT32_MAX, DOMAINS = 1 << 16, MAX_SHIFT = 64 };

/* A range of more pages than this is dropped by a walk of the domain. */
enum { FEW_PAGES = 64 };

typedef enum ListKind { BY_KEY, BY_PAGE, BY_DOMAIN, BY_AGE, LISTS } ListKind;

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
    uint32_t free;              /* chain of free room, or NONE */
    uint32_t oldest;            /* end of the list by age, or NONE */
    Entry *entries;
    uint8_t *payloads;
    uint32_t buckets;           /* of the first two kinds, a power of two */
    uint32_t *heads[LISTS];
    unsigned of_shift[MAX_SHIFT];
};

/* ---- Lists --------------------------------------------------------------- */

static uint32_t hash(uint64_t a, uint64_t b, unsigned c)
{
    uint64_t h = (a + UINT64_C(0x9e3779b97f4a7c15) * (c + 1)) ^
                 b * UINT64_C(0xff51afd7ed558ccd);

    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h >> 32;
}

static uint32_t *head_of(const DmarTlb *tlb, const Entry *e, ListKind kind)
{
    uint32_t mask = tlb->buckets - 1;

    switch (kind) {
    case BY_KEY:
        return &tlb->heads[kind][hash(e->who, e->page, e->shift) & mask];
    case BY_PAGE:
        return &tlb->heads[kind][hash(e->tags.domain, e->page, e->shift) & mask];
    case BY_DOMAIN:
        return &tlb->heads[kind][e->tags.domain];
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

static void drop_entry(DmarTlb *tlb, uint32_t i)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        link_out(tlb, i, kind);
    }
    tlb->of_shift[tlb->entries[i].shift]--;
    set_free(tlb, i);
}

/* ---- Life ---------------------------------------------------------------- */

static size_t heads_of(const DmarTlb *tlb, ListKind kind)
{
    return kind == BY_AGE ? 1 : kind == BY_DOMAIN ? DOMAINS : tlb->buckets;
}

void dmar_tlb_drop_all(DmarTlb *tlb)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        memset(tlb->heads[kind], 0xff, heads_of(tlb, kind) * sizeof(uint32_t));
    }
    memset(tlb->of_shift, 0, sizeof(tlb->of_shift));
    tlb->oldest = tlb->free = NONE;
    for (unsigned i = tlb->capacity; i > 0; i--) {
        set_free(tlb, i - 1);
    }
}

DmarTlb *dmar_tlb_new(unsigned capacity, size_t payload)
{
    DmarTlb *tlb = g_new0(DmarTlb, 1);

    g_assert((capacity & (capacity - 1)) == 0);
    tlb->capacity = capacity;
    tlb->payload = payload;
    tlb->entries = g_new0(Entry, capacity);
    tlb->payloads = g_malloc0_n(capacity, payload);
    tlb->buckets = capacity;
    for (unsigned kind = 0; kind < LISTS; kind++) {
        tlb->heads[kind] = g_new(uint32_t, heads_of(tlb, kind));
    }
    dmar_tlb_drop_all(tlb);
    return tlb;
}

void dmar_tlb_free(DmarTlb *tlb)
{
    for (unsigned kind = 0; kind < LISTS; kind++) {
        g_free(tlb->heads[kind]);
    }
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

void *dmar_tlb_add(DmarTlb *tlb, uint64_t who, uint64_t addr, unsigned shift,
                   DmarTlbTags tags)
{
    uint32_t i = find(tlb, who, addr >> shift, shift);

    if (i != NONE) {
        drop_entry(tlb, i);
    } else if (tlb->free == NONE) {
        drop_entry(tlb, tlb->oldest);
    }
    i = tlb->free;
    tlb->free = tlb->entries[i].link[BY_AGE].next;
    tlb->entries[i] = (Entry) {
        .shift = shift, .who = who, .page = addr >> shift, .tags = tags,
    };
    for (unsigned kind = 0; kind < LISTS; kind++) {
        link_in(tlb, i, kind);
    }
    tlb->of_shift[shift]++;
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

        if (selected(&tlb->entries[i], s)) {
            drop_entry(tlb, i);
        }
        i = next;
    }
}

static void drop_from_domain(DmarTlb *tlb, const DmarTlbSelection *s)
{
    drop_from_list(tlb, tlb->heads[BY_DOMAIN][s->domain], BY_DOMAIN, s);
}

static void drop_pages(DmarTlb *tlb, const DmarTlbSelection *s, unsigned shift)
{
    for (uint64_t page = s->first >> shift; page <= s->last >> shift; page++) {
        Entry key = { .page = page, .shift = shift, .tags = { s->domain } };

        drop_from_list(tlb, *head_of(tlb, &key, BY_PAGE), BY_PAGE, s);
    }
}

void dmar_tlb_drop(DmarTlb *tlb, const DmarTlbSelection *s)
{
    if (!s->by_range) {
        drop_from_domain(tlb, s);
        return;
    }
    for (unsigned shift = 0; shift < MAX_SHIFT; shift++) {
        if (!tlb->of_shift[shift]) {
            continue;
        }
        if ((s->last >> shift) - (s->first >> shift) >= FEW_PAGES) {
            drop_from_domain(tlb, s);
            return;
        }
        drop_pages(tlb, s, shift);
    }
}
