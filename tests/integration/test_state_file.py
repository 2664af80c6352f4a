# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tool keeps from run to run makes it faster, and never wrong.

    tool ──── kernel of the gateway's namespace
      └────── /run/statnat/netns-COOKIE
"""

import contextlib
import ipaddress
import os
import re
import shutil
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, A6, A6_OUT, B, B_OUT, PAIRS, X, Namespace
from packets import row
from tool import REWRITTEN, RUN, TOOL, Tool, run_file

OTHER = {**PAIRS, A: "198.51.100.77", "10.0.0.4": "198.51.100.4"}


@pytest.fixture
def state(wire):
    return run_file("netns", wire.gateway)


def elements_asked_for(tool, *arguments, check=True):
    """How often a command asks the kernel for elements."""
    return len(re.findall(r"> GETSETELEM", tool("--verbose", *arguments, check=check).stderr))


def somebody_commits(wire):
    wire.gateway.nft("add table ip other; delete table ip other")


COMMANDS = [
    #   why             command
    row("sync",         ["sync"]),
    row("diff",         ["diff"]),
    row("status",       ["status"]),
    row("explain",      ["explain", A]),
    row("list",         ["list", "-j"]),
    row("add",          ["add", "10.0.0.4", "198.51.100.4", "--config", "none"]),
    row("del",          ["del", B_OUT, "--config", "none"]),
    row("refused add",  ["add", "10.0.0.4", A_OUT, "--config", "none"]),
    row("refused del",  ["del", "10.0.0.4", "--config", "none"]),
]


def given(tool, command):
    """The command, with the configuration where it takes one."""
    return [*command, tool.file] if command[0] in ("sync", "diff") else command


@pytest.mark.parametrize("command", COMMANDS)
def test_same_with_and_without(wire, tool, state, command):
    """Of each command everything that it says, and what the kernel holds then."""
    seen = []
    for knows in (True, False):
        tool("clear")
        tool.sync(PAIRS)
        tool.configure(OTHER)
        for _ in range(3):
            wire.inside.send(IP(src=A, dst=B_OUT) / UDP() / bytes(9))
        wire.drain()
        assert state.exists()
        if not knows:
            state.unlink()
        done = tool(*given(tool, command), check=False)
        seen.append((done.returncode, done.stdout, done.stderr, {address: pair["external"]
                                                                 for address, pair in tool.pairs().items()}))
    assert seen[0] == seen[1]
    tool.sync(PAIRS)


def test_no_elements_are_asked_for(wire, synced, state):
    for command in (["sync", synced.file], ["diff", synced.file], ["status"], ["explain", A]):
        assert elements_asked_for(synced, *command) == 0, command
        somebody_commits(wire)
        assert elements_asked_for(synced, *command) > 0, command
        assert elements_asked_for(synced, *command) == 0, command
        state.unlink()
        assert elements_asked_for(synced, *command) > 0, command


def test_a_change_asks_for_no_elements(wire, synced):
    for pairs in (OTHER, PAIRS):
        assert elements_asked_for(synced, "sync", synced.configure(pairs)) == 0
    assert elements_asked_for(synced, "add", "10.0.0.4", "198.51.100.4", "--config", "none") == 0
    assert elements_asked_for(synced, "del", "10.0.0.4", "--config", "none") == 0


def test_what_is_of_an_earlier_time_is_not_believed(synced, state):
    """As after a crash between the transaction and the file, or a copy of the file put back."""
    old = state.with_name("old")
    shutil.copy(state, old)
    synced.sync(OTHER)
    old.replace(state)
    assert {address: pair["external"] for address, pair in synced.pairs().items()} == OTHER
    old.unlink(missing_ok=True)
    shutil.copy(state, old)
    synced.sync(PAIRS)
    old.replace(state)
    synced.sync(PAIRS)
    assert {address: pair["external"] for address, pair in synced.pairs().items()} == PAIRS


def test_what_is_of_another_namespace_is_not_believed(wire, synced, state, tmp_path):
    """Two gateways at the same generation."""
    with contextlib.closing(Namespace("other")) as namespace:
        other = Tool(namespace, tmp_path)
        other.sync({"10.0.0.4": "198.51.100.4"})
        theirs = run_file("netns", namespace)
        assert theirs.exists() and theirs != state
        generations = [re.search(rb"generation (\d+)\n", file.read_bytes())[1] for file in (state, theirs)]
        for _ in range(int(generations[0]) - int(generations[1])):
            somebody_commits_once(namespace)
        assert list(other.pairs()) == ["10.0.0.4"]
        assert re.search(rb"generation (\d+)\n", theirs.read_bytes())[1] == generations[0]
        shutil.copy(state, theirs)
        assert list(other.pairs()) == ["10.0.0.4"]
        other("clear")


def somebody_commits_once(namespace):
    commands = ["add table ip other", "delete table ip other"]
    exists = "other" in namespace.run("nft", "list", "tables").stdout
    namespace.nft(commands[exists])


def test_does_without_a_place_for_it(wire, synced):
    """Where nothing can be written, nothing is said and nothing is different."""
    command = 'mount -t tmpfs -o ro none /run/statnat && exec "$0" "$@"'

    def run(*arguments):
        return wire.gateway.run("unshare", "--mount", "sh", "-c", command, str(TOOL), *map(str, arguments))

    assert run("sync", synced.file).stdout == "nothing to change\n"
    done = run("sync", synced.configure(OTHER))
    assert (done.stdout, done.stderr) == (f"added 1 pair, changed 1 pair{REWRITTEN}\n", "")
    assert run("sync", synced.configure(PAIRS)).stdout == f"removed 1 pair, changed 1 pair{REWRITTEN}\n"
    assert synced.sync(PAIRS).stdout == "nothing to change\n"


def test_goes_with_the_pairs(synced, state):
    synced("clear")
    assert not state.exists()
    synced.sync(PAIRS)
    assert state.exists()


def test_is_for_root_alone(synced, state):
    assert RUN.stat().st_mode & 0o777 == 0o700
    assert state.stat().st_mode & 0o777 == 0o600


CARRIED = [
    #   why                                     pairs, comments
    row("another comment",                      PAIRS, {A: "mail", A6: "mail"}),
    row("another comment for some of them",     PAIRS, {B: "mail"}),
]


@pytest.mark.parametrize("pairs, comments", CARRIED)
@pytest.mark.parametrize("knows", [True, False])
def test_counters_of_elements_made_anew_go_on(wire, synced, state, pairs, comments, knows):
    synced.sync({**pairs, A6: A6_OUT})
    for _ in range(3):
        wire.inside.send(IP(src=A, dst=B_OUT) / UDP() / bytes(9))
        wire.inside.send(IP(src=B, dst=X) / UDP() / bytes(900))
        wire.outside.send(IP(src=X, dst=A_OUT) / UDP() / bytes(90))
    wire.drain()
    before = {address: (pair["outbound"], pair["inbound"]) for address, pair in synced.pairs().items()}
    assert all(before[host][way]["packets"] >= 3 for host in (A, B) for way in (0, 1))
    lines = [f'"{internal}" = {{ external = "{external}", comment = "{comments.get(internal, "")}" }}'
             for internal, external in {**pairs, A6: A6_OUT}.items()]
    engine = synced.file.read_text().split("[pairs]")[0]
    synced.file.write_text("\n".join([engine + "[pairs]", *lines, ""]))
    if not knows:
        state.unlink()
    assert "changed" in synced("sync", synced.file).stdout
    after = synced.pairs()
    assert {address: (pair["outbound"], pair["inbound"]) for address, pair in after.items()} == before
    assert {address: pair["comment"] for address, pair in after.items() if pair["comment"]} == comments
    synced.sync(PAIRS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_that_the_kernel_does_not_have(synced, state, command):
    """A file that is wrong is found out and read no more; never is somebody else said to change the ruleset."""
    right = state.read_bytes()
    kept, rows = ipaddress.ip_address(A).packed, ipaddress.ip_address("10.0.0.1").packed
    state.write_bytes(right.replace(kept, rows))
    synced.configure({B: B_OUT, "10.0.0.4": "198.51.100.4"})
    done = synced(*given(synced, command), check=False)
    assert "all the time" not in done.stderr
    assert synced.sync(PAIRS).returncode == 0
    assert {address: pair["external"] for address, pair in synced.pairs().items()} == PAIRS
    assert synced("diff", "--exit-code", synced.file).stdout == ""


def test_what_a_killed_writer_left_goes_away(synced, state):
    """But not what another one is writing at this moment."""
    old, new = (state.with_name(f".{state.name}.statnat-{end}") for end in ("aB3dEf", "gH1jKl"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 600,) * 2)
    try:
        synced.sync(OTHER)
        assert not old.exists() and new.exists() and state.exists()
    finally:
        new.unlink()
        synced.sync(PAIRS)
