/*
 * Several threads in one unit.  Two translate, request pages and remap an
 * interrupt; one fills the caches, so that what the others use is evicted; one
 * rewrites tables and invalidates; one reads registers and statistics, takes
 * fault records and page requests, and writes registers of events.
 *
 * What is rewritten is a cell (cells.h).  The rewriting thread publishes a
 * state's number before it writes the entry, and again when the invalidation
 * for it is done.  A request may be answered from any state between what was
 * settled before it was made and what was written after it returned, and from
 * no other; accessed and dirty bits are in the entry that answered, as long as
 * that is there.
 *
 * Built with a thread sanitizer (make tsan) the same program finds accesses
 * that no lock orders.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cells.h"

#include <inttypes.h>

/* PASIDs, by what translates them. */
enum { PLAIN = 0x21, MARKED = 0x23, FIRST, NESTED, FILLED };

#define STEPS       500u
#define ANSWERS_A_STEP  5
#define GUEST       (5 * HUGE)
#define IN_CACHE    (1u << 14)      /* pages that the IOTLB holds */

static Space plain_space, marked, first, second, nested, filled;
static uint64_t requests;           /* the page request queue */
static unsigned answers;            /* so far; atomic */
static unsigned fills;              /* answers to what fills the caches; atomic */
static unsigned done;               /* atomic */

/* ---- Who asks ------------------------------------------------------------------ */

static bool some_state_allows(const Cell *cell, unsigned first_state,
                              unsigned last, uint64_t where)
{
    for (unsigned state = first_state; state <= last; state++) {
        if (cell->kind->allows(cell, state, where)) {
            return true;
        }
    }
    return false;
}

/* What went wrong, or NULL: only the main thread may end the test. */
static char *check_one(const Cell *cell, unsigned salt)
{
    unsigned settled = __atomic_load_n(&cell->settled, __ATOMIC_ACQUIRE);
    Answer answer = cell->kind->ask(cell, salt);
    unsigned last = __atomic_load_n(&cell->written, __ATOMIC_ACQUIRE);

    if (some_state_allows(cell, settled, last, answer.where)) {
        return check_marks(cell, &answer);
    }
    return g_strdup_printf("cell %td (%s) answers %" PRIx64
                           ", which no state of %u .. %u allows",
                           cell - cells, cell->kind->name, answer.where, settled,
                           last);
}

static bool is_done(void)
{
    return __atomic_load_n(&done, __ATOMIC_RELAXED);
}

static void finish(void)
{
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
}

static gpointer translate_all_the_time(gpointer seed)
{
    unsigned salt = GPOINTER_TO_UINT(seed);
    char *wrong = NULL;

    while (!wrong && !is_done()) {
        salt = salt * 1103515245 + 12345;
        wrong = check_one(&cells[(salt >> 16) % cell_count], salt >> 8);
        __atomic_add_fetch(&answers, 1, __ATOMIC_RELAXED);
    }
    finish();
    return wrong;
}

/* ---- Who fills the caches -------------------------------------------------------- */

#define FILLED_TARGET   0x300000000ull

/* All 2^18 regions of 2 MiB lead to one table, through one directory. */
static void given_filled(void)
{
    filled = given_space(DOMAIN + 16, 4);
    for (unsigned i = 0; i < 512; i++) {
        map(&filled, i * PAGE, FILLED_TARGET + i * PAGE, PAGE, RW);
    }
    for (unsigned level = 2; level <= 3; level++) {
        uint64_t table = paging_entry_at(&filled, 0, level);
        for (unsigned i = 1; i < 512; i++) {
            poke(table + 8 * i, peek(table));
        }
    }
}

/* A page in every region in turn, a new one each. */
static gpointer fill_all_the_time(gpointer unused)
{
    char *wrong = NULL;

    for (uint64_t n = 0; !wrong && !is_done(); n++) {
        uint64_t iova = n % (1u << 18) * LARGE + n % 512 * PAGE;
        DmarTranslation t = dma(DMAR_READ, DEV, FILLED, iova);
        if (t.completion != DMAR_SUCCESS ||
            t.addr != FILLED_TARGET + n % 512 * PAGE) {
            wrong = g_strdup_printf("%" PRIx64 " is filled with %" PRIx64
                                    ", reason %02x", iova, t.addr, t.reason);
        }
        __atomic_add_fetch(&fills, 1, __ATOMIC_RELAXED);
    }
    finish();
    return wrong;
}

/* ---- Who reads ----------------------------------------------------------------- */

static void visit(const DmarPasidStats *row, void *count)
{
    ++*(unsigned *)count;
}

static void read_everything_once(void)
{
    uint64_t counts[DMAR_DESCRIPTOR_TYPES];
    unsigned rows = 0;
    DmarState state;

    for (unsigned offset = 0; offset < DMAR_MMIO_SIZE; offset += 8) {
        reg(offset);
    }
    dmar_foreach_pasid(m.dmar, visit, &rows);
    dmar_descriptor_counts(m.dmar, counts);
    dmar_save(m.dmar, &state);
}

static bool may_be_recorded(uint8_t reason)
{
    switch (reason) {
    case FAULT_LEGACY_CONTEXT_NOT_PRESENT:
    case FAULT_LEGACY_READ_DENIED:
    case FAULT_LEGACY_WRITE_DENIED:
        return legacy;
    case FAULT_PASID_ENTRY_NOT_PRESENT:
    case FAULT_FS_NOT_PRESENT:
    case FAULT_SS_NOT_PRESENT:
    case FAULT_WRITE_DENIED:
        return !legacy;
    case FAULT_IR_ENTRY_NOT_PRESENT:
        return true;
    default:
        return false;
    }
}

/* A record that is pending does not change until it is taken. */
static char *take_faults(void)
{
    for (unsigned i = 0; i < m.config.fault_records; i++) {
        uint64_t at = fault_record_at(i), high = reg(at + 8);
        if (!(high & FRCD1_F)) {
            continue;
        }
        if (field_get(high, FRCD1_SID) != DEV ||
            !may_be_recorded(field_get(high, FRCD1_FR)) || reg(at + 8) != high) {
            return g_strdup_printf("record %u is %" PRIx64, i, high);
        }
        set_reg32(at + 12, BIT_AT(31));
    }
    set_reg32(FSTS_REG, FSTS_PFO);
    return NULL;
}

/* What is between head and tail is whole. */
static char *take_page_requests(void)
{
    uint64_t head = reg(PQH_REG), tail = reg(PQT_REG);

    for (; head != tail; head = (head + 32) % PAGE) {
        uint64_t word0 = peek(requests + head), word1 = peek(requests + head + 8);
        if (word0 != (1 | BIT_AT(8) | (uint64_t)DEV << 16 |
                      (uint64_t)SWITCHED << 32) ||
            word1 != (IOVA | 0x155 << 3 | BIT_AT(2) | 1)) {
            return g_strdup_printf("page request %" PRIx64 " %" PRIx64, word0,
                                   word1);
        }
        poke(requests + head, 0);
    }
    set_reg(PQH_REG, head);
    set_reg32(PRS_REG, PRS_PPR | PRS_PRO);
    return NULL;
}

/* Events are masked: registers of their messages are memory. */
static char *write_messages(unsigned salt)
{
    static const unsigned controls[] = { FECTL_REG, IECTL_REG, PECTL_REG };

    for (unsigned i = 0; i < G_N_ELEMENTS(controls); i++) {
        set_reg32(controls[i] + EVENT_UADDR_OFFSET, salt + i);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(controls); i++) {
        if (reg32(controls[i] + EVENT_UADDR_OFFSET) != salt + i) {
            return g_strdup_printf("register %x was written", controls[i]);
        }
    }
    return NULL;
}

static gpointer read_all_the_time(gpointer unused)
{
    uint64_t cap = reg(CAP_REG);
    char *wrong = NULL;

    for (unsigned n = 0; !wrong && !is_done(); n++) {
        g_usleep(200);
        read_everything_once();
        wrong = take_faults();
        wrong = wrong || legacy ? wrong : take_page_requests();
        wrong = wrong ? wrong : write_messages(n);
        if (!wrong && (reg(CAP_REG) != cap || !(reg32(GSTS_REG) & GCMD_TE))) {
            wrong = g_strdup_printf("CAP %" PRIx64 ", GSTS %x", reg(CAP_REG),
                                    reg32(GSTS_REG));
        }
    }
    finish();
    return wrong;
}

/* ---- Who rewrites ---------------------------------------------------------------- */

static void rewrite(unsigned step)
{
    Cell *cell = &cells[step % cell_count];
    unsigned state = cell->written + 1;

    __atomic_store_n(&cell->written, state, __ATOMIC_RELEASE);
    cell->kind->write(cell, state);
    cell->kind->invalidate(cell, state);
    __atomic_store_n(&cell->settled, state, __ATOMIC_RELEASE);
}

/* Steps that nobody looks at in between prove nothing. */
static void wait_for_answers(unsigned count)
{
    unsigned until = __atomic_load_n(&answers, __ATOMIC_RELAXED) + count;

    while (!is_done() && __atomic_load_n(&answers, __ATOMIC_RELAXED) < until) {
        g_usleep(20);
    }
}

static bool caches_overflowed(void)
{
    return __atomic_load_n(&fills, __ATOMIC_RELAXED) > IN_CACHE + IN_CACHE / 4;
}

/* Time for software to change what the unit has just read. */
static void linger(uint64_t addr)
{
    static unsigned reads;          /* by the unit's lock */

    for (unsigned i = 0; i < cell_count; i++) {
        if (cells[i].entry == addr && reads++ % 4 == 0) {
            g_usleep(10);
        }
    }
}

static void run_threads(bool fill)
{
    done = answers = fills = 0;
    m.was_read = linger;
    GThread *threads[] = {
        g_thread_new("translate", translate_all_the_time, GUINT_TO_POINTER(1)),
        g_thread_new("translate", translate_all_the_time, GUINT_TO_POINTER(2)),
        g_thread_new("read", read_all_the_time, NULL),
        fill ? g_thread_new("fill", fill_all_the_time, NULL) : NULL,
    };

    for (unsigned step = 0; !is_done() &&
         (step < STEPS || (fill && !caches_overflowed())); step++) {
        rewrite(step);
        wait_for_answers(ANSWERS_A_STEP);
    }
    finish();
    for (unsigned i = 0; i < G_N_ELEMENTS(threads) && threads[i]; i++) {
        g_autofree char *wrong = g_thread_join(threads[i]);
        ck_assert_msg(!wrong, "%s", wrong);
    }
    executed();
    g_autofree char *wrong = take_faults();
    ck_assert_msg(!wrong, "%s", wrong);
}

/* ---- The machine --------------------------------------------------------------------- */

static void given_pages(const CellKind *kind, uint32_t pasid, const Space *space,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t iova = IOVA + i * PAGE;
        add_cell((Cell) { .kind = kind, .pasid = pasid, .domain = space->domain,
                          .iova = iova,
                          .entry = paging_entry_at(space, iova, 1) });
    }
}

static void given_interrupts(void)
{
    m.remap_table = new_page();
    set_reg(IRTA_REG, m.remap_table | IRTA_EIME | 7);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    add_cell((Cell) { .kind = &interrupt_kind,
                      .entry = m.remap_table + 16 * INDEX });
}

static void given_unit(void)
{
    legacy = false;
    given_scalable(&widest);
    given_context(DEV);
    poke(context_entry_at(DEV), peek(context_entry_at(DEV)) | SCTX0_PRE);
    requests = new_page();
    set_reg(PQA_REG, requests);
    given_spaces(4);
}

static void given_switched(void)
{
    add_cell((Cell) { .kind = &binding_kind, .pasid = SWITCHED, .iova = IOVA,
                      .entry = pasid_entry_at(DEV, SWITCHED) });
}

static void given_second_stages(uint32_t pasid)
{
    plain_space = given_space(DOMAIN, 4);
    given_pasid(DEV, PLAIN, &plain_space);
    given_rid(DEV, &plain_space);
    given_pages(&page_kind, pasid, &plain_space, 4);
    marked = given_space(DOMAIN + 8, 4);
    given_pasid(DEV, MARKED, &marked);
    given_options(DEV, MARKED, WITH_SSADE | WITH_PWSNP);
    given_pages(&marked_page_kind, MARKED, &marked, 2);
}

static void given_first_stages(void)
{
    first = given_first_stage(DOMAIN + 9, 4);
    given_pasid(DEV, FIRST, &first);
    given_pages(&first_stage_kind, FIRST, &first, 2);
}

/* A page of each, and all that the first stage's leads to is mapped to itself. */
static void given_nested_stages(void)
{
    second = given_space(DOMAIN + 10, 4);
    nested = given_nested(&second, 4);
    given_pasid(DEV, NESTED, &nested);
    given_options(DEV, NESTED, WITH_SSADE | WITH_PWSNP);
    given_pages(&nested_first_kind, NESTED, &nested, 1);
    uint64_t base = target_of(&cells[cell_count - 1], 0);
    for (uint64_t at = base; at < base + 32 * LARGE; at += LARGE) {
        map(&second, at, at, LARGE, RW);
    }
    map_fs(&nested, IOVA + LARGE, GUEST, PAGE, USER_RW);
    add_cell((Cell) { .kind = &nested_second_kind, .pasid = NESTED,
                      .domain = second.domain, .iova = IOVA + LARGE,
                      .entry = paging_entry_at(&second, GUEST, 1),
                      .guest = GUEST });
}

START_TEST(threads_of_scalable_mode_see_states_that_software_wrote)
{
    static const uint32_t pasids[] = { PLAIN, NO_PASID };

    given_unit();
    m.by_handle = _i / 2;
    given_second_stages(pasids[_i % 2]);
    given_switched();
    given_interrupts();
    forget_everything();
    run_threads(false);
}
END_TEST

START_TEST(threads_that_set_bits_see_states_that_software_wrote)
{
    given_unit();
    m.by_handle = _i;
    given_first_stages();
    given_nested_stages();
    given_switched();
    forget_everything();
    run_threads(false);
}
END_TEST

START_TEST(threads_see_states_that_software_wrote_though_caches_are_full)
{
    given_unit();
    given_filled();
    given_pasid(DEV, FILLED, &filled);
    given_second_stages(PLAIN);
    given_first_stages();
    given_nested_stages();
    given_switched();
    given_interrupts();
    forget_everything();
    run_threads(true);
    ck_assert_uint_gt(fills, IN_CACHE);
}
END_TEST

START_TEST(threads_of_legacy_mode_see_states_that_software_wrote)
{
    legacy = true;
    given_legacy(&widest);
    given_spaces(4);
    given_interrupts();
    if (_i == 0) {
        plain_space = given_space(DOMAIN, 4);
        given_legacy_context(DEV, 0, &plain_space);
        given_pages(&legacy_page_kind, NO_PASID, &plain_space, 4);
    } else {
        add_cell((Cell) { .kind = &binding_kind, .pasid = NO_PASID, .iova = IOVA,
                          .entry = legacy_context_at(DEV) });
    }
    forget_everything();
    run_threads(false);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("threads");
    TCase *tests = tests_of(suite, "threads");

    tcase_add_loop_test(tests,
        threads_of_scalable_mode_see_states_that_software_wrote, 0, 4);
    tcase_add_loop_test(tests,
        threads_that_set_bits_see_states_that_software_wrote, 0, 2);
    tcase_add_test(tests,
        threads_see_states_that_software_wrote_though_caches_are_full);
    tcase_add_loop_test(tests,
        threads_of_legacy_mode_see_states_that_software_wrote, 0, 2);
    return run_suite(suite, argc, argv);
}
