// SPDX-License-Identifier: GPL-2.0-only
/* The nftables face: attributes, the map, which packets are handled, verdicts. */

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

#include "maps.h"
#include "packet.h"

#define SNAT_FLAGS	(NFT_SNAT_STATELESS_F_NOTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACKED |	\
			 NFT_SNAT_STATELESS_F_TRACKED)

/**
 * struct snat_search - an address and the maps that may have it
 *
 * @hosts: the first map, if it is one of whole addresses
 * @maps: all of them
 * @side: the address
 * @offset: where it is in the IP header
 */
struct snat_search {
	const struct nft_set	*hosts;
	struct snat_maps	*maps;
	enum snat_side		side:8;
	u8			offset;
};

struct nft_snat_stateless {
	struct snat_search	search;
	struct snat_search	otherwise;	/* without maps: none */
	/* Apart, because nf_tables copies this struct for the packet path. */
	atomic64_t		*dropped;
	u8			flags;
	u8			pf;	/* of the maps' addresses */
};

/* A template only carries settings for conntrack; it is no entry. */
static __always_inline bool snat_may_handle(const struct sk_buff *skb, u8 flags)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (flags & NFT_SNAT_STATELESS_F_UNTRACKED)
		return !ct && ctinfo == IP_CT_UNTRACKED;

	return !ct || nf_ct_is_template(ct) ||
	       flags & NFT_SNAT_STATELESS_F_TRACKED;
}

static void snat_mark_untracked(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

static const union nf_inet_addr *
snat_address(const struct sk_buff *skb, const struct snat_search *search)
{
	return (const void *)skb_network_header(skb) + search->offset;
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
			  struct snat_target target)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_translate(skb, side, target) :
				    snat_ipv6_translate(skb, side, target);
}

static int snat_translate_error(u8 pf, struct sk_buff *skb, enum snat_side side,
				struct snat_target target,
				const struct snat_quote *quote,
				struct snat_target quoted)
{
	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate_error(skb, side, target, quote, quoted) :
	       snat_ipv6_translate_error(skb, side, target, quote, quoted);
}

/* What a hit makes of an address; @to is where that is put together. */
static enum snat_npt snat_aim(u8 pf, const struct snat_hit *hit,
			      const union nf_inet_addr *address,
			      union nf_inet_addr *to,
			      struct snat_target *target)
{
	const struct snat_prefix *prefix = &hit->map->prefix;
	union nf_inet_addr old, new;

	snat_combine(pf, prefix, snat_value(hit), address, to);
	target->address = to;
	target->neutral = hit->map->npt;
	if (!hit->map->npt)
		return SNAT_NPT_DONE;

	snat_combine(pf, prefix, address, NULL, &old);
	snat_combine(pf, prefix, snat_value(hit), NULL, &new);
	return snat_npt_adjust(&to->in6, &old.in6, &new.in6, prefix->length);
}

/* A packet of a prefix, or an ICMP error whose quote may be of another pair. */
static noinline int
snat_translate_hits(u8 pf, struct sk_buff *skb,
		    const struct snat_search *search, struct snat_hit outer,
		    const struct snat_quote *quote, struct snat_hit inner)
{
	enum snat_side side = search->side;
	struct snat_target target = {}, quoted = {};
	union nf_inet_addr to, quoted_to;
	enum snat_npt npt;

	if (outer.element) {
		npt = snat_aim(pf, &outer, snat_address(skb, search), &to,
			       &target);
		if (npt != SNAT_NPT_DONE) {
			snat_ipv6_refuse(skb, side, npt);
			return -1;
		}
	}
	if (inner.element) {
		snat_aim(pf, &inner, &quote->address, &quoted_to, &quoted);
		return snat_translate_error(pf, skb, side, target, quote,
					    quoted);
	}
	return snat_translate(pf, skb, side, target);
}

/*
 * A map of hosts comes first if there is one, and is often all there is: the
 * packet itself holds its key.  Whatever is needed again after the lookup is read
 * again; most packets have no pair, and nothing to save registers for.
 */
static __always_inline struct snat_hit
snat_ask(const struct snat_search *search, const struct nft_pktinfo *pkt, u8 pf)
{
	struct snat_hit hit = {};

	if (likely(search->hosts)) {
		hit.element = nft_set_do_lookup(nft_net(pkt), search->hosts,
				snat_address(pkt->skb, search)->all);
		if (hit.element) {
			if (snat_is_hole(pf, hit.element))
				hit.element = NULL;
			hit.map = search->maps->map;
			return hit;
		}
		if (likely(search->maps->count == 1))
			return hit;
	}
	return snat_maps_ask(nft_net(pkt), pf, search->maps, !!search->hosts,
			     snat_address(pkt->skb, search));
}

static __always_inline struct snat_hit
snat_ask_quote(const struct snat_search *search, const struct nft_pktinfo *pkt,
	       u8 pf, struct snat_quote *quote)
{
	const struct snat_hit none = {};
	struct snat_target target;
	union nf_inet_addr to;
	struct snat_hit hit;

	if (!snat_quote(pf, pkt->skb, search->side, quote))
		return none;
	hit = snat_maps_ask(nft_net(pkt), pf, search->maps, 0, &quote->address);
	/* One without a counterpart stays as it is. */
	if (hit.element &&
	    snat_aim(pf, &hit, &quote->address, &to, &target) != SNAT_NPT_DONE)
		return none;
	return hit;
}

/* Apart from the search, so that a packet of no pair does not pay for it. */
static __always_inline void
snat_eval_hit(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	      const struct nft_pktinfo *pkt, u8 pf, struct snat_hit outer,
	      const struct snat_quote *quote, struct snat_hit inner)
{
	struct sk_buff *skb = pkt->skb;
	int err;

	if (snat_is_local(pf, skb)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_mark_untracked(skb);
		return;
	}

	if (!quote && likely(outer.map->whole)) {
		const struct snat_target target = {
			.address = snat_value(&outer),
		};

		err = snat_translate(pf, skb, priv->search.side, target);
	} else {
		err = snat_translate_hits(pf, skb, &priv->search, outer, quote,
					  inner);
	}
	if (err) {
		atomic64_inc(priv->dropped);
		regs->verdict.code = NF_DROP;
		return;
	}

	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK)
		snat_mark_untracked(skb);
	nft_set_elem_update_expr(outer.element ?: inner.element, regs, pkt);
}

static noinline void
snat_eval_hit_ipv4(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		   const struct nft_pktinfo *pkt, struct snat_hit hit)
{
	const struct snat_hit none = {};

	snat_eval_hit(priv, regs, pkt, NFPROTO_IPV4, hit, NULL, none);
}

static noinline void
snat_eval_hit_ipv6(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		   const struct nft_pktinfo *pkt, struct snat_hit hit)
{
	const struct snat_hit none = {};

	snat_eval_hit(priv, regs, pkt, NFPROTO_IPV6, hit, NULL, none);
}

/* @quote: room for one, or NULL if the packet cannot have any. */
static __always_inline void
snat_eval_miss(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       const struct nft_pktinfo *pkt, u8 pf, struct snat_quote *quote)
{
	const struct snat_search *search = &priv->otherwise;

	if (search->maps &&
	    (snat_ask(search, pkt, pf).element ||
	     (quote && snat_ask_quote(search, pkt, pf, quote).element)) &&
	    !snat_is_local(pf, pkt->skb))
		snat_mark_untracked(pkt->skb);
	else
		regs->verdict.code = NFT_BREAK;
}

static noinline void
snat_eval_quoting(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		  const struct nft_pktinfo *pkt)
{
	struct snat_hit outer, inner;
	struct snat_quote quote;
	u8 pf = priv->pf;

	outer = snat_ask(&priv->search, pkt, pf);
	inner = snat_ask_quote(&priv->search, pkt, pf, &quote);
	if (outer.element || inner.element)
		snat_eval_hit(priv, regs, pkt, pf, outer, &quote, inner);
	else
		snat_eval_miss(priv, regs, pkt, pf, &quote);
}

static noinline void
snat_eval_ipv4(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       const struct nft_pktinfo *pkt)
{
	struct snat_hit hit;

	hit = snat_ask(&priv->search, pkt, NFPROTO_IPV4);
	if (hit.element)
		snat_eval_hit_ipv4(priv, regs, pkt, hit);
	else
		snat_eval_miss(priv, regs, pkt, NFPROTO_IPV4, NULL);
}

static noinline void
snat_eval_ipv6(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       const struct nft_pktinfo *pkt)
{
	struct snat_hit hit;

	hit = snat_ask(&priv->search, pkt, NFPROTO_IPV6);
	if (hit.element)
		snat_eval_hit_ipv6(priv, regs, pkt, hit);
	else
		snat_eval_miss(priv, regs, pkt, NFPROTO_IPV6, NULL);
}

static void nft_snat_stateless_ipv4_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (!snat_may_handle(pkt->skb, priv->flags))
		regs->verdict.code = NFT_BREAK;
	else if (unlikely(snat_ipv4_may_quote(pkt->skb)))
		snat_eval_quoting(priv, regs, pkt);
	else
		snat_eval_ipv4(priv, regs, pkt);
}

static void nft_snat_stateless_ipv6_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (!snat_may_handle(pkt->skb, priv->flags))
		regs->verdict.code = NFT_BREAK;
	else if (unlikely(snat_ipv6_may_quote(pkt->skb)))
		snat_eval_quoting(priv, regs, pkt);
	else
		snat_eval_ipv6(priv, regs, pkt);
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
	    priv->search.side == SNAT_DESTINATION)
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
	       priv->search.side == SNAT_DESTINATION ? 0 : -EINVAL;
}

static int snat_search_init(const struct nft_ctx *ctx,
			    const struct nlattr *list, u8 *pf,
			    struct snat_search *search)
{
	search->maps = snat_maps_create(ctx, list, pf);
	if (IS_ERR(search->maps))
		return PTR_ERR(search->maps);

	if (search->maps->map->whole)
		search->hosts = search->maps->map->set;
	search->offset = *pf == NFPROTO_IPV4 ? snat_ipv4_offset(search->side) :
					       snat_ipv6_offset(search->side);
	return 0;
}

static int snat_searches_init(const struct nft_ctx *ctx,
			      const struct nlattr * const tb[],
			      struct nft_snat_stateless *priv)
{
	int err;

	priv->pf = NFPROTO_UNSPEC;
	err = snat_search_init(ctx, tb[NFTA_SNAT_STATELESS_MAPS], &priv->pf,
			       &priv->search);
	if (err < 0 || !tb[NFTA_SNAT_STATELESS_ELSE_MAPS])
		return err;

	priv->otherwise.side = SNAT_SOURCE;
	err = snat_search_init(ctx, tb[NFTA_SNAT_STATELESS_ELSE_MAPS],
			       &priv->pf, &priv->otherwise);
	if (err < 0) {
		snat_maps_deactivate(ctx, priv->search.maps,
				     NFT_TRANS_PREPARE_ERROR);
		snat_maps_destroy(ctx, priv->search.maps);
	}
	return err;
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

	priv->search.side = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_FIELD])) ==
		     NFT_SNAT_STATELESS_SADDR ? SNAT_SOURCE : SNAT_DESTINATION;

	/* Again at commit, for the chains that jump here. */
	err = nft_snat_stateless_validate(ctx, expr);
	if (err < 0)
		return err;

	err = tb[NFTA_SNAT_STATELESS_ELSE_MAPS] ? snat_else_check(priv) : 0;
	if (err < 0)
		return err;

	priv->dropped = kzalloc(sizeof(*priv->dropped), GFP_KERNEL_ACCOUNT);
	if (!priv->dropped)
		return -ENOMEM;

	err = snat_searches_init(ctx, tb, priv);
	if (err < 0)
		kfree(priv->dropped);
	return err;
}

static void nft_snat_stateless_activate(const struct nft_ctx *ctx,
					const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_activate(ctx, priv->search.maps);
	snat_maps_activate(ctx, priv->otherwise.maps);
}

static void nft_snat_stateless_deactivate(const struct nft_ctx *ctx,
					  const struct nft_expr *expr,
					  enum nft_trans_phase phase)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_deactivate(ctx, priv->search.maps, phase);
	snat_maps_deactivate(ctx, priv->otherwise.maps, phase);
}

static void nft_snat_stateless_destroy(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_destroy(ctx, priv->search.maps);
	snat_maps_destroy(ctx, priv->otherwise.maps);
	kfree(priv->dropped);
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	u32 field = priv->search.side == SNAT_SOURCE ? NFT_SNAT_STATELESS_SADDR :
						NFT_SNAT_STATELESS_DADDR;
	s64 dropped = atomic64_read(priv->dropped);

	if (nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(field)) ||
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_MAPS, priv->search.maps) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(priv->flags)) ||
	    nla_put_be64(skb, NFTA_SNAT_STATELESS_DROPPED,
			 cpu_to_be64(dropped), NFTA_SNAT_STATELESS_PAD))
		return -1;
	if (priv->otherwise.maps &&
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_ELSE_MAPS,
			   priv->otherwise.maps))
		return -1;

	if (reset)
		atomic64_sub(dropped, priv->dropped);
	return 0;
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
	return nft_register_expr(&nft_snat_stateless_type);
}

static void __exit nft_snat_stateless_module_exit(void)
{
	nft_unregister_expr(&nft_snat_stateless_type);
}

module_init(nft_snat_stateless_module_init);
module_exit(nft_snat_stateless_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nftables: stateless two-way static 1:1 NAT");
MODULE_ALIAS_NFT_EXPR("snat_stateless");
