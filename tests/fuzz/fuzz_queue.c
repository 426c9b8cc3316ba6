/*
 * Fuzz target: an invalidation queue that runs, and descriptors that are
 * anything; the queue wraps, moves, stops and starts.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

static void given_queue(Input *in)
{
    uint8_t what = take8(in);

    command(GCMD_QIE, false);
    write_register(IQT_REG, 8, 0);
    write_register(IQA_REG, 8, (uint64_t)(what >> 4) * FUZZ_PAGE |
                   (what & 1 ? IQA_DW : 0) | (what >> 2 & 3));
    write_register(RTADDR_REG, 8, (uint64_t)(what & 1) << 10);
    command(GCMD_SRTP, true);
    command(GCMD_QIE, true);
}

static void any_tail(Input *in)
{
    write_register(IQT_REG, 8, take16(in) << 4);
}

static void clear_errors(Input *in)
{
    write_register(FSTS_REG, 4, take8(in));
}

static void raw_descriptor(Input *in)
{
    const uint64_t words[4] = {
        take64(in), take64(in), take64(in), take64(in),
    };
    submit(words);
}

static void (*const operations[])(Input *) = {
    any_descriptor, any_descriptor, any_descriptor, raw_descriptor, any_tail,
    any_answer,
    clear_errors, clear_errors, given_queue, any_register_write, any_request,
    any_life_event,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, data + size };

    if (!start(&in)) {
        return 0;
    }
    given_queue(&in);
    while (!is_empty(&in)) {
        operations[take8(&in) % G_N_ELEMENTS(operations)](&in);
    }
    stop();
    return 0;
}
