# SPDX-License-Identifier: GPL-2.0-or-later
"""What the expression refuses, by name of the error.

One namespace, no packets but where said: netlink made by hand, as no tool of ours would make it.
"""

import errno
import os
import subprocess

import pytest

from nfnl import (ARP, BRIDGE, COUNTS, DADDR, DETOURS, DROPPED, ELSE_MAPS, FIELD, FLAGS, FOLLOW, FOLLOWED, INET, IPV4,
                  IPV6, MALFORMED, MAPS, MAP_FLAGS, MAP_ID, MAP_NAME, MAP_PREFIX, MAP_WITHIN, MAP_WITHIN_LENGTH, NETDEV,
                  NOTRACK, NPT, Netlink, PAD, PREFIX_ADDRESS, PREFIX_LENGTH, SADDR, TRACKED, UNLESS, UNTRACK, UNTRACKED,
                  VIA, a_map, a_prefix, attribute, attributes, delete_map, delete_rules, expression, listed, name_of,
                  new_map, new_rule, snat_stateless)
from packets import expression as needs_module, row
from tool import TOOL

pytestmark = needs_module

UNKNOWN_KINDS = (DROPPED, PAD, 8, 9, 16)


def table(chain="type filter hook prerouting priority raw", family="ip", maps="", address="ipv4_addr"):
    return (f"table {family} t {{ map m {{ type {address} : {address}; }}; {maps}\n"
            f"chain c {{ {chain + ';' if chain else ''} }}; }}")


def maps_in(attribute):
    return [attributes(each) for each in listed(attribute)]


def refused(netlink, error, *messages):
    assert name_of(netlink.batch(*messages)) == error
    assert not list(netlink.rules("t"))


GOOD = {FIELD: attribute(FIELD, DADDR), MAPS: attribute(MAPS, [a_map("m")]), FLAGS: attribute(FLAGS, 0)}

ATTRIBUTES = [
    #   why                             error     instead of or beside the good ones
    row("no field",                     "EINVAL", {FIELD: b""}),
    row("no list of maps",              "EINVAL", {MAPS: b""}),
    row("an empty list of maps",        "EINVAL", {MAPS: attribute(MAPS, [])}),
    row("a list that is none",          "ERANGE", {MAPS: attribute(MAPS, "m")}),
    row("256 maps",                     "E2BIG",  {MAPS: attribute(MAPS, [a_map("m")] * 256)}),
    row("field 2",                      "ERANGE", {FIELD: attribute(FIELD, 2)}),
    row("field beyond 8 bits",          "ERANGE", {FIELD: attribute(FIELD, 0x101)}),
    row("field in host byte order",     "ERANGE", {FIELD: attribute(FIELD, b"\1\0\0\0")}),
    row("field of 2 bytes",             "ERANGE", {FIELD: attribute(FIELD, b"\0\1")}),
    row("flags of 2 bytes",             "ERANGE", {FLAGS: attribute(FLAGS, b"\0\1")}),
    row("flag 64",                      "EINVAL", {FLAGS: attribute(FLAGS, 64)}),
    row("follow and notrack",           "EINVAL", {FLAGS: attribute(FLAGS, FOLLOW | NOTRACK)}),
    row("follow and tracked",           "EINVAL", {FLAGS: attribute(FLAGS, FOLLOW | TRACKED)}),
    row("followed of a destination",    "EINVAL", {FLAGS: attribute(FLAGS, FOLLOWED)}),
    row("flag beyond 8 bits",           "EINVAL", {FLAGS: attribute(FLAGS, 0x100)}),
    row("flag 2^31",                    "EINVAL", {FLAGS: attribute(FLAGS, 1 << 31)}),
    row("notrack and untrack",          "EINVAL", {FLAGS: attribute(FLAGS, NOTRACK | UNTRACK)}),
    row("tracked and untracked",        "EINVAL", {FLAGS: attribute(FLAGS, TRACKED | UNTRACKED)}),
    row("tracked and notrack",          "EINVAL", {FLAGS: attribute(FLAGS, TRACKED | NOTRACK)}),
] + [row(f"attribute {kind}",           "EINVAL", {kind: attribute(kind, bytes(8))}) for kind in UNKNOWN_KINDS]


@pytest.mark.parametrize("error, given", ATTRIBUTES)
def test_attributes(ruleset, netlink, error, given):
    ruleset(table())
    refused(netlink, error, new_rule("t", "c", snat_stateless(*{**GOOD, **given}.values())))
    assert netlink.batch(new_rule("t", "c", snat_stateless(*GOOD.values()))) == 0


ONE_MAP = {MAP_NAME: attribute(MAP_NAME, "m")}


def within(address, length):
    return {MAP_WITHIN: attribute(MAP_WITHIN, address), MAP_WITHIN_LENGTH: attribute(MAP_WITHIN_LENGTH, length)}


MAP_ATTRIBUTES = [
    #   why                             error         instead of or beside the good ones
    row("no name",                      "EINVAL",     {MAP_NAME: b""}),
    row("identity of 2 bytes",          "EINVAL",     {MAP_ID: attribute(MAP_ID, b"\0\1")}),
    row("prefix of 2 bytes",            "EINVAL",     {MAP_PREFIX: attribute(MAP_PREFIX, b"\0\1")}),
    row("prefix 0",                     "ERANGE",     {MAP_PREFIX: attribute(MAP_PREFIX, 0)}),
    row("prefix 33",                    "ERANGE",     {MAP_PREFIX: attribute(MAP_PREFIX, 33)}),
    row("prefix 256 + 24",              "ERANGE",     {MAP_PREFIX: attribute(MAP_PREFIX, 256 + 24)}),
    row("flags of 2 bytes",             "EINVAL",     {MAP_FLAGS: attribute(MAP_FLAGS, b"\0\1")}),
    row("flag 2",                       "EINVAL",     {MAP_FLAGS: attribute(MAP_FLAGS, 2)}),
    row("npt in IPv4",                  "EPROTOTYPE", {MAP_FLAGS: attribute(MAP_FLAGS, NPT)}),
    row("within without its length",    "EINVAL",     {MAP_WITHIN: attribute(MAP_WITHIN, bytes(4))}),
    row("a length of no within",        "EINVAL",     {MAP_WITHIN_LENGTH: attribute(MAP_WITHIN_LENGTH, 8)}),
    row("within IPv6",                  "EPROTOTYPE", within(bytes(16), 8)),
    row("within 3 bytes",               "EPROTOTYPE", within(bytes(3), 8)),
    row("within nothing",               "EPROTOTYPE", within(b"", 8)),
    row("within 17 bytes",              "EPROTOTYPE", within(bytes(17), 8)),
    row("within length 0",              "ERANGE",     within(bytes(4), 0)),
    row("within length 33",             "ERANGE",     within(bytes(4), 33)),
    row("within length 256 + 8",        "ERANGE",     within(bytes(4), 256 + 8)),
    row("within length of 2 bytes",     "EINVAL",     within(bytes(4), b"\0\1")),
    row("within host bits",             "EINVAL",     within(b"\x0a\0\0\1", 31)),
    row("within more host bits",        "EINVAL",     within(b"\x0a\0\0\1", 8)),
    row("attribute 7",                  "EINVAL",     {7: attribute(7, 0)}),
    row("attribute 17",                 "EINVAL",     {17: attribute(17, 0)}),
]


@pytest.mark.parametrize("error, given", MAP_ATTRIBUTES)
def test_attributes_of_a_map(ruleset, netlink, error, given):
    ruleset(table())
    bad = attribute(1, list({**ONE_MAP, **given}.values()))
    for maps in ([bad], [a_map("m"), bad], [bad, a_map("m")]):
        refused(netlink, error, new_rule("t", "c", expression(DADDR, maps)))
    assert netlink.batch(new_rule("t", "c", expression(DADDR, [a_map("m")] * 2))) == 0


@pytest.mark.parametrize("length, error", [(64, 0), (65, "ERANGE"), (128, "ERANGE")])
def test_longest_npt_prefix(ruleset, netlink, length, error):
    """RFC 6296, 3.5: beyond that nothing is left to adjust."""
    ruleset(table(family="ip6", address="ipv6_addr"))
    rule = new_rule("t", "c", expression(DADDR, [a_map("m", length, npt=True)]), family=IPV6)
    assert name_of(netlink.batch(rule)) == error


def test_something_else_in_the_list(ruleset, netlink):
    ruleset(table())
    stranger = attribute(2, [attribute(MAP_NAME, "m")])
    refused(netlink, "EINVAL", new_rule("t", "c", expression(DADDR, [a_map("m"), stranger])))


def otherwise(*maps):
    return attribute(ELSE_MAPS, list(maps))


ELSE = [
    #   why                         error          field  flags                maps behind else
    row("without notrack",          "EINVAL",      DADDR, 0,                   ["m"]),
    row("behind untrack",           "EINVAL",      DADDR, UNTRACK,             ["m"]),
    row("behind saddr",             "EOPNOTSUPP",  SADDR, NOTRACK,             ["m"]),
    row("no maps",                  "EINVAL",      DADDR, NOTRACK,             []),
    row("no such map",              "ENODATA",     DADDR, NOTRACK,             ["m", "no such map"]),
    row("a map of other addresses", "EPROTOTYPE",  DADDR, NOTRACK,             ["x"]),
    row("fine",                     0,             DADDR, NOTRACK,             ["m"]),
    row("fine, also when tracked",  0,             DADDR, NOTRACK | UNTRACKED, ["m", "m"]),
]


@pytest.mark.parametrize("error, field, flags, names", ELSE)
def test_else(ruleset, netlink, error, field, flags, names):
    ruleset(table(family="inet", maps="map x { type ipv6_addr : ipv6_addr; }\n"))
    given = [attribute(FIELD, field), attribute(MAPS, [a_map("m")]), attribute(FLAGS, flags),
             otherwise(*[a_map(name) for name in names])]
    assert name_of(netlink.batch(new_rule("t", "c", snat_stateless(*given), family=INET))) == error
    held = list(netlink.rules("t", INET))
    assert len(held) == (not error)
    for _, dumped in held:
        assert [each[MAP_NAME] for each in maps_in(dumped[ELSE_MAPS])] == [b"m\0"] * len(names)
        assert name_of(netlink.batch(delete_map("t", "m", INET))) == "EBUSY"
    assert netlink.batch(delete_rules("t", "c", INET), delete_map("t", "m", INET)) == 0


def prefixes(*networks):
    return attribute(UNLESS, [a_prefix(network) for network in networks])


def odd_prefix(address, length=8, kind=1):
    return attribute(UNLESS, [a_prefix("10.0.0.0/8"), attribute(kind, [attribute(PREFIX_ADDRESS, address),
                                                                       attribute(PREFIX_LENGTH, length)])])


def half_prefix(kind, value):
    return attribute(UNLESS, [attribute(1, [attribute(kind, value)])])


EIGHT = [f"10.{number}.0.0/16" for number in range(8)]
# By field, flags and maps behind else.
SOURCE, BEHIND = (SADDR, UNTRACK, []), (DADDR, NOTRACK, ["m"])
DIRECT, LATE, WRONG = (DADDR, NOTRACK, []), (SADDR, 0, []), (DADDR, UNTRACK, [])
UNLESS_ROWS = [
    #   why                             error         rule    the attribute
    row("translating",                  "EINVAL",     DIRECT, prefixes("10.0.0.0/8")),
    row("translating a source",         "EOPNOTSUPP", LATE,   prefixes("10.0.0.0/8")),
    row("of a destination",             "EINVAL",     WRONG,  prefixes("10.0.0.0/8")),
    row("no prefixes",                  "EINVAL",     SOURCE, prefixes()),
    row("nine",                         "E2BIG",      SOURCE, prefixes(*EIGHT, "10.8.0.0/16")),
    row("IPv6",                         "EPROTOTYPE", SOURCE, prefixes("fd00::/8")),
    row("both families",                "EPROTOTYPE", BEHIND, prefixes("10.0.0.0/8", "fd00::/8")),
    row("3 bytes",                      "EPROTOTYPE", SOURCE, odd_prefix(bytes(3))),
    row("nothing",                      "EPROTOTYPE", SOURCE, odd_prefix(b"")),
    row("length 0",                     "ERANGE",     SOURCE, odd_prefix(bytes(4), 0)),
    row("length 33",                    "ERANGE",     SOURCE, odd_prefix(bytes(4), 33)),
    row("length 256 + 8",               "ERANGE",     SOURCE, odd_prefix(bytes(4), 256 + 8)),
    row("length of 2 bytes",            "EINVAL",     SOURCE, odd_prefix(bytes(4), b"\0\1")),
    row("host bits",                    "EINVAL",     SOURCE, odd_prefix(b"\x0a\0\0\1", 31)),
    row("something else in the list",   "EINVAL",     SOURCE, odd_prefix(bytes(4), 8, kind=2)),
    row("no length",                    "EINVAL",     BEHIND, half_prefix(PREFIX_ADDRESS, bytes(4))),
    row("no address",                   "EINVAL",     BEHIND, half_prefix(PREFIX_LENGTH, 8)),
    row("fine",                         0,            SOURCE, prefixes(*EIGHT)),
    row("fine, behind else",            0,            BEHIND, prefixes("0.0.0.0/1", "224.0.0.7/32")),
]


def told_as_given(netlink, error, rule, kind, given):
    """What is taken is told as it was given; what is refused holds no map."""
    field, flags, names = rule
    statement = [attribute(FIELD, field), attribute(MAPS, [a_map("m")]), attribute(FLAGS, flags), given]
    statement += [otherwise(*[a_map(name) for name in names])] if names else []
    assert name_of(netlink.batch(new_rule("t", "c", snat_stateless(*statement)))) == error
    held = list(netlink.rules("t"))
    assert len(held) == (not error)
    for _, dumped in held:
        assert dumped[kind] == given[4:]
    assert netlink.batch(delete_rules("t", "c"), delete_map("t", "m")) == 0


@pytest.mark.parametrize("error, rule, given", UNLESS_ROWS)
def test_unless(ruleset, netlink, error, rule, given):
    ruleset(table())
    told_as_given(netlink, error, rule, UNLESS, given)


def test_maps_of_two_families(ruleset, netlink):
    ruleset(table(family="inet", maps="map x { type ipv6_addr : ipv6_addr; }\n"))
    assert name_of(netlink.batch(new_rule("t", "c", expression(DADDR, [a_map("m"), a_map("x")]), family=INET))) == \
        "EPROTOTYPE"


def test_a_refused_rule_lets_go_of_its_maps(ruleset, netlink):
    ruleset(table())
    refused(netlink, "ENODATA", new_rule("t", "c", expression(DADDR, [a_map("m"), a_map("no such map")])))
    assert netlink.batch(delete_map("t", "m")) == 0


def test_each_map_of_a_list_is_held(ruleset, netlink):
    ruleset(table(maps="map x { type ipv4_addr : ipv4_addr; }\n"))
    assert netlink.batch(new_rule("t", "c", expression(DADDR, [a_map("m"), a_map("x", 24)]))) == 0
    for name in ("m", "x"):
        assert name_of(netlink.batch(delete_map("t", name))) == "EBUSY"
    assert netlink.batch(delete_rules("t", "c"), delete_map("t", "m"), delete_map("t", "x")) == 0


MAP_KINDS = [
    #   why                      error               declaration
    row("none of that name",     "ENODATA",          ""),
    row("a set",                 "EMEDIUMTYPE",      "set x { type ipv4_addr; }"),
    row("verdicts",              "EMEDIUMTYPE",      "map x { type ipv4_addr : verdict; }"),
    row("objects",               "EMEDIUMTYPE",      "map x { type ipv4_addr : counter; }"),
    row("key too long",          "EPROTOTYPE",       "map x { type ipv6_addr : ipv4_addr; }"),
    row("key too short",         "EPROTOTYPE",       "map x { type inet_service : ipv4_addr; }"),
    row("data too long",         "EPROTOTYPE",       "map x { type ipv4_addr : ipv6_addr; }"),
    row("data too short",        "EPROTOTYPE",       "map x { type ipv4_addr : inet_service; }"),
    row("both of 16 bytes",      "EPROTOTYPE",       "map x { type ipv6_addr : ipv6_addr; }"),
    row("address and port",      "EPROTOTYPE",       "map x { type ipv4_addr : ipv4_addr . inet_service; }"),
    row("intervals",             "EPROTONOSUPPORT",  "map x { type ipv4_addr : ipv4_addr; flags interval; }"),
    row("timeouts",              "EPROTONOSUPPORT",  "map x { type ipv4_addr : ipv4_addr; flags timeout; }"),
    row("dynamic",               "EPROTONOSUPPORT",  "map x { type ipv4_addr : ipv4_addr; flags dynamic; size 9; }"),
]


@pytest.mark.parametrize("error, declaration", MAP_KINDS)
def test_maps(ruleset, netlink, error, declaration):
    ruleset(table(maps=declaration + "\n" if declaration else ""))
    refused(netlink, error, new_rule("t", "c", expression(DADDR, "x")))


def test_map_of_another_table(ruleset, netlink):
    ruleset(table() + "\ntable ip other { map x { type ipv4_addr : ipv4_addr; }; }")
    refused(netlink, "ENODATA", new_rule("t", "c", expression(DADDR, "x")))


@pytest.mark.parametrize("name, error", [("__map0", "EPROTONOSUPPORT"), ("__map%d", "ENODATA")])
def test_anonymous_map(ruleset, netlink, name, error):
    """NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_MAP; the kernel puts the number into the name."""
    ruleset(table())
    reference = expression(DADDR, [attribute(1, [attribute(MAP_NAME, name), attribute(MAP_ID, 7)])])
    refused(netlink, error, new_map("t", "__map%d", flags=0xb, identity=7), new_rule("t", "c", reference))


def test_long_name(ruleset, netlink):
    name = "m" * 255
    ruleset(table(maps=f"map {name} {{ type ipv4_addr : ipv4_addr; }}\n"))
    assert netlink.batch(new_rule("t", "c", expression(DADDR, name))) == 0
    assert name_of(netlink.batch(new_rule("t", "c", expression(DADDR, name + "m")))) == "ERANGE"


HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
ALLOWED = {(SADDR, 0): {"postrouting", "input"}, (DADDR, 0): {"prerouting", "output"},
           (SADDR, UNTRACK): {"prerouting", "output"}, (DADDR, UNTRACK): {"prerouting", "output"},
           (SADDR, FOLLOW): {"prerouting", "output"}, (DADDR, FOLLOW): {"prerouting", "output"},
           (SADDR, FOLLOWED): {"postrouting"}, (SADDR, FOLLOW | FOLLOWED): {"postrouting"}}


@pytest.mark.parametrize("by", ["rule", "jump", "goto", "jump of a jump", "jump that comes later"])
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("kind", ALLOWED, ids=["saddr", "daddr", "saddr untrack", "daddr untrack", "saddr follow",
                                               "daddr follow", "saddr followed", "saddr follow followed"])
def test_hooks(ruleset, netlink, kind, hook, by):
    """Whether the rule stands in the base chain or is reached from it."""
    field, flags = kind
    base = f"type filter hook {hook} priority raw"
    wanted = 0 if hook in ALLOWED[kind] else "EOPNOTSUPP"
    rule = new_rule("t", "c", expression(field, "m", flags))
    if by == "rule":
        ruleset(table(base))
        assert (name_of(netlink.batch(rule)) or 0) == wanted
        return
    ruleset(table(""))
    if by == "jump of a jump":
        ruleset("table ip t { chain between { jump c; }; }")
    target = "jump between" if by == "jump of a jump" else "goto c" if by == "goto" else "jump c"
    base = f"table ip t {{ chain base {{ {base}; {target}; }}; }}"
    if by == "jump that comes later":
        assert netlink.batch(rule) == 0
        if wanted:
            with pytest.raises(AssertionError, match="Operation not supported"):
                ruleset(base)
        else:
            ruleset(base)
    else:
        ruleset(base)
        assert (name_of(netlink.batch(rule)) or 0) == wanted


@pytest.mark.parametrize("chain", ["type nat hook prerouting priority dstnat", "type nat hook output priority 0"])
def test_nat_chain(ruleset, netlink, chain):
    """A nat chain sees the first packet of a connection only."""
    ruleset(table(chain))
    refused(netlink, "EOPNOTSUPP", new_rule("t", "c", expression(DADDR, "m")))


@pytest.mark.parametrize("flags, error", [row("translates", FOLLOWED, "EOPNOTSUPP"),
                                          row("only tells", FOLLOW | FOLLOWED, 0)])
def test_nat_chain_of_sources(ruleset, netlink, flags, error):
    """A rule that only tells what is followed may stand there, too."""
    ruleset(table("type nat hook postrouting priority srcnat"))
    assert (name_of(netlink.batch(new_rule("t", "c", expression(SADDR, "m", flags)))) or 0) == error


def test_route_chain(ruleset, netlink):
    ruleset(table("type route hook output priority raw"))
    assert netlink.batch(new_rule("t", "c", expression(DADDR, "m"))) == 0


PREROUTING = "type filter hook prerouting priority 0"
INGRESS = "type filter hook ingress device lo priority 0"
FAMILIES = [
    row("ip",              "ip",     IPV4,   PREROUTING,                          "ipv4_addr", 0),
    row("ip6",             "ip6",    IPV6,   PREROUTING,                          "ipv6_addr", 0),
    row("inet, IPv4",      "inet",   INET,   PREROUTING,                          "ipv4_addr", 0),
    row("inet, IPv6",      "inet",   INET,   PREROUTING,                          "ipv6_addr", 0),
    row("ip, IPv6 map",    "ip",     IPV4,   PREROUTING,                          "ipv6_addr", "EPROTOTYPE"),
    row("ip6, IPv4 map",   "ip6",    IPV6,   PREROUTING,                          "ipv4_addr", "EPROTOTYPE"),
    row("bridge",          "bridge", BRIDGE, PREROUTING,                          "ipv4_addr", "EAFNOSUPPORT"),
    row("arp",             "arp",    ARP,    "type filter hook input priority 0", "ipv4_addr", "EAFNOSUPPORT"),
    row("netdev",          "netdev", NETDEV, "",                                  "ipv4_addr", "EAFNOSUPPORT"),
    row("inet at ingress", "inet",   INET,   INGRESS,                             "ipv4_addr", "EOPNOTSUPP"),
]


@pytest.mark.parametrize("family, number, chain, address, error", FAMILIES)
def test_families(ruleset, netlink, family, number, chain, address, error):
    ruleset(table(chain, family, address=address))
    code = netlink.batch(new_rule("t", "c", expression(DADDR, "m"), family=number))
    assert (name_of(code) or 0) == error


def test_not_in_an_element(ruleset, netlink):
    """Only stateful expressions may ride on the elements of a map."""
    ruleset(table())
    message = new_map("t", "x")
    message[3].append(attribute(17, [attribute(1, "snat_stateless"), attribute(2, list(GOOD.values()))]))
    assert name_of(netlink.batch(message)) == "EOPNOTSUPP"


def test_another_user_namespace():
    """Who is root there only must not reach the packet path."""
    script = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
import subprocess
from nfnl import *
class Here:
    def socket(self, *kind): return socket.socket(*kind)
subprocess.run(["nft", "-f", "-"], input={table()!r}, text=True, check=True)
print(Netlink(Here()).batch(new_rule("t", "c", expression(DADDR, "m"))))
"""
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "/usr/bin/python3", "-c", script],
                          capture_output=True, text=True)
    assert done.stdout.strip() == str(errno.EPERM), done.stderr


def test_dump_mirrors_what_was_given(ruleset, netlink):
    ruleset(table())
    for flags in (0, NOTRACK, UNTRACK, UNTRACKED, TRACKED, NOTRACK | UNTRACKED, UNTRACK | UNTRACKED, FOLLOW):
        assert netlink.batch(new_rule("t", "c", expression(DADDR, "m", flags))) == 0
        *_, (chain, dumped) = netlink.rules("t")
        dumped.pop(PAD, None)
        (one,) = maps_in(dumped.pop(MAPS))
        counts = attributes(dumped.pop(COUNTS))
        counts.pop(1, None)  # padding
        assert counts == {kind: bytes(8) for kind in range(MALFORMED, DETOURS + 1)}
        assert chain == "c" and dumped == {FIELD: b"\0\0\0\1", FLAGS: bytes([0, 0, 0, flags]), DROPPED: bytes(8)}
        assert one == {MAP_NAME: b"m\0", MAP_FLAGS: bytes(4)}


def test_dump_of_a_list(ruleset, netlink):
    ruleset(table(family="ip6", address="ipv6_addr", maps="map x { type ipv6_addr : ipv6_addr; }\n"))
    given = [a_map("x"), a_map("m", 128), a_map("m", 56), a_map("x", 48, npt=True), a_map("m", 1),
             a_map("m", within="fd00::/8"), a_map("m", 48, within="8000::/1"), a_map("m", within="::1/128")]
    assert netlink.batch(new_rule("t", "c", expression(DADDR, given), family=IPV6)) == 0
    ((_, dumped),) = netlink.rules("t", IPV6)
    told = [(each[MAP_NAME], each.get(MAP_PREFIX), each[MAP_FLAGS][3],
             each.get(MAP_WITHIN), each.get(MAP_WITHIN_LENGTH)) for each in maps_in(dumped[MAPS])]
    assert told == [
        (b"x\0", None, 0, None, None),
        (b"m\0", None, 0, None, None),
        (b"m\0", b"\0\0\0\x38", 0, None, None),
        (b"x\0", b"\0\0\0\x30", NPT, None, None),
        (b"m\0", b"\0\0\0\1", 0, None, None),
        (b"m\0", None, 0, b"\xfd" + bytes(15), b"\0\0\0\x08"),
        (b"m\0", b"\0\0\0\x30", 0, b"\x80" + bytes(15), b"\0\0\0\1"),
        (b"m\0", None, 0, bytes(15) + b"\1", b"\0\0\0\x80"),
    ]


DUMP_MAX = 3072


def len_of_dump(name, lists, maps):
    """With the field, the flags, the count of drops, and the lists' own headers."""
    return 8 + 8 + 12 + 4 * lists + maps * (4 + len(attribute(MAP_NAME, name)) + len(attribute(MAP_FLAGS, 0)))


def most_maps(name, lists):
    return max(count for count in range(DUMP_MAX) if len_of_dump(name, lists, count) <= DUMP_MAX)


def maps_of(rules):
    return [len(maps_in(given[MAPS])) + len(maps_in(given.get(ELSE_MAPS, b""))) for _, given in rules]


@pytest.mark.parametrize("around", [row("short names around", "t"), row("long names around", "t" * 255)])
@pytest.mark.parametrize("name", [row("short names", "m"), row("long names", "m" * 255)])
@pytest.mark.parametrize("lists", [row("one list", 1), row("two lists", 2)])
def test_as_many_maps_as_can_be_told(ruleset, namespace, netlink, lists, name, around):
    """A rule that does not fit into a message ends each dump, also stock nft's, and has no event."""
    most = most_maps(name, lists)
    ruleset(f"table ip {around} {{ map {name} {{ type ipv4_addr : ipv4_addr; }}\n"
            f"chain {around} {{ type filter hook prerouting priority raw; }}; }}")

    def rule(count):
        behind = [a_map(name)] * (count // 2 if lists == 2 else 0)
        before = [a_map(name)] * (count - len(behind))
        counter = attribute(1, [attribute(1, "counter")])
        return new_rule(around, around, expression(DADDR, before, NOTRACK, behind), counter)

    assert name_of(netlink.batch(rule(most + 1))) == "EMSGSIZE"

    listener = Netlink(namespace)
    listener.listen()
    assert netlink.batch(rule(most)) == 0
    assert maps_of(listener.new_rules()) == [most]
    listener.close()

    # The first message of a socket's first dump is the smallest.
    fresh = Netlink(namespace)
    ((_, told),) = fresh.rules(around)
    assert maps_of([(None, told)]) == [most]
    # What was counted is told where there is room for it.
    assert (COUNTS in told) == (DUMP_MAX - len_of_dump(name, lists, most) >= 4 + 12 * (DETOURS + 1 - MALFORMED))
    fresh.close()

    ruleset(f"add rule ip {around} {around} ip ttl 77")
    assert "ip ttl 77" in namespace.run("nft", "list", "ruleset").stdout
    ours = namespace.run(str(TOOL), "nft", "list", "ruleset").stdout
    assert ours.count(f"@{name}") == most and "ip ttl 77" in ours


@pytest.mark.parametrize("name, error", [("x", 0), ("no such name", "ENODATA")])
def test_map_of_the_same_batch(ruleset, netlink, name, error):
    """It is found by its name, whatever identity stands beside it."""
    ruleset(table())
    reference = attribute(1, [attribute(MAP_NAME, name), attribute(MAP_ID, 9)])
    code = netlink.batch(new_map("t", "x", identity=9), new_rule("t", "c", expression(DADDR, [reference])))
    assert (name_of(code) or 0) == error
    assert [one[MAP_NAME] for _, given in netlink.rules("t") for one in maps_in(given[MAPS])] == [b"x\0"] * (not error)


def interfaces(*names, kind=1):
    return attribute(VIA, [attribute(kind, name) for name in names])


MANY = [f"wan{number}" for number in range(8)]
DECIDED = (SADDR, UNTRACKED, [])
VIA_ROWS = [
    #   why                             error         hook  rule     the attribute
    row("translating a source",         "EOPNOTSUPP", 0,    LATE,    interfaces("wan0")),
    row("without a state",              "EINVAL",     4,    LATE,    interfaces("wan0")),
    row("decided, in prerouting",       "EOPNOTSUPP", 0,    DECIDED, interfaces("wan0")),
    row("decided, in input",            "EOPNOTSUPP", 1,    DECIDED, interfaces("wan0")),
    row("a destination in output",      "EOPNOTSUPP", 3,    DIRECT,  interfaces("wan0")),
    row("of a destination, untrack",    "EINVAL",     0,    WRONG,   interfaces("wan0")),
    row("none",                         "EINVAL",     0,    SOURCE,  interfaces()),
    row("nine",                         "E2BIG",      0,    SOURCE,  interfaces(*MANY, "ppp*")),
    row("no name",                      "EINVAL",     0,    SOURCE,  interfaces("")),
    row("all",                          "EINVAL",     0,    SOURCE,  interfaces("*")),
    row("an asterisk in the middle",    "EINVAL",     0,    SOURCE,  interfaces("w*0")),
    row("two asterisks",                "EINVAL",     0,    SOURCE,  interfaces("wan**")),
    row("16 bytes",                     "ERANGE",     0,    SOURCE,  interfaces(16 * "w")),
    row("300 bytes",                    "ERANGE",     0,    SOURCE,  interfaces(300 * "w")),
    row("something else in the list",   "EINVAL",     0,    SOURCE,  interfaces("wan0", kind=2)),
    row("fine",                         0,            0,    SOURCE,  interfaces(*MANY)),
    row("fine, 15 bytes",               0,            0,    SOURCE,  interfaces(15 * "w", 14 * "v" + "*", "w*")),
    row("fine, in output",              0,            3,    SOURCE,  interfaces("wan0")),
    row("fine, behind else",            0,            0,    BEHIND,  interfaces("wan0", "ppp*")),
    row("fine, of a destination",       0,            0,    DIRECT,  interfaces("wan0")),
    row("fine, decided",                0,            4,    DECIDED, interfaces("wan0")),
]


@pytest.mark.parametrize("error, hook, rule, given", VIA_ROWS)
def test_via(ruleset, netlink, error, hook, rule, given):
    name = ("prerouting", "input", "forward", "output", "postrouting")[hook]
    ruleset(table(f"type filter hook {name} priority raw"))
    told_as_given(netlink, error, rule, VIA, given)
