/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way from prerouting to the neighbour that is next, of one family where
 * it is included: all in one function, so that registers are saved once.
 */
#ifndef NFT_SNAT_STATELESS_SHORTCUT_H
#define NFT_SNAT_STATELESS_SHORTCUT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "counts.h"
#include "decision.h"
#include "forward.h"
#include "plain.h"
#include "route.h"
#include "simple.h"
#include "translate.h"

/* Would postrouting translate its source as well, or leave a hole alone? */
static noinline bool snat_is_between_any(const struct snat_map *maps,
					 const struct nft_pktinfo *pkt, u8 pf)
{
	const struct snat_map *map;

	snat_for_each_map(map, maps)
		if (snat_map_ask(map, pkt, pf, snat_address(pkt->skb, maps)))
			return true;
	return false;
}

/* Most hosts outside are near to no pair. */
static __always_inline bool snat_is_between(const struct snat_map *maps,
					    const struct nft_pktinfo *pkt,
					    u8 pf)
{
	if (likely(maps->last &&
		   !snat_prefix_matches(pf, &maps->within.prefix,
					&maps->within.value,
					snat_side(pf, pkt->skb, SNAT_SOURCE))))
		return false;

	return snat_is_between_any(maps, pkt, pf);
}

static noinline bool snat_make_room(struct sk_buff *skb, unsigned int room)
{
	return !skb_cow(skb, room);
}

/* For what is written in front of it, and to write at all. */
static __always_inline bool snat_has_room(struct sk_buff *skb)
{
	unsigned int room = LL_RESERVED_SPACE(skb_dst(skb)->dev);

	return likely(skb_headroom(skb) >= room && !skb->cloned) ||
	       snat_make_room(skb, room);
}

/* Routes change: by the one that is found now it may leave elsewhere. */
static __always_inline bool
snat_leaves_there(const struct nft_snat_stateless *priv,
		  const struct nft_set_ext *element, const struct sk_buff *skb)
{
	return likely(!priv->scope) || !element ||
	       snat_scope_has(priv->scope, skb_dst(skb)->dev);
}

/*
 * Its route, unless a border has asked for it already, and room.  Return: false, and
 * all is as before, if it is not simple.
 */
static __always_inline bool
snat_take_route(const struct nft_snat_stateless *priv, u8 pf,
		const struct net *net, struct sk_buff *skb,
		const struct nft_set_ext *element)
{
	if (skb->_skb_refdst)
		return snat_route_is_simple(pf, net, skb) && snat_has_room(skb);

	if (likely(snat_route_find(skb, pf))) {
		if (likely(snat_leaves_there(priv, element, skb) &&
			   snat_route_is_simple(pf, net, skb) &&
			   snat_has_room(skb)))
			return true;
		skb_dst_drop(skb);
	}
	/* What it was asked for it leaves again when it is asked again. */
	*snat_packet_flags(pf, skb) &= SNAT_DECISION;
	return false;
}

/* One router more, and how urgent it is. */
static __always_inline void snat_age(u8 pf, const struct net *net,
				     struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);

	if (pf == NFPROTO_IPV6) {
		ipv6_hdr(skb)->hop_limit--;
		return;
	}
	ip_decrease_ttl(iph);
	if (READ_ONCE(net->ipv4.sysctl_ip_fwd_update_priority))
		skb->priority = rt_tos2priority(iph->tos);
}

/* Return: false, and nothing has changed, if postrouting is to say why not. */
static __always_inline bool
snat_translate_source(u8 pf, struct sk_buff *skb, const struct snat_map *map,
		      const struct nft_set_ext *element)
{
	if (unlikely(!map->whole))
		return snat_forward_translate_source(pf, skb, map, element);

	return !snat_translate_here(pf, skb, SNAT_SOURCE, snat_value(element));
}

/* As ip_finish_output2(): to the neighbour that is next, who may have to be found. */
static __always_inline void snat_send_ipv4(struct net *net, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;
	struct neighbour *neigh;
	__be32 next;

	skb->dev = dev;
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
	if (likely(rt->rt_gw_family != AF_INET6)) {
		next = rt->rt_gw_family ? rt->rt_gw4 : ip_hdr(skb)->daddr;
		neigh = __ipv4_neigh_lookup_noref(dev, (__force u32)next);
		if (likely(neigh)) {
			neigh_output(neigh, skb, false);
			return;
		}
	}
	snat_forward_meet_ipv4(skb);
}

/* As ip6_finish_output2(). */
static __always_inline void snat_send_ipv6(struct net *net, struct sk_buff *skb)
{
	const struct rt6_info *rt = (const struct rt6_info *)skb_dst(skb);
	struct inet6_dev *idev = ip6_dst_idev(&rt->dst);
	struct net_device *dev = rt->dst.dev;
	struct neighbour *neigh;

	skb->dev = dev;
	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, skb->len);
	neigh = __ipv6_neigh_lookup_noref(dev, rt6_nexthop(rt,
							   &ipv6_hdr(skb)->daddr));
	if (likely(neigh))
		neigh_output(neigh, skb, false);
	else
		snat_forward_meet_ipv6(net, skb);
}

/* Past postrouting, where nothing is left to be done for a packet that is simple. */
static __always_inline void snat_send(u8 pf, struct net *net,
				      struct sk_buff *skb)
{
	if (SNAT_COUNTED_LATE)
		snat_count_forwarded(pf, net, skb);
	skb_clear_tstamp(skb);
	if (pf == NFPROTO_IPV4)
		snat_send_ipv4(net, skb);
	else
		snat_send_ipv6(net, skb);
}

/* Has the forward hook chains, perhaps of another namespace? */
static __always_inline bool snat_is_looked_at(u8 pf)
{
#ifdef CONFIG_JUMP_LABEL
	return pf == NFPROTO_IPV4 ?
	       static_key_false(&nf_hooks_needed[NFPROTO_IPV4][NF_INET_FORWARD]) :
	       static_key_false(&nf_hooks_needed[NFPROTO_IPV6][NF_INET_FORWARD]);
#else
	return true;
#endif
}

/* Up to here nothing has been done that the stack would not do, too. */
static __always_inline void
snat_pass_on(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	     const struct nft_pktinfo *pkt, u8 pf, const struct snat_map *map,
	     const struct nft_set_ext *element)
{
	struct net *net = nft_net(pkt);
	struct sk_buff *skb = pkt->skb;

	skb_forward_csum(skb);
	snat_age(pf, net, skb);
	if (pf == NFPROTO_IPV4)
		IPCB(skb)->flags |= IPSKB_FORWARDED;
	if (!SNAT_COUNTED_LATE)
		snat_count_forwarded(pf, net, skb);
	if (snat_is_looked_at(pf) && !snat_forward_show(priv, pkt, pf))
		goto stolen;

	if (element) {
		if (unlikely(!snat_translate_source(pf, skb, map, element))) {
			snat_forward_detour(priv, net, skb, pf);
			goto stolen;
		}
		nft_set_elem_update_expr(element, regs, pkt);
	}
	snat_count_shortcut(priv);
	snat_send(pf, net, skb);
stolen:
	regs->verdict.code = NF_STOLEN;
}

/* What settings.c lets a rule ask for beside FORWARD. */
#define SNAT_F_FORWARDING	NFT_SNAT_STATELESS_F_NOTRACK

/* What a translation is in general, of a packet that is simple. */
static __always_inline int
snat_translate_simple(u8 pf, struct sk_buff *skb, const struct snat_hit *hit)
{
	const union snat_address *value = snat_value(hit->element);

	if (unlikely(!hit->map->whole))
		return snat_forward_translate_prefix(pf, skb, SNAT_DESTINATION,
						     hit->map, value);

	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate_simple(skb, SNAT_DESTINATION, value) :
	       snat_ipv6_translate_here(skb, SNAT_DESTINATION, value);
}

/*
 * As snat_eval_found(), without what is known of a packet that is simple.  Return:
 * false if it is not to be passed on.
 */
static __always_inline bool
snat_forward_in(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		const struct nft_pktinfo *pkt, u8 pf,
		const struct snat_hit *hit)
{
	struct sk_buff *skb = pkt->skb;
	int err;

	if (unlikely(priv->scope) && !snat_scope_admits(priv, pkt, pf)) {
		snat_translate_not(priv, regs, pkt, pf);
		return false;
	}
	err = snat_translate_simple(pf, skb, hit);
	if (unlikely(err)) {
		snat_drop(priv, regs, err);
		return false;
	}
	snat_mark(skb, pf, SNAT_F_FORWARDING);
	if (unlikely(priv->scope))
		snat_set_anywhere(pf, skb);
	nft_set_elem_update_expr(hit->element, regs, pkt);
	return true;
}

/* As snat_decide(). */
static __always_inline bool
snat_forward_out(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		 const struct nft_pktinfo *pkt, u8 pf)
{
	struct sk_buff *skb = pkt->skb;

	if (snat_is_exempt(priv, pkt, pf)) {
		snat_leave_alone(priv, regs, pkt, SNAT_EXEMPT);
		return false;
	}
	if (unlikely(snat_is_own(pkt, pf, snat_side(pf, skb, SNAT_DESTINATION)) ||
		     (priv->scope &&
		      !snat_route_leads(priv->scope, skb, pf)))) {
		snat_decide_otherwise(priv, regs, pkt, pf);
		return false;
	}
	snat_mark(skb, pf, SNAT_F_FORWARDING);
	return true;
}

/* A packet at a rule, if it is plain, and if it is simple, all the way. */
static __always_inline void
snat_forward(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	     const struct nft_pktinfo *pkt, u8 pf, const void *header)
{
	struct sk_buff *skb;
	struct snat_hit hit;
	bool in;

	in = snat_ask(priv->maps, pkt, pf, header, &hit);
	if (!in && !snat_ask(priv->otherwise, pkt, pf,
			     skb_network_header(pkt->skb), &hit)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	skb = pkt->skb;
	if (unlikely(skb->_skb_refdst ||
		     !snat_is_simple(pf, nft_net(pkt), skb) ||
		     (in && snat_is_between(priv->otherwise, pkt, pf)))) {
		snat_forward_not(priv, regs, pkt, pf, hit.map, hit.element, in);
		return;
	}
	if (!(in ? snat_forward_in(priv, regs, pkt, pf, &hit) :
		   snat_forward_out(priv, regs, pkt, pf)))
		return;

	if (in)
		hit.element = NULL;
	if (likely(snat_take_route(priv, pf, nft_net(pkt), skb, hit.element)))
		snat_pass_on(priv, regs, pkt, pf, hit.map, hit.element);
	else
		snat_count(priv, SNAT_DETOUR);
}

#endif /* NFT_SNAT_STATELESS_SHORTCUT_H */
