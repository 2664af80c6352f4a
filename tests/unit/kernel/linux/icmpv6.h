/* SPDX-License-Identifier: GPL-2.0-or-later */
#include_next <linux/icmpv6.h>

#ifndef STATNAT_KERNEL_ICMPV6_H
#define STATNAT_KERNEL_ICMPV6_H

#include <stdbool.h>

static inline bool icmpv6_is_err(int type)
{
    return type < ICMPV6_INFOMSG_MASK;
}

#endif
