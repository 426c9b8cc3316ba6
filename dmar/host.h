/*
 * The seam between the engine and whatever hosts it.
 *
 * The engine owns no memory, no clock and no interrupt controller: it asks
 * for them here.  A host fills in one DmarHost and hands it to dmar_new().
 *
 * Rules for a host: every callback may come while the engine holds its lock,
 * from any thread that entered the engine; a callback must not enter the same
 * engine again, but for dmar_forgotten_by() which is there for it.  Memory
 * callbacks reach RAM only (a table that software placed
 * over a device must be answered with an error, never with a device access).
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_HOST_H
#define DMAR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What software asked a device's own translation cache to forget. */
typedef struct DmarDeviceTlbInvalidation {
    uint16_t source_id;
    uint32_t pasid;             /* DMAR_NO_PASID: requests without PASID */
    bool every_pasid;           /* PASID-based with its global hint set */
    uint64_t addr;
    uint64_t size;              /* bytes, a power of two; 0: everything */
} DmarDeviceTlbInvalidation;

/* Translations that software asked to forget; a host may keep some, too. */
typedef struct DmarForgotten {
    bool every_domain;
    uint16_t domain;
    uint32_t pasid;             /* DMAR_NO_PASID: whatever the PASID */
    uint64_t first, last;       /* addresses; dmar_forgotten_by() says whose */
} DmarForgotten;

/* How software served a page group, or the unit in its stead [VT-d 7.6.1,
 * Table 32]; codes between are reserved, and sent as software wrote them. */
enum {
    DMAR_PAGE_SUCCESS = 0,
    DMAR_PAGE_INVALID = 1,
    DMAR_PAGE_FAILURE = 15,
};

typedef struct DmarPageResponse {
    uint16_t source_id;
    uint32_t pasid;             /* DMAR_NO_PASID: response without PASID */
    uint16_t group;
    uint8_t code;
} DmarPageResponse;

/* A step of the engine, for traces and for the message of a failed test. */
typedef enum DmarEventKind {
    DMAR_EVENT_REGISTER_WRITE,  /* addr: offset, value: written */
    DMAR_EVENT_COMMAND,         /* addr: GCMD bit that changed, value: new */
    DMAR_EVENT_ENHANCED_COMMAND,    /* addr: its number, value: operand A,
                                   detail: status */
    DMAR_EVENT_CONTEXT,         /* context entry fetched; value: word 0 */
    DMAR_EVENT_PASID_ENTRY,     /* PASID-table entry fetched; value: word 0 */
    DMAR_EVENT_WALK,            /* addr: of paging entry, value: the entry,
                                   detail: its level, 1 the last */
    DMAR_EVENT_TRANSLATED,      /* addr: input, value: output, detail: size */
    DMAR_EVENT_FAULT,           /* addr: input, detail: reason, value: 0 or 1
                                   whether it was recorded */
    DMAR_EVENT_DESCRIPTOR,      /* addr: index in the queue, value: word 0,
                                   detail: word 1 */
    DMAR_EVENT_QUEUE_ERROR,     /* addr: index, detail: IQEI */
    DMAR_EVENT_DEVICE_TLB,      /* addr: ITag, value: a DmarDeviceTlbStep */
    DMAR_EVENT_INTERRUPT,       /* addr: index, value: IRTE word 0 */
    DMAR_EVENT_POSTED,          /* addr: of the descriptor, value: vector,
                                   detail: whether a notification is due */
    DMAR_EVENT_MSI,             /* addr, value: message the unit itself sent */
    DMAR_EVENT_PAGE_REQUEST,    /* value: word 1 of its descriptor, detail: 0
                                   or 1 whether it was queued */
    DMAR_EVENT_PAGE_RESPONSE,   /* value: group, detail: response code */
    DMAR_EVENT_KINDS
} DmarEventKind;

/* What became of a device-TLB invalidation. */
typedef enum DmarDeviceTlbStep {
    DMAR_DEVICE_TLB_SENT,
    DMAR_DEVICE_TLB_COMPLETED,      /* not at once */
    DMAR_DEVICE_TLB_TIMED_OUT,
    DMAR_DEVICE_TLB_INVALID,        /* an answer nobody waits for; ITags */
} DmarDeviceTlbStep;

typedef struct DmarEvent {
    DmarEventKind kind;
    uint16_t source_id;
    uint32_t pasid;
    uint64_t addr;
    uint64_t value;
    uint64_t detail;
} DmarEvent;

typedef struct DmarHost {
    /* Copy @len bytes from or to physical @addr; false: nothing answered. */
    bool (*read)(void *opaque, uint64_t addr, void *buf, size_t len);
    bool (*write)(void *opaque, uint64_t addr, const void *buf, size_t len);

    /*
     * Atomically replace the 8 bytes at @addr, a multiple of 8, by @desired if
     * they are *@expected, and set *@expected to what was found.  Both are
     * numbers; memory is little-endian.  False: nothing answered.
     */
    bool (*compare_exchange)(void *opaque, uint64_t addr, uint64_t *expected,
                             uint64_t desired);

    /* The unit's own interrupt messages; never remapped. */
    void (*send_msi)(void *opaque, uint64_t addr, uint32_t data);

    /* Optional: DMA or interrupt remapping was switched on or off; while @dma
     * is false, DMA reaches memory as it is and need not be asked about. */
    void (*remapping_changed)(void *opaque, bool dma, bool interrupts);

    /* Optional: forget interrupt entries @first .. @last (inclusive). */
    void (*interrupts_dropped)(void *opaque, uint16_t first, uint16_t last);

    /* Optional: comes from dmar_reg_write(), or from
     * dmar_device_tlb_completed() if the queue goes on. */
    void (*translations_dropped)(void *opaque, const DmarForgotten *what);

    /*
     * Optional: a device-TLB invalidation request.  True: the device has
     * completed it.  False: it will, and the host calls
     * dmar_device_tlb_completed() then, or dmar_device_tlb_timed_out() when it
     * has waited long enough, once this callback has returned.
     */
    bool (*device_tlb)(void *opaque, unsigned itag,
                       const DmarDeviceTlbInvalidation *what);

    /* Optional: software answers a page group of a device. */
    void (*page_response)(void *opaque, const DmarPageResponse *response);

    /* Optional: a step of the engine; if @watched is given, only while it is
     * not 0. */
    void (*event)(void *opaque, const DmarEvent *event);
    const int *watched;
} DmarHost;

#endif /* DMAR_HOST_H */
