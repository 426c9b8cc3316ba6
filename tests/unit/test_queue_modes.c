/*
 * Which descriptors a queue takes in each translation table mode and width
 * [VT-d 6.5.2.11, Table 26; 11.4.9.9], and a queue whose shape is changed
 * [VT-d 6.5.2, 11.4.9.1 .. 11.4.9.3].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0608
#define PASID   0x31
#define DOMAIN  0x15
#define IOVA    0x2345000ull
#define OLD     0x11111000ull
#define NEW     0x22222000ull

/* Claim: the queue stands for this reason.  It is switched off, and on again
 * when it is needed next. */
static void stands_with(unsigned iqei)
{
    ck_assert(reg32(FSTS_REG) & FSTS_IQE);
    ck_assert_uint_eq(field_get(reg(IQERCD_REG), IQERCD_IQEI), iqei);
    command_off(GCMD_QIE);
    set_reg32(FSTS_REG, FSTS_IQE);
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
}

/* ---- Modes and widths -------------------------------------------------------- */

/* Abilities, the mode that is set, the width, and what comes of it: 0 that all
 * types are valid, -1 that those of legacy mode are, else why none is. */
static const struct {
    bool scalable, abort_dma;
    unsigned mode, size;
    int verdict;
} modes[] = {
    { true, true, TTM_LEGACY, 16, -1 },
    { true, true, TTM_LEGACY, 32, -1 },
    { true, true, TTM_SCALABLE, 16, IQEI_WIDTH },
    { true, true, TTM_SCALABLE, 32, 0 },
    { true, true, TTM_RESERVED, 16, IQEI_TTM },
    { true, true, TTM_RESERVED, 32, IQEI_TTM },
    { true, true, TTM_ABORT, 16, IQEI_WIDTH },
    { true, true, TTM_ABORT, 32, 0 },
    { true, false, TTM_ABORT, 16, IQEI_TTM },
    { true, false, TTM_ABORT, 32, IQEI_TTM },
    { true, false, TTM_LEGACY, 32, -1 },
    { false, true, TTM_LEGACY, 16, -1 },
    { false, true, TTM_LEGACY, 32, -1 },
    { false, true, TTM_SCALABLE, 16, IQEI_TTM },
    { false, true, TTM_SCALABLE, 32, IQEI_TTM },
    { false, true, TTM_ABORT, 16, IQEI_WIDTH },
    { false, true, TTM_ABORT, 32, 0 },
    { false, false, TTM_LEGACY, 16, -1 },
    { false, false, TTM_LEGACY, 32, IQEI_WIDTH },
    { false, false, TTM_SCALABLE, 16, IQEI_TTM },
    { false, false, TTM_ABORT, 16, IQEI_TTM },
};

static void given_mode(unsigned i)
{
    DmarConfig config = plain;
    config.scalable = modes[i].scalable;
    config.abort_dma = modes[i].abort_dma;
    config.device_tlb = config.interrupt_remapping = true;
    config.pasid_bits = config.scalable ? config.pasid_bits : 0;
    power_on(&config);
    set_root(new_page(), modes[i].mode);
    given_queue(modes[i].size);
}

START_TEST(each_mode_and_width_has_its_types)
{
    const uint64_t valid[] = {
        1 | 1 << 4, 2 | 1 << 4, 3, 4, 5 | 1 << 6, 6 | 2 << 4, 7 | 3 << 4, 8,
    };
    given_mode(_i);
    for (unsigned type = 1; type <= G_N_ELEMENTS(valid); type++) {
        bool takes_it = type <= 5 || modes[_i].verdict == 0;
        submit((Descriptor) {{ valid[type - 1] }});
        if (modes[_i].verdict > 0) {
            stands_with(modes[_i].verdict);
            given_queue(modes[_i].size);
        } else if (takes_it) {
            executed();
        } else {
            queue_stops_with(IQEI_TYPE);
        }
    }
}
END_TEST

START_TEST(a_mode_is_that_of_the_last_srtp)
{
    given_scalable(&widest);
    set_reg(RTADDR_REG, m.root | (uint64_t)TTM_RESERVED << 10);
    execute(wait_fence());
    command(GCMD_SRTP);
    submit(wait_fence());
    stands_with(IQEI_TTM);
}
END_TEST

/* ---- PFSID [VT-d 6.5.2.5, 6.5.2.6] --------------------------------------- */

START_TEST(the_physical_function_is_named_with_throttling_only)
{
    DmarConfig config = widest;
    config.device_tlb_throttle = _i & 1;
    given_scalable(&config);
    for (unsigned bit = 12; bit < 64; bit++) {
        Descriptor d = _i & 2 ? p_device_tlb(DEV, PASID, 0, false)
                              : device_tlb(DEV, 0, false);
        if (bit >= 16 && bit < 52) {
            continue;
        }
        d.word[0] |= BIT_AT(bit);
        submit(d);
        if (!config.device_tlb_throttle) {
            queue_stops_with(IQEI_RESERVED);
        }
        executed();
        ck_assert_uint_eq(m.device_tlbs, config.device_tlb_throttle);
        m.device_tlbs = 0;
    }
}
END_TEST

START_TEST(a_pasid_based_device_tlb_invalidation_needs_device_tlbs_only)
{
    DmarConfig config = plain;
    config.device_tlb = true;
    config.pasid_bits = 0;
    given_scalable(&config);
    execute(p_device_tlb(DEV, PASID, 0, false));
    ck_assert_uint_eq(m.device_tlbs, 1);
}
END_TEST

START_TEST(a_descriptor_that_was_refused_is_not_counted)
{
    static const uint64_t bad[] = { 2, 6, 1 | 1ull << 63 };
    uint64_t before[DMAR_DESCRIPTOR_TYPES], after[DMAR_DESCRIPTOR_TYPES];
    unsigned type = bad[_i] & 0xf;
    given_scalable(&widest);
    dmar_descriptor_counts(m.dmar, before);
    submit((Descriptor) {{ bad[_i] }});
    dmar_descriptor_counts(m.dmar, after);
    ck_assert_uint_eq(after[type], before[type]);
    queue_stops_with(field_get(reg(IQERCD_REG), IQERCD_IQEI));
}
END_TEST

/* ---- Status addresses and data ----------------------------------------------- */

START_TEST(bits_of_a_status_address_beyond_the_host_s_width_are_ignored)
{
    given_scalable(&widest);
    uint64_t status = new_page();
    for (unsigned bit = m.config.host_width; bit < 64; bit++) {
        execute(wait_status(status | BIT_AT(bit), bit));
        ck_assert_uint_eq(peek32(status), bit);
    }
}
END_TEST

/* ---- The shape of the queue --------------------------------------------------- */

static void set_queue(uint64_t base, unsigned order, unsigned size)
{
    m.queue = base;
    m.descriptor_size = size;
    m.queue_entries = (PAGE << order) / size;
    set_reg(IQA_REG, base | (size == 32 ? IQA_DW : 0) | order);
}

static void given_queue_of(unsigned order, unsigned size)
{
    power_on(&widest);
    set_queue(new_pages(1u << order), order, size);
    command(GCMD_QIE);
}

static void run(unsigned descriptors)
{
    while (descriptors--) {
        execute(wait_fence());
    }
}

START_TEST(a_queue_that_grows_wraps_where_it_ends_now)
{
    given_queue_of(0, 32);
    run(100);
    set_queue(new_pages(2), 1, 32);
    run(m.queue_entries - 101);
    ck_assert_uint_eq(reg(IQH_REG), 2 * PAGE - 32);
    run(1);
    ck_assert_uint_eq(reg(IQH_REG), 0);
}
END_TEST

START_TEST(a_queue_that_shrinks_keeps_a_head_that_is_inside)
{
    given_queue_of(1, 32);
    run(127);
    set_queue(new_page(), 0, 32);
    run(1);
    ck_assert_uint_eq(reg(IQH_REG), 0);
}
END_TEST

START_TEST(a_queue_that_shrinks_below_its_head_stops)
{
    given_queue_of(1, 32);
    run(128);
    set_queue(new_page(), 0, 32);
    set_reg(IQT_REG, 0);
    stands_with(IQEI_TAIL);
    set_reg(IQT_REG, 0);
    command(GCMD_QIE);
    run(3);
}
END_TEST

START_TEST(the_head_of_a_queue_that_becomes_wide_loses_its_bit_4)
{
    given_queue_of(0, 16);
    run(5);
    ck_assert_uint_eq(reg(IQH_REG), 0x50);
    set_queue(new_page(), 0, 32);
    set_reg(IQT_REG, 0x40);
    uint64_t status = new_page();
    execute(wait_status(status, 7));
    ck_assert_uint_eq(peek32(status), 7);
    ck_assert_uint_eq(reg(IQH_REG), 0x60);
}
END_TEST

START_TEST(a_queue_that_becomes_narrow_goes_on)
{
    given_queue_of(0, 32);
    run(3);
    set_queue(new_page(), 0, 16);
    run(1);
    ck_assert_uint_eq(reg(IQH_REG), 0x70);
}
END_TEST

START_TEST(a_queue_that_is_switched_on_runs_to_the_tail)
{
    power_on(&widest);
    set_queue(new_page(), 0, _i ? 32 : 16);
    uint64_t status = new_page();
    for (unsigned i = 0; i < 3; i++) {
        write_descriptor(i, wait_status(status + 4 * i, i + 1));
    }
    set_reg(IQT_REG, 3 * m.descriptor_size);
    ck_assert_uint_eq(peek32(status), 0);
    command(GCMD_QIE);
    executed();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(peek32(status + 4 * i), i + 1);
    }
    command_off(GCMD_QIE);
    ck_assert_uint_eq(reg(IQT_REG), 3 * m.descriptor_size);
    poke(status, 0);
    command(GCMD_QIE);
    executed();
    ck_assert_uint_eq(peek32(status), 1);
}
END_TEST

START_TEST(switching_on_what_is_on_changes_nothing)
{
    given_queue_of(0, 32);
    run(5);
    command(GCMD_QIE);
    ck_assert_uint_eq(reg(IQH_REG), 5 * 32);
}
END_TEST

START_TEST(a_tail_at_the_very_end_of_the_queue_is_beyond_it)
{
    given_queue_of(_i, 32);
    set_reg(IQT_REG, PAGE << _i);
    stands_with(IQEI_TAIL);
}
END_TEST

/* ---- Addresses of a first stage [VT-d 6.2.1, Table 18] ------------------- */

static Space space;

static void given_first_stage_of(unsigned levels, uint64_t iova)
{
    DmarConfig config = widest;
    config.first_stage = config.first_stage_5level = true;
    given_scalable(&config);
    given_context(DEV);
    space = given_first_stage(DOMAIN, levels);
    map_fs(&space, iova, OLD, PAGE, USER_RW);
    given_pasid(DEV, PASID, &space);
    both_reach(DEV, PASID, iova, OLD);
    map_fs(&space, iova, NEW, PAGE, USER_RW);
}

/* Entries have no tag of bits that their tables do not translate. */
START_TEST(bits_that_a_first_stage_does_not_translate_do_not_count)
{
    unsigned levels = 4 + _i % 2, bits = levels == 4 ? 48 : 57;
    uint64_t iova = IOVA | (_i / 2 ? -BIT_AT(bits - 1) : 0);
    for (unsigned bit = bits; bit < 64; bit++) {
        given_first_stage_of(levels, iova);
        execute(p_iotlb_page(DOMAIN, PASID, iova ^ BIT_AT(bit), 0, ONLY_LEAVES));
        both_reach(DEV, PASID, iova, NEW);
        end();
        begin();
    }
}
END_TEST

START_TEST(bits_that_a_first_stage_translates_count)
{
    unsigned levels = 4 + _i % 2, bits = levels == 4 ? 48 : 57;
    uint64_t iova = IOVA | (_i / 2 ? -BIT_AT(bits - 1) : 0);
    given_first_stage_of(levels, iova);
    for (unsigned bit = 12; bit < bits; bit++) {
        execute(p_iotlb_page(DOMAIN, PASID, iova ^ BIT_AT(bit), 0, ONLY_LEAVES));
        both_reach(DEV, PASID, iova, OLD);
    }
    execute(p_iotlb_page(DOMAIN, PASID, iova, 0, ONLY_LEAVES));
    both_reach(DEV, PASID, iova, NEW);
}
END_TEST

START_TEST(a_mask_of_any_size_drops_pages_of_a_first_stage)
{
    for (unsigned order = 0; order < 64; order++) {
        given_first_stage_of(4 + _i % 2, IOVA);
        execute(p_iotlb_page(DOMAIN, PASID, IOVA, order, ONLY_LEAVES));
        both_reach(DEV, PASID, IOVA, NEW);
        end();
        begin();
    }
}
END_TEST

static Suite *queue_modes(void)
{
    Suite *s = suite_create("queue modes");
    TCase *t = tests_of(s, "modes");
    tcase_add_loop_test(t, each_mode_and_width_has_its_types, 0,
                        G_N_ELEMENTS(modes));
    tcase_add_test(t, a_mode_is_that_of_the_last_srtp);

    t = tests_of(s, "descriptors");
    tcase_add_loop_test(t, the_physical_function_is_named_with_throttling_only,
                        0, 4);
    tcase_add_test(t,
        a_pasid_based_device_tlb_invalidation_needs_device_tlbs_only);
    tcase_add_loop_test(t, a_descriptor_that_was_refused_is_not_counted, 0, 3);
    tcase_add_test(t,
        bits_of_a_status_address_beyond_the_host_s_width_are_ignored);

    t = tests_of(s, "shape");
    tcase_add_test(t, a_queue_that_grows_wraps_where_it_ends_now);
    tcase_add_test(t, a_queue_that_shrinks_keeps_a_head_that_is_inside);
    tcase_add_test(t, a_queue_that_shrinks_below_its_head_stops);
    tcase_add_test(t, the_head_of_a_queue_that_becomes_wide_loses_its_bit_4);
    tcase_add_test(t, a_queue_that_becomes_narrow_goes_on);
    tcase_add_loop_test(t, a_queue_that_is_switched_on_runs_to_the_tail, 0, 2);
    tcase_add_test(t, switching_on_what_is_on_changes_nothing);
    tcase_add_loop_test(t, a_tail_at_the_very_end_of_the_queue_is_beyond_it,
                        0, 7);

    t = tests_of(s, "first-stage addresses");
    tcase_add_loop_test(t,
        bits_that_a_first_stage_does_not_translate_do_not_count, 0, 4);
    tcase_add_loop_test(t, bits_that_a_first_stage_translates_count, 0, 4);
    tcase_add_loop_test(t, a_mask_of_any_size_drops_pages_of_a_first_stage,
                        0, 2);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(queue_modes(), argc, argv);
}
