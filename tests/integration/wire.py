# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway between two cables on which any packet can be put, and on which every packet is seen.

    inside ──────────── in0 gateway out0 ────────── outside
    10.0.0.0/24         10.0.0.1 | 192.0.2.1       192.0.2.0/24
    10.0.0.0/8, behind 10.0.0.17                    0.0.0.0/0, behind 192.0.2.2

The two ends have no addresses: nothing answers, whoever is meant. The gateway's neighbours are fixed.
"""

import itertools
import os
import select
import socket
import struct

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from net import (A, A6, B, B6, C, C6, D, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, PAIRS, PAIRS6, R1, R1_6,
                 R2, R2_6, SO_RCVBUFFORCE, X, X6, Namespace, cable)
from packets import same

ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86dd
SOL_PACKET, PACKET_VNET_HDR, GSO_TCPV4 = 263, 15, 1  # linux/if_packet.h, linux/virtio_net.h

# What an IPv6 gateway says by itself is neighbour discovery and group membership, from an address of the link or to all
# on it.
LINK_LOCAL, ALL_ON_LINK = b"\xfe\x80", b"\xff\x02"
ICMPV6, REDIRECT = 58, 137

# Packets of no pair, sent after others: whatever is to come has come when they have.
MARKS = [bytes(IP(src=source, dst=target) / UDP(chksum=0) / bytes(13))[:-13]
         for source, target in ((C, X), (X, C))]
MARKS6 = [bytes(IPv6(src=source, dst=target) / UDP(chksum=0) / bytes(13))[:-13]
          for source, target in ((C6, X6), (X6, C6))]


def chatter(packet):
    """Whether an IPv6 router says this to all of its neighbours; a redirect is about somebody's packet."""
    about_a_packet = packet[6] == ICMPV6 and packet[40] == REDIRECT
    return packet[24:26] == ALL_ON_LINK or packet[8:10] == LINK_LOCAL and not about_a_packet


class Port:
    """The far end of one of the gateway's cables."""

    def __init__(self, namespace, interface, mac, gateway_mac, protocol):
        self.interface, self.protocol = interface, protocol
        self.gateway_mac = bytes.fromhex(gateway_mac.replace(":", ""))
        self.ethernet = (self.gateway_mac + bytes.fromhex(mac.replace(":", ""))
                         + protocol.to_bytes(2, "big"))
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self.socket.bind((interface, protocol))
        self.offload = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.offload.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

    def close(self):
        self.socket.close()
        self.offload.close()

    def send(self, packet):
        self.socket.sendto(bytes(packet), (self.interface, self.protocol, 0, 0, self.gateway_mac))

    def send_unfinished(self, packet, checksum_start, checksum_at, gso=0, size=0):
        """Sends a packet as a host with offload does: its checksum, its segmentation left to others.

        The checksum field holds the sum of the pseudo header. With `gso`, segments of `size`.
        """
        link = len(self.ethernet)
        header = struct.pack("<BBHHHH", 1, gso, link + checksum_start + 20 if gso else 0, size,
                             link + checksum_start, checksum_at - checksum_start)
        self.offload.sendto(header + self.ethernet + bytes(packet), (self.interface, self.protocol))

    def receive(self, seconds=60):
        """The next packet, from the IP header on; None after so many seconds without one."""
        while select.select([self.socket], [], [], seconds)[0]:
            packet = self.socket.recv(65535)
            if self.protocol == ETH_P_IP or not chatter(packet):
                return packet
        return None


class Wire:
    """The gateway and its two ports. The gateway never leaves a checksum or a segmentation undone."""

    protocol, marks, pairs = ETH_P_IP, MARKS, PAIRS
    between = ("gateway",)  # from inside to outside; of several the first is `gateway`

    def __init__(self):
        # One processor: the kernel then keeps the order in which packets were put on the wires.
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self.processors)})
        self.gateways = [Namespace(name) for name in self.between]
        self.gateway = self.gateways[0]
        self.ends = [Namespace("inside"), Namespace("outside")]
        for end in self.ends:
            end.sysctl(net__ipv6__conf__default__disable_ipv6=1)  # so that it has nothing to say
        inside_mac, in_mac = cable(self.ends[0], "inside", self.gateways[0], "in0")
        outside_mac, out_mac = cable(self.ends[1], "outside", self.gateways[-1], "out0")
        self.inside = Port(self.ends[0], "inside", inside_mac, in_mac, self.protocol)
        self.outside = Port(self.ends[1], "outside", outside_mac, out_mac, self.protocol)
        self.address(inside_mac, outside_mac)
        for gateway, interface in ((self.gateways[0], "in0"), (self.gateways[-1], "out0")):
            gateway.run("ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off")
        self.numbers = itertools.count(1)

    def address(self, inside_mac, outside_mac):
        self.gateway.ip("\n".join([
            f"address add {GATEWAY_IN}/24 dev in0",
            f"address add {GATEWAY_OUT}/24 dev out0",
            f"route add default via {R2}",
            f"route add 10.0.0.0/8 via {R1}",
            f"neighbour replace {R2} lladdr {outside_mac} dev out0",
        ] + [f"neighbour replace {host} lladdr {inside_mac} dev in0" for host in (A, B, C, D, R1)]))
        self.gateway.sysctl(net__ipv4__ip_forward=1)

    def close(self):
        for port in (self.inside, self.outside):
            port.close()
        for namespace in (*self.gateways, *self.ends):
            namespace.close()
        os.sched_setaffinity(0, self.processors)

    def errors_without_limit(self):
        """Lets the gateway send more errors to one address than the kernel's six at once and then one a second."""
        self.gateway.sysctl(net__ipv4__icmp_ratelimit=0, net__ipv6__icmp__ratelimit=0)

    def drain(self):
        """All packets that came out inside and outside since the last call."""
        mark = b"mark %8d" % next(self.numbers)
        self.inside.send(self.marks[0] + mark)
        self.outside.send(self.marks[1] + mark)
        return [self.up_to(mark, port) for port in (self.inside, self.outside)]

    def up_to(self, mark, port):
        seen = []
        while not (packet := port.receive()) or not packet.endswith(mark):
            assert packet, "the gateway forwards nothing"
            seen.append(packet)
        return seen

    def expect(self, inside=(), outside=()):
        """Exactly these packets came out since the last call, bit for bit, in this order."""
        for name, seen, wanted in zip(("inside", "outside"), self.drain(), (inside, outside)):
            for got, want in zip(seen, wanted):
                same(got, want)
            assert len(seen) == len(wanted), f"{name}: {[packet.hex() for packet in seen]}"


class Wire6(Wire):
    """The same for IPv6."""

    protocol, marks, pairs = ETH_P_IPV6, MARKS6, PAIRS6

    def address(self, inside_mac, outside_mac):
        self.gateway.sysctl(net__ipv6__conf__all__forwarding=1)
        self.gateway.ip("\n".join([
            f"address add {GATEWAY6_IN}/64 dev in0 nodad",
            f"address add {GATEWAY6_OUT}/64 dev out0 nodad",
            f"route add ::/0 via {R2_6}",
            f"neighbour replace {R2_6} lladdr {outside_mac} dev out0",
        ] + [f"neighbour replace {host} lladdr {inside_mac} dev in0" for host in (A6, B6, C6, R1_6)]))
        self.gateway.settled()
