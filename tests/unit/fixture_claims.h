/*
 * Inside the fixture: how a claim fails.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FIXTURE_CLAIMS_H
#define TESTS_UNIT_FIXTURE_CLAIMS_H

#include "fixture.h"

/* Before the unit goes. */
void drop_handles(void);
DmarHandle *the_handle(void);

/* Unless it @holds, end the test: say where it was made, and what led there. */
void claim(bool holds, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif /* TESTS_UNIT_FIXTURE_CLAIMS_H */
