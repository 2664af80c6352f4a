// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the benchmarks compare with: pairs of IPv4 that a program of tc or of XDP
 * translates, routes and sends. It does no more than it must for that: UDP and TCP
 * without options or fragments, no ICMP error's quote, no firewall.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FAMILY_IPV4	2

/* What an address becomes, and which packets of its pair have a number in @counts. */
struct other {
	__be32	address;
	__u32	number;
};

struct count {
	__u64	packets;
	__u64	bytes;
};

struct pairs {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __be32);
	__type(value, struct other);
} outbound SEC(".maps"), inbound SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

/* The one's complement sum of a checksum and a change of what it covers (RFC 1624). */
static __always_inline void follow(__sum16 *check, __be32 from, __be32 to)
{
	__u32 sum = (__u16)~*check + (~from & 0xffff) + (~from >> 16) +
		    (to & 0xffff) + (to >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	*check = ~((sum & 0xffff) + (sum >> 16));
}

/* Return: false if the transport header is cut off, or of another protocol. */
static __always_inline bool follow_transport(struct iphdr *ip, void *end,
					     __be32 from, __be32 to)
{
	struct tcphdr *tcp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if (ip->protocol == IPPROTO_UDP) {
		if ((void *)(udp + 1) > end)
			return false;
		if (udp->check)
			follow(&udp->check, from, to);
		return true;
	}
	if (ip->protocol != IPPROTO_TCP || (void *)(tcp + 1) > end)
		return false;
	follow(&tcp->check, from, to);
	return true;
}

static __always_inline void count(__u32 number, __u32 bytes)
{
	struct count *count = bpf_map_lookup_elem(&counts, &number);

	if (!count)
		return;
	count->packets++;
	count->bytes += bytes;
}

static __always_inline void age(struct iphdr *ip)
{
	__u32 sum = ip->check + bpf_htons(0x0100);

	ip->check = sum + (sum >= 0xffff);
	ip->ttl--;
}

/* Return: false, and nothing has changed, if that is the stack's. */
static __always_inline bool translate(void *data, void *end)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct other *other;
	__be32 *field;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->version != 4 || ip->ihl != 5 || ip->ttl <= 1 ||
	    ip->frag_off & bpf_htons(0x3fff))
		return false;

	field = &ip->daddr;
	other = bpf_map_lookup_elem(&inbound, field);
	if (!other) {
		field = &ip->saddr;
		other = bpf_map_lookup_elem(&outbound, field);
	}
	if (!other || !follow_transport(ip, end, *field, other->address))
		return false;

	follow(&ip->check, *field, other->address);
	*field = other->address;
	age(ip);
	count(other->number, bpf_ntohs(ip->tot_len));
	return true;
}

/* Where it leaves, and to whom: a route and a neighbour. Return: as the helper. */
static __always_inline long find_way(void *context, void *data, void *end,
				     __u32 device, struct bpf_fib_lookup *way)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	long err;

	if ((void *)(ip + 1) > end)
		return -1;
	way->family = FAMILY_IPV4;
	way->ifindex = device;
	way->tos = ip->tos;
	way->l4_protocol = ip->protocol;
	way->tot_len = bpf_ntohs(ip->tot_len);
	way->ipv4_src = ip->saddr;
	way->ipv4_dst = ip->daddr;
	err = bpf_fib_lookup(context, way, sizeof(*way), 0);
	if (!err) {
		__builtin_memcpy(ethernet->h_dest, way->dmac, ETH_ALEN);
		__builtin_memcpy(ethernet->h_source, way->smac, ETH_ALEN);
	}
	return err;
}

SEC("tc")
int by_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct bpf_fib_lookup way = {};

	if (!translate(data, end))
		return TC_ACT_OK;
	if (find_way(skb, data, end, skb->ingress_ifindex, &way))
		return TC_ACT_SHOT;
	return bpf_redirect(way.ifindex, 0);
}

SEC("xdp")
int by_xdp(struct xdp_md *frame)
{
	void *data = (void *)(long)frame->data;
	void *end = (void *)(long)frame->data_end;
	struct bpf_fib_lookup way = {};

	if (!translate(data, end))
		return XDP_PASS;
	if (find_way(frame, data, end, frame->ingress_ifindex, &way))
		return XDP_DROP;
	return bpf_redirect(way.ifindex, 0);
}

char LICENSE[] SEC("license") = "GPL";
