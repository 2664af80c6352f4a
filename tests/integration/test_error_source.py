# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of routers inside that have no pair leave with a public source, if one is given (RFC 5508, REQ-5c).

    A, B (pairs), R1 (a router, none), C (none) ─── in0 gateway out0 ─── R2, X
"""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.packet import Raw

from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, C6, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT,
                 PAIRS, PAIRS6, R1, R1_6, TRACKING, X, X6)
from packets import TEXT, expression, row
from tool import TOOL
from wire import Wire, Wire6


class Family4:
    wire, pairs, a, a_out, b, b_out, c, r1, x = Wire, PAIRS, A, A_OUT, B, B_OUT, C, R1, X
    inner, outer, lent = GATEWAY_IN, GATEWAY_OUT, "198.51.100.1"
    errors = [ICMP(type=11), ICMP(type=3, code=4, nexthopmtu=1280), ICMP(type=12)]

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, pairs, a, a_out, b, b_out, c, r1, x = Wire6, PAIRS6, A6, A6_OUT, B6, B6_OUT, C6, R1_6, X6
    inner, outer, lent = GATEWAY6_IN, GATEWAY6_OUT, "2001:db8:1::1"
    errors = [ICMPv6TimeExceeded(), ICMPv6PacketTooBig(mtu=1280)]

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


GATEWAYS = [
    #   why                     family      settings
    row("IPv4",                 (Family4,    {})),
    row("IPv6",                 (Family6,    {})),
    row("at a border",          (Family4,    {"external_interfaces": ["out0"]})),
    row("at a border of IPv6",  (Family6,    {"external_interfaces": ["out0"]})),
    row("counters of rules",    (Family4,    {"counters": "rule"})),
    row("followed",             (Family4,    {"conntrack": "follow"})),
    row("followed in IPv6",     (Family6,    {"conntrack": "follow"})),
]


class Gateway:
    def __init__(self, family, settings, make_tool):
        self.family, self.settings, self.wire = family, settings, family.wire()
        self.wire.gateway.nft(TRACKING)
        self.wire.errors_without_limit()
        self.tool = make_tool(self.wire.gateway)
        self.load()

    def load(self):
        self.tool.sync(self.family.pairs, icmp_error_source=self.family.lent, **self.settings)

    def known(self, content):
        """Conntrack, where it follows, has seen what the error is about."""
        family = self.family
        self.wire.outside.send(family.header(family.x, family.a_out) / content)
        self.wire.drain()

    def error(self, kind, source, target, quoted, content, hops):
        quote = self.family.header(*quoted, 9) / content
        return self.family.header(source, target, hops) / kind / Raw(bytes(quote))


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(request, make_tool):
    gateway = Gateway(*request.param, make_tool)
    yield gateway
    gateway.wire.close()


pytestmark = expression
CONTENTS = [row("UDP", UDP(sport=5000, dport=5001) / TEXT), row("TCP", TCP(sport=5000, dport=5001) / TEXT)]


@pytest.mark.parametrize("content", CONTENTS)
def test_of_a_router_inside(gateway, content):
    """With the address that is lent, and about the address that was asked."""
    family = gateway.family
    gateway.known(content)
    for kind in family.errors:
        gateway.wire.inside.send(gateway.error(kind, family.r1, family.x, (family.x, family.a), content, 64))
        gateway.wire.expect(outside=[
            gateway.error(kind, family.lent, family.x, (family.x, family.a_out), content, 63)])


def test_of_the_host(gateway):
    """Which has an address of its own."""
    family, content = gateway.family, UDP(sport=5000, dport=5001) / TEXT
    gateway.known(content)
    for kind in family.errors:
        gateway.wire.inside.send(gateway.error(kind, family.a, family.x, (family.x, family.a), content, 64))
        gateway.wire.expect(outside=[
            gateway.error(kind, family.a_out, family.x, (family.x, family.a_out), content, 63)])


def test_about_no_pair(gateway):
    """Nothing of it is ours."""
    family, content = gateway.family, UDP(sport=5000, dport=5001) / TEXT
    for kind in family.errors:
        sent = gateway.error(kind, family.r1, family.x, (family.x, family.c), content, 64)
        gateway.wire.inside.send(sent)
        gateway.wire.expect(outside=[
            gateway.error(kind, family.r1, family.x, (family.x, family.c), content, 63)])


def test_of_the_gateway(gateway):
    """It has an address of its own, which those outside know."""
    family = gateway.family
    gateway.wire.outside.send(family.header(family.x, family.a_out, 1) / UDP(sport=5000, dport=5001) / TEXT)
    _, outside = gateway.wire.drain()
    seen = [type(family.header(X if family is Family4 else X6, family.a_out))(packet) for packet in outside]
    assert [packet.src for packet in seen] == [family.outer]


def test_of_a_router_outside(gateway):
    """What comes in is as it was."""
    family, content = gateway.family, UDP(sport=5001, dport=5000) / TEXT
    if gateway.settings.get("conntrack") == "follow":
        gateway.wire.inside.send(family.header(family.a, family.x) / content)
        gateway.wire.drain()
    for kind in family.errors:
        sent = gateway.error(kind, family.x, family.a_out, (family.a_out, family.x), content, 64)
        gateway.wire.outside.send(sent)
        gateway.wire.expect(inside=[
            gateway.error(kind, family.x, family.a, (family.a, family.x), content, 63)])


def test_it_is_told(gateway):
    tool, run = gateway.tool, gateway.wire.gateway.run
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    run(str(TOOL), "nft", "-f", "-", stdin=tool("render", tool.file).stdout)
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    run(str(TOOL), "nft", "-f", "-", stdin="flush ruleset\n" + run(str(TOOL), "nft", "-s", "list", "ruleset").stdout)
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    listed = run(str(TOOL), "nft", "-j", "list", "ruleset").stdout
    assert f'"errors_as": "{gateway.family.lent}"' in listed
    run(str(TOOL), "nft", "flush", "ruleset")
    (tool.folder / "listed.json").write_text(listed)
    run(str(TOOL), "nft", "-j", "-f", tool.folder / "listed.json")
    assert f"errors as {gateway.family.lent}" in run(str(TOOL), "nft", "list", "ruleset").stdout
    gateway.load()  # nft 1.0.6 leaves comments of chains out of JSON
    gateway.wire.gateway.nft("add table inet other\ndelete table inet other\n" + TRACKING)


def test_without(gateway):
    """A router shows itself then, as ever."""
    family, content, kind = gateway.family, UDP(sport=5000, dport=5001) / TEXT, gateway.family.errors[0]
    gateway.tool.sync(family.pairs, **gateway.settings)
    gateway.known(content)
    gateway.wire.inside.send(gateway.error(kind, family.r1, family.x, (family.x, family.a), content, 64))
    gateway.wire.expect(outside=[gateway.error(kind, family.r1, family.x, (family.x, family.a_out), content, 63)])
    gateway.load()


BAD = [
    #   why                 icmp-error-source                       what is said
    row("a prefix",         "198.51.100.0/24",                      "legal is the address of one host"),
    row("of the link",      "169.254.0.1",                          "legal is the address of one host"),
    row("a number",         7,                                      "is an integer"),
    row("two of a family",  ["198.51.100.1", "198.51.100.9"],       "legal is one value in all files"),
]


@pytest.mark.parametrize("value, about", BAD)
def test_bad_configuration(namespace, make_tool, value, about):
    tool = make_tool(namespace)
    done = tool("check", tool.configure(PAIRS, engine="auto", icmp_error_source=value), check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr


def test_not_by_stock_rules(namespace, make_tool):
    tool = make_tool(namespace)
    done = tool("check", tool.configure(PAIRS, engine="native", icmp_error_source="198.51.100.1"), check=False)
    assert done.returncode == 2 and "icmp-error-source by the engine" in done.stderr


def test_one_of_each_family(namespace, make_tool):
    tool = make_tool(namespace)
    tool.sync({**PAIRS, **PAIRS6}, icmp_error_source=["198.51.100.1", "2001:db8:1::1"])
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    rules = tool("render", tool.file).stdout
    assert "errors as 198.51.100.1" in rules and "errors as 2001:db8:1::1" in rules
