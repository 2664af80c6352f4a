# SPDX-License-Identifier: GPL-2.0-or-later
"""Who on the wire answers for which address, asked by another host of that network.

    A 10.0.0.2, B 10.0.0.3 ─── switch ─── lan  gateway  out ──────────── eth0  X
      fd00:1::2, fd00:1::3                192.0.2.1 2001:db8:2::1       192.0.2.2 2001:db8:2::2

Asked by frames of Scapy's and by X's own kernel; what the gateway holds is read by ip(8) and nft(8).
"""

import contextlib
import json
import re
import socket

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.utils6 import in6_getnsma, in6_getnsmac

from lan import Lan
from net import A, A6, B, B6, GATEWAY6_OUT, GATEWAY_OUT, R2, R2_6, many
from network import PORT, family
from tool import ENGINE, Tool

A_NEAR, B_NEAR, NOBODY = "192.0.2.102", "192.0.2.103", "192.0.2.104"
A6_NEAR, B6_NEAR, NOBODY6 = "2001:db8:2::102", "2001:db8:2::103", "2001:db8:2::104"
FAR = "198.51.100.9"  # in no network that is connected
PAIRS = {A: A_NEAR, A6: A6_NEAR}
BOTH = {**PAIRS, B: B_NEAR, B6: B6_NEAR}
PROTOCOL = "83"


@pytest.fixture(scope="module")
def lan():
    with contextlib.closing(Lan()) as topology:
        yield topology


@pytest.fixture
def tool(lan, tmp_path):
    gateway = Tool(lan.gateway, tmp_path)
    yield gateway
    gateway("clear")
    lan.x.ip("neigh flush dev eth0")


def mac(namespace, interface):
    return json.loads(namespace.run("ip", "-j", "link", "show", interface).stdout)[0]["address"]


def source6(lan, unicast):
    """Stock rules translate what is sent to the address alone, unless by a link-local one."""
    if not unicast or ENGINE == "expression":
        return R2_6
    shown = json.loads(lan.x.run("ip", "-6", "-j", "address", "show", "dev", "eth0", "scope", "link").stdout)
    return next(end["local"] for link in shown for end in link.get("addr_info", []) if "local" in end)


def question(lan, address, unicast):
    """Who has it? Asked of all, or, as who knows it asks again, of the gateway alone."""
    asking, gateway = mac(lan.x, "eth0"), mac(lan.gateway, "out")
    if ":" not in address:
        return Ether(src=asking, dst=gateway if unicast else "ff:ff:ff:ff:ff:ff") / \
            ARP(op="who-has", hwsrc=asking, psrc=R2, pdst=address, hwdst=gateway if unicast else "00:00:00:00:00:00")
    group = in6_getnsma(socket.inet_pton(socket.AF_INET6, address))
    target = address if unicast else socket.inet_ntop(socket.AF_INET6, group)
    return Ether(src=asking, dst=gateway if unicast else in6_getnsmac(group)) / \
        IPv6(src=source6(lan, unicast), dst=target, hlim=255) / \
        ICMPv6ND_NS(tgt=address) / ICMPv6NDOptSrcLLAddr(lladdr=asking)


def answers(lan, addresses, unicast=False):
    """Those for which an answer comes, each with who is said to have it."""
    tap = lan.tap(lan.x)
    with lan.x.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        wire.bind(("eth0", 0))
        for address in addresses:
            wire.send(bytes(question(lan, address, unicast)))
    found = {}
    for frame in tap.frames():
        if ARP in frame and frame[ARP].op == 2:
            found[frame[ARP].psrc] = frame[ARP].hwsrc
        elif ICMPv6ND_NA in frame:
            found[frame[ICMPv6ND_NA].tgt] = frame.src
    return found


def proxies(lan):
    """Address to the protocol of its entry."""
    found = {}
    for version in "46":
        for line in lan.gateway.run("ip", f"-{version}", "neigh", "show", "proxy").stdout.splitlines():
            proto = re.search(r"proto (\S+)", line)
            found[line.split()[0]] = proto[1] if proto else None
    return found


def routes(lan):
    return {one["dst"] for version in "46"
            for one in json.loads(lan.gateway.run("ip", f"-{version}", "-j", "route", "show", "proto", PROTOCOL,
                                                  "dev", "statnat0", check=False).stdout or "[]")}


def state(lan):
    """All that clear must leave as it was."""
    gateway = lan.gateway
    parts = [gateway.run(*command.split()).stdout for command in (
        "ip -d link", "ip -4 route show table all", "ip -6 route show table all", "ip -4 neigh show proxy",
        "ip -6 neigh show proxy", "nft list ruleset", "ip address",
        "sysctl -a -r net.ipv4.(conf|neigh).*(proxy|arp)", "sysctl -a -r net.ipv6.(conf|neigh).*proxy")]
    # What passes by itself: how long an address or a route of the kernel's is valid, and where a timer stands.
    return re.sub(r"(valid_lft|preferred_lft|expires) \S+|timer +\S+", "", "".join(parts))


def round_trip(client, server, target):
    """What the server sees and the client hears of one datagram, there and back."""
    with server.socket(family(target), socket.SOCK_DGRAM) as end, \
            client.socket(family(target), socket.SOCK_DGRAM) as speaker:
        end.bind(("", PORT))
        end.settimeout(20)
        speaker.settimeout(20)
        speaker.sendto(b"hello", (target, PORT))
        said, source = end.recvfrom(100)
        end.sendto(said.upper(), source)
        return speaker.recvfrom(100)[0], source[0]


@pytest.mark.parametrize("unicast", [False, True], ids=["all", "unicast"])
def test_exactly_external_addresses_answer(lan, tool, unicast):
    """Besides the gateway's own."""
    tool.sync(PAIRS, neighbours=True)
    asked = [A_NEAR, B_NEAR, NOBODY, GATEWAY_OUT, A, A6_NEAR, B6_NEAR, NOBODY6, GATEWAY6_OUT]
    own = {address: mac(lan.gateway, "out") for address in (A_NEAR, GATEWAY_OUT, A6_NEAR, GATEWAY6_OUT)}
    found = answers(lan, asked, unicast)
    found.pop(A, None)  # an address of this machine's, if not of this network
    assert found == own


@pytest.mark.parametrize("inside, near, own", [(A, A_NEAR, R2), (A6, A6_NEAR, R2_6)], ids=["IPv4", "IPv6"])
def test_traffic_reaches_the_host(lan, tool, inside, near, own):
    tool.sync(PAIRS, neighbours=True)
    assert round_trip(lan.x, lan.a, near) == (b"HELLO", own)


def test_without_it_nobody_answers(lan, tool):
    tool.sync(PAIRS)
    assert not answers(lan, [A_NEAR, A6_NEAR])
    assert not routes(lan) and not proxies(lan)


def test_what_is_made(lan, tool):
    said = tool.sync({**PAIRS, B: FAR}, neighbours=True).stdout
    assert "neighbours: made statnat0, added 3 routes, added 2 proxy neighbours, changed " in said
    assert routes(lan) == {A_NEAR, FAR, A6_NEAR}
    assert proxies(lan) == {A_NEAR: PROTOCOL, A6_NEAR: PROTOCOL}
    reply = json.loads(lan.gateway.run("ip", "-j", "route", "get", FAR).stdout)
    assert reply[0]["dev"] == "statnat0"


def test_a_second_time_nothing_changes(lan, tool):
    tool.sync(PAIRS, neighbours=True)
    before = state(lan)
    assert tool("neighbours", tool.file).stdout == "nothing to change\n"
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    assert state(lan) == before


def test_just_the_difference_changes(lan, tool):
    tool.sync(PAIRS, neighbours=True)
    with lan.gateway.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
        events.bind((0, 0x40 | 0x400 | 0x10 | 0x100 | 1))  # routes, addresses and links
        said = tool.sync(BOTH, neighbours=True).stdout
        assert "neighbours: added 2 routes, added 2 proxy neighbours\n" in said
        assert set(proxies(lan)) == {A_NEAR, B_NEAR, A6_NEAR, B6_NEAR} == routes(lan)
        said = tool.sync(PAIRS, neighbours=True).stdout
        assert "neighbours: removed 2 routes, removed 2 proxy neighbours\n" in said
        told = []
        events.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                told.append(events.recv(65536))
    assert len([one for one in told if int.from_bytes(one[4:6], "little") in (24, 25)]) == 4, told
    assert set(proxies(lan)) == {A_NEAR, A6_NEAR} == routes(lan)


@pytest.mark.parametrize("undo", ["clear", "false", "no pairs"])
def test_undone_without_a_trace(lan, tool, undo):
    """Of what others have made, nothing is missing, were it for the same addresses."""
    lan.gateway.ip(f"""
        neigh add proxy {B_NEAR} dev out
        neigh add proxy {NOBODY6} dev out protocol 42
        route add 192.0.2.110 dev lan proto 42
        route add 192.0.2.111 dev lan
    """)
    lan.gateway.sysctl(net__ipv6__conf__out__proxy_ndp=1)
    before = state(lan)
    try:
        done = tool.sync({**BOTH, "10.0.0.44": "192.0.2.111"}, neighbours=True)
        assert "there is another route to 192.0.2.111/32 already" in done.stderr
        assert state(lan) != before and proxies(lan)[B_NEAR] is None
        if undo == "clear":
            tool("clear")
        elif undo == "false":
            tool.sync(PAIRS, neighbours=False)
            tool.sync({})
        else:
            tool.sync({}, neighbours=True)
        assert state(lan) == before
    finally:
        lan.gateway.sysctl(net__ipv6__conf__out__proxy_ndp=0)
        lan.gateway.ip(f"""
            neigh del proxy {B_NEAR} dev out
            neigh del proxy {NOBODY6} dev out
            route del 192.0.2.110 dev lan
            route del 192.0.2.111 dev lan
        """)


def test_what_others_set_meanwhile_is_theirs(lan, tool):
    tool.sync(PAIRS, neighbours=True)
    lan.gateway.sysctl(net__ipv4__neigh__out__proxy_delay=40)
    before = lan.gateway.run("sysctl", "net.ipv4.neigh.out.proxy_delay").stdout
    tool("clear")
    assert lan.gateway.run("sysctl", "net.ipv4.neigh.out.proxy_delay").stdout == before
    lan.gateway.sysctl(net__ipv4__neigh__out__proxy_delay=80)


def test_repaired(lan, tool):
    tool.sync(PAIRS, neighbours=True)
    lan.gateway.ip(f"link del statnat0\nneigh del proxy {A_NEAR} dev out")
    assert tool("neighbours", tool.file).stdout == "made statnat0, added 2 routes, added 1 proxy neighbour\n"
    lan.gateway.ip("link set statnat0 down")
    assert "switched statnat0 on" in tool("neighbours", tool.file).stdout
    assert set(answers(lan, [A_NEAR, A6_NEAR])) == {A_NEAR, A6_NEAR} == routes(lan)


def test_a_device_of_somebody_else(lan, tool):
    lan.gateway.ip("link add statnat0 type bridge")
    try:
        before = state(lan)
        done = tool("neighbours", tool.configure(PAIRS), check=False)
        assert done.returncode == 1 and "a device statnat0 which this tool has not made" in done.stderr
        tool("clear")
        assert state(lan) == before
    finally:
        lan.gateway.ip("link del statnat0")


def test_a_router_stays_where_it_is(lan, tool):
    """The gateway's next hop; nobody is lied to about it, and the gateway still reaches it."""
    done = tool.sync({A: R2, B: B_NEAR}, neighbours=True)
    assert f"{R2} is an external address, and a router's: it is left to the router" in done.stderr
    assert routes(lan) == {B_NEAR} == set(proxies(lan))


def test_errors_behind_the_translation_have_a_way(lan, tool):
    """Any route does which is no null route; ours is there."""
    tool.sync({A: FAR}, neighbours=True)
    lan.gateway.ip("route del default")
    try:
        assert "no route" not in tool("status").stdout
    finally:
        lan.gateway.ip(f"route add default via {R2}")


@pytest.fixture
def wide(lan):
    """A network with room for many."""
    lan.gateway.ip("address add 198.19.255.254/15 dev out")
    lan.x.ip("address add 198.19.255.253/15 dev eth0")
    yield
    lan.gateway.ip("address del 198.19.255.254/15 dev out")
    lan.x.ip("address del 198.19.255.253/15 dev eth0")


@pytest.mark.parametrize("number", [4096, 4097, 65536])
def test_many(lan, tool, wide, number):
    """By an entry each, or by all that is routed less what is not ours to answer for."""
    pairs = many(number)
    before = state(lan)
    tool.sync(pairs, neighbours=True)
    chain = lan.gateway.run("nft", "list", "table", "arp", "statnat", check=False)
    assert (chain.returncode == 0) == (number > 4096) == (not proxies(lan))
    external = list(pairs.values())
    some = external[::number // 16] + external[-1:]
    own = [GATEWAY_OUT, "198.19.255.254"]
    lan.gateway.ip("address add 192.0.2.77/32 dev out\nroute add 198.19.7.0/24 via 10.0.0.9")
    try:
        later = ["192.0.2.77"]
        nobody = [A, NOBODY, "198.19.3.3", "203.0.113.77"] + ["198.19.7.7"] * (number <= 4096)
        for unicast in (False, True):
            assert set(answers(lan, some + own + later + nobody, unicast)) == {*some, *own, *later}
        assert tool("neighbours", tool.file).stdout in ("nothing to change\n", "wrote the ARP chain\n")
        assert "198.19.7.7" not in answers(lan, ["198.19.7.7"])
    finally:
        lan.gateway.ip("address del 192.0.2.77/32 dev out\nroute del 198.19.7.0/24")
    tool("neighbours", tool.file)
    assert tool("neighbours", tool.file).stdout == "nothing to change\n"
    tool("clear")
    assert state(lan) == before


def test_fewer_again(lan, tool, wide):
    """Entries take the place of the chain, and the setting is what it was."""
    tool.sync(many(4097), neighbours=True)
    tool.sync(many(4096), neighbours=True)
    assert len(proxies(lan)) == 4096
    assert "arp" not in lan.gateway.run("nft", "list", "tables").stdout
    assert lan.gateway.run("sysctl", "-n", "net.ipv4.conf.out.proxy_arp").stdout == "0\n"


def test_a_table_of_somebody_else(lan, tool, wide):
    lan.gateway.nft("table arp statnat { chain input { type filter hook input priority 0; }\n}")
    try:
        before = state(lan)
        done = tool("neighbours", tool.configure(many(4097)), check=False)
        assert done.returncode == 1 and "a table arp statnat which this tool has not made" in done.stderr
        tool("clear")
        assert state(lan) == before
    finally:
        lan.gateway.nft("delete table arp statnat")


def known(lan, address):
    shown = json.loads(lan.x.run("ip", "-j", "neigh", "show", address, "dev", "eth0").stdout)
    return shown and shown[0].get("lladdr")


def test_announced(lan, tool):
    """Whoever knew the address elsewhere, as behind a gateway that has failed, knows better at once."""
    tool.configure({**PAIRS, B: FAR})
    lan.x.sysctl(net__ipv4__neigh__eth0__locktime=0)
    tool("neighbours", tool.file)
    for address in (A_NEAR, A6_NEAR):
        lan.x.ip(f"neigh replace {address} lladdr 02:00:00:00:99:99 dev eth0 nud reachable")
    tap = lan.tap(lan.x)
    assert tool("neighbours", tool.file).stdout == "nothing to change\n" and not tap.packets(ICMPv6ND_NA)
    assert {known(lan, A_NEAR), known(lan, A6_NEAR)} == {"02:00:00:00:99:99"}
    assert tool("neighbours", "--announce", tool.file).stdout == "sent 2 announcements\n"
    assert {known(lan, A_NEAR), known(lan, A6_NEAR)} == {mac(lan.gateway, "out")}


def test_announcements_are_whole(lan, tool):
    """As RFC 5227 and RFC 4861 have them, with checksums that Scapy computes, too."""
    tool.configure(PAIRS)
    tap, gateway = lan.tap(lan.x), mac(lan.gateway, "out")
    tool("neighbours", "--announce", tool.file)
    frames = tap.frames()
    arp, = (frame for frame in frames if ARP in frame and frame[ARP].psrc == A_NEAR)
    assert bytes(arp)[:42] == bytes(Ether(src=gateway, dst="ff:ff:ff:ff:ff:ff") /
                                    ARP(op=1, hwsrc=gateway, psrc=A_NEAR, pdst=A_NEAR, hwdst="00:00:00:00:00:00"))
    ndp, = (frame for frame in frames if ICMPv6ND_NA in frame)
    assert bytes(ndp) == bytes(Ether(src=gateway, dst="33:33:00:00:00:01") /
                               IPv6(src=A6_NEAR, dst="ff02::1", hlim=255) /
                               ICMPv6ND_NA(R=0, S=0, O=1, tgt=A6_NEAR) / ICMPv6NDOptDstLLAddr(lladdr=gateway))
