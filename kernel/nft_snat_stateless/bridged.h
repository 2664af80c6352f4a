/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that a bridge of this machine passes on, which br_netfilter shows to
 * the hooks of IP: they are no packets of the gateway.
 *
 * Prerouting sees a frame in the bridge, before it is known whether it will
 * be bridged or routed, and does not see it again; postrouting sees it in the
 * bridge if it was bridged.
 */
#ifndef NFT_SNAT_STATELESS_BRIDGED_H
#define NFT_SNAT_STATELESS_BRIDGED_H

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/skbuff.h>

#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)

static inline bool snat_came_by_bridge(const struct sk_buff *skb)
{
	return nf_bridge_info_exists(skb);
}

/* Is this frame, for all that can be told at this hook, passed on as it is? */
bool snat_bridge_passes_on(u8 pf, const struct sk_buff *skb);

#else

static inline bool snat_came_by_bridge(const struct sk_buff *skb)
{
	return false;
}

static inline bool snat_bridge_passes_on(u8 pf, const struct sk_buff *skb)
{
	return false;
}

#endif

#endif /* NFT_SNAT_STATELESS_BRIDGED_H */
