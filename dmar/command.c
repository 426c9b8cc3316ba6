/*
 * The global command register [VT-d 11.4.4.1].
 *
 * Software changes one bit at a time and waits for its status; the engine
 * finishes every command before the register write returns.  A write that
 * changes several is carried out in the order in which a driver would have
 * issued them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static void set_status(Dmar *dmar, uint32_t bit, bool on)
{
    uint32_t status = dmar_get32(dmar, GSTS_REG);

    dmar_set32(dmar, GSTS_REG, on ? status | bit : status & ~bit);
}

/* [VT-d 6.6]: without ESRTPS the caches are software's to invalidate. */
static void set_root_table(Dmar *dmar, bool on)
{
    (void)on;
    dmar->root_latched = dmar_get64(dmar, RTADDR_REG);
    dmar_handles_void(dmar);
    if (dmar->cap & CAP_ESRTPS) {
        dmar_invalidate_everything(dmar);
    }
    set_status(dmar, GCMD_SRTP, true);
}

/* A new table, and switching remapping off, leave no entry of the old one
 * behind, if the unit says so; else that is software's to do [VT-d 6.7,
 * 11.4.4.1 IRE]. */
static void maybe_forget_interrupts(Dmar *dmar)
{
    if (dmar->cap & CAP_ESIRTPS) {
        dmar_invalidate_interrupts(dmar, 0, UINT16_MAX);
    }
}

static void set_interrupt_table(Dmar *dmar, bool on)
{
    (void)on;
    dmar->irta_latched = dmar_get64(dmar, IRTA_REG);
    maybe_forget_interrupts(dmar);
    set_status(dmar, GCMD_SIRTP, true);
}

/* The fault index starts anew when nothing is remapped [VT-d 7.2.1]. */
static void maybe_restart_fault_index(Dmar *dmar)
{
    if (!dmar_status(dmar, GCMD_TE) && !dmar_status(dmar, GCMD_IRE)) {
        dmar->next_fault_record = 0;
    }
}

static void enable_queue(Dmar *dmar, bool on)
{
    set_status(dmar, GCMD_QIE, on);
    if (on) {
        dmar_queue_enable(dmar);
    } else {
        dmar_queue_disable(dmar);
    }
}

static void enable_interrupts(Dmar *dmar, bool on)
{
    set_status(dmar, GCMD_IRE, on);
    if (!on) {
        maybe_forget_interrupts(dmar);
    }
    maybe_restart_fault_index(dmar);
    dmar_tell_remapping(dmar);
}

static void pass_compatibility(Dmar *dmar, bool on)
{
    set_status(dmar, GCMD_CFI, on);
}

/* Switching off leaves no stale translation behind in scalable-mode hardware
 * [VT-d 11.4.4.1, TE]. */
static void enable_translation(Dmar *dmar, bool on)
{
    set_status(dmar, GCMD_TE, on);
    if (!on && dmar_has(dmar, ECAP_SMTS)) {
        dmar_invalidate_everything(dmar);
    }
    dmar_keepers_forget_all(dmar);
    maybe_restart_fault_index(dmar);
    dmar_tell_remapping(dmar);
}

typedef struct Command {
    uint32_t bit;
    uint64_t needs;             /* ECAP bits without which it is ignored */
    bool one_shot;              /* acts whenever written as 1 */
    void (*run)(Dmar *dmar, bool on);
} Command;

static const Command commands[] = {
    { GCMD_SRTP, 0, true, set_root_table },
    { GCMD_SIRTP, ECAP_IR, true, set_interrupt_table },
    { GCMD_QIE, ECAP_QI, false, enable_queue },
    { GCMD_CFI, ECAP_IR, false, pass_compatibility },
    { GCMD_IRE, ECAP_IR, false, enable_interrupts },
    { GCMD_TE, 0, false, enable_translation },
};

static bool asked(const Dmar *dmar, const Command *command, uint32_t written)
{
    if ((dmar->ecap & command->needs) != command->needs) {
        return false;
    }
    if (command->one_shot) {
        return written & command->bit;
    }
    return (written ^ dmar_get32(dmar, GSTS_REG)) & command->bit;
}

void dmar_command(Dmar *dmar, uint64_t written)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (asked(dmar, &commands[i], written)) {
            bool on = written & commands[i].bit;

            dmar_report(dmar, DMAR_EVENT_COMMAND, 0, DMAR_NO_PASID,
                        commands[i].bit, on, 0);
            commands[i].run(dmar, on);
        }
    }
}
