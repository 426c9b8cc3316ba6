/*
 * Primary faults: what a reason means, and the one place that records it
 * [VT-d 7.2 Non-Recoverable Fault Reporting, 7.3 Non-Recoverable Fault Event].
 *
 * Everything else in the engine returns a reason.  Whether it is logged
 * depends on the reason (qualified by FPD or not), on the request (a
 * translation request that is answered with nothing granted is no fault, but
 * for one reason), and on room: with the record at the fault index still pending, or with overflow
 * standing, the new fault is lost.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

typedef enum { UNQUALIFIED, QUALIFIED } Qualified;
typedef enum { UR, CA, NONE, REPORTED } AtsAnswer;

typedef struct Reason {
    const char *name;
    const char *spec;
    Qualified qualified;
    AtsAnswer answer;
} Reason;

#define X(symbol, code, spec, qualified, answer, name) \
    [code] = { name, spec, qualified, answer },
static const Reason reasons[256] = { DMAR_FAULT_REASONS(X) };
#undef X

const char *dmar_fault_name(uint8_t reason)
{
    return reasons[reason].name ? reasons[reason].name : "?";
}

bool dmar_fault_qualified(uint8_t reason)
{
    return reasons[reason].qualified == QUALIFIED;
}

DmarCompletion dmar_fault_answer(uint8_t reason, DmarAddressType type)
{
    if (type != DMAR_TRANSLATION_REQUEST) {
        return DMAR_UNSUPPORTED_REQUEST;
    }
    switch (reasons[reason].answer) {
    case UR:
        return DMAR_UNSUPPORTED_REQUEST;
    case CA:
        return DMAR_COMPLETER_ABORT;
    case NONE:
    case REPORTED:
        break;
    }
    return DMAR_SUCCESS;
}

bool dmar_fault_recorded(uint8_t reason, DmarAddressType type)
{
    return type != DMAR_TRANSLATION_REQUEST || reasons[reason].answer != NONE;
}

/* ---- The event ----------------------------------------------------------- */

#define ANY_STATUS (FSTS_PPF | FSTS_PFO | FSTS_IQE | FSTS_ICE | FSTS_ITE)

static uint32_t status(const Dmar *dmar)
{
    return dmar_get32(dmar, FSTS_REG);
}

/* Set a status that raises the fault event, unless one stood already. */
void dmar_fault_status_set(Dmar *dmar, uint32_t bit)
{
    bool quiet = !(status(dmar) & ANY_STATUS);

    dmar_set32(dmar, FSTS_REG, status(dmar) | bit);
    if (quiet) {
        dmar_event_raise(dmar, FECTL_REG);
    }
}

static bool any_record_pending(const Dmar *dmar)
{
    for (unsigned n = 0; n < dmar->config.fault_records; n++) {
        if (dmar_get64(dmar, FRCD_REG(n) + 8) & FRCD1_F) {
            return true;
        }
    }
    return false;
}

/* Software cleared something: PPF follows the records, IP follows FSTS. */
void dmar_fault_status_written(Dmar *dmar)
{
    if (!any_record_pending(dmar)) {
        dmar_set32(dmar, FSTS_REG, status(dmar) & ~(uint32_t)FSTS_PPF);
    }
    if (!(status(dmar) & ANY_STATUS)) {
        dmar_event_withdraw(dmar, FECTL_REG);
    }
}

void dmar_fault_control_written(Dmar *dmar)
{
    dmar_event_settle(dmar, FECTL_REG);
}

/* ---- Recording ----------------------------------------------------------- */

static void set_first_record(Dmar *dmar, unsigned n)
{
    dmar_set32(dmar, FSTS_REG, field_set(status(dmar), FSTS_FRI, n));
}

/*
 * The last record already says so, and software has not taken it.  Hosts break
 * a large access into small ones, each of which is refused: one record is
 * enough [VT-d 7.2.1 Primary Fault Logging, compression of records].
 */
static bool repeats_last(const Dmar *dmar, uint64_t low, uint64_t high)
{
    unsigned records = dmar->config.fault_records;
    unsigned last = (dmar->next_fault_record + records - 1) % records;

    return dmar_get64(dmar, FRCD_REG(last)) == low &&
           dmar_get64(dmar, FRCD_REG(last) + 8) == (high | FRCD1_F);
}

/* [VT-d 7.2.1 Primary Fault Logging]; false: the fault was lost. */
static bool record(Dmar *dmar, uint64_t low, uint64_t high)
{
    unsigned n = dmar->next_fault_record;

    if (status(dmar) & FSTS_PFO || repeats_last(dmar, low, high)) {
        return false;
    }
    if (dmar_get64(dmar, FRCD_REG(n) + 8) & FRCD1_F) {
        dmar_set32(dmar, FSTS_REG, status(dmar) | FSTS_PFO);
        return false;
    }
    dmar_set64(dmar, FRCD_REG(n), low);
    dmar_set64(dmar, FRCD_REG(n) + 8, high | FRCD1_F);
    dmar->next_fault_record = (n + 1) % dmar->config.fault_records;
    dmar_stats_fault(dmar->stats);
    if (!(status(dmar) & FSTS_PPF)) {
        set_first_record(dmar, n);
        dmar_fault_status_set(dmar, FSTS_PPF);
    }
    return true;
}

/* A translation request reads, whatever the device wants the answer for. */
static uint64_t type_of(const DmarRequest *request)
{
    switch (request->type) {
    case DMAR_PAGE_REQUEST:
        return FRCD1_T2;
    case DMAR_TRANSLATION_REQUEST:
        return FRCD1_T1;
    default:
        break;
    }
    switch (request->access) {
    case DMAR_WRITE:
        return 0;
    case DMAR_ATOMIC:
        return FRCD1_T1 | FRCD1_T2;
    default:
        return FRCD1_T1;
    }
}

/* A page request is a message and has no AT. */
static uint64_t address_type_of(const Dmar *dmar, const DmarRequest *request)
{
    return dmar_has(dmar, ECAP_DT) && request->type != DMAR_PAGE_REQUEST
           ? field_make(request->type, FRCD1_AT) : 0;
}

/* PP, PV and what goes with them: only for a request that carried a PASID,
 * never for one that RID_PASID stood in for, and in a unit that knows PASIDs.
 * EXE is for reads [VT-d 11.4.7.6]. */
static uint64_t pasid_fields(const Dmar *dmar, const DmarRequest *request)
{
    uint64_t fields = FRCD1_PP;

    if (request->pasid == DMAR_NO_PASID || !dmar_has(dmar, ECAP_PASID)) {
        return 0;
    }
    fields |= field_make(request->pasid, FRCD1_PV);
    fields |= request->privileged ? FRCD1_PRIV : 0;
    if (request->execute && type_of(request) == FRCD1_T1) {
        fields |= FRCD1_EXE;
    }
    return fields;
}

/* Address bits that no table of this unit translates are reserved in the
 * record [VT-d 11.4.7.6, FI]. */
static uint64_t fault_page(const Dmar *dmar, uint64_t addr)
{
    return addr & FRCD0_FI & low_bits(dmar->config.aw_bits);
}

void dmar_fault_record(Dmar *dmar, const DmarRequest *request, uint8_t reason)
{
    uint64_t high = field_make(request->source_id, FRCD1_SID) |
                    field_make(reason, FRCD1_FR) |
                    type_of(request) | address_type_of(dmar, request) |
                    pasid_fields(dmar, request);
    bool recorded = record(dmar, fault_page(dmar, request->addr), high);

    dmar_report(dmar, DMAR_EVENT_FAULT, request->source_id, request->pasid,
                request->addr, recorded, reason);
}

/* The index goes into bits 63:48 of the record [VT-d 11.4.7.6, FI]. */
void dmar_fault_record_interrupt(Dmar *dmar, uint16_t source_id,
                                 unsigned index, uint8_t reason)
{
    uint64_t high = field_make(source_id, FRCD1_SID) |
                    field_make(reason, FRCD1_FR);
    bool recorded = record(dmar, field_make(index, BITS(63, 48)), high);

    dmar_report(dmar, DMAR_EVENT_FAULT, source_id, DMAR_NO_PASID, index,
                recorded, reason);
}
