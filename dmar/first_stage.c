/*
 * First-stage paging entries: answers to the walker [VT-d 3.6, 9.7].
 *
 * Memory types are not modelled (MTS is not advertised): PAT, PCD and PWT are
 * ignored, as are the global bit and what was execute-disable before.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk.h"

/* PS is reserved where no page of that size can be [VT-d 3.6]. */
static bool has_page_size(const Dmar *dmar, unsigned level)
{
    return level == 2 || (level == 3 && (dmar->cap & CAP_FS1GP));
}

static uint64_t allowed(const Dmar *dmar, unsigned level, bool leaf)
{
    uint64_t bits = FS_P | FS_RW | FS_US | FS_PWT | FS_PCD | FS_A | FS_D |
                    FS_IGNORED_LOW | FS_EA | FS_IGNORED_HIGH;
    uint64_t address = PAGING_ADDR;

    if (level == 1 || has_page_size(dmar, level)) {
        bits |= FS_PS;
    }
    if (level > 1 && leaf) {
        address &= ~low_bits(LEVEL_SHIFT(level));
        bits |= FS_PAT_LARGE;
    }
    return bits | (address & ~dmar_beyond_host(dmar));
}

/* [VT-d 3.6.2] */
static uint64_t accessed(const DmarBinding *binding)
{
    return binding->extended_accessed ? FS_A | FS_EA : FS_A;
}

static uint64_t dirty(const DmarBinding *binding)
{
    (void)binding;
    return FS_D;
}

static const DmarWalkReasons *reasons(const DmarBinding *binding)
{
    static const DmarWalkReasons reasons = {
        .top_unreadable = FAULT_FS_TOP_ACCESS,
        .unreadable = FAULT_FS_ACCESS,
        .absent = FAULT_FS_NOT_PRESENT,
        .reserved = FAULT_FS_RESERVED,
        .unsnooped = FAULT_FS_UPDATE_UNSNOOPED,
        .not_updated = FAULT_FS_UPDATE_FAILED,
    };

    (void)binding;
    return &reasons;
}

/* What the second stage grants is not its business. */
const DmarStage dmar_first_stage = {
    .id = DMAR_FIRST_STAGE,
    .present = FS_P,
    .rights = {
        [FS_P] = RIGHTS_SECOND,
        [FS_P | FS_RW] = RIGHTS_SECOND | RIGHT_WRITABLE,
        [FS_P | FS_US] = RIGHTS_SECOND | RIGHT_USER,
        [FS_P | FS_US | FS_RW] = RIGHTS_ALL,
    },
    .allowed = allowed,
    .accessed = accessed,
    .dirty = dirty,
    .reasons = reasons,
};
