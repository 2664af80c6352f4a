// SPDX-License-Identifier: GPL-2.0-only
/* What a rule asks for, from netlink and back. */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <net/netlink.h>

#include "counts.h"
#include "exempt.h"
#include "maps.h"
#include "scope.h"
#include "settings.h"

#define SNAT_FLAGS	(NFT_SNAT_STATELESS_F_NOTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACK |		\
			 NFT_SNAT_STATELESS_F_UNTRACKED |	\
			 NFT_SNAT_STATELESS_F_TRACKED |		\
			 NFT_SNAT_STATELESS_F_FORWARD |		\
			 SNAT_F_FOLLOWS)

const struct nla_policy snat_settings_policy[NFT_EXPR_MAXATTR + 1] = {
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
	[NFTA_SNAT_STATELESS_ONLY]	= { .type = NLA_NESTED },
	[NFTA_SNAT_STATELESS_ERRORS_AS]	= { .type = NLA_BINARY },
	/* Those of later versions: an older module must not load a rule whose
	 * meaning it does not know.
	 */
	[NFTA_SNAT_STATELESS_MAX + 1 ... NFT_EXPR_MAXATTR] = {
		.type = NLA_REJECT
	},
};

/*
 * What the flags of conntrack's packets imply, so that a packet meets one question
 * in place of two: in which role a rule stands, whoever keeps the packet.
 */
static u8 snat_flags_implied(u8 flags, enum snat_side side)
{
	u8 implied = 0;

	if (flags & NFT_SNAT_STATELESS_F_FOLLOW)
		implied |= side == SNAT_DESTINATION ?
			   NFT_SNAT_STATELESS_F_NOTRACK :
			   NFT_SNAT_STATELESS_F_UNTRACK;
	if (flags & NFT_SNAT_STATELESS_F_FOLLOWED)
		implied |= NFT_SNAT_STATELESS_F_UNTRACKED;
	return implied;
}

static int snat_flags_parse(const struct nlattr *attr, enum snat_side side,
			    u8 *flags)
{
	*flags = attr ? ntohl(nla_get_be32(attr)) : 0;

	if (*flags & SNAT_F_FOLLOWS) {
		if (*flags & ~SNAT_F_FOLLOWS ||
		    (*flags & NFT_SNAT_STATELESS_F_FOLLOWED &&
		     side == SNAT_DESTINATION))
			return -EINVAL;
		*flags |= snat_flags_implied(*flags, side);
		return 0;
	}
	if (*flags & NFT_SNAT_STATELESS_F_NOTRACK &&
	    *flags & NFT_SNAT_STATELESS_F_UNTRACK)
		return -EINVAL;
	if (*flags & NFT_SNAT_STATELESS_F_TRACKED &&
	    *flags & ~(NFT_SNAT_STATELESS_F_TRACKED |
		       NFT_SNAT_STATELESS_F_UNTRACK))
		return -EINVAL;
	return 0;
}

int snat_settings_parse(struct nft_snat_stateless *priv,
			const struct nlattr * const tb[])
{
	if (!tb[NFTA_SNAT_STATELESS_FIELD] || !tb[NFTA_SNAT_STATELESS_MAPS])
		return -EINVAL;

	priv->side = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_FIELD])) ==
		     NFT_SNAT_STATELESS_SADDR ? SNAT_SOURCE : SNAT_DESTINATION;
	return snat_flags_parse(tb[NFTA_SNAT_STATELESS_FLAGS], priv->side,
				&priv->flags);
}

/* It marks as notrack does, and asks for the source, as nothing else would. */
static int snat_else_check(const struct nft_snat_stateless *priv)
{
	return priv->flags & NFT_SNAT_STATELESS_F_NOTRACK &&
	       priv->side == SNAT_DESTINATION ? 0 : -EINVAL;
}

/* Only who knows both sides of a pair can pass a packet on. */
static int snat_forward_check(const struct nft_snat_stateless *priv,
			      const struct nlattr * const tb[])
{
	return tb[NFTA_SNAT_STATELESS_ELSE_MAPS] &&
	       !(priv->flags & NFT_SNAT_STATELESS_F_UNTRACKED) ? 0 : -EINVAL;
}

/*
 * A destination is no condition for what is translated, only for a decision,
 * which may be made late with interfaces, or behind a bridge.
 */
static int snat_exempt_check(const struct nft_snat_stateless *priv,
			     const struct nlattr * const tb[])
{
	u8 deciding = NFT_SNAT_STATELESS_F_UNTRACK |
		      NFT_SNAT_STATELESS_F_FOLLOWED |
		      (tb[NFTA_SNAT_STATELESS_VIA] ?
		       NFT_SNAT_STATELESS_F_UNTRACKED : 0);

	if (tb[NFTA_SNAT_STATELESS_UNLESS] && tb[NFTA_SNAT_STATELESS_ONLY])
		return -EINVAL;
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

/* Where sources are translated, and not only decided about. */
static int snat_errors_check(const struct nft_snat_stateless *priv)
{
	return priv->side == SNAT_SOURCE &&
	       !(priv->flags & NFT_SNAT_STATELESS_F_UNTRACK) ? 0 : -EINVAL;
}

int snat_errors_parse(struct nft_snat_stateless *priv,
		      const struct nlattr *address)
{
	if (!address)
		return 0;
	if (nla_len(address) != (priv->pf == NFPROTO_IPV4 ?
				 sizeof(struct in_addr) :
				 sizeof(struct in6_addr)))
		return -EPROTOTYPE;

	nla_memcpy(&priv->errors_as, address, sizeof(priv->errors_as));
	priv->lends = true;
	return 0;
}

int snat_settings_check(const struct nft_snat_stateless *priv,
			const struct nlattr * const tb[])
{
	int err = 0;

	if (tb[NFTA_SNAT_STATELESS_ELSE_MAPS])
		err = snat_else_check(priv);
	if (!err && priv->flags & NFT_SNAT_STATELESS_F_FORWARD)
		err = snat_forward_check(priv, tb);
	if (!err && (tb[NFTA_SNAT_STATELESS_UNLESS] ||
		     tb[NFTA_SNAT_STATELESS_ONLY]))
		err = snat_exempt_check(priv, tb);
	if (!err && tb[NFTA_SNAT_STATELESS_VIA])
		err = snat_via_check(priv);
	if (!err && tb[NFTA_SNAT_STATELESS_ERRORS_AS])
		err = snat_errors_check(priv);
	return err;
}

int snat_settings_dump(struct sk_buff *skb,
		       const struct nft_snat_stateless *priv, bool reset)
{
	u32 field = priv->side == SNAT_SOURCE ? NFT_SNAT_STATELESS_SADDR :
						NFT_SNAT_STATELESS_DADDR;
	u32 flags = priv->flags & ~snat_flags_implied(priv->flags, priv->side);

	if (nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(field)) ||
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_MAPS, priv->maps) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(flags)))
		return -1;
	if (priv->otherwise &&
	    snat_maps_dump(skb, NFTA_SNAT_STATELESS_ELSE_MAPS,
			   priv->otherwise))
		return -1;
	if (priv->scope && snat_scope_dump(skb, priv->scope))
		return -1;
	if (priv->exempt && snat_exempt_dump(skb, priv->exempt, priv->pf))
		return -1;
	if (priv->lends &&
	    nla_put(skb, NFTA_SNAT_STATELESS_ERRORS_AS,
		    priv->pf == NFPROTO_IPV4 ? sizeof(struct in_addr) :
					       sizeof(struct in6_addr),
		    &priv->errors_as))
		return -1;

	return snat_counts_dump(skb, priv, reset);
}

static int snat_settings_try(const struct nft_snat_stateless *priv)
{
	struct sk_buff *skb = alloc_skb(NFT_SNAT_STATELESS_DUMP_MAX,
					GFP_KERNEL);
	int err;

	if (!skb)
		return -ENOMEM;

	skb_reserve(skb, skb_tailroom(skb) - NFT_SNAT_STATELESS_DUMP_MAX);
	err = snat_settings_dump(skb, priv, false);
	kfree_skb(skb);
	return err < 0 ? -EMSGSIZE : 0;
}

/*
 * A dump ends where a rule does not fit into a message, and all rules behind it
 * are hidden.
 */
int snat_settings_fit(struct nft_snat_stateless *priv)
{
	int err;

	priv->tells = true;
	err = snat_settings_try(priv);
	if (err != -EMSGSIZE)
		return err;

	priv->tells = false;
	return snat_settings_try(priv);
}
