# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours: on a terminal that has them and for whoever wants them, and nowhere else.

One namespace; no packets.
"""

import os
import pty
import subprocess

import pytest

from net import A, A_OUT, B, B_OUT, D, D_OUT
from packets import row
from tool import ENGINE, TOOL

pytestmark = pytest.mark.stock

TITLES = "internal  external      packets out  bytes out  packets in  bytes in  comment"


@pytest.fixture
def tool(namespace, make_tool):
    """A has a pair; the configuration has others."""
    tool = make_tool(namespace)
    tool.sync({A: A_OUT, B: B_OUT})
    tool.configure({B: B_OUT, D: D_OUT})
    yield tool
    tool("clear")


def on_a_terminal(tool, *words, **environment):
    """What a terminal gets to see."""
    ours, its = pty.openpty()
    with tool.namespace:
        process = subprocess.Popen([str(TOOL), *map(str, words)], stdin=its, stdout=its, stderr=subprocess.DEVNULL,
                                   env={"TERM": "xterm", **environment})
    os.close(its)
    seen = b""
    try:
        while data := os.read(ours, 4096):
            seen += data
    except OSError:  # nobody has the other end any more
        pass
    os.close(ours)
    process.wait()
    return seen.decode().replace("\r\n", "\n")


def painted(number, text):
    return f"\033[{number}m{text}\033[0m"


def test_differences(tool):
    added, removed = painted(32, f"+ {D} {D_OUT}"), painted(31, f"- {A} {A_OUT}")
    assert {added, removed} <= set(on_a_terminal(tool, "diff", tool.file).splitlines())


def test_a_list(tool):
    """Its titles; no colour without reason, and a program's forms have none."""
    titles, *lines = on_a_terminal(tool, "list").splitlines()
    assert titles == painted(1, TITLES) and len(lines) == 2 and "\033" not in "".join(lines)
    for form in ("--json", "--csv"):
        assert on_a_terminal(tool, "list", form) == tool("list", form).stdout


def test_what_is_wrong(tool):
    """The word only; the rest is a sentence with a command in it."""
    said = on_a_terminal(tool, "doctor", tool.file)
    assert painted(31, "breaks:") + " IPv4 is not forwarded; cure: sysctl -w net/ipv4/ip_forward=1\n" in said
    assert "healthy" not in said and on_a_terminal(tool, "status", "--health") == painted(32, "healthy") + "\n"
    assert (painted(33, "lacks:") in on_a_terminal(tool, "status")) == (ENGINE == "native")


def test_nothing_is_lost(tool):
    """Where the exit status is not 0, either."""
    assert on_a_terminal(tool, "explain", "10.9.9.9") == tool("explain", "10.9.9.9", check=False).stdout != ""


@pytest.mark.parametrize("environment", [
    row("not wanted",  {"NO_COLOR": "1"}),
    row("a dumb one",  {"TERM": "dumb"}),
])
def test_none(tool, environment):
    assert on_a_terminal(tool, "diff", tool.file, **environment) == tool("diff", tool.file).stdout
    assert on_a_terminal(tool, "list", **environment) == tool("list").stdout


def test_not_on_a_terminal(tool):
    for words in (("diff", tool.file), ("list",), ("status",)):
        assert "\033" not in tool(*words).stdout


def test_empty_is_not_unwanted(tool):
    """As no-color.org has it."""
    assert "\033" in on_a_terminal(tool, "list", NO_COLOR="")
