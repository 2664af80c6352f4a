# SPDX-License-Identifier: GPL-2.0-or-later
"""Maps that are asked for a part of all addresses only: what is outside has no pair there, whatever the map holds.

    inside ──── gateway ──── outside        the peer, X or X6, has no pair
    internal prefixes behind R1             external prefixes routed to the gateway
"""

import ipaddress

import packets
import test_npt
import test_prefixes
from nfnl import a_map
from pairs import EXTERNAL, INTERNAL, MAPS, Pair, Pairs
from roads import Family4, Family6, each_of
from test_prefixes import (test_each_element_counts_its_own, test_error_of_one_map_about_another, test_fragments,
                           test_packets, test_untracked_are_those_that_have_a_pair)

pytestmark = packets.expression


class Bounded(Pairs):
    """Pairs whose maps are within an internal and an external prefix, by kind; where it is None, within any."""

    def __init__(self, *pairs, within):
        super().__init__(*pairs)
        self.within = within

    def bound(self, kind, way):
        text = self.within.get(kind, (None, None))[way[0]]
        return text and ipaddress.ip_network(text)

    def find(self, address, way):
        address = ipaddress.ip_address(address)

        def asked(pair):
            bound = self.bound(pair.kind, way)
            return bound is None or address in bound
        found = next((pair for pair in self.pairs if address in pair.network(way[0]) and asked(pair)), None)
        return None if found and found.is_hole else found

    def listed(self, way):
        return [a_map(f"{MAPS[way]}{one.kind}", one.length, one.npt, self.bound(one.kind, way)) for one in self.kinds]


def common(networks):
    """The longest prefix that covers all of them, as text; None if that is any address."""
    longest = networks[0]
    while not all(network.subnet_of(longest) for network in networks):
        longest = longest.supernet()
    return str(longest) if longest.prefixlen else None


def tight(pairs):
    """Each map within what its keys have in common, as the tool does it: nothing changes."""
    within = {one.kind: [common([pair.network(side) for pair in pairs.pairs if pair.kind == one.kind])
                         for side in (INTERNAL, EXTERNAL)] for one in pairs.kinds}
    return Bounded(*pairs.pairs, within=within)


PAIRS = Bounded(
    Pair("10.1.0.7/32", "203.0.113.207/32"),
    Pair("10.1.0.130/32", "203.0.113.9/32"),
    Pair("10.9.0.7/32", "100.64.0.7/32"),
    Pair("10.1.0.9/32", "10.1.0.9/32"),           # a hole
    Pair("10.1.0.200/32", "10.1.0.200/32"),       # one that is not asked for
    Pair("10.1.0.0/24", "198.51.100.77/24"),
    Pair("10.2.0.0/24", "198.51.101.0/24"),
    Pair("10.1.0.0/16", "198.18.0.0/16"),
    Pair("10.128.0.0/9", "100.0.0.0/9"),
    within={
        "4_32": ("10.1.0.0/25", "203.0.113.128/25"),
        "4_24": ("10.1.0.0/25", "198.51.100.0/24"),   # half of a pair, and one of two
        "4_16": ("10.1.0.0/16", None),
        "4_9":  ("10.192.0.0/10", "96.0.0.0/4"),
    })
PAIRS6 = Bounded(
    Pair("fd02:0:0:7::7/128", "2001:db8:7::7/128"),
    Pair("fd02:0:0:7:8000::7/128", "2001:db8:7::8/128"),
    Pair("fd02:0:0:7::9/128", "fd02:0:0:7::9/128"),
    Pair("fd02:0:0:7::/64", "2001:db8:a:b::/64"),
    Pair("fd02:0:0:8::/64", "2001:db8:a:c::/64"),
    Pair("fd05:6:7:800::/56", "2001:db8:aa:bb00::/56", npt=True),
    Pair("fd05:6:7:900::/56", "2001:db8:aa:bc00::/56", npt=True),
    Pair("fd01:203:405::/48", "2001:db8:1::/48", npt=True),
    Pair("fd80::/9", "2400::/9"),
    within={
        "6_128": ("fd02:0:0:7::/65", "2001:db8:7::7/128"),
        "6_64":  ("fd02:0:0:7::/68", "2001:db8:a:b::/64"),    # into the second half of the address
        "6_56npt": ("fd05:6:7:800::/56", "2001:db8:aa:bb00::/56"),
        "6_48npt": ("fd01:203:405::/48", "2001:db8:1:8000::/49"),
        "6_9":   ("fdc0::/10", None),
    })
ROADS = {
    "ip": (Family4, "ip", PAIRS),
    "ip, joined by else": (Family4, "ip", PAIRS, (), True),
    "ip6": (Family6, "ip6", PAIRS6),
    "ip6, joined by else": (Family6, "ip6", PAIRS6, (), True),
    "both in inet, beside conntrack": (Family6, "inet", PAIRS6, [PAIRS]),
    "ip, what keys have in common": (Family4, "ip", tight(test_prefixes.PAIRS)),
    "ip6, what keys have in common": (Family6, "ip6", tight(test_npt.PAIRS), (), True),
}

road = each_of(ROADS)
