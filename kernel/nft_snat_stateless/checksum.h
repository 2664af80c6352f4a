/* SPDX-License-Identifier: GPL-2.0-only */
/* The transport checksums that cover addresses, and their incremental repair. */
#ifndef NFT_SNAT_STATELESS_CHECKSUM_H
#define NFT_SNAT_STATELESS_CHECKSUM_H

#include <linux/skbuff.h>
#include <linux/types.h>

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
};

/* Of an IP protocol; all zero for one whose checksums cover no addresses. */
struct snat_transport snat_transport(u8 protocol);

/**
 * snat_check_is_pseudo - is a checksum left to be completed behind us?
 *
 * @skb: packet
 * @transport: offset of the transport header from skb->data
 *
 * Until then the field is a sum over the pseudo header.  csum_start tells for
 * the packet itself.  Inside a tunnel it belongs to the inner packet: the
 * outer field is complete, unless GSO is to fill it in for each segment.
 */
bool snat_check_is_pseudo(const struct sk_buff *skb, unsigned int transport);

/* Follow a change of @diff, new minus old, in what a complete checksum covers. */
void snat_check_repair(__sum16 *check, bool zero, __wsum diff);

/* The same for a sum over the pseudo header. */
void snat_check_repair_pseudo(__sum16 *check, __wsum diff);

#endif /* NFT_SNAT_STATELESS_CHECKSUM_H */
