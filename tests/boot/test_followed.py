# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs that conntrack follows, beside real firewalls that know nothing of them, on a kernel with the module.

    A 10.0.0.2 ─── 10.0.0.1 gateway, systemd and a firewall 192.0.2.1 ─── X 203.0.113.10

Not a line of docs/firewalls.md is there. What may come in is said as each firewall says it, by A's internal address.
"""

import contextlib
import shutil
import subprocess

import pytest

from distribution import BUILT, TESTS
from firewalls import FIREWALLS, INSIDE, Firewalled
from gateway import CONFIGURATION
from net import A, A_OUT, C, GATEWAY_IN, GATEWAY_OUT, X, until
from network import ping
from services import dns_seen, http_seen, serving, ssh_seen
from test_firewalls import still, traced, unsolicited
from virtual import VirtualGateway

KERNEL = "6.1"
FOLLOWED = CONFIGURATION.replace('engine = "native"', 'engine = "expression"\nconntrack = "follow"')

# What is offered by a host inside, and what a traceroute in UDP asks for.
TCP, UDP, PROBES = "22,53,80", "53", "33434:33523"
IPTABLES = f"""
iptables -I {{0}} -d {A} -p tcp -m multiport --dports {TCP} -j ACCEPT
iptables -I {{0}} -d {A} -p udp -m multiport --dports {UDP},{PROBES} -j ACCEPT
iptables -I {{0}} -d {A} -p icmp -j ACCEPT
"""
NFT = f"""
ip daddr {A} tcp dport {{ {TCP} }} accept
ip daddr {A} udp dport {{ {UDP}, {PROBES.replace(":", "-")} }} accept
ip daddr {A} ip protocol icmp accept
"""
NFT_FILE = f"""cat >/etc/offered.nft <<'END'
{NFT}
END
sed -i '/policy drop/a include "/etc/offered.nft"' /etc/nftables.conf
systemctl reload nftables
"""
# What lets the inside of any router out there: firewalld asks for a policy between zones, Docker's daemon for rules.
FIREWALLD = """
firewall-cmd --permanent --new-policy out
firewall-cmd --permanent --policy out --set-target ACCEPT
firewall-cmd --permanent --policy out --add-ingress-zone internal
firewall-cmd --permanent --policy out --add-egress-zone external
firewall-cmd --reload
"""
DOCKER = f"""
iptables -I DOCKER-USER -s {INSIDE} -j ACCEPT
iptables -I DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
"""
RICH = ["protocol value=icmp", *(f"port port={port} protocol={protocol}"
                                 for protocol, ports in (("tcp", TCP), ("udp", f"{UDP},{PROBES.replace(':', '-')}"))
                                 for port in ports.split(","))]
LET_IN = {
    "Plain nft": NFT_FILE,
    "iptables":  IPTABLES.format("FORWARD") + "netfilter-persistent save\n",
    "ufw":       f"ufw route allow proto tcp to {A} port {TCP}\nufw route allow proto udp to {A} port {UDP},{PROBES}\n",
    "firewalld": "firewall-cmd --permanent --new-policy offered\n"
                 "firewall-cmd --permanent --policy offered --add-ingress-zone external\n"
                 "firewall-cmd --permanent --policy offered --add-egress-zone internal\n"
                 + "".join(f"firewall-cmd --permanent --policy offered "
                           f"--add-rich-rule 'rule family=ipv4 destination address={A} {what} accept'\n"
                           for what in RICH)
                 + "firewall-cmd --reload\n",
    "Docker":    IPTABLES.format("DOCKER-USER"),
    "libvirt":   IPTABLES.format("FORWARD"),
    "OpenWrt":   f"cat >/usr/share/nftables.d/chain-pre/forward/offered.nft <<'END'\n{NFT}END\n"
                 "systemctl reload nftables\n",
}
LET_OUT = {"firewalld": FIREWALLD, "Docker": DOCKER}
# What is said anew, since nobody keeps it.
FORGOTTEN = {"Docker": DOCKER + LET_IN["Docker"], "libvirt": LET_IN["libvirt"]}


class Followed(Firewalled, VirtualGateway):
    kernel = None

    def up(self):
        if not self.kernel:
            self.write("/etc/statnat/statnat.toml", FOLLOWED)
            release = self.lay(KERNEL)
            self.module(release)
        super().up()

    def module(self, release):
        """As it was built for this kernel's guests: that DKMS builds it is seen in test_life.py."""
        built = TESTS.parent / "build/kmod" / release / "nft_snat_stateless.ko"
        assert built.exists(), f"no module for {release}; try: make kmod-{KERNEL}"
        where = self.root / "usr/lib/modules" / release / "updates"
        where.mkdir()
        shutil.copy(built, where)
        subprocess.run(["depmod", "-b", self.root / "usr", release], check=True)


@pytest.fixture(scope="module", params=FIREWALLS, ids=lambda firewall: f"bookworm-{firewall.title.replace(' ', '-')}")
def gateway(request):
    tool, = BUILT["bookworm"].glob("statnat-nft_*.deb")
    tree = subprocess.run([TESTS / "vm/root", f"bookworm-{request.param.tree}", tool],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with contextlib.closing(Followed(tree, tool, request.param)) as machine, \
            serving((machine.a, machine.c, machine.x)):
        machine.run("sh", "-e", stdin=LET_OUT.get(request.param.title, ""))
        yield machine


def goes_out(gateway):
    until(lambda: http_seen(gateway.a, X, 1) == A_OUT)
    assert (dns_seen(gateway.a, X), ssh_seen(gateway.a, X)) == (A_OUT, A_OUT)
    ping(gateway.a, X)
    assert traced(gateway.a, X) == [(11, GATEWAY_IN), (3, X)]


def comes_in(gateway):
    until(lambda: http_seen(gateway.x, A_OUT, 1) == X)
    assert (dns_seen(gateway.x, A_OUT), ssh_seen(gateway.x, A_OUT)) == (X, X)
    ping(gateway.x, A_OUT)
    assert traced(gateway.x, A_OUT) == [(11, GATEWAY_OUT), (3, A_OUT)]
    # Some firewalls go on loading their rules when their command is over.
    until(lambda: not unsolicited(gateway, gateway.a, A_OUT))


def test_goes_out_at_once(gateway):
    """Answers too, and errors; and nothing that nobody has asked for comes in, once the firewall has its rules, which
    some have a while after they have started."""
    until(lambda: not http_seen(gateway.x, C, 1))
    goes_out(gateway)
    assert not http_seen(gateway.x, A_OUT, 1)


def test_what_the_firewall_lets_in(gateway):
    """And no more, also when it is loaded again."""
    gateway.run("sh", "-e", stdin=LET_IN[gateway.firewall.title])
    comes_in(gateway)
    goes_out(gateway)
    gateway.run("statnat-nft", "doctor")
    for command in gateway.firewall.commands:
        gateway.do(command)
        until(lambda: still(gateway))
        gateway.run("sh", "-e", stdin=FORGOTTEN.get(gateway.firewall.title, ""))
        goes_out(gateway)
        comes_in(gateway)
