/* SPDX-License-Identifier: GPL-2.0-only */
/* The arithmetic of checksum-neutral prefix translation (RFC 6296, section 3). */
#ifndef NFT_SNAT_STATELESS_NPT_H
#define NFT_SNAT_STATELESS_NPT_H

#include <linux/types.h>

#include "prefix.h"
#include "sums.h"

/* The longest prefix that leaves the interface identifier to be adjusted. */
#define SNAT_NPT_LENGTH_MAX	64

/* To one's complement arithmetic, both of these are zero (RFC 1071). */
#define SNAT_NPT_ZERO		0x0000
#define SNAT_NPT_OTHER_ZERO	0xffff

/* Why an address has no counterpart. */
enum snat_npt {
	SNAT_NPT_DONE,
	SNAT_NPT_SUBNET,	/* 0xffff (3.2, 3.3) */
	SNAT_NPT_IDENTIFIER,	/* all zeros or all ones (3.7) */
};

/* The number of the word that is adjusted; 0xffff cannot be. */
static inline unsigned int snat_npt_word(const union snat_address *address,
					 u8 length)
{
	unsigned int i;

	if (length <= 48)
		return 3;

	for (i = 4; i < 7; i++)
		if (address->word[i] != SNAT_NPT_OTHER_ZERO)
			break;
	return i;
}

/**
 * snat_npt_translate - replace a prefix so that checksums do not notice
 *
 * @prefix: of SNAT_NPT_LENGTH_MAX bits at most
 * @value: what it becomes
 * @from: an address
 * @to: what that becomes; stays as it is on failure; may be @from
 *
 * The way back is the same with the prefixes exchanged.  The sum comes out
 * right in either byte order (RFC 1071, 2 (B)).
 */
static inline enum snat_npt snat_npt_translate(const struct snat_prefix *prefix,
					       const union snat_address *value,
					       const union snat_address *from,
					       union snat_address *to)
{
	unsigned int word = snat_npt_word(from, prefix->length);
	u64 first = from->half.first, second = from->half.second;
	u16 adjusted = from->word[word];
	u64 moved;

	if (!second)
		return SNAT_NPT_IDENTIFIER;
	if (adjusted == SNAT_NPT_OTHER_ZERO)
		return word == 3 ? SNAT_NPT_SUBNET : SNAT_NPT_IDENTIFIER;

	moved = snat_half_replace(prefix->mask.half.first, value->half.first,
				  first);
	adjusted = snat_sum_fold16(snat_sum_add(snat_sum_sub(first, moved),
						adjusted));
	if (adjusted == SNAT_NPT_OTHER_ZERO)
		adjusted = SNAT_NPT_ZERO;
	to->half.first = moved;
	to->half.second = second;
	to->word[word] = adjusted;
	return SNAT_NPT_DONE;
}

#endif /* NFT_SNAT_STATELESS_NPT_H */
