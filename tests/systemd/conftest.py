# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test gets: a gateway of each Debian, as it is before our packages, or with them at work."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS / "integration"))

from distribution import BUILT, debian_of  # noqa: E402
from gateway import CONFIGURATION, Gateway  # noqa: E402
from machine import mount_for_us_alone  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def alone():
    mount_for_us_alone()


@pytest.fixture(scope="session", params=BUILT)
def debian(request):
    return debian_of(request.param)


@pytest.fixture(scope="module")
def bare(debian):
    """A gateway without anything of ours."""
    gateway = Gateway(debian.tree)
    gateway.up()
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def gateway(bare, debian):
    """With the tool, a pair, and the unit at work."""
    bare.install(debian.tool)
    bare.write("/etc/statnat/statnat.toml", CONFIGURATION)
    bare.run("systemctl", "start", "statnat")
    return bare
