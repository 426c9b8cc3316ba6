/*
 * Random machines and requests, for the suites that compare the engine with
 * the model.
 *
 * Tables are mostly well formed, so that walks get far; damage() then flips
 * bits of them.  A seed makes one machine.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CHANCE_H
#define TESTS_UNIT_CHANCE_H

#include "fixture.h"
#include "model.h"

#define TOP_LEVEL   5

/* Requesters and PASIDs that the tables know, and some they do not. */
extern const uint16_t sids[];
extern const unsigned sid_count;
extern const uint32_t pasids[];
extern const unsigned pasid_count;

extern ModelUnit unit;          /* what the model knows of the machine */

/* Tables of one level are shared by what points to them. */
extern uint64_t second_table[TOP_LEVEL + 1], first_table[TOP_LEVEL + 1];

extern bool few_domains;        /* four are shared by all */

void given_dice(unsigned seed);
unsigned below(unsigned end);
bool once_in(unsigned n);
uint64_t any64(void);

DmarConfig random_config(void);
void make_machine(const DmarConfig *config);
void switch_mode(unsigned mode);    /* to TTM 2 or 3: no tables */

uint64_t random_second_entry(unsigned level);
uint64_t random_first_entry(unsigned level);
void make_context(uint16_t sid);
void make_pasid(uint16_t sid, uint32_t pasid);
void make_legacy_context(uint16_t sid);

typedef struct Damage {
    uint64_t addr;
    unsigned bit;
} Damage;

/* Flip a bit of a random word that is in use; flip() it again to repair. */
Damage damage(void);

DmarRequest random_request(void);
bool wants_page(DmarRequest *r);    /* make a page request of it, now and then */

#endif /* TESTS_UNIT_CHANCE_H */
