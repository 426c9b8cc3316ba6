/*
 * Rows of what the engine keeps in memory.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_ENGINE_MEMORY_H
#define BENCH_ENGINE_MEMORY_H

void bench_engine_memory(void);

#endif /* BENCH_ENGINE_MEMORY_H */
