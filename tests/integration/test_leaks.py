# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule has taken it gives back, however it goes, and whichever of its allocations fails.

One namespace, no packets: netlink made by hand. In a kernel that can let allocations fail (`make debug`), each one of a
transaction does.
"""

import itertools
import random
from pathlib import Path

import pytest

from forgetful import FAILSLAB, Forgetful, module_is_unused, set_failslab
from net import Namespace, until
from nfnl import (DADDR, ELSE_MAPS, FIELD, FLAGS, MAPS, NOTRACK, UNLESS, VIA, Netlink, a_map, a_prefix, attribute,
                  delete_map, delete_rules, delete_table, name_of, new_chain, new_map, new_rule, new_table,
                  replace_rule, snat_stateless)
from packets import expression

pytestmark = expression

# A rule of all parts that there are, and one that is refused when most of it is made.
PARTS = [attribute(FIELD, DADDR), attribute(MAPS, [a_map("x"), a_map("y", prefix=24, within="10.0.0.0/8")]),
         attribute(FLAGS, NOTRACK), attribute(UNLESS, [a_prefix("10.9.0.0/16")]),
         attribute(VIA, [attribute(1, "out0")])]
WHOLE = snat_stateless(*PARTS, attribute(ELSE_MAPS, [a_map("y"), a_map("x")]))
RULE = new_rule("t", "c", WHOLE)
REFUSED = new_rule("t", "c", snat_stateless(*PARTS, attribute(ELSE_MAPS, [a_map("y"), a_map("no such map")])))
AROUND = [new_table("t"), new_map("t", "x"), new_map("t", "y", identity=2), new_chain("t", "c")]
# What is done about a rule that is there, by its handle.
DEEDS = {
    "another one": lambda handle: [RULE],
    "replaced": lambda handle: [replace_rule("t", "c", handle, WHOLE)],
    "deleted": lambda handle: [delete_rules("t", "c", handle=handle)],
    "another one, undone": lambda handle: [RULE, REFUSED],
    "replaced, undone": lambda handle: [replace_rule("t", "c", handle, WHOLE), REFUSED],
    "deleted, undone": lambda handle: [delete_rules("t", "c", handle=handle), REFUSED],
}


@pytest.mark.skipif(not FAILSLAB.exists(), reason="allocations cannot be made to fail here")
@pytest.mark.parametrize("deed", DEEDS)
def test_each_allocation_fails(namespace, netlink, failing, deed):
    """One after the other, until there is none left: no rule holds its maps longer than it is there."""
    set_failslab(probability=0)
    forgetful = Forgetful(namespace, random.Random(0))
    for nth in itertools.count(1):
        assert netlink.batch(*AROUND, RULE) == 0
        has_failed = forgetful.batch(DEEDS[deed](netlink.handles("t")[0]), nth)
        forgetful.discard()
        for handle in netlink.handles("t"):
            assert name_of(netlink.batch(delete_map("t", "x"))) == "EBUSY", nth
            assert netlink.batch(delete_rules("t", "c", handle=handle)) == 0, nth
        assert netlink.batch(delete_map("t", "x"), delete_map("t", "y"), delete_table("t")) == 0, nth
        if not has_failed:
            break
    assert nth > 5  # more than the message itself


RULES = 100


def in_use():
    """Objects that kmalloc has given, and pages of numbers that each processor has of its own."""
    for cache in Path("/sys/kernel/slab").glob("kmalloc-*"):
        try:
            (cache / "shrink").write_text("1")
        except OSError:  # an alias
            pass
    lines = [line.split() for line in Path("/proc/slabinfo").read_text().splitlines()]
    objects = sum(int(line[1]) for line in lines if line[0].startswith("kmalloc-"))
    percpu = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "Percpu" in line)
    return objects, percpu


def lose(how, netlink, namespace):
    """Many rules are there, or nearly, and then not any more."""
    if how == "refused":
        for _ in range(RULES // 4):  # a transaction each
            assert name_of(netlink.batch(*AROUND, REFUSED)) == "ENODATA"
        return
    if how == "undone":
        assert name_of(netlink.batch(*AROUND, *[RULE] * RULES, REFUSED)) == "ENODATA"
        return
    if how == "with their namespace":
        brief = Namespace("brief")
        other = Netlink(brief)
        assert other.batch(*AROUND, *[RULE] * RULES) == 0
        other.close()
        brief.close()
        until(module_is_unused)
        return
    assert netlink.batch(*AROUND, *[RULE] * RULES) == 0
    if how == "replaced":
        handles = netlink.handles("t")
        assert netlink.batch(*[replace_rule("t", "c", handle, WHOLE) for handle in handles]) == 0
    if how == "flushed":
        assert netlink.batch(delete_rules("t", "c")) == 0
    assert netlink.batch(delete_table("t")) == 0


@pytest.mark.parametrize("how", ["refused", "undone", "with their namespace", "replaced", "flushed",
                                 "with their table"])
def test_nothing_is_lost(namespace, netlink, how):
    """What is freed late is waited for; what is lost never comes back, and is more with each round."""
    lose(how, netlink, namespace)
    objects, pages = in_use()
    for _ in range(8):
        lose(how, netlink, namespace)
    until(lambda: in_use()[0] < objects + RULES)
    assert in_use()[1] < pages + 32
