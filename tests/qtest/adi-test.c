/*
 * The adi device: what it says of itself, its registers, and the function's
 * own queue with every opcode and every way to get a descriptor wrong.
 *
 * Nothing here needs an IOMMU.  adi-life-test.c has what begins and ends
 * work, adi-sm-test.c the ADIs behind a remapping unit.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "adi-bench.h"

/* ---- Configuration space ------------------------------------------------- */

static void test_identity(void)
{
    Bench b;

    bench_start_plain(&b);
    g_assert_cmphex(q35_config_readw(&b.adi.f, PCI_VENDOR_ID), ==,
                    ADI_VENDOR_ID);
    g_assert_cmphex(q35_config_readw(&b.adi.f, PCI_DEVICE_ID), ==,
                    ADI_DEVICE_ID);
    g_assert_cmphex(q35_config_readw(&b.adi.f, PCI_CLASS_DEVICE), ==,
                    ADI_CLASS);
    bench_stop(&b);
}

static unsigned express_type(const Q35Function *f)
{
    unsigned pos = q35_capability(f, PCI_CAP_ID_EXP);

    return (q35_config_readw(f, pos + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
}

static void test_integrated_endpoint(void)
{
    Bench b;

    bench_start_plain(&b);
    g_assert_cmpuint(express_type(&b.adi.f), ==, PCI_EXP_TYPE_RC_END);
    bench_stop(&b);
}

static void test_behind_root_port(void)
{
    Bench b = { .qts = q35_start("-device pcie-root-port,id=rp,addr=0x5 "
                                 "-device adi,bus=rp") };
    Q35Function port = { b.qts, Q35_SID(0, 5, 0) };

    q35_bridge_open(&port, 1);
    adi_open(&b.adi, b.qts, Q35_SID(1, 0, 0));
    g_assert_cmpuint(express_type(&b.adi.f), ==, PCI_EXP_TYPE_ENDPOINT);
    adi_q_open(&b.fq, &b.adi, ADI_FUNCTION, BENCH_FUNCTION, BENCH_FUNCTION);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_tlp_prefix(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_capability(&b.adi.f, PCI_CAP_ID_EXP);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + PCI_EXP_DEVCAP2) &
                    PCI_EXP_DEVCAP2_EE_PREFIX, !=, 0);
    bench_stop(&b);
}

static void test_flr_capability(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_capability(&b.adi.f, PCI_CAP_ID_EXP);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + PCI_EXP_DEVCAP) &
                    PCI_EXP_DEVCAP_FLR, !=, 0);
    bench_stop(&b);
}

static void test_pasid_capability(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_PASID);
    g_assert_cmphex(pos, !=, 0);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_PASID_CAP), ==,
                    ADI_PASID_BITS << 8);
    bench_stop(&b);
}

static void test_pasid_control(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_PASID);
    q35_config_writew(&b.adi.f, pos + PCI_PASID_CTRL, 0xffff);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_PASID_CTRL), ==,
                    PCI_PASID_CTRL_ENABLE);
    q35_config_writew(&b.adi.f, pos + PCI_PASID_CTRL, 0);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_PASID_CTRL), ==, 0);
    bench_stop(&b);
}

static void test_siov_dvsec(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_DVSEC);
    g_assert_cmphex(pos, !=, 0);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + PCI_DVSEC_HEADER1), ==,
                    ADI_SIOV_DVSEC_LEN << 20 | ADI_SIOV_DVSEC_VENDOR);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_DVSEC_HEADER2), ==,
                    ADI_SIOV_DVSEC_ID);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + ADI_SIOV_PAGE_SIZES), ==,
                    1);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + ADI_SIOV_PAGE_SIZE), ==,
                    1);
    g_assert_cmphex(q35_config_readl(&b.adi.f, pos + ADI_SIOV_CAPS), ==, 0);
    bench_stop(&b);
}

/* How many ADIs, and what follows from it. */
static const struct CountCase {
    unsigned adis;
    uint64_t pages_size;
} count_cases[] = {
    { 1, 0x1000 },
    { 3, 0x4000 },
    { 16, 0x10000 },
    { 17, 0x20000 },
    { ADI_MAX_ADIS, 0x400000 },
};

static void test_count(const void *data)
{
    const struct CountCase *c = data;
    g_autofree char *args = g_strdup_printf("-device adi,adis=%u,addr=0x4",
                                            c->adis);
    Bench b;
    unsigned pos;

    bench_start(&b, args);
    g_assert_cmpuint(adi_readq(&b.adi, ADI_REG_CAP) & ADI_CAP_ADIS, ==,
                     c->adis);
    pos = q35_capability(&b.adi.f, PCI_CAP_ID_MSIX);
    g_assert_cmpuint(q35_config_readw(&b.adi.f, pos + PCI_MSIX_FLAGS) &
                     PCI_MSIX_FLAGS_QSIZE, ==, c->adis);
    q35_command_clear(&b.adi.f, PCI_COMMAND_MEMORY);
    g_assert_cmphex(q35_bar_size(&b.adi.f, ADI_BAR_CONTROL), ==,
                    ADI_BAR0_SIZE);
    g_assert_cmphex(q35_bar_size(&b.adi.f, ADI_BAR_PAGES), ==, c->pages_size);
    bench_stop(&b);
}

/* ---- Properties ---------------------------------------------------------- */

static void assert_refused(unsigned count, const char *says)
{
    QTestState *qts = q35_start("-device pcie-root-port,id=rp,addr=0x5");
    QDict *reply = qtest_qmp(qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'adi', 'bus': 'rp',"
                             "  'adis': %u } }", count);
    QDict *error = qdict_get_qdict(reply, "error");

    g_assert_nonnull(error);
    g_assert_nonnull(strstr(qdict_get_str(error, "desc"), says));
    qobject_unref(reply);
    qtest_quit(qts);
}

static void test_no_adis(void)
{
    assert_refused(0, "1 to 1023, not 0");
}

static void test_too_many_adis(void)
{
    assert_refused(1024, "1 to 1023, not 1024");
}

static void test_conventional_bus(void)
{
    QTestState *qts = q35_start("-device pcie-pci-bridge,id=pci,addr=0x5");
    QDict *reply = qtest_qmp(qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'adi', 'bus': 'pci',"
                             "  'addr': '1' } }");
    QDict *error = qdict_get_qdict(reply, "error");

    g_assert_nonnull(error);
    g_assert_nonnull(strstr(qdict_get_str(error, "desc"), "PCI Express"));
    qobject_unref(reply);
    qtest_quit(qts);
}

/* ---- Registers ----------------------------------------------------------- */

static void test_capabilities(void)
{
    Bench b;
    uint64_t cap;

    bench_start_plain(&b);
    g_assert_cmphex(adi_readl(&b.adi, ADI_REG_ID), ==, ADI_ID_MAGIC);
    g_assert_cmpuint(adi_readl(&b.adi, ADI_REG_VERSION), ==, ADI_VERSION);
    cap = adi_readq(&b.adi, ADI_REG_CAP);
    g_assert_cmpuint(cap & 0xffff, ==, 4);
    g_assert_cmpuint(cap >> 16 & 0xff, ==, ADI_RING_ORDER_MAX);
    g_assert_cmpuint(cap >> 24 & 0xff, ==, ADI_LEN_ORDER_MAX);
    g_assert_cmpuint(cap >> 32 & 0x1f, ==, ADI_PASID_BITS);
    g_assert_cmphex(cap >> 48, ==, 0x1f);
    bench_stop(&b);
}

static void test_wide_registers_by_halves(void)
{
    Bench b;
    uint64_t cap;

    bench_start_plain(&b);
    cap = adi_readq(&b.adi, ADI_REG_CAP);
    g_assert_cmphex(adi_readl(&b.adi, ADI_REG_CAP), ==, (uint32_t)cap);
    g_assert_cmphex(adi_readl(&b.adi, ADI_REG_CAP + 4), ==, cap >> 32);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    adi_q_writel(&b.fq, ADI_Q_RING_BASE, 0x11223340);
    adi_q_writel(&b.fq, ADI_Q_RING_BASE + 4, 0x55667788);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_RING_BASE), ==,
                    0x5566778811223340ull);
    bench_stop(&b);
}

static void test_odd_accesses(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    adi_q_writeq(&b.fq, ADI_Q_RING_BASE, 0xaaaaaaaaaaaaaa80ull);
    g_assert_cmphex(qtest_readb(b.qts, b.fq.regs), ==, 0);
    g_assert_cmphex(qtest_readw(b.qts, b.fq.regs), ==, 0);
    g_assert_cmphex(qtest_readl(b.qts, b.fq.regs + 2), ==, 0);
    g_assert_cmphex(qtest_readq(b.qts, b.fq.regs + 4), ==, 0);
    qtest_writeb(b.qts, b.fq.regs, 0xff);
    qtest_writew(b.qts, b.fq.regs, 0xffff);
    qtest_writel(b.qts, b.fq.regs + 2, 0xffffffff);
    qtest_writeq(b.qts, b.fq.regs + 4, UINT64_MAX);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_RING_BASE), ==,
                    0xaaaaaaaaaaaaaa80ull);
    bench_stop(&b);
}

/* Three ADIs: the fourth page and control block belong to nobody. */
static void test_beyond_the_last_adi(void)
{
    Bench b;
    uint64_t page;

    bench_start(&b, "-device adi,adis=3,addr=0x4");
    page = b.adi.pages + 3 * ADI_PAGE_SIZE;
    adi_give(&b.adi, 3, 5);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(3) + ADI_CTL_CTRL), ==, 0);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(3) + ADI_CTL_PASID), ==, 0);
    qtest_writel(b.qts, page + ADI_Q_RING_ORDER, 4);
    g_assert_cmphex(qtest_readl(b.qts, page + ADI_Q_RING_ORDER), ==, 0);
    g_assert_cmphex(qtest_readl(b.qts, page + ADI_Q_INDEX), ==, 0);
    bench_stop(&b);
}

static void write_ones(Bench *b, uint64_t from, uint64_t len)
{
    uint64_t i;

    for (i = 0; i < len; i += 4) {
        qtest_writel(b->qts, from + i, 0xffffffff);
        qtest_readl(b->qts, from + i);
    }
}

static void test_every_word(void)
{
    Bench b;

    bench_start_plain(&b);
    write_ones(&b, b.adi.control, 2 * ADI_FUNC_QUEUE);
    write_ones(&b, b.adi.control + ADI_CTL_BASE, 5 * ADI_CTL_STRIDE);
    write_ones(&b, b.adi.control + ADI_BAR0_SIZE - 64, 64);
    write_ones(&b, b.adi.pages, 2 * ADI_PAGE_SIZE);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESET);
    adi_q_start(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_index(void)
{
    Bench b;
    AdiQ q;

    bench_start_plain(&b);
    g_assert_cmphex(adi_q_readl(&b.fq, ADI_Q_INDEX), ==, 0xffffffff);
    adi_give(&b.adi, 2, 5);
    adi_q_open(&q, &b.adi, 2, BENCH_ADIS, BENCH_ADIS);
    g_assert_cmpuint(adi_q_readl(&q, ADI_Q_INDEX), ==, 2);
    bench_stop(&b);
}

static void test_pasid_width(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_writel(&b.adi, ADI_CTL(0) + ADI_CTL_PASID, 0xffffffff);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(0) + ADI_CTL_PASID), ==, 0xfffff);
    bench_stop(&b);
}

static void test_pasid_fixed_while_enabled(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_give(&b.adi, 0, 5);
    adi_writel(&b.adi, ADI_CTL(0) + ADI_CTL_PASID, 6);
    g_assert_cmpuint(adi_readl(&b.adi, ADI_CTL(0) + ADI_CTL_PASID), ==, 5);
    adi_writel(&b.adi, ADI_CTL(0) + ADI_CTL_CTRL, ADI_CTL_CTRL_ENABLE);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(0) + ADI_CTL_CTRL), ==,
                    ADI_CTL_CTRL_ENABLE | ADI_CTL_CTRL_PASID_ENABLE);
    bench_stop(&b);
}

static void test_disabled_page(void)
{
    Bench b;
    AdiQ q;

    bench_start_plain(&b);
    adi_q_open(&q, &b.adi, 1, BENCH_ADIS, BENCH_ADIS);
    g_assert_cmphex(adi_q_readq(&q, ADI_Q_RING_BASE), ==, 0);
    g_assert_cmphex(adi_q_readl(&q, ADI_Q_CTRL), ==, 0);
    g_assert_cmphex(adi_q_readl(&q, ADI_Q_STATUS), ==, ADI_STATE_DISABLED);
    bench_stop(&b);
}

/* All that its owner can write, written: the parent's settings stand. */
static void test_page_cannot_reach_control(void)
{
    Bench b;
    uint64_t offset;

    bench_start_plain(&b);
    adi_give(&b.adi, 1, 0x12345);
    for (offset = 0; offset < ADI_PAGE_SIZE; offset += 4) {
        qtest_writel(b.qts, b.adi.pages + ADI_PAGE_SIZE + offset, 0xffffffff);
    }
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(1) + ADI_CTL_PASID), ==, 0x12345);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(1) + ADI_CTL_CTRL), ==,
                    ADI_CTL_CTRL_ENABLE | ADI_CTL_CTRL_PASID_ENABLE);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(0) + ADI_CTL_CTRL), ==, 0);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(2) + ADI_CTL_CTRL), ==, 0);
    bench_stop(&b);
}

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

/* ---- ADIs where no IOMMU understands PASIDs ------------------------------ */

static void assert_unsupported(const char *args)
{
    Bench b;
    AdiQ q;

    bench_start(&b, args);
    adi_give(&b.adi, 0, 5);
    adi_q_open(&q, &b.adi, 0, BENCH_ADIS, BENCH_ADIS);
    adi_post(&q, &(struct adi_desc) { });
    adi_wait_error(&q, ADI_ERR_FETCH, 0);
    g_assert_cmphex(adi_q_readq(&q, ADI_Q_ERROR_ADDR), ==, BENCH_ADIS);
    g_assert_cmphex(adi_readl(&b.adi, ADI_CTL(0) + ADI_CTL_ERROR), ==,
                    ADI_ERR_FETCH);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_no_iommu(void)
{
    assert_unsupported("-device adi,addr=0x4");
}

static void test_upstream_iommu(void)
{
    if (!qtest_has_device("intel-iommu")) {
        g_test_skip("no intel-iommu in this binary");
        return;
    }
    assert_unsupported("-device intel-iommu -device adi,addr=0x4");
}

static void assert_adi_error(Bench *b, enum adi_error error)
{
    AdiQ q;

    adi_q_open(&q, &b->adi, 0, BENCH_ADIS, BENCH_ADIS);
    adi_post(&q, &(struct adi_desc) { });
    adi_wait_error(&q, error, 0);
    g_assert_cmpuint(adi_record(&q, 0).status, ==, ADI_COMPLETION_PENDING);
}

static void test_pasid_disabled_in_config(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_give(&b.adi, 0, 5);
    adi_pasid_disable(&b.adi);
    assert_adi_error(&b, ADI_ERR_PASID_DISABLED);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_pasid_disabled_for_adi(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_writel(&b.adi, ADI_CTL(0) + ADI_CTL_CTRL, ADI_CTL_CTRL_ENABLE);
    assert_adi_error(&b, ADI_ERR_PASID_DISABLED);
    bench_stop(&b);
}

static void test_adi_without_bus_master(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_give(&b.adi, 0, 5);
    q35_command_clear(&b.adi.f, PCI_COMMAND_MASTER);
    assert_adi_error(&b, ADI_ERR_NO_BUS_MASTER);
    bench_stop(&b);
}

static void test_function_without_bus_master(void)
{
    Bench b;

    bench_start_plain(&b);
    q35_command_clear(&b.adi.f, PCI_COMMAND_MASTER);
    adi_post(&b.fq, &(struct adi_desc) { });
    adi_wait_error(&b.fq, ADI_ERR_NO_BUS_MASTER, 0);
    g_assert_cmpuint(adi_record(&b.fq, 0).status, ==, ADI_COMPLETION_PENDING);
    q35_command_set(&b.adi.f, PCI_COMMAND_MASTER);
    adi_clear_error(&b.fq);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

/* ---- Main ---------------------------------------------------------------- */

#define ADD_CASES(prefix, cases, test, format, field)                        \
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {                              \
        g_autofree char *path = g_strdup_printf("/adi/" prefix format,       \
                                                cases[i].field);             \
        qtest_add_data_func(path, &cases[i], test);                          \
    }

static void add_identity_tests(void)
{
    qtest_add_func("/adi/config/identity", test_identity);
    qtest_add_func("/adi/config/is-integrated-endpoint-at-the-root-complex",
                   test_integrated_endpoint);
    qtest_add_func("/adi/config/is-endpoint-behind-a-root-port",
                   test_behind_root_port);
    qtest_add_func("/adi/config/carries-tlp-prefixes", test_tlp_prefix);
    qtest_add_func("/adi/config/has-function-level-reset", test_flr_capability);
    qtest_add_func("/adi/config/pasids-have-20-bits-and-no-exec",
                   test_pasid_capability);
    qtest_add_func("/adi/config/pasid-enable-is-the-only-control",
                   test_pasid_control);
    qtest_add_func("/adi/config/scalable-iov-dvsec", test_siov_dvsec);
    qtest_add_func("/adi/property/adis-0-is-refused", test_no_adis);
    qtest_add_func("/adi/property/adis-1024-is-refused", test_too_many_adis);
    qtest_add_func("/adi/property/conventional-bus-is-refused",
                   test_conventional_bus);
}

static void add_register_tests(void)
{
    qtest_add_func("/adi/reg/capabilities", test_capabilities);
    qtest_add_func("/adi/reg/wide-registers-by-halves",
                   test_wide_registers_by_halves);
    qtest_add_func("/adi/reg/odd-accesses-do-nothing", test_odd_accesses);
    qtest_add_func("/adi/reg/nothing-beyond-the-last-adi",
                   test_beyond_the_last_adi);
    qtest_add_func("/adi/reg/every-word-may-be-written", test_every_word);
    qtest_add_func("/adi/reg/a-page-knows-its-number", test_index);
    qtest_add_func("/adi/reg/pasid-is-cut-to-20-bits", test_pasid_width);
    qtest_add_func("/adi/reg/pasid-is-fixed-while-enabled",
                   test_pasid_fixed_while_enabled);
    qtest_add_func("/adi/reg/a-disabled-page-is-dead", test_disabled_page);
    qtest_add_func("/adi/reg/a-page-does-not-reach-control",
                   test_page_cannot_reach_control);
}

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

static void add_failure_tests(void)
{
    qtest_add_func("/adi/bad/crooked-record-address", test_crooked_record);
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

static void add_ring_tests(void)
{
    qtest_add_func("/adi/ring/wraps", test_ring_wraps);
    qtest_add_func("/adi/ring/largest", test_largest_ring);
    qtest_add_func("/adi/ring/tail-beyond-is-refused",
                   test_tail_beyond_the_ring);
    qtest_add_func("/adi/ring/tail-before-start-is-ignored",
                   test_tail_before_start);
    qtest_add_func("/adi/ring/fixed-while-started",
                   test_ring_fixed_while_started);
    qtest_add_func("/adi/ring/start-again-is-empty", test_start_again);
}

static void add_pasid_tests(void)
{
    qtest_add_func("/adi/pasid/unsupported-without-iommu", test_no_iommu);
    qtest_add_func("/adi/pasid/unsupported-with-upstream-iommu",
                   test_upstream_iommu);
    qtest_add_func("/adi/pasid/disabled-in-config-space",
                   test_pasid_disabled_in_config);
    qtest_add_func("/adi/pasid/disabled-for-the-adi",
                   test_pasid_disabled_for_adi);
    qtest_add_func("/adi/bus-master/adi-stops-without",
                   test_adi_without_bus_master);
    qtest_add_func("/adi/bus-master/function-stops-without",
                   test_function_without_bus_master);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    add_identity_tests();
    add_register_tests();
    add_operation_tests();
    add_failure_tests();
    add_ring_tests();
    add_pasid_tests();
    ADD_CASES("config/adis-", count_cases, test_count, "%u", adis);
    ADD_CASES("op/copy-of-", copy_cases, test_copy, "%s", name);
    ADD_CASES("bad/", bad_descriptors, test_bad_descriptor, "%s", name);
    ADD_CASES("ring/refused-", bad_rings, test_bad_ring, "%s", name);
    return g_test_run();
}
