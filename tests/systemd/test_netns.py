# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat-netns@NAME.service is the same for a network namespace beside the gateway's own."""

import json

import pytest

from gateway import CONFIGURATION
from net import A, A_OUT, B, B_OUT
from test_unit import EXPOSURE

BLUE = CONFIGURATION.replace(A_OUT, B_OUT)


@pytest.fixture
def blue(gateway):
    """What the tool says in a namespace of that name."""
    gateway.run("ip", "netns", "add", "blue")
    gateway.write("/etc/statnat/blue.toml", BLUE)

    def pairs():
        said = gateway.run("nsenter", "--net=/run/netns/blue", "statnat-nft", "list", "-j").stdout
        return {pair["internal"]: pair["external"] for pair in json.loads(said)["pairs"]}

    yield pairs
    gateway.run("systemctl", "stop", "statnat-netns@blue")
    gateway.run("ip", "netns", "delete", "blue")


def test_life(gateway, blue):
    gateway.run("systemctl", "start", "statnat-netns@blue")
    assert blue() == {A: B_OUT} and gateway.pairs() == {A: A_OUT}
    gateway.write("/etc/statnat/blue.toml", BLUE + f'"{B}" = "{A_OUT}"\n')
    gateway.run("systemctl", "reload", "statnat-netns@blue")
    assert blue() == {A: B_OUT, B: A_OUT}
    gateway.run("systemctl", "stop", "statnat-netns@blue")
    assert blue() == {} and gateway.pairs() == {A: A_OUT}


def test_boot_finds_a_broken_file(gateway, blue):
    """Each has its own last good."""
    gateway.run("systemctl", "start", "statnat-netns@blue")
    gateway.run("systemctl", "stop", "statnat-netns@blue")
    gateway.write("/etc/statnat/blue.toml", "[pairs\n")
    gateway.run("systemctl", "start", "statnat-netns@blue")
    assert blue() == {A: B_OUT}


def test_exposure(gateway):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "statnat-netns@blue.service")
    assert not gateway.run("systemd-analyze", "verify", "--man=no", "statnat-netns@blue.service").stderr
