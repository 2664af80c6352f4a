# SPDX-License-Identifier: GPL-2.0-or-later
"""trace: each packet of a pair with what came, which rules did what, and what left or who dropped it; nothing stays.

    A = A_OUT, B = B_OUT ──── in0 gateway out0 ──── X

What is said to have left is what arrived at the other end.
"""

import contextlib
import json
import select
import signal
import subprocess
import time
from types import SimpleNamespace

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, IPv6

from net import (A, A6, A6_OUT, A_OUT, B, B6, C, C6, GATEWAY6_IN, GATEWAY_IN, PAIRS, PAIRS6, R1, R1_6, R2, R2_6, X, X6,
                 until)
from network import ask
from packets import TEXT, row
from test_doctor_vrf import MARKS, Lines
from test_instances import Instance
from tool import ENGINE, TOOL
from wire import Wire, Wire6

V4 = SimpleNamespace(wire=Wire, ip=IP, word="ip", life="ttl", pairs=PAIRS, a=A, a_out=A_OUT, b=B, c=C, r1=R1, x=X,
                     gateway=GATEWAY_IN, hole="203.0.113.99", unreachable=ICMP(type=3, code=1), reply=ICMP(type=0))
V6 = SimpleNamespace(wire=Wire6, ip=IPv6, word="ip6", life="hlim", pairs=PAIRS6, a=A6, a_out=A6_OUT, b=B6, c=C6,
                     r1=R1_6, x=X6, gateway=GATEWAY6_IN, hole="2001:db8:3::99", unreachable=ICMPv6DestUnreach(),
                     reply=ICMPv6EchoReply())
TRANSLATING = {"expression": "snat_stateless saddr map @int2ext", "native": "saddr set"}[ENGINE]


class Tracer:
    """The tool at work."""

    def __init__(self, road, *options, output=None):
        self.road = road
        with road.wire.gateway:
            self.process = subprocess.Popen([str(TOOL), "trace", road.of.a, *options], stdout=output or subprocess.PIPE,
                                            stderr=subprocess.PIPE, text=True)
        until(lambda: f"statnat.trace.{self.process.pid}" in road.tables() or self.process.poll() is not None)

    def packet(self):
        """The next one, of which there is one line at a time."""
        assert select.select([self.process.stdout], [], [], 60)[0], "nothing is told"
        return json.loads(self.process.stdout.readline())

    def ends(self):
        """Its exit status, after which nothing of it is left."""
        status = self.process.wait(60)
        until(lambda: "statnat.trace" not in self.road.tables())
        return status

    def close(self):
        self.process.kill()
        self.process.communicate()


class Road:
    def __init__(self, family, make_tool):
        self.of, self.wire = family, family.wire()
        self.tool = make_tool(self.wire.gateway)
        self.tool.sync(family.pairs)

    def tables(self):
        return self.wire.gateway.run("nft", "list", "tables").stdout

    def send(self, end, source, target, carried=UDP(sport=7, dport=9) / TEXT):
        getattr(self.wire, end).send(self.of.ip(**{"src": source, "dst": target, self.of.life: 64}) / carried)


@pytest.fixture(scope="module", params=[V4, V6], ids=["IPv4", "IPv6"])
def road(request, make_tool):
    road = Road(request.param, make_tool)
    yield road
    road.wire.close()


@pytest.fixture
def tracer(road):
    tracer = Tracer(road, "-j")
    yield tracer
    tracer.close()


def arrived(road, end):
    """Source and target of the one packet that came out there."""
    inside, outside = road.wire.drain()
    seen = {"inside": inside, "outside": outside}
    (packet,) = seen.pop(end)
    assert not any(seen.values())
    packet = road.of.ip(packet)
    return {"source": packet.src, "target": packet.dst}


@pytest.mark.parametrize("way", ["outbound", "inbound"])
def test_translated(road, tracer, way):
    of = road.of
    enters, leaves, ends = (("inside", "outside", (of.a, of.x)) if way == "outbound"
                            else ("outside", "inside", (of.x, of.a_out)))
    road.send("inside", of.b, of.x)  # of another pair
    road.wire.drain()
    road.send(enters, *ends)
    told, there = tracer.packet(), arrived(road, leaves)
    assert there != {"source": ends[0], "target": ends[1]}
    devices = {"inside": "in0", "outside": "out0"}
    assert (told["in"], told["source"], told["target"]) == (devices[enters], *ends)
    assert told["carries"] == "udp 7 > 9"
    assert told["end"] == {"how": "left", "out": devices[leaves], **there}
    ours = [rule for rule in told["rules"] if (rule["family"], rule["table"]) == (of.word, "statnat")]
    rules = [rule["rule"] for rule in ours if rule["chain"] == {"outbound": "postrouting"}.get(way, "prerouting")]
    assert any(("saddr map @int2ext" if ENGINE == "expression" else "saddr set") in rule if way == "outbound" else
               ("daddr map @ext2int" if ENGINE == "expression" else "daddr set") in rule for rule in rules), told


@pytest.fixture
def red(tmp_path):
    """A host in a VRF, and the tool of its instance."""
    with contextlib.closing(Lines()) as lines:
        tool = Instance(lines.gateway, tmp_path, "red")
        tool.sync({A: A_OUT, A6: A6_OUT}, vrf="red", mark=MARKS["red"])
        yield lines, tool
        tool("clear")


@pytest.mark.needs("vrf")
@pytest.mark.parametrize("internal, external, far", [(A, A_OUT, R2), (A6, A6_OUT, R2_6)], ids=["IPv4", "IPv6"])
def test_through_a_vrf(red, internal, external, far):
    """One packet is told of once, though it arrives by the port and by the VRF; and its answer."""
    lines, tool = red
    with lines.gateway:
        process = subprocess.Popen([str(TOOL), "--instance", "red", "trace", internal, "-j"], stdout=subprocess.PIPE,
                                   text=True)
    until(lambda: f"statnat.trace.{process.pid}" in lines.gateway.run("nft", "list", "tables").stdout)
    assert ask(lines.hosts["a"], lines.x, far) == (b"hello", external)
    time.sleep(1)  # what is lost would be told by now
    process.terminate()
    told = map(json.loads, process.communicate(timeout=60)[0].splitlines())
    out, back = (one for one in told if one["carries"].startswith("udp"))  # not those of neighbour discovery
    assert (out["in"], out["source"], out["target"]) == ("la", internal, far)
    assert out["end"] == {"how": "left", "out": "out", "source": external, "target": far}
    assert (back["in"], back["source"], back["target"]) == ("out", far, external)
    assert back["end"] == {"how": "left", "out": "la", "source": far, "target": internal}


def test_dropped_by_a_rule(road, tracer):
    road.wire.gateway.nft("table inet firewall { chain forward { type filter hook forward priority 0\n"
                          "udp dport 9 drop; }; }")
    road.send("inside", road.of.a, road.of.x)
    road.wire.expect()
    told = tracer.packet()
    road.wire.gateway.nft("delete table inet firewall")
    assert told["end"] == {"how": "dropped", "by": "chain forward in table inet firewall", "rule": "udp dport 9 drop",
                           "source": road.of.a, "target": road.of.x}


def test_dropped_by_a_policy(road, tracer):
    road.wire.gateway.nft("table inet firewall { chain forward { type filter hook forward priority 0; policy drop\n"
                          f"{road.of.word} saddr {road.of.c} accept; {road.of.word} daddr {road.of.c} accept; }}; }}")
    road.send("outside", road.of.x, road.of.a_out)
    road.wire.expect()
    told = tracer.packet()
    road.wire.gateway.nft("delete table inet firewall")
    assert told["end"] == {"how": "dropped", "by": "chain forward in table inet firewall", "rule": "its policy",
                           "source": road.of.x, "target": road.of.a}


@pytest.mark.expression
def test_dropped_by_ours(road, tracer):
    """With our statement in the listing's place."""
    of = road.of
    fields = {"proto" if of is V4 else "nh": 6}
    road.wire.outside.send(of.ip(src=of.x, dst=of.a_out, **fields) / bytes(8))
    road.wire.expect()
    end = tracer.packet()["end"]
    assert (end["how"], end["by"]) == ("dropped", f"chain prerouting in table {of.word} statnat")
    assert end["rule"].startswith("snat_stateless daddr map @ext2int")


def test_for_this_machine(road, tracer):
    road.send("inside", road.of.a, road.of.gateway, road.of.reply)
    assert tracer.packet()["end"] == {"how": "received", "source": road.of.a, "target": road.of.gateway}


def test_lost(road, tracer):
    road.wire.gateway.ip(f"route add blackhole {road.of.hole}")
    road.send("inside", road.of.a, road.of.hole)
    told = tracer.packet()
    road.wire.gateway.ip(f"route del blackhole {road.of.hole}")
    assert told["end"] == {"how": "lost", "source": road.of.a, "target": road.of.hole}


def test_quoted(road, tracer):
    """An error of a router without a pair, about a packet of the pair; one about another is none of it."""
    of = road.of
    for host in (of.b, of.a):
        road.send("inside", of.r1, of.x, of.unreachable / (of.ip(src=of.x, dst=host) / UDP() / TEXT))
    told = tracer.packet()
    assert (told["source"], told["target"], told["end"]["how"]) == (of.r1, of.x, "left")
    assert "type" in told["carries"]
    assert len(road.wire.drain()[1]) == 2
    road.send("inside", of.a, of.x)
    assert tracer.packet()["source"] == of.a
    road.wire.drain()


def test_text(road):
    tracer = Tracer(road, "--count", "1")
    road.send("inside", road.of.a, road.of.x)
    lines = tracer.process.stdout.read().splitlines()
    assert tracer.ends() == 0
    there = arrived(road, "outside")
    assert lines[0].endswith(f" by in0: {road.of.a} > {road.of.x} udp 7 > 9")
    assert lines[-1] == f"  leaves by out0: {there['source']} > {there['target']}"
    assert f"  now {there['source']} > {there['target']}" in lines
    assert any(line.startswith(f"  chain postrouting in table {road.of.word} statnat: ") and TRANSLATING in line
               for line in lines)
    tracer.close()


def test_count(road):
    tracer = Tracer(road, "-j", "--count", "2")
    for _ in range(3):
        road.send("inside", road.of.a, road.of.x)
    assert len(tracer.process.stdout.read().splitlines()) == 2 and tracer.ends() == 0
    road.wire.drain()


def test_for(road):
    tracer = Tracer(road, "--for", "1")
    assert tracer.process.stdout.read() == "" and tracer.ends() == 0


@pytest.mark.parametrize("number, status", [row("SIGINT", signal.SIGINT, 0), row("SIGTERM", signal.SIGTERM, 0),
                                            row("SIGKILL", signal.SIGKILL, -signal.SIGKILL)])
def test_signals(road, number, status):
    tracer = Tracer(road)
    tracer.process.send_signal(number)
    assert tracer.ends() == status
    tracer.close()


def test_nobody_reads(road):
    tracer = Tracer(road)
    tracer.process.stdout.close()
    assert tracer.ends() == 0


def test_two_at_once(road):
    tracers = [Tracer(road, "-j", "--count", "1") for _ in range(2)]
    road.send("inside", road.of.a, road.of.x)
    assert [tracer.packet()["end"]["how"] for tracer in tracers] == ["left"] * 2
    for tracer in tracers:
        tracer.process.wait(60)
        tracer.close()
    road.wire.drain()


@pytest.mark.parametrize("arguments, status, said", [
    row("no pair",      lambda of: [of.c],                   1, "has no pair"),
    row("no address",   lambda of: ["frog"],                 2, "is not an address"),
    row("count",        lambda of: [of.a, "--count", "0"],   2, "legal are 1 to"),
    row("for",          lambda of: [of.a, "--for", "x"],     2, "legal are 1 to"),
])
def test_refused(road, arguments, status, said):
    done = road.tool("trace", *arguments(road.of), check=False)
    assert (done.returncode, done.stdout) == (status, "") and said in done.stderr
    assert "statnat.trace" not in road.tables()
