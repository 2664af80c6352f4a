# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash completes, asked as bash asks."""

import pathlib
import re

import pytest

from net import A, A6, A6_OUT, A_OUT
from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

COMPLETION = pathlib.Path(__file__).parents[2] / "completion/statnat-nft"
ASK = """source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_statnat_nft "$TOOL" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(namespace, make_tool):
    tool = make_tool(namespace)
    tool.sync({A: A_OUT, A6: A6_OUT})

    def ask(*words):
        done = namespace.run("env", f"TOOL={TOOL}", "bash", "-c", ASK, "bash", str(COMPLETION), "statnat-nft", *words)
        assert done.stderr == ""
        return set(done.stdout.split())
    yield ask
    tool("clear")


def helped(namespace, *command):
    """Commands and long options, as a reader of --help finds them."""
    text = namespace.run(str(TOOL), *command, "--help").stdout
    below = text.partition("Commands:\n")[2].partition("\n\n")[0]
    return {line.split()[0] for line in below.splitlines()}, set(re.findall(r"(?<![\w-])--[a-z-]+", re.sub(
        r"(?m)^(\s+\S.*?)  .*", r"\1", text)))


def test_commands_and_options(namespace, complete):
    commands, options = helped(namespace)
    assert {"sync", "doctor", "metrics"} <= commands and "--quiet" in options
    assert complete("") == commands | options | {"-h", "-V", "-v", "-q"}
    assert complete("s") == {"sync", "status", "save"}
    for command in commands - {"nft"}:
        assert complete("-q", command, "--") == helped(namespace, command)[1], command


@pytest.mark.parametrize("words, wanted", [
    row("engines",               ["sync", "--engine", ""],           {"auto", "expression", "native"}),
    row("an engine",             ["diff", "--engine", "e"],          {"expression"}),
    row("orders",                ["list", "--sort", ""],             {"internal", "external", "packets", "bytes"}),
    row("a format",              ["import", "--from", "c"],          {"csv", "cisco", "config-xml"}),
    row("where to",              ["export", "--to", ""],             {"nft-native", "csv", "json"}),
    row("addresses",             ["explain", ""],                    {A, A_OUT, A6, A6_OUT}),
    row("an address",            ["del", "198."],                    {A_OUT}),
    row("what follows a colon",  ["del", A6[:5]],                    {A6.rpartition("fd00:")[2]}),
    row("within",                ["list", "--within", "10"],         {A}),
    row("a file",                ["sync", "/etc/host"],              set()),
    row("of nft's",              ["nft", "li"],                      set()),
])
def test_values(complete, words, wanted):
    """Where there is nothing, bash looks for files."""
    assert complete(*words) == wanted
