/*
 * Scalable-mode tables, built by a test in the memory of its guest.
 *
 * A small library of verbs for qtests that stand where an operating system
 * would: it gives functions a context entry, PASIDs an entry, and addresses a
 * second-stage translation; it starts the remapping unit, invalidates through
 * its queue and takes faults out of its records.  A typical test:
 *
 *     sm_init(&sm, qts, 16 * MiB, 8 * MiB);
 *     map = sm_map_new(&sm, 4);
 *     sm_map(&sm, &map, 0x1000, ram, 1, SM_RW);
 *     sm_pasid_set(&sm, sid, 5, &(SmPasid) { SM_SECOND_STAGE, 7, map });
 *     sm_start(&sm);
 *
 * First-stage tables are made likewise by sm_first_*(), on their own or nested
 * in a map.
 *
 * The formats are typed in here from the specification a second time, on
 * purpose: a mistake in the engine's own headers must not cancel itself out.
 * Sections are those of the revision named in dmar/spec/README.md.
 *
 * Nothing here invalidates by itself: an entry that changes while the unit
 * runs stays as it was until the test says sm_invalidate_*().
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_SM_TABLES_H
#define TESTS_QTEST_SM_TABLES_H

#include "libqtest.h"

#define SM_UNIT_BASE    0xfed90000ull
#define SM_UNIT_STRIDE  0x4000          /* to the next unit's registers */
#define SM_PAGE         4096ull
#define SM_TIMEOUT_US   (10 * G_USEC_PER_SEC)

/* Registers [VT-d 11.4]. */
enum {
    SM_REG_CAP      = 0x008,
    SM_REG_ECAP     = 0x010,
    SM_REG_GCMD     = 0x018,
    SM_REG_GSTS     = 0x01c,
    SM_REG_RTADDR   = 0x020,
    SM_REG_FSTS     = 0x034,
    SM_REG_FECTL    = 0x038,
    SM_REG_FEDATA   = 0x03c,
    SM_REG_FEADDR   = 0x040,
    SM_REG_FEUADDR  = 0x044,
    SM_REG_IQH      = 0x080,
    SM_REG_IQT      = 0x088,
    SM_REG_IQA      = 0x090,
};

#define SM_GCMD_TE          (1u << 31)
#define SM_GCMD_SRTP        (1u << 30)
#define SM_GCMD_QIE         (1u << 26)
#define SM_GSTS_LASTING     0x96ffffffu     /* without one-shot bits */
#define SM_RTADDR_SCALABLE  (1ull << 10)
#define SM_IQA_WIDE         (1ull << 11)    /* 256-bit descriptors */
#define SM_FSTS_PFO         (1u << 0)
#define SM_FSTS_PPF         (1u << 1)
#define SM_FSTS_IQE         (1u << 4)

/* Rights of a second-stage entry [VT-d 9.8]. */
typedef enum SmRights { SM_NONE = 0, SM_R = 1, SM_W = 2, SM_RW = 3 } SmRights;

/* PASID granular translation type [VT-d 9.6]. */
typedef enum SmPgtt {
    SM_FIRST_STAGE = 1,
    SM_SECOND_STAGE = 2,
    SM_NESTED = 3,
    SM_PASS_THROUGH = 4,
} SmPgtt;

#define SM_SS_ACCESSED      (1ull << 8)
#define SM_SS_DIRTY         (1ull << 9)     /* of a leaf */

/* Bits of a first-stage entry [VT-d 9.7]. */
enum {
    SM_FS_PRESENT   = 1 << 0,
    SM_FS_WRITABLE  = 1 << 1,
    SM_FS_USER      = 1 << 2,
    SM_FS_ACCESSED  = 1 << 5,
    SM_FS_DIRTY     = 1 << 6,               /* of a leaf */
    SM_FS_LARGE     = 1 << 7,
    SM_FS_EXTENDED  = 1 << 10,              /* extended-accessed */

    SM_FS_USER_RW   = SM_FS_PRESENT | SM_FS_WRITABLE | SM_FS_USER,
};

/* A set of second-stage tables. */
typedef struct SmMap {
    uint64_t root;
    unsigned levels;        /* 3, 4 or 5 */
} SmMap;

/* A set of first-stage tables. */
typedef struct SmFirst {
    uint64_t root;          /* nested: an address of the second stage */
    unsigned levels;        /* 4 or 5 */
    SmMap below;            /* the second stage, if nested; else no levels */
} SmFirst;

/* What a nested first stage calls an address in memory is higher by this. */
#define SM_GUEST        (1ull << 38)

/* What a PASID entry is to say. */
typedef struct SmPasid {
    SmPgtt pgtt;
    uint16_t domain;
    SmMap map;              /* SM_SECOND_STAGE, SM_NESTED */
    SmFirst first;          /* SM_FIRST_STAGE, SM_NESTED */
    bool no_faults;         /* FPD: fault processing disabled */
    bool dirty;             /* SSADE: accessed and dirty bits in @map */
    bool extended;          /* EAFE: extended-accessed bits in @first */
} SmPasid;

/* What was asked for: T1 and T2 of a fault record. */
typedef enum SmAsked { SM_WRITE = 0, SM_PAGE_REQUEST = 1, SM_READ = 2 } SmAsked;

/* ... and its address type. */
typedef enum SmAddressType {
    SM_UNTRANSLATED, SM_TRANSLATION_REQUEST, SM_TRANSLATED,
} SmAddressType;

/* A fault record, taken apart [VT-d 11.4.7.6]. */
typedef struct SmFault {
    uint8_t reason;
    uint16_t sid;
    bool with_pasid;
    uint32_t pasid;
    bool is_read;
    SmAsked asked;
    SmAddressType type;
    uint64_t page;
} SmFault;

typedef struct Sm {
    QTestState *qts;
    uint64_t unit;          /* where its registers are */
    uint64_t next, end;     /* memory that pages are taken from */
    uint64_t root;
    uint64_t queue;         /* one page: 128 descriptors of 32 bytes */
    uint64_t wait_status;
    uint32_t wait_value;
} Sm;

/* ---- Memory -------------------------------------------------------------- */

/* A page of zeroes. */
static inline uint64_t sm_page(Sm *sm)
{
    uint64_t page = sm->next;

    g_assert_cmpuint(page + SM_PAGE, <=, sm->end);
    sm->next += SM_PAGE;
    qtest_memset(sm->qts, page, 0, SM_PAGE);
    return page;
}

/*
 * Tables will lie in [@base, @base + @size), page-aligned.  They are those of
 * the first unit, unless the test says another.
 */
static inline void sm_init(Sm *sm, QTestState *qts, uint64_t base,
                           uint64_t size)
{
    *sm = (Sm) { .qts = qts, .unit = SM_UNIT_BASE, .next = base,
                 .end = base + size };
    sm->root = sm_page(sm);
    sm->queue = sm_page(sm);
    sm->wait_status = sm_page(sm);
}

/* The table that the entry at @entry points to; made if there is none. */
static inline uint64_t sm_table_below(Sm *sm, uint64_t entry, uint64_t flags)
{
    uint64_t value = qtest_readq(sm->qts, entry);

    if (!value) {
        value = sm_page(sm) | flags;
        qtest_writeq(sm->qts, entry, value);
    }
    return value & ~(SM_PAGE - 1);
}

/* ---- From a function and a PASID to an entry ----------------------------- */

/* Where the scalable-mode context entry of @sid is [VT-d 9.1, 9.4]. */
static inline uint64_t sm_context_addr(Sm *sm, uint16_t sid)
{
    uint64_t root_half = sm->root + (sid >> 8) * 16 + (sid & 0x80 ? 8 : 0);

    return sm_table_below(sm, root_half, 1) + (sid & 0x7f) * 32;
}

/*
 * The context entry of @sid, present, PASIDs enabled, with a directory of
 * 2^14 entries that covers all PASIDs, and RID_PASID @rid_pasid.
 */
static inline void sm_context_set(Sm *sm, uint16_t sid, uint32_t rid_pasid)
{
    uint64_t entry = sm_context_addr(sm, sid);
    uint64_t directory = sm->next;
    unsigned i;

    for (i = 0; i < 32; i++) {
        sm_page(sm);
    }
    qtest_writeq(sm->qts, entry + 8, rid_pasid);
    qtest_writeq(sm->qts, entry + 16, 0);
    qtest_writeq(sm->qts, entry + 24, 0);
    qtest_writeq(sm->qts, entry, directory | 7 << 9 | 1 << 3 | 1);
}

/* Where the PASID-table entry is [VT-d 9.5, 9.6]; needs sm_context_set(). */
static inline uint64_t sm_pasid_addr(Sm *sm, uint16_t sid, uint32_t pasid)
{
    uint64_t context = qtest_readq(sm->qts, sm_context_addr(sm, sid));
    uint64_t directory = context & ~(SM_PAGE - 1);

    g_assert_cmpuint(context & 1, ==, 1);
    return sm_table_below(sm, directory + (pasid >> 6) * 8, 1) +
           (pasid & 0x3f) * 64;
}

static inline bool sm_has_first_stage(const SmPasid *what)
{
    return what->pgtt == SM_FIRST_STAGE || what->pgtt == SM_NESTED;
}

static inline bool sm_has_second_stage(const SmPasid *what)
{
    return what->pgtt == SM_SECOND_STAGE || what->pgtt == SM_NESTED;
}

/* Walks are snooped (PWSNP) where bits are to be set. */
static inline void sm_pasid_set(Sm *sm, uint16_t sid, uint32_t pasid,
                                const SmPasid *what)
{
    uint64_t entry = sm_pasid_addr(sm, sid, pasid);
    uint64_t word0 = (uint64_t)what->pgtt << 6 | (what->no_faults ? 2 : 0);
    uint64_t word1 = what->domain;
    uint64_t word2 = 0;

    if (sm_has_second_stage(what)) {
        word0 |= what->map.root | (what->map.levels - 2) << 2;
        word0 |= what->dirty ? 1 << 9 : 0;
    }
    if (sm_has_first_stage(what)) {
        word2 |= what->first.root | (what->first.levels - 4) << 2;
        word2 |= what->extended ? 1 << 7 : 0;
    }
    word1 |= sm_has_first_stage(what) || what->dirty ? 1 << 23 : 0;
    qtest_writeq(sm->qts, entry + 16, word2);
    qtest_writeq(sm->qts, entry + 8, word1);
    qtest_writeq(sm->qts, entry, word0 | 1);
}

static inline void sm_pasid_clear(Sm *sm, uint16_t sid, uint32_t pasid)
{
    uint64_t entry = sm_pasid_addr(sm, sid, pasid);
    unsigned i;

    for (i = 0; i < 64; i += 8) {
        qtest_writeq(sm->qts, entry + i, 0);
    }
}

/* ---- Second-stage tables ------------------------------------------------- */

static inline SmMap sm_map_new(Sm *sm, unsigned levels)
{
    return (SmMap) { .root = sm_page(sm), .levels = levels };
}

/*
 * Where the entry for @iova of @level is: level 1 is that of a 4 KiB page,
 * 2 of 2 MiB, 3 of 1 GiB.  Tables above it are made as needed.
 */
static inline uint64_t sm_map_entry_addr(Sm *sm, const SmMap *map,
                                         uint64_t iova, unsigned level)
{
    uint64_t table = map->root;
    unsigned l;

    for (l = map->levels; l > level; l--) {
        uint64_t entry = table + (iova >> (12 + 9 * (l - 1)) & 0x1ff) * 8;

        table = sm_table_below(sm, entry, SM_RW);
    }
    return table + (iova >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
}

/* Map @pages pages of 4 KiB. */
static inline void sm_map(Sm *sm, const SmMap *map, uint64_t iova,
                          uint64_t addr, uint64_t pages, SmRights rights)
{
    uint64_t i;

    for (i = 0; i < pages; i++) {
        qtest_writeq(sm->qts,
                     sm_map_entry_addr(sm, map, iova + i * SM_PAGE, 1),
                     addr + i * SM_PAGE + rights);
    }
}

/* Map one large page: @level 2 is 2 MiB, 3 is 1 GiB. */
static inline void sm_map_large(Sm *sm, const SmMap *map, uint64_t iova,
                                uint64_t addr, unsigned level, SmRights rights)
{
    qtest_writeq(sm->qts, sm_map_entry_addr(sm, map, iova, level),
                 addr | 1 << 7 | rights);
}

static inline void sm_unmap(Sm *sm, const SmMap *map, uint64_t iova,
                            uint64_t pages)
{
    uint64_t i;

    for (i = 0; i < pages; i++) {
        qtest_writeq(sm->qts,
                     sm_map_entry_addr(sm, map, iova + i * SM_PAGE, 1), 0);
    }
}

/* ---- First-stage tables -------------------------------------------------- */

/* Where in memory the first stage's @addr is. */
static inline uint64_t sm_first_memory(const SmFirst *first, uint64_t addr)
{
    return first->below.levels ? addr - SM_GUEST : addr;
}

/* A page for a table, as the first stage calls it; nested, mapped below. */
static inline uint64_t sm_first_page(Sm *sm, const SmFirst *first)
{
    uint64_t page = sm_page(sm);

    if (!first->below.levels) {
        return page;
    }
    sm_map(sm, &first->below, page + SM_GUEST, page, 1, SM_RW);
    return page + SM_GUEST;
}

static inline SmFirst sm_first_new(Sm *sm, unsigned levels)
{
    return (SmFirst) { .root = sm_page(sm), .levels = levels };
}

/* In @map, which maps its tables page by page. */
static inline SmFirst sm_first_new_nested(Sm *sm, unsigned levels, SmMap map)
{
    SmFirst first = { .levels = levels, .below = map };

    first.root = sm_first_page(sm, &first);
    return first;
}

/* As sm_map_entry_addr(): where in memory the entry is. */
static inline uint64_t sm_first_entry_addr(Sm *sm, const SmFirst *first,
                                           uint64_t iova, unsigned level)
{
    uint64_t table = sm_first_memory(first, first->root);
    unsigned l;

    for (l = first->levels; l > level; l--) {
        uint64_t entry = table + (iova >> (12 + 9 * (l - 1)) & 0x1ff) * 8;
        uint64_t value = qtest_readq(sm->qts, entry);

        if (!value) {
            value = sm_first_page(sm, first) | SM_FS_USER_RW;
            qtest_writeq(sm->qts, entry, value);
        }
        table = sm_first_memory(first, value & ~(SM_PAGE - 1));
    }
    return table + (iova >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
}

/* Map @pages pages to @addr, nested an address of the second stage. */
static inline void sm_first_map(Sm *sm, const SmFirst *first, uint64_t iova,
                                uint64_t addr, uint64_t pages, uint64_t flags)
{
    uint64_t i;

    for (i = 0; i < pages; i++) {
        qtest_writeq(sm->qts,
                     sm_first_entry_addr(sm, first, iova + i * SM_PAGE, 1),
                     addr + i * SM_PAGE + flags);
    }
}

static inline void sm_first_map_large(Sm *sm, const SmFirst *first,
                                      uint64_t iova, uint64_t addr,
                                      unsigned level, uint64_t flags)
{
    qtest_writeq(sm->qts, sm_first_entry_addr(sm, first, iova, level),
                 addr | SM_FS_LARGE | flags);
}

/* ---- The unit ------------------------------------------------------------ */

static inline uint32_t sm_readl(Sm *sm, unsigned reg)
{
    return qtest_readl(sm->qts, sm->unit + reg);
}

static inline uint64_t sm_readq(Sm *sm, unsigned reg)
{
    return qtest_readq(sm->qts, sm->unit + reg);
}

static inline void sm_writel(Sm *sm, unsigned reg, uint32_t value)
{
    qtest_writel(sm->qts, sm->unit + reg, value);
}

static inline void sm_writeq(Sm *sm, unsigned reg, uint64_t value)
{
    qtest_writeq(sm->qts, sm->unit + reg, value);
}

/* Set one bit of GCMD and wait until GSTS shows it. */
static inline void sm_command(Sm *sm, uint32_t bit)
{
    int64_t end = g_get_monotonic_time() + SM_TIMEOUT_US;

    sm_writel(sm, SM_REG_GCMD,
              (sm_readl(sm, SM_REG_GSTS) & SM_GSTS_LASTING) | bit);
    while (!(sm_readl(sm, SM_REG_GSTS) & bit)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

static inline void sm_command_off(Sm *sm, uint32_t bit)
{
    int64_t end = g_get_monotonic_time() + SM_TIMEOUT_US;

    sm_writel(sm, SM_REG_GCMD,
              (sm_readl(sm, SM_REG_GSTS) & SM_GSTS_LASTING) & ~bit);
    while (sm_readl(sm, SM_REG_GSTS) & bit) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

/* Start queued invalidation, latch the root table, turn translation on. */
static inline void sm_start(Sm *sm)
{
    sm_writeq(sm, SM_REG_IQT, 0);
    sm_writeq(sm, SM_REG_IQA, sm->queue | SM_IQA_WIDE);
    sm_command(sm, SM_GCMD_QIE);
    sm_writeq(sm, SM_REG_RTADDR, sm->root | SM_RTADDR_SCALABLE);
    sm_command(sm, SM_GCMD_SRTP);
    sm_command(sm, SM_GCMD_TE);
}

/* ---- Invalidation [VT-d 6.5.2] ------------------------------------------- */

/* Put one descriptor on the queue, and let the unit see it. */
static inline void sm_queue_put(Sm *sm, uint64_t low, uint64_t high)
{
    uint64_t tail = sm_readq(sm, SM_REG_IQT);
    uint64_t slot = sm->queue + tail;

    qtest_writeq(sm->qts, slot, low);
    qtest_writeq(sm->qts, slot + 8, high);
    qtest_writeq(sm->qts, slot + 16, 0);
    qtest_writeq(sm->qts, slot + 24, 0);
    sm_writeq(sm, SM_REG_IQT, (tail + 32) % SM_PAGE);
}

/* A wait descriptor that writes a status; until it is written. */
static inline void sm_queue_wait(Sm *sm)
{
    int64_t end = g_get_monotonic_time() + SM_TIMEOUT_US;

    sm->wait_value++;
    sm_queue_put(sm, (uint64_t)sm->wait_value << 32 | 1 << 5 | 5,
                 sm->wait_status);
    while (qtest_readl(sm->qts, sm->wait_status) != sm->wait_value) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_assert_cmphex(sm_readl(sm, SM_REG_FSTS) & SM_FSTS_IQE, ==, 0);
    }
}

static inline void sm_invalidate(Sm *sm, uint64_t low, uint64_t high)
{
    sm_queue_put(sm, low, high);
    sm_queue_wait(sm);
}

static inline void sm_invalidate_contexts(Sm *sm)
{
    sm_invalidate(sm, 1 << 4 | 1, 0);
}

static inline void sm_invalidate_pasids(Sm *sm)
{
    sm_invalidate(sm, 3 << 4 | 7, 0);
}

static inline void sm_invalidate_pasid(Sm *sm, uint16_t domain, uint32_t pasid)
{
    sm_invalidate(sm, (uint64_t)pasid << 32 | (uint64_t)domain << 16 |
                  1 << 4 | 7, 0);
}

static inline void sm_invalidate_iotlb(Sm *sm)
{
    sm_invalidate(sm, 1 << 4 | 2, 0);
}

static inline void sm_invalidate_domain(Sm *sm, uint16_t domain)
{
    sm_invalidate(sm, (uint64_t)domain << 16 | 2 << 4 | 2, 0);
}

/* Translations of 2^@order pages around @iova, in @domain. */
static inline void sm_invalidate_pages(Sm *sm, uint16_t domain, uint64_t iova,
                                       unsigned order)
{
    sm_invalidate(sm, (uint64_t)domain << 16 | 3 << 4 | 2,
                  (iova & ~(SM_PAGE - 1)) | order);
}

/* First-stage and nested translations of (@domain, @pasid): one page, all. */
static inline void sm_invalidate_pasid_page(Sm *sm, uint16_t domain,
                                            uint32_t pasid, uint64_t iova)
{
    sm_invalidate(sm, (uint64_t)pasid << 32 | (uint64_t)domain << 16 |
                  3 << 4 | 6, iova & ~(SM_PAGE - 1));
}

static inline void sm_invalidate_pasid_pages(Sm *sm, uint16_t domain,
                                             uint32_t pasid)
{
    sm_invalidate(sm, (uint64_t)pasid << 32 | (uint64_t)domain << 16 |
                  2 << 4 | 6, 0);
}

/* Everything, as after changes that a test need not be precise about. */
static inline void sm_invalidate_all(Sm *sm)
{
    sm_invalidate_contexts(sm);
    sm_invalidate_pasids(sm);
    sm_invalidate_iotlb(sm);
}

/* ---- Faults -------------------------------------------------------------- */

static inline unsigned sm_fault_record_reg(Sm *sm, unsigned index)
{
    return (sm_readq(sm, SM_REG_CAP) >> 24 & 0x3ff) * 16 + index * 16;
}

/*
 * Take the oldest pending record; false if none is.  FRI says where the first
 * one was when PPF became set; those after it follow, around the end.
 */
static inline bool sm_fault_take(Sm *sm, SmFault *out)
{
    uint32_t status = sm_readl(sm, SM_REG_FSTS);
    unsigned records = (sm_readq(sm, SM_REG_CAP) >> 40 & 0xff) + 1;
    unsigned i = 0, reg;
    uint64_t low, high;

    if (!(status & SM_FSTS_PPF)) {
        return false;
    }
    do {
        g_assert_cmpuint(i, <, records);
        reg = sm_fault_record_reg(sm, ((status >> 8 & 0xff) + i++) % records);
        low = sm_readq(sm, reg);
        high = sm_readq(sm, reg + 8);
    } while (!(high >> 63));
    *out = (SmFault) {
        .reason = high >> 32 & 0xff,
        .sid = high & 0xffff,
        .with_pasid = high >> 31 & 1,
        .pasid = high >> 40 & 0xfffff,
        .is_read = high >> 62 & 1,
        .asked = (high >> 62 & 1) << 1 | (high >> 28 & 1),
        .type = high >> 60 & 3,
        .page = low & ~(SM_PAGE - 1),
    };
    sm_writel(sm, reg + 12, 1u << 31);
    return true;
}

/* After an overflow: records again. */
static inline void sm_fault_overflow_clear(Sm *sm)
{
    sm_writel(sm, SM_REG_FSTS, SM_FSTS_PFO);
}

/* Each test ends with it: nothing went wrong that nobody asked about. */
static inline void sm_assert_no_fault(Sm *sm)
{
    SmFault fault;

    if (sm_fault_take(sm, &fault)) {
        g_error("unexpected fault: reason 0x%x sid 0x%x pasid 0x%x page 0x%"
                PRIx64, fault.reason, fault.sid, fault.pasid, fault.page);
    }
}

#endif /* TESTS_QTEST_SM_TABLES_H */
