/*
 * Performance monitoring [VT-d 10, 11.4.13]: the registers, what each event
 * counts, filters, overflow with its interrupt, freezing.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#include "counters.h"

#define DEV         0x0b20
#define PASID       0x99
#define DOMAIN      4
#define IOVA        0x8000ull
#define TARGET      0x33333000ull
#define WIDTH       48
#define MESSAGE     0xfee00000u
#define DATA        0x4321u

static Space space;

static void given_device(void)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
}

/* Counter @n counts @events of @group from 0 on. */
static void counting(unsigned n, unsigned group, uint64_t events)
{
    set_reg(config_at(n), configuration(group, events));
    set_reg(counter_at(n), 0);
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, n), ECMD_SUCCESS);
}

static uint64_t counted(unsigned n)
{
    return reg(counter_at(n));
}

/* Make a write that the IOTLB answers or not: a lookup, at any rate. */
static void lookup(void)
{
    both_reach(DEV, PASID, IOVA, TARGET);
}

/* Counter @n overflows at the next lookup. */
static void about_to_overflow(unsigned n, unsigned on_overflow)
{
    set_reg(config_at(n), configuration(3, LOOKUP) | on_overflow);
    set_reg(counter_at(n), ~0ull);
    ck_assert_uint_eq(enhanced(ECMD_ENABLE_COUNTER, n), ECMD_SUCCESS);
}

static void one_lookup(void)
{
    write_reaches(DEV, PASID, IOVA, TARGET);
}

/* ---- Registers ----------------------------------------------------------------- */

START_TEST(capabilities_are_those_of_the_specification)
{
    DmarConfig config = widest;
    config.perf_counters = _i;
    power_on(&config);
    ck_assert(reg(ECAP_REG) & BIT_AT(51));
    uint64_t cap = reg(0x300);
    ck_assert_int_eq(field_get(cap, BITS(15, 0)), _i);
    ck_assert_uint_eq(field_get(cap, BITS(22, 16)), WIDTH);
    ck_assert_uint_eq(field_get(cap, BITS(28, 24)), 5);
    ck_assert_uint_eq(field_get(cap, BITS(36, 32)), 0x18);  /* AT, PTL */
    ck_assert_uint_eq(field_get(cap, BITS(51, 48)), 7);     /* CWE, GFS, IOS */
    ck_assert_uint_eq(cap & ~(BITS(22, 0) | BITS(28, 24) | BITS(36, 32) |
                              BITS(54, 48)), 0);
}
END_TEST

START_TEST(without_counters_there_are_no_registers)
{
    DmarConfig config = widest;
    config.perf_counters = 0;
    power_on(&config);
    ck_assert_uint_eq(dmar_mmio_size(&config), 4096);
    ck_assert(!(reg(ECAP_REG) & BIT_AT(51)));
    for (unsigned at = 0x300; at < DMAR_MMIO_SIZE; at += 8) {
        if (at < fault_record_at(0) || at >= 0x1000) {
            set_reg(at, ~0ull);
            ck_assert_msg(reg(at) == 0, "%x", at);
        }
    }
}
END_TEST

/* A register takes 8 bytes whole; where there is none, they come in halves. */
static bool is_register(uint64_t at)
{
    unsigned before = m.events[DMAR_EVENT_REGISTER_WRITE];
    set_reg(at, ~0ull);
    unsigned writes = m.events[DMAR_EVENT_REGISTER_WRITE] - before;
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_REGISTER_WRITE].detail,
                      writes == 1 ? 8 : 4);
    return writes == 1;
}

START_TEST(registers_are_there_for_counters_and_for_nothing_else)
{
    static const DmarConfig few = {
        .aw_bits = 39, .host_width = 39, .domain_bits = 16, .fault_records = 1,
    };
    DmarConfig config = _i / 2 ? widest : few;
    config.stop_markers = _i / 2;
    config.perf_counters = _i % 2 ? 1 : 0;
    power_on(&config);
    for (unsigned group = 0; group < 5; group++) {
        ck_assert_int_eq(is_register(events_at(group)), _i % 2);
    }
    ck_assert(!is_register(events_at(5)));
    static const unsigned others[] = { 0x300, 0x400, 0x408, 0x410, 0x430, 0x448 };
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        ck_assert_int_eq(is_register(others[i]), _i % 2);
    }
    static const unsigned blocks[] = { 0x1000, 0x2000 };    /* of each counter */
    for (unsigned i = 0; i < G_N_ELEMENTS(blocks); i++) {
        ck_assert_int_eq(is_register(blocks[i]), _i % 2);
    }
}
END_TEST

START_TEST(more_counters_than_there_is_room_for_are_refused)
{
    DmarConfig config = widest;
    g_autoptr(GError) error = NULL;
    config.perf_counters = DMAR_MAX_PERF_COUNTERS + 1;
    ck_assert_ptr_null(dmar_new(&config, &(DmarHost) { 0 }, NULL, &error));
    ck_assert(g_error_matches(error, DMAR_ERROR, DMAR_ERROR_CONFIG));
}
END_TEST

START_TEST(offsets_are_aligned_and_blocks_apart)
{
    power_on(&widest);
    unsigned last = widest.perf_counters - 1;
    ck_assert_uint_eq(reg32(0x310) % 0x100, 0);
    ck_assert_uint_eq(freeze_at() % 8, 0);
    ck_assert_uint_eq(overflow_at() % 8, 0);
    ck_assert_uint_eq(counter_at(0) % (counter_at(1) - counter_at(0)), 0);
    ck_assert_uint_ge(freeze_at(), 0x460);
    ck_assert_uint_ne(freeze_at(), overflow_at());
    ck_assert_uint_le(fault_record_at(DMAR_MAX_FAULT_RECORDS), config_at(0));
    ck_assert_uint_le(config_at(last) + 0x100, counter_at(0));
    ck_assert_uint_le(counter_at(last) + 8, dmar_mmio_size(&widest));
    ck_assert_uint_lt(overflow_at(), fault_record_at(0));
    ck_assert_uint_lt(freeze_at(), fault_record_at(0));
}
END_TEST

/* The bits that hold what software writes; all others read zero. */
static const struct {
    const char *name;
    unsigned offset, bytes;
    uint64_t writable;
} of_counter[] = {
    { "configuration", 0x00, 8, 0x0fffffff00000f06 },
    { "requester filter", 0x08, 4, 0 },
    { "domain filter", 0x0c, 4, 0 },
    { "PASID filter", 0x10, 4, 0 },
    { "type filter", 0x14, 4, 0x80000007 },
    { "level filter", 0x18, 4, 0x8000001f },
    { "reserved", 0x1c, 4, 0 },
    { "capability", 0x80, 4, 0 },
    { "events", 0x84, 4, 0 },
    { "reserved", 0xf8, 8, 0 },
};

START_TEST(a_counter_s_registers_hold_what_may_be_written)
{
    power_on(&widest);
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        uint64_t at = config_at(n) + of_counter[_i].offset;
        unsigned bytes = of_counter[_i].bytes;
        ck_assert_uint_eq(dmar_reg_read(m.dmar, at, bytes), 0);
        for (unsigned bit = 0; bit < 8 * bytes; bit++) {
            dmar_reg_write(m.dmar, at, bytes, BIT_AT(bit));
            ck_assert_msg(dmar_reg_read(m.dmar, at, bytes) ==
                          (BIT_AT(bit) & of_counter[_i].writable),
                          "%s bit %u", of_counter[_i].name, bit);
        }
        dmar_reg_write(m.dmar, at, bytes, 0);
    }
}
END_TEST

START_TEST(a_counter_is_as_wide_as_advertised)
{
    power_on(&widest);
    set_reg(counter_at(_i), ~0ull);
    ck_assert_uint_eq(counted(_i), BIT_AT(WIDTH) - 1);
    set_reg32(counter_at(_i), 5);
    ck_assert_uint_eq(counted(_i), 0xffff00000005);
    set_reg32(counter_at(_i) + 4, 0);
    ck_assert_uint_eq(counted(_i), 5);
}
END_TEST

START_TEST(an_enabled_counter_s_configuration_is_fixed)
{
    power_on(&widest);
    set_reg(config_at(1), configuration(3, HIT) | ON_OVERFLOW_FREEZE);
    set_reg32(level_filter_at(1), BIT_AT(31) | 3);
    enhanced(ECMD_ENABLE_COUNTER, 1);
    set_reg(config_at(1), 0);
    set_reg32(level_filter_at(1), 0);
    set_reg32(type_filter_at(1), 1);
    ck_assert_uint_eq(reg(config_at(1)),
                      configuration(3, HIT) | ON_OVERFLOW_FREEZE | 1);
    ck_assert_uint_eq(reg32(level_filter_at(1)), BIT_AT(31) | 3);
    ck_assert_uint_eq(reg32(type_filter_at(1)), 0);
    set_reg(config_at(2), configuration(3, HIT));
    ck_assert_uint_eq(reg(config_at(2)), configuration(3, HIT));
    enhanced(ECMD_DISABLE_COUNTER, 1);
    set_reg(config_at(1), 0);
    set_reg32(level_filter_at(1), 0);
    ck_assert_uint_eq(reg(config_at(1)), 0);
    ck_assert_uint_eq(reg32(level_filter_at(1)), 0);
}
END_TEST

START_TEST(an_enabled_counter_may_be_written)
{
    given_device();
    counting(0, 3, LOOKUP);
    set_reg(counter_at(0), 1000);
    lookup();
    ck_assert_uint_eq(counted(0), 1002);
}
END_TEST

/* [VT-d 10.7], as far as the unit counts truthfully. */
static void events_are(const DmarConfig *config, const uint64_t events[5])
{
    power_on(config);
    for (unsigned group = 0; group < 16; group++) {
        ck_assert_uint_eq(reg(events_at(group)), group < 5 ? events[group] : 0);
    }
}

START_TEST(events_follow_the_abilities)
{
    DmarConfig config = { .aw_bits = 48, .host_width = 46, .domain_bits = 16,
                          .fault_records = 1, .perf_counters = 1 };
    events_are(&config, (uint64_t[]) { 0x2, 0x1, 0x33, 0x3, 0 });
    config.scalable = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x1, 0x3f, 0x3, 0 });
    config.second_stage_dirty = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x9, 0x3f, 0x3, 0 });
    config.second_stage_dirty = false;
    config.first_stage = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x9, 0xff, 0x3, 0 });
    config.no_second_stage = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x9, 0xcf, 0x3, 0 });
    config.interrupt_remapping = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x9, 0xcf, 0x3, 0x3 });
    config.posted_interrupts = true;
    events_are(&config, (uint64_t[]) { 0x2, 0x9, 0xcf, 0x3, 0x7 });
    config.device_tlb = config.page_requests = true;
    events_are(&config, (uint64_t[]) { 0x2, 0xc9, 0xcf, 0x3, 0x7 });
}
END_TEST

/* ---- What is counted --------------------------------------------------------------- */

START_TEST(lookups_and_hits_of_the_iotlb_are_counted)
{
    given_device();
    counting(0, 3, LOOKUP);
    counting(1, 3, HIT);
    counting(2, 3, LOOKUP | HIT);
    one_lookup();
    ck_assert_uint_eq(counted(0), 1);
    ck_assert_uint_eq(counted(1), 0);
    one_lookup();
    one_lookup();
    ck_assert_uint_eq(counted(0), 3);
    ck_assert_uint_eq(counted(1), 2);
    ck_assert_uint_eq(counted(2), 5);
}
END_TEST

START_TEST(a_lookup_that_ends_in_a_fault_is_counted)
{
    given_device();
    counting(0, 3, LOOKUP);
    counting(1, 3, HIT);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    ck_assert_uint_eq(counted(0), 2);
    ck_assert_uint_eq(counted(1), 0);
}
END_TEST

/* Asked for when the IOTLB has no answer. */
START_TEST(lookups_and_hits_of_contexts_and_pasids_are_counted)
{
    given_device();
    map(&space, IOVA + PAGE, TARGET, PAGE, RW);
    for (unsigned bit = 0; bit < 4; bit++) {
        counting(bit, 2, BIT_AT(bit));
    }
    one_lookup();
    ck_assert_uint_eq(counted(0), 1);
    ck_assert_uint_eq(counted(1), 0);
    ck_assert_uint_eq(counted(2), 1);
    ck_assert_uint_eq(counted(3), 0);
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    ck_assert_uint_eq(counted(1), 1);       /* the context of another PASID */
    ck_assert_uint_eq(counted(3), 0);
    write_reaches(DEV, PASID, IOVA + PAGE, TARGET);
    ck_assert_uint_eq(counted(0), 3);
    ck_assert_uint_eq(counted(1), 2);
    ck_assert_uint_eq(counted(2), 3);
    ck_assert_uint_eq(counted(3), 1);
}
END_TEST

START_TEST(a_refused_request_for_the_interrupt_range_is_looked_up_once)
{
    given_device();
    flip(context_entry_at(DEV), 2);
    counting(0, 2, BIT_AT(0));
    ats_fails(DEV, NO_PASID, 0xfee00000, DMAR_UNSUPPORTED_REQUEST,
              FAULT_ATS_BLOCKED);
    ck_assert_uint_eq(counted(0), 1);
}
END_TEST

/* ---- Paging-structure caches ------------------------------------------------------ */

#define TABLES 5

/* A table of five levels of one stage or the other, of software that has
 * PASID 5: entries of our own making, all alike in both stages but PS. */
static uint64_t given_tables(bool first_stage)
{
    DmarConfig config = widest;
    config.first_stage = config.first_stage_5level = true;
    given_scalable(&config);
    given_context(DEV);
    uint64_t root = new_page(), entry = pasid_entry_at(DEV, 5);
    poke(entry + 8, DOMAIN | BIT_AT(23));
    if (first_stage) {
        poke(entry + 16, root | 1 << 2);
    }
    poke(entry, (first_stage ? PGTT_FIRST_STAGE << 6
                             : root | PGTT_SECOND_STAGE << 6 | 3 << 2) | 1);
    return root;
}

static void map_in(uint64_t root, uint64_t iova)
{
    uint64_t table = root;
    for (unsigned level = TABLES; level > 1; level--) {
        uint64_t entry = table + (iova >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
        if (!peek(entry)) {
            poke(entry, new_page() | 7);
        }
        table = peek(entry) & ~0xfffull;
    }
    poke(table + (iova >> 12 & 0x1ff) * 8, TARGET | 7);
}

static unsigned lookup_bit(bool first_stage)
{
    return first_stage ? 6 : 4;
}

/* The page after one that was walked to is found by its PDE, the one in the
 * next 2 MiB by the PDPE, and so on. */
START_TEST(hits_of_paging_structures_are_counted_by_level)
{
    bool first_stage = _i & 1;
    unsigned levels = _i >> 1;
    uint64_t root = given_tables(first_stage);
    uint64_t step[] = { 0, PAGE, LARGE, HUGE, 512 * HUGE };
    unsigned hits = 0;
    for (unsigned i = 0; i < TABLES; i++) {
        map_in(root, step[i]);
    }
    counting(0, 2, BIT_AT(lookup_bit(first_stage)));
    set_reg32(level_filter_at(1), BIT_AT(31) | levels);
    counting(1, 2, BIT_AT(lookup_bit(first_stage) + 1));
    counting(2, 2, 3ull << (first_stage ? 4 : 6));      /* the other stage */
    for (unsigned i = 0; i < TABLES; i++) {
        write_reaches(DEV, 5, step[i], TARGET);
        write_reaches(DEV, 5, step[i], TARGET);
        hits += i > 0 && (levels >> i & 1);
        ck_assert_uint_eq(counted(0), i + 1);
        ck_assert_uint_eq(counted(1), hits);
    }
    ck_assert_uint_eq(counted(2), 0);
}
END_TEST

START_TEST(updates_of_accessed_and_dirty_bits_are_counted)
{
    uint64_t root = given_tables(true);
    map_in(root, IOVA);
    map_in(root, IOVA + PAGE);
    counting(0, 1, BIT_AT(3));
    read_reaches(DEV, 5, IOVA, TARGET);
    ck_assert_uint_eq(counted(0), TABLES);
    write_reaches(DEV, 5, IOVA, TARGET);
    ck_assert_uint_eq(counted(0), TABLES + 1);
    write_reaches(DEV, 5, IOVA, TARGET);
    ck_assert_uint_eq(counted(0), TABLES + 1);
    m.lose_exchanges = 1;
    m.intruding_bits = BIT_AT(9);
    write_reaches(DEV, 5, IOVA + PAGE, TARGET);
    ck_assert_uint_eq(counted(0), TABLES + 2);
    ck_assert_uint_eq(m.exchanges, TABLES + 2);
}
END_TEST

/* ---- Modes and kinds of requests -------------------------------------------------- */

START_TEST(legacy_mode_is_counted_too)
{
    given_legacy(&widest);
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    counting(0, 2, LOOKUP);
    counting(1, 2, HIT);
    counting(2, 2, 0xc);
    counting(3, 3, HIT);
    map(&space, IOVA + PAGE, TARGET, PAGE, RW);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    write_reaches(DEV, NO_PASID, IOVA + PAGE, TARGET);
    ck_assert_uint_eq(counted(0), 2);
    ck_assert_uint_eq(counted(1), 1);
    ck_assert_uint_eq(counted(2), 0);
    ck_assert_uint_eq(counted(3), 1);
}
END_TEST

START_TEST(reads_of_memory_are_counted)
{
    given_device();
    counting(0, 1, 1);
    m.accesses = 0;
    one_lookup();
    ck_assert_uint_eq(counted(0), m.accesses);
    ck_assert_uint_ge(m.accesses, 8);       /* four tables, four levels */
    one_lookup();
    ck_assert_uint_eq(counted(0), m.accesses);
    execute(wait_fence());
    ck_assert_uint_eq(counted(0), m.accesses);
}
END_TEST

static void a_request_of_each_type(void)
{
    DmarRequest request = { .source_id = DEV, .pasid = NO_PASID, .addr = IOVA,
                            .access = DMAR_WRITE };
    for (unsigned type = 0; type < 3; type++) {
        request.type = type;
        ck_assert_int_eq(ask(request).completion, DMAR_SUCCESS);
    }
}

static void given_device_with_tlb(void)
{
    given_device();
    poke(context_entry_at(DEV), peek(context_entry_at(DEV)) | BIT_AT(2));
}

START_TEST(requests_are_counted_by_their_type)
{
    given_device_with_tlb();
    set_reg32(type_filter_at(0), BIT_AT(31) | _i);
    counting(0, 0, 2);
    a_request_of_each_type();
    ck_assert_int_eq(counted(0), (_i & 1) + (_i >> 1 & 1) + (_i >> 2 & 1));
}
END_TEST

START_TEST(requests_of_every_type_are_counted_without_a_filter)
{
    given_device_with_tlb();
    set_reg32(type_filter_at(0), 1);        /* not enabled */
    counting(0, 0, 2);
    a_request_of_each_type();
    ck_assert_uint_eq(counted(0), 3);
    write_faults(DEV, PASID, IOVA + PAGE, FAULT_SS_NOT_PRESENT);
    ck_assert_uint_eq(counted(0), 4);
    dma(DMAR_PROBE, DEV, PASID, IOVA);
    ck_assert_uint_eq(counted(0), 4);
}
END_TEST

START_TEST(requests_that_are_not_translated_are_not_counted)
{
    power_on(&widest);
    counting(0, 0, 2);
    write_reaches(DEV, NO_PASID, IOVA, IOVA);
    ck_assert_uint_eq(counted(0), 0);
}
END_TEST

/* A page of each size, hit once. */
START_TEST(hits_are_counted_by_the_size_of_the_page)
{
    static const uint64_t sizes[] = { PAGE, LARGE, HUGE };
    given_device();
    for (unsigned i = 1; i < 3; i++) {
        map(&space, sizes[i], sizes[i], sizes[i], RW);
    }
    set_reg32(level_filter_at(0), BIT_AT(31) | _i);
    counting(0, 3, HIT);
    both_reach(DEV, PASID, IOVA, TARGET);
    both_reach(DEV, PASID, LARGE, LARGE);
    both_reach(DEV, PASID, HUGE, HUGE);
    ck_assert_int_eq(counted(0), (_i & 1) + (_i >> 1 & 1) + (_i >> 2 & 1));
}
END_TEST

START_TEST(lookups_and_hits_of_interrupts_are_counted)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010,
                                     .size = 4, .is_write = true };
    DmarInterrupt out;
    power_on(&widest);
    uint64_t table = new_page();
    poke(table, 0x42 << 16 | 1);
    set_reg(IRTA_REG, table | 3);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    counting(0, 4, LOOKUP);
    counting(1, 4, HIT);
    counting(2, 4, 4);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(dmar_remap_interrupt(m.dmar, &request, &out),
                         DMAR_INTERRUPT_REMAPPED);
    }
    ck_assert_uint_eq(counted(0), 3);
    ck_assert_uint_eq(counted(1), 2);
    ck_assert_uint_eq(counted(2), 0);
}
END_TEST

START_TEST(hits_of_posted_interrupts_are_counted_apart)
{
    DmarInterruptRequest request = { .source_id = DEV, .addr = 0xfee00010,
                                     .size = 4, .is_write = true };
    DmarInterrupt out;
    power_on(&widest);
    uint64_t table = new_page(), descriptor = new_page();
    poke(descriptor + 32, BIT_AT(1));           /* no notification */
    poke(table, descriptor << 32 | 0x42 << 16 | BIT_AT(15) | 1);
    set_reg(IRTA_REG, table | 3);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    counting(0, 4, LOOKUP);
    counting(1, 4, HIT);
    counting(2, 4, 4);
    for (unsigned i = 0; i < 3; i++) {
        dmar_remap_interrupt(m.dmar, &request, &out);
    }
    ck_assert_uint_eq(counted(0), 3);
    ck_assert_uint_eq(counted(1), 0);
    ck_assert_uint_eq(counted(2), 2);
    ck_assert_uint_eq(peek(descriptor + 8), 4);
}
END_TEST

/* ---- Enabled, disabled, frozen -------------------------------------------------------- */

START_TEST(only_an_enabled_counter_counts)
{
    given_device();
    set_reg(config_at(_i), configuration(3, LOOKUP));
    lookup();
    ck_assert_uint_eq(counted(_i), 0);
    enhanced(ECMD_ENABLE_COUNTER, _i);
    lookup();
    ck_assert_uint_eq(counted(_i), 2);
    enhanced(ECMD_DISABLE_COUNTER, _i);
    lookup();
    ck_assert_uint_eq(counted(_i), 2);
    enhanced(ECMD_ENABLE_COUNTER, _i);
    lookup();
    ck_assert_uint_eq(counted(_i), 4);
}
END_TEST

START_TEST(a_frozen_counter_keeps_its_value_and_goes_on)
{
    given_device();
    counting(0, 3, LOOKUP);
    counting(7, 3, LOOKUP);
    lookup();
    enhanced(ECMD_FREEZE, 0);
    lookup();
    ck_assert_uint_eq(counted(0), 2);
    ck_assert_uint_eq(counted(7), 2);
    enhanced(ECMD_UNFREEZE, 0);
    lookup();
    ck_assert_uint_eq(counted(0), 4);
    ck_assert_uint_eq(counted(7), 4);
}
END_TEST

/* As Linux programs a counter: all frozen, then this one enabled. */
START_TEST(a_counter_enabled_while_frozen_counts_when_unfrozen)
{
    given_device();
    enhanced(ECMD_FREEZE, 0);
    counting(3, 3, LOOKUP);
    lookup();
    ck_assert_uint_eq(counted(3), 0);
    enhanced(ECMD_UNFREEZE, 0);
    lookup();
    ck_assert_uint_eq(counted(3), 2);
}
END_TEST

START_TEST(a_configuration_reset_stops_counting)
{
    given_device();
    counting(0, 3, LOOKUP);
    lookup();
    enhanced(ECMD_RESET_CONFIGURATION, 0);
    lookup();
    ck_assert_uint_eq(counted(0), 2);
}
END_TEST

/* ---- Overflow ----------------------------------------------------------------------------- */

static void set_message(uint64_t addr, uint32_t data)
{
    set_reg32(0x32c, data);
    set_reg32(0x330, (uint32_t)addr);
    set_reg32(0x334, addr >> 32);
}

static void given_message(void)
{
    set_message(0x500000000 | MESSAGE, DATA);
    set_reg32(0x328, 0);
}

START_TEST(an_overflow_is_noted_and_counting_goes_on)
{
    given_device();
    about_to_overflow(_i, 0);
    ck_assert_uint_eq(reg(overflow_at()), 0);
    one_lookup();
    ck_assert_uint_eq(reg(overflow_at()), BIT_AT(_i));
    ck_assert_uint_eq(counted(_i), 0);
    one_lookup();
    ck_assert_uint_eq(counted(_i), 1);
    ck_assert_uint_eq(reg(freeze_at()), 0);
}
END_TEST

START_TEST(overflow_bits_are_cleared_one_by_one)
{
    given_device();
    for (unsigned n = 0; n < 3; n++) {
        about_to_overflow(n, 0);
    }
    one_lookup();
    ck_assert_uint_eq(reg(overflow_at()), 7);
    set_reg(overflow_at(), 0);
    ck_assert_uint_eq(reg(overflow_at()), 7);
    set_reg(overflow_at(), 2);
    ck_assert_uint_eq(reg(overflow_at()), 5);
    set_reg32(overflow_at(), 1);
    ck_assert_uint_eq(reg(overflow_at()), 4);
    enhanced(ECMD_RESET_CONFIGURATION, 0);
    ck_assert_uint_eq(reg(overflow_at()), 0);
}
END_TEST

START_TEST(an_overflow_interrupts_only_if_asked_to)
{
    given_device();
    given_message();
    about_to_overflow(0, 0);
    one_lookup();
    no_message_left();
    ck_assert_uint_eq(reg32(0x324), 0);
}
END_TEST

START_TEST(an_overflow_interrupts)
{
    given_device();
    given_message();
    about_to_overflow(0, ON_OVERFLOW_INTERRUPT);
    one_lookup();
    message_sent(0x500000000 | MESSAGE, DATA);
    ck_assert_uint_eq(reg32(0x324), 1);
    ck_assert_uint_eq(reg32(0x328), 0);
    one_lookup();
    no_message_left();
    set_reg32(0x324, 0);
    ck_assert_uint_eq(reg32(0x324), 1);
    set_reg32(0x324, 1);
    ck_assert_uint_eq(reg32(0x324), 0);
    ck_assert_uint_eq(reg(overflow_at()), 1);
}
END_TEST

START_TEST(every_bit_of_a_message_is_sent)
{
    given_device();
    given_message();
    about_to_overflow(0, ON_OVERFLOW_INTERRUPT);
    for (unsigned bit = 0; bit < 64; bit++) {
        set_message(BIT_AT(bit), 1u << bit % 16);
        set_reg(counter_at(0), ~0ull);
        one_lookup();
        message_sent(BIT_AT(bit) & ~3ull, 1u << bit % 16);
    }
}
END_TEST

START_TEST(every_overflow_interrupts)
{
    given_device();
    given_message();
    about_to_overflow(0, ON_OVERFLOW_INTERRUPT);
    about_to_overflow(1, ON_OVERFLOW_INTERRUPT);
    one_lookup();
    message_sent(0x500000000 | MESSAGE, DATA);
    message_sent(0x500000000 | MESSAGE, DATA);
    set_reg(counter_at(1), ~0ull);
    one_lookup();
    message_sent(0x500000000 | MESSAGE, DATA);
}
END_TEST

START_TEST(a_masked_interrupt_is_pending_until_unmasked)
{
    given_device();
    given_message();
    set_reg32(0x328, BIT_AT(31));
    about_to_overflow(0, ON_OVERFLOW_INTERRUPT);
    one_lookup();
    no_message_left();
    ck_assert_uint_eq(reg32(0x328), BIT_AT(31) | BIT_AT(30));
    set_reg32(0x328, 0);
    message_sent(0x500000000 | MESSAGE, DATA);
    ck_assert_uint_eq(reg32(0x328), 0);
}
END_TEST

START_TEST(a_pending_interrupt_goes_with_its_status)
{
    given_device();
    about_to_overflow(0, ON_OVERFLOW_INTERRUPT);
    one_lookup();
    set_reg32(0x324, 0);
    ck_assert_uint_eq(reg32(0x328), BIT_AT(31) | BIT_AT(30));
    set_reg32(0x324, 1);
    ck_assert_uint_eq(reg32(0x328), BIT_AT(31));
    set_reg32(0x328, 0);
    no_message_left();
}
END_TEST

/* Also those that come before and after the one that overflows. */
START_TEST(an_overflow_freezes_all_if_asked_to)
{
    given_device();
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        if ((int)n == _i) {
            about_to_overflow(n, ON_OVERFLOW_FREEZE);
        } else {
            counting(n, 3, LOOKUP);
        }
    }
    one_lookup();
    ck_assert_uint_eq(reg(freeze_at()), 0xff);
    one_lookup();
    for (unsigned n = 0; n < widest.perf_counters; n++) {
        ck_assert_uint_eq(counted(n), (int)n == _i ? 0 : 1);
    }
    enhanced(ECMD_UNFREEZE, 0);
    one_lookup();
    ck_assert_uint_eq(counted(0), _i == 0 ? 1 : 2);
}
END_TEST

/* Whatever software writes: only counters that exist, only bits that exist. */
START_TEST(random_registers_and_commands_do_no_harm)
{
    GRand *dice = g_rand_new_with_seed(_i);
    given_device();
    for (unsigned i = 0; i < 4000; i++) {
        static const unsigned at[] = { 0x00, 0x04, 0x14, 0x18 };
        unsigned n = g_rand_int_range(dice, 0, 10);
        set_reg32(config_at(n) + at[g_rand_int_range(dice, 0, 4)],
                  g_rand_int(dice) & g_rand_int(dice) & g_rand_int(dice));
        set_reg(counter_at(n), i % 4 ? ~0ull : g_rand_int(dice));
        set_reg32(0x324 + 4 * g_rand_int_range(dice, 0, 2), g_rand_int(dice));
        enhanced(g_rand_int_range(dice, 0xef, 0xf7), n);
        lookup();
        m.first_message = m.messages = 0;
        ck_assert_uint_eq(reg(freeze_at()) >> 8 | reg(overflow_at()) >> 8, 0);
        ck_assert_uint_eq(counted(n) >> WIDTH, 0);
    }
    g_rand_free(dice);
}
END_TEST

/* ---- Reset and migration ------------------------------------------------------------------- */

START_TEST(reset_takes_the_counters_back)
{
    given_device();
    given_message();
    about_to_overflow(0, ON_OVERFLOW_FREEZE);
    counting(1, 3, LOOKUP);
    one_lookup();
    uint64_t cap = reg(0x300), events = reg(events_at(3));
    dmar_reset(m.dmar);
    ck_assert_uint_eq(reg(0x300), cap);
    ck_assert_uint_eq(reg(events_at(3)), events);
    ck_assert_uint_eq(reg(0x448), BITS(53, 48));
    ck_assert_uint_eq(reg(config_at(0)), 0);
    ck_assert_uint_eq(reg(counter_at(1)), 0);
    ck_assert_uint_eq(reg(overflow_at()), 0);
    ck_assert_uint_eq(reg(freeze_at()), 0);
    ck_assert_uint_eq(reg32(0x328), BIT_AT(31));
    ck_assert_uint_eq(reg32(0x32c), 0);
    set_reg(config_at(1), configuration(3, LOOKUP));
    set_root(m.root, TTM_SCALABLE);
    command(GCMD_TE);
    lookup();
    ck_assert_uint_eq(counted(0), 0);
    ck_assert_uint_eq(counted(1), 0);
}
END_TEST

static DmarState state;

START_TEST(counting_goes_on_after_migration)
{
    given_device();
    counting(0, 3, LOOKUP);
    counting(1, 3, LOOKUP);
    lookup();
    enhanced(ECMD_DISABLE_COUNTER, 1);
    dmar_save(m.dmar, &state);
    power_on(&widest);
    ck_assert(dmar_load(m.dmar, &state, NULL));
    lookup();
    ck_assert_uint_eq(counted(0), 4);
    ck_assert_uint_eq(counted(1), 2);
}
END_TEST

START_TEST(a_unit_with_another_number_of_counters_refuses_the_state)
{
    g_autoptr(GError) error = NULL;
    DmarConfig config = widest;
    config.perf_counters = 3;
    power_on(&widest);
    dmar_save(m.dmar, &state);
    power_on(&config);
    ck_assert(!dmar_load(m.dmar, &state, &error));
    ck_assert(g_error_matches(error, DMAR_ERROR, DMAR_ERROR_STATE));
}
END_TEST

static Suite *performance(void)
{
    Suite *s = suite_create("perf");
    int counters = DMAR_MAX_PERF_COUNTERS;
    TCase *t = tests_of(s, "registers");
    tcase_add_loop_test(t, capabilities_are_those_of_the_specification, 1,
                        counters + 1);
    tcase_add_test(t, without_counters_there_are_no_registers);
    tcase_add_loop_test(t, registers_are_there_for_counters_and_for_nothing_else,
                        0, 4);
    tcase_add_test(t, more_counters_than_there_is_room_for_are_refused);
    tcase_add_test(t, offsets_are_aligned_and_blocks_apart);
    tcase_add_loop_test(t, a_counter_s_registers_hold_what_may_be_written, 0,
                        G_N_ELEMENTS(of_counter));
    tcase_add_loop_test(t, a_counter_is_as_wide_as_advertised, 0, counters);
    tcase_add_test(t, an_enabled_counter_s_configuration_is_fixed);
    tcase_add_test(t, an_enabled_counter_may_be_written);
    tcase_add_test(t, events_follow_the_abilities);

    t = tests_of(s, "events");
    tcase_add_test(t, lookups_and_hits_of_the_iotlb_are_counted);
    tcase_add_test(t, a_lookup_that_ends_in_a_fault_is_counted);
    tcase_add_test(t, lookups_and_hits_of_contexts_and_pasids_are_counted);
    tcase_add_test(t,
        a_refused_request_for_the_interrupt_range_is_looked_up_once);
    tcase_add_loop_test(t, hits_of_paging_structures_are_counted_by_level, 0, 64);
    tcase_add_test(t, updates_of_accessed_and_dirty_bits_are_counted);
    tcase_add_test(t, legacy_mode_is_counted_too);
    tcase_add_test(t, reads_of_memory_are_counted);
    tcase_add_test(t, lookups_and_hits_of_interrupts_are_counted);
    tcase_add_test(t, hits_of_posted_interrupts_are_counted_apart);
    tcase_add_test(t, requests_that_are_not_translated_are_not_counted);

    t = tests_of(s, "filters");
    tcase_add_loop_test(t, requests_are_counted_by_their_type, 0, 8);
    tcase_add_test(t, requests_of_every_type_are_counted_without_a_filter);
    tcase_add_loop_test(t, hits_are_counted_by_the_size_of_the_page, 0, 32);

    t = tests_of(s, "states");
    tcase_add_loop_test(t, only_an_enabled_counter_counts, 0, counters);
    tcase_add_test(t, a_frozen_counter_keeps_its_value_and_goes_on);
    tcase_add_test(t, a_counter_enabled_while_frozen_counts_when_unfrozen);
    tcase_add_test(t, a_configuration_reset_stops_counting);

    t = tests_of(s, "overflow");
    tcase_add_loop_test(t, an_overflow_is_noted_and_counting_goes_on, 0,
                        counters);
    tcase_add_test(t, overflow_bits_are_cleared_one_by_one);
    tcase_add_test(t, an_overflow_interrupts_only_if_asked_to);
    tcase_add_test(t, an_overflow_interrupts);
    tcase_add_test(t, every_bit_of_a_message_is_sent);
    tcase_add_test(t, every_overflow_interrupts);
    tcase_add_test(t, a_masked_interrupt_is_pending_until_unmasked);
    tcase_add_test(t, a_pending_interrupt_goes_with_its_status);
    tcase_add_loop_test(t, an_overflow_freezes_all_if_asked_to, 0, counters);

    t = tests_of(s, "hostile");
    tcase_add_loop_test(t, random_registers_and_commands_do_no_harm, 0, 8);

    t = tests_of(s, "reset and migration");
    tcase_add_test(t, reset_takes_the_counters_back);
    tcase_add_test(t, counting_goes_on_after_migration);
    tcase_add_test(t, a_unit_with_another_number_of_counters_refuses_the_state);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(performance(), argc, argv);
}
