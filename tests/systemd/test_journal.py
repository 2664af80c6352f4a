# SPDX-License-Identifier: GPL-2.0-or-later
"""What the units say, as journald has it: entries with fields, each of its unit however short the command was."""

import json

from gateway import CONFIGURATION
from net import A, A_OUT, until

UNIT = """[Service]
Type=oneshot
ExecStart=/usr/sbin/statnat-nft --log-level {level} --instance red sync
"""
COUNTS = "STATNAT_PAIRS_ADDED", "STATNAT_PAIRS_REMOVED", "STATNAT_PAIRS_CHANGED"


def entries(gateway, *matches):
    gateway.run("journalctl", "--sync")
    lines = gateway.run("journalctl", "-b", "-q", "-o", "json", *matches).stdout.splitlines()
    return [json.loads(line) for line in lines]


def last(gateway, *matches):
    return entries(gateway, *matches)[-1]


def test_counts_of_a_sync(gateway):
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION + '"10.7.7.7" = "198.51.100.77"\n')
    gateway.run("systemctl", "reload", "statnat")
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION)
    gateway.run("systemctl", "reload", "statnat")
    added, removed = [entry for entry in entries(gateway, "-u", "statnat") if "STATNAT_PAIRS_ADDED" in entry][-2:]
    assert [added[name] for name in COUNTS] == ["1", "0", "0"] and added["MESSAGE"] == "added 1 pair"
    assert [removed[name] for name in COUNTS] == ["0", "1", "0"]
    assert removed["PRIORITY"] == "6" and removed["SYSLOG_IDENTIFIER"] == "statnat-nft"
    assert removed["STATNAT_COMMAND"] == "sync" and removed["_TRANSPORT"] == "journal"


def test_an_error_has_its_file_and_line(gateway):
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION + '"10.0.0.7" = "nowhere"\n')
    assert gateway.run("systemctl", "reload", "statnat", check=False).returncode != 0
    error = last(gateway, "-u", "statnat", "STATNAT_FILE=/etc/statnat/statnat.toml")
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION)
    gateway.run("systemctl", "reload", "statnat")
    assert error["PRIORITY"] == "3" and error["STATNAT_COMMAND"] == "sync"
    assert error["STATNAT_LINE"] == str(CONFIGURATION.count("\n") + 1) and '"nowhere" is neither' in error["MESSAGE"]


def test_who_flushed(gateway):
    gateway.run("systemctl", "start", "statnat-watch")
    gateway.run("nft", "flush", "ruleset")
    until(lambda: gateway.pairs() == {A: A_OUT})
    until(lambda: entries(gateway, "-u", "statnat-watch", "STATNAT_CHANGED_BY=nft"))
    warning = last(gateway, "-u", "statnat-watch", "STATNAT_CHANGED_BY=nft")
    gateway.run("systemctl", "stop", "statnat-watch")
    assert warning["PRIORITY"] == "4" and warning["STATNAT_COMMAND"] == "watch"
    assert warning["MESSAGE"].startswith(f"nft (process {warning['STATNAT_CHANGED_BY_PID']}) changed the tables")


def test_an_instance_is_named(gateway):
    """As no unit: with both outputs connected to the journal, and the level that is asked for."""
    gateway.write("/etc/statnat/red.toml", '[pairs]\n"10.9.9.9" = "198.51.100.99"\n')
    for level in ("off", "info", "debug"):
        gateway.write(f"/etc/systemd/system/red-{level}.service", UNIT.format(level=level))
        gateway.run("systemctl", "daemon-reload")
        gateway.run("systemctl", "start", f"red-{level}")
    debug = entries(gateway, "-u", "red-debug", "PRIORITY=7", "STATNAT_INSTANCE=red")
    assert debug and all(entry["STATNAT_COMMAND"] == "sync" for entry in debug)
    assert not entries(gateway, "-u", "red-info", "PRIORITY=7", "STATNAT_INSTANCE=red")
    said = last(gateway, "-u", "red-off", "STATNAT_INSTANCE=red")
    gateway.run("statnat-nft", "--instance", "red", "clear")
    assert said["STATNAT_PAIRS_ADDED"] == "1"


def test_lines_elsewhere(gateway):
    """A pipe is no journal, whatever the environment says."""
    done = gateway.run("env", "JOURNAL_STREAM=1:2", "statnat-nft", "sync", "/nowhere", check=False)
    assert done.returncode == 2 and done.stderr.startswith("/nowhere")
    assert gateway.run("env", "JOURNAL_STREAM=1:2", "statnat-nft", "sync").stdout == "nothing to change\n"


def test_of_its_unit_though_it_has_ended(gateway):
    """The journal asks the kernel whose an entry is when it reads it: here, long after."""
    before = len(entries(gateway, "-u", "statnat", "STATNAT_COMMAND=sync"))
    gateway.run("systemctl", "kill", "-s", "STOP", "systemd-journald")
    gateway.run("systemctl", "reload", "statnat")
    gateway.run("systemctl", "kill", "-s", "CONT", "systemd-journald")
    until(lambda: len(entries(gateway, "-u", "statnat", "STATNAT_COMMAND=sync")) > before)
    assert last(gateway, "STATNAT_COMMAND=sync")["OBJECT_SYSTEMD_UNIT"] == "statnat.service"
