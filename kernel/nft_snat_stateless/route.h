/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a packet will leave, as routing will say behind prerouting.  What it
 * says is kept for the stack, which asks no more: so an answer in advance costs
 * little.
 *
 * Policy routing is obeyed as it is in the stack.  A mark that a later chain of
 * prerouting sets is obeyed, too: what was kept is let go at the end of
 * prerouting then, and postrouting looks at the interface itself.  What such a
 * chain makes of addresses or of DSCP comes too late.
 */
#ifndef NFT_SNAT_STATELESS_ROUTE_H
#define NFT_SNAT_STATELESS_ROUTE_H

#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/inet_dscp.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "scope.h"

/**
 * struct snat_route_guard - what lets go of routes that a mark has made void
 *
 * @ops: a hook at the end of prerouting
 * @rcu: for kfree_rcu(): who lists hooks may see it a little longer
 */
struct snat_route_guard {
	struct nf_hook_ops	ops;
	struct rcu_head		rcu;
};

/*
 * As ip_rcv_finish_core() and ip6_rcv_finish_core() ask.  Return: false if there is
 * none, and @skb has none; one that is an error is one.
 */
static inline bool snat_route_find(struct sk_buff *skb, u8 pf)
{
	const struct iphdr *iph;

	if (pf == NFPROTO_IPV6) {
		ip6_route_input(skb);
		return true;
	}
	iph = ip_hdr(skb);
	return !ip_route_input_noref(skb, iph->daddr, iph->saddr,
				     inet_dsfield_to_dscp(iph->tos), skb->dev);
}

/**
 * snat_route_leads - will a packet leave by one of these interfaces?
 *
 * @scope: the interfaces
 * @skb: a packet in prerouting, to an address that is not this machine's
 * @pf: of the packet
 *
 * Where it will, and has no mark, its route is kept.
 */
bool snat_route_leads(const struct snat_scope *scope, struct sk_buff *skb,
		      u8 pf);

/* Return: what is given back to snat_route_unguard(), or an ERR_PTR(). */
struct snat_route_guard *snat_route_guard(struct net *net, u8 pf);
void snat_route_unguard(struct net *net, struct snat_route_guard *guard);

#endif /* NFT_SNAT_STATELESS_ROUTE_H */
