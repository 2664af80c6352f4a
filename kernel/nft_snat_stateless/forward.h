/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a router would only pass on, routed and sent in prerouting already: the
 * way through the rest of the stack cut short.
 *
 * The forward hook sees such a packet as ever; what stands behind this rule in
 * prerouting, and postrouting, do not.  Whatever is not simple goes the long way,
 * as if nobody had looked: each step does what the stack does (ip_rcv_finish(),
 * ip_forward(), ip6_forward()), and up to the last check none leaves a trace.
 */
#ifndef NFT_SNAT_STATELESS_FORWARD_H
#define NFT_SNAT_STATELESS_FORWARD_H

#include <net/netfilter/nf_tables.h>

#include "expression.h"
#include "maps.h"

/**
 * snat_forward_ipv4 - pass a packet on, if that is simple
 *
 * @priv: whose it is, with FORWARD
 * @regs: NF_STOLEN is the verdict if it was, and then nobody may look at it
 * @pkt: a packet in prerouting, marked: its destination was translated, or its
 *	source is to be
 * @map: that has its source
 * @element: of its source; NULL: its destination was translated
 */
void snat_forward_ipv4(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const struct snat_map *map,
		       const struct nft_set_ext *element);
void snat_forward_ipv6(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       const struct snat_map *map,
		       const struct nft_set_ext *element);

/*
 * Packets that wait for the verdict of a program come back to a function of this
 * module: before it goes, they do.
 */
void snat_forward_let_go(void);

#endif /* NFT_SNAT_STATELESS_FORWARD_H */
