# SPDX-License-Identifier: GPL-2.0-or-later
"""How people and vendors write it: three samples of each format, and what a reader makes of them.

    samples/FORMAT/N.in, or N.nft, which nft lists ── import ── check -

N.expected has a line for each pair, INTERNAL = EXTERNAL [npt] [# COMMENT], for each line of the sample that must be
named, with words from what is said of it, and for each name that is not taken over, after a tilde.
"""

import pathlib
import re
import subprocess
import tomllib

import pytest

from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

FOLDER = pathlib.Path(__file__).parents[1] / "samples"
SAMPLES = sorted(path for path in FOLDER.glob("*/*") if path.suffix != ".expected")
# A file in nft's own language is listed as statnat-nft(8) says.
LISTED = ["unshare", "-n", "sh", "-c", "nft -f - && nft -j list ruleset"]


def name(path):
    return f"{path.parent.name}-{path.stem}"


def text_of(path):
    text = path.read_bytes()
    if path.suffix == ".nft":
        text = subprocess.run(LISTED, input=text, capture_output=True, check=True).stdout
    return text


def expected(path):
    """Pairs; (place, words) of what is left; names that are not taken over."""
    pairs, left, names = {}, [], set()
    for line in path.with_suffix(".expected").read_text().splitlines():
        if line.startswith("~ "):
            names.add(line[2:])
        elif pair := re.fullmatch(r"([0-9a-f.:/]+) = ([0-9a-f.:/]+)( npt)?(?: # (.*))?", line):
            internal, external, npt, comment = pair.groups()
            pairs[internal] = (external, bool(npt), comment or "")
        elif not line.startswith("#"):
            place, _, words = line.partition(": ")
            left.append((place, words))
    return pairs, left, names


def pairs_of(toml):
    """What is in the configuration, by a reader of TOML that is not ours."""
    table = tomllib.loads(toml).get("pairs", {})
    whole = {internal: other if isinstance(other, dict) else {"external": other} for internal, other in table.items()}
    return {internal: (other["external"], other.get("npt", False), other.get("comment", ""))
            for internal, other in whole.items()}


def said(stderr):
    """(place, sentence) of what is left, and names that are not taken over."""
    left, names = [], set()
    for line in stderr.splitlines():
        if note := re.fullmatch(r'statnat-nft: warning: -: "(.*)" is not taken over \(at .*', line):
            names.add(note[1])
        else:
            place, sentence = re.fullmatch(r"-:\s?(\d+|[^:]*?)(?: handle \d+)?: (.*)", line).groups()
            left.append((place, sentence))
    return left, names


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_sample(path):
    done = subprocess.run([TOOL, "import", "--from", path.parent.name], input=text_of(path), capture_output=True)
    pairs, left, names = expected(path)
    sentences, named = said(done.stderr.decode())
    assert pairs_of(done.stdout.decode()) == pairs
    assert [place for place, _ in sentences] == [place for place, _ in left], sentences
    assert [(place, sentence) for (place, words), (_, sentence) in zip(left, sentences) if words not in sentence] == []
    assert named == names
    assert done.returncode == (1 if left else 0)
    checked = subprocess.run([TOOL, "check", "-"], input=done.stdout, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, b"")


STATIC = "set security nat static rule-set s rule r "
JUNOS = f"{STATIC}match destination-address 198.51.100.2/32\n{STATIC}then static-nat prefix 10.0.0.2/32\n"
ZONES = [f"set security zones security-zone {zone} address-book address web {address}/32"
         for zone, address in (("a", "10.0.0.2"), ("b", "10.0.0.3"))]
DNAT = "-d 198.51.100.2/32 -j DNAT --to-destination 10.0.0.2"
SNAT = "-A POSTROUTING -s 10.0.0.2/32 -j SNAT --to-source 198.51.100.2"

TRAPS = [
    #   why                             format           text                   what is said of it
    row("all of static nat inactive",   "juniper",
        JUNOS + "deactivate security nat static",                               "is inactive (line 3)"),
    row("all of nat inactive",          "juniper",
        JUNOS + "deactivate security nat",                                      "is inactive (line 3)"),
    row("one name, two addresses",      "juniper",
        "\n".join([*ZONES, JUNOS.replace("prefix 10.0.0.2/32", "prefix-name web")]), "is different addresses"),
    row("a chain of local packets",     "iptables-save",
        f"*nat\n:local - [0:0]\n-A OUTPUT -j local\n-A local {DNAT}\n{SNAT}\nCOMMIT", "what this machine itself"),
    row("rules that are not printed",   "iptables-save",
        "# Table `nat' is incompatible, use 'nft' tool.\n*nat\n",               "not here are not imported"),
    row("ports at random in a half",    "iptables-save",
        f"*nat\n{SNAT} --random\n",                                             "nothing sends 198.51.100.2"),
    row("another file",                 "pf-binat",
        'include "/etc/pf.nat"\n',                                              "the other file is not here"),
    row("inbound by any way",           "pf-binat",
        "match on em0 from any to 198.51.100.2 rdr-to 10.0.0.2",                "no binat"),
    row("a side of a mapping alone",    "jool-eam",
        '{"pool6": "64:ff9b::/96",\n"ipv6 prefix": "2001:db8::2"},\n{"ipv4 prefix": "10.0.0.2"}', "no mapping"),
    row("between the families",         "vyos",
        "set nat64 source rule 1 source prefix 64:ff9b::/96",                   "a pair is of one family"),
    row("the same of IOS",              "cisco",
        "ipv6 nat v6v4 source 2001:db8::2 198.51.100.2",                        "a pair is of one family"),
]


@pytest.mark.parametrize("form, text, sentence", TRAPS)
def test_nothing_is_dropped_in_silence(form, text, sentence):
    """What would be taken for a pair, or for nothing, at a glance."""
    done = subprocess.run([TOOL, "import", "--from", form], input=text.encode(), capture_output=True)
    assert sentence in done.stderr.decode()
    assert pairs_of(done.stdout.decode()) == {} and done.returncode == 1


def test_three_of_each_format():
    formats = {path.parent.name for path in SAMPLES}
    assert len(formats) == 11
    assert {name(path) for path in SAMPLES} == {f"{one}-{number}" for one in formats for number in (1, 2, 3)}
