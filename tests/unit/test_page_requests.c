/*
 * Page requests [VT-d 7.4, 7.5, 11.4.11]: what is queued and how, what is lost
 * and what the device is told then, and the event.  What follows them is in
 * test_page_responses.c.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "requester.h"
#include "spec/perfmon.h"

#define MSI_ADDR    0x2fee02000ull
#define MSI_DATA    0x4061

static DmarPageRequest not_the_last(void)
{
    DmarPageRequest request = wanted;
    request.last = false;
    return request;
}

/* ---- What is written [VT-d 7.4.1.1] ---------------------------------------- */

static void entry_is(unsigned index, uint64_t word0, uint64_t word1)
{
    ck_assert_uint_eq(peek(requests + index * 32), word0);
    ck_assert_uint_eq(peek(requests + index * 32 + 8), word1);
    ck_assert_uint_eq(peek(requests + index * 32 + 16), 0);
    ck_assert_uint_eq(peek(requests + index * 32 + 24), 0);
}

#define WITH_PASID  (1ull << 8 | (uint64_t)PASID << 32)
#define FROM_DEV    (1ull | (uint64_t)DEV << 16)
#define IN_GROUP    ((uint64_t)GROUP << 3)

START_TEST(a_request_is_written_to_the_queue)
{
    given_machine();
    is_queued(wanted);
    entry_is(0, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 7);
    ck_assert_uint_eq(tail(), 1);
    ck_assert_uint_eq(reg(PQH_REG), 0);
}
END_TEST

START_TEST(a_request_without_pasid_says_so)
{
    given_machine();
    is_queued(without_pasid());
    entry_is(0, FROM_DEV, IOVA | IN_GROUP | 7);
}
END_TEST

START_TEST(only_the_page_of_the_address_is_written)
{
    DmarPageRequest request = wanted;
    given_machine();
    request.addr |= 0xfff;
    is_queued(request);
    entry_is(0, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 7);
}
END_TEST

static const struct {
    bool read, write, last, execute, privileged;
    uint64_t word0, word1;
} kinds[] = {
    { .read = true, .word1 = 1 },
    { .write = true, .word1 = 2 },
    { .read = true, .last = true, .word1 = 5 },
    { .read = true, .execute = true, .word0 = 1ull << 52, .word1 = 1 },
    { .write = true, .execute = true, .word1 = 2 },
    { .read = true, .privileged = true, .word0 = 1ull << 53, .word1 = 1 },
    { .last = true, .word1 = 4 },
};

static DmarPageRequest of_kind(unsigned i)
{
    DmarPageRequest request = wanted;
    request.read = kinds[i].read;
    request.write = kinds[i].write;
    request.last = kinds[i].last;
    request.execute = kinds[i].execute;
    request.privileged = kinds[i].privileged;
    return request;
}

START_TEST(a_request_says_what_it_wants)
{
    given_machine();
    is_queued(of_kind(_i));
    entry_is(0, FROM_DEV | WITH_PASID | kinds[_i].word0,
             IOVA | IN_GROUP | kinds[_i].word1);
}
END_TEST

START_TEST(attributes_of_a_pasid_need_one)
{
    given_machine();
    DmarPageRequest request = of_kind(_i);
    request.pasid = NO_PASID;
    is_queued(request);
    entry_is(0, FROM_DEV, IOVA | IN_GROUP | kinds[_i].word1);
}
END_TEST

START_TEST(nothing_needs_to_be_mapped_for_a_request)
{
    given_machine();
    DmarPageRequest request = wanted;
    request.addr = ~0xfffull;           /* not even an address of the tables */
    is_queued(request);
}
END_TEST

/* ---- The queue [VT-d 7.4.1] ------------------------------------------------ */

START_TEST(the_queue_takes_all_entries_but_one)
{
    given_machine();
    given_full_queue();
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    ck_assert_uint_eq(tail(), ENTRIES - 1);
    status_is(PRS_PPR | PRS_PRO);
}
END_TEST

START_TEST(the_queue_wraps)
{
    given_machine();
    set_reg(PQH_REG, (ENTRIES - 1) * 32);
    set_reg(PQT_REG, (ENTRIES - 1) * 32);
    is_queued(wanted);
    ck_assert_uint_eq(tail(), 0);
    is_queued(without_pasid());
    entry_is(ENTRIES - 1, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 7);
    entry_is(0, FROM_DEV, IOVA | IN_GROUP | 7);
}
END_TEST

START_TEST(a_queue_is_as_large_as_it_says)
{
    unsigned entries = ENTRIES << _i;
    given_machine();
    given_request_queue(_i);
    set_reg(PQT_REG, (entries - 2) * 32);
    is_queued(wanted);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    set_reg32(PRS_REG, PRS_PRO);
    set_reg(PQH_REG, 32);
    is_queued(wanted);
    ck_assert_uint_eq(tail(), 0);
    entry_is(entries - 1, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 7);
}
END_TEST

START_TEST(software_that_reads_makes_room)
{
    given_machine();
    given_full_queue();
    set_reg(PQH_REG, 32);
    is_queued(wanted);
    ck_assert_uint_eq(tail(), 0);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
}
END_TEST

START_TEST(pointers_beyond_the_queue_wrap)
{
    given_machine();
    set_reg(PQT_REG, (ENTRIES * 5 + 3) * 32);
    set_reg(PQH_REG, (ENTRIES * 9 + 3) * 32);
    is_queued(wanted);
    ck_assert_uint_eq(tail(), 4);
    entry_is(3, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 7);
}
END_TEST

/* Nobody is told of it: a response that never comes would be worse. */
START_TEST(a_queue_without_memory_takes_nothing)
{
    given_machine();
    set_reg(PQA_REG, NOWHERE);
    is_answered(wanted, DMAR_PAGE_INVALID);
    nothing_is_answered(not_the_last());
    ck_assert_uint_eq(tail(), 0);
    status_is(0);
}
END_TEST

/* ---- Overflow [VT-d 7.4.1, Table 31] --------------------------------------- */

START_TEST(full_the_queue_overflows)
{
    given_machine();
    given_full_queue();
    if (_i) {
        is_answered(wanted, DMAR_PAGE_SUCCESS);
    } else {
        nothing_is_answered(not_the_last());
    }
    status_is(PRS_PPR | PRS_PRO);
    ck_assert_uint_eq(tail(), ENTRIES - 1);
}
END_TEST

START_TEST(overflowed_nothing_is_queued_though_there_is_room)
{
    given_machine();
    given_full_queue();
    nothing_is_answered(not_the_last());
    set_reg(PQH_REG, reg(PQT_REG));
    set_reg32(PRS_REG, PRS_PPR);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    nothing_is_answered(not_the_last());
    status_is(PRS_PRO);
    ck_assert_uint_eq(tail(), ENTRIES - 1);
}
END_TEST

START_TEST(the_queue_goes_on_when_software_clears_the_overflow)
{
    given_machine();
    given_full_queue();
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    set_reg(PQH_REG, reg(PQT_REG));
    set_reg32(PRS_REG, PRS_PRO);
    is_queued(wanted);
    ck_assert_uint_eq(tail(), 0);
}
END_TEST

START_TEST(an_overflow_is_no_fault)
{
    given_machine();
    given_full_queue();
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    no_fault_left();
}
END_TEST

/* ---- Table faults [VT-d 7.1.3, Table 30] ----------------------------------- */

static void no_longer_scalable(unsigned ttm)
{
    set_root(m.root, ttm);
    forget_everything();
}

static void ttm_legacy(void) { set_root(m.root, TTM_LEGACY); }
static void ttm_reserved(void) { set_root(m.root, TTM_RESERVED); }
static void ttm_abort(void) { set_root(m.root, TTM_ABORT); }

static void root_nowhere(void) { no_longer_scalable(TTM_SCALABLE);
                                 set_root(NOWHERE, TTM_SCALABLE); }
static void root_absent(void) { flip(root_entry_at(DEV), 0); }
static void root_reserved(void) { flip(root_entry_at(DEV), 5); }

static void context_nowhere(void) { poke(root_entry_at(DEV), NOWHERE | 1); }
static void context_absent(void) { flip(context_entry_at(DEV), 0); }
static void context_reserved(void) { flip(context_entry_at(DEV), 100); }
static void no_device_tlb(void) { flip(context_entry_at(DEV), 2); }
static void rid_pasid_beyond(void)
{
    poke(context_entry_at(DEV),
         (peek(context_entry_at(DEV)) & ~SCTX0_PDTS) | 1 << 9);
    poke(context_entry_at(DEV) + 8, 0xfffff);
}
static void pasids_off(void) { flip(context_entry_at(DEV), 3); }
static void pasid_beyond(void)
{
    poke(context_entry_at(DEV), peek(context_entry_at(DEV)) & ~SCTX0_PDTS);
}
static void requests_off(void) { flip(context_entry_at(DEV), 4); }
static void pasid_is_rid_pasid(void)
{
    poke(context_entry_at(DEV) + 8, PASID);
}

static void directory_nowhere(void)
{
    uint64_t entry = peek(context_entry_at(DEV));
    poke(context_entry_at(DEV), (entry & 0xfff) | NOWHERE);
}
static void directory_absent(void) { flip(directory_entry_at(DEV, PASID), 0); }
static void directory_reserved(void) { flip(directory_entry_at(DEV, PASID), 7); }
static void table_nowhere(void)
{
    poke(directory_entry_at(DEV, PASID), NOWHERE | 1);
}
static void entry_absent(void) { flip(pasid_entry_at(DEV, PASID), 0); }
static void entry_reserved(void) { flip(pasid_entry_at(DEV, PASID), 5); }
static void entry_type_0(void)
{
    poke(pasid_entry_at(DEV, PASID),
         peek(pasid_entry_at(DEV, PASID)) & ~PASID0_PGTT);
}
static void entry_width_0(void)
{
    poke(pasid_entry_at(DEV, PASID),
         peek(pasid_entry_at(DEV, PASID)) & ~PASID0_AW);
}
static void entry_paging_mode(void)     /* first-stage, 5 levels: not here */
{
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, PGTT_FIRST_STAGE << 6 | 1);
    poke(entry + 16, 1 << 2);
}
static void entry_nested_root(void)     /* beyond the second stage's 39 bits */
{
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, space.root | PGTT_NESTED << 6 | 1 << 2 | 1);
    poke(entry + 16, 1ull << 40);
}

static const struct {
    const char *what;
    void (*broken)(void);
    uint8_t reason;
    bool qualified;             /* an FPD of the context entry hides it */
} faults[] = {
    { "RTA.1.2", ttm_reserved, 0x30, false },
    { "RTA.3", ttm_legacy, 0x32, false },
    { "RTA.4", ttm_abort, 0x33, false },
    { "SRT.1", root_nowhere, 0x38, false },
    { "SRT.2", root_absent, 0x39, false },
    { "SRT.3", root_reserved, 0x3a, false },
    { "SCT.1", context_nowhere, 0x40, false },
    { "SCT.2", context_absent, 0x41, true },
    { "SCT.3", context_reserved, 0x42, true },
    { "SCT.4.1", no_device_tlb, 0x43, true },
    { "SCT.4.2", rid_pasid_beyond, 0x43, true },
    { "SCT.6", pasids_off, 0x45, true },
    { "SCT.7", pasid_beyond, 0x46, true },
    { "SCT.8", requests_off, 0x47, true },
    { "SCT.9", pasid_is_rid_pasid, 0x48, true },
    { "SPD.1", directory_nowhere, 0x50, false },
    { "SPD.2", directory_absent, 0x51, true },
    { "SPD.3", directory_reserved, 0x52, true },
    { "SPT.1", table_nowhere, 0x58, false },
    { "SPT.2", entry_absent, 0x59, true },
    { "SPT.3", entry_reserved, 0x5a, true },
    { "SPT.4.1", entry_width_0, 0x5b, true },
    { "SPT.4.2", entry_type_0, 0x5b, true },
    { "SPT.4.3", entry_paging_mode, 0x5b, true },
    { "SPT.4.4", entry_nested_root, 0x5b, true },
};

static void recorded_is(const DmarPageRequest *request, uint8_t reason)
{
    Fault fault = take_fault();
    ck_assert(fault.recorded);
    ck_assert_uint_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.sid, DEV);
    ck_assert_uint_eq(fault.type, 1);
    ck_assert_uint_eq(fault.at, 0);
    ck_assert_uint_eq(fault.addr, request->addr & ~0xfffull);
    ck_assert_uint_eq(fault.with_pasid, request->pasid != NO_PASID);
    ck_assert(!fault.with_pasid || fault.pasid == request->pasid);
    ck_assert_uint_eq(fault.privileged, request->privileged);
    ck_assert(!fault.execute);
}

START_TEST(a_table_fault_is_recorded_and_answered_invalid)
{
    given_machine();
    faults[_i].broken();
    is_answered(wanted, DMAR_PAGE_INVALID);
    recorded_is(&wanted, faults[_i].reason);
    ck_assert_uint_eq(tail(), 0);
    status_is(0);
}
END_TEST

START_TEST(a_table_fault_is_recorded_and_not_answered)
{
    DmarPageRequest request = not_the_last();
    given_machine();
    faults[_i].broken();
    nothing_is_answered(request);
    recorded_is(&request, faults[_i].reason);
    ck_assert_uint_eq(tail(), 0);
    status_is(0);
}
END_TEST

START_TEST(a_table_fault_may_be_hidden)
{
    given_machine();
    flip(context_entry_at(DEV), 1);
    faults[_i].broken();
    is_answered(wanted, DMAR_PAGE_INVALID);
    if (!faults[_i].qualified) {
        recorded_is(&wanted, faults[_i].reason);
    }
    no_fault_left();
}
END_TEST

START_TEST(a_stop_marker_goes_silently_where_tables_fault)
{
    given_machine();
    faults[_i].broken();
    nothing_is_answered(stop_marker());
    no_fault_left();
    status_is(0);
}
END_TEST

START_TEST(the_privilege_that_was_wanted_is_recorded)
{
    DmarPageRequest request = wanted;
    given_machine();
    request.privileged = request.execute = true;
    entry_absent();
    is_answered(request, DMAR_PAGE_INVALID);
    recorded_is(&request, 0x59);
}
END_TEST

START_TEST(a_request_to_read_or_to_write_is_no_stop_marker)
{
    DmarPageRequest request = wanted;
    given_machine();
    request.read = _i;
    request.write = !_i;
    entry_absent();
    is_answered(request, DMAR_PAGE_INVALID);
    recorded_is(&request, 0x59);
}
END_TEST

START_TEST(without_pasid_the_entry_of_rid_pasid_counts)
{
    given_machine();
    given_no_pasid(DEV, RID_PASID);
    DmarPageRequest request = without_pasid();
    is_answered(request, DMAR_PAGE_INVALID);
    recorded_is(&request, 0x59);
    is_queued(wanted);
}
END_TEST

START_TEST(a_fault_is_one_in_an_overflowed_queue_as_well)
{
    given_machine();
    given_full_queue();
    nothing_is_answered(not_the_last());
    entry_absent();
    execute(pasid_cache_global());
    is_answered(wanted, DMAR_PAGE_INVALID);
    recorded_is(&wanted, 0x59);
}
END_TEST

START_TEST(an_entry_that_was_refused_is_read_again)
{
    given_machine();
    given_no_pasid(DEV, PASID);
    is_answered(wanted, DMAR_PAGE_INVALID);
    recorded_is(&wanted, 0x59);
    given_pasid(DEV, PASID, &space);
    is_queued(wanted);
}
END_TEST

START_TEST(a_wide_pasid_is_no_fault_of_its_own)
{
    DmarConfig config = unit;
    config.pasid_bits = 12;
    given_unit(&config);
    is_queued(wanted);
}
END_TEST

/* What locates the tables, and the queue: of that no record tells. */
static const uint8_t failing[] = {
    FAULT_ROOT_ACCESS, FAULT_CONTEXT_ACCESS, FAULT_DIRECTORY_ACCESS,
    FAULT_PASID_ENTRY_ACCESS, FAULT_NONE,
};

/* Whatever access fails, the device is answered, or its request is there. */
START_TEST(a_failing_access_loses_no_device)
{
    DmarPageRequest request = _i & 1 ? without_pasid() : wanted;
    request.last = _i & 2;
    given_machine();
    for (unsigned n = 1; n <= G_N_ELEMENTS(failing); n++) {
        forget_everything();
        fail_access(n);
        if (request.last) {
            is_answered(request, DMAR_PAGE_INVALID);
        } else {
            nothing_is_answered(request);
        }
        ck_assert_uint_eq(m.accesses, n);
        if (failing[n - 1]) {
            recorded_is(&request, failing[n - 1]);
        }
        no_fault_left();
        ck_assert_uint_eq(tail(), 0);
        status_is(0);
    }
    forget_everything();
    fail_access(G_N_ELEMENTS(failing) + 1);
    is_queued(request);
    ck_assert_uint_eq(m.accesses, G_N_ELEMENTS(failing));
    fail_access(0);
}
END_TEST

START_TEST(an_abort_mode_that_is_not_there_is_a_fault)
{
    DmarConfig config = unit;
    config.abort_dma = false;
    given_unit(&config);
    ttm_abort();
    is_answered(wanted, DMAR_PAGE_INVALID);
    recorded_is(&wanted, 0x30);
}
END_TEST

START_TEST(a_unit_that_does_not_translate_refuses)
{
    given_machine();
    command_off(GCMD_TE);
    is_answered(wanted, DMAR_PAGE_INVALID);
    nothing_is_answered(not_the_last());
    no_fault_left();
}
END_TEST

START_TEST(a_unit_without_page_requests_refuses)
{
    DmarConfig config = unit;
    config.page_requests = config.stop_markers = false;
    given_scalable(&config);
    is_answered(wanted, DMAR_PAGE_INVALID);
    no_fault_left();
}
END_TEST

/* ---- Stop markers [VT-d 11.4.3, SMS] --------------------------------------- */

START_TEST(a_stop_marker_is_queued_like_a_request)
{
    given_machine();
    is_queued(stop_marker());
    entry_is(0, FROM_DEV | WITH_PASID, IOVA | IN_GROUP | 4);
}
END_TEST

START_TEST(a_stop_marker_without_room_goes_silently)
{
    given_machine();
    given_full_queue();
    nothing_is_answered(stop_marker());
    status_is(PRS_PPR);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    nothing_is_answered(stop_marker());
}
END_TEST

START_TEST(a_unit_need_not_know_stop_markers)
{
    DmarConfig config = unit;
    config.stop_markers = false;
    given_unit(&config);
    is_queued(wanted);
    is_queued(stop_marker());
}
END_TEST

/* ---- The event [VT-d 7.5] -------------------------------------------------- */

static void set_message(uint64_t addr, uint32_t data)
{
    set_reg32(PEDATA_REG, data);
    set_reg32(PEADDR_REG, (uint32_t)addr);
    set_reg32(PEUADDR_REG, addr >> 32);
}

static void given_event(uint32_t control)
{
    given_machine();
    set_message(MSI_ADDR, MSI_DATA);
    set_reg32(PECTL_REG, control);
}

START_TEST(a_request_sends_a_message)
{
    given_event(0);
    is_queued(not_the_last());
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(reg32(PECTL_REG), 0);
}
END_TEST

START_TEST(every_bit_of_a_message_is_sent)
{
    given_event(0);
    for (unsigned bit = 0; bit < 64; bit++) {
        set_message(BIT_AT(bit), 1u << bit % 16);
        is_queued(not_the_last());
        message_sent(BIT_AT(bit) & ~3ull, 1u << bit % 16);
        set_reg32(PRS_REG, PRS_PPR);
    }
}
END_TEST

START_TEST(while_requests_are_pending_no_message_is_sent)
{
    given_event(0);
    is_queued(wanted);
    message_sent(MSI_ADDR, MSI_DATA);
    is_queued(wanted);
    no_message_left();
    set_reg32(PRS_REG, PRS_PPR);
    is_queued(wanted);
    message_sent(MSI_ADDR, MSI_DATA);
}
END_TEST

START_TEST(an_overflow_sends_a_message_if_nothing_is_pending)
{
    given_event(0);
    given_full_queue();
    message_sent(MSI_ADDR, MSI_DATA);
    if (_i) {
        set_reg32(PRS_REG, PRS_PPR);
    }
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    if (_i) {
        message_sent(MSI_ADDR, MSI_DATA);
    }
    no_message_left();
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    no_message_left();
}
END_TEST

START_TEST(a_masked_event_is_pending)
{
    given_event(EVENT_CTL_IM);
    is_queued(wanted);
    ck_assert_uint_eq(reg32(PECTL_REG), EVENT_CTL_IM | EVENT_CTL_IP);
    no_message_left();
    set_reg32(PECTL_REG, 0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(reg32(PECTL_REG), 0);
}
END_TEST

START_TEST(an_event_that_was_served_is_pending_no_more)
{
    given_event(EVENT_CTL_IM);
    given_full_queue();
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    set_reg32(PRS_REG, _i ? PRS_PRO : PRS_PPR);
    ck_assert(reg32(PECTL_REG) & EVENT_CTL_IP);
    set_reg32(PRS_REG, _i ? PRS_PPR : PRS_PRO);
    ck_assert(!(reg32(PECTL_REG) & EVENT_CTL_IP));
    set_reg32(PECTL_REG, 0);
    no_message_left();
}
END_TEST

START_TEST(a_request_that_faults_is_no_page_request_event)
{
    given_event(0);
    entry_absent();
    is_answered(wanted, DMAR_PAGE_INVALID);
    no_message_left();
    recorded_is(&wanted, 0x59);
}
END_TEST

/* ---- What the host is told ------------------------------------------------- */

START_TEST(steps_are_reported)
{
    const DmarEvent *request = &m.last_event[DMAR_EVENT_PAGE_REQUEST];
    const DmarEvent *response = &m.last_event[DMAR_EVENT_PAGE_RESPONSE];
    given_machine();
    is_queued(wanted);
    ck_assert_uint_eq(m.events[DMAR_EVENT_PAGE_REQUEST], 1);
    ck_assert_uint_eq(request->pasid, PASID);
    ck_assert_uint_eq(request->addr, IOVA);
    ck_assert_uint_eq(request->value, IOVA | IN_GROUP | 7);
    ck_assert_uint_eq(request->detail, 1);
    execute(page_response(DEV, PASID, GROUP, DMAR_PAGE_INVALID));
    ck_assert_uint_eq(m.events[DMAR_EVENT_PAGE_RESPONSE], 1);
    ck_assert_uint_eq(response->source_id, DEV);
    ck_assert_uint_eq(response->value, GROUP);
    ck_assert_uint_eq(response->detail, DMAR_PAGE_INVALID);
    m.page_responses = 0;
    entry_absent();
    execute(pasid_cache_global());
    is_answered(wanted, DMAR_PAGE_INVALID);
    ck_assert_uint_eq(request->detail, 0);
    recorded_is(&wanted, 0x59);
}
END_TEST

/* ---- Counters [VT-d 10.7] -------------------------------------------------- */

/* Counter @n counts one event of group 1. */
static void counting(unsigned n, uint64_t event)
{
    set_reg(PERFCNTRCFG_REG(n), 1ull << 8 | event << 32);
    set_reg32(ECMD_REG + 4, n >> 16);
    set_reg32(ECMD_REG, ECMD_ENABLE_COUNTER | n << 16);
}

START_TEST(requests_and_their_overflow_are_counted)
{
    DmarConfig config = unit;
    config.perf_counters = 2;
    given_unit(&config);
    counting(0, 1 << 6);
    counting(1, 1 << 7);
    given_full_queue();
    ck_assert_uint_eq(reg(PERFCNTR_REG(0)), ENTRIES - 1);
    ck_assert_uint_eq(reg(PERFCNTR_REG(1)), 0);
    nothing_is_answered(not_the_last());
    nothing_is_answered(stop_marker());
    ck_assert_uint_eq(reg(PERFCNTR_REG(1)), 0);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    is_answered(wanted, DMAR_PAGE_SUCCESS);
    ck_assert_uint_eq(reg(PERFCNTR_REG(0)), ENTRIES - 1);
    ck_assert_uint_eq(reg(PERFCNTR_REG(1)), 2);
}
END_TEST

/* ---- Registers [VT-d 11.4.11] ---------------------------------------------- */

static const struct {
    unsigned offset;
    uint64_t reset, writable;
} rows[] = {
    { PQH_REG, 0, 0x7ffe0 },
    { PQT_REG, 0, 0x7ffe0 },
    { PQA_REG, 0, 0xfffffffffffff007 },
    { PRS_REG, 0, 0 },
    { PECTL_REG, 0x80000000, 0x80000000 },
    { PEDATA_REG, 0, 0xffff },
    { PEADDR_REG, 0, 0xfffffffc },
    { PEUADDR_REG, 0, 0xffffffff },
};

static void set_all(unsigned offset, uint64_t value)
{
    set_reg32(offset, value);
    if (offset < PRS_REG) {
        set_reg32(offset + 4, value >> 32);
    }
}

static uint64_t all_of(unsigned offset)
{
    return offset < PRS_REG ? reg(offset) : reg32(offset);
}

START_TEST(registers_keep_what_software_may_write)
{
    power_on(&unit);
    ck_assert_uint_eq(all_of(rows[_i].offset), rows[_i].reset);
    set_all(rows[_i].offset, ~0ull);
    ck_assert_uint_eq(all_of(rows[_i].offset), rows[_i].writable);
    set_all(rows[_i].offset, 0);
    ck_assert_uint_eq(all_of(rows[_i].offset), 0);
}
END_TEST

START_TEST(a_unit_without_page_requests_has_none_of_the_registers)
{
    DmarConfig config = unit;
    config.page_requests = config.stop_markers = false;
    power_on(&config);
    set_all(rows[_i].offset, ~0ull);
    ck_assert_uint_eq(all_of(rows[_i].offset), 0);
}
END_TEST

static Suite *page_requests(void)
{
    Suite *s = suite_create("page_requests");
    TCase *t = tests_of(s, "descriptor");
    tcase_add_test(t, a_request_is_written_to_the_queue);
    tcase_add_test(t, a_request_without_pasid_says_so);
    tcase_add_test(t, only_the_page_of_the_address_is_written);
    tcase_add_loop_test(t, a_request_says_what_it_wants, 0,
                        G_N_ELEMENTS(kinds));
    tcase_add_loop_test(t, attributes_of_a_pasid_need_one, 0,
                        G_N_ELEMENTS(kinds));
    tcase_add_test(t, nothing_needs_to_be_mapped_for_a_request);

    t = tests_of(s, "queue");
    tcase_add_test(t, the_queue_takes_all_entries_but_one);
    tcase_add_test(t, the_queue_wraps);
    tcase_add_loop_test(t, a_queue_is_as_large_as_it_says, 0, 8);
    tcase_add_test(t, software_that_reads_makes_room);
    tcase_add_test(t, pointers_beyond_the_queue_wrap);
    tcase_add_test(t, a_queue_without_memory_takes_nothing);
    tcase_add_loop_test(t, full_the_queue_overflows, 0, 2);
    tcase_add_test(t, overflowed_nothing_is_queued_though_there_is_room);
    tcase_add_test(t, the_queue_goes_on_when_software_clears_the_overflow);
    tcase_add_test(t, an_overflow_is_no_fault);

    t = tests_of(s, "faults");
    tcase_add_loop_test(t, a_table_fault_is_recorded_and_answered_invalid, 0,
                        G_N_ELEMENTS(faults));
    tcase_add_loop_test(t, a_table_fault_is_recorded_and_not_answered, 0,
                        G_N_ELEMENTS(faults));
    tcase_add_loop_test(t, a_table_fault_may_be_hidden, 0,
                        G_N_ELEMENTS(faults));
    tcase_add_loop_test(t, a_stop_marker_goes_silently_where_tables_fault, 0,
                        G_N_ELEMENTS(faults));
    tcase_add_test(t, the_privilege_that_was_wanted_is_recorded);
    tcase_add_loop_test(t, a_request_to_read_or_to_write_is_no_stop_marker, 0,
                        2);
    tcase_add_test(t, without_pasid_the_entry_of_rid_pasid_counts);
    tcase_add_test(t, a_fault_is_one_in_an_overflowed_queue_as_well);
    tcase_add_test(t, an_entry_that_was_refused_is_read_again);
    tcase_add_test(t, a_wide_pasid_is_no_fault_of_its_own);
    tcase_add_loop_test(t, a_failing_access_loses_no_device, 0, 4);
    tcase_add_test(t, an_abort_mode_that_is_not_there_is_a_fault);
    tcase_add_test(t, a_unit_that_does_not_translate_refuses);
    tcase_add_test(t, a_unit_without_page_requests_refuses);

    t = tests_of(s, "stop markers");
    tcase_add_test(t, a_stop_marker_is_queued_like_a_request);
    tcase_add_test(t, a_stop_marker_without_room_goes_silently);
    tcase_add_test(t, a_unit_need_not_know_stop_markers);

    t = tests_of(s, "event");
    tcase_add_test(t, a_request_sends_a_message);
    tcase_add_test(t, every_bit_of_a_message_is_sent);
    tcase_add_test(t, while_requests_are_pending_no_message_is_sent);
    tcase_add_loop_test(t, an_overflow_sends_a_message_if_nothing_is_pending, 0,
                        2);
    tcase_add_test(t, a_masked_event_is_pending);
    tcase_add_loop_test(t, an_event_that_was_served_is_pending_no_more, 0, 2);
    tcase_add_test(t, a_request_that_faults_is_no_page_request_event);

    t = tests_of(s, "steps and counters");
    tcase_add_test(t, steps_are_reported);
    tcase_add_test(t, requests_and_their_overflow_are_counted);

    t = tests_of(s, "registers");
    tcase_add_loop_test(t, registers_keep_what_software_may_write, 0,
                        G_N_ELEMENTS(rows));
    tcase_add_loop_test(t,
                        a_unit_without_page_requests_has_none_of_the_registers,
                        0, G_N_ELEMENTS(rows));
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(page_requests(), argc, argv);
}
