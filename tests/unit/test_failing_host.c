/*
 * A host that fails one access of memory: the first, the second, and so on
 * until there are no more.  What was asked is answered by the place of the
 * failure [VT-d 7.1.3], nothing is kept of it but in caching mode [VT-d 6.1],
 * and the invalidation queue goes on where it stopped [VT-d 6.5.2.11].
 *
 * Untranslated requests have such sweeps beside the tests of their tables,
 * posted interrupts and page requests likewise.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#define DEV     0x0a18
#define PASID   0x55
#define DOMAIN  37
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE)
#define GUEST   (9 * HUGE + 4 * LARGE + 7 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)
#define LEVELS  4
#define MOST    32              /* accesses of a request that is not nested */
#define MSI_ADDR 0x3fee03000ull
#define MSI_DATA 0x0071

typedef enum Kind { LEGACY, SECOND, FIRST, NESTED, KINDS } Kind;

static Kind kind;
static Space space, second;
static bool met[256];               /* reasons of failures, so far */

/* Nothing that a walk would have to set is set, and nothing is cached. */
static void anew(void)
{
    for (unsigned level = 1; kind >= FIRST && level <= LEVELS; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        poke(entry, peek(entry) & ~(BIT_AT(5) | BIT_AT(6)));
        for (unsigned inner = 1; kind == NESTED && inner <= LEVELS; inner++) {
            uint64_t at = second_entry_at(&space, entry, inner);
            poke(at, peek(at) & ~(BIT_AT(8) | BIT_AT(9)));
        }
    }
    for (unsigned level = 1; kind != FIRST && level <= LEVELS; level++) {
        uint64_t iova = kind == NESTED ? GUEST : IOVA;
        uint64_t entry = paging_entry_at(&second, iova, level);
        poke(entry, peek(entry) & ~(BIT_AT(8) | BIT_AT(9)));
    }
    forget_everything();
}

static void given_spaces(void)
{
    second = given_space(DOMAIN, LEVELS);
    map(&second, kind == NESTED ? GUEST : IOVA, TARGET, PAGE, RW);
    if (kind >= FIRST) {
        space = kind == NESTED ? given_nested(&second, LEVELS)
                               : given_first_stage(DOMAIN, LEVELS);
        map_fs(&space, IOVA, kind == NESTED ? GUEST : TARGET, PAGE, USER_RW);
    }
}

static void given_kind(Kind which, bool caching_mode)
{
    DmarConfig config = widest;
    config.caching_mode = caching_mode;
    kind = which;
    memset(met, 0, sizeof(met));
    if (kind == LEGACY) {
        given_legacy(&config);
        given_spaces();
        given_legacy_context(DEV, TT_DEVICE_TLB, &second);
        return;
    }
    given_scalable(&config);
    given_context(DEV);
    given_spaces();
    given_pasid(DEV, PASID, kind == SECOND ? &second : &space);
    given_options(DEV, PASID, WITH_PWSNP | WITH_SSADE);
}

static uint32_t pasid(void)
{
    return kind == LEGACY ? NO_PASID : PASID;
}

/* ---- What may fail ------------------------------------------------------------ */

/* What caching mode keeps of it, by what forgets it. */
typedef enum Kept { NOTHING, CONTEXTS, PASIDS, PAGES } Kept;

#define UR  DMAR_UNSUPPORTED_REQUEST
#define CA  DMAR_COMPLETER_ABORT
#define S0  DMAR_SUCCESS        /* ... that grants nothing */

typedef struct Failure {
    uint8_t reason;
    DmarCompletion answer;      /* to a translation request */
    bool told;                  /* recorded, then */
    Kept kept;
    bool of[KINDS];
} Failure;

static const Failure failures[] = {
    { 0x08, CA, true, CONTEXTS, { [LEGACY] = true } },
    { 0x09, CA, true, CONTEXTS, { [LEGACY] = true } },
    { 0x03, CA, true, PAGES, { [LEGACY] = true } },
    { 0x07, CA, true, PAGES, { [LEGACY] = true } },
    { 0x38, CA, true, CONTEXTS, { false, true, true, true } },
    { 0x40, CA, true, CONTEXTS, { false, true, true, true } },
    { 0x50, CA, true, PASIDS, { false, true, true, true } },
    { 0x58, CA, true, PASIDS, { false, true, true, true } },
    { 0x70, S0, false, NOTHING, { [FIRST] = true, [NESTED] = true } },
    { 0x73, S0, false, NOTHING, { [FIRST] = true, [NESTED] = true } },
    { 0x91, S0, true, NOTHING, { [FIRST] = true, [NESTED] = true } },
    { 0x78, CA, true, PAGES, { [SECOND] = true, [NESTED] = true } },
    { 0x7b, CA, true, PAGES, { [SECOND] = true, [NESTED] = true } },
    { 0x7d, CA, true, NOTHING, { [SECOND] = true, [NESTED] = true } },
};

static const Failure *failure(uint8_t reason)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(failures); i++) {
        if (failures[i].reason == reason && failures[i].of[kind]) {
            met[reason] = true;
            return &failures[i];
        }
    }
    ck_abort_msg("no access may fail with %02x", reason);
}

static void everything_was_met(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(failures); i++) {
        ck_assert_msg(met[failures[i].reason] == failures[i].of[kind], "%02x",
                      failures[i].reason);
    }
}

/* In order: what locates the tables, and each level, where a bit is set before
 * the next is read.  Nested, that depends on what is remembered of tables. */
static unsigned in_order(uint8_t *reasons)
{
    static const uint8_t locate[KINDS][4] = {
        { 0x08, 0x09 }, { 0x38, 0x40, 0x50, 0x58 }, { 0x38, 0x40, 0x50, 0x58 },
    };
    static const uint8_t top[] = { 0x03, 0x7b, 0x73 }, other[] = { 0x07, 0x78, 0x70 },
                         update[] = { 0, 0x7d, 0x91 };
    unsigned n = 0;

    while (n < 4 && locate[kind][n]) {
        reasons[n] = locate[kind][n];
        n++;
    }
    for (unsigned level = LEVELS; level > 0; level--) {
        reasons[n++] = level == LEVELS ? top[kind] : other[kind];
        if (update[kind]) {
            reasons[n++] = update[kind];
        }
    }
    return n;
}

/* The @n-th access, from 1 on, was the last: was it the right one? */
static void failed_in_order(unsigned n, uint8_t reason)
{
    uint8_t reasons[MOST];
    if (kind != NESTED) {
        ck_assert_uint_le(n, in_order(reasons));
        ck_assert_msg(reason == reasons[n - 1], "access %u fails with %02x, "
                      "expected %02x", n, reason, reasons[n - 1]);
    }
}

static void no_more_than(unsigned n)
{
    uint8_t reasons[MOST];
    if (kind != NESTED) {
        ck_assert_uint_eq(n, in_order(reasons));
    }
    everything_was_met();
}

/* ---- Translation requests ------------------------------------------------------ */

static void recorded_is(uint8_t reason, unsigned at, unsigned type)
{
    Fault fault = take_fault();
    ck_assert_msg(fault.recorded, "%02x is not recorded", reason);
    ck_assert_uint_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.sid, DEV);
    ck_assert_uint_eq(fault.with_pasid, kind != LEGACY);
    ck_assert_uint_eq(fault.pasid, kind == LEGACY ? 0 : PASID);
    ck_assert_uint_eq(fault.addr, IOVA);
    ck_assert_uint_eq(fault.at, at);
    ck_assert_uint_eq(fault.type, type);
}

static void answered_by_place(const DmarTranslation *t, const Failure *f)
{
    ck_assert_msg(t->completion == f->answer, "%02x: completion %d", f->reason,
                  t->completion);
    ck_assert(!t->read && !t->write && !t->untranslated_only);
    ck_assert_uint_eq(t->reason, f->reason);
    if (f->told) {
        recorded_is(f->reason, DMAR_TRANSLATION_REQUEST, 2);
    } else {
        no_fault_left();
    }
}

START_TEST(a_translation_request_is_answered_by_the_place_of_the_failure)
{
    given_kind(_i, false);
    for (unsigned n = 1; ; n++) {
        anew();
        fail_access(n);
        DmarTranslation t = ats(DEV, pasid(), IOVA);
        unsigned accesses = m.accesses;
        fail_access(0);
        if (accesses < n) {
            no_more_than(accesses);
            break;
        }
        ck_assert_uint_eq(accesses, n);         /* nothing is done after it */
        failed_in_order(n, t.reason);
        answered_by_place(&t, failure(t.reason));
        ats_grants(DEV, pasid(), IOVA, TARGET, RW);
    }
    ats_grants(DEV, pasid(), IOVA, TARGET, RW);
}
END_TEST

/* ---- Caching mode ---------------------------------------------------------------- */

static void forget(Kept what)
{
    switch (what) {
    case CONTEXTS: execute(context_device(0, DEV, 0)); break;
    case PASIDS: execute(pasid_cache_pasid(0, PASID)); break;
    case PAGES: execute(iotlb_domain(DOMAIN)); break;
    case NOTHING: break;
    }
}

/* All but what it is kept with. */
static void forget_the_rest(Kept what)
{
    for (Kept other = CONTEXTS; other <= PAGES; other++) {
        if (other != what && (kind != LEGACY || other != PASIDS)) {
            forget(other);
        }
    }
}

/* By whatever kind of request, though memory answers. */
static void still_fails(const Failure *f)
{
    write_faults(DEV, pasid(), IOVA, f->reason);
    DmarTranslation t = ats(DEV, pasid(), IOVA);
    answered_by_place(&t, f);
}

static void fails_without_asking_memory(const Failure *f)
{
    m.accesses = 0;
    still_fails(f);
    ck_assert_uint_eq(m.accesses, 0);
}

START_TEST(in_caching_mode_a_failure_is_kept_by_its_place)
{
    given_kind(_i, true);
    for (unsigned n = 1; ; n++) {
        anew();
        fail_access(n);
        DmarTranslation t = dma(DMAR_WRITE, DEV, pasid(), IOVA);
        unsigned accesses = m.accesses;
        fail_access(0);
        if (accesses < n) {
            no_more_than(accesses);
            break;
        }
        const Failure *f = failure(t.reason);
        failed_in_order(n, t.reason);
        ck_assert_int_eq(t.completion, UR);
        recorded_is(t.reason, DMAR_UNTRANSLATED, 0);
        if (f->kept != NOTHING) {
            fails_without_asking_memory(f);
            forget_the_rest(f->kept);
            still_fails(f);
            forget(f->kept);
        }
        both_reach(DEV, pasid(), IOVA, TARGET);
    }
    both_reach(DEV, pasid(), IOVA, TARGET);
}
END_TEST

START_TEST(in_caching_mode_what_a_translation_request_met_is_kept_likewise)
{
    given_kind(_i, true);
    for (unsigned n = 1; ; n++) {
        anew();
        fail_access(n);
        DmarTranslation t = ats(DEV, pasid(), IOVA);
        unsigned accesses = m.accesses;
        fail_access(0);
        if (accesses < n) {
            no_more_than(accesses);
            break;
        }
        const Failure *f = failure(t.reason);
        answered_by_place(&t, f);
        if (f->kept != NOTHING) {
            fails_without_asking_memory(f);
            forget(f->kept);
        }
        both_reach(DEV, pasid(), IOVA, TARGET);
    }
}
END_TEST

/* ---- The invalidation queue -------------------------------------------------------- */

#define BATCH   8u

static Descriptor batch[BATCH];
static uint64_t status;             /* a dword for each of them */

static bool writes(unsigned k)
{
    return k % 3 == 1;
}

static void given_batch(bool narrow)
{
    if (narrow) {
        given_legacy(&widest);
    } else {
        given_scalable(&widest);
    }
    status = new_page();
    set_reg32(FEDATA_REG, MSI_DATA);
    set_reg32(FEADDR_REG, (uint32_t)MSI_ADDR);
    set_reg32(FEUADDR_REG, MSI_ADDR >> 32);
    set_reg32(FECTL_REG, 0);
    for (unsigned k = 0; k < BATCH; k++) {
        batch[k] = writes(k) ? wait_status(status + 4 * k, k + 1)
                 : k % 3 ? iotlb_global() : context_global();
    }
}

/* At the tail, and the doorbell; the index of the first. */
static unsigned submit_batch(void)
{
    unsigned first = reg(IQT_REG) / m.descriptor_size;
    for (unsigned k = 0; k < BATCH; k++) {
        write_descriptor((first + k) % m.queue_entries, batch[k]);
        poke32(status + 4 * k, 0);
    }
    set_reg(IQT_REG, (first + BATCH) % m.queue_entries * m.descriptor_size);
    return first;
}

/* Which descriptor the @n-th access, from 1 on, is for: to fetch it, or to write
 * its status; BATCH if there are less. */
static unsigned descriptor_of(unsigned n, bool *fetch)
{
    for (unsigned k = 0; k < BATCH; k++) {
        for (unsigned write = 0; write <= writes(k); write++) {
            if (--n == 0) {
                *fetch = !write;
                return k;
            }
        }
    }
    return BATCH;
}

/* Descriptors below @end were executed, but the status of @but is missing. */
static void were_executed(unsigned end, unsigned but)
{
    for (unsigned k = 0; k < BATCH; k++) {
        unsigned value = k < end && writes(k) && k != but ? k + 1 : 0;
        ck_assert_uint_eq(peek32(status + 4 * k), value);
    }
}

static void counted_since(const uint64_t *before, unsigned end)
{
    uint64_t now[DMAR_DESCRIPTOR_TYPES], expected[DMAR_DESCRIPTOR_TYPES] = { 0 };
    dmar_descriptor_counts(m.dmar, now);
    for (unsigned k = 0; k < end; k++) {
        expected[batch[k].word[0] & 0xf]++;
    }
    for (unsigned type = 1; type < DMAR_DESCRIPTOR_TYPES; type++) {
        ck_assert_uint_eq(now[type] - before[type], expected[type]);
    }
}

static void stands_at(unsigned index)
{
    ck_assert_uint_eq(reg32(FSTS_REG) & 0xff, FSTS_IQE);
    ck_assert_uint_eq(reg(IQERCD_REG), IQEI_FETCH);
    ck_assert_uint_eq(reg(IQH_REG), index % m.queue_entries * m.descriptor_size);
    message_sent(MSI_ADDR, MSI_DATA);
}

START_TEST(a_batch_goes_on_where_a_fetch_failed)
{
    uint64_t before[DMAR_DESCRIPTOR_TYPES];
    bool fetch = false;
    given_batch(_i);
    for (unsigned n = 1; ; n++) {
        dmar_descriptor_counts(m.dmar, before);
        fail_access(n);
        unsigned first = submit_batch(), k = descriptor_of(n, &fetch);
        unsigned accesses = m.accesses;
        fail_access(0);
        ck_assert_uint_eq(accesses < n, k == BATCH);
        if (k < BATCH && fetch) {
            ck_assert_uint_eq(accesses, n);
            stands_at(first + k);
            were_executed(k, BATCH);
            counted_since(before, k);
            set_reg32(FSTS_REG, FSTS_IQE);
        }
        executed();
        were_executed(BATCH, k < BATCH && !fetch ? k : BATCH);
        counted_since(before, BATCH);
        no_message_left();
        if (k == BATCH) {
            break;
        }
    }
}
END_TEST

/* ... and is fetched anew: software may have put another there. */
START_TEST(what_could_not_be_fetched_is_fetched_again)
{
    given_batch(_i);
    fail_access(1);
    unsigned first = submit_batch();
    fail_access(0);
    stands_at(first);
    write_descriptor(first, wait_status(status, 0x77));
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
    ck_assert_uint_eq(peek32(status), 0x77);
}
END_TEST

START_TEST(a_fetch_that_fails_again_stops_the_queue_again)
{
    given_batch(_i);
    fail_access(2);
    unsigned first = submit_batch();
    fail_access(0);
    stands_at(first + 1);
    for (unsigned times = 0; times < 3; times++) {
        fail_access(1);
        set_reg32(FSTS_REG, FSTS_IQE);
        fail_access(0);
        stands_at(first + 1);
    }
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
    ck_assert_uint_eq(peek32(status + 4 * 7), 8);
}
END_TEST

START_TEST(a_status_that_cannot_be_written_keeps_no_interrupt_back)
{
    given_batch(_i);
    Descriptor d = wait_status(status, 5);
    d.word[0] |= BIT_AT(4);
    fail_access(2);
    execute(d);
    fail_access(0);
    ck_assert_uint_eq(peek32(status), 0);
    ck_assert_uint_eq(reg32(ICS_REG), ICS_IWC);
    ck_assert(reg32(IECTL_REG) & EVENT_CTL_IP);
    set_reg32(ICS_REG, ICS_IWC);
}
END_TEST

START_TEST(nor_one_that_waited_for_a_device)
{
    given_batch(_i);
    Descriptor d = wait_status(status, 5);
    d.word[0] |= BIT_AT(4) | BIT_AT(6);
    m.device_tlb_silent = true;
    submit(device_tlb(DEV, IOVA, false));
    submit(d);
    submit(wait_status(status + 4, 6));
    ck_assert_uint_eq(reg32(ICS_REG), 0);
    fail_access(1);
    dmar_device_tlb_completed(m.dmar, DEV, 1u << m.device_tlb_itag[0], 1);
    fail_access(0);
    executed();
    ck_assert_uint_eq(peek32(status), 0);
    ck_assert_uint_eq(peek32(status + 4), 6);
    ck_assert_uint_eq(reg32(ICS_REG), ICS_IWC);
    ck_assert_uint_eq(reg32(FSTS_REG) & 0xff, 0);
    set_reg32(ICS_REG, ICS_IWC);
}
END_TEST

static Suite *failing_host(void)
{
    Suite *s = suite_create("failing host");
    TCase *t = tests_of(s, "translation requests");
    tcase_add_loop_test(t,
        a_translation_request_is_answered_by_the_place_of_the_failure, 0, KINDS);

    t = tests_of(s, "caching mode");
    tcase_add_loop_test(t, in_caching_mode_a_failure_is_kept_by_its_place, 0,
                        KINDS);
    tcase_add_loop_test(t,
        in_caching_mode_what_a_translation_request_met_is_kept_likewise, 0, KINDS);

    t = tests_of(s, "queue");
    tcase_add_loop_test(t, a_batch_goes_on_where_a_fetch_failed, 0, 2);
    tcase_add_loop_test(t, what_could_not_be_fetched_is_fetched_again, 0, 2);
    tcase_add_loop_test(t, a_fetch_that_fails_again_stops_the_queue_again, 0, 2);
    tcase_add_loop_test(t, a_status_that_cannot_be_written_keeps_no_interrupt_back,
                        0, 2);
    tcase_add_loop_test(t, nor_one_that_waited_for_a_device, 0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(failing_host(), argc, argv);
}
