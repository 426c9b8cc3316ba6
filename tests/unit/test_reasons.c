/*
 * Every reason of a DMA fault [VT-d 7.1.3, Table 30]: a row says how it is
 * raised, how each kind of request is answered, and which entries with an FPD
 * bit were met until then.  Page requests have tests of their own.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#define DEV     0x0230
#define PASID   0x55            /* in the same directory entry as RID_PASID */
#define DOMAIN  37
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE)
#define GUEST   (9 * HUGE + 4 * LARGE + 7 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)
#define ADDRESS 0x000ffffffffff000ull

typedef enum Kind { SECOND, FIRST, NESTED, PASS, LEGACY } Kind;

/* Entries that can be damaged. */
typedef enum Place {
    NOTHING, ROOT, CONTEXT, DIRECTORY, PASID_ENTRY,
    FS_LEVEL_1, FS_LEVEL_2, FS_LEVEL_4, SS_LEVEL_1, SS_LEVEL_2,
    SS_OF_FS_LEVEL_1, SS_OF_FS_LEVEL_4,     /* leaves that map those tables */
} Place;

/* Entries with an FPD bit, in the order in which they are met. */
typedef enum Met { NONE_MET, CONTEXT_MET, DIRECTORY_MET, ENTRY_MET } Met;

/* Success that grants nothing is S0, what is left is EFF. */
typedef enum Answer { NA, UR, CA, S0, S0_REPORTED, EFF } Answer;

typedef struct Row {
    uint8_t reason;
    Kind kind;
    Met met;
    bool unqualified;
    /* Untranslated, translation, translated: without PASID and with. */
    Answer answer[6];
    Place place;
    unsigned word;
    uint64_t clear, set;
    void (*damage)(void);
    DmarRequest request;        /* what differs from a write to IOVA */
} Row;

static Space space, second;

/* ---- Damage ------------------------------------------------------------------------ */

static void reserved_mode(void)
{
    set_root(m.root, 2);
}

static void abort_mode(void)
{
    set_root(m.root, TTM_ABORT);
}

static void root_nowhere(void)
{
    set_root(NOWHERE, (reg(RTADDR_REG) >> 10) & 3);
}

static void always_lose(void)
{
    m.lose_exchanges = UINT32_MAX;
    m.intruding_bits = BIT_AT(52);
}

static void large_directory(void)
{
    poke(context_entry_at(DEV), peek(context_entry_at(DEV)) | 7 << 9);
}

static void set_field(unsigned word, uint64_t clear, uint64_t set)
{
    static const uint32_t pasids[] = { PASID, RID_PASID };
    for (unsigned i = 0; i < G_N_ELEMENTS(pasids); i++) {
        uint64_t addr = pasid_entry_at(DEV, pasids[i]) + 8 * word;
        poke(addr, (peek(addr) & ~clear) | set);
    }
}

/* 39 bits: the second stage begins a level lower. */
static void short_second(void)
{
    set_field(0, 7 << 2 | ADDRESS, 1 << 2 | (peek(second.root) & ADDRESS));
}

/* The second stage is walked first, to find the first stage's tables. */
static void no_snooping(void)
{
    set_field(1, BIT_AT(23), 0);
}

static void always_lose_snooped(void)
{
    set_field(1, 0, BIT_AT(23));
    always_lose();
}

/* ---- Rows: [VT-d 7.1.3] ------------------------------------------------------------- */

#define ALL_UR      { UR, UR, UR, UR, UR, UR }
#define ATS_CA      { UR, UR, CA, CA, UR, UR }
/* Translated requests do not get so far. */
#define PASID_S0    { UR, UR, S0, S0 }
#define PASID_CA    { UR, UR, CA, CA }
#define LEGACY_UR   { UR, NA, UR, NA, UR }
#define LEGACY_CA   { UR, NA, CA, NA, UR }

#define ENTRY(where, ...)   .place = where, __VA_ARGS__

static const Row rows[] = {
    /* Legacy mode */
    { 0x08, LEGACY, NONE_MET, true, LEGACY_CA, .damage = root_nowhere },
    { 0x01, LEGACY, NONE_MET, true, LEGACY_UR, ENTRY(ROOT, .clear = 1) },
    { 0x0a, LEGACY, NONE_MET, true, LEGACY_CA, ENTRY(ROOT, .set = 2) },
    { 0x09, LEGACY, NONE_MET, true, LEGACY_CA,
      ENTRY(ROOT, .clear = ADDRESS, .set = NOWHERE) },
    { 0x02, LEGACY, CONTEXT_MET, false, LEGACY_UR, ENTRY(CONTEXT, .clear = 1) },
    { 0x0b, LEGACY, CONTEXT_MET, false, LEGACY_CA, ENTRY(CONTEXT, .set = 16) },
    { 0x03, LEGACY, CONTEXT_MET, false, LEGACY_CA,
      ENTRY(CONTEXT, .word = 1, .set = 7) },
    { 0x03, LEGACY, CONTEXT_MET, false, LEGACY_CA, ENTRY(CONTEXT, .set = 12) },
    { 0x03, LEGACY, CONTEXT_MET, false, { UR, NA, CA },
      ENTRY(CONTEXT, .clear = ADDRESS, .set = NOWHERE) },
    { 0x0d, LEGACY, CONTEXT_MET, false, { NA, NA, UR, NA, UR },
      ENTRY(CONTEXT, .clear = 4) },
    { 0x07, LEGACY, CONTEXT_MET, false, { UR, NA, CA },
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE) },
    { 0x0c, LEGACY, CONTEXT_MET, false, { UR, NA, CA },
      ENTRY(SS_LEVEL_2, .set = BIT_AT(62)) },
    { 0x04, LEGACY, CONTEXT_MET, false, { UR, NA, S0 },
      .request = { .addr = BIT_AT(48) } },
    { 0x04, LEGACY, CONTEXT_MET, false, { NA, NA, NA, NA, UR },
      .request = { .addr = BIT_AT(46) } },
    { 0x05, LEGACY, CONTEXT_MET, false, { UR, NA, EFF },
      ENTRY(SS_LEVEL_1, .clear = 2) },
    { 0x05, LEGACY, CONTEXT_MET, false, { UR }, ENTRY(SS_LEVEL_1, .clear = 3) },
    { 0x06, LEGACY, CONTEXT_MET, false, { UR, NA, EFF },
      ENTRY(SS_LEVEL_1, .clear = 1), .request = { .access = DMAR_READ } },
    { 0x06, LEGACY, CONTEXT_MET, false, { UR, NA, S0 },
      ENTRY(SS_LEVEL_1, .clear = 3), .request = { .access = DMAR_READ } },
    { 0x0e, LEGACY, CONTEXT_MET, false, { UR, NA, CA },
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee00000) },
    { 0x0e, LEGACY, CONTEXT_MET, false, { NA, NA, NA, NA, UR },
      .request = { .addr = 0xfee00000 } },

    /* The mode */
    { 0x30, SECOND, NONE_MET, true, ATS_CA, .damage = reserved_mode },
    { 0x31, LEGACY, NONE_MET, true, { NA, UR, NA, UR, NA, UR } },
    { 0x33, SECOND, NONE_MET, true, ALL_UR, .damage = abort_mode },

    { 0x34, SECOND, NONE_MET, true, { NA, UR, NA, UR, NA, UR },
      .request = { .access = DMAR_READ, .execute = true } },

    /* Root and context entries */
    { 0x38, SECOND, NONE_MET, true, ATS_CA, .damage = root_nowhere },
    { 0x39, SECOND, NONE_MET, true, ALL_UR, ENTRY(ROOT, .clear = 1) },
    { 0x3a, SECOND, NONE_MET, true, ATS_CA, ENTRY(ROOT, .set = 2) },
    { 0x40, SECOND, NONE_MET, true, ATS_CA,
      ENTRY(ROOT, .clear = ADDRESS, .set = NOWHERE) },
    { 0x41, SECOND, CONTEXT_MET, false, ALL_UR, ENTRY(CONTEXT, .clear = 1) },
    { 0x42, SECOND, CONTEXT_MET, false, ATS_CA,
      ENTRY(CONTEXT, .set = BIT_AT(8)) },
    { 0x43, SECOND, CONTEXT_MET, false, ATS_CA,
      ENTRY(CONTEXT, .clear = BIT_AT(2), .set = BIT_AT(4)) },
    { 0x43, SECOND, CONTEXT_MET, false, ATS_CA,
      ENTRY(CONTEXT, .word = 1, .set = 0x8000) },
    { 0x44, SECOND, CONTEXT_MET, false, { NA, NA, UR, UR, UR, UR },
      ENTRY(CONTEXT, .clear = BIT_AT(2)) },
    { 0x45, SECOND, CONTEXT_MET, false, { NA, UR, NA, UR },
      ENTRY(CONTEXT, .clear = BIT_AT(3)) },
    { 0x46, SECOND, CONTEXT_MET, false, { NA, UR, NA, UR },
      .request = { .pasid = 0x8000 } },
    { 0x48, SECOND, CONTEXT_MET, false, { NA, UR, NA, UR },
      .request = { .pasid = RID_PASID } },
    { 0x49, SECOND, CONTEXT_MET, false, { NA, NA, NA, NA, NA, UR } },
    { 0x89, SECOND, CONTEXT_MET, false, { NA, UR, NA, UR },
      .damage = large_directory, .request = { .pasid = 0x4000 } },

    /* PASID directory and table */
    { 0x50, SECOND, CONTEXT_MET, true, PASID_CA,
      ENTRY(CONTEXT, .clear = ADDRESS, .set = NOWHERE) },
    { 0x51, SECOND, DIRECTORY_MET, false, PASID_S0, ENTRY(DIRECTORY, .clear = 1) },
    { 0x52, SECOND, DIRECTORY_MET, false, PASID_CA, ENTRY(DIRECTORY, .set = 4) },
    { 0x58, SECOND, DIRECTORY_MET, true, PASID_CA,
      ENTRY(DIRECTORY, .clear = ADDRESS, .set = NOWHERE) },
    { 0x59, SECOND, ENTRY_MET, false, PASID_S0, ENTRY(PASID_ENTRY, .clear = 1) },
    { 0x5a, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = BIT_AT(5)) },
    { 0x5b, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = 7 << 6) },
    { 0x5b, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = 7 << 2) },
    { 0x5b, FIRST, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .word = 2, .set = 2 << 2) },
    { 0x5b, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .word = 2, .set = BIT_AT(45)), .damage = short_second },
    { 0x5c, SECOND, ENTRY_MET, false, { NA, UR, NA, S0 },
      .request = { .access = DMAR_READ, .execute = true } },
    { 0x5d, SECOND, ENTRY_MET, false, { NA, UR, NA, S0 },
      .request = { .privileged = true } },
    { 0x5d, FIRST, ENTRY_MET, false, { UR, NA, S0 },
      ENTRY(CONTEXT, .word = 1, .set = BIT_AT(20)) },

    /* First stage */
    { 0x70, FIRST, ENTRY_MET, false, PASID_S0,
      ENTRY(FS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE) },
    { 0x71, FIRST, ENTRY_MET, false, PASID_S0, ENTRY(FS_LEVEL_1, .clear = 1) },
    { 0x71, NESTED, ENTRY_MET, false, PASID_S0, ENTRY(FS_LEVEL_4, .clear = 1) },
    { 0x72, FIRST, ENTRY_MET, false, PASID_S0,
      ENTRY(FS_LEVEL_4, .set = BIT_AT(7)) },
    { 0x73, FIRST, ENTRY_MET, false, PASID_S0,
      ENTRY(PASID_ENTRY, .word = 2, .clear = ADDRESS, .set = NOWHERE) },
    { 0x74, NESTED, ENTRY_MET, false, PASID_S0,
      ENTRY(FS_LEVEL_1, .set = BIT_AT(45)), .damage = short_second },
    { 0x75, NESTED, ENTRY_MET, false, PASID_S0,
      ENTRY(SS_OF_FS_LEVEL_4, .clear = 1) },
    { 0x76, NESTED, ENTRY_MET, false, PASID_S0,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = 1) },
    { 0x77, NESTED, ENTRY_MET, false, PASID_S0,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = 2) },
    { 0x90, FIRST, ENTRY_MET, false, PASID_S0,
      ENTRY(PASID_ENTRY, .word = 1, .clear = BIT_AT(23)) },
    { 0x91, FIRST, ENTRY_MET, false, { UR, UR, S0_REPORTED, S0_REPORTED },
      .damage = always_lose },
    { 0x91, NESTED, ENTRY_MET, false, { UR, UR, S0_REPORTED, S0_REPORTED },
      .damage = always_lose },

    /* Second stage */
    { 0x78, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE) },
    { 0x78, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE) },
    { 0x79, SECOND, ENTRY_MET, false, PASID_S0, ENTRY(SS_LEVEL_1, .clear = 3) },
    { 0x79, NESTED, ENTRY_MET, false, PASID_S0,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = 3) },
    { 0x7a, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_LEVEL_1, .set = BIT_AT(62)) },
    { 0x7a, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_OF_FS_LEVEL_4, .set = BIT_AT(62)) },
    { 0x7b, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .clear = ADDRESS, .set = NOWHERE) },
    { 0x7b, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .clear = ADDRESS, .set = NOWHERE) },
    { 0x7c, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = BIT_AT(9)) },
    { 0x7c, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = BIT_AT(9)), .damage = no_snooping },
    { 0x7d, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(PASID_ENTRY, .set = BIT_AT(9)), .damage = always_lose_snooped },

    /* General */
    { 0x80, FIRST, ENTRY_MET, false, PASID_S0,
      .request = { .addr = BIT_AT(47) } },
    { 0x81, FIRST, ENTRY_MET, false, PASID_S0, ENTRY(FS_LEVEL_2, .clear = 4) },
    { 0x81, NESTED, ENTRY_MET, false, PASID_S0, ENTRY(FS_LEVEL_1, .clear = 4) },
    { 0x83, PASS, ENTRY_MET, false, PASID_S0, .request = { .addr = BIT_AT(46) } },
    { 0x83, PASS, CONTEXT_MET, false, { NA, NA, NA, NA, UR },
      .request = { .addr = BIT_AT(46) } },
    { 0x84, SECOND, ENTRY_MET, false, PASID_S0,
      .request = { .addr = BIT_AT(48) } },
    { 0x85, SECOND, ENTRY_MET, false, { UR, UR, EFF, EFF },
      ENTRY(SS_LEVEL_1, .clear = 2) },
    { 0x85, FIRST, ENTRY_MET, false, { UR, UR, EFF, EFF },
      ENTRY(FS_LEVEL_1, .clear = 2) },
    { 0x85, NESTED, ENTRY_MET, false, { UR, UR, EFF, EFF },
      ENTRY(SS_LEVEL_1, .clear = 2) },
    { 0x86, SECOND, ENTRY_MET, false, { UR, UR, EFF, EFF },
      ENTRY(SS_LEVEL_1, .clear = 1), .request = { .access = DMAR_READ } },
    { 0x86, NESTED, ENTRY_MET, false, { UR, UR, EFF, EFF },
      ENTRY(SS_LEVEL_1, .clear = 1), .request = { .access = DMAR_ATOMIC } },
    { 0x87, SECOND, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee00000) },
    { 0x87, FIRST, ENTRY_MET, false, PASID_CA,
      ENTRY(FS_LEVEL_1, .clear = ADDRESS, .set = 0xfeeff000) },
    { 0x87, NESTED, ENTRY_MET, false, PASID_CA,
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee55000) },
    { 0x87, PASS, ENTRY_MET, false, { NA, UR },
      .request = { .addr = 0xfee00000 } },
    { 0x87, PASS, CONTEXT_MET, false, { NA, NA, NA, NA, UR },
      .request = { .addr = 0xfee00000 } },
};

/* ---- The machine of a row -------------------------------------------------------------- */

static void bind(uint32_t pasid, Kind kind)
{
    if (kind == PASS) {
        given_pass_through(DEV, pasid, DOMAIN);
    } else {
        given_pasid(DEV, pasid, kind == SECOND ? &second : &space);
    }
}

static void given_tables(Kind kind)
{
    second = given_space(DOMAIN, 4);
    if (kind == NESTED) {
        space = given_nested(&second, 4);
        map_fs(&space, IOVA, GUEST, PAGE, USER_RW);
        map(&second, GUEST, TARGET, PAGE, RW);
    } else if (kind == FIRST) {
        space = given_first_stage(DOMAIN, 4);
        map_fs(&space, IOVA, TARGET, PAGE, USER_RW);
    } else {
        map(&second, IOVA, TARGET, PAGE, RW);
    }
}

/* What some reasons need of the unit. */
static DmarConfig config_of(uint8_t reason)
{
    DmarConfig config = widest;
    config.pasid_bits = reason == FAULT_PASID_BEYOND_WIDTH ? 14 : 20;
    config.version = reason == FAULT_EXECUTE_UNKNOWN ? 8 : 0;
    return config;
}

static void given_kind(Kind kind, DmarConfig config)
{
    if (kind == LEGACY) {
        given_legacy(&config);
        given_tables(kind);
        given_legacy_context(DEV, TT_DEVICE_TLB, &second);
        return;
    }
    given_scalable(&config);
    given_tables(kind);
    given_context(DEV);
    bind(PASID, kind);
    bind(RID_PASID, kind);
}

/* Where @place is: one address, or two. */
static unsigned find_place(const Row *row, Place place, uint64_t at[2])
{
    uint64_t guest = row->kind == NESTED ? GUEST : IOVA;
    switch (place) {
    case NOTHING:
        return 0;
    case ROOT:
        at[0] = root_entry_at(DEV);
        break;
    case CONTEXT:
        at[0] = row->kind == LEGACY ? legacy_context_at(DEV)
                                    : context_entry_at(DEV);
        break;
    case DIRECTORY:
        at[0] = directory_entry_at(DEV, PASID);
        break;
    case PASID_ENTRY:
        at[0] = pasid_entry_at(DEV, PASID);
        at[1] = pasid_entry_at(DEV, RID_PASID);
        return 2;
    case FS_LEVEL_1:
    case FS_LEVEL_2:
        at[0] = paging_entry_at(&space, IOVA, place - FS_LEVEL_1 + 1);
        break;
    case FS_LEVEL_4:
        at[0] = paging_entry_at(&space, IOVA, 4);
        break;
    case SS_LEVEL_1:
    case SS_LEVEL_2:
        at[0] = paging_entry_at(&second, guest, place - SS_LEVEL_1 + 1);
        break;
    case SS_OF_FS_LEVEL_1:
    case SS_OF_FS_LEVEL_4:
        at[0] = second_entry_at(&space, paging_entry_at(
                    &space, IOVA, place == SS_OF_FS_LEVEL_1 ? 1 : 4), 1);
        break;
    }
    return 1;
}

static void change(const Row *row, Place place, unsigned word, uint64_t clear,
                   uint64_t set)
{
    uint64_t at[2];
    unsigned count = find_place(row, place, at);
    for (unsigned i = 0; i < count; i++) {
        uint64_t addr = at[i] + 8 * word;
        poke(addr, (peek(addr) & ~clear) | set);
    }
}

static void given_row(const Row *row, Met fpd)
{
    static const Place places[] = { NOTHING, CONTEXT, DIRECTORY, PASID_ENTRY };
    given_kind(row->kind, config_of(row->reason));
    change(row, places[fpd], 0, 0, 2);
    change(row, row->place, row->word, row->clear, row->set);
    if (row->damage) {
        row->damage();
    }
}

/* The @n-th kind of request: as in Row.answer. */
static DmarRequest request_of(const Row *row, unsigned n)
{
    DmarRequest request = row->request;
    request.source_id = DEV;
    request.addr = request.addr ? request.addr : IOVA;
    request.access = request.access != DMAR_READ || row->request.execute ||
        row->reason == 0x86 || row->reason == 0x06 ? request.access : DMAR_WRITE;
    request.type = n / 2;
    request.pasid = n % 2 == 0 ? NO_PASID : request.pasid ? request.pasid : PASID;
    return request;
}

static void answered(const Row *row, unsigned n)
{
    DmarRequest request = request_of(row, n);
    DmarTranslation t;
    switch (row->answer[n]) {
    case NA:
        break;
    case UR:
        request_fails(request, DMAR_UNSUPPORTED_REQUEST, row->reason);
        break;
    case CA:
        request_fails(request, DMAR_COMPLETER_ABORT, row->reason);
        break;
    case S0:
        request_granted_nothing(request, row->reason);
        break;
    case S0_REPORTED:
        request_fails(request, DMAR_SUCCESS, row->reason);
        break;
    case EFF:
        t = ask(request);
        ck_assert_int_eq(t.completion, DMAR_SUCCESS);
        ck_assert(t.read != t.write);
        no_fault_left();
        break;
    }
}

START_TEST(every_reason_is_raised_and_answered_as_it_must_be)
{
    for (unsigned n = 0; n < 6; n++) {
        given_row(&rows[_i], NONE_MET);
        answered(&rows[_i], n);
        answered(&rows[_i], n);
        m.lose_exchanges = 0;
        power_off();
        m.next_page = RAM_BASE;
        memset(m.ram, 0, RAM_SIZE);
    }
}
END_TEST

static bool is_recorded(const Row *row, unsigned n, Met fpd)
{
    Met met = n >= 4 && row->met > CONTEXT_MET ? CONTEXT_MET : row->met;
    if (row->answer[n] == S0 || row->answer[n] == EFF) {
        return false;
    }
    return row->unqualified || fpd == NONE_MET || met < fpd;
}

static void hidden_if_met(const Row *row, unsigned n, Met fpd)
{
    if (row->answer[n] == NA || (row->kind == LEGACY && fpd > CONTEXT_MET)) {
        return;
    }
    given_row(row, fpd);
    DmarTranslation t = ask(request_of(row, n));
    ck_assert_uint_eq(t.reason, row->answer[n] == EFF ? 0 : row->reason);
    Fault fault = take_fault();
    ck_assert_msg(fault.recorded == is_recorded(row, n, fpd),
                  "reason %02x request %u FPD of entry %u: recorded %d",
                  row->reason, n, fpd, fault.recorded);
    no_fault_left();
    m.lose_exchanges = 0;
    power_off();
    m.next_page = RAM_BASE;
    memset(m.ram, 0, RAM_SIZE);
}

START_TEST(an_fpd_bit_hides_what_is_qualified_and_found_behind_it)
{
    for (Met fpd = CONTEXT_MET; fpd <= ENTRY_MET; fpd++) {
        for (unsigned n = 0; n < 6; n++) {
            hidden_if_met(&rows[_i], n, fpd);
        }
    }
}
END_TEST

/* Codes of DMA faults that this unit knows and no row raises. */
START_TEST(no_reason_is_forgotten)
{
    for (unsigned reason = 1; reason < 0xa0; reason++) {
        bool raised = reason == FAULT_PAGE_REQUEST_IN_LEGACY_MODE ||
            reason == FAULT_PAGE_REQUEST_BLOCKED ||
            (reason >= 0x20 && reason < 0x30);      /* of interrupts */
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
            raised = raised || rows[i].reason == reason;
        }
        ck_assert_msg(raised || g_str_equal(dmar_fault_name(reason), "?"),
                      "%02x (%s)", reason, dmar_fault_name(reason));
    }
}
END_TEST

static Suite *reasons(void)
{
    const int all = G_N_ELEMENTS(rows);
    Suite *s = suite_create("reasons");
    TCase *t = tests_of(s, "reasons");
    tcase_add_loop_test(t, every_reason_is_raised_and_answered_as_it_must_be, 0,
                        all);
    tcase_add_loop_test(t, an_fpd_bit_hides_what_is_qualified_and_found_behind_it,
                        0, all);
    tcase_add_test(t, no_reason_is_forgotten);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(reasons(), argc, argv);
}
