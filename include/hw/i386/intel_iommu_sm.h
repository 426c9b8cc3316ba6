/*
 * intel-iommu-sm: the remapping unit of dmar/ as a device of the q35 machine.
 * What the rest of QEMU needs to know of it.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_INTEL_IOMMU_SM_H
#define HW_I386_INTEL_IOMMU_SM_H

#include "hw/acpi/bios-linker-loader.h"
#include "qom/object.h"

#define TYPE_INTEL_IOMMU_SM "intel-iommu-sm"
OBJECT_DECLARE_SIMPLE_TYPE(SmIommu, INTEL_IOMMU_SM)

#define SM_MMIO_BASE 0xfed90000ull      /* of the first; the others follow */

/* Append the DMAR table that describes all units. */
void sm_build_dmar(GArray *table_data, BIOSLinker *linker,
                   const char *oem_id, const char *oem_table_id);

#endif /* HW_I386_INTEL_IOMMU_SM_H */
