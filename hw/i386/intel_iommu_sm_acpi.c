/*
 * The DMAR table of intel-iommu-sm: how firmware tells software about the unit.
 *
 * One unit owns every PCI function of segment 0 and the IOAPIC.  With a
 * device TLB, every root port lets ATS pass, and the integrated endpoints that
 * have ATS are listed as such [VT-d 8].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/acpi/aml-build.h"
#include "hw/i386/pc.h"
#include "hw/pci-host/q35.h"
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

/* The unit itself. */
static void sm_append_drhd(GArray *table, const SmIommu *s)
{
    sm_append(table, DMAR_TYPE_DRHD, 2);
    sm_append(table, DMAR_DRHD_HEADER + DMAR_SCOPE_ONE_HOP, 2);
    sm_append(table, DMAR_DRHD_INCLUDE_PCI_ALL, 1);
    sm_append(table, ctz32(dmar_mmio_size(&s->config) / SM_MMIO_PAGE), 1);
    sm_append(table, 0, 2);             /* segment */
    sm_append(table, SM_MMIO_BASE, 8);
    sm_append_scope(table, DMAR_SCOPE_IOAPIC, ACPI_BUILD_IOAPIC_ID,
                    Q35_PSEUDO_BUS_PLATFORM, Q35_PSEUDO_DEVFN_IOAPIC);
}

/* Root ports whose devices may use ATS: all of them. */
static void sm_append_atsr(GArray *table)
{
    sm_append(table, DMAR_TYPE_ATSR, 2);
    sm_append(table, DMAR_ATSR_HEADER, 2);
    sm_append(table, DMAR_ATSR_ALL_PORTS, 1);
    sm_append(table, 0, 1);
    sm_append(table, 0, 2);             /* segment */
}

static void sm_append_integrated_ats(PCIBus *bus, PCIDevice *dev, void *scopes)
{
    if (pci_is_express(dev) &&
        pcie_cap_get_type(dev) == PCI_EXP_TYPE_RC_END &&
        pcie_find_capability(dev, PCI_EXT_CAP_ID_ATS)) {
        sm_append_scope(scopes, DMAR_SCOPE_ENDPOINT, 0, pci_bus_num(bus),
                        dev->devfn);
    }
}

/* Integrated endpoints that have an address translation cache, if any. */
static void sm_append_satc(GArray *table)
{
    PCMachineState *pcms = PC_MACHINE(qdev_get_machine());
    g_autoptr(GArray) scopes = g_array_new(false, true, 1);

    pci_for_each_device_under_bus(pcms->pcibus, sm_append_integrated_ats,
                                  scopes);
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

void sm_build_dmar(GArray *table_data, BIOSLinker *linker, SmIommu *s,
                   const char *oem_id, const char *oem_table_id)
{
    AcpiTable table = { .sig = "DMAR", .rev = 1, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };
    static const uint8_t reserved[10];

    acpi_table_begin(&table, table_data);
    sm_append(table_data, s->config.host_width - 1, 1);
    sm_append(table_data,
              s->config.interrupt_remapping ? DMAR_TABLE_INTR_REMAP : 0, 1);
    g_array_append_vals(table_data, reserved, sizeof(reserved));

    sm_append_drhd(table_data, s);
    if (s->config.device_tlb) {
        sm_append_atsr(table_data);
        if (s->satc) {
            sm_append_satc(table_data);
        }
    }
    acpi_table_end(linker, &table);
}
