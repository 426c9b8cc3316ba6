/*
 * ADIs behind intel-iommu-sm: who reaches what memory, whose turn it is, and
 * that a hostile owner harms nobody.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "adi-sm.h"

/* ---- Isolation ----------------------------------------------------------- */

static void test_same_iova(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_scribble(&one, 1);
    owner_scribble(&two, 2);
    adi_post(&one.q, &copy_page);
    adi_post(&two.q, &copy_page);
    adi_wait_done(&one.q);
    adi_wait_done(&two.q);
    bench_assert_bytes(&g.b, one.mem + DST_OFFSET, SM_PAGE, 1, 0);
    bench_assert_bytes(&g.b, two.mem + DST_OFFSET, SM_PAGE, 2, 0);
    ground_stop(&g);
}

/* All three ways at once: two PASIDs, and none. */
static void test_function_beside_adis(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    owner_load(&two);
    bench_assert_function_works(&g.b);
    bench_assert_goes_on(&one.q);
    bench_assert_goes_on(&two.q);
    ground_stop(&g);
}

static void test_scattered_pages(void)
{
    struct adi_completion record;
    Ground g;
    Owner one, two;
    unsigned i;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    /* Three pages of addresses, in reverse order of memory. */
    for (i = 0; i < 3; i++) {
        sm_map(&g.sm, &one.map, OUTSIDE + i * SM_PAGE,
               BENCH_A + (2 - i) * SM_PAGE, 1, SM_RW);
    }
    record = adi_run(&one.q, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 2 * SM_PAGE, .dst = OUTSIDE + 100,
        .operand = 0x0101010101010101ull,
    });
    bench_assert_done(&record, 2 * SM_PAGE);
    g_assert_cmphex(qtest_readb(g.b.qts, BENCH_A + 2 * SM_PAGE + 99), ==, 0);
    g_assert_cmphex(qtest_readb(g.b.qts, BENCH_A + 2 * SM_PAGE + 100), ==, 1);
    g_assert_cmphex(qtest_readb(g.b.qts, BENCH_A + SM_PAGE), ==, 1);
    g_assert_cmphex(qtest_readb(g.b.qts, BENCH_A + 99), ==, 1);
    g_assert_cmphex(qtest_readb(g.b.qts, BENCH_A + 100), ==, 0);
    ground_stop(&g);
}

/* The parent tries; the PASID of an enabled ADI stands. */
static void test_pasid_change_while_enabled(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    adi_writel(&g.b.adi, ADI_CTL(0) + ADI_CTL_PASID, two.pasid);
    qtest_memset(g.b.qts, two.mem + DST_OFFSET, 0x77, SM_PAGE);
    owner_assert_works(&one);
    g_assert_cmphex(qtest_readb(g.b.qts, two.mem + DST_OFFSET), ==, 0x77);
    ground_stop(&g);
}

/* Over to another owner in mid-transfer: the old memory is left alone. */
static void test_next_owner(void)
{
    Ground g;
    Owner one, two, next;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&one);
    adi_writel(&g.b.adi, ADI_CTL(0) + ADI_CTL_CTRL, 0);
    g_assert_cmphex(owner_state(&one), ==, ADI_STATE_DISABLED);
    next = one;
    next.pasid = 6;
    next.mem = BENCH_ADIS + 2 * 4 * LARGE;
    next.domain = 40;
    owner_map(&next);
    adi_give(&g.b.adi, 0, next.pasid);
    g_assert_cmpuint(adi_readq(&g.b.adi, ADI_CTL(0) + ADI_CTL_DONE), ==, 0);
    g_assert_cmphex(adi_q_readq(&next.q, ADI_Q_RING_BASE), ==, 0);
    adi_q_open_order(&next.q, &g.b.adi, 0, IOVA, next.mem, RING_ORDER);
    owner_assert_works(&next);
    owner_assert_no_dma(&one);
    ground_stop(&g);
}

static void test_counters(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_assert_works(&one);
    owner_assert_works(&one);
    g_assert_cmpuint(adi_readq(&g.b.adi, ADI_CTL(0) + ADI_CTL_DONE), ==, 2);
    g_assert_cmpuint(adi_readq(&g.b.adi, ADI_CTL(0) + ADI_CTL_BYTES), ==,
                     2 * SM_PAGE);
    g_assert_cmpuint(adi_readq(&g.b.adi, ADI_CTL(1) + ADI_CTL_DONE), ==, 0);
    ground_stop(&g);
}

static void test_stats_property(void)
{
    Ground g;
    Owner one, two;
    QDict *reply;
    const char *stats;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_assert_works(&one);
    reply = qtest_qmp(g.b.qts, "{ 'execute': 'qom-get', 'arguments': "
                      "{ 'path': '/machine/peripheral/adi',"
                      "  'property': 'adi-stats' } }");
    stats = qdict_get_str(reply, "return");
    g_assert_nonnull(strstr(stats, "\"bytes\": 4096"));
    g_assert_nonnull(strstr(stats, "\"pasid\": 1048575"));
    g_assert_nonnull(strstr(stats, "\"queue\": \"function\""));
    g_assert_null(strstr(stats, "\"queue\": 2"));
    qobject_unref(reply);
    ground_stop(&g);
}

static void test_vectors(void)
{
    Ground g;
    Owner one, two;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    adi_vector_set(&g.b.adi, ADI_VECTOR_ADI(0), BENCH_VECTORS, 0x100);
    adi_vector_set(&g.b.adi, ADI_VECTOR_ADI(1), BENCH_VECTORS + 4, 0x101);
    adi_post(&two.q, &(struct adi_desc) { .flags = ADI_DESC_IRQ });
    adi_wait_done(&two.q);
    g_assert_cmphex(qtest_readl(g.b.qts, BENCH_VECTORS), ==, 0);
    g_assert_cmphex(qtest_readl(g.b.qts, BENCH_VECTORS + 4), ==, 0x101);
    ground_stop(&g);
}

/* ---- Hostile owners ------------------------------------------------------ */

/* Mostly small numbers, as those do the most harm; sometimes any. */
static uint64_t hostile_number(GRand *dice)
{
    uint64_t wide = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);

    return wide >> g_rand_int_range(dice, 0, 64);
}

static uint64_t hostile_addr(GRand *dice)
{
    return g_rand_boolean(dice) ? IOVA + g_rand_int_range(dice, 0, 0x70000)
                                : hostile_number(dice);
}

static void hostile_descriptor(Owner *o, GRand *dice)
{
    struct adi_desc desc = {
        .opcode = g_rand_int_range(dice, 0, 7),
        .flags = g_rand_int_range(dice, 0, 10),
        .len = hostile_number(dice) >> g_rand_int_range(dice, 0, 32),
        .completion = hostile_addr(dice) & ~31ull,
        .src = hostile_addr(dice),
        .dst = hostile_addr(dice),
        .operand = hostile_number(dice),
    };

    adi_put(&o->q, &desc);
}

static void hostile_write(Owner *o, GRand *dice)
{
    uint64_t offset = g_rand_int_range(dice, 0, 0x40) & ~3;

    adi_q_writel(&o->q, offset, hostile_number(dice));
}

/* Sense enough to be taken seriously. */
static void hostile_start(Owner *o)
{
    adi_clear_error(&o->q);
    adi_q_start(&o->q);
}

static void hostile_turn(Owner *o, GRand *dice)
{
    switch (g_rand_int_range(dice, 0, 16)) {
    case 0:
        hostile_start(o);
        break;
    case 1:
    case 2:
        hostile_write(o, dice);
        break;
    case 3 ... 7:
        adi_ring_doorbell(&o->q);
        break;
    case 8:
        adi_clear_error(&o->q);
        break;
    default:
        hostile_descriptor(o, dice);
        break;
    }
}

/* Whatever it writes: only its own memory changes, and only it faults. */
static void test_hostile_owner(void)
{
    g_autoptr(GRand) dice = g_rand_new_with_seed(0xad1);
    Ground g;
    Owner one, two;
    SmFault fault;
    unsigned i;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    bench_scribble(&g.b, two.mem, 256 * KIB, 1);
    adi_q_writel(&two.q, ADI_Q_CTRL, 0);
    for (i = 0; i < 3000; i++) {
        hostile_turn(&one, dice);
        if (sm_fault_take(&g.sm, &fault)) {
            g_assert_true(fault.with_pasid);
            g_assert_cmphex(fault.pasid, ==, one.pasid);
        }
    }
    adi_command(&g.b.adi, 0, ADI_CMD_RESET);
    bench_assert_bytes(&g.b, two.mem, 256 * KIB, 1, 0);
    while (sm_fault_take(&g.sm, &fault)) {
        g_assert_cmphex(fault.pasid, ==, one.pasid);
    }
    sm_fault_overflow_clear(&g.sm);
    adi_q_start(&one.q);
    adi_q_start(&two.q);
    owner_assert_works(&one);
    assert_others_work(&g, &two);
    ground_stop(&g);
}

/* ---- Fairness ------------------------------------------------------------ */

/*
 * While one has 63 MiB to copy, the other does nine small things and then
 * looks at the first one's records, which are mapped for it: with one turn
 * each, not even the first MiB can be done by then.
 */
static void test_turns_are_fair(void)
{
    Ground g;
    Owner one, two;
    unsigned i;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    sm_map(&g.sm, &two.map, OUTSIDE, one.mem + adi_q_records(&one.q), 1, SM_R);
    bench_vm_stop(&g.b);
    for (i = 0; i < 63; i++) {
        adi_post(&one.q, &(struct adi_desc) {
            .opcode = ADI_OP_COPY, .len = MIB,
            .src = LARGE_SRC, .dst = LARGE_DST,
        });
    }
    for (i = 0; i < 9; i++) {
        adi_put(&two.q, &(struct adi_desc) { });
    }
    adi_post(&two.q, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 32, .src = OUTSIDE, .dst = DST,
    });
    qtest_writeb(g.b.qts, two.mem + DST_OFFSET, 0x77);
    bench_vm_cont(&g.b);
    adi_wait_done(&two.q);
    g_assert_cmpuint(qtest_readb(g.b.qts, two.mem + DST_OFFSET), ==,
                     ADI_COMPLETION_PENDING);
    adi_wait_done(&one.q);
    g_assert_cmpuint(adi_record(&one.q, 0).status, ==, ADI_COMPLETION_DONE);
    ground_stop(&g);
}

/* One faults as often as it can; the other's load goes on all the same. */
static void test_fault_storm(void)
{
    Ground g;
    Owner one, two;
    SmFault fault;
    unsigned i;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&two);
    for (i = 0; i < 200; i++) {
        adi_post(&one.q, &(struct adi_desc) {
            .opcode = ADI_OP_FILL, .len = 8, .dst = OUTSIDE,
        });
        adi_wait_state(&one.q, ADI_STATE_ERROR);
        adi_clear_error(&one.q);
    }
    bench_assert_goes_on(&two.q);
    while (sm_fault_take(&g.sm, &fault)) {
        g_assert_cmphex(fault.pasid, ==, one.pasid);
    }
    sm_fault_overflow_clear(&g.sm);
    owner_assert_works(&one);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_isolation_tests(void)
{
    qtest_add_func("/adi/sm/same-iova-other-memory", test_same_iova);
    qtest_add_func("/adi/sm/function-works-beside-adis",
                   test_function_beside_adis);
    qtest_add_func("/adi/sm/pages-may-be-scattered", test_scattered_pages);
    qtest_add_func("/adi/sm/pasid-stands-while-enabled",
                   test_pasid_change_while_enabled);
    qtest_add_func("/adi/sm/next-owner-finds-it-clean", test_next_owner);
    qtest_add_func("/adi/sm/counts-descriptors-and-bytes", test_counters);
    qtest_add_func("/adi/sm/stats-are-a-property", test_stats_property);
    qtest_add_func("/adi/sm/interrupts-by-its-own-vector", test_vectors);
    qtest_add_func("/adi/sm/turns-are-fair", test_turns_are_fair);
    qtest_add_func("/adi/sm/a-storm-of-faults-stops-nobody", test_fault_storm);
    qtest_add_func("/adi/sm/a-hostile-owner-harms-nobody", test_hostile_owner);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_isolation_tests();
    return g_test_run();
}
