/*
 * An associative store of translations, see tlb.h.
 *
 * Every entry is in four lists: of its key's bucket, for lookups; of its
 * domain and page's bucket, so that dropping a page touches only entries that
 * can be meant; of its group; and of all entries by age, so that the oldest
 * gives way when there is no room, and no other does.
 *
 * A group is what has one PASID in a scope, a scope what has one type in a
 * domain.  Dropping either takes it out of its bucket, which is all that it
 * costs: its entries are dead from then on, are found no more, and give their
 * room to the next that come.  Dropping everything begins a new epoch, in
 * which every bucket is empty.
 *
 * Lists begin with what came last.  Room that was never used costs no memory.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "tlb_store.h"

/* ---- Buckets ------------------------------------------------------------- */

static Bucket *bucket_of_scope(const DmarTlb *tlb, uint16_t domain, uint8_t type)
{
    return &tlb->by_scope[hash(domain, type, 0) & tlb->mask];
}

static Bucket *bucket_of_group(const DmarTlb *tlb, uint32_t scope, uint32_t pasid)
{
    return &tlb->by_group[hash(scope, pasid, 0) & tlb->mask];
}

/* Where the list of a bucket begins, in this epoch. */
static inline uint32_t *head_of(const DmarTlb *tlb, Bucket *bucket)
{
    *bucket = (Bucket) { .epoch = tlb->epoch, .first = first_in(tlb, bucket) };
    return &bucket->first;
}

/* ---- Lists ----------------------------------------------------------------------- */

/* Inline: its callers name the kind. */
__attribute__((always_inline))
static inline Link *link_of(DmarTlb *tlb, ListKind kind, uint32_t i)
{
    switch (kind) {
    case GROUP_BUCKET: return &tlb->groups[i].bucket;
    case GROUPS_BESIDE: return &tlb->groups[i].beside;
    case SCOPE_BUCKET: return &tlb->scopes[i].bucket;
    case SCOPES_BESIDE: return &tlb->scopes[i].beside;
    default: return &tlb->entries[i].link[kind];
    }
}

__attribute__((always_inline))
static inline void put(DmarTlb *tlb, ListKind kind, uint32_t *head, uint32_t i)
{
    *link_of(tlb, kind, i) = (Link) { .next = *head, .prev = NONE };
    if (*head != NONE) {
        link_of(tlb, kind, *head)->prev = i;
    }
    *head = i;
}

__attribute__((always_inline))
static inline void take_out(DmarTlb *tlb, ListKind kind, uint32_t *head, uint32_t i)
{
    Link link = *link_of(tlb, kind, i);

    if (link.prev != NONE) {
        link_of(tlb, kind, link.prev)->next = link.next;
    } else {
        *head = link.next;
    }
    if (link.next != NONE) {
        link_of(tlb, kind, link.next)->prev = link.prev;
    }
}

/* ---- Room --------------------------------------------------------------------- */

/* NONE if it has all been used. */
static uint32_t take_room(Room *room, unsigned capacity)
{
    return room->fresh <= capacity ? room->fresh++ : NONE;
}

static uint32_t take_set(Room *room, Set *sets, unsigned capacity)
{
    uint32_t i = room->free;

    if (i == NONE) {
        return take_room(room, capacity);
    }
    room->free = sets[i].beside.next;
    return i;
}

static void free_set(Room *room, Set *sets, uint32_t i)
{
    sets[i].beside.next = room->free;
    room->free = i;
}

/* ---- Sets ------------------------------------------------------------------------ */

static uint32_t *head_of_group(const DmarTlb *tlb, const Set *group)
{
    return head_of(tlb, bucket_of_group(tlb, group->scope, group->pasid));
}

static uint32_t *head_of_scope(const DmarTlb *tlb, const Set *scope)
{
    return head_of(tlb, bucket_of_scope(tlb, scope->domain, scope->type));
}

uint32_t dmar_tlb_find_scope(const DmarTlb *tlb, uint16_t domain, uint8_t type)
{
    uint32_t i = first_in(tlb, bucket_of_scope(tlb, domain, type));

    while (i != NONE && (tlb->scopes[i].domain != domain ||
                         tlb->scopes[i].type != type)) {
        i = tlb->scopes[i].bucket.next;
    }
    return i;
}

uint32_t dmar_tlb_find_group(const DmarTlb *tlb, uint32_t scope, uint32_t pasid)
{
    uint32_t i = first_in(tlb, bucket_of_group(tlb, scope, pasid));

    while (i != NONE && (tlb->groups[i].scope != scope ||
                         tlb->groups[i].pasid != pasid)) {
        i = tlb->groups[i].bucket.next;
    }
    return i;
}

/* There is room: no more sets than entries. */
static uint32_t scope_for(DmarTlb *tlb, const DmarTlbTags *tags)
{
    uint32_t i = dmar_tlb_find_scope(tlb, tags->domain, tags->type);

    if (i == NONE) {
        i = take_set(&tlb->scope_room, tlb->scopes, tlb->capacity);
        tlb->scopes[i] = (Set) { .domain = tags->domain, .type = tags->type };
        put(tlb, SCOPE_BUCKET, head_of_scope(tlb, &tlb->scopes[i]), i);
    }
    return i;
}

static bool is_group_of(const DmarTlb *tlb, const Set *group,
                        const DmarTlbTags *tags)
{
    return group->count && group->pasid == tags->pasid &&
           group->domain == tags->domain && group->type == tags->type &&
           !group->dead && !tlb->scopes[group->scope].dead;
}

static uint32_t find_or_make_group(DmarTlb *tlb, const DmarTlbTags *tags)
{
    uint32_t scope = scope_for(tlb, tags);
    uint32_t i = dmar_tlb_find_group(tlb, scope, tags->pasid);

    if (i == NONE) {
        i = take_set(&tlb->group_room, tlb->groups, tlb->capacity);
        tlb->groups[i] = (Set) { .domain = tags->domain, .type = tags->type,
                                 .pasid = tags->pasid, .scope = scope };
        put(tlb, GROUP_BUCKET, head_of_group(tlb, &tlb->groups[i]), i);
        put(tlb, GROUPS_BESIDE, &tlb->scopes[scope].first, i);
    }
    return i;
}

static uint32_t group_for(DmarTlb *tlb, const DmarTlbTags *tags)
{
    if (!is_group_of(tlb, &tlb->groups[tlb->recent_group], tags)) {
        tlb->recent_group = find_or_make_group(tlb, tags);
    }
    return tlb->recent_group;
}

/* Dead sets have left their buckets; a group of a dead scope has not. */
static void free_scope(DmarTlb *tlb, uint32_t i)
{
    Set *scope = &tlb->scopes[i];

    if (scope->dead) {
        take_out(tlb, SCOPES_BESIDE, &tlb->dead_scopes, i);
    } else {
        take_out(tlb, SCOPE_BUCKET, head_of_scope(tlb, scope), i);
    }
    free_set(&tlb->scope_room, tlb->scopes, i);
}

static void free_group(DmarTlb *tlb, uint32_t i)
{
    Set *group = &tlb->groups[i];
    Set *scope = &tlb->scopes[group->scope];

    if (group->dead) {
        take_out(tlb, GROUPS_BESIDE, &tlb->dead_groups, i);
    } else {
        take_out(tlb, GROUP_BUCKET, head_of_group(tlb, group), i);
        take_out(tlb, GROUPS_BESIDE, &scope->first, i);
    }
    free_set(&tlb->group_room, tlb->groups, i);
    if (!scope->count) {
        free_scope(tlb, group->scope);
    }
}

/* ---- Entries ---------------------------------------------------------------------- */

/* How many there are of a shift and a type. */
static void count_entry(DmarTlb *tlb, unsigned shift, unsigned type)
{
    tlb->of_shift[shift]++;
    tlb->of_type[type]++;
    tlb->shifts |= BIT_AT(shift);
    tlb->types |= BIT_AT(type);
}

static void uncount_entry(DmarTlb *tlb, unsigned shift, unsigned type)
{
    if (!--tlb->of_shift[shift]) {
        tlb->shifts &= ~BIT_AT(shift);
    }
    if (!--tlb->of_type[type]) {
        tlb->types &= ~BIT_AT(type);
    }
}

void dmar_tlb_drop_entry(DmarTlb *tlb, uint32_t i)
{
    Entry *e = &tlb->entries[i];
    Set *group = &tlb->groups[e->group];

    if (tlb->oldest == i) {
        tlb->oldest = e->link[BY_AGE].prev;
    }
    take_out(tlb, BY_AGE, &tlb->newest, i);
    take_out(tlb, BY_KEY, head_of(tlb, &tlb->by_key[e->key_bucket]), i);
    take_out(tlb, BY_PAGE, head_of(tlb, &tlb->by_page[e->page_bucket]), i);
    take_out(tlb, BY_GROUP, &group->first, i);
    uncount_entry(tlb, e->shift, group->type);
    tlb->scopes[group->scope].count--;
    if (!--group->count) {
        free_group(tlb, e->group);
    }
    e->link[BY_AGE].next = tlb->entry_room.free;
    tlb->entry_room.free = i;
}

/* Some entry of what died last, or NONE. */
static uint32_t dead_entry(const DmarTlb *tlb)
{
    if (tlb->dead_groups != NONE) {
        return tlb->groups[tlb->dead_groups].first;
    }
    if (tlb->dead_scopes != NONE) {
        return tlb->groups[tlb->scopes[tlb->dead_scopes].first].first;
    }
    return NONE;
}

static uint32_t room_for_entry(DmarTlb *tlb)
{
    Room *room = &tlb->entry_room;
    uint32_t dead = dead_entry(tlb), i;

    if (dead != NONE) {
        dmar_tlb_drop_entry(tlb, dead);
    } else if (room->free == NONE && room->fresh > tlb->capacity) {
        dmar_tlb_drop_entry(tlb, tlb->oldest);
    }
    if (room->free == NONE) {
        return take_room(room, tlb->capacity);
    }
    i = room->free;
    room->free = tlb->entries[i].link[BY_AGE].next;
    return i;
}

/* ---- Life ------------------------------------------------------------------------- */

static void begin_epoch(DmarTlb *tlb)
{
    const Room all = { .fresh = 1, .free = NONE };

    tlb->epoch++;
    tlb->entry_room = tlb->group_room = tlb->scope_room = all;
    tlb->oldest = tlb->newest = tlb->dead_groups = tlb->dead_scopes = NONE;
    memset(tlb->of_shift, 0, sizeof(tlb->of_shift));
    memset(tlb->of_type, 0, sizeof(tlb->of_type));
    tlb->shifts = 0;
    tlb->types = 0;
    tlb->recent_group = NONE;
    tlb->groups[NONE].count = 0;
}

void dmar_tlb_drop_all(DmarTlb *tlb)
{
    if (tlb->epoch == UINT32_MAX) {
        Bucket *const buckets[] = { tlb->by_key, tlb->by_page, tlb->by_group,
                                    tlb->by_scope };

        for (size_t i = 0; i < G_N_ELEMENTS(buckets); i++) {
            memset(buckets[i], 0, (tlb->mask + 1) * sizeof(Bucket));
        }
        tlb->epoch = 0;
    }
    begin_epoch(tlb);
}

DmarTlb *dmar_tlb_new(unsigned capacity, size_t payload)
{
    DmarTlb *tlb = g_new0(DmarTlb, 1);

    g_assert((capacity & (capacity - 1)) == 0);
    tlb->capacity = capacity;
    tlb->payload = payload;
    tlb->mask = capacity - 1;
    tlb->entry_memory = g_new0(Entry, capacity + 2);
    tlb->entries = (Entry *)(((uintptr_t)tlb->entry_memory + sizeof(Entry) - 1) &
                             -sizeof(Entry));
    tlb->groups = g_new0(Set, capacity + 1);
    tlb->scopes = g_new0(Set, capacity + 1);
    tlb->payloads = g_malloc0_n(capacity + 1, payload);
    tlb->by_key = g_new0(Bucket, capacity);
    tlb->by_page = g_new0(Bucket, capacity);
    tlb->by_group = g_new0(Bucket, capacity);
    tlb->by_scope = g_new0(Bucket, capacity);
    begin_epoch(tlb);
    return tlb;
}

void dmar_tlb_free(DmarTlb *tlb)
{
    g_free(tlb->by_key);
    g_free(tlb->by_page);
    g_free(tlb->by_group);
    g_free(tlb->by_scope);
    g_free(tlb->entry_memory);
    g_free(tlb->groups);
    g_free(tlb->scopes);
    g_free(tlb->payloads);
    g_free(tlb);
}

/* ---- Finding and adding ----------------------------------------------------------- */

static void *payload_at(const DmarTlb *tlb, uint32_t i)
{
    return tlb->payloads + i * tlb->payload;
}

static inline uint32_t find(const DmarTlb *tlb, uint32_t bucket, uint64_t who,
                            uint64_t page, unsigned shift)
{
    uint32_t i = first_in(tlb, &tlb->by_key[bucket]);

    while (i != NONE) {
        const Entry *e = &tlb->entries[i];

        if (e->page == page && e->who == who && e->shift == shift &&
            !is_dead(tlb, e)) {
            return i;
        }
        i = e->link[BY_KEY].next;
    }
    return NONE;
}

const void *dmar_tlb_find(const DmarTlb *tlb, uint64_t who, uint64_t addr,
                          unsigned shift)
{
    uint64_t page = addr >> shift;
    uint32_t i;

    if (!(tlb->shifts & BIT_AT(shift))) {
        return NULL;
    }
    i = find(tlb, key_bucket(tlb, who, page, shift), who, page, shift);
    return i == NONE ? NULL : payload_at(tlb, i);
}

void *dmar_tlb_add(DmarTlb *tlb, uint64_t who, uint64_t addr, unsigned shift,
                   DmarTlbTags tags)
{
    uint64_t page = addr >> shift;
    uint32_t key = key_bucket(tlb, who, page, shift);
    uint32_t i = find(tlb, key, who, page, shift);
    Set *group;
    Entry *e;

    if (i != NONE) {
        dmar_tlb_drop_entry(tlb, i);
    }
    i = room_for_entry(tlb);
    e = &tlb->entries[i];
    e->who = who;
    e->page = page;
    e->shift = shift;
    e->group = group_for(tlb, &tags);
    e->key_bucket = key;
    e->page_bucket = page_bucket(tlb, tags.domain, page, shift);
    group = &tlb->groups[e->group];
    put(tlb, BY_KEY, head_of(tlb, &tlb->by_key[key]), i);
    put(tlb, BY_PAGE, head_of(tlb, &tlb->by_page[e->page_bucket]), i);
    put(tlb, BY_GROUP, &group->first, i);
    put(tlb, BY_AGE, &tlb->newest, i);
    if (tlb->oldest == NONE) {
        tlb->oldest = i;
    }
    group->count++;
    tlb->scopes[group->scope].count++;
    count_entry(tlb, shift, tags.type);
    return payload_at(tlb, i);
}

/* ---- Dropping ---------------------------------------------------------------------- */

/* A scope that dies takes with it what has not died already. */
void dmar_tlb_kill_scope(DmarTlb *tlb, uint32_t i)
{
    Set *scope = &tlb->scopes[i];

    take_out(tlb, SCOPE_BUCKET, head_of_scope(tlb, scope), i);
    scope->dead = true;
    put(tlb, SCOPES_BESIDE, &tlb->dead_scopes, i);
}

void dmar_tlb_kill_group(DmarTlb *tlb, uint32_t i)
{
    Set *group = &tlb->groups[i];

    take_out(tlb, GROUP_BUCKET, head_of_group(tlb, group), i);
    take_out(tlb, GROUPS_BESIDE, &tlb->scopes[group->scope].first, i);
    group->dead = true;
    put(tlb, GROUPS_BESIDE, &tlb->dead_groups, i);
}
