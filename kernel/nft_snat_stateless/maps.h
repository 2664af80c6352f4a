/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of an expression, asked in order until one has the address. */
#ifndef NFT_SNAT_STATELESS_MAPS_H
#define NFT_SNAT_STATELESS_MAPS_H

#include <linux/netfilter.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

#include "address.h"
#include "packet.h"
#include "prefix.h"

/**
 * struct snat_map - one map and what its keys are
 *
 * @set: the map
 * @offset: of the address in the IP header
 * @prefix: the bits of it that the map knows
 * @whole: these are all
 * @npt: its translations are neutral to checksums
 * @last: of its list
 * @binding: nf_tables' note that the map is in use
 */
struct snat_map {
	struct nft_set		*set;
	struct snat_prefix	prefix;
	u8			offset;
	bool			whole;
	bool			npt;
	bool			last;
	struct nft_set_binding	binding;
};

/* @maps: a list up to its last map, or NULL for none. */
#define snat_for_each_map(m, maps)					\
	for ((m) = (maps); (m); (m) = (m)->last ? NULL : (m) + 1)

/* The element that an address belongs to, and its map. */
struct snat_hit {
	const struct nft_set_ext	*element;
	const struct snat_map		*map;
};

/**
 * snat_maps_create - look up what a list of maps names, and hold on to it
 *
 * @ctx: the rule's
 * @list: NFTA_SNAT_STATELESS_MAPS or its like
 * @side: the address
 * @pf: of the addresses; NFPROTO_UNSPEC: whatever the maps have
 *
 * Return: what snat_maps_destroy() frees, or an error of the uapi header's list.
 */
struct snat_map *snat_maps_create(const struct nft_ctx *ctx,
				  const struct nlattr *list,
				  enum snat_side side, u8 *pf);

/* nf_tables' steps of a rule's life; @maps may be NULL. */
void snat_maps_activate(const struct nft_ctx *ctx,
			const struct snat_map *maps);
void snat_maps_deactivate(const struct nft_ctx *ctx, struct snat_map *maps,
			  enum nft_trans_phase phase);
void snat_maps_destroy(const struct nft_ctx *ctx, struct snat_map *maps);

/* Return: 0, or -1 if there is no room in @skb. */
int snat_maps_dump(struct sk_buff *skb, int type, const struct snat_map *maps);

static inline const union snat_address *
snat_value(const struct nft_set_ext *element)
{
	return (const void *)nft_set_ext_data(element);
}

/* Its address, and all that have its prefix, have no pair. */
static inline bool snat_is_hole(u8 pf, const struct nft_set_ext *element)
{
	return snat_address_equal(pf, (const void *)nft_set_ext_key(element),
				  snat_value(element));
}

const struct nft_set_ext *
snat_map_ask_prefix(const struct snat_map *map, const struct net *net, u8 pf,
		    const union snat_address *address);

/* A map of whole addresses finds its key in the packet itself. */
static inline const struct nft_set_ext *
snat_map_ask(const struct snat_map *map, const struct net *net, u8 pf,
	     const union snat_address *address)
{
	return likely(map->whole) ?
	       nft_set_do_lookup(net, map->set, address->key) :
	       snat_map_ask_prefix(map, net, pf, address);
}

#endif /* NFT_SNAT_STATELESS_MAPS_H */
