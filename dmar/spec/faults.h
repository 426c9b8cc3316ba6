/*
 * Fault reasons [VT-d 7.1.3, 5.1.4.1]: one row each.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_SPEC_FAULTS_H
#define DMAR_SPEC_FAULTS_H

/*
 * X(symbol, code, the specification's symbol, can FPD hide it,
 *   answer to a translation request, name)
 *
 * QUALIFIED faults are not recorded if a fault-processing-disable bit was met
 * on the way.  A translation request is answered UR (unsupported request), CA
 * (completer abort), or NONE: success that grants nothing, and no record;
 * REPORTED: the same with a record.
 */
#define DMAR_FAULT_REASONS(X)                                                   \
    X(LEGACY_ROOT_NOT_PRESENT,    0x01, "LRT.2",   UNQUALIFIED, UR,             \
      "root entry not present")                                                 \
    X(LEGACY_CONTEXT_NOT_PRESENT, 0x02, "LCT.2",   QUALIFIED,   UR,             \
      "context entry not present")                                              \
    X(LEGACY_CONTEXT_INVALID,     0x03, "LCT.4",   QUALIFIED,   CA,             \
      "context entry not supported")                                            \
    X(LEGACY_ADDRESS_BEYOND,      0x04, "LGN.1",   QUALIFIED,   NONE,           \
      "address beyond the supported width")                                     \
    X(LEGACY_WRITE_DENIED,        0x05, "LGN.2",   QUALIFIED,   NONE,           \
      "no write permission")                                                    \
    X(LEGACY_READ_DENIED,         0x06, "LGN.3",   QUALIFIED,   NONE,           \
      "no read permission")                                                     \
    X(LEGACY_PAGING_ACCESS,       0x07, "LSS.1",   QUALIFIED,   CA,             \
      "paging entry cannot be read")                                            \
    X(LEGACY_ROOT_ACCESS,         0x08, "LRT.1",   UNQUALIFIED, CA,             \
      "root entry cannot be read")                                              \
    X(LEGACY_CONTEXT_ACCESS,      0x09, "LCT.1",   UNQUALIFIED, CA,             \
      "context entry cannot be read")                                           \
    X(LEGACY_ROOT_RESERVED,       0x0a, "LRT.3",   UNQUALIFIED, CA,             \
      "reserved bit set in root entry")                                         \
    X(LEGACY_CONTEXT_RESERVED,    0x0b, "LCT.3",   QUALIFIED,   CA,             \
      "reserved bit set in context entry")                                      \
    X(LEGACY_PAGING_RESERVED,     0x0c, "LSS.2",   QUALIFIED,   CA,             \
      "reserved bit set in paging entry")                                       \
    X(LEGACY_TYPE_BLOCKED,        0x0d, "LCT.5",   QUALIFIED,   UR,             \
      "translation type blocks this kind of request")                           \
    X(LEGACY_INTERRUPT_RANGE,     0x0e, "LGN.4",   QUALIFIED,   CA,             \
      "output in the interrupt address range")                                  \
    X(IR_REQUEST_RESERVED,        0x20, "IRR.1",   UNQUALIFIED, UR,             \
      "reserved field set in interrupt request")                                \
    X(IR_INDEX_BEYOND,            0x21, "IRR.2",   UNQUALIFIED, UR,             \
      "interrupt index beyond the table")                                       \
    X(IR_ENTRY_NOT_PRESENT,       0x22, "IRR.3",   QUALIFIED,   UR,             \
      "interrupt entry not present")                                            \
    X(IR_ENTRY_ACCESS,            0x23, "IRR.4",   UNQUALIFIED, UR,             \
      "interrupt entry cannot be read")                                         \
    X(IR_ENTRY_RESERVED,          0x24, "IRR.5",   QUALIFIED,   UR,             \
      "reserved bit set in interrupt entry")                                    \
    X(IR_COMPATIBILITY_BLOCKED,   0x25, "IRR.6",   UNQUALIFIED, UR,             \
      "compatibility-format interrupt blocked")                                 \
    X(IR_SOURCE_INVALID,          0x26, "IRR.7",   QUALIFIED,   UR,             \
      "interrupt source failed validation")                                     \
    X(IR_POSTED_ACCESS,           0x27, "IRR.8",   QUALIFIED,   UR,             \
      "posted interrupt descriptor cannot be accessed")                         \
    X(IR_POSTED_RESERVED,         0x28, "IRR.9",   QUALIFIED,   UR,             \
      "reserved bit set in posted interrupt descriptor")                        \
    X(IR_BAD_ACCESS,              0x29, "IRR.10",  UNQUALIFIED, UR,             \
      "bad access to the interrupt address range")                              \
    X(TTM_INVALID,                0x30, "RTA.1",   UNQUALIFIED, CA,             \
      "translation table mode not supported")                                   \
    X(PASID_IN_LEGACY_MODE,       0x31, "RTA.2",   UNQUALIFIED, UR,             \
      "request with PASID in legacy mode")                                      \
    X(PAGE_REQUEST_IN_LEGACY_MODE, 0x32, "RTA.3",  UNQUALIFIED, UR,             \
      "page request in legacy mode")                                            \
    X(ABORT_DMA_MODE,             0x33, "RTA.4",   UNQUALIFIED, UR,             \
      "abort-DMA mode")                                                         \
    X(EXECUTE_UNKNOWN,            0x34, "RTA.5",   UNQUALIFIED, UR,             \
      "execute request")                                                        \
    X(ROOT_ACCESS,                0x38, "SRT.1",   UNQUALIFIED, CA,             \
      "root entry cannot be read")                                              \
    X(ROOT_NOT_PRESENT,           0x39, "SRT.2",   UNQUALIFIED, UR,             \
      "root entry not present")                                                 \
    X(ROOT_RESERVED,              0x3a, "SRT.3",   UNQUALIFIED, CA,             \
      "reserved bit set in root entry")                                         \
    X(CONTEXT_ACCESS,             0x40, "SCT.1",   UNQUALIFIED, CA,             \
      "context entry cannot be read")                                           \
    X(CONTEXT_NOT_PRESENT,        0x41, "SCT.2",   QUALIFIED,   UR,             \
      "context entry not present")                                              \
    X(CONTEXT_RESERVED,           0x42, "SCT.3",   QUALIFIED,   CA,             \
      "reserved bit set in context entry")                                      \
    X(CONTEXT_INVALID,            0x43, "SCT.4",   QUALIFIED,   CA,             \
      "context entry not supported")                                            \
    X(ATS_BLOCKED,                0x44, "SCT.5",   QUALIFIED,   UR,             \
      "device-TLB requests not enabled")                                        \
    X(PASID_BLOCKED,              0x45, "SCT.6",   QUALIFIED,   UR,             \
      "requests with PASID not enabled")                                        \
    X(PASID_BEYOND_DIRECTORY,     0x46, "SCT.7",   QUALIFIED,   UR,             \
      "PASID beyond the directory")                                             \
    X(PAGE_REQUEST_BLOCKED,       0x47, "SCT.8",   QUALIFIED,   UR,             \
      "page requests not enabled")                                              \
    X(PASID_IS_RID_PASID,         0x48, "SCT.9",   QUALIFIED,   UR,             \
      "PASID equals RID_PASID")                                                 \
    X(TRANSLATED_WITH_PASID,      0x49, "SCT.10",  QUALIFIED,   UR,             \
      "translated request with PASID")                                          \
    X(DIRECTORY_ACCESS,           0x50, "SPD.1",   UNQUALIFIED, CA,             \
      "PASID directory entry cannot be read")                                   \
    X(DIRECTORY_NOT_PRESENT,      0x51, "SPD.2",   QUALIFIED,   NONE,           \
      "PASID directory entry not present")                                      \
    X(DIRECTORY_RESERVED,         0x52, "SPD.3",   QUALIFIED,   CA,             \
      "reserved bit set in PASID directory entry")                              \
    X(PASID_ENTRY_ACCESS,         0x58, "SPT.1",   UNQUALIFIED, CA,             \
      "PASID table entry cannot be read")                                       \
    X(PASID_ENTRY_NOT_PRESENT,    0x59, "SPT.2",   QUALIFIED,   NONE,           \
      "PASID table entry not present")                                          \
    X(PASID_ENTRY_RESERVED,       0x5a, "SPT.3",   QUALIFIED,   CA,             \
      "reserved bit set in PASID table entry")                                  \
    X(PASID_ENTRY_INVALID,        0x5b, "SPT.4",   QUALIFIED,   CA,             \
      "PASID table entry not supported")                                        \
    X(EXECUTE_BLOCKED,            0x5c, "SPT.5",   QUALIFIED,   NONE,           \
      "execute request not supported")                                          \
    X(SUPERVISOR_BLOCKED,         0x5d, "SPT.6",   QUALIFIED,   NONE,           \
      "supervisor request not enabled")                                         \
    X(FS_ACCESS,                  0x70, "SFS.1",   QUALIFIED,   NONE,           \
      "first-stage entry cannot be read")                                       \
    X(FS_NOT_PRESENT,             0x71, "SFS.2",   QUALIFIED,   NONE,           \
      "first-stage entry not present")                                          \
    X(FS_RESERVED,                0x72, "SFS.3",   QUALIFIED,   NONE,           \
      "reserved bit set in first-stage entry")                                  \
    X(FS_TOP_ACCESS,              0x73, "SFS.4",   QUALIFIED,   NONE,           \
      "top first-stage entry cannot be read")                                   \
    X(FS_ADDRESS_BEYOND,          0x74, "SFS.5",   QUALIFIED,   NONE,           \
      "first-stage entry refers beyond the second-stage width")                 \
    X(FS_TOP_READ_DENIED,         0x75, "SFS.6",   QUALIFIED,   NONE,           \
      "second stage denies reading the top first-stage entry")                  \
    X(FS_READ_DENIED,             0x76, "SFS.7",   QUALIFIED,   NONE,           \
      "second stage denies reading a first-stage entry")                        \
    X(FS_UPDATE_DENIED,           0x77, "SFS.8",   QUALIFIED,   NONE,           \
      "second stage denies updating a first-stage entry")                       \
    X(SS_ACCESS,                  0x78, "SSS.1",   QUALIFIED,   CA,             \
      "second-stage entry cannot be read")                                      \
    X(SS_NOT_PRESENT,             0x79, "SSS.2",   QUALIFIED,   NONE,           \
      "second-stage entry not present")                                         \
    X(SS_RESERVED,                0x7a, "SSS.3",   QUALIFIED,   CA,             \
      "reserved bit set in second-stage entry")                                 \
    X(SS_TOP_ACCESS,              0x7b, "SSS.4",   QUALIFIED,   CA,             \
      "top second-stage entry cannot be read")                                  \
    X(SS_UPDATE_UNSNOOPED,        0x7c, "SSS.5",   QUALIFIED,   CA,             \
      "second-stage entry needs an update that is not snooped")                 \
    X(SS_UPDATE_FAILED,           0x7d, "SSS.6",   QUALIFIED,   CA,             \
      "second-stage entry could not be updated")                                \
    X(FS_NOT_CANONICAL,           0x80, "SGN.1",   QUALIFIED,   NONE,           \
      "address not canonical")                                                  \
    X(PRIVILEGE_VIOLATION,        0x81, "SGN.2",   QUALIFIED,   NONE,           \
      "user request to a supervisor page")                                      \
    X(ADDRESS_BEYOND_HOST,        0x83, "SGN.4",   QUALIFIED,   NONE,           \
      "address beyond the host address width")                                  \
    X(SS_ADDRESS_BEYOND,          0x84, "SGN.5",   QUALIFIED,   NONE,           \
      "address beyond the second-stage width")                                  \
    X(WRITE_DENIED,               0x85, "SGN.6",   QUALIFIED,   NONE,           \
      "no write permission")                                                    \
    X(READ_DENIED,                0x86, "SGN.7",   QUALIFIED,   NONE,           \
      "no read permission")                                                     \
    X(INTERRUPT_RANGE,            0x87, "SGN.8",   QUALIFIED,   CA,             \
      "output in the interrupt address range")                                  \
    X(PASID_BEYOND_WIDTH,         0x89, "SGN.10",  QUALIFIED,   UR,             \
      "PASID wider than the unit supports")                                     \
    X(FS_UPDATE_UNSNOOPED,        0x90, "SFS.9",   QUALIFIED,   NONE,           \
      "first-stage entry needs an update that is not snooped")                  \
    X(FS_UPDATE_FAILED,           0x91, "SFS.10",  QUALIFIED,   REPORTED,       \
      "first-stage entry could not be updated")

#define X(symbol, code, spec, qualified, answer, name) FAULT_##symbol = code,
typedef enum FaultReason { FAULT_NONE = 0, DMAR_FAULT_REASONS(X) } FaultReason;
#undef X

#endif /* DMAR_SPEC_FAULTS_H */
