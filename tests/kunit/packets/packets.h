/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of every kind, written from their RFCs, each with all of its checksums added up over its bytes.  What a
 * translation must make of one is the same packet written with the other address.
 */
#ifndef STATNAT_KUNIT_PACKETS_H
#define STATNAT_KUNIT_PACKETS_H

#include <linux/types.h>

#include "address.h"
#include "kinds.h"
#include "packet.h"

#define PACKET_ROOM	256

/*
 * struct wish - which packet is to be written
 *
 * @kind: what it consists of
 * @side: which of its addresses is the pair's; a quoted packet went the other way
 * @outer: that address is the translated one
 * @inner: that of the quote is
 * @routed: its own address is a router's in between, which has no pair
 * @partial: its transport checksum is still to come
 * @limit: bytes of it, of which a quote may be cut; 0: all
 */
struct wish {
	const struct kind	*kind;
	enum snat_side		side;
	bool			outer, inner, routed, partial;
	unsigned int		limit;
};

/*
 * struct packet - what was written
 *
 * @length: of @bytes
 * @fixed: bytes that the stack has in the linear area before a hook sees the packet
 * @transport: where its transport header is; @check: its checksum that covers addresses
 *	(or for ICMP itself), 0 for none
 * @needed: one that is shorter cannot be translated
 * @quotable: one that is shorter holds no quote that could be; 0: it is no error
 */
struct packet {
	u8		bytes[PACKET_ROOM];
	unsigned int	length, fixed, transport, check, needed, quotable;
};

void packet_write(const struct wish *wish, struct packet *packet);

/* What is written in place of the pair's address. */
void packet_address(bool ipv6, enum snat_side side, bool translated, union snat_address *address);

/* Give an IPv6 address another prefix so that it adds up to the same (RFC 6296, 3.4 to 3.6), by trying. */
void packet_move(u8 *address, const u8 *prefix, unsigned int length);

/* One's complement sum of bytes, two at a time, folded (RFC 1071). */
u16 packet_sum(const u8 *bytes, unsigned int length, u32 sum);

#endif
