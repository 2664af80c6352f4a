/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the RFCs say about the headers of each protocol. */
#ifndef STATNAT_KUNIT_HEADERS_H
#define STATNAT_KUNIT_HEADERS_H

#include <linux/bits.h>
#include <linux/types.h>

#include "kinds.h"

/*
 * struct header - of a layer
 *
 * @protocol: its number, as IANA has it
 * @size: of its bytes here; @carried: of what follows in the way of data
 * @check: offset of its checksum, 0 for none; @needed: of its bytes, to be translated
 * @pseudo: the checksum covers addresses: 4 in IPv4, 6 in IPv6
 * @type: its first byte, 0 for any
 */
struct header {
	u8	protocol, size, carried, check, needed, pseudo, type;
};

#define IN_IPV4	BIT(4)
#define IN_IPV6	BIT(6)
#define IN_BOTH	(IN_IPV4 | IN_IPV6)

static const struct header headers[LAYERS] = {
	[HOP]		= { 0, 8 },
	[DEST]		= { 60, 8 },
	[HOME]		= { 60, 24 },
	[ROUTING]	= { 43, 24 },
	[ROUTING_LEFT]	= { 43, 24 },
	[FIRST]		= { 44, 8 },
	[LATER]		= { 44, 8, 24 },
	[AUTH]		= { 51, 24 },
	[TCP]		= { 6, 20, 13, 16, 20, IN_BOTH },
	[TCP_TO_ZERO]	= { 6, 20, 12, 16, 20, IN_BOTH },
	[TCP_FROM_ZERO]	= { 6, 20, 12, 16, 20, IN_BOTH },
	[UDP]		= { 17, 8, 13, 6, 8, IN_BOTH },
	[UDP_NONE]	= { 17, 8, 12, 6, 8, IN_BOTH },
	[UDP_TO_ZERO]	= { 17, 8, 12, 6, 8, IN_BOTH },
	[UDP_FROM_ZERO]	= { 17, 8, 12, 6, 8, IN_BOTH },
	[UDPLITE]	= { 136, 8, 12, 6, 8, IN_BOTH },
	[DCCP]		= { 33, 16, 8, 6, 12, IN_BOTH },
	[HIP]		= { 139, 40, 8, 4, 40, IN_BOTH },
	[SCTP]		= { 132, 12, 16 },
	[GRE]		= { 47, 4, 20 },
	[ESP]		= { 50, 8, 20 },
	[UNKNOWN]	= { 253, 4, 20 },
	[LOOKALIKE]	= { 253, 8, 40, .type = 3 },
	[NOTHING]	= { 59, 0, 8 },
	[ICMP]		= { 1, 8, 13, 2, .type = 8 },
	[ICMP_ERROR]	= { 1, 8, 0, 2, .type = 3 },
	[ICMP6]		= { 58, 8, 13, 2, 4, IN_IPV6, 128 },
	[ICMP6_ERROR]	= { 58, 8, 0, 2, 4, IN_IPV6, 1 },
	[OSPF]		= { 89, 16, 20, 12, 16, IN_IPV6 },
	[PIM]		= { 103, 4, 20, 2, 4, IN_IPV6 },
	[VRRP]		= { 112, 8, 16, 6, 8, IN_IPV6 },
	[MOBILITY]	= { 135, 8, 8, 4, 6, IN_IPV6 },
};

#endif
