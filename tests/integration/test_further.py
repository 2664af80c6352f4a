# SPDX-License-Identifier: GPL-2.0-or-later
"""Several external addresses for one host: all of them lead to it, and what it sends, answers too, is from the first.

    A (pair: first, and two further externals), B (pair), R1 (none) ─── in0 gateway out0 ─── R2 (router), X
"""

import json

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, IPerror6, IPv6
from scapy.packet import Raw

from net import A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, INSIDE, PAIRS, R1, R1_6, R2, R2_6, TRACKING, X, X6
from packets import TEXT, expression, row
from tool import ENGINE, TOOL
from wire import Wire, Wire6


class Family4:
    wire, a, b, x, r1, r2, a_out, b_out = Wire, A, B, X, R1, R2, A_OUT, B_OUT
    further = ["198.51.100.99", "203.0.113.77"]
    error, quoted = ICMP(type=3, code=3), IPerror

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, a, b, x, r1, r2, a_out, b_out = Wire6, A6, B6, X6, R1_6, R2_6, A6_OUT, B6_OUT
    further = ["2001:db8:1::99", "2001:db8:9::7"]
    error, quoted = ICMPv6DestUnreach(code=4), IPerror6

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


GATEWAYS = [
    #   why                     family      settings
    row("IPv4",                 (Family4,    {})),
    row("IPv6",                 (Family6,    {})),
    row("exempt",               (Family4,    {"exempt_destinations": INSIDE})),
    row("at a border",          (Family4,    {"external_interfaces": ["out0"]})),
    row("at a border of IPv6",  (Family6,    {"external_interfaces": ["out0"]})),
    row("counters of rules",    (Family6,    {"counters": "rule"})),
    row("followed",             (Family4,    {"conntrack": "follow"}), marks=expression),
    row("followed in IPv6",     (Family6,    {"conntrack": "follow"}), marks=expression),
]


class Gateway:
    def __init__(self, family, settings, make_tool):
        self.family, self.settings, self.wire = family, settings, family.wire()
        self.wire.gateway.nft(TRACKING)
        self.tool = make_tool(self.wire.gateway)
        self.externals = [family.a_out, *family.further]
        self.tool.sync({family.a: self.externals, family.b: family.b_out}, **settings)

    def listed(self):
        return [(pair["external"], pair.get("only")) for pair in json.loads(self.tool("list", "-j").stdout)["pairs"]
                if pair["internal"] == self.family.a]

    def as_wanted(self):
        return self.tool("diff", "--exit-code", self.tool.file).stdout == ""


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(request, make_tool):
    gateway = Gateway(*request.param, make_tool)
    yield gateway
    gateway.wire.close()


@pytest.fixture(params=[0, 1, 2], ids=["the first", "the second", "the third"])
def external(request, gateway):
    return gateway.externals[request.param]


@pytest.mark.parametrize("content", [row("UDP", UDP(sport=4000, dport=4001) / TEXT),
                                     row("TCP", TCP(sport=4000, dport=4001, flags="S") / TEXT)])
def test_there(gateway, external, content):
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    wire.outside.send(header(family.x, external) / content)
    wire.expect(inside=[header(family.x, family.a, 63) / content])


def test_and_back(gateway, external):
    """Whatever it was asked by, the host answers from the first."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    wire.outside.send(header(family.x, external) / UDP(sport=5000, dport=5001) / TEXT)
    wire.expect(inside=[header(family.x, family.a, 63) / UDP(sport=5000, dport=5001) / TEXT])
    wire.inside.send(header(family.a, family.x) / UDP(sport=5001, dport=5000) / TEXT)
    wire.expect(outside=[header(family.a_out, family.x, 63) / UDP(sport=5001, dport=5000) / TEXT])


def test_from_inside(gateway, external):
    """Another host with a pair reaches it by each of them, too, and has its answer from the first."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    wire.inside.send(header(family.b, external) / UDP(sport=6000, dport=6001) / TEXT)
    wire.expect(inside=[header(family.b_out, family.a, 63) / UDP(sport=6000, dport=6001) / TEXT])
    wire.inside.send(header(family.a, family.b_out) / UDP(sport=6001, dport=6000) / TEXT)
    wire.expect(inside=[header(family.a_out, family.b, 63) / UDP(sport=6001, dport=6000) / TEXT])


@expression
def test_an_error_from_outside(gateway, external):
    """One that is about a packet from any of them, as a host with two uplinks may send it, is the host's."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header

    def error(source, target, sender, hops):
        quote = header(sender, family.x, 1) / UDP(sport=5001, dport=5000) / TEXT
        return header(source, target, hops) / family.error / Raw(bytes(quote))

    if gateway.settings.get("conntrack") == "follow":
        wire.inside.send(header(family.a, family.x) / UDP(sport=5001, dport=5000) / TEXT)
        wire.drain()
    wire.outside.send(error(family.r2, external, external, 64))
    wire.expect(inside=[error(family.r2, family.a, family.a, 63)])


@expression
@pytest.mark.parametrize("sender", ["a", "r1"])
def test_an_error_from_inside(gateway, external, sender):
    """It quotes the first, since by what the host has got nobody can tell which it was."""
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    wire.outside.send(header(family.x, external) / UDP(sport=5000, dport=5001) / TEXT)
    wire.expect(inside=[header(family.x, family.a, 63) / UDP(sport=5000, dport=5001) / TEXT])
    quote = header(family.x, family.a, 63) / UDP(sport=5000, dport=5001) / TEXT
    wire.inside.send(header(getattr(family, sender), family.x) / family.error / Raw(bytes(quote)))
    _, outside = wire.drain()
    assert len(outside) == 1
    seen = type(quote)(outside[0])
    told = seen[family.quoted]
    assert (seen.src, seen.dst) == (family.a_out if sender == "a" else family.r1, family.x)
    assert (told.src, told.dst, told[UDPerror].dport) == (family.x, family.a_out, 5001)


def test_it_is_told(gateway):
    family, tool = gateway.family, gateway.tool
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    assert gateway.as_wanted()
    assert gateway.listed() == [(family.a_out, None), *((one, "inbound") for one in family.further)]
    there = tool("explain", family.further[0]).stdout
    assert f"becomes {family.a}\n    pair: {family.a} {family.further[0]} inbound\n" in there
    assert f"    answers leave from: {family.a_out}\n" in there
    assert f"    reached by, too: {', '.join(family.further)}\n" in tool("explain", family.a).stdout


def test_each_is_counted(gateway):
    """By its own address, and once."""
    if gateway.settings.get("counters"):
        pytest.skip("not counted by pair")
    family, wire, header, tool = gateway.family, gateway.wire, gateway.family.header, gateway.tool

    def counted():
        return {pair["external"]: (pair["inbound"]["packets"], pair.get("outbound", {}).get("packets"))
                for pair in json.loads(tool("list", "-j").stdout)["pairs"] if pair["internal"] == family.a}

    before = counted()
    for one, times in zip(gateway.externals, (1, 2, 3)):
        for _ in range(times):
            wire.outside.send(header(family.x, one) / UDP(sport=4000, dport=4001) / TEXT)
    wire.inside.send(header(family.a, family.x) / UDP(sport=4000, dport=4001) / TEXT)
    wire.drain()
    after = counted()
    assert [after[one][0] - before[one][0] for one in gateway.externals] == [1, 2, 3]
    assert after[family.a_out][1] - before[family.a_out][1] == 1
    assert [after[one][1] for one in family.further] == [None, None]


def test_as_csv(gateway):
    """What is listed and exported as CSV is a file of the same pairs."""
    tool = gateway.tool
    pairs = tool.folder / "pairs.csv"
    for text in (tool("list", "--csv").stdout, tool("export", "--to", "csv", tool.file).stdout):
        pairs.write_text(text)
        file = tool.folder / "other.toml"
        settings = [line for line in tool.file.read_text().split("[pairs]")[0].splitlines()]
        file.write_text("\n".join([*settings, 'pairs-files = ["pairs.csv"]']) + "\n")
        assert tool("diff", "--exit-code", file).stdout == ""


def test_add_and_del(gateway):
    family, tool = gateway.family, gateway.tool
    one, other = family.further
    assert tool("del", other).stdout == "removed 1 pair" + (", wrote rules\n" if ENGINE == "expression" else "\n")
    assert gateway.listed() == [(family.a_out, None), (one, "inbound")]
    assert tool("diff", tool.file).stdout == f"+ {family.a} {other} inbound\n" + (
        "" if ENGINE == "native" else tool("diff", tool.file).stdout.split("\n", 1)[1])
    tool("add", family.a, other, "--inbound")
    assert gateway.as_wanted()
    tool("del", family.a)
    assert gateway.listed() == []
    done = tool("add", family.a, one, "--inbound", check=False)
    assert done.returncode == 1 and f"{family.a} has no pair to answer by" in done.stderr
    tool("add", family.a, family.a_out)
    for further in family.further:
        tool("add", "--inbound", family.a, further)
    assert gateway.as_wanted()
    done = tool("add", family.b, one, "--inbound", check=False)
    assert done.returncode == 1 and f"{one} is already the external address of {family.a}" in done.stderr


def test_of_files_for_nft(gateway):
    """What render writes is the same to the kernel, and so is what a listing of it makes when it is loaded."""
    load = ["nft"] if ENGINE == "native" else [str(TOOL), "nft"]
    run = gateway.wire.gateway.run
    run(*load, "-f", "-", stdin=gateway.tool("render", gateway.tool.file).stdout)
    assert gateway.as_wanted()
    run(*load, "-f", "-", stdin="flush ruleset\n" + run(*load, "-s", "list", "ruleset").stdout)
    assert gateway.as_wanted()


ONE, NEXT = '"10.0.0.2"', '"10.0.0.3" = "198.51.100.3"'
BAD = [
    #   why                         [pairs]                                             what is said
    row("nothing",                  f'{ONE} = []',                                      "of nothing"),
    row("a number",                 f'{ONE} = ["198.51.100.2", 9]',                     "is an integer: legal is"),
    row("no address",               f'{ONE} = ["198.51.100.2", "mail"]',                "neither an address"),
    row("twice",                    f'{ONE} = ["198.51.100.2", "198.51.100.2"]',        "is already"),
    row("of another host",          f'{ONE} = ["198.51.100.2", "198.51.100.3"]\n{NEXT}',
        "198.51.100.3 is already the external address of 10.0.0.2"),
    row("internal, too",            f'{ONE} = ["198.51.100.2", "10.0.0.3"]\n{NEXT}',    "on one side only"),
    row("of a prefix",              '"10.1.0.0/24" = ["198.51.100.0/24", "198.18.0.0/24"]', "which is a prefix"),
    row("the other family",         f'{ONE} = ["198.51.100.2", "2001:db8::2"]',         "not of the same family"),
    row("behind a prefix",          f'{ONE} = ["198.51.100.2", "203.0.113.7"]\n"10.1.0.0/24" = "203.0.113.0/24"',
        "10.1.0.7 reaches it too"),
    row("an internal of nobody",    '"224.0.0.2" = ["198.51.100.2", "198.51.100.9"]',   "224.0.0.2 is a multicast"),
]


@pytest.mark.parametrize("pairs, about", BAD)
def test_bad_configuration(namespace, make_tool, pairs, about):
    tool = make_tool(namespace)
    file = tool.configure()
    file.write_text('[gateway]\nengine = "auto"\n[pairs]\n' + pairs + "\n")
    done = tool("check", file, check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


BAD_CSV = [
    #   why             line                                        what is said
    row("alone",        "10.0.0.99,198.51.100.99 inbound",          "10.0.0.99 has no pair to answer by"),
    row("a comment",    "10.0.0.2,198.51.100.99 inbound,mail",      "a comment beside inbound"),
    row("another word", "10.0.0.2,198.51.100.99 outbound",          "neither npt, plain nor inbound"),
]


@pytest.mark.parametrize("line, about", BAD_CSV)
def test_bad_csv(namespace, make_tool, line, about):
    tool = make_tool(namespace)
    (tool.folder / "further.csv").write_text(line + "\n")
    done = tool("check", tool.configure(PAIRS, pairs_files=["further.csv"]), check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr
    assert "further.csv:1:" in done.stderr
