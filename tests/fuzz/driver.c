/*
 * Runs a fuzz target where libFuzzer is not there: random inputs, and mutations
 * of those that reached something new (if the compiler counts what is reached:
 * -fsanitize-coverage=trace-pc).
 *
 * It takes some of libFuzzer's options: -runs=N, -max_total_time=SECONDS,
 * -seed=N, -artifact_prefix=PATH, and files to run once each.  With --tap the
 * result is TAP.  An input that crashes or hangs is left in a file.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

enum { LONGEST = 1024, POOL = 4096, HANG = 10 };

typedef struct Sample {
    uint8_t data[LONGEST];
    size_t size;
} Sample;

static struct {
    uint64_t runs, seconds, seed;
    const char *prefix;
    bool tap;
} options = { .runs = UINT64_MAX, .seed = 1, .prefix = "crash-" };

static Sample current;
static Sample *pool[POOL];
static unsigned pooled;
static uint64_t state;

/* ---- What an input reached ---------------------------------------------------- */

#define UNCOUNTED   __attribute__((no_sanitize_coverage))

static uint8_t reached[1 << 16];
static unsigned places;         /* that were reached first by this input */

void __sanitizer_cov_trace_pc(void);

UNCOUNTED void __sanitizer_cov_trace_pc(void)
{
    uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    uint8_t *seen = &reached[(pc ^ pc >> 16) & 0xffff];

    places += !*seen;
    *seen = 1;
}

/* ---- Inputs ---------------------------------------------------------------------- */

static uint64_t dice(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void make_up(Sample *s)
{
    s->size = 1 + dice() % LONGEST;
    for (size_t i = 0; i < s->size; i++) {
        s->data[i] = dice() >> 24;
    }
}

static void overwrite_some(Sample *s)
{
    for (unsigned n = 1 + dice() % 8; n > 0; n--) {
        uint8_t *byte = &s->data[dice() % s->size];
        *byte = dice() & 1 ? dice() >> 24 : *byte ^ 1 << (dice() % 8);
    }
}

/* The tail of another sample after the head of this one. */
static void splice(Sample *s)
{
    const Sample *other = pool[dice() % pooled];
    size_t head = dice() % s->size, from = dice() % other->size;
    size_t tail = MIN(other->size - from, LONGEST - head);

    memcpy(s->data + head, other->data + from, tail);
    s->size = head + tail;
}

static void choose(Sample *s)
{
    if (!pooled || dice() % 8 == 0) {
        make_up(s);
        return;
    }
    *s = *pool[dice() % pooled];
    if (dice() & 1) {
        splice(s);
    }
    s->size = MAX(s->size, 1);
    overwrite_some(s);
}

static void keep(const Sample *s)
{
    unsigned slot = pooled < POOL ? pooled++ : dice() % POOL;

    g_free(pool[slot]);
    pool[slot] = g_memdup2(s, sizeof(*s));
}

/* ---- Crashes ----------------------------------------------------------------------- */

static void save_current(void)
{
    char name[4096];
    int file;

    snprintf(name, sizeof(name), "%s%016" PRIx64, options.prefix, state);
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && write(file, current.data, current.size) >= 0) {
        fprintf(stderr, "# the input is in %s\n", name);
    }
}

static void on_signal(int number)
{
    signal(number, SIG_DFL);
    save_current();
    if (number == SIGALRM) {
        fprintf(stderr, "# an input takes longer than %d s\n", HANG);
        abort();
    }
    raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
    static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };

    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
        signal(signals[i], on_signal);
    }
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(save_current);
    }
}

/* ---- Running ------------------------------------------------------------------------- */

static void run_current(void)
{
    places = 0;
    alarm(HANG);
    LLVMFuzzerTestOneInput(current.data, current.size);
    alarm(0);
    if (places) {
        keep(&current);
    }
}

static bool run_file(const char *name)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;

    if (!g_file_get_contents(name, &data, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    current.size = MIN(size, LONGEST);
    memcpy(current.data, data, current.size);
    run_current();
    return true;
}

static uint64_t run_random(void)
{
    gint64 end = options.seconds
        ? g_get_monotonic_time() + (gint64)options.seconds * G_USEC_PER_SEC
        : G_MAXINT64;
    uint64_t n = 0;

    for (; n < options.runs && (n % 64 || g_get_monotonic_time() < end); n++) {
        choose(&current);
        run_current();
    }
    return n;
}

static bool takes(const char *arg, const char *name, uint64_t *out)
{
    bool match = g_str_has_prefix(arg, name);
    if (match) {
        *out = strtoull(arg + strlen(name), NULL, 0);
    }
    return match;
}

static bool read_option(const char *arg)
{
    if (g_str_equal(arg, "--tap")) {
        options.tap = true;
    } else if (g_str_has_prefix(arg, "-artifact_prefix=")) {
        options.prefix = strchr(arg, '=') + 1;
    } else {
        return takes(arg, "-runs=", &options.runs) ||
            takes(arg, "-max_total_time=", &options.seconds) ||
            takes(arg, "-seed=", &options.seed);
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t files = 0, runs;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && !read_option(argv[i])) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    state = options.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    watch();
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (!run_file(argv[i])) {
                return 2;
            }
            files++;
        }
    }
    runs = run_random();
    printf("%s%" PRIu64 " files and %" PRIu64 " random inputs, %u kept\n",
           options.tap ? "1..1\nok 1 - survives " : "", files, runs, pooled);
    for (unsigned i = 0; i < pooled; i++) {
        g_free(pool[i]);
    }
    return 0;
}
