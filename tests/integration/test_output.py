# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands write: lists, the engine's name, an error where nothing can be written, and bytes that others chose.

    inside ──── gateway ──── outside        A 10.0.0.2 = 198.51.100.2, B 10.0.0.3 = 198.51.100.3
"""

import csv
import io
import json
import os
import subprocess

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, B, B_OUT, PAIRS
from nfnl import CREATE, IPV4, NEWSETELEM, Netlink, attribute
from packets import row
from tool import ENGINE, TOOL


def test_list(wire, tool):
    tool("clear")
    path = tool.folder / "list.toml"
    path.write_text(f'[gateway]\nengine = "{ENGINE}"\n[pairs]\n"{B}" = "{B_OUT}"\n'
                    f'"{A}" = {{ external = "{A_OUT}", comment = "größe, mail" }}\n')
    tool("sync", path)
    wire.inside.send(IP(src=A, dst=B_OUT) / UDP() / bytes(36))
    wire.drain()
    nothing, one = {"packets": 0, "bytes": 0}, {"packets": 1, "bytes": 64}
    assert json.loads(tool("list", "-j").stdout) == {"pairs": [
        {"internal": A, "external": A_OUT, "npt": False, "comment": "größe, mail", "outbound": one,
         "inbound": nothing},
        {"internal": B, "external": B_OUT, "npt": False, "comment": "", "outbound": nothing, "inbound": one}]}
    assert list(csv.reader(io.StringIO(tool("list", "--csv").stdout))) == [
        ["internal", "external", "outbound_packets", "outbound_bytes", "inbound_packets", "inbound_bytes", "comment",
         "npt"],
        [A, A_OUT, "1", "64", "0", "0", "größe, mail", ""],
        [B, B_OUT, "0", "0", "1", "64", "", ""]]
    header, first, second = tool("list").stdout.splitlines()
    assert header.split("  ")[0] == "internal"
    assert first.split() == [A, A_OUT, "1", "64", "0", "0", "größe,", "mail"]
    assert second.split() == [B, B_OUT, "0", "0", "1", "64"]
    assert first.index(A_OUT) == second.index(B_OUT) == header.index("external")


def test_status_names_the_engine(synced):
    said = synced("status").stdout
    assert f"engine: {ENGINE}\n" in said
    assert f"pairs: {len(PAIRS)} of " in said
    assert ("lacks: ICMP errors" in said) == (ENGINE == "native")


def test_status_for_programs(wire, synced):
    """The same as for people."""
    wire.gateway.nft("add chain ip statnat other")
    done = synced("status", "--json", check=False)
    said, status = synced("status", check=False).stdout, json.loads(done.stdout)
    assert done.returncode == 1 and status["installed"] and status["engine"] == ENGINE
    assert status["module"]["available"] == ("module: available" in said)
    assert status["pairs"] == [{"family": "IPv4", "length": 32, "npt": False, "inbound": False, "pairs": len(PAIRS),
                                "capacity": status["pairs"][0]["capacity"]}]
    assert f"pairs: {len(PAIRS)} of {status['pairs'][0]['capacity']} IPv4\n" in said
    assert (status["counters"], status["rules"]) == ("pair", [])
    assert (status["dropped"] is None) == (ENGINE == "native")
    for word, key in (("  ", "damages"), ("lacks: ", "lacks"), ("note: ", "notes")):
        assert [line.removeprefix(word) for line in said.splitlines() if line.startswith(word)] == status[key]
    assert status["damages"]


def test_status_of_nothing(synced):
    synced("clear")
    status = json.loads(synced("status", "-j").stdout)
    assert (status["installed"], status["engine"], status["counters"], status["pairs"]) == (False, None, None, [])


OUTPUTS = [
    #   why             command
    row("help",         ["--help"]),
    row("its own help", ["list", "--help"]),
    row("version",      ["--version"]),
    row("list",         ["list"]),
    row("csv",          ["list", "--csv"]),
    row("json",         ["list", "-j"]),
    row("diff",         ["diff"]),
    row("sync",         ["sync"]),
    row("check",        ["check"]),
    row("status",       ["status"]),
    row("its JSON",     ["status", "-j"]),
    row("health",       ["status", "--health"]),
    row("explain",      ["explain", A]),
    row("clear",        ["clear"]),
]


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_that_cannot_be_written(wire, synced, command):
    """A full disk, or a reader that has gone while SIGPIPE is ignored, as below systemd."""
    reader, closed_pipe = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    for output in (full, closed_pipe):
        synced.sync(PAIRS)
        path = synced.configure({**PAIRS, "10.0.0.4": "198.51.100.4"})
        words = [*command, path] if command[0] in ("sync", "diff", "check") else command
        done = subprocess.run(["nsenter", f"--net=/run/netns/{wire.gateway.name}", TOOL, *words], stdout=output,
                              stderr=subprocess.PIPE, text=True, restore_signals=False)
        os.close(output)
        assert (done.returncode, done.stderr) == (1, "statnat-nft: error: cannot write the output\n")


def test_bytes_of_others_are_escaped(wire, synced):
    """A comment that somebody else has written into the kernel moves no cursor, and breaks no JSON."""
    # Its address is within what the map is asked for.
    synced.sync({**PAIRS, "10.0.0.199": "198.51.100.199"})
    path = synced.file
    netlink = Netlink(wire.gateway)
    odd = b"\x1b[2J\xc2\x9b\xff\x7f\xe2\x80\xaex\n"
    key, value = ([attribute(1, bytes((*network, 200)))] for network in ((10, 0, 0), (198, 51, 100)))
    comment = attribute(6, bytes((0, len(odd) + 1)) + odd + b"\0")
    elements = attribute(3, [attribute(1, [attribute(1, key), attribute(2, value), comment])])
    assert netlink.batch((NEWSETELEM, CREATE, IPV4, [attribute(1, "statnat"), attribute(2, "int2ext"), elements])) == 0
    netlink.close()
    shown = "\\x1b[2J\\xc2\\x9b\\xff\\x7f\\xe2\\x80\\xaex\\x0a"
    for command in (["list"], ["diff", path], ["status"], ["explain", "10.0.0.200"]):
        said = synced(*command, check=False).stdout
        assert "\x1b" not in said and "\u202e" not in said and "\x9b" not in said
        assert shown in said or command == ["status"], command
    assert json.loads(synced("list", "-j").stdout)["pairs"][-1]["comment"] == "\x1b[2J\x9b\ufffd\x7f\u202ex\n"
    assert "\x1b" not in synced("list", "--csv").stdout
    synced.sync(PAIRS)
