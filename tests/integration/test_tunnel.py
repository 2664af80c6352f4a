# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel device finds out that a packet is too big when it has left postrouting; the sender is told, if it can be.

    A 10.0.0.2 = 198.51.100.2 ─ switch ─ gateway tunnel ══ 192.0.2.1, 1400 bytes ══ 192.0.2.2 ══ tunnel X 203.0.113.10
      fd00:1::2 = 2001:db8:1::2                                                                    2001:db8:3::10
"""

import pytest
from scapy.layers.inet import ICMP, IPerror
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPerror6

from lan import EXTERNAL, EXTERNAL6, FAMILIES, Lan, answered
from net import ALL_PAIRS, GATEWAY_OUT, INSIDE, R2, R2_6
from network import carry
from packets import expression, row

pytestmark = [expression, pytest.mark.needs("gre")]

CONTENT = b"hello" * 20000
# The link's 1400 bytes without the outer IPv4 header and GRE's.
MTU = 1400 - 20 - 4
DEFAULT = f"route add default via {R2}\nroute add default via {R2_6}\n"

ROUTES = [
    #   why                     the gateway's routes that may lead to external addresses, though nothing goes there
    row("default route",        DEFAULT),
    row("to nobody",            f"route add {EXTERNAL} dev out\nroute add {EXTERNAL6} dev out"),
]
NO_ROUTES = [
    row("none",                 ""),
    row("unreachable",          f"route add unreachable {EXTERNAL}\nroute add unreachable {EXTERNAL6}"),
    row("default, unreachable", f"{DEFAULT}route add unreachable {EXTERNAL}\nroute add unreachable {EXTERNAL6}"),
    row("blackhole",            f"route add blackhole {EXTERNAL}\nroute add blackhole {EXTERNAL6}"),
]


@pytest.fixture(scope="module", params=ROUTES)
def lan(request, make_tool):
    lan = Lan()
    for namespace, here, there in ((lan.gateway, GATEWAY_OUT, R2), (lan.x, R2, GATEWAY_OUT)):
        namespace.ip(f"link add name tunnel type gre local {here} remote {there}\nlink set dev tunnel up")
    lan.gateway.ip(f"route delete default via {R2}\nroute delete default via {R2_6}\n" + request.param)
    for family in FAMILIES.values():
        lan.gateway.ip(f"route add {family.x} dev tunnel")
    # The device believes in more.
    lan.gateway.ip(f"route add {R2} dev out mtu lock 1400\nlink set dev tunnel mtu 1476")
    lan.x.ip(f"route change {EXTERNAL} dev tunnel src {FAMILIES['IPv4'].x}\n"
             f"route delete {EXTERNAL6}\nroute add {EXTERNAL6} dev tunnel src {FAMILIES['IPv6'].x}")
    # So that the tunnel sees packets as they were sent.
    lan.a.run("ethtool", "-K", "eth0", "tso", "off", "gso", "off")
    lan.tool = make_tool(lan.gateway)
    lan.tool.sync(ALL_PAIRS, exempt_destinations=INSIDE)
    yield lan
    lan.close()


@pytest.fixture(params=FAMILIES)
def family(request, lan):
    """Nothing is known of the path yet."""
    for version in ("-4", "-6"):
        lan.a.run("ip", version, "route", "flush", "cache")
    return FAMILIES[request.param]


def too_big(tap, family):
    """The path MTU that errors tell of, and source and destination of the packet that they quote."""
    if family.version == 6:
        return [(packet[ICMPv6PacketTooBig].mtu, packet[IPerror6].src, packet[IPerror6].dst)
                for packet in tap.packets(ICMPv6PacketTooBig)]
    return [(packet[ICMP].nexthopmtu, packet[IPerror].src, packet[IPerror].dst) for packet in tap.packets(IPerror)]


def test_sender_is_told(lan, family):
    tap = lan.tap(lan.a)
    answered(lan.a, family.x, 1, "-M", "do", "-s", "1420", "-w", "5")
    told = too_big(tap, family)
    assert told and set(told) == {(MTU, family.a, family.x)}


def test_talk(lan, family):
    """Its packets become as small as they must be."""
    received, peer, mtu = carry(lan.a, lan.x, family.x, CONTENT)
    assert (received, peer, mtu) == (CONTENT, family.a_out, MTU)


@pytest.mark.parametrize("lan", NO_ROUTES, indirect=True)
def test_status_names_what_is_missing(lan, family):
    """The kernel does not even begin to tell the sender, so status does."""
    tap = lan.tap(lan.a)
    answered(lan.a, family.x, 1, "-M", "do", "-s", "1420", "-w", "2")
    assert not too_big(tap, family)
    assert "note: this machine has no route to " in lan.tool("status").stdout
