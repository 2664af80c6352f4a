// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets at hooks of this kernel, where rules of ours stand:
 *
 *	10.0.0.2, fd00:1::a00:2 ──── in0, gateway, out0 ──── 203.0.113.10, 2001:db8:3::cb00:710a
 */
#include <kunit/test.h>
#include <linux/if_ether.h>
#include <linux/inet.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include "packets.h"
#include "passages.h"
#include "rule.h"
#include "shapes.h"
#include "states.h"

#define GATEWAY								\
	"ip link add in0 type dummy; ip link add out0 type dummy; ip link add vrf0 type vrf table 9;"	\
	"ip link add in1 type dummy; ip link set in1 master vrf0; ip link add br0 type bridge;"	\
	"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0;"	\
	"for name in in0 out0 in1 vrf0 br0 lo; do ip link set $name up; done;"			\
	"ip address add 10.0.0.1/24 dev in0; ip address add fd00:1::1/64 dev in0 nodad;"	\
	"ip address add 192.0.2.100/31 dev br0;"							\
	"ip address add 203.0.113.1/24 dev out0; ip address add 198.51.100.9/32 dev out0;"	\
	"ip address add 2001:db8:3::1/64 dev out0 nodad"

static const void *passage_next(const void *before, char *text)
{
	const struct passage *passage = before ? (const struct passage *)before + 1 : passages;

	if (passage == passages + passage_count)
		return NULL;
	strscpy(text, passage->why, KUNIT_PARAM_DESC_SIZE);
	return passage;
}

static struct net_device *device(const char *name)
{
	return name ? dev_get_by_name(&init_net, name) : NULL;
}

/* What left by a device while a packet passed. */
static struct packet departed;
static bool watching;

/* Whether somebody had marked it before. */
static bool was_decided;

static int see(struct sk_buff *skb, struct net_device *dev, struct packet_type *tap, struct net_device *original)
{
	int offset = skb_network_offset(skb);

	if (watching && skb->pkt_type == PACKET_OUTGOING) {
		departed.length = min_t(unsigned int, skb->len - offset, PACKET_ROOM);
		skb_copy_bits(skb, offset, departed.bytes, departed.length);
	}
	kfree_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type tap = { .type = htons(ETH_P_ALL), .func = see };

/* As a queue does, behind which a program waits, but at once. */
static unsigned int give_back(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (skb->mark != GIVEN_TO_A_PROGRAM)
		return NF_ACCEPT;
	state->okfn(state->net, state->sk, skb);
	return NF_STOLEN;
}

/* By which it may be routed otherwise. */
static unsigned int mark(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (skb->priority == MARKED_LATER)
		skb->mark = 1;
	return NF_ACCEPT;
}

static const struct nf_hook_ops programs[] = {
	{ .hook = mark, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_LAST - 1 },
	{ .hook = give_back, .pf = NFPROTO_IPV4, .hooknum = NF_INET_FORWARD },
	{ .hook = give_back, .pf = NFPROTO_IPV6, .hooknum = NF_INET_FORWARD },
};

static bool is_decided_by_now(u8 pf, const struct sk_buff *skb)
{
	return (pf == NFPROTO_IPV4 ? IPCB(skb)->flags : IP6CB(skb)->flags) & 0x8000;
}

/* Return: what nf_hook() says; the packet is there if it is 1.  @sent: its bytes before. */
static int pass(const struct passage *passage, u8 pf, struct sk_buff *skb, struct packet *sent)
{
	struct net_device *in = device(passage->in), *out = device(passage->out);
	int verdict;

	skb->dev = in ?: out;
	skb->protocol = pf == NFPROTO_IPV4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_pull(skb, ETH_HLEN);
	if (passage->prepare)
		passage->prepare(pf, skb);
	sent->length = skb->len;
	memcpy(sent->bytes, skb->data, skb->len);
	departed.length = 0;
	was_decided = is_decided_by_now(pf, skb);
	local_bh_disable();
	rcu_read_lock();
	watching = true;
	verdict = nf_hook(pf, passage->hook, &init_net, NULL, skb, in, out, NULL);
	watching = false;
	rcu_read_unlock();
	local_bh_enable();
	dev_put(in);
	dev_put(out);
	current->fail_nth = 0;
	return verdict;
}

static bool bytes_are(const struct sk_buff *skb, const struct packet *packet)
{
	return skb->len == packet->length && !memcmp(skb->data, packet->bytes, packet->length);
}

static void expect_counts(struct kunit *test, const struct passage *passage)
{
	struct sk_buff *told = rule_dump(&passage->rule, true);
	enum snat_reason reason;

	KUNIT_ASSERT_NOT_NULL(test, told);
	for (reason = SNAT_MALFORMED; reason < SNAT_REASONS; reason++)
		KUNIT_EXPECT_EQ_MSG(test, rule_count(told, reason), reason == passage->counted, "reason %u", reason);
	kfree_skb(told);
}

/* Which map has its address. */
static const char *map_of(const struct passage *passage)
{
	const struct rule *rule = &passage->rule;

	return passage->side == SNAT_SOURCE && rule->otherwise[0] ? rule->otherwise[0] : rule->maps[0];
}

static void write_moved(const struct passage *passage, struct packet *packet)
{
	static const u8 prefix[8] = { 0x20, 1, 0x0d, 0xb8, 0, 1 };
	unsigned int length = map_of(passage)[2] == '4' ? 48 : 64;

	packet_move(packet->bytes + 8, prefix, length);
	if (packet->quotable)
		packet_move(packet->bytes + packet->quotable - 16, prefix, length);
}

static void write_sum(u8 *header)
{
	header[10] = header[11] = 0;
	*(__be16 *)(header + 10) = htons(~packet_sum(header, (header[0] & 0xf) * 4, 0));
}

/* What it becomes, without a sum that changes by npt, and from another address if the rule lends one. */
static void write_translated(const struct passage *passage, struct wish *wish, struct packet *packet)
{
	if (strchr(map_of(passage), '!')) {
		packet_write(wish, packet);
		write_moved(passage, packet);
		return;
	}
	wish->outer = wish->inner = true;
	packet_write(wish, packet);
	if (!passage->rule.errors_as)
		return;
	in4_pton(passage->rule.errors_as, -1, packet->bytes + 12, -1, NULL);
	write_sum(packet->bytes);
}

/* What was done to it before stays. */
static void write_prepared(const struct packet *before, const struct packet *sent, struct packet *packet)
{
	unsigned int i;

	for (i = 0; i < sent->length; i++)
		packet->bytes[i] ^= before->bytes[i] ^ sent->bytes[i];
}

/* One router more. */
static void write_aged(u8 pf, struct packet *packet)
{
	if (pf == NFPROTO_IPV6) {
		packet->bytes[7]--;
		return;
	}
	packet->bytes[8]--;
	write_sum(packet->bytes);
}

/* @as: what it must have become if it left.  About what is dropped, somebody may be told. */
static void expect_gone(struct kunit *test, const struct passage *passage, u8 pf, int verdict, struct packet *as)
{
	KUNIT_EXPECT_GE_MSG(test, passage->outcome, DROPPED, "it is gone");
	KUNIT_EXPECT_EQ(test, verdict, passage->outcome == DROPPED ? -EPERM : 0);
	if (passage->outcome == DROPPED)
		return;
	if (passage->outcome == TAKEN)
		as->length = 0;
	else
		write_aged(pf, as);
	KUNIT_EXPECT_EQ(test, departed.length, as->length);
	KUNIT_EXPECT_MEMEQ(test, departed.bytes, as->bytes, as->length);
}

/* Frees it. */
static void expect_there(struct kunit *test, const struct passage *passage, u8 pf, struct sk_buff *skb,
			 const struct packet *as)
{
	KUNIT_EXPECT_LT_MSG(test, passage->outcome, DROPPED, "it is still there");
	KUNIT_EXPECT_EQ_MSG(test, departed.length, 0, "it is sent, too");
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(skb, as), "it is another packet");
	if (passage->outcome == MARKED)
		KUNIT_EXPECT_TRUE_MSG(test, is_decided_by_now(pf, skb), "it is not marked");
	if (passage->outcome == (passage->rule.flags & NOTRACK ? TRANSLATED : MARKED) &&
	    !(passage->rule.flags & FOLLOW))
		KUNIT_EXPECT_TRUE_MSG(test, skb_get_nfct(skb) == IP_CT_UNTRACKED, "it is tracked");
	if (passage->outcome == LEFT && !was_decided)
		KUNIT_EXPECT_FALSE_MSG(test, is_decided_by_now(pf, skb), "it is marked");
	if (passage->hook == NF_INET_PRE_ROUTING && (passage->outcome == TRANSLATED || skb->mark))
		KUNIT_EXPECT_NULL_MSG(test, skb_dst(skb), "it has a route that is void");
	kfree_skb(skb);
}

/* How many there are before routing; the kernel lets go of one a little later than of its rule. */
static unsigned int hooks(u8 pf)
{
	struct nf_hook_entries __rcu **place = pf == NFPROTO_IPV4 ? &init_net.nf.hooks_ipv4[NF_INET_PRE_ROUTING] :
								    &init_net.nf.hooks_ipv6[NF_INET_PRE_ROUTING];
	const struct nf_hook_entries *entries;
	unsigned int count;

	rcu_read_lock();
	entries = rcu_dereference(*place);
	count = entries ? entries->num_hook_entries : 0;
	rcu_read_unlock();
	return count;
}

static void becomes(struct kunit *test)
{
	const struct passage *passage = test->param_value;
	struct wish wish = { .kind = kind_named(passage->kind), .side = passage->side, .routed = passage->routed };
	u8 pf = kind_is_ipv6(wish.kind) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	static struct packet before, sent, after, *as;
	struct shape shape = { .mac = ETH_HLEN };
	unsigned int hooks_before;
	struct sk_buff *skb, *batch;
	int verdict;

	if (passage->setup)
		KUNIT_ASSERT_EQ(test, shell(passage->setup), 0);
	hooks_before = hooks(pf);
	KUNIT_ASSERT_EQ(test, rule_replace(&passage->rule), 0);
	if (!passage->rule.via[0])
		KUNIT_EXPECT_LE_MSG(test, hooks(pf), hooks_before, "it guards routes without a border");
	packet_write(&wish, &before);
	write_translated(passage, &wish, &after);

	shape.linear = before.length;
	skb = packet_buffer(before.bytes, before.length, &shape);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	verdict = pass(passage, pf, skb, &sent);
	write_prepared(&before, &sent, &after);
	as = passage->outcome == TRANSLATED || passage->outcome == PASSED_ON ? &after : &sent;
	if (verdict == 1)
		expect_there(test, passage, pf, skb, as);
	else
		expect_gone(test, passage, pf, verdict, as);
	expect_counts(test, passage);

	batch = batch_begin();
	batch_flush(batch, &passage->rule);
	KUNIT_EXPECT_EQ(test, batch_send(batch, NULL), 0);
	if (passage->undo)
		KUNIT_ASSERT_EQ(test, shell(passage->undo), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(becomes, passage_next),
	{}
};

static int prepare(struct kunit_suite *suite)
{
	int err = nf_register_net_hooks(&init_net, programs, ARRAY_SIZE(programs));

	if (err)
		return err;
	dev_add_pack(&tap);
	/* Connections that some packets say they are of are none that rules of type nat could know. */
	return shell(GATEWAY) ?: shell(RULESET " && nft delete chain ip t names");
}

static void clear(struct kunit_suite *suite)
{
	dev_remove_pack(&tap);
	nf_unregister_net_hooks(&init_net, programs, ARRAY_SIZE(programs));
	shell("nft flush ruleset; for name in in0 out0 in1 vrf0 br0; do ip link delete $name; done");
}

static struct kunit_suite suite = {
	.name = "statnat_passage", .suite_init = prepare, .suite_exit = clear, .test_cases = cases,
};
kunit_test_suite(suite);
