# SPDX-License-Identifier: GPL-2.0-or-later
"""A configuration that would remove most pairs looks as if it were lost: sync does it only if told so.

A gateway; no packets.
"""

import pytest

from net import A, A6, A6_OUT, A_OUT, PAIRS
from packets import row


def inside_at(network, count, first=1, outside="198.51.100"):
    """So many pairs, whose internal addresses are in 10.NETWORK.0.0/24, from a host on."""
    return {f"10.{network}.0.{host}": f"{outside}.{host}" for host in range(first, first + count)}


SIX = {A6: A6_OUT}
LOSSES = [
    #   why                                     pairs before, pairs after                       what would be removed
    row("all",                                  PAIRS, {},                                      "all 3 pairs"),
    row("the only one",                         {A: A_OUT}, {},                                 "all 1 pair,"),
    row("all of both families",                 {**PAIRS, **SIX}, {},                           "all 4 pairs"),
    row("a family of two",                      {**PAIRS, **SIX}, PAIRS,                        None),
    row("the larger family of two",             {**PAIRS, **SIX}, SIX,                          None),
    row("more than half, but of nine",          inside_at(1, 9), inside_at(1, 1),               None),
    row("half of ten",                          inside_at(1, 10), inside_at(1, 5),              None),
    row("more than half of ten",                inside_at(1, 10), inside_at(1, 4),              "6 of 10 pairs"),
    row("more than half of eleven",             inside_at(1, 11), inside_at(1, 5),              "6 of 11 pairs"),
    row("cut off, with some that are new",      inside_at(1, 20), {**inside_at(2, 2), **inside_at(1, 5, first=3)},
                                                                                                "13 of 20 pairs"),
    row("another prefix outside",               inside_at(1, 12), inside_at(1, 12, outside="203.0.113"), None),
    row("another network inside",               inside_at(1, 12), inside_at(2, 12),             None),
]


@pytest.mark.parametrize("before, after, said", LOSSES)
def test_what_looks_like_a_lost_configuration_is_refused(synced, transactions, before, after, said):
    synced.sync(before)
    path = synced.configure(after)
    if said is None:
        assert "--force" not in synced("diff", path).stderr
        synced("sync", path)
        assert synced.held() == after
        return
    with transactions(0):
        diff = synced("diff", path)
        assert diff.stdout and said in diff.stderr and "--force" in diff.stderr
        for quiet in ([], ["--quiet"]):
            done = synced(*quiet, "sync", path, check=False)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1 and said in done.stderr and str(path) in done.stderr
    assert synced.held() == before
    with transactions(1):
        synced("sync", "--force", path)
    assert synced.held() == after


@pytest.mark.parametrize("knows", [True, False], ids=["by the state file", "by a dump"])
def test_a_loss_is_seen_whatever_the_tool_knows(wire, synced, knows):
    """And whoever added the pairs; another engine, or maps of another kind, are no loss."""
    synced("add", "10.0.0.4", "198.51.100.4", "--config", "none")
    path = synced.configure({})
    if not knows:
        wire.gateway.nft("add table ip other; delete table ip other")
    assert "all 4 pairs" in synced("sync", path, check=False).stderr
    synced("sync", synced.configure({**PAIRS, "10.0.0.4": "198.51.100.4"}, counters="off"))
    synced("sync", "--engine", "native", synced.file)
    synced("clear")
    assert synced.held() == {}


def test_what_is_damaged_is_no_loss(wire, synced):
    """Pairs that somebody else has removed already."""
    wire.gateway.nft("flush map ip statnat int2ext; flush map ip statnat ext2int")
    assert synced("sync", synced.configure({})).stdout.startswith("deleted the table")
