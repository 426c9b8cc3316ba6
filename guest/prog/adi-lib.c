/*
 * The verbs of adi.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "adi.h"

#define PARENTS "/sys/class/mdev_bus"
#define MDEVS "/sys/bus/mdev/devices"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

int64_t must(int64_t value, const char *what)
{
	if (value < 0)
		die("%s: %s", what, strerror(-value));
	return value;
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* ---- Mediated devices ------------------------------------------------------ */

static int file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* The first device that offers mdevs of @type: -ENODEV if none does. */
static int parent_find(const char *type, char *name, size_t size)
{
	DIR *dir = opendir(PARENTS);
	struct dirent *entry;
	char path[512];
	int found = -ENODEV;

	while (dir && found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), PARENTS "/%s/mdev_supported_types/%s",
			 entry->d_name, type);
		if (entry->d_name[0] == '.' || access(path, F_OK))
			continue;
		snprintf(name, size, "%.60s", entry->d_name);
		found = 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static int group_number(const char *uuid)
{
	char path[128], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), MDEVS "/%s/iommu_group", uuid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return atoi(strrchr(target, '/') + 1);
}

int mdev_create(struct mdev *mdev, const char *type, const char *parent)
{
	char path[256];
	int error;

	if (parent)
		snprintf(mdev->parent, sizeof(mdev->parent), "%s", parent);
	else if ((error = parent_find(type, mdev->parent, sizeof(mdev->parent))))
		return error;
	error = file_read("/proc/sys/kernel/random/uuid", mdev->uuid, sizeof(mdev->uuid));
	if (error)
		return error;
	snprintf(path, sizeof(path), PARENTS "/%s/mdev_supported_types/%s/create",
		 mdev->parent, type);
	error = file_write(path, mdev->uuid);
	if (error)
		return error;
	mdev->group = group_number(mdev->uuid);
	return mdev->group < 0 ? mdev->group : 0;
}

int mdev_existing(struct mdev *mdev, const char *uuid)
{
	*mdev = (struct mdev){ .group = group_number(uuid) };
	snprintf(mdev->uuid, sizeof(mdev->uuid), "%s", uuid);
	return mdev->group < 0 ? mdev->group : 0;
}

int mdev_remove(const struct mdev *mdev)
{
	char path[128];

	snprintf(path, sizeof(path), MDEVS "/%s/remove", mdev->uuid);
	return file_write(path, "1");
}

/* ---- I/O address spaces ------------------------------------------------------ */

int space_open(struct space *space)
{
	*space = (struct space){ .container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC) };
	return space->container < 0 ? -errno : 0;
}

void space_close(struct space *space)
{
	close(space->container);
	space->container = -1;
}

static int group_open(int number)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	/* devtmpfs makes the node a moment after the group. */
	for (int tries = 0; tries < 100; tries++) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			break;
		sleep_ms(10);
	}
	return fd < 0 ? -errno : fd;
}

int space_join(struct space *space, const struct mdev *mdev)
{
	int group = group_open(mdev->group), error;

	if (group < 0)
		return group;
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &space->container)) {
		error = -errno;
		close(group);
		return error;
	}
	if (space->ready)
		return group;
	if (ioctl(space->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)) {
		error = -errno;
		close(group);
		return error;
	}
	space->ready = true;
	return group;
}

int space_leave(int group)
{
	if (ioctl(group, VFIO_GROUP_UNSET_CONTAINER))
		return -errno;
	close(group);
	return 0;
}

int space_map(struct space *space, uint64_t iova, void *memory, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return ioctl(space->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

int64_t space_unmap(struct space *space, uint64_t iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size,
	};

	return ioctl(space->container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : (int64_t)unmap.size;
}

void *memory_get(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* ---- ADIs ------------------------------------------------------------------- */

uint32_t adi_read32(struct adi *adi, unsigned int offset)
{
	uint32_t value = ~0u;

	if (adi->page)
		return *(volatile uint32_t *)(adi->page + offset);
	must(pread(adi->device, &value, 4, offset) == 4 ? 0 : -EIO, "read a register");
	return value;
}

uint64_t adi_read64(struct adi *adi, unsigned int offset)
{
	uint64_t value = ~0ull;

	if (adi->page)
		return *(volatile uint64_t *)(adi->page + offset);
	must(pread(adi->device, &value, 8, offset) == 8 ? 0 : -EIO, "read a register");
	return value;
}

void adi_write32(struct adi *adi, unsigned int offset, uint32_t value)
{
	if (adi->page)
		*(volatile uint32_t *)(adi->page + offset) = value;
	else
		must(pwrite(adi->device, &value, 4, offset) == 4 ? 0 : -EIO, "write a register");
}

void adi_write64(struct adi *adi, unsigned int offset, uint64_t value)
{
	if (adi->page)
		*(volatile uint64_t *)(adi->page + offset) = value;
	else
		must(pwrite(adi->device, &value, 8, offset) == 8 ? 0 : -EIO, "write a register");
}

static int eventfd_trigger(int device, unsigned int index)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} irq = {
		.set = {
			.argsz = sizeof(irq),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index, .start = 0, .count = 1,
		},
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	int error;

	if (irq.fd < 0)
		return -errno;
	if (!ioctl(device, VFIO_DEVICE_SET_IRQS, &irq))
		return irq.fd;
	error = -errno;
	close(irq.fd);
	return error;
}

/* The page of an adi-host is not real: it has no mapping, only read and write. */
static int page_map(struct adi *adi)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = 0 };
	void *page;

	if (ioctl(adi->device, VFIO_DEVICE_GET_REGION_INFO, &region))
		return -errno;
	if (!(region.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	page = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    adi->device, region.offset);
	if (page == MAP_FAILED)
		return -errno;
	adi->page = page;
	return 0;
}

int adi_open(struct adi *adi, const struct mdev *mdev, int group)
{
	int error;

	*adi = (struct adi){ .irq = -1, .request = -1 };
	adi->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, mdev->uuid);
	if (adi->device < 0)
		return -errno;
	error = page_map(adi);
	if (!error) {
		adi->request = eventfd_trigger(adi->device, 1);
		error = adi->request < 0 ? adi->request : 0;
	}
	if (error)
		adi_close(adi);
	return error;
}

static void queue_start(struct adi *adi)
{
	adi_write64(adi, ADI_Q_RING_BASE, adi->ring_iova);
	adi_write32(adi, ADI_Q_RING_ORDER, ADI_RING_ORDER);
	adi_write32(adi, ADI_Q_CTRL, ADI_Q_CTRL_START | (adi->irq < 0 ? 0 : ADI_Q_CTRL_IRQ));
	adi->tail = 0;
}

int adi_start(struct adi *adi, struct space *space, uint64_t ring_iova,
	      enum adi_interrupts interrupts)
{
	int error;

	adi->ring_memory = memory_get(ADI_RING_SPACE);
	if (!adi->ring_memory)
		return -ENOMEM;
	error = space_map(space, ring_iova, adi->ring_memory, ADI_RING_SPACE);
	if (error)
		return error;
	adi->ring_iova = ring_iova;
	adi->ring = (void *)adi->ring_memory;
	adi->completions = (void *)(adi->ring_memory + ADI_RING_SPACE / 2);
	if (interrupts == ADI_INTERRUPT) {
		adi->irq = eventfd_trigger(adi->device, 0);
		if (adi->irq < 0)
			return adi->irq;
	}
	queue_start(adi);
	return 0;
}

void adi_close(struct adi *adi)
{
	if (adi->page)
		munmap((void *)adi->page, ADI_PAGE_SIZE);
	for (int *fd = (int[]){ adi->irq, adi->request, adi->device }, n = 0; n < 3; n++)
		if (fd[n] >= 0)
			close(fd[n]);
	if (adi->ring_memory)
		munmap(adi->ring_memory, ADI_RING_SPACE);
	*adi = (struct adi){ .device = -1, .irq = -1, .request = -1 };
}

int adi_reset(struct adi *adi)
{
	if (ioctl(adi->device, VFIO_DEVICE_RESET))
		return -errno;
	queue_start(adi);
	return 0;
}

void adi_restart(struct adi *adi)
{
	adi_write32(adi, ADI_Q_CTRL, 0);
	adi_write32(adi, ADI_Q_CTRL, ADI_Q_CTRL_CLEAR_ERROR);
	queue_start(adi);
}

static uint64_t completion_iova(const struct adi *adi, uint32_t index)
{
	return adi->ring_iova + ADI_RING_SPACE / 2 + index * sizeof(struct adi_completion);
}

int adi_submit(struct adi *adi, const struct adi_desc *desc)
{
	uint32_t index = adi->tail, next = (index + 1) % ADI_RING_ENTRIES;
	uint64_t deadline = now_ms() + 10000;
	struct adi_desc full = *desc;

	while (adi_read32(adi, ADI_Q_HEAD) == next) {
		if (now_ms() > deadline || adi_read32(adi, ADI_Q_STATUS) == ADI_STATE_ERROR)
			return -ENOSPC;
		sleep_ms(1);
	}
	full.flags |= ADI_DESC_COMPLETION | (adi->irq < 0 ? 0 : ADI_DESC_IRQ);
	full.completion = completion_iova(adi, index);
	adi->completions[index].status = ADI_COMPLETION_PENDING;
	adi->ring[index] = full;
	__sync_synchronize();
	adi->tail = next;
	adi_write32(adi, ADI_Q_TAIL, next);
	return index;
}

static void pause_until_more(struct adi *adi)
{
	struct pollfd fd = { adi->irq, POLLIN, 0 };
	uint64_t count;

	if (adi->irq < 0) {
		poll(NULL, 0, 1);
	} else if (poll(&fd, 1, 100) > 0 && read(adi->irq, &count, sizeof(count)) < 0) {
		poll(NULL, 0, 1);
	}
}

/* What the queue's own registers say when there is no completion record. */
static void completion_from_registers(struct adi *adi, struct adi_completion *out)
{
	uint32_t error = adi_read32(adi, ADI_Q_ERROR);

	*out = (struct adi_completion){
		.status = ADI_COMPLETION_FAILED,
		.error = error & ADI_ERROR_CODE,
		.index = error >> 16,
		.fault_addr = adi_read64(adi, ADI_Q_ERROR_ADDR),
	};
}

int adi_wait(struct adi *adi, uint32_t index, int ms, struct adi_completion *out)
{
	volatile struct adi_completion *record = &adi->completions[index];
	uint64_t deadline = now_ms() + ms;

	while (record->status == ADI_COMPLETION_PENDING) {
		if (adi_read32(adi, ADI_Q_STATUS) == ADI_STATE_ERROR &&
		    record->status == ADI_COMPLETION_PENDING) {
			completion_from_registers(adi, out);
			return -EIO;
		}
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		pause_until_more(adi);
	}
	__sync_synchronize();
	*out = *record;
	return 0;
}

int adi_do(struct adi *adi, const struct adi_desc *desc, struct adi_completion *out)
{
	int index = adi_submit(adi, desc);

	return index < 0 ? index : adi_wait(adi, index, 10000, out);
}

int adi_copy(struct adi *adi, uint64_t dst, uint64_t src, uint32_t len,
	     struct adi_completion *out)
{
	struct adi_desc desc = { .opcode = ADI_OP_COPY, .len = len, .src = src, .dst = dst };

	return adi_do(adi, &desc, out);
}

/* ---- In words ------------------------------------------------------------------ */

static const char *const error_names[] = {
	"none", "opcode", "field", "ring", "pasid-disabled", "no-bus-master",
	"fetch", "read", "write", "completion",
};

static const char *const why_names[] = {
	"none", "unsupported-request", "completer-abort", "memory",
};

static const char *const state_names[] = { "disabled", "idle", "busy", "error", "drained" };

static const char *name_of(const char *const names[], size_t count, unsigned int n)
{
	return n < count ? names[n] : "unknown";
}

#define NAME_OF(names, n) name_of(names, sizeof(names) / sizeof(names[0]), n)

const char *state_name(uint32_t status)
{
	return NAME_OF(state_names, status & ADI_STATE_MASK);
}

const char *completion_text(const struct adi_completion *c)
{
	static char text[160];

	if (c->status == ADI_COMPLETION_DONE)
		snprintf(text, sizeof(text), "done bytes=%u result=0x%llx", c->bytes,
			 (unsigned long long)c->result);
	else
		snprintf(text, sizeof(text), "failed error=%s why=%s addr=0x%llx bytes=%u",
			 NAME_OF(error_names, c->error), NAME_OF(why_names, c->why),
			 (unsigned long long)c->fault_addr, c->bytes);
	return text;
}

/* ---- Data ---------------------------------------------------------------------- */

static uint32_t pattern_word(uint32_t seed, size_t n)
{
	return (seed + n) * 2654435761u ^ seed;
}

void pattern_fill(void *memory, size_t len, uint32_t seed)
{
	for (size_t n = 0; n < len / 4; n++)
		((uint32_t *)memory)[n] = pattern_word(seed, n);
}

int64_t pattern_check(const void *memory, size_t len, uint32_t seed)
{
	for (size_t n = 0; n < len / 4; n++)
		if (((const uint32_t *)memory)[n] != pattern_word(seed, n))
			return n * 4;
	return -1;
}

uint32_t crc32c(uint32_t seed, const void *data, size_t len)
{
	const uint8_t *byte = data;
	uint32_t crc = ~seed;

	while (len--) {
		crc ^= *byte++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* ---- One owner, one ADI, one space -------------------------------------------------- */

void owner_start(struct owner *owner, const char *type, size_t size,
		 enum adi_interrupts interrupts)
{
	must(mdev_create(&owner->mdev, type, NULL), "create a mediated device");
	must(space_open(&owner->space), "open a VFIO container");
	owner->group = must(space_join(&owner->space, &owner->mdev), "join the container");
	owner->memory = memory_get(size);
	owner->iova = OWNER_IOVA;
	owner->size = size;
	must(owner->memory ? 0 : -ENOMEM, "get memory");
	must(space_map(&owner->space, owner->iova, owner->memory, size), "map memory");
	must(adi_open(&owner->adi, &owner->mdev, owner->group), "open the device");
	must(adi_start(&owner->adi, &owner->space, OWNER_RING_IOVA, interrupts), "start the queue");
}

void owner_end(struct owner *owner)
{
	adi_close(&owner->adi);
	close(owner->group);
	space_close(&owner->space);
	munmap(owner->memory, owner->size);
	must(mdev_remove(&owner->mdev), "remove the mediated device");
}
