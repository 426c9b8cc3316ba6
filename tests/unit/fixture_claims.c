/*
 * The machine of the unit tests: requests of devices, and claims about what
 * becomes of them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fixture_claims.h"

#include <inttypes.h>

/* ---- Requests -------------------------------------------------------------------------- */

/* One for all requests, used by all threads. */
static struct {
    GMutex lock;
    DmarHandle *handle;
} shared;

void drop_handles(void)
{
    g_clear_pointer(&shared.handle, dmar_handle_free);
}

DmarHandle *the_handle(void)
{
    DmarHandle *handle = __atomic_load_n(&shared.handle, __ATOMIC_ACQUIRE);

    if (!handle) {
        g_mutex_lock(&shared.lock);
        if (!shared.handle) {
            handle = dmar_handle_new(m.dmar);
            __atomic_store_n(&shared.handle, handle, __ATOMIC_RELEASE);
        }
        handle = shared.handle;
        g_mutex_unlock(&shared.lock);
    }
    return handle;
}

static bool has_handle(const DmarRequest *r)
{
    return m.by_handle && r->type == DMAR_UNTRANSLATED && !r->privileged &&
        !r->execute;
}

DmarTranslation ask(DmarRequest request)
{
    DmarTranslation out = { .addr = ~0ull };
    if (has_handle(&request)) {
        dmar_handle_translate(the_handle(), request.source_id, request.pasid,
                              request.addr, request.access, &out);
    } else {
        dmar_translate(m.dmar, &request, &out);
    }
    return out;
}

DmarTranslation dma(DmarAccess access, uint16_t sid, uint32_t pasid,
                    uint64_t addr)
{
    return ask((DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                               .access = access });
}

DmarTranslation ats(uint16_t sid, uint32_t pasid, uint64_t addr)
{
    return ask((DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                               .type = DMAR_TRANSLATION_REQUEST });
}

/* ---- Claims ------------------------------------------------------------------------------- */

/* FRI names the record that set PPF; later ones follow it, around the end. */
static uint64_t first_pending(uint32_t status)
{
    unsigned first = field_get(status, FSTS_FRI);
    for (unsigned i = 0; i < m.config.fault_records; i++) {
        uint64_t at = fault_record_at((first + i) % m.config.fault_records);
        if (reg(at + 8) & FRCD1_F) {
            return at;
        }
    }
    claim(false, "FSTS.PPF is set, but no record is pending");
    return 0;
}

Fault take_fault(void)
{
    uint32_t status = reg32(FSTS_REG);
    if (!(status & FSTS_PPF)) {
        return (Fault) { .recorded = false };
    }
    uint64_t at = first_pending(status);
    uint64_t low = reg(at), high = reg(at + 8);
    set_reg32(at + 12, BIT_AT(31));
    return (Fault) {
        .recorded = true,
        .addr = low & ~0xfffull,
        .sid = high & 0xffff,
        .privileged = high & BIT_AT(29),
        .execute = high & BIT_AT(30),
        .with_pasid = high & BIT_AT(31),
        .reason = high >> 32 & 0xff,
        .pasid = high >> 40 & 0xfffff,
        .at = high >> 60 & 3,
        .type = (high >> 62 & 1) << 1 | (high >> 28 & 1),
    };
}

void (no_fault_left)(void)
{
    Fault fault = take_fault();
    claim(!fault.recorded, "a fault is recorded: %02x (%s), sid %04x, pasid %x,"
          " addr %" PRIx64, fault.reason, dmar_fault_name(fault.reason),
          fault.sid, fault.pasid, fault.addr);
}

void (fault_left)(uint8_t reason, uint16_t sid)
{
    Fault fault = take_fault();
    claim(fault.recorded, "no fault is recorded, expected %02x", reason);
    claim(fault.reason == reason && fault.sid == sid,
          "recorded: %02x sid %04x, expected %02x sid %04x", fault.reason,
          fault.sid, reason, sid);
}

static void reaches(DmarAccess access, uint16_t sid, uint32_t pasid,
                    uint64_t addr, uint64_t pa)
{
    DmarTranslation t = dma(access, sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "%" PRIx64 ": refused, reason %02x (%s)",
          addr, t.reason, dmar_fault_name(t.reason));
    claim(t.addr == pa, "%" PRIx64 " reaches %" PRIx64 ", expected %" PRIx64,
          addr, t.addr, pa);
    claim(access == DMAR_WRITE ? t.write : t.read, "reaches without the right");
    claim(t.reason == 0, "success with reason %02x", t.reason);
}

void (read_reaches)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_READ, sid, pasid, addr, pa);
}

void (write_reaches)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_WRITE, sid, pasid, addr, pa);
}

void (both_reach)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa)
{
    reaches(DMAR_READ, sid, pasid, addr, pa);
    reaches(DMAR_WRITE, sid, pasid, addr, pa);
}

static void refused(const DmarTranslation *t, uint8_t reason)
{
    claim(t->completion == DMAR_UNSUPPORTED_REQUEST,
          "completion %d to %" PRIx64 ", expected a refusal with %02x",
          t->completion, t->addr, reason);
    claim(t->reason == reason, "refused with %02x (%s), expected %02x (%s)",
          t->reason, dmar_fault_name(t->reason), reason,
          dmar_fault_name(reason));
}

/* T2 and T1 of the record: what kind of request it was. */
static unsigned type_of(const DmarRequest *request)
{
    if (request->type == DMAR_TRANSLATION_REQUEST) {
        return 2;
    }
    return request->access == DMAR_WRITE ? 0 : request->access == DMAR_ATOMIC ? 3 : 2;
}

static void recorded(const DmarRequest *request, uint8_t reason)
{
    Fault fault = take_fault();
    bool with_pasid = request->pasid != NO_PASID;
    uint64_t page = request->addr & ~0xfffull & (BIT_AT(m.config.aw_bits) - 1);
    claim(fault.recorded, "fault %02x is not recorded", reason);
    claim(fault.reason == reason, "recorded reason %02x, expected %02x",
          fault.reason, reason);
    claim(fault.sid == request->source_id, "recorded sid %04x", fault.sid);
    claim(fault.with_pasid == with_pasid, "recorded PP %d", fault.with_pasid);
    claim(!with_pasid || fault.pasid == request->pasid, "recorded PASID %x",
          fault.pasid);
    claim(fault.privileged == (with_pasid && request->privileged),
          "recorded PRIV %d", fault.privileged);
    claim(fault.addr == page,
          "recorded address %" PRIx64 ", expected %" PRIx64, fault.addr, page);
    claim(fault.type == type_of(request), "recorded type %u, expected %u",
          fault.type, type_of(request));
    claim(fault.at == (m.config.device_tlb ? request->type : 0),
          "recorded AT %u", fault.at);
}

void (request_reaches)(DmarRequest request, uint64_t pa)
{
    DmarTranslation t = ask(request);
    claim(t.completion == DMAR_SUCCESS, "%" PRIx64 ": refused, reason %02x (%s)",
          request.addr, t.reason, dmar_fault_name(t.reason));
    claim(t.addr == pa, "%" PRIx64 " reaches %" PRIx64 ", expected %" PRIx64,
          request.addr, t.addr, pa);
}

void (request_faults)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    refused(&t, reason);
    recorded(&request, reason);
}

void (request_refused_silently)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    refused(&t, reason);
    (no_fault_left)();
}

void (request_granted_nothing)(DmarRequest request, uint8_t reason)
{
    DmarTranslation t = ask(request);
    claim(t.completion == DMAR_SUCCESS, "completion %d, reason %02x (%s)",
          t.completion, t.reason, dmar_fault_name(t.reason));
    claim(!t.read && !t.write && !t.untranslated_only && t.size == PAGE,
          "granted r %d w %d u %d size %" PRIx64, t.read, t.write,
          t.untranslated_only, t.size);
    claim(t.reason == reason, "nothing granted because of %02x (%s), not %02x",
          t.reason, dmar_fault_name(t.reason), reason);
    (no_fault_left)();
}

void (request_fails)(DmarRequest request, DmarCompletion completion,
                     uint8_t reason)
{
    DmarTranslation t = ask(request);
    claim(t.completion == completion, "completion %d, expected %d (reason %02x)",
          t.completion, completion, t.reason);
    claim(!t.read && !t.write, "granted r %d w %d", t.read, t.write);
    claim(t.reason == reason, "reason %02x (%s), expected %02x", t.reason,
          dmar_fault_name(t.reason), reason);
    recorded(&request, reason);
}

static DmarRequest request_of(DmarAccess access, uint16_t sid, uint32_t pasid,
                              uint64_t addr)
{
    return (DmarRequest) { .source_id = sid, .pasid = pasid, .addr = addr,
                           .access = access };
}

void (read_faults)(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason)
{
    (request_faults)(request_of(DMAR_READ, sid, pasid, addr), reason);
}

void (write_faults)(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason)
{
    (request_faults)(request_of(DMAR_WRITE, sid, pasid, addr), reason);
}

void (write_refused_silently)(uint16_t sid, uint32_t pasid, uint64_t addr,
                              uint8_t reason)
{
    (request_refused_silently)(request_of(DMAR_WRITE, sid, pasid, addr), reason);
}

void (ats_grants)(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa,
                  unsigned rights)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "translation request: reason %02x (%s)",
          t.reason, dmar_fault_name(t.reason));
    claim(t.read == !!(rights & R) && t.write == !!(rights & W),
          "granted r %d w %d, expected %x (reason %02x)", t.read, t.write,
          rights, t.reason);
    claim(t.addr == pa, "granted %" PRIx64 ", expected %" PRIx64, t.addr, pa);
    (no_fault_left)();
}

void (ats_grants_nothing)(uint16_t sid, uint32_t pasid, uint64_t addr)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == DMAR_SUCCESS, "translation request: %d, reason %02x",
          t.completion, t.reason);
    claim(!t.read && !t.write, "granted r %d w %d", t.read, t.write);
    (no_fault_left)();
}

void (ats_fails)(uint16_t sid, uint32_t pasid, uint64_t addr,
                 DmarCompletion completion, uint8_t reason)
{
    DmarTranslation t = ats(sid, pasid, addr);
    claim(t.completion == completion, "completion %d, expected %d (reason %02x)",
          t.completion, completion, t.reason);
    claim(t.reason == reason, "reason %02x, expected %02x", t.reason, reason);
    (fault_left)(reason, sid);
}

void (message_sent)(uint64_t addr, uint32_t data)
{
    claim(m.first_message < m.messages, "no message was sent");
    Message *message = &m.message[m.first_message++];
    claim(message->addr == addr && message->data == data,
          "message %" PRIx64 " %x, expected %" PRIx64 " %x", message->addr,
          message->data, addr, data);
}

void (no_message_left)(void)
{
    if (m.first_message < m.messages) {
        claim(false, "a message was sent: %" PRIx64 " %x",
              m.message[m.first_message].addr, m.message[m.first_message].data);
    }
}
