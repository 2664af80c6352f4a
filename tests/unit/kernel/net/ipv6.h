/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATNAT_KERNEL_IPV6_H
#define STATNAT_KERNEL_IPV6_H

#include <asm/byteorder.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <stdbool.h>

#define htons(number) __cpu_to_be16(number)

enum {
    NEXTHDR_HOP = 0,
    NEXTHDR_ROUTING = 43,
    NEXTHDR_FRAGMENT = 44,
    NEXTHDR_AUTH = 51,
    NEXTHDR_NONE = 59,
    NEXTHDR_DEST = 60,
};

#define IP6_OFFSET 0xfff8
#define IPV6_ADDR_LINKLOCAL 0x20
#define ipv6_optlen(header) (((header)->hdrlen + 1) << 3)
#define ipv6_authlen(header) (((header)->hdrlen + 2) << 2)

struct frag_hdr {
    __u8 nexthdr;
    __u8 reserved;
    __be16 frag_off;
    __be32 identification;
};

static inline bool ipv6_ext_hdr(__u8 protocol)
{
    return protocol == NEXTHDR_HOP || protocol == NEXTHDR_ROUTING || protocol == NEXTHDR_FRAGMENT ||
           protocol == NEXTHDR_AUTH || protocol == NEXTHDR_NONE || protocol == NEXTHDR_DEST;
}

static inline bool ipv6_addr_is_multicast(const struct in6_addr *address)
{
    return address->s6_addr[0] == 0xff;
}

static inline int ipv6_addr_type(const struct in6_addr *address)
{
    return address->s6_addr[0] == 0xfe && (address->s6_addr[1] & 0xc0) == 0x80 ? IPV6_ADDR_LINKLOCAL : 0;
}

#endif
