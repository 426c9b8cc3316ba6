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

/* For devices with an address translation cache: requests without PASID. */
#define PASID_DMA_NO_PASID UINT32_MAX

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
    bool untranslated;      /* not to be used in a translated request */
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

/*
 * Read or write at an address that pasid_dma_translate() gave.  Such a request
 * has no PASID, and the IOMMU checks little but that it may be made.
 */
PasidDmaResult pasid_dma_read_translated(PCIDevice *dev, uint64_t addr,
                                         void *buf, uint64_t len);
PasidDmaResult pasid_dma_write_translated(PCIDevice *dev, uint64_t addr,
                                          const void *buf, uint64_t len);

const char *pasid_dma_status_name(PasidDmaStatus status);

/* ---- Page requests and invalidations ------------------------------------- */

/* A page request message [PCIe ATS]: the device wants these rights. */
typedef struct PasidPageRequest {
    uint32_t pasid;         /* or PASID_DMA_NO_PASID */
    uint64_t addr;
    bool read, write;
    uint16_t group;         /* page request group index: 9 bits */
    bool last;              /* of its group: a response is expected */
} PasidPageRequest;

/* The codes of a page request group response message, and none yet. */
typedef enum PasidPageStatus {
    PASID_PAGE_SUCCESS = 0,
    PASID_PAGE_INVALID = 1,
    PASID_PAGE_FAILURE = 15,
    PASID_PAGE_PENDING = 16,
} PasidPageStatus;

typedef struct PasidPageResponse {
    uint32_t pasid;
    uint16_t group;
    PasidPageStatus status;
} PasidPageResponse;

/*
 * Ask for a page.  PASID_PAGE_PENDING: the response, if one is due, reaches
 * the device's page_response(), some time or never.  Anything else is the
 * response.
 */
PasidPageStatus pasid_dma_page_request(PCIDevice *dev,
                                       const PasidPageRequest *request);

/* What to forget of one's translations. */
typedef struct PasidInvalidation {
    uint32_t pasid;         /* or PASID_DMA_NO_PASID */
    bool every_pasid;
    uint64_t addr, last;    /* inclusive */
} PasidInvalidation;

/*
 * A PCI device that keeps translations or asks for pages implements this QOM
 * interface.  Called under the BQL, by an IOMMU in the middle of a command: no
 * DMA, no request from here.  What was invalidated is not used any more when
 * invalidate() returns.
 */
#define TYPE_PASID_DEVICE "pasid-device"
typedef struct PasidDevice PasidDevice;
typedef struct PasidDeviceClass PasidDeviceClass;
DECLARE_CLASS_CHECKERS(PasidDeviceClass, PASID_DEVICE, TYPE_PASID_DEVICE)
#define PASID_DEVICE(obj) INTERFACE_CHECK(PasidDevice, (obj), TYPE_PASID_DEVICE)

struct PasidDeviceClass {
    InterfaceClass parent_class;

    void (*invalidate)(PasidDevice *dev, const PasidInvalidation *what);
    void (*page_response)(PasidDevice *dev, const PasidPageResponse *response);
};

/* For an IOMMU: tell @dev, if it is one that listens; NULL: nobody does. */
void pasid_dma_invalidate(PCIDevice *dev, const PasidInvalidation *what);
void pasid_dma_page_response(PCIDevice *dev, const PasidPageResponse *response);

/* ---- For IOMMUs ---------------------------------------------------------- */

/* To be called when an IOMMU is realized, under the BQL. */
void pasid_dma_init(void);

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
    PASID_IOMMU_READ_TRANSLATED,    /* at the address of a translation */
    PASID_IOMMU_WRITE_TRANSLATED,
} PasidIommuAccess;

typedef struct PasidDmaPlace {
    uint64_t addr;
    uint64_t bytes;                 /* from @addr on, for which it holds */
} PasidDmaPlace;

struct PasidIommuClass {
    InterfaceClass parent_class;

    /* What the IOMMU keeps for requests of @dev, given back with each of them.
     * It lasts as long as the IOMMU does, and may outlive @dev. */
    void *(*port)(PasidIommu *iommu, PCIDevice *dev);

    /*
     * Translate @addr for (@sid, @pasid).  On PASID_DMA_OK, @out says where
     * the page is and how far the answer reaches; the IOMMU has already
     * recorded whatever fault its architecture wants recorded otherwise, and
     * @out means nothing.
     * @sid is the requester's ID as seen on the bus, bus number included.
     * @pasid may be PASID_DMA_NO_PASID.  From any thread, within a read-side
     * critical section of RCU.
     */
    PasidDmaStatus (*translate)(void *port, uint16_t sid, uint32_t pasid,
                                uint64_t addr, PasidIommuAccess access,
                                PasidDmaTranslation *out);

    /*
     * Where an untranslated access leads, if translate() has said so before and
     * would again; else @bytes is 0.
     */
    PasidDmaPlace (*place)(void *port, uint16_t sid, uint32_t pasid,
                           uint64_t addr, bool is_write);

    /* A page request; optional. */
    PasidPageStatus (*page_request)(PasidIommu *iommu, uint16_t sid,
                                    const PasidPageRequest *request);
};

#endif /* HW_PCI_PASID_DMA_H */
