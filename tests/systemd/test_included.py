# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/examples/nftables.service.d: pairs in one transaction with the rest of the ruleset, which masquerades."""

import pathlib

import pytest

from gateway import CONFIGURATION, Traffic
from net import A_OUT, X
from network import ask

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs/examples/nftables.service.d/statnat-include.conf"
RULESET_FILE = 'ruleset-file = "/run/statnat/ruleset.nft"'
NFTABLES_CONF = """#!/usr/sbin/nft -f
flush ruleset
table ip nat {
	chain post { type nat hook postrouting priority srcnat; oifname "out" masquerade; }
}
"""
INCLUDE = 'include "/run/statnat/*.nft"\n'


@pytest.fixture(autouse=True)
def firewall(gateway):
    """nftables.service with the example, at work."""
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION.replace("[pairs]", f'{RULESET_FILE}\n[pairs]'))
    gateway.write("/etc/nftables.conf", NFTABLES_CONF + INCLUDE)
    gateway.write("/etc/systemd/system/nftables.service.d/statnat-include.conf", EXAMPLE.read_text())
    gateway.run("systemctl", "daemon-reload")
    gateway.run("systemctl", "enable", "--now", "nftables")
    gateway.run("systemctl", "start", "statnat")


def reload(gateway, times):
    """Reloads the ruleset while datagrams of the pair are on their way, and returns where those went wrong."""
    with Traffic(gateway) as traffic:
        traffic.flows()
        for _ in range(times):
            gateway.run("systemctl", "reload", "nftables")
        traffic.flows()
    return traffic.wrong()


def test_no_reload_shows_another_source(gateway):
    assert not reload(gateway, 10)


def test_nor_does_one_with_a_broken_configuration(gateway):
    gateway.write("/etc/statnat/statnat.toml", "[pairs\n")
    assert not reload(gateway, 3)


def test_without_the_include_one_does(gateway):
    """Or else this would show nothing."""
    gateway.write("/etc/nftables.conf", NFTABLES_CONF)
    assert reload(gateway, 10)


def test_boot(gateway):
    """No packet has ever another source, and the firewall's own rules are there."""
    gateway.end()
    with Traffic(gateway) as traffic:
        gateway.up()
        traffic.flows()
    assert not traffic.wrong()
    assert {"table ip nat", "table ip statnat"} <= gateway.tables()
    assert ask(gateway.a, gateway.x, X)[1] == A_OUT
