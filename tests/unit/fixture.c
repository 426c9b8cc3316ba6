/*
 * The machine of the unit tests: RAM, and the host that the engine sees.
 *
 * Software's side is in fixture_software.c, claims are in fixture_claims.c.
 * There is one machine, `m`; Check runs each test in a process of its own.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_claims.h"

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
    if (m.was_read) {
        m.was_read(addr);
    }
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

void claim(bool holds, const char *format, ...)
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

/* ---- The machine ------------------------------------------------------------------ */

void begin(void)
{
    memset(&m, 0, sizeof(m));
    memset(&trace, 0, sizeof(trace));
    trace.file = "";
    trace.print = getenv("UNIT_TRACE") != NULL;
    m.by_handle = getenv("UNIT_HANDLES") != NULL;
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

void power_off(void)
{
    drop_handles();
    dmar_free(m.dmar);
    m.dmar = NULL;
}

void end(void)
{
    if (m.dmar) {
        nothing_unexpected();
    }
    power_off();
    g_free(m.ram);
    m.ram = NULL;
}

/* In the place of the unit that there was, if any. */
void power_on(const DmarConfig *config)
{
    g_autoptr(GError) error = NULL;
    power_off();
    m.config = *config;
    m.dmar = dmar_new(config, &host, &m, &error);
    ck_assert_msg(m.dmar != NULL, "refused: %s", error ? error->message : "?");
}

void without_interrupt_remapping(DmarConfig *config)
{
    config->interrupt_remapping = config->x2apic = false;
    config->posted_interrupts = config->interrupt_root_invalidates = false;
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

/* ---- Running ------------------------------------------------------------------------------------ */

TCase *tests_of(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, TEST_TIMEOUT);
    suite_add_tcase(suite, tests);
    return tests;
}

unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *asked = getenv(name);
    return asked ? strtoul(asked, NULL, 10) : otherwise;
}

void tally(unsigned requests, unsigned histories)
{
    if (getenv("UNIT_TALLY")) {
        printf("# compared %u requests, %u histories\n", requests, histories);
        fflush(stdout);
    }
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
