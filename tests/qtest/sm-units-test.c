/*
 * Two remapping units in one machine: each has its own registers, tables,
 * caches, faults and interrupts, and serves the devices of its own root bus.
 *
 * The first unit serves the main root bus and an edu at 00:02.0; the second an
 * expander's root bus 40h, with an edu behind a root port, at 41:00.0.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "adi-sm.h"
#include "sm-interrupt.h"

#define INDEX           5u
#define VECTOR          0x51
#define OTHER_VECTOR    0x63
#define AS_IS_VECTOR    0x72

/* Fault reasons [VT-d 7.1.3]. */
enum {
    ROOT_NOT_PRESENT = 0x39,
    SS_NOT_PRESENT = 0x79,
};

#define ROOT_BUS        0x40
#define PORT_BUS        0x41
#define SECOND_UNIT     (SM_UNIT_BASE + SM_UNIT_STRIDE)

#define EXPANDER        "-device pxb-pcie,id=px,bus_nr=64 " \
                        "-device intel-iommu-sm,id=iommu1,primary-bus=px"
#define EXPANDER_PORT   " -device pcie-root-port,id=prp,bus=px,chassis=9,addr=0"

/* Two beds of one machine. */
typedef struct Units {
    SmBed first, second;
} Units;

static void second_unit_init(Units *u)
{
    u->second = u->first;
    sm_init(&u->second.sm, u->first.qts, SM_BED_TABLES + 8 * MiB, 8 * MiB);
    u->second.sm.unit = SECOND_UNIT;
}

static void second_edu_open(Units *u, uint16_t port, uint8_t bus)
{
    Q35Function f = { u->first.qts, port };

    q35_bridge_open(&f, bus);
    q35_config_writeb(&f, PCI_PRIMARY_BUS, port >> 8);
    u->second.next_bar = Q35_MMIO + 64 * MiB;
    edu_open(&u->second.edu, u->first.qts, Q35_SID(bus, 0, 0),
             &u->second.next_bar);
}

static void units_open(Units *u, const char *second_props)
{
    g_autofree char *more = g_strdup_printf(
        EXPANDER "%s" EXPANDER_PORT " " EDU_DEVICE ",bus=prp", second_props);

    sm_bed_open(&u->first, "", more);
    second_unit_init(u);
    second_edu_open(u, Q35_SID(ROOT_BUS, 0, 0), PORT_BUS);
}

static void units_close(Units *u)
{
    sm_assert_no_fault(&u->second.sm);
    sm_bed_close(&u->first);
}

/* SM_BED_IOVA leads @bed's edu to pages @n and @n + 1 of the data. */
static SmMap use_pages(SmBed *bed, unsigned n)
{
    SmMap map = sm_map_new(&bed->sm, 4);

    sm_map(&bed->sm, &map, SM_BED_IOVA, sm_bed_page(n), 2, SM_RW);
    sm_bed_use_map(bed, map);
    return map;
}

static void assert_copies_pages(SmBed *bed, unsigned n)
{
    sm_bed_fill(bed, n);
    sm_bed_blank(bed, n + 1);
    edu_copy(&bed->edu, SM_BED_IOVA, SM_BED_IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(bed, n + 1, n);
}

/* ---- Registers ----------------------------------------------------------- */

static void test_registers(void)
{
    Units u;

    units_open(&u, ",aw-bits=39");
    sm_writeq(&u.first.sm, SM_REG_RTADDR, 0x1000);
    sm_writeq(&u.second.sm, SM_REG_RTADDR, 0x2000);
    g_assert_cmphex(sm_readq(&u.first.sm, SM_REG_RTADDR), ==, 0x1000);
    g_assert_cmphex(sm_readq(&u.second.sm, SM_REG_RTADDR), ==, 0x2000);
    g_assert_cmphex(sm_readq(&u.first.sm, SM_REG_CAP) >> 16 & 0x3f, ==, 47);
    g_assert_cmphex(sm_readq(&u.second.sm, SM_REG_CAP) >> 16 & 0x3f, ==, 38);
    units_close(&u);
}

static void assert_reset(Sm *sm)
{
    g_assert_cmphex(sm_readl(sm, SM_REG_GSTS), ==, 0);
    g_assert_cmphex(sm_readq(sm, SM_REG_RTADDR), ==, 0);
    g_assert_cmphex(sm_readl(sm, SM_REG_FSTS), ==, 0);
}

static void test_reset(void)
{
    Units u;

    units_open(&u, "");
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    edu_load(&u.first.edu, SM_BED_IOVA, 4);
    edu_load(&u.second.edu, SM_BED_IOVA, 4);
    g_assert_cmphex(sm_readl(&u.second.sm, SM_REG_FSTS) & SM_FSTS_PPF, !=, 0);
    qtest_system_reset(u.first.qts);
    assert_reset(&u.first.sm);
    assert_reset(&u.second.sm);
    units_close(&u);
}

/* ---- Translation --------------------------------------------------------- */

static void test_own_tables(void)
{
    Units u;

    units_open(&u, "");
    use_pages(&u.first, 0);
    use_pages(&u.second, 4);
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.first, 0);
    assert_copies_pages(&u.second, 4);
    units_close(&u);
}

/* What the tables of a unit say of another unit's device means nothing. */
static void test_foreign_entry(void)
{
    Units u;
    SmBed wrong;

    units_open(&u, "");
    wrong = u.first;
    wrong.edu = u.second.edu;
    use_pages(&wrong, 0);
    sm_start(&wrong.sm);
    u.first.sm = wrong.sm;
    use_pages(&u.second, 4);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.second, 4);
    units_close(&u);
}

static void test_faults(void)
{
    Units u;

    units_open(&u, "");
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    edu_load(&u.second.edu, SM_BED_IOVA, 4);
    sm_assert_no_fault(&u.first.sm);
    sm_bed_assert_fault(&u.second, ROOT_NOT_PRESENT, SM_BED_IOVA, true);
    edu_load(&u.first.edu, SM_BED_IOVA, 4);
    sm_assert_no_fault(&u.second.sm);
    sm_bed_assert_fault(&u.first, ROOT_NOT_PRESENT, SM_BED_IOVA, true);
    units_close(&u);
}

static void test_second_alone(void)
{
    Units u;

    units_open(&u, "");
    use_pages(&u.second, 4);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.second, 4);
    sm_bed_assert_copies(&u.first, sm_bed_page(0));
    units_close(&u);
}

static void test_first_alone(void)
{
    Units u;

    units_open(&u, "");
    use_pages(&u.first, 4);
    sm_start(&u.first.sm);
    assert_copies_pages(&u.first, 4);
    sm_bed_assert_copies(&u.second, sm_bed_page(0));
    units_close(&u);
}

/* Same domain, same address: but another unit's cache. */
static void test_own_caches(void)
{
    Units u;
    SmMap maps[2];

    units_open(&u, "");
    maps[0] = use_pages(&u.first, 0);
    maps[1] = use_pages(&u.second, 4);
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.first, 0);
    assert_copies_pages(&u.second, 4);
    sm_unmap(&u.first.sm, &maps[0], SM_BED_IOVA, 1);
    sm_unmap(&u.second.sm, &maps[1], SM_BED_IOVA, 1);
    sm_invalidate_all(&u.first.sm);
    assert_copies_pages(&u.second, 4);
    edu_load(&u.first.edu, SM_BED_IOVA, 4);
    sm_bed_assert_fault(&u.first, SS_NOT_PRESENT, SM_BED_IOVA, true);
    units_close(&u);
}

/* ---- Whose a device is --------------------------------------------------- */

static void test_plugged_later(void)
{
    Q35Function port;
    Units u;

    sm_bed_open(&u.first, "", EXPANDER EXPANDER_PORT);
    second_unit_init(&u);
    use_pages(&u.first, 0);
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    qtest_qmp_assert_success(u.first.qts, "{ 'execute': 'device_add',"
        " 'arguments': { 'driver': 'edu', 'dma_mask': %" PRIu64 ","
        " 'bus': 'prp' } }", UINT64_MAX);
    port = (Q35Function) { u.first.qts, Q35_SID(ROOT_BUS, 0, 0) };
    q35_slot_set(&port, Q35_SLOT_ON);   /* an empty slot has no power */
    second_edu_open(&u, port.sid, PORT_BUS);
    use_pages(&u.second, 4);
    assert_copies_pages(&u.second, 4);
    units_close(&u);
}

/* An expander without a unit of its own: the first has all the rest. */
static void test_rest(void)
{
    Units u;

    sm_bed_open(&u.first, "", "-device pxb-pcie,id=px,bus_nr=64" EXPANDER_PORT
                " " EDU_DEVICE ",bus=prp");
    u.second = u.first;
    second_edu_open(&u, Q35_SID(ROOT_BUS, 0, 0), PORT_BUS);
    use_pages(&u.second, 4);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.second, 4);
    sm_bed_close(&u.second);
}

#define PORT_UNIT       Q35_NATIVE_HOTPLUG \
                        "-device pcie-root-port,id=rp,bus=pcie.0,addr=4," \
                        "chassis=1,slot=1 " \
                        "-device intel-iommu-sm,id=iommu1,primary-bus=rp "

static void test_root_port(void)
{
    Units u;

    sm_bed_open(&u.first, "", PORT_UNIT EDU_DEVICE ",bus=rp");
    second_unit_init(&u);
    second_edu_open(&u, Q35_SID(0, 4, 0), 3);
    use_pages(&u.first, 0);
    use_pages(&u.second, 4);
    sm_start(&u.first.sm);
    sm_start(&u.second.sm);
    assert_copies_pages(&u.first, 0);
    assert_copies_pages(&u.second, 4);
    units_close(&u);
}

/* ---- DMA with PASID ------------------------------------------------------ */

static char *pasid_stats(QTestState *qts, const char *unit)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", unit);
    QDict *answer = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                              " 'path': %s, 'property': 'pasid-stats' } }",
                              path);
    char *json = g_strdup(qdict_get_str(answer, "return"));

    qobject_unref(answer);
    return json;
}

static void test_pasid(void)
{
    g_autofree char *first = NULL, *second = NULL;
    Q35Function port;
    Ground g;
    Owner one;

    g.b.qts = q35_start("-device intel-iommu-sm,id=iommu0 " EXPANDER
                        EXPANDER_PORT " -device adi,adis=4,bus=prp");
    port = (Q35Function) { g.b.qts, Q35_SID(ROOT_BUS, 0, 0) };
    q35_bridge_open(&port, PORT_BUS);
    sm_init(&g.sm, g.b.qts, TABLES, TABLES_SIZE);
    g.sm.unit = SECOND_UNIT;
    sm_context_set(&g.sm, Q35_SID(PORT_BUS, 0, 0), 0);
    sm_start(&g.sm);
    adi_open(&g.b.adi, g.b.qts, Q35_SID(PORT_BUS, 0, 0));
    owner_start(&one, &g, 3, 9);
    owner_assert_works(&one);
    first = pasid_stats(g.b.qts, "iommu0");
    second = pasid_stats(g.b.qts, "iommu1");
    g_assert_cmpstr(first, ==, "[]");
    g_assert_nonnull(strstr(second, "\"source_id\": \"41:00.0\""));
    g_assert_nonnull(strstr(second, "\"pasid\": 9"));
    ground_stop(&g);
}

/* ---- Interrupts ---------------------------------------------------------- */

static void test_own_interrupt_tables(void)
{
    IrBed first, second;
    Units u;

    units_open(&u, "");
    first.bed = u.first;
    second.bed = u.second;
    ir_start(&first, 0);
    ir_start(&second, 0);
    entry_set(&first, INDEX, VECTOR);
    entry_set(&second, INDEX, OTHER_VECTOR);
    raise_msi(&second, remappable(INDEX), 0);
    g_assert_true(requested(&second.bed, OTHER_VECTOR));
    g_assert_false(requested(&second.bed, VECTOR));
    raise_msi(&first, remappable(INDEX), 0);
    g_assert_true(requested(&first.bed, VECTOR));
    units_close(&u);
}

static void test_interrupts_of_one(void)
{
    IrBed first, second;
    SmFault fault;
    Units u;

    units_open(&u, "");
    first.bed = u.first;
    second.bed = u.second;
    ir_start(&second, 0);
    raise_msi(&first, AS_IS_ADDR, AS_IS_VECTOR);
    g_assert_true(requested(&first.bed, AS_IS_VECTOR));
    raise_msi(&second, AS_IS_ADDR, VECTOR);
    g_assert_false(requested(&second.bed, VECTOR));
    g_assert_true(sm_fault_take(&second.bed.sm, &fault));
    g_assert_cmphex(fault.sid, ==, second.bed.edu.f.sid);
    units_close(&u);
}

/* The port leads to the second unit's bus, and is itself the second unit's. */
static void test_interrupt_of_port(void)
{
    IrBed second;
    Units u;
    Q35Function port;
    uint64_t table;
    unsigned pos;

    sm_bed_open(&u.first, "", PORT_UNIT);
    second_unit_init(&u);
    second.bed = u.second;
    ir_start(&second, 0);
    entry_set(&second, INDEX, VECTOR);

    port = (Q35Function) { u.first.qts, Q35_SID(0, 4, 0) };
    q35_bridge_open(&port, 3);
    table = q35_bar_place(&port, 0, &u.first.next_bar);
    qtest_writel(port.qts, table, remappable(INDEX));
    qtest_writel(port.qts, table + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    pos = q35_capability(&port, PCI_CAP_ID_MSIX);
    q35_config_writew(&port, pos + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
    pos = q35_capability(&port, PCI_CAP_ID_EXP);
    q35_config_writew(&port, pos + PCI_EXP_SLTCTL,
                      PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE);
    qtest_qmp_assert_success(port.qts, "{ 'execute': 'device_add',"
        " 'arguments': { 'driver': 'edu', 'bus': 'rp' } }");
    g_assert_true(requested(&second.bed, VECTOR));
    units_close(&u);
}

/* ---- Main ---------------------------------------------------------------- */

static void add_translation(void)
{
    qtest_add_func("/sm/units/each-translates-by-its-own-tables",
                   test_own_tables);
    qtest_add_func("/sm/units/an-entry-in-the-other-unit-is-not-used",
                   test_foreign_entry);
    qtest_add_func("/sm/units/a-fault-is-recorded-by-its-own-unit",
                   test_faults);
    qtest_add_func("/sm/units/the-second-alone-may-translate",
                   test_second_alone);
    qtest_add_func("/sm/units/the-first-alone-may-translate",
                   test_first_alone);
    qtest_add_func("/sm/units/an-invalidation-concerns-its-own-unit",
                   test_own_caches);
    qtest_add_func("/sm/units/pasids-go-to-their-own-unit", test_pasid);
}

static void add_scope(void)
{
    qtest_add_func("/sm/units/a-device-plugged-later-belongs-to-the-root's",
                   test_plugged_later);
    qtest_add_func("/sm/units/the-first-has-all-the-rest", test_rest);
    qtest_add_func("/sm/units/a-root-port-may-have-one", test_root_port);
}

static void add_interrupts(void)
{
    qtest_add_func("/sm/units/each-remaps-by-its-own-table",
                   test_own_interrupt_tables);
    qtest_add_func("/sm/units/one-alone-may-remap", test_interrupts_of_one);
    qtest_add_func("/sm/units/a-port-belongs-to-the-unit-behind-it",
                   test_interrupt_of_port);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/units/registers-are-independent", test_registers);
    qtest_add_func("/sm/units/reset-resets-both", test_reset);
    add_translation();
    add_scope();
    add_interrupts();
    return g_test_run();
}
