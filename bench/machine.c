/*
 * See machine.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

#include <string.h>
#include <sys/mman.h>

#include "spec/field.h"
#include "spec/registers.h"
#include "spec/tables.h"

#define RAM_SIZE    (4ull << 30)        /* of address space */
#define QUEUE_ORDER 7                   /* 2^7 pages */
#define MIB         (1ull << 20)
#define PORTS       256

Dmar *bench_dmar;
BenchMemory bench_memory;
unsigned bench_machines;

static uint8_t *ram;
static uint64_t queue, status, tail;
static BenchPort ports[BENCH_WAYS][PORTS];

/* ---- The host ------------------------------------------------------------- */

static bool host_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    (void)opaque;
    if (addr > RAM_SIZE - len) {
        return false;
    }
    memcpy(buf, ram + addr, len);
    return true;
}

static bool host_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
    (void)opaque;
    if (addr > RAM_SIZE - len) {
        return false;
    }
    memcpy(ram + addr, buf, len);
    return true;
}

static bool host_exchange(void *opaque, uint64_t addr, uint64_t *expected,
                          uint64_t desired)
{
    (void)opaque;
    if (addr > RAM_SIZE - sizeof(desired)) {
        return false;
    }
    __atomic_compare_exchange_n((uint64_t *)(ram + addr), expected, desired,
                                false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return true;
}

static void host_msi(void *opaque, uint64_t addr, uint32_t data)
{
    (void)opaque;
    (void)addr;
    (void)data;
}

static const DmarHost host = {
    .read = host_read, .write = host_write,
    .compare_exchange = host_exchange, .send_msi = host_msi,
};

/* ---- Registers ------------------------------------------------------------ */

static void set_reg(uint64_t reg, uint64_t value, unsigned size)
{
    dmar_reg_write(bench_dmar, reg, size, value);
}

static void command(uint32_t bits)
{
    uint32_t on = dmar_reg_read(bench_dmar, GSTS_REG, 4);

    set_reg(GCMD_REG, (on & (GCMD_QIE | GCMD_TE)) | bits, 4);
}

void bench_power_on(void)
{
    g_autoptr(GError) error = NULL;
    DmarConfig config = *dmar_profile("full");

    if (!ram) {
        ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        g_assert(ram != MAP_FAILED);
    }
    madvise(ram, RAM_SIZE, MADV_DONTNEED);
    bench_memory_init(&bench_memory, ram + MIB, MIB, RAM_SIZE - MIB);
    tail = 0;
    bench_machines++;
    bench_dmar = dmar_new(&config, &host, NULL, &error);
    g_assert_no_error(error);
    queue = bench_pages(&bench_memory, 1 << QUEUE_ORDER);
    status = bench_pages(&bench_memory, 1);
    set_reg(IQA_REG, queue | IQA_DW | QUEUE_ORDER, 8);
    command(GCMD_QIE);
    set_reg(RTADDR_REG, bench_memory.root_table |
                        field_make(TTM_SCALABLE, RTADDR_TTM), 8);
    command(GCMD_SRTP);
    command(GCMD_TE);
}

uint64_t bench_memory_resident(void)
{
    uint64_t pages = bench_memory.next / BENCH_PAGE, count = 0;
    g_autofree unsigned char *there = g_malloc(pages);

    mincore(ram, pages * BENCH_PAGE, there);
    for (uint64_t i = 0; i < pages; i++) {
        count += there[i] & 1;
    }
    return count * BENCH_PAGE;
}

/* ---- Requests ---------------------------------------------------------------- */

const char *const bench_way_names[BENCH_WAYS] = { "by handle", "dmar_translate" };

BenchPort *bench_port(BenchWay way, uint16_t sid)
{
    BenchPort *port = &ports[way][sid & 0xff];

    port->sid = sid;
    if (way == BENCH_BY_HANDLE && !port->handle) {
        port->handle = dmar_handle_new(bench_dmar);
    }
    return port;
}

static void close_ports(void)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (ports[BENCH_BY_HANDLE][i].handle) {
            dmar_handle_free(ports[BENCH_BY_HANDLE][i].handle);
        }
    }
    memset(ports, 0, sizeof(ports));
}

bool bench_reads(BenchPort *port, uint32_t pasid, uint64_t iova)
{
    const DmarRequest request = { .source_id = port->sid, .pasid = pasid,
                                  .addr = iova, .access = DMAR_READ };
    DmarTranslation answer;

    if (port->handle) {
        dmar_handle_translate(port->handle, port->sid, pasid, iova, DMAR_READ,
                              &answer);
    } else {
        dmar_translate(bench_dmar, &request, &answer);
    }
    return answer.completion == DMAR_SUCCESS;
}

void bench_power_off(void)
{
    close_ports();
    dmar_free(bench_dmar);
}

/* ---- Commands ---------------------------------------------------------------- */

static void put(BenchDescriptor descriptor, uint32_t number)
{
    uint64_t *slot = (uint64_t *)(ram + queue + tail);

    slot[0] = descriptor.word0 | (uint64_t)number << 32;
    slot[1] = descriptor.word1;
    slot[2] = slot[3] = 0;
    tail = (tail + 32) & ((BENCH_PAGE << QUEUE_ORDER) - 1);
}

void bench_order(BenchOrder order, uint16_t domain, uint32_t pasid,
                 uint64_t iova)
{
    const BenchWhat what = { BENCH_SID, domain, pasid, iova };

    put(bench_descriptor(order, &what), 0);
    put(bench_wait(status), 1);
    set_reg(IQT_REG, tail, 8);
}
