# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway on a straight road, with the kernel's packet generator at both ends.

    inside ──────────── in gateway out ──────────── outside
    10.0.0.17     10.0.0.1 | 192.0.2.1          192.0.2.2
    fd00:2::17   fd00:2::1 | 2001:db8:2::1  2001:db8:2::2

What arrives at an end is thrown away at once, because it is addressed to another station.
"""

import ipaddress
import itertools
import re
import select
import socket
import struct
from collections import namedtuple
from dataclasses import replace

from net import Namespace, cable, until

NOBODY = "02:00:00:ff:ff:ff"
ETHERNET_PROTOCOL = {4: 0x0800, 6: 0x86dd}

# Blocks of source and destination addresses and of source ports, gone through in turn, or at random if `scattered`.
Stream = namedtuple("Stream", "source destination ports port scattered")
Seen = namedtuple("Seen", "source destination sound")


class End:
    """One end of the road: a device that sends, and sees what arrives."""

    def __init__(self, role, gateway, device, flags):
        self.namespace, self.flags = Namespace(role), flags
        self.namespace.sysctl(net__ipv6__conf__default__disable_ipv6=1)  # so that it has nothing to say
        _, self.gateway_mac = cable(self.namespace, "eth0", gateway, device)
        # Else the checksum would be left to a card that does not exist.
        self.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        self._write("kpktgend_0", "add_device eth0")

    def close(self):
        self._write("kpktgend_0", "rem_device_all")
        self.namespace.close()

    def send(self, stream, count):
        """Sends so many packets of 64 bytes and returns the time that all of it took, in nanoseconds."""
        self._write("eth0", "clone_skb 0", "pkt_size 64", "delay 0", "flag UDPCSUM", "flag NO_TIMESTAMP", *self.flags,
                    f"dst_mac {self.gateway_mac}", f"udp_src_min {stream.ports[0]}", f"udp_src_max {stream.ports[-1]}",
                    f"udp_dst_min {stream.port}", f"udp_dst_max {stream.port}")
        if stream.source.first.version == 4:
            self._write("eth0", *(["flag IPSRC_RND", "flag IPDST_RND"] if stream.scattered else []),
                        f"src_min {stream.source.first}", f"src_max {stream.source.last}",
                        f"dst_min {stream.destination.first}", f"dst_max {stream.destination.last}")
            return self._start(count)
        # The generator does not vary addresses of IPv6.
        flows = max(stream.source.count, stream.destination.count)
        took = 0
        addresses = zip(itertools.cycle(stream.source), itertools.cycle(stream.destination))
        for source, destination in itertools.islice(addresses, flows):
            self._write("eth0", f"src6 {source}", f"dst6 {destination}")
            took += self._start(count // flows)
        return took

    def _start(self, count):
        self._write("eth0", f"count {count}")
        self._write("pgctrl", "start")
        # It is not always done by now.
        microseconds, sent = until(self._result)
        assert int(sent) == count
        return int(microseconds) * 1000

    def _result(self):
        with self.namespace, open("/proc/net/pktgen/eth0") as file:
            done = re.search(r"Result: OK: (\d+)\(.*\) usec, (\d+) ", file.read())
        return done and done.groups()

    def _write(self, file, *settings):
        with self.namespace:
            for setting in settings:
                with open(f"/proc/net/pktgen/{file}", "w") as control:
                    control.write(setting + "\n")

    def listen(self, version):
        listener = self.namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERNET_PROTOCOL[version]))
        listener.bind(("eth0", ETHERNET_PROTOCOL[version]))
        return listener


class Road:
    """The namespaces and the cables. `unshared`: packets are the gateway's alone, as those of a card are."""

    def __init__(self, unshared=False):
        flags = ["flag !SHARED"] if unshared else []
        self.gateway = Namespace("gateway")
        self.gateway.sysctl(net__ipv4__ip_forward=1, net__ipv4__conf__all__rp_filter=0,
                            net__ipv4__conf__default__rp_filter=0, net__ipv6__conf__all__forwarding=1)
        self.inside = End("inside", self.gateway, "in", flags)
        self.outside = End("outside", self.gateway, "out", flags)
        self.gateway.ip(
            f"address add 10.0.0.1/24 dev in\naddress add fd00:2::1/64 dev in nodad\n"
            f"address add 192.0.2.1/24 dev out\naddress add 2001:db8:2::1/64 dev out nodad\n"
            f"neigh add 10.0.0.17 lladdr {NOBODY} dev in nud permanent\n"
            f"neigh add fd00:2::17 lladdr {NOBODY} dev in nud permanent\n"
            f"neigh add 192.0.2.2 lladdr {NOBODY} dev out nud permanent\n"
            f"neigh add 2001:db8:2::2 lladdr {NOBODY} dev out nud permanent\n"
            f"route add 10.0.0.0/8 via 10.0.0.17 dev in\nroute add 100.64.0.0/10 via 10.0.0.17 dev in\n"
            f"route add fd00::/16 via fd00:2::17 dev in\nroute add 2001:db8:1::/48 via fd00:2::17 dev in\n"
            f"route add default via 192.0.2.2 dev out\n"
            f"route add default via 2001:db8:2::2 dev out")

    def close(self):
        for one in (self.inside, self.outside, self.gateway):
            one.close()

    def other(self, end):
        return self.outside if end is self.inside else self.inside

    def look(self, end, stream):
        """Sends one packet and returns what arrives at the other end."""
        source, destination = (replace(block, count=1) for block in (stream.source, stream.destination))
        with self.other(end).listen(stream.source.first.version) as listener:
            end.send(stream._replace(source=source, destination=destination), 1)
            while select.select([listener], [], [], 5)[0]:
                packet = listener.recv(2048)
                if packet[6 if packet[0] >> 4 == 6 else 9] == socket.IPPROTO_UDP:
                    return dissect(packet)
        return None


def dissect(packet):
    """The addresses of a packet, and whether its checksums are right."""
    if packet[0] >> 4 == 6:
        start, size, header = 8, 16, 40
        sound = True
    else:
        start, size, header = 12, 4, 20
        sound = total(packet[:header]) == 0xffff
    addresses = packet[start:start + 2 * size]
    segment = packet[header:header + struct.unpack_from(">H", packet, header + 4)[0]]
    pseudo_header = addresses + struct.pack(">II", len(segment), socket.IPPROTO_UDP)
    sound = sound and total(pseudo_header + segment) == 0xffff
    return Seen(ipaddress.ip_address(addresses[:size]), ipaddress.ip_address(addresses[size:]), sound)


def total(data):
    """The one's complement sum of 16-bit words."""
    data += bytes(len(data) % 2)
    number = sum(struct.unpack(f">{len(data) // 2}H", data))
    while number >> 16:
        number = (number & 0xffff) + (number >> 16)
    return number
