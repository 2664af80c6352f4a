# SPDX-License-Identifier: GPL-2.0-or-later
"""NPTv6 packet by packet as the kernel's other implementation does it, or differently for a reason that RFC 6296 gives.

    inside ──── gateway ──── outside        our rules
    inside ──── gateway ──── outside        SNPT and DNPT of ip6tables, for the same pairs
"""

import ipaddress
import itertools
import random
import struct
from collections import Counter

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6
from scapy.packet import Raw

import packets
from net import GATEWAY6_IN, GATEWAY6_OUT, R1_6, X6
from packets import same
from pairs import EXTERNAL, INBOUND, INTERNAL, OUTBOUND, Pair, Pairs, Rules
from wire import Wire6

pytestmark = packets.expression

LENGTHS = (8, 16, 20, 31, 32, 33, 40, 47, 48, 48, 48, 49, 52, 56, 56, 57, 60, 63, 64, 64)
NO_PAIR = "fd03::1", "2001:db8:ee::1"
PACKETS = 15  # of each pair, each way

FORWARDED, UNREACHABLE, PROBLEM = "forwarded", "unreachable", "problem"
SUBNET, ZEROS, ONES = "3.2, 3.3: no subnet 0xffff", "3.7: no identifier of zeros", "3.7: no identifier of ones"
QUOTED, ROUTER = "3.2, 3.3, 3.7: no such address in a quote", "nothing, RFC 5508 does: an error by a router in between"
DIFFERENCES = {
    # What the RFC says     what ours becomes, and theirs
    SUBNET:                 (UNREACHABLE, FORWARDED),   # theirs as if it came from subnet 0, where answers go
    ZEROS:                  (PROBLEM,     FORWARDED),
    ONES:                   (PROBLEM,     PROBLEM),     # theirs quotes what nobody sent: its prefix is already replaced
    QUOTED:                 (FORWARDED,   FORWARDED),   # ours stays
    ROUTER:                 (FORWARDED,   FORWARDED),   # theirs stays
}


class Dice:
    """Random pairs and hosts, among whose words those at the edges of one's complement are frequent."""

    def __init__(self):
        self.random = random.Random(6296)

    def words(self):
        edges = (0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff)
        return [self.random.choice(edges + (self.random.randrange(0x10000),) * 14) for _ in range(8)]

    def pair(self, number, length):
        """Apart from those of other numbers."""
        return Pair(self.prefix(0x40 + number, length), self.prefix(0x80 + number, length), npt=True)

    def prefix(self, first, length):
        address = ipaddress.IPv6Address(bytes([first]) + struct.pack(">8H", *self.words())[1:])
        return str(ipaddress.ip_network((address, length), strict=False))

    def host(self, network):
        words, luck = self.words(), self.random.randrange(12)
        if luck < 2:
            words[4:] = [0xffff * luck] * 4
        elif luck == 2:
            words[3] = 0xffff
        number = int.from_bytes(struct.pack(">8H", *words), "big")
        return ipaddress.IPv6Address(int(network[0]) | number & int(network.hostmask))


@pytest.fixture(scope="module")
def dice():
    return Dice()


@pytest.fixture(scope="module")
def pairs(dice):
    return [dice.pair(number, length) for number, length in enumerate(LENGTHS)]


@pytest.fixture(scope="module")
def gateways(pairs):
    """Ours and theirs."""
    wires = ours, theirs = Wire6(), Wire6()
    for wire in wires:
        wire.gateway.ip(f"route add 4000::/2 via {R1_6}")
        wire.errors_without_limit()
    rules = Rules(ours.gateway, "ip6", Pairs(*sorted(pairs, key=lambda pair: -pair.length)))
    networks = [(pair.network(INTERNAL), pair.network(EXTERNAL)) for pair in pairs]
    theirs.gateway.run("ip6tables-restore", stdin="".join(["*mangle\n"] + [
        f"-A POSTROUTING -s {inside} -o out0 -j SNPT --src-pfx {inside} --dst-pfx {outside}\n"
        f"-A PREROUTING -d {outside} -i out0 -j DNPT --src-pfx {outside} --dst-pfx {inside}\n"
        for inside, outside in networks] + ["COMMIT\n"]))
    yield wires
    rules.close()
    for wire in reversed(wires):
        wire.close()


def missing(pair, host, way):
    """Why an address has no counterpart, if so."""
    if pair.translated(host, way) is not None:
        return None
    identifier = int(host) & 2**64 - 1
    return ZEROS if not identifier else SUBNET if pair.length <= 48 else ONES


def header(host, way):
    return IPv6(src=host, dst=X6) if way is OUTBOUND else IPv6(src=X6, dst=host)


def traffic(dice, pair, way):
    """Packets of hosts of one pair, each with a number at its end; and why they are to differ, or None."""
    other_way = INBOUND if way is OUTBOUND else OUTBOUND
    for number in range(PACKETS):
        host, quoted, text = dice.host(pair.network(way[0])), dice.host(pair.network(way[0])), b"number %4d" % number
        plain = TCP(seq=number) / text, UDP() / text, ICMPv6EchoRequest(data=text)
        error = ICMPv6PacketTooBig(mtu=1280) / Raw(bytes(header(quoted, other_way) / UDP() / text))
        if number % 5 < 3:
            yield header(host, way) / plain[number % 5], missing(pair, host, way)
        elif number % 5 == 3:
            yield header(NO_PAIR[way[0]], way) / error, None if missing(pair, quoted, way) else ROUTER
        elif not missing(pair, host, way):
            yield header(host, way) / error, QUOTED if missing(pair, quoted, way) else None


def outcomes(wire, way, sent):
    """What became of each packet, by the text at its end: in a word, where it came out, and what it was then."""
    for packet in sent:
        getattr(wire, ("inside", "outside")[way[0]]).send(packet)
    found = {}
    for end, seen in zip(("inside", "outside"), wire.drain()):
        for packet in map(IPv6, seen):
            became = FORWARDED
            if packet.src in (GATEWAY6_IN, GATEWAY6_OUT):
                became = UNREACHABLE if ICMPv6DestUnreach in packet and packet[ICMPv6DestUnreach].code == 3 else PROBLEM
                packet.fl = 0  # random
            text = bytes(packet)[-10:]
            assert text not in found
            found[text] = became, end, bytes(packet)
    return found


def test_packet_by_packet(dice, pairs, gateways):
    equal, different = 0, Counter()
    for pair, way in itertools.product(pairs, (OUTBOUND, INBOUND)):
        sent = list(traffic(dice, pair, way))
        ours, theirs = (outcomes(wire, way, [packet for packet, _ in sent]) for wire in gateways)
        assert len(ours) == len(theirs) == len(sent)
        for packet, why in sent:
            one, other = (each[bytes(packet)[-10:]] for each in (ours, theirs))
            if why:
                assert (one[0], other[0]) == DIFFERENCES[why] and one[2] != other[2], packet.summary()
                different[why] += 1
            else:
                assert one[:2] == other[:2]
                same(one[2], other[2])
                equal += 1
    assert equal > 250 and set(different) == set(DIFFERENCES), (equal, different)
