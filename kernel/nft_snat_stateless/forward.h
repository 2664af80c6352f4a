/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a router would only pass on, routed and sent in prerouting already: the
 * way through the rest of the stack cut short.
 *
 * The forward hook sees such a packet as ever; what stands behind this rule in
 * prerouting, and postrouting, do not.  Whatever is not simple goes the long way,
 * as if nobody had looked: each step does what the stack does (ip_rcv_finish(),
 * ip_forward(), ip6_forward()), and up to the last check none leaves a trace.
 */
#ifndef NFT_SNAT_STATELESS_FORWARD_H
#define NFT_SNAT_STATELESS_FORWARD_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_tables.h>

#include "expression.h"
#include "maps.h"

/**
 * snat_forward_ipv4 - a plain packet at a rule, and pass it on, if that is simple
 *
 * @priv: whose it is, with FORWARD
 * @regs: NF_STOLEN is the verdict if it was, and then nobody may look at it
 * @pkt: a packet in prerouting
 * @header: its IP header
 */
void snat_forward_ipv4(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const void *header);
void snat_forward_ipv6(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const void *header);

/*
 * Show a packet that has a route to the forward hook.  Return: false if that has
 * taken it, or if chains have made it another, which has gone on then.
 */
bool snat_forward_show(const struct nft_snat_stateless *priv,
		       const struct nft_pktinfo *pkt, u8 pf);

/* Past the forward hook, through postrouting, which does what there is to do. */
void snat_forward_detour(const struct nft_snat_stateless *priv, struct net *net,
			 struct sk_buff *skb, u8 pf);

/*
 * What is not simple, and @map has a pair for: as without FORWARD, but counted.  @in:
 * its destination has it.
 */
void snat_forward_not(const struct nft_snat_stateless *priv,
		      struct nft_regs *regs, const struct nft_pktinfo *pkt,
		      u8 pf, const struct snat_map *map,
		      const struct nft_set_ext *element, bool in);

/* By a map of prefixes.  Return: 0, or why not. */
int snat_forward_translate_prefix(u8 pf, struct sk_buff *skb,
				  enum snat_side side,
				  const struct snat_map *map,
				  const union snat_address *value);

/* The source, likewise.  Return: false, and nothing has changed. */
bool snat_forward_translate_source(u8 pf, struct sk_buff *skb,
				   const struct snat_map *map,
				   const struct nft_set_ext *element);

/* To a neighbour that is not known, or is of the other family. */
void snat_forward_meet_ipv4(struct sk_buff *skb);
void snat_forward_meet_ipv6(struct net *net, struct sk_buff *skb);

/* Since Linux 6.8 before the forward hook, until then behind it, with the bytes. */
#ifdef COMPAT_FORWARDED_COUNTED_LATE
#define SNAT_COUNTED_LATE	true
#else
#define SNAT_COUNTED_LATE	false
#endif

static __always_inline void snat_count_forwarded(u8 pf, struct net *net,
						 const struct sk_buff *skb)
{
	if (pf == NFPROTO_IPV4) {
		__IP_INC_STATS(net, IPSTATS_MIB_OUTFORWDATAGRAMS);
		if (SNAT_COUNTED_LATE)
			__IP_ADD_STATS(net, IPSTATS_MIB_OUTOCTETS, skb->len);
		return;
	}
	__IP6_INC_STATS(net, ip6_dst_idev(skb_dst(skb)),
			IPSTATS_MIB_OUTFORWDATAGRAMS);
	if (SNAT_COUNTED_LATE)
		__IP6_ADD_STATS(net, ip6_dst_idev(skb_dst(skb)),
				IPSTATS_MIB_OUTOCTETS, skb->len);
}

/*
 * Packets that wait for the verdict of a program come back to a function of this
 * module: before it goes, they do.
 */
void snat_forward_let_go(void);

#endif /* NFT_SNAT_STATELESS_FORWARD_H */
