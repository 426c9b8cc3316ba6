/*
 * ADIs behind intel-iommu-sm: who reaches what memory, what a fault says, and
 * that one owner's trouble is not another's.
 *
 * The tests are bare metal.  They write the tables (sm-tables.h), own two or
 * more ADIs at the same I/O virtual address, and look into guest memory for
 * what happened.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "adi-bench.h"
#include "sm-tables.h"

/*
 * What an owner's address space holds: small pages for ring, records and
 * data, and above them two large ones for long copies.
 */
#define IOVA            0x40000000ull
#define SMALL_PAGES     16u
#define LARGE           (2 * MIB)
#define LARGE_SRC       (IOVA + LARGE)
#define LARGE_DST       (IOVA + 2 * LARGE)
#define RING_ORDER      8u              /* 0x4000 bytes, records 0x2000 */
#define SRC_OFFSET      0x8000u         /* in the small pages */
#define DST_OFFSET      0xc000u
#define SRC             (IOVA + SRC_OFFSET)
#define DST             (IOVA + DST_OFFSET)
#define OUTSIDE         (IOVA + SMALL_PAGES * SM_PAGE)

#define TABLES          (128 * MIB)
#define TABLES_SIZE     (96 * MIB)

#define RID_DOMAIN      1

/* Fault reasons [VT-d 7.1.3]. */
#define FAULT_PASID_NOT_PRESENT 0x59
#define FAULT_SS_NOT_PRESENT    0x79
#define FAULT_NO_WRITE          0x85

typedef struct Ground {
    Bench b;
    Sm sm;
} Ground;

/* An ADI, its PASID and its memory: 6 MiB at @mem. */
typedef struct Owner {
    Ground *g;
    unsigned n;
    uint32_t pasid;
    uint16_t domain;
    uint64_t mem;
    SmMap map;
    AdiQ q;
} Owner;

/* ---- Fixture ------------------------------------------------------------- */

/* The function itself is not translated: its PASID 0 passes through. */
static void ground_tables(Ground *g, uint16_t sid)
{
    sm_init(&g->sm, g->b.qts, TABLES, TABLES_SIZE);
    sm_context_set(&g->sm, sid, 0);
    sm_pasid_set(&g->sm, sid, 0, &(SmPasid) { SM_PASS_THROUGH, RID_DOMAIN });
    sm_start(&g->sm);
}

static bool ground_possible(void)
{
    if (qtest_has_device("intel-iommu-sm")) {
        return true;
    }
    g_test_skip("no intel-iommu-sm in this binary");
    return false;
}

static void ground_start(Ground *g, unsigned adis)
{
    g_autofree char *args = g_strdup_printf("-device intel-iommu-sm "
                                            "-device adi,id=adi,adis=%u,"
                                            "addr=0x4", adis);

    g->b.qts = q35_start(args);
    ground_tables(g, BENCH_SID);
    adi_open(&g->b.adi, g->b.qts, BENCH_SID);
    adi_q_open(&g->b.fq, &g->b.adi, ADI_FUNCTION, BENCH_FUNCTION,
               BENCH_FUNCTION);
}

/* Each test ends with it. */
static void ground_stop(Ground *g)
{
    sm_assert_no_fault(&g->sm);
    bench_stop(&g->b);
}

static void owner_map(Owner *o)
{
    Sm *sm = &o->g->sm;

    o->map = sm_map_new(sm, 4);
    sm_map(sm, &o->map, IOVA, o->mem, SMALL_PAGES, SM_RW);
    sm_map_large(sm, &o->map, LARGE_SRC, o->mem + LARGE, 2, SM_RW);
    sm_map_large(sm, &o->map, LARGE_DST, o->mem + 2 * LARGE, 2, SM_RW);
    sm_pasid_set(sm, o->g->b.adi.f.sid, o->pasid, &(SmPasid) {
        SM_SECOND_STAGE, o->domain, o->map,
    });
}

/* ADI @n gets PASID @pasid and memory of its own, and starts. */
static void owner_start(Owner *o, Ground *g, unsigned n, uint32_t pasid)
{
    *o = (Owner) {
        .g = g, .n = n, .pasid = pasid, .domain = 16 + n,
        .mem = BENCH_ADIS + n * 4 * LARGE,
    };
    owner_map(o);
    adi_give(&g->b.adi, n, pasid);
    adi_q_open_order(&o->q, &g->b.adi, n, IOVA, o->mem, RING_ORDER);
}

static void owner_scribble(Owner *o, uint32_t seed)
{
    bench_scribble(&o->g->b, o->mem + SRC_OFFSET, SM_PAGE, seed);
}

/* The page at SRC copied to DST, within the owner's memory. */
static const struct adi_desc copy_page = {
    .opcode = ADI_OP_COPY, .len = SM_PAGE, .src = SRC, .dst = DST,
};

static void owner_assert_works(Owner *o)
{
    struct adi_completion record;

    owner_scribble(o, o->pasid);
    record = adi_run(&o->q, &copy_page);
    bench_assert_done(&record, SM_PAGE);
    bench_assert_bytes(&o->g->b, o->mem + DST_OFFSET, SM_PAGE, o->pasid, 0);
}

/* As many copies of 1 MiB as the ring holds. */
static void owner_load(Owner *o)
{
    bench_load(&o->q, LARGE_SRC, LARGE_DST);
}

static uint32_t owner_state(Owner *o)
{
    return adi_readl(&o->g->b.adi, adi_state_reg(o->n));
}

/* Nothing is written to the destination of owner_load() any more. */
static void owner_assert_no_dma(Owner *o)
{
    qtest_memset(o->g->b.qts, o->mem + 2 * LARGE, 0x5a, MIB);
    g_usleep(20000);
    g_assert_cmphex(qtest_readq(o->g->b.qts, o->mem + 2 * LARGE), ==,
                    0x5a5a5a5a5a5a5a5aull);
    g_assert_cmphex(qtest_readq(o->g->b.qts, o->mem + 2 * LARGE + MIB - 8), ==,
                    0x5a5a5a5a5a5a5a5aull);
}

static void assert_fault(Ground *g, uint8_t reason, uint32_t pasid,
                         uint64_t page, bool is_read)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&g->sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, g->b.adi.f.sid);
    g_assert_true(fault.with_pasid);
    g_assert_cmphex(fault.pasid, ==, pasid);
    g_assert_cmphex(fault.page, ==, page);
    g_assert_cmpint(fault.is_read, ==, is_read);
}

/* Two owners, both at IOVA, PASIDs 5 and 0xfffff. */
static bool two_owners(Ground *g, Owner *one, Owner *two)
{
    if (!ground_possible()) {
        return false;
    }
    ground_start(g, 4);
    owner_start(one, g, 0, 5);
    owner_start(two, g, 1, 0xfffff);
    return true;
}

static void assert_others_work(Ground *g, Owner *neighbour)
{
    owner_assert_works(neighbour);
    bench_assert_function_works(&g->b);
}

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
    adi_wait_done(&one.q);
    adi_wait_done(&two.q);
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

/* ---- Hostile owners ------------------------------------------------------ */

/* Mostly small numbers, as those do the most harm; sometimes any. */
static uint64_t hostile_number(GRand *dice)
{
    uint64_t wide = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);

    return wide >> g_rand_int_range(dice, 0, 64);
}

static uint64_t hostile_addr(GRand *dice)
{
    return g_rand_boolean(dice) ? IOVA + g_rand_int_range(dice, 0, 0x20000)
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

/* One faults as often as it can; the other's load goes through all the same. */
static void test_fault_storm(void)
{
    Ground g;
    Owner one, two;
    SmFault fault;

    if (!two_owners(&g, &one, &two)) {
        return;
    }
    owner_load(&two);
    while (adi_q_readl(&two.q, ADI_Q_STATUS) == ADI_STATE_BUSY) {
        adi_post(&one.q, &(struct adi_desc) {
            .opcode = ADI_OP_FILL, .len = 8, .dst = OUTSIDE,
        });
        adi_wait_state(&one.q, ADI_STATE_ERROR);
        adi_clear_error(&one.q);
    }
    adi_wait_done(&two.q);
    while (sm_fault_take(&g.sm, &fault)) {
        g_assert_cmphex(fault.pasid, ==, one.pasid);
    }
    sm_fault_overflow_clear(&g.sm);
    owner_assert_works(&one);
    ground_stop(&g);
}

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
    adi_wait_done(&two.q);
    adi_command(&g.b.adi, 0, ADI_CMD_RESUME);
    adi_wait_done(&one.q);
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
    adi_wait_done(&two.q);
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
    qtest_add_func("/adi/sm/a-hostile-owner-harms-nobody", test_hostile_owner);
}

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
    qtest_add_func("/adi/sm/fault/a-storm-of-them", test_fault_storm);
}

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
    add_isolation_tests();
    add_fault_tests();
    add_load_tests();
    return g_test_run();
}
