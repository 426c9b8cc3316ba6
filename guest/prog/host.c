/*
 * host: the guest's end of the line to the host.
 *
 * Frames go out through an I/O port (isa-debugcon, 0xe9), which every x86
 * kernel lets root reach: no driver is needed, nothing mixes with the kernel's
 * log, and what was written has arrived when the instruction ends.  A frame is
 * a type ('O' output, 'E' error output, 'X' exit status as text), a 32-bit
 * little-endian length, and that many bytes.  Commands come in as lines on a
 * serial port.
 *
 *   host run FILE [ARG]...   run it, send its output and at its end its status
 *   host agent TTY           the same for each line of TTY, given to sh -c
 *   host exit STATUS         send a status
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define HOST_PORT 0xe9

static void die(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* The library's outsb() does not tell the compiler that it reads memory. */
static void port_write(const void *data, size_t len)
{
	__asm__ volatile("rep outsb" : "+S" (data), "+c" (len) : "d" (HOST_PORT) : "memory");
}

static void frame_send(char type, const void *data, uint32_t len)
{
	port_write(&type, sizeof(type));
	port_write(&len, sizeof(len));
	port_write(data, len);
}

static void status_send(int status)
{
	char text[16];

	frame_send('X', text, snprintf(text, sizeof(text), "%d", status));
}

/* As a shell says it: 128 + N for a program that signal N ended. */
static int status_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

/* One read's worth from @fd to the host; false at the end of file. */
static int forward(int fd, char type)
{
	static char buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		frame_send(type, buf, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static pid_t spawn(char *const argv[], int out, int err)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	setsid();
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(err, 2);
	execvp(argv[0], argv);
	fprintf(stderr, "host: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/*
 * Forward output until @pid has ended and what it wrote has been sent.  A
 * child that it left behind may keep the pipes open: that is not waited for.
 */
static int relay(pid_t pid, int out, int err)
{
	struct pollfd fds[3] = {
		{ out, POLLIN, 0 },
		{ err, POLLIN, 0 },
		{ syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 },
	};
	int wait_status, ended = 0;

	while (poll(fds, 3, ended ? 0 : -1) > 0) {
		if (fds[0].revents && !forward(out, 'O'))
			fds[0].fd = -1;
		if (fds[1].revents && !forward(err, 'E'))
			fds[1].fd = -1;
		if (fds[2].revents) {
			waitpid(pid, &wait_status, 0);
			close(fds[2].fd);
			fds[2].fd = -1;
			ended = 1;
		}
	}
	return status_of(wait_status);
}

static int run(char *const argv[])
{
	int out[2], err[2], status;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");
	pid_t pid = spawn(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	status = relay(pid, out[0], err[0]);
	close(out[0]);
	close(err[0]);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

static void tty_make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	cfmakeraw(&t);
	tcsetattr(fd, TCSANOW, &t);
}

static void agent(const char *tty)
{
	int fd = open(tty, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (fd < 0)
		die(tty);
	tty_make_raw(fd);
	FILE *in = fdopen(fd, "r");
	frame_send('R', "", 0);
	while ((len = getline(&line, &size, in)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		char *argv[] = { "sh", "-c", line, NULL };
		status_send(run(argv));
	}
}

int main(int argc, char *argv[])
{
	if (argc < 3) {
		fputs("usage: host run FILE [ARG]... | agent TTY | exit STATUS\n", stderr);
		return 2;
	}
	if (iopl(3)) {
		perror("host: iopl (does this kernel have CONFIG_X86_IOPL_IOPERM?)");
		return 125;
	}
	if (!strcmp(argv[1], "run"))
		status_send(run(argv + 2));
	else if (!strcmp(argv[1], "agent"))
		agent(argv[2]);
	else
		status_send(atoi(argv[2]));
	return 0;
}
