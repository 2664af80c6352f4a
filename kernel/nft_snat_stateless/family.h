/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet face of a family that is known when a packet comes: one of the two
 * that init lets pass.
 */
#ifndef NFT_SNAT_STATELESS_FAMILY_H
#define NFT_SNAT_STATELESS_FAMILY_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "ipv4.h"
#include "ipv6.h"
#include "packet.h"

static inline bool snat_quote(u8 pf, const struct sk_buff *skb,
			      enum snat_side side, struct snat_quote *quote)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_quote(skb, side, quote) :
				    snat_ipv6_quote(skb, side, quote);
}

static inline bool snat_is_local(u8 pf, const struct sk_buff *skb)
{
	return pf == NFPROTO_IPV6 && snat_ipv6_is_local(skb);
}

static inline int snat_translate(u8 pf, struct sk_buff *skb,
				 enum snat_side side,
				 const union snat_address *to)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_translate(skb, side, to) :
				    snat_ipv6_translate(skb, side, to);
}

/* The same in line, for the short ways. */
static __always_inline int
snat_translate_here(u8 pf, struct sk_buff *skb, enum snat_side side,
		    const union snat_address *to)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_translate_here(skb, side, to) :
				    snat_ipv6_translate_here(skb, side, to);
}

static inline int snat_translate_error(u8 pf, struct sk_buff *skb,
				       enum snat_side side,
				       const struct snat_target *outer,
				       const struct snat_quote *quote,
				       const struct snat_target *inner)
{
	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate_error(skb, side, outer, quote, inner) :
	       snat_ipv6_translate_error(skb, side, outer, quote, inner);
}

/* A packet's own address of one side. */
static inline const union snat_address *
snat_side(u8 pf, const struct sk_buff *skb, enum snat_side side)
{
	return (const void *)skb_network_header(skb) +
	       (pf == NFPROTO_IPV4 ? snat_ipv4_offset(side) :
				     snat_ipv6_offset(side));
}

#endif /* NFT_SNAT_STATELESS_FAMILY_H */
