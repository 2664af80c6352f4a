# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian of gateways, and our packages for it."""

import pathlib
import subprocess
from dataclasses import dataclass

TESTS = pathlib.Path(__file__).resolve().parent.parent
# Where `make deb` and `make trixie-deb` leave their packages.
BUILT = {"bookworm": TESTS.parent / "build/packages", "trixie": TESTS.parent / "build/trixie/packages"}


@dataclass
class Debian:
    name: str
    tree: pathlib.Path
    tool: pathlib.Path
    module: pathlib.Path


def debian_of(name):
    built = BUILT[name]
    packages = [*built.glob("statnat-nft_*.deb"), *built.glob("nft-snat-stateless-dkms_*.deb")]
    assert len(packages) == 2, f"no packages of ours for {name}; try: make deb trixie-deb"
    root = subprocess.run([TESTS / "vm/root", f"{name}-gateway", *packages],
                          stdout=subprocess.PIPE, text=True, check=True)
    return Debian(name, pathlib.Path(root.stdout.strip()), *packages)


def newer(package, directory):
    """The same package as its next version."""
    subprocess.run(["dpkg-deb", "-R", package, directory / "newer"], check=True)
    control = directory / "newer/DEBIAN/control"
    control.write_text("".join(f"{line.rstrip()}+newer\n" if line.startswith("Version: ") else line
                               for line in control.open()))
    built = directory / "newer.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", directory / "newer", built], check=True)
    return built
