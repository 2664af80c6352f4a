// SPDX-License-Identifier: GPL-2.0-only
/* The maps of an expression, asked in order until one has the address. */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "binding.h"
#include "maps.h"
#include "npt.h"
#include "own.h"

/* Maps whose elements come and go by themselves, match by range, or belong to
 * one rule only.
 */
#define SNAT_MAP_KINDS_REFUSED	(NFT_SET_ANONYMOUS | NFT_SET_INTERVAL |	\
				 NFT_SET_TIMEOUT | NFT_SET_EVAL |	\
				 NFT_SET_CONCAT)

static const struct nla_policy
snat_map_policy[NFTA_SNAT_STATELESS_MAP_MAX + 1] = {
	[NFTA_SNAT_STATELESS_MAP_NAME]	= { .type = NLA_STRING,
					    .len = NFT_SET_MAXNAMELEN - 1 },
	[NFTA_SNAT_STATELESS_MAP_ID]	= { .type = NLA_U32 },
	[NFTA_SNAT_STATELESS_MAP_PREFIX] = NLA_POLICY_MIN(NLA_BE32, 1),
	[NFTA_SNAT_STATELESS_MAP_FLAGS]	=
		NLA_POLICY_MASK(NLA_BE32, NFT_SNAT_STATELESS_MAP_F_NPT),
	[NFTA_SNAT_STATELESS_MAP_WITHIN] = { .type = NLA_BINARY },
	[NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH] = NLA_POLICY_MIN(NLA_BE32, 1),
};

bool snat_maps_ask(const struct snat_map *maps, const struct nft_pktinfo *pkt,
		   u8 pf, const union snat_address *address,
		   struct snat_hit *hit)
{
	const struct snat_map *map;

	snat_for_each_map(map, maps) {
		hit->map = map;
		hit->element = snat_map_ask(map, pkt, pf, address);
		/* What was decided was one address; here it may be another. */
		if (hit->element)
			return !snat_is_hole(pf, hit->element) &&
			       (map->whole ||
				!snat_map_hits_own(map, hit->element, pkt, pf,
						   address));
	}
	return false;
}

enum snat_npt snat_aim(u8 pf, const struct snat_map *map,
		       const struct nft_set_ext *element,
		       const union snat_address *address,
		       struct snat_target *target)
{
	const union snat_address *value = snat_value(element);

	target->neutral = map->npt;
	if (target->neutral)
		return snat_npt_translate(&map->prefix, value, address,
					  &target->address);

	snat_prefix_replace(pf, &map->prefix, value, address, &target->address);
	return SNAT_NPT_DONE;
}

bool snat_map_hits_own(const struct snat_map *map,
		       const struct nft_set_ext *element,
		       const struct nft_pktinfo *pkt, u8 pf,
		       const union snat_address *address)
{
	struct snat_target target;

	return snat_is_own(pkt, pf, address) ||
	       (snat_aim(pf, map, element, address, &target) == SNAT_NPT_DONE &&
		snat_is_own(pkt, pf, &target.address));
}

/* Apart, because the kernel zeroes each array on the stack. */
const struct nft_set_ext *
snat_map_ask_prefix(const struct snat_map *map, const struct nft_pktinfo *pkt,
		    u8 pf, const union snat_address *address)
{
	union snat_address key;

	snat_prefix_key(pf, &map->prefix, address, &key);
	return nft_set_do_lookup(nft_net(pkt), map->set, key.key);
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
	u32 whole = map->set->klen * BITS_PER_BYTE;
	u32 length = attr ? ntohl(nla_get_be32(attr)) : whole;

	if (map->npt && map->set->klen != sizeof(struct in6_addr))
		return -EPROTOTYPE;
	if (length > (map->npt ? SNAT_NPT_LENGTH_MAX : whole))
		return -ERANGE;

	snat_prefix_init(&map->prefix, length);
	map->whole = length == whole;
	map->guarded = !map->whole;
	return 0;
}

static int snat_within_parse(const struct nlattr *value,
			     const struct nlattr *length, u8 pf,
			     struct snat_map *map)
{
	struct snat_bound *within = &map->within;
	union snat_address key;
	u32 bits;

	if (!value && !length)
		return 0;
	if (!value || !length)
		return -EINVAL;
	if (nla_len(value) != map->set->klen)
		return -EPROTOTYPE;
	bits = ntohl(nla_get_be32(length));
	if (bits > map->set->klen * BITS_PER_BYTE)
		return -ERANGE;

	snat_prefix_init(&within->prefix, bits);
	nla_memcpy(&within->value, value, sizeof(within->value));
	snat_prefix_key(pf, &within->prefix, &within->value, &key);
	if (!snat_address_equal(pf, &key, &within->value))
		return -EINVAL;

	map->single = within->prefix.length == map->prefix.length;
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

	map->set = snat_set_find(ctx, tb[NFTA_SNAT_STATELESS_MAP_NAME]);
	if (IS_ERR(map->set))
		return PTR_ERR(map->set);

	err = snat_set_check(map->set, ctx->family, pf);
	if (err < 0)
		return err;

	if (tb[NFTA_SNAT_STATELESS_MAP_FLAGS])
		flags = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_MAP_FLAGS]));
	map->npt = flags & NFT_SNAT_STATELESS_MAP_F_NPT;
	err = snat_prefix_parse(tb[NFTA_SNAT_STATELESS_MAP_PREFIX], map);
	if (err < 0)
		return err;

	return snat_within_parse(tb[NFTA_SNAT_STATELESS_MAP_WITHIN],
				 tb[NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH], *pf,
				 map);
}

/* In inet the maps decide which packets are meant; elsewhere they must fit. */
static int snat_maps_parse(const struct nft_ctx *ctx,
			   const struct nlattr *list,
			   enum snat_side side, struct snat_map *maps, u8 *pf)
{
	struct snat_map *map = maps;
	const struct nlattr *attr;
	u8 map_pf = 0;
	int err, rem;

	nla_for_each_nested(attr, list, rem) {
		err = snat_map_parse(ctx, attr, map, &map_pf);
		if (err < 0)
			return err;
		if (*pf != NFPROTO_UNSPEC && *pf != map_pf)
			return -EPROTOTYPE;
		*pf = map_pf;
		map->offset = map_pf == NFPROTO_IPV4 ? snat_ipv4_offset(side) :
						       snat_ipv6_offset(side);
		map++;
	}
	map[-1].last = true;
	return 0;
}

/* As many as the list has, and nothing but maps in it. */
static struct snat_map *snat_maps_alloc(const struct nlattr *list)
{
	const struct nlattr *attr;
	struct snat_map *maps;
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

	maps = kcalloc(count, sizeof(*maps), GFP_KERNEL_ACCOUNT);
	return maps ?: ERR_PTR(-ENOMEM);
}

static int snat_maps_bind(const struct nft_ctx *ctx, struct snat_map *maps)
{
	struct snat_map *map;
	int err;

	snat_for_each_map(map, maps) {
		err = snat_set_bind(ctx, map->set, &map->binding);
		if (err < 0)
			goto err_bind;
	}
	return 0;

err_bind:
	while (map-- > maps)
		snat_set_deactivate(map->set, &map->binding,
				    NFT_TRANS_PREPARE_ERROR);
	return err;
}

struct snat_map *snat_maps_create(const struct nft_ctx *ctx,
				  const struct nlattr *list,
				  enum snat_side side, u8 *pf)
{
	struct snat_map *maps = snat_maps_alloc(list);
	int err;

	if (IS_ERR(maps))
		return maps;

	err = snat_maps_parse(ctx, list, side, maps, pf);
	if (err < 0)
		goto err_maps;

	err = snat_maps_bind(ctx, maps);
	if (err < 0)
		goto err_maps;
	return maps;

err_maps:
	kfree(maps);
	return ERR_PTR(err);
}

void snat_maps_unguard(struct snat_map *maps)
{
	struct snat_map *map;

	snat_for_each_map(map, maps)
		map->guarded = false;
}

void snat_maps_activate(const struct snat_map *maps)
{
	const struct snat_map *map;

	snat_for_each_map(map, maps)
		snat_set_activate(map->set);
}

void snat_maps_deactivate(struct snat_map *maps, enum nft_trans_phase phase)
{
	struct snat_map *map;

	snat_for_each_map(map, maps)
		snat_set_deactivate(map->set, &map->binding, phase);
}

static int snat_prefix_dump(struct sk_buff *skb, const struct snat_map *map)
{
	if (map->whole)
		return 0;

	return nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_PREFIX,
			    htonl(map->prefix.length));
}

static int snat_within_dump(struct sk_buff *skb, const struct snat_map *map)
{
	const struct snat_bound *within = &map->within;

	if (!within->prefix.length)
		return 0;
	if (nla_put(skb, NFTA_SNAT_STATELESS_MAP_WITHIN, map->set->klen,
		    &within->value))
		return -1;

	return nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH,
			    htonl(within->prefix.length));
}

static int snat_map_dump(struct sk_buff *skb, const struct snat_map *map)
{
	u32 flags = map->npt ? NFT_SNAT_STATELESS_MAP_F_NPT : 0;
	struct nlattr *nest = nla_nest_start(skb, NFTA_LIST_ELEM);

	if (!nest ||
	    nla_put_string(skb, NFTA_SNAT_STATELESS_MAP_NAME,
			   map->set->name) ||
	    snat_prefix_dump(skb, map) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_FLAGS, htonl(flags)) ||
	    snat_within_dump(skb, map))
		return -1;

	nla_nest_end(skb, nest);
	return 0;
}

int snat_maps_dump(struct sk_buff *skb, int type, const struct snat_map *maps)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	const struct snat_map *map;

	if (!nest)
		return -1;
	snat_for_each_map(map, maps)
		if (snat_map_dump(skb, map))
			return -1;

	nla_nest_end(skb, nest);
	return 0;
}
