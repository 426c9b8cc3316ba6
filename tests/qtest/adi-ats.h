/*
 * A ground like that of adi-sm.h, on which the adi has ATS and PRI.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_ADI_ATS_H
#define TESTS_QTEST_ADI_ATS_H

#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "adi-sm.h"
#include "sm-pages.h"

#define DEVICES(adi) "-device intel-iommu-sm,ats=on " \
                     "-device adi,id=adi,adis=4,addr=0x4," adi

static inline void ats_tables(Ground *g)
{
    sm_init(&g->sm, g->b.qts, TABLES, TABLES_SIZE);
    sm_context_set(&g->sm, BENCH_SID, 0);
    sm_context_allow_pages(&g->sm, BENCH_SID);
    sm_pasid_set(&g->sm, BENCH_SID, 0,
                 &(SmPasid) { SM_PASS_THROUGH, RID_DOMAIN });
    sm_pages_start(&g->sm);
    sm_start(&g->sm);
}

/* ATS is on, and so is PRI if @requests may wait for an answer. */
static inline void ats_start(Ground *g, unsigned requests)
{
    g->b.qts = q35_start(DEVICES("ats=on,pri=on"));
    ats_tables(g);
    adi_open(&g->b.adi, g->b.qts, BENCH_SID);
    adi_ats_set(&g->b.adi, true);
    adi_pri_set(&g->b.adi, requests);
    adi_q_open(&g->b.fq, &g->b.adi, ADI_FUNCTION, BENCH_FUNCTION,
               BENCH_FUNCTION);
}

/* ... and ADI 0 has an owner. */
static inline bool pri_start(Ground *g, Owner *o, unsigned requests)
{
    if (!ground_possible()) {
        return false;
    }
    ats_start(g, requests);
    owner_start(o, g, 0, 5);
    return true;
}

static inline void owner_unmap(Owner *o, uint64_t page)
{
    sm_unmap(&o->g->sm, &o->map, page, 1);
}

static inline void owner_map_page(Owner *o, uint64_t page, uint64_t to,
                           SmRights rights)
{
    sm_map(&o->g->sm, &o->map, page, to, 1, rights);
}

/* The page's own memory, as owner_map() gave it. */
static inline uint64_t memory_of(Owner *o, uint64_t page)
{
    return o->mem + (page - IOVA);
}

static inline void owner_map_back(Owner *o, uint64_t page)
{
    owner_map_page(o, page, memory_of(o, page), SM_RW);
}

static inline int64_t stat_of(Ground *g, const char *name)
{
    QDict *reply = qtest_qmp(g->b.qts, "{ 'execute': 'qom-get', 'arguments': "
                             "{ 'path': '/machine/peripheral/adi',"
                             "  'property': 'ats-stats' } }");
    QObject *stats = qobject_from_json(qdict_get_str(reply, "return"),
                                       NULL);
    int64_t value = qdict_get_int(qobject_to(QDict, stats), name);

    qobject_unref(stats);
    qobject_unref(reply);
    return value;
}

/* The queue asks for @page of (@pasid), to read or to write. */
static inline SmPageRequest assert_asked(Owner *o, uint64_t page, bool write)
{
    SmPageRequest request = sm_page_take(&o->g->sm);

    g_assert_cmphex(request.sid, ==, BENCH_SID);
    g_assert_true(request.with_pasid);
    g_assert_cmphex(request.pasid, ==, o->pasid);
    g_assert_cmphex(request.page, ==, page);
    g_assert_cmpint(request.read, ==, !write);
    g_assert_cmpint(request.write, ==, write);
    g_assert_true(request.last);
    return request;
}

static inline void assert_not_asked(Ground *g)
{
    g_usleep(20000);
    g_assert_false(sm_page_is_asked_for(&g->sm));
}

#endif /* TESTS_QTEST_ADI_ATS_H */
