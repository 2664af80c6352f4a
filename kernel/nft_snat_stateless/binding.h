/* SPDX-License-Identifier: GPL-2.0-only */
/* How a rule finds a named map and keeps it for as long as it may ask it. */
#ifndef NFT_SNAT_STATELESS_BINDING_H
#define NFT_SNAT_STATELESS_BINDING_H

#include <net/netfilter/nf_tables.h>

/**
 * snat_set_find - find a map by its name
 *
 * @ctx: the rule's; the map is one of its table, or of those that its batch
 *	has made so far
 * @name: NUL-terminated or not, as netlink's strings are
 *
 * Return: the map, or ERR_PTR(-ENODATA) if the next generation has none.
 */
struct nft_set *snat_set_find(const struct nft_ctx *ctx,
			      const struct nlattr *name);

/**
 * snat_set_bind - keep a map, when a rule is made
 *
 * @ctx: the rule's
 * @set: what snat_set_find() has found; not an anonymous one
 * @binding: zeroed; the rule's own, up to the last phase
 *
 * Return: 0, or -EMFILE if it is referred to too often.
 */
int snat_set_bind(const struct nft_ctx *ctx, struct nft_set *set,
		  struct nft_set_binding *binding);

/* nf_tables' steps of the rule's life; see binding.c. */
void snat_set_activate(struct nft_set *set);
void snat_set_deactivate(struct nft_set *set, struct nft_set_binding *binding,
			 enum nft_trans_phase phase);

#endif /* NFT_SNAT_STATELESS_BINDING_H */
