# SPDX-License-Identifier: GPL-2.0-or-later
"""An IPv6 packet of any transport, behind any extension headers, crosses the gateway translated.

              inside ──── gateway ──── outside
    A6 fd00:1::2 = 2001:db8:1::2       X6 2001:db8:3::10
    B6 fd00:1::3 = 2001:db8:1:ffff:ffff:ffff:ffff:3
    C6 fd00:1::9, no pair
"""

from collections import namedtuple

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6Unknown, IPv6
from scapy.layers.sctp import SCTP, SCTPChunkData

from ipv6 import ARRIVED, ATOMIC, HOP, ON_ITS_WAY, OPTIONS, fragments, identity, put_together
from net import A6, A6_OUT, B6, B6_OUT, C6, X6
from packets import DCCP, TEXT, UDPLite, add, checksum, expression, pseudo_header, row, same
from wire import Wire6

pytestmark = pytest.mark.usefixtures("conntrack")
WIRE = Wire6

Way = namedtuple("Way", "enters leaves sent seen")  # sent and seen: source and destination

WAYS = {
    "outbound": Way("inside", "outside", (A6, X6), (A6_OUT, X6)),
    "outbound, words of ones": Way("inside", "outside", (B6, X6), (B6_OUT, X6)),
    "inbound": Way("outside", "inside", (X6, A6_OUT), (X6, A6)),
    "hairpin": Way("inside", "inside", (A6, B6_OUT), (A6_OUT, B6)),
    "outbound, no pair": Way("inside", "outside", (C6, X6), (C6, X6)),
    "inbound, no pair": Way("outside", "inside", (X6, C6), (X6, C6)),
}

PACKETS = [
    #   why                         what the IPv6 header carries
    row("TCP",                      TCP(seq=7, flags="PA") / TEXT),
    row("TCP, 1500 bytes",          TCP() / bytes(1440)),
    row("UDP",                      UDP() / TEXT),
    row("UDP, nothing in it",       UDP()),
    row("UDP, checksum 0",          UDP(chksum=0) / TEXT),
    row("UDP-Lite, header covered", UDPLite(coverage=8) / TEXT),
    row("UDP-Lite, all covered",    UDPLite() / TEXT),
    row("DCCP, all covered",        DCCP() / TEXT, marks=expression),
    row("DCCP, header covered",     DCCP(cscov=1) / TEXT, marks=expression),
    row("SCTP",                     SCTP(tag=9) / SCTPChunkData(data=TEXT)),
    row("echo request",             ICMPv6EchoRequest(id=9, data=TEXT)),
    row("echo reply",               ICMPv6EchoReply(id=9, data=TEXT)),
    row("unknown informational",    ICMPv6Unknown(type=200, msgbody=TEXT)),
    row("hop-by-hop, TCP",          HOP / TCP() / TEXT),
    row("options, UDP",             OPTIONS / UDP() / TEXT),
    row("routing done, TCP",        ARRIVED / TCP() / TEXT),
    row("hop-by-hop, options, routing, options, UDP", HOP / OPTIONS / ARRIVED / OPTIONS / UDP() / TEXT),
    row("hop-by-hop, echo request", HOP / ICMPv6EchoRequest(data=TEXT)),
    row("routing on its way, TCP",  ON_ITS_WAY / TCP() / TEXT, marks=expression),
    row("options, nothing",         OPTIONS),
    row("options, SCTP",            OPTIONS / SCTP(tag=9)),
]

RAW = [
    #   why                         next header, and what it is
    row("ESP",                      50,  bytes(range(40))),
    row("no next header",           59,  b""),
    row("no next header, rest",     59,  bytes(range(40))),
    row("GRE",                      47,  b"\0\0\x86\xdd" + bytes(IPv6(src=A6, dst=X6) / UDP())),
    row("IPv6 in IPv6",             41,  bytes(IPv6(src=A6, dst=X6) / UDP())),
    row("unknown protocol",         253, bytes(range(40))),
]


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def sent_and_seen(way, **fields):
    """The IPv6 header of one packet as it is sent and as it must be seen behind the gateway."""
    return (IPv6(src=way.sent[0], dst=way.sent[1], hlim=64, tc=0xbb, fl=0x12345, **fields),
            IPv6(src=way.seen[0], dst=way.seen[1], hlim=63, tc=0xbb, fl=0x12345, **fields))


def crosses(wire, way, sent, seen):
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [seen]})


@pytest.mark.parametrize("carried", PACKETS)
def test_packet(wire, way, conntrack, carried):
    sent, seen = sent_and_seen(way)
    crosses(wire, way, sent / carried, seen / carried)


@pytest.mark.parametrize("before, behind", [
    row("TCP", None, TCP() / TEXT),
    row("all headers in their order", HOP / OPTIONS / ARRIVED, OPTIONS / UDP() / TEXT),
])
def test_atomic_fragment(wire, way, conntrack, before, behind):
    """A fragment header on a packet that is whole (RFC 6946); reassembly takes it away."""
    sent, seen = (header / before if before else header for header in sent_and_seen(way))
    crosses(wire, way, sent / ATOMIC / behind, seen / behind if conntrack else seen / ATOMIC / behind)


@pytest.mark.parametrize("protocol, carried", RAW)
def test_raw(wire, way, protocol, carried):
    sent, seen = sent_and_seen(way, nh=protocol)
    crosses(wire, way, sent / carried, seen / carried)


CHECKED = [
    #   why                         what it carries         offset of its checksum
    row("TCP",                      TCP(seq=7) / TEXT,      16),
    row("UDP",                      UDP() / TEXT,           6),
    row("UDP-Lite",                 UDPLite() / TEXT,       6),
    row("DCCP",                     DCCP() / TEXT,          6, marks=expression),
    row("ICMPv6",                   ICMPv6EchoRequest(data=TEXT), 2),
]


@pytest.mark.parametrize("carried, at", CHECKED)
@pytest.mark.parametrize("amount", [1, 0x8000])
def test_wrong_checksum_stays_as_wrong(wire, way, carried, at, amount):
    sent, seen = sent_and_seen(way)
    crosses(wire, way, add(sent / carried, 40 + at, amount), add(seen / carried, 40 + at, amount))


ZEROS = [
    #   why                                     what it carries, to be filled up to a sum of 0
    row("UDP, sent as 0xffff",                  UDP() / bytes(2),              6),
    row("UDP-Lite, sent as 0xffff",             UDPLite() / bytes(2),          6),
    row("ICMPv6, sent as 0",                    ICMPv6EchoRequest(data=bytes(2)), 2, marks=expression),
    row("TCP, sent as 0",                       TCP() / bytes(2),              16, marks=expression),
]


@pytest.mark.parametrize("carried, at", ZEROS)
def test_checksum_computed_as_zero(wire, way, carried, at):
    sent, seen = sent_and_seen(way)
    filling = bytes(seen / carried)[40 + at:][:2]
    carried = carried.copy()
    if isinstance(carried, ICMPv6EchoRequest):
        carried.data = filling
    else:
        carried.payload.load = filling
    assert bytes(seen / carried)[40 + at:][:2] in (b"\0\0", b"\xff\xff")
    crosses(wire, way, sent / carried, seen / carried)


FRAGMENTED = [
    #   why                         what it carries
    row("TCP",                      TCP() / bytes(range(200)) / bytes(1000)),
    row("UDP",                      UDP() / bytes(range(200)) / bytes(1000)),
    row("DCCP",                     DCCP() / bytes(1200), marks=expression),
    row("echo request",             ICMPv6EchoRequest(data=bytes(1300))),
]
ORDERS = {"in order": (0, 1, 2, 3), "backwards": (3, 2, 1, 0), "shuffled": (2, 0, 3, 1)}


@pytest.mark.parametrize("carried", FRAGMENTED)
@pytest.mark.parametrize("order", ORDERS)
def test_fragments(wire, way, carried, order):
    """Conntrack, where it is in use, puts the packet together and cuts it anew."""
    number = next(identity)
    sent, seen = sent_and_seen(way)
    pieces = list(fragments(sent / carried, 400, number))
    for index in ORDERS[order]:
        getattr(wire, way.enters).send(pieces[index])
    inside, outside = wire.drain()
    got, nothing = (inside, outside) if way.leaves == "inside" else (outside, inside)
    assert len(got) > 1 and not nothing
    same(put_together(got), seen / carried)


@expression
@pytest.mark.parametrize("which", [0, 1, 3])
def test_lone_fragment(wire, way, conntrack, which):
    """Without conntrack each fragment passes by itself; with it none does until all have come."""
    number, carried = next(identity), UDP() / bytes(392) / TCP(chksum=99) / bytes(900)
    sent, seen = (list(fragments(whole / carried, 400, number))[which] for whole in sent_and_seen(way))
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [] if conntrack else [seen]})


@pytest.mark.parametrize("carried, at", [row("TCP", TCP(seq=7, flags="PA") / TEXT, 56), row("UDP", UDP() / TEXT, 46)])
def test_checksum_left_to_offload(wire, way, carried, at):
    sent, seen = sent_and_seen(way)
    data = bytes(sent / carried)
    pseudo = checksum(pseudo_header(IPv6(data), len(data) - 40)) ^ 0xffff
    getattr(wire, way.enters).send_unfinished(data[:at] + pseudo.to_bytes(2, "big") + data[at + 2:], 40, at)
    wire.expect(**{way.leaves: [seen / carried]})


@expression
@pytest.mark.parametrize("carried", [
    row("solicitation", ICMPv6ND_NS(tgt=X6)),
    row("advertisement", ICMPv6ND_NA(tgt=A6)),
])
def test_neighbour_discovery_is_left_alone(wire, conntrack, carried):
    """Its receiver checks that no router forwarded it; what matters here is that no address changed."""
    wire.inside.send(IPv6(src=A6, dst=X6, hlim=255) / carried)
    wire.expect(outside=[IPv6(src=A6, dst=X6, hlim=254) / carried])


CUT = [
    #   why                              next header, what is there of it
    row("TCP, 19 bytes",                 6,   bytes(TCP())[:19]),
    row("UDP, 7 bytes",                  17,  bytes(UDP(chksum=5))[:7]),
    row("ICMPv6, 3 bytes",               58,  b"\x80\0\0"),
    row("options, then TCP, 8 bytes",    60,  b"\6\0\1\4\0\0\0\0" + bytes(TCP())[:8]),
    row("options cut off",               60,  b"\6\1\1\4\0\0\0\0"),
    row("options, 1 byte",               60,  b"\6"),
]


@expression
@pytest.mark.parametrize("protocol, carried", CUT)
def test_cut_off(wire, tool, way, protocol, carried):
    """What has a pair is dropped; what has none is forwarded."""
    has_pair = way.sent != way.seen
    sent, seen = sent_and_seen(way, nh=protocol)
    getattr(wire, way.enters).send(sent / carried)
    wire.expect(**{way.leaves: [] if has_pair else [seen / carried]})
