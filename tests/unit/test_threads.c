/*
 * Several threads in one unit: two translate (and remap an interrupt), one
 * rewrites tables and invalidates, one reads registers and statistics.
 *
 * What is rewritten is a cell: a paging entry, a PASID-table or context entry,
 * an interrupt entry.  A cell goes through numbered states, and each state
 * has an answer of its own, so that an answer tells which state it came from.
 * The rewriting thread publishes a state's number before it writes the entry,
 * and again when the invalidation for it is done.  A request may be answered
 * from any state between what was settled before it was made and what was
 * written after it returned, and from no other.
 *
 * Built with a thread sanitizer (make tsan) the same program finds accesses
 * that no lock orders.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <inttypes.h>

#define DEV         0x0a18
#define PASID       0x21
#define SWITCHED    0x22        /* its PASID entry is what changes */
#define INDEX       5
#define DOMAIN      7
#define IOVA        0x40000000ull
#define TARGETS     0x100000000ull
#define PAGES       4
#define SPACES      3           /* that an entry is switched among */
#define STEPS       500u
#define ANSWERS_A_STEP  5

typedef struct Cell Cell;

typedef struct CellKind {
    void (*write)(const Cell *cell, unsigned state);
    void (*invalidate)(const Cell *cell, unsigned state);
    /* Does this answer come from this state? */
    bool (*allows)(const Cell *cell, unsigned state, uint64_t answer);
    uint64_t (*ask)(const Cell *cell, unsigned salt);
} CellKind;

struct Cell {
    const CellKind *kind;
    uint32_t pasid;
    uint64_t iova;
    uint64_t entry;
    unsigned written, settled;  /* numbers of states; atomic */
};

/* An answer is an address, or this and the reason of a refusal. */
#define REFUSED     (1ull << 63)

static Cell cells[PAGES + 2];
static unsigned cell_count;
static Space space, spaces[SPACES];
static bool legacy;
static unsigned answers;        /* so far; atomic */
static unsigned done;           /* atomic */

static bool is_absent(unsigned state)
{
    return state % 4 == 3;
}

/* ---- A page -------------------------------------------------------------------- */

static uint64_t target_of(unsigned state)
{
    return TARGETS + state * PAGE;
}

static void write_page(const Cell *cell, unsigned state)
{
    poke(cell->entry, is_absent(state) ? 0 : target_of(state) | RW);
}

static void invalidate_page(const Cell *cell, unsigned state)
{
    switch (state % 3) {
    case 0: submit(iotlb_page(DOMAIN, cell->iova, 0, ONLY_LEAVES)); break;
    case 1: submit(iotlb_domain(DOMAIN)); break;
    case 2: submit(iotlb_global()); break;
    }
}

static bool page_allows(const Cell *cell, unsigned state, uint64_t answer)
{
    return is_absent(state) ? answer & REFUSED : answer == target_of(state);
}

static uint64_t ask_dma(const Cell *cell, unsigned salt)
{
    DmarTranslation t = dma(salt % 2 ? DMAR_READ : DMAR_WRITE, DEV, cell->pasid,
                            cell->iova + salt % PAGE);
    return t.completion == DMAR_SUCCESS ? t.addr - salt % PAGE
                                        : REFUSED | t.reason;
}

static const CellKind page_kind = {
    write_page, invalidate_page, page_allows, ask_dma,
};

/* ---- A PASID entry, or in legacy mode a context entry -------------------------------- */

/* As software has to: a present entry becomes absent before it is another. */
static bool is_unbound(unsigned state)
{
    return state % 2 == 1;
}

static unsigned space_of(unsigned state)
{
    return state / 2 % SPACES;
}

static void write_binding(const Cell *cell, unsigned state)
{
    const Space *to = &spaces[space_of(state)];
    if (is_unbound(state)) {
        poke(cell->entry, peek(cell->entry) & ~1ull);
    } else if (legacy) {
        given_legacy_context(DEV, 0, to);
    } else {
        given_pasid(DEV, cell->pasid, to);
    }
}

/* Nothing was cached of an absent entry. */
static void invalidate_binding(const Cell *cell, unsigned state)
{
    uint16_t domain = spaces[space_of(state)].domain;
    if (is_unbound(state)) {
        submit(legacy ? context_device(domain, DEV, 0)
                      : pasid_cache_pasid(domain, cell->pasid));
        submit(iotlb_domain(domain));
    }
}

static bool binding_allows(const Cell *cell, unsigned state, uint64_t answer)
{
    return is_unbound(state) ? answer & REFUSED
                             : answer == target_of(space_of(state));
}

static const CellKind binding_kind = {
    write_binding, invalidate_binding, binding_allows, ask_dma,
};

/* ---- An interrupt entry --------------------------------------------------------- */

static void write_interrupt(const Cell *cell, unsigned state)
{
    poke(cell->entry, is_absent(state) ? 0 : (uint64_t)state << 32 | 1);
}

static void invalidate_interrupt(const Cell *cell, unsigned state)
{
    submit(state % 2 ? interrupt_index(INDEX, 0) : interrupt_global());
}

static bool interrupt_allows(const Cell *cell, unsigned state, uint64_t answer)
{
    return is_absent(state) ? answer & REFUSED : answer == state;
}

static uint64_t ask_interrupt(const Cell *cell, unsigned salt)
{
    DmarInterruptRequest request = {
        .source_id = DEV, .addr = 0xfee00010 | INDEX << 5, .size = 4,
        .is_write = true,
    };
    DmarInterrupt out;
    DmarInterruptVerdict verdict = dmar_remap_interrupt(m.dmar, &request, &out);
    return verdict == DMAR_INTERRUPT_REMAPPED ? out.destination
                                              : REFUSED | out.reason;
}

static const CellKind interrupt_kind = {
    write_interrupt, invalidate_interrupt, interrupt_allows, ask_interrupt,
};

/* ---- The threads ------------------------------------------------------------------- */

static void add_cell(const CellKind *kind, uint32_t pasid, uint64_t iova,
                     uint64_t entry)
{
    Cell *cell = &cells[cell_count++];
    *cell = (Cell) { .kind = kind, .pasid = pasid, .iova = iova, .entry = entry };
    kind->write(cell, 0);
}

static bool some_state_allows(const Cell *cell, unsigned first, unsigned last,
                              uint64_t answer)
{
    for (unsigned state = first; state <= last; state++) {
        if (cell->kind->allows(cell, state, answer)) {
            return true;
        }
    }
    return false;
}

/* What went wrong, or NULL: only the main thread may end the test. */
static char *check_one(const Cell *cell, unsigned salt)
{
    unsigned first = __atomic_load_n(&cell->settled, __ATOMIC_ACQUIRE);
    uint64_t answer = cell->kind->ask(cell, salt);
    unsigned last = __atomic_load_n(&cell->written, __ATOMIC_ACQUIRE);

    if (some_state_allows(cell, first, last, answer)) {
        return NULL;
    }
    return g_strdup_printf("cell %td answers %" PRIx64
                           ", which no state of %u .. %u allows",
                           cell - cells, answer, first, last);
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

static void forget_faults(void)
{
    for (unsigned i = 0; i < m.config.fault_records; i++) {
        set_reg32(fault_record_at(i) + 12, BIT_AT(31));
    }
    set_reg32(FSTS_REG, FSTS_PFO);
}

static gpointer read_all_the_time(gpointer unused)
{
    uint64_t cap = reg(CAP_REG);
    char *wrong = NULL;

    while (!wrong && !is_done()) {
        g_usleep(200);
        read_everything_once();
        forget_faults();
        if (reg(CAP_REG) != cap || !(reg32(GSTS_REG) & GCMD_TE)) {
            wrong = g_strdup_printf("CAP %" PRIx64 ", GSTS %x", reg(CAP_REG),
                                    reg32(GSTS_REG));
        }
    }
    finish();
    return wrong;
}

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

static void run_threads(void)
{
    done = answers = 0;
    GThread *threads[] = {
        g_thread_new("translate", translate_all_the_time, GUINT_TO_POINTER(1)),
        g_thread_new("translate", translate_all_the_time, GUINT_TO_POINTER(2)),
        g_thread_new("read", read_all_the_time, NULL),
    };

    for (unsigned step = 0; step < STEPS && !is_done(); step++) {
        rewrite(step);
        wait_for_answers(ANSWERS_A_STEP);
    }
    finish();
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree char *wrong = g_thread_join(threads[i]);
        ck_assert_msg(!wrong, "%s", wrong);
    }
    executed();
    forget_faults();
}

/* ---- The machine --------------------------------------------------------------------- */

static void given_spaces(unsigned levels)
{
    cell_count = 0;
    space = given_space(DOMAIN, levels);
    for (unsigned i = 0; i < SPACES; i++) {
        spaces[i] = given_space(DOMAIN + 1 + i, levels);
        map(&spaces[i], IOVA, target_of(i), PAGE, RW);
    }
}

static void given_pages(uint32_t pasid)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t iova = IOVA + i * PAGE;
        add_cell(&page_kind, pasid, iova, paging_entry_at(&space, iova, 1));
    }
}

static void given_interrupts(void)
{
    m.remap_table = new_page();
    set_reg(IRTA_REG, m.remap_table | IRTA_EIME | 7);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    add_cell(&interrupt_kind, NO_PASID, 0, m.remap_table + 16 * INDEX);
}

START_TEST(threads_of_scalable_mode_see_states_that_software_wrote)
{
    static const uint32_t pasids[] = { PASID, NO_PASID };

    legacy = false;
    given_scalable(&widest);
    given_context(DEV);
    given_spaces(4);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    given_pages(pasids[_i]);
    add_cell(&binding_kind, SWITCHED, IOVA, pasid_entry_at(DEV, SWITCHED));
    given_interrupts();
    forget_everything();
    run_threads();
}
END_TEST

START_TEST(threads_of_legacy_mode_see_states_that_software_wrote)
{
    legacy = true;
    given_legacy(&widest);
    given_spaces(4);
    given_interrupts();
    if (_i == 0) {
        given_legacy_context(DEV, 0, &space);
        given_pages(NO_PASID);
    } else {
        add_cell(&binding_kind, NO_PASID, IOVA, legacy_context_at(DEV));
    }
    forget_everything();
    run_threads();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("threads");
    TCase *tests = tests_of(suite, "threads");

    tcase_add_loop_test(tests, threads_of_scalable_mode_see_states_that_software_wrote, 0, 2);
    tcase_add_loop_test(tests, threads_of_legacy_mode_see_states_that_software_wrote, 0, 2);
    return run_suite(suite, argc, argv);
}
