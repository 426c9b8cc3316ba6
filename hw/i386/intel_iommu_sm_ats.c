/*
 * intel-iommu-sm: invalidations of device TLBs, and devices that do not answer.
 *
 * A device answers at once, unless it is the one that the property
 * device-tlb-silent names: a fault put in on purpose.  That one answers when
 * the property is changed, or not until device-tlb-timeout milliseconds are
 * over, which the engine is told.
 *
 * All of it runs under the BQL: requests come from register writes and from
 * what is done here.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "qapi/error.h"
#include "qemu/timer.h"

#include "intel_iommu_sm_internal.h"

#define SM_NOBODY   -1

/* "00:02.0", as software prints it. */
static bool sm_parse_source(const char *text, int *source)
{
    unsigned bus, slot, func;
    int end = 0;

    if (!*text) {
        *source = SM_NOBODY;
        return true;
    }
    if (sscanf(text, "%x:%x.%u%n", &bus, &slot, &func, &end) != 3 ||
        text[end] || bus > 0xff || slot > 0x1f || func > 7) {
        return false;
    }
    *source = PCI_BUILD_BDF(bus, PCI_DEVFN(slot, func));
    return true;
}

/* ---- Requests ------------------------------------------------------------- */

static void sm_request_timed_out(void *opaque)
{
    SmRequest *request = opaque;

    request->pending = false;
    dmar_device_tlb_timed_out(request->iommu->dmar, request->itag);
    sm_catch_up(request->iommu);
}

/* A timer is made when it is needed first: hardly any unit needs one. */
static void sm_request_start(SmRequest *request)
{
    SmIommu *s = request->iommu;

    request->pending = true;
    if (!s->device_tlb_timeout) {
        return;
    }
    if (!request->timer) {
        request->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, sm_request_timed_out,
                                      request);
    }
    timer_mod(request->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
                              s->device_tlb_timeout);
}

static void sm_request_stop(SmRequest *request)
{
    request->pending = false;
    if (request->timer) {
        timer_del(request->timer);
    }
}

bool sm_ats_request(void *opaque, unsigned itag,
                    const DmarDeviceTlbInvalidation *what)
{
    SmIommu *s = opaque;
    SmRequest *request = &s->requests[itag];

    if (what->source_id == s->silent) {
        request->what = *what;
        sm_request_start(request);
        return false;
    }
    sm_spaces_drop(s, what);
    return true;
}

/*
 * The engine enters here again with requests that had to wait.  It may not have
 * heard the answer, so the timer goes on; it does no harm if it has.
 */
static void sm_request_answer(SmRequest *request)
{
    SmIommu *s = request->iommu;

    request->pending = false;
    sm_spaces_drop(s, &request->what);
    dmar_device_tlb_completed(s->dmar, request->what.source_id,
                              1u << request->itag, 1);
}

/* ---- The property --------------------------------------------------------- */

static char *sm_get_silent(Object *obj, Error **errp)
{
    int source = INTEL_IOMMU_SM(obj)->silent;

    return source == SM_NOBODY ? g_strdup("") :
           g_strdup_printf("%02x:%02x.%x", PCI_BUS_NUM(source),
                           PCI_SLOT(source), PCI_FUNC(source));
}

static void sm_set_silent(Object *obj, const char *value, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);

    if (!sm_parse_source(value, &s->silent)) {
        error_setg(errp, "device-tlb-silent=%s: not a bus:device.function",
                   value);
        return;
    }
    for (unsigned itag = 0; itag < DMAR_ITAGS; itag++) {
        if (s->requests[itag].pending &&
            s->requests[itag].what.source_id != s->silent) {
            sm_request_answer(&s->requests[itag]);
        }
    }
    if (s->dmar) {
        sm_catch_up(s);
    }
}

void sm_ats_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "device-tlb-silent", sm_get_silent,
                                  sm_set_silent);
    object_class_property_set_description(klass, "device-tlb-silent",
        "bus:device.function that does not answer device-TLB invalidations");
}

/* ---- Life ----------------------------------------------------------------- */

void sm_ats_init(SmIommu *s)
{
    s->silent = SM_NOBODY;
    for (unsigned itag = 0; itag < DMAR_ITAGS; itag++) {
        s->requests[itag].iommu = s;
        s->requests[itag].itag = itag;
    }
}

void sm_ats_reset(SmIommu *s)
{
    for (unsigned itag = 0; itag < DMAR_ITAGS; itag++) {
        sm_request_stop(&s->requests[itag]);
    }
}

/* What the device was to forget did not come along: everything. */
void sm_ats_load(SmIommu *s, const DmarInFlight *state)
{
    sm_ats_reset(s);
    for (unsigned itag = 0; itag < DMAR_ITAGS; itag++) {
        if (state->itags & (1u << itag)) {
            s->requests[itag].what = (DmarDeviceTlbInvalidation) {
                .source_id = state->request[itag].source_id,
                .pasid = DMAR_NO_PASID,
            };
            sm_request_start(&s->requests[itag]);
        }
    }
}
