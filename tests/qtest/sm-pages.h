/*
 * Page requests and device TLBs, for qtests that stand where an operating
 * system would; goes with sm-tables.h, whose manner it follows.
 *
 *     sm_pages_start(&sm);                    before sm_start()
 *     sm_context_allow_pages(&sm, sid);
 *     ...
 *     request = sm_page_take(&sm);
 *     sm_page_respond(&sm, &request, SM_PAGE_SUCCESS);
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_SM_PAGES_H
#define TESTS_QTEST_SM_PAGES_H

#include "sm-tables.h"

/* Registers [VT-d 11.4.11]. */
enum {
    SM_REG_PQH      = 0x0c0,
    SM_REG_PQT      = 0x0c8,
    SM_REG_PQA      = 0x0d0,
    SM_REG_PRS      = 0x0dc,
    SM_REG_PECTL    = 0x0e0,
    SM_REG_PEDATA   = 0x0e4,
};

#define SM_PRS_PPR  1u
#define SM_PRS_PRO  2u

enum { SM_PAGE_SUCCESS = 0, SM_PAGE_INVALID = 1, SM_PAGE_FAILURE = 15 };

/* A page request descriptor, taken apart [VT-d 7.4.1.1]. */
typedef struct SmPageRequest {
    uint16_t sid;
    bool with_pasid;
    uint32_t pasid;
    bool read, write, last;
    uint16_t group;
    uint64_t page;
} SmPageRequest;

/* ---- Setting up ---------------------------------------------------------- */

/* DTE and PRE of the context entry of @sid [VT-d 9.4]. */
static inline void sm_context_allow_pages(Sm *sm, uint16_t sid)
{
    uint64_t entry = sm_context_addr(sm, sid);

    qtest_writeq(sm->qts, entry, qtest_readq(sm->qts, entry) | 1 << 4 | 1 << 2);
}

/* A queue of one page: 128 descriptors of 32 bytes. */
static inline void sm_pages_start(Sm *sm)
{
    sm_writeq(sm, SM_REG_PQH, 0);
    sm_writeq(sm, SM_REG_PQT, 0);
    sm_writeq(sm, SM_REG_PQA, sm_page(sm));
}

/* ---- Requests and responses ---------------------------------------------- */

static inline bool sm_page_is_asked_for(Sm *sm)
{
    return sm_readq(sm, SM_REG_PQH) != sm_readq(sm, SM_REG_PQT);
}

/* Wait for a request and take it out of the queue. */
static inline SmPageRequest sm_page_take(Sm *sm)
{
    int64_t end = g_get_monotonic_time() + SM_TIMEOUT_US;
    uint64_t head = sm_readq(sm, SM_REG_PQH), slot, low, high;

    while (!sm_page_is_asked_for(sm)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    slot = sm_readq(sm, SM_REG_PQA) + head;
    low = qtest_readq(sm->qts, slot);
    high = qtest_readq(sm->qts, slot + 8);
    g_assert_cmphex(low & 0xff, ==, 1);
    sm_writeq(sm, SM_REG_PQH, (head + 32) % SM_PAGE);
    sm_writel(sm, SM_REG_PRS, SM_PRS_PPR);
    return (SmPageRequest) {
        .sid = low >> 16,
        .with_pasid = low >> 8 & 1,
        .pasid = low >> 32 & 0xfffff,
        .read = high & 1,
        .write = high >> 1 & 1,
        .last = high >> 2 & 1,
        .group = high >> 3 & 0x1ff,
        .page = high & ~(SM_PAGE - 1),
    };
}

/* [VT-d 7.6.1] */
static inline void sm_page_respond(Sm *sm, const SmPageRequest *request,
                                   unsigned code)
{
    uint64_t tag = request->with_pasid ? (uint64_t)request->pasid << 32 | 1 << 4
                                       : 0;

    sm_invalidate(sm, 9 | tag | (uint64_t)request->sid << 16 | code << 12,
                  request->group << 3);
}

/* ---- Device TLBs [VT-d 6.5.2.5, 6.5.2.6] --------------------------------- */

#define SM_EVERYTHING   0x7ffffffffffff000ull   /* with size bit set */

/* One page, or SM_EVERYTHING. */
static inline void sm_invalidate_device(Sm *sm, uint16_t sid, uint64_t addr)
{
    sm_invalidate(sm, 3 | (uint64_t)sid << 32,
                  addr | (addr == SM_EVERYTHING ? 1 : 0));
}

static inline void sm_invalidate_device_pasid(Sm *sm, uint16_t sid,
                                              uint32_t pasid, uint64_t addr)
{
    sm_invalidate(sm, 8 | (uint64_t)sid << 16 | (uint64_t)pasid << 32,
                  addr | (addr == SM_EVERYTHING ? 1 << 11 : 0));
}

/* The same for every PASID: the global hint. */
static inline void sm_invalidate_device_pasids(Sm *sm, uint16_t sid,
                                               uint64_t addr)
{
    sm_invalidate(sm, 8 | (uint64_t)sid << 16,
                  addr | 1 | (addr == SM_EVERYTHING ? 1 << 11 : 0));
}

#endif /* TESTS_QTEST_SM_PAGES_H */
