# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole fleet on this machine, for demo/fleet and tests/fleet/faults: premises.py has the site; beside that, three
etcd, a watch on each gateway, TCP that goes on all the while, and somebody who looks at what comes out."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/integration"))

from etcd import Etcd  # noqa: E402
from net import A, A6, A6_OUT, A_OUT, X, X6, Namespace, cable, echo, until  # noqa: E402
from premises import Site  # noqa: E402
from test_watch import Watcher  # noqa: E402
from tool import Tool  # noqa: E402

SECONDS = 60
ETCD = "192.168.255.1"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


class Gateway:
    """One of the site's, with a cable to etcd and a watch whose clock can be set."""

    def __init__(self, ground, gateway):
        self.ground, self.at, self.number = ground, gateway, gateway.number
        self.folder = ground.folder / f"gateway{self.number}"
        self.folder.mkdir()
        self.clock = self.folder / "clock"
        self.set_clock("+0")
        cable(self.at.namespace, "etcd0", ground.middle, f"gateway{self.number}")
        ground.middle.ip(f"link set gateway{self.number} master br0")
        self.at.namespace.ip(f"address add 192.168.255.{self.number + 1}/24 dev etcd0")
        self.tool = Tool(self.at.namespace, self.folder)
        self.tool.file.write_text("[gateway]\nengine = \"native\"\ncounters = \"off\"\nannounce = true\n"
                                  f"fail-closed = true\n[source]\netcd = {json.dumps(ground.etcd.endpoints)}\n")
        self.watcher = None

    def set_clock(self, offset):
        self.clock.write_text(offset + "\n")

    def watch(self):
        self.watcher = Watcher(self.at.namespace, self.tool.file, self.folder, LD_PRELOAD=FAKETIME,
                               FAKETIME_TIMESTAMP_FILE=str(self.clock), FAKETIME_NO_CACHE="1",
                               FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.watcher.hears(b"READY=1")

    def status(self):
        return json.loads(self.tool("status", "-j", check=False).stdout)

    def cables(self, state, *ports):
        """Of "lan", "wan", "peer" and "etcd", or all of them."""
        for port in ports or ("lan", "wan", "peer", "etcd"):
            if port == "etcd":
                self.ground.middle.ip(f"link set gateway{self.number} {state}")
            elif port == "peer":
                self.ground.gateways[2 - self.number].at.namespace.ip(f"link set peer {state}")
            else:
                self.at.cables(state, port)

    def close(self):
        if self.watcher:
            self.watcher.close()
        self.tool("clear", check=False)


class Flow:
    """A connection whose client asks and is answered without an end; how long it ever waited."""

    def __init__(self, client, server, address, port):
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.name = f"{client.name.rpartition('-')[2]} to {address}"
        self.failed, self.longest, self.begun, self.over = None, 0.0, None, threading.Event()
        with server.socket(kind, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("", port))
            listener.listen()
            self.client = client.socket(kind, socket.SOCK_STREAM)
            self.client.settimeout(SECONDS)
            self.client.connect((address, port))
            self.server, _ = listener.accept()
        threading.Thread(target=echo, args=(self.server,), daemon=True).start()
        threading.Thread(target=self.ask, daemon=True).start()

    def ask(self):
        try:
            while not self.over.wait(0.01):
                self.begun = time.monotonic()
                self.client.sendall(b"x" * 1000)
                left = 1000
                while left:
                    heard = len(self.client.recv(left))
                    assert heard, "closed by the other end"
                    left -= heard
                self.longest = max(self.longest, time.monotonic() - self.begun)
        except (OSError, AssertionError) as error:
            self.failed = error

    def close(self):
        self.over.set()
        self.client.close()
        self.server.close()


class Outside:
    """What leaves the gateways for the router outside with a source that nobody is to see there."""

    def __init__(self, site):
        wrong = ("src net 10.0.0.0/24 or src net fd00:1::/64 or "
                 f"(tcp and src net 198.51.100.0/24 and not src host {A_OUT}) or "
                 f"(tcp and src net 2001:db8:1::/48 and not src host {A6_OUT})")
        with site.ro:
            self.process = subprocess.Popen(["tcpdump", "-i", "wan", "-n", "-l", "-Q", "in", wrong],
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Ground:
    def __init__(self, kinds=("frr", "bird"), inside="frr", outside="bird", flows=4):
        self.stack = contextlib.ExitStack()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="statnat-fleet-"))
        self.site = self.stack.enter_context(contextlib.closing(Site()))
        self.kinds, self.inside, self.outside = kinds, inside, outside
        self.middle = Namespace("etcd")
        self.stack.callback(self.middle.close)
        self.middle.ip(f"link add br0 type bridge\nlink set br0 up\naddress add {ETCD}/24 dev br0")
        self.etcd = self.stack.enter_context(contextlib.closing(Etcd(self.middle, ETCD, self.folder, members=3)))
        self.gateways = []
        for gateway in self.site.gateways:
            self.gateways.append(self.stack.enter_context(contextlib.closing(Gateway(self, gateway))))
        self.number_of_flows, self.flows, self.wrong = flows, [], None

    def publish(self, *words):
        return self.gateways[0].tool("publish", *words, "--config", self.gateways[0].tool.file)

    def start(self):
        for gateway in self.gateways:
            gateway.watch()
        self.site.route(self.kinds, self.inside, self.outside)
        until(self.is_whole, SECONDS)

    def talk(self):
        """Half of the flows begin inside, half outside; of each family the same."""
        self.wrong = self.stack.enter_context(contextlib.closing(Outside(self.site)))
        a, x = self.site.a, self.site.x
        for number in range(self.number_of_flows):
            for offset, ends in enumerate(((a, x, X), (x, a, A_OUT), (a, x, X6), (x, a, A6_OUT))):
                flow = Flow(*ends, 5000 + 10 * number + offset)
                self.flows.append(self.stack.enter_context(contextlib.closing(flow)))

    def ways(self):
        site = self.site
        return [site.ways(site.ro, "198.51.100.0/24"), site.ways(site.ro, "2001:db8:1::/48"),
                site.ways(site.ri, "192.0.0.8"), site.ways(site.ri, "100::8")]

    def is_whole(self):
        return all(ways == {1, 2} for ways in self.ways())

    def leader(self):
        """The number of a member."""
        done = self.etcd.control("endpoint", "status", "-w", "json", check=False).stdout
        for one in json.loads(done or "[]"):
            if one["Status"].get("leader") == one["Status"]["header"]["member_id"]:
                return int(re.search(r":(\d+)$", one["Endpoint"])[1]) // 10 - 237
        return None

    def has_everywhere(self, pairs):
        """Whether both gateways hold as many pairs as that, and the same."""
        all_of_them = [gateway.status() for gateway in self.gateways]
        return (len({status["digest"] for status in all_of_them}) == 1 and
                all(sum(one["pairs"] for one in status["pairs"]) == pairs for status in all_of_them))

    def close(self):
        self.stack.close()


PAIRS = {A: A_OUT, A6: A6_OUT, **{f"10.0.0.{number}": f"198.51.100.{number}" for number in range(10, 110)}}


def published(ground):
    """Puts all pairs into etcd; returns how many."""
    path = ground.folder / "pairs.csv"
    path.write_text("".join(f"{internal},{external}\n" for internal, external in PAIRS.items()))
    ground.publish(path)
    return len(PAIRS)
