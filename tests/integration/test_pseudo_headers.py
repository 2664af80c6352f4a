# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever protocol has addresses in its checksum arrives right, by itself and in the quote of an ICMP error.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10
    A6 fd00:1::2 = 2001:db8:1::2       X6 2001:db8:3::10
"""

import socket
from collections import namedtuple

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import (HAO, ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting,
                                PadN)
from scapy.packet import Raw

from ipv6 import HOP
from net import A, A6, A6_OUT, A_OUT, PAIRS, PAIRS6, X, X6
from packets import checksum, expression, row
from wire import Wire, Wire6

pytestmark = expression

# A protocol's number, what it carries with a checksum of 0, where that is, whether it has a pseudo header over
# IPv4 and over IPv6 (None: not known there), and how many bytes are summed up where not all are.
Protocol = namedtuple("Protocol", "number content at ipv4 ipv6 summed", defaults=[None])

TEXT = bytes(range(1, 41))
ROUTER = bytes([10, 9, 8, 7])

PROTOCOLS = {
    "IGMP":                 Protocol(2, b"\x16\0\0\0\xe0\0\0\x09", 2, False, None),
    "RSVP":                 Protocol(46, b"\x10\x01\0\0\x40\0\0\x08", 2, False, False),
    "EIGRP":                Protocol(88, b"\2\5\0\0" + bytes(16), 2, False, False),
    "OSPF, version 2":      Protocol(89, b"\2\1\0\x18" + ROUTER + bytes(4) + b"\0\0" + bytes(10), 12, False, None),
    "OSPF, version 3":      Protocol(89, b"\3\1\0\x24" + ROUTER + bytes(28), 12, None, True),
    "PIM, hello":           Protocol(103, b"\x20\0\0\0\0\1\0\2\0\x69", 2, False, True),
    "PIM, register":        Protocol(103, b"\x21\0\0\0\0\0\0\0" + TEXT, 2, False, True, 8),
    "VRRP, version 2":      Protocol(112, b"\x21\1\x64\1\0\1\0\0" + ROUTER + bytes(8), 6, False, None),
    "VRRP, version 3":      Protocol(112, b"\x31\1\x64\1\0\x64\0\0" + bytes(16), 6, None, True),
    "PGM":                  Protocol(113, b"\0\1\0\2\0\0\0\0" + TEXT, 6, False, False),
    "mobility":             Protocol(135, b"\x3b\0\0\0\0\0\0\0", 4, None, True),
    "mobility, update":     Protocol(135, b"\x3b\1\5\0\0\0\0\7\xc0\0\0\x3c\1\2\0\0", 4, None, True),
    "UDP-Lite, header":     Protocol(136, b"\0\1\0\2\0\x08\0\0" + TEXT, 6, True, True, 8),
    "HIP":                  Protocol(139, b"\x3b\4\1\x21\0\0\0\0" + TEXT[:32], 4, True, True),
    "Shim6":                Protocol(140, b"\x3b\0\x81\0\0\0\0\0", 4, None, False),
}

Family = namedtuple("Family", "version wire pairs internal external peer error")
FAMILIES = {
    "IPv4": Family(4, Wire, PAIRS, A, A_OUT, X, ICMP(type=3, code=1)),
    "IPv6": Family(6, Wire6, PAIRS6, A6, A6_OUT, X6, ICMPv6DestUnreach()),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture(scope="module")
def wire(family, make_tool):
    wire = family.wire()
    make_tool(wire.gateway).sync(family.pairs)
    yield wire
    wire.close()


def pseudo(source, target, number, length):
    """RFC 768, RFC 8200."""
    if ":" in source:
        addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
        return addresses + length.to_bytes(4, "big") + bytes([0, 0, 0, number])
    return socket.inet_aton(source) + socket.inet_aton(target) + bytes([0, number]) + length.to_bytes(2, "big")


def content(protocol, source, target):
    """What it carries, its checksum computed for these two addresses."""
    length = protocol.summed or len(protocol.content)
    covered = protocol.content[:length]
    if protocol.ipv6 if ":" in source else protocol.ipv4:
        covered = pseudo(source, target, protocol.number, length) + covered
    at = protocol.at
    return protocol.content[:at] + checksum(covered).to_bytes(2, "big") + protocol.content[at + 2:]


def packet(protocol, source, target, hops):
    if ":" in source:
        return IPv6(src=source, dst=target, nh=protocol.number, hlim=hops) / content(protocol, source, target)
    return IP(src=source, dst=target, proto=protocol.number, id=7, ttl=hops) / content(protocol, source, target)


@pytest.fixture(params=PROTOCOLS)
def protocol(request, family):
    protocol = PROTOCOLS[request.param]
    if (protocol.ipv6 if family.version == 6 else protocol.ipv4) is None:
        pytest.skip("not of this family")
    return protocol


def test_outbound(wire, family, protocol):
    wire.inside.send(packet(protocol, family.internal, family.peer, 64))
    wire.expect(outside=[packet(protocol, family.external, family.peer, 63)])


def test_inbound(wire, family, protocol):
    wire.outside.send(packet(protocol, family.peer, family.external, 64))
    wire.expect(inside=[packet(protocol, family.peer, family.internal, 63)])


def quoting(family, source, target, hops, quoted):
    header = (IPv6(src=source, dst=target, hlim=hops) if family.version == 6 else
              IP(src=source, dst=target, id=7, ttl=hops))
    return header / family.error / Raw(bytes(quoted))


def test_quoted_inbound(wire, family, protocol):
    about = [packet(protocol, address, family.peer, 9) for address in (family.external, family.internal)]
    wire.outside.send(quoting(family, family.peer, family.external, 64, about[0]))
    wire.expect(inside=[quoting(family, family.peer, family.internal, 63, about[1])])


def test_quoted_outbound(wire, family, protocol):
    about = [packet(protocol, family.peer, address, 9) for address in (family.internal, family.external)]
    wire.inside.send(quoting(family, family.internal, family.peer, 64, about[0]))
    wire.expect(outside=[quoting(family, family.external, family.peer, 63, about[1])])


HOME, AWAY = "2001:db8:44::1", HAO(hoa="2001:db8:44::1")
ANOTHER, LOOKALIKE = PadN(optdata=b"\0"), PadN(optdata=b"\xc9\x10" + bytes(16))


def options(*given):
    return IPv6ExtHdrDestOpt(options=list(given))


def routing(left):
    return IPv6ExtHdrRouting(type=2, segleft=left, addresses=[HOME])


# The pseudo header's addresses where a mobile node is away from home (RFC 6275, 6.1.1, 11.3.1); None: the header's.
MOBILE = [
    #   why                                         in between               source  destination
    row("from away",                                options(AWAY),           HOME,   None),
    row("from away, other options",                 options(ANOTHER, AWAY),  HOME,   None),
    row("from away, other headers",                 HOP / options(AWAY),     HOME,   None),
    row("an option whose content looks like it",    options(LOOKALIKE),      None,   None),
    row("to away",                                  routing(1),              None,   HOME),
    row("to away, arrived",                         routing(0),              None,   None),
]


DATAGRAM = Protocol(17, b"\0\1\0\2\0\x30\0\0" + TEXT, 6, None, True)


@pytest.fixture(scope="module")
def wire6(make_tool):
    wire = Wire6()
    make_tool(wire.gateway).sync(PAIRS6)
    yield wire
    wire.close()


def mobile(source, target, hops, between, number, pseudo_source, pseudo_target):
    between = between.copy()
    between.lastlayer().nh = number
    carried = content(DATAGRAM if number == 17 else PROTOCOLS["mobility, update"],
                      pseudo_source or source, pseudo_target or target)
    return IPv6(src=source, dst=target, hlim=hops) / between / carried


@pytest.mark.parametrize("number", [row("UDP", 17), row("mobility", 135)])
@pytest.mark.parametrize("between, source, target", MOBILE)
def test_mobile(wire6, between, source, target, number):
    wire6.inside.send(mobile(A6, X6, 64, between, number, source, target))
    wire6.expect(outside=[mobile(A6_OUT, X6, 63, between, number, source, target)])
    wire6.outside.send(mobile(X6, A6_OUT, 64, between, number, source, target))
    wire6.expect(inside=[mobile(X6, A6, 63, between, number, source, target)])
