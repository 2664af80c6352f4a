# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMPv6 errors reach their hosts, and the packets they quote have the addresses that those hosts know.

              inside ──── gateway ──── outside
    A6 fd00:1::2 = 2001:db8:1::2       X6 2001:db8:3::10, R2_6 2001:db8:2::2
    B6 fd00:1::3 = 2001:db8:1:ffff:ffff:ffff:ffff:3
    C6 fd00:1::9, R1_6 fd00:1::17, no pairs
"""

from collections import namedtuple

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6ParamProblem,
                                ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment)
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

from ipv6 import HOP, ON_ITS_WAY, OPTIONS
from net import A6, A6_OUT, B6, B6_OUT, C6, GATEWAY6_IN, GATEWAY6_OUT, PAIRS6, R1_6, R2_6, X6
from packets import DCCP, UDPLite, add, checksum, expression, pseudo_header, row, same
from wire import Wire6

pytestmark = expression
WIRE = Wire6

# Of the error and of the packet it quotes: (source, destination) before and after the gateway.
Way = namedtuple("Way", "enters leaves outer quoted")

WAYS = {
    "from the peer":
        Way("outside", "inside", [(X6, A6_OUT), (X6, A6)], [(A6_OUT, X6), (A6, X6)]),
    "from a router outside":
        Way("outside", "inside", [(R2_6, A6_OUT), (R2_6, A6)], [(A6_OUT, X6), (A6, X6)]),
    "from the host":
        Way("inside", "outside", [(A6, X6), (A6_OUT, X6)], [(X6, A6), (X6, A6_OUT)]),
    "from a router inside":
        Way("inside", "outside", [(R1_6, X6), (R1_6, X6)], [(X6, A6), (X6, A6_OUT)]),
    "from the host, hairpin":
        Way("inside", "inside", [(B6, A6_OUT), (B6_OUT, A6)], [(A6_OUT, B6), (A6, B6_OUT)]),
    "from a router inside, hairpin":
        Way("inside", "inside", [(R1_6, A6_OUT), (R1_6, A6)], [(A6_OUT, B6), (A6, B6_OUT)]),
    "about no pair":
        Way("outside", "inside", [(R2_6, C6), (R2_6, C6)], [(C6, X6), (C6, X6)]),
    "about no pair, to a pair":
        Way("outside", "inside", [(R2_6, A6_OUT), (R2_6, A6)], [(C6, X6), (C6, X6)]),
}

TEXT = b"The quick brown fox jumps"

ERRORS = [
    row("no route",               ICMPv6DestUnreach(code=0)),
    row("port unreachable",       ICMPv6DestUnreach(code=4)),
    row("packet too big",         ICMPv6PacketTooBig(mtu=1280)),
    row("hop limit exceeded",     ICMPv6TimeExceeded(code=0)),
    row("reassembly too long",    ICMPv6TimeExceeded(code=1)),
    row("parameter problem",      ICMPv6ParamProblem(ptr=40)),
]

QUOTES = [
    #   why                              what the quoted packet carries            bytes quoted
    row("TCP, whole",                    TCP(seq=7) / TEXT,                        None),
    row("TCP, 8 bytes",                  TCP(seq=7) / TEXT,                        48),
    row("TCP, cut inside its checksum",  TCP(chksum=0x1234),                       57),
    row("TCP, cut after its checksum",   TCP(seq=7) / TEXT,                        58),
    row("UDP, whole",                    UDP() / TEXT,                             None),
    row("UDP, 8 bytes",                  UDP() / TEXT,                             48),
    row("UDP, checksum 0",               UDP(chksum=0) / TEXT,                     None),
    row("UDP-Lite",                      UDPLite(coverage=8) / TEXT,               None),
    row("DCCP",                          DCCP() / TEXT,                            None),
    row("echo request",                  ICMPv6EchoRequest(id=9, data=TEXT),       None),
    row("SCTP",                          SCTP(tag=9),                              None),
    row("IPv6 header only",              TCP() / TEXT,                             40),
    row("options, UDP",                  OPTIONS / UDP() / TEXT,                   None),
    row("hop-by-hop, options, TCP",      HOP / OPTIONS / TCP() / TEXT,             None),
    row("cut inside the options",        OPTIONS / UDP(chksum=5) / TEXT,           44),
    row("routing on its way, TCP",       ON_ITS_WAY / TCP() / TEXT,                None),
    row("first fragment, UDP",           IPv6ExtHdrFragment(m=1, id=7) / UDP() / TEXT, None),
    row("later fragment",                IPv6ExtHdrFragment(offset=90, id=7, nh=17) / Raw(bytes(UDP(chksum=7))), None),
    row("1232 bytes in all",             TCP() / bytes(4000),                      1232),
]

GARBAGE = [
    #   why                              where the quote should be
    row("nothing",                       b""),
    row("39 bytes",                      bytes(IPv6(src=A6_OUT, dst=X6))[:39]),
    row("IPv4",                          b"\x45" + bytes(range(1, 80))),
    row("text",                          TEXT),
]


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def errors(way, error, quote):
    """The error before and behind the gateway; `quote` makes bytes of source and destination."""
    return [IPv6(src=outer[0], dst=outer[1], hlim=hlim) / error / Raw(quote(*quoted))
            for outer, quoted, hlim in zip(way.outer, way.quoted, (64, 63))]


def quoting(carried, length=None):
    return lambda source, target: bytes(IPv6(src=source, dst=target, hlim=9) / carried)[:length]


def passes(wire, way, sent, seen):
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [seen]})


@pytest.mark.parametrize("error", ERRORS)
def test_error(wire, tool, conntrack, way, error):
    passes(wire, way, *errors(way, error, quoting(TCP(seq=7) / TEXT)))


@pytest.mark.parametrize("carried, length", QUOTES)
def test_quote(wire, tool, way, carried, length):
    passes(wire, way, *errors(way, ICMPv6PacketTooBig(mtu=1280), quoting(carried, length)))


@pytest.mark.parametrize("before", [row("at once", None), row("behind options", OPTIONS)])
@pytest.mark.parametrize("carried, length", [
    row("UDP", UDP() / TEXT, None),
    row("options, TCP", OPTIONS / TCP() / TEXT, None),
    row("no checksum in it", TCP() / TEXT, 48),
])
def test_checksum_left_to_offload(wire, tool, way, before, carried, length):
    error = ICMPv6PacketTooBig(mtu=1280)
    sent, seen = errors(way, before / error if before else error, quoting(carried, length))
    data, start = bytes(sent), 40 + len(before or b"")
    pseudo = checksum(pseudo_header(IPv6(data), len(data) - start)[:-1] + b"\x3a") ^ 0xffff
    unfinished = data[:start + 2] + pseudo.to_bytes(2, "big") + data[start + 4:]
    getattr(wire, way.enters).send_unfinished(unfinished, start, start + 2)
    wire.expect(**{way.leaves: [seen]})


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_passes_behind_its_translated_header(wire, tool, garbage):
    for name in ("from the peer", "from the host"):
        passes(wire, WAYS[name], *errors(WAYS[name], ICMPv6TimeExceeded(), lambda *_: garbage))


@pytest.mark.parametrize("at", [row("of the error", 42), row("of the quote", 40 + 8 + 40 + 16)])
def test_wrong_checksum_stays_as_wrong(wire, tool, way, at):
    """A wrong quote makes the error's own checksum right over wrong bytes: both stay as they are."""
    def wrong(source, target):
        return add(quoting(TCP(seq=7) / TEXT)(source, target), at - 48, 0x111)

    sent, seen = errors(way, ICMPv6PacketTooBig(), wrong if at > 48 else quoting(TCP(seq=7) / TEXT))
    passes(wire, way, *((sent, seen) if at > 48 else (add(sent, at, 0x111), add(seen, at, 0x111))))


# What the gateway itself has to say.
NARROW = "2001:db8:3::20"
ABSENT, E6, E6_OUT = "2001:db8:2::66", "fd00:1::66", "2001:db8:1::66"

OWN = [
    #   why                        enters     the packet        hop limit  error                          told
    row("hop limit, outbound",     "inside",  (A6, X6),         1,  ICMPv6TimeExceeded(),                 A6),
    row("hop limit, inbound",      "outside", (X6, A6_OUT),     1,  ICMPv6TimeExceeded(),                 X6),
    row("hop limit, hairpin",      "inside",  (A6, B6_OUT),     1,  ICMPv6TimeExceeded(),                 A6),
    row("hop limit, no pair",      "inside",  (C6, X6),         1,  ICMPv6TimeExceeded(),                 C6),
    row("MTU, outbound",           "inside",  (A6, NARROW),     9,  ICMPv6PacketTooBig(mtu=1280),         A6),
    row("MTU, inbound",            "outside", (X6, B6_OUT),     9,  ICMPv6PacketTooBig(mtu=1280),         X6),
    row("no neighbour, outbound",  "inside",  (A6, ABSENT),     9,  ICMPv6DestUnreach(code=3),            A6),
    row("no neighbour, inbound",   "outside", (X6, E6_OUT),     9,  ICMPv6DestUnreach(code=3),            X6),
]


@pytest.fixture(scope="module")
def complaining(wire, tool):
    """The gateway has something to complain about, and says so at once."""
    wire.errors_without_limit()
    tool.sync({**PAIRS6, E6: E6_OUT})
    wire.gateway.ip(f"route replace {NARROW} via {R2_6} mtu lock 1280\nroute replace {B6} dev in0 mtu lock 1280")
    for interface in ("in0", "out0"):
        wire.gateway.sysctl(**{f"net__ipv6__neigh__{interface}__mcast_solicit": 1,
                               f"net__ipv6__neigh__{interface}__retrans_time_ms": 50})
    yield
    tool.sync(PAIRS6)
    wire.gateway.ip(f"route delete {NARROW}\nroute delete {B6}")


@pytest.mark.parametrize("enters, packet, hlim, error, told", OWN)
def test_own_error(wire, conntrack, complaining, enters, packet, hlim, error, told):
    """Ignored: the source, which is any address of the gateway, and the flow label."""
    wire.drain()
    carried = UDP() / bytes(1372)
    getattr(wire, enters).send(IPv6(src=packet[0], dst=packet[1], hlim=hlim) / carried)
    got = (wire.outside if told == X6 else wire.inside).receive()
    assert got, "the gateway says nothing"

    forwarded = isinstance(error, ICMPv6DestUnreach)
    quote = bytes(IPv6(src=packet[0], dst=packet[1], hlim=hlim - forwarded) / carried)[:1232]
    assert IPv6(got).src in (GATEWAY6_IN, GATEWAY6_OUT)
    same(got, IPv6(src=IPv6(got).src, dst=told, hlim=64, fl=IPv6(got).fl) / error / Raw(quote))
    wire.expect()
