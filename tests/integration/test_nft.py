# SPDX-License-Identifier: GPL-2.0-or-later
"""nft with one more statement: rulesets as files, errors, listings, events, and stock nft beside it.

The rulesets are files of their own: NAME.nft is loaded, NAME.listing is what must then be listed. One namespace; no
packets but where said.
"""

import contextlib
import ipaddress
import json
import re
import subprocess
import threading
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, X, many, until
from nfnl import (DADDR, FIELD, FLAGS, INET, MAP_FLAGS, MAP_NAME, MAP_PREFIX, MAP_WITHIN, MAP_WITHIN_LENGTH, MAPS, NOTRACK,
                  NPT, UNTRACKED, Netlink, attribute, attributes, listed, new_table)
from packets import expression as needs_module, row
from tool import TOOL

RULESETS = Path(__file__).parent / "rulesets"


class Nft:
    """The tool as nft, stock nft and what both see, in a namespace of their own."""

    def __init__(self, namespace):
        self.namespace = namespace

    def __call__(self, *arguments, stdin="", check=True, command=(TOOL, "nft"), folder=RULESETS):
        return self.namespace.run("env", "-C", str(folder), *map(str, command), *map(str, arguments), stdin=stdin, check=check)

    def stock(self, *arguments, **settings):
        return self(*arguments, command=("nft",), **settings)

    def listing(self, *options):
        return self("-s", *options, "list", "ruleset").stdout

    def popen(self, *arguments):
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.namespace.name}", str(TOOL), "nft", *arguments],
                                stdout=subprocess.PIPE, text=True)


@pytest.fixture
def nft(namespace, ruleset):
    return Nft(namespace)


# Rulesets that load.

FILES = sorted(path.stem for path in RULESETS.glob("*.nft"))
WITHOUT_JSON = {"not_in_json"}


def load(nft, name):
    nft("-I", RULESETS / "parts", "-f", f"{name}.nft")


@needs_module
@pytest.mark.parametrize("name", FILES)
def test_file(nft, name):
    """It loads, lists as expected, and what is listed loads and lists the same."""
    load(nft, name)
    wanted = (RULESETS / f"{name}.listing").read_text()
    assert nft.listing() == wanted
    nft("flush", "ruleset")
    nft("-f", "-", stdin=wanted)
    assert nft.listing() == wanted


@needs_module
@pytest.mark.parametrize("name", [name for name in FILES if name not in WITHOUT_JSON])
def test_json(nft, tmp_path, name):
    """What is listed as JSON is the same ruleset, and stays so."""
    load(nft, name)
    wanted, as_json = nft.listing(), nft.listing("-j")
    assert as_json.count('"snat_stateless": {') == len(re.findall("snat_stateless [sd]addr map", re.sub('".*?"', "", wanted)))
    nft("flush", "ruleset")
    (tmp_path / "listing.json").write_text(as_json)
    nft("-j", "-f", tmp_path / "listing.json")
    assert nft.listing() == wanted
    without_handles = [re.sub(r', "handle": \d+', "", text) for text in (as_json, nft.listing("-j"))]
    assert without_handles[0] == without_handles[1]


@needs_module
@pytest.mark.parametrize("name", FILES)
def test_check_changes_nothing(nft, name):
    nft("-c", "-I", RULESETS / "parts", "-f", f"{name}.nft")
    assert nft.listing() == ""


@needs_module
def test_long_output(nft, tmp_path):
    """However much libnftables writes, and however long a line is, each statement is one of ours again."""
    rules = "".join(f" ip saddr 10.0.{number >> 8}.{number & 255} snat_stateless saddr map @m\n" for number in range(3000))
    nft("-f", "-", stdin=f"{TABLE}table ip t {{ chain post {{\n{rules}}}; }}\n")
    listed = json.loads(nft("-j", "list", "ruleset").stdout)["nftables"]
    names = [next(iter(expression)) for item in listed for expression in item.get("rule", {}).get("expr", [])]
    assert (names.count("snat_stateless"), names.count("log")) == (3000, 0)
    nft("flush", "ruleset")
    # A set in one line of 64 KiB and more, each time a bit longer.
    sets = [", ".join(f"10.{last}.{number >> 7}.{2 * (number & 127)}" for number in range(4890 + 2 * last)) for last in range(15)]
    rules = "".join(f" ip saddr {{ {each} }} snat_stateless saddr map @m\n" for each in sets)
    nft("-f", "-", stdin=f"{TABLE}table ip t {{ chain post {{\n{rules}}}; }}\n")
    path = tmp_path / "saved.nft"
    nft("save", path, command=(TOOL,))
    for text in (nft.listing(), path.read_text()):
        assert (text.count("} snat_stateless saddr map @m\n"), text.count("log prefix")) == (15, 0)


# What is in the kernel, read by hand.

IN_KERNEL = [
    #   statement                                               field and flags, maps
    row("plain",    "daddr map @m",                             (DADDR, 0), [("m", None, 0, None)]),
    row("notrack",  "daddr map @m notrack",                     (DADDR, NOTRACK), [("m", None, 0, None)]),
    row("flags",    "daddr map @m notrack untracked",           (DADDR, NOTRACK | UNTRACKED), [("m", None, 0, None)]),
    row("list",     "daddr map @m, @n prefix 24, @m prefix 16", (DADDR, 0),
        [("m", None, 0, None), ("n", 24, 0, None), ("m", 16, 0, None)]),
    row("npt",      "daddr map @m6 prefix 48 npt",              (DADDR, 0), [("m6", 48, NPT, None)]),
    row("within",   "daddr map @m within 198.51.100.7, @n prefix 24 within 198.51.100.0/22", (DADDR, 0),
        [("m", None, 0, "198.51.100.7/32"), ("n", 24, 0, "198.51.100.0/22")]),
    row("all of it", "daddr map @m6 prefix 48 npt within 2001:db8::/47", (DADDR, 0), [("m6", 48, NPT, "2001:db8::/47")]),
]


def number(value):
    return int.from_bytes(value, "big") if value else None


def within(each):
    if MAP_WITHIN not in each and MAP_WITHIN_LENGTH not in each:
        return None
    return f"{ipaddress.ip_address(each[MAP_WITHIN])}/{number(each[MAP_WITHIN_LENGTH])}"


@needs_module
@pytest.mark.parametrize("form", ["text", "JSON"])
@pytest.mark.parametrize("statement, wanted, maps", IN_KERNEL)
def test_in_the_kernel(nft, tmp_path, form, statement, wanted, maps):
    nft("-f", "-", stdin=f"""
        table inet t {{
            map m {{ type ipv4_addr : ipv4_addr; }}
            map n {{ type ipv4_addr : ipv4_addr; }}
            map m6 {{ type ipv6_addr : ipv6_addr; }}
            chain c {{ type filter hook prerouting priority 0; snat_stateless {statement}; }}
        }}""")
    if form == "JSON":
        (tmp_path / "listing.json").write_text(nft.listing("-j"))
        nft("flush", "ruleset")
        nft("-j", "-f", tmp_path / "listing.json")
    with contextlib.closing(Netlink(nft.namespace)) as netlink:
        (_, data), = netlink.rules("t", INET)
    assert (number(data[FIELD]), number(data[FLAGS])) == wanted
    assert [(each[MAP_NAME].rstrip(b"\0").decode(), number(each.get(MAP_PREFIX)), number(each[MAP_FLAGS]), within(each))
            for each in map(attributes, listed(data[MAPS]))] == maps


# Errors point at what the user wrote.

TABLE = """table ip t {
	map m { type ipv4_addr : ipv4_addr; }
	map m6 { type ipv6_addr : ipv6_addr; }
	map verdicts { type ipv4_addr : verdict; }
	map ranges { type ipv4_addr : ipv4_addr; flags interval; }
	set s { type ipv4_addr; }
	chain post { type filter hook postrouting priority 0; }
	chain pre { type filter hook prerouting priority 0; }
	chain nat { type nat hook postrouting priority 0; }
	chain other { }
}
"""
LONG = "n" * 256
WHOLE = "all of the statement"

MISTAKES = [
    #   why                    statement, and the word that the error is about    what is said
    row("no field",            "map @m",                       "map",             "syntax error, unexpected map, expecting saddr or daddr"),
    row("a wrong field",       "sadr map @m",                  "sadr",            "syntax error, unexpected sadr, expecting saddr or daddr"),
    row("no map",              "saddr @m",                     "@",               "syntax error, unexpected @, expecting map"),
    row("a map in braces",     "saddr map { 10.0.0.2 : 198.51.100.2 }", "{",      "syntax error, unexpected {, expecting @"),
    row("no @",                "saddr map m",                  "m",               "syntax error, unexpected m, expecting @"),
    row("bytes for a terminal", "saddr map \x1b[31m",          "\x1b",            'syntax error, unexpected "\\x1b", expecting @'),
    row("no name",             "saddr map @ , @m",             ",",               "syntax error, unexpected ,, expecting the name of a map"),
    row("a name in quotes",    'saddr map @"m"',               '"m"',             'syntax error, unexpected "m", expecting the name of a map'),
    row("a name too long",     f"saddr map @{LONG}",           LONG,              "the name of this map has 256 bytes, and may have 255"),
    row("no length",           "saddr map @m prefix",          "",                "syntax error, unexpected newline, expecting the length of a prefix"),
    row("a wrong length",      "saddr map @m prefix x",        "x",               "syntax error, unexpected x, expecting the length of a prefix"),
    row("length 0",            "saddr map @m prefix 0",        "0",               "a prefix has a length of 1 to 32 for IPv4, of 1 to 128 for IPv6"),
    row("length 129",          "saddr map @m prefix 129",      "129",             "a prefix has a length of 1 to 32 for IPv4, of 1 to 128 for IPv6"),
    row("length of npt",       "saddr map @m prefix 65 npt",   "65",              "npt needs a prefix with a length of 1 to 64"),
    row("npt alone",           "saddr map @m npt",             "npt",             "syntax error, unexpected npt"),
    row("within what",         "saddr map @m within",          "",                "syntax error, unexpected newline, expecting a prefix of addresses"),
    row("within a word",       "saddr map @m within here",     "here",            "syntax error, unexpected here, expecting a prefix of addresses"),
    row("within too long",     "saddr map @m within 10.0.0.0/33", "10.0.0.0/33",  "syntax error, unexpected 10.0.0.0/33, expecting a prefix of addresses"),
    row("within host bits",    "saddr map @m within 10.0.0.1/8, @m", "10.0.0.1/8", "host bits are set; 10.0.0.0/8 has none"),
    row("within IPv6",         "saddr map @m within fd00::1/8 untracked", "fd00::1/8", "host bits are set; fd00::/8 has none"),
    row("within all",          "saddr map @m within ::/0",     "::/0",            "all addresses are within a prefix of length 0; leave it out"),
    row("within, then prefix", "saddr map @m within 10.0.0.0/8 prefix 24", "prefix", "syntax error, unexpected prefix"),
    row("within after flags",  "saddr map @m untracked within 10.0.0.0/8", "within", "syntax error, unexpected within"),
    row("a comma too many",    "saddr map @m, untracked",      "untracked",       "syntax error, unexpected untracked, expecting @"),
    row("a flag twice",        "saddr map @m notrack notrack", "notrack",         "notrack is there already"),
    row("both marks",          "saddr map @m notrack untrack", "untrack",         "notrack and untrack exclude each other"),
    row("both states",         "saddr map @m tracked untracked", "untracked",     "tracked and untracked exclude each other"),
    row("words of log",        "saddr map @m level debug",     "level",           "syntax error, unexpected level"),
    row("else of what",        "daddr map @m notrack else @m", "@",              "syntax error, unexpected @, expecting saddr"),
    row("else without maps",   "daddr map @m notrack else saddr untrack", "untrack", "syntax error, unexpected untrack, expecting map"),
    row("else without untrack", "daddr map @m notrack else saddr map @m", "",     "syntax error, unexpected newline, expecting untrack"),
    row("else for saddr",      "saddr map @m notrack else saddr map @m untrack", "else", "else goes with daddr and notrack only"),
    row("else and tracked",    "daddr map @m else saddr map @m untrack", "else",   "else goes with daddr and notrack only"),
    row("else twice",          "daddr map @m notrack else saddr map @m untrack else", "else", "syntax error, unexpected else"),
    row("prefix after flags",  "saddr map @m untracked prefix 24", "prefix",      "syntax error, unexpected prefix"),
]

REFUSALS = [
    #   why                    chain    statement                what is said
    row("an unknown map",      "post",  "saddr map @x",          "this table has no map @x"),
    row("one of two unknown",  "post",  "saddr map @m, @x",      "this table does not have all of the maps @m, @x"),
    row("a set",               "post",  "saddr map @s",          "@s is no map from addresses to addresses"),
    row("a verdict map",       "post",  "saddr map @verdicts",   "@verdicts is no map from addresses to addresses"),
    row("the other family",    "post",  "saddr map @m6",         "@m6 is not of addresses of this table's family, as key and as data; npt is for IPv6"),
    row("within the other family", "post", "saddr map @m within fd00::/8",
        "@m is not of addresses of this table's family, as key and as data, or not within such; npt is for IPv6"),
    row("ranges",              "post",  "saddr map @ranges",     "@ranges is an interval, timeout or dynamic map, which snat_stateless cannot use"),
    row("a prefix too long",   "post",  "saddr map @m prefix 33", "a prefix of @m is longer than an address of the map, or than npt allows"),
    row("daddr too late",      "post",  "daddr map @m",          "snat_stateless daddr works in filter and route chains of the hooks prerouting and output"),
    row("saddr too early",     "pre",   "saddr map @m",          "snat_stateless saddr works in filter and route chains of the hooks postrouting and input"),
    row("untrack too late",    "post",  "saddr map @m untrack",  "snat_stateless with untrack works in filter and route chains of the hooks prerouting and output"),
    row("a nat chain",         "nat",   "saddr map @m",          "snat_stateless saddr works in filter and route chains of the hooks postrouting and input"),
]


def shown(line, word):
    """The line with carets below the last place of the word (or below its end), and the two columns."""
    first = line.rindex(word) + 1 if word else len(line) + 1
    last = first + max(len(word), 1) - 1
    blanks = "".join("\t" if character == "\t" else " " for character in line[:first - 1])
    return f"{line}\n{blanks}{'^' * (last - first + 1)}\n", f"{first}-{last}"


def fails(done, expected):
    assert (done.stderr, done.stdout, done.returncode) == (expected, "", 1)


@pytest.mark.parametrize("statement, word, sentence", MISTAKES)
def test_mistake(nft, tmp_path, statement, word, sentence):
    """In a file, in one that it includes, on standard input, on the command line; and nothing is changed."""
    line = f"\tip saddr 10.0.0.2\tcounter snat_stateless {statement}"
    text = f"{TABLE}table ip t {{ chain post {{\n# a comment\n{line}\n}}; }}\n"
    number = text.count("\n", 0, text.index(line)) + 1
    picture, columns = shown(line, word)
    path = tmp_path / "mistake.nft"
    path.write_text(text)
    outer = tmp_path / "outer.nft"
    outer.write_text(f'add table ip t2\n\ninclude "{path}"\n')
    fails(nft("-f", path, check=False), f"{path}:{number}:{columns}: Error: {sentence}\n{picture}")
    fails(nft("-f", outer, check=False), f"In file included from {outer}:3:1-{len(str(path)) + 11}:\n"
                                         f"{path}:{number}:{columns}: Error: {sentence}\n{picture}")
    fails(nft("-f", "-", stdin=text, check=False), f"/dev/stdin:{number}:{columns}: Error: {sentence}\n{picture}")
    command = f"add rule ip t post counter snat_stateless {statement}"
    fails(nft(*command.split(" "), check=False), f"Error: {sentence}\n{shown(command, word)[0]}")
    assert nft.listing() == ""


@pytest.mark.stock  # nftables 1.0 opens /dev/stdin, which guests do not have
@pytest.mark.parametrize("name", ["mistake.json", "-"])
def test_mistake_in_json(nft, tmp_path, name):
    """In a file and on standard input, which libnftables reads in ways of their own."""
    rule = {"family": "ip", "table": "t", "chain": "c", "expr": [{"snat_stateless": {"field": "sadr", "map": "@m"}}]}
    text = json.dumps({"nftables": [{"add": {"rule": rule}}]})
    (tmp_path / "mistake.json").write_text(text)
    done = nft("-j", "-f", name, stdin=text, folder=tmp_path, check=False)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith('internal:1:1-1: Error: "field" must be "saddr" or "daddr"\n')


@needs_module
@pytest.mark.parametrize("chain, statement, sentence", REFUSALS)
def test_refusal(nft, chain, statement, sentence):
    """The kernel's errno as a sentence, at the statement; and nothing is changed."""
    nft("-f", "-", stdin=TABLE)
    before = nft.listing()
    line = f"add rule ip t {chain} iifname \"lo\" counter snat_stateless {statement}  counter return"
    picture, columns = shown(line, f"snat_stateless {statement}")
    sentence = f"Error: Could not process rule: {sentence}\n{picture}"
    text = f"add rule ip t post counter\n\n{line}\n"
    fails(nft("-f", "-", stdin=text, check=False), f"/dev/stdin:3:{columns}: {sentence}")
    fails(nft("-c", "-f", "-", stdin=text, check=False), f"/dev/stdin:3:{columns}: {sentence}")
    fails(nft(line, check=False), sentence)
    assert nft.listing() == before


@needs_module
def test_refusal_at_the_end(nft):
    """A chain that is fine by itself, and reached from where it must not be."""
    nft("-f", "-", stdin=TABLE)
    rule = "add rule ip t other snat_stateless saddr map @m"
    nft(rule)
    done = nft("add rule ip t pre jump other", check=False)
    assert done.returncode == 1 and "Operation not supported" in done.stderr
    done = nft("-f", "-", stdin=f"{rule}\nadd rule ip t pre jump other\n", check=False)
    # Kernels differ in what exactly they blame for it.
    assert re.match(r"/dev/stdin:2:\d+-\d+: Error: Could not process rule: Operation not supported \(a chain with "
                    r"snat_stateless daddr or untrack must be reached from .*\)\nadd rule ip t pre jump other\n", done.stderr)


BESIDE = [
    # A line with a place for a statement as long as ours: of stock nft the same text is wanted, but for the statement.
    row("a word too many after",        "add rule ip t post %s foo"),
    row("after a verdict",              "add rule ip t post accept %s"),
    row("an unknown set after",         "add rule ip t post counter %s ip saddr @x counter"),
    row("a chain that is not there",    "add rule ip t post %s jump nowhere"),
    row("a value out of range",         "add rule ip t post\t%s\tcounter tcp dport 70000"),
    row("an error on the next line",    "add rule ip t post %s\nadd rule ip t post frog; add rule ip t post %s foo"),
    row("an error two lines on",        "add rule ip t post %s \\\n\tcounter \\\n\tfrog"),
    row("a chain without its table",    "add rule ip t2 post %s"),
    row("a file that is not there",     "add rule ip t post %s\ninclude \"./nowhere.nft\"\n"),
    row("eleven errors",                "\n".join(["add rule ip t post %s foo"] * 11)),
    row("beyond what is shown",         "add rule ip t post %s" + " counter" * 150 + " foo"),
]


@needs_module
@pytest.mark.parametrize("text", BESIDE)
def test_error_beside_a_statement(nft, text):
    """Whatever else is wrong, stock nft's own words for it, at the same place, around our statement."""
    nft("-f", "-", stdin=TABLE)
    ours = "snat_stateless saddr map @m untracked"
    other = "meta mark set 0x".ljust(len(ours), "0")
    for arguments, with_text in ((["-f", "-"], {"stdin": text}), ([text], {})):
        done = nft(*[argument.replace("%s", ours) for argument in arguments],
                   **{key: value.replace("%s", ours) for key, value in with_text.items()}, check=False)
        stock = nft.stock(*[argument.replace("%s", other) for argument in arguments],
                          **{key: value.replace("%s", other) for key, value in with_text.items()}, check=False)
        assert stock.returncode == 1
        fails(done, stock.stderr.replace(other, ours))


def test_statement_where_none_may_stand(nft):
    line = "add rule ip t post tcp dport snat_stateless saddr map @m counter"
    picture, columns = shown(line, "snat_stateless saddr map @m")
    error = f"Error: syntax error, unexpected snat_stateless\n{picture}"
    fails(nft("-f", "-", stdin=line, check=False), f"/dev/stdin:1:{columns}: {error}")
    fails(nft(line, check=False), error)


# Stock nft beside it: the same output, the same errors, the same status.

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

ALIKE = [
    #   why                      arguments                                         standard input
    row("nothing",               [],                                               ""),
    row("help",                  ["--help"],                                       ""),
    row("version",               ["-v"],                                           ""),
    row("long version",          ["-V"],                                           ""),
    row("list",                  ["list", "ruleset"],                              ""),
    row("list -a -n -y",         ["-a", "-n", "-y", "list", "ruleset"],            ""),
    row("list -nn -s -t",        ["-nn", "-st", "list", "ruleset"],                ""),
    row("list -S -T -p -u -N",   ["-S", "-T", "-p", "-u", "list", "ruleset"],      ""),
    row("list as JSON",          ["-j", "list", "ruleset"],                        ""),
    row("list a chain",          ["--handle", "list", "chain", "inet", "f", "input"], ""),
    row("list nothing there",    ["list", "table", "inet", "nowhere"],             ""),
    row("describe",              ["describe", "tcp", "dport"],                     ""),
    row("an unknown option",     ["-Z", "list", "ruleset"],                        ""),
    row("an unknown long one",   ["--nothing"],                                    ""),
    row("a missing argument",    ["-f"],                                           ""),
    row("an abbreviated option", ["--hand", "list", "tables"],                     ""),
    row("options at the end",    ["list", "ruleset", "-a"],                        ""),
    row("a wrong debug level",   ["-d", "netlink,nothing", "list", "ruleset"],     ""),
    row("an empty debug level",  ["-d", "", "list", "ruleset"],                    ""),
    row("an empty last level",   ["-d", "netlink,", "list", "ruleset"],            ""),
    row("debug netlink",         ["-d", "netlink", "add rule inet f input counter log"], ""),
    row("debug eval",            ["-d", "eval", "add rule inet f input counter"],  ""),
    row("define without file",   ["-D", "a=1", "list", "ruleset"],                 ""),
    row("define no value",       ["-D", "a", "-f", "-"],                           ""),
    row("define",                ["-D", "port=22", "-f", "-"],                     "add rule inet f input tcp dport $port"),
    row("no such file",          ["-f", "/nowhere"],                               ""),
    row("a folder",              ["-f", "/etc"],                                   ""),
    row("an empty file",         ["-f", "-"],                                      ""),
    row("an empty command",      [""],                                             ""),
    row("a good file",           ["-f", "-"],                                      "add rule inet f input ct state new"),
    row("the long name of it",   ["-f", "/dev/stdin"],                             "add rule inet f input ct state new"),
    row("no final newline",      ["-f", "-"],                                      "# a comment"),
    row("check",                 ["-c", "-f", "-"],                                "flush ruleset\nadd table ip t"),
    row("check what is wrong",   ["-c", "-f", "-"],                                "flush ruleset\nadd rule ip t c counter"),
    row("syntax",                ["-f", "-"],                                      "add rule inet f input\ttcp dprt 80\n"),
    row("syntax, often",         ["-f", "-"],                                      "frog\n" * 12),
    row("a table to the end",    ["-f", "-"],                                      "table ip t {\n\tchain c {\n"),
    row("a quote to the end",    ["-f", "-"],                                      'add rule inet f input comment "x\n'),
    row("evaluation",            ["-f", "-"],                                      "add rule inet f input tcp dport 70000 ip6 saddr @x"),
    row("two carets",            ["-f", "-"],                                      "add rule inet f input ip saddr 10.0.0.1 ip6 daddr ::1"),
    row("the kernel refuses",    ["-f", "-"],                                      "add rule inet f input counter\nadd rule inet f nowhere counter"),
    row("the kernel, a command", ["add rule inet f input jump nowhere"],           ""),
    row("did you mean",          ["add rule inet f imput counter"],                ""),
    row("an unknown variable",   ["-f", "-"],                                      "add rule inet f input ip saddr $nobody"),
    row("include nothing there", ["-f", "-"],                                      'include "./nothing.nft"\n'),
    row("include a pattern",     ["-f", "-"],                                      'include "./nothing-*.nft"\n'),
    row("include path",          ["-I", "/nowhere", "-f", "-"],                    'include "nothing.nft"\n'),
    row("no include path",       ["-I", "/nowhere", "list", "tables"],             ""),
    row("interactive, and a file", ["-i", "-f", "-"],                              "list tables\n"),
    row("echo",                  ["-e", "-a", "add rule inet f input counter"],    ""),
    row("echo a file",           ["-e", "-f", "-"],                                "add rule inet f input counter\ninsert rule inet f input drop\n"),
    row("echo as JSON",          ["-e", "-j", "add rule inet f input counter"],    ""),
    row("optimize",              ["-o", "-f", "-"],                                "table ip t { chain c { ip saddr 10.0.0.2 accept\nip saddr 10.0.0.3 accept\n}; }"),
    row("optimize, check",       ["-o", "-c", "-f", "-"],                          "table ip t { chain c { tcp dport 22 accept\ntcp dport 80 accept\n}; }"),
    row("JSON",                  ["-j", "-f", "-"],                                '{"nftables": [{"add": {"table": {"family": "ip", "name": "t"}}}]}'),
    row("JSON echoed",           ["-j", "-e", "-f", "-"],                          '{"nftables": [{"add": {"table": {"family": "ip", "name": "t"}}}]}'),
    row("JSON is broken",        ["-j", "-f", "-"],                                '{"nftables": [{"add": '),
    row("JSON is wrong",         ["-j", "-f", "-"],                                '{"nftables": [{"add": {"frog": {}}}]}'),
    row("JSON on the line",      ["-j", '{"nftables": [{"list": {"tables": {}}}]}'], ""),
    row("text, but -j",          ["-j", "-f", "-"],                                "list ruleset\n"),
    row("the word as a name",    ["add table ip snat_stateless; add chain ip snat_stateless saddr; list chain ip snat_stateless saddr"], ""),
    row("the word is unknown",   ["-f", "-"],                                      "add rule inet f input snat_stateless\n"),
    row("the word as a map",     ["-f", "-"],                                      "add rule inet f input ip saddr map @snat_stateless"),
    row("the word in a comment", ["-e", "-f", "-"],                                '# snat_stateless saddr map @m\nadd rule inet f input counter comment "snat_stateless saddr map @m"\n'),
    row("the interactive mode",  ["-i"],                                           "list tables\n\nquit\n"),
    # Since nftables 1.1, or a little before; stock nft without it refuses it, and so must we.
    row("destroy",               ["destroy", "table", "inet", "f"],                ""),
    row("destroy nothing there", ["-e", "-f", "-"],                                "destroy table ip t\ndestroy chain inet f c\ndestroy rule inet f input handle 999\n"),
    row("destroy an element",    ["-e", "destroy element inet f typed { 10.0.0.2 . 22, 10.0.0.3 . 22 }"], ""),
    row("destroy in JSON",       ["-j", "-e", "-f", "-"],                          '{"nftables": [{"destroy": {"table": {"family": "inet", "name": "f"}}}]}'),
    row("reset rules",           ["reset", "rules"],                               ""),
    row("reset rules of a chain", ["-a", "reset", "rules", "chain", "inet", "f", "input"], ""),
    row("reset as JSON",         ["-j", "reset", "rules"],                         ""),
    row("reset a set",           ["reset", "set", "inet", "f", "typed"],           ""),
    row("reset an element",      ["reset", "element", "inet", "f", "typed", "{ 10.0.0.2 . 22 }"], ""),
    row("last",                  ["-f", "-"],                                      "add rule inet f input last counter\nlist chain inet f input\n"),
    row("last as JSON",          ["-j", "-e", "add rule inet f input last"],       ""),
    row("a table that persists", ["-e", "-f", "-"],                                "table ip t { flags persist; }\nlist table ip t\n"),
    row("hooks",                 ["list", "hooks"],                                ""),
    row("hooks of a device",     ["list", "hooks", "netdev", "device", "lo"],      ""),
    row("devices of a chain",    ["-e", "table netdev t { chain c { type filter hook ingress devices = { lo } priority 0; }; }"], ""),
    row("sets, but no elements", ["-t", "list", "sets"],                           ""),
    row("typeof in an echo",     ["-e", "add set inet f x { typeof @th,16,16; }; add map inet f y { typeof ip saddr . meta mark : ip daddr; }"], ""),
    row("typeof of intervals",   ["-e", "add map inet f x { typeof ip saddr : interval ip daddr; flags interval; }"], ""),
    row("typeof as JSON",        ["-j", "list", "set", "inet", "f", "typed"],      ""),
    row("one mark and another",  ["-e", "add rule inet f input meta mark set meta mark or ct mark"], ""),
    row("none of these flags",   ["-e", "add rule inet f input tcp flags ! syn,rst counter"], ""),
]

# What is never the same twice.
VOLATILE = r"(?<=generation )\d+ by process \d+ \(.*\)", r"(?<= # handle )\d+(?=\n\t(set|counter|chain) )", r'(?<="handle": )\d+(?=\}\})'


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
    (tmp_path / "outer.nft").write_text('# to be included\ninclude "./inner.nft"\n\tadd rule inet f input ip saddr @x\n')
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
    row("debug output",  (["-d", "eval,netlink,segtree,proto-ctx", "-f", "-"], "add rule inet f input tcp dport { 22, 23 } log prefix \"S\"\n"
                                                                         "add rule inet f nowhere counter\n")),
]


@pytest.mark.parametrize("runs", [row.values for row in ORDERS], ids=[row.id for row in ORDERS])
def test_both_streams_in_order(nft, runs):
    """What goes to one place comes in stock nft's order."""
    seen = []
    for command in (["nft"], [TOOL, "nft"]):
        nft.stock("-f", "-", stdin="flush ruleset" + STOCK_TABLE)
        seen.append("".join(nft(*command, *arguments, command=("sh", "-c", '"$@" 2>&1', "sh"), stdin=stdin, check=False).stdout
                            for arguments, stdin in runs))
    assert seen[0] == seen[1] != ""


def peak(nft, path, *command):
    """What a refused file costs, in KiB."""
    done = nft("-f", path, command=("/usr/bin/time", "-f", "peak %M", *command), check=False)
    assert done.returncode == 1
    return int(re.search(r"peak (\d+)\n", done.stderr)[1])


def test_memory_does_not_grow_with_errors(nft, tmp_path):
    """Never more than twice what stock nft takes, with about as many errors in about as long a file."""
    elements = ", ".join(f"{internal} : {external}" for internal, external in many(5000).items())
    for name, statement in (("ours", "snat_stateless saddr map @nowhere"), ("stock", 'log prefix "no more than words" jump nowhere')):
        rules = "".join(f"ip saddr {internal} {statement}\n" for internal in many(1000))
        (tmp_path / name).write_text(f"table ip t {{\nmap m {{ type ipv4_addr : ipv4_addr; elements = {{ {elements} }}; }}\nchain c {{\n"
                                     f"type filter hook postrouting priority 0\n{rules}}}\n}}\n")
    assert peak(nft, tmp_path / "ours", TOOL, "nft") < 2 * peak(nft, tmp_path / "stock", "nft")


# Events and echoes.

@contextlib.contextmanager
def monitoring(nft, *options):
    """What nft monitor writes about what is done meanwhile, in a list that is full at the end."""
    lines = []
    with nft.popen(*options, "monitor") as process:
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
        reader.start()

        def hears():
            nft.stock("add table ip heard; delete table ip heard")
            return lines

        until(hears)
        lines.clear()
        yield lines
        nft.stock("add table ip over")
        until(lambda: any('over' in line for line in lines))
        process.terminate()
        reader.join(10)


RULE = "ip saddr 10.0.0.2 counter packets 0 bytes 0 snat_stateless saddr map @m untracked"


@needs_module
def test_monitor(nft):
    nft("-f", "-", stdin=TABLE)
    with monitoring(nft) as lines:
        nft("add rule ip t post ip saddr 10.0.0.2 counter snat_stateless saddr map @m untracked")
        nft("flush chain ip t post")
    rules = [line for line in lines if " rule " in line]
    assert rules[0] == f"add rule ip t post {RULE}\n"
    assert rules[1].startswith("delete rule ip t post handle ")


@needs_module
def test_monitor_as_json(nft):
    nft("-f", "-", stdin=TABLE)
    with monitoring(nft, "-j") as lines:
        nft("add rule ip t post snat_stateless saddr map @m untracked")
    events = [json.loads(line) for line in lines if line.startswith("{")]
    added, = (event["add"]["rule"] for event in events if "rule" in event.get("add", {}))
    assert added["expr"] == [{"snat_stateless": {"field": "saddr", "map": "@m", "flags": "untracked"}}]


@needs_module
def test_monitor_sees_sync(nft, tmp_path):
    configuration = tmp_path / "statnat.toml"
    configuration.write_text(f'[gateway]\nengine = "expression"\n[pairs]\n"{A}" = "{A_OUT}"\n')
    with monitoring(nft) as lines:
        nft("sync", configuration, command=(TOOL,))
    assert f"add rule ip statnat postrouting snat_stateless saddr map @int2ext within {A} untracked\n" in lines
    assert f"snat_stateless saddr map @int2ext within {A} untracked\n" in nft("list", "chain", "ip", "statnat", "postrouting").stdout


@needs_module
@pytest.mark.parametrize("verb", ["add", "insert"])
def test_echo(nft, verb):
    nft("-f", "-", stdin=TABLE)
    done = nft("-e", "-a", f"{verb} rule ip t post ip saddr 10.0.0.2 counter snat_stateless saddr map @m untracked")
    assert re.fullmatch(rf"{verb} rule ip t post {re.escape(RULE)} # handle \d+\n# new generation .*\n", done.stdout)


@needs_module
def test_handles(nft):
    nft("-f", "-", stdin=TABLE)
    nft("add rule ip t post snat_stateless saddr map @m")

    def handle():
        return re.search(r"snat_stateless .* # handle (\d+)", nft("-a", "list", "chain", "ip", "t", "post").stdout)[1]

    first = handle()
    nft(f"replace rule ip t post handle {first} counter snat_stateless saddr map @m tracked")
    assert "\t\tcounter packets 0 bytes 0 snat_stateless saddr map @m tracked\n" in nft("list", "chain", "ip", "t", "post").stdout
    nft(f"add rule ip t post position {handle()} snat_stateless saddr map @m untracked comment \"after\"")
    assert nft.listing().index("tracked\n") < nft.listing().index("after")
    nft(f"delete rule ip t post handle {handle()}")
    nft("delete", "rule", "ip", "t", "post", "handle", handle())
    assert "snat_stateless" not in nft.listing()


@needs_module
def test_optimize(nft):
    """Rules that differ in one match are merged, ours with them."""
    nft("-f", "-", stdin=TABLE)
    text = "table ip t {\n\tchain post {\n" + "".join(
        f"\t\tip saddr 10.0.0.{number} snat_stateless saddr map @m accept\n" for number in (2, 3)) + "\t}\n}\n"
    done = nft("-o", "-f", "-", stdin=text)
    assert "ip saddr { 10.0.0.2, 10.0.0.3 } snat_stateless saddr map @m accept\n" in nft.listing()
    assert "/dev/stdin:3:3-54: \t\tip saddr 10.0.0.2 snat_stateless saddr map @m accept\n" in done.stderr
    assert "prefix" not in done.stdout + done.stderr


# One transaction.

@needs_module
def test_all_or_nothing(nft):
    nft("-f", "-", stdin=TABLE + "add rule ip t post snat_stateless saddr map @m\n")
    before = nft.listing()
    for last in ("add rule ip t post snat_stateless saddr map @missing", "add rule ip t nowhere counter", "add rule ip t post frog frog"):
        done = nft("-f", "-", stdin="flush ruleset\n" + TABLE + f"add rule ip t pre snat_stateless daddr map @m\n{last}\n", check=False)
        assert done.returncode == 1 and nft.listing() == before


GATEWAY_TABLE = f"""
table ip t
delete table ip t
table ip t {{
	map int2ext {{ type ipv4_addr : ipv4_addr; elements = {{ {A} : {A_OUT} }}; }}
	map ext2int {{ type ipv4_addr : ipv4_addr; elements = {{ {A_OUT} : {A} }}; }}
	chain pre {{
		type filter hook prerouting priority raw
		snat_stateless daddr map @ext2int notrack else saddr map @int2ext untrack
	}}
	chain post {{
		type filter hook postrouting priority raw
		snat_stateless saddr map @int2ext untracked
	}}
}}
"""


@needs_module
def test_table_replaced_under_traffic(wire):
    """Packets in both directions while the table is replaced again and again: none is lost, none is left untranslated."""
    nft = Nft(wire.gateway)
    nft("-f", "-", stdin=GATEWAY_TABLE)
    wire.drain()
    over = threading.Event()
    replacements = []

    def replace():
        while not over.is_set():
            nft("-f", "-", stdin=GATEWAY_TABLE)
            replacements.append(1)

    worker = threading.Thread(target=replace)
    worker.start()
    sent = 0
    try:
        while len(replacements) < 20:
            for _ in range(50):
                wire.inside.send(IP(src=A, dst=X) / UDP(dport=1) / sent.to_bytes(4, "big"))
                wire.outside.send(IP(src=X, dst=A_OUT) / UDP(dport=1) / sent.to_bytes(4, "big"))
                sent += 1
            wire_seen = wire.drain()
            assert [packet[-4:] for packet in wire_seen[0]] == [number.to_bytes(4, "big") for number in range(sent - 50, sent)]
            assert {IP(packet).dst for packet in wire_seen[0]} == {A}
            assert [packet[-4:] for packet in wire_seen[1]] == [number.to_bytes(4, "big") for number in range(sent - 50, sent)]
            assert {IP(packet).src for packet in wire_seen[1]} == {A_OUT}
    finally:
        over.set()
        worker.join()
        wire.gateway.nft("flush ruleset")


# A file for boot.

@needs_module
def test_save(nft, tmp_path):
    nft("-f", "-", stdin=GATEWAY_TABLE + "add rule ip t post ip saddr 10.0.0.2 counter\n")
    path = tmp_path / "saved.nft"
    path.write_text("the last one\n")
    path.chmod(0o640)
    nft("save", path, command=(TOOL,))
    listing = nft.listing()
    assert path.read_text().endswith("flush ruleset\n" + listing) and path.stat().st_mode & 0o777 == 0o640
    assert nft("save", command=(TOOL,)).stdout == path.read_text()
    nft("flush", "ruleset")
    nft("-f", path)
    assert nft.listing() == listing
    assert [one.name for one in tmp_path.iterdir()] == ["saved.nft"]
    assert "snat_stateless" in nft.stock("-f", path, check=False).stderr  # loud, not silent


def test_save_where_nothing_can_be_written(nft):
    done = nft("save", "/proc/saved.nft", command=(TOOL,), check=False)
    assert done.returncode == 1 and "/proc/saved.nft" in done.stderr
