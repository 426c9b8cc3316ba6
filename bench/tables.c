/*
 * See tables.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"

#include "spec/field.h"
#include "spec/tables.h"

#define PRESENT_RW  3ull
#define USER        4ull
#define USED        0x60ull             /* accessed, dirty */
#define LARGE       BIT_AT(7)
#define GIB         (1ull << 30)
#define FOUR_LEVELS 2                   /* in fields AW */

const char *const bench_kind_names[BENCH_KINDS] = {
    "second stage", "first stage", "nested", "pass-through",
};
const char *const bench_order_names[BENCH_ORDERS] = {
    "page of a domain", "page of a PASID", "PASID", "domain", "global",
    "context of a device",
};

/* ---- Memory --------------------------------------------------------------- */

void bench_memory_init(BenchMemory *m, uint8_t *at, uint64_t base,
                       uint64_t size)
{
    *m = (BenchMemory) { .at = at, .base = base, .end = base + size,
                         .next = base };
    m->root_table = bench_pages(m, 1);
}

uint64_t bench_pages(BenchMemory *m, unsigned count)
{
    uint64_t pages = m->next;

    m->next += count * BENCH_PAGE;
    g_assert(m->next <= m->end);
    return pages;
}

static uint64_t *word_at(const BenchMemory *m, uint64_t addr)
{
    return (uint64_t *)(m->at + (addr - m->base));
}

/* ---- Paging tables -------------------------------------------------------- */

/* The table that entry @index of @table refers to; made if there is none. */
static uint64_t table_below(BenchMemory *m, uint64_t table, unsigned index,
                            uint64_t bits)
{
    uint64_t *entry = word_at(m, table) + index;

    if (!*entry) {
        *entry = bench_pages(m, 1) | bits;
    }
    return *entry & ~0xfffull;
}

static unsigned index_of(uint64_t addr, unsigned level)
{
    return addr >> (12 + 9 * (level - 1)) & 0x1ff;
}

static uint64_t entry_of(BenchMemory *m, uint64_t root, uint64_t addr,
                         unsigned level, uint64_t bits)
{
    for (unsigned above = 4; above > level; above--) {
        root = table_below(m, root, index_of(addr, above), bits);
    }
    return root + index_of(addr, level) * 8;
}

/* All memory at its own address, in pages of 1 GiB. */
static void map_identity(BenchMemory *m, uint64_t root)
{
    for (uint64_t addr = 0; addr < BENCH_IDENTITY; addr += GIB) {
        *word_at(m, entry_of(m, root, addr, 3, PRESENT_RW)) =
            addr | PRESENT_RW | LARGE;
    }
}

BenchSpace bench_space(BenchMemory *m, BenchKind kind, uint16_t domain)
{
    BenchSpace space = { .memory = m, .kind = kind, .domain = domain };

    if (kind == BENCH_SECOND || kind == BENCH_NESTED) {
        space.second = bench_pages(m, 1);
    }
    if (kind == BENCH_FIRST || kind == BENCH_NESTED) {
        space.first = bench_pages(m, 1);
    }
    if (kind == BENCH_NESTED) {
        map_identity(m, space.second);
    }
    return space;
}

uint64_t bench_leaf(const BenchSpace *space, uint64_t iova)
{
    return space->first ? entry_of(space->memory, space->first, iova, 1,
                                   PRESENT_RW | USER | USED)
                        : entry_of(space->memory, space->second, iova, 1,
                                   PRESENT_RW);
}

uint64_t bench_leaf_value(const BenchSpace *space, uint64_t addr)
{
    return addr | PRESENT_RW | (space->first ? USER | USED : 0);
}

void bench_map(const BenchSpace *space, uint64_t iova, uint64_t addr)
{
    if (space->kind != BENCH_PASS_THROUGH) {
        *word_at(space->memory, bench_leaf(space, iova)) =
            bench_leaf_value(space, addr);
    }
}

void bench_unmap(const BenchSpace *space, uint64_t iova)
{
    if (space->kind != BENCH_PASS_THROUGH) {
        *word_at(space->memory, bench_leaf(space, iova)) = 0;
    }
}

/* ---- From a function to its tables ---------------------------------------- */

static uint64_t *scalable_context(BenchMemory *m, uint16_t sid)
{
    uint64_t table = table_below(m, m->root_table,
                                 (sid >> 8) * 2 + (sid >> 7 & 1), ROOT_P);

    return word_at(m, table) + (sid & 0x7f) * 4;
}

static uint64_t pasid_directory(BenchMemory *m, uint16_t sid)
{
    uint64_t *context = scalable_context(m, sid);

    if (!*context) {
        context[1] = BENCH_RID_PASID;
        context[0] = bench_pages(m, 32) | field_make(7, SCTX0_PDTS) |
                     SCTX0_PASIDE | SCTX0_P;
    }
    return *context & ~0xfffull;
}

void bench_bind(uint16_t sid, uint32_t pasid, const BenchSpace *space)
{
    static const uint8_t pgtt[] = {
        [BENCH_SECOND] = PGTT_SECOND_STAGE, [BENCH_FIRST] = PGTT_FIRST_STAGE,
        [BENCH_NESTED] = PGTT_NESTED, [BENCH_PASS_THROUGH] = PGTT_PASS_THROUGH,
    };
    BenchMemory *m = space->memory;
    uint64_t table = table_below(m, pasid_directory(m, sid), pasid >> 6, PDIR_P);
    uint64_t *entry = word_at(m, table) + (pasid & 0x3f) * 8;

    entry[1] = space->domain | PASID1_PWSNP;
    entry[2] = space->first;
    entry[0] = space->second | field_make(FOUR_LEVELS, PASID0_AW) |
               field_make(pgtt[space->kind], PASID0_PGTT) | PASID0_P;
}

void bench_bind_legacy(uint16_t sid, const BenchSpace *space)
{
    BenchMemory *m = space->memory;
    uint64_t table = table_below(m, m->root_table, (sid >> 8) * 2, ROOT_P);
    uint64_t *context = word_at(m, table) + (sid & 0xff) * 2;

    context[1] = field_make(FOUR_LEVELS, LCTX1_AW) |
                 field_make(space->domain, LCTX1_DID);
    context[0] = space->second | LCTX0_P;
}

/* ---- Descriptors ------------------------------------------------------------ */

BenchDescriptor bench_descriptor(BenchOrder order, const BenchWhat *what)
{
    const uint64_t did = (uint64_t)what->domain << 16;
    const uint64_t pasid = (uint64_t)what->pasid << 32;
    const uint64_t sid = (uint64_t)what->sid << 32;
    const BenchDescriptor descriptors[] = {
        [BENCH_PAGE_OF_DOMAIN] = { 2 | 3 << 4 | did, what->iova },
        [BENCH_PAGE_OF_PASID] = { 6 | 3 << 4 | did | pasid, what->iova },
        [BENCH_PASID] = { 6 | 2 << 4 | did | pasid, 0 },
        [BENCH_DOMAIN] = { 2 | 2 << 4 | did, 0 },
        [BENCH_GLOBAL] = { 2 | 1 << 4, 0 },
        [BENCH_CONTEXT] = { 1 | 3 << 4 | did | sid, 0 },
    };

    return descriptors[order];
}

BenchDescriptor bench_wait(uint64_t status)
{
    return (BenchDescriptor) { 5 | BIT_AT(5), status };
}
