/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * The ADI device's registers, descriptors and completion records.
 *
 * The one declaration of everything that software and the device agree on:
 * the QEMU device model, the qtests, the guest's kernel driver and the guest's
 * user programs include this file.  docs/adi-device.rst is the manual that
 * explains it.  Numbers are little-endian, addresses and lengths are in bytes.
 *
 * Words used here: the *function* is the PCIe function; an *ADI* is one of its
 * assignable device interfaces; a *queue* is a descriptor ring with its
 * registers.  Each ADI has one queue, and so has the function itself.
 */
#ifndef HW_MISC_ADI_REGS_H
#define HW_MISC_ADI_REGS_H

#include <linux/types.h>

/* Identity in PCI configuration space. */
#define ADI_VENDOR_ID           0x1b36  /* Red Hat, Inc. (QEMU) */
#define ADI_DEVICE_ID           0x00ad
#define ADI_CLASS               0x0880  /* system peripheral, other */

/* BARs. */
#define ADI_BAR_CONTROL         0       /* for the parent driver only */
#define ADI_BAR_PAGES           2       /* one page an ADI, safe to hand out */
#define ADI_BAR_MSIX            4       /* MSI-X table and pending bits */

#define ADI_MAX_ADIS            1023
#define ADI_PAGE_SIZE           4096u
#define ADI_PASID_BITS          20

/* MSI-X: vector 0 is the function's, vector 1 + n is ADI n's. */
#define ADI_VECTOR_FUNCTION     0
#define ADI_VECTOR_ADI(n)       (1 + (n))

/*
 * Scalable IOV designated vendor-specific extended capability: offsets from
 * the capability's start.
 */
#define ADI_SIOV_DVSEC_VENDOR   0x8086
#define ADI_SIOV_DVSEC_ID       0x0005
#define ADI_SIOV_DVSEC_LEN      0x18
#define ADI_SIOV_PAGE_SIZES     0x0c    /* 32, RO: bit n: 2^(12 + n) bytes */
#define ADI_SIOV_PAGE_SIZE      0x10    /* 32, RO: the one in use */
#define ADI_SIOV_CAPS           0x14    /* 32, RO: 0, no message storage */

/* ---- BAR 0: the function ------------------------------------------------ */

#define ADI_REG_ID              0x0000  /* 32, RO: ADI_ID_MAGIC */
#define ADI_ID_MAGIC            0x31494441u     /* "ADI1" */
#define ADI_REG_VERSION         0x0004  /* 32, RO: ADI_VERSION */
#define ADI_VERSION             1u

#define ADI_REG_CAP             0x0008  /* 64, RO */
#define ADI_CAP_ADIS            0x000000000000ffffull /* number of ADIs */
#define ADI_CAP_RING_ORDER_MAX  0x0000000000ff0000ull /* log2 of entries */
#define ADI_CAP_LEN_ORDER_MAX   0x00000000ff000000ull /* log2 of bytes */
#define ADI_CAP_PASID_BITS      0x0000001f00000000ull /* PASID width */
#define ADI_CAP_OPCODES         0xffff000000000000ull /* bit n: opcode n */

#define ADI_REG_FUNC_CTRL       0x0010  /* 32, RW */
#define ADI_FUNC_CTRL_ENABLE    0x00000001u     /* the function's queue runs */
#define ADI_REG_FUNC_CMD        0x0014  /* 32, WO: enum adi_cmd, function queue */
#define ADI_REG_FUNC_STATE      0x0018  /* 32, RO: as ADI_CTL_STATE */
#define ADI_REG_ACTIVE          0x001c  /* 32, RO: queues with work in flight */

/* The function's own queue: registers as in the ADI's page, at this offset. */
#define ADI_FUNC_QUEUE          0x0100

/* Control block of ADI n. */
#define ADI_CTL_BASE            0x10000u
#define ADI_CTL_STRIDE          0x40u
#define ADI_CTL(n)              (ADI_CTL_BASE + (n) * ADI_CTL_STRIDE)
#define ADI_BAR0_SIZE           0x20000u

#define ADI_CTL_CTRL            0x00    /* 32, RW */
#define ADI_CTL_CTRL_ENABLE     0x00000001u
#define ADI_CTL_CTRL_PASID_ENABLE 0x00000002u   /* tag DMA with ADI_CTL_PASID */
#define ADI_CTL_PASID           0x04    /* 32, RW while ENABLE is 0: 19:0 */
#define ADI_CTL_CMD             0x08    /* 32, WO: enum adi_cmd */
#define ADI_CTL_STATE           0x0c    /* 32, RO */
#define ADI_STATE_MASK          0x0000000fu     /* enum adi_state */
#define ADI_STATE_CMD_BUSY      0x00000010u     /* a command is under way */
#define ADI_STATE_CMD_REFUSED   0x00000020u     /* last command was refused */
#define ADI_CTL_ERROR           0x10    /* 32, RO: first error since reset */
#define ADI_ERROR_CODE          0x000000ffu     /* enum adi_error, 0: none */
#define ADI_ERROR_INDEX         0xffff0000u     /* ring index of descriptor */
#define ADI_CTL_ERROR_ADDR      0x18    /* 64, RO: address that failed */
#define ADI_CTL_DONE            0x20    /* 64, RO: descriptors completed */
#define ADI_CTL_BYTES           0x28    /* 64, RO: bytes moved by them */

enum adi_cmd {
	ADI_CMD_DRAIN = 1,      /* finish what was fetched, then fetch no more */
	ADI_CMD_RESET = 2,      /* abandon work, clear the queue's registers */
	ADI_CMD_RESUME = 3,     /* take up fetching again after a drain */
};

enum adi_state {
	ADI_STATE_DISABLED = 0, /* not enabled by the parent driver */
	ADI_STATE_IDLE = 1,     /* enabled, nothing to do or queue not started */
	ADI_STATE_BUSY = 2,     /* descriptors wait or are being worked on */
	ADI_STATE_ERROR = 3,    /* stopped by an error; its owner can clear it */
	ADI_STATE_DRAINED = 4,  /* stopped by ADI_CMD_DRAIN */
};

/* ---- A queue: the page of an ADI in BAR 2, and BAR 0 + ADI_FUNC_QUEUE ---- */

#define ADI_Q_RING_BASE         0x00    /* 64, RW while START is 0: 64-aligned */
#define ADI_Q_RING_ORDER        0x08    /* 32, RW while START is 0: log2 entries */
#define ADI_RING_ORDER_MIN      1u
#define ADI_RING_ORDER_MAX      15u
#define ADI_Q_CTRL              0x0c    /* 32, RW */
#define ADI_Q_CTRL_START        0x00000001u     /* 0 to 1: head = tail = 0 */
#define ADI_Q_CTRL_IRQ          0x00000002u     /* may raise its interrupt */
#define ADI_Q_CTRL_CLEAR_ERROR  0x00000004u     /* WO: leave ADI_STATE_ERROR */
#define ADI_Q_TAIL              0x10    /* 32, RW: doorbell, index after last */
#define ADI_Q_HEAD              0x14    /* 32, RO: index of next to complete */
#define ADI_Q_STATUS            0x18    /* 32, RO: ADI_STATE_MASK */
#define ADI_Q_ERROR             0x1c    /* 32, RO: as ADI_CTL_ERROR, current */
#define ADI_Q_ERROR_ADDR        0x20    /* 64, RO */
#define ADI_Q_INDEX             0x28    /* 32, RO: ADI number, ~0: function */

/* ---- Descriptors and completion records ---------------------------------- */

enum adi_opcode {
	ADI_OP_NOP = 0,
	ADI_OP_COPY = 1,        /* dst[0..len) = src[0..len), must not overlap */
	ADI_OP_FILL = 2,        /* dst[0..len) = operand's bytes, repeated */
	ADI_OP_COMPARE = 3,     /* src against dst; result: first difference */
	ADI_OP_CRC32C = 4,      /* of src; operand 31:0: CRC of what came before */
};

#define ADI_DESC_FENCE          0x01    /* start after all earlier completed */
#define ADI_DESC_COMPLETION     0x02    /* write a completion record */
#define ADI_DESC_IRQ            0x04    /* raise the queue's interrupt when done */
#define ADI_DESC_FLAGS          0x07

#define ADI_LEN_ORDER_MAX       20u     /* at most 1 MiB a descriptor */

struct adi_desc {
	__u8 opcode;         /* enum adi_opcode */
	__u8 flags;          /* ADI_DESC_* */
	__u16 reserved0;     /* 0 */
	__u32 len;           /* 1 .. 1 << ADI_LEN_ORDER_MAX; 0 for a no-op */
	__u64 completion;    /* 32-aligned, when ADI_DESC_COMPLETION */
	__u64 src;
	__u64 dst;
	__u64 operand;
	__u64 reserved1[3];  /* 0 */
};

enum adi_error {
	ADI_ERR_NONE = 0,
	ADI_ERR_OPCODE = 1,             /* unknown opcode */
	ADI_ERR_FIELD = 2,              /* reserved field, flag, length, alignment */
	ADI_ERR_RING = 3,               /* ring base, order or tail makes no sense */
	ADI_ERR_PASID_DISABLED = 4,     /* in configuration space, or for this ADI */
	ADI_ERR_NO_BUS_MASTER = 5,      /* bus mastering is off */
	ADI_ERR_FETCH = 6,              /* reading a descriptor failed */
	ADI_ERR_READ = 7,               /* reading src (or dst, to compare) failed */
	ADI_ERR_WRITE = 8,              /* writing dst failed */
	ADI_ERR_COMPLETION = 9,         /* writing the completion record failed */
};

enum adi_completion_status {
	ADI_COMPLETION_PENDING = 0,     /* software's own: not written yet */
	ADI_COMPLETION_DONE = 1,
	ADI_COMPLETION_FAILED = 2,      /* see error, fault_addr, why */
};

/* Why a DMA failed: completion record's `why`. */
enum adi_why {
	ADI_WHY_NONE = 0,
	ADI_WHY_UNSUPPORTED_REQUEST = 1, /* refused, as by an IOMMU */
	ADI_WHY_COMPLETER_ABORT = 2,
	ADI_WHY_MEMORY = 3,             /* translated, but nothing answered there */
};

struct adi_completion {
	__u8 status;         /* enum adi_completion_status; written last */
	__u8 error;          /* enum adi_error */
	__u8 why;            /* enum adi_why */
	__u8 reserved0;
	__u32 bytes;         /* of len: how many were done */
	__u64 result;        /* CRC; compare: 0 equal, else 1 + offset */
	__u64 fault_addr;    /* address that failed */
	__u32 index;         /* ring index of the descriptor */
	__u32 reserved1;
};

#endif /* HW_MISC_ADI_REGS_H */
