# SPDX-License-Identifier: GPL-2.0-or-later
"""An ICMP error, whoever sends it, tells each side about a packet as that side knows it.

                     inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2                 R2 192.0.2.2, a router
    B 10.0.0.3 = 198.51.100.3                 X 203.0.113.10, behind R2
    R1 10.0.0.17, a router without a pair
    C 10.0.0.9, no pair
"""

from collections import namedtuple

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.sctp import SCTP, SCTPChunkData

from net import A, A_OUT, B, B_OUT, C, D, D_OUT, GATEWAY_IN, GATEWAY_OUT, PAIRS, R1, R2, X
from packets import (DCCP, UDPLite, balanced, checksum_at, expression, row, same, spoiled)

pytestmark = expression

# Of the error and of the packet it quotes: (source, destination) before and after the gateway.
Way = namedtuple("Way", "enters leaves outer quoted")

WAYS = {
    "from the peer":
        Way("outside", "inside", [(X, A_OUT), (X, A)], [(A_OUT, X), (A, X)]),
    "from a router outside":
        Way("outside", "inside", [(R2, A_OUT), (R2, A)], [(A_OUT, X), (A, X)]),
    "from the host":
        Way("inside", "outside", [(A, X), (A_OUT, X)], [(X, A), (X, A_OUT)]),
    "from a router inside":
        Way("inside", "outside", [(R1, X), (R1, X)], [(X, A), (X, A_OUT)]),
    "from the host, hairpin":
        Way("inside", "inside", [(B, A_OUT), (B_OUT, A)], [(A_OUT, B), (A, B_OUT)]),
    "from a router inside, hairpin":
        Way("inside", "inside", [(R1, A_OUT), (R1, A)], [(A_OUT, B), (A, B_OUT)]),
}

OTHER_WAYS = {
    "about no pair, inbound":
        Way("outside", "inside", [(R2, C), (R2, C)], [(C, X), (C, X)]),
    "about no pair, outbound":
        Way("inside", "outside", [(R1, X), (R1, X)], [(X, C), (X, C)]),
    "about no pair, to a pair":
        Way("outside", "inside", [(R2, A_OUT), (R2, A)], [(C, X), (C, X)]),
    "about a pair, to no pair":
        Way("outside", "inside", [(R2, C), (R2, C)], [(A_OUT, X), (A, X)]),
    "the pair on the wrong side of the quote":
        Way("outside", "inside", [(X, A_OUT), (X, A)], [(X, A_OUT), (X, A_OUT)]),
}

TEXT = b"The quick brown fox jumps"
REDIRECT = ICMP(type=5, code=1, gw="192.0.2.77")
NOP = IPOption_NOP()

ERRORS = [
    row("net unreachable",          ICMP(type=3, code=0)),
    row("host unreachable",         ICMP(type=3, code=1)),
    row("port unreachable",         ICMP(type=3, code=3)),
    row("fragmentation needed",     ICMP(type=3, code=4, nexthopmtu=1280)),
    row("prohibited",               ICMP(type=3, code=13)),
    row("source quench",            ICMP(type=4)),
    row("TTL exceeded",             ICMP(type=11, code=0)),
    row("reassembly time exceeded", ICMP(type=11, code=1)),
    row("parameter problem",        ICMP(type=12, code=0, ptr=20)),
]

QUOTES = [
    #   why                              fields of IP           what it carries            bytes quoted
    row("TCP, whole",                    {},                    TCP(seq=7) / TEXT,         None),
    row("TCP, 8 bytes",                  {},                    TCP(seq=7) / TEXT,         28),
    row("TCP, cut before its checksum",  {},                    TCP(seq=7) / TEXT,         36),
    row("TCP, cut inside its checksum",  {},                    TCP(chksum=0x1234),        37),
    row("TCP, cut after its checksum",   {},                    TCP(seq=7) / TEXT,         38),
    row("UDP, whole",                    {},                    UDP() / TEXT,              None),
    row("UDP, 8 bytes",                  {},                    UDP() / TEXT,              28),
    row("UDP, cut inside its checksum",  {},                    UDP(chksum=0x1234),        27),
    row("UDP, no checksum",              {},                    UDP(chksum=0) / TEXT,      None),
    row("UDP-Lite, header covered",      {},                    UDPLite(coverage=8) / TEXT, 28),
    row("DCCP, 8 bytes",                 {},                    DCCP() / TEXT,             28),
    row("DCCP, whole",                   {},                    DCCP() / TEXT,             None),
    row("ICMP echo, 8 bytes",            {},                    ICMP(id=9) / TEXT,         28),
    row("ICMP echo, whole",              {},                    ICMP(id=9) / TEXT,         None),
    row("ICMP error within the error",   {},                    ICMP(type=3) / bytes(IP(src=X, dst=A) / UDP()), None),
    row("SCTP, 8 bytes",                 {},                    SCTP(tag=9),               28),
    row("SCTP, whole",                   {},                    SCTP(tag=9) / SCTPChunkData(data=TEXT), None),
    row("ESP",                           {"proto": 50},         bytes(range(40)),          None),
    row("unknown protocol, empty",       {"proto": 253},        b"",                       None),
    row("IP header only",                {},                    TCP() / TEXT,              20),
    row("IP options, whole",             {"options": [NOP] * 7}, TCP() / TEXT,             None),
    row("IP options, 8 bytes behind",    {"options": [NOP] * 7}, UDP() / TEXT,             36),
    row("IP options, 4 bytes behind",    {"options": [NOP] * 7}, UDP() / TEXT,             32),
    row("IP options, 16 bytes behind",   {"options": [NOP] * 7}, TCP() / TEXT,             44),
    row("40 bytes of options, whole",    {"options": [NOP] * 40}, UDP() / TEXT,            None),
    row("cut inside the IP options",     {"options": [NOP] * 7}, UDP() / TEXT,             25),
    row("cut before the IP options",     {"options": [NOP] * 7}, UDP() / TEXT,             20),
    row("first fragment",                {"flags": "MF"},       UDP() / TEXT,              None),
    row("later fragment like UDP",       {"frag": 90, "proto": 17}, bytes(UDP() / TEXT),   None),
    row("last fragment like TCP",        {"frag": 1, "proto": 6}, bytes(TCP(chksum=5)),    None),
    row("576 bytes in all",              {},                    TCP() / bytes(4000),       548),
    row("1500 bytes in all",             {},                    UDP() / bytes(4000),       1472),
]

DAMAGES = [
    #   why                              what it carries        offset of the wrong 16 bits
    row("IP header checksum",            TCP() / TEXT,          10),
    row("TCP checksum",                  TCP() / TEXT,          36),
    row("UDP checksum",                  UDP() / TEXT,          26),
    row("DCCP checksum",                 DCCP() / TEXT,         26),
]

GARBAGE = [
    #   why                              where the quote should be
    row("nothing",                       b""),
    row("one byte",                      b"\x45"),
    row("19 bytes",                      bytes(IP(src=A_OUT, dst=X))[:19]),
    row("IPv6",                          b"\x60" + bytes(range(1, 60))),
    row("version 0",                     b"\x05" + bytes(IP(src=A_OUT, dst=X) / TCP())[1:]),
    row("an IP header of 16 bytes",      b"\x44" + bytes(IP(src=A_OUT, dst=X) / TCP())[1:]),
    row("text",                          TEXT),
]


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def errors(way, error, quote):
    """The error before and behind the gateway; `quote` makes bytes of source and destination."""
    return [IP(src=outer[0], dst=outer[1], ttl=ttl) / error / quote(*quoted)
            for outer, quoted, ttl in zip(way.outer, way.quoted, (64, 63))]


def quoting(fields, carried, length=None):
    return lambda source, target: bytes(IP(src=source, dst=target, ttl=9, **fields) / carried)[:length]


def passes(wire, way, sent, seen):
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [seen]})


@pytest.mark.parametrize("error", ERRORS)
def test_error(wire, conntrack, way, error):
    passes(wire, way, *errors(way, error, quoting({}, UDP() / TEXT)))


def test_redirect_about_a_pair_goes_no_further(wire, tool, conntrack, way):
    """Translated, it would lead its receiver around the gateway."""
    getattr(wire, way.enters).send(errors(way, REDIRECT, quoting({}, UDP() / TEXT))[0])
    if way.outer[0] != way.outer[1]:
        # Of a pair even without a quote.
        getattr(wire, way.enters).send(errors(way, REDIRECT, lambda *_: b"")[0])
    wire.expect()


@pytest.mark.parametrize("way", [OTHER_WAYS["about no pair, inbound"], OTHER_WAYS["about no pair, outbound"]],
                         ids=["inbound", "outbound"])
def test_other_redirect(wire, conntrack, way):
    passes(wire, way, *errors(way, REDIRECT, quoting({}, UDP() / TEXT)))


@pytest.mark.parametrize("fields, carried, length", [
    row("UDP", {}, UDP() / TEXT, None),
    row("TCP, options", {"options": [NOP] * 7}, TCP() / TEXT, None),
    row("no checksum in it", {}, TCP() / TEXT, 28),
])
def test_checksum_left_to_offload(wire, way, fields, carried, length):
    """ICMP has no pseudo header, so its field is 0 until then."""
    sent, seen = errors(way, ICMP(type=3, code=4, nexthopmtu=1400), quoting(fields, carried, length))
    data = bytes(sent)
    getattr(wire, way.enters).send_unfinished(data[:22] + b"\0\0" + data[24:], 20, 22)
    wire.expect(**{way.leaves: [seen]})


@pytest.mark.parametrize("way", OTHER_WAYS.values(), ids=OTHER_WAYS)
def test_other_address(wire, conntrack, way):
    passes(wire, way, *errors(way, ICMP(type=3, code=1), quoting({}, UDP() / TEXT)))


@pytest.mark.parametrize("fields, carried, length", QUOTES)
def test_quote(wire, tool, way, fields, carried, length):
    passes(wire, way, *errors(way, ICMP(type=11), quoting(fields, carried, length)))


@pytest.mark.parametrize("carried, at", DAMAGES)
def test_wrong_quote_stays_as_wrong(wire, tool, way, carried, at):
    def damaged(source, target):
        quote = quoting({}, carried)(source, target)
        wrong = int.from_bytes(quote[at:at + 2], "big") + 0x1234
        wrong = (wrong & 0xffff) + (wrong >> 16)
        return quote[:at] + wrong.to_bytes(2, "big") + quote[at + 2:]
    passes(wire, way, *errors(way, ICMP(type=11), damaged))


def test_wrong_error_stays_as_wrong(wire, tool, way):
    sent, seen = errors(way, ICMP(type=11), quoting({}, UDP() / TEXT))
    passes(wire, way, spoiled(sent, 0x1234), spoiled(seen, 0x1234))


@pytest.mark.parametrize("zero", [0, 1], ids=["before", "after"])
def test_quoted_checksum_computed_as_zero(wire, tool, way, zero):
    for protocol in (TCP(), UDP(), DCCP()):
        source, target = way.quoted[zero]
        carried = balanced(IP(src=source, dst=target) / protocol).payload
        passes(wire, way, *errors(way, ICMP(type=11), quoting({}, carried)))


@pytest.mark.parametrize("zero", [0, 1], ids=["before", "after"])
def test_error_checksum_computed_as_zero(wire, tool, way, zero):
    error = errors(way, ICMP(type=11), quoting({}, UDP(len=10) / b"??"))[zero]
    data, at = bytes(error), checksum_at(error)
    error = ICMP(type=11, unused=int.from_bytes(data[at:at + 2], "big"))
    sent, seen = errors(way, error, quoting({}, UDP(len=10) / b"??"))
    assert IP(bytes((sent, seen)[zero]))[ICMP].chksum == 0
    passes(wire, way, sent, seen)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_passes_behind_its_translated_header(wire, tool, way, garbage):
    passes(wire, way, *errors(way, ICMP(type=3, code=3), lambda *_: garbage))


@pytest.mark.parametrize("fragment", [0, 1], ids=["first", "later"])
def test_fragment_of_an_error(wire, tool, way, fragment):
    """The first one holds the quote; a later one only looks as if it did."""
    sent, seen = errors(way, ICMP(type=11), quoting({}, UDP() / (TEXT * 9), 208))
    if fragment:
        seen = IP(bytes(sent), src=seen.src, dst=seen.dst, ttl=seen.ttl, chksum=None)
        sent = IP(bytes(sent))
    for packet in (sent, seen):
        packet.flags, packet.frag = ("MF", 0) if fragment == 0 else (0, 60)
        packet.proto, packet.chksum = 1, None
    passes(wire, way, sent, seen)


# What the gateway itself has to say. E and ABSENT are on its wires, but do not answer.
E, E_OUT = "10.0.0.66", "198.51.100.66"
ABSENT = "192.0.2.66"
NARROW = "203.0.113.20"
FORBIDDEN = "203.0.113.130"

TTL, WHOLE, ANY = {"ttl": 1}, {"flags": "DF"}, {"ttl": 9}
EXPIRED, TOO_BIG = ICMP(type=11), ICMP(type=3, code=4, nexthopmtu=1280)
FILTERED, NOBODY = ICMP(type=3, code=13), ICMP(type=3, code=1)

OWN = [
    #   why                       enters     from, to        fields  what the sender is told
    row("TTL, outbound",          "inside",  (A, X),         TTL,    EXPIRED),
    row("TTL, inbound",           "outside", (X, A_OUT),     TTL,    EXPIRED),
    row("TTL, hairpin",           "inside",  (A, B_OUT),     TTL,    EXPIRED),
    row("TTL, no pair",           "inside",  (C, X),         TTL,    EXPIRED),
    row("MTU, outbound",          "inside",  (A, NARROW),    WHOLE,  TOO_BIG),
    row("MTU, inbound",           "outside", (X, B_OUT),     WHOLE,  TOO_BIG),
    row("MTU, hairpin",           "inside",  (A, B_OUT),     WHOLE,  TOO_BIG),
    row("firewall, outbound",     "inside",  (A, FORBIDDEN), ANY,    FILTERED),
    row("firewall, inbound",      "outside", (X, D_OUT),     ANY,    FILTERED),
    row("firewall, hairpin",      "inside",  (A, D_OUT),     ANY,    FILTERED),
    row("no neighbour, outbound", "inside",  (A, ABSENT),    ANY,    NOBODY),
    row("no neighbour, inbound",  "outside", (X, E_OUT),     ANY,    NOBODY),
    row("no neighbour, hairpin",  "inside",  (A, E_OUT),     ANY,    NOBODY),
]


# An exempt destination knows the internal address, and must be told about packets as it sent them.
EXEMPT = [one for one in OWN if "hairpin" not in one.id] + [
    row("TTL, exempt",            "inside",  (A, B),         TTL,    EXPIRED),
    row("MTU, exempt",            "inside",  (A, B),         WHOLE,  TOO_BIG),
    row("firewall, exempt",       "inside",  (A, D),         ANY,    FILTERED),
    row("no neighbour, exempt",   "inside",  (A, E),         ANY,    NOBODY),
]


@pytest.fixture(scope="module")
def complaining(wire):
    """The gateway has something to complain about, and says so at once."""
    wire.errors_without_limit()
    wire.gateway.ip(f"""
        route replace {NARROW} via {R2} mtu lock 1280
        route replace {B} dev in0 mtu lock 1280
    """)
    wire.gateway.nft(f"""table ip firewall {{ chain forward {{
        type filter hook forward priority 0
        ip daddr {{ {FORBIDDEN}, {D} }} meta l4proto tcp reject with tcp reset
        ip daddr {{ {FORBIDDEN}, {D} }} reject with icmp admin-prohibited
    }}; }}""")
    for interface in ("in0", "out0"):
        wire.gateway.sysctl(**{f"net__ipv4__neigh__{interface}__mcast_solicit": 1,
                               f"net__ipv4__neigh__{interface}__retrans_time_ms": 50})
    yield
    wire.gateway.nft("delete table ip firewall")
    wire.gateway.ip(f"route delete {NARROW}\nroute delete {B}")


@pytest.fixture(scope="module")
def exempt(request, complaining, tool):
    tool.sync({**PAIRS, E: E_OUT}, exempt_destinations=request.param)
    yield
    tool.sync(PAIRS)


@pytest.mark.parametrize("exempt, enters, packet, fields, error",
                         [row(one.id, [], *one.values) for one in OWN]
                         + [row(f"{one.id}, inside exempt", ["10.0.0.0/8"], *one.values) for one in EXEMPT],
                         indirect=["exempt"])
def test_own_error(wire, conntrack, exempt, enters, packet, fields, error):
    """The sender is told, by a quote of the packet as it sent it. Ignored: the identification; the source, which is any
    address of the gateway."""
    wire.drain()
    (source, target), carried = packet, UDP() / bytes(1372)
    sender = getattr(wire, enters)
    sender.send(IP(src=source, dst=target, **fields) / carried)
    got = sender.receive()
    if got and IP(got)[ICMP].type == 5:
        # What conntrack follows from one host inside to another may take the shorter way.
        assert target in (D, E)
        got = sender.receive()
    assert got, "the gateway says nothing"

    forwarded = {"ttl": 8} if error.code in (1, 13) else {}
    quote = bytes(IP(src=source, dst=target, **{**fields, **forwarded}) / carried)[:548]
    wanted = IP(src=IP(got).src, dst=source, id=IP(got).id, tos=0xc0) / error / quote
    assert IP(got).src in (GATEWAY_IN, GATEWAY_OUT)
    same(got, wanted)
    wire.expect()


RESETS = [
    #   why                       enters     the packet           who seems to answer
    row("outbound",               "inside",  (A, FORBIDDEN),      FORBIDDEN),
    row("inbound",                "outside", (X, D_OUT),          D_OUT),
    row("hairpin",                "inside",  (A, D_OUT),          D_OUT),
]


@pytest.mark.parametrize("exempt", [[]], ids=[""], indirect=True)
@pytest.mark.parametrize("enters, packet, who", RESETS)
def test_own_reset(wire, conntrack, exempt, enters, packet, who):
    """The firewall's TCP reset comes from the address that was spoken to."""
    getattr(wire, enters).send(IP(src=packet[0], dst=packet[1]) / TCP(sport=1024, seq=6))
    reset = TCP(sport=80, dport=1024, flags="RA", seq=0, ack=7, window=0)
    wire.expect(**{enters: [IP(src=who, dst=packet[0], id=0, flags="DF") / reset]})
