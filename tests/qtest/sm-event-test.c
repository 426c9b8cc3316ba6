/*
 * The messages of intel-iommu-sm itself, and where they go: the fault event
 * and the invalidation completion event, to memory above 4 GiB and to local
 * APICs [VT-d 5.1.6, 6.5.2.10, 7.3].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-interrupt.h"

#define VECTOR          0x51
#define HIGH_MEMORY     0x123456780ull
#define REG_IECTL       0x0a0

/* From an event's control register on. */
enum { EVENT_DATA = 4, EVENT_ADDR = 8, EVENT_UPPER = 12 };

typedef struct Event {
    unsigned control;
    void (*raise)(SmBed *bed);
    void (*clear)(SmBed *bed);
} Event;

static void raise_fault(SmBed *bed)
{
    edu_load(&bed->edu, 0, 4);
}

static void clear_fault(SmBed *bed)
{
    sm_bed_assert_fault(bed, 0x79, 0, true);
}

/* A wait descriptor with IF. */
static void raise_completion(SmBed *bed)
{
    sm_queue_put(&bed->sm, 1 << 4 | 5, 0);
}

static void clear_completion(SmBed *bed)
{
    const unsigned ics = 0x09c;

    g_assert_cmphex(sm_readl(&bed->sm, ics), ==, 1);
    sm_writel(&bed->sm, ics, 1);
}

static const Event fault = { SM_REG_FECTL, raise_fault, clear_fault };
static const Event completion = { REG_IECTL, raise_completion,
                                  clear_completion };

/* Two CPUs; 2 GiB of memory lie above 4 GiB. */
static void event_open(SmBed *bed)
{
    SmMap map;

    sm_bed_open(bed, "", "-smp 2 -m 4G");
    map = sm_map_new(&bed->sm, 4);
    sm_map(&bed->sm, &map, SM_BED_IOVA, sm_bed_page(0), 2, SM_RW);
    sm_bed_use_map(bed, map);
    sm_start(&bed->sm);
}

static void send_event(SmBed *bed, const Event *event, uint64_t addr,
                       uint32_t data)
{
    sm_writel(&bed->sm, event->control + EVENT_DATA, data);
    sm_writel(&bed->sm, event->control + EVENT_ADDR, addr);
    sm_writel(&bed->sm, event->control + EVENT_UPPER, addr >> 32);
    sm_writel(&bed->sm, event->control, 0);
    event->raise(bed);
    event->clear(bed);
}

static void test_high_memory(const void *data)
{
    uint32_t low = (uint32_t)HIGH_MEMORY;
    SmBed bed;

    event_open(&bed);
    qtest_writel(bed.qts, low, 0x1111);
    send_event(&bed, data, HIGH_MEMORY, 0x4321);
    g_assert_cmphex(qtest_readl(bed.qts, HIGH_MEMORY), ==, 0x4321);
    g_assert_cmphex(qtest_readl(bed.qts, low), ==, 0x1111);
    sm_bed_close(&bed);
}

typedef struct Destination {
    const char *path;
    const Event *event;
    uint64_t addr;
    bool requested[2];          /* of the APICs 0 and 1 */
} Destination;

/* Destination-ids: bits 19:12, and with x2APIC 63:40 above them.  The APICs
 * here are no x2APICs, and see the lowest eight bits only. */
static const Destination destinations[] = {
    { "/sm/event/fault/apic-0", &fault, 0xfee00000, { true, false } },
    { "/sm/event/fault/apic-1", &fault, 0xfee01000, { false, true } },
    { "/sm/event/fault/every-apic", &fault, 0xfeeff000, { true, true } },
    { "/sm/event/fault/x2apic-100", &fault, 0x100fee00000, { true, false } },
    { "/sm/event/fault/x2apic-101", &fault, 0x100fee01000, { false, true } },
    { "/sm/event/completion/apic-0", &completion, 0xfee00000,
      { true, false } },
    { "/sm/event/completion/apic-1", &completion, 0xfee01000,
      { false, true } },
    { "/sm/event/completion/every-apic", &completion, 0xfeeff000,
      { true, true } },
    { "/sm/event/completion/x2apic-100", &completion, 0x100fee00000,
      { true, false } },
    { "/sm/event/completion/x2apic-101", &completion, 0x100fee01000,
      { false, true } },
};

static void test_to_apic(const void *data)
{
    const Destination *to = data;
    unsigned i;
    SmBed bed;

    event_open(&bed);
    send_event(&bed, to->event, to->addr, VECTOR);
    for (i = 0; i < 2; i++) {
        g_assert_cmpint(requested_at(bed.qts, i, VECTOR), ==,
                        to->requested[i]);
    }
    sm_bed_close(&bed);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("/sm/event/fault/memory-above-4g", &fault,
                        test_high_memory);
    qtest_add_data_func("/sm/event/completion/memory-above-4g", &completion,
                        test_high_memory);
    for (i = 0; i < G_N_ELEMENTS(destinations); i++) {
        qtest_add_data_func(destinations[i].path, &destinations[i],
                            test_to_apic);
    }
    return g_test_run();
}
