/*
 * What the adi refuses and how it fails: descriptors and rings that make no
 * sense, memory that does not answer, and what its owner can do afterwards.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-bench.h"

/* ---- Descriptors that make no sense -------------------------------------- */

static const struct BadDescriptor {
    const char *name;
    enum adi_error error;
    struct adi_desc desc;
} bad_descriptors[] = {
    { "unknown-opcode", ADI_ERR_OPCODE, { .opcode = 5 } },
    { "last-opcode", ADI_ERR_OPCODE, { .opcode = 255 } },
    { "unknown-flag", ADI_ERR_FIELD, { .flags = 0x08 } },
    { "reserved-short", ADI_ERR_FIELD, { .reserved0 = 1 } },
    { "reserved-first", ADI_ERR_FIELD, { .reserved1 = { 1, 0, 0 } } },
    { "reserved-last", ADI_ERR_FIELD, { .reserved1 = { 0, 0, 1ull << 63 } } },
    { "nop-with-length", ADI_ERR_FIELD, { .len = 1 } },
    { "copy-of-nothing", ADI_ERR_FIELD,
      { ADI_OP_COPY, .src = BENCH_A, .dst = BENCH_B } },
    { "copy-too-long", ADI_ERR_FIELD,
      { ADI_OP_COPY, .src = BENCH_A, .dst = BENCH_B,
        .len = (1 << ADI_LEN_ORDER_MAX) + 1 } },
    { "longest-length", ADI_ERR_FIELD,
      { ADI_OP_FILL, .dst = BENCH_B, .len = UINT32_MAX } },
    { "copy-onto-itself", ADI_ERR_FIELD,
      { ADI_OP_COPY, .src = BENCH_A, .dst = BENCH_A, .len = 64 } },
    { "copy-overlaps-above", ADI_ERR_FIELD,
      { ADI_OP_COPY, .src = BENCH_A, .dst = BENCH_A + 63, .len = 64 } },
    { "copy-overlaps-below", ADI_ERR_FIELD,
      { ADI_OP_COPY, .src = BENCH_A + 63, .dst = BENCH_A, .len = 64 } },
    { "source-wraps", ADI_ERR_FIELD,
      { ADI_OP_CRC32C, .src = UINT64_MAX - 62, .len = 64 } },
    { "destination-wraps", ADI_ERR_FIELD,
      { ADI_OP_FILL, .dst = UINT64_MAX - 62, .len = 64 } },
};

static void test_bad_descriptor(const void *data)
{
    const struct BadDescriptor *c = data;
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, 4096, 1);
    adi_post(&b.fq, &c->desc);
    adi_wait_error(&b.fq, c->error, 0);
    record = adi_record(&b.fq, 0);
    bench_assert_failed(&record, c->error, ADI_WHY_NONE, 0, 0);
    bench_assert_bytes(&b, BENCH_A, 4096, 1, 0);
    adi_clear_error(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_crooked_record(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_put(&b.fq, &(struct adi_desc) {
        .flags = ADI_DESC_COMPLETION, .completion = BENCH_A + 16,
    });
    adi_ring_doorbell(&b.fq);
    adi_wait_error(&b.fq, ADI_ERR_FIELD, 0);
    bench_assert_zero(&b, BENCH_A, 64);
    bench_stop(&b);
}

/* ---- Rings that make no sense -------------------------------------------- */

static const struct BadRing {
    const char *name;
    uint64_t base;
    uint32_t order;
} bad_rings[] = {
    { "order-0", BENCH_FUNCTION, 0 },
    { "order-16", BENCH_FUNCTION, 16 },
    { "order-huge", BENCH_FUNCTION, 0xffffffff },
    { "base-crooked", BENCH_FUNCTION + 32, 6 },
    { "end-wraps", UINT64_MAX - 63, 1 },
};

static void test_bad_ring(const void *data)
{
    const struct BadRing *c = data;
    Bench b;

    bench_start_plain(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    adi_q_writeq(&b.fq, ADI_Q_RING_BASE, c->base);
    adi_q_writel(&b.fq, ADI_Q_RING_ORDER, c->order);
    adi_q_writel(&b.fq, ADI_Q_CTRL, ADI_Q_CTRL_START);
    adi_wait_error(&b.fq, ADI_ERR_RING, 0);
    g_assert_cmphex(adi_q_readl(&b.fq, ADI_Q_CTRL), ==, 0);
    /* Not started: what was wrong can be put right. */
    adi_q_writeq(&b.fq, ADI_Q_RING_BASE, BENCH_FUNCTION);
    adi_q_writel(&b.fq, ADI_Q_RING_ORDER, 6);
    adi_clear_error(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_tail_beyond_the_ring(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_q_writel(&b.fq, ADI_Q_TAIL, 64);
    adi_wait_error(&b.fq, ADI_ERR_RING, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, 0);
    adi_clear_error(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* ---- Memory that does not answer ----------------------------------------- */

static void test_read_fails(void)
{
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 64, .src = BENCH_NOWHERE, .dst = BENCH_B,
    });
    adi_wait_error(&b.fq, ADI_ERR_READ, 0);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_ERROR_ADDR), ==, BENCH_NOWHERE);
    record = adi_record(&b.fq, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_UNSUPPORTED_REQUEST,
                        BENCH_NOWHERE, 0);
    bench_stop(&b);
}

static void test_write_fails(void)
{
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 64, .dst = BENCH_NOWHERE,
    });
    adi_wait_error(&b.fq, ADI_ERR_WRITE, 0);
    record = adi_record(&b.fq, 0);
    bench_assert_failed(&record, ADI_ERR_WRITE, ADI_WHY_UNSUPPORTED_REQUEST,
                        BENCH_NOWHERE, 0);
    bench_stop(&b);
}

/* From the last 100 bytes of memory on: what was there has been copied. */
static void test_fails_half_way(void)
{
    const uint64_t src = Q35_RAM_SIZE - 100;
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, src, 100, 1);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 4096, .src = src, .dst = BENCH_B,
    });
    adi_wait_error(&b.fq, ADI_ERR_READ, 0);
    record = adi_record(&b.fq, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_UNSUPPORTED_REQUEST,
                        Q35_RAM_SIZE, 100);
    bench_assert_bytes(&b, BENCH_B, 100, 1, 0);
    bench_assert_zero(&b, BENCH_B + 100, 3996);
    bench_stop(&b);
}

/* A difference before the failing address is an answer all the same. */
static void test_compare_before_failure(void)
{
    const uint64_t src = Q35_RAM_SIZE - 100;
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    qtest_memset(b.qts, src + 50, 1, 1);
    record = adi_run(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COMPARE, .len = 4096, .src = src, .dst = BENCH_B,
    });
    bench_assert_done(&record, 50);
    g_assert_cmpuint(record.result, ==, 51);
    bench_stop(&b);
}

static void test_record_fails(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_put(&b.fq, &(struct adi_desc) {
        .flags = ADI_DESC_COMPLETION, .completion = BENCH_NOWHERE,
    });
    adi_ring_doorbell(&b.fq);
    adi_wait_error(&b.fq, ADI_ERR_COMPLETION, 0);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_ERROR_ADDR), ==, BENCH_NOWHERE);
    bench_stop(&b);
}

static void test_fetch_fails(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    adi_q_writeq(&b.fq, ADI_Q_RING_BASE, BENCH_NOWHERE);
    adi_q_writel(&b.fq, ADI_Q_CTRL, ADI_Q_CTRL_START);
    adi_q_writel(&b.fq, ADI_Q_TAIL, 1);
    adi_wait_error(&b.fq, ADI_ERR_FETCH, 0);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_ERROR_ADDR), ==, BENCH_NOWHERE);
    bench_stop(&b);
}

/* Its own registers are not memory: no harm, and it says so. */
static void test_dma_into_itself(void)
{
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, 4096, 1);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 4096, .src = BENCH_A,
        .dst = b.adi.control,
    });
    adi_wait_error(&b.fq, ADI_ERR_WRITE, 0);
    adi_clear_error(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* ---- Errors and what comes after ----------------------------------------- */

static void post_good_bad_good(Bench *b)
{
    adi_put(&b->fq, &(struct adi_desc) { });
    adi_put(&b->fq, &(struct adi_desc) { .opcode = 99 });
    adi_put(&b->fq, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 64, .dst = BENCH_A, .operand = 1,
    });
    adi_ring_doorbell(&b->fq);
    adi_wait_error(&b->fq, ADI_ERR_OPCODE, 1);
}

static void test_error_stops(void)
{
    Bench b;

    bench_start_plain(&b);
    post_good_bad_good(&b);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 1);
    bench_assert_still(&b.fq);
    bench_assert_zero(&b, BENCH_A, 64);
    bench_stop(&b);
}

static void test_clear_error_goes_on(void)
{
    Bench b;

    bench_start_plain(&b);
    post_good_bad_good(&b);
    adi_clear_error(&b.fq);
    adi_wait_done(&b.fq);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 3);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A), ==, 1);
    bench_stop(&b);
}

static void test_clear_error_and_stop(void)
{
    Bench b;

    bench_start_plain(&b);
    post_good_bad_good(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, ADI_Q_CTRL_CLEAR_ERROR);
    adi_wait_done(&b.fq);
    bench_assert_zero(&b, BENCH_A, 64);
    adi_q_start(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* Started again without clearing: the error stays, and skips nothing later. */
static void test_start_does_not_clear(void)
{
    Bench b;

    bench_start_plain(&b);
    post_good_bad_good(&b);
    adi_q_start(&b.fq);
    adi_wait_error(&b.fq, ADI_ERR_OPCODE, 1);
    adi_post(&b.fq, &(struct adi_desc) { });
    adi_clear_error(&b.fq);
    adi_wait_done(&b.fq);
    g_assert_cmpuint(adi_record(&b.fq, 0).status, ==, ADI_COMPLETION_DONE);
    bench_stop(&b);
}

static void test_clear_without_error(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_clear_error(&b.fq);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 0);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_failure_tests(void)
{
    qtest_add_func("/adi/bad/crooked-record-address", test_crooked_record);
    qtest_add_func("/adi/ring/tail-beyond-is-refused",
                   test_tail_beyond_the_ring);
    qtest_add_func("/adi/fail/read", test_read_fails);
    qtest_add_func("/adi/fail/write", test_write_fails);
    qtest_add_func("/adi/fail/half-way-says-how-far", test_fails_half_way);
    qtest_add_func("/adi/fail/compare-answers-before-failure",
                   test_compare_before_failure);
    qtest_add_func("/adi/fail/record", test_record_fails);
    qtest_add_func("/adi/fail/fetch", test_fetch_fails);
    qtest_add_func("/adi/fail/dma-into-itself", test_dma_into_itself);
    qtest_add_func("/adi/error/stops-the-queue", test_error_stops);
    qtest_add_func("/adi/error/cleared-skips-what-failed",
                   test_clear_error_goes_on);
    qtest_add_func("/adi/error/cleared-and-stopped", test_clear_error_and_stop);
    qtest_add_func("/adi/error/not-cleared-by-start",
                   test_start_does_not_clear);
    qtest_add_func("/adi/error/clearing-nothing-does-nothing",
                   test_clear_without_error);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    add_failure_tests();
    BENCH_ADD_CASES("bad/", bad_descriptors, test_bad_descriptor, "%s", name);
    BENCH_ADD_CASES("ring/refused-", bad_rings, test_bad_ring, "%s", name);
    return g_test_run();
}
