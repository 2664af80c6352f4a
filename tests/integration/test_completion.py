# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash, zsh and fish complete, where they run.

The first two stand at a terminal. A key of theirs inserts all that may stand there into the command line, which a
function of the tool's name prints.
"""

import contextlib
import os
import pathlib
import pty
import re

import pytest

from net import A, A6, A6_OUT, A_OUT
from packets import row
from tool import TOOL

pytestmark = pytest.mark.stock

COMPLETION = pathlib.Path(__file__).parents[2] / "completion"
SHELLS = ["bash", "zsh", "fish"]
READY = "READY> "
STARTED_BY = {
    "bash": ("bashrc", """
        source {folder}/statnat-nft.bash
        statnat-nft() {{ printf '<%s>' "$@"; exit; }}
        PS1='{ready}'
        """),
    "zsh": (".zshrc", """
        fpath=({folder} $fpath); autoload -U compinit; compinit -u -D
        zle -C all complete-word _generic; bindkey '\\e*' all
        zstyle ':completion:all:*' completer _all_matches _complete
        zstyle ':completion:all:*' insert yes
        statnat-nft() {{ printf '<%s>' "$@"; exit }}
        PS1='{ready}'
        """)}
ALL = "\x1b*"


class Shell:
    """One of them, with our completion and the tool."""

    def __init__(self, name, namespace, folder):
        self.name, self.namespace, self.folder = name, namespace, folder
        for file in COMPLETION.glob("*.in"):
            (folder / file.stem).write_text(file.read_text().replace("@STATNAT_HELPERS@", str(COMPLETION)))
        (folder / "bin").mkdir()
        (folder / "bin/statnat-nft").symlink_to(TOOL)
        self.environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "TERM": "dumb",
                            "ZDOTDIR": str(folder), "LC_ALL": "C.UTF-8"}

    def candidates(self, *words):
        """What may stand in place of the last word."""
        line = " ".join(["statnat-nft", *words])
        if self.name == "fish":
            lines = f"source {self.folder}/statnat-nft.fish; complete -C '{line}'"
            done = self.namespace.run("env", *self.settings(), "fish", "--no-config", "-c", lines)
            return {answer.partition("\t")[0] for answer in done.stdout.splitlines()}
        printed = re.findall(r"<([^<>\n]*)>", self.typed(line + ALL + "\n"))
        assert printed[:len(words) - 1] == list(words[:-1]), printed
        return set(printed[len(words) - 1:]) - {words[-1]}

    def settings(self):
        return [f"{name}={value}" for name, value in self.environment.items()]

    def typed(self, line):
        """What is on the terminal when that has been typed and the shell has ended."""
        file, text = STARTED_BY[self.name]
        (self.folder / file).write_text(text.format(folder=self.folder, ready=READY))
        command = {"bash": ["bash", "--rcfile", str(self.folder / file), "-i"], "zsh": ["zsh", "-i"]}[self.name]
        with self.namespace:
            child, terminal = pty.fork()
            if child == 0:
                os.execvpe(command[0], command, self.environment)
        shown = ""
        with contextlib.suppress(OSError):  # which is how a terminal ends
            while more := os.read(terminal, 4096):
                if READY in (shown := shown + more.decode()) and line:
                    os.write(terminal, line.encode())
                    line = ""
        os.waitpid(child, 0)
        os.close(terminal)
        return shown


@pytest.fixture(params=SHELLS)
def shell(request, namespace, make_tool, tmp_path):
    tool = make_tool(namespace)
    tool.sync({A: A_OUT, A6: A6_OUT})
    yield Shell(request.param, namespace, tmp_path)
    tool("clear")


def helped(namespace, *command):
    """Commands and long options, as a reader of --help finds them."""
    text = namespace.run(str(TOOL), *command, "--help").stdout
    below = text.partition("Commands:\n")[2].partition("\n\n")[0]
    return {line.split()[0] for line in below.splitlines()}, set(re.findall(r"(?<![\w-])--[a-z-]+", re.sub(
        r"(?m)^(\s+\S.*?)  .*", r"\1", text)))


def test_commands_and_options(namespace, shell):
    commands, options = helped(namespace)
    assert {"sync", "doctor", "metrics", "help"} <= commands and "--quiet" in options
    assert shell.candidates("") >= commands
    assert shell.candidates("--") == options
    assert shell.candidates("s") == {"sync", "status", "stats", "save"}
    assert shell.candidates("help", "") == commands
    for command in commands - {"nft"}:
        assert shell.candidates("-q", command, "--") == helped(namespace, command)[1], command


@pytest.mark.parametrize("words, wanted", [
    row("engines",               ["sync", "--engine", ""],           {"auto", "expression", "native"}),
    row("an engine",             ["diff", "--engine", "e"],          {"expression"}),
    row("orders",                ["list", "--sort", ""],             {"internal", "external", "packets", "bytes"}),
    row("levels",                ["list", "--log-level", ""],        {"debug", "info", "warning", "error", "off"}),
    row("a format",              ["import", "--from", "c"],          {"csv", "cisco", "config-xml"}),
    row("where to",              ["export", "--to", ""],             {"nft-native", "csv", "json"}),
    row("an address",            ["del", "198."],                    {A_OUT}),
    row("up to a colon",         ["del", "fd00:"],                   {A6}),
    row("behind a colon",        ["del", A6[:6]],                    {A6}),
    row("behind an option",      ["del", "--config", "x", "198."],   {A_OUT}),
    row("behind how many",       ["trace", "--count", "9", "fd"],    {A6}),
    row("within",                ["list", "--within", "10"],         {A}),
    row("a file",                ["sync", "{folder}/one"],           {"{folder}/one.toml"}),
    row("a file of an option",   ["del", "--config", "{folder}/on"], {"{folder}/one.toml"}),
    row("behind an instance",    ["--instance", "red", "sy"],        {"sync"}),
    row("of another instance",   ["--instance", "red", "del", "1"],  set()),
    row("of nft's",              ["nft", "nowhere"],                 set()),
])
def test_values(shell, words, wanted):
    (shell.folder / "one.toml").touch()
    words, wanted = ([word.format(folder=shell.folder) for word in each] for each in (words, wanted))
    assert shell.candidates(*words) == set(wanted)


def test_addresses(namespace, shell):
    """Wherever --help says that one stands."""
    takers = re.findall(r"(?m)^  ([a-z]+) ADDRESS ", namespace.run(str(TOOL), "--help").stdout)
    assert {"del", "explain", "trace"} <= set(takers)
    for command in takers:
        assert shell.candidates(command, "") == {A, A_OUT, A6, A6_OUT}, command


def test_meanings(namespace, shell):
    """fish and zsh show them."""
    asked = ["statnat-nft", "del", ""]
    done = namespace.run("env", *shell.settings(), "sh", str(COMPLETION / "candidates"), *asked)
    assert set(done.stdout.splitlines()) == {f"{A}\tinternal, of {A_OUT}", f"{A_OUT}\texternal, of {A}",
                                             f"{A6}\tinternal, of {A6_OUT}", f"{A6_OUT}\texternal, of {A6}"}
