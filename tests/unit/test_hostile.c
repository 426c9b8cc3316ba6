/*
 * Software that means harm: tables in circles, queues that overwrite
 * themselves, pointers to the end of the address space, random bytes in every
 * register and every table.  Nothing may crash, hang, or reach memory that no
 * table grants.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0c28
#define PASID   0x12
#define DOMAIN  6
#define IOVA    0x10000ull
#define TARGET  0x55555000ull

static Space space;

static void given_device(unsigned levels)
{
    given_scalable(&widest);
    given_context(DEV);
    space = given_space(DOMAIN, levels);
    map(&space, IOVA, TARGET, PAGE, RW);
    given_pasid(DEV, PASID, &space);
}

/* The test made a mess: what is left is not judged. */
static void forget_what_happened(void)
{
    m.first_message = m.messages = 0;
    m.device_tlbs = 0;
    dmar_reset(m.dmar);
}

/* ---- Tables ---------------------------------------------------------------------- */

START_TEST(a_table_that_points_to_itself_ends_as_a_page)
{
    given_device(_i);
    poke(space.root + 8, space.root | RW);      /* entry 1 of every level */
    uint64_t addr = 0;
    for (int level = 1; level <= _i; level++) {
        addr |= 1ull << (12 + 9 * (level - 1));
    }
    write_reaches(DEV, PASID, addr + 5, space.root + 5);
}
END_TEST

START_TEST(every_structure_may_be_the_same_page)
{
    power_on(&widest);
    given_queue(32);
    uint64_t page = new_page();
    for (unsigned i = 0; i < 512; i++) {
        poke(page + 8 * i, page | 1);
    }
    set_root(page, TTM_SCALABLE);
    command(GCMD_TE);
    DmarTranslation t = dma(DMAR_WRITE, DEV, NO_PASID, IOVA);
    ck_assert_int_eq(t.completion, DMAR_UNSUPPORTED_REQUEST);
    fault_left(t.reason, DEV);
}
END_TEST

static const uint64_t far_away[] = {
    0, PAGE, RAM_BASE - PAGE, RAM_BASE + RAM_SIZE, BIT_AT(45), BIT_AT(46) - PAGE,
};

START_TEST(pointers_may_point_anywhere)
{
    given_device(4);
    const struct {
        uint64_t at;
        uint8_t reason;
    } pointers[] = {
        { root_entry_at(DEV), FAULT_CONTEXT_ACCESS },
        { context_entry_at(DEV), FAULT_DIRECTORY_ACCESS },
        { directory_entry_at(DEV, PASID), FAULT_PASID_ENTRY_ACCESS },
        { pasid_entry_at(DEV, PASID), FAULT_SS_TOP_ACCESS },
        { paging_entry_at(&space, IOVA, 4), FAULT_SS_ACCESS },
        { paging_entry_at(&space, IOVA, 2), FAULT_SS_ACCESS },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(pointers); i++) {
        uint64_t old = peek(pointers[i].at);
        poke(pointers[i].at, (old & 0xfff) | far_away[_i]);
        forget_everything();
        write_faults(DEV, PASID, IOVA, pointers[i].reason);
        poke(pointers[i].at, old);
    }
    forget_everything();
    write_reaches(DEV, PASID, IOVA, TARGET);
}
END_TEST

START_TEST(a_root_table_at_the_end_of_the_address_space_faults)
{
    given_device(4);
    set_root(~0xfffull, TTM_SCALABLE);
    execute(context_global());
    ck_assert_int_eq(dma(DMAR_WRITE, 0xffff, NO_PASID, IOVA).completion,
                     DMAR_UNSUPPORTED_REQUEST);
    take_fault();
}
END_TEST

START_TEST(a_table_may_end_where_memory_ends)
{
    given_device(3);
    uint64_t last = RAM_BASE + RAM_SIZE - PAGE;
    poke(paging_entry_at(&space, IOVA, 2), last | RW);
    poke(last + 511 * 8, TARGET | RW);
    write_reaches(DEV, PASID, 511 * PAGE, TARGET);
}
END_TEST

START_TEST(a_table_may_lie_in_the_page_it_maps)
{
    given_device(3);
    uint64_t leaf = paging_entry_at(&space, IOVA, 1);
    map(&space, IOVA + PAGE, leaf & ~0xfffull, PAGE, RW);
    write_reaches(DEV, PASID, IOVA + PAGE, leaf & ~0xfffull);
    poke(leaf, 0);                              /* as that DMA could do */
    write_reaches(DEV, PASID, IOVA + PAGE, leaf & ~0xfffull);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

/* ---- The queue ------------------------------------------------------------------------ */

START_TEST(a_queue_may_overwrite_the_descriptor_to_come)
{
    given_device(3);
    unsigned tail = reg(IQT_REG) >> 5;
    uint64_t next = m.queue + 32 * (tail + 1);
    write_descriptor(tail, wait_status(next, 0x7f));    /* no such type */
    write_descriptor(tail + 1, wait_fence());
    set_reg(IQT_REG, (uint64_t)(tail + 2) << 5);
    ck_assert_uint_eq(reg(IQH_REG) >> 5, tail + 1);
    queue_stops_with(field_get(reg(IQERCD_REG), IQERCD_IQEI));
    executed();
}
END_TEST

START_TEST(a_queue_may_overwrite_itself_everywhere)
{
    given_device(3);
    for (unsigned i = 0; i < m.queue_entries; i++) {
        write_descriptor(i, wait_status(m.queue + 32 * i, 5 | 1 << 5));
    }
    for (unsigned i = 0; i < 3 * m.queue_entries; i++) {
        set_reg(IQT_REG, (uint64_t)(i % m.queue_entries) << 5);
    }
    executed();
}
END_TEST

START_TEST(a_queue_in_the_tables_it_invalidates_does_no_harm)
{
    given_device(3);
    command_off(GCMD_QIE);
    set_reg(IQT_REG, 0);
    set_reg(IQA_REG, space.root | IQA_DW);
    command(GCMD_QIE);
    set_reg(IQT_REG, 0xfe0);
    forget_what_happened();
}
END_TEST

START_TEST(random_descriptors_do_no_harm)
{
    GRand *dice = g_rand_new_with_seed(_i);
    given_device(3);
    for (unsigned i = 0; i < 4000; i++) {
        Descriptor d;
        for (unsigned word = 0; word < 4; word++) {
            d.word[word] = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
        }
        if (g_rand_boolean(dice)) {             /* well formed, more or less */
            d.word[0] &= 0x0000fffffff000f0;
            d.word[0] |= g_rand_int_range(dice, 1, 10);
            d.word[1] &= 0x00000000fffff07f;
            d.word[2] = d.word[3] = 0;
        }
        submit(d);
        if (reg32(FSTS_REG) & FSTS_IQE) {
            queue_stops_with(field_get(reg(IQERCD_REG), IQERCD_IQEI));
        }
        m.device_tlbs = m.messages = 0;
        set_reg32(ICS_REG, ICS_IWC);
    }
    g_rand_free(dice);
    executed();
}
END_TEST

/* ---- Registers --------------------------------------------------------------------------- */

START_TEST(random_register_writes_do_no_harm)
{
    GRand *dice = g_rand_new_with_seed(_i);
    given_device(3);
    for (unsigned i = 0; i < 5000; i++) {
        unsigned size = g_rand_boolean(dice) ? 4 : 8;
        unsigned end = g_rand_boolean(dice) ? 0x110 : DMAR_MMIO_SIZE;
        uint64_t at = g_rand_int_range(dice, 0, end) & ~(size - 1);
        uint64_t value = (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice);
        if (g_rand_boolean(dice)) {
            value &= 0x7fff0 | BIT_AT(31) | BIT_AT(26);
        }
        dmar_reg_write(m.dmar, at, size, value);
        dmar_reg_read(m.dmar, at, size);
        dma(i % 2 ? DMAR_READ : DMAR_WRITE, DEV, i % 3 ? PASID : NO_PASID,
            value & 0xfffff);
        m.messages = m.device_tlbs = 0;
    }
    g_rand_free(dice);
    forget_what_happened();
}
END_TEST

START_TEST(random_interrupts_do_no_harm)
{
    GRand *dice = g_rand_new_with_seed(_i);
    power_on(&widest);
    uint64_t table = new_pages(4);
    for (unsigned i = 0; i < 2048; i++) {
        poke(table + 8 * i, (uint64_t)g_rand_int(dice) << 32 | g_rand_int(dice));
    }
    set_reg(IRTA_REG, table | 9 | (_i & 1 ? IRTA_EIME : 0));
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    for (unsigned i = 0; i < 4000; i++) {
        DmarInterruptRequest r = {
            .source_id = g_rand_int(dice),
            .addr = 0xfee00000 | (g_rand_int(dice) & 0xfffff),
            .data = g_rand_boolean(dice) ? g_rand_int(dice) : 0,
            .size = g_rand_int_range(dice, 0, 9),
            .is_write = g_rand_boolean(dice),
        };
        DmarInterrupt out;
        dmar_remap_interrupt(m.dmar, &r, &out);
    }
    g_rand_free(dice);
    forget_what_happened();
}
END_TEST

/* ---- Random memory ---------------------------------------------------------------------------- */

START_TEST(random_tables_grant_nothing_beyond_the_host)
{
    GRand *dice = g_rand_new_with_seed(_i);
    given_device(3);
    for (uint64_t at = RAM_BASE; at < RAM_BASE + 64 * PAGE; at += 8) {
        uint64_t page = RAM_BASE + g_rand_int_range(dice, 0, 64) * PAGE;
        unsigned low = g_rand_int(dice) & 0xfff;
        poke(at, g_rand_int_range(dice, 0, 4) ? page | (low & 0x183) | 3
                                              : (uint64_t)g_rand_int(dice) << 20);
    }
    for (unsigned i = 0; i < 3000; i++) {
        DmarTranslation t = dma(DMAR_WRITE, i, i % 2 ? i % 64 : NO_PASID,
                                (uint64_t)g_rand_int(dice) << 12);
        if (t.completion == DMAR_SUCCESS) {
            ck_assert(t.write);
            ck_assert_uint_lt(t.addr, BIT_AT(m.config.host_width));
            ck_assert(t.addr < 0xfee00000 || t.addr > 0xfeefffff);
        }
        take_fault();
        set_reg32(FSTS_REG, FSTS_PFO);
    }
    g_rand_free(dice);
    forget_what_happened();
}
END_TEST

START_TEST(strange_requests_are_answered)
{
    static const uint64_t addrs[] = { 0, 1, ~0ull, BIT_AT(63), BIT_AT(47) - 1 };
    static const uint32_t pasids[] = { NO_PASID, 0, 0xfffff, 0x100000,
                                       NO_PASID - 1 };
    given_device(4);
    for (unsigned i = 0; i < 5 * 5 * 5 * 3; i++) {
        DmarRequest r = {
            .source_id = 0xffff, .pasid = pasids[i % 5], .addr = addrs[i / 5 % 5],
            .access = (DmarAccess)(i / 25 % 5),
            .type = (DmarAddressType)(i / 125), .no_write = i & 1,
            .privileged = i & 2, .execute = i & 4,
        };
        ask(r);
        r.source_id = DEV;
        ask(r);
    }
    forget_what_happened();
}
END_TEST

START_TEST(a_pasid_of_more_than_twenty_bits_reaches_nothing)
{
    given_device(4);
    ck_assert_int_eq(dma(DMAR_WRITE, DEV, PASID | 1u << 20, IOVA).completion,
                     DMAR_UNSUPPORTED_REQUEST);
    ck_assert(take_fault().recorded);
}
END_TEST

/* ---- Threads ------------------------------------------------------------------------------------- */

static int stop;

static gpointer translate_forever(gpointer data)
{
    unsigned wrong = 0;
    while (!g_atomic_int_get(&stop)) {
        DmarTranslation t = dma(DMAR_WRITE, DEV, PASID, IOVA);
        wrong += t.completion != DMAR_SUCCESS || t.addr != TARGET;
    }
    return GUINT_TO_POINTER(wrong);
}

START_TEST(translation_and_invalidation_may_happen_at_once)
{
    GThread *threads[3];
    given_device(4);
    g_atomic_int_set(&stop, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("dma", translate_forever, NULL);
    }
    for (unsigned i = 0; i < 2000; i++) {
        execute(i % 2 ? iotlb_global() : pasid_cache_global());
        execute(context_global());
    }
    g_atomic_int_set(&stop, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        ck_assert_ptr_null(g_thread_join(threads[i]));
    }
}
END_TEST

static Suite *hostile(void)
{
    Suite *s = suite_create("hostile");
    TCase *t = tests_of(s, "tables");
    tcase_add_loop_test(t, a_table_that_points_to_itself_ends_as_a_page, 3, 6);
    tcase_add_test(t, every_structure_may_be_the_same_page);
    tcase_add_loop_test(t, pointers_may_point_anywhere, 0,
                        G_N_ELEMENTS(far_away));
    tcase_add_test(t, a_root_table_at_the_end_of_the_address_space_faults);
    tcase_add_test(t, a_table_may_end_where_memory_ends);
    tcase_add_test(t, a_table_may_lie_in_the_page_it_maps);
    tcase_add_loop_test(t, random_tables_grant_nothing_beyond_the_host, 0, 8);

    t = tests_of(s, "queue");
    tcase_add_test(t, a_queue_may_overwrite_the_descriptor_to_come);
    tcase_add_test(t, a_queue_may_overwrite_itself_everywhere);
    tcase_add_test(t, a_queue_in_the_tables_it_invalidates_does_no_harm);
    tcase_add_loop_test(t, random_descriptors_do_no_harm, 0, 4);

    t = tests_of(s, "registers");
    tcase_add_loop_test(t, random_register_writes_do_no_harm, 0, 8);
    tcase_add_loop_test(t, random_interrupts_do_no_harm, 0, 4);

    t = tests_of(s, "requests");
    tcase_add_test(t, strange_requests_are_answered);
    tcase_add_test(t, a_pasid_of_more_than_twenty_bits_reaches_nothing);
    tcase_add_test(t, translation_and_invalidation_may_happen_at_once);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(hostile(), argc, argv);
}
