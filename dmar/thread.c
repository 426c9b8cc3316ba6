/*
 * Numbers of threads, see thread.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "thread.h"

#include "spec/field.h"

G_STATIC_ASSERT(DMAR_THREADS == 64);

__thread unsigned dmar_thread_known;

static GMutex lock;
static uint64_t taken = BIT_AT(0);      /* a bit for each number */

static void leave(gpointer number)
{
    dmar_thread_known = 0;
    g_mutex_lock(&lock);
    taken &= ~BIT_AT(GPOINTER_TO_UINT(number));
    g_mutex_unlock(&lock);
}

/* Called with leave() when the thread ends. */
static GPrivate on_end = G_PRIVATE_INIT(leave);

unsigned dmar_thread_enter(void)
{
    unsigned number = 0;

    g_mutex_lock(&lock);
    if (~taken) {
        number = __builtin_ctzll(~taken);
        taken |= BIT_AT(number);
    }
    g_mutex_unlock(&lock);
    if (number) {
        g_private_set(&on_end, GUINT_TO_POINTER(number));
        dmar_thread_known = number;
    }
    return number;
}
