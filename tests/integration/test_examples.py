# SPDX-License-Identifier: GPL-2.0-or-later
"""The rulesets of docs/examples do what they say, with packets put on the gateway's wires.

    inside ──────────── in0 gateway out0 ────────── outside
    A = 198.51.100.2, B = 198.51.100.3, C has no pair         X
"""

from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror

from net import A, A_OUT, B, B_OUT, C, GATEWAY_OUT, R2, X
from packets import expression as needs_module, row
from tool import TOOL

pytestmark = needs_module

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture
def load(wire):
    """Loads an example as the manual says, and again, since an example may be changed and loaded again."""
    def load(name, **replaced):
        text = (EXAMPLES / name).read_text()
        for old, new in replaced.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        for _ in range(2):
            wire.gateway.run(str(TOOL), "nft", "-f", "-", stdin=text)
        if "chain forward" in text:  # the marks of the wire
            table = text.split("delete table ip ")[1].split()[0]
            wire.gateway.nft(f"insert rule ip {table} forward udp length 21 accept")
        wire.drain()
    yield load
    wire.gateway.nft("flush ruleset")
    wire.gateway.run("conntrack", "-F")


def out(packet, source):
    """As it must come out outside."""
    packet = packet.copy()
    packet.src, packet.ttl = source, 63
    return packet


def back(packet, target):
    """As it must come out inside."""
    packet = packet.copy()
    packet.dst, packet.ttl = target, 63
    return packet


FIREWALL = [
    #   why                           from inside?  packet                                           seen as
    row("mail goes out",              True,   IP(src=A, dst=X) / TCP(dport=25, flags="S"),           A_OUT),
    row("web goes out",               True,   IP(src=B, dst=X) / UDP(dport=53) / b"?",               B_OUT),
    row("no pair, dropped",           True,   IP(src=C, dst=X) / UDP(dport=53) / b"?",               None),
    row("mail comes in",              False,  IP(src=X, dst=A_OUT) / TCP(dport=25, flags="S"),       A),
    row("mail is answered",           False,  IP(src=X, dst=A_OUT) / TCP(sport=25, dport=1025, flags="SA"), A),
    row("no connection to others",    False,  IP(src=X, dst=A_OUT) / TCP(sport=25, dport=22, flags="S"), None),
    row("web comes in",               False,  IP(src=X, dst=B_OUT) / TCP(dport=443, flags="S"),      B),
    row("no mail to the web",         False,  IP(src=X, dst=B_OUT) / TCP(dport=25, flags="S"),       None),
    row("an error about mail",        False,  IP(src=R2, dst=A_OUT) / ICMP(type=11)
        / IPerror(src=A_OUT, dst=X, ttl=1) / UDPerror(sport=1, dport=2, chksum=0),                   A),
]


@pytest.mark.parametrize("from_inside, packet, seen_as", FIREWALL)
def test_firewall(wire, load, from_inside, packet, seen_as):
    load("firewall.nft")
    if from_inside:
        wire.inside.send(packet)
        wire.expect(outside=[out(packet, seen_as)] if seen_as else [])
    else:
        wire.outside.send(packet)
        wanted = back(packet, seen_as) if seen_as else None
        if wanted and ICMP in wanted:
            wanted[IPerror].src = seen_as
        wire.expect(inside=[wanted] if wanted else [])


def test_uplinks(wire, load):
    """The same host by either uplink: out0 plays one and then the other."""
    for uplink, external in (("up1", "198.51.100.2"), ("up2", "203.0.113.2")):
        load("uplinks.nft", **{uplink: "out0"})
        packet = IP(src=A, dst=X) / UDP(dport=53) / b"?"
        answer = IP(src=X, dst=external) / UDP(sport=53) / b"!"
        wire.inside.send(packet)
        wire.outside.send(answer)
        wire.expect(outside=[out(packet, external)], inside=[back(answer, A)])


def test_masquerade_beside_pairs(wire, load):
    load("masquerade.nft")
    pair, shared = (IP(src=source, dst=X) / UDP(sport=5000, dport=53) / b"?" for source in (A, C))
    wire.inside.send(pair)
    wire.expect(outside=[out(pair, A_OUT)])
    answer = IP(src=X, dst=A_OUT) / UDP(sport=53, dport=5000) / b"!"
    wire.outside.send(answer)
    wire.expect(inside=[back(answer, A)])
    entries = wire.gateway.run("conntrack", "-L").stdout
    assert f"src={A} " not in entries
    wire.inside.send(shared)
    assert [IP(packet).src for packet in wire.drain()[1]] == [GATEWAY_OUT]
    assert f"src={C} dst={X} sport=5000 dport=53" in wire.gateway.run("conntrack", "-L").stdout
