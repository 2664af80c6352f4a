/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPsec's policies name the addresses that are seen outside, as beside stock
 * nat (net/netfilter/nf_nat_proto.c): a packet from outside is held to them
 * before its destination is translated, one from inside after its source was.
 */
#ifndef NFT_SNAT_STATELESS_POLICY_H
#define NFT_SNAT_STATELESS_POLICY_H

#include <linux/netfilter.h>
#include <net/netfilter/nf_tables.h>
#include <net/xfrm.h>

#ifdef CONFIG_XFRM

/**
 * snat_policy_check - may a packet come in?
 *
 * @skb: packet in prerouting, not translated yet; its headers may move
 * @pf: its family
 * @local: translated, it is for this machine itself
 *
 * Return: false if a policy asks for protection that it has not had.
 */
bool snat_policy_check(struct sk_buff *skb, u8 pf, bool local);

/**
 * snat_policy_settle - spare a packet the kernel's own check
 *
 * @skb: packet that snat_policy_check() let pass, translated since
 *
 * The kernel checks again behind prerouting, by the internal address, which
 * the policies do not know.
 */
void snat_policy_settle(struct sk_buff *skb, u8 pf, bool local);

/**
 * snat_policy_choose - look up the policy for a packet that leaves
 *
 * @net: its namespace
 * @skb: packet in postrouting, translated; gets another route if it is to be
 *	protected
 * @pf: its family
 *
 * Return: 0, or a negative errno, with which the packet must not leave.
 */
int snat_policy_choose(struct net *net, struct sk_buff *skb, u8 pf);

static inline bool snat_policy_may_stop(const struct net *net,
					const struct sk_buff *skb)
{
	return net->xfrm.policy_count[XFRM_POLICY_IN] |
	       net->xfrm.policy_count[XFRM_POLICY_FWD] || secpath_exists(skb);
}

static inline bool snat_policy_may_change(const struct net *net)
{
	return net->xfrm.policy_count[XFRM_POLICY_OUT];
}

#else

static inline bool snat_policy_check(struct sk_buff *skb, u8 pf, bool local)
{
	return true;
}

static inline void snat_policy_settle(struct sk_buff *skb, u8 pf, bool local)
{
}

static inline int snat_policy_choose(struct net *net, struct sk_buff *skb,
				     u8 pf)
{
	return 0;
}

static inline bool snat_policy_may_stop(const struct net *net,
					const struct sk_buff *skb)
{
	return false;
}

static inline bool snat_policy_may_change(const struct net *net)
{
	return false;
}

#endif

#endif /* NFT_SNAT_STATELESS_POLICY_H */
