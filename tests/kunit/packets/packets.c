// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of every kind, from their RFCs; nothing here calls the kernel's or the module's own arithmetic. */
#include "packets.h"

#include <linux/string.h>

#include "headers.h"

/* Internal, external, their peer's, and a router's; of IPv4 the last four bytes. */
static const u8 stations[4][16] = {
	{ 0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 },
	{ 0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 198, 51, 100, 2 },
	{ 0x20, 1, 0x0d, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 203, 0, 113, 10 },
	{ 0x20, 1, 0x0d, 0xb8, 0, 4, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1 },
};
enum { INTERNAL, EXTERNAL, PEER, ROUTER };

/* Where a routing header leads, and where a mobile node is at home. */
static const u8 elsewhere[16] = { 0x20, 1, 0x0d, 0xb8, 0, 9, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };

static unsigned int station_of_pair(enum snat_side side, bool translated)
{
	return (side == SNAT_SOURCE) == translated ? EXTERNAL : INTERNAL;
}

static const u8 *station(unsigned int which, bool ipv6)
{
	return stations[which] + (ipv6 ? 0 : 12);
}

void packet_address(bool ipv6, enum snat_side side, bool translated, union snat_address *address)
{
	memset(address, 0, sizeof(*address));
	memcpy(address, station(station_of_pair(side, translated), ipv6), ipv6 ? 16 : 4);
}

u16 packet_sum(const u8 *bytes, unsigned int length, u32 sum)
{
	unsigned int i;

	for (i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(u8 *at, u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

void packet_move(u8 *address, const u8 *prefix, unsigned int length)
{
	u16 sum = packet_sum(address, 16, 0) % 0xffff;
	unsigned int word = 3, value;

	if (length > 48)
		for (word = 4; address[2 * word] == 0xff && address[2 * word + 1] == 0xff; word++)
			;
	memcpy(address, prefix, length / 8);
	for (value = 0; value < 0xffff; value++) {
		put16(address + 2 * word, value);
		if (packet_sum(address, 16, 0) % 0xffff == sum)
			return;
	}
}

/*
 * struct writing - a packet that is being written
 *
 * @depth: 0 for the packet itself, 1 for what it quotes, 2 for what that quotes
 * @size: of an address here
 * @source, @destination: what a checksum covers, as the wish has them
 * @was_source, @was_destination: and as they are before a translation
 * @will_source, @will_destination: and after it
 */
struct writing {
	const struct wish	*wish;
	struct packet		*packet;
	unsigned int		depth;
	unsigned int		size;
	const u8		*source, *destination;
	const u8		*was_source, *was_destination;
	const u8		*will_source, *will_destination;
};

static unsigned int write_layer(struct writing *w, const u8 *layers, u8 *next, unsigned int at);

/* What a quote was cut behind. */
static unsigned int cut(const struct writing *w, unsigned int end)
{
	return w->wish->limit && w->wish->limit < end ? w->wish->limit : end;
}

/* How many bytes there are from @at on; a quoted packet had all that it says. */
static unsigned int behind(const struct writing *w, unsigned int end, unsigned int at)
{
	if (!w->depth)
		end = cut(w, end);
	return end > at ? end - at : 0;
}

/* The addresses of the packet, or of what it quotes; what that quotes itself stays as it is. */
static const u8 *pair_station(const struct writing *w, bool translated, bool ipv6)
{
	if (!w->depth && w->wish->routed)
		return station(ROUTER, ipv6);
	return station(station_of_pair(w->wish->side, w->depth < 2 && translated), ipv6);
}

static void choose_addresses(struct writing *w, bool ipv6)
{
	bool translated = w->depth ? w->wish->inner : w->wish->outer;
	bool is_source = (w->wish->side == SNAT_SOURCE) == !(w->depth % 2);
	const u8 *pair = pair_station(w, translated, ipv6), *was = pair_station(w, false, ipv6);
	const u8 *will = pair_station(w, true, ipv6), *peer = station(PEER, ipv6);

	w->size = ipv6 ? 16 : 4;
	w->source = is_source ? pair : peer;
	w->was_source = is_source ? was : peer;
	w->will_source = is_source ? will : peer;
	w->destination = is_source ? peer : pair;
	w->was_destination = is_source ? peer : was;
	w->will_destination = is_source ? peer : will;
}

static unsigned int write_ipv4(struct writing *w, const u8 *layers, unsigned int at)
{
	static const u8 options[8] = { 1, 1, 1, 1, 1, 1, 1, 0 };
	u8 *header = w->packet->bytes + at;
	unsigned int size = layers[0] == IP4_OPTIONS ? 28 : 20, end;

	choose_addresses(w, false);
	memset(header, 0, size);
	header[0] = 0x40 | size / 4;
	put16(header + 4, 0x1234);
	if (layers[0] == IP4_FIRST)
		put16(header + 6, 0x2000);
	else if (layers[0] == IP4_LATER)
		put16(header + 6, 0x2003);
	header[8] = 63;
	memcpy(header + 12, w->source, 4);
	memcpy(header + 16, w->destination, 4);
	memcpy(header + 20, options, size - 20);
	if (!w->depth)
		w->packet->fixed = w->packet->needed = size;
	else if (w->depth == 1)
		w->packet->quotable = at + 20;

	end = write_layer(w, layers + 1, header + 9, at + size);
	put16(header + 2, behind(w, end, at));
	put16(header + 10, ~packet_sum(header, size, 0));
	return end;
}

static unsigned int write_ipv6(struct writing *w, const u8 *layers, unsigned int at)
{
	u8 *header = w->packet->bytes + at;
	unsigned int end;

	choose_addresses(w, true);
	memset(header, 0, 40);
	header[0] = 0x60;
	header[7] = 63;
	memcpy(header + 8, w->source, 16);
	memcpy(header + 24, w->destination, 16);
	if (!w->depth)
		w->packet->fixed = w->packet->needed = 40;
	else if (w->depth == 1)
		w->packet->quotable = at + 40;

	end = write_layer(w, layers + 1, header + 6, at + 40);
	put16(header + 4, behind(w, end, at + 40));
	return end;
}

static unsigned int write_ip(struct writing *w, const u8 *layers, unsigned int at)
{
	return layers[0] == IP6 ? write_ipv6(w, layers, at) : write_ipv4(w, layers, at);
}

static void write_extension(struct writing *w, u8 layer, u8 *header)
{
	unsigned int size = headers[layer].size;

	memset(header, 0, size);
	header[1] = layer == AUTH ? size / 4 - 2 : layer == FIRST || layer == LATER ? 0 : size / 8 - 1;
	switch (layer) {
	case HOP:
	case DEST:
		header[2] = 1;
		header[3] = size - 4;
		break;
	case HOME:
		header[2] = 1;
		header[3] = 2;
		header[6] = 201;
		header[7] = 16;
		memcpy(header + 8, elsewhere, 16);
		w->source = w->was_source = w->will_source = elsewhere;
		break;
	case ROUTING_LEFT:
		header[3] = 1;
		w->destination = w->was_destination = w->will_destination = elsewhere;
		fallthrough;
	case ROUTING:
		header[2] = 2;
		memcpy(header + 8, elsewhere, 16);
		break;
	case FIRST:
		put16(header + 2, 1);
		break;
	case LATER:
		put16(header + 2, 24 | 1);
		break;
	}
}

static u16 sum_pseudo(const struct writing *w, const u8 *source, const u8 *destination, u8 protocol,
		      unsigned int length)
{
	return packet_sum(destination, w->size, packet_sum(source, w->size, protocol + length));
}

static void write_check(struct writing *w, u8 layer, unsigned int at, unsigned int end)
{
	const struct header *about = &headers[layer];
	const u8 *source = w->source, *destination = w->destination;
	u8 *header = w->packet->bytes + at, *check = header + about->check;
	bool pseudo = about->pseudo & (w->size == 4 ? IN_IPV4 : IN_IPV6), partial = w->wish->partial && !w->depth;
	bool to_zero = layer == TCP_TO_ZERO || layer == UDP_TO_ZERO;
	unsigned int length = behind(w, end, at);
	u16 sum = 0;

	/* Half of a quoted checksum, or none, stays as it is. */
	if (w->depth && at + about->check + 2 > cut(w, end)) {
		source = w->was_source;
		destination = w->was_destination;
	}
	if (to_zero || layer == TCP_FROM_ZERO || layer == UDP_FROM_ZERO) {
		const u8 *zero_source = to_zero ? w->will_source : w->was_source;
		const u8 *zero_destination = to_zero ? w->will_destination : w->was_destination;

		put16(header + about->size, 0);
		sum = sum_pseudo(w, zero_source, zero_destination, about->protocol, length);
		put16(header + about->size, ~packet_sum(header, length, sum));
	}
	if (pseudo)
		sum = sum_pseudo(w, source, destination, about->protocol, length);
	else
		sum = 0;
	if (!partial)
		sum = ~packet_sum(header, length, sum);
	if (!sum && about->protocol == 17 && !partial)
		sum = 0xffff;
	put16(check, layer == UDP_NONE ? 0 : sum);
}

static unsigned int write_transport(struct writing *w, u8 layer, const u8 *layers, unsigned int at)
{
	const struct header *about = &headers[layer];
	u8 *header = w->packet->bytes + at;
	unsigned int i, end = at + about->size + about->carried;
	bool pseudo = about->pseudo & (w->size == 4 ? IN_IPV4 : IN_IPV6);

	for (i = 0; i < about->size + about->carried; i++)
		header[i] = 11 + 37 * (at + i);
	if (about->check)
		put16(header + about->check, 0);
	if (about->type)
		header[0] = about->type;
	switch (layer) {
	case TCP: case TCP_TO_ZERO: case TCP_FROM_ZERO:
		header[12] = 0x50;
		break;
	case UDP: case UDP_NONE: case UDP_TO_ZERO: case UDP_FROM_ZERO: case UDPLITE:
		put16(header + 4, end - at);
		break;
	case DCCP:
		header[5] = 0;
		break;
	case LOOKALIKE:
		header[8] = w->size == 4 ? 0x45 : 0x60;
		break;
	}
	if (layer == ICMP_ERROR || layer == ICMP6_ERROR) {
		struct writing quoted = { .wish = w->wish, .packet = w->packet, .depth = w->depth + 1 };

		end = write_ip(&quoted, layers + 1, at + about->size);
	}
	if (!w->depth) {
		w->packet->transport = at;
		w->packet->check = about->check ? at + about->check : 0;
		if (pseudo)
			w->packet->needed = at + about->needed;
	}
	if (about->check)
		write_check(w, layer, at, end);
	return end;
}

/* @next: the byte that tells what stands at @at. */
static unsigned int write_layer(struct writing *w, const u8 *layers, u8 *next, unsigned int at)
{
	u8 layer = layers[0], *header = w->packet->bytes + at;
	const struct header *about = &headers[layer];
	unsigned int i;

	*next = about->protocol;
	/* Of a later fragment only data. */
	if (layers[-1] == IP4_LATER) {
		for (i = 0; i < 40; i++)
			header[i] = 5 + 41 * i;
		return at + 40;
	}
	if (layer < HOP || layer > AUTH)
		return write_transport(w, layer, layers, at);

	write_extension(w, layer, header);
	if (!w->depth)
		w->packet->needed = at + 8;
	if (layer != LATER)
		return write_layer(w, layers + 1, header, at + about->size);

	header[0] = 17;
	for (i = 0; i < about->carried; i++)
		header[about->size + i] = 5 + 41 * i;
	return at + about->size + about->carried;
}

void packet_write(const struct wish *wish, struct packet *packet)
{
	struct writing w = { .wish = wish, .packet = packet };

	memset(packet, 0, sizeof(*packet));
	packet->length = write_ip(&w, wish->kind->layers, 0);
	packet->length = cut(&w, packet->length);
}
