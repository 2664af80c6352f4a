/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses that have no pair: of this machine itself, of links, of groups. */
#ifndef NFT_SNAT_STATELESS_OWN_H
#define NFT_SNAT_STATELESS_OWN_H

#include <linux/hash.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>

#include "address.h"

/*
 * Is this packet from one station to one other, and no link's own business?  A
 * directed broadcast is known by the frame that it came in.
 */
static inline bool snat_ipv4_is_unicast(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	/* Multicast begins at 224, the broadcast address is the last one. */
	return skb->pkt_type == PACKET_HOST &&
	       likely(*(const u8 *)&iph->daddr < 224 ||
		      (!ipv4_is_multicast(iph->daddr) &&
		       !ipv4_is_lbcast(iph->daddr))) &&
	       !ipv4_is_linklocal_169(iph->daddr) &&
	       !ipv4_is_linklocal_169(iph->saddr);
}

/*
 * How many addresses, of all namespaces, have each hash.  The kernel's own answer
 * takes a look into its routing table, some 400 instructions, or 90 for IPv6, and
 * most packets are for nobody here: none with this hash says so at once.
 */
#define SNAT_OWN_BITS	10
extern u16 snat_own_counts_ipv4[1 << SNAT_OWN_BITS];
extern u16 snat_own_counts_ipv6[1 << SNAT_OWN_BITS];

int snat_own_register(void);
void snat_own_unregister(void);

static inline u16 *snat_own_count_ipv4(__be32 ip)
{
	return &snat_own_counts_ipv4[hash_32((__force u32)ip, SNAT_OWN_BITS)];
}

static inline u16 *snat_own_count_ipv6(const union snat_address *address)
{
	u64 folded = address->half.first ^ address->half.second;

	return &snat_own_counts_ipv6[hash_64(folded, SNAT_OWN_BITS)];
}

bool snat_ipv4_is_own(const struct nft_pktinfo *pkt, __be32 ip);

/**
 * snat_is_own - is an address one of this machine's own?
 *
 * @pkt: a packet; its namespace, and the VRF of its device, are meant
 * @pf: of the address
 * @address: the address
 *
 * What a local route alone makes this machine's own, without an address of an
 * interface, is not known here.
 */
static inline bool snat_is_own(const struct nft_pktinfo *pkt, u8 pf,
			       const union snat_address *address)
{
	if (pf == NFPROTO_IPV6)
		return unlikely(READ_ONCE(*snat_own_count_ipv6(address))) &&
		       nf_ipv6_chk_addr(nft_net(pkt), &address->in6, NULL, 0);

	return unlikely(READ_ONCE(*snat_own_count_ipv4(address->ip))) &&
	       snat_ipv4_is_own(pkt, address->ip);
}

#endif /* NFT_SNAT_STATELESS_OWN_H */
