/*
 * Translation table modes [VT-d 3.4, 7.1.3 RTA.1 .. RTA.4, 11.4.5]: what each
 * makes of each kind of request, in units that know it and in units that do
 * not.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0238
#define PASID   0x61
#define DOMAIN  41
#define IOVA    0x40000000ull
#define TARGET  0x5123000ull

/* Without and with PASID: the reasons, and whether ATS is aborted (CA). */
static const struct {
    unsigned mode;
    bool scalable, abort_dma;
    uint8_t reason, with_pasid;
    bool aborts;
} rows[] = {
    { TTM_LEGACY, true, true, 0x01, 0x31, false },
    { TTM_LEGACY, false, false, 0x01, 0x31, false },
    { TTM_SCALABLE, true, true, 0x39, 0x39, false },
    { TTM_SCALABLE, true, false, 0x39, 0x39, false },
    { TTM_SCALABLE, false, false, 0x30, 0x30, true },
    { TTM_SCALABLE, false, true, 0x30, 0x30, true },
    { 2, true, true, 0x30, 0x30, true },
    { 2, true, false, 0x30, 0x30, true },
    { 2, false, false, 0x30, 0x30, true },
    { TTM_ABORT, true, true, 0x33, 0x33, false },
    { TTM_ABORT, false, true, 0x33, 0x33, false },
    { TTM_ABORT, true, false, 0x30, 0x30, true },
    { TTM_ABORT, false, false, 0x30, 0x30, true },
};

static void given_unit(bool scalable, bool abort_dma)
{
    DmarConfig config = plain;
    config.scalable = scalable;
    config.pasid_bits = scalable ? 20 : 0;
    config.abort_dma = abort_dma;
    config.device_tlb = true;
    power_on(&config);
}

static void try_request(int row, DmarAccess access, unsigned n)
{
    bool with_pasid = n % 2;
    bool aborts = rows[row].aborts && n / 2 == DMAR_TRANSLATION_REQUEST;
    DmarRequest request = {
        .source_id = DEV, .addr = IOVA, .access = access, .type = n / 2,
        .pasid = with_pasid ? PASID : NO_PASID,
    };
    uint8_t reason = with_pasid ? rows[row].with_pasid : rows[row].reason;
    DmarTranslation t = ask(request);
    Fault fault = take_fault();
    ck_assert_int_eq(t.completion, aborts ? DMAR_COMPLETER_ABORT
                                          : DMAR_UNSUPPORTED_REQUEST);
    ck_assert_uint_eq(t.reason, reason);
    ck_assert(!t.read && !t.write && fault.recorded);
    ck_assert_uint_eq(fault.reason, reason);
    /* A unit without PASIDs has no fields for them. */
    ck_assert_int_eq(fault.with_pasid, with_pasid && rows[row].scalable);
}

START_TEST(a_mode_answers_every_kind_of_request)
{
    static const DmarAccess accesses[] = {
        DMAR_READ, DMAR_WRITE, DMAR_ATOMIC, DMAR_READ_ZERO_LENGTH,
    };
    given_unit(rows[_i].scalable, rows[_i].abort_dma);
    set_root(new_page(), rows[_i].mode);
    command(GCMD_TE);
    for (unsigned n = 0; n < 6; n++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(accesses); i++) {
            try_request(_i, accesses[i], n);
        }
    }
}
END_TEST

/* ---- Abort-DMA mode [VT-d 3.4] --------------------------------------------- */

static Space space;

static void given_device(void)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
}

START_TEST(abort_dma_mode_reads_no_table)
{
    given_device();
    set_root(NOWHERE, TTM_ABORT);
    m.accesses = 0;
    write_faults(DEV, PASID, IOVA, FAULT_ABORT_DMA_MODE);
    read_faults(DEV, NO_PASID, IOVA, FAULT_ABORT_DMA_MODE);
    ck_assert_uint_eq(m.accesses, 0);
}
END_TEST

START_TEST(abort_dma_mode_uses_nothing_cached)
{
    given_device();
    uint64_t root = m.root;
    both_reach(DEV, PASID, IOVA, TARGET);
    both_reach(DEV, NO_PASID, IOVA, TARGET);
    set_root(root, TTM_ABORT);
    write_faults(DEV, PASID, IOVA, FAULT_ABORT_DMA_MODE);
    write_faults(DEV, NO_PASID, IOVA, FAULT_ABORT_DMA_MODE);
    request_fails((DmarRequest) { .source_id = DEV, .pasid = PASID,
                                  .addr = IOVA,
                                  .type = DMAR_TRANSLATION_REQUEST },
                  DMAR_UNSUPPORTED_REQUEST, FAULT_ABORT_DMA_MODE);
    set_root(root, TTM_SCALABLE);
    both_reach(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(abort_dma_mode_has_no_interrupt_range)
{
    given_device();
    set_root(m.root, TTM_ABORT);
    request_fails((DmarRequest) { .source_id = DEV, .pasid = NO_PASID,
                                  .addr = 0xfee00000,
                                  .type = DMAR_TRANSLATION_REQUEST },
                  DMAR_UNSUPPORTED_REQUEST, FAULT_ABORT_DMA_MODE);
}
END_TEST

START_TEST(a_cached_page_of_the_other_mode_is_not_used)
{
    given_device();
    uint64_t scalable_root = m.root;
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
    set_root(new_page(), TTM_LEGACY);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_ROOT_NOT_PRESENT);
    Space other = given_space(DOMAIN, 3);
    map(&other, IOVA, TARGET + PAGE, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &other);
    execute(iotlb_global());
    write_reaches(DEV, NO_PASID, IOVA, TARGET + PAGE);
    set_root(scalable_root, TTM_SCALABLE);
    execute(context_global());
    execute(iotlb_global());
    write_reaches(DEV, NO_PASID, IOVA, TARGET);
}
END_TEST

static Suite *modes(void)
{
    Suite *s = suite_create("modes");
    TCase *t = tests_of(s, "modes");
    tcase_add_loop_test(t, a_mode_answers_every_kind_of_request, 0,
                        G_N_ELEMENTS(rows));
    tcase_add_test(t, abort_dma_mode_reads_no_table);
    tcase_add_test(t, abort_dma_mode_uses_nothing_cached);
    tcase_add_test(t, abort_dma_mode_has_no_interrupt_range);
    tcase_add_test(t, a_cached_page_of_the_other_mode_is_not_used);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(modes(), argc, argv);
}
