# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies of IPsec name external addresses, since that is what the other side knows; they are obeyed both ways.

    A 10.0.0.2 = 198.51.100.2 ─┐                      ESP tunnel
    C 10.0.0.9                ─┴─ switch ─── gateway ════════════ 192.0.2.2 X 203.0.113.10
      fd00:1::2 = 2001:db8:1::2      192.0.2.1 2001:db8:2::1      2001:db8:2::2  2001:db8:3::10
"""

from collections import namedtuple

import pytest
from scapy.layers.inet import UDP
from scapy.layers.ipsec import ESP

from lan import EXTERNAL, EXTERNAL6, Lan, answered, speak
from net import ALL_PAIRS, GATEWAY6_OUT, GATEWAY_OUT, INSIDE, R2, R2_6, X, X6
from network import ask, carry
from packets import expression, row

pytestmark = expression

CONTENT = b"hello" * 20000

# The two ends of a tunnel, what the gateway protects, and what the peer does.
Tunnel = namedtuple("Tunnel", "near far ours theirs")
TUNNELS = {4: Tunnel(GATEWAY_OUT, R2, EXTERNAL, f"{X}/32"), 6: Tunnel(GATEWAY6_OUT, R2_6, EXTERNAL6, f"{X6}/128")}
# No cipher, so that the test needs few modules; the addresses are hidden all the same.
KEYS = 'enc "ecb(cipher_null)" "" auth "hmac(sha256)" 0x' + "42" * 32


@pytest.fixture(scope="module")
def built(make_tool):
    lan = Lan()
    make_tool(lan.gateway).sync(ALL_PAIRS, exempt_destinations=INSIDE)
    yield lan
    lan.close()


@pytest.fixture
def lan(built):
    """What a test sets up of IPsec is gone after it."""
    yield built
    for end in (built.gateway, built.x):
        end.ip("xfrm policy flush\nxfrm state flush")
    built.gateway.run("ip", "link", "delete", "ipsec", check=False)


def states(family, more=""):
    """Both ways; the same at both ends."""
    near, far, _, _ = TUNNELS[family.version]
    return (f"xfrm state add src {near} dst {far} proto esp spi 0x101 reqid 1 mode tunnel {KEYS} {more}\n"
            f"xfrm state add src {far} dst {near} proto esp spi 0x102 reqid 2 mode tunnel {KEYS} {more}\n")


def policies(family, more="", ours=None, theirs=None):
    """Of the gateway: out, and on the way in, to itself and to others."""
    near, far, *networks = TUNNELS[family.version]
    ours, theirs = ours or networks[0], theirs or networks[1]
    outward = f"tmpl src {near} dst {far} proto esp reqid 1 mode tunnel {more}\n"
    inward = f"tmpl src {far} dst {near} proto esp reqid 2 mode tunnel {more}\n"
    return (f"xfrm policy add src {ours} dst {theirs} dir out {outward}"
            f"xfrm policy add src {theirs} dst {ours} dir fwd {inward}"
            f"xfrm policy add src {theirs} dst {ours} dir in {inward}")


def policies_of_the_peer(family):
    """It takes nothing from the pairs' addresses in the clear."""
    near, far, ours, theirs = TUNNELS[family.version]
    return (f"xfrm policy add src {theirs} dst {ours} dir out tmpl src {far} dst {near} proto esp reqid 2 mode tunnel\n"
            f"xfrm policy add src {ours} dst {theirs} dir in tmpl src {near} dst {far} proto esp reqid 1 mode tunnel\n")


@pytest.mark.needs("xfrm")
def test_blocked(lan, family):
    """What a policy blocks does not leave; what has no pair is none of its business."""
    _, _, ours, theirs = TUNNELS[family.version]
    lan.gateway.ip(f"xfrm policy add src {ours} dst {theirs} dir out action block")
    tap = lan.tap(lan.x)
    speak(lan.a, family.a, family.x, "eth0")
    speak(lan.c, family.c, family.x, "eth0")
    assert tap.ends(UDP) == [(family.c, family.x)]


@pytest.mark.needs("esp")
def test_outbound_is_encrypted(lan, family):
    lan.gateway.ip(states(family) + policies(family))
    tap = lan.tap(lan.x)
    speak(lan.a, family.a, family.x, "eth0")
    near, far, _, _ = TUNNELS[family.version]
    assert [(packet.src, packet.dst, packet.haslayer(ESP)) for packet in tap.packets(ESP)] == [(near, far, True)]


@pytest.mark.needs("esp")
def test_outbound_is_never_in_the_clear(lan, family):
    """Before the keys are there, too."""
    lan.gateway.ip(policies(family))
    tap = lan.tap(lan.x)
    speak(lan.a, family.a, family.x, "eth0")
    assert tap.ends(UDP) == []


@pytest.mark.needs("esp")
def test_inbound_in_the_clear_is_refused(lan, family):
    """By a policy about the address that the packet was sent to."""
    tap = lan.tap(lan.a)
    speak(lan.x, family.x, family.a_out, "eth0")
    assert tap.ends(UDP) == [(family.x, family.a)]
    lan.gateway.ip(states(family) + policies(family))
    speak(lan.x, family.x, family.a_out, "eth0")
    assert tap.ends(UDP) == []


def by_policy(lan, family):
    lan.gateway.ip(states(family) + policies(family))


def by_interface(lan, family, **selectors):
    lan.gateway.ip("link add name ipsec type xfrm dev out if_id 7\nlink set dev ipsec up\n"
                   f"route add {family.x} dev ipsec\n"
                   + states(family, "if_id 7") + policies(family, "if_id 7", **selectors))


def by_interface_for_all(lan, family):
    every = {4: "0.0.0.0/0", 6: "::/0"}[family.version]
    by_interface(lan, family, ours=every, theirs=every)


@pytest.mark.needs("esp")
@pytest.mark.parametrize("protect", [row("policies", by_policy), row("an interface", by_interface),
                                     row("an interface for all", by_interface_for_all)])
def test_talks(lan, family, protect):
    """Both ways, to a peer that takes nothing in the clear."""
    protect(lan, family)
    lan.x.ip(states(family) + policies_of_the_peer(family))
    assert answered(lan.a, family.x, 3) == 3
    assert answered(lan.x, family.a_out, 3, "-I", family.x) == 3
    assert ask(lan.a, lan.x, family.x) == (b"hello", family.a_out)
    assert carry(lan.a, lan.x, family.x, CONTENT)[:2] == (CONTENT, family.a_out)
    assert carry(lan.x, lan.a, family.a_out, CONTENT)[:2] == (CONTENT, family.x)
