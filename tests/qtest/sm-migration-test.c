/*
 * intel-iommu-sm moves: its state travels with the machine's.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "sm-bed.h"

#define IOVA            SM_BED_IOVA

static void wait_for(QTestState *qts, const char *command, const char *wanted)
{
    int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    bool there = false;

    while (!there) {
        QDict *answer = qtest_qmp(qts, "{ 'execute': %s }", command);
        const char *status =
            qdict_get_try_str(qdict_get_qdict(answer, "return"), "status");

        there = !g_strcmp0(status, wanted);
        g_assert_cmpstr(status, !=, "failed");
        qobject_unref(answer);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(10000);
    }
}

/* A file's name that nobody else uses; the caller removes the file. */
static char *state_file(void)
{
    char *name = NULL;
    int fd = g_file_open_tmp("sm-state-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return name;
}

static void save(SmBed *from, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(from->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    wait_for(from->qts, "query-migrate", "completed");
    qtest_quit(from->qts);
}

/* A machine with a map, a pending fault and data, saved to @file. */
static void save_machine(SmBed *from, const char *file)
{
    sm_bed_open_mapped(from, "");
    sm_queue_wait(&from->sm);
    edu_load(&from->edu, 0, 4);
    sm_bed_fill(from, 0);
    save(from, file);
}

static QTestState *load_machine(const char *props, const char *more,
                                const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *args = g_strdup_printf(
        "-device intel-iommu-sm,id=iommu0,%s " EDU_DEVICE ",addr=2.0 %s "
        "-incoming defer", props, more);
    QTestState *qts = q35_start(args);

    qtest_qmp_send(qts, "{ 'execute': 'migrate-incoming',"
                   " 'arguments': { 'uri': %s } }", uri);
    return qts;
}

static void wait_until_running(QTestState *qts, const char *file)
{
    qobject_unref(qtest_qmp_receive(qts));
    wait_for(qts, "query-status", "running");
    g_unlink(file);
}

static void test_migration(void)
{
    g_autofree char *file = state_file();
    SmBed from, to;

    save_machine(&from, file);
    to = from;
    to.qts = to.sm.qts = load_machine("pt=on", "", file);
    wait_until_running(to.qts, file);

    to.next_bar = Q35_MMIO;             /* edu itself does not migrate */
    edu_open(&to.edu, to.qts, SM_BED_EDU, &to.next_bar);
    sm_bed_assert_fault(&to, 0x79, 0, true);
    edu_copy(&to.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&to, 1, 0);
    sm_queue_wait(&to.sm);
    sm_bed_close(&to);
}

/* What a device has not answered is waited for at the destination. */
static void test_in_flight(void)
{
    const char *props = "ats=on,device-tlb-silent=00:02.0";
    g_autofree char *file = state_file();
    SmBed from, to;

    sm_bed_open(&from, props, "");
    sm_start(&from.sm);
    sm_queue_put(&from.sm, (uint64_t)SM_BED_EDU << 32 | 3, 0x1000);
    save(&from, file);
    to = from;
    to.qts = to.sm.qts = load_machine(props, "", file);
    qobject_unref(qtest_qmp_receive(to.qts));
    wait_for(to.qts, "query-status", "running");
    g_unlink(file);

    g_assert_cmphex(sm_readl(&to.sm, SM_REG_FSTS), ==, 0);
    qtest_clock_step(to.qts, 1000 * 1000000ull);
    g_assert_cmphex(sm_readl(&to.sm, SM_REG_FSTS), ==, 1 << 6);
    qtest_quit(to.qts);
}

static void test_migration_to_other_unit(void)
{
    g_autofree char *file = state_file();
    SmBed from;
    QTestState *to;

    save_machine(&from, file);
    to = load_machine("aw-bits=39", "", file);
    qtest_set_expected_status(to, EXIT_FAILURE);
    qtest_wait_qemu(to);
    g_unlink(file);
    qtest_quit(to);
}

#define SECOND "-device pxb-pcie,id=px,bus_nr=64 " \
               "-device intel-iommu-sm,primary-bus=px"

static void test_migration_of_two(void)
{
    g_autofree char *file = state_file();
    SmBed bed;
    Sm second;

    sm_bed_open(&bed, "", SECOND);
    second = bed.sm;
    second.unit = SM_UNIT_BASE + SM_UNIT_STRIDE;
    sm_writeq(&bed.sm, SM_REG_RTADDR, 0x1000);
    sm_writeq(&second, SM_REG_RTADDR, 0x2000);
    save(&bed, file);

    bed.qts = bed.sm.qts = second.qts = load_machine("pt=on", SECOND, file);
    wait_until_running(bed.qts, file);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_RTADDR), ==, 0x1000);
    g_assert_cmphex(sm_readq(&second, SM_REG_RTADDR), ==, 0x2000);
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/migration/state-moves", test_migration);
    qtest_add_func("/sm/migration/in-flight", test_in_flight);
    qtest_add_func("/sm/migration/other-unit-refuses",
                   test_migration_to_other_unit);
    qtest_add_func("/sm/migration/each-unit-moves", test_migration_of_two);
    return g_test_run();
}
