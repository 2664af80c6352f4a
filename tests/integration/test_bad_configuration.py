# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad configuration changes nothing: all that is wrong is said in one run, each with its file, line and column.

A gateway; no packets.
"""

import re

import pytest

from net import A, A_OUT, PAIRS
from packets import row

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
    assert synced.held() == PAIRS


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
    assert synced.held() == PAIRS
