/*
 * Fuzz target: whole tables in one mode or the other, remapping on; then
 * words of the tables change, requests are made, and some are invalidated.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

/* Pages of the tables; the queue's is the last. */
enum { ROOT, CONTEXTS, DIRECTORY, PASIDS, SECOND, FIRST = SECOND + 5,
       INTERRUPTS = FIRST + 5, POSTED, TABLE_PAGES, QUEUE = FUZZ_PAGES - 1 };

static uint64_t page(unsigned n)
{
    return (uint64_t)n * FUZZ_PAGE;
}

/* A table of every level; each refers to the next, the last to data, and one
 * entry of each to itself. */
static void given_paging(unsigned first, unsigned levels, uint64_t flags)
{
    for (unsigned i = 0; i < levels; i++) {
        unsigned next = i + 1 < levels ? first + i + 1 : TABLE_PAGES;
        poke(page(first + i), page(next) | flags);
        poke(page(first + i) + 8, page(first + i) | flags);
        poke(page(first + i) + 16, page(TABLE_PAGES + 1) | flags | 0x80);
    }
}

static void given_pasid_entry(unsigned pasid, unsigned pgtt, unsigned levels)
{
    uint64_t entry = page(PASIDS) + 64 * pasid;
    poke(entry, page(SECOND) | pgtt << 6 | (levels - 2) << 2 | 1);
    poke(entry + 8, pasid + 1);
    poke(entry + 16, page(FIRST) | (levels == 5 ? 1 << 2 : 0));
}

static void given_scalable_tables(unsigned levels)
{
    poke(page(ROOT), page(CONTEXTS) | 1);
    poke(page(CONTEXTS), page(DIRECTORY) | 0xd);
    poke(page(DIRECTORY), page(PASIDS) | 1);
    for (unsigned pasid = 0; pasid < 4; pasid++) {
        given_pasid_entry(pasid, pasid + 1, levels);
    }
}

static void given_legacy_tables(unsigned levels)
{
    poke(page(ROOT), page(CONTEXTS) | 1);
    poke(page(CONTEXTS), page(SECOND) | 1);
    poke(page(CONTEXTS) + 8, (levels - 2) | 1 << 8);
}

/* Entries that are remapped, and some that are posted. */
static void given_interrupts(void)
{
    for (unsigned i = 0; i < 64; i++) {
        uint64_t descriptor = page(POSTED) + 64 * i;
        poke(page(INTERRUPTS) + 16 * i, i % 4 ? (uint64_t)i << 16 | 1
             : descriptor << 32 | (uint64_t)i << 16 | 1 << 15 | 1);
    }
    write_register(IRTA_REG, 8, page(INTERRUPTS) | 5);
    command(GCMD_SIRTP, true);
    command(GCMD_IRE, true);
}

static void given_tables(Input *in)
{
    uint8_t what = take8(in);
    unsigned levels = 3 + what % 3;
    bool scalable = m.config.scalable && !(what & 8);

    given_paging(SECOND, levels, 3);
    given_paging(FIRST, levels < 5 ? 4 : 5, 7);
    if (scalable) {
        given_scalable_tables(levels);
    } else {
        given_legacy_tables(levels);
    }
    write_register(IQA_REG, 8, page(QUEUE) | (scalable ? IQA_DW : 0));
    command(GCMD_QIE, true);
    write_register(RTADDR_REG, 8, page(ROOT) | (uint64_t)scalable << 10);
    command(GCMD_SRTP, true);
    command(GCMD_TE, true);
    given_interrupts();
}

static void flip_in_tables(Input *in)
{
    uint64_t addr = page(take8(in) % TABLE_PAGES) + take8(in) % 64 * 8;
    poke(addr, peek(addr) ^ 1ull << (take8(in) & 63));
}

static void forget_everything(Input *in)
{
    submit((const uint64_t[4]) { 1 | 1 << 4 });
    submit((const uint64_t[4]) { 7 | 3 << 4 });
    submit((const uint64_t[4]) { 2 | 1 << 4 });
}

static void (*const operations[])(Input *) = {
    any_request, any_request, any_request, flip_in_tables, flip_in_tables,
    any_poke, forget_everything, any_descriptor, any_interrupt, any_life_event,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, data + size };

    if (!start(&in)) {
        return 0;
    }
    given_tables(&in);
    while (!is_empty(&in)) {
        operations[take8(&in) % G_N_ELEMENTS(operations)](&in);
    }
    stop();
    return 0;
}
