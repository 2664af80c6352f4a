# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat-watch.service, which is started by hand, restores what a flush took away."""

import pytest

from gateway import translates
from net import A, A_OUT, until
from test_unit import EXPOSURE


@pytest.fixture
def watched(gateway):
    gateway.run("systemctl", "start", "statnat-watch")
    yield gateway
    gateway.run("systemctl", "stop", "statnat-watch")


def restored(gateway):
    until(lambda: gateway.pairs() == {A: A_OUT})
    translates(gateway)


def test_asleep_until_somebody_wants_it(gateway):
    assert gateway.run("systemctl", "is-enabled", "statnat-watch", check=False).stdout == "disabled\n"


def test_exposure(gateway):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "statnat-watch.service")
    assert not gateway.run("systemd-analyze", "verify", "--man=no", "statnat-watch.service").stderr


def test_flush(watched):
    watched.run("nft", "flush", "ruleset")
    restored(watched)


def test_killed(watched):
    """systemd starts it again, and it finds what was done meanwhile."""
    watched.run("systemctl", "kill", "--signal=KILL", "statnat-watch")
    watched.run("nft", "flush", "ruleset")
    restored(watched)


def test_stop_is_not_undone(watched):
    watched.run("systemctl", "stop", "statnat")
    watched.run("nft", "add table ip other; delete table ip other")
    assert watched.pairs() == {}
    watched.run("systemctl", "start", "statnat")
    watched.run("nft", "flush", "ruleset")
    restored(watched)
