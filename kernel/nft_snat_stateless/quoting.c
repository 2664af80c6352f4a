// SPDX-License-Identifier: GPL-2.0-only
/* ICMP errors and redirects: addresses of two packets in one. */
#include "quoting.h"

#include "counts.h"
#include "decision.h"
#include "maps.h"
#include "policy.h"
#include "translate.h"

/* A quoted address that has no counterpart stays as it is. */
static bool snat_ask_quote(const struct snat_map *maps,
			   const struct nft_pktinfo *pkt, u8 pf,
			   const struct snat_quote *quote, struct snat_hit *hit,
			   struct snat_target *target)
{
	return snat_maps_ask(maps, pkt, pf, &quote->address, hit) &&
	       snat_aim(pf, hit->map, hit->element, &quote->address,
			target) == SNAT_NPT_DONE;
}

/* What this machine says itself, it says by an address of its own. */
static bool snat_lends(const struct nft_snat_stateless *priv,
		       const struct nft_pktinfo *pkt, u8 pf)
{
	return priv->lends &&
	       !snat_is_own(pkt, pf, snat_side(pf, pkt->skb, SNAT_SOURCE));
}

/* @outer: of the packet's own address; NULL: it has no pair. */
static int snat_translate_quoting(const struct nft_snat_stateless *priv,
				  const struct nft_pktinfo *pkt, u8 pf,
				  const struct snat_hit *outer,
				  const struct snat_quote *quote,
				  const struct snat_target *inner)
{
	struct sk_buff *skb = pkt->skb;
	struct snat_target target;
	bool replaced = outer;
	enum snat_npt npt;

	if (outer) {
		npt = snat_aim(pf, outer->map, outer->element,
			       snat_address(skb, outer->map), &target);
		if (npt != SNAT_NPT_DONE) {
			snat_ipv6_refuse(skb, priv->side, npt);
			return SNAT_NO_COUNTERPART;
		}
	} else if (snat_lends(priv, pkt, pf)) {
		target = (struct snat_target){ .address = priv->errors_as };
		replaced = true;
	}
	return snat_translate_error(pf, skb, priv->side,
				    replaced ? &target : NULL, quote, inner);
}

bool snat_has_pair(const struct snat_map *maps, const struct nft_pktinfo *pkt,
		   u8 pf)
{
	struct snat_target target;
	struct snat_quote quote;
	struct snat_hit hit;

	return snat_maps_ask(maps, pkt, pf, snat_address(pkt->skb, maps),
			     &hit) ||
	       (snat_quote(pf, pkt->skb, SNAT_SOURCE, &quote) &&
		snat_ask_quote(maps, pkt, pf, &quote, &hit, &target));
}

/* snat_translate_plain() for an error; @inner: NULL: its quote has no pair. */
static int snat_translate_quoting_on_its_way(const struct nft_snat_stateless *priv,
					     const struct nft_pktinfo *pkt,
					     u8 pf,
					     const struct snat_hit *outer,
					     const struct snat_quote *quote,
					     const struct snat_target *inner)
{
	bool inbound = priv->side == SNAT_DESTINATION;
	bool hindered = inbound && snat_is_hindered(pkt);
	struct sk_buff *skb = pkt->skb;
	bool local;
	int err;

	local = hindered && outer && outer->map->whole &&
		snat_is_own(pkt, pf, snat_value(outer->element));
	if (hindered && !snat_may_enter(pkt, pf, local))
		return SNAT_POLICY;

	err = inner ? snat_translate_quoting(priv, pkt, pf, outer, quote,
					     inner) :
		      snat_translate_hit(priv, skb, pf, outer);
	if (!err && hindered)
		snat_enter(pkt, pf, local);
	if (!err && !inbound && snat_policy_may_change(nft_net(pkt)))
		err = snat_leave(pkt, pf);
	return err;
}

void snat_eval_quoting(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       u8 pf, const struct snat_quote *quote)
{
	struct snat_hit hit, inner_hit;
	struct snat_target target;
	bool outer, inner;
	int err;

	outer = snat_maps_ask(priv->maps, pkt, pf,
			      snat_address(pkt->skb, priv->maps), &hit);
	inner = snat_ask_quote(priv->maps, pkt, pf, quote, &inner_hit, &target);
	if (!outer && !inner) {
		if (priv->otherwise && snat_has_pair(priv->otherwise, pkt, pf))
			snat_decide(priv, regs, pkt, pf, priv->scope);
		else
			regs->verdict.code = NFT_BREAK;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_decide(priv, regs, pkt, pf, priv->scope);
		return;
	}
	if (!snat_may_translate(priv, pf, pkt->skb) ||
	    (priv->scope && !snat_scope_admits(priv, pkt, pf))) {
		snat_translate_not(priv, regs, pkt, pf);
		return;
	}

	err = snat_translate_quoting_on_its_way(priv, pkt, pf,
						outer ? &hit : NULL, quote,
						inner ? &target : NULL);
	if (!err)
		snat_count(priv, outer ? SNAT_ERROR : SNAT_QUOTE);
	snat_conclude(priv, regs, pkt, pf,
		      outer ? hit.element : inner_hit.element, err,
		      priv->scope);
}

static bool snat_concerns(const struct snat_map *maps,
			  const struct nft_pktinfo *pkt, u8 pf,
			  const struct snat_redirect *redirect)
{
	struct snat_hit hit;

	/* One from a host with a pair would have to be translated, too. */
	return snat_maps_ask(maps, pkt, pf, &redirect->source, &hit) ||
	       snat_maps_ask(maps, pkt, pf, &redirect->destination, &hit) ||
	       snat_maps_ask(maps, pkt, pf,
			     snat_side(pf, pkt->skb, SNAT_SOURCE), &hit);
}

void snat_eval_redirect(const struct nft_snat_stateless *priv,
			struct nft_regs *regs, const struct nft_pktinfo *pkt,
			u8 pf, const struct snat_redirect *redirect)
{
	bool concerns = snat_concerns(priv->maps, pkt, pf, redirect) ||
			snat_concerns(priv->otherwise, pkt, pf, redirect);

	if (concerns)
		snat_drop(priv, regs, SNAT_REDIRECT);
	else
		regs->verdict.code = NFT_BREAK;
}
