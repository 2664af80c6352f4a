# SPDX-License-Identifier: GPL-2.0-or-later
"""external-interfaces: what leaves or enters there is translated, and hairpin; nothing else, whatever stands around.

    A (pair) ── la ┐           ┌ wan0 ── X ┐
    B (pair) ── lb ┤  gateway  ├ dsl0 ── Y ┘ joined with each other, too
    C        ── lc ┘           └ vpn0 ── V
                                 X, Y and V have ANYCAST as well; routes say who gets it

A forward chain that drops what it does not know, and a masquerade rule for those without a pair, are there always.
"""

import contextlib
import json
import socket
from types import SimpleNamespace

import pytest

from net import A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, C6, PAIRS, PAIRS6, TRACKING, Namespace, cable, until
from network import PORT, ask, carry, hops, ping
from packets import expression, row

FAMILIES = {
    "IPv4": SimpleNamespace(ip="ip", length=32, pairs=PAIRS, a=A, a_out=A_OUT, b=B, b_out=B_OUT, c=C,
                            x="203.0.113.10", y="203.0.113.20", v="172.16.0.2", anycast="203.0.113.99",
                            inside="10.0.0.1", gateway="192.0.2.1", back="192.0.2.66",
                            host="10.0.0.200", other="198.51.100.200"),
    "IPv6": SimpleNamespace(ip="ip6", length=128, pairs=PAIRS6, a=A6, a_out=A6_OUT, b=B6, b_out=B6_OUT, c=C6,
                            x="2001:db8:3::10", y="2001:db8:3::20", v="fd00:9::2", anycast="2001:db8:3::99",
                            inside="fd00:1::1", gateway="2001:db8:2::1", back="2001:db8:2::66",
                            host="fd00:1::200", other="2001:db8:1::200"),
}
FIREWALL = """table inet firewall {
    chain forward {
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        iifname { "wan0", "dsl*" } oifname { "la", "lb", "lc" } ct state untracked accept
        iifname { "la", "lb" } oifname { "wan0", "dsl*" } ct state untracked accept
        iifname "lc" oifname { "wan0", "dsl*" } ct state new accept
        iifname { "la", "lb", "lc" } oifname { "vpn0", "la", "lb", "lc" } ct state new accept
        iifname { "la", "lb" } oifname { "la", "lb" } ct state untracked accept
        iifname "vpn0" oifname { "la", "lb", "lc" } ct state new accept
    }
    chain nat {
        type nat hook postrouting priority srcnat
        oifname { "wan0", "dsl*" } masquerade
    }
}"""
EXTERNAL = ["wan0", "dsl*"]


class Border:
    """All of it may be in a VRF, of which a routing table is."""

    def __init__(self, make_tool, vrf=None, firewall=FIREWALL):
        self.vrf, self.table = vrf, " table 100" if vrf else ""
        self.hosts = {name: Namespace(name) for name in "abcxyv"}
        self.gateway = Namespace("gateway")
        for router in (self.gateway, self.hosts["y"]):
            router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        if vrf:
            self.gateway.ip(f"link add {vrf} type vrf table 100\nlink set {vrf} up")
        for name, interface in (("a", "la"), ("b", "lb"), ("c", "lc"), ("x", "wan0"), ("y", "dsl0"), ("v", "vpn0")):
            self.join(self.hosts[name], name, interface)
        cable(self.hosts["x"], "eth1", self.hosts["y"], "eth1")
        for family in FAMILIES.values():
            for name in "xyv":
                self.hosts[name].ip(f"address add {family.anycast}/{family.length} dev lo")
            self.hosts["x"].ip(f"route add {family.back} dev eth1")
            self.hosts["y"].ip(f"address add {family.back}/{family.length} dev eth1\nroute add {family.x} dev eth1")
            self.gateway.ip(f"route add default via {family.x} dev wan0 onlink{self.table}")
        for one in (self.gateway, *self.hosts.values()):
            one.settled()
        self.gateway.nft(firewall)
        self.tool = make_tool(self.gateway)
        self.load()

    def join(self, host, name, interface):
        """A cable whose ends know each other alone; the host sends everything else there, too."""
        cable(host, "eth0", self.gateway, interface)
        if self.vrf:
            self.gateway.ip(f"link set {interface} master {self.vrf}")
        for family in FAMILIES.values():
            address, length = getattr(family, name), family.length
            mine = family.gateway if name in "xyv" else family.inside
            self.gateway.ip(f"address add {mine}/{length} dev {interface}\n"
                            f"route add {address} dev {interface}{self.table}")
            host.ip(f"address add {address}/{length} dev eth0\nroute add {mine} dev eth0\n"
                    f"route add default via {mine} dev eth0")

    def load(self, **settings):
        self.tool.sync({**PAIRS, **PAIRS6}, **{"external_interfaces": EXTERNAL, **settings})

    def close(self):
        for one in (self.gateway, *self.hosts.values()):
            one.close()


@pytest.fixture(scope="module")
def border(make_tool):
    border = Border(make_tool)
    yield border
    border.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


# Who asks whom by which address, and who is seen then.
WAYS = [
    row("out", "a", "x", "x", "a_out"),
    row("out by the other uplink", "a", "y", "y", "a_out"),
    row("in", "x", "a", "a_out", "x"),
    row("in by the other uplink", "y", "a", "a_out", "y"),
    row("hairpin", "a", "b", "b_out", "a_out"),
    row("hairpin to oneself", "a", "a", "a_out", "a_out"),
    row("inside", "a", "b", "b", "a"),
    row("inside, without a pair", "c", "a", "a", "c"),
    row("to the VPN", "a", "v", "v", "a"),
    row("from the VPN", "v", "a", "a", "v"),
    row("to the VPN without a pair", "c", "v", "v", "c"),
    row("masqueraded", "c", "x", "x", "gateway"),
]


@pytest.mark.parametrize("client, server, address, seen", WAYS)
@pytest.mark.parametrize("carrier", ["UDP", "TCP"])
def test_ways(border, family, client, server, address, seen, carrier):
    hosts, address, seen = border.hosts, getattr(family, address), getattr(family, seen)
    if carrier == "UDP":
        assert ask(hosts[client], hosts[server], address) == (b"hello", seen)
    else:
        assert carry(hosts[client], hosts[server], address, b"hello" * 1000)[:2] == (b"hello" * 1000, seen)


def test_the_gateway_itself(border, family):
    """Towards each side, and from each side, by its own addresses."""
    for name, mine in (("a", family.inside), ("x", family.gateway), ("v", family.gateway)):
        assert ask(border.gateway, border.hosts[name], getattr(family, name)) == (b"hello", mine)
        assert ask(border.hosts[name], border.gateway, mine) == (b"hello", getattr(family, name))


@pytest.mark.parametrize("client, target, seen", [
    row("out", "a", "x", ["inside", "x"], marks=expression),
    row("in", "x", "a_out", ["gateway", "a_out"], marks=expression),
    row("to the VPN", "a", "v", ["inside", "v"]),
    row("from the VPN", "v", "a", ["gateway", "a"]),
    row("inside", "a", "b", ["inside", "b"]),
])
def test_traceroute(border, family, client, target, seen):
    assert hops(border.hosts[client], getattr(family, target)) == [getattr(family, one) for one in seen]


@pytest.mark.parametrize("client, target", [
    row("out", "a", "x", marks=expression),
    row("in", "x", "a_out", marks=expression),
    row("hairpin", "a", "b_out", marks=expression),
    row("to the VPN", "a", "v"),
    row("from the VPN", "v", "a"),
])
def test_nobody_listens(border, family, client, target):
    """The error is about the address that was asked: the socket hears of it. Stock rules do not look at quotes."""
    ip = socket.AF_INET if family.length == 32 else socket.AF_INET6
    with border.hosts[client].socket(ip, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.connect((getattr(family, target), PORT))

        def is_refused():
            """Asks again where the error is held back (net.ipv4.icmp_ratelimit)."""
            try:
                asking.send(b"hello")
                return not asking.recv(100)
            except ConnectionRefusedError:
                return True
            except TimeoutError:
                return False
        assert until(is_refused)


def test_what_is_tracked(border, family):
    """What does not cross the border, and nothing else of a pair."""
    border.gateway.run("conntrack", "-F")
    for client, server, address in (("a", "x", family.x), ("x", "a", family.a_out), ("a", "b", family.b_out),
                                    ("a", "v", family.v), ("v", "b", family.b)):
        ask(border.hosts[client], border.hosts[server], address)
    listing = border.gateway.run("conntrack", "-L", "-p", "udp", "-f", "ipv4" if family.length == 32 else "ipv6").stdout
    ends = {tuple(word.partition("=")[2] for word in line.split() if word.startswith(("src=", "dst=")))[:2]
            for line in listing.splitlines() if f"dport={PORT}" in line}
    assert ends == {(family.a, family.v), (family.v, family.b)}


@contextlib.contextmanager
def rules(border, family, *lines, nft=""):
    """Policy routing and what marks packets for it, for a while."""
    version = "-4" if family.length == 32 else "-6"
    table = f"table {family.ip} marks"
    undo = []
    border.gateway.nft(f"{table} {{ {nft} }}")
    try:
        for line in lines:
            border.gateway.run("ip", version, *line.split())
            words = ["del" if word == "add" else word for word in line.split()]
            undo.insert(0, words)
        yield
    finally:
        for words in undo:
            border.gateway.run("ip", version, *words)
        border.gateway.nft(f"delete {table}")


def mark(family, priority):
    return (f"chain marks {{ type filter hook prerouting priority {priority}; "
            f"{family.ip} daddr {family.anycast} meta mark set 7; }};")


# Who gets ANYCAST, to which the main table has the default route by wan0, and whom they see.
POLICIES = [
    row("by none", [], None, "x", "a_out"),
    row("by source", ["rule add from {a} lookup 99"], None, "v", "a"),
    row("by source, to the other uplink", ["rule add from {a} lookup 98"], None, "y", "a_out"),
    row("by incoming interface", ["rule add iif la lookup 99"], None, "v", "a", marks=expression),
    row("by a mark set before", ["rule add fwmark 7 lookup 99"], "-310", "v", "a"),
    row("by a mark set before, to the other uplink", ["rule add fwmark 7 lookup 98"], "-310", "y", "a_out"),
    row("by a mark set behind", ["rule add fwmark 7 lookup 99"], "mangle", "v", "a"),
    row("by a mark set behind, to the other uplink", ["rule add fwmark 7 lookup 98"], "mangle", "y", "a_out"),
    row("back outside by a mark set behind",
        ["route add {anycast} via {v} dev vpn0 onlink", "rule add fwmark 7 lookup 98"], "mangle", "y", "a_out",
        marks=expression),
    row("by destination", ["route add {anycast} via {v} dev vpn0 onlink"], None, "v", "a"),
    row("unreachable", ["route add unreachable {anycast}"], None, None, None),
]


@pytest.mark.parametrize("lines, priority, server, seen", POLICIES)
def test_policy_routing(border, family, lines, priority, server, seen):
    """What a packet's route says counts, whatever has made it; of marks behind raw, conntrack knows nothing."""
    tables = [f"route add {family.anycast} via {family.v} dev vpn0 onlink table 99",
              f"route add {family.anycast} via {family.y} dev dsl0 onlink table 98"]
    lines = [line.format(**vars(family)) for line in lines]
    nft = mark(family, priority) if priority else ""
    border.gateway.nft('insert rule inet firewall forward iifname "la" ct state untracked accept\n'
                       'insert rule inet firewall forward iifname "la" oifname "dsl0" ct state new accept')
    try:
        with rules(border, family, *tables, *lines, nft=nft):
            if server is None:
                assert "nreachable" in border.hosts["a"].run("ping", "-n", "-c", "1", "-W", "60", family.anycast,
                                                             check=False).stdout
            else:
                assert ask(border.hosts["a"], border.hosts[server], family.anycast, at=family.anycast) == \
                    (b"hello", getattr(family, seen))
    finally:
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)


def test_asymmetric(border, family):
    """Out by one uplink, back by the other."""
    border.hosts["x"].ip(f"route add {family.a_out} via {family.back} dev eth1")
    try:
        assert ask(border.hosts["a"], border.hosts["x"], family.x, at=family.x) == (b"hello", family.a_out)
        assert ping(border.hosts["a"], family.x)
    finally:
        border.hosts["x"].ip(f"route del {family.a_out} via {family.back} dev eth1")


def test_an_interface_that_comes_later(border, family):
    """And one that is renamed: its name of the moment counts."""
    ip, length = ("-4", 32) if family.length == 32 else ("-6", 128)
    new = "203.0.113.77" if length == 32 else "2001:db8:3::77"
    late = Namespace("late")
    try:
        cable(late, "eth0", border.gateway, "dsl7")
        border.gateway.ip(f"address add {family.gateway}/{length} dev dsl7\nroute add {new} dev dsl7")
        late.ip(f"address add {new}/{length} dev eth0\nroute add {family.gateway} dev eth0\n"
                f"route add default via {family.gateway} dev eth0")
        late.settled()
        border.gateway.settled()
        border.hosts["late"] = late
        assert ask(border.hosts["a"], late, new) == (b"hello", family.a_out)
        border.gateway.ip("link set dev dsl7 down\nlink set dev dsl7 name vpn7\nlink set dev vpn7 up")
        border.gateway.run("ip", ip, "address", "replace", f"{family.gateway}/{length}", "dev", "vpn7")
        border.gateway.run("ip", ip, "route", "replace", new, "dev", "vpn7")
        border.gateway.settled()
        border.gateway.nft('insert rule inet firewall forward oifname "vpn7" accept')
        assert ask(border.hosts["a"], late, new) == (b"hello", family.a)
    finally:
        border.hosts.pop("late", None)
        late.close()
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)


@pytest.mark.parametrize("settings", [row("counters of rules", {"counters": "rule"}),
                                      row("exempt", {"exempt_destinations": ["203.0.113.20/32", "2001:db8:3::20/128"]}),
                                      row("fail closed", {"fail_closed": True}),
                                      row("one interface", {"external_interfaces": ["wan0"]}),
                                      row("none", {"external_interfaces": []})])
def test_beside_other_settings(border, family, settings):
    """And back: what a sync makes of it, the next one finds."""
    hosts = border.hosts
    known = hosts["y"]
    exempt = "exempt_destinations" in settings or settings.get("external_interfaces") == ["wan0"]
    border.gateway.nft('insert rule inet firewall forward iifname "la" oifname "dsl0" accept\n'
                       'insert rule inet firewall forward iifname "la" oifname "lb" accept\n'
                       'insert rule inet firewall forward iifname "lb" oifname "la" accept')
    try:
        border.load(**settings)
        assert border.tool("sync", border.tool.file).stdout.startswith("no")
        assert border.tool("diff", "--exit-code", border.tool.file).stdout == ""
        assert ask(hosts["a"], hosts["x"], family.x) == (b"hello", family.a_out)
        assert ask(hosts["x"], hosts["a"], family.a_out) == (b"hello", family.x)
        assert ask(hosts["a"], hosts["b"], family.b_out) == (b"hello", family.a_out)
        assert ask(hosts["a"], known, family.y) == (b"hello", family.gateway if exempt else family.a_out)
        if settings.get("external_interfaces") != []:
            assert ask(hosts["a"], hosts["v"], family.v) == (b"hello", family.a)
            assert ask(hosts["v"], hosts["a"], family.a) == (b"hello", family.v)
        told = json.loads(border.tool("explain", "-j", family.a).stdout)["external_interfaces"]
        assert told == settings.get("external_interfaces", EXTERNAL)
    finally:
        border.load()
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)
    assert ask(hosts["a"], known, family.y) == (b"hello", family.a_out)


def test_an_added_pair_has_the_same(border, family):
    """What add writes comes from what the kernel has."""
    before = border.gateway.run("nft", "list", "chain", family.ip, "statnat", "postrouting").stdout
    border.tool("add", family.host, family.other)
    told = json.loads(border.tool("explain", "-j", family.host).stdout)["external_interfaces"]
    assert told == EXTERNAL
    border.tool("del", family.host)
    assert border.gateway.run("nft", "list", "chain", family.ip, "statnat", "postrouting").stdout == before
    assert ask(border.hosts["a"], border.hosts["v"], family.v) == (b"hello", family.a)


@pytest.fixture(scope="module")
def vrf(make_tool):
    border = Border(make_tool, "red", TRACKING)
    yield border
    border.close()


@pytest.mark.needs("vrf")
@pytest.mark.parametrize("client, server, address, seen", [
    row("out", "a", "x", "x", "a_out"),
    row("in by the other uplink", "y", "a", "a_out", "y"),
    row("hairpin", "a", "b", "b_out", "a_out"),
    row("inside", "a", "b", "b", "a"),
    row("to the VPN", "a", "v", "v", "a"),
    row("from the VPN", "v", "a", "a", "v"),
])
def test_in_a_vrf(vrf, family, client, server, address, seen):
    """Hooks see each packet twice, by its port and by the VRF; routes are the VRF's."""
    assert ask(vrf.hosts[client], vrf.hosts[server], getattr(family, address)) == (b"hello", getattr(family, seen))


@expression
def test_the_hook_goes_with_the_rules(border):
    """The one at the end of prerouting, which lets go of a route that a mark has made void."""
    def listed(family):
        return border.gateway.run("nft", "list", "hooks", family.ip).stdout

    def hooks():
        return [listed(family).count("snat_route_let_go") for family in FAMILIES.values()]
    if "firewall" not in listed(FAMILIES["IPv4"]):
        pytest.skip("this kernel lists no hooks (CONFIG_NETFILTER_NETLINK_HOOK)")
    assert hooks() == [1, 1]
    border.load()
    assert hooks() == [1, 1]
    border.load(external_interfaces=[])
    assert hooks() == [0, 0]
    border.load()
    border.tool("clear")
    assert hooks() == [0, 0]
    border.load()
