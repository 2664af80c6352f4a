# SPDX-License-Identifier: GPL-2.0-or-later
"""What some tests need of a kernel beside nftables: guests load it as modules, this machine's kernel may lack it."""

import functools

from net import Namespace

# Each is there if this succeeds in a network namespace.
ABILITIES = {
    "br_netfilter": "modprobe br_netfilter 2>/dev/null; test -e /proc/sys/net/bridge/bridge-nf-call-iptables",
    "dup": "nft 'table ip t { chain c { type filter hook forward priority 0; dup to 192.0.2.1; }; }'",
    "esp": "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 mode tunnel enc 'ecb(cipher_null)' ''",
    "gre": "ip link add name tunnel type gre local 192.0.2.1 remote 192.0.2.2",
    "vrf": "ip link add name red type vrf table 100",
    "xfrm": "ip xfrm policy list",
}


@functools.cache
def able(ability):
    namespace = Namespace("ability")
    done = namespace.run("sh", "-c", ABILITIES[ability], check=False)
    namespace.close()
    return done.returncode == 0
