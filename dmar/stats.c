/*
 * What the unit saw, per (source-id, PASID) and per descriptor type.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

/* Software chooses source-ids and PASIDs: keep a hostile one from making the
 * table grow without end. */
enum { MAX_ROWS = 4096 };

struct DmarStats {
    GHashTable *rows;           /* source-id, PASID -> DmarPasidStats */
    uint64_t descriptors[DMAR_DESCRIPTOR_TYPES];
};

DmarStats *dmar_stats_new(void)
{
    DmarStats *stats = g_new0(DmarStats, 1);

    stats->rows = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        g_free);
    return stats;
}

void dmar_stats_free(DmarStats *stats)
{
    g_hash_table_destroy(stats->rows);
    g_free(stats);
}

void dmar_stats_reset(DmarStats *stats)
{
    g_hash_table_remove_all(stats->rows);
    memset(stats->descriptors, 0, sizeof(stats->descriptors));
}

/* NULL when there is no room for another row. */
static DmarPasidStats *row_of(DmarStats *stats, uint16_t source_id,
                              uint32_t pasid, bool with_pasid)
{
    uint64_t key = (uint64_t)source_id << 32 | pasid;
    DmarPasidStats *row = g_hash_table_lookup(stats->rows, &key);

    if (!row && g_hash_table_size(stats->rows) < MAX_ROWS) {
        row = g_new0(DmarPasidStats, 1);
        row->source_id = source_id;
        row->pasid = pasid;
        row->with_pasid = with_pasid;
        g_hash_table_insert(stats->rows, g_memdup2(&key, sizeof(key)), row);
    }
    return row;
}

void dmar_stats_entry(DmarStats *stats, const DmarBinding *binding,
                      bool with_pasid)
{
    DmarPasidStats *row = row_of(stats, binding->source_id, binding->pasid,
                                 with_pasid);

    if (row) {
        row->domain = binding->domain;
        row->pgtt = binding->pgtt;
        row->root = dmar_outer_root(binding)->addr;
        row->entry_fetches++;
    }
}

void dmar_stats_request(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                        bool with_pasid, DmarOutcome outcome)
{
    DmarPasidStats *row = row_of(stats, source_id, pasid, with_pasid);

    if (row) {
        row->translations += outcome != DMAR_REFUSED;
        row->walks += outcome == DMAR_WALKED;
        row->faults += outcome == DMAR_REFUSED;
    }
}

/* DMAR_NO_PASID: the command named the whole domain. */
void dmar_stats_invalidation(DmarStats *stats, uint16_t domain, uint32_t pasid)
{
    DmarPasidStats *row;
    GHashTableIter i;

    g_hash_table_iter_init(&i, stats->rows);
    while (g_hash_table_iter_next(&i, NULL, (gpointer *)&row)) {
        if (row->entry_fetches && row->domain == domain &&
            (pasid == DMAR_NO_PASID || row->pasid == pasid)) {
            row->invalidations++;
        }
    }
}

void dmar_stats_descriptor(DmarStats *stats, unsigned type)
{
    stats->descriptors[type]++;
}

void dmar_stats_fault(DmarStats *stats)
{
    stats->descriptors[0]++;
}

static gint compare_rows(gconstpointer a, gconstpointer b)
{
    const DmarPasidStats *x = a, *y = b;

    if (x->source_id != y->source_id) {
        return x->source_id < y->source_id ? -1 : 1;
    }
    return x->pasid < y->pasid ? -1 : x->pasid > y->pasid;
}

void dmar_foreach_pasid(Dmar *dmar, DmarPasidVisitor *visit, void *data)
{
    GList *rows;

    g_mutex_lock(&dmar->lock);
    rows = g_list_sort(g_hash_table_get_values(dmar->stats->rows), compare_rows);
    for (GList *i = rows; i; i = i->next) {
        visit(i->data, data);
    }
    g_list_free(rows);
    g_mutex_unlock(&dmar->lock);
}

void dmar_descriptor_counts(Dmar *dmar, uint64_t counts[DMAR_DESCRIPTOR_TYPES])
{
    g_mutex_lock(&dmar->lock);
    memcpy(counts, dmar->stats->descriptors, sizeof(dmar->stats->descriptors));
    g_mutex_unlock(&dmar->lock);
}
