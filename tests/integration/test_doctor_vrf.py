# SPDX-License-Identifier: GPL-2.0-or-later
"""What `doctor` finds where the inside is in a VRF, beside another one with the same addresses, and in none.

    A 10.0.0.2  ─ la ─ red (table 10)  ┐
    B 10.0.0.2  ─ lb ─ blue (table 20) ┼ gateway  out ─── 192.0.2.2  X
    D 10.0.0.2  ─ ld ──────────────────┘
"""

import contextlib
import os
import socket

import pytest

from net import (A, A6, A6_OUT, A_OUT, B6_OUT, B_OUT, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, R2, R2_6,
                 Namespace, cable)
from network import ask
from packets import row
from test_doctor import BREAKS, ECHO_REQUEST, ETH_P_ALL, MAY, REJECT, TABLE, find_and_cure, findings, heard, nft
from test_instances import Instance
from tool import TOOL

pytestmark = pytest.mark.needs("vrf")

RED, BLUE = {A: A_OUT, A6: A6_OUT}, {A: B_OUT, A6: B6_OUT}
MARKS, TABLES = {"red": 0x00010000, "blue": 0x00020000}, {"red": 10, "blue": 20}
# As the kernel's documentation has it: what the VRF has no route to goes nowhere, and not by everybody's routes.
NOWHERE = "metric 4278198272"


class Lines:
    def __init__(self):
        self.gateway, self.x, *hosts = (Namespace(role) for role in ("gateway", "x", "a", "b", "d"))
        self.hosts = dict(zip("abd", hosts))
        for one in (self.gateway, self.x, *hosts):
            one.sysctl(net__ipv6__conf__default__accept_dad=0)
        self.gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        cable(self.gateway, "out", self.x, "eth0")
        self.x.ip(f"address add {R2}/24 dev eth0\naddress add {R2_6}/64 dev eth0 nodad\n"
                  f"route add 198.51.100.0/24 via {GATEWAY_OUT}\nroute add 2001:db8:1::/48 via {GATEWAY6_OUT}")
        self.gateway.ip(f"address add {GATEWAY_OUT}/24 dev out\naddress add {GATEWAY6_OUT}/64 dev out nodad\n"
                        f"route add default via {R2}\nroute add ::/0 via {R2_6} dev out")
        for name, table in TABLES.items():
            self.gateway.ip(f"""
                link add {name} type vrf table {table}
                link set {name} up
                route add unreachable default table {table} {NOWHERE}
                route add unreachable ::/0 table {table} {NOWHERE}
                route add default via {R2} dev out table {table}
                route add ::/0 via {R2_6} dev out table {table}
            """)
        for name, vrf in (("a", "red"), ("b", "blue"), ("d", None)):
            self.host(name, vrf)

    def host(self, name, vrf):
        far = f"l{name}"
        cable(self.gateway, far, self.hosts[name], "eth0")
        if vrf:
            self.gateway.ip(f"link set {far} master {vrf}")
        self.gateway.ip(f"address add {GATEWAY_IN}/24 dev {far}\naddress add {GATEWAY6_IN}/64 dev {far} nodad")
        self.hosts[name].ip(f"address add {A}/24 dev eth0\naddress add {A6}/64 dev eth0 nodad\n"
                            f"route add default via {GATEWAY_IN}\nroute add default via {GATEWAY6_IN}")

    def close(self):
        for one in (self.gateway, self.x, *self.hosts.values()):
            one.close()


@pytest.fixture
def lines():
    with contextlib.closing(Lines()) as lines:
        yield lines


@pytest.fixture
def tools(lines, tmp_path):
    """Of both VRFs."""
    tools = [Instance(lines.gateway, tmp_path, name) for name in MARKS]
    for tool, pairs in zip(tools, (RED, BLUE)):
        tool.sync(pairs, vrf=tool.name, mark=MARKS[tool.name])
    yield tools
    for tool in tools:
        tool("clear")


@pytest.fixture
def red(tools):
    return tools[0]


@pytest.fixture
def shell(lines, tmp_path):
    (tmp_path / "statnat-nft").symlink_to(TOOL)
    return lambda line: lines.gateway.run("env", f"PATH={tmp_path}:{os.environ['PATH']}", "sh", "-ec", line)


def test_clean(lines, tools):
    """Nothing is said of what works, and nothing is left."""
    assert ask(lines.hosts["a"], lines.x, R2) == (b"hello", A_OUT)
    assert ask(lines.x, lines.hosts["b"], B6_OUT)[0] == b"hello"
    for tool in tools:
        done = tool("doctor", tool.file)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert findings(tool) == []
    assert TABLE not in lines.gateway.run("nft", "list", "tables").stdout


def test_clean_where_the_uplink_is_in_it(lines, red):
    """With all of its routes, and nobody else's."""
    lines.gateway.ip("link set out master red")
    lines.gateway.ip(f"address replace {GATEWAY6_OUT}/64 dev out nodad\nroute replace default via {R2} table 10\n"
                     f"route replace ::/0 via {R2_6} dev out table 10")
    red("sync", red.file)
    assert ask(lines.hosts["a"], lines.x, R2) == (b"hello", A_OUT)
    assert findings(red) == []


NO_WAY = "ip route del default table 10 via 192.0.2.2"
BROKEN = [
    #   why                      how it is broken, what is said then, and how bad that is
    row("no route",              NO_WAY, "VRF red has no route to 193.0.14.129", BREAKS),
    row("no route of IPv6",      f"ip -6 route del default table 10 via {R2_6}", "VRF red has no route to 2001:7fd::1",
                                 BREAKS),
    row("forwarding",            "sysctl -w net.ipv4.ip_forward=0", "IPv4 is not forwarded", BREAKS),
    row("a policy",              nft("policy drop; ct state established accept"),
                                 "the policy of chain ours in table inet other", BREAKS),
    row("what leaves the VRF",   nft('iifname "red" counter drop'), ': iifname "red" counter drop', BREAKS),
    row("what comes there",      nft(f'oifname "la" {REJECT}'), f': oifname "la" {REJECT}', BREAKS),
    row("by its port, before",   nft('iifname "la" tcp dport 443 drop', hook="prerouting", priority=-400),
                                 ': iifname "la" tcp dport 443 drop', BREAKS),
    row("by the VRF, before",    nft('iifname "red" tcp dport 443 drop', hook="prerouting", priority=-400),
                                 ': iifname "red" tcp dport 443 drop', BREAKS),
    row("not translated",        "nft flush chain ip statnat-red postrouting", f"leaves from {A} to", BREAKS),
    row("the policy rule",       "ip rule del pref 6 fwmark 0x10000/0x10000",
                                 "policy rule 6: from all fwmark 0x10000/0x10000 lookup 10 is missing", BREAKS),
    row("errors of its own",     "sysctl -w net.ipv4.fwmark_reflect=0",
                                 "what this machine has to tell hosts of VRF red about IPv4 packets is lost", BREAKS),
    row("a port nobody saw",     "ip link add late type dummy; ip link set late master red up",
                                 "VRF red has other ports than the rules", MAY),
]


@pytest.mark.parametrize("broken, named, fatal", BROKEN)
def test_found_and_cured(red, shell, broken, named, fatal):
    find_and_cure(red, shell, broken, named, fatal)


def test_some_routes_only(red, shell):
    """It may be meant so; packets are tried by one of them."""
    shell(f"{NO_WAY}; ip route add 203.0.113.0/24 via {R2} dev out table 10")
    found, = findings(red)
    assert not found["breaks"] and found["what"] == "there is no route to 193.0.14.129, so no packet was tried"
    assert not findings(red, "--towards", "203.0.113.10")
    shell(nft('iifname "red" ip daddr 203.0.113.0/24 drop'))
    assert "203.0.113.0/24 drop" in findings(red, "--towards", "203.0.113.10")[0]["what"]


def test_nobody_is_there(red, shell):
    """A host whose network is gone, so that it is looked for outside."""
    shell("ip link set la down")
    found, = [one for one in findings(red) if "10.0.0.2" in one["what"]]
    assert found["breaks"] and found["what"] == f"{A} is looked for behind out, which is no port of VRF red"
    shell("ip link set la up")
    shell(found["cure"])


def test_routed_nowhere(red, shell):
    """By the VRF's routes, whatever others have for the same address."""
    shell(f"ip route add unreachable {A} table 10")
    found, = findings(red)
    assert found["breaks"] and found["what"].startswith(f"what 193.0.14.129 answers {A_OUT} is routed nowhere: ")
    assert found["cure"] == f"ip route get {A} from 193.0.14.129 iif out mark {MARKS['red']:#x}"
    shell(f"ip route del unreachable {A} table 10")
    assert findings(red) == []


@pytest.mark.parametrize("broken", [row("passes", ""), row("rejected", nft(REJECT)),
                                    row("reset", nft("ip protocol tcp reject with tcp reset"))])
def test_nothing_leaves(lines, red, shell, broken):
    """Neither a probe nor what a firewall says about it, on any cable."""
    shell(broken)
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(one.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)))
                for one in (lines.hosts["a"], lines.hosts["d"], lines.x)]
        for ear in ears:
            ear.setblocking(False)
        assert bool(findings(red)) == bool(broken)
        # What comes last shows that the rest would have come.
        for options in (["-I", "red", A], [A], [R2]):
            lines.gateway.run("ping", "-n", "-c", "1", "-W", "60", *options)
        assert [heard(ear) for ear in ears] == [[ECHO_REQUEST]] * 3


def test_no_vrf(red, shell):
    shell("ip link del red")
    found, = findings(red)
    assert found["breaks"] and found["what"] == "there is no VRF red"
