/*
 * intel-iommu-sm: what the engine asks of its host.
 *
 * The engine calls with its own lock held, from whatever thread entered it, so
 * nothing here enters the engine or takes the BQL, whose holder may be waiting
 * for the engine.  Hence:
 *   - tables are read and written in RAM only, which needs no BQL;
 *   - what rebuilds memory regions, or asks for interrupts to be remapped anew,
 *     is noted in SmDeferred and done by sm_catch_up() when the engine has
 *     returned;
 *   - an interrupt of the unit itself goes out at once under the BQL, otherwise
 *     from a bottom half.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/i386/apic_internal.h"
#include "hw/pci/dma_ram.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "trace.h"
#include "trace/control.h"

#include "intel_iommu_sm_internal.h"

/* ---- Memory --------------------------------------------------------------- */

static bool sm_is_ram(uint64_t addr, hwaddr *len, bool is_write,
                      MemTxAttrs attrs)
{
    hwaddr offset;
    MemoryRegion *mr = address_space_translate(&address_space_memory, addr,
                                               &offset, len, is_write, attrs);

    return memory_access_is_direct(mr, is_write, attrs);
}

/* Across the border of two regions, or in ROM. */
static bool sm_access_slowly(uint64_t addr, void *buf, size_t len, bool is_write)
{
    const MemTxAttrs attrs = { .memory = 1 };
    size_t done = 0;

    RCU_READ_LOCK_GUARD();
    while (done < len) {
        hwaddr chunk = len - done;

        if (addr + done < addr ||
            !sm_is_ram(addr + done, &chunk, is_write, attrs) ||
            address_space_rw(&address_space_memory, addr + done, attrs,
                             (uint8_t *)buf + done, chunk,
                             is_write) != MEMTX_OK) {
            return false;
        }
        done += chunk;
    }
    return true;
}

static bool sm_host_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    return dma_ram_read(addr, buf, len) ||
           sm_access_slowly(addr, buf, len, false);
}

static bool sm_host_write(void *opaque, uint64_t addr, const void *buf,
                          size_t len)
{
    return dma_ram_write(addr, buf, len) ||
           sm_access_slowly(addr, (void *)buf, len, true);
}

static bool sm_host_compare_exchange(void *opaque, uint64_t addr,
                                     uint64_t *expected, uint64_t desired)
{
    const DmaRamSection *ram;
    uint64_t found;

    RCU_READ_LOCK_GUARD();
    ram = dma_ram_find(addr, sizeof(desired));
    if (!ram) {
        return false;
    }
    found = qatomic_cmpxchg((uint64_t *)(ram->host + (addr - ram->base)),
                            cpu_to_le64(*expected), cpu_to_le64(desired));
    dma_ram_written(ram, addr, sizeof(desired));
    *expected = le64_to_cpu(found);
    return true;
}

/* ---- Interrupts of the unit itself ---------------------------------------- */

void sm_deliver(MSIMessage msg)
{
    apic_get_class(NULL)->send_msi(&msg);
}

/* A message of the unit itself: to the APICs, or plainly to memory. */
static void sm_deliver_own(MSIMessage msg)
{
    if ((uint32_t)msg.address >= SM_INTERRUPT_BASE &&
        (uint32_t)msg.address - SM_INTERRUPT_BASE < SM_INTERRUPT_SIZE) {
        sm_deliver(msg);
    } else {
        uint32_t data = cpu_to_le32(msg.data);

        sm_host_write(NULL, msg.address, &data, sizeof(data));
    }
}

static void sm_deliver_queued(void *opaque)
{
    SmIommu *s = opaque;
    g_autoptr(GArray) queue = NULL;

    WITH_QEMU_LOCK_GUARD(&s->msi_lock) {
        queue = s->msi_queue;
        s->msi_queue = g_array_new(false, false, sizeof(MSIMessage));
    }
    for (guint i = 0; i < queue->len; i++) {
        sm_deliver_own(g_array_index(queue, MSIMessage, i));
    }
}

static void sm_host_send_msi(void *opaque, uint64_t addr, uint32_t data)
{
    SmIommu *s = opaque;
    MSIMessage msg = { .address = addr, .data = data };

    if (bql_locked()) {
        sm_deliver_own(msg);
        return;
    }
    WITH_QEMU_LOCK_GUARD(&s->msi_lock) {
        g_array_append_val(s->msi_queue, msg);
    }
    qemu_bh_schedule(s->msi_bh);
}

/* ---- What others want to know --------------------------------------------- */

static void sm_host_remapping_changed(void *opaque, bool dma, bool interrupts)
{
    SmIommu *s = opaque;

    s->dma_remapping = dma;
    s->deferred.remapping = true;
}

static void sm_host_interrupts_dropped(void *opaque, uint16_t first,
                                       uint16_t last)
{
    SmDeferred *d = &((SmIommu *)opaque)->deferred;

    d->every_interrupt = d->interrupts || !is_power_of_2(last - first + 1);
    d->interrupts = true;
    d->first_interrupt = first;
    d->last_interrupt = last;
}

static const char *const sm_device_tlb_steps[] = {
    [DMAR_DEVICE_TLB_SENT] = "sent",
    [DMAR_DEVICE_TLB_COMPLETED] = "completed",
    [DMAR_DEVICE_TLB_TIMED_OUT] = "timed out",
    [DMAR_DEVICE_TLB_INVALID] = "nobody waits for that",
};

static void sm_host_event(void *opaque, const DmarEvent *e)
{
    unsigned unit = ((SmIommu *)opaque)->number;
    const char *name;

    switch (e->kind) {
    case DMAR_EVENT_REGISTER_WRITE:
        name = dmar_register_name(e->addr);
        trace_sm_register_write(unit, name ? name : "none", e->addr, e->value);
        break;
    case DMAR_EVENT_COMMAND:
        trace_sm_command(unit, e->addr, e->value);
        break;
    case DMAR_EVENT_ENHANCED_COMMAND:
        trace_sm_enhanced_command(unit, e->addr, e->value, e->detail);
        break;
    case DMAR_EVENT_CONTEXT:
        trace_sm_context(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_PASID_ENTRY:
        trace_sm_pasid_entry(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_WALK:
        trace_sm_walk(e->source_id, e->pasid, e->addr, e->value);
        break;
    case DMAR_EVENT_TRANSLATED:
        trace_sm_translated(e->source_id, e->pasid, e->addr, e->value,
                            e->detail);
        break;
    case DMAR_EVENT_FAULT:
        trace_sm_fault(e->source_id, e->pasid, e->addr, e->detail,
                       dmar_fault_name(e->detail), e->value);
        break;
    case DMAR_EVENT_DESCRIPTOR:
        trace_sm_descriptor(unit, e->addr, e->value, e->detail);
        break;
    case DMAR_EVENT_QUEUE_ERROR:
        trace_sm_queue_error(unit, e->addr, e->detail);
        break;
    case DMAR_EVENT_DEVICE_TLB:
        trace_sm_device_tlb(e->source_id, e->addr,
                            sm_device_tlb_steps[e->value]);
        break;
    case DMAR_EVENT_INTERRUPT:
        trace_sm_interrupt(e->source_id, e->addr, e->value);
        break;
    case DMAR_EVENT_POSTED:
        trace_sm_posted(e->addr, e->value, e->detail);
        break;
    case DMAR_EVENT_PAGE_REQUEST:
        trace_sm_page_request(e->source_id, e->pasid, e->addr, e->value,
                              e->detail);
        break;
    case DMAR_EVENT_PAGE_RESPONSE:
        trace_sm_page_response(e->source_id, e->pasid, e->value, e->detail);
        break;
    case DMAR_EVENT_MSI:
        trace_sm_msi(unit, e->addr, e->value);
        break;
    default:
        break;
    }
}

const DmarHost sm_host = {
    .read = sm_host_read,
    .write = sm_host_write,
    .compare_exchange = sm_host_compare_exchange,
    .send_msi = sm_host_send_msi,
    .remapping_changed = sm_host_remapping_changed,
    .interrupts_dropped = sm_host_interrupts_dropped,
    .translations_dropped = sm_spaces_forget,
    .device_tlb = sm_ats_request,
    .page_response = sm_pasid_page_response,
    .event = sm_host_event,
    .watched = &trace_events_enabled_count,
};

void sm_host_init(SmIommu *s)
{
    qemu_mutex_init(&s->msi_lock);
    s->msi_queue = g_array_new(false, false, sizeof(MSIMessage));
    s->msi_bh = qemu_bh_new(sm_deliver_queued, s);
}
