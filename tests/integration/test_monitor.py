# SPDX-License-Identifier: GPL-2.0-or-later
"""Events and echoes show our statement, whoever loaded it.

One namespace; no packets.
"""

import contextlib
import json
import re
import threading

import pytest

from net import A, A_OUT, until
from nft import TABLE
from packets import expression
from tool import TOOL

pytestmark = expression


@contextlib.contextmanager
def monitoring(nft, *options):
    """What nft monitor writes about what is done meanwhile, in a list that is full at the end."""
    lines = []
    with nft.popen(*options, "monitor") as process:
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
        reader.start()

        def hears():
            nft.stock("add table ip heard; delete table ip heard")
            return lines

        until(hears)
        lines.clear()
        yield lines
        nft.stock("add table ip over")
        until(lambda: any('over' in line for line in lines))
        process.terminate()
        reader.join(10)


RULE = "ip saddr 10.0.0.2 counter packets 0 bytes 0 snat_stateless saddr map @m untracked"


def test_monitor(nft):
    nft("-f", "-", stdin=TABLE)
    with monitoring(nft) as lines:
        nft("add rule ip t post ip saddr 10.0.0.2 counter snat_stateless saddr map @m untracked")
        nft("flush chain ip t post")
    rules = [line for line in lines if " rule " in line]
    assert rules[0] == f"add rule ip t post {RULE}\n"
    assert rules[1].startswith("delete rule ip t post handle ")


def test_monitor_as_json(nft):
    nft("-f", "-", stdin=TABLE)
    with monitoring(nft, "-j") as lines:
        nft("add rule ip t post snat_stateless saddr map @m untracked")
    events = [json.loads(line) for line in lines if line.startswith("{")]
    added, = (event["add"]["rule"] for event in events if "rule" in event.get("add", {}))
    assert added["expr"] == [{"snat_stateless": {"field": "saddr", "map": "@m", "flags": "untracked"}}]


def test_monitor_sees_sync(nft, tmp_path):
    configuration = tmp_path / "statnat.toml"
    configuration.write_text(f'[gateway]\nengine = "expression"\n[pairs]\n"{A}" = "{A_OUT}"\n')
    with monitoring(nft) as lines:
        nft("sync", configuration, command=(TOOL,))
    rule = f"snat_stateless saddr map @int2ext within {A} untracked\n"
    assert f"add rule ip statnat postrouting {rule}" in lines
    assert rule in nft("list", "chain", "ip", "statnat", "postrouting").stdout


@pytest.mark.parametrize("verb", ["add", "insert"])
def test_echo(nft, verb):
    nft("-f", "-", stdin=TABLE)
    done = nft("-e", "-a", f"{verb} rule ip t post ip saddr 10.0.0.2 counter snat_stateless saddr map @m untracked")
    assert re.fullmatch(rf"{verb} rule ip t post {re.escape(RULE)} # handle \d+\n# new generation .*\n", done.stdout)
