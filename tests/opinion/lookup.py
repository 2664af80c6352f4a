# SPDX-License-Identifier: GPL-2.0-or-later
"""Which address another one is translated into, as statnat.toml(5) and RFC 6296 say it."""

import ipaddress

OUTBOUND, INBOUND = 0, 1  # from side 0 of a pair to side 1, and back


class NoCounterpart(Exception):
    """RFC 6296 has none for this address, although it is in a pair."""


class Pair:
    """Two addresses, or two prefixes of one length; npt extends the shorter one with zeros."""

    def __init__(self, internal, external, npt=False):
        self.internal, self.external = internal, external
        networks = [ipaddress.ip_network(side) for side in (internal, external)]
        self.length = max(network.prefixlen for network in networks)
        self.sides = [int(network.network_address) for network in networks]
        self.size = networks[0].max_prefixlen
        self.host_bits, self.npt = (1 << self.size - self.length) - 1, npt

    def translated(self, address, way):
        moved = self.sides[1 - way] | address & self.host_bits
        return self.neutral(moved, self.sides[way] - self.sides[1 - way]) if self.npt else moved

    def neutral(self, address, adjustment):
        """RFC 6296, 3.4 and 3.5: the word that takes the change of the prefix back, in one's complement."""
        words = [address >> shift & 0xffff for shift in range(112, -16, -16)]
        if not any(words[4:]):
            raise NoCounterpart
        choices = [3] if self.length <= 48 else [4, 5, 6, 7]
        at = next((at for at in choices if words[at] != 0xffff), None)
        if at is None:
            raise NoCounterpart
        adjusted = (words[at] + adjustment) % 0xffff  # which 0xffff is not among
        return address + (adjusted - words[at] << 112 - 16 * at)


class Pairs:
    """The pairs of one family. What the gateway has itself, `own`, is in no pair of prefixes."""

    def __init__(self, *pairs, own=()):
        self.pairs, self.own = pairs, {int(ipaddress.ip_address(address)) for address in own}
        # By length, the longest first: each side's first addresses.
        self.by_length = [(length, [{pair.sides[way]: pair for pair in pairs if pair.length == length}
                                    for way in (OUTBOUND, INBOUND)])
                          for length in sorted({pair.length for pair in pairs}, reverse=True)]

    def covering(self, address, way):
        for length, sides in self.by_length:
            bits = self.pairs[0].size - length
            if pair := sides[way].get(address >> bits << bits):
                return pair
        return None

    def find(self, address, way):
        """An address' pair, and what it becomes. A longer pair on either side leaves a hole in a shorter one."""
        number = int.from_bytes(address, "big")
        pair = self.covering(number, way)
        if not pair:
            return None, None
        after = pair.translated(number, way)
        if pair.host_bits and self.own & {number, after} or self.covering(after, 1 - way) is not pair:
            return None, None
        return pair, after.to_bytes(len(address), "big")
