# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/examples/frr and bird: two gateways, one with each, between routers with one of them; what is announced there,
and withdrawn, as the routers' kernels have it, and what hosts get through.
"""

import contextlib
import json
import pathlib
import shutil
import socket
import threading
import time

import pytest

from net import A, A6, A6_OUT, A_OUT, ALL_PAIRS, X, X6, echo, until
from premises import Site
from test_watch import SOON, Watcher
from tool import Tool

# Only the machine that runs all tests has them: other releases of Debian, in which these run, do not.
THERE = shutil.which("bird") and pathlib.Path("/usr/lib/frr/bgpd").exists()
pytestmark = [pytest.mark.stock, pytest.mark.skipif(not THERE, reason="there are no packages frr and bird2")]
OUTSIDE, OUTSIDE6 = "198.51.100.0/24", "2001:db8:1::/48"
PORT = 4000
# From the moment in which the rules are gone: the watch, BGP, and a machine that is busy with other things. What it
# takes on a quiet one is in docs/fleet.md.
SECONDS = 5


class Fleet:
    def __init__(self, folder, gateways, inside, outside):
        self.site, self.inside = Site(), inside
        self.tools, self.watchers = [], []
        for gateway in self.site.gateways:
            (folder / str(gateway.number)).mkdir()
            self.tools.append(Tool(gateway.namespace, folder / str(gateway.number)))
            self.tools[-1].sync(ALL_PAIRS, announce=True, neighbours=False)
        self.site.route(gateways, inside, outside)
        for gateway, tool in zip(self.site.gateways, self.tools):
            self.watchers.append(Watcher(gateway.namespace, tool.file, tool.folder))
            self.watchers[-1].hears(b"READY=1")

    def announced(self):
        """By whom, at the router outside and at the one inside, in each family."""
        return [self.site.ways(router, destination) for router, destination in (
            (self.site.ro, OUTSIDE), (self.site.ro, OUTSIDE6), (self.site.ri, "192.0.0.8"), (self.site.ri, "100::8"))]

    def defaults(self):
        return [self.site.ways(self.site.ri, destination) for destination in ("default", "::/0")]

    def are(self, *gateways):
        """Whether all is announced by these gateways, and no more; BIRD goes by one of them for a default route."""
        some = set(gateways)
        defaults = self.defaults()
        all_of_them = all(one == some if self.inside == "frr" else len(one) == min(1, len(some)) and one <= some
                          for one in defaults)
        return all_of_them and all(one == some for one in self.announced())

    def close(self):
        for watcher in self.watchers:
            watcher.close()
        for tool in self.tools:
            tool("drain", "--end", check=False)
            tool("clear")
        self.site.close()


@pytest.fixture(scope="module", params=[("frr", "bird", "frr", "bird"), ("bird", "frr", "bird", "frr")], ids="-".join)
def fleet(request, tmp_path_factory):
    *gateways, inside, outside = request.param
    with contextlib.closing(Fleet(tmp_path_factory.mktemp("fleet"), gateways, inside, outside)) as fleet:
        until(lambda: fleet.are(1, 2), SOON)
        yield fleet
        until(lambda: fleet.are(1, 2), SOON)


class Echo:
    """Answers TCP in a namespace."""

    def __init__(self, namespace, like):
        self.listener = namespace.socket(socket.AF_INET6 if ":" in like else socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("", PORT))
        self.listener.listen()
        self.peers = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, peer = self.listener.accept()
                self.peers.append(peer[0])
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def talk(namespace, address, bytes_each_way=200000):
    with namespace.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(SOON)
        client.connect((address, PORT))
        threading.Thread(target=client.sendall, args=(b"x" * bytes_each_way,), daemon=True).start()
        left = bytes_each_way
        while left:
            heard = len(client.recv(left))
            assert heard
            left -= heard


@pytest.mark.parametrize("inside, external, outside", [(A, A_OUT, X), (A6, A6_OUT, X6)])
def test_both_ways(fleet, inside, external, outside):
    """The server outside sees the external address."""
    site = fleet.site
    with contextlib.closing(Echo(site.x, outside)) as echo:
        talk(site.a, outside)
        assert echo.peers == [external]
    with contextlib.closing(Echo(site.a, inside)) as echo:
        talk(site.x, external)
        assert echo.peers == [outside]


@pytest.mark.parametrize("inside, external, outside", [(A, A_OUT, X), (A6, A6_OUT, X6)])
def test_out_by_one_gateway_and_back_by_the_other(fleet, inside, external, outside):
    site, (first, second) = fleet.site, fleet.tools
    near = {A: ("10.255.0.11", "192.0.2.12"), A6: ("fd00:255::11", "2001:db8:2::12")}[inside]
    site.ri.ip(f"route add {outside} via {near[0]}")
    site.ro.ip(f"route add {external} via {near[1]}")
    before = first.counters(inside), second.counters(inside)
    try:
        with contextlib.closing(Echo(site.x, outside)) as echo:
            talk(site.a, outside)
            assert echo.peers == [external]
        with contextlib.closing(Echo(site.a, inside)) as echo:
            talk(site.x, external)
    finally:
        site.ri.ip(f"route del {outside}")
        site.ro.ip(f"route del {external}")
    gone = [[now - then for now, then in zip(tool.counters(inside), one)] for tool, one in zip(fleet.tools, before)]
    assert gone[0][0] > 0 and gone[0][2] == 0 and gone[1][0] == 0 and gone[1][2] > 0


@pytest.mark.parametrize("number", [1, 2])
def test_who_does_not_translate_is_sent_nothing(fleet, number):
    """Outside and inside alike, until all is restored."""
    tool, gateway = fleet.tools[number - 1], fleet.site.gateways[number - 1].namespace
    good = tool.file.read_text()
    tool.file.write_text("[pairs\n")
    try:
        gateway.nft("flush ruleset")
        begin = time.monotonic()
        until(lambda: fleet.are(3 - number), SOON)
        assert time.monotonic() - begin < SECONDS
    finally:
        tool.file.write_text(good)
    until(lambda: fleet.are(1, 2), SOON)


@pytest.mark.parametrize("number", [1, 2])
def test_drained(fleet, number):
    """With a flow through it, which goes on by the other one."""
    site, tool = fleet.site, fleet.tools[number - 1]
    with contextlib.closing(Echo(site.x, X)), site.a.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(SOON)
        client.connect((X, PORT))
        for command, left in ((("drain",), (3 - number,)), (("drain", "--end"), (1, 2))):
            tool(*command)
            end = time.monotonic() + SOON
            while not fleet.are(*left):
                assert time.monotonic() < end
                client.sendall(b"x")
                assert client.recv(1) == b"x"
    assert json.loads(tool("status", "-j").stdout)["drained"] is False


@pytest.mark.parametrize("port", ["lan", "wan"])
def test_a_cable_is_cut(fleet, port):
    """BFD tells the router there, whose own end is up, in less time than BGP would; what still comes by the other side
    goes on by the other gateway. A hash may have put either gateway before a flow: there are some of them."""
    site, first = fleet.site, fleet.site.gateways[0]
    with contextlib.closing(Echo(site.x, X)), contextlib.closing(Echo(site.a, A)):
        first.cables("down", port)
        try:
            until(lambda: {1} not in [one & {1} for one in fleet.announced()[:2 if port == "wan" else 4][-2:]], SOON)
            for _ in range(8):
                talk(site.a, X, 2000)
                talk(site.x, A_OUT, 2000)
        finally:
            first.cables("up", port)
    until(lambda: fleet.are(1, 2), SOON)
