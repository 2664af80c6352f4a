# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tool says of this machine's own addresses, of the routers beside it and of other rulesets.

    router ──── lan0 machine wan0 ──── routers
"""

import contextlib

import pytest

from net import A, A_OUT, A6, A6_OUT, Namespace, cable
from packets import expression, row
from tool import Tool

SETTING = """address add 10.0.0.1/24 dev lan0
address add 192.0.2.1/24 dev wan0
address add 203.0.113.1 peer 203.0.113.2 dev wan0
address add 2001:db8:2::77/64 dev wan0 nodad
route add 10.9.0.0/16 via 10.0.0.254
route add 198.18.0.0/16 nexthop via 192.0.2.2 nexthop via 192.0.2.3
route add 198.19.0.0/16 via inet6 2001:db8:2::1 dev wan0
route add default via 192.0.2.4 table 100
route add default via 192.0.2.2
route add ::/0 via 2001:db8:2::1 dev wan0
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with contextlib.closing(Namespace("machine")) as here, contextlib.closing(Namespace("other")) as other:
        for name in ("lan0", "wan0"):
            cable(here, name, other, name)
        here.sysctl(net__ipv6__conf__all__disable_ipv6=0, net__ipv6__conf__default__disable_ipv6=0,
                    net__ipv6__conf__wan0__disable_ipv6=0)
        here.ip(SETTING)
        yield Tool(here, tmp_path_factory.mktemp("machine"))


COVERED = [
    #   why                     pair                                    what is named, and where
    row("inside",               ("10.0.0.0/24", "198.51.100.0/24"),     ["10.0.0.1 of lan0", "10.0.0.254 behind lan0"]),
    row("outside",              ("10.7.0.0/24", "192.0.2.0/24"),        ["192.0.2.1 of wan0", "192.0.2.2 behind wan0",
                                                                         "192.0.2.3 behind wan0",
                                                                         "192.0.2.4 behind wan0"]),
    row("its end of a link",    ("10.7.0.0/31", "203.0.113.0/31"),      ["203.0.113.1 of wan0"]),
    row("not the other one's",  ("10.7.0.2/31", "203.0.113.2/31"),      []),
    row("the uplink's /64",     ("fd00:1::/64", "2001:db8:2::/64"),     ["2001:db8:2::77 of wan0",
                                                                         "2001:db8:2::1 behind wan0"]),
    row("somewhere else",       ("10.7.0.0/24", "198.51.100.0/24"),     []),
    row("a host",               ("10.0.0.1", "192.0.2.2"),              []),
]


@pytest.mark.parametrize("pair, named", COVERED)
def test_what_a_prefix_covers(machine, pair, named):
    """One warning, which names all of it; nothing is wrong with the configuration."""
    path = machine.configure(dict([pair]), engine="auto")
    done = machine("check", path)
    assert done.stdout.endswith(": 1 pair, no errors\n")
    assert done.stderr.count("\n") == bool(named)
    assert all(one in done.stderr for one in named), done.stderr
    assert done.stderr.count(" of wan0") + done.stderr.count(" of lan0") + done.stderr.count(" behind ") == len(named)
    assert machine("--quiet", "check", path).stderr == ""


@expression
def test_sync_warns_too(machine):
    """And does it all the same."""
    done = machine("sync", machine.configure({"10.0.0.0/24": "198.51.100.0/24"}))
    assert "added 1 pair" in done.stdout and "10.0.0.1 of lan0 stays this machine's own" in done.stderr
    assert done.stderr.count("\n") == 1
    machine("clear")


RULESETS = [
    #   why                 table, chain, what is in it                                            which are named
    row("nothing",          None, None, None,                                                      []),
    row("nat",              "ip nat", "p", "type nat hook prerouting priority -100",               ["ip nat p"]),
    row("nat of both",      "inet n", "s", "type nat hook postrouting priority 100",               ["inet n s"]),
    row("nat of IPv6",      "ip6 nat", "p", "type nat hook prerouting priority -100",              []),
    row("a strict input",   "inet f", "i", "type filter hook input priority 0; policy drop",       []),
    row("an open input",    "inet f", "i", "type filter hook input priority 0",                    []),
    row("a strict forward", "inet f", "i", "type filter hook forward priority 0; policy drop",     []),
    row("bridges",          "bridge b", "i", "type filter hook input priority 0; policy drop",     []),
    row("no hook",          "ip nat", "p", "counter",                                              []),
]


@pytest.mark.parametrize("table, chain, content, named", RULESETS)
def test_rules_without_effect(machine, table, chain, content, named):
    """Of somebody else."""
    machine.sync({A: A_OUT})
    machine.namespace.nft(f"table {table} {{ chain {chain} {{ {content}; }}\n}}" if table else
                          "add table ip t; delete table ip t")
    try:
        said = machine("status").stdout
        assert [line for line in said.splitlines() if line.startswith("note: chain")] == \
            [line for line in said.splitlines() if any(f"chain {place} " in line for place in named)]
        assert said.count("note: ") == len(named)
    finally:
        machine("clear")
        machine.namespace.nft("flush ruleset")
    assert "note: " not in machine("status").stdout


def test_an_own_address_that_a_host_has(machine):
    machine.sync({A: "192.0.2.1", A6: A6_OUT})
    assert machine("status").stdout.count("note: 192.0.2.1 of wan0 is the external address of 10.0.0.2: ") == 1
    machine.sync({A: A_OUT})
    assert "note: " not in machine("status").stdout
    machine("clear")


ROUTES = [
    #   why                 type of a route to A's external address     is it told
    row("any other",        "",                                         False),
    row("unreachable",      "unreachable",                              True),
    row("blackhole",        "blackhole",                                True),
    row("prohibit",         "prohibit",                                 True),
]


@pytest.mark.parametrize("kind, told", ROUTES)
def test_external_addresses_without_a_route(machine, kind, told):
    machine.sync({A: A_OUT, A6: A6_OUT})
    if kind:
        machine.namespace.ip(f"route add {kind} {A_OUT}\nroute add {kind} {A6_OUT}")
    said = machine("status").stdout
    assert (f"note: this machine has no route to {A_OUT} and 1 more" in said) == told
    assert ("no route" in said) == told
    if kind:
        machine.namespace.ip(f"route del {kind} {A_OUT}\nroute del {kind} {A6_OUT}")
    machine("clear")
