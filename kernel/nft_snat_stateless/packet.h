/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet face: addresses and checksums; knows sk_buff, not nftables. */
#ifndef NFT_SNAT_STATELESS_PACKET_H
#define NFT_SNAT_STATELESS_PACKET_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "npt.h"

/* Which address of a packet is translated. */
enum snat_side {
	SNAT_SOURCE,
	SNAT_DESTINATION,
};

static inline enum snat_side snat_other_side(enum snat_side side)
{
	return side == SNAT_SOURCE ? SNAT_DESTINATION : SNAT_SOURCE;
}

/**
 * struct snat_quote - the packet that an ICMP error quotes
 *
 * @offset: of its IP header from skb->data
 * @address: the address that answers to the chosen side.  A quoted packet
 *	went the other way, so that is the quoted destination for SNAT_SOURCE
 *	and the quoted source for SNAT_DESTINATION.
 */
struct snat_quote {
	unsigned int		offset;
	union nf_inet_addr	address;
};

/**
 * struct snat_target - what an address becomes
 *
 * @address: the new one
 * @neutral: it adds up to the same as the old one, so checksums stay (RFC 6296)
 */
struct snat_target {
	union nf_inet_addr	address;
	bool			neutral;
};

/*
 * Both families offer the same three functions.
 *
 * snat_*_address - the address that a packet is looked up by
 *
 * @skb: packet with its network header set and the fixed part of that header
 *	(20 or 40 bytes) in the linear area, as in every IP hook
 * @side: source or destination
 *
 *
 * snat_*_quote - find the packet that an ICMP error quotes (RFC 792, RFC 4443)
 *
 * @skb: as above
 * @side: the side that is translated outside
 * @quote: filled in on success
 *
 * Return: false if @skb is not an ICMP error or its quote is too short, or
 * too odd, to hold an address.
 *
 *
 * snat_*_translate - replace addresses and repair every checksum over them
 *
 * @skb: as above; on success its headers may have moved
 * @side: the side of the outer header that is replaced
 * @target: of the outer address, or NULL to keep that
 * @quote: what snat_*_quote() found; read only if @quoted is given
 * @quoted: the target of the address inside @quote, or NULL to keep that
 *
 * Checksums are repaired incrementally (RFC 1624): one that was wrong stays
 * wrong by the same amount.
 *
 * Return: 0, or -1 with the packet unchanged: its transport header is cut
 * off, its IP header is malformed, or there is no memory.
 */
const void *snat_ipv4_address(const struct sk_buff *skb, enum snat_side side);
bool snat_ipv4_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote);
int snat_ipv4_translate(struct sk_buff *skb, enum snat_side side,
			const struct snat_target *target,
			const struct snat_quote *quote,
			const struct snat_target *quoted);

const void *snat_ipv6_address(const struct sk_buff *skb, enum snat_side side);
bool snat_ipv6_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote);
int snat_ipv6_translate(struct sk_buff *skb, enum snat_side side,
			const struct snat_target *target,
			const struct snat_quote *quote,
			const struct snat_target *quoted);

/**
 * snat_ipv6_is_local - is this packet for its own link or for many?
 *
 * @skb: as above
 *
 * Neighbour discovery (RFC 4861) checks addresses that a pair may well have;
 * link-local and multicast addresses are of no pair, and what goes to or
 * comes from them must not be translated on its other side either.
 */
bool snat_ipv6_is_local(const struct sk_buff *skb);

/**
 * snat_ipv6_refuse - tell the sender that an address has no counterpart
 *
 * @skb: as above, unchanged so far
 * @side: the address
 * @why: SNAT_NPT_SUBNET or SNAT_NPT_IDENTIFIER
 */
void snat_ipv6_refuse(struct sk_buff *skb, enum snat_side side,
		      enum snat_npt why);

#endif /* NFT_SNAT_STATELESS_PACKET_H */
