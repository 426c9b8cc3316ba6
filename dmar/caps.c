/*
 * Configuration to capability registers [VT-d 11.4.2, 11.4.3].
 *
 * The one place that composes CAP and ECAP, and that refuses configurations
 * which no hardware may have.  A feature is a row: the field that asks for it,
 * the bits that tell software, and the features it cannot be without.
 *
 * Never advertised: memory types, write buffers that need flushing, virtual
 * commands, host permission tables.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stddef.h>
#include <string.h>

#include "unit.h"

const DmarConfig dmar_config_default = {
    .aw_bits = 48,
    .host_width = 48,
    .pasid_bits = 20,
    .domain_bits = 16,
    .fault_records = 8,
    .scalable = true,
    .pass_through = true,
    .snoop_control = true,
    .interrupt_remapping = true,
    .x2apic = true,
};

G_DEFINE_QUARK(dmar-error-quark, dmar_error)

static bool refuse(GError **error, const char *why)
{
    g_set_error_literal(error, DMAR_ERROR, DMAR_ERROR_CONFIG, why);
    return false;
}

static bool check_widths(const DmarConfig *c, GError **error)
{
    if (c->aw_bits != 39 && c->aw_bits != 48 && c->aw_bits != 57) {
        return refuse(error, "the address width must be 39, 48 or 57 bits");
    }
    if (c->min_aw_bits && c->min_aw_bits != 39 && c->min_aw_bits != 48 &&
        c->min_aw_bits != 57) {
        return refuse(error, "the least address width must be 39, 48 or 57 bits");
    }
    if (c->min_aw_bits > c->aw_bits) {
        return refuse(error, "the least address width must not exceed the widest");
    }
    if (c->host_width < 36 || c->host_width > 52) {
        return refuse(error, "the host address width must be 36 to 52 bits");
    }
    if (c->host_width > c->aw_bits) {
        return refuse(error, "the host address width must not exceed the "
                      "second-stage address width [VT-d 11.4.2, MGAW]");
    }
    if (c->domain_bits < 4 || c->domain_bits > 16 || c->domain_bits % 2) {
        return refuse(error, "domain-ids are 4, 6, 8, 10, 12, 14 or 16 bits wide");
    }
    return true;
}

/* ---- Features ------------------------------------------------------------ */

typedef enum { ASKED_FOR, DECLINED } FieldSense;

typedef struct Feature {
    const char *name;
    const char *about;
    size_t field;               /* of DmarConfig, a bool */
    FieldSense sense;           /* what true means there */
    uint64_t cap, ecap;         /* bits that follow from it alone */
    const char *needs[3];       /* names of rows above */
} Feature;

#define WITH(field)     offsetof(DmarConfig, field), ASKED_FOR
#define WITHOUT(field)  offsetof(DmarConfig, field), DECLINED

/* What needs what: [VT-d 11.4.2, 11.4.3].  Bits that nobody snoops cannot be
 * set atomically [VT-d 3.10]. */
static const Feature features[] = {
    { "scalable", "scalable mode", WITH(scalable), 0, ECAP_SMTS, { NULL } },
    { "ss", "second-stage translation", WITHOUT(no_second_stage), 0, 0,
      { NULL } },
    { "sslp", "second-stage pages of 2 MiB and 1 GiB", WITHOUT(no_large_pages),
      0, 0, { NULL } },
    { "smpwc", "coherent page walks", WITHOUT(incoherent_walk), 0, 0, { NULL } },
    { "rps", "RID_PASID", WITHOUT(no_rid_pasid), 0, 0, { NULL } },
    { "fs", "first-stage translation", WITH(first_stage), 0, ECAP_FSTS,
      { "scalable" } },
    { "fs5lp", "5-level first-stage tables", WITH(first_stage_5level),
      CAP_FS5LP, 0, { "fs" } },
    { "fs1gp", "first-stage pages of 1 GiB", WITH(first_stage_1g), CAP_FS1GP, 0,
      { "fs" } },
    { "eafs", "the extended-accessed flag", WITH(extended_accessed), 0,
      ECAP_EAFS, { "fs", "smpwc" } },
    { "srs", "requests with supervisor privilege", WITH(supervisor), 0,
      ECAP_SRS, { "scalable" } },
    { "rid-priv", "the privilege of requests without PASID",
      WITH(rid_privilege), 0, ECAP_RPRIVS, { "srs" } },
    { "ssads", "second-stage accessed and dirty bits",
      WITH(second_stage_dirty), 0, ECAP_SSADS, { "scalable", "ss", "smpwc" } },
    { "nest", "nested translation", WITH(nested), 0, ECAP_NEST,
      { "fs", "ss" } },
    { "pt", "pass-through", WITH(pass_through), 0, ECAP_PT, { NULL } },
    { "snoop-control", "snoop control", WITH(snoop_control), 0, ECAP_SC,
      { NULL } },
    { "caching-mode", "caching mode", WITH(caching_mode), CAP_CM, 0, { NULL } },
    { "adms", "abort-DMA mode", WITH(abort_dma), 0, ECAP_ADMS, { NULL } },
    { "pmr", "protected memory regions", WITH(protected_memory),
      CAP_PLMR | CAP_PHMR, 0, { NULL } },
    { "esrtps", "invalidation by a new root table", WITH(root_invalidates),
      CAP_ESRTPS, 0, { NULL } },
    { "ats", "device TLBs", WITH(device_tlb), 0, ECAP_DT, { NULL } },
    { "nwfs", "the no-write flag", WITH(no_write_flag), 0, ECAP_NWFS,
      { "ats" } },
    { "dit", "throttling of device-TLB invalidations",
      WITH(device_tlb_throttle), 0, ECAP_DIT, { "ats" } },
    { "pri", "page requests", WITH(page_requests), 0, ECAP_PRS | ECAP_PDS,
      { "ats", "scalable" } },
    { "sms", "stop markers", WITH(stop_markers), 0, ECAP_SMS, { "pri" } },
    { "intremap", "interrupt remapping", WITH(interrupt_remapping), 0, ECAP_IR,
      { NULL } },
    { "eim", "x2APIC interrupt mode", WITH(x2apic), 0, ECAP_EIM,
      { "intremap" } },
    { "pi", "posted interrupts", WITH(posted_interrupts), CAP_PI, 0,
      { "intremap" } },
    { "esirtps", "invalidation by a new interrupt table",
      WITH(interrupt_root_invalidates), CAP_ESIRTPS, 0, { "intremap" } },
};

static bool is_on(const DmarConfig *c, const Feature *feature)
{
    bool field = *(const bool *)((const char *)c + feature->field);

    return field == (feature->sense == ASKED_FOR);
}

static const Feature *named(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        if (!strcmp(features[i].name, name)) {
            return &features[i];
        }
    }
    return NULL;
}

/* The first of its needs that @c leaves out, or NULL. */
static const Feature *missing(const DmarConfig *c, const Feature *feature)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(feature->needs); i++) {
        const char *need = feature->needs[i];

        if (need && !is_on(c, named(need))) {
            return named(need);
        }
    }
    return NULL;
}

static bool check_features(const DmarConfig *c, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        const Feature *feature = &features[i];
        const Feature *lack = is_on(c, feature) ? missing(c, feature) : NULL;

        if (lack) {
            g_set_error(error, DMAR_ERROR, DMAR_ERROR_CONFIG,
                        "%s (%s) cannot be had without %s (%s)", feature->about,
                        feature->name, lack->about, lack->name);
            return false;
        }
    }
    return true;
}

unsigned dmar_feature_count(void)
{
    return G_N_ELEMENTS(features);
}

const char *dmar_feature_name(unsigned i)
{
    return features[i].name;
}

const char *dmar_feature_about(unsigned i)
{
    return features[i].about;
}

bool dmar_feature_get(const DmarConfig *config, const char *name)
{
    return is_on(config, named(name));
}

void dmar_feature_set(DmarConfig *config, const char *name, bool on)
{
    const Feature *feature = named(name);

    *(bool *)((char *)config + feature->field) =
        on == (feature->sense == ASKED_FOR);
}

bool dmar_feature_possible(const DmarConfig *config, const char *name)
{
    return !missing(config, named(name));
}

/* ---- What is no yes or no -------------------------------------------------- */

static bool check_pasids(const DmarConfig *c, GError **error)
{
    if (c->pasid_bits && !c->scalable) {
        return refuse(error, "PASIDs need scalable mode");
    }
    if (c->pasid_bits > 20 || (c->pasid_bits && c->pasid_bits < 7)) {
        return refuse(error, "PASIDs are 7 to 20 bits wide (0: no PASIDs)");
    }
    return true;
}

static bool check_stages(const DmarConfig *c, GError **error)
{
    if (c->no_second_stage && !c->first_stage) {
        return refuse(error, "a unit translates in a first stage, a second "
                      "stage or both");
    }
    return true;
}

/* [VT-d 6.5.4, 11.4.1, 11.4.2 DRD, SAGAW] */
static bool check_version(const DmarConfig *c, GError **error)
{
    if (c->version > 8) {
        return refuse(error, "the major version is 1 to 8 (0: the default)");
    }
    if (!c->scalable && dmar_caps_version(c) >= 6) {
        return refuse(error, "units of version 6 and later have no second stage "
                      "without scalable mode: SAGAW is 0 where SSTS is "
                      "[VT-d 11.4.2]");
    }
    if (c->no_drain && dmar_caps_version(c) > 1) {
        return refuse(error, "units of version 2 and later drain requests");
    }
    return true;
}

/* A mask of 18 bits names a page of 1 GiB [VT-d 6.5.2.3, AM]. */
static bool check_mask(const DmarConfig *c, GError **error)
{
    if (c->max_address_mask && (c->max_address_mask < 18 ||
                                c->max_address_mask > 52)) {
        return refuse(error, "an address mask has up to 18 to 52 bits");
    }
    return true;
}

static bool check_counters(const DmarConfig *c, GError **error)
{
    if (c->perf_counters > DMAR_MAX_PERF_COUNTERS) {
        return refuse(error, "a unit has up to 8 performance counters");
    }
    return true;
}

static bool check_records(const DmarConfig *c, GError **error)
{
    if (c->fault_records < 1 || c->fault_records > DMAR_MAX_FAULT_RECORDS) {
        return refuse(error, "a unit has 1 to 64 fault records");
    }
    return true;
}

/* Major 5: register-based invalidation answers, every IOTLB invalidation
 * drains. */
unsigned dmar_caps_version(const DmarConfig *c)
{
    return c->version ? c->version : 5;
}

/* ---- Composition --------------------------------------------------------- */

/* SAGAW says what there is for context entries and PASID entries of
 * second-stage type: nothing without second-stage translation. */
static uint64_t compose_second_stage(const DmarConfig *c)
{
    uint64_t cap = 0;

    if (c->no_second_stage) {
        return 0;
    }
    cap |= c->min_aw_bits <= 39 ? CAP_SAGAW_39 : 0;
    cap |= c->min_aw_bits <= 48 && c->aw_bits >= 48 ? CAP_SAGAW_48 : 0;
    cap |= c->aw_bits >= 57 ? CAP_SAGAW_57 : 0;
    return c->no_large_pages ? cap : cap | CAP_SSLPS_2M | CAP_SSLPS_1G;
}

static uint64_t compose_cap(const DmarConfig *c)
{
    uint64_t cap = compose_second_stage(c);

    cap |= field_make((c->domain_bits - 4) / 2, CAP_ND);
    cap |= field_make(c->aw_bits - 1, CAP_MGAW);
    cap |= CAP_ZLR | CAP_PSI;
    cap |= field_make(c->max_address_mask ? c->max_address_mask : 18, CAP_MAMV);
    cap |= c->no_drain ? 0 : CAP_DWD | CAP_DRD;
    cap |= field_make(FRO_VALUE, CAP_FRO);
    cap |= field_make(c->fault_records - 1, CAP_NFR);
    cap |= c->perf_counters ? CAP_ECMDS : 0;
    return cap;
}

static uint64_t compose_ecap(const DmarConfig *c)
{
    uint64_t ecap = ECAP_C | ECAP_QI | field_make(IRO_VALUE, ECAP_IRO);

    ecap |= c->interrupt_remapping ? field_make(15, ECAP_MHMV) : 0;
    if (c->scalable) {
        ecap |= c->no_second_stage ? 0 : ECAP_SSTS;
        ecap |= c->incoherent_walk ? 0 : ECAP_SMPWCS;
        ecap |= c->no_rid_pasid ? 0 : ECAP_RPS;
    }
    ecap |= c->perf_counters ? ECAP_PMS : 0;
    if (c->pasid_bits) {
        ecap |= ECAP_PASID | field_make(c->pasid_bits - 1, ECAP_PSS);
    }
    return ecap;
}

bool dmar_caps_compose(const DmarConfig *config, uint64_t *cap, uint64_t *ecap,
                       GError **error)
{
    if (!check_widths(config, error) || !check_features(config, error) ||
        !check_pasids(config, error) || !check_stages(config, error) ||
        !check_version(config, error) || !check_records(config, error) ||
        !check_counters(config, error) || !check_mask(config, error)) {
        return false;
    }
    *cap = compose_cap(config);
    *ecap = compose_ecap(config);
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        *cap |= is_on(config, &features[i]) ? features[i].cap : 0;
        *ecap |= is_on(config, &features[i]) ? features[i].ecap : 0;
    }
    return true;
}

/* Input addresses end at the narrower of MGAW and the table [VT-d 3.7]. */
unsigned dmar_caps_input_bits(const Dmar *dmar, unsigned table_bits)
{
    return MIN(table_bits, dmar->config.aw_bits);
}

/* AW codes are SAGAW's bit numbers [VT-d 9.3]. */
bool dmar_caps_aw_supported(const Dmar *dmar, unsigned aw)
{
    return aw >= 1 && aw <= 3 &&
           (field_get(dmar->cap, CAP_SAGAW) & BIT_AT(aw));
}
