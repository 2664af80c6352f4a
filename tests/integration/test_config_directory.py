# SPDX-License-Identifier: GPL-2.0-or-later
"""A configuration in several files: statnat.toml, and beside it those of conf.d in the order of their names.

    statnat.toml + conf.d/*.toml ──── kernel of the gateway's namespace
"""

import shutil
import subprocess

import pytest

from net import A, A_OUT
from packets import row
from tool import TOOL

B, B_OUT, C, C_OUT = "10.0.0.71", "198.51.100.71", "10.0.0.72", "198.51.100.72"


@pytest.fixture
def drop_in(tool):
    """Writes a file of conf.d, beside a statnat.toml with one pair; the kernel has none."""
    directory = tool.folder / "conf.d"
    tool("clear")
    tool.configure({A: A_OUT})

    def write(name, text):
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
        return directory / name

    yield write
    shutil.rmtree(directory, ignore_errors=True)
    tool("clear")


def pair(internal, external):
    return f'[pairs]\n"{internal}" = "{external}"\n'


def test_all_of_them_are_one_configuration(tool, drop_in, transactions):
    (tool.folder / "more.csv").write_text(f"{C},{C_OUT}\n")
    second = drop_in("20.toml", pair(B, B_OUT))
    drop_in("10.toml", '[gateway]\ncounters = "rule"\npairs-files = ["../more.csv"]\n')
    assert tool("check", tool.file).stdout == f"{tool.file}: 3 pairs, no errors\n"
    tool("sync", tool.file)
    assert tool.held() == {A: A_OUT, B: B_OUT, C: C_OUT} and "counters: per rule" in tool("status").stdout
    with transactions(0):
        assert tool("sync", tool.file).stdout == "nothing to change\n"
    second.write_text(pair(B, "198.51.100.79"))
    changed = tool("diff", "--exit-code", tool.file, check=False)
    assert changed.returncode == 3 and B_OUT in changed.stdout and "198.51.100.79" in changed.stdout
    assert A_OUT not in changed.stdout and C_OUT not in changed.stdout
    assert "198.51.100.79" in tool("render", tool.file).stdout


NOT_READ = ["a.toml~", ".#a.toml", ".a.toml.swp", "a.toml.dpkg-old", "README"]


def test_only_what_the_pattern_means(tool, drop_in):
    for name in NOT_READ:
        drop_in(name, "[broken\n")
    drop_in("empty.toml", "")
    assert tool("check", tool.file).stdout == f"{tool.file}: 1 pair, no errors\n"


def test_another_file_stands_alone(tool, drop_in):
    drop_in("a.toml", "[broken\n")
    other = tool.folder / "other.toml"
    other.write_text(pair(B, B_OUT))
    assert tool("check", other).stdout == f"{other}: 1 pair, no errors\n"


CONTRADICTIONS = [
    #   why                         drop-in, which stands there           place of what it contradicts
    row("an internal twice",        pair(A, B_OUT), 1,                    "{main}:4"),
    row("an external twice",        pair(B, A_OUT), 15,                   "{main}:4"),
    row("a setting",                '[gateway]\nengine = "auto"\n', 10,   "{main}:2"),
    row("another drop-in",          pair(C, B_OUT), 15,                   "{first}:2"),
]


@pytest.mark.parametrize("text, column, other", CONTRADICTIONS)
def test_what_two_files_say_differently_is_an_error_with_both_places(tool, drop_in, transactions, text, column, other):
    tool("sync", tool.file)
    first = drop_in("a.toml", pair("10.0.0.70", B_OUT if "first" in other else "198.51.100.70"))
    second = drop_in("b.toml", text)
    for command in ("sync", "check", "diff", "render"):
        with transactions(0):
            done = tool(command, tool.file, check=False)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
        assert done.stderr.startswith(f"{second}:2:{column}: ")
        assert f"({other.format(main=tool.file, first=first)})" in done.stderr
    assert tool.held() == {A: A_OUT}


def test_errors_come_in_the_order_of_names(tool, drop_in):
    files = [drop_in(name, "[pairs]\n\n\nx = 1\n") for name in ("b.toml", "9.toml", "10.toml", "a.toml")]
    tool.file.write_text("[nothing]\n")
    done = tool("check", tool.file, check=False)
    places = [line.split(": ")[0].rsplit(":", 2)[0] for line in done.stderr.splitlines()]
    assert done.returncode == 2 and list(dict.fromkeys(places)) == [str(tool.file), *sorted(map(str, files))]


def test_what_lost_most_of_its_pairs_seems_to_be_cut_off(tool, drop_in):
    many = {f"10.0.7.{host}": f"198.18.7.{host}" for host in range(1, 21)}
    file = drop_in("many.toml", "[pairs]\n" + "".join(f'"{one}" = "{other}"\n' for one, other in many.items()))
    tool("sync", tool.file)
    file.write_text("")
    done = tool("sync", tool.file, check=False)
    assert done.returncode == 1 and "would remove 20 of 21 pairs" in done.stderr
    file.unlink()
    assert tool("sync", tool.file, check=False).returncode == 1 and len(tool.held()) == 21


def test_notes_of_add_and_del_know_them(tool, drop_in):
    drop_in("a.toml", pair(B, B_OUT))
    tool("sync", tool.file)
    assert "still has this pair" in tool("del", B, "--config", tool.file).stderr
    assert tool("add", B, B_OUT, "--config", tool.file).stderr == ""
    assert "does not have this pair" in tool("add", C, C_OUT, "--config", tool.file).stderr


def test_no_directory_and_no_main_file(tool, drop_in):
    assert tool("check", tool.file).stdout == f"{tool.file}: 1 pair, no errors\n"
    drop_in("a.toml", pair(B, B_OUT))
    tool.file.unlink()
    done = tool("sync", tool.file, check=False)
    assert done.returncode == 2 and done.stderr == (f"{tool.file}: cannot be read: No such file or directory: "
                                                    f"statnat-nft init --output {tool.file} writes a first one\n")


CURE = ": legal is a directory of further files, or none"
UNREADABLE = [
    #   why                       which     what is put there                        why it is not read, the cure
    row("a directory",            "a.toml", lambda path: path.mkdir(),               "Is a directory", ""),
    row("a link to nowhere",      "a.toml", lambda path: path.symlink_to("nowhere"), "No such file or directory", ""),
    row("a file of that name",    "",       lambda path: path.write_text(""),        "Not a directory", CURE),
    row("a mount that is absent", "",       lambda path: path.symlink_to("nowhere"), "No such file or directory", CURE),
]


@pytest.mark.parametrize("name, put, why, cure", UNREADABLE)
def test_what_cannot_be_read(tool, tmp_path, name, put, why, cure):
    file, path = tmp_path / "statnat.toml", tmp_path / "conf.d" / name
    file.write_text("")
    path.parent.mkdir(exist_ok=True)
    put(path)
    done = tool("check", file, check=False)
    assert done.returncode == 2 and done.stderr == f"{path}: cannot be read: {why}{cure}\n"


@pytest.mark.stock
@pytest.mark.parametrize("closed, said", [("conf.d", CURE), ("conf.d/a.toml", "")])
def test_what_may_not_be_read(tmp_path_factory, closed, said):
    """By somebody who is not root."""
    folder = tmp_path_factory.mktemp("open")
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "a.toml").write_text(pair(B, B_OUT))
    file = folder / "statnat.toml"
    file.write_text("")
    (folder / closed).chmod(0)
    done = subprocess.run([TOOL, "check", file], capture_output=True, text=True,
                          user=65534, group=65534, extra_groups=[])
    assert done.returncode == 2 and done.stderr == f"{folder / closed}: cannot be read: Permission denied{said}\n"
