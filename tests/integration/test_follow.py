# SPDX-License-Identifier: GPL-2.0-or-later
"""conntrack = "follow": pairs are translated statelessly, and conntrack knows their flows by internal addresses.

    A (pair) ── la ┐           ┌ wan0 ── X ┐
    B (pair) ── lb ┤  gateway  ├ dsl0 ── Y ┘ joined with each other, too; Y routes
    C        ── lc ┘           └ vpn0 ── V

A forward chain that drops all but what conntrack knows, what the inside begins and one service of A, as any firewall
has them and without a word about pairs; and a masquerade rule, which must not take what is of a pair.
"""

import contextlib
import json
import socket

import pytest

from net import A, A6, INSIDE, until
from network import PORT, ask, carry, hops, ping
from packets import expression, row
from test_scope import EXTERNAL, FAMILIES, Border

pytestmark = expression

CLOSED = PORT + 1
IP_RECVERR, IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h
FIREWALL = f"""table inet firewall {{
    chain forward {{
        type filter hook forward priority filter; policy drop
        ct state invalid counter drop
        ct state established,related accept
        ct state untracked counter drop
        iifname {{ "la", "lb", "lc" }} ct state new accept
        iifname {{ "wan0", "dsl*", "vpn0" }} ip daddr {A} meta l4proto {{ tcp, udp }} th dport {PORT}-{CLOSED} accept
        iifname {{ "wan0", "dsl*", "vpn0" }} ip6 daddr {A6} meta l4proto {{ tcp, udp }} th dport {PORT}-{CLOSED} accept
    }}
    chain input {{
        type filter hook input priority filter; policy drop
        ct state invalid drop
        ct state established,related accept
        meta l4proto ipv6-icmp accept
        ip protocol icmp accept
    }}
    chain nat {{
        type nat hook postrouting priority srcnat
        oifname {{ "wan0", "dsl*", "lb" }} masquerade
    }}
}}"""
SETTINGS = {
    "plain": {"external_interfaces": []},
    "exempt": {"external_interfaces": [], "exempt_destinations": [*INSIDE, "172.16.0.0/12"]},
    "border": {"external_interfaces": EXTERNAL},
}


class Followed(Border):
    def load(self, **settings):
        super().load(**{"conntrack": "follow", "external_interfaces": [], **settings})

    def entries(self, family, protocol="udp"):
        """Of conntrack: source and destination of what began, and of what answers."""
        version = "ipv4" if family.length == 32 else "ipv6"
        listing = self.gateway.run("conntrack", "-L", "-p", protocol, "-f", version).stdout
        return {tuple(word.partition("=")[2] for word in line.split() if word.startswith(("src=", "dst=")))
                for line in listing.splitlines() if f"dport={PORT}" in line}


@pytest.fixture(scope="module", params=SETTINGS)
def border(request, make_tool):
    border = Followed(make_tool, firewall=FIREWALL)
    border.load(**SETTINGS[request.param])
    border.settings = request.param
    yield border
    border.close()


@pytest.fixture(scope="module")
def plain(make_tool):
    border = Followed(make_tool, firewall=FIREWALL)
    yield border
    border.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


# Who asks whom by which address, who is seen then, and whom conntrack takes for the one who is asked.
WAYS = [
    row("out", "a", "x", "x", "a_out"),
    row("out by the other uplink", "a", "y", "y", "a_out"),
    row("in", "x", "a", "a_out", "x"),
    row("in by the other uplink", "y", "a", "a_out", "y"),
    row("hairpin", "a", "b", "b_out", "a_out"),
    row("hairpin to oneself", "a", "a", "a_out", "a_out"),
    row("masqueraded", "c", "x", "x", "gateway"),
]


@pytest.mark.parametrize("client, server, address, seen", WAYS)
@pytest.mark.parametrize("carrier", ["UDP", "TCP"])
def test_ways(border, family, client, server, address, seen, carrier):
    """And all that conntrack knows of it has internal addresses."""
    border.gateway.run("conntrack", "-F")
    hosts, address, seen = border.hosts, getattr(family, address), getattr(family, seen)
    if carrier == "UDP":
        assert ask(hosts[client], hosts[server], address) == (b"hello", seen)
    else:
        assert carry(hosts[client], hosts[server], address, b"hello" * 1000)[:2] == (b"hello" * 1000, seen)
    one, other = getattr(family, client), getattr(family, server)
    back = family.gateway if client == "c" else one
    assert border.entries(family, carrier.lower()) == {(one, other, other, back)}


@pytest.mark.parametrize("border", ["exempt", "border"], indirect=True)
def test_what_is_exempt(border, family):
    """Stays as it is, beside hairpin between the same two; to B everything is masqueraded that nobody keeps."""
    border.gateway.run("conntrack", "-F")
    a, b, v = (border.hosts[name] for name in "abv")
    assert ask(a, b, family.b) == (b"hello", family.inside)
    assert ask(a, b, family.b_out) == (b"hello", family.a_out)
    assert ask(a, v, family.v) == (b"hello", family.a)
    assert border.entries(family) == {(family.a, family.b, family.b, family.inside),
                                      (family.a, family.b, family.b, family.a),
                                      (family.a, family.v, family.v, family.a)}


def test_unsolicited(border, family):
    """To a host, or a port, that the firewall knows nothing of."""
    hosts = border.hosts
    with hosts["b"].socket(socket.AF_INET if family.length == 32 else socket.AF_INET6, socket.SOCK_DGRAM) as silent:
        silent.bind(("", PORT))
        with hosts["x"].socket(silent.family, socket.SOCK_DGRAM) as asking:
            asking.sendto(b"hello", (family.b_out, PORT))
        assert ask(hosts["x"], hosts["a"], family.a_out) == (b"hello", family.x)  # which takes the same way
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(100)


@pytest.mark.parametrize("client, target, seen", [
    row("out", "a", "x", ["inside", "x"]),
    row("in", "x", "a_out", ["gateway", "a_out"]),
])
def test_traceroute(border, family, client, target, seen):
    """By UDP to a port that is closed, and each error passes as related, by internal addresses."""
    options = ["-U", "-p", str(CLOSED)] if client == "x" else []
    assert hops(border.hosts[client], getattr(family, target), *options) == [getattr(family, one) for one in seen]


@pytest.mark.parametrize("client, target", [row("out", "a", "x"), row("in", "x", "a_out"),
                                            row("hairpin", "a", "b_out")])
def test_nobody_listens(border, family, client, target):
    """The error is about the address that was asked: the socket hears of it."""
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


@contextlib.contextmanager
def narrow(router, interface):
    """For a while, and nobody remembers it."""
    router.ip(f"link set {interface} mtu 1300")
    yield
    router.ip(f"link set {interface} mtu 1500")


@pytest.mark.parametrize("client, server, address, interface", [
    row("out", "a", "x", "x", "wan0"),
    row("in", "x", "a", "a_out", "la"),
])
def test_path_mtu(border, family, client, server, address, interface):
    content = bytes(range(256)) * 400
    hosts = border.hosts
    with narrow(border.gateway, interface):
        received, _, mtu = carry(hosts[client], hosts[server], getattr(family, address), content)
    hosts[client].run("ip", "route", "flush", "cache")
    hosts[client].run("ip", "-6", "route", "flush", "cache")
    assert received == content and mtu == 1300


def test_errors_of_a_router_outside(border, family):
    """Y, in between: its errors come from an address that conntrack has never seen."""
    far = "203.0.113.50" if family.length == 32 else "2001:db8:3::50"
    y, x = border.hosts["y"], border.hosts["x"]
    x.ip(f"address add {far}/{family.length} dev eth1")
    x.settled()
    y.ip(f"route add {far} dev eth1")
    border.gateway.ip(f"route add {far} via {family.y} dev dsl0 onlink")
    try:
        assert hops(border.hosts["a"], far) == [family.inside, family.y, far]
        content = bytes(range(256)) * 400
        with narrow(y, "eth1"):
            received, seen, mtu = carry(border.hosts["a"], x, far, content)
        assert (received, seen, mtu) == (content, family.a_out, 1300)
    finally:
        border.gateway.ip(f"route del {far} via {family.y} dev dsl0")
        y.ip(f"route del {far} dev eth1")
        x.ip(f"address del {far}/{family.length} dev eth1")
        for version in ("-4", "-6"):
            border.hosts["a"].run("ip", version, "route", "flush", "cache")


def test_who_does_not_answer(border, family):
    """A pair whose host is not there: the gateway's error is about the external address."""
    border.tool("add", family.host, family.other)
    border.gateway.ip(f"route add {family.host} dev la")
    border.gateway.nft(f"insert rule inet firewall forward {family.ip} daddr {family.host} accept")
    try:
        ip = socket.AF_INET if family.length == 32 else socket.AF_INET6
        with border.hosts["x"].socket(ip, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            # An error that may pass is told only to who asks for it.
            asking.setsockopt(*((socket.IPPROTO_IP, IP_RECVERR) if family.length == 32 else
                                (socket.IPPROTO_IPV6, IPV6_RECVERR)), 1)
            asking.connect((family.other, PORT))

            def is_unreachable():
                try:
                    asking.send(b"hello")
                    return not asking.recv(100)
                except TimeoutError:
                    return False
                except OSError:
                    return True
            assert until(is_unreachable)
    finally:
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)
        border.gateway.ip(f"route del {family.host} dev la")
        border.tool("del", family.host)


def test_no_connection_is_picked_up(border, family):
    """Where conntrack takes none that it has not seen begin, it has seen all of these."""
    border.gateway.sysctl(net__netfilter__nf_conntrack_tcp_loose=0)
    hosts, content = border.hosts, b"hello" * 100000
    try:
        for client, server, address, seen in (("a", "x", "x", "a_out"), ("x", "a", "a_out", "x"),
                                              ("a", "b", "b_out", "a_out")):
            assert carry(hosts[client], hosts[server], getattr(family, address), content)[:2] == \
                (content, getattr(family, seen))
    finally:
        border.gateway.sysctl(net__netfilter__nf_conntrack_tcp_loose=1)


def test_a_reset_of_the_firewall(border, family):
    """In the name of a host that has a pair, and from its external address."""
    border.gateway.nft(f"insert rule inet firewall forward tcp dport {CLOSED} reject with tcp reset")
    try:
        ip = socket.AF_INET if family.length == 32 else socket.AF_INET6
        with border.hosts["x"].socket(ip, socket.SOCK_STREAM) as asking:
            asking.settimeout(60)
            with pytest.raises(ConnectionRefusedError):
                asking.connect((family.a_out, CLOSED))
    finally:
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)


def test_counted_once(plain, family):
    """Also the packet that begins a connection, of which the guard asks, too."""
    before = plain.tool.counters(family.a)
    ask(plain.hosts["a"], plain.hosts["x"], family.x)
    after = plain.tool.counters(family.a)
    assert (after[0] - before[0], after[2] - before[2]) == (1, 1)


def test_a_port_that_leads_elsewhere(plain, family):
    """Rules of type nat have a say in what conntrack follows, and their answers leave from the external address."""
    hosts, to = plain.hosts, f"[{family.b}]" if family.length == 128 else family.b
    plain.gateway.nft(f"""table {family.ip} elsewhere {{
        chain prerouting {{
            type nat hook prerouting priority dstnat
            {family.ip} daddr {family.a} udp dport {CLOSED} dnat to {to}:{PORT}
        }}
    }}
    insert rule inet firewall forward ct status dnat accept""")
    try:
        with hosts["b"].socket(socket.AF_INET if family.length == 32 else socket.AF_INET6, socket.SOCK_DGRAM) as asked:
            with hosts["x"].socket(asked.family, socket.SOCK_DGRAM) as asking:
                asked.bind(("", PORT))
                asked.settimeout(60)
                asking.settimeout(60)
                asking.connect((family.a_out, CLOSED))
                asking.send(b"hello")
                heard, peer = asked.recvfrom(100)
                asked.sendto(heard, peer)
                assert asking.recv(100) == b"hello"
    finally:
        plain.gateway.nft(f"delete table {family.ip} elsewhere\ndelete table inet firewall")
        plain.gateway.nft(FIREWALL)


def test_without_the_guard(plain, family):
    """A masquerade rule takes the pair, which status tells and a sync cures."""
    plain.gateway.run("conntrack", "-F")
    plain.gateway.nft(f"delete chain {family.ip} statnat guard")
    assert ask(plain.hosts["a"], plain.hosts["x"], family.x) == (b"hello", family.gateway)
    assert "guard" in plain.tool("status", check=False).stdout
    plain.tool("sync", plain.tool.file)
    plain.gateway.run("conntrack", "-F")
    assert ask(plain.hosts["a"], plain.hosts["x"], family.x) == (b"hello", family.a_out)


@pytest.mark.parametrize("settings", [row("counters of rules", {"counters": "rule"}),
                                      row("fail closed", {"fail_closed": True}),
                                      row("fail closed at the border",
                                          {"fail_closed": True, "external_interfaces": EXTERNAL}),
                                      row("exempt", {"exempt_destinations": INSIDE}),
                                      row("bypass", {"conntrack": "bypass"})])
def test_beside_other_settings(plain, settings):
    """And back: what a sync makes of it, the next one finds."""
    follow = settings.get("conntrack") != "bypass"
    word = "follow" if follow else "bypass"
    if not follow:
        plain.gateway.nft("insert rule inet firewall forward ct state untracked accept")
    try:
        plain.load(**settings)
        assert plain.tool("sync", plain.tool.file).stdout.startswith("no")
        assert plain.tool("diff", "--exit-code", plain.tool.file).stdout == ""
        status = plain.tool("status", "-j")
        assert json.loads(status.stdout)["conntrack"] == word
        for family in FAMILIES.values():
            assert ask(plain.hosts["a"], plain.hosts["x"], family.x) == (b"hello", family.a_out)
            assert ask(plain.hosts["x"], plain.hosts["a"], family.a_out) == (b"hello", family.x)
            explained = plain.tool("explain", family.a).stdout
            assert ("followed" in explained) == follow
    finally:
        plain.gateway.nft("delete table inet firewall")
        plain.gateway.nft(FIREWALL)
        plain.load()
        plain.gateway.run("conntrack", "-F")


def test_rendered_and_saved(plain, tmp_path):
    """What render writes, and what a listing of the whole ruleset says, loads again as the same."""
    rendered, listed = tmp_path / "rendered.nft", tmp_path / "listed.nft"
    rendered.write_text(plain.tool("render", plain.tool.file).stdout)
    plain.tool("nft", "-f", rendered)
    assert plain.tool("diff", "--exit-code", plain.tool.file).stdout == ""
    listed.write_text("flush ruleset\n" + plain.tool("nft", "list", "ruleset").stdout)
    plain.tool("nft", "-f", listed)
    assert plain.tool("diff", "--exit-code", plain.tool.file).stdout == ""
    assert "snat to ip6 saddr" in listed.read_text()


def test_an_added_pair_has_the_same(plain):
    plain.tool("add", "10.0.0.9", "198.51.100.9")
    try:
        plain.gateway.run("conntrack", "-F")
        family = FAMILIES["IPv4"]
        assert ask(plain.hosts["c"], plain.hosts["x"], family.x) == (b"hello", "198.51.100.9")
        assert plain.entries(family) == {(family.c, family.x, family.x, family.c)}
    finally:
        plain.tool("sync", "--force", plain.tool.file)


def test_flowtable(plain):
    """Whose flows pass by all rules: it is said, by those who see it."""
    plain.gateway.nft("""table inet fast {
        flowtable f { hook ingress priority 0; devices = { "la", "wan0" }; }
    }""")
    try:
        assert "flowtable inet fast f" in plain.tool("sync", plain.tool.file).stderr
        assert "flowtable inet fast f" in plain.tool("status").stdout
        findings = json.loads(plain.tool("doctor", "-j", plain.tool.file, check=False).stdout)
        assert "flowtable inet fast f" in json.dumps(findings)
    finally:
        plain.gateway.nft("delete table inet fast")


def test_prefixes(plain, family):
    """A pair of prefixes around the hosts, and of IPv6 without a change of checksums."""
    pairs = {"10.0.0.0/24": "198.51.100.0/24"} if family.length == 32 else {"fd00:1::/48": "2001:db8:1::/48"}
    settings = {"conntrack": "follow", **({"npt": True} if family.length == 128 else {})}
    plain.tool.sync(pairs, **settings)
    try:
        plain.gateway.run("conntrack", "-F")
        heard, seen = ask(plain.hosts["a"], plain.hosts["x"], family.x)
        assert heard == b"hello" and seen.startswith("198.51.100." if family.length == 32 else "2001:db8:1:")
        assert plain.entries(family) == {(family.a, family.x, family.x, family.a)}
        assert ask(plain.hosts["x"], plain.hosts["a"], seen) == (b"hello", family.x)
        assert ping(plain.hosts["a"], family.x)
    finally:
        plain.load()
