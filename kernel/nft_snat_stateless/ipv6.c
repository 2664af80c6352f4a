// SPDX-License-Identifier: GPL-2.0-only
/* The packet face for IPv6. */

#include <linux/icmpv6.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "checksum.h"
#include "packet.h"

static struct in6_addr *snat_ipv6_field(struct ipv6hdr *ip6h,
					enum snat_side side)
{
	return side == SNAT_SOURCE ? &ip6h->saddr : &ip6h->daddr;
}

/*
 * Does a routing header have another destination than the IPv6 header?  That
 * one is in the pseudo header then (RFC 8200, 8.1).
 */
static bool snat_ipv6_is_routed(const struct sk_buff *skb, unsigned int header)
{
	int flags = IP6_FH_F_SKIP_RH;

	return ipv6_find_hdr(skb, &header, NEXTHDR_ROUTING, NULL, &flags) ==
	       NEXTHDR_ROUTING;
}

/**
 * struct snat_ipv6_upper - what stands behind an IPv6 header's extensions
 *
 * @offset: of the transport header from skb->data
 * @transport: what it asks of address changes
 * @covered: its checksum covers the address that is replaced
 */
struct snat_ipv6_upper {
	unsigned int		offset;
	struct snat_transport	transport;
	bool			covered;
};

/**
 * snat_ipv6_find_upper - find the transport header behind extension headers
 *
 * @skb: packet
 * @header: offset of the IPv6 header from skb->data; 0 stands for the outer
 *	header (ipv6_find_hdr() has it so)
 * @side: the side that is replaced
 * @upper: filled in; stays as it is where there is no transport header
 *
 * Return: 0, or -1 if extension headers are cut off.
 */
static int snat_ipv6_find_upper(const struct sk_buff *skb, unsigned int header,
				enum snat_side side,
				struct snat_ipv6_upper *upper)
{
	unsigned int offset = header;
	unsigned short fragment;
	int protocol;

	protocol = ipv6_find_hdr(skb, &offset, -1, &fragment, NULL);
	if (protocol == -EBADMSG)
		return -1;

	/* A later fragment has none, also one that goes on inside an
	 * extension header (-ENOENT).
	 */
	if (protocol < 0 || fragment)
		return 0;

	upper->offset = offset;
	upper->transport = snat_transports[protocol];
	upper->covered = side == SNAT_SOURCE ||
			 !snat_ipv6_is_routed(skb, header);
	return 0;
}

/* Replace an address; return the change, new minus old, to checksums. */
static __wsum snat_ipv6_replace(struct ipv6hdr *ip6h, enum snat_side side,
				struct snat_target to)
{
	const struct in6_addr *address = &to.address->in6;
	struct in6_addr *field = snat_ipv6_field(ip6h, side);
	__wsum diff = 0;

	if (!to.neutral)
		diff = csum_partial(address, sizeof(*address),
				    ~csum_partial(field, sizeof(*field), 0));
	*field = *address;
	return diff;
}

bool snat_ipv6_is_local(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const u8 *type;
	u8 _type;

	if (ipv6_addr_is_multicast(&ip6h->daddr) ||
	    ipv6_addr_type(&ip6h->daddr) & IPV6_ADDR_LINKLOCAL ||
	    ipv6_addr_type(&ip6h->saddr) & IPV6_ADDR_LINKLOCAL)
		return true;

	if (ip6h->nexthdr != IPPROTO_ICMPV6)
		return false;

	type = skb_header_pointer(skb, skb_network_offset(skb) + sizeof(*ip6h),
				  sizeof(_type), &_type);
	return type && *type >= NDISC_ROUTER_SOLICITATION &&
	       *type <= NDISC_REDIRECT;
}

bool snat_ipv6_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb), *inner;
	unsigned int offset = 0;
	unsigned short fragment;
	struct ipv6hdr _inner;
	const u8 *type;
	u8 _type;

	/* The walk is for those few that have extension headers. */
	if (ip6h->nexthdr == IPPROTO_ICMPV6)
		offset = skb_network_offset(skb) + sizeof(*ip6h);
	else if (!ipv6_ext_hdr(ip6h->nexthdr) ||
		 ipv6_find_hdr(skb, &offset, -1, &fragment, NULL) !=
		 IPPROTO_ICMPV6 || fragment)
		return false;

	type = skb_header_pointer(skb, offset, sizeof(_type), &_type);
	if (!type || !icmpv6_is_err(*type))
		return false;

	offset += sizeof(struct icmp6hdr);
	inner = skb_header_pointer(skb, offset, sizeof(_inner), &_inner);
	if (!inner || inner->version != 6)
		return false;

	quote->offset = offset;
	quote->address.in6 = side == SNAT_SOURCE ? inner->daddr : inner->saddr;
	return true;
}

void snat_ipv6_refuse(struct sk_buff *skb, enum snat_side side,
		      enum snat_npt why)
{
	unsigned int pointer = side == SNAT_SOURCE ?
			       offsetof(struct ipv6hdr, saddr) :
			       offsetof(struct ipv6hdr, daddr);

	if (why == SNAT_NPT_SUBNET)
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	else
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, pointer);
}

/*
 * Return the change of all that the ICMPv6 checksum covers of the quote.  No
 * checksum of an IPv6 header takes the change of the address back.
 */
static __wsum snat_ipv6_replace_quoted(struct sk_buff *skb,
				       enum snat_side side,
				       unsigned int header,
				       const struct snat_ipv6_upper *upper,
				       struct snat_target to)
{
	__wsum diff = snat_ipv6_replace((void *)skb->data + header, side, to);
	__sum16 *check, before;

	if (!upper->covered)
		return diff;

	check = (void *)skb->data + upper->offset + upper->transport.check;
	before = *check;
	snat_check_repair(check, upper->transport.zero, diff);
	return csum_add(diff, csum_sub(csum_unfold(*check),
				       csum_unfold(before)));
}

static __always_inline int
snat_ipv6_translate_both(struct sk_buff *skb, enum snat_side side,
			 struct snat_target target,
			 const struct snat_quote *quote,
			 struct snat_target quoted)
{
	struct snat_ipv6_upper upper = {}, inner_upper = {};
	unsigned int end = skb_network_offset(skb) + sizeof(struct ipv6hdr);
	bool neutral = (!target.address || target.neutral) &&
		       (!quoted.address || quoted.neutral);
	__wsum diff = 0, covered = 0;
	__sum16 *check;

	if (!neutral && snat_ipv6_find_upper(skb, 0, side, &upper))
		return -1;
	if (upper.transport.check != SNAT_NO_CHECK)
		end = upper.offset + upper.transport.size;

	if (quoted.address) {
		end = quote->offset + sizeof(struct ipv6hdr);
		/* Shorter quotes are legal and hold no checksum. */
		if (quoted.neutral ||
		    snat_ipv6_find_upper(skb, quote->offset,
					 snat_other_side(side), &inner_upper) ||
		    inner_upper.transport.check == SNAT_NO_CHECK ||
		    inner_upper.offset + inner_upper.transport.check +
		    sizeof(*check) > skb->len)
			inner_upper.covered = false;
		if (inner_upper.covered)
			end = inner_upper.offset +
			      inner_upper.transport.check + sizeof(*check);
	}

	/* All that is written below lies before end. */
	if (snat_ensure_writable(skb, end))
		return -1;

	if (quoted.address)
		covered = snat_ipv6_replace_quoted(skb, snat_other_side(side),
						   quote->offset, &inner_upper,
						   quoted);
	if (target.address)
		diff = snat_ipv6_replace(ipv6_hdr(skb), side, target);

	if (upper.transport.check != SNAT_NO_CHECK) {
		check = (void *)skb->data + upper.offset +
			upper.transport.check;
		if (snat_check_is_pseudo(skb, upper.offset)) {
			if (upper.covered)
				snat_check_repair_pseudo(check, diff);
			return 0;
		}

		if (upper.covered && !(upper.transport.zero && !*check)) {
			covered = csum_add(covered, diff);
			diff = 0;
		}
		snat_check_repair(check, upper.transport.zero, covered);
	}

	/* What no checksum inside the packet took back. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_add(skb->csum, diff);
	return 0;
}

int snat_ipv6_translate(struct sk_buff *skb, enum snat_side side,
			struct snat_target target)
{
	const struct snat_target none = {};

	return snat_ipv6_translate_both(skb, side, target, NULL, none);
}

int snat_ipv6_translate_error(struct sk_buff *skb, enum snat_side side,
			      struct snat_target target,
			      const struct snat_quote *quote,
			      struct snat_target quoted)
{
	return snat_ipv6_translate_both(skb, side, target, quote, quoted);
}
