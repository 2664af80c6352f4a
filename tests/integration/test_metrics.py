# SPDX-License-Identifier: GPL-2.0-or-later
"""metrics, as a collector of somebody else's reads it; packets are counted at the other end, too."""

import contextlib
import stat

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scapy.layers.inet import IP, UDP

from net import A, A6, A6_OUT, A_OUT, B, B_OUT, X, until
from packets import expression, row
from test_watch import SOON, Watcher
from tool import ENGINE

PAIRS = {A: A_OUT, B: B_OUT, A6: A6_OUT}
NAMES = {"statnat_build_info", "statnat_healthy", "statnat_ailments", "statnat_degraded",
         "statnat_last_sync_timestamp_seconds", "statnat_pairs", "statnat_pairs_capacity", "statnat_restores_total",
         "statnat_pairs_digest"}
TOTALS = {"statnat_packets_total", "statnat_bytes_total"}
OF_PAIRS = {"statnat_pair_packets_total", "statnat_pair_bytes_total"}
REASONS = {"statnat_dropped_packets_total": {"malformed", "no_memory", "no_counterpart", "ipsec"},
           "statnat_left_alone_packets_total": {"tracked", "exempt", "local", "border"},
           "statnat_translated_errors_total": {"errors", "quotes"}, "statnat_dropped_redirects_total": {None}}
# What stock rules do not count has no samples.
DROPPED = REASONS.keys() if ENGINE == "expression" else set()
DAY = 86400


def parse(text):
    """Each sample by its name and its labels; none comes twice, and each family says what it is."""
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith(".") and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in samples
            samples[key] = sample.value
    return samples


def measured(tool, *options):
    return parse(tool("metrics", *options, tool.file).stdout)


def names(samples):
    return {key[0] for key in samples}


def value(samples, name, **labels):
    return samples[name, *sorted(labels.items())]


@pytest.fixture
def tool(wire, make_tool):
    """The gateway's, without pairs at the end."""
    tool = make_tool(wire.gateway)
    yield tool
    tool("clear")


def send(wire):
    """Two packets of A's out, and one in."""
    wire.inside.send(IP(src=A, dst=X) / UDP() / bytes(72))
    wire.inside.send(IP(src=A, dst=X) / UDP() / bytes(72))
    wire.outside.send(IP(src=X, dst=A_OUT) / UDP() / bytes(172))
    wire.expect(outside=2 * [IP(src=A_OUT, dst=X, ttl=63) / UDP() / bytes(72)],
                inside=[IP(src=X, dst=A, ttl=63) / UDP() / bytes(172)])


@pytest.mark.parametrize("settings, options, more", [
    row("alone",           {},                    [],            set()),
    row("traffic",         {},                    ["--traffic"], TOTALS),
    row("per pair",        {},                    ["--per-pair"], TOTALS | OF_PAIRS),
    row("rules count",     {"counters": "rule"},  [],            TOTALS),
    row("nothing counts",  {"counters": "off"},   ["--per-pair"], set()),
])
def test_what_there_is(tool, settings, options, more):
    tool.sync(PAIRS, **settings)
    samples = measured(tool, *options)
    assert names(samples) == NAMES | DROPPED | more
    for name, labels, wanted in (("statnat_pairs", {"family": "ipv4", "prefix_length": "32", "npt": "false"}, 2),
                                 ("statnat_pairs", {"family": "ipv6", "prefix_length": "128", "npt": "false"}, 1),
                                 ("statnat_healthy", {}, 1), ("statnat_ailments", {}, 0), ("statnat_degraded", {}, 0)):
        assert value(samples, name, **labels) == wanted
    (build,) = [dict(key[1:]) for key in samples if key[0] == "statnat_build_info"]
    assert build["engine"] == ENGINE and tool("--version").stdout.split()[1] == build["version"]
    since = value(samples, "statnat_last_sync_timestamp_seconds") - tool.file.stat().st_mtime
    assert -1 <= since < DAY


@expression
def test_reasons(wire, tool):
    """One for each, of each family, and their packets."""
    tool.sync(PAIRS)
    wire.inside.send(IP(src=A, dst=X, proto=6) / bytes(8))
    wire.expect()
    samples = measured(tool)
    for name, reasons in REASONS.items():
        found = {(dict(labels)["family"], dict(labels).get("reason", dict(labels).get("part")))
                 for found, *labels in samples if found == name}
        assert found == {(family, reason) for family in ("ipv4", "ipv6") for reason in reasons}
    assert value(samples, "statnat_dropped_packets_total", family="ipv4", reason="malformed") == 1
    assert sum(samples[key] for key in samples if key[0] in REASONS) == 1


@pytest.mark.parametrize("settings, options", [row("pairs", {}, ["--per-pair"]),
                                               row("rules", {"counters": "rule"}, [])])
def test_traffic(wire, tool, settings, options):
    tool.sync(PAIRS, **settings)
    send(wire)
    samples = measured(tool, *options)
    for direction, packets, octets in (("outbound", 2, 200), ("inbound", 1, 200)):
        of = {"family": "ipv4", "direction": direction}
        assert value(samples, "statnat_packets_total", **of) == packets
        assert value(samples, "statnat_bytes_total", **of) == octets
        if options:
            of = {"internal": A, "external": A_OUT, "direction": direction}
            assert value(samples, "statnat_pair_packets_total", **of) == packets
            assert value(samples, "statnat_pair_bytes_total", **of) == octets
            assert value(samples, "statnat_pair_packets_total", **{**of, "internal": B, "external": B_OUT}) == 0


def test_ailments(wire, tool):
    tool.sync(PAIRS)
    wire.gateway.nft("flush chain ip statnat prerouting")
    samples = measured(tool)
    assert (value(samples, "statnat_healthy"), value(samples, "statnat_ailments")) == (0, 1)
    tool("sync", tool.file)
    assert value(measured(tool), "statnat_healthy") == 1


def test_restores(wire, tool, tmp_path):
    """Those of watch, of what others did."""
    tool.sync(PAIRS)
    before = value(measured(tool), "statnat_restores_total")
    with contextlib.closing(Watcher(wire.gateway, tool.file, tmp_path)) as watcher:
        watcher.hears(b"READY=1")
        for count in (1, 2):
            wire.gateway.nft("flush chain ip statnat prerouting")
            until(lambda: value(measured(tool), "statnat_restores_total") == before + count, SOON)
        tool("sync", tool.file)
    assert value(measured(tool), "statnat_restores_total") == before + 2


def test_nothing_is_installed(tool):
    tool.configure(PAIRS)
    samples = measured(tool)
    assert value(samples, "statnat_healthy") == 0
    assert not names(samples) & {"statnat_pairs", "statnat_last_sync_timestamp_seconds"}


def test_a_file(tool, tmp_path):
    """A collector finds a whole one, and may read it."""
    tool.sync(PAIRS)
    file = tmp_path / "statnat.prom"
    assert tool("metrics", "--output", file, tool.file).stdout == ""
    assert parse(file.read_text()) == measured(tool)
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444
    before = file.stat().st_ino
    tool("metrics", "--output", file, tool.file)
    assert file.stat().st_ino != before and stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444
    done = tool("metrics", "--output", tmp_path / "none" / "statnat.prom", tool.file, check=False)
    assert done.returncode == 1 and "none" in done.stderr
