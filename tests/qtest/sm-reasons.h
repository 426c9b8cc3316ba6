/*
 * A machine to raise faults on: good tables for an edu and an adi, of the kind
 * that a row names; what the row damages; and the way back.
 *
 * Both devices find one page of data at the same address, by tables that they
 * share; each has a context and a PASID entry of its own.  The ADI's ring and
 * records lie so far from the data that they share nothing but the top table.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_SM_REASONS_H
#define TESTS_QTEST_SM_REASONS_H

#include "qemu/bswap.h"
#include "adi-drive.h"
#include "sm-bed.h"
#include "sm-pages.h"

#define PASID           0x25u           /* of the same table as RID_PASID */
#define RID_PASID       SM_BED_RID_PASID
#define DOMAIN          SM_BED_DOMAIN
#define ADI_SID         Q35_SID(0, 4, 0)
#define DATA_IOVA       0x12345678000ull
#define RING_IOVA       0x40000000ull
#define RING_PAGE       8u              /* of the bed's data */
#define NOWHERE         0x80000000ull   /* neither memory nor a device */
#define ADDRESS         0x000ffffffffff000ull
#define BIT_AT(n)       (1ull << (n))

enum { MODE_LEGACY, MODE_SCALABLE, MODE_RESERVED, MODE_ABORT };

typedef enum Kind { SECOND, FIRST, NESTED, PASS, LEGACY } Kind;

/* Whose requests meet the damage. */
typedef enum Who { BOTH, NO_PASID, WITH_PASID } Who;

/* Entries that can be damaged. */
typedef enum Place {
    NOTHING, ROOT, CONTEXT, DIRECTORY, PASID_ENTRY,
    FS_LEVEL_1, FS_LEVEL_2, FS_LEVEL_4, SS_LEVEL_1, SS_LEVEL_2,
    SS_OF_FS_LEVEL_1, SS_OF_FS_TOP,     /* leaves that map those tables */
} Place;

/* What is lost of the ADI's: its ring and all, or the data alone. */
typedef enum Reach { AS_THE_PLACE, ALL, DATA } Reach;

/* How a translation request that raises the reason is answered. */
typedef enum Answer {
    UNSUPPORTED,        /* and recorded; the device goes on without ATS */
    ABORT,              /* completer abort, and recorded */
    GRANTED_NOTHING,    /* success without rights, which is no fault */
    REPORTED,           /* the same, and recorded */
    GRANTED_REST,       /* what may be done after all; no fault */
    REFUSED_LATER,      /* success, but a translated request is refused */
} Answer;

typedef struct Reasons Reasons;

typedef struct Row {
    const char *path;
    uint8_t reason;
    Kind kind;
    Who who;
    Place place;
    unsigned word;
    uint64_t clear, set;
    void (*damage)(Reasons *r);
    Answer answer;
    Reach reach;
    bool reads;
    uint64_t addr;              /* instead of the data's */
    uint32_t pasid;             /* instead of PASID */
    const char *props;
} Row;

#define ENTRY(where, ...)   .place = where, __VA_ARGS__

struct Reasons {
    SmBed bed;
    const Row *row;
    Adi adi;
    AdiQ q;
    SmMap second;
    SmFirst first;
    uint64_t page;              /* the data, as the devices address it */
    struct { uint64_t addr, value; } was[8];
    unsigned changes;
};

/* ---- Tables -------------------------------------------------------------- */

static inline uint64_t reasons_mode(const Row *row)
{
    return row->kind == LEGACY ? MODE_LEGACY : MODE_SCALABLE;
}

static inline void reasons_set_root(Reasons *r, uint64_t root, uint64_t mode)
{
    sm_writeq(&r->bed.sm, SM_REG_RTADDR, root | mode << 10);
    sm_command(&r->bed.sm, SM_GCMD_SRTP);
}

static inline uint64_t legacy_context_at(Reasons *r, uint16_t sid)
{
    Sm *sm = &r->bed.sm;

    return sm_table_below(sm, sm->root + (sid >> 8) * 16, 1) +
           (sid & 0xff) * 16;
}

/* Translated, device TLBs included. */
static inline void legacy_context_give(Reasons *r, uint16_t sid)
{
    uint64_t entry = legacy_context_at(r, sid);

    qtest_writeq(r->bed.qts, entry + 8, DOMAIN << 8 | 2);
    qtest_writeq(r->bed.qts, entry, r->second.root | 1 << 2 | 1);
}

/* What @iova leads to is at @addr, by one stage or by two. */
static inline void reasons_map(Reasons *r, uint64_t iova, uint64_t addr,
                               uint64_t pages)
{
    Sm *sm = &r->bed.sm;

    switch (r->row->kind) {
    case NESTED:
        sm_first_map(sm, &r->first, iova, addr + SM_GUEST, pages,
                     SM_FS_USER_RW);
        sm_map(sm, &r->second, addr + SM_GUEST, addr, pages, SM_RW);
        break;
    case FIRST:
        sm_first_map(sm, &r->first, iova, addr, pages, SM_FS_USER_RW);
        break;
    default:
        sm_map(sm, &r->second, iova, addr, pages, SM_RW);
        break;
    }
}

static inline void reasons_bind(Reasons *r, uint16_t sid, uint32_t pasid)
{
    static const SmPgtt types[] = {
        [SECOND] = SM_SECOND_STAGE, [FIRST] = SM_FIRST_STAGE,
        [NESTED] = SM_NESTED, [PASS] = SM_PASS_THROUGH,
    };

    sm_pasid_set(&r->bed.sm, sid, pasid, &(SmPasid) {
        .pgtt = types[r->row->kind], .domain = DOMAIN,
        .map = r->second, .first = r->first,
        .dirty = r->row->kind == SECOND,
    });
}

static inline void reasons_make_tables(Reasons *r)
{
    Sm *sm = &r->bed.sm;

    r->second = sm_map_new(sm, 4);
    r->first = r->row->kind == NESTED
               ? sm_first_new_nested(sm, 4, r->second) : sm_first_new(sm, 4);
    reasons_map(r, DATA_IOVA, sm_bed_page(0), 1);
    reasons_map(r, RING_IOVA, sm_bed_page(RING_PAGE), 3);
    if (r->row->kind == LEGACY) {
        legacy_context_give(r, SM_BED_EDU);
        legacy_context_give(r, ADI_SID);
        return;
    }
    sm_context_set(sm, SM_BED_EDU, RID_PASID);
    sm_context_set(sm, ADI_SID, RID_PASID);
    sm_context_allow_pages(sm, ADI_SID);
    reasons_bind(r, SM_BED_EDU, RID_PASID);
    reasons_bind(r, ADI_SID, RID_PASID);
    reasons_bind(r, ADI_SID, PASID);
}

/* ---- The machine --------------------------------------------------------- */

/* Pages of the ROM are last tables, of either stage, or of a first stage that
 * is nested: all that is in them leads to the data. */
#define ROM_TABLE           Q35_ROM
#define ROM_NESTED_TABLE    (Q35_ROM + SM_PAGE)

static inline QTestState *reasons_boot(const char *args)
{
    enum { ENTRIES = SM_PAGE / 8 };
    uint64_t tables[2 * ENTRIES];
    unsigned i;

    for (i = 0; i < ENTRIES; i++) {
        tables[i] = cpu_to_le64(sm_bed_page(0) | SM_FS_USER_RW);
        tables[ENTRIES + i] = tables[i] | cpu_to_le64(SM_GUEST);
    }
    return q35_start_rom(args, tables, sizeof(tables));
}

static inline void reasons_start(Reasons *r, const Row *row)
{
    g_autofree char *args = g_strdup_printf(
        "-device intel-iommu-sm,id=iommu0,ats=on,%s " EDU_DEVICE ",addr=2.0 "
        "-device adi,id=adi,adis=1,ats=on,pri=on,addr=4.0",
        row->props ? row->props : "pt=on");
    SmBed *bed = &r->bed;

    *r = (Reasons) {
        .row = row, .page = row->kind == PASS ? sm_bed_page(0) : DATA_IOVA,
    };
    bed->qts = reasons_boot(args);
    bed->next_bar = Q35_MMIO + 64 * MiB;
    sm_init(&bed->sm, bed->qts, SM_BED_TABLES, 8 * MiB);
    adi_open(&r->adi, bed->qts, ADI_SID);
    edu_open(&bed->edu, bed->qts, SM_BED_EDU, &bed->next_bar);
    reasons_make_tables(r);
    sm_writeq(&bed->sm, SM_REG_IQA, bed->sm.queue | SM_IQA_WIDE);
    sm_command(&bed->sm, SM_GCMD_QIE);
    reasons_set_root(r, bed->sm.root, reasons_mode(row));
    sm_command(&bed->sm, SM_GCMD_TE);
}

/* ---- Damage -------------------------------------------------------------- */

static inline void reasons_change(Reasons *r, uint64_t addr, uint64_t clear,
                                  uint64_t set)
{
    uint64_t value = qtest_readq(r->bed.qts, addr);

    g_assert_cmpuint(r->changes, <, G_N_ELEMENTS(r->was));
    r->was[r->changes].addr = addr;
    r->was[r->changes++].value = value;
    qtest_writeq(r->bed.qts, addr, (value & ~clear) | set);
}

/* Of all PASID entries that there are. */
static inline void reasons_change_entries(Reasons *r, unsigned word,
                                          uint64_t clear, uint64_t set)
{
    Sm *sm = &r->bed.sm;

    reasons_change(r, sm_pasid_addr(sm, SM_BED_EDU, RID_PASID) + 8 * word,
                   clear, set);
    reasons_change(r, sm_pasid_addr(sm, ADI_SID, RID_PASID) + 8 * word,
                   clear, set);
    reasons_change(r, sm_pasid_addr(sm, ADI_SID, PASID) + 8 * word,
                   clear, set);
}

static inline uint64_t directory_entry_at(Reasons *r, uint16_t sid)
{
    uint64_t context = qtest_readq(r->bed.qts,
                                   sm_context_addr(&r->bed.sm, sid));

    return (context & ADDRESS) + (PASID >> 6) * 8;
}

static inline uint64_t context_at(Reasons *r, uint16_t sid)
{
    return r->row->kind == LEGACY ? legacy_context_at(r, sid)
                                  : sm_context_addr(&r->bed.sm, sid);
}

/* The second stage's entry of @level for the data, or for what leads there. */
static inline uint64_t second_entry_at(Reasons *r, unsigned level)
{
    uint64_t addr = r->row->kind == NESTED ? sm_bed_page(0) + SM_GUEST
                                           : DATA_IOVA;

    return sm_map_entry_addr(&r->bed.sm, &r->second, addr, level);
}

/* ... and the leaf for the first stage's table of @level. */
static inline uint64_t second_entry_of_table(Reasons *r, unsigned level)
{
    Sm *sm = &r->bed.sm;
    uint64_t entry = sm_first_entry_addr(sm, &r->first, DATA_IOVA, level);

    return sm_map_entry_addr(sm, &r->second, entry + SM_GUEST, 1);
}

/* Where @place is: one address, or one for each device. */
static inline unsigned find_place(Reasons *r, Place place, uint64_t at[2])
{
    Sm *sm = &r->bed.sm;

    switch (place) {
    case CONTEXT:
        at[0] = context_at(r, SM_BED_EDU);
        at[1] = context_at(r, ADI_SID);
        return 2;
    case DIRECTORY:
        at[0] = directory_entry_at(r, SM_BED_EDU);
        at[1] = directory_entry_at(r, ADI_SID);
        return 2;
    case ROOT:
        at[0] = sm->root;
        return 1;
    case FS_LEVEL_1:
    case FS_LEVEL_2:
        at[0] = sm_first_entry_addr(sm, &r->first, DATA_IOVA,
                                    place - FS_LEVEL_1 + 1);
        return 1;
    case FS_LEVEL_4:
        at[0] = sm_first_entry_addr(sm, &r->first, DATA_IOVA, 4);
        return 1;
    case SS_LEVEL_1:
    case SS_LEVEL_2:
        at[0] = second_entry_at(r, place - SS_LEVEL_1 + 1);
        return 1;
    case SS_OF_FS_LEVEL_1:
        at[0] = second_entry_of_table(r, 1);
        return 1;
    case SS_OF_FS_TOP:
        at[0] = second_entry_of_table(r, 4);
        return 1;
    default:
        return 0;
    }
}

static inline void reasons_damage(Reasons *r)
{
    const Row *row = r->row;
    uint64_t at[2];
    unsigned count, i;

    if (row->damage) {
        row->damage(r);
    }
    if (row->place == PASID_ENTRY) {
        reasons_change_entries(r, row->word, row->clear, row->set);
    }
    count = find_place(r, row->place, at);
    for (i = 0; i < count; i++) {
        reasons_change(r, at[i] + 8 * row->word, row->clear, row->set);
    }
}

/* Nothing of the ADI is translated any more: not its ring either. */
static inline bool takes_all(const Row *row)
{
    bool of_all = row->damage && row->place == NOTHING && !row->addr;

    if (row->reach != AS_THE_PLACE) {
        return row->reach == ALL;
    }
    return row->pasid || of_all ||
           (row->place >= ROOT && row->place <= PASID_ENTRY) ||
           row->place == SS_OF_FS_TOP;
}

static inline void unmap_data(Reasons *r)
{
    reasons_change(r, second_entry_at(r, 1), SM_RW, 0);
}

static inline void root_nowhere(Reasons *r)
{
    reasons_set_root(r, NOWHERE, reasons_mode(r->row));
}

static inline void reserved_mode(Reasons *r)
{
    reasons_set_root(r, r->bed.sm.root, MODE_RESERVED);
}

static inline void scalable_mode(Reasons *r)
{
    reasons_set_root(r, r->bed.sm.root, MODE_SCALABLE);
}

static inline void abort_mode(Reasons *r)
{
    reasons_set_root(r, r->bed.sm.root, MODE_ABORT);
}

static inline void high_rid_pasid(Reasons *r)
{
    Sm *sm = &r->bed.sm;

    reasons_change(r, sm_context_addr(sm, SM_BED_EDU) + 8, 0, BIT_AT(15));
    reasons_change(r, sm_context_addr(sm, ADI_SID) + 8, 0, BIT_AT(15));
}

/* 39 bits: the second stage begins a level lower. */
static inline void short_second(Reasons *r)
{
    uint64_t lower = qtest_readq(r->bed.qts, r->second.root) & ADDRESS;

    reasons_change_entries(r, 0, 7 << 2 | ADDRESS, 1 << 2 | lower);
}

/* All as it was, and nothing cached. */
static inline void reasons_repair(Reasons *r)
{
    Sm *sm = &r->bed.sm;

    while (r->changes) {
        r->changes--;
        qtest_writeq(r->bed.qts, r->was[r->changes].addr,
                     r->was[r->changes].value);
    }
    reasons_set_root(r, sm->root, reasons_mode(r->row));
    sm_invalidate_contexts(sm);
    if (r->row->kind != LEGACY) {
        sm_invalidate_pasids(sm);
    }
    sm_invalidate_iotlb(sm);
}

/* ---- The ADI ------------------------------------------------------------- */

static inline void reasons_adi_give(Reasons *r, uint32_t pasid)
{
    uint64_t ring = sm_bed_page(RING_PAGE);

    adi_give(&r->adi, 0, pasid);
    adi_q_open(&r->q, &r->adi, 0, r->row->kind == PASS ? ring : RING_IOVA,
               ring);
}

static inline uint32_t reasons_pasid(const Reasons *r)
{
    return r->row->who == NO_PASID ? 0 : r->row->pasid ? r->row->pasid : PASID;
}

/* The ADI's, or the function's, whose requests have no PASID. */
static inline void reasons_queue_open(Reasons *r)
{
    if (r->row->who != NO_PASID) {
        reasons_adi_give(r, reasons_pasid(r));
        return;
    }
    adi_command(&r->adi, ADI_FUNCTION, ADI_CMD_RESET);
    adi_q_open(&r->q, &r->adi, ADI_FUNCTION, RING_IOVA,
               sm_bed_page(RING_PAGE));
}

/* Where the row's data is, and where that lets the ADI fail. */
static inline uint64_t reasons_addr(const Reasons *r)
{
    return r->row->addr ? r->row->addr : r->page;
}

static inline uint64_t reasons_adi_addr(const Reasons *r)
{
    return takes_all(r->row) ? r->q.iova : reasons_addr(r);
}

/* Translations are asked for from now on; none is known. */
static inline void reasons_ats_on(Reasons *r)
{
    adi_ats_set(&r->adi, false);
    adi_ats_set(&r->adi, true);
}

/* To read @addr or to write there what sm_bed_pattern(0) is. */
static inline void reasons_adi_post(Reasons *r, uint64_t addr, bool reads)
{
    adi_post(&r->q, &(struct adi_desc) {
        .opcode = reads ? ADI_OP_CRC32C : ADI_OP_FILL, .len = 8,
        .src = reads ? addr : 0, .dst = reads ? 0 : addr,
        .operand = reads ? 0 : sm_bed_pattern(0),
    });
}

static inline void reasons_queue_works(Reasons *r)
{
    sm_bed_blank(&r->bed, 0);
    reasons_adi_post(r, r->page, false);
    adi_wait_done(&r->q);
    sm_bed_assert_pattern(&r->bed, 0, 0);
    reasons_adi_post(r, r->page, true);
    adi_wait_done(&r->q);
}

/* With ATS, or without: as it was set. */
static inline void reasons_adi_works(Reasons *r)
{
    reasons_adi_give(r, PASID);
    reasons_queue_works(r);
}

/* ---- Records ------------------------------------------------------------- */

/* Bits of an address that a record has, of a unit with 48-bit addresses. */
#define RECORDED_BITS   0x0000fffffffff000ull

/* The oldest record is this one. */
static inline void assert_recorded(Reasons *r, const SmFault *expected)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&r->bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, expected->reason);
    g_assert_cmphex(fault.sid, ==, expected->sid);
    g_assert_cmpint(fault.with_pasid, ==, expected->with_pasid);
    g_assert_cmphex(fault.pasid, ==, expected->pasid);
    g_assert_cmphex(fault.page, ==, expected->page & RECORDED_BITS);
    g_assert_cmpint(fault.asked, ==, expected->asked);
    g_assert_cmpint(fault.type, ==, expected->type);
}

static inline void assert_no_more_recorded(Reasons *r)
{
    g_assert_cmphex(sm_readl(&r->bed.sm, SM_REG_FSTS) & 0xff, ==, 0);
}

#endif /* TESTS_QTEST_SM_REASONS_H */
