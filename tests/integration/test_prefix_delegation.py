# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs follow the prefix that a DHCPv6 server delegates: dhclient and dhcpd of Debian, with the hook in docs/examples.

    host ──────────── lan gateway wan ──────────── provider
    fd00:1:0:7::2       dhclient, hook             dhcpd; 2001:db8:1::/48 is routed to the gateway
    fd00:2::5 = 2001:db8:2::5, a pair that does not depend on it
"""

import ipaddress
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

from net import Namespace, cable, until
from network import PORT
from nfnl import Netlink
from packets import expression, row
from pairs import OUTBOUND, Pair
from tool import TOOL, Tool

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "dhcpv6-pd"

HOST, PEER = "fd00:1:0:7::2", "2001:db8:f::1"
OTHER, OTHER_OUT = "fd00:2::5", "2001:db8:2::5"
ONE, ANOTHER = "2001:db8:1:100::/56", "2001:db8:1:200::/56"

# What the hook did not do is known once the next one has run.
TRACE = 'echo "$reason ${new_ip6_prefix:--} ${old_ip6_prefix:--}" >>/var/lib/dhcp/trace\n'


class Machine:
    """A network namespace whose programs find directories of this test where they look for their own."""

    def __init__(self, role, folder):
        self.namespace, self.folder, self.running = Namespace(role), folder, []
        for directory in ("etc/dhcp/dhclient-exit-hooks.d", "etc/statnat", "var/lib/dhcp", "usr/local/sbin"):
            (folder / directory).mkdir(parents=True)
        self.namespace.sysctl(net__ipv6__conf__all__forwarding=1)

    def command(self, *words):
        mounts = " && ".join(f"mount --bind {self.folder / directory} /{directory}"
                             for directory in ("etc", "var/lib/dhcp", "usr/local/sbin"))
        return ["nsenter", f"--net=/run/netns/{self.namespace.name}", "unshare", "--mount",
                "sh", "-c", f'{mounts} && exec "$@"', "sh", *words]

    def run(self, *words, **environment):
        return subprocess.run(self.command(*words), env={**os.environ, **environment}, capture_output=True, text=True)

    def start(self, *words):
        with open(self.folder / "log", "ab") as log:
            self.running.append(subprocess.Popen(self.command(*words), stdout=log, stderr=log))

    def stop(self):
        for process in self.running:
            process.terminate()
            process.wait(60)
        self.running = []

    def close(self):
        self.stop()
        self.namespace.close()


class Provider(Machine):
    """Delegates one prefix at a time, and remembers which."""

    def delegate(self, prefix, life=600, renewal=2):
        """Clients renew after so many seconds, ask anybody after twice as many, and lose the prefix after `life`."""
        self.stop()
        pool = prefix.replace("/", f" {prefix.partition('/')[0]} /")
        (self.folder / "etc/dhcp/dhcpd6.conf").write_text(
            f"default-lease-time {life};\npreferred-lifetime {life};\n"
            f"option dhcp-renewal-time {renewal};\noption dhcp-rebinding-time {2 * renewal};\n"
            f"subnet6 2001:db8:3::/64 {{ prefix6 {pool}; }}\n")
        (self.folder / "var/lib/dhcp/dhcpd6.leases").touch()
        self.start("dhcpd", "-6", "-f", "--no-pid", "-cf", "/etc/dhcp/dhcpd6.conf", "gateway")


class Gateway(Machine):
    """The example as its README.md says, beside a hook that writes down what dhclient says."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.statnat, hooks = self.folder / "etc/statnat", self.folder / "etc/dhcp/dhclient-exit-hooks.d"
        shutil.copy(EXAMPLE / "statnat", hooks)
        (hooks / "trace").write_text(TRACE)
        (self.folder / "usr/local/sbin/statnat-nft").symlink_to(TOOL)
        self.tool = Tool(self.namespace, self.folder)
        self.netlink = Netlink(self.namespace)

    def close(self):
        self.netlink.close()
        super().close()

    def configure(self, *lines):
        """The pairs of the prefix are these lines; before it is delegated there is the other one alone."""
        (self.statnat / "delegated.csv.in").write_text("".join(f"{line}\n" for line in lines))
        (self.statnat / "delegated.csv").write_text("")
        (self.statnat / "statnat.toml").write_text(
            (EXAMPLE / "statnat.toml").read_text() + f'"{OTHER}" = "{OTHER_OUT}"\n')
        assert self.run("/usr/local/sbin/statnat-nft", "sync").returncode == 0

    def ask_for_a_prefix(self):
        (self.folder / "var/lib/dhcp/trace").write_text("")
        self.heard = 0
        self.start("dhclient", "-6", "-P", "-d", "--no-pid", "wan")

    def said(self):
        """What dhclient has said: reason, new and old prefix."""
        return [tuple(line.split()) for line in (self.folder / "var/lib/dhcp/trace").read_text().splitlines()]

    def hears(self, new, old="-"):
        """Waits until dhclient says this, for whatever reason, after what it said last; the hooks have run then."""
        def found():
            return next((at for at, said in enumerate(self.said()[self.heard:], self.heard + 1)
                         if said[1:] == (new, old)), None)

        self.heard = until(found, 120)

    def release(self):
        self.stop()
        assert self.run("dhclient", "-6", "-P", "-r", "--no-pid", "wan").returncode == 0

    def follows(self):
        """The external address, or prefix, of each pair that depends on the prefix."""
        return [pair["external"] for internal, pair in self.tool.pairs().items() if internal.startswith("fd00:1:")]


class Road:
    def __init__(self, folder):
        self.host = Namespace("host")
        self.gateway, self.provider = Gateway("gateway", folder / "gateway"), Provider("provider", folder / "provider")
        gateway, provider = self.gateway.namespace, self.provider.namespace
        cable(self.host, "eth0", gateway, "lan")
        cable(provider, "gateway", gateway, "wan")
        self.host.ip(f"address add {HOST}/64 dev eth0 nodad\naddress add {OTHER}/64 dev eth0 nodad\n"
                     "route add default via fd00:1:0:7::1")
        gateway.ip("address add fd00:1:0:7::1/64 dev lan nodad\naddress add fd00:2::1/64 dev lan nodad\n"
                   "address add fe80::2/64 dev wan nodad\nroute add default via fe80::1 dev wan")
        provider.ip("address add 2001:db8:3::1/64 dev gateway nodad\naddress add fe80::1/64 dev gateway nodad\n"
                    f"address add {PEER}/128 dev lo\n"
                    "route add 2001:db8:1::/48 via fe80::2 dev gateway\n"
                    "route add 2001:db8:2::/64 via fe80::2 dev gateway")
        for one in (self.host, gateway, provider):
            one.settled()

    def close(self):
        for one in (self.gateway, self.provider, self.host):
            one.close()

    def ask(self, source=HOST):
        """A datagram of the host to the peer and back; from which address the peer was asked."""
        asked, asking = (one.socket(socket.AF_INET6, socket.SOCK_DGRAM) for one in (self.provider.namespace, self.host))
        with asked, asking:
            asked.bind((PEER, PORT))
            asking.bind((source, 0))
            for one in (asked, asking):
                one.settimeout(60)
            asking.connect((PEER, PORT))  # so that an answer from any other address is not taken
            asking.send(b"hello")
            heard, peer = asked.recvfrom(100)
            asked.sendto(heard + b"?", peer)
            assert asking.recv(100) == b"hello?"
            return peer[0]


@pytest.fixture
def road(tmp_path):
    road = Road(tmp_path)
    yield road
    road.close()


def host_pair(prefix):
    return prefix.replace("/56", "2")


def npt_pair(prefix):
    """RFC 6296, 3.1: of two lengths the longer one counts, and the shorter prefix is filled up with zeros."""
    return str(Pair("fd00:1::/56", prefix, npt=True).translated(ipaddress.ip_address(HOST), OUTBOUND))


KINDS = [
    #   why                      lines of the template                          where the host is then
    row("a host",                [f"{HOST},@PREFIX@2"],                         host_pair),
    row("a network, npt",        (EXAMPLE / "delegated.csv.in").read_text().splitlines(), npt_pair, marks=expression),
]


@pytest.mark.parametrize("lines, seen_as", KINDS)
def test_another_prefix(road, lines, seen_as):
    """In one transaction; the pair beside it goes on counting. What is renewed changes nothing."""
    gateway, provider = road.gateway, road.provider
    gateway.configure(*lines)
    provider.delegate(ONE)
    gateway.ask_for_a_prefix()
    gateway.hears(ONE)
    assert road.ask() == seen_as(ONE) and road.ask(OTHER) == OTHER_OUT
    counted, generation = gateway.tool.counters(OTHER), gateway.netlink.generation()
    assert counted[0] == counted[2] == 1

    gateway.hears(ONE, ONE)
    assert gateway.netlink.generation() == generation

    provider.delegate(ANOTHER)
    gateway.hears(ANOTHER)
    # The old one may live on, and dhclient then renews both.
    gateway.hears(ANOTHER, ANOTHER)
    assert gateway.netlink.generation() == generation + 1
    assert gateway.tool.counters(OTHER) == counted
    assert road.ask() == seen_as(ANOTHER) and road.ask(OTHER) == OTHER_OUT
    assert gateway.tool.counters(OTHER) == tuple(2 * count for count in counted)


def followed(road, prefix, **life):
    """The host's pair follows a prefix."""
    road.gateway.configure(*KINDS[0].values[0])
    road.provider.delegate(prefix, **life)
    road.gateway.ask_for_a_prefix()
    road.gateway.hears(prefix)
    assert road.gateway.follows() == [host_pair(prefix)]


@pytest.mark.stock
def test_old_prefix_expires_after_a_new_one_came(road):
    """The provider refuses to renew the old one. Where it does so every other second, half the time dhclient is
    soliciting when the old one expires, and that ends dhclient (4.4.3: "Impossible condition, state 2"); so it renews
    later here."""
    followed(road, ONE, life=20)
    road.provider.delegate(ANOTHER, renewal=300)
    road.gateway.hears(ANOTHER)
    assert road.gateway.follows() == [host_pair(ANOTHER)]
    road.gateway.hears("-", ONE)
    assert road.gateway.follows() == [host_pair(ANOTHER)]
    assert road.ask() == host_pair(ANOTHER)


@pytest.mark.stock
def test_prefix_expires(road):
    followed(road, ONE, life=6)
    road.provider.stop()
    road.gateway.hears("-", ONE)
    assert road.gateway.follows() == []
    assert road.ask(OTHER) == OTHER_OUT


def test_prefix_is_released(road):
    followed(road, ONE)
    road.gateway.release()
    assert road.gateway.said()[-1] == ("RELEASE6", "-", ONE)
    assert road.gateway.follows() == []


def test_client_starts_again(road):
    """The pairs outlive it, and the prefix that it still has is no news."""
    followed(road, ONE)
    generation = road.gateway.netlink.generation()
    road.gateway.stop()
    assert road.gateway.follows() == [host_pair(ONE)]
    road.gateway.ask_for_a_prefix()
    road.gateway.hears(ONE, ONE)
    assert road.gateway.netlink.generation() == generation


# The hook alone, with what dhclient-script would say to it.

def hook(gateway, reason, new=None, old=None):
    prefixes = {"new_ip6_prefix": new, "old_ip6_prefix": old}
    return gateway.run("sh", "-c", ". /etc/dhcp/dhclient-exit-hooks.d/statnat", reason=reason,
                       **{name: prefix for name, prefix in prefixes.items() if prefix})


NEWS = [
    #   why                         reason, new and old prefix      which one is followed then
    row("delegated",                ("BOUND6", ANOTHER),            ANOTHER),
    row("asked anybody",            ("REBIND6", ANOTHER),           ANOTHER),
    row("another one renewed",      ("RENEW6", ANOTHER, ONE),       ANOTHER),
    row("renewed",                  ("RENEW6", ONE, ONE),           ONE),
    row("an older one renewed",     ("RENEW6", ANOTHER, ANOTHER),   ONE),
    row("an address, no prefix",    ("BOUND6",),                    ONE),
    row("no longer preferred",      ("DEPREF6",),                   ONE),
    row("expired",                  ("EXPIRE6", None, ONE),         None),
    row("an older one expired",     ("EXPIRE6", None, ANOTHER),     ONE),
    row("released",                 ("RELEASE6", None, ONE),        None),
    row("the client stops",         ("STOP6", None, ONE),           ONE),
    row("IPv4",                     ("BOUND",),                     ONE),
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway("gateway", tmp_path_factory.mktemp("gateway"))
    yield gateway
    gateway.close()


@pytest.fixture
def following(gateway):
    """The hook was told once of a prefix."""
    gateway.configure(*KINDS[0].values[0])
    assert hook(gateway, "BOUND6", ONE).returncode == 0
    assert gateway.follows() == [host_pair(ONE)]
    return gateway


@pytest.mark.stock
@pytest.mark.parametrize("said, prefix", NEWS)
def test_what_dhclient_says(following, said, prefix):
    generation = following.netlink.generation()
    assert hook(following, *said).returncode == 0
    assert following.follows() == [host_pair(prefix) for prefix in [prefix] if prefix]
    assert following.netlink.generation() - generation == (prefix != ONE)


@pytest.mark.stock
def test_the_prefix_had_all_pairs(following):
    """Twenty of them, and none beside."""
    file = following.statnat / "statnat.toml"
    whole = file.read_text()
    file.write_text(whole.split("[pairs]")[0])
    hosts = range(2, 22)
    (following.statnat / "delegated.csv.in").write_text("".join(f"fd00:1::{host},@PREFIX@{host}\n" for host in hosts))
    try:
        assert hook(following, "RENEW6", ONE, ANOTHER).returncode == 0
        for reason, new, old in (("RENEW6", ANOTHER, ONE), ("EXPIRE6", None, ANOTHER), ("BOUND6", ONE, None),
                                 ("RELEASE6", None, ONE)):
            done = hook(following, reason, new, old)
            assert done.returncode == 0, done.stderr
            assert len(following.tool.pairs()) == (len(hosts) if new else 0)
    finally:
        file.write_text(whole)


@pytest.mark.stock
def test_prefix_known_before_the_hook_was_there(gateway):
    gateway.configure(*KINDS[0].values[0])
    assert hook(gateway, "REBIND6", ONE, ONE).returncode == 0
    assert gateway.follows() == [host_pair(ONE)]


TEMPLATES = [
    #   why                         the template                                what is said
    row("two pairs of one address", f"{HOST},@PREFIX@2\nfd00:1::3,@PREFIX@2\n", "delegated.csv:2:"),
    row("no template",              None,                                       "delegated.csv.in: No such file"),
]


@pytest.mark.stock
@pytest.mark.parametrize("template, sentence", TEMPLATES)
def test_bad_template(following, template, sentence):
    """The kernel keeps its pairs; when the template is right again, the prefix is news again."""
    file, generation = following.statnat / "delegated.csv.in", following.netlink.generation()
    right = file.read_text()
    file.unlink() if template is None else file.write_text(template)
    done = hook(following, "RENEW6", ANOTHER, ONE)
    assert done.returncode == 2 and sentence in done.stderr
    assert following.follows() == [host_pair(ONE)] and following.netlink.generation() == generation
    file.write_text(right)
    assert hook(following, "RENEW6", ANOTHER, ONE).returncode == 0
    assert following.follows() == [host_pair(ANOTHER)]


@pytest.mark.stock
@pytest.mark.parametrize("said, prefix", [NEWS[2], NEWS[7]])
def test_sync_refuses(following, said, prefix):
    """The kernel keeps its pairs; what is delegated is in the file, so that `sync` catches up."""
    file, generation = following.statnat / "statnat.toml", following.netlink.generation()
    right = file.read_text()
    file.write_text("[no such table]\n" + right)
    done = hook(following, *said)
    assert done.returncode == 2 and "statnat.toml:1:" in done.stderr
    assert following.follows() == [host_pair(ONE)] and following.netlink.generation() == generation
    file.write_text(right)
    assert following.run("/usr/local/sbin/statnat-nft", "sync", "--force").returncode == 0
    assert following.follows() == [host_pair(prefix) for prefix in [prefix] if prefix]
