/*
 * Reasons of DMA faults [VT-d 7.1.3], each raised by devices: a row says what
 * is damaged.  Three requests meet it: edu's DMA, which carries no PASID, an
 * ADI's, which does, and with ATS the ADI's translation request.  Nothing may
 * have moved, and a fault record has to say so; once the damage is repaired
 * and caches are invalidated, all of them work.
 *
 * Page requests, and reasons that only ATS has, follow; interrupt requests are
 * in sm-interrupt-test.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-reasons.h"

/* ---- Rows ---------------------------------------------------------------- */

static const Row rows[] = {
    /* Legacy mode */
    { "/sm/reasons/legacy/root-table-nowhere", 0x08, LEGACY, NO_PASID,
      .damage = root_nowhere },
    { "/sm/reasons/legacy/root-not-present", 0x01, LEGACY, NO_PASID,
      ENTRY(ROOT, .clear = 1) },
    { "/sm/reasons/legacy/root-reserved", 0x0a, LEGACY, NO_PASID,
      ENTRY(ROOT, .set = 2) },
    { "/sm/reasons/legacy/context-table-nowhere", 0x09, LEGACY, NO_PASID,
      ENTRY(ROOT, .clear = ADDRESS, .set = NOWHERE) },
    { "/sm/reasons/legacy/context-not-present", 0x02, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .clear = 1) },
    { "/sm/reasons/legacy/context-reserved", 0x0b, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .set = 1 << 4) },
    { "/sm/reasons/legacy/width", 0x03, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .word = 1, .set = 7) },
    { "/sm/reasons/legacy/translation-type", 0x03, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .set = 3 << 2) },
    { "/sm/reasons/legacy/top-table-nowhere", 0x03, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .clear = ADDRESS, .set = NOWHERE) },
    { "/sm/reasons/legacy/table-nowhere", 0x07, LEGACY, NO_PASID,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE) },
    { "/sm/reasons/legacy/paging-reserved", 0x0c, LEGACY, NO_PASID,
      ENTRY(SS_LEVEL_2, .set = BIT_AT(62)) },
    { "/sm/reasons/legacy/address-beyond", 0x04, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .word = 1, .clear = 7, .set = 1), .addr = BIT_AT(39) },
    { "/sm/reasons/legacy/no-write", 0x05, LEGACY, NO_PASID,
      ENTRY(SS_LEVEL_1, .clear = SM_W) },
    { "/sm/reasons/legacy/no-read", 0x06, LEGACY, NO_PASID,
      ENTRY(SS_LEVEL_1, .clear = SM_R), .reads = true },
    { "/sm/reasons/legacy/interrupt-range", 0x0e, LEGACY, NO_PASID,
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee00000) },
    { "/sm/reasons/legacy/pasid", 0x31, LEGACY, WITH_PASID, .reach = ALL },

    /* The mode */
    { "/sm/reasons/mode/reserved", 0x30, SECOND, .damage = reserved_mode,
      .answer = ABORT },
    { "/sm/reasons/mode/not-supported", 0x30, LEGACY, NO_PASID,
      .damage = scalable_mode, .props = "scalable=off" },
    { "/sm/reasons/mode/abort", 0x33, SECOND, .damage = abort_mode },
    { "/sm/reasons/mode/abort-not-supported", 0x30, SECOND,
      .damage = abort_mode, .props = "adms=off", .answer = ABORT },

    /* Root and context entries */
    { "/sm/reasons/root/table-nowhere", 0x38, SECOND, .damage = root_nowhere,
      .answer = ABORT },
    { "/sm/reasons/root/not-present", 0x39, SECOND, ENTRY(ROOT, .clear = 1) },
    { "/sm/reasons/root/reserved", 0x3a, SECOND, ENTRY(ROOT, .set = 2),
      .answer = ABORT },
    { "/sm/reasons/context/table-nowhere", 0x40, SECOND,
      ENTRY(ROOT, .clear = ADDRESS, .set = NOWHERE), .answer = ABORT },
    { "/sm/reasons/context/not-present", 0x41, SECOND,
      ENTRY(CONTEXT, .clear = 1) },
    { "/sm/reasons/context/reserved", 0x42, SECOND,
      ENTRY(CONTEXT, .set = BIT_AT(8)), .answer = ABORT },
    { "/sm/reasons/context/pre-without-dte", 0x43, SECOND,
      ENTRY(CONTEXT, .clear = BIT_AT(2), .set = BIT_AT(4)), .answer = ABORT },
    { "/sm/reasons/context/rid-pasid-beyond-directory", 0x43, SECOND,
      ENTRY(CONTEXT, .clear = 7 << 9), .damage = high_rid_pasid,
      .answer = ABORT },
    { "/sm/reasons/context/no-pasids", 0x45, SECOND, WITH_PASID,
      ENTRY(CONTEXT, .clear = BIT_AT(3)) },
    { "/sm/reasons/context/pasid-beyond-directory", 0x46, SECOND, WITH_PASID,
      ENTRY(CONTEXT, .clear = 7 << 9), .pasid = 0x2000 },
    { "/sm/reasons/context/pasid-is-rid-pasid", 0x48, SECOND, WITH_PASID,
      .pasid = RID_PASID },
    { "/sm/reasons/context/pasid-beyond-width", 0x89, SECOND, WITH_PASID,
      .pasid = 0x4000, .props = "pasid-bits=14" },

    /* PASID directory and table */
    { "/sm/reasons/directory/nowhere", 0x50, SECOND,
      ENTRY(CONTEXT, .clear = ADDRESS, .set = NOWHERE), .answer = ABORT },
    { "/sm/reasons/directory/not-present", 0x51, SECOND,
      ENTRY(DIRECTORY, .clear = 1), .answer = GRANTED_NOTHING },
    { "/sm/reasons/directory/reserved", 0x52, SECOND,
      ENTRY(DIRECTORY, .set = 1 << 2), .answer = ABORT },
    { "/sm/reasons/pasid/table-nowhere", 0x58, SECOND,
      ENTRY(DIRECTORY, .clear = ADDRESS, .set = NOWHERE), .answer = ABORT },
    { "/sm/reasons/pasid/not-present", 0x59, SECOND,
      ENTRY(PASID_ENTRY, .clear = 1), .answer = GRANTED_NOTHING },
    { "/sm/reasons/pasid/reserved", 0x5a, SECOND,
      ENTRY(PASID_ENTRY, .set = BIT_AT(5)), .answer = ABORT },
    { "/sm/reasons/pasid/type", 0x5b, SECOND,
      ENTRY(PASID_ENTRY, .set = 7 << 6), .answer = ABORT },
    { "/sm/reasons/pasid/width", 0x5b, SECOND,
      ENTRY(PASID_ENTRY, .set = 7 << 2), .answer = ABORT },
    { "/sm/reasons/pasid/first-stage-mode", 0x5b, FIRST,
      ENTRY(PASID_ENTRY, .word = 2, .set = 2 << 2), .answer = ABORT },
    { "/sm/reasons/pasid/first-stage-beyond-second", 0x5b, NESTED,
      ENTRY(PASID_ENTRY, .word = 2, .set = BIT_AT(39)),
      .damage = short_second, .answer = ABORT },
    { "/sm/reasons/pasid/supervisor", 0x5d, FIRST, NO_PASID,
      ENTRY(CONTEXT, .word = 1, .set = BIT_AT(20)), .props = "rid-priv=on" },

    /* First stage */
    { "/sm/reasons/first/table-nowhere", 0x70, FIRST,
      ENTRY(FS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE),
      .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/not-present", 0x71, FIRST,
      ENTRY(FS_LEVEL_1, .clear = 1), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/nested-not-present", 0x71, NESTED,
      ENTRY(FS_LEVEL_4, .clear = 1), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/reserved", 0x72, FIRST,
      ENTRY(FS_LEVEL_4, .set = BIT_AT(7)), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/top-table-nowhere", 0x73, FIRST,
      ENTRY(PASID_ENTRY, .word = 2, .clear = ADDRESS, .set = NOWHERE),
      .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/beyond-second", 0x74, NESTED,
      ENTRY(FS_LEVEL_1, .set = BIT_AT(39)), .damage = short_second,
      .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/top-table-not-readable", 0x75, NESTED,
      ENTRY(SS_OF_FS_TOP, .clear = SM_R), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/table-not-readable", 0x76, NESTED,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = SM_R), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/table-not-writable", 0x77, NESTED,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = SM_W), .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/update-not-snooped", 0x90, FIRST,
      ENTRY(PASID_ENTRY, .word = 1, .clear = BIT_AT(23)),
      .answer = GRANTED_NOTHING },
    { "/sm/reasons/first/update-of-rom", 0x91, FIRST,
      ENTRY(FS_LEVEL_2, .clear = ADDRESS, .set = ROM_TABLE),
      .answer = REPORTED },
    { "/sm/reasons/first/nested-update-of-rom", 0x91, NESTED,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = ADDRESS, .set = ROM_NESTED_TABLE),
      .answer = REPORTED },

    /* Second stage */
    { "/sm/reasons/second/table-nowhere", 0x78, SECOND,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE), .answer = ABORT },
    { "/sm/reasons/second/nested-table-nowhere", 0x78, NESTED,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = NOWHERE), .reach = ALL,
      .answer = ABORT },
    { "/sm/reasons/second/not-present", 0x79, SECOND,
      ENTRY(SS_LEVEL_1, .clear = SM_RW), .answer = GRANTED_NOTHING },
    { "/sm/reasons/second/nested-not-present", 0x79, NESTED,
      ENTRY(SS_OF_FS_LEVEL_1, .clear = SM_RW), .answer = GRANTED_NOTHING },
    { "/sm/reasons/second/reserved", 0x7a, SECOND,
      ENTRY(SS_LEVEL_1, .set = BIT_AT(62)), .answer = ABORT },
    { "/sm/reasons/second/nested-reserved", 0x7a, NESTED,
      ENTRY(SS_OF_FS_TOP, .set = BIT_AT(62)), .answer = ABORT },
    { "/sm/reasons/second/top-table-nowhere", 0x7b, SECOND,
      ENTRY(PASID_ENTRY, .clear = ADDRESS, .set = NOWHERE), .answer = ABORT },
    { "/sm/reasons/second/update-not-snooped", 0x7c, SECOND,
      ENTRY(PASID_ENTRY, .word = 1, .clear = BIT_AT(23)), .answer = ABORT },
    { "/sm/reasons/second/update-of-rom", 0x7d, SECOND,
      ENTRY(SS_LEVEL_2, .clear = ADDRESS, .set = ROM_TABLE),
      .answer = ABORT },

    /* General */
    { "/sm/reasons/general/not-canonical", 0x80, FIRST, .addr = BIT_AT(47),
      .answer = GRANTED_NOTHING },
    { "/sm/reasons/general/privilege", 0x81, FIRST,
      ENTRY(FS_LEVEL_2, .clear = SM_FS_USER), .answer = GRANTED_NOTHING },
    { "/sm/reasons/general/nested-privilege", 0x81, NESTED,
      ENTRY(FS_LEVEL_1, .clear = SM_FS_USER), .answer = GRANTED_NOTHING },
    { "/sm/reasons/general/pass-through-beyond-host", 0x83, PASS,
      .addr = BIT_AT(40), .answer = GRANTED_NOTHING },
    { "/sm/reasons/general/address-beyond", 0x84, SECOND,
      .damage = short_second, .addr = BIT_AT(39), .answer = GRANTED_NOTHING },
    { "/sm/reasons/general/no-write", 0x85, SECOND,
      ENTRY(SS_LEVEL_1, .clear = SM_W), .answer = GRANTED_REST },
    { "/sm/reasons/general/first-stage-no-write", 0x85, FIRST,
      ENTRY(FS_LEVEL_1, .clear = SM_FS_WRITABLE), .answer = GRANTED_REST },
    { "/sm/reasons/general/nested-no-write", 0x85, NESTED,
      ENTRY(SS_LEVEL_1, .clear = SM_W), .answer = GRANTED_REST },
    { "/sm/reasons/general/no-read", 0x86, SECOND,
      ENTRY(SS_LEVEL_1, .clear = SM_R), .reads = true,
      .answer = GRANTED_REST },
    { "/sm/reasons/general/nested-no-read", 0x86, NESTED,
      ENTRY(SS_LEVEL_1, .clear = SM_R), .reads = true,
      .answer = GRANTED_REST },
    { "/sm/reasons/general/interrupt-range", 0x87, SECOND,
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee00000),
      .answer = ABORT },
    { "/sm/reasons/general/first-stage-interrupt-range", 0x87, FIRST,
      ENTRY(FS_LEVEL_1, .clear = ADDRESS, .set = 0xfeeff000),
      .answer = ABORT },
    { "/sm/reasons/general/nested-interrupt-range", 0x87, NESTED,
      ENTRY(SS_LEVEL_1, .clear = ADDRESS, .set = 0xfee55000),
      .answer = ABORT },
    { "/sm/reasons/general/pass-through-interrupt-range", 0x87, PASS,
      WITH_PASID, .addr = 0xfee00000, .answer = REFUSED_LATER },
};

/* ---- Without PASID: edu -------------------------------------------------- */

static void edu_is_refused(Reasons *r)
{
    const Row *row = r->row;
    SmBed *bed = &r->bed;
    uint64_t addr = reasons_addr(r);

    if (row->reads) {
        sm_bed_fill(bed, 0);
        edu_load(&bed->edu, addr, 8);
    } else {
        sm_bed_blank(bed, 0);
        edu_store(&bed->edu, addr, 8);
        sm_bed_assert_blank(bed, 0);
    }
    assert_recorded(r, &(SmFault) {
        .reason = row->reason, .sid = bed->edu.f.sid, .page = addr,
        .asked = row->reads ? SM_READ : SM_WRITE,
    });
    assert_no_more_recorded(r);
}

/* Its buffer does not have what it was not to read. */
static void edu_works(Reasons *r)
{
    SmBed *bed = &r->bed;

    edu_store(&bed->edu, r->page, 8);
    g_assert_cmphex(qtest_readq(bed->qts, sm_bed_page(0)), ==, 0);
    sm_bed_fill(bed, 0);
    edu_load(&bed->edu, r->page, 8);
    sm_bed_blank(bed, 0);
    edu_store(&bed->edu, r->page, 8);
    sm_bed_assert_pattern(bed, 0, 0);
}

/* ---- With PASID: an ADI -------------------------------------------------- */

/* Where all is lost, the ring is the first that it asks for. */
static void adi_fails(Reasons *r)
{
    const Row *row = r->row;
    bool ring = takes_all(row);

    reasons_queue_open(r);
    sm_bed_blank(&r->bed, 0);
    reasons_adi_post(r, reasons_addr(r), row->reads);
    adi_wait_error(&r->q, ring ? ADI_ERR_FETCH
                               : row->reads ? ADI_ERR_READ : ADI_ERR_WRITE, 0);
    g_assert_cmphex(adi_q_readq(&r->q, ADI_Q_ERROR_ADDR), ==,
                    reasons_adi_addr(r));
    sm_bed_assert_blank(&r->bed, 0);
}

/* What a record says of its request, made so or so. */
static SmFault adi_fault(Reasons *r, SmAddressType type)
{
    const Row *row = r->row;
    bool reads = takes_all(row) || row->reads ||
                 type == SM_TRANSLATION_REQUEST;

    return (SmFault) {
        .reason = row->reason, .sid = ADI_SID,
        .with_pasid = row->who != NO_PASID && type != SM_TRANSLATED,
        .pasid = type == SM_TRANSLATED ? 0 : reasons_pasid(r),
        .page = reasons_adi_addr(r), .type = type,
        .asked = reads ? SM_READ : SM_WRITE,
    };
}

static void assert_adi_recorded(Reasons *r, SmAddressType type)
{
    SmFault fault = adi_fault(r, type);

    assert_recorded(r, &fault);
}

static void adi_is_refused(Reasons *r)
{
    adi_fails(r);
    assert_adi_recorded(r, SM_UNTRANSLATED);
    assert_no_more_recorded(r);
}

/* ---- With PASID, by a translation request -------------------------------- */

static void assert_answered(Reasons *r, Answer answer)
{
    switch (answer) {
    case UNSUPPORTED:
        assert_adi_recorded(r, SM_TRANSLATION_REQUEST);
        assert_adi_recorded(r, SM_UNTRANSLATED);
        break;
    case ABORT:
    case REPORTED:
        assert_adi_recorded(r, SM_TRANSLATION_REQUEST);
        break;
    case REFUSED_LATER:
        assert_adi_recorded(r, SM_TRANSLATED);
        break;
    case GRANTED_NOTHING:
    case GRANTED_REST:
        break;
    }
    assert_no_more_recorded(r);
}

/* An abort is told apart where there is a record to tell it. */
static void adi_is_answered(Reasons *r)
{
    const Row *row = r->row;

    reasons_ats_on(r);
    adi_fails(r);
    assert_answered(r, row->answer);
    if (!takes_all(row)) {
        g_assert_cmpuint(adi_record(&r->q, 0).why, ==,
                         row->answer == ABORT ? ADI_WHY_COMPLETER_ABORT
                                              : ADI_WHY_UNSUPPORTED_REQUEST);
    }
    adi_ats_set(&r->adi, false);
}

/* ---- All three ----------------------------------------------------------- */

static void adi_works(Reasons *r)
{
    reasons_adi_works(r);
    reasons_ats_on(r);
    reasons_adi_works(r);
}

static void test_row(const void *data)
{
    const Row *row = data;
    Reasons r;

    reasons_start(&r, row);
    reasons_damage(&r);
    if (row->who != WITH_PASID) {
        edu_is_refused(&r);
    }
    if (row->who != NO_PASID) {
        adi_is_refused(&r);
        adi_is_answered(&r);
    }
    reasons_repair(&r);
    edu_works(&r);
    if (row->kind != LEGACY) {
        adi_works(&r);
    }
    sm_bed_close(&r.bed);
}

/* ---- ATS that is refused ------------------------------------------------- */

/* The function, or an ADI, goes on without. */
static const Row blocked[] = {
    { "/sm/reasons/ats/legacy-type", 0x0d, LEGACY, NO_PASID,
      ENTRY(CONTEXT, .clear = BIT_AT(2)) },
    { "/sm/reasons/ats/no-device-tlb", 0x44, SECOND, WITH_PASID,
      ENTRY(CONTEXT, .clear = BIT_AT(2) | BIT_AT(4)) },
};

static void test_blocked(const void *data)
{
    Reasons r;

    reasons_start(&r, data);
    reasons_damage(&r);
    reasons_ats_on(&r);
    reasons_queue_open(&r);
    reasons_queue_works(&r);
    assert_adi_recorded(&r, SM_TRANSLATION_REQUEST);
    assert_no_more_recorded(&r);
    reasons_repair(&r);
    reasons_ats_on(&r);
    reasons_queue_works(&r);
    sm_bed_close(&r.bed);
}

/* A device that keeps translations which it may not use any more. */
static void test_translated_blocked(const void *data)
{
    Reasons r;

    reasons_start(&r, data);
    reasons_ats_on(&r);
    reasons_queue_open(&r);
    reasons_queue_works(&r);
    reasons_damage(&r);
    sm_invalidate_contexts(&r.bed.sm);
    reasons_adi_post(&r, r.page, false);
    adi_wait_error(&r.q, ADI_ERR_FETCH, 2);
    assert_recorded(&r, &(SmFault) {
        .reason = r.row->reason, .sid = ADI_SID,
        .page = sm_bed_page(RING_PAGE), .asked = SM_READ,
        .type = SM_TRANSLATED,
    });
    assert_no_more_recorded(&r);
    reasons_repair(&r);
    reasons_queue_open(&r);
    reasons_queue_works(&r);
    sm_bed_close(&r.bed);
}

/* ---- Page requests ------------------------------------------------------- */

/* For a page that a translation request found missing. */
static const Row page_requests[] = {
    { "/sm/reasons/page-request/legacy-mode", 0x32, LEGACY, NO_PASID,
      .damage = unmap_data, .reach = DATA },
    { "/sm/reasons/page-request/not-enabled", 0x47, SECOND, WITH_PASID,
      ENTRY(CONTEXT, .clear = BIT_AT(4)), .damage = unmap_data,
      .reach = DATA },
    { "/sm/reasons/page-request/directory-not-present", 0x51, SECOND,
      WITH_PASID, ENTRY(DIRECTORY, .clear = 1) },
    { "/sm/reasons/page-request/pasid-not-present", 0x59, SECOND, WITH_PASID,
      ENTRY(PASID_ENTRY, .clear = 1) },
};

/* It is a message: no address type. */
static void test_page_request(const void *data)
{
    SmFault fault;
    Reasons r;

    reasons_start(&r, data);
    reasons_damage(&r);
    sm_pages_start(&r.bed.sm);
    adi_pri_set(&r.adi, 8);
    reasons_ats_on(&r);
    adi_fails(&r);
    fault = adi_fault(&r, SM_UNTRANSLATED);
    fault.asked = SM_PAGE_REQUEST;
    assert_recorded(&r, &fault);
    assert_no_more_recorded(&r);
    g_assert_false(sm_page_is_asked_for(&r.bed.sm));
    reasons_repair(&r);
    reasons_ats_on(&r);
    reasons_queue_open(&r);
    reasons_queue_works(&r);
    sm_bed_close(&r.bed);
}

/* ---- Main ---------------------------------------------------------------- */

#define ADD_ROWS(rows, test)                                                 \
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {                               \
        qtest_add_data_func((rows)[i].path, &(rows)[i], test);               \
    }

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    ADD_ROWS(rows, test_row);
    ADD_ROWS(blocked, test_blocked);
    ADD_ROWS(page_requests, test_page_request);
    qtest_add_data_func("/sm/reasons/ats/legacy-type-of-translated",
                        &blocked[0], test_translated_blocked);
    qtest_add_data_func("/sm/reasons/ats/no-device-tlb-of-translated",
                        &blocked[1], test_translated_blocked);
    return g_test_run();
}
