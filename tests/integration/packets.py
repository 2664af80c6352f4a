# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers that Scapy lacks, and what the packet tables of all tests are made with."""

import itertools
import socket
import struct

import pytest
from scapy.fields import BitField, ByteField, IntField, ShortField, XShortField
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, bind_layers

expression = pytest.mark.expression

TEXT = b"The quick brown fox"


def row(why, *cells, marks=()):
    """One line of a table."""
    return pytest.param(*cells, id=why, marks=marks)


def checksum(data):
    """The internet checksum (RFC 1071), word by word, in no way like the kernel's."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def pseudo_header(ip, length):
    """RFC 793, 3.1; for IPv6 RFC 8200, 8.1."""
    if ip.version == 6:
        return (socket.inet_pton(socket.AF_INET6, ip.src) + socket.inet_pton(socket.AF_INET6, ip.dst)
                + length.to_bytes(4, "big") + bytes([0, 0, 0, ip.nh]))
    return (socket.inet_aton(ip.src) + socket.inet_aton(ip.dst)
            + bytes([0, ip.proto]) + length.to_bytes(2, "big"))


class Covering(Packet):
    """A transport whose checksum, at byte 6, covers the pseudo header and a part of the packet."""

    def covered(self, whole):
        raise NotImplementedError

    def post_build(self, header, payload):
        whole = header + payload
        if self.chksum is None:
            covered = pseudo_header(self.underlayer, len(whole)) + whole[:self.covered(whole)]
            header = header[:6] + (checksum(covered) or self.zero).to_bytes(2, "big") + header[8:]
        return header + payload


class UDPLite(Covering):
    """RFC 3828: the first `coverage` bytes, 0 being all; a computed 0 is sent as 0xffff."""
    name = "UDP-Lite"
    zero = 0xffff
    fields_desc = [ShortField("sport", 5004), ShortField("dport", 5005),
                   ShortField("coverage", 0), XShortField("chksum", None)]

    def covered(self, whole):
        return self.coverage or len(whole)


class DCCP(Covering):
    """RFC 4340, the generic header of a Request: CsCov 0 covers all, N covers the header and 4(N-1) bytes."""
    name = "DCCP"
    zero = 0
    fields_desc = [ShortField("sport", 5004), ShortField("dport", 5005),
                   ByteField("offset", 5), BitField("ccval", 0, 4), BitField("cscov", 0, 4),
                   XShortField("chksum", None), BitField("reserved", 0, 3), BitField("type", 0, 4),
                   BitField("extended", 1, 1), ByteField("reserved2", 0), BitField("seq", 1, 48),
                   IntField("service", 42)]

    def covered(self, whole):
        return len(whole) if self.cscov == 0 else 4 * self.offset + 4 * (self.cscov - 1)


bind_layers(IP, UDPLite, proto=136)
bind_layers(IP, DCCP, proto=33)
bind_layers(IPv6, UDPLite, nh=136)
bind_layers(IPv6, DCCP, nh=33)

CHECKSUM_AT = {ICMP: 2, TCP: 16, UDP: 6, UDPLite: 6, DCCP: 6}


def checksum_at(packet):
    """The offset of the transport checksum."""
    return 4 * (bytes(packet)[0] & 15) + CHECKSUM_AT[type(packet.payload)]


def add(packet, at, amount):
    """The packet's bytes with 16 bits more by an amount, in one's complement."""
    data = bytes(packet)
    value = int.from_bytes(data[at:at + 2], "big") + amount
    return data[:at] + ((value & 0xffff) + (value >> 16)).to_bytes(2, "big") + data[at + 2:]


def spoiled(packet, amount):
    """The packet's bytes with its transport checksum wrong by an amount."""
    at = checksum_at(packet)
    data = add(packet, at, amount)
    assert data[at:at + 2] not in (b"\0\0", b"\xff\xff")
    return data


def balanced(packet):
    """The packet with two more bytes, such that its transport checksum is computed as 0."""
    data, at = bytes(packet / b"\0\0"), checksum_at(packet)
    return packet / data[at:at + 2]


def fragments(packet, size):
    """The packet's bytes in fragments that carry `size` bytes, a multiple of 8."""
    whole = bytes(packet)
    end = 4 * (whole[0] & 15)
    for start in range(end, len(whole), size):
        piece = whole[start:start + size]
        more = 0x2000 if start + size < len(whole) else 0
        header = bytearray(whole[:end])
        struct.pack_into(">H", header, 2, end + len(piece))
        struct.pack_into(">H", header, 6, more | (start - end) // 8)
        struct.pack_into(">H", header, 10, 0)
        struct.pack_into(">H", header, 10, checksum(bytes(header)))
        yield bytes(header) + piece


def same(got, wanted):
    """Fails unless two packets are the same bit for bit, and shows the layers that are not."""
    got, wanted = bytes(got), bytes(wanted)
    if got != wanted:
        pairs = itertools.zip_longest(layers(got), layers(wanted), fillvalue="nothing")
        pytest.fail("\n".join(f"got    {one}\nwanted {other}"
                              for one, other in pairs if one != other), pytrace=False)


def layers(data):
    packet = (IPv6 if data[:1] >= b"\x60" else IP)(data)
    while packet:
        yield f"{packet.name} {packet.fields}"[:400]
        packet = packet.payload
