/*
 * Keepers: those outside the engine that keep translations of requests without
 * PASID, and have to forget them when software invalidates (DmarHost,
 * translations_dropped()).
 *
 * What a keeper has goes by the tags with which it was answered, not by how its
 * source-id is bound now: a binding changes, and until software has invalidated
 * the IOTLB as well, answers of the old one are given [VT-d 6.2.1, Table 17;
 * 6.5.3.3].  So the tags of answers are noted, by source-id, since the keeper
 * was last told to forget everything.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* Noted in another epoch: it has nothing.  Epochs begin with 1. */
struct DmarKeeper {
    uint32_t epoch;
    uint32_t pasid;
    uint16_t domain;
    uint8_t pgtt;
    uint8_t levels;             /* of the first stage */
    bool several;               /* it was answered with other tags, too */
};

enum { SOURCES = 1 << 16 };

void dmar_keepers_init(Dmar *dmar)
{
    dmar->keepers = g_new0(DmarKeeper, SOURCES);
    dmar->keeper_epoch = 1;
}

void dmar_keepers_free(Dmar *dmar)
{
    g_free(dmar->keepers);
}

void dmar_keeper_answered(Dmar *dmar, uint16_t source_id,
                          const DmarBinding *binding)
{
    DmarKeeper *k = &dmar->keepers[source_id];
    DmarKeeper now = {
        .epoch = dmar->keeper_epoch, .pasid = binding->pasid,
        .domain = binding->domain, .pgtt = binding->pgtt,
        .levels = binding->root[DMAR_FIRST_STAGE].levels,
    };

    if (k->epoch != now.epoch) {
        *k = now;
    } else if (k->pasid != now.pasid || k->domain != now.domain ||
               k->pgtt != now.pgtt || k->levels != now.levels) {
        k->several = true;
    }
}

void dmar_keepers_forget(Dmar *dmar, const DmarForgotten *what)
{
    if (what->every_domain) {
        dmar_handles_void(dmar);
        dmar->keeper_epoch++;
    } else {
        dmar_handles_void_domain(dmar, what->domain);
    }
    if (dmar->host.translations_dropped) {
        dmar->host.translations_dropped(dmar->opaque, what);
    }
}

void dmar_keepers_forget_all(Dmar *dmar)
{
    dmar_keepers_forget(dmar, &(DmarForgotten) {
        .every_domain = true, .pasid = DMAR_NO_PASID, .last = UINT64_MAX,
    });
}

static bool has_first_stage(const DmarKeeper *k)
{
    return k->pgtt == PGTT_FIRST_STAGE || k->pgtt == PGTT_NESTED;
}

static bool named(const DmarKeeper *k, const DmarForgotten *what)
{
    return k->several ||
           (k->domain == what->domain &&
            (what->pasid == DMAR_NO_PASID || what->pasid == k->pasid));
}

/* A range of a domain is of second-stage addresses, which are not those that
 * requesters with a first stage use: they lose everything, as in iotlb.c.  Of a
 * PASID's range no more bits count than the first stage translates. */
static void range_for(const DmarKeeper *k, const DmarForgotten *what,
                      uint64_t *first, uint64_t *last)
{
    bool first_stage = has_first_stage(k);

    if (k->several || (first_stage && what->pasid == DMAR_NO_PASID)) {
        *first = 0;
        *last = UINT64_MAX;
    } else if (first_stage && what->last - what->first != UINT64_MAX) {
        *first = dmar_canonical(what->first, LEVEL_SHIFT(k->levels + 1));
        *last = dmar_canonical(what->last, LEVEL_SHIFT(k->levels + 1));
    }
}

bool dmar_forgotten_by(Dmar *dmar, const DmarForgotten *what, uint16_t source_id,
                       uint64_t *first, uint64_t *last)
{
    DmarKeeper *k = &dmar->keepers[source_id];

    *first = what->first;
    *last = what->last;
    if (what->every_domain) {
        return true;
    }
    if (k->epoch != dmar->keeper_epoch || !named(k, what)) {
        return false;
    }
    range_for(k, what, first, last);
    if (*last - *first == UINT64_MAX) {
        k->epoch = 0;
    }
    return true;
}
