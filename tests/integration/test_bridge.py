# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway is its LAN's switch, too, and bridged frames pass IP's hooks (br_netfilter: Docker, Kubernetes, Proxmox).

    A 10.0.0.2  = 198.51.100.2  fd00:1::2 = 2001:db8:1::2  ─┐
    B 10.0.0.3  = 198.51.100.3  fd00:1::3 = 2001:db8:1:…:3 ─┼─ bridge of the gateway ─── X 203.0.113.10 2001:db8:3::10
    C 10.0.0.9, no pair                                    ─┘
"""

import subprocess

import pytest
from scapy.layers.inet import UDP

from lan import Lan, answered, speak
from net import A, A6, ALL_PAIRS, INSIDE
from network import ask, carry
from packets import expression, row

pytestmark = pytest.mark.needs("br_netfilter")

CONTENT = b"hello" * 20000


EXEMPT, FOLLOWED = {"exempt_destinations": INSIDE}, {"conntrack": "follow"}


@pytest.fixture(scope="module", params=[row("nothing exempt", {}), row("inside exempt", EXEMPT),
                                        row("followed", FOLLOWED, marks=expression),
                                        row("followed, inside exempt", {**EXEMPT, **FOLLOWED}, marks=expression)])
def lan(request, make_tool):
    subprocess.run(["modprobe", "br_netfilter"], capture_output=True)  # it may be built in
    lan = Lan(bridging=True)
    # As the module has it.
    lan.gateway.sysctl(**{f"net/bridge/bridge-nf-call-{tables}": 1 for tables in ("iptables", "ip6tables")})
    # As Docker has it: without it a bridge sends nothing back to where it came from, and so no host reaches itself.
    lan.gateway.run("bridge", "link", "set", "dev", "to-a", "hairpin", "on")
    make_tool(lan.gateway).sync(ALL_PAIRS, **request.param)
    yield lan
    lan.close()


BRIDGED = [
    #   why             from    to
    row("of a pair",    "a",    "c"),
    row("to a pair",    "c",    "a"),
    row("of pairs",     "a",    "b"),
]


@pytest.mark.parametrize("client, server", BRIDGED)
def test_bridged(lan, family, client, server):
    """Nobody's address changes, neither way."""
    seen_as, address = getattr(family, client), getattr(family, server)
    client, server = getattr(lan, client), getattr(lan, server)
    assert answered(client, address, 3) == 3
    assert ask(client, server, address) == (b"hello", seen_as)
    assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)


MANY = [
    #   why                     source  destination
    row("mDNS",                 A,      "224.0.0.251"),
    row("SSDP",                 A,      "239.255.255.250"),
    row("limited broadcast",    A,      "255.255.255.255"),
    row("directed broadcast",   A,      "10.0.0.255"),
    row("mDNS, IPv6",           A6,     "ff02::fb"),
    row("SSDP, IPv6",           A6,     "ff05::c"),
]


@pytest.mark.parametrize("source, target", MANY)
def test_bridged_to_many(lan, source, target):
    tap = lan.tap(lan.c)
    speak(lan.a, source, target, "eth0")
    assert tap.ends(UDP) == [(source, target)]


ROUTED = [
    #   why             from    to      address     which the server sees as
    row("outbound",     "a",    "x",    "x",        "a_out"),
    row("inbound",      "x",    "a",    "a_out",    "x"),
]
HAIRPIN = [
    row("hairpin",      "a",    "b",    "b_out",    "a_out"),
    row("to itself",    "a",    "a",    "a_out",    "a_out"),
]


@pytest.mark.parametrize("client, server, address, seen_as", ROUTED)
def test_routed(lan, family, client, server, address, seen_as):
    """Out of the bridge and into it, translated as ever."""
    options = ["-I", family.x] if client == "x" else []
    client, server = getattr(lan, client), getattr(lan, server)
    address, seen_as = getattr(family, address), getattr(family, seen_as)
    assert answered(client, address, 3, *options) == 3
    assert ask(client, server, address) == (b"hello", seen_as)
    assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)


# With nothing exempt, stock rules cannot tell what was sent to an external address from what is only bridged; nor can
# the expression where conntrack follows, but it need not unless the inside is exempt.
@pytest.mark.parametrize("lan", indirect=True, argvalues=[
    row("nothing exempt", {}, marks=expression),
    row("inside exempt", EXEMPT),
    row("followed", FOLLOWED, marks=expression),
])
@pytest.mark.parametrize("client, server, address, seen_as", HAIRPIN)
def test_hairpin(lan, family, client, server, address, seen_as):
    test_routed(lan, family, client, server, address, seen_as)
