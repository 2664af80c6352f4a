# SPDX-License-Identifier: GPL-2.0-or-later
"""Prefixes of all lengths in one list of maps, with hosts and holes in them, in rules made by hand.

    inside ──── gateway ──── outside        the peer, X or X6, has no pair
    internal prefixes behind R1             external prefixes routed to the gateway
"""

import ipaddress
import itertools
from collections import Counter

import pytest
from scapy.layers.inet import UDP

import packets
from packets import TEXT, row, same
from pairs import INBOUND, OUTBOUND, Pair, Pairs
from roads import Family4, Family6, each_of

pytestmark = packets.expression

# Host bits of a value have no meaning, so it must not matter that some are set.
PAIRS = Pairs(
    Pair("10.1.0.7/32", "203.0.113.207/32"),
    Pair("198.51.100.7/32", "198.51.100.7/32"),   # what the line above leaves unused
    Pair("10.1.0.9/32", "10.1.0.9/32"),
    Pair("198.51.100.9/32", "198.51.100.9/32"),
    Pair("10.1.0.0/24", "198.51.100.77/24"),
    Pair("10.2.8.0/24", "10.2.8.0/24"),
    Pair("198.19.8.0/24", "198.19.8.0/24"),
    Pair("10.1.2.0/23", "198.18.3.255/23"),
    Pair("10.2.0.0/16", "198.19.0.0/16"),
    Pair("10.128.0.0/9", "100.0.0.0/9"),
)
PAIRS6 = Pairs(
    Pair("fd02:0:0:7::7/128", "2001:db8:7::7/128"),
    Pair("2001:db8:a:b::7/128", "2001:db8:a:b::7/128"),
    Pair("fd02:0:0:7::9/128", "fd02:0:0:7::9/128"),
    Pair("2001:db8:a:b::9/128", "2001:db8:a:b::9/128"),
    Pair("fd02:0:0:7::/64", "2001:db8:a:b:ffff::1/64"),
    Pair("fd02:0:0:100::/57", "2001:db8:b:80::/57"),
    Pair("fd03:5:6:a00::/56", "2001:db8:c:ffff:1234::/56"),
    Pair("fd04:1:1:8800::/56", "fd04:1:1:8800::/56"),
    Pair("2001:db8:d:8800::/56", "2001:db8:d:8800::/56"),
    Pair("fd04:1:1::/48", "2001:db8:d::/48"),
    Pair("fd80::/9", "2400::/9"),
)

ROADS = {
    "ip": (Family4, "ip", PAIRS),
    "ip6": (Family6, "ip6", PAIRS6),
    "ip in inet, beside conntrack": (Family4, "inet", PAIRS, [PAIRS6]),
    "ip6 in inet, beside conntrack": (Family6, "inet", PAIRS6, [PAIRS]),
}

road = each_of(ROADS)


def test_packets(road):
    road.travel(*road.everywhere())


def test_the_order_of_the_list_decides(road):
    """The same maps, shortest prefix first: neither hosts nor holes in them count then."""
    with road.instead(Pairs(*reversed(road.usual.pairs))):
        road.travel(*road.everywhere())


def test_fragments(road):
    carried = UDP() / bytes(range(200)) / bytes(1000)
    for way in (OUTBOUND, INBOUND):
        for source, target in (road.ends(host, way) for host in road.samples(way)):
            pieces = list(road.family.pieces(road.family.header(source, target) / carried, 400))
            for index in (2, 0, 3, 1):
                getattr(road.wire, road.end(source)).send(pieces[index])
            source, target = road.seen(source, target)
            inside, outside = road.wire.drain()
            got, nothing = (inside, outside) if road.end(target) == "inside" else (outside, inside)
            assert len(got) == 4 and not nothing
            wanted = road.family.pieces(road.family.header(source, target, 63) / carried, 400)
            same(road.family.together(got), road.family.together(wanted))


@pytest.mark.parametrize("way", [row("outbound", OUTBOUND), row("inbound", INBOUND)])
def test_error_of_one_map_about_another(road, way):
    road.travel(*road.errors(way))


def test_each_element_counts_its_own(road):
    """A packet once each way; an error by its own address, or by the one that it quotes if its own has no pair."""
    before, expected = Counter(road.rules.counters()), Counter()
    for way in (OUTBOUND, INBOUND):
        samples = road.samples(way)
        several = [host for times, host in enumerate(samples, 1) for _ in range(times)]
        road.travel(*((*road.ends(host, way), UDP() / TEXT) for host in several), *list(road.errors(way))[::5])
        for hosts in (*zip(several), *list(itertools.product(samples, repeat=2))[::5]):
            if counting := [pair for host in hosts if (pair := road.pairs.find(host, way))]:
                name, key, _ = counting[0].element(way)
                expected[name, key] += 1
    assert Counter(road.rules.counters()) - before == expected


def test_untracked_are_those_that_have_a_pair(road):
    """And where nothing else follows connections, nobody does."""
    road.wire.gateway.run("conntrack", "-F")
    hosts = road.samples(OUTBOUND)
    road.travel(*((*road.ends(host, OUTBOUND), UDP() / TEXT) for host in hosts))
    listing = road.wire.gateway.run("conntrack", "-L", "-f", f"ipv{ipaddress.ip_address(hosts[0]).version}").stdout
    assert {host for host in hosts if f"src={host} " in listing} == \
        {host for host in hosts if road.conntrack and not road.pairs.find(host, OUTBOUND)}
