# SPDX-License-Identifier: GPL-2.0-or-later
"""Transactions at random: our expression in every form and in none, and tables, chains, maps and rules that come and
go around it. What one random generator makes is the same each time, but for the handles of rules, which the kernel
gives.
"""

import ipaddress
import struct

import nfnl
from nfnl import (DADDR, FOLLOW, FOLLOWED, INET, IPV4, IPV6, NESTED, NOTRACK, NPT, SADDR, TRACKED, UNTRACK, UNTRACKED,
                  attribute, delete_map, delete_rules, delete_table, new_chain, new_element, new_map, new_rule,
                  new_table, replace_rule)

FAMILIES = (IPV4, IPV6, INET)
TABLES = ("t", "u")
PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)
HOOKS = {"pre": PREROUTING, "in": INPUT, "fwd": FORWARD, "out": OUTPUT, "post": POSTROUTING, "late": POSTROUTING,
         "nat": POSTROUTING}
REGULAR = ("r", "q")  # reached by jumps, if at all
JUMP = -3 & 0xffffffff

# By name, the flags of a set and the bytes of its key and data.
MAP, CONSTANT, INTERVAL, TIMEOUT = 8, 2, 4, 16
MAPS = {"x": (MAP, 4), "y": (MAP, 4), "z": (MAP | CONSTANT, 4), "x6": (MAP, 16), "y6": (MAP, 16),
        "ranges": (MAP | INTERVAL, 4), "brief": (MAP | TIMEOUT, 4), "set": (0, 4), "long": (MAP, 8)}
FITTING = {IPV4: ("x", "y", "z"), IPV6: ("x6", "y6"), INET: ("x", "y", "x6", "y6")}

LONGEST = 60000  # of what an attribute holds; its length is 16 bits

# What a rule may say, and in which chains; a tree is (attribute, bytes or a list of trees).
MANNERS = [
    (DADDR, 0, ("pre", "out")), (DADDR, NOTRACK, ("pre", "out", "r")), (DADDR, FOLLOW, ("pre",)),
    (SADDR, UNTRACK, ("pre", "out", "q")), (SADDR, FOLLOW, ("pre", "out")), (SADDR, UNTRACKED, ("post", "in")),
    (SADDR, FOLLOWED, ("post", "late")), (SADDR, FOLLOW | FOLLOWED, ("post", "nat")), (SADDR, TRACKED, ("post", "in")),
    (SADDR, 0, ("post", "in")), (DADDR, UNTRACK | TRACKED, ("pre",)),
]
INTERFACES = ("out0", "in0", "lo", "ppp*", "no-such-one")


def number(value):
    return struct.pack(">I", value)


def text(value):
    return value.encode() + b"\0"


def encoded(tree):
    kind, content = tree
    if isinstance(content, list):
        content = b"".join(map(encoded, content))
    return attribute(kind & 0xffff, content[:LONGEST])


def nested(kind, *trees):
    return kind | NESTED, list(trees)


class Chaos:
    """Of one random generator; `pairs` is (internal, external) of either family, addresses or prefixes."""

    def __init__(self, random, pairs):
        self.random = random
        self.pairs = {size: [one for one in pairs if len(self.side(one[0])[0]) == size] for size in (4, 16)}

    @staticmethod
    def side(prefix):
        network = ipaddress.ip_network(prefix)
        return network.network_address.packed, network.prefixlen

    def chance(self, share):
        return self.random.random() < share

    # The expression.

    def map_tree(self, name):
        six = MAPS[name][1] == 16
        given = [(nfnl.MAP_NAME, text(name))]
        length = self.random.choice((64, 48, 56, 128) if six else (24, 16, 28, 32)) if self.chance(.4) else 0
        if length:
            given.append((nfnl.MAP_PREFIX, number(length)))
        if six and length and length <= 64 and self.chance(.5):
            given.append((nfnl.MAP_FLAGS, number(NPT)))
        if self.chance(.3):
            given.append((nfnl.MAP_ID, number(self.random.randrange(4))))
        if self.chance(.3):
            network = ipaddress.ip_network("fd00::/8" if six else "10.0.0.0/8")
            given += [(nfnl.MAP_WITHIN, network.network_address.packed),
                      (nfnl.MAP_WITHIN_LENGTH, number(network.prefixlen))]
        return nested(1, *given)

    def maps_tree(self, kind, family):
        fitting = FITTING[family]
        if family == INET:
            fitting = self.random.choice((fitting[:2], fitting[2:]))
        names = self.random.choices(fitting, k=self.random.choice((1, 1, 1, 2, 3, 9)))
        return nested(kind, *map(self.map_tree, names))

    def unless_tree(self, family):
        network = ipaddress.ip_network("10.9.0.0/16" if family == IPV4 else "fd09::/16")
        one = nested(1, (nfnl.PREFIX_ADDRESS, network.network_address.packed),
                     (nfnl.PREFIX_LENGTH, number(network.prefixlen)))
        return nested(nfnl.UNLESS, *[one] * self.random.randrange(1, 9))

    def expression_tree(self, family, field, flags):
        given = [(nfnl.FIELD, number(field)), self.maps_tree(nfnl.MAPS, family), (nfnl.FLAGS, number(flags))]
        behind = field == DADDR and flags & (NOTRACK | FOLLOW) and family != INET and self.chance(.5)
        decides = behind or field == SADDR and flags & (UNTRACK | FOLLOW | FOLLOWED)
        if behind:
            given.append(self.maps_tree(nfnl.ELSE_MAPS, family))
        if decides and family != INET and self.chance(.4):
            given.append(self.unless_tree(family))
        if flags & (NOTRACK | UNTRACK | UNTRACKED | FOLLOW | FOLLOWED) and self.chance(.4):
            names = self.random.sample(INTERFACES, self.random.randrange(1, len(INTERFACES)))
            given.append(nested(nfnl.VIA, *[(1, text(name)) for name in names]))
        return nested(1, (1, text("snat_stateless")), nested(2, *given))

    # The same, spoiled.

    def spoiled(self, tree):
        kind, content = tree
        if isinstance(content, list) and content and self.chance(.8):
            content = list(content)
            at = self.random.randrange(len(content))
            how = self.random.randrange(8)
            if how == 0:
                del content[at]
            elif how == 1:
                content.insert(at, content[self.random.randrange(len(content))])
            elif how == 2:
                content[at:at + 1] = [content[at]] * self.random.choice((2, 9, 255, 300))
            else:
                content[at] = self.spoiled(content[at])
            return kind, content
        if self.chance(.3):
            return self.random.choice((kind ^ NESTED, kind + 1, 0, self.random.randrange(1 << 16))), content
        if isinstance(content, list):
            return kind, self.random.choice(([], self.random.randbytes(self.random.randrange(40)), [tree]))
        return kind, self.random.choice((
            b"", content[:-1], content + b"\0", content * 90, self.random.randbytes(len(content)),
            self.random.randbytes(self.random.randrange(300)), number(1 << self.random.randrange(32)),
            text(self.random.choice(tuple(MAPS)))))

    def torn(self, data):
        """Bytes changed anywhere, lengths and types too."""
        data = bytearray(data)
        for _ in range(self.random.randrange(1, 4) if len(data) > 4 else 0):
            data[self.random.randrange(4, len(data))] = self.random.choice((0, 1, 4, 0x7f, 0x80, 0xff))
        return bytes(data)

    def odd_expression(self, family, field, flags):
        tree = self.expression_tree(family, field, flags)
        for _ in range(self.random.randrange(1, 4)):
            tree = self.spoiled(tree)
        data = encoded(tree)
        return data if self.chance(.7) else self.torn(data)

    # What is around it. Each step is messages that may stand alone.

    def chain(self, table, name, family):
        if name in REGULAR:
            return nfnl.NEWCHAIN, nfnl.CREATE, family, [attribute(1, table), attribute(3, name)]
        made = new_chain(table, name, HOOKS[name], -300 + 400 * (name in ("late", "nat")), family)
        return (*made[:3], made[3][:-1] + [attribute(7, "nat")]) if name == "nat" else made

    def map(self, table, name, family):
        flags, size = MAPS[name]
        made = new_map(table, name, flags, 1 + list(MAPS).index(name), family, size, size)
        if name.startswith("y"):  # room, and a counter for each element
            made[3].extend([attribute(9, [attribute(1, 3072)]), attribute(17, [attribute(1, "counter")])])
        return made

    def place(self):
        return self.random.choice(TABLES), self.random.choice(FAMILIES)

    def rule(self):
        """One that is refused now and then, or that jumps."""
        table, family = self.place()
        field, flags, chains = self.random.choice(MANNERS)
        chain = self.random.choice(chains if self.chance(.9) else (*HOOKS, *REGULAR))
        if self.chance(.1):
            field, flags = self.random.randrange(2), self.random.randrange(64)
        make = self.odd_expression if self.chance(.15) else lambda *how: encoded(self.expression_tree(*how))
        rule = new_rule(table, chain, make(family, field, flags), family=family)
        if self.chance(.3):
            rule = (rule[0], nfnl.CREATE, *rule[2:])  # in front
        around = [self.map(table, name, family) for name in FITTING[family]]
        return [new_table(table, family), *around, self.chain(table, chain, family), rule]

    def jump(self):
        table, family = self.place()
        target, base = self.random.choice(REGULAR), self.random.choice(tuple(HOOKS))
        verdict = attribute(2, [attribute(2, [attribute(1, JUMP), attribute(2, target)])])
        immediate = attribute(1, [attribute(1, "immediate"), attribute(2, [attribute(1, 0), verdict])])
        return [new_table(table, family), self.chain(table, target, family), self.chain(table, base, family),
                new_rule(table, base, immediate, family=family)]

    def elements(self):
        table, family = self.place()
        name = self.random.choice([one for one in FITTING[family] if one != "z"])
        pairs = self.pairs[MAPS[name][1]]
        made = []
        for pair in self.random.choices(pairs, k=self.random.choice((1, 5, 60))):
            sides = [self.side(one)[0] for one in pair]
            way = self.random.randrange(2)
            # A key has one value for ever; every other pair is a hole in one of the maps.
            is_hole = name.startswith("y") and pairs.index(pair) % 2
            made.append(new_element(table, name, sides[way], sides[way if is_hole else 1 - way], family))
        return [new_table(table, family), self.map(table, name, family), *made]

    def empty_map(self):
        table, family = self.place()
        name = self.random.choice(FITTING[family])
        return [new_table(table, family), self.map(table, name, family),
                (nfnl.DELSETELEM, 0, family, [attribute(1, table), attribute(2, name)])]

    def flush(self):
        """A chain, or all of a table."""
        table, family = self.place()
        if self.chance(.5):
            chain = self.random.choice((*HOOKS, *REGULAR))
            return [new_table(table, family), self.chain(table, chain, family), delete_rules(table, chain, family)]
        return [new_table(table, family), (nfnl.DELRULE, 0, family, [attribute(1, table)])]

    def new_maps(self):
        """Deleted and made anew, with the rules that ask them or, mostly refused, without."""
        table, family = self.place()
        name = self.random.choice(FITTING[family] if self.chance(.8) else tuple(MAPS))
        last = [(nfnl.DELRULE, 0, family, [attribute(1, table)])] if self.chance(.7) else []
        return [new_table(table, family), self.map(table, name, family), *last, delete_map(table, name, family),
                *([self.map(table, name, family)] if self.chance(.7) else [])]

    def no_table(self):
        table, family = self.place()
        return [new_table(table, family), delete_table(table, family)]

    def no_chain(self):
        table, family = self.place()
        chain = self.random.choice((*HOOKS, *REGULAR))
        return [new_table(table, family), self.chain(table, chain, family), delete_rules(table, chain, family),
                (nfnl.DELCHAIN, 0, family, [attribute(1, table), attribute(3, chain)])]

    def replaced(self, known):
        """A rule of those that are known; by another one, or by nothing, or moved behind one."""
        if not known:
            return self.rule()
        family, table, chain, handle = self.random.choice(known)
        field, flags, _ = self.random.choice(MANNERS)
        how = self.random.random()
        if how < .4:
            return [delete_rules(table, chain, family, handle)]
        made = encoded(self.expression_tree(family, field, flags))
        if how < .8:
            return [replace_rule(table, chain, handle, made, family=family)]
        moved = new_rule(table, chain, made, family=family)
        return [delete_rules(table, chain, family, handle), (*moved[:3], [*moved[3], attribute(6, handle)])]

    def batch(self, known=()):
        """Some steps; the last of them sometimes one that cannot be, for which all is undone."""
        steps = [self.rule] * 8 + [self.elements] * 3 + [self.jump, self.empty_map, self.flush, self.new_maps,
                                                         self.new_maps, self.no_table, self.no_chain]
        messages = []
        for _ in range(self.random.choice((1, 1, 2, 3, 6))):
            messages += self.replaced(known) if self.chance(.2) else self.random.choice(steps)()
        if self.chance(.2):
            messages.append(delete_map("no such table", "x"))
        return messages
