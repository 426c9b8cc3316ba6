/*
 * Performance monitoring [VT-d 10 Performance Monitoring]: counters of what
 * happens in the unit.
 *
 * A counter is disabled, counting, or frozen (enabled or not).  Software writes
 * its configuration while it is disabled, and enables, disables and freezes it
 * by enhanced commands (enhanced_command.c).  All of that lives in registers;
 * the one derived value is dmar->perf_active, the counters that count now, so
 * that an event costs one branch while there are none.
 *
 * Counted is what the engine really does.  There is no clock here: cycles,
 * occupancy and back pressure are not among the events.  A host that does not
 * ask the engine, because translation is off or because a device has
 * translations of its own, makes no events either.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* Which filters an event allows, as bits. */
enum { BY_TYPE = 1, BY_LEVEL = 2 };

/* [VT-d 10.7 Performance Monitoring Events] */
typedef struct Countable {
    PerfEvent event;
    unsigned filters;
    /* Unless 0: one of these bits, or it never happens. */
    uint64_t cap, ecap;
} Countable;

static const Countable countables[] = {
    { PERF_REQUESTS, BY_TYPE, 0, 0 },
    { PERF_MEMORY_READS, 0, 0, 0 },
    { PERF_UPDATES, 0, 0, ECAP_FSTS | ECAP_SSADS },
    { PERF_PAGE_REQUEST_QUEUED, 0, 0, ECAP_PRS },
    { PERF_PAGE_REQUEST_OVERFLOW, 0, 0, ECAP_PRS },
    { PERF_CONTEXT_LOOKUP, 0, 0, 0 },
    { PERF_CONTEXT_HIT, 0, 0, 0 },
    { PERF_PASID_LOOKUP, 0, 0, ECAP_SMTS },
    { PERF_PASID_HIT, 0, 0, ECAP_SMTS },
    { PERF_SECOND_STAGE_LOOKUP, 0, CAP_SAGAW, 0 },
    { PERF_SECOND_STAGE_HIT, BY_LEVEL, CAP_SAGAW, 0 },
    { PERF_FIRST_STAGE_LOOKUP, 0, 0, ECAP_FSTS },
    { PERF_FIRST_STAGE_HIT, BY_LEVEL, 0, ECAP_FSTS },
    { PERF_IOTLB_LOOKUP, 0, 0, 0 },
    { PERF_IOTLB_HIT, BY_LEVEL, 0, 0 },
    { PERF_INTERRUPT_LOOKUP, 0, 0, ECAP_IR },
    { PERF_INTERRUPT_HIT_REMAPPED, 0, 0, ECAP_IR },
    { PERF_INTERRUPT_HIT_POSTED, 0, CAP_PI, 0 },
};

static bool happens(const Dmar *dmar, const Countable *countable)
{
    return (!countable->cap || (dmar->cap & countable->cap)) &&
           (!countable->ecap || (dmar->ecap & countable->ecap));
}

static uint64_t every_counter(const Dmar *dmar)
{
    return low_bits(dmar->config.perf_counters);
}

static uint32_t filter_of(const Dmar *dmar, unsigned n, unsigned filter)
{
    return dmar_get32(dmar, filter == BY_TYPE ? PERFCNTR_ATFLTR_REG(n)
                                              : PERFCNTR_PTLFLTR_REG(n));
}

static bool filters_by(const Dmar *dmar, unsigned n, unsigned filter)
{
    return filter_of(dmar, n, filter) & PERFCNTR_FLTR_EN;
}

/* A filter lists the kinds that count, a bit each. */
static bool filter_passes(const Dmar *dmar, unsigned n, unsigned filter,
                          unsigned kind)
{
    return !filters_by(dmar, n, filter) ||
           (filter_of(dmar, n, filter) & BIT_AT(kind));
}

/* ---- What there is --------------------------------------------------------- */

static void advertise_event(Dmar *dmar, PerfEvent event)
{
    uint64_t at = PERFEVNTCAP_REG(PERF_EVENT_GROUP(event));

    dmar_set64(dmar, at, dmar_get64(dmar, at) | PERF_EVENT_BIT(event));
}

/* Part of a register reset. */
void dmar_perf_reset(Dmar *dmar)
{
    dmar->perf_active = 0;
    dmar_handles_void(dmar);
    if (!dmar->config.perf_counters) {
        return;
    }
    dmar_set64(dmar, PERFCAP_REG,
               field_make(dmar->config.perf_counters, PERFCAP_NCNTR) |
               field_make(PERFCNTR_CW, PERFCAP_CW) |
               field_make(PERF_GROUPS, PERFCAP_EGCNT) |
               field_make(PERFCNTR_CS, PERFCAP_CS) |
               PERFCAP_ATFS | PERFCAP_PTLFS |
               PERFCAP_CWE | PERFCAP_GFS | PERFCAP_IOS);
    for (size_t i = 0; i < G_N_ELEMENTS(countables); i++) {
        if (happens(dmar, &countables[i])) {
            advertise_event(dmar, countables[i].event);
        }
    }
}

/* ---- Enabling [VT-d 10.5] ---------------------------------------------------- */

bool dmar_perf_enabled(const Dmar *dmar, unsigned n)
{
    return dmar_get64(dmar, PERFCNTRCFG_REG(n)) & PERFCNTRCFG_EN;
}

/* The registers have changed: who counts now? */
void dmar_perf_settle(Dmar *dmar)
{
    dmar->perf_active = 0;
    for (unsigned n = 0; n < dmar->config.perf_counters; n++) {
        if (dmar_perf_enabled(dmar, n)) {
            dmar->perf_active |= BIT_AT(n);
        }
    }
    dmar->perf_active &= ~dmar_get64(dmar, PERFFRZSTS_REG);
    dmar_handles_void(dmar);
}

static unsigned filters_allowed(unsigned group, uint64_t events)
{
    for (size_t i = 0; i < G_N_ELEMENTS(countables); i++) {
        PerfEvent event = countables[i].event;

        if (PERF_EVENT_GROUP(event) == group && PERF_EVENT_BIT(event) == events) {
            return countables[i].filters;
        }
    }
    return 0;                   /* several at once allow none */
}

static bool filters_valid(const Dmar *dmar, unsigned n, unsigned group,
                          uint64_t events)
{
    unsigned allowed = filters_allowed(group, events);

    return (!filters_by(dmar, n, BY_TYPE) || (allowed & BY_TYPE)) &&
           (!filters_by(dmar, n, BY_LEVEL) || (allowed & BY_LEVEL));
}

/* A group that is not there has no events. */
static bool configuration_valid(const Dmar *dmar, unsigned n)
{
    uint64_t config = dmar_get64(dmar, PERFCNTRCFG_REG(n));
    unsigned group = field_get(config, PERFCNTRCFG_EGI);
    uint64_t events = field_get(config, PERFCNTRCFG_ES);

    return events &&
           !(events & ~dmar_get64(dmar, PERFEVNTCAP_REG(group))) &&
           filters_valid(dmar, n, group, events);
}

static void set_enabled(Dmar *dmar, unsigned n, bool on)
{
    uint64_t at = PERFCNTRCFG_REG(n);

    dmar_set64(dmar, at, field_set(dmar_get64(dmar, at), PERFCNTRCFG_EN, on));
}

/* False: no such counter, or its configuration is not valid. */
bool dmar_perf_enable(Dmar *dmar, uint64_t n)
{
    if (n >= dmar->config.perf_counters || !configuration_valid(dmar, n)) {
        return false;
    }
    set_enabled(dmar, n, true);
    dmar_perf_settle(dmar);
    return true;
}

/* False: no such counter.  A disabled one is not frozen [VT-d 11.4.13.12]. */
bool dmar_perf_disable(Dmar *dmar, uint64_t n)
{
    if (n >= dmar->config.perf_counters) {
        return false;
    }
    set_enabled(dmar, n, false);
    dmar_set64(dmar, PERFFRZSTS_REG,
               dmar_get64(dmar, PERFFRZSTS_REG) & ~BIT_AT(n));
    dmar_perf_settle(dmar);
    return true;
}

/* ---- All at once [VT-d 10.2, 10.3.2] ------------------------------------------ */

void dmar_perf_freeze(Dmar *dmar)
{
    dmar_set64(dmar, PERFFRZSTS_REG, every_counter(dmar));
    dmar_perf_settle(dmar);
}

void dmar_perf_unfreeze(Dmar *dmar)
{
    dmar_set64(dmar, PERFFRZSTS_REG, 0);
    dmar_perf_settle(dmar);
}

void dmar_perf_reset_configuration(Dmar *dmar)
{
    for (unsigned n = 0; n < dmar->config.perf_counters; n++) {
        dmar_set64(dmar, PERFCNTRCFG_REG(n), 0);
        dmar_set32(dmar, PERFCNTR_ATFLTR_REG(n), 0);
        dmar_set32(dmar, PERFCNTR_PTLFLTR_REG(n), 0);
    }
    dmar_set64(dmar, PERFOVFSTS_REG, 0);
    dmar_perf_unfreeze(dmar);
}

void dmar_perf_reset_values(Dmar *dmar)
{
    for (unsigned n = 0; n < dmar->config.perf_counters; n++) {
        dmar_set64(dmar, PERFCNTR_REG(n), 0);
    }
}

/* ---- Counting -------------------------------------------------------------- */

/* [VT-d 10.3.1 Counter Overflow, 10.6 Interrupt Generation] */
static void overflow(Dmar *dmar, unsigned n)
{
    uint64_t config = dmar_get64(dmar, PERFCNTRCFG_REG(n));

    dmar_set64(dmar, PERFOVFSTS_REG,
               dmar_get64(dmar, PERFOVFSTS_REG) | BIT_AT(n));
    if (config & PERFCNTRCFG_GFO) {
        dmar_perf_freeze(dmar);
    }
    if (config & PERFCNTRCFG_IO) {
        dmar_set32(dmar, PERFINTRSTS_REG, PERFINTRSTS_PIS);
        dmar_event_raise(dmar, PERFINTRCTL_REG);
    }
}

static void increment(Dmar *dmar, unsigned n)
{
    uint64_t value = (dmar_get64(dmar, PERFCNTR_REG(n)) + 1) & PERFCNTR_CNTR;

    dmar_set64(dmar, PERFCNTR_REG(n), value);
    if (!value) {
        overflow(dmar, n);
    }
}

static bool counts(const Dmar *dmar, unsigned n, PerfEvent event, unsigned kind)
{
    uint64_t config = dmar_get64(dmar, PERFCNTRCFG_REG(n));

    return field_get(config, PERFCNTRCFG_EGI) == PERF_EVENT_GROUP(event) &&
           (field_get(config, PERFCNTRCFG_ES) & PERF_EVENT_BIT(event)) &&
           filter_passes(dmar, n, BY_TYPE, kind) &&
           filter_passes(dmar, n, BY_LEVEL, kind);
}

/* All that count now see this event, also if one of them freezes the others. */
void dmar_perf_count_active(Dmar *dmar, PerfEvent event, unsigned kind)
{
    uint64_t active = dmar->perf_active;

    for (unsigned n = 0; n < dmar->config.perf_counters; n++) {
        if ((active & BIT_AT(n)) && counts(dmar, n, event, kind)) {
            increment(dmar, n);
        }
    }
}

void dmar_perf_interrupt_status_written(Dmar *dmar)
{
    if (!(dmar_get32(dmar, PERFINTRSTS_REG) & PERFINTRSTS_PIS)) {
        dmar_event_withdraw(dmar, PERFINTRCTL_REG);
    }
}
