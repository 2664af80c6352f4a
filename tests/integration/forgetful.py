# SPDX-License-Identifier: GPL-2.0-or-later
"""Who commits anything and forgets the answer, in a kernel whose memory fails."""

import itertools
import os
import socket
from pathlib import Path

import nfnl
from chaos import FAMILIES, Chaos
from nfnl import Netlink

FAILSLAB = Path("/sys/kernel/debug/failslab")
SO_SNDBUFFORCE = 32  # asm-generic/socket.h


def set_failslab(**settings):
    for name, value in settings.items():
        (FAILSLAB / name.replace("_", "-")).write_text(str(value))


def let_memory_fail():
    """That of this process, as often as FAILSLAB says."""
    if FAILSLAB.exists():
        Path("/proc/self/make-it-fail").write_text("1")


def module_is_unused():
    """No rule holds it, in whatever namespace."""
    return Path("/sys/module/nft_snat_stateless/refcnt").read_text() == "0\n"


class Memory:
    """Of this process, within its next transaction: a certain allocation fails, or one that chance chooses."""

    def __init__(self, chance):
        self.random, self.nth = chance, None
        if FAILSLAB.exists():
            self.nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    def fail(self, nth=None):
        """The next allocation but so many, of this process; by chance any, or none."""
        if self.nth is not None and (nth or self.random.random() < .5):
            os.pwrite(self.nth, str(nth or int(self.random.expovariate(1 / 40)) + 1).encode(), 0)

    def has_failed(self):
        """It did; from here on none does for sure."""
        if self.nth is None:
            return False
        left = int(os.pread(self.nth, 20, 0))
        os.pwrite(self.nth, b"0", 0)
        return left == 0


class Forgetful:
    """Transactions without end. Answers may be lost like anything else, so they are looked at but not waited for."""

    def __init__(self, namespace, chance, pairs=()):
        self.socket = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, nfnl.NETLINK_NETFILTER)
        self.random = chance
        self.socket.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
        self.netlink = Netlink.__new__(Netlink)
        self.netlink.socket, self.netlink.sequence = self.socket, itertools.count(1)
        self.chaos, self.memory, self.known = Chaos(chance, pairs), Memory(chance), []

    def batch(self, messages, nth=None):
        """Returns whether an allocation has failed that was to."""
        message = self.netlink.message
        batch = b"".join([
            message(nfnl.BATCH_BEGIN, 0, 0, [], nfnl.SUBSYSTEM),
            *[message(nfnl.SUBSYSTEM << 8 | kind, *rest) for kind, *rest in messages],
            message(nfnl.BATCH_END, 0, 0, [], nfnl.SUBSYSTEM)])
        self.memory.fail(nth)
        try:
            self.socket.send(batch)
        except OSError:
            pass
        return self.memory.has_failed()

    def look(self):
        """At what is there, whole or with its counts taken."""
        self.known = []
        for family in FAMILIES:
            kind = self.random.choice((nfnl.GETRULE, nfnl.GETRULE, nfnl.GETRULE_RESET))
            try:
                self.socket.send(self.netlink.message(nfnl.SUBSYSTEM << 8 | kind, nfnl.DUMP, family, []))
                rules = self.received()
            except OSError:
                continue
            self.known += [(family, rule[1][:-1].decode(), rule[2][:-1].decode(), rule[3]) for rule in rules
                           if 3 in rule]

    def received(self):
        """All answers that are there or come soon: a dump goes on when it is read."""
        found = []
        self.socket.settimeout(.2)
        while True:
            for kind, _, body in self.netlink.answers():
                if kind in (nfnl.NLMSG_DONE, nfnl.NLMSG_ERROR):
                    return found
                found.append(nfnl.attributes(body[4:]))

    def discard(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(1 << 16)
        except OSError:
            pass

    def turn(self):
        if self.random.random() < .1:
            self.look()
        self.batch(self.chaos.batch(self.known))
        self.discard()
