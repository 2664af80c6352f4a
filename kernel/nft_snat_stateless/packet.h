/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet face: addresses and checksums; knows sk_buff, not nftables. */
#ifndef NFT_SNAT_STATELESS_PACKET_H
#define NFT_SNAT_STATELESS_PACKET_H

#include <linux/skbuff.h>
#include <linux/types.h>

/* Which address of a packet is translated. */
enum snat_side {
	SNAT_SOURCE,
	SNAT_DESTINATION,
};

/**
 * struct snat_quote - the packet that an ICMP error quotes
 *
 * @offset: of its IP header from skb->data
 * @address: the address that answers to the chosen side.  A quoted packet
 *	went the other way, so that is the quoted destination for SNAT_SOURCE
 *	and the quoted source for SNAT_DESTINATION.
 */
struct snat_quote {
	unsigned int	offset;
	__be32		address;
};

/**
 * snat_ipv4_address - the address that a packet is looked up by
 *
 * @skb: packet with its network header set and 20 bytes of it in the linear
 *	area, as in every IPv4 hook
 * @side: source or destination
 */
__be32 snat_ipv4_address(const struct sk_buff *skb, enum snat_side side);

/**
 * snat_ipv4_quote - find the packet that an ICMP error quotes (RFC 792)
 *
 * @skb: as above
 * @side: the side that is translated outside
 * @quote: filled in on success
 *
 * Return: false if @skb is not an ICMP error or its quote is too short, or
 * too odd, to hold an IPv4 address.
 */
bool snat_ipv4_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote);

/**
 * snat_ipv4_translate - replace addresses and repair every checksum over them
 *
 * @skb: as above; on success its headers may have moved
 * @side: the side of the outer header that is replaced
 * @address: the new outer address, or NULL to keep it
 * @quote: what snat_ipv4_quote() found; read only if @quoted is given
 * @quoted: the new address inside @quote, or NULL to keep it
 *
 * Checksums are repaired incrementally (RFC 1624): one that was wrong stays
 * wrong by the same amount.
 *
 * Return: 0, or -1 with the packet unchanged: its transport header is cut
 * off, its IPv4 header is malformed, or there is no memory.
 */
int snat_ipv4_translate(struct sk_buff *skb, enum snat_side side,
			const __be32 *address, const struct snat_quote *quote,
			const __be32 *quoted);

#endif /* NFT_SNAT_STATELESS_PACKET_H */
