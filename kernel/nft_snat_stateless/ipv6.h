/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet face for IPv6, as far as each packet pays for it: in line. */
#ifndef NFT_SNAT_STATELESS_IPV6_H
#define NFT_SNAT_STATELESS_IPV6_H

#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ipv6.h>

#include "checksum.h"
#include "packet.h"
#include "sums.h"

/* One is behind the other. */
static inline union snat_address *snat_ipv6_field(struct ipv6hdr *ip6h,
						  enum snat_side side)
{
	return (union snat_address *)&ip6h->saddr + side;
}

/**
 * struct snat_ipv6_upper - what stands behind an IPv6 header's extensions
 *
 * @offset: of the transport header from skb->data; without one, of what stands
 *	behind the IPv6 header
 * @transport: what it asks of address changes
 * @covered: its checksum covers the address that is replaced
 */
struct snat_ipv6_upper {
	unsigned int			offset;
	const struct snat_transport	*transport;
	bool				covered;
};

/* Replace an address; return the change, new minus old. */
static __always_inline __wsum snat_ipv6_replace(union snat_address *field,
						const union snat_address *to)
{
	u64 first = to->half.first, second = to->half.second;
	u64 diff = snat_sum_add(first, second);

	diff = snat_sum_add(diff, ~field->half.first);
	diff = snat_sum_add(diff, ~field->half.second);
	field->half.first = first;
	field->half.second = second;
	return (__force __wsum)snat_sum_fold32(diff);
}

/* @header: where @upper is. */
static __always_inline void
snat_ipv6_rewrite(struct sk_buff *skb, union snat_address *field,
		  const struct snat_ipv6_upper *upper, void *header,
		  const union snat_address *to)
{
	__wsum diff = snat_ipv6_replace(field, to);
	__sum16 *check = header + upper->transport->check;

	if (upper->covered && snat_check_is_pseudo(skb, header)) {
		snat_check_repair_pseudo(check, diff);
		return;
	}
	if (upper->covered &&
	    snat_check_repair(check, upper->transport->zero, diff))
		return;

	/* Nothing in the IPv6 header takes the change back. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_add(skb->csum, diff);
}

/* Of most packets the IPv6 header itself names the transport. */
static __always_inline struct snat_ipv6_upper
snat_ipv6_next(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return (struct snat_ipv6_upper) {
		.offset = skb_network_offset(skb) + sizeof(*ip6h),
		.transport = &snat_ipv6_transports[ip6h->nexthdr],
		.covered = true,
	};
}

/* The others, and what is shared or in pieces. */
int snat_ipv6_translate_any(struct sk_buff *skb, enum snat_side side,
			    const union snat_address *to);

/* snat_ipv6_translate() in line. */
static __always_inline int
snat_ipv6_translate_here(struct sk_buff *skb, enum snat_side side,
			 const union snat_address *to)
{
	const struct snat_ipv6_upper upper = snat_ipv6_next(skb);
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	if (unlikely(upper.transport->check == SNAT_NO_CHECK ||
		     !snat_is_writable(skb, upper.offset +
					    upper.transport->size)))
		return snat_ipv6_translate_any(skb, side, to);

	snat_ipv6_rewrite(skb, snat_ipv6_field(ip6h, side), &upper, ip6h + 1,
			  to);
	return 0;
}

#endif /* NFT_SNAT_STATELESS_IPV6_H */
