# SPDX-License-Identifier: GPL-2.0-or-later
"""stats: what becomes of each packet is counted once, where it is counted at all, and said to be unknown elsewhere.

    A, B, a /48 with npt ──── in0 gateway out0 ──── X
    C and R1, no pair           conntrack in use

What came out at the other end says what became of a packet; the counts have to agree.
"""

import json
from types import SimpleNamespace

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6ND_Redirect, ICMPv6ParamProblem, IPv6)

from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, C6, GATEWAY6_IN, GATEWAY_IN, R1, R1_6, R2, R2_6,
                 TRACKING, X, X6, until)
from nfnl import IPV4, IPV6, SADDR, Netlink, expression, new_chain, new_rule
from packets import TEXT, expression as needs_module, row
from tool import ENGINE
from wire import Wire, Wire6

NPT, NPT_OUT = "fd01:203:405::/48", "2001:db8:7::/48"
NO_COUNTERPART = "fd01:203:405:ffff::1"
PAIRS = {A: A_OUT, B: B_OUT, A6: A6_OUT, B6: B6_OUT}
EXEMPT = ["192.88.99.0/24", "2001:db8:99::/48"]
REASONS = {"errors", "quotes", "shortcuts", "detours", "tracked", "exempt", "local", "border", "malformed", "no_memory",
           "no_counterpart", "ipsec", "redirects"}
DROPPED = {"malformed", "no_memory", "no_counterpart", "ipsec"}

V4 = SimpleNamespace(
    name="IPv4", wire=Wire, ip=IP, nftables="ip", number=IPV4, life="ttl", a=A, a_out=A_OUT, b=B, b_out=B_OUT, c=C, x=X,
    gateway=GATEWAY_IN, r1=R1, exempt="192.88.99.1", cut={"proto": 6}, unreachable=ICMP(type=3, code=1),
    echo_reply=ICMP(type=0), redirect=ICMP(type=5, code=1, gw=R2) / IP(src=A_OUT, dst=X) / UDP(), near=R2)
V6 = SimpleNamespace(
    name="IPv6", wire=Wire6, ip=IPv6, nftables="ip6", number=IPV6, life="hlim", a=A6, a_out=A6_OUT, b=B6, b_out=B6_OUT,
    c=C6, x=X6, gateway=GATEWAY6_IN, r1=R1_6, exempt="2001:db8:99::1", cut={"nh": 6}, unreachable=ICMPv6DestUnreach(),
    echo_reply=ICMPv6EchoReply(), redirect=ICMPv6ND_Redirect(tgt=R2_6, dst=X6), near=R2_6)


class Road:
    """A gateway of one family, and what its tool says of it."""

    def __init__(self, family, make_tool):
        self.of, self.wire = family, family.wire()
        self.tool = make_tool(self.wire.gateway)
        self.wire.gateway.nft(TRACKING)
        self.netlink = Netlink(self.wire.gateway)

    def close(self):
        self.netlink.close()
        self.wire.close()

    def load(self, **settings):
        npt = {NPT: NPT_OUT} if ENGINE == "expression" else {}
        self.tool.sync({**PAIRS, **npt}, **{"npt": True, "exempt_destinations": EXEMPT, **settings})

    def told(self):
        """By name; None is unknown."""
        (one,) = [one for one in json.loads(self.tool("stats", "-j").stdout)["families"]
                  if one["family"] == self.of.name]
        return one["packets"]

    def changed(self, before):
        """What is told to be more than before."""
        assert before.keys() == self.told().keys()
        return {name: count - before[name] for name, count in self.told().items()
                if count is not None and count != before[name]}

    def packet(self, source, target, carried, life=64):
        return self.of.ip(**{"src": source, "dst": target, self.of.life: life}) / carried


@pytest.fixture(scope="module", params=[V4, V6], ids=["IPv4", "IPv6"])
def road(request, make_tool):
    road = Road(request.param, make_tool)
    yield road
    road.close()


@pytest.fixture
def loaded(road):
    road.load()
    return road


def inbound(**more):
    return {"translated_inbound": 1, **more}


def outbound(**more):
    return {"translated_outbound": 1, **more}


def dropped(reason):
    return {reason: 1, "dropped": 1}


def quoting(of, packet, quoted):
    """An ICMP error about a packet."""
    source, target = packet
    return of.ip(src=source, dst=target, **{of.life: 64}) / of.unreachable / (of.ip(src=quoted[0], dst=quoted[1])
                                                                            / UDP() / TEXT)


# Each: the end at which it is sent, from whom to whom as it arrives at the other end (None: nowhere), what it carries,
# and what that counts.
def plain(of):
    return {
        "outbound": ("inside", (of.a, of.x), (of.a_out, of.x), UDP() / TEXT, outbound()),
        "inbound": ("outside", (of.x, of.a_out), (of.x, of.a), UDP() / TEXT, inbound()),
        "hairpin": ("inside", (of.a, of.b_out), (of.a_out, of.b), UDP() / TEXT, inbound(translated_outbound=1)),
        "no pair, outbound": ("inside", (of.c, of.x), (of.c, of.x), UDP() / TEXT, {}),
        "no pair, inbound": ("outside", (of.x, of.c), (of.x, of.c), UDP() / TEXT, {}),
    }


def special(of):
    cut = bytes(TCP())[:8]
    return {
        "exempt": ("inside", (of.a, of.exempt), (of.a, of.exempt), UDP() / TEXT, {"exempt": 1}),
        "exempt, no pair": ("inside", (of.c, of.exempt), (of.c, of.exempt), UDP() / TEXT, {}),
        "for the gateway": ("inside", (of.a, of.gateway), None, of.echo_reply, {"local": 1}),
        "for the gateway, no pair": ("inside", (of.c, of.gateway), None, of.echo_reply, {}),
        "malformed, outbound": ("inside", (of.a, of.x), None, cut, dropped("malformed")),
        "malformed, inbound": ("outside", (of.x, of.a_out), None, cut, dropped("malformed")),
        "redirect, inbound": ("outside", (of.near, of.a_out), None, of.redirect, {"redirects": 1}),
    }


def send(road, end, ends, carried):
    """The packet as it was sent."""
    fields = dict(road.of.cut) if isinstance(carried, bytes) else {}
    if carried is V6.redirect:
        fields["hlim"] = 255
    packet = road.of.ip(**{"src": ends[0], "dst": ends[1], road.of.life: 64, **fields}) / carried
    getattr(road.wire, end).send(packet)


def arrives(road, end, sent, ends, carried):
    """Nothing anywhere but that packet, on the other side; hairpin on the same."""
    if not ends:
        road.wire.expect()
        return
    back = end == "inside" and ends[1] in (road.of.b,)
    other = {"inside": "outside", "outside": "inside"}[end]
    seen = road.packet(*ends, carried, life=63)
    road.wire.expect(**{end if back else other: [seen]})


@pytest.mark.parametrize("counters", ["pair", "rule", "off"])
@pytest.mark.parametrize("case", plain(V4))
def test_translated(road, counters, case):
    end, sent, ends, carried, counts = plain(road.of)[case]
    road.load(counters=counters)
    before = road.told()
    send(road, end, sent, carried)
    arrives(road, end, sent, ends, carried)
    changed = road.changed(before)
    if case == "hairpin":  # about which the gateway itself may say that there is a shorter way
        assert changed.pop("redirects", 0) <= 1
    assert changed == (counts if counters != "off" else {})
    assert (before["translated_outbound"] is None) == (counters == "off") == (before["translated_inbound"] is None)


@needs_module
@pytest.mark.parametrize("case", special(V4))
def test_reason(loaded, case):
    end, sent, ends, carried, counts = special(loaded.of)[case]
    before = loaded.told()
    send(loaded, end, sent, carried)
    arrives(loaded, end, sent, ends, carried)
    assert loaded.changed(before) == counts


# From whom to whom, about a packet from whom to whom; both as they arrive.
def errors(of):
    return {
        "inbound": ("outside", (of.x, of.a_out), (of.a_out, of.x), (of.x, of.a), (of.a, of.x), inbound(errors=1)),
        "outbound": ("inside", (of.a, of.x), (of.x, of.a), (of.a_out, of.x), (of.x, of.a_out), outbound(errors=1)),
        "a router's, outbound": ("inside", (of.r1, of.x), (of.x, of.a), (of.r1, of.x), (of.x, of.a_out),
                                 outbound(quotes=1)),
        "about nothing of a pair": ("inside", (of.a, of.x), (of.x, of.c), (of.a_out, of.x), (of.x, of.c),
                                    outbound(errors=1)),
        "to no pair, inbound": ("outside", (of.x, of.c), (of.a_out, of.x), (of.x, of.c), (of.a, of.x),
                                inbound(quotes=1)),
        "of no pair": ("inside", (of.r1, of.x), (of.x, of.c), (of.r1, of.x), (of.x, of.c), {}),
    }


@needs_module
@pytest.mark.parametrize("case", errors(V4))
def test_errors(loaded, case):
    end, sent, quoted, ends, quoted_there, counts = errors(loaded.of)[case]
    before = loaded.told()
    getattr(loaded.wire, end).send(quoting(loaded.of, sent, quoted))
    wanted = quoting(loaded.of, ends, quoted_there)
    setattr(wanted, loaded.of.life, 63)
    loaded.wire.expect(**{{"inside": "outside", "outside": "inside"}[end]: [wanted]})
    assert loaded.changed(before) == counts


@needs_module
@pytest.mark.needs("xfrm")
@pytest.mark.parametrize("way", ["outbound", "inbound"])
def test_ipsec(loaded, way):
    of, gateway = loaded.of, loaded.wire.gateway
    end, source, target = ("inside", of.a, of.x) if way == "outbound" else ("outside", of.x, of.a_out)
    gateway.ip(f"xfrm policy add src {of.a_out} dst {of.x} dir out action block\n"
               f"xfrm policy add src {of.x} dst {of.a_out} dir fwd action block")
    before = loaded.told()
    try:
        send(loaded, end, (source, target), UDP() / TEXT)
        loaded.wire.expect()
        assert loaded.changed(before) == dropped("ipsec")
    finally:
        gateway.ip("xfrm policy flush")


@needs_module
def test_no_counterpart(make_tool):
    """Its sender is told."""
    road = Road(V6, make_tool)
    road.load()
    road.wire.gateway.ip(f"route add {NPT} via {R1_6}")
    before = road.told()
    for end, source, target in (("inside", NO_COUNTERPART, X6), ("outside", X6, "2001:db8:7:ffff::1")):
        getattr(road.wire, end).send(IPv6(src=source, dst=target) / UDP() / TEXT)
        said = IPv6(getattr(road.wire, end).receive())
        assert said.dst == source and (ICMPv6DestUnreach in said or ICMPv6ParamProblem in said)
    road.wire.expect()
    assert road.changed(before) == {"no_counterpart": 2, "dropped": 2}
    road.close()


@needs_module
@pytest.mark.parametrize("counters", ["pair", "rule"])
@pytest.mark.parametrize("source, target", [row("of a pair", "a", "x"), row("to a pair, from inside", "c", "a_out")])
def test_border(road, source, target, counters):
    """What comes and leaves by no external interface; in as many rules as it takes."""
    ends = getattr(road.of, source), getattr(road.of, target)
    road.load(external_interfaces=["wan0"], counters=counters)
    before = road.told()
    send(road, "inside", ends, UDP() / TEXT)
    road.wire.expect(outside=[road.packet(*ends, UDP() / TEXT, life=63)])
    assert road.changed(before) == {"border": 1}


@needs_module
@pytest.mark.parametrize("source, counted", [row("of a pair", "a", 1), row("of no pair", "c", 0)])
def test_tracked(loaded, source, counted):
    """A rule made by hand, which leaves to conntrack what that follows."""
    of, source = loaded.of, getattr(loaded.of, source)
    loaded.tool("clear")
    loaded.wire.gateway.nft(f"table {of.nftables} statnat {{ map int2ext {{ "
                            f"type {'ipv4' if of is V4 else 'ipv6'}_addr : {'ipv4' if of is V4 else 'ipv6'}_addr; "
                            f"elements = {{ {of.a} : {of.a_out} }}; }}; }}")
    assert loaded.netlink.batch(new_chain("statnat", "postrouting", 4, 100, of.number),
                                new_rule("statnat", "postrouting", expression(SADDR, "int2ext"),
                                         family=of.number)) == 0
    before = loaded.told()
    send(loaded, "inside", (source, of.x), UDP() / TEXT)
    loaded.wire.expect(outside=[loaded.packet(source, of.x, UDP() / TEXT, life=63)])
    assert loaded.changed(before).get("tracked", 0) == counted
    loaded.wire.gateway.nft(f"delete table {of.nftables} statnat")


@needs_module
@pytest.mark.needs("vrf")
@pytest.mark.parametrize("of", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_port_of_a_vrf(make_tool, of):
    """What comes to prerouting twice is counted once, the second time, when conntrack would have an entry for it."""
    road = Road(of, make_tool)
    road.wire.gateway.nft("delete table inet other")
    road.load()
    road.wire.gateway.ip("link add blue type vrf table 100\nlink set blue up\nlink set in0 master blue")
    before = road.told()
    # The second, which comes no further than to the first round, is behind the first.
    send(road, "inside", (of.a, of.exempt), UDP() / TEXT)
    send(road, "inside", (of.near, of.a_out), of.redirect)
    until(lambda: "redirects" in road.changed(before))
    assert road.changed(before) == {"exempt": 1, "redirects": 1}
    road.close()


def test_unknown(road):
    """What nobody counts is never 0, and it is said why."""
    def unknown():
        told = json.loads(road.tool("stats", "-j").stdout)
        whys = {one["name"]: one["why"] for one in told["unknown"] if one["family"] == road.of.name}
        assert whys.keys() == {name for name, count in road.told().items() if count is None}
        assert "unknown" in road.tool("stats").stdout or not whys
        return whys

    road.load()
    before = unknown()
    assert before.keys() == ({*REASONS, "dropped"} if ENGINE == "native" else set())
    many = [f"192.88.{number}.0/24" for number in range(9)] + [f"2001:db8:99:{number}::/64" for number in range(9)]
    road.load(exempt_destinations=many, counters="off")
    assert unknown().keys() - before.keys() == {"translated_outbound", "translated_inbound"} | (
        {"exempt"} if ENGINE == "expression" else set())


def test_words(loaded):
    """Each number has its sentence; the sum of its reasons is what is dropped."""
    told = json.loads(loaded.tool("stats", "-j", "--explain").stdout)
    assert told["explained"].keys() == loaded.told().keys() == REASONS | {"translated_outbound", "translated_inbound",
                                                                          "dropped"}
    text = loaded.tool("stats", "--explain").stdout
    assert all(f": {sentence}\n" in text for sentence in told["explained"].values())
    if ENGINE == "expression":
        assert loaded.told()["dropped"] == sum(loaded.told()[name] for name in DROPPED)


def test_nothing_is_installed(loaded):
    loaded.tool("clear")
    assert json.loads(loaded.tool("stats", "-j").stdout) == {"families": [], "unknown": []}
    assert loaded.tool("stats").stdout == "nothing is installed: there is no table statnat\n"
