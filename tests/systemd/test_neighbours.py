# SPDX-License-Identifier: GPL-2.0-or-later
"""External addresses on a connected network are answered for by the hardened units, and no more after a stop.

    A 10.0.0.2 = 192.0.2.77 ─── gateway 192.0.2.3/24 ─── 192.0.2.2 X, which asks on its cable who has 192.0.2.77
"""

import pytest

from gateway import CONFIGURATION
from net import A_OUT, X
from network import ask
from test_unit import EXPOSURE

ON_LINK = "192.0.2.77"
NEIGHBOURS = CONFIGURATION.replace(A_OUT, ON_LINK).replace("[pairs]", "neighbours = true\n[pairs]")


@pytest.fixture
def connected(gateway):
    gateway.run("ip", "address", "add", "192.0.2.3/24", "dev", "out")
    gateway.x.ip(f"route replace {ON_LINK} dev eth0 src {X}")
    gateway.write("/etc/statnat/statnat.toml", NEIGHBOURS)
    gateway.run("systemctl", "reload", "statnat")
    yield gateway
    gateway.run("ip", "address", "del", "192.0.2.3/24", "dev", "out")
    gateway.x.ip(f"route delete {ON_LINK} dev eth0")
    gateway.run("statnat-nft", "clear")
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION)
    gateway.run("systemctl", "restart", "statnat")


def left(gateway):
    """What the tool has in the kernel beside its tables."""
    asked = ("route show proto 83", "neigh show proxy", "-o link show type ifb", "-o link show type dummy")
    return "".join(gateway.run("ip", *words.split()).stdout for words in asked)


def answers(gateway):
    assert ask(gateway.x, gateway.a, ON_LINK)[1] == X
    assert ask(gateway.a, gateway.x, X)[1] == ON_LINK


def test_reload(connected):
    answers(connected)


def test_once_there_is_a_network(connected):
    """As after a boot: what statnat.service could not know yet."""
    connected.run("ip", "neigh", "del", "proxy", ON_LINK, "dev", "out")
    connected.run("systemctl", "start", "statnat-neighbours")
    answers(connected)


def test_stop(connected):
    assert left(connected)
    connected.run("systemctl", "stop", "statnat")
    assert left(connected) == ""
    connected.run("systemctl", "start", "statnat")
    answers(connected)


def test_exposure(gateway):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "statnat-neighbours.service")
    assert not gateway.run("systemd-analyze", "verify", "--man=no", "statnat-neighbours.service").stderr
    assert gateway.run("systemctl", "is-enabled", "statnat-neighbours", check=False).stdout == "disabled\n"
