/*
 * What looking for the tables of a request shares: context.c reads root and
 * context entries, pasid.c PASID directory and table entries, resolve.c asks
 * them and decides whether this kind of request may pass.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_RESOLVE_H
#define DMAR_RESOLVE_H

#include "unit.h"

/* What every step needs; @fpd gathers the FPD bits met so far. */
typedef struct Resolution {
    Dmar *dmar;
    const DmarRequest *request;
    bool fpd;
    DmarContext fetched;        /* if there was none in the cache */
} Resolution;

/* Both return a fault reason or FAULT_NONE, and gather FPD.  The context is in the
 * cache, or in @r. */
uint8_t dmar_context_find(Resolution *r, bool legacy, const DmarContext **out);
uint8_t dmar_pasid_find(Resolution *r, const DmarContext *context,
                        uint32_t pasid, DmarBinding *out);

/* May what was found, or why nothing was, be cached?  A probe is no DMA: what
 * it meets is not kept. */
static inline bool dmar_resolution_keeps(const Resolution *r, uint8_t reason)
{
    bool probe = r->request->access == DMAR_PROBE &&
                 r->request->type == DMAR_UNTRANSLATED;

    return !probe && (!reason || (r->dmar->cap & CAP_CM));
}

static inline bool dmar_has_pasid(const DmarRequest *request)
{
    return request->pasid != DMAR_NO_PASID;
}

/* Domain-ids are as wide as CAP.ND says; the rest is reserved. */
static inline uint64_t dmar_domain_mask(const Dmar *dmar, uint64_t field)
{
    return field_make(low_bits(dmar->config.domain_bits), field);
}

static inline uint64_t dmar_pointer_mask(const Dmar *dmar, uint64_t field)
{
    return field & ~dmar_beyond_host(dmar);
}

/* A directory of 2^(PDTS + 7) entries, each of 64 PASIDs. */
static inline bool dmar_beyond_directory(uint32_t pasid, unsigned pdts)
{
    return pasid >> (pdts + 13);
}

#endif /* DMAR_RESOLVE_H */
