# SPDX-License-Identifier: GPL-2.0-or-later
"""What RFCs ask of a translator and no other file shows; and that docs/rfc.md, which names the tests, names real ones.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10, Y 203.0.113.77
    B 10.0.0.3 = 198.51.100.3
"""

import ast
import itertools
import pathlib
import re

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from net import A, A_OUT, B, B_OUT, PAIRS, R2, X
from packets import TEXT, checksum, expression, fragments, row
from test_icmp_errors import ERRORS, WAYS
from tool import Tool
from wire import Wire

Y = "203.0.113.77"
identification = itertools.count(1)


def outbound(source, target, seen=A_OUT):
    """The IP header of a packet of A's as it is sent and as it is seen behind the gateway."""
    number = next(identification)
    return IP(src=source, dst=target, id=number), IP(src=seen, dst=target, id=number, ttl=63)


def inbound(source, target=A_OUT, seen=A):
    number = next(identification)
    return IP(src=source, dst=target, id=number), IP(src=source, dst=seen, id=number, ttl=63)


# RFC 4787, REQ-1 and REQ-8; RFC 5382, REQ-1 and REQ-3; RFC 5508, REQ-1a; RFC 7857, 5 and 6.
ENDPOINTS = [(X, 7), (X, 8), (Y, 7), (Y, 9)]
PROTOCOLS = [
    #   why           what A says to a port                            what is said to A
    row("UDP",        lambda port: UDP(sport=5000, dport=port) / TEXT, lambda port: UDP(sport=port, dport=5000) / TEXT),
    row("TCP",        lambda port: TCP(sport=5000, dport=port),        lambda port: TCP(sport=port, dport=5000)),
    row("ICMP query", lambda port: ICMP(type=8, id=5000, seq=port),    lambda port: ICMP(type=8, id=5000, seq=port)),
]


@pytest.mark.parametrize("says, hears", PROTOCOLS)
def test_one_mapping_for_every_endpoint(wire, tool, conntrack, says, hears):
    """One address, port and identifier of A, whoever is spoken to and in whatever protocol."""
    for peer, port in ENDPOINTS:
        sent, seen = outbound(A, peer)
        wire.inside.send(sent / says(port))
        wire.expect(outside=[seen / says(port)])


@pytest.mark.parametrize("says, hears", PROTOCOLS)
def test_every_endpoint_is_heard(wire, tool, conntrack, says, hears):
    """Without A's having said anything to it, or to anybody."""
    for peer, port in ENDPOINTS:
        sent, seen = inbound(peer)
        wire.outside.send(sent / hears(port))
        wire.expect(inside=[seen / hears(port)])


# RFC 5382, REQ-2 and REQ-4; RFC 7857, 2.2.
SEQUENCES = [
    #   why                                 the segments: > A's, < X's, and their flags
    row("opened inside, closed outside",    ">S <SA >A <FA >A >FA <A"),
    row("opened outside, closed inside",    "<S >SA <A >FA <A <FA >A"),
    row("opened on both sides at once",     ">S <S >SA <SA <PA >A"),
    row("closed on both sides at once",     ">PA <FA >FA >A <A"),
    row("half closed, then data",           ">FA <A <PA >A <PA"),
    row("refused",                          "<S >RA"),
    row("reset, and data all the same",     ">PA <R >PA <R >R <PA"),
    row("one SYN, long unanswered",         "<S <S <S >SA"),
    row("never opened",                     ">PA <PA >A"),
]


@pytest.mark.parametrize("segments", SEQUENCES)
def test_any_sequence_of_tcp(wire, tool, conntrack, segments):
    """Each segment arrives at once, and nobody else answers it."""
    for number, (way, *flags) in enumerate(segments.split()):
        ports = {"sport": 5000, "dport": 80} if way == ">" else {"sport": 80, "dport": 5000}
        segment = TCP(**ports, seq=number, flags="".join(flags)) / (TEXT if "P" in flags else b"")
        if way == ">":
            sent, seen = outbound(A, X)
            wire.inside.send(sent / segment)
            wire.expect(outside=[seen / segment])
        else:
            sent, seen = inbound(X)
            wire.outside.send(sent / segment)
            wire.expect(inside=[seen / segment])


# RFC 4787, REQ-10; RFC 5382, REQ-6; RFC 3022, 4.4 and 4.5.
TALK = [
    #   why             what A says
    row("FTP",          TCP(sport=5000, dport=21, flags="PA") / b"PORT 10,0,0,2,19,137\r\n"),
    row("SIP",          UDP(sport=5060, dport=5060) / b"INVITE sip:x@203.0.113.10 SIP/2.0\r\n"
                                                      b"Contact: <sip:a@10.0.0.2>\r\n\r\n"),
    row("DNS",          UDP(sport=53, dport=53) / b"\0\1\x84\0\0\0\0\1\0\0\0\0\1a\0\0\1\0\1\0\0\0\0\0\4\x0a\0\0\2"),
]


@pytest.mark.parametrize("carried", TALK)
def test_nobody_reads_along(wire, tool, conntrack, carried):
    """An internal address in what is said stays as it is."""
    sent, seen = outbound(A, X)
    wire.inside.send(sent / carried)
    wire.expect(outside=[seen / carried])


# RFC 4787, REQ-12; RFC 5382, REQ-10; RFC 5508, REQ-6.
@pytest.mark.parametrize("says, hears", PROTOCOLS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_error_ends_anything(wire, tool, conntrack, way, says, hears):
    """After all kinds of errors about what A and X say, they hear each other as before."""
    for error in ERRORS:
        quote = bytes(IP(src=way.quoted[0][0], dst=way.quoted[0][1]) / (says(7) if way.quoted[0][0] == A else hears(7)))
        getattr(wire, way.enters).send(IP(src=way.outer[0][0], dst=way.outer[0][1]) / error.values[0] / quote)
    wire.drain()
    (sent_out, seen_out), (sent_in, seen_in) = outbound(A, X), inbound(X)
    wire.inside.send(sent_out / says(7))
    wire.outside.send(sent_in / hears(7))
    wire.expect(outside=[seen_out / says(7)], inside=[seen_in / hears(7)])


# RFC 4787, REQ-13a.
NARROW = "203.0.113.20"
TOO_BIG = [
    #   why             enters     before         behind           leaves
    row("outbound",     "inside",  (A, NARROW),   (A_OUT, NARROW), "outside"),
    row("inbound",      "outside", (X, B_OUT),    (X, B),          "inside"),
    row("hairpin",      "inside",  (A, B_OUT),    (A_OUT, B),      "inside"),
]


@pytest.fixture
def narrow(wire):
    wire.gateway.ip(f"route add {NARROW} via {R2} mtu lock 1280\nroute add {B} dev in0 mtu lock 1280")
    yield
    wire.gateway.ip(f"route delete {NARROW}\nroute delete {B}")


@pytest.mark.parametrize("enters, before, behind, leaves", TOO_BIG)
def test_too_big_but_may_be_fragmented(wire, tool, conntrack, narrow, enters, before, behind, leaves):
    number, carried = next(identification), UDP() / bytes(range(250)) / bytes(1100)
    getattr(wire, enters).send(IP(src=before[0], dst=before[1], id=number) / carried)
    whole = IP(src=behind[0], dst=behind[1], id=number, ttl=63) / carried
    wire.expect(**{leaves: list(fragments(whole, (1280 - 20) // 8 * 8))})


# RFC 4787, REQ-14a.
def test_fragments_without_end(wire, tool, conntrack):
    """More datagrams than the kernel may put together never end. Whole ones pass all the while.

    Where no conntrack puts anything together, so do fragments, in any order.
    """
    thresholds = [f"net__ipv4__ipfrag_{name}_thresh" for name in ("low", "high")]
    usual = [wire.gateway.run("sysctl", "-n", name.replace("__", ".")).stdout.strip() for name in thresholds]
    wire.gateway.sysctl(**dict(zip(thresholds, (1, 1 << 15))))
    for _ in range(60):
        sent, _ = outbound(A, X)
        wire.inside.send(next(fragments(sent / UDP() / bytes(900), 800)))
    wire.drain()

    sent, seen = outbound(A, X)
    wire.inside.send(sent / UDP() / TEXT)
    wire.expect(outside=[seen / UDP() / TEXT])

    sent, seen = (list(fragments(header / UDP() / bytes(900), 400)) for header in outbound(A, X))
    for index in (2, 0, 1):
        wire.inside.send(sent[index])
    wire.expect(outside=[] if conntrack else [seen[index] for index in (2, 0, 1)])
    wire.gateway.sysctl(**dict(zip(reversed(thresholds), reversed(usual))))


# RFC 5508, REQ-3d.
@expression
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_extensions_of_an_error(wire, tool, conntrack, way):
    """RFC 4884: the quote filled up to 128 bytes, its length in words, and behind it an MPLS label stack (RFC 4950)."""
    label = bytes([0, 8, 1, 1]) + (16 << 12 | 0x1ff).to_bytes(4, "big")
    extension = bytes([0x20, 0]) + checksum(b"\x20\0\0\0" + label).to_bytes(2, "big") + label
    sent, seen = (IP(src=outer[0], dst=outer[1], id=7, ttl=ttl) / ICMP(type=11, length=32)
                  / (bytes(IP(src=quoted[0], dst=quoted[1], ttl=1) / UDP() / TEXT).ljust(128, b"\0") + extension)
                  for outer, quoted, ttl in zip(way.outer, way.quoted, (64, 63)))
    getattr(wire, way.enters).send(sent)
    wire.expect(**{way.leaves: [seen]})


# RFC 6296, 2.3 and 2.5.
def test_another_gateway_of_the_same_pairs(wire, tool, tmp_path):
    """What leaves through one gateway is answered through another one that has seen nothing of it."""
    other = Wire()
    try:
        Tool(other.gateway, tmp_path).sync(PAIRS)
        sent, seen = outbound(A, X)
        wire.inside.send(sent / TCP(sport=5000, dport=80, flags="S"))
        wire.expect(outside=[seen / TCP(sport=5000, dport=80, flags="S")])
        sent, seen = inbound(X)
        other.outside.send(sent / TCP(sport=80, dport=5000, flags="SA"))
        other.expect(inside=[seen / TCP(sport=80, dport=5000, flags="SA")])
    finally:
        other.close()


# The document.

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERDICTS = {"met", "partly met", "not met", "not applicable"}
REQUIREMENTS = {"4787": 14, "5382": 10, "5508": 11}


def documented():
    """RFC, requirement, verdict and text of each line of the tables."""
    rfc = None
    for line in (ROOT / "docs" / "rfc.md").read_text().splitlines():
        if heading := re.match(r"## RFC (\d+)", line):
            rfc = heading[1]
        elif rfc and line.startswith("| ") and not line.startswith("| requirement"):
            yield rfc, *(cell.strip() for cell in line.strip("|").split("|"))


def names_of(file):
    """The names of the tests in a file, of Python or C++."""
    if file.suffix == ".py":
        return {one.name for one in ast.parse(file.read_text()).body if isinstance(one, ast.FunctionDef)}
    return {".".join(names) for names in re.findall(r"TEST\w*\((\w+),\s*(\w+)\)", file.read_text())}


@pytest.mark.stock
def test_document_names_tests_that_exist():
    named = set()
    for rfc, requirement, verdict, text in documented():
        found = re.findall(r"`([\w/]+\.(?:py|cpp))::([\w.]+)(?:\[([^\]]+)\])?`", text)
        assert verdict in VERDICTS and bool(found) >= (verdict == "met"), (rfc, requirement, verdict)
        named |= set(found)
    for name, test, line in named:
        file = next(path for folder in ("integration", "unit") if (path := ROOT / "tests" / folder / name).exists())
        assert test in names_of(file), f"{name} has no {test}"
        assert f'"{line}"' in file.read_text() or not line, f"{name}::{test} has no line {line}"


@pytest.mark.parametrize("rfc, count", REQUIREMENTS.items())
def test_document_leaves_no_requirement_out(rfc, count):
    numbers = {int(re.match(r"REQ-(\d+)", requirement)[1]) for number, requirement, *_ in documented() if number == rfc}
    assert numbers == set(range(1, count + 1))
