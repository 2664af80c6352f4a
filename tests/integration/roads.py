# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with a list of pairs, and packets whose way through it the list foretells.

    inside ──── gateway ──── outside        the peer, X or X6, has no pair
    internal prefixes behind R1             external prefixes routed to the gateway
"""

import contextlib
import ipaddress
import itertools
import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

import ipv6
import packets
from ipv6 import ARRIVED, HOP, ON_ITS_WAY, OPTIONS
from net import R1_6, TRACKING, X, X6
from packets import DCCP, TEXT, UDPLite
from pairs import INBOUND, OUTBOUND, Rules
from wire import Wire, Wire6

# Packets on their way together: a busy kernel queues no more than 1,000 (net.core.netdev_max_backlog).
AT_ONCE = 200


class Family4:
    peer = X
    inside, link = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("192.0.2.0/24")
    no_pair = "10.3.0.1", "198.51.101.1"
    carried = (TCP(seq=7, flags="PA") / TEXT, UDP() / TEXT, UDP(chksum=0) / TEXT, ICMP(id=9) / TEXT, DCCP() / TEXT,
               UDPLite() / TEXT, SCTP(tag=9) / SCTPChunkData(data=TEXT))
    errors = (ICMP(type=3, code=4, nexthopmtu=1280), ICMP(type=3, code=1), ICMP(type=11))
    wire = staticmethod(Wire)
    pieces = staticmethod(packets.fragments)

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)

    @staticmethod
    def together(pieces):
        """The addresses, and what all fragments carry."""
        pieces = sorted(pieces, key=lambda packet: int.from_bytes(packet[6:8], "big") & 0x1fff)
        return pieces[0][12:20] + b"".join(packet[20:] for packet in pieces)


class Family6:
    peer = X6
    inside, link = ipaddress.ip_network("fd00::/8"), ipaddress.ip_network("2001:db8:2::/64")
    no_pair = "fd03::1", "2001:db8:ee::1"
    carried = (TCP(seq=7, flags="PA") / TEXT, UDP() / TEXT, UDP(chksum=0) / TEXT, UDPLite(coverage=8) / TEXT,
               DCCP() / TEXT, ICMPv6EchoRequest(id=9, data=TEXT), SCTP(tag=9) / SCTPChunkData(data=TEXT),
               HOP / OPTIONS / TCP() / TEXT, ARRIVED / UDP() / TEXT, ON_ITS_WAY / TCP() / TEXT)
    errors = (ICMPv6PacketTooBig(mtu=1280), ICMPv6DestUnreach(code=3), ICMPv6TimeExceeded())
    together = staticmethod(ipv6.put_together)

    @staticmethod
    def wire():
        wire = Wire6()
        wire.gateway.ip(f"route add fd00::/8 via {R1_6}")
        return wire

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)

    @staticmethod
    def pieces(packet, size):
        return map(bytes, ipv6.fragments(packet, size, next(ipv6.identity)))


def each_of(roads):
    """A fixture: each road of a table, made of the arguments there."""
    @pytest.fixture(scope="module", params=roads)
    def road(request):
        road = Road(*roads[request.param])
        yield road
        road.close()
    return road


class Road:
    """In inet the gateway uses conntrack, and has rules for others before those for the pairs."""

    def __init__(self, family, table, pairs, others=(), joined=False):
        self.family, self.table, self.usual, self.others, self.joined = family, table, pairs, others, joined
        self.wire, self.conntrack = family.wire(), table == "inet"
        if self.conntrack:
            self.wire.gateway.nft(TRACKING)
        self.load(pairs)

    def load(self, pairs):
        self.pairs = pairs
        self.rules = Rules(self.wire.gateway, self.table, *self.others, pairs, joined=self.joined)

    def close(self):
        self.rules.close()
        self.wire.close()

    @contextlib.contextmanager
    def instead(self, pairs):
        """With other pairs for a while."""
        self.rules.close()
        self.load(pairs)
        yield
        self.rules.close()
        self.load(self.usual)

    def end(self, address):
        """The end of the wire at which an address is."""
        return "inside" if ipaddress.ip_address(address) in self.family.inside else "outside"

    def ends(self, host, way):
        """Source and destination of a packet between a host and the peer."""
        return (host, self.family.peer) if way is OUTBOUND else (self.family.peer, host)

    def seen(self, source, target):
        """Source and destination behind the gateway."""
        if self.end(source) == "inside":
            source = self.pairs.translated(source, OUTBOUND)
        return source, self.pairs.translated(target, INBOUND)

    def send(self, source, target, content):
        getattr(self.wire, self.end(source)).send(self.family.header(source, target) / content)

    def travel(self, *journeys):
        """Sends packets, each by source, destination and content (here, there); all arrive as the pairs say."""
        for first in range(0, len(journeys), AT_ONCE):
            expected = {"inside": [], "outside": []}
            for source, target, carried, *behind in journeys[first:first + AT_ONCE]:
                self.send(source, target, carried)
                source, target = self.seen(source, target)
                expected[self.end(target)].append(self.family.header(source, target, 63) / (behind or [carried])[0])
            self.wire.expect(**expected)

    def hosts(self, way, count=4):
        """Of each pair's addresses the first, the last, random ones, and those just outside."""
        numbers, end = random.Random(6296), ("inside", "outside")[way[0]]
        for network in (pair.network(way[0]) for pair in self.pairs.pairs):
            size = network.num_addresses
            offsets = {-1, 0, size - 1, size, *(numbers.randrange(size) for _ in range(count))}
            for host in (network[0] + offset for offset in sorted(offsets)):
                # Neither the gateway's own nor one that npt drops.
                if self.end(host) == end and host not in self.family.link and self.pairs.translated(host, way):
                    yield str(host)

    def samples(self, way):
        """One address of each pair, holes included, and one of none."""
        networks = [pair.network(way[0]) for pair in self.pairs.pairs]
        return [str(network[network.num_addresses * 5 // 9]) for network in networks
                if self.end(network[0]) == ("inside", "outside")[way[0]]] + [self.family.no_pair[way[0]]]

    def everywhere(self):
        """Packets of hosts of all pairs, each with the next kind of content: outbound, inbound, hairpin."""
        carried = itertools.cycle(self.family.carried)
        inside, outside = list(self.hosts(OUTBOUND)), list(self.hosts(INBOUND))
        yield from ((*self.ends(host, OUTBOUND), next(carried)) for host in inside)
        yield from ((*self.ends(host, INBOUND), next(carried)) for host in outside)
        yield from ((one, other, next(carried)) for one, other in zip(inside, reversed(outside)))

    def errors(self, way):
        """Errors of each sample, or to it, that quote a packet of each sample; in the order of their product."""
        kinds, carried = itertools.cycle(self.family.errors), itertools.cycle(self.family.carried)
        for host, quoted in itertools.product(self.samples(way), repeat=2):
            error, transport, behind = next(kinds), next(carried), self.pairs.translated(quoted, way)
            yield (*self.ends(host, way), error / self.quote(quoted, way, transport),
                   error / self.quote(behind, way, transport))

    def quote(self, host, way, carried):
        """A packet that went the other way, as an error quotes it."""
        source, target = self.ends(host, way)
        return Raw(bytes(self.family.header(target, source, 9) / carried))
