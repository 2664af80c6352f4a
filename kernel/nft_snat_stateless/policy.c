// SPDX-License-Identifier: GPL-2.0-only
/* IPsec's policies, asked with the addresses that are seen outside. */

#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/xfrm.h>

#include "policy.h"

#ifdef CONFIG_XFRM

static int snat_policy_direction(bool local)
{
	return local ? XFRM_POLICY_IN : XFRM_POLICY_FWD;
}

bool snat_policy_check(struct sk_buff *skb, u8 pf, bool local)
{
	return xfrm_policy_check(NULL, snat_policy_direction(local), skb, pf);
}

void snat_policy_settle(struct sk_buff *skb, u8 pf, bool local)
{
	if (pf == NFPROTO_IPV4)
		IPCB(skb)->flags |= IPSKB_NOPOLICY;
	/* IPv6 has no such flag.  A packet that was never protected, or that
	 * nobody remembers as such, needs no policy that says so.
	 */
	else if (secpath_exists(skb) &&
		 !xfrm_policy_check(NULL, snat_policy_direction(local), skb,
				    pf))
		secpath_reset(skb);
}

/* What IPsec itself sends has been through all this. */
static bool snat_policy_is_done(const struct sk_buff *skb, u8 pf)
{
	return pf == NFPROTO_IPV4 ?
	       IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED :
	       IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED;
}

/* Without what a policy for the internal address may have made of it. */
static struct dst_entry *snat_policy_plain_route(const struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);

	return dst->xfrm ? ((struct xfrm_dst *)dst)->route : dst;
}

/* Behind another route there may be another device. */
static int snat_policy_make_room(struct sk_buff *skb)
{
	unsigned int needed = skb_dst(skb)->dev->hard_header_len;

	if (skb_headroom(skb) >= needed)
		return 0;

	return pskb_expand_head(skb, HH_DATA_ALIGN(needed - skb_headroom(skb)),
				0, GFP_ATOMIC);
}

int snat_policy_choose(struct net *net, struct sk_buff *skb, u8 pf)
{
	struct sock *sk = skb->sk;
	struct dst_entry *dst;
	struct flowi fl;
	int err;

	if (snat_policy_is_done(skb, pf))
		return 0;

	err = xfrm_decode_session(net, skb, &fl, pf);
	if (err < 0)
		return err;

	dst = snat_policy_plain_route(skb);
	if (!dst_hold_safe(dst))
		return -EHOSTUNREACH;

	/* Takes the reference. */
	dst = xfrm_lookup(net, dst, &fl, sk && net_eq(net, sock_net(sk)) ?
			  sk : NULL, 0);
	if (IS_ERR(dst))
		return PTR_ERR(dst);

	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	return snat_policy_make_room(skb);
}

#endif
