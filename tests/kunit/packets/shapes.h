/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a packet lies in memory. */
#ifndef STATNAT_KUNIT_SHAPES_H
#define STATNAT_KUNIT_SHAPES_H

#include <linux/skbuff.h>

/*
 * struct shape - how a packet lies in memory
 *
 * @linear: bytes in the linear area, the rest being in pages or in a list
 * @list: the rest is in a list of buffers
 * @mac: what goes before the network header is in the buffer, too
 * @room: unused bytes behind the linear area
 */
struct shape {
	unsigned int	linear, mac, room;
	bool		list;
};

/* Return: a buffer, or NULL without memory; its pages are whole ones, with the bytes at their beginning. */
struct sk_buff *packet_buffer(const u8 *bytes, unsigned int length, const struct shape *shape);

#endif
