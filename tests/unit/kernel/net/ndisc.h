/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATNAT_KERNEL_NDISC_H
#define STATNAT_KERNEL_NDISC_H

enum { NDISC_ROUTER_SOLICITATION = 133, NDISC_REDIRECT = 137 };

#endif
