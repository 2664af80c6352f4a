# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, one with pairs and one without, and the same packets through both.

What the second one forwards, translated by `translator`, is what the first one must have forwarded: so the kernel's own
part in it, hop limits, options and what it refuses, is none of ours. Half of the packets come to the gateway in pieces,
since that is how a ring hands them over.
"""

import itertools
import mmap
import select
import socket
import struct
from collections import Counter, namedtuple

from net import R1, R1_6
from packets import layers
from translator import Dropped
from wire import SOL_PACKET, Wire, Wire6

# A busy kernel queues no more than 1,000 (net.core.netdev_max_backlog).
AT_ONCE = 500

# linux/if_packet.h
PACKET_RX_RING, PACKET_VERSION, PACKET_TX_RING, TPACKET_V2 = 5, 10, 13, 1
USER, SEND_REQUEST, WRONG_FORMAT = 1, 1, 4
FRAME, BLOCK, TX_OFFSET = 2048, 1 << 16, 32
ETHERNET = 14


class Ring:
    """A ring of frames that this process and the kernel share: no call for each packet."""

    def __init__(self, namespace, interface, protocol, option, frames):
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        self.socket.setsockopt(SOL_PACKET, option, struct.pack("IIII", BLOCK, frames * FRAME // BLOCK, FRAME, frames))
        self.frames, self.next = frames, 0
        self.memory = mmap.mmap(self.socket.fileno(), frames * FRAME)
        self.socket.bind((interface, protocol))

    def close(self):
        self.memory.close()
        self.socket.close()

    def here(self):
        at, self.next = self.next * FRAME, (self.next + 1) % self.frames
        return at

    def wait(self, at, wanted, events):
        """Until the kernel has left the frame in this state."""
        while struct.unpack_from("I", self.memory, at)[0] & USER != wanted:
            poll = select.poll()
            poll.register(self.socket, events)
            assert poll.poll(60000), "the gateway forwards nothing"


class Sender(Ring):
    def __init__(self, namespace, interface, protocol):
        super().__init__(namespace, interface, 0, PACKET_TX_RING, 1024)

    def send(self, frames):
        for frame in frames:
            at = self.here()
            self.wait(at, 0, select.POLLOUT)
            self.memory[at + TX_OFFSET:at + TX_OFFSET + len(frame)] = frame
            struct.pack_into("II", self.memory, at, SEND_REQUEST, len(frame))
        self.socket.send(b"")


class Receiver(Ring):
    def __init__(self, namespace, interface, protocol):
        super().__init__(namespace, interface, protocol, PACKET_RX_RING, 4096)

    def receive(self):
        at = self.here()
        self.wait(at, USER, select.POLLIN)
        _, _, length, begins = struct.unpack_from("IIIH", self.memory, at)
        packet = self.memory[at + begins + ETHERNET:at + begins + length]
        struct.pack_into("I", self.memory, at, 0)
        return packet


class End:
    """An end of a wire, its packets by rings."""

    def __init__(self, namespace, port):
        self.ethernet, arguments = port.ethernet, (namespace, port.interface, port.protocol)
        port.socket.close()
        self.sender, self.receiver = Sender(*arguments), Receiver(*arguments)
        self.linear = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.linear.bind((port.interface, 0))

    def close(self):
        for one in (self.sender, self.receiver, self.linear):
            one.close()

    def send(self, packets, in_pieces):
        if in_pieces:
            self.sender.send([self.ethernet + packet for packet in packets])
        else:
            for packet in packets:
                self.linear.send(self.ethernet + packet)

    def up_to(self, mark):
        packets = []
        while not (packet := self.receiver.receive()).endswith(mark):
            packets.append(packet)
        return packets


class Difference(namedtuple("Difference", "sent wanted got")):
    """Of what was sent, is wanted, and was got; None: nothing."""

    def __str__(self):
        told = (f"{name:6} {packet and packet.hex()}" for name, packet in zip(self._fields, self))
        lines = (f"{name:6} {line}" for name, packet in zip(self._fields, self) if packet for line in layers(packet))
        return "\n".join([*told, *lines])


class Crossing:
    """Both gateways, with the same routes: internal and external prefixes inside, all else outside."""

    def __init__(self, version, pairs, inside, own, translated):
        self.version, self.pairs, self.own, self.translated = version, pairs, own, translated
        wire, router = ((Wire, R1), (Wire6, R1_6))[version == 6]
        self.wires = plain, gateway = wire(), wire()
        self.gateway, self.numbers, self.counts = gateway.gateway, itertools.count(1), Counter()
        prefixes = [*inside, *(pair.external for pair in pairs.pairs)]
        for one in self.wires:
            one.gateway.ip("\n".join(f"route replace {prefix} via {router} dev in0 onlink" for prefix in prefixes))
            one.gateway.sysctl(net__ipv4__conf__all__send_redirects=0, net__ipv4__conf__in0__send_redirects=0,
                               net__ipv4__conf__out0__send_redirects=0)
        self.ends = [[End(namespace, port) for namespace, port in zip(one.ends, (one.inside, one.outside))]
                     for one in self.wires]

    def close(self):
        for end in itertools.chain(*self.ends):
            end.close()
        # The first one has given this process one processor, the second one saw that.
        for one in reversed(self.wires):
            one.close()

    def forwarded(self, way, packets, in_pieces):
        """What came out inside and outside, by the plain gateway and by the one with pairs."""
        mark = b"mark %8d" % next(self.numbers)
        for wire, ends in zip(self.wires, self.ends):
            ends[way].send(packets, in_pieces)
            for end, header in zip(ends, wire.marks):
                end.send([header + mark], False)
        return [[self.of_others(end.up_to(mark)) for end in ends] for ends in self.ends]

    def of_others(self, packets):
        """What the gateway does not say itself, which is another test's."""
        return {self.number(packet): packet for packet in packets if not self.is_own(packet)}

    def is_own(self, packet):
        """From an address of the gateway; in IPv6 also from, or to, what is on the link."""
        if self.version == 4:
            return packet[12:16] in self.own
        return packet[8:24] in self.own or packet[8] == 0xfe or packet[24] == 0xff

    def number(self, packet):
        """What tells packets of a batch apart, and no router changes: the identification, or the flow label."""
        return packet[4:6] if self.version == 4 else packet[1:4]

    def compare(self, way, packets, in_pieces):
        """The differences."""
        plain, got = self.forwarded(way, packets, in_pieces)
        sent = {self.number(packet): packet for packet in packets}
        self.counts["sent"] += len(packets)
        found = []
        for before, after in zip(plain, got):
            wanted = {number: self.wanted(packet) for number, packet in before.items()}
            found += [Difference(sent.get(number), wanted.get(number), after.get(number))
                      for number in wanted.keys() | after.keys() if wanted.get(number) != after.get(number)]
        return found

    def wanted(self, packet):
        try:
            after = self.translated(packet)
        except Dropped:
            self.counts["dropped"] += 1
            return None
        self.counts["left alone" if after == packet else "translated"] += 1
        return after
