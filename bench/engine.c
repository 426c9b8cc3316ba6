/*
 * What the engine costs: translations by how they are found, invalidations by
 * what is cached, attachments by how many there are, devices, and threads.
 *
 *     bench-engine [--quick] [--count] [ROW]...   rows whose name contains a word
 *
 * With --count it is instructions that are measured, of rows and parameters
 * where they are few; under callgrind, see counts.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine_memory.h"
#include "measure.h"

#define DOMAIN      7
#define PASID       0x21
#define NO_PASID    DMAR_NO_PASID
#define BASE        0x2000000000ull
#define TARGET      0x40000000ull

static BenchSpace space;
static BenchKind kind;
static uint32_t pasid;
static uint64_t seed;

static void must(bool done)
{
    if (!done) {
        fprintf(stderr, "bench-engine: a request was refused\n");
        exit(1);
    }
}

/* By a generator of full period. */
static uint64_t random_below(uint64_t end)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 32) * end >> 32;
}

/* All parameters of a row; instructions only of those up to @most_counted,
 * since callgrind takes its time. */
static void measure_all(const char *row, const BenchWork *work,
                        uint64_t most_counted, const uint64_t *parameters,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!bench_options.counting || parameters[i] <= most_counted) {
            bench_measure(row, work, parameters[i]);
        }
    }
}

#define MEASURE_ALL(row, work, most_counted, parameters) \
    measure_all(row, work, most_counted, parameters, G_N_ELEMENTS(parameters))

/* ---- Translations ----------------------------------------------------------- */

/* @pages pages of one space, for PASID and without. */
static void make_pages(uint64_t pages)
{
    space = bench_space(&bench_memory, kind, DOMAIN);
    bench_bind(BENCH_SID, PASID, &space);
    bench_bind(BENCH_SID, BENCH_RID_PASID, &space);
    for (uint64_t i = 0; i < pages; i++) {
        bench_map(&space, BASE + i * BENCH_PAGE, TARGET + i % 512 * BENCH_PAGE);
    }
}

static void read_pages(uint64_t pages)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    for (uint64_t i = 0; i < pages; i++) {
        must(bench_reads(port, pasid, BASE + i * BENCH_PAGE));
    }
}

static void prepare_pages(uint64_t pages)
{
    if (bench_fresh()) {
        make_pages(pages);
    }
    read_pages(pages);
    seed = 0;
}

static void run_hits(uint64_t pages, unsigned long count)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    for (unsigned long i = 0; i < count; i++) {
        must(bench_reads(port, pasid, BASE + random_below(pages) * BENCH_PAGE));
    }
}

static void hits_of(const char *how)
{
    static const uint64_t sets[] = { 1, 16, 2048, 16384, 65536, 262144 };
    const BenchWork work = { prepare_pages, run_hits, 400000, 1000, "pages",
                             .both_ways = true };
    g_autofree char *row = g_strdup_printf("read, %s, %s",
                                           bench_kind_names[kind], how);

    MEASURE_ALL(row, &work, 2048, sets);
}

static void hits(void)
{
    for (kind = 0; kind < BENCH_KINDS; kind++) {
        pasid = PASID;
        hits_of("PASID");
    }
    kind = BENCH_SECOND;
    pasid = NO_PASID;
    hits_of("source-id");
}

/* Pages that were never asked for, so far apart that each needs @levels tables
 * that were not either. */
static uint64_t distance(uint64_t levels)
{
    return BENCH_PAGE << 9 * (levels - 1);
}

static unsigned long first_pages(uint64_t levels)
{
    return MIN(20000, ((1ull << 47) - BASE) / distance(levels));
}

static void prepare_first(uint64_t levels)
{
    if (bench_fresh()) {
        make_pages(0);
        for (unsigned long i = 0; i < first_pages(levels); i++) {
            bench_map(&space, BASE + i * distance(levels), TARGET);
        }
    }
    bench_order(BENCH_GLOBAL, 0, 0, 0);
}

static void run_first(uint64_t levels, unsigned long count)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    for (unsigned long i = 0; i < count; i++) {
        must(bench_reads(port, pasid, BASE + i * distance(levels)));
    }
}

static void first_touches(void)
{
    pasid = PASID;
    for (kind = 0; kind < BENCH_PASS_THROUGH; kind++) {
        g_autofree char *row = g_strdup_printf("first touch, %s",
                                               bench_kind_names[kind]);

        for (uint64_t levels = 1; levels <= 4; levels++) {
            const BenchWork work = { prepare_first, run_first,
                                     first_pages(levels), 200, "levels",
                                     .both_ways = true };

            bench_measure(row, &work, levels);
        }
    }
}

/* ---- Many devices, many PASIDs ------------------------------------------------ */

enum { PAGES_EACH = 16, MOST_PASIDS = (1 << 20) - 1 };

/* Each with a domain and tables of its own. */
static void prepare_devices(uint64_t devices)
{
    bool fresh = bench_fresh();

    for (uint64_t i = 0; fresh && i < devices; i++) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN + i);
        bench_bind(BENCH_SID + i, PASID, &space);
        for (unsigned page = 0; page < PAGES_EACH; page++) {
            bench_map(&space, BASE + page * BENCH_PAGE, TARGET);
        }
    }
    for (uint64_t i = 0; i < devices * PAGES_EACH; i++) {
        must(bench_reads(bench_port(bench_way, BENCH_SID + i / PAGES_EACH),
                         PASID, BASE + i % PAGES_EACH * BENCH_PAGE));
    }
    seed = 0;
}

static void run_devices(uint64_t devices, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        uint64_t n = random_below(devices * PAGES_EACH);
        BenchPort *port = bench_port(bench_way, BENCH_SID + n / PAGES_EACH);

        must(bench_reads(port, PASID, BASE + n % PAGES_EACH * BENCH_PAGE));
    }
}

/* The same page by each. */
static void read_by_pasids(uint64_t pasids)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    for (uint32_t i = 1; i <= pasids; i++) {
        must(bench_reads(port, i, BASE));
    }
}

static void prepare_pasids(uint64_t pasids)
{
    if (bench_fresh()) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        bench_map(&space, BASE, TARGET);
        for (uint32_t i = 1; i <= pasids; i++) {
            bench_bind(BENCH_SID, i, &space);
        }
    }
    read_by_pasids(pasids);
    seed = 0;
}

static void run_pasids(uint64_t pasids, unsigned long count)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    for (unsigned long i = 0; i < count; i++) {
        must(bench_reads(port, 1 + random_below(pasids), BASE));
    }
}

static void many(void)
{
    static const uint64_t devices[] = { 1, 4, 16, 64, 256 };
    static const uint64_t pasids[] = { 1, 64, 1024, 16384, 131072, MOST_PASIDS };
    const BenchWork of_devices = { prepare_devices, run_devices, 400000, 1000,
                                   "devices", .both_ways = true };
    const BenchWork of_pasids = { prepare_pasids, run_pasids, 400000, 1000,
                                  "PASIDs", .both_ways = true };

    MEASURE_ALL("read, devices with a domain each", &of_devices, 64, devices);
    MEASURE_ALL("read, PASIDs in use", &of_pasids, 1024, pasids);
}

/* ---- Invalidations ---------------------------------------------------------- */

static BenchOrder order;

/* The same command over and over. */
static void run_orders(uint64_t cached, unsigned long count)
{
    (void)cached;
    for (unsigned long i = 0; i < count; i++) {
        bench_order(order, DOMAIN, PASID, BASE + i * BENCH_PAGE);
    }
}

/* What was read last is what commands begin with, so that it is there if the
 * caches have not room for all. */
static void read_cached(uint64_t cached)
{
    enum { FIRST = 1024 };

    pasid = PASID;
    prepare_pages(cached);
    read_pages(MIN(cached, FIRST));
}

/* Both end with a command, so that the processor's caches are in the same state:
 * one that drops nothing, ... */
static void prepare_cached(uint64_t cached)
{
    read_cached(cached);
    bench_order(BENCH_DOMAIN, DOMAIN + 1, 0, 0);
}

/* ... one that drops everything. */
static void prepare_dropped(uint64_t dropped)
{
    read_cached(dropped);
    bench_order(BENCH_GLOBAL, 0, 0, 0);
}

static void invalidations_of(unsigned long count)
{
    static const uint64_t cached[] = { 1024, 16384, 262144, 1048576 };
    const unsigned long counted = MIN(count, 100);
    const BenchWork with = { prepare_cached, run_orders, count, counted,
                             "cached", .both_ways = false };
    const BenchWork without = { prepare_dropped, run_orders, count, counted,
                                "dropped", .both_ways = false };
    g_autofree char *row =
        g_strdup_printf("invalidate, %s, %s", bench_order_names[order],
                        bench_kind_names[kind]);

    for (unsigned i = 0; i < G_N_ELEMENTS(cached); i++) {
        measure_all(row, &with, 16384, &cached[i], 1);
        measure_all(row, &without, 16384, &cached[i], 1);
    }
}

static void invalidations(void)
{
    for (order = 0; order < BENCH_ORDERS; order++) {
        bool of_pasid = order == BENCH_PAGE_OF_PASID || order == BENCH_PASID;
        bool repeats = order <= BENCH_PAGE_OF_PASID || order == BENCH_CONTEXT;

        kind = of_pasid ? BENCH_FIRST : BENCH_SECOND;
        invalidations_of(repeats ? 500 : 1);
    }
}

/* ---- Attachments -------------------------------------------------------------- */

static uint32_t next_pasid;

static void attach(BenchPort *port)
{
    bench_bind(BENCH_SID, next_pasid, &space);
    must(bench_reads(port, next_pasid++, BASE));
}

static void prepare_attached(uint64_t attached)
{
    BenchPort *port = bench_port(BENCH_BY_CALL, BENCH_SID);

    if (bench_fresh()) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        bench_map(&space, BASE, TARGET);
        for (next_pasid = 1; next_pasid <= attached; ) {
            attach(port);
        }
    }
}

static void run_attach(uint64_t attached, unsigned long count)
{
    BenchPort *port = bench_port(BENCH_BY_CALL, BENCH_SID);

    (void)attached;
    for (unsigned long i = 0; i < count; i++) {
        attach(port);
    }
}

static void attachments(void)
{
    static const uint64_t attached[] = { 10, 1000, 100000, 1000000 };
    const BenchWork work = { prepare_attached, run_attach, 200, 200, "PASIDs",
                             .both_ways = false };

    MEASURE_ALL("attach and first DMA", &work, 1000, attached);
}

/* ---- Map, DMA, unmap -------------------------------------------------------- */

static void run_round(uint64_t cached, unsigned long count)
{
    BenchPort *port = bench_port(bench_way, BENCH_SID);

    (void)cached;
    for (unsigned long i = 0; i < count; i++) {
        uint64_t iova = BASE / 2 + i % 512 * BENCH_PAGE;

        bench_map(&space, iova, TARGET);
        must(bench_reads(port, pasid, iova));
        bench_unmap(&space, iova);
        bench_order(BENCH_PAGE_OF_DOMAIN, DOMAIN, 0, iova);
    }
}

static void rounds(void)
{
    const BenchWork work = { prepare_cached, run_round, 20000, 0, "cached",
                             .both_ways = true };

    kind = BENCH_SECOND;
    bench_measure("map, read, unmap, invalidate", &work, 16384);
}

/* ---- Threads ------------------------------------------------------------------ */

enum { PER_THREAD = 400000, MOST_THREADS = 4 };

static void *thread_reads(void *data)
{
    BenchPort *port = data;

    for (unsigned long i = 0; i < PER_THREAD / bench_options.scale; i++) {
        must(bench_reads(port, PASID, BASE + i % 64 * BENCH_PAGE));
    }
    return NULL;
}

/* Each is a device of its own. */
static void prepare_threads(uint64_t threads)
{
    if (!bench_fresh()) {
        return;
    }
    space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
    for (unsigned i = 0; i < 64; i++) {
        bench_map(&space, BASE + i * BENCH_PAGE, TARGET);
    }
    for (unsigned i = 0; i < threads; i++) {
        bench_bind(BENCH_SID + i, PASID, &space);
    }
}

/* Nanoseconds of all threads together: with as many cores, 1 / @threads. */
static void run_threads(uint64_t threads, unsigned long count)
{
    GThread *thread[MOST_THREADS];

    (void)count;
    for (unsigned i = 0; i < threads; i++) {
        thread[i] = g_thread_new("reads", thread_reads,
                                 bench_port(bench_way, BENCH_SID + i));
    }
    for (unsigned i = 0; i < threads; i++) {
        g_thread_join(thread[i]);
    }
}

static void threads(void)
{
    for (unsigned n = 1; n <= MIN(MOST_THREADS, g_get_num_processors()); n *= 2) {
        const BenchWork work = { prepare_threads, run_threads, n * PER_THREAD, 0,
                                 "threads", .both_ways = true };

        bench_measure("read, threads", &work, n);
    }
}

int main(int argc, char **argv)
{
    bench_options_read(argc, argv);
    if (!bench_options.counting) {
        bench_engine_memory();
    }
    hits();
    first_touches();
    many();
    invalidations();
    attachments();
    rounds();
    threads();
    return 0;
}
