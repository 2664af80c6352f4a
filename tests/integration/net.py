# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces, the cables between them, and the address plan that every test shares."""

import atexit
import contextlib
import ctypes
import itertools
import os
import socket
import subprocess
import time

# Internal hosts and their external addresses. C has no pair, R1 is a router inside without one.
A, A_OUT = "10.0.0.2", "198.51.100.2"
B, B_OUT = "10.0.0.3", "198.51.100.3"
C = "10.0.0.9"
R1 = "10.0.0.17"
D, D_OUT = "10.0.0.18", "198.51.100.18"
PAIRS = {A: A_OUT, B: B_OUT, D: D_OUT}

# The gateway's own addresses, the router outside, and the peer behind it.
GATEWAY_IN, GATEWAY_OUT = "10.0.0.1", "192.0.2.1"
R2, R2_FAR = "192.0.2.2", "203.0.113.1"
X = "203.0.113.10"

# The same for IPv6.
A6, A6_OUT = "fd00:1::2", "2001:db8:1::2"
B6, B6_OUT = "fd00:1::3", "2001:db8:1:ffff:ffff:ffff:ffff:3"
C6, R1_6 = "fd00:1::9", "fd00:1::17"
PAIRS6 = {A6: A6_OUT, B6: B6_OUT}
GATEWAY6_IN, GATEWAY6_OUT, R2_6 = "fd00:1::1", "2001:db8:2::1", "2001:db8:2::2"
X6 = "2001:db8:3::10"

# Of both families: all pairs, and where everybody inside is.
ALL_PAIRS = {**PAIRS, **PAIRS6}
INSIDE = ["10.0.0.0/8", "fd00::/8"]

# What a distribution ships: the kernel's own settings, and rp_filter and source routes as systemd has them. New
# namespaces inherit some of this machine's, which may be others. A test that needs anything else says so.
SHIPPED = {
    **{f"net/ipv4/conf/{each}/{key}": value for each in ("all", "default") for key, value in (
        ("accept_redirects", 1), ("secure_redirects", 1), ("send_redirects", 1), ("shared_media", 1),
        ("arp_announce", 0), ("arp_ignore", 0), ("bc_forwarding", 0), ("promote_secondaries", 1))},
    **{f"net/ipv6/conf/{each}/{key}": value for each in ("all", "default") for key, value in (
        ("accept_ra", 1), ("accept_redirects", 1), ("autoconf", 1), ("disable_ipv6", 0))},
    "net/ipv4/conf/all/rp_filter": 0, "net/ipv4/conf/default/rp_filter": 2,
    "net/ipv4/conf/all/accept_source_route": 0, "net/ipv4/conf/default/accept_source_route": 0,
    "net/ipv4/icmp_echo_ignore_broadcasts": 1, "net/ipv4/icmp_ratelimit": 1000, "net/ipv6/icmp/ratelimit": 1000,
    "net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 1,
}


def many(count, first=0):
    """So many pairs more, none of them in use (RFC 2544 has the external ones)."""
    return {f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}":
            f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
            for number in range(first, first + count)}


# Somebody else's rules, for which conntrack follows every connection.
TRACKING = """table inet other {
    chain forward { type filter hook forward priority 0; ct state new counter; }
}"""

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; a buffer beyond what net.core.rmem_max allows
libc = ctypes.CDLL(None, use_errno=True)
serial = itertools.count(1)
origin = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def setns(descriptor):
    """Moves the calling thread into a network namespace."""
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def echo(connection):
    """Answers with what it hears, until one of the ends closes."""
    with contextlib.suppress(OSError):
        while heard := connection.recv(65536):
            connection.sendall(heard)


def until(condition, seconds=60):
    """Polls until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{seconds} s were not enough"
        time.sleep(0.01)
    return answer


class Namespace:
    """A network namespace; `with` moves the calling thread into it."""

    def __init__(self, role):
        self.name = f"statnat-{os.getpid()}-{next(serial)}-{role}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        atexit.register(self.close)  # whatever goes wrong until somebody closes it
        self.descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self.sysctl(**SHIPPED)
        self.ip("link set lo up")

    def __enter__(self):
        setns(self.descriptor)
        return self

    def __exit__(self, *_):
        setns(origin)

    def close(self):
        atexit.unregister(self.close)
        os.close(self.descriptor)
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def sysctl(self, **settings):
        with self:
            for key, value in settings.items():
                with open("/proc/sys/" + key.replace("__", "/"), "w") as file:
                    file.write(str(value))

    def settled(self):
        """Waits until duplicate address detection has ended."""
        until(lambda: not self.run("ip", "-6", "address", "show", "tentative").stdout)

    def ip(self, commands):
        """Runs lines of ip(8) in one process."""
        self.run("ip", "-batch", "-", stdin=commands)

    def nft(self, ruleset):
        self.run("nft", "-f", "-", stdin=ruleset)

    def run(self, *command, stdin="", check=True):
        """Runs a command here to its end and returns it, with its output as text."""
        with self:  # where this thread is, what it starts begins
            done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def socket(self, *kind):
        with self:
            return socket.socket(*kind)


def cable(one, name_one, other, name_other):
    """Joins two namespaces and returns the hardware addresses of the two ends."""
    macs = [f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
            for number in (next(serial), next(serial))]
    subprocess.run(
        ["ip", "link", "add", name_one, "netns", one.name, "address", macs[0], "type", "veth",
         "peer", "name", name_other, "netns", other.name, "address", macs[1]], check=True)
    one.ip(f"link set dev {name_one} up")
    other.ip(f"link set dev {name_other} up")
    return macs
