/*
 * The invalidation queue as a queue [VT-d 6.5.2, 11.4.9]: fetching, wrapping,
 * wait descriptors, which descriptors are valid, errors and resumption.  What
 * the descriptors invalidate is the invalidation suite's subject.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0608
#define MSI_ADDR    0x5fee01000ull
#define MSI_DATA    0x0052

static void given_wide(void)
{
    given_scalable(&widest);
}

static void set_message(uint64_t addr, uint32_t data)
{
    set_reg32(IEDATA_REG, data);
    set_reg32(IEADDR_REG, (uint32_t)addr);
    set_reg32(IEUADDR_REG, addr >> 32);
}

static void given_completion_event(void)
{
    set_message(MSI_ADDR, MSI_DATA);
    set_reg32(IECTL_REG, 0);
}

static void clear_completion(void)
{
    set_reg32(ICS_REG, ICS_IWC);
}

/* ---- Fetching ---------------------------------------------------------------- */

START_TEST(descriptors_are_executed_in_order)
{
    uint64_t status = 0;
    given_wide();
    status = new_page();
    for (unsigned i = 1; i <= 20; i++) {
        execute(wait_status(status, i));
        ck_assert_uint_eq(peek32(status), i);
    }
}
END_TEST

START_TEST(several_descriptors_may_wait_for_one_doorbell)
{
    given_wide();
    uint64_t status = new_page(), tail = reg(IQT_REG) >> 5;
    for (unsigned i = 0; i < 10; i++) {
        write_descriptor(tail + i, wait_status(status + 4 * i, i + 1));
    }
    ck_assert_uint_eq(peek32(status), 0);
    set_reg(IQT_REG, (tail + 10) << 5);
    executed();
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(peek32(status + 4 * i), i + 1);
    }
}
END_TEST

START_TEST(the_tail_may_be_written_as_a_dword)
{
    given_wide();
    uint64_t status = new_page(), tail = reg(IQT_REG) >> 5;
    write_descriptor(tail, wait_status(status, 7));
    set_reg32(IQT_REG, (tail + 1) << 5);
    executed();
    ck_assert_uint_eq(peek32(status), 7);
}
END_TEST

/* A queue of 2^order pages. */
static void given_queue_of(unsigned order, unsigned descriptor_size)
{
    power_on(&widest);
    m.queue = new_pages(1u << order);
    m.descriptor_size = descriptor_size;
    m.queue_entries = (PAGE << order) / descriptor_size;
    set_reg(IQA_REG, m.queue | (descriptor_size == 32 ? IQA_DW : 0) | order);
    command(GCMD_QIE);
}

START_TEST(a_queue_of_any_size_wraps_around)
{
    given_queue_of(_i / 2, _i % 2 ? 32 : 16);
    uint64_t status = new_page();
    for (unsigned i = 1; i <= 2 * m.queue_entries + 3; i++) {
        submit(wait_status(status, i));
    }
    executed();
    ck_assert_uint_eq(peek32(status), 2 * m.queue_entries + 3);
}
END_TEST

START_TEST(a_doorbell_across_the_end_runs_to_the_tail)
{
    given_wide();
    uint64_t status = new_page();
    while (reg(IQT_REG) >> 5 != m.queue_entries - 2) {
        submit(wait_fence());
    }
    for (unsigned i = 0; i < 4; i++) {
        write_descriptor((m.queue_entries - 2 + i) % m.queue_entries,
                         wait_status(status + 4 * i, 1));
    }
    set_reg(IQT_REG, 2 << 5);
    executed();
    ck_assert_uint_eq(peek(status) & peek(status + 8), 0x100000001ull);
}
END_TEST

START_TEST(nothing_is_fetched_while_the_queue_is_disabled)
{
    power_on(&widest);
    uint64_t status = new_page();
    m.queue = new_page();
    m.descriptor_size = 32;
    write_descriptor(0, wait_status(status, 1));
    set_reg(IQA_REG, m.queue | IQA_DW);
    set_reg(IQT_REG, 1 << 5);
    ck_assert_uint_eq(peek32(status), 0);
    ck_assert_uint_eq(reg(IQH_REG), 0);
}
END_TEST

START_TEST(disabling_resets_the_head)
{
    given_wide();
    ck_assert_uint_ne(reg(IQH_REG), 0);
    command_off(GCMD_QIE);
    ck_assert_uint_eq(reg(IQH_REG), 0);
    set_reg(IQT_REG, 0);
    command(GCMD_QIE);
    uint64_t status = new_page();
    execute(wait_status(status, 3));
    ck_assert_uint_eq(peek32(status), 3);
}
END_TEST

START_TEST(the_head_is_software_s_to_read_only)
{
    given_wide();
    uint64_t head = reg(IQH_REG);
    set_reg(IQH_REG, 0x40);
    ck_assert_uint_eq(reg(IQH_REG), head);
}
END_TEST

START_TEST(executed_descriptors_are_counted_by_type)
{
    uint64_t before[DMAR_DESCRIPTOR_TYPES], after[DMAR_DESCRIPTOR_TYPES];
    given_wide();
    dmar_descriptor_counts(m.dmar, before);
    execute(pasid_cache_global());
    execute(wait_fence());
    execute(wait_fence());
    dmar_descriptor_counts(m.dmar, after);
    ck_assert_uint_eq(after[7], before[7] + 1);
    ck_assert_uint_eq(after[5], before[5] + 2);
    ck_assert_uint_eq(after[1], before[1]);
}
END_TEST

/* ---- Waiting [VT-d 6.5.2.9, 6.5.2.10] ------------------------------------ */

START_TEST(a_status_write_is_one_dword)
{
    given_wide();
    uint64_t status = new_page();
    poke(status, ~0ull);
    poke(status + 8, ~0ull);
    execute(wait_status(status + 4, 0x12345678));
    ck_assert_uint_eq(peek(status), 0x12345678ffffffffull);
    ck_assert_uint_eq(peek(status + 8), ~0ull);
}
END_TEST

START_TEST(a_status_write_where_nothing_answers_does_no_harm)
{
    given_wide();
    execute(wait_status(NOWHERE, 1));       /* nothing could tell of it */
    uint64_t status = new_page();
    execute(wait_status(status, 2));
    ck_assert_uint_eq(peek32(status), 2);
}
END_TEST

START_TEST(a_completion_interrupt_is_sent_once_until_acknowledged)
{
    given_wide();
    given_completion_event();
    execute(wait_interrupt());
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(reg32(ICS_REG), ICS_IWC);
    execute(wait_interrupt());
    no_message_left();
    clear_completion();
    ck_assert_uint_eq(reg32(ICS_REG), 0);
    execute(wait_interrupt());
    message_sent(MSI_ADDR, MSI_DATA);
    clear_completion();
}
END_TEST

START_TEST(every_bit_of_a_completion_message_is_sent)
{
    given_wide();
    given_completion_event();
    for (unsigned bit = 0; bit < 64; bit++) {
        set_message(BIT_AT(bit), 1u << bit % 16);
        execute(wait_interrupt());
        message_sent(BIT_AT(bit) & ~3ull, 1u << bit % 16);
        clear_completion();
    }
}
END_TEST

START_TEST(a_message_is_reported_and_is_nobody_s)
{
    const DmarEvent *event = &m.last_event[DMAR_EVENT_MSI];
    given_wide();
    given_completion_event();
    execute(wait_interrupt());
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert_uint_eq(m.events[DMAR_EVENT_MSI], 1);
    ck_assert_uint_eq(event->addr, MSI_ADDR);
    ck_assert_uint_eq(event->value, MSI_DATA);
    ck_assert_uint_eq(event->pasid, NO_PASID);
    clear_completion();
}
END_TEST

START_TEST(a_masked_completion_interrupt_waits)
{
    given_wide();
    given_completion_event();
    set_reg32(IECTL_REG, EVENT_CTL_IM);
    execute(wait_interrupt());
    no_message_left();
    ck_assert(reg32(IECTL_REG) & EVENT_CTL_IP);
    set_reg32(IECTL_REG, 0);
    message_sent(MSI_ADDR, MSI_DATA);
    ck_assert(!(reg32(IECTL_REG) & EVENT_CTL_IP));
    clear_completion();
}
END_TEST

START_TEST(acknowledging_takes_back_a_masked_interrupt)
{
    given_wide();
    given_completion_event();
    set_reg32(IECTL_REG, EVENT_CTL_IM);
    execute(wait_interrupt());
    clear_completion();
    ck_assert(!(reg32(IECTL_REG) & EVENT_CTL_IP));
    set_reg32(IECTL_REG, 0);
    no_message_left();
}
END_TEST

START_TEST(a_wait_may_both_write_and_interrupt)
{
    given_wide();
    given_completion_event();
    uint64_t status = new_page();
    Descriptor d = wait_status(status, 9);
    d.word[0] |= BIT_AT(4) | BIT_AT(6);
    execute(d);
    ck_assert_uint_eq(peek32(status), 9);
    message_sent(MSI_ADDR, MSI_DATA);
    clear_completion();
}
END_TEST

START_TEST(a_wait_that_is_not_asked_to_write_does_not)
{
    given_wide();
    uint64_t status = new_page();
    execute((Descriptor) {{ 5 | 1 << 6 | 7ull << 32, status }});
    ck_assert_uint_eq(peek(status), 0);
}
END_TEST

START_TEST(a_fence_alone_is_legal)
{
    given_wide();
    execute(wait_fence());
    no_message_left();
    ck_assert_uint_eq(reg32(ICS_REG), 0);
}
END_TEST

/* ---- Which descriptors are valid ---------------------------------------------------- */

typedef struct Range {
    unsigned first, last;
} Range;

/* A valid descriptor of every type and the bits of it that are not reserved. */
static const struct {
    const char *name;
    Descriptor valid;
    Range fields[8];
} types[] = {
    { "cc", {{ 1 | 3 << 4 }}, { { 16, 31 }, { 32, 49 } } },
    { "iotlb", {{ 2 | 3 << 4 }}, { { 6, 7 }, { 16, 31 }, { 64, 70 }, { 76, 127 } } },
    { "dev_tlb", {{ 3 }}, { { 16, 20 }, { 32, 47 }, { 64, 64 }, { 76, 127 } } },
    { "iec", {{ 4 | 1 << 4 }}, { { 27, 31 }, { 32, 47 } } },
    { "wait", {{ 5 | 1 << 6 }}, { { 4, 7 }, { 32, 63 }, { 66, 127 } } },
    { "p_iotlb", {{ 6 | 3 << 4 }}, { { 16, 31 }, { 32, 51 }, { 64, 70 },
                                     { 76, 127 } } },
    { "pc", {{ 7 | 1 << 4 }}, { { 16, 31 }, { 32, 51 } } },
    { "p_dev_tlb", {{ 8 }}, { { 4, 8 }, { 16, 31 }, { 32, 51 }, { 64, 64 },
                              { 75, 75 }, { 76, 127 } } },
};

/* Type and granularity have tests of their own. */
static bool says_what(unsigned bit, unsigned type)
{
    bool granularity = (bit == 4 || bit == 5) && type != 3 && type != 5 &&
        type != 8 && !(type == 4 && bit == 5);
    return bit <= 3 || (bit >= 9 && bit <= 11) || granularity;
}

static bool is_field(unsigned bit, const Range *fields)
{
    for (unsigned i = 0; i < 8 && fields[i].last; i++) {
        if (bit >= fields[i].first && bit <= fields[i].last) {
            return true;
        }
    }
    return false;
}

/* Masks above the largest supported have a test of their own. */
static bool is_mask_bit(unsigned bit, unsigned type)
{
    return (type == 2 && bit == 69) || (type == 4 && bit == 31);
}

static void sweep_descriptor(unsigned which)
{
    unsigned type = types[which].valid.word[0] & 0xf;
    for (unsigned bit = 0; bit < m.descriptor_size * 8; bit++) {
        Descriptor d = types[which].valid;
        d.word[bit / 64] ^= BIT_AT(bit % 64);
        if (says_what(bit, type) || is_mask_bit(bit, type)) {
            continue;
        }
        submit(d);
        if (!is_field(bit, types[which].fields)) {
            queue_stops_with(IQEI_RESERVED);
        }
        executed();
        m.device_tlbs = 0;
        set_reg32(ICS_REG, ICS_IWC);
    }
}

START_TEST(every_reserved_bit_of_a_descriptor_is_checked)
{
    given_wide();
    sweep_descriptor(_i);
}
END_TEST

START_TEST(every_reserved_bit_of_a_narrow_descriptor_is_checked)
{
    given_legacy(&widest);
    sweep_descriptor(_i);
}
END_TEST

START_TEST(unknown_types_stop_the_queue)
{
    given_wide();
    for (unsigned type = 0; type < 128; type++) {
        if (type >= 1 && type <= 9) {
            continue;
        }
        submit((Descriptor) {{ (type & 0xf) | (uint64_t)(type >> 4) << 9 }});
        queue_stops_with(IQEI_TYPE);
    }
}
END_TEST

START_TEST(pasid_descriptors_need_a_wide_queue)
{
    given_legacy(&widest);
    submit((Descriptor) {{ types[_i].valid.word[0] }});
    queue_stops_with(IQEI_TYPE);
}
END_TEST

static void queue_stops(void)
{
    unsigned iqei = field_get(reg(IQERCD_REG), IQERCD_IQEI);
    ck_assert_msg(iqei == IQEI_TYPE || iqei == IQEI_RESERVED, "IQEI %u", iqei);
    queue_stops_with(iqei);
}

START_TEST(reserved_granularities_stop_the_queue)
{
    static const uint64_t bad[] = {
        1 | 0 << 4, 2 | 0 << 4, 6 | 0 << 4, 6 | 1 << 4, 7 | 2 << 4,
    };
    given_wide();
    submit((Descriptor) {{ bad[_i] }});
    queue_stops();
}
END_TEST

START_TEST(a_page_mask_above_mamv_stops_the_queue)
{
    given_wide();
    unsigned mamv = field_get(reg(CAP_REG), CAP_MAMV);
    execute(iotlb_page(1, 0, mamv, ONLY_LEAVES));
    submit(iotlb_page(1, 0, mamv + 1, ONLY_LEAVES));
    queue_stops();
    execute(p_iotlb_page(1, 2, 0, mamv + 1, ONLY_LEAVES));  /* has no limit */
}
END_TEST

START_TEST(an_index_mask_above_mhmv_stops_the_queue)
{
    given_wide();
    unsigned mhmv = field_get(reg(ECAP_REG), ECAP_MHMV);
    execute(interrupt_index(0, mhmv));
    if (mhmv < 16) {
        submit(interrupt_index(0, mhmv + 1));
        queue_stops();
    }
}
END_TEST

START_TEST(descriptors_need_their_ability)
{
    static const uint64_t needs[] = { 3, 8, 4 };
    given_scalable(&plain);
    submit((Descriptor) {{ needs[_i] }});
    queue_stops();
}
END_TEST

/* ---- Errors [VT-d 6.5.2.11, 11.4.9.1] ------------------------------------ */

START_TEST(a_bad_descriptor_stops_the_queue_where_it_is)
{
    given_wide();
    uint64_t status = new_page(), bad = reg(IQT_REG);
    submit((Descriptor) {{ 0 }});
    ck_assert_uint_eq(reg(IQH_REG), bad);
    submit(wait_status(status, 1));                 /* is not fetched */
    ck_assert_uint_eq(reg(IQH_REG), bad);
    ck_assert_uint_eq(peek32(status), 0);
    queue_stops_with(IQEI_TYPE);                    /* repairs and clears */
    executed();
    ck_assert_uint_eq(peek32(status), 1);
}
END_TEST

START_TEST(an_error_that_is_not_repaired_comes_back)
{
    given_wide();
    submit((Descriptor) {{ 0 }});
    set_reg32(FSTS_REG, FSTS_IQE);
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    queue_stops_with(IQEI_TYPE);
    executed();
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_fetched_stops_the_queue)
{
    given_wide();
    uint64_t status = new_page();
    fail_access(1);
    submit(wait_status(status, 1));
    fail_access(0);
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_FETCH);
    ck_assert_uint_eq(peek32(status), 0);
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
    ck_assert_uint_eq(peek32(status), 1);
}
END_TEST

START_TEST(a_queue_where_nothing_answers_stops)
{
    power_on(&widest);
    set_reg(IQA_REG, NOWHERE | IQA_DW);
    command(GCMD_QIE);
    set_reg(IQT_REG, 1 << 5);
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_FETCH);
    command_off(GCMD_QIE);
    set_reg32(FSTS_REG, FSTS_IQE);
    ck_assert(!(reg32(FSTS_REG) & FSTS_IQE));
}
END_TEST

START_TEST(a_tail_beyond_the_queue_stops_it)
{
    given_wide();
    uint64_t old = reg(IQT_REG);
    set_reg(IQT_REG, PAGE);
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_TAIL);
    set_reg(IQT_REG, old);
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
}
END_TEST

START_TEST(a_tail_inside_a_wide_descriptor_stops_the_queue)
{
    given_wide();
    uint64_t old = reg(IQT_REG);
    set_reg(IQT_REG, old | 0x10);
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_TAIL_ALIGN);
    set_reg(IQT_REG, old);
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
}
END_TEST

START_TEST(scalable_mode_needs_wide_descriptors)
{
    power_on(&widest);
    set_root(new_page(), TTM_SCALABLE);
    given_queue(16);
    submit(wait_fence());
    queue_stops_with(IQEI_WIDTH);
    /* queue_stops_with() cleared it, and it came back for the same reason. */
    set_root(m.root, TTM_LEGACY);
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
}
END_TEST

START_TEST(wide_descriptors_need_scalable_mode_support)
{
    DmarConfig config = plain;
    config.scalable = false;
    config.pasid_bits = 0;
    power_on(&config);
    given_queue(32);
    submit(wait_fence());
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_WIDTH);
    command_off(GCMD_QIE);
    set_reg32(FSTS_REG, FSTS_IQE);
}
END_TEST

START_TEST(a_reserved_table_mode_stops_the_queue)
{
    given_wide();
    set_root(m.root, 2);
    submit(wait_fence());
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), IQEI_TTM);
    set_root(m.root, TTM_SCALABLE);
    set_reg32(FSTS_REG, FSTS_IQE);
    executed();
}
END_TEST

START_TEST(legacy_mode_has_no_pasid_descriptors_in_a_wide_queue)
{
    power_on(&widest);
    given_queue(32);
    set_root(new_page(), TTM_LEGACY);
    execute(context_global());
    execute(iotlb_global());
    submit((Descriptor) {{ types[_i].valid.word[0] }});
    queue_stops_with(IQEI_TYPE);
}
END_TEST

/* ---- Device TLBs [VT-d 6.5.2.5, 6.5.2.6] --------------------------------- */

static const DmarDeviceTlbInvalidation *told(void)
{
    ck_assert_uint_eq(m.device_tlbs, 1);
    m.device_tlbs = 0;
    return &m.device_tlb[0];
}

START_TEST(a_device_tlb_is_told_one_page)
{
    given_wide();
    execute(device_tlb(DEV, 0x12345000, false));
    const DmarDeviceTlbInvalidation *what = told();
    ck_assert_uint_eq(what->source_id, DEV);
    ck_assert_uint_eq(what->pasid, DMAR_NO_PASID);
    ck_assert(!what->every_pasid);
    ck_assert_uint_eq(what->addr, 0x12345000);
    ck_assert_uint_eq(what->size, PAGE);
}
END_TEST

START_TEST(a_device_tlb_is_told_a_range_by_its_lowest_clear_bit)
{
    given_wide();
    uint64_t size = PAGE << _i, addr = 0x7000000000000 & -size;
    execute(device_tlb(DEV, addr | (size / 2 - PAGE), true));
    const DmarDeviceTlbInvalidation *what = told();
    ck_assert_uint_eq(what->size, size);
    ck_assert_uint_eq(what->addr, addr);
}
END_TEST

START_TEST(a_device_tlb_is_told_to_forget_everything)
{
    given_wide();
    const uint64_t everything[] = { 0x7ffffffffffff000, 0xfffffffffffff000 };
    for (unsigned i = 0; i < 2; i++) {
        execute(device_tlb(DEV, everything[i], true));
        const DmarDeviceTlbInvalidation *what = told();
        ck_assert_uint_eq(what->size, 0);
        ck_assert_uint_eq(what->addr, 0);
    }
}
END_TEST

START_TEST(a_device_tlb_is_told_the_pasid)
{
    given_wide();
    execute(p_device_tlb(DEV, 0xabcde, 0x4000, false));
    const DmarDeviceTlbInvalidation *what = told();
    ck_assert_uint_eq(what->source_id, DEV);
    ck_assert_uint_eq(what->pasid, 0xabcde);
    ck_assert_uint_eq(what->addr, 0x4000);
    ck_assert_uint_eq(what->size, PAGE);
    ck_assert(!what->every_pasid);
    execute(p_device_tlb(DEV, 0xabcde, 0x7ffffffffffff000, true));
    ck_assert_uint_eq(told()->size, 0);
    Descriptor d = p_device_tlb(DEV, 0xabcde, 0x8000 | PAGE, true);
    d.word[1] |= 1;
    execute(d);
    what = told();
    ck_assert(what->every_pasid);
    ck_assert_uint_eq(what->size, 4 * PAGE);
    ck_assert_uint_eq(what->addr, 0x8000);
}
END_TEST

static Suite *queue(void)
{
    Suite *s = suite_create("queue");
    TCase *t = tests_of(s, "fetching");
    tcase_add_test(t, descriptors_are_executed_in_order);
    tcase_add_test(t, several_descriptors_may_wait_for_one_doorbell);
    tcase_add_test(t, the_tail_may_be_written_as_a_dword);
    tcase_add_loop_test(t, a_queue_of_any_size_wraps_around, 0, 8);
    tcase_add_test(t, a_doorbell_across_the_end_runs_to_the_tail);
    tcase_add_test(t, nothing_is_fetched_while_the_queue_is_disabled);
    tcase_add_test(t, disabling_resets_the_head);
    tcase_add_test(t, the_head_is_software_s_to_read_only);
    tcase_add_test(t, executed_descriptors_are_counted_by_type);

    t = tests_of(s, "waiting");
    tcase_add_test(t, a_status_write_is_one_dword);
    tcase_add_test(t, a_status_write_where_nothing_answers_does_no_harm);
    tcase_add_test(t, a_completion_interrupt_is_sent_once_until_acknowledged);
    tcase_add_test(t, every_bit_of_a_completion_message_is_sent);
    tcase_add_test(t, a_message_is_reported_and_is_nobody_s);
    tcase_add_test(t, a_masked_completion_interrupt_waits);
    tcase_add_test(t, acknowledging_takes_back_a_masked_interrupt);
    tcase_add_test(t, a_wait_may_both_write_and_interrupt);
    tcase_add_test(t, a_wait_that_is_not_asked_to_write_does_not);
    tcase_add_test(t, a_fence_alone_is_legal);

    t = tests_of(s, "descriptors");
    tcase_add_loop_test(t, every_reserved_bit_of_a_descriptor_is_checked, 0, 8);
    tcase_add_loop_test(t, every_reserved_bit_of_a_narrow_descriptor_is_checked,
                        0, 5);
    tcase_add_test(t, unknown_types_stop_the_queue);
    tcase_add_loop_test(t, pasid_descriptors_need_a_wide_queue, 5, 8);
    tcase_add_loop_test(t, reserved_granularities_stop_the_queue, 0, 5);
    tcase_add_test(t, a_page_mask_above_mamv_stops_the_queue);
    tcase_add_test(t, an_index_mask_above_mhmv_stops_the_queue);
    tcase_add_loop_test(t, descriptors_need_their_ability, 0, 3);

    t = tests_of(s, "errors");
    tcase_add_test(t, a_bad_descriptor_stops_the_queue_where_it_is);
    tcase_add_test(t, an_error_that_is_not_repaired_comes_back);
    tcase_add_test(t, a_descriptor_that_cannot_be_fetched_stops_the_queue);
    tcase_add_test(t, a_queue_where_nothing_answers_stops);
    tcase_add_test(t, a_tail_beyond_the_queue_stops_it);
    tcase_add_test(t, a_tail_inside_a_wide_descriptor_stops_the_queue);
    tcase_add_test(t, scalable_mode_needs_wide_descriptors);
    tcase_add_test(t, wide_descriptors_need_scalable_mode_support);
    tcase_add_test(t, a_reserved_table_mode_stops_the_queue);
    tcase_add_loop_test(t, legacy_mode_has_no_pasid_descriptors_in_a_wide_queue,
                        5, 8);

    t = tests_of(s, "device TLBs");
    tcase_add_test(t, a_device_tlb_is_told_one_page);
    tcase_add_loop_test(t, a_device_tlb_is_told_a_range_by_its_lowest_clear_bit,
                        1, 52);
    tcase_add_test(t, a_device_tlb_is_told_to_forget_everything);
    tcase_add_test(t, a_device_tlb_is_told_the_pasid);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(queue(), argc, argv);
}
