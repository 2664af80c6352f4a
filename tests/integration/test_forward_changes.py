# SPDX-License-Identifier: GPL-2.0-or-later
"""fast-path, while packets pass and what their ways depend on changes, --rounds times each: no packet goes an old way
once a change has returned, and none is lost that still has a way."""

import contextlib
import itertools
import json
import socket
import struct
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, PAIRS, R2, X
from packets import expression, row
from traffic import Traffic
from twins import UDP_OUT, Y
from wire import ETH_P_IP, Wire

pytestmark = expression

# Another router outside, with an address of hardware of its own.
R3, OTHER_TABLE = "192.0.2.3", 77
HERE, THERE, NOWHERE = "the usual station", "the other one", "none"
NUMBER = struct.Struct(">Q")


class Road:
    """A gateway with a fast path, and which station outside each packet leaves for."""

    def __init__(self, make_tool):
        self.wire = Wire()
        self.tool = make_tool(self.wire.gateway)
        self.tool.sync(PAIRS, fast_path=True)
        self.stations = {self.wire.outside.ethernet[6:12]: HERE, self.wire.outside.ethernet[6:11] + b"\xfe": THERE}
        self.frames = self.wire.ends[1].socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self.frames.bind(("outside", ETH_P_IP))
        self.numbers = itertools.count(1)
        self.wire.gateway.ip(f"neighbour add {R3} lladdr {self.hardware(THERE)} dev out0\n"
                             f"route add default via {R3} table {OTHER_TABLE}")

    def close(self):
        self.frames.close()
        self.wire.close()

    def hardware(self, which):
        return next(address.hex(":") for address, name in self.stations.items() if name == which)

    def send(self, *ends):
        """One numbered datagram out, from A to each of these, and one in; returns the number."""
        number = NUMBER.pack(next(self.numbers))
        for end in ends:
            self.wire.inside.send(bytes(IP(src=A, dst=end) / UDP(chksum=0) / bytes(8))[:-8] + number)
        self.wire.outside.send(bytes(IP(src=X, dst=A_OUT) / UDP(chksum=0) / bytes(8))[:-8] + number)
        return number

    def change(self, commands):
        """Lets ip(8) do something while datagrams pass; returns the numbers of those that still had a way."""
        with self.wire.gateway:
            process = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True)
        process.stdin.write(commands)
        process.stdin.close()
        sent = [self.send(X)]
        while process.poll() is None:
            sent.append(self.send(X, Y))
            time.sleep(0.001)
        assert process.returncode == 0
        return sent

    def leaving(self):
        """What has left since the last call: numbers inside; outside destinations, numbers and stations."""
        inward, outward = self.wire.drain()
        frames = [self.frames.recv(2048) for _ in range(len(outward) + 1)]  # the last one is the mark
        return ([packet[-8:] for packet in inward if packet[9] == socket.IPPROTO_UDP],
                [(socket.inet_ntoa(frame[30:34]), frame[-8:], self.stations[frame[:6]]) for frame in frames[:-1]])

    def goes(self, commands, station):
        """After a change a datagram to Y leaves for this station, and meanwhile none to or from X was lost; returns how
        many those were."""
        sent = [*self.change(commands), self.send(X, Y)]
        inward, left = self.leaving()
        assert [number for end, number, _ in left if end == X] == sent
        assert inward == sent
        assert [where for end, number, where in left if (end, number) == (Y, sent[-1])] == \
            ([] if station == NOWHERE else [station])
        return 2 * len(sent)

    def shortcuts(self):
        (told,) = json.loads(self.tool("stats", "-j").stdout)["families"]
        return told["packets"]["shortcuts"]


@pytest.fixture(scope="module")
def road(make_tool):
    road = Road(make_tool)
    yield road
    road.close()


@pytest.fixture
def rounds(request):
    return range(request.config.getoption("--rounds"))


DUMMY = "link add new0 type dummy"
CHANGES = [
    #   why          there                                                   back                            way
    row("route",     f"route add {Y} via {R3}",                              f"route delete {Y}",            THERE),
    row("no route",  f"route add blackhole {Y}",                             f"route delete blackhole {Y}",  NOWHERE),
    row("rule",      f"rule add to {Y} lookup {OTHER_TABLE}",                f"rule delete to {Y}",          THERE),
    row("address",   f"address add {Y}/32 dev out0",                         f"address delete {Y}/32 dev out0",
        NOWHERE),
    row("device",    f"{DUMMY}\nlink set new0 up\nroute add {Y} dev new0",   "link delete new0",             NOWHERE),
    row("renamed",   f"{DUMMY}\nlink set new0 name new1\nlink set new1 up\nroute add {Y} dev new1",
        "link delete new1", NOWHERE),
]


@pytest.mark.parametrize("there, back, way", CHANGES)
def test_changes(road, rounds, there, back, way):
    before, least = road.shortcuts(), 0
    for _ in rounds:
        least += road.goes(there, way) + road.goes(back, HERE)
    assert road.shortcuts() - before >= least


def test_neighbour(road, rounds):
    """The station itself has another address of hardware."""
    for _ in rounds:
        for station in (THERE, HERE):
            road.goes(f"neighbour replace {R2} lladdr {road.hardware(station)} dev out0", station)


def test_namespaces(road, rounds, make_tool):
    """A whole gateway comes and goes beside one that has packets to pass on."""
    traffic = Traffic(road.wire, PAIRS.items())
    thread = threading.Thread(target=traffic.run)
    thread.start()
    try:
        for _ in rounds:
            with contextlib.closing(Wire()) as another:
                make_tool(another.gateway).sync(PAIRS, fast_path=True)
                another.inside.send(UDP_OUT)
                assert len(another.drain()[1]) == 1
    finally:
        traffic.stop.set()
        thread.join()
    assert traffic.sent and not traffic.wrong
