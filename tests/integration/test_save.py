# SPDX-License-Identifier: GPL-2.0-or-later
"""Where `save` writes: a file is replaced as a whole, and nothing else ever is.

One namespace with a table; no packets. Device nodes are made in a folder of the test.
"""

import os
import stat
import subprocess
import threading

import pytest

from nft import GATEWAY_TABLE
from packets import expression, row
from tool import TOOL

RULESET = "table ip mine {\n}\n"


@pytest.fixture(autouse=True)
def table(ruleset):
    ruleset(RULESET)


@pytest.fixture
def save(namespace):
    def run(*arguments, check=True):
        done = namespace.run(str(TOOL), *map(str, arguments), check=check)
        assert check is False or done.stderr == ""
        return done
    return run


def saved(text):
    return text.startswith("# Written by statnat-nft save") and text.endswith(f"flush ruleset\n{RULESET}")


def node(path, major, minor):
    """A device node where they work, as in a container they may not."""
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    try:
        path.open("r+b").close()
    except PermissionError:
        pytest.skip("this file system has no devices")
    return path


def test_a_device_stays_one(save, tmp_path):
    null, full = node(tmp_path / "null", 1, 3), node(tmp_path / "full", 1, 7)
    save("save", null)
    done = save("save", full, check=False)
    assert done.returncode == 1 and f"cannot write {full}: No space left on device" in done.stderr
    assert stat.S_ISCHR(null.stat().st_mode) and stat.S_ISCHR(full.stat().st_mode)
    assert {one.name for one in tmp_path.iterdir()} == {"null", "full"}


def test_a_pipe_with_a_name_is_written_to(save, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    texts = []
    reader = threading.Thread(target=lambda: texts.append(pipe.read_text()), daemon=True)
    reader.start()
    save("save", pipe)
    reader.join(10)
    assert saved(*texts) and stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/fd/1", "/proc/self/fd/1", "{folder}/stdout"])
def test_standard_output_by_another_name(namespace, save, tmp_path, name):
    """As a pipe, and as a file that others write to as well; one name is a link, as /dev/stdout is."""
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    name = name.format(folder=tmp_path)
    assert saved(save("save", name).stdout)
    path = tmp_path / "log"
    namespace.run("sh", "-c", f'{{ echo before; "{TOOL}" save {name}; echo after; }} > "{path}"')
    before, *lines, after = path.read_text().splitlines(keepends=True)
    assert (before, after) == ("before\n", "after\n") and saved("".join(lines))


LINKS = [
    #   why                 where each link leads, the last one to the file
    row("relative",         {"link": "file"}),
    row("absolute",         {"link": "{folder}/file"}),
    row("from elsewhere",   {"link": "sub/next", "sub/next": "../file"}),
]


@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing yet"])
@pytest.mark.parametrize("links", LINKS)
def test_links_are_followed(save, tmp_path, links, exists):
    (tmp_path / "sub").mkdir()
    for link, target in links.items():
        (tmp_path / link).symlink_to(target.format(folder=tmp_path))
    if exists:
        (tmp_path / "file").write_text("old\n")
    save("save", tmp_path / "link")
    assert all((tmp_path / link).is_symlink() for link in links)
    assert saved((tmp_path / "file").read_text()) and not (tmp_path / "file").is_symlink()


def test_owner_group_and_mode_stay(save, tmp_path):
    path = tmp_path / "saved.nft"
    path.write_text("old\n")
    os.chown(path, 65534, 65533)
    path.chmod(0o2640)
    save("save", path)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 65533, 0o2640)
    assert saved(path.read_text())


def test_a_new_file_is_private(save, tmp_path):
    save("save", tmp_path / "saved.nft")
    assert stat.S_IMODE((tmp_path / "saved.nft").stat().st_mode) == 0o600


NOWHERE = [
    #   why                      what               status, and what is said
    row("a folder",              "{folder}",        1, "cannot write {folder}: Is a directory"),
    row("a folder with a slash", "{folder}/",       1, "cannot write {folder}/: Is a directory"),
    row("in no folder",          "{folder}/no/it",  1, "cannot write beside {folder}/no/it: No such file or directory"),
    row("a link to itself",      "{folder}/loop",   1, "Too many levels of symbolic links"),
    row("no name",               "",                2, "the name of a file is empty"),
]


@pytest.mark.parametrize("name, status, sentence", NOWHERE)
def test_nowhere_to_write(save, tmp_path, name, status, sentence):
    (tmp_path / "loop").symlink_to("loop")
    done = save("save", name.format(folder=tmp_path), check=False)
    assert done.returncode == status and sentence.format(folder=tmp_path) in done.stderr
    assert {one.name for one in tmp_path.iterdir()} == {"loop"}


def test_nothing_is_left_of_a_file_that_does_not_fit(namespace, tmp_path):
    """Out of space, the old file is still there."""
    elements = ", ".join(f"10.0.0.{number}" for number in range(250))
    script = f"""mount -t tmpfs -o size=64k tmpfs "{tmp_path}" && cd "{tmp_path}"
        echo old > file && head -c 60000 /dev/zero > filler
        "{TOOL}" nft -f - <<END
        table ip mine {{ set s {{ type ipv4_addr; elements = {{ {elements} }}; }}; }}
END
        "{TOOL}" save file; echo status $?; ls; cat file"""
    done = subprocess.run(["nsenter", f"--net=/run/netns/{namespace.name}", "unshare", "-m", "sh", "-c", script],
                          capture_output=True, text=True, check=True)
    assert done.stdout == "status 1\nfile\nfiller\nold\n" and "No space left on device" in done.stderr


@expression
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
