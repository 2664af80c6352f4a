# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody else did to the tool's tables with nft is seen by diff and status, and repaired by sync.

    inside ──── gateway ──── outside        A 10.0.0.2 = 198.51.100.2, X 203.0.113.10
"""

import re

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, B_OUT, PAIRS, X
from packets import expression, row

DAMAGES = [
    #   why                             what somebody else did with nft
    row("table deleted",                "delete table ip statnat"),
    row("everything flushed",           "flush ruleset"),
    row("chain flushed",                "flush chain ip statnat prerouting"),
    row("all rules flushed",            "flush table ip statnat"),
    row("chain deleted",                "flush chain ip statnat output; delete chain ip statnat output"),
    row("a rule too many",              "insert rule ip statnat postrouting accept"),
    row("a chain too many",             "add chain ip statnat other"),
    row("a map too many",               "add map ip statnat other { type ipv4_addr : ipv4_addr; }"),
    row("chain at another priority",    "flush chain ip statnat postrouting; delete chain ip statnat postrouting; add "
                                        "chain ip statnat postrouting { type filter hook postrouting priority 5; }"),
    row("chain that drops",             "add chain ip statnat postrouting { policy drop; }"),
    row("half a pair deleted",          f"delete element ip statnat int2ext {{ {A} }}"),
    row("the other half",               f"delete element ip statnat ext2int {{ {A_OUT} }}"),
    row("half a pair too many",         f"add element ip statnat ext2int {{ 198.51.100.77 : {A} }}"),
    row("half a pair different",        f"delete element ip statnat int2ext {{ {A} }}; "
                                        f"add element ip statnat int2ext {{ {A} : {B_OUT} }}"),
    row("map flushed",                  "flush map ip statnat int2ext"),
    row("maps of another kind",         "delete table ip statnat; add table ip statnat; "
                                        "add map ip statnat int2ext { type ipv4_addr : verdict; }; "
                                        "add set ip statnat ext2int { type inet_service; }"),
    row("a hole inside",                "add element ip statnat int2ext { 10.0.0.8 : 10.0.0.8 }"),
    row("a hole outside",               "add element ip statnat ext2int { 198.51.100.77 : 198.51.100.77 }"),
    row("a comment outside",            f"delete element ip statnat ext2int {{ {A_OUT} }}; "
                                        f'add element ip statnat ext2int {{ {A_OUT} comment "x" : {A} }}'),
    row("an impossible length",         "add map ip statnat int2ext_200 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_200 { 10.0.0.7 : 198.51.100.77 }"),
    row("a length just too long",       "add map ip statnat int2ext_33 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_33 { 10.0.0.7 : 198.51.100.77 }"),
    row("no length at all",             "add map ip statnat int2ext_0 { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_0 { 10.0.0.7 : 198.51.100.77 }"),
    row("npt of hosts",                 "add map ip statnat int2ext_npt { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat int2ext_npt { 10.0.0.7 : 198.51.100.77 }"),
    row("npt of IPv4",                  "add map ip statnat ext2int_24_npt { type ipv4_addr : ipv4_addr; }; "
                                        "add element ip statnat ext2int_24_npt { 10.0.0.0 : 198.51.100.0 }"),
    row("host bits in a prefix",        "add map ip statnat int2ext_24 { type ipv4_addr : ipv4_addr; counter; }; "
                                        "add element ip statnat int2ext_24 { 10.7.0.7 : 198.51.100.77 }"),
    row("two internals of one external", f"add element ip statnat int2ext {{ 10.0.0.7 : {A_OUT} }}"),
    row("an address that is no host's", "add element ip statnat int2ext { 224.0.0.1 : 0.0.0.0 }; "
                                        "add element ip statnat ext2int { 0.0.0.0 : 224.0.0.1 }"),
    row("an interval map",              "add map ip statnat int2ext_8 { type ipv4_addr : ipv4_addr; flags interval; }; "
                                        "add element ip statnat int2ext_8 { 10.0.0.0/8 : 198.51.100.77 }"),
    row("a map of another key",         "add map ip statnat int2ext_16 { type mark : ipv4_addr; }; "
                                        "add element ip statnat int2ext_16 { 7 : 198.51.100.77 }"),
    row("a map to verdicts",            "add chain ip statnat far; "
                                        "add map ip statnat ext2int_16 { type ipv4_addr : verdict; }; "
                                        "add element ip statnat ext2int_16 { 10.0.0.7 : jump far }"),
    row("a set with a timeout",         "add set ip statnat int2ext_12 { type ipv4_addr; timeout 1h; }; "
                                        "add element ip statnat int2ext_12 { 10.0.0.7 }"),
    row("a set of pairs",               "add set ip statnat exempt { type ipv4_addr . inet_service; flags interval; }; "
                                        "add element ip statnat exempt { 10.0.0.0/8 . 80 }"),
    row("the longest names",            f"add map ip statnat int2ext_{'9' * 200} {{ type ipv4_addr : ipv4_addr; }}; "
                                        f"add chain ip statnat {'c' * 120}"),
    row("a chain of another type",      "add chain ip statnat nat { type nat hook postrouting priority 100; }"),
    row("an object and a jump",         "add counter ip statnat prerouting; add chain ip statnat input "
                                        "{ type filter hook input priority 0; }; "
                                        "add rule ip statnat input counter name prerouting jump { accept; }"),
    row("switched off",                 "add table ip statnat { flags dormant; }"),
]


@pytest.mark.parametrize("commands", DAMAGES)
def test_damage_is_seen_and_repaired(wire, synced, transactions, commands):
    """By diff, status and sync alike; and whatever is there, every other command says at most one sentence of it."""
    wire.gateway.nft(commands)
    diff = synced("diff", "--exit-code", synced.file, check=False)
    assert diff.returncode == 3 and diff.stdout, diff.stderr
    table_is_there = "statnat" in wire.gateway.run("nft", "list", "tables").stdout
    for command in (["status"], ["list"], ["list", "-j"], ["list", "--csv"], ["explain", "10.0.0.7"],
                    ["explain", "198.51.100.77"], ["del", "10.99.0.1"], ["add", "10.99.0.1", A_OUT]):
        done = synced(*command, check=False)
        assert done.returncode in (0, 1) and done.stderr.count("\n") <= 1, (command, done.stderr)
        assert "internal error" not in done.stderr
        if command == ["status"] and table_is_there:
            assert done.returncode == 1 and re.search("rules: not as expected.*\n  [-+~] ", done.stdout), done.stdout
    with transactions(1):
        assert synced("sync", synced.file).stdout != "nothing to change\n"
    assert synced("diff", "--exit-code", synced.file).stdout == ""
    assert "rules: as expected\n" in synced("status").stdout
    sent, seen = (IP(src=source, dst=X, ttl=ttl) / UDP() for source, ttl in ((A, 64), (A_OUT, 63)))
    wire.inside.send(sent)
    wire.expect(outside=[seen])


@expression
def test_an_element_outside_of_what_its_map_is_within(wire, synced):
    """Only rules that the tool writes anew, when it learns of the pair, ask for it."""
    far, far_out = "10.99.0.1", "198.51.100.99"
    wire.gateway.nft(f"add element ip statnat int2ext {{ {far} : {far_out} }}; "
                     f"add element ip statnat ext2int {{ {far_out} : {far} }}")
    sent, untranslated, translated = (IP(src=source, dst=X, ttl=ttl) / UDP()
                                      for source, ttl in ((far, 64), (far, 63), (far_out, 63)))
    wire.inside.send(sent)
    wire.expect(outside=[untranslated])
    assert synced("explain", far, check=False).returncode == 1
    status = synced("status", check=False)
    assert status.returncode == 1 and "~ chain ip statnat postrouting: rules\n" in status.stdout
    synced.sync({**PAIRS, far: far_out})
    wire.inside.send(sent)
    wire.expect(outside=[translated])
    assert synced("explain", far).stdout.count("becomes") == 1 and "rules: as expected" in synced("status").stdout
