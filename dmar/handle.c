/*
 * Handles: answers kept beside who asks, and given again without the engine's
 * lock.
 *
 * A handle is a small IOTLB in front of the IOTLB: a direct-mapped table for
 * each thread that asks, written by that thread only, so that an answer needs
 * no lock, no atomic operation and no cache line that another thread writes.
 * What makes a keeper forget anything of a domain (keeper.c) makes all slots of
 * that domain void at once, and of those that share its number's lowest bits;
 * what concerns all, another root table, and counters of the hardware that are
 * switched on make all slots void: they go by epochs of the engine, which are
 * numbers that grow.  So an answer is never given here that the IOTLB would not
 * give, or have given until it needed the room.
 *
 * A slot holds 4 KiB, or 2 MiB of a larger page [VT-d 6.2.4 allows pieces].  A
 * table grows when pages that are in use push each other out.
 *
 * Locks: a table's owner reads it without; it is written, and read by others,
 * with the engine's lock held.  Hits alone are written without, and read by
 * others when statistics are wanted.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>

#include "thread.h"
#include "unit.h"

enum {
    FIRST_ORDER = 6, LAST_ORDER = 16,   /* of a table's slots: 2^n */
    GROWTH = 2,                         /* added to the order */
    SMALL = PAGE_SHIFT_4K, LARGE = LEVEL_SHIFT(2),
};

#define HITS_MOST       UINT32_MAX              /* then they are counted */
#define MOST_SLOTS      (1ul << 21)     /* of all tables of a unit: 64 MiB */

/* Above a page's number: */
#define SLOT_READ       BIT_AT(52)
#define SLOT_WRITE      BIT_AT(53)
#define SLOT_DIRTY      BIT_AT(54)      /* a write has nothing to set */
#define SLOT_LARGE      BIT_AT(55)
#define SLOT_PAGE       (low_bits(52) | SLOT_LARGE)

/* Below an output address: */
#define SLOT_SHIFT      BITS(5, 0)      /* log2 of what the answer is good for */
#define SLOT_NO_SNOOP   BIT_AT(6)
#define SLOT_DOMAIN     BITS(11, 7)     /* its lowest bits */

G_STATIC_ASSERT(DMAR_DOMAIN_EPOCHS == 32);

typedef struct Slot {
    uint64_t page;              /* input address >> SMALL or LARGE */
    uint64_t output;            /* where it leads */
    uint64_t epoch;             /* of all and of its domain, added */
    uint32_t pasid;
    uint32_t hits;              /* that no row of statistics counts yet */
} Slot;

typedef struct Table {
    Slot *slots;                /* each in one cache line */
    uint32_t mask;              /* slots - 1 */
    uint16_t source_id;         /* whose answers these are, and for which */
    uint32_t rid_pasid;         /* PASID those without one are counted */
    uint32_t pushed_out;        /* slots in use that made room, in this epoch */
    uint64_t epoch;
    void *memory;
} Table;

struct DmarHandle {
    Dmar *dmar;
    Table *tables[DMAR_THREADS];        /* [0] stays NULL */
};

/* ---- Epochs ---------------------------------------------------------------- */

static void set_epoch(uint64_t *epoch, uint64_t value)
{
    __atomic_store_n(epoch, value, __ATOMIC_RELEASE);
}

static inline uint64_t get_epoch(const uint64_t *epoch)
{
    return __atomic_load_n(epoch, __ATOMIC_ACQUIRE);
}

void dmar_handles_void(Dmar *dmar)
{
    set_epoch(&dmar->handle_epoch, dmar->perf_active ? 0 : ++dmar->handle_epochs);
}

void dmar_handles_void_domain(Dmar *dmar, uint16_t domain)
{
    uint64_t *epoch = &dmar->domain_epochs[domain % DMAR_DOMAIN_EPOCHS];

    set_epoch(epoch, *epoch + 1);
}

/* Neither number has grown since it was written, if their sum has not.  Those
 * who ask have looked whether @of_all is 0. */
static inline bool is_of_epoch(const Dmar *dmar, const Slot *slot,
                               uint64_t of_all)
{
    uint64_t domain = field_get(slot->output, SLOT_DOMAIN);

    return slot->epoch == of_all + get_epoch(&dmar->domain_epochs[domain]);
}

static bool is_current(const DmarHandle *h, const Slot *slot)
{
    return slot->page && h->dmar->handle_epoch &&
           is_of_epoch(h->dmar, slot, h->dmar->handle_epoch);
}

/* ---- Counting ---------------------------------------------------------------- */

static uint32_t hits_of(const Slot *slot)
{
    return __atomic_load_n(&slot->hits, __ATOMIC_RELAXED);
}

static void set_hits(Slot *slot, uint32_t hits)
{
    __atomic_store_n(&slot->hits, hits, __ATOMIC_RELAXED);
}

typedef void CountHits(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                       bool with_pasid, uint64_t hits);

static void count_slot(const DmarHandle *h, const Table *t, const Slot *slot,
                       CountHits *count)
{
    bool with_pasid = slot->pasid != DMAR_NO_PASID;
    uint32_t hits = hits_of(slot);

    if (hits) {
        count(h->dmar->stats, t->source_id,
              with_pasid ? slot->pasid : t->rid_pasid, with_pasid, hits);
    }
}

static void count_table(const DmarHandle *h, const Table *t, CountHits *count)
{
    for (uint32_t i = 0; i <= t->mask; i++) {
        count_slot(h, t, &t->slots[i], count);
    }
}

static void count_handle(const DmarHandle *h, CountHits *count)
{
    for (unsigned i = 0; i < DMAR_THREADS; i++) {
        if (h->tables[i]) {
            count_table(h, h->tables[i], count);
        }
    }
}

void dmar_handles_count(const Dmar *dmar)
{
    for (GSList *l = dmar->handles; l; l = l->next) {
        count_handle(l->data, dmar_stats_pending);
    }
}

/* Statistics begin anew.  Who asks in the same moment may be counted. */
void dmar_handles_forget_counts(Dmar *dmar)
{
    for (GSList *l = dmar->handles; l; l = l->next) {
        const DmarHandle *h = l->data;

        for (unsigned i = 0; i < DMAR_THREADS; i++) {
            const Table *t = h->tables[i];

            for (uint32_t n = 0; t && n <= t->mask; n++) {
                set_hits(&t->slots[n], 0);
            }
        }
    }
}

/* ---- Life ------------------------------------------------------------------------ */

DmarHandle *dmar_handle_new(Dmar *dmar)
{
    DmarHandle *h = g_new0(DmarHandle, 1);

    h->dmar = dmar;
    g_mutex_lock(&dmar->lock);
    dmar->handles = g_slist_prepend(dmar->handles, h);
    g_mutex_unlock(&dmar->lock);
    return h;
}

static void free_table(DmarHandle *h, Table *t)
{
    if (t) {
        h->dmar->handle_slots -= t->mask + 1;
        g_free(t->memory);
        g_free(t);
    }
}

void dmar_handle_free(DmarHandle *h)
{
    g_mutex_lock(&h->dmar->lock);
    count_handle(h, dmar_stats_hits);
    for (unsigned i = 0; i < DMAR_THREADS; i++) {
        free_table(h, h->tables[i]);
    }
    h->dmar->handles = g_slist_remove(h->dmar->handles, h);
    g_mutex_unlock(&h->dmar->lock);
    g_free(h);
}

/* ---- Slots ----------------------------------------------------------------------- */

static uint64_t page_of(uint64_t addr, bool large)
{
    return large ? addr >> LARGE | SLOT_LARGE : addr >> SMALL;
}

/* Pages in a row do not meet. */
static inline uint32_t slot_index(const Table *t, uint32_t pasid, uint64_t page)
{
    return ((uint32_t)page ^ (pasid * UINT32_C(0x9e3779b1)) >> 8) & t->mask;
}

/* A table this large is looked up all over: the host's own TLB holds little of
 * it in small pages. */
static void use_large_pages(void *at, size_t size)
{
#ifdef MADV_HUGEPAGE
    if (size >= BIT_AT(LARGE)) {
        madvise(at, size, MADV_HUGEPAGE);
    }
#endif
}

static Table *new_table(DmarHandle *h, unsigned slots)
{
    size_t size = slots * sizeof(Slot);
    size_t alignment = MIN(size, BIT_AT(LARGE));
    Table *t = g_new0(Table, 1);

    t->memory = g_malloc0(size + alignment);
    t->slots = (Slot *)(((uintptr_t)t->memory + alignment - 1) & -alignment);
    use_large_pages(t->slots, size);
    t->mask = slots - 1;
    h->dmar->handle_slots += slots;
    return t;
}

static inline Slot *slot_for(const Table *t, uint32_t pasid, uint64_t page)
{
    return &t->slots[slot_index(t, pasid, page & SLOT_PAGE)];
}

static void set_slot(const DmarHandle *h, const Table *t, Slot *slot,
                     const Slot *value)
{
    count_slot(h, t, slot, dmar_stats_hits);
    *slot = *value;
}

/* ---- Tables ---------------------------------------------------------------------- */

static bool is_crowded(const DmarHandle *h, const Table *t)
{
    uint64_t slots = (uint64_t)t->mask + 1;

    return t->pushed_out > slots / 4 && t->mask + 1 < 1u << LAST_ORDER &&
           h->dmar->handle_slots + (slots << GROWTH) <= MOST_SLOTS;
}

static void grow(DmarHandle *h, unsigned thread)
{
    Table *old = h->tables[thread];
    Table *t = new_table(h, (old->mask + 1) << GROWTH);

    t->source_id = old->source_id;
    t->rid_pasid = old->rid_pasid;
    for (uint32_t i = 0; i <= old->mask; i++) {
        const Slot *slot = &old->slots[i];

        if (is_current(h, slot)) {
            set_slot(h, t, slot_for(t, slot->pasid, slot->page), slot);
        } else {
            count_slot(h, old, slot, dmar_stats_hits);
        }
    }
    free_table(h, old);
    h->tables[thread] = t;
}

/* Buses are seldom given other numbers, and RID_PASID is seldom another. */
static void begin_anew(DmarHandle *h, Table *t, uint16_t source_id,
                       uint32_t rid_pasid)
{
    count_table(h, t, dmar_stats_hits);
    memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof(Slot));
    t->source_id = source_id;
    t->rid_pasid = rid_pasid;
}

/* With room for answers to @request. */
static Table *table_for(DmarHandle *h, unsigned thread,
                        const DmarRequest *request, const DmarKept *kept)
{
    bool with_pasid = request->pasid != DMAR_NO_PASID;
    Table *t = h->tables[thread];

    if (!t) {
        t = h->tables[thread] = new_table(h, 1u << FIRST_ORDER);
        begin_anew(h, t, request->source_id, kept->pasid);
    } else if (t->source_id != request->source_id ||
               (!with_pasid && t->rid_pasid != kept->pasid)) {
        begin_anew(h, t, request->source_id, kept->pasid);
    } else if (is_crowded(h, t)) {
        grow(h, thread);
        t = h->tables[thread];
    }
    return t;
}

static void note_who_gives_way(const DmarHandle *h, Table *t, const Slot *slot,
                               const Slot *value)
{
    if (t->epoch != h->dmar->handle_epoch) {
        t->epoch = h->dmar->handle_epoch;
        t->pushed_out = 0;
    }
    t->pushed_out += (slot->pasid != value->pasid ||
                      (slot->page ^ value->page) & SLOT_PAGE) &&
                     is_current(h, slot);
}

static void keep(DmarHandle *h, unsigned thread, const DmarRequest *request,
                 const DmarTranslation *answer, const DmarKept *kept)
{
    bool large = answer->size >= BIT_AT(LARGE);
    Table *t = table_for(h, thread, request, kept);
    Slot value = {
        .page = page_of(request->addr, large) |
                (answer->read ? SLOT_READ : 0) |
                (answer->write ? SLOT_WRITE : 0) |
                (kept->dirty ? SLOT_DIRTY : 0),
        .output = (answer->addr & ~low_bits(large ? LARGE : SMALL)) |
                  field_make(__builtin_ctzll(answer->size), SLOT_SHIFT) |
                  (answer->no_snoop_forced ? SLOT_NO_SNOOP : 0) |
                  field_make(kept->domain % DMAR_DOMAIN_EPOCHS, SLOT_DOMAIN),
        .epoch = h->dmar->handle_epoch +
                 h->dmar->domain_epochs[kept->domain % DMAR_DOMAIN_EPOCHS],
        .pasid = request->pasid,
    };
    Slot *slot = slot_for(t, value.pasid, value.page);

    note_who_gives_way(h, t, slot, &value);
    set_slot(h, t, slot, &value);
}

/* ---- Translation --------------------------------------------------------------------- */

static inline Slot *find(const DmarHandle *h, const Table *t, uint32_t pasid,
                         uint64_t page, uint64_t needs, uint64_t epoch)
{
    Slot *slot = slot_for(t, pasid, page);

    return (slot->page & (SLOT_PAGE | needs)) == (page | needs) &&
           slot->pasid == pasid && is_of_epoch(h->dmar, slot, epoch)
           ? slot : NULL;
}

/* The slot that answers, counted, and which bits of an address are inside of
 * what it holds; NULL: there is none.  Inline, or its caller takes as long as
 * this. */
__attribute__((always_inline))
static inline const Slot *hit(const DmarHandle *h, uint16_t source_id,
                              uint32_t pasid, uint64_t addr, DmarAccess access,
                              uint64_t *inside)
{
    const Table *t = h->tables[dmar_thread_number()];
    uint64_t needs = access == DMAR_WRITE ? SLOT_WRITE | SLOT_DIRTY : SLOT_READ;
    uint64_t epoch = get_epoch(&h->dmar->handle_epoch);
    Slot *slot;

    if (G_UNLIKELY(!t || t->source_id != source_id || access > DMAR_WRITE)) {
        return NULL;
    }
    *inside = low_bits(SMALL);
    slot = find(h, t, pasid, page_of(addr, false), needs, epoch);
    if (G_UNLIKELY(!slot)) {
        *inside = low_bits(LARGE);
        slot = find(h, t, pasid, page_of(addr, true), needs, epoch);
    }
    if (G_UNLIKELY(!slot || !epoch || hits_of(slot) == HITS_MOST)) {
        return NULL;
    }
    set_hits(slot, hits_of(slot) + 1);
    return slot;
}

static inline uint64_t output_for(const Slot *slot, uint64_t addr,
                                  uint64_t inside)
{
    return (slot->output & ~inside) | (addr & inside);
}

DmarPlace dmar_handle_place(DmarHandle *h, uint16_t source_id, uint32_t pasid,
                            uint64_t addr, DmarAccess access)
{
    uint64_t inside;
    const Slot *slot = hit(h, source_id, pasid, addr, access, &inside);

    if (G_UNLIKELY(!slot)) {
        return (DmarPlace) { 0 };
    }
    return (DmarPlace) { .addr = output_for(slot, addr, inside),
                         .bytes = (~addr & inside) + 1 };
}

/* Not inline, so that an answer from a slot needs no room for all this. */
static G_NO_INLINE void ask(DmarHandle *h, uint16_t source_id, uint32_t pasid,
                            uint64_t addr, DmarAccess access,
                            DmarTranslation *out)
{
    const DmarRequest request = {
        .source_id = source_id, .pasid = pasid, .addr = addr,
        .access = access, .type = DMAR_UNTRANSLATED,
    };
    unsigned thread = dmar_thread_number();
    DmarKept kept = { 0 };

    g_mutex_lock(&h->dmar->lock);
    dmar_translate_locked(h->dmar, &request, out, &kept);
    if (kept.valid && thread) {
        keep(h, thread, &request, out, &kept);
    }
    g_mutex_unlock(&h->dmar->lock);
}

void dmar_handle_translate(DmarHandle *h, uint16_t source_id, uint32_t pasid,
                           uint64_t addr, DmarAccess access, DmarTranslation *out)
{
    uint64_t inside;
    const Slot *slot = hit(h, source_id, pasid, addr, access, &inside);

    if (G_UNLIKELY(!slot)) {
        ask(h, source_id, pasid, addr, access, out);
        return;
    }
    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .read = slot->page & SLOT_READ,
        .write = slot->page & SLOT_WRITE,
        .no_snoop_forced = slot->output & SLOT_NO_SNOOP,
        .addr = output_for(slot, addr, inside),
        .size = BIT_AT(slot->output & SLOT_SHIFT),
    };
}
