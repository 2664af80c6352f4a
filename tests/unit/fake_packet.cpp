// SPDX-License-Identifier: GPL-2.0-or-later
// What the packet face calls of the kernel, for fake packets.
#include "fake_packet.hpp"

using fake::Packet;

void* skb_header_pointer(const sk_buff* skb, int offset, int length, void* buffer) {
    auto& packet = const_cast<Packet&>(static_cast<const Packet&>(*skb));
    return packet.pointer(static_cast<unsigned>(offset), static_cast<unsigned>(length), buffer);
}

int skb_ensure_writable(sk_buff* skb, unsigned length) {
    return static_cast<Packet&>(*skb).ensure_writable(length);
}

void icmpv6_send(sk_buff*, __u8, __u8, __u32) {}
