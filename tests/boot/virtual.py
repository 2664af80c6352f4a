# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway on a kernel of its own: a QEMU guest whose first process is systemd, and whose disk outlives what it boots.

The kernels that it can boot are in it as their packages would lay them; headers come when they are asked for.
"""

import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import struct
import subprocess
import tempfile
import types

import guest
from gateway import CABLES, MAC, Gateway
from net import until

HERE = pathlib.Path(__file__).resolve().parent
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
OPTIONS = types.SimpleNamespace(memory="1500M", cpus=1, append="systemd.firstboot=off", icount=False)
# Seconds for a command there, such as to build the module; and to power off.
LONG, OFF = 3600, 300
# A command with its input; what it says as an error stands apart.
SCRIPT = """export DEBIAN_FRONTEND=noninteractive
{command} 2>/run/stderr <<'END OF INPUT'
{stdin}
END OF INPUT
status=$?
printf '\\0\\0'
cat /run/stderr
exit $status
"""
AGENT = """[Unit]
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/bin/sh /usr/local/sbin/agent
Restart=always
[Install]
WantedBy=sysinit.target
"""


class Guest(guest.Guest):
    init = HERE / "first"

    def __init__(self, state, disk, taps):
        super().__init__(state)
        self.disk, self.taps, self.handed_down = disk, taps, taps

    def files(self, options):
        # Of which its initramfs has busybox; no more is needed.
        return pathlib.Path("/")

    def shares(self, directory, files, options):
        return {"root": (self.disk, False)}

    def devices(self):
        # By their places on the bus, which the gateway's names for them go by.
        return [word for slot, tap in enumerate(self.taps, start=16)
                for word in ("-netdev", f"tap,id=net{slot},fd={tap}",
                             "-device", f"virtio-net-pci,netdev=net{slot},mac={MAC},addr={slot:#x},romfile=")]


def tap(host):
    """A host's eth0 whose other end is the file that this returns."""
    with host:
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"eth0", IFF_TAP | IFF_NO_PI))
    return descriptor


class VirtualGateway(Gateway):
    guest = None

    def __init__(self, tree):
        super().__init__(tree)
        for slot, (name, _, _) in enumerate(CABLES, start=16):
            self.write(f"/etc/systemd/network/10-{name}.link",
                       f"[Match]\nPath=pci-0000:00:{slot:02x}.0\n[Link]\nName={name}\n")
        self.write("/usr/local/sbin/agent", (HERE.parent / "vm/agent").read_text())
        self.write("/etc/systemd/system/agent.service", AGENT)
        subprocess.run(["chroot", self.root, "systemctl", "-q", "enable", "agent"], check=True)
        # The tree's headers may be of another day's kernel.
        shutil.rmtree(self.root / "usr/lib/modules", ignore_errors=True)

    def write(self, path, text):
        """What runs has its own view of its disk."""
        if self.guest:
            self.run("sh", "-c", f"mkdir -p {pathlib.Path(path).parent} && cat >{path}", stdin=text)
        else:
            super().write(path, text)

    def lay(self, kernel):
        """Puts a kernel on its disk, which it boots from then on."""
        self.kernel = guest.kernel(kernel)
        release = self.kernel.name
        package, modules = self.root / "opt" / release, self.root / "usr/lib/modules" / release
        above, work = (self.root.parent / f"{release}-{each}" for each in ("above", "work"))
        for directory in (package, modules, above, work):
            directory.mkdir(parents=True)
        subprocess.run(["mount", "--bind", "-o", "ro", self.kernel, package], check=True)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={self.kernel}/lib/modules/{release},"
                        f"upperdir={above},workdir={work}", "modules", modules], check=True)
        for link in ("build", "source"):
            (modules / link).unlink()
        return release

    def headers(self):
        """Installs those of its kernel, and does what Debian does then."""
        release = self.kernel.name
        self.run("ln", "-s", f"/opt/{release}/usr/src/linux-headers-{release}", f"/lib/modules/{release}/build")
        self.run("sh", "-c", f"if [ -x /usr/sbin/dkms ]; then dkms autoinstall -k {release}; fi")

    def plug(self, host, name):
        self.taps.append(tap(host))

    def assemble(self):
        self.taps = []
        self.cables()
        self.state = tempfile.TemporaryDirectory(prefix="statnat-")
        self.guest = Guest(self.state.name, self.root, self.taps)

    def start(self):
        self.guest.start(self.kernel, OPTIONS)

    def stop(self):
        with contextlib.suppress(guest.Failure):
            self.run("systemctl", "poweroff")
        until(lambda: not self.guest.alive(), OFF)
        self.end()

    def end(self):
        if self.guest:
            self.guest.stop()
            for each in self.taps:
                os.close(each)
            self.state.cleanup()
            self.guest = None

    def close(self):
        self.end()
        subprocess.run(["umount", "--recursive", self.root], check=True)
        for host in self.hosts:
            host.close()

    def run(self, *command, stdin="", check=True):
        """As a machine's; its kernel must not have complained meanwhile either."""
        said = bytearray()
        status = self.guest.run(SCRIPT.format(command=shlex.join(map(str, command)), stdin=stdin), LONG, said.extend)
        out, _, err = said.decode().partition("\0\0")
        assert not check or status == 0, f"{command}: {out}{err}"
        return subprocess.CompletedProcess(command, status, out, err)
