/*
 * The DMAR table of intel-iommu-sm: how firmware tells software about the units.
 *
 * All is in segment 0.  A unit with a bus of its own lists what is on it; the
 * first unit, which comes last, owns every other PCI function and the IOAPIC.
 * With a device TLB, root ports let ATS pass, and the integrated endpoints that
 * have ATS are listed as such [VT-d 8].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/acpi/aml-build.h"
#include "hw/i386/pc.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"

#include "acpi-common.h"
#include "intel_iommu_sm_internal.h"

enum {
    DMAR_TABLE_INTR_REMAP = 1 << 0,

    SM_MMIO_PAGE = 4096,

    DMAR_TYPE_DRHD = 0,
    DMAR_TYPE_ATSR = 2,
    DMAR_TYPE_SATC = 5,
    DMAR_DRHD_INCLUDE_PCI_ALL = 1 << 0,
    DMAR_DRHD_HEADER = 16,
    DMAR_ATSR_ALL_PORTS = 1 << 0,
    DMAR_ATSR_HEADER = 8,
    DMAR_SATC_HEADER = 8,

    DMAR_SCOPE_ENDPOINT = 1,
    DMAR_SCOPE_SUBHIERARCHY = 2,
    DMAR_SCOPE_IOAPIC = 3,
    DMAR_SCOPE_ONE_HOP = 8,
};

static void sm_append(GArray *table, uint64_t value, int size)
{
    build_append_int_noprefix(table, value, size);
}

static void sm_append_scope(GArray *table, int type, uint8_t enumeration_id,
                            uint8_t bus, uint8_t devfn)
{
    sm_append(table, type, 1);
    sm_append(table, DMAR_SCOPE_ONE_HOP, 1);
    sm_append(table, 0, 2);
    sm_append(table, enumeration_id, 1);
    sm_append(table, bus, 1);
    sm_append(table, PCI_SLOT(devfn), 1);
    sm_append(table, PCI_FUNC(devfn), 1);
}

/* A function on a root bus, and what is behind it. */
static void sm_append_function(GArray *table, PCIDevice *dev)
{
    sm_append_scope(table, IS_PCI_BRIDGE(dev) ? DMAR_SCOPE_SUBHIERARCHY
                                              : DMAR_SCOPE_ENDPOINT,
                    0, pci_dev_bus_num(dev), dev->devfn);
}

/* ---- Functions of the root buses ------------------------------------------ */

typedef bool SmFunctionFilter(PCIDevice *dev, const SmIommu *unit);

typedef struct SmListing {
    const SmIommu *unit;                /* NULL: of any */
    SmFunctionFilter *wanted;
    GArray *scopes;
} SmListing;

static void sm_list_function(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    SmListing *listing = opaque;
    const SmIommu *unit = sm_unit_of_device(dev);

    if ((!listing->unit || listing->unit == unit) &&
        listing->wanted(dev, unit)) {
        sm_append_function(listing->scopes, dev);
    }
}

/* Scopes of those that are @wanted, of @unit or of any. */
static GArray *sm_list_functions(const SmIommu *unit, SmFunctionFilter *wanted)
{
    PCIBus *bus, *main = PC_MACHINE(qdev_get_machine())->pcibus;
    SmListing listing = { unit, wanted, g_array_new(false, true, 1) };

    pci_for_each_device_under_bus(main, sm_list_function, &listing);
    QLIST_FOREACH(bus, &main->child, sibling) {
        if (pci_bus_is_root(bus)) {
            pci_for_each_device_under_bus(bus, sm_list_function, &listing);
        }
    }
    return listing.scopes;
}

/* Of a device with virtual functions, the physical one alone is told of. */
static bool sm_is_physical(PCIDevice *dev, const SmIommu *unit)
{
    return !pci_is_vf(dev);
}

static bool sm_is_port_for_ats(PCIDevice *dev, const SmIommu *unit)
{
    return unit->config.device_tlb && pci_is_express(dev) &&
           pcie_cap_get_type(dev) == PCI_EXP_TYPE_ROOT_PORT;
}

static bool sm_is_integrated_with_ats(PCIDevice *dev, const SmIommu *unit)
{
    return unit->config.device_tlb && unit->satc && pci_is_express(dev) &&
           pcie_cap_get_type(dev) == PCI_EXP_TYPE_RC_END &&
           pcie_find_capability(dev, PCI_EXT_CAP_ID_ATS);
}

/* ---- The units ------------------------------------------------------------ */

static GArray *sm_scopes_of_unit(const SmIommu *s)
{
    GArray *scopes;

    if (!sm_serves_rest(s)) {
        return sm_list_functions(s, sm_is_physical);
    }
    scopes = g_array_new(false, true, 1);
    sm_append_scope(scopes, DMAR_SCOPE_IOAPIC, ACPI_BUILD_IOAPIC_ID,
                    Q35_PSEUDO_BUS_PLATFORM, Q35_PSEUDO_DEVFN_IOAPIC);
    return scopes;
}

static void sm_append_drhd(GArray *table, const SmIommu *s)
{
    g_autoptr(GArray) scopes = sm_scopes_of_unit(s);

    sm_append(table, DMAR_TYPE_DRHD, 2);
    sm_append(table, DMAR_DRHD_HEADER + scopes->len, 2);
    sm_append(table, sm_serves_rest(s) ? DMAR_DRHD_INCLUDE_PCI_ALL : 0, 1);
    sm_append(table, ctz32(dmar_mmio_size(&s->config) / SM_MMIO_PAGE), 1);
    sm_append(table, 0, 2);             /* segment */
    sm_append(table, sm_mmio_base(s), 8);
    g_array_append_vals(table, scopes->data, scopes->len);
}

/*
 * The first has all the rest, so it comes last [VT-d 8.3 DMA Remapping Hardware
 * Unit Definition Structure].
 */
static void sm_append_units(GArray *table)
{
    const GPtrArray *units = sm_units();

    for (guint i = 1; i <= units->len; i++) {
        sm_append_drhd(table, units->pdata[i % units->len]);
    }
}

/* ---- Address translation services ----------------------------------------- */

/*
 * Root ports whose devices may use ATS: all of them, or those of some units
 * [VT-d 8.5 Root Port ATS Capability Reporting Structure].
 */
static void sm_append_atsr(GArray *table, bool all)
{
    g_autoptr(GArray) scopes = all ? g_array_new(false, true, 1) :
                               sm_list_functions(NULL, sm_is_port_for_ats);

    if (!all && !scopes->len) {
        return;
    }
    sm_append(table, DMAR_TYPE_ATSR, 2);
    sm_append(table, DMAR_ATSR_HEADER + scopes->len, 2);
    sm_append(table, all ? DMAR_ATSR_ALL_PORTS : 0, 1);
    sm_append(table, 0, 1);
    sm_append(table, 0, 2);             /* segment */
    g_array_append_vals(table, scopes->data, scopes->len);
}

/* Integrated endpoints that have an address translation cache, if any. */
static void sm_append_satc(GArray *table)
{
    g_autoptr(GArray) scopes = sm_list_functions(NULL,
                                                 sm_is_integrated_with_ats);

    if (!scopes->len) {
        return;
    }
    sm_append(table, DMAR_TYPE_SATC, 2);
    sm_append(table, DMAR_SATC_HEADER + scopes->len, 2);
    sm_append(table, 0, 1);             /* flags: ATS is not required */
    sm_append(table, 0, 1);
    sm_append(table, 0, 2);             /* segment */
    g_array_append_vals(table, scopes->data, scopes->len);
}

/* ---- The table ------------------------------------------------------------ */

/* What is true of the platform because it is true of all of its units. */
typedef struct SmPlatform {
    uint8_t host_width;                 /* of the widest */
    bool interrupt_remapping;
    bool device_tlb;
} SmPlatform;

static SmPlatform sm_platform(void)
{
    const GPtrArray *units = sm_units();
    SmPlatform all = { .interrupt_remapping = true, .device_tlb = true };

    for (guint i = 0; i < units->len; i++) {
        const DmarConfig *config = &((SmIommu *)units->pdata[i])->config;

        all.host_width = MAX(all.host_width, config->host_width);
        all.interrupt_remapping &= config->interrupt_remapping;
        all.device_tlb &= config->device_tlb;
    }
    return all;
}

void sm_build_dmar(GArray *table_data, BIOSLinker *linker,
                   const char *oem_id, const char *oem_table_id)
{
    AcpiTable table = { .sig = "DMAR", .rev = 1, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };
    static const uint8_t reserved[10];
    SmPlatform platform = sm_platform();

    acpi_table_begin(&table, table_data);
    sm_append(table_data, platform.host_width - 1, 1);
    sm_append(table_data,
              platform.interrupt_remapping ? DMAR_TABLE_INTR_REMAP : 0, 1);
    g_array_append_vals(table_data, reserved, sizeof(reserved));

    sm_append_units(table_data);
    sm_append_atsr(table_data, platform.device_tlb);
    sm_append_satc(table_data);
    acpi_table_end(linker, &table);
}
