# SPDX-License-Identifier: GPL-2.0-or-later
"""tc's stateless NAT with one action per pair, found through the hash tables of the u32 classifier.

The third byte of the address chooses a table and the fourth its bucket; u32 has neither larger tables nor more of them.
"""

from collections import namedtuple

# `at`: where in the IPv4 header the address is. `first`: the number of the first table, since directions share numbers.
Way = namedtuple("Way", "name field at first")
OUTBOUND = Way("egress", "src", 12, 0x001)
INBOUND = Way("ingress", "dst", 16, 0x201)
ROOT = 0x100


def commands(family, pairs):
    """Lines for tc -batch: what leaves gets the external source address, what comes in the internal destination."""
    yield "qdisc add dev out clsact"
    internal, external = family.pairs(pairs)
    yield from filters(OUTBOUND, internal, external)
    yield from filters(INBOUND, external, internal)


def filters(way, matched, other):
    add = f"filter add dev out {way.name} protocol ip prio 1"
    root = f"{way.first + ROOT:x}:"
    yield f"{add} handle {root} u32 divisor 256"
    for table in sorted({address.packed[2] for address in matched}):
        yield f"{add} handle {way.first + table:x}: u32 divisor 256"
        link = f"link {way.first + table:x}:"
        yield f"{add} u32 ht {root}{table:x} match u32 0 0 hashkey mask 0x000000ff at {way.at} {link}"
    for address, new in zip(matched, other):
        table, bucket = address.packed[2:]
        yield (f"{add} u32 ht {way.first + table:x}:{bucket:x} match ip {way.field} {address} "
               f"action nat {way.name} {address} {new}")
    yield f"{add} u32 match u32 0 0 hashkey mask 0x0000ff00 at {way.at} link {root}"
