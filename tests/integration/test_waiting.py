# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the module is missing, hosts are translated without it and pairs of prefixes wait for it; nobody is left to
guess.

    inside ──── gateway ──── outside
    A and D are hosts with pairs; a prefix that waits covers A, and B       X 203.0.113.10
"""

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A6, A6_OUT, A_OUT, B, D, X
from packets import TEXT, row

pytestmark = pytest.mark.stock

# `sync` has done it, but pairs wait (docs/statnat-nft.8).
WAITING = 5

# Where the prefix would have A is a hole of it, and what D has.
HOLE, B_OF_PREFIX = "198.18.1.2", "198.18.1.3"
HOSTS = {A: A_OUT, D: HOLE, A6: A6_OUT}
PREFIXES = {"10.0.0.0/28": "198.18.1.0/28", "fd00:2::/48": "2001:db8:2::/48"}
ALL = {**HOSTS, **PREFIXES}

NO_MODULE = "there is no module nft_snat_stateless for this kernel"
NATIVE = f"engine native, since {NO_MODULE}"
WAIT = ("2 pairs of prefixes wait for the module, untranslated until a sync finds it: "
        "10.0.0.0/28 198.18.1.0/28, fd00:2::/48 2001:db8:2::/48 npt\n")


@pytest.fixture(autouse=True)
def without_module(wire, make_tool):
    """It may be there for others who test on this machine."""
    if "module: available" in make_tool(wire.gateway)("status").stdout:
        pytest.skip("the module is there")


@pytest.fixture
def path(tool):
    """A configuration with prefixes beside hosts, of whatever engine is there, for a gateway that has no pairs yet."""
    tool("clear")
    return tool.configure(ALL, engine="auto", npt=True)


@pytest.fixture
def waiting(tool, path):
    """The tool, after a sync of that."""
    assert tool("sync", path, check=False).returncode == WAITING
    return tool


def test_hosts_are_loaded_and_prefixes_wait(tool, path):
    done = tool("sync", path, check=False)
    assert (done.returncode, done.stdout) == (WAITING, "added 3 pairs, wrote rules\n")
    native, wait = done.stderr.splitlines(keepends=True)
    assert NATIVE in native and "ICMP errors are translated in their outer header only" in native
    assert 'engine = "native"' not in native  # which is no way out here
    assert wait.endswith(WAIT)
    assert tool.held() == HOSTS
    assert "rules: as expected" in tool("status").stdout


def test_a_sync_that_has_nothing_to_do_says_it_again(waiting, path, transactions):
    with transactions(0):
        done = waiting("sync", path, check=False)
        assert (done.returncode, done.stdout) == (WAITING, "nothing to change\n")
        assert NATIVE in done.stderr and WAIT in done.stderr
        quiet = waiting("--quiet", "sync", path, check=False)
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (WAITING, "", "")


def test_diff_has_nothing_to_do(waiting, path):
    done = waiting("diff", path)
    assert done.stdout == "" and WAIT in done.stderr
    assert waiting("diff", "--exit-code", path, check=False).returncode == WAITING
    waiting("del", D)
    assert waiting("diff", "--exit-code", path, check=False).returncode == 3


def test_check_asks_no_kernel(tool, path):
    """So it cannot know what would wait, and the file is right in any case."""
    done = tool("--verbose", "check", path)
    assert done.stdout == f"{path}: 5 pairs, no errors\n"
    assert not any(word in done.stderr for word in ("NEWTABLE", "engine", "wait"))


PACKETS = [
    #   why                                     from    source, target      what it becomes
    row("a host inside a prefix that waits",    "in",   (A, X),             (A_OUT, X)),
    row("from outside",                         "out",  (X, A_OUT),         (X, A)),
    row("a host with the hole",                 "in",   (D, X),             (HOLE, X)),
    row("from outside into the hole",           "out",  (X, HOLE),          (X, D)),
    row("the rest of the prefix",               "in",   (B, X),             (B, X)),
]


def datagram(source, target, hops=64):
    return IP(src=source, dst=target, ttl=hops) / UDP() / TEXT


@pytest.mark.parametrize("side, before, after", PACKETS)
def test_what_waits_is_not_translated(wire, waiting, side, before, after):
    wire.drain()
    if side == "in":
        wire.inside.send(datagram(*before))
        wire.expect(outside=[datagram(*after, hops=63)])
    else:
        wire.outside.send(datagram(*before))
        wire.expect(inside=[datagram(*after, hops=63)])


def test_external_addresses_of_what_waits_are_anybodys(wire, waiting):
    """Here the route to them leads back to where the packet came from."""
    wire.drain()
    wire.outside.send(datagram(X, B_OF_PREFIX))
    wire.expect(outside=[datagram(X, B_OF_PREFIX, hops=63)])


def test_engine_expression_wants_no_fallback(waiting, path, transactions):
    with transactions(0):
        for arguments in (["sync", "--engine", "expression", path], ["diff", "--engine", "expression", path],
                          ["sync", waiting.configure(ALL, engine="expression", npt=True)]):
            done = waiting(*arguments, check=False)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
            assert f'engine "expression" is not available: {NO_MODULE}' in done.stderr
            assert 'or use engine "auto", with which hosts are loaded and pairs of prefixes wait' in done.stderr
    assert waiting.held() == HOSTS


def test_engine_native_beside_prefixes_is_a_contradiction(waiting):
    path = waiting.configure(ALL, engine="native", npt=True)
    for command in ("sync", "diff", "check", "render"):
        done = waiting(command, path, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f'{path}:8:1: 10.0.0.0/28 198.18.1.0/28 needs the engine "expression"')
    assert waiting.held() == HOSTS


def test_hosts_alone_are_done(tool, path):
    """With a warning that ends where the file says that it is wanted so."""
    for engine, lines in (("auto", 1), ("native", 0)):
        path = tool.configure(HOSTS, engine=engine)
        for command in ("sync", "diff", "render"):
            done = tool(command, path)
            assert done.stderr.count("\n") == lines
            assert not lines or NATIVE in done.stderr and 'engine = "native" says so' in done.stderr
    assert tool.held() == HOSTS


def test_nothing_but_prefixes(tool, path):
    done = tool("sync", tool.configure(PREFIXES, engine="auto", npt=True), check=False)
    assert (done.returncode, done.stdout) == (WAITING, "nothing to change\n")
    assert done.stderr.count("\n") == 1 and NO_MODULE in done.stderr and "2 pairs of prefixes wait" in done.stderr
    assert "nothing is installed" in tool("status").stdout


def test_hosts_do_not_go_for_a_prefix_that_waits(waiting, transactions):
    """Which would be right if it were loaded: its addresses keep a pair then."""
    path = waiting.configure(PREFIXES, engine="auto", npt=True)
    with transactions(0):
        done = waiting("sync", path, check=False)
    assert done.returncode == 1 and "would remove all 3 pairs" in done.stderr
    assert "2 pairs of prefixes wait for the module" in done.stderr
    assert waiting.held() == HOSTS


def test_what_is_rendered_is_what_is_loaded(wire, tool, path, tmp_path):
    done = tool("render", "--output", tmp_path / "pairs.nft", path, check=False)
    assert done.returncode == WAITING and WAIT in done.stderr
    wire.gateway.run("nft", "-f", str(tmp_path / "pairs.nft"))
    assert tool("diff", path).stdout == "" and tool.held() == HOSTS


def test_the_first_pair_that_add_adds(tool, path):
    """What engine that is nobody has said yet."""
    done = tool("add", A, A_OUT, "--config", path)
    assert NATIVE in done.stderr and "wait" not in done.stderr
    assert tool("add", D, HOLE, "--config", path).stderr == ""


@pytest.mark.parametrize("engine, status, sentence", [
    row("auto", "auto", 1, NO_MODULE),
    row("expression", "expression", 1, NO_MODULE),
    row("native", "native", 2, "stock rules do not translate what ICMP errors quote"),
])
def test_what_conntrack_follows_is_refused(waiting, engine, status, sentence):
    """A firewall that expects to see packets of pairs is not passed by; the kernel keeps what it has."""
    before = waiting.held()
    path = waiting.configure({D: HOLE}, engine=engine, conntrack="follow")
    done = waiting("sync", "--force", path, check=False)
    assert done.returncode == status and 'conntrack = "follow"' in done.stderr and sentence in done.stderr
    assert waiting.held() == before
