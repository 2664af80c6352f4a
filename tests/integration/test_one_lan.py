# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts of one LAN talk to one another by their external addresses, and the gateway shows nobody a way past itself.

    A 10.0.0.2  = 198.51.100.2  fd00:1::2 = 2001:db8:1::2  ─┐
    B 10.0.0.3  = 198.51.100.3  fd00:1::3 = 2001:db8:1:…:3 ─┼─ switch ─── gateway ─── X 203.0.113.10 2001:db8:3::10
    C 10.0.0.9, R1 10.0.0.17, no pairs                     ─┘    └ X, where the gateway has one arm
"""

import pytest
from scapy.layers.inet import ICMP, IP, IPerror
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_Redirect, IPv6

from lan import FAMILIES, Lan, answered
from net import PAIRS, PAIRS6
from network import ask, carry
from packets import row
from tool import Tool

CONTENT = bytes(range(250)) * 400
ECHO = {4: ICMP, 6: ICMPv6EchoRequest}


@pytest.fixture
def make(tmp_path):
    """A LAN that has learned nothing yet, whose gateway holds the pairs of both families."""
    made = []

    def make(exempt=(), **options):
        made.append(Lan(**options))
        Tool(made[-1].gateway, tmp_path).sync({**PAIRS, **PAIRS6}, exempt_destinations=list(exempt))
        return made[-1]

    yield make
    for lan in made:
        lan.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def redirects(tap):
    return [packet for packet in tap.frames()
            if packet.haslayer(ICMPv6ND_Redirect) or packet.haslayer(ICMP) and packet[ICMP].type == 5]


EXEMPT = [row("nothing exempt", []), row("inside exempt", ["10.0.0.0/8", "fd00::/8"])]
ARMS = [row("two arms", False), row("one arm", True)]

TALKS = [
    #   why                     from    to      to which address    which the server sees as
    row("one to the other",     "a",    "b",    "b_out",            "a_out"),
    row("one to itself",        "a",    "a",    "a_out",            "a_out"),
]


@pytest.mark.parametrize("exempt", EXEMPT)
@pytest.mark.parametrize("client, server, address, seen_as", TALKS)
def test_hairpin(make, family, client, server, address, seen_as, exempt):
    """Twelve pings, during which a redirect would be learned and obeyed; then connections and datagrams."""
    lan = make(exempt)
    client, server, address = getattr(lan, client), getattr(lan, server), getattr(family, address)
    seen_as = getattr(family, seen_as)
    assert answered(client, address, 12) == 12
    assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)
    assert ask(client, server, address) == (b"hello", seen_as)


def test_one_arm(make, family):
    """The host does not learn to go past the gateway, nor does the router outside."""
    lan = make(one_armed=True)
    at_a, at_x = lan.tap(lan.a), lan.tap(lan.x)
    for client, address, tap, source, target in ((lan.a, family.x, at_x, family.a_out, family.x),
                                                 (lan.x, family.a_out, at_a, family.x, family.a)):
        at_a.frames(), at_x.frames()
        assert answered(client, address, 20, "-I", family.x if client is lan.x else family.a) == 20
        asked = [(packet.src, packet.dst) for packet in tap.packets(ECHO[family.version])]
        assert asked == [(source, target)] * 20
    assert carry(lan.a, lan.x, family.x, CONTENT)[:2] == (CONTENT, family.a_out)
    assert carry(lan.x, lan.a, family.a_out, CONTENT)[:2] == (CONTENT, family.x)


@pytest.mark.parametrize("exempt", EXEMPT)
@pytest.mark.parametrize("one_armed", ARMS)
def test_no_redirect_about_a_translated_packet(make, family, one_armed, exempt):
    lan = make(exempt, one_armed=one_armed)
    taps = {name: lan.tap(getattr(lan, name)) for name in ("a", "b", "c", "x")}
    talks = [(lan.a, family.b_out), (lan.a, family.a_out), (lan.c, family.a_out), (lan.a, family.x)]
    for client, address in talks:
        assert answered(client, address, 5) == 5
    assert {name: redirects(tap) for name, tap in taps.items()} == dict.fromkeys(taps, [])


def test_redirect_about_a_packet_of_no_pair(make, family):
    """C, which thinks that R1 is behind the gateway, is told that it is not; so it is where there is no gateway of ours."""
    lan = make()
    lan.c.ip(f"route add {family.r1} via {family.gateway}")
    tap = lan.tap(lan.c)
    assert answered(lan.c, family.r1, 5) == 5
    told = redirects(tap)
    assert told
    for packet in told:
        if family.version == 4:
            assert (packet[IP].src, packet[IP].dst, packet[ICMP].gw) == (family.gateway, family.c, family.r1)
            assert (packet[IPerror].src, packet[IPerror].dst) == (family.c, family.r1)
        else:
            redirect = packet[ICMPv6ND_Redirect]
            assert (packet[IPv6].dst, redirect.tgt, redirect.dst) == (family.c, family.r1, family.r1)
