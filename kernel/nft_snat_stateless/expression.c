// SPDX-License-Identifier: GPL-2.0-only
/* The nftables face: attributes, the map, which packets are handled, verdicts. */

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
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
 * struct nft_snat_stateless - one expression
 *
 * @maps: those that may have the address
 * @otherwise: those that may have the source of a packet that @maps have
 *	nothing for, which is marked then; may be NULL
 * @dropped: apart, because nf_tables copies this struct for the packet path
 * @flags: enum nft_snat_stateless_flags
 * @side: the address
 * @pf: of the maps' addresses
 */
struct nft_snat_stateless {
	struct snat_map		*maps;
	struct snat_map		*otherwise;
	atomic64_t		*dropped;
	u8			flags;
	enum snat_side		side:8;
	u8			pf;
};

/* A template only carries settings for conntrack; it is no entry. */
static __always_inline bool snat_may_handle(const struct sk_buff *skb, u8 flags)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct;

	if (flags & NFT_SNAT_STATELESS_F_UNTRACKED)
		return skb_get_nfct(skb) == IP_CT_UNTRACKED;

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

static __always_inline void snat_mark_untracked(struct sk_buff *skb)
{
	if (likely(!skb_get_nfct(skb)))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	else
		snat_mark_tracked(skb);
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

/* The packet's own address. */
static const union snat_address *snat_address(const struct sk_buff *skb,
					      const struct snat_map *maps)
{
	return (const void *)skb_network_header(skb) + maps->offset;
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
			return !snat_is_hole(pf, hit->element);
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
	      const struct nft_pktinfo *pkt,
	      const struct nft_set_ext *element, int err)
{
	if (unlikely(err)) {
		atomic64_inc(priv->dropped);
		regs->verdict.code = NF_DROP;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK)
		snat_mark_untracked(pkt->skb);
	nft_set_elem_update_expr(element, regs, pkt);
}

static __always_inline void
snat_eval_plain(const struct nft_snat_stateless *priv, struct nft_regs *regs,
		const struct nft_pktinfo *pkt, u8 pf, const void *header)
{
	struct snat_hit hit;

	if (snat_ask(priv->maps, pkt, pf, header, &hit)) {
		if (!(priv->flags & NFT_SNAT_STATELESS_F_UNTRACK)) {
			snat_conclude(priv, regs, pkt, hit.element,
				      snat_translate_hit(priv, pkt->skb, pf,
							 &hit));
			return;
		}
	} else if (!priv->otherwise ||
		   !snat_ask(priv->otherwise, pkt, pf,
			     skb_network_header(pkt->skb), &hit)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	snat_mark_untracked(pkt->skb);
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

/* What a hit makes of an address. */
static enum snat_npt snat_aim(u8 pf, const struct snat_hit *hit,
			      const union snat_address *address,
			      struct snat_target *target)
{
	const struct snat_prefix *prefix = &hit->map->prefix;
	const union snat_address *value = snat_value(hit->element);

	target->neutral = hit->map->npt;
	if (target->neutral)
		return snat_npt_translate(prefix, value, address,
					  &target->address);

	snat_prefix_replace(pf, prefix, value, address, &target->address);
	return SNAT_NPT_DONE;
}

/* A quoted address that has no counterpart stays as it is. */
static bool snat_ask_quote(const struct snat_map *maps,
			   const struct nft_pktinfo *pkt, u8 pf,
			   const struct snat_quote *quote, struct snat_hit *hit,
			   struct snat_target *target)
{
	return snat_maps_ask(maps, pkt, pf, &quote->address, hit) &&
	       snat_aim(pf, hit, &quote->address, target) == SNAT_NPT_DONE;
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
		npt = snat_aim(pf, outer, snat_address(skb, outer->map),
			       &target);
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
			snat_mark_untracked(pkt->skb);
		else
			regs->verdict.code = NFT_BREAK;
		return;
	}
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_mark_untracked(pkt->skb);
		return;
	}

	err = inner ? snat_translate_quoting(priv, pkt->skb, pf,
					     outer ? &hit : NULL, quote,
					     &target) :
		      snat_translate_hit(priv, pkt->skb, pf, &hit);
	snat_conclude(priv, regs, pkt, outer ? hit.element : inner_hit.element,
		      err);
}

static noinline void
snat_eval_any(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	      const struct nft_pktinfo *pkt)
{
	struct snat_quote quote;
	u8 pf = priv->pf;

	if (snat_is_local(pf, pkt->skb))
		regs->verdict.code = NFT_BREAK;
	else if (snat_quote(pf, pkt->skb, priv->side, &quote))
		snat_eval_quoting(priv, regs, pkt, pf, &quote);
	else if (pf == NFPROTO_IPV4)
		snat_eval_plain_ipv4(priv, regs, pkt, ip_hdr(pkt->skb));
	else
		snat_eval_plain_ipv6(priv, regs, pkt, ipv6_hdr(pkt->skb));
}

static void nft_snat_stateless_ipv4_eval(const struct nft_expr *expr,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);

	if (!snat_may_handle(pkt->skb, priv->flags))
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

	if (!snat_may_handle(pkt->skb, priv->flags))
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

static int snat_maps_init(const struct nft_ctx *ctx,
			  const struct nlattr * const tb[],
			  struct nft_snat_stateless *priv)
{
	priv->pf = NFPROTO_UNSPEC;
	priv->maps = snat_maps_create(ctx, tb[NFTA_SNAT_STATELESS_MAPS],
				      priv->side, &priv->pf);
	if (IS_ERR(priv->maps))
		return PTR_ERR(priv->maps);
	if (!tb[NFTA_SNAT_STATELESS_ELSE_MAPS])
		return 0;

	priv->otherwise = snat_maps_create(ctx,
					   tb[NFTA_SNAT_STATELESS_ELSE_MAPS],
					   SNAT_SOURCE, &priv->pf);
	if (!IS_ERR(priv->otherwise))
		return 0;

	snat_maps_deactivate(ctx, priv->maps, NFT_TRANS_PREPARE_ERROR);
	snat_maps_destroy(ctx, priv->maps);
	return PTR_ERR(priv->otherwise);
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

	priv->dropped = kzalloc(sizeof(*priv->dropped), GFP_KERNEL_ACCOUNT);
	if (!priv->dropped)
		return -ENOMEM;

	err = snat_maps_init(ctx, tb, priv);
	if (err < 0)
		kfree(priv->dropped);
	return err;
}

static void nft_snat_stateless_activate(const struct nft_ctx *ctx,
					const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_activate(ctx, priv->maps);
	snat_maps_activate(ctx, priv->otherwise);
}

static void nft_snat_stateless_deactivate(const struct nft_ctx *ctx,
					  const struct nft_expr *expr,
					  enum nft_trans_phase phase)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_deactivate(ctx, priv->maps, phase);
	snat_maps_deactivate(ctx, priv->otherwise, phase);
}

static void nft_snat_stateless_destroy(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	snat_maps_destroy(ctx, priv->maps);
	snat_maps_destroy(ctx, priv->otherwise);
	kfree(priv->dropped);
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	u32 field = priv->side == SNAT_SOURCE ? NFT_SNAT_STATELESS_SADDR :
						NFT_SNAT_STATELESS_DADDR;
	s64 dropped = atomic64_read(priv->dropped);

	if (nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(field)) ||
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_MAPS, priv->maps) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(priv->flags)) ||
	    nla_put_be64(skb, NFTA_SNAT_STATELESS_DROPPED,
			 cpu_to_be64(dropped), NFTA_SNAT_STATELESS_PAD))
		return -1;
	if (priv->otherwise &&
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_ELSE_MAPS,
			   priv->otherwise))
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
