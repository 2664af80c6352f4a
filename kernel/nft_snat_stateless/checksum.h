/* SPDX-License-Identifier: GPL-2.0-only */
/* The transport checksums that cover addresses, and their incremental repair. */
#ifndef NFT_SNAT_STATELESS_CHECKSUM_H
#define NFT_SNAT_STATELESS_CHECKSUM_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/checksum.h>

/* No transport checksum covers the addresses. */
#define SNAT_NO_CHECK	0

/**
 * struct snat_transport - what a transport protocol asks of address changes
 *
 * @size: of its shortest header in bytes
 * @check: offset of the checksum that covers the addresses, or SNAT_NO_CHECK
 * @zero: a checksum of 0 is none (UDP) or cannot be right (UDP-Lite, UDP over
 *	IPv6): it stays, and a computed 0 is sent as 0xffff
 */
struct snat_transport {
	u8	size;
	u8	check;
	bool	zero;
} __aligned(4);

/* By IP protocol; all zero for one whose checksums cover no addresses. */
extern const struct snat_transport snat_ipv4_transports[256];
extern const struct snat_transport snat_ipv6_transports[256];

/* No transport header, or none that matters. */
extern const struct snat_transport snat_no_transport;

/**
 * snat_check_is_pseudo - is a checksum left to be completed behind us?
 *
 * @skb: packet
 * @transport: transport header, in the linear area
 *
 * Until then the field is a sum over the pseudo header.  csum_start tells for
 * the packet itself.  Inside a tunnel it belongs to the inner packet: the
 * outer field is complete, unless GSO is to fill it in for each segment.
 */
static inline bool snat_check_is_pseudo(const struct sk_buff *skb,
					const void *transport)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb->head + skb->csum_start == transport ||
		skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM);
}

/*
 * A change, new minus old, in 16 bits: what is done once for all checksums that
 * follow it.  csum_sub() never makes 0 of two addresses, nor does this.
 */
static inline u16 snat_check_change(__wsum diff)
{
	u32 change = (__force u32)diff;

	return (change + (change << 16 | change >> 16)) >> 16;
}

/* csum_replace_by_diff() with such a one; borrows go round. */
static inline void snat_check_replace(__sum16 *check, u16 change)
{
	u32 sum = (__force u16)*check - change;

	*check = (__force __sum16)(sum - (sum >> 31));
}

/*
 * Follow a change of @diff, new minus old, in what a complete checksum covers.
 * Return: false if there is none that could.
 */
static inline bool snat_check_repair(__sum16 *check, bool zero, __wsum diff)
{
	if (zero && !*check)
		return false;

	snat_check_replace(check, snat_check_change(diff));
	if (zero && !*check)
		*check = CSUM_MANGLED_0;
	return true;
}

/* The same for a sum over the pseudo header. */
static inline void snat_check_repair_pseudo(__sum16 *check, __wsum diff)
{
	*check = ~csum_fold(csum_add(csum_unfold(*check), diff));
}

#endif /* NFT_SNAT_STATELESS_CHECKSUM_H */
