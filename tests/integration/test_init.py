# SPDX-License-Identifier: GPL-2.0-or-later
"""What `init` finds on machines of several kinds, and a first pair by what it writes.

    A 10.0.0.2 ─── lan0 gateway wan0 ─── 192.0.2.2 X
"""

import contextlib
import pathlib
import re
import socket
import tomllib

import pytest

from net import A, A_OUT, GATEWAY6_IN, GATEWAY_IN, GATEWAY_OUT, R2, Namespace, cable
from packets import row
from tool import TOOL

PROJECT = pathlib.Path(__file__).parents[2]
FIREWALLS = PROJECT / "docs/firewalls.md"
README = (PROJECT / "README.md").read_text()
PORT = 4000


def link(name, address):
    """An interface, and the other end of its cable, which nobody has."""
    return f"link add {name} type veth peer name {name}-end\naddress add {address} dev {name}\nlink set {name} up\n"


LAN, WAN, WAN1 = link("lan0", f"{GATEWAY_IN}/24"), link("wan0", f"{GATEWAY_OUT}/24"), link("wan1", "203.0.113.1/24")
ONE = LAN + WAN + f"route add default via {R2}\n"


def chains(table, *names):
    return f"table {table} {{\n" + "".join(f"chain {name} {{\n}}\n" for name in names) + "}\n"


def forward(table, name, rules=""):
    return f"table {table} {{\nchain {name} {{\ntype filter hook forward priority 0;\n{rules}\n}}\n}}\n"


IPTABLES = forward("ip filter", "FORWARD", "policy drop;")


@pytest.fixture
def machine():
    """A machine that has just been set up: rtnetlink's lines, and nft's."""
    made = Namespace("machine")

    def set_up(lines="", rules=""):
        made.ip(lines)
        made.nft(rules)
        return made
    with contextlib.closing(made):
        yield set_up


@pytest.fixture
def init(tmp_path):
    """The file that it writes on a machine, and what it says."""
    def init(machine):
        file = tmp_path / "statnat.toml"
        done = machine.run(str(TOOL), "init", "--output", str(file))
        assert done.stdout == "" and f"    statnat-nft sync {file} " in done.stderr
        assert machine.run(str(TOOL), "check", str(file)).stderr == ""
        return file, done.stderr
    return init


def gateway_of(text):
    return tomllib.loads(text)["gateway"]


def with_pairs(file):
    """As somebody goes on with it."""
    text = re.sub(r'(?m)^#("\S+" = "\S+")$', r"\1", file.read_text())
    file.write_text(text)
    return tomllib.loads(text)["pairs"]


@pytest.mark.stock
@pytest.mark.parametrize("lines, outside, pairs", [
    row("one uplink",       ONE, ["wan0"], {A: A_OUT}),
    row("two by one route", LAN + WAN + WAN1 + f"route add default nexthop via {R2} nexthop via 203.0.113.2\n",
        ["wan0", "wan1"], {A: A_OUT}),
    row("two by tables",    ONE + WAN1 + "route add default via 203.0.113.2 table 100\n", ["wan0", "wan1"], {A: A_OUT}),
    row("no next hop",      LAN + WAN + "route add default dev wan0\n", ["wan0"], {A: A_OUT}),
    row("no uplink",        LAN + WAN, None, {A: A_OUT}),
    row("nothing",          "", None, {A: A_OUT}),
    row("a null route",     LAN + WAN + "route add unreachable default\n", None, {A: A_OUT}),
    row("IPv6",             ONE + f"address add {GATEWAY6_IN}/64 dev lan0 nodad\n", ["wan0"],
        {A: A_OUT, "fd00:1::2": "2001:db8:1::2"}),
    row("taken addresses",  ONE + "address add 10.0.0.2/24 dev lan0\nroute add 10.9.0.0/16 via 10.0.0.3\n", ["wan0"],
        {"10.0.0.4": A_OUT}),
    row("ten uplinks",      LAN + "".join(
        link(f"up{n}", f"192.0.2.{n}/31") + f"route add default dev up{n} metric {n + 1}\n" for n in range(10)),
        [f"up{n}" for n in range(8)], {A: A_OUT}),
])
def test_interfaces(machine, init, lines, outside, pairs):
    here = machine(lines)
    file, said = init(here)
    assert gateway_of(file.read_text()).get("external-interfaces") == outside
    assert f"outside {', '.join(outside or ['none'])}" in said
    assert with_pairs(file) == pairs
    here.run(str(TOOL), "check", str(file))


@pytest.mark.stock
@pytest.mark.parametrize("title, rules, wanted", [
    row("nft",           "Plain nft", forward("inet mine", "ahead", "policy drop;"),
        ["ct state established,related,untracked accept", "nft insert rule inet mine ahead ct state untracked accept"]),
    row("firewalld",     "firewalld", forward("inet firewalld", "filter_FORWARD", "reject;"),
        ["firewall-cmd --permanent --policy pairs-in --add-rich-rule "
         f"'rule family=ipv4 destination address={A} accept'", "firewall-cmd --reload"]),
    row("ufw",           "ufw", chains("ip filter", "ufw-before-forward") + chains("ip6 filter", "ufw6-before-forward")
        + IPTABLES, ["-A ufw-before-forward -m conntrack --ctstate UNTRACKED -j ACCEPT",
                                      "-A ufw6-before-forward -m conntrack --ctstate UNTRACKED -j ACCEPT"]),
    row("iptables",      "iptables", IPTABLES + forward("ip6 filter", "FORWARD"),
        ["iptables -I FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT",
         "ip6tables -I FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT"]),
    row("Docker",        "Docker", chains("ip filter", "DOCKER-USER") + IPTABLES,
        ["ExecStartPost=/usr/sbin/iptables -I DOCKER-USER -m conntrack --ctstate UNTRACKED -j ACCEPT"]),
    row("libvirt",       "libvirt", chains("ip filter", "LIBVIRT_FWI") + IPTABLES,
        ['rule="FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT"', "iptables -I $rule"]),
    row("OpenWrt",       "OpenWrt", forward("inet fw4", "forward"),
        ["ct state untracked accept"]),
    row("none",          None, forward("ip statnat", "forward") +
        "table inet mine {\nchain input {\ntype filter hook input priority 0; policy drop;\n}\n}\n", []),
])
def test_firewalls(machine, init, title, rules, wanted):
    """What is to be written or run is what docs/firewalls.md says, which is tried on the real ones."""
    file, _ = init(machine(ONE, rules))
    text = file.read_text()
    lines = [line.removeprefix("#     ") for line in text.splitlines() if line.startswith("#     ")]
    assert set(wanted) <= set(lines) and bool(lines) == bool(title)
    if title:
        assert text.count("to let them through") == 1
        section = FIREWALLS.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        ours = {"nft insert rule inet mine ahead ct state untracked accept",
                "systemctl daemon-reload && systemctl restart docker"}
        for line in set(lines) - ours:
            assert re.sub("ip6tables|ufw6-before|before6", lambda six: six[0].replace("6", ""), line) in section, line
    else:
        assert "no firewall" in text


@pytest.mark.stock
def test_what_is_there_stays(machine, tmp_path):
    here, file = machine(ONE), tmp_path / "statnat.toml"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    file.write_text("mine")
    for there in (file, link, tmp_path):
        done = here.run(str(TOOL), "init", "--output", str(there), check=False)
        assert done.returncode == 1 and f"{there} is there already, and stays as it is: " in done.stderr
    assert file.read_text() == "mine" and not (tmp_path / "nowhere").exists()
    shown = here.run(str(TOOL), "init", "--output", "-")
    assert gateway_of(shown.stdout) == {"external-interfaces": ["wan0"]} and shown.stderr == ""
    quiet = here.run(str(TOOL), "-q", "init", "--output", str(tmp_path / "other"))
    assert (quiet.stdout, quiet.stderr) == ("", "") and (tmp_path / "other").read_text() == shown.stdout
    done = here.run(str(TOOL), "init", "--output", str(tmp_path / "no/where"), check=False)
    assert done.returncode == 1 and "No such file or directory" in done.stderr


@pytest.mark.stock
def test_forwarding_is_told(machine, init):
    here = machine(ONE)
    here.sysctl(net__ipv4__ip_forward=0)
    assert "IPv4 is not forwarded: sysctl -w net.ipv4.ip_forward=1" in init(here)[0].read_text()


@pytest.fixture
def ends(machine):
    """The gateway, with a firewall that lets out and nothing in, and the hosts on both sides."""
    gateway = machine(rules=forward("inet filter", "forward", "policy drop; ct state established,related accept"))
    inside, outside = Namespace("inside"), Namespace("outside")
    with contextlib.closing(inside), contextlib.closing(outside):
        cable(gateway, "lan0", inside, "eth0")
        cable(gateway, "wan0", outside, "eth0")
        gateway.ip(f"address add {GATEWAY_IN}/24 dev lan0\naddress add {GATEWAY_OUT}/24 dev wan0\n"
                   f"route add default via {R2}\n")
        inside.ip(f"address add {A}/24 dev eth0\nroute add default via {GATEWAY_IN}\n")
        outside.ip(f"address add {R2}/24 dev eth0\nroute add default via {GATEWAY_OUT}\n")
        gateway.sysctl(net__ipv4__ip_forward=1)
        yield gateway, inside, outside


def seen_from(inside, outside, seconds):
    """Where a datagram from inside comes from, as the outside sees it; None: it does not come."""
    with outside.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            inside.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.bind((R2, PORT))
        server.settimeout(seconds)
        client.sendto(b"?", (R2, PORT))
        with contextlib.suppress(TimeoutError):
            return server.recvfrom(16)[1][0]


def test_first_pair(ends, init):
    """By what it writes and says alone."""
    gateway, inside, outside = ends
    file, said = init(gateway)
    assert with_pairs(file) == {A: A_OUT}
    _, sync, doctor = re.findall(r"(?m)^    (.*?) +#", said)
    assert sync == f"statnat-nft sync {file}"
    gateway.run(str(TOOL), *sync.split()[1:])
    assert seen_from(inside, outside, 0.5) is None
    assert gateway.run(str(TOOL), *doctor.split()[1:], check=False).returncode == 1
    line, = re.findall(r"(?m)^#     (nft insert .*)", file.read_text())
    gateway.run(*line.split())
    assert seen_from(inside, outside, 30) == A_OUT
    gateway.run(str(TOOL), "clear")


def block(sentence):
    """What README has below that line."""
    indented = re.match(r"(?:    .*\n|\n)+", README.partition(f"\n{sentence}\n\n")[2])[0]
    return re.sub("(?m)^    ", "", indented)


class Newcomer:
    """Types what README says where nothing but the tool is installed, with an editor that takes the example."""

    EDITOR = """#!/bin/sh
    exec sed -i 's/^#"/"/' "$@"
    """

    def __init__(self, gateway, folder):
        self.gateway, self.folder = gateway, folder
        for name in ("bin", "etc", "var"):
            (folder / name).mkdir()
        (folder / "bin/statnat-nft").symlink_to(TOOL)
        (folder / "bin/editor").write_text(self.EDITOR)
        (folder / "bin/editor").chmod(0o755)

    def types(self, line, check=True):
        script = (f'mkdir -p /etc/statnat /var/lib/statnat; mount --bind "{self.folder}/etc" /etc/statnat; '
                  f'mount --bind "{self.folder}/var" /var/lib/statnat; PATH="{self.folder}/bin:$PATH"; ' + line)
        return self.gateway.run("unshare", "--mount", "sh", "-ec", script, check=check)


def test_readme(ends, tmp_path):
    """In four commands, and the cures that the last one prints."""
    gateway, inside, outside = ends
    newcomer = Newcomer(gateway, tmp_path)
    *first, doctor = [line.partition("#")[0].strip() for line in block("Then, as root:").strip().splitlines()]
    assert len(first) < 4 and doctor == "statnat-nft doctor"
    for line in ("statnat-nft sync", doctor):
        too_early = newcomer.types(line, check=False)
        assert too_early.returncode > 0 and "statnat-nft init" in too_early.stdout + too_early.stderr
    for line in first:
        newcomer.types(line)
    cures = re.findall(r"(?m)^breaks: .*; cure: (.*)$", newcomer.types(doctor, check=False).stdout)
    assert any(cure.startswith("nft insert rule inet filter forward ") for cure in cures)
    for cure in cures:
        if "nft-snat-stateless-dkms" not in cure:  # which is for those who have the package
            newcomer.types(cure)
    assert seen_from(inside, outside, 30) == A_OUT
    gateway.run(str(TOOL), "clear")


@pytest.mark.stock
def test_readme_has_a_configuration(namespace):
    checked = namespace.run(str(TOOL), "check", "-", stdin=block("A whole `/etc/statnat/statnat.toml`:"), check=False)
    assert "5 pairs, no errors" in checked.stdout
