// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a rule finds a named map and keeps it for as long as it may ask it.
 *
 * nf_tables has functions for this, but since Linux 7.2 for itself alone.  What
 * they do for a *named* set is little, is the same from 6.1 to 7.3 (see
 * nf_tables_bind_set(), nf_tables_activate_set(), nf_tables_deactivate_set() in
 * net/netfilter/nf_tables_api.c), and is all here:
 *
 *	set->use	how many rules of the next generation refer to the set.
 *			While there are any, it cannot be deleted.
 *	set->bindings	the rules that may still ask it.  While there are any, a
 *			set whose elements are constant cannot be changed.  (For
 *			verdict maps they say as well which chains to check; a
 *			binding without NFT_SET_MAP is left out of that.)
 *
 *	step of a rule's life			use	bindings
 *	-------------------------------------	---	--------
 *	made (init)				+1	added
 *	  its batch fails while it is being
 *	  made: PREPARE_ERROR			-1	removed
 *	  its batch fails later: ABORT		-1	removed
 *	deleted, or replaced: PREPARE		-1
 *	  its batch fails: activate		+1
 *	  its batch is committed: COMMIT		removed
 *	its namespace goes: RELEASE		-1	removed
 *
 * After COMMIT, ABORT and RELEASE the rule is destroyed, when no packet is in it
 * any more; a set that its batch deletes goes after the rules do.  So there is
 * nothing to do for a set when the rule is destroyed.
 *
 * Left out is what concerns anonymous sets alone, which snat_maps_create()
 * refuses: they live and die with their rule.
 *
 * All of it runs under nf_tables' commit mutex; no packet looks at either.
 */

#include <linux/netlink.h>
#include <linux/rculist.h>

#include "binding.h"

struct nft_set *snat_set_find(const struct nft_ctx *ctx,
			      const struct nlattr *name)
{
	struct nft_set *set;

	list_for_each_entry(set, &ctx->table->sets, list) {
		if (!nla_strcmp(name, set->name) &&
		    nft_is_active_next(ctx->net, set))
			return set;
	}
	return ERR_PTR(-ENODATA);
}

int snat_set_bind(const struct nft_ctx *ctx, struct nft_set *set,
		  struct nft_set_binding *binding)
{
	if (!nft_use_inc(&set->use))
		return -EMFILE;

	binding->chain = ctx->chain;
	list_add_tail_rcu(&binding->list, &set->bindings);
	return 0;
}

void snat_set_activate(struct nft_set *set)
{
	nft_use_inc_restore(&set->use);
}

void snat_set_deactivate(struct nft_set *set, struct nft_set_binding *binding,
			 enum nft_trans_phase phase)
{
	if (phase != NFT_TRANS_COMMIT)
		nft_use_dec(&set->use);
	if (phase != NFT_TRANS_PREPARE)
		list_del_rcu(&binding->list);
}
