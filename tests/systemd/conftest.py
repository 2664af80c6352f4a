# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test gets: a gateway of each Debian, as it is before our packages, or with them at work."""

import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS / "integration"))

from gateway import CONFIGURATION, Gateway  # noqa: E402
from machine import mount_for_us_alone  # noqa: E402

# Where `make deb` and `make trixie-deb` leave their packages.
BUILT = {"bookworm": TESTS.parent / "build/packages", "trixie": TESTS.parent / "build/trixie/packages"}


@dataclass
class Debian:
    tree: pathlib.Path
    tool: pathlib.Path
    module: pathlib.Path


@pytest.fixture(scope="session", autouse=True)
def alone():
    mount_for_us_alone()


@pytest.fixture(scope="session", params=BUILT)
def debian(request):
    built = BUILT[request.param]
    packages = [*built.glob("statnat-nft_*.deb"), *built.glob("nft-snat-stateless-dkms_*.deb")]
    assert len(packages) == 2, f"no packages of ours for {request.param}; try: make deb trixie-deb"
    tool, module = packages
    root = subprocess.run([TESTS / "vm/root", f"{request.param}-gateway", *packages],
                          stdout=subprocess.PIPE, text=True, check=True)
    return Debian(root.stdout.strip(), tool, module)


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
