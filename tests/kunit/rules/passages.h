/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packet meets which rule where, and what must become of it. */
#ifndef STATNAT_KUNIT_PASSAGES_H
#define STATNAT_KUNIT_PASSAGES_H

#include "packets.h"
#include "rule.h"

/* The last three with FORWARD: it was sent, translated or only by one hop older, or the forward hook has it. */
enum outcome { LEFT, TRANSLATED, MARKED, DROPPED, PASSED_ON, AGED, TAKEN };

/*
 * struct passage - a packet at a rule
 *
 * @rule: which alone is there; @setup: what else is, as a command; @undo: what ends it
 * @kind: of packet; @side: which of its addresses is the pair's
 * @hook: where; it came by @in, or none, and leaves by @out, or none
 * @prepare: what has happened to it before
 * @routed: its own address is another's, that of a router in between
 * @outcome: what must become of it, and what it is @counted as
 */
struct passage {
	const char		*why;
	struct rule		rule;
	const char		*kind;
	enum snat_side		side;
	unsigned int		hook;
	const char		*in, *out;
	enum outcome		outcome;
	enum snat_reason	counted;
	void			(*prepare)(u8 pf, struct sk_buff *skb);
	bool			routed;
	const char		*setup, *undo;
};

extern const struct passage passages[];
extern const unsigned int passage_count;

#endif
