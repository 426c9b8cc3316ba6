/*
 * An adi with PRI behind intel-iommu-sm: a DMA that misses a page asks for it
 * and waits.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-ats.h"

#define CAPTURE     (56 * MIB)      /* where the unit's message lands */

/* ---- Capabilities -------------------------------------------------------- */

static void test_capabilities(void)
{
    Bench b;
    unsigned pos;

    bench_start(&b, "-device adi,addr=0x4,ats=on,pri=on");
    pos = q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_ATS);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_ATS_CTRL), ==, 0);
    g_assert_true(q35_config_readw(&b.adi.f, pos + PCI_ATS_CAP) &
                  PCI_ATS_CAP_PAGE_ALIGNED);
    pos = q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_PRI);
    g_assert_cmphex(q35_config_readw(&b.adi.f, pos + PCI_PRI_CTRL), ==, 0);
    g_assert_cmphex(adi_pri_status(&b.adi), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    g_assert_cmpuint(q35_config_readl(&b.adi.f, pos + PCI_PRI_MAX_REQ), ==, 64);
    adi_pri_set(&b.adi, 8);
    g_assert_cmphex(adi_pri_status(&b.adi), ==, PCI_PRI_STATUS_PASID);
    adi_pri_set(&b.adi, 0);
    g_assert_cmphex(adi_pri_status(&b.adi), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    bench_stop(&b);
}

static void test_no_capabilities(void)
{
    Bench b;

    bench_start_plain(&b);
    g_assert_cmpuint(q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_ATS),
                     ==, 0);
    g_assert_cmpuint(q35_extended_capability(&b.adi.f, PCI_EXT_CAP_ID_PRI),
                     ==, 0);
    bench_stop(&b);
}

/* ---- Pages that are missing ---------------------------------------------- */

static void test_missing_page(void)
{
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_scribble(&o, 1);
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    g_assert_cmpuint(adi_q_readl(&o.q, ADI_Q_STATUS), ==, ADI_STATE_BUSY);
    g_assert_cmpuint(adi_readl(&g.b.adi, ADI_REG_ACTIVE), ==, 1);
    owner_map_back(&o, SRC);
    assert_not_asked(&g);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    bench_assert_bytes(&g.b, memory_of(&o, DST), SM_PAGE, 1, 0);
    g_assert_cmpint(stat_of(&g, "page-requests"), ==, 1);
    g_assert_cmpint(stat_of(&g, "success"), ==, 1);
    g_assert_cmpint(stat_of(&g, "outstanding"), ==, 0);
    ground_stop(&g);
}

/* From anywhere in a long copy it goes on where it was. */
static void test_missing_in_the_middle(void)
{
    struct adi_desc fill = {
        .opcode = ADI_OP_FILL, .len = 3 * SM_PAGE, .dst = DST + 4 - SM_PAGE,
        .operand = 0x0807060504030201ull,
    };
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, DST);
    owner_unmap(&o, DST + SM_PAGE);
    adi_post(&o.q, &fill);
    request = assert_asked(&o, DST, true);
    owner_map_back(&o, DST);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    request = assert_asked(&o, DST + SM_PAGE, true);
    owner_map_back(&o, DST + SM_PAGE);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    g_assert_cmphex(qtest_readq(g.b.qts, memory_of(&o, DST) + 4), ==,
                    fill.operand);
    g_assert_cmphex(qtest_readq(g.b.qts, memory_of(&o, DST) + SM_PAGE + 4), ==,
                    fill.operand);
    ground_stop(&g);
}

static void test_missing_right(void)
{
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_scribble(&o, 1);
    owner_map_page(&o, DST, memory_of(&o, DST), SM_R);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, DST, true);
    /* Read-only to read-write needs no invalidation: the request was one. */
    owner_map_back(&o, DST);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    bench_assert_bytes(&g.b, memory_of(&o, DST), SM_PAGE, 1, 0);
    ground_stop(&g);
}

/* The ring, and the completion record. */
static void test_missing_ring_and_record(void)
{
    uint64_t record;
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    record = IOVA + adi_q_records(&o.q);
    owner_scribble(&o, 1);
    owner_unmap(&o, IOVA);
    owner_unmap(&o, record);
    adi_post(&o.q, &(struct adi_desc) {
        .opcode = ADI_OP_CRC32C, .len = SM_PAGE, .src = SRC,
    });
    request = assert_asked(&o, IOVA, false);
    owner_map_back(&o, IOVA);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    request = assert_asked(&o, record, true);
    owner_map_back(&o, record);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    g_assert_cmpuint(adi_record(&o.q, 0).status, ==, ADI_COMPLETION_DONE);
    g_assert_cmphex(adi_record(&o.q, 0).result, !=, 0);
    g_assert_cmphex(adi_record(&o.q, 0).result, ==,
                    adi_run(&o.q, &(struct adi_desc) {
                        .opcode = ADI_OP_CRC32C, .len = SM_PAGE, .src = SRC,
                    }).result);
    ground_stop(&g);
}

/* A descriptor that failed, and nowhere to say so yet. */
static void test_missing_record_of_a_failure(void)
{
    uint64_t record;
    SmPageRequest request;
    struct adi_completion said;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    record = IOVA + adi_q_records(&o.q);
    owner_unmap(&o, record);
    adi_post(&o.q, &(struct adi_desc) { .opcode = 77 });
    request = assert_asked(&o, record, true);
    owner_map_back(&o, record);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_error(&o.q, ADI_ERR_OPCODE, 0);
    said = adi_record(&o.q, 0);
    bench_assert_failed(&said, ADI_ERR_OPCODE, ADI_WHY_NONE, 0, 0);
    ground_stop(&g);
}

static void test_function_asks(void)
{
    SmPageRequest request;
    SmMap map;
    Ground g;

    if (!ground_possible()) {
        return;
    }
    ats_start(&g, 8);
    map = sm_map_new(&g.sm, 4);
    sm_map(&g.sm, &map, BENCH_FUNCTION, BENCH_FUNCTION, 16, SM_RW);
    sm_pasid_set(&g.sm, BENCH_SID, 0,
                 &(SmPasid) { SM_SECOND_STAGE, RID_DOMAIN, map });
    sm_invalidate_all(&g.sm);
    bench_scribble(&g.b, BENCH_A, 64, 1);
    sm_map(&g.sm, &map, BENCH_A, BENCH_A, 1, SM_R);
    adi_post(&g.b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 64, .src = BENCH_A, .dst = BENCH_B,
    });
    request = sm_page_take(&g.sm);
    g_assert_false(request.with_pasid);
    g_assert_cmphex(request.page, ==, BENCH_B);
    sm_map(&g.sm, &map, BENCH_B, BENCH_B, 1, SM_RW);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&g.b.fq);
    bench_assert_bytes(&g.b, BENCH_B, 64, 1, 0);
    ground_stop(&g);
}

static void test_event(void)
{
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    sm_writel(&g.sm, SM_REG_PEDATA, 0x4051);
    sm_writel(&g.sm, SM_REG_PEDATA + 4, CAPTURE);
    sm_writel(&g.sm, SM_REG_PECTL, 0);
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    g_assert_cmphex(qtest_readl(g.b.qts, CAPTURE), ==, 0x4051);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    ground_stop(&g);
}

/* ---- Pages that are denied ----------------------------------------------- */

static void test_denied(void)
{
    struct adi_completion record;
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    sm_page_respond(&g.sm, &request, SM_PAGE_INVALID);
    adi_wait_error(&o.q, ADI_ERR_READ, 0);
    record = adi_record(&o.q, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_UNSUPPORTED_REQUEST,
                        SRC, 0);
    g_assert_cmpint(stat_of(&g, "invalid-request"), ==, 1);
    /* Another time it asks again. */
    adi_clear_error(&o.q);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    ground_stop(&g);
}

/* Nothing is asked for any more until software enables PRI anew. */
static void test_failure_stops(void)
{
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    sm_page_respond(&g.sm, &request, SM_PAGE_FAILURE);
    adi_wait_error(&o.q, ADI_ERR_READ, 0);
    g_assert_true(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_RF);
    adi_clear_error(&o.q);
    adi_post(&o.q, &copy_page);
    adi_wait_error(&o.q, ADI_ERR_READ, 1);
    assert_not_asked(&g);
    adi_pri_set(&g.b.adi, 0);
    adi_pri_set(&g.b.adi, 8);
    g_assert_false(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_RF);
    adi_clear_error(&o.q);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    ground_stop(&g);
}

/* Tables that lead nowhere: the unit answers itself, and records a fault. */
static void test_no_pasid_entry(void)
{
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_assert_works(&o);
    sm_pasid_clear(&g.sm, BENCH_SID, o.pasid);
    sm_invalidate_all(&g.sm);
    sm_invalidate_device_pasid(&g.sm, BENCH_SID, o.pasid, SM_EVERYTHING);
    adi_post(&o.q, &copy_page);
    adi_wait_error(&o.q, ADI_ERR_FETCH, 1);
    assert_fault(&g, FAULT_PASID_NOT_PRESENT, o.pasid, IOVA, false);
    assert_not_asked(&g);
    ground_stop(&g);
}

static void test_without_pri(void)
{
    struct adi_completion record;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 0)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    adi_wait_error(&o.q, ADI_ERR_READ, 0);
    record = adi_record(&o.q, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_UNSUPPORTED_REQUEST,
                        SRC, 0);
    assert_not_asked(&g);
    ground_stop(&g);
}

/* ---- Several who wait ---------------------------------------------------- */

static void test_two_wait(void)
{
    SmPageRequest first, second;
    Ground g;
    Owner one, two, third;

    if (!pri_start(&g, &one, 8)) {
        return;
    }
    owner_start(&two, &g, 1, 0xfffff);
    owner_start(&third, &g, 2, 6);
    owner_scribble(&one, 1);
    owner_scribble(&two, 2);
    owner_unmap(&one, SRC);
    owner_unmap(&two, SRC);
    adi_post(&one.q, &copy_page);
    first = assert_asked(&one, SRC, false);
    adi_post(&two.q, &copy_page);
    second = assert_asked(&two, SRC, false);
    g_assert_cmpuint(first.group, !=, second.group);
    owner_assert_works(&third);
    owner_map_back(&two, SRC);
    sm_page_respond(&g.sm, &second, SM_PAGE_SUCCESS);
    adi_wait_done(&two.q);
    g_assert_cmpuint(adi_q_readl(&one.q, ADI_Q_STATUS), ==, ADI_STATE_BUSY);
    owner_map_back(&one, SRC);
    sm_page_respond(&g.sm, &first, SM_PAGE_SUCCESS);
    adi_wait_done(&one.q);
    bench_assert_bytes(&g.b, memory_of(&one, DST), SM_PAGE, 1, 0);
    bench_assert_bytes(&g.b, memory_of(&two, DST), SM_PAGE, 2, 0);
    ground_stop(&g);
}

static void test_one_at_a_time(void)
{
    SmPageRequest request;
    Ground g;
    Owner one, two;

    if (!pri_start(&g, &one, 1)) {
        return;
    }
    owner_start(&two, &g, 1, 0xfffff);
    owner_unmap(&one, SRC);
    owner_unmap(&two, SRC);
    adi_post(&one.q, &copy_page);
    request = assert_asked(&one, SRC, false);
    adi_post(&two.q, &copy_page);
    assert_not_asked(&g);
    g_assert_cmpuint(adi_q_readl(&two.q, ADI_Q_STATUS), ==, ADI_STATE_BUSY);
    owner_map_back(&one, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&one.q);
    request = assert_asked(&two, SRC, false);
    owner_map_back(&two, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&two.q);
    ground_stop(&g);
}

/* The unit says Success for want of room; the ADI asks until there is. */
static void test_overflow(void)
{
    SmPageRequest request;
    int64_t end = g_get_monotonic_time() + SM_TIMEOUT_US;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_scribble(&o, 1);
    owner_unmap(&o, SRC);
    sm_writeq(&g.sm, SM_REG_PQH, 32);
    adi_post(&o.q, &copy_page);
    while (!(sm_readl(&g.sm, SM_REG_PRS) & SM_PRS_PRO)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    g_assert_cmpuint(sm_readq(&g.sm, SM_REG_PQT), ==, 0);
    sm_writeq(&g.sm, SM_REG_PQH, 0);
    sm_writel(&g.sm, SM_REG_PRS, SM_PRS_PRO);
    request = assert_asked(&o, SRC, false);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    bench_assert_bytes(&g.b, memory_of(&o, DST), SM_PAGE, 1, 0);
    ground_stop(&g);
}

/* ---- Ends while waiting -------------------------------------------------- */

static void test_reset_while_waiting(void)
{
    SmPageRequest late, request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    late = assert_asked(&o, SRC, false);
    adi_command(&g.b.adi, 0, ADI_CMD_RESET);
    g_assert_cmpint(stat_of(&g, "outstanding"), ==, 0);
    adi_q_start(&o.q);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    sm_page_respond(&g.sm, &late, SM_PAGE_INVALID);
    g_assert_cmpint(stat_of(&g, "unexpected"), ==, 1);
    g_assert_true(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_UPRGI);
    g_assert_cmpuint(adi_q_readl(&o.q, ADI_Q_STATUS), ==, ADI_STATE_BUSY);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_wait_done(&o.q);
    ground_stop(&g);
}

static void test_drain_while_waiting(void)
{
    SmPageRequest request;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    request = assert_asked(&o, SRC, false);
    adi_command(&g.b.adi, 0, ADI_CMD_DRAIN);
    g_assert_true(owner_state(&o) & ADI_STATE_CMD_BUSY);
    owner_map_back(&o, SRC);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    adi_command_wait(&g.b.adi, 0);
    g_assert_cmphex(owner_state(&o), ==, ADI_STATE_DRAINED);
    g_assert_cmpuint(adi_record(&o.q, 0).status, ==, ADI_COMPLETION_DONE);
    ground_stop(&g);
}

static void test_pri_reset_while_waiting(void)
{
    unsigned pos;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    assert_asked(&o, SRC, false);
    adi_pri_set(&g.b.adi, 0);
    g_assert_false(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_STOPPED);
    pos = q35_extended_capability(&g.b.adi.f, PCI_EXT_CAP_ID_PRI);
    q35_config_writew(&g.b.adi.f, pos + PCI_PRI_CTRL, PCI_PRI_CTRL_RESET);
    adi_wait_error(&o.q, ADI_ERR_READ, 0);
    g_assert_true(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_STOPPED);
    ground_stop(&g);
}

static void test_flr_while_waiting(void)
{
    SmPageRequest late;
    unsigned pos;
    Ground g;
    Owner o;

    if (!pri_start(&g, &o, 8)) {
        return;
    }
    owner_unmap(&o, SRC);
    adi_post(&o.q, &copy_page);
    late = assert_asked(&o, SRC, false);
    pos = q35_capability(&g.b.adi.f, PCI_CAP_ID_EXP);
    q35_config_writew(&g.b.adi.f, pos + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
    sm_page_respond(&g.sm, &late, SM_PAGE_SUCCESS);
    g_assert_cmpint(stat_of(&g, "unexpected"), ==, 1);
    g_assert_cmpint(stat_of(&g, "outstanding"), ==, 0);
    adi_open(&g.b.adi, g.b.qts, BENCH_SID);
    g_assert_true(adi_pri_status(&g.b.adi) & PCI_PRI_STATUS_STOPPED);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_pri_tests(void)
{
    qtest_add_func("/adi/pri/capabilities", test_capabilities);
    qtest_add_func("/adi/pri/no-capabilities-unasked", test_no_capabilities);
    qtest_add_func("/adi/pri/missing-page-is-asked-for", test_missing_page);
    qtest_add_func("/adi/pri/goes-on-where-it-was", test_missing_in_the_middle);
    qtest_add_func("/adi/pri/missing-right-is-asked-for", test_missing_right);
    qtest_add_func("/adi/pri/ring-and-record-may-be-missing",
                   test_missing_ring_and_record);
    qtest_add_func("/adi/pri/record-of-a-failure-may-be-missing",
                   test_missing_record_of_a_failure);
    qtest_add_func("/adi/pri/function-asks-without-pasid", test_function_asks);
    qtest_add_func("/adi/pri/event-is-sent", test_event);
    qtest_add_func("/adi/pri/invalid-request-is-an-error", test_denied);
    qtest_add_func("/adi/pri/response-failure-stops", test_failure_stops);
    qtest_add_func("/adi/pri/no-pasid-entry-is-a-fault", test_no_pasid_entry);
    qtest_add_func("/adi/pri/without-pri-an-error-at-once", test_without_pri);
    qtest_add_func("/adi/pri/two-wait-answered-in-any-order", test_two_wait);
    qtest_add_func("/adi/pri/allocation-bounds-requests", test_one_at_a_time);
    qtest_add_func("/adi/pri/overflow-makes-it-ask-again", test_overflow);
    qtest_add_func("/adi/pri/reset-while-waiting", test_reset_while_waiting);
    qtest_add_func("/adi/pri/drain-while-waiting", test_drain_while_waiting);
    qtest_add_func("/adi/pri/pri-reset-while-waiting",
                   test_pri_reset_while_waiting);
    qtest_add_func("/adi/pri/flr-while-waiting", test_flr_while_waiting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_pri_tests();
    return g_test_run();
}
