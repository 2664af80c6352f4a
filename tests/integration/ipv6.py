# SPDX-License-Identifier: GPL-2.0-or-later
"""Extension headers of IPv6, and packets in fragments."""

import itertools

from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN

HOP = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0\0")])
OPTIONS = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(10))])
ATOMIC = IPv6ExtHdrFragment(id=7)
ARRIVED = IPv6ExtHdrRouting(segleft=0, addresses=["2001:db8:77::1"])
ON_ITS_WAY = IPv6ExtHdrRouting(segleft=1, addresses=["2001:db8:77::1"])

# Of packets in fragments: a receiver must not mix two of them.
identity = itertools.count(1)


def fragments(packet, size, identity):
    """The packet in fragments that carry `size` bytes, a multiple of 8."""
    whole = bytes(packet)
    header, rest = packet.copy(), whole[40:]
    header.remove_payload()
    for start in range(0, len(rest), size):
        more = start + size < len(rest)
        fragment = IPv6ExtHdrFragment(nh=whole[6], offset=start // 8, m=more, id=identity)
        yield header / fragment / rest[start:start + size]


def put_together(fragments):
    """The packet that the fragments, each with nothing but a fragment header, are of."""
    fragments = sorted(fragments, key=lambda packet: int.from_bytes(packet[42:44], "big") & 0xfff8)
    whole = bytearray(fragments[0][:40] + b"".join(packet[48:] for packet in fragments))
    whole[4:6], whole[6] = (len(whole) - 40).to_bytes(2, "big"), fragments[0][40]
    return bytes(whole)
