# SPDX-License-Identifier: GPL-2.0-or-later
"""status --health: whether all is as the tool left it, without a dump.

    tool ──── kernel of the gateway's namespace ──── somebody with nft
"""

import contextlib
import ipaddress
import json
import time

import pytest

from net import A, A_OUT, ALL_PAIRS, B, B_OUT, Namespace, many
from packets import row
from tool import Tool, run_file

HEALTHY = "healthy\n"


@pytest.fixture(scope="module")
def gateway():
    with contextlib.closing(Namespace("gateway")) as namespace:
        yield namespace


@pytest.fixture
def tool(gateway, tmp_path):
    tool = Tool(gateway, tmp_path)
    tool.sync(ALL_PAIRS)
    yield tool
    gateway.nft("flush ruleset")
    tool("clear")


@pytest.fixture
def rewrite(gateway):
    """Puts another line in the place of one that begins so, in what the tool remembers of the gateway."""
    def replace(begin, line):
        path = run_file("baseline", gateway)
        path.write_text("".join(f"{line}\n" if one.startswith(begin) else one
                                for one in path.read_text().splitlines(keepends=True)))
    return replace


def health(tool, *file):
    done = tool("status", "--health", *file, check=False)
    assert (done.returncode, done.stderr) in ((0, ""), (1, ""))
    assert (done.stdout == HEALTHY) == (done.returncode == 0)
    return done.stdout


DAMAGES = [
    #   why                     what somebody does with nft             what is said of it
    row("everything flushed",   "flush ruleset",                        ["table ip statnat is gone",
                                                                         "table ip6 statnat is gone"]),
    row("a table deleted",      "delete table ip6 statnat",             ["table ip6 statnat is gone"]),
    row("a chain flushed",      "flush chain ip statnat prerouting",    ["chain ip statnat prerouting is changed"]),
    row("a chain deleted",      "flush chain ip statnat output; "
                                "delete chain ip statnat output",       ["chain ip statnat output is gone"]),
    row("a rule too many",      "insert rule ip statnat output accept", ["chain ip statnat output is changed"]),
    row("a chain too many",     "add chain ip statnat other",           ["chain ip statnat other is somebody else's"]),
    row("a map too many",       "add map ip statnat other "
                                "{ type ipv4_addr : ipv4_addr; }",      ["map ip statnat other is somebody else's"]),
    row("a map flushed",        "flush map ip statnat ext2int",         [f"map ip statnat ext2int has lost {A_OUT}"]),
    row("switched off",         "add table ip statnat "
                                "{ flags dormant; }",                   ["table ip statnat is changed"]),
    row("a table of others",    "add table ip statnat_; "
                                "add chain ip statnat_ prerouting",     ["healthy"]),
    row("nothing",              "",                                     ["healthy"]),
]


@pytest.mark.parametrize("commands, said", DAMAGES)
def test_damage_is_seen(gateway, tool, commands, said):
    assert health(tool) == HEALTHY
    gateway.nft(commands)
    assert health(tool) == "".join(f"{line}\n" for line in said)
    tool.sync(ALL_PAIRS)
    assert health(tool) == HEALTHY


def test_for_programs(gateway, tool):
    assert json.loads(tool("status", "--health", "-j").stdout) == {"healthy": True, "ailments": []}
    gateway.nft("delete table ip statnat")
    done = tool("status", "--health", "--json", check=False)
    assert (done.returncode, json.loads(done.stdout)) == (
        1, {"healthy": False, "ailments": ["table ip statnat is gone"]})


def test_what_the_tool_does_itself_is_no_damage(tool):
    tool("add", "10.0.0.77", "198.51.100.77")
    assert health(tool) == HEALTHY
    for internal in (A, B, "10.0.0.77"):
        tool("del", internal)
        assert health(tool) == HEALTHY
    tool("add", A, A_OUT)
    assert health(tool) == HEALTHY
    tool("sync", tool.configure({B: B_OUT}))
    assert health(tool) == HEALTHY


def test_add_hides_no_damage(gateway, tool):
    """It sees an excerpt, in which what is lost may not show; what does show is repaired."""
    pairs = many(300)
    tool.sync(pairs)
    first = min(pairs.values(), key=ipaddress.ip_address)
    gateway.nft(f"delete element ip statnat ext2int {{ {first} }}")
    tool("add", "10.0.0.77", "198.51.100.77")
    repaired = not tool("diff", tool.configure({**pairs, "10.0.0.77": "198.51.100.77"})).stdout
    assert health(tool) == (HEALTHY if repaired else f"map ip statnat ext2int has lost {first}\n")


def test_nothing_is_loaded(tool, tmp_path):
    """That is as it should be without a configuration, and a fault with one."""
    tool("clear")
    assert health(tool, tmp_path / "no such file") == HEALTHY
    assert health(tool, tool.file) == f"nothing is loaded, although there is {tool.file}\n"


def test_what_another_version_left(tool, rewrite):
    rewrite("version ", "version 0.0.9")
    assert health(tool).startswith("what is loaded is of version 0.0.9, this is ")
    tool("sync", tool.file)
    assert health(tool) == HEALTHY


def test_a_record_that_is_not_ours_is_none(gateway, tool, rewrite):
    """All is read instead, as status does."""
    rewrite("statnat 1", "statnat 1, network namespace 1, boot of another, generation 1")
    assert health(tool) == HEALTHY
    gateway.nft("flush chain ip statnat prerouting")
    assert health(tool) != HEALTHY


def test_it_takes_no_dump(gateway, tool):
    """As soon done with 20,000 pairs, although somebody has committed since. The least of five counts."""
    tool.sync(many(20_000))
    dumps, looks = [], []
    for number in range(5):
        gateway.nft(f"add table ip other{number}")
        looks.append(seconds(lambda: health(tool) == HEALTHY))
        dumps.append(seconds(lambda: tool("list", "-j")))
    assert min(looks) < min(dumps) / 3


def seconds(do):
    begin = time.monotonic()
    assert do()
    return time.monotonic() - begin


@pytest.mark.stock
def test_less_than_was_asked_for(tool):
    """Without the module, and with what worked last, all works that can; who relies on health hears of it."""
    tool("sync", tool.configure(ALL_PAIRS, engine="auto"))
    assert "engine native, since there is no module" in health(tool)
    tool("add", "10.0.0.77", "198.51.100.77")
    assert "engine native, since there is no module" in health(tool)
    tool.sync(ALL_PAIRS)
    assert health(tool) == HEALTHY
