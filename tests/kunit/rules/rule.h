/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of ours, made by nfnetlink as a program makes them, and everything else by commands. */
#ifndef STATNAT_KUNIT_RULE_H
#define STATNAT_KUNIT_RULE_H

#include <kunit/test.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/skbuff.h>

#include "reason.h"

#define RULE_LIST	10

/* No field is told. */
#define RULE_NO_FIELD	0xffff

/*
 * struct rule - what is asked of nf_tables, in table t
 *
 * @family: of the table; @chain: of the rule
 * @field, @flags: as they are
 * @maps, @otherwise: each NAME[/LENGTH][!][@ADDRESS/LENGTH]: a map, of prefixes, npt, and what it is asked for
 * @unless, @only: each ADDRESS/LENGTH
 * @via: names of interfaces
 * @errors_as: an address
 * @spoil: adds what is wrong; NULL: nothing
 * @in_map: it adds that to the first map instead
 */
struct rule {
	u8		family;
	const char	*chain;
	u32		field, flags;
	const char	*maps[RULE_LIST], *otherwise[RULE_LIST], *unless[RULE_LIST], *only[RULE_LIST], *via[RULE_LIST];
	const char	*errors_as;
	void		(*spoil)(struct sk_buff *skb);
	bool		in_map;
};

#define SADDR		NFT_SNAT_STATELESS_SADDR
#define DADDR		NFT_SNAT_STATELESS_DADDR
#define NOTRACK		NFT_SNAT_STATELESS_F_NOTRACK
#define UNTRACK		NFT_SNAT_STATELESS_F_UNTRACK
#define UNTRACKED	NFT_SNAT_STATELESS_F_UNTRACKED
#define TRACKED		NFT_SNAT_STATELESS_F_TRACKED
#define FOLLOW		NFT_SNAT_STATELESS_F_FOLLOW
#define FOLLOWED	NFT_SNAT_STATELESS_F_FOLLOWED
#define FORWARD		NFT_SNAT_STATELESS_F_FORWARD

/* A rule that might be right, but for what follows. */
#define IN(version, place)	.family = (version) == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6, .chain = (place)
#define INET(place)		.family = NFPROTO_INET, .chain = (place)
#define MAPS(...)		.maps = { __VA_ARGS__ }
#define ELSE(...)		.otherwise = { __VA_ARGS__ }
#define UNLESS(...)		.unless = { __VA_ARGS__ }
#define ONLY(...)		.only = { __VA_ARGS__ }
#define VIA(...)		.via = { __VA_ARGS__ }
/* The tables, as they are before a rule of ours is in them. */
#define RULESET			"nft flush ruleset && nft -f " STATNAT_KUNIT "/ruleset.nft"

/* Run by a shell; return: its status. */
int shell(const char *command);

/* What nf_tables is told between the begin and the end of a batch. */
struct sk_buff *batch_begin(void);
void batch_add(struct sk_buff *batch, const struct rule *rule);
void batch_flush(struct sk_buff *batch, const struct rule *rule);

/*
 * Send a batch, which is freed.
 *
 * @fail: so many allocations later one fails; 0: none
 *
 * Return: the first error, or 0.
 */
int batch_send(struct sk_buff *batch, unsigned int *fail);

/* One rule in place of all others of its chain. */
int rule_replace(const struct rule *rule);

/* The data of the only expression in a rule's chain, as nf_tables tells it, or NULL; reset: counts begin anew. */
struct sk_buff *rule_dump(const struct rule *rule, bool reset);

/* Is each attribute of the rule among what is told? */
bool rule_is_told(const struct rule *rule, const struct sk_buff *told);

/* How many packets are told to have been counted for a reason. */
u64 rule_count(const struct sk_buff *told, enum snat_reason reason);

#endif
