# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel makes of any packet is what a translator in Python makes of it, written from the documents alone.

    inside ──── gateway ──── outside        one without pairs, and one with them (tests/opinion)

With --packets=1000000, as `make opinion` has it, each family and direction takes so many.
"""

import ipaddress
import sys
import time
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (HBHOptUnknown, ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6ND_Redirect,
                                ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt)
from scapy.packet import Raw

from ipv6 import OPTIONS
from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, R2,
                 R2_6, X, X6)
from packets import DCCP, UDPLite, expression, row
from tool import ENGINE, FAST_PATH

sys.path.append(str(Path(__file__).resolve().parent.parent / "opinion"))

from crossing import AT_ONCE, Crossing  # noqa: E402
from generator import Packets  # noqa: E402
from lookup import INBOUND, OUTBOUND, Pair, Pairs  # noqa: E402
from translator import Gateway  # noqa: E402

STOCK = ENGINE == "native"

# Of one sum with 10.5.0.1 and fd00:5::1: no checksum changes, though addresses do.
OF_ONE_SUM, OF_ONE_SUM6 = "198.51.67.210", "2001:db8:1::cf4c"
HOSTS = {
    4: [
        Pair(A, A_OUT),
        Pair(B, B_OUT),
        Pair("10.5.0.1", OF_ONE_SUM),
        Pair("10.1.0.5", "198.51.100.5"),
    ],
    6: [
        Pair(A6, A6_OUT),
        Pair(B6, B6_OUT),
        Pair("fd00:5::1", OF_ONE_SUM6),
        Pair("fd01:203:405:1::99", "2001:db8:f::99"),
    ],
}
PREFIXES = {
    4: [
        Pair("10.3.0.5", "198.51.101.5"),  # what 10.1.0.5 has left
        Pair("10.0.0.0/24", "198.51.103.0/24"),
        Pair("10.1.0.0/24", "198.51.101.0/24"),
        Pair("10.1.0.64/28", "198.51.102.64/28"),
        Pair("10.2.0.0/16", "198.18.0.0/16"),
        Pair("10.128.0.0/11", "198.64.0.0/11"),
    ],
    6: [
        Pair("fd0c::/112", "2001:db8:5c::/112"),
        Pair("fd00:1::/64", "2001:db8:50::/64"),
        Pair("fd01:203:405:7::/64", "2001:db8:5d::/64"),
        Pair("fd08:1:1::/48", "2001:db8:e::/48"),
        Pair("fd05:6:9:1::/64", "2001:db8:cc:dd::/64", npt=True),
        Pair("fd05:6:7:800::/56", "2001:db8:aa:bb00::/56", npt=True),
        Pair("fd09:1:2:2000::/51", "2001:db8:bb:e000::/51", npt=True),
        Pair("fd0d:0:0:100::/56", "2001:db8:4e::/48", npt=True),
        Pair("fd01:203:405::/48", "2001:db8:40::/48", npt=True),
        Pair("fd06:1000::/20", "2400:1000::/20", npt=True),
    ],
}
OWN = {
    4: [GATEWAY_IN, GATEWAY_OUT, "10.0.0.255", "192.0.2.255"],
    6: [GATEWAY6_IN, GATEWAY6_OUT],
}
NO_PAIR = {4: ("10.4.0.1", "198.51.104.1"), 6: ("fd04::1", "2001:db8:ee::1")}
PEERS = {
    4: [X, X, X, R2, "203.0.113.255", "198.51.105.7", "169.254.7.7"],
    6: [X6, X6, R2_6, "2001:db8:3:ffff:ffff:ffff:ffff:ffff", "2600::"],
}
# Without routes of their own, these are outside.
INSIDE = {
    4: ["10.0.0.0/25", "10.0.0.128/25", "10.0.0.0/8", "198.51.104.0/24"],
    6: ["fd00:1::/65", "fd00:1:0:0:8000::/65", "fd00::/8", "2001:db8:ee::/48"],
}
WAYS = {"outbound": OUTBOUND, "inbound": INBOUND}


def packed(addresses):
    return [ipaddress.ip_address(address).packed for address in addresses]


@pytest.fixture(scope="module")
def crossings(make_tool):
    """The one of each family, made when it is first asked for."""
    made = {}

    def of(version):
        if version not in made:
            made[version] = crossing(version, make_tool)
        return made[version]

    yield of
    for one in reversed(made.values()):
        one.close()


def crossing(version, make_tool):
    pairs = Pairs(*HOSTS[version], *([] if STOCK else PREFIXES[version]), own=OWN[version])
    made = Crossing(version, pairs, INSIDE[version], packed(OWN[version]),
                    Gateway(pairs, packed(OWN[version][2:]), STOCK))
    tool = make_tool(made.gateway)
    lines = [f'"{pair.internal}" = {{ external = "{pair.external}", npt = {str(pair.npt).lower()} }}'
             for pair in pairs.pairs]
    tool.file.write_text("\n".join([f'[gateway]\n{FAST_PATH}engine = "{ENGINE}"\n[pairs]', *lines]))
    tool("sync", "--force", tool.file)
    return made


def agree(crossing, way, packets, in_pieces, what):
    differences = crossing.compare(way, packets, in_pieces)
    if differences:
        pytest.fail("\n\n".join([f"{what}: {len(differences)} differences", *map(str, differences[:3])]), pytrace=False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", [row("IPv4", 4), row("IPv6", 6)])
def test_any_packet(crossings, version, way, pytestconfig):
    """So many, by a seed, in batches that a failure names; by turns in one piece and in several."""
    crossing, seed = crossings(version), pytestconfig.getoption("seed")
    packets = Packets(version, WAYS[way], crossing.pairs, packed(NO_PAIR[version]), packed(PEERS[version]), seed, STOCK)
    crossing.counts.clear()
    began = time.monotonic()
    for number in range(-(-pytestconfig.getoption("packets") // AT_ONCE)):
        agree(crossing, WAYS[way], packets.batch(number, AT_ONCE), number % 2, f"seed {seed}, batch {number}")
    # Most of them were translated, and not lost.
    assert crossing.counts["translated"] > crossing.counts["sent"] / 2
    rate = crossing.counts["sent"] / (time.monotonic() - began)
    print(f"IPv{version} {way}, seed {seed}: {dict(crossing.counts)}, {rate:.0f} a second")


# In prefixes.
HOST, TO_HOST, ANOTHER = "10.1.0.77", "198.51.102.77", "10.2.0.9"
HOST6, TO_HOST6 = "fd08:1:1::9", "2001:db8:e::9"

# What the two did not agree on, and who was wrong; "either" where no document says it and a receiver cannot tell.
FOUND = [
    #   why, and who was wrong                  way         packet
    row("own address quoted, kernel",           OUTBOUND,   IP(src=HOST, dst=X) / ICMP(type=3, code=1)
        / IP(src=X, dst=GATEWAY_IN) / UDP(), marks=expression),
    row("own error, hairpin, kernel",           OUTBOUND,   IP(src=ANOTHER, dst=TO_HOST, ttl=1) / UDP(),
        marks=expression),
    row("sum of -0, reference",                 INBOUND,    IP(src=X, dst=OF_ONE_SUM) / DCCP(chksum=0xffff)),
    row("sum of -0, TCP, reference",            INBOUND,    IP(src=X, dst=OF_ONE_SUM) / TCP(chksum=0)),
    row("error's sum of -0, reference",         INBOUND,    IP(src=X, dst=TO_HOST) / ICMP(type=3, chksum=0xffff)
        / IP(src=TO_HOST, dst=X) / UDPLite(coverage=8, chksum=0)),
    row("error's sum of 0, reference",          INBOUND,    IP(src=R2, dst=OF_ONE_SUM) / ICMP(type=12, chksum=0xffff)
        / IP(src=OF_ONE_SUM, dst=R2) / DCCP(chksum=0xffff)),
    row("quote shorter than it is, either",     OUTBOUND,   IP(src=HOST, dst=R2) / ICMP(type=4)
        / IP(src=R2, dst=HOST, len=21) / UDPLite() / b"x"),
    row("redirect about a hole, reference",     OUTBOUND,   IP(src="198.51.101.67", dst=R2) / ICMP(type=5)),
    row("redirect to a host, stock rules",      INBOUND,    IP(src=X, dst=A_OUT) / ICMP(type=5)),
    row("redirect about another's, reference",  INBOUND,    IP(src=X, dst=NO_PAIR[4][1]) / ICMP(type=5)
        / IP(src=TO_HOST, dst=NO_PAIR[4][1]) / UDP()),
    row("redirect about no version, either",    INBOUND,    IP(src=X, dst=NO_PAIR[4][1]) / ICMP(type=5)
        / IP(version=15, src=X, dst=TO_HOST) / UDP(), marks=expression),
    row("ICMPv6 in IPv4, stock rules",          OUTBOUND,   IP(src=A, dst=X, proto=58) / bytes(ICMPv6EchoRequest())),
    row("UDP-Lite without a sum, stock rules",  OUTBOUND,   IP(src=A, dst=X) / UDPLite(chksum=0)),
]
FOUND6 = [
    #   why, and who was wrong                  way         packet
    row("own address quoted, kernel",           OUTBOUND,   IPv6(src=HOST6, dst=X6) / ICMPv6DestUnreach()
        / IPv6(src=X6, dst=GATEWAY6_IN) / UDP(), marks=expression),
    row("own error, hairpin, kernel",           OUTBOUND,   IPv6(src=HOST6, dst=A6_OUT, hlim=1) / UDP(),
        marks=expression),
    row("home address of 15 bytes, either",     OUTBOUND,   IPv6(src=A6, dst=X6)
        / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0xc9, optdata=bytes(15))]) / UDP(), marks=expression),
    row("home address cut off, either",         OUTBOUND,   IPv6(src=A6, dst=X6, nh=60)
        / Raw(b"\x11\1\xc9\x10" + bytes(12) + bytes(UDP())), marks=expression),
    row("solicitation behind options, manual",  OUTBOUND,   IPv6(src=A6, dst=X6, hlim=255) / OPTIONS
        / ICMPv6ND_NS(tgt=X6), marks=expression),
    row("redirect behind options, manual",      OUTBOUND,   IPv6(src=A6, dst=X6, hlim=255) / OPTIONS
        / ICMPv6ND_Redirect(tgt=X6, dst=X6), marks=expression),
    row("redirect to the inside, reference",    INBOUND,    IPv6(src=X6, dst=HOST6, hlim=255)
        / ICMPv6ND_Redirect(tgt=X6, dst=X6), marks=expression),
    row("error's sum of -0, reference",         INBOUND,    IPv6(src=X6, dst=TO_HOST6)
        / ICMPv6TimeExceeded(cksum=0xffff) / IPv6(src=TO_HOST6, dst=X6) / UDP(), marks=expression),
]


@pytest.mark.parametrize("in_pieces", [row("whole", False), row("in pieces", True)])
@pytest.mark.parametrize("version, way, packet", [row(f"IPv{version}, {one.id}", version, *one.values, marks=one.marks)
                                                  for version, found in ((4, FOUND), (6, FOUND6)) for one in found])
def test_what_was_found(crossings, version, way, packet, in_pieces):
    agree(crossings(version), way, [bytes(packet)], in_pieces, "they differ again")
