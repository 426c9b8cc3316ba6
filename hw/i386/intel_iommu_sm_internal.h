/*
 * intel-iommu-sm: what its own files share.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_INTEL_IOMMU_SM_INTERNAL_H
#define HW_I386_INTEL_IOMMU_SM_INTERNAL_H

#include "dmar.h"
#include "hw/i386/intel_iommu_sm.h"
#include "hw/i386/x86-iommu.h"

typedef struct SmAddressSpace SmAddressSpace;

/* What the engine asked for while it was locked; done once it has returned. */
typedef struct SmDeferred {
    bool remapping;             /* switch the address spaces */
    bool interrupts;            /* tell those who route interrupts */
    bool every_interrupt;
    uint16_t first_interrupt, last_interrupt;
} SmDeferred;

struct SmIommu {
    X86IOMMUState parent_obj;

    /* Properties; those of X86IOMMUState complete the engine's config. */
    DmarConfig config;
    OnOffAuto eim;
    bool satc;

    Dmar *dmar;
    MemoryRegion mmio;
    SmAddressSpace *ioapic;
    GHashTable *buses;          /* PCIBus -> array of SmAddressSpace */
    QLIST_HEAD(, SmAddressSpace) notified;  /* with a device TLB to inform */
    bool dma_remapping;         /* as the engine last said */
    SmDeferred deferred;

    /* The unit's own interrupts, raised where the BQL was not held. */
    QemuMutex msi_lock;
    GArray *msi_queue;
    QEMUBH *msi_bh;

    DmarState saved;            /* only while a migration is under way */
};

#endif /* HW_I386_INTEL_IOMMU_SM_INTERNAL_H */
