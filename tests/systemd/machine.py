# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of its own on this kernel: systemd as PID 1 of new namespaces, on a throw-away disk over a Debian's files.

The disk outlives a restart; nothing outlives this process, however that ends: what it mounts only it can see.
"""

import ctypes
import itertools
import os
import pathlib
import signal
import subprocess

from net import libc, until

HERE = pathlib.Path(__file__).resolve().parent
CLONE_NEWNS = 0x20000
POWER_OFF = signal.SIGRTMIN + 4  # systemd(1)
ENVIRONMENT = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
               "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
DISKS = pathlib.Path("/mnt")
serial = itertools.count(1)


def mount_for_us_alone():
    """Moves this process where nobody else sees its mounts, with room for disks and for named network namespaces."""
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for directory in (DISKS, pathlib.Path("/run/netns")):
        directory.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "statnat", directory], check=True)


class Machine:
    def __init__(self, tree):
        disk = DISKS / str(next(serial))
        self.root = disk / "root"
        for directory in ("above", "work", "root"):
            (disk / directory).mkdir(parents=True)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={tree},upperdir={disk}/above,workdir={disk}/work",
                        "root", self.root], check=True)
        self.write("/etc/hostname", "gateway\n")
        self.write("/etc/machine-id", "")  # known, though not told: nothing is asked at a first boot
        # Tests start units more often than people do.
        self.write("/etc/systemd/system.conf.d/limit.conf", "[Manager]\nDefaultStartLimitIntervalSec=0\n")
        # Nothing happens by itself, such as apt's daily look at its mirrors.
        subprocess.run(["chroot", self.root, "systemctl", "-q", "mask", "timers.target"], check=True)
        self.keeper = None

    def write(self, path, text):
        """Makes a file on its disk, running or not."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def assemble(self):
        """Makes the namespaces, in which nothing runs yet."""
        self.keeper = subprocess.Popen([HERE / "boot", self.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, start_new_session=True)
        # What ip(8) takes for a network namespace; this one stays until cables are pulled.
        self.name = self.keeper.stdout.readline().strip()
        self.network = os.open(f"/proc/{self.name}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def start(self):
        """Lets systemd begin."""
        self.keeper.stdin.write("\n")
        self.keeper.stdin.flush()

    def running(self):
        """Waits until systemd has started all that it should."""
        asked = ("systemctl", "is-system-running", "--wait")
        until(lambda: self.run(*asked, check=False).stdout.strip() in ("running", "degraded"))
        failed = self.run("systemctl", "--failed", "--no-legend", "--plain").stdout.split()[:1]
        journal = self.run("journalctl", "-b", "-o", "short-monotonic", "-u", *failed).stdout if failed else ""
        assert not failed, f"{failed}: {journal}"

    def stop(self):
        """Shuts it down in order."""
        os.kill(int(self.name), POWER_OFF)
        self.keeper.wait(60)
        self.end()

    def end(self):
        """Pulls the plug."""
        if self.keeper:
            with self.keeper:
                self.keeper.stdin.close()
            os.close(self.network)
            self.keeper = None

    def close(self):
        self.end()
        subprocess.run(["umount", self.root], check=True)

    def run(self, *command, stdin="", check=True):
        """Runs a command there to its end and returns it, with its output as text."""
        done = subprocess.run(["nsenter", "--all", "--target", self.name, *ENVIRONMENT, *map(str, command)],
                              input=stdin, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def ip(self, commands):
        self.run("ip", "-batch", "-", stdin=commands)
