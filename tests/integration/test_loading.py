# SPDX-License-Identifier: GPL-2.0-or-later
"""Many pairs come at once, while others listen, commit, load as well, or kill who loads.

    nft monitor ──── kernel ──── gateway, where pairs come     inside ──── gateway ──── outside
    in a namespace of its own
"""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import X, Namespace, many, until
from network import undisturbed
from tool import ENGINE, TOOL, run_file, write_pairs

MANY = 100_000


@pytest.fixture(scope="module")
def files(tool):
    """Configurations of a few pairs, of many with them, and of as many others."""
    found = {"few": many(1000), "many": many(MANY), "others": many(MANY, first=1 << 17)}
    return {name: write_pairs(tool.folder, name, pairs) for name, pairs in found.items()}


@pytest.fixture(autouse=True)
def nothing_there(tool):
    tool("clear")
    yield
    tool("clear")


@contextlib.contextmanager
def somebody_listening():
    """To nf_tables, where it has nothing to do with us."""
    with contextlib.closing(Namespace("listener")) as elsewhere:
        with elsewhere:
            monitor = subprocess.Popen(["nft", "monitor"], stdout=subprocess.DEVNULL)
        try:
            until(lambda: is_heard(elsewhere))
            yield
        finally:
            monitor.kill()
            monitor.wait()


def is_heard(namespace):
    """Whether a socket there is in the group of nf_tables, the seventh of netfilter."""
    sockets = [line.split() for line in namespace.run("cat", "/proc/net/netlink").stdout.splitlines()[1:]]
    return any(protocol == "12" and int(groups, 16) & 1 << 6 for _, protocol, _, groups, *_ in sockets)


def kernel_memory():
    """What the kernel keeps in small objects, in bytes."""
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("SUnreclaim:"))


class Peak:
    """Of the kernel's memory, above where it was."""

    def __enter__(self):
        self.before, self.above, self.stop = kernel_memory(), 0, threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def look(self):
        with undisturbed():
            while not self.stop.wait(0.01):
                self.above = max(self.above, kernel_memory() - self.before)


def chains(namespace):
    listed = json.loads(namespace.run("nft", "-j", "list", "chains", "ip").stdout)["nftables"]
    return [one["chain"]["name"] for one in listed if "chain" in one and one["chain"]["table"] == "statnat"]


def translated(wire, internal, external):
    """Whether a packet of a pair leaves from its external address."""
    wire.inside.send(bytes(IP(src=internal, dst=X) / UDP() / b"hello"))
    return wire.outside.receive(60)[12:16] == bytes(map(int, external.split(".")))


def test_a_listener_costs_no_memory(wire, tool, files):
    """8 kB for each element, until its transaction is done, would be 1.6 GB."""
    with somebody_listening(), Peak() as memory:
        assert tool("sync", files["many"]).stdout == f"added {MANY} pairs, wrote rules\n"
    assert memory.above < 800_000_000, f"{memory.above / 1e6:.0f} MB"
    assert tool("diff", "--exit-code", files["many"]).stdout == ""
    assert not [name for name in chains(wire.gateway) if name.startswith("loading")]


def test_what_would_take_all_memory_is_refused(tool, files, tmp_path):
    """A map that rules ask is replaced at once."""
    tool("sync", files["few"])
    (tmp_path / "meminfo").write_text("MemTotal: 2000000 kB\nMemAvailable: 1000000 kB\n")
    beside = ["unshare", "--mount", "sh", "-ec", f'mount --bind {tmp_path}/meminfo /proc/meminfo; exec "$@"', "sh"]
    with somebody_listening():
        refused = tool.namespace.run(*beside, str(TOOL), "sync", str(files["many"]), check=False)
        elements = f"{MANY * (3 if ENGINE == 'native' else 2):,}"
        assert re.fullmatch(r"statnat-nft: error: .+ \(process \d+\) listens to nf_tables, for which the kernel would "
                            rf"need [\d,]+ MB of memory to change {elements} elements, and 1,024 MB are available: "
                            r"stop it first\n", refused.stderr)
        assert refused.returncode == 1
        assert tool("diff", "--exit-code", files["few"]).stdout == ""
    # Nobody but the tool itself, which has to read all of it beside others, if nothing is known.
    run_file("netns", tool.namespace).unlink()
    tool.namespace.run(*beside, str(TOOL), "sync", str(files["many"]))


@contextlib.contextmanager
def stopped_halfway(tool, file):
    """A sync that has put pairs into maps, and no rules."""
    with tool.namespace:
        process = subprocess.Popen([TOOL, "sync", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: chains(tool.namespace) or process.poll() is not None)
        process.send_signal(signal.SIGSTOP)
        assert chains(tool.namespace) and process.poll() is None
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate()


def test_who_is_killed_leaves_nothing_that_packets_meet(wire, tool, files):
    pair = next(iter(many(1).items()))
    with stopped_halfway(tool, files["many"]) as process:
        process.kill()
        process.wait()
    assert all(name.startswith("loading-") for name in chains(wire.gateway))
    assert not translated(wire, *pair)
    tool("sync", files["many"])
    assert translated(wire, *pair)
    assert tool("diff", "--exit-code", files["many"]).stdout == ""


def test_clear_takes_away_what_a_killed_one_left(wire, tool, files):
    with stopped_halfway(tool, files["many"]) as process:
        process.kill()
        process.wait()
    assert tool("clear").stdout == "deleted the table\n"
    assert chains(wire.gateway) == []


def test_status_names_what_a_killed_one_left(tool, files):
    with stopped_halfway(tool, files["many"]) as process:
        process.kill()
        process.wait()
    assert "loading" in tool("status", check=False).stdout


def test_one_waits_for_another_who_loads(tool, files):
    """Each of two who begin at once does all of what it is asked for, one after the other."""
    with tool.namespace:
        both = [subprocess.Popen([TOOL, "sync", "--force", files[name]], stdout=subprocess.PIPE, text=True)
                for name in ("many", "others")]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    same = [not tool("diff", "--exit-code", files[name], check=False).returncode for name in ("many", "others")]
    assert sorted(same) == [False, True]


def test_who_is_overtaken_begins_again(tool, files):
    """One that has stopped for long is taken for dead. It notices, and mixes nothing."""
    with stopped_halfway(tool, files["many"]) as process:
        tool("sync", "--force", files["others"])
        assert tool("diff", "--exit-code", files["others"]).stdout == ""
        process.send_signal(signal.SIGCONT)
        said, failures = process.communicate()
        assert (process.returncode, failures) == (0, "") and said.startswith(f"added {MANY} pairs, removed {MANY}")
    assert tool("diff", "--exit-code", files["many"]).stdout == ""


def test_others_who_commit_are_no_matter(tool, files):
    """To tables of their own, as often as they can."""
    stop = threading.Event()

    def commit():
        while not stop.is_set():
            tool.namespace.nft("add table ip busy; add set ip busy s { type ipv4_addr; }; "
                               "add element ip busy s { 192.0.2.1 }; delete table ip busy")
            time.sleep(0.02)

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        assert tool("sync", files["many"]).stdout == f"added {MANY} pairs, wrote rules\n"
    finally:
        stop.set()
        thread.join()
    assert tool("diff", "--exit-code", files["many"]).stdout == ""
