// SPDX-License-Identifier: GPL-2.0-only
/* The nftables face: attributes, the maps, a rule's life. */

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/netfilter/nf_tables.h>

#include "eval.h"
#include "exempt.h"
#include "expression.h"
#include "maps.h"
#include "own.h"
#include "packet.h"
#include "route.h"
#include "scope.h"

#define SNAT_FLAGS	(NFT_SNAT_STATELESS_F_NOTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACKED |	\
			 NFT_SNAT_STATELESS_F_TRACKED)

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
	[NFTA_SNAT_STATELESS_UNLESS]	= { .type = NLA_NESTED },
	[NFTA_SNAT_STATELESS_VIA]	= { .type = NLA_NESTED },
	/* Those of later versions: an older module must not load a rule whose
	 * meaning it does not know.
	 */
	[NFTA_SNAT_STATELESS_MAX + 1 ... NFT_EXPR_MAXATTR] = {
		.type = NLA_REJECT
	},
};

static unsigned int snat_hooks(const struct nft_snat_stateless *priv)
{
	if (priv->scope && priv->side == SNAT_DESTINATION)
		return 1 << NF_INET_PRE_ROUTING;
	if (priv->scope && priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED)
		return 1 << NF_INET_POST_ROUTING;
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

/*
 * A destination is no condition for what is translated, only for a decision,
 * which with interfaces may be made late.
 */
static int snat_unless_check(const struct nft_snat_stateless *priv,
			     const struct nlattr * const tb[])
{
	u8 deciding = NFT_SNAT_STATELESS_F_UNTRACK |
		      (tb[NFTA_SNAT_STATELESS_VIA] ?
		       NFT_SNAT_STATELESS_F_UNTRACKED : 0);

	return tb[NFTA_SNAT_STATELESS_ELSE_MAPS] ||
	       (priv->flags & deciding && priv->side == SNAT_SOURCE) ?
	       0 : -EINVAL;
}

/* The three parts of a translation that begin or end a way. */
static int snat_via_check(const struct nft_snat_stateless *priv)
{
	u8 needed = priv->side == SNAT_DESTINATION ?
		    NFT_SNAT_STATELESS_F_NOTRACK :
		    NFT_SNAT_STATELESS_F_UNTRACK |
		    NFT_SNAT_STATELESS_F_UNTRACKED;

	return priv->flags & needed ? 0 : -EINVAL;
}

static int snat_parts_check(const struct nft_snat_stateless *priv,
			    const struct nlattr * const tb[])
{
	int err = 0;

	if (tb[NFTA_SNAT_STATELESS_ELSE_MAPS])
		err = snat_else_check(priv);
	if (!err && tb[NFTA_SNAT_STATELESS_UNLESS])
		err = snat_unless_check(priv, tb);
	if (!err && tb[NFTA_SNAT_STATELESS_VIA])
		err = snat_via_check(priv);
	return err;
}

static int snat_scope_init(const struct nlattr *list,
			   struct nft_snat_stateless *priv)
{
	if (!list)
		return 0;

	priv->scope = snat_scope_create(list);
	return PTR_ERR_OR_ZERO(priv->scope);
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

static int snat_exempt_init(const struct nlattr *list,
			    struct nft_snat_stateless *priv)
{
	if (!list)
		return 0;

	priv->exempt = snat_exempt_create(list, priv->pf);
	return PTR_ERR_OR_ZERO(priv->exempt);
}

static bool snat_decides(const struct nft_snat_stateless *priv)
{
	return priv->otherwise || priv->flags & NFT_SNAT_STATELESS_F_UNTRACK;
}

static int snat_guard_init(const struct nft_ctx *ctx,
			   struct nft_snat_stateless *priv)
{
	if (!priv->scope || !snat_decides(priv))
		return 0;

	priv->guard = snat_route_guard(ctx->net, priv->pf);
	return PTR_ERR_OR_ZERO(priv->guard);
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

	err = snat_scope_init(tb[NFTA_SNAT_STATELESS_VIA], priv);
	if (err < 0)
		return err;

	/* Again at commit, for the chains that jump here. */
	err = nft_snat_stateless_validate(ctx, expr);
	if (err < 0)
		goto err_parts;

	err = snat_parts_check(priv, tb);
	if (err < 0)
		goto err_parts;

	err = -ENOMEM;
	priv->dropped = alloc_percpu_gfp(atomic64_t, GFP_KERNEL_ACCOUNT);
	if (!priv->dropped)
		goto err_parts;

	err = snat_maps_init(ctx, tb, priv);
	if (err < 0)
		goto err_maps;

	err = snat_exempt_init(tb[NFTA_SNAT_STATELESS_UNLESS], priv);
	if (err < 0)
		goto err_exempt;

	err = snat_dump_check(expr);
	if (err < 0)
		goto err_dump;

	err = snat_guard_init(ctx, priv);
	if (err < 0)
		goto err_dump;
	return 0;

err_dump:
	kfree(priv->exempt);
err_exempt:
	snat_maps_undo(priv->otherwise);
	snat_maps_undo(priv->maps);
err_maps:
	free_percpu(priv->dropped);
err_parts:
	kfree(priv->scope);
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

	snat_route_unguard(ctx->net, priv->guard);
	kfree(priv->maps);
	kfree(priv->otherwise);
	kfree(priv->exempt);
	kfree(priv->scope);
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
	if (priv->scope && snat_scope_dump(skb, priv->scope))
		return -1;
	if (priv->exempt && snat_exempt_dump(skb, priv->exempt, priv->pf))
		return -1;

	return snat_dropped_dump(skb, priv->dropped, reset);
}

static struct nft_expr_type nft_snat_stateless_type;
#define SNAT_OPS(family)						\
	static const struct nft_expr_ops nft_snat_stateless_##family##_ops = { \
		.type		= &nft_snat_stateless_type,		\
		.size		=					\
			NFT_EXPR_SIZE(sizeof(struct nft_snat_stateless)), \
		.eval		= snat_eval_##family,	\
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
SNAT_OPS(via_ipv4);
SNAT_OPS(via_ipv6);
SNAT_OPS(via_inet);

static const struct nft_expr_ops *
nft_snat_stateless_select_ops(const struct nft_ctx *ctx,
			      const struct nlattr * const tb[])
{
	const struct nlattr *via = tb[NFTA_SNAT_STATELESS_VIA];

	switch (ctx->family) {
	case NFPROTO_IPV4:
		return via ? &nft_snat_stateless_via_ipv4_ops :
			     &nft_snat_stateless_ipv4_ops;
	case NFPROTO_IPV6:
		return via ? &nft_snat_stateless_via_ipv6_ops :
			     &nft_snat_stateless_ipv6_ops;
	case NFPROTO_INET:
		return via ? &nft_snat_stateless_via_inet_ops :
			     &nft_snat_stateless_inet_ops;
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
