// SPDX-License-Identifier: GPL-2.0-only
/* The nftables face: a rule's life, and what it holds meanwhile. */

#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/netfilter/nf_tables.h>

#include "counts.h"
#include "eval.h"
#include "exempt.h"
#include "expression.h"
#include "forward.h"
#include "maps.h"
#include "own.h"
#include "packet.h"
#include "route.h"
#include "scope.h"
#include "settings.h"

static unsigned int snat_hooks(const struct nft_snat_stateless *priv)
{
	if (priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED)
		return 1 << NF_INET_POST_ROUTING;
	if ((priv->scope && priv->side == SNAT_DESTINATION) ||
	    priv->flags & NFT_SNAT_STATELESS_F_FORWARD)
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
	if ((priv->flags & SNAT_F_FOLLOWS) != SNAT_F_FOLLOWS &&
	    nft_is_base_chain(ctx->chain) &&
	    nft_base_chain(ctx->chain)->type->type == NFT_CHAIN_T_NAT)
		return -EOPNOTSUPP;

	return nft_chain_validate_hooks(ctx->chain, snat_hooks(priv));
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
	/* What was decided was looked at then; not all of what is followed. */
	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED &&
	    !(priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED))
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

static int snat_exempt_init(const struct nlattr * const tb[],
			    struct nft_snat_stateless *priv)
{
	const struct nlattr *unless = tb[NFTA_SNAT_STATELESS_UNLESS];
	const struct nlattr *only = tb[NFTA_SNAT_STATELESS_ONLY];

	if (!unless && !only)
		return 0;

	priv->exempt = snat_exempt_create(only ?: unless, priv->pf, only);
	return PTR_ERR_OR_ZERO(priv->exempt);
}

/* A regular chain may be reached from prerouting. */
static bool snat_keeps_routes(const struct nft_ctx *ctx,
			      const struct nft_snat_stateless *priv)
{
	bool decides = priv->otherwise ||
		       priv->flags & NFT_SNAT_STATELESS_F_UNTRACK;

	if (priv->flags & NFT_SNAT_STATELESS_F_FOLLOWED)
		return false;
	return priv->scope && decides &&
	       (!nft_is_base_chain(ctx->chain) ||
		nft_base_chain(ctx->chain)->ops.hooknum ==
			NF_INET_PRE_ROUTING);
}

static int snat_guard_init(const struct nft_ctx *ctx,
			   struct nft_snat_stateless *priv)
{
	if (!snat_keeps_routes(ctx, priv))
		return 0;

	priv->guard = snat_route_guard(ctx->net, priv->pf);
	return PTR_ERR_OR_ZERO(priv->guard);
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

	err = snat_settings_parse(priv, tb);
	if (err < 0)
		return err;

	err = snat_scope_init(tb[NFTA_SNAT_STATELESS_VIA], priv);
	if (err < 0)
		return err;

	/* Again at commit, for the chains that jump here. */
	err = nft_snat_stateless_validate(ctx, expr);
	if (err < 0)
		goto err_parts;

	err = snat_settings_check(priv, tb);
	if (err < 0)
		goto err_parts;

	err = -ENOMEM;
	priv->counts = alloc_percpu_gfp(struct snat_counts, GFP_KERNEL_ACCOUNT);
	if (!priv->counts)
		goto err_parts;

	err = snat_maps_init(ctx, tb, priv);
	if (err < 0)
		goto err_maps;

	err = snat_exempt_init(tb, priv);
	if (err < 0)
		goto err_exempt;

	err = snat_errors_parse(priv, tb[NFTA_SNAT_STATELESS_ERRORS_AS]);
	if (err < 0)
		goto err_dump;

	err = snat_settings_fit(priv);
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
	free_percpu(priv->counts);
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
	free_percpu(priv->counts);
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset)
{
	return snat_settings_dump(skb, nft_expr_priv(expr), reset);
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
SNAT_OPS(forward_ipv4);
SNAT_OPS(forward_ipv6);
SNAT_OPS(forward_inet);

/* By which function it is evaluated, so that no packet has to ask what its rule is. */
enum snat_kind {
	SNAT_PLAIN,
	SNAT_VIA,
	SNAT_FORWARD,
	SNAT_KINDS
};

static const struct nft_expr_ops *const snat_ops_ipv4[SNAT_KINDS] = {
	[SNAT_PLAIN]	= &nft_snat_stateless_ipv4_ops,
	[SNAT_VIA]	= &nft_snat_stateless_via_ipv4_ops,
	[SNAT_FORWARD]	= &nft_snat_stateless_forward_ipv4_ops,
};

static const struct nft_expr_ops *const snat_ops_ipv6[SNAT_KINDS] = {
	[SNAT_PLAIN]	= &nft_snat_stateless_ipv6_ops,
	[SNAT_VIA]	= &nft_snat_stateless_via_ipv6_ops,
	[SNAT_FORWARD]	= &nft_snat_stateless_forward_ipv6_ops,
};

static const struct nft_expr_ops *const snat_ops_inet[SNAT_KINDS] = {
	[SNAT_PLAIN]	= &nft_snat_stateless_inet_ops,
	[SNAT_VIA]	= &nft_snat_stateless_via_inet_ops,
	[SNAT_FORWARD]	= &nft_snat_stateless_forward_inet_ops,
};

static enum snat_kind snat_kind(const struct nlattr * const tb[])
{
	const struct nlattr *flags = tb[NFTA_SNAT_STATELESS_FLAGS];

	if (flags &&
	    ntohl(nla_get_be32(flags)) & NFT_SNAT_STATELESS_F_FORWARD)
		return SNAT_FORWARD;
	return tb[NFTA_SNAT_STATELESS_VIA] ? SNAT_VIA : SNAT_PLAIN;
}

static const struct nft_expr_ops *
nft_snat_stateless_select_ops(const struct nft_ctx *ctx,
			      const struct nlattr * const tb[])
{
	switch (ctx->family) {
	case NFPROTO_IPV4:
		return snat_ops_ipv4[snat_kind(tb)];
	case NFPROTO_IPV6:
		return snat_ops_ipv6[snat_kind(tb)];
	case NFPROTO_INET:
		return snat_ops_inet[snat_kind(tb)];
	default:
		return ERR_PTR(-EAFNOSUPPORT);
	}
}

static struct nft_expr_type nft_snat_stateless_type __read_mostly = {
	.name		= NFT_SNAT_STATELESS_NAME,
	.select_ops	= nft_snat_stateless_select_ops,
	.policy		= snat_settings_policy,
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
	snat_forward_let_go();
	snat_own_unregister();
}

module_init(nft_snat_stateless_module_init);
module_exit(nft_snat_stateless_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nftables: stateless two-way static 1:1 NAT");
MODULE_VERSION(NFT_SNAT_STATELESS_VERSION);
MODULE_ALIAS_NFT_EXPR("snat_stateless");
