/*
 * What the modules ask of the host and tell it, in the engine's own terms:
 * words of guest memory, which is little-endian; that remapping was switched;
 * and the steps that a trace is made of.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

bool dmar_read_words(Dmar *dmar, uint64_t addr, uint64_t *words, unsigned count)
{
    dmar_perf_count(dmar, PERF_MEMORY_READS, 0);
    if (!dmar->host.read(dmar->opaque, addr, words, 8 * count)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        words[i] = GUINT64_FROM_LE(words[i]);
    }
    return true;
}

void dmar_tell_remapping(Dmar *dmar)
{
    if (dmar->host.remapping_changed) {
        dmar->host.remapping_changed(dmar->opaque,
                                     dmar_status(dmar, GCMD_TE) ||
                                     dmar_protection_on(dmar),
                                     dmar_status(dmar, GCMD_IRE));
    }
}

void dmar_tell_event(Dmar *dmar, const DmarEvent *event)
{
    dmar->host.event(dmar->opaque, event);
}
