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
enum { MAX_ROWS = 4096, PLACES = 2 * MAX_ROWS };

/* Commands that named a domain, or a PASID of one: each is counted once, not in
 * every row that it concerns, and only while a row is concerned. */
typedef struct Count {
    uint64_t key;
    uint64_t invalidations;
    unsigned rows;
} Count;

typedef struct Row {
    DmarPasidStats shown;       /* invalidations: before the counts below */
    Count *domain, *pasid;      /* NULL: never bound; without PASID */
    uint64_t before;            /* what the counts were */
    uint64_t pending;           /* translations to show that others count */
} Row;

struct DmarStats {
    Row *rows[PLACES];          /* by source-id and PASID, or the next free */
    unsigned row_count;
    GHashTable *counts;         /* domain, PASID -> Count */
    Count *recent;              /* of the last command, or NULL */
    uint64_t descriptors[DMAR_DESCRIPTOR_TYPES];
};

DmarStats *dmar_stats_new(void)
{
    DmarStats *stats = g_new0(DmarStats, 1);

    stats->counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                          g_free);
    return stats;
}

static void free_rows(DmarStats *stats)
{
    for (unsigned i = 0; i < PLACES; i++) {
        g_clear_pointer(&stats->rows[i], g_free);
    }
    stats->row_count = 0;
}

void dmar_stats_free(DmarStats *stats)
{
    free_rows(stats);
    g_hash_table_destroy(stats->counts);
    g_free(stats);
}

void dmar_stats_reset(DmarStats *stats)
{
    free_rows(stats);
    stats->recent = NULL;
    g_hash_table_remove_all(stats->counts);
    memset(stats->descriptors, 0, sizeof(stats->descriptors));
}

/* ---- Invalidations --------------------------------------------------------- */

static uint64_t key_of(uint16_t id, uint32_t pasid)
{
    return (uint64_t)id << 32 | pasid;
}

static Count *join(DmarStats *stats, uint16_t domain, uint32_t pasid)
{
    uint64_t key = key_of(domain, pasid);
    Count *count = g_hash_table_lookup(stats->counts, &key);

    if (!count) {
        count = g_new0(Count, 1);
        count->key = key;
        g_hash_table_insert(stats->counts, &count->key, count);
    }
    count->rows++;
    return count;
}

static void leave(DmarStats *stats, Count *count)
{
    if (count && --count->rows == 0) {
        stats->recent = NULL;
        g_hash_table_remove(stats->counts, &count->key);
    }
}

static uint64_t counted(const Row *row)
{
    return (row->domain ? row->domain->invalidations : 0) +
           (row->pasid ? row->pasid->invalidations : 0);
}

static uint64_t invalidations(const Row *row)
{
    return row->shown.invalidations + counted(row) - row->before;
}

static void bind_row(DmarStats *stats, Row *row, uint16_t domain)
{
    Count *old[] = { row->domain, row->pasid };

    row->shown.invalidations = invalidations(row);
    row->shown.domain = domain;
    row->domain = join(stats, domain, DMAR_NO_PASID);
    row->pasid = row->shown.pasid == DMAR_NO_PASID
                 ? NULL : join(stats, domain, row->shown.pasid);
    row->before = counted(row);
    leave(stats, old[0]);
    leave(stats, old[1]);
}

/* DMAR_NO_PASID: the command named the whole domain. */
void dmar_stats_invalidation(DmarStats *stats, uint16_t domain, uint32_t pasid)
{
    uint64_t key = key_of(domain, pasid);

    if (!stats->recent || stats->recent->key != key) {
        stats->recent = g_hash_table_lookup(stats->counts, &key);
    }
    if (stats->recent) {
        stats->recent->invalidations++;
    }
}

/* ---- Rows ------------------------------------------------------------------ */

static bool is_of(const Row *row, uint16_t source_id, uint32_t pasid)
{
    return row->shown.source_id == source_id && row->shown.pasid == pasid;
}

/* Where the row is, or would be: half of the places are free. */
static Row **place_of(DmarStats *stats, uint16_t source_id, uint32_t pasid)
{
    uint64_t hash = key_of(source_id, pasid) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned i = hash >> 48;

    while (stats->rows[i % PLACES] &&
           !is_of(stats->rows[i % PLACES], source_id, pasid)) {
        i++;
    }
    return &stats->rows[i % PLACES];
}

/* NULL when there is no room for another row. */
static Row *row_of(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                   bool with_pasid)
{
    Row **place = place_of(stats, source_id, pasid);

    if (!*place && stats->row_count < MAX_ROWS) {
        *place = g_new0(Row, 1);
        (*place)->shown.source_id = source_id;
        (*place)->shown.pasid = pasid;
        (*place)->shown.with_pasid = with_pasid;
        stats->row_count++;
    }
    return *place;
}

void dmar_stats_entry(DmarStats *stats, const DmarBinding *binding,
                      bool with_pasid)
{
    Row *row = row_of(stats, binding->source_id, binding->pasid, with_pasid);

    if (row) {
        bind_row(stats, row, binding->domain);
        row->shown.pgtt = binding->pgtt;
        row->shown.root = dmar_outer_root(binding)->addr;
        row->shown.entry_fetches++;
    }
}

void dmar_stats_request(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                        bool with_pasid, DmarOutcome outcome)
{
    Row *row = row_of(stats, source_id, pasid, with_pasid);

    if (row) {
        row->shown.translations += outcome != DMAR_REFUSED;
        row->shown.walks += outcome == DMAR_WALKED;
        row->shown.faults += outcome == DMAR_REFUSED;
    }
}

void dmar_stats_hits(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                     bool with_pasid, uint64_t hits)
{
    Row *row = row_of(stats, source_id, pasid, with_pasid);

    if (row) {
        row->shown.translations += hits;
    }
}

/* As dmar_stats_hits(), for the next dmar_foreach_pasid() only. */
void dmar_stats_pending(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                        bool with_pasid, uint64_t hits)
{
    Row *row = row_of(stats, source_id, pasid, with_pasid);

    if (row) {
        row->pending += hits;
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
    const DmarPasidStats *x = &(*(Row *const *)a)->shown;
    const DmarPasidStats *y = &(*(Row *const *)b)->shown;

    if (x->source_id != y->source_id) {
        return x->source_id < y->source_id ? -1 : 1;
    }
    return x->pasid < y->pasid ? -1 : x->pasid > y->pasid;
}

static GPtrArray *sorted_rows(const DmarStats *stats)
{
    GPtrArray *rows = g_ptr_array_new();

    for (unsigned i = 0; i < PLACES; i++) {
        if (stats->rows[i]) {
            g_ptr_array_add(rows, stats->rows[i]);
        }
    }
    g_ptr_array_sort(rows, compare_rows);
    return rows;
}

static void show(Row *row, DmarPasidVisitor *visit, void *data)
{
    DmarPasidStats shown = row->shown;

    shown.invalidations = invalidations(row);
    shown.translations += row->pending;
    row->pending = 0;
    visit(&shown, data);
}

void dmar_foreach_pasid(Dmar *dmar, DmarPasidVisitor *visit, void *data)
{
    GPtrArray *rows;

    g_mutex_lock(&dmar->lock);
    dmar_handles_count(dmar);
    rows = sorted_rows(dmar->stats);
    for (guint i = 0; i < rows->len; i++) {
        show(rows->pdata[i], visit, data);
    }
    g_ptr_array_free(rows, true);
    g_mutex_unlock(&dmar->lock);
}

void dmar_descriptor_counts(Dmar *dmar, uint64_t counts[DMAR_DESCRIPTOR_TYPES])
{
    g_mutex_lock(&dmar->lock);
    memcpy(counts, dmar->stats->descriptors, sizeof(dmar->stats->descriptors));
    g_mutex_unlock(&dmar->lock);
}
