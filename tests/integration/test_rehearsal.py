# SPDX-License-Identifier: GPL-2.0-or-later
"""A libnftables that does not do what ours stands on: it is noticed before anything is loaded or listed.

Each is this machine's with names changed in its bytes: of functions that it calls, which elsewhere.c then has, or of
words that it writes. One namespace; no packets.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

TO_KERNEL, FROM_KERNEL = "on its way to the kernel", "on its way from the kernel"
RULESET = """table ip t {
	map m { type ipv4_addr : ipv4_addr; }
	chain c { type filter hook postrouting priority 0; snat_stateless saddr map @m; }
}
"""
STATEMENT = {"snat_stateless": {"field": "saddr", "map": "@m"}}
AS_JSON = json.dumps({"nftables": [
    {"add": {"table": {"family": "ip", "name": "t"}}},
    {"add": {"chain": {"family": "ip", "table": "t", "name": "c"}}},
    {"add": {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [STATEMENT]}}}]})

CALLS = {b"\0sendmsg\0": b"\0sendmsX\0", b"\0mnl_socket_sendto\0": b"\0mnl_socket_sendtX\0",
         b"\0mnl_socket_recvfrom\0": b"\0mnl_socket_recvfroX\0", b"\0fopen\0": b"\0fopeX\0"}
TEXT, JSON = {b' prefix "%s"\0': b' prefiX "%s"\0'}, {b" prefix\0": b" prefiX\0"}

OTHERS = [
    #   why                          what is changed    options   what is said
    row("sends by another call",     [b"\0sendmsg\0"],   [],      TO_KERNEL),
    row("asks by another call",      [b"\0mnl_socket_sendto\0"], [], TO_KERNEL),
    row("receives by another call",  [b"\0mnl_socket_recvfrom\0"], [], TO_KERNEL),
    row("reads by another call",     [b"\0fopen\0"],     [],      TO_KERNEL),
    row("does nothing as expected",  list(CALLS),        [],      TO_KERNEL),
    row("JSON, by another call",     [b"\0sendmsg\0"],   ["-j"],  TO_KERNEL),
    row("writes another text",       list(TEXT),         [],      FROM_KERNEL),
    row("reads other JSON",          list(JSON),         ["-j"],  TO_KERNEL),
]

COMMANDS = [
    #   what               arguments, with TEXT            standard input
    row("a file",          ["-f", "ruleset"],              ""),
    row("standard input",  ["-f", "-"],                    "TEXT"),
    row("a command",       ["TEXT"],                       ""),
    row("a listing",       ["list", "ruleset"],            ""),
    row("a dialogue",      ["-i"],                         "TEXT"),
]


@pytest.fixture(scope="module")
def elsewhere(compiled):
    return compiled("elsewhere.c", "-shared", "-fPIC")


def run(namespace, folder, elsewhere, changed, *words, stdin=""):
    """The tool with a libnftables that is changed so."""
    listed = subprocess.run(["ldd", TOOL], capture_output=True, text=True, check=True).stdout
    original = Path(re.search(r"libnftables\.so\.1 => (\S+)", listed)[1]).read_bytes()
    library = original
    for old in changed:
        assert old in library
        library = library.replace(old, {**CALLS, **TEXT, **JSON}[old])
    (folder / "libnftables.so.1").write_bytes(library)
    environment = f"LD_LIBRARY_PATH={folder}", f"LD_PRELOAD={elsewhere}"
    return namespace.run("env", "-C", str(folder), *environment, str(TOOL), *words, stdin=stdin, check=False)


def refused(done, sentence):
    """With one sentence and nothing else."""
    assert (done.stdout, done.returncode, done.stderr.count("\n")) == ("", 1, 1)
    assert re.match(f"statnat-nft: error: this libnftables is none that .*: a rule {sentence} .*; "
                    "nothing was loaded or listed\n", done.stderr)


@pytest.mark.parametrize("words, stdin", COMMANDS)
@pytest.mark.parametrize("changed, options, sentence", OTHERS)
def test_another_libnftables(namespace, tmp_path, elsewhere, changed, options, sentence, words, stdin):
    """Nothing is done: no log statement is in the kernel, no listing lacks a rule of ours."""
    text = AS_JSON if options else RULESET
    (tmp_path / "ruleset").write_text(text)
    words = [word.replace("TEXT", text) for word in words]
    stdin = stdin.replace("TEXT", text)
    refused(run(namespace, tmp_path, elsewhere, changed, "nft", *options, *words, stdin=stdin), sentence)
    assert namespace.run("nft", "list", "ruleset").stdout == ""


def test_save_by_another_libnftables(namespace, tmp_path, elsewhere):
    (tmp_path / "saved").write_text("the last one\n")
    refused(run(namespace, tmp_path, elsewhere, [b"\0mnl_socket_recvfrom\0"], "save", "saved"), TO_KERNEL)
    assert (tmp_path / "saved").read_text() == "the last one\n"


@pytest.mark.parametrize("options", [[], ["-j"]], ids=["text", "JSON"])
def test_copy_without_a_change(namespace, tmp_path, elsewhere, options):
    done = run(namespace, tmp_path, elsewhere, [], "nft", *options, "list", "ruleset")
    assert (done.stderr, done.returncode) == ("", 0)


def test_no_kernel_is_asked(namespace):
    """Who may not ask the kernel anything hears from the kernel, not that libnftables is another one."""
    nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"]
    stock, ours = (namespace.run(*nobody, *command, "list", "ruleset", check=False)
                   for command in (["nft"], [str(TOOL), "nft"]))
    assert "Operation not permitted" in stock.stderr
    assert (ours.stdout, ours.stderr, ours.returncode) == (stock.stdout, stock.stderr, stock.returncode)
