# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs of prefixes: the maps and rules that carry them out; what becomes of an address, computed in another way."""

import ipaddress
import itertools
import json
import struct

from nfnl import (DADDR, DROPPED, INET, IPV4, IPV6, NOTRACK, SADDR, UNTRACK, UNTRACKED, Netlink, a_map, expression,
                  new_chain, new_rule)

INTERNAL, EXTERNAL = 0, 1
OUTBOUND, INBOUND = (INTERNAL, EXTERNAL), (EXTERNAL, INTERNAL)
MAPS = {OUTBOUND: "out", INBOUND: "in"}

PREROUTING, OUTPUT, POSTROUTING, RAW = 0, 3, 4, -300
TABLES = {"ip": IPV4, "ip6": IPV6, "inet": INET}


class Pair:
    """Two prefixes of one length. Their host bits, which must have no meaning, show up in the values of the maps."""

    def __init__(self, internal, external, npt=False):
        self.sides = ipaddress.ip_interface(internal), ipaddress.ip_interface(external)
        self.version, self.length, self.npt = self.sides[0].version, self.sides[0].network.prefixlen, npt
        self.kind = f"{self.version}_{self.length}{'npt' if npt else ''}"
        self.is_hole = self.sides[0].network == self.sides[1].network

    def network(self, side):
        return self.sides[side].network

    def element(self, way):
        """The name of its map, its key and its value."""
        return f"{MAPS[way]}{self.kind}", str(self.network(way[0]).network_address), str(self.sides[way[1]].ip)

    def translated(self, address, way):
        """What an address of the pair becomes; None where RFC 6296 has no counterpart for it."""
        after = self.network(way[1])
        moved = type(address)(int(after.network_address) | int(address) & int(after.hostmask))
        return neutral(address, moved, self.length) if self.npt else moved


def neutral(address, moved, length):
    """RFC 6296, 3.4 and 3.5: one word more changes, so that modulo 0xffff, all that a checksum sees, nothing did."""
    words = list(struct.unpack(">8H", moved.packed))
    choices = [3] if length <= 48 else [at for at in (4, 5, 6, 7) if words[at] != 0xffff]
    if not choices or words[choices[0]] == 0xffff or not any(words[4:]):
        return None
    words[choices[0]] = (words[choices[0]] + int(address) - int(moved)) % 0xffff
    return ipaddress.IPv6Address(struct.pack(">8H", *words))


class Pairs:
    """A list of pairs, looked up in this order; those of one kind, which follow one another, share a map."""

    def __init__(self, *pairs):
        self.pairs = pairs
        self.kinds = {pair.kind: pair for pair in pairs}.values()

    def find(self, address, way):
        """The pair of an address; None in a hole, too."""
        address = ipaddress.ip_address(address)
        found = next((pair for pair in self.pairs if address in pair.network(way[0])), None)
        return None if found and found.is_hole else found

    def translated(self, address, way):
        """As text; an address without a pair stays, one without a counterpart is None."""
        pair = self.find(address, way)
        after = pair.translated(ipaddress.ip_address(address), way) if pair else address
        return after and str(after)

    def declarations(self):
        return "".join(f"map {MAPS[way]}{one.kind} {{ type ipv{one.version}_addr : ipv{one.version}_addr; counter;"
                       f" elements = {{ {', '.join(self.elements(one.kind, way))} }}; }}\n"
                       for one in self.kinds for way in (OUTBOUND, INBOUND))

    def elements(self, kind, way):
        for pair in self.pairs:
            if pair.kind == kind:
                _, key, value = pair.element(way)
                yield f"{key} : {value}"

    def listed(self, way):
        return [a_map(f"{MAPS[way]}{one.kind}", one.length, one.npt) for one in self.kinds]


class Rules:
    """Table t of a gateway, with the rules of one or more lists of pairs: those that the tool makes, in prerouting
    where something stands between two, or joined by else."""

    def __init__(self, gateway, table, *lists, joined=False):
        self.gateway, self.table, self.family = gateway, table, TABLES[table]
        gateway.nft(f"table {table} t {{\n{''.join(pairs.declarations() for pairs in lists)}}}")
        self.netlink = Netlink(gateway)
        untrack = [expression(SADDR, pairs.listed(OUTBOUND), UNTRACK) for pairs in lists]
        inbound = [expression(DADDR, pairs.listed(INBOUND), NOTRACK) for pairs in lists]
        outbound = [expression(SADDR, pairs.listed(OUTBOUND), UNTRACKED) for pairs in lists]
        both = [expression(DADDR, pairs.listed(INBOUND), NOTRACK, pairs.listed(OUTBOUND)) for pairs in lists]
        chains = (("pre", PREROUTING, both if joined else untrack + inbound), ("own", OUTPUT, untrack),
                  ("post", POSTROUTING, outbound))
        assert self.netlink.batch(*itertools.chain.from_iterable(
            [new_chain("t", chain, hook, RAW, self.family),
             *(new_rule("t", chain, rule, family=self.family) for rule in rules)]
            for chain, hook, rules in chains)) == 0

    def close(self):
        self.netlink.close()
        self.gateway.nft(f"delete table {self.table} t")

    def counters(self):
        """Packets of each element that has seen some, by the name of its map and its key."""
        listing = json.loads(self.gateway.run("nft", "-j", "list", "table", self.table, "t").stdout)
        maps = [entry["map"] for entry in listing["nftables"] if "map" in entry]
        return {(each["name"], key["elem"]["val"]): key["elem"]["counter"]["packets"]
                for each in maps for key, _ in each["elem"] if key["elem"]["counter"]["packets"]}

    def dropped(self):
        """By all rules together."""
        return sum(struct.unpack(">Q", given[DROPPED])[0] for _, given in self.netlink.rules("t", self.family))
