// SPDX-License-Identifier: GPL-2.0-only
/* What a router would only pass on, routed and sent in prerouting already. */
#include "forward.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#ifndef COMPAT_GSO_WITHOUT_HEADER
#include <net/gso.h>
#endif
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_queue.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "bridged.h"
#include "counts.h"
#include "decision.h"
#include "route.h"
#include "translate.h"

/* As the hooks of the stack ask for it, and exported to modules (nf_internals.h). */
void nf_queue_nf_hook_drop(struct net *net);

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

/* As ip_forward_finish() and ip6_forward_finish(). */
static __always_inline int snat_forward_finish(u8 pf, struct net *net,
					       struct sock *sk,
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
static __always_inline bool snat_may_pass(u8 pf, struct net *net,
					  struct sk_buff *skb,
					  struct net_device *out)
{
	if (pf == NFPROTO_IPV4)
		return nf_hook(NFPROTO_IPV4, NF_INET_FORWARD, net, NULL, skb,
			       skb->dev, out, snat_forward_finish_ipv4) == 1;

	return nf_hook(NFPROTO_IPV6, NF_INET_FORWARD, net, NULL, skb, skb->dev,
		       out, snat_forward_finish_ipv6) == 1;
}

#ifdef CONFIG_XFRM
static __always_inline bool snat_is_of_ipsec(const struct net *net,
					     const struct sk_buff *skb)
{
	return net->xfrm.policy_count[XFRM_POLICY_IN] |
	       net->xfrm.policy_count[XFRM_POLICY_FWD] |
	       net->xfrm.policy_count[XFRM_POLICY_OUT] ||
	       net->xfrm.policy_default[XFRM_POLICY_FWD] ==
			XFRM_USERPOLICY_BLOCK ||
	       net->xfrm.policy_default[XFRM_POLICY_OUT] ==
			XFRM_USERPOLICY_BLOCK ||
	       secpath_exists(skb);
}
#else
static __always_inline bool snat_is_of_ipsec(const struct net *net,
					     const struct sk_buff *skb)
{
	return false;
}
#endif

/* Of a VRF, or one of its ports: its packets go through hooks twice. */
static __always_inline bool snat_is_of_vrf(const struct net_device *dev)
{
	return netif_is_l3_slave(dev) || netif_is_l3_master(dev);
}

/* A card has sent it on by itself. */
static __always_inline bool snat_is_offloaded(const struct sk_buff *skb)
{
#ifdef CONFIG_NET_SWITCHDEV
	return skb->offload_l3_fwd_mark;
#else
	return false;
#endif
}

/* What a card has put together so that nobody can take it apart. */
static __always_inline bool snat_is_lro(const struct sk_buff *skb)
{
	return skb_is_gso(skb) && !skb_shinfo(skb)->gso_type;
}

/*
 * Flags that a packet may have by now without being special: those of a decision,
 * and what the look for its way out leaves, where a border asked for it.
 */
static __always_inline u16 snat_usual_flags(u8 pf)
{
	return SNAT_DECIDED | SNAT_ANYWHERE |
	       (pf == NFPROTO_IPV4 ? IPSKB_NOPOLICY : IP6SKB_MULTIPATH);
}

/* No options, no fragment, not at the end of its life. */
static __always_inline bool snat_is_simple_ipv4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return *(const u8 *)iph == 0x45 && iph->ttl > 1 &&
	       !(iph->frag_off & htons(IP_MF | IP_OFFSET)) &&
	       !IPCB(skb)->frag_max_size;
}

/* The transport is right behind the header, or it would not have come here. */
static __always_inline bool snat_is_simple_ipv6(const struct net *net,
						const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return ip6h->hop_limit > 1 && ip6h->saddr.s6_addr32[0] &&
	       ip6h->daddr.s6_addr[0] < 0xfe && !IP6CB(skb)->frag_max_size &&
	       READ_ONCE(net->ipv6.devconf_all->forwarding);
}

/* Before anybody knows where it goes. */
static __always_inline bool snat_is_simple(u8 pf, const struct net *net,
					   struct sk_buff *skb)
{
	return (pf == NFPROTO_IPV4 ? snat_is_simple_ipv4(skb) :
				     snat_is_simple_ipv6(net, skb)) &&
	       !(*snat_packet_flags(pf, skb) & ~snat_usual_flags(pf)) &&
	       skb->pkt_type == PACKET_HOST && !skb->sk &&
	       /* Not so in a process that has given back what it was shown. */
	       in_softirq() &&
	       /* Who traces a packet sees it on the way that is traced. */
	       !skb->nf_trace &&
	       !snat_came_by_bridge(skb) && !snat_is_of_vrf(skb->dev) &&
	       !snat_is_lro(skb) && !snat_is_offloaded(skb) &&
	       !snat_is_of_ipsec(net, skb);
}

/* Would postrouting translate its source as well, or leave a hole alone? */
static __always_inline bool snat_is_between(const struct snat_map *maps,
					    const struct nft_pktinfo *pkt,
					    u8 pf)
{
	const struct snat_map *map;

	snat_for_each_map(map, maps)
		if (snat_map_ask(map, pkt, pf, snat_address(pkt->skb, maps)))
			return true;
	return false;
}

static __always_inline bool snat_is_too_long(const struct sk_buff *skb,
					     unsigned int mtu)
{
	return skb->len > mtu && !(skb_is_gso(skb) &&
				   skb_gso_validate_network_len(skb, mtu));
}

/* To be passed on to one neighbour, and with nothing to say to the sender. */
static __always_inline bool snat_route_is_simple_ipv4(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

#ifdef CONFIG_IP_ROUTE_CLASSID
	if (rt->dst.tclassid)
		return false;
#endif
	return rt->rt_type == RTN_UNICAST &&
	       !(IPCB(skb)->flags & IPSKB_DOREDIRECT) &&
	       !snat_is_too_long(skb, ip_dst_mtu_maybe_forward(&rt->dst, true));
}

/* A route of type anycast takes packets in, though no flag of it says so. */
static __always_inline bool snat_leads_on_ipv6(const struct rt6_info *rt)
{
	const struct fib6_info *from = rcu_dereference(rt->from);

	return from && from->fib6_type == RTN_UNICAST &&
	       !(rt->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST | RTF_REJECT));
}

static __always_inline bool snat_route_is_simple_ipv6(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct rt6_info *rt = (const struct rt6_info *)dst;
	const struct inet6_dev *idev = ip6_dst_idev(dst);
	/* What ip6_forward() asks, and then ip6_finish_output(). */
	unsigned int mtu = max_t(unsigned int, IPV6_MIN_MTU,
				 ip6_dst_mtu_maybe_forward(dst, true));

	return snat_leads_on_ipv6(rt) && idev &&
	       !READ_ONCE(idev->cnf.disable_ipv6) &&
	       !snat_is_too_long(skb, min_t(unsigned int, mtu,
					    ip6_dst_mtu_maybe_forward(dst, false)));
}

static __always_inline bool snat_route_is_simple(u8 pf,
						 const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return !dst->error && !dst->lwtstate && dst->dev != skb->dev &&
	       !snat_is_of_vrf(dst->dev) &&
	       (pf == NFPROTO_IPV4 ? snat_route_is_simple_ipv4(skb) :
				     snat_route_is_simple_ipv6(skb));
}

/*
 * Its route, unless a border has asked for it already, and room for what is
 * written in front of it.  Return: false, and all is as before, if it is not
 * simple.
 */
static __always_inline bool snat_take_route(u8 pf, struct sk_buff *skb)
{
	u16 *flags = snat_packet_flags(pf, skb), before = *flags;
	bool known = skb_dst(skb);

	if (!known && !snat_route_find(skb, pf))
		goto no_route;
	if (likely(snat_route_is_simple(pf, skb) &&
		   !skb_cow(skb, LL_RESERVED_SPACE(skb_dst(skb)->dev))))
		return true;
	if (!known)
		skb_dst_drop(skb);
no_route:
	*flags = before;
	return false;
}

/* One router more, and how urgent it is. */
static __always_inline void snat_age(u8 pf, const struct net *net,
				     struct sk_buff *skb)
{
	if (pf == NFPROTO_IPV6) {
		ipv6_hdr(skb)->hop_limit--;
		return;
	}
	ip_decrease_ttl(ip_hdr(skb));
	if (READ_ONCE(net->ipv4.sysctl_ip_fwd_update_priority))
		skb->priority = rt_tos2priority(ip_hdr(skb)->tos);
}

/* Apart, because the kernel zeroes what is on the stack.  What has no counterpart is
 * refused once, in postrouting.
 */
static noinline bool snat_translate_source_npt(struct sk_buff *skb,
					       const struct snat_map *map,
					       const struct nft_set_ext *element)
{
	struct snat_target target;

	return snat_aim(NFPROTO_IPV6, map, element, snat_address(skb, map),
			&target) == SNAT_NPT_DONE &&
	       !snat_ipv6_translate_npt(skb, SNAT_SOURCE, &map->prefix,
					snat_value(element));
}

/* Return: false, and nothing has changed, if postrouting is to say why not. */
static __always_inline bool
snat_translate_source(u8 pf, struct sk_buff *skb, const struct snat_map *map,
		      const struct nft_set_ext *element)
{
	const union snat_address *value = snat_value(element);

	if (likely(map->whole))
		return !snat_translate(pf, skb, SNAT_SOURCE, value);
	if (pf == NFPROTO_IPV4 || !map->npt)
		return !snat_translate_prefix(pf, skb, SNAT_SOURCE, map, value);

	return snat_translate_source_npt(skb, map, element);
}

/* An address in registers: one on the stack costs the stack's protection, too. */
static __always_inline u64 snat_first(u8 pf, const union snat_address *address)
{
	return pf == NFPROTO_IPV4 ? (__force u32)address->ip :
				    address->half.first;
}

static __always_inline u64 snat_second(u8 pf, const union snat_address *address)
{
	return pf == NFPROTO_IPV4 ? 0 : address->half.second;
}

/* As ip_finish_output2(): to the neighbour that is next, who may have to be found. */
static __always_inline void snat_send_ipv4(struct net *net, struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	struct neighbour *neigh;
	bool is_v6gw = false;

	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
	neigh = ip_neigh_for_gw(rt, skb, &is_v6gw);
	if (IS_ERR(neigh))
		kfree_skb(skb);
	else
		neigh_output(neigh, skb, is_v6gw);
}

/* As ip6_finish_output2(). */
static __always_inline void snat_send_ipv6(struct net *net, struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);
	struct inet6_dev *idev = ip6_dst_idev(dst);
	const struct in6_addr *nexthop;
	struct neighbour *neigh;

	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, skb->len);
	nexthop = rt6_nexthop((struct rt6_info *)dst, &ipv6_hdr(skb)->daddr);
	neigh = __ipv6_neigh_lookup_noref(skb->dev, nexthop);
	if (unlikely(!neigh))
		neigh = __neigh_create(&nd_tbl, nexthop, skb->dev, false);
	if (IS_ERR(neigh)) {
		IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTNOROUTES);
		kfree_skb(skb);
	} else {
		neigh_output(neigh, skb, false);
	}
}

/* Past postrouting, where nothing is left to be done for a packet that is simple. */
static __always_inline void snat_send(u8 pf, struct net *net,
				      struct sk_buff *skb)
{
	if (SNAT_COUNTED_LATE)
		snat_count_forwarded(pf, net, skb);
	skb_clear_tstamp(skb);
	skb->dev = skb_dst(skb)->dev;
	if (pf == NFPROTO_IPV4)
		snat_send_ipv4(net, skb);
	else
		snat_send_ipv6(net, skb);
}

/* Up to here nothing has been done that the stack would not do, too. */
static __always_inline void
snat_pass_on(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	     const struct nft_pktinfo *pkt, u8 pf, const struct snat_map *map,
	     const struct nft_set_ext *element)
{
	struct net *net = nft_net(pkt);
	struct sk_buff *skb = pkt->skb;
	const union snat_address *source = snat_side(pf, skb, SNAT_SOURCE);
	const u64 first = snat_first(pf, source);
	const u64 second = snat_second(pf, source);

	skb_forward_csum(skb);
	snat_age(pf, net, skb);
	if (pf == NFPROTO_IPV4)
		IPCB(skb)->flags |= IPSKB_FORWARDED;
	if (!SNAT_COUNTED_LATE)
		snat_count_forwarded(pf, net, skb);
	if (!snat_may_pass(pf, net, skb, skb_dst(skb)->dev))
		goto stolen;

	/* Chains of the hook may have made it another; then, and if it cannot be
	 * translated whole, postrouting does what there is to do.
	 */
	source = snat_side(pf, skb, SNAT_SOURCE);
	if (likely(snat_first(pf, source) == first &&
		   snat_second(pf, source) == second &&
		   (!element ||
		    snat_translate_source(pf, skb, map, element)))) {
		if (element)
			nft_set_elem_update_expr(element, regs, pkt);
		snat_count_shortcut(priv);
		snat_send(pf, net, skb);
	} else {
		snat_count(priv, SNAT_DETOUR);
		snat_forward_finish(pf, net, NULL, skb);
	}
stolen:
	regs->verdict.code = NF_STOLEN;
}

static __always_inline void
snat_forward(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	     const struct nft_pktinfo *pkt, u8 pf, const struct snat_map *map,
	     const struct nft_set_ext *element)
{
	struct sk_buff *skb = pkt->skb;

	/* A route there is only where a border has asked for it. */
	if (likely((!skb->_skb_refdst || (priv->scope && element)) &&
		   snat_is_simple(pf, nft_net(pkt), skb) &&
		   (element || !snat_is_between(priv->otherwise, pkt, pf)) &&
		   snat_take_route(pf, skb)))
		snat_pass_on(priv, regs, pkt, pf, map, element);
	else
		snat_count(priv, SNAT_DETOUR);
}

void snat_forward_ipv4(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const struct snat_map *map,
		       const struct nft_set_ext *element)
{
	snat_forward(priv, regs, pkt, NFPROTO_IPV4, map, element);
}

void snat_forward_ipv6(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const struct snat_map *map,
		       const struct nft_set_ext *element)
{
	snat_forward(priv, regs, pkt, NFPROTO_IPV6, map, element);
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
