/*
 * ADIs behind intel-iommu-sm: what a fault says, to the owner and to the
 * system, and that it is nobody else's trouble.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "adi-sm.h"

/* ---- Faults -------------------------------------------------------------- */

static void test_fault_names_its_pasid(void)
{
    struct adi_completion record;
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    adi_post(&two.q, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 64, .src = OUTSIDE + 8, .dst = DST,
    });
    adi_wait_error(&two.q, ADI_ERR_READ, 0);
    record = adi_record(&two.q, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_UNSUPPORTED_REQUEST,
                        OUTSIDE + 8, 0);
    g_assert_cmphex(adi_q_readq(&two.q, ADI_Q_ERROR_ADDR), ==, OUTSIDE + 8);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 0xfffff, OUTSIDE, true);
    assert_others_work(&g, &one);
    adi_clear_error(&two.q);
    owner_assert_works(&two);
    ground_stop(&g);
}

static void test_read_only_page(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    sm_map(&g.sm, &one.map, OUTSIDE, BENCH_A, 1, SM_R);
    adi_post(&one.q, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 8, .dst = OUTSIDE, .operand = 1,
    });
    adi_wait_error(&one.q, ADI_ERR_WRITE, 0);
    assert_fault(&g, FAULT_NO_WRITE, 5, OUTSIDE, false);
    bench_assert_zero(&g.b, BENCH_A, 8);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

/* To the last byte that is mapped, and not one further. */
static void test_up_to_the_edge(void)
{
    struct adi_completion record;
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    adi_post(&one.q, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 5000, .dst = OUTSIDE - 4196,
        .operand = 0x0101010101010101ull,
    });
    adi_wait_error(&one.q, ADI_ERR_WRITE, 0);
    record = adi_record(&one.q, 0);
    bench_assert_failed(&record, ADI_ERR_WRITE, ADI_WHY_UNSUPPORTED_REQUEST,
                        OUTSIDE, 4196);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 5, OUTSIDE, false);
    g_assert_cmphex(qtest_readb(g.b.qts, one.mem + SMALL_PAGES * SM_PAGE - 1),
                    ==, 1);
    ground_stop(&g);
}

static void test_mapped_to_nowhere(void)
{
    struct adi_completion record;
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    sm_map(&g.sm, &one.map, OUTSIDE, BENCH_NOWHERE, 1, SM_RW);
    adi_post(&one.q, &(struct adi_desc) {
        .opcode = ADI_OP_CRC32C, .len = 8, .src = OUTSIDE,
    });
    adi_wait_error(&one.q, ADI_ERR_READ, 0);
    record = adi_record(&one.q, 0);
    bench_assert_failed(&record, ADI_ERR_READ, ADI_WHY_MEMORY, OUTSIDE, 0);
    ground_stop(&g);
}

static void test_ring_unmapped(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    sm_unmap(&g.sm, &one.map, IOVA, 1);
    sm_invalidate_pages(&g.sm, one.domain, IOVA, 0);
    adi_post(&one.q, &copy_page);
    adi_wait_error(&one.q, ADI_ERR_FETCH, 0);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 5, IOVA, true);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

static void test_records_unmapped(void)
{
    uint64_t records;
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    records = IOVA + adi_q_records(&one.q);
    sm_unmap(&g.sm, &one.map, records, 1);
    sm_invalidate_pages(&g.sm, one.domain, records, 0);
    adi_post(&one.q, &copy_page);
    adi_wait_error(&one.q, ADI_ERR_COMPLETION, 0);
    g_assert_cmphex(adi_q_readq(&one.q, ADI_Q_ERROR_ADDR), ==, records);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 5, records, false);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

static void test_page_taken_away(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_assert_works(&one);
    sm_unmap(&g.sm, &one.map, DST, 1);
    sm_invalidate_pages(&g.sm, one.domain, DST, 0);
    adi_post(&one.q, &copy_page);
    adi_wait_error(&one.q, ADI_ERR_WRITE, 1);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 5, DST, false);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

/* Copies are under way when their destination goes. */
static void test_page_taken_away_under_load(void)
{
    uint64_t entry;
    Ground g;
    Owner one, two;
    uint32_t head;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    entry = sm_map_entry_addr(&g.sm, &one.map, LARGE_DST, 2);
    qtest_writeq(g.b.qts, entry, 0);
    sm_invalidate_pages(&g.sm, one.domain, LARGE_DST, 9);
    owner_assert_no_dma(&one);
    adi_wait_state(&one.q, ADI_STATE_ERROR);
    head = adi_q_readl(&one.q, ADI_Q_HEAD);
    g_assert_cmphex(adi_q_readl(&one.q, ADI_Q_ERROR), ==,
                    head << 16 | ADI_ERR_WRITE);
    assert_fault(&g, FAULT_SS_NOT_PRESENT, 5,
                 adi_q_readq(&one.q, ADI_Q_ERROR_ADDR), false);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

static void test_pasid_entry_gone(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_assert_works(&one);
    sm_pasid_clear(&g.sm, BENCH_SID, one.pasid);
    sm_invalidate_pasid(&g.sm, one.domain, one.pasid);
    sm_invalidate_domain(&g.sm, one.domain);
    adi_post(&one.q, &copy_page);
    adi_wait_error(&one.q, ADI_ERR_FETCH, 1);
    assert_fault(&g, FAULT_PASID_NOT_PRESENT, 5, IOVA, true);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_fault_tests(void)
{
    qtest_add_func("/adi/sm/fault/names-its-pasid", test_fault_names_its_pasid);
    qtest_add_func("/adi/sm/fault/read-only-page", test_read_only_page);
    qtest_add_func("/adi/sm/fault/not-before-the-edge", test_up_to_the_edge);
    qtest_add_func("/adi/sm/fault/mapped-to-nowhere", test_mapped_to_nowhere);
    qtest_add_func("/adi/sm/fault/ring-unmapped", test_ring_unmapped);
    qtest_add_func("/adi/sm/fault/records-unmapped", test_records_unmapped);
    qtest_add_func("/adi/sm/fault/page-taken-away", test_page_taken_away);
    qtest_add_func("/adi/sm/fault/page-taken-away-under-load",
                   test_page_taken_away_under_load);
    qtest_add_func("/adi/sm/fault/pasid-entry-gone", test_pasid_entry_gone);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_fault_tests();
    return g_test_run();
}
