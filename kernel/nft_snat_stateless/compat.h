/* SPDX-License-Identifier: GPL-2.0-only */
/* Shims, force-included, so that the sources read as for the newest kernel. */
#ifndef NFT_SNAT_STATELESS_COMPAT_H
#define NFT_SNAT_STATELESS_COMPAT_H

#ifdef COMPAT_SET_LOOKUP_RETURNS_BOOL
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

/* The element was an output argument once; it is the return value now. */
static inline const struct nft_set_ext *
compat_set_do_lookup(const struct net *net, const struct nft_set *set,
		     const u32 *key)
{
	const struct nft_set_ext *ext = NULL;

	return nft_set_do_lookup(net, set, key, &ext) ? ext : NULL;
}
#define nft_set_do_lookup compat_set_do_lookup
#endif

#ifdef COMPAT_XFRM_DECODE_SESSION_WITHOUT_NET
#include <net/xfrm.h>

/* The namespace was taken from the device once. */
#define xfrm_decode_session(net, skb, fl, family) \
	xfrm_decode_session(skb, fl, family)
#endif

#ifdef COMPAT_ROUTE_INPUT_TAKES_TOS
#include <net/inet_dscp.h>
#include <net/route.h>

/* It took the byte of the header once, and said no with an error of its own. */
#define ip_route_input_noref(skb, daddr, saddr, dscp, dev) \
	ip_route_input_noref(skb, daddr, saddr, inet_dscp_to_dsfield(dscp), dev)
#endif

#ifdef COMPAT_IP6_ROUTE_INPUT_NOT_EXPORTED
#include <linux/netfilter_ipv6.h>
#include <net/ip6_route.h>

/* IPv6 was a module once, and netfilter had its functions in a table. */
static inline void compat_ip6_route_input(struct sk_buff *skb)
{
	nf_get_ipv6_ops()->route_input(skb);
}
#define ip6_route_input compat_ip6_route_input
#endif

#endif /* NFT_SNAT_STATELESS_COMPAT_H */
