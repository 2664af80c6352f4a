/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's headers give its sources beyond those for programs; force-included, so that they compile here. */
#ifndef STATNAT_KERNEL_TYPES_H
#define STATNAT_KERNEL_TYPES_H

#include <linux/types.h>
#include <string.h>

#define __force
#define __packed __attribute__((packed))
#define __aligned(bytes) __attribute__((aligned(bytes)))

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#endif
