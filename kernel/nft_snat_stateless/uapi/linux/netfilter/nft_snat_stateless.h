/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The binary interface of the nftables expression "snat_stateless", and its manual. */
#ifndef _UAPI_LINUX_NETFILTER_NFT_SNAT_STATELESS_H
#define _UAPI_LINUX_NETFILTER_NFT_SNAT_STATELESS_H

/*
 * Written the way nft(8) writes a statement:
 *
 *	snat_stateless {saddr | daddr} map MAP [, MAP]...
 *		[notrack | untrack] [untracked | tracked] | [follow] [followed]
 *		[else saddr map MAP [, MAP]... {untrack | follow}]
 *		[{unless | only} daddr PREFIX [, PREFIX]...]
 *		[via INTERFACE [, INTERFACE]...] [forward] [errors as ADDRESS]
 *	MAP := @NAME [prefix LEN [npt]] [within PREFIX]
 *
 * What it does to one packet
 * --------------------------
 *
 * The packet's source (saddr) or destination (daddr) address is looked up in
 * the maps, in the order given; the first that has it ends the search.  A map
 * with `prefix LEN` is asked for the leading LEN bits, the rest being zero,
 * and only these are replaced by those of its data; so longer prefixes belong
 * before shorter ones.  An element whose data equals its key is a hole: what
 * it covers has no pair, whatever later maps say.
 *
 * A map with `within PREFIX` is not asked for an address outside of PREFIX, as
 * if it did not have it: a comparison instead of a lookup.
 *
 * A hit replaces the address and repairs, incrementally (RFC 1624), every
 * checksum that covers it: the IPv4 header's, TCP's, UDP's (RFC 768: 0
 * stays 0, a computed 0 is sent as 0xffff), UDP-Lite's (RFC 3828), DCCP's
 * (RFC 4340), HIP's (RFC 7401), and over IPv6 those of ICMPv6 (RFC 4443), OSPF
 * (RFC 5340), PIM (RFC 7761), VRRP (RFC 9568) and mobility (RFC 6275).  IPv4
 * options and IPv6 extension headers are walked; a checksum over the final
 * destination of a routing header (RFC 8200, 8.1), or over the home address of
 * a mobile node (RFC 6275, 11.3.1), does not follow another one.  A fragment
 * other than the first has no transport header, so only its address and IPv4
 * header checksum change.
 *
 * An ICMP error (RFC 792 types 3, 4, 11 and 12; RFC 4443 types 1 to 4)
 * quotes a packet that went the other way: saddr also looks up the quoted
 * destination, daddr the quoted source, whether or not the outer address has a
 * pair (RFC 5508, REQ-4, 5 and 7).  The quoted IPv4 header checksum, the
 * quoted transport checksum where the quote is long enough to hold it, and the
 * ICMP checksum follow.
 *
 * With `npt` the translation is checksum-neutral (RFC 6296): beside the prefix
 * one other word of the address changes, so that no checksum has to.  That is
 * bits 48 to 63 for a LEN up to 48 (3.4), else the first of the four words of
 * the interface identifier that is not 0xffff (3.5); a computed 0xffff is
 * written as 0.  Some addresses have no counterpart: the packet is dropped, and
 * its sender told by
 *	Destination Unreachable, code 3		subnet 0xffff, LEN up to 48
 *						(3.2, 3.3)
 *	Parameter Problem, code 0, at the	interface identifier all zeros,
 *	address					or all ones with a longer LEN (3.7)
 * A quoted address that has none stays as it is.
 *
 * With `else`, a packet that the maps before it have nothing for is treated as by
 * a rule of its own behind this one, `snat_stateless saddr map ... untrack`: what
 * prerouting has to do, in one go.
 *
 * With `unless daddr`, which belongs to an untrack with saddr or behind else, a
 * packet to one of these prefixes is not marked, and therefore neither untracked
 * nor translated in postrouting: comparisons instead of a set and another rule.
 * With `only daddr` in its place, no packet is that goes anywhere else.
 *
 * With `via`, the outside is what is behind these interfaces, and packets that
 * do not cross that border are left alone.  An INTERFACE is a name, or the
 * beginning of one with an asterisk behind it; it need not exist yet.
 *	daddr		a packet counts that came by one of them; behind `else`
 *			maps, also one whose source has a pair (hairpin)
 *	untrack, else	one that will leave by one of them.  In prerouting the
 *			route is looked up as the IP layer will, and kept for it,
 *			so that it need not
 *	saddr, untracked	one that leaves by one of them, or whose destination
 *			was translated (hairpin).  If a packet has a mark, and
 *			prerouting has not marked it untracked, that is made up
 *			for, since the mark may have changed its way: with
 *			`unless` or `only`, which may stand here for that reason
 * So policy routing is obeyed, also by a mark that a later chain of prerouting
 * sets; conntrack has seen such a packet then, or not, as prerouting had it.
 * What a later chain of prerouting makes of the destination or of DSCP comes too
 * late to have a say in the route.
 *
 * With `forward`, behind `daddr ... notrack else saddr ... untrack` in prerouting, a
 * packet that a router would only pass on is translated, routed and sent at once:
 * its destination by the maps, or its source by those behind else, whose elements
 * then count it, too.  The forward hook sees it between the two, as ever: with
 * internal addresses, marked untracked, with its route.  What stands behind the
 * rule in prerouting, and postrouting, do not see it, nor does a socket that is
 * bound to an address of somebody else.  What comes back from the forward hook
 * later (NF_QUEUE), or with another source, goes the rest of the usual way.
 * All that is not simple goes the usual way from here, as without `forward`:
 *	ICMP; over IPv6 all but TCP and UDP; options and extension headers;
 *	fragments, and what was reassembled; TTL or hop limit 1
 *	longer than the MTU of its route, be it by its segments
 *	a source with a pair as well (hairpin), or in a hole of one
 *	no route, or one that is local, a broadcast, an anycast or multicast one, an
 *	error, has an encapsulation or a realm, leads back by the device, or asks
 *	for a redirect
 *	IPv6 without forwarding on all interfaces, from ::/32, and to link-local
 *	a route that is there already, unless VIA has asked for it
 *	by a VRF or to one, by a bridge under br_netfilter; LRO; what a card has
 *	forwarded itself; a packet with a socket, or whose trace is on (nftrace)
 *	while IPsec has any policy, or blocks by default; what it has protected
 *	no memory for room in front of it
 *
 * With `errors as`, an ICMP error whose quote is translated and whose own source
 * has no pair, nor is this machine's, has ADDRESS as its source (RFC 5508, REQ-5c).
 *
 * Left alone whatever the maps hold:
 *	packets to multicast or broadcast addresses, to or from link-local ones
 *	(RFC 3927, RFC 4291), and neighbour discovery (RFC 4861)
 *	frames that a bridge of this machine passes on, where br_netfilter shows
 *	them to these hooks
 *	an address of this machine itself that only a map with `prefix` covers,
 *	and what would be translated into one; a broadcast address of one of
 *	its links is such an address, too
 *	untrack, else: what is for an address of this machine; and, in output,
 *	the copies that dup makes
 *
 * A redirect (RFC 792 type 5; RFC 4861, 4.5) about a packet whose source or
 * destination the maps have is dropped: it would lead its receiver around the
 * gateway.  In output, that needs a rule with saddr and untrack.
 *
 * IPsec: a packet that comes in is held to the policies for the address that it
 * came to, in prerouting; one that leaves is sent as the policies for its new
 * source ask, in postrouting.  A route chosen before a destination is
 * translated is let go.
 *
 * Verdicts:
 *	NFT_CONTINUE	translated (untrack, else: marked)
 *	NF_STOLEN	with FORWARD: passed on, or taken by the forward hook
 *	NFT_BREAK	no pair, another address family, or left alone (see
 *			above, and the flags); the packet is unchanged
 *	NF_DROP		the address has a pair but the packet cannot be
 *			translated whole (its transport header is cut off, npt
 *			has no counterpart for it, or there is no memory), a
 *			policy of IPsec forbids it (see
 *			NFTA_SNAT_STATELESS_COUNTS); or it is a redirect
 *
 * Stateful expressions of the map's elements (counter ...) see each packet
 * once, after its translation; those of the outer address's element, or of
 * the quoted address's where the outer one has no pair.  `untrack` and drops
 * do not touch them.  A catch-all element ("*") is never used.
 *
 * Conntrack is never loaded or switched on by this expression.
 *
 * With `follow` and `followed` conntrack keeps its packets, and knows them by
 * their internal addresses in both directions, if a destination is translated
 * before it and a source behind it:
 *	daddr, follow	as with notrack, but that the packet is not untracked;
 *			also behind `else`, which is then `follow`, too
 *	saddr, follow	as with untrack, but that the packet is not untracked
 *	saddr, followed	as with untracked; what came by a bridge, or has other
 *			addresses by rules of type nat, is decided about here,
 *			by `unless` or `only`, and `via`
 *	saddr, follow	NFT_CONTINUE for a packet that `followed` alone would
 *	  followed	translate, and nothing more; for a chain of type nat, so
 *			that no rule behind it gives the connection another
 *			address
 *
 * Attributes (NFTA_EXPR_DATA of an expression of this name)
 * ---------------------------------------------------------
 *
 *	NFTA_SNAT_STATELESS_FIELD	NLA_U32, network byte order, required:
 *		enum nft_snat_stateless_field
 *	NFTA_SNAT_STATELESS_MAPS	NLA_NESTED, required: 1 to
 *		NFT_SNAT_STATELESS_MAPS_MAX NFTA_LIST_ELEMs, each nested:
 *	    NFTA_SNAT_STATELESS_MAP_NAME	NLA_STRING, required: the
 *		name of a map in the rule's own table, NFT_SET_MAXNAMELEN - 1
 *		bytes at most
 *	    NFTA_SNAT_STATELESS_MAP_ID		NLA_U32, network byte order,
 *		optional, never dumped: what programs send beside each name, the
 *		NFTA_SET_ID of a map made in the same batch.  It is not looked
 *		at: such a map is found by its name, too
 *	    NFTA_SNAT_STATELESS_MAP_PREFIX	NLA_U32, network byte order,
 *		optional: 1 to the length of an address in bits; with npt 64 at
 *		most (RFC 6296, 3.5).  Absent, as in a dump, for the whole address
 *	    NFTA_SNAT_STATELESS_MAP_FLAGS	NLA_U32, network byte order,
 *		optional, always dumped: enum nft_snat_stateless_map_flags
 *	    NFTA_SNAT_STATELESS_MAP_WITHIN	NLA_BINARY, optional: an address
 *		in network byte order, of the map's family, whose leading bits
 *		are those of what the map is asked for, all others being 0
 *	    NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH	NLA_U32, network byte
 *		order, with the former and only then: how many bits these are, 1
 *		to the length of an address.  Both absent, as in a dump, for any
 *		address
 *	NFTA_SNAT_STATELESS_ELSE_MAPS	NLA_NESTED, optional, like
 *		NFTA_SNAT_STATELESS_MAPS; with the field daddr and the flag
 *		NOTRACK or FOLLOW only
 *	NFTA_SNAT_STATELESS_UNLESS	NLA_NESTED, optional: 1 to
 *		NFT_SNAT_STATELESS_UNLESS_MAX NFTA_LIST_ELEMs, each nested; with
 *		the field saddr and the flag UNTRACK, FOLLOW or FOLLOWED, or
 *		ELSE_MAPS, only:
 *	    NFTA_SNAT_STATELESS_PREFIX_ADDRESS	NLA_BINARY, required: an
 *		address in network byte order, of the maps' family, all bits
 *		behind its prefix being 0
 *	    NFTA_SNAT_STATELESS_PREFIX_LENGTH	NLA_U32, network byte order,
 *		required: 1 to the length of an address in bits
 *	NFTA_SNAT_STATELESS_ONLY	NLA_NESTED, optional, like
 *		NFTA_SNAT_STATELESS_UNLESS, and never beside it
 *	NFTA_SNAT_STATELESS_VIA		NLA_NESTED, optional: 1 to
 *		NFT_SNAT_STATELESS_VIA_MAX NFTA_LIST_ELEMs, each an NLA_STRING
 *		of 1 to 15 bytes, of which an asterisk may be the last but not the
 *		only one; with daddr and NOTRACK, saddr and UNTRACK, saddr and
 *		UNTRACKED, FOLLOW or FOLLOWED only; with UNTRACKED, UNLESS or ONLY
 *		may be there, too
 *	NFTA_SNAT_STATELESS_ERRORS_AS	NLA_BINARY, optional: an address in
 *		network byte order, of the maps' family; with saddr, and neither
 *		UNTRACK nor FOLLOW
 *	NFTA_SNAT_STATELESS_FLAGS	NLA_U32, network byte order, optional,
 *		always dumped: enum nft_snat_stateless_flags
 *	NFTA_SNAT_STATELESS_DROPPED	NLA_U64, network byte order, dump only:
 *		packets that this rule dropped, but for redirects: the sum of
 *		MALFORMED, NO_MEMORY, NO_COUNTERPART and POLICY
 *	NFTA_SNAT_STATELESS_COUNTS	NLA_NESTED, dump only: packets, by what
 *		became of them, each an NLA_U64 in network byte order.  Left out
 *		where a rule has so many maps that a dump has no room for it.
 *	    What a rule drops:
 *	    NFTA_SNAT_STATELESS_COUNT_MALFORMED		cut off before the end
 *		of its transport header, an IP header that is wrong, or a quote
 *		that changed while it was read
 *	    NFTA_SNAT_STATELESS_COUNT_NO_MEMORY		no memory for a copy
 *		that can be written to
 *	    NFTA_SNAT_STATELESS_COUNT_NO_COUNTERPART	npt has none for the
 *		address
 *	    NFTA_SNAT_STATELESS_COUNT_POLICY		a policy of IPsec asks for
 *		protection that it has not had, or forbids it to leave
 *	    NFTA_SNAT_STATELESS_COUNT_REDIRECTS		a redirect about a
 *		packet of a pair
 *	    What has a pair and is left alone:
 *	    NFTA_SNAT_STATELESS_COUNT_TRACKED		conntrack has an entry
 *		for it, and the rule has neither TRACKED nor UNTRACKED
 *	    NFTA_SNAT_STATELESS_COUNT_EXEMPT		its source has a pair,
 *		and its destination is in UNLESS, or not in ONLY
 *	    NFTA_SNAT_STATELESS_COUNT_LOCAL		its source has a pair, and
 *		it is for this machine
 *	    NFTA_SNAT_STATELESS_COUNT_BORDER		with VIA, it does not
 *		cross the border: its source has a pair, and it will not leave by
 *		one of these interfaces; or, with ELSE_MAPS, its destination has
 *		one, and it did not come by one of them.  What gets a mark later
 *		and leaves by one of them after all is counted here nevertheless
 *	    What is translated, which is not counted here but for:
 *	    NFTA_SNAT_STATELESS_COUNT_ERRORS		an ICMP error, by its own
 *		address, and by its quote where that has a pair
 *	    NFTA_SNAT_STATELESS_COUNT_QUOTES		an ICMP error, by its
 *		quote alone
 *	    With FORWARD, of what is marked:
 *	    NFTA_SNAT_STATELESS_COUNT_SHORTCUTS		passed on at once, past
 *		postrouting
 *	    NFTA_SNAT_STATELESS_COUNT_DETOURS		not simple, ICMP and, over
 *		IPv6, others than TCP and UDP aside; what the forward hook drops
 *		or takes is neither
 *		Each is counted by one rule of a chain, once; what comes by a port
 *		of a VRF, when it comes by the VRF, for which conntrack may have
 *		an entry by then.  What is translated on
 *		both sides is translated, and counted, twice, as it is by
 *		elements.
 *
 * A dump that resets (NFT_MSG_GETRULE_RESET, where the kernel has it) takes what
 * it reports of both.
 *
 * Any attribute not listed is refused; beside the list of maps up to type 16.
 * (Beyond 16 nf_tables itself drops attributes before an expression can see
 * them: what is only told has numbers from 32 on, which programs that do not know
 * it take for no part of a rule.)
 *
 * Where it may stand
 * ------------------
 *
 * Tables of the families ip, ip6 and inet.  Base chains of type filter or route,
 * and regular chains reached from them:
 *	daddr		prerouting, output
 *	saddr		postrouting, input
 *	untrack		prerouting, output (with either field)
 *	forward		prerouting
 *	saddr, follow	prerouting, output
 *	followed	postrouting; with follow also in chains of type nat
 * With `via`, daddr in prerouting only, and saddr with untracked in postrouting.
 *
 * The maps
 * --------
 *
 * Named, plain data to plain data, an address in network byte order to another
 * of the same family: 4 bytes to 4 bytes in ip, 16 to 16 in ip6, either in
 * inet, where packets of the other family are left alone; all maps of one
 * expression hold addresses of one family.  Any size, any
 * number of stateful expressions per element.
 * Refused: sets, verdict maps, object maps; anonymous, interval, concatenated,
 * timeout and dynamic maps.
 *
 * Errors of rule creation
 * -----------------------
 *
 *	EINVAL		an attribute is missing or unknown, a flag is unknown,
 *			flags or fields exclude each other, an attribute of a
 *			map has the wrong length, WITHIN or a prefix of
 *			UNLESS or ONLY has bits behind its length, or an interface of VIA
 *			has no name, or an asterisk that is not its end
 *	ERANGE		an attribute beside the maps has the wrong length, the
 *			field is none of the two, or a prefix or WITHIN is longer
 *			than the map's addresses or of length 0, or a prefix is
 *			longer than npt allows, or an interface of VIA has a name
 *			of more than 15 bytes
 *	E2BIG		more than NFT_SNAT_STATELESS_MAPS_MAX maps in a list, or
 *			than NFT_SNAT_STATELESS_UNLESS_MAX prefixes in UNLESS
 *			or ONLY, or than NFT_SNAT_STATELESS_VIA_MAX interfaces in VIA
 *	EMSGSIZE	a dump of the expression, without COUNTS, would take
 *			more than NFT_SNAT_STATELESS_DUMP_MAX bytes: too many
 *			maps, or too long names
 *	EAFNOSUPPORT	the table's family is none of ip, ip6 and inet
 *	EOPNOTSUPP	the hook or chain type cannot carry this field; for a
 *			regular chain this comes at commit, for the whole batch
 *	ENODATA		the rule's table has no map of that name
 *	EMEDIUMTYPE	a set, a verdict map or an object map
 *	EPROTOTYPE	the map's key or data has not the length of an
 *			address of the table's family, or of the first map's,
 *			WITHIN or a prefix of UNLESS or ONLY has not that of
 *			the maps' addresses, nor has ERRORS_AS, or npt is asked of IPv4
 *	EPROTONOSUPPORT	an anonymous, interval, concatenated, timeout or
 *			dynamic map
 *	EPERM		the network namespace belongs to a user namespace other
 *			than the initial one
 *	EMFILE		the map is referred to too often
 *	ENOMEM		out of memory
 *	ENOENT		(from nf_tables) this module is not loaded and could
 *			not be
 */

#define NFT_SNAT_STATELESS_NAME		"snat_stateless"

/**
 * enum nft_snat_stateless_field - the address that is looked up and replaced
 *
 * @NFT_SNAT_STATELESS_SADDR: source; outbound packets of a pair
 * @NFT_SNAT_STATELESS_DADDR: destination; inbound packets of a pair
 */
enum nft_snat_stateless_field {
	NFT_SNAT_STATELESS_SADDR,
	NFT_SNAT_STATELESS_DADDR,
};

/**
 * enum nft_snat_stateless_flags - how the expression and conntrack get along
 *
 * Without UNTRACKED and TRACKED, a packet that has a conntrack entry is left
 * alone and any other is handled.
 *
 * @NFT_SNAT_STATELESS_F_NOTRACK: mark a translated packet untracked
 * @NFT_SNAT_STATELESS_F_UNTRACK: mark a packet that has a pair untracked, and
 *	do nothing else to it; excludes NOTRACK
 * @NFT_SNAT_STATELESS_F_UNTRACKED: handle only packets that a rule with
 *	NOTRACK or UNTRACK has marked on their way; "untracked" alone does not
 *	do, since others mark packets, too
 * @NFT_SNAT_STATELESS_F_TRACKED: handle packets that have a conntrack entry as
 *	well; excludes UNTRACKED and NOTRACK.  With UNTRACK, a packet loses
 *	its entry, as in the second round of hooks that a VRF makes
 * @NFT_SNAT_STATELESS_F_FOLLOW: as NOTRACK with daddr, as UNTRACK with saddr, but
 *	conntrack keeps the packet, if it has it already, too; excludes all others
 *	but FOLLOWED
 * @NFT_SNAT_STATELESS_F_FOLLOWED: as UNTRACKED, with saddr only; excludes all
 *	others but FOLLOW, with which the packet is told, but not changed
 * @NFT_SNAT_STATELESS_F_FORWARD: pass on at once what is simple; with NOTRACK and
 *	ELSE_MAPS only; excludes UNTRACKED
 */
enum nft_snat_stateless_flags {
	NFT_SNAT_STATELESS_F_NOTRACK	= (1 << 0),
	NFT_SNAT_STATELESS_F_UNTRACK	= (1 << 1),
	NFT_SNAT_STATELESS_F_UNTRACKED	= (1 << 2),
	NFT_SNAT_STATELESS_F_TRACKED	= (1 << 3),
	NFT_SNAT_STATELESS_F_FOLLOW	= (1 << 4),
	NFT_SNAT_STATELESS_F_FOLLOWED	= (1 << 5),
	NFT_SNAT_STATELESS_F_FORWARD	= (1 << 6),
};

#define NFT_SNAT_STATELESS_MAPS_MAX	255
#define NFT_SNAT_STATELESS_UNLESS_MAX	8
#define NFT_SNAT_STATELESS_VIA_MAX	8

/*
 * Of what stands in NFTA_EXPR_DATA.  nf_tables tells a rule in one message or not
 * at all; the smallest ones that it makes (events, answers about one rule, the
 * first of a dump) hold 3,776 bytes.  The rest is for the longest names of a table
 * and a chain (520), the rule's own attributes (84) and a counter.  In IPv4 29
 * prefix lengths fit, each with `within`, behind daddr and again behind else;
 * in IPv6 23.  Eight prefixes of `unless daddr` take 164 bytes in IPv4, 260 in
 * IPv6, and so do those of `only daddr`; eight interfaces of `via` 164 at most.
 */
#define NFT_SNAT_STATELESS_DUMP_MAX	3072

/**
 * enum nft_snat_stateless_map_flags - how the addresses of a map are translated
 *
 * @NFT_SNAT_STATELESS_MAP_F_NPT: checksum-neutral (RFC 6296)
 */
enum nft_snat_stateless_map_flags {
	NFT_SNAT_STATELESS_MAP_F_NPT	= (1 << 0),
};

enum nft_snat_stateless_map_attributes {
	NFTA_SNAT_STATELESS_MAP_UNSPEC,
	NFTA_SNAT_STATELESS_MAP_NAME,
	NFTA_SNAT_STATELESS_MAP_ID,
	NFTA_SNAT_STATELESS_MAP_PREFIX,
	NFTA_SNAT_STATELESS_MAP_FLAGS,
	NFTA_SNAT_STATELESS_MAP_WITHIN,
	NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH,
	__NFTA_SNAT_STATELESS_MAP_MAX
};
#define NFTA_SNAT_STATELESS_MAP_MAX	(__NFTA_SNAT_STATELESS_MAP_MAX - 1)

enum nft_snat_stateless_prefix_attributes {
	NFTA_SNAT_STATELESS_PREFIX_UNSPEC,
	NFTA_SNAT_STATELESS_PREFIX_ADDRESS,
	NFTA_SNAT_STATELESS_PREFIX_LENGTH,
	__NFTA_SNAT_STATELESS_PREFIX_MAX
};
#define NFTA_SNAT_STATELESS_PREFIX_MAX	(__NFTA_SNAT_STATELESS_PREFIX_MAX - 1)

enum nft_snat_stateless_attributes {
	NFTA_SNAT_STATELESS_UNSPEC,
	NFTA_SNAT_STATELESS_FIELD,
	NFTA_SNAT_STATELESS_MAPS,
	NFTA_SNAT_STATELESS_FLAGS,
	NFTA_SNAT_STATELESS_DROPPED,
	NFTA_SNAT_STATELESS_PAD,
	NFTA_SNAT_STATELESS_ELSE_MAPS,
	NFTA_SNAT_STATELESS_UNLESS,
	NFTA_SNAT_STATELESS_VIA,
	NFTA_SNAT_STATELESS_ONLY,
	NFTA_SNAT_STATELESS_ERRORS_AS,
	__NFTA_SNAT_STATELESS_MAX
};
#define NFTA_SNAT_STATELESS_MAX		(__NFTA_SNAT_STATELESS_MAX - 1)

/* Beside these, in dumps only. */
#define NFTA_SNAT_STATELESS_COUNTS	32

/* In a dump that has them all are there, be they 0. */
enum nft_snat_stateless_counts {
	NFTA_SNAT_STATELESS_COUNT_UNSPEC,
	NFTA_SNAT_STATELESS_COUNT_PAD,
	NFTA_SNAT_STATELESS_COUNT_MALFORMED,
	NFTA_SNAT_STATELESS_COUNT_NO_MEMORY,
	NFTA_SNAT_STATELESS_COUNT_NO_COUNTERPART,
	NFTA_SNAT_STATELESS_COUNT_POLICY,
	NFTA_SNAT_STATELESS_COUNT_REDIRECTS,
	NFTA_SNAT_STATELESS_COUNT_TRACKED,
	NFTA_SNAT_STATELESS_COUNT_EXEMPT,
	NFTA_SNAT_STATELESS_COUNT_LOCAL,
	NFTA_SNAT_STATELESS_COUNT_BORDER,
	NFTA_SNAT_STATELESS_COUNT_ERRORS,
	NFTA_SNAT_STATELESS_COUNT_QUOTES,
	NFTA_SNAT_STATELESS_COUNT_SHORTCUTS,
	NFTA_SNAT_STATELESS_COUNT_DETOURS,
	__NFTA_SNAT_STATELESS_COUNT_MAX
};
#define NFTA_SNAT_STATELESS_COUNT_MAX	(__NFTA_SNAT_STATELESS_COUNT_MAX - 1)

#endif /* _UAPI_LINUX_NETFILTER_NFT_SNAT_STATELESS_H */
