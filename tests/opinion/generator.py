# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets without end, most of them valid, some odd, some malformed; the same for the same seed.

What they carry is made with Scapy once; addresses, lengths and checksums are then filled in by hand, forty times as
quickly. Each batch has a random generator of its own, so that a packet is found again without those before it.
"""

import random
import struct

from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6MLQuery, ICMPv6ND_NA, ICMPv6ND_NS, IPv6,
                                ICMPv6Unknown, MIP6MH_BU)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.sctp import SCTP, SCTPChunkInit

from packets import DCCP, UDPLite
from translator import COVERING, COVERING_IN_IPV6, ERRORS, REDIRECT, REDIRECT_IPV6, ZERO_MEANS_NONE

MTU = 1500
TIMES = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (123456, 0)), ("NOP", None), ("WScale", 7)]


class Carried:
    """A transport's header, where its checksum is (None: not said to be one), and how many bytes of it that covers."""

    def __init__(self, protocol, header, covered=None):
        self.protocol, self.header, self.covered = protocol, bytes(header), covered


ANYWHERE = [
    Carried(6, TCP(sport=5000, dport=80, seq=7, flags="S", options=TIMES, chksum=0)),
    Carried(6, TCP(sport=80, dport=5000, seq=7, flags="PA", chksum=0)),
    Carried(6, TCP(sport=80, dport=5000, seq=7, flags="R", chksum=0)),
    Carried(17, UDP(sport=5000, dport=53, chksum=0)),
    Carried(17, UDP(sport=4789, dport=4789, chksum=0)),
    Carried(136, UDPLite(chksum=0)),
    Carried(136, UDPLite(coverage=8, chksum=0), 8),
    Carried(33, DCCP(chksum=0)),
    Carried(33, DCCP(cscov=1, chksum=0), 20),
    Carried(139, b"\x3b\4\1\x21\0\0\0\0" + bytes(range(32))),
    Carried(132, SCTP(sport=9, dport=9, chksum=5) / SCTPChunkInit()),
    Carried(50, ESP(spi=9, seq=1, data=bytes(24))),
    Carried(47, GRE(proto=0x0800) / IP(src="10.0.0.2", dst="198.51.100.2") / UDP()),
    Carried(4, IP(src="10.0.0.2", dst="198.51.100.2") / UDP()),
    Carried(41, IPv6(src="fd00:1::2", dst="2001:db8:1::2") / UDP()),
    Carried(140, b"\x3b\0\x81\0\0\0\0\0"),
    Carried(253, b"\1\2\3\4"),
]
CARRIED = {
    4: ANYWHERE * 2 + [
        Carried(1, ICMP(id=9, chksum=0)),
        Carried(1, ICMP(type=0, id=9, chksum=0)),
        Carried(1, ICMP(type=13, chksum=0)),
        Carried(1, ICMP(type=200, chksum=0)),
        Carried(58, b"\x80\0\0\0\0\1\0\2"),
        Carried(51, AH(nh=6, spi=9, icv=bytes(12)) / TCP()),
        Carried(89, b"\2\1\0\x18" + bytes(20)),
        Carried(103, b"\x20\0\0\0\0\1\0\2\0\x69"),
        Carried(112, b"\x21\1\x64\1\0\1\0\0" + bytes(12)),
    ],
    6: ANYWHERE * 2 + [
        Carried(58, ICMPv6EchoRequest(id=9, cksum=0)),
        Carried(58, ICMPv6EchoReply(id=9, cksum=0)),
        Carried(58, ICMPv6Unknown(type=200, cksum=0, msgbody=b"")),
        Carried(58, ICMPv6Unknown(type=100, cksum=0, msgbody=bytes(60))),
        Carried(58, ICMPv6MLQuery(cksum=0)),
        Carried(58, ICMPv6ND_NS(cksum=0)),
        Carried(58, ICMPv6ND_NA(cksum=0)),
        Carried(89, b"\3\1\0\x24" + bytes(32)),
        Carried(103, b"\x20\0\0\0\0\1\0\2\0\x69"),
        Carried(103, b"\x21\0\0\0\0\0\0\0" + bytes(40), 8),
        Carried(112, b"\x31\1\x64\1\0\x64\0\0" + bytes(16)),
        Carried(135, MIP6MH_BU(cksum=0)),
        Carried(1, b"\x08\0\0\0\0\1\0\2"),
        Carried(59, b""),
    ],
}
CHECKSUM_AT = {4: {number: at for number, (at, _) in COVERING.items()} | {1: 2},
               6: {number: at for number, (at, _) in COVERING_IN_IPV6.items()}}


def total(data):
    """One's complement, modulo 0xffff."""
    return int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xffff


def checksum(data):
    return 0xffff - (total(data) or (0xffff if any(data) else 0))


class Packets:
    """Of one family and direction, for a gateway with some pairs; `stock`, where only what stock rules do is wanted."""

    def __init__(self, version, way, pairs, no_pair, peers, seed, stock=False):
        self.version, self.way, self.pairs, self.seed, self.stock = version, way, pairs, seed, stock
        self.no_pair, self.peers = no_pair, peers
        self.size = 4 if version == 4 else 16
        self.own = [address.to_bytes(self.size, "big") for address in sorted(pairs.own)]
        self.carried = CARRIED[version]
        self.slips = (1, 2, 8, 1000) if stock else (-8, -2, -1, 1, 2, 8, 1000)
        self.known = COVERING if version == 4 else COVERING_IN_IPV6

    def batch(self, number, count):
        self.random = random.Random(f"{self.seed} {self.version} {self.way} {number}")
        self.sides = [self.addresses(side) for side in (0, 1)]
        return [self.packet(index) for index in range(count)]

    def addresses(self, side):
        """Some of each pair on one side, one of none: never the gateway's own."""
        found = []
        for pair in self.pairs.pairs:
            for _ in range(3 if pair.host_bits else 1):
                offset = self.random.getrandbits(pair.size) & pair.host_bits
                # Words of ones and identifiers of zeros, which RFC 6296 has no counterparts for.
                if self.chance(.1):
                    offset |= pair.host_bits & 0xffff << 16 * self.random.randrange(5)
                elif pair.npt and self.chance(.03):
                    offset &= -1 << pair.size // 2
                address = pair.sides[side] | offset
                if address not in self.pairs.own:
                    found.append(address.to_bytes(self.size, "big"))
        return found + [self.no_pair[side]]

    def chance(self, share):
        return self.random.random() < share

    def ends(self):
        """Source and destination, as the packet is sent."""
        choice = self.random.choice
        host, peer = choice(self.sides[self.way]), choice(self.peers)
        if self.chance(.04):
            host = choice(self.sides[1 - self.way])
        if self.way == 0:
            return host, choice(self.sides[1]) if self.chance(.15) else peer
        return peer, host

    def packet(self, index):
        source, target = self.ends()
        protocol, content = self.error(source, target) if self.chance(.35) else self.content(source, target)
        packet = self.whole(source, target, protocol, content, index)
        return packet if len(packet) <= MTU else self.packet(index)

    def whole(self, source, target, protocol, content, index, hops=None):
        build = self.ipv4 if self.version == 4 else self.ipv6
        return build(source, target, protocol, content, index, hops or (1 if self.chance(.01) else
                                                                        self.random.randrange(2, 256)))

    # What a packet carries.

    def content(self, source, target):
        one = self.random.choice(self.carried)
        content = bytearray(one.header + self.random.randbytes(self.random.choice((0, 1, 2, 7, 20, 20, 64, 200))))
        if self.chance(.01):
            content += self.random.randbytes(1200)
        if one.protocol == 17:
            content[4:6] = (len(content) if self.chance(.95) else self.random.getrandbits(16)).to_bytes(2, "big")
        at = CHECKSUM_AT[self.version].get(one.protocol)
        if at is not None and len(content) >= at + 2:
            content[at:at + 2] = self.checksum(source, target, one.protocol, content, at, one.covered)
        if self.chance(.05):
            at = self.random.randrange(len(content) or 1)
            content[at:at + 1] = self.random.randbytes(1)
        if self.chance(.06) and not self.stock:
            content = content[:self.random.randrange(len(content) + 1)]
        return one.protocol, bytes(content)

    def checksum(self, source, target, protocol, content, at, covered=None):
        """Mostly the right one; or wrong, or one that a translation may make 0, or none."""
        kind = self.random.random()
        if kind > .18:
            content[at:at + 2] = b"\0\0"
            pseudo = b""
            if protocol in self.known:
                pseudo = source + target + struct.pack(">II", len(content), protocol)
            value = checksum(pseudo + content[:covered])
            return (value or 0xffff if protocol in ZERO_MEANS_NONE else value).to_bytes(2, "big")
        if kind < .04:
            return b"\0\0"
        if kind < .07:
            return b"\xff\xff"
        if kind < .12:
            return self.random.randbytes(2)
        way, address = self.random.choice(((0, source), (1, target)))
        pair = self.pairs.covering(int.from_bytes(address, "big"), way)
        change = pair.sides[1 - way] - pair.sides[way] if pair else 0
        # From which the translation makes 0, or 0xffff.
        return (change % 0xffff).to_bytes(2, "big")

    def error(self, source, target):
        """An ICMP error about a packet that went the other way, or about any."""
        choice = self.random.choice
        kind = choice(ERRORS[self.version])
        if self.chance(.05):
            kind = REDIRECT if self.version == 4 else REDIRECT_IPV6
        about = (target, source)
        if self.chance(.3):
            about = choice((self.ends()[::-1], self.ends(), (choice(self.sides[self.way]), target),
                            (choice(self.sides[0]), choice(self.sides[1])), (target, choice(self.own)),
                            (choice(self.own), source)))
        if self.chance(.4):
            # Told by a router.
            source = choice((self.no_pair[self.way], choice(self.peers))) if self.way == 0 else choice(self.peers)
        protocol, content = self.error(*about) if self.chance(.03) else self.content(*about)
        quote = self.whole(*about, protocol, content, self.random.getrandbits(16), self.random.randrange(256))
        cut = self.random.random()
        least = 20 if self.version == 4 else 40
        if cut < .3:
            quote = quote[:least + 8]
        elif cut < .6:
            quote = quote[:self.random.randrange(len(quote) + 1)]
        elif cut < .63:
            quote = quote[:1] + self.random.randbytes(len(quote) - 1)
        elif cut < .65:
            quote = self.random.randbytes(self.random.randrange(80))
        rest = bytearray(4 if self.chance(.7) else self.random.randbytes(4))
        if self.chance(.05):
            # RFC 4884: filled up, its length, and an extension.
            quote = quote[:128].ljust(128, b"\0") + b"\x20\0" + self.random.randbytes(10)
            rest = bytearray(b"\0\x20\0\0" if self.version == 4 else b"\x10\0\0\0")
        message = bytearray(bytes([kind, self.random.randrange(6), 0, 0]) + rest + quote)
        protocol = 1 if self.version == 4 else 58
        message[2:4] = self.checksum(source, target, protocol, message, 2)
        if self.chance(.02) and not self.stock:
            message = message[:self.random.randrange(12)]
        return protocol, bytes(message)

    # The headers before that.

    def ipv4(self, source, target, protocol, content, index, hops):
        options = self.ipv4_options() if self.chance(.1) else b""
        fragment = 0x4000 if self.chance(.3) else 0
        if self.chance(.08):
            fragment = self.random.choice((0x2000, 0x2000, 1, 1, 90, 0x2000 | 90, 0x1fff, 0x8000))
        length = 20 + len(options) + len(content)
        if self.chance(.02):
            length = max(0, length + self.random.choice(self.slips))
        first = 0x45 + len(options) // 4
        if self.chance(.005):
            first = self.random.getrandbits(8)
        header = bytearray(struct.pack(">BBHHHBBH4s4s", first, self.random.getrandbits(8), length, index, fragment,
                                       hops, protocol, 0, source, target) + options)
        header[10:12] = (checksum(header) if self.chance(.99) else self.random.getrandbits(16)).to_bytes(2, "big")
        return bytes(header) + content

    def ipv4_options(self):
        choice = self.random.choice
        options = b"".join(choice((  # no room for a time, which would not be the same twice
            b"\1", b"\1\1\1", b"\0", b"\x07\x07\4\0\0\0\0", b"\x07\x0b\x08\1\2\3\4\0\0\0\0",
            b"\x44\x0c\x0d\0" + bytes(8), b"\x94\4\0\0", b"\x88\4\0\1", b"\xde\4\1\2", b"\x83\x07\4\xc6\x33\x64\2",
            b"\xde\0", b"\x07\2")) for _ in range(self.random.randrange(1, 4)))
        return options[:40].ljust(len(options[:40]) + 3 & ~3, b"\0")

    def ipv6(self, source, target, protocol, content, index, hops):
        if self.chance(.3):
            protocol, content = self.extended(protocol, content)
        length = len(content)
        if self.chance(.02):
            length = max(0, length + self.random.choice(self.slips))
        first = 6 << 28 | self.random.getrandbits(8) << 20 | index
        return struct.pack(">IHBB16s16s", first, length, protocol, hops, source, target) + content

    def extended(self, protocol, content):
        """With extension headers before it, from the last to the first."""
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            number, header = self.random.choice(self.extensions())
            content, protocol = bytes([protocol]) + header + content, number
        if self.chance(.15):
            content, protocol = bytes([protocol]) + b"\0" + self.random.choice((
                b"\1\4\0\0\0\0", b"\0\0\0\0\0\0", b"\5\2\0\0\1\0", b"\x1e\4\1\2\3\4")) + content, 0
        if self.chance(.05) and not self.stock:
            content = content[:self.random.randrange(len(content) + 1)]
        return protocol, content

    def extensions(self):
        """Each without its first byte, which names the next one."""
        identity = b"\0\0\0\x07"
        padding = b"\1\1\4\0\0\0\0"
        headers = [
            (60, b"\0\1\4\0\0\0\0"), (60, b"\1\1\x0c" + bytes(12)), (60, b"\0\0\0\0\0\0\0"),
            (43, b"\2\0\0\0\0\0\0" + self.peers[0].rjust(16, b"\0")), (43, b"\2\2\0\0\0\0\0" + bytes(16)),
            (43, b"\0\4\0\0\0\0\0"),
            (44, b"\0\0\0" + identity), (44, b"\0\0\1" + identity), (44, b"\0\0\x09" + identity),
            (44, b"\0\x1f\xf8" + identity),
        ]
        if not self.stock:
            headers += [
                (60, b"\2\1\2\0\0\xc9\x10" + self.peers[0].rjust(16, b"\0")),             # a home address
                (60, b"\2\xc9\x10" + self.peers[0].rjust(16, b"\0") + b"\1\2\0\0"),
                (60, b"\2\1\x14\0\0\xc9\x10" + bytes(16)),                                 # what looks like one
                (60, b"\2\1\x02\0\0\xc9\x0f" + bytes(16)),
                (60, b"\1\xc9\x10" + bytes(12)),
                (60, b"\x09" + padding[1:]), (60, bytes([self.random.randrange(6)]) + self.random.randbytes(6)),
                (43, b"\2\0\1\0\0\0\0" + self.peers[0].rjust(16, b"\0")),                  # on its way
                (43, b"\2\2\1\0\0\0\0" + self.peers[0].rjust(16, b"\0")),
                (43, b"\x02\4\1\0\0\0\0" + bytes(16)),
                (51, b"\4\0\0\0\0\0\x09\0\0\0\1" + bytes(12)),
                (51, bytes([self.random.randrange(6)]) + bytes(22)),
                (0, b"\0\1\4\0\0\0\0"),                                                    # not the first
            ]
        return headers
