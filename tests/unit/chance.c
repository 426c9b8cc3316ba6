/*
 * Random machines and requests.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chance.h"

#include "compare.h"

const uint16_t sids[] = { 0x0000, 0x0081, 0x01ff, 0x0110 };
const unsigned sid_count = G_N_ELEMENTS(sids);
const uint32_t pasids[] = { NO_PASID, NO_PASID, 0, 1, 0x3f, 0x40, 0x41,
                            0x1fff, 0x2000, 0x7fff, 0xfffff };
const unsigned pasid_count = G_N_ELEMENTS(pasids);

#define RID_PASIDS  6           /* any of pasids[2] and on may be RID_PASID */
static const unsigned indices[] = { 0, 1, 2, 511 };

ModelUnit unit;
uint64_t second_table[TOP_LEVEL + 1], first_table[TOP_LEVEL + 1];
bool few_domains;
static unsigned next_domain;
static GRand *dice;

void given_dice(unsigned seed)
{
    g_clear_pointer(&dice, g_rand_free);
    dice = g_rand_new_with_seed(seed);
}

unsigned below(unsigned end)
{
    return g_rand_int_range(dice, 0, end);
}

bool once_in(unsigned n)
{
    return below(n) == 0;
}

uint64_t any64(void)
{
    return (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
}

static bool mostly(void)
{
    return !once_in(8);
}

/* ---- A random unit ------------------------------------------------------------------ */

static void random_stages(DmarConfig *c)
{
    c->incoherent_walk = once_in(5);
    c->first_stage = !once_in(4);
    c->first_stage_5level = c->first_stage && once_in(2);
    c->first_stage_1g = c->first_stage && once_in(2);
    c->extended_accessed = c->first_stage && !c->incoherent_walk && once_in(2);
    c->no_second_stage = c->first_stage && once_in(8);
    c->second_stage_dirty = !c->no_second_stage && !c->incoherent_walk &&
        once_in(2);
    c->nested = c->first_stage && !c->no_second_stage && mostly();
    c->supervisor = once_in(2);
    c->rid_privilege = c->supervisor && once_in(2);
    c->no_rid_pasid = once_in(8);
    c->pasid_bits = mostly() ? 20 : once_in(2) ? 14 : 0;
    c->page_requests = c->device_tlb && !once_in(3);
}

DmarConfig random_config(void)
{
    static const uint8_t widths[] = { 39, 48, 57 };
    static const uint8_t host_widths[] = { 36, 39, 46, 52 };
    DmarConfig c = { .aw_bits = widths[below(3)] };
    c.host_width = host_widths[below(4)];
    c.host_width = MIN(c.host_width, c.aw_bits);
    c.min_aw_bits = once_in(12) ? MIN(48, c.aw_bits) : 0;
    c.domain_bits = once_in(4) ? 8 : 16;
    c.fault_records = 4;
    c.version = once_in(4) ? 8 : once_in(2) ? 5 : 0;
    c.scalable = !once_in(12);
    c.version = c.scalable ? c.version : 0;
    c.pass_through = !once_in(4);
    c.snoop_control = once_in(2);
    c.no_large_pages = once_in(6);
    c.abort_dma = once_in(2);
    c.root_invalidates = once_in(2);
    c.caching_mode = once_in(6);
    c.device_tlb = once_in(2);
    c.no_write_flag = c.device_tlb && once_in(2);
    if (c.scalable) {
        random_stages(&c);
    }
    return c;
}

static void tell_model(const DmarConfig *c)
{
    unit = (ModelUnit) {
        .guest_width = c->aw_bits, .least_width = c->min_aw_bits,
        .host_width = c->host_width,
        .pasid_width = c->pasid_bits, .domain_width = c->domain_bits,
        .version = c->version ? c->version : 5,
        .scalable = c->scalable, .abort_dma = c->abort_dma,
        .first_stage = c->first_stage, .five_levels = c->first_stage_5level,
        .first_1g = c->first_stage_1g,
        .extended_accessed = c->extended_accessed,
        .second_stage = !c->no_second_stage,
        .large_pages = !c->no_large_pages,
        .second_dirty = c->second_stage_dirty, .nested = c->nested,
        .pass_through = c->pass_through, .supervisor = c->supervisor,
        .rid_pasid = !c->no_rid_pasid, .rid_privilege = c->rid_privilege,
        .coherent_walk = !c->incoherent_walk,
        .snoop_control = c->snoop_control, .device_tlb = c->device_tlb,
        .no_write_flag = c->no_write_flag, .page_requests = c->page_requests,
        .caching_mode = c->caching_mode,
        .read = noted_read, .writable = noted_writable,
    };
}

/* ---- Random paging tables -------------------------------------------------------------- */

static uint64_t random_input(void)
{
    uint64_t addr = 0;
    for (unsigned level = 1; level <= TOP_LEVEL; level++) {
        if (level < 4 || once_in(6)) {
            addr |= (uint64_t)indices[below(4)] << (12 + 9 * (level - 1));
        }
    }
    return addr;
}

static uint64_t random_page(uint64_t size)
{
    if (once_in(12)) {
        return 0xfee00000 & -size;
    }
    return any64() & (BIT_AT(m.config.host_width) - 1) & -size;
}

/* Bits of software's own, and those that hardware sets. */
static uint64_t random_flags(uint64_t flags)
{
    return once_in(3) ? flags : any64() & flags;
}

uint64_t random_second_entry(unsigned level)
{
    uint64_t entry = (once_in(12) ? below(4) : RW) |
        random_flags(BIT_AT(8) | BIT_AT(9));
    if (level == 1) {
        return random_page(PAGE) | entry;
    }
    if (level <= 3 && once_in(4) && !m.config.no_large_pages) {
        return random_page(PAGE << 9 * (level - 1)) | entry | BIT_AT(7);
    }
    return second_table[level - 1] | entry;
}

uint64_t random_first_entry(unsigned level)
{
    uint64_t size = PAGE << 9 * (level - 1);
    uint64_t entry = (once_in(24) ? 0 : 1) | (once_in(10) ? 0 : 2) |
        (once_in(16) ? 0 : 4) | random_flags(0x460);
    uint64_t page = once_in(2) ? random_page(size) : random_input() & -size;
    page &= BIT_AT(m.config.host_width) - 1;
    if (level == 1) {
        return page | entry;
    }
    if (level <= 3 && once_in(4) && (level == 2 || m.config.first_stage_1g)) {
        return page | entry | BIT_AT(7);
    }
    return first_table[level - 1] | entry;
}

/* RAM is where it is for guests, too, so that one set of first-stage tables
 * serves both translations that use them. */
static void map_ram_for_guests(void)
{
    bool large = !m.config.no_large_pages && once_in(2);
    for (uint64_t at = RAM_BASE; at < RAM_BASE + RAM_SIZE; at += LARGE) {
        uint64_t entry = second_table[2] + at / LARGE * 8;
        uint64_t rights = (once_in(24) ? below(4) : RW) | random_flags(0x300);
        if (large) {
            poke(entry, at | rights | BIT_AT(7));
            continue;
        }
        uint64_t leaves = new_page();
        poke(entry, leaves | RW | random_flags(0x100));
        for (unsigned i = 0; i < 512; i++) {
            poke(leaves + i * 8, (at + i * PAGE) | random_flags(0x300) |
                 (once_in(24) ? below(4) : RW));
        }
    }
    for (unsigned level = 3; level <= TOP_LEVEL; level++) {
        if (mostly()) {
            poke(second_table[level], second_table[level - 1] | RW |
                 random_flags(0x100));
        }
    }
}

static void make_paging_tables(void)
{
    for (unsigned level = 1; level <= TOP_LEVEL; level++) {
        second_table[level] = new_page();
        first_table[level] = new_page();
        for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
            poke(second_table[level] + 8 * indices[i],
                 once_in(16) ? 0 : random_second_entry(level));
            poke(first_table[level] + 8 * indices[i], random_first_entry(level));
        }
    }
    map_ram_for_guests();
    if (once_in(4)) {
        m.rom = (once_in(2) ? first_table : second_table)[1 + below(TOP_LEVEL)];
        m.rom_end = m.rom + PAGE;
    }
}

/* ---- Random requesters --------------------------------------------------------------------- */

static unsigned random_levels(void)
{
    unsigned most = (m.config.aw_bits - 12) / 9;
    return once_in(24) ? 2 + below(5) : 3 + below(most - 2);
}

/* Nested ones have the most to go wrong. */
static unsigned random_type(void)
{
    const DmarConfig *c = &m.config;
    for (;;) {
        unsigned type = once_in(3) ? 3 : 1 + below(4);
        bool known = (type == 1 && c->first_stage) || (type == 3 && c->nested) ||
            (type == 2 && !c->no_second_stage) || (type == 4 && c->pass_through);
        if (known || once_in(40)) {
            return type;
        }
    }
}

/* A domain-id for each, or of few one: then translations of a first stage
 * alone have their own, as software has to see to [6.2.3.1], but for a mistake
 * now and then. */
static unsigned random_domain(unsigned type)
{
    if (!few_domains) {
        return next_domain++ & ((1u << m.config.domain_bits) - 1);
    }
    bool first_pair = type == 1 || type == 4;
    return 1 + below(2) + (first_pair == once_in(16) ? 2 : 0);
}

/* Bits of features that are there are set or not, others seldom. */
static uint64_t feature(bool there, unsigned which)
{
    return (there ? once_in(2) : once_in(160)) ? BIT_AT(which) : 0;
}

void make_pasid(uint16_t sid, uint32_t pasid)
{
    const DmarConfig *c = &m.config;
    uint64_t entry = pasid_entry_at(sid, pasid);
    unsigned type = random_type(), levels = random_levels();
    unsigned mode = c->first_stage_5level ? below(2) : once_in(50);
    uint64_t low = type << 6, high = random_domain(type);
    uint64_t first = feature(c->supervisor, 0) |
        feature(c->extended_accessed, 7) | once_in(8) << 5;
    if (!c->no_second_stage) {
        low |= second_table[MIN(levels, TOP_LEVEL)] | aw_code(levels) << 2 |
            feature(c->second_stage_dirty, 9);
    }
    if (c->first_stage) {
        first |= first_table[4 + (mode & 1)] | mode << 2 | once_in(2) << 4;
    }
    high |= (!c->incoherent_walk && mostly() ? BIT_AT(23) : 0) |
        feature(c->snoop_control, 24);
    poke(entry + 8, high);
    poke(entry + 16, first);
    poke(entry, low | (once_in(40) ? 2 : 0) | (once_in(20) ? 0 : 1));
}

void make_context(uint16_t sid)
{
    const DmarConfig *c = &m.config;
    unsigned pdts = once_in(3) ? below(3) : 2;
    uint32_t rid = c->no_rid_pasid ? 0 : pasids[2 + below(RID_PASIDS)];
    given_context_of_size(sid, pdts, rid);
    uint64_t entry = context_entry_at(sid);
    bool dte = c->device_tlb && !once_in(16);
    poke(entry, (peek(entry) & ~0x1cull) | (dte ? 4 : 0) |
         (c->pasid_bits && !once_in(16) ? 8 : 0) |
         (dte ? feature(c->page_requests, 4) : 0));
    poke(entry + 8, peek(entry + 8) | feature(c->rid_privilege, 20));
    for (unsigned p = 2; p < pasid_count; p++) {
        if (pasids[p] < 1u << (pdts + 13) && !once_in(16)) {
            make_pasid(sid, pasids[p]);
        }
    }
}

static unsigned random_legacy_type(void)
{
    unsigned type = below(3);
    bool known = type == 0 || (type == 1 && m.config.device_tlb) ||
        (type == 2 && m.config.pass_through);
    return known || once_in(24) ? type : 0;
}

void make_legacy_context(uint16_t sid)
{
    unsigned wanted = random_levels(), levels = MIN(wanted, TOP_LEVEL);
    Space space = { .root = second_table[levels], .levels = levels,
                    .domain = random_domain(2) };
    given_legacy_context(sid, random_legacy_type(), &space);
}

void make_machine(const DmarConfig *config)
{
    bool legacy = !config->scalable || once_in(6);
    tell_model(config);
    next_domain = below(1u << config->domain_bits);
    if (legacy) {
        given_legacy(config);
    } else {
        given_scalable(config);
    }
    if (config->page_requests) {
        set_reg(PQA_REG, new_page());
    }
    make_paging_tables();
    for (unsigned i = 0; i < sid_count; i++) {
        if (legacy) {
            make_legacy_context(sids[i]);
        } else {
            make_context(sids[i]);
        }
    }
    unit.table_mode = legacy ? TTM_LEGACY : TTM_SCALABLE;
    unit.root_table = m.root;
}

void switch_mode(unsigned mode)
{
    unit.table_mode = mode;
    set_root(m.root, mode);
}

Damage damage(void)
{
    uint64_t words = (m.next_page - RAM_BASE) / 8;
    Damage d;
    do {
        d.addr = RAM_BASE + 8 * (any64() % words);
        d.bit = below(64);
    } while (!peek(d.addr) || (d.addr >= m.queue && d.addr < m.queue + PAGE));
    flip(d.addr, d.bit);
    return d;
}

/* ---- A random request -------------------------------------------------------------------------- */

static uint64_t random_addr(void)
{
    uint64_t addr = random_input() | below(PAGE);
    unsigned sign = once_in(2) ? 47 : 56;
    if (mostly() && addr & BIT_AT(sign)) {
        addr |= -BIT_AT(sign);
    }
    if (once_in(16)) {
        addr |= BIT_AT(36 + below(28));
    }
    if (once_in(16)) {
        addr = RAM_BASE + any64() % RAM_SIZE;
    }
    return once_in(30) ? 0xfee00000 + below(256) * PAGE : addr;
}

/* Interrupt requests take another road than DMA. */
static bool is_interrupt(const DmarRequest *r)
{
    return r->pasid == NO_PASID && r->type == DMAR_UNTRANSLATED &&
        r->addr >= 0xfee00000 && r->addr <= 0xfeefffff;
}

static uint32_t random_pasid(void)
{
    if (once_in(12)) {
        return pasids[below(pasid_count)];
    }
    return once_in(4) || (!m.config.pasid_bits && mostly())
        ? NO_PASID : pasids[2 + below(pasid_count - 4)];
}

DmarRequest random_request(void)
{
    static const DmarAccess accesses[] = { DMAR_READ, DMAR_WRITE, DMAR_WRITE,
                                           DMAR_READ_ZERO_LENGTH, DMAR_ATOMIC };
    static const DmarAddressType types[] = {
        DMAR_UNTRANSLATED, DMAR_UNTRANSLATED, DMAR_UNTRANSLATED,
        DMAR_UNTRANSLATED, DMAR_UNTRANSLATED, DMAR_UNTRANSLATED,
        DMAR_UNTRANSLATED, DMAR_UNTRANSLATED, DMAR_TRANSLATION_REQUEST,
        DMAR_TRANSLATION_REQUEST, DMAR_TRANSLATION_REQUEST, DMAR_TRANSLATED,
    };
    DmarRequest r = {
        .source_id = once_in(20) ? any64() : sids[below(sid_count)],
        .pasid = random_pasid(),
        .addr = random_addr(),
        .access = accesses[below(G_N_ELEMENTS(accesses))],
        .type = types[below(G_N_ELEMENTS(types))],
    };
    if (!m.config.device_tlb && mostly()) {
        r.type = DMAR_UNTRANSLATED;
    }
    if ((unit.table_mode == TTM_LEGACY || r.type == DMAR_TRANSLATED) &&
        !once_in(10)) {
        r.pasid = NO_PASID;
    }
    if (is_interrupt(&r)) {
        r.addr = 0;
    }
    if (r.type == DMAR_UNTRANSLATED && once_in(16)) {
        r.access = DMAR_PROBE;
    }
    r.no_write = r.type == DMAR_TRANSLATION_REQUEST && once_in(3);
    r.privileged = r.pasid != NO_PASID && once_in(m.config.supervisor ? 3 : 24);
    r.execute = r.pasid != NO_PASID && r.access == DMAR_READ && once_in(12);
    return r;
}

bool wants_page(DmarRequest *r)
{
    if (!m.config.page_requests || !once_in(6)) {
        return false;
    }
    r->type = DMAR_PAGE_REQUEST;
    r->access = once_in(2) ? DMAR_READ : DMAR_WRITE;
    r->no_write = false;
    return true;
}
