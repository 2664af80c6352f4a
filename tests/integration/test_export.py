# SPDX-License-Identifier: GPL-2.0-or-later
"""What `export` writes, read by those it is for: stock nft, readers of CSV and of JSON, and this tool.

    inside ──── gateway ──── outside        what was exported, loaded by nft
"""

import csv
import io
import json

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A6, A6_OUT, A_OUT, B, B_OUT, PAIRS, X
from tool import TOOL

pytestmark = pytest.mark.stock

TOML = f"""[gateway]
engine = "native"
exempt-destinations = ["10.0.0.0/8"]
[pairs]
"{A}" = {{ external = "{A_OUT}", comment = "a, b" }}
"{B}" = "{B_OUT}"
"{A6}" = "{A6_OUT}"
"""
PREFIXES = TOML + '"fd00:2::/48" = { external = "2001:db8:2::/48", npt = true }\n"10.1.0.0/24" = "203.0.113.0/24"\n'


@pytest.fixture
def configuration(tool):
    """Writes the tool's configuration."""
    def write(text):
        tool.file.write_text(text)
        return tool.file
    return write


def test_stock_nft_translates_as_exported(wire, tool, configuration):
    path = configuration(TOML)
    exported = tool("export", "--to", "nft-native", path).stdout
    tool("clear")
    wire.drain()
    wire.gateway.nft(exported)
    outbound, inbound = (IP(src=A, dst=X) / UDP(sport=1, dport=2) / b"out", IP(src=X, dst=B_OUT) / UDP() / b"in")
    wire.inside.send(bytes(outbound))
    wire.outside.send(bytes(inbound))
    wire.expect(inside=[bytes(IP(src=X, dst=B, ttl=63) / UDP() / b"in")],
                outside=[bytes(IP(src=A_OUT, dst=X, ttl=63) / UDP(sport=1, dport=2) / b"out")])
    assert tool("diff", "--exit-code", path).stdout == ""
    assert exported.partition("\n")[2] == tool("render", path).stdout.partition("\n")[2]


def test_prefixes_are_not_for_stock_nft(tool, configuration):
    done = tool("export", "--to", "nft-native", configuration(PREFIXES), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{tool.file}:8:1: fd00:2::/48 2001:db8:2::/48 npt needs the engine")


def test_csv(tool, configuration, tmp_path):
    """As list prints it, but for what was counted; and pairs-files read it."""
    text = tool("export", "--to", "csv", configuration(PREFIXES)).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["internal"], row["external"], row["comment"], row["npt"]) for row in rows] == [
        (A, A_OUT, "a, b", ""), (B, B_OUT, "", ""), ("10.1.0.0/24", "203.0.113.0/24", "", ""),
        (A6, A6_OUT, "", ""), ("fd00:2::/48", "2001:db8:2::/48", "", "npt")]
    (tmp_path / "pairs.csv").write_text(text)
    again = tmp_path / "statnat.toml"
    again.write_text('[gateway]\npairs-files = ["pairs.csv"]\n')
    assert tool("export", "--to", "csv", again).stdout == text
    tool("sync", configuration(TOML))
    assert text.partition("\n")[0] == tool("list", "--csv").stdout.partition("\n")[0]


def test_json(tool, configuration):
    pairs = json.loads(tool("export", "--to", "json", configuration(PREFIXES)).stdout)["pairs"]
    assert pairs[0] == {"internal": A, "external": A_OUT, "npt": False, "comment": "a, b"}
    assert pairs[4] == {"internal": "fd00:2::/48", "external": "2001:db8:2::/48", "npt": True, "comment": ""}
    assert len(pairs) == 5


def test_a_broken_configuration(tool, configuration):
    """An error names its place, and nothing is written."""
    done = tool("export", "--to", "csv", configuration(TOML.replace(B_OUT, A_OUT)), check=False)
    assert (done.returncode, done.stdout) == (2, "") and f"{tool.file}:6:" in done.stderr


def test_what_is_listed_is_imported_and_synced(tool):
    """Through pipes, from standard input to standard output; and nothing is to be changed."""
    tool.sync(PAIRS, engine="native")
    pipe = tool.namespace.run("sh", "-ec", '"$0" list --csv | "$0" import --from csv | "$0" sync --engine native -',
                              str(TOOL))
    assert pipe.stdout == "nothing to change\n" and tool.held() == PAIRS
