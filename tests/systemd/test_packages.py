# SPDX-License-Identifier: GPL-2.0-or-later
"""A package's life: it is installed, upgraded, removed and purged; packets tell what that does to pairs."""

import re
import time

import pytest

from distribution import newer
from gateway import CONFIGURATION, Traffic, translates
from net import A, A_OUT, C, until

# What apt, dpkg and the journal write whatever is installed.
ALWAYS = re.compile(r"/var/(log|cache|lib/apt|lib/dpkg)/")


def files(gateway):
    return {line for line in gateway.run("find", "/", "-xdev").stdout.splitlines() if not ALWAYS.match(line)}


@pytest.fixture
def installed(bare, debian):
    """The tool, a pair, and the unit at work; in the end it is as if they had not been."""
    before = files(bare)
    bare.install(debian.tool)
    bare.write("/etc/statnat/statnat.toml", CONFIGURATION)
    bare.run("systemctl", "start", "statnat")
    translates(bare)
    yield bare
    bare.run("apt-get", "-y", "purge", "statnat-nft")
    assert files(bare) == before
    assert not bare.run("find", "/run", "-name", "*statnat*").stdout
    assert not bare.run("systemctl", "list-units", "--all", "--no-legend", "statnat*").stdout


def test_nothing_to_do(bare, debian):
    """Without a configuration there is nothing to start, and nothing that fails."""
    bare.install(debian.tool)
    assert bare.run("systemctl", "is-enabled", "statnat").stdout.strip() == "enabled"
    assert bare.run("systemctl", "start", "statnat") and not bare.tables()
    bare.running()
    bare.run("apt-get", "-y", "purge", "statnat-nft")


def test_completion(installed):
    """Where Debian's shells look for it, with what it calls, which finds the pair."""
    for place in ("bash-completion/completions/statnat-nft", "zsh/vendor-completions/_statnat-nft",
                  "fish/vendor_completions.d/statnat-nft.fish"):
        helper = re.search(r"sh (/\S+) ", installed.run("cat", f"/usr/share/{place}").stdout)[1]
        said = installed.run("sh", helper, "statnat-nft", "del", "").stdout
        assert [line.split("\t")[0] for line in said.splitlines()] == [A, A_OUT], place


def test_upgrade(installed, debian, tmp_path):
    """Neither rules nor counters notice it, and no packet does."""
    before, counted = installed.handles(), installed.counters()
    with Traffic(installed) as traffic:
        traffic.flows()
        installed.install(newer(debian.tool, tmp_path))
        traffic.flows()
    assert installed.run("dpkg-query", "-Wf", "${Version}", "statnat-nft").stdout.endswith("+newer")
    assert not traffic.wrong()
    assert installed.handles() == before
    assert all(now > then for now, then in zip(installed.counters(), counted))
    assert installed.run("systemctl", "is-active", "statnat").stdout.strip() == "active"


WATCHES = ["statnat-watch", "statnat-watch@red"]


@pytest.fixture
def watched(installed):
    """By the units that restore, of which one is an instance's."""
    installed.write("/etc/statnat/red.toml", f'[gateway]\nengine = "native"\n[pairs]\n"{C}" = "198.51.100.9"\n')
    installed.run("systemctl", "start", *WATCHES)
    until(lambda: "table ip statnat-red" in installed.tables())
    return installed


def process_of(gateway, unit):
    return gateway.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()


def test_what_watches_is_upgraded(watched, debian, tmp_path):
    """It goes on, as another process, and restores."""
    before = [process_of(watched, unit) for unit in WATCHES]
    watched.install(newer(debian.tool, tmp_path))
    for unit, then in zip(WATCHES, before):
        assert watched.run("systemctl", "is-active", unit).stdout.strip() == "active"
        assert process_of(watched, unit) not in {"0", then}
    watched.run("nft", "flush", "ruleset")
    until(lambda: {"table ip statnat", "table ip statnat-red"} <= watched.tables())


def test_what_watches_is_removed(watched):
    """And restores nothing behind the removal."""
    watched.run("apt-get", "-y", "remove", "statnat-nft")
    assert not watched.tables()
    assert not watched.run("systemctl", "list-units", "--no-legend", "statnat*").stdout
    time.sleep(2)
    assert not watched.tables()


@pytest.mark.parametrize("unit", ["running", "stopped"])
def test_remove(installed, unit):
    """No rule stays, whoever made it."""
    if unit == "stopped":
        installed.run("systemctl", "stop", "statnat")
        assert not installed.tables()
        installed.run("statnat-nft", "sync")
        translates(installed)
    installed.run("apt-get", "-y", "remove", "statnat-nft")
    assert not installed.tables()


def test_module(bare, debian):
    """DKMS builds it for the kernel whose headers are there, and forgets it."""
    bare.install(debian.tool, debian.module)
    release = bare.run("ls", "/lib/modules").stdout.strip()
    module = bare.run("modinfo", "-k", release, "-F", "name", "nft_snat_stateless")
    assert module.stdout.strip() == "nft_snat_stateless"
    bare.run("apt-get", "-y", "purge", "nft-snat-stateless-dkms", "statnat-nft")
    assert not bare.run("find", "/", "-xdev", "-iname", "*nft?snat?stateless*").stdout
