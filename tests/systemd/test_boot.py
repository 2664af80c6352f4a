# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that boots forwards nothing before its pairs are there, and one that shuts down nothing after."""

import pytest

from gateway import Traffic, translates

# systemd.service(5): as if the configuration took long to load.
SLOW = "[Service]\nExecStartPre=/bin/sleep 2\n"


@pytest.mark.parametrize("drop_in", ["", SLOW], ids=["as it is", "slow"])
def test_reboot(gateway, drop_in):
    gateway.write("/etc/systemd/system/statnat.service.d/test.conf", drop_in)
    with Traffic(gateway) as traffic:
        traffic.flows()
        gateway.stop()
        gateway.up()
        traffic.flows()
    assert not traffic.wrong()
    translates(gateway)
