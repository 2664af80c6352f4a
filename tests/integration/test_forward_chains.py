# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of the forward hook, and who else looks at packets, beside a fast path; and the word by itself (twins.py)."""

import contextlib
import json
import socket

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from judges import NUMBER, Judge
from net import A, A6, A_OUT, B, C, TRACKING, X, X6
from packets import TEXT, expression, row
from twins import DETOUR, NEITHER, SHORTCUT, UDP_OUT, twins_of

pytestmark = expression


@pytest.fixture(scope="module")
def twins(make_tool):
    yield from twins_of(4, make_tool)


@pytest.fixture(scope="module")
def twins6(make_tool):
    yield from twins_of(6, make_tool)


@contextlib.contextmanager
def forward_chain(twins, rules, family="ip"):
    """In both gateways; gone afterwards."""
    twins.both(lambda gateway: gateway.nft(
        f"table {family} other {{ chain forward {{ type filter hook forward priority 0; {rules}; }}; }}"))
    yield [lambda one=one: json.loads(one.gateway.run("nft", "-j", "list", "table", family, "other").stdout)
           for one in twins.wires]
    twins.both(lambda gateway: gateway.nft(f"delete table {family} other"))


def counted(listing):
    """By the counters of a table's rules."""
    return [part["counter"] for one in listing["nftables"] for part in one.get("rule", {}).get("expr", [])
            if "counter" in part]


CHAINS = [
    #   why                         rules                                                               arrives way
    row("accept",                   f"ip saddr {A} counter accept",                                     1, SHORTCUT),
    row("untracked, both devices",  f"iifname in0 oifname out0 ip ttl 8 ip saddr {A} counter",          1, SHORTCUT),
    row("log",                      f"ip saddr {A} log group 9 counter",                                1, SHORTCUT),
    row("drop",                     f"ip saddr {A} counter drop",                                       0, NEITHER),
    row("reject",                   f"ip saddr {A} counter reject",                                     1, NEITHER),
    row("another source",           f"ip saddr {A} counter ip saddr set {B}",                           1, DETOUR),
    row("a source without a pair",  f"ip saddr {A} counter ip saddr set {C}",                           1, DETOUR),
    row("another DSCP",             f"ip saddr {A} counter ip dscp set ef",                             1, SHORTCUT),
    row("nobody who waits for it",  f"ip saddr {A} counter queue num 5",                                0, NEITHER),
]


@pytest.mark.parametrize("rules, arrives, way", CHAINS)
def test_forward_chain(twins, rules, arrives, way):
    """It sees the internal address, and decides as ever."""
    with forward_chain(twins, rules) as listings:
        assert twins.agree("inside", UDP_OUT, arrives=arrives) == way
        fast, slow = (counted(listing()) for listing in listings)
        assert fast == slow and fast[0]["packets"] == 1


def test_forward_chain_inbound(twins):
    with forward_chain(twins, f"iifname out0 oifname in0 ip daddr {A} ip saddr {X} counter") as listings:
        assert twins.agree("outside", IP(src=X, dst=A_OUT) / UDP(), arrives=1) == SHORTCUT
        assert [counted(listing())[0]["packets"] for listing in listings] == [1, 1]


@pytest.mark.parametrize("source, family, twin", [row("IPv4", A, "ip", "twins"), row("IPv6", A6, "ip6", "twins6")])
def test_untracked(request, source, family, twin):
    twins = request.getfixturevalue(twin)
    packet = UDP_OUT if family == "ip" else IPv6(src=A6, dst=X6) / UDP() / TEXT
    with forward_chain(twins, f"{family} saddr {source} ct state untracked counter", family) as listings:
        assert twins.agree("inside", packet, arrives=1) == SHORTCUT
        assert [counted(listing())[0]["packets"] for listing in listings] == [1, 1]


@pytest.mark.parametrize("end, source, target, packet", [
    row("out", "inside", A, X, UDP_OUT), row("in", "outside", X, A, IP(src=X, dst=A_OUT, ttl=9) / UDP() / TEXT)])
def test_queue(twins, end, source, target, packet):
    """A program sees internal addresses, and what it lets pass goes the rest of its way, through postrouting."""
    with forward_chain(twins, f"ip saddr {source} ip daddr {target} queue num {NUMBER}"):
        judges = [Judge(one.gateway) for one in twins.wires]
        before = twins.ways(), [tool.pairs()[A] for tool in twins.tools]
        twins.send(end, packet)
        shown = [judge.packet() for judge in judges]
        assert shown[0][1] == shown[1][1]
        assert shown[0][1][12:20] == socket.inet_aton(source) + socket.inet_aton(target)
        for judge, (number, _) in zip(judges, shown):
            judge.pass_on(number)
        fast, slow = twins.seen()
        assert fast == slow and sum(map(len, fast)) == 1
        assert twins.ways()[0] == before[0][0]
        assert twins.tools[0].pairs() == twins.tools[1].pairs() and before[1][0] != twins.tools[0].pairs()[A]
        for judge in judges:
            judge.close()


def test_tracked(twins):
    """Conntrack beside it sees nothing of it, as before."""
    twins.both(lambda gateway: gateway.nft(TRACKING))
    assert twins.agree("inside", UDP_OUT, arrives=1) == SHORTCUT
    assert twins.agree("outside", IP(src=X, dst=A_OUT) / TCP(), arrives=1) == SHORTCUT
    twins.both(lambda gateway: gateway.nft("delete table inet other"))


def test_traced(twins):
    """Whoever traces packets sees them in all chains."""
    traced = f"type filter hook prerouting priority -400; ip saddr {A} meta nftrace set 1"
    twins.both(lambda gateway: gateway.nft(f"table ip trace {{ chain c {{ {traced}; }}; }}"))
    assert twins.agree("inside", UDP_OUT, arrives=1) == DETOUR
    twins.both(lambda gateway: gateway.nft("delete table ip trace"))


def test_refused(nft):
    """Where only half of a packet's way is known, or the hook is another."""
    maps = "map m { type ipv4_addr : ipv4_addr; }"
    for chain, statement in (("prerouting", "daddr map @m notrack forward"),
                             ("prerouting", "saddr map @m untrack forward"),
                             ("output", "daddr map @m notrack else saddr map @m untrack forward"),
                             ("prerouting", "daddr map @m follow else saddr map @m follow forward")):
        done = nft("-f", "-", stdin=f"table ip t {{ {maps}\nchain c {{ type filter hook {chain} priority raw;\n"
                                    f"snat_stateless {statement}\n}}\n}}\n", check=False)
        assert done.returncode and "forward" in done.stderr


def test_listed(nft):
    text = "snat_stateless daddr map @m notrack else saddr map @m untrack forward"
    nft("-f", "-", stdin="table ip t { map m { type ipv4_addr : ipv4_addr; }\n"
                         f"chain c {{ type filter hook prerouting priority raw;\n{text}\n}}\n}}\n")
    assert text in nft("list", "ruleset").stdout
