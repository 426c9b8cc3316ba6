/*
 * Caches, their tags and what empties them [VT-d 6.2, 6.2.1, 6.5, 6.6].
 *
 * Every rule is told both ways: without the invalidation, or with a narrower
 * one, the old entry is still used; with it, the new one is.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#define DEV         0x0710
#define OTHER_DEV   0x0711
#define PASID       0x31
#define OTHER_PASID 0x32
#define DOMAIN      0x15
#define OTHER_DOMAIN 0x16
#define IOVA        0x2345000ull
#define OLD         0x11111000ull
#define NEW         0x22222000ull

static Space space, other;

/*
 * (DEV, PASID), (DEV, no PASID) and (OTHER_DEV, PASID) in DOMAIN, where IOVA
 * is OLD; (DEV, OTHER_PASID) in OTHER_DOMAIN, where it is NEW.
 */
static void given_machine(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    given_context(OTHER_DEV);
    space = given_space(DOMAIN, 3);
    other = given_space(OTHER_DOMAIN, 3);
    map(&space, IOVA, OLD, PAGE, RW);
    map(&other, IOVA, NEW, PAGE, RW);
    given_pasid(DEV, PASID, &space);
    given_rid(DEV, &space);
    given_pasid(OTHER_DEV, PASID, &space);
    given_pasid(DEV, OTHER_PASID, &other);
}

static void everything_is_cached(void)
{
    both_reach(DEV, PASID, IOVA, OLD);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    both_reach(OTHER_DEV, PASID, IOVA, OLD);
    both_reach(DEV, OTHER_PASID, IOVA, NEW);
}

/* Descriptors, by name, so that rules can be rows of a table. */
typedef enum Order {
    NOTHING,
    CC_GLOBAL, CC_DOMAIN, CC_DEVICE, CC_OTHER_DEVICE,
    PC_GLOBAL, PC_DOMAIN, PC_PASID, PC_OTHER_DOMAIN, PC_OTHER_PASID,
    PC_PASID_OF_OTHER_DOMAIN, PC_RID_PASID,
    IOTLB_GLOBAL, IOTLB_DOMAIN, IOTLB_PAGE, IOTLB_PAGE_LEAVES,
    IOTLB_OTHER_DOMAIN, IOTLB_OTHER_PAGE, IOTLB_PAGE_OF_OTHER_DOMAIN,
    P_IOTLB_PASID, P_IOTLB_OTHER_PASID, P_IOTLB_PASID_OF_OTHER_DOMAIN,
    P_IOTLB_RID_PASID,
    DEVICE_TLB, P_DEVICE_TLB, INTERRUPTS, WAIT,
    ORDERS
} Order;

static void give(Order order)
{
    const Descriptor descriptors[ORDERS] = {
        [NOTHING] = wait_fence(),
        [CC_GLOBAL] = context_global(),
        [CC_DOMAIN] = context_domain(DOMAIN),
        [CC_DEVICE] = context_device(DOMAIN, DEV, 0),
        [CC_OTHER_DEVICE] = context_device(DOMAIN, OTHER_DEV, 0),
        [PC_GLOBAL] = pasid_cache_global(),
        [PC_DOMAIN] = pasid_cache_domain(DOMAIN),
        [PC_PASID] = pasid_cache_pasid(DOMAIN, PASID),
        [PC_OTHER_DOMAIN] = pasid_cache_domain(OTHER_DOMAIN),
        [PC_OTHER_PASID] = pasid_cache_pasid(DOMAIN, OTHER_PASID),
        [PC_PASID_OF_OTHER_DOMAIN] = pasid_cache_pasid(OTHER_DOMAIN, PASID),
        [PC_RID_PASID] = pasid_cache_pasid(DOMAIN, RID_PASID),
        [IOTLB_GLOBAL] = iotlb_global(),
        [IOTLB_DOMAIN] = iotlb_domain(DOMAIN),
        [IOTLB_PAGE] = iotlb_page(DOMAIN, IOVA, 0, NON_LEAVES_TOO),
        [IOTLB_PAGE_LEAVES] = iotlb_page(DOMAIN, IOVA, 0, ONLY_LEAVES),
        [IOTLB_OTHER_DOMAIN] = iotlb_domain(OTHER_DOMAIN),
        [IOTLB_OTHER_PAGE] = iotlb_page(DOMAIN, IOVA + PAGE, 0, NON_LEAVES_TOO),
        [IOTLB_PAGE_OF_OTHER_DOMAIN] =
            iotlb_page(OTHER_DOMAIN, IOVA, 0, NON_LEAVES_TOO),
        [P_IOTLB_PASID] = p_iotlb_pasid(DOMAIN, PASID),
        [P_IOTLB_OTHER_PASID] = p_iotlb_pasid(DOMAIN, OTHER_PASID),
        [P_IOTLB_PASID_OF_OTHER_DOMAIN] = p_iotlb_pasid(OTHER_DOMAIN, PASID),
        [P_IOTLB_RID_PASID] = p_iotlb_pasid(DOMAIN, RID_PASID),
        [DEVICE_TLB] = device_tlb(DEV, 0x7ffffffffffff000, true),
        [P_DEVICE_TLB] = p_device_tlb(DEV, PASID, 0x7ffffffffffff000, true),
        [INTERRUPTS] = interrupt_global(),
        [WAIT] = wait_fence(),
    };
    execute(descriptors[order]);
    m.device_tlbs = 0;
}

/* ---- Second-stage entries [VT-d 6.5.2.3, 6.5.2.4] ------------------------ */

static const Order enough_for_a_leaf[] = {
    IOTLB_GLOBAL, IOTLB_DOMAIN, IOTLB_PAGE, IOTLB_PAGE_LEAVES, P_IOTLB_PASID,
};

static const Order not_enough_for_a_page[] = {
    NOTHING, CC_GLOBAL, CC_DEVICE, PC_GLOBAL, PC_DOMAIN, PC_PASID,
    IOTLB_OTHER_DOMAIN, IOTLB_OTHER_PAGE, IOTLB_PAGE_OF_OTHER_DOMAIN,
    P_IOTLB_OTHER_PASID, P_IOTLB_PASID_OF_OTHER_DOMAIN, P_IOTLB_RID_PASID,
    DEVICE_TLB, P_DEVICE_TLB, INTERRUPTS,
};

START_TEST(a_leaf_that_changed_is_seen_after)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA, NEW, PAGE, RW);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_leaf[_i]);
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_leaf_that_was_cleared_is_gone_after)
{
    given_machine(&widest);
    everything_is_cached();
    unmap(&space, IOVA);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_leaf[_i]);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    read_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_leaf_that_changed_stays_cached_after)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA, NEW, PAGE, RW);
    give(not_enough_for_a_page[_i]);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_right_that_was_taken_is_gone_only_after_invalidation)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA, OLD, PAGE, R);
    write_reaches(DEV, PASID, IOVA, OLD);
    give(IOTLB_PAGE);
    write_faults(DEV, PASID, IOVA, FAULT_WRITE_DENIED);
    read_reaches(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(an_upper_entry_that_was_cleared_is_gone_after)
{
    static const Order enough[] = { IOTLB_GLOBAL, IOTLB_DOMAIN, IOTLB_PAGE };
    unsigned level = 2 + _i % 2;
    given_machine(&widest);
    everything_is_cached();
    poke(paging_entry_at(&space, IOVA, level), 0);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough[_i / 2]);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_domain_s_page_is_dropped_for_all_who_share_it)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA, NEW, PAGE, RW);
    give(IOTLB_PAGE);
    both_reach(DEV, PASID, IOVA, NEW);
    both_reach(DEV, NO_PASID, IOVA, NEW);
    both_reach(OTHER_DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(requests_without_pasid_are_cached_under_rid_pasid)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA, NEW, PAGE, RW);
    give(P_IOTLB_PASID);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    give(P_IOTLB_RID_PASID);
    both_reach(DEV, NO_PASID, IOVA, NEW);
}
END_TEST

START_TEST(the_same_page_of_another_domain_stays)
{
    given_machine(&widest);
    everything_is_cached();
    map(&other, IOVA, OLD, PAGE, RW);
    give(IOTLB_DOMAIN);
    give(IOTLB_PAGE);
    both_reach(DEV, OTHER_PASID, IOVA, NEW);
    give(IOTLB_OTHER_DOMAIN);
    both_reach(DEV, OTHER_PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_mask_drops_exactly_its_pages)
{
    enum { PAGES = 64 };
    given_machine(&widest);
    for (unsigned i = 0; i < PAGES; i++) {
        map(&space, i * PAGE, OLD, PAGE, RW);
        write_reaches(DEV, PASID, i * PAGE, OLD);
        map(&space, i * PAGE, NEW, PAGE, RW);
    }
    unsigned count = 1u << _i, first = count == PAGES ? 0 : count;
    execute(iotlb_page(DOMAIN, first * PAGE, _i, ONLY_LEAVES));
    for (unsigned i = 0; i < PAGES; i++) {
        bool dropped = i >= first && i < first + count;
        write_reaches(DEV, PASID, i * PAGE, dropped ? NEW : OLD);
    }
}
END_TEST

START_TEST(an_unaligned_address_means_the_aligned_range)
{
    given_machine(&widest);
    map(&space, 0x4000, OLD, PAGE, RW);
    write_reaches(DEV, PASID, 0x4000, OLD);
    unmap(&space, 0x4000);
    execute(iotlb_page(DOMAIN, 0x7000, 2, ONLY_LEAVES));
    write_faults(DEV, PASID, 0x4000, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(a_large_page_is_dropped_by_its_mask)
{
    static const struct {
        uint64_t size;
        unsigned mask;
    } large[] = { { LARGE, 9 }, { HUGE, 18 } };
    uint64_t size = large[_i].size;
    given_machine(&widest);
    map(&space, 3 * HUGE, 5 * HUGE, size, RW);
    write_reaches(DEV, PASID, 3 * HUGE + size - 1, 5 * HUGE + size - 1);
    unmap(&space, 3 * HUGE);
    write_reaches(DEV, PASID, 3 * HUGE, 5 * HUGE);
    execute(iotlb_page(DOMAIN, 3 * HUGE, large[_i].mask, ONLY_LEAVES));
    write_faults(DEV, PASID, 3 * HUGE, FAULT_SS_NOT_PRESENT);
    write_faults(DEV, PASID, 3 * HUGE + size - 1, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(the_whole_range_of_a_domain_can_be_dropped_by_mask)
{
    given_machine(&widest);
    everything_is_cached();
    unmap(&space, IOVA);
    execute(p_iotlb_page(DOMAIN, PASID, 0, 52, ONLY_LEAVES));
    execute(iotlb_page(DOMAIN, IOVA & -HUGE, 18, ONLY_LEAVES));
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

/* ---- PASID-table entries [VT-d 6.5.2.2] ---------------------------------- */

static const Order enough_for_a_pasid[] = { PC_GLOBAL, PC_DOMAIN, PC_PASID };

static const Order not_enough_for_a_pasid[] = {
    NOTHING, CC_GLOBAL, CC_DEVICE, PC_OTHER_DOMAIN, PC_OTHER_PASID,
    PC_PASID_OF_OTHER_DOMAIN, PC_RID_PASID, IOTLB_GLOBAL, IOTLB_DOMAIN,
    P_IOTLB_PASID, DEVICE_TLB, P_DEVICE_TLB, INTERRUPTS,
};

START_TEST(a_pasid_that_was_taken_away_is_gone_after)
{
    given_machine(&widest);
    everything_is_cached();
    given_no_pasid(DEV, PASID);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_pasid[_i]);
    give(IOTLB_DOMAIN);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
    both_reach(OTHER_DEV, PASID, IOVA, OLD);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    both_reach(DEV, OTHER_PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_pasid_that_was_taken_away_stays_after)
{
    given_machine(&widest);
    everything_is_cached();
    given_no_pasid(DEV, PASID);
    give(not_enough_for_a_pasid[_i]);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_pasid_that_moved_to_another_domain_follows_after)
{
    given_machine(&widest);
    everything_is_cached();
    given_pasid(DEV, PASID, &other);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_pasid[_i]);
    give(IOTLB_DOMAIN);
    both_reach(DEV, PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_pasid_that_became_pass_through_follows_after)
{
    given_machine(&widest);
    everything_is_cached();
    given_pass_through(DEV, PASID, OTHER_DOMAIN);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_pasid[_i]);
    give(P_IOTLB_PASID);
    both_reach(DEV, PASID, IOVA, IOVA);
}
END_TEST

START_TEST(a_directory_entry_that_was_cleared_is_gone_after)
{
    given_machine(&widest);
    everything_is_cached();
    poke(directory_entry_at(DEV, PASID), 0);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_pasid[_i]);
    give(IOTLB_DOMAIN);
    write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
}
END_TEST

START_TEST(an_uncached_page_uses_the_cached_pasid)
{
    given_machine(&widest);
    everything_is_cached();
    map(&space, IOVA + PAGE, NEW, PAGE, RW);
    given_no_pasid(DEV, PASID);
    both_reach(DEV, PASID, IOVA + PAGE, NEW);
}
END_TEST

/* ---- Context and root entries [VT-d 6.5.2.1, 6.6] ------------------------ */

static const Order enough_for_a_context[] = { CC_GLOBAL, CC_DOMAIN, CC_DEVICE };

static const Order not_enough_for_a_context[] = {
    NOTHING, CC_OTHER_DEVICE, PC_GLOBAL, IOTLB_GLOBAL, P_IOTLB_PASID, INTERRUPTS,
};

static void forget_pasids(void)
{
    give(PC_GLOBAL);
    give(IOTLB_GLOBAL);
}

START_TEST(a_context_that_was_cleared_is_gone_after)
{
    given_machine(&widest);
    everything_is_cached();
    poke(context_entry_at(DEV), 0);
    both_reach(DEV, PASID, IOVA, OLD);
    give(enough_for_a_context[_i]);
    forget_pasids();
    write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
    write_faults(DEV, NO_PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
    both_reach(OTHER_DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_context_that_was_cleared_stays_after)
{
    given_machine(&widest);
    everything_is_cached();
    poke(context_entry_at(DEV), 0);
    give(not_enough_for_a_context[_i]);
    both_reach(DEV, PASID, IOVA, OLD);
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_function_mask_drops_its_functions)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    given_scalable(&widest);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, OLD, PAGE, RW);
    for (uint16_t sid = 0x0710; sid < 0x0720; sid++) {
        given_context(sid);
        given_pasid(sid, PASID, &space);
        write_reaches(sid, PASID, IOVA, OLD);
        flip(context_entry_at(sid), 0);
    }
    execute(context_device(DOMAIN, 0x0713, _i));
    forget_pasids();
    for (uint16_t sid = 0x0710; sid < 0x0720; sid++) {
        if ((sid & ~ignored[_i]) == (0x0713 & ~ignored[_i])) {
            write_faults(sid, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
        } else {
            write_reaches(sid, PASID, IOVA, OLD);
        }
    }
}
END_TEST

START_TEST(a_root_entry_that_was_cleared_is_gone_after_invalidation)
{
    given_machine(&widest);
    everything_is_cached();
    poke(root_entry_at(DEV), 0);
    both_reach(DEV, PASID, IOVA, OLD);
    give(CC_GLOBAL);
    forget_pasids();
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(a_new_root_table_is_seen_after_invalidation)
{
    given_machine(&widest);
    everything_is_cached();
    ck_assert(!(reg(CAP_REG) & CAP_ESRTPS));
    set_root(new_page(), TTM_SCALABLE);
    both_reach(DEV, PASID, IOVA, OLD);
    give(CC_GLOBAL);
    forget_pasids();
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(switching_translation_off_forgets_everything)
{
    given_machine(&widest);
    everything_is_cached();
    poke(root_entry_at(DEV), 0);
    command_off(GCMD_TE);
    command(GCMD_TE);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

START_TEST(reset_forgets_everything)
{
    given_machine(&widest);
    everything_is_cached();
    uint64_t root = m.root;
    poke(root_entry_at(DEV), 0);
    dmar_reset(m.dmar);
    both_reach(DEV, NO_PASID, IOVA, IOVA);
    set_root(root, TTM_SCALABLE);
    command(GCMD_TE);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
}
END_TEST

/* ---- What needs no invalidation ------------------------------------------------------------------ */

START_TEST(what_becomes_present_is_seen_at_once)
{
    const DmarConfig *config = &variants[_i].config;
    if (config->caching_mode) {
        return;
    }
    given_scalable(config);
    space = given_space(DOMAIN, 3);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
    context_entry_at(DEV);                          /* makes a root entry */
    write_faults(DEV, PASID, IOVA, FAULT_CONTEXT_NOT_PRESENT);
    given_context(DEV);
    write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
    pasid_entry_at(DEV, PASID);
    write_faults(DEV, PASID, IOVA, FAULT_PASID_ENTRY_NOT_PRESENT);
    given_pasid(DEV, PASID, &space);
    for (unsigned level = 2; level > 0; level--) {
        write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
        paging_entry_at(&space, IOVA, level);
    }
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    map(&space, IOVA, OLD, PAGE, RW);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(what_was_repaired_is_seen_at_once)
{
    given_machine(&widest);
    const uint64_t at[] = {
        root_entry_at(DEV), context_entry_at(DEV),
        directory_entry_at(DEV, PASID), pasid_entry_at(DEV, PASID),
        paging_entry_at(&space, IOVA, 1),
    };
    const unsigned bit[] = { 2, 5, 3, 5, 62 };
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        flip(at[i], bit[i]);
        ck_assert_int_eq(dma(DMAR_WRITE, DEV, PASID, IOVA).completion,
                         DMAR_UNSUPPORTED_REQUEST);
        ck_assert(take_fault().recorded);
        flip(at[i], bit[i]);
        both_reach(DEV, PASID, IOVA, OLD);
        forget_everything();
    }
}
END_TEST

START_TEST(caching_mode_works_with_the_invalidations_it_asks_for)
{
    DmarConfig config = widest;
    config.caching_mode = true;
    given_scalable(&config);
    ck_assert(reg(CAP_REG) & CAP_CM);
    space = given_space(DOMAIN, 3);
    write_faults(DEV, PASID, IOVA, FAULT_ROOT_NOT_PRESENT);
    given_context(DEV);
    give(CC_GLOBAL);
    write_faults(DEV, PASID, IOVA, FAULT_DIRECTORY_NOT_PRESENT);
    given_pasid(DEV, PASID, &space);
    give(PC_GLOBAL);
    give(P_IOTLB_PASID);
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
    map(&space, IOVA, OLD, PAGE, RW);
    give(IOTLB_PAGE);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

START_TEST(domain_bits_above_the_unit_s_width_are_ignored)
{
    DmarConfig config = widest;
    config.domain_bits = 8;
    given_machine(&config);
    everything_is_cached();
    unmap(&space, IOVA);
    execute(iotlb_domain(DOMAIN | 0x5500));
    write_faults(DEV, PASID, IOVA, FAULT_SS_NOT_PRESENT);
}
END_TEST

START_TEST(more_pages_than_any_cache_holds_do_not_mix)
{
    enum { PAGES = 20000 };
    given_machine(&widest);
    for (unsigned i = 0; i < PAGES; i++) {
        map(&space, i * PAGE, OLD + i * PAGE, PAGE, RW);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < PAGES; i++) {
            write_reaches(DEV, PASID, i * PAGE, OLD + i * PAGE);
        }
    }
    for (unsigned i = 0; i < PAGES; i++) {
        unmap(&space, i * PAGE);
    }
    give(IOTLB_DOMAIN);
    for (unsigned i = 0; i < PAGES; i += 97) {
        write_faults(DEV, PASID, i * PAGE, FAULT_SS_NOT_PRESENT);
    }
}
END_TEST

/* One table page of PASID entries stands for all 2^14 of them. */
START_TEST(more_pasids_than_any_cache_holds_do_not_mix)
{
    given_scalable(&widest);
    given_context_of_size(DEV, 7, RID_PASID);
    space = given_space(DOMAIN, 3);
    map(&space, IOVA, OLD, PAGE, RW);
    given_pasid(DEV, 0, &space);
    other = given_space(OTHER_DOMAIN, 3);
    map(&other, IOVA, NEW, PAGE, RW);
    given_pasid(DEV, 1, &other);
    for (uint32_t pasid = 2; pasid < 6; pasid++) {
        given_pasid(DEV, pasid, pasid % 2 ? &other : &space);
    }
    for (uint32_t pasid = 64; pasid < 1u << 20; pasid += 64) {
        poke(directory_entry_at(DEV, pasid), peek(directory_entry_at(DEV, 0)));
    }
    for (uint32_t pasid = 64 * 2; pasid < 1u << 20; pasid += 64) {
        for (uint32_t i = 0; i < 6; i++) {
            write_reaches(DEV, pasid + i, IOVA, i % 2 ? NEW : OLD);
        }
    }
    for (uint32_t pasid = 64 * 2; pasid < 1u << 20; pasid += 64 * 61) {
        write_reaches(DEV, pasid, IOVA, OLD);
        write_reaches(DEV, pasid + 1, IOVA, NEW);
    }
}
END_TEST

/* ---- Legacy mode ------------------------------------------------------------------------------------ */

static void given_legacy_machine(const DmarConfig *config)
{
    given_legacy(config);
    space = given_space(DOMAIN, 3);
    other = given_space(OTHER_DOMAIN, 3);
    map(&space, IOVA, OLD, PAGE, RW);
    map(&other, IOVA, NEW, PAGE, RW);
    given_legacy_context(DEV, TT_SECOND_STAGE, &space);
    given_legacy_context(OTHER_DEV, TT_SECOND_STAGE, &other);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    both_reach(OTHER_DEV, NO_PASID, IOVA, NEW);
}

START_TEST(a_legacy_leaf_is_gone_after)
{
    static const Order enough[] = { IOTLB_GLOBAL, IOTLB_DOMAIN, IOTLB_PAGE };
    given_legacy_machine(&widest);
    unmap(&space, IOVA);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    give(enough[_i]);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_WRITE_DENIED);
    both_reach(OTHER_DEV, NO_PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_legacy_leaf_stays_after)
{
    static const Order narrow[] = { NOTHING, CC_GLOBAL, IOTLB_OTHER_DOMAIN,
                                    IOTLB_OTHER_PAGE,
                                    IOTLB_PAGE_OF_OTHER_DOMAIN };
    given_legacy_machine(&widest);
    unmap(&space, IOVA);
    give(narrow[_i]);
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_legacy_context_follows_after)
{
    static const Order enough[] = { CC_GLOBAL, CC_DOMAIN, CC_DEVICE };
    given_legacy_machine(&widest);
    given_legacy_context(DEV, TT_SECOND_STAGE, &other);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    give(enough[_i]);
    give(IOTLB_DOMAIN);
    both_reach(DEV, NO_PASID, IOVA, NEW);
}
END_TEST

START_TEST(a_legacy_context_stays_after)
{
    static const Order narrow[] = { NOTHING, CC_OTHER_DEVICE, IOTLB_GLOBAL };
    given_legacy_machine(&widest);
    poke(legacy_context_at(DEV), 0);
    give(narrow[_i]);
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_legacy_context_of_another_domain_stays)
{
    given_legacy_machine(&widest);
    poke(legacy_context_at(DEV), 0);
    execute(context_domain(OTHER_DOMAIN));
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

/* ---- Registers [VT-d 6.5.1, 11.4.6.1, 11.4.6.2] -------------------------- */

#define GRANULARITY_GLOBAL  1ull
#define GRANULARITY_DOMAIN  2ull
#define GRANULARITY_FINEST  3ull

static void given_registers_only(void)
{
    given_legacy_machine(&widest);
    command_off(GCMD_QIE);
}

static unsigned context_command(uint64_t granularity)
{
    set_reg(CCMD_REG, CCMD_ICC | granularity << 61 | (uint64_t)DEV << 16 |
            DOMAIN);
    ck_assert(!(reg(CCMD_REG) & CCMD_ICC));
    return field_get(reg(CCMD_REG), CCMD_CAIG);
}

static unsigned iotlb_command(uint64_t granularity, uint64_t addr, unsigned am)
{
    uint64_t at = iotlb_reg();
    set_reg(at - 8, addr | am);
    set_reg(at, IOTLB_IVT | granularity << 60 | (uint64_t)DOMAIN << 32);
    ck_assert(!(reg(at) & IOTLB_IVT));
    return field_get(reg(at), IOTLB_IAIG);
}

START_TEST(registers_drop_contexts)
{
    given_registers_only();
    poke(legacy_context_at(DEV), 0);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    unsigned done = context_command(_i);
    ck_assert_uint_ge(done, 1);
    ck_assert_uint_le(done, _i);                    /* as asked, or coarser */
    iotlb_command(GRANULARITY_GLOBAL, 0, 0);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_CONTEXT_NOT_PRESENT);
}
END_TEST

START_TEST(registers_drop_pages)
{
    given_registers_only();
    unmap(&space, IOVA);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    unsigned done = iotlb_command(_i, IOVA, 0);
    ck_assert_uint_ge(done, 1);
    ck_assert_uint_le(done, _i);
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_WRITE_DENIED);
}
END_TEST

START_TEST(a_register_drops_no_other_page)
{
    given_registers_only();
    unmap(&space, IOVA);
    iotlb_command(GRANULARITY_FINEST, IOVA + PAGE, 0);
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

START_TEST(a_command_register_may_be_written_in_halves)
{
    given_registers_only();
    unmap(&space, IOVA);
    uint64_t at = iotlb_reg();
    set_reg32(at, 0);
    both_reach(DEV, NO_PASID, IOVA, OLD);
    set_reg32(at + 4, (IOTLB_IVT | GRANULARITY_GLOBAL << 60) >> 32);
    ck_assert(!(reg(at) & IOTLB_IVT));
    write_faults(DEV, NO_PASID, IOVA, FAULT_LEGACY_WRITE_DENIED);
}
END_TEST

START_TEST(a_register_refuses_what_it_cannot_do)
{
    given_registers_only();
    unmap(&space, IOVA);
    unsigned mamv = field_get(reg(CAP_REG), CAP_MAMV);
    ck_assert_uint_eq(iotlb_command(GRANULARITY_FINEST, IOVA, mamv + 1), 0);
    ck_assert_uint_eq(iotlb_command(0, IOVA, 0), 0);
    ck_assert_uint_eq(context_command(0), 0);
    both_reach(DEV, NO_PASID, IOVA, OLD);
}
END_TEST

START_TEST(registers_invalidate_nothing_in_scalable_mode)
{
    given_machine(&widest);
    everything_is_cached();
    command_off(GCMD_QIE);
    unmap(&space, IOVA);
    ck_assert_uint_eq(context_command(GRANULARITY_GLOBAL), 0);
    ck_assert_uint_eq(iotlb_command(GRANULARITY_GLOBAL, 0, 0), 0);
    both_reach(DEV, PASID, IOVA, OLD);
}
END_TEST

#define add_each(t, test, rows) \
    tcase_add_loop_test(t, test, 0, G_N_ELEMENTS(rows))

static Suite *invalidation(void)
{
    Suite *s = suite_create("invalidation");
    TCase *t = tests_of(s, "second stage");
    add_each(t, a_leaf_that_changed_is_seen_after, enough_for_a_leaf);
    add_each(t, a_leaf_that_was_cleared_is_gone_after, enough_for_a_leaf);
    add_each(t, a_leaf_that_changed_stays_cached_after,
             not_enough_for_a_page);
    tcase_add_test(t, a_right_that_was_taken_is_gone_only_after_invalidation);
    tcase_add_loop_test(t, an_upper_entry_that_was_cleared_is_gone_after, 0, 6);
    tcase_add_test(t, a_domain_s_page_is_dropped_for_all_who_share_it);
    tcase_add_test(t, requests_without_pasid_are_cached_under_rid_pasid);
    tcase_add_test(t, the_same_page_of_another_domain_stays);
    tcase_add_loop_test(t, a_mask_drops_exactly_its_pages, 0, 7);
    tcase_add_test(t, an_unaligned_address_means_the_aligned_range);
    tcase_add_loop_test(t, a_large_page_is_dropped_by_its_mask, 0, 2);
    tcase_add_test(t, the_whole_range_of_a_domain_can_be_dropped_by_mask);
    tcase_add_test(t, more_pages_than_any_cache_holds_do_not_mix);
    tcase_add_test(t, more_pasids_than_any_cache_holds_do_not_mix);
    tcase_add_test(t, domain_bits_above_the_unit_s_width_are_ignored);

    t = tests_of(s, "PASIDs");
    add_each(t, a_pasid_that_was_taken_away_is_gone_after,
             enough_for_a_pasid);
    add_each(t, a_pasid_that_was_taken_away_stays_after,
             not_enough_for_a_pasid);
    add_each(t, a_pasid_that_moved_to_another_domain_follows_after,
             enough_for_a_pasid);
    add_each(t, a_pasid_that_became_pass_through_follows_after,
             enough_for_a_pasid);
    add_each(t, a_directory_entry_that_was_cleared_is_gone_after,
             enough_for_a_pasid);
    tcase_add_test(t, an_uncached_page_uses_the_cached_pasid);

    t = tests_of(s, "contexts");
    add_each(t, a_context_that_was_cleared_is_gone_after,
             enough_for_a_context);
    add_each(t, a_context_that_was_cleared_stays_after,
             not_enough_for_a_context);
    tcase_add_loop_test(t, a_function_mask_drops_its_functions, 0, 4);
    tcase_add_test(t, a_root_entry_that_was_cleared_is_gone_after_invalidation);
    tcase_add_test(t, a_new_root_table_is_seen_after_invalidation);
    tcase_add_test(t, switching_translation_off_forgets_everything);
    tcase_add_test(t, reset_forgets_everything);

    t = tests_of(s, "nothing to do");
    tcase_add_loop_test(t, what_becomes_present_is_seen_at_once, 0,
                        variant_count);
    tcase_add_test(t, what_was_repaired_is_seen_at_once);
    tcase_add_test(t, caching_mode_works_with_the_invalidations_it_asks_for);

    t = tests_of(s, "legacy mode");
    tcase_add_loop_test(t, a_legacy_leaf_is_gone_after, 0, 3);
    tcase_add_loop_test(t, a_legacy_leaf_stays_after, 0, 5);
    tcase_add_loop_test(t, a_legacy_context_follows_after, 0, 3);
    tcase_add_loop_test(t, a_legacy_context_stays_after, 0, 3);
    tcase_add_test(t, a_legacy_context_of_another_domain_stays);

    t = tests_of(s, "registers");
    tcase_add_loop_test(t, registers_drop_contexts, 1, 4);
    tcase_add_loop_test(t, registers_drop_pages, 1, 4);
    tcase_add_test(t, a_register_drops_no_other_page);
    tcase_add_test(t, a_command_register_may_be_written_in_halves);
    tcase_add_test(t, a_register_refuses_what_it_cannot_do);
    tcase_add_test(t, registers_invalidate_nothing_in_scalable_mode);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(invalidation(), argc, argv);
}
