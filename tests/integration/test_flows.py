# SPDX-License-Identifier: GPL-2.0-or-later
"""Real clients and servers talk through the gateway, beside a firewall, conntrack and stateful NAT.

    A 10.0.0.2  = 198.51.100.2  ────┐
    B 10.0.0.3  = 198.51.100.3  ────┤
    C 10.0.0.9, no pair         ────┤ gateway ──── r2 ──── X 203.0.113.10
    D 10.0.0.18 = 198.51.100.18     │
          └─── r1, no pair      ────┘
"""

import random
import socket

import pytest

from net import A, A_OUT, B, B_OUT, C, D, D_OUT, GATEWAY_IN, GATEWAY_OUT, PAIRS, R1, R2, R2_FAR, X
from network import Network, alongside, ask, carry, hops, ping, rules_of_others
from packets import expression, row

CONTENT = random.Random(1).randbytes(10 << 20)
SOME = CONTENT[:1 << 20]


@pytest.fixture(scope="module")
def network():
    network = Network()
    yield network
    network.close()


@pytest.fixture(scope="module")
def tool(network, make_tool):
    tool = make_tool(network.gateway)
    tool.sync(PAIRS)
    return tool


@pytest.fixture
def ruleset(network):
    with rules_of_others(network.gateway) as load:
        yield load


FIREWALL = f"""
    chain forward {{
        type filter hook forward priority 0; policy drop
        ip saddr {{ {A}, {B} }} ip daddr {X} ct state untracked accept
        ip saddr {X} ip daddr {{ {A}, {B} }} ct state untracked accept
        ip saddr {{ {A}, {B} }} ip daddr {{ {A}, {B} }} ct state untracked accept
    }}"""
TRACKING = "chain forward {\n type filter hook forward priority 0\n ct state new counter\n}"
MASQUERADE = f"chain nat {{\n type nat hook postrouting priority srcnat\n ip saddr {C} masquerade\n}}"

TALKS = [
    #   why              client  server  address  which the server sees as
    row("outbound",      "a",    "x",    X,       A_OUT),
    row("inbound",       "x",    "a",    A_OUT,   X),
    row("hairpin",       "a",    "b",    B_OUT,   A_OUT),
    row("to itself",     "a",    "a",    A_OUT,   A_OUT),
    row("behind r1",     "x",    "d",    D_OUT,   X),
]


@pytest.mark.parametrize("client, server, address, seen_as", TALKS)
def test_talk(network, tool, client, server, address, seen_as):
    client, server = getattr(network, client), getattr(network, server)
    assert ask(client, server, address) == (b"hello", seen_as)
    assert ask(client, server, address, SOME[:5000]) == (SOME[:5000], seen_as)
    assert carry(client, server, address, SOME[:5000])[:2] == (SOME[:5000], seen_as)
    ping(client, address)


@pytest.fixture
def strict(network):
    """All routers insist on the way back (RFC 3704, 2.2)."""
    def filters(mode):
        for router in (network.gateway, network.r1, network.r2):
            with router:
                names = [name for _, name in socket.if_nameindex()]
            router.sysctl(**{f"net/ipv4/conf/{name}/rp_filter": mode for name in names})
    filters(1)
    yield
    filters(2)


@pytest.mark.parametrize("client, server, address, seen_as", TALKS)
def test_talk_with_strict_reverse_path(network, tool, strict, client, server, address, seen_as):
    client, server = getattr(network, client), getattr(network, server)
    assert ask(client, server, address) == (b"hello", seen_as)
    assert carry(client, server, address, SOME[:5000])[:2] == (SOME[:5000], seen_as)


OFFLOADS = {
    # why                       hosts, gateway
    "all with offload":         ("on", "on"),
    "none with offload":        ("off", "off"),
    "hosts with offload":       ("on", "off"),
    "gateway with offload":     ("off", "on"),
}


@pytest.fixture(params=OFFLOADS)
def offloads(request, network):
    def switch(end, interface, state):
        end.run("ethtool", "-K", interface,
                *(word for feature in ("tx", "sg", "tso", "gso", "gro") for word in (feature, state)))

    hosts, gateway = OFFLOADS[request.param]
    ends = [(network.a, "eth0", hosts), (network.x, "eth0", hosts),
            (network.r2, "eth0", hosts), (network.r2, "x", hosts),
            (network.gateway, "a", gateway), (network.gateway, "out", gateway)]
    for end in ends:
        switch(*end)
    yield
    for end, interface, _ in ends:
        switch(end, interface, "on")


@pytest.mark.parametrize("client, server, address, seen_as", TALKS[:2])
def test_10_megabytes(network, tool, offloads, client, server, address, seen_as):
    received, peer, _ = carry(getattr(network, client), getattr(network, server), address, CONTENT)
    assert peer == seen_as
    assert received == CONTENT


def test_firewall_sees_internal_addresses_untracked(network, tool, ruleset):
    ruleset(FIREWALL)
    for client, server, address, seen_as in (row.values for row in TALKS[:3]):
        client, server = getattr(network, client), getattr(network, server)
        assert ask(client, server, address) == (b"hello", seen_as)
        assert carry(client, server, address, SOME)[:2] == (SOME, seen_as)
        ping(client, address)
    assert network.c.run("ping", "-n", "-c", "1", "-W", "0.2", X, check=False).returncode == 1


def tracked(network):
    """The gateway's conntrack entries, one line each."""
    return network.gateway.run("conntrack", "-L").stdout.splitlines()


def test_conntrack_stays_empty(network, tool, ruleset):
    ruleset(TRACKING)
    for client, server, address, seen_as in (row.values for row in TALKS):
        client, server = getattr(network, client), getattr(network, server)
        ask(client, server, address)
        carry(client, server, address, b"hello")
        ping(client, address)
    assert tracked(network) == []
    ask(network.c, network.x, X)
    entry, = tracked(network)
    assert f"src={C} dst={X}" in entry


@expression
def test_conntrack_stays_off(network, tool):
    """The same host as above leaves no entry where nothing but the pairs is on the gateway."""
    before = tracked(network)
    ask(network.a, network.x, X)
    assert ask(network.c, network.x, X, b"once more") == (b"once more", C)
    assert tracked(network) == before


def test_exempt_destination(network, tool, ruleset):
    """An exempt address is told the internal one, and what it hears is tracked; X is told as ever."""
    ruleset(TRACKING)
    exempt = "203.0.113.99"
    tool.sync(PAIRS, exempt_destinations=["203.0.113.96/28", "10.0.0.0/8"])
    network.x.ip(f"address add {exempt}/32 dev eth0")
    network.r2.ip(f"route add {exempt} dev x\nroute add {A} via {GATEWAY_OUT} dev eth0 onlink")
    try:
        assert carry(network.a, network.x, exempt, b"hello")[:2] == (b"hello", A)
        assert [f"src={A} dst={exempt}" in entry for entry in tracked(network)] == [True]
        assert ask(network.a, network.x, X) == (b"hello", A_OUT)
        assert ask(network.x, network.a, A_OUT) == (b"hello", X)
        assert ask(network.a, network.b, B_OUT) == (b"hello", A_OUT)
        assert len(tracked(network)) == 1
        assert ask(network.a, network.b, B) == (b"hello", A)
        assert any(f"src={A} dst={B}" in entry for entry in tracked(network))
        tool.sync(PAIRS)
        assert carry(network.a, network.x, exempt, b"hello")[:2] == (b"hello", A_OUT)
    finally:
        tool.sync(PAIRS)
        network.r2.ip(f"route delete {exempt}\nroute delete {A}")
        network.x.ip(f"address delete {exempt}/32 dev eth0")


def test_masqueraded_connection_goes_on(network, tool, ruleset):
    """C, behind stateful masquerading, keeps its connection through all that happens to pairs."""
    ruleset(MASQUERADE)
    listener, caller = (one.socket(socket.AF_INET, socket.SOCK_STREAM) for one in (network.x, network.c))
    with listener, caller:
        for one in (listener, caller):
            one.settimeout(60)
        listener.bind(("", 4001))
        listener.listen()
        with alongside(caller.connect, (X, 4001)):
            connection, (peer, _) = listener.accept()
        assert peer == GATEWAY_OUT
        with connection:
            connection.settimeout(60)
            for step in (lambda: tool.sync(PAIRS), lambda: tool("clear"), lambda: tool.sync({A: A_OUT}),
                         lambda: tool.sync(PAIRS, exempt_destinations=["10.0.0.0/8"]),
                         lambda: tool.sync(PAIRS)):
                step()
                caller.sendall(b"still there?")
                assert connection.recv(100) == b"still there?"
                connection.sendall(b"yes")
                assert caller.recv(100) == b"yes"
            assert ask(network.a, network.x, X) == (b"hello", A_OUT)
            assert [entry for entry in tracked(network) if f"={A} " in entry] == []
            assert any(f"src={C} dst={X}" in entry for entry in tracked(network))


TRACES = [
    #   why                 client  address  hops
    row("outbound",         "d",    X,       [R1, GATEWAY_IN, R2, X]),
    row("inbound",          "x",    D_OUT,   [R2_FAR, GATEWAY_OUT, R1, D_OUT]),
    row("hairpin",          "a",    D_OUT,   [GATEWAY_IN, R1, D_OUT]),
]


@expression
@pytest.mark.parametrize("options", [[], ["-I"], ["-T"]], ids=["UDP", "ICMP", "TCP"])
@pytest.mark.parametrize("client, address, expected", TRACES)
def test_traceroute(network, tool, options, client, address, expected):
    assert hops(getattr(network, client), address, *options) == expected


@expression
def test_nobody_answers(network, tool):
    """The gateway looks for the host as long as a kernel does, and then tells the peer, in its own words."""
    absent, absent_out = "10.0.0.66", "198.51.100.66"
    network.gateway.ip(f"route add {absent} dev a")
    tool.sync({**PAIRS, absent: absent_out})
    done = network.x.run("ping", "-n", "-c", "1", "-W", "60", absent_out, check=False)
    tool.sync(PAIRS)
    network.gateway.ip(f"route delete {absent}")
    assert f"From {GATEWAY_OUT} icmp_seq=1 Destination Host Unreachable" in done.stdout


NARROWS = [
    #   why                         client  server  address  which the server sees as
    row("router outside",           "a",    "x",    X,       A_OUT),
    row("router inside",            "x",    "d",    D_OUT,   X),
    row("router inside, hairpin",   "a",    "d",    D_OUT,   A_OUT),
    row("router outside, for C",    "c",    "x",    X,       GATEWAY_OUT),
]


@expression
@pytest.mark.parametrize("client, server, address, seen_as", NARROWS)
def test_path_mtu(network, tool, ruleset, client, server, address, seen_as):
    """A hop of 1280 bytes that no end knows of: the sender learns of it from the router before."""
    ruleset(MASQUERADE)
    network.r2.ip(f"route change {X} dev x mtu lock 1280")
    network.r1.ip(f"route change {D} dev d mtu lock 1280")
    received, peer, mtu = carry(getattr(network, client), getattr(network, server), address, SOME)
    network.r2.ip(f"route change {X} dev x")
    network.r1.ip(f"route change {D} dev d")
    getattr(network, client).ip("route flush cache")
    assert (peer, mtu) == (seen_as, 1280)
    assert received == SOME
