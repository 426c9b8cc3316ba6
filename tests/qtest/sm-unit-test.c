/*
 * intel-iommu-sm as a device: registers, what properties make of its
 * capabilities, configurations that it refuses, the invalidation queue, reset.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sm-bed.h"

#define IOVA            0x12345000ull

enum {
    REG_VER     = 0x000,
    REG_CCMD    = 0x028,
    REG_PMEN    = 0x064,
    REG_ICS     = 0x09c,
    REG_IECTL   = 0x0a0,
    REG_IEDATA  = 0x0a4,
    REG_IEADDR  = 0x0a8,
    REG_IEUADDR = 0x0ac,
    REG_IQERCD  = 0x0b0,
    REG_IRTA    = 0x0b8,
    REG_PQA     = 0x0d0,
    REG_PECTL   = 0x0e0,
};

/* ---- Registers ----------------------------------------------------------- */

typedef struct Register {
    unsigned offset, size;
    uint64_t reset;
} Register;

/* All but VER, CAP and ECAP, which have tests of their own. */
static const Register registers[] = {
    { SM_REG_GCMD, 4 }, { SM_REG_GSTS, 4 }, { SM_REG_RTADDR, 8 },
    { REG_CCMD, 8 }, { SM_REG_FSTS, 4 }, { SM_REG_FECTL, 4, 0x80000000 },
    { SM_REG_FEDATA, 4 }, { SM_REG_FEADDR, 4 }, { SM_REG_FEUADDR, 4 },
    { REG_PMEN, 4 }, { SM_REG_IQH, 8 }, { SM_REG_IQT, 8 }, { SM_REG_IQA, 8 },
    { REG_ICS, 4 }, { REG_IECTL, 4, 0x80000000 }, { REG_IEDATA, 4 },
    { REG_IEADDR, 4 }, { REG_IEUADDR, 4 }, { REG_IQERCD, 8 }, { REG_IRTA, 8 },
    { REG_PQA, 8 }, { REG_PECTL, 4 },
};

static void assert_reset_values(SmBed *bed)
{
    unsigned i, records = (sm_readq(&bed->sm, SM_REG_CAP) >> 40 & 0xff) + 1;

    for (i = 0; i < G_N_ELEMENTS(registers); i++) {
        const Register *r = &registers[i];
        uint64_t value = r->size == 4 ? sm_readl(&bed->sm, r->offset)
                                      : sm_readq(&bed->sm, r->offset);

        g_test_message("register 0x%x", r->offset);
        g_assert_cmphex(value, ==, r->reset);
    }
    for (i = 0; i < records; i++) {
        unsigned reg = sm_fault_record_reg(&bed->sm, i);

        g_assert_cmphex(sm_readq(&bed->sm, reg), ==, 0);
        g_assert_cmphex(sm_readq(&bed->sm, reg + 8), ==, 0);
    }
}

static void test_reset_values(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    assert_reset_values(&bed);
    sm_bed_close(&bed);
}

static void test_system_reset(void)
{
    uint64_t cap, ecap;
    SmBed bed;

    sm_bed_open(&bed, "", "");
    cap = sm_readq(&bed.sm, SM_REG_CAP);
    ecap = sm_readq(&bed.sm, SM_REG_ECAP);
    sm_bed_capture(&bed, SM_REG_FEDATA, 0x1234);
    sm_bed_capture(&bed, REG_IEDATA, 0x1234);
    sm_start(&bed.sm);
    edu_load(&bed.edu, IOVA, 4);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & SM_FSTS_PPF, !=, 0);
    qtest_system_reset(bed.qts);
    assert_reset_values(&bed);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_CAP), ==, cap);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_ECAP), ==, ecap);
    sm_bed_close(&bed);
}

static void test_halves(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_writel(&bed.sm, SM_REG_RTADDR + 4, 0x12);
    sm_writel(&bed.sm, SM_REG_RTADDR, 0x34567000);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_RTADDR), ==, 0x1234567000);
    sm_writel(&bed.sm, SM_REG_RTADDR, 0x89abc000);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_RTADDR), ==, 0x1289abc000);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_RTADDR + 4), ==, 0x12);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_RTADDR), ==, 0x89abc000);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_CAP + 4), ==,
                    sm_readq(&bed.sm, SM_REG_CAP) >> 32);
    sm_bed_close(&bed);
}

static void test_two_registers_at_once(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_writeq(&bed.sm, SM_REG_FECTL, 0x123400000000ull);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FEDATA), ==, 0x1234);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FECTL), ==, 0);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_FECTL), ==, 0x123400000000ull);
    sm_bed_close(&bed);
}

static void test_odd_accesses(void)
{
    SmBed bed;
    unsigned offset;

    sm_bed_open(&bed, "", "");
    for (offset = 0; offset < SM_PAGE; offset++) {
        qtest_writeb(bed.qts, SM_UNIT_BASE + offset, 0xff);
        qtest_readb(bed.qts, SM_UNIT_BASE + offset);
        if (offset % 2) {
            qtest_writew(bed.qts, SM_UNIT_BASE + offset, 0xffff);
            qtest_readw(bed.qts, SM_UNIT_BASE + offset);
            qtest_readl(bed.qts, SM_UNIT_BASE + offset);
            qtest_readq(bed.qts, SM_UNIT_BASE + offset);
        }
    }
    assert_reset_values(&bed);
    g_assert_cmphex(qtest_readw(bed.qts, SM_UNIT_BASE + SM_REG_CAP), ==, 0);
    sm_bed_close(&bed);
}

static void test_every_write(void)
{
    SmBed bed;
    unsigned offset;
    uint64_t cap;

    sm_bed_open(&bed, "", "");
    cap = sm_readq(&bed.sm, SM_REG_CAP);
    for (offset = 0; offset < SM_PAGE; offset += 4) {
        sm_writel(&bed.sm, offset, 0xffffffff);
        sm_writel(&bed.sm, offset, 0);
    }
    for (offset = 0; offset < SM_PAGE; offset += 8) {
        sm_writeq(&bed.sm, offset, UINT64_MAX);
        sm_writeq(&bed.sm, offset, 0);
    }
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_CAP), ==, cap);
    qtest_system_reset(bed.qts);
    assert_reset_values(&bed);
    sm_bed_close(&bed);
}

/* Some software writes back GSTS as it reads, one-shot bits and all. */
static void test_one_shot_bits_again(void)
{
    static const uint32_t bits[] = {
        SM_GCMD_QIE, SM_GCMD_SRTP, SM_GCMD_TE,
    };
    SmBed bed;
    uint32_t all = 0;
    unsigned i;

    sm_bed_open(&bed, "", "");
    sm_writeq(&bed.sm, SM_REG_IQA, bed.sm.queue | SM_IQA_WIDE);
    sm_writeq(&bed.sm, SM_REG_RTADDR, bed.sm.root | SM_RTADDR_SCALABLE);
    for (i = 0; i < G_N_ELEMENTS(bits); i++) {
        sm_writel(&bed.sm, SM_REG_GCMD,
                  sm_readl(&bed.sm, SM_REG_GSTS) | bits[i]);
        all |= bits[i];
        g_assert_cmphex(sm_readl(&bed.sm, SM_REG_GSTS), ==, all);
    }
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS), ==, 0);
    sm_queue_wait(&bed.sm);
    sm_bed_close(&bed);
}

/* ---- Capabilities -------------------------------------------------------- */

typedef struct Capability {
    const char *name, *props;
    uint64_t cap_mask, cap;
    uint64_t ecap_mask, ecap;
} Capability;

#define FIELD(value, low) ((uint64_t)(value) << (low))
#define SAGAW_MGAW (FIELD(0x1f, 8) | FIELD(0x3f, 16))
#define CAP_CM (1ull << 7)
#define NFR FIELD(0xff, 40)
#define MAMV FIELD(63, 48)
#define CAP_PI (1ull << 59)
#define ECAP_DT (1ull << 2)
#define ECAP_IR (1ull << 3)
#define ECAP_EIM (1ull << 4)
#define ECAP_PT (1ull << 6)
#define ECAP_SC (1ull << 7)
#define ECAP_PASID (1ull << 40)
#define ECAP_SMTS (1ull << 43)
#define ECAP_SSTS (1ull << 46)
#define ECAP_NEST (1ull << 26)
#define ECAP_PRS (1ull << 29)
#define ECAP_SRS (1ull << 31)
#define ECAP_EAFS (1ull << 34)
#define ECAP_SSADS (1ull << 45)
#define ECAP_FSTS (1ull << 47)
#define ECAP_ADMS (1ull << 52)
#define CAP_FS1GP (1ull << 56)
#define CAP_FS5LP (1ull << 60)
#define CAP_ESRTPS (1ull << 63)
#define PSS FIELD(0x1f, 35)
/* What cannot be without first-stage translation. */
#define OF_FS (ECAP_FSTS | ECAP_NEST | ECAP_EAFS)

static const Capability capabilities[] = {
    { "default", "pt=on", SAGAW_MGAW | NFR | CAP_CM | CAP_PI,
      FIELD(6, 8) | FIELD(47, 16) | FIELD(7, 40) | CAP_PI,
      ECAP_PASID | PSS | ECAP_SMTS | ECAP_SSTS | ECAP_IR | ECAP_PT | ECAP_SC |
      ECAP_DT | ECAP_EIM,
      ECAP_PASID | FIELD(19, 35) | ECAP_SMTS | ECAP_SSTS | ECAP_IR | ECAP_PT |
      ECAP_SC },
    { "aw-bits=39", "aw-bits=39", SAGAW_MGAW, FIELD(2, 8) | FIELD(38, 16) },
    { "aw-bits=57", "aw-bits=57", SAGAW_MGAW, FIELD(14, 8) | FIELD(56, 16) },
    { "min-aw-bits=57", "aw-bits=57,min-aw-bits=57", SAGAW_MGAW,
      FIELD(8, 8) | FIELD(56, 16) },
    { "profile=spr,aw-bits=39", "profile=spr,aw-bits=39", SAGAW_MGAW,
      FIELD(2, 8) | FIELD(38, 16) },
    { "mamv=20", "mamv=20", MAMV, FIELD(20, 48) },
    { "pasid-bits=0", "pasid-bits=0", 0, 0, ECAP_PASID | PSS | ECAP_SMTS,
      ECAP_SMTS },
    { "pasid-bits=16", "pasid-bits=16", 0, 0, ECAP_PASID | PSS,
      ECAP_PASID | FIELD(15, 35) },
    { "scalable=off", "scalable=off", 0, 0, ECAP_PASID | ECAP_SMTS | ECAP_SSTS,
      0 },
    { "fault-records=1", "fault-records=1", NFR, 0 },
    { "fault-records=64", "fault-records=64", NFR, FIELD(63, 40) },
    { "caching-mode=on", "caching-mode=on", CAP_CM, CAP_CM },
    { "snoop-control=off", "snoop-control=off", 0, 0, ECAP_SC, 0 },
    { "pt=off", "pt=off", 0, 0, ECAP_PT, 0 },
    { "intremap=off", "intremap=off", CAP_PI, 0, ECAP_IR | ECAP_EIM, 0 },
    { "pi=off", "pi=off", CAP_PI, 0, ECAP_IR, ECAP_IR },
    { "pi=on", "pi=on", CAP_PI, CAP_PI, ECAP_IR, ECAP_IR },
    { "eim=on", "eim=on", 0, 0, ECAP_IR | ECAP_EIM, ECAP_IR | ECAP_EIM },
    { "device-iotlb=on", "device-iotlb=on", 0, 0, ECAP_DT, ECAP_DT },
    { "ats=on", "ats=on", 0, 0, ECAP_DT | ECAP_PRS, ECAP_DT | ECAP_PRS },
    { "ats=on,pri=off", "ats=on,pri=off", 0, 0, ECAP_DT | ECAP_PRS, ECAP_DT },
    { "stages", "fs=auto", CAP_FS1GP | CAP_FS5LP, CAP_FS1GP | CAP_FS5LP,
      OF_FS | ECAP_SSTS | ECAP_SSADS | ECAP_PRS | ECAP_SRS | ECAP_ADMS,
      OF_FS | ECAP_SSTS | ECAP_SSADS | ECAP_SRS | ECAP_ADMS },
    { "fs=off", "fs=off", CAP_FS1GP | CAP_FS5LP, 0, OF_FS | ECAP_SSTS,
      ECAP_SSTS },
    { "aw-bits=39,fs=auto", "aw-bits=39", 0, 0, OF_FS | ECAP_SSTS, ECAP_SSTS },
    { "aw-bits=39,fs=on", "aw-bits=39,fs=on", 0, 0, OF_FS | ECAP_SSTS,
      OF_FS | ECAP_SSTS },
    { "ss=off", "ss=off", SAGAW_MGAW, FIELD(47, 16),
      OF_FS | ECAP_SSTS | ECAP_SSADS, ECAP_FSTS | ECAP_EAFS },
    { "nest=off", "nest=off", 0, 0, OF_FS, ECAP_FSTS | ECAP_EAFS },
    { "smpwc=off", "smpwc=off", 0, 0, OF_FS | ECAP_SSADS,
      ECAP_FSTS | ECAP_NEST },
    { "fs5lp=off", "fs5lp=off", CAP_FS5LP, 0 },
    { "esrtps=on", "esrtps=on", CAP_ESRTPS, CAP_ESRTPS },
    { "sm=off", "sm=off", 0, 0, OF_FS | ECAP_SMTS | ECAP_SSTS | ECAP_PASID, 0 },
    { "nd=2", "nd=2", FIELD(7, 0), FIELD(2, 0) },
    { "version=1,dma-drain=off", "version=1,dma-drain=off", FIELD(3, 54), 0 },
    { "profile=spr", "profile=spr", SAGAW_MGAW | CAP_FS5LP | MAMV,
      FIELD(12, 8) | FIELD(56, 16) | CAP_FS5LP | FIELD(45, 48),
      OF_FS | ECAP_SSADS | ECAP_DT | ECAP_PRS | ECAP_ADMS,
      OF_FS | ECAP_SSADS | ECAP_DT | ECAP_PRS },
    { "profile=spr,nest=off", "profile=spr,nest=off", 0, 0, OF_FS,
      ECAP_FSTS | ECAP_EAFS },
    { "profile=legacy", "profile=legacy", 0, 0, OF_FS | ECAP_SMTS | ECAP_PASID,
      0 },
};

static void test_capability(const void *data)
{
    const Capability *c = data;
    SmBed bed;

    sm_bed_open(&bed, c->props, "");
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_CAP) & c->cap_mask, ==, c->cap);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_ECAP) & c->ecap_mask, ==, c->ecap);
    g_assert_cmphex(sm_readl(&bed.sm, REG_VER), !=, 0);
    sm_bed_close(&bed);
}

/* ---- Refusals ------------------------------------------------------------ */

typedef struct Refusal {
    const char *name, *machine, *args, *says;
} Refusal;

#define UNIT "-device intel-iommu-sm"
#define EXPANDER " -device pxb-pcie,id=px,bus_nr=64 "
#define PORT " -device pcie-root-port,id=rp,chassis=1 "

static const Refusal refusals[] = {
    { "aw-bits=40", "q35", UNIT ",aw-bits=40", "39, 48 or 57" },
    { "min-aw-bits=48", "q35", UNIT ",aw-bits=39,min-aw-bits=48",
      "must not exceed the widest" },
    { "mamv=9", "q35", UNIT ",mamv=9", "18 to 52 bits" },
    { "pasid-bits=21", "q35", UNIT ",pasid-bits=21", "7 to 20" },
    { "pasid-bits=3", "q35", UNIT ",pasid-bits=3", "7 to 20" },
    { "pasid-bits-without-scalable", "q35",
      UNIT ",scalable=off,pasid-bits=20", "scalable" },
    { "fault-records=0", "q35", UNIT ",fault-records=0", "1 to 64" },
    { "fault-records=65", "q35", UNIT ",fault-records=65", "1 to 64" },
    { "perf-counters=9", "q35", UNIT ",perf-counters=9", "up to 8" },
    { "eim-without-intremap", "q35", UNIT ",eim=on,intremap=off",
      "eim=on needs intremap=on" },
    { "pi-without-intremap", "q35", UNIT ",pi=on,intremap=off",
      "(pi) cannot be had without interrupt remapping" },
    { "two-units-of-one-bus", "q35", UNIT " " UNIT, "pcie.0 has an" },
    { "two-units-of-an-expander", "q35",
      UNIT EXPANDER UNIT ",primary-bus=px " UNIT ",primary-bus=px",
      "px has an" },
    { "first-unit-of-an-expander", "q35", EXPANDER UNIT ",primary-bus=px",
      "first" },
    { "unit-of-no-bus", "q35", UNIT " " UNIT ",primary-bus=nowhere",
      "nowhere" },
    { "unit-of-a-conventional-bus", "q35",
      UNIT " -device pcie-pci-bridge,id=pci " UNIT ",primary-bus=pci",
      "neither" },
    { "unit-below-a-root-port-of-another-port", "q35",
      UNIT PORT " -device x3130-upstream,bus=rp,id=up "
      "-device xio3130-downstream,bus=up,id=down,chassis=2 "
      UNIT ",primary-bus=down", "neither" },
    { "unit-after-its-devices", "q35",
      UNIT PORT " -device edu,bus=rp " UNIT ",primary-bus=rp", "before them" },
    { "bypassing-expander", "q35",
      UNIT " -device pxb-pcie,id=px,bus_nr=64,bypass_iommu=on",
      "bypass_iommu" },
    { "beside-intel-iommu", "q35", UNIT " -device intel-iommu",
      "multiple vIOMMUs" },
    { "pc-machine", "pc", UNIT, "" },
    { "bypassing-bus", "q35,default-bus-bypass-iommu=on", UNIT,
      "default-bus-bypass-iommu" },
    { "nest-without-fs", "q35", UNIT ",fs=off,nest=on",
      "cannot be had without first-stage translation" },
    { "no-stage", "q35", UNIT ",fs=off,ss=off", "a first stage, a second" },
    { "pri-without-ats", "q35", UNIT ",pri=on,ats=off", "device TLBs" },
    { "ssads-without-coherence", "q35", UNIT ",smpwc=off,ssads=on",
      "coherent page walks" },
    { "new-unit-without-scalable-mode", "q35",
      UNIT ",version=6,scalable=off", "SAGAW is 0" },
    { "new-unit-without-drain", "q35", UNIT ",version=6,dma-drain=off",
      "drain requests" },
    { "version=9", "q35", UNIT ",version=9", "1 to 8" },
    { "unknown-profile", "q35", UNIT ",profile=z80", "Sapphire Rapids" },
    { "unknown-property", "q35", UNIT ",colour=blue", "colour" },
};

static void test_refusal(const void *data)
{
    const Refusal *r = data;
    g_autofree char *firmware = q35_blank_firmware();
    g_autofree char *line = g_strdup_printf(
        "%s -machine %s -accel qtest -nodefaults -display none -bios %s %s",
        getenv("QTEST_QEMU_BINARY"), r->machine, firmware, r->args);
    g_autofree char *says = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &says, &status, NULL));
    g_unlink(firmware);
    g_test_message("%s", says);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(says, r->says));
}

/* ---- The invalidation queue ---------------------------------------------- */

static void queue_start(SmBed *bed)
{
    sm_writeq(&bed->sm, SM_REG_IQA, bed->sm.queue | SM_IQA_WIDE);
    sm_command(&bed->sm, SM_GCMD_QIE);
    sm_writeq(&bed->sm, SM_REG_RTADDR, bed->sm.root | SM_RTADDR_SCALABLE);
    sm_command(&bed->sm, SM_GCMD_SRTP);
}

static void test_wait_status(void)
{
    SmBed bed;
    unsigned i;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    for (i = 0; i < 300; i++) {         /* twice around the queue */
        sm_queue_wait(&bed.sm);
        g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==,
                        sm_readq(&bed.sm, SM_REG_IQT));
    }
    sm_bed_close(&bed);
}

static void put_wait_interrupt(SmBed *bed)
{
    sm_queue_put(&bed->sm, 1 << 4 | 5, 0);
}

static void test_wait_interrupt(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    sm_bed_capture(&bed, REG_IEDATA, 0x55aa);
    sm_writel(&bed.sm, REG_IECTL, 0);
    put_wait_interrupt(&bed);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x55aa);
    g_assert_cmphex(sm_readl(&bed.sm, REG_ICS), ==, 1);
    put_wait_interrupt(&bed);           /* the first is not served yet */
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0);
    sm_writel(&bed.sm, REG_ICS, 1);
    g_assert_cmphex(sm_readl(&bed.sm, REG_ICS), ==, 0);
    put_wait_interrupt(&bed);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x55aa);
    sm_bed_close(&bed);
}

static void test_wait_interrupt_masked(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    sm_bed_capture(&bed, REG_IEDATA, 0x55aa);
    put_wait_interrupt(&bed);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0);
    g_assert_cmphex(sm_readl(&bed.sm, REG_IECTL), ==, 0xc0000000);
    sm_writel(&bed.sm, REG_IECTL, 0);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x55aa);
    g_assert_cmphex(sm_readl(&bed.sm, REG_IECTL), ==, 0);
    sm_bed_close(&bed);
}

static void test_bad_descriptor(void)
{
    SmBed bed;
    uint64_t head;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    sm_bed_capture(&bed, SM_REG_FEDATA, 0x1ee7);
    sm_writel(&bed.sm, SM_REG_FECTL, 0);
    sm_queue_wait(&bed.sm);
    head = sm_readq(&bed.sm, SM_REG_IQH);
    sm_queue_put(&bed.sm, 0xd, 0);      /* no such type */
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & SM_FSTS_IQE, !=, 0);
    g_assert_cmphex(sm_readq(&bed.sm, REG_IQERCD) & 0xf, ==, 3);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==, head);
    g_assert_cmphex(sm_bed_captured(&bed), ==, 0x1ee7);

    /* Put a good one in its place, as software does. */
    qtest_writeq(bed.qts, bed.sm.queue + head, 1 << 4 | 1);
    sm_writel(&bed.sm, SM_REG_FSTS, SM_FSTS_IQE);
    sm_queue_wait(&bed.sm);
    sm_bed_close(&bed);
}

static void test_reserved_field(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    sm_queue_put(&bed.sm, 1 << 4 | 1 | (1ull << 63), 0);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & SM_FSTS_IQE, !=, 0);
    g_assert_cmphex(sm_readq(&bed.sm, REG_IQERCD) & 0xf, ==, 4);
    sm_bed_close(&bed);
}

static void test_queue_over_registers(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_writeq(&bed.sm, SM_REG_RTADDR, bed.sm.root | SM_RTADDR_SCALABLE);
    sm_command(&bed.sm, SM_GCMD_SRTP);
    sm_writeq(&bed.sm, SM_REG_IQA, SM_UNIT_BASE | SM_IQA_WIDE);
    sm_command(&bed.sm, SM_GCMD_QIE);
    sm_writeq(&bed.sm, SM_REG_IQT, 32);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & SM_FSTS_IQE, !=, 0);
    g_assert_cmphex(sm_readq(&bed.sm, REG_IQERCD) & 0xf, ==, 2);
    sm_bed_close(&bed);
}

static void test_narrow_queue(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_writeq(&bed.sm, SM_REG_IQA, bed.sm.queue);
    sm_command(&bed.sm, SM_GCMD_QIE);
    qtest_writeq(bed.qts, bed.sm.queue, 0x77ull << 32 | 1 << 5 | 5);
    qtest_writeq(bed.qts, bed.sm.queue + 8, bed.sm.wait_status);
    sm_writeq(&bed.sm, SM_REG_IQT, 16);
    g_assert_cmphex(qtest_readl(bed.qts, bed.sm.wait_status), ==, 0x77);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==, 16);
    sm_bed_close(&bed);
}

static void test_narrow_queue_scalable(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    sm_writeq(&bed.sm, SM_REG_RTADDR, bed.sm.root | SM_RTADDR_SCALABLE);
    sm_command(&bed.sm, SM_GCMD_SRTP);
    sm_writeq(&bed.sm, SM_REG_IQA, bed.sm.queue);
    sm_command(&bed.sm, SM_GCMD_QIE);
    qtest_writeq(bed.qts, bed.sm.queue, 1 << 4 | 1);
    sm_writeq(&bed.sm, SM_REG_IQT, 16);
    g_assert_cmphex(sm_readl(&bed.sm, SM_REG_FSTS) & SM_FSTS_IQE, !=, 0);
    g_assert_cmphex(sm_readq(&bed.sm, REG_IQERCD) & 0xf, ==, 5);
    sm_bed_close(&bed);
}

static void test_queue_off(void)
{
    SmBed bed;

    sm_bed_open(&bed, "", "");
    queue_start(&bed);
    sm_queue_wait(&bed.sm);
    sm_command_off(&bed.sm, SM_GCMD_QIE);
    g_assert_cmphex(sm_readq(&bed.sm, SM_REG_IQH), ==, 0);
    sm_bed_close(&bed);
}

static void add_table_driven(void)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        g_autofree char *path = g_strdup_printf("/sm/capability/%s",
                                                capabilities[i].name);

        qtest_add_data_func(path, &capabilities[i], test_capability);
    }
    for (i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strdup_printf("/sm/refuses/%s",
                                                refusals[i].name);

        qtest_add_data_func(path, &refusals[i], test_refusal);
    }
}

static void add_registers(void)
{
    qtest_add_func("/sm/register/reset-values", test_reset_values);
    qtest_add_func("/sm/register/system-reset-restores-them",
                   test_system_reset);
    qtest_add_func("/sm/register/halves-are-written-alone", test_halves);
    qtest_add_func("/sm/register/eight-bytes-reach-two",
                   test_two_registers_at_once);
    qtest_add_func("/sm/register/odd-accesses-do-nothing", test_odd_accesses);
    qtest_add_func("/sm/register/every-write-is-survived", test_every_write);
    qtest_add_func("/sm/register/one-shot-bits-may-be-written-back",
                   test_one_shot_bits_again);
}

static void add_queue(void)
{
    qtest_add_func("/sm/queue/wait-writes-status-around-the-ring",
                   test_wait_status);
    qtest_add_func("/sm/queue/wait-interrupts-once", test_wait_interrupt);
    qtest_add_func("/sm/queue/masked-interrupt-waits",
                   test_wait_interrupt_masked);
    qtest_add_func("/sm/queue/bad-descriptor-stops-until-mended",
                   test_bad_descriptor);
    qtest_add_func("/sm/queue/reserved-field-stops", test_reserved_field);
    qtest_add_func("/sm/queue/queue-over-registers-stops",
                   test_queue_over_registers);
    qtest_add_func("/sm/queue/narrow-descriptors-in-legacy-mode",
                   test_narrow_queue);
    qtest_add_func("/sm/queue/narrow-descriptors-refused-in-scalable-mode",
                   test_narrow_queue_scalable);
    qtest_add_func("/sm/queue/head-is-zero-while-off", test_queue_off);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_registers();
    add_table_driven();
    add_queue();
    return g_test_run();
}
