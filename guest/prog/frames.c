/*
 * frames: send Ethernet frames out of one interface, see them arrive at
 * another.  Both sit on one network outside of the guest, so every byte leaves
 * and enters memory by DMA.
 *
 *   frames FROM TO COUNT             each is checked
 *   frames FROM TO COUNT AT-ONCE     parts of COUNT are timed, so many are under way
 *                                    at once; prints microseconds a frame in the
 *                                    best part (bench.h)
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "bench.h"

#define ETHERTYPE_OURS 0x88b5   /* for local experiments */
#define FRAME_LEN 1400

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int interface_open(const char *name)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE_OURS));

	if (fd < 0)
		die("socket");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		die(name);
	request.ifr_flags |= IFF_UP | IFF_PROMISC;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		die(name);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_OURS),
		.sll_ifindex = if_nametoindex(name),
	};
	if (bind(fd, (void *)&address, sizeof(address)))
		die(name);
	return fd;
}

static void frame_make(unsigned char *frame, int n)
{
	struct ether_header *header = (void *)frame;

	memset(header->ether_dhost, 0xff, ETH_ALEN);
	memset(header->ether_shost, 2, ETH_ALEN);
	header->ether_type = htons(ETHERTYPE_OURS);
	for (int i = sizeof(*header); i < FRAME_LEN; i++)
		frame[i] = i * 7 + n;
}

/* Whether @expected arrives within @ms. */
static int frame_arrives(int fd, const unsigned char *expected, int ms)
{
	struct pollfd ready = { fd, POLLIN, 0 };
	unsigned char got[2048];

	while (poll(&ready, 1, ms) > 0)
		if (recv(fd, got, sizeof(got), 0) == FRAME_LEN && !memcmp(got, expected, FRAME_LEN))
			return 1;
	return 0;
}

/* How many of @count arrived as they were sent. */
static int frames_check(int from, int to, int count)
{
	unsigned char frame[FRAME_LEN];
	int arrived = 0;

	/* The link needs a moment to come up: the first ones may be lost. */
	for (int tries = 0; arrived < count && tries < count + 50; tries++) {
		frame_make(frame, arrived);
		if (send(from, frame, sizeof(frame), 0) >= 0 && frame_arrives(to, frame, 200))
			arrived++;
	}
	return arrived;
}

/* Microseconds a frame; INFINITY if one did not arrive. */
static double frames_time(int from, int to, int count, int at_once)
{
	unsigned char frame[FRAME_LEN];
	int sent = 0;

	frame_make(frame, 0);
	double start = now_us();
	for (int arrived = 0; arrived < count; arrived++) {
		for (; sent < count && sent < arrived + at_once; sent++)
			if (send(from, frame, sizeof(frame), 0) < 0)
				die("send");
		if (recv(to, frame, sizeof(frame), 0) < 0)
			return INFINITY;
	}
	return (now_us() - start) / count;
}

static void frames_bench(int from, int to, int count, int at_once)
{
	struct timeval limit = { .tv_sec = 2 };
	double parts[BENCH_PARTS];
	int warm_up = count / 2 + 1, lossy = 0;

	if (frames_check(from, to, warm_up) < warm_up)
		die("frames are lost");
	if (setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		die("timeout");
	for (int n = 0; n < BENCH_PARTS; n++) {
		parts[n] = frames_time(from, to, count, at_once);
		lossy += isinf(parts[n]) != 0;
	}
	if (lossy)
		fprintf(stderr, "frames: %d of %d parts lost a frame\n", lossy, BENCH_PARTS);
	if (lossy == BENCH_PARTS)
		exit(1);
	printf("%.2f\n", least(parts));
}

int main(int argc, char *argv[])
{
	int count = argc > 3 ? atoi(argv[3]) : 0, at_once = argc > 4 ? atoi(argv[4]) : 1;
	int arrived;

	if (count < 1 || at_once < 1 || argc > 5) {
		fputs("usage: frames FROM TO COUNT [AT-ONCE]\n", stderr);
		return 2;
	}
	int from = interface_open(argv[1]), to = interface_open(argv[2]);

	if (argc == 5) {
		frames_bench(from, to, count, at_once);
		return 0;
	}
	arrived = frames_check(from, to, count);
	printf("%d of %d frames arrived unchanged\n", arrived, count);
	return arrived != count;
}
