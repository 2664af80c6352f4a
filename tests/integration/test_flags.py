# SPDX-License-Identifier: GPL-2.0-or-later
"""What each flag of the expression does, in rules made by hand, beside a conntrack that is in use.

    inside ──── gateway ──── outside        A = 198.51.100.2 in a map; X has no pair
"""

import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP

from calls import Calls
from net import A, A_OUT, X
from nfnl import (COUNTS, DADDR, DROPPED, GETRULE, GETRULE_RESET, INET, IPV4, MALFORMED, NOTRACK, SADDR, TRACKED,
                  UNTRACK, UNTRACKED, Netlink, attributes, expression, new_chain, new_rule)
from packets import expression as needs_module, row

pytestmark = needs_module

PREROUTING, POSTROUTING = 0, 4
RAW, AFTER_CONNTRACK = -300, 100
FAMILIES = {"ip": IPV4, "inet": INET}


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def netlink(wire, family):
    """A netlink socket in a gateway with a table of two maps, where conntrack follows every connection."""
    wire.gateway.nft(f"""
        table {family} t {{
            map out {{ type ipv4_addr : ipv4_addr; counter; elements = {{ {A} : {A_OUT} }}; }}
            map in {{ type ipv4_addr : ipv4_addr; counter; elements = {{ {A_OUT} : {A} }}; }}
        }}
        table ip other {{ chain forward {{ type filter hook forward priority 0; ct state new counter; }}; }}""")
    netlink = Netlink(wire.gateway)
    yield netlink
    netlink.close()
    wire.gateway.nft("flush ruleset")


def load(netlink, family, hook, priority, *rules):
    number, chain = FAMILIES[family], f"c{hook}"
    assert netlink.batch(new_chain("t", chain, hook, priority, number),
                         *(new_rule("t", chain, rule, family=number) for rule in rules)) == 0


def outbound(wire, source_seen):
    wire.inside.send(IP(src=A, dst=X) / UDP() / b"hello")
    wire.expect(outside=[IP(src=source_seen, dst=X, ttl=63) / UDP() / b"hello"])


def inbound(wire):
    """The number of conntrack's entries afterwards."""
    wire.gateway.run("conntrack", "-F")
    wire.outside.send(IP(src=X, dst=A_OUT) / UDP() / b"hello")
    wire.expect(inside=[IP(src=X, dst=A, ttl=63) / UDP() / b"hello"])
    listing = wire.gateway.run("conntrack", "-L").stdout
    return sum(f"dst={A} " in line for line in listing.splitlines())


POSTROUTING_RULES = [
    #   why                                      flags       marked before  A is seen as
    row("no flag, an entry",                     0,          False,         A),
    row("no flag, marked untracked",             0,          True,          A_OUT),
    row("tracked, an entry",                     TRACKED,    False,         A_OUT),
    row("tracked, marked untracked",             TRACKED,    True,          A_OUT),
    row("untracked, an entry",                   UNTRACKED,  False,         A),
    row("untracked, marked untracked",           UNTRACKED,  True,          A_OUT),
]


@pytest.mark.parametrize("flags, marked, seen", POSTROUTING_RULES)
def test_entry_or_mark(wire, netlink, family, flags, marked, seen):
    if marked:
        load(netlink, family, PREROUTING, RAW, expression(SADDR, "out", UNTRACK))
    load(netlink, family, POSTROUTING, AFTER_CONNTRACK, expression(SADDR, "out", flags))
    outbound(wire, seen)


@pytest.mark.parametrize("flags, seen", [row("before conntrack saw it", 0, A_OUT),
                                         row("untracked only", UNTRACKED, A)])
def test_neither_entry_nor_mark(wire, netlink, family, flags, seen):
    """Without the table that uses conntrack a packet has neither."""
    wire.gateway.nft("delete table ip other")
    load(netlink, family, POSTROUTING, AFTER_CONNTRACK, expression(SADDR, "out", flags))
    outbound(wire, seen)


@pytest.mark.parametrize("flags, entries", [row("notrack", NOTRACK, 0), row("no flag", 0, 1)])
def test_notrack_leaves_no_entry(wire, netlink, family, flags, entries):
    load(netlink, family, PREROUTING, RAW, expression(DADDR, "in", flags))
    assert inbound(wire) == entries


@pytest.mark.parametrize("flags, entries", [row("notrack", NOTRACK, 0), row("no flag", 0, 1)])
def test_a_template_is_no_entry(wire, netlink, family, flags, entries):
    """And is let go, or each packet would need a new one."""
    wire.gateway.nft("table ip zones { chain c {\n"
                     f"type filter hook prerouting priority {RAW - 1}; ct zone set 7; }}; }}")
    load(netlink, family, PREROUTING, RAW, expression(DADDR, "in", flags))
    with Calls("nf_ct_tmpl_alloc") as calls:
        assert [inbound(wire) for _ in range(3)] == [entries] * 3
        assert calls.count() == 0


def test_untrack_neither_rewrites_nor_counts(wire, netlink, family):
    wire.gateway.run("conntrack", "-F")
    load(netlink, family, PREROUTING, RAW, expression(SADDR, "out", UNTRACK))
    outbound(wire, A)
    assert f"src={A} " not in wire.gateway.run("conntrack", "-L").stdout
    assert "counter packets 0 bytes 0" in wire.gateway.run("nft", "list", "map", family, "t", "out").stdout


def test_a_translated_packet_is_not_handed_to_a_second_rule_of_its_old_address(wire, netlink, family):
    """The rules of a chain see what the rule before left."""
    load(netlink, family, POSTROUTING, AFTER_CONNTRACK, *[expression(SADDR, "out", TRACKED)] * 2)
    outbound(wire, A_OUT)
    assert "counter packets 1 bytes 33" in wire.gateway.run("nft", "list", "map", family, "t", "out").stdout


def test_drops_are_taken_by_a_dump_that_resets(wire, netlink, family):
    """6.1 does not know NFT_MSG_GETRULE_RESET: it answers nothing and takes nothing."""
    def dropped(kind):
        told = [(given[DROPPED], attributes(given[COUNTS])[MALFORMED])
                for _, given in netlink.rules("t", FAMILIES[family], kind)]
        assert all(sum_of_reasons == one for sum_of_reasons, one in told)
        return [struct.unpack(">Q", one)[0] for one, _ in told]

    load(netlink, family, POSTROUTING, AFTER_CONNTRACK, expression(SADDR, "out", TRACKED))
    can_reset = dropped(GETRULE_RESET) == [0]
    for _ in range(3):
        wire.inside.send(IP(src=A, dst=X, proto=6) / bytes(TCP())[:8])
    wire.expect()
    assert dropped(GETRULE) == [3]
    assert dropped(GETRULE_RESET) == ([3] if can_reset else [])
    assert dropped(GETRULE) == ([0] if can_reset else [3])
