/*
 * See counts.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "counts.h"

#include <glib/gstdio.h>
#include <string.h>

static uint64_t next_file(BenchCounts *counts)
{
    g_autofree char *name = g_strdup_printf("%s/%d.%u", g_getenv("BENCH_COUNTS"),
                                            counts->pid, ++counts->taken);
    g_autofree char *text = NULL;
    const char *totals;

    if (!g_file_get_contents(name, &text, NULL, NULL) ||
        !(totals = strstr(text, "\ntotals: "))) {
        g_error("%s: callgrind did not write it", name);
    }
    g_unlink(name);
    return g_ascii_strtoull(totals + strlen("\ntotals: "), NULL, 10);
}

uint64_t bench_counts_next(BenchCounts *counts)
{
    next_file(counts);          /* of what was before */
    return next_file(counts);
}
