# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs to which the kernel shows packets of a queue (linux/netfilter/nfnetlink_queue.h)."""

import struct

from nfnl import Netlink, attribute, attributes

QUEUE, CONFIG, VERDICT = 3 << 8, 3 << 8 | 2, 3 << 8 | 1
BIND, COPY_PACKET, ACCEPT, NUMBER = 1, 2, 1, 7


class Judge:
    """A program to which a queue's packets are shown, and which lets them all pass."""

    def __init__(self, gateway):
        self.gateway, self.netlink = gateway, Netlink(gateway)
        for given in (attribute(1, struct.pack(">BxH", BIND, 2)),
                      attribute(2, struct.pack(">IB", 0xffff, COPY_PACKET))):
            self.netlink.socket.send(self.netlink.message(CONFIG, 4, 0, [given], NUMBER))
            self.netlink.socket.recv(1 << 16)

    def packet(self):
        """The number of the next one, and its bytes."""
        for kind, _, body in self.netlink.answers():
            assert kind == QUEUE
            told = attributes(body[4:])
            return told[1][:4], told[10]

    def pass_on(self, number):
        header = attribute(2, struct.pack(">I", ACCEPT) + number)
        self.netlink.socket.send(self.netlink.message(VERDICT, 0, 0, [header], NUMBER))

    def close(self):
        self.netlink.close()

    def waiting(self):
        """How many packets it has not let pass."""
        with self.gateway, open("/proc/thread-self/net/netfilter/nfnetlink_queue") as file:
            return sum(int(line.split()[2]) for line in file)
