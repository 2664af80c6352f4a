# SPDX-License-Identifier: GPL-2.0-or-later
"""The addresses of the benchmarks: blocks of hosts. Pair n is internal host n with external address n."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# The length of an IPv6 site's prefix; within it NPT changes the subnet (RFC 6296, 3.4).
SITE = 48


@dataclass(frozen=True)
class Block:
    """Addresses side by side."""

    first: IPv4Address | IPv6Address
    count: int

    @property
    def last(self):
        return self.first + (self.count - 1)

    def __iter__(self):
        return (self.first + number for number in range(self.count))

    def packed(self):
        """Each of them as bytes."""
        size = len(self.first.packed)
        return (number.to_bytes(size, "big") for number in range(int(self.first), int(self.last) + 1))

    def prefix(self, length):
        """The prefix of the first one; of the others as well where it is short enough."""
        return ip_network((self.first, length), strict=False)


@dataclass(frozen=True)
class Family:
    """Where each kind of host begins; those of `no_pair` are inside and have none, a peer is outside.  `apart` is a
    pair, internal and external, that has not a single leading bit in common with the others.  `exempt` are destinations
    that nobody sends to, as many as the expression compares, and `peers` the prefix of whom everybody sends to."""

    name: str
    internal: str
    external: str
    no_pair: str
    peer: str
    apart: tuple
    exempt: tuple
    peers: str

    @property
    def only(self):
        """As many destinations as are exempt, of which the last one that is compared has the peers."""
        return (*self.exempt[:-1], self.peers)

    @property
    def bits(self):
        return ip_address(self.internal).max_prefixlen

    def block(self, kind, count):
        return Block(ip_address(getattr(self, kind)), count)

    def pairs(self, count):
        """Both sides of so many pairs."""
        return self.block("internal", count), self.block("external", count)

    def prefixes(self, count):
        """An internal and an external prefix around so many pairs."""
        length = SITE if self.bits == 128 else 32 - (count - 1).bit_length()
        return tuple(str(block.prefix(length)) for block in self.pairs(count))


# RFC 1918, RFC 6598 and RFC 2544; RFC 4193 and RFC 3849.
FAMILIES = {
    "ip": Family("ip", "10.16.0.0", "100.64.0.0", "10.0.16.0", "198.18.0.0", ("192.168.0.1", "203.0.113.1"),
                 ("10.0.0.0/16", "10.2.0.0/16", "10.4.0.0/16", "10.6.0.0/16", "10.8.0.0/16", "169.254.0.0/16",
                  "172.16.0.0/12", "192.168.0.0/16"), "198.18.0.0/15"),
    "ip6": Family("ip6", "fd00:1::1", "2001:db8:1::1", "fd00:3::1", "2001:db8:3::1", ("2001:db8:4::1", "fd00:4::1"),
                  ("fd00:10::/32", "fd00:12::/32", "fd00:14::/32", "fd00:16::/32", "fd00:18::/32", "fd00:20::/32",
                   "2001:db8:10::/48", "2001:db8:12::/48"), "2001:db8:3::/48"),
}
