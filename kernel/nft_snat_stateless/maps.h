/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of an expression, asked in order until one has the address. */
#ifndef NFT_SNAT_STATELESS_MAPS_H
#define NFT_SNAT_STATELESS_MAPS_H

#include <linux/netfilter.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

#include "prefix.h"

/**
 * struct snat_map - one map and what its keys are
 *
 * @set: the map
 * @prefix: the bits of an address that it knows
 * @whole: these are all
 * @npt: its translations are neutral to checksums
 * @binding: nf_tables' note that the map is in use
 */
struct snat_map {
	struct nft_set		*set;
	struct snat_prefix	prefix;
	bool			whole;
	bool			npt;
	struct nft_set_binding	binding;
};

struct snat_maps {
	unsigned int	count;
	struct snat_map	map[];
};

/* The element that an address belongs to; NULL where there is none. */
struct snat_hit {
	const struct nft_set_ext	*element;
	const struct snat_map		*map;
};

/**
 * snat_maps_create - look up what a list of maps names, and hold on to it
 *
 * @ctx: the rule's
 * @list: NFTA_SNAT_STATELESS_MAPS or its like
 * @pf: of the addresses; NFPROTO_UNSPEC: whatever the maps have
 *
 * Return: what snat_maps_destroy() frees, or an error of the uapi header's list.
 */
struct snat_maps *snat_maps_create(const struct nft_ctx *ctx,
				   const struct nlattr *list, u8 *pf);

/* nf_tables' steps of a rule's life; @maps may be NULL. */
void snat_maps_activate(const struct nft_ctx *ctx,
			const struct snat_maps *maps);
void snat_maps_deactivate(const struct nft_ctx *ctx, struct snat_maps *maps,
			  enum nft_trans_phase phase);
void snat_maps_destroy(const struct nft_ctx *ctx, struct snat_maps *maps);

/* Return: 0, or -1 if there is no room in @skb. */
int snat_maps_dump(struct sk_buff *skb, int type, const struct snat_maps *maps);

/* Ask the maps from number @from on. */
struct snat_hit snat_maps_ask(const struct net *net, u8 pf,
			      const struct snat_maps *maps, unsigned int from,
			      const union nf_inet_addr *address);

static inline const union nf_inet_addr *snat_value(const struct snat_hit *hit)
{
	return (const void *)nft_set_ext_data(hit->element);
}

/* Its address, and all that have its prefix, have no pair. */
static inline bool snat_is_hole(u8 pf, const struct nft_set_ext *element)
{
	const union nf_inet_addr *key = (const void *)nft_set_ext_key(element);
	const union nf_inet_addr *data =
		(const void *)nft_set_ext_data(element);

	return pf == NFPROTO_IPV4 ? key->ip == data->ip :
				    ipv6_addr_equal(&key->in6, &data->in6);
}

#endif /* NFT_SNAT_STATELESS_MAPS_H */
