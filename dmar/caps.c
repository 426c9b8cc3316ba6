/*
 * Configuration to capability registers [VT-d 11.4.2, 11.4.3].
 *
 * The one place that composes CAP and ECAP, and that refuses configurations
 * which no hardware may have.  First-stage and nested translation, page
 * requests, posted interrupts, performance monitoring and enhanced commands
 * are not advertised.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
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

static bool check_features(const DmarConfig *c, GError **error)
{
    if (c->pasid_bits && !c->scalable) {
        return refuse(error, "PASIDs need scalable mode");
    }
    if (c->pasid_bits > 20 || (c->pasid_bits && c->pasid_bits < 7)) {
        return refuse(error, "PASIDs are 7 to 20 bits wide (0: no PASIDs)");
    }
    if (c->fault_records < 1 || c->fault_records > DMAR_MAX_FAULT_RECORDS) {
        return refuse(error, "a unit has 1 to 64 fault records");
    }
    if (c->x2apic && !c->interrupt_remapping) {
        return refuse(error, "x2APIC interrupt mode needs interrupt remapping");
    }
    return true;
}

static uint64_t compose_cap(const DmarConfig *c)
{
    uint64_t cap = 0;

    cap |= field_make((c->domain_bits - 4) / 2, CAP_ND);
    cap |= c->caching_mode ? CAP_CM : 0;
    cap |= CAP_SAGAW_39;
    cap |= c->aw_bits >= 48 ? CAP_SAGAW_48 : 0;
    cap |= c->aw_bits >= 57 ? CAP_SAGAW_57 : 0;
    cap |= field_make(c->aw_bits - 1, CAP_MGAW);
    cap |= CAP_ZLR | CAP_SSLPS_2M | CAP_SSLPS_1G;
    cap |= CAP_PSI | field_make(18, CAP_MAMV);
    cap |= CAP_DWD | CAP_DRD;
    cap |= field_make(FRO_VALUE, CAP_FRO);
    cap |= field_make(c->fault_records - 1, CAP_NFR);
    return cap;
}

static uint64_t compose_ecap(const DmarConfig *c)
{
    uint64_t ecap = ECAP_C | ECAP_QI | field_make(IRO_VALUE, ECAP_IRO);

    ecap |= c->device_tlb ? ECAP_DT : 0;
    if (c->interrupt_remapping) {
        ecap |= ECAP_IR | field_make(15, ECAP_MHMV);
        ecap |= c->x2apic ? ECAP_EIM : 0;
    }
    ecap |= c->pass_through ? ECAP_PT : 0;
    ecap |= c->snoop_control ? ECAP_SC : 0;
    if (c->scalable) {
        ecap |= ECAP_SMTS | ECAP_SSTS | ECAP_SMPWCS | ECAP_RPS;
    }
    if (c->pasid_bits) {
        ecap |= ECAP_PASID | field_make(c->pasid_bits - 1, ECAP_PSS);
    }
    return ecap;
}

bool dmar_caps_compose(const DmarConfig *config, uint64_t *cap, uint64_t *ecap,
                       GError **error)
{
    if (!check_widths(config, error) || !check_features(config, error)) {
        return false;
    }
    *cap = compose_cap(config);
    *ecap = compose_ecap(config);
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
