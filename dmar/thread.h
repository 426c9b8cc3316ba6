/*
 * Numbers of threads: small, so that what each thread has of its own is an
 * array's element.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_THREAD_H
#define DMAR_THREAD_H

#include <glib.h>

enum { DMAR_THREADS = 64 };

extern __thread unsigned dmar_thread_known;
unsigned dmar_thread_enter(void);

/*
 * The caller's, 1 .. DMAR_THREADS - 1, from its first call until it ends; then
 * it is another thread's, which sees all that this one has done.  0: there are
 * too many threads now.
 */
static inline unsigned dmar_thread_number(void)
{
    return G_LIKELY(dmar_thread_known) ? dmar_thread_known : dmar_thread_enter();
}

#endif /* DMAR_THREAD_H */
