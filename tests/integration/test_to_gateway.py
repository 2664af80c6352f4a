# SPDX-License-Identifier: GPL-2.0-or-later
"""A host of a pair speaks to the gateway itself, whose firewall drops what conntrack calls invalid.

    A 10.0.0.2 = 198.51.100.2 ─── switch ─── 10.0.0.1  gateway, firewall  192.0.2.1 ─── X
      fd00:1::2                              fd00:1::1              2001:db8:2::1
"""

import pytest

from lan import FAMILIES, Lan, answered
from net import ALL_PAIRS, GATEWAY6_IN, GATEWAY6_OUT, GATEWAY_IN, GATEWAY_OUT, INSIDE
from network import PORT, ask, carry
from packets import row

CONTENT = b"hello" * 20000

# As firewalls of hosts usually are: nothing in it knows of pairs.
FIREWALL = f"""table inet firewall {{
    chain input {{
        type filter hook input priority 0; policy drop
        ct state invalid drop
        ct state established,related accept
        iif lo accept
        meta l4proto {{ tcp, udp }} th dport {PORT} ct state new accept
        icmp type echo-request ct state new accept
        icmpv6 type {{ echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} accept
    }}
    chain output {{
        type filter hook output priority 0; policy accept
        ct state invalid drop
    }}
}}"""


EXEMPT = [
    row("nothing exempt",       []),
    row("inside exempt",        INSIDE),
    row("the gateway exempt",   ["10.0.0.1/32", "192.0.2.1/32", "fd00:1::1/128", "2001:db8:2::1/128"]),
]


@pytest.fixture(scope="module", params=EXEMPT)
def lan(request, make_tool):
    lan = Lan()
    lan.gateway.nft(FIREWALL)
    make_tool(lan.gateway).sync(ALL_PAIRS, exempt_destinations=request.param)
    yield lan
    lan.close()


TO = [
    row("inside",           FAMILIES["IPv4"],   GATEWAY_IN),
    row("outside",          FAMILIES["IPv4"],   GATEWAY_OUT),
    row("inside, IPv6",     FAMILIES["IPv6"],   GATEWAY6_IN),
    row("outside, IPv6",    FAMILIES["IPv6"],   GATEWAY6_OUT),
]


@pytest.fixture(params=["a", "c"], ids=["of a pair", "of no pair"])
def client(request, lan):
    return request.param


@pytest.mark.parametrize("family, address", TO)
def test_host_speaks_to_the_gateway(lan, client, family, address):
    """It is seen as what it is."""
    host, seen_as = getattr(lan, client), getattr(family, client)
    assert answered(host, address, 3) == 3
    assert carry(host, lan.gateway, address, CONTENT)[:2] == (CONTENT, seen_as)
    if address in (GATEWAY_IN, GATEWAY6_IN):  # a socket that is bound to nothing answers from nowhere else
        assert ask(host, lan.gateway, address) == (b"hello", seen_as)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_gateway_speaks_to_a_host(lan, client, family):
    host, address = getattr(lan, client), getattr(family, client)
    assert answered(lan.gateway, address, 3) == 3
    assert carry(lan.gateway, host, address, CONTENT)[:2] == (CONTENT, family.gateway)
    assert ask(lan.gateway, host, address) == (b"hello", family.gateway)


def test_what_goes_to_the_gateway_is_tracked(lan):
    lan.gateway.run("conntrack", "-F")
    ask(lan.a, lan.gateway, GATEWAY_IN)
    entries = lan.gateway.run("conntrack", "-L").stdout.splitlines()
    assert [f"src={FAMILIES['IPv4'].a} dst={GATEWAY_IN}" in entry for entry in entries] == [True]
