# SPDX-License-Identifier: GPL-2.0-or-later
"""What is for many, or for the link alone, keeps its addresses, whatever a pair covers and whoever sends it.

    A 10.0.0.2 ─┐                        ┌─ D 10.0.5.5 fd00:5::5, and 169.254.7.7
    C 10.0.0.9 ─┴─ switch ─── gateway ───┤
                     10.0.0.1 fd00:1::1  └─ X 203.0.113.10
"""

import socket
import struct

import pytest
from scapy.layers.inet import ICMP, UDP

from lan import Lan, answered, speak
from net import A, A_OUT, C, GATEWAY6_IN, GATEWAY_IN, X
from network import ask
from packets import expression, row
from tool import TOOL

LINK_LOCAL, LINK_LOCAL_D = "169.254.1.2", "169.254.7.7"
GATEWAY_OUTSIDE, C_OUT = "198.51.100.1", "198.51.100.99"
HOSTS = {A: A_OUT, GATEWAY_IN: GATEWAY_OUTSIDE, GATEWAY6_IN: "2001:db8:1::1"}
PREFIXES = {"10.0.0.0/24": "198.51.100.0/24", "fd00:1::/64": "2001:db8:1::/64"}

# linux/mroute.h
MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC, VIFF_USE_IFINDEX = 200, 202, 204, 8


@pytest.fixture(scope="module", params=[row("hosts", HOSTS), row("prefixes", PREFIXES, marks=expression)])
def lan(request, make_tool):
    lan = Lan()
    lan.d = lan.another("d", 5)
    lan.d.ip(f"address add {LINK_LOCAL_D}/32 dev eth0")
    lan.gateway.ip("route add 169.254.7.0/24 dev d")
    lan.a.ip(f"address add {LINK_LOCAL}/32 dev eth0")
    # What a router that forwards directed broadcasts is set to.
    lan.gateway.sysctl(net__ipv4__conf__all__bc_forwarding=1, net__ipv4__conf__lan__bc_forwarding=1)
    make_tool(lan.gateway).sync(request.param)
    yield lan
    lan.close()


OWN = [
    #   why                         source          destination
    row("all routers",              GATEWAY_IN,     "224.0.0.5"),
    row("many, elsewhere",          GATEWAY_IN,     "239.1.2.3"),
    row("limited broadcast",        GATEWAY_IN,     "255.255.255.255"),
    row("directed broadcast",       GATEWAY_IN,     "10.0.0.255"),
    row("all on the link, IPv6",    GATEWAY6_IN,    "ff02::1"),
    row("many, elsewhere, IPv6",    GATEWAY6_IN,    "ff05::1:3"),
]


@pytest.mark.parametrize("source, target", OWN)
def test_gateway_speaks_to_many(lan, source, target):
    """From its address on the LAN, of which there is a pair."""
    tap = lan.tap(lan.c)
    speak(lan.gateway, source, target, "lan")
    assert tap.ends(UDP) == [(source, target)]


@pytest.fixture
def multicast(lan):
    """Routes groups from the LAN to D."""
    with lan.gateway, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as router:
        router.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
        for vif, interface in enumerate(("lan", "d")):
            router.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF, struct.pack(
                "HBBIi4x", vif, VIFF_USE_IFINDEX, 1, 0, socket.if_nametoindex(interface)))

        def route(source, group):
            router.setsockopt(socket.IPPROTO_IP, MRT_ADD_MFC, struct.pack(
                "4s4sH2B30x2x16x", socket.inet_aton(source), socket.inet_aton(group), 0, 0, 1))
        yield route


def test_routed_multicast(lan, multicast):
    multicast(A, "239.1.2.3")
    tap = lan.tap(lan.d)
    speak(lan.a, A, "239.1.2.3", "eth0")
    assert tap.ends(UDP) == [(A, "239.1.2.3")]


def test_routed_broadcast(lan):
    tap = lan.tap(lan.d)
    speak(lan.a, A, "10.0.5.255", "eth0")
    assert tap.ends(UDP) == [(A, "10.0.5.255")]


def test_to_link_local(lan):
    """The gateway routes it; there and back."""
    tap = lan.tap(lan.d)
    assert answered(lan.a, LINK_LOCAL_D, 3) == 3
    assert tap.ends(ICMP) == [(A, LINK_LOCAL_D)] * 3


@expression
def test_from_link_local(lan):
    """The tool refuses such a pair; a map by hand has one, and C's to show that it is asked."""
    lan.gateway.run(TOOL, "nft", "-f", "-", stdin=f"""table ip by-hand {{
        map out {{ type ipv4_addr : ipv4_addr; elements = {{ {LINK_LOCAL} : 198.51.100.98, {C} : {C_OUT} }}; }}
        chain postrouting {{ type filter hook postrouting priority raw - 1; snat_stateless saddr map @out; }}
    }}""")
    tap = lan.tap(lan.x)
    speak(lan.a, LINK_LOCAL, X, "eth0")
    speak(lan.c, C, X, "eth0")
    lan.gateway.nft("delete table ip by-hand")
    assert tap.ends(UDP) == [(LINK_LOCAL, X), (C_OUT, X)]


def test_the_same_host_to_one(lan):
    """So that the pairs are known to be there."""
    assert ask(lan.a, lan.x, X) == (b"hello", A_OUT)
