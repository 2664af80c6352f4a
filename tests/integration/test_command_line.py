# SPDX-License-Identifier: GPL-2.0-or-later
"""Options, outputs and descriptors, whatever the command: what was asked for is printed, or an error says why not.

One namespace with a table; no packets.
"""

import os
import shutil
import subprocess

import pytest

from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

TABLE = "table ip mine"


@pytest.fixture(scope="module", autouse=True)
def table(namespace):
    namespace.nft(TABLE)


def statnat(namespace, *arguments, **settings):
    return namespace.run(str(TOOL), *map(str, arguments), **settings)


# Options before the command.

@pytest.mark.parametrize("options", [["-q", "-q"], ["-qq"], ["--quiet", "-q"], ["-v", "-v", "-q"]])
def test_twice_is_as_good_as_once(namespace, options):
    for words in ([*options, "list"], ["list", *options], [*options, "list", *options]):
        assert statnat(namespace, *words).stdout == statnat(namespace, "list").stdout != ""


DATA = [["diff", "{file}"], ["list"], ["list", "-j"], ["list", "--csv"], ["explain", "10.0.0.2"], ["status"], ["save"]]
MESSAGES = [["check", "{file}"], ["sync", "{file}"], ["add", "10.0.0.9", "198.51.100.9"], ["del", "10.0.0.9"],
            ["clear"]]


@pytest.fixture
def file(tmp_path):
    (tmp_path / "statnat.toml").write_text('[gateway]\nengine = "native"\n[pairs]\n"10.0.0.2" = "198.51.100.2"\n')
    return tmp_path / "statnat.toml"


@pytest.mark.parametrize("words", DATA, ids=" ".join)
def test_quiet_does_not_silence_data(namespace, file, words):
    words = [word.format(file=file) for word in words]
    plain, quiet = statnat(namespace, *words, check=False), statnat(namespace, "-q", *words, check=False)
    assert (quiet.stdout, quiet.returncode) == (plain.stdout, plain.returncode) and plain.stdout


def test_quiet_silences_messages(namespace, file):
    for words in MESSAGES:
        words = [word.format(file=file) for word in words]
        assert statnat(namespace, *words).stdout != ""
        assert statnat(namespace, "-q", *words, check=False).stdout == ""


def test_quiet_nft_is_refused(namespace):
    done = statnat(namespace, "-q", "nft", "list", "tables", check=False)
    assert (done.stdout, done.returncode) == ("", 2) and "leave --quiet out" in done.stderr


@pytest.mark.parametrize("words, messages", [
    row("ask",    ["nft", "list", "tables"],             ["> GETTABLE", "< NEWTABLE"]),
    row("change", ["nft", "add", "table", "ip", "mine"], ["> BATCH_BEGIN", "> NEWTABLE"]),
    row("save",   ["save"],                              ["> GETTABLE", "< NEWTABLE", "> NEWTABLE"]),
])
def test_verbose_names_messages(namespace, words, messages):
    plain, verbose = statnat(namespace, *words), statnat(namespace, "-v", *words)
    assert verbose.stdout == plain.stdout and plain.stderr == ""
    lines = iter(verbose.stderr.splitlines())
    for message in messages:  # in this order
        assert any(line.startswith(f"statnat-nft: debug: {message} sequence ") for line in lines), message


@pytest.mark.parametrize("level, options, told", [
    row("debug",         "debug", [],     True),
    row("info",          "info",  [],     False),
    row("quiet goes on", "debug", ["-q"], False),
    row("and verbose",   "off",   ["-v"], True),
])
def test_level_comes_from_the_environment(namespace, level, options, told):
    done = namespace.run("env", f"SPDLOG_LEVEL={level}", str(TOOL), *options, "list")
    assert ("GETGEN" in done.stderr) == told


@pytest.mark.parametrize("words, told", [
    row("debug",            ["--log-level", "debug", "list"],        True),
    row("behind",           ["list", "--log-level", "debug"],        True),
    row("in one word",      ["--log-level=debug", "list"],           True),
    row("of nft",           ["--log-level", "debug", "nft", "list", "tables"], True),
    row("beside verbose",   ["-v", "--log-level", "info", "list"],   False),
    row("beside quiet",     ["-q", "--log-level", "debug", "list"],  True),
])
def test_log_level(namespace, words, told):
    """Whatever the environment says."""
    done = namespace.run("env", "SPDLOG_LEVEL=" + ("off" if told else "debug"), str(TOOL), *words)
    assert ("statnat-nft: debug: " in done.stderr) == told


def test_log_levels_of_errors(namespace):
    def refused(level):
        done = statnat(namespace, "--log-level", level, "explain", "nobody", check=False)
        return done.returncode, done.stderr
    assert refused("off") == (2, "")
    assert refused("error")[0] == 2 and refused("error")[1].startswith("statnat-nft: error: \"nobody\"")
    assert refused("loud")[0] == 2 and "--log-level is \"loud\"" in refused("loud")[1]


# Output that cannot be written.

WRITERS = [["--help"], ["--version"], ["list", "--help"], ["list"], ["status"], ["save"], ["nft", "list", "ruleset"],
           ["nft", "-j", "list", "ruleset"], ["nft", "list", "ruleset", "-a"]]


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_output_that_cannot_be_written(namespace, words, output):
    done = namespace.run("sh", "-c", f'"$@" {output}', "sh", str(TOOL), *words, check=False)
    assert done.returncode == 1 and done.stderr.endswith("statnat-nft: error: cannot write the output\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["check", "nft -f"])
def test_closed_descriptors(namespace, tmp_path, words, closed):
    """Files that are opened do not take the places of standard streams, so that no message is written into them."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace.name}",
                           "sh", "-c", f'exec "$0" {words} "$1" {closed}', TOOL, pipe],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        with pipe.open("w"):  # once it is open there, too
            places = [os.readlink(f"/proc/{process.pid}/fd/{descriptor}") for descriptor in range(3)]
        process.wait(10)
    assert str(pipe) not in places


# Scripts and wrappers.

SHEBANGS = [
    #   why             after the tool
    row("one option",   "nft -f"),
    row("more options", "nft  -c\t-f"),
    row("ours first",   "-v nft -f"),
    row("blanks after", "nft -f  "),
]


@pytest.mark.parametrize("words", SHEBANGS)
def test_script(namespace, tmp_path, words):
    """The kernel hands over the rest of the line as one word."""
    script = tmp_path / "script.nft"
    script.write_text(f"#!{TOOL} {words}\nadd table ip mine\nlist tables\n")
    script.chmod(0o755)
    assert TABLE in namespace.run(str(script)).stdout


@pytest.mark.parametrize("option", ["-v", "-V", "--version", "-h"])
def test_wrappers_named_nft(namespace, tmp_path, option):
    """The nft behind them is asked, however many there are; and if there is none, that is said."""
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        (folder / "nft").write_text(f'#!/bin/sh\nexec "{TOOL}" nft "$@"\n')
        (folder / "nft").chmod(0o755)

    def ask(*command, path):
        return subprocess.run([shutil.which("nsenter"), f"--net=/run/netns/{namespace.name}", *command, option],
                              capture_output=True, text=True, env={"PATH": ":".join(map(str, path))}, timeout=60)

    path = os.environ["PATH"].split(":")
    stock, through, alone = (ask("nft", path=path), ask(str(TOOL), "nft", path=[*folders, *path]),
                             ask(str(TOOL), "nft", path=folders))
    assert (through.stdout, through.stderr, through.returncode) == (stock.stdout, stock.stderr, stock.returncode)
    assert (alone.stdout, alone.returncode) == ("", 1) and "there is no nft here that could tell" in alone.stderr


def test_help_of_a_command(namespace):
    """`help` is --help in other words, also of nft, which has its own."""
    for words in ([], ["sync"], ["list"], ["nft"], ["help"]):
        asked, wanted = statnat(namespace, "help", *words), statnat(namespace, *words, "--help")
        assert asked.stdout == wanted.stdout != "" and asked.stderr == wanted.stderr == ""
    for words, sentence in ((["snyc"], "there is no command"), (["sync", "diff"], "help takes [COMMAND]")):
        done = statnat(namespace, "help", *words, check=False)
        assert (done.stdout, done.returncode) == ("", 2) and sentence in done.stderr
