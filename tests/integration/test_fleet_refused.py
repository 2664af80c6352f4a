# SPDX-License-Identifier: GPL-2.0-or-later
"""What etcd has and no gateway can load, or nobody has meant: what was loaded before it stays, to the last pair,
whatever becomes of the kernel's rules and of the watch meanwhile.

Gateways have /etc/statnat and /var/lib/statnat of their own here: what worked last is kept for configurations of
/etc/statnat alone.
"""

import contextlib
import time

import pytest

from net import A, A_OUT, B, B_OUT, until
from test_fleet import SOON, configure, etcd, fleet, health, sources, status, tool  # noqa: F401
from test_watch import Watcher

pytestmark = pytest.mark.stock
C, C_OUT = "10.0.0.7", "198.51.100.7"
MANY = {f"10.0.0.{number}": f"198.51.100.{number}" for number in range(20, 32)}
BETWEEN_KEEPINGS = 10
HERE = "/etc/statnat/statnat.toml"


class AtHome(Watcher):
    """A watcher of /etc/statnat."""

    def __init__(self, gateway, file, folder):
        for name in ("etc", "state"):
            (folder / name).mkdir(exist_ok=True)
        (folder / "etc/statnat.toml").write_text(file.read_text())
        script = folder / "at-home"
        script.write_text(f"#!/bin/sh -e\nmkdir -p /etc/statnat /var/lib/statnat\n"
                          f"mount --bind '{folder}/etc' /etc/statnat\nmount --bind '{folder}/state' /var/lib/statnat\n"
                          f'exec "$@"\n')
        script.chmod(0o755)
        super().__init__(gateway, HERE, folder, before=("unshare", "--mount", str(script)))


@pytest.fixture
def start(fleet, tool, tmp_path):  # noqa: F811
    with contextlib.ExitStack() as all_of_them:
        def start_one():
            watcher = AtHome(fleet.gateways[0], tool.file, tmp_path)
            all_of_them.callback(watcher.close)
            watcher.hears(b"READY=1")
            return watcher
        yield start_one


def is_refused(tool):  # noqa: F811
    return "what the source has now is not loaded" in health(tool)


def test_nothing_goes_back_to_what_worked_last(wire, tool, etcd, start):  # noqa: F811
    """That is up to ten seconds old, and a bad key is no reason to take away what was published in these."""
    etcd.put(A, A_OUT)
    start()
    etcd.put(B, B_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT}, SOON)
    etcd.put(C, "nobody")
    until(lambda: is_refused(tool), SOON)
    assert tool.held() == {A: A_OUT, B: B_OUT}
    wire.gateway.nft("flush ruleset")
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT}, SOON)
    until(lambda: is_refused(tool), SOON)
    etcd.put(C, C_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT, C: C_OUT} and health(tool) == "healthy\n", SOON)


def test_what_worked_last_is_kept_beside_what_is_refused(tool, etcd, start, wire):  # noqa: F811
    """Who starts anew goes by that, and so it must not be older than what was loaded."""
    etcd.put(A, A_OUT)
    watcher = start()
    etcd.put(B, B_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT}, SOON)
    etcd.put(C, "nobody")
    until(lambda: is_refused(tool), SOON)
    time.sleep(BETWEEN_KEEPINGS + 2)
    watcher.close()
    wire.gateway.nft("flush ruleset")
    start()
    assert tool.held() == {A: A_OUT, B: B_OUT}


def test_who_flushes_does_not_open_the_gate(wire, tool, etcd, start):  # noqa: F811
    """Etcd has lost its pairs; beside an empty kernel that looks like nothing lost."""
    for internal, external in MANY.items():
        etcd.put(internal, external)
    start()
    etcd.control("del", "--prefix", "/statnat/")
    until(lambda: is_refused(tool), SOON)
    wire.gateway.nft("flush ruleset")
    until(lambda: tool.held() == MANY, SOON)


def test_what_is_cleared_stays_so(wire, tool, etcd, start):  # noqa: F811
    """Whatever etcd tells, until somebody syncs."""
    start()
    etcd.put(A, A_OUT)
    until(lambda: sources(wire) == {A_OUT} and status(tool)["source"]["revision"] == etcd.revision(), SOON)
    tool("clear")
    etcd.put(B, B_OUT)
    time.sleep(2)
    assert tool.held() == {}
    tool("sync", tool.file)
    etcd.put(C, C_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT, C: C_OUT}, SOON)


# ---- what is meant ---------------------------------------------------------------------------------------------------

def publish(tool, *words):  # noqa: F811
    return tool("publish", *words, "--config", tool.file)


def publish_all(tool, pairs, folder):  # noqa: F811
    file = folder / "pairs.csv"
    file.write_text("".join(f"{internal},{external}\n" for internal, external in pairs.items()))
    publish(tool, file, "--force")


def test_who_publishes_means_it(tool, etcd, start, tmp_path):  # noqa: F811
    """Most of all pairs, and the last one: publish has a guard of its own, and gateways do as it says."""
    publish_all(tool, MANY, tmp_path)
    start()
    assert tool.held() == MANY
    publish_all(tool, {A: A_OUT}, tmp_path)
    until(lambda: tool.held() == {A: A_OUT}, SOON)
    publish(tool, "del", A)
    until(lambda: tool.held() == {}, SOON)
    publish(tool, "add", B, B_OUT)
    until(lambda: tool.held() == {B: B_OUT} and health(tool) == "healthy\n", SOON)


def test_who_means_one_does_not_mean_all(tool, etcd, start, tmp_path):  # noqa: F811
    """Beside pairs that were taken out of etcd by no publish, one that was excuses no other."""
    publish_all(tool, MANY, tmp_path)
    start()
    etcd.control("txn", stdin="\n" + "".join(f"del /statnat/default/10.0.0.{number}\n" for number in range(20, 28)) +
                 "\n\n")
    until(lambda: is_refused(tool), SOON)
    publish(tool, "del", "10.0.0.30")
    time.sleep(3)
    assert tool.held() == MANY and is_refused(tool)
    tool("sync", "--force", tool.file)
    assert len(tool.held()) == 3
