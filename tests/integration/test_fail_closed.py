# SPDX-License-Identifier: GPL-2.0-or-later
"""fail-closed: while the rules are gone, nothing of a pair passes, and whatever else does pass goes on.

    A 10.0.0.2  fd00:1::2   has a pair  ─┐
    B 10.0.0.3  fd00:1::3   has a pair  ─┼─ switch ─── lan  gateway  out ──────── X 203.0.113.10 2001:db8:3::10
    C 10.0.0.9  fd00:1::9   has none    ─┘                  │
                                                        far │ F 10.0.5.5 fd00:5::5, another network inside

Whatever is left without rules finds a masquerade, as on many a gateway: what then leaves has a wrong source.
"""

import contextlib
import ipaddress
import os
import re
import socket
import threading
from collections import Counter

import pytest
from scapy.layers.inet import UDP

from lan import Lan, answered, speak
from net import A, A6, A6_OUT, A_OUT, ALL_PAIRS, B, C, C6, INSIDE, PAIRS, X, many, until
from network import PORT, ask, family as family_of
from packets import row
from test_watch import Watcher
from tool import Tool

MASQUERADE = """table inet other {
    chain post { type nat hook postrouting priority srcnat; oifname "out" masquerade; }
}"""
FLUSHES = 20
F = {4: "10.0.5.5", 6: "fd00:5::5"}


@pytest.fixture(scope="module")
def lan():
    with contextlib.closing(Lan()) as topology:
        topology.f = topology.another("far", 5)
        topology.gateway.nft(MASQUERADE)
        yield topology


@pytest.fixture
def tool(lan, tmp_path):
    gateway = Tool(lan.gateway, tmp_path)
    yield gateway
    gateway("clear")
    lan.gateway.run("conntrack", "-F")


@pytest.fixture
def closed(tool):
    tool.sync(ALL_PAIRS, fail_closed=True, exempt_destinations=INSIDE)
    return tool


@pytest.fixture
def filtered(tool):
    """Closed, and with a border, behind which filters stand."""
    tool.sync(ALL_PAIRS, fail_closed=True, exempt_destinations=INSIDE, external_interfaces=["out", "ppp*"])
    return tool


def policy(lan):
    """What clear must leave as it was."""
    asked = ("-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all", "link show type dummy",
             "link show type ifb")
    setting = lan.gateway.run("sysctl", "net.ipv4.conf.all.src_valid_mark").stdout
    filters = ("qdisc show", "filter show dev out ingress", "filter show dev out egress")
    return (setting + "".join(lan.gateway.run("ip", *words.split()).stdout for words in asked) +
            "".join(lan.gateway.run("tc", *words.split()).stdout for words in filters))


def arrives(lan, host, source, end, target):
    """The sources and destinations by which a datagram arrives at an end."""
    tap = lan.tap(end)
    speak(host, source, target, "eth0")
    return [(packet.src, packet.dst) for packet in tap.packets(UDP) if packet[UDP].dport == PORT]


def passes(lan, family):
    """All that goes by no pair: a host without one, exempt destinations, the gateway itself."""
    assert answered(lan.c, family.x, 1) == 1
    assert ask(lan.a, lan.f, F[family.version])[1] == family.a
    assert ask(lan.f, lan.a, family.a)[1] == F[family.version]
    assert answered(lan.a, family.gateway, 1) == answered(lan.gateway, family.a, 1) == 1
    assert answered(lan.gateway, family.x, 1) == 1


def translated(lan, family):
    """What pairs are for, both ways and from inside to inside."""
    assert ask(lan.a, lan.x, family.x)[1] == family.a_out
    assert ask(lan.x, lan.a, family.a_out)[1] == family.x
    assert ask(lan.a, lan.b, family.b_out)[1] == family.a_out


def held_back(lan, family):
    """Nothing arrives anywhere, by whatever addresses."""
    assert arrives(lan, lan.a, family.a, lan.x, family.x) == []
    assert arrives(lan, lan.x, family.x, lan.a, family.a_out) == []
    assert arrives(lan, lan.x, family.x, lan.x, family.a_out) == []
    assert arrives(lan, lan.a, family.a, lan.b, family.b_out) == []


LOSSES = [
    row("everything flushed",   f"flush ruleset; {MASQUERADE}"),
    row("tables deleted",       "delete table ip statnat; delete table ip6 statnat"),
    row("rules flushed",        "flush table ip statnat; flush table ip6 statnat"),
    row("switched off",         "add table ip statnat { flags dormant; }; add table ip6 statnat { flags dormant; }"),
]


@pytest.mark.parametrize("commands", LOSSES)
def test_while_the_rules_are_gone(lan, closed, family, commands):
    translated(lan, family)
    passes(lan, family)
    lan.gateway.nft(commands)
    held_back(lan, family)
    passes(lan, family)
    closed("sync", closed.file)
    translated(lan, family)


def test_without_it_they_leave_as_somebody_else(lan, tool, family):
    """What all of this is for."""
    tool.sync(ALL_PAIRS, exempt_destinations=INSIDE)
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    assert arrives(lan, lan.a, family.a, lan.x, family.x) != []


def test_nothing_exempt(lan, tool, family):
    """Then a host with a pair shows it to all, and is held back from all but the gateway."""
    tool.sync(ALL_PAIRS, fail_closed=True)
    assert ask(lan.a, lan.f, F[family.version])[1] == family.a_out
    translated(lan, family)
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    held_back(lan, family)
    assert arrives(lan, lan.a, family.a, lan.f, F[family.version]) == []
    assert answered(lan.a, family.gateway, 1) == 1


class Flows:
    """New flows all the time, each from a port of its own, and by which addresses they arrive."""

    def __init__(self, lan, family):
        self.lan, self.family, self.over = lan, family, threading.Event()
        self.arrived, self.sent = Counter(), 0
        self.tap = lan.tap(lan.x)

    def run(self):
        while not self.over.wait(0.002):
            with self.lan.a.socket(family_of(self.family.x), socket.SOCK_DGRAM) as one:
                with contextlib.suppress(OSError):
                    one.sendto(b"", (self.family.x, PORT))
            self.sent += 1

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.arrived.update(packet.src for packet in self.tap.packets(UDP) if packet[UDP].dport == PORT)


# Of packets that another processor has between prerouting and postrouting in the very moment of a flush: some
# millionths of a second, two hundred times a second.
MOST_IN_FLIGHT = 2 if os.cpu_count() > 1 else 0


def flush_again_and_again(lan, tool, family):
    with Flows(lan, family) as flows:
        for _ in range(FLUSHES):
            lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
            before = flows.sent
            until(lambda: flows.sent > before + 10)
            tool("sync", tool.file)
        before = flows.sent
        until(lambda: flows.sent > before + 20)
    return flows.arrived


def test_flushed_in_the_middle(lan, closed, family):
    """No flow has a wrong source."""
    arrived = flush_again_and_again(lan, closed, family)
    right = arrived.pop(family.a_out)
    assert right >= 20 and arrived.total() <= MOST_IN_FLIGHT, arrived


def test_with_a_border_none_passes(lan, filtered, family):
    """What is in flight in that moment meets a filter behind all hooks."""
    translated(lan, family)
    arrived = flush_again_and_again(lan, filtered, family)
    assert set(arrived) == {family.a_out} and arrived[family.a_out] >= 20


def test_a_filter_drops_what_no_rule_has_let_through(lan, filtered, family):
    """As in the middle of a flush: prerouting stands, postrouting does not any more."""
    table = {4: "ip statnat", 6: "ip6 statnat"}[family.version]
    assert arrives(lan, lan.a, family.a, lan.x, family.x) == [(family.a_out, family.x)]
    lan.gateway.nft(f"flush chain {table} postrouting")
    assert arrives(lan, lan.a, family.a, lan.x, family.x) == []
    without = {4: C, 6: C6}[family.version]
    assert arrives(lan, lan.c, without, lan.x, family.x) == []  # nobody can tell whose it is
    assert ask(lan.a, lan.f, F[family.version])[1] == family.a
    assert answered(lan.gateway, family.x, 1) == 1
    filtered("sync", filtered.file)
    translated(lan, family)
    passes(lan, family)


def test_with_a_border_while_the_rules_are_gone(lan, filtered, family):
    translated(lan, family)
    passes(lan, family)
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    held_back(lan, family)
    passes(lan, family)
    filtered("sync", filtered.file)
    translated(lan, family)


def test_filters_come_and_go(lan, tool):
    before = policy(lan)
    shown = tool("diff", tool.configure(ALL_PAIRS, fail_closed=True, external_interfaces=["out"])).stdout
    assert "+ filter on out: drop fwmark 0x8000000/0x8000000\n" in shown
    assert "added 1 filter" in tool("sync", tool.file).stdout
    assert "statnat drops fwmark 0x8000000" in policy(lan)
    assert tool("diff", "--exit-code", tool.file).stdout == ""
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    tool.sync(ALL_PAIRS, fail_closed=True)
    assert "clsact" not in policy(lan)
    tool.sync(ALL_PAIRS, fail_closed=True, mark=0x80000000, external_interfaces=["out"])
    assert "statnat drops fwmark 0x80000000" in policy(lan)
    assert "removed 1 filter" in tool("clear").stdout
    assert policy(lan) == before


@pytest.mark.parametrize("filters", [
    row("none yet", None),
    row("one", "filter add dev out egress pref 7 protocol all u32 match u32 0 0 action mirred egress mirror dev lan"),
])
def test_what_others_have_for_filters_stays(lan, holder, tool, filters):
    if filters:
        lan.gateway.run("tc", *filters.split())
    before = policy(lan)
    tool.sync(ALL_PAIRS, fail_closed=True, external_interfaces=["out"])
    assert policy(lan) != before
    tool("clear")
    assert policy(lan) == before


def test_an_interface_that_comes_has_one(lan, filtered, tmp_path):
    watcher = Watcher(lan.gateway, filtered.file, tmp_path)
    try:
        watcher.hears(b"READY=1")
        lan.gateway.ip("link add ppp3 type veth peer name ppp4")
        until(lambda: filtered("status", "--health", check=False).stdout == "healthy\n")
        for name in ("ppp3", "ppp4"):
            assert "statnat drops" in lan.gateway.run("tc", "filter", "show", "dev", name, "egress").stdout
        lan.gateway.ip("link del ppp3")
        assert filtered("status", "--health").stdout == "healthy\n"
    finally:
        watcher.close()


@pytest.fixture
def holder(lan):
    """Where the kernel makes one, it has nothing leave by the interface for a moment."""
    lan.gateway.run("tc", "qdisc", "add", "dev", "out", "clsact")
    yield
    lan.gateway.run("tc", "qdisc", "del", "dev", "out", "clsact")


def test_syncs_leave_no_gap(lan, holder, closed, family):
    """Nor do they hold anything back: switched off and on, with another bit, at a border, and with other pairs."""
    variants = [{"fail_closed": False}, {"fail_closed": True, "mark": 0x10000000}, {"fail_closed": True},
                {"fail_closed": True, "external_interfaces": ["out"]}]
    with Flows(lan, family) as flows:
        for number in range(12):
            pairs = {**ALL_PAIRS, **many(number)}
            closed.sync(pairs, exempt_destinations=INSIDE, **variants[number % 4])
    assert set(flows.arrived) == {family.a_out} and flows.arrived[family.a_out] == flows.sent


def test_it_comes_and_goes_as_a_whole(lan, tool):
    """Beside rules of others, which stay."""
    lan.gateway.ip("rule add pref 3 from 10.99.0.0/16 lookup 99\nrule add pref 2000 fwmark 1/1 lookup 99")
    try:
        before = policy(lan)
        shown = tool("diff", tool.configure(ALL_PAIRS, fail_closed=True)).stdout
        assert "+ policy rule 4: from 10.0.0.2/31 blackhole\n" in shown
        said = tool("sync", tool.file).stdout
        assert re.search(r"fail-closed: added \d+ policy rules, added \d+ routes, changed 1 setting\n", said)
        assert tool("diff", "--exit-code", tool.file).stdout == ""
        assert tool("sync", tool.file).stdout == "nothing to change\n"
        assert "fail-closed: removed" in tool("clear").stdout
        assert policy(lan) == before
        tool.sync(ALL_PAIRS, fail_closed=True)
        tool.sync(ALL_PAIRS)
        assert policy(lan) == before
        tool.sync(ALL_PAIRS, fail_closed=True)
        tool.sync({}, fail_closed=True)
        assert policy(lan) == before
    finally:
        lan.gateway.ip("rule del pref 3 from 10.99.0.0/16 lookup 99\nrule del pref 2000 fwmark 1/1 lookup 99")


def test_cleared_but_closed(lan, closed, family):
    """As the unit does when it is stopped."""
    closed("clear", "--keep-closed")
    held_back(lan, family)
    passes(lan, family)
    closed("clear")
    assert arrives(lan, lan.a, family.a, lan.x, family.x) != []


@pytest.mark.parametrize("border, removed", [
    row("inbound goes on",          [],         "ip rule del pref 2"),
    row("outbound goes on",         [],         "ip -6 rule del pref 4"),
    row("pairs do not pass",        [],         "ip rule del pref 1"),
    row("no device to drop",        [],         "ip link del statnat0"),
    row("no filter",                ["out"],    "tc filter del dev out egress pref 1"),
    row("nothing holds filters",    ["out"],    "tc qdisc del dev out clsact"),
])
def test_a_breach_is_told_and_mended(lan, tool, border, removed):
    tool.sync(ALL_PAIRS, fail_closed=True, exempt_destinations=INSIDE, external_interfaces=border)
    assert tool("status", "--health").stdout == "healthy\n"
    lan.gateway.run(*removed.split())
    health = tool("status", "--health", check=False)
    assert health.returncode == 1 and " is gone" in health.stdout
    assert tool("status", check=False).returncode == 1
    assert tool("diff", "--exit-code", tool.file, check=False).returncode == 3
    tool("sync", tool.file)
    assert tool("status", "--health").stdout == "healthy\n"


def test_watch_mends_it(lan, closed, tmp_path):
    watcher = Watcher(lan.gateway, closed.file, tmp_path)
    try:
        watcher.hears(b"READY=1")
        lan.gateway.ip("rule del pref 4")
        until(lambda: closed("status", "--health", check=False).stdout == "healthy\n")
        assert any("policy rule 4" in line for line in watcher.lines())
    finally:
        watcher.close()


def test_rules_of_others(lan, closed, family):
    """What others do by marks, they go on doing, with a mask where they ask."""
    version = f"-{family.version}"
    lan.gateway.nft("""table inet marks {
        chain pre { type filter hook prerouting priority mangle; udp dport 4000 meta mark set meta mark | 0x2; }
    }""")
    lan.gateway.run("ip", version, "rule", "add", "pref", "2000", "fwmark", "0x2/0x2", "prohibit")
    try:
        assert arrives(lan, lan.a, family.a, lan.x, family.x) == []
        assert answered(lan.a, family.x, 1) == 1
    finally:
        lan.gateway.run("ip", version, "rule", "del", "pref", "2000", "fwmark", "0x2/0x2", "prohibit")
        lan.gateway.nft("delete table inet marks")
    translated(lan, family)


def test_one_pair_more_and_less(lan, tool, family):
    """add and del see to it as well."""
    tool.sync({B: "198.51.100.3"}, fail_closed=True)
    tool("add", family.a, family.a_out, "--config", tool.file)
    assert tool("status").returncode == 0
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    held_back_one = [arrives(lan, lan.a, family.a, lan.x, family.x),
                     arrives(lan, lan.x, family.x, lan.a, family.a_out)]
    assert held_back_one == [[], []]
    tool("sync", tool.file)
    assert ask(lan.b, lan.x, X)[1] == "198.51.100.3"
    tool("del", B, "--config", tool.file)
    assert tool("status").stdout.startswith("nothing is installed")
    assert arrives(lan, lan.b, B, lan.x, X) != []


def test_neighbours_are_answered_for(lan, tool, family):
    """Where external addresses are in a connected network, both need the same device."""
    near = {4: "192.0.2.102", 6: "2001:db8:2::102"}[family.version]
    lan.x.ip(f"route add {near} dev eth0 src {family.x}")
    try:
        tool.sync({family.a: near}, fail_closed=True, neighbours=True)
        assert ask(lan.x, lan.a, near)[1] == family.x
        tool.sync({family.a: near}, fail_closed=True, neighbours=False)
        lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
        assert arrives(lan, lan.x, family.x, lan.a, near) == []
        tool.sync({family.a: near}, neighbours=True)
        assert ask(lan.x, lan.a, near)[1] == family.x
    finally:
        lan.x.ip(f"route del {near} dev eth0\nneigh flush dev eth0")


@pytest.mark.parametrize("pairs, most", [(many(100_000), 20), (dict(list(many(100_000).items())[::100]), 260)],
                         ids=["a hundred thousand", "a thousand, scattered"])
def test_few_rules(lan, tool, pairs, most):
    """However many pairs; hosts in between are not held back as long as there are rules."""
    tool.sync({**pairs, A: A_OUT}, fail_closed=True)
    assert len(lan.gateway.run("ip", "rule").stdout.splitlines()) < most + 10
    translated_one = ask(lan.a, lan.x, X)[1]
    assert translated_one == A_OUT and answered(lan.c, X, 1) == 1
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    assert arrives(lan, lan.a, A, lan.x, X) == []
    inside = [ipaddress.ip_address(internal) for internal in pairs]
    sources = [ipaddress.ip_network(line.split()[2]) for line in lan.gateway.run("ip", "rule").stdout.splitlines()
               if line.endswith("blackhole proto 83")]
    assert all(any(address in network for network in sources) for address in inside[:: len(inside) // 100])


@pytest.mark.expression
def test_prefixes(lan, tool, family):
    pairs = {"10.0.0.0/24": "198.51.100.0/24", "fd00:1::/64": "2001:db8:1::/64"}
    tool.sync(pairs, fail_closed=True)
    assert ask(lan.x, lan.a, family.a_out)[1] == family.x
    assert ask(lan.c, lan.x, family.x)[1] != family.c
    assert answered(lan.a, family.gateway, 1) == 1
    lan.gateway.nft(f"flush ruleset; {MASQUERADE}")
    held_back_all = arrives(lan, lan.a, family.a, lan.x, family.x) + arrives(lan, lan.c, family.c, lan.x, family.x) + \
        arrives(lan, lan.x, family.x, lan.a, family.a_out)
    assert held_back_all == []


@pytest.mark.parametrize("mark", [0, 3, -1, 1 << 32, "0x08000000", True])
def test_a_bad_mark_is_refused(tool, mark):
    done = tool("check", tool.configure(PAIRS, fail_closed=True, mark=mark), check=False)
    assert done.returncode == 2 and "legal is one bit of 32, such as 0x08000000" in done.stderr


def test_what_is_kept_and_rendered(lan, tool):
    tool.sync(ALL_PAIRS, fail_closed=True, mark=0x40000000)
    assert "meta mark set meta mark | 0x40000000" in tool("render", tool.file).stdout
    assert "fwmark 0x40000000/0x40000000" in lan.gateway.run("ip", "rule").stdout
    assert A in tool.held() and A6 in tool.held() and C not in tool.held() and A6_OUT in tool.held().values()
