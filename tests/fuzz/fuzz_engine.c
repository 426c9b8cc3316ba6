/*
 * Fuzz target: a unit out of reset, and software that does anything in any
 * order.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

static void any_command(Input *in)
{
    uint8_t which = take8(in);
    command(1u << (23 + (which & 15) % 9), which & 16);
}

static void (*const operations[])(Input *) = {
    any_register_write, any_command, any_poke, any_poke, any_request,
    any_descriptor, any_interrupt, any_life_event, any_answer,
    any_page_request,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, data + size };

    if (!start(&in)) {
        return 0;
    }
    while (!is_empty(&in)) {
        operations[take8(&in) % G_N_ELEMENTS(operations)](&in);
    }
    stop();
    return 0;
}
