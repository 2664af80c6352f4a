/* SPDX-License-Identifier: GPL-2.0-only */
/* An address of either family, as long as those of its family are. */
#ifndef NFT_SNAT_STATELESS_ADDRESS_H
#define NFT_SNAT_STATELESS_ADDRESS_H

#include <linux/in6.h>
#include <linux/netfilter.h>
#include <linux/types.h>

/**
 * union snat_address - an address in network byte order
 *
 * @key: what a map is asked for
 * @ip: of IPv4
 * @in6: of IPv6
 * @word: what RFC 6296 calls the words of @in6
 * @half: its halves, which is faster.  Headers keep addresses aligned to 4
 *	bytes, no more.
 */
union snat_address {
	u32		key[4];
	__be32		ip;
	struct in6_addr	in6;
	u16		word[8];
	struct {
		u64	first, second;
	} __packed __aligned(4) half;
};

static inline bool snat_address_equal(u8 pf, const union snat_address *one,
				      const union snat_address *other)
{
	return pf == NFPROTO_IPV4 ?
	       one->ip == other->ip :
	       one->half.first == other->half.first &&
	       one->half.second == other->half.second;
}

#endif /* NFT_SNAT_STATELESS_ADDRESS_H */
