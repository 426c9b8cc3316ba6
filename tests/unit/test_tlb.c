/*
 * The associative store that the IOTLB and the paging-structure caches are
 * made of (dmar/tlb.h), alone: compared with a list that does the same
 * slowly.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#include "tlb.h"

#define CAPACITY    64
#define EVERY_TYPE  0xff

static DmarTlb *tlb;

static void make(unsigned capacity)
{
    tlb = dmar_tlb_new(capacity, sizeof(uint64_t));
}

/* ---- The list: oldest first ------------------------------------------------------ */

typedef struct Item {
    uint64_t who, page, value;
    unsigned shift;
    DmarTlbTags tags;
} Item;

static Item list[CAPACITY];
static unsigned items;

static void begin_store(void)
{
    make(CAPACITY);
    items = 0;
}

static void end_store(void)
{
    dmar_tlb_free(tlb);
}

static Item *list_find(uint64_t who, uint64_t addr, unsigned shift)
{
    for (unsigned i = 0; i < items; i++) {
        if (list[i].who == who && list[i].shift == shift &&
            list[i].page == addr >> shift) {
            return &list[i];
        }
    }
    return NULL;
}

static void list_remove(Item *item)
{
    memmove(item, item + 1, (uint8_t *)&list[--items] - (uint8_t *)item);
}

static void list_add(Item item, uint64_t addr)
{
    Item *same = list_find(item.who, addr, item.shift);
    if (same) {
        list_remove(same);
    } else if (items == CAPACITY) {
        list_remove(&list[0]);
    }
    item.page = addr >> item.shift;
    list[items++] = item;
}

static bool meant(const Item *item, const DmarTlbSelection *s)
{
    uint64_t first = item->page << item->shift;
    uint64_t last = first + (BIT_AT(item->shift) - 1);
    if (item->tags.domain != s->domain || !(s->types >> item->tags.type & 1)) {
        return false;
    }
    if (s->by_pasid && item->tags.pasid != s->pasid) {
        return false;
    }
    return !s->by_range || (s->first <= last && first <= s->last);
}

static void list_drop(const DmarTlbSelection *s)
{
    for (unsigned i = items; i > 0; i--) {
        if (meant(&list[i - 1], s)) {
            list_remove(&list[i - 1]);
        }
    }
}

/* ---- Both ------------------------------------------------------------------------------ */

static void add(Item item, uint64_t addr)
{
    *(uint64_t *)dmar_tlb_add(tlb, item.who, addr, item.shift, item.tags) =
        item.value;
    list_add(item, addr);
}

static void drop(DmarTlbSelection s)
{
    dmar_tlb_drop(tlb, &s);
    list_drop(&s);
}

static void agree_on(uint64_t who, uint64_t addr, unsigned shift)
{
    const uint64_t *value = dmar_tlb_find(tlb, who, addr, shift);
    const Item *item = list_find(who, addr, shift);
    ck_assert_msg(!value == !item, "%s: who %lx addr %lx shift %u",
                  value ? "kept" : "lost", (unsigned long)who,
                  (unsigned long)addr, shift);
    ck_assert(!item || *value == item->value);
}

static const unsigned shifts[] = { 12, 21, 30, 39 };

static uint64_t random_addr(GRand *rand)
{
    static const uint64_t bases[] = { 0, 0x40000000, 0x7fffffe00000,
                                      0xffffffffc0000000 };
    uint64_t addr = bases[g_rand_int_range(rand, 0, 4)];
    addr += (uint64_t)g_rand_int_range(rand, 0, 2) << 30;
    addr += (uint64_t)g_rand_int_range(rand, 0, 3) << 21;
    return addr + ((uint64_t)g_rand_int_range(rand, 0, 6) << 12);
}

static void random_add(GRand *rand, uint64_t value)
{
    add((Item) { .who = g_rand_int_range(rand, 0, 3), .value = value,
                 .shift = shifts[g_rand_int_range(rand, 0, 4)],
                 .tags = { .domain = g_rand_int_range(rand, 0, 3) * 0x7fff,
                           .pasid = g_rand_int_range(rand, 0, 3),
                           .type = g_rand_int_range(rand, 0, 8) } },
        random_addr(rand));
}

static void random_drop(GRand *rand)
{
    uint64_t first = random_addr(rand);
    uint64_t size = BIT_AT(g_rand_int_range(rand, 12, 42));
    drop((DmarTlbSelection) {
        .domain = g_rand_int_range(rand, 0, 3) * 0x7fff,
        .by_pasid = g_rand_boolean(rand), .pasid = g_rand_int_range(rand, 0, 3),
        .types = g_rand_boolean(rand) ? EVERY_TYPE : g_rand_int(rand),
        .by_range = g_rand_int_range(rand, 0, 8) != 0,
        .first = first & -size, .last = first | (size - 1),
    });
}

static void agree_everywhere(void)
{
    for (unsigned i = 0; i < items; i++) {
        agree_on(list[i].who, list[i].page << list[i].shift, list[i].shift);
    }
}

START_TEST(the_store_does_what_a_list_does)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(_i);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned what = g_rand_int_range(rand, 0, 100);
        if (what < 60) {
            random_add(rand, step);
        } else if (what < 70) {
            random_drop(rand);
        } else if (what == 70 && g_rand_int_range(rand, 0, 10) == 0) {
            dmar_tlb_drop_all(tlb);
            items = 0;
        }
        agree_on(g_rand_int_range(rand, 0, 3), random_addr(rand),
                 shifts[g_rand_int_range(rand, 0, 4)]);
        if (step % 16 == 0) {
            agree_everywhere();
        }
    }
}
END_TEST

/* ---- Room ---------------------------------------------------------------------------------- */

static void add_page(unsigned n)
{
    add((Item) { .who = 1, .shift = 12, .value = n, .tags = { .domain = n } },
        n * PAGE);
}

static bool has_page(unsigned n)
{
    agree_on(1, n * PAGE, 12);
    return dmar_tlb_find(tlb, 1, n * PAGE, 12) != NULL;
}

START_TEST(a_full_store_gives_up_its_oldest_entry_only)
{
    for (unsigned n = 0; n < 3 * CAPACITY; n++) {
        add_page(n);
        for (unsigned k = 0; k <= n; k++) {
            ck_assert_int_eq(has_page(k), k + CAPACITY > n);
        }
    }
}
END_TEST

START_TEST(what_was_added_again_is_new)
{
    for (unsigned n = 0; n < CAPACITY; n++) {
        add_page(n);
    }
    add_page(0);
    add_page(CAPACITY);
    ck_assert(has_page(0) && !has_page(1) && has_page(2));
}
END_TEST

START_TEST(room_that_was_freed_is_used_before_anything_is_given_up)
{
    for (unsigned n = 0; n < CAPACITY; n++) {
        add_page(n);
    }
    for (unsigned n = 1; n < CAPACITY; n += 2) {
        drop((DmarTlbSelection) { .domain = n, .types = EVERY_TYPE });
    }
    for (unsigned n = 1; n < CAPACITY; n += 2) {
        add_page(CAPACITY + n);
    }
    for (unsigned n = 0; n < 2 * CAPACITY; n++) {
        ck_assert_int_eq(has_page(n), n < CAPACITY ? n % 2 == 0 : n % 2);
    }
    add_page(2 * CAPACITY);
    ck_assert(!has_page(0) && has_page(2));
}
END_TEST

START_TEST(an_emptied_store_is_as_a_new_one)
{
    for (unsigned n = 0; n < CAPACITY + 5; n++) {
        add_page(n);
    }
    dmar_tlb_drop_all(tlb);
    items = 0;
    for (unsigned n = 0; n < CAPACITY + 5; n++) {
        ck_assert(!has_page(n));
    }
    for (unsigned n = 0; n < CAPACITY; n++) {
        add_page(n);
    }
    ck_assert(has_page(0) && has_page(CAPACITY - 1));
}
END_TEST

START_TEST(an_entry_may_change_its_tags)
{
    add((Item) { .who = 1, .shift = 12, .tags = { .domain = 1 } }, PAGE);
    add((Item) { .who = 1, .shift = 12, .tags = { .domain = 2 } }, PAGE);
    drop((DmarTlbSelection) { .domain = 1, .types = EVERY_TYPE });
    ck_assert(has_page(1));
    drop((DmarTlbSelection) { .domain = 2, .types = EVERY_TYPE });
    ck_assert(!has_page(1));
}
END_TEST

/* ---- Ranges ---------------------------------------------------------------------------------- */

START_TEST(a_range_means_every_page_that_it_touches)
{
    unsigned shift = shifts[_i];
    uint64_t size = BIT_AT(shift), page = 5 * BIT_AT(39);
    const struct {
        uint64_t first, last;
        bool dropped;
    } ranges[] = {
        { page, page + size - 1, true }, { page + size - 1, page + size, true },
        { page - 1, page, true }, { page + size / 2, page + size / 2, true },
        { 0, UINT64_MAX, true }, { page - PAGE, page - 1, false },
        { page + size, page + size + PAGE - 1, false }, { 0, page - 1, false },
        { page + size, UINT64_MAX, false },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        add((Item) { .who = 1, .shift = shift, .tags = { .domain = 1 } }, page);
        drop((DmarTlbSelection) { .domain = 1, .types = EVERY_TYPE,
                                  .by_range = true, .first = ranges[i].first,
                                  .last = ranges[i].last });
        ck_assert_int_eq(!dmar_tlb_find(tlb, 1, page, shift), ranges[i].dropped);
        agree_on(1, page, shift);
    }
}
END_TEST

START_TEST(a_range_at_the_end_of_all_addresses_ends)
{
    uint64_t page = -BIT_AT(shifts[_i]);
    add((Item) { .who = 1, .shift = shifts[_i], .tags = { .domain = 1 } }, page);
    drop((DmarTlbSelection) { .domain = 1, .types = EVERY_TYPE, .by_range = true,
                              .first = -PAGE, .last = UINT64_MAX });
    ck_assert_ptr_null(dmar_tlb_find(tlb, 1, page, shifts[_i]));
}
END_TEST

/* ---- Effort ------------------------------------------------------------------------------------ */

/* The store is full of pages of domain 1 and type 2. */
static const struct {
    DmarTlbSelection what;
    unsigned at_most;           /* entries looked at */
} efforts[] = {
    { { .domain = 1, .types = EVERY_TYPE, .by_range = true,
        .first = PAGE, .last = 2 * PAGE - 1 }, 16 },
    { { .domain = 1, .types = EVERY_TYPE, .by_range = true,
        .first = BIT_AT(21), .last = BIT_AT(22) - 1 }, 1600 },
    { { .domain = 1, .types = 1 << 1 | 1 << 3 }, 0 },
    { { .domain = 1, .types = 1 << 1, .by_range = true, .last = BIT_AT(40) }, 0 },
    { { .domain = 2, .types = EVERY_TYPE }, 0 },
    { { .domain = 2, .types = EVERY_TYPE, .by_range = true,
        .last = UINT64_MAX }, 0 },
};

START_TEST(dropping_looks_at_no_more_than_it_has_to)
{
    dmar_tlb_free(tlb);
    make(1 << 14);
    for (unsigned n = 0; n < 1 << 14; n++) {
        dmar_tlb_add(tlb, 1, n * PAGE, 12,
                     (DmarTlbTags) { .domain = 1, .type = 2 });
    }
    dmar_tlb_drop(tlb, &efforts[_i].what);
    ck_assert_uint_le(dmar_tlb_examined(tlb), efforts[_i].at_most);
    ck_assert_ptr_nonnull(dmar_tlb_find(tlb, 1, 0, 12));
}
END_TEST

/* Of a range with more pages than the domain has entries these are. */
START_TEST(a_wide_range_is_dropped_entry_by_entry)
{
    DmarTlbSelection s = { .domain = 1, .types = EVERY_TYPE, .by_range = true,
                           .last = UINT64_MAX };
    for (unsigned n = 0; n < 3; n++) {
        dmar_tlb_add(tlb, 1, n * PAGE, 12, (DmarTlbTags) { .domain = 1 });
    }
    dmar_tlb_drop(tlb, &s);
    ck_assert_uint_eq(dmar_tlb_examined(tlb), 3);
    ck_assert_ptr_null(dmar_tlb_find(tlb, 1, 2 * PAGE, 12));
}
END_TEST

static Suite *store(void)
{
    const int sizes = G_N_ELEMENTS(shifts);
    Suite *s = suite_create("tlb");
    TCase *t = tcase_create("store");
    tcase_add_checked_fixture(t, begin_store, end_store);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    tcase_add_loop_test(t, the_store_does_what_a_list_does, 0, 20);
    tcase_add_test(t, a_full_store_gives_up_its_oldest_entry_only);
    tcase_add_test(t, what_was_added_again_is_new);
    tcase_add_test(t, room_that_was_freed_is_used_before_anything_is_given_up);
    tcase_add_test(t, an_emptied_store_is_as_a_new_one);
    tcase_add_test(t, an_entry_may_change_its_tags);
    tcase_add_loop_test(t, a_range_means_every_page_that_it_touches, 0, sizes);
    tcase_add_loop_test(t, a_range_at_the_end_of_all_addresses_ends, 0, sizes);
    tcase_add_loop_test(t, dropping_looks_at_no_more_than_it_has_to, 0,
                        G_N_ELEMENTS(efforts));
    tcase_add_test(t, a_wide_range_is_dropped_entry_by_entry);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(store(), argc, argv);
}
