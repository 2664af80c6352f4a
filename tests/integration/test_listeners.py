# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody else on the gateway holds of a packet stays as it came: what is to be changed is copied first.

    inside ──── gateway ──── outside        the gateway listens on its devices, as tcpdump does
"""

import socket
from collections import Counter

import packets
import test_npt
import test_prefixes
from net import SO_RCVBUFFORCE
from pairs import INBOUND, OUTBOUND
from roads import Family4, Family6, each_of

pytestmark = packets.expression

ALL = 3  # linux/if_ether.h
ROADS = {
    "ip": (Family4, "ip", test_prefixes.PAIRS),
    "ip6": (Family6, "ip6", test_prefixes.PAIRS6),
    "ip6 with npt": (Family6, "ip6", test_npt.PAIRS),
}

road = each_of(ROADS)


def heard(listener):
    """All packets since it listens, in and out."""
    listener.setblocking(False)
    while True:
        try:
            yield listener.recv(65535)
        except BlockingIOError:
            return


def test_both_get_theirs(road):
    journeys = [*road.everywhere(), *road.errors(OUTBOUND), *road.errors(INBOUND)]
    with road.wire.gateway.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        road.travel(*journeys)
        sent = Counter(bytes(road.family.header(source, target) / content) for source, target, content, *_ in journeys)
        assert not sent - Counter(heard(listener))
