# SPDX-License-Identifier: GPL-2.0-or-later
"""What IPv6 keeps on its link and what is for many is left alone, whatever a map holds.

    inside ──── gateway        rules by hand: destinations in prerouting, sources in input
"""

import re

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt

from net import A6, A6_OUT, GATEWAY6_IN, X6
from nfnl import DADDR, IPV6, SADDR, Netlink, expression, new_chain, new_rule
from packets import expression as needs_module, row
from wire import Wire6

pytestmark = needs_module
WIRE = Wire6

PREROUTING, INPUT = 0, 1
RAW = -300
TRANSLATED = {
    #       host        link-local                       not any more   multicast
    "in":  (A6_OUT,     "fe80::7", "febf:ffff::7",       "fec0::7",     "ff02::1", "ff0e::7"),
    "out": (A6,         "fe80::5", "febf:ffff::5",       "fec0::5"),
}

CARRIED = {
    "TCP": TCP(),
    "UDP": UDP(),
    "echo request": ICMPv6EchoRequest(),
    "options, UDP": IPv6ExtHdrDestOpt() / UDP(),
}

PACKETS = [
    #   why                                     source            destination     translated: destination, source
    row("a host to a host",                     X6,               A6_OUT,         1, 0),
    row("a host to the gateway",                A6,               GATEWAY6_IN,    0, 1),
    row("to link-local",                        X6,               "fe80::7",      0, 0),
    row("to link-local, the last",              X6,               "febf:ffff::7", 0, 0),
    row("to what is not link-local any more",   X6,               "fec0::7",      1, 0),
    row("to all on the link",                   A6,               "ff02::1",      0, 0),
    row("to many, elsewhere",                   X6,               "ff0e::7",      0, 0),
    row("from link-local to a host",            "fe80::9",        A6_OUT,         0, 0),
    row("from link-local to the gateway",       "fe80::5",        GATEWAY6_IN,    0, 0),
    row("from link-local, the last",            "febf:ffff::5",   GATEWAY6_IN,    0, 0),
    row("from what is not link-local any more", "fec0::5",        GATEWAY6_IN,    0, 1),
]


@pytest.fixture(scope="module", autouse=True)
def rules(wire):
    maps = "\n".join(
        f"map {name} {{ type ipv6_addr : ipv6_addr; counter; elements = {{ "
        + ", ".join(f"{address} : 2001:db8:e::{number}" for number, address in enumerate(addresses, 1))
        + " }; }" for name, addresses in TRANSLATED.items())
    # Errors of the gateway's own would count for what they quote.
    wire.gateway.nft(f"""table ip6 t {{
        {maps}
        chain output {{ type filter hook output priority 0; icmpv6 type {{ 1, 2, 3, 4 }} drop; }}
    }}""")
    netlink = Netlink(wire.gateway)
    assert netlink.batch(new_chain("t", "prerouting", PREROUTING, RAW, IPV6),
                         new_chain("t", "input", INPUT, RAW, IPV6),
                         new_rule("t", "prerouting", expression(DADDR, "in"), family=IPV6),
                         new_rule("t", "input", expression(SADDR, "out"), family=IPV6)) == 0
    netlink.close()


def translated(wire):
    """Packets so far, by destination and by source."""
    return [sum(map(int, re.findall(r"packets (\d+)", wire.gateway.run("nft", "list", "map", "ip6", "t", name).stdout)))
            for name in TRANSLATED]


@pytest.mark.parametrize("source, destination, inbound, outbound", PACKETS)
@pytest.mark.parametrize("carried", CARRIED)
def test_packet(wire, carried, source, destination, inbound, outbound):
    before = translated(wire)
    wire.inside.send(IPv6(src=source, dst=destination) / CARRIED[carried])
    wire.drain()
    assert [now - then for now, then in zip(translated(wire), before)] == [inbound, outbound]
