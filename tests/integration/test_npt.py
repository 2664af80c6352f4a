# SPDX-License-Identifier: GPL-2.0-or-later
"""NPTv6 (RFC 6296): addresses change, and nothing that a checksum sees; with plain pairs in the same list.

    inside ──── gateway ──── outside        X6 2001:db8:3::10 has no pair
    the internal prefixes behind R1_6       the external prefixes routed to the gateway
"""

import itertools

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6ParamProblem,
                                ICMPv6TimeExceeded, IPv6)
from scapy.packet import Raw

import packets
from net import GATEWAY6_IN, GATEWAY6_OUT, R2_6, X6
from packets import TEXT, add, row, same
from pairs import INBOUND, OUTBOUND, Pair, Pairs
from roads import Family6, Road
from test_icmpv6_errors import QUOTES
from test_ipv6 import CUT
from test_prefixes import (test_each_element_counts_its_own, test_error_of_one_map_about_another, test_fragments,
                           test_packets, test_untracked_are_those_that_have_a_pair)

pytestmark = packets.expression

PAIRS = Pairs(
    Pair("fd01:203:405:1::99/128", "2001:db8:f::99/128"),
    Pair("2001:db8:1:d550::99/128", "2001:db8:1:d550::99/128"),  # what the line above leaves unused
    Pair("fd08:1:1:5::/64", "2001:db8:e:5::/64"),
    Pair("fd05:6:9:1::/64", "2001:db8:cc:dd:1::/64", npt=True),
    Pair("fd05:6:7:800::/56", "2001:db8:aa:bb77::/56", npt=True),
    Pair("fd01:203:405:8800::/56", "fd01:203:405:8800::/56", npt=True),
    Pair("fd09:1:2:2000::/51", "2001:db8:bb:e000::/51", npt=True),
    Pair("fd01:203:405::/48", "2001:db8:1:77::/48", npt=True),
    Pair("fd0a:1:2::/48", "2001:db8:d::/48"),
    Pair("fd06:1000::/20", "2400:1000::/20", npt=True),
)


@pytest.fixture(scope="module", params=["ip6", "inet"])
def road(request):
    road = Road(Family6, request.param, PAIRS)
    road.wire.errors_without_limit()
    yield road
    road.close()


HOSTS = [
    #   why                               internal                    external
    row("RFC 6296, 3.6",                  "fd01:203:405:1::1234",     "2001:db8:1:d550::1234"),
    row("word 3 computed as 0xffff",      "fd01:203:405:2ab0::1",     "2001:db8:1::1"),
    row("identifier of ones with a /48",  "fd01:203:405:1:ffff:ffff:ffff:ffff", "2001:db8:1:d550:ffff:ffff:ffff:ffff"),
    row("subnet 0xff, first word",        "fd05:6:7:8ff::1",          None),
    row("first word 0xffff",              "fd05:6:7:8ff:ffff::1",     None),
    row("only the last word is not",      "fd05:6:9:1:ffff:ffff:ffff:1", None),
    row("host of its own in a /48",       "fd01:203:405:1::99",       "2001:db8:f::99"),
    row("plain /64",                      "fd08:1:1:5::1234",         "2001:db8:e:5::1234"),
]


@pytest.mark.parametrize("internal, external", HOSTS)
def test_what_is_behind_the_addresses_stays(road, internal, external):
    """Byte for byte with npt, and right to a receiver that adds it up (Scapy, here) with or without."""
    computed = road.pairs.translated(internal, OUTBOUND)
    assert external in (None, computed) and road.pairs.translated(computed, INBOUND) == internal
    for carried in Family6.carried:
        before, behind = (bytes(IPv6(src=host, dst=X6) / carried)[40:] for host in (internal, computed))
        assert before == behind or not road.pairs.find(internal, OUTBOUND).npt
    for source, target in ((internal, X6), (X6, computed)):
        road.travel(*((source, target, carried) for carried in Family6.carried))


NPT_HOSTS = [row("48", "fd01:203:405:1::1234"), row("56", "fd05:6:7:8ff:ffff::1"), row("64", "fd05:6:9:1::1")]


def both_ways(road, internal):
    """Source and destination of a packet each way, before and behind the gateway."""
    external = road.pairs.translated(internal, OUTBOUND)
    return ("outside", (internal, X6), (external, X6)), ("inside", (X6, external), (X6, internal))


@pytest.mark.parametrize("internal", NPT_HOSTS)
def test_what_no_checksum_could_repair(road, internal):
    """Wrong checksums stay what they are, and cut off headers, untouched, pass."""
    cases = [(cut.values[0], cut.values[1]) for cut in CUT] + [(51, b"\6\4\0\0"), (50, b"\0\0")]
    for carried, at, protocol in ((TCP() / TEXT, 16, 6), (UDP() / TEXT, 6, 17), (ICMPv6EchoRequest(data=TEXT), 2, 58)):
        wrong = add(IPv6(src=internal, dst=X6) / carried, 40 + at, 0x1111)[40:]
        cases += [(protocol, wrong), (protocol, add(wrong, at, 0x5678))]
    for goes, before, behind in both_ways(road, internal):
        for protocol, content in cases:
            getattr(road.wire, road.end(before[0])).send(IPv6(src=before[0], dst=before[1], nh=protocol) / Raw(content))
        road.wire.expect(**{goes: [IPv6(src=behind[0], dst=behind[1], nh=protocol, hlim=63) / Raw(content)
                                   for protocol, content in cases]})


def test_checksum_left_to_offload(road):
    """The pseudo header's sum, which waits in the field, is as neutral."""
    for carried, at in ((TCP(seq=7) / TEXT, 56), (UDP() / TEXT, 46)):
        for goes, before, behind in both_ways(road, "fd01:203:405:1::1234"):
            data = bytes(IPv6(src=before[0], dst=before[1]) / carried)
            pseudo = packets.checksum(packets.pseudo_header(IPv6(data), len(data) - 40)) ^ 0xffff
            getattr(road.wire, road.end(before[0])).send_unfinished(
                data[:at] + pseudo.to_bytes(2, "big") + data[at + 2:], 40, at)
            road.wire.expect(**{goes: [IPv6(src=behind[0], dst=behind[1], hlim=63) / carried]})


@pytest.mark.parametrize("way", [row("outbound", OUTBOUND), row("inbound", INBOUND)])
def test_what_is_behind_quoted_addresses_stays(road, way):
    """And the error's checksum over all of it, where no plain pair is in play."""
    def is_plain(host):
        return (pair := road.pairs.find(host, way)) and not pair.npt

    neutral = [error for hosts, error in zip(itertools.product(road.samples(way), repeat=2), road.errors(way))
               if not any(map(is_plain, hosts))]
    assert len(neutral) >= 25
    road.travel(*neutral)
    for source, target, before, behind in neutral:
        before = bytes(IPv6(src=source, dst=target) / before)
        source, target = road.seen(source, target)
        behind = bytes(IPv6(src=source, dst=target) / behind)
        assert before[40:48] == behind[40:48] and before[88:] == behind[88:]


@pytest.mark.parametrize("internal", NPT_HOSTS)
def test_quotes(road, internal):
    """Of all sizes; the checksum that was right before is right behind, without having changed."""
    external = road.pairs.translated(internal, OUTBOUND)
    contents = [[ICMPv6PacketTooBig(mtu=1280) / Raw(bytes(IPv6(src=host, dst=X6, hlim=9) / carried)[:length])
                 for host in (external, internal)] for carried, length in (quote.values for quote in QUOTES)]
    road.travel(*((X6, external, *content) for content in contents))
    road.travel(*((R2_6, external, *content) for content in contents))


@pytest.mark.parametrize("internal", NPT_HOSTS)
def test_own_error(road, internal):
    """What the gateway itself says about a packet, once in terms of each side."""
    for _, (source, target), _ in both_ways(road, internal):
        told = getattr(road.wire, road.end(source))
        told.send(IPv6(src=source, dst=target, hlim=1) / UDP() / TEXT)
        got = told.receive()
        assert got, "the gateway says nothing"
        same(got, IPv6(src=IPv6(got).src, dst=source, fl=IPv6(got).fl) / ICMPv6TimeExceeded()
             / Raw(bytes(IPv6(src=source, dst=target, hlim=1) / UDP() / TEXT)))
        road.wire.expect()


# What has no counterpart: the addresses, and what the sender is told.
UNREACHABLE, PROBLEM = "unreachable", "problem"
ONES = "ffff:ffff:ffff:ffff"
NONE = [
    #   why                           internal                   external                      error
    row("subnet 0xffff, /48",         "fd01:203:405:ffff::1",    "2001:db8:1:ffff::1",         UNREACHABLE),
    row("subnet 0xffff, /20",         "fd06:1fff:1:ffff::1",     "2400:1000:1:ffff::1",        UNREACHABLE),
    row("identifier of zeros, /48",   "fd01:203:405:1::",        "2001:db8:1:d550::",          PROBLEM),
    row("identifier of zeros, /20",   "fd06:1fff:1:1::",         "2400:1000:1:1::",            PROBLEM),
    row("identifier of zeros, /56",   "fd05:6:7:8ff::",          "2001:db8:aa:bb01::",         PROBLEM),
    row("identifier of zeros, /64",   "fd05:6:9:1::",            "2001:db8:cc:dd::",           PROBLEM),
    row("identifier of ones, /56",    "fd05:6:7:8ff:" + ONES,    "2001:db8:aa:bb01:" + ONES,   PROBLEM),
    row("identifier of ones, /64",    "fd05:6:9:1:" + ONES,      "2001:db8:cc:dd:" + ONES,     PROBLEM),
]


@pytest.mark.parametrize("internal, external, error", NONE)
def test_no_counterpart(road, internal, external, error):
    """Its sender hears of it once, the rule counts it, the map's element does not."""
    assert road.pairs.translated(internal, OUTBOUND) is None and road.pairs.translated(external, INBOUND) is None
    for source, target, pointer, hops in ((internal, X6, 8, 63), (X6, external, 24, 64)):
        told, counted, dropped = getattr(road.wire, road.end(source)), road.rules.counters(), road.rules.dropped()
        told.send(IPv6(src=source, dst=target) / UDP() / TEXT)
        got = told.receive()
        assert got and IPv6(got).src in (GATEWAY6_IN, GATEWAY6_OUT)
        said = ICMPv6DestUnreach(code=3) if error is UNREACHABLE else ICMPv6ParamProblem(code=0, ptr=pointer)
        same(got, IPv6(src=IPv6(got).src, dst=source, fl=IPv6(got).fl) / said
             / Raw(bytes(IPv6(src=source, dst=target, hlim=hops) / UDP() / TEXT)))
        road.wire.expect()
        assert road.rules.dropped() == dropped + 1 and road.rules.counters() == counted


@pytest.mark.parametrize("internal, external, error", NONE)
def test_no_error_about_an_error(road, internal, external, error):
    """RFC 4443, 2.4 (e)."""
    dropped = road.rules.dropped()
    for source, target in ((internal, X6), (X6, external)):
        road.send(source, target, ICMPv6TimeExceeded() / Raw(bytes(IPv6(src=target, dst=source) / UDP() / TEXT)))
    road.wire.expect()
    assert road.rules.dropped() == dropped + 2


@pytest.mark.parametrize("internal, external, error", NONE)
def test_quoted_address_without_counterpart_stays(road, internal, external, error):
    """Behind outer addresses of npt, of a plain pair, and of none: what those are translated to is all that changes."""
    dropped = road.rules.dropped()
    outbound = [(host, X6, ICMPv6TimeExceeded() / Raw(bytes(IPv6(src=X6, dst=internal) / UDP() / TEXT)))
                for host in ("fd01:203:405:1::1234", "fd08:1:1:5::1234", Family6.no_pair[0])]
    inbound = [(X6, host, ICMPv6TimeExceeded() / Raw(bytes(IPv6(src=external, dst=X6) / UDP() / TEXT)))
               for host in ("2001:db8:1:d550::1234", "2001:db8:e:5::1234", Family6.no_pair[1])]
    road.travel(*outbound, *inbound)
    assert road.rules.dropped() == dropped
