/*
 * ADIs behind intel-iommu-sm: drain, reset and loss of rights in mid-transfer,
 * all ADIs at once, and another place in the topology.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-sm.h"

/* ---- Ends under load ----------------------------------------------------- */

static void test_drain(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    owner_load(&two);
    adi_command(&g.b.adi, 0, ADI_CMD_DRAIN);
    adi_command_wait(&g.b.adi, 0);
    g_assert_cmphex(owner_state(&one), ==, ADI_STATE_DRAINED);
    owner_assert_no_dma(&one);
    bench_assert_goes_on(&two.q);
    adi_command(&g.b.adi, 0, ADI_CMD_RESUME);
    bench_assert_goes_on(&one.q);
    ground_stop(&g);
}

static void test_reset(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    owner_load(&two);
    adi_command(&g.b.adi, 0, ADI_CMD_RESET);
    g_assert_cmphex(owner_state(&one), ==, ADI_STATE_IDLE);
    owner_assert_no_dma(&one);
    bench_assert_goes_on(&two.q);
    g_assert_cmphex(adi_readl(&g.b.adi, ADI_CTL(0) + ADI_CTL_PASID), ==, 5);
    adi_q_start(&one.q);
    owner_assert_works(&one);
    ground_stop(&g);
}

static void test_flr(void)
{
    Ground g;
    Owner one, two;
    unsigned pos;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    owner_load(&two);
    pos = q35_capability(&g.b.adi.f, PCI_CAP_ID_EXP);
    q35_config_writew(&g.b.adi.f, pos + PCI_EXP_DEVCTL,
                      PCI_EXP_DEVCTL_BCR_FLR);
    owner_assert_no_dma(&one);
    owner_assert_no_dma(&two);
    adi_open(&g.b.adi, g.b.qts, BENCH_SID);
    g_assert_cmpuint(adi_readl(&g.b.adi, ADI_REG_ACTIVE), ==, 0);
    g_assert_cmphex(owner_state(&one), ==, ADI_STATE_DISABLED);
    adi_give(&g.b.adi, 0, one.pasid);
    adi_q_open_order(&one.q, &g.b.adi, 0, IOVA, one.mem, RING_ORDER);
    owner_assert_works(&one);
    ground_stop(&g);
}

static void assert_stops_with(Owner *o, enum adi_error error)
{
    uint32_t head;

    adi_wait_state(&o->q, ADI_STATE_ERROR);
    head = adi_q_readl(&o->q, ADI_Q_HEAD);
    g_assert_cmphex(adi_q_readl(&o->q, ADI_Q_ERROR), ==, head << 16 | error);
    owner_assert_no_dma(o);
}

static void test_bus_master_off(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    owner_load(&two);
    q35_command_clear(&g.b.adi.f, PCI_COMMAND_MASTER);
    assert_stops_with(&one, ADI_ERR_NO_BUS_MASTER);
    assert_stops_with(&two, ADI_ERR_NO_BUS_MASTER);
    ground_stop(&g);
}

/* Requests without PASID do not care. */
static void test_pasid_disabled(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    adi_pasid_disable(&g.b.adi);
    assert_stops_with(&one, ADI_ERR_PASID_DISABLED);
    bench_assert_function_works(&g.b);
    ground_stop(&g);
}

/* ---- Shapes of the machine ----------------------------------------------- */

static void test_behind_root_port(void)
{
    Q35Function port;
    Ground g;
    Owner one;

    if (!ground_possible()) {
        return;
    }
    g.b.qts = q35_start("-device intel-iommu-sm "
                        "-device pcie-root-port,id=rp,addr=0x5 "
                        "-device adi,adis=4,bus=rp");
    port = (Q35Function) { g.b.qts, Q35_SID(0, 5, 0) };
    q35_bridge_open(&port, 7);
    ground_tables(&g, Q35_SID(7, 0, 0));
    adi_open(&g.b.adi, g.b.qts, Q35_SID(7, 0, 0));
    adi_q_open(&g.b.fq, &g.b.adi, ADI_FUNCTION, BENCH_FUNCTION,
               BENCH_FUNCTION);
    owner_start(&one, &g, 3, 9);
    assert_others_work(&g, &one);
    adi_post(&one.q, &(struct adi_desc) {
        .opcode = ADI_OP_CRC32C, .len = 64, .src = OUTSIDE,
    });
    adi_wait_error(&one.q, ADI_ERR_READ, 1);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 9, OUTSIDE, true);
    ground_stop(&g);
}

/* A ring of two, its records and a page of data. */
#define TINY_SIZE (3 * SM_PAGE)

static uint64_t tiny_mem(unsigned n)
{
    return BENCH_ADIS + n * TINY_SIZE;
}

static void tiny_start(Ground *g, AdiQ *q, unsigned n)
{
    SmMap map = sm_map_new(&g->sm, 3);
    uint32_t pasid = n * 1021 + 1;

    sm_map(&g->sm, &map, IOVA, tiny_mem(n), TINY_SIZE / SM_PAGE, SM_RW);
    sm_pasid_set(&g->sm, BENCH_SID, pasid, &(SmPasid) {
        SM_SECOND_STAGE, 100 + n, map,
    });
    adi_give(&g->b.adi, n, pasid);
    adi_q_open_order(q, &g->b.adi, n, IOVA, tiny_mem(n), 1);
}

/* As many as there can be, all at once, all at the same address. */
static void test_all_adis(void)
{
    g_autofree AdiQ *queues = g_new0(AdiQ, ADI_MAX_ADIS);
    int64_t end;
    Ground g;
    unsigned n;

    if (!ground_possible()) {
        return;
    }
    ground_start(&g, ADI_MAX_ADIS);
    bench_vm_stop(&g.b);
    for (n = 0; n < ADI_MAX_ADIS; n++) {
        tiny_start(&g, &queues[n], n);
        adi_put(&queues[n], &(struct adi_desc) {
            .opcode = ADI_OP_FILL, .len = SM_PAGE, .operand = n,
            .dst = IOVA + 2 * SM_PAGE,
        });
        adi_ring_doorbell(&queues[n]);
    }
    g_assert_cmpuint(adi_readl(&g.b.adi, ADI_REG_ACTIVE), ==, ADI_MAX_ADIS);
    bench_vm_cont(&g.b);
    end = g_get_monotonic_time() + ADI_TIMEOUT_US;
    while (adi_readl(&g.b.adi, ADI_REG_ACTIVE)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    for (n = 0; n < ADI_MAX_ADIS; n++) {
        adi_wait_done(&queues[n]);
        g_assert_cmpuint(qtest_readq(g.b.qts, tiny_mem(n) + 2 * SM_PAGE), ==,
                         n);
        g_assert_cmpuint(qtest_readq(g.b.qts, tiny_mem(n) + 3 * SM_PAGE - 8),
                         ==, n);
    }
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_load_tests(void)
{
    qtest_add_func("/adi/sm/load/drain", test_drain);
    qtest_add_func("/adi/sm/load/reset", test_reset);
    qtest_add_func("/adi/sm/load/function-level-reset", test_flr);
    qtest_add_func("/adi/sm/load/bus-master-off", test_bus_master_off);
    qtest_add_func("/adi/sm/load/pasid-disabled", test_pasid_disabled);
    qtest_add_func("/adi/sm/load/all-adis-at-once", test_all_adis);
    qtest_add_func("/adi/sm/behind-a-root-port", test_behind_root_port);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_load_tests();
    return g_test_run();
}
