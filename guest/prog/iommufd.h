/*
 * The part of the kernel's iommufd and VFIO device interfaces that `iommufd`
 * uses, for C libraries that are older than it: numbers and layouts of Linux
 * 6.12's include/uapi/linux/iommufd.h and vfio.h.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GUEST_IOMMUFD_H
#define GUEST_IOMMUFD_H

#include <stdint.h>
#include <sys/ioctl.h>

/* Every request begins with its size. */
struct iommufd_ioas_alloc { uint32_t size, flags, out_ioas_id; };

struct iommufd_ioas_map {
	uint32_t size, flags, ioas_id, reserved;
	uint64_t user_va, length, iova;
};
#define IOMMUFD_MAP_FIXED_IOVA	1
#define IOMMUFD_MAP_WRITEABLE	2
#define IOMMUFD_MAP_READABLE	4

struct iommufd_hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, reserved2;
};
#define IOMMUFD_NEST_PARENT	1
#define IOMMUFD_DIRTY_TRACKING	2
#define IOMMUFD_DATA_VTD_S1	1

struct iommufd_vtd_s1 { uint64_t flags, pgtbl_addr; uint32_t addr_width, reserved; };

struct iommufd_set_dirty { uint32_t size, flags, hwpt_id, reserved; };
#define IOMMUFD_DIRTY_ENABLE	1

struct iommufd_get_dirty {
	uint32_t size, hwpt_id, flags, reserved;
	uint64_t iova, length, page_size, data;
};

struct iommufd_vtd_s1_invalidate { uint64_t addr, npages; uint32_t flags, reserved; };

struct iommufd_invalidate {
	uint32_t size, hwpt_id;
	uint64_t data_uptr;
	uint32_t data_type, entry_len, entry_num, reserved;
};

#define IOMMUFD_IOAS_ALLOC	_IO(';', 0x81)
#define IOMMUFD_IOAS_MAP	_IO(';', 0x85)
#define IOMMUFD_HWPT_ALLOC	_IO(';', 0x89)
#define IOMMUFD_SET_DIRTY	_IO(';', 0x8b)
#define IOMMUFD_GET_DIRTY	_IO(';', 0x8c)
#define IOMMUFD_INVALIDATE	_IO(';', 0x8d)

struct vfio_bind { uint32_t argsz, flags; int32_t iommufd; uint32_t out_devid; };
struct vfio_attach { uint32_t argsz, flags, pt_id; };
struct vfio_region { uint32_t argsz, flags, index, cap_offset; uint64_t size, offset; };
#define VFIO_REGION_INFO	_IO(';', 100 + 8)
#define VFIO_BIND		_IO(';', 100 + 18)
#define VFIO_ATTACH		_IO(';', 100 + 19)
#define VFIO_CONFIG_REGION	7

#endif /* GUEST_IOMMUFD_H */
