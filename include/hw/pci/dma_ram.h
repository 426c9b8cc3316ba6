/*
 * RAM of the system's address space, for who moves much data to and fro: found
 * by a look at a short list, not by a walk through the memory API.
 *
 * What is no plain RAM (devices, ROM) is not here; the memory API has it.  The
 * list follows the memory map.  An access that races with a change of the map
 * sees it as it was, like one that the memory API has begun.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_DMA_RAM_H
#define HW_PCI_DMA_RAM_H

#include "exec/memory.h"
#include "qemu/rcu.h"

typedef struct DmaRamSection {
    hwaddr base, size;          /* guest-physical */
    uint8_t *host;
    MemoryRegion *mr;
    hwaddr offset;              /* of @base in @mr */
} DmaRamSection;

typedef struct DmaRamMap {
    struct rcu_head rcu;
    unsigned count;
    DmaRamSection sections[];   /* the largest first */
} DmaRamMap;

extern DmaRamMap *dma_ram_map;

/* Under the BQL, any number of times; until then there is no RAM. */
void dma_ram_init(void);

/* The section that holds all of @addr .. @addr + @len - 1, or NULL.  Within a
 * read-side critical section of RCU, as is the use of what is returned. */
static inline const DmaRamSection *dma_ram_find(hwaddr addr, hwaddr len)
{
    const DmaRamMap *map = qatomic_rcu_read(&dma_ram_map);

    for (unsigned i = 0; map && i < map->count; i++) {
        const DmaRamSection *s = &map->sections[i];

        if (addr - s->base < s->size && len <= s->size - (addr - s->base)) {
            return s;
        }
    }
    return NULL;
}

/* @len bytes at @addr in @s were written: tells migration and TCG. */
void dma_ram_written(const DmaRamSection *s, hwaddr addr, hwaddr len);

/* Copy to or from memory; false: not all of it is plain RAM. */
static inline bool dma_ram_read(hwaddr addr, void *buf, hwaddr len)
{
    const DmaRamSection *s;

    RCU_READ_LOCK_GUARD();
    s = dma_ram_find(addr, len);
    if (s) {
        memcpy(buf, s->host + (addr - s->base), len);
    }
    return s;
}

static inline bool dma_ram_write(hwaddr addr, const void *buf, hwaddr len)
{
    const DmaRamSection *s;

    RCU_READ_LOCK_GUARD();
    s = dma_ram_find(addr, len);
    if (s) {
        memcpy(s->host + (addr - s->base), buf, len);
        dma_ram_written(s, addr, len);
    }
    return s;
}

#endif /* HW_PCI_DMA_RAM_H */
