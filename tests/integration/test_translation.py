# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet of any transport crosses the gateway translated, and otherwise the same bit for bit.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10
    B 10.0.0.3 = 198.51.100.3
    C 10.0.0.9, no pair
"""

import itertools
import random
from collections import namedtuple

import pytest
from scapy.layers.inet import (ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Security,
                               IPOption_Stream_Id)
from scapy.layers.sctp import SCTP, SCTPChunkData

from net import A, A_OUT, B, B_OUT, C, X
from packets import (DCCP, TEXT, UDPLite, balanced, checksum, checksum_at, expression,
                     fragments, pseudo_header, row, same, spoiled)
from wire import GSO_TCPV4

Way = namedtuple("Way", "enters leaves sent seen")  # sent and seen: source and destination

WAYS = {
    "outbound": Way("inside", "outside", (A, X), (A_OUT, X)),
    "inbound": Way("outside", "inside", (X, A_OUT), (X, A)),
    "hairpin": Way("inside", "inside", (A, B_OUT), (A_OUT, B)),
    "outbound, no pair": Way("inside", "outside", (C, X), (C, X)),
    "inbound, no pair": Way("outside", "inside", (X, C), (X, C)),
}

OPTIONS = [IPOption_NOP(), IPOption_Security(security=1), IPOption_Stream_Id(security=7)]

PACKETS = [
    #   why                         fields of IP            what it carries
    row("TCP",                      {},                     TCP(seq=7, flags="PA") / TEXT),
    row("TCP options",              {},                     TCP(flags="S", options=[("MSS", 1460), ("WScale", 7)])),
    row("TCP, IP options",          {"options": OPTIONS},   TCP() / TEXT),
    row("TCP, DF, DSCP, CE",        {"flags": "DF", "tos": 0xbb}, TCP() / TEXT),
    row("TCP, 1500 bytes",          {},                     TCP() / bytes(1460)),
    row("UDP",                      {},                     UDP() / TEXT),
    row("UDP, nothing in it",       {},                     UDP()),
    row("UDP, IP options",          {"options": OPTIONS},   UDP() / TEXT),
    row("UDP, 40 bytes of options", {"options": [IPOption_NOP()] * 40}, UDP() / TEXT),
    row("UDP, no checksum",         {},                     UDP(chksum=0) / TEXT),
    row("UDP, longer IP packet",    {},                     UDP(len=12) / TEXT,
        marks=pytest.mark.filterwarnings("ignore")),
    row("UDP-Lite, all covered",    {},                     UDPLite() / TEXT),
    row("UDP-Lite, header covered", {},                     UDPLite(coverage=8) / TEXT),
    row("UDP-Lite, 4 more covered", {},                     UDPLite(coverage=12) / TEXT),
    row("DCCP, all covered",        {},                     DCCP() / TEXT, marks=expression),
    row("DCCP, header covered",     {},                     DCCP(cscov=1) / TEXT, marks=expression),
    row("DCCP, 4 more covered",     {},                     DCCP(cscov=2) / TEXT, marks=expression),
    row("SCTP",                     {},                     SCTP(tag=9) / SCTPChunkData(data=TEXT)),
    row("ICMP echo request",        {},                     ICMP(type=8, id=9, seq=1) / TEXT),
    row("ICMP echo reply",          {},                     ICMP(type=0, id=9, seq=1) / TEXT),
    row("ICMP timestamp",           {},                     ICMP(type=13, id=9)),
    row("ICMP, unknown type",       {},                     ICMP(type=200) / bytes(IP(src=A_OUT, dst=X) / UDP())),
    row("ESP",                      {"proto": 50},          bytes(range(40))),
    row("AH",                       {"proto": 51},          bytes(range(40))),
    row("GRE",                      {"proto": 47},          b"\0\0\x08\0" + bytes(IP(src=A, dst=X) / UDP())),
    row("IP in IP",                 {"proto": 4},           bytes(IP(src=A, dst=X) / UDP())),
    row("unknown protocol",         {"proto": 253},         bytes(range(40))),
    row("unknown protocol, empty",  {"proto": 253},         b""),
]


pytestmark = pytest.mark.usefixtures("conntrack")


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


identification = itertools.count(1)


def sent_and_seen(way, fields=None):
    """The IP header of one packet as it is sent and as it must be seen behind the gateway."""
    fields = {"id": next(identification), **(fields or {})}
    return (IP(src=way.sent[0], dst=way.sent[1], ttl=64, **fields),
            IP(src=way.seen[0], dst=way.seen[1], ttl=63, **fields))


@pytest.mark.parametrize("fields, carried", PACKETS)
def test_packet(wire, way, fields, carried):
    sent, seen = sent_and_seen(way, fields)
    getattr(wire, way.enters).send(sent / carried)
    wire.expect(**{way.leaves: [seen / carried]})


CHECKED = [
    #   why                         what it carries
    row("TCP",                      TCP(seq=7) / TEXT),
    row("UDP",                      UDP() / TEXT),
    row("UDP-Lite",                 UDPLite(coverage=8) / TEXT),
    row("DCCP",                     DCCP() / TEXT, marks=expression),
    row("ICMP",                     ICMP(type=8) / TEXT),
]


@pytest.mark.parametrize("carried", CHECKED)
@pytest.mark.parametrize("amount", [1, 0x8000])
def test_wrong_checksum_stays_as_wrong(wire, way, carried, amount):
    sent, seen = sent_and_seen(way)
    getattr(wire, way.enters).send(spoiled(sent / carried, amount))
    wire.expect(**{way.leaves: [spoiled(seen / carried, amount)]})


ZEROS = [
    #   why                                     what it carries, to be filled up to a sum of 0
    row("UDP, sent as 0xffff",                  UDP()),
    row("UDP-Lite, sent as 0xffff",             UDPLite()),
    row("DCCP, sent as 0",                      DCCP(), marks=expression),
    row("TCP, sent as 0",                       TCP(), marks=expression),
]


@pytest.mark.parametrize("carried", ZEROS)
@pytest.mark.parametrize("zero", ["before", "after"])
def test_checksum_computed_as_zero(wire, way, carried, zero):
    sent, seen = sent_and_seen(way)
    carried = balanced((sent if zero == "before" else seen) / carried).payload
    getattr(wire, way.enters).send(sent / carried)
    wire.expect(**{way.leaves: [seen / carried]})


@expression
def test_header_checksum_computed_as_zero(wire, way):
    sent, seen = sent_and_seen(way, {"id": 0})
    sent.id = seen.id = IP(bytes(seen / UDP())).chksum
    assert IP(bytes(seen / UDP())).chksum == 0
    getattr(wire, way.enters).send(sent / UDP())
    wire.expect(**{way.leaves: [seen / UDP()]})


FRAGMENTED = [
    #   why                         fields of IP            what it carries
    row("TCP",                      {},                     TCP() / bytes(range(200)) / bytes(1000)),
    row("UDP",                      {},                     UDP() / bytes(range(200)) / bytes(1000)),
    row("UDP, no checksum",         {},                     UDP(chksum=0) / bytes(range(200)) / bytes(1000)),
    row("UDP, IP options",          {"options": OPTIONS[2:]}, UDP() / bytes(1201)),
    row("UDP-Lite",                 {},                     UDPLite(coverage=8) / bytes(1300)),
    row("DCCP",                     {},                     DCCP() / bytes(1200), marks=expression),
    row("SCTP",                     {},                     SCTP() / SCTPChunkData(data=bytes(1200))),
    row("ICMP echo",                {},                     ICMP(type=8) / bytes(1300)),
    row("unknown protocol",         {"proto": 253},         bytes(1300)),
    row("as if all were redirects", {},                     ICMP(type=8) / (b"\5" * 1300)),
]

ORDERS = {"in order": (0, 1, 2, 3), "backwards": (3, 2, 1, 0), "shuffled": (2, 0, 3, 1)}


@pytest.mark.parametrize("fields, carried", FRAGMENTED)
@pytest.mark.parametrize("order", ORDERS)
def test_fragments(wire, way, fields, carried, order):
    """Conntrack, where it is in use, puts fragments into order; nothing else may differ."""
    sent, seen = (list(fragments(whole / carried, 400)) for whole in sent_and_seen(way, fields))
    for index in ORDERS[order]:
        getattr(wire, way.enters).send(sent[index])
    inside, outside = wire.drain()
    got = inside if way.leaves == "inside" else outside
    in_order = sorted(got, key=lambda packet: int.from_bytes(packet[6:8], "big") & 0x1fff)
    assert len(got) == len(seen)
    for one, wanted in zip(in_order, seen):
        same(one, wanted)
    assert not (outside if way.leaves == "inside" else inside)


LONE = [
    #   why                                     which  what it carries
    row("first of TCP",                         0,     TCP() / bytes(1300)),
    row("first of UDP",                         0,     UDP() / bytes(1300)),
    row("first of ICMP echo",                   0,     ICMP(type=8) / bytes(1300)),
    row("a later one that looks like TCP",      1,     UDP() / bytes(392) / TCP(chksum=99) / bytes(1300)),
    row("a later one of UDP",                   2,     UDP() / bytes(1300)),
    row("the last one of UDP, 1 byte",          3,     UDP() / bytes(1193)),
    row("a later one of an ICMP error",         1,     ICMP(type=3) / bytes(400) / IP(src=A_OUT, dst=X) / bytes(900)),
]


@expression
@pytest.mark.parametrize("which, carried", LONE)
def test_lone_fragment(wire, way, conntrack, which, carried):
    """Without conntrack each fragment passes by itself; with it none does until all have come."""
    sent, seen = (list(fragments(whole / carried, 400))[which] for whole in sent_and_seen(way))
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [] if conntrack else [seen]})


UNFINISHED = [
    #   why                     what it carries
    row("TCP",                  TCP(seq=7, flags="PA") / TEXT),
    row("UDP",                  UDP() / TEXT),
]


@pytest.mark.parametrize("carried", UNFINISHED)
def test_checksum_left_to_offload(wire, way, carried):
    sent, seen = sent_and_seen(way)
    at = checksum_at(sent / carried)
    data = bytes(sent / carried)
    pseudo = checksum(pseudo_header(IP(data), len(data) - 20)) ^ 0xffff
    getattr(wire, way.enters).send_unfinished(
        data[:at] + pseudo.to_bytes(2, "big") + data[at + 2:], 20, at)
    wire.expect(**{way.leaves: [seen / carried]})


def test_segmentation_left_to_offload(wire, way):
    """The gateway forwards one packet of 5000 bytes and cuts it into segments as it leaves."""
    identity, content = next(identification), random.Random(1).randbytes(5000)
    sent, _ = sent_and_seen(way, {"id": identity})
    whole = bytes(sent / TCP(seq=7, flags="PA") / content)
    pseudo = checksum(pseudo_header(IP(whole), len(whole) - 20)) ^ 0xffff
    getattr(wire, way.enters).send_unfinished(
        whole[:36] + pseudo.to_bytes(2, "big") + whole[38:], 20, 36, GSO_TCPV4, 1000)
    wire.expect(**{way.leaves: [
        sent_and_seen(way, {"id": identity + number})[1]
        / TCP(seq=7 + 1000 * number, flags="PA" if number == 4 else "A")
        / content[1000 * number:1000 * (number + 1)] for number in range(5)]})
