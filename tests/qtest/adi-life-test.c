/*
 * What begins, interrupts and ends work of the adi device: drain and resume,
 * reset, disable, function level reset, a stopped machine, migration, unplug;
 * each while work is in flight, some by the device's own DMA.
 *
 * All on the function's own queue, which needs no IOMMU; ADIs use the same
 * code, and adi-sm-test.c repeats on them what concerns a neighbour.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "adi-bench.h"

static uint32_t function_state(Bench *b)
{
    return adi_readl(&b->adi, ADI_REG_FUNC_STATE);
}

/* The function's queue has 8 GiB to copy. */
static void start_under_load(Bench *b)
{
    bench_start_plain(b);
    adi_q_open_order(&b->fq, &b->adi, ADI_FUNCTION, BENCH_FUNCTION,
                     BENCH_FUNCTION, 13);
    bench_load(&b->fq, BENCH_A, BENCH_B);
    g_assert_cmphex(function_state(b), ==, ADI_STATE_BUSY);
}

static void reopen_function(Bench *b)
{
    adi_q_open(&b->fq, &b->adi, ADI_FUNCTION, BENCH_FUNCTION, BENCH_FUNCTION);
}

/* ---- Drain and resume ---------------------------------------------------- */

static void test_drain_idle(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_DRAIN);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_DRAINED);
    adi_post(&b.fq, &(struct adi_desc) { });
    bench_assert_still(&b.fq);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, 1);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESUME);
    adi_wait_done(&b.fq);
    g_assert_cmpuint(adi_record(&b.fq, 0).status, ==, ADI_COMPLETION_DONE);
    bench_stop(&b);
}

static void test_drain_under_load(void)
{
    Bench b;
    uint32_t head;

    start_under_load(&b);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_DRAIN);
    adi_command_wait(&b.adi, ADI_FUNCTION);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_DRAINED);
    head = adi_q_readl(&b.fq, ADI_Q_HEAD);
    g_assert_cmpuint(head, <, b.fq.tail);
    bench_assert_still(&b.fq);
    g_assert_cmpuint(adi_readl(&b.adi, ADI_REG_ACTIVE), ==, 0);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESUME);
    bench_assert_goes_on(&b.fq);
    bench_stop(&b);
}

/* What was fetched is finished: the descriptor's bytes are all there. */
static void test_drain_finishes(void)
{
    struct adi_completion record;
    Bench b;

    bench_start_plain(&b);
    bench_scribble(&b, BENCH_A, MIB, 1);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = MIB, .src = BENCH_A, .dst = BENCH_B,
    });
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_DRAIN);
    adi_command_wait(&b.adi, ADI_FUNCTION);
    if (adi_q_readl(&b.fq, ADI_Q_HEAD) == 0) {
        /* It was not fetched yet. */
        adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESUME);
        adi_wait_done(&b.fq);
    }
    record = adi_record(&b.fq, 0);
    bench_assert_done(&record, MIB);
    bench_assert_bytes(&b, BENCH_B, MIB, 1, 0);
    bench_stop(&b);
}

/* An owner cannot end a drain by clearing its error. */
static void test_drain_beneath_error(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_post(&b.fq, &(struct adi_desc) { .opcode = 99 });
    adi_wait_error(&b.fq, ADI_ERR_OPCODE, 0);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_DRAIN);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_ERROR);
    adi_post(&b.fq, &(struct adi_desc) { });
    adi_clear_error(&b.fq);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_DRAINED);
    bench_assert_still(&b.fq);
    adi_q_start(&b.fq);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_DRAINED);
    bench_stop(&b);
}

static void test_refused_commands(void)
{
    static const uint32_t commands[] = {
        0, ADI_CMD_RESUME, 4, 0xffffffff,
    };
    Bench b;
    unsigned i;

    bench_start_plain(&b);
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESET);
        g_assert_cmphex(function_state(&b), ==, ADI_STATE_IDLE);
        adi_command(&b.adi, ADI_FUNCTION, commands[i]);
        g_assert_cmphex(function_state(&b), ==,
                        ADI_STATE_IDLE | ADI_STATE_CMD_REFUSED);
    }
    bench_stop(&b);
}

static void test_drain_disabled(void)
{
    Bench b;

    bench_start_plain(&b);
    adi_writel(&b.adi, ADI_REG_FUNC_CTRL, 0);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_DRAIN);
    g_assert_cmphex(function_state(&b), ==,
                    ADI_STATE_DISABLED | ADI_STATE_CMD_REFUSED);
    bench_stop(&b);
}

/* ---- Ends under load ----------------------------------------------------- */

static void test_reset_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_command(&b.adi, ADI_FUNCTION, ADI_CMD_RESET);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_IDLE);
    g_assert_cmpuint(adi_readl(&b.adi, ADI_REG_ACTIVE), ==, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_HEAD), ==, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, 0);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_CTRL), ==, 0);
    g_assert_cmphex(adi_q_readq(&b.fq, ADI_Q_RING_BASE), ==, 0);
    qtest_memset(b.qts, BENCH_B, 0, MIB);
    g_usleep(20000);
    bench_assert_zero(&b, BENCH_B, MIB);
    reopen_function(&b);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_disable_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_writel(&b.adi, ADI_REG_FUNC_CTRL, 0);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_DISABLED);
    qtest_memset(b.qts, BENCH_B, 0, MIB);
    g_usleep(20000);
    bench_assert_zero(&b, BENCH_B, MIB);
    reopen_function(&b);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_enable_again_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_writel(&b.adi, ADI_REG_FUNC_CTRL, ADI_FUNC_CTRL_ENABLE);
    bench_assert_goes_on(&b.fq);
    bench_stop(&b);
}

/* The owner stops its queue: head and tail tell how far it came. */
static void test_stop_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_q_writel(&b.fq, ADI_Q_CTRL, 0);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_IDLE);
    g_assert_cmpuint(adi_q_readl(&b.fq, ADI_Q_TAIL), ==, b.fq.tail);
    bench_assert_still(&b.fq);
    adi_q_start(&b.fq);
    bench_stop(&b);
}

static void test_bad_tail_under_load(void)
{
    Bench b;
    uint32_t head;

    start_under_load(&b);
    adi_q_writel(&b.fq, ADI_Q_TAIL, adi_q_entries(&b.fq));
    adi_wait_state(&b.fq, ADI_STATE_ERROR);
    head = adi_q_readl(&b.fq, ADI_Q_HEAD);
    g_assert_cmphex(adi_q_readl(&b.fq, ADI_Q_ERROR), ==,
                    head << 16 | ADI_ERR_RING);
    bench_assert_still(&b.fq);
    adi_clear_error(&b.fq);
    bench_assert_goes_on(&b.fq);
    bench_stop(&b);
}

static void test_bus_master_off_under_load(void)
{
    Bench b;
    uint32_t head;

    start_under_load(&b);
    q35_command_clear(&b.adi.f, PCI_COMMAND_MASTER);
    adi_wait_state(&b.fq, ADI_STATE_ERROR);
    head = adi_q_readl(&b.fq, ADI_Q_HEAD);
    g_assert_cmphex(adi_q_readl(&b.fq, ADI_Q_ERROR), ==,
                    head << 16 | ADI_ERR_NO_BUS_MASTER);
    q35_command_set(&b.adi.f, PCI_COMMAND_MASTER);
    adi_clear_error(&b.fq);
    bench_assert_goes_on(&b.fq);
    bench_stop(&b);
}

/* ---- Resets of the function ---------------------------------------------- */

static void function_level_reset(Bench *b)
{
    unsigned pos = q35_capability(&b->adi.f, PCI_CAP_ID_EXP);

    q35_config_writew(&b->adi.f, pos + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
}

/* After a reset of the function: open it again, and find it clean. */
static void assert_pristine(Bench *b)
{
    unsigned pos = q35_extended_capability(&b->adi.f, PCI_EXT_CAP_ID_PASID);
    unsigned n;

    g_assert_cmphex(q35_config_readw(&b->adi.f, PCI_COMMAND), ==, 0);
    g_assert_cmphex(q35_config_readw(&b->adi.f, pos + PCI_PASID_CTRL), ==, 0);
    adi_open(&b->adi, b->qts, b->adi.f.sid);
    g_assert_cmphex(function_state(b), ==, ADI_STATE_DISABLED);
    for (n = 0; n < 4; n++) {
        g_assert_cmphex(adi_readl(&b->adi, ADI_CTL(n) + ADI_CTL_CTRL), ==, 0);
        g_assert_cmphex(adi_readl(&b->adi, ADI_CTL(n) + ADI_CTL_PASID), ==, 0);
        g_assert_cmphex(adi_readl(&b->adi, ADI_CTL(n) + ADI_CTL_STATE), ==, 0);
        g_assert_cmphex(adi_readl(&b->adi, ADI_CTL(n) + ADI_CTL_ERROR), ==, 0);
    }
    reopen_function(b);
    bench_assert_function_works(b);
}

static void test_flr_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_give(&b.adi, 2, 77);
    function_level_reset(&b);
    qtest_memset(b.qts, BENCH_B, 0, MIB);
    g_usleep(20000);
    bench_assert_zero(&b, BENCH_B, MIB);
    assert_pristine(&b);
    bench_stop(&b);
}

static void test_system_reset_under_load(void)
{
    Bench b;

    start_under_load(&b);
    adi_give(&b.adi, 2, 77);
    qtest_system_reset(b.qts);
    q35_config_open(b.qts);
    assert_pristine(&b);
    bench_stop(&b);
}

/* The device's own copy lands in its configuration space and resets it. */
static void test_resets_itself(void)
{
    Bench b;
    unsigned pos;

    bench_start_plain(&b);
    pos = q35_capability(&b.adi.f, PCI_CAP_ID_EXP);
    qtest_writew(b.qts, BENCH_A, PCI_EXP_DEVCTL_BCR_FLR);
    adi_put(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 2, .src = BENCH_A,
        .dst = q35_config_addr(&b.adi.f, pos + PCI_EXP_DEVCTL),
    });
    adi_put(&b.fq, &(struct adi_desc) { .opcode = ADI_OP_NOP });
    adi_ring_doorbell(&b.fq);
    g_usleep(20000);
    assert_pristine(&b);
    bench_stop(&b);
}

/* ---- A stopped machine, and one that moves ------------------------------- */

static void test_stopped_machine(void)
{
    Bench b;

    bench_start_plain(&b);
    bench_vm_stop(&b);
    adi_post(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_FILL, .len = 64, .dst = BENCH_A, .operand = 1,
    });
    bench_assert_still(&b.fq);
    g_assert_cmphex(function_state(&b), ==, ADI_STATE_BUSY);
    bench_assert_zero(&b, BENCH_A, 64);
    bench_vm_cont(&b);
    adi_wait_done(&b.fq);
    g_assert_cmphex(qtest_readb(b.qts, BENCH_A), ==, 1);
    bench_stop(&b);
}

static void wait_for_status(QTestState *qts, const char *command,
                            const char *wanted)
{
    int64_t end = g_get_monotonic_time() + ADI_TIMEOUT_US;
    bool reached = false;

    while (!reached) {
        QDict *reply = qtest_qmp(qts, "{ 'execute': %s }", command);
        QDict *value = qdict_get_qdict(reply, "return");

        reached = g_strcmp0(qdict_get_try_str(value, "status"), wanted) == 0;
        qobject_unref(reply);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

/* To a file and into a second machine that carries on as @to. */
static void migrate(Bench *from, Bench *to, const char *args)
{
    g_autofree char *file = NULL;
    g_autofree char *uri = NULL, *incoming = NULL;
    int fd = g_file_open_tmp("adi-XXXXXX", &file, NULL);

    close(fd);
    uri = g_strdup_printf("file:%s", file);
    qtest_qmp_assert_success(from->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    wait_for_status(from->qts, "query-migrate", "completed");
    incoming = g_strdup_printf("%s -incoming %s", args, uri);
    *to = *from;
    to->qts = q35_start(incoming);
    to->adi.f.qts = to->qts;
    to->fq.adi = &to->adi;
    wait_for_status(to->qts, "query-status", "paused");
    g_unlink(file);
}

/* Sixteen copies, stopped wherever they are, end at the other side. */
static void test_migration(void)
{
    const char *args = "-device adi,adis=4,addr=0x4";
    Bench from, to;
    unsigned i;

    bench_start(&from, args);
    adi_give(&from.adi, 3, 0x54321);
    bench_scribble(&from, BENCH_A, MIB, 1);
    for (i = 0; i < 16; i++) {
        adi_put(&from.fq, &(struct adi_desc) {
            .opcode = ADI_OP_COPY, .len = MIB, .src = BENCH_A,
            .dst = BENCH_ADIS + i * MIB,
        });
    }
    adi_ring_doorbell(&from.fq);
    bench_vm_stop(&from);
    migrate(&from, &to, args);
    bench_stop(&from);
    g_assert_cmphex(adi_readl(&to.adi, ADI_CTL(3) + ADI_CTL_PASID), ==,
                    0x54321);
    bench_vm_cont(&to);
    adi_wait_done(&to.fq);
    for (i = 0; i < 16; i++) {
        struct adi_completion record = adi_run(&to.fq, &(struct adi_desc) {
            .opcode = ADI_OP_COMPARE, .len = MIB, .src = BENCH_A,
            .dst = BENCH_ADIS + i * MIB,
        });

        bench_assert_done(&record, MIB);
        g_assert_cmpuint(record.result, ==, 0);
    }
    bench_stop(&to);
}

/* The stream of a machine with four ADIs does not fit one with five. */
static void test_migration_refused(void)
{
    g_autofree char *file = NULL;
    g_autofree char *uri = NULL;
    QTestState *to;
    Bench from;
    int fd = g_file_open_tmp("adi-XXXXXX", &file, NULL);

    close(fd);
    bench_start_plain(&from);
    bench_vm_stop(&from);
    uri = g_strdup_printf("file:%s", file);
    qtest_qmp_assert_success(from.qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    wait_for_status(from.qts, "query-migrate", "completed");
    bench_stop(&from);
    to = q35_start("-device adi,adis=5,addr=0x4 -incoming defer");
    qtest_set_expected_status(to, EXIT_FAILURE);
    qtest_qmp_assert_success(to, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s } }", uri);
    qtest_wait_qemu(to);
    qtest_quit(to);
    g_unlink(file);
}

static void test_migration_in_error(void)
{
    const char *args = "-device adi,adis=4,addr=0x4";
    Bench from, to;

    bench_start(&from, args);
    adi_post(&from.fq, &(struct adi_desc) { .opcode = 99 });
    adi_wait_error(&from.fq, ADI_ERR_OPCODE, 0);
    bench_vm_stop(&from);
    migrate(&from, &to, args);
    bench_stop(&from);
    bench_vm_cont(&to);
    adi_wait_error(&to.fq, ADI_ERR_OPCODE, 0);
    adi_clear_error(&to.fq);
    bench_assert_function_works(&to);
    bench_stop(&to);
}

/* ---- Unplug -------------------------------------------------------------- */

#define PORT_ARGS Q35_NATIVE_HOTPLUG \
                  "-device pcie-root-port,id=rp,addr=0x5 " \
                  "-device adi,adis=4,id=adi,bus=rp"

static void start_behind_port(Bench *b, Q35Function *port)
{
    b->qts = q35_start(PORT_ARGS);
    *port = (Q35Function) { b->qts, Q35_SID(0, 5, 0) };
    q35_bridge_open(port, 1);
    adi_open(&b->adi, b->qts, Q35_SID(1, 0, 0));
    adi_q_open_order(&b->fq, &b->adi, ADI_FUNCTION, BENCH_FUNCTION,
                     BENCH_FUNCTION, 13);
}

static void test_plug(void)
{
    Q35Function port;
    Bench b;

    b.qts = q35_start("-device pcie-root-port,id=rp,addr=0x5");
    port = (Q35Function) { b.qts, Q35_SID(0, 5, 0) };
    q35_bridge_open(&port, 1);
    qtest_qmp_assert_success(b.qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'adi', 'bus': 'rp' } }");
    adi_open(&b.adi, b.qts, Q35_SID(1, 0, 0));
    adi_q_open(&b.fq, &b.adi, ADI_FUNCTION, BENCH_FUNCTION, BENCH_FUNCTION);
    bench_assert_function_works(&b);
    bench_stop(&b);
}

static void test_unplug_under_load(void)
{
    Q35Function port;
    Bench b;

    start_behind_port(&b, &port);
    bench_load(&b.fq, BENCH_A, BENCH_B);
    q35_slot_set(&port, Q35_SLOT_OFF);
    qtest_qmp_eventwait(b.qts, "DEVICE_DELETED");
    g_assert_cmphex(q35_config_readl(&b.adi.f, PCI_VENDOR_ID), ==, 0xffffffff);
    bench_stop(&b);
}

/* The device's own copy switches off the slot that it sits in. */
static void test_unplugs_itself(void)
{
    Q35Function port;
    Bench b;

    start_behind_port(&b, &port);
    qtest_writew(b.qts, BENCH_A, Q35_SLOT_OFF);
    adi_put(&b.fq, &(struct adi_desc) {
        .opcode = ADI_OP_COPY, .len = 2, .src = BENCH_A,
        .dst = q35_slot_control_addr(&port),
    });
    adi_put(&b.fq, &(struct adi_desc) { .opcode = ADI_OP_NOP });
    adi_ring_doorbell(&b.fq);
    qtest_qmp_eventwait(b.qts, "DEVICE_DELETED");
    g_assert_cmphex(q35_config_readl(&b.adi.f, PCI_VENDOR_ID), ==, 0xffffffff);
    bench_stop(&b);
}

static void add_command_tests(void)
{
    qtest_add_func("/adi/drain/idle-keeps-what-comes", test_drain_idle);
    qtest_add_func("/adi/drain/under-load-leaves-the-rest",
                   test_drain_under_load);
    qtest_add_func("/adi/drain/finishes-what-was-fetched", test_drain_finishes);
    qtest_add_func("/adi/drain/outlives-a-cleared-error",
                   test_drain_beneath_error);
    qtest_add_func("/adi/drain/refused-while-disabled", test_drain_disabled);
    qtest_add_func("/adi/command/nonsense-is-refused", test_refused_commands);
}

static void add_load_tests(void)
{
    qtest_add_func("/adi/load/reset", test_reset_under_load);
    qtest_add_func("/adi/load/disable", test_disable_under_load);
    qtest_add_func("/adi/load/enable-again-changes-nothing",
                   test_enable_again_under_load);
    qtest_add_func("/adi/load/stop-by-owner", test_stop_under_load);
    qtest_add_func("/adi/load/bad-tail", test_bad_tail_under_load);
    qtest_add_func("/adi/load/bus-master-off", test_bus_master_off_under_load);
    qtest_add_func("/adi/load/function-level-reset", test_flr_under_load);
    qtest_add_func("/adi/load/system-reset", test_system_reset_under_load);
    qtest_add_func("/adi/load/unplug", test_unplug_under_load);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_command_tests();
    add_load_tests();
    qtest_add_func("/adi/self/resets-itself-by-dma", test_resets_itself);
    qtest_add_func("/adi/self/unplugs-itself-by-dma", test_unplugs_itself);
    qtest_add_func("/adi/machine/stopped-does-no-dma", test_stopped_machine);
    qtest_add_func("/adi/machine/migrates-with-work", test_migration);
    qtest_add_func("/adi/machine/migrates-to-its-like-only",
                   test_migration_refused);
    qtest_add_func("/adi/machine/can-be-plugged-in-later", test_plug);
    qtest_add_func("/adi/machine/migrates-in-error", test_migration_in_error);
    return g_test_run();
}
