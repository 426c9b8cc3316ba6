/*
 * adi-sh: own ADIs step by step, by commands; one line in, one line out.
 *
 *   adi-sh                   commands on standard input; ends with status 1 at
 *                            the first that answers "error"
 *   adi-sh --serve PIPE      commands from adi-ask, through PIPE.in and PIPE.out
 *   adi-ask PIPE COMMAND   status 1 if the answer is "error"
 *
 * Commands (names are the user's; numbers as in C):
 *
 *   mdev NAME TYPE [PARENT]             create        remove NAME
 *   adopt NAME UUID                     take one that exists
 *   space NAME                          container     unspace NAME
 *   join MDEV SPACE                     its group     leave MDEV
 *   map SPACE IOVA SIZE [SEED]          fresh memory, filled with a pattern
 *   unmap SPACE IOVA SIZE
 *   open MDEV [RING-IOVA [irq]]         start its queue; without an iova: do not
 *   close MDEV                          reset MDEV          restart MDEV
 *   copy MDEV DST SRC LEN               fill MDEV DST LEN VALUE
 *   compare MDEV A B LEN                crc MDEV SRC LEN
 *   flood MDEV DST SRC LEN COUNT        submit, do not wait
 *   load MDEV DST SRC LEN               copy without end, in the background
 *   unload MDEV                         end that
 *   wait MDEV [MS]                      for the last one submitted, or the load's failure
 *   sum SPACE IOVA LEN                  CRC-32C as the processor sees the memory
 *   poke SPACE IOVA LEN SEED            new pattern
 *   state MDEV
 *   asked MDEV                          has the driver asked for the device back?
 *   reg MDEV OFFSET [VALUE]             read or write a 32-bit register
 *   exit
 *
 * Answers: "ok ...", "done ...", "failed ..." (an ADI's completion), or
 * "error ENODEV ...".
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "adi.h"

#define NAMES 128
#define REGIONS 16
#define WORDS 8
#define LOAD_DEPTH 128

struct named_space {
	char name[16];
	struct space space;
	struct region {
		uint64_t iova;
		size_t size;
		uint8_t *memory;
	} regions[REGIONS];
};

struct named_mdev {
	char name[16];
	struct mdev mdev;
	int group;                      /* -1 while in no space */
	struct named_space *space;
	bool opened;
	struct adi adi;
	int last;                       /* index submitted last */
	bool loaded;                    /* the thread below owns the queue */
	volatile bool unload;
	pthread_t thread;
	struct adi_desc load;
	struct adi_completion result;   /* of the load, when it has failed */
};

static struct named_space spaces[NAMES];
static struct named_mdev mdevs[NAMES];
static char answer[500];

static void answer_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void answer_ok(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer, sizeof(answer) - 1, format, args);
	va_end(args);
}

static int answer_error(int64_t error)
{
	snprintf(answer, sizeof(answer), "error %s %s", strerrorname_np(-error), strerror(-error));
	return error;
}

/* ---- Names ------------------------------------------------------------------- */

static struct named_space *space_named(const char *name)
{
	for (int n = 0; n < NAMES; n++)
		if (!strcmp(spaces[n].name, name))
			return &spaces[n];
	return NULL;
}

static struct named_mdev *mdev_named(const char *name)
{
	for (int n = 0; n < NAMES; n++)
		if (!strcmp(mdevs[n].name, name))
			return &mdevs[n];
	return NULL;
}

static struct region *region_of(struct named_space *space, uint64_t iova, size_t len)
{
	for (struct region *r = space->regions; r < space->regions + REGIONS; r++)
		if (r->memory && iova >= r->iova && iova + len <= r->iova + r->size)
			return r;
	return NULL;
}

static uint64_t number(const char *word)
{
	return word ? strtoull(word, NULL, 0) : 0;
}

/* ---- Commands ------------------------------------------------------------------ */

static int do_mdev(char *words[])
{
	struct named_mdev *m = mdev_named("");
	int error;

	if (!m || mdev_named(words[1]))
		return -EEXIST;
	error = mdev_create(&m->mdev, words[2], words[3]);
	if (error)
		return error;
	snprintf(m->name, sizeof(m->name), "%s", words[1]);
	m->group = -1;
	answer_ok("ok uuid=%s group=%d", m->mdev.uuid, m->mdev.group);
	return 0;
}

static int do_adopt(char *words[])
{
	struct named_mdev *m = mdev_named("");
	int error;

	if (!m || mdev_named(words[1]))
		return -EEXIST;
	error = mdev_existing(&m->mdev, words[2]);
	if (error)
		return error;
	snprintf(m->name, sizeof(m->name), "%s", words[1]);
	m->group = -1;
	return 0;
}

static int do_remove(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);
	int error = mdev_remove(&m->mdev);

	if (!error)
		m->name[0] = '\0';
	return error;
}

static int do_space(char *words[])
{
	struct named_space *s = space_named("");
	int error;

	if (!s || space_named(words[1]))
		return -EEXIST;
	error = space_open(&s->space);
	if (!error)
		snprintf(s->name, sizeof(s->name), "%s", words[1]);
	return error;
}

static int do_unspace(char *words[])
{
	struct named_space *s = space_named(words[1]);

	space_close(&s->space);
	for (int n = 0; n < REGIONS; n++)
		if (s->regions[n].memory)
			munmap(s->regions[n].memory, s->regions[n].size);
	memset(s, 0, sizeof(*s));
	return 0;
}

static int do_join(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);
	struct named_space *s = space_named(words[2]);
	int group;

	if (!s)
		return -ENOENT;
	group = space_join(&s->space, &m->mdev);
	if (group < 0)
		return group;
	m->group = group;
	m->space = s;
	return 0;
}

static int do_leave(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);

	int error = space_leave(m->group);

	if (error)
		return error;
	m->group = -1;
	m->space = NULL;
	return 0;
}

static int do_map(char *words[])
{
	struct named_space *s = space_named(words[1]);
	struct region region = { number(words[2]), number(words[3]), NULL }, *slot = s->regions;
	int error;

	while (slot < s->regions + REGIONS && slot->memory)
		slot++;
	if (slot == s->regions + REGIONS)
		return -ENOSPC;
	region.memory = memory_get(region.size);
	if (!region.memory)
		return -ENOMEM;
	pattern_fill(region.memory, region.size, number(words[4]));
	error = space_map(&s->space, region.iova, region.memory, region.size);
	if (error)
		munmap(region.memory, region.size);
	else
		*slot = region;
	return error;
}

static int do_unmap(char *words[])
{
	struct named_space *s = space_named(words[1]);
	struct region *region = region_of(s, number(words[2]), number(words[3]));
	int64_t size = space_unmap(&s->space, number(words[2]), number(words[3]));

	if (size < 0)
		return size;
	if (region && region->size == number(words[3])) {
		munmap(region->memory, region->size);
		region->memory = NULL;
	}
	answer_ok("ok bytes=%lld", (long long)size);
	return 0;
}

static int do_open(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);
	int error = adi_open(&m->adi, &m->mdev, m->group);

	if (error)
		return error;
	m->opened = true;
	if (words[2])
		error = adi_start(&m->adi, &m->space->space, number(words[2]),
				  words[3] ? ADI_INTERRUPT : ADI_POLL);
	if (!error)
		answer_ok("ok index=%u", adi_read32(&m->adi, ADI_Q_INDEX));
	return error;
}

static int do_close(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);

	if (m->adi.ring_memory)
		space_unmap(&m->space->space, m->adi.ring_iova, ADI_RING_SPACE);
	adi_close(&m->adi);
	m->opened = false;
	return 0;
}

static int do_reset(char *words[])
{
	return adi_reset(&mdev_named(words[1])->adi);
}

static int do_restart(char *words[])
{
	adi_restart(&mdev_named(words[1])->adi);
	return 0;
}

static int run(struct named_mdev *m, const struct adi_desc *desc)
{
	struct adi_completion c;
	int error = adi_do(&m->adi, desc, &c);

	if (error && error != -EIO)
		return error;
	answer_ok("%s", completion_text(&c));
	return 0;
}

static int do_copy(char *words[])
{
	struct adi_desc desc = { .opcode = ADI_OP_COPY, .dst = number(words[2]),
				 .src = number(words[3]), .len = number(words[4]) };

	return run(mdev_named(words[1]), &desc);
}

static int do_fill(char *words[])
{
	struct adi_desc desc = { .opcode = ADI_OP_FILL, .dst = number(words[2]),
				 .len = number(words[3]), .operand = number(words[4]) };

	return run(mdev_named(words[1]), &desc);
}

static int do_compare(char *words[])
{
	struct adi_desc desc = { .opcode = ADI_OP_COMPARE, .dst = number(words[2]),
				 .src = number(words[3]), .len = number(words[4]) };

	return run(mdev_named(words[1]), &desc);
}

static int do_crc(char *words[])
{
	struct adi_desc desc = { .opcode = ADI_OP_CRC32C, .src = number(words[2]),
				 .len = number(words[3]) };

	return run(mdev_named(words[1]), &desc);
}

static int do_flood(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);
	struct adi_desc desc = { .opcode = ADI_OP_COPY, .dst = number(words[2]),
				 .src = number(words[3]), .len = number(words[4]) };

	for (uint64_t n = number(words[5]); n; n--) {
		m->last = adi_submit(&m->adi, &desc);
		if (m->last < 0)
			return m->last;
	}
	return 0;
}

/* Always some descriptors in the ring; ends with the first that fails. */
static void *load_run(void *argument)
{
	struct named_mdev *m = argument;
	int indexes[LOAD_DEPTH], error = 0;

	for (unsigned int n = 0; !m->unload; n++) {
		int *index = &indexes[n % LOAD_DEPTH];

		do {
			error = n < LOAD_DEPTH ? 0 : adi_wait(&m->adi, *index, 100, &m->result);
		} while (error == -ETIMEDOUT && !m->unload);
		if (error || (n >= LOAD_DEPTH && m->result.status == ADI_COMPLETION_FAILED))
			break;
		*index = adi_submit(&m->adi, &m->load);
	}
	return (void *)(intptr_t)error;
}

static int do_load(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);

	m->load = (struct adi_desc){ .opcode = ADI_OP_COPY, .dst = number(words[2]),
				     .src = number(words[3]), .len = number(words[4]) };
	m->unload = false;
	m->loaded = true;
	return -pthread_create(&m->thread, NULL, load_run, m);
}

static int load_wait(struct named_mdev *m, int ms)
{
	struct timespec until;
	void *error;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	if (pthread_timedjoin_np(m->thread, &error, &until))
		return -ETIMEDOUT;
	m->loaded = false;
	if ((intptr_t)error && (intptr_t)error != -EIO)
		return (intptr_t)error;
	answer_ok("%s", completion_text(&m->result));
	return 0;
}

static int do_unload(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);

	if (!m->loaded)
		return -EINVAL;
	m->unload = true;
	pthread_join(m->thread, NULL);
	m->loaded = false;
	return 0;
}

static int do_wait(char *words[])
{
	struct named_mdev *m = mdev_named(words[1]);
	struct adi_completion c;

	if (m->loaded)
		return load_wait(m, words[2] ? (int)number(words[2]) : 10000);
	int error = adi_wait(&m->adi, m->last, words[2] ? (int)number(words[2]) : 10000, &c);

	if (error && error != -EIO)
		return error;
	answer_ok("%s", completion_text(&c));
	return 0;
}

static int do_sum(char *words[])
{
	struct named_space *s = space_named(words[1]);
	uint64_t iova = number(words[2]), len = number(words[3]);
	struct region *region = region_of(s, iova, len);

	if (!region)
		return -EFAULT;
	answer_ok("ok crc=0x%x", crc32c(0, region->memory + (iova - region->iova), len));
	return 0;
}

static int do_poke(char *words[])
{
	struct named_space *s = space_named(words[1]);
	uint64_t iova = number(words[2]), len = number(words[3]);
	struct region *region = region_of(s, iova, len);

	if (!region)
		return -EFAULT;
	pattern_fill(region->memory + (iova - region->iova), len, number(words[4]));
	return 0;
}

static int do_state(char *words[])
{
	struct adi *adi = &mdev_named(words[1])->adi;

	answer_ok("ok state=%s error=%u addr=0x%llx head=%u", state_name(adi_read32(adi, ADI_Q_STATUS)),
		  adi_read32(adi, ADI_Q_ERROR) & ADI_ERROR_CODE,
		  (unsigned long long)adi_read64(adi, ADI_Q_ERROR_ADDR), adi_read32(adi, ADI_Q_HEAD));
	return 0;
}

static int do_asked(char *words[])
{
	uint64_t count = 0;

	if (read(mdev_named(words[1])->adi.request, &count, sizeof(count)) < 0)
		count = 0;
	answer_ok("ok asked=%llu", (unsigned long long)count);
	return 0;
}

static int do_reg(char *words[])
{
	struct adi *adi = &mdev_named(words[1])->adi;

	if (words[3])
		adi_write32(adi, number(words[2]), number(words[3]));
	else
		answer_ok("ok value=0x%x", adi_read32(adi, number(words[2])));
	return 0;
}

static int do_exit(char *words[])
{
	(void)words;
	exit(0);
}

/* ---- The loop -------------------------------------------------------------------- */

/* IDLE: opened, and no load has its queue. */
enum subject { NONE, NEW, MDEV, OPENED, IDLE, SPACE };

static const struct command {
	const char *name;
	int (*run)(char *words[]);
	int arguments;                  /* at least */
	enum subject subject;           /* what the first argument must be */
} commands[] = {
	{ "mdev", do_mdev, 2, NEW }, { "adopt", do_adopt, 2, NEW }, { "remove", do_remove, 1, MDEV },
	{ "space", do_space, 1, NEW }, { "unspace", do_unspace, 1, SPACE },
	{ "join", do_join, 2, MDEV }, { "leave", do_leave, 1, MDEV },
	{ "map", do_map, 3, SPACE }, { "unmap", do_unmap, 3, SPACE },
	{ "open", do_open, 1, MDEV }, { "close", do_close, 1, IDLE },
	{ "reset", do_reset, 1, IDLE }, { "restart", do_restart, 1, IDLE },
	{ "copy", do_copy, 4, IDLE }, { "fill", do_fill, 4, IDLE },
	{ "compare", do_compare, 4, IDLE }, { "crc", do_crc, 3, IDLE },
	{ "flood", do_flood, 5, IDLE }, { "load", do_load, 4, IDLE },
	{ "unload", do_unload, 1, OPENED }, { "wait", do_wait, 1, OPENED },
	{ "sum", do_sum, 3, SPACE }, { "poke", do_poke, 4, SPACE },
	{ "state", do_state, 1, OPENED }, { "asked", do_asked, 1, OPENED },
	{ "reg", do_reg, 2, OPENED }, { "exit", do_exit, 0, NONE },
};

static bool subject_is_right(enum subject subject, const char *name)
{
	switch (subject) {
	case MDEV:
		return mdev_named(name);
	case OPENED:
		return mdev_named(name) && mdev_named(name)->opened;
	case IDLE:
		return mdev_named(name) && mdev_named(name)->opened && !mdev_named(name)->loaded;
	case SPACE:
		return space_named(name);
	default:
		return true;
	}
}

static const struct command *command_find(const char *name)
{
	for (size_t n = 0; n < sizeof(commands) / sizeof(commands[0]); n++)
		if (!strcmp(commands[n].name, name))
			return &commands[n];
	return NULL;
}

/* The answer is left in @answer; the negative errno if it is an error. */
static int line_run(char *line)
{
	char *words[WORDS + 1] = { NULL };
	int count = 0, error;

	for (char *w = strtok(line, " \t\n"); w && count < WORDS; w = strtok(NULL, " \t\n"))
		words[count++] = w;
	const struct command *command = count ? command_find(words[0]) : NULL;
	if (!command || count - 1 < command->arguments) {
		snprintf(answer, sizeof(answer), "error EINVAL usage: %s", count ? words[0] : "?");
		return -EINVAL;
	}
	if (!subject_is_right(command->subject, words[1])) {
		snprintf(answer, sizeof(answer), "error ENOENT no such name, not open, or at work: %s", words[1]);
		return -ENOENT;
	}
	snprintf(answer, sizeof(answer), "ok");
	error = command->run(words);
	return error < 0 ? answer_error(error) : 0;
}

/*
 * Two pipes with names: a kernel without sockets has them, too.  The server
 * holds both ends of both, so that none of them ends when a client leaves.
 */
static int pipe_open(const char *path, const char *suffix, int flags)
{
	char name[256];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if (flags == O_RDWR && mkfifo(name, 0600) && errno != EEXIST)
		return -1;
	return open(name, flags | O_CLOEXEC);
}

static int serve(const char *path)
{
	int in = pipe_open(path, ".in", O_RDWR), out = pipe_open(path, ".out", O_RDWR);
	char line[256];
	ssize_t n;

	if (in < 0 || out < 0)
		die("%s: %s", path, strerror(errno));
	while ((n = read(in, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line_run(line);
		strcat(answer, "\n");
		if (write(out, answer, strlen(answer)) < 0)
			perror("adi-sh: answer");
	}
	return 1;
}

int shell_main(int argc, char *argv[])
{
	char line[256];

	if (argc == 3 && !strcmp(argv[1], "--serve"))
		return serve(argv[2]);
	if (argc != 1)
		die("usage: adi-sh [--serve PIPE]");
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		int error = line_run(line);
		say("%s", answer);
		if (error)
			return 1;
	}
	return 0;
}

/* A pipe nobody reads cannot be opened to write: then there is no adi-sh (yet). */
static int pipe_open_within(const char *path, const char *suffix, int flags, int ms)
{
	for (uint64_t deadline = now_ms() + ms;; sleep_ms(10)) {
		int fd = pipe_open(path, suffix, flags | O_NONBLOCK);

		if (fd >= 0)
			return fd;
		if (now_ms() > deadline)
			die("%s: no adi-sh answers: %s", path, strerror(errno));
	}
}

/* One line; the program ends when the adi-sh does before it has answered. */
static void answer_read(const char *path, int in, int out, char *reply, size_t size)
{
	struct pollfd fds[2] = { { out, POLLIN, 0 }, { in, 0, 0 } };
	ssize_t n = 0;

	while (poll(fds, 2, -1) > 0 && !fds[0].revents && !(fds[1].revents & POLLERR))
		;
	if (fds[0].revents & POLLIN)
		n = read(out, reply, size - 1);
	if (n <= 0)
		die("%s: the adi-sh ended without an answer", path);
	reply[n] = '\0';
}

int ask_main(int argc, char *argv[])
{
	char line[256] = "", reply[512];
	int in, out;

	if (argc < 3)
		die("usage: adi-ask PIPE COMMAND");
	for (int i = 2; i < argc; i++) {
		strncat(line, argv[i], sizeof(line) - strlen(line) - 2);
		strcat(line, " ");
	}
	in = pipe_open_within(argv[1], ".in", O_WRONLY, 1000);
	out = pipe_open_within(argv[1], ".out", O_RDONLY, 1000);
	if (write(in, line, strlen(line)) < 0)
		die("%s: %s", argv[1], strerror(errno));
	answer_read(argv[1], in, out, reply, sizeof(reply));
	fputs(reply, stdout);
	return !strncmp(reply, "error", 5);
}
