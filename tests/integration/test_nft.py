# SPDX-License-Identifier: GPL-2.0-or-later
"""nft with one more statement: what the kernel holds of it, and rules that are changed one by one or all at once.

One namespace; no packets but where said.
"""

import contextlib
import ipaddress
import re
import threading

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, X
from nfnl import (DADDR, FIELD, FLAGS, INET, MAP_FLAGS, MAP_NAME, MAP_PREFIX, MAP_WITHIN, MAP_WITHIN_LENGTH, MAPS,
                  NOTRACK, NPT, UNTRACKED, Netlink, attributes, listed)
from nft import GATEWAY_TABLE, TABLE, Nft
from packets import expression, row

pytestmark = expression

IN_KERNEL = [
    #   statement                                               field and flags, maps
    row("plain",    "daddr map @m",                             (DADDR, 0), [("m", None, 0, None)]),
    row("notrack",  "daddr map @m notrack",                     (DADDR, NOTRACK), [("m", None, 0, None)]),
    row("flags",    "daddr map @m notrack untracked",           (DADDR, NOTRACK | UNTRACKED), [("m", None, 0, None)]),
    row("list",     "daddr map @m, @n prefix 24, @m prefix 16", (DADDR, 0),
        [("m", None, 0, None), ("n", 24, 0, None), ("m", 16, 0, None)]),
    row("npt",      "daddr map @m6 prefix 48 npt",              (DADDR, 0), [("m6", 48, NPT, None)]),
    row("within",   "daddr map @m within 198.51.100.7, @n prefix 24 within 198.51.100.0/22", (DADDR, 0),
        [("m", None, 0, "198.51.100.7/32"), ("n", 24, 0, "198.51.100.0/22")]),
    row("all of it", "daddr map @m6 prefix 48 npt within 2001:db8::/47", (DADDR, 0),
        [("m6", 48, NPT, "2001:db8::/47")]),
]


def number(value):
    return int.from_bytes(value, "big") if value else None


def within(each):
    if MAP_WITHIN not in each and MAP_WITHIN_LENGTH not in each:
        return None
    return f"{ipaddress.ip_address(each[MAP_WITHIN])}/{number(each[MAP_WITHIN_LENGTH])}"


@pytest.mark.parametrize("form", ["text", "JSON"])
@pytest.mark.parametrize("statement, wanted, maps", IN_KERNEL)
def test_in_the_kernel(nft, tmp_path, form, statement, wanted, maps):
    nft("-f", "-", stdin=f"""
        table inet t {{
            map m {{ type ipv4_addr : ipv4_addr; }}
            map n {{ type ipv4_addr : ipv4_addr; }}
            map m6 {{ type ipv6_addr : ipv6_addr; }}
            chain c {{ type filter hook prerouting priority 0; snat_stateless {statement}; }}
        }}""")
    if form == "JSON":
        (tmp_path / "listing.json").write_text(nft.listing("-j"))
        nft("flush", "ruleset")
        nft("-j", "-f", tmp_path / "listing.json")
    with contextlib.closing(Netlink(nft.namespace)) as netlink:
        (_, data), = netlink.rules("t", INET)
    assert (number(data[FIELD]), number(data[FLAGS])) == wanted
    assert [(each[MAP_NAME].rstrip(b"\0").decode(), number(each.get(MAP_PREFIX)), number(each[MAP_FLAGS]), within(each))
            for each in map(attributes, listed(data[MAPS]))] == maps


def test_handles(nft):
    nft("-f", "-", stdin=TABLE)
    nft("add rule ip t post snat_stateless saddr map @m")

    def listed(*options):
        return nft(*options, "list", "chain", "ip", "t", "post").stdout

    def handle():
        return re.search(r"snat_stateless .* # handle (\d+)", listed("-a"))[1]

    nft(f"replace rule ip t post handle {handle()} counter snat_stateless saddr map @m tracked")
    assert "\t\tcounter packets 0 bytes 0 snat_stateless saddr map @m tracked\n" in listed()
    nft(f"add rule ip t post position {handle()} snat_stateless saddr map @m untracked comment \"after\"")
    assert nft.listing().index("tracked\n") < nft.listing().index("after")
    nft(f"delete rule ip t post handle {handle()}")
    nft("delete", "rule", "ip", "t", "post", "handle", handle())
    assert "snat_stateless" not in nft.listing()


def test_optimize(nft):
    """Rules that differ in one match are merged, ours with them."""
    nft("-f", "-", stdin=TABLE)
    text = "table ip t {\n\tchain post {\n" + "".join(
        f"\t\tip saddr 10.0.0.{number} snat_stateless saddr map @m accept\n" for number in (2, 3)) + "\t}\n}\n"
    done = nft("-o", "-f", "-", stdin=text)
    assert "ip saddr { 10.0.0.2, 10.0.0.3 } snat_stateless saddr map @m accept\n" in nft.listing()
    assert "/dev/stdin:3:3-54: \t\tip saddr 10.0.0.2 snat_stateless saddr map @m accept\n" in done.stderr
    assert "prefix" not in done.stdout + done.stderr


def test_all_or_nothing(nft):
    nft("-f", "-", stdin=TABLE + "add rule ip t post snat_stateless saddr map @m\n")
    before = nft.listing()
    other = f"flush ruleset\n{TABLE}add rule ip t pre snat_stateless daddr map @m\n"
    for last in ("post snat_stateless saddr map @missing", "nowhere counter", "post frog frog"):
        done = nft("-f", "-", stdin=f"{other}add rule ip t {last}\n", check=False)
        assert done.returncode == 1 and nft.listing() == before


def test_table_replaced_under_traffic(wire):
    """Again and again, while packets go both ways: none is lost, none is left untranslated."""
    nft = Nft(wire.gateway)
    nft("-f", "-", stdin=GATEWAY_TABLE)
    wire.drain()
    over = threading.Event()
    replacements = []

    def replace():
        while not over.is_set():
            nft("-f", "-", stdin=GATEWAY_TABLE)
            replacements.append(1)

    worker = threading.Thread(target=replace)
    worker.start()
    sent = 0
    try:
        while len(replacements) < 20:
            for _ in range(50):
                wire.inside.send(IP(src=A, dst=X) / UDP(dport=1) / sent.to_bytes(4, "big"))
                wire.outside.send(IP(src=X, dst=A_OUT) / UDP(dport=1) / sent.to_bytes(4, "big"))
                sent += 1
            inside, outside = wire.drain()
            for seen in (inside, outside):
                assert [int.from_bytes(packet[-4:], "big") for packet in seen] == list(range(sent - 50, sent))
            assert {IP(packet).dst for packet in inside} == {A}
            assert {IP(packet).src for packet in outside} == {A_OUT}
    finally:
        over.set()
        worker.join()
        wire.gateway.nft("flush ruleset")
