// SPDX-License-Identifier: GPL-2.0-only
/* Destinations on the way to which nothing is decided, or only is: from netlink and back. */

#include <linux/err.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "exempt.h"
#include "prefix.h"

static const struct nla_policy
snat_exempt_policy[NFTA_SNAT_STATELESS_PREFIX_MAX + 1] = {
	[NFTA_SNAT_STATELESS_PREFIX_ADDRESS]	= { .type = NLA_BINARY },
	[NFTA_SNAT_STATELESS_PREFIX_LENGTH]	= NLA_POLICY_MIN(NLA_BE32, 1),
};

static unsigned int snat_exempt_address_size(u8 pf)
{
	return pf == NFPROTO_IPV4 ? sizeof(struct in_addr) :
				    sizeof(struct in6_addr);
}

/* What no packet is on its way to. */
static void snat_exempt_clear(struct snat_exempt *exempt, u8 pf)
{
	if (pf == NFPROTO_IPV4)
		memset(exempt->ipv4.value, 0xff, sizeof(exempt->ipv4.value));
	else
		memset(exempt->ipv6.value, 0xff, sizeof(exempt->ipv6.value));
}

static void snat_exempt_put(struct snat_exempt *exempt, u8 pf,
			    const struct snat_prefix *prefix,
			    const union snat_address *value)
{
	unsigned int i = exempt->count++;

	exempt->length[i] = prefix->length;
	if (pf == NFPROTO_IPV4) {
		exempt->ipv4.mask[i] = prefix->mask.ip;
		exempt->ipv4.value[i] = value->ip;
		return;
	}
	exempt->ipv6.mask[i][0] = prefix->mask.half.first;
	exempt->ipv6.mask[i][1] = prefix->mask.half.second;
	exempt->ipv6.value[i][0] = value->half.first;
	exempt->ipv6.value[i][1] = value->half.second;
}

static int snat_exempt_parse(struct snat_exempt *exempt,
			     const struct nlattr *attr, u8 pf)
{
	struct nlattr *tb[NFTA_SNAT_STATELESS_PREFIX_MAX + 1];
	union snat_address value = {}, key;
	struct snat_prefix prefix;
	u32 length;
	int err;

	if (nla_type(attr) != NFTA_LIST_ELEM)
		return -EINVAL;
	if (exempt->count == NFT_SNAT_STATELESS_UNLESS_MAX)
		return -E2BIG;

	err = nla_parse_nested(tb, NFTA_SNAT_STATELESS_PREFIX_MAX, attr,
			       snat_exempt_policy, NULL);
	if (err < 0)
		return err;
	if (!tb[NFTA_SNAT_STATELESS_PREFIX_ADDRESS] ||
	    !tb[NFTA_SNAT_STATELESS_PREFIX_LENGTH])
		return -EINVAL;

	if (nla_len(tb[NFTA_SNAT_STATELESS_PREFIX_ADDRESS]) !=
	    snat_exempt_address_size(pf))
		return -EPROTOTYPE;
	length = ntohl(nla_get_be32(tb[NFTA_SNAT_STATELESS_PREFIX_LENGTH]));
	if (length > snat_exempt_address_size(pf) * BITS_PER_BYTE)
		return -ERANGE;

	snat_prefix_init(&prefix, length);
	nla_memcpy(&value, tb[NFTA_SNAT_STATELESS_PREFIX_ADDRESS],
		   sizeof(value));
	snat_prefix_key(pf, &prefix, &value, &key);
	if (!snat_address_equal(pf, &key, &value))
		return -EINVAL;

	snat_exempt_put(exempt, pf, &prefix, &value);
	return 0;
}

struct snat_exempt *snat_exempt_create(const struct nlattr *list, u8 pf,
				       bool only)
{
	struct snat_exempt *exempt = kzalloc(sizeof(*exempt),
					     GFP_KERNEL_ACCOUNT);
	const struct nlattr *attr;
	int err, rem;

	if (!exempt)
		return ERR_PTR(-ENOMEM);

	exempt->only = only;
	snat_exempt_clear(exempt, pf);
	nla_for_each_nested(attr, list, rem) {
		err = snat_exempt_parse(exempt, attr, pf);
		if (err < 0)
			goto err_prefix;
	}
	if (exempt->count)
		return exempt;
	err = -EINVAL;

err_prefix:
	kfree(exempt);
	return ERR_PTR(err);
}

static int snat_exempt_dump_one(struct sk_buff *skb,
				const struct snat_exempt *exempt, u8 pf,
				unsigned int i)
{
	const void *value = pf == NFPROTO_IPV4 ?
			    (const void *)&exempt->ipv4.value[i] :
			    (const void *)&exempt->ipv6.value[i];
	struct nlattr *nest = nla_nest_start(skb, NFTA_LIST_ELEM);

	if (!nest ||
	    nla_put(skb, NFTA_SNAT_STATELESS_PREFIX_ADDRESS,
		    snat_exempt_address_size(pf), value) ||
	    nla_put_be32(skb, NFTA_SNAT_STATELESS_PREFIX_LENGTH,
			 htonl(exempt->length[i])))
		return -1;

	nla_nest_end(skb, nest);
	return 0;
}

int snat_exempt_dump(struct sk_buff *skb, const struct snat_exempt *exempt,
		     u8 pf)
{
	struct nlattr *nest = nla_nest_start(skb, exempt->only ?
					     NFTA_SNAT_STATELESS_ONLY :
					     NFTA_SNAT_STATELESS_UNLESS);
	unsigned int i;

	if (!nest)
		return -1;
	for (i = 0; i < exempt->count; i++)
		if (snat_exempt_dump_one(skb, exempt, pf, i))
			return -1;

	nla_nest_end(skb, nest);
	return 0;
}
