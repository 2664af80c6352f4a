# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs beside the firewalls of docs/firewalls.md, by the lines that stand there."""

import contextlib
import json
import socket
import subprocess
import time

import pytest
from scapy.layers.inet import ICMP, IP

from distribution import BUILT, TESTS
from firewalls import FIREWALLS, Firewalled
from gateway import ETH_P_IP, Traffic
from net import A_OUT, C, GATEWAY_IN, GATEWAY_OUT, X, until
from network import ping
from recipes import follow
from services import dns_seen, http_seen, serving, ssh_seen

# A port that the policy does not name.
NOT_OFFERED = 8080
QUIET = 0.5  # s


@pytest.fixture(scope="module", params=FIREWALLS, ids=lambda firewall: f"bookworm-{firewall.title.replace(' ', '-')}")
def gateway(request):
    tool, = BUILT["bookworm"].glob("statnat-nft_*.deb")
    tree = subprocess.run([TESTS / "vm/root", f"bookworm-{request.param.tree}", tool],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    machine = Firewalled(tree, tool, request.param)
    with contextlib.closing(machine), serving((machine.a, machine.c, machine.x)):
        yield machine


@contextlib.contextmanager
def ear(host):
    """What arrives at a host from here on, in order and as it is; asked once, it is forgotten."""
    with host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as listener:
        listener.setblocking(False)

        def heard():
            packets = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet, (_, _, kind, *_) = listener.recvfrom(2048)
                    packets += [IP(packet)] if kind != socket.PACKET_OUTGOING else []
            return packets
        yield heard


def traced(client, address):
    """Who tells of a datagram that got so far: by what arrives, since the native engine leaves alone what errors quote,
    without which traceroute does not know its own."""
    with ear(client) as heard:
        def both():
            client.run("traceroute", "-n", "-q", "1", "-m", "2", "-w", "0.1", address)
            told = [(packet[ICMP].type, packet.src) for packet in heard() if ICMP in packet]
            return len(told) == 2 and told
        return until(both)


def unsolicited(gateway, host, target):
    """What arrives at a host of all that X may not send; what it may comes last."""
    with ear(host) as heard, gateway.x.socket(socket.AF_INET, socket.SOCK_STREAM) as caller, \
            gateway.x.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        caller.setblocking(False)
        caller.connect_ex((target, NOT_OFFERED))
        sender.sendto(b"", (target, NOT_OFFERED))
        ping(gateway.x, A_OUT)
        return [packet for packet in heard() if getattr(packet, "dport", None) == NOT_OFFERED]


def cured_by_doctor(gateway):
    """By the commands that it prints, until the firewall is loaded again."""
    for _ in range(10):
        said = json.loads(gateway.run("statnat-nft", "doctor", "-j", check=False).stdout)
        if not said["breaks"]:
            break
        gateway.run("sh", "-ec", said["findings"][0]["cure"])
    assert not said["breaks"]
    assert http_seen(gateway.a, X) == A_OUT
    assert http_seen(gateway.x, A_OUT) == X


def at_work(gateway):
    until(lambda: {"table ip statnat", "table inet pairs-policy"} <= gateway.tables())
    until(lambda: http_seen(gateway.a, X, 1) == A_OUT)
    for seen in (http_seen, dns_seen, ssh_seen):
        assert seen(gateway.a, X) == A_OUT
        assert seen(gateway.x, A_OUT) == X
    ping(gateway.a, X)
    assert traced(gateway.a, X) == [(11, GATEWAY_IN), (3, X)]
    assert traced(gateway.x, A_OUT) == [(11, GATEWAY_OUT), (3, A_OUT)]
    gateway.run("statnat-nft", "doctor")
    assert not unsolicited(gateway, gateway.a, A_OUT)
    # That is the firewall's own affair, and some start sooner than they have their rules.
    until(lambda: not unsolicited(gateway, gateway.c, C))


@pytest.fixture(scope="module")
def lined(gateway):
    """With the lines of docs/firewalls.md."""
    follow(gateway, "What may come in")
    follow(gateway, gateway.firewall.title, lan0='{ "a", "c" }')
    gateway.do("systemctl daemon-reload")
    gateway.do("systemctl restart statnat")
    gateway.do(gateway.firewall.restart)
    return gateway


def test_without_its_lines_it_stops_pairs(gateway):
    until(lambda: not http_seen(gateway.a, X, 1) and not http_seen(gateway.x, A_OUT, 1))
    assert gateway.run("statnat-nft", "doctor", check=False).returncode == 1
    cured_by_doctor(gateway)


def test_init_knows_it(gateway):
    """By its tables and chains, and no other one beside it."""
    known = {"Plain nft": "nft, the table inet filter", "OpenWrt": "OpenWrt's fw4"}
    sentence = f"For {known.get(gateway.firewall.title, gateway.firewall.title)} to let them through"

    def said():
        text = gateway.run("statnat-nft", "init", "--output", "-").stdout
        return sentence in text and text  # some have their rules a while after they have started
    text = until(said)
    assert text.count("to let them through") == 1 and 'external-interfaces = ["out"]' in text


def test_pairs(lined):
    """All goes on, whatever becomes of the firewall."""
    at_work(lined)
    lined.do(lined.firewall.reload)
    at_work(lined)
    lined.stop()
    lined.up()
    at_work(lined)


def handle(gateway):
    """Of the table of pairs: another one, if somebody took it."""
    listed = json.loads(gateway.run("nft", "-j", "list", "tables").stdout)["nftables"]
    return next(each["table"]["handle"] for each in listed if each.get("table", {}).get("name") == "statnat")


def still(gateway):
    """Whether nobody touches a rule: some programs go on when their command is over."""
    def rules():
        return gateway.run("nft", "-sa", "list", "ruleset").stdout
    before = rules()
    time.sleep(QUIET)
    return rules() == before


def test_new_flows(lined):
    """While the firewall is loaded again none leaves with another source, since it leaves the table of pairs alone; if
    it flushes everything, fail-closed holds them back."""
    flushes, commands = lined.firewall.flushes, lined.firewall.commands
    with lined.fail_closed() if flushes else contextlib.nullcontext(), Traffic(lined) as traffic:
        traffic.flows()
        before = handle(lined)
        for command in commands:
            traffic.gap()
            lined.do(command)
            until(lambda: still(lined))
            traffic.flows()
            print(f"{command}: longest gap {1000 * traffic.gap():.0f} ms")
        assert (handle(lined) != before) == flushes
    print(f"{traffic.strays()} of {traffic.arrived.total()} with another source")
    assert traffic.strays() == 0, traffic.arrived
