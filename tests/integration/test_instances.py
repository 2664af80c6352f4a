# SPDX-License-Identifier: GPL-2.0-or-later
"""Several gateways beside one another in one network namespace, each with a configuration and tables of its own.

    A 10.0.0.2 fd00:1::2 ─┐
                          ├─ gateway: the instance without a name has A, red has B ── X
    B 10.0.0.3 fd00:1::3 ─┘
"""

import json

import pytest

from lan import FAMILIES, Lan
from net import A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, GATEWAY6_OUT, GATEWAY_OUT, TRACKING, until
from network import ask, hops
from packets import row
from test_last_good import Machine, toml
from test_watch import Watcher
from tool import ENGINE, RUN, TOOL, Tool, run_file

FIRST, SECOND = {A: A_OUT, A6: A6_OUT}, {B: B_OUT, B6: B6_OUT}
UNNAMED = "the instance without a name"


class Instance(Tool):
    """One that has a name, and a configuration where it belongs to nobody else."""

    def __init__(self, namespace, folder, name):
        super().__init__(namespace, folder)
        self.name, self.file = name, folder / f"{name}.toml"

    def __call__(self, *arguments, check=True):
        return super().__call__("--instance", self.name, *arguments, check=check)


@pytest.fixture(scope="module")
def lan():
    lan = Lan()
    lan.gateway.nft(TRACKING)
    yield lan
    lan.close()


@pytest.fixture
def unnamed(lan, tmp_path):
    tool = Tool(lan.gateway, tmp_path)
    tool.sync(FIRST)
    yield tool
    tool("clear")


@pytest.fixture
def red(lan, unnamed, tmp_path):
    tool = Instance(lan.gateway, tmp_path, "red")
    tool.sync(SECOND)
    yield tool
    tool("clear")


def tables(lan):
    return {line.split(maxsplit=1)[1] for line in lan.gateway.run("nft", "list", "tables").stdout.splitlines()}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.mark.parametrize("settings", [row("nothing exempt", {}),
                                      row("the inside exempt", {"exempt_destinations": ["10.0.0.0/8", "fd00::/8"]})])
@pytest.mark.parametrize("order", ["the named one last", "the named one first"])
def test_both_translate(lan, unnamed, red, family, order, settings):
    """And nothing of it is followed, whose chains come first; from one to the other, too."""
    if order == "the named one first":
        unnamed("clear")
    red.sync(SECOND, **settings)
    unnamed.sync(FIRST, **settings)
    lan.gateway.run("conntrack", "-F")
    assert ask(lan.a, lan.x, family.x, at=family.x) == (b"hello", family.a_out)
    assert ask(lan.b, lan.x, family.x, at=family.x) == (b"hello", family.b_out)
    assert ask(lan.x, lan.a, family.a_out, at=family.a)[0] == b"hello"
    assert ask(lan.x, lan.b, family.b_out, at=family.b)[0] == b"hello"
    if ENGINE == "expression" or not settings:  # a stock rule knows the hosts of its own instance alone
        assert ask(lan.a, lan.b, family.b_out) == (b"hello", family.a_out)
        assert ask(lan.b, lan.a, family.a_out) == (b"hello", family.b_out)
    assert lan.gateway.run("conntrack", "-L", "-f", f"ipv{family.version}", "-p", "udp").stdout == ""


def test_each_has_its_own(lan, unnamed, red):
    assert {"ip statnat", "ip6 statnat", "ip statnat-red", "ip6 statnat-red"} <= tables(lan)
    assert unnamed.held() == FIRST and red.held() == SECOND
    red("add", "10.0.0.4", "198.51.100.4", "--config", red.file)
    assert unnamed.held() == FIRST
    assert "table ip statnat-red" in red("diff", red.file).stdout + red("render", red.file).stdout
    assert "ip statnat-red int2ext" in red("explain", B).stdout
    unnamed("clear")
    assert red("status", "--health").stdout == "healthy\n"
    red.sync({})
    assert not {one for one in tables(lan) if "statnat" in one}
    assert "no table statnat-red" in red("status").stdout


def test_what_is_wrong_is_said_with_its_name(lan, unnamed, red):
    lan.gateway.nft("delete table ip statnat-red")
    assert red("status", "--health", check=False).stdout == "table ip statnat-red is gone\n"
    assert unnamed("status", "--health").stdout == "healthy\n"
    cures = json.loads(red("doctor", "-j", red.file, check=False).stdout)["findings"]
    assert not any("statnat-nft" in one["cure"] and "--instance red" not in one["cure"] for one in cures)


def test_metrics_have_a_label(unnamed, red):
    def lines(tool):
        return [line for line in tool("metrics", tool.file).stdout.splitlines() if not line.startswith("#")]
    assert all('{instance_name="red"' in line for line in lines(red))
    assert not any("instance_name" in line for line in lines(unnamed))


def test_records_are_apart(lan, unnamed, red):
    cookie = run_file("netns", lan.gateway).name
    assert (RUN / cookie).exists() and (RUN / f"@red@{cookie}").exists()


# What two of them claim.

OVERLAPS = [
    #   why                      of red                                            what is said
    row("an external address",   {"10.0.0.50": A_OUT},                             f"{A_OUT} is an external address"),
    row("an internal address",   {A: "198.51.100.50"},                             f"{A} is an internal address"),
    row("of IPv6",               {"fd00:1::50": A6_OUT},                           f"{A6_OUT} is an external address"),
]


@pytest.mark.parametrize("pairs, said", OVERLAPS)
def test_two_claims_are_refused(unnamed, red, pairs, said):
    done = red("sync", "--force", red.configure({**SECOND, **pairs}), check=False)
    assert done.returncode == 1 and said in done.stderr and UNNAMED in done.stderr and done.stdout == ""
    assert red.held() == SECOND
    assert said in red("diff", red.file).stderr
    (internal, external), = pairs.items()
    done = red("add", internal, external, check=False)
    assert done.returncode == 1 and said in done.stderr and red.held() == SECOND


@pytest.mark.expression
def test_a_prefix_claims_what_is_in_it(unnamed, red):
    done = red("sync", red.configure({"10.5.0.0/24": "198.51.100.0/24"}), "--force", check=False)
    assert done.returncode == 1 and "198.51.100.2 is an external address" in done.stderr


# A prefix with a hole, by what the hole is of, and who moves into it: the side is the only one in which they meet.
WIDE = {"10.0.0.0/24": "198.51.100.0/24", "fd00:1::/64": "2001:db8:1::/64"}
# So many that whoever looks at a few elements sees one of others.
OTHERS = [f"10.0.0.{number}" for number in range(201, 209)]
EXCLUDED, B6_INNER_OUT = {"exclude": [B, B6, *OTHERS]}, "2001:db8:1::3"
EXCLUDED_26, OVERRIDDEN = {"exclude": ["10.0.0.64/26"]}, {**WIDE, B: "192.0.2.99"}
ORDERS = ["the one with the hole first", "the one with the hole last"]
HOLES = [
    #   why                             of the unnamed      settings                of red
    row("an excluded host",             WIDE,               EXCLUDED,               {B: "192.0.2.77"}),
    row("an excluded host of IPv6",     WIDE,               EXCLUDED,               {B6: "2001:db8:77::3"}),
    row("its counterpart",              WIDE,               EXCLUDED,               {"10.9.0.9": B_OUT}),
    row("its counterpart of IPv6",      WIDE,               EXCLUDED,               {"fd00:9::9": B6_INNER_OUT}),
    row("by the external side",         WIDE,               {"exclude": [B_OUT]},   {B: "192.0.2.77"}),
    row("a prefix in an excluded one",  WIDE,               EXCLUDED_26,            {"10.0.0.96/28": "192.0.2.96/28"}),
    row("what an override leaves",      OVERRIDDEN,         {},                     {"10.9.0.9": B_OUT}),
]


def load_in(order, unnamed, red, *configurations):
    """Those of both; the tables are made in that order."""
    loads = list(zip((unnamed, red), configurations))
    for tool, _ in loads:
        tool("clear")
    for tool, (pairs, settings) in loads if order == ORDERS[0] else reversed(loads):
        tool.sync(pairs, **settings)


@pytest.mark.expression
@pytest.mark.parametrize("wide, settings, pairs", HOLES)
@pytest.mark.parametrize("order", ORDERS)
def test_a_hole_is_claimed_by_nobody(unnamed, red, wide, settings, pairs, order):
    load_in(order, unnamed, red, (wide, settings), (pairs, {}))
    assert red.held() == pairs and unnamed.held() == wide
    red("sync", red.file)
    (internal, external), = pairs.items()
    red("del", internal)
    red("add", internal, external)  # each knowing a few elements only
    assert red.held() == pairs
    unnamed("add", "10.8.0.8", "192.0.2.8")
    assert unnamed.held() == {**wide, "10.8.0.8": "192.0.2.8"}


@pytest.mark.expression
def test_a_hole_that_ends_is_claimed(unnamed, red):
    """By the pair around it, be it all that changes: rules stay as they are."""
    wide = {**WIDE, "10.0.0.8": "192.0.2.97", C: "192.0.2.99", "10.0.0.11": "192.0.2.101"}
    moved_in = {"10.0.0.10": "192.0.2.77", "10.9.0.9": "198.51.100.9"}
    load_in(ORDERS[0], unnamed, red, (wide, {"exclude": ["10.0.0.10"]}), (moved_in, {}))
    refused = unnamed("sync", "--force", unnamed.configure(wide), check=False)
    assert refused.returncode == 1 and "10.0.0.10 is an internal address of instance red" in refused.stderr
    warned = unnamed("diff", unnamed.file)
    assert "10.0.0.10 is an internal address" in warned.stderr and "rules" not in warned.stdout
    refused = unnamed("del", C, check=False)
    assert refused.returncode == 1 and "198.51.100.9 is an external address of instance red" in refused.stderr
    assert unnamed.held() == wide
    red("clear")
    assert "rules" not in unnamed("del", C).stdout
    unnamed("sync", unnamed.file)


@pytest.mark.expression
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("settings", [row("nothing exempt", {}), row("at a border", {"external_interfaces": ["out"]}),
                                      row("the inside exempt", {"exempt_destinations": ["10.0.0.0/8", "fd00::/8"]})])
def test_who_is_in_the_hole_is_translated(lan, unnamed, red, family, order, settings):
    """By its own instance, in whichever order packets meet the two; and no other host is."""
    load_in(order, unnamed, red, (WIDE, {**EXCLUDED, **settings}), ({B: B_OUT, B6: B6_INNER_OUT}, settings))
    lan.gateway.run("conntrack", "-F")
    gateway, b_out = (GATEWAY_OUT, B_OUT) if family.version == 4 else (GATEWAY6_OUT, B6_INNER_OUT)
    for host, address, out in ((lan.b, family.b, b_out), (lan.a, family.a, family.a_out)):
        assert ask(host, lan.x, family.x, at=family.x) == (b"hello", out)
        assert ask(lan.x, host, out, at=address) == (b"hello", family.x)
        assert hops(lan.x, out) == [gateway, out]  # by errors of both
    if "external_interfaces" not in settings:  # there one's hosts are to the other just any
        assert ask(lan.a, lan.b, b_out, at=family.b) == (b"hello", family.a_out)
    assert lan.gateway.run("conntrack", "-L", "-f", f"ipv{family.version}", "-p", "udp").stdout == ""


def test_what_is_free_again_may_be_claimed(unnamed, red):
    red.configure({**SECOND, C: A_OUT})
    assert red("sync", red.file, check=False).returncode == 1
    unnamed.sync({A: "198.51.100.77", A6: A6_OUT})
    red("sync", red.file)
    assert red.held() == {**SECOND, C: A_OUT}


# Watching.

def test_each_watches_its_own(lan, unnamed, red, tmp_path):
    watcher = Watcher(lan.gateway, red.file, tmp_path, ["--instance", "red"])
    try:
        watcher.hears(b"READY=1")
        before = watcher.lines()
        unnamed("clear")
        unnamed.sync(FIRST)
        lan.gateway.nft("delete table ip statnat")
        lan.gateway.nft("delete table ip statnat-red")
        until(lambda: red("status", "--health", check=False).stdout == "healthy\n")
        said = [line for line in watcher.lines()[len(before):] if "changed the tables" in line]
        assert len(said) == 1 and "table ip statnat-red is gone" in said[0]
        assert "ip statnat" not in tables(lan)
    finally:
        watcher.close()


# Its files.

@pytest.fixture
def machine(lan, tmp_path):
    machine = Machine(lan.gateway, tmp_path)
    yield machine
    machine("--instance", "blue", "clear")
    machine("clear")


def test_its_configuration_has_its_name(machine):
    """NAME.toml, and what is in NAME.d; what worked last is kept by its name, too."""
    machine.configure(toml(FIRST))
    (machine.etc / "blue.toml").write_text(toml({B: B_OUT}))
    (machine.etc / "blue.d").mkdir()
    (machine.etc / "blue.d" / "more.toml").write_text(f'[pairs]\n"{B6}" = "{B6_OUT}"\n')
    for words in (["--instance", "blue", "sync"], ["sync", "--instance", "blue"], ["--instance=blue", "sync"]):
        assert machine(*words).returncode == 0
        assert B6_OUT in machine("--instance", "blue", "list", "-j").stdout
    assert (machine.state / "blue.toml").exists() and not (machine.state / "statnat.toml").exists()
    assert "no pairs" not in machine("--instance", "blue", "export", "--to", "csv").stderr
    assert machine("export", "--to", "csv").stdout.count("\n") == 1 + len(FIRST)


NAMES = ["", "-x", "a+b", "a/b", "a.b", "statnat", "conf", "x" * 65, "ä"]


@pytest.mark.parametrize("name", NAMES)
def test_no_such_name(lan, name):
    done = lan.gateway.run(str(TOOL), f"--instance={name}", "list", check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "instance" in done.stderr


@pytest.mark.parametrize("name", ["x" * 64, "7", "A_b-9"])
def test_such_a_name(lan, tmp_path, name):
    tool = Instance(lan.gateway, tmp_path, name)
    tool.sync(SECOND)
    assert tool.held() == SECOND
    tool("clear")


ALONE = [
    #   what there can be once   configured                    said
    row("fail-closed",           {"fail_closed": True},        "fail-closed = true in an instance that has a name"),
    row("neighbours",            {"neighbours": True},         "neighbours = true in an instance that has a name"),
]


@pytest.mark.parametrize("settings, said", ALONE)
def test_what_only_the_unnamed_has(unnamed, red, settings, said):
    done = red("sync", red.configure(SECOND, **settings), check=False)
    assert done.returncode == 2 and said in done.stderr and f"{red.file}:3:" in done.stderr
    assert said in red("check", red.file, check=False).stderr


def test_what_is_the_unnamed_ones_stays(lan, unnamed, red):
    """Policy rules, and answers for addresses, when another one syncs and clears."""
    def theirs():
        return [lan.gateway.run("ip", *words.split()).stdout for words in ("rule", "-6 rule", "neigh show proxy",
                                                                           "route show table all proto 83")]
    unnamed.sync(FIRST, fail_closed=True, neighbours=True)
    before = theirs()
    red.sync({})
    red.sync(SECOND, neighbours=False)
    red("clear")
    assert theirs() == before and "blackhole" in before[0]
    assert unnamed("status", "--health").stdout == "healthy\n"
    assert unnamed("neighbours", unnamed.file).stdout == "nothing to change\n"
    assert red("neighbours", red.file, check=False).returncode == 2


@pytest.mark.parametrize("words", [["nft", "list", "ruleset"], ["save"], ["import", "--from", "nft"]])
def test_what_knows_no_instances(lan, words):
    done = lan.gateway.run(str(TOOL), "--instance", "red", *words, check=False)
    assert done.returncode == 2 and "leave --instance out" in done.stderr
