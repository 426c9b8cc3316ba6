/*
 * The formats themselves (dmar/spec): the fields of a word are disjoint, are
 * where the specification puts them, and can be read and written.  Numbers
 * here are typed from the specification, not derived.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture.h"

#include <string.h>

#include "spec/descriptors.h"
#include "spec/interrupts.h"
#include "spec/page_requests.h"
#include "spec/paging.h"
#include "spec/perfmon.h"

typedef struct Field {
    const char *name;
    uint64_t mask;
    unsigned high, low;         /* where the specification puts it */
} Field;

#define F(mask, high, low) { #mask, mask, high, low }

/* One word each: a list that ends with an empty field. */
static const Field words[][24] = {
    /* [VT-d 9.2, 9.1] */
    { F(ROOT_P, 0, 0), F(ROOT_CTP, 63, 12) },
    /* [VT-d 9.3] */
    { F(LCTX0_P, 0, 0), F(LCTX0_FPD, 1, 1), F(LCTX0_TT, 3, 2),
      F(LCTX0_SSPTPTR, 63, 12) },
    { F(LCTX1_AW, 2, 0), F(LCTX1_IGNORED, 6, 3), F(LCTX1_DID, 23, 8) },
    /* [VT-d 9.4] */
    { F(SCTX0_P, 0, 0), F(SCTX0_FPD, 1, 1), F(SCTX0_DTE, 2, 2),
      F(SCTX0_PASIDE, 3, 3), F(SCTX0_PRE, 4, 4), F(SCTX0_PDTS, 11, 9),
      F(SCTX0_PASIDDIRPTR, 63, 12) },
    { F(SCTX1_RID_PASID, 19, 0), F(SCTX1_RID_PRIV, 20, 20) },
    /* [VT-d 9.5] */
    { F(PDIR_P, 0, 0), F(PDIR_FPD, 1, 1), F(PDIR_SMPTBLPTR, 63, 12) },
    /* [VT-d 9.6] */
    { F(PASID0_P, 0, 0), F(PASID0_FPD, 1, 1), F(PASID0_AW, 4, 2),
      F(PASID0_PGTT, 8, 6), F(PASID0_SSADE, 9, 9),
      F(PASID0_SSPTPTR, 63, 12) },
    { F(PASID1_DID, 15, 0), F(PASID1_PWSNP, 23, 23), F(PASID1_PGSNP, 24, 24) },
    { F(PASID2_SRE, 0, 0), F(PASID2_FSPM, 3, 2), F(PASID2_WPE, 4, 4),
      F(PASID2_IGNORED, 6, 5), F(PASID2_EAFE, 7, 7),
      F(PASID2_FSPTPTR, 63, 12) },
    /* [VT-d 9.7] */
    { F(FS_P, 0, 0), F(FS_RW, 1, 1), F(FS_US, 2, 2), F(FS_PWT, 3, 3),
      F(FS_PCD, 4, 4), F(FS_A, 5, 5), F(FS_D, 6, 6), F(FS_PS, 7, 7),
      F(FS_EA, 10, 10), F(PAGING_ADDR, 51, 12), F(FS_IGNORED_HIGH, 63, 52) },
    /* [VT-d 9.8] */
    { F(SS_R, 0, 0), F(SS_W, 1, 1), F(SS_X_IGNORED, 2, 2), F(SS_EMT, 5, 3),
      F(SS_IPAT, 6, 6), F(SS_PS, 7, 7), F(SS_A, 8, 8), F(SS_D, 9, 9),
      F(SS_IGNORED_10, 10, 10), F(SS_SNP, 11, 11), F(PAGING_ADDR, 51, 12) },
    /* [VT-d 9.9] */
    { F(IRTE0_P, 0, 0), F(IRTE0_FPD, 1, 1), F(IRTE0_DM, 2, 2),
      F(IRTE0_RH, 3, 3), F(IRTE0_TM, 4, 4), F(IRTE0_DLM, 7, 5),
      F(IRTE0_AVAIL, 11, 8), F(IRTE0_IM, 15, 15), F(IRTE0_VECTOR, 23, 16),
      F(IRTE0_DST_X2APIC, 63, 32) },
    { F(IRTE0_DST_XAPIC, 47, 40) },
    { F(IRTE1_SID, 15, 0), F(IRTE1_SQ, 17, 16), F(IRTE1_SVT, 19, 18) },
    /* [VT-d 9.10] */
    { F(IRTE0_P, 0, 0), F(IRTE0_FPD, 1, 1), F(IRTE0_AVAIL, 11, 8),
      F(IRTE0_URG, 14, 14), F(IRTE0_IM, 15, 15), F(IRTE0_VECTOR, 23, 16),
      F(IRTE0_PDAL, 63, 38) },
    { F(IRTE1_SID, 15, 0), F(IRTE1_SQ, 17, 16), F(IRTE1_SVT, 19, 18),
      F(IRTE1_PDAH, 63, 32) },
    /* [VT-d 9.11] */
    { F(PID4_ON, 0, 0), F(PID4_SN, 1, 1), F(PID4_NV, 23, 16),
      F(PID4_NDST_X2APIC, 63, 32) },
    { F(PID4_NDST_XAPIC, 47, 40) },
    /* [VT-d 5.1.2.2] */
    { F(MSI_ADDR_HANDLE_15, 2, 2), F(MSI_ADDR_SHV, 3, 3),
      F(MSI_ADDR_REMAPPABLE, 4, 4), F(MSI_ADDR_HANDLE, 19, 5) },
    /* [VT-d 6.5.2.1] */
    { F(INV0_TYPE_LOW, 3, 0), F(INV0_G, 5, 4), F(INV0_TYPE_HIGH, 11, 9),
      F(CC0_DID, 31, 16), F(CC0_SID, 47, 32), F(CC0_FM, 49, 48) },
    /* [VT-d 6.5.2.3] */
    { F(INV0_G, 5, 4), F(IOTLB0_DW, 6, 6), F(IOTLB0_DR, 7, 7),
      F(IOTLB0_DID, 31, 16) },
    { F(IOTLB1_AM, 5, 0), F(IOTLB1_IH, 6, 6), F(IOTLB1_ADDR, 63, 12) },
    /* [VT-d 6.5.2.5] */
    { F(DEVTLB0_PFSID_LOW, 15, 12), F(DEVTLB0_MIP, 20, 16),
      F(DEVTLB0_SID, 47, 32), F(DEVTLB0_PFSID_HIGH, 63, 52) },
    { F(DEVTLB1_S, 0, 0), F(DEVTLB1_ADDR, 63, 12) },
    /* [VT-d 6.5.2.8] */
    { F(IEC0_G, 4, 4), F(IEC0_IM, 31, 27), F(IEC0_IIDX, 47, 32) },
    /* [VT-d 6.5.2.9] */
    { F(WAIT0_IF, 4, 4), F(WAIT0_SW, 5, 5), F(WAIT0_FN, 6, 6),
      F(WAIT0_PD, 7, 7), F(WAIT0_DATA, 63, 32) },
    { F(WAIT1_ADDR, 63, 2) },
    /* [VT-d 6.5.2.4] */
    { F(PIOTLB0_DID, 31, 16), F(PIOTLB0_PASID, 51, 32) },
    /* [VT-d 6.5.2.2] */
    { F(PC0_DID, 31, 16), F(PC0_PASID, 51, 32) },
    /* [VT-d 6.5.2.6] */
    { F(PDEVTLB0_MIP, 8, 4), F(PDEVTLB0_PFSID_LOW, 15, 12),
      F(PDEVTLB0_SID, 31, 16), F(PDEVTLB0_PASID, 51, 32),
      F(PDEVTLB0_PFSID_HIGH, 63, 52) },
    { F(PDEVTLB1_GI, 0, 0), F(PDEVTLB1_S, 11, 11), F(PDEVTLB1_ADDR, 63, 12) },
    /* [VT-d 7.4.1.1] */
    { F(PREQ0_TYPE, 7, 0), F(PREQ0_PP, 8, 8), F(PREQ0_RID, 31, 16),
      F(PREQ0_PASID, 51, 32), F(PREQ0_EXR, 52, 52), F(PREQ0_PMR, 53, 53) },
    { F(PREQ1_RDR, 0, 0), F(PREQ1_WRR, 1, 1), F(PREQ1_LPIG, 2, 2),
      F(PREQ1_PRGI, 11, 3), F(PREQ1_ADDR, 63, 12) },
    /* [VT-d 7.6.1] */
    { F(PRESP0_PP, 4, 4), F(PRESP0_RC, 15, 12), F(PRESP0_RID, 31, 16),
      F(PRESP0_PASID, 51, 32) },
    { F(PRESP1_IGNORED, 2, 2), F(PRESP1_PRGI, 11, 3) },
    /* [VT-d 11.4.11] */
    { F(PQ_POINTER, 18, 5) },
    { F(PQA_PQS, 2, 0), F(PQA_PQA, 63, 12) },
    { F(PRS_PPR, 0, 0), F(PRS_PRO, 1, 1) },
    /* [VT-d 11.4.2] */
    { F(CAP_ND, 2, 0), F(CAP_RWBF, 4, 4), F(CAP_PLMR, 5, 5), F(CAP_PHMR, 6, 6),
      F(CAP_CM, 7, 7), F(CAP_SAGAW, 12, 8), F(CAP_MGAW, 21, 16),
      F(CAP_ZLR, 22, 22), F(CAP_FRO, 33, 24), F(CAP_SSLPS, 37, 34),
      F(CAP_PSI, 39, 39), F(CAP_NFR, 47, 40), F(CAP_MAMV, 53, 48),
      F(CAP_DWD, 54, 54), F(CAP_DRD, 55, 55), F(CAP_FS1GP, 56, 56),
      F(CAP_PI, 59, 59), F(CAP_FS5LP, 60, 60), F(CAP_ECMDS, 61, 61),
      F(CAP_ESIRTPS, 62, 62), F(CAP_ESRTPS, 63, 63) },
    /* [VT-d 11.4.3] */
    { F(ECAP_C, 0, 0), F(ECAP_QI, 1, 1), F(ECAP_DT, 2, 2), F(ECAP_IR, 3, 3),
      F(ECAP_EIM, 4, 4), F(ECAP_PT, 6, 6), F(ECAP_SC, 7, 7),
      F(ECAP_IRO, 17, 8), F(ECAP_MHMV, 23, 20), F(ECAP_NEST, 26, 26),
      F(ECAP_PRS, 29, 29), F(ECAP_ERS, 30, 30), F(ECAP_SRS, 31, 31),
      F(ECAP_PSS, 39, 35), F(ECAP_PASID, 40, 40), F(ECAP_DIT, 41, 41),
      F(ECAP_PDS, 42, 42), F(ECAP_SMTS, 43, 43), F(ECAP_SSADS, 45, 45),
      F(ECAP_SSTS, 46, 46), F(ECAP_FSTS, 47, 47), F(ECAP_SMPWCS, 48, 48) },
    { F(ECAP_RPS, 49, 49), F(ECAP_ADMS, 52, 52), F(ECAP_RPRIVS, 53, 53),
      F(ECAP_SMS, 58, 58) },
    /* [VT-d 11.4.4] */
    { F(GCMD_CFI, 23, 23), F(GCMD_SIRTP, 24, 24), F(GCMD_IRE, 25, 25),
      F(GCMD_QIE, 26, 26), F(GCMD_WBF, 27, 27), F(GCMD_SRTP, 30, 30),
      F(GCMD_TE, 31, 31) },
    /* [VT-d 11.4.5] */
    { F(RTADDR_TTM, 11, 10), F(RTADDR_RTA, 63, 12) },
    /* [VT-d 11.4.6] */
    { F(CCMD_DID, 15, 0), F(CCMD_SID, 31, 16), F(CCMD_FM, 33, 32),
      F(CCMD_CAIG, 60, 59), F(CCMD_CIRG, 62, 61), F(CCMD_ICC, 63, 63) },
    { F(IVA_AM, 5, 0), F(IVA_IH, 6, 6), F(IVA_ADDR, 63, 12) },
    { F(IOTLB_DID, 47, 32), F(IOTLB_DW, 48, 48), F(IOTLB_DR, 49, 49),
      F(IOTLB_IAIG, 58, 57), F(IOTLB_IIRG, 61, 60), F(IOTLB_IVT, 63, 63) },
    /* [VT-d 11.4.7] */
    { F(FSTS_PFO, 0, 0), F(FSTS_PPF, 1, 1), F(FSTS_IQE, 4, 4),
      F(FSTS_ICE, 5, 5), F(FSTS_ITE, 6, 6), F(FSTS_FRI, 15, 8) },
    { F(EVENT_CTL_IP, 30, 30), F(EVENT_CTL_IM, 31, 31) },
    { F(FRCD0_FI, 63, 12) },
    { F(FRCD1_SID, 15, 0), F(FRCD1_T2, 28, 28), F(FRCD1_PRIV, 29, 29),
      F(FRCD1_EXE, 30, 30), F(FRCD1_PP, 31, 31), F(FRCD1_FR, 39, 32),
      F(FRCD1_PV, 59, 40), F(FRCD1_AT, 61, 60), F(FRCD1_T1, 62, 62),
      F(FRCD1_F, 63, 63) },
    /* [VT-d 11.4.9, 11.4.10] */
    { F(IQA_QS, 2, 0), F(IQA_DW, 11, 11), F(IQA_IQA, 63, 12) },
    { F(IQERCD_IQEI, 3, 0), F(IQERCD_ITESID, 47, 32),
      F(IQERCD_ICESID, 63, 48) },
    { F(IRTA_S, 3, 0), F(IRTA_EIME, 11, 11), F(IRTA_IRTA, 63, 12) },
    /* [VT-d 11.4.13] */
    { F(PERFCAP_NCNTR, 15, 0), F(PERFCAP_CW, 22, 16), F(PERFCAP_EGCNT, 28, 24),
      F(PERFCAP_RIDFS, 32, 32), F(PERFCAP_DIDFS, 33, 33),
      F(PERFCAP_PASIDFS, 34, 34), F(PERFCAP_ATFS, 35, 35),
      F(PERFCAP_PTLFS, 36, 36), F(PERFCAP_CWE, 48, 48), F(PERFCAP_GFS, 49, 49),
      F(PERFCAP_IOS, 50, 50), F(PERFCAP_PCCS, 51, 51), F(PERFCAP_CS, 54, 52) },
    { F(PERFINTRSTS_PIS, 0, 0) },
    { F(PERFEVNTCAP_ES, 27, 0) },
    { F(PERFCNTRCFG_EN, 0, 0), F(PERFCNTRCFG_IO, 1, 1),
      F(PERFCNTRCFG_GFO, 2, 2), F(PERFCNTRCFG_EGI, 11, 8),
      F(PERFCNTRCFG_ES, 59, 32) },
    { F(PERFCNTR_ATFLTR_AT, 2, 0), F(PERFCNTR_FLTR_EN, 31, 31) },
    { F(PERFCNTR_PTLFLTR_PTL, 4, 0), F(PERFCNTR_FLTR_EN, 31, 31) },
    /* [VT-d 11.4.14] */
    { F(ECMD_CMD, 7, 0), F(ECMD_OA, 63, 16) },
    { F(ECRSP_IP, 0, 0), F(ECRSP_SC, 7, 1) },
};

START_TEST(fields_of_a_word_are_disjoint)
{
    uint64_t seen = 0;
    for (const Field *f = words[_i]; f->name; f++) {
        ck_assert_msg(!(seen & f->mask), "%s overlaps another", f->name);
        seen |= f->mask;
    }
}
END_TEST

START_TEST(fields_are_where_the_specification_puts_them)
{
    for (const Field *f = words[_i]; f->name; f++) {
        uint64_t mask = 0;
        for (unsigned bit = f->low; bit <= f->high; bit++) {
            mask |= 1ull << bit;
        }
        ck_assert_msg(f->mask == mask, "%s", f->name);
    }
}
END_TEST

START_TEST(fields_can_be_read_and_made)
{
    for (const Field *f = words[_i]; f->name; f++) {
        unsigned width = f->high - f->low + 1;
        uint64_t all = low_bits(width), value = 0x5a5a5a5a5a5a5a5a & all;
        ck_assert_uint_eq(field_get(~0ull, f->mask), all);
        ck_assert_uint_eq(field_get(~f->mask, f->mask), 0);
        ck_assert_uint_eq(field_make(value, f->mask), value << f->low);
        ck_assert_uint_eq(field_make(~0ull, f->mask), f->mask);
        ck_assert_uint_eq(field_get(field_set(~0ull, f->mask, value), f->mask),
                          value);
        ck_assert_uint_eq(field_set(~0ull, f->mask, 0), ~f->mask);
    }
}
END_TEST

START_TEST(low_bits_are_low_bits)
{
    uint64_t expected = 0;
    for (unsigned width = 0; width < 64; width++) {
        ck_assert_uint_eq(low_bits(width), expected);
        expected = expected << 1 | 1;
    }
    ck_assert_uint_eq(low_bits(64), ~0ull);
    ck_assert_uint_eq(low_bits(65), ~0ull);
}
END_TEST

/* Offsets [VT-d 11.2]. */
START_TEST(registers_are_where_the_specification_puts_them)
{
    static const unsigned at[][2] = {
        { VER_REG, 0x0 }, { CAP_REG, 0x8 }, { ECAP_REG, 0x10 },
        { GCMD_REG, 0x18 }, { GSTS_REG, 0x1c }, { RTADDR_REG, 0x20 },
        { CCMD_REG, 0x28 }, { FSTS_REG, 0x34 }, { FECTL_REG, 0x38 },
        { FEDATA_REG, 0x3c }, { FEADDR_REG, 0x40 }, { FEUADDR_REG, 0x44 },
        { IQH_REG, 0x80 }, { IQT_REG, 0x88 }, { IQA_REG, 0x90 },
        { ICS_REG, 0x9c }, { IECTL_REG, 0xa0 }, { IEDATA_REG, 0xa4 },
        { IEADDR_REG, 0xa8 }, { IEUADDR_REG, 0xac }, { IQERCD_REG, 0xb0 },
        { IRTA_REG, 0xb8 }, { PQH_REG, 0xc0 }, { PQT_REG, 0xc8 },
        { PQA_REG, 0xd0 }, { PRS_REG, 0xdc }, { PECTL_REG, 0xe0 },
        { PEDATA_REG, 0xe4 }, { PEADDR_REG, 0xe8 }, { PEUADDR_REG, 0xec },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        ck_assert_uint_eq(at[i][0], at[i][1]);
    }
}
END_TEST

/* [VT-d 7.1.3, 5.1.4.1] */
static const struct {
    unsigned code;
    FaultReason reason;
} codes[] = {
    { 0x01, FAULT_LEGACY_ROOT_NOT_PRESENT },
    { 0x02, FAULT_LEGACY_CONTEXT_NOT_PRESENT },
    { 0x03, FAULT_LEGACY_CONTEXT_INVALID },
    { 0x04, FAULT_LEGACY_ADDRESS_BEYOND },
    { 0x05, FAULT_LEGACY_WRITE_DENIED },
    { 0x06, FAULT_LEGACY_READ_DENIED },
    { 0x07, FAULT_LEGACY_PAGING_ACCESS },
    { 0x08, FAULT_LEGACY_ROOT_ACCESS },
    { 0x09, FAULT_LEGACY_CONTEXT_ACCESS },
    { 0x0a, FAULT_LEGACY_ROOT_RESERVED },
    { 0x0b, FAULT_LEGACY_CONTEXT_RESERVED },
    { 0x0c, FAULT_LEGACY_PAGING_RESERVED },
    { 0x0d, FAULT_LEGACY_TYPE_BLOCKED },
    { 0x0e, FAULT_LEGACY_INTERRUPT_RANGE },
    { 0x20, FAULT_IR_REQUEST_RESERVED },
    { 0x21, FAULT_IR_INDEX_BEYOND },
    { 0x22, FAULT_IR_ENTRY_NOT_PRESENT },
    { 0x23, FAULT_IR_ENTRY_ACCESS },
    { 0x24, FAULT_IR_ENTRY_RESERVED },
    { 0x25, FAULT_IR_COMPATIBILITY_BLOCKED },
    { 0x26, FAULT_IR_SOURCE_INVALID },
    { 0x27, FAULT_IR_POSTED_ACCESS },
    { 0x28, FAULT_IR_POSTED_RESERVED },
    { 0x29, FAULT_IR_BAD_ACCESS },
    { 0x30, FAULT_TTM_INVALID },
    { 0x31, FAULT_PASID_IN_LEGACY_MODE },
    { 0x32, FAULT_PAGE_REQUEST_IN_LEGACY_MODE },
    { 0x33, FAULT_ABORT_DMA_MODE },
    { 0x34, FAULT_EXECUTE_UNKNOWN },
    { 0x38, FAULT_ROOT_ACCESS },
    { 0x39, FAULT_ROOT_NOT_PRESENT },
    { 0x3a, FAULT_ROOT_RESERVED },
    { 0x40, FAULT_CONTEXT_ACCESS },
    { 0x41, FAULT_CONTEXT_NOT_PRESENT },
    { 0x42, FAULT_CONTEXT_RESERVED },
    { 0x43, FAULT_CONTEXT_INVALID },
    { 0x44, FAULT_ATS_BLOCKED },
    { 0x45, FAULT_PASID_BLOCKED },
    { 0x46, FAULT_PASID_BEYOND_DIRECTORY },
    { 0x47, FAULT_PAGE_REQUEST_BLOCKED },
    { 0x48, FAULT_PASID_IS_RID_PASID },
    { 0x49, FAULT_TRANSLATED_WITH_PASID },
    { 0x50, FAULT_DIRECTORY_ACCESS },
    { 0x51, FAULT_DIRECTORY_NOT_PRESENT },
    { 0x52, FAULT_DIRECTORY_RESERVED },
    { 0x58, FAULT_PASID_ENTRY_ACCESS },
    { 0x59, FAULT_PASID_ENTRY_NOT_PRESENT },
    { 0x5a, FAULT_PASID_ENTRY_RESERVED },
    { 0x5b, FAULT_PASID_ENTRY_INVALID },
    { 0x5c, FAULT_EXECUTE_BLOCKED },
    { 0x5d, FAULT_SUPERVISOR_BLOCKED },
    { 0x70, FAULT_FS_ACCESS },
    { 0x71, FAULT_FS_NOT_PRESENT },
    { 0x72, FAULT_FS_RESERVED },
    { 0x73, FAULT_FS_TOP_ACCESS },
    { 0x74, FAULT_FS_ADDRESS_BEYOND },
    { 0x75, FAULT_FS_TOP_READ_DENIED },
    { 0x76, FAULT_FS_READ_DENIED },
    { 0x77, FAULT_FS_UPDATE_DENIED },
    { 0x78, FAULT_SS_ACCESS },
    { 0x79, FAULT_SS_NOT_PRESENT },
    { 0x7a, FAULT_SS_RESERVED },
    { 0x7b, FAULT_SS_TOP_ACCESS },
    { 0x7c, FAULT_SS_UPDATE_UNSNOOPED },
    { 0x7d, FAULT_SS_UPDATE_FAILED },
    { 0x80, FAULT_FS_NOT_CANONICAL },
    { 0x81, FAULT_PRIVILEGE_VIOLATION },
    { 0x83, FAULT_ADDRESS_BEYOND_HOST },
    { 0x84, FAULT_SS_ADDRESS_BEYOND },
    { 0x85, FAULT_WRITE_DENIED },
    { 0x86, FAULT_READ_DENIED },
    { 0x87, FAULT_INTERRUPT_RANGE },
    { 0x89, FAULT_PASID_BEYOND_WIDTH },
    { 0x90, FAULT_FS_UPDATE_UNSNOOPED },
    { 0x91, FAULT_FS_UPDATE_FAILED },
};

START_TEST(a_fault_reason_has_its_code_and_a_name)
{
    ck_assert_uint_eq(codes[_i].reason, codes[_i].code);
    ck_assert_uint_gt(strlen(dmar_fault_name(codes[_i].code)), 5);
}
END_TEST

static bool has_code(unsigned code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (codes[i].code == code) {
            return true;
        }
    }
    return false;
}

START_TEST(unknown_reasons_have_no_name)
{
    for (unsigned code = 0; code < 256; code++) {
        if (!has_code(code)) {
            ck_assert_str_eq(dmar_fault_name(code), "?");
        }
    }
}
END_TEST

START_TEST(everything_has_a_name)
{
    for (unsigned type = 0; type < 300; type++) {
        bool known = type >= 1 && type <= 9;
        ck_assert_int_eq(strcmp(dmar_descriptor_name(type), "?") != 0, known);
    }
    for (unsigned kind = 0; kind < DMAR_EVENT_KINDS; kind++) {
        ck_assert_uint_gt(strlen(dmar_event_name(kind)), 2);
    }
}
END_TEST

static Suite *formats(void)
{
    Suite *s = suite_create("formats");
    int every = G_N_ELEMENTS(words);
    TCase *t = tests_of(s, "fields");
    tcase_add_loop_test(t, fields_of_a_word_are_disjoint, 0, every);
    tcase_add_loop_test(t, fields_are_where_the_specification_puts_them, 0,
                        every);
    tcase_add_loop_test(t, fields_can_be_read_and_made, 0, every);
    tcase_add_test(t, low_bits_are_low_bits);
    tcase_add_test(t, registers_are_where_the_specification_puts_them);

    t = tests_of(s, "names");
    tcase_add_loop_test(t, a_fault_reason_has_its_code_and_a_name, 0,
                        G_N_ELEMENTS(codes));
    tcase_add_test(t, unknown_reasons_have_no_name);
    tcase_add_test(t, everything_has_a_name);
    return s;
}

int main(int argc, char **argv)
{
    return run_suite(formats(), argc, argv);
}
