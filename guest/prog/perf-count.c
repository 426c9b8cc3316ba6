/*
 * perf-count: count events of a PMU while a command runs, all of them at once.
 *
 *   perf-count PMU EVENT... -- COMMAND...
 *
 * An EVENT is a name that the PMU has in sysfs, or terms as it formats them:
 * `iotlb_lookup`, `iotlb_hit,filter_page_table_en=1,filter_page_table=0x1`.
 * Prints a line `EVENT COUNT` for each.  The events are one group: they start
 * and stop together, so that their counts can be compared.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICES "/sys/bus/event_source/devices"
#define MOST_EVENTS 64

static void die(const char *what)
{
	fprintf(stderr, "perf-count: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* The first line of a PMU's file; 0 if there is no such file. */
static int file_read(const char *pmu, const char *dir, const char *name, char *line, int size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), DEVICES "/%s/%s%s", pmu, dir, name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(line, size, file))
		die(path);
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	return 1;
}

static void file_must(const char *pmu, const char *name, char *line, int size)
{
	errno = ENOENT;
	if (!file_read(pmu, "", name, line, size))
		die(name);
}

/* A format says where a term goes: `config1:16-31`, or `config:3`. */
static void term_set(const char *pmu, const char *name, uint64_t value, struct perf_event_attr *attr)
{
	char format[64], word[16];
	int low, high, fields;

	errno = EINVAL;
	if (!file_read(pmu, "format/", name, format, sizeof(format)))
		die(name);
	fields = sscanf(format, "%15[^:]:%d-%d", word, &low, &high);
	if (fields < 2)
		die(format);
	value <<= low;
	if (!strcmp(word, "config1"))
		attr->config1 |= value;
	else if (!strcmp(word, "config2"))
		attr->config2 |= value;
	else
		attr->config |= value;
}

/* Terms, or an event's name, which stands for terms. */
static void terms_set(const char *pmu, const char *terms, struct perf_event_attr *attr)
{
	char copy[256], event[256], *rest = copy, *term;

	snprintf(copy, sizeof(copy), "%s", terms);
	while ((term = strsep(&rest, ","))) {
		char *value = strchr(term, '=');

		if (value) {
			*value = 0;
			term_set(pmu, term, strtoull(value + 1, NULL, 0), attr);
		} else if (file_read(pmu, "events/", term, event, sizeof(event))) {
			terms_set(pmu, event, attr);
		} else {
			errno = EINVAL;
			die(term);
		}
	}
}

static int event_open(const char *pmu, const char *terms, int leader)
{
	char type[32], cpu[32];
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.read_format = PERF_FORMAT_GROUP,
		.disabled = leader < 0,
	};
	int fd;

	file_must(pmu, "type", type, sizeof(type));
	file_must(pmu, "cpumask", cpu, sizeof(cpu));
	attr.type = atoi(type);
	terms_set(pmu, terms, &attr);
	fd = syscall(SYS_perf_event_open, &attr, -1, atoi(cpu), leader, 0);
	if (fd < 0)
		die(terms);
	return fd;
}

static int command_run(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		die(argv[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die(argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct { uint64_t events, count[MOST_EVENTS]; } counted;
	int command = 2, leader = -1, status;

	while (command < argc && strcmp(argv[command], "--"))
		command++;
	if (command < 3 || command + 1 >= argc || command - 2 > MOST_EVENTS) {
		fprintf(stderr, "usage: perf-count PMU EVENT... -- COMMAND...\n");
		return 125;
	}
	for (int i = 2; i < command; i++) {
		int fd = event_open(argv[1], argv[i], leader);

		leader = leader < 0 ? fd : leader;
	}
	if (ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP))
		die("enable");
	status = command_run(argv + command + 1);
	if (ioctl(leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP))
		die("disable");
	if (read(leader, &counted, sizeof(counted)) < 0)
		die("read");
	for (int i = 2; i < command; i++)
		printf("%s %llu\n", argv[i], (unsigned long long)counted.count[i - 2]);
	return status;
}
