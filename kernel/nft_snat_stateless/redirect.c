// SPDX-License-Identifier: GPL-2.0-only
/* ICMP redirects, and what they are about. */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ndisc.h>

#include "redirect.h"

static bool snat_redirect_is(const struct sk_buff *skb, unsigned int offset,
			     u8 redirect)
{
	const u8 *type;
	u8 _type;

	type = skb_header_pointer(skb, offset, sizeof(_type), &_type);
	return type && *type == redirect;
}

static bool snat_redirect_find_ipv4(const struct sk_buff *skb,
				    struct snat_redirect *redirect)
{
	const struct iphdr *iph = ip_hdr(skb), *quoted;
	unsigned int offset = skb_network_offset(skb) + iph->ihl * 4;
	struct iphdr _quoted;

	if (iph->protocol != IPPROTO_ICMP || iph->frag_off & htons(IP_OFFSET) ||
	    !snat_redirect_is(skb, offset, ICMP_REDIRECT))
		return false;

	quoted = skb_header_pointer(skb, offset + sizeof(struct icmphdr),
				    sizeof(_quoted), &_quoted);
	redirect->source.ip = iph->daddr;
	redirect->destination.ip = quoted ? quoted->daddr : iph->daddr;
	return true;
}

static bool snat_redirect_find_ipv6(const struct sk_buff *skb,
				    struct snat_redirect *redirect)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	unsigned int offset = skb_network_offset(skb) + sizeof(*ip6h);
	const struct in6_addr *destination;
	struct in6_addr _destination;

	if (ip6h->nexthdr != IPPROTO_ICMPV6 ||
	    !snat_redirect_is(skb, offset, NDISC_REDIRECT))
		return false;

	destination = skb_header_pointer(skb, offset +
					 offsetof(struct rd_msg, dest),
					 sizeof(_destination), &_destination);
	redirect->source.in6 = ip6h->daddr;
	redirect->destination.in6 = destination ? *destination : ip6h->daddr;
	return true;
}

bool snat_redirect_find(u8 pf, const struct sk_buff *skb,
			struct snat_redirect *redirect)
{
	return pf == NFPROTO_IPV4 ? snat_redirect_find_ipv4(skb, redirect) :
				    snat_redirect_find_ipv6(skb, redirect);
}
