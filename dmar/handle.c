/*
 * Handles: answers kept beside who asks, and given again without the engine's
 * lock.
 *
 * A handle is a small IOTLB in front of the IOTLB, direct-mapped, of pieces of
 * 4 KiB [VT-d 6.2.4 allows several].  Whatever makes a keeper forget anything
 * (keeper.c), another root table, and counters of the hardware that are switched
 * on make all of them void at once: they go by an epoch of the engine.  So an
 * answer is never given here that the IOTLB would not give, or have given until
 * it needed the room.
 *
 * Slots are written with the engine's lock held, and read without: a slot's
 * sequence number is odd while it is written, and has moved on afterwards.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

enum { SLOTS = 4096 };

#define SLOT_READ       BIT_AT(0)
#define SLOT_WRITE      BIT_AT(1)
#define SLOT_NO_SNOOP   BIT_AT(2)
#define SLOT_DIRTY      BIT_AT(3)           /* a write has nothing to set */
#define SLOT_SHIFT      BITS(9, 4)

/* Epoch 0 is never current. */
typedef struct Slot {
    uint32_t sequence;
    uint32_t source_id;
    uint64_t epoch;
    uint64_t page;              /* input address >> 12 */
    uint64_t output;            /* where it leads, and the bits above */
} Slot;

struct DmarHandle {
    Dmar *dmar;
    uint32_t pasid;
    uint64_t hits;              /* that no row counts yet, of this one, */
    uint16_t row_source_id;     /* as is what the slots hold */
    uint32_t row_pasid;
    Slot *slots;
};

/* ---- Slots ---------------------------------------------------------------- */

static Slot *slot_of(const DmarHandle *h, uint64_t addr)
{
    return &h->slots[(addr >> PAGE_SHIFT_4K) % SLOTS];
}

static uint64_t load64(const uint64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static uint32_t load32(const uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* False: it was being written. */
static bool read_slot(const Slot *slot, Slot *out)
{
    out->sequence = load32(&slot->sequence);
    out->source_id = load32(&slot->source_id);
    out->epoch = load64(&slot->epoch);
    out->page = load64(&slot->page);
    out->output = load64(&slot->output);
    return !(out->sequence & 1) && load32(&slot->sequence) == out->sequence;
}

/* Each store is seen after those before it. */
static void write_slot(Slot *slot, const Slot *value)
{
    uint32_t sequence = slot->sequence;

    __atomic_store_n(&slot->sequence, sequence + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->source_id, value->source_id, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->epoch, value->epoch, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->page, value->page, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->output, value->output, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->sequence, sequence + 2, __ATOMIC_RELEASE);
}

/* ---- Epochs ---------------------------------------------------------------- */

void dmar_handles_void(Dmar *dmar)
{
    uint64_t epoch = dmar->perf_active ? 0 : ++dmar->handle_epochs;

    __atomic_store_n(&dmar->handle_epoch, epoch, __ATOMIC_RELEASE);
}

/* ---- Counting ---------------------------------------------------------------- */

static void count_hits(DmarHandle *h)
{
    uint64_t hits = __atomic_exchange_n(&h->hits, 0, __ATOMIC_RELAXED);

    if (hits) {
        dmar_stats_hits(h->dmar->stats, h->row_source_id, h->row_pasid,
                        h->pasid != DMAR_NO_PASID, hits);
    }
}

void dmar_handles_count(Dmar *dmar)
{
    for (GSList *l = dmar->handles; l; l = l->next) {
        count_hits(l->data);
    }
}

/* ---- Life ------------------------------------------------------------------------ */

DmarHandle *dmar_handle_new(Dmar *dmar, uint32_t pasid)
{
    DmarHandle *h = g_new0(DmarHandle, 1);

    h->dmar = dmar;
    h->pasid = pasid;
    h->slots = g_new0(Slot, SLOTS);
    g_mutex_lock(&dmar->lock);
    dmar->handles = g_slist_prepend(dmar->handles, h);
    g_mutex_unlock(&dmar->lock);
    return h;
}

void dmar_handle_free(DmarHandle *h)
{
    g_mutex_lock(&h->dmar->lock);
    count_hits(h);
    h->dmar->handles = g_slist_remove(h->dmar->handles, h);
    g_mutex_unlock(&h->dmar->lock);
    g_free(h->slots);
    g_free(h);
}

/* ---- Translation --------------------------------------------------------------------- */

static bool answer_again(DmarHandle *h, uint16_t source_id, uint64_t addr,
                         DmarAccess access, DmarTranslation *out)
{
    uint64_t needs = access == DMAR_WRITE ? SLOT_WRITE | SLOT_DIRTY : SLOT_READ;
    Slot slot;

    if (!read_slot(slot_of(h, addr), &slot) || !slot.epoch ||
        slot.page != addr >> PAGE_SHIFT_4K || slot.source_id != source_id ||
        (slot.output & needs) != needs ||
        slot.epoch != load64(&h->dmar->handle_epoch)) {
        return false;
    }
    __atomic_fetch_add(&h->hits, 1, __ATOMIC_RELAXED);
    *out = (DmarTranslation) {
        .completion = DMAR_SUCCESS,
        .read = slot.output & SLOT_READ,
        .write = slot.output & SLOT_WRITE,
        .no_snoop_forced = slot.output & SLOT_NO_SNOOP,
        .addr = (slot.output & ~low_bits(PAGE_SHIFT_4K)) |
                (addr & low_bits(PAGE_SHIFT_4K)),
        .size = BIT_AT(field_get(slot.output, SLOT_SHIFT)),
    };
    return true;
}

/* Buses are seldom given other numbers, and RID_PASID is seldom another. */
static void begin_row(DmarHandle *h, uint16_t source_id, uint32_t pasid)
{
    const Slot nothing = { 0 };

    if (h->row_source_id == source_id && h->row_pasid == pasid) {
        return;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        write_slot(&h->slots[i], &nothing);
    }
    count_hits(h);
    h->row_source_id = source_id;
    h->row_pasid = pasid;
}

static void keep(DmarHandle *h, const DmarRequest *request,
                 const DmarTranslation *answer, const DmarKept *kept)
{
    unsigned shift = 63 - __builtin_clzll(answer->size);

    begin_row(h, request->source_id, kept->pasid);
    write_slot(slot_of(h, request->addr), &(Slot) {
        .source_id = request->source_id,
        .epoch = h->dmar->handle_epoch,
        .page = request->addr >> PAGE_SHIFT_4K,
        .output = (answer->addr & ~low_bits(PAGE_SHIFT_4K)) |
                  (answer->read ? SLOT_READ : 0) |
                  (answer->write ? SLOT_WRITE : 0) |
                  (kept->dirty ? SLOT_DIRTY : 0) |
                  (answer->no_snoop_forced ? SLOT_NO_SNOOP : 0) |
                  field_make(shift, SLOT_SHIFT),
    });
}

void dmar_handle_translate(DmarHandle *h, uint16_t source_id, uint64_t addr,
                           DmarAccess access, DmarTranslation *out)
{
    DmarRequest request = {
        .source_id = source_id, .pasid = h->pasid, .addr = addr,
        .access = access, .type = DMAR_UNTRANSLATED,
    };
    DmarKept kept = { 0 };

    if (access <= DMAR_WRITE && answer_again(h, source_id, addr, access, out)) {
        return;
    }
    g_mutex_lock(&h->dmar->lock);
    dmar_translate_locked(h->dmar, &request, out, &kept);
    if (kept.valid) {
        keep(h, &request, out, &kept);
    }
    g_mutex_unlock(&h->dmar->lock);
}
