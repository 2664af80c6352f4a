# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool under test, run in the gateway's namespace."""

import json
import os
import pathlib
import socket

TOOL = os.environ.get("STATNAT_NFT",
                      pathlib.Path(__file__).resolve().parents[2] / "build" / "statnat-nft")
ENGINE = os.environ.get("STATNAT_ENGINE", "native")
# With STATNAT_FORWARD=1 packets take the fast path wherever a configuration may have one, which nobody may notice.
FORWARD = os.environ.get("STATNAT_FORWARD") == "1"
FAST_PATH = "fast-path = true\n" if FORWARD else ""
# What cannot stand beside it.
ASKS_FOR_ALL_HOOKS = {("conntrack", "follow"), ("counters", "rule"), ("fail_closed", True), ("engine", "native")}
# What `sync` says, too, where pairs come to be in other networks: the rules of the module name these.
REWRITTEN = ", wrote rules" if ENGINE == "expression" else ""

RUN = pathlib.Path("/run/statnat")
SO_NETNS_COOKIE = 71


def run_file(kind, namespace):
    """What the tool remembers of a namespace."""
    with namespace.socket(socket.AF_UNIX, socket.SOCK_STREAM) as any_socket:
        cookie = any_socket.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
    return RUN / f"{kind}-{int.from_bytes(cookie, 'little')}"


def with_engine(gateway):
    """The settings of [gateway], with the engine under test."""
    gateway = {"engine": ENGINE, **gateway}
    fits = "vrf" not in gateway and not any(gateway.get(key) == value for key, value in ASKS_FOR_ALL_HOOKS)
    return {"fast_path": True, **gateway} if FORWARD and fits else gateway


def write_pairs(folder, name, pairs):
    """A configuration whose pairs are in a CSV file."""
    (folder / f"{name}.csv").write_text("".join(f"{internal},{external}\n" for internal, external in pairs.items()))
    path = folder / f"{name}.toml"
    path.write_text(f'[gateway]\n{FAST_PATH}engine = "{ENGINE}"\npairs-files = ["{name}.csv"]\n')
    return path


class Tool:
    def __init__(self, namespace, folder):
        self.namespace, self.folder = namespace, folder
        self.file = folder / "statnat.toml"

    def __call__(self, *arguments, check=True):
        return self.namespace.run(str(TOOL), *map(str, arguments), check=check)

    def configure(self, pairs=None, **gateway):
        """Writes the configuration and returns its path."""
        lines = ["[gateway]"]
        lines += [f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in with_engine(gateway).items()]
        lines += ["[pairs]"]
        lines += [f'"{internal}" = {json.dumps(external)}' for internal, external in (pairs or {}).items()]
        self.file.write_text("\n".join(lines) + "\n")
        return self.file

    def sync(self, pairs=None, **gateway):
        """Whatever that removes."""
        return self("sync", "--force", self.configure(pairs, **gateway))

    def pairs(self):
        """What the kernel holds: internal address to line of the listing."""
        return {pair["internal"]: pair for pair in json.loads(self("list", "-j").stdout)["pairs"]}

    def held(self):
        """What the kernel holds: internal to external address."""
        return {internal: pair["external"] for internal, pair in self.pairs().items()}

    def counters(self, internal):
        """Packets and bytes outbound, packets and bytes inbound."""
        pair = self.pairs()[internal]
        return tuple(pair[way][unit] for way in ("outbound", "inbound")
                     for unit in ("packets", "bytes"))
