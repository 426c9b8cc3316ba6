/*
 * The register-based invalidation interface [VT-d 6.5.1, 11.4.6]: for legacy
 * mode, while the queue is off, and in units up to version 5.
 *
 * A command runs when its go bit (ICC, IVT) is written as one and is done when
 * the write returns: the go bit reads zero and the granularity field says what
 * was done, zero that nothing was.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static bool interface_usable(const Dmar *dmar)
{
    return dmar_caps_version(&dmar->config) < 6 &&
           dmar_mode(dmar) == TTM_LEGACY && !dmar_status(dmar, GCMD_QIE);
}

static void finish(Dmar *dmar, uint64_t offset, uint64_t go, uint64_t done_field,
                   unsigned done)
{
    uint64_t value = dmar_get64(dmar, offset) & ~go;

    dmar_set64(dmar, offset, field_set(value, done_field, done));
}

void dmar_context_command(Dmar *dmar, uint64_t written)
{
    uint64_t command = dmar_get64(dmar, CCMD_REG);
    unsigned granularity = field_get(command, CCMD_CIRG);

    if (!(written & CCMD_ICC)) {
        return;
    }
    if (!interface_usable(dmar)) {
        granularity = 0;
    }
    dmar_invalidate_contexts(dmar, granularity,
                             dmar_domain_of(dmar, field_get(command, CCMD_DID)),
                             field_get(command, CCMD_SID),
                             field_get(command, CCMD_FM));
    finish(dmar, CCMD_REG, CCMD_ICC, CCMD_CAIG, granularity);
}

void dmar_iotlb_command(Dmar *dmar, uint64_t written)
{
    uint64_t command = dmar_get64(dmar, IOTLB_REG);
    uint64_t address = dmar_get64(dmar, IVA_REG);
    unsigned granularity = field_get(command, IOTLB_IIRG);
    unsigned order = field_get(address, IVA_AM);
    DmarRange range = dmar_invalidate_range(address & IVA_ADDR, order,
                                            address & IVA_IH);

    if (!(written & IOTLB_IVT)) {
        return;
    }
    if (!interface_usable(dmar) ||
        (granularity == G_IOTLB_PAGE &&
         !dmar_invalidate_order_valid(dmar, order))) {
        granularity = 0;
    }
    dmar_invalidate_mappings(dmar, granularity,
                             dmar_domain_of(dmar, field_get(command, IOTLB_DID)),
                             &range);
    finish(dmar, IOTLB_REG, IOTLB_IVT, IOTLB_IAIG, granularity);
}
