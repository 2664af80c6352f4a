# SPDX-License-Identifier: GPL-2.0-or-later
"""The hardened timer writes what a collector of somebody else's reads, again and again, once it is enabled."""

from prometheus_client.parser import text_string_to_metric_families

from net import X, until
from network import ask
from test_unit import EXPOSURE

FOLDER = "/var/lib/prometheus/node-exporter"


def told(gateway):
    """Each sample without labels by its name; nothing while there is no file."""
    text = gateway.run("cat", f"{FOLDER}/statnat.prom", check=False).stdout
    return {sample.name: sample.value for family in text_string_to_metric_families(text)
            for sample in family.samples if not sample.labels}


def test_timer(gateway):
    gateway.run("systemctl", "start", "statnat-metrics.service")
    assert not told(gateway)  # without a collector
    gateway.run("mkdir", "-p", FOLDER)
    gateway.run("systemctl", "enable", "--now", "statnat-metrics.timer")
    until(lambda: told(gateway).get("statnat_healthy") == 1)
    assert gateway.run("stat", "-c", "%a", f"{FOLDER}/statnat.prom").stdout.strip()[-1] == "4"
    assert ask(gateway.a, gateway.x, X)[1]
    gateway.run("nft", "delete", "table", "ip", "statnat")
    until(lambda: told(gateway)["statnat_healthy"] == 0)
    gateway.run("systemctl", "restart", "statnat")
    until(lambda: told(gateway)["statnat_healthy"] == 1)
    assert not gateway.run("journalctl", "--no-pager", "-q", "-p", "warning", "-u", "statnat-metrics.service").stdout
    gateway.run("systemctl", "disable", "--now", "statnat-metrics.timer")
    gateway.run("rm", "-r", "/var/lib/prometheus")


def test_exposure(gateway):
    gateway.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "statnat-metrics.service")
    for unit in ("statnat-metrics.service", "statnat-metrics.timer"):
        assert not gateway.run("systemd-analyze", "verify", "--man=no", unit).stderr
    assert gateway.run("systemctl", "is-enabled", "statnat-metrics.timer", check=False).stdout == "disabled\n"
