/* SPDX-License-Identifier: GPL-2.0-only */
/* The leading bits of an address: what a map is asked for and what it replaces. */
#ifndef NFT_SNAT_STATELESS_PREFIX_H
#define NFT_SNAT_STATELESS_PREFIX_H

#include <linux/in6.h>
#include <linux/netfilter.h>
#include <linux/types.h>

/**
 * struct snat_prefix - which bits of an address
 *
 * @mask: 1 for each of them
 * @length: how many of them
 *
 * All addresses below are as long as those of their family, 4 or 16 bytes.
 */
struct snat_prefix {
	union nf_inet_addr	mask;
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

/* The prefix bits of @from and the host bits of @host; @host may be NULL. */
static inline void snat_ipv4_combine(const struct snat_prefix *prefix,
				     const union nf_inet_addr *from,
				     const union nf_inet_addr *host,
				     union nf_inet_addr *to)
{
	__be32 mask = prefix->mask.ip;

	to->ip = (from->ip & mask) | (host ? host->ip & ~mask : 0);
}

static inline void snat_ipv6_combine(const struct snat_prefix *prefix,
				     const union nf_inet_addr *from,
				     const union nf_inet_addr *host,
				     union nf_inet_addr *to)
{
	int i;

	for (i = 0; i < 4; i++) {
		__be32 mask = prefix->mask.ip6[i];

		to->ip6[i] = (from->ip6[i] & mask) |
			     (host ? host->ip6[i] & ~mask : 0);
	}
}

static inline void snat_combine(u8 pf, const struct snat_prefix *prefix,
				const union nf_inet_addr *from,
				const union nf_inet_addr *host,
				union nf_inet_addr *to)
{
	if (pf == NFPROTO_IPV4)
		snat_ipv4_combine(prefix, from, host, to);
	else
		snat_ipv6_combine(prefix, from, host, to);
}

#endif /* NFT_SNAT_STATELESS_PREFIX_H */
