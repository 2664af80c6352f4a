// SPDX-License-Identifier: GPL-2.0-or-later
/* Which kinds of packets there are. */
#include "kinds.h"

#include <kunit/test.h>
#include <linux/string.h>

const struct kind kinds[] = {
	{ "IPv4, TCP",				{ IP4, TCP } },
	{ "IPv4, options, TCP",			{ IP4_OPTIONS, TCP } },
	{ "IPv4, TCP whose sum becomes 0",	{ IP4, TCP_TO_ZERO } },
	{ "IPv4, TCP whose sum was 0",		{ IP4, TCP_FROM_ZERO } },
	{ "IPv4, UDP",				{ IP4, UDP } },
	{ "IPv4, options, UDP",			{ IP4_OPTIONS, UDP } },
	{ "IPv4, UDP without a checksum",	{ IP4, UDP_NONE } },
	{ "IPv4, UDP whose sum becomes 0",	{ IP4, UDP_TO_ZERO } },
	{ "IPv4, UDP whose sum was 0",		{ IP4, UDP_FROM_ZERO } },
	{ "IPv4, UDP-Lite",			{ IP4, UDPLITE } },
	{ "IPv4, DCCP",				{ IP4, DCCP } },
	{ "IPv4, HIP",				{ IP4, HIP } },
	{ "IPv4, SCTP",				{ IP4, SCTP } },
	{ "IPv4, GRE",				{ IP4, GRE } },
	{ "IPv4, ESP",				{ IP4, ESP } },
	{ "IPv4, unknown",			{ IP4, UNKNOWN } },
	{ "IPv4, unknown, written like an error", { IP4, LOOKALIKE } },
	{ "IPv4, OSPF",				{ IP4, OSPF } },
	{ "IPv4, echo",				{ IP4, ICMP } },
	{ "IPv4, first fragment, UDP",		{ IP4_FIRST, UDP } },
	{ "IPv4, first fragment, echo",		{ IP4_FIRST, ICMP } },
	{ "IPv4, later fragment, UDP",		{ IP4_LATER, UDP } },
	{ "IPv4, later fragment, TCP",		{ IP4_LATER, TCP } },
	{ "IPv4, later fragment, ICMP",		{ IP4_LATER, ICMP } },
	{ "IPv4, error, UDP",			{ IP4, ICMP_ERROR, IP4, UDP } },
	{ "IPv4, error, TCP",			{ IP4, ICMP_ERROR, IP4, TCP } },
	{ "IPv4, options, error, TCP",		{ IP4_OPTIONS, ICMP_ERROR, IP4, TCP } },
	{ "IPv4, error, options, TCP",		{ IP4, ICMP_ERROR, IP4_OPTIONS, TCP } },
	{ "IPv4, error, options, UDP",		{ IP4_OPTIONS, ICMP_ERROR, IP4_OPTIONS, UDP } },
	{ "IPv4, error, UDP without a checksum", { IP4, ICMP_ERROR, IP4, UDP_NONE } },
	{ "IPv4, error, UDP whose sum becomes 0", { IP4, ICMP_ERROR, IP4, UDP_TO_ZERO } },
	{ "IPv4, error, SCTP",			{ IP4, ICMP_ERROR, IP4, SCTP } },
	{ "IPv4, error, DCCP",			{ IP4, ICMP_ERROR, IP4, DCCP } },
	{ "IPv4, error, echo",			{ IP4, ICMP_ERROR, IP4, ICMP } },
	{ "IPv4, error, GRE",			{ IP4, ICMP_ERROR, IP4, GRE } },
	{ "IPv4, error, first fragment",	{ IP4, ICMP_ERROR, IP4_FIRST, UDP } },
	{ "IPv4, error, later fragment",	{ IP4, ICMP_ERROR, IP4_LATER, UDP } },
	{ "IPv4, error, error, UDP",		{ IP4, ICMP_ERROR, IP4, ICMP_ERROR, IP4, UDP } },
	{ "IPv6, TCP",				{ IP6, TCP } },
	{ "IPv6, TCP whose sum becomes 0",	{ IP6, TCP_TO_ZERO } },
	{ "IPv6, TCP whose sum was 0",		{ IP6, TCP_FROM_ZERO } },
	{ "IPv6, UDP",				{ IP6, UDP } },
	{ "IPv6, UDP whose sum becomes 0",	{ IP6, UDP_TO_ZERO } },
	{ "IPv6, UDP whose sum was 0",		{ IP6, UDP_FROM_ZERO } },
	{ "IPv6, UDP without a checksum",	{ IP6, UDP_NONE } },
	{ "IPv6, UDP-Lite",			{ IP6, UDPLITE } },
	{ "IPv6, DCCP",				{ IP6, DCCP } },
	{ "IPv6, HIP",				{ IP6, HIP } },
	{ "IPv6, OSPF",				{ IP6, OSPF } },
	{ "IPv6, PIM",				{ IP6, PIM } },
	{ "IPv6, VRRP",				{ IP6, VRRP } },
	{ "IPv6, mobility",			{ IP6, MOBILITY } },
	{ "IPv6, SCTP",				{ IP6, SCTP } },
	{ "IPv6, GRE",				{ IP6, GRE } },
	{ "IPv6, ESP",				{ IP6, ESP } },
	{ "IPv6, unknown",			{ IP6, UNKNOWN } },
	{ "IPv6, unknown, written like an error", { IP6, LOOKALIKE } },
	{ "IPv6, nothing",			{ IP6, NOTHING } },
	{ "IPv6, options, nothing",		{ IP6, DEST, NOTHING } },
	{ "IPv6, echo",				{ IP6, ICMP6 } },
	{ "IPv6, hop by hop, UDP",		{ IP6, HOP, UDP } },
	{ "IPv6, options, TCP",			{ IP6, DEST, TCP } },
	{ "IPv6, all of them, UDP",		{ IP6, HOP, DEST, ROUTING, FIRST, AUTH, DEST, UDP } },
	{ "IPv6, routing, TCP",			{ IP6, ROUTING, TCP } },
	{ "IPv6, routing that goes on, TCP",	{ IP6, ROUTING_LEFT, TCP } },
	{ "IPv6, a mobile node's home, UDP",	{ IP6, HOME, UDP } },
	{ "IPv6, home and way, UDP",		{ IP6, ROUTING_LEFT, HOME, UDP } },
	{ "IPv6, authenticated, TCP",		{ IP6, AUTH, TCP } },
	{ "IPv6, options, SCTP",		{ IP6, DEST, SCTP } },
	{ "IPv6, first fragment, UDP",		{ IP6, FIRST, UDP } },
	{ "IPv6, later fragment",		{ IP6, LATER } },
	{ "IPv6, options, later fragment",	{ IP6, HOP, LATER } },
	{ "IPv6, error, UDP",			{ IP6, ICMP6_ERROR, IP6, UDP } },
	{ "IPv6, error, TCP",			{ IP6, ICMP6_ERROR, IP6, TCP } },
	{ "IPv6, options, error, UDP",		{ IP6, DEST, ICMP6_ERROR, IP6, UDP } },
	{ "IPv6, routing, error, options, TCP",	{ IP6, ROUTING_LEFT, ICMP6_ERROR, IP6, DEST, TCP } },
	{ "IPv6, home, error, options, TCP",	{ IP6, HOME, ICMP6_ERROR, IP6, HOP, TCP } },
	{ "IPv6, error, home, UDP",		{ IP6, ICMP6_ERROR, IP6, HOME, UDP } },
	{ "IPv6, error, routing, UDP",		{ IP6, ICMP6_ERROR, IP6, ROUTING_LEFT, UDP } },
	{ "IPv6, error, UDP without a checksum", { IP6, ICMP6_ERROR, IP6, UDP_NONE } },
	{ "IPv6, error, UDP whose sum becomes 0", { IP6, ICMP6_ERROR, IP6, UDP_TO_ZERO } },
	{ "IPv6, error, echo",			{ IP6, ICMP6_ERROR, IP6, ICMP6 } },
	{ "IPv6, error, mobility",		{ IP6, ICMP6_ERROR, IP6, MOBILITY } },
	{ "IPv6, error, SCTP",			{ IP6, ICMP6_ERROR, IP6, SCTP } },
	{ "IPv6, error, ESP",			{ IP6, ICMP6_ERROR, IP6, ESP } },
	{ "IPv6, error, first fragment",	{ IP6, ICMP6_ERROR, IP6, FIRST, UDP } },
	{ "IPv6, error, later fragment",	{ IP6, ICMP6_ERROR, IP6, LATER } },
	{ "IPv6, error, error, UDP",		{ IP6, ICMP6_ERROR, IP6, ICMP6_ERROR, IP6, UDP } },
};
const unsigned int kind_count = ARRAY_SIZE(kinds);

const struct kind *kind_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < kind_count; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const void *kind_next(const void *before, char *text)
{
	const struct kind *kind = before ? (const struct kind *)before + 1 : kinds;

	if (kind == kinds + kind_count)
		return NULL;
	strscpy(text, kind->name, KUNIT_PARAM_DESC_SIZE);
	return kind;
}

bool kind_is_ipv6(const struct kind *kind)
{
	return kind->layers[0] == IP6;
}

bool kind_may_be_partial(const struct kind *kind)
{
	switch (kind->layers[1]) {
	case TCP: case UDP: case ICMP: case ICMP_ERROR: case ICMP6: case ICMP6_ERROR:
		return kind->layers[0] != IP4_FIRST && kind->layers[0] != IP4_LATER;
	default:
		return false;
	}
}
