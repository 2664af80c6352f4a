// SPDX-License-Identifier: GPL-2.0-or-later
/* Which packet meets which rule where, and what must become of it. */
#include "passages.h"

#include <linux/netfilter.h>

#include "states.h"

/* The three rules that make a gateway, as the tool has them, and their like. */
#define ARRIVE(version)	{ IN(version, "pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("m") }
#define LEAVE(version)	{ IN(version, "post"), .field = SADDR, .flags = UNTRACKED, MAPS("m") }
#define DECIDE(version)	{ IN(version, "pre"), .field = SADDR, .flags = UNTRACK, MAPS("m") }
#define SEND(version)	{ IN(version, "sent"), .field = SADDR, .flags = UNTRACK, MAPS("m") }
#define PLAIN(version)	{ IN(version, "post"), .field = SADDR, MAPS("m") }
#define BORDER(version)	{ IN(version, "pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), ELSE("m"), VIA("out0") }
#define BORDERS_END(version) { IN(version, "post"), .field = SADDR, .flags = UNTRACKED, MAPS("m"), VIA("out0") }

/* And those that pass on. */
#define PASSES(version, ...) { IN(version, "pre"), .field = DADDR, .flags = NOTRACK | FORWARD, __VA_ARGS__ }
#define PASS(version)	PASSES(version, MAPS("r"), ELSE("m"))
#define PASS_BORDER(version) PASSES(version, MAPS("r"), ELSE("m"), VIA("out0"))

#define NPT		{ IN(6, "post"), .field = SADDR, MAPS("p/48!") }
#define LENDING		{ IN(4, "post"), .field = SADDR, .flags = UNTRACKED, MAPS("m"), .errors_as = "198.51.100.9" }

#define FORWARD_IN	NF_INET_PRE_ROUTING, "in0", NULL
#define FORWARD_OUT	NF_INET_POST_ROUTING, "in0", "out0"
#define BACK_IN		NF_INET_PRE_ROUTING, "out0", NULL
#define SENT		NF_INET_LOCAL_OUT, NULL, "out0"
#define ERROR4		"IPv4, error, UDP"
#define ERROR6		"IPv6, error, UDP"
#define UDP4		"IPv4, UDP"
#define UDP6		"IPv6, UDP"
#define INWARD		SNAT_DESTINATION
#define OUTWARD		SNAT_SOURCE

/* A policy of IPsec that lets nothing pass. */
#define FORBID(source, destination, direction)				\
	"ip xfrm policy add src " source " dst " destination " dir " direction " action block"
#define PERMIT "ip xfrm policy flush"

/* What the way to the peer is, but for a device. */
#define WAY(version, type, options)								\
	.setup = "ip -" #version " route add " type " " PEER##version " " options,		\
	.undo = "ip -" #version " route delete " type " " PEER##version
#define PEER4		"203.0.113.10"
#define PEER6		"2001:db8:3::cb00:710a"

/* What the forward chain does. */
#define THROUGH(table, rule)									\
	.setup = "nft add rule " table " t through " rule, .undo = "nft flush chain " table " t through"

const struct passage passages[] = {
	{ "leaves", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided },
	{ "leaves, IPv6", LEAVE(6), UDP6, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided },
	{ "leaves, options, IPv6", LEAVE(6), "IPv6, options, TCP", OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided },
	{ "leaves, not decided", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, LEFT },
	{ "leaves, untracked by others", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, LEFT, .prepare = is_untracked },
	{ "leaves, of no pair", LEAVE(4), UDP4, INWARD, FORWARD_OUT, LEFT, .prepare = is_decided },
	{ "leaves, a hole", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, LEFT, .prepare = is_a_hole },
	{ "leaves, cut", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_MALFORMED, is_cut },
	{ "leaves, cut, IPv6", LEAVE(6), UDP6, OUTWARD, FORWARD_OUT, DROPPED, SNAT_MALFORMED, is_cut },
	{ "leaves, its header too short", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_MALFORMED,
	  claims_a_short_header },
	{ "an error leaves", LEAVE(4), ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_ERROR, is_decided },
	{ "an error leaves, IPv6", LEAVE(6), ERROR6, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_ERROR, is_decided },
	{ "an error leaves, a router's", LEAVE(4), ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_QUOTE, is_decided, true },
	{ "an error leaves, a router's, IPv6", LEAVE(6), ERROR6, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_QUOTE, is_decided,
	  true },
	{ "an error leaves under another name", LENDING, ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_QUOTE, is_decided,
	  true },
	{ "an error leaves, its header too short", LEAVE(4), ERROR4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_MALFORMED,
	  claims_a_short_header },
	{ "an error about others leaves", LEAVE(4), ERROR4, INWARD, FORWARD_OUT, LEFT, .prepare = is_decided },

	{ "is handled without marks", PLAIN(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "has a template", PLAIN(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = has_template },
	{ "is tracked", PLAIN(4), UDP4, OUTWARD, FORWARD_OUT, LEFT, SNAT_TRACKED, is_tracked },
	{ "is tracked, IPv6", PLAIN(6), UDP6, OUTWARD, FORWARD_OUT, LEFT, SNAT_TRACKED, is_tracked },
	{ "is tracked, of no pair", PLAIN(4), UDP4, INWARD, FORWARD_OUT, LEFT, .prepare = is_tracked },
	{ "is tracked, comes again by a VRF", ARRIVE(4), UDP4, INWARD, NF_INET_PRE_ROUTING, "in1", NULL, LEFT,
	  .prepare = is_tracked },
	{ "is for the gateway's own input", { IN(4, "entry"), .field = SADDR, MAPS("m") }, UDP4, OUTWARD,
	  NF_INET_LOCAL_IN, "in0", NULL, TRANSLATED },

	{ "arrives", ARRIVE(4), UDP4, INWARD, BACK_IN, TRANSLATED },
	{ "arrives, IPv6", ARRIVE(6), UDP6, INWARD, BACK_IN, TRANSLATED },
	{ "arrives, with a route", ARRIVE(4), UDP4, INWARD, BACK_IN, TRANSLATED, .prepare = has_route },
	{ "arrives, for many", ARRIVE(4), UDP4, INWARD, BACK_IN, LEFT, .prepare = to_many },
	{ "arrives, a bridge's", ARRIVE(4), UDP4, INWARD, NF_INET_PRE_ROUTING, "br0", NULL, LEFT, .prepare = is_bridged },
	{ "an error arrives", ARRIVE(4), ERROR4, INWARD, BACK_IN, TRANSLATED, SNAT_ERROR },
	{ "an error arrives, IPv6", ARRIVE(6), ERROR6, INWARD, BACK_IN, TRANSLATED, SNAT_ERROR },
	{ "an error arrives, with a route", ARRIVE(4), ERROR4, INWARD, BACK_IN, TRANSLATED, SNAT_ERROR, has_route },
	{ "an error arrives, for many", ARRIVE(4), ERROR4, INWARD, BACK_IN, LEFT, .prepare = to_many },
	{ "an error arrives, for many, IPv6", ARRIVE(6), ERROR6, INWARD, BACK_IN, LEFT, .prepare = to_many },
	{ "what looks like an error arrives", ARRIVE(4), "IPv4, unknown, written like an error", INWARD, BACK_IN, TRANSLATED },
	{ "what looks like an error arrives, IPv6", ARRIVE(6), "IPv6, unknown, written like an error", INWARD, BACK_IN,
	  TRANSLATED },
	{ "an error arrives for a router", ARRIVE(4), ERROR4, INWARD, BACK_IN, TRANSLATED, SNAT_QUOTE, .routed = true },

	{ "is decided about", DECIDE(4), UDP4, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, IPv6", DECIDE(6), UDP6, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about behind else", ARRIVE(4), UDP4, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about behind else, IPv6", ARRIVE(6), UDP6, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, an error", DECIDE(4), ERROR4, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, an error behind else", ARRIVE(4), ERROR4, OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, a router's error", ARRIVE(4), ERROR4, OUTWARD, FORWARD_IN, MARKED, .routed = true },
	{ "is decided about, of no pair", DECIDE(4), UDP4, INWARD, BACK_IN, LEFT },
	{ "is decided about, for the gateway", DECIDE(4), UDP4, OUTWARD, FORWARD_IN, LEFT, SNAT_LOCAL, to_the_gateway },
	{ "is decided about, for the gateway of before", DECIDE(4), UDP4, OUTWARD, FORWARD_IN, LEFT, SNAT_LOCAL,
	  to_the_gateway_of_before },
	{ "is decided about, for the gateway, IPv6", DECIDE(6), UDP6, OUTWARD, FORWARD_IN, LEFT, SNAT_LOCAL,
	  to_the_gateway },
	{ "is decided about, for many", DECIDE(4), UDP4, OUTWARD, FORWARD_IN, LEFT, .prepare = to_many },
	{ "is decided about, for the link", DECIDE(4), UDP4, OUTWARD, FORWARD_IN, LEFT, .prepare = to_the_link },
	{ "is decided about, for many, IPv6", DECIDE(6), UDP6, OUTWARD, FORWARD_IN, LEFT, .prepare = to_many },
	{ "is decided about, for the link, IPv6", DECIDE(6), UDP6, OUTWARD, FORWARD_IN, LEFT, .prepare = to_the_link },
	{ "is decided about, a solicitation", DECIDE(6), "IPv6, echo", OUTWARD, FORWARD_IN, LEFT, .prepare = solicits },
	{ "is decided about, exempt", { IN(4, "pre"), .flags = UNTRACK, MAPS("m"), UNLESS("203.0.113.0/24") }, UDP4, OUTWARD,
	  FORWARD_IN, LEFT, SNAT_EXEMPT },
	{ "is decided about, exempt, IPv6", { IN(6, "pre"), .flags = UNTRACK, MAPS("m"), UNLESS("2001:db8:3::/48") }, UDP6,
	  OUTWARD, FORWARD_IN, LEFT, SNAT_EXEMPT },
	{ "is decided about, not exempt", { IN(4, "pre"), .flags = UNTRACK, MAPS("m"), UNLESS("203.0.0.0/24") }, UDP4,
	  OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, only there", { IN(4, "pre"), .flags = UNTRACK, MAPS("m"), ONLY("203.0.113.0/24") }, UDP4,
	  OUTWARD, FORWARD_IN, MARKED },
	{ "is decided about, only elsewhere", { IN(4, "pre"), .flags = UNTRACK, MAPS("m"), ONLY("192.0.2.0/24") }, UDP4,
	  OUTWARD, FORWARD_IN, LEFT, SNAT_EXEMPT },
	{ "loses its entry", { IN(4, "pre"), .flags = UNTRACK | TRACKED, MAPS("m") }, UDP4, OUTWARD, FORWARD_IN, MARKED,
	  .prepare = is_tracked },
	{ "is for the bridge", DECIDE(4), UDP4, OUTWARD, NF_INET_PRE_ROUTING, "br0", NULL, MARKED,
	  .prepare = is_for_the_bridge },

	{ "is sent", SEND(4), UDP4, OUTWARD, SENT, MARKED },
	{ "is sent, IPv6", SEND(6), UDP6, OUTWARD, SENT, MARKED },
	{ "is sent, a copy", SEND(4), UDP4, OUTWARD, SENT, LEFT, .prepare = is_untracked },
	{ "is sent to a VRF", SEND(4), UDP4, OUTWARD, NF_INET_LOCAL_OUT, NULL, "vrf0", MARKED, .prepare = is_untracked },
	{ "is sent to many", SEND(4), UDP4, OUTWARD, SENT, LEFT, .prepare = to_many },
	{ "is sent to the gateway", SEND(4), UDP4, OUTWARD, SENT, LEFT, SNAT_LOCAL, to_the_gateway },
	{ "is sent, exempt", { IN(4, "sent"), .flags = UNTRACK, MAPS("m"), UNLESS("203.0.113.0/24") }, UDP4, OUTWARD, SENT,
	  LEFT, SNAT_EXEMPT },

	{ "crosses the border", BORDER(4), UDP4, INWARD, BACK_IN, TRANSLATED },
	{ "crosses the border, IPv6", BORDER(6), UDP6, INWARD, BACK_IN, TRANSLATED },
	{ "crosses the border twice", BORDER(4), UDP4, INWARD, BACK_IN, LEFT, .prepare = is_decided_anywhere },
	{ "comes by another interface", BORDER(4), UDP4, INWARD, FORWARD_IN, LEFT, SNAT_BORDER },
	{ "comes by another interface, an error", BORDER(4), ERROR4, INWARD, FORWARD_IN, LEFT, SNAT_BORDER },
	{ "leads to the border", BORDER(4), UDP4, OUTWARD, FORWARD_IN, MARKED },
	{ "leads to the border, IPv6", BORDER(6), UDP6, OUTWARD, FORWARD_IN, MARKED },
	{ "leads to the border, with a mark", BORDER(4), UDP4, OUTWARD, FORWARD_IN, MARKED, .prepare = is_marked },
	{ "leads to the border, is marked later", BORDER(4), UDP4, OUTWARD, FORWARD_IN, MARKED, .prepare = is_marked_later },
	{ "leads to the border, by a route", BORDER(4), UDP4, OUTWARD, FORWARD_IN, MARKED, .prepare = has_route },
	{ "leads elsewhere", { IN(4, "pre"), .flags = UNTRACK, MAPS("m"), VIA("in0", "ppp*") }, UDP4, OUTWARD, FORWARD_IN,
	  LEFT, SNAT_BORDER },
	{ "leads nowhere", BORDER(4), UDP4, OUTWARD, FORWARD_IN, LEFT, SNAT_BORDER, to_nowhere },
	{ "is sent elsewhere", { IN(4, "sent"), .flags = UNTRACK, MAPS("m"), VIA("in0") }, UDP4, OUTWARD, SENT, LEFT,
	  SNAT_BORDER },
	{ "leaves by the border", BORDERS_END(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided },
	{ "leaves by the border, IPv6", BORDERS_END(6), UDP6, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided },
	{ "leaves by another interface", BORDERS_END(4), UDP4, OUTWARD, NF_INET_POST_ROUTING, "in0", "in0", LEFT,
	  .prepare = is_decided },
	{ "leaves by another interface after all", BORDERS_END(4), UDP4, OUTWARD, NF_INET_POST_ROUTING, "in0", "in0", LEFT,
	  .prepare = is_marked },
	{ "leaves by any interface", BORDERS_END(4), UDP4, OUTWARD, NF_INET_POST_ROUTING, "in0", "in0", TRANSLATED,
	  .prepare = is_decided_anywhere },
	{ "leaves by the border after all", BORDERS_END(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_marked },
	{ "leaves by the border after all, an error", BORDERS_END(4), ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_QUOTE,
	  is_marked, true },
	{ "leaves by the border, sent", BORDERS_END(4), UDP4, OUTWARD, NF_INET_POST_ROUTING, NULL, "out0", LEFT,
	  .prepare = is_marked },

	{ "is followed in", { IN(4, "pre"), .field = DADDR, .flags = FOLLOW, MAPS("r"), ELSE("m") }, UDP4, INWARD, BACK_IN,
	  TRANSLATED, .prepare = is_tracked },
	{ "is followed out", { IN(4, "pre"), .flags = FOLLOW, MAPS("m") }, UDP4, OUTWARD, FORWARD_IN, MARKED,
	  .prepare = is_tracked },
	{ "is followed", { IN(4, "post"), .flags = FOLLOWED, MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT, TRANSLATED,
	  .prepare = is_decided },
	{ "is followed, not decided", { IN(4, "post"), .flags = FOLLOWED, MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT, LEFT,
	  .prepare = is_tracked },
	{ "is followed, renamed", { IN(4, "post"), .flags = FOLLOWED, MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT, TRANSLATED,
	  .prepare = is_renamed },
	{ "is followed, renamed, of no pair", { IN(4, "post"), .flags = FOLLOWED, MAPS("m") }, UDP4, INWARD, FORWARD_OUT,
	  LEFT, .prepare = is_renamed },
	{ "is followed, by a bridge", { IN(4, "post"), .flags = FOLLOWED, MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT,
	  TRANSLATED, .prepare = follows_and_leaves_routed },
	{ "is only told", { IN(4, "post"), .flags = FOLLOW | FOLLOWED, MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT, LEFT,
	  .prepare = is_decided },
	{ "leaves bridged", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, LEFT, .prepare = leaves_bridged },
	{ "leaves bridged, IPv6", LEAVE(6), UDP6, OUTWARD, FORWARD_OUT, LEFT, .prepare = leaves_bridged },
	{ "leaves routed", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = leaves_routed },
	{ "a station of a bridge is", DECIDE(4), UDP4, OUTWARD, NF_INET_PRE_ROUTING, "br0", NULL, MARKED,
	  .prepare = is_for_another_of_the_bridge },

	{ "redirects", PLAIN(4), ERROR4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_REDIRECT, is_a_redirect },
	{ "redirects, IPv6", PLAIN(6), ERROR6, OUTWARD, FORWARD_OUT, DROPPED, SNAT_REDIRECT, is_a_redirect },
	{ "redirects others", PLAIN(4), ERROR4, INWARD, FORWARD_OUT, LEFT, .prepare = is_a_redirect },
	{ "redirects others, IPv6", PLAIN(6), ERROR6, INWARD, FORWARD_OUT, LEFT, .prepare = is_a_redirect },

	{ "has a prefix", { IN(4, "post"), MAPS("p/24") }, UDP4, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "has a prefix, arrives", { IN(4, "pre"), .field = DADDR, MAPS("o/24") }, UDP4, INWARD, BACK_IN, TRANSLATED },
	{ "has a prefix, an error", { IN(4, "post"), MAPS("p/24") }, ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_ERROR },
	{ "has a prefix, the gateway's", { IN(4, "post"), MAPS("p/24") }, UDP4, OUTWARD, FORWARD_OUT, LEFT,
	  .prepare = from_the_gateway },
	{ "has a prefix, the gateway's error", { IN(4, "post"), MAPS("p/24") }, ERROR4, OUTWARD, FORWARD_OUT, TRANSLATED,
	  SNAT_QUOTE, .routed = true },
	{ "has a prefix within", { IN(4, "post"), MAPS("p/24@10.0.0.0/24") }, UDP4, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "has a prefix, not within", { IN(4, "post"), MAPS("p/24@10.9.0.0/16") }, UDP4, OUTWARD, FORWARD_OUT, LEFT },
	{ "is in the second map", { IN(4, "post"), MAPS("p/24@10.9.0.0/16", "m") }, UDP4, OUTWARD, FORWARD_OUT,
	  TRANSLATED },

	{ "npt", NPT, UDP6, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "npt of the longest prefix", { IN(6, "post"), MAPS("p/64!") }, UDP6, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "npt, an error", NPT, ERROR6, OUTWARD, FORWARD_OUT, TRANSLATED, SNAT_ERROR },
	{ "npt, no counterpart", NPT, UDP6, OUTWARD, FORWARD_OUT, DROPPED, SNAT_NO_COUNTERPART, from_the_last_subnet },
	{ "npt, no counterpart of an error", NPT, ERROR6, OUTWARD, FORWARD_OUT, DROPPED, SNAT_NO_COUNTERPART,
	  from_the_last_subnet },
	{ "npt, no identifier", { IN(6, "post"), MAPS("p/64!") }, UDP6, OUTWARD, FORWARD_OUT, DROPPED, SNAT_NO_COUNTERPART,
	  from_the_subnet_itself },
	{ "npt, nothing to adjust", { IN(6, "post"), MAPS("p/64!") }, UDP6, OUTWARD, FORWARD_OUT, DROPPED,
	  SNAT_NO_COUNTERPART, from_the_last_identifier },

	{ "IPsec lets it in", ARRIVE(4), UDP4, INWARD, BACK_IN, TRANSLATED, .setup = FORBID("192.0.2.9", "192.0.2.8", "fwd"),
	  .undo = PERMIT },
	{ "IPsec lets it in, IPv6", ARRIVE(6), UDP6, INWARD, BACK_IN, TRANSLATED,
	  .setup = FORBID("2001:db8:8::", "2001:db8:9::", "fwd"), .undo = PERMIT },
	{ "IPsec keeps it out", ARRIVE(4), UDP4, INWARD, BACK_IN, DROPPED, SNAT_POLICY,
	  .setup = FORBID("203.0.113.10", "198.51.100.2", "fwd"), .undo = PERMIT },
	{ "IPsec keeps an error out", ARRIVE(4), ERROR4, INWARD, BACK_IN, DROPPED, SNAT_POLICY,
	  .setup = FORBID("203.0.113.10", "198.51.100.2", "fwd"), .undo = PERMIT },
	{ "IPsec lets it go", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided_and_routed,
	  .setup = FORBID("192.0.2.9", "192.0.2.8", "out"), .undo = PERMIT },
	{ "IPsec lets it go, IPv6", LEAVE(6), UDP6, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = is_decided_and_routed,
	  .setup = FORBID("192.0.2.9", "192.0.2.8", "out"), .undo = PERMIT },
	{ "IPsec holds it", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_POLICY, is_decided_and_routed,
	  .setup = FORBID("198.51.100.2", "203.0.113.10", "out"), .undo = PERMIT },
	{ "IPsec holds an error", LEAVE(4), ERROR4, OUTWARD, FORWARD_OUT, DROPPED, SNAT_POLICY, is_decided_and_routed,
	  .setup = FORBID("198.51.100.2", "203.0.113.10", "out"), .undo = PERMIT },
	{ "IPsec has sent it", LEAVE(4), UDP4, OUTWARD, FORWARD_OUT, TRANSLATED, .prepare = was_transformed,
	  .setup = FORBID("198.51.100.2", "203.0.113.10", "out"), .undo = PERMIT },
	{ "IPsec is not asked in input", { IN(4, "entry"), .field = SADDR, MAPS("m") }, UDP4, OUTWARD, NF_INET_LOCAL_IN, "in0",
	  NULL, TRANSLATED, .setup = FORBID("198.51.100.2", "203.0.113.10", "out"), .undo = PERMIT },

	{ "inet", { INET("post"), MAPS("m") }, UDP4, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "inet, IPv6", { INET("post"), MAPS("m6") }, UDP6, OUTWARD, FORWARD_OUT, TRANSLATED },
	{ "inet, the other family", { INET("post"), MAPS("m") }, UDP6, OUTWARD, FORWARD_OUT, LEFT },
	{ "inet, a border", { INET("pre"), .field = DADDR, .flags = NOTRACK, MAPS("r"), VIA("out0") }, UDP4, INWARD,
	  BACK_IN, TRANSLATED },

	{ "is passed on", PASS(4), UDP4, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	/* Now that the route is kept, it is the room in front of it that there is no memory for. */
	{ "is not passed on, without memory", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, meets_no_memory },
	{ "is not passed on, without memory, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  meets_no_memory },
	{ "is passed on, TCP, IPv6", PASS(6), "IPv6, TCP", OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on inwards", PASS(4), UDP4, INWARD, BACK_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on inwards, IPv6", PASS(6), UDP6, INWARD, BACK_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on, a prefix", PASSES(4, MAPS("o/24"), ELSE("p/24")), UDP4, OUTWARD, FORWARD_IN, PASSED_ON,
	  SNAT_SHORTCUT },
	{ "is passed on inwards, a prefix", PASSES(4, MAPS("o/24"), ELSE("p/24")), UDP4, INWARD, BACK_IN, PASSED_ON,
	  SNAT_SHORTCUT },
	{ "is passed on, npt", PASSES(6, MAPS("o/48!"), ELSE("p/48!")), UDP6, OUTWARD, FORWARD_IN, PASSED_ON,
	  SNAT_SHORTCUT },
	{ "is passed on, npt, no counterpart", PASSES(6, MAPS("o/48!"), ELSE("p/48!")), UDP6, OUTWARD, FORWARD_IN, AGED,
	  SNAT_DETOUR, from_the_last_subnet },
	{ "is passed on, cut", PASS(4), UDP4, OUTWARD, FORWARD_IN, AGED, SNAT_DETOUR, is_cut },
	{ "is passed on inwards, cut", PASS(4), UDP4, INWARD, BACK_IN, DROPPED, SNAT_MALFORMED, is_cut },
	{ "is passed on over the border", PASS_BORDER(4), UDP4, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on over the border, IPv6", PASS_BORDER(6), UDP6, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on over the border, marked", PASS_BORDER(4), UDP4, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT,
	  is_marked },
	{ "is passed on inwards over the border", PASS_BORDER(4), UDP4, INWARD, BACK_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on by no border", PASS_BORDER(4), UDP4, INWARD, FORWARD_IN, LEFT, SNAT_BORDER },
	{ "is passed on, inet", { INET("pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r"), ELSE("m") }, UDP4,
	  OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on, inet, IPv6", { INET("pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r6"), ELSE("m6") },
	  UDP6, INWARD, BACK_IN, PASSED_ON, SNAT_SHORTCUT },
	{ "is passed on, inet, the other family", { INET("pre"), .field = DADDR, .flags = NOTRACK | FORWARD, MAPS("r6"),
	  ELSE("m6") }, UDP4, OUTWARD, FORWARD_IN, LEFT },
	{ "is passed on, segments that fit", PASS(4), "IPv4, TCP", OUTWARD, FORWARD_IN, PASSED_ON, SNAT_SHORTCUT,
	  is_of_segments, WAY(4, "", "dev out0 mtu 50") },
	{ "the forward chain drops it", PASS(4), UDP4, OUTWARD, FORWARD_IN, TAKEN, THROUGH("ip", "drop") },
	{ "the forward chain drops it, IPv6", PASS(6), UDP6, INWARD, BACK_IN, TAKEN, THROUGH("ip6", "drop") },
	{ "the forward chain gives it another source", PASS(4), UDP4, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_DETOUR,
	  THROUGH("ip", "ip saddr set 198.51.100.2") },
	{ "the forward chain gives it another source, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, PASSED_ON, SNAT_DETOUR,
	  THROUGH("ip6", "ip6 saddr set 2001:db8:1::c633:6402") },
	{ "a program gives it back", PASS(4), UDP4, OUTWARD, FORWARD_IN, AGED, .prepare = is_given_to_a_program },
	{ "a program gives it back, IPv6", PASS(6), UDP6, INWARD, BACK_IN, PASSED_ON, .prepare = is_given_to_a_program },

	{ "is not passed on, of no pair", PASS(4), UDP4, OUTWARD, FORWARD_IN, LEFT, .prepare = from_the_gateway },
	{ "is not passed on, for the gateway", PASS(4), UDP4, OUTWARD, FORWARD_IN, LEFT, SNAT_LOCAL, to_the_gateway },
	{ "is not passed on, an error", PASS(4), ERROR4, OUTWARD, FORWARD_IN, MARKED },
	{ "is not passed on, options", PASS(4), "IPv4, options, UDP", OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR },
	{ "is not passed on, options, IPv6", PASS(6), "IPv6, options, TCP", OUTWARD, FORWARD_IN, MARKED },
	{ "is not passed on, a first fragment", PASS(4), "IPv4, first fragment, UDP", OUTWARD, FORWARD_IN, MARKED,
	  SNAT_DETOUR },
	{ "is not passed on, a later fragment", PASS(4), "IPv4, later fragment, UDP", INWARD, BACK_IN, TRANSLATED,
	  SNAT_DETOUR },
	{ "is not passed on, of fragments", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, was_in_pieces },
	{ "is not passed on, of fragments, IPv6", PASS(6), UDP6, INWARD, BACK_IN, TRANSLATED, SNAT_DETOUR, was_in_pieces },
	{ "is not passed on, at its end", PASS(4), UDP4, INWARD, BACK_IN, TRANSLATED, SNAT_DETOUR, has_one_hop_left },
	{ "is not passed on, at its end, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, has_one_hop_left },
	{ "is not passed on, from ::/32", PASS(6), UDP6, INWARD, BACK_IN, TRANSLATED, SNAT_DETOUR, from_zeros },
	{ "is not passed on, forwarded before", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, was_forwarded },
	{ "is not passed on, forwarded before, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  was_forwarded },
	{ "is not passed on, for another host", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, is_for_another_host },
	{ "is not passed on, of a socket", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, has_socket },
	{ "is not passed on, traced", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, is_traced },
	{ "is not passed on, of a bridge", PASS(4), UDP4, OUTWARD, NF_INET_PRE_ROUTING, "br0", NULL, MARKED, SNAT_DETOUR,
	  is_for_the_bridge },
	{ "is not passed on, of a VRF", PASS(4), UDP4, OUTWARD, NF_INET_PRE_ROUTING, "in1", NULL, MARKED, SNAT_DETOUR },
	{ "is not passed on, put together", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, is_put_together },
	{ "is not passed on, IPsec's", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, was_protected },
	{ "is not passed on beside IPsec", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  .setup = FORBID("192.0.2.9", "192.0.2.8", "fwd"), .undo = PERMIT },
	{ "is not passed on, of two pairs", PASS(6), UDP6, INWARD, BACK_IN, TRANSLATED, SNAT_DETOUR, from_another_pair },
	{ "is not passed on, of a pair and a hole", PASS(4), UDP4, INWARD, BACK_IN, TRANSLATED, SNAT_DETOUR,
	  from_another_pair },
	{ "is not passed on, with a route", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, has_route },
	{ "is not passed on, to nowhere", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, to_nowhere },
	{ "is not passed on, a black hole", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(4, "blackhole", "") },
	{ "is not passed on, forbidden", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, WAY(4, "prohibit", "") },
	{ "is not passed on, forbidden, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(6, "prohibit", "") },
	{ "is not passed on, a broadcast", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(4, "broadcast", "dev out0") },
	{ "is not passed on, back", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, WAY(4, "", "dev in0") },
	{ "is not passed on, to a VRF", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR, WAY(4, "", "dev in1") },
	{ "is not passed on, too long", PASS(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(4, "", "dev out0 mtu 40") },
	{ "is not passed on, too long, IPv6", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(6, "", "dev out0 mtu 50") },
	{ "is not passed on, segments too long", PASS(4), "IPv4, TCP", OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  is_of_segments, WAY(4, "", "dev out0 mtu 44") },
	{ "is not passed on, too long at the border", PASS_BORDER(4), UDP4, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  WAY(4, "", "dev out0 mtu 40") },
	{ "is not passed on by a host", PASS(6), UDP6, OUTWARD, FORWARD_IN, MARKED, SNAT_DETOUR,
	  .setup = "sysctl -qw net.ipv6.conf.all.forwarding=0", .undo = "sysctl -qw net.ipv6.conf.all.forwarding=1" },
};
const unsigned int passage_count = ARRAY_SIZE(passages);
