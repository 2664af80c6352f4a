// SPDX-License-Identifier: GPL-2.0-only
/* The arithmetic of checksum-neutral prefix translation (RFC 6296, section 3). */

#include <linux/in6.h>
#include <linux/types.h>

#include "npt.h"

/* To one's complement arithmetic, both of these are zero (RFC 1071). */
#define SNAT_NPT_ZERO		0x0000
#define SNAT_NPT_OTHER_ZERO	0xffff

/* All sums below come out the same in either byte order (RFC 1071, 2 (B)). */
static u32 snat_npt_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static u32 snat_npt_sum(const struct in6_addr *prefix)
{
	const __be16 *word = prefix->s6_addr16;

	return (__force u16)word[0] + (__force u16)word[1] +
	       (__force u16)word[2] + (__force u16)word[3];
}

/* What the change of the prefix took away from the sum over the address. */
static u32 snat_npt_adjustment(const struct in6_addr *from,
			       const struct in6_addr *to)
{
	return snat_npt_fold(snat_npt_sum(from)) +
	       (snat_npt_fold(snat_npt_sum(to)) ^ 0xffff);
}

static __be16 *snat_npt_word(struct in6_addr *address, u8 length)
{
	int i;

	if (length <= 48)
		return &address->s6_addr16[3];

	for (i = 4; i < 8; i++)
		if ((__force u16)address->s6_addr16[i] != SNAT_NPT_OTHER_ZERO)
			return &address->s6_addr16[i];
	return NULL;
}

enum snat_npt snat_npt_adjust(struct in6_addr *address,
			      const struct in6_addr *from,
			      const struct in6_addr *to, u8 length)
{
	__be16 *word = snat_npt_word(address, length);
	u32 sum;

	if (!word || !(address->s6_addr32[2] | address->s6_addr32[3]))
		return SNAT_NPT_IDENTIFIER;
	if ((__force u16)*word == SNAT_NPT_OTHER_ZERO)
		return SNAT_NPT_SUBNET;

	sum = snat_npt_fold((__force u16)*word + snat_npt_adjustment(from, to));
	*word = (__force __be16)(sum == SNAT_NPT_OTHER_ZERO ? SNAT_NPT_ZERO :
							      sum);
	return SNAT_NPT_DONE;
}
