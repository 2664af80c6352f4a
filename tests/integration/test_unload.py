# SPDX-License-Identifier: GPL-2.0-or-later
"""The module goes while something waits that would come back to its code."""

import os
import subprocess
from pathlib import Path

import pytest

from judges import NUMBER, Judge
from net import A, until
from packets import expression
from test_binding import users
from twins import UDP_OUT, twins_of

# KASAN of a user-mode kernel takes what an earlier module had for variables for nobody's.
pytestmark = [expression, pytest.mark.skipif(os.uname().release.endswith("-debug"),
                                             reason="no module comes there twice")]
MODULE = Path(__file__).resolve().parents[2] / "build/kmod" / os.uname().release / "nft_snat_stateless.ko"


@pytest.fixture
def twins(make_tool):
    yield from twins_of(4, make_tool)


def test_queued(twins):
    """A packet that the fast path has shown to the forward hook, whose chain goes on without the module."""
    chain = f"type filter hook forward priority 0; ip saddr {A} queue num {NUMBER};"
    twins.both(lambda gateway: gateway.nft(f"table ip other {{ chain forward {{ {chain} }}; }}"))
    judges = [Judge(one.gateway) for one in twins.wires]
    twins.send("inside", UDP_OUT)
    for judge in judges:
        judge.packet()
    twins.both(lambda gateway: gateway.nft("flush table ip statnat"))
    assert [judge.waiting() for judge in judges] == [1, 1]
    until(lambda: users() == 0)
    subprocess.run(["rmmod", "nft_snat_stateless"], check=True)
    try:
        assert judges[0].waiting() == 0
    finally:
        subprocess.run(["insmod", MODULE], check=True)
        for judge in judges:
            judge.close()
