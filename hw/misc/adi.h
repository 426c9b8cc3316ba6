/*
 * The adi device, inside: what its files share.
 *
 *   adi_device.c   the PCIe function: BARs, control blocks, reset, migration
 *   adi_queue.c    a queue's registers, states and commands; no DMA
 *   adi_work.c     one turn of a queue: fetch, check, move bytes, complete
 *   adi_atc.c      translations that the function keeps: ATS
 *   adi_pri.c      pages that queues ask for and wait for: PRI
 *   adi_sched.c    which queue has the next turn
 *   adi_stats.c    what was done, as a property
 *
 * Everything runs under the big QEMU lock.  A turn does DMA, and DMA may reach
 * a register of any device: whatever is called from here may find itself reset
 * or even unplugged when it comes back.  AdiQueue.epoch tells.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_ADI_H
#define HW_MISC_ADI_H

#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_device.h"
#include "hw/misc/adi_regs.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

#define TYPE_ADI "adi"
OBJECT_DECLARE_SIMPLE_TYPE(AdiState, ADI)

/* AdiQueue.index of the function's own queue; ADI_Q_INDEX reads this. */
#define ADI_INDEX_FUNCTION UINT32_MAX

/* Bytes of one turn: a neighbour waits for so many, however long a copy is. */
#define ADI_CHUNK (64 * KiB)

/* Extended configuration space. */
#define ADI_PASID_OFFSET    PCI_CONFIG_SPACE_SIZE
#define ADI_DVSEC_OFFSET    (ADI_PASID_OFFSET + 0x10)
#define ADI_ATS_OFFSET      (ADI_DVSEC_OFFSET + 0x20)
#define ADI_PRI_OFFSET      (ADI_ATS_OFFSET + 0x10)

/* The descriptor that a queue works on. */
typedef struct AdiWork {
    bool valid;
    uint8_t wire[64];           /* as fetched, once */
    struct adi_desc desc;       /* the same in the host's byte order */
    uint32_t done;              /* bytes of desc.len */
    uint32_t crc;
} AdiWork;

/* The page that a queue asked for last: adi_pri.c. */
typedef enum AdiPageState {
    ADI_PAGE_NONE,
    ADI_PAGE_WAITING,           /* for the response to its page request */
    ADI_PAGE_DENIED,            /* there will be none */
} AdiPageState;

#define ADI_NO_GROUP UINT16_MAX

typedef struct AdiPage {
    AdiPageState state;
    uint16_t group;             /* or ADI_NO_GROUP, with no request sent */
    uint64_t addr;
} AdiPage;

typedef struct AdiQueue {
    AdiState *adi;
    uint32_t index;             /* ADI number or ADI_INDEX_FUNCTION */

    /* The parent driver's. */
    bool enabled;
    bool pasid_enabled;
    uint32_t pasid;
    bool draining;              /* fetch no more: draining or drained */
    bool refused;               /* the last command was */
    uint32_t first_error;
    uint64_t first_error_addr;
    uint64_t completed;
    uint64_t bytes;

    /* The owner's: the registers of its page. */
    uint64_t ring_base;
    uint32_t ring_order;
    uint32_t ctrl;
    uint32_t tail;
    uint32_t head;
    uint32_t error;
    uint64_t error_addr;

    /* The descriptor at head is what failed: skip it to go on. */
    bool head_failed;
    AdiWork work;
    AdiPage page;

    /* Changes whenever the work in progress is abandoned. */
    uint64_t epoch;

    bool listed;                /* on AdiState.ready */
    QTAILQ_ENTRY(AdiQueue) next;
} AdiQueue;

/* A translation that the IOMMU gave; PASID_DMA_NO_PASID: for the function. */
typedef struct AdiTranslation {
    uint32_t pasid;
    uint64_t first, last;       /* inclusive */
    uint64_t addr;              /* where @first leads */
    bool read, write;
    bool untranslated;          /* only to be reached by untranslated requests */
} AdiTranslation;

#define ADI_ATC_ENTRIES 64

typedef struct AdiAtc {
    AdiTranslation entry[ADI_ATC_ENTRIES];
    unsigned used, oldest;
    bool refused;               /* by the IOMMU, until software enables ATS */
    uint64_t lookups, hits, requests, invalidations;
} AdiAtc;

#define ADI_PRI_CAPACITY    64      /* requests without a response */
#define ADI_PRI_GROUPS      512

typedef struct AdiPages {
    AdiQueue *asker[ADI_PRI_GROUPS];
    uint16_t next_group;
    uint32_t outstanding;
    uint64_t requests, successes, invalids, failures, unexpected;
} AdiPages;

struct AdiState {
    PCIDevice parent_obj;

    uint32_t adis;
    bool ats, pri;
    MemoryRegion control;
    MemoryRegion pages;

    uint32_t nr_queues;         /* adis + 1 */
    AdiQueue *queues;           /* the last is the function's */

    /* Queues that may have work, in the order of their turns. */
    QTAILQ_HEAD(, AdiQueue) ready;
    bool in_slice;
    QEMUBH *bh;
    QEMUTimer *pause;
    VMChangeStateEntry *vm_state;
    Notifier machine_done;
    uint8_t buffer[2][ADI_CHUNK];

    AdiAtc atc;
    AdiPages pages_asked;
};

static inline AdiQueue *adi_function_queue(AdiState *s)
{
    return &s->queues[s->adis];
}

/* ---- adi_queue.c --------------------------------------------------------- */

/* Registers of a page; @offset is a multiple of four. */
uint32_t adi_queue_read(AdiQueue *q, hwaddr offset);
void adi_queue_write(AdiQueue *q, hwaddr offset, uint32_t value);

/* ADI_CTL_STATE: the state with the flags of the last command. */
uint32_t adi_queue_state(const AdiQueue *q);

void adi_queue_enable(AdiQueue *q);
void adi_queue_disable(AdiQueue *q);
void adi_queue_command(AdiQueue *q, uint32_t command);

/* All of it, as after power-on. */
void adi_queue_reset(AdiQueue *q);

/* A descriptor waits or is being worked on, and nothing stops the queue. */
bool adi_queue_busy(const AdiQueue *q);

/* Busy, and not for want of a page. */
bool adi_queue_runnable(const AdiQueue *q);

/* What its requests are tagged with; PASID_DMA_NO_PASID for the function's. */
uint32_t adi_queue_pasid(const AdiQueue *q);

/* Registers hold values that only a hostile migration stream can contain. */
bool adi_queue_sane(const AdiQueue *q);

/* Enter ADI_STATE_ERROR; the descriptor at head is the cause. */
void adi_queue_fail(AdiQueue *q, enum adi_error error, uint64_t addr);

/* The descriptor at head is done with. */
void adi_queue_advance(AdiQueue *q);

void adi_queue_interrupt(AdiQueue *q);

/* ---- adi_work.c ---------------------------------------------------------- */

/* One turn: at most a descriptor, at most ADI_CHUNK bytes; says how many. */
uint32_t adi_work_turn(AdiQueue *q);

/* What is wrong with a descriptor, ADI_ERR_NONE if nothing. */
enum adi_error adi_work_check(const struct adi_desc *desc);

/* Fill desc from wire. */
void adi_work_decode(AdiWork *w);

/* Bit n: opcode n is implemented. */
uint16_t adi_work_opcodes(void);

/* ---- adi_atc.c ----------------------------------------------------------- */

void adi_atc_add_capability(AdiState *s);
void adi_atc_reset(AdiState *s);
void adi_atc_config_written(AdiState *s);

/* DMA is to be translated here first. */
bool adi_atc_enabled(AdiState *s);

typedef enum AdiAtcAnswer {
    ADI_ATC_TRANSLATED,         /* *@out: the address */
    ADI_ATC_UNTRANSLATED,       /* only an untranslated request may do it */
    ADI_ATC_NO_RIGHT,           /* the page is not there, or not for this */
    ADI_ATC_FAILED,             /* *@status says how */
} AdiAtcAnswer;

AdiAtcAnswer adi_atc_translate(AdiQueue *q, DMADirection dir, uint64_t addr,
                               uint64_t *out, PasidDmaStatus *status);
void adi_atc_invalidate(AdiState *s, const PasidInvalidation *what);

/* ---- adi_pri.c ----------------------------------------------------------- */

void adi_pri_add_capability(AdiState *s);
void adi_pri_reset(AdiState *s);        /* after that of the queues */
bool adi_pri_enabled(AdiState *s);
void adi_pri_config_written(AdiState *s, bool was_enabled);

/*
 * The page at @addr is missing.  True: the DMA is to be tried again when the
 * queue has its next turn; false: it has failed.
 */
bool adi_pri_ask(AdiQueue *q, DMADirection dir, uint64_t addr);

/* What was asked for the work in progress does not matter any more. */
void adi_pri_cancel(AdiQueue *q);

void adi_pri_response(AdiState *s, const PasidPageResponse *response);

/* ---- adi_sched.c --------------------------------------------------------- */

void adi_sched_init(AdiState *s);
void adi_sched_stop(AdiState *s);

/* @q may have become runnable. */
void adi_sched_kick(AdiQueue *q);

/* ---- adi_stats.c --------------------------------------------------------- */

void adi_stats_class_init(ObjectClass *class);

#endif /* HW_MISC_ADI_H */
