# SPDX-License-Identifier: GPL-2.0-or-later
"""Who has no pair, and asks for the external address of one: what works, by which rule of one's own, and what does not.

    A 10.0.0.2  fd00:1::2 (pair) ─┐
    C 10.0.0.9  fd00:1::9 ────────┴─ switch ─── gateway ─── X 203.0.113.10 2001:db8:3::10
    F 10.0.5.5  fd00:5::5 ───────────────────────┘

C shares its LAN with A, so that A answers it past the gateway; F does not.
"""

import contextlib
import socket

import pytest
from scapy.layers.inet import UDP

from lan import Lan
from net import ALL_PAIRS, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, INSIDE
from network import PORT, ask, carry
from packets import expression, row

CONTENT = bytes(range(250)) * 40
# By family: of F, and of the gateway on both sides.
FAR = {4: "10.0.5.5", 6: "fd00:5::5"}
OUTER, INNER = {4: GATEWAY_OUT, 6: GATEWAY6_OUT}, {4: GATEWAY_IN, 6: GATEWAY6_IN}

# What the gateway itself sends to the external address, conntrack leads to the host.
OUTPUT = """table {ip} other {{
    chain output {{ type nat hook output priority -100; {ip} daddr {a_out} dnat to {a}; }}
}}"""
# What comes from the host's own LAN has the gateway's address, so that the answer takes the same way.
SAME_LAN = """table {ip} other {{
    chain back {{ type nat hook postrouting priority srcnat; iifname "lan" oifname "lan" masquerade; }}
}}"""

EXEMPT = {"exempt_destinations": INSIDE}
FOLLOW = {"conntrack": "follow"}
BOTH = {**FOLLOW, **EXEMPT}
WORKS = [
    #   why                                         who         settings    rules       whom A sees
    row("another network",                          "far",      {},         None,       FAR),
    row("the gateway",                              "gateway",  {},         OUTPUT,     OUTER),
    row("the gateway, inside exempt",               "gateway",  EXEMPT,     OUTPUT,     OUTER),
]
FOLLOWED = [
    row("another network, followed",                "far",      FOLLOW,     None,       FAR),
    row("the gateway, followed",                    "gateway",  FOLLOW,     OUTPUT,     OUTER),
    row("the same LAN, followed",                   "c",        FOLLOW,     SAME_LAN,   INNER),
]


class Reflected(Lan):
    def __init__(self, make_tool):
        super().__init__()
        self.far = self.another("far", 5)
        self.tool = make_tool(self.gateway)

    def load(self, settings):
        self.tool.sync(ALL_PAIRS, **settings)

    @contextlib.contextmanager
    def beside(self, rules, family):
        """Rules of one's own, for one test."""
        ip = "ip" if family.version == 4 else "ip6"
        self.gateway.nft((rules or "table {ip} other {{}}").format(ip=ip, a=family.a, a_out=family.a_out))
        try:
            yield
        finally:
            self.gateway.nft(f"delete table {ip} other")
            self.gateway.run("conntrack", "-F")


@pytest.fixture(scope="module")
def lan(make_tool):
    lan = Reflected(make_tool)
    yield lan
    lan.close()


def try_it(lan, family, who, settings, rules, seen):
    lan.load(settings)
    client = getattr(lan, who)
    with lan.beside(rules, family):
        assert ask(client, lan.a, family.a_out) == (b"hello", seen[family.version])
        assert carry(client, lan.a, family.a_out, CONTENT)[:2] == (CONTENT, seen[family.version])


@pytest.mark.parametrize("who, settings, rules, seen", WORKS)
def test_what_works(lan, family, who, settings, rules, seen):
    try_it(lan, family, who, settings, rules, seen)


@expression
@pytest.mark.parametrize("who, settings, rules, seen", FOLLOWED)
def test_what_works_where_conntrack_follows(lan, family, who, settings, rules, seen):
    try_it(lan, family, who, settings, rules, seen)


WORKS_NOT = [
    #   why                                 who     settings    where the answer arrives, and from whom
    row("the same LAN",                     "c",    {},         "a"),
    row("the same LAN, inside exempt",      "c",    EXEMPT,     "a"),
    row("another network, exempt",          "far",  EXEMPT,     "a"),
    row("the same LAN, followed",           "c",    FOLLOW,     "a",    marks=expression),
    row("another network, both",            "far",  BOTH,       "a",    marks=expression),
]


@pytest.mark.parametrize("who, settings, seen", WORKS_NOT)
def test_what_does_not(lan, family, who, settings, seen):
    """A gets the question, and its answer comes from its internal address, which nobody has asked."""
    lan.load(settings)
    client = getattr(lan, who)
    tap = lan.tap(client)
    ip = socket.AF_INET if family.version == 4 else socket.AF_INET6
    with lan.a.socket(ip, socket.SOCK_DGRAM) as asked, client.socket(ip, socket.SOCK_DGRAM) as asking:
        asked.bind(("", PORT))
        asked.settimeout(60)
        asking.sendto(b"hello", (family.a_out, PORT))
        heard, peer = asked.recvfrom(100)
        asked.sendto(heard, peer)
        assert {source for source, _ in tap.ends(UDP)} == {getattr(family, seen)}


def test_the_gateway_without_a_rule(lan, family):
    """What it sends goes the way of its routes, which is outside."""
    lan.load({})
    tap = lan.tap(lan.x)
    with lan.gateway.socket(socket.AF_INET if family.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"hello", (family.a_out, PORT))
    assert family.a_out in {target for _, target in tap.ends(UDP)}
