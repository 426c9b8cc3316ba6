/*
 * dma-bench: a PCI Express function that measures what its DMA costs.
 *
 * A tool of developers.  It reads memory, by its source-id or with a PASID,
 * and gives commands to a remapping unit as a driver would, by descriptors in
 * a ring and a write to a doorbell, in loops that run inside of the register
 * write which starts them: so nothing but QEMU's work is timed.  The machine
 * stands still meanwhile, for as long as software asked for: no device for a
 * guest that is not trusted.  include/hw/misc/dma_bench_regs.h has the
 * registers and what a program is.
 *
 * With noop-iommu=on, reads without PASID pass an IOMMU region of the device's
 * own, which translates every address to itself: what the memory API takes for
 * any IOMMU at all.
 *
 * All state is the registers'.  Runs under the BQL; threads that it makes read
 * only and are gone when the run ends.  They need no lock, but the memory API
 * takes the BQL for reads that are refused, so it is let go meanwhile; another
 * access to the registers is kept away by the region's reentrancy guard.
 *
 * Not there: interrupts, migration.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/processor.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/misc/dma_bench_regs.h"
#include "hw/pci/pasid_dma.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "system/dma.h"

#define TYPE_DMA_BENCH          "dma-bench"
#define TYPE_DMA_BENCH_NOOP     "dma-bench-noop-memory-region"
#define DMA_BENCH_PASID_BITS    20

OBJECT_DECLARE_SIMPLE_TYPE(DmaBenchState, DMA_BENCH)

struct DmaBenchState {
    PCIDevice parent_obj;
    MemoryRegion bar;
    uint64_t regs[DMA_BENCH_REGS];

    AddressSpace *as;           /* where reads without PASID go */
    bool noop_iommu;
    AddressSpace noop_as;
    MemoryRegion noop_root;
    IOMMUMemoryRegion noop;
};

/* Memory of the guest that is reached as a processor would: directly. */
typedef struct DmaBenchMemory {
    uint8_t *at;
    hwaddr len;
} DmaBenchMemory;

/*
 * A loop: what of the registers it needs, and where it stands.  It lies at the
 * start of a page, so that what is read is copied to the same offset in a page
 * in each QEMU that is compared: half a page away, since a processor takes a
 * load for one of what it has just stored when they differ by whole pages.
 */
typedef struct DmaBenchLoop {
    DmaBenchState *s;
    bool with_pasid, random;
    uint64_t base, stride, pages, length, count;
    uint32_t pasid, pasid_mask;
    uint64_t page;              /* next */
    uint64_t seed;
    uint64_t failed;
    uint64_t start, end;
    uint32_t number;            /* of the last command */
    DmaBenchMemory ring, status, leaf;
    uint8_t buffer[DMA_BENCH_PAGE] QEMU_ALIGNED(DMA_BENCH_PAGE / 2);
} DmaBenchLoop;

/* ---- Reads ----------------------------------------------------------------- */

static uint64_t dma_bench_next_page(DmaBenchLoop *l)
{
    uint64_t page = l->page;

    if (l->random) {
        l->seed = l->seed * 6364136223846793005ull + 1442695040888963407ull;
        return (l->seed >> 32) * l->pages >> 32;
    }
    l->page = page + 1 < l->pages ? page + 1 : 0;
    return page;
}

/* Without PASID: what pci_dma_read() does, in a space of our choice. */
static bool dma_bench_read(DmaBenchLoop *l, uint64_t page)
{
    uint64_t addr = l->base + page * l->stride +
                    (page * l->length & (DMA_BENCH_PAGE - 1));

    if (l->with_pasid) {
        return pasid_dma_read(&l->s->parent_obj, l->pasid + (page & l->pasid_mask),
                              addr, l->buffer, l->length).status == PASID_DMA_OK;
    }
    return dma_memory_read(l->s->as, addr, l->buffer, l->length,
                           MEMTXATTRS_UNSPECIFIED) == MEMTX_OK;
}

static void dma_bench_reads(DmaBenchLoop *l, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        l->failed += !dma_bench_read(l, dma_bench_next_page(l));
    }
}

/* What a loop takes that does not read. */
static void dma_bench_nothings(DmaBenchLoop *l, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        l->failed += dma_bench_next_page(l) >= l->pages;
    }
}

/* ---- Commands -------------------------------------------------------------- */

static void dma_bench_put(DmaBenchLoop *l, uint64_t word0, uint64_t word1)
{
    uint64_t *regs = l->s->regs;
    uint64_t size = regs[DMA_BENCH_DESCRIPTOR_SIZE];
    uint8_t *slot = l->ring.at + regs[DMA_BENCH_TAIL];

    memset(slot, 0, size);
    stq_le_p(slot, word0);
    stq_le_p(slot + 8, word1);
    regs[DMA_BENCH_TAIL] = (regs[DMA_BENCH_TAIL] + size) &
                           (regs[DMA_BENCH_RING_SIZE] - 1);
}

/* A command and a wait; whether it has succeeded. */
static bool dma_bench_give(DmaBenchLoop *l, uint64_t word0, uint64_t word1)
{
    const uint64_t *regs = l->s->regs;

    l->number++;
    dma_bench_put(l, word0, word1);
    dma_bench_put(l, regs[DMA_BENCH_WAIT0] | (uint64_t)l->number << 32,
                  regs[DMA_BENCH_WAIT1]);
    address_space_stq_le(&address_space_memory, regs[DMA_BENCH_DOORBELL],
                         regs[DMA_BENCH_TAIL], MEMTXATTRS_UNSPECIFIED, NULL);
    return ldl_le_p(l->status.at) == l->number;
}

static bool dma_bench_order(DmaBenchLoop *l, uint64_t page)
{
    const uint64_t *regs = l->s->regs;

    return dma_bench_give(l, regs[DMA_BENCH_ORDER0], regs[DMA_BENCH_ORDER1] +
                          page * regs[DMA_BENCH_ORDER_STEP]);
}

static void dma_bench_orders(DmaBenchLoop *l, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        l->failed += !dma_bench_order(l, dma_bench_next_page(l));
    }
}

static bool dma_bench_cycle(DmaBenchLoop *l, uint64_t page)
{
    uint8_t *entry = l->leaf.at + page * 8;
    bool done;

    stq_le_p(entry, l->s->regs[DMA_BENCH_LEAF_VALUE] + page * DMA_BENCH_PAGE);
    done = dma_bench_read(l, page);
    stq_le_p(entry, 0);
    return dma_bench_order(l, page) && done;
}

static void dma_bench_cycles(DmaBenchLoop *l, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        l->failed += !dma_bench_cycle(l, dma_bench_next_page(l));
    }
}

/* ---- Threads ----------------------------------------------------------------- */

typedef struct DmaBenchThread {
    QemuThread thread;
    DmaBenchLoop loop;
    int *waiting;               /* threads that are not ready yet */
} DmaBenchThread;

static void *dma_bench_thread(void *opaque)
{
    DmaBenchThread *t = opaque;

    rcu_register_thread();
    qatomic_dec(t->waiting);
    while (qatomic_read(t->waiting)) {
        cpu_relax();
    }
    t->loop.start = get_clock();
    dma_bench_reads(&t->loop, t->loop.count);
    t->loop.end = get_clock();
    rcu_unregister_thread();
    return NULL;
}

/* From the first that started to the last that ended. */
static uint64_t dma_bench_threads(DmaBenchLoop *l, unsigned n)
{
    DmaBenchThread *threads = qemu_memalign(DMA_BENCH_PAGE,
                                            n * sizeof(*threads));
    uint64_t start = UINT64_MAX, end = 0;
    int waiting = n;

    for (unsigned i = 0; i < n; i++) {
        threads[i].loop = *l;
        threads[i].loop.seed += i;
        threads[i].loop.failed = 0;
        threads[i].waiting = &waiting;
        qemu_thread_create(&threads[i].thread, "dma-bench", dma_bench_thread,
                           &threads[i], QEMU_THREAD_JOINABLE);
    }
    bql_unlock();
    for (unsigned i = 0; i < n; i++) {
        qemu_thread_join(&threads[i].thread);
        l->failed += threads[i].loop.failed;
        start = MIN(start, threads[i].loop.start);
        end = MAX(end, threads[i].loop.end);
    }
    bql_lock();
    qemu_vfree(threads);
    return end - start;
}

/* ---- Time ---------------------------------------------------------------------- */

/* What it takes to look at the clock twice. */
static uint64_t dma_bench_clock_cost(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < 100; i++) {
        uint64_t start = get_clock();

        least = MIN(least, get_clock() - start);
    }
    return least;
}

/* ---- A program ----------------------------------------------------------------- */

/* Loops are in this table alone: each is a function, of which a profiler can
 * count the instructions. */
static void (*const dma_bench_ops[])(DmaBenchLoop *l, uint64_t count) = {
    [DMA_BENCH_OP_READ] = dma_bench_reads,
    [DMA_BENCH_OP_ORDER] = dma_bench_orders,
    [DMA_BENCH_OP_CYCLE] = dma_bench_cycles,
    [DMA_BENCH_OP_NOTHING] = dma_bench_nothings,
};

static void dma_bench_prepare(DmaBenchLoop *l, uint64_t control)
{
    const uint64_t *regs = l->s->regs;

    for (uint64_t i = 0; control & DMA_BENCH_PREPARE_READ && i < l->pages; i++) {
        l->failed += !dma_bench_read(l, i);
    }
    if (control & DMA_BENCH_PREPARE_ORDER) {
        l->failed += !dma_bench_give(l, regs[DMA_BENCH_PREPARE0],
                                     regs[DMA_BENCH_PREPARE1]);
    }
    l->page = regs[DMA_BENCH_FIRST];
}

static uint64_t dma_bench_timed(DmaBenchLoop *l, uint64_t op)
{
    uint64_t start;

    if (l->s->regs[DMA_BENCH_THREADS]) {
        return dma_bench_threads(l, l->s->regs[DMA_BENCH_THREADS]);
    }
    start = get_clock();
    dma_bench_ops[op](l, l->count);
    return get_clock() - start;
}

/* A function too, whose end is a program's. */
static G_GNUC_NO_INLINE void dma_bench_rounds(DmaBenchLoop *l, uint64_t op)
{
    uint64_t *regs = l->s->regs;
    uint64_t clock = dma_bench_clock_cost(), elapsed = 0;

    for (uint64_t i = 0; i < regs[DMA_BENCH_ROUNDS]; i++) {
        dma_bench_prepare(l, regs[DMA_BENCH_CONTROL]);
        elapsed += dma_bench_timed(l, op);
    }
    clock *= regs[DMA_BENCH_ROUNDS];
    regs[DMA_BENCH_ELAPSED] = elapsed > clock ? elapsed - clock : 0;
    regs[DMA_BENCH_FAILED] = l->failed;
}

/* What is wrong here could reach memory that is not the guest's. */
static bool dma_bench_sane(const uint64_t *regs, uint64_t op)
{
    return op && op < ARRAY_SIZE(dma_bench_ops) &&
           is_power_of_2(regs[DMA_BENCH_LENGTH]) &&
           regs[DMA_BENCH_LENGTH] <= DMA_BENCH_PAGE &&
           regs[DMA_BENCH_PAGES] && regs[DMA_BENCH_PAGES] <= UINT32_MAX &&
           (op != DMA_BENCH_OP_CYCLE || regs[DMA_BENCH_PAGES] <= 512) &&
           regs[DMA_BENCH_FIRST] < regs[DMA_BENCH_PAGES] &&
           is_power_of_2(regs[DMA_BENCH_PASIDS]) &&
           (op == DMA_BENCH_OP_READ || !regs[DMA_BENCH_THREADS]) &&
           regs[DMA_BENCH_THREADS] <= DMA_BENCH_MAX_THREADS &&
           (regs[DMA_BENCH_DESCRIPTOR_SIZE] == 16 ||
            regs[DMA_BENCH_DESCRIPTOR_SIZE] == 32) &&
           is_power_of_2(regs[DMA_BENCH_RING_SIZE]) &&
           regs[DMA_BENCH_RING_SIZE] >= regs[DMA_BENCH_DESCRIPTOR_SIZE] &&
           regs[DMA_BENCH_TAIL] < regs[DMA_BENCH_RING_SIZE] &&
           !(regs[DMA_BENCH_TAIL] % regs[DMA_BENCH_DESCRIPTOR_SIZE]);
}

static bool dma_bench_map(DmaBenchMemory *m, uint64_t addr, uint64_t len)
{
    m->len = len;
    m->at = address_space_map(&address_space_memory, addr, &m->len, true,
                              MEMTXATTRS_UNSPECIFIED);
    return m->at && m->len == len;
}

static void dma_bench_unmap(DmaBenchMemory *m)
{
    if (m->at) {
        address_space_unmap(&address_space_memory, m->at, m->len, true, m->len);
    }
}

static bool dma_bench_map_all(DmaBenchLoop *l)
{
    const uint64_t *regs = l->s->regs;

    return dma_bench_map(&l->ring, regs[DMA_BENCH_RING],
                         regs[DMA_BENCH_RING_SIZE]) &&
           dma_bench_map(&l->status, regs[DMA_BENCH_STATUS], 4) &&
           dma_bench_map(&l->leaf, regs[DMA_BENCH_LEAF], DMA_BENCH_PAGE);
}

static void dma_bench_run(DmaBenchState *s, uint64_t op)
{
    const uint64_t *regs = s->regs;
    DmaBenchLoop *l;

    s->regs[DMA_BENCH_FAILED] = DMA_BENCH_NOT_RUN;
    if (!dma_bench_sane(regs, op)) {
        return;
    }
    l = qemu_memalign(DMA_BENCH_PAGE, sizeof(*l));
    *l = (DmaBenchLoop) {
        .s = s,
        .with_pasid = regs[DMA_BENCH_CONTROL] & DMA_BENCH_WITH_PASID,
        .random = regs[DMA_BENCH_CONTROL] & DMA_BENCH_RANDOM,
        .base = regs[DMA_BENCH_BASE],
        .stride = regs[DMA_BENCH_STRIDE],
        .pages = regs[DMA_BENCH_PAGES],
        .length = regs[DMA_BENCH_LENGTH],
        .count = regs[DMA_BENCH_COUNT],
        .pasid = regs[DMA_BENCH_PASID],
        .pasid_mask = regs[DMA_BENCH_PASIDS] - 1,
    };
    if (dma_bench_map_all(l)) {
        stl_le_p(l->status.at, 0);
        dma_bench_rounds(l, op);
    }
    dma_bench_unmap(&l->ring);
    dma_bench_unmap(&l->status);
    dma_bench_unmap(&l->leaf);
    qemu_vfree(l);
}

/* ---- Registers ------------------------------------------------------------------ */

static uint64_t dma_bench_bar_read(void *opaque, hwaddr addr, unsigned size)
{
    DmaBenchState *s = opaque;

    return addr / 8 < DMA_BENCH_REGS ? s->regs[addr / 8] : 0;
}

static void dma_bench_bar_write(void *opaque, hwaddr addr, uint64_t value,
                                unsigned size)
{
    DmaBenchState *s = opaque;
    unsigned reg = addr / 8;

    if (reg == DMA_BENCH_RUN) {
        dma_bench_run(s, value);
    } else if (reg >= DMA_BENCH_CONTROL && reg < DMA_BENCH_REGS) {
        s->regs[reg] = value;
    }
}

static const MemoryRegionOps dma_bench_bar_ops = {
    .read = dma_bench_bar_read,
    .write = dma_bench_bar_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 8, .max_access_size = 8 },
    .impl = { .min_access_size = 8, .max_access_size = 8 },
};

/* ---- An IOMMU that does nothing --------------------------------------------------- */

static IOMMUTLBEntry dma_bench_noop_translate(IOMMUMemoryRegion *mr,
                                              hwaddr addr,
                                              IOMMUAccessFlags flag, int index)
{
    return (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .iova = addr & ~(hwaddr)(DMA_BENCH_PAGE - 1),
        .translated_addr = addr & ~(hwaddr)(DMA_BENCH_PAGE - 1),
        .addr_mask = DMA_BENCH_PAGE - 1,
        .perm = IOMMU_RW,
    };
}

static void dma_bench_noop_class_init(ObjectClass *class, void *data)
{
    IOMMU_MEMORY_REGION_CLASS(class)->translate = dma_bench_noop_translate;
}

static void dma_bench_init_noop(DmaBenchState *s)
{
    memory_region_init(&s->noop_root, OBJECT(s), "dma-bench-noop", UINT64_MAX);
    memory_region_init_iommu(&s->noop, sizeof(s->noop), TYPE_DMA_BENCH_NOOP,
                             OBJECT(s), "dma-bench-noop-iommu", UINT64_MAX);
    memory_region_add_subregion(&s->noop_root, 0, MEMORY_REGION(&s->noop));
    address_space_init(&s->noop_as, &s->noop_root, "dma-bench-noop");
}

/* ---- Life ------------------------------------------------------------------------ */

static bool dma_bench_add_capabilities(PCIDevice *pdev, Error **errp)
{
    uint16_t pos = PCI_CONFIG_SPACE_SIZE;

    if (!pci_bus_is_express(pci_get_bus(pdev))) {
        error_setg(errp, "dma-bench: PASIDs need a PCI Express bus; use "
                   "-machine q35 and its bus pcie.0, or a pcie-root-port");
        return false;
    }
    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "dma-bench: no room for the PCI Express capability");
        return false;
    }
    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PASID, 1, pos,
                        PCI_EXT_CAP_PASID_SIZEOF);
    pci_set_word(pdev->config + pos + PCI_PASID_CAP,
                 DMA_BENCH_PASID_BITS << ctz32(PCI_PASID_CAP_WIDTH));
    pci_set_word(pdev->wmask + pos + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    return true;
}

static void dma_bench_realize(PCIDevice *pdev, Error **errp)
{
    DmaBenchState *s = DMA_BENCH(pdev);

    if (!dma_bench_add_capabilities(pdev, errp)) {
        return;
    }
    memory_region_init_io(&s->bar, OBJECT(s), &dma_bench_bar_ops, s,
                          "dma-bench", DMA_BENCH_BAR_SIZE);
    pci_register_bar(pdev, DMA_BENCH_BAR, PCI_BASE_ADDRESS_MEM_TYPE_64, &s->bar);
    s->as = pci_get_address_space(pdev);
    if (s->noop_iommu) {
        dma_bench_init_noop(s);
        s->as = &s->noop_as;
    }
}

static void dma_bench_exit(PCIDevice *pdev)
{
    DmaBenchState *s = DMA_BENCH(pdev);

    if (s->noop_iommu) {
        address_space_destroy(&s->noop_as);
    }
    pcie_cap_exit(pdev);
}

static void dma_bench_reset_hold(Object *obj, ResetType type)
{
    DmaBenchState *s = DMA_BENCH(obj);
    PCIDevice *pdev = PCI_DEVICE(obj);

    memset(s->regs, 0, sizeof(s->regs));
    s->regs[DMA_BENCH_ID] = DMA_BENCH_MAGIC;
    pci_set_word(pdev->config + PCI_CONFIG_SPACE_SIZE + PCI_PASID_CTRL, 0);
}

static const VMStateDescription dma_bench_vmstate = {
    .name = TYPE_DMA_BENCH,
    .unmigratable = 1,
};

static const Property dma_bench_properties[] = {
    DEFINE_PROP_BOOL("noop-iommu", DmaBenchState, noop_iommu, false),
};

static void dma_bench_class_init(ObjectClass *class, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(class);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);
    ResettableClass *rc = RESETTABLE_CLASS(class);

    pc->realize = dma_bench_realize;
    pc->exit = dma_bench_exit;
    pc->vendor_id = DMA_BENCH_VENDOR_ID;
    pc->device_id = DMA_BENCH_DEVICE_ID;
    pc->class_id = PCI_CLASS_OTHERS;
    rc->phases.hold = dma_bench_reset_hold;
    dc->desc = "PCI Express function that measures what its DMA costs";
    dc->hotpluggable = false;
    dc->vmsd = &dma_bench_vmstate;
    device_class_set_props(dc, dma_bench_properties);
    object_class_property_set_description(class, "noop-iommu",
        "reads without PASID pass an IOMMU region that does nothing");
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo dma_bench_types[] = {
    {
        .name = TYPE_DMA_BENCH,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(DmaBenchState),
        .class_init = dma_bench_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
    {
        .name = TYPE_DMA_BENCH_NOOP,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = dma_bench_noop_class_init,
    },
};

DEFINE_TYPES(dma_bench_types)
