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
#include <net/netfilter/nf_tables.h>

#include "bridged.h"
#include "counts.h"
#include "expression.h"
#include "family.h"
#include "own.h"
#include "packet.h"
#include "route.h"
#include "scope.h"

/* The IP layer numbers its flags, IPSKB_ and IP6SKB_, from bit 0. */
#define SNAT_DECIDED	0x8000
/* Its destination was translated, so its source is, wherever it leaves. */
#define SNAT_ANYWHERE	0x4000

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

static inline void snat_set_anywhere(u8 pf, struct sk_buff *skb)
{
	*snat_packet_flags(pf, skb) |= SNAT_ANYWHERE;
}

static inline bool snat_is_anywhere(u8 pf, struct sk_buff *skb)
{
	return *snat_packet_flags(pf, skb) & SNAT_ANYWHERE;
}

/* A template only carries settings for conntrack; it is no entry. */
static __always_inline bool snat_may_handle(struct sk_buff *skb, u8 pf,
					    u8 flags)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct;

	if (flags & NFT_SNAT_STATELESS_F_UNTRACKED)
		return snat_is_decided(pf, skb);

	ct = nf_ct_get(skb, &ctinfo);
	return !ct || nf_ct_is_template(ct) ||
	       flags & (NFT_SNAT_STATELESS_F_TRACKED |
			NFT_SNAT_STATELESS_F_FOLLOW);
}

/* Apart, because few packets have an entry, or a template, to let go of. */
void snat_mark_tracked(struct sk_buff *skb);

/* It is one of ours; and not conntrack's, unless that is to follow it. */
static __always_inline void snat_mark(struct sk_buff *skb, u8 pf, u8 flags)
{
	if (!(flags & SNAT_F_FOLLOWS)) {
		if (likely(!skb_get_nfct(skb)))
			nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
		else
			snat_mark_tracked(skb);
	}
	snat_set_decided(pf, skb);
}

/*
 * Groups and links have no pairs, whatever a map holds (those of IPv6 do not
 * come so far), nor has what a bridge passes on.
 */
static __always_inline bool snat_may_have_pair(u8 pf, const struct sk_buff *skb)
{
	return (pf == NFPROTO_IPV6 || snat_ipv4_is_unicast(skb)) &&
	       likely(!snat_came_by_bridge(skb) ||
		      !snat_bridge_passes_on(pf, skb));
}

/* Where it was decided, it was looked at. */
static __always_inline bool
snat_may_translate(const struct nft_snat_stateless *priv, u8 pf,
		   const struct sk_buff *skb)
{
	return priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED ||
	       snat_may_have_pair(pf, skb);
}

/*
 * Does the packet's interface let a hit of the maps count?  Where @priv has a
 * scope.
 */
bool snat_scope_admits(const struct nft_snat_stateless *priv,
		       const struct nft_pktinfo *pkt, u8 pf);

/*
 * A packet whose own address has a pair, and which is not translated: because of its
 * interface, or because it is no single station's.
 */
void snat_translate_not(const struct nft_snat_stateless *priv,
			struct nft_regs *regs, const struct nft_pktinfo *pkt,
			u8 pf);

/*
 * In postrouting, of what prerouting has not marked, or whose mark a bridge has
 * forgotten: does it lead outside?
 */
bool snat_decide_late(const struct nft_snat_stateless *priv,
		      const struct nft_pktinfo *pkt, u8 pf);

/*
 * Elsewhere than in prerouting.  What the gateway sends: an error about a packet
 * of a pair, a reset in the name of a host that has one, or from an address of its
 * own that has one.  And in postrouting what was decided before, which is to be
 * told.
 */
void snat_decide_elsewhere(const struct nft_snat_stateless *priv,
			   struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, u8 pf);

/* What comes in, has a pair, and is none of ours all the same. */
void snat_decide_otherwise(const struct nft_snat_stateless *priv,
			   struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, u8 pf);

static __always_inline bool
snat_is_exempt(const struct nft_snat_stateless *priv,
	       const struct nft_pktinfo *pkt, u8 pf)
{
	return priv->exempt &&
	       snat_exempt_has(priv->exempt, pf,
			       snat_side(pf, pkt->skb, SNAT_DESTINATION));
}

/*
 * The source, or what it quotes, has a pair.  What is for us stays tracked.  The
 * packet is read from @pkt anew rather than kept over calls.  @scoped: whether
 * @priv has a scope, which is known beforehand.
 */
static __always_inline void snat_decide(const struct nft_snat_stateless *priv,
					struct nft_regs *regs,
					const struct nft_pktinfo *pkt, u8 pf,
					bool scoped)
{
	if (unlikely(nft_hook(pkt) != NF_INET_PRE_ROUTING))
		snat_decide_elsewhere(priv, regs, pkt, pf);
	else if (snat_is_exempt(priv, pkt, pf))
		snat_leave_alone(priv, regs, pkt, SNAT_EXEMPT);
	else if (likely(snat_may_have_pair(pf, pkt->skb) &&
			!snat_is_own(pkt, pf, snat_side(pf, pkt->skb,
							SNAT_DESTINATION)) &&
			(!scoped ||
			 snat_route_leads(priv->scope, pkt->skb, pf))))
		snat_mark(pkt->skb, pf, priv->flags);
	else
		snat_decide_otherwise(priv, regs, pkt, pf);
}

#endif /* NFT_SNAT_STATELESS_DECISION_H */
