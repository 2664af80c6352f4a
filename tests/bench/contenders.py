# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to translate, in the order of the tables: what each puts into the gateway, and a sentence about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import elements
import programs
import u32
from addresses import SITE, Family
from net import Namespace

BOTH, IPV4, IPV6 = ("ip", "ip6"), ("ip",), ("ip6",)
# Of those whose whole packets are of interest, and not how they grow with pairs.
FEW = 1000


@dataclass(frozen=True)
class Setting:
    """Which pairs; whether packets come from anywhere among them; what the host prepared for them; the tool."""

    family: Family
    pairs: int
    scattered: bool
    folder: Path
    tool: Path


@dataclass(frozen=True)
class Contender:
    """`new_flows`: each packet measured is the first of its flow. `limit`: more pairs take too long to load.
    `exact`: so many leading bits of a translated address are known, where not all of them are. `compiled`: it is among
    what `programs` builds."""

    set_up: Callable[[Namespace, Setting], None]
    sentence: str
    families: tuple = BOTH
    translates: bool = True
    new_flows: bool = False
    limit: int = 1_000_000
    exact: int | None = None
    compiled: bool = False

    def suits(self, family, pairs):
        return family in self.families and pairs <= self.limit


def forwarding(_gateway, _setting):
    pass


def empty_chains(gateway, setting):
    ruleset(gateway, setting)


def tool(gateway, setting, engine, configuration="statnat.toml"):
    gateway.run(setting.tool, "sync", setting.folder / configuration, "--engine", engine)


def expression(gateway, setting):
    tool(gateway, setting, "expression")


def spread(gateway, setting):
    tool(gateway, setting, "expression", "spread.toml")


def exempting(gateway, setting):
    tool(gateway, setting, "expression", "exempt.toml")


def limited(gateway, setting):
    tool(gateway, setting, "expression", "only.toml")


def fast(gateway, setting):
    tool(gateway, setting, "expression", "fast.toml")


def without_early_demux(set_up):
    """The same without a look for a socket, which what is passed on has none of."""
    def both(gateway, setting):
        gateway.sysctl(net__ipv4__ip_early_demux=0)
        set_up(gateway, setting)
    return both


def beside_forward_chain(set_up):
    """The same with a chain in the forward hook, as firewalls have one."""
    def both(gateway, setting):
        set_up(gateway, setting)
        gateway.nft("table inet filter { chain forward { type filter hook forward priority filter; accept; }; }")
    return both


def bordered(gateway, setting):
    tool(gateway, setting, "expression", "border.toml")


def closed(gateway, setting):
    tool(gateway, setting, "expression", "closed.toml")


def filtered(gateway, setting):
    tool(gateway, setting, "expression", "filtered.toml")


def firewalled(gateway, setting, configuration="statnat.toml"):
    tool(gateway, setting, "expression", configuration)
    follow_connections(gateway, setting)
    gateway.nft("""table inet filter {
        chain forward {
            type filter hook forward priority filter; policy drop
            ct state established,related,untracked accept
            ct state invalid drop
            accept
        }
    }""")


def followed(gateway, setting):
    firewalled(gateway, setting, "followed.toml")


def native(gateway, setting):
    tool(gateway, setting, "native")


def one_prefix(gateway, setting):
    tool(gateway, setting, "expression", "prefix.toml")


def stock(gateway, setting, options="counter;"):
    family = setting.family.name
    ruleset(gateway, setting, maps(setting, options),
            f"{family} daddr set {family} daddr map @ext2int notrack",
            f"{family} saddr set {family} saddr map @int2ext notrack")
    fill_maps(gateway, setting)


def stock_sized(gateway, setting):
    stock(gateway, setting, f"size {setting.pairs}; counter;")


def stateful(gateway, setting):
    follow_connections(gateway, setting)
    family = setting.family.name
    ruleset(gateway, setting, maps(setting, f"size {setting.pairs};"),
            f"dnat to {family} daddr map @ext2int", f"snat to {family} saddr map @int2ext",
            kind="nat", priorities=("dstnat", "srcnat"))
    fill_maps(gateway, setting)


def netmap(gateway, setting):
    follow_connections(gateway, setting)
    internal, external = setting.family.prefixes(setting.pairs)
    nat = ("iptables", "-t", "nat", "-A")
    gateway.run(*nat, "PREROUTING", "-d", external, "-j", "NETMAP", "--to", internal)
    gateway.run(*nat, "POSTROUTING", "-s", internal, "-j", "NETMAP", "--to", external)


def npt(gateway, setting):
    internal, external = setting.family.prefixes(setting.pairs)
    mangle = ("ip6tables", "-t", "mangle", "-A")
    gateway.run(*mangle, "PREROUTING", "-d", external, "-j", "DNPT", "--src-pfx", external, "--dst-pfx", internal)
    gateway.run(*mangle, "POSTROUTING", "-s", internal, "-j", "SNPT", "--src-pfx", internal, "--dst-pfx", external)


def traffic_control(gateway, setting):
    gateway.run("tc", "-batch", "-", stdin="\n".join(u32.commands(setting.family, setting.pairs)))


def flowtable(gateway, setting):
    """Flows that last as long as the guest, as those that conntrack knows."""
    stateful(gateway, setting)
    gateway.sysctl(net__netfilter__nf_flowtable_udp_timeout=1 << 20)
    gateway.nft("""table inet quick {
        flowtable flows { hook ingress priority filter; devices = { in, out }; }
        chain forward { type filter hook forward priority filter; meta l4proto udp flow add @flows; }
    }""")


def stock_at_ingress(gateway, setting):
    """To neighbours whose addresses rules have, instead of by a route."""
    family = setting.family.name
    inward, outward = {"ip": ("10.0.0.17", "192.0.2.2"), "ip6": ("fd00:2::17", "2001:db8:2::2")}[family]
    internal, external = setting.family.pairs(setting.pairs)
    out, back = (", ".join(f"{key} : {value}" for key, value in pairs)
                 for pairs in (zip(internal, external), zip(external, internal)))
    gateway.nft(f"""table netdev bench {{
        {maps(setting, f"size {setting.pairs}; counter;")}
        chain inside {{
            type filter hook ingress device in priority 0
            {family} saddr set {family} saddr map @int2ext fwd {family} to {outward} device out
        }}
        chain outside {{
            type filter hook ingress device out priority 0
            {family} daddr set {family} daddr map @ext2int fwd {family} to {inward} device in
        }}
    }}
    add element netdev bench int2ext {{ {out} }}
    add element netdev bench ext2int {{ {back} }}""")


CONTENDERS = {
    "forwarding": Contender(
        forwarding, "no rules at all", translates=False),
    "empty chains": Contender(
        empty_chains, "chains at raw priority in prerouting and postrouting, without rules", translates=False),
    "ours": Contender(
        expression, "statnat-nft sync, engine expression, counters per pair"),
    "ours, fast": Contender(
        fast, "statnat-nft sync, engine expression, counters per pair, fast-path = true"),
    "forwarding, filtered": Contender(
        beside_forward_chain(forwarding), "one chain in the forward hook, and no other rules", translates=False),
    "ours, fast, filtered": Contender(
        beside_forward_chain(fast), "fast-path = true, and one chain in the forward hook"),
    "forwarding, no demux": Contender(
        without_early_demux(forwarding), "no rules at all, and net.ipv4.ip_early_demux = 0", families=IPV4,
        translates=False, limit=FEW),
    "ours, no demux": Contender(
        without_early_demux(expression), "statnat-nft sync, engine expression, and net.ipv4.ip_early_demux = 0",
        families=IPV4, limit=FEW),
    "ours, spread": Contender(
        spread, "the same with one more pair, so far apart that the maps are within no prefix"),
    "ours, exempt": Contender(
        exempting, "statnat-nft sync, engine expression, counters per pair, eight exempt destinations"),
    "ours, only": Contender(
        limited, "statnat-nft sync, engine expression, counters per pair, eight destinations and no others"),
    "ours, border": Contender(
        bordered, "statnat-nft sync, engine expression, counters per pair, two external interfaces"),
    "ours, fail-closed": Contender(
        closed, "statnat-nft sync, engine expression, counters per pair, with the policy rules of fail-closed"),
    "ours, filtered": Contender(
        filtered, "the same at a border, two external interfaces, with the filter on the way out"),
    "ours, firewalled": Contender(
        firewalled, "statnat-nft sync, engine expression, counters per pair, beside a firewall with a default drop"),
    "ours, followed": Contender(
        followed, "the same with conntrack = \"follow\", flows established in both directions"),
    "ours, native": Contender(
        native, "statnat-nft sync, engine native, counters per pair"),
    "stock": Contender(
        stock, "nft: two maps with counters and without a size, two rules that translate and untrack"),
    "stock, sized": Contender(
        stock_sized, "the same with a size given to the maps, for which the kernel has a faster hash table"),
    "stateful": Contender(
        stateful, "nft: snat and dnat to maps with a size, flows established in both directions"),
    "stateful, new": Contender(
        stateful, "the same, each packet the first of its flow", new_flows=True),
    "ours, prefix": Contender(
        one_prefix, "statnat-nft sync, engine expression, one pair of prefixes for all", families=IPV4),
    "NETMAP": Contender(
        netmap, "iptables: a rule each way for all pairs, flows established in both directions", families=IPV4),
    "NETMAP, new": Contender(
        netmap, "the same, each packet the first of its flow", families=IPV4, new_flows=True),
    "tc nat": Contender(
        traffic_control, "an action and a filter per pair and direction, hashed by u32", families=IPV4, limit=100_000),
    "tc-BPF": Contender(
        programs.traffic_control, "a program of tc that translates, asks for the route, and redirects", families=IPV4,
        compiled=True, limit=FEW),
    "XDP": Contender(
        programs.express_data_path, "the same as a program of XDP, generic, as on a card without support for it",
        families=IPV4, compiled=True, limit=FEW),
    "flowtable": Contender(
        flowtable, "stateful NAT, and a flowtable that established flows are handed to", limit=FEW),
    "stock, fwd": Contender(
        stock_at_ingress, "nft at ingress: maps with a size, and fwd to neighbours that rules name", limit=FEW),
    "ours, NPT": Contender(
        one_prefix, "statnat-nft sync, engine expression, one npt pair of prefixes for all", families=IPV6, exact=SITE),
    "NPT": Contender(
        npt, "ip6tables: SNPT and DNPT, a rule each way for all pairs", families=IPV6, exact=SITE),
}


def ruleset(gateway, setting, declarations="", prerouting="", postrouting="", kind="filter", priorities=("raw", "raw")):
    gateway.nft(f"""table {setting.family.name} bench {{
        {declarations}
        chain prerouting {{ type {kind} hook prerouting priority {priorities[0]}; {prerouting}; }}
        chain postrouting {{ type {kind} hook postrouting priority {priorities[1]}; {postrouting}; }}
    }}""")


def maps(setting, options):
    kind = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}[setting.family.name]
    return "\n".join(f"map {name} {{ type {kind} : {kind}; {options} }}" for name in elements.MAPS)


def fill_maps(gateway, setting):
    for name in elements.MAPS:
        elements.load(gateway, setting.folder / name)


def follow_connections(gateway, setting):
    """Room for all flows, and none of them forgotten: virtual time leaps when the guest idles."""
    gateway.run("modprobe", "-a", "nf_conntrack")
    gateway.sysctl(net__netfilter__nf_conntrack_udp_timeout=1 << 20,
                   net__netfilter__nf_conntrack_udp_timeout_stream=1 << 20)
    with open("/proc/sys/net/netfilter/nf_conntrack_max", "w") as file:
        file.write(str(1 << 20))
