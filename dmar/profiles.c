/*
 * Configurations that have a name: what a kind of machine has.
 *
 * Those of real processors are what their register pages report, in so far as
 * the engine has it: memory types (MTS) are not there, and IRO and FRO are
 * where this engine has them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

#define COMMON \
    .host_width = 46, .domain_bits = 16, .pass_through = true, \
    .snoop_control = true, .interrupt_remapping = true, .x2apic = true

#define SCALABLE \
    COMMON, .scalable = true, .pasid_bits = 20

typedef struct Profile {
    const char *name;
    const char *about;
    DmarConfig config;
} Profile;

static const Profile profiles[] = {
    { "full", "all that drivers can use, 48-bit addresses", {
        SCALABLE, .aw_bits = 48, .fault_records = 8, .perf_counters = 8,
        .first_stage = true, .first_stage_1g = true,
        .first_stage_5level = true, .nested = true,
        .supervisor = true, .extended_accessed = true,
        .second_stage_dirty = true, .abort_dma = true, .no_write_flag = true,
        .device_tlb = true, .device_tlb_throttle = true,
        .page_requests = true, .stop_markers = true,
        .posted_interrupts = true } },
    { "full57", "the same with 57-bit addresses", {
        SCALABLE, .aw_bits = 57, .fault_records = 8, .perf_counters = 8,
        .first_stage = true, .first_stage_1g = true,
        .first_stage_5level = true, .nested = true,
        .supervisor = true, .extended_accessed = true,
        .second_stage_dirty = true, .abort_dma = true, .no_write_flag = true,
        .device_tlb = true, .device_tlb_throttle = true,
        .page_requests = true, .stop_markers = true,
        .posted_interrupts = true } },
    { "first-stage", "scalable mode without second-stage translation", {
        SCALABLE, .aw_bits = 48, .fault_records = 8, .no_second_stage = true,
        .first_stage = true, .first_stage_1g = true,
        .first_stage_5level = true, .device_tlb = true,
        .page_requests = true } },
    { "second-stage", "scalable mode without first-stage translation", {
        SCALABLE, .aw_bits = 48, .fault_records = 8, .device_tlb = true } },
    { "legacy", "no scalable mode", {
        COMMON, .aw_bits = 48, .fault_records = 8, .device_tlb = true } },
    /* ver 1:0 cap 8d2078c106f0466 ecap f020df */
    { "skx", "Skylake-SP, Cascade Lake: no scalable mode", {
        COMMON, .aw_bits = 48, .min_aw_bits = 48, .fault_records = 8,
        .version = 1, .protected_memory = true,
        .device_tlb = true, .posted_interrupts = true } },
    /* ver 6:0 cap 19ed008c40780c66 ecap 3ee9e86f050df, which has neither
     * PASID nor PRS; units of accelerators have both. */
    { "spr", "Sapphire Rapids, a unit with accelerators", {
        SCALABLE, .aw_bits = 57, .min_aw_bits = 48, .max_address_mask = 45,
        .fault_records = 1, .version = 6, .protected_memory = true,
        .first_stage = true, .first_stage_1g = true,
        .first_stage_5level = true, .nested = true, .supervisor = true,
        .extended_accessed = true, .second_stage_dirty = true,
        .no_write_flag = true, .device_tlb = true,
        .device_tlb_throttle = true, .page_requests = true,
        .posted_interrupts = true } },
};

const DmarConfig *dmar_profile(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        if (!strcmp(profiles[i].name, name)) {
            return &profiles[i].config;
        }
    }
    return NULL;
}

unsigned dmar_profile_count(void)
{
    return G_N_ELEMENTS(profiles);
}

const char *dmar_profile_name(unsigned i)
{
    return profiles[i].name;
}

const char *dmar_profile_about(unsigned i)
{
    return profiles[i].about;
}
