# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet that has a pair but cannot be translated whole is dropped and counted; others of its kind pass.

    inside ──── gateway ──── outside        A = 198.51.100.2, C has no pair
"""

import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP

from net import A, A_OUT, C, X
from nfnl import DROPPED, Netlink
from packets import DCCP, UDPLite, expression, fragments, row

pytestmark = expression

# The chain that translates, and with it drops, for packets that enter at a port of the wire.
WAYS = {"outbound": ("inside", A, X, "postrouting"), "inbound": ("outside", X, A_OUT, "prerouting")}

CUT = [
    #   why                              what is there of the transport header
    row("TCP, nothing",                  6,   b""),
    row("TCP, 8 bytes",                  6,   bytes(TCP())[:8]),
    row("TCP, up to its checksum",       6,   bytes(TCP())[:18]),
    row("TCP, 19 bytes",                 6,   bytes(TCP())[:19]),
    row("UDP, nothing",                  17,  b""),
    row("UDP, 7 bytes",                  17,  bytes(UDP(chksum=5))[:7]),
    row("UDP-Lite, 7 bytes",             136, bytes(UDPLite(chksum=5))[:7]),
    row("DCCP, 11 bytes",                33,  bytes(DCCP(chksum=5))[:11]),
]


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture
def dropped(wire):
    """Reads how many packets each chain's rules have dropped."""
    netlink = Netlink(wire.gateway)

    def read():
        sums = {}
        for chain, attributes in netlink.rules("statnat"):
            sums[chain] = sums.get(chain, 0) + struct.unpack(">Q", attributes[DROPPED])[0]
        return sums

    yield read
    netlink.close()


def in_all(tool):
    """What `status` says was dropped; it says nothing of none."""
    lines = [line for line in tool("status").stdout.splitlines() if line.startswith("dropped:")]
    return int(lines[0].split()[1]) if lines else 0


@pytest.mark.parametrize("protocol, header", CUT)
def test_cut_off(wire, tool, dropped, way, protocol, header):
    enters, source, target, chain = way
    before, counted, told = dropped(), tool.counters(A), in_all(tool)
    getattr(wire, enters).send(IP(src=source, dst=target, proto=protocol) / header)
    wire.expect()
    after = dropped()
    assert after.pop(chain) == before.pop(chain) + 1 and after == before
    assert tool.counters(A) == counted and in_all(tool) == told + 1


def test_first_fragment_without_checksum(wire, tool, dropped, way):
    """RFC 791 allows fragments of 8 bytes; the TCP checksum then is in a later one, which has no ports."""
    enters, source, target, chain = way
    before = dropped()[chain]
    first, *later = fragments(IP(src=source, dst=target, id=9) / TCP() / bytes(8), 8)
    getattr(wire, enters).send(first)
    wire.expect()
    assert dropped()[chain] == before + 1 and later


@pytest.mark.parametrize("protocol, header", CUT)
def test_no_pair_passes(wire, dropped, tool, protocol, header):
    before = dropped()
    wire.inside.send(IP(src=C, dst=X, proto=protocol) / header)
    wire.expect(outside=[IP(src=C, dst=X, proto=protocol, ttl=63) / header])
    assert dropped() == before
