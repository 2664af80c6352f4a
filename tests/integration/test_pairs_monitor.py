# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat-nft monitor: what becomes of pairs is told as it happens, with whoever did it, and nothing is lost unsaid.

    somebody with nft or with the tool ──> pairs in the kernel ──> statnat-nft monitor ──> lines

One namespace; no packets.
"""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from net import A, A6, A6_OUT, A_OUT, B, B_OUT, many, until
from network import alongside, undisturbed
from nfnl import IPV6, Netlink, delete_element, delete_table, new_element, new_table
from packets import row
from tool import TOOL

LISTENING = re.compile(r"listening: (\d+) pairs?")
BY = re.compile(r", by ([\w-]+) \(process \d+\)")


class Monitor:
    """The tool at work, and what it has said so far."""

    def __init__(self, namespace, folder, *options):
        self.out, self.errors = folder / "out", folder / "errors"
        with namespace, self.out.open("w") as out, self.errors.open("w") as errors:
            self.process = subprocess.Popen([str(TOOL), "monitor", *options], stdout=out, stderr=errors)
        until(self.lines)

    def lines(self):
        """But for one that is not whole yet; of a file opened apart: to read the monitor's moves where it writes."""
        return self.out.read_text().split("\n")[:-1]

    def lost(self):
        """How many datagrams it could not take."""
        files = Path(f"/proc/{self.process.pid}/fd").iterdir()
        own = {os.readlink(file).removeprefix("socket:[").rstrip("]") for file in files}
        with open(f"/proc/{self.process.pid}/net/netlink") as sockets:
            return sum(int(line.split()[8]) for line in sockets if line.split()[9] in own)

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def tool(namespace, make_tool):
    tool = make_tool(namespace)
    tool.sync({A: A_OUT})
    yield tool
    tool("clear")


@pytest.fixture
def monitor(namespace, tool, tmp_path):
    monitor = Monitor(namespace, tmp_path)
    yield monitor
    monitor.close()


def said(monitor, tool, commands):
    """By the tool, or by nft, commands one after the other; and what is said of them."""
    before = len(monitor.lines())
    for command in commands:
        tool(*command.split()[1:]) if command.startswith("statnat-nft ") else tool.namespace.nft(command)
    netlink = Netlink(tool.namespace)  # this process comes last
    netlink.batch(delete_table("statnat", IPV6)) == 0 or netlink.batch(new_table("statnat", IPV6))
    netlink.close()
    own = Path("/proc/self/comm").read_text().strip()
    lines = until(lambda: any(f", by {own} " in line for line in monitor.lines()) and monitor.lines()[before:])
    return [BY.sub(r", by \1", line) for line in lines if f", by {own} " not in line]


ELEMENTS = "add element ip statnat int2ext {{ {0} : {1} }}; add element ip statnat ext2int {{ {1} : {0} }}; "
NO_ELEMENTS = "delete element ip statnat int2ext {{ {0} }}; delete element ip statnat ext2int {{ {1} }}; "
GONE, COME = NO_ELEMENTS.format(A, A_OUT), ELEMENTS.format(A, A_OUT)
EVENTS = [
    #   why                what is done                                  what is said
    row("added",           [f"statnat-nft add {B} {B_OUT}"],             [f"+ {B} {B_OUT}, by statnat-nft"]),
    row("added by nft",    [ELEMENTS.format(B, B_OUT)],                  [f"+ {B} {B_OUT}, by nft"]),
    row("removed",         [f"statnat-nft del {A}"],                     [f"- {A} {A_OUT}, by statnat-nft",
                                                                          "- table ip statnat, by statnat-nft"]),
    row("removed by nft",  [GONE],                                       [f"- {A} {A_OUT}, by nft"]),
    row("moved",           [GONE + ELEMENTS.format(A, B_OUT)],           [f"~ {A} {B_OUT}, was {A_OUT}, by nft"]),
    row("a comment",       [GONE + COME.replace(" :", ' comment "mail" :', 1)],
        [f"~ {A} {A_OUT}, comment changed, by nft # mail"]),
    row("half by half",    GONE.split("; ")[:2],                         [f"~ {A} {A_OUT}, inbound only, by nft",
                                                                          f"- {A} {A_OUT}, inbound only, by nft"]),
    row("half, and back",  [GONE.split("; ")[1], COME.split("; ")[1]],   [f"~ {A} {A_OUT}, outbound only, by nft",
                                                                          f"~ {A} {A_OUT}, was outbound only, by nft"]),
    row("another family",  [f"statnat-nft add {A6} {A6_OUT}"],           [f"+ {A6} {A6_OUT}, by statnat-nft",
                                                                          "+ table ip6 statnat, by statnat-nft"]),
    row("all flushed",     ["flush ruleset"],                            [f"- {A} {A_OUT}, by nft",
                                                                          "- table ip statnat, by nft"]),
    row("a map flushed",   ["flush map ip statnat ext2int"],             [f"~ {A} {A_OUT}, outbound only, by nft"]),
    row("as it was",       [GONE + COME],                                []),
    row("others",          ["add table ip other", "delete table ip other"], []),
]


@pytest.mark.parametrize("commands, lines", EVENTS)
def test_lines(tool, monitor, commands, lines):
    assert said(monitor, tool, commands) == lines


def test_a_map_goes_and_comes(tool, monitor):
    """No rule of ours uses it meanwhile."""
    tool.namespace.nft("flush table ip statnat; delete map ip statnat int2ext")
    tool("sync", tool.file)
    until(lambda: len(monitor.lines()) == 5)
    assert [BY.sub("", line) for line in monitor.lines()[1:]] == [
        f"~ {A} {A_OUT}, inbound only", "- map ip statnat int2ext",
        f"~ {A} {A_OUT}, was inbound only", "+ map ip statnat int2ext"]


def test_a_larger_map(tool, monitor):
    """Is a new one, with all elements again, and only what is more is said."""
    pairs = many(3000)
    tool.sync({A: A_OUT, **pairs})
    until(lambda: len(monitor.lines()) == 1 + len(pairs))
    assert {BY.sub("", line) for line in monitor.lines()[1:]} == {f"+ {one} {other}" for one, other in pairs.items()}


def test_json(tool, tmp_path):
    """An object a line."""
    monitor = Monitor(tool.namespace, tmp_path, "--json")
    tool.namespace.nft(GONE + ELEMENTS.format(A, B_OUT))
    tool("clear")
    until(lambda: len(monitor.lines()) == 4)
    begin, changed, removed, table = map(json.loads, monitor.lines())
    monitor.close()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time"))
               for event in (begin, changed, removed, table))
    assert begin == {"event": "listening", "pairs": 1}
    now, was = ({"internal": A, "external": external, "npt": False, "comment": ""} for external in (B_OUT, A_OUT))
    assert changed.pop("process_id") > 0 and changed == {"event": "changed", "pair": now, "was": was, "process": "nft"}
    assert removed.pop("process_id") > 0 and removed == {"event": "removed", "pair": now, "process": "statnat-nft"}
    assert table.pop("process_id") > 0 and table == {"event": "removed", "table": "ip statnat",
                                                     "process": "statnat-nft"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_a_signal(monitor, number):
    monitor.process.send_signal(number)
    assert monitor.process.wait(60) == 0
    assert monitor.errors.read_text() == ""


def test_ends_when_nobody_reads(tool):
    """Although there is nothing to say."""
    with tool.namespace:
        process = subprocess.Popen([str(TOOL), "monitor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert LISTENING.match(process.stdout.readline())
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == ""
    process.stderr.close()


def test_more_than_it_can_hear(tool, monitor):
    """While it sleeps, more is changed than its socket can hold: it says so, and what differs. Whoever adds up all
    lines has what nft lists."""
    pairs = many(2000)
    tool.sync(pairs)
    until(lambda: len(monitor.lines()) == 2002)  # with the first line, and A that is gone
    monitor.process.send_signal(signal.SIGSTOP)
    before = monitor.lost()
    nft = tool.namespace.nft
    while monitor.lost() == before:
        nft(f"flush map ip statnat int2ext; flush map ip statnat ext2int; {elements(pairs)}")
    kept = dict(list(pairs.items())[500:])
    moved = {internal: external.replace("198.", "203.") for internal, external in list(kept.items())[:300]}
    after = {**kept, **moved, **many(400, first=70000)}
    nft(f"flush map ip statnat int2ext; flush map ip statnat ext2int; {elements(after)}")
    monitor.process.send_signal(signal.SIGCONT)
    until(lambda: any(line.startswith("resynchronised (1)") for line in monitor.lines()))
    until(lambda: add_up(monitor.lines()) == after)
    assert add_up(monitor.lines()) == listed(tool.namespace)
    assert sum(line.startswith("resynchronised") for line in monitor.lines()) == 1


def elements(pairs):
    """As nft adds them; both directions."""
    out = ", ".join(f"{one} : {other}" for one, other in pairs.items())
    back = ", ".join(f"{other} : {one}" for one, other in pairs.items())
    return f"add element ip statnat int2ext {{ {out} }}; add element ip statnat ext2int {{ {back} }}"


MOVING, FIRST, SECOND = "10.1.7.7", "198.18.7.7", "203.0.113.7"
MOVED = rf"~ {MOVING} \S+, was (\S+), by"


def change(namespace, is_over):
    """One pair's external address, back and forth, a hundred times a second."""
    netlink, begin = Netlink(namespace), time.monotonic()
    internal, *externals = map(socket.inet_aton, (MOVING, FIRST, SECOND))
    for number in itertools.count(1):
        if is_over():
            break
        was, now = externals
        assert netlink.batch(delete_element("statnat", "int2ext", internal), delete_element("statnat", "ext2int", was),
                             new_element("statnat", "int2ext", internal, now),
                             new_element("statnat", "ext2int", now, internal)) == 0
        externals.reverse()
        time.sleep(max(0, begin + number / 100 - time.monotonic()))
    netlink.close()


def listed(namespace):
    """The pairs that nft shows; it has the key and its counter in an object."""
    listing = json.loads(namespace.run("nft", "-j", "list", "map", "ip", "statnat", "int2ext").stdout)
    found, = (one["map"]["elem"] for one in listing["nftables"] if "map" in one)
    return {key["elem"]["val"]: value for key, value in found}


def add_up(lines):
    """The pairs that are there after these lines, of which A was there before."""
    pairs = {A: A_OUT}
    for line in lines:
        if found := re.match(r"([-+~]) (\d\S+) ([^\s,]+)", line):
            sign, internal, external = found.groups()
            if sign == "-":
                assert pairs.pop(internal) == external
            else:
                assert (sign == "+") == (internal not in pairs)
                pairs[internal] = external
    return pairs


@pytest.mark.stock
def test_begins_while_pairs_change(tool, tmp_path):
    """A hundred times a second, beside 3,000: what is there is found all the same, and no change is missed. That takes
    the time between two of them, in which this kernel tells a map of 3,000 pairs in 4 ms, and one of 10,000 in 12."""
    pairs = many(3_000)
    tool.sync(pairs)
    over = threading.Event()
    with undisturbed(), alongside(change, tool.namespace, over.is_set):
        monitor = Monitor(tool.namespace, tmp_path)
        until(lambda: len(monitor.lines()) > 100)
        over.set()
    assert monitor.lines()[0] == "listening: 3000 pairs"
    was = [re.match(MOVED, line)[1] for line in monitor.lines()[1:]]
    assert was == [(FIRST, SECOND)[(number + (was[0] == SECOND)) % 2] for number in range(len(was))]
    monitor.close()


@pytest.mark.stock
def test_costs_next_to_nothing(tool, tmp_path):
    """A hundred changes a second beside 10,000 pairs take at most 1 % of a processor."""
    pairs = many(10_000)
    tool.sync(pairs)
    monitor = Monitor(tool.namespace, tmp_path)
    assert monitor.lines() == ["listening: 10000 pairs"]

    before, spent, begin, steps = len(monitor.lines()), cost(monitor.process.pid), time.monotonic(), itertools.count()
    change(tool.namespace, lambda: next(steps) == 1000)
    until(lambda: len(monitor.lines()) == before + 1000)
    share = (cost(monitor.process.pid) - spent) / (time.monotonic() - begin)
    print(f"of a processor: {share:.2%}")
    assert share <= 0.01
    monitor.close()


def cost(process):
    """What a process has taken of a processor, in seconds; to the nanosecond, which /proc/PID/stat is not."""
    with open(f"/proc/{process}/schedstat") as schedstat:
        return int(schedstat.read().split()[0]) / 1e9
