/*
 * The translation caches [VT-d 6.2]: context-cache, PASID-cache, IOTLB and
 * interrupt entry cache.
 *
 * An entry stays until software invalidates it or room is needed; so a driver
 * that forgets an invalidation sees what hardware would show it.  Nothing that
 * is not present is ever kept.
 *
 * Tags [VT-d 6.2.1]: contexts by source-id; bindings (PASID table entries) by
 * source-id and PASID, with their domain; mappings by domain, PASID and
 * address.  Mappings live in sets chosen by domain and page number alone, so
 * that a page-selective invalidation probes only sets that can hold the page.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

enum {
    SETS = 1024,
    WAYS = 8,
    MAX_BINDINGS = 1 << 16,
};

/* Page sizes a mapping can have: 4 KiB, 2 MiB, 1 GiB. */
static const uint8_t shifts[] = { 12, 21, 30 };
enum { SIZES = sizeof(shifts) };

typedef struct CachedMapping {
    bool valid;
    uint8_t pgtt;
    uint16_t domain;
    uint32_t pasid;
    uint64_t page;              /* input address >> mapping.shift */
    DmarMapping mapping;
} CachedMapping;

typedef struct MappingSet {
    CachedMapping way[WAYS];
    uint8_t victim;             /* next to be replaced */
} MappingSet;

struct DmarCaches {
    GHashTable *contexts;       /* source-id -> DmarContext */
    GHashTable *bindings;       /* source-id, PASID -> DmarBinding */
    GHashTable *interrupts;     /* index -> InterruptEntry */
    MappingSet *sets;
    unsigned of_size[SIZES];    /* mappings held, by page size */
};

DmarCaches *dmar_caches_new(void)
{
    DmarCaches *caches = g_new0(DmarCaches, 1);

    caches->contexts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    caches->bindings = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                             g_free, g_free);
    caches->interrupts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    caches->sets = g_new0(MappingSet, SETS);
    return caches;
}

void dmar_caches_free(DmarCaches *caches)
{
    g_hash_table_destroy(caches->contexts);
    g_hash_table_destroy(caches->bindings);
    g_hash_table_destroy(caches->interrupts);
    g_free(caches->sets);
    g_free(caches);
}

void dmar_cache_drop_all(DmarCaches *caches)
{
    dmar_cache_drop_contexts(caches);
    dmar_cache_drop_bindings(caches);
    dmar_cache_drop_mappings(caches);
    dmar_cache_drop_interrupts(caches, 0, UINT16_MAX);
}

/* ---- Contexts ------------------------------------------------------------- */

const DmarContext *dmar_cache_find_context(DmarCaches *caches, uint16_t source_id)
{
    return g_hash_table_lookup(caches->contexts, GUINT_TO_POINTER(source_id));
}

void dmar_cache_add_context(DmarCaches *caches, const DmarContext *context)
{
    g_hash_table_replace(caches->contexts, GUINT_TO_POINTER(context->source_id),
                         g_memdup2(context, sizeof(*context)));
}

void dmar_cache_drop_contexts(DmarCaches *caches)
{
    g_hash_table_remove_all(caches->contexts);
}

static gboolean context_of_domain(gpointer key, gpointer value, gpointer data)
{
    const DmarContext *context = value;

    (void)key;
    return !context->legacy ||
           context->binding.domain == GPOINTER_TO_UINT(data);
}

/* A scalable-mode context has no domain: any may be meant [VT-d 6.5.2.1]. */
void dmar_cache_drop_domain_contexts(DmarCaches *caches, uint16_t domain)
{
    g_hash_table_foreach_remove(caches->contexts, context_of_domain,
                                GUINT_TO_POINTER(domain));
}

/* Drop @source_id, and those that differ from it in @ignored_bits only. */
void dmar_cache_drop_device_context(DmarCaches *caches, uint16_t source_id,
                                    uint16_t ignored_bits)
{
    for (unsigned bits = 0; bits <= ignored_bits; bits++) {
        if (!(bits & ~ignored_bits)) {
            unsigned sid = (source_id & ~ignored_bits) | bits;

            g_hash_table_remove(caches->contexts, GUINT_TO_POINTER(sid));
        }
    }
}

/* ---- Bindings ------------------------------------------------------------- */

static uint64_t binding_key(uint16_t source_id, uint32_t pasid)
{
    return (uint64_t)source_id << 32 | pasid;
}

const DmarBinding *dmar_cache_find_binding(DmarCaches *caches,
                                           uint16_t source_id, uint32_t pasid)
{
    uint64_t key = binding_key(source_id, pasid);

    return g_hash_table_lookup(caches->bindings, &key);
}

static void make_room_for_binding(DmarCaches *caches)
{
    GHashTableIter i;

    if (g_hash_table_size(caches->bindings) < MAX_BINDINGS) {
        return;
    }
    g_hash_table_iter_init(&i, caches->bindings);
    if (g_hash_table_iter_next(&i, NULL, NULL)) {
        g_hash_table_iter_remove(&i);
    }
}

void dmar_cache_add_binding(DmarCaches *caches, const DmarBinding *binding)
{
    uint64_t key = binding_key(binding->source_id, binding->pasid);

    make_room_for_binding(caches);
    g_hash_table_replace(caches->bindings, g_memdup2(&key, sizeof(key)),
                         g_memdup2(binding, sizeof(*binding)));
}

void dmar_cache_drop_bindings(DmarCaches *caches)
{
    g_hash_table_remove_all(caches->bindings);
}

static gboolean binding_of_domain(gpointer key, gpointer value, gpointer data)
{
    (void)key;
    return ((DmarBinding *)value)->domain == ((DmarBinding *)data)->domain;
}

static gboolean binding_of_pasid(gpointer key, gpointer value, gpointer data)
{
    return binding_of_domain(key, value, data) &&
           ((DmarBinding *)value)->pasid == ((DmarBinding *)data)->pasid;
}

void dmar_cache_drop_domain_bindings(DmarCaches *caches, uint16_t domain)
{
    DmarBinding wanted = { .domain = domain };

    g_hash_table_foreach_remove(caches->bindings, binding_of_domain, &wanted);
}

void dmar_cache_drop_pasid_bindings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid)
{
    DmarBinding wanted = { .domain = domain, .pasid = pasid };

    g_hash_table_foreach_remove(caches->bindings, binding_of_pasid, &wanted);
}

/* ---- Mappings ------------------------------------------------------------- */

static MappingSet *set_of(DmarCaches *caches, uint16_t domain, uint64_t page,
                          unsigned size)
{
    uint64_t hash = page ^ (page >> 10) ^ (page >> 20);

    hash += UINT64_C(0x9e37) * domain + size;
    return &caches->sets[hash % SETS];
}

static CachedMapping *find_in_set(MappingSet *set, const DmarBinding *binding,
                                  uint64_t page, unsigned shift)
{
    for (unsigned i = 0; i < WAYS; i++) {
        CachedMapping *m = &set->way[i];

        if (m->valid && m->page == page && m->mapping.shift == shift &&
            m->domain == binding->domain && m->pasid == binding->pasid) {
            return m;
        }
    }
    return NULL;
}

bool dmar_cache_find_mapping(DmarCaches *caches, const DmarBinding *binding,
                             uint64_t addr, DmarMapping *out)
{
    for (unsigned size = 0; size < SIZES; size++) {
        uint64_t page = addr >> shifts[size];
        CachedMapping *m;

        if (!caches->of_size[size]) {
            continue;
        }
        m = find_in_set(set_of(caches, binding->domain, page, size), binding,
                        page, shifts[size]);
        if (m) {
            *out = m->mapping;
            return true;
        }
    }
    return false;
}

static unsigned size_of(const DmarMapping *mapping)
{
    return (mapping->shift - PAGE_SHIFT_4K) / LEVEL_BITS;
}

static void drop(DmarCaches *caches, CachedMapping *m)
{
    caches->of_size[size_of(&m->mapping)]--;
    m->valid = false;
}

static CachedMapping *free_way(DmarCaches *caches, MappingSet *set)
{
    CachedMapping *m;

    for (unsigned i = 0; i < WAYS; i++) {
        if (!set->way[i].valid) {
            return &set->way[i];
        }
    }
    m = &set->way[set->victim];
    set->victim = (set->victim + 1) % WAYS;
    drop(caches, m);
    return m;
}

void dmar_cache_add_mapping(DmarCaches *caches, const DmarBinding *binding,
                            uint64_t addr, const DmarMapping *mapping)
{
    unsigned size = size_of(mapping);
    uint64_t page = addr >> mapping->shift;
    MappingSet *set = set_of(caches, binding->domain, page, size);

    *free_way(caches, set) = (CachedMapping) {
        .valid = true,
        .pgtt = binding->pgtt,
        .domain = binding->domain,
        .pasid = binding->pasid,
        .page = page,
        .mapping = *mapping,
    };
    caches->of_size[size]++;
}

/* What an invalidation names; unset conditions hold for every mapping. */
typedef struct Selection {
    bool by_domain;
    uint16_t domain;
    bool by_pasid;
    uint32_t pasid;
    bool by_page;
    uint64_t first, last;       /* input addresses, inclusive */
} Selection;

static bool selected(const CachedMapping *m, const Selection *s)
{
    uint64_t first = m->page << m->mapping.shift;
    uint64_t last = first | low_bits(m->mapping.shift);

    return m->valid && (!s->by_domain || m->domain == s->domain) &&
           (!s->by_pasid || m->pasid == s->pasid) &&
           (!s->by_page || (first <= s->last && last >= s->first));
}

static void drop_from_set(DmarCaches *caches, MappingSet *set,
                          const Selection *s)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (selected(&set->way[i], s)) {
            drop(caches, &set->way[i]);
        }
    }
}

static void drop_everywhere(DmarCaches *caches, const Selection *s)
{
    for (unsigned i = 0; i < SETS; i++) {
        drop_from_set(caches, &caches->sets[i], s);
    }
}

void dmar_cache_drop_mappings(DmarCaches *caches)
{
    memset(caches->sets, 0, SETS * sizeof(*caches->sets));
    memset(caches->of_size, 0, sizeof(caches->of_size));
}

void dmar_cache_drop_domain_mappings(DmarCaches *caches, uint16_t domain)
{
    Selection s = { .by_domain = true, .domain = domain };

    drop_everywhere(caches, &s);
}

void dmar_cache_drop_pasid_mappings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid)
{
    Selection s = { .by_domain = true, .domain = domain,
                    .by_pasid = true, .pasid = pasid };

    drop_everywhere(caches, &s);
}

/* Of one page size, probe every set that can hold a page of the range. */
static void drop_pages_of_size(DmarCaches *caches, const Selection *s,
                               unsigned size)
{
    uint64_t first = s->first >> shifts[size];
    uint64_t last = s->last >> shifts[size];

    for (uint64_t page = first; page <= last; page++) {
        drop_from_set(caches, set_of(caches, s->domain, page, size), s);
    }
}

/* Drop what maps any of the 2^@order pages around @addr [VT-d 6.5.2.3]. */
void dmar_cache_drop_pages(DmarCaches *caches, uint16_t domain, uint64_t addr,
                           unsigned order)
{
    uint64_t inside = low_bits(PAGE_SHIFT_4K + order);
    Selection s = { .by_domain = true, .domain = domain, .by_page = true,
                    .first = addr & ~inside, .last = addr | inside };

    for (unsigned size = 0; size < SIZES; size++) {
        if (!caches->of_size[size]) {
            continue;
        }
        if ((s.last - s.first) >> shifts[size] >= SETS) {
            drop_everywhere(caches, &s);
            return;
        }
        drop_pages_of_size(caches, &s, size);
    }
}

/* ---- Interrupt entries ----------------------------------------------------- */

const InterruptEntry *dmar_cache_find_interrupt(DmarCaches *caches,
                                                uint16_t index)
{
    return g_hash_table_lookup(caches->interrupts, GUINT_TO_POINTER(index));
}

void dmar_cache_add_interrupt(DmarCaches *caches, uint16_t index,
                              const InterruptEntry *entry)
{
    g_hash_table_replace(caches->interrupts, GUINT_TO_POINTER(index),
                         g_memdup2(entry, sizeof(*entry)));
}

void dmar_cache_drop_interrupts(DmarCaches *caches, uint16_t first,
                                uint16_t last)
{
    if (first == 0 && last == UINT16_MAX) {
        g_hash_table_remove_all(caches->interrupts);
        return;
    }
    for (unsigned index = first; index <= last; index++) {
        g_hash_table_remove(caches->interrupts, GUINT_TO_POINTER(index));
    }
}
