/* SPDX-License-Identifier: GPL-2.0-only */
/* The short way of a packet at a rule: for what quotes nothing, and the price of the product. */
#ifndef NFT_SNAT_STATELESS_PLAIN_H
#define NFT_SNAT_STATELESS_PLAIN_H

#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>

#include "decision.h"
#include "expression.h"
#include "maps.h"
#include "translate.h"

/* Apart, so that the packet's address is not looked for beforehand. */
bool snat_is_guarded(const struct nft_set_ext *element,
		     const struct snat_map *map,
		     const struct nft_pktinfo *pkt, u8 pf);

/*
 * snat_maps_ask() for the packet's own address.  Where its header is, is read
 * again after a lookup: most packets are of one map or of none, and have nothing
 * to save registers for.
 */
static __always_inline bool
snat_ask(const struct snat_map *map, const struct nft_pktinfo *pkt, u8 pf,
	 const void *header, struct snat_hit *hit)
{
	for (;; map++) {
		hit->map = map;
		hit->element = snat_map_ask(map, pkt, pf, header + map->offset);
		if (hit->element)
			return !snat_is_hole(pf, hit->element) &&
			       likely(!map->guarded ||
				      !snat_is_guarded(hit->element, map, pkt,
						       pf));
		if (likely(map->last))
			return false;

		header = skb_network_header(pkt->skb);
	}
}

/*
 * What is translated has a pair.  @scoped: whether @priv has a scope, of which
 * the price without must not show.  Return: false if it stays as it is.
 */
static __always_inline bool
snat_eval_found(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		const struct nft_pktinfo *pkt, u8 pf, bool scoped,
		const struct snat_hit *hit)
{
	if (unlikely(!snat_may_translate(priv, pf, pkt->skb) ||
		     (scoped && !snat_scope_admits(priv, pkt, pf)))) {
		snat_translate_not(priv, regs, pkt, pf);
		return false;
	}
	snat_conclude(priv, regs, pkt, pf, hit->element,
		      snat_translate_plain(priv, pkt, pf, hit), scoped);
	/* Whatever counts may have ended the rule. */
	return regs->verdict.code != NF_DROP;
}

static __always_inline void
snat_eval_plain(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		const struct nft_pktinfo *pkt, u8 pf, const void *header,
		bool scoped)
{
	struct snat_hit hit;

	if (snat_ask(priv->maps, pkt, pf, header, &hit)) {
		if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK)
			snat_decide(priv, regs, pkt, pf, scoped);
		else
			snat_eval_found(priv, regs, pkt, pf, scoped, &hit);
	} else if (priv->otherwise &&
		   snat_ask(priv->otherwise, pkt, pf,
			    skb_network_header(pkt->skb), &hit)) {
		snat_decide(priv, regs, pkt, pf, scoped);
	} else {
		regs->verdict.code = NFT_BREAK;
	}
}

#endif /* NFT_SNAT_STATELESS_PLAIN_H */
