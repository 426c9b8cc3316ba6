/*
 * Messages of the unit itself: the fault event [VT-d 7.3], the
 * invalidation completion event [VT-d 6.5.2.10], the page request event
 * [VT-d 7.5] and the performance monitoring event [VT-d 10.6].
 *
 * An event raises IP; the message goes out at once unless IM masks it, and
 * then when software unmasks it.  The messages are not remapped
 * [VT-d 5.1.6].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static void send_message(Dmar *dmar, uint64_t control_register)
{
    uint64_t addr = dmar_get32(dmar, control_register + EVENT_ADDR_OFFSET);
    uint32_t data = dmar_get32(dmar, control_register + EVENT_DATA_OFFSET);

    addr |= (uint64_t)dmar_get32(dmar, control_register + EVENT_UADDR_OFFSET)
            << 32;
    dmar_report(dmar, DMAR_EVENT_MSI, 0, DMAR_NO_PASID, addr, data, 0);
    dmar->host.send_msi(dmar->opaque, addr, data);
}

/* Send what is pending, if software lets it. */
void dmar_event_settle(Dmar *dmar, uint64_t control_register)
{
    uint32_t control = dmar_get32(dmar, control_register);

    if ((control & EVENT_CTL_IP) && !(control & EVENT_CTL_IM)) {
        dmar_set32(dmar, control_register, control & ~(uint32_t)EVENT_CTL_IP);
        send_message(dmar, control_register);
    }
}

/* What it tells of is gone. */
void dmar_event_withdraw(Dmar *dmar, uint64_t control_register)
{
    dmar_set32(dmar, control_register,
               dmar_get32(dmar, control_register) & ~(uint32_t)EVENT_CTL_IP);
}

void dmar_event_raise(Dmar *dmar, uint64_t control_register)
{
    dmar_set32(dmar, control_register,
               dmar_get32(dmar, control_register) | (uint32_t)EVENT_CTL_IP);
    dmar_event_settle(dmar, control_register);
}
