/* SPDX-License-Identifier: GPL-2.0-only */
/* The leading bits of an address: what a map is asked for and what it replaces. */
#ifndef NFT_SNAT_STATELESS_PREFIX_H
#define NFT_SNAT_STATELESS_PREFIX_H

#include <linux/netfilter.h>
#include <linux/types.h>

#include "address.h"

/**
 * struct snat_prefix - which bits of an address
 *
 * @mask: 1 for each of them
 * @length: how many of them
 */
struct snat_prefix {
	union snat_address	mask;
	u8			length;
};

static inline void snat_prefix_init(struct snat_prefix *prefix, u8 length)
{
	u8 *mask = (u8 *)&prefix->mask;
	unsigned int bit;

	memset(prefix, 0, sizeof(*prefix));
	prefix->length = length;
	for (bit = 0; bit < length; bit++)
		mask[bit / 8] |= 0x80 >> bit % 8;
}

/* Has @address the prefix bits of @value? */
static inline bool snat_prefix_matches(u8 pf, const struct snat_prefix *prefix,
				       const union snat_address *value,
				       const union snat_address *address)
{
	const union snat_address *mask = &prefix->mask;

	if (pf == NFPROTO_IPV4)
		return !((address->ip ^ value->ip) & mask->ip);

	return !((address->half.first ^ value->half.first) &
		 mask->half.first) &&
	       !((address->half.second ^ value->half.second) &
		 mask->half.second);
}

/* The prefix bits alone, the rest being zero. */
static inline void snat_prefix_key(u8 pf, const struct snat_prefix *prefix,
				   const union snat_address *address,
				   union snat_address *key)
{
	const union snat_address *mask = &prefix->mask;

	if (pf == NFPROTO_IPV4) {
		key->ip = address->ip & mask->ip;
		return;
	}
	key->half.first = address->half.first & mask->half.first;
	key->half.second = address->half.second & mask->half.second;
}

/* Those bits of @value, and the others of @from. */
static inline u64 snat_half_replace(u64 mask, u64 value, u64 from)
{
	return (value & mask) | (from & ~mask);
}

static inline void snat_prefix_replace(u8 pf, const struct snat_prefix *prefix,
				       const union snat_address *value,
				       const union snat_address *from,
				       union snat_address *to)
{
	const union snat_address *mask = &prefix->mask;

	if (pf == NFPROTO_IPV4) {
		to->ip = (value->ip & mask->ip) | (from->ip & ~mask->ip);
		return;
	}
	to->half.first = snat_half_replace(mask->half.first, value->half.first,
					   from->half.first);
	to->half.second = snat_half_replace(mask->half.second,
					    value->half.second,
					    from->half.second);
}

#endif /* NFT_SNAT_STATELESS_PREFIX_H */
