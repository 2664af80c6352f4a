// SPDX-License-Identifier: GPL-2.0-only
/* The packet face: find the addresses of a packet, replace them, repair checksums. */

#include <linux/dccp.h>
#include <linux/icmp.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "packet.h"

/* No transport checksum covers the addresses. */
#define SNAT_NO_CHECK	0

/**
 * struct snat_transport - what a transport protocol asks of address changes
 *
 * @size: of its shortest header in bytes
 * @check: offset of the checksum that covers the addresses, or SNAT_NO_CHECK
 * @zero: a checksum of 0 is none (UDP) or cannot be right (UDP-Lite): it
 *	stays, and a computed 0 is sent as 0xffff
 */
struct snat_transport {
	u8	size;
	u8	check;
	bool	zero;
};

static struct snat_transport snat_transport(u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return (struct snat_transport) {
			.size	= sizeof(struct tcphdr),
			.check	= offsetof(struct tcphdr, check),
		};
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return (struct snat_transport) {
			.size	= sizeof(struct udphdr),
			.check	= offsetof(struct udphdr, check),
			.zero	= true,
		};
	case IPPROTO_DCCP:
		return (struct snat_transport) {
			.size	= sizeof(struct dccp_hdr),
			.check	= offsetof(struct dccp_hdr, dccph_checksum),
		};
	default:
		return (struct snat_transport) { .check = SNAT_NO_CHECK };
	}
}

/* Only the first fragment, or a whole packet, starts with a transport header. */
static bool snat_ipv4_has_transport(const struct iphdr *iph)
{
	return !(iph->frag_off & htons(IP_OFFSET));
}

static __be32 *snat_ipv4_field(struct iphdr *iph, enum snat_side side)
{
	return side == SNAT_SOURCE ? &iph->saddr : &iph->daddr;
}

static enum snat_side snat_other_side(enum snat_side side)
{
	return side == SNAT_SOURCE ? SNAT_DESTINATION : SNAT_SOURCE;
}

/*
 * Is the checksum left to be completed behind us, and the field a sum over the
 * pseudo header until then?  csum_start tells for the packet itself.  Inside a
 * tunnel it belongs to the inner packet: the outer field is complete, unless
 * GSO is to fill it in for each segment.
 */
static bool snat_check_is_pseudo(const struct sk_buff *skb,
				 unsigned int transport)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb_checksum_start_offset(skb) == transport ||
		skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM);
}

static void snat_check_replace(__sum16 *check, bool zero,
			       __be32 from, __be32 to)
{
	if (zero && !*check)
		return;

	csum_replace4(check, from, to);
	if (zero && !*check)
		*check = CSUM_MANGLED_0;
}

static void snat_transport_repair(struct sk_buff *skb, unsigned int offset,
				  const struct snat_transport *transport,
				  __be32 from, __be32 to)
{
	__sum16 *check = (void *)skb->data + offset + transport->check;

	if (snat_check_is_pseudo(skb, offset)) {
		*check = ~csum_fold(csum_add(csum_sub(csum_unfold(*check),
						      (__force __wsum)from),
					     (__force __wsum)to));
		return;
	}

	/* The IPv4 header sums up to nothing before and after; the transport
	 * header changes by what its checksum field takes back.
	 */
	if (skb->ip_summed == CHECKSUM_COMPLETE &&
	    !(transport->zero && !*check))
		skb->csum = ~csum_add(csum_sub(~skb->csum,
					       (__force __wsum)from),
				      (__force __wsum)to);

	snat_check_replace(check, transport->zero, from, to);
}

__be32 snat_ipv4_address(const struct sk_buff *skb, enum snat_side side)
{
	return *snat_ipv4_field(ip_hdr(skb), side);
}

bool snat_ipv4_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote)
{
	const struct iphdr *iph = ip_hdr(skb), *inner;
	unsigned int offset;
	struct iphdr _inner;
	const u8 *type;
	u8 _type;

	if (iph->protocol != IPPROTO_ICMP || !snat_ipv4_has_transport(iph))
		return false;

	offset = skb_network_offset(skb) + iph->ihl * 4;
	type = skb_header_pointer(skb, offset, sizeof(_type), &_type);
	if (!type || !icmp_is_err(*type))
		return false;

	offset += sizeof(struct icmphdr);
	inner = skb_header_pointer(skb, offset, sizeof(_inner), &_inner);
	if (!inner || inner->version != 4 ||
	    inner->ihl < sizeof(*inner) / 4)
		return false;

	quote->offset = offset;
	quote->address = side == SNAT_SOURCE ? inner->daddr : inner->saddr;
	return true;
}

/*
 * The quoted IPv4 header and its checksum change by opposite amounts, so the
 * ICMP checksum over both follows the quoted transport checksum alone.
 */
static void snat_quote_replace(struct sk_buff *skb, enum snat_side side,
			       const struct snat_quote *quote, bool repair,
			       const struct snat_transport *transport,
			       __be32 to)
{
	struct iphdr *inner = (void *)skb->data + quote->offset;
	struct icmphdr *icmph = (void *)inner - sizeof(*icmph);
	__sum16 *check, before;

	if (repair) {
		check = (void *)inner + inner->ihl * 4 + transport->check;
		before = *check;
		snat_check_replace(check, transport->zero, quote->address, to);
		csum_replace2(&icmph->checksum, (__force __be16)before,
			      (__force __be16)*check);
	}
	csum_replace4(&inner->check, quote->address, to);
	*snat_ipv4_field(inner, snat_other_side(side)) = to;
}

int snat_ipv4_translate(struct sk_buff *skb, enum snat_side side,
			const __be32 *address, const struct snat_quote *quote,
			const __be32 *quoted)
{
	struct snat_transport transport = {}, inner_transport = {};
	unsigned int offset, end, inner_end;
	const struct iphdr *iph = ip_hdr(skb);
	bool inner_repair = false;
	struct iphdr _inner;
	__be32 *field, from;

	/* A raw socket can send a header that claims to be shorter. */
	if (iph->ihl < sizeof(*iph) / 4)
		return -1;

	offset = skb_network_offset(skb) + iph->ihl * 4;
	end = offset;
	if (address && snat_ipv4_has_transport(iph)) {
		transport = snat_transport(iph->protocol);
		end += transport.size;
	}

	if (quoted) {
		const struct iphdr *inner;

		inner = skb_header_pointer(skb, quote->offset, sizeof(_inner),
					   &_inner);
		if (!inner)
			return -1;
		end = quote->offset + sizeof(*inner);
		if (snat_ipv4_has_transport(inner)) {
			inner_transport = snat_transport(inner->protocol);
			inner_end = quote->offset + inner->ihl * 4 +
				    inner_transport.check + sizeof(__sum16);
			/* Shorter quotes are legal and hold no checksum. */
			inner_repair = inner_transport.check != SNAT_NO_CHECK &&
				       inner_end <= skb->len;
			if (inner_repair)
				end = inner_end;
		}
	}

	/* All that is written below lies before end. */
	if (end > skb->len || skb_ensure_writable(skb, end))
		return -1;

	if (quoted)
		snat_quote_replace(skb, side, quote, inner_repair,
				   &inner_transport, *quoted);

	if (address) {
		field = snat_ipv4_field(ip_hdr(skb), side);
		from = *field;
		if (transport.check != SNAT_NO_CHECK)
			snat_transport_repair(skb, offset, &transport, from,
					      *address);
		csum_replace4(&ip_hdr(skb)->check, from, *address);
		*field = *address;
	}

	return 0;
}
