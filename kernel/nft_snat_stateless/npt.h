/* SPDX-License-Identifier: GPL-2.0-only */
/* The arithmetic of checksum-neutral prefix translation (RFC 6296, section 3). */
#ifndef NFT_SNAT_STATELESS_NPT_H
#define NFT_SNAT_STATELESS_NPT_H

#include <linux/in6.h>
#include <linux/types.h>

/* The longest prefix that leaves the interface identifier to be adjusted. */
#define SNAT_NPT_LENGTH_MAX	64

/* Why an address has no counterpart. */
enum snat_npt {
	SNAT_NPT_DONE,
	SNAT_NPT_SUBNET,	/* 0xffff (3.2, 3.3) */
	SNAT_NPT_IDENTIFIER,	/* all zeros or all ones (3.7) */
};

/**
 * snat_npt_adjust - make a changed prefix neutral to checksums
 *
 * @address: its prefix has been replaced; one word more is on success
 * @from: the prefix that it had, host bits 0
 * @to: the prefix that it has, host bits 0
 * @length: of both, in bits, SNAT_NPT_LENGTH_MAX at most
 *
 * The same call with @from and @to exchanged takes it back.
 */
enum snat_npt snat_npt_adjust(struct in6_addr *address,
			      const struct in6_addr *from,
			      const struct in6_addr *to, u8 length);

#endif /* NFT_SNAT_STATELESS_NPT_H */
