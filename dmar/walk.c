/*
 * The page walk: a second-stage table from its root to the leaf that maps an
 * address [VT-d 3.7 Second-Stage Translation].
 *
 * Questions about one entry are answered by the small functions at the top;
 * the walk itself knows no bit.  The answer is a mapping or a reason; which of
 * the two sets of reasons, legacy or scalable, the binding says.
 *
 * Accessed and dirty bits are not kept (SSADS is not advertised), and memory
 * types are not modelled (MTS is not advertised): both fields are ignored.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* ---- One entry ----------------------------------------------------------- */

static bool is_present(uint64_t entry)
{
    return entry & (SS_R | SS_W);
}

static bool is_large_level(unsigned level)
{
    return level == 2 || level == 3;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (is_large_level(level) && (entry & SS_PS));
}

/* What may be set in an entry that refers to the next table. */
static uint64_t table_bits(void)
{
    return SS_R | SS_W | SS_X_IGNORED | SS_EMT | SS_IPAT | SS_A | SS_D |
           SS_IGNORED_10 | SS_ADDR | SS_IGNORED_HIGH;
}

/* What may be set in an entry that maps a page: PS is ignored in the last
 * level, and address bits within the page are reserved. */
static uint64_t leaf_bits(const Dmar *dmar, unsigned level)
{
    uint64_t inside_page = low_bits(LEVEL_SHIFT(level)) & SS_ADDR;
    uint64_t snoop = dmar_has(dmar, ECAP_SC) ? SS_SNP : 0;

    return (table_bits() & ~inside_page) | SS_PS | snoop;
}

static bool has_reserved(const Dmar *dmar, uint64_t entry, unsigned level)
{
    uint64_t allowed = is_leaf(entry, level) ? leaf_bits(dmar, level)
                                             : table_bits();

    return entry & ~(allowed & ~(dmar_beyond_host(dmar) & SS_ADDR));
}

static unsigned index_at(uint64_t addr, unsigned level)
{
    return (addr >> LEVEL_SHIFT(level)) & low_bits(LEVEL_BITS);
}

/* ---- The walk ------------------------------------------------------------ */

typedef struct Walk {
    Dmar *dmar;
    const DmarBinding *binding;
    uint64_t addr;
    uint64_t rights;            /* R and W granted by every entry so far */
} Walk;

static uint8_t not_present(const Walk *w)
{
    if (!w->binding->legacy) {
        return FAULT_SS_NOT_PRESENT;
    }
    return FAULT_LEGACY_READ_DENIED;    /* or write: the caller knows */
}

static uint8_t unreadable(const Walk *w, unsigned level)
{
    bool top = level == w->binding->levels;

    if (w->binding->legacy) {
        /* The top entry is reached through the context entry [LCT.4.3]. */
        return top ? FAULT_LEGACY_CONTEXT_INVALID : FAULT_LEGACY_PAGING_ACCESS;
    }
    return top ? FAULT_SS_TOP_ACCESS : FAULT_SS_ACCESS;
}

static uint8_t read_entry(Walk *w, uint64_t table, unsigned level, uint64_t *out)
{
    uint64_t addr = table + 8 * index_at(w->addr, level);
    uint64_t entry;

    if (!dmar_read_words(w->dmar, addr, &entry, 1)) {
        return unreadable(w, level);
    }
    dmar_report(w->dmar, DMAR_EVENT_WALK, w->binding->source_id,
                w->binding->pasid, addr, entry, level);
    w->rights &= entry;
    if (!is_present(entry) || !w->rights) {
        return not_present(w);
    }
    if (has_reserved(w->dmar, entry, level)) {
        return w->binding->legacy ? FAULT_LEGACY_PAGING_RESERVED
                                  : FAULT_SS_RESERVED;
    }
    *out = entry;
    return FAULT_NONE;
}

static void map_leaf(const Walk *w, uint64_t entry, unsigned level,
                     DmarMapping *out)
{
    *out = (DmarMapping) {
        .output = entry & SS_ADDR & ~low_bits(LEVEL_SHIFT(level)),
        .shift = LEVEL_SHIFT(level),
        .read = w->rights & SS_R,
        .write = w->rights & SS_W,
        .snoop = entry & SS_SNP,
    };
}

uint8_t dmar_walk(Dmar *dmar, const DmarBinding *binding, uint64_t addr,
                  DmarMapping *out)
{
    Walk w = { dmar, binding, addr, SS_R | SS_W };
    uint64_t table = binding->root;

    for (unsigned level = binding->levels; ; level--) {
        uint64_t entry;
        uint8_t reason = read_entry(&w, table, level, &entry);

        if (reason) {
            return reason;
        }
        if (is_leaf(entry, level)) {
            map_leaf(&w, entry, level, out);
            return FAULT_NONE;
        }
        table = entry & SS_ADDR;
    }
}
