/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of packets that do not go the short way, and how many there were. */
#ifndef NFT_SNAT_STATELESS_COUNTS_H
#define NFT_SNAT_STATELESS_COUNTS_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>

#include "expression.h"
#include "reason.h"

/**
 * struct snat_counts - packets by what became of them, of one processor
 *
 * @of: enum snat_reason; the first of them is of none, nor is SNAT_SHORTCUT
 * @shortcut: that one since the rule was made, which costs no locked instruction
 * @told: as much of it as was taken
 *
 * Only this processor adds, but whoever takes them may be on another one.
 */
struct snat_counts {
	atomic64_t	of[SNAT_REASONS];
	u64		shortcut;
	atomic64_t	told;
};

static inline void snat_count(const struct nft_snat_stateless *priv,
			      enum snat_reason reason)
{
	atomic64_inc(&raw_cpu_ptr(priv->counts)->of[reason]);
}

static inline void snat_count_shortcut(const struct nft_snat_stateless *priv)
{
	this_cpu_inc(priv->counts->shortcut);
}

/* Not in line: whoever drops or leaves alone is on no short way any more. */
void snat_drop(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       enum snat_reason reason);

/* A packet that has a pair, and stays as it is. */
void snat_leave_alone(const struct nft_snat_stateless *priv,
		      struct nft_regs *regs, const struct nft_pktinfo *pkt,
		      enum snat_reason reason);

/**
 * snat_counts_dump - tell them
 *
 * @skb: a message
 * @priv: whose they are
 * @reset: take what is told: each packet is told once, however many ask at a time
 *
 * Return: 0, or -1 if there is no room in @skb, and then nothing was taken.
 */
int snat_counts_dump(struct sk_buff *skb,
		     const struct nft_snat_stateless *priv, bool reset);

#endif /* NFT_SNAT_STATELESS_COUNTS_H */
