# SPDX-License-Identifier: GPL-2.0-or-later
"""What is left alone inside of a pair of prefixes, by `exclude`: the same outbound, inbound and in what errors quote.

    10.1.0.0/24 = 198.18.1.0/24 ─── in0 gateway out0 ─── X, and whatever has no other way
    fd00:5::/48 = 2001:db8:5::/48

What is for an external address that nobody translates is routed to the inside, where it can be seen.
"""

import ipaddress
import json

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6TimeExceeded, IPv6
from scapy.packet import Raw

from net import R1, R1_6, TRACKING, X, X6
from packets import TEXT, expression, row
from pairs import INBOUND, OUTBOUND, Pair, Pairs
from tool import ENGINE
from wire import Wire, Wire6

# A host inside of what is excluded has a pair, another one has the external address of one that is excluded.
PAIRS = {"10.1.0.0/24": "198.18.1.0/24", "10.1.0.20": "198.51.100.20", "10.9.0.9": "198.18.1.2"}
PAIRS6 = {"fd00:5::/48": "2001:db8:5::/48", "fd00:5:0:7::20": "2001:db8:1::20", "fd00:9::9": "2001:db8:5::2"}
EXCLUDE = ["10.1.0.1", "10.1.0.2", "10.1.0.16/28", "198.18.1.200"]
EXCLUDE6 = ["fd00:5::1", "fd00:5::2", "fd00:5:0:7::/64", "2001:db8:5::200"]
NPT = {"fd01:203:405::/48": "2001:db8:1::/48"}
NPT_EXCLUDE = ["fd01:203:405:1::1234", "fd01:203:405:2::/64", "fd01:203:405:ffff::1"]


def holes(*prefixes):
    return [Pair(prefix, prefix) for prefix in prefixes]


MODEL = Pairs(
    Pair("10.1.0.20/32", "198.51.100.20/32"), Pair("10.9.0.9/32", "198.18.1.2/32"),
    *holes("10.1.0.1/32", "198.18.1.1/32", "10.1.0.2/32", "10.1.0.200/32", "198.18.1.200/32"),
    *holes("10.1.0.16/28", "198.18.1.16/28"), Pair("10.1.0.0/24", "198.18.1.0/24"))
MODEL6 = Pairs(
    Pair("fd00:5:0:7::20/128", "2001:db8:1::20/128"), Pair("fd00:9::9/128", "2001:db8:5::2/128"),
    *holes("fd00:5::1/128", "2001:db8:5::1/128", "fd00:5::2/128", "fd00:5::200/128", "2001:db8:5::200/128"),
    *holes("fd00:5:0:7::/64", "2001:db8:5:7::/64"), Pair("fd00:5::/48", "2001:db8:5::/48"))
# RFC 6296, 3.6 has the first of these.
NPT_MODEL = Pairs(
    *holes("fd01:203:405:1::1234/128", "2001:db8:1:d550::1234/128", "fd01:203:405:ffff::1/128"),
    *holes("fd01:203:405:2::/64", "2001:db8:1:d551::/64"), Pair("fd01:203:405::/48", "2001:db8:1::/48", npt=True))

INSIDE4 = ["10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.15", "10.1.0.16", "10.1.0.20", "10.1.0.31",
           "10.1.0.32", "10.1.0.200", "10.1.0.201", "10.9.0.9"]
OUTSIDE4 = ["198.18.1.0", "198.18.1.1", "198.18.1.2", "198.18.1.3", "198.18.1.15", "198.18.1.16", "198.18.1.20",
            "198.18.1.31", "198.18.1.32", "198.18.1.200", "198.51.100.20"]
INSIDE6 = ["fd00:5::1", "fd00:5::2", "fd00:5::3", "fd00:5:0:6::1", "fd00:5:0:7::1", "fd00:5:0:7::20", "fd00:5:0:8::1",
           "fd00:5::200", "fd00:9::9"]
OUTSIDE6 = ["2001:db8:5::1", "2001:db8:5::2", "2001:db8:5::3", "2001:db8:5:6::1", "2001:db8:5:7::1", "2001:db8:5:7::20",
            "2001:db8:5:8::1", "2001:db8:5::200", "2001:db8:1::20"]
NPT_INSIDE = ["fd01:203:405:1::1234", "fd01:203:405:1::1235", "fd01:203:405:2::7", "fd01:203:405:3::7",
              "fd01:203:405:ffff::1"]
NPT_OUTSIDE = ["2001:db8:1:d550::1234", "2001:db8:1:d550::1235", "2001:db8:1:d551::7", "2001:db8:1:d552::7"]


class Family4:
    version, wire, peer, router, inside = 4, Wire, X, R1, "10.0.0.0/8"
    externals = "198.18.0.0/15", "198.51.100.0/24"
    errors = ICMP(type=11), ICMP(type=3, code=3)

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    version, wire, peer, router, inside = 6, Wire6, X6, R1_6, "fd00::/8"
    externals = "2001:db8:1::/48", "2001:db8:5::/48"
    errors = ICMPv6TimeExceeded(), ICMPv6DestUnreach(code=4)

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


BORDER, FOLLOW = {"external_interfaces": ["out0"]}, {"conntrack": "follow"}
FOUR, SIX = (Family4, PAIRS, EXCLUDE, MODEL, INSIDE4, OUTSIDE4), (Family6, PAIRS6, EXCLUDE6, MODEL6, INSIDE6, OUTSIDE6)
SIX_NPT = (Family6, NPT, NPT_EXCLUDE, NPT_MODEL, NPT_INSIDE, NPT_OUTSIDE)
GATEWAYS = {
    # why                   pairs     settings
    "IPv4":                 (FOUR,    {}),
    "IPv6":                 (SIX,     {}),
    "npt":                  (SIX_NPT, {"npt": True}),
    "counters of rules":    (FOUR,    {"counters": "rule"}),
    "at a border":          (FOUR,    BORDER),
    "at a border of IPv6":  (SIX,     BORDER),
    "followed":             (FOUR,    FOLLOW),
    "followed in IPv6":     (SIX,     FOLLOW),
}


class Gateway:
    def __init__(self, held, settings, make_tool):
        family, pairs, exclude, model, inside, outside = held
        self.family, self.pairs, self.exclude, self.model, self.settings = family, pairs, exclude, model, settings
        self.inside, self.outside = inside, outside
        self.wire = family.wire()
        self.wire.gateway.nft(TRACKING)
        self.wire.gateway.ip("\n".join(f"route replace {prefix} via {family.router}"
                                       for prefix in (family.inside, *family.externals)))
        self.tool = make_tool(self.wire.gateway)
        self.load()

    def load(self, exclude=None):
        exclude = self.exclude if exclude is None else exclude
        self.tool.sync(self.pairs, exclude=exclude, **self.settings)

    def travel(self, content, error=None):
        """Between each address and the peer, both ways; what an error quotes is the packet that it is about."""
        header, peer = self.family.header, self.family.peer

        def carried(source, target):
            return content if error is None else error / Raw(bytes(header(target, source, 9) / content))

        seen = [self.model.translated(host, OUTBOUND) for host in self.inside]
        for host in self.inside:
            self.wire.inside.send(header(host, peer) / carried(host, peer))
        self.wire.expect(outside=[header(one, peer, 63) / carried(one, peer) for one in seen])
        seen = [self.model.translated(host, INBOUND) for host in self.outside]
        for host in self.outside:
            self.wire.outside.send(header(peer, host) / carried(peer, host))
        self.wire.expect(inside=[header(peer, one, 63) / carried(peer, one) for one in seen])

    def excluded(self):
        """Of the addresses of either side, those without a pair."""
        return ({host for host in self.inside if not self.model.find(host, OUTBOUND)},
                {host for host in self.outside if not self.model.find(host, INBOUND)})


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(request, make_tool):
    gateway = Gateway(*GATEWAYS[request.param], make_tool)
    yield gateway
    gateway.wire.close()


@expression
@pytest.mark.parametrize("content", [row("UDP", UDP(sport=4000, dport=4001) / TEXT), row("TCP", TCP(flags="A") / TEXT)])
def test_packets(gateway, content):
    gateway.travel(content)


@expression
@pytest.mark.parametrize("kind", [0, 1])
def test_errors(gateway, kind):
    """About packets of all of them, and from and to all of them."""
    gateway.travel(UDP(sport=4000, dport=4001) / TEXT, gateway.family.errors[kind])


@expression
def test_what_is_excluded_stays_tracked(gateway):
    gateway.wire.gateway.run("conntrack", "-F")
    gateway.travel(UDP(sport=7777, dport=7778) / TEXT)
    listing = gateway.wire.gateway.run("conntrack", "-L", "-f", f"ipv{gateway.family.version}", "-p", "udp").stdout
    peer = gateway.family.peer
    tracked = ({host for host in gateway.inside if f"src={host} dst={peer} " in listing},
               {host for host in gateway.outside if f"src={peer} dst={host} " in listing})
    if gateway.settings.get("conntrack") == "follow":
        assert tracked == (set(gateway.inside), gateway.excluded()[1])
    else:
        assert tracked == gateway.excluded()


@expression
def test_it_is_told(gateway):
    """Of each address by `explain`, of a change by `diff`; a second sync changes nothing."""
    both = [*((host, "outbound") for host in gateway.inside), *((host, "inbound") for host in gateway.outside)]
    for host, way in both:
        told = json.loads(gateway.tool("explain", "-j", host, check=False).stdout)[way]
        pair = gateway.model.find(host, OUTBOUND if way == "outbound" else INBOUND)
        # Where an excluded host has a pair after all, that is the reason of the hole.
        assert ("pair" in told, "excluded" in told or "beside" in told) == (bool(pair), not pair)
    assert f"{gateway.exclude[0]} is excluded" in gateway.tool("explain", gateway.exclude[0], check=False).stdout
    assert gateway.tool("sync", gateway.tool.file).stdout == "nothing to change\n"
    assert gateway.tool("diff", "--exit-code", gateway.tool.file).stdout == ""
    assert "rules: as expected\n" in gateway.tool("status").stdout
    gateway.tool.configure(gateway.pairs, exclude=gateway.exclude[1:], **gateway.settings)
    told = gateway.tool("diff", gateway.tool.file).stdout.splitlines()
    assert told[0] == f"- exclude {gateway.exclude[0]}" and not [line for line in told if "elements" in line]
    gateway.load()


@expression
def test_one_more_and_less(gateway):
    """The rules follow at once."""
    wide, header, peer = gateway.model.pairs[-1], gateway.family.header, gateway.family.peer
    host = gateway.exclude[0]
    for exclude, seen in (([], str(wide.translated(ipaddress.ip_address(host), OUTBOUND))), ([host], host)):
        gateway.tool.sync({str(wide.network(0)): str(wide.network(1))}, exclude=exclude, **gateway.settings)
        gateway.wire.inside.send(header(host, peer) / UDP() / TEXT)
        gateway.wire.expect(outside=[header(seen, peer, 63) / UDP() / TEXT])
    gateway.load()
    gateway.travel(UDP() / TEXT)


@expression
def test_pairs_come_and_go_beside_it(gateway):
    """What add and del write comes from what the kernel has; with the prefix goes what is excluded from it."""
    tool, four = gateway.tool, gateway.family is Family4
    host, external = ("10.7.0.7", "198.51.100.77") if four else ("fd00:77::7", "2001:db8:77::7")
    tool("add", host, external)
    gateway.travel(UDP() / TEXT)
    tool("del", host)
    gateway.travel(UDP() / TEXT)
    refused = tool("add", gateway.exclude[0], external, check=False)
    assert refused.returncode == 1 and f"{gateway.exclude[0]} is excluded" in refused.stderr
    wide = next(iter(gateway.pairs))
    for inner in list(gateway.pairs)[1:]:
        tool("del", inner)
    tool("add", host, external)
    tool("del", wide)
    assert tool.held() == {host: external}
    listing = gateway.wire.gateway.run("nft", "list", "ruleset").stdout
    assert not [one for one in gateway.exclude if f"{one.split('/')[0]} " in listing]
    gateway.load()
    gateway.travel(UDP() / TEXT)


BAD = [
    #   why                         excluded                        what is said
    row("a host with a pair",       ["10.1.0.20"],                  "10.1.0.20 is already the internal address of"),
    row("a host alone",             ["10.9.0.9"],                   "10.9.0.9 is inside no pair of prefixes"),
    row("the prefix itself",        ["10.1.0.0/24"],                "10.1.0.0/24 is inside no pair of prefixes"),
    row("around the prefix",        ["10.0.0.0/8"],                 "10.0.0.0/8 is inside no pair of prefixes"),
    row("of nobody",                ["192.0.2.99"],                 "192.0.2.99 is inside no pair of prefixes"),
    row("host bits",                ["10.1.0.17/28"],               "legal is 10.1.0.16/28"),
    row("no address",               ["router"],                     "is not a prefix"),
    row("no list",                  "10.1.0.1",                     "exclude is \"10.1.0.1\""),
    row("one external for two",     ["10.1.0.3"],                   "10.1.0.2 reaches it too"),
]


@pytest.mark.parametrize("excluded, about", BAD)
def test_bad_configuration(namespace, make_tool, excluded, about):
    tool = make_tool(namespace)
    done = tool("check", tool.configure(PAIRS, engine="auto", exclude=excluded), check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr


def test_of_a_file_that_worked_last(namespace, make_tool):
    """Named twice, from two files and by both sides, it is one; in text and as JSON."""
    tool = make_tool(namespace)
    file = tool.configure(PAIRS, engine="auto", exclude=[*EXCLUDE, "10.1.0.200", "10.1.0.1"])
    (file.parent / "conf.d").mkdir()
    (file.parent / "conf.d" / "more.toml").write_text('[gateway]\nexclude = ["198.18.1.17", "10.1.0.1"]\n')
    assert tool("check", file).returncode == 0


@pytest.mark.stock
def test_without_the_module(namespace, make_tool):
    """The prefix waits, and so does what is excluded from it; a host inside is translated as ever."""
    assert ENGINE == "native"
    tool = make_tool(namespace)
    done = tool("sync", tool.configure(PAIRS, engine="auto", exclude=EXCLUDE), check=False)
    assert done.returncode == 5 and "1 pair of prefixes waits" in done.stderr
    assert set(tool.held()) == {"10.1.0.20", "10.9.0.9"}
    assert tool("diff", tool.file, check=False).stdout == ""
    namespace.nft("flush ruleset")
