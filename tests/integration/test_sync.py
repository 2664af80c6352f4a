# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel becomes what the configuration says, in one transaction or not at all, under traffic too.

                 inside ──── gateway ──── outside
    4,000 internal hosts = 4,000 external addresses       X 203.0.113.10
"""

import contextlib
import itertools
import json
import random
import re
import threading
import time

import pytest

from net import A, A_OUT, B, B_OUT, D, D_OUT, PAIRS, many
from network import alongside
from nfnl import CREATE, DELTABLE, IPV4, NEWTABLE, Netlink, attribute
from packets import expression, row
from tool import ENGINE, REWRITTEN
from traffic import Traffic


# Idempotent, and one transaction each.

def test_second_sync_changes_nothing(synced, transactions):
    with transactions(0):
        assert synced.sync(PAIRS).stdout == "nothing to change\n"
        assert synced("diff", "--exit-code", synced.file).stdout == ""


def test_order_and_form_are_no_difference(synced, transactions):
    (synced.folder / "more.csv").write_text(f"# pairs\n\n  {D} , {D_OUT}  # of a host\n{A},{A_OUT}\n")
    path = synced.folder / "other.toml"
    path.write_text(f'[pairs]\n"{B}" = {{ external = "{B_OUT}" }}\n'
                    f'[gateway]\nengine = "{ENGINE}"\npairs-files = ["mo*.csv"]\n')
    with transactions(0):
        synced("sync", path)


DIFFERENCES = [
    #   why                         configuration, and what else it says
    row("one more",                 {**PAIRS, "10.0.0.4": "198.51.100.4"}, {}),
    row("one less",                 {A: A_OUT, B: B_OUT}, {}),
    row("one different",            {**PAIRS, A: "198.51.100.22"}, {}),
    row("two swapped",              {**PAIRS, A: B_OUT, B: A_OUT}, {}),
    row("all different",            many(5), {}),
    row("many more",                {**PAIRS, **many(9000)}, {}),
    row("an exempt destination",    PAIRS, {"exempt_destinations": ["192.0.2.0/24", "10.0.0.0/8"]}),
    row("no counters",              PAIRS, {"counters": "off"}),
    row("counters per rule",        PAIRS, {"counters": "rule"}),
    row("no pairs",                 {}, {}),
]


@pytest.mark.parametrize("pairs, settings", DIFFERENCES)
def test_difference(synced, transactions, pairs, settings):
    path = synced.configure(pairs, **settings)
    with transactions(0):
        done = synced("diff", "--exit-code", path, check=False)
        assert done.returncode == 3 and done.stdout
    with transactions(1):
        synced("sync", "--force", path)
    with transactions(0):
        assert synced.held() == pairs
        assert synced("diff", "--exit-code", path).stdout == ""


def test_other_tables_are_left_alone(wire, synced):
    other = "table ip other {\n\tset statnat {\n\t\ttype ipv4_addr\n\t}\n\n\tchain c {\n\t\tcounter accept\n\t}\n}\n"
    wire.gateway.nft(other)
    for arguments in (("sync", synced.configure(many(4))), ("clear",), ("sync", synced.configure(PAIRS))):
        synced(*arguments)
        listed = wire.gateway.run("nft", "--stateless", "list", "table", "ip", "other").stdout
        assert listed == other
    wire.gateway.nft("delete table ip other")


# The kernel says no, or somebody else is at work.

def test_refused_by_the_kernel(wire, tool):
    """The table belongs to a process that still lives."""
    tool("clear")
    owner = Netlink(wire.gateway)
    assert owner.batch((NEWTABLE, CREATE, IPV4, [attribute(1, "statnat"), attribute(2, 2)])) == 0
    with owner.transactions(0):
        done = tool("sync", tool.configure(PAIRS), check=False)
    owner.close()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    tool.sync(PAIRS)
    assert tool.held() == PAIRS


@contextlib.contextmanager
def somebody_else(wire):
    """Commits now and then, to a table of his own, on any processor."""
    stop, netlink, pause = threading.Event(), Netlink(wire.gateway), random.Random(1)

    def commit():
        for message in itertools.cycle([(NEWTABLE, CREATE, IPV4, [attribute(1, "other")]),
                                        (DELTABLE, 0, IPV4, [attribute(1, "other")])]):
            assert netlink.batch(message) == 0
            if message[0] == DELTABLE and stop.wait(pause.uniform(0, 0.005)):
                break

    with netlink.socket, alongside(commit):
        try:
            yield
        finally:
            stop.set()


def test_somebody_else_commits_meanwhile(wire, synced, every_processor):
    """The tool tries again, a number of times; whatever comes of it, all or nothing is done."""
    before, tried_again, deadline = PAIRS, 0, time.monotonic() + 600
    while not tried_again:
        assert time.monotonic() < deadline
        wanted = {**PAIRS, **many(1000)} if before == PAIRS else PAIRS
        with somebody_else(wire):
            done = synced("--verbose", "sync", "--force", synced.configure(wanted), check=False)
        tried_again += len(re.findall("planning again|sending it again", done.stderr))
        before = {0: wanted, 1: before}[done.returncode]
        assert synced.held() == before
    synced.sync(PAIRS)


@expression
def test_no_batch_asks_for_a_module_that_is_in_use(synced):
    """Only where no rule of ours shows that it is there."""
    for engine in ("auto", "expression"):
        path = synced.configure(PAIRS, engine=engine)
        for command in (["sync", path], ["diff", path], ["status"]):
            assert "> NEWTABLE" not in synced("--verbose", *command).stderr
    synced("clear")
    assert "> NEWTABLE" in synced("--verbose", "status").stderr


def test_chains_say_who_made_them(wire, synced):
    """Stock nft may hide our rules, never the comment (DESIGN, fact 1)."""
    listed = json.loads(wire.gateway.run("nft", "-j", "list", "table", "ip", "statnat").stdout)
    chains = [one["chain"] for one in listed["nftables"] if "chain" in one]
    assert {chain["name"] for chain in chains} >= {"prerouting", "postrouting"}
    text = wire.gateway.run("nft", "list", "table", "ip", "statnat").stdout
    assert text.count("comment \"made by statnat-nft") == len(chains)
    assert all(chain["prio"] == -300 for chain in chains)


def test_sync_under_traffic(wire, tool, every_processor):
    """100 times, 400 of 4,000 pairs change, and the rules with them, since they are in other networks; packets of the
    others are neither lost nor wrong."""
    steady, one, other = many(3600), many(400, 3600), many(400, 20000)
    # Half of them get another external address; the other half go, and others come.
    other = dict(zip([*list(one)[:200], *list(other)[200:]], other.values()))
    files = []
    for name, changing in (("one", one), ("other", other)):
        (tool.folder / f"{name}.csv").write_text(
            "".join(f"{internal},{external}\n" for internal, external in {**steady, **changing}.items()))
        files.append(tool.folder / f"{name}.toml")
        files[-1].write_text(f'[gateway]\nengine = "{ENGINE}"\npairs-files = ["{name}.csv"]\n')
    tool("sync", "--force", files[1])

    traffic = Traffic(wire, list(steady.items())[::56])
    with alongside(traffic.run):
        try:
            for file in files * 50:
                said = f"added 200 pairs, removed 200 pairs, changed 200 pairs{REWRITTEN}\n"
                assert tool("sync", file).stdout == said
        finally:
            traffic.stop.set()
    assert not traffic.wrong, traffic.wrong[:9]
    assert traffic.sent > 100  # one for each transaction
    tool.sync(PAIRS)
