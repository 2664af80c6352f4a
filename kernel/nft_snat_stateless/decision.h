/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What prerouting and output decide and postrouting obeys: that a packet is
 * one of ours.  "Untracked" alone does not say so, since others mark packets,
 * too: VRF devices what is sent locally, dup its copies, rules of any table
 * what they please.
 *
 * The decision travels in a flag of the control block that the IP layer clears
 * when it receives a packet (ip_rcv_core(), ip6_rcv_core()), keeps until the
 * packet leaves, and does not use itself.
 */
#ifndef NFT_SNAT_STATELESS_DECISION_H
#define NFT_SNAT_STATELESS_DECISION_H

#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>

/* The IP layer numbers its flags, IPSKB_ and IP6SKB_, from bit 0. */
#define SNAT_DECIDED	0x8000

static inline u16 *snat_packet_flags(u8 pf, struct sk_buff *skb)
{
	return pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags;
}

static inline void snat_set_decided(u8 pf, struct sk_buff *skb)
{
	*snat_packet_flags(pf, skb) |= SNAT_DECIDED;
}

/* A copy that dup made of a packet has its flags, but is none of ours. */
static inline void snat_clear_decided(u8 pf, struct sk_buff *skb)
{
	*snat_packet_flags(pf, skb) &= ~SNAT_DECIDED;
}

static inline bool snat_is_decided(u8 pf, struct sk_buff *skb)
{
	return *snat_packet_flags(pf, skb) & SNAT_DECIDED;
}

#endif /* NFT_SNAT_STATELESS_DECISION_H */
