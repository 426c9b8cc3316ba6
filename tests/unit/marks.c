/*
 * What walks mark: RAM remembered, and compared.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "marks.h"

#include <inttypes.h>
#include <string.h>

Space space;
unsigned leaf_level;

void given_device(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
}

void forget(void)
{
    execute(iotlb_domain(DOMAIN));
}

DmarTranslation ask_for(bool no_write)
{
    return ask((DmarRequest) { .source_id = DEV, .pasid = PASID, .addr = IOVA,
                               .type = DMAR_TRANSLATION_REQUEST,
                               .no_write = no_write });
}

/* ---- What changed --------------------------------------------------------------- */

static uint8_t *before;

void remember(void)
{
    if (!before) {
        before = g_malloc(RAM_SIZE);
    }
    memcpy(before, m.ram, RAM_SIZE);
    m.exchanges = 0;
}

static uint64_t was(uint64_t addr)
{
    uint64_t word;
    memcpy(&word, before + (addr - RAM_BASE), 8);
    return GUINT64_FROM_LE(word);
}

void gained(uint64_t addr, uint64_t bits)
{
    ck_assert_msg((was(addr) ^ peek(addr)) == bits,
                  "%" PRIx64 ": %" PRIx64 " became %" PRIx64
                  ", expected %" PRIx64 " more", addr, was(addr), peek(addr),
                  bits);
    ck_assert_msg((was(addr) & bits) == 0, "%" PRIx64 " lost bits", addr);
    memcpy(before + (addr - RAM_BASE), m.ram + (addr - RAM_BASE), 8);
}

void nothing_else_changed(void)
{
    for (uint64_t addr = RAM_BASE; addr < m.next_page; addr += 8) {
        ck_assert_msg(was(addr) == peek(addr),
                      "%" PRIx64 ": %" PRIx64 " became %" PRIx64, addr,
                      was(addr), peek(addr));
    }
}

void way_gained(uint64_t accessed_bits, uint64_t leaf_bits)
{
    for (unsigned level = leaf_level; level <= space.levels; level++) {
        gained(entry_at(level),
               accessed_bits | (level == leaf_level ? leaf_bits : 0));
    }
}
