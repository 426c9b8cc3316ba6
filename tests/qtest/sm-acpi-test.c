/*
 * The DMAR table of intel-iommu-sm, as firmware gets it from fw_cfg.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "sm-bed.h"

#define FW_CFG_FILES    0x19

static uint64_t fw_cfg_be(SmBed *bed, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--) {
        value = value << 8 | qtest_inb(bed->qts, 0x511);
    }
    return value;
}

static uint8_t *fw_cfg_file(SmBed *bed, const char *name, size_t *size)
{
    unsigned i, n;
    uint8_t *data;

    qtest_outw(bed->qts, 0x510, FW_CFG_FILES);
    n = fw_cfg_be(bed, 4);
    for (i = 0; i < n; i++) {
        unsigned select;
        char this[56];
        unsigned c;

        *size = fw_cfg_be(bed, 4);
        select = fw_cfg_be(bed, 2);
        fw_cfg_be(bed, 2);
        for (c = 0; c < sizeof(this); c++) {
            this[c] = fw_cfg_be(bed, 1);
        }
        if (!strcmp(this, name)) {
            qtest_outw(bed->qts, 0x510, select);
            data = g_malloc(*size);
            for (c = 0; c < *size; c++) {
                data[c] = fw_cfg_be(bed, 1);
            }
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

/* The @n-th structure of @type, NULL if there is none. */
static const uint8_t *dmar_structure(const uint8_t *table, unsigned len,
                                     unsigned type)
{
    unsigned pos = 48;

    while (pos < len) {
        unsigned size = lduw_le_p(table + pos + 2);

        g_assert_cmpuint(size, >=, 4);
        g_assert_cmpuint(pos + size, <=, len);
        if (lduw_le_p(table + pos) == type) {
            return table + pos;
        }
        pos += size;
    }
    g_assert_cmpuint(pos, ==, len);
    return NULL;
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
    return g_test_run();
}
