// SPDX-License-Identifier: GPL-2.0-only
/* Which packets are ours, as far as few of them have to be asked. */
#include "decision.h"

#include <linux/netdevice.h>
#include <net/netfilter/nf_conntrack.h>

#include "counts.h"
#include "plain.h"
#include "quoting.h"

bool snat_is_guarded(const struct nft_set_ext *element,
		     const struct snat_map *map, const struct nft_pktinfo *pkt,
		     u8 pf)
{
	return snat_map_hits_own(map, element, pkt, pf,
				 snat_address(pkt->skb, map));
}

void snat_mark_tracked(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/*
 * dup marks the copies that it sends untracked, before any rule could have; so
 * does a VRF, for a first round of hooks, and to its own device.  What is sent
 * from an address of this machine is no copy in any case.
 */
static bool snat_is_copy(const struct nft_pktinfo *pkt, u8 pf)
{
	return skb_get_nfct(pkt->skb) == IP_CT_UNTRACKED &&
	       !netif_is_l3_master(nft_out(pkt)) &&
	       !snat_is_own(pkt, pf, snat_side(pf, pkt->skb, SNAT_SOURCE));
}

/* By @dev; NULL: by none. */
static bool snat_scope_lets(const struct nft_snat_stateless *priv,
			    const struct net_device *dev)
{
	return !priv->scope || (dev && snat_scope_has(priv->scope, dev));
}

bool snat_scope_admits(const struct nft_snat_stateless *priv,
		       const struct nft_pktinfo *pkt, u8 pf)
{
	if (priv->side == SNAT_SOURCE)
		return snat_is_anywhere(pf, pkt->skb) ||
		       snat_scope_lets(priv, nft_out(pkt));

	/* Once is enough, whatever its new destination is in another pair. */
	return !snat_is_anywhere(pf, pkt->skb) &&
	       (snat_scope_lets(priv, nft_in(pkt)) ||
		(priv->otherwise && snat_has_pair(priv->otherwise, pkt, pf)));
}

void snat_translate_not(const struct nft_snat_stateless *priv,
			struct nft_regs *regs, const struct nft_pktinfo *pkt,
			u8 pf)
{
	/* Who decides sees all; what was translated before is none of these. */
	if (priv->otherwise && snat_may_have_pair(pf, pkt->skb) &&
	    !snat_is_anywhere(pf, pkt->skb))
		snat_leave_alone(priv, regs, pkt, SNAT_BORDER);
	else
		regs->verdict.code = NFT_BREAK;
}

bool snat_decide_late(const struct nft_snat_stateless *priv,
		      const struct nft_pktinfo *pkt, u8 pf)
{
	struct sk_buff *skb = pkt->skb;

	/* What a bridge passes on to another address has come by no interface. */
	if (!(priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED) ||
	    (!nft_in(pkt) && !snat_came_by_bridge(skb)) ||
	    !snat_scope_lets(priv, nft_out(pkt)) ||
	    !snat_may_have_pair(pf, skb) || snat_is_exempt(priv, pkt, pf) ||
	    !snat_has_pair(priv->maps, pkt, pf))
		return false;

	snat_mark(skb, pf, priv->flags);
	return true;
}

static void snat_decide_sent(const struct nft_snat_stateless *priv,
			     struct nft_regs *regs,
			     const struct nft_pktinfo *pkt, u8 pf)
{
	struct sk_buff *skb = pkt->skb;

	if (!snat_may_have_pair(pf, skb) || snat_is_copy(pkt, pf)) {
		snat_clear_decided(pf, skb);
		regs->verdict.code = NFT_BREAK;
	} else if (snat_scope_lets(priv, nft_out(pkt)) &&
		   !snat_is_own(pkt, pf,
				snat_side(pf, skb, SNAT_DESTINATION))) {
		snat_mark(skb, pf, priv->flags);
	} else {
		/* What another rule has decided stands: it has other maps. */
		snat_decide_otherwise(priv, regs, pkt, pf);
	}
}

void snat_decide_otherwise(const struct nft_snat_stateless *priv,
			   struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, u8 pf)
{
	bool own;

	if (!snat_may_have_pair(pf, pkt->skb)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	own = !priv->scope ||
	      snat_is_own(pkt, pf, snat_side(pf, pkt->skb, SNAT_DESTINATION));
	snat_leave_alone(priv, regs, pkt, own ? SNAT_LOCAL : SNAT_BORDER);
}

void snat_decide_elsewhere(const struct nft_snat_stateless *priv,
			   struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, u8 pf)
{
	if (priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED)
		return;
	if (snat_is_exempt(priv, pkt, pf))
		snat_leave_alone(priv, regs, pkt, SNAT_EXEMPT);
	else
		snat_decide_sent(priv, regs, pkt, pf);
}
