/*
 * Devices that go, come and move while intel-iommu-sm is at work for them:
 * hot-unplug with DMA under way, reset with DMA under way, new bus numbers.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "adi-sm.h"
#include "sm-interrupt.h"
#include "sm-pages.h"

#define PORT_ARGS       Q35_NATIVE_HOTPLUG \
                        "-device pcie-root-port,id=rp,addr=4.0,chassis=1 "
#define PORT_SID        Q35_SID(0, 4, 0)
#define BUS             3
#define NEXT_BUS        5
#define INDEX           5u
#define VECTOR          0x51

/* Fault reasons [VT-d 5.1.4.1, 7.1.3]. */
enum {
    IR_SOURCE_INVALID = 0x26,
    ROOT_NOT_PRESENT = 0x39,
};

/* ---- An edu behind a port ------------------------------------------------ */

typedef struct PlugBed {
    SmBed bed;
    Q35Function port;
    SmMap map;
} PlugBed;

static void edu_at(PlugBed *p, uint8_t bus)
{
    q35_bridge_open(&p->port, bus);
    p->bed.next_bar = Q35_MMIO + 16 * MiB;
    edu_open(&p->bed.edu, p->bed.qts, Q35_SID(bus, 0, 0), &p->bed.next_bar);
}

/* SM_BED_IOVA leads to data pages 0 and 1; nothing is invalidated. */
static void edu_mapped(PlugBed *p)
{
    p->map = sm_map_new(&p->bed.sm, 4);
    sm_map(&p->bed.sm, &p->map, SM_BED_IOVA, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(&p->bed, p->map);
}

static void plug_open(PlugBed *p)
{
    sm_bed_open(&p->bed, "", PORT_ARGS EDU_DEVICE ",bus=rp,id=edu0");
    p->port = (Q35Function) { p->bed.qts, PORT_SID };
    edu_at(p, BUS);
    edu_mapped(p);
    sm_start(&p->bed.sm);
}

/* Its store to @iova begins, and has not happened yet. */
static void edu_store_begin(Edu *edu, uint64_t iova)
{
    QTestState *qts = edu->f.qts;

    qtest_writeq(qts, edu->bar + EDU_REG_SRC, EDU_BUFFER);
    qtest_writeq(qts, edu->bar + EDU_REG_DST, iova);
    qtest_writeq(qts, edu->bar + EDU_REG_COUNT, 8);
    qtest_writeq(qts, edu->bar + EDU_REG_COMMAND,
                 EDU_COMMAND_STORE | EDU_COMMAND_RUN);
}

static void unplug(PlugBed *p)
{
    q35_slot_set(&p->port, Q35_SLOT_OFF);
    qtest_qmp_eventwait(p->bed.qts, "DEVICE_DELETED");
    g_assert_cmphex(q35_config_readl(&p->bed.edu.f, PCI_VENDOR_ID), ==,
                    0xffffffff);
}

static void plug(PlugBed *p)
{
    qtest_qmp_assert_success(p->bed.qts, "{ 'execute': 'device_add',"
        " 'arguments': { 'driver': 'edu', 'dma_mask': %" PRIu64 ","
        " 'bus': 'rp' } }", UINT64_MAX);
    q35_slot_set(&p->port, Q35_SLOT_ON);
    edu_at(p, BUS);
}

static void test_unplug(void)
{
    PlugBed p;

    plug_open(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    sm_bed_blank(&p.bed, 1);
    edu_store_begin(&p.bed.edu, SM_BED_IOVA + SM_PAGE);
    unplug(&p);
    qtest_clock_step(p.bed.qts, EDU_DMA_NS);
    sm_bed_assert_blank(&p.bed, 1);
    sm_invalidate_all(&p.bed.sm);
    sm_bed_close(&p.bed);
}

/* Nobody tells the unit: what it cached is there for the next device. */
static void test_cache_outlives_device(void)
{
    PlugBed p;

    plug_open(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    unplug(&p);
    sm_unmap(&p.bed.sm, &p.map, SM_BED_IOVA, 2);
    plug(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    sm_bed_close(&p.bed);
}

static void test_plug_again(void)
{
    PlugBed p;

    plug_open(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    unplug(&p);
    sm_invalidate_all(&p.bed.sm);
    plug(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    sm_bed_close(&p.bed);
}

/* edu does not forget its DMA; but its bus mastering is off, and so is the unit. */
static void test_reset(void)
{
    PlugBed p;

    plug_open(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    sm_bed_blank(&p.bed, 1);
    edu_store_begin(&p.bed.edu, SM_BED_IOVA + SM_PAGE);
    qtest_system_reset(p.bed.qts);
    qtest_clock_step(p.bed.qts, EDU_DMA_NS);
    sm_bed_assert_blank(&p.bed, 1);
    g_assert_cmphex(sm_readl(&p.bed.sm, SM_REG_GSTS), ==, 0);
    g_assert_cmphex(sm_readl(&p.bed.sm, SM_REG_FSTS), ==, 0);
    sm_bed_close(&p.bed);
}

static void test_translation_off(void)
{
    PlugBed p;

    plug_open(&p);
    sm_bed_assert_copies(&p.bed, SM_BED_IOVA);
    sm_bed_blank(&p.bed, 1);
    edu_store_begin(&p.bed.edu, sm_bed_page(1));
    sm_command_off(&p.bed.sm, SM_GCMD_TE);
    qtest_clock_step(p.bed.qts, EDU_DMA_NS);
    sm_bed_assert_pattern(&p.bed, 1, 0);
    sm_bed_close(&p.bed);
}

/* ---- Bus numbers --------------------------------------------------------- */

static void entry_verify(IrBed *ir, uint16_t sid)
{
    qtest_writeq(ir->bed.qts, ir->table + INDEX * 16 + 8, 1 << 18 | sid);
    sm_invalidate(&ir->bed.sm, (uint64_t)INDEX << 32 | 1 << 4 | 4, 0);
}

static void test_interrupt_moves(void)
{
    SmFault fault;
    PlugBed p;
    IrBed ir;

    plug_open(&p);
    ir.bed = p.bed;
    ir.table = sm_page(&ir.bed.sm);
    sm_writeq(&ir.bed.sm, REG_IRTA, ir.table | IRTA_256);
    sm_command(&ir.bed.sm, GCMD_SIRTP);
    sm_command(&ir.bed.sm, GCMD_IRE);
    entry_set(&ir, INDEX, VECTOR);
    entry_verify(&ir, Q35_SID(BUS, 0, 0));
    edu_at(&p, NEXT_BUS);
    ir.bed.edu = p.bed.edu;
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(sm_fault_take(&ir.bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, IR_SOURCE_INVALID);
    g_assert_cmphex(fault.sid, ==, Q35_SID(NEXT_BUS, 0, 0));
    g_assert_false(requested(&ir.bed, VECTOR));

    entry_verify(&ir, Q35_SID(NEXT_BUS, 0, 0));
    raise_msi(&ir, remappable(INDEX), 0);
    g_assert_true(requested(&ir.bed, VECTOR));
    sm_bed_close(&ir.bed);
}

/* ---- An adi behind a port, under load ------------------------------------ */

static void adi_at(Ground *g, uint8_t bus)
{
    Q35Function port = { g->b.qts, PORT_SID };

    q35_bridge_open(&port, bus);
    adi_open(&g->b.adi, g->b.qts, Q35_SID(bus, 0, 0));
}

static void adi_started(Ground *g, Owner *one)
{
    ground_tables(g, Q35_SID(BUS, 0, 0));
    adi_at(g, BUS);
    owner_start(one, g, 0, 5);
}

static void adi_under_load(Ground *g, Owner *one)
{
    g->b.qts = q35_start("-device intel-iommu-sm " PORT_ARGS
                         "-device adi,adis=4,bus=rp");
    adi_started(g, one);
    owner_load(one);
    bench_assert_goes_on(&one->q);
}

static void test_adi_unplug(void)
{
    Ground g;
    Owner one;
    Q35Function port;

    adi_under_load(&g, &one);
    port = (Q35Function) { g.b.qts, PORT_SID };
    q35_slot_set(&port, Q35_SLOT_OFF);
    qtest_qmp_eventwait(g.b.qts, "DEVICE_DELETED");
    owner_assert_no_dma(&one);
    sm_invalidate_all(&g.sm);
    ground_stop(&g);
}

static void test_adi_reset(void)
{
    Ground g;
    Owner one;

    adi_under_load(&g, &one);
    qtest_system_reset(g.b.qts);
    owner_assert_no_dma(&one);
    g_assert_cmphex(sm_readl(&g.sm, SM_REG_FSTS), ==, 0);
    q35_config_open(g.b.qts);
    adi_started(&g, &one);
    owner_assert_works(&one);
    ground_stop(&g);
}

/* A PASID is one of the requester that the bus number makes. */
static void test_adi_moves(void)
{
    Ground g;
    Owner one;

    g.b.qts = q35_start("-device intel-iommu-sm " PORT_ARGS
                        "-device adi,adis=4,bus=rp");
    adi_started(&g, &one);
    owner_assert_works(&one);
    adi_at(&g, NEXT_BUS);
    adi_post(&one.q, &(struct adi_desc) { .opcode = ADI_OP_NOP });
    adi_wait_error(&one.q, ADI_ERR_FETCH, 1);
    assert_fault(&g, ROOT_NOT_PRESENT, 5, IOVA, true);
    ground_stop(&g);
}

/* ---- An adi that others wait for ----------------------------------------- */

#define IOMMU_PATH      "/machine/peripheral/iommu0"
#define MS              1000000ull
#define TIMEOUT_MS      200
#define FSTS_ITE        (1u << 6)
#define REG_IQERCD      0x0b0

static void adi_ats_at(Ground *g, Owner *one)
{
    adi_at(g, BUS);
    adi_ats_set(&g->b.adi, true);
    adi_pri_set(&g->b.adi, 8);
    owner_start(one, g, 0, 5);
}

/* With ATS and PRI; the unit has @props. */
static void adi_ats_started(Ground *g, Owner *one, const char *props)
{
    g_autofree char *args = g_strdup_printf(
        "-device intel-iommu-sm,id=iommu0,ats=on,device-tlb-timeout=%u%s "
        PORT_ARGS "-device adi,adis=4,ats=on,pri=on,bus=rp", TIMEOUT_MS, props);
    uint16_t sid = Q35_SID(BUS, 0, 0);

    g->b.qts = q35_start(args);
    sm_init(&g->sm, g->b.qts, TABLES, TABLES_SIZE);
    sm_context_set(&g->sm, sid, 0);
    sm_context_allow_pages(&g->sm, sid);
    sm_pages_start(&g->sm);
    sm_start(&g->sm);
    adi_ats_at(g, one);
}

static void adi_unplug(Ground *g)
{
    Q35Function port = { g->b.qts, PORT_SID };

    q35_slot_set(&port, Q35_SLOT_OFF);
    qtest_qmp_eventwait(g->b.qts, "DEVICE_DELETED");
}

static void adi_plug(Ground *g, Owner *one)
{
    Q35Function port = { g->b.qts, PORT_SID };

    qtest_qmp_assert_success(g->b.qts, "{ 'execute': 'device_add',"
        " 'arguments': { 'driver': 'adi', 'adis': 4, 'ats': true,"
        " 'pri': true, 'bus': 'rp' } }");
    q35_slot_set(&port, Q35_SLOT_ON);
    adi_ats_at(g, one);
}

/* Software answers before it has heard; the next device knows of nothing. */
static void test_adi_unplug_waiting(void)
{
    SmPageRequest request;
    Ground g;
    Owner one;

    adi_ats_started(&g, &one, "");
    sm_unmap(&g.sm, &one.map, SRC, 1);
    adi_post(&one.q, &copy_page);
    request = sm_page_take(&g.sm);
    g_assert_cmphex(request.page, ==, SRC);
    adi_unplug(&g);
    sm_page_respond(&g.sm, &request, SM_PAGE_SUCCESS);
    sm_invalidate_all(&g.sm);
    adi_plug(&g, &one);
    owner_assert_works(&one);
    ground_stop(&g);
}

/* An invalidation goes out, and the device with it. */
static void unplug_unanswered(Ground *g, Owner *one)
{
    adi_ats_started(g, one, ",device-tlb-silent=03:00.0");
    owner_assert_works(one);
    sm_queue_put(&g->sm, 8 | (uint64_t)Q35_SID(BUS, 0, 0) << 16 |
                 (uint64_t)one->pasid << 32, SRC);
    g->sm.wait_value++;
    sm_queue_put(&g->sm, (uint64_t)g->sm.wait_value << 32 | 1 << 5 | 5,
                 g->sm.wait_status);
    adi_unplug(g);
    g_assert_cmphex(qtest_readl(g->b.qts, g->sm.wait_status), !=,
                    g->sm.wait_value);
    g_assert_cmphex(sm_readl(&g->sm, SM_REG_FSTS) & FSTS_ITE, ==, 0);
}

static void nobody_is_silent(Ground *g)
{
    qtest_qmp_assert_success(g->b.qts, "{ 'execute': 'qom-set', 'arguments':"
        " { 'path': '" IOMMU_PATH "', 'property': 'device-tlb-silent',"
        " 'value': '' } }");
}

/* The wait behind it is lost; software asks once more. */
static void test_adi_unplug_in_flight(void)
{
    Ground g;
    Owner one;

    unplug_unanswered(&g, &one);
    qtest_clock_step(g.b.qts, TIMEOUT_MS * MS);
    g_assert_cmphex(sm_readl(&g.sm, SM_REG_FSTS) & FSTS_ITE, ==, FSTS_ITE);
    g_assert_cmphex(sm_readq(&g.sm, REG_IQERCD) >> 32 & 0xffff, ==,
                    Q35_SID(BUS, 0, 0));
    sm_writel(&g.sm, SM_REG_FSTS, FSTS_ITE);
    nobody_is_silent(&g);
    sm_invalidate_all(&g.sm);
    adi_plug(&g, &one);
    owner_assert_works(&one);
    ground_stop(&g);
}

/* An answer that comes from where nothing is any more is one, too. */
static void test_adi_unplug_answered_late(void)
{
    Ground g;
    Owner one;

    unplug_unanswered(&g, &one);
    nobody_is_silent(&g);
    g_assert_cmphex(qtest_readl(g.b.qts, g.sm.wait_status), ==,
                    g.sm.wait_value);
    qtest_clock_step(g.b.qts, 2 * TIMEOUT_MS * MS);
    g_assert_cmphex(sm_readl(&g.sm, SM_REG_FSTS) & FSTS_ITE, ==, 0);
    adi_plug(&g, &one);
    owner_assert_works(&one);
    ground_stop(&g);
}

/* ---- Main ---------------------------------------------------------------- */

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/plug/unplugged-with-dma-under-way", test_unplug);
    qtest_add_func("/sm/plug/caches-outlive-the-device",
                   test_cache_outlives_device);
    qtest_add_func("/sm/plug/plugged-in-again", test_plug_again);
    qtest_add_func("/sm/plug/reset-with-dma-under-way", test_reset);
    qtest_add_func("/sm/plug/translation-off-with-dma-under-way",
                   test_translation_off);
    qtest_add_func("/sm/plug/interrupts-follow-the-bus-number",
                   test_interrupt_moves);
    qtest_add_func("/sm/plug/adi-unplugged-under-load", test_adi_unplug);
    qtest_add_func("/sm/plug/adi-reset-under-load", test_adi_reset);
    qtest_add_func("/sm/plug/pasids-follow-the-bus-number", test_adi_moves);
    qtest_add_func("/sm/plug/adi-unplugged-while-it-waits-for-a-page",
                   test_adi_unplug_waiting);
    qtest_add_func("/sm/plug/adi-unplugged-with-an-invalidation-in-flight",
                   test_adi_unplug_in_flight);
    qtest_add_func("/sm/plug/adi-unplugged-before-it-answers",
                   test_adi_unplug_answered_late);
    return g_test_run();
}
