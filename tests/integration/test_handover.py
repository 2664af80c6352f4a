# SPDX-License-Identifier: GPL-2.0-or-later
"""handover: rules that are asked first until the next sync, so that a reload of the whole ruleset leaves no moment
between the old ones and the new.

    inside  ─── gateway ─── outside           what a reload loads: flush ruleset, a masquerade, and the pairs
"""

import json
import os
import socket
import threading
import time
from collections import Counter

import pytest
from scapy.layers.inet import IP, UDP

from network import alongside
from net import A, A_OUT, A6, A6_OUT, PAIRS, X
from packets import row
from tool import ENGINE, TOOL

BOTH = {**PAIRS, A6: A6_OUT}
LOAD = ("nft",) if ENGINE == "native" else (str(TOOL), "nft")
MASQUERADE = """flush ruleset
table ip nat {
	chain post { type nat hook postrouting priority srcnat; masquerade; }
}
"""
# For what is said of it in docs/design.md it was 60.
SECONDS = int(os.environ.get("STATNAT_RELOAD_SECONDS", "3"))


@pytest.fixture
def flush(wire):
    """Takes away what somebody else's ruleset left."""
    yield
    wire.gateway.nft("flush ruleset")


def chains(gateway, family):
    """By name: hook and priority, and the rules as stock nft knows them, but for where they are."""
    listing = json.loads(gateway.run("nft", "-j", "list", "table", family, "statnat", check=False).stdout)["nftables"]
    found = {each["chain"]["name"]: (each["chain"]["hook"], each["chain"]["prio"], [])
             for each in listing if "chain" in each}
    for each in listing:
        if "rule" in each:
            found[each["rule"]["chain"]][2].append(json.dumps(each["rule"].get("expr")))
    return found


SETTINGS = [
    row("nothing else",         {}),
    row("exempt destinations",  {"exempt_destinations": ["10.0.0.0/8", "fd00::/8"]}),
    row("a border",             {"external_interfaces": ["out0"]}),
    row("counters of rules",    {"counters": "rule"}),
    row("followed",             {"conntrack": "follow"}, marks=pytest.mark.expression),
]


@pytest.mark.parametrize("family", ["ip", "ip6"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_chain_ahead_of_each(wire, synced, flush, settings, family):
    """Which the next sync takes away again; until then all is as it should be, to whoever asks after it."""
    synced("sync", path := synced.configure(BOTH, **settings))
    before = chains(wire.gateway, family)
    assert "asked first until the next sync" in synced("handover").stdout
    now = chains(wire.gateway, family)
    for name, (hook, priority, rules) in before.items():
        assert now[name] == (hook, priority, rules)
        ahead_hook, ahead_priority, ahead_rules = now[f"{name}_ahead"]
        assert (ahead_hook, ahead_priority, len(ahead_rules)) == (hook, priority - 1, len(rules))
        if settings != {"counters": "rule"}:
            assert ahead_rules == rules
    assert len(now) == 2 * len(before)
    assert synced("status", "--health").stdout == "healthy\n"
    assert synced("handover").stdout == "nothing to change\n"
    assert synced.held() == BOTH
    synced("sync", path)
    assert chains(wire.gateway, family) == before
    assert synced("diff", "--exit-code", path).stdout == ""


def test_what_somebody_else_has_written_stays_alone(wire, synced, flush):
    synced("sync", synced.configure(PAIRS))
    wire.gateway.nft("add rule ip statnat output limit rate 10/second accept")
    synced("handover")
    found = chains(wire.gateway, "ip")
    assert "prerouting_ahead" in found and "output_ahead" not in found


def test_where_there_is_nothing(synced, flush):
    synced("clear")
    assert synced("handover").stdout == "nothing to change\n"


class Flood:
    """The same two datagrams of a pair, from both ends without a pause: what arrives, by its addresses."""

    def __init__(self, wire):
        self.ways = [(wire.inside, wire.outside, bytes(IP(src=A, dst=X) / UDP(chksum=0))),
                     (wire.outside, wire.inside, bytes(IP(src=X, dst=A_OUT) / UDP(chksum=0)))]
        self.stop, self.arrived = threading.Event(), Counter()

    def run(self):
        while not self.stop.is_set():
            for enters, _, packet in self.ways:
                for _ in range(20):
                    enters.send(packet)
            self.take(0)
        self.take(1)

    def take(self, seconds):
        for _, leaves, _ in self.ways:
            while packet := leaves.receive(seconds):
                self.arrived[socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])] += 1


def test_a_flood_meets_no_moment_between(wire, synced, flush, every_processor, tmp_path):
    included = tmp_path / "pairs.nft"
    synced("sync", path := synced.configure(PAIRS, ruleset_file=str(included)))
    (tmp_path / "nftables.conf").write_text(f'{MASQUERADE}include "{included}"\n')
    flood, reloads, ends = Flood(wire), 0, time.monotonic() + SECONDS
    with alongside(flood.run):
        try:
            while time.monotonic() < ends:
                synced("handover")
                wire.gateway.run(*LOAD, "-f", str(tmp_path / "nftables.conf"))
                reloads += 1
        finally:
            flood.stop.set()
    print(f"{reloads} reloads, {flood.arrived.total()} packets")
    assert flood.arrived.keys() == {(A_OUT, X), (X, A)}, flood.arrived
    assert synced("diff", path).stdout == ""
