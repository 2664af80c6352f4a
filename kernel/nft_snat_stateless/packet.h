/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet face: addresses and checksums; knows sk_buff, not nftables. */
#ifndef NFT_SNAT_STATELESS_PACKET_H
#define NFT_SNAT_STATELESS_PACKET_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "address.h"
#include "npt.h"
#include "reason.h"

/*
 * Whose bytes are they?
 *
 * Those of the linear area (below skb_headlen()) are the kernel's alone.  What
 * a process can still write to while a packet passes (pages of vmsplice, splice
 * and sendfile, MSG_ZEROCOPY, transmit rings of packet sockets, a virtual
 * machine's buffers) becomes fragments, and what the kernel pulls out of a
 * fragment it copies.  The owner of a clone, who has the linear area in common
 * with us, does not write to it before he has one of his own.  So linear bytes
 * can be read again and again, and be written behind skb_ensure_writable(),
 * which pulls and has a head of our own made.
 *
 * All others, in fragments and in the fragment list, may change between any two
 * reads.  Hence what decides where a write goes is
 *
 *	in the linear area, as both fixed IP headers are, the quoted one behind
 *	skb_ensure_writable(); or
 *	read once, with skb_header_pointer(), and handed on: struct snat_quote,
 *	struct snat_ipv6_upper.
 *
 * A packet that changes on its way may leave with a wrong sum, or be dropped;
 * nothing is written but what was made writable.
 */

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
 * @offset: of its IP header from skb->data; the ICMP header is before it
 * @covered: the ICMPv6 checksum covers the error's own address of that side
 * @address: the address that answers to the chosen side.  A quoted packet
 *	went the other way, so that is the quoted destination for SNAT_SOURCE
 *	and the quoted source for SNAT_DESTINATION.
 */
struct snat_quote {
	unsigned int		offset;
	bool			covered;
	union snat_address	address;
};

/**
 * struct snat_target - what an address becomes
 *
 * @address: the new one
 * @neutral: it adds up to the same as the old one, so checksums stay (RFC 6296)
 */
struct snat_target {
	union snat_address	address;
	bool			neutral;
};

/* Where an address is in the IP header, whose fixed part is in the linear area. */
static inline u8 snat_ipv4_offset(enum snat_side side)
{
	return side == SNAT_SOURCE ? offsetof(struct iphdr, saddr) :
				     offsetof(struct iphdr, daddr);
}

static inline u8 snat_ipv6_offset(enum snat_side side)
{
	return side == SNAT_SOURCE ? offsetof(struct ipv6hdr, saddr) :
				     offsetof(struct ipv6hdr, daddr);
}

/*
 * May a packet go the short way?  One that quotes nothing, and in IPv6 has its
 * transport right behind its header and is for or from no link; false for some
 * of these as well.
 */
static inline bool snat_ipv4_is_plain(const struct sk_buff *skb)
{
	return ip_hdr(skb)->protocol != IPPROTO_ICMP;
}

static inline bool snat_ipv6_is_plain(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return (ip6h->nexthdr == IPPROTO_TCP || ip6h->nexthdr == IPPROTO_UDP) &&
	       ip6h->saddr.s6_addr[0] < 0xfe && ip6h->daddr.s6_addr[0] < 0xfe;
}

/*
 * Both families offer the same three functions.
 *
 * snat_*_quote - find the packet that an ICMP error quotes (RFC 792, RFC 4443)
 *
 * @skb: packet with its network header set
 * @side: the side that is translated outside
 * @quote: filled in on success
 *
 * Return: false if @skb is not an ICMP error or its quote is too short, or
 * too odd, to hold an address.
 *
 *
 * snat_*_translate - replace an address and repair every checksum over it
 *
 * @skb: as above; on success its headers may have moved
 * @side: the address
 * @to: what it becomes
 *
 * Checksums are repaired incrementally (RFC 1624): one that was wrong stays
 * wrong by the same amount.
 *
 * Return: 0, or with the packet unchanged SNAT_MALFORMED: its transport header is
 * cut off or its IP header wrong; or SNAT_NO_MEMORY.
 *
 *
 * snat_*_translate_error - the same for an ICMP error and what it quotes
 *
 * @outer: of the outer address; NULL: it stays
 * @quote: what snat_*_quote() found
 * @inner: of the address inside @quote
 *
 * Return: as above; SNAT_MALFORMED also if that is no longer the address that was
 * found.
 */
bool snat_ipv4_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote);
int snat_ipv4_translate(struct sk_buff *skb, enum snat_side side,
			const union snat_address *to);
int snat_ipv4_translate_error(struct sk_buff *skb, enum snat_side side,
			      const struct snat_target *outer,
			      const struct snat_quote *quote,
			      const struct snat_target *inner);

bool snat_ipv6_quote(const struct sk_buff *skb, enum snat_side side,
		     struct snat_quote *quote);
int snat_ipv6_translate(struct sk_buff *skb, enum snat_side side,
			const union snat_address *to);
int snat_ipv6_translate_error(struct sk_buff *skb, enum snat_side side,
			      const struct snat_target *outer,
			      const struct snat_quote *quote,
			      const struct snat_target *inner);

/**
 * snat_ipv6_translate_npt - replace a prefix so that checksums do not notice
 *
 * @skb: as above
 * @side: the address
 * @prefix: which bits of it are replaced
 * @value: by those of this address
 *
 * Return: as above; or SNAT_NO_COUNTERPART, after the packet's sender has been told.
 */
int snat_ipv6_translate_npt(struct sk_buff *skb, enum snat_side side,
			    const struct snat_prefix *prefix,
			    const union snat_address *value);

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

/*
 * Can the first @end bytes of @skb->data be written as they are?  Some of those
 * that skb_ensure_writable() leaves alone, too, are left to it.
 */
static inline bool snat_is_writable(const struct sk_buff *skb, unsigned int end)
{
	return end <= skb_headlen(skb) && !skb->cloned;
}

/* Make them so.  Return: 0, or why not. */
static inline int snat_make_writable(struct sk_buff *skb, unsigned int end)
{
	if (end > skb->len)
		return SNAT_MALFORMED;

	return skb_ensure_writable(skb, end) ? SNAT_NO_MEMORY : 0;
}

#endif /* NFT_SNAT_STATELESS_PACKET_H */
