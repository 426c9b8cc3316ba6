/*
 * DMA without PASID through intel-iommu-sm, by edu: second-stage translation
 * of every depth and page size, pass-through, and caches that stay as they are
 * until invalidated.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "sm-bed.h"

#define IOVA            SM_BED_IOVA
#define DOMAIN          SM_BED_DOMAIN
#define RID_PASID       SM_BED_RID_PASID

/* Fault reasons [VT-d 7.1.3]. */
enum {
    ROOT_NOT_PRESENT = 0x39,
    CONTEXT_NOT_PRESENT = 0x41,
    PASID_ENTRY_NOT_PRESENT = 0x59,
    PASID_ENTRY_INVALID = 0x5b,
    SS_NOT_PRESENT = 0x79,
    SS_RESERVED = 0x7a,
    SS_ADDRESS_BEYOND = 0x84,
};

static void test_direct_before_enabled(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

static void test_direct_after_disabled(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_assert_copies(&bed, IOVA);
    sm_command_off(&bed.sm, SM_GCMD_TE);
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

static void test_direct_after_reset(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    qtest_system_reset(bed.qts);
    q35_config_open(bed.qts);
    bed.next_bar = Q35_MMIO;
    edu_open(&bed.edu, bed.qts, SM_BED_EDU, &bed.next_bar);
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

static void test_levels(const void *data)
{
    static const char *const props[] = {
        [3] = "aw-bits=39", [4] = "aw-bits=48", [5] = "aw-bits=57",
    };
    unsigned levels = GPOINTER_TO_UINT(data);
    /* As high as these tables reach. */
    uint64_t iova = (1ull << (12 + 9 * levels)) - 2 * SM_PAGE;
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, props[levels], "");
    map = sm_map_new(&bed.sm, levels);
    sm_map(&bed.sm, &map, iova, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    sm_bed_assert_copies(&bed, iova);
    sm_bed_close(&bed);
}

static void test_fewer_levels_than_supported(void)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "aw-bits=57", "");
    map = sm_map_new(&bed.sm, 3);
    sm_map(&bed.sm, &map, IOVA, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_close(&bed);
}

static void test_beyond_levels(void)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "aw-bits=48", "");
    map = sm_map_new(&bed.sm, 3);
    sm_map(&bed.sm, &map, 0, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    edu_load(&bed.edu, 1ull << 39, 4);
    sm_bed_assert_fault(&bed, SS_ADDRESS_BEYOND, 1ull << 39, true);
    sm_bed_close(&bed);
}

static void test_more_levels_than_supported(void)
{
    SmBed bed;

    sm_bed_open(&bed, "aw-bits=48", "");
    sm_bed_use_map(&bed, sm_map_new(&bed.sm, 5));
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, PASID_ENTRY_INVALID, IOVA, true);
    sm_bed_close(&bed);
}

/* A large page whose first byte lies at address 0: data is 32 MiB into it. */
static void large_page(unsigned level, uint64_t iova, uint64_t addr)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "", "");
    map = sm_map_new(&bed.sm, 4);
    sm_map_large(&bed.sm, &map, iova, addr, level, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    sm_bed_assert_copies(&bed, iova + SM_BED_DATA - addr);
    sm_bed_close(&bed);
}

static void test_2m_page(void)
{
    large_page(2, 0x7fffe00000ull, SM_BED_DATA);
}

static void test_1g_page(void)
{
    large_page(3, 0x7f40000000ull, 0);
}

static void test_large_page_with_low_address_bit(void)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "", "");
    map = sm_map_new(&bed.sm, 4);
    sm_map_large(&bed.sm, &map, 0, SM_BED_DATA + SM_PAGE, 2, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    edu_load(&bed.edu, 0, 4);
    sm_bed_assert_fault(&bed, SS_RESERVED, 0, true);
    sm_bed_close(&bed);
}

/* Interrupts are not translated, whatever page lies around them. */
static void test_interrupt_range_in_large_page(void)
{
    SmBed bed;
    SmMap map;

    sm_bed_open(&bed, "intremap=off", "");
    map = sm_map_new(&bed.sm, 4);
    sm_map_large(&bed.sm, &map, 0xc0000000ull, 0, 3, SM_RW);
    sm_bed_use_map(&bed, map);
    sm_start(&bed.sm);
    qtest_writeq(bed.qts, 0x3edffff8, 0);      /* no RAM there: no matter */
    sm_bed_blank(&bed, 0);
    edu_store(&bed.edu, 0xc0000000ull + sm_bed_page(0), 8);
    g_assert_cmphex(qtest_readq(bed.qts, sm_bed_page(0)), ==, 0);
    sm_bed_close(&bed);
}

static void test_pass_through(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_context_set(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_pasid_set(&bed.sm, bed.edu.f.sid, RID_PASID,
                 &(SmPasid) { SM_PASS_THROUGH, DOMAIN });
    sm_start(&bed.sm);
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

/* A device may well reach the unit's own registers, and turn it off. */
static void test_registers_by_dma(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_context_set(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_pasid_set(&bed.sm, bed.edu.f.sid, RID_PASID,
                 &(SmPasid) { SM_PASS_THROUGH, DOMAIN });
    sm_start(&bed.sm);
    qtest_writel(bed.qts, sm_bed_page(0), SM_GCMD_QIE);
    edu_copy(&bed.edu, sm_bed_page(0), SM_UNIT_BASE + SM_REG_GCMD, 4);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_GSTS) &
                    (SM_GCMD_TE | SM_GCMD_QIE), ==, SM_GCMD_QIE);
    sm_bed_assert_copies(&bed, sm_bed_page(0));
    sm_bed_close(&bed);
}

static void test_pass_through_absent(void)
{
    SmBed bed;

    sm_bed_open(&bed, "pt=off", "");
    sm_context_set(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_pasid_set(&bed.sm, bed.edu.f.sid, RID_PASID,
                 &(SmPasid) { SM_PASS_THROUGH, DOMAIN });
    sm_start(&bed.sm);
    edu_load(&bed.edu, sm_bed_page(0), 4);
    sm_bed_assert_fault(&bed, PASID_ENTRY_INVALID, sm_bed_page(0), true);
    sm_bed_close(&bed);
}

static void test_crosses_pages(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");
    uint64_t i;

    /* Neighbours in one view, far apart in the other. */
    sm_map(&bed.sm, &map, IOVA + 2 * SM_PAGE, sm_bed_page(9), 1, SM_RW);
    for (i = 0; i < 32; i++) {
        qtest_writeb(bed.qts, sm_bed_page(1) + SM_PAGE - 16 + i % 16 +
                     (i / 16) * (8 * SM_PAGE - SM_PAGE + 16), i);
    }
    for (i = 0; i < 16; i++) {
        qtest_writeb(bed.qts, sm_bed_page(9) + i, 16 + i);
    }
    edu_load(&bed.edu, IOVA + 2 * SM_PAGE - 16, 32);
    edu_store(&bed.edu, IOVA, 32);
    for (i = 0; i < 32; i++) {
        g_assert_cmpuint(qtest_readb(bed.qts, sm_bed_page(0) + i), ==, i);
    }
    sm_bed_close(&bed);
}

/* ---- Caches -------------------------------------------------------------- */

static void test_stale_translation(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");

    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_fill(&bed, 5);
    sm_map(&bed.sm, &map, IOVA, sm_bed_page(5), 1, SM_RW);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 0);
    sm_invalidate_pages(&bed.sm, DOMAIN, IOVA, 0);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 5);
    sm_bed_close(&bed);
}

static void test_other_domain_keeps(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");

    sm_bed_assert_copies(&bed, IOVA);
    sm_bed_fill(&bed, 5);
    sm_map(&bed.sm, &map, IOVA, sm_bed_page(5), 1, SM_RW);
    sm_invalidate_domain(&bed.sm, DOMAIN + 1);
    sm_invalidate_pages(&bed.sm, DOMAIN, IOVA + SM_PAGE, 0);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 0);
    sm_invalidate_domain(&bed.sm, DOMAIN);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 5);
    sm_bed_close(&bed);
}

static void test_unmap_then_fault(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");

    sm_bed_assert_copies(&bed, IOVA);
    sm_unmap(&bed.sm, &map, IOVA, 1);
    sm_invalidate_pages(&bed.sm, DOMAIN, IOVA, 0);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

static void test_stale_pasid_entry(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_assert_copies(&bed, IOVA);
    sm_pasid_clear(&bed.sm, bed.edu.f.sid, RID_PASID);
    sm_bed_assert_copies(&bed, IOVA);
    sm_invalidate_pasid(&bed.sm, DOMAIN, RID_PASID);
    sm_invalidate_domain(&bed.sm, DOMAIN);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, PASID_ENTRY_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

static void test_stale_context(void)
{
    SmBed bed;

    sm_bed_open_mapped(&bed, "");
    sm_bed_assert_copies(&bed, IOVA);
    qtest_writeq(bed.qts, sm_context_addr(&bed.sm, bed.edu.f.sid), 0);
    sm_bed_assert_copies(&bed, IOVA);
    sm_invalidate_all(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    sm_bed_assert_fault(&bed, CONTEXT_NOT_PRESENT, IOVA, true);
    sm_bed_close(&bed);
}

/* ---- Who asks ------------------------------------------------------------ */

static void test_rid_pasid_selects(void)
{
    SmBed bed;
    SmMap map = sm_bed_open_mapped(&bed, "");
    SmMap other = sm_map_new(&bed.sm, 4);

    sm_map(&bed.sm, &other, IOVA, sm_bed_fill(&bed, 6), 1, SM_RW);
    sm_map(&bed.sm, &other, IOVA + SM_PAGE, sm_bed_blank(&bed, 1), 1, SM_RW);
    sm_pasid_set(&bed.sm, bed.edu.f.sid, RID_PASID + 1,
                 &(SmPasid) { SM_SECOND_STAGE, DOMAIN + 1, other });
    qtest_writeq(bed.qts, sm_context_addr(&bed.sm, bed.edu.f.sid) + 8,
                 RID_PASID + 1);
    sm_invalidate_all(&bed.sm);
    edu_copy(&bed.edu, IOVA, IOVA + SM_PAGE, 8);
    sm_bed_assert_pattern(&bed, 1, 6);
    g_assert_cmphex(map.root, !=, other.root);
    sm_bed_close(&bed);
}

/* A device behind a root port is who the bus number says it is, now. */
static void test_bus_number_changes(void)
{
    SmBed bed;
    SmMap map;
    Q35Function port;
    uint8_t bus;

    sm_bed_open(&bed, "",
                "-device pcie-root-port,id=rp,addr=4.0,chassis=1,slot=1 "
                "-device edu,dma_mask=0xffffffffffffffff,bus=rp,addr=0.0");
    port = (Q35Function) { bed.qts, Q35_SID(0, 4, 0) };
    map = sm_map_new(&bed.sm, 4);
    sm_map(&bed.sm, &map, IOVA, sm_bed_page(0), 2, SM_RW);
    sm_start(&bed.sm);
    for (bus = 3; bus < 6; bus += 2) {
        q35_bridge_open(&port, bus);
        bed.next_bar = Q35_MMIO + 16 * MiB;
        edu_open(&bed.edu, bed.qts, Q35_SID(bus, 0, 0), &bed.next_bar);
        edu_load(&bed.edu, IOVA, 4);
        sm_bed_assert_fault(&bed, ROOT_NOT_PRESENT, IOVA, true);
        sm_bed_use_map(&bed, map);
        sm_bed_assert_copies(&bed, IOVA);
    }
    sm_bed_close(&bed);
}

static void test_stats(void)
{
    SmBed bed;
    g_autofree char *path = g_strdup("/machine/peripheral/iommu0");
    QDict *answer;
    const char *json;

    sm_bed_open_mapped(&bed, "");
    sm_bed_assert_copies(&bed, IOVA);
    edu_load(&bed.edu, 0, 4);
    sm_bed_assert_fault(&bed, SS_NOT_PRESENT, 0, true);
    answer = qtest_qmp(bed.qts, "{ 'execute': 'qom-get', 'arguments': {"
                       " 'path': %s, 'property': 'pasid-stats' } }", path);
    json = qdict_get_str(answer, "return");
    g_assert_nonnull(strstr(json, "\"source_id\": \"00:02.0\""));
    g_assert_nonnull(strstr(json, "\"pasid\": 9"));
    g_assert_nonnull(strstr(json, "\"domain\": 7"));
    g_assert_nonnull(strstr(json, "\"faults\": 1"));
    qobject_unref(answer);
    sm_bed_close(&bed);
}

static void add_scalable(void)
{
    qtest_add_func("/sm/dma/direct-before-enabled", test_direct_before_enabled);
    qtest_add_func("/sm/dma/direct-after-disabled", test_direct_after_disabled);
    qtest_add_func("/sm/dma/direct-after-reset", test_direct_after_reset);
    qtest_add_data_func("/sm/dma/3-levels-reach-39-bits",
                        GUINT_TO_POINTER(3), test_levels);
    qtest_add_data_func("/sm/dma/4-levels-reach-48-bits",
                        GUINT_TO_POINTER(4), test_levels);
    qtest_add_data_func("/sm/dma/5-levels-reach-57-bits",
                        GUINT_TO_POINTER(5), test_levels);
    qtest_add_func("/sm/dma/fewer-levels-than-supported-work",
                   test_fewer_levels_than_supported);
    qtest_add_func("/sm/dma/address-beyond-levels-faults", test_beyond_levels);
    qtest_add_func("/sm/dma/more-levels-than-supported-fault",
                   test_more_levels_than_supported);
    qtest_add_func("/sm/dma/2m-page-is-contiguous", test_2m_page);
    qtest_add_func("/sm/dma/1g-page-is-contiguous", test_1g_page);
    qtest_add_func("/sm/dma/large-page-with-low-address-bit-faults",
                   test_large_page_with_low_address_bit);
    qtest_add_func("/sm/dma/large-page-around-interrupts-translates",
                   test_interrupt_range_in_large_page);
    qtest_add_func("/sm/dma/pass-through-changes-nothing", test_pass_through);
    qtest_add_func("/sm/dma/registers-by-dma", test_registers_by_dma);
    qtest_add_func("/sm/dma/pass-through-absent-faults",
                   test_pass_through_absent);
    qtest_add_func("/sm/dma/transfer-follows-pages", test_crosses_pages);
    qtest_add_func("/sm/dma/rid-pasid-selects-entry", test_rid_pasid_selects);
    qtest_add_func("/sm/dma/bus-number-may-change", test_bus_number_changes);
    qtest_add_func("/sm/dma/statistics-count", test_stats);
}

static void add_caches(void)
{
    qtest_add_func("/sm/cache/translation-stays-until-invalidated",
                   test_stale_translation);
    qtest_add_func("/sm/cache/other-domain-is-kept", test_other_domain_keeps);
    qtest_add_func("/sm/cache/unmap-and-invalidate-faults",
                   test_unmap_then_fault);
    qtest_add_func("/sm/cache/pasid-entry-stays-until-invalidated",
                   test_stale_pasid_entry);
    qtest_add_func("/sm/cache/context-stays-until-invalidated",
                   test_stale_context);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_scalable();
    add_caches();
    return g_test_run();
}
