/*
 * The register page [VT-d 11.2, 11.4, 11.4.4.1]: what resets to what, what software may
 * write, halves of registers, and accesses that make no sense.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

/*
 * The bits of each register that hold what software writes, for a unit with
 * every ability.  Of the rest software sees only what hardware put there.
 */
static const struct {
    const char *name;
    unsigned offset, bytes;
    uint64_t reset, writable;
} registers[] = {
    { "CAP", 0x08, 8, 0, 0 },
    { "ECAP", 0x10, 8, 0, 0 },
    { "GCMD", 0x18, 4, 0, 0 },
    { "GSTS", 0x1c, 4, 0, 0 },
    { "RTADDR", 0x20, 8, 0, 0xfffffffffffffc00 },
    { "FSTS", 0x34, 4, 0, 0 },
    { "FECTL", 0x38, 4, 0x80000000, 0x80000000 },
    { "FEDATA", 0x3c, 4, 0, 0xffff },
    { "FEADDR", 0x40, 4, 0, 0xfffffffc },
    { "FEUADDR", 0x44, 4, 0, 0xffffffff },
    { "IQH", 0x80, 8, 0, 0 },
    { "IQT", 0x88, 8, 0, 0x7fff0 },
    { "IQA", 0x90, 8, 0, 0xfffffffffffff807 },
    { "ICS", 0x9c, 4, 0, 0 },
    { "IECTL", 0xa0, 4, 0x80000000, 0x80000000 },
    { "IEDATA", 0xa4, 4, 0, 0xffff },
    { "IEADDR", 0xa8, 4, 0, 0xfffffffc },
    { "IEUADDR", 0xac, 4, 0, 0xffffffff },
    { "IQERCD", 0xb0, 8, 0, 0 },
    { "IRTA", 0xb8, 8, 0, 0xfffffffffffff80f },
    { "PQH", 0xc0, 8, 0, 0x7ffe0 },
    { "PQT", 0xc8, 8, 0, 0x7ffe0 },
    { "PQA", 0xd0, 8, 0, 0xfffffffffffff007 },
    { "PRS", 0xdc, 4, 0, 0 },
    { "PECTL", 0xe0, 4, 0x80000000, 0x80000000 },
    { "PEDATA", 0xe4, 4, 0, 0xffff },
    { "PEADDR", 0xe8, 4, 0, 0xfffffffc },
    { "PEUADDR", 0xec, 4, 0, 0xffffffff },
    { "PERFINTRSTS", 0x324, 4, 0, 0 },
    { "PERFINTRCTL", 0x328, 4, 0x80000000, 0x80000000 },
    { "PERFINTRDATA", 0x32c, 4, 0, 0xffff },
    { "PERFINTRADDR", 0x330, 4, 0, 0xfffffffc },
    { "PERFINTRUADDR", 0x334, 4, 0, 0xffffffff },
    { "ECEO", 0x408, 8, 0, 0xffffffffffffffff },
    { "ECRSP", 0x410, 8, 0, 0 },
};

static bool is_capability(int i)
{
    return registers[i].offset < 0x18;
}

static uint64_t value_of(int i)
{
    return dmar_reg_read(m.dmar, registers[i].offset, registers[i].bytes);
}

START_TEST(a_register_has_its_reset_value)
{
    power_on(&widest);
    if (!is_capability(_i)) {
        ck_assert_msg(value_of(_i) == registers[_i].reset, "%s",
                      registers[_i].name);
    }
}
END_TEST

START_TEST(a_register_holds_what_may_be_written)
{
    power_on(&widest);
    uint64_t fixed = is_capability(_i) ? value_of(_i) : 0;
    for (unsigned bit = 0; bit < registers[_i].bytes * 8; bit++) {
        if (registers[_i].offset == 0x18) {
            continue;                   /* GCMD: each bit is a command */
        }
        uint64_t value = BIT_AT(bit);
        dmar_reg_write(m.dmar, registers[_i].offset, registers[_i].bytes, value);
        ck_assert_msg(value_of(_i) == ((value & registers[_i].writable) | fixed),
                      "%s bit %u", registers[_i].name, bit);
    }
}
END_TEST

START_TEST(a_register_may_be_accessed_in_halves)
{
    static const unsigned wide[] = { 0x20, 0x90, 0xb8 };
    uint64_t at = wide[_i];
    power_on(&widest);
    set_reg(at, 0x123456789abcd000);
    ck_assert_uint_eq(reg32(at), 0x9abcd000);
    ck_assert_uint_eq(reg32(at + 4), 0x12345678);
    set_reg32(at, 0x5000);
    ck_assert_uint_eq(reg(at), 0x1234567800005000);
    set_reg32(at + 4, 0xfedcba98);
    ck_assert_uint_eq(reg(at), 0xfedcba9800005000);
}
END_TEST

START_TEST(two_neighbours_may_be_accessed_at_once)
{
    power_on(&widest);
    set_reg(FECTL_REG, 0x1234ull << 32);        /* FECTL and FEDATA */
    ck_assert_uint_eq(reg32(FECTL_REG), 0);
    ck_assert_uint_eq(reg32(FEDATA_REG), 0x1234);
    ck_assert_uint_eq(reg(FECTL_REG), 0x1234ull << 32);
    set_reg(FEADDR_REG, 0xabcd00001000);
    ck_assert_uint_eq(reg32(FEADDR_REG), 0x1000);
    ck_assert_uint_eq(reg32(FEUADDR_REG), 0xabcd);
}
END_TEST

START_TEST(gcmd_and_gsts_may_be_accessed_at_once)
{
    power_on(&widest);
    set_reg(GCMD_REG, GCMD_TE | 0x1234567800000000);
    ck_assert_uint_eq(reg(GCMD_REG), GCMD_TE << 32);
}
END_TEST

START_TEST(gcmd_reads_as_zero)
{
    power_on(&widest);
    set_reg32(GCMD_REG, GCMD_TE);
    ck_assert_uint_eq(reg32(GCMD_REG), 0);
    ck_assert_uint_eq(reg32(GSTS_REG), GCMD_TE);
}
END_TEST

START_TEST(a_command_is_done_when_its_write_returns)
{
    static const uint32_t commands[] = { GCMD_TE, GCMD_SRTP, GCMD_QIE, GCMD_IRE,
                                         GCMD_SIRTP, GCMD_CFI };
    power_on(&widest);
    set_reg32(GCMD_REG, commands[_i]);
    ck_assert_uint_eq(reg32(GSTS_REG), commands[_i]);
}
END_TEST

START_TEST(a_state_is_left_by_clearing_its_bit)
{
    static const uint32_t states[] = { GCMD_TE, GCMD_QIE, GCMD_IRE, GCMD_CFI };
    power_on(&widest);
    set_reg32(GCMD_REG, states[_i]);
    set_reg32(GCMD_REG, 0);
    ck_assert_uint_eq(reg32(GSTS_REG), 0);
}
END_TEST

START_TEST(a_table_pointer_stays_set_when_other_commands_follow)
{
    power_on(&widest);
    set_reg32(GCMD_REG, GCMD_SRTP);
    set_reg32(GCMD_REG, GCMD_TE);
    ck_assert_uint_eq(reg32(GSTS_REG), GCMD_TE | GCMD_SRTP);
    set_reg32(GCMD_REG, GCMD_TE | GCMD_QIE);
    ck_assert_uint_eq(reg32(GSTS_REG), GCMD_TE | GCMD_SRTP | GCMD_QIE);
}
END_TEST

START_TEST(commands_that_do_not_exist_do_nothing)
{
    power_on(&widest);
    set_reg32(GCMD_REG, (uint32_t)~(GCMD_TE | GCMD_SRTP | GCMD_QIE | GCMD_IRE |
                                    GCMD_SIRTP | GCMD_CFI));
    ck_assert_uint_eq(reg32(GSTS_REG), 0);
}
END_TEST

START_TEST(commands_need_their_ability)
{
    DmarConfig config = widest;
    without_interrupt_remapping(&config);
    power_on(&config);
    set_reg32(GCMD_REG, GCMD_IRE | GCMD_SIRTP | GCMD_CFI);
    ck_assert_uint_eq(reg32(GSTS_REG), 0);
}
END_TEST

/* Those of performance monitoring have a test program of their own. */
static bool is_perf_register(unsigned offset)
{
    return (offset >= 0x300 && offset < 0x320) ||
        (offset >= 0x380 && offset < 0x3a8) ||
        (offset >= 0x400 && offset < 0x450) ||
        (offset >= 0x480 && offset < 0x490) || offset >= 0x1000;
}

static bool is_register(unsigned offset)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (offset >= registers[i].offset &&
            offset < registers[i].offset + registers[i].bytes) {
            return true;
        }
    }
    return offset < 0x08 || offset / 8 == 0x28 / 8 || offset == 0x34 ||
        is_perf_register(offset) ||
        (offset >= iotlb_reg() - 8 && offset < iotlb_reg() + 8) ||
        (offset >= fault_record_at(0) &&
         offset < fault_record_at(m.config.fault_records));
}

START_TEST(where_no_register_is_reads_zero_and_ignores_writes)
{
    power_on(&widest);
    for (unsigned offset = 0; offset < DMAR_MMIO_SIZE; offset += 4) {
        if (!is_register(offset)) {
            set_reg32(offset, ~0u);
            ck_assert_msg(reg32(offset) == 0, "offset %x", offset);
        }
    }
}
END_TEST

START_TEST(an_access_that_makes_no_sense_reads_zero_and_writes_nothing)
{
    static const struct {
        uint64_t offset;
        unsigned size;
    } bad[] = {
        { 0x20, 0 }, { 0x20, 1 }, { 0x20, 2 }, { 0x20, 3 }, { 0x20, 16 },
        { 0x20, ~0u }, { 0x21, 4 }, { 0x22, 4 }, { 0x24, 8 },
        { DMAR_MMIO_SIZE - 4, 8 }, { DMAR_MMIO_SIZE, 4 }, { DMAR_MMIO_SIZE, 8 },
        { ~7ull, 8 }, { ~3ull, 4 },
        { ~0ull, 4 },
    };
    power_on(&widest);
    set_reg(RTADDR_REG, 0x5000);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        dmar_reg_write(m.dmar, bad[i].offset, bad[i].size, ~0ull);
        ck_assert_uint_eq(dmar_reg_read(m.dmar, bad[i].offset, bad[i].size), 0);
    }
    ck_assert_uint_eq(reg(RTADDR_REG), 0x5000);
}
END_TEST

/* ---- Accesses of every size at every offset [VT-d 11.2] ------------------ */

static DmarState before, after;

/* What an access may well have made the unit say. */
static void forget_messages(void)
{
    m.first_message = m.messages = 0;
    m.device_tlbs = 0;
}

static bool is_regular(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0 &&
        offset + size <= DMAR_MMIO_SIZE;
}

/* Smaller than a DWORD, across two, of a size that no bus has, beyond the end. */
START_TEST(an_irregular_access_reads_zero_and_changes_nothing)
{
    static const unsigned sizes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 64, ~0u };
    unsigned size = sizes[_i];
    power_on(&widest);
    set_reg(RTADDR_REG, 0x123456789000);
    set_reg(FEADDR_REG, 0xabcdabcdabcdabcc);
    dmar_save(m.dmar, &before);
    for (uint64_t offset = 0; offset < DMAR_MMIO_SIZE + 16; offset++) {
        if (!is_regular(offset, size)) {
            dmar_reg_write(m.dmar, offset, size, ~0ull);
            ck_assert_uint_eq(dmar_reg_read(m.dmar, offset, size), 0);
        }
    }
    dmar_save(m.dmar, &after);
    ck_assert_mem_eq(before.registers, after.registers, DMAR_MMIO_SIZE);
}
END_TEST

/* Whatever is there, one register of 64 bits or two or none: the low half is
 * written first, then the high half. */
START_TEST(eight_bytes_are_written_as_twice_four)
{
    static const uint64_t values[] = { ~0ull, 0, 0x0123456789abcdef,
                                       0x5555555555555555, 0xaaaaaaaaaaaaaaaa };
    uint64_t value = values[_i];
    power_on(&widest);
    for (uint64_t offset = 0; offset < DMAR_MMIO_SIZE; offset += 8) {
        dmar_reset(m.dmar);
        set_reg(offset, value);
        dmar_save(m.dmar, &before);
        dmar_reset(m.dmar);
        set_reg32(offset, value);
        set_reg32(offset + 4, value >> 32);
        dmar_save(m.dmar, &after);
        ck_assert_msg(memcmp(&before, &after, sizeof(before)) == 0,
                      "offset %" G_GINT64_MODIFIER "x", offset);
        forget_messages();
    }
    dmar_reset(m.dmar);
}
END_TEST

START_TEST(eight_bytes_are_read_as_twice_four)
{
    power_on(&widest);
    for (uint64_t offset = 0x20; offset < DMAR_MMIO_SIZE; offset += 4) {
        if (offset < IQH_REG || offset > IQT_REG + 4) {
            set_reg32(offset, 0x5a5a0000 | offset);
        }
    }
    for (uint64_t offset = 0; offset < DMAR_MMIO_SIZE; offset += 8) {
        ck_assert_uint_eq(reg(offset),
                          reg32(offset) | (uint64_t)reg32(offset + 4) << 32);
    }
}
END_TEST

/* The halves of a command, in the wrong order: the old low half is taken. */
START_TEST(a_command_is_given_by_its_highest_dword)
{
    power_on(&widest);
    set_reg32(CCMD_REG + 4, BIT_AT(31) | 1u << 29);     /* ICC, global */
    ck_assert(!(reg(CCMD_REG) & CCMD_ICC));
    ck_assert_uint_eq(field_get(reg(CCMD_REG), CCMD_CAIG), 1);
    set_reg32(CCMD_REG, ~0u);                           /* no command */
    ck_assert_uint_eq(field_get(reg(CCMD_REG), CCMD_CAIG), 1);
    set_reg32(iotlb_reg() + 4, BIT_AT(31) | 1u << 28);  /* IVT, global */
    ck_assert(!(reg(iotlb_reg()) & IOTLB_IVT));
    ck_assert_uint_eq(field_get(reg(iotlb_reg()), IOTLB_IAIG), 1);
}
END_TEST

/* What the values are does not matter: nothing may crash. */
START_TEST(any_access_at_all_is_survived)
{
    g_autoptr(GRand) dice = g_rand_new_with_seed(_i);
    power_on(&widest);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t offset = g_rand_int_range(dice, 0, DMAR_MMIO_SIZE + 16);
        unsigned size = 1u << g_rand_int_range(dice, 0, 5);
        uint64_t value = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
        if (g_rand_int_range(dice, 0, 2)) {
            offset &= ~7ull;
        }
        dmar_reg_write(m.dmar, offset, size, value);
        dmar_reg_read(m.dmar, offset, size);
        forget_messages();
    }
    dmar_reset(m.dmar);
}
END_TEST

START_TEST(a_dword_write_takes_a_dword)
{
    power_on(&widest);
    dmar_reg_write(m.dmar, RTADDR_REG, 4, 0x1234567800005000);
    ck_assert_uint_eq(reg(RTADDR_REG), 0x5000);
    ck_assert_uint_eq(m.last_event[DMAR_EVENT_REGISTER_WRITE].value, 0x5000);
}
END_TEST

START_TEST(reset_takes_everything_back)
{
    power_on(&widest);
    uint64_t cap = reg(CAP_REG), ecap = reg(ECAP_REG), ver = reg32(VER_REG);
    for (unsigned offset = 0x20; offset < DMAR_MMIO_SIZE; offset += 8) {
        if (offset != FSTS_REG) {
            set_reg(offset, 0x5555555555555550);
        }
    }
    set_reg32(GCMD_REG, GCMD_TE | GCMD_IRE | GCMD_SRTP);
    dmar_reset(m.dmar);
    for (unsigned i = 2; i < G_N_ELEMENTS(registers); i++) {
        ck_assert_msg(value_of(i) == registers[i].reset, "%s",
                      registers[i].name);
    }
    ck_assert_uint_eq(reg(CAP_REG), cap);
    ck_assert_uint_eq(reg(ECAP_REG), ecap);
    ck_assert_uint_eq(reg32(VER_REG), ver);
    ck_assert(!m.dma_on && !m.interrupts_on);
}
END_TEST

START_TEST(reset_takes_back_faults_and_counts)
{
    given_scalable(&widest);
    for (unsigned i = 0; i < 20; i++) {
        dma(DMAR_WRITE, i, NO_PASID, 0);
    }
    dmar_reset(m.dmar);
    ck_assert_uint_eq(reg32(FSTS_REG), 0);
    uint64_t counts[DMAR_DESCRIPTOR_TYPES];
    dmar_descriptor_counts(m.dmar, counts);
    for (unsigned i = 0; i < DMAR_DESCRIPTOR_TYPES; i++) {
        ck_assert_uint_eq(counts[i], 0);
    }
    for (unsigned n = 0; n < widest.fault_records; n++) {
        ck_assert_uint_eq(reg(fault_record_at(n) + 8), 0);
    }
}
END_TEST

START_TEST(reset_takes_back_the_tables_that_were_latched)
{
    DmarInterruptRequest request = { .addr = 0xfee00010 | 3 << 5, .size = 4,
                                     .is_write = true };
    DmarInterrupt out;
    power_on(&widest);
    set_reg(IRTA_REG, new_page() | 7);
    set_root(new_page(), TTM_SCALABLE);
    command(GCMD_SIRTP);
    dmar_reset(m.dmar);
    command(GCMD_IRE);
    dmar_remap_interrupt(m.dmar, &request, &out);
    fault_left(FAULT_IR_INDEX_BEYOND, 0);       /* a table of two entries */
    command(GCMD_TE);
    write_faults(0, NO_PASID, 0, FAULT_LEGACY_ROOT_ACCESS);
}
END_TEST

START_TEST(registers_have_names)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        const char *name = dmar_register_name(registers[i].offset);
        ck_assert_ptr_nonnull(name);
        ck_assert_msg(strstr(name, registers[i].name) != NULL, "%s: %s",
                      registers[i].name, name);
    }
    ck_assert_str_eq(dmar_register_name(FRCD_REG(0)), "FRCD");
    ck_assert_str_eq(dmar_register_name(FRCD_REG(DMAR_MAX_FAULT_RECORDS) - 4),
                     "FRCD");
    ck_assert_ptr_null(dmar_register_name(FRCD_REG(0) - 4));
    ck_assert_ptr_null(dmar_register_name(FRCD_REG(DMAR_MAX_FAULT_RECORDS)));
    ck_assert_ptr_null(dmar_register_name(0x30));
    ck_assert_ptr_null(dmar_register_name(0xff8));
    ck_assert_ptr_null(dmar_register_name(~0ull));
}
END_TEST

/* ... and end where they end: at a multiple of four bytes. */
START_TEST(no_register_reaches_into_another)
{
    for (uint64_t offset = 0; offset < DMAR_MMIO_SIZE; offset += 4) {
        const char *name = dmar_register_name(offset);
        for (unsigned i = 1; i < 4; i++) {
            ck_assert_ptr_eq(dmar_register_name(offset + i), name);
        }
    }
}
END_TEST

static Suite *register_page(void)
{
    Suite *s = suite_create("registers");
    int every = G_N_ELEMENTS(registers);
    TCase *t = tests_of(s, "registers");
    tcase_add_loop_test(t, a_register_has_its_reset_value, 0, every);
    tcase_add_loop_test(t, a_register_holds_what_may_be_written, 0, every);
    tcase_add_loop_test(t, a_register_may_be_accessed_in_halves, 0, 3);
    tcase_add_test(t, two_neighbours_may_be_accessed_at_once);
    tcase_add_test(t, gcmd_and_gsts_may_be_accessed_at_once);
    tcase_add_test(t, where_no_register_is_reads_zero_and_ignores_writes);
    tcase_add_test(t, an_access_that_makes_no_sense_reads_zero_and_writes_nothing);
    tcase_add_test(t, a_dword_write_takes_a_dword);

    t = tests_of(s, "accesses");
    tcase_add_loop_test(t, an_irregular_access_reads_zero_and_changes_nothing, 0,
                        13);
    tcase_add_loop_test(t, eight_bytes_are_written_as_twice_four, 0, 5);
    tcase_add_test(t, eight_bytes_are_read_as_twice_four);
    tcase_add_test(t, a_command_is_given_by_its_highest_dword);
    tcase_add_loop_test(t, any_access_at_all_is_survived, 0, 8);

    t = tests_of(s, "names");
    tcase_add_test(t, registers_have_names);
    tcase_add_test(t, no_register_reaches_into_another);

    t = tests_of(s, "commands");
    tcase_add_test(t, gcmd_reads_as_zero);
    tcase_add_loop_test(t, a_command_is_done_when_its_write_returns, 0, 6);
    tcase_add_loop_test(t, a_state_is_left_by_clearing_its_bit, 0, 4);
    tcase_add_test(t, a_table_pointer_stays_set_when_other_commands_follow);
    tcase_add_test(t, commands_that_do_not_exist_do_nothing);
    tcase_add_test(t, commands_need_their_ability);

    t = tests_of(s, "reset");
    tcase_add_test(t, reset_takes_everything_back);
    tcase_add_test(t, reset_takes_back_faults_and_counts);
    tcase_add_test(t, reset_takes_back_the_tables_that_were_latched);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(register_page(), argc, argv);
}
