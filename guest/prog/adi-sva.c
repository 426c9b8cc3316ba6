/*
 * An ADI in the process's own address space: addresses are pointers, memory is
 * whatever malloc() and mmap() give, and the kernel changes the page table under
 * the ADI as it does under the processor.
 *
 *   adi-sva            every claim a line of TAP
 *   adi-sva killed     the same for a process that is killed amid its ADI's work,
 *                      whose requests are refused from then on
 *   adi-sva pages N    copies N pages, then tells the frame that each page is in
 *                      by /proc/self/pagemap: "page 0x7f2829e4b 0x1a2b"
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "adi.h"

#define SHARED "/dev/adi-sva"
#define PAGE (4 * KIB)
#define SIZE (16 * PAGE)

static struct adi adi;
static unsigned int claims, failures;

static void claim(bool holds, const char *what)
{
	failures += !holds;
	say("%sok %u - %s", holds ? "" : "not ", ++claims, what);
}

/* Memory that nothing has touched: no page of it is there. */
static uint8_t *fresh(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory == MAP_FAILED ? -errno : 0, "mmap");
	return memory;
}

/* The first function's that offers address spaces. */
static int shared_open(void)
{
	DIR *dir = opendir(SHARED);
	struct dirent *entry;
	int fd = -1;

	errno = ENODEV;
	while (dir && fd < 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
	return must(fd < 0 ? -errno : fd, "open an ADI in this address space");
}

/* Not even the ring's memory is there before it is used. */
static void shared_start(void)
{
	void *page;

	adi = (struct adi){ .device = shared_open(), .irq = -1, .request = -1 };
	page = mmap(NULL, ADI_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, adi.device, 0);
	must(page == MAP_FAILED ? -errno : 0, "map the ADI's page");
	adi.page = page;
	adi.ring_memory = fresh(ADI_RING_SPACE);
	adi.ring_iova = (uintptr_t)adi.ring_memory;
	adi.ring = (void *)adi.ring_memory;
	adi.completions = (void *)(adi.ring_memory + ADI_RING_SPACE / 2);
	adi_restart(&adi);
}

static struct adi_completion copy(void *dst, const void *src, size_t len)
{
	struct adi_completion c = { 0 };
	int error = adi_copy(&adi, (uintptr_t)dst, (uintptr_t)src, len, &c);

	if (error && error != -EIO)
		die("copy: %s", strerror(-error));
	if (c.status != ADI_COMPLETION_DONE) {
		say("# %s", completion_text(&c));
		adi_restart(&adi);
	}
	return c;
}

static bool copied(void *dst, const void *src, size_t len)
{
	return copy(dst, src, len).status == ADI_COMPLETION_DONE && !memcmp(dst, src, len);
}

static bool failed(struct adi_completion c, enum adi_error error, const void *where)
{
	return c.status == ADI_COMPLETION_FAILED && c.error == error && c.fault_addr == (uintptr_t)where;
}

static bool all_zero(const uint8_t *memory, size_t len)
{
	return !memory[0] && !memcmp(memory, memory + 1, len - 1);
}

/* ---- The claims -------------------------------------------------------------- */

static void untouched(void)
{
	struct adi_desc fill = { .opcode = ADI_OP_FILL, .len = SIZE, .operand = 0x0101010101010101 * 0x5a };
	uint8_t *a = fresh(SIZE), *b = malloc(SIZE), *zeroes = fresh(SIZE);
	struct adi_completion c = { 0 };

	fill.dst = (uintptr_t)a;
	must(adi_do(&adi, &fill, &c), "fill");
	claim(c.status == ADI_COMPLETION_DONE && a[0] == 0x5a && !memcmp(a, a + 1, SIZE - 1),
	      "the device writes to memory that nothing has touched");
	claim(copied(b, a, SIZE), "it copies what it wrote to memory from malloc()");
	claim(copy(b, zeroes, SIZE).status == ADI_COMPLETION_DONE && all_zero(b, SIZE),
	      "it reads zeroes where nothing has been written");
	pattern_fill(zeroes, SIZE, 1);
	claim(copied(b, zeroes, SIZE), "what the processor then writes there, in place of the page of zeroes, it reads");
	free(b);
}

static void read_only(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE);

	pattern_fill(a, SIZE, 2);
	copy(b, a, SIZE);
	mprotect(b + PAGE, PAGE, PROT_READ);
	pattern_fill(a, SIZE, 3);
	claim(failed(copy(b, a, SIZE), ADI_ERR_WRITE, b + PAGE), "a write to a page made read-only fails there");
	claim(pattern_check(b, PAGE, 3) < 0, "what came before that page was written");
	mprotect(b + PAGE, PAGE, PROT_READ | PROT_WRITE);
	pattern_fill(a, SIZE, 2);
	claim(!memcmp(b + PAGE, a + PAGE, SIZE - PAGE), "that page and those after it are as they were");
	mprotect(b, SIZE, PROT_READ);
	claim(copied(a, b, SIZE), "read-only pages are read");
	mprotect(b, SIZE, PROT_READ | PROT_WRITE);
	pattern_fill(a, SIZE, 4);
	claim(copied(b, a, SIZE), "pages made writable again are written");
}

static void unmapped(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE);

	pattern_fill(a, SIZE, 5);
	claim(copied(b, a, SIZE), "the device has used the pages that will go");
	munmap(a + 2 * PAGE, PAGE);
	claim(failed(copy(b, a, SIZE), ADI_ERR_READ, a + 2 * PAGE), "a read of a page that was unmapped fails there");
	mmap(a + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	claim(copied(b, a, SIZE) && all_zero(b + 2 * PAGE, PAGE), "a new page in its place is read, and is empty");
	claim(failed(copy((void *)(uintptr_t)PAGE, a, PAGE), ADI_ERR_WRITE, (void *)(uintptr_t)PAGE),
	      "a write to where nothing ever was fails");
}

static void dropped(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE);

	pattern_fill(a, SIZE, 6);
	claim(copied(b, a, SIZE), "the device has used the pages that will be dropped");
	madvise(a, SIZE, MADV_DONTNEED);
	claim(copy(b, a, SIZE).status == ADI_COMPLETION_DONE && all_zero(b, SIZE),
	      "pages dropped by MADV_DONTNEED read as zeroes");
}

static void moved(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE), *to = fresh(SIZE);

	pattern_fill(a, SIZE, 7);
	copy(b, a, SIZE);
	must(mremap(a, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ? -errno : 0, "mremap");
	claim(failed(copy(b, a, PAGE), ADI_ERR_READ, a), "pages moved by mremap() are not at their old address");
	memset(b, 0, SIZE);
	claim(copied(b, to, SIZE) && pattern_check(b, SIZE, 7) < 0, "they are at the new one");
}

/* ---- Other processes ------------------------------------------------------------ */

/* @run in a child; whether it returned true. */
static bool child(bool (*run)(void *), void *argument)
{
	int status;
	pid_t pid = fork();

	must(pid < 0 ? -errno : 0, "fork");
	if (!pid)
		_exit(!run(argument));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool child_writes(void *memory)
{
	bool same = pattern_check(memory, SIZE, 8) < 0;

	memset(memory, 0xcc, SIZE);
	return same;
}

static bool child_maps(void *unused)
{
	(void)unused;
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, adi.device, 0) == MAP_FAILED && errno == EPERM;
}

static void forked(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE);
	int pipes[2], status;
	char byte = 0;
	pid_t pid;

	pattern_fill(a, SIZE, 8);
	copy(b, a, SIZE);
	claim(child(child_writes, a), "a child finds the memory as it was, and writes to its own");
	claim(copied(b, a, SIZE) && pattern_check(b, SIZE, 8) < 0, "the device still reads the parent's pages");

	must(pipe(pipes), "pipe");
	pattern_fill(b, SIZE, 9);
	pid = fork();
	must(pid < 0 ? -errno : 0, "fork");
	if (!pid)
		_exit(read(pipes[0], &byte, 1) != 1 || pattern_check(a, SIZE, 8) >= 0);
	claim(copied(a, b, SIZE), "the device writes to pages shared with a child");
	must(write(pipes[1], &byte, 1) == 1 ? 0 : -EIO, "write");
	waitpid(pid, &status, 0);
	claim(WIFEXITED(status) && !WEXITSTATUS(status), "the child does not see what the device wrote");
	claim(child(child_maps, NULL), "a child can not map the ADI's page");
}

/* Work until killed. */
static void work(int ready)
{
	uint8_t *a, *b;
	struct adi_desc desc = { .opcode = ADI_OP_COPY, .len = MIB };
	char byte = 0;

	shared_start();
	a = fresh(MIB);
	b = fresh(MIB);
	desc.src = (uintptr_t)a;
	desc.dst = (uintptr_t)b;
	for (;;) {
		must(adi_submit(&adi, &desc), "submit");
		if (write(ready, &byte, 1) < 0)
			_exit(1);
	}
}

static void killed(void)
{
	uint8_t *a = fresh(SIZE), *b = fresh(SIZE);
	int pipes[2];
	char byte;
	pid_t pid;

	must(pipe(pipes), "pipe");
	pid = fork();
	must(pid < 0 ? -errno : 0, "fork");
	if (!pid)
		work(pipes[1]);
	close(pipes[1]);
	for (int n = 0; n < 20; n++)
		must(read(pipes[0], &byte, 1) == 1 ? 0 : -EIO, "the child's work");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	pattern_fill(a, SIZE, 10);
	claim(copied(b, a, SIZE), "another process, killed amid its ADI's work, takes nothing with it");
}

static void claims_run(void)
{
	untouched();
	read_only();
	unmapped();
	dropped();
	moved();
	forked();
}

/* ---- Where the kernel says that pages are ------------------------------------------ */

#define PAGEMAP_FRAME ((1ull << 55) - 1)
#define PAGEMAP_PRESENT (1ull << 63)

static void frame_tell(int pagemap, const uint8_t *memory)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, 8, (uintptr_t)memory / PAGE * 8) != 8 || !(entry & PAGEMAP_PRESENT))
		die("no page at %p", (const void *)memory);
	say("page 0x%llx 0x%llx", (unsigned long long)(uintptr_t)memory / PAGE,
	    (unsigned long long)(entry & PAGEMAP_FRAME));
}

static void pages_tell(long count)
{
	uint8_t *a = fresh(count * PAGE), *b = fresh(count * PAGE);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	must(pagemap < 0 ? -errno : 0, "pagemap");
	pattern_fill(a, count * PAGE, 11);
	if (!copied(b, a, count * PAGE))
		die("the copy failed");
	for (long n = 0; n < count; n++) {
		frame_tell(pagemap, a + n * PAGE);
		frame_tell(pagemap, b + n * PAGE);
	}
	close(pagemap);
}

int sva_main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	long count = argc > 2 ? atol(argv[2]) : 0;

	shared_start();
	if (argc == 1)
		claims_run();
	else if (argc == 2 && !strcmp(what, "killed"))
		killed();
	else if (argc == 3 && !strcmp(what, "pages") && count >= 1 && count <= 256)
		pages_tell(count);
	else
		die("usage: %s [killed | pages N]    (N: 1 to 256)", argv[0]);
	if (claims)
		say("1..%u", claims);
	adi_close(&adi);
	return failures != 0;
}
