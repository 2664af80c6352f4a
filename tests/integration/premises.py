# SPDX-License-Identifier: GPL-2.0-or-later
"""A site: hosts inside, hosts outside, and two gateways between two routers, each with FRR or BIRD configured as in
docs/examples.

                              ┌── lan g1 wan ──┐              lan 10.255.0.0/24, fd00:255::/64
    A 10.0.0.2 ── ri ── switch                 switch ── ro ── X 203.0.113.10
                              └── lan g2 wan ──┘              wan 192.0.2.0/24, 2001:db8:2::/64
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

from net import A, A6, R2, R2_6, X, X6, Namespace, cable, until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/examples"
SECONDS = 60


class Daemons:
    """What routes in a namespace; each writes where its user may."""

    def __init__(self, namespace, kind, text):
        self.namespace, self.processes = namespace, []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="statnat-routing-"))
        self.folder.chmod(0o755)
        (self.folder / "conf").write_text(text)
        (self.folder / "conf").chmod(0o644)
        if kind == "bird":
            self.run("bird", "-f", "-c", self.folder / "conf", "-s", self.folder / "control")
        else:
            self.start_frr()

    def start_frr(self):
        shutil.chown(self.folder, "frr", "frr")
        for name in ("zebra", "staticd", "bfdd", "bgpd"):
            more = ["--bfdctl", self.folder / "bfd"] if name == "bfdd" else []
            self.run(f"/usr/lib/frr/{name}", "-u", "frr", "-g", "frr", "-f", self.folder / "conf", "-i",
                     self.folder / f"{name}.pid", "-z", self.folder / "zserv", "--vty_socket", self.folder, "-P", "0",
                     *more)
            until(lambda name=name: (self.folder / f"{name}.vty").exists(), SECONDS)

    def run(self, *words):
        with self.namespace, (self.folder / "log").open("a") as log:
            self.processes.append(subprocess.Popen(list(map(str, words)), stdout=log, stderr=log))

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)


class Gateway:
    def __init__(self, site, number):
        self.site, self.number = site, number
        self.namespace = Namespace(f"g{number}")
        forward(self.namespace)
        self.plug()
        self.daemons = None

    def plug(self):
        for port, address, address6 in (("lan", "10.255.0.1", "fd00:255::1"), ("wan", "192.0.2.1", "2001:db8:2::1")):
            self.site.plug(self.namespace, port, f"{port}{self.number}", port)
            self.namespace.ip(f"address add {address}{self.number}/24 dev {port}\n"
                              f"address add {address6}{self.number}/64 dev {port} nodad")

    def route(self, kind):
        text = (EXAMPLES / kind / "gateway.conf").read_text()
        for before, after in (("id 192.0.2.11", f"id 192.0.2.1{self.number}"),
                              ("10.254.0.12", f"10.254.0.1{3 - self.number}"),
                              ("fd00:254::12", f"fd00:254::1{3 - self.number}")):
            text = text.replace(before, after)
        self.daemons = Daemons(self.namespace, kind, text)

    def addresses(self):
        """Its own, link-local ones among them, by which BGP sends IPv6."""
        links = json.loads(self.namespace.run("ip", "-j", "address", "show").stdout)
        return {address["local"] for link in links for address in link["addr_info"]}

    def cables(self, state, *ports):
        for port in ports or ("lan", "wan"):
            self.site.switch.ip(f"link set {port}{self.number} {state}")

    def close(self):
        if self.daemons:
            self.daemons.close()
        self.namespace.close()


class Site:
    def __init__(self):
        names = ("switch", "a", "x", "ri", "ro")
        self.all = [Namespace(name) for name in names]
        self.switch, self.a, self.x, self.ri, self.ro = self.all
        for bridge in ("lan", "wan"):
            self.switch.ip(f"link add {bridge} type bridge\nlink set {bridge} up")
        for router in (self.ri, self.ro):
            forward(router)
        self.plug(self.ri, "lan", "ri", "lan")
        self.ri.ip("address add 10.255.0.1/24 dev lan\naddress add fd00:255::1/64 dev lan nodad")
        self.plug(self.ro, "wan", "ro", "wan")
        self.ro.ip(f"address add {R2}/24 dev wan\naddress add {R2_6}/64 dev wan nodad")
        self.host(self.a, A, 24, A6, self.ri, "10.0.0.1", "fd00:1::1")
        self.host(self.x, X, 24, X6, self.ro, "203.0.113.1", "2001:db8:3::1")
        self.gateways = [Gateway(self, number) for number in (1, 2)]
        cable(self.gateways[0].namespace, "peer", self.gateways[1].namespace, "peer")
        for gateway in self.gateways:
            gateway.namespace.ip(f"address add 10.254.0.1{gateway.number}/24 dev peer\n"
                                 f"address add fd00:254::1{gateway.number}/64 dev peer nodad")
        self.routers = []

    def plug(self, namespace, name, port, bridge):
        cable(namespace, name, self.switch, port)
        self.switch.ip(f"link set {port} master {bridge}")

    @staticmethod
    def host(host, address, length, address6, router, gateway, gateway6):
        cable(host, "eth0", router, "host")
        host.ip(f"address add {address}/{length} dev eth0\naddress add {address6}/64 dev eth0 nodad\n"
                f"route add default via {gateway}\nroute add default via {gateway6}")
        router.ip(f"address add {gateway}/{length} dev host\naddress add {gateway6}/64 dev host nodad")

    def route(self, gateways, inside, outside):
        """Starts all daemons, of these kinds."""
        for gateway, kind in zip(self.gateways, gateways):
            gateway.route(kind)
        self.routers = [Daemons(self.ri, inside, (EXAMPLES / inside / "inside.conf").read_text()),
                        Daemons(self.ro, outside, (EXAMPLES / outside / "outside.conf").read_text())]

    def ways(self, router, destination):
        """Numbers of the gateways by which a router has a route; None: by another."""
        family = "-6" if ":" in destination else "-4"
        shown = router.run("ip", family, "-j", "route", "show", destination).stdout
        return {self.number_of(hop["gateway"]) for route in json.loads(shown or "[]")
                for hop in route.get("nexthops", [route]) if "gateway" in hop}

    def number_of(self, address):
        for gateway in self.gateways:
            if address in gateway.addresses():
                return gateway.number
        return None

    def close(self):
        with contextlib.ExitStack() as stack:
            for one in (*self.all, *self.gateways, *self.routers):
                stack.callback(one.close)


def forward(namespace):
    """Flows are shared by their ports, too; what comes by one gateway may go by the other. A device that is switched
    off keeps its addresses, as behind a cable that is cut."""
    namespace.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                     net__ipv6__conf__all__keep_addr_on_down=1,
                     net__ipv4__fib_multipath_hash_policy=1, net__ipv6__fib_multipath_hash_policy=1)
