/*
 * Page requests in unit tests: a unit that takes them, a device that sends them,
 * and claims about what becomes of them at once [VT-d 7.4].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_REQUESTER_H
#define TESTS_UNIT_REQUESTER_H

#include "fixture.h"

#define DEV         0x0c38
#define PASID       0x12345
#define DOMAIN      0x21
#define IOVA        0x7654321000ull
#define GROUP       0x155

#define ENTRIES     128u            /* of a queue of one page */

extern Space space;                 /* of PASID, and of requests without one */
extern uint64_t requests;           /* the queue */
extern const DmarConfig unit;

void given_request_queue(unsigned order);
void given_unit(const DmarConfig *config);
void given_machine(void);           /* ... the one above */

extern const DmarPageRequest wanted;
DmarPageRequest without_pasid(void);
DmarPageRequest stop_marker(void);
unsigned tail(void);                /* of the queue, in entries */

void nothing_is_answered(DmarPageRequest request);
void is_answered(DmarPageRequest request, unsigned code);
void is_queued(DmarPageRequest request);
void status_is(uint32_t bits);
void given_full_queue(void);

#endif /* TESTS_UNIT_REQUESTER_H */
