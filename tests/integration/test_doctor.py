# SPDX-License-Identifier: GPL-2.0-or-later
"""What `doctor` finds: nothing on a clean gateway, and each thing that is broken on purpose, until the printed cure.

    A 10.0.0.2  ─── in  gateway  out ──── 192.0.2.2    X
      fd00:1::2                  out2 ─── 203.0.113.2
"""

import contextlib
import json
import os
import signal
import socket
import subprocess

import pytest

from net import (A, A6, A6_OUT, A_OUT, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, R2, R2_6, Namespace, cable,
                 many, until)
from packets import expression, row
from tool import TOOL, Tool

PAIRS = {A: A_OUT, A6: A6_OUT}
NEAR = "192.0.2.77"
TABLE = "statnat.doctor"
ETH_P_ALL = 3
ECHO_REQUEST = 8
# What hosts and routers say of themselves in ICMPv6: neighbour discovery, and who is in which group.
OF_THEMSELVES = range(130, 144)


class Lines:
    """The gateway between A and X, with two uplinks."""

    def __init__(self):
        self.all = [Namespace(role) for role in ("gateway", "a", "x")]
        self.gateway, self.a, self.x = self.all
        for one in self.all:
            one.sysctl(net__ipv6__conf__default__accept_dad=0)
        self.gateway.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        for here, other, there in (("in", self.a, "eth0"), ("out", self.x, "eth0"), ("out2", self.x, "eth1")):
            cable(self.gateway, here, other, there)
        self.a.ip(f"address add {A}/24 dev eth0\naddress add {A6}/64 dev eth0 nodad\n")
        self.x.ip(f"address add {R2}/24 dev eth0\naddress add {R2_6}/64 dev eth0 nodad\n"
                  "address add 203.0.113.2/24 dev eth1\n")
        self.gateway.ip(f"address add {GATEWAY_IN}/24 dev in\naddress add {GATEWAY6_IN}/64 dev in nodad\n"
                        f"address add {GATEWAY_OUT}/24 dev out\naddress add {GATEWAY6_OUT}/64 dev out nodad\n"
                        "address add 203.0.113.1/24 dev out2\n"
                        f"route add default via {R2}\nroute add default via 203.0.113.2 metric 100\n"
                        f"route add ::/0 via {R2_6} dev out\n")

    def close(self):
        for one in self.all:
            one.close()


@pytest.fixture
def lines():
    with contextlib.closing(Lines()) as lines:
        yield lines


@pytest.fixture
def tool(lines, tmp_path):
    tool = Tool(lines.gateway, tmp_path)
    tool.sync(PAIRS)
    yield tool
    tool("clear")


@pytest.fixture
def shell(lines, tmp_path):
    """Runs a command line there, for which our tool is installed."""
    (tmp_path / "statnat-nft").symlink_to(TOOL)
    return lambda line: lines.gateway.run("env", f"PATH={tmp_path}:{os.environ['PATH']}", "sh", "-ec", line)


def findings(tool, *options):
    done = tool("doctor", tool.file, "-j", *options, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == said["breaks"] == any(one["breaks"] for one in said["findings"]), done
    return said["findings"]


def test_clean(tool):
    """Nothing is said, nothing is left."""
    done = tool("doctor", tool.file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert findings(tool) == []
    assert TABLE not in tool.namespace.run("nft", "list", "tables").stdout


def test_clean_with_a_border(tool):
    """An answer is looked for where it may come in, and what is asked where it leaves by the border."""
    for interfaces in (["out"], ["out*"], ["out2"]):
        tool.sync(PAIRS, external_interfaces=interfaces)
        assert findings(tool) == []


def nft(rules, table="inet other", hook="forward", priority=0, more=""):
    """Loads a table of somebody else's."""
    chain = f"type filter hook {hook} priority {priority}; {rules};"
    return f"nft 'table {table} {{ {more} chain ours {{ {chain} }}; }}'"


FOLLOWED = "ct state established,related accept"
FORWARD, BRIDGED = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", "net.bridge.bridge-nf-call"
REJECT = "reject with icmpx admin-prohibited"
BREAKS, MAY = True, False
BROKEN = [
    #   why                    how it is broken, what is said then, and how bad that is
    row("forwarding",          "sysctl -w net.ipv4.ip_forward=0", "IPv4 is not forwarded", BREAKS),
    row("forwarding, IPv6",    "sysctl -w net.ipv6.conf.all.forwarding=0", "IPv6 is not forwarded", BREAKS),
    row("a policy",            nft(f"policy drop; {FOLLOWED}"), "the policy of chain ours in table inet other", BREAKS),
    row("a rule",              nft("ip saddr 10.0.0.0/8 counter drop"), ": ip saddr 10.0.0.0/8 counter drop", BREAKS),
    row("a rule elsewhere",    nft("jump deep", more=f"chain deep {{ {REJECT}; }};"),
                               f"chain deep in table inet other: {REJECT}", BREAKS),
    row("answers alone",       nft('iifname "out" ct state untracked drop'), f"answers {A_OUT} is dropped", BREAKS),
    row("by one uplink",       nft('iifname "out2" drop'), ': iifname "out2" drop', BREAKS),
    row("iptables",            f"iptables -P FORWARD DROP; iptables {FORWARD}",
                               "the policy of chain FORWARD in table ip filter", BREAKS),
    row("ip6tables",           "ip6tables -A FORWARD -j REJECT", "chain FORWARD in table ip6 filter: ", BREAKS),
    row("before our rules",    nft(f"ip saddr {A} drop", "ip other", "prerouting", -400),
                               f"chain ours in table ip other: ip saddr {A} drop", BREAKS),
    row("strict reverse path", "sysctl -w net.ipv4.conf.out2.rp_filter=1", "strict reverse path filter", BREAKS),
    row("not translated",      "nft flush chain ip statnat postrouting", f"leaves from {A} to", BREAKS),
    row("a null route",        "ip route add blackhole 198.51.100.0/24", f"a null route to {A_OUT}", BREAKS),
    row("no pairs",            "statnat-nft clear", "the kernel has no pairs", BREAKS),
    row("redirects",           "sysctl -w net.ipv4.conf.all.accept_redirects=1", "a redirect that anybody", MAY),
    row("bridged",             "modprobe -q br_netfilter || :; ip link add br0 type bridge; "
                               f"sysctl {BRIDGED}-iptables=1 {BRIDGED}-ip6tables=0",
                               "br_netfilter has IPv4 packets", MAY),
    row("not seen",            "iptables-legacy -A FORWARD -s 10.99.0.0/16 -j DROP",
                               "rules of iptables-legacy in its table filter", MAY),
]


def find_and_cure(tool, shell, broken, named, fatal):
    """Breaks it, and runs each line that is printed until nothing is found."""
    shell(broken)
    found = findings(tool)
    assert [one["breaks"] for one in found if named in one["what"]] == [fatal], found
    while found:
        shell(found[0]["cure"])
        before, found = found, findings(tool)
        assert found != before


@pytest.mark.parametrize("broken, named, fatal", BROKEN)
def test_found_and_cured(tool, shell, broken, named, fatal):
    find_and_cure(tool, shell, broken, named, fatal)


def test_nobody_answers(tool, shell):
    tool.sync({A: NEAR})
    unanswered, = findings(tool)
    assert unanswered["breaks"] and unanswered["what"] == f"nobody answers on out for {NEAR}"
    shell(unanswered["cure"])
    assert not findings(tool)


def test_policy_of_ipsec(tool, shell):
    shell("ip xfrm policy add src 10.0.0.0/24 dst 172.16.0.0/12 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp "
          "mode tunnel")
    found, = findings(tool)
    assert found["breaks"] and "IPsec's policy from 10.0.0.0/24 to 172.16.0.0/12 never sees 10.0.0.2" in found["what"]
    file, line = found["cure"].split(": ", 1)
    assert file == str(tool.file)
    tool.file.write_text(tool.file.read_text().replace("[pairs]", f"{line}\n[pairs]"))
    shell(f"statnat-nft sync {file}")
    assert not findings(tool)


def test_policy_of_ipsec_beside_only_destinations(tool, shell):
    tool.sync(PAIRS, only_destinations=["172.16.0.0/16", "192.168.0.0/16"])
    template = "dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel"
    shell(f"ip xfrm policy add src 10.0.0.0/24 dst 172.17.0.0/16 {template}")
    assert not findings(tool)
    shell(f"ip xfrm policy add src 10.0.0.0/24 dst 172.16.1.0/24 {template}")
    found, = findings(tool)
    assert "to 172.16.1.0/24 never sees 10.0.0.2" in found["what"]
    assert found["cure"] == f"{tool.file}: only-destinations without 172.16.1.0/24"
    tool.sync(PAIRS, only_destinations=["192.168.0.0/16"])
    assert not findings(tool)


@expression
def test_pair_of_prefixes(tool, shell):
    """A packet of one of its hosts is tried, which is not the gateway, although that is in it."""
    tool.sync({"10.0.0.0/24": "198.51.100.0/24"})
    assert not findings(tool)
    shell(nft("ip saddr 10.0.0.0/24 drop"))
    found, = findings(tool)
    assert found["what"].startswith(f"what {A} sends to")


@pytest.mark.stock
def test_no_module(tool):
    """Where it is wanted; whoever asks for the native engine has what was asked for."""
    tool.configure(PAIRS, engine="auto")
    found, = findings(tool)
    assert found["breaks"] and found["what"].startswith("the module is missing: ")
    tool.configure(PAIRS)
    assert not findings(tool)


def test_gone_before_any_chain(tool, shell):
    """What no trace reaches is said to be just that."""
    shell(nft("ip daddr 193.0.14.129 drop", "netdev other", "ingress device in"))
    found, = findings(tool)
    assert found["breaks"]
    assert found["what"].endswith("is gone before any chain of the hook prerouting, where it comes in by in")


def test_elsewhere(tool):
    """By which address is tried is the user's to say; without a route to it nothing is."""
    tool.namespace.ip("route add unreachable 100.64.0.0/10")
    found, = findings(tool, "--towards", "100.64.0.1")
    assert found["what"] == "there is no route to 100.64.0.1, so no packet was tried"
    assert not findings(tool, "--towards", "192.0.2.2", "--towards", R2_6)
    assert tool("doctor", tool.file, "--towards", "x", check=False).returncode == 2


def heard(ear):
    """What arrived on a cable: protocols, of ICMP with the type."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            packet, (_, ethertype, kind, *_) = ear.recvfrom(2048)
            if ethertype not in (0x0800, 0x86dd) or kind == socket.PACKET_OUTGOING:
                continue
            protocol, behind = (packet[9], packet[20]) if ethertype == 0x0800 else (packet[6], packet[40])
            if protocol == socket.IPPROTO_TCP:
                found.append("TCP")
            elif protocol == socket.IPPROTO_ICMP or protocol == socket.IPPROTO_ICMPV6 and behind not in OF_THEMSELVES:
                found.append(behind)
    return found


@pytest.mark.parametrize("broken", ["", nft(REJECT), nft("ip protocol tcp reject with tcp reset")],
                         ids=["passes", "rejected", "reset"])
def test_nothing_leaves(lines, tool, shell, broken):
    """Neither a probe nor what a firewall says about it, on any cable."""
    shell(broken)
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)))
                for host in (lines.a, lines.x)]
        for ear in ears:
            ear.setblocking(False)
        assert bool(findings(tool)) == bool(broken)
        # What comes last shows that the rest would have come.
        lines.gateway.run("ping", "-n", "-c", "1", "-W", "60", A)
        lines.gateway.run("ping", "-n", "-c", "1", "-W", "60", R2)
        assert [heard(ear) for ear in ears] == [[ECHO_REQUEST]] * 2


def test_killed(lines, tool, shell):
    """Its table goes with it."""
    def tables():
        return lines.gateway.run("nft", "list", "tables").stdout

    # So that it waits for what becomes of its packets, one after another, for seconds.
    tool.sync({**PAIRS, **many(16)})
    shell("iptables-legacy -A FORWARD -j DROP")
    with lines.gateway:
        process = subprocess.Popen([TOOL, "doctor", tool.file], stdout=subprocess.PIPE)
    until(lambda: TABLE in tables())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: TABLE not in tables())
