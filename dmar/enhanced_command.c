/*
 * Enhanced commands [VT-d 11.4.14 Enhanced Command Interface].
 *
 * Software writes operands and then the command, and waits until the response
 * register says that it is done.  The engine finishes every command before the
 * register write returns, so that it is never seen in progress and never
 * collides with a global command.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static unsigned enable_counter(Dmar *dmar, uint64_t counter)
{
    return dmar_perf_enable(dmar, counter) ? ECMD_SUCCESS : ECMD_COUNTER_REFUSED;
}

static unsigned disable_counter(Dmar *dmar, uint64_t counter)
{
    return dmar_perf_disable(dmar, counter) ? ECMD_SUCCESS
                                            : ECMD_COUNTER_REFUSED;
}

static unsigned reset_configuration(Dmar *dmar, uint64_t unused)
{
    (void)unused;
    dmar_perf_reset_configuration(dmar);
    return ECMD_SUCCESS;
}

static unsigned reset_values(Dmar *dmar, uint64_t unused)
{
    (void)unused;
    dmar_perf_reset_values(dmar);
    return ECMD_SUCCESS;
}

static unsigned freeze(Dmar *dmar, uint64_t unused)
{
    (void)unused;
    dmar_perf_freeze(dmar);
    return ECMD_SUCCESS;
}

static unsigned unfreeze(Dmar *dmar, uint64_t unused)
{
    (void)unused;
    dmar_perf_unfreeze(dmar);
    return ECMD_SUCCESS;
}

typedef struct EnhancedCommand {
    uint8_t number;
    unsigned (*run)(Dmar *dmar, uint64_t operand);  /* the answer is a status */
} EnhancedCommand;

static const EnhancedCommand commands[] = {
    { ECMD_ENABLE_COUNTER, enable_counter },
    { ECMD_DISABLE_COUNTER, disable_counter },
    { ECMD_RESET_CONFIGURATION, reset_configuration },
    { ECMD_RESET_VALUES, reset_values },
    { ECMD_FREEZE, freeze },
    { ECMD_UNFREEZE, unfreeze },
};

/* Part of a register reset: what ECCAP says. */
void dmar_enhanced_command_reset(Dmar *dmar)
{
    if (!(dmar->cap & CAP_ECMDS)) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        uint64_t at = ECCAP_REG(commands[i].number);

        dmar_set64(dmar, at, dmar_get64(dmar, at) |
                             ECCAP_BIT(commands[i].number));
    }
}

static unsigned run(Dmar *dmar, unsigned number, uint64_t operand)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].number == number) {
            return commands[i].run(dmar, operand);
        }
    }
    return ECMD_UNDEFINED;
}

/* The operand's upper half may have been written before [VT-d 11.4.14.1]. */
void dmar_enhanced_command(Dmar *dmar, uint64_t written)
{
    uint64_t command = dmar_get64(dmar, ECMD_REG);
    unsigned status = run(dmar, field_get(command, ECMD_CMD),
                          field_get(command, ECMD_OA));

    (void)written;
    dmar_set64(dmar, ECRSP_REG, field_make(status, ECRSP_SC));
    dmar_report(dmar, DMAR_EVENT_ENHANCED_COMMAND, 0, DMAR_NO_PASID,
                field_get(command, ECMD_CMD), field_get(command, ECMD_OA),
                status);
}
