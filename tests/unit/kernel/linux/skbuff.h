/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet as the packet face of the module sees it; what its functions do is the test's to say. */
#ifndef STATNAT_KERNEL_SKBUFF_H
#define STATNAT_KERNEL_SKBUFF_H

#include <linux/errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#ifndef __cplusplus
#define noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#endif

enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };
#define SKB_GSO_UDP_TUNNEL_CSUM (1 << 11)

struct skb_shared_info {
    unsigned int gso_type;
};

struct sk_buff {
    unsigned char *head;
    unsigned char *data;
    unsigned int len;
    unsigned int data_len;
    struct skb_shared_info shared;
    __wsum csum;
    __u16 csum_start;
    __u8 ip_summed;
    bool cloned;
};

#ifdef __cplusplus
extern "C" {
#endif
void *skb_header_pointer(const struct sk_buff *skb, int offset, int length, void *buffer);
int skb_ensure_writable(struct sk_buff *skb, unsigned int length);
void icmpv6_send(struct sk_buff *skb, __u8 type, __u8 code, __u32 info);
#ifdef __cplusplus
}
#endif

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
    return skb->len - skb->data_len;
}

/* A router's hooks get packets that begin with their IP header. */
static inline int skb_network_offset(const struct sk_buff *skb)
{
    (void)skb;
    return 0;
}

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
    return (struct iphdr *)skb->data;
}

static inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
    return (struct ipv6hdr *)skb->data;
}

static inline const struct skb_shared_info *skb_shinfo(const struct sk_buff *skb)
{
    return &skb->shared;
}

#endif
