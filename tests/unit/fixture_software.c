/*
 * The machine of the unit tests, as software has it: registers, tables, and the
 * invalidation queue.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_claims.h"

#include <inttypes.h>

/* ---- Registers ----------------------------------------------------------------- */

uint64_t reg(uint64_t offset)
{
    return dmar_reg_read(m.dmar, offset, 8);
}

uint32_t reg32(uint64_t offset)
{
    return dmar_reg_read(m.dmar, offset, 4);
}

void set_reg(uint64_t offset, uint64_t value)
{
    dmar_reg_write(m.dmar, offset, 8, value);
}

void set_reg32(uint64_t offset, uint32_t value)
{
    dmar_reg_write(m.dmar, offset, 4, value);
}

/* Status bits that report a command done rather than a state. */
#define GSTS_ONE_SHOT   (BIT_AT(30) | BIT_AT(29) | BIT_AT(27) | BIT_AT(24))

void command(uint32_t bit)
{
    set_reg32(GCMD_REG, (reg32(GSTS_REG) & ~GSTS_ONE_SHOT) | bit);
    ck_assert_msg(reg32(GSTS_REG) & bit, "command %x: not in GSTS", bit);
}

void command_off(uint32_t bit)
{
    set_reg32(GCMD_REG, reg32(GSTS_REG) & ~GSTS_ONE_SHOT & ~bit);
    ck_assert_msg(!(reg32(GSTS_REG) & bit), "command %x: still in GSTS", bit);
}

uint64_t fault_record_at(unsigned n)
{
    return field_get(reg(CAP_REG), CAP_FRO) * 16 + n * 16;
}

uint64_t iotlb_reg(void)
{
    return field_get(reg(ECAP_REG), ECAP_IRO) * 16 + 8;
}

/* ---- A unit that translates ---------------------------------------------- */

void set_root(uint64_t root, unsigned ttm)
{
    m.root = root;
    set_reg(RTADDR_REG, root | (uint64_t)ttm << 10);
    command(GCMD_SRTP);
}

void given_queue(unsigned descriptor_size)
{
    m.queue = new_page();
    m.descriptor_size = descriptor_size;
    m.queue_entries = PAGE / descriptor_size;
    set_reg(IQT_REG, 0);
    set_reg(IQA_REG, m.queue | (descriptor_size == 32 ? BIT_AT(11) : 0));
    command(GCMD_QIE);
}

void given_scalable(const DmarConfig *config)
{
    power_on(config);
    given_queue(32);
    set_root(new_page(), TTM_SCALABLE);
    forget_everything();
    command(GCMD_TE);
}

void given_legacy(const DmarConfig *config)
{
    power_on(config);
    given_queue(16);
    set_root(new_page(), TTM_LEGACY);
    forget_everything();
    command(GCMD_TE);
}

/* ---- Tables ------------------------------------------------------------------------- */

#define ADDRESS(entry)  ((entry) & 0x000ffffffffff000ull)

/* The page that the entry at @addr points to; made if there is none. */
static uint64_t page_behind(uint64_t addr, unsigned pages, uint64_t flags)
{
    if (!ADDRESS(peek(addr))) {
        poke(addr, new_pages(pages) | flags);
    }
    return ADDRESS(peek(addr));
}

unsigned level_of(uint64_t size)
{
    switch (size) {
    case PAGE: return 1;
    case LARGE: return 2;
    case HUGE: return 3;
    }
    ck_abort_msg("no page has this size: %" PRIx64, size);
}

unsigned aw_code(unsigned levels)
{
    return levels - 2;
}

Space given_space(uint16_t domain, unsigned levels)
{
    return (Space) { new_page(), levels, domain };
}

Space given_first_stage(uint16_t domain, unsigned levels)
{
    return (Space) { new_page(), levels, domain, .first_stage = true };
}

static uint64_t guest_address_of(const Space *space, uint64_t addr)
{
    return space->second ? addr + GUEST_TABLES : addr;
}

/* The guest can reach its table at @addr. */
static void map_table(const Space *space, uint64_t addr)
{
    if (space->second) {
        map(space->second, guest_address_of(space, addr), addr, PAGE, RW);
    }
}

Space given_nested(const Space *second, unsigned levels)
{
    Space space = given_first_stage(second->domain, levels);
    space.second = second;
    map_table(&space, space.root);
    return space;
}

/* The table that the entry at @addr refers to; made if there is none. */
static uint64_t table_behind(const Space *space, uint64_t addr)
{
    if (!space->first_stage) {
        return page_behind(addr, 1, RW);
    }
    if (!ADDRESS(peek(addr))) {
        uint64_t table = new_page();
        map_table(space, table);
        poke(addr, guest_address_of(space, table) | PRESENT | USER_RW);
    }
    return ADDRESS(peek(addr)) - guest_address_of(space, 0);
}

uint64_t paging_entry_at(const Space *space, uint64_t iova, unsigned level)
{
    uint64_t table = space->root;
    for (unsigned l = space->levels; ; l--) {
        uint64_t entry = table + (iova >> (12 + 9 * (l - 1)) & 0x1ff) * 8;
        if (l == level) {
            return entry;
        }
        table = table_behind(space, entry);
    }
}

uint64_t second_entry_at(const Space *space, uint64_t entry, unsigned level)
{
    return paging_entry_at(space->second, guest_address_of(space, entry), level);
}

void map_fs(const Space *space, uint64_t iova, uint64_t pa, uint64_t size,
            uint64_t bits)
{
    unsigned level = level_of(size);
    poke(paging_entry_at(space, iova, level),
         pa | PRESENT | bits | (level > 1 ? BIT_AT(7) : 0));
}

void map(const Space *space, uint64_t iova, uint64_t pa, uint64_t size,
         unsigned rights)
{
    unsigned level = level_of(size);
    poke(paging_entry_at(space, iova, level),
         pa | rights | (level > 1 ? BIT_AT(7) : 0));
}

/* The leaf in use for @iova, of whatever size. */
static uint64_t leaf_at(const Space *space, uint64_t iova)
{
    for (unsigned level = space->levels; level > 1; level--) {
        uint64_t entry = paging_entry_at(space, iova, level);
        unsigned there = space->first_stage ? PRESENT : RW;
        if (peek(entry) & BIT_AT(7) || !(peek(entry) & there)) {
            return entry;
        }
    }
    return paging_entry_at(space, iova, 1);
}

void unmap(const Space *space, uint64_t iova)
{
    poke(leaf_at(space, iova), 0);
}

uint64_t root_entry_at(uint16_t sid)
{
    return m.root + (sid >> 8) * 16;
}

uint64_t legacy_context_at(uint16_t sid)
{
    return page_behind(root_entry_at(sid), 1, 1) + (sid & 0xff) * 16;
}

uint64_t context_entry_at(uint16_t sid)
{
    uint64_t half = root_entry_at(sid) + (sid & 0x80 ? 8 : 0);
    return page_behind(half, 1, 1) + (sid & 0x7f) * 32;
}

uint64_t directory_entry_at(uint16_t sid, uint32_t pasid)
{
    return ADDRESS(peek(context_entry_at(sid))) + (pasid >> 6) * 8;
}

uint64_t pasid_entry_at(uint16_t sid, uint32_t pasid)
{
    return page_behind(directory_entry_at(sid, pasid), 1, 1) +
        (pasid & 0x3f) * 64;
}

void given_context_of_size(uint16_t sid, unsigned pdts, uint32_t rid_pasid)
{
    uint64_t entry = context_entry_at(sid);
    unsigned bytes = (1u << (pdts + 7)) * 8;
    uint64_t directory = new_pages((bytes + PAGE - 1) / PAGE);
    bool ats = m.config.device_tlb;
    poke(entry + 8, rid_pasid);
    poke(entry, directory | (uint64_t)pdts << 9 | BIT_AT(3) | (ats ? BIT_AT(2) : 0) |
         BIT_AT(0));
}

void given_context(uint16_t sid)
{
    given_context_of_size(sid, PDTS_DEFAULT, RID_PASID);
}

static void write_pasid_entry(uint16_t sid, uint32_t pasid, uint64_t word0,
                              uint16_t domain)
{
    uint64_t entry = pasid_entry_at(sid, pasid);
    poke(entry + 8, domain);
    poke(entry, word0 | BIT_AT(0));
}

void given_options(uint16_t sid, uint32_t pasid, unsigned options)
{
    static const unsigned bits[] = { 9, 87, 88, 128, 132, 135 };
    uint64_t entry = pasid_entry_at(sid, pasid);
    for (unsigned i = 0; i < G_N_ELEMENTS(bits); i++) {
        uint64_t word = entry + bits[i] / 64 * 8;
        uint64_t rest = peek(word) & ~BIT_AT(bits[i] % 64);
        poke(word, rest | (uint64_t)(options >> i & 1) << bits[i] % 64);
    }
}

static uint64_t second_stage_word(const Space *space)
{
    return space ? space->root | aw_code(space->levels) << 2 : 0;
}

static void given_first_stage_pasid(uint16_t sid, uint32_t pasid,
                                    const Space *space)
{
    uint64_t pgtt = space->second ? PGTT_NESTED : PGTT_FIRST_STAGE;
    poke(pasid_entry_at(sid, pasid) + 16, guest_address_of(space, space->root) |
         (space->levels - 4) << 2);
    write_pasid_entry(sid, pasid, second_stage_word(space->second) | pgtt << 6,
                      space->domain);
    given_options(sid, pasid, m.config.incoherent_walk ? 0 : WITH_PWSNP);
}

void given_pasid(uint16_t sid, uint32_t pasid, const Space *space)
{
    if (space->first_stage) {
        given_first_stage_pasid(sid, pasid, space);
        return;
    }
    write_pasid_entry(sid, pasid, second_stage_word(space) |
                      PGTT_SECOND_STAGE << 6, space->domain);
}

void given_pass_through(uint16_t sid, uint32_t pasid, uint16_t domain)
{
    write_pasid_entry(sid, pasid, PGTT_PASS_THROUGH << 6, domain);
}

void given_no_pasid(uint16_t sid, uint32_t pasid)
{
    uint64_t entry = pasid_entry_at(sid, pasid);
    poke(entry, peek(entry) & ~BIT_AT(0));
}

void given_rid(uint16_t sid, const Space *space)
{
    given_pasid(sid, RID_PASID, space);
}

void given_legacy_context(uint16_t sid, unsigned tt, const Space *space)
{
    uint64_t entry = legacy_context_at(sid);
    poke(entry + 8, aw_code(space->levels) | (uint64_t)space->domain << 8);
    poke(entry, space->root | tt << 2 | BIT_AT(0));
}

/* ---- The invalidation queue ------------------------------------------------------------------ */

#define ORDER(am)   ((uint64_t)(am))

Descriptor context_global(void)
{
    return (Descriptor) {{ 1 | 1 << 4 }};
}

Descriptor context_domain(uint16_t domain)
{
    return (Descriptor) {{ 1 | 2 << 4 | (uint64_t)domain << 16 }};
}

Descriptor context_device(uint16_t domain, uint16_t sid, unsigned fm)
{
    return (Descriptor) {{ 1 | 3 << 4 | (uint64_t)domain << 16 |
        (uint64_t)sid << 32 | (uint64_t)fm << 48 }};
}

Descriptor iotlb_global(void)
{
    return (Descriptor) {{ 2 | 1 << 4 }};
}

Descriptor iotlb_domain(uint16_t domain)
{
    return (Descriptor) {{ 2 | 2 << 4 | (uint64_t)domain << 16 }};
}

Descriptor iotlb_page(uint16_t domain, uint64_t addr, unsigned am, Hint hint)
{
    return (Descriptor) {{ 2 | 3 << 4 | (uint64_t)domain << 16,
        addr | ORDER(am) | (hint == ONLY_LEAVES ? BIT_AT(6) : 0) }};
}

Descriptor device_tlb(uint16_t sid, uint64_t addr, bool sized)
{
    return (Descriptor) {{ 3 | (uint64_t)sid << 32, addr | sized }};
}

Descriptor interrupt_global(void)
{
    return (Descriptor) {{ 4 }};
}

Descriptor interrupt_index(uint16_t index, unsigned mask)
{
    return (Descriptor) {{ 4 | 1 << 4 | (uint64_t)mask << 27 |
        (uint64_t)index << 32 }};
}

Descriptor wait_status(uint64_t addr, uint32_t data)
{
    return (Descriptor) {{ 5 | 1 << 5 | (uint64_t)data << 32, addr }};
}

Descriptor wait_interrupt(void)
{
    return (Descriptor) {{ 5 | 1 << 4 }};
}

Descriptor wait_fence(void)
{
    return (Descriptor) {{ 5 | 1 << 6 }};
}

Descriptor p_iotlb_pasid(uint16_t domain, uint32_t pasid)
{
    return (Descriptor) {{ 6 | 2 << 4 | (uint64_t)domain << 16 |
        (uint64_t)pasid << 32 }};
}

Descriptor p_iotlb_page(uint16_t domain, uint32_t pasid, uint64_t addr,
                        unsigned am, Hint hint)
{
    return (Descriptor) {{ 6 | 3 << 4 | (uint64_t)domain << 16 |
        (uint64_t)pasid << 32,
        addr | ORDER(am) | (hint == ONLY_LEAVES ? BIT_AT(6) : 0) }};
}

Descriptor pasid_cache_global(void)
{
    return (Descriptor) {{ 7 | 3 << 4 }};
}

Descriptor pasid_cache_domain(uint16_t domain)
{
    return (Descriptor) {{ 7 | 0 << 4 | (uint64_t)domain << 16 }};
}

Descriptor pasid_cache_pasid(uint16_t domain, uint32_t pasid)
{
    return (Descriptor) {{ 7 | 1 << 4 | (uint64_t)domain << 16 |
        (uint64_t)pasid << 32 }};
}

Descriptor p_device_tlb(uint16_t sid, uint32_t pasid, uint64_t addr, bool sized)
{
    return (Descriptor) {{ 8 | (uint64_t)sid << 16 | (uint64_t)pasid << 32,
        addr | (sized ? BIT_AT(11) : 0) }};
}

Descriptor page_response(uint16_t sid, uint32_t pasid, unsigned group,
                         unsigned code)
{
    uint64_t tag = pasid == NO_PASID ? 0 : (uint64_t)pasid << 32 | 1 << 4;
    return (Descriptor) {{ 9 | tag | code << 12 | (uint64_t)sid << 16,
        group << 3 }};
}

Descriptor wait_drain(uint64_t addr, uint32_t data)
{
    Descriptor d = wait_status(addr, data);
    d.word[0] |= BIT_AT(7);
    return d;
}

static unsigned tail_shift(void)
{
    return m.descriptor_size == 32 ? 5 : 4;
}

void write_descriptor(unsigned index, Descriptor d)
{
    for (unsigned i = 0; i < m.descriptor_size / 8; i++) {
        poke(m.queue + index * m.descriptor_size + i * 8, d.word[i]);
    }
}

void submit(Descriptor d)
{
    unsigned tail = reg(IQT_REG) >> tail_shift();
    write_descriptor(tail, d);
    set_reg(IQT_REG, (uint64_t)((tail + 1) % m.queue_entries) << tail_shift());
}

void (executed)(void)
{
    claim(!(reg32(FSTS_REG) & FSTS_IQE), "queue error %" PRIx64,
          reg(IQERCD_REG));
    claim(reg(IQH_REG) == reg(IQT_REG), "queue stands at %" PRIx64
          ", tail %" PRIx64, reg(IQH_REG), reg(IQT_REG));
}

void (execute)(Descriptor d)
{
    submit(d);
    (executed)();
}

void (queue_stops_with)(unsigned iqei)
{
    claim(reg32(FSTS_REG) & FSTS_IQE, "no queue error, expected %u", iqei);
    claim((reg(IQERCD_REG) & 0xf) == iqei, "IQEI %u, expected %u",
          (unsigned)reg(IQERCD_REG) & 0xf, iqei);
    /* Nothing more to fetch, so that clearing the error does not repeat it. */
    write_descriptor(reg(IQH_REG) >> tail_shift(), wait_fence());
    set_reg32(FSTS_REG, FSTS_IQE);
}

void forget_everything(void)
{
    submit(context_global());
    if (m.descriptor_size == 32 && m.config.scalable) {
        submit(pasid_cache_global());
    }
    submit(iotlb_global());
    if (m.config.interrupt_remapping) {
        submit(interrupt_global());
    }
    (executed)();
}
