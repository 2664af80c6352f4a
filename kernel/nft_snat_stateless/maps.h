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
 * struct snat_bound - where a map's addresses are
 *
 * @prefix: which bits they have in common; none: they may be anywhere
 * @value: what these bits are, the rest being zero
 */
struct snat_bound {
	struct snat_prefix	prefix;
	union snat_address	value;
};

/**
 * struct snat_map - one map and what its keys are
 *
 * @set: the map
 * @offset: of the address in the IP header
 * @within: what the map is asked for
 * @prefix: the bits of it that the map knows
 * @whole: these are all
 * @single: there is but one key, the value of @within
 * @npt: its translations are neutral to checksums
 * @guarded: it may cover addresses of this machine, which have no pair then; not
 *	where the decision about a packet's own address has asked already
 * @last: of its list
 * @binding: nf_tables' note that the map is in use
 */
struct snat_map {
	struct nft_set		*set;
	struct snat_bound	within;
	struct snat_prefix	prefix;
	u8			offset;
	bool			whole;
	bool			single;
	bool			npt;
	bool			guarded;
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
 * Return: what kfree() frees after the rule's last phase, or an error of the uapi
 * header's list.
 */
struct snat_map *snat_maps_create(const struct nft_ctx *ctx,
				  const struct nlattr *list,
				  enum snat_side side, u8 *pf);

/* Let them cover this machine's own addresses. */
void snat_maps_unguard(struct snat_map *maps);

/* nf_tables' steps of a rule's life; @maps may be NULL. */
void snat_maps_activate(const struct snat_map *maps);
void snat_maps_deactivate(struct snat_map *maps, enum nft_trans_phase phase);

/* Return: 0, or -1 if there is no room in @skb. */
int snat_maps_dump(struct sk_buff *skb, int type, const struct snat_map *maps);

static inline const union snat_address *
snat_value(const struct nft_set_ext *element)
{
	return (const void *)nft_set_ext_data(element);
}

/* The address of a packet that its maps are asked for. */
static inline const union snat_address *
snat_address(const struct sk_buff *skb, const struct snat_map *maps)
{
	return (const void *)skb_network_header(skb) + maps->offset;
}

/* Its address, and all that have its prefix, have no pair. */
static inline bool snat_is_hole(u8 pf, const struct nft_set_ext *element)
{
	return snat_address_equal(pf, (const void *)nft_set_ext_key(element),
				  snat_value(element));
}

/* What the pair of an address makes of it. */
enum snat_npt snat_aim(u8 pf, const struct snat_map *map,
		       const struct nft_set_ext *element,
		       const union snat_address *address,
		       struct snat_target *target);

/*
 * Is an address that @map covers, or what it becomes, this machine's own?  Such
 * a one has no pair: only one of its own could be meant for it.
 */
bool snat_map_hits_own(const struct snat_map *map,
		       const struct nft_set_ext *element,
		       const struct nft_pktinfo *pkt, u8 pf,
		       const union snat_address *address);

/**
 * snat_maps_ask - find the pair of an address
 *
 * @maps: those that may have it
 * @pkt: a packet; the maps of its namespace are meant
 * @pf: of the address
 * @address: the address
 * @hit: filled in on success
 *
 * Return: false if it has none.
 */
bool snat_maps_ask(const struct snat_map *maps, const struct nft_pktinfo *pkt,
		   u8 pf, const union snat_address *address,
		   struct snat_hit *hit);

const struct nft_set_ext *
snat_map_ask_prefix(const struct snat_map *map, const struct nft_pktinfo *pkt,
		    u8 pf, const union snat_address *address);

/* Most keys are in the packet itself, or known beforehand. */
static inline const struct nft_set_ext *
snat_map_ask(const struct snat_map *map, const struct nft_pktinfo *pkt, u8 pf,
	     const union snat_address *address)
{
	if (!snat_prefix_matches(pf, &map->within.prefix, &map->within.value,
				 address))
		return NULL;
	if (likely(map->whole))
		return nft_set_do_lookup(nft_net(pkt), map->set, address->key);
	if (map->single)
		return nft_set_do_lookup(nft_net(pkt), map->set,
					 map->within.value.key);
	return snat_map_ask_prefix(map, pkt, pf, address);
}

#endif /* NFT_SNAT_STATELESS_MAPS_H */
