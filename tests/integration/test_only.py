# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs for some destinations only, all others being left alone and tracked; and two sites with one subnet.

    A 10.0.0.2 = 198.51.100.2 ─── in0 gateway out0 ─── some networks, and their neighbours
    A6 fd00:1::2 = 2001:db8:1::2
"""

import ipaddress

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6TimeExceeded, IPv6
from scapy.packet import Raw

from net import A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, PAIRS, PAIRS6, TRACKING, X, X6
from packets import TEXT, expression, row
from tool import ENGINE, TOOL
from wire import Wire, Wire6

# Of every kind: neighbours, a host, one that ends in the middle of a byte, the ends of all that is routed.
ONLY = ["8.0.0.0/30", "172.16.0.0/12", "192.0.0.8/32", "192.0.0.10/32", "198.18.0.0/15", "203.0.112.0/24",
        "203.0.113.128/25", "222.0.0.0/7"]
ONLY6 = ["2000::/16", "2001:db8:2:8000::/49", "2001:db8:4:0:8000::/65", "2001:db8:5::5/128", "2001:db8:5::7/128",
         "2001:db8:6:7::/64", "2001:db8:7::8:0/110", "3000::/4"]


class Family4:
    wire, host, external, other, other_out, peer, pairs = Wire, A, A_OUT, B, B_OUT, X, PAIRS
    error = ICMP(type=11)

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, host, external, other, other_out, peer, pairs = Wire6, A6, A6_OUT, B6, B6_OUT, X6, PAIRS6
    error = ICMPv6TimeExceeded()

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


FOLLOW, BORDER = {"conntrack": "follow"}, {"external_interfaces": ["out0"]}
GATEWAYS = [
    #   why                             family      only            settings
    row("eight",                        (Family4,    ONLY,           {})),
    row("eight of IPv6",                (Family6,    ONLY6,          {})),
    row("one",                          (Family4,    ONLY[5:6],      {})),
    row("one of IPv6",                  (Family6,    ONLY6[2:3],     {})),
    row("eight, and counters of rules", (Family4,    ONLY,           {"counters": "rule"})),
    row("at a border",                  (Family4,    ONLY,           BORDER)),
    row("at a border of IPv6",          (Family6,    ONLY6,          BORDER)),
    row("followed",                     (Family4,    ONLY,           FOLLOW), marks=expression),
    row("followed in IPv6",             (Family6,    ONLY6,          FOLLOW), marks=expression),
]


class Gateway:
    def __init__(self, family, only, settings, make_tool):
        self.family, self.settings = family, settings
        self.wire = family.wire()
        self.wire.gateway.nft(TRACKING)
        self.tool = make_tool(self.wire.gateway)
        self.usual = [ipaddress.ip_network(prefix) for prefix in only]
        self.load(self.usual)

    def load(self, only):
        self.only = only
        self.tool.sync(self.family.pairs, only_destinations=list(map(str, only)), **self.settings)

    def is_meant(self, target):
        return any(ipaddress.ip_address(target) in network for network in self.only)

    def destinations(self):
        """The first and the last address of each network, and those just outside."""
        ends = {end for one in self.usual for end in (one[0] - 1, one[0], one[-1], one[-1] + 1)}
        return [*(str(end) for end in sorted(ends) if not end.is_multicast), self.family.peer]

    def travel(self, content):
        """From the host to all of them."""
        header, host, targets = self.family.header, self.family.host, self.destinations()
        for target in targets:
            self.wire.inside.send(header(host, target) / content)
        sources = [self.family.external if self.is_meant(target) else host for target in targets]
        self.wire.expect(outside=[header(*ends, 63) / content for ends in zip(sources, targets)])


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(request, make_tool):
    gateway = Gateway(*request.param, make_tool)
    yield gateway
    gateway.wire.close()


@pytest.mark.parametrize("content", [row("UDP", UDP() / TEXT), row("TCP", TCP(flags="A") / TEXT)])
def test_packets(gateway, content):
    gateway.travel(content)


def test_what_comes_in(gateway):
    """From whomever."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    for source in (str(gateway.usual[0][0]), family.peer):
        wire.outside.send(header(source, family.external) / UDP() / TEXT)
        wire.expect(inside=[header(source, family.host, 63) / UDP() / TEXT])


def test_from_inside(gateway):
    """Another host's external address is none of these destinations, and leads to that host all the same."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    wire.inside.send(header(family.host, family.other_out) / UDP() / TEXT)
    wire.expect(inside=[header(family.external, family.other, 63) / UDP() / TEXT])


@expression
def test_an_error_that_quotes(gateway):
    """What a host says about a packet that it got: by where it sends it, and so is its quote."""
    family = gateway.family
    targets = gateway.destinations()
    if gateway.settings == FOLLOW:
        pytest.skip("conntrack, too, knows what it is about, and has not seen that")

    def error(address, source, target, hops):
        quote = Raw(bytes(family.header(target, address, 9) / UDP() / TEXT))
        return family.header(source, target, hops) / family.error / quote

    for target in targets:
        gateway.wire.inside.send(error(family.host, family.host, target, 64))
    seen = [family.external if gateway.is_meant(target) else family.host for target in targets]
    gateway.wire.expect(outside=[error(one, one, target, 63) for one, target in zip(seen, targets)])


def test_the_rest_stays_tracked(gateway):
    gateway.wire.gateway.run("conntrack", "-F")
    gateway.travel(UDP(sport=7777) / TEXT)
    version = ipaddress.ip_address(gateway.family.host).version
    lines = gateway.wire.gateway.run("conntrack", "-L", "-f", f"ipv{version}", "-p", "udp").stdout.splitlines()
    tracked = {ipaddress.ip_address(line.split("dst=")[1].split()[0]) for line in lines if "sport=7777" in line}
    wanted = {ipaddress.ip_address(target) for target in gateway.destinations()
              if gateway.settings == FOLLOW or not gateway.is_meant(target)}
    assert tracked == wanted


def test_it_is_told(gateway):
    tool = gateway.tool
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    assert "    but only on the way to: " in tool("explain", gateway.family.host).stdout
    load = ["nft"] if ENGINE == "native" else [str(TOOL), "nft"]
    run = gateway.wire.gateway.run
    run(*load, "-f", "-", stdin=tool("render", tool.file).stdout)
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    run(*load, "-f", "-", stdin="flush ruleset\n" + run(*load, "-s", "list", "ruleset").stdout)
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    gateway.wire.gateway.nft(TRACKING)


def test_others_instead(gateway):
    """A sync replaces them; none are all."""
    gateway.load(gateway.usual[:1])
    gateway.travel(UDP() / TEXT)
    gateway.tool.sync(gateway.family.pairs, **gateway.settings)
    gateway.only = [ipaddress.ip_network("::/0" if gateway.family is Family6 else "0.0.0.0/0")]
    gateway.travel(UDP() / TEXT)
    gateway.load(gateway.usual)
    gateway.travel(UDP() / TEXT)


NINE = [f"10.{one}.0.0/16" for one in range(0, 18, 2)]
BAD = [
    #   why                 only-destinations       other settings          what is said
    row("all of them",      ["0.0.0.0/0"],          {},                     "of length 0"),
    row("nine",             NINE,                   {},                     "up to 8 of each"),
    row("beside exempt",    ["10.0.0.0/8"],         {"exempt_destinations": ["10.1.0.0/16"]},
        "beside exempt-destinations"),
    row("beside a fence",   ["10.0.0.0/8"],         {"fail_closed": True},  "beside fail-closed"),
    row("host bits",        ["10.0.0.1/8"],         {},                     "host bits set"),
    row("no list",          "10.0.0.0/8",           {},                     "an array of prefixes"),
]


@pytest.mark.parametrize("only, settings, about", BAD)
def test_bad_configuration(namespace, make_tool, only, settings, about):
    tool = make_tool(namespace)
    done = tool("check", tool.configure(PAIRS, only_destinations=only, **settings), check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr


def test_of_the_other_family_all_are_meant(namespace, make_tool):
    tool = make_tool(namespace)
    tool.sync({**PAIRS, **PAIRS6}, only_destinations=["10.2.0.0/16"])
    assert "but only on the way to: 10.2.0.0/16" in tool("explain", A).stdout
    assert "but only" not in tool("explain", A6).stdout
