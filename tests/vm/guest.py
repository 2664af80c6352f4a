# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian kernel in QEMU (software emulation) on the files of its Debian, and commands run inside it.

These lie read-only below a throw-away overlay; where they are the host's, every path means the same inside. So it does
in any case in the tree of this repository, which is mounted anew for each command and therefore current. Sockets of two
virtio ports lead inside, see `agent`; the console is a log file.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import selectors
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent

# Exit statuses beside those of the command.
TAINTED = 122
UNPREPARED = 123
TIMED_OUT = 124
DIED = 125

LAST_WORDS = 150

# Out of tree and unsigned: what a module of ours cannot help.
HARMLESS_TAINT = 1 << 12 | 1 << 13

EARLY_MODULES = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"]
# By a kernel's architecture, which its release ends with: the machine, and what the kernel must know about it.
MACHINES = {
    # A timer that is late on a loaded machine is no fault of the kernel's.
    "amd64": (["qemu-system-x86_64"], "console=ttyS0 no_timer_check"),
    "arm64": (["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"], "console=ttyAMA0"),
}
KERNEL_ARGUMENTS = "loglevel=5 panic=-1 oops=panic panic_on_warn=1"
# What QEMU has translated it finds again by address: programs that start where they did before start in a third of the
# time. Instructions are counted with the defaults.
SAME_PLACES = "norandmaps"
SHARE = "trans=virtio,version=9p2000.L,msize=512000"

PREPARE = """
set -e
prepare() {{
	umount -q {tree} /run/tree/below /run/tree 2>/dev/null || :
	# A tree below /tmp or /run is hidden by what is mounted there.
	mkdir -p /run/tree {tree}
	mount -t tmpfs tree /run/tree
	mkdir /run/tree/below /run/tree/upper /run/tree/work
	mount -t 9p -o {share},cache=loose,ro tree /run/tree/below
	mount -t overlay -o lowerdir=/run/tree/below,upperdir=/run/tree/upper,workdir=/run/tree/work tree {tree}
}}
load() {{
	name=$(modinfo -F name "$1")
	if [ -e "/sys/module/$name" ]; then rmmod "$name"; fi
	modinfo -F depends "$1" | tr , '\\n' | xargs -r modprobe -a
	insmod "$1"
}}
results() {{
	umount -q "$1" 2>/dev/null || :
	mkdir -p "$1"
	mount -t 9p -o {share},cache=none results "$1"
}}
trap 'echo "guest: the command was not started" >&2; exit {unprepared}' EXIT
prepare
"""


class Failure(Exception):
    """The guest gave no verdict; `status` says why, in the vocabulary above."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def kernel(name):
    """Return the directory of the cached kernel of this name."""
    done = subprocess.run([HERE / "kernels", name], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failure(UNPREPARED, f"there is no kernel {name}")
    return Path(done.stdout.strip())


def root(name):
    """Return the root directory of the Debian that a kernel belongs to."""
    done = subprocess.run([HERE / "root", name], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failure(UNPREPARED, f"there are no files of {name}'s Debian")
    return Path(done.stdout.strip())


def early_modules(modules):
    """List the files that EARLY_MODULES need, below `modules`, in the order of loading."""
    files = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, needs = line.split(":")
        files[Path(path).name.split(".")[0].replace("-", "_")] = [*reversed(needs.split()), path]
    # What is not a module is built in.
    return list(dict.fromkeys(path for name in EARLY_MODULES for path in files.get(name, [])))


def initramfs(directory, files, init):
    """Return the kernel's initramfs, with busybox from `files` and `init` as the first process; it is made on first use
    and whenever its parts change."""
    modules = directory / "lib/modules" / directory.name
    paths = early_modules(modules)
    parts = {"init": init, "agent": HERE / "agent", "bin/busybox": files / "bin/busybox"}
    parts |= {f"modules/{Path(path).name}": modules / path for path in paths}
    digest = hashlib.sha256()
    for part in parts.values():
        digest.update(part.read_bytes())
    image = directory / f"initramfs-{digest.hexdigest()[:16]}"
    if image.exists():
        return image

    with TemporaryDirectory(dir=directory) as temporary:
        root = Path(temporary, "root")
        for name in ["bin", "modules", "proc", "sys", "dev", "below", "above", "root"]:
            (root / name).mkdir(parents=True)
        for name, part in parts.items():
            shutil.copy(part, root / name)
        (root / "init").chmod(0o755)
        (root / "modules/order").write_text("".join(f"{Path(path).name}\n" for path in paths))
        names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        fresh = Path(temporary, "image")
        with fresh.open("wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"],
                           cwd=root, input=names.encode(), stdout=archive, check=True)
        fresh.rename(image)
    return image


class Between:
    """A stream of which what stands between two markers is written as it comes."""

    def __init__(self, marker, write):
        self._marker = marker
        self._write = write
        self._held = b""
        self._begun = False

    @property
    def ended(self):
        return self._begun and self._held == self._marker

    def feed(self, data):
        self._held += data
        if not self._begun:
            _, self._begun, after = self._held.partition(self._marker)
            if not self._begun:
                return
            self._held = after
        end = self._held.rfind(self._marker[:1])
        if end < 0 or not self._marker.startswith(self._held[end:]):
            end = len(self._held)
        self._write(self._held[:end])
        self._held = self._held[end:]


class Guest:
    """A guest whose sockets and console log live in the directory `state`."""

    init = HERE / "init"
    # Open files that devices of its are made of.
    handed_down = ()
    # QEMU, where it is this process that has started it.
    process = None

    def __init__(self, state):
        self.state = Path(state)
        self.console = self.state / "console.log"

    def files(self, options):
        """The root directory of its Debian."""
        return root(options.root or options.kernel)

    def shares(self, directory, files, options):
        """By tag: what is shared, and whether it is read-only."""
        shares = {"root": (files, True), "modules": (directory / "lib/modules", True), "tree": (TREE, True)}
        if options.results:
            shares["results"] = (options.results, False)
        return shares

    def devices(self):
        """What else it has, in QEMU's words."""
        return []

    def _command_line(self, directory, options):
        files = self.files(options)
        machine, console = MACHINES[directory.name.rpartition("-")[2]]
        line = [*machine, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        line += ["-m", options.memory, "-smp", str(options.cpus)]
        arguments = f"{console} {KERNEL_ARGUMENTS} {options.append}"
        if options.icount:
            line += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
        else:
            line += ["-accel", "tcg,thread=multi"]
            arguments += f" {SAME_PLACES}"
        line += ["-kernel", directory / "vmlinux", "-initrd", initramfs(directory, files, self.init)]
        line += ["-append", arguments]
        line += ["-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console"]
        line += ["-device", "virtio-serial-pci"]
        for port in ["control", "output"]:
            line += ["-chardev", f"socket,id={port},path={self.state / port},server=on,wait=off"]
            line += ["-device", f"virtserialport,chardev={port},name={port}"]
        line += ["-chardev", f"socket,id=monitor,path={self.state / 'monitor'},server=on,wait=off"]
        line += ["-mon", "chardev=monitor"]
        for tag, (path, readonly) in self.shares(directory, files, options).items():
            readonly = ",readonly=on" if readonly else ""
            line += ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{readonly}"]
            line += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        return line + self.devices()

    def start(self, directory, options, outlive=False):
        """Boot the kernel in `directory`; the guest ends with us unless it may outlive us."""
        self.state.mkdir(parents=True, exist_ok=True)
        tie = [] if outlive else ["setpriv", "--pdeathsig", "KILL"]
        line = tie + self._command_line(directory, options)
        with (self.state / "qemu.log").open("wb") as log:
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=outlive, pass_fds=self.handed_down)
        while not self.alive():
            if self.process.poll() is not None:
                raise Failure(UNPREPARED, f"qemu did not start: {(self.state / 'qemu.log').read_text().strip()}")
            time.sleep(0.02)

    def alive(self):
        """Whether QEMU answers at its monitor."""
        try:
            self._connect("monitor").close()
        except Failure:
            return False
        return True

    def stop(self):
        """End the guest, if there is one; whoever has started it knows that it holds no file any more."""
        if self.alive():
            # QEMU may end, by itself or by the same signal as we, at any moment.
            with contextlib.suppress(ConnectionError, Failure), self._connect("monitor") as monitor:
                monitor.sendall(b"quit\n")
                while monitor.recv(1 << 12):
                    pass
        if self.process:
            self.process.wait()

    def run(self, script, limit, write):
        """Run a shell script inside, `write` what it writes, return its exit status."""
        deadline = time.monotonic() + limit
        token = secrets.token_hex(16)
        output = Between(b"\0" + token.encode(), write)
        answer = b""
        verdict = None
        with (selectors.DefaultSelector() as selector,
              self._connect("control") as control, self._connect("output") as port):
            selector.register(control, selectors.EVENT_READ)
            selector.register(port, selectors.EVENT_READ)
            control.sendall(f"{token} {base64.b64encode(script.encode()).decode()}\n".encode())
            while not (verdict and output.ended):
                ready = selector.select(max(0, deadline - time.monotonic()))
                if time.monotonic() > deadline:
                    raise Failure(TIMED_OUT, f"no verdict within {limit:g} seconds; {self._last_words()}")
                for key, _ in ready:
                    data = b""
                    with contextlib.suppress(ConnectionResetError):
                        data = key.fileobj.recv(1 << 16)
                    if not data:
                        raise Failure(DIED, f"the guest died; {self._last_words()}")
                    if key.fileobj is port:
                        output.feed(data)
                        continue
                    *lines, answer = (answer + data).split(b"\n")
                    # An interrupted predecessor's answer has another token.
                    verdict = next((line.split()[1:] for line in lines if line.startswith(token.encode())), verdict)
        status, taint = map(int, verdict)
        if taint & ~HARMLESS_TAINT:
            raise Failure(TAINTED, f"the command exited with {status}, the kernel is tainted ({taint}); "
                                   f"{self._last_words()}")
        return status

    def _connect(self, port):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.state / port))
        except OSError as error:
            connection.close()
            raise Failure(DIED, f"no guest: {error.strerror}") from error
        return connection

    def _last_words(self):
        lines = self.console.read_text(errors="replace").splitlines()[-LAST_WORDS:]
        return "\n".join(["its console's last lines:", *(f"  | {line}" for line in lines)])


def script(command, modules=(), results=None):
    """The shell script that prepares the guest as asked and becomes the command, in the directory where we are."""
    lines = [PREPARE.format(tree=shlex.quote(str(TREE)), share=SHARE, unprepared=UNPREPARED)]
    if results:
        lines.append(f"results {shlex.quote(str(results))}")
    lines += [f"load {shlex.quote(str(Path(module).resolve()))}" for module in modules]
    lines += ["trap - EXIT", f"cd {shlex.quote(os.getcwd())}", f"exec {shlex.join(command)}"]
    return "\n".join(lines)
