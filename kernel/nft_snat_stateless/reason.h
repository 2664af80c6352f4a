/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a packet was dropped or left alone, or what was translated of it. */
#ifndef NFT_SNAT_STATELESS_REASON_H
#define NFT_SNAT_STATELESS_REASON_H

/* In the order of enum nft_snat_stateless_counts, which says what each means. */
enum snat_reason {
	SNAT_NONE,	/* translated as most packets are, which is not counted here */

	/* Dropped. */
	SNAT_MALFORMED,
	SNAT_NO_MEMORY,
	SNAT_NO_COUNTERPART,
	SNAT_POLICY,
	SNAT_REDIRECT,

	/* Left alone. */
	SNAT_TRACKED,
	SNAT_EXEMPT,
	SNAT_LOCAL,
	SNAT_BORDER,

	/* Translated. */
	SNAT_ERROR,
	SNAT_QUOTE,

	/* With FORWARD, passed on at once, or not. */
	SNAT_SHORTCUT,
	SNAT_DETOUR,

	SNAT_REASONS
};

#endif /* NFT_SNAT_STATELESS_REASON_H */
