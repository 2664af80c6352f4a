# SPDX-License-Identifier: GPL-2.0-or-later
"""Others mark packets untracked, too: rules of another table, copies that are made of packets, devices of a VRF.

    A 10.0.0.2 = 198.51.100.2 ─── switch ─── 10.0.0.1  gateway ─┬─ X 203.0.113.10
                                                                ├─ D 10.0.5.5, exempt, or 198.51.100.5
                                                                └─ analyser 10.0.6.6
"""

import pytest
from scapy.layers.inet import UDP, IPerror

from lan import Lan, answered
from net import A, A_OUT, B, B_OUT, R2, X
from network import ask, carry, rules_of_others
from packets import expression, row

D, D_OUT, ANALYSER = "10.0.5.5", "198.51.100.5", "10.0.6.6"
INSIDE = ["10.0.0.0/8"]
CONTENT = b"hello" * 20000
PAIRS = {A: A_OUT, B: B_OUT}


@pytest.fixture(scope="module")
def lan():
    lan = Lan()
    lan.d, lan.analyser = lan.another("d", 5), lan.another("analyser", 6)
    yield lan
    lan.close()


@pytest.fixture(scope="module")
def tool(lan, make_tool):
    tool = make_tool(lan.gateway)
    tool.sync(PAIRS, exempt_destinations=INSIDE)
    return tool


@pytest.fixture
def rules(lan, tool):
    with rules_of_others(lan.gateway) as load:
        yield load


def about(tap):
    """Source and destination that errors quote."""
    return [(packet[IPerror].src, packet[IPerror].dst) for packet in tap.packets(IPerror)]


# As DNS servers and their guides have it, at the priority of raw tables and before it.
NOTRACK = """
    chain prerouting { type filter hook prerouting priority %s; meta l4proto udp notrack; }
    chain output { type filter hook output priority %s; meta l4proto udp notrack; }"""


@pytest.mark.parametrize("priority", ["-350", "raw", "-299"], ids=["before ours", "beside ours", "behind ours"])
def test_notrack_of_others(lan, rules, priority):
    """What is exempt stays as it is; what is not is translated as ever; what has no pair has none."""
    rules(NOTRACK % (priority, priority))
    assert ask(lan.a, lan.d, D) == (b"hello", A)
    assert ask(lan.d, lan.a, A) == (b"hello", D)
    assert ask(lan.a, lan.x, X) == (b"hello", A_OUT)
    assert ask(lan.a, lan.b, B_OUT) == (b"hello", A_OUT)
    tap = lan.tap(lan.d)
    assert ask(lan.c, lan.d, D)[0] == b"hello"
    assert len(tap.ends(UDP)) == 1


@expression
def test_error_about_what_others_do_not_track(lan, rules):
    """An exempt destination; the sender is told about the packet that it sent, if not within a second of a redirect."""
    rules(NOTRACK % ("-350", "-350"))
    tap = lan.tap(lan.a)
    lan.a.run("traceroute", "-n", "-q", "3", "-z", "1.5", "-w", "2", "-m", "1", D)
    assert set(about(tap)) == {(A, D)}


@expression
@pytest.mark.needs("dup")
def test_copies_are_as_they_were_where_they_were_made(lan, rules):
    """In the forward chain, which sees internal addresses; the packets themselves go their ways."""
    rules("chain forward {\n type filter hook forward priority filter\n"
          f" meta l4proto udp dup to {ANALYSER} device analyser\n}}")
    lan.analyser.nft("table ip mute { chain o { type filter hook output priority 0; drop; }; }")
    tap = lan.tap(lan.analyser)
    for server, address, seen_as in ((lan.d, D, A), (lan.x, X, A_OUT)):
        assert ask(lan.a, server, address) == (b"hello", seen_as)
        assert tap.ends(UDP) == [(A, address), (address, A)]


# All of the gateway's interfaces belong to one.
VRF = f"""
    link add name red type vrf table 100
    link set dev red up
    link set dev lan master red
    link set dev d master red
    link set dev out master red
    route add default via {R2} dev out table 100
"""


@pytest.fixture(scope="module", params=[row("nothing exempt", []), row("inside exempt", INSIDE)])
def vrf(request, make_tool):
    lan = Lan()
    lan.d = lan.another("d", 5)
    lan.gateway.ip(VRF)
    lan.exempt = request.param
    make_tool(lan.gateway).sync({**PAIRS, D: D_OUT}, exempt_destinations=request.param)
    yield lan
    lan.close()


@pytest.mark.needs("vrf")
def test_talks_in_a_vrf(vrf):
    talks = [(vrf.a, vrf.x, X, A_OUT), (vrf.x, vrf.a, A_OUT, X), (vrf.a, vrf.d, D_OUT, A_OUT)]
    talks += [(vrf.a, vrf.d, D, A)] * bool(vrf.exempt)
    for client, server, address, seen_as in talks:
        assert answered(client, address, 3, *(["-I", X] if client is vrf.x else [])) == 3
        assert ask(client, server, address) == (b"hello", seen_as)
        assert carry(client, server, address, CONTENT)[:2] == (CONTENT, seen_as)


@expression
@pytest.mark.needs("vrf")
def test_errors_of_the_gateway_in_a_vrf(vrf):
    """Each is told about the packet that it sent."""
    told = [(vrf.a, A, X), (vrf.x, X, A_OUT), (vrf.a, A, D if vrf.exempt else D_OUT)]
    for sender, source, target in told:
        tap = vrf.tap(sender)
        answered(sender, target, 1, "-I", source, "-t", "1", "-w", "5")
        assert about(tap) == [(source, target)]


@expression
@pytest.mark.needs("vrf")
def test_path_mtu_in_a_vrf(vrf):
    """D's link carries less; of the exempt destination and of the external address."""
    address, seen_as = (D, A) if vrf.exempt else (D_OUT, A_OUT)
    vrf.gateway.ip("link set dev d mtu 1300")
    try:
        received, peer, mtu = carry(vrf.a, vrf.d, address, CONTENT)
    finally:
        vrf.gateway.ip("link set dev d mtu 1500")
    assert (received, peer, mtu) == (CONTENT, seen_as, 1300)
