# SPDX-License-Identifier: GPL-2.0-or-later
"""fast-path: what arrives is, bit for bit, what arrives without it, whichever way the gateway took (twins.py)."""

import contextlib
import socket
import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.packet import Raw

from net import (A, A6, A6_OUT, A_OUT, B6_OUT, B_OUT, C, C6, D_OUT, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, R1, R2, X,
                 X6, until)
from packets import TEXT, DCCP, UDPLite, checksum, expression, row
from twins import (ABSENT, ANYCAST6, DETOUR, FORBIDDEN, NARROW, NARROW6, NEITHER, NOWHERE, NOWHERE6, SHORTCUT, UDP_OUT,
                   Y, Y6, twins_of)
from wire import GSO_TCPV4

pytestmark = expression


@pytest.fixture(scope="module")
def twins(make_tool):
    yield from twins_of(4, make_tool)


@pytest.fixture(scope="module")
def twins6(make_tool):
    yield from twins_of(6, make_tool)


PACKETS = [
    #   why                             enters      way         packet
    row("UDP out",                      "inside",   SHORTCUT,   UDP_OUT),
    row("UDP in",                       "outside",  SHORTCUT,   IP(src=X, dst=A_OUT) / UDP() / TEXT),
    row("TCP out",                      "inside",   SHORTCUT,   IP(src=A, dst=X, tos=0x10) / TCP() / TEXT),
    row("TCP in, urgent",               "outside",  SHORTCUT,   IP(src=X, dst=A_OUT, tos=0xb8) / TCP(flags="SUA")),
    row("to a host behind a router",    "outside",  SHORTCUT,   IP(src=X, dst=D_OUT) / UDP()),
    row("of a prefix, out",             "inside",   SHORTCUT,   IP(src="10.3.4.5", dst=X) / UDP() / TEXT),
    row("of a prefix, in",              "outside",  SHORTCUT,   IP(src=X, dst="198.18.4.5") / TCP()),
    row("UDP without a sum",            "inside",   SHORTCUT,   IP(src=A, dst=X) / UDP(chksum=0)),
    row("a sum that is wrong",          "inside",   SHORTCUT,   IP(src=A, dst=X) / TCP(chksum=1)),
    row("UDP-Lite",                     "inside",   SHORTCUT,   IP(src=A, dst=X) / UDPLite()),
    row("DCCP",                         "outside",  SHORTCUT,   IP(src=X, dst=A_OUT) / DCCP()),
    row("ESP",                          "inside",   SHORTCUT,   IP(src=A, dst=X, proto=50) / bytes(16)),
    row("GRE in",                       "outside",  SHORTCUT,   IP(src=X, dst=A_OUT, proto=47) / bytes(16)),
    row("two hops left",                "inside",   SHORTCUT,   IP(src=A, dst=X, ttl=2) / UDP()),
    row("as long as the way is wide",   "inside",   SHORTCUT,   IP(src=A, dst=NARROW) / UDP() / bytes(572)),
    row("do not fragment",              "inside",   SHORTCUT,   IP(src=A, dst=X, flags="DF") / UDP() / bytes(1472)),
    row("ECN",                          "outside",  SHORTCUT,   IP(src=X, dst=A_OUT, tos=3) / UDP()),
    row("one hop left",                 "inside",   DETOUR,     IP(src=A, dst=X, ttl=1) / UDP()),
    row("one hop left, in",             "outside",  DETOUR,     IP(src=X, dst=A_OUT, ttl=1) / UDP()),
    row("options",                      "inside",   DETOUR,     IP(src=A, dst=X, options=[IPOption_RR(length=7)])
        / UDP()),
    row("first fragment",               "inside",   DETOUR,     IP(src=A, dst=X, flags="MF") / UDP() / bytes(16)),
    row("later fragment",               "outside",  DETOUR,     IP(src=X, dst=A_OUT, frag=7) / Raw(bytes(16))),
    row("too long",                     "inside",   DETOUR,     IP(src=A, dst=NARROW, flags="DF") / UDP() / bytes(573)),
    row("too long, to be fragmented",   "inside",   DETOUR,     IP(src=A, dst=NARROW) / UDP() / bytes(900)),
    row("no route",                     "inside",   DETOUR,     IP(src=A, dst=NOWHERE) / UDP()),
    row("forbidden",                    "inside",   DETOUR,     IP(src=A, dst=FORBIDDEN) / TCP()),
    row("hairpin",                      "inside",   DETOUR,     IP(src=A, dst=B_OUT) / UDP()),
    row("back by where it came",        "inside",   DETOUR,     IP(src=A, dst=C) / UDP()),
    row("in, back by where it came",    "inside",   DETOUR,     IP(src=C, dst=A_OUT) / UDP()),
    row("cut off",                      "inside",   DETOUR,     IP(src=A, dst=X, proto=6) / bytes(12)),
    row("cut off, in",                  "outside",  NEITHER,    IP(src=X, dst=A_OUT, proto=6) / bytes(12)),
    row("echo",                         "inside",   NEITHER,    IP(src=A, dst=X) / ICMP()),
    row("error",                        "outside",  NEITHER,    IP(src=X, dst=A_OUT) / ICMP(type=3, code=1)
        / IP(src=A_OUT, dst=X) / UDP()),
    row("no pair",                      "inside",   NEITHER,    IP(src=C, dst=X) / UDP()),
    row("to the gateway",               "inside",   NEITHER,    IP(src=A, dst=GATEWAY_IN) / UDP(dport=9)),
    row("to all",                       "inside",   NEITHER,    IP(src=A, dst="255.255.255.255") / UDP()),
    row("to a group",                   "inside",   NEITHER,    IP(src=A, dst="239.1.1.1") / UDP()),
    row("of the link",                  "inside",   NEITHER,    IP(src=A, dst="169.254.1.1") / UDP()),
    row("from nowhere",                 "outside",  DETOUR,     IP(src="127.0.0.9", dst=A_OUT) / UDP()),
]


@pytest.mark.parametrize("end, way, packet", PACKETS)
def test_ipv4(twins, end, way, packet):
    assert twins.agree(end, packet) == way


PACKETS6 = [
    #   why                             enters      way         packet
    row("UDP out",                      "inside",   SHORTCUT,   IPv6(src=A6, dst=X6, hlim=9) / UDP() / TEXT),
    row("UDP in",                       "outside",  SHORTCUT,   IPv6(src=X6, dst=A6_OUT) / UDP() / TEXT),
    row("TCP out",                      "inside",   SHORTCUT,   IPv6(src=A6, dst=X6, tc=0x10, fl=77) / TCP() / TEXT),
    row("TCP in",                       "outside",  SHORTCUT,   IPv6(src=X6, dst=A6_OUT) / TCP(flags="SA")),
    row("npt, out",                     "inside",   SHORTCUT,   IPv6(src="fd01:203:405:1::9", dst=X6) / UDP() / TEXT),
    row("npt, in",                      "outside",  SHORTCUT,   IPv6(src=X6, dst="2001:db8:7:d54f::9") / TCP()),
    row("of a prefix, out",             "inside",   SHORTCUT,   IPv6(src="fd02::7", dst=X6) / UDP()),
    row("of a prefix, in",              "outside",  SHORTCUT,   IPv6(src=X6, dst="2001:db8:8::7") / UDP()),
    row("a sum that is wrong",          "inside",   SHORTCUT,   IPv6(src=A6, dst=X6) / TCP(chksum=1)),
    row("two hops left",                "inside",   SHORTCUT,   IPv6(src=A6, dst=X6, hlim=2) / UDP()),
    row("one hop left",                 "inside",   DETOUR,     IPv6(src=A6, dst=X6, hlim=1) / UDP()),
    row("npt without a counterpart",    "inside",   DETOUR,     IPv6(src="fd01:203:405:ffff::1", dst=X6) / UDP()),
    row("too long",                     "inside",   DETOUR,     IPv6(src=A6, dst=NARROW6) / UDP() / bytes(1300)),
    row("no route",                     "inside",   DETOUR,     IPv6(src=A6, dst=NOWHERE6) / UDP()),
    row("anycast, taken in",            "inside",   DETOUR,     IPv6(src=A6, dst=ANYCAST6) / UDP()),
    row("hairpin",                      "inside",   DETOUR,     IPv6(src=A6, dst=B6_OUT) / UDP()),
    row("back by where it came",        "inside",   DETOUR,     IPv6(src=A6, dst=C6) / UDP()),
    row("cut off",                      "inside",   DETOUR,     IPv6(src=A6, dst=X6, nh=6) / bytes(12)),
    row("options",                      "inside",   NEITHER,    IPv6(src=A6, dst=X6) / IPv6ExtHdrDestOpt() / UDP()),
    row("fragment",                     "inside",   NEITHER,    IPv6(src=A6, dst=X6) / IPv6ExtHdrFragment(m=1) / UDP()
        / bytes(16)),
    row("echo",                         "inside",   NEITHER,    IPv6(src=A6, dst=X6) / ICMPv6EchoRequest()),
    row("error",                        "outside",  NEITHER,    IPv6(src=X6, dst=A6_OUT) / ICMPv6DestUnreach()
        / IPv6(src=A6_OUT, dst=X6) / UDP()),
    row("no pair",                      "inside",   NEITHER,    IPv6(src=C6, dst=X6) / UDP()),
    row("to the gateway",               "inside",   NEITHER,    IPv6(src=A6, dst=GATEWAY6_IN) / UDP(dport=9)),
    row("to its other address",         "inside",   NEITHER,    IPv6(src=A6, dst=GATEWAY6_OUT) / UDP(dport=9)),
]


@pytest.mark.parametrize("end, way, packet", PACKETS6)
def test_ipv6(twins6, end, way, packet):
    assert twins6.agree(end, packet) == way


@pytest.mark.parametrize("size, way", [row("segments that fit", 500, SHORTCUT), row("segments too long", 1000, DETOUR)])
def test_segments(twins, size, way):
    """Of a packet that is to be segmented each one counts, not the whole."""
    packet = IP(src=A, dst=NARROW, flags="DF") / TCP(flags="A", chksum=0) / bytes(3000)
    content = bytes(packet)
    pseudo = content[12:20] + struct.pack(">HH", 6, len(content) - 20)
    content = content[:36] + struct.pack(">H", ~checksum(pseudo) & 0xffff) + content[38:]
    assert twins.agree("inside", content, unfinished=(20, 36, GSO_TCPV4, size)) == way


# What takes a packet's way away, and what gives it back.
CHANGES = [
    #   why             away                                    back                                        way
    row("route",        f"route add blackhole {Y}",             f"route delete blackhole {Y}",              DETOUR),
    row("prohibited",   f"route add prohibit {Y}",              f"route delete prohibit {Y}",               DETOUR),
    row("rule",         f"rule add from {A} to {Y} blackhole",  f"rule delete from {A} to {Y}",             DETOUR),
    row("address",      f"address add {Y}/32 dev lo",           f"address delete {Y}/32 dev lo",            NEITHER),
    row("narrow",       f"route add {Y} via {R2} mtu 600",      f"route delete {Y}",                        DETOUR),
    row("back inside",  f"route add {Y} via {R1}",              f"route delete {Y}",                        DETOUR),
]


@pytest.mark.parametrize("away, back, way", CHANGES)
def test_changes(twins, away, back, way):
    """No packet goes an old way once a change has returned, and none is lost when it is undone."""
    packet = IP(src=A, dst=Y, flags="DF") / UDP() / bytes(700)
    for _ in range(5):
        twins.both(lambda gateway: gateway.ip(away))
        assert twins.agree("inside", packet) == way
        twins.both(lambda gateway: gateway.ip(back))
        assert twins.agree("inside", packet, arrives=1) == SHORTCUT


NEW0 = "link add new0 type dummy\nlink set new0 up"
ADDRESSES6 = [
    #   why                 comes                                           goes
    row("of loopback",      f"address add {Y6}/128 dev lo",                 f"address delete {Y6}/128 dev lo"),
    row("of a device",      f"{NEW0}\naddress add {Y6}/128 dev new0",       "link delete new0"),
    row("of a device down", f"{NEW0}\naddress add {Y6}/128 dev new0",       "link set new0 down\nlink delete new0"),
]


@pytest.mark.parametrize("comes, goes", ADDRESSES6)
def test_own_addresses(twins6, comes, goes):
    """Nothing is decided about a packet to an address of the gateway's own, as long as it is one."""
    packet = IPv6(src=A6, dst=Y6) / UDP() / TEXT
    for _ in range(2):
        assert twins6.agree("inside", packet, arrives=1) == SHORTCUT
        twins6.both(lambda gateway: gateway.ip(comes))
        twins6.both(lambda gateway: gateway.settled())
        assert twins6.agree("inside", packet) == NEITHER
        twins6.both(lambda gateway: gateway.ip(goes))
    assert twins6.agree("inside", packet, arrives=1) == SHORTCUT


def test_other_neighbour(twins):
    """The very next packet goes to another address of hardware."""
    for last in (b"\xfe", b"\xff"):
        with contextlib.ExitStack() as stack:
            for one in twins.wires:
                station = one.outside.ethernet[6:11] + last
                one.gateway.ip(f"neighbour replace {R2} lladdr {station.hex(':')} dev out0")
            sockets = [stack.enter_context(one.ends[1].socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800)))
                       for one in twins.wires]
            for one in sockets:
                one.bind(("outside", 0x800))
                one.settimeout(60)
            before = twins.ways()
            twins.send("inside", UDP_OUT)
            frames = [one.recv(2048) for one in sockets]
            assert all(frame[5:6] == last for frame in frames)
            assert frames[0][14:] == frames[1][14:]
            assert twins.ways() == (before[0] + 1, before[1])
    for one in twins.wires:
        one.gateway.ip(f"neighbour replace {R2} lladdr {one.outside.ethernet[6:12].hex(':')} dev out0")
    twins.seen()


def test_unresolved_neighbour(twins):
    """The packet waits for an answer about its neighbour, as in the stack."""
    twins.both(lambda gateway: gateway.ip(f"neighbour delete {R2} dev out0"))
    before = twins.ways()
    twins.send("inside", UDP_OUT)
    for one in twins.wires:
        one.gateway.ip(f"neighbour replace {R2} lladdr {one.outside.ethernet[6:12].hex(':')} dev out0")
    fast, slow = twins.seen()
    assert fast == slow and sum(map(len, fast)) == 1
    assert twins.ways() == (before[0] + 1, before[1])


def test_absent_neighbour(twins):
    """What waits in vain for a neighbour is told to its sender, later."""
    for one in twins.wires:
        one.gateway.run("sysctl", "-qw", "net.ipv4.neigh.out0.retrans_time_ms=50")
    twins.both(lambda gateway: gateway.ip(f"route add {Y} via {ABSENT}"))
    before = twins.ways()
    twins.send("inside", IP(src=A, dst=Y) / UDP() / TEXT)
    for one in twins.wires:
        until(lambda one=one: "FAILED" in one.gateway.run("ip", "neighbour", "show", ABSENT).stdout)
    fast, slow = twins.seen()
    assert fast == slow and sum(map(len, fast)) == 1
    assert twins.ways() == (before[0] + 1, before[1])
    twins.both(lambda gateway: gateway.ip(f"route delete {Y}"))


def test_policy_of_ipsec(twins):
    """Any policy at all, and all packets go the long way."""
    twins.both(lambda gateway: gateway.run("ip", "xfrm", "policy", "add", "dir", "fwd", "src", "192.0.2.99", "dst",
                                           "192.0.2.98", "action", "block"))
    assert twins.agree("inside", UDP_OUT, arrives=1) == DETOUR
    twins.both(lambda gateway: gateway.run("ip", "xfrm", "policy", "flush"))
    assert twins.agree("inside", UDP_OUT, arrives=1) == SHORTCUT
