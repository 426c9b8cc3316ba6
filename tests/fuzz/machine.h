/*
 * A machine for fuzz targets: a unit whose software is a string of bytes.
 *
 * An input is consumed from its beginning; past its end there are zeros, so
 * that every string is a whole program.  The unit's RAM begins at address 0 and
 * is small, so that random pointers reach it.  After each operation the machine
 * judges what must hold whatever software did; a breach aborts.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include <glib.h>

#include "dmar.h"
#include "spec/registers.h"
#include "spec/tables.h"

enum {
    FUZZ_PAGE = 4096,
    FUZZ_PAGES = 64,
    FUZZ_RAM = FUZZ_PAGE * FUZZ_PAGES,
};

typedef struct Input {
    const uint8_t *at, *end;
} Input;

uint8_t take8(Input *in);
uint16_t take16(Input *in);
uint64_t take64(Input *in);
bool is_empty(const Input *in);

typedef struct Machine {
    DmarConfig config;
    Dmar *dmar;
    uint8_t ram[FUZZ_RAM];
    unsigned accesses;          /* of memory, by the operation under way */
    unsigned fail_access;       /* this one fails (0: none) */
} Machine;

extern Machine m;

/* False: the configuration that the input asks for is refused. */
bool start(Input *in);
void stop(void);

uint64_t peek(uint64_t addr);           /* of any address: beyond RAM, zero */
void poke(uint64_t addr, uint64_t value);
void write_register(uint64_t offset, unsigned size, uint64_t value);
void command(uint32_t bits, bool on);
void submit(const uint64_t words[4]);   /* at the queue's tail, and ring it */

/* Operations whose details the input decides. */
void any_register_write(Input *in);
void any_poke(Input *in);
void any_request(Input *in);
void any_interrupt(Input *in);
void any_descriptor(Input *in);
void any_answer(Input *in);             /* of a device, to an invalidation */
void any_page_request(Input *in);
void any_life_event(Input *in);         /* reset, save and load */

/* What a target is: libFuzzer's entry point. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TESTS_FUZZ_MACHINE_H */
