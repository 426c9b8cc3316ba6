/*
 * What an invalidation takes out of the associative store, see tlb.h.
 *
 * A whole domain, or a PASID of it, is a set that dies, whatever it holds.  A
 * range is looked up page by page, by domain and page; entries of other domains
 * that met in a bucket are looked at, and stay.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tlb_store.h"

enum { FEW = 4 };       /* pages: not worth to ask whether any are there */

/* ---- Dropping sets ------------------------------------------------------------------ */

static void drop_scope(DmarTlb *tlb, uint32_t scope, const DmarTlbSelection *s)
{
    uint32_t group;

    if (!s->by_pasid) {
        dmar_tlb_kill_scope(tlb, scope);
        return;
    }
    group = dmar_tlb_find_group(tlb, scope, s->pasid);
    if (group != NONE) {
        dmar_tlb_kill_group(tlb, group);
    }
}

/* ---- Dropping ranges ------------------------------------------------------------------ */

static bool selected(const DmarTlb *tlb, const Entry *e, const DmarTlbSelection *s)
{
    const Set *group = group_of(tlb, e);
    uint64_t first = e->page << e->shift;
    uint64_t last = first | low_bits(e->shift);

    return group->domain == s->domain && !is_dead(tlb, e) &&
           (!s->by_pasid || group->pasid == s->pasid) &&
           (s->types & BIT_AT(group->type)) && first <= s->last &&
           last >= s->first;
}

static inline void drop_from_list(DmarTlb *tlb, uint32_t i, ListKind kind,
                                  const DmarTlbSelection *s)
{
    while (i != NONE) {
        uint32_t next = tlb->entries[i].link[kind].next;

        tlb->examined++;
        if (selected(tlb, &tlb->entries[i], s)) {
            dmar_tlb_drop_entry(tlb, i);
        }
        i = next;
    }
}

/* Entry by entry; the last of a group takes the group with it. */
static void drop_from_scope(DmarTlb *tlb, uint32_t scope,
                            const DmarTlbSelection *s)
{
    uint32_t i = s->by_pasid ? dmar_tlb_find_group(tlb, scope, s->pasid)
                             : tlb->scopes[scope].first;

    while (i != NONE) {
        uint32_t next = s->by_pasid ? NONE : tlb->groups[i].beside.next;

        drop_from_list(tlb, tlb->groups[i].first, BY_GROUP, s);
        i = next;
    }
}

static void drop_pages(DmarTlb *tlb, const DmarTlbSelection *s, unsigned shift)
{
    for (uint64_t page = s->first >> shift; page <= s->last >> shift; page++) {
        uint32_t bucket = page_bucket(tlb, s->domain, page, shift);

        drop_from_list(tlb, first_in(tlb, &tlb->by_page[bucket]), BY_PAGE, s);
    }
}

/* ---- Dropping ---------------------------------------------------------------------------- */

/* Scopes of the types that are meant and that anything is of. */
static unsigned find_scopes(const DmarTlb *tlb, const DmarTlbSelection *s,
                            uint32_t found[TYPES])
{
    unsigned n = 0;

    for (unsigned types = tlb->types & s->types; types; types &= types - 1) {
        found[n] = dmar_tlb_find_scope(tlb, s->domain, __builtin_ctz(types));
        n += found[n] != NONE;
    }
    return n;
}

static uint64_t entries_of(const DmarTlb *tlb, const uint32_t *scopes, unsigned n)
{
    uint64_t entries = 0;

    for (unsigned i = 0; i < n; i++) {
        entries += tlb->scopes[scopes[i]].count;
    }
    return entries;
}

/* Page by page, or entry by entry where the range has more pages than the
 * domain has entries. */
static void drop_wide_range(DmarTlb *tlb, const DmarTlbSelection *s)
{
    uint32_t scopes[TYPES];
    unsigned n = find_scopes(tlb, s, scopes);
    uint64_t entries = entries_of(tlb, scopes, n);

    for (uint64_t left = tlb->shifts; n && left; left &= left - 1) {
        unsigned shift = __builtin_ctzll(left);

        if ((s->last >> shift) - (s->first >> shift) >= entries) {
            for (unsigned i = 0; i < n; i++) {
                drop_from_scope(tlb, scopes[i], s);
            }
            return;
        }
        drop_pages(tlb, s, shift);
    }
}

static void drop_few_pages(DmarTlb *tlb, const DmarTlbSelection *s)
{
    for (uint64_t left = tlb->shifts; left; left &= left - 1) {
        drop_pages(tlb, s, __builtin_ctzll(left));
    }
}

static void drop_range(DmarTlb *tlb, const DmarTlbSelection *s)
{
    unsigned smallest = __builtin_ctzll(tlb->shifts);

    if ((s->last >> smallest) - (s->first >> smallest) < FEW) {
        drop_few_pages(tlb, s);
    } else {
        drop_wide_range(tlb, s);
    }
}

void dmar_tlb_drop(DmarTlb *tlb, const DmarTlbSelection *s)
{
    uint32_t scopes[TYPES];
    unsigned n;

    if (!(tlb->types & s->types)) {
        return;
    }
    if (s->by_range) {
        drop_range(tlb, s);
        return;
    }
    n = find_scopes(tlb, s, scopes);
    for (unsigned i = 0; i < n; i++) {
        drop_scope(tlb, scopes[i], s);
    }
}

uint64_t dmar_tlb_examined(const DmarTlb *tlb)
{
    return tlb->examined;
}
