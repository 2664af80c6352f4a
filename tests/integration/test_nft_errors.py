# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors in a statement, or beside one, point at what the user wrote, as stock nft's do; and nothing changes.

One namespace; no packets.
"""

import json
import re

import pytest

from nft import TABLE
from packets import expression as needs_module, row

LONG = "n" * 256

SYNTAX_ERRORS = [
    #   why                      statement                                    what is unexpected, and what is expected
    row("no field",              "map @m",                                    "map", "saddr or daddr"),
    row("a wrong field",         "sadr map @m",                               "sadr", "saddr or daddr"),
    row("no map",                "saddr @m",                                  "@", "map"),
    row("a map in braces",       "saddr map { 10.0.0.2 : 198.51.100.2 }",     "{", "@"),
    row("no @",                  "saddr map m",                               "m", "@"),
    row("no name",               "saddr map @ , @m",                          ",", "the name of a map"),
    row("a name in quotes",      'saddr map @"m"',                            '"m"', "the name of a map"),
    row("no length",             "saddr map @m prefix",                       "", "the length of a prefix"),
    row("a wrong length",        "saddr map @m prefix x",                     "x", "the length of a prefix"),
    row("npt alone",             "saddr map @m npt",                          "npt", None),
    row("within what",           "saddr map @m within",                       "", "a prefix of addresses"),
    row("within a word",         "saddr map @m within here",                  "here", "a prefix of addresses"),
    row("within too long",       "saddr map @m within 10.0.0.0/33",           "10.0.0.0/33", "a prefix of addresses"),
    row("within, then prefix",   "saddr map @m within 10.0.0.0/8 prefix 24",  "prefix", None),
    row("within after flags",    "saddr map @m untracked within 10.0.0.0/8",  "within", None),
    row("a comma too many",      "saddr map @m, untracked",                   "untracked", "@"),
    row("words of log",          "saddr map @m level debug",                  "level", None),
    row("else of what",          "daddr map @m notrack else @m",              "@", "saddr"),
    row("else without maps",     "daddr map @m notrack else saddr untrack",   "untrack", "map"),
    row("else without untrack",  "daddr map @m notrack else saddr map @m",    "", "untrack"),
    row("else twice",            "daddr map @m notrack else saddr map @m untrack else", "else", None),
    row("unless what",           "saddr map @m untrack unless",               "", "daddr"),
    row("unless a source",       "saddr map @m untrack unless saddr 10.0.0.0/8", "saddr", "daddr"),
    row("unless nowhere",        "saddr map @m untrack unless daddr",         "", "a prefix of addresses"),
    row("unless a set",          "saddr map @m untrack unless daddr @s",      "@", "a prefix of addresses"),
    row("unless twice",          "saddr map @m untrack unless daddr 10.0.0.0/8 unless", "unless", None),
    row("only what",             "saddr map @m untrack only",                 "", "daddr"),
    row("only and unless",       "saddr map @m untrack only daddr 10.0.0.0/8 unless daddr 10.1.0.0/16", "unless", None),
    row("via nothing",           "saddr map @m untrack via",                  "", "the name of an interface"),
    row("via a set",             "saddr map @m untrack via @s",               "@", "the name of an interface"),
    row("via twice",             'saddr map @m untrack via "wan0" via',       "via", None),
    row("unless behind via",     'saddr map @m untrack via "wan0" unless',    "unless", None),
    row("prefix after flags",    "saddr map @m untracked prefix 24",          "prefix", None),
]


def syntax_error(unexpected, expected):
    end = f", expecting {expected}" if expected else ""
    return f"syntax error, unexpected {unexpected or 'newline'}{end}"


LENGTHS = "a prefix has a length of 1 to 32 for IPv4, of 1 to 128 for IPv6"
ELSE = "else goes with daddr and notrack or follow only"
UNLESS = "unless goes with saddr and untrack, follow or followed, with else, or with saddr, untracked and via"
VIA = ("via goes with daddr and notrack, with saddr and untrack, with saddr and untracked, or with follow and "
       "followed")
REST = "an asterisk stands for the rest of a name, behind its beginning"
MANY = ", ".join(f"wan{number}" for number in range(9))
NINE = [f"10.{number}.0.0/16" for number in range(9)]

MISTAKES = [
    #   why                     statement, the word that is blamed, and what is said
    *(row(one.id, *one.values[:2], syntax_error(*one.values[1:])) for one in SYNTAX_ERRORS),
    row("bytes for a terminal", "saddr map \x1b[31m", "\x1b",       r'syntax error, unexpected "\x1b", expecting @'),
    row("a name too long",      f"saddr map @{LONG}", LONG,
        "the name of this map has 256 bytes, and may have 255"),
    row("length 0",             "saddr map @m prefix 0", "0",       LENGTHS),
    row("length 129",           "saddr map @m prefix 129", "129",   LENGTHS),
    row("length of npt",        "saddr map @m prefix 65 npt", "65", "npt needs a prefix with a length of 1 to 64"),
    row("within all",           "saddr map @m within ::/0", "::/0",
        "all addresses are within a prefix of length 0; leave it out"),
    row("within host bits",     "saddr map @m within 10.0.0.1/8, @m", "10.0.0.1/8",
        "host bits are set; 10.0.0.0/8 has none"),
    row("within IPv6",          "saddr map @m within fd00::1/8 untracked", "fd00::1/8",
        "host bits are set; fd00::/8 has none"),
    row("a flag twice",         "saddr map @m notrack notrack", "notrack", "notrack is there already"),
    row("both marks",           "saddr map @m notrack untrack", "untrack",
        "notrack and untrack exclude each other"),
    row("both states",          "saddr map @m tracked untracked", "untracked",
        "tracked and untracked exclude each other"),
    row("unless of translation", "saddr map @m untracked unless daddr 10.0.0.0/8", "unless", UNLESS),
    row("unless of daddr",      "daddr map @m untrack unless daddr 10.0.0.0/8", "unless", UNLESS),
    row("unless host bits",     "saddr map @m untrack unless daddr 10.0.0.1/8", "10.0.0.1/8",
        "host bits are set; 10.0.0.0/8 has none"),
    row("unless all",           "saddr map @m untrack unless daddr 0.0.0.0/0", "0.0.0.0/0",
        "all addresses are in a prefix of length 0; leave the statement out"),
    row("unless two families",  "saddr map @m untrack unless daddr 10.0.0.0/8, fd00::/8", "fd00::/8",
        "the prefixes behind unless are of one family"),
    row("unless too many",      f"saddr map @m untrack unless daddr {', '.join(NINE)}", NINE[-1],
        "more than 8 prefixes behind unless; a set before the statement has room"),
    row("only of translation",  "saddr map @m untracked only daddr 10.0.0.0/8", "only",
        UNLESS.replace("unless", "only")),
    row("only all",             "saddr map @m untrack only daddr 0.0.0.0/0", "0.0.0.0/0",
        "all addresses are in a prefix of length 0; leave only out"),
    row("only too many",        f"saddr map @m untrack only daddr {', '.join(NINE)}", NINE[-1],
        "more than 8 prefixes behind only; a set before the statement has room"),
    row("via without a state",  'saddr map @m via "wan0"', '"wan0"', VIA),
    row("via of tracked",       'saddr map @m tracked via "wan0"', '"wan0"', VIA),
    row("via of daddr untrack", 'daddr map @m untrack via "wan0"', '"wan0"', VIA),
    row("via all",              'saddr map @m untrack via "*"', '"*"', REST),
    row("via a middle",         'saddr map @m untrack via "w*n"', '"w*n"', REST),
    row("via no name",          'saddr map @m untrack via ""', '""', "an interface has a name of 1 to 15 bytes"),
    row("via a long name",      f'saddr map @m untrack via "{16 * "w"}"', f'"{16 * "w"}"',
        "an interface has a name of 1 to 15 bytes"),
    row("via a path",           'saddr map @m untrack via wan0, "a/b"', '"a/b"', "no interface has such a name"),
    row("via too many",         f"saddr map @m untrack via {MANY}", "wan8",
        "more than 8 interfaces behind via; an asterisk stands for the rest of a name"),
    row("else for saddr",       "saddr map @m notrack else saddr map @m untrack", "else", ELSE),
    row("else and tracked",     "daddr map @m else saddr map @m untrack", "else", ELSE),
]

NO_MAP = "is no map from addresses to addresses"
ADDRESSES = "is not of addresses of this table's family, as key and as data"
HOOKS = "works in filter and route chains of the hooks"
EARLY, LATE = f"{HOOKS} prerouting and output", f"{HOOKS} postrouting and input"

REFUSALS = [
    #   why                         chain   statement                what is said
    row("an unknown map",           "post", "saddr map @x",          "this table has no map @x"),
    row("one of two unknown",       "post", "saddr map @m, @x",      "this table does not have all of the maps @m, @x"),
    row("a set",                    "post", "saddr map @s",          f"@s {NO_MAP}"),
    row("a verdict map",            "post", "saddr map @verdicts",   f"@verdicts {NO_MAP}"),
    row("the other family",         "post", "saddr map @m6",         f"@m6 {ADDRESSES}; npt is for IPv6"),
    row("within the other family",  "post", "saddr map @m within fd00::/8",
        f"@m {ADDRESSES}, or a prefix behind within or unless is of the other family; "
        "npt is for IPv6"),
    row("unless the other family",  "pre",  "saddr map @m untrack unless daddr fd00::/8",
        f"@m {ADDRESSES}, or a prefix behind within or unless is of the other family; npt is for IPv6"),
    row("ranges",                   "post", "saddr map @ranges",
        "@ranges is an interval, timeout or dynamic map, which snat_stateless cannot use"),
    row("a prefix too long",        "post", "saddr map @m prefix 33",
        "a prefix of @m is longer than an address of the map, or than npt allows"),
    row("daddr via too late",       "post", 'daddr map @m notrack via "wan0"',
        "snat_stateless daddr with via works in filter and route chains of the hook prerouting"),
    row("saddr via too early",      "pre",  'saddr map @m untracked via "wan0"',
        "snat_stateless saddr with untracked and via works in filter and route chains of the hook postrouting"),
    row("daddr too late",           "post", "daddr map @m",          f"snat_stateless daddr {EARLY}"),
    row("saddr too early",          "pre",  "saddr map @m",          f"snat_stateless saddr {LATE}"),
    row("untrack too late",         "post", "saddr map @m untrack",  f"snat_stateless with untrack {EARLY}"),
    row("a nat chain",              "nat",  "saddr map @m",          f"snat_stateless saddr {LATE}"),
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
    assert re.match(r"/dev/stdin:2:\d+-\d+: Error: Could not process rule: Operation not supported "
                    r"\(a chain with snat_stateless daddr or untrack must be reached from .*\)\n"
                    r"add rule ip t pre jump other\n", done.stderr)


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
