// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet at a rule: which way it goes.  The short one is for what quotes
 * nothing, and is the price of the product.
 */
#include "eval.h"

#include <net/netfilter/nf_tables.h>

#include "bridged.h"
#include "counts.h"
#include "decision.h"
#include "expression.h"
#include "family.h"
#include "forward.h"
#include "maps.h"
#include "packet.h"
#include "plain.h"
#include "quoting.h"
#include "redirect.h"
#include "translate.h"

static bool snat_is_of(const struct snat_map *maps,
		       const struct nft_pktinfo *pkt, u8 pf)
{
	struct snat_hit hit;

	return maps && snat_maps_ask(maps, pkt, pf,
				     snat_address(pkt->skb, maps), &hit);
}

#define SNAT_EVAL_PLAIN(name, pf, scoped)					\
	static noinline void						\
	snat_eval_##name(const struct nft_snat_stateless *priv,		\
			 struct nft_regs *regs,				\
			 const struct nft_pktinfo *pkt,			\
			 const void *header)				\
	{								\
		snat_eval_plain(priv, regs, pkt, pf, header, scoped);	\
	}

SNAT_EVAL_PLAIN(plain_ipv4, NFPROTO_IPV4, false);
SNAT_EVAL_PLAIN(plain_ipv6, NFPROTO_IPV6, false);
SNAT_EVAL_PLAIN(scoped_ipv4, NFPROTO_IPV4, true);
SNAT_EVAL_PLAIN(scoped_ipv6, NFPROTO_IPV6, true);

static __always_inline void
snat_eval_header(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		 const struct nft_pktinfo *pkt, u8 pf, bool scoped)
{
	const void *header = skb_network_header(pkt->skb);

	if (pf == NFPROTO_IPV4 && scoped)
		snat_eval_scoped_ipv4(priv, regs, pkt, header);
	else if (pf == NFPROTO_IPV4)
		snat_eval_plain_ipv4(priv, regs, pkt, header);
	else if (scoped)
		snat_eval_scoped_ipv6(priv, regs, pkt, header);
	else
		snat_eval_plain_ipv6(priv, regs, pkt, header);
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
	else
		snat_eval_header(priv, regs, pkt, pf, priv->scope);
}

/*
 * What br_netfilter has shown to prerouting in a bridge becomes a packet after
 * that, with a new control block: of a decision it keeps the untracked mark, and
 * nothing if conntrack follows it.
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
	bool is_ours = priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED ?
		       snat_decide_late(priv, pkt, priv->pf) :
		       skb_get_nfct(pkt->skb) == IP_CT_UNTRACKED &&
		       !snat_bridge_passes_on(priv->pf, pkt->skb);

	if (is_ours)
		snat_eval_any(priv, regs, pkt);
	else
		regs->verdict.code = NFT_BREAK;
}

/* What conntrack follows: has it a pair? */
static noinline void
snat_eval_tracked(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		  const struct nft_pktinfo *pkt)
{
	u8 pf = priv->pf;

	if (snat_may_have_pair(pf, pkt->skb) &&
	    (snat_is_of(priv->maps, pkt, pf) ||
	     snat_is_of(priv->otherwise, pkt, pf)))
		snat_leave_alone(priv, regs, pkt, SNAT_TRACKED);
	else
		regs->verdict.code = NFT_BREAK;
}

static noinline void
snat_eval_late(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       const struct nft_pktinfo *pkt)
{
	if (snat_decide_late(priv, pkt, priv->pf))
		snat_eval_any(priv, regs, pkt);
	else
		regs->verdict.code = NFT_BREAK;
}

/*
 * Rules of type nat have given what conntrack follows other addresses than those
 * by which prerouting decided; an answer to a masqueraded packet was for us.
 */
static bool snat_is_renamed(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ct && ct->status & IPS_NAT_MASK;
}

/* What others follow, or what was not decided, or not yet. */
static __always_inline void
snat_eval_unmarked(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		   const struct nft_pktinfo *pkt, bool scoped)
{
	if (!(priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED))
		snat_eval_tracked(priv, regs, pkt);
	else if ((scoped && unlikely(pkt->skb->mark)) ||
		 (priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED &&
		  snat_is_renamed(pkt->skb)))
		snat_eval_late(priv, regs, pkt);
	else
		regs->verdict.code = NFT_BREAK;
}

static __always_inline bool snat_is_plain(u8 pf, const struct sk_buff *skb)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_is_plain(skb) :
				    snat_ipv6_is_plain(skb);
}

static __always_inline void
snat_eval(const struct nft_expr *expr, struct nft_regs *regs,
	  const struct nft_pktinfo *pkt, u8 pf, bool scoped, bool forwards)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (unlikely(snat_is_undecided(priv, pkt)))
		snat_eval_from_bridge(priv, regs, pkt);
	else if (!snat_may_handle(pkt->skb, pf, priv->flags))
		snat_eval_unmarked(priv, regs, pkt, scoped);
	else if (unlikely(!snat_is_plain(pf, pkt->skb)))
		snat_eval_any(priv, regs, pkt);
	else if (!forwards)
		snat_eval_header(priv, regs, pkt, pf, scoped);
	else if (pf == NFPROTO_IPV4)
		snat_forward_ipv4(priv, regs, pkt,
				  skb_network_header(pkt->skb));
	else
		snat_forward_ipv6(priv, regs, pkt,
				  skb_network_header(pkt->skb));
}

void snat_eval_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt)
{
	snat_eval(expr, regs, pkt, NFPROTO_IPV4, false, false);
}

void snat_eval_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt)
{
	snat_eval(expr, regs, pkt, NFPROTO_IPV6, false, false);
}

void snat_eval_via_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt)
{
	snat_eval(expr, regs, pkt, NFPROTO_IPV4, true, false);
}

void snat_eval_via_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt)
{
	snat_eval(expr, regs, pkt, NFPROTO_IPV6, true, false);
}

static __always_inline void
snat_eval_one_of(const struct nft_expr *expr, struct nft_regs *regs,
		 const struct nft_pktinfo *pkt, bool scoped)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (nft_pf(pkt) != priv->pf)
		regs->verdict.code = NFT_BREAK;
	else if (priv->pf == NFPROTO_IPV4)
		snat_eval(expr, regs, pkt, NFPROTO_IPV4, scoped, false);
	else
		snat_eval(expr, regs, pkt, NFPROTO_IPV6, scoped, false);
}

void snat_eval_inet(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt)
{
	snat_eval_one_of(expr, regs, pkt, false);
}

void snat_eval_via_inet(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt)
{
	snat_eval_one_of(expr, regs, pkt, true);
}

static __always_inline void
snat_eval_forwarding(const struct nft_expr *expr, struct nft_regs *regs,
		     const struct nft_pktinfo *pkt, u8 pf)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_eval(expr, regs, pkt, pf, priv->scope, true);
}

void snat_eval_forward_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt)
{
	snat_eval_forwarding(expr, regs, pkt, NFPROTO_IPV4);
}

void snat_eval_forward_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt)
{
	snat_eval_forwarding(expr, regs, pkt, NFPROTO_IPV6);
}

void snat_eval_forward_inet(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (nft_pf(pkt) != priv->pf)
		regs->verdict.code = NFT_BREAK;
	else if (priv->pf == NFPROTO_IPV4)
		snat_eval_forwarding(expr, regs, pkt, NFPROTO_IPV4);
	else
		snat_eval_forwarding(expr, regs, pkt, NFPROTO_IPV6);
}
