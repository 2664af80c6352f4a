# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts of one LAN talk to one another by their external addresses, and the gateway shows nobody a way past itself.

    A 10.0.0.2  = 198.51.100.2  fd00:1::2 = 2001:db8:1::2  ─┐
    B 10.0.0.3  = 198.51.100.3  fd00:1::3 = 2001:db8:1:…:3 ─┼─ switch ─── gateway ─── X 203.0.113.10 2001:db8:3::10
    C 10.0.0.9, R1 10.0.0.17, no pairs                     ─┘    └ X, where the gateway has one arm
"""

import pytest
from scapy.layers.inet import ICMP, IP, IPerror
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_Redirect, IPv6

from lan import Lan, answered
from net import ALL_PAIRS, INSIDE
from network import ask, carry
from packets import row
from tool import ENGINE

CONTENT = bytes(range(250)) * 400
ECHO = {4: ICMP, 6: ICMPv6EchoRequest}


GATEWAYS = [
    #   why                             options of the LAN      exempt destinations
    row("two arms",                     {},                     []),
    row("two arms, inside exempt",      {},                     INSIDE),
    row("one arm",                      {"one_armed": True},    []),
]


@pytest.fixture(scope="module", params=[row(one.id, one.values) for one in GATEWAYS])
def lan(request, make_tool):
    options, exempt = request.param
    lan = Lan(**options)
    make_tool(lan.gateway).sync(ALL_PAIRS, exempt_destinations=exempt)
    yield lan
    lan.close()


def redirects(tap):
    return [frame for frame in tap.frames()
            if frame.haslayer(ICMPv6ND_Redirect) or frame.haslayer(ICMP) and frame[ICMP].type == 5]


def test_through(lan, family):
    """Where there is one arm, neither the host nor the router outside learns to go past the gateway."""
    at_a, at_x = lan.tap(lan.a), lan.tap(lan.x)
    assert answered(lan.a, family.x, 20) == 20
    assert at_x.ends(ECHO[family.version]) == [(family.a_out, family.x)] * 20
    at_a.frames()
    assert answered(lan.x, family.a_out, 20, "-I", family.x) == 20
    assert at_a.ends(ECHO[family.version]) == [(family.x, family.a)] * 20
    assert carry(lan.a, lan.x, family.x, CONTENT)[:2] == (CONTENT, family.a_out)
    assert carry(lan.x, lan.a, family.a_out, CONTENT)[:2] == (CONTENT, family.x)


TALKS = [
    #   why                     from    to      to which address    which the server sees as
    row("one to the other",     "a",    "b",    "b_out",            "a_out"),
    row("one to itself",        "a",    "a",    "a_out",            "a_out"),
]


@pytest.mark.parametrize("client, server, address, seen_as", TALKS)
def test_hairpin(lan, family, client, server, address, seen_as):
    """Twelve pings, during which a redirect would be learned and obeyed; then connections and datagrams."""
    client, server, address = getattr(lan, client), getattr(lan, server), getattr(family, address)
    seen_as = getattr(family, seen_as)
    assert answered(client, address, 12) == 12
    assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)
    assert ask(client, server, address) == (b"hello", seen_as)


def test_no_redirect_about_a_translated_packet(lan, family):
    taps = {name: lan.tap(getattr(lan, name)) for name in ("a", "b", "c", "x")}
    for client, address in ((lan.a, family.b_out), (lan.a, family.a_out), (lan.c, family.a_out), (lan.a, family.x)):
        assert answered(client, address, 5) == 5
    assert {name: redirects(tap) for name, tap in taps.items()} == dict.fromkeys(taps, [])


def test_redirect_about_a_packet_of_no_pair(lan, family):
    """R1, which thinks that C is behind the gateway, is told that it is not."""
    lan.r1.ip(f"route add {family.c} via {family.gateway}")
    tap = lan.tap(lan.r1)
    assert answered(lan.r1, family.c, 5) == 5
    told = redirects(tap)
    # Stock rules cannot tell what a redirect is about (docs/design.md).
    assert bool(told) == (ENGINE == "expression")
    for packet in told:
        if family.version == 4:
            assert (packet[IP].src, packet[IP].dst, packet[ICMP].gw) == (family.gateway, family.r1, family.c)
            assert (packet[IPerror].src, packet[IPerror].dst) == (family.r1, family.c)
        else:
            redirect = packet[ICMPv6ND_Redirect]
            assert (packet[IPv6].dst, redirect.tgt, redirect.dst) == (family.r1, family.c, family.c)
