# SPDX-License-Identifier: GPL-2.0-or-later
"""nf_tables messages made and read by hand, so that the tests share no code with the tool.

Numbers are those of linux/netlink.h, linux/netfilter/nf_tables.h and nft_snat_stateless.h.
"""

import contextlib
import errno
import ipaddress
import itertools
import socket
import struct

NETLINK_NETFILTER, SUBSYSTEM = 12, 10
NLMSG_ERROR, NLMSG_DONE, BATCH_BEGIN, BATCH_END = 2, 3, 0x10, 0x11
REQUEST, ACK, REPLACE, DUMP, CREATE, APPEND = 0x1, 0x4, 0x100, 0x300, 0x400, 0x800
NESTED = 0x8000

NEWTABLE, DELTABLE, NEWCHAIN, DELCHAIN, NEWRULE, GETRULE, DELRULE = 0, 2, 3, 5, 6, 7, 8
NEWSET, GETSET, DELSET, NEWSETELEM, DELSETELEM, NEWGEN, GETGEN, GETRULE_RESET = 9, 10, 11, 12, 14, 15, 16, 25

IPV4, INET, BRIDGE, IPV6, ARP, NETDEV = 2, 1, 7, 10, 3, 5
SADDR, DADDR = 0, 1
NOTRACK, UNTRACK, UNTRACKED, TRACKED, FOLLOW, FOLLOWED = 1, 2, 4, 8, 16, 32
FIELD, MAPS, FLAGS, DROPPED, PAD, ELSE_MAPS, UNLESS, VIA = 1, 2, 3, 4, 5, 6, 7, 8
COUNTS, MALFORMED, DETOURS = 32, 2, 14
PREFIX_ADDRESS, PREFIX_LENGTH = 1, 2
MAP_NAME, MAP_ID, MAP_PREFIX, MAP_FLAGS, MAP_WITHIN, MAP_WITHIN_LENGTH = 1, 2, 3, 4, 5, 6
NPT = 1


def name_of(number):
    """Of an errno; Python prefers the other name of EOPNOTSUPP."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, number)


def attribute(kind, value):
    """An attribute: bytes as they are, text with its final zero, a number as 32 bits, a list nested."""
    if isinstance(value, list):
        kind, value = kind | NESTED, b"".join(value)
    elif isinstance(value, str):
        value = value.encode() + b"\0"
    elif isinstance(value, int):
        value = struct.pack(">I", value)
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def attributes(data):
    """The reverse, one level deep: kind to bytes."""
    found = {}
    while data:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3fff] = data[4:length]
        data = data[length + 3 & ~3:]
    return found


def listed(data):
    """A nested list of elements, each of them as bytes."""
    while data:
        length, = struct.unpack_from("=H", data)
        yield data[4:length]
        data = data[length + 3 & ~3:]


def snat_stateless(*given):
    """Our expression; `given` is attributes in bytes."""
    return attribute(1, [attribute(1, "snat_stateless"), attribute(2, list(given))])


def a_map(name, prefix=None, npt=None, within=None):
    """One map of its list; `within` as text."""
    given = [attribute(MAP_NAME, name)]
    given += [attribute(MAP_PREFIX, prefix)] if prefix is not None else []
    given += [attribute(MAP_FLAGS, NPT)] if npt else []
    if within:
        network = ipaddress.ip_network(within)
        given += [attribute(MAP_WITHIN, network.network_address.packed),
                  attribute(MAP_WITHIN_LENGTH, network.prefixlen)]
    return attribute(1, given)


def a_prefix(network):
    """One destination of UNLESS."""
    network = ipaddress.ip_network(network)
    return attribute(1, [attribute(PREFIX_ADDRESS, network.network_address.packed),
                         attribute(PREFIX_LENGTH, network.prefixlen)])


def expression(field, maps, flags=0, otherwise=()):
    """With a map's name or a list of maps; `otherwise` is those behind else."""
    listed = [a_map(maps)] if isinstance(maps, str) else maps
    behind = [attribute(ELSE_MAPS, otherwise)] if otherwise else []
    return snat_stateless(attribute(FIELD, field), attribute(MAPS, listed), attribute(FLAGS, flags), *behind)


def new_table(table, family=IPV4):
    return NEWTABLE, CREATE, family, [attribute(1, table)]


def new_chain(table, chain, hook=0, priority=-300, family=IPV4):
    """A base chain of type filter, in prerouting unless said otherwise."""
    place = [attribute(1, hook), attribute(2, priority & 0xffffffff)]
    return (NEWCHAIN, CREATE, family,
            [attribute(1, table), attribute(3, chain), attribute(4, place), attribute(7, "filter")])


def new_rule(table, chain, *expressions, family=IPV4):
    return (NEWRULE, CREATE | APPEND, family,
            [attribute(1, table), attribute(2, chain), attribute(4, list(expressions))])


def replace_rule(table, chain, handle, *expressions, family=IPV4):
    return (NEWRULE, REPLACE, family,
            [attribute(1, table), attribute(2, chain), attribute(3, handle), attribute(4, list(expressions))])


def delete_rules(table, chain, family=IPV4, handle=None):
    """All of a chain, or the one of a handle, in bytes."""
    one = [] if handle is None else [attribute(3, handle)]
    return DELRULE, 0, family, [attribute(1, table), attribute(2, chain), *one]


def new_element(table, name, key, value, family=IPV4):
    """Of a map; key and value in bytes."""
    element = [attribute(1, [attribute(1, key)]), attribute(2, [attribute(1, value)])]
    return NEWSETELEM, CREATE, family, [attribute(1, table), attribute(2, name), attribute(3, [attribute(1, element)])]


def delete_element(table, name, key, family=IPV4):
    element = [attribute(1, [attribute(1, key)])]
    return DELSETELEM, 0, family, [attribute(1, table), attribute(2, name), attribute(3, [attribute(1, element)])]


def new_map(table, name, flags=0x8, identity=1, family=IPV4, key=4, value=4):
    return (NEWSET, CREATE, family,
            [attribute(1, table), attribute(2, name), attribute(3, flags), attribute(4, 7),
             attribute(5, key), attribute(6, 7), attribute(7, value), attribute(10, identity)])


def delete_table(table, family=IPV4):
    return DELTABLE, 0, family, [attribute(1, table)]


def delete_map(table, name, family=IPV4):
    return DELSET, 0, family, [attribute(1, table), attribute(2, name)]


def ours(rule):
    """Chain and attributes of each of our expressions in a rule."""
    for one in listed(rule.get(4, b"")):
        parts = attributes(one)
        if parts[1] == b"snat_stateless\0":
            yield rule[2].rstrip(b"\0").decode(), attributes(parts[2])


class Netlink:
    """A netlink socket in a namespace."""

    def __init__(self, namespace):
        self.socket = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.settimeout(60)
        self.sequence = itertools.count(1)

    def close(self):
        self.socket.close()

    def message(self, kind, flags, family, given, resource=0):
        body = struct.pack(">BBH", family, 0, resource) + b"".join(given)
        return struct.pack("=IHHII", 16 + len(body), kind, flags | REQUEST, next(self.sequence), 0) + body

    def answers(self):
        data = self.socket.recv(1 << 20)
        while data:
            length, kind, _, sequence, _ = struct.unpack_from("=IHHII", data)
            yield kind, sequence, data[16:length]
            data = data[length + 3 & ~3:]

    def batch(self, *messages):
        """One transaction; 0, or the first errno that the kernel answers."""
        whole = [self.message(BATCH_BEGIN, ACK, 0, [], SUBSYSTEM)]
        whole += [self.message(SUBSYSTEM << 8 | kind, flags | ACK, family, given)
                  for kind, flags, family, given in messages]
        last = next(self.sequence) - 1
        whole += [self.message(BATCH_END, 0, 0, [], SUBSYSTEM)]
        self.socket.send(b"".join(whole))
        return self.verdict(last)

    def verdict(self, last):
        while True:
            for kind, sequence, body in self.answers():
                error = -struct.unpack_from("=i", body)[0] if kind == NLMSG_ERROR else 0
                if error or sequence == last:
                    self.discard()
                    return error

    def discard(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(1 << 20)
        except BlockingIOError:
            self.socket.settimeout(60)

    def dump(self, kind, family, *given):
        """The attributes of everything of a kind."""
        self.socket.send(self.message(SUBSYSTEM << 8 | kind, DUMP, family, list(given)))
        found = []
        while True:
            for kind, _, body in self.answers():
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return found
                found.append(attributes(body[4:]))

    def handles(self, table, family=IPV4):
        """Of a table's rules."""
        return [rule[3] for rule in self.dump(GETRULE, family, attribute(1, table))]

    def generation(self):
        """The number of transactions so far."""
        self.socket.send(self.message(SUBSYSTEM << 8 | GETGEN, 0, 0, []))
        (_, _, body), = self.answers()
        return struct.unpack(">I", attributes(body[4:])[1])[0]

    @contextlib.contextmanager
    def transactions(self, count):
        """What happens inside takes so many transactions of the kernel."""
        before = self.generation()
        yield
        assert self.generation() == before + count

    def rules(self, table, family=IPV4, kind=GETRULE):
        """Chain and attributes of each of our expressions in a table."""
        for rule in self.dump(kind, family, attribute(1, table)):
            yield from ours(rule)

    def listen(self):
        """To what becomes of rulesets from now on."""
        self.socket.bind((0, 0))
        self.socket.setsockopt(270, 1, 7)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES

    def new_rules(self):
        """The same of the rules that the next event tells."""
        for kind, _, body in self.answers():
            if kind == SUBSYSTEM << 8 | NEWRULE:
                yield from ours(attributes(body[4:]))
