// SPDX-License-Identifier: GPL-2.0-only
/* The interfaces behind which the outside is: from netlink and back. */

#include <linux/err.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/netlink.h>

#include "scope.h"

/* How many bytes of a name count, of IFNAMSIZ with its zero; or an error. */
static int snat_scope_length(const char *name)
{
	const char *asterisk = strchr(name, '*');

	if (!asterisk)
		return *name ? strlen(name) + 1 : -EINVAL;
	/* All interfaces are meant without a list of them. */
	return asterisk > name && !asterisk[1] ? asterisk - name : -EINVAL;
}

static int snat_scope_parse(struct snat_scope *scope, const struct nlattr *attr)
{
	unsigned int i = scope->count;
	int length;

	if (nla_type(attr) != NFTA_LIST_ELEM)
		return -EINVAL;
	if (i == NFT_SNAT_STATELESS_VIA_MAX)
		return -E2BIG;
	if (nla_strscpy(scope->text[i], attr, IFNAMSIZ) < 0)
		return -ERANGE;

	length = snat_scope_length(scope->text[i]);
	if (length < 0)
		return length;

	memset(&scope->mask[i], 0xff, length);
	memcpy(&scope->value[i], scope->text[i], length);
	scope->count++;
	return 0;
}

struct snat_scope *snat_scope_create(const struct nlattr *list)
{
	struct snat_scope *scope = kzalloc(sizeof(*scope), GFP_KERNEL_ACCOUNT);
	const struct nlattr *attr;
	int err, rem;

	if (!scope)
		return ERR_PTR(-ENOMEM);

	nla_for_each_nested(attr, list, rem) {
		err = snat_scope_parse(scope, attr);
		if (err < 0)
			goto err_name;
	}
	if (scope->count)
		return scope;
	err = -EINVAL;

err_name:
	kfree(scope);
	return ERR_PTR(err);
}

int snat_scope_dump(struct sk_buff *skb, const struct snat_scope *scope)
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_VIA);
	unsigned int i;

	if (!nest)
		return -1;
	for (i = 0; i < scope->count; i++)
		if (nla_put_string(skb, NFTA_LIST_ELEM, scope->text[i]))
			return -1;

	nla_nest_end(skb, nest);
	return 0;
}
