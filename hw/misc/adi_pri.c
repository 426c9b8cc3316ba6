/*
 * Page requests of the adi device: the function's page request interface.
 *
 * A DMA that the IOMMU translates without the right it needs asks for the
 * page, if PRI is enabled.  Its queue then waits, busy but without turns,
 * until the response to its page group comes, and tries again:
 *
 *   NONE --ask--> WAITING --Success--> NONE
 *                 WAITING --Invalid Request, Response Failure--> DENIED
 *   DENIED --the same page is missing again--> NONE, and the DMA fails
 *
 * A queue has one request at a time, a group of one page.  Groups are used in
 * turn, so that a response which comes late for a queue that was reset meets
 * nobody.  Software bounds how many wait for a response; a queue beyond that
 * waits without a group for one of the others to be answered.
 *
 * A Response Failure stops the interface until software enables it anew.  Not
 * migrated: a queue that waited asks again.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/pci/pcie.h"
#include "adi.h"
#include "trace.h"

#define ADI_PRI_CTRL    (ADI_PRI_OFFSET + PCI_PRI_CTRL)
#define ADI_PRI_STATUS  (ADI_PRI_OFFSET + PCI_PRI_STATUS)

/* ---- Configuration space ------------------------------------------------- */

static uint16_t adi_pri_reg(AdiState *s, unsigned offset)
{
    return pci_get_word(PCI_DEVICE(s)->config + offset);
}

static void adi_pri_status_set(AdiState *s, uint16_t bit, bool on)
{
    uint16_t status = adi_pri_reg(s, ADI_PRI_STATUS) & ~bit;

    pci_set_word(PCI_DEVICE(s)->config + ADI_PRI_STATUS,
                 status | (on ? bit : 0));
}

bool adi_pri_enabled(AdiState *s)
{
    return s->pri && adi_pri_reg(s, ADI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE;
}

static bool adi_pri_usable(AdiState *s)
{
    return adi_pri_enabled(s) &&
           !(adi_pri_reg(s, ADI_PRI_STATUS) & PCI_PRI_STATUS_RF);
}

void adi_pri_add_capability(AdiState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    unsigned pos = ADI_PRI_OFFSET;

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PRI, 1, pos,
                        PCI_EXT_CAP_PRI_SIZEOF);
    pci_set_long(pdev->config + pos + PCI_PRI_MAX_REQ, ADI_PRI_CAPACITY);
    pci_set_word(pdev->wmask + ADI_PRI_CTRL,
                 PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
    pci_set_word(pdev->w1cmask + ADI_PRI_STATUS,
                 PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    pci_set_long(pdev->wmask + pos + PCI_PRI_ALLOC_REQ, UINT32_MAX);
}

/* How many requests may be unanswered. */
static uint32_t adi_pri_allowed(AdiState *s)
{
    return MIN(pci_get_long(PCI_DEVICE(s)->config + ADI_PRI_OFFSET +
                            PCI_PRI_ALLOC_REQ), ADI_PRI_CAPACITY);
}

/* ---- Groups -------------------------------------------------------------- */

static uint16_t adi_pri_take_group(AdiState *s, AdiQueue *q)
{
    AdiPages *p = &s->pages_asked;

    while (p->asker[p->next_group]) {
        p->next_group = (p->next_group + 1) % ADI_PRI_GROUPS;
    }
    q->page.group = p->next_group;
    p->asker[q->page.group] = q;
    p->outstanding++;
    p->next_group = (p->next_group + 1) % ADI_PRI_GROUPS;
    return q->page.group;
}

static void adi_pri_free_group(AdiQueue *q)
{
    AdiPages *p = &q->adi->pages_asked;

    if (q->page.group != ADI_NO_GROUP) {
        p->asker[q->page.group] = NULL;
        p->outstanding--;
        q->page.group = ADI_NO_GROUP;
    }
}

/* ---- Waiting ------------------------------------------------------------- */

static void adi_pri_end_wait(AdiQueue *q, AdiPageState state)
{
    adi_pri_free_group(q);
    q->page.state = state;
    adi_sched_kick(q);
}

/* There may be room for one more: whoever waits without a group tries. */
static void adi_pri_wake(AdiState *s)
{
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        AdiQueue *q = &s->queues[i];

        if (q->page.state == ADI_PAGE_WAITING &&
            q->page.group == ADI_NO_GROUP) {
            adi_pri_end_wait(q, ADI_PAGE_NONE);
        }
    }
}

static void adi_pri_update_stopped(AdiState *s)
{
    adi_pri_status_set(s, PCI_PRI_STATUS_STOPPED,
                       !adi_pri_enabled(s) && !s->pages_asked.outstanding);
}

void adi_pri_cancel(AdiQueue *q)
{
    adi_pri_free_group(q);
    q->page = (AdiPage) { .group = ADI_NO_GROUP };
}

/* ---- Responses ----------------------------------------------------------- */

/* Codes without a meaning count as failures. */
static AdiPageState adi_pri_take_response(AdiState *s, PasidPageStatus status)
{
    switch (status) {
    case PASID_PAGE_SUCCESS:
        s->pages_asked.successes++;
        return ADI_PAGE_NONE;
    case PASID_PAGE_INVALID:
        s->pages_asked.invalids++;
        return ADI_PAGE_DENIED;
    default:
        s->pages_asked.failures++;
        adi_pri_status_set(s, PCI_PRI_STATUS_RF, true);
        return ADI_PAGE_DENIED;
    }
}

void adi_pri_response(AdiState *s, const PasidPageResponse *response)
{
    AdiQueue *q = s->pages_asked.asker[response->group % ADI_PRI_GROUPS];

    trace_adi_page_response(response->pasid, response->group,
                            response->status);
    if (!q || adi_queue_pasid(q) != response->pasid) {
        s->pages_asked.unexpected++;
        if (s->pri) {
            adi_pri_status_set(s, PCI_PRI_STATUS_UPRGI, true);
        }
        return;
    }
    adi_pri_end_wait(q, adi_pri_take_response(s, response->status));
    adi_pri_wake(s);
    adi_pri_update_stopped(s);
}

/* ---- Asking -------------------------------------------------------------- */

static PasidPageStatus adi_pri_send(AdiQueue *q, DMADirection dir)
{
    AdiState *s = q->adi;
    PasidPageRequest request = {
        .pasid = adi_queue_pasid(q),
        .addr = q->page.addr,
        .read = dir == DMA_DIRECTION_TO_DEVICE,
        .write = dir == DMA_DIRECTION_FROM_DEVICE,
        .group = adi_pri_take_group(s, q),
        .last = true,
    };

    s->pages_asked.requests++;
    trace_adi_page_request(q->index, request.pasid, request.addr,
                           request.write, request.group);
    return pasid_dma_page_request(PCI_DEVICE(s), &request);
}

bool adi_pri_ask(AdiQueue *q, DMADirection dir, uint64_t addr)
{
    AdiState *s = q->adi;
    uint64_t page = addr & ~(uint64_t)(ADI_PAGE_SIZE - 1);
    bool denied = q->page.state == ADI_PAGE_DENIED && q->page.addr == page;
    PasidPageStatus status;

    q->page = (AdiPage) { .group = ADI_NO_GROUP, .addr = page };
    if (denied || !adi_pri_usable(s)) {
        return false;
    }
    q->page.state = ADI_PAGE_WAITING;
    if (s->pages_asked.outstanding < adi_pri_allowed(s)) {
        status = adi_pri_send(q, dir);
        if (status != PASID_PAGE_PENDING) {
            adi_pri_free_group(q);
            q->page.state = adi_pri_take_response(s, status);
        }
    }
    return q->page.state != ADI_PAGE_DENIED;
}

/* ---- Reset, and writes to configuration space ------------------------------ */

static void adi_pri_forget_requests(AdiState *s, AdiPageState state)
{
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        if (s->queues[i].page.state == ADI_PAGE_WAITING) {
            adi_pri_end_wait(&s->queues[i], state);
        }
    }
}

void adi_pri_reset(AdiState *s)
{
    s->pages_asked = (AdiPages) { };
    if (s->pri) {
        PCIDevice *pdev = PCI_DEVICE(s);

        pci_set_word(pdev->config + ADI_PRI_CTRL, 0);
        pci_set_word(pdev->config + ADI_PRI_STATUS,
                     PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
        pci_set_long(pdev->config + ADI_PRI_OFFSET + PCI_PRI_ALLOC_REQ, 0);
    }
}

/* @was_enabled: before the write. */
void adi_pri_config_written(AdiState *s, bool was_enabled)
{
    uint16_t control;

    if (!s->pri) {
        return;
    }
    control = adi_pri_reg(s, ADI_PRI_CTRL);
    if (adi_pri_enabled(s) && !was_enabled) {
        adi_pri_status_set(s, PCI_PRI_STATUS_RF, false);
    }
    if ((control & PCI_PRI_CTRL_RESET) && !adi_pri_enabled(s)) {
        adi_pri_forget_requests(s, ADI_PAGE_DENIED);
    }
    pci_set_word(PCI_DEVICE(s)->config + ADI_PRI_CTRL,
                 control & PCI_PRI_CTRL_ENABLE);
    adi_pri_wake(s);
    adi_pri_update_stopped(s);
}

