# SPDX-License-Identifier: GPL-2.0-or-later
"""One port or protocol of an external address, which goes elsewhere by somebody's dnat, tracked, while the pair has the
rest; and what an error quotes of either.

    A (pair), B (pair), C, R1 (none) ─── in0 gateway out0 ─── X
    udp 4000 of A's external address, and an ICMP echo request to B's, lead to C; udp 4002 of A's to B
"""

import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPerror6,
                                IPv6)
from scapy.packet import Raw

from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, C, C6, INSIDE, PAIRS, PAIRS6, R1, R1_6, R2, R2_6, TRACKING,
                 X, X6)
from packets import TEXT, expression, row
from tool import ENGINE, TOOL
from wire import Wire, Wire6


class Family4:
    wire, pairs, ip, icmp = Wire, PAIRS, "ip", 1
    a, b, c, x, r1, r2, a_out, b_out = A, B, C, X, R1, R2, A_OUT, B_OUT
    request, reply, error = ICMP(id=7, seq=1), ICMP(type=0, id=7, seq=1), ICMP(type=11)
    quoted = IPerror

    @staticmethod
    def header(source, target, hops=64):
        return IP(src=source, dst=target, ttl=hops, id=7)


class Family6:
    wire, pairs, ip, icmp = Wire6, PAIRS6, "ip6", 58
    a, b, c, x, r1, r2, a_out, b_out = A6, B6, C6, X6, R1_6, R2_6, A6_OUT, B6_OUT
    request, reply, error = ICMPv6EchoRequest(id=7), ICMPv6EchoReply(id=7), ICMPv6TimeExceeded()
    quoted = IPerror6

    @staticmethod
    def header(source, target, hops=64):
        return IPv6(src=source, dst=target, hlim=hops)


# Somebody's rules, in a table that is not ours.
ELSEWHERE = """table {ip} other {{
    chain elsewhere {{
        type nat hook prerouting priority -100
        {ip} daddr {a_out} udp dport 4000 dnat to {c}
        {ip} daddr {a_out} udp dport 4002 dnat to {b}
        {ip} daddr {b_out} meta l4proto {icmp} dnat to {c}
    }}
}}"""

GATEWAYS = {
    # why                   family   settings
    "IPv4":                 (Family4, {}),
    "IPv6":                 (Family6, {}),
    "exempt":               (Family4, {"exempt_destinations": INSIDE}),
    "exempt in IPv6":       (Family6, {"exempt_destinations": INSIDE}),
    "at a border":          (Family4, {"external_interfaces": ["out0"]}),
    "counters of rules":    (Family6, {"counters": "rule"}),
}
FOLLOWED = {
    "followed":             (Family4, {"conntrack": "follow"}),
    "followed in IPv6":     (Family6, {"conntrack": "follow"}),
}


class Gateway:
    def __init__(self, family, settings, make_tool):
        self.family, self.wire = family, family.wire()
        self.follows = "conntrack" in settings
        names = {name: getattr(family, name) for name in ("ip", "icmp", "a_out", "b_out", "b", "c")}
        self.wire.gateway.nft(TRACKING + "\n" + ELSEWHERE.format(**names))
        self.tool = make_tool(self.wire.gateway)
        exceptions = [f'{{ external = "{family.a_out}", udp = 4000 }}',
                      f'{{ external = "{family.a_out}", udp = 4002 }}',
                      f'{{ external = "{family.b_out}", protocol = {family.icmp} }}']
        if not self.follows:
            exceptions.append(f'{{ internal = "{family.b}", udp = 4002 }}')
        self.file = self.tool.configure(family.pairs, **settings)
        self.file.write_text(self.file.read_text().replace(
            "[gateway]\n", f"[gateway]\nexcept = [{', '.join(exceptions)}]\n"))
        self.tool("sync", self.file)

    def fresh(self):
        self.wire.gateway.run("conntrack", "-F")
        return self.family, self.wire, self.family.header

    def entries(self, protocol="udp"):
        version = 4 if self.family is Family4 else 6
        return self.wire.gateway.run("conntrack", "-L", "-f", f"ipv{version}", "-p", protocol).stdout


def gateways(table):
    return [row(why, values, marks=[expression] if table is FOLLOWED else ()) for why, values in table.items()]


@pytest.fixture(scope="module", params=[*gateways(GATEWAYS), *gateways(FOLLOWED)])
def gateway(request, make_tool):
    gateway = Gateway(*request.param, make_tool)
    yield gateway
    gateway.wire.close()


def there_and_back(gateway, port, host):
    """A datagram for a port of A's external address leads to the host, and the answer has that address."""
    family, wire, header = gateway.fresh()
    wire.outside.send(header(family.x, family.a_out) / UDP(sport=5000, dport=port) / TEXT)
    wire.expect(inside=[header(family.x, host, 63) / UDP(sport=5000, dport=port) / TEXT])
    wire.inside.send(header(host, family.x) / UDP(sport=port, dport=5000) / TEXT)
    wire.expect(outside=[header(family.a_out, family.x, 63) / UDP(sport=port, dport=5000) / TEXT])


PORTS = [
    #   why                             port    who has it  whether conntrack knows it by the external address
    row("elsewhere, without a pair",    4000,   "c",        True),
    row("elsewhere, to another pair",   4002,   "b",        True),
    row("of the pair",                  4001,   "a",        False),
]


@pytest.mark.parametrize("port, host, tracked", PORTS)
def test_ports(gateway, port, host, tracked):
    there_and_back(gateway, port, getattr(gateway.family, host))
    assert (f"src={gateway.family.x} dst={gateway.family.a_out} " in gateway.entries()) == tracked


def test_other_ports_of_who_is_led_to(gateway):
    """B's own pair has the rest of it, both ways."""
    family, wire, header = gateway.fresh()
    wire.inside.send(header(family.b, family.x) / UDP(sport=4003, dport=5000) / TEXT)
    wire.expect(outside=[header(family.b_out, family.x, 63) / UDP(sport=4003, dport=5000) / TEXT])
    wire.outside.send(header(family.x, family.b_out) / UDP(sport=5000, dport=4003) / TEXT)
    wire.expect(inside=[header(family.x, family.b, 63) / UDP(sport=5000, dport=4003) / TEXT])


def test_a_protocol(gateway):
    """All echo requests for B's external address lead to C; UDP is the pair's."""
    family, wire, header = gateway.fresh()
    wire.outside.send(header(family.x, family.b_out) / family.request / TEXT)
    wire.expect(inside=[header(family.x, family.c, 63) / family.request / TEXT])
    wire.inside.send(header(family.c, family.x) / family.reply / TEXT)
    wire.expect(outside=[header(family.b_out, family.x, 63) / family.reply / TEXT])


# Where the answers to what comes for these ports are from.
ANSWERS = [row("elsewhere, without a pair", 4000, "c"), row("elsewhere, to another pair", 4002, "b")]


@pytest.mark.parametrize("port, host", ANSWERS)
def test_an_error_from_outside(gateway, port, host):
    """A router outside has dropped the answer: its error reaches who has sent that, about an address that it knows."""
    host = getattr(gateway.family, host)
    there_and_back(gateway, port, host)
    family, wire, header = gateway.family, gateway.wire, gateway.family.header

    def error(source, target, sender, hops):
        quote = header(sender, family.x, 1) / UDP(sport=port, dport=5000) / TEXT
        return header(source, target, hops) / family.error / Raw(bytes(quote))

    wire.outside.send(error(family.r2, family.a_out, family.a_out, 64))
    wire.expect(inside=[error(family.r2, host, host, 63)])


def test_an_error_about_the_pair(gateway):
    """By another port, it is the pair's, with the engine that translates quotes."""
    family, wire, header = gateway.fresh()
    if gateway.follows:
        there_and_back(gateway, 4001, family.a)
    quote = header(family.a_out, family.x, 1) / UDP(sport=4001, dport=5000) / TEXT
    wire.outside.send(header(family.r2, family.a_out) / family.error / Raw(bytes(quote)))
    inside, _ = wire.drain()
    assert len(inside) == 1
    assert type(header(family.x, family.a))(inside[0]).dst == family.a


@pytest.mark.parametrize("port, host", ANSWERS)
def test_an_error_from_inside(gateway, port, host):
    """A router inside has dropped the question: its error is about the address that was asked."""
    host = getattr(gateway.family, host)
    there_and_back(gateway, port, host)
    family, wire, header = gateway.family, gateway.wire, gateway.family.header
    kind = ICMP(type=3, code=1) if family is Family4 else ICMPv6DestUnreach(code=3)
    quote = header(family.x, host, 63) / UDP(sport=5000, dport=port) / TEXT
    wire.inside.send(header(family.r1, family.x) / kind / Raw(bytes(quote)))
    _, outside = wire.drain()
    assert len(outside) == 1
    seen = type(quote)(outside[0])
    told = seen[family.quoted]
    assert (seen.dst, told.src, told.dst) == (family.x, family.x, family.a_out)
    assert (told[UDPerror].sport, told[UDPerror].dport) == (5000, port)


def test_it_is_told(gateway):
    family, tool = gateway.family, gateway.tool
    assert tool("sync", gateway.file).stdout == "nothing to change\n"
    assert tool("diff", "--exit-code", gateway.file).stdout == ""
    assert "    but not what is of udp 4000\n" in tool("explain", family.a_out).stdout
    assert f"    but not what is of protocol {family.icmp}\n" in tool("explain", family.b_out).stdout
    other, external = ("10.0.0.200", "198.51.100.200") if family is Family4 else ("fd00:1::200", "2001:db8:1::200")
    tool("add", other, external)
    there_and_back(gateway, 4000, family.c)
    tool("del", other)
    assert tool("diff", "--exit-code", gateway.file).stdout == ""


def test_of_files_for_nft(gateway):
    """What render writes is the same to the kernel, and so is what a listing of it makes when it is loaded."""
    load = ["nft"] if ENGINE == "native" else [str(TOOL), "nft"]
    run = gateway.wire.gateway.run
    run(*load, "-f", "-", stdin=gateway.tool("render", gateway.file).stdout)
    assert gateway.tool("diff", "--exit-code", gateway.file).stdout == ""
    run(*load, "-f", "-", stdin="flush ruleset\n" + run(*load, "-s", "list", "ruleset").stdout)
    assert gateway.tool("diff", "--exit-code", gateway.file).stdout == ""
    there_and_back(gateway, 4002, gateway.family.b)


def test_the_first_pair_of_a_family_takes_them_from_the_file(namespace, make_tool):
    tool = make_tool(namespace)
    tool.sync(PAIRS6)
    file = tool.configure({**PAIRS, **PAIRS6})
    file.write_text(file.read_text().replace(
        "[gateway]\n", f'[gateway]\nexcept = [{{ external = "{A_OUT}", tcp = 8443 }}]\n'))
    tool("add", A, A_OUT, "--config", file)
    assert "    but not what is of tcp 8443\n" in tool("explain", A_OUT).stdout


EXTERNAL = '[{ external = "198.51.100.2"'
BAD = [
    #   why                     except = ...                                        what is said
    row("no list",              '"198.51.100.2"',                                   "except is"),
    row("no table",             "[8443]",                                           "an exception is an integer"),
    row("no port",              EXTERNAL + " }]",                                   "1 side and 0 services"),
    row("no address",           "[{ tcp = 8443 }]",                                 "0 sides and 1 service"),
    row("both sides",           EXTERNAL + ', internal = "10.0.0.2", tcp = 1 }]',   "2 sides"),
    row("two services",         EXTERNAL + ", tcp = 1, udp = 1 }]",                 "2 services"),
    row("port 0",               EXTERNAL + ", tcp = 0 }]",                          "tcp is 0: legal is 1 to 65535"),
    row("port 65536",           EXTERNAL + ", udp = 65536 }]",                      "65536: legal is 1 to 65535"),
    row("protocol 256",         EXTERNAL + ", protocol = 256 }]",                   "256: legal is 1 to 255"),
    row("a port by name",       EXTERNAL + ', tcp = "https" }]',                    '"tcp" in an exception is "https"'),
    row("a prefix",             '[{ external = "198.51.100.0/24", tcp = 1 }]',      '"external" in an exception'),
    row("unknown key",          EXTERNAL + ", port = 1 }]",                         '"port" in an exception'),
    row("of no pair",           '[{ external = "198.51.100.77", tcp = 1 }]',        "the external address of no pair"),
    row("of the other side",    '[{ internal = "198.51.100.2", tcp = 1 }]',         "the internal address of no pair"),
]


@pytest.mark.parametrize("value, about", BAD)
def test_bad_configuration(namespace, make_tool, value, about):
    tool = make_tool(namespace)
    file = tool.configure(PAIRS, engine="auto")
    file.write_text(file.read_text().replace("[gateway]\n", f"[gateway]\nexcept = {value}\n"))
    done = tool("check", file, check=False)
    assert done.returncode == 2 and about in done.stderr, done.stderr


def test_refused_beside_follow(namespace, make_tool):
    tool = make_tool(namespace)
    file = tool.configure(PAIRS, engine="auto", conntrack="follow")
    file.write_text(file.read_text().replace("[gateway]\n", f'[gateway]\nexcept = [{{ internal = "{A}", tcp = 1 }}]\n'))
    done = tool("check", file, check=False)
    assert done.returncode == 2 and "since conntrack knows the answers" in done.stderr, done.stderr
