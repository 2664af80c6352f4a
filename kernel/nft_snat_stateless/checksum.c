// SPDX-License-Identifier: GPL-2.0-only
/* The transport checksums that cover addresses, and their incremental repair. */

#include <linux/dccp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>

#include "checksum.h"

struct snat_transport snat_transport(u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return (struct snat_transport) {
			.size	= sizeof(struct tcphdr),
			.check	= offsetof(struct tcphdr, check),
		};
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return (struct snat_transport) {
			.size	= sizeof(struct udphdr),
			.check	= offsetof(struct udphdr, check),
			.zero	= true,
		};
	case IPPROTO_DCCP:
		return (struct snat_transport) {
			.size	= sizeof(struct dccp_hdr),
			.check	= offsetof(struct dccp_hdr, dccph_checksum),
		};
	case IPPROTO_ICMPV6:
		return (struct snat_transport) {
			.size	= offsetofend(struct icmp6hdr, icmp6_cksum),
			.check	= offsetof(struct icmp6hdr, icmp6_cksum),
		};
	default:
		return (struct snat_transport) { .check = SNAT_NO_CHECK };
	}
}

bool snat_check_is_pseudo(const struct sk_buff *skb, unsigned int transport)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb_checksum_start_offset(skb) == transport ||
		skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM);
}

void snat_check_repair(__sum16 *check, bool zero, __wsum diff)
{
	if (zero && !*check)
		return;

	csum_replace_by_diff(check, diff);
	if (zero && !*check)
		*check = CSUM_MANGLED_0;
}

void snat_check_repair_pseudo(__sum16 *check, __wsum diff)
{
	*check = ~csum_fold(csum_add(csum_unfold(*check), diff));
}
