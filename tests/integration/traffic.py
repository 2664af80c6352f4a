# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams in both directions, each of which is accounted for."""

import struct
import threading

from scapy.layers.inet import IP, UDP

from net import X


class Traffic:
    """Numbered datagrams from and to hosts whose pairs do not change."""

    PAUSE, ON_THEIR_WAY = 0.005, 64

    def __init__(self, wire, pairs):
        self.stop, self.sent, self.wrong = threading.Event(), 0, []
        # Of each way: where packets enter and leave, what they begin with before and behind the gateway.
        self.ways = [
            (wire.inside, wire.outside, [((internal, X), (external, X)) for internal, external in pairs], set()),
            (wire.outside, wire.inside, [((X, external), (X, internal)) for internal, external in pairs], set())]
        for _, _, headers, _ in self.ways:
            headers[:] = [[bytes(IP(src=source, dst=target, ttl=ttl) / UDP(chksum=0) / bytes(8))[:-8]
                           for (source, target), ttl in zip(ends, (64, 63))] for ends in headers]

    def run(self):
        while not self.stop.wait(self.PAUSE):
            number = struct.pack(">Q", self.sent)
            for enters, leaves, headers, missing in self.ways:
                before, after = headers[self.sent % len(headers)]
                enters.send(before + number)
                missing.add(after + number)
                self.take(leaves, missing, 0)
                self.take(leaves, missing, 60, self.ON_THEIR_WAY)
            self.sent += 1
        for _, leaves, _, missing in self.ways:
            self.take(leaves, missing, 60)
            self.wrong += [f"lost {packet.hex()}" for packet in missing]

    def take(self, port, missing, seconds, enough=0):
        """Takes packets until no more are missing than that, or none come for so long."""
        while len(missing) > enough and (packet := port.receive(seconds)):
            if packet not in missing:
                self.wrong.append(f"wrong {packet.hex()}")
            missing.discard(packet)
