# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets through what was there before, and through the pairs that `import` made of it: the same come out.

    inside ──── gateway ──── outside        rules of stock nft or iptables, then what was imported from their listing
"""

import pathlib

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from net import A, A6, A6_OUT, A_OUT, B, B_OUT, C, PAIRS, PAIRS6, X, X6
from packets import row, same
from roads import Family6
from tool import ENGINE, Tool
from wire import Wire, Wire6

MAP = ", ".join(f"{internal} : {external}" for internal, external in PAIRS.items())
REVERSE = ", ".join(f"{external} : {internal}" for internal, external in PAIRS.items())
MAPS = f"""map out {{ type ipv4_addr : ipv4_addr; elements = {{ {MAP} }}; }}
map in {{ type ipv4_addr : ipv4_addr; elements = {{ {REVERSE} }}; }}"""
BEFORE = "chain pre { type nat hook prerouting priority dstnat;"
BEHIND = "chain post { type nat hook postrouting priority srcnat;"

STOCK_NFT = {
    "maps in rules": f"table ip t {{ {BEFORE} dnat to ip daddr map {{ {REVERSE} }}; }}\n"
                     f"{BEHIND} snat to ip saddr map {{ {MAP} }}; }}; }}",
    "named maps": f"table inet t {{ {MAPS}\n{BEFORE} iifname out0 dnat ip to ip daddr map @in; }}\n"
                  f"{BEHIND} oifname out0 snat ip to ip saddr map @out; }}; }}",
    "one rule each": f"table ip t {{ {BEFORE} ip daddr {A_OUT} dnat to {A}; ip daddr {B_OUT} dnat to {B}; }}\n"
                     f"{BEHIND} ip saddr {A} snat to {A_OUT}; ip saddr {B} snat to {B_OUT}; }}; }}",
    "stateless": f"table ip t {{ {MAPS}\nchain pre {{ type filter hook prerouting priority raw;\n"
                 f"ip daddr set ip daddr map @in notrack\nip saddr {{ {', '.join(PAIRS)} }} notrack; }}\n"
                 f"chain post {{ type filter hook postrouting priority raw; ip saddr set ip saddr map @out; }}; }}",
}
NETMAP_NFT = (f"table ip t {{ {BEFORE} dnat ip prefix to ip daddr map {{ 198.51.100.0/24 : 10.0.0.0/24 }}; }}\n"
              f"{BEHIND} snat ip prefix to ip saddr map {{ 10.0.0.0/24 : 198.51.100.0/24 }}; }}; }}")


def iptables(*rules, table="nat", command="iptables-restore"):
    return command, "\n".join([f"*{table}", *rules, "COMMIT", ""])


NFT, IPTABLES = ("nft", ("nft", "-j", "list", "ruleset")), ("iptables-save", ("iptables-save",))
IP6TABLES = ("iptables-save", ("ip6tables-save",))

SAMPLES = pathlib.Path(__file__).parents[1] / "samples"


def sample(name):
    return (SAMPLES / name).read_text()


# Its part for IPv6, without what else it does to packets than translate them.
NPT = "".join(line for line in sample("iptables-save/3.in").splitlines(True)[:25] if "TCPMSS" not in line)

SOURCES = [
    #   why                     the wire    what loads it, from what            the format, and what lists it
    *(row(why, Wire, ("nft -f -", text), NFT) for why, text in STOCK_NFT.items()),
    row("SNAT and DNAT",        Wire,       iptables(*(
        f"-A PREROUTING -d {external} -j DNAT --to-destination {internal}\n"
        f"-A POSTROUTING -s {internal} -o out0 -j SNAT --to-source {external}"
        for internal, external in PAIRS.items())),                              IPTABLES),
    row("NETMAP of hosts",      Wire,       iptables(*(
        f"-A PREROUTING -d {external} -j NETMAP --to {internal}\n-A POSTROUTING -s {internal} -j NETMAP --to {external}"
        for internal, external in PAIRS.items())),                              IPTABLES),
    row("SNAT and DNAT, IPv6",  Wire6,      iptables(*(
        f"-A PREROUTING -d {external} -j DNAT --to-destination {internal}\n"
        f"-A POSTROUTING -s {internal} -j SNAT --to-source {external}"
        for internal, external in PAIRS6.items()), command="ip6tables-restore"), IP6TABLES),
    row("prefixes of nft",      Wire,       ("nft -f -", NETMAP_NFT),           NFT, marks=pytest.mark.expression),
    row("NETMAP of a prefix",   Wire,       iptables(
        "-A PREROUTING -d 198.51.100.0/24 -j NETMAP --to 10.0.0.0/24",
        "-A POSTROUTING -s 10.0.0.0/24 -j NETMAP --to 198.51.100.0/24"),        IPTABLES, marks=pytest.mark.expression),
    row("NPT",                  Family6.wire, iptables(
        "-A PREROUTING -d 2001:db8:1::/48 -j DNPT --src-pfx 2001:db8:1::/48 --dst-pfx fd00:1::/48",
        "-A POSTROUTING -s fd00:1::/48 -j SNPT --src-pfx fd00:1::/48 --dst-pfx 2001:db8:1::/48",
        table="mangle", command="ip6tables-restore"),                           IP6TABLES,
        marks=pytest.mark.expression),
    row("a sample of maps",     Wire,       ("nft -f -", sample("nft/1.nft")),  NFT),
    row("a stateless sample",   Wire,       ("nft -f -", sample("nft/3.nft")),  NFT, marks=pytest.mark.expression),
    row("a home router's",      Wire,       ("iptables-restore", sample("iptables-save/2.in")), IPTABLES,
        marks=pytest.mark.expression),
    row("a sample of NPT",      Family6.wire, ("ip6tables-restore", NPT),       IP6TABLES,
        marks=pytest.mark.expression),
]


def packets_of(wire):
    """From inside and from outside, of pairs and of none; no two of one connection."""
    if isinstance(wire, Wire6):
        return ([bytes(IPv6(src=A6, dst=X6) / UDP(sport=1000, dport=53) / b"out"),
                 bytes(IPv6(src=A6, dst=X6) / TCP(sport=1000, dport=80)),
                 bytes(IPv6(src=A6, dst=X6) / ICMPv6EchoRequest(id=7))],
                [bytes(IPv6(src=X6, dst=A6_OUT) / UDP(sport=2000, dport=53) / b"in"),
                 bytes(IPv6(src=X6, dst=A6_OUT) / TCP(sport=2000, dport=80))])
    return ([bytes(IP(src=A, dst=X) / UDP(sport=1000, dport=53) / b"out"), bytes(IP(src=B, dst=X) / TCP(sport=1000)),
             bytes(IP(src=A, dst=X) / ICMP(id=7) / b"ping"), bytes(IP(src=C, dst=X) / UDP(sport=1000) / b"none")],
            [bytes(IP(src=X, dst=A_OUT) / UDP(sport=2000, dport=53) / b"in"),
             bytes(IP(src=X, dst=B_OUT) / TCP(sport=2000))])


def seen(wire):
    """What comes out of these packets, inside and outside."""
    from_inside, from_outside = packets_of(wire)
    for packet in from_inside:
        wire.inside.send(packet)
    for packet in from_outside:
        wire.outside.send(packet)
    return wire.drain()


@pytest.fixture
def lab(request):
    wire = request.param()
    yield wire
    wire.close()


@pytest.mark.parametrize("lab, source, listing", SOURCES, indirect=["lab"])
def test_same_packets(lab, source, listing, tmp_path):
    (command, text), (name, dump) = source, listing
    untouched = seen(lab)
    lab.gateway.run("conntrack", "-F")
    lab.gateway.run(*command.split(), stdin=text)
    listed = lab.gateway.run(*dump).stdout
    before = seen(lab)
    lab.gateway.nft("flush ruleset")
    lab.gateway.run("conntrack", "-F")
    tool = Tool(lab.gateway, tmp_path)
    (tmp_path / "listed").write_text(listed)
    imported = tool("import", "--from", name, tmp_path / "listed", check=False)
    assert imported.returncode in (0, 1) and '" = ' in imported.stdout  # 1: beside pairs, there is more in samples
    tool.file.write_text(f'gateway.engine = "{ENGINE}"\n' + imported.stdout)
    tool("sync", tool.file)
    after = seen(lab)
    for one, other in zip(before, after):
        assert len(one) == len(other) > 0
        for theirs, ours in zip(one, other):
            same(ours, theirs)
    assert before != untouched
