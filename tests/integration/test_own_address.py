# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway keeps its own addresses, though a prefix of a pair covers them; a pair of its own may move one.

    A 10.0.0.2 fd00:1::2 ─── switch ─── 10.0.0.1  gateway 192.0.2.1      ─── X 203.0.113.10 2001:db8:3::10
                                        fd00:1::1         2001:db8:2::1      at 192.0.2.2 2001:db8:2::2
"""

import ipaddress
import socket

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6TimeExceeded, IPerror6, IPv6

from lan import Lan, answered, speak
from net import GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, INSIDE, R2, R2_6
from network import PORT, ask, carry, listening
from packets import expression, row

CONTENT = b"hello" * 1000
# Of the gateway: inside, outside, and what a pair makes of its address inside.
OWN = {4: (GATEWAY_IN, GATEWAY_OUT, "198.51.100.1"), 6: (GATEWAY6_IN, GATEWAY6_OUT, "2001:db8:1::1")}
NEXT_HOP = {4: R2, 6: R2_6}
ECHO_REPLY = {4: ICMP, 6: ICMPv6EchoReply}

LAN = {"10.0.0.0/24": "198.51.100.0/24", "fd00:1::/64": "2001:db8:1::/64"}
BOTH = {"10.0.0.0/24": "192.0.2.0/24", "fd00:1::/64": "2001:db8:2::/64"}

COVERED = [
    #   why                             pairs       exempt destinations
    row("inside",                       LAN,        []),
    row("inside, inside exempt",        LAN,        INSIDE),
    row("inside and outside",           BOTH,       []),
    row("both, inside exempt",          BOTH,       INSIDE),
]
MOVED = {own[0]: own[2] for own in OWN.values()}


@pytest.fixture(scope="module")
def bare():
    lan = Lan()
    yield lan
    lan.close()


@pytest.fixture(scope="module")
def tool(bare, make_tool):
    return make_tool(bare.gateway)


@pytest.fixture(scope="module", params=[row(one.id, one.values, marks=expression) for one in COVERED])
def covered(request, bare, tool):
    """A LAN whose gateway has a pair of prefixes that covers what is in the table."""
    pairs, exempt = request.param
    tool.sync(pairs, exempt_destinations=exempt)
    bare.external = {network.version: network for network in map(ipaddress.ip_network, pairs.values())}
    return bare


def test_between_the_gateway_and_a_host(covered, family):
    """Both ways, both know one another by the addresses that they have."""
    inside, _, _ = OWN[family.version]
    tap = covered.tap(covered.a)
    speak(covered.gateway, inside, family.a, "lan")
    assert tap.ends(UDP) == [(inside, family.a)]
    for client, server, address in ((covered.gateway, covered.a, family.a), (covered.a, covered.gateway, inside)):
        assert answered(client, address, 3) == 3
        seen_as = inside if client is covered.gateway else family.a
        assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)
        assert ask(client, server, address) == (b"hello", seen_as)


def test_between_the_gateway_and_a_peer(covered, family):
    """By the address outside; the next router, too."""
    _, outside, _ = OWN[family.version]
    assert answered(covered.gateway, NEXT_HOP[family.version], 3) == 3
    assert answered(covered.gateway, family.x, 3) == 3
    assert carry(covered.gateway, covered.x, family.x, CONTENT)[:2] == (CONTENT, outside)
    assert ask(covered.gateway, covered.x, NEXT_HOP[family.version]) == (b"hello", outside)
    assert answered(covered.x, outside, 3) == 3
    assert carry(covered.x, covered.gateway, outside, CONTENT)[0] == CONTENT
    assert ask(covered.x, covered.gateway, outside)[0] == b"hello"


def test_address_inside_keeps_its_name_outside(covered, family):
    """What the gateway sends from it, whoever it is for."""
    inside, _, _ = OWN[family.version]
    tap = covered.tap(covered.x)
    speak(covered.gateway, inside, family.x, "out")
    assert tap.ends(UDP) == [(inside, family.x)]


def test_address_inside_is_not_reachable_from_outside(covered, family):
    """A service of the LAN alone stays one."""
    inside, _, would_be = OWN[family.version]
    tap = covered.tap(covered.x)
    with listening(covered.gateway, inside):
        assert answered(covered.x, would_be, 1, "-I", family.x, "-w", "1") == 0
        covered.x.run("timeout", "1", "bash", "-c", f"exec 3<>/dev/tcp/{would_be}/{PORT}", check=False)
    answers = tap.packets(TCP) + tap.packets(ECHO_REPLY[family.version])
    assert [packet for packet in answers if packet.src in (inside, would_be)] == []


EXPIRED = {4: (socket.AF_INET, ICMP, socket.IPPROTO_IP, socket.IP_TTL),
           6: (socket.AF_INET6, ICMPv6TimeExceeded, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)}


def test_first_hop_of_a_hairpin_packet(covered, family):
    """The gateway's error quotes a host that has a pair; the gateway itself has none."""
    inside, _, _ = OWN[family.version]
    of_c = str(covered.external[family.version][9])
    domain, error, level, name = EXPIRED[family.version]
    tap = covered.tap(covered.a)
    with covered.a.socket(domain, socket.SOCK_DGRAM) as host:
        host.setsockopt(level, name, 1)
        host.sendto(b"hello", (of_c, PORT))
    assert [packet.src for packet in tap.packets(error)] == [inside]


QUOTING = {4: (socket.AF_INET, socket.IPPROTO_ICMP, ICMP(type=3, code=1), IP, IPerror),
           6: (socket.AF_INET6, socket.IPPROTO_ICMPV6, ICMPv6DestUnreach(cksum=0), IPv6, IPerror6)}


def test_quoted_address_inside_keeps_its_name_outside(covered, family):
    """In an error of a host with a pair."""
    inside, _, _ = OWN[family.version]
    domain, protocol, error, header, quoted = QUOTING[family.version]
    tap = covered.tap(covered.x)
    with covered.a.socket(domain, socket.SOCK_RAW, protocol) as host:
        host.sendto(bytes(error / header(src=family.x, dst=inside) / UDP()), (family.x, 0))
    assert [packet[quoted].dst for packet in tap.packets(type(error))] == [inside]


@pytest.fixture(scope="module")
def moved(bare, tool):
    """A LAN whose gateway has a pair of its own address inside, as a host."""
    tool.sync(MOVED)
    return bare


def test_pair_of_the_gateway_itself(moved, family):
    """From inside it is as ever; outside, both ways, it is the external one."""
    inside, _, external = OWN[family.version]
    tap = moved.tap(moved.x)
    speak(moved.gateway, inside, family.x, "out")
    assert tap.ends(UDP) == [(external, family.x)]
    assert answered(moved.gateway, family.x, 3, "-I", inside) == 3
    assert answered(moved.x, external, 3, "-I", family.x) == 3
    assert carry(moved.x, moved.gateway, external, CONTENT)[:2] == (CONTENT, family.x)
