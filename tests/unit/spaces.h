/*
 * A device with a PASID of each type of translation, for tests of what caches
 * hold: its page at IOVA leads to OLD.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_SPACES_H
#define TESTS_UNIT_SPACES_H

#include "fixture.h"

#define DEV     0x0208
#define PASID   0x155
#define DOMAIN  11
#define OTHER   12              /* domain, and what PASID + 1 is in */
#define IOVA    (3 * HUGE + 7 * LARGE + 5 * PAGE)
#define OLD     0x40000000ull
#define NEW     0x80000000ull
#define GUEST   (2 * HUGE)      /* where nested first stages lead */


#define USER_RW     7ull        /* P, R/W, U/S of a first-stage entry */
#define ACCESSED    BIT_AT(5)
#define DIRTY       BIT_AT(6)

extern const DmarConfig full;       /* both stages, nested, tracked, ATS */
extern Space first, second;         /* what the device's PASID walks */

uint64_t first_entry_at(uint64_t iova, unsigned level);
void map_first(uint64_t iova, uint64_t pa, uint64_t size, uint64_t flags);
void write_pasid(uint32_t pasid, unsigned type, uint16_t domain);

void given_unit(const DmarConfig *config);      /* nothing is mapped yet */
void map_and_bind_second(void);
void given_first(void);
void given_second(void);
void given_second_large(void);
void given_both_stages(void);
void given_through(void);
void given_legacy_device(void);

#endif /* TESTS_UNIT_SPACES_H */
