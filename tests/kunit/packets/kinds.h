/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kinds of packets there are. */
#ifndef STATNAT_KUNIT_KINDS_H
#define STATNAT_KUNIT_KINDS_H

#include <linux/types.h>

/* What follows what; HOP to AUTH are IPv6's extension headers. */
enum layer {
	END,
	IP4, IP4_OPTIONS, IP4_FIRST, IP4_LATER,
	IP6,
	HOP, DEST, HOME, ROUTING, ROUTING_LEFT, FIRST, LATER, AUTH,
	TCP, TCP_TO_ZERO, TCP_FROM_ZERO, UDP, UDP_NONE, UDP_TO_ZERO, UDP_FROM_ZERO, UDPLITE, DCCP, HIP,
	SCTP, GRE, ESP, UNKNOWN, LOOKALIKE, NOTHING,
	ICMP, ICMP_ERROR,
	ICMP6, ICMP6_ERROR, OSPF, PIM, VRRP, MOBILITY,
	LAYERS
};

/*
 * struct kind - of packets
 *
 * @name: for people
 * @layers: the first is an IP header; what follows an error is what it quotes
 */
struct kind {
	const char	*name;
	u8		layers[10];
};

extern const struct kind kinds[];
extern const unsigned int kind_count;

/* Return: the one of that name, or NULL. */
const struct kind *kind_named(const char *name);

bool kind_is_ipv6(const struct kind *kind);

/* Does the stack leave checksums of this kind to devices? */
bool kind_may_be_partial(const struct kind *kind);

/* One after the other, as parameters of a test. */
const void *kind_next(const void *before, char *text);

#endif
