/*
 * RAM of the system's address space, see dma_ram.h.
 *
 * A listener collects the sections while the memory map is changed and publishes
 * them when that is done.  A list that is replaced is freed, and its regions
 * let go, after a grace period of RCU.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/pci/dma_ram.h"

DmaRamMap *dma_ram_map;

static GArray *dma_ram_collected;

static void dma_ram_begin(MemoryListener *listener)
{
    g_array_set_size(dma_ram_collected, 0);
}

static void dma_ram_collect(MemoryListener *listener,
                            MemoryRegionSection *section)
{
    MemoryRegion *mr = section->mr;

    if (memory_access_is_direct(mr, true, MEMTXATTRS_UNSPECIFIED)) {
        DmaRamSection s = {
            .base = section->offset_within_address_space,
            .size = int128_get64(section->size),
            .host = (uint8_t *)memory_region_get_ram_ptr(mr) +
                    section->offset_within_region,
            .mr = mr,
            .offset = section->offset_within_region,
        };

        g_array_append_val(dma_ram_collected, s);
    }
}

static gint dma_ram_larger_first(gconstpointer a, gconstpointer b)
{
    const DmaRamSection *x = a, *y = b;

    return x->size > y->size ? -1 : x->size < y->size;
}

static void dma_ram_map_free(DmaRamMap *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        memory_region_unref(map->sections[i].mr);
    }
    g_free(map);
}

static void dma_ram_commit(MemoryListener *listener)
{
    const GArray *found = dma_ram_collected;
    size_t bytes = found->len * sizeof(DmaRamSection);
    DmaRamMap *old = dma_ram_map;
    DmaRamMap *map = g_malloc(sizeof(*map) + bytes);

    g_array_sort(dma_ram_collected, dma_ram_larger_first);
    map->count = found->len;
    memcpy(map->sections, found->data, bytes);
    for (unsigned i = 0; i < map->count; i++) {
        memory_region_ref(map->sections[i].mr);
    }
    qatomic_rcu_set(&dma_ram_map, map);
    if (old) {
        call_rcu(old, dma_ram_map_free, rcu);
    }
}

static MemoryListener dma_ram_listener = {
    .name = "dma-ram",
    .begin = dma_ram_begin,
    .region_add = dma_ram_collect,
    .region_nop = dma_ram_collect,
    .commit = dma_ram_commit,
};

void dma_ram_init(void)
{
    if (!dma_ram_collected) {
        dma_ram_collected = g_array_new(false, false, sizeof(DmaRamSection));
        memory_listener_register(&dma_ram_listener, &address_space_memory);
    }
}

void dma_ram_written(const DmaRamSection *s, hwaddr addr, hwaddr len)
{
    MemoryRegionCache written = {
        .ptr = s->host, .xlat = s->offset, .len = s->size, .mrs.mr = s->mr,
        .is_write = true,
    };

    address_space_cache_invalidate(&written, addr - s->base, len);
}
