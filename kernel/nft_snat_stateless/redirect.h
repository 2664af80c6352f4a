/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP redirects.  One about a packet of a pair would lead its sender around
 * the gateway, to a host or router that knows nothing of the translation.
 */
#ifndef NFT_SNAT_STATELESS_REDIRECT_H
#define NFT_SNAT_STATELESS_REDIRECT_H

#include <linux/skbuff.h>
#include <linux/types.h>

#include "address.h"

/**
 * struct snat_redirect - the packet that a redirect is about
 *
 * @source: its sender, to which the redirect goes
 * @destination: where it is to be sent another way
 */
struct snat_redirect {
	union snat_address	source;
	union snat_address	destination;
};

/**
 * snat_redirect_find - is this packet a redirect (RFC 792, RFC 4861 4.5)?
 *
 * @pf: its family
 * @skb: packet with its network header set
 * @redirect: filled in if it is; without its end, all of it is the receiver
 */
bool snat_redirect_find(u8 pf, const struct sk_buff *skb,
			struct snat_redirect *redirect);

#endif /* NFT_SNAT_STATELESS_REDIRECT_H */
