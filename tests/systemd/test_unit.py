# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit may do what it must and no more."""

from gateway import CONFIGURATION, translates
from net import A, A_OUT, B, B_OUT

# systemd-analyze(1): from 0, nothing, to 100, everything. One is the filter of fail-closed, which is a BPF program.
EXPOSURE = 17


def test_exposure(gateway):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "statnat.service")


def test_nothing_to_complain_of(gateway):
    """No setting that systemd does not know, no cycle of units."""
    assert not gateway.run("systemd-analyze", "verify", "--man=no", "statnat.service").stderr


def test_reload(gateway):
    """It makes the kernel equal a changed configuration, and leaves it as it is for the sake of one that is wrong."""
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION + f'"{B}" = "{B_OUT}"\n')
    gateway.run("systemctl", "reload", "statnat")
    assert gateway.pairs() == {A: A_OUT, B: B_OUT}
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION + f'"{B}" = "{A_OUT}"\n')
    assert gateway.run("systemctl", "reload", "statnat", check=False).returncode
    assert gateway.pairs() == {A: A_OUT, B: B_OUT}
    gateway.write("/etc/statnat/statnat.toml", CONFIGURATION)
    gateway.run("systemctl", "reload", "statnat")
    assert gateway.pairs() == {A: A_OUT}
    translates(gateway)
