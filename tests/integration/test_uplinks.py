# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with an external address on each of two uplinks: an instance for each, with external-interfaces of its own.

    A (pair) ── la ┐           ┌ wan0 ── X ┐     A_OUT is of wan0, A_DSL of dsl0
    B (pair) ── lb ┤  gateway  ├ dsl0 ── Y ┘ joined with each other, too; Y routes
    C        ── lc ┘           └ vpn0 ── V
"""

import contextlib

import pytest

from net import A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, Namespace
from network import ask, carry, hops
from packets import expression, row
from test_instances import Instance
from test_scope import FAMILIES, Border

WAN, DSL = ["wan0"], ["dsl*"]
DSL_PAIRS = {A: "198.18.0.2", B: "198.18.0.3", A6: "2001:db8:9::2", B6: "2001:db8:9::3"}
WAN_PAIRS = {A: A_OUT, B: B_OUT, A6: A6_OUT, B6: B6_OUT}
# What the uplink of a question is remembered by, and leads its answers.
UPLINK = """table inet uplinks {
    chain prerouting {
        type filter hook prerouting priority mangle
        iifname "dsl0" ct state new ct mark set 2
        ct direction reply meta mark set ct mark
    }
}"""


class Uplinks(Border):
    """X has a way to what is of dsl0, by Y."""

    def __init__(self, make_tool):
        super().__init__(make_tool, firewall="")
        for family in FAMILIES.values():
            self.hosts["x"].ip(f"route add {DSL_PAIRS[family.a]} via {family.back} dev eth1 src {family.x}")
            if family.length == 128:  # who is asked for answers for what is on that very cable
                self.hosts["x"].ip(f"address add {family.x}/128 dev eth1 nodad")

    def load(self, **settings):
        self.dsl = Instance(self.gateway, self.tool.folder, "dsl")
        self.tool.sync(WAN_PAIRS, external_interfaces=WAN, **settings)
        self.dsl.sync(DSL_PAIRS, external_interfaces=DSL, **settings)

    def turned_round(self):
        """As a reload may leave it: chains of one priority run in the order in which they were made."""
        self.tool("clear")
        self.tool.sync(WAN_PAIRS, external_interfaces=WAN)

    @contextlib.contextmanager
    def by_dsl(self, family, *what):
        """A policy rule by which some packets leave by dsl0."""
        version = "-4" if family.length == 32 else "-6"
        route = f"default via {family.y} dev dsl0 onlink table 98".split()
        self.gateway.run("ip", version, "route", "add", *route)
        self.gateway.run("ip", version, "rule", "add", *what, "lookup", "98")
        try:
            yield
        finally:
            self.gateway.run("ip", version, "rule", "del", *what, "lookup", "98")
            self.gateway.run("ip", version, "route", "del", *route)


@pytest.fixture(scope="module", params=["as loaded", "turned round"])
def uplinks(request, make_tool):
    uplinks = Uplinks(make_tool)
    if request.param == "turned round":
        uplinks.turned_round()
    yield uplinks
    uplinks.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


# Who asks whom by which address, and who is seen then; `dsl` is A's address there.
WAYS = [
    row("out",                  "a", "x", "x", "a_out"),
    row("out by the other",     "a", "y", "y", "dsl"),
    row("in",                   "x", "a", "a_out", "x"),
    row("in by the other",      "y", "a", "dsl", "y"),
    row("inside",               "a", "b", "b", "a"),
    row("to the VPN",           "a", "v", "v", "a"),
    row("from the VPN",         "v", "a", "a", "v"),
    row("without a pair",       "c", "y", "y", "c"),
]


@pytest.mark.parametrize("client, server, address, seen", WAYS)
def test_ways(uplinks, family, client, server, address, seen):
    addresses = {**vars(family), "dsl": DSL_PAIRS[family.a]}
    if client == "c":
        uplinks.hosts[server].ip(f"route replace {family.c} via {family.gateway} dev eth0")
    hosts, address, seen = uplinks.hosts, addresses[address], addresses[seen]
    assert ask(hosts[client], hosts[server], address) == (b"hello", seen)
    assert carry(hosts[client], hosts[server], address, b"hello" * 1000)[:2] == (b"hello" * 1000, seen)


def test_another_way_to_the_same_host(uplinks, family):
    """Which uplink a route takes, and so which address is seen, may change at any time."""
    a, x = uplinks.hosts["a"], uplinks.hosts["x"]
    assert ask(a, x, family.x, at=family.x)[1] == family.a_out
    with uplinks.by_dsl(family, "to", family.x):
        assert ask(a, x, family.x, at=family.x)[1] == DSL_PAIRS[family.a]
    assert ask(a, x, family.x, at=family.x)[1] == family.a_out


@expression
def test_traceroute(uplinks, family):
    """From outside and from inside, by either uplink: the gateway's own errors quote what was sent."""
    a, x, y, dsl = uplinks.hosts["a"], uplinks.hosts["x"], uplinks.hosts["y"], DSL_PAIRS[family.a]
    assert hops(y, dsl) == [family.gateway, dsl] and hops(x, family.a_out) == [family.gateway, family.a_out]
    assert hops(a, family.y) == [family.inside, family.y] and hops(a, family.x) == [family.inside, family.x]


def test_each_has_the_pair(uplinks, family):
    assert uplinks.tool.held()[family.a] == family.a_out and uplinks.dsl.held()[family.a] == DSL_PAIRS[family.a]
    assert uplinks.tool("status", "--health").stdout == uplinks.dsl("status", "--health").stdout == "healthy\n"


# Answers to what has come by the uplink that the route does not take.

@pytest.fixture(scope="module")
def followed(make_tool):
    uplinks = Uplinks(make_tool)
    uplinks.load(conntrack="follow")
    uplinks.gateway.nft(UPLINK)
    yield uplinks
    uplinks.close()


@expression
def test_answers_leave_where_the_question_came_in(followed, family):
    """With conntrack, which remembers where that was. X is by wan0 to all else."""
    a, x, dsl = followed.hosts["a"], followed.hosts["x"], DSL_PAIRS[family.a]
    with followed.by_dsl(family, "fwmark", "2"):
        assert ask(x, a, dsl, at=family.a) == (b"hello", family.x)
        assert carry(x, a, dsl, b"hello" * 1000)[:2] == (b"hello" * 1000, family.x)
        assert carry(x, a, family.a_out, b"hello" * 1000)[:2] == (b"hello" * 1000, family.x)
        assert ask(a, x, family.x, at=family.x)[1] == family.a_out


# Which interfaces keep two instances apart.

BORDERS = [
    #   why                         of one              of the other
    row("the same",                 ["wan0"],           ["wan0"]),
    row("one among several",        ["wan0", "ppp0"],   ["dsl0", "ppp0"]),
    row("all that begin so",        ["wan*"],           ["wan0"]),
    row("all that begin longer",    ["wan*"],           ["wan0*"]),
    row("any",                      ["wan0"],           []),
    row("any, of both",             [],                 []),
]


@pytest.fixture(scope="module")
def gateway():
    with contextlib.closing(Namespace("gateway")) as namespace:
        yield namespace


@pytest.fixture
def two(gateway, make_tool, tmp_path):
    two = make_tool(gateway), Instance(gateway, tmp_path, "dsl")
    yield two
    for tool in two:
        tool("clear")


@pytest.mark.parametrize("one, other", BORDERS)
def test_what_may_be_one_interface_is_refused(two, one, other):
    tool, dsl = two
    tool.sync(WAN_PAIRS, external_interfaces=one)
    done = dsl("sync", dsl.configure(DSL_PAIRS, external_interfaces=other), check=False)
    assert done.returncode == 1 and f"{A} is an internal address" in done.stderr
    assert "behind different external-interfaces" in done.stderr and dsl.held() == {}


@pytest.mark.parametrize("one, other", [(["wan0"], ["wan1"]), (["wan0", "ppp*"], ["eth*", "wan", "pp"])])
def test_external_addresses_are_of_one_alone(two, one, other):
    tool, dsl = two
    tool.sync(WAN_PAIRS, external_interfaces=one)
    dsl("sync", dsl.configure(DSL_PAIRS, external_interfaces=other))
    done = dsl("sync", "--force", dsl.configure({A: A_OUT}, external_interfaces=other), check=False)
    assert done.returncode == 1 and f"{A_OUT} is an external address" in done.stderr
    done = tool("add", "10.0.0.77", DSL_PAIRS[A], check=False)
    assert done.returncode == 1 and f"{DSL_PAIRS[A]} is an external address" in done.stderr
    assert dsl.held() == DSL_PAIRS and tool.held() == WAN_PAIRS
