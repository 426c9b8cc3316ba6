/*
 * Second-stage translation [VT-d 3.7, 9.8]: every depth, every page size,
 * every entry's reserved bits, limits and rights.  In scalable mode; the
 * legacy suite holds what differs there.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0108
#define PASID   0x123
#define DOMAIN  7
#define IOVA    (5 * HUGE + 3 * LARGE + 9 * PAGE)
#define TARGET  (7 * HUGE + 6 * LARGE + 5 * PAGE)

/* Each shape a mapping can have. */
static const struct {
    unsigned levels;
    uint64_t size;
} shapes[] = {
    { 3, PAGE }, { 3, LARGE }, { 3, HUGE },
    { 4, PAGE }, { 4, LARGE }, { 4, HUGE },
    { 5, PAGE }, { 5, LARGE }, { 5, HUGE },
};

static Space space;

static void given_shape(const DmarConfig *config, unsigned levels)
{
    given_scalable(config);
    given_context(DEV);
    space = given_space(DOMAIN, levels);
    given_pasid(DEV, PASID, &space);
}

static void given_mapping(int shape)
{
    uint64_t size = shapes[shape].size;
    given_shape(&widest, shapes[shape].levels);
    map(&space, IOVA & -size, TARGET & -size, size, RW);
}

START_TEST(large_pages_need_the_ability)
{
    uint64_t size = shapes[_i].size;
    DmarConfig config = widest;
    config.no_large_pages = true;
    given_shape(&config, shapes[_i].levels);
    map(&space, IOVA & -size, TARGET & -size, size, RW);
    if (size == PAGE) {
        write_reaches(DEV, PASID, IOVA, TARGET);
    } else {
        write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
    }
}
END_TEST

START_TEST(every_byte_of_a_page_reaches_its_page)
{
    uint64_t size = shapes[_i].size, iova = IOVA & -size, pa = TARGET & -size;
    given_mapping(_i);
    const uint64_t inside[] = { 0, 1, PAGE - 1, size / 2, size - 1 };
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        both_reach(DEV, PASID, iova + inside[i], pa + inside[i]);
    }
}
END_TEST

START_TEST(the_neighbours_of_a_page_are_not_mapped)
{
    uint64_t size = shapes[_i].size, iova = IOVA & -size;
    given_mapping(_i);
    write_reaches(DEV, PASID, iova, TARGET & -size);
    write_faults(DEV, PASID, iova + size, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, iova - 1, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(the_answer_holds_for_the_whole_page)
{
    uint64_t size = shapes[_i].size;
    given_mapping(_i);
    DmarTranslation t = dma(DMAR_READ, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.size, size);
    ck_assert(t.read && t.write);
}
END_TEST

START_TEST(an_absent_entry_of_any_level_faults)
{
    given_mapping(_i);
    for (unsigned level = level_of(shapes[_i].size);
         level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        uint64_t old = peek(entry);
        poke(entry, old & ~3ull);
        write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
        poke(entry, old);
        write_reaches(DEV, PASID, IOVA,
                      (TARGET & -shapes[_i].size) | (IOVA & (shapes[_i].size - 1)));
        execute(iotlb_global());
    }
}
END_TEST

START_TEST(an_absent_entry_may_hold_anything_else)
{
    given_mapping(_i);
    poke(paging_entry_at(&space, IOVA, level_of(shapes[_i].size)), ~3ull);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

static bool is_reserved(unsigned bit, unsigned level, bool leaf, bool snoop)
{
    if (bit >= m.config.host_width && bit <= 51) {
        return true;
    }
    if (bit == 62) {
        return true;
    }
    if (!leaf) {
        return bit == 11 || (bit == 7 && level > 3);
    }
    if (bit == 11) {
        return !snoop;
    }
    return bit >= 12 && bit < 12 + 9 * (level - 1);
}

/* What a set bit that is not reserved makes of the translation. */
static bool is_address(unsigned bit)
{
    return bit >= 12 && bit < m.config.host_width;
}

static void sweep_reserved_bits(unsigned level, bool leaf, bool snoop)
{
    uint64_t entry = paging_entry_at(&space, IOVA, level);
    uint64_t old = peek(entry);
    for (unsigned bit = 2; bit < 64; bit++) {
        bool page_size = bit == 7 && level > 1 && level <= 3;
        if (is_reserved(bit, level, leaf, snoop)) {
            poke(entry, old | BIT_AT(bit));
            write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
        } else if (!is_address(bit) && !page_size) {
            poke(entry, old | BIT_AT(bit));
            DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
            ck_assert_msg(t.completion == DMAR_SUCCESS,
                          "level %u bit %u is ignored by hardware", level, bit);
        }
        execute(iotlb_global());
    }
    poke(entry, old);
}

static void sweep_mapping(uint64_t size, bool snoop)
{
    for (unsigned level = level_of(size); level <= space.levels; level++) {
        sweep_reserved_bits(level, level == level_of(size), snoop);
    }
}

START_TEST(every_reserved_bit_of_every_entry_is_checked)
{
    given_mapping(_i);
    sweep_mapping(shapes[_i].size, m.config.snoop_control);
}
END_TEST

START_TEST(snp_is_reserved_without_snoop_control)
{
    DmarConfig config = widest;
    config.snoop_control = false;
    given_shape(&config, shapes[_i].levels);
    uint64_t size = shapes[_i].size;
    map(&space, IOVA & -size, TARGET & -size, size, RW);
    sweep_mapping(size, false);
}
END_TEST

START_TEST(address_bits_above_the_host_width_are_reserved)
{
    DmarConfig config = widest;
    config.host_width = _i;
    given_shape(&config, 4);
    map(&space, IOVA, PAGE, PAGE, RW);
    poke(paging_entry_at(&space, IOVA, 1), (BIT_AT(_i) - PAGE) | RW);
    write_reaches(DEV, PASID, IOVA, BIT_AT(_i) - PAGE);
    execute(iotlb_global());
    if (_i < 52) {
        poke(paging_entry_at(&space, IOVA, 1), BIT_AT(_i) | RW);
        write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
    }
}
END_TEST

START_TEST(ps_in_a_top_level_entry_is_reserved)
{
    given_shape(&widest, 5);
    map(&space, IOVA, TARGET, PAGE, RW);
    flip(paging_entry_at(&space, IOVA, _i), 7);
    write_faults(DEV, PASID, IOVA, FAULT_SS_RESERVED);
}
END_TEST

/* ---- Limits --------------------------------------------------------------- */

START_TEST(addresses_end_where_the_table_ends)
{
    unsigned bits = 12 + 9 * _i;
    given_shape(&widest, _i);
    map(&space, BIT_AT(bits) - PAGE, TARGET, PAGE, RW);
    write_reaches(DEV, PASID, BIT_AT(bits) - 1, TARGET + PAGE - 1);
    write_faults(DEV, PASID, BIT_AT(bits), FAULT_SS_ADDRESS_BEYOND);
    write_faults(DEV, PASID, ~0ull, FAULT_SS_ADDRESS_BEYOND);
}
END_TEST

START_TEST(an_address_beyond_the_table_does_not_alias)
{
    given_shape(&widest, _i);
    map(&space, 0, TARGET, PAGE, RW);
    write_reaches(DEV, PASID, 0, TARGET);
    for (unsigned bit = 12 + 9 * _i; bit < 64; bit++) {
        write_faults(DEV, PASID, BIT_AT(bit), FAULT_SS_ADDRESS_BEYOND);
    }
}
END_TEST

START_TEST(a_width_the_unit_lacks_is_refused)
{
    DmarConfig config = widest;
    config.aw_bits = 39;
    config.host_width = 39;
    given_shape(&config, _i);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
}
END_TEST

START_TEST(a_reserved_width_is_refused)
{
    given_shape(&widest, 4);
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, (peek(entry) & ~(7ull << 2)) | (uint64_t)_i << 2);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_INVALID);
}
END_TEST

/* ---- Rights [VT-d 3.7, 3.14] --------------------------------------------- */

static const struct {
    unsigned upper, leaf;
} rights[] = {
    { RW, RW }, { RW, R }, { RW, W }, { R, RW }, { W, RW }, { R, R }, { W, W },
    { R, W }, { W, R },
};

static void check_rights(unsigned granted)
{
    uint8_t none = granted ? 0 : FAULT_SS_NOT_PRESENT;
    if (granted & W) {
        write_reaches(DEV, PASID, IOVA, TARGET);
    } else {
        write_faults(DEV, PASID, IOVA, none ? none : FAULT_WRITE_DENIED);
    }
    if (granted & R) {
        read_reaches(DEV, PASID, IOVA, TARGET);
    } else {
        read_faults(DEV, PASID, IOVA, none ? none : FAULT_READ_DENIED);
    }
}

START_TEST(rights_are_what_every_level_grants)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, rights[_i].leaf);
    for (unsigned level = 2; level <= 4; level++) {
        uint64_t upper = paging_entry_at(&space, IOVA, level);
        uint64_t old = peek(upper);
        poke(upper, (old & ~3ull) | rights[_i].upper);
        check_rights(rights[_i].upper & rights[_i].leaf);
        poke(upper, old);
        execute(iotlb_global());
    }
}
END_TEST

START_TEST(an_answer_tells_which_rights_there_are)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, R);
    DmarTranslation t = dma(DMAR_READ, DEV, PASID, IOVA);
    ck_assert(t.read && !t.write);
}
END_TEST

START_TEST(a_cached_right_is_not_exceeded)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, R);
    read_reaches(DEV, PASID, IOVA, TARGET);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    read_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_zero_length_read_may_read_a_write_only_page)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, W);
    ck_assert(reg(CAP_REG) & CAP_ZLR);
    ck_assert_int_eq(dma(DMAR_READ_ZERO_LENGTH, DEV, PASID, IOVA).completion,
                     DMAR_SUCCESS);
    read_faults(DEV, PASID, IOVA, FAULT_READ_DENIED);
}
END_TEST

START_TEST(a_zero_length_read_of_nothing_faults)
{
    given_shape(&widest, 4);
    DmarTranslation t = dma(DMAR_READ_ZERO_LENGTH, DEV, PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    fault_left(FAULT_SS_NOT_PRESENT, DEV);
}
END_TEST

START_TEST(an_atomic_needs_both_rights)
{
    static const unsigned given[] = { RW, R, W };
    static const uint8_t reason[] = { 0, FAULT_WRITE_DENIED, FAULT_READ_DENIED };
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, given[_i]);
    DmarTranslation t = dma(DMAR_ATOMIC, DEV, PASID, IOVA);
    ck_assert_uint_eq(t.reason, reason[_i]);
    Fault fault = take_fault();
    ck_assert_uint_eq(fault.reason, reason[_i]);
    if (reason[_i]) {
        ck_assert_uint_eq(fault.type, 3);
    }
}
END_TEST

START_TEST(a_probe_tells_rights_and_records_nothing)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, W);
    DmarTranslation t = dma(DMAR_PROBE, DEV, PASID, IOVA);
    ck_assert(!t.read && t.write);
    ck_assert_uint_eq(t.addr, TARGET);
    t = dma(DMAR_PROBE, DEV, PASID, IOVA + PAGE);
    ck_assert(!t.read && !t.write);
    no_fault_left();
}
END_TEST

/* ---- Where pages may be -------------------------------------------------------- */

START_TEST(a_page_in_the_interrupt_range_is_refused)
{
    static const uint64_t pages[] = { 0xfee00000, 0xfee7f000, 0xfeeff000 };
    given_shape(&widest, 4);
    map(&space, IOVA, pages[_i], PAGE, RW);
    write_faults(DEV, PASID, IOVA, FAULT_INTERRUPT_RANGE);
}
END_TEST

START_TEST(pages_beside_the_interrupt_range_are_reached)
{
    static const uint64_t pages[] = { 0xfedff000, 0xfef00000 };
    given_shape(&widest, 4);
    map(&space, IOVA, pages[_i], PAGE, RW);
    write_reaches(DEV, PASID, IOVA, pages[_i]);
}
END_TEST

START_TEST(a_large_page_is_refused_only_where_it_meets_the_interrupt_range)
{
    given_shape(&widest, 4);
    map(&space, 0, 0xfee00000 & -HUGE, HUGE, RW);
    write_reaches(DEV, PASID, 0x1000, (0xfee00000 & -HUGE) + 0x1000);
    write_faults(DEV, PASID, 0xfee00000 % HUGE, FAULT_INTERRUPT_RANGE);
    write_reaches(DEV, PASID, 0xfef00000 % HUGE, 0xfef00000);
}
END_TEST

START_TEST(requests_with_pasid_are_translated_in_the_interrupt_range_too)
{
    given_shape(&widest, 4);
    map(&space, 0xfee00000, TARGET, PAGE, RW);
    write_reaches(DEV, PASID, 0xfee00010, TARGET + 0x10);
}
END_TEST

START_TEST(a_table_where_nothing_answers_faults)
{
    given_shape(&widest, _i);
    map(&space, IOVA, TARGET, PAGE, RW);
    for (unsigned level = 2; level <= space.levels; level++) {
        uint64_t entry = paging_entry_at(&space, IOVA, level);
        uint64_t old = peek(entry);
        poke(entry, NOWHERE | RW);
        write_faults(DEV, PASID, IOVA, FAULT_SS_ACCESS);
        poke(entry, old);
        forget_everything();
    }
    uint64_t entry = pasid_entry_at(DEV, PASID);
    poke(entry, (peek(entry) & 0xfff) | NOWHERE);
    forget_everything();
    write_faults(DEV, PASID, IOVA, FAULT_SS_TOP_ACCESS);
}
END_TEST

START_TEST(every_index_of_every_level_is_its_own)
{
    unsigned shift = 12 + 9 * (_i - 1);
    given_shape(&widest, 5);
    for (unsigned index = 0; index < 512; index += 73) {
        map(&space, (uint64_t)index << shift, BIT_AT(20) + index * PAGE, PAGE,
            RW);
    }
    for (unsigned index = 0; index < 512; index += 73) {
        write_reaches(DEV, PASID, (uint64_t)index << shift,
                      BIT_AT(20) + index * PAGE);
    }
}
END_TEST

/* No second stage has an input address bit beyond MGAW [VT-d 6.5.2.3]. */
START_TEST(an_invalidation_ignores_address_bits_that_no_input_has)
{
    given_shape(&variants[0].config, 3);
    map(&space, IOVA, TARGET, PAGE, RW);
    read_reaches(DEV, PASID, IOVA, TARGET);
    unmap(&space, IOVA);
    read_reaches(DEV, PASID, IOVA, TARGET);
    execute(iotlb_page(DOMAIN, IOVA | BIT_AT(m.config.aw_bits + _i), 0,
                       ONLY_LEAVES));
    read_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_snooped_page_says_so)
{
    given_shape(&widest, 4);
    map(&space, IOVA, TARGET, PAGE, RW);
    ck_assert(!dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
    poke(paging_entry_at(&space, IOVA, 1), TARGET | RW | BIT_AT(11));
    execute(iotlb_global());
    ck_assert(dma(DMAR_READ, DEV, PASID, IOVA).no_snoop_forced);
}
END_TEST


static Suite *second_stage(void)
{
    Suite *s = suite_create("second_stage");
    int every_shape = G_N_ELEMENTS(shapes);
    TCase *t = tests_of(s, "pages");
    tcase_add_loop_test(t, large_pages_need_the_ability, 0, every_shape);
    tcase_add_loop_test(t, every_byte_of_a_page_reaches_its_page, 0, every_shape);
    tcase_add_loop_test(t, the_neighbours_of_a_page_are_not_mapped, 0,
                        every_shape);
    tcase_add_loop_test(t, the_answer_holds_for_the_whole_page, 0, every_shape);
    tcase_add_loop_test(t, every_index_of_every_level_is_its_own, 1, 6);
    tcase_add_test(t, a_snooped_page_says_so);

    t = tests_of(s, "entries");
    tcase_add_loop_test(t, an_absent_entry_of_any_level_faults, 0, every_shape);
    tcase_add_loop_test(t, an_absent_entry_may_hold_anything_else, 0,
                        every_shape);
    tcase_add_loop_test(t, every_reserved_bit_of_every_entry_is_checked, 0,
                        every_shape);
    tcase_add_loop_test(t, snp_is_reserved_without_snoop_control, 0,
                        every_shape);
    tcase_add_loop_test(t, address_bits_above_the_host_width_are_reserved, 36,
                        53);
    tcase_add_loop_test(t, ps_in_a_top_level_entry_is_reserved, 4, 6);

    t = tests_of(s, "limits");
    tcase_add_loop_test(t, addresses_end_where_the_table_ends, 3, 6);
    tcase_add_loop_test(t, an_address_beyond_the_table_does_not_alias, 3, 6);
    tcase_add_loop_test(t, a_width_the_unit_lacks_is_refused, 4, 6);
    tcase_add_test(t, a_reserved_width_is_refused);
    tcase_add_loop_test(t, a_reserved_width_is_refused, 4, 8);
    tcase_add_loop_test(t, a_table_where_nothing_answers_faults, 3, 6);

    t = tests_of(s, "rights");
    tcase_add_loop_test(t, rights_are_what_every_level_grants, 0,
                        G_N_ELEMENTS(rights));
    tcase_add_test(t, an_answer_tells_which_rights_there_are);
    tcase_add_test(t, a_cached_right_is_not_exceeded);
    tcase_add_test(t, a_zero_length_read_may_read_a_write_only_page);
    tcase_add_test(t, a_zero_length_read_of_nothing_faults);
    tcase_add_loop_test(t, an_atomic_needs_both_rights, 0, 3);
    tcase_add_test(t, a_probe_tells_rights_and_records_nothing);

    t = tests_of(s, "interrupt range");
    tcase_add_loop_test(t, an_invalidation_ignores_address_bits_that_no_input_has,
                        0, 25);
    tcase_add_loop_test(t, a_page_in_the_interrupt_range_is_refused, 0, 3);
    tcase_add_loop_test(t, pages_beside_the_interrupt_range_are_reached, 0, 2);
    tcase_add_test(t,
        a_large_page_is_refused_only_where_it_meets_the_interrupt_range);
    tcase_add_test(t,
        requests_with_pasid_are_translated_in_the_interrupt_range_too);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(second_stage(), argc, argv);
}
