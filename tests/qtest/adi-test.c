/*
 * The adi device: what it says of itself, its properties and registers, and
 * what ADIs do where nothing understands their PASIDs.
 *
 * Nothing here needs an IOMMU, and so it is in adi-work-test.c (what
 * descriptors do), adi-error-test.c (what they may not) and adi-life-test.c
 * (what begins and ends work).  adi-sm-*-test.c have the ADIs behind a
 * remapping unit.
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
    add_pasid_tests();
    BENCH_ADD_CASES("config/adis-", count_cases, test_count, "%u", adis);
    return g_test_run();
}
