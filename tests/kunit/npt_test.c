// SPDX-License-Identifier: GPL-2.0-or-later
/* Checksum-neutral translation (RFC 6296) of packets of every kind: an address changes, and no sum. */
#include <kunit/test.h>
#include <linux/sched.h>

#include "packets.h"
#include "shapes.h"

/* The kinds of IPv6. */
static const void *kind6_next(const void *before, char *text)
{
	const struct kind *kind = kind_next(before, text);

	while (kind && !kind_is_ipv6(kind))
		kind = kind_next(kind, text);
	return kind;
}

static const union snat_address value = { .in6.s6_addr = { 0x20, 1, 0x0d, 0xb8, 0, 1 } };

static void expect(struct kunit *test, struct sk_buff *skb, const struct packet *packet)
{
	u8 bytes[PACKET_ROOM];

	KUNIT_EXPECT_EQ(test, skb->len, packet->length);
	KUNIT_EXPECT_EQ(test, skb_copy_bits(skb, 0, bytes, packet->length), 0);
	KUNIT_EXPECT_MEMEQ(test, bytes, packet->bytes, packet->length);
	kfree_skb(skb);
}

static void run(struct kunit *test, unsigned int length, enum snat_side side, bool cloned)
{
	struct wish wish = { .kind = test->param_value, .side = side };
	static struct packet before, after;
	struct sk_buff *skb, *other = NULL;
	struct snat_prefix prefix;
	struct shape shape = {};

	packet_write(&wish, &before);
	after = before;
	packet_move(after.bytes + (side == SNAT_SOURCE ? 8 : 24), value.in6.s6_addr, length);

	shape.linear = before.fixed;
	skb = packet_buffer(before.bytes, before.length, &shape);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	if (cloned)
		other = skb_clone(skb, GFP_KERNEL);
	snat_prefix_init(&prefix, length);
	if (cloned) {
		current->fail_nth = 1;
		KUNIT_EXPECT_EQ(test, snat_ipv6_translate_npt(skb, side, &prefix, &value), SNAT_NO_MEMORY);
		current->fail_nth = 0;
	}
	KUNIT_EXPECT_EQ(test, snat_ipv6_translate_npt(skb, side, &prefix, &value), 0);
	expect(test, skb, &after);
	if (other)
		expect(test, other, &before);
}

static void changes_no_sum(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		run(test, i & 1 ? 48 : 64, i & 2 ? SNAT_SOURCE : SNAT_DESTINATION, i & 4);
}

/* The example of RFC 6296, 3.1 and appendix B. */
static void is_as_the_rfc_has_it(struct kunit *test)
{
	const union snat_address internal = { .in6.s6_addr = { 0xfd, 1, 2, 3, 4, 5, 0, 1, [12] = 0, 0, 0x12, 0x34 } };
	const union snat_address wanted = {
		.in6.s6_addr = { 0x20, 1, 0x0d, 0xb8, 0, 1, 0xd5, 0x50, [12] = 0, 0, 0x12, 0x34 }
	};
	union snat_address address = internal;
	struct snat_prefix prefix;

	snat_prefix_init(&prefix, 48);
	KUNIT_EXPECT_EQ(test, snat_npt_translate(&prefix, &value, &internal, &address), SNAT_NPT_DONE);
	KUNIT_EXPECT_MEMEQ(test, &address, &wanted, sizeof(wanted));
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(changes_no_sum, kind6_next),
	KUNIT_CASE(is_as_the_rfc_has_it),
	{}
};

static struct kunit_suite suite = { .name = "statnat_npt", .test_cases = cases };
kunit_test_suite(suite);
