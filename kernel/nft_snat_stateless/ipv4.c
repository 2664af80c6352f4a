// SPDX-License-Identifier: GPL-2.0-only
/* The packet face for IPv4. */

#include <linux/icmp.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "checksum.h"
#include "ipv4.h"
#include "packet.h"

int snat_ipv4_translate_any(struct sk_buff *skb, enum snat_side side,
			    __be32 to)
{
	const struct snat_transport *transport;
	struct iphdr *iph = ip_hdr(skb);
	int err;

	transport = snat_ipv4_transport(iph);
	err = snat_make_writable(skb, snat_ipv4_end(skb, iph, transport));
	if (err)
		return err;

	iph = ip_hdr(skb);
	snat_ipv4_rewrite(skb, iph, snat_ipv4_next(iph), transport, side, to);
	return 0;
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
	if (!inner || inner->version != 4 || inner->ihl < sizeof(*inner) / 4)
		return false;

	quote->offset = offset;
	quote->address.ip = side == SNAT_SOURCE ? inner->daddr : inner->saddr;
	return true;
}

/*
 * The quoted IPv4 header and its checksum change by opposite amounts, so the
 * ICMP checksum over both follows the quoted transport checksum alone.
 */
static void snat_ipv4_replace_quoted(struct sk_buff *skb, enum snat_side side,
				     unsigned int offset,
				     const struct snat_transport *transport,
				     __be32 to)
{
	struct iphdr *inner = (void *)skb->data + offset;
	struct icmphdr *icmph = (void *)inner - sizeof(*icmph);
	__wsum diff = snat_ipv4_replace(inner, side, to);
	__sum16 *check, before;

	if (transport->check == SNAT_NO_CHECK)
		return;

	check = (void *)inner + inner->ihl * 4 + transport->check;
	before = *check;
	snat_check_repair(check, transport->zero, diff);
	if (!snat_check_is_pseudo(skb, icmph))
		csum_replace2(&icmph->checksum, (__force __be16)before,
			      (__force __be16)*check);
}

int snat_ipv4_translate(struct sk_buff *skb, enum snat_side side,
			const union snat_address *to)
{
	return snat_ipv4_translate_here(skb, side, to);
}

/*
 * Make a quoted transport checksum writable.  Shorter quotes are legal and hold
 * none.  Return: 0, or SNAT_NO_MEMORY.
 */
static int snat_ipv4_reach_quoted(struct sk_buff *skb, unsigned int offset,
				  const struct snat_transport **transport)
{
	const struct iphdr *inner = (void *)skb->data + offset;
	unsigned int end;

	*transport = snat_ipv4_transport(inner);
	end = offset + inner->ihl * 4 + (*transport)->check + sizeof(__sum16);
	if ((*transport)->check != SNAT_NO_CHECK && end <= skb->len)
		return snat_make_writable(skb, end);

	*transport = &snat_no_transport;
	return 0;
}

int snat_ipv4_translate_error(struct sk_buff *skb, enum snat_side side,
			      const struct snat_target *outer,
			      const struct snat_quote *quote,
			      const struct snat_target *inner)
{
	enum snat_side other = snat_other_side(side);
	const struct snat_transport *transport;
	struct iphdr *iph;
	int err;

	if (ip_hdr(skb)->ihl < sizeof(*iph) / 4)
		return SNAT_MALFORMED;
	err = snat_make_writable(skb, quote->offset + sizeof(*iph));
	if (err)
		return err;

	iph = (void *)skb->data + quote->offset;
	if (iph->ihl < sizeof(*iph) / 4 ||
	    *snat_ipv4_field(iph, other) != quote->address.ip)
		return SNAT_MALFORMED;
	err = snat_ipv4_reach_quoted(skb, quote->offset, &transport);
	if (err)
		return err;

	snat_ipv4_replace_quoted(skb, other, quote->offset, transport,
				 inner->address.ip);
	/* The ICMP checksum does not cover it. */
	if (outer)
		snat_ipv4_replace(ip_hdr(skb), side, outer->address.ip);
	return 0;
}
