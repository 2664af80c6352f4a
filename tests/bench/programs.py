# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs that programs of tc or of XDP translate, route and send: built here, and attached in the gateway."""

import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "bpf"
DEVICES = "in", "out"


def build(folder):
    """The programs, and what attaches them, which needs no libraries where it runs."""
    # Kernel headers ask for those of the machine that this is built on.
    machine = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    subprocess.run(["clang-14", "-O2", "-g", "-Wall", "-target", "bpf", "-isystem", f"/usr/include/{machine}",
                    "-c", SOURCES / "translate.bpf.c", "-o", folder / "translate.bpf.o"], check=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-static", SOURCES / "attach.c", "-lbpf", "-lelf", "-lz",
                    "-o", folder / "attach"], check=True)


def attach(gateway, setting, program):
    gateway.run(setting.folder / "attach", setting.folder / "translate.bpf.o", program, str(setting.pairs), *DEVICES,
                stdin=(setting.folder / "pairs.csv").read_text())


def traffic_control(gateway, setting):
    attach(gateway, setting, "by_tc")


def express_data_path(gateway, setting):
    attach(gateway, setting, "by_xdp")
