/* SPDX-License-Identifier: GPL-2.0-only */
/* What nf_tables calls for each packet that reaches a rule, by the table's family. */
#ifndef NFT_SNAT_STATELESS_EVAL_H
#define NFT_SNAT_STATELESS_EVAL_H

#include <net/netfilter/nf_tables.h>

/* Only NFT_BREAK and NF_DROP are ever written as a verdict, and NF_STOLEN by the last three. */
void snat_eval_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt);
void snat_eval_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt);
void snat_eval_inet(const struct nft_expr *expr, struct nft_regs *regs,
		    const struct nft_pktinfo *pkt);

/* The same for rules that have interfaces; others need not look for any. */
void snat_eval_via_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt);
void snat_eval_via_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt);
void snat_eval_via_inet(const struct nft_expr *expr, struct nft_regs *regs,
			const struct nft_pktinfo *pkt);

/* The same for rules that pass packets on, with interfaces or not. */
void snat_eval_forward_ipv4(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt);
void snat_eval_forward_ipv6(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt);
void snat_eval_forward_inet(const struct nft_expr *expr, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt);

#endif /* NFT_SNAT_STATELESS_EVAL_H */
