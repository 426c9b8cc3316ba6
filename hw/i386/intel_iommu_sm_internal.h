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
#include "hw/pci/pasid_dma.h"

#define SM_INTERRUPT_BASE   0xfee00000ull
#define SM_INTERRUPT_SIZE   0x00100000ull

/* Numbers that nobody gave. */
#define SM_AUTO             UINT8_MAX
#define SM_AUTO16           UINT16_MAX
#define SM_MAX_FEATURES     48

typedef struct SmAddressSpace SmAddressSpace;

/* What the engine asked for while it was locked; done once it has returned. */
typedef struct SmDeferred {
    bool remapping;             /* switch the address spaces */
    bool interrupts;            /* tell those who route interrupts */
    bool every_interrupt;
    uint16_t first_interrupt, last_interrupt;
} SmDeferred;

/* A device-TLB invalidation that was not answered at once, by ITag. */
typedef struct SmRequest {
    SmIommu *iommu;
    unsigned itag;
    bool pending;
    DmarDeviceTlbInvalidation what;
    QEMUTimer *timer;
} SmRequest;

struct SmIommu {
    X86IOMMUState parent_obj;

    /* Properties; those of X86IOMMUState belong to them. */
    char *profile;
    OnOffAuto asked[SM_MAX_FEATURES];   /* in the engine's order */
    struct {                    /* if given; else as the profile has it */
        uint8_t aw_bits;
        uint8_t min_aw_bits;
        uint8_t mamv;
        uint8_t pasid_bits;
        uint8_t nd;
        uint8_t version;
        uint16_t fault_records;
        uint8_t perf_counters;
    } numbers;
    OnOffAuto dma_drain;
    bool satc;
    bool verify_ioapic;         /* that it asks as its DMAR scope says */
    PCIBus *bus;                /* it serves what is on it and below */
    uint32_t device_tlb_timeout;    /* ms; 0: never */
    int silent;                 /* source-id that does not answer, or -1 */

    DmarConfig config;          /* what became of them */

    unsigned number;            /* 0: the first, which serves all the rest */
    GPtrArray *units;           /* of the first: all, by number */
    Notifier machine_done;

    Dmar *dmar;
    MemoryRegion mmio;
    SmAddressSpace *ioapic;     /* of the first */
    QemuMutex buses_lock;       /* of the table, not of what is in it */
    GHashTable *buses;          /* PCIBus -> array of SmAddressSpace */
    QLIST_HEAD(, SmAddressSpace) notified;  /* kept translations of */
    bool dma_remapping;         /* as the engine last said */
    SmDeferred deferred;
    SmRequest requests[DMAR_ITAGS];

    /* The unit's own interrupts, raised where the BQL was not held. */
    QemuMutex msi_lock;
    GArray *msi_queue;
    QEMUBH *msi_bh;

    DmarState saved;            /* only while a migration is under way */
};

uint64_t sm_mmio_base(const SmIommu *s);
/* intel_iommu_sm.c: after anything that lets the engine run descriptors. */
void sm_catch_up(SmIommu *s);

/* intel_iommu_sm_ats.c: invalidations of device TLBs. */
void sm_ats_class_init(ObjectClass *klass);
void sm_ats_init(SmIommu *s);
void sm_ats_reset(SmIommu *s);
void sm_ats_load(SmIommu *s, const DmarInFlight *state);
bool sm_ats_request(void *opaque, unsigned itag,
                    const DmarDeviceTlbInvalidation *what);

/* intel_iommu_sm_config.c */
void sm_config_class_init(ObjectClass *klass);
bool sm_decide_config(SmIommu *s, Error **errp);

/* intel_iommu_sm_scope.c: which unit serves whom. */
bool sm_scope_init(SmIommu *s, Error **errp);
const GPtrArray *sm_units(void);
bool sm_serves_rest(const SmIommu *s);
SmIommu *sm_unit_of_device(PCIDevice *dev);
SmIommu *sm_unit_of_source(uint16_t source_id);
PCIDevice *sm_device_of_source(const SmIommu *s, uint16_t source_id);

/* intel_iommu_sm_host.c: callbacks for the engine. */
extern const DmarHost sm_host;
void sm_host_init(SmIommu *s);
void sm_deliver(MSIMessage msg);

/* intel_iommu_sm_space.c: what requesters see. */
void sm_spaces_init(SmIommu *s);
void sm_spaces_switch(SmIommu *s);
void sm_spaces_drop(SmIommu *s, const DmarDeviceTlbInvalidation *what);
void sm_spaces_forget(void *opaque, const DmarForgotten *what);
int sm_int_remap(X86IOMMUState *iommu, MSIMessage *src, MSIMessage *dst,
                 uint16_t sid);
void *sm_pasid_port(PasidIommu *iommu, PCIDevice *dev);
PasidDmaPlace sm_pasid_place(void *port, uint16_t sid, uint32_t pasid,
                             uint64_t addr, bool is_write);
PasidDmaStatus sm_pasid_translate(void *port, uint16_t sid, uint32_t pasid,
                                  uint64_t addr, PasidIommuAccess access,
                                  PasidDmaTranslation *out);
PasidPageStatus sm_pasid_page_request(PasidIommu *iommu, uint16_t sid,
                                      const PasidPageRequest *request);
void sm_pasid_page_response(void *opaque, const DmarPageResponse *response);

#endif /* HW_I386_INTEL_IOMMU_SM_INTERNAL_H */
