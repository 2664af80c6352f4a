# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway comes up with after somebody has broken its configuration, and what it says."""

import pytest

from gateway import CONFIGURATION, Traffic, translates
from net import A, A_OUT


@pytest.mark.parametrize("broken", ["[pairs\n", ""], ids=["broken", "empty"])
def test_what_worked_last(gateway, broken):
    """No packet leaves otherwise; the unit is active, and the journal has an error for whoever looks."""
    gateway.write("/etc/statnat/statnat.toml", broken)
    gateway.end()
    with Traffic(gateway) as traffic:
        gateway.up()
        traffic.flows()
    assert not traffic.wrong()
    assert gateway.pairs() == {A: A_OUT}
    translates(gateway)
    assert gateway.run("systemctl", "is-active", "statnat").stdout == "active\n"
    said = gateway.run("journalctl", "-b", "-u", "statnat", "-o", "cat").stdout
    assert "/etc/statnat/statnat.toml is not used: the configuration that worked last is, with 1 pair" in said
    # It goes on to follow nftables.service, and takes the next right one.
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION)
    gateway.run("systemctl", "reload", "statnat")
    assert "sync" not in gateway.run("statnat-nft", "diff", check=False).stdout
