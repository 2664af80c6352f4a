/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule asks for: an expression's settings and counts. */
#ifndef NFT_SNAT_STATELESS_EXPRESSION_H
#define NFT_SNAT_STATELESS_EXPRESSION_H

#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/types.h>

#include "exempt.h"
#include "maps.h"
#include "packet.h"
#include "route.h"
#include "scope.h"

struct snat_counts;

#define SNAT_F_FOLLOWS	(NFT_SNAT_STATELESS_F_FOLLOW |		\
			 NFT_SNAT_STATELESS_F_FOLLOWED)

/**
 * struct nft_snat_stateless - one expression
 *
 * @maps: those that may have the address
 * @otherwise: those that may have the source of a packet that @maps have
 *	nothing for, which is marked then; may be NULL
 * @exempt: destinations on the way to which no source decides, or only does; may
 *	be NULL
 * @scope: interfaces by which packets come or leave; may be NULL
 * @guard: of the routes that @scope lets keep; may be NULL
 * @errors_as: what an ICMP error gets as its source that has no pair itself, if
 *	@lends says so
 * @counts: packets, by processor: they come in floods
 * @flags: enum nft_snat_stateless_flags, and those that FOLLOW and FOLLOWED
 *	imply: NOTRACK or UNTRACK, and UNTRACKED
 * @side: the address
 * @pf: of the maps' addresses
 * @tells: a dump has room for @counts
 * @lends: there is @errors_as
 */
struct nft_snat_stateless {
	struct snat_map		*maps;
	struct snat_map		*otherwise;
	struct snat_exempt	*exempt;
	struct snat_scope	*scope;
	struct snat_route_guard	*guard;
	struct snat_counts __percpu *counts;
	u8			flags;
	enum snat_side		side:8;
	u8			pf;
	bool			tells;
	bool			lends;
	union snat_address	errors_as;
};

#endif /* NFT_SNAT_STATELESS_EXPRESSION_H */
