# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever stops the tool, or fails under it: the kernel and every file are as before or as asked for, never between.

    strace ──── tool ──── kernel of a namespace
                  └────── /etc/statnat, /run/statnat, /var/lib/statnat: the test's own
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest

from net import Namespace, until
from packets import row
from tool import ENGINE, TOOL

pytestmark = pytest.mark.stock

FOLDERS = {"etc": "/etc/statnat", "run": "/run/statnat", "lib": "/var/lib/statnat"}
OLD = {"10.0.0.2": "198.51.100.2", "10.0.0.3": "198.51.100.3", "10.0.0.4": "198.51.100.4", "fd00::2": "2001:db8::2"}
NEW = {"10.0.0.2": "198.51.100.2", "10.0.0.3": "198.51.100.33", "10.0.0.5": "198.51.100.5", "fd00::2": "2001:db8::2"}
# System calls after which something else can be seen from outside than before.
CHANGING = "sendto,sendmsg,write,rename,unlink,unlinkat,mkdir,openat,fchmod,fchown,fsync,exit_group"
STATUSES = range(6)  # docs/statnat-nft.8


class Place:
    """A network namespace, and the folders of the tool as a mount namespace that lives as long has them."""

    def __init__(self, folder):
        self.namespace, self.folder = Namespace("faults"), folder
        mounts = []
        for name, place in FOLDERS.items():
            (folder / name).mkdir(mode=0o700)
            mounts.append(f'mkdir -p {place}; mount --bind "{folder / name}" {place}')
        self.file, self.rules = folder / "etc" / "statnat.toml", folder / "rules" / "statnat.nft"
        self.rules.parent.mkdir()
        with self.namespace:
            self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-ec", "; ".join(mounts) + "; echo; exec cat"],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.namespace.close()

    def inside(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--root", *map(str, words)]

    def run(self, *words, check=True):
        return self.namespace.run(*self.inside(*words), check=check)

    def __call__(self, *arguments, check=True):
        return self.run(TOOL, *arguments, check=check)

    def traced(self, options, *arguments, check=False):
        """The tool, by strace with options of ours."""
        return self.run("strace", "-f", "-qq", "-o", "/dev/null", *options, TOOL, *arguments, check=check)

    def configure(self, pairs):
        lines = ["[gateway]", f'engine = "{ENGINE}"', f'ruleset-file = "{self.rules}"', "[pairs]"]
        self.file.write_text("\n".join([*lines, *(f'"{one}" = "{other}"' for one, other in pairs.items()), ""]))

    def sync(self, pairs):
        self.configure(pairs)
        return self("sync", "--force")

    def kernel(self):
        """What stock nft lists, whose order in maps is the hash table's, without what differs from load to load."""
        listed = json.loads(self.namespace.run("nft", "-j", "list", "ruleset").stdout)["nftables"]
        return sorted(json.dumps(plain(one), sort_keys=True) for one in listed if "metainfo" not in one)

    def remembered(self):
        """What files say, without the generation of the ruleset, which each commit takes further."""
        texts = {}
        for path in (path for name in ("run", "lib", "rules") for path in (self.folder / name).iterdir()):
            if not unfinished(path):
                text = path.read_bytes()
                texts[f"{path.parent.name}/{path.name}"] = (text.partition(b"\n")[2] if path.parent.name == "run"
                                                            else text)
        return texts

    def leftovers(self):
        return [path for name in ("etc", "run", "lib", "rules") for path in (self.folder / name).iterdir()
                if unfinished(path)]


def unfinished(path):
    return ".statnat-" in path.name


def plain(value):
    if isinstance(value, dict):
        return {key: sorted(map(json.dumps, map(plain, part))) if key == "elem" else plain(part)
                for key, part in value.items() if key != "handle"}
    return [plain(part) for part in value] if isinstance(value, list) else value


@pytest.fixture
def place(tmp_path):
    with contextlib.closing(Place(tmp_path)) as place:
        yield place


def nothing(place):
    place.configure(OLD)
    place("clear")


def old(place):
    place.sync(OLD)


def wanting_new(place):
    place.sync(OLD)
    place.configure(NEW)


def in_files(place):
    """All that is kept of the old ruleset, for what replaces one file."""
    place.sync(OLD)
    (place.folder / "rules" / "saved.nft").write_text("old\n")


KILLED = [
    #   why                     before, command                              system calls
    row("some pairs change",    wanting_new, ["sync"],                       CHANGING),
    row("a first load",         nothing, ["sync"],                           CHANGING),
    row("a pair more",          old, ["add", "10.0.0.9", "198.51.100.9"],    CHANGING),
    row("a pair less",          old, ["del", "10.0.0.4"],                    CHANGING),
    row("all go",               old, ["clear"],                              CHANGING),
    row("all is saved",         in_files, ["save", "{rules}/saved.nft"],     CHANGING),
]


def calls_of(place, kinds, arguments):
    """What strace, which counts each system call by itself, needs to meet each of them: its name and which one it is.
    Those are left out by which the program itself is loaded."""
    log = place.folder / "calls"
    place.run("strace", "-f", "-qq", "-e", f"trace={kinds}", "-o", log, TOOL, *arguments)
    met, seen = [], Counter()
    for line in log.read_text().splitlines():
        name = line.split()[1].partition("(")[0]
        seen[name] += 1
        met = [] if "open" in name and ".so" in line else [*met, (name, seen[name])]
    return met


def meeting(name, number, what):
    """Options of strace."""
    return ["-e", f"trace={name}", f"--inject={name}:{what}:when={number}"]


@pytest.mark.parametrize("before, command, calls", KILLED)
def test_killed_at_every_system_call(place, before, command, calls):
    """The kernel has all of it or nothing; so has each file; and the next one goes on as if nothing had been."""
    arguments = [word.format(rules=place.rules.parent) for word in command]
    before(place)
    states, files = [place.kernel()], [place.remembered()]
    points = calls_of(place, calls, arguments)
    states.append(place.kernel())
    files.append(place.remembered())
    killed, touched = 0, True
    for call, number in points:
        if touched:
            before(place)
            begun = place.kernel(), place.remembered(), place.leftovers()
        done = place.traced(meeting(call, number, "signal=KILL"), *arguments)
        killed += done.returncode == -signal.SIGKILL
        now = place.kernel(), place.remembered(), place.leftovers()
        assert now[0] in states, (call, number)
        for name, text in now[1].items():
            assert text in [known.get(name) for known in files], (call, number, name)
        touched = now != begun
        if touched:
            assert_goes_on(place, command, arguments, now[0] == states[1], states)
    assert killed > len(points) * 0.8  # what is in /run decides how often files are looked at
    assert_tidied(place)


def assert_goes_on(place, command, arguments, is_done, states):
    """Whoever runs it again, or what it is there for, gets what was asked for."""
    if command[0] in ("add", "del"):
        again = place(*arguments, check=False)
        assert again.returncode == (1 if is_done else 0), again.stderr
    else:
        again = place(*arguments)
    if command[0] == "sync":
        assert (again.stdout == "nothing to change\n") == is_done and again.stderr == ""
        assert place("status", "--health").stdout == "healthy\n"
    assert place.kernel() == states[1]


def assert_tidied(place):
    """What killed writers have left goes, once it is old enough to be nobody's, also if the clock was set back."""
    for number, path in enumerate(place.leftovers()):
        other = time.time() + (600 if number % 2 else -600)
        os.utime(path, (other, other))
    place.sync(OLD)
    place.sync(NEW)
    place("metrics", "--output", place.rules.parent / "m")
    place("save", place.rules.parent / "saved.nft")
    assert [path for path in place.leftovers() if time.time() - path.stat().st_mtime > 300] == []


# What fails, with which error.
FAILING = [
    #   why                 calls                        error
    row("no space",         "write",                     "ENOSPC"),
    row("a bad disk",       "write,fsync",               "EIO"),
    row("no file more",     "rename",                    "ENOSPC"),
    row("read-only",        "rename,unlink,mkdir",       "EROFS"),
    row("no signal",        "sendto,recvfrom,poll",      "EINTR"),
    row("no room",          "recvfrom",                  "ENOBUFS"),
    row("not allowed",      "sendto",                    "EPERM"),
    row("nothing there",    "recvfrom",                  "EAGAIN"),
]
COMMANDS = [["sync"], ["export", "--to", "csv"]]


@pytest.mark.parametrize("calls, error", FAILING)
def test_what_fails_once(place, calls, error):
    """At each call in turn: it is done, or one sentence says what is not, and no file is half there."""
    for command in COMMANDS:
        arguments = [word.format(rules=place.rules.parent) for word in command]
        wanting_new(place)
        states, files = [place.kernel()], [place.remembered()]
        place(*arguments)
        states.append(place.kernel())
        files.append(place.remembered())
        wanting_new(place)
        for call, number in calls_of(place, calls, arguments):
            for path in place.rules.parent.iterdir():
                path.unlink()
            wanting_new(place)
            done = place.traced(meeting(call, number, f"error={error}"), *arguments)
            assert done.returncode in STATUSES, done
            assert done.returncode == 0 or done.stderr.count("\n") == 1 or error == "EPERM", (call, number, done)
            assert "internal error" not in done.stderr and "Traceback" not in done.stderr, done
            assert place.kernel() in states and place.leftovers() == []
            for name, text in place.remembered().items():
                assert text in [known.get(name) for known in files], (command, call, number, name)
            place.configure(NEW)
            assert place("sync").returncode == 0 and place("status", "--health").stdout == "healthy\n"


@pytest.mark.parametrize("calls, error", FAILING)
def test_a_file_of_all_rules_has_all_of_them(place, calls, error):
    """Stock nft takes what it cannot ask for as not being there, and says nothing."""
    in_files(place)
    saved = place.rules.parent / "saved.nft"
    place("save", saved)
    whole, points = saved.read_text(), calls_of(place, calls, ["save", saved])
    for call, number in points:
        saved.write_text("old\n")
        done = place.traced(meeting(call, number, f"error={error}"), "save", saved)
        assert saved.read_text() == ("old\n" if done.returncode else whole), (call, number, done)
        # libnftables ends the process by itself where it cannot ask for interfaces.
        assert done.returncode == 0 or done.stderr


def test_a_full_disk(place):
    """The gateway is in order; what was not written is said, and the old file is there."""
    wanting_new(place)
    before = place.rules.read_text()
    place.run("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", place.rules.parent)
    place.run("sh", "-c", f'head -c 4096 /dev/zero > "{place.rules.parent}/filler"', check=False)
    done = place("sync", check=False)
    assert done.returncode == 1 and done.stdout == "added 1 pair, removed 1 pair, changed 1 pair\n"
    assert f"cannot write {place.rules}: No space left on device" in done.stderr and done.stderr.count("\n") == 1
    assert place.run("ls", "-A", place.rules.parent).stdout == "filler\n"
    place.run("umount", place.rules.parent)
    assert place.rules.read_text() == before
    assert place("sync").stdout == "nothing to change\n" and place.rules.read_text() != before


AT_ONCE = 64


def all_at_once(place, commands):
    """Runs them all, and returns how each ended."""
    with place.namespace:
        started = [subprocess.Popen(place.inside(TOOL, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True) for command in commands]
    ended = []
    for one in started:
        out, err = one.communicate(timeout=300)
        ended.append(subprocess.CompletedProcess(one.args, one.returncode, out, err))
    return ended


def test_sixty_four_syncs_at_once(place):
    """Of two configurations; at the end there is one of them, whole."""
    files, states = [], []
    for name, pairs in (("a", OLD), ("b", NEW)):
        place.sync(pairs)
        states.append(place.kernel())
        files.append(place.folder / f"{name}.toml")
        files[-1].write_text(place.file.read_text())
    for done in all_at_once(place, [["sync", files[number % 2]] for number in range(AT_ONCE)]):
        assert done.returncode == 0 or (done.returncode == 1 and "all the time" in done.stderr), done
    assert place.kernel() in states
    assert place.leftovers() == []
    assert "changed" in place("sync", files[states.index(place.kernel()) ^ 1]).stdout
    assert place("status", "--health").stdout == "healthy\n"


def test_sixty_four_pairs_at_once(place):
    """Added by as many: all are there."""
    place.sync(OLD)
    pairs = {f"10.1.0.{number}": f"203.0.113.{number}" for number in range(1, AT_ONCE + 1)}
    for done in all_at_once(place, [["add", *pair, "--config", "none"] for pair in pairs.items()]):
        assert done.returncode == 0, done
    held = {pair["internal"]: pair["external"] for pair in json.loads(place("list", "-j").stdout)["pairs"]}
    assert held == {**OLD, **pairs}


CLOCKS = [
    #   why                 what faketime makes of now
    row("years ahead",      "+10y"),
    row("years behind",     "-10y"),
    row("the first second", "@1970-01-01 00:00:01"),
    row("past 2038",        "@2038-01-19 03:14:10"),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_clocks_that_jump(place, clock):
    """What was written under another clock is as good, and nobody waits by it."""
    def jumped(*arguments):
        return place.run("faketime", "--exclude-monotonic", "-f", clock, TOOL, *arguments)

    place.sync(OLD)
    place.configure(NEW)
    for path in (place.folder / "run").iterdir():
        os.utime(path, (2 ** 32, 2 ** 32) if clock[0] != "+" else (0, 0))
    assert "changed 1 pair" in jumped("sync").stdout
    assert jumped("sync").stdout == place("sync").stdout == "nothing to change\n"
    for run in (jumped, place):
        assert run("status", "--health").stdout == "healthy\n"
        assert "statnat_healthy 1" in run("metrics").stdout
    place.configure(OLD)
    assert "changed 1 pair" in place("sync").stdout and place.leftovers() == []


def test_watching_while_the_clock_jumps(place):
    """What somebody flushes comes back, whatever time it is said to be meanwhile."""
    place.sync(OLD)
    held, clock = place.kernel(), place.folder / "clock"
    clock.write_text("+0\n")
    environment = {**os.environ, "LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "DONT_FAKE_MONOTONIC": "1",
                   "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    with place.namespace:
        watch = subprocess.Popen(place.inside(TOOL, "watch"), env=environment, stderr=subprocess.PIPE, text=True)
    said = []
    reader = threading.Thread(target=lambda: said.extend(watch.stderr), daemon=True)
    reader.start()
    try:
        until(lambda: place.kernel() == held)
        for jump in ("+400d\n", "-4000d\n", "+0\n"):
            clock.write_text(jump)
            place.namespace.nft("flush ruleset")
            until(lambda: place.kernel() == held)
    finally:
        watch.send_signal(signal.SIGTERM)
        status = watch.wait(60)
        reader.join(60)
    assert status == -signal.SIGTERM, said
