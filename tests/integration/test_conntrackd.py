# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/examples/conntrackd: two gateways with conntrack = "follow", of which either goes on with what the other began.

                   ┌── lan  g1  wan ──┐
    A 10.0.0.2 ────┤    sync │        ├──── X 203.0.113.10      A = 198.51.100.2, and the same with IPv6
                   └── lan  g2  wan ──┘

A and X send by one of the two, as routes say. Both have a firewall that drops all but what conntrack knows and what may
begin, and neither takes a connection that it has not seen begin (net.netfilter.nf_conntrack_tcp_loose=0).
"""

import contextlib
import pathlib
import re
import socket
import subprocess

import pytest

from net import A, A6, ALL_PAIRS, Namespace, cable, until
from network import PORT, sockets
from packets import expression, row
from test_scope import FAMILIES

pytestmark = expression

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/conntrackd"
FTP = 21
FIREWALL = f"""table inet firewall {{
    ct helper ftp {{ type "ftp" protocol tcp; l3proto inet; }}
    counter from-lan {{ }}
    counter from-wan {{ }}
    chain helpers {{
        type filter hook prerouting priority filter
        tcp dport {FTP} ct helper set "ftp"
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        iifname "lan" ct state new accept
        iifname "wan" ip daddr {A} tcp dport {{ {FTP}, {PORT} }} ct state new accept
        iifname "wan" ip6 daddr {A6} tcp dport {{ {FTP}, {PORT} }} ct state new accept
        iifname "lan" counter name "from-lan"
        iifname "wan" counter name "from-wan"
    }}
    chain nat {{
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
    }}
}}"""


class Gateway:
    def __init__(self, number, hosts, make_tool, folder):
        self.number, self.folder, self.daemon = number, folder / str(number), None
        self.namespace = Namespace(f"g{number}")
        self.namespace.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        for name, port in (("a", "lan"), ("x", "wan")):
            cable(hosts[name], f"eth{number}", self.namespace, port)
            for family in FAMILIES.values():
                address, length = getattr(family, name), family.length
                mine = family.inside if port == "lan" else family.gateway
                hosts[name].ip(f"address add {address}/{length} dev eth{number} nodad")
                self.namespace.ip(f"address add {mine}/{length} dev {port} nodad\nroute add {address} dev {port}")
        self.namespace.nft(FIREWALL)
        self.namespace.sysctl(net__netfilter__nf_conntrack_tcp_loose=0)
        make_tool(self.namespace).sync(ALL_PAIRS, conntrack="follow", external_interfaces=["wan"])

    def configure(self, at_once):
        """The examples, for this gateway and for where this is."""
        self.folder.mkdir(exist_ok=True)
        for name in ("conntrackd.conf", "role"):
            text = (EXAMPLES / name).read_text()
            if self.number == 2:
                text = re.sub(r"(?<=192\.168\.100\.)[12]$", lambda found: str(3 - int(found[0])), text, flags=re.M)
            for place in ("/var/lock/", "/var/run/", "/etc/conntrackd/"):
                text = text.replace(place, f"{self.folder}/")
            if at_once:
                text = text.replace("Mode FTFW {", "Mode FTFW {\nDisableExternalCache On")
            (self.folder / name).write_text(text)

    def run(self, *options, check=True):
        return self.namespace.run("conntrackd", "-C", str(self.folder / "conntrackd.conf"), *options, check=check)

    def start(self):
        self.daemon = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.namespace.name}", "conntrackd", "-C", self.folder / "conntrackd.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.run("-s", check=False).returncode == 0)

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()
            self.daemon = None

    def becomes(self, role):
        self.namespace.run("sh", str(self.folder / "role"), role)

    def knows(self, at_once, what, ip):
        """What the kernel knows of connections, or of what is expected; or conntrackd of the other one's."""
        if at_once:
            return self.namespace.run("conntrack", "-L", what, "-f", {"ip": "ipv4", "ip6": "ipv6"}[ip]).stdout
        return self.run("-e", {"conntrack": "ct"}.get(what, what)).stdout

    def dropped(self):
        """From the LAN and from outside."""
        return [int(re.search(r"packets (\d+)", self.namespace.run(
            "nft", "list", "counter", "inet", "firewall", f"from-{side}").stdout)[1]) for side in ("lan", "wan")]


class Network:
    def __init__(self, make_tool, folder):
        self.hosts = {name: Namespace(name) for name in "ax"}
        self.one, self.other = (Gateway(number, self.hosts, make_tool, folder) for number in (1, 2))
        cable(self.one.namespace, "sync", self.other.namespace, "sync")
        self.all = *self.hosts.values(), self.one.namespace, self.other.namespace
        for gateway in (self.one, self.other):
            gateway.namespace.ip(f"address add 192.168.100.{gateway.number}/24 dev sync")
        for namespace in self.all:
            namespace.settled()
        self.mode = None

    def close(self):
        for gateway in (self.one, self.other):
            gateway.stop()
        for namespace in self.all:
            namespace.close()

    def begin(self, mode):
        """With conntrackd on both, which tells what it knows to the kernel on demand or at once; or without."""
        self.mode = mode
        self.lead_by(self.one)
        for gateway in (self.one, self.other):
            gateway.namespace.run("conntrack", "-F")
            gateway.namespace.nft("reset counters")
            gateway.namespace.sysctl(net__netfilter__nf_conntrack_tcp_be_liberal=int(mode == "at once"))
            if mode:
                gateway.configure(mode == "at once")
                gateway.start()

    def lead_by(self, gateway):
        for name, host in self.hosts.items():
            for family in FAMILIES.values():
                via = family.inside if name == "a" else family.gateway
                host.ip(f"route replace default via {via} dev eth{gateway.number} onlink")

    def hand_over(self, gateway, family, *words, what="conntrack"):
        """To this gateway, once conntrackd has told it what all these words are about."""
        former = self.one if gateway is self.other else self.other
        if self.mode and words:
            until(lambda: any(all(f"{word} " in line for word in words)
                              for line in gateway.knows(self.mode == "at once", what, family.ip).splitlines()))
        if self.mode == "on demand":
            gateway.becomes("primary")
            if former.daemon:
                former.becomes("backup")
        self.lead_by(gateway)


@pytest.fixture(scope="module")
def the_network(make_tool, tmp_path_factory):
    with contextlib.closing(Network(make_tool, tmp_path_factory.mktemp("conntrackd"))) as network:
        yield network


@pytest.fixture(params=[row("on demand", "on demand"), row("at once", "at once"), row("without conntrackd", None)])
def network(request, the_network):
    the_network.begin(request.param)
    yield the_network
    for gateway in (the_network.one, the_network.other):
        gateway.stop()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def hears_nothing(end):
    end.setblocking(False)
    with pytest.raises(BlockingIOError):
        end.recv(100)
    end.settimeout(60)


class Connection:
    """Between two hosts; what conntrack has to say of it is `known`."""

    def __init__(self, network, family, client, server, address):
        self.sockets = contextlib.ExitStack()
        caller, = self.sockets.enter_context(sockets(network.hosts[client], socket.SOCK_STREAM, family.a, 0))
        listener, = self.sockets.enter_context(sockets(network.hosts[server], socket.SOCK_STREAM, family.a, PORT))
        listener.listen()
        caller.connect((getattr(family, address), PORT))
        called, (self.peer, port, *_) = listener.accept()
        self.sockets.enter_context(called).settimeout(60)
        self.ways = (caller, called), (called, caller)
        self.known = ("ESTABLISHED", f"src={getattr(family, client)}", f"dst={getattr(family, server)}",
                      f"sport={port}", f"dport={PORT}")
        self.sent = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sockets.close()

    def say(self, words):
        """At both ends."""
        for speaker, _ in self.ways:
            speaker.sendall(words)
        self.sent += words

    def is_heard(self):
        """At both ends, all that was sent since it was heard last."""
        for _, hearer in self.ways:
            heard = b""
            while len(heard) < len(self.sent):
                heard += hearer.recv(100)
            assert heard == self.sent
        self.sent = b""


@pytest.mark.parametrize("client, server, address, seen", [row("out", "a", "x", "x", "a_out"),
                                                           row("in", "x", "a", "a_out", "x")])
def test_connection(network, family, client, server, address, seen):
    """It goes on by the other gateway and, later, by the first one again. Without conntrackd the other one lets nothing
    through, from neither end, and TCP says it again when it is back at the first one."""
    with Connection(network, family, client, server, address) as connection:
        assert connection.peer == getattr(family, seen)
        connection.say(b"by the first, ")
        connection.is_heard()
        network.hand_over(network.other, family, *connection.known)
        connection.say(b"by the other, ")
        if network.mode:
            connection.is_heard()
        else:
            until(lambda: all(network.other.dropped()))
            for _, hearer in connection.ways:
                hears_nothing(hearer)
        network.hand_over(network.one, family, *connection.known)
        connection.say(b"by the first again")
        connection.is_heard()


@pytest.mark.parametrize("network", ["on demand"], indirect=True)
def test_a_gateway_that_was_away(network, family):
    """It hears of all that has begun, and goes on when it comes back."""
    one, other = network.one, network.other
    one.stop()
    network.hand_over(other, family)
    with Connection(network, family, "x", "a", "a_out") as connection:
        connection.say(b"by the other, ")
        connection.is_heard()
        one.namespace.run("conntrack", "-F")
        one.start()
        network.hand_over(one, family, *connection.known)
        connection.say(b"by the first")
        connection.is_heard()


def test_answer(network, family):
    """To a question that the first gateway has seen. Who asks again has the address and port as before, although there
    is a rule that masquerades."""
    with (sockets(network.hosts["a"], socket.SOCK_DGRAM, family.a, 0, 0) as (asking, insisting),
          sockets(network.hosts["x"], socket.SOCK_DGRAM, family.a, PORT) as (asked,)):
        peers = []
        for one in (asking, insisting):
            one.sendto(b"question", (family.x, PORT))
            peers.append(asked.recvfrom(100)[1])
        assert [peer[0] for peer in peers] == [family.a_out] * 2
        network.hand_over(network.other, family, f"src={family.a}", f"dst={family.x}", f"sport={peers[1][1]}")
        insisting.sendto(b"again", (family.x, PORT))
        assert asked.recvfrom(100) == (b"again", peers[1])
        asked.sendto(b"answer", peers[0])
        if network.mode:
            assert asking.recv(100) == b"answer"
        else:
            until(lambda: network.other.dropped() == [0, 1])
            hears_nothing(asking)


def test_what_a_helper_waits_for(network, family):
    """The first gateway has heard which port FTP's data are to have, and the other one is asked for it."""
    with (sockets(network.hosts["a"], socket.SOCK_STREAM, family.a, FTP, 0) as (listener, data),
          sockets(network.hosts["x"], socket.SOCK_STREAM, family.a, 0, 0) as (asking, one)):
        listener.listen()
        data.listen()
        port = data.getsockname()[1]
        asking.connect((family.a_out, FTP))
        with listener.accept()[0] as session:
            for line in ("220 ready", f"229 here (|||{port}|)"):
                session.sendall(f"{line}\r\n".encode())
                asking.recv(100)
            network.hand_over(network.other, family, f"dst={family.a}", f"dport={port}", what="expect")
            if not network.mode:
                one.setblocking(False)
                one.connect_ex((family.a_out, port))
                until(lambda: network.other.dropped()[1])
                data.setblocking(False)
                with pytest.raises(BlockingIOError):
                    data.accept()
            else:
                one.connect((family.a_out, port))
                assert data.accept()[1][0] == family.x
