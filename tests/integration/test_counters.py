# SPDX-License-Identifier: GPL-2.0-or-later
"""Every packet is counted once, in its direction, and no change to other pairs forgets it.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10
    B 10.0.0.3 = 198.51.100.3
    C 10.0.0.9, no pair
    R1 10.0.0.17, a router without a pair
"""

import re

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from net import A, A_OUT, B, B_OUT, C, D, PAIRS, R1, X, many
from packets import expression, fragments, row

# As errors quote them.
TO_A, TO_X = bytes(IP(src=X, dst=A) / UDP()), bytes(IP(src=A_OUT, dst=X) / UDP())

TRAFFIC = [
    #   why                     enters     packet                                      counted
    row("outbound",             "inside",  IP(src=A, dst=X) / UDP() / bytes(72),       {A: (1, 100, 0, 0)}),
    row("inbound",              "outside", IP(src=X, dst=A_OUT) / TCP() / bytes(160),  {A: (0, 0, 1, 200)}),
    row("hairpin",              "inside",  IP(src=A, dst=B_OUT) / UDP() / bytes(272),
        {A: (1, 300, 0, 0), B: (0, 0, 1, 300)}),
    row("to itself",            "inside",  IP(src=A, dst=A_OUT) / UDP() / bytes(372),  {A: (1, 400, 1, 400)}),
    row("1500 bytes",           "outside", IP(src=X, dst=B_OUT) / UDP() / bytes(1472), {B: (0, 0, 1, 1500)}),
    row("echo",                 "inside",  IP(src=B, dst=X) / ICMP() / bytes(72),      {B: (1, 100, 0, 0)}),
    row("no pair, outbound",    "inside",  IP(src=C, dst=X) / UDP() / bytes(72),       {}),
    row("no pair, inbound",     "outside", IP(src=X, dst=C) / UDP() / bytes(72),       {}),
    row("exempt",               "inside",  IP(src=A, dst="192.0.2.99") / UDP(),        {}),
    row("error from the host",  "inside",  IP(src=A, dst=X) / ICMP(type=3) / TO_A,     {A: (1, 56, 0, 0)}),
    row("error from the peer",  "outside", IP(src=X, dst=A_OUT) / ICMP(type=3) / TO_X, {A: (0, 0, 1, 56)}),
    row("error from R1",        "inside",  IP(src=R1, dst=X) / ICMP(type=3) / TO_A,    {A: (1, 56, 0, 0)},
        marks=expression),
]
EXEMPT = {"exempt_destinations": ["192.0.2.99/32"]}


def counters(tool):
    """Of each pair of the address plan: packets and bytes outbound, packets and bytes inbound."""
    return {internal: tuple(pair[way][unit] for way in ("outbound", "inbound") for unit in ("packets", "bytes"))
            for internal, pair in tool.pairs().items() if internal in PAIRS}


def plus(counted, more):
    return {internal: tuple(map(sum, zip(counts, more.get(internal, (0, 0, 0, 0)))))
            for internal, counts in counted.items()}


@pytest.fixture(scope="module", autouse=True)
def exempt(tool):
    tool.sync(PAIRS, **EXEMPT)


@pytest.mark.parametrize("enters, packet, counted", TRAFFIC)
def test_packet(wire, tool, enters, packet, counted):
    before = counters(tool)
    for _ in range(3):
        getattr(wire, enters).send(packet)
    wire.drain()
    for _ in range(3):
        before = plus(before, counted)
    assert counters(tool) == before


@expression
def test_each_fragment_counts_where_none_are_reassembled(wire, tool):
    before = counters(tool)
    for fragment in fragments(IP(src=A, dst=X) / UDP() / bytes(992), 400):
        wire.inside.send(fragment)
    wire.drain()
    assert counters(tool) == plus(before, {A: (3, 1060, 0, 0)})


CHANGES = [
    #   why                                 configuration
    row("the same again",                   PAIRS),
    row("another pair is new",              {**PAIRS, "10.0.0.4": "198.51.100.4"}),
    row("another pair is gone",             {A: A_OUT, B: B_OUT}),
    row("another pair is different",        {**PAIRS, D: "198.51.100.19"}),
    row("thousands more: the maps grow",    {**PAIRS, **many(7000)}),
    row("and some of them are gone",        {**PAIRS, **many(2000)}),
    row("all of them are gone",             PAIRS),
]


def test_no_change_forgets_or_invents(wire, tool):
    """After each change the counters are what they were, and go on from there."""
    tool("clear")
    tool.sync(PAIRS, **EXEMPT)
    counted = {internal: (0, 0, 0, 0) for internal in (A, B)}
    for change in CHANGES:
        pairs, = change.values
        for what in TRAFFIC[:5]:
            enters, packet, more = what.values
            getattr(wire, enters).send(packet)
            counted = plus(counted, more)
        wire.drain()
        tool.sync(pairs, **EXEMPT)
        now = counters(tool)
        assert {internal: now[internal] for internal in (A, B)} == counted, change.id
    for arguments in (("add", "10.0.0.5", "198.51.100.5"), ("del", "10.0.0.5"), ("diff", tool.file), ("status",)):
        tool(*arguments)
        now = counters(tool)
        assert {internal: now[internal] for internal in (A, B)} == counted, arguments


def test_a_pair_that_changes_starts_anew(wire, tool):
    wire.inside.send(IP(src=A, dst=X) / UDP())
    wire.drain()
    tool.sync({**PAIRS, A: "198.51.100.22"})
    assert counters(tool)[A] == (0, 0, 0, 0)
    tool.sync(PAIRS, **EXEMPT)
    assert counters(tool)[A] == (0, 0, 0, 0)


def test_counters_per_rule(wire, tool):
    tool.sync(PAIRS, counters="rule")
    for _ in range(2):
        wire.inside.send(IP(src=A, dst=X) / UDP() / bytes(72))
    wire.outside.send(IP(src=X, dst=B_OUT) / UDP() / bytes(172))
    wire.drain()
    # The same again, and after a change that has the rules ask for other networks, too.
    for pairs in (PAIRS, {**PAIRS, "10.99.0.1": "203.0.112.1"}):
        tool.sync(pairs, counters="rule")
        # Natively postrouting has a rule for what the gateway itself sends, too.
        found, status = {}, tool("status").stdout
        for packets, size, chain in re.findall(r"^rule: (\d+) packets?, (\d+) bytes?: (\w+):", status, re.M):
            found[chain] = tuple(map(sum, zip(found.get(chain, (0, 0)), (int(packets), int(size)))))
        assert found == {"postrouting": (2, 200), "prerouting": (1, 200)}
    assert set(tool.pairs()[A]) == {"internal", "external", "npt", "comment"}
    tool.sync(PAIRS, **EXEMPT)


def test_counters_off(wire, tool):
    tool.sync(PAIRS, counters="off")
    sent, seen = (IP(src=source, dst=X, ttl=ttl) / UDP() for source, ttl in ((A, 64), (A_OUT, 63)))
    wire.inside.send(sent)
    wire.expect(outside=[seen])
    assert set(tool.pairs()[A]) == {"internal", "external", "npt", "comment"}
    tool.sync(PAIRS, **EXEMPT)
    wire.inside.send(sent)
    wire.expect(outside=[seen])
    assert counters(tool)[A] == (1, 28, 0, 0)
