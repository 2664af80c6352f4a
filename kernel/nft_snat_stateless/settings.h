/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a rule asks for, from netlink and back; its maps, prefixes and interfaces
 * read themselves.
 */
#ifndef NFT_SNAT_STATELESS_SETTINGS_H
#define NFT_SNAT_STATELESS_SETTINGS_H

#include <net/netfilter/nf_tables.h>
#include <net/netlink.h>

#include "expression.h"

extern const struct nla_policy snat_settings_policy[NFT_EXPR_MAXATTR + 1];

/* The side and the flags.  Return: 0, or -EINVAL. */
int snat_settings_parse(struct nft_snat_stateless *priv,
			const struct nlattr * const tb[]);

/* NFTA_SNAT_STATELESS_ERRORS_AS, of the maps' family.  Return: 0, or -EPROTOTYPE. */
int snat_errors_parse(struct nft_snat_stateless *priv,
		      const struct nlattr *address);

/* Do the parts of @tb fit to these?  Return: 0, or -EINVAL. */
int snat_settings_check(const struct nft_snat_stateless *priv,
			const struct nlattr * const tb[]);

/* With @reset, what was counted is told once.  Return: 0, or -1 if there is no room in @skb. */
int snat_settings_dump(struct sk_buff *skb,
		       const struct nft_snat_stateless *priv, bool reset);

/*
 * Is there room for a dump, and for the counts in it?  Return: 0, -EMSGSIZE if it
 * would be too long without, too, or -ENOMEM.
 */
int snat_settings_fit(struct nft_snat_stateless *priv);

#endif /* NFT_SNAT_STATELESS_SETTINGS_H */
