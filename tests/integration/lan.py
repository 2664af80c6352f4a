# SPDX-License-Identifier: GPL-2.0-or-later
"""Real hosts that share one LAN behind a gateway, all as a distribution ships it, and what is seen on their wires.

    A 10.0.0.2  fd00:1::2  ─┐
    B 10.0.0.3  fd00:1::3  ─┤
    C 10.0.0.9  fd00:1::9  ─┼─ switch ─── lan  gateway  out ─────────────────── X 203.0.113.10 2001:db8:3::10
    R1 10.0.0.17 fd00:1::17 ┘       10.0.0.1      192.0.2.1        192.0.2.2
                                    fd00:1::1     2001:db8:2::1    2001:db8:2::2
"""

import itertools
import os
import re
import select
import socket
from collections import namedtuple

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, C6, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT,
                 R1, R1_6, R2, R2_6, SO_RCVBUFFORCE, X, X6, Namespace, cable)
from network import PORT, family

HOSTS = {"a": (A, A6), "b": (B, B6), "c": (C, C6), "r1": (R1, R1_6)}
EXTERNAL, EXTERNAL6 = "198.51.100.0/24", "2001:db8:1::/48"

# The addresses of one family by who has them.
Family = namedtuple("Family", "version a a_out b b_out c r1 gateway x")
FAMILIES = {
    "IPv4": Family(4, A, A_OUT, B, B_OUT, C, R1, GATEWAY_IN, X),
    "IPv6": Family(6, A6, A6_OUT, B6, B6_OUT, C6, R1_6, GATEWAY6_IN, X6),
}

# IEEE 802's ethertype for local experiments.
ETH_P_ALL, MARK = 0x0003, 0x88b5
# Cables and neighbours' answers on the longest way.
LONGEST_WAY = 12


class Tap:
    """Sees what comes in at the far end of a cable."""

    def __init__(self, far, interface, near, near_interface):
        self.socket = far.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self.socket.bind((interface, ETH_P_ALL))
        self.marker = near.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.marks = (near_interface, MARK, 0, 0, b"\xff" * 6)
        self.numbers = itertools.count(1)

    def close(self):
        self.socket.close()
        self.marker.close()

    def ends(self, layer):
        """Source and destination of the packets with a layer that came in since the last call."""
        return [(packet.src, packet.dst) for packet in self.packets(layer)]

    def frames(self):
        """What came in since the last call, once whatever was on its way has arrived: each mark comes behind what was
        queued before it, and so moves that by one cable at least."""
        return [frame for _ in range(LONGEST_WAY) for frame in self.up_to(b"mark %8d" % next(self.numbers))]

    def up_to(self, mark):
        self.marker.sendto(mark, self.marks)
        while mark not in (frame := self.receive()):
            yield Ether(frame)

    def receive(self):
        while select.select([self.socket], [], [], 60)[0]:
            frame, where = self.socket.recvfrom(65535)
            if where[2] != socket.PACKET_OUTGOING:
                return frame
        raise TimeoutError("not even a mark comes in")

    def packets(self, layer):
        """The IP packets with a layer that came in since the last call."""
        found = (frame.getlayer(IP) or frame.getlayer(IPv6) for frame in self.frames())
        return [packet for packet in found if packet and layer in packet]


class Lan:
    """Where the gateway has one arm, X is plugged into the switch, too; where it bridges, the switch is its own."""

    def __init__(self, bridging=False, one_armed=False):
        # One processor: the kernel then keeps the order in which packets were put on the wires.
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self.processors)})
        self.all, self.taps, self.near = [], [], {}
        self.gateway, self.x = self.add("gateway"), self.add("x")
        self.switch = self.gateway if bridging else self.add("switch")
        self.bridge = "lan" if bridging else "switch"
        self.switch.ip(f"link add name {self.bridge} type bridge\nlink set dev {self.bridge} up")
        if not bridging:
            self.plug(self.gateway, "lan", "gateway")
        if one_armed:
            self.plug(self.x, "eth0", "x")
        else:
            self.cable(self.x, "eth0", self.gateway, "out")
        self.outer = "lan" if one_armed else "out"
        self.address()

    def add(self, role):
        self.all.append(Namespace(role))
        return self.all[-1]

    def cable(self, far, interface, near, near_interface):
        cable(far, interface, near, near_interface)
        self.near[far.name, interface] = near, near_interface

    def plug(self, namespace, interface, role):
        """A cable to the switch."""
        self.cable(namespace, interface, self.switch, f"to-{role}")
        self.switch.ip(f"link set dev to-{role} master {self.bridge}")

    def another(self, name, number):
        """A host on a network of its own behind the gateway: 10.0.5.5 and fd00:5::5 for number 5."""
        host = self.add(name)
        self.cable(host, "eth0", self.gateway, name)
        for one, interface, end in ((self.gateway, name, 1), (host, "eth0", number)):
            one.ip(f"address add 10.0.{number}.{end}/24 broadcast + dev {interface}\n"
                   f"address add fd00:{number}::{end}/64 dev {interface} nodad")
        host.ip(f"route add default via 10.0.{number}.1\nroute add default via fd00:{number}::1")
        for one in (self.gateway, host):
            one.settled()
        return host

    def address(self):
        self.gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        self.gateway.ip(f"""
            address add {GATEWAY_IN}/24 broadcast + dev lan
            address add {GATEWAY6_IN}/64 dev lan nodad
            address add {GATEWAY_OUT}/24 broadcast + dev {self.outer}
            address add {GATEWAY6_OUT}/64 dev {self.outer} nodad
            route add default via {R2}
            route add default via {R2_6}
        """)
        for name, (address, address6) in HOSTS.items():
            host = self.add(name)
            setattr(self, name, host)
            self.plug(host, "eth0", name)
            host.ip(f"""
                address add {address}/24 broadcast + dev eth0
                address add {address6}/64 dev eth0 nodad
                route add default via {GATEWAY_IN}
                route add default via {GATEWAY6_IN}
            """)
        self.x.ip(f"""
            address add {R2}/24 broadcast + dev eth0
            address add {R2_6}/64 dev eth0 nodad
            address add {X}/32 dev lo
            address add {X6}/128 dev lo nodad
            route add {EXTERNAL} via {GATEWAY_OUT} src {X}
            route add {EXTERNAL6} via {GATEWAY6_OUT} src {X6}
        """)
        for one in self.all:
            one.settled()

    def close(self):
        for one in (*self.taps, *self.all):
            one.close()
        os.sched_setaffinity(0, self.processors)

    def tap(self, namespace, interface="eth0"):
        """What comes in at the far end of a cable from now on."""
        near, near_interface = self.near[namespace.name, interface]
        self.taps.append(Tap(namespace, interface, near, near_interface))
        return self.taps[-1]


def speak(namespace, source, target, interface):
    """One datagram, to many if need be, from an address and an interface that are given."""
    with namespace.socket(family(target), socket.SOCK_DGRAM) as speaker:
        speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
        speaker.bind((source, 0))
        speaker.sendto(b"hello", (target, PORT))


def answered(client, address, count, *options):
    """How many of so many pings in a row come back."""
    done = client.run("ping", "-n", "-i", "0.05", "-c", str(count), "-W", "60", *options, address, check=False)
    return int(re.search(r"(\d+) received", done.stdout)[1])
