/*
 * The address translation cache of the adi device: the function's ATS.
 *
 * With ATS enabled in configuration space, every DMA, of ADIs and of the
 * function itself, looks here first.  What is not found, or lacks a right, is
 * asked of the IOMMU by a translation request; what it grants is kept until
 * the IOMMU invalidates it, ATS is disabled, or its place is needed.  Reads
 * ask with the no-write flag, so the first write to a page asks again.
 *
 * A translation request that is answered as unsupported turns ATS off in all
 * but name, as PCI Express wants it, until software enables it anew: DMA goes
 * untranslated again.
 *
 * Not migrated: a cache may begin empty.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/pci/pcie.h"
#include "adi.h"
#include "trace.h"

/* ---- Configuration space ------------------------------------------------- */

#define ADI_ATS_GLOBAL_INVALIDATE 0x0040    /* of the capability register */

static bool adi_ats_enabled(AdiState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    return s->ats && pci_get_word(pdev->config + ADI_ATS_OFFSET +
                                  PCI_ATS_CTRL) & PCI_ATS_CTRL_ENABLE;
}

bool adi_atc_enabled(AdiState *s)
{
    return adi_ats_enabled(s) && !s->atc.refused;
}

void adi_atc_add_capability(AdiState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    pcie_ats_init(pdev, ADI_ATS_OFFSET, true);
    pci_word_test_and_set_mask(pdev->config + ADI_ATS_OFFSET + PCI_ATS_CAP,
                               ADI_ATS_GLOBAL_INVALIDATE);
}

void adi_atc_reset(AdiState *s)
{
    if (s->ats) {
        pci_set_word(PCI_DEVICE(s)->config + ADI_ATS_OFFSET + PCI_ATS_CTRL, 0);
    }
    s->atc = (AdiAtc) { };
}

/* After a write: a cache that is turned off keeps nothing. */
void adi_atc_config_written(AdiState *s)
{
    if (!adi_ats_enabled(s)) {
        s->atc.used = 0;
        s->atc.refused = false;
    }
}

/* ---- The cache ----------------------------------------------------------- */

static bool adi_atc_holds(const AdiTranslation *t, uint32_t pasid,
                          uint64_t addr)
{
    return t->pasid == pasid && t->first <= addr && addr <= t->last;
}

static bool adi_atc_allows(const AdiTranslation *t, DMADirection dir)
{
    return dir == DMA_DIRECTION_TO_DEVICE ? t->read : t->write;
}

static AdiTranslation *adi_atc_find(AdiAtc *atc, uint32_t pasid, uint64_t addr)
{
    unsigned i;

    for (i = 0; i < atc->used; i++) {
        if (adi_atc_holds(&atc->entry[i], pasid, addr)) {
            return &atc->entry[i];
        }
    }
    return NULL;
}

/* In the place of the one for the same address, else of the oldest. */
static void adi_atc_keep(AdiAtc *atc, const AdiTranslation *t)
{
    AdiTranslation *place = adi_atc_find(atc, t->pasid, t->first);

    if (!place && atc->used < ADI_ATC_ENTRIES) {
        place = &atc->entry[atc->used++];
    } else if (!place) {
        place = &atc->entry[atc->oldest];
        atc->oldest = (atc->oldest + 1) % ADI_ATC_ENTRIES;
    }
    *place = *t;
}

static bool adi_atc_means(const PasidInvalidation *what,
                          const AdiTranslation *t)
{
    bool everything = what->pasid == PASID_DMA_NO_PASID &&
                      !what->addr && what->last == UINT64_MAX;

    return (everything || what->every_pasid || what->pasid == t->pasid) &&
           what->addr <= t->last && t->first <= what->last;
}

void adi_atc_invalidate(AdiState *s, const PasidInvalidation *what)
{
    AdiAtc *atc = &s->atc;
    unsigned i = 0;

    trace_adi_atc_invalidate(what->pasid, what->every_pasid, what->addr,
                             what->last);
    atc->invalidations++;
    while (i < atc->used) {
        if (adi_atc_means(what, &atc->entry[i])) {
            atc->entry[i] = atc->entry[--atc->used];
        } else {
            i++;
        }
    }
}

/* ---- Asking -------------------------------------------------------------- */

static AdiTranslation adi_atc_made_of(uint32_t pasid, uint64_t addr,
                                      const PasidDmaTranslation *answer)
{
    uint64_t inside = answer->size - 1;

    return (AdiTranslation) {
        .pasid = pasid,
        .first = addr & ~inside,
        .last = addr | inside,
        .addr = answer->addr,
        .read = answer->read,
        .write = answer->write,
        .untranslated = answer->untranslated,
    };
}

static PasidDmaStatus adi_atc_ask(AdiState *s, uint32_t pasid, uint64_t addr,
                                  DMADirection dir, AdiTranslation *out)
{
    PasidDmaIntent intent = dir == DMA_DIRECTION_TO_DEVICE ?
                            PASID_DMA_NO_WRITE : PASID_DMA_WILL_WRITE;
    PasidDmaTranslation answer = { .size = 1 };
    PasidDmaResult r = pasid_dma_translate(PCI_DEVICE(s), pasid, addr, intent,
                                           &answer);

    s->atc.requests++;
    trace_adi_atc_request(pasid, addr, r.status, answer.addr, answer.size,
                          answer.read, answer.write);
    *out = adi_atc_made_of(pasid, addr, &answer);
    if (r.status == PASID_DMA_OK && (out->read || out->write)) {
        adi_atc_keep(&s->atc, out);
    }
    return r.status;
}

static AdiAtcAnswer adi_atc_use(const AdiTranslation *t, uint64_t addr,
                                DMADirection dir, uint64_t *out)
{
    if (t->untranslated) {
        return ADI_ATC_UNTRANSLATED;
    }
    *out = t->addr + (addr - t->first);
    return adi_atc_allows(t, dir) ? ADI_ATC_TRANSLATED : ADI_ATC_NO_RIGHT;
}

AdiAtcAnswer adi_atc_translate(AdiQueue *q, DMADirection dir, uint64_t addr,
                               uint64_t *out, PasidDmaStatus *status)
{
    AdiState *s = q->adi;
    uint32_t pasid = adi_queue_pasid(q);
    AdiTranslation *known = adi_atc_find(&s->atc, pasid, addr);
    AdiTranslation found;

    s->atc.lookups++;
    if (known && (known->untranslated || adi_atc_allows(known, dir))) {
        s->atc.hits++;
        return adi_atc_use(known, addr, dir, out);
    }
    *status = adi_atc_ask(s, pasid, addr, dir, &found);
    switch (*status) {
    case PASID_DMA_OK:
        return adi_atc_use(&found, addr, dir, out);
    case PASID_DMA_UNSUPPORTED_REQUEST:
        s->atc.refused = true;
        s->atc.used = 0;
        return ADI_ATC_UNTRANSLATED;
    default:
        return ADI_ATC_FAILED;
    }
}
