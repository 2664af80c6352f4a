# SPDX-License-Identifier: GPL-2.0-or-later
"""How often the kernel calls one of its functions, by a probe of its tracing."""

import os
import subprocess
from pathlib import Path

import pytest

TRACING = Path("/sys/kernel/tracing")


class Calls:
    """Counts from its beginning on, everywhere in the kernel; `with` ends it."""

    def __init__(self, function):
        if "User Mode Linux" in Path("/proc/cpuinfo").read_text():
            pytest.skip("a user-mode kernel has no probes")
        if not (TRACING / "kprobe_events").exists():
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], check=True)
        self.event = f"statnat_{os.getpid()}_{function}"
        self._probe(f"p:{self.event} {function}")
        self.switch = TRACING / "events/kprobes" / self.event / "enable"
        self.switch.write_text("1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.switch.write_text("0")
        self._probe(f"-:{self.event}")

    @staticmethod
    def _probe(command):
        # Opened to be written anew, it forgets all probes.
        file = os.open(TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
        os.write(file, command.encode())
        os.close(file)

    def count(self):
        lines = (line.split() for line in (TRACING / "kprobe_profile").read_text().splitlines())
        return next(int(hits) for event, hits, _ in lines if event == self.event)
