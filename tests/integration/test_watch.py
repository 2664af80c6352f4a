# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat-nft watch: what somebody takes away is there again, and what the tool itself changes stays so.

    inside  ─── gateway ─── outside           A 10.0.0.2 = 198.51.100.2, X 203.0.113.10
                  │  └── statnat-nft watch
                  └───── somebody with nft
"""

import contextlib
import math
import re
import signal
import socket
import subprocess
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, ALL_PAIRS, X, until
from packets import row
from tool import ENGINE, TOOL, run_file

# How soon: a guest starts a tool in so many seconds, and so does a busy machine.
SOON = 60


class Watcher:
    """The tool at work, and what it tells systemd in the meantime."""

    def __init__(self, gateway, file, folder, words=(), before=(), **environment):
        path = folder / "notify"
        path.unlink(missing_ok=True)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(path))
        self.manager.settimeout(SOON)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{gateway.name}", *before, str(TOOL), *words, "watch", str(file)],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": str(path), **environment},
                stdout=log, stderr=log)

    def hears(self, word):
        while self.manager.recv(64) != word:
            pass

    def lines(self):
        """Of a file opened apart: to read the watcher's own moves where it writes."""
        return self.log.read_text().splitlines()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def close(self):
        self.process.kill()
        self.process.wait()
        self.manager.close()


@pytest.fixture
def start(wire, synced, tmp_path, every_processor):
    """Starts one more, and returns when it says that it is ready."""
    with contextlib.ExitStack() as all_of_them:
        def start_one(**environment):
            watcher = Watcher(wire.gateway, synced.configure(ALL_PAIRS), tmp_path, **environment)
            all_of_them.callback(watcher.close)
            watcher.hears(b"READY=1")
            return watcher
        yield start_one
    wire.gateway.nft("flush ruleset")
    synced("clear")


@pytest.fixture
def watcher(start):
    return start()


def whole(tool):
    return tool("diff", "--exit-code", tool.file, check=False).returncode == 0


LOSSES = [
    #   why                     what somebody does with nft                             what is said of it
    row("everything flushed",   "flush ruleset",                                        "table ip statnat is gone"),
    row("a table deleted",      "delete table ip6 statnat",                             "table ip6 statnat is gone"),
    row("a chain flushed",      "flush chain ip statnat prerouting",                    "prerouting is changed"),
    row("a map flushed",        "flush map ip statnat int2ext",                         "int2ext has lost 10.0.0.2"),
    row("half a pair deleted",  "delete element ip statnat int2ext { 10.0.0.18 }",      "pairs are not as they were"),
    row("half a pair more",     "add element ip statnat int2ext "
                                "{ 10.0.0.99 : 198.51.100.99 }",                        "pairs are not as they were"),
    row("switched off",         "add table ip statnat { flags dormant; }",              "table ip statnat is changed"),
]


@pytest.mark.parametrize("commands, said", LOSSES)
def test_what_is_taken_away_comes_back(wire, synced, watcher, commands, said):
    """And who took it is named."""
    wire.gateway.nft(commands)
    until(lambda: whole(synced), SOON)
    [line] = [line for line in watcher.lines() if "warning" in line]
    assert re.search(r"warning: nft \(process \d+\) changed the tables: .*", line) and said in line


def test_packets_go_on_as_before(wire, synced, watcher):
    """How long after a flush some leave with the wrong source, measured by what arrives outside."""
    begin = IP(src=A, dst=X) / UDP(sport=7, dport=7, chksum=0)
    until(lambda: sources(wire, begin) == {A_OUT}, SOON)
    wire.gateway.nft("flush ruleset")
    flushed = time.monotonic()
    until(lambda: sources(wire, begin) == {A_OUT}, SOON)
    if ENGINE == "native":  # a guest is slower than any gateway
        assert time.monotonic() - flushed < 1


def sources(wire, packet):
    """Of five packets from inside."""
    for _ in range(5):
        wire.inside.send(packet)
    return {IP(seen).src for seen in wire.drain()[1]}


def test_what_the_tool_does_stays(wire, synced, watcher):
    """add, del and sync with another file; also beside others, who commit to tables of their own."""
    synced("add", "10.0.0.77", "198.51.100.77")
    synced("del", A)
    for _ in range(3):
        wire.gateway.nft("add table ip other; delete table ip other")
        time.sleep(0.3)
    assert "10.0.0.77" in synced.held() and A not in synced.held()
    assert not [line for line in watcher.lines() if "warning" in line]


def test_cleared_is_cleared(wire, synced, watcher):
    """Until the next sync, from which on it watches again."""
    synced("clear")
    wire.gateway.nft("add table ip statnat; delete table ip statnat")
    time.sleep(1)
    assert synced.held() == {}
    synced("sync", synced.file)
    wire.gateway.nft("flush ruleset")
    until(lambda: whole(synced), SOON)


def test_a_broken_file_is_tried_again(wire, synced, watcher):
    """Outside /etc/statnat nothing is kept that could stand in."""
    good = synced.file.read_text()
    synced.file.write_text("[pairs\n")
    wire.gateway.nft("flush ruleset")
    until(lambda: any("not restored: " in line for line in watcher.lines()), SOON)
    assert synced.held() == {}
    synced.file.write_text(good)
    until(lambda: whole(synced), SOON)


def test_alive(start):
    """What systemd hears if it asks for it, whether something happens or not."""
    watcher = start(WATCHDOG_USEC="1000000")
    for _ in range(3):
        watcher.hears(b"WATCHDOG=1")


def test_killed(wire, synced, start):
    """The next one takes over, and finds what was done in between."""
    start().close()
    wire.gateway.nft("flush ruleset")
    start()
    assert whole(synced)


def test_two_of_them(wire, synced, start, transactions):
    """They do not take each other's work for somebody else's."""
    both = [start(), start()]
    wire.gateway.nft("flush ruleset")
    until(lambda: whole(synced), SOON)
    time.sleep(0.5)
    with transactions(0):
        time.sleep(1)
    assert sum("warning" in line for watcher in both for line in watcher.lines()) <= 2


def test_somebody_who_never_stops(wire, synced, watcher):
    """Twenty flushes a second: ever fewer are answered, nothing grows, and at last all is there."""
    begin = time.monotonic()
    wire.gateway.nft("flush ruleset")
    until(lambda: whole(synced), SOON)
    before = watcher.memory()  # with all that a restore ever takes
    for _ in range(80):
        wire.gateway.nft("flush ruleset")
        time.sleep(0.05)
    # At once, after a quarter of a second, and from then on after twice as long each time.
    most = 3 + math.log2(1 + 4 * (time.monotonic() - begin))
    assert sum("warning" in line for line in watcher.lines()) <= most
    assert watcher.memory() < before + 1024
    until(lambda: whole(synced), SOON)


def test_more_than_it_can_hear(wire, synced, watcher):
    """While it sleeps, others change more than its socket can hold, and our tables too: then it looks itself."""
    watcher.process.send_signal(signal.SIGSTOP)
    try:
        for number in range(40):
            hosts = ", ".join(f"10.{number}.{host >> 8}.{host & 255}" for host in range(1000))
            wire.gateway.nft("add table ip other; add set ip other banned { type ipv4_addr; }; "
                             f"add element ip other banned {{ {hosts} }}")
        wire.gateway.nft("flush chain ip statnat prerouting")
    finally:
        watcher.process.send_signal(signal.SIGCONT)
    until(lambda: whole(synced), SOON)


@pytest.mark.expression
def test_the_module_comes(wire, synced, watcher):
    """Where rules are native for want of it, and the last sync has left that word, it is taken once it is there."""
    synced.sync(ALL_PAIRS, engine="native")
    record = run_file("baseline", wire.gateway)
    record.write_text(record.read_text() + "degraded engine native, since there is no module\n")
    synced.configure(ALL_PAIRS, engine="auto")
    until(lambda: "engine: expression" in synced("status").stdout, SOON)
    assert synced("status", "--health").stdout == "healthy\n"
