// SPDX-License-Identifier: GPL-2.0-only
/* The nftables face: attributes, the map, which packets are handled, verdicts. */

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/dst_metadata.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

#include "bridged.h"
#include "decision.h"
#include "maps.h"
#include "own.h"
#include "packet.h"
#include "policy.h"
#include "redirect.h"

#define SNAT_FLAGS	(NFT_SNAT_STATELESS_F_NOTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACKED |	\
			 NFT_SNAT_STATELESS_F_TRACKED)

/**
 * struct nft_snat_stateless - one expression
 *
 * @maps: those that may have the address
 * @otherwise: those that may have the source of a packet that @maps have
 *	nothing for, which is marked then; may be NULL
 * @dropped: packets, by processor: they come in floods
 * @flags: enum nft_snat_stateless_flags
 * @side: the address
 * @pf: of the maps' addresses
 */
struct nft_snat_stateless {
	struct snat_map		*maps;
	struct snat_map		*otherwise;
	atomic64_t __percpu	*dropped;
	u8			flags;
	enum snat_side		side:8;
	u8			pf;
};

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
	       flags & NFT_SNAT_STATELESS_F_TRACKED;
}

/* Apart, because few packets have an entry, or a template, to let go of. */
static noinline void snat_mark_tracked(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

static __always_inline void snat_mark_untracked(struct sk_buff *skb, u8 pf)
{
	if (likely(!skb_get_nfct(skb)))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	else
		snat_mark_tracked(skb);
	snat_set_decided(pf, skb);
}

/* The packet face of the family; pf is one of the two that init lets pass. */
static bool snat_quote(u8 pf, const struct sk_buff *skb, enum snat_side side,
		       struct snat_quote *quote)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_quote(skb, side, quote) :
				    snat_ipv6_quote(skb, side, quote);
}

static bool snat_is_local(u8 pf, const struct sk_buff *skb)
{
	return pf == NFPROTO_IPV6 && snat_ipv6_is_local(skb);
}

static int snat_translate(u8 pf, struct sk_buff *skb, enum snat_side side,
			  const union snat_address *to)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_translate(skb, side, to) :
				    snat_ipv6_translate(skb, side, to);
}

static int snat_translate_error(u8 pf, struct sk_buff *skb, enum snat_side side,
				const struct snat_target *outer,
				const struct snat_quote *quote,
				const struct snat_target *inner)
{
	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate_error(skb, side, outer, quote, inner) :
	       snat_ipv6_translate_error(skb, side, outer, quote, inner);
}

/* The packet's own address, of one side or where a map looks for it. */
static const union snat_address *snat_side(u8 pf, const struct sk_buff *skb,
					   enum snat_side side)
{
	return (const void *)skb_network_header(skb) +
	       (pf == NFPROTO_IPV4 ? snat_ipv4_offset(side) :
				     snat_ipv6_offset(side));
}

static const union snat_address *snat_address(const struct sk_buff *skb,
					      const struct snat_map *maps)
{
	return (const void *)skb_network_header(skb) + maps->offset;
}

/* Apart, so that the packet's address is not looked for beforehand. */
static noinline bool snat_is_guarded(const struct nft_set_ext *element,
				     const struct snat_map *map,
				     const struct nft_pktinfo *pkt, u8 pf)
{
	return snat_map_hits_own(map, element, pkt, pf,
				 snat_address(pkt->skb, map));
}

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

static noinline int snat_translate_prefix(u8 pf, struct sk_buff *skb,
					  enum snat_side side,
					  const struct snat_map *map,
					  const union snat_address *value)
{
	union snat_address to;

	snat_prefix_replace(pf, &map->prefix, value, snat_address(skb, map),
			    &to);
	return snat_translate(pf, skb, side, &to);
}

static __always_inline int
snat_translate_hit(const struct nft_snat_stateless *priv, struct sk_buff *skb,
		   u8 pf, const struct snat_hit *hit)
{
	const union snat_address *value = snat_value(hit->element);

	if (likely(hit->map->whole))
		return snat_translate(pf, skb, priv->side, value);
	if (pf == NFPROTO_IPV6 && hit->map->npt)
		return snat_ipv6_translate_npt(skb, priv->side,
					       &hit->map->prefix, value);
	return snat_translate_prefix(pf, skb, priv->side, hit->map, value);
}

/* What follows a translation, or its failure. */
static __always_inline void
snat_conclude(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	      const struct nft_pktinfo *pkt, u8 pf,
	      const struct nft_set_ext *element, int err)
{
	if (unlikely(err)) {
		atomic64_inc(raw_cpu_ptr(priv->dropped));
		regs->verdict.code = NF_DROP;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK)
		snat_mark_untracked(pkt->skb, pf);
	nft_set_elem_update_expr(element, regs, pkt);
}

/* Has IPsec, or a route chosen so far, a say in what comes in? */
static __always_inline bool snat_is_hindered(const struct nft_pktinfo *pkt)
{
	return pkt->skb->_skb_refdst ||
	       snat_policy_may_stop(nft_net(pkt), pkt->skb);
}

/* Before a destination is translated. */
static bool snat_may_enter(const struct nft_pktinfo *pkt, u8 pf, bool local)
{
	return nft_hook(pkt) != NF_INET_PRE_ROUTING ||
	       snat_policy_check(pkt->skb, pf, local);
}

/* Afterwards: what was looked up for the old destination is void. */
static void snat_enter(const struct nft_pktinfo *pkt, u8 pf, bool local)
{
	if (nft_hook(pkt) != NF_INET_PRE_ROUTING)
		return;

	snat_policy_settle(pkt->skb, pf, local);
	if (skb_valid_dst(pkt->skb))
		skb_dst_drop(pkt->skb);
}

/* After a source was translated: which policy of IPsec asks for this one? */
static noinline int snat_leave(const struct nft_pktinfo *pkt, u8 pf)
{
	if (nft_hook(pkt) != NF_INET_POST_ROUTING)
		return 0;

	return snat_policy_choose(nft_net(pkt), pkt->skb, pf);
}

/* The hit comes in two parts, so that it is in no structure before. */
static noinline int snat_translate_hindered(const struct nft_snat_stateless *priv,
					    const struct nft_pktinfo *pkt,
					    u8 pf, const struct snat_map *map,
					    const struct nft_set_ext *element)
{
	const struct snat_hit hit = { .map = map, .element = element };
	bool local = map->whole && snat_is_own(pkt, pf, snat_value(element));
	int err;

	if (!snat_may_enter(pkt, pf, local))
		return -1;

	err = snat_translate_hit(priv, pkt->skb, pf, &hit);
	if (!err)
		snat_enter(pkt, pf, local);
	return err;
}

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

/*
 * What the gateway sends: an error about a packet of a pair, a reset in the name
 * of a host that has one, or from an address of its own that has one.
 */
static noinline void snat_decide_sent(struct nft_regs *regs,
				      const struct nft_pktinfo *pkt, u8 pf)
{
	struct sk_buff *skb = pkt->skb;

	if (snat_may_have_pair(pf, skb) && !snat_is_copy(pkt, pf) &&
	    !snat_is_own(pkt, pf, snat_side(pf, skb, SNAT_DESTINATION))) {
		snat_mark_untracked(skb, pf);
		return;
	}
	snat_clear_decided(pf, skb);
	regs->verdict.code = NFT_BREAK;
}

/*
 * The source, or what it quotes, has a pair.  What is for us stays tracked.  The
 * packet is read from @pkt anew rather than kept over calls.
 */
static __always_inline void snat_decide(struct nft_regs *regs,
					const struct nft_pktinfo *pkt, u8 pf)
{
	if (unlikely(nft_hook(pkt) != NF_INET_PRE_ROUTING))
		snat_decide_sent(regs, pkt, pf);
	else if (likely(snat_may_have_pair(pf, pkt->skb) &&
			!snat_is_own(pkt, pf, snat_side(pf, pkt->skb,
							SNAT_DESTINATION))))
		snat_mark_untracked(pkt->skb, pf);
	else
		regs->verdict.code = NFT_BREAK;
}

static __always_inline void
snat_eval_plain(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		const struct nft_pktinfo *pkt, u8 pf, const void *header)
{
	struct snat_hit hit;

	if (snat_ask(priv->maps, pkt, pf, header, &hit)) {
		if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK)
			snat_decide(regs, pkt, pf);
		else if (likely(snat_may_translate(priv, pf, pkt->skb)))
			snat_conclude(priv, regs, pkt, pf, hit.element,
				      snat_translate_plain(priv, pkt, pf,
							   &hit));
		else
			regs->verdict.code = NFT_BREAK;
	} else if (priv->otherwise &&
		   snat_ask(priv->otherwise, pkt, pf,
			    skb_network_header(pkt->skb), &hit)) {
		snat_decide(regs, pkt, pf);
	} else {
		regs->verdict.code = NFT_BREAK;
	}
}

static noinline void
snat_eval_plain_ipv4(const struct nft_snat_stateless *priv,
		     struct nft_regs *regs, const struct nft_pktinfo *pkt,
		     const void *header)
{
	snat_eval_plain(priv, regs, pkt, NFPROTO_IPV4, header);
}

static noinline void
snat_eval_plain_ipv6(const struct nft_snat_stateless *priv,
		     struct nft_regs *regs, const struct nft_pktinfo *pkt,
		     const void *header)
{
	snat_eval_plain(priv, regs, pkt, NFPROTO_IPV6, header);
}

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

/* @outer: of the packet's own address; NULL: it has no pair. */
static int snat_translate_quoting(const struct nft_snat_stateless *priv,
				  struct sk_buff *skb, u8 pf,
				  const struct snat_hit *outer,
				  const struct snat_quote *quote,
				  const struct snat_target *inner)
{
	struct snat_target target;
	enum snat_npt npt;

	if (outer) {
		npt = snat_aim(pf, outer->map, outer->element,
			       snat_address(skb, outer->map), &target);
		if (npt != SNAT_NPT_DONE) {
			snat_ipv6_refuse(skb, priv->side, npt);
			return -1;
		}
	}
	return snat_translate_error(pf, skb, priv->side,
				    outer ? &target : NULL, quote, inner);
}

/* Has the source a pair, or what an error from it quotes? */
static bool snat_has_pair(const struct snat_map *maps,
			  const struct nft_pktinfo *pkt, u8 pf)
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
		return -1;

	err = inner ? snat_translate_quoting(priv, skb, pf, outer, quote,
					     inner) :
		      snat_translate_hit(priv, skb, pf, outer);
	if (!err && hindered)
		snat_enter(pkt, pf, local);
	if (!err && !inbound && snat_policy_may_change(nft_net(pkt)))
		err = snat_leave(pkt, pf);
	return err;
}

static void snat_eval_quoting(const struct nft_snat_stateless *priv,
			      struct nft_regs *regs,
			      const struct nft_pktinfo *pkt, u8 pf,
			      const struct snat_quote *quote)
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
			snat_decide(regs, pkt, pf);
		else
			regs->verdict.code = NFT_BREAK;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_decide(regs, pkt, pf);
		return;
	}
	if (!snat_may_translate(priv, pf, pkt->skb)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}

	err = snat_translate_quoting_on_its_way(priv, pkt, pf,
						outer ? &hit : NULL, quote,
						inner ? &target : NULL);
	snat_conclude(priv, regs, pkt, pf,
		      outer ? hit.element : inner_hit.element, err);
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

/*
 * One about a packet of a pair goes no further, be it ours or a router's.  That
 * is nothing to worry about, so it is not counted.
 */
static void snat_eval_redirect(const struct nft_snat_stateless *priv,
			       struct nft_regs *regs,
			       const struct nft_pktinfo *pkt, u8 pf,
			       const struct snat_redirect *redirect)
{
	bool concerns = snat_concerns(priv->maps, pkt, pf, redirect) ||
			snat_concerns(priv->otherwise, pkt, pf, redirect);

	regs->verdict.code = concerns ? NF_DROP : NFT_BREAK;
}

static noinline void
snat_eval_any(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	      const struct nft_pktinfo *pkt)
{
	struct snat_redirect redirect;
	struct snat_quote quote;
	u8 pf = priv->pf;

	if (snat_redirect_find(pf, pkt->skb, &redirect))
		snat_eval_redirect(priv, regs, pkt, pf, &redirect);
	else if (snat_is_local(pf, pkt->skb))
		regs->verdict.code = NFT_BREAK;
	else if (snat_quote(pf, pkt->skb, priv->side, &quote))
		snat_eval_quoting(priv, regs, pkt, pf, &quote);
	else if (pf == NFPROTO_IPV4)
		snat_eval_plain_ipv4(priv, regs, pkt, ip_hdr(pkt->skb));
	else
		snat_eval_plain_ipv6(priv, regs, pkt, ipv6_hdr(pkt->skb));
}

/*
 * What br_netfilter has shown to prerouting in a bridge becomes a packet after
 * that, with a new control block: of a decision it keeps the untracked mark.
 */
static __always_inline bool
snat_is_undecided(const struct nft_snat_stateless *priv,
		  const struct nft_pktinfo *pkt)
{
	return priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED &&
	       snat_came_by_bridge(pkt->skb);
}

static noinline void
snat_eval_from_bridge(const struct nft_snat_stateless *priv,
		      struct nft_regs *regs, const struct nft_pktinfo *pkt)
{
	if (skb_get_nfct(pkt->skb) == IP_CT_UNTRACKED &&
	    !snat_bridge_passes_on(priv->pf, pkt->skb))
		snat_eval_any(priv, regs, pkt);
	else
		regs->verdict.code = NFT_BREAK;
}

static void nft_snat_stateless_ipv4_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (unlikely(snat_is_undecided(priv, pkt)))
		snat_eval_from_bridge(priv, regs, pkt);
	else if (!snat_may_handle(pkt->skb, NFPROTO_IPV4, priv->flags))
		regs->verdict.code = NFT_BREAK;
	else if (likely(snat_ipv4_is_plain(pkt->skb)))
		snat_eval_plain_ipv4(priv, regs, pkt, ip_hdr(pkt->skb));
	else
		snat_eval_any(priv, regs, pkt);
}

static void nft_snat_stateless_ipv6_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (unlikely(snat_is_undecided(priv, pkt)))
		snat_eval_from_bridge(priv, regs, pkt);
	else if (!snat_may_handle(pkt->skb, NFPROTO_IPV6, priv->flags))
		regs->verdict.code = NFT_BREAK;
	else if (likely(snat_ipv6_is_plain(pkt->skb)))
		snat_eval_plain_ipv6(priv, regs, pkt, ipv6_hdr(pkt->skb));
	else
		snat_eval_any(priv, regs, pkt);
}

static void nft_snat_stateless_inet_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (nft_pf(pkt) != priv->pf)
		regs->verdict.code = NFT_BREAK;
	else if (priv->pf == NFPROTO_IPV4)
		nft_snat_stateless_ipv4_eval(expr, regs, pkt);
	else
		nft_snat_stateless_ipv6_eval(expr, regs, pkt);
}

static const struct nla_policy
nft_snat_stateless_policy[NFT_EXPR_MAXATTR + 1] = {
	[NFTA_SNAT_STATELESS_FIELD]	=
		NLA_POLICY_MAX(NLA_BE32, NFT_SNAT_STATELESS_DADDR),
	[NFTA_SNAT_STATELESS_MAPS]	= { .type = NLA_NESTED },
	[NFTA_SNAT_STATELESS_ELSE_MAPS]	= { .type = NLA_NESTED },
	[NFTA_SNAT_STATELESS_FLAGS]	=
		NLA_POLICY_MASK(NLA_BE32, SNAT_FLAGS),
	[NFTA_SNAT_STATELESS_DROPPED]	= { .type = NLA_REJECT },
	[NFTA_SNAT_STATELESS_PAD]	= { .type = NLA_REJECT },
	/* Those of later versions: an older module must not load a rule whose
	 * meaning it does not know.
	 */
	[NFTA_SNAT_STATELESS_MAX + 1 ... NFT_EXPR_MAXATTR] = {
		.type = NLA_REJECT
	},
};

static unsigned int snat_hooks(const struct nft_snat_stateless *priv)
{
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK ||
	    priv->side == SNAT_DESTINATION)
		return 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT;

	return 1 << NF_INET_POST_ROUTING | 1 << NF_INET_LOCAL_IN;
}

/* Called for the base chain from which the rule is reached, by jumps or not. */
static int nft_snat_stateless_validate(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	/* A nat chain sees only the first packet of a connection. */
	if (nft_is_base_chain(ctx->chain) &&
	    nft_base_chain(ctx->chain)->type->type == NFT_CHAIN_T_NAT)
		return -EOPNOTSUPP;

	return nft_chain_validate_hooks(ctx->chain, snat_hooks(priv));
}

static int snat_flags_parse(const struct nlattr *attr, u8 *flags)
{
	*flags = attr ? ntohl(nla_get_be32(attr)) : 0;

	if (*flags & NFT_SNAT_STATELESS_F_NOTRACK &&
	    *flags & NFT_SNAT_STATELESS_F_UNTRACK)
		return -EINVAL;
	if (*flags & NFT_SNAT_STATELESS_F_TRACKED &&
	    *flags & ~NFT_SNAT_STATELESS_F_TRACKED)
		return -EINVAL;
	return 0;
}

/* It marks as notrack does, and asks for the source, as nothing else would. */
static int snat_else_check(const struct nft_snat_stateless *priv)
{
	return priv->flags & NFT_SNAT_STATELESS_F_NOTRACK &&
	       priv->side == SNAT_DESTINATION ? 0 : -EINVAL;
}

static void snat_maps_undo(struct snat_map *maps)
{
	snat_maps_deactivate(maps, NFT_TRANS_PREPARE_ERROR);
	kfree(maps);
}

static int snat_maps_init(const struct nft_ctx *ctx,
			  const struct nlattr * const tb[],
			  struct nft_snat_stateless *priv)
{
	priv->pf = NFPROTO_UNSPEC;
	priv->maps = snat_maps_create(ctx, tb[NFTA_SNAT_STATELESS_MAPS],
				      priv->side, &priv->pf);
	if (IS_ERR(priv->maps))
		return PTR_ERR(priv->maps);
	/* What was decided was looked at then. */
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED)
		snat_maps_unguard(priv->maps);
	if (!tb[NFTA_SNAT_STATELESS_ELSE_MAPS])
		return 0;

	priv->otherwise = snat_maps_create(ctx,
					   tb[NFTA_SNAT_STATELESS_ELSE_MAPS],
					   SNAT_SOURCE, &priv->pf);
	if (!IS_ERR(priv->otherwise))
		return 0;

	snat_maps_undo(priv->maps);
	return PTR_ERR(priv->otherwise);
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset);

/*
 * A dump ends where a rule does not fit into a message, and all rules behind it
 * are hidden.
 */
static int snat_dump_check(const struct nft_expr *expr)
{
	struct sk_buff *skb = alloc_skb(NFT_SNAT_STATELESS_DUMP_MAX,
					GFP_KERNEL);
	int err;

	if (!skb)
		return -ENOMEM;

	skb_reserve(skb, skb_tailroom(skb) - NFT_SNAT_STATELESS_DUMP_MAX);
	err = nft_snat_stateless_dump(skb, expr, false);
	kfree_skb(skb);
	return err < 0 ? -EMSGSIZE : 0;
}

static int nft_snat_stateless_init(const struct nft_ctx *ctx,
				   const struct nft_expr *expr,
				   const struct nlattr * const tb[])
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);
	int err;

	/* Module autoload opens this door to every unprivileged user. */
	if (ctx->net->user_ns != &init_user_ns)
		return -EPERM;

	if (!tb[NFTA_SNAT_STATELESS_FIELD] || !tb[NFTA_SNAT_STATELESS_MAPS])
		return -EINVAL;

	err = snat_flags_parse(tb[NFTA_SNAT_STATELESS_FLAGS], &priv->flags);
	if (err < 0)
		return err;

	priv->side = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_FIELD])) ==
		     NFT_SNAT_STATELESS_SADDR ? SNAT_SOURCE : SNAT_DESTINATION;

	/* Again at commit, for the chains that jump here. */
	err = nft_snat_stateless_validate(ctx, expr);
	if (err < 0)
		return err;

	err = tb[NFTA_SNAT_STATELESS_ELSE_MAPS] ? snat_else_check(priv) : 0;
	if (err < 0)
		return err;

	priv->dropped = alloc_percpu_gfp(atomic64_t, GFP_KERNEL_ACCOUNT);
	if (!priv->dropped)
		return -ENOMEM;

	err = snat_maps_init(ctx, tb, priv);
	if (err < 0)
		goto err_maps;

	err = snat_dump_check(expr);
	if (err < 0)
		goto err_dump;
	return 0;

err_dump:
	snat_maps_undo(priv->otherwise);
	snat_maps_undo(priv->maps);
err_maps:
	free_percpu(priv->dropped);
	return err;
}

static void nft_snat_stateless_activate(const struct nft_ctx *ctx,
					const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_activate(priv->maps);
	snat_maps_activate(priv->otherwise);
}

static void nft_snat_stateless_deactivate(const struct nft_ctx *ctx,
					  const struct nft_expr *expr,
					  enum nft_trans_phase phase)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_deactivate(priv->maps, phase);
	snat_maps_deactivate(priv->otherwise, phase);
}

static void nft_snat_stateless_destroy(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	kfree(priv->maps);
	kfree(priv->otherwise);
	free_percpu(priv->dropped);
}

/* With @reset each packet is told once, however many ask at a time. */
static u64 snat_dropped(atomic64_t __percpu *dropped, bool reset)
{
	atomic64_t *one;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(dropped, cpu);
		sum += reset ? atomic64_xchg(one, 0) : atomic64_read(one);
	}
	return sum;
}

/* Nothing is taken before there is room to tell it. */
static int snat_dropped_dump(struct sk_buff *skb,
			     atomic64_t __percpu *dropped, bool reset)
{
	struct nlattr *attr = nla_reserve_64bit(skb,
						NFTA_SNAT_STATELESS_DROPPED,
						sizeof(__be64),
						NFTA_SNAT_STATELESS_PAD);

	if (!attr)
		return -1;

	*(__be64 *)nla_data(attr) = cpu_to_be64(snat_dropped(dropped, reset));
	return 0;
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	u32 field = priv->side == SNAT_SOURCE ? NFT_SNAT_STATELESS_SADDR :
						NFT_SNAT_STATELESS_DADDR;

	if (nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(field)) ||
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_MAPS, priv->maps) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(priv->flags)))
		return -1;
	if (priv->otherwise &&
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_ELSE_MAPS,
			   priv->otherwise))
		return -1;

	return snat_dropped_dump(skb, priv->dropped, reset);
}

static struct nft_expr_type nft_snat_stateless_type;
#define SNAT_OPS(family)						\
	static const struct nft_expr_ops nft_snat_stateless_##family##_ops = { \
		.type		= &nft_snat_stateless_type,		\
		.size		=					\
			NFT_EXPR_SIZE(sizeof(struct nft_snat_stateless)), \
		.eval		= nft_snat_stateless_##family##_eval,	\
		.init		= nft_snat_stateless_init,		\
		.activate	= nft_snat_stateless_activate,		\
		.deactivate	= nft_snat_stateless_deactivate,	\
		.destroy	= nft_snat_stateless_destroy,		\
		.dump		= nft_snat_stateless_dump,		\
		.validate	= nft_snat_stateless_validate,		\
	}

SNAT_OPS(ipv4);
SNAT_OPS(ipv6);
SNAT_OPS(inet);

static const struct nft_expr_ops *
nft_snat_stateless_select_ops(const struct nft_ctx *ctx,
			      const struct nlattr * const tb[])
{
	switch (ctx->family) {
	case NFPROTO_IPV4:
		return &nft_snat_stateless_ipv4_ops;
	case NFPROTO_IPV6:
		return &nft_snat_stateless_ipv6_ops;
	case NFPROTO_INET:
		return &nft_snat_stateless_inet_ops;
	default:
		return ERR_PTR(-EAFNOSUPPORT);
	}
}

static struct nft_expr_type nft_snat_stateless_type __read_mostly = {
	.name		= NFT_SNAT_STATELESS_NAME,
	.select_ops	= nft_snat_stateless_select_ops,
	.policy		= nft_snat_stateless_policy,
	.maxattr	= NFT_EXPR_MAXATTR,
	.owner		= THIS_MODULE,
};

static int __init nft_snat_stateless_module_init(void)
{
	int err = snat_own_register();

	if (err < 0)
		return err;

	err = nft_register_expr(&nft_snat_stateless_type);
	if (err < 0)
		snat_own_unregister();
	return err;
}

static void __exit nft_snat_stateless_module_exit(void)
{
	nft_unregister_expr(&nft_snat_stateless_type);
	snat_own_unregister();
}

module_init(nft_snat_stateless_module_init);
module_exit(nft_snat_stateless_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nftables: stateless two-way static 1:1 NAT");
MODULE_VERSION(NFT_SNAT_STATELESS_VERSION);
MODULE_ALIAS_NFT_EXPR("snat_stateless");
