# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets through two translators of Jool's that share their IPv6 addresses, and through the pairs that `import` made
of their tables: the same come out, as far as packets can be that were IPv6 on their way.

    inside ──── inner ── IPv6 ── border ──── outside        Jool, with a sample's configuration
    inside ──────────── gateway ──────────── outside        what was imported

IPv6 has no identification and no "don't fragment", and two translators are two hops; the rest is compared bit for bit,
but checksums that cover these, which have to be right. Of the type of service Jool keeps the bits of RFC 1349 alone.
Whoever has no pair is not forwarded by Jool, and is left out here.
"""

import contextlib
import json
import os
import pathlib

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from net import A, A_OUT, GATEWAY_IN, GATEWAY_OUT, R1, R2, X, cable
from packets import TEXT, same
from tool import ENGINE, Tool
from wire import Wire

TREE = pathlib.Path(__file__).parents[2]
SAMPLE = TREE / "tests/samples/jool-eam/2.in"
JOOL = TREE / "build/jool" / os.uname().release
# In the sample, of a prefix of 16 addresses.
E, E_OUT = "10.0.1.18", "198.51.100.18"

pytestmark = [pytest.mark.expression, pytest.mark.skipif(
    not JOOL.exists(), reason="no Jool was built for this kernel; tests/vm/jool can for 6.1, not for newer ones")]


class OneGateway(Wire):
    """The mark is a packet of a pair's, since no other passes; and of no protocol that has a checksum."""

    marks = [bytes(IP(src=source, dst=target, proto=253) / bytes(13))[:-13] for source, target in ((E, X), (X, E_OUT))]


class Translators(OneGateway):
    """Two gateways with IPv6 between them. Each finds in its routes where an address leads that it has translated."""

    between = "inner", "border"
    middle = "2001:db8:ffff::1", "2001:db8:ffff::2"

    def address(self, inside_mac, outside_mac):
        inner, border = self.gateways
        cable(inner, "border", border, "inner")
        inner.ip(f"""address add {GATEWAY_IN}/24 dev in0
            route add 10.0.0.0/8 via {R1}
            neighbour replace {A} lladdr {inside_mac} dev in0
            neighbour replace {R1} lladdr {inside_mac} dev in0
            address add {self.middle[0]}/64 dev border nodad
            route add default via {self.middle[1]}""")
        border.ip(f"""address add {GATEWAY_OUT}/24 dev out0
            route add default via {R2}
            neighbour replace {R2} lladdr {outside_mac} dev out0
            address add {self.middle[1]}/64 dev inner nodad
            route add 2001:db8:46::/47 via {self.middle[0]}""")
        for gateway in self.gateways:
            gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
            gateway.settled()

    def configure(self, text, file):
        """With one object for each translator; Jool reads files it can seek in."""
        decoder = json.JSONDecoder()
        for gateway in self.gateways:
            configuration, end = decoder.raw_decode(text)
            text = text[end:].lstrip()
            file.write_text(json.dumps(configuration))
            gateway.run(str(JOOL / "jool_siit"), "file", "handle", str(file))
        assert not text

    def listed(self):
        """Both tables, as Jool prints them."""
        return "".join(gateway.run(str(JOOL / "jool_siit"), "-i", instance, "eamt", "display", "--csv").stdout
                       for gateway, instance in zip(self.gateways, ("inner", "border")))


@pytest.fixture
def modules(namespace):
    namespace.run("modprobe", "x_tables")
    for name in "jool_common", "jool_siit":
        namespace.run("insmod", str(JOOL / f"{name}.ko"))
    yield
    namespace.run("rmmod", "jool_siit", "jool_common")


def error(kind, code, about):
    return ICMP(type=kind, code=code) / about


FROM_INSIDE = {
    "UDP":              IP(src=A, dst=X) / UDP(sport=1000, dport=53) / TEXT,
    "TCP":              IP(src=E, dst=X, flags="DF") / TCP(sport=1000, dport=80, seq=7, options=[("MSS", 1400)]),
    "data":             IP(src=A, dst=X, tos=0x10) / TCP(sport=1000, dport=80, flags="PA") / (50 * TEXT),
    "echo":             IP(src=E, dst=X) / ICMP(id=7) / TEXT,
    "port unreachable": IP(src=A, dst=X) / error(3, 3, IP(src=X, dst=A) / UDP(sport=53, dport=1000) / TEXT),
}
FROM_OUTSIDE = {
    "UDP":              IP(src=X, dst=A_OUT) / UDP(sport=2000, dport=53) / TEXT,
    "TCP":              IP(src=X, dst=E_OUT, flags="DF") / TCP(sport=2000, dport=80),
    "echo":             IP(src=X, dst=A_OUT) / ICMP(id=8) / TEXT,
    "reply":            IP(src=X, dst=E_OUT) / ICMP(type=0, id=7) / TEXT,
    "time exceeded":    IP(src=R2, dst=A_OUT) / error(11, 0, IP(src=A_OUT, dst=X) / UDP(sport=1000, dport=53) / TEXT),
    "port unreachable": IP(src=X, dst=E_OUT) / error(3, 3, IP(src=E_OUT, dst=X) / TCP(sport=1000, dport=80) / TEXT),
}


def seen(wire):
    """What comes out of these, inside and outside, by name."""
    for packet in FROM_INSIDE.values():
        wire.inside.send(packet)
    for packet in FROM_OUTSIDE.values():
        wire.outside.send(packet)
    inside, outside = wire.drain()
    assert (len(inside), len(outside)) == (len(FROM_OUTSIDE), len(FROM_INSIDE))
    return dict(zip(FROM_OUTSIDE, inside)), dict(zip(FROM_INSIDE, outside))


def without_checksums(packet, *fields):
    """To be computed anew; and without these fields of IP. The same of a packet within."""
    packet = layer = IP(bytes(packet))
    while layer:
        for field in ("chksum", *(fields if isinstance(layer, IP) else ())):
            if field in layer.fields:
                layer.delfieldval(field)
        layer = layer.payload
    return bytes(packet)


def comparable(packet):
    """Its checksums are right, by a computation that is Scapy's; without what IPv6 does not carry, and hops."""
    same(packet, without_checksums(packet))
    return without_checksums(packet, "id", "flags", "ttl")


def test_same_packets(modules, tmp_path):
    with contextlib.closing(Translators()) as wire:
        wire.configure(SAMPLE.read_text(), tmp_path / "jool.conf")
        theirs, listing = seen(wire), wire.listed()
    inside, outside = theirs
    assert {IP(packet).dst for packet in inside.values()} == {A, E}
    assert {IP(packet).src for packet in outside.values()} == {A_OUT, E_OUT}

    with contextlib.closing(OneGateway()) as wire:
        tool = Tool(wire.gateway, tmp_path)
        (tmp_path / "listed").write_text(listing)
        imported = tool("import", "--from", "jool-eam", tmp_path / "listed", check=False)
        assert imported.returncode == 1 and "10.0.0.9" in imported.stderr  # of which the border has nothing
        tool.file.write_text(f'gateway.engine = "{ENGINE}"\n' + imported.stdout)
        tool("sync", tool.file)
        ours = seen(wire)
    for ours_here, theirs_here in zip(ours, theirs):
        for name, packet in ours_here.items():
            same(comparable(packet), comparable(theirs_here[name]))
