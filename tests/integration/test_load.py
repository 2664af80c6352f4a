# SPDX-License-Identifier: GPL-2.0-or-later
"""Many pairs: packets flow while they come and go, they come soon, and who waits is told.

                  inside ──── gateway ──── outside
    pairs that stay, and many that come            X 203.0.113.10
"""

import os
import pty
import re
import resource
import select
import subprocess
import time

import pytest

from net import PAIRS, many
from network import alongside
from tool import ENGINE, REWRITTEN, TOOL, write_pairs
from traffic import Traffic

# While anybody listens, in whatever namespace, the kernel holds 8 kB for each element until the commit: a million pairs
# in three maps, beside the watch of another test, were all of a machine's 24 GB.
MANY = 300_000

# Seconds of processor time to read 100,000 pairs.
LIMITS = {"toml": 0.5, "csv": 0.1}


@pytest.fixture(scope="module")
def files(tool):
    """Configurations of few and of many pairs; the few are among the many."""
    few, all_of_them = many(1000), many(MANY)
    return {"few": write_pairs(tool.folder, "few", few), "many": write_pairs(tool.folder, "many", all_of_them)}


def test_packets_flow_while_many_pairs_come_and_go(wire, tool, files, every_processor):
    """Those of pairs that stay are neither lost nor wrong, and go on all the time."""
    tool("sync", files["few"])
    traffic = Traffic(wire, list(many(1000).items())[::20])
    with alongside(traffic.run):
        try:
            for file, said in (("many", f"added {MANY - 1000} pairs, replaced maps, wrote rules\n"),
                               ("few", f"removed {MANY - 1000} pairs{REWRITTEN}\n")):
                before, begin = traffic.sent, time.monotonic()
                assert tool("sync", "--force", files[file]).stdout == said
                rate = (traffic.sent - before) / (time.monotonic() - begin)
                # One every 5 ms if nothing else ran; a machine of one processor gives the traffic half of it at best.
                assert rate > 10, f"{file}: {rate} packets a second and direction"
        finally:
            traffic.stop.set()
    assert not traffic.wrong, traffic.wrong[:9]
    tool.sync(PAIRS)


def on_terminal(namespace, *command):
    """Runs a command whose standard error is a terminal; what appears there, and its standard output."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace.name}", *map(str, command)],
                               stdout=subprocess.PIPE, stderr=other_end)
    os.close(other_end)
    seen = b""
    while process.poll() is None or select.select([terminal], [], [], 0)[0]:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 1 << 16)
            except OSError:  # the other end is closed
                break
    os.close(terminal)
    output = process.stdout.read().decode()
    assert process.wait() == 0
    return seen.decode(), output


def test_a_terminal_shows_what_takes_long(wire, tool, files):
    tool("clear")
    seen, output = on_terminal(wire.gateway, TOOL, "sync", files["many"])
    assert output == f"added {MANY} pairs, wrote rules\n"
    *drawn, erased, rest = seen.split("\r")
    assert drawn[0] == rest == "" and len(drawn) > 1 and erased.strip() == ""
    elements = MANY * (3 if ENGINE == "native" else 2)
    for line in filter(str.strip, drawn):  # one step's line is erased before the next step's
        loading = rf"reading {re.escape(str(files['many']))}|writing {elements:,} elements to the kernel(: [\d,]+)?"
        assert re.fullmatch(rf"({loading}|writing rules to the kernel), \d+ s", line.rstrip())
    tool("clear")
    assert on_terminal(wire.gateway, TOOL, "--quiet", "sync", files["many"]) == ("", "")
    tool("clear")
    assert tool("sync", files["many"]).stderr == ""
    tool("clear")


def test_a_terminal_shows_nothing_of_what_does_not(wire, tool):
    tool.sync(PAIRS)
    assert on_terminal(wire.gateway, TOOL, "sync", tool.file) == ("", "nothing to change\n")


@pytest.mark.stock
@pytest.mark.parametrize("kind", LIMITS)
def test_reading_takes_no_time(tmp_path, kind):
    pairs = many(100_000)
    path = write_pairs(tmp_path, "pairs", pairs)
    if kind == "toml":
        path.write_text("[pairs]\n" + "".join(f'"{internal}" = "{external}"\n' for internal, external in pairs.items()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([TOOL, "check", path], check=True, stdout=subprocess.DEVNULL)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before <= LIMITS[kind]
