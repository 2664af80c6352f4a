// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of packets that do not go the short way, and how many there were. */

#include <linux/netdevice.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <net/netlink.h>

#include "counts.h"

/* How they are told, one number behind the other. */
#define SNAT_ATTRIBUTE(reason)	((reason) + NFTA_SNAT_STATELESS_COUNT_PAD)

static_assert(SNAT_ATTRIBUTE(SNAT_MALFORMED) ==
	      NFTA_SNAT_STATELESS_COUNT_MALFORMED);
static_assert(SNAT_ATTRIBUTE(SNAT_QUOTE) == NFTA_SNAT_STATELESS_COUNT_QUOTES);
static_assert(SNAT_ATTRIBUTE(SNAT_DETOUR) == NFTA_SNAT_STATELESS_COUNT_DETOURS);
static_assert(SNAT_REASONS - 1 + NFTA_SNAT_STATELESS_COUNT_PAD ==
	      NFTA_SNAT_STATELESS_COUNT_MAX);

void snat_drop(const struct nft_snat_stateless *priv, struct nft_regs *regs,
	       enum snat_reason reason)
{
	snat_count(priv, reason);
	regs->verdict.code = NF_DROP;
}

/* What came by a port of a VRF comes to prerouting once more, by the VRF. */
static bool snat_comes_again(const struct nft_pktinfo *pkt)
{
	return nft_hook(pkt) == NF_INET_PRE_ROUTING &&
	       netif_is_l3_slave(nft_in(pkt));
}

void snat_leave_alone(const struct nft_snat_stateless *priv,
		      struct nft_regs *regs, const struct nft_pktinfo *pkt,
		      enum snat_reason reason)
{
	if (!snat_comes_again(pkt))
		snat_count(priv, reason);
	regs->verdict.code = NFT_BREAK;
}

/* A place for a number that is not known yet, or NULL if there is no room. */
static __be64 *snat_count_reserve(struct sk_buff *skb, int type, int pad)
{
	struct nlattr *attr = nla_reserve_64bit(skb, type, sizeof(__be64), pad);

	return attr ? nla_data(attr) : NULL;
}

/* Nobody but their processor may write to them, so what was taken is remembered. */
static u64 snat_count_shortcuts(struct snat_counts *counts, bool reset)
{
	s64 told = atomic64_read(&counts->told);
	u64 all = READ_ONCE(counts->shortcut);

	while (reset && !atomic64_try_cmpxchg(&counts->told, &told, all))
		all = READ_ONCE(counts->shortcut);
	return all - told;
}

static u64 snat_count_sum(struct snat_counts __percpu *counts,
			  enum snat_reason reason, bool reset)
{
	struct snat_counts *here;
	atomic64_t *one;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		here = per_cpu_ptr(counts, cpu);
		if (reason == SNAT_SHORTCUT) {
			sum += snat_count_shortcuts(here, reset);
			continue;
		}
		one = &here->of[reason];
		sum += reset ? atomic64_xchg(one, 0) : atomic64_read(one);
	}
	return sum;
}

/* Places for all, behind one another. */
static int snat_counts_reserve(struct sk_buff *skb, __be64 *places[])
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_COUNTS);
	enum snat_reason reason;

	if (!nest)
		return -1;
	for (reason = SNAT_MALFORMED; reason < SNAT_REASONS; reason++) {
		places[reason] =
			snat_count_reserve(skb, SNAT_ATTRIBUTE(reason),
					   NFTA_SNAT_STATELESS_COUNT_PAD);
		if (!places[reason])
			return -1;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int snat_counts_dump(struct sk_buff *skb,
		     const struct nft_snat_stateless *priv, bool reset)
{
	__be64 *dropped, *places[SNAT_REASONS] = {};
	enum snat_reason reason;
	u64 sum, drops = 0;

	dropped = snat_count_reserve(skb, NFTA_SNAT_STATELESS_DROPPED,
				     NFTA_SNAT_STATELESS_PAD);
	if (!dropped || (priv->tells && snat_counts_reserve(skb, places)))
		return -1;

	for (reason = SNAT_MALFORMED; reason < SNAT_REASONS; reason++) {
		sum = snat_count_sum(priv->counts, reason, reset);
		if (reason < SNAT_REDIRECT)
			drops += sum;
		if (places[reason])
			*places[reason] = cpu_to_be64(sum);
	}
	*dropped = cpu_to_be64(drops);
	return 0;
}
