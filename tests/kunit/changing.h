/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Force-included in the packet face, as this test builds it: whenever it looks at bytes that may not be the kernel's
 * alone, or has them made so, a test gets the chance to change them before.
 */
#ifndef STATNAT_KUNIT_CHANGING_H
#define STATNAT_KUNIT_CHANGING_H

#include <linux/skbuff.h>

void *changing_header_pointer(const struct sk_buff *skb, int offset, int length, void *buffer);
int changing_ensure_writable(struct sk_buff *skb, unsigned int length);

#ifndef STATNAT_KUNIT_UNCHANGED
#define skb_header_pointer	changing_header_pointer
#define skb_ensure_writable	changing_ensure_writable
#endif

#endif
