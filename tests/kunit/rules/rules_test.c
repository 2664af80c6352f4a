// SPDX-License-Identifier: GPL-2.0-or-later
/* The nftables face: which rules there may be, what is told of them, and what is left when one was not made. */
#include <kunit/test.h>
#include <linux/netfilter/nf_tables.h>
#include <net/netlink.h>

#include "rule.h"

#define TEN(x)			x, x, x, x, x, x, x, x, x

static void an_unknown_attribute(struct sk_buff *skb)
{
	nla_put_u32(skb, NFTA_SNAT_STATELESS_MAX + 1, 0);
}

static void what_is_only_told(struct sk_buff *skb)
{
	nla_put_u64_64bit(skb, NFTA_SNAT_STATELESS_DROPPED, 0, NFTA_SNAT_STATELESS_PAD);
}

static void a_short_field(struct sk_buff *skb)
{
	nla_put_u8(skb, NFTA_SNAT_STATELESS_FIELD, 0);
}

static void no_maps(struct sk_buff *skb)
{
	nla_nest_end(skb, nla_nest_start(skb, NFTA_SNAT_STATELESS_MAPS));
}

static void another_list(struct sk_buff *skb, int type, int element)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	nla_put_string(skb, element, "m");
	nla_nest_end(skb, nest);
}

static void maps_of_another_kind(struct sk_buff *skb)
{
	another_list(skb, NFTA_SNAT_STATELESS_MAPS, NFTA_LIST_ELEM + 1);
}

static void via_of_another_kind(struct sk_buff *skb)
{
	another_list(skb, NFTA_SNAT_STATELESS_VIA, NFTA_LIST_ELEM + 1);
}

static void unless_of_another_kind(struct sk_buff *skb)
{
	another_list(skb, NFTA_SNAT_STATELESS_UNLESS, NFTA_LIST_ELEM + 1);
}

static void unless_without_attributes(struct sk_buff *skb)
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_UNLESS);

	nla_nest_end(skb, nla_nest_start(skb, NFTA_LIST_ELEM));
	nla_nest_end(skb, nest);
}

static void unless_nothing(struct sk_buff *skb)
{
	nla_nest_end(skb, nla_nest_start(skb, NFTA_SNAT_STATELESS_UNLESS));
}

static void via_nothing(struct sk_buff *skb)
{
	nla_nest_end(skb, nla_nest_start(skb, NFTA_SNAT_STATELESS_VIA));
}

static void too_many_maps(struct sk_buff *skb)
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_MAPS);
	unsigned int i;

	for (i = 0; i <= NFT_SNAT_STATELESS_MAPS_MAX; i++)
		nla_nest_end(skb, nla_nest_start(skb, NFTA_LIST_ELEM));
	nla_nest_end(skb, nest);
}

static void a_bare_within(struct sk_buff *skb)
{
	nla_put_u32(skb, NFTA_SNAT_STATELESS_MAP_WITHIN, 0);
}

static void an_unknown_flag_of_a_map(struct sk_buff *skb)
{
	nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_FLAGS, htonl(2));
}

static void a_long_name_of_a_map(struct sk_buff *skb)
{
	static char name[NFT_SET_MAXNAMELEN + 8];

	memset(name, 'x', sizeof(name) - 1);
	nla_put_string(skb, NFTA_SNAT_STATELESS_MAP_NAME, name);
}

static void a_short_prefix_of_unless(struct sk_buff *skb)
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_UNLESS);
	struct nlattr *one = nla_nest_start(skb, NFTA_LIST_ELEM);

	nla_put_u8(skb, NFTA_SNAT_STATELESS_PREFIX_LENGTH, 1);
	nla_nest_end(skb, one);
	nla_nest_end(skb, nest);
}

/*
 * struct refusal - @rule is refused with @err, as the uapi header has it
 */
struct refusal {
	const char	*why;
	struct rule	rule;
	int		err;
};

#define LATE	IN(4, "pre"), .field = SADDR, .flags = UNTRACK, MAPS("m")

static const struct refusal refusals[] = {
	{ "no field", { IN(4, "post"), .field = RULE_NO_FIELD, MAPS("m") }, -EINVAL },
	{ "no list of maps", { IN(4, "post"), .field = SADDR }, -EINVAL },
	{ "a list of no maps", { IN(4, "post"), .field = SADDR, .spoil = no_maps }, -EINVAL },
	{ "a list of something else", { IN(4, "post"), .field = SADDR, .spoil = maps_of_another_kind }, -EINVAL },
	{ "256 maps", { IN(4, "post"), .field = SADDR, .spoil = too_many_maps }, -E2BIG },
	{ "a third field", { IN(4, "post"), .field = 2, MAPS("m") }, -ERANGE },
	{ "a short field", { IN(4, "post"), MAPS("m"), .spoil = a_short_field }, -ERANGE },
	{ "an unknown attribute", { IN(4, "post"), MAPS("m"), .spoil = an_unknown_attribute }, -EINVAL },
	{ "what is only told", { IN(4, "post"), MAPS("m"), .spoil = what_is_only_told }, -EINVAL },
	{ "an unknown flag", { IN(4, "post"), .flags = 1 << 7, MAPS("m") }, -EINVAL },
	{ "notrack untrack", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK | UNTRACK, MAPS("r") }, -EINVAL },
	{ "tracked untracked", { IN(4, "post"), .flags = TRACKED | UNTRACKED, MAPS("m") }, -EINVAL },
	{ "follow notrack", { IN(4, "pre"), .field = DADDR, .flags = FOLLOW | NOTRACK, MAPS("r") }, -EINVAL },
	{ "daddr followed", { IN(4, "post"), .field = DADDR, .flags = FOLLOWED, MAPS("r") }, -EINVAL },
	{ "else without notrack", { IN(4, "pre"), .field = DADDR, MAPS("r"), ELSE("m") }, -EINVAL },
	{ "else of a source", { IN(4, "post"), .field = SADDR, .flags = NOTRACK, MAPS("m"), ELSE("m") }, -EINVAL },
	{ "else of no such map", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("x") }, -ENODATA },
	{ "forward without else", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r") }, -EINVAL },
	{ "forward of what was decided", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK | UNTRACKED | FORWARD, MAPS("r"),
	  ELSE("m") }, -EINVAL },
	{ "unless of what is translated", { IN(4, "post"), MAPS("m"), UNLESS("10.0.0.0/8") }, -EINVAL },
	{ "unless and only", { LATE, UNLESS("10.0.0.0/8"), ONLY("10.0.0.0/8") }, -EINVAL },
	{ "unless nothing", { LATE, .spoil = unless_nothing }, -EINVAL },
	{ "unless something else", { LATE, .spoil = unless_of_another_kind }, -EINVAL },
	{ "unless without attributes", { LATE, .spoil = unless_without_attributes }, -EINVAL },
	{ "unless with a short length", { LATE, .spoil = a_short_prefix_of_unless }, -EINVAL },
	{ "unless without a length", { LATE, UNLESS("10.0.0.0") }, -EINVAL },
	{ "unless of length 0", { LATE, UNLESS("10.0.0.0/0") }, -ERANGE },
	{ "unless of length 33", { LATE, UNLESS("10.0.0.0/33") }, -ERANGE },
	{ "unless with bits behind it", { LATE, UNLESS("10.0.0.1/8") }, -EINVAL },
	{ "unless of another family", { LATE, UNLESS("fd00::/8") }, -EPROTOTYPE },
	{ "9 of unless", { LATE, UNLESS(TEN("10.0.0.0/8")) }, -E2BIG },
	{ "via of what is translated", { IN(4, "pre"), .field = DADDR, MAPS("r"), VIA("out0") }, -EINVAL },
	{ "via nothing", { LATE, .spoil = via_nothing }, -EINVAL },
	{ "via something else", { LATE, .spoil = via_of_another_kind }, -EINVAL },
	{ "via a name of none", { LATE, VIA("") }, -EINVAL },
	{ "via an asterisk", { LATE, VIA("*") }, -EINVAL },
	{ "via an asterisk in between", { LATE, VIA("o*t") }, -EINVAL },
	{ "via a long name", { LATE, VIA("sixteen-letters-") }, -ERANGE },
	{ "9 of via", { LATE, VIA(TEN("out0")) }, -E2BIG },
	{ "via in output", { IN(4, "sent"), .field = DADDR, .flags = NOTRACK, MAPS("r"), VIA("out0") }, -EOPNOTSUPP },
	{ "via in input", { IN(4, "entry"), .flags = UNTRACKED, MAPS("m"), VIA("out0") }, -EOPNOTSUPP },
	{ "errors of a decision", { LATE, .errors_as = "198.51.100.9" }, -EINVAL },
	{ "errors of a destination", { IN(4, "pre"), .field = DADDR, MAPS("r"), .errors_as = "198.51.100.9" }, -EINVAL },
	{ "errors of another family", { IN(4, "post"), MAPS("m"), .errors_as = "2001:db8::1" }, -EPROTOTYPE },
	{ "daddr in postrouting", { IN(4, "post"), .field = DADDR, MAPS("r") }, -EOPNOTSUPP },
	{ "saddr in prerouting", { IN(4, "pre"), MAPS("m") }, -EOPNOTSUPP },
	{ "saddr in forward", { IN(4, "through"), MAPS("m") }, -EOPNOTSUPP },
	{ "untrack in postrouting", { IN(4, "post"), .flags = UNTRACK, MAPS("m") }, -EOPNOTSUPP },
	{ "followed in input", { IN(4, "entry"), .flags = FOLLOWED, MAPS("m") }, -EOPNOTSUPP },
	{ "in a chain of type nat", { IN(4, "names"), MAPS("m") }, -EOPNOTSUPP },
	{ "forward in output", { IN(4, "sent"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r"), ELSE("m") },
	  -EOPNOTSUPP },
	{ "for ARP", { .family = NFPROTO_ARP, .chain = "entry", MAPS("m") }, -EAFNOSUPPORT },
	{ "no such map", { IN(4, "post"), MAPS("x") }, -ENODATA },
	{ "a map without a name", { IN(4, "post"), MAPS("/24") }, -EINVAL },
	{ "a map's long name", { IN(4, "post"), MAPS("m"), .spoil = a_long_name_of_a_map, .in_map = true }, -ERANGE },
	{ "a map's unknown flag", { IN(4, "post"), MAPS("m"), .spoil = an_unknown_flag_of_a_map, .in_map = true }, -EINVAL },
	{ "a set", { IN(4, "post"), MAPS("m_set") }, -EMEDIUMTYPE },
	{ "a verdict map", { IN(4, "post"), MAPS("m_verdict") }, -EMEDIUMTYPE },
	{ "an object map", { IN(4, "post"), MAPS("m_object") }, -EMEDIUMTYPE },
	{ "a map of intervals", { IN(4, "post"), MAPS("m_interval") }, -EPROTONOSUPPORT },
	{ "a map with timeouts", { IN(4, "post"), MAPS("m_timeout") }, -EPROTONOSUPPORT },
	{ "a dynamic map", { IN(4, "post"), MAPS("m_dynamic") }, -EPROTONOSUPPORT },
	{ "a map of two keys", { IN(4, "post"), MAPS("m_pair") }, -EPROTOTYPE },
	{ "a map of ports", { IN(4, "post"), MAPS("m_port") }, -EPROTOTYPE },
	{ "a map to ports", { IN(4, "post"), MAPS("m_toport") }, -EPROTOTYPE },
	{ "a map of the other family", { IN(6, "post"), MAPS("v4") }, -EPROTOTYPE },
	{ "maps of two families", { INET("post"), MAPS("m", "m6") }, -EPROTOTYPE },
	{ "else of another family", { INET("pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("m6") }, -EPROTOTYPE },
	{ "a prefix of length 0", { IN(4, "post"), MAPS("p/0") }, -ERANGE },
	{ "a prefix of length 33", { IN(4, "post"), MAPS("p/33") }, -ERANGE },
	{ "npt of IPv4", { IN(4, "post"), MAPS("p/24!") }, -EPROTOTYPE },
	{ "npt of length 65", { IN(6, "post"), MAPS("p/65!") }, -ERANGE },
	{ "within without a length", { IN(4, "post"), MAPS("p/24"), .spoil = a_bare_within, .in_map = true }, -EINVAL },
	{ "within of another family", { IN(4, "post"), MAPS("p/24@fd00::/8") }, -EPROTOTYPE },
	{ "within of length 0", { IN(4, "post"), MAPS("p/24@10.0.0.0/0") }, -ERANGE },
	{ "within of length 33", { IN(4, "post"), MAPS("p/24@10.0.0.0/33") }, -ERANGE },
	{ "within with bits behind it", { IN(4, "post"), MAPS("p/24@10.0.0.1/8") }, -EINVAL },
};

static void describe_refusal(const struct refusal *refusal, char *text)
{
	strscpy(text, refusal->why, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refusal, refusals, describe_refusal);

static void is_refused(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;

	KUNIT_EXPECT_EQ(test, rule_replace(&refusal->rule), refusal->err);
}

struct form {
	const char	*why;
	struct rule	rule;
};

static const struct form forms[] = {
	{ "saddr", { IN(4, "post"), .field = SADDR, MAPS("m") } },
	{ "saddr in input", { IN(4, "entry"), .field = SADDR, MAPS("m") } },
	{ "daddr", { IN(4, "pre"), .field = DADDR, MAPS("r") } },
	{ "daddr notrack", { IN(6, "pre"), .field = DADDR, .flags = NOTRACK, MAPS("r") } },
	{ "prefixes", { IN(4, "post"), MAPS("m", "p/24", "p/16@10.0.0.0/8", "p/24@10.0.0.0/24") } },
	{ "npt", { IN(6, "post"), MAPS("m", "p/48!@fd00::/8", "p/64!") } },
	{ "untrack", { IN(6, "pre"), .flags = UNTRACK, MAPS("m") } },
	{ "untrack in output", { IN(4, "sent"), .flags = UNTRACK | TRACKED, MAPS("m"), UNLESS("10.0.0.0/8") } },
	{ "untracked", { IN(4, "post"), .flags = UNTRACKED, MAPS("m"), .errors_as = "198.51.100.9" } },
	{ "tracked", { IN(4, "post"), .flags = TRACKED, MAPS("m") } },
	{ "follow", { IN(4, "pre"), .field = DADDR, .flags = FOLLOW, MAPS("r"), ELSE("m", "p/24") } },
	{ "saddr follow", { IN(4, "pre"), .flags = FOLLOW, MAPS("m"), ONLY("198.51.100.0/24") } },
	{ "followed", { IN(4, "post"), .flags = FOLLOWED, MAPS("m"), VIA("out0"), UNLESS("10.0.0.0/8") } },
	{ "follow followed", { IN(4, "names"), .flags = FOLLOW | FOLLOWED, MAPS("m") } },
	{ "a border", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("m"), VIA("out0", "ppp*"),
			UNLESS("10.0.0.0/8", "198.51.100.2/32") } },
	{ "a border's end", { IN(6, "post"), .flags = UNTRACKED, MAPS("m"), VIA("out0"), ONLY("2001:db8::/32"),
			      .errors_as = "2001:db8:1::9" } },
	{ "forward", { IN(4, "pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r", "o/24"), ELSE("m", "p/24") } },
	{ "forward at a border", { IN(6, "pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r"), ELSE("m"),
				   VIA("out0"), UNLESS("2001:db8::/32") } },
	{ "inet forward", { INET("pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r6"), ELSE("m6") } },
	{ "in a regular chain", { IN(4, "plain"), .flags = UNTRACK, MAPS("m"), VIA("out0") } },
	{ "inet", { INET("post"), MAPS("m6") } },
	{ "inet with a border", { INET("pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("m"), VIA("out0") } },
};

static void describe_form(const struct form *form, char *text)
{
	strscpy(text, form->why, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(form, forms, describe_form);

static void is_told_as_it_was_asked(struct kunit *test)
{
	const struct form *form = test->param_value;
	struct sk_buff *told;

	KUNIT_ASSERT_EQ(test, rule_replace(&form->rule), 0);
	told = rule_dump(&form->rule, false);
	KUNIT_ASSERT_NOT_NULL(test, told);
	KUNIT_EXPECT_TRUE(test, rule_is_told(&form->rule, told));
	kfree_skb(told);
}

static const char *family_name(const struct rule *rule)
{
	return rule->family == NFPROTO_IPV4 ? "ip" : rule->family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* Is nothing held any more?  A map that a rule refers to cannot be deleted. */
static void expect_idle(struct kunit *test, const struct rule *rule)
{
	struct sk_buff *batch = batch_begin();
	const char *family = family_name(rule);
	char command[200];

	batch_flush(batch, rule);
	KUNIT_EXPECT_EQ(test, batch_send(batch, NULL), 0);
	snprintf(command, sizeof(command), "for map in m r p o m6 r6; do "
		 "! nft list map %s t $map 2>/dev/null || nft delete map %s t $map || exit 1; done", family, family);
	KUNIT_EXPECT_EQ(test, shell(command), 0);
}

/* Each allocation on a rule's way into the kernel fails once. */
static void is_not_made_by_halves(struct kunit *test)
{
	const struct form *form = test->param_value;
	unsigned int nth, left;
	int err;

	KUNIT_ASSERT_EQ(test, shell("cd /sys/kernel/debug/failslab && echo N >ignore-gfp-wait && echo 0 >verbose"), 0);
	KUNIT_ASSERT_EQ(test, shell(RULESET), 0);
	for (nth = 1;; nth++) {
		struct sk_buff *batch = batch_begin();

		batch_flush(batch, &form->rule);
		batch_add(batch, &form->rule);
		left = nth;
		err = batch_send(batch, &left);
		if (left)
			break;
		KUNIT_EXPECT_TRUE_MSG(test, !err || err == -ENOMEM || err == -ENOBUFS, "error %d of allocation %u", err,
				      nth);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 5);
	expect_idle(test, &form->rule);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(is_refused, refusal_gen_params),
	KUNIT_CASE_PARAM(is_told_as_it_was_asked, form_gen_params),
	KUNIT_CASE_PARAM(is_not_made_by_halves, form_gen_params),
	{}
};

static int prepare(struct kunit_suite *suite)
{
	return shell(RULESET);
}

static void clear(struct kunit_suite *suite)
{
	shell("nft flush ruleset");
}

static struct kunit_suite suite = {
	.name = "statnat_rules", .suite_init = prepare, .suite_exit = clear, .test_cases = cases,
};
kunit_test_suite(suite);
