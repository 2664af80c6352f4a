// SPDX-License-Identifier: GPL-2.0-only
/* The transport protocols whose checksums cover addresses. */

#include <linux/dccp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "checksum.h"

/*
 * All of IANA's protocol numbers whose checksum has a pseudo header in front:
 *
 *		IPv4	IPv6
 *	TCP	yes	yes	RFC 9293, 3.1
 *	UDP	yes	yes	RFC 768; RFC 8200, 8.1
 *	DCCP	yes	yes	RFC 4340, 9.1
 *	UDPLite	yes	yes	RFC 3828, 3.1
 *	HIP	yes	yes	RFC 7401, 5.1.1
 *	ICMPv6	-	yes	RFC 4443, 2.3
 *	OSPF	no	yes	RFC 2328, A.3.1; RFC 5340, A.3.1
 *	PIM	no	yes	RFC 7761, 4.9
 *	VRRP	no	yes	RFC 9568, 5.2.8
 *	MH	-	yes	RFC 6275, 6.1.1
 *
 * Whose checksums cover no addresses, though one might think so: ICMP (RFC
 * 792), IGMP (RFC 9776), RSVP (RFC 2205), GRE (RFC 2784), EIGRP (RFC 7868), PGM
 * (RFC 3208), L2TP (RFC 3931), SCTP (RFC 9260), Shim6 (RFC 5533).  AH (RFC
 * 4302) covers addresses, but with a secret.
 *
 * Two that share a number with one that has none are left out, neither of which
 * leaves its link: VRRP over IPv4 as read by some from RFC 5798, with nothing
 * in a packet to tell; and OSPFv3 over IPv4 (RFC 7949).
 *
 * What a sum covers of its own packet (a coverage of UDP-Lite or DCCP, the 8
 * bytes of a PIM Register) is the same before and after.
 */

/* Those that the kernel's headers have no names for. */
enum {
	SNAT_IPPROTO_OSPF	= 89,
	SNAT_IPPROTO_VRRP	= 112,
	SNAT_IPPROTO_HIP	= 139,
};

#define SNAT_TRANSPORT(header, field) {					\
	.size	= sizeof(header),					\
	.check	= offsetof(header, field),				\
}

/* With a checksum that may be 0 for none. */
#define SNAT_TRANSPORT_ZERO(header, field) {				\
	.size	= sizeof(header),					\
	.check	= offsetof(header, field),				\
	.zero	= true,							\
}

#define SNAT_TRANSPORTS_OF_BOTH						\
	[IPPROTO_TCP]		= SNAT_TRANSPORT(struct tcphdr, check),	\
	[IPPROTO_UDP]		= SNAT_TRANSPORT_ZERO(struct udphdr, check), \
	[IPPROTO_DCCP]		=					\
		SNAT_TRANSPORT(struct dccp_hdr, dccph_checksum),	\
	[IPPROTO_UDPLITE]	= SNAT_TRANSPORT_ZERO(struct udphdr, check), \
	[SNAT_IPPROTO_HIP]	= { .size = 40, .check = 4 }

const struct snat_transport snat_ipv4_transports[256] = {
	SNAT_TRANSPORTS_OF_BOTH,
};

const struct snat_transport snat_ipv6_transports[256] = {
	SNAT_TRANSPORTS_OF_BOTH,
	[IPPROTO_ICMPV6]	= {
		.size	= offsetofend(struct icmp6hdr, icmp6_cksum),
		.check	= offsetof(struct icmp6hdr, icmp6_cksum),
	},
	[SNAT_IPPROTO_OSPF]	= { .size = 16, .check = 12 },
	[IPPROTO_PIM]		= { .size = 4, .check = 2 },
	[SNAT_IPPROTO_VRRP]	= { .size = 8, .check = 6 },
	[IPPROTO_MH]		= { .size = 6, .check = 4 },
};

const struct snat_transport snat_no_transport = { .check = SNAT_NO_CHECK };
