/*
 * frames: send Ethernet frames out of one interface, see them arrive at
 * another.  Both sit on one network outside of the guest, so every byte leaves
 * and enters memory by DMA.
 *
 *   frames FROM TO COUNT
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(int argc, char *argv[])
{
	unsigned char frame[FRAME_LEN];
	int count = argc == 4 ? atoi(argv[3]) : 0, arrived = 0;

	if (count < 1) {
		fputs("usage: frames FROM TO COUNT\n", stderr);
		return 2;
	}
	int from = interface_open(argv[1]), to = interface_open(argv[2]);

	for (int n = 0, tries = 0; n < count && tries < count + 50; tries++) {
		frame_make(frame, n);
		/* The link needs a moment to come up: the first ones may be lost. */
		if (send(from, frame, sizeof(frame), 0) < 0 || !frame_arrives(to, frame, 200))
			continue;
		arrived++;
		n++;
	}
	printf("%d of %d frames arrived unchanged\n", arrived, count);
	return arrived != count;
}
