# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules keep their maps: through each step of a rule's life, in every order, whether its batch is committed or not.

One namespace, no packets: netlink made by hand. A map that a rule refers to cannot be deleted, which tells from outside
whether the kernel counts right: rules are taken away one by one, and the map may go after the last of them and not
before.
"""

import itertools
import subprocess

import pytest

from net import Namespace, until
from nfnl import (DADDR, NOTRACK, Netlink, a_map, delete_map, delete_rules, delete_table, expression, name_of,
                  new_chain, new_element, new_map, new_rule, new_table, replace_rule)
from packets import expression as needs_module

pytestmark = needs_module

# The map x thrice, on both sides of else.
KEEPS = expression(DADDR, [a_map("x"), a_map("x")], NOTRACK, [a_map("x")])
# Its first map is found, if it is there, and the next one is not.
FAILS = new_rule("t", "c", expression(DADDR, [a_map("x"), a_map("no such map")]))
FAILS_BEHIND_ELSE = new_rule("t", "c", expression(DADDR, [a_map("x")], NOTRACK, [a_map("x"), a_map("no such map")]))


class State:
    """What a table holds: the map x or not, how many rules that refer to it, and whether the first of these still has
    its handle."""

    def __init__(self, held=0, rules=0, first=False):
        self.held, self.rules, self.first = held, rules, first


# Steps on the map and its rules: what is sent, given the first rule's handle, which a rule that replaces it takes over;
# and what it makes of a state, None being a refusal.
STEPS = {
    "add map": (lambda first: new_map("t", "x"),
                lambda now: State(1, now.rules, now.first)),
    "delete map": (lambda first: delete_map("t", "x"),
                   lambda now: State() if now.held and not now.rules else None),
    "add rule": (lambda first: new_rule("t", "c", KEEPS),
                 lambda now: State(1, now.rules + 1, now.first) if now.held else None),
    "replace rule": (lambda first: replace_rule("t", "c", first, KEEPS),
                     lambda now: now if now.first else None),
    "delete rule": (lambda first: delete_rules("t", "c", handle=first),
                    lambda now: State(1, now.rules - 1) if now.first else None),
    "flush chain": (lambda first: delete_rules("t", "c"),
                    lambda now: State(now.held)),
}
STARTS = {"nothing": State(), "a map": State(1), "a map and a rule": State(1, 1, True)}
NO_RULE = bytes(8)


def begin(netlink, state):
    """A table of that state; returns the handle of its first rule."""
    start = [new_map("t", "x")] * state.held + [new_rule("t", "c", KEEPS)] * state.rules
    assert netlink.batch(new_table("t"), delete_table("t"), new_table("t"), new_chain("t", "c"), *start) == 0
    return (netlink.handles("t") or [NO_RULE])[0]


def outcome(state, names):
    for name in names:
        _, makes = STEPS[name]
        state = state and makes(state)
    return state


def check(netlink, state, why):
    """Each rule keeps the map, and the last one to go lets it go."""
    handles = netlink.handles("t")
    assert len(handles) == state.rules, why
    for handle in handles:
        assert name_of(netlink.batch(delete_map("t", "x"))) == "EBUSY", why
        assert netlink.batch(delete_rules("t", "c", handle=handle)) == 0, why
    assert netlink.batch(delete_map("t", "x")) == 0 if state.held else True, why


@pytest.mark.parametrize("start", STARTS)
def test_every_order_in_one_batch(netlink, start):
    """What may not be, and what comes before and after it in its batch, changes nothing."""
    for names in itertools.chain.from_iterable(itertools.product(STEPS, repeat=length) for length in (1, 2, 3)):
        first = begin(netlink, STARTS[start])
        after = outcome(STARTS[start], names)
        code = netlink.batch(*(STEPS[name][0](first) for name in names))
        assert (code == 0) == (after is not None), names
        check(netlink, after or STARTS[start], names)


@pytest.mark.parametrize("failure", [FAILS, FAILS_BEHIND_ELSE], ids=["first list", "behind else"])
@pytest.mark.parametrize("start", STARTS)
def test_error_at_every_position(netlink, start, failure):
    """A batch that ends well but for one rule in its midst is undone, what was prepared before and after it too."""
    legal = [names for names in itertools.product(STEPS, repeat=2) if outcome(STARTS[start], names)]
    for names, position in itertools.product(legal, range(3)):
        first = begin(netlink, STARTS[start])
        batch = [STEPS[name][0](first) for name in names]
        batch.insert(position, failure)
        assert name_of(netlink.batch(*batch)) == "ENODATA", (names, position)
        check(netlink, STARTS[start], (names, position))


def test_map_deleted_and_made_anew(netlink, namespace):
    """A rule made after it refers to the new one, also when all is in one batch."""
    first = begin(netlink, STARTS["a map and a rule"])
    namespace.nft("add element ip t x { 192.0.2.1 : 192.0.2.2 }")
    assert netlink.batch(delete_rules("t", "c", handle=first), delete_map("t", "x"),
                         new_map("t", "x"), new_rule("t", "c", KEEPS)) == 0
    assert "192.0.2.1" not in namespace.run("nft", "list", "map", "ip", "t", "x").stdout
    check(netlink, State(1, 1), "made anew")


CONSTANT_MAP = 0x8 | 0x2
ELEMENT = new_element("t", "x", b"\1\2\3\4", b"\5\6\7\x08")


def test_constant_map(netlink):
    """Its elements are fixed for as long as a rule refers to it (nf_tables_newsetelem() looks at the bindings)."""
    begin(netlink, STARTS["nothing"])
    assert netlink.batch(new_map("t", "x", flags=CONSTANT_MAP), ELEMENT) == 0
    assert netlink.batch(new_rule("t", "c", KEEPS)) == 0
    assert name_of(netlink.batch(ELEMENT)) == "EBUSY"
    assert name_of(netlink.batch(delete_rules("t", "c"), FAILS)) == "ENODATA"
    assert name_of(netlink.batch(ELEMENT)) == "EBUSY"
    assert netlink.batch(delete_rules("t", "c")) == 0
    assert name_of(netlink.batch(new_rule("t", "c", KEEPS), FAILS)) == "ENODATA"
    assert netlink.batch(ELEMENT) == 0


def users():
    """How many rules keep the module; the kernel lets go of deleted ones a little later."""
    with open("/sys/module/nft_snat_stateless/refcnt") as file:
        return int(file.read())


@pytest.mark.parametrize("undo", ["flush ruleset", "delete table ip t", "flush chain ip t c",
                                  "flush chain ip t c; delete chain ip t c; delete map ip t x"])
def test_stock_nft_takes_rules_away(netlink, namespace, undo):
    begin(netlink, STARTS["a map and a rule"])
    namespace.nft(undo)
    assert not list(netlink.rules("t"))
    until(lambda: users() == 0)


def test_namespace_goes(netlink):
    until(lambda: users() == 0)
    other = Namespace("goes")
    theirs = Netlink(other)
    begin(theirs, State(1, 3, True))
    theirs.close()
    assert users() == 3
    other.close()
    until(lambda: users() == 0)


def test_module_stays_while_in_use(netlink):
    until(lambda: users() == 0)
    begin(netlink, STARTS["a map and a rule"])
    done = subprocess.run(["rmmod", "nft_snat_stateless"], capture_output=True, text=True)
    assert done.returncode != 0 and "in use" in done.stderr and users() == 1
    assert len(list(netlink.rules("t"))) == 1
