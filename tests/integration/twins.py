# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways with the same pairs, one of them with a fast path, and the same packets into both.

    inside ──────── in0 gateway out0 ──────── outside        with fast-path = true
    inside ──────── in0 gateway out0 ──────── outside        without

Whether a packet was sent at once is counted by the kernel; that nothing else differs is told by the far ends, by the
pairs' counters, and by what the kernel counts of IP (/proc/net/snmp).
"""

import json
import socket
from collections import Counter

from net import A, GATEWAY_IN, GATEWAY_OUT, PAIRS, PAIRS6, R1_6, R2, R2_6, X
from packets import TEXT
from scapy.layers.inet import IP, UDP
from wire import Wire, Wire6

PREFIXES = {"10.3.0.0/16": "198.18.0.0/16"}
PREFIXES6 = {"fd01:203:405::/48": "2001:db8:7::/48", "fd02::/80": "2001:db8:8::/80"}
NOWHERE, FORBIDDEN, NARROW = "203.0.113.66", "203.0.113.67", "203.0.113.68"
NOWHERE6, NARROW6, ANYCAST6 = "2001:db8:3::66", "2001:db8:3::68", "2001:db8:3::69"
# A neighbour outside whom nobody knows, and addresses that may come to be anywhere.
ABSENT, Y, Y6 = "192.0.2.99", "203.0.113.77", "2001:db8:3::77"
OWN = {4: [socket.inet_aton(address) for address in (GATEWAY_IN, GATEWAY_OUT, Y)], 6: []}
MIBS = {4: [("snmp", "Ip:"), ("netstat", "IpExt:")],
        6: [(name, kind) for name in ("snmp6", "dev_snmp6/in0", "dev_snmp6/out0")
            for kind in ("Ip6OutForwDatagrams", "Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes",
                         "Ip6InAddrErrors", "Ip6FragFails", "Ip6OutDiscards")]}
SHORTCUT, DETOUR, NEITHER = (1, 0), (0, 1), (0, 0)


UDP_OUT = IP(src=A, dst=X, ttl=9) / UDP() / TEXT


class Twins:
    """Two gateways with the same pairs, one of them with a fast path."""

    def __init__(self, wire, pairs, make_tool):
        self.wires = [wire(), wire()]
        self.tools = [make_tool(one.gateway) for one in self.wires]
        for one in self.wires:
            self.add_routes(one)
            one.errors_without_limit()
        for tool, fast in zip(self.tools, (True, False)):
            tool.sync(pairs, fast_path=fast, npt=True)
        self.version = 4 if wire is Wire else 6

    @staticmethod
    def add_routes(one):
        if one.pairs is PAIRS:
            one.gateway.ip(f"route add blackhole {NOWHERE}\nroute add prohibit {FORBIDDEN}\n"
                           f"route add {NARROW} via {R2} mtu 600")
        else:
            one.gateway.ip(f"route add unreachable {NOWHERE6}\nroute add {NARROW6} via {R2_6} mtu 1280\n"
                           f"route add anycast {ANYCAST6} dev out0\nroute add fd00::/8 via {R1_6}")

    def close(self):
        for one in reversed(self.wires):
            one.close()

    def ways(self):
        """How many went at once, and how many did not, at the gateway that may."""
        (told,) = json.loads(self.tools[0]("stats", "-j").stdout)["families"]
        return told["packets"]["shortcuts"], told["packets"]["detours"]

    def mib(self, one):
        """What the kernel has counted of IP; of IPv6, in which a gateway talks by itself, of what it forwards."""
        lines = []
        with one.gateway:
            for name, kind in MIBS[self.version]:
                with open(f"/proc/thread-self/net/{name}") as file:
                    lines += [line for line in file if line.startswith(kind)]
        return lines

    def seen(self):
        """What came out at all four ends since the last call; what the gateway says itself has a number of its own."""
        return [[[self.comparable(packet) for packet in end] for end in one.drain()] for one in self.wires]

    def comparable(self, packet):
        return packet[:4] + packet[6:10] + packet[12:] if packet[12:16] in OWN[self.version] else packet

    def send(self, end, *packets, unfinished=None):
        for one in self.wires:
            for packet in packets:
                if unfinished:
                    getattr(one, end).send_unfinished(packet, *unfinished)
                else:
                    getattr(one, end).send(packet)

    def agree(self, end, *packets, unfinished=None, arrives=None):
        """The same arrives, and is counted; returns by which way the packets went."""
        before, mibs = self.ways(), [self.mib(one) for one in self.wires]
        counted = [self.counted(tool) for tool in self.tools]
        self.send(end, *packets, unfinished=unfinished)
        fast, slow = self.seen()
        assert fast == slow
        if arrives is not None:
            assert sum(map(len, fast)) == arrives
        assert len({str(self.change(one, mib)) for one, mib in zip(self.wires, mibs)}) == 1
        fast, slow = (self.counted(tool) - then for tool, then in zip(self.tools, counted))
        assert fast == slow
        after = self.ways()
        return after[0] - before[0], after[1] - before[1]

    @staticmethod
    def counted(tool):
        """By the elements of all pairs."""
        return Counter({(pair, way, unit): count for pair, line in tool.pairs().items()
                        for way in ("outbound", "inbound") for unit, count in line[way].items()})

    def change(self, one, before):
        def numbers(lines):
            return [int(word) for line in lines for word in line.split() if word.lstrip("-").isdigit()]
        return [now - then for now, then in zip(numbers(self.mib(one)), numbers(before))]

    def both(self, command):
        """Lets both gateways do something."""
        for one in self.wires:
            command(one.gateway)


def twins_of(version, make_tool):
    """What a fixture yields."""
    twins = Twins(Wire, {**PAIRS, **PREFIXES}, make_tool) if version == 4 else \
        Twins(Wire6, {**PAIRS6, **PREFIXES6}, make_tool)
    yield twins
    twins.close()
