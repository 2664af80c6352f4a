# SPDX-License-Identifier: GPL-2.0-or-later
"""Two who take the count of drops at the same time are not told the same packet.

              inside ──── gateway ──── outside
    A 10.0.0.2 = 198.51.100.2          X 203.0.113.10

Runs where two processors are: `make race-6.12`.
"""

import multiprocessing
import os

import pytest
from scapy.layers.inet import IP

from net import A, A_OUT, X, until
from nfnl import DADDR, DROPPED, GETRULE, GETRULE_RESET, NOTRACK, Netlink, a_map, expression, new_rule
from packets import expression as needs_module
from wire import Wire

pytestmark = [needs_module, pytest.mark.race]

ROUNDS, PACKETS = 2000, 5
# Which take their time to be told.
MAPS = 40


@pytest.fixture(scope="module")
def wire():
    wire = Wire()
    wire.gateway.nft(f"table ip t {{ map m {{ type ipv4_addr : ipv4_addr; elements = {{ {A_OUT} : {A} }}; }}\n"
                     "chain c { type filter hook prerouting priority raw; }; }")
    netlink = Netlink(wire.gateway)
    assert netlink.batch(new_rule("t", "c", expression(DADDR, "m", NOTRACK, [a_map("m")] * MAPS))) == 0
    netlink.close()
    yield wire
    wire.close()


def drops(netlink, kind):
    return sum(int.from_bytes(given[DROPPED], "big") for _, given in netlink.rules("t", kind=kind))


def take(gateway, processor, start, told):
    """In each round, which begins when its number is there."""
    os.sched_setaffinity(0, {processor})
    netlink = Netlink(gateway)
    for number in range(1, ROUNDS + 1):
        while start.value < number:
            pass
        told.send(drops(netlink, GETRULE_RESET))


def test_each_packet_is_told_once(wire):
    """6.1 takes nothing: all packets are left to be told."""
    fork = multiprocessing.get_context("fork")
    start, ends = fork.RawValue("i"), [fork.Pipe(duplex=False) for _ in range(2)]
    takers = [fork.Process(target=take, args=(wire.gateway, processor, start, told), daemon=True)
              for processor, (_, told) in enumerate(ends)]
    for taker in takers:
        taker.start()
    os.sched_setaffinity(0, wire.processors)
    cut, netlink = bytes(IP(src=X, dst=A_OUT, proto=6) / bytes(8)), Netlink(wire.gateway)
    left = 0
    for number in range(1, ROUNDS + 1):
        for _ in range(PACKETS):
            wire.outside.send(cut)
        left += PACKETS
        until(lambda: drops(netlink, GETRULE) == left)
        start.value = number
        left -= sum(hears.recv() for hears, _ in ends)
        assert drops(netlink, GETRULE) == left
    assert left in (0, ROUNDS * PACKETS)
    for taker in takers:
        taker.join()
    netlink.close()
