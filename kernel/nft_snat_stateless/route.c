// SPDX-License-Identifier: GPL-2.0-only
/* The route of a packet before the stack asks for it. */

#include <linux/err.h>
#include <linux/netfilter_ipv4.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/dst_metadata.h>

#include "decision.h"
#include "route.h"

bool snat_route_leads(const struct snat_scope *scope, struct sk_buff *skb,
		      u8 pf)
{
	const struct dst_entry *dst;
	bool leads;

	/* Of a first round of hooks, as a VRF makes it. */
	if (skb_valid_dst(skb))
		return snat_scope_has(scope, skb_dst(skb)->dev);
	if (!snat_route_find(skb, pf))
		return false;

	dst = skb_dst(skb);
	leads = !dst->error && snat_scope_has(scope, dst->dev);
	if (!leads || unlikely(skb->mark || snat_came_by_bridge(skb)))
		skb_dst_drop(skb);
	return leads;
}

static unsigned int snat_route_let_go(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	if (unlikely(skb->mark) && snat_is_decided(state->pf, skb) &&
	    skb_valid_dst(skb))
		skb_dst_drop(skb);
	return NF_ACCEPT;
}

struct snat_route_guard *snat_route_guard(struct net *net, u8 pf)
{
	struct snat_route_guard *guard = kzalloc(sizeof(*guard),
						 GFP_KERNEL_ACCOUNT);
	int err;

	if (!guard)
		return ERR_PTR(-ENOMEM);

	guard->ops.hook = snat_route_let_go;
	guard->ops.pf = pf;
	guard->ops.hooknum = NF_INET_PRE_ROUTING;
	guard->ops.priority = NF_IP_PRI_LAST;
	err = nf_register_net_hook(net, &guard->ops);
	if (!err)
		return guard;

	kfree(guard);
	return ERR_PTR(err);
}

void snat_route_unguard(struct net *net, struct snat_route_guard *guard)
{
	if (!guard)
		return;

	nf_unregister_net_hook(net, &guard->ops);
	kfree_rcu(guard, rcu);
}
