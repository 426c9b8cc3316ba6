/*
 * Second-stage paging entries: answers to the walker [VT-d 3.7, 9.8].
 *
 * They serve legacy mode, too, with reasons of its own and without accessed
 * and dirty bits.  Memory types are not modelled (MTS is not advertised): EMT
 * and IPAT are ignored.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk.h"

/* PS is ignored in the last level, and reserved where no page of that size
 * can be [VT-d 3.7]. */
static bool has_page_size(const Dmar *dmar, unsigned level)
{
    return level == 1 || (level == 2 && (dmar->cap & CAP_SSLPS_2M)) ||
           (level == 3 && (dmar->cap & CAP_SSLPS_1G));
}

static uint64_t allowed(const Dmar *dmar, unsigned level, bool leaf)
{
    uint64_t bits = SS_R | SS_W | SS_X_IGNORED | SS_EMT | SS_IPAT | SS_A | SS_D |
                    SS_IGNORED_10 | SS_IGNORED_HIGH;
    uint64_t address = PAGING_ADDR;

    if (has_page_size(dmar, level)) {
        bits |= SS_PS;
    }
    if (leaf) {
        address &= ~low_bits(LEVEL_SHIFT(level));
        bits |= dmar_has(dmar, ECAP_SC) ? SS_SNP : 0;
    }
    return bits | (address & ~dmar_beyond_host(dmar));
}

/* [VT-d 3.7.2] */
static uint64_t accessed(const DmarBinding *binding)
{
    return binding->second_stage_dirty ? SS_A : 0;
}

static uint64_t dirty(const DmarBinding *binding)
{
    return binding->second_stage_dirty ? SS_D : 0;
}

static const DmarWalkReasons scalable = {
    .top_unreadable = FAULT_SS_TOP_ACCESS,
    .unreadable = FAULT_SS_ACCESS,
    .absent = FAULT_SS_NOT_PRESENT,
    .reserved = FAULT_SS_RESERVED,
    .unsnooped = FAULT_SS_UPDATE_UNSNOOPED,
    .not_updated = FAULT_SS_UPDATE_FAILED,
};

/* The top entry is reached through the context entry [LCT.4.3]; what is absent
 * lacks a permission, and translate.c knows which was asked for. */
static const DmarWalkReasons legacy = {
    .top_unreadable = FAULT_LEGACY_CONTEXT_INVALID,
    .unreadable = FAULT_LEGACY_PAGING_ACCESS,
    .absent = FAULT_LEGACY_READ_DENIED,
    .reserved = FAULT_LEGACY_PAGING_RESERVED,
};

static const DmarWalkReasons *reasons(const DmarBinding *binding)
{
    return binding->legacy ? &legacy : &scalable;
}

/* Bit 2, execution, is ignored.  What the first stage grants is not its
 * business. */
const DmarStage dmar_second_stage = {
    .id = DMAR_SECOND_STAGE,
    .present = SS_R | SS_W,
    .rights = {
        [SS_R] = RIGHTS_FIRST | RIGHT_READ,
        [SS_W] = RIGHTS_FIRST | RIGHT_WRITE,
        [SS_R | SS_W] = RIGHTS_ALL,
        [SS_X_IGNORED | SS_R] = RIGHTS_FIRST | RIGHT_READ,
        [SS_X_IGNORED | SS_W] = RIGHTS_FIRST | RIGHT_WRITE,
        [SS_X_IGNORED | SS_R | SS_W] = RIGHTS_ALL,
    },
    .allowed = allowed,
    .accessed = accessed,
    .dirty = dirty,
    .reasons = reasons,
};
