/* SPDX-License-Identifier: GPL-2.0-only */
/* One's complement arithmetic (RFC 1071) with 8 bytes at a time. */
#ifndef NFT_SNAT_STATELESS_SUMS_H
#define NFT_SNAT_STATELESS_SUMS_H

#include <linux/types.h>

/* Carries and borrows go round. */
static inline u64 snat_sum_add(u64 one, u64 other)
{
	u64 sum = one + other;

	return sum + (sum < one);
}

static inline u64 snat_sum_sub(u64 one, u64 other)
{
	u64 diff = one - other;

	return diff - (diff > one);
}

/* Both halves added up. */
static inline u32 snat_sum_fold32(u64 sum)
{
	return (sum + (sum >> 32 | sum << 32)) >> 32;
}

static inline u16 snat_sum_fold16(u64 sum)
{
	u32 fold = snat_sum_fold32(sum);

	return (fold + (fold >> 16 | fold << 16)) >> 16;
}

#endif /* NFT_SNAT_STATELESS_SUMS_H */
