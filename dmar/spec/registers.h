/*
 * The register page [VT-d 11.4 Register Descriptions]: offsets and fields.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_REGISTERS_H
#define DMAR_SPEC_REGISTERS_H

#include "field.h"

/* [VT-d 11.4.1] Version */
#define VER_REG                 0x000
#define VER_MIN                 BITS(3, 0)
#define VER_MAX                 BITS(7, 4)

/* [VT-d 11.4.2] Capability */
#define CAP_REG                 0x008
#define CAP_ND                  BITS(2, 0)      /* domain-id bits: 4 + 2 * ND */
#define CAP_RWBF                BIT_AT(4)
#define CAP_PLMR                BIT_AT(5)
#define CAP_PHMR                BIT_AT(6)
#define CAP_CM                  BIT_AT(7)
#define CAP_SAGAW               BITS(12, 8)
#define CAP_SAGAW_39            BIT_AT(9)
#define CAP_SAGAW_48            BIT_AT(10)
#define CAP_SAGAW_57            BIT_AT(11)
#define CAP_MGAW                BITS(21, 16)    /* width - 1 */
#define CAP_ZLR                 BIT_AT(22)
#define CAP_FRO                 BITS(33, 24)    /* in 16 bytes */
#define CAP_SSLPS               BITS(37, 34)
#define CAP_SSLPS_2M            BIT_AT(34)
#define CAP_SSLPS_1G            BIT_AT(35)
#define CAP_PSI                 BIT_AT(39)
#define CAP_NFR                 BITS(47, 40)    /* records - 1 */
#define CAP_MAMV                BITS(53, 48)
#define CAP_DWD                 BIT_AT(54)
#define CAP_DRD                 BIT_AT(55)
#define CAP_FS1GP               BIT_AT(56)
#define CAP_PI                  BIT_AT(59)
#define CAP_FS5LP               BIT_AT(60)
#define CAP_ECMDS               BIT_AT(61)
#define CAP_ESIRTPS             BIT_AT(62)
#define CAP_ESRTPS              BIT_AT(63)

/* [VT-d 11.4.3] Extended Capability */
#define ECAP_REG                0x010
#define ECAP_C                  BIT_AT(0)
#define ECAP_QI                 BIT_AT(1)
#define ECAP_DT                 BIT_AT(2)
#define ECAP_IR                 BIT_AT(3)
#define ECAP_EIM                BIT_AT(4)
#define ECAP_PT                 BIT_AT(6)
#define ECAP_SC                 BIT_AT(7)
#define ECAP_IRO                BITS(17, 8)     /* in 16 bytes */
#define ECAP_MHMV               BITS(23, 20)
#define ECAP_MTS                BIT_AT(25)
#define ECAP_NEST               BIT_AT(26)
#define ECAP_PRS                BIT_AT(29)
#define ECAP_ERS                BIT_AT(30)
#define ECAP_SRS                BIT_AT(31)
#define ECAP_NWFS               BIT_AT(33)
#define ECAP_EAFS               BIT_AT(34)
#define ECAP_PSS                BITS(39, 35)    /* PASID bits - 1 */
#define ECAP_PASID              BIT_AT(40)
#define ECAP_DIT                BIT_AT(41)
#define ECAP_PDS                BIT_AT(42)
#define ECAP_SMTS               BIT_AT(43)
#define ECAP_VCS                BIT_AT(44)
#define ECAP_SSADS              BIT_AT(45)
#define ECAP_SSTS               BIT_AT(46)
#define ECAP_FSTS               BIT_AT(47)
#define ECAP_SMPWCS             BIT_AT(48)
#define ECAP_RPS                BIT_AT(49)
#define ECAP_PMS                BIT_AT(51)
#define ECAP_ADMS               BIT_AT(52)
#define ECAP_RPRIVS             BIT_AT(53)
#define ECAP_SMS                BIT_AT(58)

/* [VT-d 11.4.4] Global command and status: one bit layout */
#define GCMD_REG                0x018
#define GSTS_REG                0x01c
#define GCMD_CFI                BIT_AT(23)
#define GCMD_SIRTP              BIT_AT(24)
#define GCMD_IRE                BIT_AT(25)
#define GCMD_QIE                BIT_AT(26)
#define GCMD_WBF                BIT_AT(27)
#define GCMD_SRTP               BIT_AT(30)
#define GCMD_TE                 BIT_AT(31)

/* [VT-d 11.4.5] Root Table Address */
#define RTADDR_REG              0x020
#define RTADDR_TTM              BITS(11, 10)
#define RTADDR_RTA              BITS(63, 12)
enum { TTM_LEGACY = 0, TTM_SCALABLE = 1, TTM_RESERVED = 2, TTM_ABORT = 3 };

/* [VT-d 11.4.6.1] Context Command */
#define CCMD_REG                0x028
#define CCMD_DID                BITS(15, 0)
#define CCMD_SID                BITS(31, 16)
#define CCMD_FM                 BITS(33, 32)
#define CCMD_CAIG               BITS(60, 59)
#define CCMD_CIRG               BITS(62, 61)
#define CCMD_ICC                BIT_AT(63)

/* [VT-d 11.4.7] Fault reporting */
#define FSTS_REG                0x034
#define FSTS_PFO                BIT_AT(0)
#define FSTS_PPF                BIT_AT(1)
#define FSTS_IQE                BIT_AT(4)
#define FSTS_ICE                BIT_AT(5)
#define FSTS_ITE                BIT_AT(6)
#define FSTS_FRI                BITS(15, 8)
#define FECTL_REG               0x038
#define FEDATA_REG              0x03c
#define FEADDR_REG              0x040
#define FEUADDR_REG             0x044

/* The control register of every event, and where its message is. */
#define EVENT_CTL_IP            BIT_AT(30)
#define EVENT_CTL_IM            BIT_AT(31)
#define EVENT_DATA              BITS(15, 0)
#define EVENT_ADDR              BITS(31, 2)
#define EVENT_DATA_OFFSET       4
#define EVENT_ADDR_OFFSET       8
#define EVENT_UADDR_OFFSET      12

/* [VT-d 11.4.8] Protected memory regions, of 2^PMR_ALIGN bytes */
#define PMEN_REG                0x064
#define PMEN_PRS                BIT_AT(0)
#define PMEN_EPM                BIT_AT(31)
#define PLMBASE_REG             0x068
#define PLMLIMIT_REG            0x06c
#define PHMBASE_REG             0x070
#define PHMLIMIT_REG            0x078
#define PMR_ALIGN               20
#define PLM_ADDR                BITS(31, PMR_ALIGN)
#define PHM_ADDR                BITS(51, PMR_ALIGN)

/* [VT-d 11.4.9] Invalidation queue */
#define IQH_REG                 0x080
#define IQT_REG                 0x088
#define IQA_REG                 0x090
#define IQ_POINTER              BITS(18, 4)     /* of IQH and IQT */
#define IQA_QS                  BITS(2, 0)
#define IQA_DW                  BIT_AT(11)
#define IQA_IQA                 BITS(63, 12)
#define ICS_REG                 0x09c
#define ICS_IWC                 BIT_AT(0)
#define IECTL_REG               0x0a0
#define IEDATA_REG              0x0a4
#define IEADDR_REG              0x0a8
#define IEUADDR_REG             0x0ac
#define IQERCD_REG              0x0b0
#define IQERCD_IQEI             BITS(3, 0)
#define IQERCD_ITESID           BITS(47, 32)
#define IQERCD_ICESID           BITS(63, 48)
enum {
    IQEI_NONE = 0,
    IQEI_TAIL = 1,              /* tail beyond the queue */
    IQEI_FETCH = 2,             /* descriptor could not be read */
    IQEI_TYPE = 3,              /* no such descriptor type here */
    IQEI_RESERVED = 4,          /* reserved field set */
    IQEI_WIDTH = 5,             /* descriptor width does not fit the mode */
    IQEI_TAIL_ALIGN = 6,        /* tail between two 256-bit descriptors */
    IQEI_TTM = 7,               /* translation table mode is reserved */
};

/* [VT-d 11.4.10] Interrupt remapping table address */
#define IRTA_REG                0x0b8
#define IRTA_S                  BITS(3, 0)      /* 2^(S + 1) entries */
#define IRTA_EIME               BIT_AT(11)
#define IRTA_IRTA               BITS(63, 12)

/* [VT-d 11.4.11] Page request queue */
#define PQH_REG                 0x0c0
#define PQT_REG                 0x0c8
#define PQA_REG                 0x0d0
#define PQ_POINTER              BITS(18, 5)     /* of PQH and PQT */
#define PQA_PQS                 BITS(2, 0)
#define PQA_PQA                 BITS(63, 12)
#define PRS_REG                 0x0dc
#define PRS_PPR                 BIT_AT(0)
#define PRS_PRO                 BIT_AT(1)
#define PECTL_REG               0x0e0
#define PEDATA_REG              0x0e4
#define PEADDR_REG              0x0e8
#define PEUADDR_REG             0x0ec

/* [VT-d 11.4.6.2] IOTLB registers, at IRO * 16 */
#define IRO_VALUE               0x0f
#define IVA_REG                 (IRO_VALUE * 16)
#define IVA_AM                  BITS(5, 0)
#define IVA_IH                  BIT_AT(6)
#define IVA_ADDR                BITS(63, 12)
#define IOTLB_REG               (IVA_REG + 8)
#define IOTLB_DID               BITS(47, 32)
#define IOTLB_DW                BIT_AT(48)
#define IOTLB_DR                BIT_AT(49)
#define IOTLB_IAIG              BITS(58, 57)
#define IOTLB_IIRG              BITS(61, 60)
#define IOTLB_IVT               BIT_AT(63)

/* [VT-d 11.4.7.6] Fault recording, at FRO * 16: 128 bits each, in the upper
 * half of the page, where no other register has its place */
#define FRO_VALUE               0x80
#define FRCD_SIZE               16u
#define FRCD_REG(n)             (FRO_VALUE * 16u + FRCD_SIZE * (n))
#define FRCD0_FI                BITS(63, 12)
#define FRCD1_SID               BITS(15, 0)
#define FRCD1_T2                BIT_AT(28)
#define FRCD1_PRIV              BIT_AT(29)
#define FRCD1_EXE               BIT_AT(30)
#define FRCD1_PP                BIT_AT(31)
#define FRCD1_FR                BITS(39, 32)
#define FRCD1_PV                BITS(59, 40)
#define FRCD1_AT                BITS(61, 60)
#define FRCD1_T1                BIT_AT(62)
#define FRCD1_F                 BIT_AT(63)

#endif /* DMAR_SPEC_REGISTERS_H */
