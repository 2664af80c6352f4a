/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One's complement sums as the kernel names them (RFC 1071, RFC 1624). */
#ifndef STATNAT_KERNEL_CHECKSUM_H
#define STATNAT_KERNEL_CHECKSUM_H

#include <linux/types.h>

#define CSUM_MANGLED_0 ((__sum16)0xffff)

static inline __wsum csum_add(__wsum one, __wsum other)
{
    __u64 sum = (__u64)one + other;

    return (__wsum)(sum + (sum >> 32));
}

static inline __wsum csum_sub(__wsum one, __wsum other)
{
    return csum_add(one, ~other);
}

static inline __wsum csum_unfold(__sum16 sum)
{
    return sum;
}

static inline __sum16 csum_fold(__wsum sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (__sum16)~((sum & 0xffff) + (sum >> 16));
}

static inline void csum_replace_by_diff(__sum16 *sum, __wsum diff)
{
    *sum = csum_fold(csum_add(diff, ~csum_unfold(*sum)));
}

static inline void csum_replace2(__sum16 *sum, __be16 from, __be16 to)
{
    csum_replace_by_diff(sum, csum_sub(to, from));
}

#endif
