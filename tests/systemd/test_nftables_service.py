# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's nftables.service flushes the whole ruleset whenever it starts, reloads or stops; the pairs come back."""

import pytest

from gateway import translates
from net import until

TABLE = "table ip statnat"


@pytest.fixture(autouse=True)
def firewall(gateway):
    """Debian's own nftables.conf; at first its service does not run, our unit does."""
    gateway.run("systemctl", "stop", "nftables")
    gateway.run("systemctl", "start", "statnat")
    assert gateway.tables() == {TABLE}


def back(gateway):
    """Waits until the pairs are beside what nftables.conf says."""
    until(lambda: gateway.tables() == {TABLE, "table inet filter"})
    translates(gateway)


def test_start(gateway):
    gateway.run("systemctl", "start", "nftables")
    back(gateway)


@pytest.mark.parametrize("command", ["reload", "restart"])
def test_again(gateway, command):
    gateway.run("systemctl", "start", "nftables")
    back(gateway)
    gateway.run("systemctl", command, "nftables")
    back(gateway)


def test_stop(gateway):
    """What is stopped with the firewall starts with it."""
    gateway.run("systemctl", "start", "nftables")
    back(gateway)
    gateway.run("systemctl", "stop", "nftables")
    until(lambda: gateway.run("systemctl", "is-active", "statnat", check=False).stdout.strip() == "inactive")
    assert not gateway.tables()
    gateway.run("systemctl", "start", "nftables")
    back(gateway)


def test_stopped_unit_stays_stopped(gateway):
    gateway.run("systemctl", "start", "nftables")
    back(gateway)
    gateway.run("systemctl", "stop", "statnat")
    gateway.run("systemctl", "reload", "nftables")
    assert gateway.tables() == {"table inet filter"}
