/*
 * intel-iommu-sm: from properties to the engine's configuration.
 *
 * A profile is where it begins ("full" if none is named), features that are
 * asked for or declined are changed in it, and features that then lack what
 * they need, and were not asked for by name, are left out.  What remains is
 * the engine's to accept or to refuse.
 *
 * Interrupt remapping, pass-through and device TLBs are also properties of
 * x86-iommu, whose values other parts of the machine look at.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "hw/i386/x86-iommu.h"
#include "hw/pci/pasid_dma.h"
#include "kvm/kvm_i386.h"
#include "qapi/error.h"
#include "qapi/qapi-types-common.h"
#include "qapi/qapi-visit-common.h"
#include "qapi/visitor.h"
#include "system/kvm.h"

#include "intel_iommu_sm_internal.h"

#define SM_DEFAULT_PROFILE  "full"
#define SM_HOST_WIDTH_MIN   36
#define SM_HOST_WIDTH_MAX   52

/* Properties of x86-iommu, by the same names. */
static bool sm_is_inherited(const char *name)
{
    return g_str_equal(name, "intremap") || g_str_equal(name, "pt");
}

/* ---- Properties ------------------------------------------------------------ */

static void sm_get_feature(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    OnOffAuto asked = INTEL_IOMMU_SM(obj)->asked[GPOINTER_TO_UINT(opaque)];

    visit_type_OnOffAuto(v, name, &asked, errp);
}

static void sm_set_feature(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    SmIommu *s = INTEL_IOMMU_SM(obj);

    if (s->dmar) {
        error_setg(errp, "%s: the unit exists already", name);
        return;
    }
    visit_type_OnOffAuto(v, name, &s->asked[GPOINTER_TO_UINT(opaque)], errp);
}

static void sm_add_feature(ObjectClass *klass, const char *name, unsigned i)
{
    object_class_property_add(klass, name, "OnOffAuto", sm_get_feature,
                              sm_set_feature, NULL, GUINT_TO_POINTER(i));
    object_class_property_set_description(klass, name, dmar_feature_about(i));
}

void sm_config_class_init(ObjectClass *klass)
{
    g_assert(dmar_feature_count() <= SM_MAX_FEATURES);
    for (unsigned i = 0; i < dmar_feature_count(); i++) {
        const char *name = dmar_feature_name(i);

        if (!sm_is_inherited(name)) {
            sm_add_feature(klass, name, i);
        }
        if (g_str_equal(name, "scalable")) {
            sm_add_feature(klass, "sm", i);
        }
    }
}

/* ---- Decisions -------------------------------------------------------------- */

static OnOffAuto sm_asked(const SmIommu *s, const char *name)
{
    unsigned i = 0;

    while (!g_str_equal(dmar_feature_name(i), name)) {
        i++;
    }
    return s->asked[i];
}

/* EIM only says what the interrupt table may hold: automatic as upstream, if
 * no profile says what it wants. */
static bool sm_decide_eim(SmIommu *s, Error **errp)
{
    bool remaps = x86_iommu_ir_supported(X86_IOMMU_DEVICE(s));
    OnOffAuto asked = sm_asked(s, "eim");

    if (asked == ON_OFF_AUTO_AUTO && !s->profile) {
        s->config.x2apic = remaps && kvm_irqchip_in_kernel();
    }
    if (asked == ON_OFF_AUTO_ON && !remaps) {
        error_setg(errp, "eim=on needs intremap=on");
        return false;
    }
    if (s->config.x2apic && kvm_irqchip_is_split() && !kvm_enable_x2apic()) {
        error_setg(errp, "eim=on needs KVM's X2APIC_API, which this host "
                   "does not have; use eim=off");
        return false;
    }
    return true;
}

/* A posted interrupt is recorded in memory each time, and so has to pass here
 * each time; those that KVM routes itself do not. */
static bool sm_decide_pi(SmIommu *s, Error **errp)
{
    if (!kvm_irqchip_in_kernel()) {
        return true;
    }
    if (sm_asked(s, "pi") == ON_OFF_AUTO_ON) {
        error_setg(errp, "pi=on needs kernel-irqchip=off: KVM does not post "
                   "the interrupts that it routes");
        return false;
    }
    s->config.posted_interrupts = false;
    return true;
}

static bool sm_choose_profile(SmIommu *s, Error **errp)
{
    const DmarConfig *profile = dmar_profile(s->profile ?: SM_DEFAULT_PROFILE);

    if (!profile) {
        error_setg(errp, "profile=%s: there is no such profile", s->profile);
        for (unsigned i = 0; i < dmar_profile_count(); i++) {
            error_append_hint(errp, "  %-12s  %s\n", dmar_profile_name(i),
                              dmar_profile_about(i));
        }
        return false;
    }
    s->config = *profile;
    return true;
}

/* Devices with ATS are told of it by the DMAR table, and Linux then uses it:
 * not without being asked. */
static void sm_follow_x86_iommu(SmIommu *s)
{
    X86IOMMUState *x86 = X86_IOMMU_DEVICE(s);

    s->config.interrupt_remapping = x86_iommu_ir_supported(x86);
    s->config.pass_through &= x86->pt_supported;
    s->config.device_tlb = x86->dt_supported ||
                           (s->profile && s->config.device_tlb);
}

static void sm_apply_asked(SmIommu *s)
{
    for (unsigned i = 0; i < dmar_feature_count(); i++) {
        if (s->asked[i] != ON_OFF_AUTO_AUTO) {
            dmar_feature_set(&s->config, dmar_feature_name(i),
                             s->asked[i] == ON_OFF_AUTO_ON);
        }
    }
}

/* Linux takes a width that both stages have, and first-stage tables of 39 bits
 * do not exist: it would not use such a unit. */
static void sm_leave_out_first_stage(SmIommu *s)
{
    if (s->config.aw_bits == 39 && !s->config.no_second_stage &&
        sm_asked(s, "fs") == ON_OFF_AUTO_AUTO) {
        dmar_feature_set(&s->config, "fs", false);
    }
}

static void sm_leave_out_orphans(SmIommu *s)
{
    for (unsigned i = 0; i < dmar_feature_count(); i++) {
        const char *name = dmar_feature_name(i);

        if (s->asked[i] == ON_OFF_AUTO_AUTO &&
            !dmar_feature_possible(&s->config, name)) {
            dmar_feature_set(&s->config, name, false);
        }
    }
}

static uint8_t sm_host_width(const SmIommu *s)
{
    uint32_t cpu = X86_CPU(first_cpu)->phys_bits;

    return CLAMP(MIN(cpu, s->config.aw_bits), SM_HOST_WIDTH_MIN,
                 SM_HOST_WIDTH_MAX);
}

/* A width that was asked for is there, if the profile's are all wider. */
static void sm_apply_widths(SmIommu *s)
{
    DmarConfig *config = &s->config;

    if (s->numbers.aw_bits != SM_AUTO) {
        config->aw_bits = s->numbers.aw_bits;
        config->min_aw_bits = MIN(config->min_aw_bits, config->aw_bits);
    }
    if (s->numbers.min_aw_bits != SM_AUTO) {
        config->min_aw_bits = s->numbers.min_aw_bits;
    }
    config->host_width = sm_host_width(s);
}

static void sm_apply_numbers(SmIommu *s)
{
    DmarConfig *config = &s->config;

    sm_apply_widths(s);
    if (s->numbers.mamv != SM_AUTO) {
        config->max_address_mask = s->numbers.mamv;
    }
    if (s->numbers.fault_records != SM_AUTO16) {
        config->fault_records = s->numbers.fault_records;
    }
    if (s->numbers.perf_counters != SM_AUTO) {
        config->perf_counters = s->numbers.perf_counters;
    }
    if (s->numbers.version != SM_AUTO) {
        config->version = s->numbers.version;
    }
    config->no_drain = s->dma_drain == ON_OFF_AUTO_OFF;
    if (s->numbers.nd != SM_AUTO) {
        config->domain_bits = 4 + 2 * s->numbers.nd;
    }
    if (s->numbers.pasid_bits != SM_AUTO) {
        config->pasid_bits = s->numbers.pasid_bits;
    } else if (!config->scalable) {
        config->pasid_bits = 0;
    }
}

bool sm_decide_config(SmIommu *s, Error **errp)
{
    if (!sm_choose_profile(s, errp)) {
        return false;
    }
    sm_follow_x86_iommu(s);
    sm_apply_asked(s);
    if (!sm_decide_eim(s, errp) || !sm_decide_pi(s, errp)) {
        return false;
    }
    sm_apply_numbers(s);
    sm_leave_out_first_stage(s);
    sm_leave_out_orphans(s);
    X86_IOMMU_DEVICE(s)->dt_supported = s->config.device_tlb;
    return true;
}
