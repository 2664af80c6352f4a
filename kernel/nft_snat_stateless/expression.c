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

#include "packet.h"

#define SNAT_FLAGS	(NFT_SNAT_STATELESS_F_NOTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACKED |	\
			 NFT_SNAT_STATELESS_F_TRACKED)

/* Maps whose elements come and go by themselves, match by range, or belong to
 * one rule only.
 */
#define SNAT_MAP_KINDS_REFUSED	(NFT_SET_ANONYMOUS | NFT_SET_INTERVAL |	\
				 NFT_SET_TIMEOUT | NFT_SET_EVAL |	\
				 NFT_SET_CONCAT)

struct nft_snat_stateless {
	struct nft_set		*map;
	/* Apart, because nf_tables copies this struct for the packet path. */
	atomic64_t		*dropped;
	enum snat_side		side:8;
	u8			flags;
	u8			pf;	/* of the map's addresses */
	struct nft_set_binding	binding;
};

/* A template only carries settings for conntrack; it is no entry. */
static bool snat_may_handle(const struct sk_buff *skb, u8 flags)
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

/* The packet face of the family; pf is one of the two that init lets pass. */
static const u32 *snat_address(u8 pf, const struct sk_buff *skb,
			       enum snat_side side)
{
	return pf == NFPROTO_IPV4 ? snat_ipv4_address(skb, side) :
				    snat_ipv6_address(skb, side);
}

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
			  const union nf_inet_addr *address,
			  const struct snat_quote *quote,
			  const union nf_inet_addr *quoted)
{
	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate(skb, side, address, quote, quoted) :
	       snat_ipv6_translate(skb, side, address, quote, quoted);
}

static const union nf_inet_addr *snat_value(const struct nft_set_ext *ext)
{
	return ext ? (const void *)nft_set_ext_data(ext) : NULL;
}

static void nft_snat_stateless_eval(const struct nft_expr *expr,
				    struct nft_regs *regs,
				    const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	const struct nft_set_ext *outer, *inner = NULL;
	const struct net *net = nft_net(pkt);
	struct sk_buff *skb = pkt->skb;
	struct snat_quote quote;
	u8 pf = priv->pf;

	if (nft_pf(pkt) != pf || !snat_may_handle(skb, priv->flags))
		goto leave_alone;

	outer = nft_set_do_lookup(net, priv->map,
				  snat_address(pf, skb, priv->side));
	if (snat_quote(pf, skb, priv->side, &quote))
		inner = nft_set_do_lookup(net, priv->map, quote.address.all);
	if ((!outer && !inner) || snat_is_local(pf, skb))
		goto leave_alone;

	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_mark_untracked(skb);
		return;
	}

	if (snat_translate(pf, skb, priv->side, snat_value(outer), &quote,
			   snat_value(inner)))
		goto drop;

	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK)
		snat_mark_untracked(skb);
	nft_set_elem_update_expr(outer ?: inner, regs, pkt);
	return;

leave_alone:
	regs->verdict.code = NFT_BREAK;
	return;
drop:
	atomic64_inc(priv->dropped);
	regs->verdict.code = NF_DROP;
}

static const struct nla_policy
nft_snat_stateless_policy[NFT_EXPR_MAXATTR + 1] = {
	[NFTA_SNAT_STATELESS_FIELD]	=
		NLA_POLICY_MAX(NLA_BE32, NFT_SNAT_STATELESS_DADDR),
	[NFTA_SNAT_STATELESS_MAP]	= { .type = NLA_STRING,
					    .len = NFT_SET_MAXNAMELEN - 1 },
	[NFTA_SNAT_STATELESS_MAP_ID]	= { .type = NLA_U32 },
	[NFTA_SNAT_STATELESS_FLAGS]	=
		NLA_POLICY_MASK(NLA_BE32, SNAT_FLAGS),
	/* Dump only, and attributes of later versions: an older module must
	 * not load a rule whose meaning it does not know.
	 */
	[NFTA_SNAT_STATELESS_DROPPED ... NFT_EXPR_MAXATTR] = {
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

/* In inet the map decides which packets are meant; elsewhere it must fit. */
static int snat_map_check(const struct nft_set *map, u8 family, u8 *pf)
{
	if (!(map->flags & NFT_SET_MAP) || map->flags & NFT_SET_OBJECT ||
	    map->dtype == NFT_DATA_VERDICT)
		return -EMEDIUMTYPE;

	if (map->klen == sizeof(struct in_addr))
		*pf = NFPROTO_IPV4;
	else if (map->klen == sizeof(struct in6_addr))
		*pf = NFPROTO_IPV6;
	else
		return -EPROTOTYPE;
	if (map->dlen != map->klen ||
	    (family != NFPROTO_INET && family != *pf))
		return -EPROTOTYPE;

	if (map->flags & SNAT_MAP_KINDS_REFUSED)
		return -EPROTONOSUPPORT;
	return 0;
}

static int nft_snat_stateless_init(const struct nft_ctx *ctx,
				   const struct nft_expr *expr,
				   const struct nlattr * const tb[])
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);
	struct nft_set *map;
	int err;

	/* Module autoload opens this door to every unprivileged user. */
	if (ctx->net->user_ns != &init_user_ns)
		return -EPERM;

	if (ctx->family != NFPROTO_IPV4 && ctx->family != NFPROTO_IPV6 &&
	    ctx->family != NFPROTO_INET)
		return -EAFNOSUPPORT;

	if (!tb[NFTA_SNAT_STATELESS_FIELD] || !tb[NFTA_SNAT_STATELESS_MAP])
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

	map = nft_set_lookup_global(ctx->net, ctx->table,
				    tb[NFTA_SNAT_STATELESS_MAP],
				    tb[NFTA_SNAT_STATELESS_MAP_ID],
				    nft_genmask_next(ctx->net));
	if (IS_ERR(map))
		return PTR_ERR(map) == -ENOENT ? -ENODATA : PTR_ERR(map);

	err = snat_map_check(map, ctx->family, &priv->pf);
	if (err < 0)
		return err;

	priv->dropped = kzalloc(sizeof(*priv->dropped), GFP_KERNEL_ACCOUNT);
	if (!priv->dropped)
		return -ENOMEM;

	/* Without NFT_SET_MAP in binding.flags: that asks for a walk over all
	 * elements in search of verdicts, and there are none.
	 */
	err = nf_tables_bind_set(ctx, map, &priv->binding);
	if (err < 0)
		goto err_bind;

	priv->map = map;
	return 0;

err_bind:
	kfree(priv->dropped);
	return err;
}

static void nft_snat_stateless_activate(const struct nft_ctx *ctx,
					const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	nf_tables_activate_set(ctx, priv->map);
}

static void nft_snat_stateless_deactivate(const struct nft_ctx *ctx,
					  const struct nft_expr *expr,
					  enum nft_trans_phase phase)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	nf_tables_deactivate_set(ctx, priv->map, &priv->binding, phase);
}

static void nft_snat_stateless_destroy(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);

	nf_tables_destroy_set(ctx, priv->map);
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
	    nla_put_string(skb, NFTA_SNAT_STATELESS_MAP, priv->map->name) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(priv->flags)) ||
	    nla_put_be64(skb, NFTA_SNAT_STATELESS_DROPPED,
			 cpu_to_be64(dropped), NFTA_SNAT_STATELESS_PAD))
		return -1;

	if (reset)
		atomic64_sub(dropped, priv->dropped);
	return 0;
}

static struct nft_expr_type nft_snat_stateless_type;
static const struct nft_expr_ops nft_snat_stateless_ops = {
	.type		= &nft_snat_stateless_type,
	.size		= NFT_EXPR_SIZE(sizeof(struct nft_snat_stateless)),
	.eval		= nft_snat_stateless_eval,
	.init		= nft_snat_stateless_init,
	.activate	= nft_snat_stateless_activate,
	.deactivate	= nft_snat_stateless_deactivate,
	.destroy	= nft_snat_stateless_destroy,
	.dump		= nft_snat_stateless_dump,
	.validate	= nft_snat_stateless_validate,
};

static struct nft_expr_type nft_snat_stateless_type __read_mostly = {
	.name		= NFT_SNAT_STATELESS_NAME,
	.ops		= &nft_snat_stateless_ops,
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
