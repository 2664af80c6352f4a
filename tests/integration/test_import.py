# SPDX-License-Identifier: GPL-2.0-or-later
"""What others are configured with, made pairs, and pairs made what others read.

    imports/FORMAT-N.in ── import ── check -          FORMAT-N.out, and FORMAT-N.err for what is left out
"""

import pathlib
import subprocess
import tomllib

import pytest

from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

IMPORTS = pathlib.Path(__file__).with_name("imports")
SAMPLES = sorted(path.stem for path in IMPORTS.glob("*.in"))


def run(*arguments, stdin=b""):
    return subprocess.run([TOOL, *map(str, arguments)], input=stdin, capture_output=True)


def format_of(sample):
    return sample.rpartition("-")[0]


def import_(sample, *options):
    """As from standard input, so that no places name this tree."""
    return run("import", "--from", format_of(sample), *options, stdin=(IMPORTS / f"{sample}.in").read_bytes())


def read(path):
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample(sample):
    done = import_(sample)
    wanted, left = (read(IMPORTS / f"{sample}.{kind}") for kind in ("out", "err"))
    assert (done.stdout.decode(), done.stderr.decode()) == (wanted, left)
    assert done.returncode == (1 if any(line.startswith("-") for line in left.splitlines()) else 0)
    checked = run("check", "-", stdin=done.stdout)
    pairs = tomllib.loads(wanted)["pairs"]
    assert checked.returncode == 0 and checked.stderr == b""
    assert checked.stdout.decode() == f"-: {len(pairs)} pair{'' if len(pairs) == 1 else 's'}, no errors\n"


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample_as_csv(sample, tmp_path):
    """The same pairs, and the same is said."""
    done = import_(sample, "--csv")
    (tmp_path / "pairs.csv").write_bytes(done.stdout)
    (tmp_path / "statnat.toml").write_text('[gateway]\npairs-files = ["pairs.csv"]\n')
    exported = [run("export", "--to", "json", file, stdin=(IMPORTS / f"{sample}.out").read_bytes())
                for file in (tmp_path / "statnat.toml", "-")]
    assert exported[0].stdout == exported[1].stdout != b"" and done.stderr == import_(sample).stderr


def test_every_format_has_three_samples():
    names = run("import", "--help").stdout.decode().partition("what FILE is: ")[2].partition("--csv")[0]
    formats = {name.strip() for name in names.replace("\n", " ").split(",")}
    assert len(formats) == 11
    assert {name: SAMPLES.count(f"{name}-{number}") for name in formats for number in (1, 2, 3)} \
        == dict.fromkeys(formats, 1)


FORMATS = sorted({format_of(sample) for sample in SAMPLES})

HOSTILE = [
    #   why                         text
    row("nothing",                  b""),
    row("NUL bytes",                b"+198.51.100.2 10.0.0.2 dst\0\n" * 3),
    row("not UTF-8",                b"\xff\xfe\x80 # \xc3\n" * 5),
    row("deep brackets",            b"[" * 200_000),
    row("deep braces",              b'{"a":' * 200_000),
    row("deep elements",            b"<a>" * 200_000),
    row("one long line",            b"a " * 500_000),
    row("one long word",            b"-A" * 500_000),
    row("quotation marks",          b'"' * 99_999),
    row("backslashes",              b"\\" * 99_999),
    row("only ends of lines",       b"\n" * 100_000),
    row("entities",                 b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>'),
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", FORMATS)
def test_hostile(name, text):
    """A sentence and a status, and nothing else; no pairs of nothing."""
    done = run("import", "--from", name, stdin=text)
    assert done.returncode == 2 and done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("statnat-nft: error: -") and len(lines[0]) < 300


@pytest.mark.parametrize("name", FORMATS)
def test_broken_samples(name):
    """Cut off anywhere, or with a byte that is another: never a crash, and whatever comes out is clean."""
    whole = (IMPORTS / f"{name}-1.in").read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 8)):
        for text in (whole[:at], whole[:at] + b"\xff" + whole[at + 1:], whole[:at] + b'"' + whole[at:]):
            done = run("import", "--from", name, stdin=text)
            assert done.returncode in (0, 1, 2)
            assert done.returncode == 2 or run("check", "-", stdin=done.stdout).returncode == 0


def test_many_jumps():
    """A lattice of chains that nothing enters has more ways through it than can be gone."""
    jumps = [f"-A c{level} -j c{level + 1}" for level in range(14) for _ in range(20)]
    text = "\n".join(["*nat", *(f":c{level} - [0:0]" for level in range(15)), *jumps,
                      "-A c14 -s 10.0.0.2/32 -j SNAT --to-source 198.51.100.2", "COMMIT", ""])
    done = run("import", "--from", "iptables-save", stdin=text.encode())
    assert done.returncode == 1
    assert done.stderr.decode() == '-:297: nothing leads to the chain "c0": a pair would be for all\n'


USAGE = [
    #   why                     arguments                                   what is said
    row("no format",            ["import"],                                 "--from is missing: legal are static_nat"),
    row("no such format",       ["import", "--from", "frog"],               'format "frog": legal are static_nat'),
    row("no such file",         ["import", "--from", "csv", "/nowhere"],    "/nowhere cannot be read: No such file"),
    row("a folder",             ["import", "--from", "csv", "/etc"],        "/etc cannot be read: Is a directory"),
    row("no end",               ["import", "--from", "csv", "/dev/zero"],   "/dev/zero: more than 256 MiB"),
    row("no target",            ["export"],                                 "--to is missing: legal are nft-native"),
    row("no such target",       ["export", "--to", "frog"],                 "--to must be nft-native, csv or json"),
    row("watch what comes once", ["watch", "-"],                            "input only once: name a file"),
]


@pytest.mark.parametrize("arguments, sentence", USAGE)
def test_usage(arguments, sentence):
    done = run(*arguments)
    assert done.returncode == 2 and sentence in done.stderr.decode()


def test_places_of_standard_input():
    done = run("check", "-", stdin=b'[pairs]\n"10.0.0.2" = "nowhere"\n')
    assert done.returncode == 2 and done.stderr.decode().startswith('-:2:14: "nowhere" is neither')
