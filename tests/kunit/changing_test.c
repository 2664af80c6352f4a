// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The packet face, on packets that somebody still writes to while they are looked at: each byte, before each look,
 * becomes each of some values, for good or until the next look.  Wherever it is said to be by then, nothing is written
 * but what was made writable.
 */
#include <kunit/test.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/skbuff.h>

#include "family.h"
#include "packets.h"
#include "shapes.h"
#define STATNAT_KUNIT_UNCHANGED
#include "changing.h"

/* A length in a byte leads so far at most, behind all that stands before it. */
#define ROOM	4096
#define CANARY	0xa5
/* A byte of KASAN's for every so many of memory: how many of them are there, 0: all, or why none is (mm/kasan). */
#define GRANULE	BIT(KASAN_SHADOW_SCALE_SHIFT)
#define NOBODYS	0xfc

static const char * const samples[] = {
	"IPv4, options, TCP",
	"IPv4, error, UDP",
	"IPv4, options, error, TCP",
	"IPv4, error, options, TCP",
	"IPv6, UDP",
	"IPv6, options, TCP",
	"IPv6, a mobile node's home, UDP",
	"IPv6, all of them, UDP",
	"IPv6, error, UDP",
	"IPv6, options, error, UDP",
	"IPv6, routing, error, options, TCP",
};

static const u8 values[] = { 0, 1, 2, 6, 17, 43, 44, 51, 58, 60, 0x46, 0x4f, 0x60, 150, 255 };

/*
 * struct change - what happens to a packet's bytes
 *
 * @at: which byte; @original: what it was; @value: what it becomes
 * @when: before which look; 0: never
 * @for_good: later ones see it, too
 * @closed: the room behind the linear area is; nobody may touch it
 * @watched: by the canary, which is put there anew whenever that may have moved; else by KASAN
 * @looks: how often somebody has looked
 * @writable: so many bytes from @skb->data were made writable
 */
static struct change {
	u8		*at, original, value;
	unsigned int	when, looks, writable;
	bool		for_good, closed, watched;
} change;

static void look(void)
{
	change.looks++;
	if (!change.when)
		return;
	if (change.looks == change.when || (change.for_good && change.looks > change.when))
		WRITE_ONCE(*change.at, change.value);
	else
		WRITE_ONCE(*change.at, change.original);
}

void *changing_header_pointer(const struct sk_buff *skb, int offset, int length, void *buffer)
{
	look();
	return skb_header_pointer(skb, offset, length, buffer);
}

static unsigned int room_of(const struct sk_buff *skb)
{
	return skb_end_pointer(skb) - skb_tail_pointer(skb);
}

/* The room behind the linear area: nobody's, or as it was allocated. */
static void tell_kasan(const struct sk_buff *skb, bool nobodys)
{
	u8 *first = kasan_mem_to_shadow(skb_tail_pointer(skb)), *end = kasan_mem_to_shadow(skb_end_pointer(skb));
	u8 ours = (unsigned long)skb_tail_pointer(skb) % GRANULE;

	memset(first, nobodys ? NOBODYS : 0, end - first);
	if (nobodys && ours)
		*first = ours;
}

static void close_room(const struct sk_buff *skb)
{
	if (change.watched)
		memset(skb_tail_pointer(skb), CANARY, room_of(skb));
	else
		tell_kasan(skb, true);
}

static void open_room(const struct sk_buff *skb)
{
	if (!change.watched)
		tell_kasan(skb, false);
}

int changing_ensure_writable(struct sk_buff *skb, unsigned int length)
{
	int err;

	look();
	if (change.closed)
		open_room(skb);
	err = skb_ensure_writable(skb, length);
	if (!err)
		change.writable = max(change.writable, length);
	if (change.closed)
		close_room(skb);
	return err;
}

static int translate(const struct wish *wish, struct sk_buff *skb)
{
	u8 pf = kind_is_ipv6(wish->kind) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct snat_target target = {};
	struct snat_quote quote;

	packet_address(kind_is_ipv6(wish->kind), wish->side, true, &target.address);
	if (snat_quote(pf, skb, wish->side, &quote))
		return snat_translate_error(pf, skb, wish->side, wish->routed ? NULL : &target, &quote, &target);
	return snat_translate(pf, skb, wish->side, &target.address);
}

/* Bytes of the packet that are neither what they were, nor what somebody made of them, nor ours to write. */
static unsigned int strange_bytes(const struct sk_buff *skb, const struct packet *before)
{
	const u8 *page = skb_shinfo(skb)->nr_frags ? skb_frag_address(&skb_shinfo(skb)->frags[0]) : NULL;
	unsigned int i, strange = 0, writable = max(change.writable, before->fixed);

	for (i = 0; i < before->length; i++) {
		u8 now = i < skb_headlen(skb) ? skb->data[i] : page[i - skb_headlen(skb)];

		if (i >= writable && now != before->bytes[i] && now != change.value)
			strange++;
	}
	for (i = 0; i < room_of(skb); i++)
		strange += skb_tail_pointer(skb)[i] != CANARY;
	return strange;
}

/* Return: how often the packet was looked at. */
static unsigned int run(struct kunit *test, const struct wish *wish, const struct packet *before, unsigned int at,
			bool watched)
{
	const struct shape shape = { .linear = before->fixed, .room = ROOM };
	struct sk_buff *skb = packet_buffer(before->bytes, before->length, &shape);
	unsigned int strange;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	change.at = (u8 *)skb_frag_address(&skb_shinfo(skb)->frags[0]) + at - before->fixed;
	change.original = *change.at;
	change.looks = change.writable = 0;
	change.watched = watched;
	/* The page outlives what is pulled out of it. */
	get_page(skb_frag_page(&skb_shinfo(skb)->frags[0]));

	change.closed = true;
	close_room(skb);
	err = translate(wish, skb);
	open_room(skb);
	change.closed = false;
	if (watched) {
		strange = strange_bytes(skb, before);
		KUNIT_EXPECT_EQ_MSG(test, strange, 0, "%s: byte %u became %u before look %u%s; %u writable, error %d",
				    wish->kind->name, at, change.value, change.when,
				    change.for_good ? " for good" : "", change.writable, err);
	}
	put_page(virt_to_page(change.at));
	kfree_skb(skb);
	return change.looks;
}

/* Behind a first report there may be no kernel left to tell of a second, and one failure is enough. */
static bool somebody_complained(const struct kunit *test)
{
	return test_taint(TAINT_BAD_PAGE) || test->status == KUNIT_FAILURE;
}

static void change_all(struct kunit *test, struct wish *wish, const struct packet *before, bool watched)
{
	unsigned int at, value, looks;

	for (at = before->fixed; at < before->length; at++) {
		change.when = 0;
		looks = run(test, wish, before, at, watched);
		for (value = 0; value < ARRAY_SIZE(values); value++) {
			change.value = values[value];
			for (change.when = 1; change.when <= looks; change.when++) {
				change.for_good = false;
				run(test, wish, before, at, watched);
				change.for_good = true;
				run(test, wish, before, at, watched);
				if (somebody_complained(test))
					return;
			}
		}
	}
}

static void change_samples(struct kunit *test, bool watched)
{
	const char * const *name = test->param_value;
	struct wish wish = { .kind = kind_named(*name) };
	static struct packet before;

	KUNIT_ASSERT_NOT_NULL(test, wish.kind);
	for (wish.side = SNAT_SOURCE; wish.side <= SNAT_DESTINATION; wish.side++) {
		packet_write(&wish, &before);
		change_all(test, &wish, &before, watched);
	}
}

static void nothing_else_is_written(struct kunit *test)
{
	change_samples(test, true);
}

/* The same without a question: only KASAN sees what is written, or read, there. */
static void nothing_behind_is_touched(struct kunit *test)
{
	change_samples(test, false);
}

static void describe(const char * const *name, char *text)
{
	strscpy(text, *name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sample, samples, describe);

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(nothing_else_is_written, sample_gen_params),
	KUNIT_CASE_PARAM(nothing_behind_is_touched, sample_gen_params),
	{}
};

/* Packets of other suites are looked at, too, and the page of this byte is somebody else's by then. */
static void let_go(struct kunit *test)
{
	change.when = 0;
}

static struct kunit_suite suite = { .name = "statnat_changing", .exit = let_go, .test_cases = cases };
kunit_test_suite(suite);
