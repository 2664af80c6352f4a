/* SPDX-License-Identifier: GPL-2.0-only */
/* Shims, force-included, so that the sources read as for the newest kernel. */
#ifndef NFT_SNAT_STATELESS_COMPAT_H
#define NFT_SNAT_STATELESS_COMPAT_H

#ifdef COMPAT_SET_LOOKUP_RETURNS_BOOL
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>

/* The element was an output argument once; it is the return value now. */
static inline const struct nft_set_ext *
compat_set_do_lookup(const struct net *net, const struct nft_set *set,
		     const u32 *key)
{
	const struct nft_set_ext *ext = NULL;

	return nft_set_do_lookup(net, set, key, &ext) ? ext : NULL;
}
#define nft_set_do_lookup compat_set_do_lookup
#endif

#ifdef COMPAT_XFRM_DECODE_SESSION_WITHOUT_NET
#include <net/xfrm.h>

/* The namespace was taken from the device once. */
#define xfrm_decode_session(net, skb, fl, family) \
	xfrm_decode_session(skb, fl, family)
#endif

#endif /* NFT_SNAT_STATELESS_COMPAT_H */
