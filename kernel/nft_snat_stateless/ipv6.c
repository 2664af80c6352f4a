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
#include "ipv6.h"
#include "packet.h"

/* How an extension header begins; none is shorter. */
union snat_ipv6_extension {
	struct ipv6_opt_hdr	any;
	struct ipv6_rt_hdr	routing;
	struct frag_hdr		fragment;
};

static unsigned int
snat_ipv6_extension_size(u8 protocol, const union snat_ipv6_extension *header)
{
	switch (protocol) {
	case NEXTHDR_FRAGMENT:
		return sizeof(header->fragment);
	case NEXTHDR_AUTH:
		return ipv6_authlen(&header->any);
	default:
		return ipv6_optlen(&header->any);
	}
}

/* Is there a Home Address option (RFC 6275, 6.3) among the options in between? */
static bool snat_ipv6_has_home(const struct sk_buff *skb, unsigned int offset,
			       unsigned int end)
{
	const u8 *option;
	u8 _option[2];

	while (offset + sizeof(_option) <= end) {
		option = skb_header_pointer(skb, offset, sizeof(_option),
					    _option);
		if (!option)
			return false;
		if (option[0] == IPV6_TLV_HAO)
			return true;
		offset += option[0] == IPV6_TLV_PAD1 ? 1 : 2 + option[1];
	}
	return false;
}

/*
 * Does the pseudo header have another address than the IPv6 header?  As
 * destination the last one of a routing header that has not come there yet
 * (RFC 8200, 8.1), as source a mobile node's home (RFC 6275, 11.3.1).
 */
static bool snat_ipv6_is_elsewhere(const struct sk_buff *skb, u8 protocol,
				   const union snat_ipv6_extension *header,
				   unsigned int offset, unsigned int end,
				   enum snat_side side)
{
	if (side == SNAT_DESTINATION)
		return protocol == NEXTHDR_ROUTING &&
		       header->routing.segments_left;

	return protocol == NEXTHDR_DEST &&
	       snat_ipv6_has_home(skb, offset + sizeof(header->any), end);
}

/**
 * snat_ipv6_find_upper - find the transport header behind extension headers
 *
 * @skb: packet
 * @offset: of an IPv6 header that is in the linear area
 * @side: the side that is replaced
 * @upper: filled in
 *
 * Return: 0, or -1 if extension headers are cut off.
 */
static int snat_ipv6_find_upper(const struct sk_buff *skb, unsigned int offset,
				enum snat_side side,
				struct snat_ipv6_upper *upper)
{
	const struct ipv6hdr *ip6h = (void *)skb->data + offset;
	const union snat_ipv6_extension *header;
	union snat_ipv6_extension _header;
	u8 protocol = ip6h->nexthdr;
	bool elsewhere = false;
	unsigned int end;

	offset += sizeof(*ip6h);
	upper->offset = offset;
	upper->transport = &snat_no_transport;
	upper->covered = false;

	while (ipv6_ext_hdr(protocol) && protocol != NEXTHDR_NONE) {
		header = skb_header_pointer(skb, offset, sizeof(_header),
					    &_header);
		if (!header)
			return -1;
		/* A later fragment has no transport header. */
		if (protocol == NEXTHDR_FRAGMENT &&
		    header->fragment.frag_off & htons(IP6_OFFSET))
			return 0;

		end = offset + snat_ipv6_extension_size(protocol, header);
		elsewhere |= snat_ipv6_is_elsewhere(skb, protocol, header,
						    offset, end, side);
		protocol = header->any.nexthdr;
		offset = end;
	}

	upper->offset = offset;
	upper->transport = &snat_ipv6_transports[protocol];
	upper->covered = upper->transport->check != SNAT_NO_CHECK && !elsewhere;
	return 0;
}

static unsigned int snat_ipv6_check_end(const struct snat_ipv6_upper *upper)
{
	return upper->offset + upper->transport->check + sizeof(__sum16);
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
	struct snat_ipv6_upper upper;
	const struct ipv6hdr *inner;
	struct ipv6hdr _inner;
	const u8 *type;
	u8 _type;

	if (snat_ipv6_find_upper(skb, skb_network_offset(skb), side, &upper) ||
	    upper.transport != &snat_ipv6_transports[IPPROTO_ICMPV6])
		return false;

	type = skb_header_pointer(skb, upper.offset, sizeof(_type), &_type);
	if (!type || !icmpv6_is_err(*type))
		return false;

	quote->offset = upper.offset + sizeof(struct icmp6hdr);
	quote->covered = upper.covered;
	inner = skb_header_pointer(skb, quote->offset, sizeof(_inner), &_inner);
	if (!inner || inner->version != 6)
		return false;

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

int snat_ipv6_translate_any(struct sk_buff *skb, enum snat_side side,
			    const union snat_address *to)
{
	struct snat_ipv6_upper upper = snat_ipv6_next(skb);
	int err;

	if (upper.transport->check == SNAT_NO_CHECK &&
	    snat_ipv6_find_upper(skb, skb_network_offset(skb), side, &upper))
		return SNAT_MALFORMED;

	err = snat_make_writable(skb, upper.offset + upper.transport->size);
	if (err)
		return err;

	snat_ipv6_rewrite(skb, snat_ipv6_field(ipv6_hdr(skb), side), &upper,
			  skb->data + upper.offset, to);
	return 0;
}

int snat_ipv6_translate(struct sk_buff *skb, enum snat_side side,
			const union snat_address *to)
{
	return snat_ipv6_translate_here(skb, side, to);
}

static __always_inline int
snat_ipv6_rewrite_npt(struct sk_buff *skb, enum snat_side side,
		      const struct snat_prefix *prefix,
		      const union snat_address *value)
{
	union snat_address *field = snat_ipv6_field(ipv6_hdr(skb), side);
	enum snat_npt npt = snat_npt_translate(prefix, value, field, field);

	if (likely(npt == SNAT_NPT_DONE))
		return 0;

	snat_ipv6_refuse(skb, side, npt);
	return SNAT_NO_COUNTERPART;
}

static noinline int
snat_ipv6_rewrite_npt_copy(struct sk_buff *skb, enum snat_side side,
			   const struct snat_prefix *prefix,
			   const union snat_address *value)
{
	int err = snat_make_writable(skb, skb_network_offset(skb) +
					  sizeof(struct ipv6hdr));

	if (err)
		return err;

	return snat_ipv6_rewrite_npt(skb, side, prefix, value);
}

int snat_ipv6_translate_npt(struct sk_buff *skb, enum snat_side side,
			    const struct snat_prefix *prefix,
			    const union snat_address *value)
{
	if (unlikely(!snat_is_writable(skb, skb_network_offset(skb) +
					    sizeof(struct ipv6hdr))))
		return snat_ipv6_rewrite_npt_copy(skb, side, prefix, value);

	return snat_ipv6_rewrite_npt(skb, side, prefix, value);
}

/* The same inside a quote, of which its checksum may be cut off. */
static void snat_ipv6_find_quoted(const struct sk_buff *skb,
				  unsigned int header, enum snat_side side,
				  struct snat_ipv6_upper *upper)
{
	if (snat_ipv6_find_upper(skb, header, side, upper) ||
	    snat_ipv6_check_end(upper) > skb->len)
		upper->covered = false;
}

/*
 * The ICMPv6 checksum follows both the quoted address and the quoted checksum,
 * if there is one: no checksum of an IPv6 header takes the former back.
 */
static void snat_ipv6_rewrite_quoted(struct sk_buff *skb,
				     const struct snat_ipv6_upper *upper,
				     const struct snat_ipv6_upper *quoted,
				     union snat_address *field,
				     const union snat_address *to)
{
	__wsum diff = snat_ipv6_replace(field, to);
	void *header = skb->data + upper->offset;
	__sum16 *check, before;

	if (quoted->covered) {
		check = (void *)skb->data + quoted->offset +
			quoted->transport->check;
		before = *check;
		snat_check_repair(check, quoted->transport->zero, diff);
		diff = csum_add(diff, csum_sub(csum_unfold(*check),
					       csum_unfold(before)));
	}
	if (!snat_check_is_pseudo(skb, header))
		snat_check_repair(header + upper->transport->check,
				  upper->transport->zero, diff);
}

int snat_ipv6_translate_error(struct sk_buff *skb, enum snat_side side,
			      const struct snat_target *outer,
			      const struct snat_quote *quote,
			      const struct snat_target *inner)
{
	const struct snat_ipv6_upper upper = {
		.offset = quote->offset - sizeof(struct icmp6hdr),
		.transport = &snat_ipv6_transports[IPPROTO_ICMPV6],
		.covered = quote->covered,
	};
	enum snat_side other = snat_other_side(side);
	struct snat_ipv6_upper quoted;
	union snat_address *field;
	int err;

	err = snat_make_writable(skb, quote->offset + sizeof(struct ipv6hdr));
	if (err)
		return err;

	snat_ipv6_find_quoted(skb, quote->offset, other, &quoted);
	if (quoted.covered)
		err = snat_make_writable(skb, snat_ipv6_check_end(&quoted));
	if (err)
		return err;

	field = snat_ipv6_field((void *)skb->data + quote->offset, other);
	if (!snat_address_equal(NFPROTO_IPV6, field, &quote->address))
		return SNAT_MALFORMED;

	/* What is neutral changes no sum. */
	if (inner->neutral)
		snat_ipv6_replace(field, &inner->address);
	else
		snat_ipv6_rewrite_quoted(skb, &upper, &quoted, field,
					 &inner->address);

	if (outer && outer->neutral)
		snat_ipv6_replace(snat_ipv6_field(ipv6_hdr(skb), side),
				  &outer->address);
	else if (outer)
		snat_ipv6_rewrite(skb, snat_ipv6_field(ipv6_hdr(skb), side),
				  &upper, skb->data + upper.offset,
				  &outer->address);
	return 0;
}
