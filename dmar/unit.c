/*
 * A unit's life: creation, reset, state for migration.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

Dmar *dmar_new(const DmarConfig *config, const DmarHost *host, void *opaque,
               GError **error)
{
    static const int always = 1;
    uint64_t cap, ecap;
    Dmar *dmar;

    if (!dmar_caps_compose(config, &cap, &ecap, error)) {
        return NULL;
    }
    dmar = g_new0(Dmar, 1);
    g_mutex_init(&dmar->lock);
    dmar->config = *config;
    dmar->host = *host;
    if (!host->watched) {
        dmar->host.watched = &always;
    }
    dmar->opaque = opaque;
    dmar->cap = cap;
    dmar->ecap = ecap;
    dmar->caches = dmar_caches_new();
    dmar->iotlb = dmar_iotlb_new();
    dmar->stats = dmar_stats_new();
    dmar_keepers_init(dmar);
    dmar_walk_init(dmar);
    dmar_registers_init(dmar);
    dmar_registers_reset(dmar);
    return dmar;
}

void dmar_free(Dmar *dmar)
{
    if (!dmar) {
        return;
    }
    dmar_caches_free(dmar->caches);
    dmar_iotlb_free(dmar->iotlb);
    dmar_stats_free(dmar->stats);
    dmar_keepers_free(dmar);
    g_mutex_clear(&dmar->lock);
    g_free(dmar);
}

void dmar_reset(Dmar *dmar)
{
    g_mutex_lock(&dmar->lock);
    dmar_registers_reset(dmar);
    dmar->root_latched = 0;
    dmar->irta_latched = 0;
    dmar->next_fault_record = 0;
    dmar->in_flight = (DmarInFlight) { 0 };
    dmar_cache_drop_all(dmar->caches);
    dmar_iotlb_drop_all(dmar->iotlb);
    dmar_handles_forget_counts(dmar);
    dmar_stats_reset(dmar->stats);
    dmar_keepers_forget_all(dmar);
    dmar_tell_remapping(dmar);
    g_mutex_unlock(&dmar->lock);
}

void dmar_save(Dmar *dmar, DmarState *state)
{
    g_mutex_lock(&dmar->lock);
    state->host_width = dmar->config.host_width;
    memcpy(state->registers, dmar->registers, sizeof(state->registers));
    state->root_latched = dmar->root_latched;
    state->irta_latched = dmar->irta_latched;
    state->next_fault_record = dmar->next_fault_record;
    state->in_flight = dmar->in_flight;
    g_mutex_unlock(&dmar->lock);
}

static uint64_t saved64(const DmarState *state, uint64_t offset)
{
    uint64_t value;

    memcpy(&value, state->registers + offset, sizeof(value));
    return value;
}

static bool is_of_same_unit(const Dmar *dmar, const DmarState *state)
{
    static const uint64_t told_by[] = { VER_REG, CAP_REG, ECAP_REG, PERFCAP_REG };

    for (size_t i = 0; i < G_N_ELEMENTS(told_by); i++) {
        if (saved64(state, told_by[i]) != dmar_get64(dmar, told_by[i])) {
            return false;
        }
    }
    return state->host_width == dmar->config.host_width;
}

bool dmar_load(Dmar *dmar, const DmarState *state, GError **error)
{
    if (!is_of_same_unit(dmar, state) ||
        state->next_fault_record >= dmar->config.fault_records ||
        !dmar_in_flight_valid(&state->in_flight)) {
        g_set_error_literal(error, DMAR_ERROR, DMAR_ERROR_STATE,
                            "the saved state is of a unit with other "
                            "capabilities");
        return false;
    }
    g_mutex_lock(&dmar->lock);
    memcpy(dmar->registers, state->registers, sizeof(state->registers));
    dmar->root_latched = state->root_latched;
    dmar->irta_latched = state->irta_latched;
    dmar->next_fault_record = state->next_fault_record;
    dmar->in_flight = state->in_flight;
    dmar_cache_drop_all(dmar->caches);
    dmar_iotlb_drop_all(dmar->iotlb);
    dmar_perf_settle(dmar);
    dmar_keepers_forget_all(dmar);
    dmar_tell_remapping(dmar);
    g_mutex_unlock(&dmar->lock);
    return true;
}
