# SPDX-License-Identifier: GPL-2.0-or-later
"""Single pairs are added and deleted, and all of them cleared; what is refused changes nothing.

A gateway; no packets.
"""

import json

import pytest

from net import A, A_OUT, PAIRS
from packets import row


def test_add_and_del(synced, transactions):
    with transactions(2):
        synced("add", "10.0.0.4", "198.51.100.4", "--comment", "mail")
        assert synced.pairs()["10.0.0.4"] == {
            "internal": "10.0.0.4", "external": "198.51.100.4", "npt": False, "comment": "mail",
            "outbound": {"packets": 0, "bytes": 0}, "inbound": {"packets": 0, "bytes": 0}}
        synced("add", "10.0.0.5", "198.51.100.5")
    with transactions(2):
        synced("del", "10.0.0.4")
        synced("del", "198.51.100.5")
    assert synced.held() == PAIRS


REFUSED = [
    #   why                        command                                        exit status
    row("internal twice",          ["add", A, "198.51.100.50"],                   1),
    row("external twice",          ["add", "10.0.0.50", A_OUT],                   1),
    row("the same pair twice",     ["add", A, A_OUT],                             1),
    row("on both sides",           ["add", A_OUT, "198.51.100.50"],               1),
    row("not an address",          ["add", "10.0.0", "198.51.100.50"],            2),
    row("multicast",               ["add", "10.0.0.50", "224.0.0.1"],             2),
    row("one address",             ["add", "10.0.0.50"],                          2),
    row("three addresses",         ["add", "10.0.0.50", "198.51.100.50", "x"],    2),
    row("unknown pair",            ["del", "10.0.0.50"],                          1),
    row("no address to delete",    ["del", "mail"],                               2),
    row("unknown command",         ["syncs"],                                     2),
    row("no command",              [],                                            2),
    row("unknown option",          ["list", "--yaml"],                            2),
    row("list of a file",          ["list", "x"],                                 2),
]


@pytest.mark.parametrize("arguments, status", REFUSED)
def test_refused_command(synced, transactions, arguments, status):
    with transactions(0):
        done = synced(*arguments, check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.count("\n") == 1
    assert synced.held() == PAIRS


def test_add_says_that_the_file_disagrees(synced):
    path = synced.configure(PAIRS)
    assert str(path) in synced("add", "10.0.0.4", "198.51.100.4", "--config", path).stderr
    assert str(path) not in synced("del", "10.0.0.4", "--config", path).stderr
    assert str(path) in synced("del", A, "--config", path).stderr
    assert str(path) not in synced("add", A, A_OUT, "--config", path).stderr
    assert synced.held() == PAIRS


def test_add_to_nothing_and_del_of_the_last(wire, tool):
    tool("clear")
    tool("add", A, A_OUT, "--config", tool.configure())
    assert tool.held() == {A: A_OUT}
    tool("del", A_OUT)
    assert tool.held() == {}
    assert "statnat" not in wire.gateway.run("nft", "list", "tables").stdout


def test_clear(wire, synced, transactions):
    with transactions(1):
        synced("clear")
    assert wire.gateway.run("nft", "list", "tables").stdout == ""
    with transactions(0):
        synced("clear")
        assert synced("list").stdout.splitlines()[1:] == []
        assert json.loads(synced("list", "-j").stdout) == {"pairs": []}
        synced("status")
