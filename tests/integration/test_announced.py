# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that routing daemons go by are there while pairs are translated, and not for a moment longer than it takes
to notice; what the kernel tells of them is heard from ip monitor.

    inside ─── gateway ─── outside           A 10.0.0.2 = 198.51.100.2
                  └── statnat-nft watch
"""

import contextlib
import json
import subprocess
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, ALL_PAIRS, X, until
from test_watch import SOON, Watcher

pytestmark = pytest.mark.stock
BEACON, BEACON6 = "192.0.0.8", "100::8"
BOTH = {BEACON, BEACON6}


def routes(gateway):
    """All of ours."""
    lines = [line for family in ("-4", "-6")
             for line in gateway.run("ip", family, "route", "show", "proto", "83").stdout.splitlines()]
    assert all("dev statnat0" in line for line in lines)
    return {line.split()[0] for line in lines}


class Monitor:
    """What becomes of the routes, with the time of each, as the kernel tells it."""

    def __init__(self, gateway, folder):
        self.log = folder / "routes"
        with gateway, self.log.open("w") as log:
            self.process = subprocess.Popen(["ip", "-ts", "monitor", "route"], stdout=log)
        time.sleep(0.5)

    def of(self, address):
        """Pairs of whether it came, and when, in seconds of the day."""
        told = []
        for line in self.log.read_text().splitlines():
            stamp, _, what = line.partition("] ")
            if address in what.split() and "statnat0" in what:
                hours, minutes, seconds = stamp.partition("T")[2].split(":")
                told.append(("Deleted" not in what, 3600 * int(hours) + 60 * int(minutes) + float(seconds)))
        return told

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def announced(wire, tool):
    """The tool, with pairs and routes."""
    tool.sync(ALL_PAIRS, announce=True)
    yield tool
    tool("drain", "--end", check=False)
    tool.sync(ALL_PAIRS, announce=False)
    tool("clear")
    assert not routes(wire.gateway)


@pytest.fixture
def start(wire, announced, tmp_path, every_processor):
    with contextlib.ExitStack() as all_of_them:
        def start_one():
            watcher = Watcher(wire.gateway, announced.file, tmp_path)
            all_of_them.callback(watcher.close)
            watcher.hears(b"READY=1")
            return watcher
        yield start_one


@pytest.fixture
def monitor(wire, tmp_path):
    with contextlib.closing(Monitor(wire.gateway, tmp_path)) as monitor:
        yield monitor


def sources(wire):
    wire.drain()
    wire.inside.send(IP(src=A, dst=X) / UDP(sport=7, dport=7, chksum=0))
    return {IP(seen).src for seen in wire.drain()[1]}


def test_beacons_of_families_that_have_pairs(wire, announced):
    assert routes(wire.gateway) == BOTH
    assert announced("sync", announced.file).stdout == "nothing to change\n"
    announced.sync({A: A_OUT}, announce=True)
    assert routes(wire.gateway) == {BEACON}
    announced.sync(ALL_PAIRS, announce=True, neighbours=True)
    assert routes(wire.gateway) == BOTH | set(ALL_PAIRS.values())
    announced.sync(ALL_PAIRS, announce=True, neighbours=False)
    assert routes(wire.gateway) == BOTH
    announced.sync(ALL_PAIRS)
    assert not routes(wire.gateway)


LOSSES = ["flush ruleset", "delete table ip statnat", "flush chain ip statnat prerouting",
          "add table ip statnat { flags dormant; }", "flush map ip statnat int2ext"]


@pytest.mark.parametrize("commands", LOSSES)
def test_routes_go_before_anything_is_restored(wire, start, monitor, commands):
    """And are back behind it."""
    start()
    wire.gateway.nft(commands)
    for address in BOTH:
        until(lambda: [came for came, _ in monitor.of(address)] == [False, True], SOON)  # noqa: B023
    assert sources(wire) == {A_OUT} and routes(wire.gateway) == BOTH


def test_they_stay_away_as_long_as_nothing_can_be_restored(wire, announced, start):
    start()
    good = announced.file.read_text()
    announced.file.write_text("[pairs\n")
    wire.gateway.nft("flush ruleset")
    until(lambda: not routes(wire.gateway), SOON)
    time.sleep(1)
    assert not routes(wire.gateway) and sources(wire) == {A}
    announced.file.write_text(good)
    until(lambda: routes(wire.gateway) == BOTH and sources(wire) == {A_OUT}, SOON)


def test_what_the_command_has_made_comes_back_too(wire, announced, start):
    """Where the configuration does not ask for it."""
    announced.configure(ALL_PAIRS)
    announced("neighbours", announced.file)
    start()
    there = routes(wire.gateway)
    assert set(ALL_PAIRS.values()) <= there
    wire.gateway.nft("flush ruleset")
    until(lambda: sources(wire) == {A_OUT} and routes(wire.gateway) == there, SOON)
    announced.sync(ALL_PAIRS, neighbours=False)


def test_killed(wire, announced, start):
    """Whoever starts it again in vain has the routes taken away."""
    start().close()
    assert routes(wire.gateway) == BOTH and sources(wire) == {A_OUT}
    wire.gateway.nft("flush ruleset")
    announced.file.write_text("[pairs\n")
    assert announced("watch", announced.file, check=False).returncode == 2
    assert not routes(wire.gateway)


def test_drained(wire, announced, start):
    """Packets are translated, and whoever syncs, watches or clears brings nothing back."""
    assert announced("drain").stdout == "drained, removed 2 routes\n"
    assert announced("drain").stdout == "nothing to change\n"
    assert not routes(wire.gateway) and sources(wire) == {A_OUT}
    assert json.loads(announced("status", "-j").stdout)["drained"] is True
    assert "drained: " in announced("status").stdout
    start()
    wire.gateway.nft("flush ruleset")
    until(lambda: sources(wire) == {A_OUT}, SOON)
    announced("sync", announced.file)
    assert not routes(wire.gateway)
    assert announced("drain", "--end").stdout == "no more drained, added 2 routes\n"
    assert routes(wire.gateway) == BOTH and json.loads(announced("status", "-j").stdout)["drained"] is False
    assert announced("drain", "--end").stdout == "nothing to change\n"


def test_a_drain_outlasts_clear(wire, announced):
    announced("drain")
    announced("clear")
    announced("sync", announced.file)
    assert not routes(wire.gateway)
    announced("drain", "--end")
    assert routes(wire.gateway) == BOTH


def test_nobody_is_sent_to_what_is_ill(wire, announced):
    announced("drain")
    wire.gateway.nft("flush ruleset")
    refused = announced("drain", "--end", check=False)
    assert refused.returncode == 1 and "still drained" in refused.stderr
    assert "table ip statnat is gone" in refused.stderr
    assert not routes(wire.gateway)
    assert announced("--instance", "red", "drain", check=False).returncode == 2
