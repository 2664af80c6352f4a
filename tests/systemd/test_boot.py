# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that boots forwards nothing before its pairs are there."""

import pytest

from gateway import Traffic, translates

# systemd.service(5): as if the configuration took long to load.
SLOW = "[Service]\nExecStartPre=/bin/sleep 2\n"


@pytest.mark.parametrize("drop_in", ["", SLOW], ids=["as it is", "slow"])
def test_first_packet(gateway, drop_in):
    gateway.write("/etc/systemd/system/statnat.service.d/test.conf", drop_in)
    gateway.stop()
    with Traffic(gateway) as traffic:
        gateway.up()
        traffic.flows()
    assert not traffic.wrong()
    translates(gateway)
