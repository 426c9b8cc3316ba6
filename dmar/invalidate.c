/*
 * What an invalidation command makes the caches forget: shared by the queue's
 * descriptors and by the register-based interface, which name the same things
 * [VT-d 6.5.1, 6.5.2].
 *
 * Each does what the architecture requires of it and no more, so that a
 * command that is too narrow leaves the stale entry where software can find it.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* Hardware ignores domain-id bits it does not implement [VT-d 6.5.2.1]. */
uint16_t dmar_domain_of(const Dmar *dmar, uint64_t field)
{
    return field & low_bits(dmar->config.domain_bits);
}

bool dmar_invalidate_order_valid(const Dmar *dmar, unsigned order)
{
    return dmar->cap & CAP_PSI && order <= field_get(dmar->cap, CAP_MAMV);
}

void dmar_invalidate_everything(Dmar *dmar)
{
    dmar_keepers_forget_all(dmar);
    dmar_cache_drop_contexts(dmar->caches);
    dmar_cache_drop_bindings(dmar->caches);
    dmar_iotlb_drop_all(dmar->iotlb);
}

/* FM says how many low function bits to ignore: none, bit 2, 2:1, 2:0. */
static uint16_t function_bits(unsigned function_mask)
{
    static const uint8_t ignored[] = { 0, 4, 6, 7 };

    return ignored[function_mask];
}

void dmar_invalidate_contexts(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint16_t source_id, unsigned function_mask)
{
    dmar_keepers_forget_all(dmar);
    switch (granularity) {
    case G_GLOBAL:
        dmar_cache_drop_contexts(dmar->caches);
        break;
    case G_DOMAIN:
        dmar_cache_drop_domain_contexts(dmar->caches, domain);
        break;
    case G_DEVICE:
        dmar_cache_drop_device_context(dmar->caches, domain, source_id,
                                       function_bits(function_mask));
        break;
    }
}

void dmar_invalidate_bindings(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint32_t pasid)
{
    dmar_keepers_forget_all(dmar);
    switch (granularity) {
    case G_PC_DOMAIN:
        dmar_cache_drop_domain_bindings(dmar->caches, domain);
        dmar_stats_invalidation(dmar->stats, domain, DMAR_NO_PASID);
        break;
    case G_PC_PASID:
        dmar_cache_drop_pasid_bindings(dmar->caches, domain, pasid);
        dmar_stats_invalidation(dmar->stats, domain, pasid);
        break;
    case G_PC_GLOBAL:
        dmar_cache_drop_bindings(dmar->caches);
        break;
    }
}

/* The 2^@order pages around @addr [VT-d 6.5.2.3, Table 22]. */
DmarRange dmar_invalidate_range(uint64_t addr, unsigned order, bool leaves_only)
{
    uint64_t inside = low_bits(PAGE_SHIFT_4K + order);

    return (DmarRange) { .first = addr & ~inside, .last = addr | inside,
                         .leaves_only = leaves_only };
}

/* Address bits that no second stage has are ignored [VT-d 6.5.2.3, ADDR]. */
static DmarRange second_stage_range(const Dmar *dmar, const DmarRange *range)
{
    uint64_t inputs = low_bits(dmar->config.aw_bits);

    return (DmarRange) { .first = range->first & inputs,
                         .last = range->last & inputs,
                         .leaves_only = range->leaves_only };
}

void dmar_invalidate_mappings(Dmar *dmar, unsigned granularity, uint16_t domain,
                              const DmarRange *range)
{
    DmarRange inputs = second_stage_range(dmar, range);
    bool pages = granularity == G_IOTLB_PAGE;

    dmar_keepers_forget(dmar, &(DmarForgotten) {
        .every_domain = granularity == G_IOTLB_GLOBAL, .domain = domain,
        .pasid = DMAR_NO_PASID, .first = pages ? inputs.first : 0,
        .last = pages ? inputs.last : UINT64_MAX,
    });
    switch (granularity) {
    case G_IOTLB_GLOBAL:
        dmar_iotlb_drop_all(dmar->iotlb);
        break;
    case G_IOTLB_DOMAIN:
        dmar_iotlb_drop_domain(dmar->iotlb, domain);
        dmar_stats_invalidation(dmar->stats, domain, DMAR_NO_PASID);
        break;
    case G_IOTLB_PAGE:
        dmar_iotlb_drop_range(dmar->iotlb, domain, &inputs);
        dmar_stats_invalidation(dmar->stats, domain, DMAR_NO_PASID);
        break;
    }
}

void dmar_invalidate_pasid(Dmar *dmar, unsigned granularity, uint16_t domain,
                           uint32_t pasid, const DmarRange *range)
{
    bool pages = granularity == G_PIOTLB_PAGE;

    dmar_keepers_forget(dmar, &(DmarForgotten) {
        .domain = domain, .pasid = pasid, .first = pages ? range->first : 0,
        .last = pages ? range->last : UINT64_MAX,
    });
    switch (granularity) {
    case G_PIOTLB_PASID:
        dmar_iotlb_drop_pasid(dmar->iotlb, domain, pasid);
        break;
    case G_PIOTLB_PAGE:
        dmar_iotlb_drop_pasid_range(dmar->iotlb, domain, pasid, range);
        break;
    }
    dmar_stats_invalidation(dmar->stats, domain, pasid);
}

void dmar_invalidate_interrupts(Dmar *dmar, uint16_t first, uint16_t last)
{
    dmar_cache_drop_interrupts(dmar->caches, first, last);
    if (dmar->host.interrupts_dropped) {
        dmar->host.interrupts_dropped(dmar->opaque, first, last);
    }
}
