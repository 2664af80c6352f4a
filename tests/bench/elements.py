# SPDX-License-Identifier: GPL-2.0-or-later
"""The elements of a map as one netlink batch in a file.

nft's own parser takes a quarter of an hour for a million of them under emulation.
"""

import itertools
import socket
import struct

from nfnl import (ACK, BATCH_BEGIN, BATCH_END, CREATE, IPV4, IPV6, NETLINK_NETFILTER, NLMSG_ERROR, REQUEST, SUBSYSTEM,
                  attribute)

NEWSETELEM = 12
TABLE, SET, ELEMENTS = 1, 2, 3
ELEMENT, KEY, DATA, VALUE = 1, 1, 2, 1
SO_SNDBUFFORCE = 32

MAPS = ("int2ext", "ext2int")

# A nested list of attributes has 64 KiB at most.
ROOM = 60000


def message(kind, flags, family, body, resource=0):
    body = struct.pack(">BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(body), kind, flags | REQUEST, 0, 0) + body


def batch(table, name, keys, values):
    """The parts of a batch that maps a block of addresses to another; its last elements ask for an answer."""
    protocol, size = (IPV4, 4) if keys.first.version == 4 else (IPV6, 16)
    template = attribute(ELEMENT, [attribute(KEY, [attribute(VALUE, bytes(size))]),
                                   attribute(DATA, [attribute(VALUE, bytes(size))])])
    # What an element is made of, without the addresses.
    start, middle = template[:12], template[12 + size:20 + size]
    made = (b"".join((start, key, middle, value)) for key, value in zip(keys.packed(), values.packed()))

    head = attribute(TABLE, table) + attribute(SET, name)
    yield message(BATCH_BEGIN, 0, 0, b"", SUBSYSTEM)
    part = list(itertools.islice(made, ROOM // len(template)))
    while part:
        following = list(itertools.islice(made, ROOM // len(template)))
        flags = CREATE if following else CREATE | ACK
        yield message(SUBSYSTEM << 8 | NEWSETELEM, flags, protocol, head + attribute(ELEMENTS, part))
        part = following
    yield message(BATCH_END, 0, 0, b"", SUBSYSTEM)


def load(namespace, file):
    """Sends a batch from a file."""
    data = file.read_bytes()
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, len(data) + (1 << 20))
        netlink.send(data)
        kind, error = struct.unpack_from("=4xH10xi", netlink.recv(1 << 16))
        assert kind == NLMSG_ERROR and error == 0, f"{file.name}: error {-error}"
