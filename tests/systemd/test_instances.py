# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat@NAME.service is one more gateway beside that of statnat.service, in the same network namespace."""

import json

import pytest

from gateway import CONFIGURATION
from net import A, A_OUT, B, B_OUT, until
from test_unit import EXPOSURE

BLUE = CONFIGURATION.replace(A_OUT, B_OUT).replace(A, B)


@pytest.fixture
def blue(gateway):
    """What the tool says of that instance."""
    gateway.write("/etc/statnat/blue.toml", BLUE)

    def pairs():
        said = gateway.run("statnat-nft", "--instance", "blue", "list", "-j").stdout
        return {pair["internal"]: pair["external"] for pair in json.loads(said)["pairs"]}

    yield pairs
    gateway.run("systemctl", "stop", "statnat-watch@blue", "statnat@blue")


def test_life(gateway, blue):
    gateway.run("systemctl", "start", "statnat@blue")
    assert blue() == {B: B_OUT} and gateway.pairs() == {A: A_OUT}
    gateway.write("/etc/statnat/blue.toml", BLUE + '"10.0.0.4" = "198.51.100.4"\n')
    gateway.run("systemctl", "reload", "statnat@blue")
    assert blue() == {B: B_OUT, "10.0.0.4": "198.51.100.4"}
    gateway.run("systemctl", "stop", "statnat@blue")
    assert blue() == {} and gateway.pairs() == {A: A_OUT}


def test_follows_the_firewall(gateway, blue):
    gateway.run("systemctl", "start", "statnat@blue")
    gateway.run("systemctl", "restart", "nftables")
    until(lambda: blue() == {B: B_OUT} and gateway.pairs() == {A: A_OUT})


def test_is_watched(gateway, blue):
    gateway.run("systemctl", "start", "statnat@blue", "statnat-watch@blue")
    gateway.run("nft", "delete", "table", "ip", "statnat-blue")
    until(lambda: blue() == {B: B_OUT})


@pytest.mark.parametrize("unit", ["statnat@blue.service", "statnat-watch@blue.service"])
def test_exposure(gateway, unit):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", unit)
    assert not gateway.run("systemd-analyze", "verify", "--man=no", unit).stderr
