// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet face, on packets of every kind, wherever and however they lie in memory. */
#include <kunit/test.h>
#include <linux/if_ether.h>
#include <linux/sched.h>
#include <linux/skbuff.h>

#include "family.h"
#include "packets.h"
#include "shapes.h"

/* What a hook finds beside the bytes. */
enum sums { SUMS_NONE, SUMS_UNNECESSARY, SUMS_COMPLETE, SUMS_PARTIAL, SUMS_SEGMENTED, SUMS };

/*
 * struct trial - one packet and its translation
 *
 * @wish: which one; what comes of it is derived from it
 * @shape: how it lies in memory
 * @sums: what is known about its checksums
 * @cloned: somebody else has its bytes, too
 */
struct trial {
	struct wish	wish;
	struct shape	shape;
	enum sums	sums;
	bool		cloned;
};

static struct snat_target target_of(const struct trial *trial)
{
	struct snat_target target = {};

	packet_address(kind_is_ipv6(trial->wish.kind), trial->wish.side, true, &target.address);
	return target;
}

/* As eval.c does it: an error by what it quotes, anything else by itself. */
static int translate(const struct trial *trial, struct sk_buff *skb)
{
	u8 pf = kind_is_ipv6(trial->wish.kind) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct snat_target target = target_of(trial);
	struct snat_quote quote;

	if (snat_quote(pf, skb, trial->wish.side, &quote))
		return snat_translate_error(pf, skb, trial->wish.side, trial->wish.routed ? NULL : &target, &quote,
					    &target);
	if (trial->wish.routed)
		return 0;
	return snat_translate(pf, skb, trial->wish.side, &target.address);
}

static void tell_sums(const struct trial *trial, const struct packet *packet, struct sk_buff *skb)
{
	skb->csum_valid = 0;
	switch (trial->sums) {
	case SUMS_UNNECESSARY:
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		break;
	case SUMS_COMPLETE:
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = (__force __wsum)htons(packet_sum(packet->bytes, packet->length, 0));
		break;
	case SUMS_SEGMENTED:
		skb_shinfo(skb)->gso_size = 8;
		skb_shinfo(skb)->gso_segs = 2;
		skb_shinfo(skb)->gso_type = kind_is_ipv6(trial->wish.kind) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
		fallthrough;
	case SUMS_PARTIAL:
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + trial->shape.mac + packet->transport;
		skb->csum_offset = packet->check - packet->transport;
		break;
	default:
		skb->ip_summed = CHECKSUM_NONE;
	}
}

static bool bytes_are(const struct sk_buff *skb, const struct packet *packet)
{
	u8 bytes[PACKET_ROOM];

	return skb->len - skb_network_offset(skb) == packet->length &&
	       !skb_copy_bits(skb, skb_network_offset(skb), bytes, packet->length) &&
	       !memcmp(bytes, packet->bytes, packet->length);
}

/* To whoever adds the packet up, 0 and 0xffff are the same. */
static bool sum_is_complete(const struct sk_buff *skb, const struct packet *packet)
{
	u16 sum = packet_sum(packet->bytes, packet->length, 0);
	u16 told = ~ntohs((__force __be16)csum_fold(skb->csum));

	return sum % 0xffff == told % 0xffff;
}

static void expect_sums(struct kunit *test, const struct trial *trial, struct wish wish, const struct packet *after,
			struct sk_buff *skb)
{
	struct packet completed;

	switch (trial->sums) {
	case SUMS_COMPLETE:
		KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_COMPLETE);
		KUNIT_EXPECT_TRUE_MSG(test, sum_is_complete(skb, after), "CHECKSUM_COMPLETE of %s is wrong",
				      wish.kind->name);
		break;
	case SUMS_PARTIAL:
		/* The kernel's own hand, at last: the packet as it is sent. */
		wish.partial = false;
		packet_write(&wish, &completed);
		KUNIT_EXPECT_TRUE(test, pskb_may_pull(skb, trial->shape.mac + after->check + 2));
		KUNIT_EXPECT_EQ(test, skb_checksum_help(skb), 0);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(skb, &completed), "completed, %s is wrong", wish.kind->name);
		break;
	default:
		break;
	}
}

/* What the packet becomes: by its length, for nothing is read past its end. */
static int foresee(const struct trial *trial, const struct packet *before, struct wish *after)
{
	bool quoted = before->quotable && before->length >= before->quotable;

	*after = trial->wish;
	after->inner = quoted;
	after->outer = !trial->wish.routed;
	if (!quoted && !after->outer)
		return 0;
	if (quoted || before->length >= before->needed)
		return 0;
	after->outer = false;
	return SNAT_MALFORMED;
}

static void expect_original(struct kunit *test, struct sk_buff *other, const struct packet *before)
{
	if (!other)
		return;
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(other, before), "whose bytes they were, his are no more");
	kfree_skb(other);
}

static void run(struct kunit *test, struct trial *trial)
{
	struct packet before, after;
	struct sk_buff *skb, *other;
	struct wish becomes;
	int err, wanted;

	trial->wish.partial = trial->sums >= SUMS_PARTIAL;
	packet_write(&trial->wish, &before);
	wanted = foresee(trial, &before, &becomes);
	packet_write(&becomes, &after);

	skb = packet_buffer(before.bytes, before.length, &trial->shape);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	tell_sums(trial, &before, skb);
	other = trial->cloned ? skb_clone(skb, GFP_KERNEL) : NULL;

	err = translate(trial, skb);
	KUNIT_EXPECT_EQ_MSG(test, err, wanted, "%s, %u bytes, %u linear", trial->wish.kind->name, before.length,
			    trial->shape.linear);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(skb, &after), "%s, %s, %u bytes, %u linear%s%s%s, sums %u",
			      trial->wish.kind->name, trial->wish.side == SNAT_SOURCE ? "source" : "destination",
			      before.length, trial->shape.linear, trial->shape.list ? ", list" : "",
			      trial->cloned ? ", cloned" : "", trial->wish.routed ? ", routed" : "", trial->sums);
	if (!err)
		expect_sums(test, trial, becomes, &after, skb);
	expect_original(test, other, &before);
	kfree_skb(skb);
}

static bool has_sums(const struct kind *kind, enum sums sums)
{
	if (sums == SUMS_SEGMENTED)
		return kind->layers[1] == TCP;
	return sums != SUMS_PARTIAL || kind_may_be_partial(kind);
}

/* Both sides, and errors from a router in between, with all that is known about sums. */
static void run_all(struct kunit *test, struct trial *trial, bool with_sums)
{
	bool is_error = strstr(trial->wish.kind->name, "error");
	unsigned int i;

	for (i = 0; i < 4; i++) {
		trial->wish.side = i % 2 ? SNAT_SOURCE : SNAT_DESTINATION;
		trial->wish.routed = i / 2;
		if (trial->wish.routed && !is_error)
			continue;
		for (trial->sums = 0; trial->sums < (with_sums ? SUMS : 1); trial->sums++)
			if (has_sums(trial->wish.kind, trial->sums))
				run(test, trial);
	}
}

static unsigned int length_of(const struct kind *kind, unsigned int *fixed)
{
	const struct wish wish = { .kind = kind };
	struct packet packet;

	packet_write(&wish, &packet);
	*fixed = packet.fixed;
	return packet.length;
}

/* The same bytes, wherever the linear area ends, in pages or a list, and whoever has them, too. */
static void wherever_they_are(struct kunit *test)
{
	struct trial trial = { .wish.kind = test->param_value };
	unsigned int fixed, length = length_of(trial.wish.kind, &fixed), i;

	for (trial.shape.linear = fixed; trial.shape.linear <= length; trial.shape.linear++) {
		trial.shape.mac = trial.shape.linear % 2 ? 0 : ETH_HLEN;
		for (i = 0; i < 4; i++) {
			trial.shape.list = i & 1;
			trial.cloned = i & 2;
			/* Of what is known about sums, each is tried with every shape, at every fourth place. */
			run_all(test, &trial, trial.shape.linear / 2 % 4 == i);
		}
	}
}

static void however_short(struct kunit *test)
{
	struct trial trial = { .wish.kind = test->param_value };
	unsigned int fixed, length = length_of(trial.wish.kind, &fixed), i;

	for (trial.wish.limit = fixed; trial.wish.limit < length; trial.wish.limit++) {
		for (i = 0; i < 3; i++) {
			trial.shape.linear = i == 1 ? fixed : length;
			trial.cloned = i == 2;
			run_all(test, &trial, false);
		}
	}
}

/* The first allocation fails, and the packet is as it was. */
static void without_memory(struct kunit *test)
{
	struct trial trial = { .wish.kind = test->param_value, .cloned = true };
	struct sk_buff *skb, *other;
	struct packet before;
	int err;

	packet_write(&trial.wish, &before);
	trial.shape.linear = before.fixed;
	skb = packet_buffer(before.bytes, before.length, &trial.shape);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	other = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);

	current->fail_nth = 1;
	err = translate(&trial, skb);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, err, SNAT_NO_MEMORY);
	KUNIT_EXPECT_TRUE(test, bytes_are(skb, &before));
	expect_original(test, other, &before);
	kfree_skb(skb);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(wherever_they_are, kind_next),
	KUNIT_CASE_PARAM(however_short, kind_next),
	KUNIT_CASE_PARAM(without_memory, kind_next),
	{}
};

static struct kunit_suite suite = { .name = "statnat_translation", .test_cases = cases };
kunit_test_suite(suite);
