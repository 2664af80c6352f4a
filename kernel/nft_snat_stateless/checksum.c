// SPDX-License-Identifier: GPL-2.0-only
/* The transport protocols whose checksums cover addresses. */

#include <linux/dccp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "checksum.h"

const struct snat_transport snat_transports[256] = {
	[IPPROTO_TCP] = {
		.size	= sizeof(struct tcphdr),
		.check	= offsetof(struct tcphdr, check),
	},
	[IPPROTO_UDP] = {
		.size	= sizeof(struct udphdr),
		.check	= offsetof(struct udphdr, check),
		.zero	= true,
	},
	[IPPROTO_UDPLITE] = {
		.size	= sizeof(struct udphdr),
		.check	= offsetof(struct udphdr, check),
		.zero	= true,
	},
	[IPPROTO_DCCP] = {
		.size	= sizeof(struct dccp_hdr),
		.check	= offsetof(struct dccp_hdr, dccph_checksum),
	},
	[IPPROTO_ICMPV6] = {
		.size	= offsetofend(struct icmp6hdr, icmp6_cksum),
		.check	= offsetof(struct icmp6hdr, icmp6_cksum),
	},
};

const struct snat_transport snat_no_transport = { .check = SNAT_NO_CHECK };
