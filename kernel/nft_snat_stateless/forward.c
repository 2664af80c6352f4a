// SPDX-License-Identifier: GPL-2.0-only
/* What few packets need that are passed on at once: chains, prefixes, a new neighbour. */
#include "forward.h"

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_queue.h>
#include <net/route.h>

#include "address.h"
#include "counts.h"
#include "family.h"
#include "plain.h"
#include "translate.h"

/* As the hooks of the stack ask for it, and exported to modules (nf_internals.h). */
void nf_queue_nf_hook_drop(struct net *net);

/* As ip_forward_finish() and ip6_forward_finish(). */
static int snat_forward_finish(u8 pf, struct net *net, struct sock *sk,
			       struct sk_buff *skb)
{
	if (SNAT_COUNTED_LATE)
		snat_count_forwarded(pf, net, skb);
	skb_clear_tstamp(skb);
	return dst_output(net, sk, skb);
}

static int snat_forward_finish_ipv4(struct net *net, struct sock *sk,
				    struct sk_buff *skb)
{
	return snat_forward_finish(NFPROTO_IPV4, net, sk, skb);
}

static int snat_forward_finish_ipv6(struct net *net, struct sock *sk,
				    struct sk_buff *skb)
{
	return snat_forward_finish(NFPROTO_IPV6, net, sk, skb);
}

/* The hook in the middle, as the family's own function asks it. */
static bool snat_may_pass(u8 pf, struct net *net, struct sk_buff *skb,
			  struct net_device *out)
{
	if (pf == NFPROTO_IPV4)
		return nf_hook(NFPROTO_IPV4, NF_INET_FORWARD, net, NULL, skb,
			       skb->dev, out, snat_forward_finish_ipv4) == 1;

	return nf_hook(NFPROTO_IPV6, NF_INET_FORWARD, net, NULL, skb, skb->dev,
		       out, snat_forward_finish_ipv6) == 1;
}

void snat_forward_detour(const struct nft_snat_stateless *priv, struct net *net,
			 struct sk_buff *skb, u8 pf)
{
	snat_count(priv, SNAT_DETOUR);
	snat_forward_finish(pf, net, NULL, skb);
}

bool snat_forward_show(const struct nft_snat_stateless *priv,
		       const struct nft_pktinfo *pkt, u8 pf)
{
	union snat_address before = {};
	struct net *net = nft_net(pkt);
	struct sk_buff *skb = pkt->skb;

	memcpy(&before, snat_side(pf, skb, SNAT_SOURCE),
	       pf == NFPROTO_IPV4 ? sizeof(before.ip) : sizeof(before));
	if (!snat_may_pass(pf, net, skb, skb_dst(skb)->dev))
		return false;
	if (likely(snat_address_equal(pf, snat_side(pf, skb, SNAT_SOURCE),
				      &before)))
		return true;

	snat_forward_detour(priv, net, skb, pf);
	return false;
}

void snat_forward_not(const struct nft_snat_stateless *priv,
		      struct nft_regs *regs, const struct nft_pktinfo *pkt,
		      u8 pf, const struct snat_map *map,
		      const struct nft_set_ext *element, bool in)
{
	const struct snat_hit hit = { .map = map, .element = element };
	bool ours;

	if (in) {
		ours = snat_eval_found(priv, regs, pkt, pf, priv->scope, &hit);
	} else {
		snat_decide(priv, regs, pkt, pf, priv->scope);
		ours = regs->verdict.code == NFT_CONTINUE;
	}
	if (ours)
		snat_count(priv, SNAT_DETOUR);
}

int snat_forward_translate_prefix(u8 pf, struct sk_buff *skb,
				  enum snat_side side,
				  const struct snat_map *map,
				  const union snat_address *value)
{
	if (pf == NFPROTO_IPV6 && map->npt)
		return snat_ipv6_translate_npt(skb, side, &map->prefix, value);

	return snat_translate_prefix(pf, skb, side, map, value);
}

bool snat_forward_translate_source(u8 pf, struct sk_buff *skb,
				   const struct snat_map *map,
				   const struct nft_set_ext *element)
{
	struct snat_target target;

	/* What has no counterpart is refused once, in postrouting. */
	return snat_aim(pf, map, element, snat_address(skb, map), &target) ==
	       SNAT_NPT_DONE &&
	       !snat_forward_translate_prefix(pf, skb, SNAT_SOURCE, map,
					      snat_value(element));
}

/* One that has just been made has no header to copy. */
static void snat_send_to(struct neighbour *neigh, struct sk_buff *skb)
{
	if (IS_ERR(neigh))
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL);
	else
		READ_ONCE(neigh->output)(neigh, skb);
}

void snat_forward_meet_ipv4(struct sk_buff *skb)
{
	bool is_v6gw = false;

	snat_send_to(ip_neigh_for_gw(skb_rtable(skb), skb, &is_v6gw), skb);
}

void snat_forward_meet_ipv6(struct net *net, struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	struct neighbour *neigh;

	neigh = __neigh_create(&nd_tbl,
			       rt6_nexthop((const struct rt6_info *)dst,
					   &ipv6_hdr(skb)->daddr),
			       skb->dev, false);
	if (IS_ERR(neigh))
		IP6_INC_STATS(net, ip6_dst_idev(dst), IPSTATS_MIB_OUTNOROUTES);
	snat_send_to(neigh, skb);
}

void snat_forward_let_go(void)
{
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net)
		nf_queue_nf_hook_drop(net);
	rcu_read_unlock();
	/* Those that are just coming back. */
	synchronize_rcu();
}
