/*
 * The guest's programs that own ADIs, in one binary that is called by many names.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include "adi.h"

static const struct program {
	const char *name;
	program_main *main;
	const char *purpose;
} programs[] = {
	{ "adi-copy", copy_main, "move data with an ADI and check every byte" },
	{ "adi-wild", wild_main, "let an ADI reach outside of what was mapped" },
	{ "adi-unmap", unmap_main, "unmap memory that an ADI is using" },
	{ "adi-hold", hold_main, "own an ADI and keep it busy until killed" },
	{ "adi-many", many_main, "many processes, each with an ADI of its own, at once" },
	{ "adi-churn", churn_main, "map and unmap while ADIs work" },
	{ "adi-twin", twin_main, "the same random work for an ADI and for an emulated one" },
	{ "adi-sva", sva_main, "let an ADI work in the process's own address space" },
	{ "adi-bench", bench_main, "time copies by many ADIs of one process" },
	{ "adi-sh", shell_main, "own ADIs step by step, by commands" },
	{ "adi-ask", ask_main, "give an adi-sh in the background a command" },
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static const struct program *program_find(const char *name)
{
	for (size_t n = 0; n < PROGRAMS; n++)
		if (!strcmp(programs[n].name, name))
			return &programs[n];
	return NULL;
}

int main(int argc, char *argv[])
{
	const struct program *program = program_find(basename(argv[0]));

	if (program)
		return program->main(argc, argv);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t n = 0; n < PROGRAMS; n++)
			puts(programs[n].name);
		return 0;
	}
	for (size_t n = 0; n < PROGRAMS; n++)
		printf("%-10s %s\n", programs[n].name, programs[n].purpose);
	return argc > 1;
}
