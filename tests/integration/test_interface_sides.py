# SPDX-License-Identifier: GPL-2.0-or-later
"""External sides that are whatever an interface has: translated by it, followed, and waited for.

    A 10.0.0.2  fd00:1::2  ─┐                              wan0: addresses come and go
    B 10.0.0.3  fd00:1::3  ─┴─ in0 gateway out0 ─── X
    10.1.0.0/24, fd00:5::/48 (of the module)
"""

import json

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from net import A, A6, B, B6, B6_OUT, B_OUT, R1, R1_6, X, X6, until
from packets import TEXT, expression, row
from test_last_good import Machine, toml
from test_watch import Watcher
from wire import Wire, Wire6

# "done, but pairs wait" (docs/statnat-nft.8).
WAITING = 5


class Family4:
    wire, version, a, b, x, b_out, router = Wire, "-4", A, B, X, B_OUT, R1
    internal, network, host = "10.1.0.0/24", "198.18.1.0/24", 7
    one, other, length, whole = "198.51.100.77", "198.51.100.78", 32, 32
    # Not what others reach it by: of the link, or one more of a network.
    never = ["169.254.7.7/16"]

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, version, a, b, x, b_out, router = Wire6, "-6", A6, B6, X6, B6_OUT, R1_6
    internal, network, host = "fd00:5::/48", "2001:db8:5::/48", 7
    one, other, length, whole = "2001:db8:9::77", "2001:db8:9::78", 128, 128
    never = ["fe80::7/64 nodad", "2001:db8:9::1/64 nodad preferred_lft 0"]

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


class Gateway:
    def __init__(self, family, make_tool):
        self.family, self.wire = family, family.wire()
        self.tool = make_tool(self.wire.gateway)
        self.wire.gateway.sysctl(net__ipv6__conf__default__accept_dad=0)
        self.uplink()
        self.wire.gateway.ip(f"route replace {family.internal} via {family.router} dev in0 onlink")

    def uplink(self):
        self.wire.gateway.ip("link add wan0 type veth peer name wan1\nlink set wan0 up\nlink set wan1 up")

    def ip(self, *words, check=True):
        return self.wire.gateway.run("ip", self.family.version, *words, check=check)

    def has(self, *addresses):
        """Just these are on the interface."""
        self.ip("address", "flush", "dev", "wan0")
        for address in addresses:
            self.ip("address", "add", *address.split(), "dev", "wan0")

    def sync(self, pairs=None):
        file = self.tool.configure(pairs or {self.family.a: "address of wan0", self.family.b: self.family.b_out})
        return self.tool("sync", file, check=False)

    def passes(self, host, external):
        family, wire, header = self.family, self.wire, self.family.header
        wire.inside.send(header(host, family.x) / UDP(sport=4000, dport=4001) / TEXT)
        wire.expect(outside=[header(external, family.x, 63) / UDP(sport=4000, dport=4001) / TEXT])
        wire.outside.send(header(family.x, external) / UDP(sport=4001, dport=4000) / TEXT)
        wire.expect(inside=[header(family.x, host, 63) / UDP(sport=4001, dport=4000) / TEXT])


@pytest.fixture(scope="module", params=[Family4, Family6], ids=["IPv4", "IPv6"])
def gateway(request, make_tool):
    gateway = Gateway(request.param, make_tool)
    yield gateway
    gateway.wire.close()


@pytest.fixture(autouse=True)
def undone(gateway):
    yield
    gateway.has()
    gateway.tool("clear")


def test_packets_and_another_address(gateway):
    family = gateway.family
    for address in (family.one, family.other):
        gateway.has(f"{address}/{family.length}")
        assert gateway.sync().returncode == 0
        gateway.passes(family.a, address)
        gateway.passes(family.b, family.b_out)
        assert gateway.tool("diff", "--exit-code", gateway.tool.file).stdout == ""


def test_a_pair_waits_and_others_do_not(gateway):
    family, tool = gateway.family, gateway.tool
    done = gateway.sync()
    what = f"{family.a} = address of wan0 waits"
    assert done.returncode == WAITING and what in done.stderr
    assert f"wan0 has no IPv{family.version[1:]} address" in done.stderr
    assert tool.held() == {family.b: family.b_out}
    gateway.passes(family.b, family.b_out)
    checked = tool("check", tool.file)
    assert "1 pair, no errors" in checked.stdout and what in checked.stderr
    health = tool("status", "--health", check=False)
    assert health.returncode == 1 and what in health.stdout
    gateway.has(f"{family.one}/{family.length}")
    health = tool("status", "--health", check=False).stdout
    assert f"the address of wan0 is {family.one} now, and was nothing" in health
    assert gateway.sync().returncode == 0
    assert tool("status", "--health").returncode == 0
    assert tool.held() == {family.a: family.one, family.b: family.b_out}


def test_to_wait_is_no_loss(gateway):
    """All pairs of an uplink that is down wait, without --force."""
    family = gateway.family
    gateway.has(f"{family.one}/{family.length}")
    assert gateway.sync({family.a: "address of wan0"}).returncode == 0
    gateway.has()
    assert gateway.sync({family.a: "address of wan0"}).returncode == WAITING
    assert gateway.tool.held() == {}


def test_an_interface_that_is_not_there(gateway):
    family = gateway.family
    done = gateway.sync({family.a: "address of nowhere9", family.b: family.b_out})
    assert done.returncode == WAITING and "nowhere9 has no IPv" in done.stderr
    assert gateway.tool.held() == {family.b: family.b_out}


def test_which_address_it_is(gateway):
    family = gateway.family
    gateway.has(*family.never)
    assert gateway.sync().returncode == WAITING
    gateway.has(*family.never, f"{family.other}/{family.length}", f"{family.one}/{family.length}")
    assert gateway.sync().returncode == 0
    assert gateway.tool.held()[family.a] == family.one
    if family is Family6:
        gateway.has("fd00:77::1/64 nodad", f"{family.other}/64 nodad")
        assert gateway.sync().returncode == 0
        assert gateway.tool.held()[family.a] == family.other


@expression
def test_a_prefix(gateway):
    family = gateway.family
    base, length = family.network.split("/")
    gateway.has(base[:-1] + ("1" if base.endswith("0") else ":1") + f"/{length}")
    assert gateway.sync({family.internal: "prefix of wan0", family.b: family.b_out}).returncode == 0
    assert gateway.tool.held() == {family.internal: family.network, family.b: family.b_out}
    inside = family.internal.split("/")[0].removesuffix("0") + "9"
    gateway.passes(inside, base.removesuffix("0") + "9")
    gateway.has(f"{family.one}/{family.length}")
    done = gateway.sync({family.internal: "prefix of wan0", family.b: family.b_out})
    assert done.returncode == WAITING and "wan0 has no IPv" in done.stderr
    gateway.has(f"{family.one}/{family.length - 4}")
    done = gateway.sync({family.internal: "prefix of wan0", family.b: family.b_out})
    assert done.returncode == WAITING and f"which is not as long as {family.internal}" in done.stderr


@expression
def test_npt_extends_a_shorter_one(gateway):
    if gateway.family is Family4:
        pytest.skip("NPTv6")
    gateway.has("2001:db8:5::1/44 nodad")
    file = gateway.tool.configure(npt=True)
    file.write_text(file.read_text() + '"fd00:5::/48" = "prefix of wan0"\n')
    assert gateway.tool("sync", file, check=False).returncode == 0
    assert gateway.tool.held() == {"fd00:5::/48": "2001:db8::/48"}


def rows(tool):
    pairs = json.loads(tool("list", "-j").stdout)["pairs"]
    return {(one["external"], one.get("only"), one["comment"]) for one in pairs}


def test_in_other_words(gateway):
    """As one of several, in a table, and in a file of CSV; and list writes what it is."""
    family, tool = gateway.family, gateway.tool
    gateway.has(f"{family.one}/{family.length}")
    (tool.folder / "pairs.csv").write_text(f'{family.b},address of wan0,mail\n{family.b},{family.b_out} inbound\n')
    file = tool.configure({family.a: [family.other, "address of wan0"]})
    assert tool("sync", "--force", file, check=False).returncode == 0
    assert rows(tool) == {(family.other, None, ""), (family.one, "inbound", "")}
    file = tool.configure(pairs_files=["pairs.csv"])
    assert tool("sync", "--force", file, check=False).returncode == 0
    assert rows(tool) == {(family.one, None, "mail"), (family.b_out, "inbound", "")}
    assert f"{family.b},{family.one}," in tool("export", "--to", "csv", file).stdout


def test_further_ones_wait_with_it(gateway):
    """Who asked for them would be answered from the internal address."""
    family, tool = gateway.family, gateway.tool
    pairs = {family.a: ["address of wan0", family.other], family.b: family.b_out}
    done = gateway.sync(pairs)
    assert done.returncode == WAITING and f"what comes for {family.other} would be answered from" in done.stderr
    assert rows(tool) == {(family.b_out, None, "")}
    gateway.has(f"{family.one}/{family.length}")
    assert gateway.sync(pairs).returncode == 0
    assert rows(tool) == {(family.one, None, ""), (family.other, "inbound", ""), (family.b_out, None, "")}
    done = gateway.sync({family.a: "address of wan0", family.b: [family.b_out, family.other]})
    assert done.returncode == 0


def test_watch_follows(gateway, tmp_path):
    family, tool = gateway.family, gateway.tool
    file = tool.configure({family.a: "address of wan0", family.b: family.b_out})
    watcher = Watcher(gateway.wire.gateway, file, tmp_path)
    try:
        watcher.hears(b"READY=1")
        assert tool.held() == {family.b: family.b_out}
        for address in (family.one, family.other):
            gateway.has(f"{address}/{family.length}")
            until(lambda wanted=address: tool.held().get(family.a) == wanted)
        gateway.passes(family.a, family.other)
        gateway.ip("link", "del", "wan0")
        until(lambda: family.a not in tool.held())
        gateway.passes(family.b, family.b_out)
        gateway.uplink()
        gateway.has(f"{family.one}/{family.length}")
        until(lambda: tool.held().get(family.a) == family.one)
    finally:
        watcher.close()
        if gateway.ip("link", "show", "wan0", check=False).returncode:
            gateway.uplink()


def test_what_worked_last_follows_too(gateway, tmp_path):
    """The pair is kept as it was written, not as it was that day."""
    family = gateway.family
    machine = Machine(gateway.wire.gateway, tmp_path)
    machine.configure(toml({family.a: "address of wan0", family.b: family.b_out}))
    gateway.has(f"{family.one}/{family.length}")
    assert machine("sync").returncode == 0
    gateway.tool("clear")
    machine.configure("[pairs\n")
    gateway.has(f"{family.other}/{family.length}")
    assert machine("sync", "--last-good").returncode == 4
    assert gateway.tool.held() == {family.a: family.other, family.b: family.b_out}


BAD = [
    row("no name",          "address of "),
    row("a pattern",        "address of ppp*"),
    row("no such part",     "network of wan0"),
    row("a path",           "prefix of a/b"),
]


@pytest.mark.parametrize("external", BAD)
def test_bad_configuration(gateway, external):
    tool = gateway.tool
    file = tool.configure({gateway.family.a: external})
    done = tool("check", file, check=False)
    assert done.returncode == 2 and "neither an address nor a prefix" in done.stderr


def test_an_address_that_another_pair_has(gateway):
    family = gateway.family
    gateway.has(f"{family.one}/{family.length}")
    done = gateway.sync({family.a: "address of wan0", family.b: family.one})
    assert done.returncode == 2 and f"{family.one} is already the external address of" in done.stderr
