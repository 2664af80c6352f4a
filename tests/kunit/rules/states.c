// SPDX-License-Identifier: GPL-2.0-or-later
/* What has happened to a packet before a rule sees it. */
#include "states.h"

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/xfrm.h>

void is_decided(u8 pf, struct sk_buff *skb)
{
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	*(pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags) |= 0x8000;
}

void is_decided_anywhere(u8 pf, struct sk_buff *skb)
{
	is_decided(pf, skb);
	*(pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags) |= 0x4000;
}

void is_untracked(u8 pf, struct sk_buff *skb)
{
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

void is_marked(u8 pf, struct sk_buff *skb)
{
	skb->mark = 1;
}

void is_marked_later(u8 pf, struct sk_buff *skb)
{
	skb->priority = MARKED_LATER;
}

void is_tracked(u8 pf, struct sk_buff *skb)
{
	struct nf_conntrack_tuple tuple = { .src.l3num = pf };
	struct nf_conn *ct = nf_conntrack_alloc(&init_net, &nf_ct_zone_dflt, &tuple, &tuple, GFP_KERNEL);

	if (!IS_ERR(ct)) {
		refcount_set(&ct->ct_general.use, 1);
		nf_ct_set(skb, ct, IP_CT_ESTABLISHED);
	}
}

void is_renamed(u8 pf, struct sk_buff *skb)
{
	enum ip_conntrack_info info;

	is_tracked(pf, skb);
	nf_ct_get(skb, &info)->status |= IPS_SRC_NAT;
}

void has_template(u8 pf, struct sk_buff *skb)
{
	struct nf_conn *ct = nf_ct_tmpl_alloc(&init_net, &nf_ct_zone_dflt, GFP_KERNEL);

	if (ct)
		nf_ct_set(skb, ct, IP_CT_NEW);
}

/* To 203.0.113.10, for there is none to the other side of a pair. */
void has_route(u8 pf, struct sk_buff *skb)
{
	struct flowi6 fl6 = { .daddr = ipv6_hdr(skb)->daddr };

	if (pf == NFPROTO_IPV6) {
		skb_dst_set(skb, ip6_route_output(&init_net, NULL, &fl6));
	} else {
		struct rtable *route = ip_route_output(&init_net, htonl(0xcb00710a), 0, 0, 0, 0);

		if (!IS_ERR(route))
			skb_dst_set(skb, &route->dst);
	}
}

void is_decided_and_routed(u8 pf, struct sk_buff *skb)
{
	is_decided(pf, skb);
	has_route(pf, skb);
}

/* A packet that IPsec sent is through with policies. */
void was_transformed(u8 pf, struct sk_buff *skb)
{
	is_decided_and_routed(pf, skb);
	*(pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags) |=
		pf == NFPROTO_IPV4 ? IPSKB_XFRM_TRANSFORMED : IP6SKB_XFRM_TRANSFORMED;
}

void was_protected(u8 pf, struct sk_buff *skb)
{
	secpath_set(skb);
}

static struct nf_bridge_info *came_by_bridge(struct sk_buff *skb)
{
	struct nf_bridge_info *bridge = skb_ext_add(skb, SKB_EXT_BRIDGE_NF);

	memset(bridge, 0, sizeof(*bridge));
	bridge->physinif = skb->dev->ifindex;
	return bridge;
}

void is_bridged(u8 pf, struct sk_buff *skb)
{
	struct nf_bridge_info *bridge = came_by_bridge(skb);

	bridge->in_prerouting = true;
	bridge->pkt_otherhost = true;
}

void is_for_the_bridge(u8 pf, struct sk_buff *skb)
{
	is_bridged(pf, skb);
	ether_addr_copy(eth_hdr(skb)->h_dest, skb->dev->dev_addr);
}

/* As keepalived has a device of its own on top. */
void is_for_another_of_the_bridge(u8 pf, struct sk_buff *skb)
{
	static const u8 address[ETH_ALEN] = { 2, [5] = 0x42 };

	is_bridged(pf, skb);
	ether_addr_copy(eth_hdr(skb)->h_dest, address);
	rtnl_lock();
	dev_uc_add(skb->dev, address);
	rtnl_unlock();
}

void leaves_bridged(u8 pf, struct sk_buff *skb)
{
	struct nf_bridge_info *bridge = came_by_bridge(skb);

	is_untracked(pf, skb);
	bridge->physoutdev = skb->dev;
	if (pf == NFPROTO_IPV4)
		bridge->ipv4_daddr = ip_hdr(skb)->daddr;
	else
		bridge->ipv6_daddr = ipv6_hdr(skb)->daddr;
}

void leaves_routed(u8 pf, struct sk_buff *skb)
{
	is_untracked(pf, skb);
	came_by_bridge(skb);
}

void follows_and_leaves_routed(u8 pf, struct sk_buff *skb)
{
	is_tracked(pf, skb);
	came_by_bridge(skb);
}

#define ICMP_TYPE(value) (*(skb_network_header(skb) + (pf == NFPROTO_IPV4 ? 20 : 40)) = (value))

void is_a_redirect(u8 pf, struct sk_buff *skb)
{
	ICMP_TYPE(pf == NFPROTO_IPV4 ? 5 : 137);
}

void solicits(u8 pf, struct sk_buff *skb)
{
	ICMP_TYPE(135);
}

static void to_address(u8 pf, struct sk_buff *skb, const u8 *address)
{
	if (pf == NFPROTO_IPV4)
		memcpy(&ip_hdr(skb)->daddr, address + 12, 4);
	else
		memcpy(&ipv6_hdr(skb)->daddr, address, 16);
}

void to_the_gateway(u8 pf, struct sk_buff *skb)
{
	static const u8 own[16] = { 0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, [15] = 1 };
	static const u8 own4[16] = { [12] = 10, 0, 0, 1 };

	to_address(pf, skb, pf == NFPROTO_IPV4 ? own4 : own);
}

/* An address that it had before the module was loaded (tests/kunit/inside). */
void to_the_gateway_of_before(u8 pf, struct sk_buff *skb)
{
	static const u8 before[16] = { [12] = 192, 0, 2, 200 };

	to_address(pf, skb, before);
}

void to_many(u8 pf, struct sk_buff *skb)
{
	static const u8 many[16] = { 0xff, 0x0e, [12] = 224, 1, 2, 3 };

	to_address(pf, skb, many);
}

void to_the_link(u8 pf, struct sk_buff *skb)
{
	static const u8 link[16] = { 0xfe, 0x80, [12] = 169, 254, 2, 3 };

	to_address(pf, skb, link);
}

void to_nowhere(u8 pf, struct sk_buff *skb)
{
	static const u8 nowhere[16] = { [12] = 192, 168, 77, 77 };

	to_address(pf, skb, nowhere);
}

static void from_address(u8 pf, struct sk_buff *skb, const u8 *address)
{
	if (pf == NFPROTO_IPV4)
		memcpy(&ip_hdr(skb)->saddr, address + 12, 4);
	else
		memcpy(&ipv6_hdr(skb)->saddr, address, 16);
}

/* That of IPv4 is in a hole of the map. */
void from_another_pair(u8 pf, struct sk_buff *skb)
{
	static const u8 pair[16] = { 0xfd, 0, 0, 1, [12] = 10, 0, 0, 2 };
	static const u8 hole[16] = { [12] = 10, 0, 0, 7 };

	from_address(pf, skb, pf == NFPROTO_IPV4 ? hole : pair);
}

void from_zeros(u8 pf, struct sk_buff *skb)
{
	memset(&ipv6_hdr(skb)->saddr, 0, 4);
}

void from_the_gateway(u8 pf, struct sk_buff *skb)
{
	ip_hdr(skb)->saddr = htonl(0x0a000001);
}

void from_the_last_subnet(u8 pf, struct sk_buff *skb)
{
	ipv6_hdr(skb)->saddr.s6_addr16[3] = 0xffff;
}

void from_the_subnet_itself(u8 pf, struct sk_buff *skb)
{
	memset(&ipv6_hdr(skb)->saddr.s6_addr[8], 0, 8);
}

void from_the_last_identifier(u8 pf, struct sk_buff *skb)
{
	memset(&ipv6_hdr(skb)->saddr.s6_addr[8], 0xff, 8);
}

void is_a_hole(u8 pf, struct sk_buff *skb)
{
	ip_hdr(skb)->saddr = htonl(0x0a000007);
	is_decided(pf, skb);
}

void is_cut(u8 pf, struct sk_buff *skb)
{
	is_decided(pf, skb);
	pskb_trim(skb, skb_network_offset(skb) + (pf == NFPROTO_IPV4 ? 24 : 44));
}

void claims_a_short_header(u8 pf, struct sk_buff *skb)
{
	is_decided(pf, skb);
	*skb_network_header(skb) = 0x44;
}

void has_one_hop_left(u8 pf, struct sk_buff *skb)
{
	if (pf == NFPROTO_IPV4)
		ip_hdr(skb)->ttl = 1;
	else
		ipv6_hdr(skb)->hop_limit = 1;
}

void was_in_pieces(u8 pf, struct sk_buff *skb)
{
	*(pf == NFPROTO_IPV4 ? &IPCB(skb)->frag_max_size : &IP6CB(skb)->frag_max_size) = 1400;
}

void was_forwarded(u8 pf, struct sk_buff *skb)
{
	*(pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags) |=
		pf == NFPROTO_IPV4 ? IPSKB_FORWARDED : IP6SKB_FORWARDED;
}

void is_for_another_host(u8 pf, struct sk_buff *skb)
{
	skb->pkt_type = PACKET_OTHERHOST;
}

void is_traced(u8 pf, struct sk_buff *skb)
{
	skb->nf_trace = 1;
}

void has_socket(u8 pf, struct sk_buff *skb)
{
	sock_hold(init_net.genl_sock);
	skb->sk = init_net.genl_sock;
	skb->destructor = sock_efree;
}

/* By a card that does not say how to take it apart, or by one that does. */
void is_put_together(u8 pf, struct sk_buff *skb)
{
	skb_shinfo(skb)->gso_size = 5;
}

void is_of_segments(u8 pf, struct sk_buff *skb)
{
	is_put_together(pf, skb);
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	skb_shinfo(skb)->gso_segs = 3;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_set_transport_header(skb, 20);
}

void is_given_to_a_program(u8 pf, struct sk_buff *skb)
{
	skb->mark = GIVEN_TO_A_PROGRAM;
}

void meets_no_memory(u8 pf, struct sk_buff *skb)
{
	current->fail_nth = 1;
}
