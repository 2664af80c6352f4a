# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test gets: a gateway of each Debian on a kernel of its own, with our packages installed and at work."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / folder) for folder in ("integration", "systemd", "vm")]

from distribution import BUILT, debian_of  # noqa: E402
from machine import mount_for_us_alone  # noqa: E402
from virtual import VirtualGateway  # noqa: E402

# By Debian: its kernel, and the one that it is upgraded to.
KERNELS = {"bookworm": ("6.1", "6.12"), "trixie": ("trixie", "trixie-backports")}


@pytest.fixture(scope="session", autouse=True)
def alone():
    mount_for_us_alone()


@pytest.fixture(scope="session", params=BUILT)
def debian(request):
    return debian_of(request.param)


@pytest.fixture(scope="session")
def kernels(debian):
    return KERNELS[debian.name]


@pytest.fixture(scope="module")
def bare(debian, kernels):
    """A gateway without anything of ours, with the headers of its kernel."""
    gateway = VirtualGateway(debian.tree)
    gateway.lay(kernels[0])
    gateway.up()
    gateway.headers()
    yield gateway
    gateway.close()
