# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways as in gateway.py, each with a firewall that its admin has set up without a thought of pairs: the inside may
go out, nothing may come in.
"""

import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

from gateway import CONFIGURATION, MAC, Gateway
from net import GATEWAY_IN, until
from recipes import blocks

INSIDE = "10.0.0.0/24"
# What a Debian package starts as soon as it is there.
UNITS = ["nftables", "netfilter-persistent", "firewalld", "docker", "docker.socket", "containerd", "libvirtd",
         "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket", "virtlogd.socket", "virtlockd.socket",
         "libvirt-guests", "ufw"]


@dataclass
class Firewall:
    title: str    # its section in docs/firewalls.md
    tree: str     # which files have it, by their names in tests/vm/root
    units: list[str]
    set_up: Callable[[Gateway], None]    # before it boots
    reload: str
    restart: str
    running: Callable[[Gateway], None] = lambda gateway: None    # what can only be set up in one that runs
    others: tuple[str, ...] = ()    # what else is done with it

    @property
    def flushes(self):
        """Whether it takes everybody's rules, not its own alone."""
        return "nftables" in self.units

    @property
    def commands(self):
        """By which it is loaded again."""
        return self.reload, self.restart, *self.others


def plain_nft(gateway):
    (_, text), = blocks("Plain nft")
    text = text.replace(",untracked", "").replace('include "/etc/statnat/policy.nft"\n', "")
    gateway.write("/etc/nftables.conf", text.replace('"lan0"', '{ "a", "c" }'))


def iptables(gateway):
    gateway.write("/etc/iptables/rules.v4", f"""*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s {INSIDE} -m conntrack --ctstate NEW -j ACCEPT
COMMIT
""")


def ufw(gateway):
    gateway.write("/etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=off\n")


def ufw_running(gateway):
    gateway.run("ufw", "route", "allow", "from", INSIDE)


def firewalld(gateway):
    for zone, interfaces in (("internal", ["a", "c"]), ("external", ["out"])):
        gateway.write(f"/etc/firewalld/zones/{zone}.xml", "<zone>" + "".join(
            f'<interface name="{each}"/>' for each in interfaces) + "</zone>")


def docker(gateway):
    """It drops what is forwarded if it is the one that switches that on."""
    gateway.write("/etc/sysctl.d/forward.conf", "")


def libvirt(gateway):
    """A and C are on a network of its own, as virtual machines are."""
    gateway.write("/etc/libvirt/qemu/networks/default.xml", f"""<network>
<name>default</name><forward mode="nat"/><bridge name="virbr0" stp="off"/><mac address="{MAC}"/>
<ip address="{GATEWAY_IN}" netmask="255.255.255.0"/>
</network>""")
    gateway.before_boot("ln", "-s", "../default.xml", "/etc/libvirt/qemu/networks/autostart/")
    for cable in ("a", "c"):
        gateway.write(f"/etc/systemd/network/{cable}.network", f"[Match]\nName={cable}\n[Link]\nUnmanaged=yes\n")


def libvirt_running(gateway):
    """Once the network has all of its rules; a daemon that is stopped before that leaves it half made."""
    until(lambda: gateway.run("test", "-e", "/run/libvirt/network/default.xml", check=False).returncode == 0)
    gateway.ip("link set dev a up master virbr0\nlink set dev c up master virbr0")


def openwrt(gateway):
    """A table as fw4 makes it, which includes what stands there."""
    gateway.write("/usr/share/nftables.d/chain-pre/forward/none.nft", "")
    gateway.write("/etc/nftables.conf", """flush ruleset
table inet fw4 {
	chain forward {
		type filter hook forward priority filter; policy drop
		include "/usr/share/nftables.d/chain-pre/forward/*.nft"
		ct state established,related accept
		iifname { "a", "c" } accept
	}
}
""")


NFT_UNIT = "systemctl reload nftables", "systemctl restart nftables"
FIREWALLS = [
    Firewall("Plain nft", "firewalls", ["nftables"], plain_nft, *NFT_UNIT),
    Firewall("iptables", "firewalls", ["netfilter-persistent"], iptables,
             "netfilter-persistent reload", "systemctl restart netfilter-persistent"),
    Firewall("ufw", "ufw", ["ufw"], ufw, "ufw reload", "systemctl restart ufw", ufw_running),
    Firewall("firewalld", "firewalls", ["firewalld"], firewalld, "firewall-cmd --reload",
             "systemctl restart firewalld", others=("firewall-cmd --complete-reload",)),
    Firewall("Docker", "firewalls", ["docker.socket", "docker"], docker, "systemctl reload docker",
             "systemctl restart docker", others=("systemctl stop docker.socket docker", "systemctl start docker")),
    Firewall("libvirt", "firewalls", ["libvirtd"], libvirt, "systemctl reload libvirtd", "systemctl restart libvirtd",
             libvirt_running),
    Firewall("OpenWrt", "firewalls", ["nftables"], openwrt, *NFT_UNIT),
]


class Firewalled(Gateway):
    def __init__(self, tree, tool, firewall):
        super().__init__(tree)
        self.firewall = firewall
        self.write("/etc/statnat/statnat.toml", CONFIGURATION)
        shutil.copy(tool, self.root / "tool.deb")
        self.before_boot("dpkg", "-i", "/tool.deb")
        there = [unit for unit in UNITS if self.has(unit)]
        self.before_boot("systemctl", "-q", "disable", *there)
        self.before_boot("systemctl", "-q", "enable", *firewall.units)
        firewall.set_up(self)
        self.up()

    def up(self):
        super().up()
        self.firewall.running(self)

    def before_boot(self, *command):
        done = subprocess.run(["chroot", self.root, *command], capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def has(self, unit):
        file = unit if "." in unit else f"{unit}.service"
        return (self.root / "lib/systemd/system" / file).exists()

    def do(self, command):
        self.run(*command.split())
