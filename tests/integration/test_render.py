# SPDX-License-Identifier: GPL-2.0-or-later
"""The pairs as a file that a ruleset includes, so that reloading the ruleset never leaves a moment without them.

    inside  ─── gateway ─── outside           what a reload loads: flush ruleset, a masquerade, and the file
"""

import pytest

from network import alongside
from net import A, A_OUT, PAIRS, A6, A6_OUT
from packets import row
from tool import ENGINE, TOOL
from traffic import Traffic

EXEMPT = ["10.0.0.0/8", "fd00::/8"]
LOAD = ("nft",) if ENGINE == "native" else (str(TOOL), "nft")
MASQUERADE = """flush ruleset
table ip nat {
	chain post { type nat hook postrouting priority srcnat; masquerade; }
}
"""


@pytest.fixture
def load(wire):
    """Loads a file as nft does which knows the rules of this engine."""
    return lambda path: wire.gateway.run(*LOAD, "-f", str(path))


@pytest.fixture
def flush(wire):
    """Takes away what somebody else's ruleset left."""
    yield
    wire.gateway.nft("flush ruleset")


CONFIGURATIONS = [
    #   why                             pairs                                       settings
    row("hosts of both families",       {**PAIRS, A6: A6_OUT},                      {}),
    row("one family",                   {A6: A6_OUT},                               {}),
    row("exempt destinations",          {**PAIRS, A6: A6_OUT},                      {"exempt_destinations": EXEMPT}),
    row("external interfaces",          {**PAIRS, A6: A6_OUT},
        {"external_interfaces": ["wan0", "ppp*"], "exempt_destinations": EXEMPT}),
    row("counters of rules",            PAIRS,                                      {"counters": "rule"}),
    row("no counters",                  PAIRS,                                      {"counters": "off"}),
    row("prefixes, with a hole",        {"10.1.0.0/16": "198.18.0.0/16", "10.1.0.5": A_OUT}, {},
        marks=pytest.mark.expression),
    row("prefixes of IPv6, NPTv6",      {"fd00:7::/48": "2001:db8:7::/48"},         {"npt": True},
        marks=pytest.mark.expression),
    row("nothing",                      {},                                         {}),
]


@pytest.mark.parametrize("pairs, settings", CONFIGURATIONS)
def test_what_is_rendered_is_what_sync_makes(synced, load, flush, pairs, settings, tmp_path):
    """Over what is there, and again over itself."""
    synced("render", "--output", tmp_path / "pairs.nft", path := synced.configure(pairs, **settings))
    for _ in range(2):
        load(tmp_path / "pairs.nft")
        done = synced("diff", "--exit-code", path)
        assert (done.stdout, done.stderr) == ("", "")
    assert synced.held() == {internal.removesuffix("/32"): external for internal, external in pairs.items()}


# Its policy rules, which are in no file of nft's, go with the next row's sync.
CLOSED = row("fail-closed", {**PAIRS, A6: A6_OUT}, {"fail_closed": True})


@pytest.mark.parametrize("pairs, settings", [CLOSED, *CONFIGURATIONS[:-1]])
def test_what_nft_lists_it_loads_again(wire, synced, load, flush, pairs, settings, tmp_path):
    """As many do: nft list ruleset > FILE, and FILE at the next boot. The next sync finds nothing to repair."""
    synced.sync(pairs, **settings)
    (tmp_path / "ruleset.nft").write_text(wire.gateway.run(*LOAD, "-s", "list", "ruleset").stdout)
    wire.gateway.nft("flush ruleset")
    load(tmp_path / "ruleset.nft")
    assert synced("diff", synced.configure(pairs, **settings)).stdout == ""


def test_comments(synced, load, flush, tmp_path):
    path = synced.configure({})
    comment = "mail, 100 % „sicher“ # $x; @y"
    path.write_text(path.read_text() + f'"{A}" = {{ external = "{A_OUT}", comment = "{comment}" }}\n')
    synced("render", "--output", tmp_path / "pairs.nft", path)
    load(tmp_path / "pairs.nft")
    assert synced("diff", path).stdout == ""


def test_no_reload_shows_another_source(wire, synced, load, flush, every_processor, tmp_path):
    """Each datagram arrives, from and at the right address, while the ruleset is flushed and loaded twenty times."""
    included = tmp_path / "ruleset.nft"
    synced("sync", synced.configure(PAIRS, ruleset_file=str(included)))
    (tmp_path / "nftables.conf").write_text(f'{MASQUERADE}include "{tmp_path}/ruleset*.nft"\n')
    load(tmp_path / "nftables.conf")
    traffic = Traffic(wire, list(PAIRS.items()))
    with alongside(traffic.run):
        try:
            for _ in range(20):
                synced("handover")
                load(tmp_path / "nftables.conf")
        finally:
            traffic.stop.set()
    assert traffic.sent > 20 and not traffic.wrong, traffic.wrong[:9]


def test_each_sync_writes_the_file_anew(synced, load, flush, tmp_path):
    included = tmp_path / "new folder" / "ruleset.nft"
    for pairs in (PAIRS, {A: A_OUT}):
        synced.sync(pairs, ruleset_file=str(included))
        load(included)
        assert synced("diff", synced.configure(pairs)).stdout == ""
        assert included.stat().st_mode & 0o777 == 0o600
    # What is refused leaves it alone, as it leaves the kernel alone.
    before = included.read_text()
    path = synced.configure({A: "nonsense"}, ruleset_file=str(included))
    assert synced("sync", path, check=False).returncode == 2
    assert included.read_text() == before


def test_where_it_goes(synced, tmp_path):
    """To the option's file, else the configuration's, else standard output; the kernel is left alone."""
    path = synced.configure(PAIRS, ruleset_file=str(tmp_path / "one"))
    assert synced("render", path).stdout == "" and (tmp_path / "one").exists()
    assert synced("render", "--output", tmp_path / "two", path).stdout == ""
    text = synced("render", synced.configure(PAIRS)).stdout
    assert text == (tmp_path / "one").read_text() == (tmp_path / "two").read_text() and A_OUT in text
    assert synced.held() == PAIRS


@pytest.mark.parametrize("value", ["", "ruleset.nft", "/run/", 7])
def test_a_bad_place_is_refused(synced, value):
    path = synced.configure(PAIRS, ruleset_file=value)
    done = synced("check", path, check=False)
    assert done.returncode == 2 and done.stderr.startswith(f"{path}:3:") and "ruleset-file" in done.stderr
    assert 'legal is the absolute name of a file, such as "/run/statnat/ruleset.nft"' in done.stderr
