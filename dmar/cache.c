/*
 * Context-cache, PASID-cache and interrupt entry cache [VT-d 6.2.2, 6.2.3,
 * 6.4].  What pages translate to is in iotlb.c.
 *
 * An entry stays until software invalidates it or room is needed; so a driver
 * that forgets an invalidation sees what hardware would show it.  What faulted
 * is kept in caching mode only [VT-d 6.1].
 *
 * Tags [VT-d 6.2.1]: contexts by source-id, and of legacy mode by domain;
 * bindings (PASID table entries) by source-id and PASID, with their domain.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "tlb.h"
#include "unit.h"

enum { MAX_BINDINGS = 1 << 16, NEAR = 64 };

struct DmarCaches {
    GHashTable *contexts;       /* source-id -> DmarContext */
    const DmarContext *near[NEAR];      /* some of them, by source-id */
    DmarTlb *bindings;          /* source-id, PASID -> DmarBinding */
    GHashTable *interrupts;     /* index -> InterruptEntry */
};

DmarCaches *dmar_caches_new(void)
{
    DmarCaches *caches = g_new0(DmarCaches, 1);

    caches->contexts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    caches->bindings = dmar_tlb_new(MAX_BINDINGS, sizeof(DmarBinding));
    caches->interrupts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return caches;
}

void dmar_caches_free(DmarCaches *caches)
{
    g_hash_table_destroy(caches->contexts);
    dmar_tlb_free(caches->bindings);
    g_hash_table_destroy(caches->interrupts);
    g_free(caches);
}

void dmar_cache_drop_all(DmarCaches *caches)
{
    dmar_cache_drop_contexts(caches);
    dmar_cache_drop_bindings(caches);
    dmar_cache_drop_interrupts(caches, 0, UINT16_MAX);
}

/* ---- Contexts ------------------------------------------------------------- */

static const DmarContext **near_of(DmarCaches *caches, uint16_t source_id)
{
    return &caches->near[(source_id ^ source_id >> 8) % NEAR];
}

/* Where the requests of one device come again and again, without a search. */
const DmarContext *dmar_cache_find_context(DmarCaches *caches, uint16_t source_id)
{
    const DmarContext **near = near_of(caches, source_id);

    if (!*near || (*near)->source_id != source_id) {
        *near = g_hash_table_lookup(caches->contexts,
                                    GUINT_TO_POINTER(source_id));
    }
    return *near;
}

void dmar_cache_add_context(DmarCaches *caches, const DmarContext *context)
{
    DmarContext *copy = g_memdup2(context, sizeof(*context));

    *near_of(caches, context->source_id) = copy;
    g_hash_table_replace(caches->contexts, GUINT_TO_POINTER(context->source_id),
                         copy);
}

static void forget_near(DmarCaches *caches)
{
    memset(caches->near, 0, sizeof(caches->near));
}

void dmar_cache_drop_contexts(DmarCaches *caches)
{
    forget_near(caches);
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
    forget_near(caches);
    g_hash_table_foreach_remove(caches->contexts, context_of_domain,
                                GUINT_TO_POINTER(domain));
}

static void drop_context(DmarCaches *caches, uint16_t source_id, uint16_t domain)
{
    const DmarContext *context = dmar_cache_find_context(caches, source_id);

    if (context && (!context->legacy || context->binding.domain == domain)) {
        *near_of(caches, source_id) = NULL;
        g_hash_table_remove(caches->contexts, GUINT_TO_POINTER(source_id));
    }
}

/* Drop @source_id, and those that differ from it in @ignored_bits only; in
 * legacy mode they have to be of @domain, too [VT-d 6.5.2.1]. */
void dmar_cache_drop_device_context(DmarCaches *caches, uint16_t domain,
                                    uint16_t source_id, uint16_t ignored_bits)
{
    for (unsigned bits = 0; bits <= ignored_bits; bits++) {
        if (!(bits & ~ignored_bits)) {
            drop_context(caches, (source_id & ~ignored_bits) | bits, domain);
        }
    }
}

/* ---- Bindings ------------------------------------------------------------- */

/* In the store of translations a binding is the page of its PASID. */
enum { PASID_SHIFT = 0 };
#define ANY_TYPE 1u

const DmarBinding *dmar_cache_find_binding(DmarCaches *caches,
                                           uint16_t source_id, uint32_t pasid)
{
    return dmar_tlb_find(caches->bindings, source_id, pasid, PASID_SHIFT);
}

void dmar_cache_add_binding(DmarCaches *caches, const DmarBinding *binding)
{
    DmarBinding *room = dmar_tlb_add(caches->bindings, binding->source_id,
                                     binding->pasid, PASID_SHIFT,
                                     (DmarTlbTags) {
                                         .domain = binding->domain,
                                     });

    *room = *binding;
}

void dmar_cache_drop_bindings(DmarCaches *caches)
{
    dmar_tlb_drop_all(caches->bindings);
}

void dmar_cache_drop_domain_bindings(DmarCaches *caches, uint16_t domain)
{
    dmar_tlb_drop(caches->bindings, &(DmarTlbSelection) {
        .domain = domain, .types = ANY_TYPE,
    });
}

void dmar_cache_drop_pasid_bindings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid)
{
    dmar_tlb_drop(caches->bindings, &(DmarTlbSelection) {
        .domain = domain, .types = ANY_TYPE, .by_range = true,
        .first = pasid, .last = pasid,
    });
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
