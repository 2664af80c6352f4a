# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel becomes what the configuration says, in one transaction or not at all, under traffic too.

                 inside ──── gateway ──── outside
    4,000 internal hosts = 4,000 external addresses       X 203.0.113.10
"""

import contextlib
import csv
import io
import itertools
import json
import os
import random
import re
import struct
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A6, A6_OUT, A_OUT, B, B_OUT, D, D_OUT, PAIRS, X, many
from network import alongside
from nfnl import CREATE, DELTABLE, IPV4, NEWSETELEM, NEWTABLE, Netlink, attribute
from packets import expression, row
from tool import ENGINE, REWRITTEN, TOOL


def held(tool):
    """Internal to external address."""
    return {internal: pair["external"] for internal, pair in tool.pairs().items()}


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
        assert held(synced) == pairs
        assert synced("diff", "--exit-code", path).stdout == ""


def inside_at(network, count):
    """So many pairs, whose internal addresses are in 10.NETWORK.0.0/24."""
    return {f"10.{network}.0.{host}": f"198.51.100.{host}" for host in range(1, count + 1)}


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
    row("cut off, with some that are new",      inside_at(1, 20), {**inside_at(2, 2), **dict(list(inside_at(1, 7).items())[2:])},
                                                                                                "13 of 20 pairs"),
    row("another prefix outside",               inside_at(1, 12),
        {inside: outside.replace("198.51.100", "203.0.113") for inside, outside in inside_at(1, 12).items()}, None),
    row("another network inside",               inside_at(1, 12), inside_at(2, 12),             None),
]


@pytest.mark.parametrize("before, after, said", LOSSES)
def test_what_looks_like_a_lost_configuration_is_refused(synced, transactions, before, after, said):
    synced.sync(before)
    path = synced.configure(after)
    if said is None:
        assert "--force" not in synced("diff", path).stderr
        synced("sync", path)
        assert held(synced) == after
        return
    with transactions(0):
        diff = synced("diff", path)
        assert diff.stdout and said in diff.stderr and "--force" in diff.stderr
        for quiet in ([], ["--quiet"]):
            done = synced(*quiet, "sync", path, check=False)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1 and said in done.stderr and str(path) in done.stderr
    assert held(synced) == before
    with transactions(1):
        synced("sync", "--force", path)
    assert held(synced) == after


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
    assert held(synced) == {}


def test_what_is_damaged_is_no_loss(wire, synced):
    """Pairs that somebody else has removed already."""
    wire.gateway.nft("flush map ip statnat int2ext; flush map ip statnat ext2int")
    assert synced("sync", synced.configure({})).stdout.startswith("deleted the table")


DAMAGES = [
    #   why                             what somebody else did with nft
    row("table deleted",                "delete table ip statnat"),
    row("everything flushed",           "flush ruleset"),
    row("chain flushed",                "flush chain ip statnat prerouting"),
    row("all rules flushed",            "flush table ip statnat"),
    row("chain deleted",                "flush chain ip statnat output; delete chain ip statnat output"),
    row("a rule too many",              "insert rule ip statnat postrouting accept"),
    row("a chain too many",             "add chain ip statnat other"),
    row("a map too many",               "add map ip statnat other { type ipv4_addr : ipv4_addr; }"),
    row("chain at another priority",    "flush chain ip statnat postrouting; delete chain ip statnat postrouting; "
                                        "add chain ip statnat postrouting { type filter hook postrouting priority 5; }"),
    row("chain that drops",             "add chain ip statnat postrouting { policy drop; }"),
    row("half a pair deleted",          f"delete element ip statnat int2ext {{ {A} }}"),
    row("the other half",               f"delete element ip statnat ext2int {{ {A_OUT} }}"),
    row("half a pair too many",         f"add element ip statnat ext2int {{ 198.51.100.77 : {A} }}"),
    row("half a pair different",        f"delete element ip statnat int2ext {{ {A} }}; "
                                        f"add element ip statnat int2ext {{ {A} : {B_OUT} }}"),
    row("map flushed",                  "flush map ip statnat int2ext"),
    row("maps of another kind",         "delete table ip statnat; add table ip statnat; "
                                        "add map ip statnat int2ext { type ipv4_addr : verdict; }; "
                                        "add set ip statnat ext2int { type inet_service; }"),
    row("a hole inside",                "add element ip statnat int2ext { 10.0.0.8 : 10.0.0.8 }"),
    row("a hole outside",               "add element ip statnat ext2int { 198.51.100.77 : 198.51.100.77 }"),
    row("a comment outside",            f"delete element ip statnat ext2int {{ {A_OUT} }}; "
                                        f'add element ip statnat ext2int {{ {A_OUT} comment "x" : {A} }}'),
    row("an impossible length",         "add map ip statnat int2ext_200 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_200 { 10.0.0.7 : 198.51.100.77 }"),
    row("a length just too long",       "add map ip statnat int2ext_33 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_33 { 10.0.0.7 : 198.51.100.77 }"),
    row("no length at all",             "add map ip statnat int2ext_0 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_0 { 10.0.0.7 : 198.51.100.77 }"),
    row("npt of hosts",                 "add map ip statnat int2ext_npt { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_npt { 10.0.0.7 : 198.51.100.77 }"),
    row("npt of IPv4",                  "add map ip statnat ext2int_24_npt { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat ext2int_24_npt { 10.0.0.0 : 198.51.100.0 }"),
    row("host bits in a prefix",        "add map ip statnat int2ext_24 { type ipv4_addr : ipv4_addr; counter; }; "
                                        "add element ip statnat int2ext_24 { 10.7.0.7 : 198.51.100.77 }"),
    row("two internals of one external", f"add element ip statnat int2ext {{ 10.0.0.7 : {A_OUT} }}"),
    row("an address that is no host's", "add element ip statnat int2ext { 224.0.0.1 : 0.0.0.0 }; "
                                        "add element ip statnat ext2int { 0.0.0.0 : 224.0.0.1 }"),
    row("an interval map",              "add map ip statnat int2ext_8 { type ipv4_addr : ipv4_addr; flags interval; }; "
                                        "add element ip statnat int2ext_8 { 10.0.0.0/8 : 198.51.100.77 }"),
    row("a map of another key",         "add map ip statnat int2ext_16 { type mark : ipv4_addr; }; "
                                        "add element ip statnat int2ext_16 { 7 : 198.51.100.77 }"),
    row("a map to verdicts",            "add chain ip statnat far; add map ip statnat ext2int_16 { type ipv4_addr : verdict; "
                                        "}; add element ip statnat ext2int_16 { 10.0.0.7 : jump far }"),
    row("a set with a timeout",         "add set ip statnat int2ext_12 { type ipv4_addr; timeout 1h; }; "
                                        "add element ip statnat int2ext_12 { 10.0.0.7 }"),
    row("a set of pairs",               "add set ip statnat exempt { type ipv4_addr . inet_service; flags interval; }; "
                                        "add element ip statnat exempt { 10.0.0.0/8 . 80 }"),
    row("the longest names",            f"add map ip statnat int2ext_{'9' * 200} {{ type ipv4_addr : ipv4_addr; }}; "
                                        f"add chain ip statnat {'c' * 120}"),
    row("a chain of another type",      "add chain ip statnat nat { type nat hook postrouting priority 100; }"),
    row("an object and a jump",         "add counter ip statnat prerouting; add chain ip statnat input "
                                        "{ type filter hook input priority 0; }; "
                                        "add rule ip statnat input counter name prerouting jump { accept; }"),
    row("switched off",                 "add table ip statnat { flags dormant; }"),
]


@pytest.mark.parametrize("commands", DAMAGES)
def test_damage_is_seen_and_repaired(wire, synced, transactions, commands):
    """By diff, status and sync alike; and whatever is there, every other command says at most one sentence of it."""
    wire.gateway.nft(commands)
    diff = synced("diff", "--exit-code", synced.file, check=False)
    assert diff.returncode == 3 and diff.stdout, diff.stderr
    table_is_there = "statnat" in wire.gateway.run("nft", "list", "tables").stdout
    for command in (["status"], ["list"], ["list", "-j"], ["list", "--csv"], ["explain", "10.0.0.7"], ["explain", "198.51.100.77"],
                    ["del", "10.99.0.1"], ["add", "10.99.0.1", A_OUT]):
        done = synced(*command, check=False)
        assert done.returncode in (0, 1) and done.stderr.count("\n") <= 1, (command, done.stderr)
        assert "internal error" not in done.stderr
        if command == ["status"] and table_is_there:
            assert done.returncode == 1 and re.search("rules: not as expected.*\n  [-+~] ", done.stdout), done.stdout
    with transactions(1):
        assert synced("sync", synced.file).stdout != "nothing to change\n"
    assert synced("diff", "--exit-code", synced.file).stdout == ""
    assert "rules: as expected\n" in synced("status").stdout
    sent, seen = (IP(src=source, dst=X, ttl=ttl) / UDP() for source, ttl in ((A, 64), (A_OUT, 63)))
    wire.inside.send(sent)
    wire.expect(outside=[seen])


@expression
def test_an_element_outside_of_what_its_map_is_within(wire, synced):
    """Only rules that the tool writes anew, when it learns of the pair, ask for it."""
    far, far_out = "10.99.0.1", "198.51.100.99"
    wire.gateway.nft(f"add element ip statnat int2ext {{ {far} : {far_out} }}; "
                     f"add element ip statnat ext2int {{ {far_out} : {far} }}")
    sent, untranslated, translated = (IP(src=source, dst=X, ttl=ttl) / UDP()
                                      for source, ttl in ((far, 64), (far, 63), (far_out, 63)))
    wire.inside.send(sent)
    wire.expect(outside=[untranslated])
    assert synced("explain", far, check=False).returncode == 1
    status = synced("status", check=False)
    assert status.returncode == 1 and "~ chain ip statnat postrouting: rules\n" in status.stdout
    synced.sync({**PAIRS, far: far_out})
    wire.inside.send(sent)
    wire.expect(outside=[translated])
    assert synced("explain", far).stdout.count("becomes") == 1 and "rules: as expected" in synced("status").stdout


def test_other_tables_are_left_alone(wire, synced):
    other = "table ip other {\n\tset statnat {\n\t\ttype ipv4_addr\n\t}\n\n\tchain c {\n\t\tcounter accept\n\t}\n}\n"
    wire.gateway.nft(other)
    for arguments in (("sync", synced.configure(many(4))), ("clear",), ("sync", synced.configure(PAIRS))):
        synced(*arguments)
        listed = wire.gateway.run("nft", "--stateless", "list", "table", "ip", "other").stdout
        assert listed == other
    wire.gateway.nft("delete table ip other")


# A bad configuration changes nothing.

BAD = [
    #   why                            line of the file                              column, what is said of it
    row("internal twice",              f'"{A}" = "198.51.100.50"',                   1, A),
    row("external twice",              f'"10.0.0.50" = "{A_OUT}"',                   15, A_OUT),
    row("on both sides",               f'"{A_OUT}" = "198.51.100.51"',               1, A_OUT),
    row("on both sides, other way",    f'"10.0.0.51" = "{A}"',                       15, A),
    row("both sides of one pair",      '"10.0.0.52" = "10.0.0.52"',                  15, "10.0.0.52"),
    row("not an address",              '"10.0.0.300" = "198.51.100.52"',             1, "10.0.0.300"),
    row("external not an address",     '"10.0.0.53" = "mail.example"',               15, "mail.example"),
    row("leading zero",                '"10.0.0.053" = "198.51.100.53"',             1, "10.0.0.053"),
    row("a prefix and a host",         '"10.9.0.0/24" = "198.51.100.56"',            17, "10.9.0.0/24"),
    row("unspecified",                 '"0.0.0.0" = "198.51.100.54"',                1, "0.0.0.0"),
    row("loopback",                    '"127.0.0.1" = "198.51.100.55"',              1, "127.0.0.1"),
    row("multicast",                   '"10.0.0.54" = "224.0.0.1"',                  15, "224.0.0.1"),
    row("broadcast",                   '"10.0.0.55" = "255.255.255.255"',            15, "255.255.255.255"),
    row("a number",                    '"10.0.0.56" = 7',                            15, "integer"),
    row("unknown key of a pair",       '"10.0.0.57" = { external = "198.51.100.57", port = 80 }', 45, "port"),
    row("no external",                 '"10.0.0.58" = { comment = "mail" }',         15, "external"),
    row("comment is a number",         '"10.0.0.59" = { external = "198.51.100.59", comment = 5 }', 55, "comment"),
]

BAD_SETTINGS = [
    #   why                            line of the file                              column, what is said of it
    row("unknown key",                 'engin = "auto"',                             1, "engin"),
    row("unknown engine",              'engine = "fast"',                            10, "fast"),
    row("unknown counters",            'counters = "all"',                           12, "all"),
    row("counters are a number",       'counters = 1',                               12, "integer"),
    row("exempt is no prefix",         'exempt-destinations = ["10.0.0.0/33"]',      24, "10.0.0.0/33"),
    row("exempt has host bits",        'exempt-destinations = ["10.0.0.1/8"]',       24, "10.0.0.1/8"),
    row("exempt is no array",          'exempt-destinations = "10.0.0.0/8"',         23, "10.0.0.0/8"),
    row("empty glob",                  'pairs-files = ["none.d/*.csv"]',             16, "none.d/*.csv"),
    row("syntax",                      'counters = = "pair"',                        None, ""),
]

# Those of them that one file can hold together.
ONCE_EACH = ("unknown key", "unknown engine", "unknown counters", "exempt is no prefix")

BAD_CSV = [
    #   why                            line of the file                              column, what is said of it
    row("one field",                   "10.0.0.60",                                  1, "10.0.0.60"),
    row("no address",                  "10.0.0.61,ten",                              11, "ten"),
    row("internal twice",              f"{A},198.51.100.62",                         1, A),
    row("external twice, spaces",      f"  10.0.0.63 ,  {A_OUT}",                    16, A_OUT),
    row("multicast, comment",          "10.0.0.64,224.0.0.9,mail # not this",        11, "224.0.0.9"),
]


def refuses(tool, transactions, arguments, *expected):
    """The tool exits with 2, says all that is expected and nothing else, and changes nothing."""
    with transactions(0):
        done = tool(*arguments, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected), done.stderr
    for line, (file, number, column, about) in zip(lines, expected):
        where, sentence = line.split(": ", 1)
        assert re.fullmatch(re.escape(f"{file}:{number}:") + str(column or r"\d+"), where), line
        assert about in sentence


@pytest.mark.parametrize("line, column, about", BAD)
def test_bad_pair(tool, transactions, line, column, about):
    path = tool.folder / "bad.toml"
    path.write_text(f'[pairs]\n"{A}" = "{A_OUT}"\n{line}\n')
    refuses(tool, transactions, ["sync", path], (path, 3, column, about))


@pytest.mark.parametrize("line, column, about", BAD_SETTINGS)
def test_bad_setting(tool, transactions, line, column, about):
    path = tool.folder / "bad.toml"
    path.write_text(f'[gateway]\n{line}\n[pairs]\n"{A}" = "{A_OUT}"\n')
    refuses(tool, transactions, ["sync", path], (path, 2, column, about))


@pytest.mark.parametrize("line, column, about", BAD_CSV)
def test_bad_csv(tool, transactions, line, column, about):
    path, pairs = tool.folder / "bad.toml", tool.folder / "bad.csv"
    path.write_text(f'[gateway]\npairs-files = ["bad.csv"]\n[pairs]\n"{A}" = "{A_OUT}"\n')
    pairs.write_text(f"# internal,external\n{line}\n")
    refuses(tool, transactions, ["sync", path], (pairs, 2, column, about))


def test_all_errors_in_one_run(synced, transactions):
    path, pairs = synced.folder / "bad.toml", synced.folder / "bad.csv"
    settings = [one.values for one in BAD_SETTINGS if one.id in ONCE_EACH]
    settings.append(('pairs-files = ["bad.csv", "none.csv"]', 27, "none.csv"))
    parts = [(path, [("[gateway]", None, None), *settings, ("[pairs]", None, None),
                     (f'"{A}" = "{A_OUT}"', None, None), *(one.values for one in BAD)]),
             (pairs, [one.values for one in BAD_CSV])]
    expected = []
    for file, lines in parts:
        file.write_text("".join(f"{line}\n" for line, *_ in lines))
        expected += [(file, number, column, about)
                     for number, (_, column, about) in enumerate(lines, 1) if about]
    for command in ("sync", "check", "diff"):
        refuses(synced, transactions, [command, path], *expected)
    assert held(synced) == PAIRS


@pytest.mark.parametrize("kind", ["missing", "directory", "directory of pairs"])
def test_unreadable_file(synced, transactions, kind):
    path = synced.folder / f"{kind}.toml"
    if kind == "directory":
        path.mkdir()
    elif kind == "directory of pairs":
        (synced.folder / "folder.csv").mkdir()
        path.write_text('[gateway]\npairs-files = ["folder.csv"]\n')
    with transactions(0):
        done = synced("sync", path, check=False)
    assert done.returncode == 2
    assert ("folder.csv" if kind == "directory of pairs" else str(path)) in done.stderr
    assert held(synced) == PAIRS


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
    assert held(tool) == PAIRS


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
    """The tool plans again, a number of times; whatever comes of it, all or nothing is done."""
    before, planned_again, deadline = PAIRS, 0, time.monotonic() + 600
    while not planned_again:
        assert time.monotonic() < deadline
        wanted = {**PAIRS, **many(1000)} if before == PAIRS else PAIRS
        with somebody_else(wire):
            done = synced("--verbose", "sync", "--force", synced.configure(wanted), check=False)
        planned_again += done.stderr.count("planning again")
        before = {0: wanted, 1: before}[done.returncode]
        assert held(synced) == before
    synced.sync(PAIRS)


# The commands.

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
    assert held(synced) == PAIRS


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
    assert held(synced) == PAIRS


def test_add_says_that_the_file_disagrees(synced):
    path = synced.configure(PAIRS)
    assert str(path) in synced("add", "10.0.0.4", "198.51.100.4", "--config", path).stderr
    assert str(path) not in synced("del", "10.0.0.4", "--config", path).stderr
    assert str(path) in synced("del", A, "--config", path).stderr
    assert str(path) not in synced("add", A, A_OUT, "--config", path).stderr
    assert held(synced) == PAIRS


def test_add_to_nothing_and_del_of_the_last(wire, tool):
    tool("clear")
    tool("add", A, A_OUT, "--config", tool.configure())
    assert held(tool) == {A: A_OUT}
    tool("del", A_OUT)
    assert held(tool) == {}
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


def test_list(wire, tool):
    tool("clear")
    path = tool.folder / "list.toml"
    path.write_text(f'[gateway]\nengine = "{ENGINE}"\n[pairs]\n"{B}" = "{B_OUT}"\n'
                    f'"{A}" = {{ external = "{A_OUT}", comment = "größe, mail" }}\n')
    tool("sync", path)
    wire.inside.send(IP(src=A, dst=B_OUT) / UDP() / bytes(36))
    wire.drain()
    nothing, one = {"packets": 0, "bytes": 0}, {"packets": 1, "bytes": 64}
    assert json.loads(tool("list", "-j").stdout) == {"pairs": [
        {"internal": A, "external": A_OUT, "npt": False, "comment": "größe, mail", "outbound": one,
         "inbound": nothing},
        {"internal": B, "external": B_OUT, "npt": False, "comment": "", "outbound": nothing, "inbound": one}]}
    assert list(csv.reader(io.StringIO(tool("list", "--csv").stdout))) == [
        ["internal", "external", "outbound_packets", "outbound_bytes", "inbound_packets", "inbound_bytes", "comment",
         "npt"],
        [A, A_OUT, "1", "64", "0", "0", "größe, mail", ""],
        [B, B_OUT, "0", "0", "1", "64", "", ""]]
    header, first, second = tool("list").stdout.splitlines()
    assert header.split("  ")[0] == "internal"
    assert first.split() == [A, A_OUT, "1", "64", "0", "0", "größe,", "mail"]
    assert second.split() == [B, B_OUT, "0", "0", "1", "64"]
    assert first.index(A_OUT) == second.index(B_OUT) == header.index("external")


def test_status_names_the_engine(synced):
    said = synced("status").stdout
    assert f"engine: {ENGINE}\n" in said
    assert f"pairs: {len(PAIRS)} of " in said
    assert ("lacks: ICMP errors" in said) == (ENGINE == "native")


OUTPUTS = [
    #   why             command
    row("help",         ["--help"]),
    row("its own help", ["list", "--help"]),
    row("version",      ["--version"]),
    row("list",         ["list"]),
    row("csv",          ["list", "--csv"]),
    row("json",         ["list", "-j"]),
    row("diff",         ["diff"]),
    row("sync",         ["sync"]),
    row("check",        ["check"]),
    row("status",       ["status"]),
    row("explain",      ["explain", A]),
    row("clear",        ["clear"]),
]


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_that_cannot_be_written(wire, synced, command):
    """A full disk, or a reader that has gone while SIGPIPE is ignored, as below systemd."""
    reader, closed_pipe = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    for output in (full, closed_pipe):
        synced.sync(PAIRS)
        path = synced.configure({**PAIRS, "10.0.0.4": "198.51.100.4"})
        words = [*command, path] if command[0] in ("sync", "diff", "check") else command
        done = subprocess.run(["nsenter", f"--net=/run/netns/{wire.gateway.name}", TOOL, *words], stdout=output,
                              stderr=subprocess.PIPE, text=True, restore_signals=False)
        os.close(output)
        assert (done.returncode, done.stderr) == (1, "statnat-nft: error: cannot write the output\n")


def test_bytes_of_others_are_escaped(wire, synced):
    """A comment that somebody else has written into the kernel moves no cursor, and breaks no JSON."""
    # Its address is within what the map is asked for.
    synced.sync({**PAIRS, "10.0.0.199": "198.51.100.199"})
    path = synced.file
    netlink = Netlink(wire.gateway)
    odd = b"\x1b[2J\xc2\x9b\xff\x7f\xe2\x80\xaex\n"
    key, value = ([attribute(1, bytes((*network, 200)))] for network in ((10, 0, 0), (198, 51, 100)))
    comment = attribute(6, bytes((0, len(odd) + 1)) + odd + b"\0")
    elements = attribute(3, [attribute(1, [attribute(1, key), attribute(2, value), comment])])
    assert netlink.batch((NEWSETELEM, CREATE, IPV4, [attribute(1, "statnat"), attribute(2, "int2ext"), elements])) == 0
    netlink.close()
    shown = "\\x1b[2J\\xc2\\x9b\\xff\\x7f\\xe2\\x80\\xaex\\x0a"
    for command in (["list"], ["diff", path], ["status"], ["explain", "10.0.0.200"]):
        said = synced(*command, check=False).stdout
        assert "\x1b" not in said and "\u202e" not in said and "\x9b" not in said
        assert shown in said or command == ["status"], command
    assert json.loads(synced("list", "-j").stdout)["pairs"][-1]["comment"] == "\x1b[2J\x9b\ufffd\x7f\u202ex\n"
    assert "\x1b" not in synced("list", "--csv").stdout
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


# Sync under traffic.

class Traffic:
    """Numbered datagrams from and to hosts whose pairs do not change."""

    PAUSE, ON_THEIR_WAY = 0.005, 64

    def __init__(self, wire, pairs):
        self.stop, self.sent, self.wrong = threading.Event(), 0, []
        # Of each way: where packets enter and leave, what they begin with before and behind the gateway.
        self.ways = [
            (wire.inside, wire.outside, [((internal, X), (external, X)) for internal, external in pairs], set()),
            (wire.outside, wire.inside, [((X, external), (X, internal)) for internal, external in pairs], set())]
        for _, _, headers, _ in self.ways:
            headers[:] = [[bytes(IP(src=source, dst=target, ttl=ttl) / UDP(chksum=0) / bytes(8))[:-8]
                           for (source, target), ttl in zip(ends, (64, 63))] for ends in headers]

    def run(self):
        while not self.stop.wait(self.PAUSE):
            number = struct.pack(">Q", self.sent)
            for enters, leaves, headers, missing in self.ways:
                before, after = headers[self.sent % len(headers)]
                enters.send(before + number)
                missing.add(after + number)
                self.take(leaves, missing, 0)
                self.take(leaves, missing, 60, self.ON_THEIR_WAY)
            self.sent += 1
        for _, leaves, _, missing in self.ways:
            self.take(leaves, missing, 60)
            self.wrong += [f"lost {packet.hex()}" for packet in missing]

    def take(self, port, missing, seconds, enough=0):
        """Takes packets until no more are missing than that, or none come for so long."""
        while len(missing) > enough and (packet := port.receive(seconds)):
            if packet not in missing:
                self.wrong.append(f"wrong {packet.hex()}")
            missing.discard(packet)


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
