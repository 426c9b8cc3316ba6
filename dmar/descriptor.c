/*
 * Descriptors of the invalidation queue, one function each [VT-d 6.5.2].
 *
 * A row per type says in which modes it exists [VT-d 6.5.2.11, Table 26], what
 * it needs and which bits it names; the rest is reserved and checked before the
 * function runs.  A function returns IQEI_NONE, or why the descriptor is
 * refused.
 *
 * Everything completes at once but device-TLB invalidations (in_flight.c), so
 * fences and drains order nothing else that is not in order already.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static unsigned run_context(Dmar *dmar, const InvDescriptor *d)
{
    unsigned granularity = field_get(d->word[0], INV0_G);

    if (!granularity) {
        return IQEI_TYPE;
    }
    dmar_invalidate_contexts(dmar, granularity,
                             dmar_domain_of(dmar, field_get(d->word[0], CC0_DID)),
                             field_get(d->word[0], CC0_SID),
                             field_get(d->word[0], CC0_FM));
    return IQEI_NONE;
}

/* IOTLB and PASID-based IOTLB descriptors name pages alike. */
static DmarRange range_of(const InvDescriptor *d)
{
    return dmar_invalidate_range(d->word[1] & IOTLB1_ADDR,
                                 field_get(d->word[1], IOTLB1_AM),
                                 d->word[1] & IOTLB1_IH);
}

static unsigned run_iotlb(Dmar *dmar, const InvDescriptor *d)
{
    unsigned granularity = field_get(d->word[0], INV0_G);
    unsigned order = field_get(d->word[1], IOTLB1_AM);
    DmarRange range = range_of(d);

    if (!granularity || (granularity == G_IOTLB_PAGE &&
                         !dmar_invalidate_order_valid(dmar, order))) {
        return IQEI_TYPE;
    }
    dmar_invalidate_mappings(dmar, granularity,
                             dmar_domain_of(dmar,
                                            field_get(d->word[0], IOTLB0_DID)),
                             &range);
    return IQEI_NONE;
}

/* With S set, the lowest clear bit of ADDR marks the end of the size
 * [VT-d 6.5.2.5]; all bits but the top one set means everything. */
static uint64_t device_tlb_size(uint64_t addr, bool sized)
{
    uint64_t page = addr >> PAGE_SHIFT_4K;
    unsigned ones = 0;

    if (!sized) {
        return BIT_AT(PAGE_SHIFT_4K);
    }
    while (ones < 51 && (page & BIT_AT(ones))) {
        ones++;
    }
    return ones == 51 ? 0 : BIT_AT(PAGE_SHIFT_4K + ones + 1);
}

static void tell_device(Dmar *dmar, uint16_t source_id, uint32_t pasid,
                        bool every_pasid, uint64_t addr, bool sized)
{
    DmarDeviceTlbInvalidation what = {
        .source_id = source_id,
        .pasid = pasid,
        .every_pasid = every_pasid,
        .size = device_tlb_size(addr, sized),
    };

    what.addr = what.size ? addr & ~(what.size - 1) : 0;
    dmar_in_flight_send(dmar, &what);
}

static unsigned run_device_tlb(Dmar *dmar, const InvDescriptor *d)
{
    tell_device(dmar, field_get(d->word[0], DEVTLB0_SID), DMAR_NO_PASID, false,
                d->word[1] & DEVTLB1_ADDR, d->word[1] & DEVTLB1_S);
    return IQEI_NONE;
}

static unsigned run_pasid_device_tlb(Dmar *dmar, const InvDescriptor *d)
{
    tell_device(dmar, field_get(d->word[0], PDEVTLB0_SID),
                field_get(d->word[0], PDEVTLB0_PASID),
                d->word[1] & PDEVTLB1_GI, d->word[1] & PDEVTLB1_ADDR,
                d->word[1] & PDEVTLB1_S);
    return IQEI_NONE;
}

static unsigned run_interrupt(Dmar *dmar, const InvDescriptor *d)
{
    unsigned mask = field_get(d->word[0], IEC0_IM);
    unsigned index = field_get(d->word[0], IEC0_IIDX);
    unsigned last;

    if (field_get(d->word[0], IEC0_G) == G_IEC_GLOBAL) {
        dmar_invalidate_interrupts(dmar, 0, UINT16_MAX);
        return IQEI_NONE;
    }
    if (mask > field_get(dmar->ecap, ECAP_MHMV)) {
        return IQEI_TYPE;
    }
    last = index | low_bits(mask);
    dmar_invalidate_interrupts(dmar, index & ~low_bits(mask), last);
    return IQEI_NONE;
}

static void write_status(Dmar *dmar, const uint64_t word[2])
{
    uint32_t data = GUINT32_TO_LE((uint32_t)field_get(word[0], WAIT0_DATA));

    /* Nothing in the architecture reports a status address without memory. */
    dmar->host.write(dmar->opaque,
                     word[1] & WAIT1_ADDR & ~dmar_beyond_host(dmar), &data,
                     sizeof(data));
}

/* [VT-d 6.5.2.10]: the event fires when IWC goes from 0 to 1. */
static void signal_completion(Dmar *dmar)
{
    uint32_t status = dmar_get32(dmar, ICS_REG);

    if (!(status & ICS_IWC)) {
        dmar_set32(dmar, ICS_REG, status | (uint32_t)ICS_IWC);
        dmar_event_raise(dmar, IECTL_REG);
    }
}

void dmar_descriptor_complete_wait(Dmar *dmar, const uint64_t word[2])
{
    if (word[0] & WAIT0_SW) {
        write_status(dmar, word);
    }
    if (word[0] & WAIT0_IF) {
        signal_completion(dmar);
    }
}

static unsigned run_wait(Dmar *dmar, const InvDescriptor *d)
{
    if (dmar_in_flight_passes(dmar, d)) {
        dmar_descriptor_complete_wait(dmar, d->word);
    }
    return IQEI_NONE;
}

static unsigned run_pasid_iotlb(Dmar *dmar, const InvDescriptor *d)
{
    unsigned granularity = field_get(d->word[0], INV0_G);
    DmarRange range = range_of(d);

    if (granularity != G_PIOTLB_PASID && granularity != G_PIOTLB_PAGE) {
        return IQEI_TYPE;
    }
    dmar_invalidate_pasid(dmar, granularity,
                          dmar_domain_of(dmar, field_get(d->word[0], PIOTLB0_DID)),
                          field_get(d->word[0], PIOTLB0_PASID), &range);
    return IQEI_NONE;
}

static unsigned run_pasid_cache(Dmar *dmar, const InvDescriptor *d)
{
    unsigned granularity = field_get(d->word[0], INV0_G);

    if (granularity != G_PC_DOMAIN && granularity != G_PC_PASID &&
        granularity != G_PC_GLOBAL) {
        return IQEI_TYPE;
    }
    dmar_invalidate_bindings(dmar, granularity,
                             dmar_domain_of(dmar, field_get(d->word[0], PC0_DID)),
                             field_get(d->word[0], PC0_PASID));
    return IQEI_NONE;
}

static unsigned run_page_response(Dmar *dmar, const InvDescriptor *d)
{
    DmarPageResponse response = {
        .source_id = field_get(d->word[0], PRESP0_RID),
        .pasid = d->word[0] & PRESP0_PP ? field_get(d->word[0], PRESP0_PASID)
                                        : DMAR_NO_PASID,
        .group = field_get(d->word[1], PRESP1_PRGI),
        .code = field_get(d->word[0], PRESP0_RC),
    };

    dmar_page_respond(dmar, &response);
    return IQEI_NONE;
}

/* ---- The table ------------------------------------------------------------- */

typedef enum { ANY_MODE, NOT_LEGACY } Modes;

typedef struct Row {
    const char *name;
    Modes modes;
    uint64_t needs;             /* ECAP bits without which it does not exist */
    uint64_t named[2];          /* bits of words 0 and 1 that are not reserved */
    struct {                    /* bits of word 0 that an ECAP bit adds */
        uint64_t ecap, named;
    } with;
    unsigned (*run)(Dmar *dmar, const InvDescriptor *d);
} Row;

static const Row rows[] = {
    [INV_CONTEXT] = {
        "cc_inv", ANY_MODE, 0,
        { INV0_G | CC0_DID | CC0_SID | CC0_FM, 0 }, .run = run_context },
    [INV_IOTLB] = {
        "iotlb_inv", ANY_MODE, 0,
        { INV0_G | IOTLB0_DW | IOTLB0_DR | IOTLB0_DID,
          IOTLB1_AM | IOTLB1_IH | IOTLB1_ADDR }, .run = run_iotlb },
    [INV_DEVICE_TLB] = {
        "dev_tlb_inv", ANY_MODE, ECAP_DT,
        { DEVTLB0_MIP | DEVTLB0_SID, DEVTLB1_S | DEVTLB1_ADDR },
        .with = { ECAP_DIT, DEVTLB0_PFSID_LOW | DEVTLB0_PFSID_HIGH },
        .run = run_device_tlb },
    [INV_INTERRUPT] = {
        "iec_inv", ANY_MODE, ECAP_IR,
        { IEC0_G | IEC0_IM | IEC0_IIDX, 0 }, .run = run_interrupt },
    [INV_WAIT] = {
        "inv_wait", ANY_MODE, 0,
        { WAIT0_IF | WAIT0_SW | WAIT0_FN | WAIT0_DATA, WAIT1_ADDR },
        .with = { ECAP_PDS, WAIT0_PD },
        .run = run_wait },
    [INV_PASID_IOTLB] = {
        "p_iotlb_inv", NOT_LEGACY, 0,
        { INV0_G | PIOTLB0_DID | PIOTLB0_PASID,
          IOTLB1_AM | IOTLB1_IH | IOTLB1_ADDR }, .run = run_pasid_iotlb },
    [INV_PASID_CACHE] = {
        "pc_inv", NOT_LEGACY, 0,
        { INV0_G | PC0_DID | PC0_PASID, 0 }, .run = run_pasid_cache },
    [INV_PASID_DEVICE_TLB] = {
        "p_dev_tlb_inv", NOT_LEGACY, ECAP_DT,
        { PDEVTLB0_MIP | PDEVTLB0_SID | PDEVTLB0_PASID,
          PDEVTLB1_GI | PDEVTLB1_S | PDEVTLB1_ADDR },
        .with = { ECAP_DIT, PDEVTLB0_PFSID_LOW | PDEVTLB0_PFSID_HIGH },
        .run = run_pasid_device_tlb },
    [INV_PAGE_RESPONSE] = {
        "page_grp_resp", NOT_LEGACY, ECAP_PRS,
        { PRESP0_PP | PRESP0_RC | PRESP0_RID | PRESP0_PASID,
          PRESP1_IGNORED | PRESP1_PRGI }, .run = run_page_response },
};

unsigned dmar_descriptor_type(const InvDescriptor *d)
{
    return field_get(d->word[0], INV0_TYPE_LOW) |
           field_get(d->word[0], INV0_TYPE_HIGH) << 4;
}

const char *dmar_descriptor_name(unsigned type)
{
    return type < G_N_ELEMENTS(rows) && rows[type].name ? rows[type].name : "?";
}

static const Row *find_row(const Dmar *dmar, const InvDescriptor *d, bool wide)
{
    unsigned type = dmar_descriptor_type(d);
    const Row *row = type < G_N_ELEMENTS(rows) ? &rows[type] : NULL;

    if (!row || !row->run || (dmar->ecap & row->needs) != row->needs) {
        return NULL;
    }
    if (row->modes == NOT_LEGACY && (!wide || dmar_mode(dmar) == TTM_LEGACY)) {
        return NULL;
    }
    return row;
}

static bool has_reserved(const Dmar *dmar, const Row *row,
                         const InvDescriptor *d)
{
    uint64_t named = row->named[0] | INV0_TYPE;

    named |= dmar_has(dmar, row->with.ecap) ? row->with.named : 0;
    return (d->word[0] & ~named) || (d->word[1] & ~row->named[1]) ||
           d->word[2] || d->word[3];
}

/* Not now: there is no room for what it would leave in flight. */
bool dmar_descriptor_deferred(const Dmar *dmar, const InvDescriptor *d)
{
    switch (dmar_descriptor_type(d)) {
    case INV_DEVICE_TLB:
    case INV_PASID_DEVICE_TLB:
        return dmar_in_flight_full(dmar);
    case INV_WAIT:
        return dmar_in_flight_waits_full(dmar);
    default:
        return false;
    }
}

unsigned dmar_descriptor_execute(Dmar *dmar, const InvDescriptor *d, bool wide)
{
    const Row *row = find_row(dmar, d, wide);
    unsigned why;

    if (!row) {
        return IQEI_TYPE;
    }
    if (has_reserved(dmar, row, d)) {
        return IQEI_RESERVED;
    }
    why = row->run(dmar, d);
    if (!why) {
        dmar_stats_descriptor(dmar->stats, dmar_descriptor_type(d));
    }
    return why;
}
