# SPDX-License-Identifier: GPL-2.0-or-later
"""Ruleset files with our statement: they load, and what is listed of them loads and lists the same.

The rulesets are files of their own: NAME.nft is loaded, NAME.listing is what must then be listed. One namespace; no
packets.
"""

import json
import re

import pytest

from net import many
from nft import RULESETS, TABLE
from packets import expression
from tool import TOOL

pytestmark = expression

FILES = sorted(path.stem for path in RULESETS.glob("*.nft"))
WITHOUT_JSON = {"not_in_json"}


def load(nft, name):
    nft("-I", RULESETS / "parts", "-f", f"{name}.nft")


@pytest.mark.parametrize("name", FILES)
def test_file(nft, name):
    """It loads, lists as expected, and what is listed loads and lists the same."""
    load(nft, name)
    wanted = (RULESETS / f"{name}.listing").read_text()
    assert nft.listing() == wanted
    nft("flush", "ruleset")
    nft("-f", "-", stdin=wanted)
    assert nft.listing() == wanted


@pytest.mark.parametrize("name", [name for name in FILES if name not in WITHOUT_JSON])
def test_json(nft, tmp_path, name):
    """What is listed as JSON is the same ruleset, and stays so."""
    load(nft, name)
    wanted, as_json = nft.listing(), nft.listing("-j")
    without_words = re.sub('".*?"', "", wanted)
    assert as_json.count('"snat_stateless": {') == len(re.findall("snat_stateless [sd]addr map", without_words))
    nft("flush", "ruleset")
    (tmp_path / "listing.json").write_text(as_json)
    nft("-j", "-f", tmp_path / "listing.json")
    assert nft.listing() == wanted
    without_handles = [re.sub(r', "handle": \d+', "", text) for text in (as_json, nft.listing("-j"))]
    assert without_handles[0] == without_handles[1]


@pytest.mark.parametrize("name", FILES)
def test_check_changes_nothing(nft, name):
    nft("-c", "-I", RULESETS / "parts", "-f", f"{name}.nft")
    assert nft.listing() == ""


def test_long_output(nft, tmp_path):
    """However much libnftables writes, and however long a line is, each statement is one of ours again."""
    rules = "".join(f" ip saddr {internal} snat_stateless saddr map @m\n" for internal in many(3000))
    nft("-f", "-", stdin=f"{TABLE}table ip t {{ chain post {{\n{rules}}}; }}\n")
    listed = json.loads(nft("-j", "list", "ruleset").stdout)["nftables"]
    names = [next(iter(expression)) for item in listed for expression in item.get("rule", {}).get("expr", [])]
    assert (names.count("snat_stateless"), names.count("log")) == (3000, 0)
    nft("flush", "ruleset")
    # A set in one line of 64 KiB and more, each time a bit longer.
    sets = [", ".join(f"10.{longer}.{number >> 7}.{2 * (number & 127)}" for number in range(4890 + 2 * longer))
            for longer in range(15)]
    rules = "".join(f" ip saddr {{ {each} }} snat_stateless saddr map @m\n" for each in sets)
    nft("-f", "-", stdin=f"{TABLE}table ip t {{ chain post {{\n{rules}}}; }}\n")
    path = tmp_path / "saved.nft"
    nft("save", path, command=(TOOL,))
    for text in (nft.listing(), path.read_text()):
        assert (text.count("} snat_stateless saddr map @m\n"), text.count("log prefix")) == (15, 0)
