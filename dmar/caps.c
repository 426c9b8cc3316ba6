/*
 * Configuration to capability registers [VT-d 11.4.2, 11.4.3].
 *
 * The one place that composes CAP and ECAP, and that refuses configurations
 * which no hardware may have.  A feature is a row: the field that asks for it,
 * the bits that tell software, and the features it cannot be without.
 *
 * Never advertised: memory types, protected memory regions, write buffers that
 * need flushing, virtual commands, host permission tables.
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

typedef struct Feature {
    const char *name;
    size_t field;               /* of DmarConfig, a bool */
    uint64_t cap, ecap;
    const char *needs[3];       /* names of other rows */
} Feature;

#define FIELD(name) offsetof(DmarConfig, name)

/* What needs what: [VT-d 11.4.2, 11.4.3]. */
static const Feature features[] = {
    { "scalable mode", FIELD(scalable), 0, ECAP_SMTS, { NULL } },
    { "first-stage translation", FIELD(first_stage), 0, ECAP_FSTS,
      { "scalable mode" } },
    { "5-level first-stage tables", FIELD(first_stage_5level), CAP_FS5LP, 0,
      { "first-stage translation" } },
    { "first-stage pages of 1 GiB", FIELD(first_stage_1g), CAP_FS1GP, 0,
      { "first-stage translation" } },
    { "the extended-accessed flag", FIELD(extended_accessed), 0, ECAP_EAFS,
      { "first-stage translation" } },
    { "requests with supervisor privilege", FIELD(supervisor), 0, ECAP_SRS,
      { "scalable mode" } },
    { "the privilege of requests without PASID", FIELD(rid_privilege), 0,
      ECAP_RPRIVS, { "requests with supervisor privilege" } },
    { "second-stage accessed and dirty bits", FIELD(second_stage_dirty), 0,
      ECAP_SSADS, { "scalable mode" } },
    { "nested translation", FIELD(nested), 0, ECAP_NEST,
      { "first-stage translation" } },
    { "pass-through", FIELD(pass_through), 0, ECAP_PT, { NULL } },
    { "snoop control", FIELD(snoop_control), 0, ECAP_SC, { NULL } },
    { "caching mode", FIELD(caching_mode), CAP_CM, 0, { NULL } },
    { "abort-DMA mode", FIELD(abort_dma), 0, ECAP_ADMS, { NULL } },
    { "invalidation by a new root table", FIELD(root_invalidates), CAP_ESRTPS,
      0, { NULL } },
    { "device TLBs", FIELD(device_tlb), 0, ECAP_DT, { NULL } },
    { "the no-write flag", FIELD(no_write_flag), 0, ECAP_NWFS,
      { "device TLBs" } },
    { "throttling of device-TLB invalidations", FIELD(device_tlb_throttle), 0,
      ECAP_DIT, { "device TLBs" } },
    { "page requests", FIELD(page_requests), 0, ECAP_PRS | ECAP_PDS,
      { "device TLBs", "scalable mode" } },
    { "interrupt remapping", FIELD(interrupt_remapping), 0, ECAP_IR,
      { NULL } },
    { "x2APIC interrupt mode", FIELD(x2apic), 0, ECAP_EIM,
      { "interrupt remapping" } },
    { "posted interrupts", FIELD(posted_interrupts), CAP_PI, 0,
      { "interrupt remapping" } },
    { "invalidation by a new interrupt table",
      FIELD(interrupt_root_invalidates), CAP_ESIRTPS, 0,
      { "interrupt remapping" } },
};

static bool asked_for(const DmarConfig *c, const Feature *feature)
{
    return *(const bool *)((const char *)c + feature->field);
}

static const Feature *named(const char *name)
{
    const Feature *feature = features;

    while (strcmp(feature->name, name)) {
        feature++;
    }
    return feature;
}

static bool check_needs(const DmarConfig *c, const Feature *feature,
                        GError **error)
{
    for (unsigned i = 0; feature->needs[i]; i++) {
        if (!asked_for(c, named(feature->needs[i]))) {
            g_set_error(error, DMAR_ERROR, DMAR_ERROR_CONFIG,
                        "%s: not without %s", feature->name, feature->needs[i]);
            return false;
        }
    }
    return true;
}

static bool check_features(const DmarConfig *c, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        if (asked_for(c, &features[i]) && !check_needs(c, &features[i], error)) {
            return false;
        }
    }
    return true;
}

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

/* What the absence of the second stage leaves out. */
static bool check_stages(const DmarConfig *c, GError **error)
{
    if (!c->no_second_stage) {
        return true;
    }
    if (!c->first_stage) {
        return refuse(error, "a unit translates in a first stage, a second "
                      "stage or both");
    }
    if (c->nested || c->second_stage_dirty) {
        return refuse(error, "nested translation and second-stage accessed and "
                      "dirty bits: not without second-stage translation");
    }
    return true;
}

/* Bits that nobody snoops cannot be set atomically [VT-d 3.10]. */
static bool check_walk(const DmarConfig *c, GError **error)
{
    if (c->incoherent_walk && (c->second_stage_dirty || c->extended_accessed)) {
        return refuse(error, "second-stage accessed and dirty bits and the "
                      "extended-accessed flag: not without coherent page walks");
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

/* ---- Composition --------------------------------------------------------- */

/* SAGAW says what there is for context entries and PASID entries of
 * second-stage type: nothing without second-stage translation. */
static uint64_t compose_second_stage(const DmarConfig *c)
{
    uint64_t cap = CAP_SAGAW_39;

    if (c->no_second_stage) {
        return 0;
    }
    cap |= c->aw_bits >= 48 ? CAP_SAGAW_48 : 0;
    cap |= c->aw_bits >= 57 ? CAP_SAGAW_57 : 0;
    return c->no_large_pages ? cap : cap | CAP_SSLPS_2M | CAP_SSLPS_1G;
}

static uint64_t compose_cap(const DmarConfig *c)
{
    uint64_t cap = compose_second_stage(c);

    cap |= field_make((c->domain_bits - 4) / 2, CAP_ND);
    cap |= field_make(c->aw_bits - 1, CAP_MGAW);
    cap |= CAP_ZLR | CAP_PSI | field_make(18, CAP_MAMV);
    cap |= CAP_DWD | CAP_DRD;
    cap |= field_make(FRO_VALUE, CAP_FRO);
    cap |= field_make(c->fault_records - 1, CAP_NFR);
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
        !check_walk(config, error) || !check_records(config, error)) {
        return false;
    }
    *cap = compose_cap(config);
    *ecap = compose_ecap(config);
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        *cap |= asked_for(config, &features[i]) ? features[i].cap : 0;
        *ecap |= asked_for(config, &features[i]) ? features[i].ecap : 0;
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
