// SPDX-License-Identifier: GPL-2.0-only
/* Frames that a bridge of this machine passes on. */

#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/ipv6.h>

#include "bridged.h"

#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)

/* Is this address one that the bridge takes for itself? */
static bool snat_is_bridge_address(const struct net_device *bridge,
				   const u8 *address)
{
	const struct netdev_hw_addr *other;

	if (ether_addr_equal(address, bridge->dev_addr))
		return true;

	/* Those of macvlan devices on top of it, as keepalived makes them. */
	list_for_each_entry_rcu(other, &bridge->uc.list, list)
		if (ether_addr_equal(address, other->addr))
			return true;
	return false;
}

/*
 * A frame whose destination was translated, to a host of the same bridge, is
 * not routed either, but no stranger.  The bridge itself tells them apart so.
 */
static bool snat_has_another_destination(u8 pf, const struct sk_buff *skb,
					 const struct nf_bridge_info *bridge)
{
	if (pf == NFPROTO_IPV4)
		return bridge->ipv4_daddr != ip_hdr(skb)->daddr;

	return !ipv6_addr_equal(&bridge->ipv6_daddr, &ipv6_hdr(skb)->daddr);
}

bool snat_bridge_passes_on(u8 pf, const struct sk_buff *skb)
{
	const struct nf_bridge_info *bridge = nf_bridge_info_get(skb);

	if (!bridge->in_prerouting)
		return bridge->physoutdev &&
		       !snat_has_another_destination(pf, skb, bridge);

	/* @skb->dev is the bridge here; the address of its port will do, too. */
	return bridge->pkt_otherhost &&
	       !snat_is_bridge_address(skb->dev, eth_hdr(skb)->h_dest);
}

#endif
