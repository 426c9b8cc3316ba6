/*
 * The machine of the unit tests: RAM, host callbacks, and the verbs.
 *
 * Three parts: the host that the engine sees, software's side (tables,
 * registers, the queue), and claims.  There is one machine, `m`; Check runs
 * each test in a process of its own.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBERED_EVENTS   24
#define TEST_TIMEOUT        60

Machine m;

static struct {
    const char *file;
    int line;
    bool print;
    DmarEvent event[REMEMBERED_EVENTS];
    unsigned events;
} trace;

const DmarConfig widest = {
    .aw_bits = 57, .host_width = 46, .pasid_bits = 20, .domain_bits = 16,
    .fault_records = 8, .perf_counters = 8, .scalable = true,
    .first_stage = true, .first_stage_5level = true, .first_stage_1g = true,
    .extended_accessed = true, .supervisor = true, .rid_privilege = true,
    .second_stage_dirty = true, .nested = true, .pass_through = true,
    .snoop_control = true, .caching_mode = false, .abort_dma = true,
    .device_tlb = true, .no_write_flag = true, .page_requests = true,
    .interrupt_remapping = true, .x2apic = true, .posted_interrupts = true,
};

const DmarConfig plain = {
    .aw_bits = 57, .host_width = 46, .pasid_bits = 20, .domain_bits = 16,
    .fault_records = 8, .scalable = true, .pass_through = true,
    .snoop_control = true,
};

#define VARIANT(title, aw, haw, pasid, domain, records, ...) { title, { \
    .aw_bits = aw, .host_width = haw, .pasid_bits = pasid, \
    .domain_bits = domain, .fault_records = records, .scalable = true, \
    .pass_through = true, __VA_ARGS__ } }

const Variant variants[] = {
    VARIANT("39 bits", 39, 39, 20, 16, 8),
    VARIANT("48 bits", 48, 46, 20, 16, 8),
    VARIANT("57 bits", 57, 52, 20, 16, 8),
    VARIANT("one fault record", 48, 46, 20, 16, 1),
    VARIANT("snoop control", 48, 46, 20, 16, 8, .snoop_control = true),
    VARIANT("caching mode", 48, 46, 20, 16, 8, .caching_mode = true),
    VARIANT("device TLBs", 48, 46, 20, 16, 8, .device_tlb = true),
    VARIANT("interrupts", 48, 46, 20, 16, 8, .interrupt_remapping = true),
    VARIANT("x2APIC", 48, 46, 20, 16, 8, .interrupt_remapping = true,
            .x2apic = true),
    VARIANT("narrow domains", 48, 46, 20, 8, 8),
    VARIANT("narrow PASIDs", 48, 46, 14, 16, 8),
    VARIANT("first stage", 48, 46, 20, 16, 8, .first_stage = true),
    VARIANT("deep first stage", 57, 52, 20, 16, 8, .first_stage = true,
            .first_stage_5level = true, .first_stage_1g = true),
    VARIANT("extended accessed", 48, 46, 20, 16, 8, .first_stage = true,
            .extended_accessed = true),
    VARIANT("nested", 48, 46, 20, 16, 8, .first_stage = true, .nested = true),
    VARIANT("dirty second stage", 48, 46, 20, 16, 8,
            .second_stage_dirty = true),
    VARIANT("supervisors", 48, 46, 20, 16, 8, .supervisor = true),
    VARIANT("supervisors without PASID", 48, 46, 20, 16, 8, .supervisor = true,
            .rid_privilege = true),
    VARIANT("page requests", 48, 46, 20, 16, 8, .device_tlb = true,
            .page_requests = true),
    VARIANT("incoherent walks", 48, 46, 20, 16, 8, .first_stage = true,
            .incoherent_walk = true),
    VARIANT("abort DMA", 48, 46, 20, 16, 8, .abort_dma = true),
    VARIANT("all", 57, 46, 20, 16, 8, .first_stage = true,
            .first_stage_5level = true, .first_stage_1g = true,
            .extended_accessed = true, .supervisor = true,
            .rid_privilege = true, .second_stage_dirty = true, .nested = true,
            .snoop_control = true, .abort_dma = true, .device_tlb = true,
            .no_write_flag = true, .page_requests = true),
};
const unsigned variant_count = G_N_ELEMENTS(variants);

/* ---- RAM ----------------------------------------------------------------------- */

/*
 * Software and the unit share RAM without locks, as on a machine: aligned words
 * are read and written whole, and a thread sanitizer has nothing to say of it.
 */
static size_t word_size(const uint8_t *at, size_t left)
{
    size_t size = 8;
    while (size > left || (uintptr_t)at % size) {
        size /= 2;
    }
    return size;
}

static void read_word(void *to, const uint8_t *ram, size_t size)
{
    switch (size) {
    case 8: __atomic_load((uint64_t *)ram, (uint64_t *)to, __ATOMIC_RELAXED); break;
    case 4: __atomic_load((uint32_t *)ram, (uint32_t *)to, __ATOMIC_RELAXED); break;
    case 2: __atomic_load((uint16_t *)ram, (uint16_t *)to, __ATOMIC_RELAXED); break;
    case 1: __atomic_load(ram, (uint8_t *)to, __ATOMIC_RELAXED); break;
    }
}

static void write_word(uint8_t *ram, const void *from, size_t size)
{
    switch (size) {
    case 8: __atomic_store((uint64_t *)ram, (uint64_t *)from, __ATOMIC_RELAXED); break;
    case 4: __atomic_store((uint32_t *)ram, (uint32_t *)from, __ATOMIC_RELAXED); break;
    case 2: __atomic_store((uint16_t *)ram, (uint16_t *)from, __ATOMIC_RELAXED); break;
    case 1: __atomic_store(ram, (uint8_t *)from, __ATOMIC_RELAXED); break;
    }
}

static void read_ram(void *to, const uint8_t *ram, size_t len)
{
    for (size_t at = 0, size; at < len; at += size) {
        uint64_t word;
        size = word_size(ram + at, len - at);
        read_word(&word, ram + at, size);
        memcpy((uint8_t *)to + at, &word, size);
    }
}

static void write_ram(uint8_t *ram, const void *from, size_t len)
{
    for (size_t at = 0, size; at < len; at += size) {
        uint64_t word = 0;
        size = word_size(ram + at, len - at);
        memcpy(&word, (const uint8_t *)from + at, size);
        write_word(ram + at, &word, size);
    }
}

static uint8_t *ram_at(uint64_t addr, size_t len)
{
    ck_assert_msg(addr >= RAM_BASE && addr + len <= RAM_BASE + RAM_SIZE,
                  "test looks outside RAM: %" PRIx64, addr);
    return m.ram + (addr - RAM_BASE);
}

/* ---- What the engine sees ---------------------------------------------------- */

static void print_event(const DmarEvent *e)
{
    fprintf(stderr, "# %-14s sid %04x pasid %8" PRIx32 " addr %016" PRIx64
            " value %016" PRIx64 " detail %" PRIx64 "\n",
            dmar_event_name(e->kind), e->source_id, e->pasid, e->addr,
            e->value, e->detail);
}

static bool access_answered(uint64_t addr, size_t len)
{
    m.accesses++;
    return m.accesses != m.fail_access && addr >= RAM_BASE &&
        len <= RAM_SIZE && addr - RAM_BASE <= RAM_SIZE - len;
}

static bool write_answered(uint64_t addr, size_t len)
{
    return access_answered(addr, len) && (addr < m.rom || addr >= m.rom_end);
}

static bool host_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    if (!access_answered(addr, len)) {
        return false;
    }
    read_ram(buf, m.ram + (addr - RAM_BASE), len);
    return true;
}

/* Remember what was at @addr before it is written. */
static void note_change(uint64_t addr, size_t len)
{
    for (uint64_t at = addr & ~7ull; at < addr + len; at += 8) {
        if (m.changes < G_N_ELEMENTS(m.change)) {
            m.change[m.changes++] = (Change) { at, peek(at) };
        }
    }
}

static bool host_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
    if (!write_answered(addr, len)) {
        return false;
    }
    note_change(addr, len);
    write_ram(m.ram + (addr - RAM_BASE), buf, len);
    return true;
}

static void intrude(uint64_t addr)
{
    uint64_t found = peek(addr);
    poke(addr, m.intruder ? m.intruder(addr, found) : found ^ m.intruding_bits);
}

static bool host_compare_exchange(void *opaque, uint64_t addr,
                                  uint64_t *expected, uint64_t desired)
{
    ck_assert_msg(addr % 8 == 0, "unaligned: %" PRIx64, addr);
    if (!write_answered(addr, 8)) {
        return false;
    }
    if (m.lose_exchanges > 0) {
        m.lose_exchanges--;
        intrude(addr);
    }
    if (peek(addr) == *expected) {
        note_change(addr, 8);
    }
    uint64_t found = GUINT64_TO_LE(*expected);
    m.exchanges += __atomic_compare_exchange_n(
        (uint64_t *)ram_at(addr, 8), &found, GUINT64_TO_LE(desired), false,
        __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    *expected = GUINT64_FROM_LE(found);
    return true;
}

static void host_send_msi(void *opaque, uint64_t addr, uint32_t data)
{
    ck_assert_uint_lt(m.messages, G_N_ELEMENTS(m.message));
    m.message[m.messages++] = (Message) { addr, data };
}

static void host_remapping_changed(void *opaque, bool dma, bool interrupts)
{
    m.remapping_changes++;
    m.dma_on = dma;
    m.interrupts_on = interrupts;
}

static void host_interrupts_dropped(void *opaque, uint16_t first, uint16_t last)
{
    m.dropped_ranges++;
    m.dropped_first = first;
    m.dropped_last = last;
}

static void host_translations_dropped(void *opaque, const DmarForgotten *what)
{
    m.forgotten_tellings++;
    m.forgotten = *what;
    m.keeper_concerned = dmar_forgotten_by(m.dmar, what, m.keeper,
                                           &m.keeper_first, &m.keeper_last);
}

static bool host_device_tlb(void *opaque, unsigned itag,
                            const DmarDeviceTlbInvalidation *what)
{
    ck_assert_uint_lt(itag, DMAR_ITAGS);
    ck_assert_uint_lt(m.device_tlbs, G_N_ELEMENTS(m.device_tlb));
    m.device_tlb_itag[m.device_tlbs] = itag;
    m.device_tlb[m.device_tlbs++] = *what;
    return !m.device_tlb_silent;
}

static void host_page_response(void *opaque, const DmarPageResponse *response)
{
    ck_assert_uint_lt(m.page_responses, G_N_ELEMENTS(m.page_response));
    m.page_response[m.page_responses++] = *response;
}

static void host_event(void *opaque, const DmarEvent *event)
{
    ck_assert_uint_lt(event->kind, DMAR_EVENT_KINDS);
    m.events[event->kind]++;
    m.last_event[event->kind] = *event;
    trace.event[trace.events++ % REMEMBERED_EVENTS] = *event;
    if (trace.print) {
        print_event(event);
    }
}

static const DmarHost host = {
    .read = host_read,
    .write = host_write,
    .compare_exchange = host_compare_exchange,
    .send_msi = host_send_msi,
    .remapping_changed = host_remapping_changed,
    .interrupts_dropped = host_interrupts_dropped,
    .translations_dropped = host_translations_dropped,
    .device_tlb = host_device_tlb,
    .page_response = host_page_response,
    .event = host_event,
};

/* ---- Failing well --------------------------------------------------------------- */

void claim_made_at(const char *file, int line)
{
    trace.file = file;
    trace.line = line;
}

static void G_GNUC_PRINTF(2, 3) claim(bool holds, const char *format, ...)
{
    if (holds) {
        return;
    }
    for (unsigned i = MIN(trace.events, REMEMBERED_EVENTS); i > 0; i--) {
        print_event(&trace.event[(trace.events - i) % REMEMBERED_EVENTS]);
    }
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    const char *slash = strrchr(trace.file, '/');
    ck_abort_msg("%s:%d: %s", slash ? slash + 1 : trace.file, trace.line,
                 message);
}

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

/* ---- The machine ------------------------------------------------------------------ */

void begin(void)
{
    memset(&m, 0, sizeof(m));
    memset(&trace, 0, sizeof(trace));
    trace.file = "";
    trace.print = getenv("UNIT_TRACE") != NULL;
    m.ram = g_malloc0(RAM_SIZE);
    m.next_page = RAM_BASE;
}

static void nothing_unexpected(void)
{
    trace.file = "end of test";
    trace.line = 0;
    (no_fault_left)();
    (no_message_left)();
    claim(!(reg32(FSTS_REG) & 0xff), "FSTS is %x", reg32(FSTS_REG));
}

void end(void)
{
    if (m.dmar) {
        nothing_unexpected();
    }
    dmar_free(m.dmar);
    g_free(m.ram);
    m.dmar = NULL;
    m.ram = NULL;
}

/* In the place of the unit that there was, if any. */
void power_on(const DmarConfig *config)
{
    g_autoptr(GError) error = NULL;
    dmar_free(m.dmar);
    m.config = *config;
    m.dmar = dmar_new(config, &host, &m, &error);
    ck_assert_msg(m.dmar != NULL, "refused: %s", error ? error->message : "?");
}

void without_interrupt_remapping(DmarConfig *config)
{
    config->interrupt_remapping = config->x2apic = false;
    config->posted_interrupts = config->interrupt_root_invalidates = false;
}

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

uint64_t new_pages(unsigned n)
{
    uint64_t addr = m.next_page;
    m.next_page += n * PAGE;
    ck_assert_msg(m.next_page <= RAM_BASE + RAM_SIZE, "RAM is too small");
    return addr;
}

uint64_t new_page(void)
{
    return new_pages(1);
}

uint64_t peek(uint64_t addr)
{
    uint64_t value;
    read_ram(&value, ram_at(addr, 8), 8);
    return GUINT64_FROM_LE(value);
}

void poke(uint64_t addr, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    write_ram(ram_at(addr, 8), &value, 8);
}

uint32_t peek32(uint64_t addr)
{
    return peek(addr & ~7ull) >> (addr & 4 ? 32 : 0);
}

void poke32(uint64_t addr, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    write_ram(ram_at(addr, 4), &value, 4);
}

void flip(uint64_t addr, unsigned bit)
{
    addr += bit / 64 * 8;
    poke(addr, peek(addr) ^ BIT_AT(bit % 64));
}

void fail_access(unsigned n)
{
    m.accesses = 0;
    m.fail_access = n;
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

/* ---- Requests -------------------------------------------------------------------------- */

DmarTranslation ask(DmarRequest request)
{
    DmarTranslation out = { .addr = ~0ull };
    dmar_translate(m.dmar, &request, &out);
    return out;
}

DmarTranslation dma(DmarAccess access, uint16_t sid, uint32_t pasid,
                    uint64_t addr)
{
    return ask((DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                               .access = access });
}

DmarTranslation ats(uint16_t sid, uint32_t pasid, uint64_t addr)
{
    return ask((DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                               .type = DMAR_TRANSLATION_REQUEST });
}

/* ---- Claims ------------------------------------------------------------------------------- */

/* FRI names the record that set PPF; later ones follow it, around the end. */
static uint64_t first_pending(uint32_t status)
{
    unsigned first = field_get(status, FSTS_FRI);
    for (unsigned i = 0; i < m.config.fault_records; i++) {
        uint64_t at = fault_record_at((first + i) % m.config.fault_records);
        if (reg(at + 8) & FRCD1_F) {
            return at;
        }
    }
    claim(false, "FSTS.PPF is set, but no record is pending");
    return 0;
}

Fault take_fault(void)
{
    uint32_t status = reg32(FSTS_REG);
    if (!(status & FSTS_PPF)) {
        return (Fault) { .recorded = false };
    }
    uint64_t at = first_pending(status);
    uint64_t low = reg(at), high = reg(at + 8);
    set_reg32(at + 12, BIT_AT(31));
    return (Fault) {
        .recorded = true,
        .addr = low & ~0xfffull,
        .sid = high & 0xffff,
        .privileged = high & BIT_AT(29),
        .execute = high & BIT_AT(30),
        .with_pasid = high & BIT_AT(31),
        .reason = high >> 32 & 0xff,
        .pasid = high >> 40 & 0xfffff,
        .at = high >> 60 & 3,
        .type = (high >> 62 & 1) << 1 | (high >> 28 & 1),
    };
}

void (no_fault_left)(void)
{
    Fault fault = take_fault();
    claim(!fault.recorded, "a fault is recorded: %02x (%s), sid %04x, pasid %x,"
          " addr %" PRIx64, fault.reason, dmar_fault_name(fault.reason),
          fault.sid, fault.pasid, fault.addr);
}

void (fault_left)(uint8_t reason, uint16_t sid)
{
    Fault fault = take_fault();
    claim(fault.recorded, "no fault is recorded, expected %02x", reason);
    claim(fault.reason == reason && fault.sid == sid,
          "recorded: %02x sid %04x, expected %02x sid %04x", fault.reason,
          fault.sid, reason, sid);
}

static void reaches(DmarAccess access, uint16_t sid, uint32_t pasid,
                    uint64_t addr, uint64_t pa)
{
    DmarTranslation t = dma(access, sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "%" PRIx64 ": refused, reason %02x (%s)",
          addr, t.reason, dmar_fault_name(t.reason));
    claim(t.addr == pa, "%" PRIx64 " reaches %" PRIx64 ", expected %" PRIx64,
          addr, t.addr, pa);
    claim(access == DMAR_WRITE ? t.write : t.read, "reaches without the right");
    claim(t.reason == 0, "success with reason %02x", t.reason);
}

void (read_reaches)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_READ, sid, pasid, addr, pa);
}

void (write_reaches)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_WRITE, sid, pasid, addr, pa);
}

void (both_reach)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_READ, sid, pasid, addr, pa);
    reaches(DMAR_WRITE, sid, pasid, addr, pa);
}

static void refused(const DmarTranslation *t, uint8_t reason)
{
    claim(t->completion == DMAR_UNSUPPORTED_REQUEST,
          "completion %d to %" PRIx64 ", expected a refusal with %02x",
          t->completion, t->addr, reason);
    claim(t->reason == reason, "refused with %02x (%s), expected %02x (%s)",
          t->reason, dmar_fault_name(t->reason), reason,
          dmar_fault_name(reason));
}

/* T2 and T1 of the record: what kind of request it was. */
static unsigned type_of(const DmarRequest *request)
{
    if (request->type == DMAR_TRANSLATION_REQUEST) {
        return 2;
    }
    return request->access == DMAR_WRITE ? 0 : request->access == DMAR_ATOMIC ? 3 : 2;
}

static void recorded(const DmarRequest *request, uint8_t reason)
{
    Fault fault = take_fault();
    bool with_pasid = request->pasid != NO_PASID;
    uint64_t page = request->addr & ~0xfffull & (BIT_AT(m.config.aw_bits) - 1);
    claim(fault.recorded, "fault %02x is not recorded", reason);
    claim(fault.reason == reason, "recorded reason %02x, expected %02x",
          fault.reason, reason);
    claim(fault.sid == request->source_id, "recorded sid %04x", fault.sid);
    claim(fault.with_pasid == with_pasid, "recorded PP %d", fault.with_pasid);
    claim(!with_pasid || fault.pasid == request->pasid, "recorded PASID %x",
          fault.pasid);
    claim(fault.privileged == (with_pasid && request->privileged),
          "recorded PRIV %d", fault.privileged);
    claim(fault.addr == page,
          "recorded address %" PRIx64 ", expected %" PRIx64, fault.addr, page);
    claim(fault.type == type_of(request), "recorded type %u, expected %u",
          fault.type, type_of(request));
    claim(fault.at == (m.config.device_tlb ? request->type : 0),
          "recorded AT %u", fault.at);
}

void (request_reaches)(DmarRequest request, uint64_t pa)
{
    DmarTranslation t = ask(request);
    claim(t.completion == DMAR_SUCCESS, "%" PRIx64 ": refused, reason %02x (%s)",
          request.addr, t.reason, dmar_fault_name(t.reason));
    claim(t.addr == pa, "%" PRIx64 " reaches %" PRIx64 ", expected %" PRIx64,
          request.addr, t.addr, pa);
}

void (request_faults)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    refused(&t, reason);
    recorded(&request, reason);
}

void (request_refused_silently)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    refused(&t, reason);
    (no_fault_left)();
}

void (request_granted_nothing)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    claim(t.completion == DMAR_SUCCESS, "completion %d, reason %02x (%s)",
          t.completion, t.reason, dmar_fault_name(t.reason));
    claim(!t.read && !t.write && !t.untranslated_only && t.size == PAGE,
          "granted r %d w %d u %d size %" PRIx64, t.read, t.write,
          t.untranslated_only, t.size);
    claim(t.reason == reason, "nothing granted because of %02x (%s), not %02x",
          t.reason, dmar_fault_name(t.reason), reason);
    (no_fault_left)();
}

void (request_fails)(DmarRequest request, DmarCompletion completion,
                     uint8_t reason)
{
    DmarTranslation t = ask(request);
    claim(t.completion == completion, "completion %d, expected %d (reason %02x)",
          t.completion, completion, t.reason);
    claim(!t.read && !t.write, "granted r %d w %d", t.read, t.write);
    claim(t.reason == reason, "reason %02x (%s), expected %02x", t.reason,
          dmar_fault_name(t.reason), reason);
    recorded(&request, reason);
}

static DmarRequest request_of(DmarAccess access, uint16_t sid, uint32_t pasid,
                              uint64_t addr)
{
    return (DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                           .access = access };
}

void (read_faults)(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason)
{
    (request_faults)(request_of(DMAR_READ, sid, pasid, addr), reason);
}

void (write_faults)(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason)
{
    (request_faults)(request_of(DMAR_WRITE, sid, pasid, addr), reason);
}

void (write_refused_silently)(uint16_t sid, uint32_t pasid, uint64_t addr,
                              uint8_t reason)
{
    (request_refused_silently)(request_of(DMAR_WRITE, sid, pasid, addr), reason);
}

void (ats_grants)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa,
                  unsigned rights)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "translation request: reason %02x (%s)",
          t.reason, dmar_fault_name(t.reason));
    claim(t.read == !!(rights & R) && t.write == !!(rights & W),
          "granted r %d w %d, expected %x (reason %02x)", t.read, t.write,
          rights, t.reason);
    claim(t.addr == pa, "granted %" PRIx64 ", expected %" PRIx64, t.addr, pa);
    (no_fault_left)();
}

void (ats_grants_nothing)(uint16_t sid, uint32_t pasid, uint64_t addr)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "translation request: %d, reason %02x",
          t.completion, t.reason);
    claim(!t.read && !t.write, "granted r %d w %d", t.read, t.write);
    (no_fault_left)();
}

void (ats_fails)(uint16_t sid, uint32_t pasid, uint64_t addr,
                 DmarCompletion completion, uint8_t reason)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == completion, "completion %d, expected %d (reason %02x)",
          t.completion, completion, t.reason);
    claim(t.reason == reason, "reason %02x, expected %02x", t.reason, reason);
    (fault_left)(reason, sid);
}

void (message_sent)(uint64_t addr, uint32_t data)
{
    claim(m.first_message < m.messages, "no message was sent");
    Message *message = &m.message[m.first_message++];
    claim(message->addr == addr && message->data == data,
          "message %" PRIx64 " %x, expected %" PRIx64 " %x", message->addr,
          message->data, addr, data);
}

void (no_message_left)(void)
{
    if (m.first_message < m.messages) {
        claim(false, "a message was sent: %" PRIx64 " %x",
              m.message[m.first_message].addr, m.message[m.first_message].data);
    }
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

/* ---- Running ------------------------------------------------------------------------------------ */

TCase *tests_of(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, TEST_TIMEOUT);
    suite_add_tcase(suite, tests);
    return tests;
}

int run_suite(Suite *suite, int argc, char **argv)
{
    bool tap = argc > 1 && g_str_equal(argv[1], "--tap");
    SRunner *runner = srunner_create(suite);
    if (tap) {
        srunner_set_tap(runner, "-");
    }
    srunner_run_all(runner, tap ? CK_SILENT : CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
