/*
 * Draining [VT-d 6.5.4, 6.5.5]: an invalidation is complete when no request is
 * on its way any more that uses what was invalidated.
 *
 * A thread makes a request, and is held up where it has read the entry that is
 * about to change.  Another changes the entry and invalidates it, meanwhile:
 * the write of the tail may not return, nor the wait be complete, before the
 * request is; and what the request leaves behind in the caches may not be what
 * was invalidated.  What a host does with an answer is the host's to finish.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV     0x0a18
#define PASID   0x21
#define INDEX   5
#define DOMAIN  7
#define IOVA    0x40000000ull
#define OLD     0x11111000ull
#define NEW     0x22222000ull
#define LONG    30000           /* microseconds: to be overtaken in */

/* Of all the threads; atomic. */
static unsigned held_up, invalidating, done, overtaken;

static unsigned get(const unsigned *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(unsigned *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static void wait_for(const unsigned *flag)
{
    while (!get(flag)) {
        g_usleep(50);
    }
}

static Space space, second;
static uint64_t entry;              /* that changes */
static uint64_t status;             /* what the wait writes to */

/* ---- What is asked, what changes, what invalidates it ------------------------- */

static DmarTranslation ask_untranslated(void)
{
    return dma(DMAR_WRITE, DEV, PASID, IOVA);
}

static DmarTranslation ask_without_pasid(void)
{
    return dma(DMAR_READ, DEV, NO_PASID, IOVA);
}

static DmarTranslation ask_for_translation(void)
{
    return ats(DEV, PASID, IOVA);
}

/* Where it is delivered stands for an address. */
static DmarTranslation ask_interrupt(void)
{
    DmarInterruptRequest request = {
        .source_id = DEV, .addr = 0xfee00010 | INDEX << 5, .size = 4,
        .is_write = true,
    };
    DmarInterrupt out;
    DmarInterruptVerdict verdict = dmar_remap_interrupt(m.dmar, &request, &out);
    return (DmarTranslation) {
        .completion = verdict == DMAR_INTERRUPT_REMAPPED
                      ? DMAR_SUCCESS : DMAR_UNSUPPORTED_REQUEST,
        .addr = (uint64_t)out.destination << 12,
    };
}

static uint64_t page_entry(uint64_t target)
{
    return target | RW;
}

/* Accessed and dirty: who has to set a bit meets the new entry. */
#define MARKED  (BIT_AT(5) | BIT_AT(6))

static uint64_t first_stage_entry(uint64_t target)
{
    return target | PRESENT | USER_RW | MARKED;
}

static uint64_t interrupt_entry(uint64_t target)
{
    return target >> 12 << 32 | 1;
}

static void given_second_stage(void)
{
    space = given_space(DOMAIN, 4);
    map(&space, IOVA, OLD, PAGE, RW);
    entry = paging_entry_at(&space, IOVA, 1);
}

static void given_first(void)
{
    space = given_first_stage(DOMAIN, 4);
    map_fs(&space, IOVA, OLD, PAGE, USER_RW | MARKED);
    entry = paging_entry_at(&space, IOVA, 1);
}

static void given_second_of_two(void)
{
    second = given_space(DOMAIN, 4);
    space = given_nested(&second, 4);
    map_fs(&space, IOVA, IOVA, PAGE, USER_RW | MARKED);
    map(&second, IOVA, OLD, PAGE, RW);
    entry = paging_entry_at(&second, IOVA, 1);
}

static void given_interrupt(void)
{
    given_second_stage();
    m.remap_table = new_page();
    set_reg(IRTA_REG, m.remap_table | IRTA_EIME | 7);
    command(GCMD_SIRTP);
    command(GCMD_IRE);
    entry = m.remap_table + 16 * INDEX;
    poke(entry, interrupt_entry(OLD));
}

static const struct {
    void (*given)(void);
    DmarTranslation (*ask)(void);
    uint64_t (*value)(uint64_t target);
    Descriptor order;
} cases[] = {
#define PAGE_OF_DOMAIN  {{ 2 | 3 << 4 | DOMAIN << 16, IOVA }}
#define PAGE_OF_PASID \
    {{ 6 | 3 << 4 | DOMAIN << 16 | (uint64_t)PASID << 32, IOVA }}
    { given_second_stage, ask_untranslated, page_entry, PAGE_OF_DOMAIN },
    { given_second_stage, ask_without_pasid, page_entry, {{ 2 | 1 << 4 }} },
    { given_second_stage, ask_for_translation, page_entry,
      {{ 2 | 2 << 4 | DOMAIN << 16 }} },
    { given_first, ask_untranslated, first_stage_entry, PAGE_OF_PASID },
    { given_first, ask_for_translation, first_stage_entry,
      {{ 6 | 2 << 4 | DOMAIN << 16 | (uint64_t)PASID << 32 }} },
    { given_second_of_two, ask_untranslated, page_entry, PAGE_OF_DOMAIN },
    { given_interrupt, ask_interrupt, interrupt_entry, {{ 4 }} },
    { given_interrupt, ask_interrupt, interrupt_entry,
      {{ 4 | 1 << 4 | (uint64_t)INDEX << 32 }} },
};

/* ---- The threads ---------------------------------------------------------------- */

/* The first time that the unit has read the entry, with its old value. */
static void hold_up(uint64_t addr)
{
    if (addr != entry || get(&held_up)) {
        return;
    }
    set(&held_up);
    wait_for(&invalidating);
    g_usleep(LONG);
    if (peek32(status)) {
        set(&overtaken);
    }
    set(&done);
}

static gpointer make_request(gpointer which)
{
    cases[GPOINTER_TO_UINT(which)].ask();
    return NULL;
}

static void given_machine(unsigned which)
{
    given_scalable(&widest);
    given_context(DEV);
    cases[which].given();
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    status = new_page();
    forget_everything();
    held_up = invalidating = done = overtaken = 0;
}

/* The caller is held up with what it has read of the old entry. */
static GThread *request_under_way(unsigned which)
{
    GThread *thread;
    m.was_read = hold_up;
    thread = g_thread_new("request", make_request, GUINT_TO_POINTER(which));
    wait_for(&held_up);
    poke(entry, cases[which].value(NEW));
    return thread;
}

START_TEST(an_invalidation_waits_for_the_request_that_is_under_way)
{
    given_machine(_i);
    uint64_t tail = reg(IQT_REG);
    GThread *thread = request_under_way(_i);
    write_descriptor(tail / 32, cases[_i].order);
    write_descriptor(tail / 32 + 1, wait_status(status, 1));
    set(&invalidating);
    set_reg(IQT_REG, tail + 64);
    bool waited = get(&done);
    g_thread_join(thread);
    ck_assert_msg(waited, "the tail was written while the request was held up");
    ck_assert_msg(!get(&overtaken), "the wait completed meanwhile");
    executed();
    ck_assert_uint_eq(peek32(status), 1);
    DmarTranslation t = cases[_i].ask();
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.addr, NEW);             /* nothing old was left behind */
}
END_TEST

/* The same, but for the invalidation. */
START_TEST(without_an_invalidation_the_request_leaves_the_old_entry_behind)
{
    given_machine(_i);
    GThread *thread = request_under_way(_i);
    set(&invalidating);
    g_thread_join(thread);
    DmarTranslation t = cases[_i].ask();
    ck_assert_int_eq(t.completion, DMAR_SUCCESS);
    ck_assert_uint_eq(t.addr, OLD);
}
END_TEST

static Suite *draining(void)
{
    Suite *s = suite_create("draining");
    TCase *t = tests_of(s, "draining");
    tcase_add_loop_test(t,
        an_invalidation_waits_for_the_request_that_is_under_way, 0,
        G_N_ELEMENTS(cases));
    tcase_add_loop_test(t,
        without_an_invalidation_the_request_leaves_the_old_entry_behind, 0,
        G_N_ELEMENTS(cases));
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(draining(), argc, argv);
}
