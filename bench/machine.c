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

#define RAM_SIZE    (64ull << 30)       /* of address space */
#define QUEUE_ORDER 7                   /* 2^7 pages */
#define PRESENT_RW  3ull
#define USER        4ull
#define USED        0x60ull             /* accessed, dirty */
#define MIB         (1ull << 20)
#define GIB         (1ull << 30)

const char *const bench_kind_names[BENCH_KINDS] = {
    "second stage", "first stage", "nested", "pass-through",
};
const char *const bench_order_names[BENCH_ORDERS] = {
    "page of a domain", "page of a PASID", "PASID", "domain", "global",
    "context of a device",
};

Dmar *bench_dmar;
unsigned bench_machines;

static uint8_t *ram;
static uint64_t free_page, queue, status, root_table, tail;

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

/* ---- Memory and registers ---------------------------------------------------- */

static uint64_t *word_at(uint64_t addr)
{
    return (uint64_t *)(ram + addr);
}

static uint64_t new_pages(unsigned count)
{
    uint64_t pages = free_page;

    free_page += count * BENCH_PAGE;
    g_assert(free_page < RAM_SIZE);
    return pages;
}

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
    free_page = MIB;
    tail = 0;
    bench_machines++;
    bench_dmar = dmar_new(&config, &host, NULL, &error);
    g_assert_no_error(error);
    queue = new_pages(1 << QUEUE_ORDER);
    status = new_pages(1);
    root_table = new_pages(1);
    set_reg(IQA_REG, queue | IQA_DW | QUEUE_ORDER, 8);
    command(GCMD_QIE);
    set_reg(RTADDR_REG, root_table | field_make(TTM_SCALABLE, RTADDR_TTM), 8);
    command(GCMD_SRTP);
    command(GCMD_TE);
}

void bench_power_off(void)
{
    dmar_free(bench_dmar);
}

/* ---- Tables ----------------------------------------------------------------- */

/* The table that entry @index of @table refers to; made if there is none. */
static uint64_t table_below(uint64_t table, unsigned index, uint64_t bits)
{
    uint64_t *entry = word_at(table) + index;

    if (!*entry) {
        *entry = new_pages(1) | bits;
    }
    return *entry & ~0xfffull;
}

static unsigned index_of(uint64_t addr, unsigned level)
{
    return addr >> (12 + 9 * (level - 1)) & 0x1ff;
}

static uint64_t *entry_of(uint64_t root, uint64_t addr, unsigned level,
                          uint64_t bits)
{
    for (unsigned above = 4; above > level; above--) {
        root = table_below(root, index_of(addr, above), bits);
    }
    return word_at(root) + index_of(addr, level);
}

/* All RAM at its own address, in pages of 1 GiB. */
static void map_identity(uint64_t root)
{
    for (uint64_t addr = 0; addr < RAM_SIZE; addr += GIB) {
        *entry_of(root, addr, 3, PRESENT_RW) = addr | PRESENT_RW | BIT_AT(7);
    }
}

BenchSpace bench_space(BenchKind kind, uint16_t domain)
{
    BenchSpace space = { .kind = kind, .domain = domain };

    if (kind == BENCH_SECOND || kind == BENCH_NESTED) {
        space.second = new_pages(1);
    }
    if (kind == BENCH_FIRST || kind == BENCH_NESTED) {
        space.first = new_pages(1);
    }
    if (kind == BENCH_NESTED) {
        map_identity(space.second);
    }
    return space;
}

static uint64_t *leaf_of(const BenchSpace *space, uint64_t iova)
{
    return space->first ? entry_of(space->first, iova, 1, PRESENT_RW | USER | USED)
                        : entry_of(space->second, iova, 1, PRESENT_RW);
}

void bench_map(const BenchSpace *space, uint64_t iova, uint64_t addr)
{
    if (space->kind != BENCH_PASS_THROUGH) {
        *leaf_of(space, iova) = addr | PRESENT_RW |
                                (space->first ? USER | USED : 0);
    }
}

void bench_unmap(const BenchSpace *space, uint64_t iova)
{
    if (space->kind != BENCH_PASS_THROUGH) {
        *leaf_of(space, iova) = 0;
    }
}

static uint64_t context_of(uint16_t sid)
{
    uint64_t *half = word_at(root_table) + (sid >> 8) * 2 + (sid >> 7 & 1);
    uint64_t *context;

    if (!*half) {
        *half = new_pages(1) | ROOT_P;
    }
    context = word_at(*half & ~0xfffull) + (sid & 0x7f) * 4;
    if (!*context) {
        context[1] = BENCH_RID_PASID;
        context[0] = new_pages(32) | field_make(7, SCTX0_PDTS) | SCTX0_PASIDE |
                     SCTX0_P;
    }
    return *context & ~0xfffull;
}

void bench_bind(uint16_t sid, uint32_t pasid, const BenchSpace *space)
{
    static const uint8_t pgtt[] = {
        [BENCH_SECOND] = PGTT_SECOND_STAGE, [BENCH_FIRST] = PGTT_FIRST_STAGE,
        [BENCH_NESTED] = PGTT_NESTED, [BENCH_PASS_THROUGH] = PGTT_PASS_THROUGH,
    };
    uint64_t *directory = word_at(context_of(sid)) + (pasid >> 6);
    uint64_t *entry;

    if (!*directory) {
        *directory = new_pages(1) | PDIR_P;
    }
    entry = word_at(*directory & ~0xfffull) + (pasid & 0x3f) * 8;
    entry[1] = space->domain | PASID1_PWSNP;
    entry[2] = space->first;
    entry[0] = space->second | field_make(2, PASID0_AW) |
               field_make(pgtt[space->kind], PASID0_PGTT) | PASID0_P;
}

/* ---- Requests and commands --------------------------------------------------- */

bool bench_reads(uint16_t sid, uint32_t pasid, uint64_t iova)
{
    DmarRequest request = { .source_id = sid, .pasid = pasid, .addr = iova,
                            .access = DMAR_READ };
    DmarTranslation answer;

    dmar_translate(bench_dmar, &request, &answer);
    return answer.completion == DMAR_SUCCESS;
}

static void put(uint64_t word0, uint64_t word1)
{
    uint64_t *slot = word_at(queue + tail);

    slot[0] = word0;
    slot[1] = word1;
    slot[2] = slot[3] = 0;
    tail = (tail + 32) & ((BENCH_PAGE << QUEUE_ORDER) - 1);
}

void bench_order(BenchOrder order, uint16_t domain, uint32_t pasid,
                 uint64_t iova)
{
    const uint64_t did = (uint64_t)domain << 16, of_pasid = (uint64_t)pasid << 32;
    const struct {
        uint64_t word0, word1;
    } descriptors[] = {
        [BENCH_PAGE_OF_DOMAIN] = { 2 | 3 << 4 | did, iova },
        [BENCH_PAGE_OF_PASID] = { 6 | 3 << 4 | did | of_pasid, iova },
        [BENCH_PASID] = { 6 | 2 << 4 | did | of_pasid, 0 },
        [BENCH_DOMAIN] = { 2 | 2 << 4 | did, 0 },
        [BENCH_GLOBAL] = { 2 | 1 << 4, 0 },
        [BENCH_CONTEXT] = { 1 | 3 << 4 | did | (uint64_t)BENCH_SID << 32, 0 },
    };

    put(descriptors[order].word0, descriptors[order].word1);
    put(5 | BIT_AT(5) | BIT_AT(32), status);
    set_reg(IQT_REG, tail, 8);
}
