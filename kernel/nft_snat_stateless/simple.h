/* SPDX-License-Identifier: GPL-2.0-only */
/* What makes a packet, or its route, a simple one: the stack would only pass it on. */
#ifndef NFT_SNAT_STATELESS_SIMPLE_H
#define NFT_SNAT_STATELESS_SIMPLE_H

#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
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
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "bridged.h"
#include "decision.h"

#ifdef CONFIG_XFRM
static __always_inline bool snat_is_for_ipsec(const struct net *net)
{
	return net->xfrm.policy_count[XFRM_POLICY_IN] |
	       net->xfrm.policy_count[XFRM_POLICY_FWD] |
	       net->xfrm.policy_count[XFRM_POLICY_OUT] ||
	       net->xfrm.policy_default[XFRM_POLICY_FWD] ==
			XFRM_USERPOLICY_BLOCK ||
	       net->xfrm.policy_default[XFRM_POLICY_OUT] ==
			XFRM_USERPOLICY_BLOCK;
}
#else
static __always_inline bool snat_is_for_ipsec(const struct net *net)
{
	return false;
}
#endif

/* Of a VRF, or one of its ports: its packets go through hooks twice. */
static __always_inline bool snat_is_of_vrf(const struct net_device *dev)
{
	return netif_is_l3_slave(dev) || netif_is_l3_master(dev);
}

/*
 * Who traces a packet sees it on the way that is traced; or a card has sent it on by
 * itself.  Bits of one byte are asked together.
 */
static __always_inline bool snat_is_watched(const struct sk_buff *skb)
{
#ifdef CONFIG_NET_SWITCHDEV
	return skb->nf_trace || skb->offload_l3_fwd_mark;
#else
	return skb->nf_trace;
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
#define SNAT_DECISION	(SNAT_DECIDED | SNAT_ANYWHERE)

static __always_inline u16 snat_usual_flags(u8 pf)
{
	return SNAT_DECISION |
	       (pf == NFPROTO_IPV4 ? IPSKB_NOPOLICY : IP6SKB_MULTIPATH);
}

/* No options, no fragment, not at the end of its life, and for one station. */
static __always_inline bool snat_is_simple_ipv4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return *(const u8 *)iph == 0x45 && iph->ttl > 1 &&
	       !(iph->frag_off & htons(IP_MF | IP_OFFSET)) &&
	       !IPCB(skb)->frag_max_size && snat_ipv4_is_unicast(skb);
}

/* The transport is right behind the header, or it would not have come here. */
static __always_inline bool snat_is_simple_ipv6(const struct net *net,
						const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return ip6h->hop_limit > 1 && ip6h->saddr.s6_addr32[0] &&
	       skb->pkt_type == PACKET_HOST && !IP6CB(skb)->frag_max_size &&
	       READ_ONCE(net->ipv6.devconf_all->forwarding);
}

/*
 * Before anybody knows where it goes, or has changed it: of a packet that is plain,
 * and then it may have a pair.
 */
static __always_inline bool snat_is_simple(u8 pf, const struct net *net,
					   struct sk_buff *skb)
{
	return (pf == NFPROTO_IPV4 ? snat_is_simple_ipv4(skb) :
				     snat_is_simple_ipv6(net, skb)) &&
	       !(*snat_packet_flags(pf, skb) & ~snat_usual_flags(pf)) &&
	       !skb->sk && !snat_is_watched(skb) &&
	       /* Not so in a process that has given back what it was shown. */
	       in_softirq() &&
	       !(snat_came_by_bridge(skb) | secpath_exists(skb)) &&
	       !snat_is_of_vrf(skb->dev) && !snat_is_lro(skb) &&
	       !snat_is_for_ipsec(net);
}

static __always_inline bool snat_is_too_long(const struct sk_buff *skb,
					     unsigned int mtu)
{
	return skb->len > mtu && !(skb_is_gso(skb) &&
				   skb_gso_validate_network_len(skb, mtu));
}

/* Of routes that have one of their own, or learn it. */
static noinline bool snat_is_too_long_rarely_ipv4(const struct sk_buff *skb)
{
	return snat_is_too_long(skb, ip_dst_mtu_maybe_forward(skb_dst(skb),
							      true));
}

/* ip_dst_mtu_maybe_forward() without its locks, which are held. */
static __always_inline bool snat_is_too_long_ipv4(const struct net *net,
						  const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (unlikely(READ_ONCE(net->ipv4.sysctl_ip_fwd_use_pmtu) ||
		     ip_mtu_locked(dst) || dst_metric_raw(dst, RTAX_MTU)))
		return snat_is_too_long_rarely_ipv4(skb);

	return snat_is_too_long(skb, min_t(unsigned int,
					   READ_ONCE(dst->dev->mtu),
					   IP_MAX_MTU));
}

/* What ip6_forward() asks, and then ip6_finish_output(). */
static noinline bool snat_is_too_long_rarely_ipv6(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	unsigned int mtu = max_t(unsigned int, IPV6_MIN_MTU,
				 ip6_dst_mtu_maybe_forward(dst, true));

	/* Until Linux 6.5 it had to be fragmented then. */
	return dst_metric_raw(dst, RTAX_FEATURES) & RTAX_FEATURE_ALLFRAG ||
	       snat_is_too_long(skb, min_t(unsigned int, mtu,
					   ip6_dst_mtu_maybe_forward(dst,
								     false)));
}

/* Both are the same where the route has none of its own. */
static __always_inline bool snat_is_too_long_ipv6(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct inet6_dev *idev = __in6_dev_get(dst->dev);

	if (unlikely(!idev || dst_metric_raw(dst, RTAX_MTU) |
			      dst_metric_raw(dst, RTAX_FEATURES)))
		return snat_is_too_long_rarely_ipv6(skb);

	return snat_is_too_long(skb, min_t(unsigned int,
					   READ_ONCE(idev->cnf.mtu6),
					   IP6_MAX_MTU));
}

/* To be passed on to one neighbour, and with nothing to say to the sender. */
static __always_inline bool snat_route_is_simple_ipv4(const struct net *net,
						      const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

#ifdef CONFIG_IP_ROUTE_CLASSID
	if (rt->dst.tclassid)
		return false;
#endif
	return rt->rt_type == RTN_UNICAST &&
	       !(IPCB(skb)->flags & IPSKB_DOREDIRECT) &&
	       !snat_is_too_long_ipv4(net, skb);
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
	const struct rt6_info *rt = (const struct rt6_info *)skb_dst(skb);
	const struct inet6_dev *idev = ip6_dst_idev(&rt->dst);

	return snat_leads_on_ipv6(rt) && idev &&
	       !READ_ONCE(idev->cnf.disable_ipv6) &&
	       ipv6_hdr(skb)->daddr.s6_addr[0] < 0xfe &&
	       !snat_is_too_long_ipv6(skb);
}

static __always_inline bool snat_route_is_simple(u8 pf, const struct net *net,
						 const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return !dst->error && !dst->lwtstate && dst->dev != skb->dev &&
	       !snat_is_of_vrf(dst->dev) &&
	       (pf == NFPROTO_IPV4 ? snat_route_is_simple_ipv4(net, skb) :
				     snat_route_is_simple_ipv6(skb));
}

#endif /* NFT_SNAT_STATELESS_SIMPLE_H */
