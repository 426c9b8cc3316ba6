/*
 * (source-id, PASID) -> binding: which tables translate a request, and whether
 * they allow this kind of request [VT-d 3.4 Mapping Devices to Domains].
 *
 * The binding is plain: the walker that takes it knows no entry of a context or
 * a PASID.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "resolve.h"

/* ---- May this kind of request pass? -------------------------------------- */

static uint8_t gate_pasid(const Resolution *r, const DmarContext *context)
{
    uint32_t pasid = r->request->pasid;

    if (r->request->type == DMAR_TRANSLATED) {
        return FAULT_TRANSLATED_WITH_PASID;
    }
    if (!context->pasid_enabled) {
        return FAULT_PASID_BLOCKED;
    }
    if (pasid > low_bits(r->dmar->config.pasid_bits) &&
        r->request->type != DMAR_PAGE_REQUEST) {
        return FAULT_PASID_BEYOND_WIDTH;
    }
    if (dmar_beyond_directory(pasid, context->pdts)) {
        return FAULT_PASID_BEYOND_DIRECTORY;
    }
    return pasid == context->rid_pasid ? FAULT_PASID_IS_RID_PASID : FAULT_NONE;
}

static uint8_t gate_type(const Resolution *r, const DmarContext *context)
{
    switch (r->request->type) {
    case DMAR_TRANSLATION_REQUEST:
    case DMAR_TRANSLATED:
        if (!context->device_tlb) {
            return context->legacy ? FAULT_LEGACY_TYPE_BLOCKED
                                   : FAULT_ATS_BLOCKED;
        }
        return FAULT_NONE;
    case DMAR_PAGE_REQUEST:
        return context->page_requests ? FAULT_NONE : FAULT_PAGE_REQUEST_BLOCKED;
    default:
        return FAULT_NONE;
    }
}

static uint8_t gate(const Resolution *r, const DmarContext *context)
{
    uint8_t reason = gate_type(r, context);

    return !reason && dmar_has_pasid(r->request) ? gate_pasid(r, context)
                                                 : reason;
}

/* Of a request with PASID the request says so, else the context entry does. */
bool dmar_resolve_privilege(const DmarRequest *request,
                            const DmarBinding *binding)
{
    return request->pasid == DMAR_NO_PASID ? binding->rid_privileged
                                           : request->privileged;
}

/* Attributes that need the PASID entry's consent; nothing allows execution
 * (ERS is clear) [VT-d 7.1.3, SPT.5, SPT.6]. */
uint8_t dmar_resolve_attributes(const DmarRequest *request,
                                const DmarBinding *binding)
{
    if (request->execute && request->pasid != DMAR_NO_PASID) {
        return FAULT_EXECUTE_BLOCKED;
    }
    return dmar_resolve_privilege(request, binding) && !binding->supervisor
           ? FAULT_SUPERVISOR_BLOCKED : FAULT_NONE;
}

/* A translated request bypasses the tables [VT-d 4.2.5]; what is left to
 * check is what pass-through checks. */
static void bind_translated(const DmarContext *context, DmarBinding *out)
{
    *out = (DmarBinding) {
        .source_id = context->source_id,
        .pasid = DMAR_NO_PASID,
        .pgtt = PGTT_PASS_THROUGH,
        .legacy = context->legacy,
        .fpd = context->fpd,
    };
}

static uint8_t resolve_legacy(Resolution *r, DmarBinding *out)
{
    const DmarContext *context;
    uint8_t reason = dmar_context_find(r, true, &context);

    reason = reason ? reason : gate(r, context);
    if (!reason) {
        *out = context->binding;
        if (r->request->type == DMAR_TRANSLATED) {
            bind_translated(context, out);
        }
    }
    return reason;
}

static uint8_t resolve_scalable(Resolution *r, DmarBinding *out)
{
    const DmarContext *context;
    uint8_t reason = dmar_context_find(r, false, &context);

    reason = reason ? reason : gate(r, context);
    if (reason) {
        return reason;
    }
    if (r->request->type == DMAR_TRANSLATED) {
        bind_translated(context, out);
        return FAULT_NONE;
    }
    out->pasid = dmar_has_pasid(r->request) ? r->request->pasid
                                            : context->rid_pasid;
    reason = dmar_pasid_find(r, context, out->pasid, out);
    out->rid_privileged = context->rid_privileged;
    return reason;
}

/* Units of version 8 and later know no requests to execute. */
static bool executes_in_vain(const Dmar *dmar, const DmarRequest *request)
{
    return request->execute && request->pasid != DMAR_NO_PASID &&
           dmar_caps_version(&dmar->config) >= 8;
}

static uint8_t refused_by_mode(const Dmar *dmar, const DmarRequest *request)
{
    switch (dmar_mode(dmar)) {
    case TTM_LEGACY:
        if (request->type == DMAR_PAGE_REQUEST) {
            return FAULT_PAGE_REQUEST_IN_LEGACY_MODE;
        }
        return request->pasid != DMAR_NO_PASID ? FAULT_PASID_IN_LEGACY_MODE
                                               : FAULT_NONE;
    case TTM_SCALABLE:
        return dmar_has(dmar, ECAP_SMTS) ? FAULT_NONE : FAULT_TTM_INVALID;
    case TTM_ABORT:
        return dmar_has(dmar, ECAP_ADMS) ? FAULT_ABORT_DMA_MODE
                                         : FAULT_TTM_INVALID;
    default:
        return FAULT_TTM_INVALID;
    }
}

/* What is refused before any table is asked [VT-d 7.1.3, RTA]. */
uint8_t dmar_resolve_mode(const Dmar *dmar, const DmarRequest *request)
{
    uint8_t reason = refused_by_mode(dmar, request);

    return !reason && executes_in_vain(dmar, request) ? FAULT_EXECUTE_UNKNOWN
                                                      : reason;
}

uint8_t dmar_resolve(Dmar *dmar, const DmarRequest *request,
                     DmarBinding *binding, bool *fpd)
{
    Resolution r;
    uint8_t reason;

    r.dmar = dmar;
    r.request = request;
    r.fpd = false;
    reason = dmar_mode(dmar) == TTM_LEGACY ? resolve_legacy(&r, binding)
                                           : resolve_scalable(&r, binding);

    *fpd = binding->fpd = r.fpd;
    return reason;
}
