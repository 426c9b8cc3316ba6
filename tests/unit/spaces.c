/*
 * A device with a PASID of each type of translation.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spaces.h"

const DmarConfig full = {
    .aw_bits = 48, .host_width = 46, .pasid_bits = 20, .domain_bits = 16,
    .fault_records = 8, .scalable = true, .first_stage = true,
    .first_stage_1g = true, .second_stage_dirty = true, .nested = true,
    .pass_through = true, .device_tlb = true,
};

Space first, second;

uint64_t first_entry_at(uint64_t iova, unsigned level)
{
    uint64_t table = first.root;
    for (unsigned l = first.levels; ; l--) {
        uint64_t entry = table + (iova >> (12 + 9 * (l - 1)) & 0x1ff) * 8;
        if (l == level) {
            return entry;
        }
        if (!peek(entry)) {
            poke(entry, new_page() | USER_RW);
        }
        table = peek(entry) & ~0xfffull;
    }
}

void map_first(uint64_t iova, uint64_t pa, uint64_t size, uint64_t flags)
{
    unsigned level = level_of(size);
    poke(first_entry_at(iova, level), pa | flags | (level > 1 ? BIT_AT(7) : 0));
}

void write_pasid(uint32_t pasid, unsigned type, uint16_t domain)
{
    uint64_t entry = pasid_entry_at(DEV, pasid);
    uint64_t low = (uint64_t)type << 6 | 1;
    if (type == PGTT_SECOND_STAGE || type == PGTT_NESTED) {
        low |= second.root | aw_code(second.levels) << 2;
    }
    poke(entry + 16, first.root);
    poke(entry + 8, domain | BIT_AT(23));       /* page walks are snooped */
    poke(entry, low);
}

void given_unit(const DmarConfig *config)
{
    given_scalable(config);
    given_context(DEV);
    first = given_space(0, 4);
    second = given_space(DOMAIN, 4);
}

static void given_device(void)
{
    given_unit(&full);
}

void map_and_bind_second(void)
{
    map(&second, IOVA, OLD, PAGE, RW);
    write_pasid(PASID, PGTT_SECOND_STAGE, DOMAIN);
}

void given_first(void)
{
    given_device();
    map_first(IOVA, OLD, PAGE, USER_RW);
    write_pasid(PASID, PGTT_FIRST_STAGE, DOMAIN);
}

void given_second(void)
{
    given_device();
    map_and_bind_second();
}

void given_second_large(void)
{
    given_device();
    map(&second, IOVA & -LARGE, OLD, LARGE, RW);
    write_pasid(PASID, PGTT_SECOND_STAGE, DOMAIN);
}

/* RAM is where it is for the guest, too; its page is elsewhere. */
void given_both_stages(void)
{
    given_device();
    for (uint64_t at = RAM_BASE; at < RAM_BASE + RAM_SIZE; at += LARGE) {
        map(&second, at, at, LARGE, RW);
    }
    map_first(IOVA, GUEST, PAGE, USER_RW);
    map(&second, GUEST, OLD, PAGE, RW);
    write_pasid(PASID, PGTT_NESTED, DOMAIN);
}

void given_through(void)
{
    given_device();
    write_pasid(PASID, PGTT_PASS_THROUGH, DOMAIN);
}

void given_legacy_device(void)
{
    given_legacy(&full);
    second = given_space(DOMAIN, 3);
    map(&second, IOVA, OLD, PAGE, RW);
    given_legacy_context(DEV, 0, &second);
}
