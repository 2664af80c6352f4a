# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs of prefixes and NPTv6 through the tool: what it makes the kernel do, and what it says about it.

    inside ──── gateway ──── outside        the peer, X or X6, has no pair
    internal prefixes behind R1, R1_6       external prefixes routed to the gateway
"""

import contextlib
import ipaddress
import json
import threading

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from net import R1_6, X, X6
from network import alongside
from nfnl import Netlink
from packets import TEXT, expression, row
from pairs import INBOUND, OUTBOUND, Pair, Pairs
from tool import FAST_PATH, Tool
from wire import Wire, Wire6

TOML = f"""
[gateway]
{FAST_PATH}engine = "expression"
npt = true
[pairs]
"10.1.0.5" = {{ external = "203.0.113.205", comment = "mail" }}
"10.2.3.0/24" = "198.51.100.0/24"
"10.1.0.0/24" = {{ external = "198.18.1.0/24", comment = "lab" }}
"10.2.0.0/16" = "198.19.0.0/16"
"fd01:203:405:1::99" = "2001:db8:f::99"
"fd01:203:405:2::/64" = {{ external = "2001:db8:e:2::/64", npt = false }}
"fd0a:1:2::/48" = {{ external = "2001:db8:d::/48", npt = false }}
"fd01:203:405::/48" = "2001:db8:1::/48"
"fd05:6:7:800::/56" = "2001:db8:aa::/48"
"""

# The same, longest first, with the holes that overrides leave over.
PAIRS = Pairs(
    Pair("10.1.0.5/32", "203.0.113.205/32"), Pair("198.18.1.5/32", "198.18.1.5/32"),
    Pair("10.2.3.0/24", "198.51.100.0/24"), Pair("198.19.3.0/24", "198.19.3.0/24"),
    Pair("10.1.0.0/24", "198.18.1.0/24"),
    Pair("10.2.0.0/16", "198.19.0.0/16"))
PAIRS6 = Pairs(
    Pair("fd01:203:405:1::99/128", "2001:db8:f::99/128"),
    Pair("2001:db8:1:d550::99/128", "2001:db8:1:d550::99/128"),
    Pair("fd01:203:405:2::/64", "2001:db8:e:2::/64"), Pair("2001:db8:1:d551::/64", "2001:db8:1:d551::/64"),
    Pair("fd05:6:7:800::/56", "2001:db8:aa::/56", npt=True),
    Pair("fd0a:1:2::/48", "2001:db8:d::/48"),
    Pair("fd01:203:405::/48", "2001:db8:1::/48", npt=True))

ADDRESSES = [
    #   why                                 address
    row("a host of its own",                "10.1.0.5"),
    row("beside it",                        "10.1.0.6"),
    row("first of a prefix",                "10.1.0.0"),
    row("last of a prefix",                 "10.1.0.255"),
    row("a prefix in a prefix",             "10.2.3.77"),
    row("beside that",                      "10.2.4.77"),
    row("no pair",                          "10.3.0.1"),
    row("the host's external",              "203.0.113.205"),
    row("where the host was",               "198.18.1.5"),
    row("beside the hole",                  "198.18.1.6"),
    row("where the inner prefix was",       "198.19.3.77"),
    row("the inner prefix outside",         "198.51.100.77"),
    row("the outer prefix outside",         "198.19.255.255"),
    row("RFC 6296, 3.6",                    "fd01:203:405:1::1234"),
    row("the same from outside",            "2001:db8:1:d550::1234"),
    row("a host of its own, npt around",    "fd01:203:405:1::99"),
    row("its external",                     "2001:db8:f::99"),
    row("where npt would have put it",      "2001:db8:1:d550::99"),
    row("a /64 of its own, npt around",     "fd01:203:405:2::7"),
    row("its external prefix",              "2001:db8:e:2::7"),
    row("where npt would have put that",    "2001:db8:1:d551::7"),
    row("plain /48",                        "fd0a:1:2:3::4"),
    row("extended to a /56",                "fd05:6:7:8ff::1"),
    row("the same from outside, /56",       "2001:db8:aa:ff:1234::1"),
    row("outside of the extension",         "2001:db8:aa:100::1"),
    row("subnet 0xffff",                    "fd01:203:405:ffff::1"),
    row("subnet 0xffff outside",            "2001:db8:1:ffff::1"),
    row("identifier of zeros",              "fd01:203:405:7::"),
    row("identifier of ones behind a /56",  "fd05:6:7:801:ffff:ffff:ffff:ffff"),
]


class Sides:
    """The wires of both families on gateways of their own, with the same configuration."""

    def __init__(self, folder):
        self.wires = {4: Wire(), 6: Wire6()}
        self.wires[6].gateway.ip(f"route add fd00::/8 via {R1_6}")
        self.tools = {}
        for version, wire in self.wires.items():
            (folder / str(version)).mkdir()
            self.tools[version] = Tool(wire.gateway, folder / str(version))
            self.tools[version].file.write_text(TOML)

    def sync(self):
        for tool in self.tools.values():
            tool("sync", "--force", tool.file)

    def close(self):
        for wire in self.wires.values():
            wire.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    both = Sides(tmp_path_factory.mktemp("statnat"))
    yield both
    both.close()


@pytest.fixture
def synced(both):
    both.sync()
    return both


@pytest.fixture(scope="module")
def transactions(both):
    """A context, in which there are so many transactions in the IPv6 gateway."""
    netlink = Netlink(both.wires[6].gateway)
    yield netlink.transactions
    netlink.close()


def is_inside(address):
    return address in ipaddress.ip_network("10.0.0.0/8" if address.version == 4 else "fd00::/8")


def packet(source, target, hops=64):
    header = (IP(src=source, dst=target, ttl=hops) if ipaddress.ip_address(target).version == 4 else
              IPv6(src=source, dst=target, hlim=hops))
    return header / UDP() / TEXT


def crosses(wire, address):
    """What becomes of an address when a packet comes from it, or to it; None if none arrives."""
    peer = X if address.version == 4 else X6
    if is_inside(address):
        wire.inside.send(packet(str(address), peer))
    else:
        wire.outside.send(packet(peer, str(address)))
    inside, outside = wire.drain()
    seen = [one for one in (outside if is_inside(address) else inside) if one.endswith(TEXT)]
    if not seen:
        return None
    header = (IP if address.version == 4 else IPv6)(seen[0])
    return header.src if is_inside(address) else header.dst


@expression
@pytest.mark.parametrize("address", ADDRESSES)
def test_what_arrives_is_what_explain_says(synced, address):
    address = ipaddress.ip_address(address)
    wire, tool = synced.wires[address.version], synced.tools[address.version]
    way = OUTBOUND if is_inside(address) else INBOUND
    pairs = PAIRS if address.version == 4 else PAIRS6
    pair = pairs.find(address, way)
    expected = pairs.translated(address, way)
    explained = tool("explain", "--json", address, check=False)
    told = json.loads(explained.stdout)["outbound" if way is OUTBOUND else "inbound"]
    assert explained.returncode == (0 if pair else 1)
    assert ("pair" in told) == bool(pair) and ("dropped" in told) == (expected is None)
    if pair:
        assert told["pair"]["internal"].split("/")[0] == str(pair.network(0).network_address)
        assert told.get("becomes") == expected
    wire.drain()
    arrived = crosses(wire, address)
    if way is OUTBOUND or pair:
        assert arrived == expected
    else:
        assert arrived is None  # the gateway has no way to it but the one it came
    text = tool("explain", address, check=False).stdout
    assert text.startswith(f"{address}\n") and (not pair or not expected or expected in text)


@expression
def test_listing_and_status(synced):
    for tool in synced.tools.values():
        tool("clear")  # what others have counted
    synced.sync()
    listed = [(pair["internal"], pair["external"], pair["npt"], pair["comment"])
              for tool in synced.tools.values() for pair in json.loads(tool("list", "-j").stdout)["pairs"]]
    assert sorted(set(listed)) == sorted([
        ("10.1.0.0/24", "198.18.1.0/24", False, "lab"), ("10.1.0.5", "203.0.113.205", False, "mail"),
        ("10.2.0.0/16", "198.19.0.0/16", False, ""), ("10.2.3.0/24", "198.51.100.0/24", False, ""),
        ("fd01:203:405::/48", "2001:db8:1::/48", True, ""), ("fd01:203:405:1::99", "2001:db8:f::99", False, ""),
        ("fd01:203:405:2::/64", "2001:db8:e:2::/64", False, ""), ("fd05:6:7:800::/56", "2001:db8:aa::/56", True, ""),
        ("fd0a:1:2::/48", "2001:db8:d::/48", False, "")])
    tool = synced.tools[6]
    assert "fd01:203:405::/48,2001:db8:1::/48,0,0,0,0,,npt\n" in tool("list", "--csv").stdout
    assert "2001:db8:1::/48 npt " in tool("list").stdout
    status = tool("status").stdout
    assert "1 of 48 IPv4 /24" not in status and "2 of 48 IPv4 /24" in status and "1 of 48 IPv6 /48 npt" in status
    assert "rules: as expected\n" in status


@expression
def test_second_sync_changes_nothing(synced, transactions):
    tool = synced.tools[6]
    with transactions(0):
        assert tool("sync", tool.file).stdout == "nothing to change\n"


@expression
def test_swap_of_a_prefix(synced, transactions):
    """In one transaction, with traffic all the time; everybody else's counters stay."""
    wire, tool = synced.wires[6], synced.tools[6]
    tool("clear")
    tool("sync", tool.file)
    wire.inside.send(packet("fd0a:1:2:3::4", X6))
    wire.drain()
    before = tool.pairs()
    assert before["fd0a:1:2::/48"]["outbound"]["packets"] == 1
    old, new = (Pair("fd01:203:405::/48", f"2001:db8:{site}::/48", npt=True) for site in ("1", "77"))
    host = ipaddress.ip_address("fd01:203:405:1::1234")
    stop, sent = threading.Event(), []

    def traffic():
        while not stop.wait(0.002):
            wire.inside.send(packet(str(host), X6))
            sent.append(1)

    tool.file.write_text(TOML.replace("2001:db8:1::/48", "2001:db8:77::/48"))
    try:
        with alongside(traffic), contextlib.ExitStack() as ending:
            ending.callback(stop.set)
            with transactions(1):
                tool("sync", tool.file)
    finally:
        tool.file.write_text(TOML)
    wire.inside.send(packet(str(host), X6))
    seen = [IPv6(one).src for one in wire.drain()[1]]
    assert len(seen) == len(sent) + 1
    switched = seen.index(str(new.translated(host, OUTBOUND)))
    assert seen == ([str(old.translated(host, OUTBOUND))] * switched +
                    [str(new.translated(host, OUTBOUND))] * (len(seen) - switched))
    after = tool.pairs()
    del before["fd01:203:405::/48"], after["fd01:203:405::/48"]
    assert after == before


@expression
def test_add_and_del(synced):
    tool, wire = synced.tools[6], synced.wires[6]
    pair = Pair("fd09:1:2::/48", "2001:db8:9::/48", npt=True)
    host, inner = (ipaddress.ip_address(f"fd09:1:2:5::{number}") for number in (7, 8))
    tool("add", "fd09:1:2::/48", "2001:db8:9::/48", "--npt")
    tool("add", inner, "2001:db8:b::8")
    assert crosses(wire, host) == str(pair.translated(host, OUTBOUND))
    assert crosses(wire, inner) == "2001:db8:b::8"
    hole = pair.translated(inner, OUTBOUND)
    assert crosses(wire, hole) is None
    assert "hole" in tool("explain", hole, check=False).stdout
    # Somebody moves into the hole, and then nobody may make room for the former tenant.
    tool("add", "fd0b::8", hole)
    assert crosses(wire, hole) == "fd0b::8"
    refused = tool("del", inner, check=False)
    assert refused.returncode == 1 and str(hole) in refused.stderr and "fd09:1:2:5::8" in refused.stderr
    tool("del", hole)
    assert crosses(wire, hole) is None
    tool("del", inner)
    assert crosses(wire, hole) == str(inner)
    tool("del", "2001:db8:9::/48")
    assert crosses(wire, host) == str(host)
    assert tool("diff", "--exit-code", tool.file).stdout == ""


REFUSED = [
    #   why                     command                                          exit status, what is said
    row("a host of a prefix",   ["del", "10.1.0.7"],                             1,
        "10.1.0.0/24 198.18.1.0/24 covers it"),
    row("host bits",            ["add", "10.7.0.1/24", "192.0.3.0/24"],          2, "legal is 10.7.0.0/24"),
    row("unequal lengths",      ["add", "10.7.0.0/24", "192.0.3.0/25"],          2, "not as long as"),
    row("mixed families",       ["add", "10.7.0.0/24", "fd07::/24"],             2, "family"),
    row("too short",            ["add", "0.0.0.0/0", "192.0.3.0/24"],            2, "too short"),
    row("npt of IPv4",          ["add", "10.7.0.0/24", "192.0.3.0/24", "--npt"], 2, "IPv4"),
    row("npt of a host",        ["add", "fd07::7", "2001:db8:7::7", "--npt"],    2, "/64"),
    row("two to one external",  ["add", "10.7.0.9", "198.18.1.9"],               1, "10.1.0.9 reaches it too"),
    row("on both sides",        ["add", "198.18.1.9", "192.0.3.9"],              1, "one side only"),
    row("explain of a prefix",  ["explain", "10.1.0.0/24"],                      2, "not an address"),
]


@expression
@pytest.mark.parametrize("arguments, status, about", REFUSED)
def test_refused_command(synced, arguments, status, about):
    tool = synced.tools[4]
    before = tool("list").stdout
    done = tool(*arguments, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert about in done.stderr
    assert tool("list").stdout == before


BAD = [
    #   why                      line of the file                                   column, what is said
    row("host bits",             '"10.7.0.1/24" = "192.0.3.0/24"',                  1, "legal is 10.7.0.0/24"),
    row("mixed families",        '"10.7.0.0/24" = "fd00::/24"',                     17, "family"),
    row("unequal lengths",       '"10.7.0.0/24" = "192.0.3.0/25"',                  17, "not as long as"),
    row("/0",                    '"::/0" = "2000::/16"',                            1, "too short"),
    row("too short, external",   '"10.0.0.0/8" = { external = "20.0.0.0/7" }',      29, "not as long as"),
    row("npt of IPv4",           '"10.7.0.0/24" = { external = "192.0.3.0/24", npt = true }', 52, "IPv4"),
    row("npt longer than /64",   '"fd07::/65" = { external = "2001:db8:7::/65", npt = true }', 53, "/64"),
    row("npt is a word",         '"fd07::/64" = { external = "2001:db8:7::/64", npt = "yes" }', 53, "true and false"),
    row("the same internal",     '"10.1.0.0/24" = "192.0.3.0/24"',                  1, "bad.toml:2"),
    row("the same external",     '"10.7.0.0/24" = "198.18.1.0/24"',                 17, "bad.toml:2"),
    row("inside an external",    '"10.7.0.0/25" = "198.18.1.128/25"',               17, "10.1.0.128/25 reaches it too"),
    row("around an external",    '"10.6.0.0/16" = "198.18.0.0/16"',                 17, "10.6.1.0/24 reaches it too"),
    row("on both sides",         '"10.7.0.0/24" = "10.1.0.0/24"',                   17, "one side only"),
    row("around an internal",    '"192.0.3.0/24" = "10.1.0.0/24"',                  18, "one side only"),
    row("apart by npt, inside",  '"fd01:203:405:8000::/50" = "2001:db8:9:8000::/50"', 1, "bad.toml:3"),
    row("apart by npt, outside", '"fd07::/50" = "2001:db8:1:8000::/50"',            15, "bad.toml:3"),
    row("where npt arrives",     '"fd07::1234" = "2001:db8:1:d550::1234"',          16,
        "fd01:203:405:1::1234 reaches it too"),
]


@pytest.mark.parametrize("line, column, about", BAD)
def test_bad_configuration(both, line, column, about):
    tool = both.tools[4]
    path = tool.folder / "bad.toml"
    path.write_text('[pairs]\n"10.1.0.0/24" = "198.18.1.0/24"\n'
                    f'"fd01:203:405::/48" = {{ external = "2001:db8:1::/48", npt = true }}\n{line}\n')
    for command in ("check", "sync", "diff"):
        done = tool(command, path, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{path}:4:{column}: "), done.stderr
        assert about in done.stderr


def test_native_engine_says_where_it_stops(both):
    tool = both.tools[4]
    path = tool.folder / "native.toml"
    path.write_text('[gateway]\nengine = "native"\n[pairs]\n"10.0.0.2" = "203.0.113.2"\n'
                    '"10.1.0.0/24" = "198.18.1.0/24"\n')
    for command in (["check", path], ["sync", path], ["diff", path], ["sync", "--engine", "native", path]):
        done = tool(*command, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f'{path}:5:1: 10.1.0.0/24 198.18.1.0/24 needs the engine "expression"')


def test_native_engine_takes_no_prefix_from_the_command_line(both):
    wire = Wire()
    folder = both.tools[4].folder / "own"
    folder.mkdir()
    tool = Tool(wire.gateway, folder)
    tool.sync({"10.0.0.2": "203.0.113.2"}, engine="native")
    done = tool("add", "10.1.0.0/24", "198.18.1.0/24", check=False)
    assert done.returncode == 1 and 'needs the engine "expression"' in done.stderr
    assert set(tool.pairs()) == {"10.0.0.2"}
    assert json.loads(tool("explain", "-j", "10.0.0.2").stdout)["outbound"]["becomes"] == "203.0.113.2"
    wire.close()


@expression
def test_the_module_is_taken_once_it_is_there(both):
    """What waited for it is loaded, and counters of hosts that did not wait go on."""
    with contextlib.closing(Wire()) as wire:
        folder = both.tools[4].folder / "late"
        folder.mkdir()
        tool = Tool(wire.gateway, folder)
        host, network = {"10.0.0.2": "198.51.100.2"}, {"10.1.0.0/24": "198.18.1.0/24"}
        tool.sync(host, engine="native")
        wire.inside.send(packet("10.0.0.2", X))
        wire.drain()
        counted = tool.counters("10.0.0.2")
        said = tool("status").stdout
        assert "engine: native\nmodule: available: the next sync takes it" in said and counted[0] == 1
        assert tool("sync", tool.configure({**host, **network}, engine="auto")).stderr == ""
        assert "engine: expression\nmodule: available\n" in tool("status").stdout
        assert tool.held() == {**host, **network} and tool.counters("10.0.0.2") == counted
