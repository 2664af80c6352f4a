/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP errors and redirects: addresses of two packets in one. */
#ifndef NFT_SNAT_STATELESS_QUOTING_H
#define NFT_SNAT_STATELESS_QUOTING_H

#include <net/netfilter/nf_tables.h>

#include "expression.h"
#include "family.h"
#include "maps.h"
#include "packet.h"
#include "redirect.h"

/* Has the source a pair, or what an error from it quotes? */
bool snat_has_pair(const struct snat_map *maps, const struct nft_pktinfo *pkt,
		   u8 pf);

/* @quote: what snat_quote() found in the packet. */
void snat_eval_quoting(const struct nft_snat_stateless *priv,
		       struct nft_regs *regs, const struct nft_pktinfo *pkt,
		       u8 pf, const struct snat_quote *quote);

/*
 * One about a packet of a pair goes no further, be it ours or a router's.  That
 * is nothing to worry about, so it is counted apart from other drops.
 */
void snat_eval_redirect(const struct nft_snat_stateless *priv,
			struct nft_regs *regs, const struct nft_pktinfo *pkt,
			u8 pf, const struct snat_redirect *redirect);

#endif /* NFT_SNAT_STATELESS_QUOTING_H */
