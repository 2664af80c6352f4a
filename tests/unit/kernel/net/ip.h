/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATNAT_KERNEL_IP_H
#define STATNAT_KERNEL_IP_H

#include <asm/byteorder.h>
#include <linux/ip.h>

#define htons(number) __cpu_to_be16(number)
#define IP_OFFSET 0x1fff

#endif
