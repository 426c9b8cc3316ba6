/*
 * What DMA and invalidations cost through QEMU: without an IOMMU, with an
 * IOMMU region that does nothing, with upstream's intel-iommu, and with ours.
 *
 *     bench-qemu [--quick] [--count] [ROW]...     rows whose name contains a word
 *
 * All machines are up at the same time and are measured in turn, again and
 * again, so that whatever disturbs one disturbs its neighbours as well.  What
 * is timed happens inside of QEMU, in a dma-bench.
 *
 * One line a measurement, fields separated by tabs: row, what the parameter
 * counts, parameter, configuration, unit, and a value for each repetition, an
 * operation's; those of the same place were taken one after the other.
 *
 * With --count it is instructions that are measured, by callgrind, under which
 * QEMU runs then; see counts.h.  Those of the loop around the operations are
 * subtracted.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu_machine.h"

#define MOST            15              /* repetitions */
#define MOST_PARAMETERS 6
#define UPSTREAM_CACHES 1024            /* translations; one more empties it */
#define FILL_BUDGET     200000          /* reads that prepare a repetition */
#define COUNTED_PAGES   4096            /* mapped where instructions are counted */

static unsigned repetitions = 9;
static unsigned long scale = 1;         /* --quick: fewer operations */
static bool counting;                   /* --count: instructions, not time */
static char **words;
static int word_count;

/* ---- Configurations -------------------------------------------------------------- */

#define OURS            "-device intel-iommu-sm"
#define UPSTREAM        "-device intel-iommu,aw-bits=48"

static const BenchConfiguration configurations[] = {
    { "no IOMMU", "", "", BENCH_NO_UNIT, BENCH_PASS_THROUGH },
    { "region, no-op", "", ",noop-iommu=on", BENCH_NO_UNIT, BENCH_PASS_THROUGH },
    { "upstream legacy", UPSTREAM, "", BENCH_LEGACY, BENCH_SECOND,
      .upstream = true },
    { "upstream scalable", UPSTREAM ",x-scalable-mode=on", "", BENCH_SCALABLE,
      BENCH_SECOND, .upstream = true },
    { "second stage", OURS, "", BENCH_SCALABLE, BENCH_SECOND, .by_pasid = true },
    { "first stage", OURS, "", BENCH_SCALABLE, BENCH_FIRST, .by_pasid = true },
    { "nested", OURS, "", BENCH_SCALABLE, BENCH_NESTED, .by_pasid = true },
    { "pass-through", OURS, "", BENCH_SCALABLE, BENCH_PASS_THROUGH,
      .by_pasid = true },
};

#define MACHINES        G_N_ELEMENTS(configurations)

static BenchMachine machines[MACHINES];

/* A machine, and how its device's requests go. */
typedef struct Column {
    BenchMachine *machine;
    bool by_pasid;
    char *name;
} Column;

static Column columns[2 * MACHINES];
static unsigned column_count;

static void add_column(BenchMachine *m, bool by_pasid)
{
    columns[column_count++] = (Column) {
        m, by_pasid,
        g_strdup_printf("%s%s", m->is->name, by_pasid ? ", PASID" : ""),
    };
}

static void start_all(void)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        bench_machine_start(&machines[i], &configurations[i],
                            counting ? COUNTED_PAGES : BENCH_DENSE_PAGES);
        add_column(&machines[i], false);
        if (configurations[i].by_pasid) {
            add_column(&machines[i], true);
        }
    }
}

static void stop_all(void)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        bench_machine_stop(&machines[i]);
    }
    for (unsigned i = 0; i < column_count; i++) {
        g_free(columns[i].name);
    }
}

/* ---- Rows ---------------------------------------------------------------------------- */

/* What a row's parameter counts.  A row of what is cached is measured again
 * with that read and dropped: with nothing cached, but the same in the
 * processor's caches.  So the preparation of both gives a command, which drops
 * nothing or everything. */
typedef enum Parameter { PAGES, CACHED, DROPPED, PASIDS, THREADS } Parameter;

static const char *const parameter_names[] = {
    "pages", "cached", "dropped", "PASIDs", "threads",
};

/* Which configurations a row is for. */
typedef enum Which {
    EVERYONE, NOT_PASS_THROUGH, TRANSLATING, TRANSLATING_SCALABLE, BY_PASID
} Which;

typedef enum Region { DENSE, SPARSE, EMPTY } Region;

/* Commands that depend on the tables' kind. */
#define PAGE_SELECTIVE  BENCH_ORDERS

typedef struct Row {
    const char *name;
    Parameter by;
    Which which;
    enum dma_bench_op op;
    unsigned order;
    uint64_t control;
    Region region;
    uint64_t length, count, rounds;
    bool counted;               /* instructions are, of one round */
    unsigned parameter_count;
    uint64_t parameters[MOST_PARAMETERS];
} Row;

#define READ(bytes)     .op = DMA_BENCH_OP_READ, .length = bytes
#define ORDER(what)     .op = DMA_BENCH_OP_ORDER, .length = 64, .order = what, \
                        .by = CACHED, .control = DMA_BENCH_PREPARE_READ | \
                                                 DMA_BENCH_PREPARE_ORDER
#define FIRST_TOUCH     READ(64), .by = PAGES, .which = NOT_PASS_THROUGH, \
                        .control = DMA_BENCH_PREPARE_ORDER
#define COUNTED         .counted = true
#define NUMBERS(...)    .parameter_count = \
                            G_N_ELEMENTS(((uint64_t[]) { __VA_ARGS__ })), \
                        .parameters = { __VA_ARGS__ }
#define CACHED_NUMBERS  NUMBERS(1024, 16384, 262144)

static const Row rows[] = {
    { "read 64 bytes, hit", READ(64), .control = DMA_BENCH_RANDOM,
      .count = 200000, .rounds = 1, COUNTED, NUMBERS(16) },
    { "read 4 KiB, hit", READ(4096), .control = DMA_BENCH_RANDOM,
      .count = 100000, .rounds = 1, NUMBERS(4) },
    { "read 64 bytes, random", READ(64),
      .control = DMA_BENCH_RANDOM | DMA_BENCH_PREPARE_READ,
      .count = 200000, .rounds = 1,
      NUMBERS(1, 256, 2048, 8192, 16384, 65536) },
    { "first touch, pages in a row", FIRST_TOUCH, .rounds = 50, COUNTED,
      NUMBERS(1024) },
    { "first touch, one in 2 MiB", FIRST_TOUCH, .region = SPARSE, .rounds = 50,
      COUNTED, NUMBERS(1024) },
    { "invalidate page", ORDER(PAGE_SELECTIVE), .which = TRANSLATING,
      .count = 512, .rounds = 20, COUNTED, CACHED_NUMBERS },
    { "invalidate domain", ORDER(BENCH_DOMAIN), .which = TRANSLATING,
      .count = 1, .rounds = 1000, CACHED_NUMBERS },
    { "invalidate PASID", ORDER(BENCH_PASID), .which = TRANSLATING_SCALABLE,
      .count = 1, .rounds = 1000, CACHED_NUMBERS },
    { "invalidate global", ORDER(BENCH_GLOBAL), .which = TRANSLATING,
      .count = 1, .rounds = 1000, CACHED_NUMBERS },
    { "invalidate context of a device", ORDER(BENCH_CONTEXT), .by = PASIDS,
      .which = BY_PASID, .count = 1, .rounds = 1000, NUMBERS(1, 1024) },
    { "map, read 64 bytes, unmap, invalidate page", .op = DMA_BENCH_OP_CYCLE,
      .order = PAGE_SELECTIVE, .by = CACHED, .which = TRANSLATING,
      .control = DMA_BENCH_PREPARE_ORDER, .region = EMPTY, .length = 64, .count = 20000, .rounds = 1,
      NUMBERS(1000, 16384, 262144) },
    { "read 64 bytes, threads", READ(64), .by = THREADS,
      .control = DMA_BENCH_RANDOM, .count = 400000, .rounds = 1, NUMBERS(1, 2) },
};

static bool of_caches(const Row *row)
{
    return row->by == CACHED || row->by == DROPPED;
}

static bool fits(const Row *row, const Column *c, uint64_t parameter)
{
    const BenchConfiguration *is = c->machine->is;

    if (counting && parameter > COUNTED_PAGES) {
        return false;
    }
    if (is->upstream && of_caches(row) && parameter > UPSTREAM_CACHES) {
        return false;
    }
    switch (row->which) {
    case EVERYONE:
        return true;
    case NOT_PASS_THROUGH:
        return is->unit == BENCH_NO_UNIT || is->kind != BENCH_PASS_THROUGH;
    case TRANSLATING:
        return bench_machine_maps(c->machine);
    case TRANSLATING_SCALABLE:
        return bench_machine_maps(c->machine) && is->unit == BENCH_SCALABLE;
    case BY_PASID:
        return bench_machine_maps(c->machine) && c->by_pasid;
    }
    return false;
}

static bool wanted(const Row *row)
{
    if (counting && !row->counted) {
        return false;
    }
    for (int i = 0; i < word_count; i++) {
        if (strstr(row->name, words[i])) {
            return true;
        }
    }
    return word_count == 0;
}

/* ---- One repetition -------------------------------------------------------------------- */

static void set_region(BenchMachine *m, Region region)
{
    static const struct {
        uint64_t base, stride;
    } regions[] = {
        [DENSE] = { BENCH_DENSE, BENCH_PAGE },
        [SPARSE] = { BENCH_SPARSE, BENCH_SPARSE_STRIDE },
        [EMPTY] = { BENCH_EMPTY, BENCH_PAGE },
    };
    bool maps = bench_machine_maps(m);

    bench_set(m, DMA_BENCH_BASE, maps ? regions[region].base : BENCH_DATA);
    bench_set(m, DMA_BENCH_STRIDE, maps ? regions[region].stride : BENCH_PAGE);
}

static void set_order(const Row *row, const Column *c)
{
    static const uint64_t bases[] = { BENCH_DENSE, BENCH_SPARSE, BENCH_EMPTY };
    BenchOrder page = c->machine->is->kind == BENCH_SECOND ?
        BENCH_PAGE_OF_DOMAIN : BENCH_PAGE_OF_PASID;

    bench_set_order(c->machine, row->order == PAGE_SELECTIVE ? page : row->order,
                    c->by_pasid, bases[row->region]);
    if (row->by == CACHED) {
        bench_set_preparation(c->machine, BENCH_DOMAIN, BENCH_NO_DOMAIN);
    } else {
        bench_set_preparation(c->machine, BENCH_GLOBAL, 0);
    }
}

/* How many pages the program knows. */
static uint64_t pages_of(const Row *row, uint64_t parameter)
{
    switch (row->by) {
    case PAGES:
    case PASIDS:
        return parameter;
    case CACHED:
    case DROPPED:
        return row->region == EMPTY ? BENCH_EMPTY_PAGES
                                    : MAX(parameter, row->count);
    case THREADS:
        return 64;
    }
    return 1;
}

static uint64_t control_of(const Row *row, const Column *c)
{
    uint64_t control = row->control;

    if (c->machine->is->unit == BENCH_NO_UNIT) {
        control &= ~DMA_BENCH_PREPARE_ORDER;
    }
    return control | (c->by_pasid ? DMA_BENCH_WITH_PASID : 0);
}

/* Fewer rounds if their preparation is long. */
static uint64_t rounds_of(const Row *row, uint64_t parameter)
{
    uint64_t most = row->control & DMA_BENCH_PREPARE_READ ?
        FILL_BUDGET / (parameter + 1) : row->rounds;

    return counting ? 1 : CLAMP(row->rounds, 1, MAX(most / scale, 1));
}

static uint64_t count_of(const Row *row, uint64_t parameter)
{
    bool many = row->rounds == 1;

    return row->count ? MAX(row->count / (many ? scale : 1), 1) : parameter;
}

/* The instructions that it took, if they are counted. */
static uint64_t run_program(const Column *c, enum dma_bench_op op)
{
    bench_set(c->machine, DMA_BENCH_RUN, op);
    return counting ? bench_counts_next(&c->machine->counts) : 0;
}

/* The caches are as full as they get before a cycle. */
static void fill(const Column *c, uint64_t pages)
{
    BenchMachine *m = c->machine;

    set_region(m, DENSE);
    bench_set(m, DMA_BENCH_CONTROL, c->by_pasid ? DMA_BENCH_WITH_PASID : 0);
    bench_set(m, DMA_BENCH_PAGES, pages);
    bench_set(m, DMA_BENCH_COUNT, pages);
    run_program(c, DMA_BENCH_OP_READ);
}

static void set_program(const Row *row, const Column *c, uint64_t parameter)
{
    BenchMachine *m = c->machine;
    uint64_t pages = pages_of(row, parameter);
    uint64_t count = count_of(row, parameter);

    set_region(m, row->region);
    set_order(row, c);
    bench_set(m, DMA_BENCH_CONTROL, control_of(row, c));
    bench_set(m, DMA_BENCH_ROUNDS, rounds_of(row, parameter));
    bench_set(m, DMA_BENCH_COUNT, count);
    bench_set(m, DMA_BENCH_THREADS, row->by == THREADS ? parameter : 0);
    bench_set(m, DMA_BENCH_PAGES, pages);
    bench_set(m, DMA_BENCH_FIRST,
              row->op == DMA_BENCH_OP_ORDER && count < pages ? pages - count : 0);
}

static void set_defaults(const Row *row, const Column *c, uint64_t parameter)
{
    BenchMachine *m = c->machine;

    bench_set(m, DMA_BENCH_LENGTH, row->length);
    bench_set(m, DMA_BENCH_PASID, BENCH_FIRST_PASID);
    bench_set(m, DMA_BENCH_PASIDS, row->by == PASIDS ? parameter : 1);
    bench_set(m, DMA_BENCH_ROUNDS, 1);
    bench_set(m, DMA_BENCH_FIRST, 0);
    bench_set(m, DMA_BENCH_THREADS, 0);
}

/* In place of what an operation took. */
#define NOT_MEASURED    -1.0
#define DID_NOT_WORK    -2.0

static uint64_t operations_of(const Row *row, uint64_t parameter)
{
    return rounds_of(row, parameter) * count_of(row, parameter) *
           (row->by == THREADS ? parameter : 1);
}

/* What the loop around operations takes. */
static uint64_t instructions_of_loop(const Row *row, const Column *c)
{
    bench_set(c->machine, DMA_BENCH_CONTROL, row->control & DMA_BENCH_RANDOM);
    return run_program(c, DMA_BENCH_OP_NOTHING);
}

/* Nothing is left of what was measured before. */
static void empty(const Column *c)
{
    BenchMachine *m = c->machine;

    bench_set_order(m, BENCH_GLOBAL, c->by_pasid, 0);
    bench_set(m, DMA_BENCH_CONTROL, 0);
    bench_set(m, DMA_BENCH_PAGES, 1);
    bench_set(m, DMA_BENCH_COUNT, 1);
    run_program(c, DMA_BENCH_OP_ORDER);
}

static double run(const Row *row, const Column *c, uint64_t parameter)
{
    uint64_t value;

    set_defaults(row, c, parameter);
    if (of_caches(row)) {
        empty(c);
    }
    if (row->op == DMA_BENCH_OP_CYCLE) {
        fill(c, parameter);
    }
    set_program(row, c, parameter);
    value = run_program(c, row->op);
    if (bench_get(c->machine, DMA_BENCH_FAILED)) {
        return DID_NOT_WORK;
    }
    value = counting ? value - instructions_of_loop(row, c)
                     : bench_get(c->machine, DMA_BENCH_ELAPSED);
    return (double)value / operations_of(row, parameter);
}

/* ---- Measurements ------------------------------------------------------------------------ */

#define MOST_VARIANTS   2

/* Of a place in the table, in each repetition. */
typedef double Values[MOST];

static Values values[MOST_VARIANTS][MOST_PARAMETERS][2 * MACHINES];

static void print(const Row *row, uint64_t parameter, const Column *c,
                  const double *of)
{
    for (unsigned r = 0; r < repetitions; r++) {
        if (of[r] == DID_NOT_WORK) {
            fprintf(stderr, "%s, %s: did not work\n", row->name, c->name);
        }
        if (of[r] < 0) {
            return;
        }
    }
    printf("%s\t%s\t%" PRIu64 "\t%s\t%s", row->name, parameter_names[row->by],
           parameter, c->name, counting ? "instructions" : "ns");
    for (unsigned r = 0; r < repetitions; r++) {
        printf("\t%.2f", of[r]);
    }
    printf("\n");
}

static void repeat(const Row *row, uint64_t parameter, Values *of, unsigned r)
{
    for (unsigned c = 0; c < column_count; c++) {
        of[c][r] = fits(row, &columns[c], parameter) ?
                   run(row, &columns[c], parameter) : NOT_MEASURED;
    }
}

/* The first round warms up, and does not count. */
static void measure_together(const Row *variants, unsigned count)
{
    unsigned places = variants->parameter_count;

    for (int r = -1; r < (int)repetitions; r++) {
        for (unsigned i = 0; i < places * count; i++) {
            unsigned p = i / count, v = i % count;

            repeat(&variants[v], variants[v].parameters[p], values[v][p],
                   MAX(r, 0));
        }
    }
    for (unsigned i = 0; i < places * count; i++) {
        unsigned p = i / count, v = i % count;

        for (unsigned c = 0; c < column_count; c++) {
            print(&variants[v], variants[v].parameters[p], &columns[c],
                  values[v][p][c]);
        }
    }
    fflush(stdout);
}

static void measure(const Row *row)
{
    Row variants[MOST_VARIANTS] = { *row, *row };

    variants[1].by = DROPPED;
    measure_together(variants, row->by == CACHED ? 2 : 1);
}

static void read_option(const char *name)
{
    if (!strcmp(name, "--quick")) {
        scale = 10;
        repetitions = 3;
    } else if (!strcmp(name, "--count")) {
        counting = true;
        scale = 200;
        repetitions = 2;
    } else {
        g_error("no option %s", name);
    }
}

int main(int argc, char **argv)
{
    int i = 1;

    while (i < argc && !strncmp(argv[i], "--", 2)) {
        read_option(argv[i++]);
    }
    words = argv + i;
    word_count = argc - i;
    start_all();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (wanted(&rows[i])) {
            fprintf(stderr, "%s ...\n", rows[i].name);
            measure(&rows[i]);
        }
    }
    stop_all();
    return 0;
}
