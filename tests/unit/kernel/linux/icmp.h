/* SPDX-License-Identifier: GPL-2.0-or-later */
#include_next <linux/icmp.h>

#ifndef STATNAT_KERNEL_ICMP_H
#define STATNAT_KERNEL_ICMP_H

#include <stdbool.h>

static inline bool icmp_is_err(int type)
{
    return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

#endif
