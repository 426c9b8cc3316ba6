/*
 * Names for what has no table of its own.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

static const char *const event_names[DMAR_EVENT_KINDS] = {
    [DMAR_EVENT_REGISTER_WRITE] = "register-write",
    [DMAR_EVENT_COMMAND] = "command",
    [DMAR_EVENT_ENHANCED_COMMAND] = "enhanced-command",
    [DMAR_EVENT_CONTEXT] = "context",
    [DMAR_EVENT_PASID_ENTRY] = "pasid-entry",
    [DMAR_EVENT_WALK] = "walk",
    [DMAR_EVENT_TRANSLATED] = "translated",
    [DMAR_EVENT_FAULT] = "fault",
    [DMAR_EVENT_DESCRIPTOR] = "descriptor",
    [DMAR_EVENT_QUEUE_ERROR] = "queue-error",
    [DMAR_EVENT_DEVICE_TLB] = "device-tlb",
    [DMAR_EVENT_INTERRUPT] = "interrupt",
    [DMAR_EVENT_POSTED] = "posted",
    [DMAR_EVENT_MSI] = "msi",
    [DMAR_EVENT_PAGE_REQUEST] = "page-request",
    [DMAR_EVENT_PAGE_RESPONSE] = "page-response",
};

const char *dmar_event_name(DmarEventKind kind)
{
    return kind < DMAR_EVENT_KINDS ? event_names[kind] : "?";
}
