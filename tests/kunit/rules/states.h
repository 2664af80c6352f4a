/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has happened to a packet before a rule sees it; @pf: its family.  Headers are changed without their sums. */
#ifndef STATNAT_KUNIT_STATES_H
#define STATNAT_KUNIT_STATES_H

#include <linux/skbuff.h>

/* A mark: in the forward hook it is taken, and given back at once. */
#define GIVEN_TO_A_PROGRAM	77

/* A priority: behind all rules that decide before routing, who has it gets a mark. */
#define MARKED_LATER		78

void is_decided(u8 pf, struct sk_buff *skb);
void is_decided_anywhere(u8 pf, struct sk_buff *skb);
void is_untracked(u8 pf, struct sk_buff *skb);
void is_marked(u8 pf, struct sk_buff *skb);
void is_marked_later(u8 pf, struct sk_buff *skb);
void is_tracked(u8 pf, struct sk_buff *skb);
void is_renamed(u8 pf, struct sk_buff *skb);
void has_template(u8 pf, struct sk_buff *skb);
void has_route(u8 pf, struct sk_buff *skb);
void is_decided_and_routed(u8 pf, struct sk_buff *skb);
void was_transformed(u8 pf, struct sk_buff *skb);
void was_protected(u8 pf, struct sk_buff *skb);
void is_bridged(u8 pf, struct sk_buff *skb);
void is_for_the_bridge(u8 pf, struct sk_buff *skb);
void is_for_another_of_the_bridge(u8 pf, struct sk_buff *skb);
void leaves_bridged(u8 pf, struct sk_buff *skb);
void leaves_routed(u8 pf, struct sk_buff *skb);
void follows_and_leaves_routed(u8 pf, struct sk_buff *skb);
void is_a_redirect(u8 pf, struct sk_buff *skb);
void solicits(u8 pf, struct sk_buff *skb);
void to_the_gateway(u8 pf, struct sk_buff *skb);
void to_the_gateway_of_before(u8 pf, struct sk_buff *skb);
void to_many(u8 pf, struct sk_buff *skb);
void to_the_link(u8 pf, struct sk_buff *skb);
void to_nowhere(u8 pf, struct sk_buff *skb);
void from_another_pair(u8 pf, struct sk_buff *skb);
void from_zeros(u8 pf, struct sk_buff *skb);
void from_the_gateway(u8 pf, struct sk_buff *skb);
void from_the_last_subnet(u8 pf, struct sk_buff *skb);
void from_the_subnet_itself(u8 pf, struct sk_buff *skb);
void from_the_last_identifier(u8 pf, struct sk_buff *skb);
void is_a_hole(u8 pf, struct sk_buff *skb);
void is_cut(u8 pf, struct sk_buff *skb);
void claims_a_short_header(u8 pf, struct sk_buff *skb);
void has_one_hop_left(u8 pf, struct sk_buff *skb);
void was_in_pieces(u8 pf, struct sk_buff *skb);
void was_forwarded(u8 pf, struct sk_buff *skb);
void is_for_another_host(u8 pf, struct sk_buff *skb);
void is_traced(u8 pf, struct sk_buff *skb);
void has_socket(u8 pf, struct sk_buff *skb);
void is_put_together(u8 pf, struct sk_buff *skb);
void is_of_segments(u8 pf, struct sk_buff *skb);
void is_given_to_a_program(u8 pf, struct sk_buff *skb);
void meets_no_memory(u8 pf, struct sk_buff *skb);

#endif
