/*
 * The bench that the adi tests stand on: a machine with an adi, the function's
 * queue open, and the verbs that several test files need.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_ADI_BENCH_H
#define TESTS_QTEST_ADI_BENCH_H

#include "adi-drive.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* Guest memory: the function's queue, then room for tests, then the ADIs'. */
#define BENCH_FUNCTION  (1 * MIB)
#define BENCH_A         (16 * MIB)
#define BENCH_B         (32 * MIB)
#define BENCH_VECTORS   (48 * MIB)
#define BENCH_ADIS      (64 * MIB)
#define BENCH_NOWHERE   0x80000000ull   /* neither memory nor a device */

typedef struct Bench {
    QTestState *qts;
    Adi adi;
    AdiQ fq;                            /* the function's queue */
} Bench;

#define BENCH_SID Q35_SID(0, 4, 0)

/* A machine with @args, which put an adi in slot 4 of the root complex. */
static inline void bench_start(Bench *b, const char *args)
{
    b->qts = q35_start(args);
    adi_open(&b->adi, b->qts, BENCH_SID);
    adi_q_open(&b->fq, &b->adi, ADI_FUNCTION, BENCH_FUNCTION, BENCH_FUNCTION);
}

static inline void bench_start_plain(Bench *b)
{
    bench_start(b, "-device adi,adis=4,addr=0x4");
}

static inline void bench_stop(Bench *b)
{
    qtest_quit(b->qts);
}

/* Bytes that differ from place to place, and with the seed. */
static inline uint8_t bench_byte(uint64_t i, uint32_t seed)
{
    return (i * 2654435761u + seed * 40503u) >> 11;
}

static inline void bench_scribble(Bench *b, uint64_t addr, uint64_t len,
                                  uint32_t seed)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    uint64_t i;

    for (i = 0; i < len; i++) {
        bytes[i] = bench_byte(i, seed);
    }
    qtest_memwrite(b->qts, addr, bytes, len);
}

/* @len bytes at @addr are those that bench_scribble() wrote from @from on. */
static inline void bench_assert_bytes(Bench *b, uint64_t addr, uint64_t len,
                                      uint32_t seed, uint64_t from)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    uint64_t i;

    qtest_memread(b->qts, addr, bytes, len);
    for (i = 0; i < len; i++) {
        if (bytes[i] != bench_byte(from + i, seed)) {
            g_error("byte 0x%" PRIx64 " at 0x%" PRIx64 " is 0x%02x, not 0x%02x",
                    i, addr, bytes[i], bench_byte(from + i, seed));
        }
    }
}

static inline void bench_assert_zero(Bench *b, uint64_t addr, uint64_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    g_autofree uint8_t *zeroes = g_malloc0(len);

    qtest_memread(b->qts, addr, bytes, len);
    g_assert_cmpmem(bytes, len, zeroes, len);
}

/* The record of a descriptor that succeeded. */
static inline void bench_assert_done(const struct adi_completion *record,
                                     uint32_t bytes)
{
    g_assert_cmpuint(record->status, ==, ADI_COMPLETION_DONE);
    g_assert_cmpuint(record->error, ==, ADI_ERR_NONE);
    g_assert_cmpuint(record->why, ==, ADI_WHY_NONE);
    g_assert_cmpuint(record->bytes, ==, bytes);
    g_assert_cmphex(record->fault_addr, ==, 0);
}

/* The record of one that failed. */
static inline void bench_assert_failed(const struct adi_completion *record,
                                       enum adi_error error, enum adi_why why,
                                       uint64_t addr, uint32_t bytes)
{
    g_assert_cmpuint(record->status, ==, ADI_COMPLETION_FAILED);
    g_assert_cmpuint(record->error, ==, error);
    g_assert_cmpuint(record->why, ==, why);
    g_assert_cmphex(record->fault_addr, ==, addr);
    g_assert_cmpuint(record->bytes, ==, bytes);
}

/* The function's queue still does its work. */
static inline void bench_assert_function_works(Bench *b)
{
    struct adi_completion record;

    bench_scribble(b, BENCH_A, 64, 99);
    record = adi_run(&b->fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 64, .src = BENCH_A, .dst = BENCH_B,
    });
    bench_assert_done(&record, 64);
    bench_assert_bytes(b, BENCH_B, 64, 99, 0);
}

/* Fill an unused ring with copies of 1 MiB: work that outlasts the test. */
static inline void bench_load(AdiQ *q, uint64_t src, uint64_t dst)
{
    unsigned n = adi_q_entries(q) - 1, i;
    g_autofree struct adi_desc *descs = g_new0(struct adi_desc, n);

    g_assert_cmpuint(q->tail, ==, 0);
    for (i = 0; i < n; i++) {
        descs[i] = (struct adi_desc) {
            .opcode = ADI_OP_COPY, .len = MIB, .src = src, .dst = dst,
        };
    }
    qtest_memwrite(q->adi->f.qts, q->mem, descs, n * sizeof(*descs));
    q->tail = n;
    adi_ring_doorbell(q);
}

/* It is under load, and gets on with it. */
static inline void bench_assert_goes_on(AdiQ *q)
{
    int64_t end = g_get_monotonic_time() + ADI_TIMEOUT_US;
    uint32_t head = adi_q_readl(q, ADI_Q_HEAD);

    while (adi_q_readl(q, ADI_Q_HEAD) == head) {
        g_assert_cmpuint(adi_q_readl(q, ADI_Q_STATUS), ==, ADI_STATE_BUSY);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

/* Nothing of the queue moves any more. */
static inline void bench_assert_still(AdiQ *q)
{
    uint32_t head = adi_q_readl(q, ADI_Q_HEAD);

    g_usleep(20000);
    g_assert_cmpuint(adi_q_readl(q, ADI_Q_HEAD), ==, head);
}

static inline void bench_vm_stop(Bench *b)
{
    qtest_qmp_assert_success(b->qts, "{ 'execute': 'stop' }");
}

static inline void bench_vm_cont(Bench *b)
{
    qtest_qmp_assert_success(b->qts, "{ 'execute': 'cont' }");
}

/*
 * A test for each element of an array, its path made of @prefix and the
 * element's @field; needs an unsigned i.
 */
#define BENCH_ADD_CASES(prefix, cases, test, format, field)                  \
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {                              \
        g_autofree char *path = g_strdup_printf("/adi/" prefix format,       \
                                                cases[i].field);             \
        qtest_add_data_func(path, &cases[i], test);                          \
    }

#endif /* TESTS_QTEST_ADI_BENCH_H */
