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

#include "packet.h"
#include "prefix.h"

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

struct snat_map {
	struct nft_set		*set;
	struct snat_prefix	prefix;
	bool			npt;
	struct nft_set_binding	binding;
};

struct snat_maps {
	atomic64_t		dropped;
	unsigned int		count;
	struct snat_map		map[];
};

#define snat_for_each_map(m, maps)					\
	for ((m) = (maps)->map; (m) < (maps)->map + (maps)->count; (m)++)

struct nft_snat_stateless {
	/* Apart, because nf_tables copies this struct for the packet path. */
	struct snat_maps	*maps;
	enum snat_side		side:8;
	u8			flags;
	u8			pf;	/* of the maps' addresses */
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
static const union nf_inet_addr *
snat_address(u8 pf, const struct sk_buff *skb, enum snat_side side)
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

static bool snat_is_same(u8 pf, const union nf_inet_addr *a,
			 const union nf_inet_addr *b)
{
	return pf == NFPROTO_IPV4 ? a->ip == b->ip :
				    ipv6_addr_equal(&a->in6, &b->in6);
}

static bool snat_is_local(u8 pf, const struct sk_buff *skb)
{
	return pf == NFPROTO_IPV6 && snat_ipv6_is_local(skb);
}

static int snat_translate(u8 pf, struct sk_buff *skb, enum snat_side side,
			  const struct snat_target *target,
			  const struct snat_quote *quote,
			  const struct snat_target *quoted)
{
	return pf == NFPROTO_IPV4 ?
	       snat_ipv4_translate(skb, side, target, quote, quoted) :
	       snat_ipv6_translate(skb, side, target, quote, quoted);
}

static void snat_combine(u8 pf, const struct snat_prefix *prefix,
			 const union nf_inet_addr *from,
			 const union nf_inet_addr *host,
			 union nf_inet_addr *to)
{
	if (pf == NFPROTO_IPV4)
		snat_ipv4_combine(prefix, from, host, to);
	else
		snat_ipv6_combine(prefix, from, host, to);
}

/* The element that an address belongs to; element is NULL where there is none. */
struct snat_hit {
	const struct nft_set_ext	*element;
	const struct snat_map		*map;
};

static const union nf_inet_addr *snat_value(const struct snat_hit *hit)
{
	return (const void *)nft_set_ext_data(hit->element);
}

static struct snat_hit snat_lookup(const struct net *net, u8 pf,
				   const struct snat_maps *maps,
				   const union nf_inet_addr *address)
{
	union nf_inet_addr key, value;
	struct snat_hit hit = {};

	snat_for_each_map(hit.map, maps) {
		const struct snat_prefix *prefix = &hit.map->prefix;

		snat_combine(pf, prefix, address, NULL, &key);
		hit.element = nft_set_do_lookup(net, hit.map->set, key.all);
		if (!hit.element)
			continue;

		/* A hole in the prefixes that come behind. */
		snat_combine(pf, prefix, snat_value(&hit), NULL, &value);
		if (snat_is_same(pf, &key, &value))
			hit.element = NULL;
		break;
	}
	return hit;
}

static enum snat_npt snat_aim(u8 pf, const struct snat_hit *hit,
			      const union nf_inet_addr *address,
			      struct snat_target *target)
{
	const struct snat_prefix *prefix = &hit->map->prefix;
	union nf_inet_addr from, to;

	snat_combine(pf, prefix, snat_value(hit), address, &target->address);
	target->neutral = hit->map->npt;
	if (!hit->map->npt)
		return SNAT_NPT_DONE;

	snat_combine(pf, prefix, address, NULL, &from);
	snat_combine(pf, prefix, snat_value(hit), NULL, &to);
	return snat_npt_adjust(&target->address.in6, &from.in6, &to.in6,
			       prefix->length);
}

static void nft_snat_stateless_eval(const struct nft_expr *expr,
				    struct nft_regs *regs,
				    const struct nft_pktinfo *pkt)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	const union nf_inet_addr *address;
	struct snat_target target, quoted;
	struct snat_hit outer, inner = {};
	struct sk_buff *skb = pkt->skb;
	struct snat_quote quote;
	u8 pf = priv->pf;
	enum snat_npt npt;

	if (nft_pf(pkt) != pf || !snat_may_handle(skb, priv->flags))
		goto leave_alone;

	address = snat_address(pf, skb, priv->side);
	outer = snat_lookup(nft_net(pkt), pf, priv->maps, address);
	if (snat_quote(pf, skb, priv->side, &quote))
		inner = snat_lookup(nft_net(pkt), pf, priv->maps,
				    &quote.address);
	if ((!outer.element && !inner.element) || snat_is_local(pf, skb))
		goto leave_alone;

	if (priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) {
		snat_mark_untracked(skb);
		return;
	}

	if (outer.element) {
		npt = snat_aim(pf, &outer, address, &target);
		if (npt != SNAT_NPT_DONE) {
			snat_ipv6_refuse(skb, priv->side, npt);
			goto drop;
		}
	}
	if (inner.element &&
	    snat_aim(pf, &inner, &quote.address, &quoted) != SNAT_NPT_DONE)
		inner.element = NULL;

	if (snat_translate(pf, skb, priv->side,
			   outer.element ? &target : NULL, &quote,
			   inner.element ? &quoted : NULL))
		goto drop;

	if (priv->flags & NFT_SNAT_STATELESS_F_NOTRACK)
		snat_mark_untracked(skb);
	nft_set_elem_update_expr(outer.element ?: inner.element, regs, pkt);
	return;

leave_alone:
	regs->verdict.code = NFT_BREAK;
	return;
drop:
	atomic64_inc(&priv->maps->dropped);
	regs->verdict.code = NF_DROP;
}

static const struct nla_policy
nft_snat_stateless_policy[NFT_EXPR_MAXATTR + 1] = {
	[NFTA_SNAT_STATELESS_FIELD]	=
		NLA_POLICY_MAX(NLA_BE32, NFT_SNAT_STATELESS_DADDR),
	[NFTA_SNAT_STATELESS_MAPS]	= { .type = NLA_NESTED },
	[NFTA_SNAT_STATELESS_FLAGS]	=
		NLA_POLICY_MASK(NLA_BE32, SNAT_FLAGS),
	/* Dump only, and attributes of later versions: an older module must
	 * not load a rule whose meaning it does not know.
	 */
	[NFTA_SNAT_STATELESS_DROPPED ... NFT_EXPR_MAXATTR] = {
		.type = NLA_REJECT
	},
};

static const struct nla_policy
snat_map_policy[NFTA_SNAT_STATELESS_MAP_MAX + 1] = {
	[NFTA_SNAT_STATELESS_MAP_NAME]	= { .type = NLA_STRING,
					    .len = NFT_SET_MAXNAMELEN - 1 },
	[NFTA_SNAT_STATELESS_MAP_ID]	= { .type = NLA_U32 },
	[NFTA_SNAT_STATELESS_MAP_PREFIX] = NLA_POLICY_MIN(NLA_BE32, 1),
	[NFTA_SNAT_STATELESS_MAP_FLAGS]	=
		NLA_POLICY_MASK(NLA_BE32, NFT_SNAT_STATELESS_MAP_F_NPT),
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

static int snat_set_check(const struct nft_set *set, u8 family, u8 *pf)
{
	if (!(set->flags & NFT_SET_MAP) || set->flags & NFT_SET_OBJECT ||
	    set->dtype == NFT_DATA_VERDICT)
		return -EMEDIUMTYPE;

	if (set->klen == sizeof(struct in_addr))
		*pf = NFPROTO_IPV4;
	else if (set->klen == sizeof(struct in6_addr))
		*pf = NFPROTO_IPV6;
	else
		return -EPROTOTYPE;
	if (set->dlen != set->klen ||
	    (family != NFPROTO_INET && family != *pf))
		return -EPROTOTYPE;

	if (set->flags & SNAT_MAP_KINDS_REFUSED)
		return -EPROTONOSUPPORT;
	return 0;
}

static int snat_prefix_parse(const struct nlattr *attr, struct snat_map *map)
{
	u32 longest = map->set->klen * BITS_PER_BYTE;
	u32 length = attr ? ntohl(nla_get_be32(attr)) : longest;

	if (map->npt && map->set->klen != sizeof(struct in6_addr))
		return -EPROTOTYPE;
	if (map->npt)
		longest = SNAT_NPT_LENGTH_MAX;
	if (length > longest)
		return -ERANGE;

	snat_prefix_init(&map->prefix, length);
	return 0;
}

static int snat_map_parse(const struct nft_ctx *ctx, const struct nlattr *attr,
			  struct snat_map *map, u8 *pf)
{
	struct nlattr *tb[NFTA_SNAT_STATELESS_MAP_MAX + 1];
	u32 flags = 0;
	int err;

	err = nla_parse_nested(tb, NFTA_SNAT_STATELESS_MAP_MAX, attr,
			       snat_map_policy, NULL);
	if (err < 0)
		return err;
	if (!tb[NFTA_SNAT_STATELESS_MAP_NAME])
		return -EINVAL;

	map->set = nft_set_lookup_global(ctx->net, ctx->table,
					 tb[NFTA_SNAT_STATELESS_MAP_NAME],
					 tb[NFTA_SNAT_STATELESS_MAP_ID],
					 nft_genmask_next(ctx->net));
	if (IS_ERR(map->set))
		return PTR_ERR(map->set) == -ENOENT ? -ENODATA :
						      PTR_ERR(map->set);

	err = snat_set_check(map->set, ctx->family, pf);
	if (err < 0)
		return err;

	if (tb[NFTA_SNAT_STATELESS_MAP_FLAGS])
		flags = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_MAP_FLAGS]));
	map->npt = flags & NFT_SNAT_STATELESS_MAP_F_NPT;
	return snat_prefix_parse(tb[NFTA_SNAT_STATELESS_MAP_PREFIX], map);
}

/* In inet the maps decide which packets are meant; elsewhere they must fit. */
static int snat_maps_parse(const struct nft_ctx *ctx,
			   const struct nlattr *list,
			   struct snat_maps *maps, u8 *pf)
{
	const struct nlattr *attr;
	u8 family = 0;
	int err, rem;

	nla_for_each_nested(attr, list, rem) {
		err = snat_map_parse(ctx, attr, &maps->map[maps->count],
				     &family);
		if (err < 0)
			return err;
		if (maps->count && family != *pf)
			return -EPROTOTYPE;
		*pf = family;
		maps->count++;
	}
	return 0;
}

/* As many as the list has, and nothing but maps in it. */
static struct snat_maps *snat_maps_alloc(const struct nlattr *list)
{
	const struct nlattr *attr;
	struct snat_maps *maps;
	unsigned int count = 0;
	int rem;

	nla_for_each_nested(attr, list, rem) {
		if (nla_type(attr) != NFTA_LIST_ELEM)
			return ERR_PTR(-EINVAL);
		if (++count > NFT_SNAT_STATELESS_MAPS_MAX)
			return ERR_PTR(-E2BIG);
	}
	if (!count)
		return ERR_PTR(-EINVAL);

	maps = kzalloc(struct_size(maps, map, count), GFP_KERNEL_ACCOUNT);
	return maps ?: ERR_PTR(-ENOMEM);
}

/*
 * Without NFT_SET_MAP in binding.flags: that asks for a walk over all elements
 * in search of verdicts, and there are none.
 */
static int snat_maps_bind(const struct nft_ctx *ctx, struct snat_maps *maps)
{
	struct snat_map *map;
	int err;

	snat_for_each_map(map, maps) {
		err = nf_tables_bind_set(ctx, map->set, &map->binding);
		if (err < 0)
			goto err_bind;
	}
	return 0;

err_bind:
	while (map-- > maps->map)
		nf_tables_deactivate_set(ctx, map->set, &map->binding,
					 NFT_TRANS_PREPARE_ERROR);
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

	if (ctx->family != NFPROTO_IPV4 && ctx->family != NFPROTO_IPV6 &&
	    ctx->family != NFPROTO_INET)
		return -EAFNOSUPPORT;

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

	priv->maps = snat_maps_alloc(tb[NFTA_SNAT_STATELESS_MAPS]);
	if (IS_ERR(priv->maps))
		return PTR_ERR(priv->maps);

	err = snat_maps_parse(ctx, tb[NFTA_SNAT_STATELESS_MAPS], priv->maps,
			      &priv->pf);
	if (err < 0)
		goto err_maps;

	err = snat_maps_bind(ctx, priv->maps);
	if (err < 0)
		goto err_maps;
	return 0;

err_maps:
	kfree(priv->maps);
	return err;
}

static void nft_snat_stateless_activate(const struct nft_ctx *ctx,
					const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);
	struct snat_map *map;

	snat_for_each_map(map, priv->maps)
		nf_tables_activate_set(ctx, map->set);
}

static void nft_snat_stateless_deactivate(const struct nft_ctx *ctx,
					  const struct nft_expr *expr,
					  enum nft_trans_phase phase)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);
	struct snat_map *map;

	snat_for_each_map(map, priv->maps)
		nf_tables_deactivate_set(ctx, map->set, &map->binding, phase);
}

static void nft_snat_stateless_destroy(const struct nft_ctx *ctx,
				       const struct nft_expr *expr)
{
	struct nft_snat_stateless *priv = nft_expr_priv(expr);
	struct snat_map *map;

	snat_for_each_map(map, priv->maps)
		nf_tables_destroy_set(ctx, map->set);
	kfree(priv->maps);
}

static int snat_prefix_dump(struct sk_buff *skb, const struct snat_map *map)
{
	if (map->prefix.length == map->set->klen * BITS_PER_BYTE)
		return 0;

	return nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_PREFIX,
			    htonl(map->prefix.length));
}

static int snat_map_dump(struct sk_buff *skb, const struct snat_map *map)
{
	u32 flags = map->npt ? NFT_SNAT_STATELESS_MAP_F_NPT : 0;
	struct nlattr *nest = nla_nest_start(skb, NFTA_LIST_ELEM);

	if (!nest ||
	    nla_put_string(skb, NFTA_SNAT_STATELESS_MAP_NAME,
			   map->set->name) ||
	    snat_prefix_dump(skb, map) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_FLAGS, htonl(flags)))
		return -1;

	nla_nest_end(skb, nest);
	return 0;
}

static int snat_maps_dump(struct sk_buff *skb, const struct snat_maps *maps)
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_MAPS);
	const struct snat_map *map;

	if (!nest)
		return -1;
	snat_for_each_map(map, maps)
		if (snat_map_dump(skb, map))
			return -1;

	nla_nest_end(skb, nest);
	return 0;
}

static int nft_snat_stateless_dump(struct sk_buff *skb,
				   const struct nft_expr *expr, bool reset)
{
	const struct nft_snat_stateless *priv = nft_expr_priv(expr);
	u32 field = priv->side == SNAT_SOURCE ? NFT_SNAT_STATELESS_SADDR :
						NFT_SNAT_STATELESS_DADDR;
	s64 dropped = atomic64_read(&priv->maps->dropped);

	if (nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(field)) ||
	    snat_maps_dump(skb, priv->maps) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(priv->flags)) ||
	    nla_put_be64(skb, NFTA_SNAT_STATELESS_DROPPED,
			 cpu_to_be64(dropped), NFTA_SNAT_STATELESS_PAD))
		return -1;

	if (reset)
		atomic64_sub(dropped, &priv->maps->dropped);
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
