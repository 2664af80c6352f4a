// SPDX-License-Identifier: GPL-2.0-only
/* The transport protocols whose checksums cover addresses. */

#include <linux/dccp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "checksum.h"

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
	[IPPROTO_UDPLITE]	= SNAT_TRANSPORT_ZERO(struct udphdr, check)

const struct snat_transport snat_ipv4_transports[256] = {
	SNAT_TRANSPORTS_OF_BOTH,
};

const struct snat_transport snat_ipv6_transports[256] = {
	SNAT_TRANSPORTS_OF_BOTH,
	[IPPROTO_ICMPV6]	= {
		.size	= offsetofend(struct icmp6hdr, icmp6_cksum),
		.check	= offsetof(struct icmp6hdr, icmp6_cksum),
	},
};

const struct snat_transport snat_no_transport = { .check = SNAT_NO_CHECK };
