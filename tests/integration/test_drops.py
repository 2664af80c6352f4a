# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet of a pair whose transport header is cut off is dropped and counted, and leaves nowhere.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10
    B 10.0.0.3 = 198.51.100.3
    C 10.0.0.9, no pair
"""

import re

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from net import A, A_OUT, B_OUT, C, X
from nfnl import DROPPED, Netlink
from packets import expression, fragments, row

pytestmark = expression

WAYS = {
    "outbound": ("inside", A, X),
    "inbound": ("outside", X, A_OUT),
    "hairpin": ("inside", A, B_OUT),
}

CUT = [
    #   why                             fields of IP                    what it carries
    row("TCP, nothing",                 {"proto": 6},                   b""),
    row("TCP, 8 bytes",                 {"proto": 6},                   bytes(TCP())[:8]),
    row("TCP, 19 bytes",                {"proto": 6},                   bytes(TCP())[:19]),
    row("UDP, nothing",                 {"proto": 17},                  b""),
    row("UDP, 7 bytes",                 {"proto": 17},                  bytes(UDP())[:7]),
    row("UDP-Lite, 7 bytes",            {"proto": 136},                 bytes(7)),
    row("DCCP, 11 bytes",               {"proto": 33},                  bytes(11)),
    row("first fragment of TCP, 8 bytes", {"proto": 6, "flags": "MF"},  bytes(TCP())[:8]),
    row("first fragment of TCP, 16 bytes", {"proto": 6, "flags": "MF"}, bytes(TCP())[:16]),
]


@pytest.fixture
def dropped(wire):
    """How many packets our rules say that they dropped."""
    netlink = Netlink(wire.gateway)
    yield lambda: sum(int.from_bytes(given[DROPPED], "big") for _, given in netlink.rules("statnat"))
    netlink.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fields, carried", CUT)
def test_cut_off(wire, tool, dropped, way, fields, carried):
    enters, source, target = WAYS[way]
    before, counted = dropped(), tool.counters(A)
    getattr(wire, enters).send(IP(src=source, dst=target, id=1, **fields) / carried)
    wire.expect()
    assert dropped() == before + 1
    status = re.search(r"^dropped: (\d+) packets? ", tool("status").stdout, re.M)
    assert int(status[1]) == before + 1
    assert tool.counters(A) == counted


@pytest.mark.parametrize("fields, carried", CUT)
def test_no_pair(wire, tool, dropped, fields, carried):
    before = dropped()
    wire.inside.send(IP(src=C, dst=X, ttl=64, **fields) / carried)
    wire.expect(outside=[IP(src=C, dst=X, ttl=63, **fields) / carried])
    assert dropped() == before


NOT_CUT = [
    #   why                             fields of IP                    what it carries
    row("TCP, 20 bytes",                {},                             TCP()),
    row("UDP, 8 bytes",                 {},                             UDP()),
    row("later fragment of TCP, 1 byte", {"proto": 6, "frag": 1},       b"x"),
    row("later fragment of UDP, empty", {"proto": 17, "frag": 5},       b""),
    row("SCTP, 4 bytes",                {"proto": 132},                 bytes(4)),
    row("ESP, nothing",                 {"proto": 50},                  b""),
    row("ICMP echo, 8 bytes",           {},                             ICMP()),
]


@pytest.mark.parametrize("fields, carried", NOT_CUT)
def test_nothing_needed_is_missing(wire, tool, dropped, fields, carried):
    before = dropped()
    wire.inside.send(IP(src=A, dst=X, ttl=64, **fields) / carried)
    wire.expect(outside=[IP(src=A_OUT, dst=X, ttl=63, **fields) / carried])
    assert dropped() == before


def test_a_cut_packet_may_be_put_together_before(wire, tool, dropped, conntrack):
    """Fragments of 8 bytes: with conntrack's reassembly nothing is cut off.

    Without it the first is dropped, and the checksum, which it would take to repair, travels in a later one as it is.
    """
    before = dropped()
    sent, whole = (list(fragments(IP(src=source, dst=X, id=9, ttl=ttl) / TCP(seq=3), 8))
                   for source, ttl in ((A, 64), (A_OUT, 63)))
    for fragment in sent:
        wire.inside.send(fragment)
    later = [header[:20] + fragment[20:] for header, fragment in zip(whole[1:], sent[1:])]
    wire.expect(outside=whole if conntrack else later)
    assert dropped() == before + (not conntrack)
