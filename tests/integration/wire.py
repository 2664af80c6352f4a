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

from net import A, B, C, D, GATEWAY_IN, GATEWAY_OUT, R1, R2, X, Namespace, cable
from packets import same

ETH_P_IP = 0x0800
SOL_PACKET, PACKET_VNET_HDR, GSO_TCPV4 = 263, 15, 1  # linux/if_packet.h, linux/virtio_net.h

# Packets of no pair, sent after others: whatever is to come has come when they have.
MARKS = [bytes(IP(src=source, dst=target) / UDP(chksum=0) / bytes(13))[:-13]
         for source, target in ((C, X), (X, C))]


class Port:
    """The far end of one of the gateway's cables."""

    def __init__(self, namespace, interface, mac, gateway_mac):
        self.interface, self.gateway_mac = interface, bytes.fromhex(gateway_mac.replace(":", ""))
        self.ethernet = self.gateway_mac + bytes.fromhex(mac.replace(":", "")) + b"\x08\x00"
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((interface, ETH_P_IP))
        self.offload = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.offload.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

    def close(self):
        self.socket.close()
        self.offload.close()

    def send(self, packet):
        self.socket.sendto(bytes(packet), (self.interface, ETH_P_IP, 0, 0, self.gateway_mac))

    def send_unfinished(self, packet, checksum_start, checksum_at, gso=0, size=0):
        """Sends a packet as a host with offload does: its checksum, its segmentation left to others.

        The checksum field holds the sum of the pseudo header. With `gso`, segments of `size`.
        """
        link = len(self.ethernet)
        header = struct.pack("<BBHHHH", 1, gso, link + checksum_start + 20 if gso else 0, size,
                             link + checksum_start, checksum_at - checksum_start)
        self.offload.sendto(header + self.ethernet + bytes(packet), (self.interface, ETH_P_IP))

    def receive(self, seconds=10):
        """The next packet, from the IP header on; None after so many seconds without one."""
        readable, _, _ = select.select([self.socket], [], [], seconds)
        return self.socket.recv(65535) if readable else None


class Wire:
    """The gateway and its two ports. The gateway never leaves a checksum or a segmentation undone."""

    def __init__(self):
        # One processor: the kernel then keeps the order in which packets were put on the wires.
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self.processors)})
        self.gateway = Namespace("gateway")
        self.ends = [Namespace("inside"), Namespace("outside")]
        inside_mac, in_mac = cable(self.ends[0], "inside", self.gateway, "in0")
        outside_mac, out_mac = cable(self.ends[1], "outside", self.gateway, "out0")
        self.inside = Port(self.ends[0], "inside", inside_mac, in_mac)
        self.outside = Port(self.ends[1], "outside", outside_mac, out_mac)
        self.gateway.ip("\n".join([
            f"address add {GATEWAY_IN}/24 dev in0",
            f"address add {GATEWAY_OUT}/24 dev out0",
            f"route add default via {R2}",
            f"route add 10.0.0.0/8 via {R1}",
            f"neighbour replace {R2} lladdr {outside_mac} dev out0",
        ] + [f"neighbour replace {host} lladdr {inside_mac} dev in0" for host in (A, B, C, D, R1)]))
        self.gateway.sysctl(
            net__ipv4__conf__all__rp_filter=1, net__ipv4__conf__in0__rp_filter=1,
            net__ipv4__conf__out0__rp_filter=1, net__ipv4__conf__all__send_redirects=0,
            net__ipv4__conf__in0__send_redirects=0, net__ipv4__icmp_ratelimit=0,
            net__ipv4__ip_forward=1)
        for interface in ("in0", "out0"):
            self.gateway.run("ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off")
        self.marks = itertools.count(1)

    def close(self):
        for port in (self.inside, self.outside):
            port.close()
        for namespace in (self.gateway, *self.ends):
            namespace.close()
        os.sched_setaffinity(0, self.processors)

    def drain(self):
        """All packets that came out inside and outside since the last call."""
        mark = b"mark %8d" % next(self.marks)
        self.inside.send(MARKS[0] + mark)
        self.outside.send(MARKS[1] + mark)
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
            assert len(seen) == len(wanted), f"{name}: {[IP(packet).summary() for packet in seen]}"
