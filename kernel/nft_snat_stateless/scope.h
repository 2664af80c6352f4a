/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The border: the interfaces behind which the outside is.  A packet is one of
 * ours if it came by one of them, will leave by one of them, or goes from one
 * pair to another.
 */
#ifndef NFT_SNAT_STATELESS_SCOPE_H
#define NFT_SNAT_STATELESS_SCOPE_H

#include <linux/compiler.h>
#include <linux/if.h>
#include <linux/netdevice.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/* A name with its zero and what is behind it, in two halves. */
struct snat_name {
	u64 first, second;
} __packed;
static_assert(sizeof(struct snat_name) == IFNAMSIZ);

/**
 * struct snat_scope - up to NFT_SNAT_STATELESS_VIA_MAX names of interfaces
 *
 * @mask: all ones for each byte of a name that is compared: up to its zero, or
 *	to its asterisk
 * @value: these bytes, the rest being zero
 * @text: the names as they were given
 * @count: how many there are
 */
struct snat_scope {
	struct snat_name mask[NFT_SNAT_STATELESS_VIA_MAX];
	struct snat_name value[NFT_SNAT_STATELESS_VIA_MAX];
	char text[NFT_SNAT_STATELESS_VIA_MAX][IFNAMSIZ];
	u8 count;
};

/**
 * snat_scope_create - read NFTA_SNAT_STATELESS_VIA
 *
 * @list: the attribute
 *
 * Return: what kfree() frees, or an error of the uapi header's list.
 */
struct snat_scope *snat_scope_create(const struct nlattr *list);

/* Return: 0, or -1 if there is no room in @skb. */
int snat_scope_dump(struct sk_buff *skb, const struct snat_scope *scope);

/* Is it one of them?  One that is renamed just now has either name. */
static inline bool snat_scope_has(const struct snat_scope *scope,
				  const struct net_device *dev)
{
	const struct snat_name *name = (const void *)dev->name;
	u64 first = name->first, second = name->second;
	unsigned int i = 0;

	do {
		if ((first & scope->mask[i].first) == scope->value[i].first &&
		    (second & scope->mask[i].second) == scope->value[i].second)
			return true;
	} while (++i < scope->count);
	return false;
}

#endif /* NFT_SNAT_STATELESS_SCOPE_H */
