/*
 * PASID-tagged DMA: the one door through which a PCI device reaches memory in
 * the address space of a PASID.
 *
 * A device names itself and a PASID; what is behind the door finds the IOMMU
 * that translates for the device's bus.  An IOMMU that understands PASIDs
 * implements the QOM interface TYPE_PASID_IOMMU.  Where there is no IOMMU, or
 * one that does not implement it, a PASID-tagged request is answered as a bus
 * would answer it: unsupported request.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PASID_DMA_H
#define HW_PCI_PASID_DMA_H

#include "qom/object.h"
#include "hw/pci/pci.h"

#define PASID_DMA_PASID_BITS 20

/* How a request ended, as the requester's PCIe completion would say it. */
typedef enum PasidDmaStatus {
    PASID_DMA_OK,
    /* Refused: no such translation, or no PASID-capable IOMMU. */
    PASID_DMA_UNSUPPORTED_REQUEST,
    /* Translation request only: the IOMMU met an error of its own. */
    PASID_DMA_COMPLETER_ABORT,
    /* Translated, but no memory answered at the result. */
    PASID_DMA_NO_MEMORY,
    /* Never left the device: PASID capability absent or not enabled. */
    PASID_DMA_PASID_DISABLED,
    /* Never left the device: bus mastering is off. */
    PASID_DMA_NO_BUS_MASTER,
} PasidDmaStatus;

typedef struct PasidDmaResult {
    PasidDmaStatus status;
    uint64_t done;          /* bytes that were moved before it ended */
    uint64_t fault_addr;    /* first address that failed; only if status != OK */
} PasidDmaResult;

/* The answer to a translation request [PCIe ATS]. */
typedef struct PasidDmaTranslation {
    uint64_t addr;          /* translated address of the page */
    uint64_t size;          /* bytes it is valid for, a power of two */
    bool read, write;       /* both false: a success that grants nothing */
} PasidDmaTranslation;

/*
 * Read or write @len bytes at @addr in @dev's address space of @pasid.
 * A transfer that crosses pages is translated page by page and stops at the
 * first that fails.  Callable from any thread that may touch guest memory;
 * no need to hold the BQL.
 */
PasidDmaResult pasid_dma_read(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                              void *buf, uint64_t len);
PasidDmaResult pasid_dma_write(PCIDevice *dev, uint32_t pasid, uint64_t addr,
                               const void *buf, uint64_t len);

/*
 * Ask for the translation of the page that holds @addr, as a device with an
 * address translation cache does.  @no_write tells the IOMMU that a write is
 * not intended, so that it need not mark the page dirty.
 */
typedef enum PasidDmaIntent { PASID_DMA_WILL_WRITE, PASID_DMA_NO_WRITE } PasidDmaIntent;

PasidDmaResult pasid_dma_translate(PCIDevice *dev, uint32_t pasid,
                                   uint64_t addr, PasidDmaIntent intent,
                                   PasidDmaTranslation *out);

const char *pasid_dma_status_name(PasidDmaStatus status);

/* ---- For IOMMUs ---------------------------------------------------------- */

#define TYPE_PASID_IOMMU "pasid-iommu"
typedef struct PasidIommu PasidIommu;
typedef struct PasidIommuClass PasidIommuClass;
DECLARE_CLASS_CHECKERS(PasidIommuClass, PASID_IOMMU, TYPE_PASID_IOMMU)
#define PASID_IOMMU(obj) INTERFACE_CHECK(PasidIommu, (obj), TYPE_PASID_IOMMU)

typedef enum PasidIommuAccess {
    PASID_IOMMU_READ,
    PASID_IOMMU_WRITE,
    PASID_IOMMU_TRANSLATE,          /* translation request, may write later */
    PASID_IOMMU_TRANSLATE_NO_WRITE,
} PasidIommuAccess;

struct PasidIommuClass {
    InterfaceClass parent_class;

    /*
     * Translate @addr for (@sid, @pasid).  On PASID_DMA_OK, @out says where
     * the page is and how far the answer reaches; the IOMMU has already
     * recorded whatever fault its architecture wants recorded otherwise.
     * @sid is the requester's ID as seen on the bus, bus number included.
     */
    PasidDmaStatus (*translate)(PasidIommu *iommu, uint16_t sid,
                                uint32_t pasid, uint64_t addr,
                                PasidIommuAccess access,
                                PasidDmaTranslation *out);
};

#endif /* HW_PCI_PASID_DMA_H */
