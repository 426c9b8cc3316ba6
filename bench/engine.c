/*
 * What the engine costs: translations by how they are found, invalidations by
 * what is cached, attachments by how many there are, and threads.
 *
 *     engine [--quick] [ROW]...       rows whose name contains a word
 *
 * One line a measurement, fields separated by tabs: row, what the
 * parameter counts, parameter, "engine", "ns", and an operation's nanoseconds for each repetition.
 * Operations of one repetition are timed together.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machine.h"

#define DOMAIN      7
#define PASID       0x21
#define NO_PASID    DMAR_NO_PASID
#define BASE        0x2000000000ull
#define TARGET      0x40000000ull
#define MOST        15          /* repetitions */

static unsigned repetitions = 9;
static unsigned long scale = 1;         /* --quick: fewer operations */
static char **words;
static int word_count;

/* ---- Time ----------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void print(const char *row, const char *by, uint64_t parameter,
                  const double *ns)
{
    printf("%s\t%s\t%" PRIu64 "\tengine\tns", row, by, parameter);
    for (unsigned i = 0; i < repetitions; i++) {
        printf("\t%.2f", ns[i]);
    }
    printf("\n");
    fflush(stdout);
}

static bool wanted(const char *row)
{
    for (int i = 0; i < word_count; i++) {
        if (strstr(row, words[i])) {
            return true;
        }
    }
    return word_count == 0;
}

/* Something to time: @count operations, after a preparation that is not. */
typedef struct Work {
    void (*prepare)(uint64_t parameter);
    void (*run)(uint64_t parameter, unsigned long count);
    unsigned long count;
    const char *by;             /* what the parameter counts */
} Work;

static void measure(const char *row, const Work *work, uint64_t parameter)
{
    double ns[MOST];
    unsigned long count = MAX(work->count / scale, 1);

    if (!wanted(row)) {
        return;
    }
    bench_power_on();
    for (unsigned i = 0; i < repetitions; i++) {
        uint64_t start;

        if (work->prepare) {
            work->prepare(parameter);
        }
        if (i == 0) {
            work->run(parameter, count);
            if (work->prepare) {
                work->prepare(parameter);
            }
        }
        start = now();
        work->run(parameter, count);
        ns[i] = (double)(now() - start) / count;
    }
    print(row, work->by, parameter, ns);
    bench_power_off();
}

/* ---- Translations ----------------------------------------------------------- */

static BenchSpace space;
static BenchKind kind;
static uint32_t pasid;
static unsigned long seed;

static void must(bool done)
{
    if (!done) {
        fprintf(stderr, "engine: a request was refused\n");
        exit(1);
    }
}

/* @pages pages of one space, for PASID and without. */
static void prepare_pages(uint64_t pages)
{
    static unsigned prepared;

    if (prepared != bench_machines) {
        space = bench_space(&bench_memory, kind, DOMAIN);
        bench_bind(BENCH_SID, PASID, &space);
        bench_bind(BENCH_SID, BENCH_RID_PASID, &space);
        for (uint64_t i = 0; i < pages; i++) {
            bench_map(&space, BASE + i * BENCH_PAGE, TARGET + i % 512 * BENCH_PAGE);
        }
        prepared = bench_machines;
    }
    for (uint64_t i = 0; i < pages; i++) {
        must(bench_reads(BENCH_SID, pasid, BASE + i * BENCH_PAGE));
    }
}

/* Random among them, by a generator of full period. */
static void run_hits(uint64_t pages, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        must(bench_reads(BENCH_SID, pasid,
                         BASE + (seed >> 33) % pages * BENCH_PAGE));
    }
}

static void hits(void)
{
    static const uint64_t sets[] = { 1, 16, 256, 2048, 16384, 65536, 262144 };
    const Work work = { prepare_pages, run_hits, 400000, "pages" };

    for (kind = 0; kind < BENCH_KINDS; kind++) {
        for (unsigned with = 0; with < 2; with++) {
            g_autofree char *row =
                g_strdup_printf("read, %s, %s", bench_kind_names[kind],
                                with ? "PASID" : "source-id");

            pasid = with ? PASID : NO_PASID;
            for (unsigned i = 0; i < G_N_ELEMENTS(sets); i++) {
                measure(row, &work, sets[i]);
            }
        }
    }
}

/* Pages that were never asked for: one in each @parameter bytes. */
static uint64_t next_page;

static void prepare_first(uint64_t parameter)
{
    next_page = BASE;
    prepare_pages(0);
    for (uint64_t i = 0; i < 20000; i++) {
        bench_map(&space, BASE + i * parameter, TARGET);
    }
    bench_order(BENCH_GLOBAL, 0, 0, 0);
}

static void run_first(uint64_t parameter, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        must(bench_reads(BENCH_SID, pasid, next_page));
        next_page += parameter;
    }
    next_page = BASE;
    bench_order(BENCH_GLOBAL, 0, 0, 0);
}

static void first_touches(void)
{
    const Work work = { prepare_first, run_first, 20000, "bytes apart" };

    pasid = PASID;
    for (kind = 0; kind < BENCH_PASS_THROUGH; kind++) {
        g_autofree char *row = g_strdup_printf("first touch, %s",
                                               bench_kind_names[kind]);

        measure(row, &work, BENCH_PAGE);
        measure(row, &work, 512 * BENCH_PAGE);
    }
}

/* ---- Invalidations ---------------------------------------------------------- */

static BenchOrder order;

/* The same command over and over, with what it drops brought in again: timed
 * without that, by running as many commands after each filling as it stands. */
static void run_orders(uint64_t cached, unsigned long count)
{
    (void)cached;
    for (unsigned long i = 0; i < count; i++) {
        bench_order(order, DOMAIN, PASID, BASE + i * BENCH_PAGE);
    }
}

/* More than any cache holds, of which some are not there any more. */
static void prepare_cached(uint64_t cached)
{
    pasid = PASID;
    prepare_pages(cached);
}

static void invalidations(void)
{
    static const uint64_t cached[] = { 0, 1024, 16384, 262144, 1048576 };

    for (order = 0; order < BENCH_ORDERS; order++) {
        for (kind = BENCH_SECOND; kind <= BENCH_FIRST; kind++) {
            bool selective = order <= BENCH_PAGE_OF_PASID;
            g_autofree char *row =
                g_strdup_printf("invalidate, %s, %s", bench_order_names[order],
                                bench_kind_names[kind]);
            const Work work = { prepare_cached, run_orders,
                                selective || order == BENCH_CONTEXT ? 500 : 1,
                                "cached" };

            for (unsigned i = 0; i < G_N_ELEMENTS(cached); i++) {
                measure(row, &work, cached[i]);
            }
        }
    }
}

/* ---- Attachments -------------------------------------------------------------- */

static uint32_t next_pasid;

static void prepare_attached(uint64_t attached)
{
    static unsigned prepared;

    if (prepared != bench_machines) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        bench_map(&space, BASE, TARGET);
        next_pasid = 1;
        prepared = bench_machines;
        while (next_pasid <= attached) {
            bench_bind(BENCH_SID, next_pasid, &space);
            must(bench_reads(BENCH_SID, next_pasid++, BASE));
        }
    }
}

static void run_attach(uint64_t attached, unsigned long count)
{
    (void)attached;
    for (unsigned long i = 0; i < count; i++) {
        bench_bind(BENCH_SID, next_pasid, &space);
        must(bench_reads(BENCH_SID, next_pasid++, BASE));
    }
}

static void attachments(void)
{
    static const uint64_t attached[] = { 10, 1000, 100000, 1000000 };
    const Work work = { prepare_attached, run_attach, 200, "PASIDs" };

    for (unsigned i = 0; i < G_N_ELEMENTS(attached); i++) {
        measure("attach and first DMA", &work, attached[i]);
    }
}

/* ---- Map, DMA, unmap -------------------------------------------------------- */

static void run_round(uint64_t cached, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        uint64_t iova = BASE / 2 + i % 512 * BENCH_PAGE;

        bench_map(&space, iova, TARGET);
        must(bench_reads(BENCH_SID, pasid, iova));
        bench_unmap(&space, iova);
        bench_order(BENCH_PAGE_OF_DOMAIN, DOMAIN, 0, iova);
    }
    (void)cached;
}

static void rounds(void)
{
    const Work work = { prepare_cached, run_round, 20000, "cached" };

    kind = BENCH_SECOND;
    measure("map, read, unmap, invalidate", &work, 16384);
}

/* ---- Threads ------------------------------------------------------------------ */

enum { PER_THREAD = 400000 };

static void *thread_reads(void *data)
{
    uint16_t sid = BENCH_SID + GPOINTER_TO_UINT(data);

    for (unsigned long i = 0; i < PER_THREAD / scale; i++) {
        must(bench_reads(sid, PASID, BASE + i % 64 * BENCH_PAGE));
    }
    return NULL;
}

static void prepare_threads(uint64_t threads)
{
    static unsigned prepared;

    if (prepared != bench_machines) {
        space = bench_space(&bench_memory, BENCH_SECOND, DOMAIN);
        for (unsigned i = 0; i < 64; i++) {
            bench_map(&space, BASE + i * BENCH_PAGE, TARGET);
        }
        prepared = bench_machines;
    }
    for (unsigned i = 0; i < threads; i++) {
        bench_bind(BENCH_SID + i, PASID, &space);
    }
}

/* Nanoseconds of all threads together: with as many cores, 1 / @threads. */
static void run_threads(uint64_t threads, unsigned long count)
{
    GThread *thread[8];

    (void)count;
    for (unsigned i = 0; i < threads; i++) {
        thread[i] = g_thread_new("reads", thread_reads, GUINT_TO_POINTER(i));
    }
    for (unsigned i = 0; i < threads; i++) {
        g_thread_join(thread[i]);
    }
}

static void threads(void)
{
    for (unsigned n = 1; n <= 2; n++) {
        const Work work = { prepare_threads, run_threads, n * PER_THREAD,
                            "threads" };

        measure("read, threads", &work, n);
    }
}

int main(int argc, char **argv)
{
    words = argv + 1;
    word_count = argc - 1;
    if (word_count && !strcmp(words[0], "--quick")) {
        scale = 10;
        repetitions = 3;
        words++;
        word_count--;
    }
    hits();
    first_touches();
    invalidations();
    attachments();
    rounds();
    threads();
    return 0;
}
