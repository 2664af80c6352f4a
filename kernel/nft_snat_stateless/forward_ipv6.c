// SPDX-License-Identifier: GPL-2.0-only
/* What a router would only pass on, routed and sent in prerouting already: IPv6. */
#include "forward.h"

#include "shortcut.h"

void snat_forward_ipv6(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const void *header)
{
	snat_forward(priv, regs, pkt, NFPROTO_IPV6, header);
}
