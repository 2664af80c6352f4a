# SPDX-License-Identifier: GPL-2.0-or-later
"""Destinations on the way to which a host keeps its address: as many as the expression compares, and more, in a set.

    A 10.0.0.2 = 198.51.100.2 ─── in0 gateway out0 ─── exempt networks and their neighbours
    A6 fd00:1::2 = 2001:db8:1::2
"""

import ipaddress
import json

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6TimeExceeded, IPv6
from scapy.packet import Raw

from net import A, A6, A6_OUT, A_OUT, PAIRS, PAIRS6, TRACKING, X, X6
from packets import TEXT, expression, row
from wire import Wire, Wire6

# Of every kind: neighbours, a host, one that ends in the middle of a byte, the ends of all that is routed.
EXEMPT = ["8.0.0.0/30", "172.16.0.0/12", "192.0.0.8/32", "192.0.0.10/32", "198.18.0.0/15", "203.0.112.0/24",
          "203.0.113.128/25", "222.0.0.0/7"]
EXEMPT6 = ["2000::/16", "2001:db8:2:8000::/49", "2001:db8:4:0:8000::/65", "2001:db8:5::5/128", "2001:db8:5::7/128",
           "2001:db8:6:7::/64", "2001:db8:7::8:0/110", "3000::/4"]
MORE, MORE6 = [*EXEMPT, "203.0.115.0/24"], [*EXEMPT6, "2001:db8:9::/64"]


class Family4:
    wire, host, external, peer, pairs = Wire, A, A_OUT, X, PAIRS
    error = ICMP(type=11)

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, host, external, peer, pairs = Wire6, A6, A6_OUT, X6, PAIRS6
    error = ICMPv6TimeExceeded()

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


GATEWAYS = {
    # why                               family   exempt          settings
    "eight":                            (Family4, EXEMPT,         {}),
    "eight of IPv6":                    (Family6, EXEMPT6,        {}),
    "one":                              (Family4, EXEMPT[5:6],    {}),
    "one of IPv6":                      (Family6, EXEMPT6[2:3],   {}),
    "eight, and counters of rules":     (Family4, EXEMPT,         {"counters": "rule"}),
    "nine":                             (Family4, MORE,           {}),
    "nine of IPv6":                     (Family6, MORE6,          {}),
    "all":                              (Family4, ["0.0.0.0/0"],  {}),
}


class Gateway:
    def __init__(self, family, exempt, settings, make_tool):
        self.family, self.settings = family, settings
        self.wire = family.wire()
        self.wire.gateway.nft(TRACKING)
        self.tool = make_tool(self.wire.gateway)
        self.usual = [ipaddress.ip_network(prefix) for prefix in exempt]
        self.load(self.usual)

    def load(self, exempt):
        self.exempt = exempt
        self.tool.sync(self.family.pairs, exempt_destinations=list(map(str, exempt)), **self.settings)

    def is_exempt(self, target):
        return any(ipaddress.ip_address(target) in network for network in self.exempt)

    def destinations(self):
        """The first and the last address of each network that is exempt usually, and those just outside."""
        ends = {end for one in self.usual if one.prefixlen for end in (one[0] - 1, one[0], one[-1], one[-1] + 1)}
        return [*(str(end) for end in sorted(ends) if not end.is_multicast), self.family.peer]

    def travel(self, content):
        """From the host to all of them."""
        header, host, targets = self.family.header, self.family.host, self.destinations()
        for target in targets:
            self.wire.inside.send(header(host, target) / content)
        sources = [host if self.is_exempt(target) else self.family.external for target in targets]
        self.wire.expect(outside=[header(*ends, 63) / content for ends in zip(sources, targets)])


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(request, make_tool):
    gateway = Gateway(*GATEWAYS[request.param], make_tool)
    yield gateway
    gateway.wire.close()


@pytest.mark.parametrize("content", [row("UDP", UDP() / TEXT), row("TCP", TCP(flags="A") / TEXT)])
def test_packets(gateway, content):
    gateway.travel(content)


@expression
def test_an_error_that_quotes(gateway):
    """What a host says about a packet that it got: by where it sends it, exempt or not, and so is its quote."""
    family = gateway.family
    targets = gateway.destinations()

    def error(address, source, target, hops):
        quote = Raw(bytes(family.header(target, address, 9) / UDP() / TEXT))
        return family.header(source, target, hops) / family.error / quote

    for target in targets:
        gateway.wire.inside.send(error(family.host, family.host, target, 64))
    seen = [family.host if gateway.is_exempt(target) else family.external for target in targets]
    gateway.wire.expect(outside=[error(one, one, target, 63) for one, target in zip(seen, targets)])


def test_what_is_exempt_stays_tracked(gateway):
    gateway.wire.gateway.run("conntrack", "-F")
    gateway.travel(UDP(sport=7777) / TEXT)
    version = ipaddress.ip_address(gateway.family.host).version
    listing = gateway.wire.gateway.run("conntrack", "-L", "-f", f"ipv{version}", "-p", "udp").stdout
    seen = {target for target in gateway.destinations() if f"src={gateway.family.host} dst={target} " in listing}
    assert seen == {target for target in gateway.destinations() if gateway.is_exempt(target)}


def test_it_is_told(gateway):
    """And a second sync changes nothing."""
    told = json.loads(gateway.tool("explain", "-j", gateway.family.host).stdout)["exempt_destinations"]
    assert {ipaddress.ip_network(prefix) for prefix in told} == set(gateway.usual)
    again = gateway.tool("sync", gateway.tool.file).stdout
    assert "no changes" in again or again.startswith("nothing"), again
    assert gateway.tool("diff", "--exit-code", gateway.tool.file).stdout == ""


def test_an_added_pair_has_the_same(gateway):
    """What add writes comes from what the kernel has."""
    family = gateway.family
    other = "10.0.0.200" if family is Family4 else "fd00:1::200"
    external = "198.51.100.200" if family is Family4 else "2001:db8:1::200"
    gateway.tool("add", other, external)
    gateway.travel(UDP() / TEXT)
    gateway.tool("del", other)
    gateway.travel(UDP() / TEXT)


def test_one_less_and_back(gateway):
    """The rules follow at once."""
    for exempt in (gateway.usual[1:], gateway.usual):
        gateway.load(exempt)
        gateway.travel(UDP() / TEXT)
