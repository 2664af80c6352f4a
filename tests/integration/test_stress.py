# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules, maps, namespaces, packets and memory come and go at random, all at once, and the kernel counts right.

    inside ════ gateway ════ outside        for each family, packets of every kind from both sides all the time
                   |
    two who commit anything, two who list, one who listens and does not hear; beside them namespaces that come and go

Nobody may complain meanwhile (conftest.py), nothing may be left (here), and a kernel that watches its memory and locks
must find nothing, where it may run for longer (--seconds=600). Where the kernel can, allocations
fail at random. What each of those who take part does follows from --seed, and how they meet does not.
"""

import itertools
import os
import random
import socket
import sys
import time
from pathlib import Path

import pytest

import nfnl
from chaos import FAMILIES, TABLES
from forgetful import Forgetful, let_memory_fail, module_is_unused
from net import (A, A6, A6_OUT, A_OUT, B, B6, B6_OUT, B_OUT, CLONE_NEWNET, GATEWAY6_IN, GATEWAY_IN, R2, R2_6, X, X6,
                 libc, until)
from nfnl import Netlink, attribute, delete_map, delete_table, name_of, new_table
from packets import expression
from wire import Wire, Wire6

sys.path.append(str(Path(__file__).resolve().parent.parent / "opinion"))

from generator import Packets  # noqa: E402
from lookup import INBOUND, OUTBOUND, Pair, Pairs  # noqa: E402

pytestmark = expression

PAIRS = {4: [(A, A_OUT), (B, B_OUT), ("10.0.0.0/24", "198.51.101.0/24"), ("10.2.0.0/16", "198.18.0.0/16")],
         6: [(A6, A6_OUT), (B6, B6_OUT), ("fd00:1::/64", "2001:db8:50::/64"), ("fd08:1::/48", "2001:db8:e::/48")]}
ALL = PAIRS[4] + PAIRS[6]
OWN, PEERS = {4: [GATEWAY_IN], 6: [GATEWAY6_IN]}, {4: [X, R2], 6: [X6, R2_6]}
NOBODY = {4: ("10.4.0.1", "198.51.104.1"), 6: ("fd04::1", "2001:db8:ee::1")}


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def committing(gateway):
    return lambda chance: Forgetful(gateway, chance, ALL).turn


def listing(gateway):
    return lambda chance: Forgetful(gateway, chance, ALL).look


def listening(gateway):
    """Its buffer is full soon, and stays so."""
    def start(chance):
        netlink = Netlink(gateway)
        netlink.listen()
        return lambda: time.sleep(.05)
    return start


def sending(port, version, way):
    """All kinds of packets, from a batch of some hundreds that is made anew now and then."""
    def start(chance):
        pairs = Pairs(*[Pair(*pair) for pair in PAIRS[version]], own=OWN[version])
        made = Packets(version, way, pairs, tuple(map(packed, NOBODY[version])), list(map(packed, PEERS[version])),
                       chance.random())
        numbers, packets = itertools.count(), []

        def turn():
            number = next(numbers)
            if number % 20 == 0:
                packets[:] = made.batch(number, 200)
            for packet in packets:
                try:
                    port.send(packet)
                except OSError:
                    pass
        return turn
    return start


def coming_and_going(chance):
    """A namespace with rules, which goes with them still there."""
    def turn():
        seed = chance.random()
        child = os.fork()
        if child == 0:
            try:
                assert libc.unshare(CLONE_NEWNET) == 0
                forgetful = Forgetful(socket, random.Random(seed), ALL)
                for _ in range(10):
                    forgetful.turn()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    return turn


def at_once(takers, seconds, seed):
    """Lets each of them take turns for so long, one at least, in a process of its own; returns how many it was."""
    children = {}
    for name, start in takers.items():
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            turns, status = 0, 1
            try:
                os.close(reader)
                turn = start(random.Random(f"{seed} {name}"))
                let_memory_fail()
                end = time.monotonic() + seconds
                while not turns or time.monotonic() < end:
                    try:
                        turn()
                        turns += 1
                    except (OSError, MemoryError):
                        pass
                status = 0
            except BaseException as error:  # what it was is all that can be told from here
                print(f"{name}: {error!r}", file=sys.stderr)
            finally:
                os.write(writer, str(turns).encode())
                os._exit(status)
        os.close(writer)
        children[child] = name, reader
    turns, failed = {}, []
    for child, (name, reader) in children.items():
        _, status = os.waitpid(child, 0)
        turns[name] = int(os.read(reader, 100) or b"0")
        os.close(reader)
        failed += [name] if status else []
    assert not failed
    return turns


@pytest.fixture(scope="module")
def wires():
    wires = {4: Wire(), 6: Wire6()}
    # Which wants one; here they may meet.
    os.sched_setaffinity(0, wires[4].processors)
    yield wires
    for wire in reversed(wires.values()):
        wire.close()


def nothing_is_held(namespace):
    """Without rules each map may go, and then each table."""
    netlink = Netlink(namespace)
    for family in FAMILIES:
        for table in TABLES:
            whole = attribute(1, table)
            assert netlink.batch(new_table(table, family), (nfnl.DELRULE, 0, family, [whole])) == 0
            for name in {one[2] for one in netlink.dump(nfnl.GETSET, family, whole)}:
                assert name_of(netlink.batch(delete_map(table, name[:-1].decode(), family))) == 0, (family, table, name)
            assert netlink.batch(delete_table(table, family)) == 0
    netlink.close()


def test_all_at_once(wires, failing, pytestconfig):
    takers = {"namespaces": coming_and_going}
    for version, wire in wires.items():
        for number in (1, 2):
            takers[f"IPv{version}, committer {number}"] = committing(wire.gateway)
            takers[f"IPv{version}, lister {number}"] = listing(wire.gateway)
        takers[f"IPv{version}, listener"] = listening(wire.gateway)
        takers[f"IPv{version}, inside"] = sending(wire.inside, version, OUTBOUND)
        takers[f"IPv{version}, outside"] = sending(wire.outside, version, INBOUND)
    turns = at_once(takers, pytestconfig.getoption("seconds"), pytestconfig.getoption("seed"))
    print(f"seed {pytestconfig.getoption('seed')}: {turns}")
    for wire in wires.values():
        nothing_is_held(wire.gateway)
    until(module_is_unused)
