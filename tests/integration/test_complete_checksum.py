# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet whose sum is known already, from hardware or, here, from a tunnel's checksum, needs not be added up again.

    peer ════ gateway        a tunnel with checksums of its own
    X, X6     A, A6          the gateway's own addresses, translated: only a receiver looks at the sum
"""

import socket

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt

from calls import Calls
from net import A, A6, A6_OUT, A_OUT, GATEWAY_OUT, R2, X, X6, Namespace, cable
from packets import expression, row

pytestmark = expression

PROTOCOLS = {4: 0x0800, 6: 0x86dd}
PORT = 4000


class Peer:
    """The far end of the tunnel."""

    def __init__(self, gateway):
        self.namespace = Namespace("peer")
        cable(self.namespace, "eth0", gateway, "eth0")
        # Else nobody would add up the tunnel's own checksum.
        self.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        for namespace, here, there in ((self.namespace, R2, GATEWAY_OUT), (gateway, GATEWAY_OUT, R2)):
            namespace.ip(f"address add {here}/24 dev eth0\n"
                         f"link add tunnel type gre local {here} remote {there} csum\n"
                         f"link set tunnel up")
        self.sockets = {version: self.namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) for version in PROTOCOLS}

    def send(self, packet):
        self.sockets[packet.version].sendto(bytes(packet), ("tunnel", PROTOCOLS[packet.version]))

    def close(self):
        for one in self.sockets.values():
            one.close()
        self.namespace.close()


@pytest.fixture(scope="module")
def gateway():
    gateway = Namespace("gateway")
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def peer(gateway):
    peer = Peer(gateway)
    gateway.ip(f"link add inner type dummy\nlink set inner up\n"
               f"link add inmost type ip6tnl mode ip6ip6 local {A6} remote {X6}\nlink set inmost up\n"
               f"address add {A}/32 dev inner\naddress add {A6}/128 dev inner nodad\n"
               f"route add {X}/32 dev tunnel\nroute add {X6}/128 dev tunnel")
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def tool(gateway, peer, make_tool):
    tool = make_tool(gateway)
    tool.sync({A: A_OUT, A6: A6_OUT})
    return tool


V4, V6 = IP(src=X, dst=A_OUT), IPv6(src=X6, dst=A6_OUT)
DATAGRAM = UDP(dport=PORT) / b"hello"

PACKETS = [
    #   why                     the packet
    row("UDP",                  V4 / DATAGRAM),
    row("UDP, checksum 0",      V4 / UDP(dport=PORT, chksum=0) / b"hello"),
    row("TCP",                  V4 / TCP(dport=PORT)),
    row("echo request",         V4 / ICMP()),
    row("error",                V4 / ICMP(type=3, code=1) / IP(src=A_OUT, dst=X) / UDP(sport=PORT) / b"hello"),
    row("error, short quote",   V4 / ICMP(type=3, code=1) / bytes(IP(src=A_OUT, dst=X) / UDP(sport=PORT))[:24]),
    row("IPv6, UDP",            V6 / DATAGRAM),
    row("IPv6, TCP",            V6 / TCP(dport=PORT)),
    row("IPv6, echo request",   V6 / ICMPv6EchoRequest()),
    row("IPv6, options, UDP",   V6 / IPv6ExtHdrDestOpt() / DATAGRAM),
    row("IPv6 in IPv6",         V6 / IPv6(src=X6, dst=A6) / DATAGRAM),
    row("IPv6, error",          V6 / ICMPv6DestUnreach() / IPv6(src=A6_OUT, dst=X6) / UDP(sport=PORT) / b"hello"),
    row("IPv6, error, short",   V6 / ICMPv6DestUnreach() / bytes(IPv6(src=A6_OUT, dst=X6) / UDP(sport=PORT))[:44]),
]


@pytest.fixture(scope="module")
def sums():
    with Calls("__skb_checksum_complete") as sums:
        yield sums


@pytest.fixture
def listener(gateway, packet):
    family, internal = (socket.AF_INET, A) if packet.version == 4 else (socket.AF_INET6, A6)
    with gateway.socket(family, socket.SOCK_DGRAM) as listener:
        listener.bind((internal, PORT))
        listener.settimeout(60)
        yield listener


@pytest.mark.parametrize("packet", PACKETS)
def test_only_the_tunnel_adds_it_up(peer, tool, sums, listener, packet):
    internal, last = (A, V4) if packet.version == 4 else (A6, V6)

    def added():
        before = sums.count()
        peer.send(packet)
        peer.send(last / UDP(dport=PORT) / b"last")
        while listener.recv(100) != b"last":
            pass
        return sums.count() - before

    *_, before, _ = tool.counters(internal)
    # The kernel may have had to add up something of its own meanwhile.
    assert min(added() for _ in range(3)) == 2
    *_, after, _ = tool.counters(internal)
    assert after == before + 6
