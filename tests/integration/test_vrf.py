# SPDX-License-Identifier: GPL-2.0-or-later
"""Customers with the same internal addresses, each in a VRF and with externals of its own, behind one uplink.

    A 10.0.0.2  ─ la ┐ red (table 10)  ┐
    C 10.0.1.9  ─ lc ┘                 ├ gateway out ── X 203.0.113.10
    B 10.0.0.2  ─ lb ─ blue (table 20) ┤
    D 10.0.0.2  ─ ld ──────────────────┘ in no VRF, without a pair: masqueraded

All of it in both families. A firewall follows connections, so that whatever is followed shows.
"""

import socket
from types import SimpleNamespace

import pytest

from net import Namespace, cable, until
from network import ask, carry, family as family_of, hops
from packets import expression, row
from test_instances import Instance
from test_watch import Watcher

pytestmark = pytest.mark.needs("vrf")

FAMILIES = {
    "IPv4": SimpleNamespace(ip="-4", table="ip", length=24, host=32, version=4, inside="10.0.0", a="10.0.0.2",
                            c="10.0.1.9", gate="10.0.0.1", gate_c="10.0.1.1", gateway="192.0.2.1", x="203.0.113.10",
                            late="10.0.3.7", gate_late="10.0.3.1", late_out="198.51.100.7",
                            a_out="198.51.100.2", c_out="198.51.100.9", b_out="198.51.100.66",
                            externals="198.51.100.0/24"),
    "IPv6": SimpleNamespace(ip="-6", table="ip6", length=64, host=128, version=6, inside="fd00:1::", a="fd00:1::2",
                            c="fd00:2::9", gate="fd00:1::1", gate_c="fd00:2::1", gateway="2001:db8:2::1",
                            late="fd00:3::7", gate_late="fd00:3::1", late_out="2001:db8:1::7",
                            x="2001:db8:3::10", a_out="2001:db8:1::2", c_out="2001:db8:1::9", b_out="2001:db8:1::66",
                            externals="2001:db8:1::/64"),
}
EACH = tuple(FAMILIES.values())
RED = {pair: out for one in EACH for pair, out in ((one.a, one.a_out), (one.c, one.c_out), (one.late, one.late_out))}
BLUE = {one.a: one.b_out for one in EACH}
MARKS = {"red": 0x00010000, "blue": 0x00020000}
FIREWALL = """table inet firewall {
    chain forward { type filter hook forward priority filter; policy drop
        ct state established,related accept
        iifname "ld" ct state new accept
        ct state untracked accept
    }
    chain nat { type nat hook postrouting priority srcnat
        iifname "ld" oifname "out" masquerade
    }
}"""


class Border:
    def __init__(self, folder):
        self.gateway, self.x = Namespace("gateway"), Namespace("x")
        self.hosts, self.tables = {name: Namespace(name) for name in "abcd"}, {}
        self.gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        cable(self.x, "eth0", self.gateway, "out")
        for one in EACH:
            self.gateway.ip(f"address add {one.gateway}/{one.host} dev out\nroute add {one.x} dev out")
            self.x.ip(f"address add {one.x}/{one.host} dev eth0\nroute add {one.gateway} dev eth0\n"
                      f"route add {one.externals} via {one.gateway} dev eth0 onlink")
        self.vrf("red", 10)
        self.vrf("blue", 20)
        self.port("a", "red")
        self.port("b", "blue")
        self.port("c", "red")
        self.port("d", None)
        self.gateway.nft(FIREWALL)
        for one in (self.gateway, self.x, *self.hosts.values()):
            one.settled()
        self.red, self.blue = (Instance(self.gateway, folder, name) for name in MARKS)

    def vrf(self, name, table):
        self.tables[name] = table
        self.gateway.ip(f"link add {name} type vrf table {table}\nlink set {name} up")
        for one in EACH:
            self.gateway.run("ip", one.ip, "route", "replace", one.x, "dev", "out", "table", str(table))

    def port(self, name, vrf):
        host, far = self.hosts[name], f"l{name}"
        own_gates = {"c": [(one.c, one.gate_c) for one in EACH], "late": [(one.late, one.gate_late) for one in EACH]}
        cable(host, "eth0", self.gateway, far)
        if vrf:
            self.gateway.ip(f"link set {far} master {vrf}")
        for one, (own, gate) in zip(EACH, own_gates.get(name, [(one.a, one.gate) for one in EACH])):
            if vrf:
                self.gateway.ip(f"address add {gate}/{one.length} dev {far} {'nodad' if one.version == 6 else ''}")
            else:  # where the same network is another one
                self.gateway.ip(f"address add {gate}/{one.host} dev {far} {'nodad' if one.version == 6 else ''}\n"
                                f"route add {own} dev {far}")
            host.ip(f"address add {own}/{one.length} dev eth0 {'nodad' if one.version == 6 else ''}\n"
                    f"route add default via {gate}")

    def sync(self, **settings):
        for tool, pairs in ((self.red, RED), (self.blue, BLUE)):
            tool.sync(pairs, vrf=tool.name, mark=MARKS[tool.name], **settings)

    def followed(self):
        return [line for line in self.gateway.run("conntrack", "-L").stdout.splitlines()
                if any(address in line for one in EACH for address in (one.a_out, one.b_out, one.c_out))]

    def rules(self):
        return [line.replace(" proto 83", "").strip() for version in ("-4", "-6")
                for line in self.gateway.run("ip", version, "rule").stdout.splitlines() if "proto 83" in line]

    def close(self):
        for one in (self.gateway, self.x, *self.hosts.values()):
            one.close()


@pytest.fixture(scope="module")
def border(tmp_path_factory):
    border = Border(tmp_path_factory.mktemp("vrf"))
    border.sync()
    yield border
    border.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


WAYS = [
    #   why                            client server address  seen as
    row("red out",                     "a", "x", "x",      "a_out"),
    row("blue out",                    "b", "x", "x",      "b_out"),
    row("red's other port out",        "c", "x", "x",      "c_out"),
    row("into red",                    "x", "a", "a_out",  "x"),
    row("into blue",                   "x", "b", "b_out",  "x"),
    row("into red's other port",       "x", "c", "c_out",  "x"),
    row("from red to blue",            "a", "b", "b_out",  "a_out"),
    row("from blue to red",            "b", "c", "c_out",  "b_out"),
    row("within red",                  "a", "c", "c_out",  "a_out"),
    row("of no VRF, masqueraded",      "d", "x", "x",      "gateway"),
]


@pytest.mark.parametrize("client, server, address, seen", WAYS)
def test_ways(border, family, client, server, address, seen):
    """And nothing of a pair is followed: its way back would be another one."""
    border.gateway.run("conntrack", "-F")
    ends = {**border.hosts, "x": border.x}
    address, seen = getattr(family, address), getattr(family, seen)
    assert ask(ends[client], ends[server], address) == (b"hello", seen)
    assert carry(ends[client], ends[server], address, bytes(100_000))[:2] == (bytes(100_000), seen)
    if client != "d":
        assert border.followed() == []
        listed = border.gateway.run("conntrack", "-L", "-f", f"ipv{family.version}").stdout
        assert f"src={family.a} " not in listed


@expression
def test_traceroute(border, family):
    """By errors of the gateway and of hosts: in, where they quote a host that two VRFs have, and out."""
    assert hops(border.x, family.a_out) == [family.gateway, family.a_out]
    assert hops(border.x, family.b_out) == [family.gateway, family.b_out]
    for host in "ab":
        assert hops(border.hosts[host], family.x) == [family.gate, family.x]


def refused(client, address):
    """Whether a port where nobody listens is told to be one."""
    with client.socket(family_of(address), socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.connect((address, 9))
        asking.send(b"hello")
        try:
            asking.recv(1)
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            return True


@expression
@pytest.mark.parametrize("client, address", [row("out", "a", "x"), row("in", "x", "b_out"), row("across", "a", "b_out"),
                                             row("back across", "b", "a_out")])
def test_unreachable_ports(border, family, client, address):
    """By an error of the host at the other end, once it does not hold it back (icmp_ratelimit)."""
    until(lambda: refused({**border.hosts, "x": border.x}[client], getattr(family, address)))


@expression
def test_path_mtu(border, family):
    """The gateway's own errors tell X, and the host of the VRF that it is about."""
    border.gateway.ip("link set lb mtu 1400")
    try:
        content = bytes(200_000)
        assert carry(border.x, border.hosts["b"], family.b_out, content)[:2] == (content, family.x)
        assert "1400" in border.x.run("ip", family.ip, "route", "get", family.b_out).stdout
        assert "1400" not in border.x.run("ip", family.ip, "route", "get", family.a_out).stdout
    finally:
        border.gateway.ip("link set lb mtu 1500")
        border.x.run("ip", family.ip, "route", "flush", "cache")


def test_what_the_rules_are(border):
    assert border.rules() == [f"6:\tfrom all fwmark {mark:#x}/{mark:#x} lookup {border.tables[name]}"
                              for _ in EACH for name, mark in MARKS.items()]
    assert border.red("sync", border.red.file).stdout == "nothing to change\n"
    assert border.red("diff", border.red.file).stdout == ""
    assert border.red("status").returncode == 0
    assert border.red("status", "--health").stdout == "healthy\n"


def test_clear_takes_its_own_only(border, family):
    border.gateway.ip("rule add fwmark 0x40000/0x40000 lookup 99 pref 6")
    try:
        border.blue("clear")
        assert [line.split()[-1] for line in border.rules()] == [str(border.tables["red"])] * len(EACH)
        assert "0x40000" in border.gateway.run("ip", "rule").stdout
        assert border.gateway.run("sysctl", "-n", "net.ipv4.fwmark_reflect").stdout == "1\n"
        assert ask(border.hosts["a"], border.x, family.x) == (b"hello", family.a_out)
        border.red("clear")
        assert border.rules() == []
        assert border.gateway.run("sysctl", "-n", "net.ipv4.fwmark_reflect").stdout == "0\n"
    finally:
        border.gateway.ip("rule del fwmark 0x40000/0x40000 lookup 99 pref 6")
        border.sync()


def test_others_bits_of_the_mark_stay(border, family):
    border.gateway.nft("""table inet marks {
        chain pre { type filter hook prerouting priority -310; iifname "out" meta mark set 0x5; }
        chain forward { type filter hook forward priority 10; iifname "out" meta mark & 0xff == 0x5 counter; }
    }""")
    try:
        assert ask(border.x, border.hosts["b"], family.b_out)[0] == b"hello"
        assert "packets 1 " in border.gateway.run("nft", "list", "table", "inet", "marks").stdout
    finally:
        border.gateway.nft("delete table inet marks")


def test_exempt(border, family):
    """Inside a VRF; from one to the other it is their rules that know whom they are about."""
    border.sync(exempt_destinations=["10.0.0.0/8", "fd00::/8"])
    try:
        border.gateway.nft('insert rule inet firewall forward iifname "red" oifname { "la", "lc" } accept')
        assert ask(border.hosts["a"], border.hosts["c"], family.c) == (b"hello", family.a)
        assert ask(border.hosts["a"], border.x, family.x) == (b"hello", family.a_out)
        assert ask(border.x, border.hosts["b"], family.b_out) == (b"hello", family.x)
    finally:
        border.sync()
        border.gateway.nft("delete table inet firewall")
        border.gateway.nft(FIREWALL)


def test_watch_follows_the_vrf(border, family, tmp_path):
    """A VRF that is made anew, with other ports: rules of the tool follow, and so does what passes."""
    watcher = Watcher(border.gateway, border.red.file, tmp_path, ["--instance", "red"])
    try:
        watcher.hears(b"READY=1")
        border.gateway.ip("link del red")
        until(lambda: not any("0x10000" in line for line in border.rules()))
        border.vrf("red", border.tables["red"] + 1)
        border.gateway.ip("link set la master red\nlink set lc master red")
        for one in EACH:
            for name, gate in (("la", one.gate), ("lc", one.gate_c)):
                border.gateway.run("ip", one.ip, "address", "replace", f"{gate}/{one.length}", "dev", name,
                                   *(["nodad"] if one.version == 6 else []))
        until(lambda: border.red("status", "--health", check=False).stdout == "healthy\n" and any(
            "lookup" in line for line in border.rules() if "0x10000" in line))
        until(lambda: border.red("diff", border.red.file).stdout == "")
        border.gateway.settled()
        border.gateway.run("conntrack", "-F")
        assert ask(border.hosts["a"], border.x, family.x) == (b"hello", family.a_out)
        assert ask(border.x, border.hosts["c"], family.c_out) == (b"hello", family.x)
        assert border.followed() == []
    finally:
        watcher.close()


@expression
def test_a_port_that_nobody_has_seen(border, family):
    """Its packets are followed in their first round of hooks, and not any more in the second."""
    late = border.hosts["late"] = Namespace("late")
    try:
        border.port("late", "red")
        late.settled()
        border.gateway.settled()
        border.gateway.run("conntrack", "-F")
        assert border.red("status", "--health", check=False).stdout == "VRF red has other ports\n"
        assert ask(late, border.x, family.x) == (b"hello", family.late_out)
        assert ask(border.x, late, family.late_out) == (b"hello", family.x)
        listed = border.gateway.run("conntrack", "-L", "-f", f"ipv{family.version}").stdout
        assert family.late not in listed and family.late_out not in listed
    finally:
        late.close()
        del border.hosts["late"]
    until(lambda: border.red("status", "--health", check=False).stdout == "healthy\n")


def test_a_vrf_that_is_not_there_yet(border, tmp_path):
    green = Instance(border.gateway, tmp_path, "green")
    settings = {"vrf": "green", "mark": 0x80000}
    said = green("sync", green.configure({"10.0.0.2": "198.51.100.130"}, **settings)).stderr
    assert "there is no VRF green" in said and said.count("\n") == 1
    try:
        border.vrf("green", 40)
        assert green("status", "--health", check=False).stdout == "there is a VRF green by now\n"
        assert green("diff", green.file).stdout.count("policy rule 6: from all fwmark 0x80000/0x80000 lookup 40") == 2
        assert green("sync", green.file).stdout == "nothing to change\nvrf: added 2 policy rules\n"
        border.gateway.ip("link del green")
        assert green("status", "--health", check=False).stdout == "VRF green is gone\n"
    finally:
        assert green("clear").stdout.endswith("vrf: removed 2 policy rules\n")


CLASHES = [
    row("the mark",                {"vrf": "blue", "mark": MARKS["red"]},   "is that of instance red"),
    row("the VRF",                 {"vrf": "red", "mark": 0x80000},         "is an internal address of instance red"),
    row("everybody's addresses",   {},                                      "is an internal address of instance red"),
]


@pytest.mark.parametrize("settings, said", CLASHES)
def test_what_two_cannot_have(border, settings, said):
    done = border.blue("sync", "--force", border.blue.configure({**BLUE, "10.0.0.70": "198.51.100.70"}, **settings),
                       check=False)
    assert done.returncode == 1 and said in done.stderr
    border.sync()
