# SPDX-License-Identifier: GPL-2.0-or-later
"""Where our statement has no part, the tool is stock nft: the same output, the same errors, the same status.

One namespace; no packets.
"""

import contextlib
import re

import pytest

from net import many
from nfnl import Netlink, attribute, new_table
from packets import row
from tool import TOOL

STOCK_TABLE = """
define hosts = { 10.0.0.2, 10.0.0.3 }
table inet f {
	set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 192.0.2.1-192.0.2.9 }; }
	set typed { typeof ip saddr . tcp dport; counter; elements = { 10.0.0.2 . 22 }; }
	map m { type ipv4_addr : verdict; elements = { 10.0.0.2 : accept, 10.0.0.3 : jump deeper }; }
	counter seen { }
	chain deeper { counter name seen; }
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ip saddr $hosts tcp dport { 22, 80 } counter accept comment "some"
		ip saddr vmap @m
	}
}
"""

COMMANDS = [
    #   why                        arguments
    row("nothing",                 []),
    row("help",                    ["--help"]),
    row("version",                 ["-v"]),
    row("long version",            ["-V"]),
    row("list",                    ["list", "ruleset"]),
    row("list -a -n -y",           ["-a", "-n", "-y", "list", "ruleset"]),
    row("list -nn -s -t",          ["-nn", "-st", "list", "ruleset"]),
    row("list -S -T -p -u -N",     ["-S", "-T", "-p", "-u", "list", "ruleset"]),
    row("list as JSON",            ["-j", "list", "ruleset"]),
    row("list a chain",            ["--handle", "list", "chain", "inet", "f", "input"]),
    row("list nothing there",      ["list", "table", "inet", "nowhere"]),
    row("describe",                ["describe", "tcp", "dport"]),
    row("an unknown option",       ["-Z", "list", "ruleset"]),
    row("an unknown long one",     ["--nothing"]),
    row("a missing argument",      ["-f"]),
    row("an abbreviated option",   ["--hand", "list", "tables"]),
    row("options at the end",      ["list", "ruleset", "-a"]),
    row("a wrong debug level",     ["-d", "netlink,nothing", "list", "ruleset"]),
    row("an empty debug level",    ["-d", "", "list", "ruleset"]),
    row("an empty last level",     ["-d", "netlink,", "list", "ruleset"]),
    row("debug netlink",           ["-d", "netlink", "add rule inet f input counter log"]),
    row("debug eval",              ["-d", "eval", "add rule inet f input counter"]),
    row("define without file",     ["-D", "a=1", "list", "ruleset"]),
    row("no such file",            ["-f", "/nowhere"]),
    row("a folder",                ["-f", "/etc"]),
    row("an empty command",        [""]),
    row("the kernel, a command",   ["add rule inet f input jump nowhere"]),
    row("did you mean",            ["add rule inet f imput counter"]),
    row("no include path",         ["-I", "/nowhere", "list", "tables"]),
    row("echo",                    ["-e", "-a", "add rule inet f input counter"]),
    row("echo as JSON",            ["-e", "-j", "add rule inet f input counter"]),
    row("JSON on the line",        ["-j", '{"nftables": [{"list": {"tables": {}}}]}']),
    row("the word as a name",      ["add table ip snat_stateless; add chain ip snat_stateless saddr; "
                                    "list chain ip snat_stateless saddr"]),
    # Since nftables 1.1, or a little before; stock nft without it refuses it, and so must we.
    row("destroy",                 ["destroy", "table", "inet", "f"]),
    row("destroy an element",      ["-e", "destroy element inet f typed { 10.0.0.2 . 22, 10.0.0.3 . 22 }"]),
    row("reset rules",             ["reset", "rules"]),
    row("reset rules of a chain",  ["-a", "reset", "rules", "chain", "inet", "f", "input"]),
    row("reset as JSON",           ["-j", "reset", "rules"]),
    row("reset a set",             ["reset", "set", "inet", "f", "typed"]),
    row("reset an element",        ["reset", "element", "inet", "f", "typed", "{ 10.0.0.2 . 22 }"]),
    row("last as JSON",            ["-j", "-e", "add rule inet f input last"]),
    row("hooks",                   ["list", "hooks"]),
    row("hooks of a device",       ["list", "hooks", "netdev", "device", "lo"]),
    row("devices of a chain",      ["-e", "table netdev t { chain c { "
                                    "type filter hook ingress devices = { lo } priority 0; }; }"]),
    row("sets, but no elements",   ["-t", "list", "sets"]),
    row("typeof in an echo",       ["-e", "add set inet f x { typeof @th,16,16; }; "
                                    "add map inet f y { typeof ip saddr . meta mark : ip daddr; }"]),
    row("typeof of intervals",     ["-e", "add map inet f x { typeof ip saddr : interval ip daddr; flags interval; }"]),
    row("typeof as JSON",          ["-j", "list", "set", "inet", "f", "typed"]),
    row("one mark and another",    ["-e", "add rule inet f input meta mark set meta mark or ct mark"]),
    row("none of these flags",     ["-e", "add rule inet f input tcp flags ! syn,rst counter"]),
]

ADD_AS_JSON = '{"nftables": [{"add": {"table": {"family": "ip", "name": "t"}}}]}'

FILES = [
    #   why                        beside -f -         standard input
    row("define no value",         ["-D", "a"],        ""),
    row("define",                  ["-D", "port=22"],  "add rule inet f input tcp dport $port"),
    row("an empty file",           [],                 ""),
    row("a good file",             [],                 "add rule inet f input ct state new"),
    row("no final newline",        [],                 "# a comment"),
    row("check",                   ["-c"],             "flush ruleset\nadd table ip t"),
    row("check what is wrong",     ["-c"],             "flush ruleset\nadd rule ip t c counter"),
    row("syntax",                  [],                 "add rule inet f input\ttcp dprt 80\n"),
    row("syntax, often",           [],                 "frog\n" * 12),
    row("a table to the end",      [],                 "table ip t {\n\tchain c {\n"),
    row("a quote to the end",      [],                 'add rule inet f input comment "x\n'),
    row("evaluation",              [],                 "add rule inet f input tcp dport 70000 ip6 saddr @x"),
    row("two carets",              [],                 "add rule inet f input ip saddr 10.0.0.1 ip6 daddr ::1"),
    row("the kernel refuses",      [],                 "add rule inet f input counter\n"
                                                       "add rule inet f nowhere counter"),
    row("an unknown variable",     [],                 "add rule inet f input ip saddr $nobody"),
    row("include nothing there",   [],                 'include "./nothing.nft"\n'),
    row("include a pattern",       [],                 'include "./nothing-*.nft"\n'),
    row("include path",            ["-I", "/nowhere"], 'include "nothing.nft"\n'),
    row("interactive, and a file", ["-i"],             "list tables\n"),
    row("echo a file",             ["-e"],             "add rule inet f input counter\n"
                                                       "insert rule inet f input drop\n"),
    row("optimize",                ["-o"],             "table ip t { chain c { ip saddr 10.0.0.2 accept\n"
                                                       "ip saddr 10.0.0.3 accept\n}; }"),
    row("optimize, check",         ["-o", "-c"],       "table ip t { chain c { tcp dport 22 accept\n"
                                                       "tcp dport 80 accept\n}; }"),
    row("JSON",                    ["-j"],             ADD_AS_JSON),
    row("JSON echoed",             ["-j", "-e"],       ADD_AS_JSON),
    row("JSON is broken",          ["-j"],             '{"nftables": [{"add": '),
    row("JSON is wrong",           ["-j"],             '{"nftables": [{"add": {"frog": {}}}]}'),
    row("text, but -j",            ["-j"],             "list ruleset\n"),
    row("the word is unknown",     [],                 "add rule inet f input snat_stateless\n"),
    row("the word as a map",       [],                 "add rule inet f input ip saddr map @snat_stateless"),
    row("the word in a comment",   ["-e"],             '# snat_stateless saddr map @m\n'
                                                       'add rule inet f input counter '
                                                       'comment "snat_stateless saddr map @m"\n'),
    # Since nftables 1.1, or a little before; stock nft without it refuses it, and so must we.
    row("destroy nothing there",   ["-e"],             "destroy table ip t\ndestroy chain inet f c\n"
                                                       "destroy rule inet f input handle 999\n"),
    row("destroy in JSON",         ["-j", "-e"],       '{"nftables": [{"destroy": {"table": '
                                                       '{"family": "inet", "name": "f"}}}]}'),
    row("last",                    [],                 "add rule inet f input last counter\nlist chain inet f input\n"),
    row("a table that persists",   ["-e"],             "table ip t { flags persist; }\nlist table ip t\n"),
]

ALIKE = [
    *(row(one.id, *one.values, "") for one in COMMANDS),
    *(row(one.id, [*one.values[0], "-f", "-"], one.values[1]) for one in FILES),
    row("the long name of it", ["-f", "/dev/stdin"], "add rule inet f input ct state new"),
    row("the interactive mode", ["-i"], "list tables\n\nquit\n"),
]

# What is never the same twice.
VOLATILE = (r"(?<=generation )\d+ by process \d+ \(.*\)", r"(?<= # handle )\d+(?=\n\t(set|counter|chain) )",
            r'(?<="handle": )\d+(?=\}\})')


def alike(text):
    for pattern in VOLATILE:
        text = re.sub(pattern, "N", text)
    return text


@pytest.mark.parametrize("arguments, stdin", ALIKE)
def test_like_stock(nft, arguments, stdin):
    seen = []
    for run in (nft.stock, nft):
        nft.stock("-f", "-", stdin="flush ruleset" + STOCK_TABLE)
        done = run(*arguments, stdin=stdin, check=False)
        listing = nft.stock("list", "ruleset").stdout
        seen.append((alike(done.stdout), alike(done.stderr), done.returncode, listing))
    stock, ours = seen
    if arguments == ["-i"]:  # stock nft edits lines, and writes what it reads
        assert stock[0].split("\n")[1] in ours[0] and stock[2:] == ours[2:]
    else:
        assert ours == stock


TABLE_USERDATA = 6


def test_table_of_a_newer_version_like_stock(nft):
    """That nftables 99 made it is written into a table; some versions warn."""
    version = bytes([1, 4, 99, 0, 0, 0])  # type, length, value
    with contextlib.closing(Netlink(nft.namespace)) as netlink:
        kind, flags, family, given = new_table("t")
        netlink.batch((kind, flags, family, [*given, attribute(TABLE_USERDATA, version)]))
    for arguments in (["list", "ruleset"], ["-j", "list", "ruleset"], ["list", "table", "ip", "t"]):
        stock, ours = (run(*arguments) for run in (nft.stock, nft))
        assert (ours.stdout, ours.stderr) == (stock.stdout, stock.stderr)


def test_files_like_stock(nft, tmp_path):
    """Included files: names, places and what includes them."""
    (tmp_path / "inner.nft").write_text("add rule inet f input counter\nadd rule inet f input frog here\n")
    (tmp_path / "outer.nft").write_text('# to be included\ninclude "./inner.nft"\n'
                                        "\tadd rule inet f input ip saddr @x\n")
    (tmp_path / "deep.nft").write_text('include "./deep.nft"\n')
    nft.stock("-f", "-", stdin=STOCK_TABLE)
    for arguments in (["outer.nft"], [tmp_path / "outer.nft"], ["deep.nft"]):
        stock, ours = (run("-f", *arguments, folder=tmp_path, check=False) for run in (nft.stock, nft))
        assert (ours.stdout, ours.stderr, ours.returncode) == (stock.stdout, stock.stderr, stock.returncode)
        assert stock.stderr


MERGES = "table ip t {\n\tchain c {\n" + "".join(f"\t\t{rule}\n" for rule in (
    "ip saddr 10.0.0.2 accept", "ip saddr 10.0.0.3 accept", 'iifname "lo" drop', 'iifname "all" drop',
    "tcp dport 22 drop", "tcp dport 23 drop")) + "\t}\n}\n"

ORDERS = [
    #   why              arguments and standard input of each run
    row("errors",        (["add rule inet f input counter; add rule inet f input counter"], ""),
                         (["-e", "add rule inet f input frog"], "")),
    row("merges",        (["-c", "-o", "-f", "-"], MERGES)),
    row("debug output",  (["-d", "eval,netlink,segtree,proto-ctx", "-f", "-"],
                          "add rule inet f input tcp dport { 22, 23 } log prefix \"S\"\n"
                          "add rule inet f nowhere counter\n")),
]


@pytest.mark.parametrize("runs", [row.values for row in ORDERS], ids=[row.id for row in ORDERS])
def test_both_streams_in_order(nft, runs):
    """What goes to one place comes in stock nft's order."""
    seen = []
    for command in (["nft"], [TOOL, "nft"]):
        nft.stock("-f", "-", stdin="flush ruleset" + STOCK_TABLE)
        both = [nft(*command, *arguments, command=("sh", "-c", '"$@" 2>&1', "sh"), stdin=stdin, check=False)
                for arguments, stdin in runs]
        seen.append("".join(done.stdout for done in both))
    assert seen[0] == seen[1] != ""


def peak(nft, path, *command):
    """What a refused file costs, in KiB."""
    done = nft("-f", path, command=("/usr/bin/time", "-f", "peak %M", *command), check=False)
    assert done.returncode == 1
    return int(re.search(r"peak (\d+)\n", done.stderr)[1])


def test_memory_does_not_grow_with_errors(nft, tmp_path):
    """Never more than twice what stock nft takes, with about as many errors in about as long a file."""
    elements = ", ".join(f"{internal} : {external}" for internal, external in many(5000).items())
    statements = {"ours": "snat_stateless saddr map @nowhere", "stock": 'log prefix "no more than words" jump nowhere'}
    for name, statement in statements.items():
        rules = "".join(f"ip saddr {internal} {statement}\n" for internal in many(1000))
        (tmp_path / name).write_text(
            f"table ip t {{\nmap m {{ type ipv4_addr : ipv4_addr; elements = {{ {elements} }}; }}\n"
            f"chain c {{\ntype filter hook postrouting priority 0\n{rules}}}\n}}\n")
    assert peak(nft, tmp_path / "ours", TOOL, "nft") < 2 * peak(nft, tmp_path / "stock", "nft")
