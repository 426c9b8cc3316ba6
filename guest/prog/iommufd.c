/*
 * iommufd: a user of Linux's iommufd owns a PCI function and lets it do DMA.
 *
 *   iommufd dirty BDF     which pages the function wrote is what the kernel
 *                         reports, once for each write [second-stage dirty bits]
 *   iommufd nested BDF    the program writes first-stage tables of its own,
 *                         nested on the kernel's second stage: DMA follows them,
 *                         marks their entries, and stops when one goes
 *
 * The function is QEMU's edu, bound to vfio-pci: it loads a buffer of a page
 * from memory and stores it to memory.  Every claim is a line of TAP.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"

#define PAGE		4096ull
#define PAGES		64
#define IOVA		0x10000000ull	/* what the second stage maps */
#define VA		0x40200000ull	/* what the first stage maps, nested */

/* edu's registers, and where its buffer is. */
enum { EDU_SRC = 0x80, EDU_DST = 0x88, EDU_COUNT = 0x90, EDU_COMMAND = 0x98 };
enum { EDU_LOAD = 1, EDU_STORE = 3, EDU_BUFFER = 0x40000 };

/* First-stage entries, as on the processor. */
enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40 };

static int iommufd, device;
static uint32_t device_id, ioas, parent;
static volatile uint64_t *edu;
static uint8_t *memory;		/* PAGES pages, at IOVA for the function */
static unsigned claims, failures;

static void claim(bool holds, const char *what)
{
	printf("%sok %u - %s\n", holds ? "" : "not ", ++claims, what);
	failures += !holds;
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void request(int fd, unsigned long number, void *data, const char *what)
{
	if (ioctl(fd, number, data))
		die(what);
}

/* ---- The function ------------------------------------------------------------ */

static int open_cdev(const char *bdf)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
			fd = open(path, O_RDWR);
		}
	closedir(dir);
	if (fd < 0)
		die(path);
	return fd;
}

static void bind_device(void)
{
	struct vfio_bind bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	request(device, VFIO_BIND, &bind, "bind");
	device_id = bind.out_devid;
}

static void attach(uint32_t table)
{
	struct vfio_attach a = { .argsz = sizeof(a), .pt_id = table };

	request(device, VFIO_ATTACH, &a, "attach");
}

static void enable_bus_master(void)
{
	struct vfio_region config = { .argsz = sizeof(config), .index = VFIO_CONFIG_REGION };
	uint16_t command = 0;

	request(device, VFIO_REGION_INFO, &config, "configuration space");
	if (pread(device, &command, 2, config.offset + 4) != 2)
		die("command register");
	command |= 6;
	if (pwrite(device, &command, 2, config.offset + 4) != 2)
		die("command register");
}

static void map_registers(void)
{
	struct vfio_region bar = { .argsz = sizeof(bar) };

	request(device, VFIO_REGION_INFO, &bar, "BAR 0");
	edu = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, bar.offset);
	if (edu == MAP_FAILED)
		die("mmap of BAR 0");
}

static void dma(uint64_t src, uint64_t dst, uint64_t len, unsigned command)
{
	edu[EDU_SRC / 8] = src;
	edu[EDU_DST / 8] = dst;
	edu[EDU_COUNT / 8] = len;
	edu[EDU_COMMAND / 8] = command;
	for (unsigned waited = 0; edu[EDU_COMMAND / 8] & 1; waited++) {
		if (waited > 2000) {
			errno = ETIMEDOUT;
			die("DMA");
		}
		usleep(5000);
	}
}

static void load(uint64_t from)
{
	dma(from, EDU_BUFFER, 64, EDU_LOAD);
}

static void store(uint64_t to)
{
	dma(EDU_BUFFER, to, 64, EDU_STORE);
}

/* ---- Memory and tables --------------------------------------------------------- */

static void map_memory(void)
{
	struct iommufd_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommufd_ioas_map map = {
		.size = sizeof(map), .length = PAGES * PAGE, .iova = IOVA,
		.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_WRITEABLE | IOMMUFD_MAP_READABLE,
	};

	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("memory");
	request(iommufd, IOMMUFD_IOAS_ALLOC, &alloc, "address space");
	ioas = alloc.out_ioas_id;
	map.ioas_id = ioas;
	map.user_va = (uintptr_t)memory;
	request(iommufd, IOMMUFD_IOAS_MAP, &map, "map");
}

static void make_parent(void)
{
	struct iommufd_hwpt_alloc alloc = {
		.size = sizeof(alloc), .dev_id = device_id, .pt_id = ioas,
		.flags = IOMMUFD_NEST_PARENT | IOMMUFD_DIRTY_TRACKING,
	};

	request(iommufd, IOMMUFD_HWPT_ALLOC, &alloc, "second-stage table");
	parent = alloc.out_hwpt_id;
}

static void track_dirty(void)
{
	struct iommufd_set_dirty set = { .size = sizeof(set), .flags = IOMMUFD_DIRTY_ENABLE, .hwpt_id = parent };

	request(iommufd, IOMMUFD_SET_DIRTY, &set, "dirty tracking");
}

/* Which pages were written since the last time, a bit each. */
static uint64_t take_dirty(void)
{
	uint64_t bitmap = 0;
	struct iommufd_get_dirty get = {
		.size = sizeof(get), .hwpt_id = parent, .iova = IOVA, .length = PAGES * PAGE,
		.page_size = PAGE, .data = (uintptr_t)&bitmap,
	};

	request(iommufd, IOMMUFD_GET_DIRTY, &get, "dirty bitmap");
	return bitmap;
}

static uint64_t iova_of(unsigned page)
{
	return IOVA + page * PAGE;
}

static uint8_t *page_at(unsigned page)
{
	return memory + page * PAGE;
}

static bool same(unsigned page, unsigned other)
{
	return !memcmp(page_at(page), page_at(other), 64);
}

/* ---- Dirty pages ----------------------------------------------------------------- */

static void dirty(void)
{
	attach(parent);
	memset(page_at(3), 0x5a, 64);
	load(iova_of(3));
	store(iova_of(5));
	claim(same(3, 5), "the function copies a page through the second stage");
	track_dirty();
	take_dirty();

	load(iova_of(3));
	claim(take_dirty() == 0, "a page that was read is not dirty");
	store(iova_of(7));
	claim(take_dirty() == 1ull << 7, "the page that was written is dirty, and no other");
	claim(take_dirty() == 0, "it is reported once");
	store(iova_of(7));
	store(iova_of(63));
	claim(take_dirty() == (1ull << 7 | 1ull << 63), "a page that is written again is dirty again");
	load(iova_of(9));
	store(iova_of(9));
	claim(take_dirty() == 1ull << 9, "a write after a read of the same page makes it dirty");
}

/* ---- Nested ----------------------------------------------------------------------- */

/* The first stage's tables, in pages 16 .. 19, and the entry of a page of VA. */
static uint64_t *table(unsigned level)
{
	return (uint64_t *)page_at(15 + level);
}

static volatile uint64_t *entry(unsigned page)
{
	return &table(1)[(VA >> 12 & 511) + page];
}

static void build_tables(void)
{
	for (unsigned level = 2; level <= 4; level++)
		table(level)[VA >> (12 + 9 * (level - 1)) & 511] = iova_of(15 + level - 1) | P | RW | US;
	*entry(0) = iova_of(30) | P | RW | US;
	*entry(1) = iova_of(31) | P | RW | US;
	*entry(2) = iova_of(32) | P | US;
}

static uint32_t make_nested(void)
{
	struct iommufd_vtd_s1 data = { .pgtbl_addr = iova_of(19), .addr_width = 48 };
	struct iommufd_hwpt_alloc alloc = {
		.size = sizeof(alloc), .dev_id = device_id, .pt_id = parent,
		.data_type = IOMMUFD_DATA_VTD_S1, .data_len = sizeof(data), .data_uptr = (uintptr_t)&data,
	};

	request(iommufd, IOMMUFD_HWPT_ALLOC, &alloc, "first-stage table");
	return alloc.out_hwpt_id;
}

static void invalidate(uint32_t nested, uint64_t addr)
{
	struct iommufd_vtd_s1_invalidate what = { .addr = addr, .npages = 1 };
	struct iommufd_invalidate inv = {
		.size = sizeof(inv), .hwpt_id = nested, .data_uptr = (uintptr_t)&what,
		.entry_len = sizeof(what), .entry_num = 1,
	};

	request(iommufd, IOMMUFD_INVALIDATE, &inv, "invalidation");
}

static void nested(void)
{
	uint32_t first_stage;

	build_tables();
	first_stage = make_nested();
	attach(first_stage);
	memset(page_at(30), 0xc3, 64);
	load(VA);
	claim((*entry(0) & (A | D)) == A, "a read sets the accessed bit of the program's entry, not the dirty bit");
	claim(table(4)[0] & A, "and the accessed bits on the way");
	store(VA + PAGE);
	claim(same(30, 31), "the function copies a page through both stages");
	claim((*entry(1) & (A | D)) == (A | D), "a write sets both bits");
	store(VA + 2 * PAGE);
	claim(!same(30, 32) && !(*entry(2) & D), "a page that is read-only in the first stage is not written");

	track_dirty();
	take_dirty();
	*entry(1) &= ~(uint64_t)(A | D);
	invalidate(first_stage, VA + PAGE);
	store(VA + PAGE);
	claim((*entry(1) & (A | D)) == (A | D), "after an invalidation the bits are set anew");
	claim(take_dirty() == (1ull << 31 | 1ull << 16),
	      "the kernel sees the page as written, and the table whose entry was marked");

	memset(page_at(31), 0, 64);
	*entry(1) = iova_of(33) | P | RW | US;
	invalidate(first_stage, VA + PAGE);
	store(VA + PAGE);
	claim(same(30, 33) && !same(30, 31), "a changed entry is followed after its invalidation");
	*entry(1) = 0;
	invalidate(first_stage, VA + PAGE);
	memset(page_at(33), 0, 64);
	store(VA + PAGE);
	claim(!same(30, 33), "an entry that is gone stops the function");
}

int main(int argc, char *argv[])
{
	bool is_nested = argc == 3 && !strcmp(argv[1], "nested");

	if (argc != 3 || (!is_nested && strcmp(argv[1], "dirty"))) {
		fprintf(stderr, "usage: iommufd dirty|nested BDF\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	iommufd = open("/dev/iommu", O_RDWR);
	if (iommufd < 0)
		die("/dev/iommu");
	device = open_cdev(argv[2]);
	bind_device();
	map_memory();
	make_parent();
	if (!is_nested)
		attach(parent);
	enable_bus_master();
	map_registers();
	if (is_nested)
		nested();
	else
		dirty();
	printf("1..%u\n", claims);
	return failures != 0;
}
