# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool as nft, stock nft beside it, and tables for statements to be in."""

import subprocess
from pathlib import Path

from net import A, A_OUT
from tool import TOOL

RULESETS = Path(__file__).parent / "rulesets"

TABLE = """table ip t {
	map m { type ipv4_addr : ipv4_addr; }
	map m6 { type ipv6_addr : ipv6_addr; }
	map verdicts { type ipv4_addr : verdict; }
	map ranges { type ipv4_addr : ipv4_addr; flags interval; }
	set s { type ipv4_addr; }
	chain post { type filter hook postrouting priority 0; }
	chain pre { type filter hook prerouting priority 0; }
	chain nat { type nat hook postrouting priority 0; }
	chain other { }
}
"""

GATEWAY_TABLE = f"""
table ip t
delete table ip t
table ip t {{
	map int2ext {{ type ipv4_addr : ipv4_addr; elements = {{ {A} : {A_OUT} }}; }}
	map ext2int {{ type ipv4_addr : ipv4_addr; elements = {{ {A_OUT} : {A} }}; }}
	chain pre {{
		type filter hook prerouting priority raw
		snat_stateless daddr map @ext2int notrack else saddr map @int2ext untrack
	}}
	chain post {{
		type filter hook postrouting priority raw
		snat_stateless saddr map @int2ext untracked
	}}
}}
"""


class Nft:
    """The tool as nft, stock nft and what both see, in a namespace of their own."""

    def __init__(self, namespace):
        self.namespace = namespace

    def __call__(self, *arguments, stdin="", check=True, command=(TOOL, "nft"), folder=RULESETS):
        return self.namespace.run("env", "-C", str(folder), *map(str, (*command, *arguments)), stdin=stdin, check=check)

    def stock(self, *arguments, **settings):
        return self(*arguments, command=("nft",), **settings)

    def listing(self, *options):
        return self("-s", *options, "list", "ruleset").stdout

    def popen(self, *arguments):
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.namespace.name}", str(TOOL), "nft", *arguments],
                                stdout=subprocess.PIPE, text=True)
