# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of a packet, said a second time: from docs/ and the RFCs, and from nothing in kernel/.

    Gateway(pairs)(packet)      the packet behind both statements; Dropped, if it goes no further

A packet is bytes from its IP header on, without a link layer's padding. Nothing here is quick or clever; where a rule
has a source, it is named.
"""

from lookup import INBOUND, OUTBOUND, NoCounterpart

SADDR, DADDR = 0, 1  # which address a statement looks up and replaces

TCP, UDP, DCCP, UDP_LITE, ICMP, ICMPV6 = 6, 17, 33, 136, 1, 58
HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS, AUTHENTICATION, NOTHING = 0, 43, 44, 60, 51, 59

# Protocols whose checksum covers the addresses: where it is, and how long the header is that must be there.
COVERING = {
    TCP:      (16, 20),  # RFC 9293, 3.1
    UDP:      (6, 8),    # RFC 768
    DCCP:     (6, 12),   # RFC 4340, 5.1 and 9.1
    UDP_LITE: (6, 8),    # RFC 3828, 3.1
    139:      (4, 40),   # HIP: RFC 7401, 5.1
}
COVERING_IN_IPV6 = {
    **COVERING,
    ICMPV6:   (2, 4),    # RFC 4443, 2.1 and 2.3
    89:       (12, 16),  # OSPF: RFC 5340, A.3.1
    103:      (2, 4),    # PIM: RFC 7761, 4.9
    112:      (6, 8),    # VRRP: RFC 9568, 5.2.8
    135:      (4, 6),    # mobility: RFC 6275, 6.1.1
}
# What a sum of 0 is sent as 0xffff for, since 0 says that there is none (RFC 768) or must not be (RFC 3828, 3.1).
ZERO_MEANS_NONE = UDP, UDP_LITE

# All that stock rules repair; they do not ask of which family it is.
COVERING_IN_STOCK = {number: COVERING_IN_IPV6[number] for number in (TCP, UDP, UDP_LITE, ICMPV6)}
# Errors, which quote the packet that they are about 8 bytes behind their start (RFC 792; RFC 4443, 2.1).
ERRORS = {4: (3, 4, 11, 12), 6: (1, 2, 3, 4)}
REDIRECT, REDIRECT_IPV6 = 5, 137
NEIGHBOUR_DISCOVERY = range(133, 138)  # RFC 4861, 4
HOME_ADDRESS = 0xc9  # RFC 6275, 6.3


class Dropped(Exception):
    """Goes no further. The sender is told where RFC 6296 has no counterpart for its address."""


class Header:
    """An IP header at a place of some data, what follows it, and where that ends."""

    def __init__(self, data, start, end, quoted=False):
        # A quote's own length says how much of it there once was, or what its sender made of that.
        self.data, self.start, self.end, self.quoted = data, start, end, quoted
        self.version = data[start] >> 4
        self.later_fragment = False
        # Whether the transport's pseudo header has the source, and the destination, of this header.
        self.in_pseudo = [True, True]
        if self.version == 4:
            self.size, self.first, self.covering = 4, start + 12, COVERING
            self.walk4()
        else:
            self.size, self.first, self.covering = 16, start + 8, COVERING_IN_IPV6
            self.walk6()

    @classmethod
    def is_at(cls, version, data, start, end):
        least = 20 if version == 4 else 40
        return (end - start >= least and data[start] >> 4 == version
                and (version == 6 or data[start] & 15 >= 5))

    def walk4(self):
        data, start = self.data, self.start
        self.protocol, self.upper = data[start + 9], start + 4 * (data[start] & 15)
        if not self.quoted:
            self.end = min(self.end, start + int.from_bytes(data[start + 2:start + 4], "big"))
        self.later_fragment = bool(int.from_bytes(data[start + 6:start + 8], "big") & 0x1fff)
        self.complete = self.upper <= self.end

    def walk6(self):
        """RFC 8200, 4: header by header to what is none of them, or to the end."""
        data, start = self.data, self.start
        self.protocol, self.upper = data[start + 6], start + 40
        if not self.quoted:
            self.end = min(self.end, start + 40 + int.from_bytes(data[start + 4:start + 6], "big"))
        while self.protocol in (HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS, AUTHENTICATION):
            here = data[self.upper:self.end]
            length = self.length_of(here)
            self.complete = length is not None and length <= len(here)
            if not self.complete:
                return
            if self.protocol == ROUTING and here[3]:
                self.in_pseudo[DADDR] = False  # RFC 8200, 8.1: the final destination stands there
            elif self.protocol == OPTIONS and HOME_ADDRESS in options(here[2:length]):
                self.in_pseudo[SADDR] = False  # RFC 6275, 11.3.1: the home address stands there
            elif self.protocol == FRAGMENT and int.from_bytes(here[2:4], "big") & 0xfff8:
                self.later_fragment = True
            self.protocol, self.upper = here[0], self.upper + length
            if self.later_fragment:
                return
        self.complete = True

    def length_of(self, here):
        """Of an extension header; None where not even that is there."""
        if self.protocol == FRAGMENT:
            return 8
        if len(here) < 2:
            return None
        return 4 * (here[1] + 2) if self.protocol == AUTHENTICATION else 8 * (here[1] + 1)

    def address(self, field):
        at = self.first + field * self.size
        return bytes(self.data[at:at + self.size])

    def write(self, field, address):
        at = self.first + field * self.size
        self.data[at:at + self.size] = address

    @property
    def is_icmp(self):
        return (self.complete and not self.later_fragment and self.upper < self.end
                and self.protocol == (ICMP if self.version == 4 else ICMPV6))

    @property
    def kind(self):
        """The type of an ICMP message."""
        return self.data[self.upper] if self.is_icmp else None

    @property
    def is_neighbour_discovery(self):
        """Behind extension headers nobody sends any, and it is not looked for."""
        return self.version == 6 and self.upper == self.start + 40 and self.kind in NEIGHBOUR_DISCOVERY

    @property
    def is_redirect(self):
        return (self.kind == REDIRECT if self.version == 4 else
                self.is_neighbour_discovery and self.kind == REDIRECT_IPV6)

    @property
    def is_cut(self):
        return not self.complete or self.checksum and self.checksum[1] > self.end

    @property
    def checksum(self):
        """The checksum that covers the addresses: where it is, and where the header ends that must be there."""
        if self.complete and not self.later_fragment and self.protocol in self.covering:
            at, length = self.covering[self.protocol]
            return self.upper + at, self.upper + length
        return None

    @property
    def has_checksum(self):
        return self.checksum and self.checksum[0] + 2 <= self.end


def options(data):
    """The types of the options in a header (RFC 8200, 4.2). A length may be wrong: its receiver discards the packet,
    whatever its checksum."""
    found = []
    while data:
        if data[0] == 0:
            data = data[1:]
            continue
        if len(data) < 2:
            break
        found.append(data[0])
        data = data[2 + data[1]:]
    return found


def difference(before, after):
    """What a one's complement sum over the bytes grows by, the sum of all ~m + m': modulo 0xffff, 2^16 is 1, and so a
    number is its words' sum. It is 0xffff, or -0, where they take each other back; of one word, it may be 0."""
    if len(before) == 2:
        return 0xffff - int.from_bytes(before, "big") + int.from_bytes(after, "big")
    odd = len(before) % 2
    return (int.from_bytes(after, "big") - int.from_bytes(before, "big") << 8 * odd) % 0xffff or 0xffff


def repair(data, at, change, none_is_zero=False, never_zero=False):
    """RFC 1624, [Eqn. 3]: HC' = ~(~HC + ~m + m'), by the letter also where that is 0 or -0."""
    checksum = int.from_bytes(data[at:at + 2], "big")
    if none_is_zero and checksum == 0:
        return
    total = 0xffff - checksum + change
    checksum = 0xffff - (total and (total % 0xffff or 0xffff))
    if checksum == 0 and (none_is_zero or never_zero):
        checksum = 0xffff
    data[at:at + 2] = checksum.to_bytes(2, "big")


def rewrite(header, field, address, npt, stock=False):
    """An address, and each checksum that covers it, as far as they are there. Stock rules never write a sum of 0."""
    data, change = header.data, difference(header.address(field), address)
    header.write(field, address)
    if header.version == 4:
        # Behind prerouting the hop limit changes, and the kernel itself writes a sum of 0 as it is.
        repair(data, header.start + 10, change, never_zero=stock and field == SADDR)
    if header.has_checksum and header.in_pseudo[field] and not npt:
        none_is_zero = header.protocol == UDP if stock else header.protocol in ZERO_MEANS_NONE
        repair(data, header.checksum[0], change, none_is_zero, stock)


def left_alone(header, broadcasts):
    """snat_stateless(7): what is for many, or of a link."""
    source, target = header.address(SADDR), header.address(DADDR)
    if header.version == 4:
        return (target[0] >> 4 == 0xe or target in broadcasts
                or b"\xa9\xfe" in (source[:2], target[:2]))
    link_local = any(address[0] == 0xfe and address[1] >> 6 == 2 for address in (source, target))
    return target[0] == 0xff or link_local


def quote_of(header):
    """The header that an ICMP error quotes; what is too short or odd is none."""
    if header.kind not in ERRORS[header.version]:
        return None
    start = header.upper + 8
    if not Header.is_at(header.version, header.data, start, header.end):
        return None
    return Header(header.data, start, header.end, quoted=True)


class Gateway:
    """One with pairs; `stock`, if its rules are of nf_tables alone (snat_stateless(7), ENGINES)."""

    def __init__(self, pairs, broadcasts=(), stock=False):
        self.pairs, self.broadcasts, self.stock = pairs, broadcasts, stock

    def __call__(self, packet):
        """Behind prerouting, which has translated the destination, and postrouting, which has translated the source."""
        return self.statement(self.statement(packet, DADDR), SADDR)

    def statement(self, packet, field):
        """Behind `daddr map @ext2int`, or `saddr map @int2ext`."""
        way, other = (INBOUND, SADDR) if field == DADDR else (OUTBOUND, DADDR)
        header = Header(bytearray(packet), 0, len(packet))
        if self.stock:
            return self.stock_rule(header, field, way)
        if header.is_redirect:
            if self.concerns(header, way):
                raise Dropped
            return packet
        if left_alone(header, self.broadcasts) or header.is_neighbour_discovery:
            return packet
        try:
            pair, address = self.pairs.find(header.address(field), way)
        except NoCounterpart:
            raise Dropped
        if pair and not pair.npt and header.is_cut:
            raise Dropped
        # What an error is about went the other way.
        quote = quote_of(header)
        quoted_pair, quoted = self.of_quote(quote, other, way) if quote else (None, None)
        if quoted_pair:
            covered = self.changing(header, quote)
            before = bytes(header.data[covered])
            rewrite(quote, other, quoted, quoted_pair.npt)
            if before and not quoted_pair.npt:
                repair(header.data, header.upper + 2, difference(before, bytes(header.data[covered])))
        if pair:
            rewrite(header, field, address, pair.npt)
        return bytes(header.data)

    def stock_rule(self, header, field, way):
        """Of what is whole; quotes stay as they are, so that a redirect is known by its receiver alone."""
        pair, address = self.pairs.find(header.address(field), way)
        if pair and not left_alone(header, self.broadcasts):
            header.covering, header.in_pseudo = COVERING_IN_STOCK, [True, True]
            rewrite(header, field, address, npt=False, stock=True)
        redirect = header.kind == (REDIRECT if header.version == 4 else REDIRECT_IPV6)
        if redirect and field == DADDR and self.has_pair(header.address(DADDR), OUTBOUND):
            raise Dropped
        return bytes(header.data)

    @staticmethod
    def changing(header, quote):
        """What of a quote changes in sum: in IPv4 its header takes the change of the address back (docs/design.md)."""
        if header.version == 6:
            return slice(quote.start, header.end)
        at = quote.checksum[0] if quote.has_checksum else header.end
        return slice(at, at + 2)

    def of_quote(self, quote, field, way):
        try:
            return self.pairs.find(quote.address(field), way)
        except NoCounterpart:
            return None, None

    def concerns(self, header, way):
        """Is a redirect about a packet of a pair? It tells that packet's source of another way to its destination."""
        addresses = [header.address(SADDR), header.address(DADDR)]
        if header.version == 6:
            addresses.append(bytes(header.data[header.upper + 24:header.upper + 40]))  # RFC 4861, 4.5
        elif header.end >= header.upper + 28:
            addresses.append(bytes(header.data[header.upper + 24:header.upper + 28]))  # the quoted one, whatever it is
        return any(self.has_pair(address, way) for address in addresses)

    def has_pair(self, address, way):
        try:
            return self.pairs.find(address, way)[0]
        except NoCounterpart:
            return True
