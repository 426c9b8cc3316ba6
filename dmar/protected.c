/*
 * Protected memory: two regions that no DMA reaches, whatever the tables say,
 * and also while translation is off [VT-d 11.4.8].
 *
 * Software sets base and limit and turns both regions on with PMEN; a limit
 * below its base leaves a region empty.  What is refused here is no fault: it
 * is not recorded.  The unit's own accesses are not DMA.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

typedef struct Region {
    uint64_t first, last;       /* inclusive; empty if last is less */
} Region;

enum { REGIONS = 2 };

/* Low bits of a base decode as 0, of a limit as 1. */
static void read_regions(const Dmar *dmar, Region regions[REGIONS])
{
    uint64_t inside = low_bits(PMR_ALIGN);

    regions[0] = (Region) { dmar_get32(dmar, PLMBASE_REG),
                            dmar_get32(dmar, PLMLIMIT_REG) | inside };
    regions[1] = (Region) { dmar_get64(dmar, PHMBASE_REG),
                            dmar_get64(dmar, PHMLIMIT_REG) | inside };
}

static bool is_protected(const Region regions[REGIONS], uint64_t first,
                         uint64_t last)
{
    for (unsigned i = 0; i < REGIONS; i++) {
        if (regions[i].first <= regions[i].last &&
            first <= regions[i].last && last >= regions[i].first) {
            return true;
        }
    }
    return false;
}

bool dmar_protection_on(const Dmar *dmar)
{
    return dmar_get32(dmar, PMEN_REG) & PMEN_PRS;
}

/* What @out grants ends where a region begins. */
void dmar_protect(const Dmar *dmar, const DmarRequest *request,
                  DmarTranslation *out)
{
    Region regions[REGIONS];

    if (!dmar_protection_on(dmar) || out->completion != DMAR_SUCCESS ||
        request->type == DMAR_TRANSLATION_REQUEST) {
        return;
    }
    read_regions(dmar, regions);
    if (is_protected(regions, out->addr, out->addr)) {
        *out = (DmarTranslation) {
            .completion = DMAR_UNSUPPORTED_REQUEST,
            .addr = request->addr,
            .size = BIT_AT(PAGE_SHIFT_4K),
        };
        return;
    }
    while (is_protected(regions, out->addr & -out->size,
                        out->addr | (out->size - 1))) {
        out->size >>= 1;
    }
}

/* Done at once: the status follows. */
void dmar_protection_written(Dmar *dmar)
{
    uint32_t value = dmar_get32(dmar, PMEN_REG);
    bool on = value & PMEN_EPM;

    dmar_set32(dmar, PMEN_REG, field_set(value, PMEN_PRS, on));
    dmar_keepers_forget_all(dmar);
    dmar_tell_remapping(dmar);
}
