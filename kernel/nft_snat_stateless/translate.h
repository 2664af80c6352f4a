/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a hit to a translated packet: past IPsec's policies, with a new route
 * where one was chosen for the old address.
 */
#ifndef NFT_SNAT_STATELESS_TRANSLATE_H
#define NFT_SNAT_STATELESS_TRANSLATE_H

#include <net/netfilter/nf_tables.h>

#include "counts.h"
#include "decision.h"
#include "expression.h"
#include "family.h"
#include "maps.h"
#include "packet.h"
#include "policy.h"

int snat_translate_prefix(u8 pf, struct sk_buff *skb, enum snat_side side,
			  const struct snat_map *map,
			  const union snat_address *value);

static __always_inline int
snat_translate_hit(const struct nft_snat_stateless *priv, struct sk_buff *skb,
		   u8 pf, const struct snat_hit *hit)
{
	const union snat_address *value = snat_value(hit->element);

	if (likely(hit->map->whole))
		return snat_translate_here(pf, skb, priv->side, value);
	if (pf == NFPROTO_IPV6 && hit->map->npt)
		return snat_ipv6_translate_npt(skb, priv->side,
					       &hit->map->prefix, value);
	return snat_translate_prefix(pf, skb, priv->side, hit->map, value);
}

/* What follows a translation, or its failure, which @err is the reason of. */
static __always_inline void
snat_conclude(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	      const struct nft_pktinfo *pkt, u8 pf,
	      const struct nft_set_ext *element, int err, bool scoped)
{
	if (unlikely(err)) {
		snat_drop(priv, regs, err);
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK) {
		snat_mark(pkt->skb, pf, priv->flags);
		if (scoped)
			snat_set_anywhere(pf, pkt->skb);
	}
	nft_set_elem_update_expr(element, regs, pkt);
}

/* Has IPsec, or a route chosen so far, a say in what comes in? */
static __always_inline bool snat_is_hindered(const struct nft_pktinfo *pkt)
{
	return pkt->skb->_skb_refdst ||
	       snat_policy_may_stop(nft_net(pkt), pkt->skb);
}

/* Before a destination is translated. */
bool snat_may_enter(const struct nft_pktinfo *pkt, u8 pf, bool local);

/* Afterwards: what was looked up for the old destination is void. */
void snat_enter(const struct nft_pktinfo *pkt, u8 pf, bool local);

/*
 * After a source was translated: which policy of IPsec asks for this one?  Return: 0,
 * or SNAT_POLICY.
 */
int snat_leave(const struct nft_pktinfo *pkt, u8 pf);

/*
 * The hit comes in two parts, so that it is in no structure before.  Return: 0, or
 * why not.
 */
int snat_translate_hindered(const struct nft_snat_stateless *priv,
			    const struct nft_pktinfo *pkt, u8 pf,
			    const struct snat_map *map,
			    const struct nft_set_ext *element);

static __always_inline int
snat_translate_plain(const struct nft_snat_stateless *priv,
		     const struct nft_pktinfo *pkt, u8 pf,
		     const struct snat_hit *hit)
{
	int err;

	if (priv->side == SNAT_DESTINATION) {
		if (unlikely(snat_is_hindered(pkt)))
			return snat_translate_hindered(priv, pkt, pf, hit->map,
						       hit->element);
		return snat_translate_hit(priv, pkt->skb, pf, hit);
	}

	err = snat_translate_hit(priv, pkt->skb, pf, hit);
	if (unlikely(snat_policy_may_change(nft_net(pkt))) && !err)
		err = snat_leave(pkt, pf);
	return err;
}

#endif /* NFT_SNAT_STATELESS_TRANSLATE_H */
