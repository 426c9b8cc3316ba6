/*
 * The DMAR table of intel-iommu-sm, as firmware gets it from fw_cfg, also
 * compared with a golden file ("make golden" writes it anew).
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "sm-bed.h"

/* The firmware configuration, by its DMA interface [QEMU, docs/specs/fw_cfg]. */
#define FW_CFG_DMA      0x514           /* two big-endian halves */
#define FW_CFG_FILES    0x19
#define FW_CFG_READ     0x02
#define FW_CFG_SELECT   0x08
#define FW_CFG_ORDER    0x10000ull      /* in guest memory: the command */
#define FW_CFG_DATA     0x100000ull     /* and what it reads */

typedef struct FwCfgOrder {
    uint32_t control, length;
    uint64_t address;
} FwCfgOrder;

typedef struct FwCfgFile {
    uint32_t size;
    uint16_t select, reserved;
    char name[56];
} FwCfgFile;

typedef struct FwCfgFiles {
    uint32_t count;
    FwCfgFile file[];
} FwCfgFiles;

static void fw_cfg_read(SmBed *bed, unsigned select, void *data, size_t size)
{
    FwCfgOrder order = {
        .control = cpu_to_be32(select << 16 | FW_CFG_SELECT | FW_CFG_READ),
        .length = cpu_to_be32(size), .address = cpu_to_be64(FW_CFG_DATA),
    };

    qtest_memwrite(bed->qts, FW_CFG_ORDER, &order, sizeof(order));
    qtest_outl(bed->qts, FW_CFG_DMA, 0);
    qtest_outl(bed->qts, FW_CFG_DMA + 4, bswap32(FW_CFG_ORDER));
    qtest_memread(bed->qts, FW_CFG_ORDER, &order, sizeof(order));
    g_assert_cmphex(order.control, ==, 0);
    qtest_memread(bed->qts, FW_CFG_DATA, data, size);
}

static FwCfgFiles *fw_cfg_files(SmBed *bed)
{
    FwCfgFiles *files, head;
    size_t size;

    fw_cfg_read(bed, FW_CFG_FILES, &head, sizeof(head));
    size = sizeof(head) + be32_to_cpu(head.count) * sizeof(FwCfgFile);
    files = g_malloc(size);
    fw_cfg_read(bed, FW_CFG_FILES, files, size);
    return files;
}

static uint8_t *fw_cfg_file(SmBed *bed, const char *name, size_t *size)
{
    g_autofree FwCfgFiles *files = fw_cfg_files(bed);
    uint8_t *data;

    for (unsigned i = 0; i < be32_to_cpu(files->count); i++) {
        const FwCfgFile *file = &files->file[i];

        if (!strcmp(file->name, name)) {
            *size = be32_to_cpu(file->size);
            data = g_malloc(*size);
            fw_cfg_read(bed, be16_to_cpu(file->select), data, *size);
            return data;
        }
    }
    g_error("firmware configuration has no file %s", name);
}

/* All tables are in one file, each with its signature first. */
static uint8_t *dmar_table(SmBed *bed, unsigned *len)
{
    size_t size, i;
    g_autofree uint8_t *all = fw_cfg_file(bed, "etc/acpi/tables", &size);

    for (i = 0; i + 48 <= size; i++) {
        if (!memcmp(all + i, "DMAR", 4) && all[i + 8] == 1) {
            *len = ldl_le_p(all + i + 4);
            g_assert_cmpuint(i + *len, <=, size);
            return g_memdup2(all + i, *len);
        }
    }
    g_error("no DMAR table");
}

/* The structure of @type after @n others, NULL if there are not as many. */
static const uint8_t *dmar_nth_structure(const uint8_t *table, unsigned len,
                                         unsigned type, unsigned n)
{
    unsigned pos = 48;

    while (pos < len) {
        unsigned size = lduw_le_p(table + pos + 2);

        g_assert_cmpuint(size, >=, 4);
        g_assert_cmpuint(pos + size, <=, len);
        if (lduw_le_p(table + pos) == type && !n--) {
            return table + pos;
        }
        pos += size;
    }
    g_assert_cmpuint(pos, ==, len);
    return NULL;
}

static const uint8_t *dmar_structure(const uint8_t *table, unsigned len,
                                     unsigned type)
{
    return dmar_nth_structure(table, len, type, 0);
}

enum { DRHD = 0, ATSR = 2, SATC = 5 };

static void test_table_default(void)
{
    static const uint8_t ioapic[8] = { 3, 8, 0, 0, 0, 0xff, 0, 0 };
    g_autofree uint8_t *table = NULL;
    const uint8_t *drhd;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, "", "");
    table = dmar_table(&bed, &len);
    g_assert_cmpuint(table[36], ==, 39);        /* as wide as the CPU's */
    g_assert_cmpuint(table[37], ==, 1);         /* interrupt remapping */
    drhd = dmar_structure(table, len, DRHD);
    g_assert_nonnull(drhd);
    g_assert_cmpuint(lduw_le_p(drhd + 2), ==, 24);
    g_assert_cmpuint(drhd[4], ==, 1);           /* every PCI function */
    g_assert_cmpuint(drhd[5], ==, 2);           /* four pages of registers */
    g_assert_cmpuint(lduw_le_p(drhd + 6), ==, 0);
    g_assert_cmphex(ldq_le_p(drhd + 8), ==, SM_UNIT_BASE);
    g_assert_cmpmem(drhd + 16, 8, ioapic, 8);
    g_assert_null(dmar_structure(table, len, ATSR));
    g_assert_null(dmar_structure(table, len, SATC));
    sm_bed_close(&bed);
}

static void test_table_narrow(void)
{
    g_autofree uint8_t *table = NULL;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, "aw-bits=39,intremap=off", "");
    table = dmar_table(&bed, &len);
    g_assert_cmpuint(table[36], ==, 38);
    g_assert_cmpuint(table[37], ==, 0);
    sm_bed_close(&bed);
}

static void test_table_one_page(void)
{
    g_autofree uint8_t *table = NULL;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, "perf-counters=0", "");
    table = dmar_table(&bed, &len);
    g_assert_cmpuint(dmar_structure(table, len, DRHD)[5], ==, 0);
    sm_bed_close(&bed);
}

static void test_table_ats(void)
{
    g_autofree uint8_t *table = NULL;
    const uint8_t *atsr;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, "device-iotlb=on",
                "-device pcie-root-port,id=rp,chassis=1,slot=1 "
                "-device virtio-rng-pci,bus=rp,ats=on");
    table = dmar_table(&bed, &len);
    atsr = dmar_structure(table, len, ATSR);
    g_assert_nonnull(atsr);
    g_assert_cmpuint(lduw_le_p(atsr + 2), ==, 8);
    g_assert_cmpuint(atsr[4], ==, 1);           /* all ports */
    /* It is for integrated endpoints, and there is none with ATS. */
    g_assert_null(dmar_structure(table, len, SATC));
    sm_bed_close(&bed);
}

/* ---- Several units ------------------------------------------------------- */

/* One page each: iasl may be older than the size of register sets. */
#define ONE_PAGE "perf-counters=0"
#define THREE_UNITS \
    "-device pxb-pcie,id=px,bus_nr=64 " \
    "-device intel-iommu-sm,primary-bus=px,device-iotlb=on," ONE_PAGE " " \
    "-device pcie-root-port,id=rp,bus=pcie.0,addr=4,chassis=1 " \
    "-device intel-iommu-sm,primary-bus=rp," ONE_PAGE " " \
    "-device pcie-root-port,bus=px,addr=0,chassis=2 " \
    "-device pcie-root-port,bus=px,addr=1,chassis=3"

/* A unit as its DRHD has it: how many scopes, and which. */
typedef struct Unit {
    uint8_t flags;
    uint64_t base;
    unsigned scopes;
    uint8_t scope[2][8];
} Unit;

static const Unit units[] = {
    { 0, SM_UNIT_BASE + SM_UNIT_STRIDE, 2, { { 2, 8, 0, 0, 0, 0x40, 0, 0 },
                                             { 2, 8, 0, 0, 0, 0x40, 1, 0 } } },
    { 0, SM_UNIT_BASE + 2 * SM_UNIT_STRIDE, 1,
      { { 2, 8, 0, 0, 0, 0, 4, 0 } } },
    { 1, SM_UNIT_BASE, 1, { { 3, 8, 0, 0, 0, 0xff, 0, 0 } } },
};

static void test_table_units(void)
{
    g_autofree uint8_t *table = NULL;
    unsigned len, i;
    SmBed bed;

    sm_bed_open(&bed, ONE_PAGE, THREE_UNITS);
    table = dmar_table(&bed, &len);
    for (i = 0; i < G_N_ELEMENTS(units); i++) {
        const uint8_t *drhd = dmar_nth_structure(table, len, DRHD, i);
        unsigned scopes = 8 * units[i].scopes;

        g_assert_nonnull(drhd);
        g_assert_cmpuint(drhd[4], ==, units[i].flags);
        g_assert_cmphex(ldq_le_p(drhd + 8), ==, units[i].base);
        g_assert_cmpmem(drhd + 16, lduw_le_p(drhd + 2) - 16,
                        units[i].scope, scopes);
    }
    g_assert_null(dmar_nth_structure(table, len, DRHD, i));
    sm_bed_close(&bed);
}

/* The ports of those units that have a device TLB. */
static void test_table_some_ats(void)
{
    g_autofree uint8_t *table = NULL;
    const uint8_t *atsr;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, ONE_PAGE, THREE_UNITS);
    table = dmar_table(&bed, &len);
    atsr = dmar_structure(table, len, ATSR);
    g_assert_nonnull(atsr);
    g_assert_cmpuint(atsr[4], ==, 0);
    g_assert_cmpmem(atsr + 8, lduw_le_p(atsr + 2) - 8, units[0].scope, 16);
    sm_bed_close(&bed);
}

/* Of a platform is true what is true of all units; its width is the widest. */
static void test_table_platform(void)
{
    g_autofree uint8_t *table = NULL;
    unsigned len;
    SmBed bed;

    sm_bed_open(&bed, "aw-bits=39",
                "-device pxb-pcie,id=px,bus_nr=64 "
                "-device intel-iommu-sm,primary-bus=px,intremap=off");
    table = dmar_table(&bed, &len);
    g_assert_cmpuint(table[36], ==, 39);
    g_assert_cmpuint(table[37], ==, 0);
    sm_bed_close(&bed);
}

/* ---- The golden file ----------------------------------------------------- */

#define GOLDEN  SM_QTEST_DIR "/sm-dmar.dsl"

/* The bytes that follow "Raw Table Data", in lines "  0010: 42 58 ...  // text". */
static GByteArray *golden_bytes(void)
{
    GByteArray *bytes = g_byte_array_new();
    g_autofree char *text = NULL;
    char *line;

    g_assert_true(g_file_get_contents(GOLDEN, &text, NULL, NULL));
    line = strstr(text, "Raw Table Data");
    g_assert_nonnull(line);
    while ((line = strchr(line, '\n')) != NULL) {
        char *next = strchr(++line, ':'), *end = strchr(line, '\n');

        if (!next || (end && next > end)) {
            continue;
        }
        for (line = next + 1; g_ascii_isxdigit(line[1]); line = next) {
            uint8_t byte = strtoul(line, &next, 16);

            g_byte_array_append(bytes, &byte, 1);
        }
    }
    return bytes;
}

/* What firmware's loader does. */
static void table_sum(uint8_t *table, unsigned len)
{
    unsigned i;

    table[9] = 0;
    for (i = 0; i < len; i++) {
        table[9] -= i == 9 ? 0 : table[i];
    }
}

static uint8_t *three_units_table(unsigned *len)
{
    uint8_t *table;
    SmBed bed;

    sm_bed_open(&bed, ONE_PAGE, THREE_UNITS);
    table = dmar_table(&bed, len);
    sm_bed_close(&bed);
    table_sum(table, *len);
    return table;
}

static void test_golden(void)
{
    const char *write_to = getenv("SM_GOLDEN_WRITE");
    g_autoptr(GByteArray) golden = NULL;
    g_autofree uint8_t *table = NULL;
    unsigned len;

    table = three_units_table(&len);
    if (write_to) {
        g_assert_true(g_file_set_contents(write_to, (char *)table, len, NULL));
        return;
    }
    golden = golden_bytes();
    g_assert_cmpmem(table, len, golden->data, golden->len);
}

/* iasl makes a table of the file's words; but it signs it with its own name. */
static void test_golden_compiles(void)
{
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *dir = g_dir_make_tmp("sm-dmar-XXXXXX", NULL);
    g_autofree char *base = g_strdup_printf("%s/dmar", dir);
    g_autofree char *aml = g_strdup_printf("%s.aml", base);
    g_autofree char *line = NULL, *says = NULL;
    g_autofree uint8_t *table = NULL, *made = NULL;
    unsigned len;
    size_t size;
    int status;

    if (!iasl) {
        g_test_skip("iasl is not installed");
        g_rmdir(dir);
        return;
    }
    line = g_strdup_printf("%s -p %s " GOLDEN, iasl, base);
    g_assert_true(g_spawn_command_line_sync(line, &says, NULL, &status, NULL));
    g_test_message("%s", says);
    g_assert_cmpint(status, ==, 0);
    g_assert_nonnull(strstr(says, "0 Errors, 0 Warnings"));
    g_assert_true(g_file_get_contents(aml, (char **)&made, &size, NULL));
    g_unlink(aml);
    g_rmdir(dir);

    table = three_units_table(&len);
    memcpy(made + 28, table + 28, 8);
    table_sum(made, size);
    g_assert_cmpmem(table, len, made, size);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/table/one-unit-for-all", test_table_default);
    qtest_add_func("/sm/table/width-and-flags-follow-properties",
                   test_table_narrow);
    qtest_add_func("/sm/table/without-counters-one-page-of-registers",
                   test_table_one_page);
    qtest_add_func("/sm/table/device-tlb-lets-every-port-pass-ats",
                   test_table_ats);
    qtest_add_func("/sm/table/a-structure-for-each-unit", test_table_units);
    qtest_add_func("/sm/table/device-tlb-of-some-lists-their-ports",
                   test_table_some_ats);
    qtest_add_func("/sm/table/platform-has-what-all-units-have",
                   test_table_platform);
    qtest_add_func("/sm/table/golden", test_golden);
    qtest_add_func("/sm/table/golden-file-compiles-to-the-table",
                   test_golden_compiles);
    return g_test_run();
}
