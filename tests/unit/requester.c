/*
 * The unit and the device of tests of page requests [VT-d 7.4].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "requester.h"

#define PDTS        7               /* every PASID has a directory entry */

Space space;
uint64_t requests;

const DmarConfig unit = {
    .aw_bits = 57, .host_width = 46, .pasid_bits = 20, .domain_bits = 16,
    .fault_records = 8, .scalable = true, .first_stage = true, .nested = true,
    .pass_through = true, .abort_dma = true, .supervisor = true,
    .device_tlb = true, .page_requests = true, .stop_markers = true,
};

/* ---- A machine ------------------------------------------------------------- */

void given_request_queue(unsigned order)
{
    requests = new_pages(1u << order);
    set_reg(PQH_REG, 0);
    set_reg(PQT_REG, 0);
    set_reg(PQA_REG, requests | order);
}

void given_unit(const DmarConfig *config)
{
    given_scalable(config);
    given_context_of_size(DEV, PDTS, RID_PASID);
    poke(context_entry_at(DEV), peek(context_entry_at(DEV)) | SCTX0_PRE);
    space = given_space(DOMAIN, 4);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    given_request_queue(0);
}

void given_machine(void)
{
    given_unit(&unit);
}

const DmarPageRequest wanted = {
    .source_id = DEV, .pasid = PASID, .addr = IOVA, .read = true,
    .write = true, .group = GROUP, .last = true,
};

DmarPageRequest without_pasid(void)
{
    DmarPageRequest request = wanted;
    request.pasid = NO_PASID;
    return request;
}

DmarPageRequest stop_marker(void)
{
    DmarPageRequest request = wanted;
    request.read = request.write = false;
    return request;
}

unsigned tail(void)
{
    return reg(PQT_REG) / 32;
}

/* ---- Claims ---------------------------------------------------------------- */

void nothing_is_answered(DmarPageRequest request)
{
    DmarPageResponse response;
    ck_assert(!dmar_page_request(m.dmar, &request, &response));
    ck_assert_uint_eq(m.page_responses, 0);
}

void is_answered(DmarPageRequest request, unsigned code)
{
    DmarPageResponse response = { .code = 0xff };
    ck_assert(dmar_page_request(m.dmar, &request, &response));
    ck_assert_uint_eq(response.source_id, request.source_id);
    ck_assert_uint_eq(response.pasid, request.pasid);
    ck_assert_uint_eq(response.group, request.group);
    ck_assert_uint_eq(response.code, code);
    ck_assert_uint_eq(m.page_responses, 0);
}

void is_queued(DmarPageRequest request)
{
    unsigned before = tail();
    nothing_is_answered(request);
    ck_assert_uint_ne(tail(), before);
    ck_assert(reg32(PRS_REG) & PRS_PPR);
}

void status_is(uint32_t bits)
{
    ck_assert_uint_eq(reg32(PRS_REG), bits);
}

void given_full_queue(void)
{
    while (tail() != ENTRIES - 1) {
        is_queued(wanted);
    }
    status_is(PRS_PPR);
}
