// SPDX-License-Identifier: GPL-2.0-only
/* Translations that few packets need: of prefixes, and where IPsec or a route has a say. */
#include "translate.h"

#include <net/dst_metadata.h>

#include "own.h"

int snat_translate_prefix(u8 pf, struct sk_buff *skb, enum snat_side side,
			  const struct snat_map *map,
			  const union snat_address *value)
{
	union snat_address to;

	snat_prefix_replace(pf, &map->prefix, value, snat_address(skb, map),
			    &to);
	return snat_translate(pf, skb, side, &to);
}

bool snat_may_enter(const struct nft_pktinfo *pkt, u8 pf, bool local)
{
	return nft_hook(pkt) != NF_INET_PRE_ROUTING ||
	       snat_policy_check(pkt->skb, pf, local);
}

void snat_enter(const struct nft_pktinfo *pkt, u8 pf, bool local)
{
	if (nft_hook(pkt) != NF_INET_PRE_ROUTING)
		return;

	snat_policy_settle(pkt->skb, pf, local);
	if (skb_valid_dst(pkt->skb))
		skb_dst_drop(pkt->skb);
}

int snat_leave(const struct nft_pktinfo *pkt, u8 pf)
{
	if (nft_hook(pkt) != NF_INET_POST_ROUTING)
		return 0;

	return snat_policy_choose(nft_net(pkt), pkt->skb, pf) ? SNAT_POLICY : 0;
}

int snat_translate_hindered(const struct nft_snat_stateless *priv,
			    const struct nft_pktinfo *pkt, u8 pf,
			    const struct snat_map *map,
			    const struct nft_set_ext *element)
{
	const struct snat_hit hit = { .map = map, .element = element };
	bool local = map->whole && snat_is_own(pkt, pf, snat_value(element));
	int err;

	if (!snat_may_enter(pkt, pf, local))
		return SNAT_POLICY;

	err = snat_translate_hit(priv, pkt->skb, pf, &hit);
	if (!err)
		snat_enter(pkt, pf, local);
	return err;
}
