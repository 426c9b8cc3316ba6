/*
 * Interrupt posting [VT-d 5.2].
 *
 * An entry in posted form names a descriptor in memory and a vector.  The
 * interrupt is recorded there, and whoever reads the descriptor is notified by
 * an interrupt of its own, unless it was notified before (ON) or does not want
 * to be (SN) and the entry is not urgent.
 *
 * Hardware updates the 64 bytes at once.  Here it takes two exchanges, first
 * the vector's bit, then the word of control, which holds all that the
 * notification depends on: a reader that comes between finds an interrupt
 * whose notification is still to come, as it does after another processor
 * posted one.  The other order could lose an interrupt.
 *
 * Every interrupt that is posted is edge-triggered, and so is its notification
 * [VT-d 5.2.6 Interrupt Posting for Level Triggered Interrupts].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

/* Others write descriptors, too, and one that loses to them tries again.  So
 * often means that a processor of the guest does nothing else. */
enum { ATTEMPTS = 1000 };

static uint64_t descriptor_addr(const InterruptEntry *e)
{
    return field_get(e->word[1], IRTE1_PDAH) << PDAH_SHIFT |
           field_get(e->word[0], IRTE0_PDAL) << PDAL_SHIFT;
}

bool dmar_posting_reserved(const Dmar *dmar, const InterruptEntry *e)
{
    return (e->word[0] & ~(IRTE0_P | IRTE0_FPD | IRTE0_AVAIL | IRTE0_URG |
                           IRTE0_IM | IRTE0_VECTOR | IRTE0_PDAL)) ||
           (e->word[1] & ~(IRTE1_SID | IRTE1_SQ | IRTE1_SVT | IRTE1_PDAH)) ||
           (descriptor_addr(e) & dmar_beyond_host(dmar));
}

static uint64_t destination_field(const Dmar *dmar)
{
    return dmar_in_x2apic_mode(dmar) ? PID4_NDST_X2APIC : PID4_NDST_XAPIC;
}

static bool control_reserved(const Dmar *dmar, uint64_t control)
{
    return control & ~(PID4_ON | PID4_SN | PID4_NV | destination_field(dmar));
}

static uint8_t read_descriptor(Dmar *dmar, uint64_t addr, PostedDescriptor *out)
{
    uint64_t reserved = 0;

    if (!dmar_read_words(dmar, addr, out->word, G_N_ELEMENTS(out->word))) {
        return FAULT_IR_POSTED_ACCESS;
    }
    for (size_t i = PID_CONTROL + 1; i < G_N_ELEMENTS(out->word); i++) {
        reserved |= out->word[i];
    }
    return reserved || control_reserved(dmar, out->word[PID_CONTROL])
           ? FAULT_IR_POSTED_RESERVED : FAULT_NONE;
}

/* [VT-d 5.2.3 Interrupt-Posting Hardware Operation], which calls it X. */
static bool notification_due(uint64_t control, bool urgent)
{
    return !(control & PID4_ON) && (urgent || !(control & PID4_SN));
}

static uint8_t set_request(Dmar *dmar, uint64_t addr, uint64_t word,
                           uint64_t bit)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint64_t found = word;

        if (!dmar->host.compare_exchange(dmar->opaque, addr, &found,
                                         word | bit)) {
            break;
        }
        if (found == word) {
            return FAULT_NONE;
        }
        word = found;
    }
    return FAULT_IR_POSTED_ACCESS;
}

/*
 * Set ON if a notification is due, and leave in @control what decided it.  A
 * word that stays as it is, is exchanged by itself: it was so after the
 * request was there to be seen.
 */
static uint8_t set_outstanding(Dmar *dmar, uint64_t addr, bool urgent,
                               uint64_t *control)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint64_t word = *control;
        uint64_t on = notification_due(word, urgent) ? PID4_ON : 0;

        if (control_reserved(dmar, word)) {
            return FAULT_IR_POSTED_RESERVED;
        }
        if (!dmar->host.compare_exchange(dmar->opaque, addr, control,
                                         word | on)) {
            break;
        }
        if (*control == word) {
            return FAULT_NONE;
        }
    }
    return FAULT_IR_POSTED_ACCESS;
}

static void decode_notification(const Dmar *dmar, uint64_t control,
                                DmarInterrupt *out)
{
    *out = (DmarInterrupt) {
        .vector = field_get(control, PID4_NV),
        .destination = field_get(control, destination_field(dmar)),
    };
}

uint8_t dmar_posting_post(Dmar *dmar, const InterruptEntry *e,
                          DmarInterruptVerdict *verdict, DmarInterrupt *out)
{
    uint64_t addr = descriptor_addr(e);
    unsigned vector = field_get(e->word[0], IRTE0_VECTOR);
    bool urgent = e->word[0] & IRTE0_URG;
    PostedDescriptor d;
    uint64_t *control = &d.word[PID_CONTROL];
    uint8_t reason = read_descriptor(dmar, addr, &d);
    bool due;

    reason = reason ? reason
        : set_request(dmar, addr + vector / 64 * 8, d.word[vector / 64],
                      BIT_AT(vector % 64));
    reason = reason ? reason
        : set_outstanding(dmar, addr + PID_CONTROL * 8, urgent, control);
    if (reason) {
        return reason;
    }
    due = notification_due(*control, urgent);
    if (due) {
        decode_notification(dmar, *control, out);
    }
    *verdict = due ? DMAR_INTERRUPT_NOTIFY : DMAR_INTERRUPT_POSTED;
    dmar_report(dmar, DMAR_EVENT_POSTED, 0, DMAR_NO_PASID, addr, vector, due);
    return FAULT_NONE;
}
