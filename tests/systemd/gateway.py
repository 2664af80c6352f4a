# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that is a machine, and three hosts around it, which see it come and go.

    A 10.0.0.2 ───┐
                  ├─── 10.0.0.1 gateway 192.0.2.1 ─────── 192.0.2.2 X 203.0.113.10
    C 10.0.0.9 ───┘

A has a pair, C has none. The gateway's network is its distribution's: systemd-networkd, and sysctl.d for forwarding.
"""

import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter

from machine import Machine
from net import A, A_OUT, C, GATEWAY_IN, GATEWAY_OUT, R2, X, Namespace, until
from network import ask

CONFIGURATION = f"""[gateway]
engine = "native"
[pairs]
"{A}" = "{A_OUT}"
"""
# It keeps policy rules that are not its own.
NETWORKD = pathlib.Path(__file__).parents[2] / "docs/examples/networkd.conf.d/statnat.conf"
# Of datagrams: one of traceroute's, which the policy in docs/firewalls.md lets in, and where nobody listens.
PORT = 33434
ETH_P_IP = 0x0800
# By source and target, as the two ends of A's pair should see each other.
RIGHT = {(A_OUT, X), (X, A)}
# As long as no filter stands on the way out, what the other processor has between two hooks in the very moment of a
# flush: of two thousand a second each way, one in some twenty flushes.
MOST_IN_FLIGHT = 3
BORDER = 'external-interfaces = ["out"]\n'
# The gateway's on each cable; hosts know it, so that nothing waits for ARP.
MAC = "02:00:00:00:00:01"
# The gateway's end of each cable, its address there, and the neighbour's.
CABLES = [("a", GATEWAY_IN, A), ("c", GATEWAY_IN, C), ("out", GATEWAY_OUT, R2)]


class Gateway(Machine):
    def __init__(self, tree):
        super().__init__(tree)
        self.write("/etc/sysctl.d/forward.conf", "net.ipv4.ip_forward = 1\n")
        for name, address, neighbour in CABLES:
            network = (f"[Match]\nName={name}\n[Network]\nLinkLocalAddressing=no\n"
                       f"[Address]\nAddress={address}/32\nPeer={neighbour}/32\n")
            if neighbour == R2:
                network += f"[Route]\nGateway={R2}\nGatewayOnLink=yes\n"
            self.write(f"/etc/systemd/network/{name}.network", network)
        subprocess.run(["chroot", self.root, "systemctl", "-q", "enable", "systemd-networkd"], check=True)
        self.a, self.c, self.x = self.hosts = [Namespace(name) for name in ("a", "c", "x")]
        self.x.ip(f"address add {X}/32 dev lo")

    def plug(self, host, name):
        """Lays a cable from a host's eth0."""
        subprocess.run(["ip", "link", "add", "eth0", "netns", host.name, "type", "veth",
                        "peer", "name", name, "netns", self.name, "address", MAC], check=True)

    def assemble(self):
        super().assemble()
        self.cables()

    def cables(self):
        for host, (name, address, neighbour) in zip(self.hosts, CABLES):
            self.plug(host, name)
            source = f" src {X}" if host is self.x else ""
            host.ip(f"address add {neighbour}/32 dev eth0\nlink set dev eth0 up\nroute add {address} dev eth0\n"
                    f"route add default via {address}{source}\nneighbour replace {address} lladdr {MAC} dev eth0")

    def end(self):
        """Pulls the cables first: a network namespace that goes loses its rules before its devices, no machine does."""
        if self.keeper:
            for host in self.hosts:
                host.ip("link delete dev eth0")
        super().end()

    def up(self):
        """Boots it, until it has started everything and forwards."""
        self.assemble()
        self.start()
        self.ready()

    def ready(self):
        self.running()
        self.run("/lib/systemd/systemd-networkd-wait-online", "--timeout=60")

    def close(self):
        super().close()
        for host in self.hosts:
            host.close()

    def install(self, *packages):
        """Installs package files, with apt and from nothing else."""
        (self.root / "packages").mkdir()
        for package in packages:
            shutil.copy(package, self.root / "packages")
        self.run("apt-get", "-y", "install", *(f"/packages/{package.name}" for package in packages))
        self.run("rm", "-r", "/packages")

    @contextlib.contextmanager
    def fail_closed(self):
        """With that option, a border, and a networkd that leaves policy rules alone."""
        self.write("/etc/systemd/networkd.conf.d/statnat.conf", NETWORKD.read_text())
        self.run("systemctl", "restart", "systemd-networkd")
        closed = CONFIGURATION.replace("[pairs]", f"fail-closed = true\n{BORDER}[pairs]")
        self.write("/etc/statnat/statnat.toml", closed)
        self.run("systemctl", "restart", "statnat")
        yield
        self.write("/etc/statnat/statnat.toml", CONFIGURATION)
        self.run("systemctl", "restart", "statnat")

    def tables(self):
        return set(self.run("nft", "list", "tables").stdout.splitlines())

    def handles(self):
        """Which ones they are: the kernel numbers tables."""
        listing = json.loads(self.run("nft", "-j", "list", "tables").stdout)["nftables"]
        return [each["table"]["handle"] for each in listing if "table" in each]

    def listing(self):
        return json.loads(self.run("statnat-nft", "list", "-j").stdout)["pairs"]

    def pairs(self):
        return {pair["internal"]: pair["external"] for pair in self.listing()}

    def counters(self):
        """Packets of the only pair, out and in."""
        pair, = self.listing()
        return pair["outbound"]["packets"], pair["inbound"]["packets"]


def translates(gateway):
    """Whether both ends see each other by the right addresses, and a host without a pair by its own."""
    assert ask(gateway.a, gateway.x, X)[1] == A_OUT
    assert ask(gateway.x, gateway.a, A_OUT)[1] == X
    assert ask(gateway.c, gateway.x, X)[1] == C


class Traffic:
    """Datagrams without a pause between A and X, each of a flow of its own: by which addresses they arrive, and for
    how long at most no right one does; `with` it runs."""

    def __init__(self, gateway):
        self.gateway, self.over = gateway, threading.Event()
        self.arrived = Counter()
        self.last, self.longest = {}, Counter()
        self.threads = [threading.Thread(target=self.send, args=way) for way in ((gateway.a, X), (gateway.x, A_OUT))]
        self.threads += [threading.Thread(target=self.hear, args=(host,)) for host in (gateway.a, gateway.x)]

    def send(self, host, target):
        with host:
            while not self.over.wait(0.001):
                # There is no way to anywhere while there is no gateway.
                with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b"", (target, PORT))

    def hear(self, host):
        with host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as listener:
            listener.settimeout(0.1)
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    packet, (_, _, kind, *_) = listener.recvfrom(2048)
                    if kind != socket.PACKET_OUTGOING and packet[9] == socket.IPPROTO_UDP:
                        self.heard((socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])))

    def heard(self, way):
        now = time.monotonic()
        self.longest[way] = max(self.longest[way], now - self.last.get(way, now))
        self.last[way] = now
        self.arrived[way] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def flows(self):
        """Waits for something more of both ways, as it should be."""
        before = {way: self.arrived[way] for way in RIGHT}
        until(lambda: all(self.arrived[way] > before[way] for way in RIGHT))

    def gap(self):
        """The longest time without a right one, of either way, since this was asked before; in seconds."""
        longest = max(self.longest[way] for way in RIGHT)
        self.longest.clear()
        return longest

    def wrong(self):
        """What arrived otherwise."""
        return self.arrived.keys() - RIGHT

    def strays(self):
        """How many these were."""
        return sum(self.arrived[way] for way in self.wrong())
