// SPDX-License-Identifier: GPL-2.0-only
/* Which packets are ours, as far as few of them have to be asked. */
#include "decision.h"

#include <linux/netdevice.h>
#include <net/netfilter/nf_conntrack.h>

void snat_mark_tracked(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/*
 * dup marks the copies that it sends untracked, before any rule could have; so
 * does a VRF, for a first round of hooks, and to its own device.  What is sent
 * from an address of this machine is no copy in any case.
 */
static bool snat_is_copy(const struct nft_pktinfo *pkt, u8 pf)
{
	return skb_get_nfct(pkt->skb) == IP_CT_UNTRACKED &&
	       !netif_is_l3_master(nft_out(pkt)) &&
	       !snat_is_own(pkt, pf, snat_side(pf, pkt->skb, SNAT_SOURCE));
}

void snat_decide_sent(struct nft_regs *regs, const struct nft_pktinfo *pkt,
		      u8 pf)
{
	struct sk_buff *skb = pkt->skb;

	if (snat_may_have_pair(pf, skb) && !snat_is_copy(pkt, pf) &&
	    !snat_is_own(pkt, pf, snat_side(pf, skb, SNAT_DESTINATION))) {
		snat_mark_untracked(skb, pf);
		return;
	}
	snat_clear_decided(pf, skb);
	regs->verdict.code = NFT_BREAK;
}
