# SPDX-License-Identifier: GPL-2.0-or-later
"""Real hosts and routers around a gateway, and the clients and servers that run on them.

    A 10.0.0.2 ──────────────────────┐
    B 10.0.0.3 ──────────────────────┤ 10.0.0.1
    C 10.0.0.9 ──────────────────────┤ gateway ───────────── r2 ─────────────── X 203.0.113.10
    D 10.0.0.18 ── r1 10.0.0.17 ─────┘ 192.0.2.1   192.0.2.2    203.0.113.1
"""

import contextlib
import os
import socket
import threading

from net import A, B, C, D, GATEWAY_IN, GATEWAY_OUT, R1, R2, R2_FAR, X, Namespace, cable, until

# linux/in.h and linux/in6.h: IP_MTU and IPV6_MTU
PATH_MTU = {socket.AF_INET: (socket.IPPROTO_IP, 14), socket.AF_INET6: (socket.IPPROTO_IPV6, 24)}
PORT = 4000
# Seconds in which 10 MB pass through guests that share a busy machine.
PATIENCE = 600


class Network:
    def __init__(self):
        names = ("gateway", "r1", "r2", "a", "b", "c", "d", "x")
        self.all = [Namespace(name) for name in names]
        self.gateway, self.r1, self.r2, self.a, self.b, self.c, self.d, self.x = self.all
        for router in (self.gateway, self.r1, self.r2):
            router.sysctl(net__ipv4__ip_forward=1)

        for host, name, address in ((self.a, "a", A), (self.b, "b", B), (self.c, "c", C), (self.r1, "r1", R1)):
            self.join(host, address, self.gateway, name, GATEWAY_IN)
        self.join(self.d, D, self.r1, "d", R1)
        self.join(self.x, X, self.r2, "x", R2_FAR)
        self.join(self.r2, R2, self.gateway, "out", GATEWAY_OUT)
        self.gateway.ip(f"route add {D} via {R1} dev r1 onlink\nroute add default via {R2} dev out onlink")

    @staticmethod
    def join(host, address, router, name, router_address):
        """A cable whose ends know each other alone; the host sends everything else there, too."""
        cable(host, "eth0", router, name)
        host.ip(f"address add {address}/32 dev eth0\nroute add {router_address} dev eth0\n"
                f"route add default via {router_address} dev eth0")
        router.ip(f"address add {router_address}/32 dev {name}\nroute add {address} dev {name}")

    def close(self):
        for one in self.all:
            one.close()


@contextlib.contextmanager
def rules_of_others(gateway):
    """Loads rules into an IPv4 table that is not ours; they, and what they followed, are gone at the end."""
    def load(rules):
        gateway.nft(f"table ip other {{\n{rules}\n}}")
    yield load
    gateway.nft("table ip other\ndelete table ip other")
    gateway.run("conntrack", "-F")


@contextlib.contextmanager
def alongside(work, *arguments):
    """Runs something in a thread of its own; what it raises is raised at the end."""
    raised = []

    def run():
        try:
            work(*arguments)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


@contextlib.contextmanager
def undisturbed():
    """What this and its children do comes before what else the machine is busy with, and so do threads begun here."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextlib.contextmanager
def listening(server, address=""):
    """A TCP service, at one address or at all."""
    with server.socket(family(address), socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, PORT))
        listener.listen()
        yield listener


@contextlib.contextmanager
def sockets(host, kind, like, *ports):
    """For addresses like this one, one for each port; 0 is any."""
    with contextlib.ExitStack() as stack:
        every = [stack.enter_context(host.socket(family(like), kind)) for _ in ports]
        for one, port in zip(every, ports):
            one.settimeout(60)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("", port))
        yield every


def carry(client, server, address, content):
    """Sends content over a TCP connection; what arrived, from which address, and the client's path MTU."""
    listener, caller = (one.socket(family(address), socket.SOCK_STREAM) for one in (server, client))
    with listener, caller:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        listener.settimeout(60)
        caller.settimeout(60)
        mtu = []

        def call():
            caller.connect((address, PORT))
            caller.settimeout(PATIENCE)  # for all of it; the other end waits for each piece
            caller.sendall(content)
            caller.shutdown(socket.SHUT_WR)
            caller.recv(1)
            mtu.append(caller.getsockopt(*PATH_MTU[family(address)]))

        with alongside(call):
            connection, peer = listener.accept()
            with connection:
                connection.settimeout(60)
                received = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        return received, peer[0], mtu[0]


def ask(client, server, address, content=b"hello", at=""):
    """Sends a datagram there and back; what came back, and from which address the server, which may listen `at` only
    one of its own, was asked."""
    asked, asking = (one.socket(family(address), socket.SOCK_DGRAM) for one in (server, client))
    with asked, asking:
        asked.bind((at, PORT))
        for one in (asked, asking):
            one.settimeout(60)
        asking.connect((address, PORT))  # so that an answer from any other address is not taken
        asking.send(content)
        heard, peer = asked.recvfrom(65535)
        asked.sendto(heard, peer)
        return asking.recv(65535), peer[0]


def ping(client, address):
    return client.run("ping", "-n", "-c", "1", "-W", "60", address)


def hops(client, address, *options):
    """What traceroute shows, once no router holds its answer back: to one host a kernel sends six errors at once, and
    then one a second (net.ipv4.icmp_ratelimit); so it asks hop by hop, and not sixteen at once."""
    def trace():
        done = client.run("traceroute", "-n", "-q", "1", "-N", "1", "-w", "10", *options, address)
        seen = [line.split()[1] for line in done.stdout.splitlines()[1:]]
        return "*" not in seen and seen
    return until(trace)
