/*
 * What the adi's descriptors do: operations, flags, records, interrupts and
 * rings, on the function's own queue, without an IOMMU.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-bench.h"

/* ---- Operations ---------------------------------------------------------- */

static void test_nop(void)
{
    Bench b;
    struct adi_completion record;

    bench_start_plain(&b);
    record = adi_run(&b.fq, &(struct adi_desc) { .opcode = ADI_OP_NOP });
    bench_assert_done(&record, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 1);
    bench_stop(&b);
}

/* Copies of sizes around the places where something could begin or end. */
static const struct CopyCase {
    const char *name;
    uint32_t len;
    uint32_t src_offset, dst_offset;
} copy_cases[] = {
    { "a-byte", 1, 0, 0 },
    { "a-page", 4096, 0, 0 },
    { "a-page-unaligned", 4096, 4095, 1 },
    { "almost-a-turn", 65535, 3, 5 },
    { "one-turn", 65536, 0, 7 },
    { "more-than-a-turn", 65537, 1, 0 },
    { "the-most", 1 << ADI_LEN_ORDER_MAX, 0, 0 },
};

static void test_copy(const void *data)
{
    const struct CopyCase *c = data;
    uint64_t dst = BENCH_B + c->dst_offset;
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A + c->src_offset, c->len, 7);
    record = adi_run(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = c->len,
        .src = BENCH_A + c->src_offset, .dst = dst,
    });
    bench_assert_done(&record, c->len);
    bench_assert_bytes(&b, dst, c->len, 7, 0);
    bench_assert_zero(&b, dst - 1, 1);
    bench_assert_zero(&b, dst + c->len, 1);
    bench_stop(&b);
}

static void test_fill(void)
{
    const uint64_t pattern = 0x8877665544332211ull;
    const uint32_t len = 70003;
    g_autofree uint8_t *bytes = g_malloc(len);
    struct adi_completion record;
    Bench b;
    uint32_t i;

    bench_start_plain(&b);
    record = adi_run(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = len, .dst = BENCH_B + 1,
        .operand = pattern,
    });
    bench_assert_done(&record, len);
    qtest_memread(b.qts, BENCH_B + 1, bytes, len);
    for (i = 0; i < len; i++) {
        g_assert_cmphex(bytes[i], ==, 0x11 * (i % 8 + 1));
    }
    bench_assert_zero(&b, BENCH_B, 1);
    bench_assert_zero(&b, BENCH_B + 1 + len, 1);
    bench_stop(&b);
}

static struct adi_completion compare(Bench *b, uint32_t len)
{
    return adi_run(&b->fq, &(struct adi_desc) {
        .opcode = ADI_OP_COMPARE, .len = len, .src = BENCH_A, .dst = BENCH_B,
    });
}

static void test_compare_equal(void)
{
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, 100000, 3);
    bench_scribble(&b, BENCH_B, 100000, 3);
    record = compare(&b, 100000);
    bench_assert_done(&record, 100000);
    g_assert_cmpuint(record.result, ==, 0);
    bench_stop(&b);
}

static void test_compare_different(void)
{
    static const uint32_t places[] = { 0, 1, 65535, 65536, 99999 };
    struct adi_completion record;
    Bench b;
    unsigned i;

    bench_start_plain(&b);
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        bench_scribble(&b, BENCH_A, 100000, 3);
        bench_scribble(&b, BENCH_B, 100000, 3);
        qtest_writeb(b.qts, BENCH_B + places[i],
                     ~bench_byte(places[i], 3));
        record = compare(&b, 100000);
        bench_assert_done(&record, places[i]);
        g_assert_cmpuint(record.result, ==, 1 + places[i]);
    }
    bench_stop(&b);
}

static uint32_t crc_of(Bench *b, uint64_t src, uint32_t len, uint32_t before)
{
    struct adi_completion record = adi_run(&b->fq, &(struct adi_desc) {
        .opcode = ADI_OP_CRC32C, .len = len, .src = src, .operand = before,
    });

    bench_assert_done(&record, len);
    return record.result;
}

static void test_crc_check_value(void)
{
    Bench b;

    bench_start_plain(&b);
    qtest_memwrite(b.qts, BENCH_A, "123456789", 9);
    g_assert_cmphex(crc_of(&b, BENCH_A, 9, 0), ==, 0xe3069283);
    bench_stop(&b);
}

static void test_crc_goes_on(void)
{
    const uint32_t len = 200001, part = 77777;
    uint32_t whole, parts;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, len, 5);
    whole = crc_of(&b, BENCH_A, len, 0);
    parts = crc_of(&b, BENCH_A, part, 0);
    parts = crc_of(&b, BENCH_A + part, len - part, parts);
    g_assert_cmphex(parts, ==, whole);
    bench_stop(&b);
}

static void test_copy_next_to_itself(void)
{
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, 64, 1);
    record = adi_run(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 64, .src = BENCH_A, .dst = BENCH_A + 64,
    });
    bench_assert_done(&record, 64);
    bench_assert_bytes(&b, BENCH_A + 64, 64, 1, 0);
    bench_stop(&b);
}

/* ---- Flags --------------------------------------------------------------- */

/* Each copies on what the one before it copied. */
static void test_fence(void)
{
    Bench b;
    unsigned i;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, 4096, 11);
    for (i = 0; i < 20; i++) {
        adi_put(&b.fq, &(struct adi_desc) {
            .opcode = ADI_OP_COPY, .flags = ADI_DESC_FENCE, .len = 4096,
            .src = BENCH_A + i * 4096, .dst = BENCH_A + (i + 1) * 4096,
        });
    }
    adi_ring_doorbell(&b.fq);
    adi_wait_done(&b.fq);
    bench_assert_bytes(&b, BENCH_A + 20 * 4096, 4096, 11, 0);
    bench_stop(&b);
}

static void test_no_record_unasked(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_put(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_NOP, .completion = BENCH_A,
    });
    adi_ring_doorbell(&b.fq);
    adi_wait_done(&b.fq);
    bench_assert_zero(&b, BENCH_A, 64);
    bench_stop(&b);
}

static void test_record_stays_in_its_bounds(void)
{
    Bench b;

    bench_start_plain(&b);
    qtest_memset(b.qts, BENCH_A, 0xee, 96);
    adi_put(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_NOP, .flags = ADI_DESC_COMPLETION,
        .completion = BENCH_A + 32,
    });
    adi_ring_doorbell(&b.fq);
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A + 31), ==, 0xee);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A + 32), ==, ADI_COMPLETION_DONE);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A + 63), ==, 0);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A + 64), ==, 0xee);
    bench_stop(&b);
}

static void test_interrupt(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_vector_set(&b.adi, ADI_VECTOR_FUNCTION, BENCH_VECTORS, 0x1234);
    adi_post(&b.fq, &(struct adi_desc) { .opcode = ADI_OP_NOP });
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0);
    adi_post(&b.fq, &(struct adi_desc) { .flags = ADI_DESC_IRQ });
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0x1234);
    bench_stop(&b);
}

static void test_interrupt_needs_leave(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_vector_set(&b.adi, ADI_VECTOR_FUNCTION, BENCH_VECTORS, 0x1234);
    adi_q_writel(&b.fq, ADI_Q_CTRL, ADI_Q_CTRL_START);
    adi_post(&b.fq, &(struct adi_desc) { .flags = ADI_DESC_IRQ });
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0);
    bench_stop(&b);
}

static void test_interrupt_masked(void)
{
    Bench b;
    uint64_t control;

    bench_start_plain(&b);
    adi_vector_set(&b.adi, ADI_VECTOR_FUNCTION, BENCH_VECTORS, 0x1234);
    control = b.adi.msix + PCI_MSIX_ENTRY_VECTOR_CTRL;
    qtest_writel(b.qts, control, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    adi_post(&b.fq, &(struct adi_desc) { .flags = ADI_DESC_IRQ });
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0);
    qtest_writel(b.qts, control, 0);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0x1234);
    bench_stop(&b);
}

static void test_error_interrupts(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_vector_set(&b.adi, ADI_VECTOR_FUNCTION, BENCH_VECTORS, 0x77);
    adi_post(&b.fq, &(struct adi_desc) { .opcode = 0xff });
    adi_wait_error(&b.fq, ADI_ERR_OPCODE, 0);
    g_assert_cmphex(qtest_readl(b.qts, BENCH_VECTORS), ==, 0x77);
    bench_stop(&b);
}

/* ---- Rings --------------------------------------------------------------- */

static void test_ring_wraps(void)
{
    Bench b;
    unsigned i;

    bench_start_plain(&b);
    adi_q_open_order(&b.fq, &b.adi, ADI_FUNCTION, BENCH_FUNCTION,
                     BENCH_FUNCTION, ADI_RING_ORDER_MIN);
    for (i = 0; i < 9; i++) {
        struct adi_completion record = adi_run(&b.fq, &(struct adi_desc) { });

        bench_assert_done(&record, 0);
        g_assert_cmpuint(record.index, ==, i % 2);
    }
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 1);
    bench_stop(&b);
}

static void test_largest_ring(void)
{
    const unsigned last = (1 << ADI_RING_ORDER_MAX) - 1;
    Bench b;

    bench_start_plain(&b);
    adi_q_open_order(&b.fq, &b.adi, ADI_FUNCTION, BENCH_FUNCTION,
                     BENCH_FUNCTION, ADI_RING_ORDER_MAX);
    qtest_memset(b.qts, BENCH_FUNCTION, 0, (last + 1) * sizeof(struct adi_desc));
    adi_q_writel(&b.fq, ADI_Q_TAIL, last);
    adi_wait_done(&b.fq);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, last);
    bench_stop(&b);
}

static void test_tail_before_start(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    adi_q_writel(&b.fq, ADI_Q_TAIL, 5);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, 0);
    bench_stop(&b);
}

static void test_ring_fixed_while_started(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_q_writeq(&b.fq, ADI_Q_RING_BASE, BENCH_B);
    adi_q_writel(&b.fq, ADI_Q_RING_ORDER, 3);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_RING_BASE), ==, BENCH_FUNCTION);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_RING_ORDER), ==, 6);
    bench_stop(&b);
}

static void test_start_again(void)
{
    Bench b;

    bench_start_plain(&b);
    bench_assert_function_works(&b);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 1);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 1);
    adi_q_start(&b.fq);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, 0);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_operation_tests(void)
{
    qtest_add_func("/adi/op/nop", test_nop);
    qtest_add_func("/adi/op/fill-repeats-the-operand", test_fill);
    qtest_add_func("/adi/op/compare-finds-equal", test_compare_equal);
    qtest_add_func("/adi/op/compare-finds-the-first-difference",
                   test_compare_different);
    qtest_add_func("/adi/op/crc32c-check-value", test_crc_check_value);
    qtest_add_func("/adi/op/crc32c-goes-on-where-it-ended", test_crc_goes_on);
    qtest_add_func("/adi/op/copy-next-to-itself", test_copy_next_to_itself);
    qtest_add_func("/adi/flag/fence-sees-what-came-before", test_fence);
    qtest_add_func("/adi/flag/no-record-unasked", test_no_record_unasked);
    qtest_add_func("/adi/flag/record-stays-in-its-bounds",
                   test_record_stays_in_its_bounds);
    qtest_add_func("/adi/irq/raised-on-request", test_interrupt);
    qtest_add_func("/adi/irq/not-without-leave", test_interrupt_needs_leave);
    qtest_add_func("/adi/irq/masked-stays-pending", test_interrupt_masked);
    qtest_add_func("/adi/irq/raised-by-an-error", test_error_interrupts);
}

static void add_ring_tests(void)
{
    qtest_add_func("/adi/ring/wraps", test_ring_wraps);
    qtest_add_func("/adi/ring/largest", test_largest_ring);
    qtest_add_func("/adi/ring/tail-before-start-is-ignored",
                   test_tail_before_start);
    qtest_add_func("/adi/ring/fixed-while-started",
                   test_ring_fixed_while_started);
    qtest_add_func("/adi/ring/start-again-is-empty", test_start_again);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    add_operation_tests();
    add_ring_tests();
    BENCH_ADD_CASES("op/copy-of-", copy_cases, test_copy, "%s", name);
    return g_test_run();
}
