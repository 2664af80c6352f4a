# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make rpm` builds is what `make deb` builds, in the places of distributions of RPM; and rpm itself installs,
upgrades and removes it, in a tree that has nothing but a shell."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parent.parent.parent
TOOL, MODULE = "statnat-nft", "nft-snat-stateless-dkms"

# A place of Debian's, and which one it is in an RPM.
PLACES = {
    r"^lib/systemd/":                                     "usr/lib/systemd/",
    r"^usr/share/zsh/vendor-completions/":                "usr/share/zsh/site-functions/",
    r"^usr/share/doc/([^/]+)/copyright$":                 r"usr/share/licenses/\1/copyright",
    # Debian's rpm adds a version, Fedora's does not.
    r"^usr/share/licenses/([^/]+)-[0-9.]+/copyright$":    r"usr/share/licenses/\1/copyright",
}
# What only one of the two has: rpm keeps changelogs in headers, and links binaries for debuggers.
ALONE = re.compile(r"usr/share/doc/[^/]+/changelog$|usr/share/lintian/|usr/lib/\.build-id/")


def output(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def archive(pattern):
    found = list((TREE / "build").glob(pattern))
    assert len(found) == 1, f"build/{pattern}: {found}; try: make deb rpm"
    return found[0]


def deb(package):
    return archive(f"packages/{package}_*.deb")


def rpm(package):
    return archive(f"rpm/RPMS/*/{package}-[0-9]*.rpm")


def field(package, name):
    return output("dpkg-deb", "-f", deb(package), name).strip()


def asked(package, *question):
    return output("rpm", "-qp", *question, rpm(package)).splitlines()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Where Debian's rpm makes a database even if it is asked about a file."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Both packages, as Debian's and as RPMs."""
    trees = tmp_path_factory.mktemp("deb"), tmp_path_factory.mktemp("rpm")
    for package in (TOOL, MODULE):
        output("dpkg-deb", "-x", deb(package), trees[0])
        output("sh", "-c", 'rpm2cpio "$0" | cpio -idm --quiet', rpm(package), cwd=trees[1])
    return trees


def files(tree):
    """Mode, owner and text of each file and empty directory; the text of what a compiler wrote is its own."""
    found = {}
    for path in tree.rglob("*"):
        place = str(path.relative_to(tree)).removesuffix(".gz")
        if ALONE.match(place) or path.is_dir() and any(path.iterdir()):
            continue
        for pattern, replacement in PLACES.items():
            place = re.sub(pattern, replacement, place)
        text = path.read_bytes() if path.is_file() else b""
        text = gzip.decompress(text) if path.suffix == ".gz" else text
        status = path.stat()
        found[place] = oct(status.st_mode), status.st_uid, status.st_gid, text.startswith(b"\x7fELF") or text
    return found


def test_files(unpacked):
    """Where texts differ, one of the two was built from another tree."""
    debian, ours = map(files, unpacked)
    assert sorted(ours) == sorted(debian)
    assert [place for place in ours if ours[place] != debian[place]] == []


def test_tool_runs(unpacked):
    said = {output(tree / "usr/sbin/statnat-nft", "--version") for tree in unpacked}
    assert said == {f"statnat-nft {field(TOOL, 'Version')}\n"}


@pytest.mark.parametrize("package", [TOOL, MODULE])
def test_header(package, unpacked):
    assert asked(package, "--qf", "%{VERSION}") == [field(package, "Version")]
    # Of ours the same version; behind it is a release.
    recommended = {line.removesuffix("-1") for line in asked(package, "--recommends")}
    assert recommended == set(re.sub("[()]", "", field(package, "Recommends")).split(", "))
    changes = gzip.decompress((unpacked[0] / f"usr/share/doc/{package}/changelog.gz").read_bytes()).decode()
    ours = [line.removeprefix("- ") for line in asked(package, "--changelog") if line.startswith("- ")]
    assert ours == re.findall(r"^  \* (.*)", changes, re.M)


def test_what_the_tool_requires(unpacked):
    """The libraries that Debian's needs; the shell is for the scripts."""
    dynamic = output("readelf", "-d", unpacked[0] / "usr/sbin/statnat-nft")
    required = {line.split("(")[0] for line in asked(TOOL, "--requires") if not line.startswith(("rpmlib(", "rtld("))}
    assert required == {*re.findall(r"NEEDED.*\[(.*)\]", dynamic), "/bin/sh"}


def test_what_the_module_requires():
    required = {line for line in asked(MODULE, "--requires") if not line.startswith("rpmlib(")}
    assert required == {"dkms", "/bin/sh"}


def test_what_building_requires():
    """Each library that Debian's build asks for, by its name in Fedora."""
    required = output("rpmspec", "-q", "--buildrequires", TREE / "rpm/statnat.spec").split()
    debian = re.findall(r"^ (lib\S+)-dev,$", (TREE / "debian/control").read_text(), re.M)
    assert len(debian) == 10
    for library in debian:
        names = {library, library.removeprefix("lib"), library.removeprefix("lib").split("-")[0]}
        assert any(f"{name}-devel" in required for name in names), library


class Machine:
    """A tree in which rpm installs; what its scripts call is written down."""

    def __init__(self, tree):
        self.tree = tree
        for directory in ("bin", "sbin", "dev", "etc/statnat", "run/statnat"):
            (tree / directory).mkdir(parents=True)
        output("cp", "/bin/busybox", tree / "bin")
        output("chroot", tree, "/bin/busybox", "--install", "-s", "/bin")
        # Before /usr/sbin in the path of scripts.
        for command in ("systemctl", "dkms", "statnat-nft"):
            (tree / "sbin" / command).write_text(f'#!/bin/sh\necho "{command} $*" >>/calls\n')
            (tree / "sbin" / command).chmod(0o755)

    def calls_of(self, *rpm):
        calls = self.tree / "calls"
        calls.write_text("")
        output("rpm", "--root", self.tree, "--dbpath", "/var/lib/rpm", "--nodeps", "--force-debian", *rpm)
        return calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "machine")


def test_life_of_the_tool(machine):
    """The same version once more is an upgrade."""
    assert machine.calls_of("-i", rpm(TOOL)) == ["systemctl daemon-reload", "systemctl enable --now statnat.service"]
    assert machine.calls_of("-U", "--force", rpm(TOOL)) == ["systemctl daemon-reload",
                                                            "systemctl try-restart statnat-watch*.service"]
    units = {path.name for path in (machine.tree / "usr/lib/systemd/system").glob("statnat*")}
    for name in ("statnat", "red"):
        (machine.tree / f"etc/statnat/{name}.toml").touch()
    stop, disable, *cleared, reload = machine.calls_of("-e", TOOL)
    assert stop == "systemctl stop statnat*"
    # Nothing enables the service that the timer calls.
    assert set(disable.removeprefix("systemctl disable ").split()) == units - {"statnat-metrics.service"}
    assert cleared == ["statnat-nft clear", "statnat-nft --instance red clear"]
    assert reload == "systemctl daemon-reload"
    left = {str(path.relative_to(machine.tree)) for path in machine.tree.rglob("*statnat*")}
    assert left == {"sbin/statnat-nft", "etc/statnat", "etc/statnat/statnat.toml"}


def test_life_of_the_module(machine):
    """What DKMS knows is removed before the new one is built, whatever its version, and by nobody afterwards."""
    name, version = "nft-snat-stateless", field(MODULE, "Version")
    this = f"-m {name} -v {version}"
    build = [f"dkms add {this}", f"dkms build {this}", f"dkms install {this} --force"]
    assert machine.calls_of("-i", rpm(MODULE)) == build
    for known in ("0.0.9", version):
        (machine.tree / f"var/lib/dkms/{name}/{known}/source").mkdir(parents=True)
    remove = [f"dkms remove -m {name} -v {known} --all" for known in ("0.0.9", version)]
    assert machine.calls_of("-U", "--force", rpm(MODULE)) == remove + build
    assert machine.calls_of("-e", MODULE) == remove[1:]
    assert not list(machine.tree.glob("usr/**/*stateless*"))
