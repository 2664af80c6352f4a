/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Destinations on the way to which nothing is decided, or the only ones on the way
 * to which anything is: a few prefixes, compared in line, where a set of intervals
 * would cost the price of a translation.
 */
#ifndef NFT_SNAT_STATELESS_EXEMPT_H
#define NFT_SNAT_STATELESS_EXEMPT_H

#include <linux/netfilter.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "address.h"

/**
 * struct snat_exempt - up to NFT_SNAT_STATELESS_UNLESS_MAX prefixes
 *
 * @ipv4: those of IPv4
 * @ipv6: those of IPv6, by the halves of an address
 * @mask: 1 for each bit of a prefix
 * @value: what these bits are, the rest being zero; where there is no prefix,
 *	what no address gives behind the mask
 * @length: how many bits each of them has
 * @count: how many there are
 * @only: all destinations but these are meant
 */
struct snat_exempt {
	union {
		struct {
			__be32	mask[NFT_SNAT_STATELESS_UNLESS_MAX];
			__be32	value[NFT_SNAT_STATELESS_UNLESS_MAX];
		} ipv4;
		struct {
			u64	mask[NFT_SNAT_STATELESS_UNLESS_MAX][2];
			u64	value[NFT_SNAT_STATELESS_UNLESS_MAX][2];
		} ipv6;
	};
	u8 length[NFT_SNAT_STATELESS_UNLESS_MAX];
	u8 count;
	bool only;
};

/**
 * snat_exempt_create - read NFTA_SNAT_STATELESS_UNLESS, or ONLY
 *
 * @list: the attribute
 * @pf: of the addresses
 * @only: which of the two it is
 *
 * Return: what kfree() frees, or an error of the uapi header's list.
 */
struct snat_exempt *snat_exempt_create(const struct nlattr *list, u8 pf,
				       bool only);

/* Return: 0, or -1 if there is no room in @skb. */
int snat_exempt_dump(struct sk_buff *skb, const struct snat_exempt *exempt,
		     u8 pf);

static __always_inline bool
snat_exempt_has_ipv4(const struct snat_exempt *exempt, __be32 ip)
{
	unsigned int i;

	/* Always all of them: a loop's end would cost as much as a prefix. */
#pragma GCC unroll 8
	for (i = 0; i < NFT_SNAT_STATELESS_UNLESS_MAX; i++)
		if ((ip & exempt->ipv4.mask[i]) == exempt->ipv4.value[i])
			return true;
	return false;
}

static __always_inline bool
snat_exempt_has_ipv6(const struct snat_exempt *exempt, u64 first, u64 second)
{
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < NFT_SNAT_STATELESS_UNLESS_MAX; i++)
		if ((first & exempt->ipv6.mask[i][0]) ==
		    exempt->ipv6.value[i][0] &&
		    (second & exempt->ipv6.mask[i][1]) ==
		    exempt->ipv6.value[i][1])
			return true;
	return false;
}

static __always_inline bool
snat_exempt_has(const struct snat_exempt *exempt, u8 pf,
		const union snat_address *address)
{
	bool has = pf == NFPROTO_IPV4 ?
		   snat_exempt_has_ipv4(exempt, address->ip) :
		   snat_exempt_has_ipv6(exempt, address->half.first,
					address->half.second);

	return has != exempt->only;
}

#endif /* NFT_SNAT_STATELESS_EXEMPT_H */
