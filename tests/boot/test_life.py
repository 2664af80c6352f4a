# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's life, as its packets tell it: installed, booted, upgraded, given a new kernel, purged."""

import json
import re

import pytest

from distribution import newer
from gateway import CONFIGURATION, Traffic, translates
from net import A, A_OUT

WAITING, OUTSIDE = "10.5.0.0/24", "198.18.0.0/24"
# Whatever engine there is, and a pair that only the module has.
EITHER = CONFIGURATION.replace('engine = "native"\n', "") + f'"{WAITING}" = "{OUTSIDE}"\n'
# What apt, dpkg, depmod and the journal write whatever is installed, and what /run holds of who is logged in.
ALWAYS = re.compile(r"/var/(log|cache|lib/apt|lib/dpkg)/|/usr/lib/modules/[^/]*/modules\.")


def files(gateway):
    return {line for line in gateway.run("find", "/", "-xdev").stdout.splitlines() if not ALWAYS.match(line)}


@pytest.fixture(scope="module")
def before(bare):
    return files(bare)


@pytest.fixture(scope="module")
def installed(bare, before, debian):
    """The packages, their module built there, and the unit at work."""
    bare.install(debian.tool, debian.module)
    bare.write("/etc/statnat/statnat.toml", EITHER)
    bare.run("systemctl", "start", "statnat")
    return bare


def engine(gateway):
    return json.loads(gateway.run("statnat-nft", "status", "-j").stdout)["engine"]


def pairs(gateway):
    return {pair["internal"]: pair["external"] for pair in gateway.listing()}


def outbound(gateway):
    """Packets of the host's pair."""
    return next(pair["outbound"]["packets"] for pair in gateway.listing() if pair["internal"] == A)


def signed_with_dkms_key(gateway):
    """By the very key that README has a machine told of."""
    told = gateway.run("openssl", "x509", "-inform", "der", "-in", "/var/lib/dkms/mok.pub", "-noout", "-serial").stdout
    signed = gateway.run("modinfo", "-F", "sig_key", "nft_snat_stateless").stdout
    return told.strip().partition("=")[2] == signed.strip().replace(":", "")


def reboot(gateway, traffic):
    traffic.flows()
    gateway.stop()
    gateway.up()
    traffic.flows()


def test_installed_and_booted(installed):
    """The module is there at once, signed; and after a reboot before the first packet is forwarded."""
    assert signed_with_dkms_key(installed)
    for again in (False, True):
        if again:
            with Traffic(installed) as traffic:
                reboot(installed, traffic)
            assert not traffic.wrong()
        translates(installed)
        assert engine(installed) == "expression"
        assert pairs(installed) == {A: A_OUT, WAITING: OUTSIDE}


def test_upgraded(installed, debian, tmp_path):
    """Neither rules nor counters notice it, and no packet does."""
    before, counted = installed.handles(), outbound(installed)
    with Traffic(installed) as traffic:
        traffic.flows()
        installed.install(newer(debian.tool, tmp_path))
        traffic.flows()
    assert installed.run("dpkg-query", "-Wf", "${Version}", "statnat-nft").stdout.endswith("+newer")
    assert not traffic.wrong()
    assert installed.handles() == before
    assert outbound(installed) > counted


def test_new_kernel(installed, kernels):
    """Without its headers there is no module: hosts are translated all the same, and prefixes wait, which is said; with
    them, the next reload takes it, and no packet notices."""
    release = installed.lay(kernels[1])
    with Traffic(installed) as traffic:
        reboot(installed, traffic)
        assert engine(installed) == "native" and pairs(installed) == {A: A_OUT}
        said = installed.run("journalctl", "-b", "-u", "statnat", "-o", "cat").stdout
        assert "module" in said and WAITING in said
        installed.headers()
        assert installed.run("modinfo", "-F", "vermagic", "nft_snat_stateless").stdout.startswith(release)
        installed.run("systemctl", "reload", "statnat")
        traffic.flows()
    assert not traffic.wrong()
    translates(installed)
    assert engine(installed) == "expression"
    assert pairs(installed) == {A: A_OUT, WAITING: OUTSIDE}


def test_purged(installed, before):
    """Nothing stays: no table and no file."""
    installed.run("apt-get", "-y", "purge", "statnat-nft", "nft-snat-stateless-dkms")
    assert not installed.tables()
    assert not installed.run("find", "/run", "-name", "*statnat*").stdout
    left = {path for path in files(installed) - before if re.search("statnat|nft[-_]snat", path)}
    assert not left and not before - files(installed)
