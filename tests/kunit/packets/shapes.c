// SPDX-License-Identifier: GPL-2.0-or-later
/* How a packet lies in memory. */
#include "shapes.h"

#include <linux/gfp.h>
#include <linux/mm.h>

static bool add_page(struct sk_buff *skb, const u8 *bytes, unsigned int length)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	memcpy(page_address(page), bytes, length);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, length, PAGE_SIZE);
	return true;
}

static bool add_buffer(struct sk_buff *skb, const u8 *bytes, unsigned int length)
{
	struct sk_buff *part = alloc_skb(length, GFP_KERNEL), **last = &skb_shinfo(skb)->frag_list;

	if (!part)
		return false;
	skb_put_data(part, bytes, length);
	while (*last)
		last = &(*last)->next;
	*last = part;
	skb->len += length;
	skb->data_len += length;
	skb->truesize += part->truesize;
	return true;
}

struct sk_buff *packet_buffer(const u8 *bytes, unsigned int length, const struct shape *shape)
{
	unsigned int linear = min(shape->linear, length), rest = length - linear, half = rest / 2;
	struct sk_buff *skb = alloc_skb(shape->mac + linear + shape->room, GFP_KERNEL);
	bool (*add)(struct sk_buff *skb, const u8 *bytes, unsigned int length) = shape->list ? add_buffer : add_page;

	if (!skb)
		return NULL;
	skb_put_zero(skb, shape->mac);
	skb->network_header = skb_tail_pointer(skb) - skb->head;
	skb_put_data(skb, bytes, linear);
	/* A byte that changes is looked for in one page. */
	if (shape->room)
		half = 0;
	if ((half && !add(skb, bytes + linear, half)) ||
	    (rest - half && !add(skb, bytes + linear + half, rest - half))) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}
