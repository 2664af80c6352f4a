/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet face for IPv4, as far as each packet pays for it: in line. */
#ifndef NFT_SNAT_STATELESS_IPV4_H
#define NFT_SNAT_STATELESS_IPV4_H

#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "checksum.h"
#include "packet.h"

/* Only the first fragment, or a whole packet, starts with a transport header. */
static inline bool snat_ipv4_has_transport(const struct iphdr *iph)
{
	return !(iph->frag_off & htons(IP_OFFSET));
}

/* One is behind the other. */
static inline __be32 *snat_ipv4_field(struct iphdr *iph, enum snat_side side)
{
	return &iph->saddr + side;
}

static inline const struct snat_transport *
snat_ipv4_transport(const struct iphdr *iph)
{
	return likely(snat_ipv4_has_transport(iph)) ?
	       &snat_ipv4_transports[iph->protocol] : &snat_no_transport;
}

/* Replace an address; return the change, new minus old. */
static __always_inline __wsum snat_ipv4_replace(struct iphdr *iph,
						enum snat_side side, __be32 to)
{
	__be32 *field = snat_ipv4_field(iph, side);
	__wsum diff = csum_sub((__force __wsum)to, (__force __wsum)*field);

	snat_check_replace(&iph->check, snat_check_change(diff));
	*field = to;
	return diff;
}

/* @header: behind @iph. */
static __always_inline void
snat_ipv4_rewrite(struct sk_buff *skb, struct iphdr *iph, void *header,
		  const struct snat_transport *transport, enum snat_side side,
		  __be32 to)
{
	__sum16 *check = header + transport->check;
	__wsum diff = snat_ipv4_replace(iph, side, to);

	if (transport->check == SNAT_NO_CHECK)
		return;

	/* The IPv4 header sums up to nothing before and after; the transport
	 * header changes by what its checksum field takes back.
	 */
	if (snat_check_is_pseudo(skb, header))
		snat_check_repair_pseudo(check, diff);
	else if (snat_check_repair(check, transport->zero, diff) &&
		 skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_sub(skb->csum, diff);
}

static inline void *snat_ipv4_next(struct iphdr *iph)
{
	return (void *)iph + iph->ihl * 4;
}

/* Of all that the change of an address may write to. */
static __always_inline unsigned int
snat_ipv4_end(const struct sk_buff *skb, const struct iphdr *iph,
	      const struct snat_transport *transport)
{
	return skb_network_offset(skb) + iph->ihl * 4 + transport->size;
}

/* What is shared or in pieces. */
int snat_ipv4_translate_any(struct sk_buff *skb, enum snat_side side,
			    __be32 to);

/* snat_ipv4_translate() in line. */
static __always_inline int
snat_ipv4_translate_here(struct sk_buff *skb, enum snat_side side,
			 const union snat_address *to)
{
	struct iphdr *iph = ip_hdr(skb);
	const struct snat_transport *transport = snat_ipv4_transport(iph);

	/* A raw socket can send a header that claims to be shorter. */
	if (unlikely(iph->ihl < sizeof(*iph) / 4))
		return SNAT_MALFORMED;

	if (unlikely(!snat_is_writable(skb,
				       snat_ipv4_end(skb, iph, transport))))
		return snat_ipv4_translate_any(skb, side, to->ip);

	snat_ipv4_rewrite(skb, iph, snat_ipv4_next(iph), transport, side,
			  to->ip);
	return 0;
}

/* The same of a packet that has no options and is no fragment. */
static __always_inline int
snat_ipv4_translate_simple(struct sk_buff *skb, enum snat_side side,
			   const union snat_address *to)
{
	struct iphdr *iph = ip_hdr(skb);
	const struct snat_transport *transport =
		&snat_ipv4_transports[iph->protocol];

	if (unlikely(!snat_is_writable(skb, skb_network_offset(skb) +
					    sizeof(*iph) + transport->size)))
		return snat_ipv4_translate_any(skb, side, to->ip);

	snat_ipv4_rewrite(skb, iph, iph + 1, transport, side, to->ip);
	return 0;
}

#endif /* NFT_SNAT_STATELESS_IPV4_H */
