# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that change while the gateway reads them, because a process still writes to their pages, do no harm.

    A 10.0.0.2, fd00:1::2 ──────── gateway ════ tunnel ════ X 203.0.113.10, X6 2001:db8:3::10
      A sends both: the tunnel's datagrams to the gateway, and gets what was in them

Runs where two processors and slub_debug are: `make race-6.12`.
"""

import socket
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt, PadN
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from net import A, A6, A6_OUT, A_OUT, GATEWAY6_IN, GATEWAY_IN, X, X6, Namespace, cable
from packets import expression, row

pytestmark = [expression, pytest.mark.race]

COUNT, GENEVE, TUNNEL_MAC = 2000, 6081, "02:00:00:00:77:77"
TUNNEL_HEADER = b"\0\0\x65\x58\0\0\7\0"  # RFC 8926: Ethernet, number 7
ETHERNET = 14
OPTIONS = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])

# What is in the tunnel, the byte of it that changes, what it becomes for moments, and where its ICMP header is or would
# be.
Changing = namedtuple("Changing", "packet at value icmp")


def quote(version):
    """What A had sent to X, as X knows it; long enough for wherever a length may lead."""
    if version == 6:
        return IPv6(src=A6_OUT, dst=X6) / OPTIONS / UDP() / bytes(1200)
    # Of UDP, zeros that are taken for its checksum would be left alone.
    return IP(src=A_OUT, dst=X) / TCP() / bytes(1200)


CASES = [
    #   why                                                     the packet
    row("IPv6, length of options before the error", Changing(
        IPv6(src=X6, dst=A6_OUT) / OPTIONS / ICMPv6DestUnreach() / Raw(bytes(quote(6))), 41, 150, 48)),
    row("IPv6, options or none before the error", Changing(
        IPv6(src=X6, dst=A6_OUT) / OPTIONS / ICMPv6DestUnreach() / Raw(bytes(quote(6))), 40, 60, 48)),
    row("IPv4, length of the quoted header", Changing(
        IP(src=X, dst=A_OUT) / ICMP(type=3, code=1) / Raw(bytes(quote(4))), 28, 0x4f, 20)),
]


@pytest.fixture(scope="module")
def race(compiled):
    return compiled("race.c", "-O2", "-pthread")


@pytest.fixture(scope="module")
def host():
    host = Namespace("host")
    yield host
    host.close()


@pytest.fixture(scope="module")
def gateway(host, make_tool):
    gateway = Namespace("gateway")
    mac, gateway_mac = cable(host, "eth0", gateway, "in0")
    for one, name in ((host, "eth0"), (gateway, "in0")):
        one.sysctl(net__ipv6__conf__all__disable_ipv6=0, **{f"net__ipv6__conf__{name}__disable_ipv6": 0})
    host.ip(f"address add {A}/24 dev eth0\naddress add {A6}/64 dev eth0 nodad\n"
            f"neighbour replace {GATEWAY_IN} lladdr {gateway_mac} dev eth0")
    gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    gateway.ip(f"address add {GATEWAY_IN}/24 dev in0\naddress add {GATEWAY6_IN}/64 dev in0 nodad\n"
               f"neighbour replace {A} lladdr {mac} dev in0\nneighbour replace {A6} lladdr {mac} dev in0\n"
               f"link add tunnel address {TUNNEL_MAC} type geneve id 7 remote {A}\nlink set tunnel up")
    gateway.sysctl(net__ipv6__conf__tunnel__disable_ipv6=0)
    gateway.ip(f"route add {X}/32 dev tunnel\nroute add {X6}/128 dev tunnel")
    # Which would have copied what is in the tunnel.
    gateway.run("ethtool", "-K", "tunnel", "gro", "off")
    make_tool(gateway).sync({A: A_OUT, A6: A6_OUT})
    yield gateway
    gateway.close()


def listen(host, protocol):
    """A socket that keeps all that arrives."""
    listener = host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol))
    listener.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
    listener.bind(("eth0", protocol))
    listener.setblocking(False)
    return listener


def received(listener):
    while True:
        try:
            data, (_, _, kind, *_) = listener.recvfrom(4096)
        except BlockingIOError:
            return
        if kind != socket.PACKET_OUTGOING:
            yield data


def is_about(packet, changing):
    """Is this the error, its quote translated?"""
    version = changing.packet.version
    source = changing.icmp + 8 + (8 if version == 6 else 12)
    internal = socket.inet_pton(socket.AF_INET6, A6) if version == 6 else socket.inet_aton(A)
    return packet[source:source + len(internal)] == internal


def is_right(packet, changing):
    """Is its ICMP checksum right, the change put aside?"""
    original = bytes(changing.packet)[changing.at]
    packet = packet[:changing.at] + bytes([original]) + packet[changing.at + 1:]
    covered = packet[changing.icmp:]
    if changing.packet.version == 6:
        covered += packet[8:40] + len(covered).to_bytes(4, "big") + bytes([0, 0, 0, 58])
    # All words together, since 65536 leaves 1: there are thousands of packets to go through.
    return int.from_bytes(covered, "big") % 0xffff == 0


def test_setting():
    """Without these the others would see nothing."""
    assert "slub_debug=FZP" in Path("/proc/cmdline").read_text()


@pytest.mark.parametrize("changing", CASES)
def test_changes_while_read(race, host, gateway, changing):
    datagram = TUNNEL_HEADER + bytes(Ether(dst=TUNNEL_MAC, src="02:00:00:00:00:09") / changing.packet)
    at = len(TUNNEL_HEADER) + ETHERNET + changing.at
    with listen(host, 0x86dd if changing.packet.version == 6 else 0x0800) as listener:
        sent = subprocess.run(["nsenter", f"--net=/run/netns/{host.name}", race, GATEWAY_IN, str(GENEVE), str(COUNT),
                               str(at), str(changing.value)], input=datagram, capture_output=True)
        assert sent.returncode == 0, sent.stderr
        packets = [packet for packet in received(listener) if len(packet) == len(changing.packet)]
    changed = sum(packet[changing.at] == changing.value for packet in packets)
    translated = [packet for packet in packets if is_about(packet, changing)]
    wrong = sum(not is_right(packet, changing) for packet in translated)
    print(f"{len(packets)} arrived, {changed} changed, {len(translated)} with a translated quote, {wrong} wrong")
    # It was a race, and nobody's checksum was written to another place.
    assert 0 < changed < len(packets) and translated
    assert wrong == 0
